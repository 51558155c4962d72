import numpy as np
import pytest

from limbstudio.body.parts import PART_INDEX
from limbstudio.body.surface import surface_facts
from limbstudio.domain.anatomy import LDPOSE_INDEX, N_COCO, KeypointState, Level, Limb
from limbstudio.domain.body import FitMode
from limbstudio.domain.geometry import Point
from limbstudio.evaluation.metrics import (
    aligned_joint_error_m,
    joint_error_m,
    keypoint_errors,
    mask_overlaps,
    measure_person,
    observed_parts,
)
from limbstudio.rendering.silhouette import silhouette
from limbstudio.resihmr.pipeline import PersonResult, build_mesh


def result_of(known_fit, body, *args, **kwargs):
    person, fit = known_fit(*args, **kwargs)
    mesh, warnings = build_mesh(person, fit, body)
    return PersonResult(person, fit, mesh, surface_facts(mesh.vertices, mesh.faces), {}, warnings)


def replace_point(result, index, point):
    from dataclasses import replace

    person = replace(result.person, keypoints=result.person.keypoints.replaced(index, point))
    return replace(result, person=person)


def test_an_exact_fit_has_no_error_and_a_full_overlap(known_fit, body):
    result = result_of(known_fit, body, {Limb.LEFT_LEG: Level.TRANSFEMORAL})
    mask = silhouette(result.mesh.vertices, result.mesh.faces, result.fit.camera)

    metrics = measure_person(result, mask)

    assert metrics.intact_error_px == pytest.approx(0, abs=1e-9)
    assert metrics.residual_error_px == pytest.approx(0, abs=1e-3)
    assert (metrics.intact_points, metrics.residual_points) == (15, 1)
    assert metrics.mask_iou == 1


def test_errors_are_means_over_points_in_pixels_and_in_percent_of_the_box(known_fit, body):
    result = result_of(known_fit, body)
    nose = result.person.keypoints.points[0]
    assert nose.x is not None
    assert result.person.box is not None
    moved = replace_point(result, 0, Point(KeypointState.VISIBLE, nose.x + 3.4, nose.y))

    metrics = measure_person(moved)

    assert metrics.intact_error_px == pytest.approx(3.4 / 17)
    assert metrics.intact_error_pct_box == pytest.approx(100 * 3.4 / 17 / result.person.box.height)
    assert metrics.residual_error_px is None
    assert metrics.mask_iou is None


@pytest.mark.parametrize(
    "state", [KeypointState.UNSURE, KeypointState.PROSTHESIS, KeypointState.OUT_OF_FRAME]
)
def test_points_that_do_not_constrain_a_fit_are_not_scored(known_fit, body, state):
    result = replace_point(result_of(known_fit, body), 0, Point(state, 5.0, 5.0))

    errors = keypoint_errors(result.person, result.fit)

    assert np.isnan(errors[0])
    assert np.isfinite(errors[1:N_COCO]).all()


@pytest.mark.parametrize("mode", [FitMode.INTACT, FitMode.PAPER])
def test_a_limb_that_was_not_cut_is_scored_at_the_midpoint_of_its_segment(known_fit, body, mode):
    from dataclasses import replace

    result = result_of(
        known_fit, body, {Limb.RIGHT_LEG: Level.TRANSTIBIAL}, factor=0.2, accepted=False, mode=mode
    )
    if mode is FitMode.INTACT:
        result = replace(result, fit=replace(result.fit, limbs=()))
    joints, camera = result.fit.joints, result.fit.camera
    end = LDPOSE_INDEX["below_right_knee_end"]
    midpoint = camera.project((joints[5] + joints[8]) / 2)  # right knee and ankle

    errors = keypoint_errors(result.person, result.fit)

    truth = result.person.keypoints.positions_px[end]
    assert errors[end] == pytest.approx(np.linalg.norm(midpoint - truth), rel=1e-6)
    assert errors[end] > 5


def test_only_parts_that_the_annotation_places_count_as_observed(known_fit, body):
    result = result_of(known_fit, body, {Limb.LEFT_LEG: Level.TRANSFEMORAL})
    hidden = replace_point(result, LDPOSE_INDEX["right_knee"], Point(KeypointState.OUT_OF_FRAME))

    parts = observed_parts(hidden.person)

    named = {name for name, index in PART_INDEX.items() if index in parts}
    assert {"head", "torso", "left_thigh", "right_foot", "left_upper_arm", "right_hand"} <= named
    assert not {"left_shank", "left_foot", "right_thigh", "right_shank"} & named


def test_a_leg_that_no_mask_shows_is_held_against_the_whole_body_only(known_fit, body):
    result = result_of(known_fit, body)
    names = ("right_knee", "right_ankle", "left_knee", "left_ankle")
    for name in names:
        result = replace_point(result, LDPOSE_INDEX[name], Point(KeypointState.UNLABELLED))
    visible = silhouette(result.mesh.vertices, result.mesh.faces, result.fit.camera)
    # The mask ends where the thighs begin.
    hips = result.person.keypoints.positions_px[LDPOSE_INDEX["left_hip"], 1]
    visible[int(hips) + 12 :] = False

    whole, observed = mask_overlaps(result, visible)

    assert whole < 0.75
    assert observed > 0.9


def test_joint_error_ignores_where_the_pelvis_lies_and_what_does_not_exist():
    rng = np.random.default_rng(0)
    truth = rng.normal(size=(22, 3))
    exists = np.ones(22, bool)
    exists[4] = False
    moved = truth + (1.0, 2.0, 3.0)
    moved[4] += 100
    moved[7] += (0.3, 0.0, 0.4)

    error = joint_error_m(moved, truth, exists)

    assert error == pytest.approx(0.5 / 21)


def test_aligned_joint_error_ignores_a_similarity_and_sees_a_reflection():
    rng = np.random.default_rng(1)
    truth = rng.normal(size=(22, 3))
    turn = np.linalg.qr(rng.normal(size=(3, 3)))[0]
    turn *= np.sign(np.linalg.det(turn))
    exists = np.ones(22, bool)

    turned = aligned_joint_error_m(1.7 * truth @ turn + 4, truth, exists)
    mirrored = aligned_joint_error_m(truth * (1, 1, -1), truth, exists)

    assert turned == pytest.approx(0, abs=1e-9)
    assert mirrored > 0.3
