"""What a scene is built of: closed solids, poses, bodies put down, aids, occluders, backdrops, shadows."""

import json
from dataclasses import replace

import numpy as np
import pytest

from limbstudio.a3d.assistive import aids, prostheses
from limbstudio.a3d.backdrops import PLACES, Rays, draw_backdrop
from limbstudio.a3d.bodies import SEAT_M, make_figure
from limbstudio.a3d.clothing import Outfit
from limbstudio.a3d.composing import Kind, ShadowMap, Thing, see
from limbstudio.a3d.empty_cloth import Empty, empty_cloth
from limbstudio.a3d.grain import grain
from limbstudio.a3d.occluders import OCCLUDERS, place_occluder
from limbstudio.a3d.plans import Aid, Geometry, LostLimb, OccluderPlan, SampleOptions
from limbstudio.a3d.pose_source import BUNDLED, arms_on_crutches, read_poses, seated, standing_pose
from limbstudio.a3d.sampling import make_sample, open_sources
from limbstudio.a3d.solids import Solid, ball, flat, joined, ring, slab, smooth_normals, tube
from limbstudio.body.model import load_body
from limbstudio.body.surface import surface_facts
from limbstudio.domain.anatomy import SMPLX_INDEX, Level, Limb, Side
from limbstudio.domain.geometry import Camera
from limbstudio.rendering.raster import vertex_normals
from limbstudio.rendering.scene import look_at

GREY = flat("#808080")
SHAPE = np.zeros(10)


@pytest.fixture(scope="module")
def body():
    return load_body()


@pytest.fixture(scope="module")
def bank():
    return read_poses(None)


@pytest.fixture(scope="module")
def standing(bank):
    return standing_pose(bank, 0.3, mirrored=False, upright=True)


def _figure(body, vectors, limbs=None, aid=Aid.NONE):
    return make_figure(body, vectors, SHAPE, limbs or {}, Outfit(), aid)


@pytest.mark.parametrize(
    ("solid", "volume"),
    [
        (tube(np.array([(0, 0, 0), (0.1, 0.5, 0.2), (0.1, 1.0, 0)]), 0.1, GREY, sides=40), None),
        (ball((1, 2, 3), (0.3, 0.2, 0.1), GREY), 4 / 3 * np.pi * 0.3 * 0.2 * 0.1),
        (ring(np.zeros(3), np.array([0.3, 0.4, 0.5]), 0.5, 0.05, GREY), 2 * np.pi**2 * 0.5 * 0.05**2),
    ],
)
def test_solids_are_closed_and_turned_outward(solid, volume):
    facts = surface_facts(solid.vertices, solid.faces)

    assert facts.watertight
    assert facts.volume_m3 > 0
    if volume is not None:
        assert facts.volume_m3 == pytest.approx(volume, rel=0.2)


def test_a_slab_faces_outward_on_every_side():
    box = slab((-1, -2, -3), (1, 2, 3), GREY)
    corners = box.vertices[box.faces]
    normals = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])

    assert (np.einsum("nk,nk->n", normals, corners.mean(1)) > 0).all()


def test_smooth_normals_are_those_of_the_raster(body):
    np.testing.assert_allclose(
        smooth_normals(body.template, body.faces), vertex_normals(body.template, body.faces), atol=2e-3
    )


def test_grain_is_smooth_bounded_and_repeatable():
    points = np.random.default_rng(0).uniform(-2, 2, (5000, 3))

    values = grain(points, 5.0, 3)

    assert -1 <= values.min() < -0.5
    assert 0.5 < values.max() <= 1
    assert np.array_equal(values, grain(points, 5.0, 3))
    assert np.abs(grain(points + 0.002, 5.0, 3) - values).mean() < 0.05
    assert not np.array_equal(values, grain(points, 5.0, 4))


def test_the_bundled_poses_stand_upright_and_face_forward(bank, body):
    assert bank.name == BUNDLED
    for pick in np.linspace(0, 0.99, 12):
        posed = body.pose(axis_angles=standing_pose(bank, pick, mirrored=pick > 0.5, upright=True))
        assert posed.joints[SMPLX_INDEX["neck"], 1] > posed.joints[SMPLX_INDEX["pelvis"], 1] + 0.3
        ahead = posed.joint_transforms[0, :3, 2]
        assert ahead[2] > 0.7 * np.hypot(ahead[0], ahead[2])


def test_mirroring_exchanges_left_and_right(bank, body):
    one = body.pose(axis_angles=standing_pose(bank, 0.4, mirrored=False, upright=True)).joints
    other = body.pose(axis_angles=standing_pose(bank, 0.4, mirrored=True, upright=True)).joints

    for name in ("wrist", "ankle", "knee"):
        left, right = SMPLX_INDEX[f"left_{name}"], SMPLX_INDEX[f"right_{name}"]
        np.testing.assert_allclose(other[right] * (-1, 1, 1), one[left], atol=1e-4)


@pytest.mark.parametrize("aid", [Aid.CHAIR, Aid.WHEELCHAIR])
def test_who_sits_sits_on_the_seat_with_feet_on_the_floor(body, standing, aid):
    vectors = seated(standing, np.random.default_rng(1))

    figure = _figure(body, vectors, aid=aid)
    solids = aids(figure, aid, (), np.random.default_rng(2))

    assert figure.seat is not None
    assert 0.3 < figure.seat.height < 0.7
    assert -0.01 < figure.vertices[:, 1].min() < 0.16
    vertices, _ = joined(solids)
    assert -0.01 < vertices[:, 1].min() < 0.03  # the wheels or the legs stand on the floor
    assert figure.seat.hips[1] > figure.seat.height


def test_without_legs_the_seat_has_its_own_height(body, standing):
    gone = {
        limb: LostLimb(Level.HIP_DISARTICULATION, 0.0, Geometry.RESIDUAL) for limb in Limb if not limb.is_arm
    }

    figure = _figure(body, seated(standing, np.random.default_rng(1)), gone, Aid.WHEELCHAIR)

    assert figure.seat is not None
    assert figure.seat.height == pytest.approx(SEAT_M[Aid.WHEELCHAIR])


def test_crutches_reach_from_the_hands_to_the_floor(body, standing):
    hands = (Limb.LEFT_ARM, Limb.RIGHT_ARM)
    figure = _figure(body, arms_on_crutches(standing, hands, np.random.default_rng(0)), aid=Aid.CRUTCHES)

    for seed in range(4):  # of both kinds
        vertices, _ = joined(aids(figure, Aid.CRUTCHES, hands, np.random.default_rng(seed)))
        assert vertices[:, 1].min() == pytest.approx(0, abs=0.03)
        for limb in hands:
            hand = figure.joints[SMPLX_INDEX[f"{limb.side.value}_middle1"]]
            assert np.linalg.norm(vertices - hand, axis=1).min() < 0.06


@pytest.mark.parametrize(
    ("limb", "level", "style"),
    [
        (Limb.LEFT_LEG, Level.TRANSTIBIAL, "pylon"),
        (Limb.RIGHT_LEG, Level.TRANSFEMORAL, "blade"),
        (Limb.RIGHT_LEG, Level.KNEE_DISARTICULATION, "pylon"),
        (Limb.LEFT_ARM, Level.TRANSRADIAL, "hook"),
        (Limb.RIGHT_ARM, Level.TRANSHUMERAL, "hand"),
    ],
)
def test_a_prosthesis_goes_from_the_residual_limb_to_where_the_limb_ended(body, standing, limb, level, style):
    factor = 0.0 if "disarticulation" in level.value else 0.5
    lost = {limb: LostLimb(level, factor, Geometry.RESIDUAL, style)}
    figure = _figure(body, standing, lost)

    vertices, _ = joined(prostheses(figure, body, lost, "#DADDE2", np.random.default_rng(0))[limb])

    last = figure.joints[SMPLX_INDEX[f"{limb.side.value}_{'wrist' if limb.is_arm else 'ankle'}"]]
    assert np.linalg.norm(vertices - last, axis=1).min() < 0.08
    residual = figure.vertices[np.unique(figure.faces[figure.residual])]
    gaps = np.linalg.norm(residual[:, None] - vertices[None, ::3], axis=2)
    assert gaps.min() < 0.02
    if not limb.is_arm:
        assert -0.02 < min(vertices[:, 1].min(), figure.vertices[:, 1].min()) < 0.02


def test_a_cut_body_is_closed_and_a_collapsed_one_keeps_all_its_vertices(body, standing):
    limb = Limb.LEFT_ARM
    cut = _figure(body, standing, {limb: LostLimb(Level.TRANSHUMERAL, 0.4, Geometry.RESIDUAL)})
    drawn = _figure(body, standing, {limb: LostLimb(Level.ELBOW_DISARTICULATION, 0.0, Geometry.COLLAPSED)})

    assert surface_facts(cut.bare, cut.faces).watertight
    assert cut.zeroed == ()
    assert len(drawn.vertices) == body.n_vertices
    elbow = SMPLX_INDEX["left_elbow"]
    below = [SMPLX_INDEX[name] for name in ("left_wrist", "left_middle1", "left_thumb3")]
    np.testing.assert_allclose(
        drawn.drawn_joints[below], np.tile(drawn.drawn_joints[elbow], (3, 1)), atol=1e-5
    )
    hand = body.skin_weights[:, [SMPLX_INDEX[f"left_middle{n}"] for n in (1, 2, 3)]].sum(1) > 0.99
    np.testing.assert_allclose(
        drawn.bare[hand], np.tile(drawn.drawn_joints[elbow], (int(hand.sum()), 1)), atol=1e-4
    )


@pytest.mark.parametrize("kind", list(OCCLUDERS))
def test_occluders_stand_on_the_floor_between_person_and_lens(kind):
    eye = np.array([0.5, 1.4, 4.0])
    joints = np.array([[0.1, 0.5, 0.0]])

    solids = place_occluder(OccluderPlan(kind, 0.0, 0.3), joints, eye, np.random.default_rng(3))
    vertices, _ = joined(solids)

    assert -0.02 < vertices[:, 1].min() < 0.06
    assert 0.3 < vertices[:, 2].mean() < 2.5
    assert np.linalg.norm(vertices - eye, axis=1).min() > 0.5


@pytest.mark.parametrize("name", list(PLACES))
def test_places_fill_the_picture_and_their_floor_is_the_ground(name):
    camera = Camera(90.0, (31.5, 31.5), (64, 64))
    view = look_at(eye=np.array([0.2, 1.5, 3.5]), target=np.array([0, 0.8, 0]), camera=camera)

    backdrop = draw_backdrop(name, view, np.random.default_rng(5))

    assert backdrop.colours.shape == (64, 64, 3)
    assert np.isfinite(backdrop.colours).all()
    assert backdrop.colours.min() >= -1e-6
    assert backdrop.colours.std() > 0.005
    px = camera.project(view.to_camera(backdrop.points.astype(float)))
    rows, columns = np.nonzero(backdrop.shaded)
    np.testing.assert_allclose(px, np.column_stack([columns, rows]), atol=0.05)
    assert (Rays.of(view).floor()[-1] < 4).all()


def test_a_slab_shades_the_floor_below_it_and_nothing_else():
    box = slab((-0.5, 1.0, -0.5), (0.5, 1.1, 0.5), GREY)
    shadow = ShadowMap.of(box.vertices, box.faces, np.array([0.0, 1.0, 0.0]), 128, bias_m=0.02)

    reached = shadow.sees(
        np.array([[0, 0, 0], [0.4, 0, -0.4], [0.7, 0, 0], [0, 1.1, 0], [0, 2, 0], [5, 0, 5]], float)
    )

    assert reached.tolist() == [False, False, True, True, True, True]


def test_the_nearer_thing_has_the_pixel_and_the_person_has_the_tie():
    camera = Camera(100.0, (15.5, 15.5), (32, 32))
    view = look_at(eye=np.array([0.0, 1.0, 4.0]), target=np.array([0.0, 1.0, 0.0]), camera=camera)

    def thing(kind, solid):
        return Thing(kind, solid.vertices, solid.faces, solid.paint, solid.vertices)

    person = slab((-0.3, 0.7, -0.1), (0.3, 1.3, 0.1), GREY)
    before = slab((0.0, 0.7, 0.5), (0.3, 1.3, 0.6), GREY)
    geometry = see([thing(Kind.PERSON, person), thing(Kind.OCCLUDER, before)], person.faces, view)

    row = geometry.label[16]
    assert row[16 - 5] == Kind.PERSON
    assert row[16 + 4] == Kind.OCCLUDER
    assert row[0] == -1
    assert geometry.depth[32, 2 * 20] == pytest.approx(3.4, abs=0.01)
    assert len(geometry.casting) == len(person.faces) + len(before.faces)


LONG = Outfit(sleeve=0.95, sleeves={side: 0.95 for side in Side}, hem={side: 0.97 for side in Side})
LEVELS = (Level.TRANSFEMORAL, Level.TRANSTIBIAL, Level.KNEE_DISARTICULATION, Level.HIP_DISARTICULATION)


def _empty(body, standing, limb: Limb, level: Level, outfit: Outfit, **more):
    """Return what draws of many give for one lost limb."""
    lost = LostLimb(level, 0.5 if level in LEVELS[:2] else 0.0, Geometry.RESIDUAL, **more)
    figure = make_figure(body, standing, SHAPE, {limb: lost}, outfit, Aid.NONE)
    draws = [empty_cloth(figure, {limb: lost}, outfit, np.random.default_rng(seed)) for seed in range(40)]
    return figure, [found[limb] for found in draws if limb in found]


@pytest.mark.parametrize("level", LEVELS)
def test_empty_trousers_are_closed_begin_at_the_end_of_the_limb_and_stay_above_the_ground(
    body, standing, level
):
    outfit = Outfit(hem={side: 0.97 for side in Side})

    figure, found = _empty(body, standing, Limb.LEFT_LEG, level, outfit)

    assert {style for style, _ in found} == set(Empty)
    assert 12 <= len(found) <= 34  # of 40 draws
    knee, hip = figure.joints[SMPLX_INDEX["left_knee"]], figure.joints[SMPLX_INDEX["left_hip"]]
    end = {
        Level.TRANSFEMORAL: (knee + hip) / 2,
        Level.TRANSTIBIAL: (knee + figure.joints[SMPLX_INDEX["left_ankle"]]) / 2,
        Level.KNEE_DISARTICULATION: knee,
        Level.HIP_DISARTICULATION: hip,
    }[level]
    for style, solids in found:
        vertices = np.vstack([solid.vertices for solid in solids])
        assert all(surface_facts(solid.vertices, solid.faces).watertight for solid in solids)
        assert np.linalg.norm(vertices - end, axis=1).min() < 0.12
        assert vertices[:, 1].min() > -0.1
        assert np.linalg.norm(vertices - end, axis=1).max() < 1.2
        if style is Empty.HANGING and level is Level.TRANSFEMORAL:
            assert vertices[:, 1].min() < end[1] - 0.15


def test_only_a_garment_that_reaches_over_the_end_goes_on_beyond_it(body, standing):
    short = Outfit(hem={side: 0.15 for side in Side}, sleeve=0.1)

    assert not _empty(body, standing, Limb.LEFT_LEG, Level.TRANSFEMORAL, short)[1]
    long = Outfit(hem={side: 0.97 for side in Side})
    assert not _empty(body, standing, Limb.LEFT_LEG, Level.TRANSFEMORAL, long, prosthesis="foot")[1]
    sleeves = Outfit(sleeves={Side.LEFT: 0.1, Side.RIGHT: 0.9})
    assert not _empty(body, standing, Limb.LEFT_ARM, Level.TRANSHUMERAL, sleeves)[1]
    assert not _empty(body, standing, Limb.RIGHT_ARM, Level.TRANSHUMERAL, sleeves)[1]  # a shirt has two alike
    long_sleeves = Outfit(sleeves={Side.LEFT: 0.9, Side.RIGHT: 0.9})
    assert _empty(body, standing, Limb.RIGHT_ARM, Level.TRANSHUMERAL, long_sleeves)[1]


PLACES_OF_EMPTY = [
    (Limb.LEFT_LEG, Level.TRANSFEMORAL),
    (Limb.RIGHT_LEG, Level.KNEE_DISARTICULATION),
    (Limb.RIGHT_ARM, Level.TRANSHUMERAL),
    (Limb.LEFT_ARM, Level.TRANSRADIAL),
]


@pytest.mark.parametrize(("limb", "level"), PLACES_OF_EMPTY)
def test_the_cloth_of_empty_sleeves_and_trousers_goes_on_where_the_body_s_ends(body, standing, limb, level):
    figure, found = _empty(body, standing, limb, level, LONG)

    own = np.unique(figure.faces[figure.residual])
    for style, solids in found:
        begin = solids[0]  # the tube that hangs, or the ball over the end
        assert all(_places(solid).shape == solid.vertices.shape for solid in solids)
        gaps = np.linalg.norm(begin.vertices[:, None] - figure.vertices[own][None], axis=2)
        rows = np.flatnonzero(gaps.min(1) < 0.015)
        assert len(rows) > 2
        away = _places(begin)[rows] - figure.rest[own][gaps[rows].argmin(1)]
        assert np.median(np.linalg.norm(away, axis=1)) < 0.035
        if style is Empty.HANGING:  # however it falls, on the T-pose it is straight
            ends = [figure.marks.joint(f"{limb.side.value}_{n}") for n in _ends_of(limb)]
            along = (_places(begin) - ends[0]) @ (ends[1] - ends[0]) / np.linalg.norm(ends[1] - ends[0]) ** 2
            assert np.ptp(along) > 0.4


def _places(solid: Solid) -> np.ndarray:
    assert solid.texture is not None
    return solid.texture


def _ends_of(limb: Limb) -> tuple[str, str]:
    return ("shoulder", "wrist") if limb.is_arm else ("hip", "ankle")


def test_an_empty_sleeve_has_the_stripes_of_its_shirt_and_an_empty_leg_has_none(body, standing):
    striped = replace(LONG, pattern="stripes", shirt="#FF0000", shirt_second="#0000FF", trousers="#00FF00")

    sleeves = _empty(body, standing, Limb.RIGHT_ARM, Level.SHOULDER_DISARTICULATION, striped)[1]
    legs = _empty(body, standing, Limb.RIGHT_LEG, Level.TRANSFEMORAL, striped)[1]

    for style, (solid, *_) in sleeves:
        if style is not Empty.HANGING:
            continue
        at = np.linspace(_places(solid).min(0), _places(solid).max(0), 400)
        red, _, blue = solid.paint(at, at).T
        bands = np.count_nonzero(np.diff((blue > red).astype(int)))
        assert bands == pytest.approx(2 * np.ptp(at[:, 0]) / 0.06, abs=3)  # a stripe every six centimetres
    assert any(style is Empty.HANGING for style, _ in sleeves)
    for _, solids in legs:
        colours = solids[0].paint(_places(solids[0]), solids[0].vertices)
        assert (colours[:, 1] > 0.5).all()
        assert np.abs(colours[:, [0, 2]]).max() == 0


def test_empty_cloth_is_of_the_picture_that_the_garment_is_of(body, standing):
    def by_place(points):
        return np.abs(points)

    lost = {Limb.LEFT_LEG: LostLimb(Level.TRANSFEMORAL, 0.5, Geometry.COLLAPSED)}
    figure = make_figure(body, standing, SHAPE, lost, LONG, Aid.NONE)
    found = {}
    for seed in range(10):
        found |= empty_cloth(figure, lost, LONG, np.random.default_rng(seed), trousers=by_place)

    (_, (solid, *_)) = found[Limb.LEFT_LEG]
    colours = solid.paint(_places(solid), solid.vertices)
    np.testing.assert_allclose(colours / np.abs(_places(solid)), 1, atol=0.3)


def test_empty_cloth_is_part_of_the_person_and_hides_no_loss():
    sources = open_sources(SampleOptions(seed=5, size_px=96))
    found = 0
    for index in range(40):
        truth = json.loads(dict(make_sample(sources, index).files)["json"])
        for limb in truth["limbs"].values():
            if limb["empty_cloth"] is None:
                continue
            found += 1
            assert limb["empty_cloth"] in set(Empty)
            assert limb["prosthesis"] is None
            assert limb["evidence_share"] >= 0.35
    assert found >= 5
