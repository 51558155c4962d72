"""How large the marks on photos are drawn and how near they are grabbed: one setting for every canvas."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Marks:
    """scale: of points, handles and the distance at which they are grabbed. bone_px: width of a bone's line."""

    scale: float = 1.0
    bone_px: float = 3.0


_now = [Marks()]


def marks() -> Marks:
    """Return how marks are drawn now."""
    return _now[0]


def set_marks(wanted: Marks) -> None:
    """Draw marks so from now on; canvases are to be drawn anew."""
    _now[0] = wanted
