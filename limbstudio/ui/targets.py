"""What lies under the pointer on the canvas, and where a floating card may lie: values, tested without a mouse."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from limbstudio.ui.marks import marks

GRAB_PX = 12.0


class TargetKind(StrEnum):
    NOTHING = "nothing"
    POINT = "point"
    HANDLE = "handle"
    OTHER_PERSON = "other_person"


@dataclass(frozen=True)
class HitTarget:
    """What a press would take hold of. point: LDPose index. person: of another person that would be selected.

    handle: of the person's box.
    """

    kind: TargetKind = TargetKind.NOTHING
    point: int | None = None
    person: str | None = None
    handle: str | None = None


def find_target(
    pointer: tuple[float, float],
    points: Mapping[int, tuple[float, float]],
    *,
    selected: int | None = None,
    others: Mapping[str, Mapping[int, tuple[float, float]]] | None = None,
    handles: Mapping[str, tuple[float, float]] | None = None,
    zoom: float = 1.0,
    reach_px: float | None = None,
) -> HitTarget:
    """Find what lies under the pointer.

    pointer, points: pixels of the photo. zoom: screen px per photo px. A point is grabbed within `reach_px` on screen
    (by default as far as the size of marks says), the selected one first, then the nearest; handles of the person's
    box come after its points, points of other people last.
    """
    reach = (GRAB_PX * marks().scale if reach_px is None else reach_px) / zoom
    if selected is not None and selected in points and _distance(pointer, points[selected]) <= reach:
        return HitTarget(TargetKind.POINT, selected)
    nearest = min(points, key=lambda i: _distance(pointer, points[i]), default=None)
    if nearest is not None and _distance(pointer, points[nearest]) <= reach:
        return HitTarget(TargetKind.POINT, nearest)
    held = min(handles or {}, key=lambda name: _distance(pointer, (handles or {})[name]), default=None)
    if handles and held is not None and _distance(pointer, handles[held]) <= reach:
        return HitTarget(TargetKind.HANDLE, handle=held)
    for person, theirs in (others or {}).items():
        for index, position in theirs.items():
            if _distance(pointer, position) <= reach:
                return HitTarget(TargetKind.OTHER_PERSON, index, person)
    return HitTarget()


def _distance(a: tuple[float, float], b: tuple[float, float]) -> float:
    return math.hypot(a[0] - b[0], a[1] - b[1])


@dataclass(frozen=True)
class Rectangle:
    """An upright rectangle on screen, px."""

    x: float
    y: float
    width: float
    height: float

    def overlaps(self, other: "Rectangle") -> bool:
        apart_x = self.x + self.width <= other.x or other.x + other.width <= self.x
        apart_y = self.y + self.height <= other.y or other.y + other.height <= self.y
        return not (apart_x or apart_y)

    def holds(self, x: float, y: float, margin: float = 0.0) -> bool:
        inside_x = self.x - margin <= x <= self.x + self.width + margin
        return inside_x and self.y - margin <= y <= self.y + self.height + margin


def place_card(
    size: tuple[float, float],
    area: Rectangle,
    *,
    wanted: tuple[float, float] | None,
    points: Sequence[tuple[float, float]],
    taken: Sequence[Rectangle] = (),
    margin: float = 16.0,
) -> tuple[float, float]:
    """Choose where the hint lies: beside the place where the point is expected, never over it, a point or a bar.

    All in screen px. wanted: the expected place, or None. Returns the card's top left corner. When no place is free of
    everything, the one that covers the fewest points wins; the expected place stays free in any case.
    """
    width, height = size
    corners = [(area.x + area.width - width, y) for y in (area.y + area.height * 0.5, area.y)]
    corners += [(area.x, area.y), (area.x + area.width - width, area.y + area.height - height)]
    corners += [(area.x, area.y + area.height - height)]
    beside: list[tuple[float, float]] = []
    if wanted is not None:
        gap = 72.0
        x, y = wanted
        beside = [(x + gap, y - height / 2), (x - gap - width, y - height / 2)]
        beside += [(x - width / 2, y - gap - height), (x - width / 2, y + gap)]

    def cost(place: tuple[float, float]) -> float:
        card = Rectangle(place[0], place[1], width, height)
        covered = sum(card.holds(px, py, margin) for px, py in points)
        blocked = sum(card.overlaps(bar) for bar in taken)
        hides = wanted is not None and card.holds(*wanted, margin=32.0)
        outside = not (
            area.x <= card.x
            and area.y <= card.y
            and card.x + width <= area.x + area.width
            and card.y + height <= area.y + area.height
        )
        return covered + 100.0 * blocked + 1000.0 * hides + 500.0 * outside

    return min([*beside, *corners], key=cost)
