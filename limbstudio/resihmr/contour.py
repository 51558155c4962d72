"""The mask term of the energy: the body's outline against the contour of the person's mask.

Rim vertices of the posed body and points of the mask's contour are paired, in both directions, where their outward
normals agree; each pair is one robust row, the distance of the projected vertex from the contour along its normal.
Pairs are chosen anew in each of a few rounds and held fixed in between, so that rows are cheap and derivatives exact.

Only what is seen is judged: vertices that do not exist (beyond a cut), parts whose joints nobody placed, and
contours along the picture's border make no pairs. Clothes, hair and things carried widen masks; the bend of the rows
lets such stretches go.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from limbstudio.body.folding import fold_vertices
from limbstudio.body.model import N_JOINTS, BodyModel
from limbstudio.body.parts import HEAD, PART_INDEX, TORSO, distal_parts, part_of
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
from limbstudio.resihmr.energy import Problem, Unknowns, n_unknowns
from limbstudio.resihmr.problem import FitModel, FitSettings, box_height, residual_limbs
from limbstudio.resihmr.skeleton import Placed, fold_skeleton, place
from limbstudio.resihmr.solver import minimise

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
    count: float = 0.06
    bends: tuple[float, ...] = (0.08, 0.06, 0.04, 0.04)
    gate: float = 2.0
    steps: int = 5
    spacing: float = 0.02
    agree: float = 0.6
    height_px: int = 256
    cell: float = 0.01


CONTOUR_SETTINGS = ContourSettings()
# Outlines of hair, of hands whose fingers the fit does not move, and of shoes say less of the body.
PART_WEIGHTS: Mapping[int, float] = {
    HEAD: 0.5,
    **{PART_INDEX[f"{side}_{part}"]: 0.5 for side in ("left", "right") for part in ("hand", "foot")},
}
# A vertex normal points out of the picture's plane by less than this at the rim, or it is no rim vertex of use.
_LEAST_FLAT_NORMAL = 0.3
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

    mask: (H, W) bool, the person's silhouette at photo resolution. problem, x: of one person. A mask that has no contour
    near the body leaves both as they are.
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
        found = replace(problem, contour=rows)
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
    """Vertices on the body's outline: their indices (R,), pixels (R, 2), outward normals (R, 2), and weights (R,),
    which are 0 where a vertex exists but its place is nobody's claim.
    """

    vertices: Ints
    points_px: Floats
    normals: Floats
    weights: Floats


@dataclass(frozen=True)
class _Missing:
    """What of a body does not exist, and what nobody said the place of.

    gone: parts that do not exist. cut: (part, anchor, upstream, slot) of segments that end at lambda. seen: parts to judge.
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

    A segment needs the points at both its ends (a residual limb its upper joint and its placed end), a hand its wrist, a
    foot its ankle, the head one point of the face, the trunk one shoulder or hip. limb_loss: residual ends count.
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
    exists = ~np.isin(body.part_labels, missing.gone)
    for part, anchor, upstream, slot in missing.cut:
        bone = joints[upstream] - joints[anchor]
        along = (vertices - joints[anchor]) @ bone / (bone @ bone)
        exists &= (body.part_labels != part) | (along >= x.factor[0, slot])
    exists &= vertices[:, 2] > 0.05
    depth = np.where(exists, vertices[:, 2], 1.0)
    px = problem.focal[0] * vertices[:, :2] / depth[:, None] + problem.center[0]

    mesh = _mesh(body)
    a, b, c = (px[mesh.faces[:, i]] for i in range(3))
    turned = (b[:, 0] - a[:, 0]) * (c[:, 1] - a[:, 1]) - (c[:, 0] - a[:, 0]) * (b[:, 1] - a[:, 1]) > 0
    whole = exists[mesh.faces].all(1)
    one, other = mesh.edge_faces.T
    turns = (turned[one] != turned[other]) & whole[one] & whole[other]
    rim = np.unique(mesh.edges[turns])
    normals = _vertex_normals(mesh, vertices, rim)
    # A rim's tangent plane holds the camera, so the picture's normal is the normal without its depth.
    flat = normals[:, :2]
    length = np.linalg.norm(flat, axis=1)
    kept = length > _LEAST_FLAT_NORMAL
    rim, flat = rim[kept], flat[kept] / length[kept, None]
    outer = _is_outer(px, exists, whole, mesh, rim, flat, settings.cell * height)
    rim, flat = rim[outer], flat[outer]
    thin = _thinned(px[rim], settings.spacing * height)
    rim, flat = rim[thin], flat[thin]
    weights = np.array([PART_WEIGHTS.get(part, 1.0) if part in missing.seen else 0.0 for part in range(len(PART_INDEX))])
    return Rim(rim, px[rim], flat, weights[body.part_labels[rim]])


def _posed(body: BodyModel, x: Unknowns) -> tuple[Floats, Floats]:
    rotations = np.tile(np.eye(3), (N_JOINTS, 1, 1))
    rotations[0] = x.root[0]
    rotations[1:N_BODY_JOINTS] = rotation_and_left_jacobian(np, x.pose[0].reshape(-1, 3))[0]
    posed = body.pose(rotations=rotations, shape=x.shape[0], translation=x.move[0])
    return posed.vertices, posed.joints


def _is_outer(
    px: Floats, exists: Bools, whole: Bools, mesh: "_Mesh", rim: Ints, normals: Floats, cell: float
) -> Bools:
    """Tell which rim vertices have nothing of the body behind them just outside: the others lie before other parts.

    The body is drawn by its vertices and the middles of its triangles, in cells of `cell` pixels, gaps closed.
    """
    import cv2  # loads in 0.1 s, and the path without masks does without it

    middles = px[mesh.faces[whole]].mean(1)
    drawn = np.concatenate([px[exists], middles])
    low = drawn.min(0) - 4 * cell
    width, height = (np.ceil((drawn.max(0) - low) / cell) + 5).astype(int)
    picture = np.zeros((height, width), np.uint8)
    columns, rows = ((drawn - low) / cell).astype(int).T
    picture[rows, columns] = 1
    picture = cv2.morphologyEx(picture, cv2.MORPH_CLOSE, np.ones((3, 3), np.uint8))
    inside = np.zeros(len(rim), int)
    for away in (2.0, 3.0):
        columns, rows = ((px[rim] + away * cell * normals - low) / cell).astype(int).T
        inside += picture[np.clip(rows, 0, height - 1), np.clip(columns, 0, width - 1)]
    return inside == 0


@dataclass(frozen=True, eq=False)
class _Mesh:
    """A body's triangles (F, 3), edges (E, 2), the two triangles of each edge (E, 2), and of each vertex its triangles,
    padded with repeats (V, D) beside which of them count (V, D).
    """

    faces: Ints
    edges: Ints
    edge_faces: Ints
    vertex_faces: Ints
    counts: Floats


@lru_cache(maxsize=4)
def _mesh(body: BodyModel) -> _Mesh:
    faces = np.asarray(body.faces, np.int64)
    corners = np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]])
    owner = np.tile(np.arange(len(faces)), 3)
    corners = np.sort(corners, 1)
    order = np.lexsort(corners.T[::-1])
    corners, owner = corners[order], owner[order]
    # Open borders (SMPL files) and edges of three triangles have no rim.
    same = (corners[1:] == corners[:-1]).all(1)
    alone = same & ~np.append(False, same[:-1]) & ~np.append(same[1:], False)
    first = np.flatnonzero(alone)
    by_vertex = np.argsort(faces.reshape(-1), kind="stable")
    starts = np.searchsorted(faces.reshape(-1)[by_vertex], np.arange(len(body.template) + 1))
    degree = np.diff(starts)
    column = np.arange(max(1, int(degree.max())))
    reach = np.minimum(starts[:-1, None] + np.minimum(column, np.maximum(degree - 1, 0)[:, None]), 3 * len(faces) - 1)
    return _Mesh(faces, corners[first], np.stack([owner[first], owner[first + 1]], 1), by_vertex[reach] // 3,
                 (column < degree[:, None]).astype(float))  # fmt: skip


def _vertex_normals(mesh: _Mesh, vertices: Floats, rows: Ints) -> Floats:
    """Return the outward unit normals (R, 3) of some vertices."""
    a, b, c = (vertices[mesh.faces[mesh.vertex_faces[rows]][..., i]] for i in range(3))
    normals = (np.cross(b - a, c - a) * mesh.counts[rows][..., None]).sum(1)
    return normals / np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-12)


# ------------------------------------------------------------------------------------------------------- pairs


@dataclass(frozen=True, eq=False)
class Pairs:
    """Rim vertices (K,) and where their pixels should lie: on the lines through targets (K, 2) along the contour, whose
    normals are (K, 2). weights (K,).
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
    gap = rim.points_px[:, None] - outline.points_px
    distance = np.sqrt((gap * gap).sum(2))
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
    vertex, point = vertex[judged], point[judged]
    return Pairs(rim.vertices[vertex], outline.points_px[point], outline.normals[point], weights[judged])


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

    a0 (22, K, 3), aB (22, K, 3, B), c (22, K): the paired vertices, folded. shift (22, 3, B): what shape does to each
    joint's place in its parent's frame. subtree (22, 22): 1 where the column's joint lies in the row's subtree.
    targets_px, normals (K, 2). scale (K,): 1 / sigma, pixels, weights within. bend: of a row, in the unit of the rows,
    before weights.
    """

    a0: Floats
    aB: Floats
    c: Floats
    shift: Floats
    subtree: Floats
    targets_px: Floats
    normals: Floats
    scale: Floats
    weights: Floats
    bend: float

    @staticmethod
    def of(body: BodyModel, pairs: Pairs, height: float, bend: float, settings: ContourSettings) -> "ContourRows":
        """Fold the paired vertices. height: of the box, pixels. bend: share of it."""
        unique, which = np.unique(pairs.vertices, return_inverse=True)
        a0, aB, c = fold_skeleton(body, fold_vertices(body, unique))
        shift, subtree = _kinematics(body)
        scale = np.full(len(which), 1 / (settings.sigma * height))
        return ContourRows(a0[:, which], aB[:, which], c[:, which], shift, subtree, pairs.targets_px, pairs.normals,
                           scale, np.sqrt(settings.count * pairs.weights), bend / settings.sigma)  # fmt: skip

    def taken(self, index: Ints) -> "ContourRows":
        """Return the same rows: estimates at `index` are of the same person."""
        return self

    def rows(self, problem: Problem, x: Unknowns, local: Floats, *, derivatives: bool, left: Floats) -> Terms:
        """Evaluate E_contour at estimates `x`. local, left (N, 21, 3, 3): rotations and left Jacobians of the pose."""
        placed = place(problem.skeleton, x.root, local, x.shape, x.move, derivatives=False)
        G, P = placed.rotations, placed.joints
        turned = (self.a0 + np.einsum("jkcb,nb->njkc", self.aB, x.shape)) @ G.swapaxes(-1, -2)
        parts = turned + self.c[..., None] * P[:, :, None]
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
        flat = (self.weights * self.scale * bent**3)[..., None] * self.normals * problem.focal[:, None, None] / z
        along = np.concatenate([flat, -(flat * points[..., :2]).sum(2, keepdims=True) / z], 2)
        J = self._jacobian(placed, parts, along, left)
        Jt = J.swapaxes(1, 2)
        return Terms(energy, (Jt @ rows[..., None])[..., 0], Jt @ J)

    def _jacobian(self, placed: Placed, parts: Floats, along: Floats, left: Floats) -> Floats:
        """Return the rows' derivatives (N, K, n). parts (N, 22, K, 3): each joint's contribution to a vertex."""
        G, P = placed.rotations, placed.joints
        n, k, b = len(P), along.shape[1], self.aB.shape[-1]
        lever = (self.subtree @ parts.reshape(n, N_BODY_JOINTS, -1)).reshape(parts.shape)
        lever -= (self.subtree @ self.c)[..., None] * P[:, :, None]
        # Turning about axis w moves a vertex by w x lever, a row by w . (lever x along).
        turn = np.cross(lever, along[:, None])
        parents = np.array(SMPLX_PARENTS[1:N_BODY_JOINTS])
        axes = G[:, parents] @ left  # (N, 21, 3, 3): columns are the axes of a joint's rotation vector
        J = np.zeros((n, k, n_unknowns(b)))
        J[..., :3] = turn[:, 0]
        J[..., 3:66] = (turn[:, 1:] @ axes).swapaxes(1, 2).reshape(n, k, 63)
        J[..., 66:69] = along
        in_joint = along[:, None] @ G  # (N, 22, K, 3): the row's direction in each joint's frame
        shaped = np.einsum("njkc,jkcb->nkb", in_joint, self.aB)
        moved = self.shift.copy()[None].repeat(n, 0)
        moved[:, 1:] = G[:, parents] @ moved[:, 1:]
        joint_by_shape = (self.subtree.T @ moved.reshape(n, N_BODY_JOINTS, -1)).reshape(moved.shape)
        shaped += np.einsum("nkc,jk,njcb->nkb", along, self.c, joint_by_shape, optimize=True)
        J[..., 69 : 69 + b] = shaped
        return J


@lru_cache(maxsize=4)
def _kinematics(body: BodyModel) -> tuple[Floats, Floats]:
    """Return what shape does to each joint's offset from its parent (22, 3, B), and the subtree matrix (22, 22)."""
    shift = np.asarray(body.joint_shape_dirs, float)[:N_BODY_JOINTS].copy()
    shift[1:] -= np.asarray(body.joint_shape_dirs, float)[np.array(SMPLX_PARENTS[1:N_BODY_JOINTS])]
    subtree = np.eye(N_BODY_JOINTS)
    for joint in range(N_BODY_JOINTS - 1, 0, -1):
        subtree[SMPLX_PARENTS[joint]] += subtree[joint]
    return shift, subtree
