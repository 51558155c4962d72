"""Starts: the bank's nearest views of a person, unlike each other, placed where the points are."""

from dataclasses import replace

import numpy as np
import pytest

from limbstudio.domain.anatomy import N_COCO
from limbstudio.domain.body import FitMode
from limbstudio.resihmr.batch import fit_many
from limbstudio.resihmr.energy import evaluate, project
from limbstudio.resihmr.problem import DEFAULT_SETTINGS, FitModel, build_problem
from limbstudio.resihmr.skeleton import N_SEGMENT_JOINTS
from limbstudio.resihmr.starts import _bank, _nearest_starts, solve_starts, start_unknowns, take_best
from limbstudio.resihmr.synthetic import SyntheticPerson
from limbstudio.resihmr.terms import Problem


@pytest.fixture(scope="module")
def problem(fit_of_body: FitModel, crowd: list[SyntheticPerson]) -> Problem:
    return build_problem(
        fit_of_body, [k.person for k in crowd], [k.camera for k in crowd], mode=FitMode.JOINT
    )


def _distances(problem: Problem, person: int, model: FitModel) -> np.ndarray:
    """Measure every start of the bank the plain way: the observed points, moved and scaled to fit best."""
    bank, k = _bank(model, DEFAULT_SETTINGS.yaws), model.skeleton.n_points - N_SEGMENT_JOINTS
    seen = np.stack([bank.across, bank.down], 2).astype(float)
    ends = np.flatnonzero(problem.scale[person, k:] > 0)
    anchor, upstream = (seen[:, k + rows[person, ends]] for rows in (problem.anchor, problem.upstream))
    middle = anchor + problem.factor_mean[person, ends, None] * (upstream - anchor)
    observed = np.flatnonzero(problem.scale[person, :k] > 0)
    points = np.concatenate([seen[:, observed], middle], 1)
    target = problem.observed_px[person, np.concatenate([observed, k + ends])]
    points = (points - points.mean(1, keepdims=True)).reshape(len(points), -1)
    target = (target - target.mean(0)).reshape(-1)
    scale = np.clip(points @ target, 0, None) / (points * points).sum(1)
    return np.linalg.norm(scale[:, None] * points - target, axis=1)


def test_the_first_start_is_the_nearest_of_the_bank(problem: Problem, fit_of_body: FitModel) -> None:
    bank = _bank(fit_of_body, DEFAULT_SETTINGS.yaws)
    for person in range(4):
        distance = _distances(problem, person, fit_of_body)

        chosen = _nearest_starts(problem, person, bank, DEFAULT_SETTINGS)

        assert distance[chosen[0]] <= distance.min() * (1 + 1e-3)
        assert (np.diff(distance[chosen]) > -1e-3 * distance.min()).all()
        candidates = np.sort(distance)[: DEFAULT_SETTINGS.bank_candidates]
        assert distance[chosen].max() <= candidates[-1] * (1 + 1e-3)


def test_no_start_is_chosen_twice(problem: Problem, fit_of_body: FitModel) -> None:
    chosen = _nearest_starts(problem, 0, _bank(fit_of_body, DEFAULT_SETTINGS.yaws), DEFAULT_SETTINGS)

    assert len(set(chosen.tolist())) == len(chosen) == DEFAULT_SETTINGS.starts


def test_starts_show_the_body_where_the_points_are(problem: Problem, fit_of_body: FitModel) -> None:
    people, x = start_unknowns(fit_of_body, problem, DEFAULT_SETTINGS)

    some = problem.taken(people)
    points = evaluate(some, x, derivatives=False).placed.points[:, :N_COCO]
    off = project(points, some.focal, some.center) - some.observed_px[:, :N_COCO]
    seen = some.scale[:, :N_COCO] > 0
    distance = np.where(seen, np.linalg.norm(off, axis=2), 0).sum(1) / seen.sum(1)
    first = np.searchsorted(people, range(len(problem.focal)))
    sigma_px = 1 / problem.scale.max(1)
    assert (distance[first] < 10 * sigma_px).all()
    assert (points[..., 2] > 0).all()


def test_the_best_of_each_person_are_taken_in_order() -> None:
    people = np.array([0, 0, 0, 1, 1])
    energy = np.array([3.0, 1.0, 2.0, 9.0, 8.0])

    assert take_best(people, energy, 2).tolist() == [1, 2, 4, 3]
    assert take_best(people, energy, 1).tolist() == [1, 4]


def test_a_crowd_is_fitted_as_each_of_its_people_alone(
    problem: Problem, fit_of_body: FitModel, crowd: list[SyntheticPerson]
) -> None:
    people, cameras = [k.person for k in crowd], [k.camera for k in crowd]

    together = fit_many(people, cameras, fit_of_body.body)

    assert len(together.energy) == len(crowd)
    for i in (0, 9):  # of the first block, and of the last
        alone = problem.taken(np.array([i]))
        best = solve_starts(alone, *start_unknowns(fit_of_body, alone, DEFAULT_SETTINGS), DEFAULT_SETTINGS)
        np.testing.assert_allclose(together.energy[i], best.energy[0], rtol=1e-6)


def test_a_crowd_on_a_torch_device_finds_the_same_fits(
    fit_of_body: FitModel, crowd: list[SyntheticPerson]
) -> None:
    settings = replace(DEFAULT_SETTINGS, starts=4, smooth_keep=(4, 2))
    people, cameras = [k.person for k in crowd[:2]], [k.camera for k in crowd[:2]]

    on_device = fit_many(people, cameras, fit_of_body.body, "torch:cpu", settings=settings)

    on_cores = fit_many(people, cameras, fit_of_body.body, settings=settings)
    np.testing.assert_allclose(on_device.energy, on_cores.energy, rtol=1e-6)
