"""Edits of several points at once: moved, turned, scaled, mirrored, given a state, cleared; and of a whole person."""

import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace

from limbstudio.domain.anatomy import LDPOSE, KeypointState
from limbstudio.domain.edits import Edit, change_person
from limbstudio.domain.geometry import Box, Keypoints, Point
from limbstudio.domain.photo import Person


@dataclass(frozen=True)
class Motion:
    """A motion in the photo about a middle: mirrored first, then scaled and turned, then moved.

    turn: degrees, clockwise as seen; dx, dy: pixels. mirror_x: left and right change places; mirror_y: top and bottom.
    """

    turn: float = 0.0
    scale: float = 1.0
    mirror_x: bool = False
    mirror_y: bool = False
    dx: float = 0.0
    dy: float = 0.0

    def of(self, at: tuple[float, float], middle: tuple[float, float]) -> tuple[float, float]:
        """Return where a position goes."""
        x = (at[0] - middle[0]) * (-self.scale if self.mirror_x else self.scale)
        y = (at[1] - middle[1]) * (-self.scale if self.mirror_y else self.scale)
        cos, sin = math.cos(math.radians(self.turn)), math.sin(math.radians(self.turn))
        return middle[0] + x * cos - y * sin + self.dx, middle[1] + x * sin + y * cos + self.dy

    @property
    def words(self) -> str:
        """Say what the motion does: 'Turn', 'Mirror and move'."""
        parts = []
        if self.mirror_x or self.mirror_y:
            parts.append("mirror")
        if self.scale != 1.0:
            parts.append("scale")
        if self.turn:
            parts.append("turn")
        if self.dx or self.dy:
            parts.append("move")
        return " and ".join(parts).capitalize() or "Leave"


def positions_of(person: Person, indices: Collection[int]) -> dict[int, tuple[float, float]]:
    """Return where points are, also hidden ones, in pixels of the photo; those without a place are left out."""
    points = person.keypoints.points
    return {i: (p.x, p.y) for i in sorted(indices) if (p := points[i]).x is not None and p.y is not None}


def middle_of(places: Collection[tuple[float, float]], motion: Motion) -> tuple[float, float]:
    """Return the middle about which a motion goes.

    Of the upright rectangle for a mirror, which then stays where it is; else the mean position, which turning and
    scaling leave in its place, so that many small steps do not wander.
    """
    xs, ys = [x for x, _ in places], [y for _, y in places]
    if motion.mirror_x or motion.mirror_y:
        return (min(xs) + max(xs)) / 2, (min(ys) + max(ys)) / 2
    return sum(xs) / len(xs), sum(ys) / len(ys)


def within_photo(
    places: Collection[tuple[float, float]], dx: float, dy: float, size: tuple[float, float]
) -> tuple[float, float]:
    """Return the part of a shift that leaves every position in a photo of `size`; so a group keeps its shape."""
    if not places:
        return dx, dy
    xs, ys = [x for x, _ in places], [y for _, y in places]
    low_x, high_x = min(-min(xs), 0.0), max(size[0] - 1 - max(xs), 0.0)
    low_y, high_y = min(-min(ys), 0.0), max(size[1] - 1 - max(ys), 0.0)
    return min(max(dx, low_x), high_x), min(max(dy, low_y), high_y)


def leaving_photo(
    person: Person, indices: Collection[int], motion: Motion, size: tuple[float, float]
) -> tuple[int, ...]:
    """Return the points that a motion would take out of a photo of `size`; hidden ones do not count."""
    places = positions_of(person, indices)
    if not places:
        return ()
    middle = middle_of(places.values(), motion)
    moved = {i: motion.of(at, middle) for i, at in places.items()}
    return tuple(
        i
        for i, (x, y) in moved.items()
        if not (0 <= x <= size[0] - 1 and 0 <= y <= size[1] - 1)
        and person.keypoints.points[i].state is not KeypointState.ABSENT
    )


def transform_points(
    person: Person, indices: Collection[int], motion: Motion, merge_key: str | None = None
) -> Edit:
    """Move points by `motion` about their middle; their states stay."""
    places = positions_of(person, indices)
    if not places:
        return change_person(person, person, "Leave the points", merge_key)
    middle = middle_of(places.values(), motion)
    after = _placed(person, {i: motion.of(at, middle) for i, at in places.items()})
    return change_person(person, after, f"{motion.words} {_names(places)}", merge_key)


def transform_person(person: Person, motion: Motion, merge_key: str | None = None) -> Edit:
    """Move all of a person by `motion` about the points' middle: points, also hidden ones, and the box about it."""
    places = positions_of(person, range(len(LDPOSE)))
    corners = [] if person.box is None else _corners(person.box)
    if not places and not corners:
        return change_person(person, person, "Leave the person", merge_key)
    middle = middle_of(list(places.values()) or corners, motion)
    after = _placed(person, {i: motion.of(at, middle) for i, at in places.items()})
    if corners:
        moved = [motion.of(at, middle) for at in corners]
        left, top = min(x for x, _ in moved), min(y for _, y in moved)
        right, bottom = max(x for x, _ in moved), max(y for _, y in moved)
        after = replace(after, box=Box(left, top, right - left, bottom - top))
    return change_person(person, after, f"{motion.words} the person", merge_key)


def move_points_by(
    person: Person, indices: Collection[int], dx: float, dy: float, merge_key: str | None = None
) -> Edit:
    """Move points by (dx, dy) pixels."""
    return transform_points(person, indices, Motion(dx=dx, dy=dy), merge_key)


def set_point_states(person: Person, indices: Collection[int], state: KeypointState) -> Edit:
    """Give several points a state; their positions are kept, hidden where the state carries none."""
    points = list(person.keypoints.points)
    for index in indices:
        points[index] = replace(points[index], state=state)
    after = replace(person, keypoints=Keypoints(tuple(points)))
    return change_person(person, after, f"{_names(indices)}: {state.value.replace('_', ' ')}".capitalize())


def clear_points(person: Person, indices: Collection[int]) -> Edit:
    """Take several points away: unlabelled, no position."""
    points = list(person.keypoints.points)
    for index in indices:
        points[index] = Point()
    return change_person(
        person, replace(person, keypoints=Keypoints(tuple(points))), f"Clear {_names(indices)}"
    )


def _placed(person: Person, places: Mapping[int, tuple[float, float]]) -> Person:
    points = list(person.keypoints.points)
    for index, (x, y) in places.items():
        points[index] = replace(points[index], x=x, y=y)
    return replace(person, keypoints=Keypoints(tuple(points)))


def _corners(box: Box) -> list[tuple[float, float]]:
    right, bottom = box.x + box.width, box.y + box.height
    return [(box.x, box.y), (right, box.y), (right, bottom), (box.x, bottom)]


def _names(indices: Collection[int]) -> str:
    first = LDPOSE[min(indices)].label.lower() if indices else "nothing"
    return first if len(indices) <= 1 else f"{len(indices)} points"
