"""The picture around a person that the limb classifier sees: the same code when it is trained and when it is used."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from limbstudio.domain.anatomy import N_COCO
from limbstudio.domain.errors import KnownError
from limbstudio.domain.geometry import Box
from limbstudio.domain.photo import Person

Floats = NDArray[np.floating[Any]]
Pixels = NDArray[np.uint8]

# ImageNet's, in which pictures are told to the network; what lies outside the picture has the mean colour.
MEAN = (123.675, 116.28, 103.53)
DEVIATION = (58.395, 57.12, 57.375)
# Points do not reach the crown, the hands and the feet, a box does.
_MARGIN_BOX, _MARGIN_POINTS = 1.2, 1.45
# A point that a detector hardly believes in does not widen the crop.
_LEAST_CONFIDENCE = 0.2
_LEAST_SIDE_PX = 8.0


@dataclass(frozen=True)
class Square:
    """A square of a picture, pixels; pixel (0, 0) has its centre at 0, so its own edge is at -0.5."""

    left: float
    top: float
    side: float

    def to_crop(self, points_px: Floats, size_px: int) -> Floats:
        """Return points (..., 2) of the picture in pixels of a crop of this size."""
        return (np.asarray(points_px) - (self.left, self.top)) * (size_px / self.side) - 0.5


def points_of(person: Person) -> Floats:
    """Return COCO's points of a person, (17, 3): pixels and confidence, zeros where a point has no place.

    The state of a point is not read: the classifier must not be told what it is asked.
    """
    points = np.zeros((N_COCO, 3))
    for row, point in enumerate(person.keypoints.points[:N_COCO]):
        if point.x is not None and point.y is not None:
            points[row] = point.x, point.y, min(max(point.confidence, 0.0), 1.0)
    points[~np.isfinite(points).all(1)] = 0.0
    return points


def square_around(points: Floats, box: Box | None) -> Square:
    """Return the square around a person's points (17, 3) and box; KnownError where there is too little of both."""
    seen = points[points[:, 2] >= _LEAST_CONFIDENCE, :2]
    corners = [*seen]
    has_box = box is not None and box.width > 0 and box.height > 0
    if has_box:
        assert box is not None
        corners += [np.array([box.x, box.y]), np.array([box.x + box.width, box.y + box.height])]
    if not has_box and len(seen) < 2:
        raise KnownError(
            "The person has neither a box nor two points, so that nobody knows where to look.",
            "Place some points, or draw a box around the person.",
        )
    low, high = np.min(corners, 0), np.max(corners, 0)
    side = float((high - low).max()) * (_MARGIN_BOX if has_box else _MARGIN_POINTS)
    if not math.isfinite(side) or side < _LEAST_SIDE_PX:
        raise KnownError("The person is too small in the picture.", "Use a photo that is taken from nearer.")
    left, top = (low + high - side) / 2
    return Square(float(left), float(top), side)


def cut_out(pixels: Pixels, square: Square, size_px: int) -> Pixels:
    """Return the square of a picture (H, W, 3) as (size, size, 3); KnownError where it lies outside the picture."""
    import cv2  # only here: the rest of the module is numbers

    height, width = pixels.shape[:2]
    low = [max(math.floor(edge + 0.5), 0) for edge in (square.left, square.top)]
    ends = (square.left + square.side, square.top + square.side)
    high = [min(math.ceil(edge + 0.5), most) for edge, most in zip(ends, (width, height), strict=True)]
    if low[0] >= high[0] or low[1] >= high[1]:
        raise KnownError(
            "The person lies outside the picture.", "Check the box and the points, or the annotations' photo."
        )
    part = np.ascontiguousarray(pixels[low[1] : high[1], low[0] : high[0]])
    scale = size_px / square.side
    if scale < 1:  # first smaller by means over areas: a bare interpolation would skip pixels
        shrunk = [max(1, round((h - lo) * scale)) for lo, h in zip(low, high, strict=True)]
        part = cv2.resize(part, (shrunk[0], shrunk[1]), interpolation=cv2.INTER_AREA)
    own = [part.shape[1] / (high[0] - low[0]), part.shape[0] / (high[1] - low[1])]
    place = np.zeros((2, 3))
    for axis, edge in enumerate((square.left, square.top)):
        place[axis, axis] = scale / own[axis]
        place[axis, 2] = (low[axis] - 0.5 + 0.5 / own[axis] - edge) * scale - 0.5
    cut = cv2.warpAffine(
        part,
        place,
        (size_px, size_px),
        flags=cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_CONSTANT,
        borderValue=MEAN,
    )
    return np.asarray(cut, np.uint8)


def as_input(crop: Pixels) -> NDArray[np.float32]:
    """Return a crop (S, S, 3) as the network is told it: (3, S, S), less the mean, over the deviation."""
    told = np.empty((3, *crop.shape[:2]), np.float32)
    for channel, (mean, deviation) in enumerate(zip(MEAN, DEVIATION, strict=True)):
        told[channel] = crop[..., channel]
        told[channel] -= mean
        told[channel] *= 1 / deviation
    return told


def points_in_crop(points: Floats, square: Square, size_px: int) -> NDArray[np.float32]:
    """Return points (17, 3) in pixels of the crop; those without confidence stay zeros."""
    told = np.zeros_like(points)
    there = points[:, 2] > 0
    told[there, :2] = square.to_crop(points[there, :2], size_px)
    told[there, 2] = points[there, 2]
    return told.astype(np.float32)
