"""One synthetic person: posed, with residual limbs, dressed, in front of a camera, and the whole truth."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np

from limbstudio.a3d.clothing import Landmarks, Outfit, landmarks, paint_person, thickness
from limbstudio.a3d.places import PLACES, Standpoint
from limbstudio.body.kinematics import rotation_matrices, rotation_vectors
from limbstudio.body.model import BodyModel
from limbstudio.body.parts import PART_INDEX
from limbstudio.domain.anatomy import (
    LDPOSE,
    N_COCO,
    N_KEYPOINTS,
    SMPLX_INDEX,
    KeypointState,
    Level,
    Limb,
    Posture,
    Segment,
    level_rule,
)
from limbstudio.domain.geometry import Camera, FocalSource
from limbstudio.rendering.raster import Floats, Ints, vertex_normals
from limbstudio.rendering.scene import Paint, Piece, ScenePicture, Viewpoint, draw_scene, look_at
from limbstudio.resihmr.limb_cut import LimbRegions, joint_mode_cut, limb_regions, root_cut
from limbstudio.resihmr.reconstruction import Reconstruction, reconstruct

# How deep under the skin a keypoint lies at most, metres: deeper behind the visible surface it is hidden.
DEPTH_M = {"hip": 0.17, "shoulder": 0.12, "elbow": 0.085, "wrist": 0.075, "knee": 0.115, "ankle": 0.085}
FACE_DEPTH_M = 0.045
_SEAT_SINK_M = 0.012


@dataclass(frozen=True)
class PersonPlan:
    """How to make one person.

    pose: row of the motion file. mirrored: exchange left and right of the pose. limbs: level and lambda of
    each residual limb. yaw_deg: 0 faces the camera, 90 turns the person's face to the right of the picture.
    place: a name of `places.PLACES`. camera_height_m: of the lens. fill: share of the picture's height or
    width that the person takes. flat_feet: level the soles (motion capture leaves standing and seated feet a
    little on their toes).
    """

    name: str
    pose: int
    place: str
    outfit: Outfit
    shape: tuple[float, ...]
    limbs: Mapping[Limb, tuple[Level, float]] = field(default_factory=dict)
    mirrored: bool = False
    yaw_deg: float = 0.0
    posture: Posture = Posture.STANDING
    size_px: tuple[int, int] = (720, 1000)
    focal_px: float = 1150.0
    camera_height_m: float = 1.35
    fill: float = 0.82
    flat_feet: bool = True
    seat_height_m: float = 0.50


@dataclass(frozen=True, eq=False)
class Truth:
    """What is known of a synthetic person, camera frame, metres.

    up: (3,) away from the ground. orientation (3,), pose (54, 3), shape, translation: as in `BodyFit`.
    joints: (55, 3). keypoints (25, 3) and keypoints_px (25, 2): NaN where a point cannot exist. states: of
    the 25 points. vertices, faces, residual: the bare body.
    """

    camera: Camera
    up: Floats
    orientation: Floats
    pose: Floats
    shape: Floats
    translation: Floats
    joints: Floats
    keypoints: Floats
    keypoints_px: Floats
    states: tuple[KeypointState, ...]
    vertices: Floats
    faces: Ints
    residual: np.ndarray


@dataclass(frozen=True, eq=False)
class SyntheticPhoto:
    """pixels: (H, W, 3) uint8 RGB. mask: (H, W) bool, the person as seen, clothes and hair included."""

    pixels: np.ndarray
    mask: np.ndarray
    truth: Truth


def make_person(plan: PersonPlan, body: BodyModel, axis_angles: Floats, *, seed: int) -> SyntheticPhoto:
    """Draw one person and return the picture with its truth. axis_angles: (55, 3), world upright (y up)."""
    shape = np.asarray(plan.shape, float)
    marks = landmarks(body, shape)
    recipe = cut_limbs(body, shape, plan.limbs)
    posed = body.pose(axis_angles=axis_angles, shape=shape)
    rest = (
        recipe.carry_points(body.rest_vertices(shape).astype(float)) if recipe else body.rest_vertices(shape)
    )
    faces = recipe.faces if recipe else body.faces
    bare = recipe.carry_points(posed.vertices.astype(float)) if recipe else posed.vertices.astype(float)
    residual = recipe.residual if recipe else np.zeros(len(bare), bool)
    dressed = bare + vertex_normals(bare, faces) * thickness(rest, marks, plan.outfit)[:, None]

    lift, stand = _stand(plan, body, posed.vertices, posed.joints, dressed)
    turn = _about_vertical(np.radians(plan.yaw_deg))
    place = PLACES[plan.place](stand)
    world = (dressed + lift) @ turn.T
    view = _frame(plan, world)

    person = Piece("person", world, faces, _painter(marks, plan.outfit), texture=np.asarray(rest, float))
    furniture = [Piece(p.name, p.vertices @ turn.T, p.faces, p.paint, p.vertices) for p in place.furniture]
    picture = draw_scene([person, *furniture, *place.room], view, place.lighting, seed=seed)

    def to_camera(points: Floats) -> Floats:
        return view.to_camera((np.asarray(points, float) + lift) @ turn.T)

    joints = to_camera(posed.joints)
    keypoints = np.full((N_KEYPOINTS, 3), np.nan)
    keypoints[:N_COCO] = to_camera(body.keypoint_regressors["coco17"].apply(posed.vertices.astype(float)))
    place_ends(keypoints, joints, plan.limbs)
    px = view.camera.project(keypoints)
    states = keypoint_states(keypoints, px, picture, plan.limbs)
    root = view.camera_from_world @ turn @ rotation_matrices(np.asarray(axis_angles, float)[:1])[0]
    pelvis = body.rest_joints(shape)[0]
    truth = Truth(
        camera=view.camera,
        up=view.camera_from_world[:, 1],
        orientation=rotation_vectors(root[None])[0],
        pose=np.asarray(axis_angles, float)[1:],
        shape=shape,
        translation=joints[0] - pelvis,
        joints=joints,
        keypoints=keypoints,
        keypoints_px=px,
        states=states,
        vertices=to_camera(bare),
        faces=faces,
        residual=residual,
    )
    return SyntheticPhoto(picture.pixels, picture.piece == 0, truth)


def cut_limbs(
    body: BodyModel, shape: Floats, limbs: Mapping[Limb, tuple[Level, float]]
) -> Reconstruction | None:
    """Cut the residual limbs in the T-pose, as joint mode does; None when every limb is intact."""
    joints = body.rest_joints(shape).astype(float)
    cuts = []
    for limb, (level, factor) in limbs.items():
        rule = level_rule(limb, level)
        if rule.segment is None or rule.anchor is None or rule.upstream is None:
            continue
        regions = _regions(body, limb, rule.segment)
        anchor, upstream = joints[SMPLX_INDEX[rule.anchor]], joints[SMPLX_INDEX[rule.upstream]]
        if rule.removed_at_root:
            cuts.append(root_cut(regions, root=upstream, outward=anchor))
        else:
            cuts.append(joint_mode_cut(regions, anchor=anchor, upstream=upstream, factor=factor))
    return reconstruct(body.rest_vertices(shape).astype(float), body.faces, cuts) if cuts else None


@lru_cache(maxsize=32)
def _regions(body: BodyModel, limb: Limb, segment: Segment) -> LimbRegions:
    return limb_regions(
        part_labels=body.part_labels, faces=body.faces, limb=limb, segment=segment, whole_limb=True
    )


def place_ends(keypoints: Floats, joints: Floats, limbs: Mapping[Limb, tuple[Level, float]]) -> None:
    """Write residual ends into `keypoints` (25, 3) and erase what cannot exist (ResiHMR equation 3)."""
    for limb, (level, factor) in limbs.items():
        rule = level_rule(limb, level)
        keypoints[sorted(rule.absent)] = np.nan
        if rule.endpoint is not None and rule.anchor is not None and rule.upstream is not None:
            anchor, upstream = joints[SMPLX_INDEX[rule.anchor]], joints[SMPLX_INDEX[rule.upstream]]
            keypoints[rule.endpoint] = anchor + factor * (upstream - anchor)


def keypoint_states(
    keypoints: Floats, px: Floats, picture: ScenePicture, limbs: Mapping[Limb, tuple[Level, float]]
) -> tuple[KeypointState, ...]:
    """Tell visible points from hidden ones by what the picture shows at their pixels."""
    height, width = picture.depth.shape
    states = []
    for index in range(N_KEYPOINTS):
        if np.isnan(keypoints[index, 0]):
            states.append(KeypointState.ABSENT)
            continue
        column, row = np.rint(px[index]).astype(int)
        if not (0 <= column < width and 0 <= row < height):
            states.append(KeypointState.OUT_OF_FRAME)
            continue
        name = LDPOSE[index].name
        deep = next((d for part, d in DEPTH_M.items() if part in name), FACE_DEPTH_M)
        hidden = picture.depth[row, column] < keypoints[index, 2] - deep
        states.append(KeypointState.OCCLUDED if hidden else KeypointState.VISIBLE)
    return tuple(states)


def _painter(marks: Landmarks, outfit: Outfit) -> Paint:
    return lambda points, normals: paint_person(points, normals, marks, outfit)


def _about_vertical(angle: float) -> Floats:
    c, s = np.cos(angle), np.sin(angle)
    return np.array([[c, 0, s], [0, 1, 0], [-s, 0, c]])


def _stand(
    plan: PersonPlan, body: BodyModel, vertices: Floats, joints: Floats, dressed: Floats
) -> tuple[Floats, Standpoint]:
    """Put the person on floor or seat: return the shift, and what a place must fit."""
    hips = (joints[SMPLX_INDEX["left_hip"]] + joints[SMPLX_INDEX["right_hip"]]) / 2
    knees = (joints[SMPLX_INDEX["left_knee"]] + joints[SMPLX_INDEX["right_knee"]]) / 2
    thigh = float(np.linalg.norm((knees - hips)[[0, 2]]))
    sitting = plan.posture is Posture.SITTING
    labels = body.part_labels
    under = (labels == PART_INDEX["torso"]) | np.isin(
        labels, [PART_INDEX["left_thigh"], PART_INDEX["right_thigh"]]
    )
    near = under & (vertices[:, 2] < hips[2] + 0.6 * thigh) & (vertices[:, 1] < hips[1] + 0.1)
    seat = float(vertices[near, 1].min()) + _SEAT_SINK_M if sitting else 0.0
    legs_gone = all(limb in plan.limbs for limb in (Limb.LEFT_LEG, Limb.RIGHT_LEG))
    down = seat - plan.seat_height_m if sitting and legs_gone else float(dressed[:, 1].min())
    lift = np.array([-hips[0], -down, -hips[2]])
    hands = joints[[SMPLX_INDEX["left_middle1"], SMPLX_INDEX["right_middle1"]]] + lift
    return lift, Standpoint(hands, seat - down, hips + lift, thigh)


def _frame(plan: PersonPlan, world: Floats) -> Viewpoint:
    """Put the camera where the person fills the asked share of the picture."""
    width, height = plan.size_px
    camera = Camera(plan.focal_px, ((width - 1) / 2, (height - 1) / 2), plan.size_px, FocalSource.GIVEN)
    low, high = world.min(0), world.max(0)
    middle = (low + high) / 2
    tall, wide = high[1] - low[1], high[0] - low[0]
    distance = plan.focal_px * max(tall / (plan.fill * height), wide / (0.9 * width))
    for _ in range(4):  # perspective makes near parts larger: correct the distance by what is seen
        eye = np.array([middle[0], plan.camera_height_m, middle[2] + distance])
        view = look_at(eye=eye, target=middle, camera=camera)
        px = camera.project(view.to_camera(world))
        share = max(np.ptp(px[:, 1]) / (plan.fill * height), np.ptp(px[:, 0]) / (0.9 * width))
        distance *= share
        shift = ((px.min(0) + px.max(0)) / 2 - camera.center_px) * distance / plan.focal_px
        middle = middle + np.array([shift[0], -shift[1], 0.0])
    return view
