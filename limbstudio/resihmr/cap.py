"""The cap that closes a cut limb: two concentric rings of triangles and a tip, a smooth convex dome.

ResiHMR, section 3.4, "boundary cleanup and sealing": a plane is fitted to the boundary, two concentric rings
are laid along its normal and triangulated with the boundary. The paper leaves the rings' radii, their
distance h and the tip open; here they lie on half an ellipsoid, whose wall leaves the boundary along the
limb's own wall.

No triangle of the cap can flip. Seen along the normal every cap vertex lies on the ray from one centre to its
boundary vertex, each ring nearer to the centre than the one before; a boundary that its centre sees whole
(star-shaped) then gives triangles that are all wound alike, whatever their heights. The centre is the
boundary's centroid where that sees all of it, else the middle of the region that does (the kernel). A
boundary without such a region is closed by two narrow insets of itself and a flat floor of clipped ears,
which need no centre.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Float = NDArray[np.floating]
Int = NDArray[np.integer]

# Height of the dome in radii of the circle of the boundary's area. A half is the flattest ellipsoid that a
# person still reads as a rounded limb end; a hemisphere (1.0) looks pointed on a transfemoral limb.
DOME_HEIGHT = 0.5
# Paper mode: "small offsets +-h". The rings lie h before and h behind a plane between them; see
# `ring_offset`.
PAPER_DOME_HEIGHT = 0.3
# A limb removed at its root ends in a low mound, not in a limb's end.
ROOT_DOME_HEIGHT = 0.2

# Latitudes of the two rings on the ellipsoid; the tip is at 90 degrees.
_LATITUDES = np.radians([30.0, 60.0])
_RADII = np.cos(_LATITUDES)
_LEVELS = np.sin(_LATITUDES)
# How far each ring is drawn from the boundary's own shape to its ellipse of inertia, so that the tip is
# round.
_ROUNDING = (0.35, 0.8)
# A ring vertex stays this share of the way inside the ring before it.
_MAX_SHARE = 0.92
# The centre must be this far inside every edge line, in radii, to count as seeing the whole boundary.
_MIN_CLEARANCE = 1e-3
# A face below this share of the boundary's area has no side that rounding to float32 would not change.
_MIN_AREA = 1e-6


def ring_offset(dome_height: float) -> float:
    """Return the paper's h for a dome of this height: half the distance between the two rings."""
    return float(_LEVELS[1] - _LEVELS[0]) * dome_height / 2


@dataclass(frozen=True, eq=False)
class Cap:
    """How to close a boundary of n vertices with m new ones, in any pose.

    combination (m, n): new vertices as affine combinations of the boundary's (rows sum to 1), to which offset
    (m,) metres along the boundary's normal is added. faces (k, 3): ids 0..n-1 are the boundary, n..n+m-1 the
    new vertices. tip: which of the new vertices (0..m-1) is the end. height: of the tip. star_shaped: False
    where the boundary has no centre that sees all of it.
    """

    combination: Float
    offset: Float
    faces: Int
    tip: int
    height: float
    star_shaped: bool


def loop_normal(loop: Float) -> Float:
    """Return Newell's normal (3,) of a polygon (n, 3): unit length, anticlockwise seen from its head."""
    centred = loop - loop.mean(axis=0)
    normal = _area_vector(centred)
    return normal / np.linalg.norm(normal)


def loop_area(loop: Float) -> float:
    """Return the area (m2) that a closed polygon (n, 3) spans in its fitted plane."""
    return float(np.linalg.norm(_area_vector(loop - loop.mean(axis=0)))) / 2


def _area_vector(loop: Float) -> Float:
    following = np.concatenate([loop[1:], loop[:1]])
    x, y, z = loop.T
    u, v, w = following.T
    return np.array([y @ w - z @ v, z @ u - x @ w, x @ v - y @ u])


def plane_axes(normal: Float) -> tuple[Float, Float]:
    """Return two unit vectors that complete `normal` to a right-handed frame (first x second = normal)."""
    other = np.zeros(3)
    other[np.argmin(np.abs(normal))] = 1.0
    first = np.array(
        [
            other[1] * normal[2] - other[2] * normal[1],
            other[2] * normal[0] - other[0] * normal[2],
            other[0] * normal[1] - other[1] * normal[0],
        ]
    )
    first /= np.sqrt(first @ first)
    second = np.array(
        [
            normal[1] * first[2] - normal[2] * first[1],
            normal[2] * first[0] - normal[0] * first[2],
            normal[0] * first[1] - normal[1] * first[0],
        ]
    )
    return first, second


def dome_cap(ring: Float, *, height: float) -> Cap | None:
    """Build the dome over a boundary; None when no point sees the whole boundary.

    ring (n, 3): the boundary in order, anticlockwise seen from outside the limb's end, metres. height: of the
    tip above the boundary's fitted plane, metres.
    """
    flat = _flattened(ring)
    edges = np.concatenate([flat[1:], flat[:1]]) - flat
    lengths = np.sqrt(edges[:, 0] ** 2 + edges[:, 1] ** 2)
    weights = lengths + np.concatenate([lengths[-1:], lengths[:-1]])
    weights /= weights.sum()
    centre = weights @ flat
    needed = _MIN_CLEARANCE * lengths.sum() / (2 * np.pi)
    if _clearance(centre, flat, edges, lengths) < needed:
        kernel = _kernel_middle(flat, edges)
        if kernel is None or _clearance(kernel, flat, edges, lengths) < needed:
            return None
        centre = kernel
        weights = _weights_reaching(centre, weights, flat)
    return _dome(flat - centre, weights, height)


def _flattened(ring: Float) -> Float:
    """Return the boundary (n, 2) in its fitted plane, about its mean."""
    centred = ring - ring.mean(axis=0)
    return centred @ np.stack(plane_axes(loop_normal(ring)), axis=1)


def _clearance(centre: Float, flat: Float, edges: Float, lengths: Float) -> float:
    """Return how far inside the nearest edge line the centre lies; negative where it sees not all."""
    x, y = (flat - centre).T
    return float(((x * edges[:, 1] - y * edges[:, 0]) / np.maximum(lengths, 1e-30)).min())


def placed(cap: Cap, ring: Float) -> Float:
    """Return the cap's new vertices (m, 3) over its boundary in some pose, ring (n, 3) metres.

    Where the cap as it is would fold over itself in this pose, and a dome over this boundary would not, the
    dome is laid anew; the faces are the same.
    """
    if cap.star_shaped and folded_faces(cap, ring):
        cap = dome_cap(ring, height=cap.height) or cap
    return cap.combination @ ring + cap.offset[:, None] * loop_normal(ring)


def folded_faces(cap: Cap, ring: Float) -> int:
    """Count the faces of a cap over the boundary ring (n, 3) that do not face its normal, or hardly do."""
    flat = _flattened(ring)
    areas = _signed_areas(np.concatenate([flat, cap.combination @ flat]), cap.faces)
    return int(np.sum(areas <= _MIN_AREA * loop_area(ring)))


def _dome(arms: Float, weights: Float, height: float) -> Cap:
    """Lay two rings and a tip over a boundary. arms (n, 2): boundary less centre."""
    n = len(arms)
    inertia = 2 * (arms * weights[:, None]).T @ arms
    a, b, d = inertia[0, 0], inertia[0, 1], inertia[1, 1]
    x, y = arms.T
    # Where the ellipse of inertia meets each arm, in lengths of the arm.
    ellipse = np.sqrt(max(a * d - b * b, 0.0) / np.maximum(d * x * x - 2 * b * x * y + a * y * y, 1e-30))
    share = np.ones(n)
    combination = np.empty((2 * n + 1, n))
    for ring in range(2):
        rounded = _RADII[ring] * (1 + _ROUNDING[ring] * (ellipse - 1))
        share = np.minimum(rounded, _MAX_SHARE * share)
        block = combination[ring * n : (ring + 1) * n]
        block[:] = (1 - share)[:, None] * weights
        block.flat[:: n + 1] += share
    combination[2 * n] = weights
    offset = np.concatenate([np.full(n, _LEVELS[0] * height), np.full(n, _LEVELS[1] * height), [height]])
    return Cap(combination, offset, _dome_faces(n), 2 * n, height, True)


def _dome_faces(n: int) -> Int:
    """Return the faces of boundary, two rings and tip (5 n), each group of n in the boundary's order."""
    here = np.arange(n)
    there = (here + 1) % n
    tip = np.full(n, 3 * n)
    bands = []
    for outer in (0, n):
        inner = outer + n
        bands += [np.stack([outer + here, outer + there, inner + there], axis=1)]
        bands += [np.stack([outer + here, inner + there, inner + here], axis=1)]
    return np.concatenate([*bands, np.stack([2 * n + here, 2 * n + there, tip], axis=1)])


def _weights_reaching(centre: Float, weights: Float, flat: Float) -> Float:
    """Change weights (n,) as little as needed to sum to 1 and average the boundary to `centre`."""
    rows = np.stack([np.ones(len(flat)), flat[:, 0], flat[:, 1]])
    missing = np.array([1.0, *centre]) - rows @ weights
    return weights + rows.T @ np.linalg.solve(rows @ rows.T, missing)


def _kernel_middle(flat: Float, edges: Float) -> Float | None:
    """Return the middle (2,) of the region that sees the whole polygon flat (n, 2), or None without one."""
    low, high = flat.min(axis=0), flat.max(axis=0)
    region = np.array([low, [high[0], low[1]], high, [low[0], high[1]]])
    for start, edge in zip(flat, edges, strict=True):
        side = edge[0] * (region[:, 1] - start[1]) - edge[1] * (region[:, 0] - start[0])
        if side.min() >= 0:
            continue
        following, side_following = np.roll(region, -1, axis=0), np.roll(side, -1)
        corners = []
        for p, q, s, t in zip(region, following, side, side_following, strict=True):
            if s >= 0:
                corners.append(p)
            if (s < 0) != (t < 0):
                corners.append(p + s / (s - t) * (q - p))
        if len(corners) < 3:
            return None
        region = np.array(corners)
    return region.mean(axis=0)


# ------------------------------------------------------------------------- boundaries without a centre


def inset_cap(ring: Float, *, height: float) -> Cap:
    """Close a boundary that no point sees whole: two narrow insets of it, then clipped ears.

    The insets are narrowed until no triangle of theirs flips; the floor's height is that of the second inset.
    Without any flipped triangle where the boundary, seen along its normal, does not cross itself. Arguments
    as of `dome_cap`.
    """
    flat = _flattened(ring)
    n = len(flat)
    before = np.eye(n)[np.arange(n) - 1]
    after = np.eye(n)[(np.arange(n) + 1) % n]
    to_before, to_after = before @ flat - flat, after @ flat - flat
    # Inward along the bisector: towards the neighbours' middle at a convex corner, away from it at a reflex
    # one.
    turn = to_after[:, 0] * to_before[:, 1] - to_after[:, 1] * to_before[:, 0]
    a, b = np.linalg.norm(to_before, axis=1), np.linalg.norm(to_after, axis=1)
    short = np.minimum(a, b)
    direction = (short / a)[:, None] * (before - np.eye(n)) + (short / b)[:, None] * (after - np.eye(n))
    direction *= np.sign(turn)[:, None]
    for depth in (0.2, 0.1, 0.05, 0.02, 0.01, 0.003, 0.001):
        one, two = np.eye(n) + depth * direction, np.eye(n) + 2 * depth * direction
        bands = _dome_faces(n)[: 4 * n]
        stacked = np.concatenate([flat, one @ flat, two @ flat])
        if np.all(_signed_areas(stacked, bands) > 0):
            break
    floor = _clip_ears(two @ flat) + 2 * n
    low = height * 0.3
    middle = int(np.argmin(np.linalg.norm(two @ flat - flat.mean(axis=0), axis=1)))
    return Cap(
        np.concatenate([one, two]),
        np.concatenate([np.full(n, low / 2), np.full(n, low)]),
        np.concatenate([bands, floor]),
        n + middle,
        height,
        False,
    )


def _signed_areas(points: Float, faces: Int) -> Float:
    p, q, r = points[faces[:, 0]], points[faces[:, 1]], points[faces[:, 2]]
    return (q[:, 0] - p[:, 0]) * (r[:, 1] - p[:, 1]) - (q[:, 1] - p[:, 1]) * (r[:, 0] - p[:, 0])


def _clip_ears(polygon: Float) -> Int:
    """Triangulate a simple polygon (n, 2), anticlockwise, into n - 2 faces; the roundest ear goes first."""
    left = list(range(len(polygon)))
    faces = []
    while len(left) > 3:
        best, chosen = -np.inf, 0
        for i in range(len(left)):
            p, q, r = (polygon[left[(i + k) % len(left)]] for k in (-1, 0, 1))
            area = (q[0] - p[0]) * (r[1] - p[1]) - (q[1] - p[1]) * (r[0] - p[0])
            size = ((q - p) ** 2).sum() + ((r - q) ** 2).sum() + ((p - r) ** 2).sum()
            quality = area / size
            if quality <= best:
                continue
            others = polygon[[k for k in left if k not in (left[i - 1], left[i], left[(i + 1) % len(left)])]]
            if area > 0 and _any_inside(others, p, q, r):
                quality -= 10.0
            if quality > best:
                best, chosen = quality, i
        faces.append((left[chosen - 1], left[chosen], left[(chosen + 1) % len(left)]))
        left.pop(chosen)
    faces.append(tuple(left))
    return np.array(faces, dtype=np.int64)


def _any_inside(points: Float, p: Float, q: Float, r: Float) -> bool:
    inside = np.ones(len(points), bool)
    for u, v in ((p, q), (q, r), (r, p)):
        inside &= (v[0] - u[0]) * (points[:, 1] - u[1]) - (v[1] - u[1]) * (points[:, 0] - u[0]) >= 0
    return bool(inside.any())
