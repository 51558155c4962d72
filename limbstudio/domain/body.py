"""A fitted body: the parameters of one person in one photo, and how far they can be trusted."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

import numpy as np

from limbstudio.domain.anatomy import Limb, Segment
from limbstudio.domain.geometry import Camera
from limbstudio.domain.provenance import Provenance


class FitMode(StrEnum):
    """How residual limbs enter the fit: in the main problem, as in ResiHMR's Algorithm 1, or not at all."""

    JOINT = "joint"
    PAPER = "paper"
    INTACT = "intact"


class ScaleSource(StrEnum):
    """Where metric scale came from; millimetres need one that was given."""

    STATURE = "stature_given"
    REFERENCE = "reference_object"
    PRIOR = "shape_prior"


@dataclass(frozen=True, eq=False)
class LimbFit:
    """One residual limb of a fit.

    factor: lambda of ResiHMR equation 3 (0 the whole segment, 1 nothing of it). anchor, upstream: SMPL-X joint names.
    anchor_position, upstream_position, endpoint: camera frame, metres, (3,). length_m: of the residual segment.
    Intervals are 95 % (low, high). accepted: whether the limb is cut; reason: why not, in words.
    """

    limb: Limb
    segment: Segment
    factor: float
    anchor: str
    upstream: str
    anchor_position: np.ndarray
    upstream_position: np.ndarray
    endpoint: np.ndarray
    endpoint_px: tuple[float, float]
    annotated_px: tuple[float, float] | None
    length_m: float
    factor_interval: tuple[float, float]
    length_interval_m: tuple[float, float]
    accepted: bool
    reason: str = ""


@dataclass(frozen=True, eq=False)
class BodyFit:
    """One explanation of one person: parameters, camera, residual limbs, energy and warnings.

    orientation (3,) and pose (54, 3) are rotation vectors of the SMPL-X tree without the pelvis; shape (B,);
    translation (3,) is the pelvis-frame origin in the camera frame, metres: x_camera = body vertex + translation, where
    the orientation already turns the body's y-up frame into the camera's y-down one.
    joints (55, 3): camera frame, metres. projected_px (25, 2): the LDPose points; NaN where the point cannot exist.
    tilt: the camera's pitch (positive looking down) and roll against gravity, radians, as the fit found them.
    energy: final energy by term; alternatives: other explanations within 5 % of energy, posture not counted.
    """

    body_name: str
    mode: FitMode
    camera: Camera
    orientation: np.ndarray
    pose: np.ndarray
    shape: np.ndarray
    translation: np.ndarray
    joints: np.ndarray
    projected_px: np.ndarray
    used: np.ndarray
    limbs: tuple[LimbFit, ...] = ()
    tilt: tuple[float, float] = (0.0, 0.0)
    scale: ScaleSource = ScaleSource.PRIOR
    energy: Mapping[str, float] = field(default_factory=dict)
    timings_s: Mapping[str, float] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()
    alternatives: tuple["BodyFit", ...] = ()
    provenance: Provenance = field(default_factory=Provenance)

    @property
    def up_camera(self) -> np.ndarray:
        """Return the direction away from the ground, (3,) unit vector in the camera frame; level: (0, -1, 0)."""
        pitch, roll = self.tilt
        level = -np.cos(roll)
        return np.array([np.sin(roll), level * np.cos(pitch), level * np.sin(pitch)])
