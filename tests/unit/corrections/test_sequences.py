"""Any sequence of corrections, on any residual limb, leaves one closed surface that nowhere folds or crosses."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from limbstudio.body.parts import part_of
from limbstudio.body.surface import surface_facts
from limbstudio.corrections.replay import apply
from limbstudio.corrections.self_intersection import local_intersections
from limbstudio.corrections.validity import find_fold, flipped_faces, folded_faces
from limbstudio.domain.anatomy import Limb
from limbstudio.domain.body import ScaleSource
from limbstudio.domain.corrections import Brush, BrushStroke, EndAlongLimb, MirrorOther, SurfacePoint
from limbstudio.evaluation.correction_benchmark import (
    all_pairs_intersections,
    distance_from,
    replay_agreement,
)
from limbstudio.evaluation.correction_cases import Case, random_case, random_operations


def crossings(made, limb) -> int:
    """Count where a limb at rest passes through itself or the body."""
    surface = made.limbs[limb]
    rest = made.opened.rest.copy()
    rest[surface.vertex_ids] = surface.points
    return len(local_intersections(rest, made.opened.faces, surface.face_ids))


def must_stand(case: Case, plain, made) -> None:
    """Hold a corrected mesh against the one that the fit has."""
    limb = case.limb
    before, after = plain.limbs[limb], made.limbs[limb]
    shells = surface_facts(plain.tpose, plain.faces).components
    for vertices in (made.vertices, made.tpose):
        facts = surface_facts(vertices, made.faces)
        assert facts.watertight
        assert facts.components == shells
        assert facts.volume_m3 > 0
    assert crossings(made, limb) <= crossings(plain, limb)
    known = len(folded_faces(before.points, before.faces))
    assert len(folded_faces(after.points, after.faces)) <= known
    np.testing.assert_array_equal(after.points[after.mesh.joined], after.unedited[after.mesh.joined])


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=8, deadline=None)
def test_random_sequences_of_corrections_leave_one_closed_surface_without_folds_or_crossings(body, seed):
    rng = np.random.default_rng(seed)
    case = random_case(body, rng)
    operations = random_operations(case.factor, rng)

    plain = apply(case.person, case.fit, body, (), also_open=(case.limb,))
    made = apply(case.person, case.fit, body, case.corrections(operations))

    outcomes = made.outcomes[case.limb]
    assert len(outcomes) == len(operations)
    assert all(outcome.ok or outcome.reason for outcome in outcomes)
    assert len(made.failures) == sum(not outcome.ok for outcome in outcomes)
    must_stand(case, plain, made)


def test_a_stroke_that_lays_a_face_on_its_neighbour_is_refused(body):
    rng = np.random.default_rng(54)  # a flattened place that a longer limb brings near the end of its cone
    case = random_case(body, rng)
    operations = random_operations(case.factor, rng)

    plain = apply(case.person, case.fit, body, (), also_open=(case.limb,))
    made = apply(case.person, case.fit, body, case.corrections(operations))

    must_stand(case, plain, made)
    assert any("fold the surface" in failure.reason for failure in made.failures)


def test_the_cap_of_a_limb_that_ends_at_the_armpit_does_not_fold(body):
    rng = np.random.default_rng(102)  # a ring so bent that a dome over it would
    case = random_case(body, rng)
    end = next(item for item in random_operations(case.factor, rng) if isinstance(item, EndAlongLimb))

    made = apply(case.person, case.fit, body, case.corrections((end,)))

    surface = made.limbs[case.limb]
    assert [outcome.ok for outcome in made.outcomes[case.limb]] == [True]
    assert len(folded_faces(surface.points, surface.faces)) == 0
    assert surface_facts(made.vertices, made.faces).watertight


@pytest.mark.parametrize("seed", [20, 26, 130])
def test_shapes_of_ends_that_would_fold_are_refused_or_fade_out(body, seed):
    rng = np.random.default_rng((77, seed))  # limbs on which a bulbous or conical end once folded
    case = random_case(body, rng)
    operations = random_operations(case.factor, rng)

    plain = apply(case.person, case.fit, body, (), also_open=(case.limb,))
    made = apply(case.person, case.fit, body, case.corrections(operations))

    must_stand(case, plain, made)
    for failure in made.failures:
        assert "fold the surface" in failure.reason or "no surface any more" in failure.reason


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=25, deadline=None)
def test_strokes_however_rough_are_applied_whole_or_refused_whole(opened, seed):
    from limbstudio.corrections.brushes import evaluate_stroke
    from limbstudio.evaluation.correction_cases import random_stroke

    rng = np.random.default_rng(seed)
    surface = opened.limbs[(Limb.RIGHT_ARM, Limb.LEFT_ARM)[int(rng.integers(2))]]
    for _ in range(3):
        stroke = random_stroke(surface, rng, gentle=False)
        assert isinstance(stroke, BrushStroke)
        points, moved = evaluate_stroke(surface, stroke)
        if find_fold(surface, points, moved, scale=ScaleSource.PRIOR) is None:
            assert len(flipped_faces(surface.points, points, surface.faces)) == 0
            surface = surface.with_points(points)

    assert len(local_intersections(surface.points, surface.faces)) == 0


def test_the_quick_check_answers_as_testing_all_pairs_does(forearm):
    rng = np.random.default_rng(4)
    rough = forearm.points + 0.002 * rng.standard_normal(forearm.points.shape)
    changed = rng.choice(len(forearm.faces), 300, replace=False)

    ours = local_intersections(rough, forearm.faces, changed)

    assert len(ours) > 10
    np.testing.assert_array_equal(ours, all_pairs_intersections(rough, forearm.faces, changed))


def test_replays_on_two_fits_of_random_limbs_agree_to_half_a_millimetre(body):
    found = replay_agreement(body, 6, seed=11)

    assert found["compared"] >= 3
    assert found["beyond_the_bar"] == 0
    assert found["rms_worst_mm"] <= found["bar_mm"]


@pytest.mark.parametrize("seed", range(3))
def test_a_residual_limb_takes_the_intact_sides_shape_proximally_and_ends_where_it_did(body, seed):
    rng = np.random.default_rng((5, seed))
    case = random_case(body, rng)
    end = 1 - case.factor
    bump = BrushStroke(Brush.INFLATE, (SurfacePoint(0.5 * end, 0.3),), 0.1, 0.02)

    bumped, made = (
        apply(case.person, case.fit, body, case.corrections(operations))
        for operations in ((bump,), (bump, MirrorOther()))
    )

    surface = made.limbs[case.limb]
    segment = part_of(case.limb.opposite, case.fit.limbs[0].segment)
    other = np.asarray(made.tpose, float)[made.parts == segment] * (-1, 1, 1)
    axial = surface.frame.axial_of(other)
    other = other[(axial > 0.2 * end) & (axial < 0.75 * end)]
    assert len(other) > 20
    assert [outcome.ok for outcome in made.outcomes[case.limb]] == [True, True]
    assert distance_from(bumped.limbs[case.limb], other).max() > 0.002
    assert np.sqrt((distance_from(surface, other) ** 2).mean()) < 0.0002
    assert made.factor(case.limb) == pytest.approx(bumped.factor(case.limb), abs=1e-3)
