"""Brushes on a residual limb: live as replayed, closed, and refused where they fold the surface."""

import numpy as np
import pytest

from limbstudio.body.surface import surface_facts
from limbstudio.corrections.brushes import BrushSession, evaluate_stroke
from limbstudio.corrections.replay import apply
from limbstudio.corrections.validity import find_fold, flipped_faces, limb_volume
from limbstudio.domain.anatomy import Limb
from limbstudio.domain.body import ScaleSource
from limbstudio.domain.corrections import Brush, BrushStroke, Corrections, ResetHere, SurfacePoint
from limbstudio.evaluation.correction_cases import random_stroke

FRONT = SurfacePoint(0.4, 0.0)


def test_pull_moves_the_surface_outward_by_its_strength_and_nothing_beyond_its_radius(forearm):
    stroke = BrushStroke(Brush.PULL, (FRONT,), radius=0.1, strength=0.02)

    points, moved = evaluate_stroke(forearm, stroke)

    shift = np.linalg.norm(points - forearm.points, axis=1) / forearm.frame.length_m
    assert 0.018 < shift.max() <= 0.02
    centre = forearm.locate(FRONT)
    beyond = np.linalg.norm(forearm.points - centre, axis=1) > 0.1 * forearm.frame.length_m
    assert not shift[beyond].any()
    peak = np.argmax(shift)
    assert (points[peak] - forearm.points[peak]) @ forearm.normals[peak] > 0
    assert set(np.flatnonzero(shift)) <= set(moved.tolist())


def test_push_goes_in_inflate_and_deflate_change_the_volume_both_ways(forearm):
    volume = limb_volume(forearm)

    def after(brush, strength):
        points, _ = evaluate_stroke(forearm, BrushStroke(brush, (FRONT,), 0.12, strength))
        return limb_volume(forearm.with_points(points)) - volume

    assert after(Brush.PULL, 0.02) > 0 > after(Brush.PUSH, 0.02)
    assert after(Brush.INFLATE, 0.02) > 0 > after(Brush.INFLATE, -0.02)
    assert after(Brush.PULL, 0.02) == pytest.approx(-after(Brush.PUSH, 0.02), rel=0.05)


def test_smooth_takes_away_a_bump_and_hardly_shrinks_the_limb(forearm):
    bumped, _ = evaluate_stroke(forearm, BrushStroke(Brush.PULL, (FRONT,), 0.06, 0.03))
    rough = forearm.with_points(bumped)
    smooth = BrushStroke(Brush.SMOOTH, (FRONT,), 0.15, 1.0)

    points, _ = evaluate_stroke(rough, smooth)

    height = lambda p: float(np.linalg.norm(p - forearm.points, axis=1).max())  # noqa: E731
    assert height(points) < 0.75 * height(bumped)
    assert limb_volume(forearm.with_points(points)) == pytest.approx(limb_volume(rough), rel=0.01)


def test_flatten_makes_the_place_flatter(forearm):
    stroke = BrushStroke(Brush.FLATTEN, (FRONT,), 0.12, 1.0)

    points, _ = evaluate_stroke(forearm, stroke)

    centre = forearm.locate(FRONT)
    near = np.linalg.norm(forearm.points - centre, axis=1) < 0.05 * forearm.frame.length_m

    def unevenness(p):
        about = p[near] - p[near].mean(axis=0)
        return np.linalg.svd(about, compute_uv=False)[2]

    assert unevenness(points) < 0.5 * unevenness(forearm.points)


@pytest.mark.parametrize("brush", Brush)
def test_what_was_drawn_live_is_what_a_replay_makes_to_the_last_bit(forearm, brush):
    strength = 0.015 if brush.strength_is_a_length else 0.7
    session = BrushSession(forearm, brush, radius=0.08, strength=strength)
    start = forearm.points.copy()
    for share in np.linspace(0, 1, 25):
        changed = session.step(SurfacePoint(0.3 + 0.2 * share, 0.8 * share - 0.4))
    stroke = session.finish()

    points, moved = evaluate_stroke(forearm, stroke)

    np.testing.assert_array_equal(points, session.surface.points)
    np.testing.assert_array_equal(moved, session.moved)
    np.testing.assert_array_equal(forearm.points, start)  # the surface it began on is never changed
    rows = np.searchsorted(changed.ids, np.intersect1d(changed.ids, moved))
    np.testing.assert_array_equal(changed.points[rows], points[changed.ids[rows]])


def test_a_step_gives_posed_positions_and_normals_of_all_that_changed(forearm):
    session = BrushSession(forearm, Brush.PULL, radius=0.1, strength=0.02)

    changed = session.step(FRONT)

    after = session.surface
    np.testing.assert_allclose(changed.posed, after.posed()[changed.ids], atol=1e-12)
    turned = np.einsum("nij,nj->ni", after.mesh.rotation[changed.ids], after.normals[changed.ids])
    np.testing.assert_allclose(changed.normals, turned, atol=1e-6)
    differs = np.abs(after.normals - forearm.normals).max(axis=1) > 1e-12
    assert set(np.flatnonzero(differs)) <= set(changed.ids.tolist())
    assert len(changed.flipped) == 0


def test_passing_a_place_twice_in_one_stroke_counts_once(forearm):
    there = BrushStroke(Brush.PULL, (FRONT, SurfacePoint(0.5, 0.0)), 0.08, 0.01)
    and_back = BrushStroke(Brush.PULL, (*there.path, FRONT), 0.08, 0.01)

    once, twice = (evaluate_stroke(forearm, stroke)[0] for stroke in (there, and_back))

    assert np.abs(once - twice).max() < 0.05 * 0.01 * forearm.frame.length_m


def test_the_seam_with_the_body_never_moves(forearm):
    seam = int(np.flatnonzero(forearm.mesh.joined)[0])
    stroke = BrushStroke(Brush.INFLATE, (forearm.point_of(seam),), 0.3, 0.05)

    points, _ = evaluate_stroke(forearm, stroke)

    np.testing.assert_array_equal(points[forearm.mesh.joined], forearm.points[forearm.mesh.joined])


def test_a_stroke_that_folds_the_surface_is_refused_with_where(corrected):
    # Pulled up to a needle far higher than it is wide, sideways across its own neighbourhood.
    stroke = BrushStroke(Brush.INFLATE, (SurfacePoint(0.45, 0.0),), 0.12, -0.4)

    result = corrected(Limb.RIGHT_ARM, stroke)

    (outcome,) = result.outcomes[Limb.RIGHT_ARM]
    assert not outcome.ok
    assert "It would fold the surface at about" in outcome.reason
    assert "mm from the end" in outcome.reason
    assert not result.is_edited
    np.testing.assert_array_equal(result.limbs[Limb.RIGHT_ARM].points, result.limbs[Limb.RIGHT_ARM].unedited)
    assert any("could not be repeated" in words for words in result.warnings)


def test_with_a_given_scale_the_place_is_said_without_about(forearm):
    stroke = BrushStroke(Brush.INFLATE, (SurfacePoint(0.45, 0.0),), 0.12, -0.4)
    points, moved = evaluate_stroke(forearm, stroke)

    fold = find_fold(forearm, points, moved, scale=ScaleSource.STATURE)

    assert fold is not None
    assert fold.where.startswith("at ")
    distance = (forearm.end_axial - forearm.frame.axial_of(fold.position)) * forearm.frame.length_m * 1000
    assert fold.where == f"at {distance:.0f} mm from the end"


def test_five_hundred_random_strokes_leave_a_closed_surface_without_flips_or_crossings(
    body, four_limbs, opened
):
    rng = np.random.default_rng(68)
    surfaces = dict(opened.limbs)
    refused = 0

    for count in range(500):
        limb = (Limb.RIGHT_ARM, Limb.LEFT_ARM)[count % 2]
        if count % 50 < 2:  # start afresh now and then, so that strokes also meet the plain limb
            surfaces[limb] = opened.limbs[limb]
        surface = surfaces[limb]
        points, moved = evaluate_stroke(surface, random_stroke(surface, rng, gentle=count % 5 > 0))
        if find_fold(surface, points, moved, scale=ScaleSource.PRIOR):
            refused += 1
            continue
        assert len(flipped_faces(surface.points, points, surface.faces)) == 0
        surfaces[limb] = surface.with_points(points)

    assert 0 < refused < 250
    for limb in (Limb.RIGHT_ARM, Limb.LEFT_ARM):
        assert limb_volume(surfaces[limb]) > 0
    whole = opened.with_surface(surfaces[Limb.RIGHT_ARM]).with_surface(surfaces[Limb.LEFT_ARM])
    for vertices in (whole.vertices, whole.tpose):
        facts = surface_facts(vertices, whole.faces)
        assert facts.watertight
        assert facts.volume_m3 > 0


def test_reset_here_brings_the_fits_own_surface_back(corrected):
    stroke = BrushStroke(Brush.PULL, (FRONT,), 0.08, 0.02)

    result = corrected(Limb.RIGHT_ARM, stroke, ResetHere(FRONT, 0.3))

    surface = result.limbs[Limb.RIGHT_ARM]
    assert [outcome.ok for outcome in result.outcomes[Limb.RIGHT_ARM]] == [True, True]
    np.testing.assert_allclose(surface.points, surface.unedited, atol=1e-9)


def test_a_limb_without_corrections_is_as_the_fit_has_it(body, four_limbs):
    from limbstudio.resihmr.pipeline import build_mesh

    person, fit = four_limbs
    plain, _ = build_mesh(person, fit, body)

    same = apply(person, fit, body, (Corrections(person.id, person.photo, Limb.LEFT_LEG, ()),))

    np.testing.assert_array_equal(same.vertices, plain.vertices)
    np.testing.assert_array_equal(same.faces, plain.faces)
    assert not same.is_edited


def test_the_volume_follows_a_stroke_step_by_step(forearm):
    session = BrushSession(forearm, Brush.PULL, radius=0.12, strength=0.03)
    assert session.volume_m3 == pytest.approx(limb_volume(forearm))

    for angle in (0.0, 0.4, 0.8):
        session.step(SurfacePoint(0.4, angle))

        assert session.volume_m3 == pytest.approx(limb_volume(session.surface), rel=1e-12)
    assert session.volume_m3 > 1.001 * limb_volume(forearm)


def test_the_volume_is_that_of_the_limb_closed_by_a_fan_at_its_seam(forearm):
    points, faces = forearm.points, forearm.faces
    directed = {tuple(edge) for edge in np.stack([faces.ravel(), faces[:, [1, 2, 0]].ravel()], 1).tolist()}
    rim = [edge for edge in directed if edge[::-1] not in directed]
    middle = points[forearm.mesh.joined].mean(axis=0)
    closed = np.concatenate([points, middle[None]])
    lid = np.array([[end, start, len(points)] for start, end in rim])

    volume = surface_facts(closed, np.concatenate([faces, lid])).volume_m3

    assert limb_volume(forearm) == pytest.approx(volume, rel=1e-9)
