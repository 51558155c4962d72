"""The lifter: what it is shown, what it answers, and what the answer does in a fit."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from limbstudio.domain.anatomy import N_COCO, SMPLX_INDEX, Level, Limb, LimbState, intact_limbs
from limbstudio.domain.body import FitMode
from limbstudio.domain.errors import KnownError
from limbstudio.resihmr import lifter
from limbstudio.resihmr.energy import evaluate
from limbstudio.resihmr.lifter import (
    BONE_NAMES,
    BONES,
    Guess,
    Lift,
    as_term,
    endings_of,
    existing_bones,
    load,
    sight,
)
from limbstudio.resihmr.problem import DEFAULT_SETTINGS, FitModel, build_problem, residual_limbs
from limbstudio.resihmr.skeleton import SEGMENT_JOINTS
from limbstudio.resihmr.starts import start_unknowns
from limbstudio.resihmr.synthetic import SyntheticPerson
from limbstudio.resources import resource_path

N, K, B = 3, 2, len(BONE_NAMES)
AHEAD = np.tile([0.0, 0.0, 1.0], (N, 1))


def _guess(seed: int = 0) -> Guess:
    rng = np.random.default_rng(seed)
    factors = np.tril(rng.standard_normal((N, K, B, B)), -1) + 8 * np.eye(B)
    log_weights = np.log(rng.dirichlet(np.ones(K), N))
    return Guess(log_weights, 0.2 * rng.standard_normal((N, K, B)), factors)


def _points(seed: int = 1) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return directions to 21 points of three people, (x, y, 1), which are seen, and how the limbs end."""
    rng = np.random.default_rng(seed)
    rays = np.concatenate([rng.uniform(-0.3, 0.3, (N, 21, 2)), np.ones((N, 21, 1))], 2)
    endings = np.array([[0, 0, 0, 0], [0, 1, 0, 3], [5, 0, 2, 4]])
    return rays, rng.random((N, 21)) > 0.2, endings


def _sight(rays: np.ndarray, seen: np.ndarray, endings: np.ndarray, focal: float = 900.0) -> lifter.Sight:
    px = focal * rays[..., :2] / rays[..., 2:] + [400.0, 300.0]
    return sight(px, seen, endings, np.full(N, focal), np.tile([400.0, 300.0], (N, 1)))


def test_bones_run_from_joint_to_joint():
    points = np.zeros((N_COCO + len(SEGMENT_JOINTS), 3))
    points[N_COCO + SEGMENT_JOINTS.index("right_knee")] = [0, 0, 0.5]
    points[N_COCO + SEGMENT_JOINTS.index("left_shoulder")] = [0, 0, 0.2]

    depths = dict(zip(BONE_NAMES, BONES @ points[:, 2], strict=True))

    moved = {name: depth for name, depth in depths.items() if depth}
    assert moved == pytest.approx(
        {
            "right_hip_knee": 0.5,
            "right_knee_ankle": -0.5,
            "left_shoulder_elbow": -0.2,
            "shoulders": 0.2,
            "trunk": 0.1,
            "neck": -0.1,
        }
    )


def test_a_picture_of_another_size_shows_the_same():
    points = _points()

    assert np.allclose(_sight(*points).inputs, _sight(*points, focal=2400.0).inputs)


def test_a_camera_turned_away_shows_the_same_person_elsewhere():
    rays, seen, endings = _points()
    angle = 0.2
    turn = np.array([[np.cos(angle), 0, np.sin(angle)], [0, 1, 0], [-np.sin(angle), 0, np.cos(angle)]])
    middle, aside = _sight(rays, seen, endings), _sight(rays @ turn.T, seen, endings)

    assert np.abs((middle.ray - aside.ray)[:, 0]).min() > 0.15
    # The middle of the bounds turns with the camera only nearly.
    gap = np.abs(middle.inputs - aside.inputs)[:, : 2 * 21]
    assert gap.max() < 0.12 and gap.mean() < 0.02


def test_confidences_take_the_place_of_what_is_seen():
    rays, seen, endings = _points()
    px = 900.0 * rays[..., :2] / rays[..., 2:]
    camera = np.full(N, 900.0), np.zeros((N, 2))
    sure, half = (sight(px, seen, endings, *camera, np.full((N, 21), value)).inputs for value in (1.0, 0.5))

    np.testing.assert_array_equal(sure, sight(px, seen, endings, *camera).inputs)
    np.testing.assert_array_equal(half[:, 42:63], 0.5 * seen)
    np.testing.assert_array_equal(np.delete(half, np.s_[42:63], 1), np.delete(sure, np.s_[42:63], 1))


def test_points_that_are_not_seen_do_not_matter():
    rays, seen, endings = _points()
    moved = np.where(seen[..., None], rays, [0.9, -0.9, 1.0])

    assert (_sight(rays, seen, endings).inputs == _sight(moved, seen, endings).inputs).all()


@pytest.mark.parametrize(
    ("limb", "level", "ending"),
    [
        (Limb.LEFT_ARM, Level.TRANSRADIAL, lifter.IN_LOWER),
        (Limb.RIGHT_ARM, Level.WRIST_DISARTICULATION, lifter.END_OF_LOWER),
        (Limb.LEFT_LEG, Level.TRANSFEMORAL, lifter.IN_UPPER),
        (Limb.RIGHT_LEG, Level.KNEE_DISARTICULATION, lifter.END_OF_UPPER),
        (Limb.RIGHT_LEG, Level.HIP_DISARTICULATION, lifter.GONE),
        (Limb.LEFT_LEG, Level.PARTIAL_FOOT, lifter.INTACT),
    ],
)
def test_a_level_says_how_the_limb_ends(crowd: list[SyntheticPerson], limb: Limb, level: Level, ending: int):
    person = replace(crowd[0].person, limbs={**intact_limbs(), limb: LimbState(level=level)})

    endings = endings_of(residual_limbs(person))

    assert endings[list(Limb).index(limb)] == ending
    assert np.count_nonzero(endings) == (ending != lifter.INTACT)


def test_bones_that_do_not_exist_are_integrated_out():
    guess = _guess()
    shank, thigh = BONE_NAMES.index("left_knee_ankle"), BONE_NAMES.index("left_hip_knee")
    endings = np.zeros((N, 4), int)
    endings[:, 2] = lifter.IN_UPPER
    others = np.delete(np.arange(B), shank)
    covariances = np.linalg.inv(guess.factors @ guess.factors.swapaxes(2, 3))
    marginal = np.linalg.inv(covariances[..., others[:, None], others])

    term = as_term(guess, AHEAD, endings, 1.0)

    assert np.allclose(term.precisions[..., others[:, None], others], marginal)
    assert (term.precisions[..., shank, :] == 0).all() and (term.precisions[..., thigh, thigh] > 0).all()


def test_the_terms_derivatives_are_those_of_its_value():
    term = as_term(_guess(), AHEAD, np.zeros((N, 4), int), 0.7)
    rng = np.random.default_rng(3)
    columns = 0.2 * rng.standard_normal((N, 3, BONES.shape[1]))
    by_depth = np.linalg.pinv(BONES)  # how points move for one bone's depth to change alone

    def energy(bone: int, h: float) -> np.ndarray:
        moved = columns.copy()
        moved[:, 2] += h * by_depth[:, bone]
        return term.terms(np, moved).energy

    numeric = np.stack([(energy(i, 1e-6) - energy(i, -1e-6)) / 4e-6 for i in range(B)], 1)

    assert np.allclose(term.terms(np, columns).gradient, numeric, rtol=1e-5, atol=1e-5)


def test_where_one_gaussian_holds_the_term_is_its_square():
    guess = _guess()
    alone = replace(guess, log_weights=np.tile([0.0, -np.inf], (N, 1)))
    term = as_term(alone, AHEAD, np.zeros((N, 4), int), 2.0)

    at_mean = np.zeros((N, 3, BONES.shape[1]))
    at_mean[:, 2] = guess.means[:, 0] @ np.linalg.pinv(BONES).T
    found = term.terms(np, at_mean)

    assert np.allclose(found.energy, 0) and np.allclose(found.gradient, 0)
    assert np.allclose(found.matrix, 2 * guess.factors[:, 0] @ guess.factors[:, 0].swapaxes(1, 2))


def test_a_file_that_is_no_lifter_is_refused(tmp_path: Path):
    np.savez(tmp_path / "lifter.npz", something=np.zeros(3))

    with pytest.raises(KnownError, match=r"lifter\.npz could not be read"):
        load(tmp_path / "lifter.npz")


# ------------------------------------------------------------------------------------------- what ships, in a fit


def _problem_lift(model: FitModel, known: SyntheticPerson, mode: FitMode = FitMode.JOINT) -> Lift | None:
    return build_problem(model, [known.person], [known.camera], mode=mode).lift


def test_limbs_lean_nearly_as_guessed_even_in_rare_poses(fit_of_body: FitModel, crowd: list[SyntheticPerson]):
    people, cameras = [known.person for known in crowd], [known.camera for known in crowd]
    problem = build_problem(fit_of_body, people, cameras, mode=FitMode.JOINT)
    endings = np.stack([endings_of(residual_limbs(person)) for person in people])
    shown = sight(problem.observed_px, problem.scale > 0, endings, problem.focal, problem.center)
    points = np.zeros((len(crowd), N_COCO + len(SEGMENT_JOINTS), 3))
    points[:, N_COCO:] = [[known.joints[SMPLX_INDEX[name]] for name in SEGMENT_JOINTS] for known in crowd]
    truth = (points @ shown.ray[:, :, None])[..., 0] @ BONES.T
    limbs = existing_bones(endings) & (np.arange(B) < 8)
    assert fit_of_body.lifter is not None

    guess = fit_of_body.lifter(shown.inputs)

    mean = (np.exp(guess.log_weights)[..., None] * guess.means).sum(1)
    assert np.abs(mean - truth)[limbs].mean() < 0.6 * np.abs(truth)[limbs].mean()


def test_the_paper_mode_and_a_body_of_ones_own_do_without(
    fit_of_body: FitModel, crowd: list[SyntheticPerson]
):
    assert _problem_lift(fit_of_body, crowd[0], FitMode.PAPER) is None
    assert _problem_lift(replace(fit_of_body, lifter=None), crowd[0]) is None
    assert _problem_lift(fit_of_body, crowd[0], FitMode.INTACT) is not None


def test_the_terms_energy_is_a_part_of_the_whole(fit_of_body: FitModel, crowd: list[SyntheticPerson]):
    people, cameras = [known.person for known in crowd[:4]], [known.camera for known in crowd[:4]]
    problem = build_problem(fit_of_body, people, cameras, mode=FitMode.JOINT)
    who, x = start_unknowns(fit_of_body, problem, DEFAULT_SETTINGS)
    x = x.taken(np.searchsorted(who, np.arange(4)))

    with_it, without = (evaluate(p, x, derivatives=False) for p in (problem, replace(problem, lift=None)))

    assert np.allclose(with_it.energy - without.energy, with_it.terms["lift"])
    assert (with_it.terms["lift"] > 0).all()


def test_the_shipped_lifter_is_small():
    assert resource_path("priors/lifter.npz").stat().st_size < 6_000_000
