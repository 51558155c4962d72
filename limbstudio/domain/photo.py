"""A photo and the people in it."""

from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from limbstudio.domain.anatomy import LimbStates, Posture, intact_limbs
from limbstudio.domain.geometry import Box, Keypoints
from limbstudio.domain.provenance import Provenance


@dataclass(frozen=True)
class Photo:
    """A photo by content. sha256: of the file's bytes. width, height: upright pixels (EXIF turned once).

    path: where it was last seen, relative to the project when inside it. focal_exif_px: focal length that the file's
    EXIF states, in upright pixels, or None.
    """

    sha256: str
    width: int
    height: int
    path: str
    focal_exif_px: float | None = None
    no_person: bool = False


@dataclass(frozen=True)
class Person:
    """One person in one photo, as annotated.

    box: of the person, pixels. limbs: the state of each limb. stature_mm, focal_px: given by a human, or None.
    polygons, holes: the body's outline in pixels, flat x, y lists as in COCO; mask_file: PNG, white = body; in a
    project, where its tiles are kept (`services.kept_masks`).
    residual_tolerance_px and the confidences are the annotator's own uncertainty: reported, never used to pass.
    """

    id: str
    photo: str
    keypoints: Keypoints = field(default_factory=Keypoints)
    limbs: LimbStates = field(default_factory=intact_limbs)
    box: Box | None = None
    posture: Posture = Posture.UNKNOWN
    stature_mm: float | None = None
    focal_px: float | None = None
    mask_file: str | None = None
    polygons: tuple[tuple[float, ...], ...] = ()
    holes: tuple[tuple[float, ...], ...] = ()
    notes: str = ""
    provenance: Provenance = field(default_factory=Provenance)

    def __post_init__(self) -> None:
        object.__setattr__(self, "limbs", MappingProxyType(dict(self.limbs)))

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "limbs": dict(self.limbs)}

    def __setstate__(self, state: dict[str, Any]) -> None:
        for name, value in state.items():
            object.__setattr__(self, name, MappingProxyType(value) if name == "limbs" else value)
