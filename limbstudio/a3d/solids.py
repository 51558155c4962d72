"""Simple closed shapes to build things of: tubes, balls, rings and slabs, each as vertices and outward faces."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from limbstudio.a3d.clothing import linear
from limbstudio.a3d.grain import grain
from limbstudio.rendering.raster import Floats, Ints
from limbstudio.rendering.scene import Paint


@dataclass(frozen=True, eq=False)
class Solid:
    """vertices (V, 3) metres; faces (F, 3), outward; paint: its colours. texture: places its paint sees, or None."""

    vertices: Floats
    faces: Ints
    paint: Paint
    texture: Floats | None = None


def flat(colour: str, roughness: float = 0.06, frequency: float = 16.0) -> Paint:
    """Return a paint of one sRGB colour with a little grain."""
    base = np.array(linear(colour))

    def paint(points: Floats, normals: Floats) -> Floats:
        return base * (1 + roughness * grain(points, frequency, 3))[:, None]

    return paint


def first_side(path: Floats) -> Floats:
    """Return the direction (3,) in which a tube along a path (P, 3) begins its first ring, where none is given."""
    along = (path[1] - path[0]) / max(float(np.linalg.norm(path[1] - path[0])), 1e-9)
    return _across(along, (0.0, 0.0, 1.0) if abs(along[2]) < 0.8 else (1.0, 0.0, 0.0))


def tube(
    path: Floats,
    radii: Floats | float,
    paint: Paint,
    *,
    sides: int = 9,
    flat_by: float = 1.0,
    side: Floats | None = None,
) -> Solid:
    """Make a closed tube along a path (P, 3). radii: (P,) or one. flat_by: its height over its width, for blades.

    side: (3,), across the path, where the first ring begins and the tube is wide.
    """
    p = np.asarray(path, float)
    r = np.broadcast_to(np.asarray(radii, float), len(p))
    along = np.gradient(p, axis=0)
    along /= np.maximum(np.linalg.norm(along, axis=1, keepdims=True), 1e-9)
    across = first_side(p) if side is None else np.asarray(side, float)
    angles = np.arange(sides) * 2 * np.pi / sides
    rings = []
    for at, direction, radius in zip(p, along, r, strict=True):
        # Carried along the path, so that the tube does not twist.
        across = across - direction * (across @ direction)
        across /= max(float(np.linalg.norm(across)), 1e-9)
        other = _across(direction, across)
        rings.append(
            at + radius * (np.cos(angles)[:, None] * across + flat_by * np.sin(angles)[:, None] * other)
        )
    return Solid(*_skin_of_rings(np.array(rings), p[0], p[-1]), paint)


def ball(centre: Sequence[float] | Floats, radii: Sequence[float] | Floats | float, paint: Paint) -> Solid:
    """Make an ellipsoid. radii: (3,) along the axes, or one."""
    levels = np.linspace(0, np.pi, 9)[1:-1]
    angles = np.arange(12) * 2 * np.pi / 12
    size = np.broadcast_to(np.asarray(radii, float), 3)
    rings = [
        np.column_stack([np.sin(t) * np.cos(angles), np.full(12, -np.cos(t)), -np.sin(t) * np.sin(angles)])
        for t in levels
    ]
    c = np.asarray(centre, float)
    vertices, faces = _skin_of_rings(np.array(rings) * size + c, c - (0, size[1], 0), c + (0, size[1], 0))
    return Solid(vertices, faces, paint)


def ring(
    centre: Floats, axis: Floats, radius: float, thickness: float, paint: Paint, *, steps: int = 28
) -> Solid:
    """Make a wheel's rim about an axis."""
    n = np.asarray(axis, float) / np.linalg.norm(axis)
    u = np.cross(n, (0.0, 1.0, 0.0) if abs(n[1]) < 0.8 else (1.0, 0.0, 0.0))
    u /= np.linalg.norm(u)
    v = np.cross(n, u)
    sides = 6
    angles, turns = np.arange(steps) * 2 * np.pi / steps, np.arange(sides) * 2 * np.pi / sides
    out = np.cos(angles)[:, None] * u + np.sin(angles)[:, None] * v
    vertices = (
        centre
        + out[:, None] * (radius + thickness * np.cos(turns))[:, None]
        + n * (thickness * np.sin(turns))[:, None]
    )
    i, k = (g.ravel() for g in np.meshgrid(np.arange(steps), np.arange(sides), indexing="ij"))
    here, there = i * sides, (i + 1) % steps * sides
    a, b, c, d = here + k, there + k, there + (k + 1) % sides, here + (k + 1) % sides
    faces = np.vstack([np.column_stack([a, b, c]), np.column_stack([a, c, d])])
    return _outward(Solid(vertices.reshape(-1, 3), faces, paint))


def slab(low: Sequence[float], high: Sequence[float], paint: Paint, turn: Floats | None = None) -> Solid:
    """Make a box between two corners. turn: (3, 3) about its middle."""
    a, b = np.asarray(low, float), np.asarray(high, float)
    corners = np.array(
        [[(b if bit else a)[axis] for axis, bit in enumerate(bits)] for bits in np.ndindex(2, 2, 2)]
    )
    # corner 4 x + 2 y + z
    quads = np.array([[0, 1, 3, 2], [4, 6, 7, 5], [0, 4, 5, 1], [2, 3, 7, 6], [0, 2, 6, 4], [1, 5, 7, 3]])
    vertices = corners[quads].reshape(-1, 3)  # each side has corners of its own, so that edges stay sharp
    if turn is not None:
        middle = (a + b) / 2
        vertices = (vertices - middle) @ np.asarray(turn).T + middle
    start = np.arange(6)[:, None] * 4
    faces = np.vstack([start + [0, 1, 2], start + [0, 2, 3]])
    return Solid(vertices, faces, paint)


def leaf(root: Floats, tip: Floats, width: float, paint: Paint) -> Solid:
    """Make a leaf that is seen from both sides."""
    along = tip - root
    side = np.cross(along, (0.3, 1.0, 0.2))
    side *= width / max(float(np.linalg.norm(side)), 1e-9)
    middle = root + 0.45 * along
    vertices = np.array([root, middle + side, tip, middle - side])
    one = np.array([[0, 1, 2], [0, 2, 3]])
    return Solid(np.vstack([vertices, vertices]), np.vstack([one, one[:, ::-1] + 4]), paint)


def joined(solids: Sequence[Solid]) -> tuple[Floats, Ints]:
    """Return vertices and faces of all of them in one."""
    starts = np.cumsum([0, *(len(s.vertices) for s in solids)])
    return np.vstack([s.vertices for s in solids]), np.vstack(
        [s.faces + start for s, start in zip(solids, starts, strict=False)]
    )


def smooth_normals(vertices: Floats, faces: Ints) -> Floats:
    """Return what `raster.vertex_normals` does in half of its time, in float32."""
    x, y, z = (np.ascontiguousarray(vertices[:, k], np.float32).take(faces.T) for k in range(3))
    ux, uy, uz = x[1] - x[0], y[1] - y[0], z[1] - z[0]
    vx, vy, vz = x[2] - x[0], y[2] - y[0], z[2] - z[0]
    flat, count = np.ascontiguousarray(faces.T).ravel(), len(vertices)
    sums = np.empty((count, 3), np.float32)
    for k, across in enumerate((uy * vz - uz * vy, uz * vx - ux * vz, ux * vy - uy * vx)):
        sums[:, k] = np.bincount(flat, np.tile(across, 3), minlength=count)
    return sums / np.maximum(np.sqrt(np.einsum("nk,nk->n", sums, sums)), 1e-20)[:, None]


def about_vertical(angle: float) -> Floats:
    """Return the rotation (3, 3) by `angle` radians about y, x towards -z."""
    c, s = np.cos(angle), np.sin(angle)
    return np.array([[c, 0, s], [0, 1, 0], [-s, 0, c]])


def _across(a: Floats, b: Floats | tuple[float, float, float]) -> Floats:
    """Return the cross product of two vectors (3,); numpy's own takes ten times as long for one pair."""
    return np.array([a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]])


def _skin_of_rings(rings: Floats, first: Floats, last: Floats) -> tuple[Floats, Ints]:
    """Join rings (P, S, 3) and close both ends."""
    count, sides = rings.shape[:2]
    i, k = (g.ravel() for g in np.meshgrid(np.arange(count - 1), np.arange(sides), indexing="ij"))
    p, q = i * sides + k, i * sides + (k + 1) % sides
    k = np.arange(sides)
    top = (count - 1) * sides
    start, end = count * sides, count * sides + 1
    faces = np.vstack(
        [
            np.column_stack([p, q, q + sides]),
            np.column_stack([p, q + sides, p + sides]),
            np.column_stack([np.full(sides, start), (k + 1) % sides, k]),
            np.column_stack([np.full(sides, end), top + k, top + (k + 1) % sides]),
        ]
    )
    vertices = np.vstack([rings.reshape(-1, 3), first, last])
    turned = _outward(Solid(vertices, faces, flat("#000000")))
    return turned.vertices, turned.faces


def _outward(solid: Solid) -> Solid:
    a, b, c = ((solid.vertices[solid.faces[:, i]] - solid.vertices[0]).T for i in range(3))
    volume = float((a * (b[[1, 2, 0]] * c[[2, 0, 1]] - b[[2, 0, 1]] * c[[1, 2, 0]])).sum())
    return solid if volume >= 0 else Solid(solid.vertices, solid.faces[:, ::-1], solid.paint, solid.texture)
