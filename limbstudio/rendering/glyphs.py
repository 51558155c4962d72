"""Small marks and words on pictures: keypoint glyphs by side and state, captions in the shipped typeface."""

from functools import cache

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from limbstudio.domain.anatomy import LDPOSE, KeypointState, Side
from limbstudio.rendering.shading import RESIDUAL_COLOUR, Colour
from limbstudio.resources import resource_path

# Okabe-Ito colours of the interface on photos; shape says the same as colour: circle left, square right,
# triangle middle.
LEFT_COLOUR: Colour = (0x56, 0xB4, 0xE9)
RIGHT_COLOUR: Colour = (0xE6, 0x9F, 0x00)
MIDDLE_COLOUR: Colour = (0xFF, 0xFF, 0xFF)
HALO_COLOUR: Colour = (0x0A, 0x0C, 0x0F)
_SHIFT = 4  # cv2 draws with this many binary places below the pixel
_ONE = 1 << _SHIFT


def side_colour(keypoint: int) -> Colour:
    """Return the colour of a keypoint's side."""
    side = LDPOSE[keypoint].side
    return MIDDLE_COLOUR if side is None else LEFT_COLOUR if side is Side.LEFT else RIGHT_COLOUR


def draw_annotated(
    picture: NDArray[np.uint8], keypoint: int, state: KeypointState, at_px: tuple[float, float], radius: float
) -> None:
    """Draw an annotated point: full when visible, half when occluded; residual ends wear a ring."""
    colour = side_colour(keypoint)
    if LDPOSE[keypoint].is_residual_end:
        _ring(picture, at_px, radius * 1.75, RESIDUAL_COLOUR, max(1.5, radius * 0.4))
    outline = _outline(keypoint, at_px, radius)
    _polygon(picture, _outline(keypoint, at_px, radius + max(1.0, radius * 0.3)), HALO_COLOUR)
    if state is KeypointState.OCCLUDED:
        lower = outline[:, 1] >= at_px[1]
        half = np.vstack([outline[lower], [[outline[:, 0].min(), at_px[1]], [outline[:, 0].max(), at_px[1]]]])
        hull = np.asarray(cv2.convexHull(half.astype(np.float32))[:, 0], float)
        _polygon(picture, hull, colour)
        _polygon(picture, outline, colour, thickness=max(1, round(radius * 0.3)))
    else:
        _polygon(picture, outline, colour)


def draw_projected(
    picture: NDArray[np.uint8], keypoint: int, at_px: tuple[float, float], radius: float
) -> None:
    """Draw where the body puts a point: a cross."""
    x, y = at_px
    for width, colour in ((radius * 0.9, HALO_COLOUR), (radius * 0.42, side_colour(keypoint))):
        reach = radius * (1.05 if colour is not HALO_COLOUR else 1.2)
        for dx, dy in ((1, 1), (1, -1)):
            _line(picture, (x - dx * reach, y - dy * reach), (x + dx * reach, y + dy * reach), colour, width)


def draw_link(
    picture: NDArray[np.uint8], start_px: tuple[float, float], end_px: tuple[float, float], width: float
) -> None:
    """Draw the line between an annotated point and where the body puts it."""
    _line(picture, start_px, end_px, HALO_COLOUR, width * 2.2)
    _line(picture, start_px, end_px, MIDDLE_COLOUR, width)


def write(
    picture: NDArray[np.uint8],
    text: str,
    at_px: tuple[float, float],
    *,
    size_px: int = 16,
    weight: str = "Regular",
    colour: Colour = (0x17, 0x1B, 0x21),
    anchor: str = "ls",
) -> NDArray[np.uint8]:
    """Return the picture with a line of text. anchor: as in Pillow, "ls" is left on the base line."""
    canvas = Image.fromarray(picture)
    ImageDraw.Draw(canvas).text(at_px, text, fill=colour, font=font(size_px, weight), anchor=anchor)
    return np.asarray(canvas).copy()


@cache
def font(size_px: int, weight: str = "Regular") -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    """Return the interface's typeface; Pillow's own where the file is not there."""
    path = resource_path(f"fonts/Inter-{weight}.otf")
    return ImageFont.truetype(str(path), size_px) if path.is_file() else ImageFont.load_default(size_px)


def _outline(keypoint: int, at_px: tuple[float, float], radius: float) -> NDArray[np.floating]:
    side = LDPOSE[keypoint].side
    if side is Side.RIGHT:
        angles = np.pi / 4 + np.arange(4) * np.pi / 2
        radius = radius * 1.22
    elif side is None:
        angles = -np.pi / 2 + np.arange(3) * 2 * np.pi / 3
        radius = radius * 1.35
    else:
        angles = np.arange(32) * 2 * np.pi / 32
    return np.asarray(at_px) + radius * np.column_stack([np.cos(angles), np.sin(angles)])


def _fixed(points: NDArray[np.floating]) -> NDArray[np.int32]:
    return np.round(np.asarray(points) * _ONE).astype(np.int32)


def _polygon(
    picture: NDArray[np.uint8], points: NDArray[np.floating], colour: Colour, thickness: int = 0
) -> None:
    if thickness:
        cv2.polylines(picture, [_fixed(points)], True, colour, thickness, cv2.LINE_AA, _SHIFT)
    else:
        cv2.fillPoly(picture, [_fixed(points)], colour, cv2.LINE_AA, _SHIFT)


def _line(
    picture: NDArray[np.uint8],
    start_px: tuple[float, float],
    end_px: tuple[float, float],
    colour: Colour,
    width: float,
) -> None:
    start, end = _fixed(np.array([start_px, end_px]))
    cv2.line(picture, start.tolist(), end.tolist(), colour, max(1, round(width)), cv2.LINE_AA, _SHIFT)


def _ring(
    picture: NDArray[np.uint8], at_px: tuple[float, float], radius: float, colour: Colour, width: float
) -> None:
    x, y = _fixed(np.array(at_px)).tolist()
    for stroke, shade in ((width * 2.0, HALO_COLOUR), (width, colour)):
        cv2.circle(picture, (x, y), round(radius * _ONE), shade, max(1, round(stroke)), cv2.LINE_AA, _SHIFT)
