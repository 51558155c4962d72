"""What kind of surface a triangle mesh is: closed or not, in how many pieces, how much it encloses, where it
cuts itself.

A face (a, b, c) is oriented: seen from outside a, b, c run anticlockwise. A mesh is closed when every
directed edge occurs once and its reverse occurs once; counting undirected edges alone would accept a cap that
is wound backwards.
"""

import weakref
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

Float = NDArray[np.floating]
Int = NDArray[np.integer]
Bool = NDArray[np.bool_]

# A grid cell of the broad phase, in median triangle sizes. Between 1.5 and 3 the time hardly changes.
_CELL_SIZES = 1.5
# Triangle pairs whose narrow phase is computed at once; bounds the memory to about 60 MB.
_PAIR_BLOCK = 200_000


# ----------------------------------------------------------------------------------------------- topology


@dataclass(frozen=True, eq=False)
class SurfaceTopology:
    """The edges of a triangle mesh and how faces share them; it depends on faces alone, not on positions.

    faces (F, 3). corners (3, F): the same by corner. edges (E, 2): vertex ids, smaller first, sorted;
    edge_ends (2, E): the same by end. face_edges (F, 3): ids of the edges (a, b), (b, c), (c, a) of each
    face. edge_uses (E,): faces per edge. flipped_uses (E,): uses from the smaller to the larger id less uses
    the other way round (0 on a consistently oriented closed surface).
    """

    vertex_count: int
    faces: Int
    corners: Int
    edges: Int
    edge_ends: Int
    face_edges: Int
    edge_uses: Int
    flipped_uses: Int

    @property
    def is_closed(self) -> bool:
        """Tell whether every directed edge occurs once and its reverse once."""
        return len(self.faces) > 0 and bool(np.all(self.edge_uses == 2) and np.all(self.flipped_uses == 0))


def surface_topology(faces: Int, vertex_count: int) -> SurfaceTopology:
    """Find the edges of `faces` (F, 3); see `SurfaceTopology`."""
    faces = np.ascontiguousarray(
        faces, dtype=np.intp
    )  # indexing by any other type copies the index each time
    starts = faces.reshape(-1)
    ends = np.roll(faces, -1, axis=1).reshape(-1)
    keys = np.minimum(starts, ends) * vertex_count + np.maximum(starts, ends)
    unique, index = np.unique(keys, return_inverse=True)
    edges = np.stack([unique // vertex_count, unique % vertex_count], axis=1).astype(np.intp)
    uses = np.bincount(index, minlength=len(unique))
    balance = np.bincount(index, weights=np.where(starts < ends, 1.0, -1.0), minlength=len(unique))
    return SurfaceTopology(
        vertex_count,
        faces,
        np.ascontiguousarray(faces.T),
        edges,
        np.ascontiguousarray(edges.T),
        index.reshape(-1, 3).astype(np.intp),
        uses,
        balance.astype(np.int64),
    )


_TOPOLOGIES: dict[int, tuple[weakref.ref[np.ndarray], bytes, SurfaceTopology]] = {}


def cached_topology(faces: Int, vertex_count: int) -> SurfaceTopology:
    """Return the topology of `faces`, computed once per array.

    An array that was changed in place since is noticed (a checksum is kept) and computed anew.
    """
    checksum = _checksum(faces)
    known = _TOPOLOGIES.get(id(faces))
    if (
        known is not None
        and known[0]() is faces
        and known[1] == checksum
        and known[2].vertex_count == vertex_count
    ):
        return known[2]
    topology = surface_topology(faces, vertex_count)
    key = id(faces)
    # The dictionary is bound here: at the interpreter's end module globals go before the last arrays do.
    forget = partial(_forget, _TOPOLOGIES, key)
    _TOPOLOGIES[key] = (weakref.ref(faces, forget), checksum, topology)
    return topology


def _forget(known: dict, key: int, _gone: object) -> None:
    known.pop(key, None)


def _checksum(faces: Int) -> bytes:
    # Two sums see any single change and any swap of two entries; hashing all bytes takes five times as long.
    flat = faces.reshape(-1)
    return np.array(
        [flat.sum(dtype=np.int64), flat[::2].sum(dtype=np.int64), flat[::3].sum(dtype=np.int64)]
    ).tobytes()


def connected_labels(edges: Int, vertex_count: int) -> Int:
    """Label the connected components of a graph: (V,) the smallest vertex id of each vertex's component.

    edges (E, 2). Vertices without edges are components of their own. Hooking and pointer jumping, all in
    numpy.
    """
    label = np.arange(vertex_count)
    a, b = edges[:, 0].astype(np.int64), edges[:, 1].astype(np.int64)
    while len(a):
        root_a, root_b = label[a], label[b]
        apart = root_a != root_b
        if not apart.any():
            break
        a, b = a[apart], b[apart]
        low, high = np.minimum(root_a, root_b)[apart], np.maximum(root_a, root_b)[apart]
        np.minimum.at(label, high, low)
        while True:
            jumped = label[label]
            if np.array_equal(jumped, label):
                break
            label = jumped
    return label


# -------------------------------------------------------------------------------------------------- facts


@dataclass(frozen=True)
class SurfaceFacts:
    """What can be counted on a mesh.

    boundary_edges: edges with one face. nonmanifold_edges: edges with more than two faces, or with two faces
    wound against each other. components: pieces of the surface (unused vertices do not count). volume_m3:
    signed, positive when faces point outward; only meaningful when watertight. watertight: closed by directed
    edges. self_intersections: pairs of triangles that pass through each other, or None when not asked for.
    """

    vertices: int
    faces: int
    boundary_edges: int
    nonmanifold_edges: int
    components: int
    watertight: bool
    volume_m3: float
    self_intersections: int | None


def surface_facts(vertices: Float, faces: Int, *, intersections: bool = False) -> SurfaceFacts:
    """Count what `SurfaceFacts` lists. vertices (V, 3) metres; faces (F, 3)."""
    topology = surface_topology(faces, len(vertices))
    labels = connected_labels(topology.edges, len(vertices))
    return SurfaceFacts(
        vertices=len(vertices),
        faces=len(faces),
        boundary_edges=int(np.sum(topology.edge_uses == 1)),
        nonmanifold_edges=int(
            np.sum((topology.edge_uses > 2) | ((topology.edge_uses == 2) & (topology.flipped_uses != 0)))
        ),
        components=len(np.unique(labels[faces[:, 0]])) if len(faces) else 0,
        watertight=topology.is_closed,
        volume_m3=signed_volume(vertices, faces),
        self_intersections=len(intersecting_pairs(vertices, faces)) if intersections else None,
    )


def signed_volume(vertices: Float, faces: Int) -> float:
    """Return the volume a closed mesh encloses, by the divergence theorem; negative when wound inside out.

    Coordinates are taken from the mesh's middle, so that a body far from the origin loses no digits.
    """
    if len(faces) == 0:
        return 0.0
    points = np.asarray(vertices, float)
    points = points - points.mean(axis=0)
    a, b, c = points[faces[:, 0]], points[faces[:, 1]], points[faces[:, 2]]
    return float(np.einsum("ij,ij->", a, np.cross(b, c)) / 6)


def face_normals(vertices: Float, faces: Int) -> Float:
    """Return normals (F, 3) whose length is twice the face's area."""
    points = np.asarray(vertices, float)
    origin = points[faces[:, 0]]
    return np.cross(points[faces[:, 1]] - origin, points[faces[:, 2]] - origin)


# ------------------------------------------------------------------------------------- self-intersections


def intersecting_pairs(vertices: Float, faces: Int) -> Int:
    """Find the pairs of triangles that pass through each other: (N, 2) face ids, smaller first.

    Two triangles that share an edge never count; two that share one vertex count when the edge across from it
    in one of them pierces the other. Triangles that only touch, or lie in one plane, do not count.
    """
    points = np.asarray(vertices, float)
    found: list[Int] = [np.zeros((0, 2), np.int64)]
    candidates = _overlapping_boxes(points[faces])
    for start in range(0, len(candidates), _PAIR_BLOCK):
        pairs = candidates[start : start + _PAIR_BLOCK]
        found.append(pairs[_pairs_cross(points, faces, pairs)])
    return np.concatenate(found)


def _overlapping_boxes(corners: Float) -> Int:
    """Return pairs of triangles (N, 2) whose bounding boxes overlap, by a uniform grid. corners (F, 3, 3)."""
    low, high = corners.min(axis=1), corners.max(axis=1)
    size = float(np.median((high - low).max(axis=1))) * _CELL_SIZES
    if len(corners) < 2 or size <= 0:
        return np.zeros((0, 2), np.int64)
    origin = low.min(axis=0)
    first = np.floor((low - origin) / size).astype(np.int64)
    spans = np.floor((high - origin) / size).astype(np.int64) - first + 1
    grid = (first + spans).max(axis=0) + 1

    # One entry per (cell, triangle whose box touches the cell).
    counts = spans.prod(axis=1)
    triangle = np.repeat(np.arange(len(corners)), counts)
    step = np.arange(len(triangle)) - np.repeat(np.cumsum(counts) - counts, counts)
    span = spans[triangle]
    offset = np.stack(
        [step // (span[:, 1] * span[:, 2]), step // span[:, 2] % span[:, 1], step % span[:, 2]], axis=1
    )
    cell = first[triangle] + offset
    key = (cell[:, 0] * grid[1] + cell[:, 1]) * grid[2] + cell[:, 2]
    order = np.argsort(key, kind="stable")
    key, triangle = key[order], triangle[order]

    # All pairs inside a cell: entry i with every later entry of its cell.
    last = np.searchsorted(key, key, side="right")
    later = last - np.arange(len(key)) - 1
    one = np.repeat(np.arange(len(key)), later)
    two = one + 1 + np.arange(len(one)) - np.repeat(np.cumsum(later) - later, later)
    a, b = triangle[one], triangle[two]
    for axis in range(3):
        lows, highs = low[:, axis].copy(), high[:, axis].copy()
        overlap = (lows[a] <= highs[b]) & (lows[b] <= highs[a])
        one, a, b = one[overlap], a[overlap], b[overlap]
    # A pair that meets in several cells is kept in one: the cell of the low corner of the boxes' common part.
    home = np.floor((np.maximum(low[a], low[b]) - origin) / size).astype(np.int64)
    kept = (home[:, 0] * grid[1] + home[:, 1]) * grid[2] + home[:, 2] == key[one]
    return np.stack([np.minimum(a, b)[kept], np.maximum(a, b)[kept]], axis=1)


def _pairs_cross(points: Float, faces: Int, pairs: Int) -> Bool:
    """Tell which pairs (N, 2) of faces pass through each other."""
    normals = face_normals(points, faces)
    offsets = np.einsum("ij,ij->i", points[faces[:, 0]], normals)
    planes = np.column_stack([normals, -offsets]).T  # (4, F)
    corners = np.ascontiguousarray(np.asarray(faces).T)
    result = np.zeros(len(pairs), bool)
    same = corners[:, None, pairs[:, 0]] == corners[None, :, pairs[:, 1]]  # (3, 3, N)
    shared_one, shared_two = same.any(axis=1), same.any(axis=0)  # (3, N)
    a, b, c = shared_one
    rows = np.flatnonzero(~((a & b) | (b & c) | (c & a)))  # two that share an edge only fold
    one, two = pairs[rows].T
    # A shared corner lies in both planes: it has no side, and its edges cannot pierce.
    sides_one = np.where(shared_one[:, rows], 0, _sides(points, corners[:, one], planes[:, two]))
    sides_two = np.where(shared_two[:, rows], 0, _sides(points, corners[:, two], planes[:, one]))
    hit = _edges_pierce(points, corners[:, one], corners[:, two], sides_one)
    result[rows] = hit | _edges_pierce(points, corners[:, two], corners[:, one], sides_two)
    return result


def _sides(points: Float, corners: Int, planes: Float) -> Float:
    """Return how far the corners (3, N) lie before the planes (4, N), (3, N), times the planes' scale."""
    x, y, z = points.T
    return np.stack([planes[0] * x[c] + planes[1] * y[c] + planes[2] * z[c] + planes[3] for c in corners])


def _edges_pierce(points: Float, one: Int, two: Int, sides: Float) -> Bool:
    """Tell whether an edge of triangle `one` (3, N) pierces `two` (3, N).

    sides: (3, N) of the corners of `one` before or behind the plane of `two`; 0 for those in it.
    """
    hit = np.zeros(one.shape[1], bool)
    for i, j in ((0, 1), (1, 2), (2, 0)):
        rows = np.flatnonzero((sides[i] * sides[j] < 0) & ~hit)
        start, end = points[one[i, rows]], points[one[j, rows]]
        p, q, r = points[two[:, rows]]
        t = (sides[i, rows] / (sides[i, rows] - sides[j, rows]))[:, None]
        x = start + t * (end - start)
        normal = np.cross(q - p, r - p)
        inside = np.ones(len(rows), bool)
        for u, v in ((p, q), (q, r), (r, p)):
            inside &= np.einsum("ij,ij->i", np.cross(v - u, x - u), normal) > 0
        hit[rows] = inside
    return hit
