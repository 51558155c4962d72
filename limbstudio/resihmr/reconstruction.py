"""Residual-limb reconstruction: cut the limb by a plane, close it with a smooth cap, in any number of limbs
at once.

ResiHMR, section 3.4. Its coarse pruning by part labels and its fine cut by a plane become one signed field
over the vertices, positive on what is to go: the signed distance to the plane (equation 7), bounded by the
limb's labels on both sides. Let K be the connected part of the surface where the field is not positive that
holds the trunk, and R the part of all the rest that holds the limb's far end. R is removed and everything
else is kept. On a closed surface without handles both R and its complement are connected, so their frontier
is exactly one closed loop; a triangle meets it twice or not at all. One new vertex on every edge that crosses
the frontier therefore leaves one manifold boundary ring, in every pose and for every plane, with nothing to
clean up afterwards (no low-degree vertices, no spurious spikes).

A reconstruction is a recipe, not a mesh: each new vertex is a fixed combination of old ones. `carry` applies
it to any attribute of the vertices (skinning weights, shape directions, colours) and `carry_points` to
positions in any pose, so the posed body and its T-pose share one topology.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from limbstudio.body.surface import SurfaceTopology, cached_topology, connected_labels
from limbstudio.domain.anatomy import Limb, Segment
from limbstudio.domain.errors import KnownError
from limbstudio.domain.stump import Stump
from limbstudio.resihmr.cap import (
    Cap,
    dome_cap,
    folded_faces,
    inset_cap,
    loop_area,
    loop_normal,
    placed,
)
from limbstudio.resihmr.limb_cut import LimbCut, LimbRegions, smoothed

Float = NDArray[np.floating]
Int = NDArray[np.integer]
Bool = NDArray[np.bool_]

# A new vertex stays this share of its edge away from both ends, so that no sliver is thinner than that.
_MIN_FRACTION = 0.03
# What the label membership (0..1) counts in metres when it is weighed against the distance to the plane.
_MEMBERSHIP_METRES = 0.1
# Distal parts are cut by the plane only this near to the joint (in radii of its border); beyond they go
# whole. Two radii hold every plane through the joint that is tilted by up to 60 degrees.
_JOINT_REACH = 2.0
# Passes that pull a boundary tight where a label border, not the plane, made it.
_TIGHTENING = 12
# A boundary that no point sees whole (a plane through a bent joint, a border of labels) is sought again on a
# smoother field, bounded to a few edge lengths, and at last a little beside the plane: passes, metres.
_ATTEMPTS = (
    (0, 0.0), (2, 0.0), (5, 0.0), (10, 0.0), (20, 0.0), (40, 0.0), (80, 0.0), (160, 0.0),
    (10, 0.005), (10, -0.005), (10, 0.01), (10, -0.01), (10, 0.02), (10, -0.02),
    (20, 0.02), (10, 0.03),
)  # fmt: skip
_SMOOTHED_METRES = 0.03


# ------------------------------------------------------------------------------------------------- recipe


@dataclass(frozen=True, eq=False)
class StumpCap:
    """One cap of a reconstruction, in vertex and face ids of the reconstructed mesh.

    boundary (n,): ring where cap meets limb, anticlockwise seen from outside. shape: how its vertices
    first..first+m-1 follow from it. faces: ids of the cap's faces. outward (3,): the cut's normal. on_plane:
    share of the boundary that the plane made, not the border of the labels.
    """

    limb: Limb
    segment: Segment
    boundary: Int
    first: int
    shape: Cap
    faces: Int
    tip: int
    outward: Float
    on_plane: float


@dataclass(frozen=True, eq=False)
class Reconstruction:
    """How to make the reconstructed mesh out of the intact one.

    faces (F', 3). edge_source (B, 2), edge_fraction (B,): kept and boundary vertices, each (1 - t) * old[a] +
    t * old[b] (a == b for the kept ones, which come first, in their old order). caps: the rest of the
    vertices, one block per limb. residual (V',) bool: the surviving part of each cut segment and its cap (the
    paper's m_r).
    """

    faces: Int
    edge_source: Int
    edge_fraction: Float
    caps: tuple[StumpCap, ...]
    residual: Bool
    kept_count: int

    @property
    def vertex_count(self) -> int:
        return len(self.residual)

    def carry(self, attribute: Float) -> Float:
        """Carry an attribute (V, ...) of the intact vertices to the reconstructed ones, (V', ...)."""
        values = np.asarray(attribute)
        if not np.issubdtype(values.dtype, np.floating):
            values = values.astype(float)
        out = np.empty((self.vertex_count, *values.shape[1:]), values.dtype)
        kept, base = self.kept_count, len(self.edge_source)
        np.take(values, self.edge_source[:kept, 0], axis=0, out=out[:kept])
        t = self.edge_fraction[kept:].astype(values.dtype).reshape(-1, *[1] * (values.ndim - 1))
        start, end = self.edge_source[kept:].T
        out[kept:base] = (1 - t) * values[start] + t * values[end]
        for cap in self.caps:
            ring = out[cap.boundary].reshape(len(cap.boundary), -1)
            made = cap.shape.combination.astype(values.dtype) @ ring
            out[cap.first : cap.first + len(made)] = made.reshape(-1, *values.shape[1:])
        return out

    def carry_points(self, points: Float) -> Float:
        """Carry vertex positions (V, 3) in any pose, metres: `carry`, with the domes raised on their
        boundaries.

        A dome keeps its shape relative to its boundary; where a bent joint has distorted the boundary so far
        that it would fold, it is laid anew (`cap.placed`).
        """
        out = self.carry(points)
        for cap in self.caps:
            out[cap.first : cap.first + len(cap.shape.offset)] = placed(
                cap.shape, out[cap.boundary].astype(float)
            )
        return out

    def stumps(self, vertices: Float) -> tuple[Stump, ...]:
        """Describe the residual limbs of the mesh with the reconstructed vertices (V', 3), in their frame."""
        return tuple(
            Stump(
                cap.limb,
                cap.segment,
                cap.boundary,
                cap.faces,
                loop_normal(np.asarray(vertices, float)[cap.boundary]),
                np.asarray(vertices[cap.tip], float),
            )
            for cap in self.caps
        )


@dataclass(frozen=True, eq=False)
class StumpFrame:
    """The axis along which a residual limb is measured: from its proximal joint to the level of its tip.

    origin (3,): the proximal joint. axis (3,): unit, distal. length_m: from origin to the tip, along the
    axis.
    """

    origin: Float
    axis: Float
    length_m: float


def stump_frame(stump: Stump, *, proximal_joint: Float, axis: Float | None = None) -> StumpFrame:
    """Return the frame of a residual limb.

    proximal_joint (3,). axis (3,): the bone's direction, distal; without it, from the joint to the tip.
    """
    origin = np.asarray(proximal_joint, float)
    direction = stump.tip - origin if axis is None else np.asarray(axis, float)
    direction = direction / np.linalg.norm(direction)
    return StumpFrame(origin, direction, float((stump.tip - origin) @ direction))


# ------------------------------------------------------------------------------------------- construction


def reconstruct(vertices: Float, faces: Int, cuts: Sequence[LimbCut]) -> Reconstruction:
    """Cut every limb of `cuts` and close it.

    vertices (V, 3) metres and faces (F, 3): a closed surface without handles, outward, in the frame of the
    cuts (eyes and other separate closed pieces may be there). At most one cut per limb. Raises KnownError for
    a plane that leaves nothing of the body or removes nothing.
    """
    points = np.asarray(vertices, float)
    limbs = [cut.regions.limb for cut in cuts]
    if len(set(limbs)) < len(limbs):
        raise KnownError("One limb was given two cuts.", "Give each limb one plane, the more proximal one.")
    topology = cached_topology(faces, len(points))
    protected = np.zeros(len(points), bool)
    removed = np.zeros(len(points), bool)
    frontiers, caps = [], []
    for cut in cuts:
        frontier, cap = _find_frontier(points, topology, cut, protected)
        frontiers.append(frontier)
        caps.append(cap)
        removed |= frontier.removed
        if len(cuts) > 1:  # the next cut stays one vertex away, so that no triangle is cut twice
            touched = np.flatnonzero(_corners_gone(topology, frontier.removed))
            protected[topology.faces[touched].reshape(-1)] = True
    return _assemble(points, topology, cuts, frontiers, caps, removed)


@dataclass(frozen=True, eq=False)
class _Frontier:
    """Where one cut passes, and where its boundary lies.

    removed (V,) bool. edges (n,): the crossing edges in the loop's order; start, end (n,): their kept and
    removed vertices; fraction (n,): along them; ring (n, 3): the points there. on_plane: share of the loop
    that the plane made. height: of the dome, metres.
    """

    removed: Bool
    edges: Int
    start: Int
    end: Int
    fraction: Float
    on_plane: float
    ring: Float
    height: float


def _find_frontier(
    points: Float, topology: SurfaceTopology, cut: LimbCut, protected: Bool
) -> tuple[_Frontier, Cap]:
    """Find where `cut` passes and build its cap; on a smoother field where a dome finds no footing."""
    regions = cut.regions
    inside = (regions.cuttable - 0.5) * _MEMBERSHIP_METRES
    beyond = (regions.distal - 0.5) * _MEMBERSHIP_METRES
    normal = np.asarray(cut.normal, float)
    plane = points @ normal - np.asarray(cut.origin, float) @ normal
    height = None
    if cut.tip_at_origin:
        height = cut.dome_height * _section_radius(points, topology, np.minimum(plane, inside))
        plane = plane + height

    whole = np.maximum(np.minimum(plane, inside), beyond)
    field = whole
    if not cut.distal_goes_whole:
        field = np.maximum(np.minimum(plane, inside), _far_beyond(points, regions, beyond))
    found: list[_Frontier] = []
    for attempt, (passes, shift) in enumerate(_ATTEMPTS):
        if passes:
            near = np.clip(field + shift, -_SMOOTHED_METRES, _SMOOTHED_METRES)
            field_here = smoothed(near, topology.edges, passes)
        else:
            field_here = field.copy()
        field_here[protected] = np.minimum(field_here[protected], -_MEMBERSHIP_METRES)
        loop = _limb_loop(topology, field_here, regions, whole_distal=attempt > 0 or cut.distal_goes_whole)
        if loop is None:
            field = whole
            continue
        found.append(_place_boundary(points, cut, field_here, plane, height, loop))
        cap = dome_cap(found[-1].ring, height=found[-1].height)
        if cap is not None:
            return found[-1], cap
    if not found:
        raise KnownError(
            f"The plane for the {regions.limb.value.replace('_', ' ')} does not part the limb from the body.",
            "Move the plane to the limb.",
        )
    caps = [inset_cap(frontier.ring, height=frontier.height) for frontier in found]
    folds = [folded_faces(cap, frontier.ring) for cap, frontier in zip(caps, found, strict=True)]
    best = int(np.argmin(folds))
    return found[best], caps[best]


def _place_boundary(
    points: Float,
    cut: LimbCut,
    field: Float,
    plane: Float,
    height: float | None,
    loop: tuple[Bool, Int, Int, Int],
) -> _Frontier:
    """Place the boundary on the loop's edges."""
    removed, edges, start, end = loop
    fraction = np.clip(field[start] / (field[start] - field[end]), _MIN_FRACTION, 1 - _MIN_FRACTION)
    made = (1 - fraction) * plane[start] + fraction * plane[end]
    free = np.abs(made) > 2 * _MIN_FRACTION * np.abs(plane[end] - plane[start]) + 1e-9
    first, along = points[start], points[end] - points[start]
    if free.any():
        fraction = _tightened(first, along, fraction, free)
    ring = first + fraction[:, None] * along
    if height is None or not height > 0:
        height = cut.dome_height * float(np.sqrt(loop_area(ring) / np.pi))
    return _Frontier(removed, edges, start, end, fraction, float(1 - free.mean()), ring, height)


def _far_beyond(points: Float, regions: LimbRegions, beyond: Float) -> Float:
    """Return the field `beyond` (V,) bounded by the distance (metres) from a ball about the joint."""
    border = points[regions.distal_border]
    centre = border.mean(axis=0)
    reach = _JOINT_REACH * np.sqrt(((border - centre) ** 2).sum(axis=1).mean())
    rows = np.flatnonzero(beyond > 0)
    offset = points[rows] - centre
    field = beyond.copy()
    field[rows] = np.minimum(beyond[rows], np.sqrt(np.einsum("ij,ij->i", offset, offset)) - reach)
    return field


def _section_radius(points: Float, topology: SurfaceTopology, field: Float) -> float:
    """Return the radius of the circle that is as long across as the surface where `field` changes sign."""
    above = field > 0
    crossing = np.flatnonzero(above.take(topology.edge_ends[0]) != above.take(topology.edge_ends[1]))
    if not len(crossing):
        return 0.0
    start, end = topology.edge_ends[:, crossing]
    t = (field[start] / (field[start] - field[end]))[:, None]
    ring = (1 - t) * points[start] + t * points[end]
    return float(np.sqrt(((ring - ring.mean(axis=0)) ** 2).sum(axis=1).mean()))


def _limb_loop(
    topology: SurfaceTopology, field: Float, regions: LimbRegions, *, whole_distal: bool
) -> tuple[Bool, Int, Int, Int] | None:
    """Find R, the frontier's edges in order, and their kept and removed ends; None when the plane parts no
    limb.

    whole_distal: take R also when the distal part falls into several pieces (the largest one is R).
    """
    removed = field > 0
    loop = _frontier_loop(topology, removed)
    if loop is None:  # several pieces: let the connected parts decide
        removed, pieces = _far_piece(topology, removed, regions)
        if pieces == 0 or (pieces > 1 and not whole_distal):
            return None
        loop = _frontier_loop(topology, removed)
    return None if loop is None else (removed, *loop)


def _frontier_loop(topology: SurfaceTopology, removed: Bool) -> tuple[Int, Int, Int] | None:
    """Return the edges between kept and removed in the order of their loop, with kept and removed ends.

    The order is anticlockwise seen from the removed side. None when there is not exactly one loop.
    """
    count = _corners_gone(topology, removed)
    rows = np.flatnonzero((count == 1) | (count == 2))
    if not len(rows):
        return None
    corner = removed[topology.faces[rows]]
    following = corner[:, [1, 2, 0]]
    edges = topology.face_edges[rows]
    leaving = edges[
        ~corner & following
    ]  # kept -> removed: the face's remainder runs from here to the other edge
    entering = edges[corner & ~following]
    successor = dict(zip(entering.tolist(), leaving.tolist(), strict=True))
    here = first = int(entering[0])
    order = []
    while True:
        order.append(here)
        here = successor.get(here, -1)
        if here == first:
            break
        if here < 0 or len(order) > len(rows):
            return None  # the loop runs into a hole of the surface
    if len(order) != len(rows):
        return None
    loop = np.array(order)
    ends = topology.edges[loop]
    swapped = removed[ends[:, 0]]
    return loop, np.where(swapped, ends[:, 1], ends[:, 0]), np.where(swapped, ends[:, 0], ends[:, 1])


def _corners_gone(topology: SurfaceTopology, removed: Bool) -> NDArray[np.uint8]:
    """Return how many corners of each face (F,) are removed."""
    gone = removed.view(np.uint8)
    a, b, c = topology.corners
    return gone.take(a) + gone.take(b) + gone.take(c)


def _far_piece(topology: SurfaceTopology, removed: Bool, regions: LimbRegions) -> tuple[Bool, int]:
    """Keep of `removed` what the text at the head of this file calls R; return it and how many pieces were
    far ends.

    More than one piece with a far end means that the plane also parts the distal part from itself.
    """
    a, b = topology.edge_ends
    count = topology.vertex_count
    kept_labels = connected_labels(topology.edges[~removed[a] & ~removed[b]], count)
    trunk_votes = kept_labels[~removed & (regions.cuttable < 0.25)]
    if not len(trunk_votes):
        return removed, 0
    trunk = np.bincount(trunk_votes).argmax()
    rest = removed | (kept_labels != trunk)
    rest_labels = connected_labels(topology.edges[rest[a] & rest[b]], count)
    far = np.bincount(rest_labels[rest & (regions.distal > 0.5)], minlength=count)
    if not far.any():
        return removed, 0
    return rest & (rest_labels == far.argmax()), int((far > 0).sum())


def _tightened(start: Float, along: Float, fraction: Float, free: Bool) -> Float:
    """Slide `free` boundary vertices along their edges towards their neighbours' middle, against jags."""
    square = np.maximum(np.einsum("ij,ij->i", along, along), 1e-18)
    for _ in range(_TIGHTENING):
        ring = start + fraction[:, None] * along
        middle = (np.concatenate([ring[-1:], ring[:-1]]) + np.concatenate([ring[1:], ring[:1]])) / 2
        wanted = np.einsum("ij,ij->i", middle - start, along) / square
        moved = np.clip(0.5 * fraction + 0.5 * wanted, _MIN_FRACTION, 1 - _MIN_FRACTION)
        fraction = np.where(free, moved, fraction)
    return fraction


def _assemble(
    points: Float,
    topology: SurfaceTopology,
    cuts: Sequence[LimbCut],
    frontiers: Sequence[_Frontier],
    shapes: Sequence[Cap],
    removed: Bool,
) -> Reconstruction:
    kept = np.flatnonzero(~removed)
    renumbered = np.full(len(points), -1, np.int32)
    renumbered[kept] = np.arange(len(kept))
    on_edge = np.full(len(topology.edges), -1, np.int32)
    source: list[Int] = [np.stack([kept, kept], axis=1)]
    fraction: list[Float] = [np.zeros(len(kept))]
    next_vertex = len(kept)
    rings = []
    for frontier in frontiers:
        ids = next_vertex + np.arange(len(frontier.edges))
        on_edge[frontier.edges] = ids
        rings.append(ids)
        source.append(np.stack([frontier.start, frontier.end], axis=1))
        fraction.append(frontier.fraction)
        next_vertex += len(ids)

    limb_faces = _split_faces(points, topology, removed, renumbered, on_edge)
    faces = [limb_faces]
    next_face = len(limb_faces)
    caps = []
    for cut, frontier, cap, ids in zip(cuts, frontiers, shapes, rings, strict=True):
        names = np.concatenate([ids, next_vertex + np.arange(len(cap.offset))])
        faces.append(names[cap.faces])
        caps.append(
            StumpCap(
                cut.regions.limb,
                cut.regions.segment,
                ids,
                next_vertex,
                cap,
                next_face + np.arange(len(cap.faces)),
                int(names[len(ids) + cap.tip]),
                np.asarray(cut.normal, float),
                frontier.on_plane,
            )
        )
        next_vertex += len(cap.offset)
        next_face += len(cap.faces)

    residual = np.zeros(next_vertex, bool)
    for cut in cuts:
        residual[: len(kept)] |= cut.regions.residual[kept]
    residual[len(kept) :] = True
    return Reconstruction(
        np.concatenate(faces).astype(np.int32),
        np.concatenate(source).astype(np.int32),
        np.concatenate(fraction),
        tuple(caps),
        residual,
        len(kept),
    )


def _split_faces(
    points: Float, topology: SurfaceTopology, removed: Bool, renumbered: Int, on_edge: Int
) -> Int:
    """Return what the cuts leave of the old faces, in new vertex ids."""
    count = _corners_gone(topology, removed)

    # One corner kept: a triangle (a, on ab, on ca). One corner gone: a quad (on ab, b, c, on ca), cut by its
    # shorter diagonal.
    pieces = [renumbered[topology.faces].take(np.flatnonzero(count == 0), axis=0)]
    for odd_is_kept in (True, False):
        rows = np.flatnonzero(count == (2 if odd_is_kept else 1))
        turn = np.argmax(removed[topology.faces[rows]] != odd_is_kept, axis=1)
        columns = (turn[:, None] + np.arange(3)) % 3
        a, b, c = np.take_along_axis(topology.faces[rows], columns, axis=1).T
        ab, _, ca = on_edge[np.take_along_axis(topology.face_edges[rows], columns, axis=1)].T
        if odd_is_kept:
            pieces.append(np.stack([renumbered[a], ab, ca], axis=1))
            continue
        # Both new points lie on edges out of a, which stands for them: where hardly changes what is shorter.
        to_b = ((points[b] - points[a]) ** 2).sum(axis=1)
        to_c = ((points[c] - points[a]) ** 2).sum(axis=1)
        b, c = renumbered[b], renumbered[c]
        through_ab = (to_c <= to_b)[:, None]
        pieces.append(np.where(through_ab, np.stack([ab, b, c], 1), np.stack([ab, b, ca], 1)))
        pieces.append(np.where(through_ab, np.stack([ab, c, ca], 1), np.stack([b, c, ca], 1)))
    return np.concatenate(pieces)
