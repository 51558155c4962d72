"""The fit on people whose truth is known: seen where they were put, bent as they were bent, cut where they end."""

from dataclasses import replace

import numpy as np
import pytest

from limbstudio.body.model import BodyModel
from limbstudio.body.rotations import rotation_and_left_jacobian
from limbstudio.domain.anatomy import (
    LDPOSE_INDEX,
    N_COCO,
    N_KEYPOINTS,
    SMPLX_INDEX,
    KeypointState,
    Level,
    Limb,
    LimbState,
    Posture,
    intact_limbs,
    level_rule,
)
from limbstudio.domain.body import FitMode
from limbstudio.domain.errors import KnownError
from limbstudio.domain.geometry import Box, Camera, Keypoints, Point
from limbstudio.domain.photo import Person
from limbstudio.resihmr.initial_fit import fit_person, fit_to_follow, follow
from limbstudio.resihmr.problem import FitModel, fit_model, free_pose, residual_limbs
from limbstudio.resihmr.skeleton import SEGMENT_JOINTS, place
from limbstudio.resihmr.starts import turned_upright

CAMERA = Camera(1100.0, (499.5, 499.5), (1000, 1000))
FACTOR = 0.4


@pytest.fixture(scope="module")
def model(body: BodyModel) -> FitModel:
    return fit_model(body)


def _person(
    model: FitModel, limb: Limb, level: Level, start: int = 1, yaw: float = 0.5
) -> tuple[Person, np.ndarray]:
    """Make a person in pose `start` of the prior's bank with one residual limb; return joints (22, 3) too."""
    z = model.prior.starts[start]
    local, _ = rotation_and_left_jacobian(np, z[3:].reshape(1, 21, 3))
    turn = np.array([[np.cos(yaw), 0, np.sin(yaw)], [0, 1, 0], [-np.sin(yaw), 0, np.cos(yaw)]])
    root = np.diag([1.0, -1.0, -1.0]) @ turn @ turned_upright(z[None, :3])
    shape = np.zeros((1, model.skeleton.n_shape))
    placed = place(model.skeleton, root, local, shape, np.array([[0.0, 0.0, 3.2]]), derivatives=False)
    points = placed.points[0]
    limbs = {**intact_limbs(), limb: LimbState(level=level)}
    rule = level_rule(limb, level)
    px = np.full((N_KEYPOINTS, 2), np.nan)
    px[:N_COCO] = CAMERA.project(points[:N_COCO])
    px[list(rule.absent)] = np.nan
    if rule.endpoint is not None and rule.anchor is not None and rule.upstream is not None:
        anchor = points[N_COCO + SEGMENT_JOINTS.index(rule.anchor)]
        upstream = points[N_COCO + SEGMENT_JOINTS.index(rule.upstream)]
        px[rule.endpoint] = CAMERA.project(anchor + FACTOR * (upstream - anchor))
    states = [
        Point(KeypointState.ABSENT) if np.isnan(x) else Point(KeypointState.VISIBLE, float(x), float(y))
        for x, y in px
    ]
    low, high = np.nanmin(px, 0), np.nanmax(px, 0)
    return Person("1", "photo", Keypoints(tuple(states)), limbs, Box(*low, *(high - low))), placed.joints[0]


@pytest.mark.parametrize(
    ("limb", "level"), [(Limb.RIGHT_LEG, Level.TRANSFEMORAL), (Limb.LEFT_LEG, Level.TRANSTIBIAL)]
)
def test_a_residual_limb_of_exact_points_is_found(
    body: BodyModel, model: FitModel, limb: Limb, level: Level
) -> None:
    person, joints = _person(model, limb, level)

    fit = fit_person(person, CAMERA, body)

    (found,) = fit.limbs
    assert found.accepted
    assert found.factor == pytest.approx(FACTOR, abs=0.12)
    assert found.factor_interval[0] <= FACTOR <= found.factor_interval[1]
    assert found.length_interval_m[0] < found.length_m < found.length_interval_m[1]
    exists = np.concatenate([[True], free_pose(residual_limbs(person)).reshape(21, 3)[:, 0]])
    gap = (fit.joints[:22] - fit.joints[0]) - (joints - joints[0])
    assert np.linalg.norm(gap[exists], axis=1).mean() < 0.06


def test_projected_points_lie_on_the_clicks_and_absent_ones_are_nowhere(
    body: BodyModel, model: FitModel
) -> None:
    person, _ = _person(model, Limb.RIGHT_LEG, Level.TRANSFEMORAL)

    fit = fit_person(person, CAMERA, body)

    off = np.linalg.norm(fit.projected_px - person.keypoints.positions_px, axis=1)
    assert np.nanmax(off) < 0.02 * person.box.height
    assert np.isnan(fit.projected_px[LDPOSE_INDEX["right_ankle"]]).all()
    assert fit.projected_px[LDPOSE_INDEX["above_right_knee_end"]] == pytest.approx(fit.limbs[0].endpoint_px)


def test_joints_are_those_of_the_posed_body(body: BodyModel, model: FitModel) -> None:
    person, _ = _person(model, Limb.LEFT_ARM, Level.TRANSHUMERAL)

    fit = fit_person(person, CAMERA, body)

    posed = body.pose(
        axis_angles=np.concatenate([fit.orientation[None], fit.pose]),
        shape=fit.shape,
        translation=fit.translation,
    )
    assert fit.joints == pytest.approx(posed.joints, abs=1e-5)
    (limb,) = fit.limbs
    assert limb.anchor_position == pytest.approx(fit.joints[SMPLX_INDEX["left_elbow"]], abs=1e-5)
    assert limb.endpoint == pytest.approx(
        limb.anchor_position + limb.factor * (limb.upstream_position - limb.anchor_position)
    )


def test_the_pose_beyond_a_residual_end_is_left_at_rest(body: BodyModel, model: FitModel) -> None:
    person, _ = _person(model, Limb.RIGHT_LEG, Level.TRANSFEMORAL)

    fit = fit_person(person, CAMERA, body)

    gone = [SMPLX_INDEX[name] - 1 for name in ("right_knee", "right_ankle", "right_foot")]
    assert np.abs(fit.pose[gone]).max() < 1e-6


def test_intact_mode_knows_of_no_residual_limb(body: BodyModel, model: FitModel) -> None:
    person, _ = _person(model, Limb.RIGHT_LEG, Level.TRANSFEMORAL)

    fit = fit_person(person, CAMERA, body, mode=FitMode.INTACT)

    assert fit.limbs == ()
    assert not fit.used[N_COCO:].any()


def test_paper_mode_scores_a_rejected_limb_at_the_midpoint(body: BodyModel, model: FitModel) -> None:
    person, _ = _person(model, Limb.RIGHT_LEG, Level.TRANSFEMORAL)
    end = LDPOSE_INDEX["above_right_knee_end"]
    far = replace(person.keypoints.points[end], x=5.0, y=5.0)

    fit = fit_person(
        replace(person, keypoints=person.keypoints.replaced(end, far)), CAMERA, body, mode=FitMode.PAPER
    )

    (limb,) = fit.limbs
    assert not limb.accepted
    assert limb.endpoint == pytest.approx((limb.anchor_position + limb.upstream_position) / 2)
    assert "15 allowed" in limb.reason


def test_a_limb_without_its_end_is_not_cut(body: BodyModel, model: FitModel) -> None:
    person, _ = _person(model, Limb.RIGHT_LEG, Level.TRANSFEMORAL)
    end = LDPOSE_INDEX["above_right_knee_end"]

    fit = fit_person(replace(person, keypoints=person.keypoints.replaced(end, Point())), CAMERA, body)

    (limb,) = fit.limbs
    assert not limb.accepted
    assert "not placed" in limb.reason
    assert any("not cut" in warning for warning in fit.warnings)


def test_an_unsure_limb_is_fitted_from_its_points_and_never_cut(body: BodyModel, model: FitModel) -> None:
    person, _ = _person(model, Limb.RIGHT_LEG, Level.TRANSFEMORAL)
    limbs = {limb: LimbState(level=Level.UNSURE) for limb in Limb}

    fit = fit_person(replace(person, limbs=limbs), CAMERA, body)

    assert fit.limbs == ()


def test_a_hip_disarticulation_ends_at_the_hip(body: BodyModel, model: FitModel) -> None:
    person, _ = _person(model, Limb.RIGHT_LEG, Level.HIP_DISARTICULATION)

    fit = fit_person(person, CAMERA, body)

    (limb,) = fit.limbs
    assert limb.accepted
    assert limb.factor == 1.0
    assert limb.endpoint == pytest.approx(fit.joints[SMPLX_INDEX["right_hip"]], abs=1e-5)


def test_saying_standing_straightens_knees_and_trunk(body: BodyModel, model: FitModel) -> None:
    person, _ = _person(model, Limb.LEFT_ARM, Level.TRANSHUMERAL, start=0)
    bent = fit_person(replace(person, posture=Posture.UNKNOWN), CAMERA, body)

    told = fit_person(replace(person, posture=Posture.STANDING), CAMERA, body)

    knees = [SMPLX_INDEX[f"{side}_knee"] - 1 for side in ("left", "right")]
    assert np.abs(told.pose[knees]).max() <= np.abs(bent.pose[knees]).max() + np.radians(5)


def test_a_stature_that_is_given_sets_the_scale(body: BodyModel, model: FitModel) -> None:
    person, _ = _person(model, Limb.LEFT_ARM, Level.TRANSHUMERAL)

    heights = {}
    for stature in (1500.0, 1900.0):
        fit = fit_person(replace(person, stature_mm=stature), CAMERA, body)
        rest = body.rest_vertices(fit.shape)
        heights[stature] = float(np.ptp(rest[:, 1])) * 1000

    assert heights[1500.0] == pytest.approx(1500, abs=40)
    assert heights[1900.0] == pytest.approx(1900, abs=40)
    assert fit.scale.value == "stature_given"


def test_following_a_moved_point_lands_where_a_longer_polish_lands(body: BodyModel, model: FitModel) -> None:
    person, _ = _person(model, Limb.RIGHT_LEG, Level.TRANSFEMORAL)
    before = fit_to_follow(person, CAMERA, body)
    wrist = person.keypoints.points[LDPOSE_INDEX["left_wrist"]]
    assert wrist.x is not None
    moved = replace(
        person, keypoints=person.keypoints.replaced(LDPOSE_INDEX["left_wrist"], replace(wrist, x=wrist.x + 3))
    )

    once = follow(moved, CAMERA, body, before)
    settled = once
    for _ in range(8):
        settled = follow(moved, CAMERA, body, settled)

    gap = np.linalg.norm(once.fit.projected_px - settled.fit.projected_px, axis=1)
    assert np.nanmax(gap) < 0.25
    assert (
        once.fit.limbs[0].factor_interval[0] < once.fit.limbs[0].factor < once.fit.limbs[0].factor_interval[1]
    )


@pytest.mark.parametrize("kept", [0, 1, 3])
def test_too_few_points_are_refused_in_words(body: BodyModel, kept: int) -> None:
    points = tuple(
        Point(KeypointState.VISIBLE, 10.0 * i, 20.0 * i) if i < kept else Point() for i in range(N_KEYPOINTS)
    )

    with pytest.raises(KnownError, match="at least 4"):
        fit_person(Person("7", "photo", Keypoints(points)), CAMERA, body)


def test_the_same_person_is_fitted_the_same_way_twice(body: BodyModel, model: FitModel) -> None:
    person, _ = _person(model, Limb.RIGHT_LEG, Level.TRANSFEMORAL)

    one, two = fit_person(person, CAMERA, body), fit_person(person, CAMERA, body)

    assert np.array_equal(one.pose, two.pose)
    assert one.energy == two.energy
