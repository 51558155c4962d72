"""Proposed points: where a fitted body says that points lie which nobody has placed yet."""

import math
from collections.abc import Mapping
from dataclasses import replace

from limbstudio.domain.anatomy import LDPOSE, N_COCO, KeypointState, impossible_keypoints, level_rule
from limbstudio.domain.body import BodyFit
from limbstudio.domain.edits import Edit, change_person
from limbstudio.domain.photo import Person

Places = Mapping[int, tuple[float, float]]


def proposed_points(person: Person, fit: BodyFit, size: tuple[int, int]) -> dict[int, tuple[float, float]]:
    """Return LDPose index -> pixels for the points that are unlabelled, can exist and lie in the photo.

    size: of the photo, (width, height) px. A residual end is proposed only where the limb's level has that end.
    """
    impossible = impossible_keypoints(person.limbs)
    ends = {level_rule(limb, state.level).endpoint for limb, state in person.limbs.items()}
    found = {}
    for index, (x, y) in enumerate(fit.projected_px.tolist()):
        can_be = index not in impossible if index < N_COCO else index in ends
        is_open = person.keypoints.points[index].state is KeypointState.UNLABELLED
        inside = math.isfinite(x) and math.isfinite(y) and 0 <= x <= size[0] - 1 and 0 <= y <= size[1] - 1
        if can_be and is_open and inside:
            found[index] = (x, y)
    return found


def take_proposals(person: Person, places: Places) -> Edit:
    """Make proposed points the person's own, visible, as one edit."""
    keypoints = person.keypoints
    for index, (x, y) in places.items():
        old = keypoints.points[index]
        keypoints = keypoints.replaced(index, replace(old, state=KeypointState.VISIBLE, x=x, y=y))
    first = LDPOSE[next(iter(places))].label.lower()
    label = f"Take {len(places)} proposed points" if len(places) > 1 else f"Take the proposed {first}"
    return change_person(person, replace(person, keypoints=keypoints), label)
