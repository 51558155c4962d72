"""Look a person over: points outside the box become unsure; a panel compares left segments with right ones."""

import math
from collections.abc import Sequence
from dataclasses import replace

from limbstudio.api import LDPOSE_NAMES, AnnotatedPhoto, KeypointState, Person, Report

SEGMENTS = (("Upper arm", "shoulder", "elbow"), ("Forearm", "elbow", "wrist"), ("Thigh", "hip", "knee"),
            ("Shank", "knee", "ankle"))  # fmt: skip


class OutsideBox:
    """Mark every observed point outside the person's box as unsure; its place is kept."""

    api_version = 1
    name = "Mark points outside the box as unsure"
    keys = ("Ctrl+Alt+U",)

    def run(self, annotated: AnnotatedPhoto, report: Report) -> Sequence[Person]:
        """Return the people that changed."""
        changed = []
        for number, person in enumerate(annotated.people):
            report(number / len(annotated.people), "Looking at the points")
            after = _without_outsiders(person)
            if after != person:
                changed.append(after)
        return changed


def _without_outsiders(person: Person) -> Person:
    box, keypoints = person.box, person.keypoints
    if box is None:
        return person
    for index, point in enumerate(keypoints.points):
        if not point.constrains_fit or point.x is None or point.y is None:
            continue
        inside = box.x <= point.x <= box.x + box.width and box.y <= point.y <= box.y + box.height
        if not inside:
            keypoints = keypoints.replaced(index, replace(point, state=KeypointState.UNSURE))
    return replace(person, keypoints=keypoints)


class LeftAndRight:
    """Say how long each left segment is in the picture, as a share of the right one."""

    api_version = 1
    name = "Left against right"

    def facts(self, annotated: AnnotatedPhoto, report: Report) -> Sequence[tuple[str, str]]:
        """Return one row per person and segment that can be seen on both sides."""
        rows = []
        for number, person in enumerate(annotated.people, 1):
            for name, upper, lower in SEGMENTS:
                left, right = (
                    _length_px(person, f"{side}_{upper}", f"{side}_{lower}") for side in ("left", "right")
                )
                if left and right:
                    who = f"{number}: " if len(annotated.people) > 1 else ""
                    rows.append((f"{who}{name}", f"{100 * left / right:.0f} % in the picture"))
        return rows


def _length_px(person: Person, upper: str, lower: str) -> float | None:
    a, b = (person.keypoints.points[LDPOSE_NAMES.index(name)] for name in (upper, lower))
    if not (a.constrains_fit and b.constrains_fit):
        return None
    assert a.x is not None and a.y is not None and b.x is not None and b.y is not None
    return math.hypot(a.x - b.x, a.y - b.y)
