"""Sections, tapes and maps of a limb that is open for correction."""

from dataclasses import replace

import numpy as np
import pytest

from limbstudio.corrections.brushes import evaluate_stroke
from limbstudio.corrections.replay import apply
from limbstudio.domain.anatomy import Level, Limb
from limbstudio.domain.corrections import Brush, BrushStroke, SurfacePoint
from limbstudio.measures.limb_maps import doubt_along_the_ray, edited_distance
from limbstudio.measures.limb_sections import (
    Z95,
    GirthDoubt,
    carried,
    girth_rows,
    is_same_at,
    other_side_girth,
    section_at,
    sections_every,
    tape_between,
)


@pytest.fixture(scope="module")
def fitted(known_fit, body):
    person, fit = known_fit({Limb.RIGHT_LEG: Level.TRANSTIBIAL}, factor=0.4)
    return fit, apply(person, fit, body, (), also_open=(Limb.RIGHT_LEG,))


@pytest.fixture(scope="module")
def limb(fitted):
    return fitted[1].limbs[Limb.RIGHT_LEG]


def test_a_section_lies_across_the_bone_and_its_numbers_agree(limb):
    found = section_at(limb, 0.08)

    axial = limb.frame.axial_of(found.loop.points)
    assert np.allclose(axial, limb.end_axial - 0.08 / limb.frame.length_m, atol=1e-9)
    assert found.girth_m <= found.loop.girth_m
    # Between the circle of its area and the box of its widths.
    assert 2 * np.sqrt(np.pi * found.area_m2) <= found.girth_m * 1.001
    assert found.girth_m < 2 * (found.ml_m + found.ap_m)


def test_sections_every_step_end_where_the_limb_joins_the_body(limb):
    found = sections_every(limb, 0.025)

    assert [item.from_end_m for item in found] == pytest.approx([0.025 * (n + 1) for n in range(len(found))])
    assert len(found) >= 5
    assert not section_at(limb, found[-1].from_end_m + 0.2).is_closed


def test_the_other_side_has_nearly_the_same_girth_at_the_same_level(fitted, limb):
    mesh = fitted[1]
    found = section_at(limb, 0.12)

    other = other_side_girth(mesh.tpose, mesh.faces, limb.frame, found.axial)

    assert other == pytest.approx(found.girth_m, rel=0.03)


def test_places_are_carried_to_where_the_posed_limb_has_them(limb):
    rows = np.arange(0, len(limb.points), 37)

    moved = carried(limb, limb.points[rows])

    assert np.linalg.norm(moved - limb.posed(ids=rows), axis=1).max() < 0.002


def test_a_tape_is_as_long_as_the_way_over_the_skin(limb):
    ring = section_at(limb, 0.1).loop.points
    front = ring[np.argmax(ring @ limb.frame.anterior)]
    back = ring[np.argmin(ring @ limb.frame.anterior)]

    tape = tape_between(limb, front, back)

    assert tape.straight_m == pytest.approx(np.linalg.norm(front - back))
    assert 1.2 * tape.straight_m < tape.along_m < 2.2 * tape.straight_m
    assert np.allclose(tape.path[0], front)
    assert np.allclose(tape.path[-1], back)
    assert tape_between(limb, front, front).along_m == 0


def test_the_interval_of_a_girth_has_the_size_and_the_end_in_it(fitted, limb):
    found = section_at(limb, 0.05)
    size, end = GirthDoubt(0.02, 0.0), GirthDoubt(0.0, 0.004)

    assert size.half_width(limb, found) == pytest.approx(1.96 * 0.02 * found.girth_m, rel=1e-3)
    slope = (section_at(limb, 0.054).girth_m - section_at(limb, 0.046).girth_m) / 0.008
    assert end.half_width(limb, found) == pytest.approx(1.96 * 0.004 * abs(slope), rel=1e-3)


def test_the_map_of_edits_is_the_strokes_height(limb):
    stroke = BrushStroke(Brush.PULL, (SurfacePoint(0.3, 0.0),), 0.08, 0.01)
    points, moved = evaluate_stroke(limb, stroke)

    amounts = edited_distance(limb.with_points(points))

    assert amounts.max() == pytest.approx(0.01 * limb.frame.length_m, rel=0.02)
    assert not amounts[np.setdiff1d(np.arange(len(amounts)), moved)].any()


def test_doubt_along_the_ray_grows_towards_the_end(fitted, limb):
    found = next(item for item in fitted[0].limbs if item.limb is Limb.RIGHT_LEG)

    amounts = doubt_along_the_ray(limb, found)

    axial = limb.frame.axial_of(limb.points)
    assert np.isfinite(amounts).all()
    assert (amounts >= 0).all()
    low, high = amounts[axial < 0.2].mean(), amounts[axial > 0.5].mean()
    assert high >= low


def of_end_alone(found, sigma_m):
    """Return a limb's fit whose intervals come from where it ends alone."""
    reach = Z95 * sigma_m * (1 - found.factor) / found.length_m
    return replace(
        found,
        factor_interval=(found.factor - reach, found.factor + reach),
        length_interval_m=(found.length_m - Z95 * sigma_m, found.length_m + Z95 * sigma_m),
    )


def test_doubt_along_the_ray_is_what_a_longer_bone_with_the_same_picture_reaches_farther(fitted, limb):
    found = next(item for item in fitted[0].limbs if item.limb is Limb.RIGHT_LEG)
    joint, sigma = np.asarray(found.upstream_position), 0.004
    tip = int(np.argmax(limb.frame.axial_of(limb.points)))
    ray = limb.posed()[tip] / np.linalg.norm(limb.posed()[tip])

    amounts = doubt_along_the_ray(limb, of_end_alone(found, sigma))

    bone = np.asarray(found.endpoint) - joint
    depth = abs(bone @ ray)
    across = np.linalg.norm(bone - bone @ ray * ray)
    longer = np.sqrt((np.linalg.norm(bone) + Z95 * sigma) ** 2 - across**2)
    assert amounts[tip] == pytest.approx(longer - depth, rel=1e-6)
    assert amounts[tip] > Z95 * sigma  # along the ray an error of the length is never smaller


def test_a_limb_without_intervals_has_no_doubt_that_could_be_shown(fitted, limb):
    found = next(item for item in fitted[0].limbs if item.limb is Limb.RIGHT_LEG)
    unknown = (float("nan"), float("nan"))

    amounts = doubt_along_the_ray(limb, replace(found, factor_interval=unknown, length_interval_m=unknown))

    assert np.isnan(amounts).all()


def test_a_section_is_the_same_until_something_moves_at_its_level(limb):
    length = limb.frame.length_m
    points, _ = evaluate_stroke(limb, BrushStroke(Brush.PULL, (SurfacePoint(0.3, 0.0),), 0.06, 0.01))
    moved = limb.with_points(points)
    near, far = (section_at(limb, (limb.end_axial - axial) * length) for axial in (0.3, 0.45))

    assert is_same_at(far, limb, moved)
    assert not is_same_at(near, limb, moved)
    assert section_at(moved, far.from_end_m).girth_m == far.girth_m
    assert section_at(moved, near.from_end_m).girth_m > near.girth_m + 0.0005


def test_rows_of_girths_hold_what_is_measured_one_by_one(fitted, limb):
    fit, corrected = fitted
    doubt = GirthDoubt.of(of_end_alone(fit.limbs[0], 0.003))

    rows = girth_rows(limb, corrected.tpose, corrected.faces, doubt, every_m=0.025)

    assert [row.section.from_end_m for row in rows] == [s.from_end_m for s in sections_every(limb, 0.025)]
    for row in rows:
        assert row.half_width_m == doubt.half_width(limb, row.section)
        other = other_side_girth(corrected.tpose, corrected.faces, limb.frame, row.section.axial)
        assert row.other_m == other
    plain = girth_rows(limb, corrected.tpose, corrected.faces, None, every_m=0.025)
    assert all(row.half_width_m is None for row in plain)
