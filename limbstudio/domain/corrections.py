"""Corrections of a residual limb's surface: what a person changed in 3D, in order, so that it can be done again.

A correction never names a vertex. Where it acts is a `SurfacePoint`; how far is in lengths of the intact
segment (upper arm, forearm, thigh, shank, from joint to joint). So it can be replayed on another fit.
"""

import math
from dataclasses import dataclass
from enum import StrEnum

from limbstudio.domain.anatomy import Limb, Segment

# The steepest cut plane: beyond it the plane runs along the limb.
MAX_TILT = math.radians(60.0)


def _within(name: str, value: float, low: float, high: float) -> None:
    if not low <= value <= high:  # NaN fails too
        raise ValueError(f"{name} must lie between {low:g} and {high:g}, not {value}.")


@dataclass(frozen=True)
class SurfacePoint:
    """A place on a residual limb.

    axial: along the bone, 0 at the proximal joint, 1 where the intact segment would end. angle: radians about
    the bone, 0 anterior, positive towards lateral, the same on both sides of the body. cap: 0 on the wall, up
    to 1 at the tip; a place on the cap (cap > 0) moves with the limb's end, a place on the wall stays at the
    bone.
    """

    axial: float
    angle: float
    cap: float = 0.0

    def __post_init__(self) -> None:
        _within("axial", self.axial, -10.0, 10.0)
        _within("angle", self.angle, -100.0, 100.0)
        _within("cap", self.cap, 0.0, 1.0)


@dataclass(frozen=True)
class EndAlongLimb:
    """The limb ends at this lambda (0: the whole segment, 1: nothing of it), whatever the fit says."""

    factor: float

    def __post_init__(self) -> None:
        _within("factor", self.factor, -0.25, 0.98)


@dataclass(frozen=True)
class CutPlane:
    """The plane on which the cap stands. offset: axial fraction where it crosses the bone's line.

    tilt_ap, tilt_ml: radians by which its distal normal turns towards anterior and towards lateral.
    """

    offset: float
    tilt_ap: float = 0.0
    tilt_ml: float = 0.0

    def __post_init__(self) -> None:
        _within("offset", self.offset, 0.02, 1.25)
        _within("tilt_ap", self.tilt_ap, -MAX_TILT, MAX_TILT)
        _within("tilt_ml", self.tilt_ml, -MAX_TILT, MAX_TILT)


class TipKind(StrEnum):
    """The limb's end as prosthetists name it, by how its girth changes towards the end."""

    CONICAL = "conical"
    CYLINDRICAL = "cylindrical"
    BULBOUS = "bulbous"


@dataclass(frozen=True)
class TipShape:
    """The shape of the end. roundness: 0 flat to 1 pointed, 0.5 the fit's own dome. fold: 0 none to 1 deep.

    A fold is a groove of skin across the end, from medial to lateral.
    """

    kind: TipKind
    roundness: float = 0.5
    fold: float = 0.0

    def __post_init__(self) -> None:
        _within("roundness", self.roundness, 0.0, 1.0)
        _within("fold", self.fold, 0.0, 1.0)


class Brush(StrEnum):
    """What a brush does to the surface under it."""

    PULL = "pull"
    PUSH = "push"
    SMOOTH = "smooth"
    INFLATE = "inflate"
    FLATTEN = "flatten"

    @property
    def strength_is_a_length(self) -> bool:
        """Tell whether strength is in segment lengths; else it is a share, 0 to 1."""
        return self in (Brush.PULL, Brush.PUSH, Brush.INFLATE)


@dataclass(frozen=True)
class BrushStroke:
    """One stroke. radius: in segment lengths. strength: see `Brush.strength_is_a_length`.

    How often a place is passed within one stroke does not matter: pull, push and inflate move the surface by
    `strength` along the middle of the path, fading to nothing at `radius`. Negative inflate deflates.
    """

    brush: Brush
    path: tuple[SurfacePoint, ...]
    radius: float
    strength: float

    def __post_init__(self) -> None:
        if not self.path:
            raise ValueError("A stroke needs a path.")
        _within("radius", self.radius, 1e-3, 1.0)
        if self.brush.strength_is_a_length:
            _within("strength", self.strength, -0.5, 0.5)
        else:
            _within("strength", self.strength, 0.0, 1.0)


@dataclass(frozen=True)
class MirrorOther:
    """The wall takes the shape of the other side's limb, mirrored; the end stays where it is."""

    strength: float = 1.0

    def __post_init__(self) -> None:
        _within("strength", self.strength, 0.0, 1.0)


@dataclass(frozen=True)
class ResetHere:
    """The surface returns to the fit's own about one place. radius: in segment lengths."""

    at: SurfacePoint
    radius: float

    def __post_init__(self) -> None:
        _within("radius", self.radius, 1e-3, 3.0)


Operation = EndAlongLimb | CutPlane | TipShape | BrushStroke | MirrorOther | ResetHere


@dataclass(frozen=True)
class Corrections:
    """All corrections of one limb of one person, in the order in which they were made.

    End, plane and tip shape decide how the limb is cut (the last of each counts); the others follow one after
    another on the surface that leaves. segment: in which the limb ended then; while it ends in another one
    (its level was changed) they rest, and come back with that level. None: not known, they always count.
    """

    person: str
    photo: str
    limb: Limb
    operations: tuple[Operation, ...] = ()
    segment: Segment | None = None

    @property
    def key(self) -> tuple[str, str]:
        """Return the record's key in a project."""
        return corrections_key(self.person, self.limb, self.segment)


def corrections_key(person: str, limb: Limb, segment: Segment | None = None) -> tuple[str, str]:
    """Return the key under which a project keeps the corrections of one limb that ends in one segment."""
    place = limb.value if segment is None else f"{limb.value}:{segment.value}"
    return ("corrections", f"{person}:{place}")
