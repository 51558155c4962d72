"""Fits that a project keeps: which person they explain, what they were made from, which one counts."""

from dataclasses import dataclass, field

from limbstudio.domain.body import BodyFit
from limbstudio.domain.stump import Stump


@dataclass(frozen=True)
class MeshReference:
    """A mesh of a fit, kept as blobs. The values are SHA-256 names of blobs that hold numpy arrays.

    vertices: (V, 3) float32, metres, in the frame the name says. faces: (F, 3) int32. residual: (V,) bool,
    true on the residual limb and its cap. parts: (V,) uint8, the body part of each vertex.
    """

    vertices: str
    faces: str
    residual: str
    parts: str


@dataclass(frozen=True)
class KeptFit:
    """One fit of one person. It never changes: another result is another KeptFit.

    id: SHA-256 of what it holds. inputs_hash: of the person, photo and settings it was computed from; when
    the person's present inputs have another hash the fit is stale. body: mesh in the camera frame; tpose:
    mesh at rest, y up. facts: the content of `fit.json`, as text.
    """

    id: str
    person: str
    photo: str
    inputs_hash: str
    fit: BodyFit = field(compare=False)
    body: MeshReference | None = None
    tpose: MeshReference | None = None
    stumps: tuple[Stump, ...] = field(default=(), compare=False)
    facts: str = ""
    made_at: str = ""


@dataclass(frozen=True)
class ChosenFit:
    """Which fit of a person counts; the others are candidates. by_human: a machine result may not replace
    it.
    """

    person: str
    photo: str
    fit: str
    by_human: bool = False


@dataclass(frozen=True)
class Pin:
    """A keypoint that a fit must meet. keypoint: LDPose index. position_m: in the camera frame, where the point stays
    in space; None: only in the picture, where the annotated point lies.
    """

    keypoint: int
    position_m: tuple[float, float, float] | None = None


@dataclass(frozen=True)
class FitOptions:
    """What a person asks of the fits of one person, beside the annotation; part of a fit's inputs.

    shape: the body's shape is held at these numbers, None leaves it free. initialiser: name of who begins, empty for
    our own.
    """

    person: str
    photo: str
    pins: tuple[Pin, ...] = ()
    shape: tuple[float, ...] | None = None
    initialiser: str = ""

    @property
    def asks_nothing(self) -> bool:
        return not self.pins and self.shape is None and not self.initialiser

    def pin_of(self, keypoint: int) -> Pin | None:
        """Return the pin of a keypoint."""
        return next((pin for pin in self.pins if pin.keypoint == keypoint), None)
