"""One body of a sample: posed, its lost limbs cut or collapsed, dressed and put down; with all that is known of it.

World frame: metres, y up, the person at the origin facing +z; the floor is y = 0.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from limbstudio.a3d.clothing import Landmarks, Outfit, landmarks, thickness
from limbstudio.a3d.grain import grain
from limbstudio.a3d.people import cut_limbs, place_ends
from limbstudio.a3d.plans import Aid, Geometry, LostLimb
from limbstudio.a3d.solids import smooth_normals
from limbstudio.body.coarse import LONGEST_EDGE_M, OFF_M, collapsed
from limbstudio.body.kinematics import rotation_matrices
from limbstudio.body.model import BodyModel, PosedBody
from limbstudio.body.parts import PART_INDEX, PARTS, distal_parts
from limbstudio.domain.anatomy import N_COCO, N_KEYPOINTS, SMPLX_INDEX, SMPLX_PARENTS, Limb, level_rule
from limbstudio.rendering.raster import Floats, Ints
from limbstudio.resihmr.pipeline import carried_parts
from limbstudio.resihmr.reconstruction import Reconstruction

Bools = NDArray[np.bool_]
LIMBS: tuple[Limb, ...] = tuple(Limb)
# The limb of each part, as a row of LIMBS; -1 for head and trunk.
PART_LIMB: Ints = np.full(len(PARTS), -1)
for _row, _limb in enumerate(LIMBS):
    PART_LIMB[list(distal_parts(_limb, _limb.segments[0]))] = _row
_SEAT_SINK_M = 0.012
SEAT_M = {Aid.WHEELCHAIR: 0.51, Aid.CHAIR: 0.46}
FOOTREST_M = 0.13


@dataclass(frozen=True, eq=False)
class Seat:
    """Where a person sits, world, metres. height: of the seat; hips (3,) between the hips; thigh_m: hip to knee."""

    height: float
    hips: Floats
    thigh_m: float


@dataclass(frozen=True, eq=False)
class Figure:
    """A dressed body with its truth, world, metres.

    vertices, bare (V', 3): with and without clothes; rest (V', 3): their places on the T-pose. faces (F', 3); part
    (F',): into PARTS; residual (F',) bool; casting: fewer faces, good enough for shadows. intact (V, 3): the body
    before limb loss; ghosts: its faces beyond the end of each lost limb. rotations (55, 3): the pose; zeroed: joints
    that are drawn with a zero matrix instead. joints (55, 3): of the intact tree, drawn_joints (55, 3): as drawn.
    keypoints (25, 3): NaN where a point cannot exist; beyond (25, 3): COCO's points of the intact body. seat: what
    the person sits on, or None.
    """

    vertices: Floats
    bare: Floats
    rest: Floats
    faces: Ints
    part: Ints
    residual: Bools
    marks: Landmarks
    casting: Ints
    intact: Floats
    ghosts: Mapping[Limb, Ints]
    rotations: Floats
    shape: Floats
    pelvis_rest: Floats
    joints: Floats
    drawn_joints: Floats
    keypoints: Floats
    beyond: Floats
    zeroed: tuple[int, ...]
    seat: Seat | None
    stature_m: float


def make_figure(
    body: BodyModel,
    vectors: Floats,
    shape: Floats,
    limbs: Mapping[Limb, LostLimb],
    outfit: Outfit,
    aid: Aid,
) -> Figure:
    """Make the body. vectors: (55, 3) rotation vectors, facing +z. shape: (B,)."""
    marks = landmarks(body, shape)
    rest = body.rest_vertices(shape).astype(float)
    turns = rotation_matrices(np.asarray(vectors, np.float32))
    posed = body.pose(rotations=turns, shape=shape)
    whole = posed.vertices.astype(float)
    zeroed = collapsed_joints(limbs)
    drawn = posed
    if zeroed:
        turns = turns.copy()
        turns[list(zeroed)] = 0
        drawn = body.pose(rotations=turns, shape=shape)
    cut = {
        limb: (lost.level, lost.factor) for limb, lost in limbs.items() if lost.geometry is Geometry.RESIDUAL
    }
    recipe = cut_limbs(body, shape, cut)
    bare, rest_carried, faces = drawn.vertices.astype(float), rest, body.faces
    part, residual = body.part_labels, np.zeros(len(bare), bool)
    if recipe is not None:
        bare, rest_carried, faces = recipe.carry_points(bare), recipe.carry_points(rest), recipe.faces
        part, residual = carried_parts(recipe, part), recipe.residual.copy()
    for limb, lost in limbs.items():
        if lost.geometry is Geometry.COLLAPSED:
            segment = level_rule(limb, lost.level).segment
            assert segment is not None
            residual |= np.isin(part, distal_parts(limb, segment))
    thick = thickness(rest_carried, marks, outfit, noise=grain)
    dressed = bare + smooth_normals(bare, faces) * thick[:, None]
    lift, seat = _put_down(body, posed, dressed, limbs, aid)

    a, b, c = faces.T
    joints, beyond, keypoints = posed.joints.astype(float), *_keypoints(body, posed, drawn, limbs)
    return Figure(
        vertices=dressed + lift,
        bare=bare + lift,
        rest=rest_carried,
        faces=faces,
        part=np.minimum(np.minimum(part[a], part[b]), part[c]),
        residual=residual[a] & residual[b] & residual[c],
        casting=_casting(body, recipe),
        marks=marks,
        intact=whole + lift,
        ghosts={limb: _beyond_end(body, rest, shape, limb, lost) for limb, lost in limbs.items()},
        rotations=np.asarray(vectors, float),
        shape=shape,
        pelvis_rest=body.rest_joints(shape)[0].astype(float),
        joints=joints + lift,
        drawn_joints=drawn.joints.astype(float) + lift,
        keypoints=keypoints + lift,
        beyond=beyond + lift,
        zeroed=zeroed,
        seat=seat,
        stature_m=float(np.ptp(rest[:, 1])),
    )


@lru_cache(maxsize=2)
def coarse_faces(body: BodyModel) -> Ints:
    """Return a few large faces over the vertices of a body; takes about a second, once."""
    faces, kept = collapsed(
        body.template.astype(float), body.faces, body.part_labels, off_m=OFF_M, longest_m=LONGEST_EDGE_M
    )
    return kept[faces]


def _casting(body: BodyModel, recipe: Reconstruction | None) -> Ints:
    """Return a few large faces that throw about the shadow of the whole; the ends of residual limbs stay open."""
    faces = coarse_faces(body)
    if recipe is None:
        return faces
    number = np.full(body.n_vertices, -1)
    number[recipe.edge_source[: recipe.kept_count, 0]] = np.arange(recipe.kept_count)
    faces = number[faces]
    return faces[(faces >= 0).all(1)]


def collapsed_joints(limbs: Mapping[Limb, LostLimb]) -> tuple[int, ...]:
    """Return the joints of the 55 whose rotations AJAHR sets to zero matrices: where the limb ends, and all beyond."""
    zeroed: set[int] = set()
    for limb, lost in limbs.items():
        if lost.geometry is not Geometry.COLLAPSED:
            continue
        rule = level_rule(limb, lost.level)
        first = rule.upstream if rule.removed_at_root else rule.anchor
        assert first is not None
        below = {SMPLX_INDEX[first]}
        for joint, parent in enumerate(SMPLX_PARENTS):  # children come after their parents
            if parent in below:
                below.add(joint)
        zeroed |= below
    return tuple(sorted(zeroed))


def _keypoints(
    body: BodyModel, posed: PosedBody, drawn: PosedBody, limbs: Mapping[Limb, LostLimb]
) -> tuple[Floats, Floats]:
    """Return the 25 points of the intact body and those of the person, NaN where one cannot exist."""
    whole = np.full((N_KEYPOINTS, 3), np.nan)
    whole[:N_COCO] = body.keypoint_regressors["coco17"].apply(posed.vertices.astype(float))
    points = whole.copy()
    # The point of a joint at which a limb ends is the intact limb's: the collapse draws in what lies around it.
    place_ends(
        points, posed.joints.astype(float), {limb: (lost.level, lost.factor) for limb, lost in limbs.items()}
    )
    return whole, points


def _beyond_end(body: BodyModel, rest: Floats, shape: Floats, limb: Limb, lost: LostLimb) -> Ints:
    """Return the faces of the intact body that lie beyond the end of a lost limb."""
    rule = level_rule(limb, lost.level)
    assert rule.segment is not None and rule.anchor is not None and rule.upstream is not None
    segments = limb.segments
    if rule.removed_at_root:
        gone = np.isin(body.part_labels, distal_parts(limb, segments[0]))
    else:
        joints = body.rest_joints(shape).astype(float)
        anchor, upstream = joints[SMPLX_INDEX[rule.anchor]], joints[SMPLX_INDEX[rule.upstream]]
        end = anchor + lost.factor * (upstream - anchor)
        gone = np.isin(body.part_labels, distal_parts(limb, rule.segment))
        gone &= (rest - end) @ (anchor - upstream) > 0
    return body.faces[gone[body.faces].all(1)]


def _put_down(
    body: BodyModel, posed: PosedBody, dressed: Floats, limbs: Mapping[Limb, LostLimb], aid: Aid
) -> tuple[Floats, Seat | None]:
    """Return the shift that puts the person on the floor or on a seat, and the seat."""
    joints, vertices = posed.joints.astype(float), posed.vertices
    hips = (joints[SMPLX_INDEX["left_hip"]] + joints[SMPLX_INDEX["right_hip"]]) / 2
    low = float(dressed[:, 1].min())
    if aid not in SEAT_M:
        for limb, lost in limbs.items():  # a prosthesis reaches as far as the limb did
            if lost.prosthesis is not None and not limb.is_arm:
                foot = np.isin(body.part_labels, distal_parts(limb, limb.segments[2]))
                low = min(low, float(vertices[foot, 1].min()))
        return np.array([-hips[0], -low, -hips[2]]), None
    knees = (joints[SMPLX_INDEX["left_knee"]] + joints[SMPLX_INDEX["right_knee"]]) / 2
    thigh = float(np.linalg.norm((knees - hips)[[0, 2]]))
    under = np.isin(body.part_labels, [PART_INDEX[n] for n in ("torso", "left_thigh", "right_thigh")])
    near = under & (vertices[:, 2] < hips[2] + 0.6 * thigh) & (vertices[:, 1] < hips[1] + 0.1)
    seat = float(vertices[near, 1].min()) + _SEAT_SINK_M
    floor = seat - SEAT_M[aid]
    feet = low - (FOOTREST_M if aid is Aid.WHEELCHAIR else 0.0)
    if seat - feet > 0.3:  # some leg reaches down: it stands on the floor or the footrest
        floor = feet
    lift = np.array([-hips[0], -floor, -hips[2]])
    return lift, Seat(seat - floor, hips + lift, thigh)
