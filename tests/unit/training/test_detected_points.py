"""Points as a detector would give them: they do not tell what the classifier is asked."""

from collections.abc import Callable

import numpy as np
import pytest

from limbstudio.domain.anatomy import LDPOSE_INDEX, N_COCO, KeypointState
from limbstudio.training.detected_points import detected_points

SIZE_PX, PERSON_PX = (256, 256), 200.0
WRIST, ELBOW, END = (LDPOSE_INDEX[name] for name in ("left_wrist", "left_elbow", "below_left_elbow_end"))
VISIBLE, OCCLUDED, ABSENT = KeypointState.VISIBLE, KeypointState.OCCLUDED, KeypointState.ABSENT


@pytest.fixture(scope="module")
def standing() -> np.ndarray:
    """Return a person's 25 points who faces the camera; residual ends nowhere."""
    points = np.full((25, 2), np.nan)
    points[:N_COCO] = [
        (128, 40), (132, 36), (124, 36), (138, 38), (118, 38), (150, 70), (106, 70), (160, 100), (96, 100),
        (164, 128), (92, 128), (142, 130), (114, 130), (144, 175), (112, 175), (144, 215), (112, 215),
    ]  # fmt: skip
    return points


@pytest.fixture(scope="module")
def drawn(standing: np.ndarray) -> Callable[..., np.ndarray]:
    """Return a function that draws one wrist many times, its elbow above it, in a state."""

    def draw(state: KeypointState, count: int = 1500, rest: KeypointState = VISIBLE) -> np.ndarray:
        states = [rest] * N_COCO + [ABSENT] * 8
        points = standing.copy()
        states[WRIST] = state
        if state is ABSENT:
            points[WRIST] = np.nan
            points[END], states[END] = (162, 112), VISIBLE
        rng = np.random.default_rng(3)
        return np.stack(
            [detected_points(points, tuple(states), PERSON_PX, rng, SIZE_PX) for _ in range(count)]
        )

    return draw


def best_split(one: np.ndarray, other: np.ndarray) -> float:
    """Return how often a threshold at best tells two samples apart, both weighing alike."""
    edges = np.unique(np.concatenate([one, other]))
    shares = [(one >= edge).mean() - (other >= edge).mean() for edge in edges]
    return 0.5 + 0.5 * float(np.abs(shares).max())


def test_no_confidence_tells_absent_from_hidden(drawn):
    absent, hidden = (drawn(state)[:, WRIST, 2] for state in (ABSENT, OCCLUDED))

    assert best_split(absent, hidden) <= 0.75
    assert abs((absent == 0).mean() - (hidden == 0).mean()) < 0.15
    assert 0.1 < (absent == 1).mean() < 0.4  # as from a tool that gives no confidences


def test_no_distance_to_the_elbow_tells_absent_from_hidden(drawn):
    lengths = []
    for state in (ABSENT, OCCLUDED):
        found = drawn(state)
        both = (found[:, WRIST, 2] > 0) & (found[:, ELBOW, 2] > 0)
        lengths.append(np.linalg.norm(found[both, WRIST, :2] - found[both, ELBOW, :2], axis=1))

    assert best_split(*lengths) <= 0.75


def test_where_an_absent_wrist_is_found_there_are_ends_other_limbs_and_things(drawn, standing):
    found = drawn(ABSENT)[:, WRIST]
    found = found[found[:, 2] > 0, :2]

    def share(place: np.ndarray, within: float) -> float:
        return float((np.linalg.norm(found - place, axis=1) < within).mean())

    assert share(np.array([162.0, 112.0]), 22) > 0.2
    assert share(standing[LDPOSE_INDEX["right_wrist"]], 15) > 0.1
    assert share(standing[WRIST], 20) > 0.05  # as if it were there
    assert share(standing[ELBOW], 70) < 0.95


def test_visible_points_are_near_and_believed_in_more_than_hidden_ones(drawn, standing):
    seen, hidden = drawn(VISIBLE, 400), drawn(VISIBLE, 400, rest=OCCLUDED)

    def off(found: np.ndarray) -> float:
        there = found[..., 2] > 0
        return float(np.median(np.linalg.norm(found[..., :2] - standing[:N_COCO], axis=2)[there]))

    assert off(seen) < 0.02 * PERSON_PX
    assert off(hidden) > 1.5 * off(seen)
    assert seen[..., 2].mean() > hidden[..., 2].mean() + 0.2


def test_points_lie_in_the_picture_with_a_confidence_or_are_zeros(drawn):
    found = np.concatenate([drawn(state, 200, rest=OCCLUDED) for state in (ABSENT, VISIBLE)])
    missing = found[..., 2] == 0

    assert missing.any()
    assert (found[missing] == 0).all()
    assert ((found[..., 2] >= 0) & (found[..., 2] <= 1)).all()
    assert ((found[..., :2] >= 0) & (found[..., :2] <= 255)).all()


def test_the_same_seed_gives_the_same_points_and_truth_is_left_alone(standing):
    before = standing.copy()
    states = (OCCLUDED,) * N_COCO + (ABSENT,) * 8

    one, two = (
        detected_points(standing, states, PERSON_PX, np.random.default_rng(5), SIZE_PX) for _ in range(2)
    )

    assert np.array_equal(one, two)
    assert np.array_equal(before, standing, equal_nan=True)


def test_nothing_known_at_all_is_nothing_found_or_found_somewhere(standing):
    nowhere = np.full((25, 2), np.nan)

    found = detected_points(nowhere, (KeypointState.UNLABELLED,) * 25, PERSON_PX, np.random.default_rng(0))

    assert (found == 0).all()
    assert np.isfinite(detected_points(nowhere, (ABSENT,) * 25, PERSON_PX, np.random.default_rng(0))).all()
