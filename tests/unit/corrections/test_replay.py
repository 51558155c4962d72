"""Replaying corrections: cut, shape and strokes on whatever fit there is."""

from dataclasses import replace

import numpy as np
import pytest

from limbstudio.body.surface import surface_facts
from limbstudio.corrections.handles import end_at, plane_normal, plane_through
from limbstudio.corrections.limb_surface import vertex_normals
from limbstudio.corrections.replay import apply, preview_cut
from limbstudio.corrections.validity import cut_facts, limb_volume
from limbstudio.domain.anatomy import Level, Limb, LimbState, Segment
from limbstudio.domain.corrections import (
    Brush,
    BrushStroke,
    Corrections,
    CutPlane,
    EndAlongLimb,
    MirrorOther,
    SurfacePoint,
    TipKind,
    TipShape,
)
from limbstudio.measures.residual_limb import measure_profile

STROKES = (
    BrushStroke(Brush.PULL, (SurfacePoint(0.3, 0.2), SurfacePoint(0.4, 0.5)), 0.08, 0.015),
    BrushStroke(Brush.PUSH, (SurfacePoint(0.25, 2.5),), 0.1, 0.015),
    BrushStroke(Brush.INFLATE, (SurfacePoint(0.45, -2.0),), 0.08, 0.01),
    BrushStroke(Brush.SMOOTH, (SurfacePoint(0.35, 0.3),), 0.1, 0.5),
    BrushStroke(Brush.PULL, (SurfacePoint(0.6, 0.5, 0.8),), 0.06, 0.01),
)
LEVELS = {True: (Level.TRANSHUMERAL, Level.TRANSRADIAL), False: (Level.TRANSFEMORAL, Level.TRANSTIBIAL)}


def distance_to(surface, points):
    """Return the distances (n,) of points from a surface, by its nearest triangles."""
    from trimesh.triangles import closest_point

    tree = surface.tree
    starts, ids = surface.mesh.around
    nearest = tree.query(points)[1]
    best = np.full(len(points), np.inf)
    triangles = surface.points[surface.faces]
    for row, vertex in enumerate(nearest):
        faces = ids[starts[vertex] : starts[vertex + 1]]
        on = closest_point(triangles[faces], np.repeat(points[row : row + 1], len(faces), axis=0))
        best[row] = np.linalg.norm(on - points[row], axis=1).min()
    return best


def rms_in_frames(one, two, *, below, rng):
    """Return the RMS distance (m) of one limb's surface from the other's, in the limb's frame."""
    local = one.frame.local(one.points)
    rows = np.flatnonzero((local[:, 0] < below) & ~one.mesh.joined)
    rows = rng.choice(rows, min(len(rows), 600), replace=False)
    moved = two.frame.position(local[rows] * one.frame.length_m / two.frame.length_m)
    return float(np.sqrt((distance_to(two, moved) ** 2).mean()))


@pytest.mark.parametrize("limb", Limb)
@pytest.mark.parametrize("place", [0, 1])
def test_after_a_refit_with_lambda_within_five_percent_the_surface_agrees_to_half_a_millimetre(
    body, known_fit, limb, place
):
    level = LEVELS[limb.is_arm][place]
    rng = np.random.default_rng(place * 4 + list(Limb).index(limb))
    strokes = STROKES if rng.random() < 0.5 else STROKES[::-1]

    def replayed(factor, operations):
        person, fit = known_fit({limb: level}, factor=factor)
        result = apply(person, fit, body, (Corrections("7", "0" * 64, limb, operations),))
        assert all(outcome.ok for outcome in result.outcomes[limb])
        return result.limbs[limb]

    factor = float(rng.uniform(0.25, 0.4))
    other = factor + float(rng.choice([-0.05, 0.05]))

    # With the end set by hand all of the surface stays.
    ended = (EndAlongLimb(factor), *strokes)
    before, after = replayed(factor, ended), replayed(other, ended)
    assert rms_in_frames(before, after, below=9.0, rng=rng) < 0.0005

    # Without, what lies above both caps does; the cap's own strokes go with the end.
    before, after = replayed(factor, strokes), replayed(other, strokes)
    ring = min(float(s.frame.axial_of(s.points[s.mesh.cap <= 0]).max()) for s in (before, after))
    assert rms_in_frames(before, after, below=ring - 0.03, rng=rng) < 0.0005


def test_the_end_set_by_hand_overrides_lambda(corrected, four_limbs):
    result = corrected(Limb.LEFT_LEG, EndAlongLimb(0.25))

    assert result.factor(Limb.LEFT_LEG) == pytest.approx(0.25, abs=0.002)
    fitted = next(limb for limb in four_limbs[1].limbs if limb.limb is Limb.LEFT_LEG)
    assert fitted.factor == 0.4  # the fit is as it was
    (stump,) = [s for s in result.stumps if s.limb is Limb.LEFT_LEG]
    along = (fitted.anchor_position - fitted.upstream_position) / np.linalg.norm(
        fitted.anchor_position - fitted.upstream_position
    )
    length = (stump.tip - fitted.upstream_position) @ along
    assert length == pytest.approx(
        0.75 * np.linalg.norm(fitted.anchor_position - fitted.upstream_position), abs=0.003
    )


@pytest.mark.parametrize("limb", Limb)
def test_a_tilted_plane_by_numbers_cuts_along_that_plane(corrected, limb):
    plane = CutPlane(0.55, 0.3, -0.2)

    result = corrected(limb, plane)

    surface = result.limbs[limb]
    ring = surface.points[
        np.isin(surface.vertex_ids, next(s for s in result.stumps if s.limb is limb).boundary)
    ]
    frame = surface.frame
    normal = plane_normal(frame, plane.tilt_ap, plane.tilt_ml)
    off = (ring - (frame.origin + 0.55 * frame.length_m * frame.axis)) @ normal
    assert np.abs(off).max() < 0.003
    facts = surface_facts(result.vertices, result.faces)
    assert facts.watertight
    assert facts.volume_m3 > 0


def test_handles_give_the_numbers_of_the_plane_they_stand_on(opened):
    for limb in Limb:
        frame = opened.limbs[limb].frame
        normal = plane_normal(frame, 0.25, -0.4)
        origin = frame.origin + 0.6 * frame.length_m * frame.axis

        plane = plane_through(frame, origin, -normal)

        assert (plane.offset, plane.tilt_ap, plane.tilt_ml) == pytest.approx((0.6, 0.25, -0.4))
        assert end_at(frame, origin + 0.03 * frame.lateral).factor == pytest.approx(0.4)


def girths(result, limb):
    surface = result.limbs[limb]
    frame = surface.frame
    tip = surface.vertex_ids[int(np.argmax(frame.axial_of(surface.points)))]
    levels = [10.0, 15, 20, 25, 30, 35, 40, 45, 50]
    profile = measure_profile(
        np.asarray(result.tpose, float), result.faces, joint=frame.origin, axis=frame.axis, tip=int(tip),
        anterior=frame.anterior, from_end_percent=levels,
    )  # fmt: skip
    return np.array([level.girth_m for level in profile.levels])


@pytest.mark.parametrize("limb", Limb)
def test_conical_cylindrical_and_bulbous_ends_have_the_girths_of_their_names(corrected, limb):
    conical, cylindrical, bulbous = (
        girths(corrected(limb, TipShape(kind)), limb)
        for kind in (TipKind.CONICAL, TipKind.CYLINDRICAL, TipKind.BULBOUS)
    )

    assert conical[1] < 0.93 * conical[5]
    assert abs(cylindrical[1] / cylindrical[4] - 1) < 0.06
    waist = bulbous[2:].min()
    assert bulbous[:4].max() >= 1.03 * waist


@pytest.mark.parametrize("limb", Limb)
def test_roundness_and_fold_shape_the_cap_while_the_end_stays(corrected, limb):
    flat, round_, folded = (
        corrected(limb, TipShape(TipKind.CYLINDRICAL, roundness, fold))
        for roundness, fold in ((0.0, 0.0), (1.0, 0.0), (0.5, 1.0))
    )

    for result in (flat, round_, folded):
        assert result.outcomes[limb][0].ok
        assert surface_facts(result.vertices, result.faces).watertight
        if result is not folded:
            assert result.factor(limb) == pytest.approx(0.4, abs=0.004)

    def height(result):
        surface = result.limbs[limb]
        wall = surface.frame.axial_of(surface.points[surface.mesh.cap <= 0]).max()
        return surface.end_axial - wall

    assert height(flat) < height(round_)
    dent = folded.limbs[limb]
    tip = dent.points[np.argmax(dent.mesh.cap)]
    assert dent.end_axial - dent.frame.axial_of(tip) > 0.01


def test_mirroring_an_intact_side_undoes_what_a_brush_did_to_the_wall(corrected):
    pull = BrushStroke(Brush.PULL, (SurfacePoint(0.35, 0.3),), 0.08, 0.015)

    plain = corrected(Limb.LEFT_LEG, pull)
    mirrored = corrected(Limb.LEFT_LEG, pull, MirrorOther())

    assert [outcome.ok for outcome in mirrored.outcomes[Limb.LEFT_LEG]] == [True, True]

    def bump(result):
        surface = result.limbs[Limb.LEFT_LEG]
        return float(np.linalg.norm(surface.points - surface.unedited, axis=1).max())

    assert bump(mirrored) < 0.3 * bump(plain)


def test_mirroring_a_corrected_side_brings_its_bump_over(body, known_fit):
    both = {Limb.LEFT_LEG: Level.TRANSFEMORAL, Limb.RIGHT_LEG: Level.TRANSFEMORAL}
    person, fit = known_fit(both, factor=0.35)
    pull = BrushStroke(Brush.PULL, (SurfacePoint(0.35, 0.3),), 0.1, 0.03)

    result = apply(
        person, fit, body,
        (
            Corrections("7", "0" * 64, Limb.LEFT_LEG, (pull,)),
            Corrections("7", "0" * 64, Limb.RIGHT_LEG, (MirrorOther(),)),
        ),
    )  # fmt: skip

    left, right = (result.limbs[limb] for limb in both)
    shift = np.linalg.norm(right.points - right.unedited, axis=1)
    peak = right.frame.local(right.unedited[np.argmax(shift)])
    model = left.frame.local(left.unedited[np.argmax(np.linalg.norm(left.points - left.unedited, axis=1))])
    assert shift.max() > 0.02 * right.frame.length_m
    np.testing.assert_allclose(peak, model, atol=0.03)


def test_a_stroke_beyond_where_the_limb_ends_now_is_marked_not_lost(corrected):
    far = BrushStroke(Brush.PULL, (SurfacePoint(0.9, 0.0),), 0.03, 0.01)
    near = BrushStroke(Brush.PULL, (SurfacePoint(0.3, 0.0),), 0.08, 0.01)

    result = corrected(Limb.LEFT_ARM, far, near)

    lost, kept = result.outcomes[Limb.LEFT_ARM]
    assert not lost.ok
    assert "no surface any more" in lost.reason
    assert kept.ok
    (failure,) = result.failures
    assert (failure.limb, failure.number, failure.operation) == (Limb.LEFT_ARM, 1, far)
    assert failure.words.startswith("Correction 1 of the left arm (pull) could not be repeated: There is no")
    assert failure.words in result.warnings


def test_a_limb_whose_fit_was_not_accepted_is_cut_where_a_person_says(body, known_fit):
    person, fit = known_fit({Limb.LEFT_LEG: Level.TRANSTIBIAL}, accepted=False)
    end = (Corrections("7", "0" * 64, Limb.LEFT_LEG, (EndAlongLimb(0.5),)),)

    assert apply(person, fit, body, ()).stumps == ()
    result = apply(person, fit, body, end)

    assert [stump.limb for stump in result.stumps] == [Limb.LEFT_LEG]
    assert result.factor(Limb.LEFT_LEG) == pytest.approx(0.5, abs=0.003)


def test_corrections_of_a_limb_that_is_whole_are_marked(corrected, body, known_fit):
    person, fit = known_fit({Limb.LEFT_LEG: Level.TRANSTIBIAL})
    stroke = BrushStroke(Brush.PULL, (SurfacePoint(0.3, 0.0),), 0.08, 0.01)

    result = apply(person, fit, body, (Corrections("7", "0" * 64, Limb.LEFT_ARM, (stroke,)),))

    assert [outcome.ok for outcome in result.outcomes[Limb.LEFT_ARM]] == [False]
    assert not result.is_edited


def test_corrections_rest_while_the_limb_ends_in_another_segment_and_come_back(body, known_fit):
    person, fit = known_fit({Limb.LEFT_LEG: Level.TRANSTIBIAL})
    stroke = BrushStroke(Brush.PULL, (SurfacePoint(0.3, 0.0),), 0.08, 0.01)
    kept = (Corrections("7", "0" * 64, Limb.LEFT_LEG, (stroke,), Segment.SHANK),)
    above = replace(person, limbs={**person.limbs, Limb.LEFT_LEG: LimbState(Level.TRANSFEMORAL)})

    resting = apply(above, known_fit({Limb.LEFT_LEG: Level.TRANSFEMORAL})[1], body, kept)
    back = apply(person, fit, body, kept)

    assert (resting.is_edited, resting.outcomes, resting.resting) == (False, {}, kept)
    assert resting.warnings == (
        "1 correction of the left leg rests: made on its shank, while it ends in the thigh.",
    )
    assert back.is_edited
    assert back.resting == ()


def test_a_fit_from_before_the_level_was_changed_takes_no_new_corrections_and_says_why(body, known_fit):
    person, fit = known_fit({Limb.LEFT_LEG: Level.TRANSTIBIAL})
    above = replace(person, limbs={**person.limbs, Limb.LEFT_LEG: LimbState(Level.TRANSFEMORAL)})
    operations = (EndAlongLimb(0.3), STROKES[0])
    new = (Corrections("7", "0" * 64, Limb.LEFT_LEG, operations, Segment.THIGH),)

    result = apply(above, fit, body, new)

    assert [failure.number for failure in result.failures] == [1, 2]
    assert all("Fit the person again." in failure.reason for failure in result.failures)
    assert not result.is_edited


@pytest.mark.parametrize("limb", Limb)
def test_a_correction_is_as_large_posed_as_at_rest_and_stands_on_the_skin_the_same_way(corrected, limb):
    surface = corrected(limb, *STROKES[:3]).limbs[limb]

    at_rest = surface.points - surface.mesh.base_rest
    posed = surface.posed() - surface.mesh.base_posed

    np.testing.assert_allclose(np.linalg.norm(posed, axis=1), np.linalg.norm(at_rest, axis=1), atol=1e-5)
    shift = np.linalg.norm(at_rest, axis=1)
    moved = (shift > 0.4 * shift.max()) & (surface.mesh.cap == 0)
    lift = (at_rest * vertex_normals(surface.mesh.base_rest, surface.faces, len(shift))).sum(axis=1)
    lift_posed = (posed * vertex_normals(surface.mesh.base_posed, surface.faces, len(shift))).sum(axis=1)
    np.testing.assert_allclose(lift_posed[moved], lift[moved], atol=0.1 * shift.max())


def test_a_preview_ends_where_the_whole_replay_does(body, four_limbs):
    person, fit = four_limbs
    end = (Corrections("7", "0" * 64, Limb.LEFT_LEG, (EndAlongLimb(0.2),)),)

    preview, whole = preview_cut(person, fit, body, end), apply(person, fit, body, end)

    tips = [next(s.tip for s in r.stumps if s.limb is Limb.LEFT_LEG) for r in (preview, whole)]
    np.testing.assert_allclose(*tips, atol=1e-4)
    assert len(preview.vertices) < 0.6 * len(whole.vertices)


def test_a_place_picked_on_the_posed_limb_is_found_again(forearm):
    rng = np.random.default_rng(2)
    for face in rng.integers(len(forearm.faces), size=60):
        corners = forearm.faces[face]
        weights = rng.dirichlet((1, 1, 1))
        posed = weights @ forearm.posed()[corners]

        again = forearm.locate(forearm.at_rest(int(face), posed))

        np.testing.assert_allclose(again, weights @ forearm.points[corners], atol=1.5e-3)


@pytest.mark.parametrize("limb", Limb)
def test_a_cut_that_is_not_refined_has_nearly_the_volume_and_length_of_the_limb(
    body, four_limbs, opened, limb
):
    surface = opened.limbs[limb]
    cut = preview_cut(*four_limbs, body, ()).mesh

    volume, length = cut_facts(cut, limb, surface.frame)

    assert volume == pytest.approx(limb_volume(surface), rel=0.02)  # its cap is two rings, not yet round
    assert length == pytest.approx(surface.end_axial * surface.frame.length_m, abs=0.001)
