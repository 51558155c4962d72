"""Stepping through choices with one or two keys, and aiming with a line that moves: state machines without a window."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from limbstudio.ui.guided import Phase

_MORE = "number_menu"


def choices(
    phase: Phase, *, has_photo: bool, has_person: bool, has_3d: bool, expected: bool, proposals: bool
) -> tuple[str, ...]:
    """Return what can be done now, the likeliest first, as action ids; 'aim' begins to aim.

    expected: the place of the point asked for is foreseen. proposals: a fitted body proposes points.
    """
    if has_3d:
        return ("orbit_right", "view_front", "view_right", "view_back", "frame_limb", "annotate", _MORE)
    if not has_photo:
        return ("open_photos", "open_sample", "open_project", _MORE)
    if not has_person:
        return ("new_person", "next_photo", "no_person", "previous_photo", "undo", _MORE)
    if phase is Phase.LIMBS:
        return ("skip", "limb_levels", "next_photo", "undo", _MORE)
    take = ("accept_proposals",) if proposals else ()
    if phase is Phase.PLACE:
        here = ("place_here", "aim") if expected else ("aim",)
        return (*take, *here, "skip", "state_ring", "step_back", "undo", "select", _MORE)
    return (
        *take,
        "mark_ready",
        "next_photo",
        "guided",
        "next_point",
        "state_ring",
        "fit_body",
        "undo",
        _MORE,
    )


@dataclass(frozen=True)
class Scan:
    """Which of the choices is lit. rounds: how often all were passed without one being taken."""

    choices: Sequence[str] = ()
    at: int = 0
    rounds: int = 0

    @property
    def chosen(self) -> str:
        return self.choices[self.at] if self.choices else ""


def following(scan: Scan) -> Scan:
    """Light the next choice."""
    if not scan.choices:
        return scan
    at = (scan.at + 1) % len(scan.choices)
    return replace(scan, at=at, rounds=scan.rounds + (at == 0))


def renewed(scan: Scan, now: Sequence[str]) -> Scan:
    """Take other choices; begin with the first when they differ."""
    return scan if tuple(now) == tuple(scan.choices) else Scan(tuple(now))


class Axis(StrEnum):
    """What a line that moves finds out."""

    ACROSS = "across"
    DOWN = "down"


@dataclass(frozen=True)
class Aim:
    """A line that goes over the view and back, first across, then down. position: 0 to 1 along the axis.

    way: +1 or -1. fixed: where across, once that is known.
    """

    axis: Axis = Axis.ACROSS
    position: float = 0.0
    way: int = 1
    fixed: float | None = None


def moved(aim: Aim, share: float) -> Aim:
    """Let the line go on by a share of the view; at the edge it turns round."""
    position = aim.position + aim.way * share
    if 0.0 <= position <= 1.0:
        return replace(aim, position=position)
    return replace(aim, position=min(max(position, 0.0), 1.0), way=-aim.way)


def turned(aim: Aim) -> Aim:
    """Let the line come back."""
    return replace(aim, way=-aim.way)


def fixed(aim: Aim) -> tuple[Aim, tuple[float, float] | None]:
    """Keep where the line is. Returns the aim and, once both axes are known, the place as shares of the view."""
    if aim.axis is Axis.ACROSS:
        return Aim(Axis.DOWN, 0.0, 1, aim.position), None
    assert aim.fixed is not None
    return aim, (aim.fixed, aim.position)
