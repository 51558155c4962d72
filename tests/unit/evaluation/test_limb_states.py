"""Measures of told limb states, on cases that are counted by hand."""

import json

import numpy as np
import pytest

from limbstudio.evaluation.limb_states import (
    N_BINS,
    all_rates,
    as_plain,
    class_rates,
    confusion,
    draw_reliability,
    head_rates,
    intact_recall,
    reliability,
)

TRUTH = np.array([[3, 3, 3, 3], [0, 3, 3, 3], [0, 3, 3, 1], [3, 3, 2, -100]])
SAID = np.array([[3, 3, 3, 0], [0, 3, 3, 3], [1, 3, 3, 1], [3, 3, 2, 2]])


def test_counts_are_of_true_and_said_classes_and_unknown_ones_are_left_out():
    counts = confusion(TRUTH, SAID)

    assert counts.sum() == 15
    assert counts[0].tolist() == [[1, 1, 0, 0], [0, 0, 0, 0], [0, 0, 0, 0], [0, 0, 0, 2]]
    assert counts[3].tolist() == [[0, 0, 0, 0], [0, 1, 0, 0], [0, 0, 0, 0], [1, 0, 0, 1]]


def test_rates_of_classes():
    precision, recall, f1 = class_rates(confusion(TRUTH, SAID)[0])

    assert precision.tolist() == [1, 0, 0, 1]
    assert recall.tolist() == [0.5, 0, 0, 1]
    assert f1 == pytest.approx([2 / 3, 0, 0, 1])


def test_rates_of_heads_and_of_all_are_weighted_by_how_often_a_class_is_true():
    counts = confusion(TRUTH, SAID)
    first, second, third, fourth = head_rates(counts)
    whole = all_rates(counts)

    assert (first.accuracy, first.recall, first.count) == (0.75, 0.75, 4)
    assert first.f1 == pytest.approx((2 * 2 / 3 + 2 * 1) / 4)
    assert (second.f1, third.f1) == (1, 1)
    assert fourth.precision == pytest.approx((1 * 1 + 2 * 1) / 3)
    assert fourth.recall == pytest.approx((1 + 2 * 0.5) / 3)
    assert whole.accuracy == pytest.approx(13 / 15)
    assert whole.f1 == pytest.approx((4 * first.f1 + 4 + 4 + 3 * fourth.f1) / 15)
    assert whole.count == 15


def test_intact_limbs_that_were_said_to_be():
    assert intact_recall(confusion(TRUTH, SAID)) == pytest.approx(10 / 11)
    assert np.isnan(intact_recall(np.zeros((4, 4, 4), int)))


def test_nothing_known_gives_no_rates():
    assert np.isnan(all_rates(confusion(np.full((2, 4), -100), SAID[:2])).accuracy)
    plain = as_plain(np.zeros((4, 4, 4), int))
    assert plain["intact_recall"] is None
    assert plain["weighted"] == {"accuracy": None, "precision": None, "recall": None, "f1": None, "count": 0}
    json.dumps(plain, allow_nan=False)  # NaN is no JSON


def _probabilities(told: list[float]) -> np.ndarray:
    """Return (N, 4, 4): the intact class has the probability told in all heads."""
    rest = (1 - np.array(told)) / 3
    rows = np.stack([rest, rest, rest, np.array(told)], 1)
    return np.repeat(rows[:, None], 4, 1)


def test_calibration_error_by_hand():
    probabilities = _probabilities([0.9, 0.9, 0.5, 0.5])
    truth = np.full((4, 4), -100)
    truth[:, 0] = [3, 0, 3, 0]  # one of two right in both bins

    found = reliability(probabilities, truth)

    assert found.counts.sum() == 4
    assert found.counts.max() == 2
    assert found.calibration_error == pytest.approx(0.5 * 0.4 + 0.5 * 0.0)


def test_probabilities_that_are_as_often_right_as_said_have_next_to_no_error():
    rng = np.random.default_rng(0)
    told = rng.uniform(0.4, 1.0, 4000)
    truth = np.where(rng.random((4000, 4)) < told[:, None], 3, 0)

    assert reliability(_probabilities(list(told)), truth).calibration_error < 0.02
    assert reliability(_probabilities([1.0] * 4000), truth).calibration_error == pytest.approx(0.3, abs=0.02)


def test_the_diagram_is_drawn_with_empty_bins_too(tmp_path):
    found = reliability(_probabilities([1.0, 0.4]), np.full((2, 4), 3))

    draw_reliability(found, tmp_path / "reliability.png")

    assert len(found.counts) == N_BINS
    assert (tmp_path / "reliability.png").stat().st_size > 5000
