"""views.png: one sheet per person, as Figure 12 of ResiHMR: photo, overlay, residual limb, views, T-pose."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from limbstudio.domain.anatomy import Limb, Side
from limbstudio.domain.body import LimbFit
from limbstudio.domain.geometry import Camera, Keypoints, Point
from limbstudio.rendering.glyphs import LEFT_COLOUR, RIGHT_COLOUR, font
from limbstudio.rendering.overlay import draw_overlay, draw_points, glyph_radius, scaled_camera
from limbstudio.rendering.raster import Floats, Ints
from limbstudio.rendering.shading import RESIDUAL_COLOUR, Lit, blend, draw_body_parallel

_MARGIN, _GAP, _CAPTION, _HEADER = 24, 16, 34, 64
_TOP_PANEL = (504, 560)
_TURNED_PANEL, _T_POSE_PANEL = (336, 520), (488, 520)
_PAPER, _PANEL, _TEXT, _QUIET, _LINE = (
    (0xEE, 0xF0, 0xF4),
    (0xFA, 0xFB, 0xFC),
    (0x17, 0x1B, 0x21),
    (0x58, 0x63, 0x73),
    (0xDE, 0xE2, 0xE9),
)
_SHEET_BODY = (0xB4, 0xBE, 0xCE)


@dataclass(frozen=True, eq=False)
class SheetBody:
    """A mesh of a sheet. vertices: (V, 3) metres. faces: (F, 3). residual: (V,) 1 on the residual limb."""

    vertices: Floats
    faces: Ints
    residual: NDArray[np.generic]


def draw_views(
    photo: NDArray[np.uint8],
    camera: Camera,
    *,
    body: SheetBody,
    tpose: SheetBody,
    forward_camera: Floats,
    up_camera: Floats | Sequence[float] = (0.0, -1.0, 0.0),
    limbs: Sequence[LimbFit] = (),
    keypoints: Keypoints | None = None,
    projected_px: Floats | None = None,
    title: str = "",
    note: str = "",
) -> NDArray[np.uint8]:
    """Draw the sheet; return (H, W, 3) uint8 RGB.

    photo: (H, W, 3) uint8 of `camera.size_px`. body: camera frame. tpose: y up, z forward. forward_camera:
    (3,) where the person's pelvis faces, camera frame. up_camera: (3,) away from the ground, camera frame;
    the default is a level camera. limbs: the residual limbs of the fit. title: the photo's name. note: one
    line at the foot, for warnings. Front, back, side and T-pose share one scale; the side is that of the
    residual limbs.
    """
    crop, crop_camera, shift = _crop(photo, camera, body, keypoints)
    moved = None if keypoints is None else _moved(keypoints, shift)
    moved_projected = None if projected_px is None else np.asarray(projected_px) - shift
    zoom = min(_TOP_PANEL[0] / crop_camera.size_px[0], _TOP_PANEL[1] / crop_camera.size_px[1])
    small_camera = scaled_camera(crop_camera, zoom)
    small = np.asarray(
        cv2.resize(crop, small_camera.size_px, interpolation=cv2.INTER_AREA if zoom < 1 else cv2.INTER_CUBIC),
        np.uint8,
    )
    factor = small_camera.size_px[0] / crop_camera.size_px[0]
    overlay = draw_overlay(small, body.vertices, body.faces, small_camera, residual=body.residual)
    if moved is not None:
        radius = glyph_radius(moved, small_camera.size_px, factor)
        draw_points(overlay, moved, moved_projected, scale=factor, radius=radius)

    turned = {
        name: _turned(body, np.asarray(forward_camera, float), np.asarray(up_camera, float), yaw)
        for name, yaw in (("Front", 0.0), ("Back", np.pi), _side(limbs))
    }
    # T-pose: y up, z forward, x to the person's left. Seen from the front: picture x = x, y = -y, away = -z.
    upright = replace(tpose, vertices=np.asarray(tpose.vertices, float) * (1, -1, -1))
    boxes = [(b, _TURNED_PANEL) for b in turned.values()] + [(upright, _T_POSE_PANEL)]
    scale = min(_largest_scale(b.vertices, size) for b, size in boxes)

    first = [
        ("Photo", _framed(small, _TOP_PANEL)),
        ("Fitted body on the photo", _framed(overlay, _TOP_PANEL)),
        (_residual_caption(limbs), _residual_panel(body, limbs, forward_camera)),
    ]
    second = [(name, _body_panel(b, scale, _TURNED_PANEL)) for name, b in turned.items()]
    second.append(("T-pose", _body_panel(upright, scale, _T_POSE_PANEL)))
    return _sheet(title, note, first, second, bool(limbs), keypoints is not None)


def _side(limbs: Sequence[LimbFit]) -> tuple[str, float]:
    """Choose the side view that shows the residual limbs; the left one where that says nothing."""
    right = bool(limbs) and all(limb.limb.side is Side.RIGHT for limb in limbs)
    return ("Right side", np.pi / 2) if right else ("Left side", -np.pi / 2)


def _crop(
    photo: NDArray[np.uint8], camera: Camera, body: SheetBody, keypoints: Keypoints | None
) -> tuple[NDArray[np.uint8], Camera, Floats]:
    """Cut the photo to the person with a margin, in the panel's proportions where it is large enough."""
    width, height = camera.size_px
    v = np.asarray(body.vertices)
    px = camera.project(v[v[:, 2] > 0.05])
    if keypoints is not None:
        px = np.vstack([px, keypoints.positions_px[keypoints.observed]])
    px = np.clip(px, 0, (width - 1, height - 1)) if len(px) else np.array([[0, 0], [width - 1, height - 1]])
    low, high = px.min(0), px.max(0)
    middle, extent = (low + high) / 2, (high - low) * 1.16 + 8
    aspect = _TOP_PANEL[0] / _TOP_PANEL[1]
    extent = np.array([max(extent[0], extent[1] * aspect), max(extent[1], extent[0] / aspect)])
    extent = np.minimum(extent, (width, height))
    start = np.floor(np.clip(middle - extent / 2, 0, (width - extent[0], height - extent[1]))).astype(int)
    stop = np.minimum(start + np.ceil(extent).astype(int), (width, height))
    cut = photo[start[1] : stop[1], start[0] : stop[0]]
    center = (camera.center_px[0] - start[0], camera.center_px[1] - start[1])
    size = (int(stop[0] - start[0]), int(stop[1] - start[1]))
    return cut, replace(camera, center_px=center, size_px=size), start.astype(float)


def _moved(keypoints: Keypoints, shift: Floats) -> Keypoints:
    def move(p: Point) -> Point:
        return p if p.x is None or p.y is None else replace(p, x=p.x - shift[0], y=p.y - shift[1])

    return Keypoints(tuple(move(p) for p in keypoints.points))


def _turned(body: SheetBody, forward: Floats, up: Floats, yaw: float) -> SheetBody:
    """Set a body upright and turn it to show its front, then by `yaw` (pi / 2: its right side)."""
    down = -up / np.linalg.norm(up)
    level = forward - (forward @ down) * down
    if np.linalg.norm(level) < 0.2:  # lying on the back or the front: as photographed
        level = np.array([0.0, 0.0, -1.0]) + down[2] * down
    away = -level / np.linalg.norm(level)
    front = np.stack([np.cross(down, away), down, away])
    c, s = np.cos(yaw), np.sin(yaw)
    turn = np.array([[c, 0, -s], [0, 1, 0], [s, 0, c]])
    return replace(body, vertices=np.asarray(body.vertices, float) @ (turn @ front).T)


def _largest_scale(vertices: Floats, size_px: tuple[int, int]) -> float:
    extent = np.ptp(vertices[:, :2], axis=0)
    return float(min(size_px[0] / extent[0], size_px[1] / extent[1]) * 0.92)


def _body_panel(body: SheetBody, scale: float, size_px: tuple[int, int]) -> NDArray[np.uint8]:
    low, high = body.vertices[:, :2].min(0), body.vertices[:, :2].max(0)
    center = (low + high) / 2
    center[1] = high[1] + (0.04 - 0.5) * size_px[1] / scale  # all stand on one line
    return _on_panel(
        draw_body_parallel(
            body.vertices,
            body.faces,
            center=center,
            pixels_per_metre=scale,
            size_px=size_px,
            residual=body.residual,
            body_colour=_SHEET_BODY,
        ),
        size_px,
    )


def _on_panel(lit: Lit, size_px: tuple[int, int]) -> NDArray[np.uint8]:
    panel = np.empty((size_px[1], size_px[0], 3), np.uint8)
    panel[:] = _PANEL
    return blend(panel, lit, opacity=1.0, residual_opacity=1.0)


def _framed(picture: NDArray[np.uint8], size_px: tuple[int, int]) -> NDArray[np.uint8]:
    """Centre a picture on an empty panel."""
    panel = np.empty((size_px[1], size_px[0], 3), np.uint8)
    panel[:] = _PANEL
    height, width = min(picture.shape[0], size_px[1]), min(picture.shape[1], size_px[0])
    top, left = (size_px[1] - height) // 2, (size_px[0] - width) // 2
    panel[top : top + height, left : left + width] = picture[:height, :width]
    return panel


def _limb_name(limb: Limb) -> str:
    return limb.value.replace("_", " ").capitalize()


def _residual_caption(limbs: Sequence[LimbFit]) -> str:
    return "Residual limbs" if len(limbs) > 1 else "Residual limb"


def _residual_panel(body: SheetBody, limbs: Sequence[LimbFit], forward_camera: Floats) -> NDArray[np.uint8]:
    """Show each residual limb close by, its bone in the picture's plane, its length in words below."""
    panel = np.empty((_TOP_PANEL[1], _TOP_PANEL[0], 3), np.uint8)
    panel[:] = _PANEL
    if not limbs:
        return _centred_words(panel, ["No residual limb in this fit."])
    columns = 1 if len(limbs) == 1 else 2
    rows = -(-len(limbs) // columns)
    words = 54
    cell = (_TOP_PANEL[0] // columns, _TOP_PANEL[1] // rows)
    for i, limb in enumerate(limbs):
        top, left = (i // columns) * cell[1], (i % columns) * cell[0]
        picture = _close_up(body, limb, forward_camera, (cell[0], cell[1] - words))
        panel[top : top + picture.shape[0], left : left + picture.shape[1]] = picture
        if left:
            panel[top : top + cell[1], left : left + 2] = _LINE
        if top:
            panel[top : top + 2, left : left + cell[0]] = _LINE
    canvas = Image.fromarray(panel)
    draw = ImageDraw.Draw(canvas)
    for i, limb in enumerate(limbs):
        x, y = (i % columns) * cell[0] + 14, (i // columns + 1) * cell[1] - words
        draw.text((x, y + 20), _limb_name(limb.limb), fill=_TEXT, font=font(15, "SemiBold"), anchor="ls")
        draw.text((x, y + 41), _limb_words(limb, short=columns > 1), fill=_QUIET, font=font(13), anchor="ls")
    return np.asarray(canvas).copy()


def _limb_words(limb: LimbFit, *, short: bool) -> str:
    segment = limb.segment.value.replace("_", " ")
    if not limb.accepted:
        return "not cut: " + (limb.reason or "the fit was not accepted")[: 28 if short else 60]
    kept = f"{100 * (1 - limb.factor):.0f} % of the {segment}"
    low, high = sorted(100 * (1 - np.clip(np.asarray(limb.factor_interval, float), 0, 1)))
    if not np.isfinite([low, high]).all():
        return kept
    return f"{kept} ({low:.0f}–{high:.0f})" if short else f"{kept} (95 % interval {low:.0f} to {high:.0f} %)"


def _close_up(
    body: SheetBody, limb: LimbFit, forward_camera: Floats, size_px: tuple[int, int]
) -> NDArray[np.uint8]:
    start, end = np.asarray(limb.upstream_position, float), np.asarray(limb.endpoint, float)
    whole = float(np.linalg.norm(np.asarray(limb.anchor_position) - start))
    axis = np.asarray(limb.anchor_position, float) - start
    axis = axis / max(float(np.linalg.norm(axis)), 1e-9)
    down = axis if axis[1] > 0.3 else np.array([0.0, 1.0, 0.0])  # a limb that hangs is shown hanging
    # Look from the person's front, a little from the outside, across the bone.
    outward = np.cross(np.asarray(forward_camera, float), (0.0, 1.0, 0.0))
    outward = outward * (1 if limb.limb.side.value == "left" else -1)
    away = -(np.asarray(forward_camera, float) + 0.5 * outward)
    away = away - (away @ axis) * axis
    if np.linalg.norm(away) < 0.2:
        away = np.array([0.0, 1.0, 0.0]) - axis[1] * axis
    away = away / np.linalg.norm(away)
    down = down - (down @ away) * away
    if np.linalg.norm(down) < 0.2:
        down = axis
    down = down / np.linalg.norm(down)
    right = np.cross(down, away)
    R = np.stack([right, down, away])
    v = np.asarray(body.vertices, float) @ R.T
    center = (R @ ((start + end) / 2))[:2]
    along = np.abs(R @ (end - start))[:2]
    room = 1.2 * np.maximum(along, (0, 0.35 * whole)) + (0.20, 0.12)
    scale = float((np.array(size_px) / room).min())
    lit = draw_body_parallel(
        v,
        body.faces,
        center=center,
        pixels_per_metre=scale,
        size_px=size_px,
        residual=body.residual,
        body_colour=_SHEET_BODY,
    )
    return _on_panel(lit, size_px)


def _centred_words(panel: NDArray[np.uint8], lines: Sequence[str]) -> NDArray[np.uint8]:
    canvas = Image.fromarray(panel)
    draw = ImageDraw.Draw(canvas)
    for i, line in enumerate(lines):
        at = (panel.shape[1] / 2, panel.shape[0] / 2 + 22 * i)
        draw.text(at, line, fill=_QUIET, font=font(14), anchor="mm")
    return np.asarray(canvas).copy()


def _sheet(
    title: str,
    note: str,
    first: Sequence[tuple[str, NDArray[np.uint8]]],
    second: Sequence[tuple[str, NDArray[np.uint8]]],
    has_limbs: bool,
    has_points: bool,
) -> NDArray[np.uint8]:
    rows = (first, second)
    width = max(sum(p.shape[1] for _, p in row) + _GAP * (len(row) - 1) for row in rows) + 2 * _MARGIN
    foot = 44 if note else _MARGIN
    height = _HEADER + sum(_CAPTION + row[0][1].shape[0] for row in rows) + _GAP + foot
    sheet = np.empty((height, width, 3), np.uint8)
    sheet[:] = _PAPER
    captions: list[tuple[int, int, str]] = []
    y = _HEADER
    for row in rows:
        x = _MARGIN
        for caption, panel in row:
            captions.append((x, y, caption))
            tall, wide = panel.shape[:2]
            top = y + _CAPTION
            sheet[top : top + tall, x : x + wide] = panel
            cv2.rectangle(sheet, (x - 1, top - 1), (x + wide, top + tall), _LINE, 1)
            x += wide + _GAP
        y += _CAPTION + row[0][1].shape[0] + _GAP
    canvas = Image.fromarray(sheet)
    draw = ImageDraw.Draw(canvas)
    draw.text((_MARGIN, 42), _shortened(title, 60), fill=_TEXT, font=font(22, "SemiBold"), anchor="ls")
    for x, y, caption in captions:
        draw.text((x, y + 24), caption, fill=_TEXT, font=font(15, "Medium"), anchor="ls")
    draw.text(
        (width - _MARGIN, captions[len(first)][1] + 24),
        "front, back, side and T-pose at one scale",
        fill=_QUIET,
        font=font(13),
        anchor="rs",
    )
    if note:
        draw.text((_MARGIN, height - 16), _shortened(note, 190), fill=_QUIET, font=font(13), anchor="ls")
    _legend(draw, width - _MARGIN, 42, has_limbs, has_points)
    return np.asarray(canvas).copy()


def _legend(draw: ImageDraw.ImageDraw, right: int, y: int, has_limbs: bool, has_points: bool) -> None:
    """Write the legend leftwards from `right`: marks say by shape what they say by colour."""
    entries = [("surface", "residual limb")] if has_limbs else []
    if has_points:
        entries += [("cross", "where the body puts it"), ("square", "right"), ("circle", "left, annotated")]
    for mark, words in entries:
        right -= int(draw.textlength(words, font=font(13)))
        draw.text((right, y), words, fill=_QUIET, font=font(13), anchor="ls")
        right -= 18
        x0, y0, x1, y1 = right, y - 11, right + 11, y
        if mark == "surface":
            draw.rounded_rectangle((x0, y0, x1, y1), 3, fill=RESIDUAL_COLOUR)
        elif mark == "square":
            draw.rectangle((x0, y0, x1, y1), fill=RIGHT_COLOUR, outline=_TEXT)
        elif mark == "circle":
            draw.ellipse((x0, y0, x1, y1), fill=LEFT_COLOUR, outline=_TEXT)
        else:
            draw.line((x0, y0, x1, y1), fill=_TEXT, width=2)
            draw.line((x0, y1, x1, y0), fill=_TEXT, width=2)
        right -= 20


def _shortened(text: str, length: int) -> str:
    return text if len(text) <= length else text[: length - 1] + "…"
