"""From a plan to a scene before the camera: pose, body, aids, occluders and the camera that sees them."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial

import numpy as np

from limbstudio.a3d.assistive import aids, prostheses
from limbstudio.a3d.backdrops import INDOORS
from limbstudio.a3d.bodies import Figure, make_figure
from limbstudio.a3d.clothing import paint_person
from limbstudio.a3d.composing import Geometry, Kind, Thing, see
from limbstudio.a3d.empty_cloth import Empty, empty_cloth
from limbstudio.a3d.grain import grain
from limbstudio.a3d.groups import TONES
from limbstudio.a3d.occluders import clutter, place_occluder
from limbstudio.a3d.plans import Aid, SamplePlan
from limbstudio.a3d.pose_source import PoseBank, arms_on_crutches, loosened, seated, standing_pose
from limbstudio.a3d.solids import Solid, about_vertical
from limbstudio.a3d.textures import Textures
from limbstudio.body.model import BodyModel
from limbstudio.domain.anatomy import SMPLX_INDEX, Limb
from limbstudio.domain.geometry import Camera, FocalSource
from limbstudio.rendering.raster import Floats
from limbstudio.rendering.scene import Viewpoint, look_at

_LEAST_DISTANCE_M = 1.5
# Joints that an occluder may stand before.
_HIDDEN = tuple(
    SMPLX_INDEX[f"{side}_{name}"]
    for name in ("knee", "ankle", "hip", "elbow", "wrist")
    for side in ("left", "right")
)


@dataclass(frozen=True, eq=False)
class Stage:
    """A scene that is ready to be drawn. yaw (3, 3): from the person's world to the camera's world.

    crutches: arms that hold one. worn: limbs that wear a prosthesis. empty: what garments do beyond the ends of limbs.
    behind: kinds of what stands about. device_things: rows of the scene's things that make each prosthesis. skin: the
    picture of the person's skin, None for the procedural one.
    """

    figure: Figure
    yaw: Floats
    view: Viewpoint
    geometry: Geometry
    vertices: Floats
    crutches: tuple[Limb, ...]
    worn: tuple[Limb, ...]
    empty: Mapping[Limb, Empty]
    behind: tuple[str, ...]
    device_things: Mapping[Limb, tuple[int, ...]]
    skin: str | None


def set_stage(
    plan: SamplePlan, body: BodyModel, bank: PoseBank, textures: Textures, size_px: int, place: str | None
) -> Stage:
    """Set up the scene of a plan.

    place: name of the procedural backdrop; None before a photo, where nothing is put behind the person.
    """
    rng = plan.random(0)
    hands = tuple(limb for limb in Limb if limb.is_arm and limb not in plan.limbs)
    wears = {limb for limb, lost in plan.limbs.items() if lost.prosthesis is not None}
    stands = plan.aid in (Aid.CRUTCHES, Aid.WHEELCHAIR, Aid.CHAIR) or any(not limb.is_arm for limb in wears)
    vectors = standing_pose(bank, plan.pose_pick, mirrored=plan.mirrored, upright=stands)
    vectors = loosened(vectors, rng)
    if plan.aid in (Aid.WHEELCHAIR, Aid.CHAIR):
        vectors = seated(vectors, rng)
    elif plan.aid is Aid.CRUTCHES:
        vectors = arms_on_crutches(vectors, hands, rng)
    shape = np.array(plan.shape)
    figure = make_figure(body, vectors, shape, plan.limbs, plan.outfit, plan.aid)
    turn = about_vertical(np.radians(plan.camera.yaw_deg))
    world = figure.vertices @ turn.T
    view = _camera(plan, world, size_px)
    worn = prostheses(figure, body, plan.limbs, plan.outfit.shoes, plan.random(1))
    held = hands if plan.aid is Aid.CRUTCHES else ()

    shirt, trousers = textures.draw(plan.random(4))
    skin = textures.skins.draw(TONES[plan.tone].name, plan.random(8))
    paint = partial(
        paint_person,
        marks=figure.marks,
        outfit=plan.outfit,
        noise=grain,
        shirt=shirt,
        trousers=trousers,
        skin=skin,
    )
    person = Thing(Kind.PERSON, world, figure.faces, paint, figure.rest)
    things = [person]
    device_things = {}
    for limb, solids in worn.items():
        device_things[limb] = tuple(range(len(things), len(things) + len(solids)))
        things += [_thing(Kind.PROSTHESIS, s, turn) for s in solids]
    empty = empty_cloth(figure, plan.limbs, plan.outfit, plan.random(7), shirt=shirt, trousers=trousers)
    things += [_thing(Kind.CLOTH, s, turn) for _, solids in empty.values() for s in solids]
    things += [_thing(Kind.AID, s, turn) for s in aids(figure, plan.aid, held, plan.random(2))]
    eye = -view.camera_from_world.T @ view.offset
    joints = (figure.joints @ turn.T)[list(_HIDDEN)]
    for number, occluder in enumerate(plan.occluders):
        solids = place_occluder(occluder, joints, eye, plan.random(10 + number))
        things += [_thing(Kind.OCCLUDER, s, np.eye(3)) for s in solids]
    behind = [] if place is None else _clutter(plan, view, indoors=place in INDOORS)
    things += [_thing(Kind.CLUTTER, s, np.eye(3)) for _, solids in behind for s in solids]
    geometry = see(things, figure.casting, view)
    return Stage(
        figure,
        turn,
        view,
        geometry,
        world,
        held,
        tuple(worn),
        {limb: style for limb, (style, _) in empty.items()},
        tuple(kind for kind, _ in behind),
        device_things,
        None if skin is None else skin.name,
    )


def _clutter(plan: SamplePlan, view: Viewpoint, *, indoors: bool) -> list[tuple[str, list[Solid]]]:
    """Return some things behind the person."""
    rng = plan.random(3)
    count = int(rng.choice([0, 1, 2, 3], p=[0.35, 0.3, 0.2, 0.15]))
    eye = -view.camera_from_world.T @ view.offset
    return clutter(eye, view.camera_from_world[2], rng, count=count, indoors=indoors)


def _thing(kind: Kind, solid: Solid, turn: Floats) -> Thing:
    texture = solid.vertices if solid.texture is None else solid.texture
    return Thing(kind, solid.vertices @ turn.T, solid.faces, solid.paint, texture)


def _camera(plan: SamplePlan, world: Floats, size_px: int) -> Viewpoint:
    """Put the camera where the person takes the planned share of the picture."""
    camera_plan = plan.camera
    focal = camera_plan.focal * size_px
    middle_px = (size_px - 1) / 2
    camera = Camera(focal, (middle_px, middle_px), (size_px, size_px), FocalSource.GIVEN)
    points = world[::7]
    low, high = points.min(0), points.max(0)
    middle = (low + high) / 2
    wanted = camera_plan.fill * size_px
    distance = focal * float((high - low).max()) / wanted
    target, roll = middle, np.radians(camera_plan.roll_deg)
    tilt = np.array([[np.cos(roll), -np.sin(roll), 0], [np.sin(roll), np.cos(roll), 0], [0, 0, 1]])
    view = None
    for _ in range(4):  # perspective makes near parts larger: correct by what is seen
        distance = max(distance, _LEAST_DISTANCE_M)
        # At least so steep a ray as the height asks for, but never from above the head.
        rise = np.clip((camera_plan.height_m - middle[1]) / distance, -0.5, 0.68)
        level = np.sqrt(1 - rise**2)
        eye = middle + distance * np.array([0.0, rise, level])
        eye[1] = max(eye[1], 0.15)
        view = look_at(eye=eye, target=target, camera=camera)
        view = Viewpoint(camera, tilt @ view.camera_from_world, tilt @ view.offset)
        local = view.to_camera(points)
        px = camera.project(np.column_stack([local[:, :2], np.maximum(local[:, 2], 0.2)]))
        distance *= float(np.ptp(px, 0).max()) / wanted
        off = (px.min(0) + px.max(0)) / 2 - middle_px - np.array(camera_plan.aside) * size_px
        target = target + view.camera_from_world.T @ np.array([*(off * distance / focal), 0.0])
    assert view is not None
    return view
