"""A lit body: smooth shading from a mesh to colours, with the light at the viewer's shoulder."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from limbstudio.domain.geometry import Camera
from limbstudio.rendering.raster import Floats, Ints, Raster, in_front, rasterise, vertex_normals

Colour = tuple[int, int, int]
BODY_COLOUR: Colour = (0xC9, 0xCE, 0xD8)
RESIDUAL_COLOUR: Colour = (
    0xCC,
    0x79,
    0xA7,
)  # Okabe-Ito reddish purple, LimbStudio's colour of residual limbs

_LIGHT = np.array(
    [-0.30, -0.45, -0.84]
)  # from above the viewer's left shoulder, camera axes (x right, y down)
_AMBIENT = 0.34
_RIM = 0.10
_BORDER_PASSES = 4


@dataclass(frozen=True, eq=False)
class Lit:
    """A drawn body.

    rgb: (H, W, 3) float 0..1, times coverage. alpha: (H, W) float coverage. residual: (H, W) float,
    the part of the coverage that is residual limb. box: the rows and columns outside of which all are 0.
    """

    rgb: Floats
    alpha: Floats
    residual: Floats
    box: tuple[slice, slice]


def shade(normals: Floats, towards_viewer: Floats) -> Floats:
    """Return brightness (N,) of unit normals (N, 3) seen along unit vectors (N, 3): camera axes."""
    light = _LIGHT / np.linalg.norm(_LIGHT)
    facing = np.clip(np.einsum("nk,nk->n", normals, towards_viewer), 0, 1)
    half = np.clip(0.5 + 0.5 * (normals @ light), 0, 1)
    lit, away = half * np.sqrt(half), 1 - facing  # powers take ten times as long
    return _AMBIENT + (1 - _AMBIENT) * (0.45 * facing + 0.55 * lit) + _RIM * (away * away * away)


def draw_body(
    vertices_camera: Floats,
    faces: Ints,
    camera: Camera,
    *,
    residual: NDArray[np.generic] | None = None,
    body_colour: Colour = BODY_COLOUR,
    residual_colour: Colour = RESIDUAL_COLOUR,
    smooth_edges: bool = True,
) -> Lit:
    """Draw a body as the pinhole camera sees it.

    vertices_camera: (V, 3) metres. faces: (F, 3) outward. residual: (V,) 1 on the residual limb.
    """
    scale = 2 if smooth_edges else 1
    faces = in_front(vertices_camera, np.asarray(faces))
    v = np.asarray(vertices_camera, float)
    z = np.where(v[:, 2] > 0, v[:, 2], 1.0)
    ahead = np.column_stack([v[:, :2], z])
    size = (camera.size_px[0] * scale, camera.size_px[1] * scale)
    points = _on_finer_grid(camera.project(ahead), scale)
    raster = rasterise(points, 1 / z, faces, size_px=size)
    towards = -v / np.maximum(np.linalg.norm(v, axis=1, keepdims=True), 1e-12)
    normals = vertex_normals(v, faces)
    return _colour(raster, normals, towards, residual, body_colour, residual_colour, scale)


def draw_body_parallel(
    vertices: Floats,
    faces: Ints,
    *,
    center: Floats,
    pixels_per_metre: float,
    size_px: tuple[int, int],
    residual: NDArray[np.generic] | None = None,
    body_colour: Colour = BODY_COLOUR,
    residual_colour: Colour = RESIDUAL_COLOUR,
) -> Lit:
    """Draw a body without perspective.

    vertices: (V, 3) metres, x right, y down, z away from the viewer. center: (2,) the x and y in the
    picture's middle.
    """
    scale = 2
    v = np.asarray(vertices, float)
    middle = (np.array(size_px) - 1) / 2
    points = _on_finer_grid((v[:, :2] - center) * pixels_per_metre + middle, scale)
    size = (size_px[0] * scale, size_px[1] * scale)
    raster = rasterise(points, -v[:, 2], np.asarray(faces), size_px=size, perspective=False)
    towards = np.broadcast_to(np.array([0.0, 0.0, -1.0]), v.shape)
    normals = vertex_normals(v, faces)
    return _colour(raster, normals, towards, residual, body_colour, residual_colour, scale)


def blend(
    picture: NDArray[np.uint8], lit: Lit, *, opacity: float, residual_opacity: float
) -> NDArray[np.uint8]:
    """Lay a drawn body over a picture (H, W, 3) uint8 of the same size."""
    result = picture.copy()
    alpha = lit.alpha[lit.box]
    share = lit.residual[lit.box] / np.maximum(alpha, 1e-6)
    strength = (opacity + (residual_opacity - opacity) * share)[..., None]
    kept = 1 - strength * alpha[..., None]
    # lit.rgb is already weighted with its coverage
    mixed = picture[lit.box] * kept + lit.rgb[lit.box] * (255 * strength) + 0.5
    result[lit.box] = np.clip(mixed, 0, 255).astype(np.uint8)
    return result


def _on_finer_grid(points_px: Floats, scale: int) -> Floats:
    """Move pixel coordinates to a grid `scale` times finer, whose pixel 0 is centred earlier."""
    return (points_px + 0.5) * scale - 0.5


def _colour(
    raster: Raster,
    normals: Floats,
    towards: Floats,
    residual: NDArray[np.generic] | None,
    body_colour: Colour,
    residual_colour: Colour,
    scale: int,
) -> Lit:
    """Light the vertices, spread their brightness over the triangles, and average the finer grid."""
    brightness = np.clip(raster.interpolate_flat(shade(normals, towards)), 0, 1)
    if residual is None:
        marked = np.zeros(len(brightness), bool)
    else:
        marked = raster.interpolate_flat(_rounded(np.asarray(residual, float), raster.faces)) > 0.5
    (width, height), (rows, columns) = raster.size_px, _box(raster, scale)
    tall, wide = rows.stop - rows.start, columns.stop - columns.start
    # brightness and coverage of the body, then of the residual limb
    layers = np.zeros((tall * wide, 4), np.float32)
    at = (raster.ys - rows.start) * wide + (raster.xs - columns.start)
    layers[at, 0], layers[at, 1] = np.where(marked, 0, brightness), ~marked
    layers[at, 2], layers[at, 3] = np.where(marked, brightness, 0), marked
    small = layers.reshape(tall, wide, 4)
    if scale > 1 and small.size:
        small = np.asarray(cv2.resize(small, (wide // scale, tall // scale), interpolation=cv2.INTER_AREA))
    body, limb = (np.array(colour, np.float32) / 255 for colour in (body_colour, residual_colour))
    size, box = (height // scale, width // scale), (_coarser(rows, scale), _coarser(columns, scale))
    lit = Lit(np.zeros((*size, 3), np.float32), np.zeros(size, np.float32), np.zeros(size, np.float32), box)
    lit.rgb[box] = small[..., 0:1] * body + small[..., 2:3] * limb
    lit.alpha[box] = small[..., 1] + small[..., 3]
    lit.residual[box] = small[..., 3]
    return lit


def _box(raster: Raster, scale: int) -> tuple[slice, slice]:
    """Return the covered rows and columns, widened to whole blocks of `scale` pixels."""
    if not len(raster.ys):
        return slice(0, 0), slice(0, 0)
    low_high = ((int(values.min()), int(values.max())) for values in (raster.ys, raster.xs))
    rows, columns = (slice(low // scale * scale, (high // scale + 1) * scale) for low, high in low_high)
    return rows, columns


def _coarser(run: slice, scale: int) -> slice:
    return slice(run.start // scale, run.stop // scale)


def _rounded(flags: Floats, faces: Ints) -> Floats:
    """Average flags (V,) over neighbours, so that a border drawn at one half is not a saw of triangles."""
    corners = np.asarray(faces).T
    count = np.bincount(corners.reshape(-1), minlength=len(flags)) * 3.0
    for _ in range(_BORDER_PASSES):
        sums = flags[corners].sum(0)
        total = sum(np.bincount(corner, sums, minlength=len(flags)) for corner in corners)
        flags = np.where(count > 0, total / np.maximum(count, 1), flags)
    return flags
