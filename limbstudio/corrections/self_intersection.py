"""Where a surface passes through itself, exactly, asked only about the faces that have moved.

Which side of a plane a corner lies on is decided in floating point where the sign is certain (Shewchuk's error
bound) and in rational numbers where it is not, so no answer hangs on a rounding. Touching and lying in one
plane are no intersections; neither are two faces that share an edge: those can only fold, which
`validity.flipped_faces` sees.
"""

from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

Float = NDArray[np.floating]
Int = NDArray[np.integer]
Bool = NDArray[np.bool_]

# Shewchuk, "Adaptive Precision Floating-Point Arithmetic" (1997), bound A of orient3d: (7 + 56 eps) eps.
_EPS = 2.0**-53
_BOUND = (7.0 + 56.0 * _EPS) * _EPS
# A grid cell of the search for near faces, in median face sizes.
_CELL_SIZES = 1.5


def local_intersections(points: Float, faces: Int, changed: Int | None = None) -> Int:
    """Find pairs of faces (N, 2) that pass through each other, at least one of each pair in `changed`.

    points (V, 3); faces (F, 3); changed: face ids, all by default. Smaller id first, sorted.
    """
    points = np.asarray(points, float)
    faces = np.asarray(faces)
    pairs = _near_pairs(points, faces, np.arange(len(faces)) if changed is None else np.asarray(changed))
    return crossing_of_pairs(points, faces, pairs)


def crossing_of_pairs(points: Float, faces: Int, pairs: Int) -> Int:
    """Return those of the pairs of faces (N, 2) that pass through each other, sorted; arrays as above."""
    if not len(pairs):
        return np.zeros((0, 2), np.int64)
    one, two = faces[pairs[:, 0]], faces[pairs[:, 1]]
    shared_one, shared_two = _shared(one, two), _shared(two, one)
    kept = shared_one[:, 0].astype(np.int8) + shared_one[:, 1] + shared_one[:, 2] < 2
    pairs, one, two = pairs[kept], one[kept], two[kept]
    shared_one, shared_two = shared_one[kept], shared_two[kept]
    # A quick look in floating point: certainly apart. Few are left, and those are decided exactly.
    rows = np.arange(len(pairs))
    tests = ((_opposite, False), (_clear, False), (_clear, True), (_beside, False), (_beside, True))
    for apart, swapped in tests:
        left = ~apart(points, two, one, shared_two) if swapped else ~apart(points, one, two, shared_one)
        if not left.all():
            rows, one, two = rows[left], one[left], two[left]
            shared_one, shared_two = shared_one[left], shared_two[left]
    hit = _pierces(points, one, two, shared_one)
    rest = np.flatnonzero(~hit)
    hit[rest] = _pierces(points, two[rest], one[rest], shared_two[rest])
    found = pairs[rows[hit]]
    return found[np.lexsort((found[:, 1], found[:, 0]))]


def _any(rows: Bool) -> Bool:
    return rows[:, 0] | rows[:, 1] | rows[:, 2]


def _all(rows: Bool) -> Bool:
    return rows[:, 0] & rows[:, 1] & rows[:, 2]


def _largest(arms: Float) -> Float:
    """Return the largest absolute coordinate of each row of arms (N, 3, 3); numpy is slow over short axes."""
    flat = np.abs(arms).reshape(len(arms), 9)
    largest = flat[:, 0]
    for i in range(1, 9):
        largest = np.maximum(largest, flat[:, i])
    return largest


def _shared(one: Int, two: Int) -> Bool:
    """Tell which corners (N, 3) of `one` are corners of `two`."""
    p, q, r = two[:, 0, None], two[:, 1, None], two[:, 2, None]
    return (one == p) | (one == q) | (one == r)


def _near_pairs(points: Float, faces: Int, changed: Int) -> Int:
    """Return the pairs of faces whose boxes overlap, one of each pair in `changed`, smaller id first.

    By a uniform grid over the changed faces: all faces that touch a cell meet the changed ones in it.
    """
    if not len(changed):
        return np.zeros((0, 2), np.int64)
    every = points[faces]
    a, b, c = every[:, 0], every[:, 1], every[:, 2]
    low, high = np.minimum(np.minimum(a, b), c), np.maximum(np.maximum(a, b), c)
    first_corner, last_corner = low[changed].min(axis=0), high[changed].max(axis=0)
    touches = (low <= last_corner) & (high >= first_corner)
    near = np.flatnonzero(touches[:, 0] & touches[:, 1] & touches[:, 2])
    size = max(float(np.median((high[changed] - low[changed]).max(axis=1))) * _CELL_SIZES, 1e-9)
    grid = np.floor((last_corner - first_corner) / size).astype(np.int64) + 1

    def entries(ids: Int) -> tuple[Int, Int]:
        """Return one (cell, face) for each cell that a face's box touches."""
        start = np.clip(np.floor((low[ids] - first_corner) / size).astype(np.int64), 0, grid - 1)
        end = np.clip(np.floor((high[ids] - first_corner) / size).astype(np.int64), 0, grid - 1)
        spans = end - start + 1
        counts = spans[:, 0] * spans[:, 1] * spans[:, 2]
        row = np.repeat(np.arange(len(ids)), counts)
        step = np.arange(len(row)) - np.repeat(np.cumsum(counts) - counts, counts)
        span, cell = spans[row], start[row]
        x = cell[:, 0] + step // (span[:, 1] * span[:, 2])
        y = cell[:, 1] + step // span[:, 2] % span[:, 1]
        z = cell[:, 2] + step % span[:, 2]
        return (x * grid[1] + y) * grid[2] + z, ids[row]

    is_changed = np.zeros(len(faces), bool)
    is_changed[changed] = True
    cells, owners = entries(near)
    order = np.argsort(cells, kind="stable")
    cells, owners = cells[order], owners[order]
    mine = np.flatnonzero(is_changed[owners])
    begin = np.searchsorted(cells, cells[mine], side="left")
    counts = np.searchsorted(cells, cells[mine], side="right") - begin
    entry = np.repeat(mine, counts)
    other = np.repeat(begin - np.cumsum(counts) + counts, counts) + np.arange(len(entry))
    one, two = owners[entry], owners[other]
    # A pair of changed faces is met from either side: once is enough.
    kept = (one < two) | ((one > two) & ~is_changed[two])
    entry, one, two = entry[kept], one[kept], two[kept]
    for axis in range(3):
        lows, highs = low[:, axis].copy(), high[:, axis].copy()
        overlap = (lows[one] <= highs[two]) & (lows[two] <= highs[one])
        entry, one, two = entry[overlap], one[overlap], two[overlap]
    # A pair that meets in several cells is kept in one: that of the low corner of the boxes' common part.
    home = np.clip(
        np.floor((np.maximum(low[one], low[two]) - first_corner) / size).astype(np.int64), 0, grid - 1
    )
    kept = (home[:, 0] * grid[1] + home[:, 1]) * grid[2] + home[:, 2] == cells[entry]
    one, two = one[kept], two[kept]
    return np.stack([np.minimum(one, two), np.maximum(one, two)], axis=1)


def _opposite(points: Float, one: Int, two: Int, shared: Bool) -> Bool:
    """Tell where a plane across the line of the two middles certainly parts them, but for a shared corner."""
    a, b = points[one], points[two]
    along = (b[:, 0] + b[:, 1] + b[:, 2]) - (a[:, 0] + a[:, 1] + a[:, 2])
    origin = a[:, 0]
    at = np.where(_any(shared)[:, None], a[np.arange(len(a)), np.argmax(shared, axis=1)], origin)
    heights_a = [((a[:, i] - at) * along).sum(axis=1) for i in range(3)]
    heights_b = [((b[:, i] - at) * along).sum(axis=1) for i in range(3)]
    size = np.abs(along).max(axis=1)
    sure = 64 * _EPS * size * (size + _largest(b - at[:, None]))
    common = _any(shared)
    # Of two that share a corner, the other corners lie on either side of it: it has height zero.
    far, near = np.full(len(a), -np.inf), np.full(len(a), np.inf)
    for i in range(3):
        far = np.maximum(far, np.where(shared[:, i], -np.inf, heights_a[i]))
        mine = _any(two[:, i, None] == one)
        near = np.minimum(near, np.where(mine, np.inf, heights_b[i]))
    apart = near - far > 2 * sure
    return np.where(common, (far < -sure) & (near > sure), apart)


def _clear(points: Float, one: Int, two: Int, shared: Bool) -> Bool:
    """Tell where all corners of `one` that `two` does not have lie certainly on one side of its plane."""
    a, b, c = points[two[:, 0]], points[two[:, 1]], points[two[:, 2]]
    normal = np.cross(b - a, c - a)
    arms = points[one] - a[:, None]
    height = np.einsum("nkd,nd->nk", arms, normal)
    scale = _largest(arms) * np.abs(b - a).max(axis=1) * np.abs(c - a).max(axis=1)
    sure = 64 * _EPS * scale
    above = (height > sure[:, None]) | shared
    below = (height < -sure[:, None]) | shared
    return _all(above) | _all(below)


def _beside(points: Float, one: Int, two: Int, shared: Bool) -> Bool:
    """Tell where `one` lies certainly beside `two`: beyond a plane that stands upright on one of its edges.

    Two that share a corner are only parted by an edge through it.
    """
    a, b, c = (points[two[:, i]] for i in range(3))
    normal = np.cross(b - a, c - a)
    result = np.zeros(len(one), bool)
    corner = np.argmax(shared, axis=1)
    common = np.where(_any(shared), np.take_along_axis(one, corner[:, None], axis=1)[:, 0], -1)
    for i, j in ((0, 1), (1, 2), (2, 0)):
        start = points[two[:, i]]
        along = points[two[:, j]] - start
        outward = np.cross(along, normal)
        arms = points[one] - start[:, None]
        height = np.einsum("nkd,nd->nk", arms, outward)
        scale = _largest(arms) * np.abs(along).max(axis=1) * np.abs(normal).max(axis=1)
        usable = (common < 0) | (common == two[:, i]) | (common == two[:, j])
        result |= usable & _all((height > (64 * _EPS * scale)[:, None]) | shared)
    return result


def _pierces(points: Float, one: Int, two: Int, shared: Bool) -> Bool:
    """Tell whether an edge of `one` (N, 3) between corners that `two` does not have passes through `two`."""
    hit = np.zeros(len(one), bool)
    p, q, r = two.T
    for i, j in ((0, 1), (1, 2), (2, 0)):
        rows = np.flatnonzero(~hit & ~shared[:, i] & ~shared[:, j])
        s, e = one[rows, i], one[rows, j]
        side_s = orientation(points, p[rows], q[rows], r[rows], s)
        side_e = orientation(points, p[rows], q[rows], r[rows], e)
        crosses = side_s * side_e < 0
        rows, s, e = rows[crosses], s[crosses], e[crosses]
        turn = [orientation(points, s, e, u[rows], v[rows]) for u, v in ((p, q), (q, r), (r, p))]
        inside = (np.stack(turn) > 0).all(axis=0) | (np.stack(turn) < 0).all(axis=0)
        hit[rows[inside]] = True
    return hit


def orientation(points: Float, a: Int, b: Int, c: Int, d: Int) -> Int:
    """Return the sign (N,) of the volume of the tetrahedra of four vertices each, exactly: -1, 0 or 1.

    Positive where d lies on the side to which a, b, c turn anticlockwise as seen from it.
    """
    u, v, w = points[b] - points[a], points[c] - points[a], points[d] - points[a]
    cross = np.stack(
        [
            v[:, 1] * w[:, 2] - v[:, 2] * w[:, 1],
            v[:, 2] * w[:, 0] - v[:, 0] * w[:, 2],
            v[:, 0] * w[:, 1] - v[:, 1] * w[:, 0],
        ],
        axis=1,
    )
    value = (u * cross).sum(axis=1)
    size = np.abs(
        np.stack(
            [
                np.abs(v[:, 1] * w[:, 2]) + np.abs(v[:, 2] * w[:, 1]),
                np.abs(v[:, 2] * w[:, 0]) + np.abs(v[:, 0] * w[:, 2]),
                np.abs(v[:, 0] * w[:, 1]) + np.abs(v[:, 1] * w[:, 0]),
            ],
            axis=1,
        )
    )
    sign = np.sign(value).astype(np.int64)
    for row in np.flatnonzero(np.abs(value) <= _BOUND * (np.abs(u) * size).sum(axis=1)):
        sign[row] = _exact_orientation(points[[a[row], b[row], c[row], d[row]]])
    return sign


def _exact_orientation(corners: Float) -> int:
    (ax, ay, az), *others = [[Fraction(float(x)) for x in corner] for corner in corners]
    (ux, uy, uz), (vx, vy, vz), (wx, wy, wz) = [(x - ax, y - ay, z - az) for x, y, z in others]
    value = ux * (vy * wz - vz * wy) + uy * (vz * wx - vx * wz) + uz * (vx * wy - vy * wx)
    return (value > 0) - (value < 0)
