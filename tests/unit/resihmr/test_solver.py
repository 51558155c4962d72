"""The solver: downhill only, item by item, and as deep as a general one."""

from dataclasses import replace

import numpy as np
import pytest

from limbstudio.domain.body import FitMode
from limbstudio.evaluation.benchmarks import solver_comparison
from limbstudio.resihmr.energy import evaluate
from limbstudio.resihmr.problem import DEFAULT_SETTINGS, FitModel, build_problem
from limbstudio.resihmr.solver import minimise, polish
from limbstudio.resihmr.starts import sharpened, start_unknowns
from limbstudio.resihmr.synthetic import SyntheticPerson
from limbstudio.resihmr.terms import Problem, Unknowns


@pytest.fixture(scope="module")
def six_starts(fit_of_body: FitModel, crowd: list[SyntheticPerson]) -> tuple[Problem, Unknowns]:
    """The first and the last start of three people."""
    few = crowd[:3]
    problem = build_problem(fit_of_body, [k.person for k in few], [k.camera for k in few], mode=FitMode.JOINT)
    who, x = start_unknowns(fit_of_body, problem, DEFAULT_SETTINGS)
    pick = np.concatenate([np.searchsorted(who, range(3)), np.searchsorted(who, range(3), side="right") - 1])
    return problem.taken(who[pick]), x.taken(pick)


def test_no_step_makes_any_item_worse(six_starts: tuple[Problem, Unknowns]) -> None:
    for problem in (six_starts[0], sharpened(six_starts[0])):
        energy = [minimise(problem, six_starts[1], steps=n).energy for n in range(12)]

        assert (np.diff(energy, axis=0) <= 0).all()
        assert (energy[-1] < 0.5 * energy[0]).all()


def test_the_energy_it_says_is_that_of_its_estimate(six_starts: tuple[Problem, Unknowns]) -> None:
    problem, x = six_starts

    found = minimise(problem, x, steps=30)

    np.testing.assert_allclose(evaluate(problem, found.x, derivatives=False).energy, found.energy, rtol=1e-12)


def test_items_are_solved_as_if_alone(six_starts: tuple[Problem, Unknowns]) -> None:
    problem, x = six_starts
    together = minimise(problem, x, steps=40)

    for i in (0, 4):
        alone = minimise(problem.taken(np.array([i])), x.taken(np.array([i])), steps=40)

        np.testing.assert_allclose(alone.energy[0], together.energy[i], rtol=1e-7)
        np.testing.assert_allclose(alone.x.pose[0], together.x.pose[i], atol=1e-4)


def test_a_single_item_keeps_its_last_evaluation(six_starts: tuple[Problem, Unknowns]) -> None:
    problem, x = six_starts[0].taken(np.array([1])), six_starts[1].taken(np.array([1]))

    found = minimise(problem, x, steps=40)

    assert found.evaluation is not None
    anew = evaluate(problem, found.x, derivatives=True)
    assert found.evaluation.gradient is not None and anew.gradient is not None
    np.testing.assert_allclose(found.evaluation.gradient, anew.gradient, atol=1e-9)


def test_polishing_stops_before_a_step_that_would_not_be_seen(six_starts: tuple[Problem, Unknowns]) -> None:
    problem, x = six_starts[0].taken(np.array([1])), six_starts[1].taken(np.array([1]))
    there = minimise(problem, x, steps=60, tolerance=1e-9)
    beside = replace(there.x, pose=there.x.pose + 0.01)

    rough = polish(problem, beside, steps=60, within_px=0.5)
    fine = polish(problem, beside, steps=60, within_px=0.0001)

    assert polish(problem, there.x, steps=5, within_px=0.5).steps == 0
    assert 0 < rough.steps < fine.steps
    assert fine.energy[0] <= there.energy[0] * (1 + 1e-9)
    assert rough.energy[0] <= there.energy[0] * 1.001


def test_bent_steps_need_fewer_evaluations_near_an_optimum(six_starts: tuple[Problem, Unknowns]) -> None:
    problem, x = six_starts
    near = minimise(problem, x, steps=12).x

    plain = minimise(problem, near, steps=100, tolerance=1e-10)
    bent = minimise(problem, near, steps=100, tolerance=1e-10, bent=True)

    assert bent.steps < plain.steps
    assert (bent.energy <= plain.energy * (1 + 1e-6)).all()


def test_what_is_given_is_not_changed(six_starts: tuple[Problem, Unknowns]) -> None:
    problem, x = six_starts
    before = [value.copy() for value in x.values]

    minimise(problem, x, steps=10)

    for value, copy in zip(x.values, before, strict=True):
        np.testing.assert_array_equal(value, copy)


def test_the_factor_stays_between_anchor_and_upstream(six_starts: tuple[Problem, Unknowns]) -> None:
    factor = minimise(six_starts[0], six_starts[1], steps=40).x.factor

    assert factor.min() >= 0 and factor.max() <= 1


def test_it_gets_as_deep_as_l_bfgs_b(fit_of_body: FitModel, crowd: list[SyntheticPerson]) -> None:
    figures = solver_comparison(crowd[:2], fit_of_body, DEFAULT_SETTINGS)

    assert figures["ratio_median"] <= 1.001
    assert figures["ratio_worst"] <= 1.01
