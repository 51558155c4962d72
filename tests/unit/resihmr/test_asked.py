"""What a person asks of a fit: pins are met, a held shape stays, and the terms' derivatives are exact."""

from dataclasses import replace

import numpy as np
import pytest

from limbstudio.body.rotations import rotation_and_left_jacobian
from limbstudio.domain.anatomy import LDPOSE_INDEX, SMPLX_INDEX
from limbstudio.domain.body import FitMode
from limbstudio.domain.fitted import Pin
from limbstudio.resihmr.asked import Asked, can_pin_in_space
from limbstudio.resihmr.following import followed_from
from limbstudio.resihmr.initial_fit import DEFAULT_SETTINGS, fit_person, follow
from limbstudio.resihmr.problem import build_problem
from limbstudio.resihmr.terms import n_unknowns

NOSE, HIP = LDPOSE_INDEX["nose"], LDPOSE_INDEX["left_hip"]


@pytest.fixture(scope="module")
def someone(crowd):
    return crowd[0]


@pytest.fixture(scope="module")
def fitted(someone, fit_of_body):
    return fit_person(someone.person, someone.camera, fit_of_body.body)


def test_derivatives_of_asked_terms_are_those_of_their_energy(someone, fit_of_body, fitted):
    problem = build_problem(fit_of_body, [someone.person], [someone.camera], mode=FitMode.JOINT)
    x = followed_from(fitted).x
    asked = Asked(np.array([20, 24]), np.array([[0.1, 0.2, 3.0], [0.0, -0.1, 3.2]]), np.linspace(-1, 1, 10))

    def energy(step):
        there = x.stepped(np, step[None])
        local, left = rotation_and_left_jacobian(np, there.pose.reshape(1, 21, 3))
        return asked.rows(problem, there, local, derivatives=True, left=left)

    n = n_unknowns(fit_of_body.skeleton.n_shape)
    here = energy(np.zeros(n))
    for i in (0, 2, 10, 40, 66, 68, 69, 75):
        step = np.zeros(n)
        step[i] = 1e-6
        slope = (energy(step).energy[0] - energy(-step).energy[0]) / 2e-6
        assert slope / 2 == pytest.approx(here.gradient[0, i], rel=1e-4, abs=1e-2)


def test_a_held_shape_stays_as_it_is(someone, fit_of_body):
    shape = tuple(np.linspace(-0.8, 0.8, fit_of_body.skeleton.n_shape))

    fit = fit_person(
        someone.person,
        someone.camera,
        fit_of_body.body,
        settings=replace(DEFAULT_SETTINGS, held_shape=shape),
    )

    assert fit.shape == pytest.approx(shape, abs=0.06)


def test_a_point_pinned_in_the_picture_is_met_though_all_else_speaks_against_it(someone, fit_of_body):
    person = someone.person
    index = HIP
    point = person.keypoints.points[index]
    moved = replace(point, x=point.x + 25.0)
    person = replace(person, keypoints=person.keypoints.replaced(index, moved))

    def missed_by(settings) -> float:
        fit = fit_person(person, someone.camera, fit_of_body.body, settings=settings)
        return float(np.hypot(fit.projected_px[index, 0] - moved.x, fit.projected_px[index, 1] - moved.y))

    pinned = missed_by(replace(DEFAULT_SETTINGS, pins=(Pin(index),)))

    assert pinned < 0.5 * missed_by(DEFAULT_SETTINGS)
    assert pinned < 2.5


def test_a_point_pinned_in_space_stays_while_another_is_dragged(someone, fit_of_body, fitted):
    place = tuple(float(v) for v in fitted.joints[SMPLX_INDEX["left_hip"]])
    nose = someone.person.keypoints.points[NOSE]
    moved = someone.person.keypoints.replaced(NOSE, replace(nose, x=nose.x + 40.0))
    person = replace(someone.person, keypoints=moved)

    def hip(settings) -> np.ndarray:
        found = follow(person, someone.camera, fit_of_body.body, followed_from(fitted), settings=settings)
        return found.fit.joints[SMPLX_INDEX["left_hip"]]

    pinned = hip(replace(DEFAULT_SETTINGS, pins=(Pin(HIP, place),)))

    assert np.linalg.norm(pinned - place) < 0.01
    assert np.linalg.norm(pinned - place) < 0.7 * np.linalg.norm(hip(DEFAULT_SETTINGS) - place)


def test_only_joints_of_the_limbs_are_pinned_in_space():
    assert can_pin_in_space(HIP)
    assert not can_pin_in_space(NOSE)
