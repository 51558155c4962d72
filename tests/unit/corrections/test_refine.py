"""Refinement: short edges where it was asked for, the same surface, and a body that is not touched."""

import numpy as np
import pytest

from limbstudio.body.surface import signed_volume, surface_facts
from limbstudio.corrections.refine import LONGEST_EDGE_M, refine
from limbstudio.corrections.replay import apply
from limbstudio.domain.anatomy import Limb
from limbstudio.domain.corrections import TipKind, TipShape
from limbstudio.evaluation.correction_cases import random_case


def edges_of(points, faces):
    return np.linalg.norm(points[faces] - points[faces[:, [1, 2, 0]]], axis=2)


@pytest.mark.parametrize("limb", Limb)
def test_all_edges_of_an_opened_residual_limb_are_at_most_four_millimetres(opened, limb):
    surface = opened.limbs[limb]

    longest = edges_of(surface.points, surface.faces).max()  # the cap is rounded

    assert longest <= LONGEST_EDGE_M


@pytest.mark.parametrize("seed", range(10))
def test_no_edge_of_a_random_limb_is_longer_whatever_shape_its_end_was_given(body, seed):
    rng = np.random.default_rng((4, seed))
    case = random_case(body, rng)
    shape = TipShape(list(TipKind)[seed % 3], float(rng.uniform()), float(rng.uniform()))

    for operations in ((), (shape,)):
        made = apply(case.person, case.fit, body, case.corrections(operations), also_open=(case.limb,))
        surface = made.limbs[case.limb]

        assert edges_of(surface.points, surface.faces).max() <= LONGEST_EDGE_M
        assert surface_facts(made.tpose, made.faces).watertight


def test_the_refined_mesh_is_closed_in_both_poses_and_keeps_its_volume(body, four_limbs, opened):
    from limbstudio.resihmr.pipeline import build_mesh

    plain, _ = build_mesh(*four_limbs, body)

    for vertices, before in ((opened.vertices, plain.vertices), (opened.tpose, plain.tpose)):
        facts = surface_facts(vertices, opened.faces)
        assert facts.watertight
        assert facts.components == 1
        # Only the caps, rounder than their two rings, hold more.
        more = facts.volume_m3 - signed_volume(before, plain.faces)
        assert 0 < more < 0.002 * facts.volume_m3


def test_the_rest_of_the_body_is_untouched_bit_by_bit(body, four_limbs, opened):
    from limbstudio.resihmr.pipeline import build_mesh

    plain, _ = build_mesh(*four_limbs, body)
    count = len(plain.vertices)
    outside = ~plain.residual

    np.testing.assert_array_equal(opened.vertices[:count][outside], plain.vertices[outside])
    np.testing.assert_array_equal(opened.tpose[:count][outside], plain.tpose[outside])
    # Faces away from the seam are there as they were.
    was = plain.faces[outside[plain.faces].all(axis=1)]
    now = {tuple(face) for face in np.sort(opened.faces, axis=1).tolist()}
    kept = sum(tuple(face) in now for face in np.sort(was, axis=1).tolist())
    assert kept > 0.98 * len(was)


def test_refinement_carries_any_attribute_linearly():
    points = np.array([[0.0, 0, 0], [0.01, 0, 0], [0, 0.01, 0], [0.01, 0.01, 0]])
    faces = np.array([[0, 1, 2], [1, 3, 2]])

    recipe = refine(faces, np.array([True, False]), points, longest_m=0.004)

    carried = recipe.carry(points[:, 0] * 3 + 1)
    np.testing.assert_allclose(carried, recipe.carry(points)[:, 0] * 3 + 1)
    fine = recipe.carry(points)[recipe.faces]
    area = np.linalg.norm(np.cross(fine[:, 1] - fine[:, 0], fine[:, 2] - fine[:, 0]), axis=1) / 2
    assert area.sum() == pytest.approx(1e-4)
    assert np.all(area > 0)
    assert edges_of(recipe.carry(points), recipe.faces[recipe.source == 0]).max() <= 0.004


def test_two_refinements_after_each_other_are_one():
    points = np.array([[0.0, 0, 0], [0.01, 0, 0], [0, 0.01, 0], [0.01, 0.01, 0]])
    faces = np.array([[0, 1, 2], [1, 3, 2]])
    coarse = refine(faces, np.array([True, False]), points, longest_m=0.008)
    fine = refine(coarse.faces, coarse.source == 0, coarse.carry(points), longest_m=0.004)

    both = coarse.then(fine)

    np.testing.assert_array_equal(both.faces, fine.faces)
    np.testing.assert_array_equal(both.carry(points), fine.carry(coarse.carry(points)))
    corners = both.carry(points)[both.faces]
    assert ((corners.sum(axis=(1, 2)) > 0.03) == (both.source == 1)).all()  # beyond the diagonal


def test_a_region_that_is_fine_enough_stays_as_it_is():
    points = np.array([[0.0, 0, 0], [0.001, 0, 0], [0, 0.001, 0]])
    faces = np.array([[0, 1, 2]])

    recipe = refine(faces, np.array([True]), points)

    np.testing.assert_array_equal(recipe.faces, faces)
    assert recipe.parents == ()
