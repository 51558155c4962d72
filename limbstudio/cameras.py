"""Cameras: which focal length a photo was taken with, and how sure that is.

Order of trust: a focal length that a person gave, what the file's EXIF says, the diagonal of the picture.
The paper's mode takes 5000 px instead of the last two, because ResiHMR's numbers need it.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import SupportsFloat

from limbstudio.domain.errors import KnownError
from limbstudio.domain.geometry import Camera, FocalSource

PAPER_FOCAL_PX = 5000.0
"""The fixed focal length of SMPLify-X and of ResiHMR."""

FULL_FRAME_DIAGONAL_MM = math.hypot(36.0, 24.0)
"""Diagonal of 35 mm film: EXIF's 35 mm equivalent compares diagonals."""

# A focal length below 0.2 diagonals sees more than 136 degrees, one above 60 diagonals less than 1 degree.
SHORTEST_IN_DIAGONALS = 0.2
LONGEST_IN_DIAGONALS = 60.0

# Widths of the log-normal prior on the focal length, by source; given values are believed.
FOCAL_SIGMA: Mapping[FocalSource, float] = {
    FocalSource.GIVEN: 0.0,
    FocalSource.EXIF: 0.03,
    FocalSource.DIAGONAL: 0.25,
    FocalSource.PAPER: 0.0,
}
UNCERTAIN_EXIF_SIGMA = 0.15
"""Where the picture was cropped after the shot, or the digital zoom may be counted already."""

_SENSOR_SIDE_MM = (2.0, 70.0)  # long side of a sensor, from the smallest phone to medium format
_CAMERA_ASPECTS = (4 / 3, 3 / 2, 16 / 9, 5 / 4, 1.0)
_ASPECT_TOLERANCE = 0.015
_MM_PER_RESOLUTION_UNIT = {
    1: 25.4,
    2: 25.4,
    3: 10.0,
    4: 1.0,
    5: 0.001,
}  # 1 (none) is written for inches; 4, 5 by some makers

_FOCAL_LENGTH, _FOCAL_LENGTH_35MM, _DIGITAL_ZOOM = 0x920A, 0xA405, 0xA404
_PLANE_X_RESOLUTION, _PLANE_UNIT = 0xA20E, 0xA210
_PIXEL_X, _PIXEL_Y = 0xA002, 0xA003


@dataclass(frozen=True)
class ExifFocal:
    """What EXIF says of the focal length.

    focal_px: upright pixels. sigma: of its logarithm. note: why it is unsure.
    """

    focal_px: float
    sigma: float
    note: str = ""


def choose_camera(
    size_px: tuple[int, int],
    *,
    given_px: float | None = None,
    exif_px: float | None = None,
    paper: bool = False,
) -> Camera:
    """Return the camera of a photo: given focal length, else the paper's (`paper`), EXIF's, or the diagonal.

    size_px: width, height of the upright photo. The principal point is the picture's centre; pixel (0, 0) is
    the centre of the top-left pixel, so the centre is ((w - 1) / 2, (h - 1) / 2).
    KnownError if the given focal length is impossible.
    """
    width, height = size_px
    diagonal = math.hypot(width, height)
    if given_px is not None:
        _check_given(given_px, diagonal)
        focal, source = float(given_px), FocalSource.GIVEN
    elif paper:
        focal, source = PAPER_FOCAL_PX, FocalSource.PAPER
    elif exif_px is not None and _is_plausible(exif_px, diagonal):
        focal, source = float(exif_px), FocalSource.EXIF
    else:
        focal, source = diagonal, FocalSource.DIAGONAL
    return Camera(focal, ((width - 1) / 2, (height - 1) / 2), (width, height), source)


def focal_sigma(source: FocalSource, *, exif_sigma: float | None = None) -> float:
    """Return the standard deviation of log(focal length). exif_sigma: the judgement on this photo's EXIF."""
    if source is FocalSource.EXIF and exif_sigma is not None:
        return exif_sigma
    return FOCAL_SIGMA[source]


def exif_focal(tags: Mapping[int, object], size_px: tuple[int, int]) -> ExifFocal | None:
    """Return the focal length in pixels that EXIF tags state for a picture of this size, or None.

    The 35 mm equivalent comes first, compared by diagonals of the uncropped picture; then the focal length
    with the resolution of the focal plane. Digital zoom multiplies only where the maker did not count it in.
    """
    size = (max(size_px), min(size_px))
    original = _original_size(tags)
    reference, scale, whole = _uncropped(size, original)
    film, plane = _number(tags, _FOCAL_LENGTH_35MM), _plane_focal(tags, original or size)
    by_film = None if film is None else film / FULL_FRAME_DIAGONAL_MM * math.hypot(*reference)
    by_plane = None if plane is None else plane * scale
    note = "" if whole else "the picture was cropped after it was taken"
    zoom = _number(tags, _DIGITAL_ZOOM) or 1.0
    focal = by_film if by_film is not None else by_plane
    if focal is None:
        return None
    if zoom > 1.02:
        if by_film is not None and by_plane is not None:
            # The plane's focal length never knows of the zoom: the ratio tells whether the other does.
            counted = abs(math.log(by_film / by_plane / zoom)) < abs(math.log(by_film / by_plane))
            focal = by_film if counted else by_film * zoom
        else:
            # Phones count the zoom in their 35 mm equivalent; nothing in the file says so.
            focal = focal if by_film is not None else focal * zoom
            note = note or "the digital zoom may or may not be counted in"
    if not _is_plausible(focal, math.hypot(*size)):
        return None
    return ExifFocal(focal, UNCERTAIN_EXIF_SIGMA if note else FOCAL_SIGMA[FocalSource.EXIF], note)


def _check_given(given_px: float, diagonal: float) -> None:
    if math.isfinite(given_px) and _is_plausible(given_px, diagonal):
        return
    if math.isfinite(given_px) and 5 <= given_px < SHORTEST_IN_DIAGONALS * diagonal:
        as_film = given_px / FULL_FRAME_DIAGONAL_MM * diagonal
        raise KnownError(
            f"A focal length of {given_px:g} px is far too short for {diagonal:.0f} px of diagonal.",
            f"Give it in pixels: {given_px:g} mm (35 mm equivalent) would be {as_film:.0f} px here.",
        )
    raise KnownError(
        f"A focal length of {given_px:g} px cannot be right for a picture of {diagonal:.0f} px diagonal.",
        f"Give between {SHORTEST_IN_DIAGONALS * diagonal:.0f} and {LONGEST_IN_DIAGONALS * diagonal:.0f} px, "
        "or leave it out.",
    )


def _is_plausible(focal_px: float, diagonal: float) -> bool:
    return SHORTEST_IN_DIAGONALS * diagonal <= focal_px <= LONGEST_IN_DIAGONALS * diagonal


def _number(tags: Mapping[int, object], tag: int) -> float | None:
    """Return a positive finite number of a tag, or None: EXIF writes 0 and 0/0 for unknown."""
    value = tags.get(tag)
    if isinstance(value, tuple) and value:
        value = value[0]
    if not isinstance(value, SupportsFloat) or isinstance(value, str | bytes):
        return None
    try:
        number = float(value)
    except (ZeroDivisionError, ValueError, OverflowError):
        return None
    return number if math.isfinite(number) and number > 0 else None


def _original_size(tags: Mapping[int, object]) -> tuple[float, float] | None:
    x, y = _number(tags, _PIXEL_X), _number(tags, _PIXEL_Y)
    return None if x is None or y is None else (max(x, y), min(x, y))


def _uncropped(
    size: tuple[float, float], original: tuple[float, float] | None
) -> tuple[tuple[float, float], float, bool]:
    """Return the uncropped size in present pixels, present per original pixels, and whether that is sure.

    Sizes are (long, short), so that a turn changes nothing.
    """
    aspect = size[0] / size[1]
    if original is None:
        return size, 1.0, any(abs(aspect / known - 1) < _ASPECT_TOLERANCE for known in _CAMERA_ASPECTS)
    if abs(aspect / (original[0] / original[1]) - 1) < _ASPECT_TOLERANCE:
        return size, size[0] / original[0], True
    if size[0] <= original[0] and size[1] <= original[1]:
        return original, 1.0, False
    return size, 1.0, False


def _plane_focal(tags: Mapping[int, object], original: tuple[float, float]) -> float | None:
    """Return the focal length in original pixels by the focal plane's resolution, if a real sensor's."""
    focal_mm, resolution = _number(tags, _FOCAL_LENGTH), _number(tags, _PLANE_X_RESOLUTION)
    if focal_mm is None or resolution is None:
        return None
    unit_mm = _MM_PER_RESOLUTION_UNIT.get(int(_number(tags, _PLANE_UNIT) or 2))
    if unit_mm is None:
        return None
    px_per_mm = resolution / unit_mm
    if not _SENSOR_SIDE_MM[0] <= original[0] / px_per_mm <= _SENSOR_SIDE_MM[1]:
        return None
    return focal_mm * px_per_mm
