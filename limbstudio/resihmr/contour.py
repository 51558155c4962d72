"""The mask term of the energy: the body's outline against the contour of the person's mask.

Rim vertices of the posed body and points of the mask's contour are paired, in both directions, where their outward
normals agree; each pair is one robust row, the distance of the projected vertex from the contour along its normal.
Pairs are chosen anew in each of a few rounds and held fixed in between, so that rows are cheap and derivatives exact.

Only what is seen is judged: vertices that do not exist (beyond a cut), parts whose joints nobody placed, and
contours along the picture's border make no pairs. Clothes, hair and things carried widen masks; the bend of the rows
lets such stretches go.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from limbstudio.body.model import N_JOINTS, BodyModel
from limbstudio.body.parts import HEAD, PART_INDEX, PARTS, TORSO, distal_parts, part_of
from limbstudio.body.rotations import rotation_and_left_jacobian
from limbstudio.domain.anatomy import (
    LDPOSE_INDEX,
    N_BODY_JOINTS,
    SMPLX_INDEX,
    SMPLX_PARENTS,
    Limb,
    level_rule,
    limb_joints,
)
from limbstudio.domain.photo import Person
from limbstudio.resihmr.asked import joined
from limbstudio.resihmr.problem import FitModel, FitSettings, box_height, residual_limbs
from limbstudio.resihmr.skeleton import place
from limbstudio.resihmr.solver import minimise
from limbstudio.resihmr.terms import MOVE, POSE, ROOT, Problem, Unknowns, n_unknowns

Floats = NDArray[np.floating]
Ints = NDArray[np.integer]
Bools = NDArray[np.bool_]


@dataclass(frozen=True)
class ContourSettings:
    """The numbers of the mask term. Lengths are shares of the box height.

    sigma: of a row. count: how much one row weighs, for neighbours err together. bends: robust bend of each round, from
    coarse to fine. gate: pairs farther apart than this many bends are not made. steps: of the solver in a round.
    spacing: of rim vertices and of contour points. agree: least cosine between a pair's normals.
    height_px: rows of the box in the reduced mask. cell: side of the cells in which the body's own outline is told from
    rims inside it.
    """

    sigma: float = 0.012
    count: float = 0.12
    bends: tuple[float, ...] = (0.08, 0.06, 0.04, 0.04)
    gate: float = 2.0
    steps: int = 5
    spacing: float = 0.02
    agree: float = 0.6
    height_px: int = 256
    cell: float = 0.01


CONTOUR_SETTINGS = ContourSettings()
# Outlines of hair, and of hands whose fingers the fit does not move, say less of the body.
PART_WEIGHTS: Mapping[int, float] = {
    HEAD: 0.5,
    PART_INDEX["left_hand"]: 0.5,
    PART_INDEX["right_hand"]: 0.5,
}
# A vertex normal points out of the picture's plane by less than this at the rim, or it is no rim vertex of use.
_LEAST_FLAT_NORMAL = 0.3
# Vertices nearer to the camera than this, or behind it, are nowhere in the picture.
_NEAREST_M = 0.05
_FEWEST_PAIRS = 12


def fit_contour(
    model: FitModel,
    body: BodyModel,
    person: Person,
    mask: Bools,
    problem: Problem,
    x: Unknowns,
    settings: FitSettings,
    *,
    contour: ContourSettings = CONTOUR_SETTINGS,
) -> tuple[Problem, Unknowns]:
    """Follow a solution of the points to one that also meets the mask; return its problem and where it lies.

    mask: (H, W) bool, the person's silhouette at photo resolution. problem, x: of one person. A mask that has no
    contour near the body leaves both as they are.
    """
    height = box_height(person)
    outline = mask_contour(mask, height, contour)
    if not len(outline.points_px):
        return problem, x
    missing = _Missing.of(person, problem)
    found, known = problem, x
    for bend in contour.bends:
        rim = visible_rim(body, known, problem, missing, height, contour)
        pairs = pair_up(rim, outline, height, bend, contour)
        if len(pairs.vertices) < _FEWEST_PAIRS:
            break
        rows = ContourRows.of(body, pairs, height, bend, contour)
        found = replace(problem, contour=joined(rows, problem.contour))
        known = minimise(found, known, steps=contour.steps, tolerance=settings.tolerance).x
    return found, known


# -------------------------------------------------------------------------------------------------------- mask


@dataclass(frozen=True, eq=False)
class Outline:
    """Points of a mask's contour, (C, 2) pixels of the photo, and their outward normals (C, 2)."""

    points_px: Floats
    normals: Floats


def mask_contour(mask: Bools, height: float, settings: ContourSettings = CONTOUR_SETTINGS) -> Outline:
    """Sample the contour of a mask (H, W) evenly; where the mask meets the picture's border there is none.

    height: of the person's box, pixels. The contour is the zero of the mask's signed distance transform, which also
    gives the normals.
    """
    import cv2  # loads in 0.1 s, and the path without masks does without it

    if not mask.any():
        return Outline(np.zeros((0, 2)), np.zeros((0, 2)))
    # The crop ends at the picture's border, so that a body that leaves the picture has no contour there.
    margin = int(np.ceil(0.05 * height)) + 2
    ys, xs = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    top, left = max(0, int(ys[0]) - margin), max(0, int(xs[0]) - margin)
    part = mask[top : int(ys[-1]) + margin + 1, left : int(xs[-1]) + margin + 1]
    scale = min(1.0, settings.height_px / height)
    size = (max(1, round(part.shape[1] * scale)), max(1, round(part.shape[0] * scale)))
    grey = cv2.resize(part.astype(np.float32), size, interpolation=cv2.INTER_AREA)
    inside = (grey >= 0.5).astype(np.uint8)
    if inside.all() or not inside.any():
        return Outline(np.zeros((0, 2)), np.zeros((0, 2)))
    # Distances run from pixel centre to pixel centre: the contour lies half a pixel before the first one outside.
    within = cv2.distanceTransform(inside, cv2.DIST_L2, 5)
    without = cv2.distanceTransform(1 - inside, cv2.DIST_L2, 5)
    signed = cv2.GaussianBlur(np.where(inside > 0, within - 0.5, 0.5 - without), (0, 0), 1.5)
    down, right = np.gradient(signed)
    rows, columns = np.nonzero(np.abs(signed) < 0.75)
    slope = np.stack([right[rows, columns], down[rows, columns]], 1)
    steep = np.linalg.norm(slope, axis=1)
    clear = steep > 0.3  # ridges between two contours have no normal
    rows, columns, normals = rows[clear], columns[clear], -slope[clear] / steep[clear, None]
    points = np.stack([columns, rows], 1) + signed[rows, columns, None] * normals
    stretch = np.array([part.shape[1], part.shape[0]]) / size
    points = (points + 0.5) * stretch - 0.5 + (left, top)
    kept = _thinned(points, settings.spacing * height)
    return Outline(points[kept], normals[kept])


def _thinned(points: Floats, spacing: float) -> Ints:
    """Return the indices of one point per square cell, ascending."""
    cells = np.floor(points / spacing).astype(np.int64)
    cells -= cells.min(0, initial=0)
    _, first = np.unique(cells[:, 0] * (cells[:, 1].max(initial=0) + 1) + cells[:, 1], return_index=True)
    return np.sort(first)


# --------------------------------------------------------------------------------------------------------- rim


@dataclass(frozen=True, eq=False)
class Rim:
    """Vertices on the body's outline: their indices (R,), pixels (R, 2), outward normals (R, 2).

    weights (R,): 0 where a vertex exists but nobody said the place of its part.
    """

    vertices: Ints
    points_px: Floats
    normals: Floats
    weights: Floats


@dataclass(frozen=True)
class _Missing:
    """What of a body does not exist, and what nobody said the place of.

    gone: parts that do not exist. cut: (part, anchor, upstream, slot) of segments that end at lambda. seen: parts to
    judge.
    """

    gone: tuple[int, ...]
    cut: tuple[tuple[int, int, int, int], ...]
    seen: frozenset[int]

    @staticmethod
    def of(person: Person, problem: Problem) -> "_Missing":
        # A fit without knowledge of limb loss has all its joints under the prior, and nothing of it is cut.
        knows = bool((np.asarray(problem.pose_ridge) > 0).any())
        gone: list[int] = []
        cut = []
        for residual in residual_limbs(person) if knows else ():
            segment = level_rule(residual.limb, residual.level).segment
            assert segment is not None
            distal = distal_parts(residual.limb, segment)
            if residual.at_root:
                gone += distal_parts(residual.limb, residual.limb.segments[0])
                continue
            gone += distal[1:]
            if residual.observed:
                ends = SMPLX_INDEX[residual.anchor], SMPLX_INDEX[residual.upstream]
                cut.append((distal[0], *ends, residual.slot))
        return _Missing(tuple(gone), tuple(cut), observed_parts(person, limb_loss=knows))


def observed_parts(person: Person, *, limb_loss: bool = True) -> frozenset[int]:
    """Return the parts (indices into `body.parts.PARTS`) that the annotation says the place of.

    A segment needs the points at both its ends (a residual limb its upper joint and its placed end), a hand its
    wrist, a foot its ankle, the head one point of the face, the trunk one shoulder or hip. limb_loss: residual ends
    count.
    """
    observed = person.keypoints.observed

    def seen(*names: str) -> list[bool]:
        return [bool(observed[LDPOSE_INDEX[name]]) for name in names]

    parts = set()
    if any(seen("nose", "left_eye", "right_eye", "left_ear", "right_ear")):
        parts.add(HEAD)
    if any(seen("left_shoulder", "right_shoulder", "left_hip", "right_hip")):
        parts.add(TORSO)
    for limb in Limb:
        near, middle, far = seen(*limb_joints(limb))
        rule = level_rule(limb, person.limbs[limb].level)
        upper, lower, end = limb.segments
        ended = limb_loss and rule.endpoint is not None and bool(observed[rule.endpoint])
        reaches = {upper: near and middle, lower: middle and far, end: far}
        if ended and rule.segment is upper:
            reaches[upper] = near
        if ended and rule.segment is lower:
            reaches[lower] = middle
        parts |= {part_of(limb, segment) for segment, reached in reaches.items() if reached}
    return frozenset(parts)


def visible_rim(
    body: BodyModel,
    x: Unknowns,
    problem: Problem,
    missing: _Missing,
    height: float,
    settings: ContourSettings = CONTOUR_SETTINGS,
) -> Rim:
    """Return the vertices on the outline of what exists of a posed body, thinned to an even spacing.

    height: of the person's box, pixels.
    """
    vertices, joints = _posed(body, x)
    exists = ~_table(missing.gone)[body.part_labels]
    for part, anchor, upstream, slot in missing.cut:
        bone = joints[upstream] - joints[anchor]
        along = (vertices - joints[anchor]) @ bone / (bone @ bone)
        exists &= (body.part_labels != part) | (along >= x.factor[0, slot])
    exists &= vertices[:, 2] > _NEAREST_M
    center = problem.center[0].astype(np.float32)
    px = vertices[:, :2] * (np.float32(problem.focal[0]) / np.maximum(vertices[:, 2:], _NEAREST_M)) + center

    mesh = _mesh(body)
    # take, not brackets: seven times as quick for rows of two numbers
    a, b, c = (px.take(corner, axis=0) for corner in mesh.corners)
    ab, ac = b - a, c - a
    clockwise = ab[:, 0] * ac[:, 1] > ac[:, 0] * ab[:, 1]
    whole = exists[mesh.corners[0]] & exists[mesh.corners[1]] & exists[mesh.corners[2]]
    one, other = mesh.edge_faces
    rims = np.zeros(len(vertices), bool)
    rims[mesh.edges[:, (clockwise[one] != clockwise[other]) & whole[one] & whole[other]]] = True
    rim = np.flatnonzero(rims)
    # A rim's tangent plane holds the camera, so the picture's normal is the normal without its depth.
    normals = _vertex_normals(mesh, vertices, rim)[:, :2]
    length = np.linalg.norm(normals, axis=1)
    kept = length > _LEAST_FLAT_NORMAL
    rim, normals = rim[kept], normals[kept] / length[kept, None]
    drawn = np.concatenate([px[exists], (a + (ab + ac) / 3)[whole]])
    outer = _is_outer(drawn, px[rim], normals, settings.cell * height)
    rim, normals = rim[outer], normals[outer]
    thin = _thinned(px[rim], settings.spacing * height)
    rim, normals = rim[thin], normals[thin]
    weights = np.array([PART_WEIGHTS.get(part, 1.0) for part in range(len(PARTS))]) * _table(missing.seen)
    return Rim(rim, px[rim], normals, weights[body.part_labels[rim]])


def _table(parts: Collection[int]) -> Bools:
    """Return which of PARTS are among `parts`."""
    return np.isin(np.arange(len(PARTS)), list(parts))


def _posed(body: BodyModel, x: Unknowns) -> tuple[Floats, Floats]:
    rotations = np.tile(np.eye(3), (N_JOINTS, 1, 1))
    rotations[0] = x.root[0]
    rotations[1:N_BODY_JOINTS] = rotation_and_left_jacobian(np, x.pose[0].reshape(-1, 3))[0]
    posed = body.pose(rotations=rotations, shape=x.shape[0], translation=x.move[0])
    return posed.vertices, posed.joints


def _is_outer(drawn: Floats, points: Floats, normals: Floats, cell: float) -> Bools:
    """Tell which rim points (R, 2) have nothing of the body just outside: the others lie before other parts.

    drawn: (D, 2) pixels, the body as dots, dense enough to fill cells of `cell` pixels when gaps are closed.
    """
    import cv2  # loads in 0.1 s, and the path without masks does without it

    x, y = drawn.T
    low = np.array([x.min(), y.min()]) - 4 * cell
    width, height = (np.ceil((np.array([x.max(), y.max()]) - low) / cell) + 5).astype(int)
    picture = np.zeros((height, width), np.uint8)
    columns, rows = ((x - low[0]) / cell).astype(np.intp), ((y - low[1]) / cell).astype(np.intp)
    picture.reshape(-1)[rows * width + columns] = 1
    picture = cv2.morphologyEx(picture, cv2.MORPH_CLOSE, np.ones((3, 3), np.uint8))
    inside = np.zeros(len(points), int)
    for away in (2.0, 3.0):
        columns, rows = ((points + away * cell * normals - low) / cell).astype(np.intp).T
        inside += picture[np.clip(rows, 0, height - 1), np.clip(columns, 0, width - 1)]
    return inside == 0


@dataclass(frozen=True, eq=False)
class _Mesh:
    """A body's surface as columns.

    corners (3, F) of triangles; edges (2, E); edge_faces (2, E): the two triangles of each edge; vertex_faces (D, V):
    the triangles of each vertex, padded, beside which of them count (D, V).
    """

    corners: Ints
    edges: Ints
    edge_faces: Ints
    vertex_faces: Ints
    counts: Bools


@lru_cache(maxsize=4)
def _mesh(body: BodyModel) -> _Mesh:
    faces = np.asarray(body.faces, np.intp)
    edges = np.sort(np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]]), 1)
    owner = np.tile(np.arange(len(faces)), 3)
    order = np.lexsort(edges.T)
    edges, owner = edges[order], owner[order]
    # Open borders (eyes of SMPL files) have one triangle to an edge, and no rim.
    first = np.flatnonzero((edges[1:] == edges[:-1]).all(1))
    flat = faces.reshape(-1)
    by_vertex = np.argsort(flat, kind="stable")
    starts = np.searchsorted(flat[by_vertex], np.arange(len(body.template) + 1))
    column = np.arange(int(np.diff(starts).max()))[:, None]
    entry = np.minimum(starts[:-1] + column, len(flat) - 1)
    corners, edges = np.ascontiguousarray(faces.T), np.ascontiguousarray(edges[first].T)
    both = np.stack([owner[first], owner[first + 1]])
    return _Mesh(corners, edges, both, by_vertex[entry] // 3, column < np.diff(starts))


def _vertex_normals(mesh: _Mesh, vertices: Floats, rows: Ints) -> Floats:
    """Return the outward unit normals (R, 3) of some vertices."""
    faces, inverse = np.unique(mesh.vertex_faces[:, rows], return_inverse=True)
    a, b, c = (vertices.take(corner[faces], axis=0) for corner in mesh.corners)
    (ux, uy, uz), (vx, vy, vz) = (b - a).T, (c - a).T
    across = np.stack([uy * vz - uz * vy, uz * vx - ux * vz, ux * vy - uy * vx], 1)
    around = across.take(inverse.reshape(-1), axis=0).reshape(-1, len(rows), 3)
    normals = (around * mesh.counts[:, rows, None]).sum(0)
    return normals / np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-12)


# ------------------------------------------------------------------------------------------------------- pairs


@dataclass(frozen=True, eq=False)
class Pairs:
    """Rim vertices (K,), and the lines on which their pixels should lie: through targets (K, 2), across normals (K, 2).

    weights (K,): of the rows.
    """

    vertices: Ints
    targets_px: Floats
    normals: Floats
    weights: Floats


def pair_up(
    rim: Rim, outline: Outline, height: float, bend: float, settings: ContourSettings = CONTOUR_SETTINGS
) -> Pairs:
    """Pair every rim vertex with its nearest contour point, and every contour point with its nearest rim vertex.

    Normals must agree. A contour point whose nearest rim vertex is not to be judged makes no pair: it belongs to a part
    that the annotation says nothing of.
    """
    if not len(rim.vertices) or not len(outline.points_px):
        return Pairs(np.zeros(0, int), np.zeros((0, 2)), np.zeros((0, 2)), np.zeros(0))
    distance = np.hypot(*(rim.points_px[:, axis, None] - outline.points_px[:, axis] for axis in (0, 1)))
    cosine = rim.normals @ outline.normals.T
    # A pair that looks the other way is as good as one this much farther away.
    cost = distance * (2.0 - cosine)
    cost[(cosine < settings.agree) | (distance > settings.gate * bend * height)] = np.inf
    rows, columns = np.arange(len(rim.vertices)), np.arange(len(outline.points_px))
    there, back = cost.argmin(1), cost.argmin(0)
    forth = np.isfinite(cost[rows, there])
    home = np.isfinite(cost[back, columns])
    vertex = np.concatenate([rows[forth], back[home]])
    point = np.concatenate([there[forth], columns[home]])
    weights = rim.weights[vertex]
    judged = weights > 0
    return _merged(rim, outline, vertex[judged], point[judged], weights[judged])


def _merged(rim: Rim, outline: Outline, vertex: Ints, point: Ints, weights: Floats) -> Pairs:
    """Make one row of all pairs of a vertex: the mean of their points and normals, and the sum of their weights."""
    count = len(rim.vertices)

    def total(values: Floats) -> NDArray[np.float64]:
        return np.bincount(vertex, weights * values, count).astype(float)

    share = total(np.ones(len(vertex)))
    paired = np.flatnonzero(share > 0)
    normal = np.stack([total(outline.normals[point, axis]) for axis in (0, 1)], 1)[paired]
    target = np.stack([total(outline.points_px[point, axis]) for axis in (0, 1)], 1)[paired]
    normal /= np.linalg.norm(normal, axis=1, keepdims=True)
    return Pairs(rim.vertices[paired], target / share[paired, None], normal, share[paired])


# -------------------------------------------------------------------------------------------------------- rows


@dataclass(frozen=True, eq=False)
class Terms:
    """Energy (N,), and half its gradient (N, n) and its Gauss-Newton matrix (N, n, n) when asked for."""

    energy: Floats
    gradient: Floats | None
    matrix: Floats | None


@dataclass(frozen=True, eq=False)
class ContourRows:
    """The mask term of one person, for any number of estimates of it.

    The K paired vertices are skinned sums, one entry per vertex and joint that moves it: joint, vertex (E,); a0 (E, 3)
    and aB (E, 3, B), weighted rest offsets from the joint and their shape derivative; c (22, K), weights.
    shift (22, 3, B): what shape does to each joint's place in its parent's frame. subtree (22, 22): 1 where the
    column's joint lies in the row's subtree. targets_px, normals (K, 2): as in `Pairs`. scale: 1 / sigma, 1 / pixels.
    weights (K,): square roots of what rows count. bend: of a row, in sigmas.
    """

    joint: Ints
    vertex: Ints
    a0: Floats
    aB: Floats
    c: Floats
    shift: Floats
    subtree: Floats
    targets_px: Floats
    normals: Floats
    scale: float
    weights: Floats
    bend: float

    @staticmethod
    def of(
        body: BodyModel, pairs: Pairs, height: float, bend: float, settings: ContourSettings
    ) -> "ContourRows":
        """Write the paired vertices as sums over joints. height: of the box, pixels. bend: share of it."""
        tree = _tree(body)
        weights = tree.weights[pairs.vertices]
        vertex, joint = np.nonzero(weights)
        entry, rows = weights[vertex, joint], pairs.vertices[vertex]
        a0 = entry[:, None] * (body.template[rows] - tree.joints[joint])
        aB = entry[:, None, None] * (body.shape_dirs[rows] - tree.joint_dirs[joint])
        return ContourRows(joint, vertex, a0, aB, weights.T.copy(), tree.shift, tree.subtree, pairs.targets_px,
                           pairs.normals, 1 / (settings.sigma * height), np.sqrt(settings.count * pairs.weights),
                           bend / settings.sigma)  # fmt: skip

    def taken(self, index: Ints) -> "ContourRows":
        """Return the same rows: estimates at `index` are of the same person."""
        return self

    def rows(self, problem: Problem, x: Unknowns, local: Floats, *, derivatives: bool, left: Floats) -> Terms:
        """Evaluate E_contour at estimates `x`. local, left (N, 21, 3, 3): rotations and left Jacobians of the pose."""
        G, P = self._joints(problem, x, local)
        n, k = len(P), len(self.weights)
        rest = self.a0 + (self.aB @ x.shape.T).transpose(2, 0, 1)
        turned = (G[:, self.joint] @ rest[..., None])[..., 0]
        parts = self.c[..., None] * P[:, :, None]
        parts[:, self.joint, self.vertex] += turned
        points = parts.sum(1)
        z = points[..., 2:]
        px = problem.focal[:, None, None] * points[..., :2] / z + problem.center[:, None]
        r = ((px - self.targets_px) * self.normals).sum(2) * self.scale
        bent = self.bend / np.sqrt(r * r + self.bend**2)
        rows = self.weights * r * bent
        energy = (rows * rows).sum(1)
        if not derivatives:
            return Terms(energy, None, None)
        # Of a row by its vertex (N, K, 3): the bend's own derivative makes it the third power.
        flat = (
            (self.weights * self.scale * bent**3)[..., None] * self.normals * problem.focal[:, None, None] / z
        )
        along = np.concatenate([flat, -(flat * points[..., :2]).sum(2, keepdims=True) / z], 2)
        lever = (self.subtree @ parts.reshape(n, N_BODY_JOINTS, -1)).reshape(n, N_BODY_JOINTS, k, 3)
        lever -= (self.subtree @ self.c)[..., None] * P[:, :, None]
        J = self._jacobian(G, lever, along, left)
        Jt = J.swapaxes(1, 2)
        return Terms(energy, (Jt @ rows[..., None])[..., 0], Jt @ J)

    def _joints(self, problem: Problem, x: Unknowns, local: Floats) -> tuple[Floats, Floats]:
        """Return global rotations (N, 22, 3, 3) and positions (N, 22, 3) of the joints."""
        placed = place(problem.skeleton, x.root, local, x.shape, x.move, derivatives=False)
        return placed.rotations, placed.joints

    def _jacobian(self, G: Floats, lever: Floats, along: Floats, left: Floats) -> Floats:
        """Return the rows' derivatives (N, K, n). lever (N, 22, K, 3): of what turns with a joint, from the joint."""
        n, k, b = len(G), along.shape[1], self.aB.shape[-1]
        # Turning about an axis w moves a vertex by w x lever, a row by w . (lever x along).
        (lx, ly, lz), (ax, ay, az) = np.moveaxis(lever, -1, 0), np.moveaxis(along[:, None], -1, 0)
        turn = np.stack([ly * az - lz * ay, lz * ax - lx * az, lx * ay - ly * ax], -1)
        axes = G[:, _PARENTS] @ left  # (N, 21, 3, 3): columns are the axes of a joint's rotation vector
        J = np.zeros((n, k, n_unknowns(b)))
        J[..., ROOT] = turn[:, 0]
        J[..., POSE] = (turn[:, 1:] @ axes).swapaxes(1, 2).reshape(n, k, 63)
        J[..., MOVE] = along
        in_joint = along[:, self.vertex, None] @ G[:, self.joint]  # (N, E, 1, 3)
        by_entry = (in_joint @ self.aB)[:, :, 0]
        first = np.searchsorted(self.vertex, np.arange(k))
        moved = self.shift[None].repeat(n, 0)
        moved[:, 1:] = G[:, _PARENTS] @ moved[:, 1:]
        by_shape = (self.c.T @ (self.subtree.T @ moved.reshape(n, N_BODY_JOINTS, -1))).reshape(n, k, 3, b)
        J[..., 69 : 69 + b] = (
            np.add.reduceat(by_entry, first, axis=1) + (along[:, :, None] @ by_shape)[:, :, 0]
        )
        return J


_PARENTS = np.array(SMPLX_PARENTS[1:N_BODY_JOINTS])


@dataclass(frozen=True, eq=False)
class _Tree:
    """A body's skinning on its 22 body joints: weights (V, 22), joints (22, 3), joint_dirs (22, 3, B).

    shift and subtree: as in `ContourRows`.
    """

    weights: Floats
    joints: Floats
    joint_dirs: Floats
    shift: Floats
    subtree: Floats


@lru_cache(maxsize=4)
def _tree(body: BodyModel) -> _Tree:
    """Lay a body out for the rows. Hands, jaw and eyes, which a fit does not pose, move with their body joint."""
    weights = np.asarray(body.skin_weights, float).copy()
    for joint in range(weights.shape[1] - 1, N_BODY_JOINTS - 1, -1):  # children come after their parents
        weights[:, SMPLX_PARENTS[joint]] += weights[:, joint]
    joints = np.asarray(body.joint_template, float)[:N_BODY_JOINTS]
    dirs = np.asarray(body.joint_shape_dirs, float)[:N_BODY_JOINTS]
    shift = dirs.copy()
    shift[1:] -= dirs[_PARENTS]
    subtree = np.eye(N_BODY_JOINTS)
    for joint in range(N_BODY_JOINTS - 1, 0, -1):
        subtree[SMPLX_PARENTS[joint]] += subtree[joint]
    return _Tree(weights[:, :N_BODY_JOINTS].copy(), joints, dirs, shift, subtree)
