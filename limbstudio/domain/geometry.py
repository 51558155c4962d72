"""Plain geometric values: boxes, points with states, the camera."""

from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from limbstudio.domain.anatomy import N_KEYPOINTS, KeypointState


@dataclass(frozen=True)
class Box:
    """An axis-aligned box in pixels of the upright photo: left, top, width, height (COCO's order)."""

    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True)
class Point:
    """One annotated keypoint. x, y: pixels of the upright photo; kept (hidden) in states that carry no position."""

    state: KeypointState = KeypointState.UNLABELLED
    x: float | None = None
    y: float | None = None
    confidence: float = 1.0

    @property
    def constrains_fit(self) -> bool:
        return self.state.constrains_fit and self.x is not None and self.y is not None


@dataclass(frozen=True)
class Keypoints:
    """The 25 LDPose points of one person, in LDPose order."""

    points: tuple[Point, ...] = (Point(),) * N_KEYPOINTS

    def __post_init__(self) -> None:
        if len(self.points) != N_KEYPOINTS:
            raise ValueError(f"Keypoints hold {N_KEYPOINTS} points, not {len(self.points)}.")

    @property
    def states(self) -> tuple[KeypointState, ...]:
        return tuple(p.state for p in self.points)

    @property
    def positions_px(self) -> np.ndarray:
        """Return the positions, (25, 2) float, NaN where a point has none."""
        nan = float("nan")
        return np.array([(nan if p.x is None else p.x, nan if p.y is None else p.y) for p in self.points])

    @property
    def observed(self) -> np.ndarray:
        """Return which points constrain a fit, (25,) bool."""
        return np.array([p.constrains_fit for p in self.points])

    def replaced(self, index: int, point: Point) -> "Keypoints":
        return Keypoints((*self.points[:index], point, *self.points[index + 1 :]))


class FocalSource(StrEnum):
    """Where the focal length came from, most trustworthy first."""

    GIVEN = "given"
    EXIF = "exif"
    DIAGONAL = "diagonal"
    PAPER = "paper"


@dataclass(frozen=True)
class Camera:
    """A pinhole camera with square pixels and the principal point at the picture's centre.

    Camera frame: x right, y down, z forward, metres. Pixel (0, 0) is the centre of the top-left pixel.
    """

    focal_px: float
    center_px: tuple[float, float]
    size_px: tuple[int, int]
    focal_source: FocalSource = FocalSource.DIAGONAL

    def project(self, points_camera: np.ndarray) -> np.ndarray:
        """Project points (..., 3) in metres to pixels (..., 2)."""
        points = np.asarray(points_camera, dtype=float)
        return self.focal_px * points[..., :2] / points[..., 2:] + np.asarray(self.center_px)
