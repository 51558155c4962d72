"""Open residual limbs for correction: refine them in the whole mesh, chart them, and know how they are posed."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import KDTree

from limbstudio.body.parts import part_of
from limbstudio.corrections.limb_frame import LimbFrame
from limbstudio.corrections.limb_surface import FADE_M, LimbSurface, Mesh
from limbstudio.corrections.refine import Refinement, refine
from limbstudio.corrections.shaping import Ring, dome, wall_map
from limbstudio.corrections.validity import folded_faces
from limbstudio.domain.anatomy import Limb
from limbstudio.domain.corrections import TipShape
from limbstudio.domain.errors import KnownError
from limbstudio.resihmr.cap import loop_area, loop_normal
from limbstudio.resihmr.pipeline import BodyMesh
from limbstudio.resihmr.reconstruction import StumpCap

Float = NDArray[np.floating]
Int = NDArray[np.integer]
Bool = NDArray[np.bool_]

_POLAR_STEPS = 3
_ROUNDING_SHARES = (1.0, 0.75, 0.5, 0.25)  # of the way from the cut's own cap to a smooth dome
_MOST_ROUNDS = 24  # of splitting, so that a shape that stretches without end ends
_SLOWLY = 2.5  # times the farthest move: how far from the seam it takes to reach it


@dataclass(frozen=True, eq=False)
class OpenedMesh:
    """A body mesh with some residual limbs refined. rest, posed (V, 3) float64: as the fit left them, flat.

    faces (F, 3); source (F,): the old face of each; limbs: as `open_limbs` made them, unedited. caps: faces of
    each limb's cap; rings: its ring in order, anticlockwise seen from outside; tips: vertex ids.
    """

    rest: Float
    posed: Float
    faces: Int
    source: Int
    residual: Bool
    parts: NDArray[np.uint8]
    limbs: Mapping[Limb, LimbSurface]
    caps: Mapping[Limb, Int]
    rings: Mapping[Limb, Int]
    tips: Mapping[Limb, int]


def open_limbs(
    mesh: BodyMesh,
    caps: tuple[StumpCap, ...],
    frames: Mapping[Limb, LimbFrame],
    shapes: Mapping[Limb, TipShape],
) -> OpenedMesh:
    """Refine the residual limbs that `frames` names, round their caps, and give their ends the shapes asked
    for.

    caps: of all limbs that were cut. KnownError for a limb that was not.
    """
    faces = np.asarray(mesh.faces, np.int64)
    rest, posed = np.asarray(mesh.tpose, float), np.asarray(mesh.vertices, float)
    by_limb = {cap.limb: cap for cap in caps}
    for limb in frames:
        if limb not in by_limb:
            raise KnownError(
                f"The {limb.value.replace('_', ' ')} has no residual limb to correct.",
                "Set its level, fit the person, or place the limb's end first.",
            )
    owner = np.full(len(faces), -1)
    for number, limb in enumerate(frames):
        owner[_faces_of(mesh, by_limb[limb])] = number
    recipe, shaped = _refined(faces, owner, rest, [by_limb[limb] for limb in frames], frames, shapes)
    flat_rest, flat_posed = recipe.carry(rest), recipe.carry(posed)
    rotation = _rotations(rest, posed, faces[owner >= 0], recipe)
    parts = np.concatenate([mesh.parts, np.zeros(len(flat_rest) - len(rest), np.uint8)])
    residual = np.concatenate([mesh.residual, np.zeros(len(flat_rest) - len(rest), bool)])
    _carry_labels(recipe, parts, residual, len(rest))
    limbs, cap_faces, rings, tips = {}, {}, {}, {}
    for limb, frame in frames.items():
        cap, made = by_limb[limb], shaped[limb]
        cap_faces[limb], rings[limb], tips[limb] = made.cap_faces, made.rim, cap.tip
        limbs[limb] = _surface(cap, frame, made, recipe.faces, flat_rest, flat_posed, rotation)
        residual[recipe.faces[made.own]] = True
        free = limbs[limb].vertex_ids[~limbs[limb].mesh.joined]
        parts[free] = part_of(limb, cap.segment)
    return OpenedMesh(
        flat_rest, flat_posed, recipe.faces, recipe.source, residual, parts, limbs, cap_faces, rings, tips
    )


def _faces_of(mesh: BodyMesh, cap: StumpCap) -> Int:
    """Return the faces of one residual limb: what is left of its segment, its ring and its cap."""
    own = np.asarray(mesh.residual, bool) & (mesh.parts == part_of(cap.limb, cap.segment))
    own[cap.boundary] = True
    inside = own[np.asarray(mesh.faces)].all(axis=1)
    inside[cap.faces] = True
    return np.flatnonzero(inside)


def _carry_labels(recipe: Refinement, parts: NDArray[np.uint8], residual: Bool, first: int) -> None:
    """Give each new vertex the part of its first parent; residual where both parents are."""
    for one, two in recipe.parents:
        rows = np.arange(first, first + len(one))
        parts[rows] = parts[one]
        residual[rows] = residual[one] & residual[two]
        first += len(one)


def _rim(cap_faces: Int) -> Int:
    """Return the ring where a cap meets the wall, in order, anticlockwise seen from outside."""
    starts, ends = cap_faces.reshape(-1), cap_faces[:, [1, 2, 0]].reshape(-1)
    count = int(cap_faces.max()) + 1
    open_edge = ~np.isin(starts * count + ends, ends * count + starts)
    onward = dict(zip(starts[open_edge].tolist(), ends[open_edge].tolist(), strict=True))
    start = next(iter(onward))
    ring = [start]
    while (here := onward[ring[-1]]) != start:
        ring.append(here)
    return np.array(ring, np.int64)


def _rotations(rest: Float, posed: Float, faces: Int, recipe: Refinement) -> Float:
    """Return how the surface turns from rest to pose at every vertex of the refined mesh, (V', 3, 3).

    By the faces round a vertex, weighted by area; the identity where none of `faces` is.
    """
    first, second = _face_axes(rest[faces]), _face_axes(posed[faces])
    area = np.linalg.norm(
        np.cross(rest[faces[:, 1]] - rest[faces[:, 0]], rest[faces[:, 2]] - rest[faces[:, 0]]), axis=1
    )
    turn = area[:, None, None] * (second @ first.transpose(0, 2, 1))
    total = np.zeros((len(rest), 9))
    corner = faces.reshape(-1)
    for i in range(9):
        total[:, i] = np.bincount(
            corner, weights=np.repeat(turn.reshape(-1, 9)[:, i], 3), minlength=len(rest)
        )
    none = ~np.isin(np.arange(len(rest)), corner)
    total[none] = np.eye(3).reshape(-1)
    total /= np.maximum(np.linalg.norm(total, axis=1), 1e-30)[:, None] / np.sqrt(3)
    matrix = recipe.carry(total).reshape(-1, 3, 3)
    for _ in range(_POLAR_STEPS):  # Newton's way to the nearest rotation: half the matrix, half its inverse
        a, b, c = matrix[:, 0], matrix[:, 1], matrix[:, 2]
        adjugate = np.stack([np.cross(b, c), np.cross(c, a), np.cross(a, b)], axis=1)
        matrix = 0.5 * (matrix + adjugate / np.einsum("ni,ni->n", a, adjugate[:, 0])[:, None, None])
    return matrix


def _face_axes(corners: Float) -> Float:
    """Return an orthonormal frame (F, 3, 3), axes in columns, that moves rigidly with each triangle."""
    u, v = corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]
    x = u / np.maximum(np.linalg.norm(u, axis=1), 1e-30)[:, None]
    z = np.cross(u, v)
    z /= np.maximum(np.linalg.norm(z, axis=1), 1e-30)[:, None]
    return np.stack([x, np.cross(z, x), z], axis=2)


@dataclass(frozen=True, eq=False)
class _Shaped:
    """A refined limb with its end rounded and shaped. own (F',): its faces; ids (n,): its vertices in the whole mesh.

    joined (n,): shared with the body. points (n, 3): at rest; height (n,), footing (n, 3): see `dome`. rim: vertex ids
    of the ring; cap_faces: of the whole mesh.
    """

    own: Bool
    ids: Int
    joined: Bool
    points: Float
    height: Float
    footing: Float
    ring: Ring
    rim: Int
    cap_faces: Int


def _refined(
    faces: Int,
    owner: Int,
    rest: Float,
    caps: Sequence[StumpCap],
    frames: Mapping[Limb, LimbFrame],
    shapes: Mapping[Limb, TipShape],
) -> tuple[Refinement, dict[Limb, _Shaped]]:
    """Refine the limbs until no edge is too long where their ends have been rounded and shaped, too.

    owner (F,): which of the caps' limbs each face belongs to, -1 none.
    """
    recipe = refine(faces, owner >= 0, rest)
    while True:
        points = recipe.carry(rest)
        flat, owner_now, shaped = points.copy(), owner[recipe.source], {}
        for number, cap in enumerate(caps):
            limb = cap.limb
            own = owner_now == number
            made = _shaped(cap, frames[limb], faces, recipe, own, rest, flat, shapes.get(limb))
            points[made.ids] = made.points
            shaped[limb] = made
        again = refine(recipe.faces, owner_now >= 0, points)
        if not again.parents or len(recipe.parents) > _MOST_ROUNDS:
            return recipe, shaped
        recipe = recipe.then(again)


def _shaped(
    cap: StumpCap,
    frame: LimbFrame,
    faces: Int,
    recipe: Refinement,
    own: Bool,
    rest: Float,
    flat_rest: Float,
    shape: TipShape | None,
) -> _Shaped:
    """Round a limb's cap, and give its end the shape asked for. faces (F, 3), rest (V, 3): before refinement."""
    is_cap_face = np.zeros(len(faces), bool)
    is_cap_face[cap.faces] = True
    cap_faces = np.flatnonzero(is_cap_face[recipe.source])
    rim = _rim(recipe.faces[cap_faces])
    ids = np.unique(recipe.faces[own])
    beyond = np.zeros(len(flat_rest), bool)
    beyond[recipe.faces[~own]] = True
    height, footing = _cap_attributes(cap, rest, recipe, ids)
    points = flat_rest[ids].copy()
    ring = _ring(flat_rest[rim], cap, rest)
    wall = height <= 0
    if shape is not None:
        move = _held_at_seam(wall_map(shape, ring, points[wall]), points[wall], points[beyond[ids]])
        points[wall] = move(points[wall])
        footing = move(footing)
        ring = Ring(move(ring.points), move(ring.centre[None])[0], ring.outward, ring.radius)
    if cap.shape.star_shaped:
        inside = ~wall
        round_cap = dome(
            height[inside], footing[inside], ring, height=cap.shape.height, lateral=frame.lateral, shape=shape
        )
        if shape is None:
            local = np.searchsorted(ids, recipe.faces[own])
            points[inside] = _unfolded(points, inside, round_cap, local[is_cap_face[recipe.source[own]]])
        else:
            points[inside] = round_cap  # asked for: it is refused where it folds
    return _Shaped(own, ids, beyond[ids], points, height, footing, ring, rim, cap_faces)


def _unfolded(points: Float, inside: Bool, round_cap: Float, faces: Int) -> Float:
    """Return the rounded cap, or one nearer to the cut's own where the ring is so bent that rounding would fold it."""
    flat, trial = points[inside], points.copy()
    known = folded_faces(points, faces)
    for share in _ROUNDING_SHARES:
        trial[inside] = flat + share * (round_cap - flat)
        if not len(np.setdiff1d(folded_faces(trial, faces), known)):
            return trial[inside]
    return flat


def _surface(
    cap: StumpCap,
    frame: LimbFrame,
    made: _Shaped,
    faces: Int,
    flat_rest: Float,
    flat_posed: Float,
    rotation: Float,
) -> LimbSurface:
    """Chart a limb. faces (F', 3), flat_rest, flat_posed (V', 3), rotation (V', 3, 3): of the whole refined mesh."""
    ids, wall = made.ids, made.height <= 0
    faces = np.searchsorted(ids, faces[made.own])
    local = frame.local(flat_rest[ids])
    reach = np.maximum(np.linalg.norm(local[:, 1:], axis=1), 1e-9)
    girth = float(reach[wall].mean()) if wall.any() else float(reach.mean())
    wall_chart = np.column_stack([local[:, 0], girth * local[:, 1:] / reach[:, None]])
    arms = made.footing - made.ring.centre
    psi = np.arctan2(arms @ frame.lateral, arms @ frame.anterior)
    disk_chart = (1 - made.height)[:, None] * np.stack([np.cos(psi), np.sin(psi)], axis=1)
    mesh = Mesh(
        faces, ids, np.flatnonzero(made.own), made.joined, made.height, wall_chart, disk_chart, girth, rotation[ids],
        flat_rest[ids], flat_posed[ids],
    )  # fmt: skip
    return LimbSurface(cap.limb, cap.segment, frame, mesh, made.points, made.points)


def _held_at_seam(move: Callable[[Float], Float], wall: Float, seam: Float) -> Callable[[Float], Float]:
    """Return a map of positions that leaves the seam (k, 3) where it is, and fades so slowly that nothing folds."""
    if not len(seam):
        return move
    farthest = float(np.linalg.norm(move(wall) - wall, axis=1).max(initial=0.0))
    # Smoothstep rises by at most 1.5 over its length: the move changes by less than the way it is taken over.
    length, tree = max(FADE_M, _SLOWLY * farthest), KDTree(seam)

    def held(points: Float) -> Float:
        x = np.clip(np.asarray(tree.query(points)[0]) / length, 0, 1)
        return points + (x * x * (3 - 2 * x))[:, None] * (move(points) - points)

    return held


def _ring(points: Float, cap: StumpCap, rest: Float) -> Ring:
    boundary = rest[cap.boundary]
    outward = loop_normal(boundary)
    tip = cap.shape.combination[cap.shape.tip] @ boundary if cap.shape.star_shaped else boundary.mean(axis=0)
    return Ring(points, tip, outward, float(np.sqrt(loop_area(boundary) / np.pi)))


def _cap_attributes(cap: StumpCap, rest: Float, recipe: Refinement, ids: Int) -> tuple[Float, Float]:
    """Return, for the vertices `ids`: height on the cap (0 ring, 1 tip), and the ring point below (3,)."""
    n = len(cap.boundary)
    made = len(cap.shape.offset)
    height, share, footing = np.zeros(len(rest)), np.zeros(len(rest)), rest.copy()
    ring = rest[cap.boundary]
    rows = cap.first + np.arange(made)
    height[rows[:n]] = 1 / 3
    height[rows[n : 2 * n]] = 2 / 3
    for block in (0, 1):
        footing[rows[block * n : (block + 1) * n]] = ring
    if cap.shape.star_shaped:
        height[rows[2 * n]] = share[rows[2 * n]] = 1.0
        footing[rows[2 * n]] = 0.0  # counts nowhere
    else:
        height[rows[cap.shape.tip]] = 1.0
    out_height = recipe.carry(height)[ids]
    out_share = recipe.carry(share)[ids]
    weighted = recipe.carry(footing)[ids]
    rest_share = np.maximum(1 - out_share, 1e-9)[:, None]
    out_footing = np.where(out_share[:, None] < 1 - 1e-9, weighted / rest_share, ring[0])
    return out_height, out_footing
