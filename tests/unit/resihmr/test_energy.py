"""The energy: its derivatives are those of its value, its terms add up, and torch agrees with numpy."""

from dataclasses import dataclass, replace

import numpy as np
import pytest

from limbstudio.body.rotations import rotation, rotation_and_left_jacobian
from limbstudio.domain.anatomy import N_COCO, Posture
from limbstudio.domain.body import FitMode
from limbstudio.resihmr.batch import unknowns_to
from limbstudio.resihmr.energy import evaluate, up_in_camera
from limbstudio.resihmr.problem import FitModel, FitSettings, build_problem
from limbstudio.resihmr.skeleton import place
from limbstudio.resihmr.solver import minimise
from limbstudio.resihmr.starts import sharpened, start_unknowns
from limbstudio.resihmr.synthetic import SyntheticPerson
from limbstudio.resihmr.terms import Problem, Unknowns, as_numpy, n_unknowns, problem_to

POSTURES = (Posture.STANDING, Posture.SITTING, Posture.LYING, Posture.UNKNOWN)


@pytest.fixture(scope="module")
def everything_on(fit_of_body: FitModel, crowd: list[SyntheticPerson]) -> tuple[Problem, Unknowns]:
    """Four people with posture, stature and a Student tail; estimates far from the optimum, beyond joint limits."""
    settings = FitSettings(tail=8.0)
    people = [replace(known.person, stature_mm=1700.0) for known in crowd[:4]]
    problem = build_problem(fit_of_body, people, [known.camera for known in crowd[:4]], mode=FitMode.JOINT,
                            settings=settings, postures=POSTURES)  # fmt: skip
    who, x = start_unknowns(fit_of_body, problem, settings)
    x = x.taken(np.searchsorted(who, np.arange(4)))
    rng = np.random.default_rng(0)

    def shaken(value: np.ndarray, by: float) -> np.ndarray:
        return value + by * rng.standard_normal(value.shape)

    return problem, replace(
        x,
        pose=shaken(x.pose, 0.3),
        shape=shaken(x.shape, 0.5),
        tilt=shaken(x.tilt, 0.1),
        factor=rng.uniform(0.2, 0.8, x.factor.shape),
    )


def _numeric(problem: Problem, x: Unknowns, of: str) -> np.ndarray:
    """Differentiate `of` ("energy" or the data rows) by every unknown with central differences; unknowns last."""
    size, h = n_unknowns(x.shape.shape[1]), 1e-6
    columns = []
    for i in range(size):
        step = np.zeros((len(x.pose), size))
        step[:, i] = h
        ends = []
        for sign in (1, -1):
            at = x.stepped(np, sign * step)
            if of == "energy":
                ends.append(evaluate(problem, at, derivatives=False).energy)
            else:
                data = evaluate(problem, at, derivatives=True).data
                assert data is not None
                ends.append(data.rows.reshape(len(data.rows), -1))
        columns.append((ends[0] - ends[1]) / (2 * h))
    return np.stack(columns, -1)


@pytest.mark.parametrize("mixture", [False, True])
def test_the_gradient_is_the_energys_with_every_term_on(
    everything_on: tuple[Problem, Unknowns], mixture: bool
) -> None:
    problem, x = everything_on
    problem = replace(problem, use_mixture=mixture)

    found = evaluate(problem, x, derivatives=True)

    for name in ("posture", "stature", "limits", "lambda", "shape", "camera"):
        assert found.terms[name].max() > 0, name
    numeric = _numeric(problem, x, "energy") / 2  # the gradient is that of half the energy
    assert found.gradient is not None
    np.testing.assert_allclose(found.gradient, numeric, atol=1e-5 * np.abs(numeric).max())


def test_the_data_rows_have_the_jacobian_they_say(everything_on: tuple[Problem, Unknowns]) -> None:
    problem, x = everything_on

    data = evaluate(problem, x, derivatives=True).data

    assert data is not None
    numeric = _numeric(problem, x, "rows")
    np.testing.assert_allclose(data.jacobian, numeric, atol=1e-5 * np.abs(numeric).max())


def test_the_matrix_is_symmetric_and_positive(everything_on: tuple[Problem, Unknowns]) -> None:
    problem, x = everything_on

    for found in (evaluate(p, x, derivatives=True) for p in (problem, sharpened(problem))):
        assert found.matrix is not None
        np.testing.assert_allclose(found.matrix, found.matrix.swapaxes(1, 2), atol=1e-9 * found.matrix.max())
        assert np.linalg.eigvalsh(found.matrix).min() > 0


def test_the_terms_add_up_to_the_energy(everything_on: tuple[Problem, Unknowns]) -> None:
    problem, x = everything_on

    found = evaluate(problem, x, derivatives=False)

    np.testing.assert_allclose(sum(found.terms.values()), found.energy, rtol=1e-12)


def test_what_is_not_observed_pulls_nothing(everything_on: tuple[Problem, Unknowns]) -> None:
    problem, x = everything_on
    elsewhere = problem.observed_px + 1000.0 * (problem.scale == 0)[..., None]

    moved = evaluate(replace(problem, observed_px=elsewhere), x, derivatives=True)

    as_it_was = evaluate(problem, x, derivatives=True)
    np.testing.assert_allclose(moved.energy, as_it_was.energy, rtol=1e-12)
    np.testing.assert_allclose(moved.gradient, as_it_was.gradient, rtol=1e-9, atol=1e-9)


def test_items_of_a_batch_know_nothing_of_each_other(everything_on: tuple[Problem, Unknowns]) -> None:
    problem, x = everything_on
    problem = sharpened(problem)
    together = evaluate(problem, x, derivatives=True)

    for i in range(4):
        alone = evaluate(problem.taken(np.array([i])), x.taken(np.array([i])), derivatives=True)

        np.testing.assert_allclose(alone.energy[0], together.energy[i], rtol=1e-12)
        np.testing.assert_allclose(alone.gradient[0], together.gradient[i], rtol=1e-8, atol=1e-8)


def test_torch_evaluates_and_minimises_as_numpy_does(everything_on: tuple[Problem, Unknowns]) -> None:
    problem, x = everything_on
    for one in (problem, sharpened(problem)):
        other, y = problem_to(one, "cpu"), unknowns_to(x, "cpu")

        ours, theirs = evaluate(one, x, derivatives=True), evaluate(other, y, derivatives=True)
        # Rounding grows on the way down, but not at the bottom.
        end = minimise(one, x, steps=100, tolerance=1e-10)
        their_end = minimise(other, y, steps=100, tolerance=1e-10)

        np.testing.assert_allclose(as_numpy(theirs.energy), ours.energy, rtol=1e-8)
        for a, b in ((ours.gradient, theirs.gradient), (ours.matrix, theirs.matrix)):
            np.testing.assert_allclose(as_numpy(b), a, atol=1e-8 * np.abs(a).max())
        np.testing.assert_allclose(as_numpy(their_end.energy), end.energy, rtol=1e-8)
        np.testing.assert_allclose(as_numpy(their_end.x.pose), end.x.pose, atol=1e-3)


@dataclass(frozen=True, eq=False)
class _Pull:
    """A stand-in for the mask term: a spring on the body's place, as energy, half its gradient, and its matrix."""

    energy: np.ndarray
    gradient: np.ndarray
    matrix: np.ndarray


class _Spring:
    def taken(self, index: np.ndarray) -> "_Spring":
        return self

    def rows(
        self, problem: Problem, x: Unknowns, local: np.ndarray, *, derivatives: bool, left: np.ndarray
    ) -> _Pull:
        assert local.shape == left.shape == (len(x.pose), 21, 3, 3)
        size = n_unknowns(x.shape.shape[1])
        gradient, matrix = np.zeros((len(x.pose), size)), np.zeros((len(x.pose), size, size))
        gradient[:, 66:69] = x.move
        matrix[:, range(66, 69), range(66, 69)] = 1
        return _Pull((x.move**2).sum(1), gradient, matrix)


def test_a_term_that_is_plugged_in_counts(everything_on: tuple[Problem, Unknowns]) -> None:
    problem, x = everything_on
    pulled = replace(problem, contour=_Spring())

    found = evaluate(pulled, x, derivatives=True)

    plain = evaluate(problem, x, derivatives=True)
    np.testing.assert_allclose(found.terms["contour"], (x.move**2).sum(1))
    np.testing.assert_allclose(found.energy - plain.energy, (x.move**2).sum(1))
    np.testing.assert_allclose(found.gradient[:, 66:69] - plain.gradient[:, 66:69], x.move)
    free = minimise(problem, x, steps=60).x
    held = minimise(pulled, free, steps=20).x
    assert ((held.move**2).sum(1) < (free.move**2).sum(1)).all()


def test_up_is_minus_y_for_a_level_camera_and_tips_back_when_it_looks_down() -> None:
    up, _ = up_in_camera(np, np.array([[0.0, 0.0], [0.2, 0.0]]))

    np.testing.assert_allclose(up[0], [0, -1, 0])
    np.testing.assert_allclose(up[1], [0, -np.cos(0.2), -np.sin(0.2)])


def test_up_has_the_derivative_it_says() -> None:
    tilt, h = np.array([[0.3, -0.4]]), 1e-6

    _, by_tilt = up_in_camera(np, tilt)

    for i in range(2):
        step = h * np.eye(2)[i]
        numeric = (up_in_camera(np, tilt + step)[0] - up_in_camera(np, tilt - step)[0]) / (2 * h)
        np.testing.assert_allclose(by_tilt[..., i], numeric, atol=1e-9)


@pytest.mark.parametrize("angle", [0.0, 1e-9, 1e-5, 0.1, 2.0, np.pi])
def test_rotations_turn_by_their_vector_and_so_do_small_changes_of_it(angle: float) -> None:
    axis = np.array([0.36, 0.48, 0.8])
    theta, h = angle * axis, 1e-6

    turn, left = rotation_and_left_jacobian(np, theta)

    across = np.array([0.8, -0.6, 0.0])
    third = np.cross(axis, across)
    np.testing.assert_allclose(turn @ axis, axis, atol=1e-12)
    np.testing.assert_allclose(turn @ across, np.cos(angle) * across + np.sin(angle) * third, atol=1e-12)
    for i in range(3):
        step = h * np.eye(3)[i]
        spin = (rotation(np, theta + step) - rotation(np, theta - step)) / (2 * h) @ turn.T
        np.testing.assert_allclose(
            [spin[2, 1], spin[0, 2], spin[1, 0]], left[:, i], atol=1e-8
        )  # the axis that the change turns about


def test_points_move_with_shape_and_joints_as_the_lever_says(fit_of_body: FitModel) -> None:
    skeleton, rng, h = fit_of_body.skeleton, np.random.default_rng(1), 1e-6
    pose, shape = rng.standard_normal((1, 21, 3)) * 0.4, rng.standard_normal((1, skeleton.n_shape))
    root, move = rotation(np, np.array([[3.0, 0.2, 0.1]])), np.array([[0.1, 0.2, 3.0]])

    def points(**given: np.ndarray) -> np.ndarray:
        of = {"root": root, "local": rotation(np, pose), "shape": shape, "translation": move, **given}
        return place(skeleton, **of, derivatives=False).points

    placed = place(skeleton, root, rotation(np, pose), shape, move, derivatives=True)

    assert placed.lever is not None and placed.shaped is not None
    for b in (0, skeleton.n_shape - 1):
        step = h * np.eye(skeleton.n_shape)[b]
        numeric = (points(shape=shape + step) - points(shape=shape - step)) / (2 * h)
        np.testing.assert_allclose(placed.shaped[:, :, b].swapaxes(1, 2), numeric, atol=1e-8)
    knee = 4  # left_knee: turning it in its parent's frame turns all below about the parent's axes
    spin = np.array([0.0, 0.0, h])
    turned = [rotation(np, pose) for _ in range(2)]
    for local, sign in zip(turned, (1, -1), strict=True):
        local[:, knee - 1] = rotation(np, sign * spin) @ local[:, knee - 1]
    numeric = (points(local=turned[0]) - points(local=turned[1])) / (2 * h)
    axis = placed.rotations[0, skeleton.parents[knee]] @ [0.0, 0.0, 1.0]
    np.testing.assert_allclose(np.cross(axis, placed.lever[0, knee].T), numeric[0], atol=1e-8)
    assert np.abs(placed.lever[0, knee, :, :N_COCO]).max() > 0.3  # the ankle hangs on it
