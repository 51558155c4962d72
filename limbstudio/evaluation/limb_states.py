"""How well limb states are told: counts, rates, and whether probabilities are as often right as they say.

Truth and answers are AJAHR's classes 0 to 3 of the four heads (`HEAD_LIMBS`); a negative class is unknown and counts
nowhere.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from limbstudio.ajahr.build import HEAD_LIMBS, INTACT_CLASS, N_CLASSES, N_HEADS

Floats = NDArray[np.floating[Any]]
Ints = NDArray[np.integer[Any]]

N_BINS = 15


@dataclass(frozen=True)
class Rates:
    """Of one head, or of all of them: shares of 1. Those over classes are weighted by how often each class is true."""

    accuracy: float
    precision: float
    recall: float
    f1: float
    count: int


@dataclass(frozen=True, eq=False)
class Reliability:
    """Answers sorted by their probability into bins of equal width: how many, their mean probability, share right.

    Means and shares of an empty bin are NaN.
    """

    counts: Ints
    probability: Floats
    right: Floats

    @property
    def calibration_error(self) -> float:
        """Return the expected calibration error: the mean gap of probability and share, by counts."""
        full = self.counts > 0
        if not full.any():
            return float("nan")
        gaps = np.abs(self.probability[full] - self.right[full])
        return float((self.counts[full] * gaps).sum() / self.counts.sum())


def confusion(truth: Ints, said: Ints) -> Ints:
    """Return counts (4 heads, 4 true classes, 4 said classes) of truth and answers (N, 4)."""
    truth, said = np.asarray(truth), np.asarray(said)
    counts = np.zeros((N_HEADS, N_CLASSES, N_CLASSES), int)
    rows, heads = np.nonzero(truth >= 0)
    np.add.at(counts, (heads, truth[rows, heads], said[rows, heads]), 1)
    return counts


def class_rates(counts: Ints) -> tuple[Floats, Floats, Floats]:
    """Return precision, recall and F1 (..., 4) of counts (..., 4 true, 4 said); 0 where nothing is to be divided."""
    numbers = np.asarray(counts, float)
    right = np.diagonal(numbers, axis1=-2, axis2=-1)
    precision = _share(right, numbers.sum(-2))
    recall = _share(right, numbers.sum(-1))
    return precision, recall, _share(2 * precision * recall, precision + recall)


def head_rates(counts: Ints) -> tuple[Rates, ...]:
    """Return the rates of each head of counts (4, 4, 4)."""
    return tuple(_rates(head[None]) for head in counts)


def all_rates(counts: Ints) -> Rates:
    """Return the rates over the 4 x 4 classes of counts (4, 4, 4): a head's class is one of sixteen."""
    return _rates(counts)


def intact_recall(counts: Ints) -> float:
    """Return which share of limbs that are intact was said to be; NaN where there are none."""
    row = np.asarray(counts)[:, INTACT_CLASS].sum(0)
    return float(row[INTACT_CLASS] / row.sum()) if row.sum() else float("nan")


def reliability(probabilities: Floats, truth: Ints, bins: int = N_BINS) -> Reliability:
    """Sort the likeliest classes of probabilities (N, 4 heads, 4 classes) into bins; truth (N, 4)."""
    known = np.asarray(truth) >= 0
    said = np.asarray(probabilities).argmax(2)
    told = np.asarray(probabilities).max(2)[known]
    right = (said == truth)[known].astype(float)
    place = np.clip((told * bins).astype(int), 0, bins - 1)
    counts = np.bincount(place, minlength=bins)
    with np.errstate(invalid="ignore"):
        means = [np.bincount(place, weights=values, minlength=bins) / counts for values in (told, right)]
    return Reliability(counts, means[0], means[1])


def draw_reliability(found: Reliability, path: Path) -> None:
    """Draw shares that are right over probabilities, and below how many answers there are."""
    from matplotlib.figure import Figure  # a second to import, and only at the end

    figure = Figure(figsize=(5.2, 6.4), layout="constrained")
    over, under = figure.subplots(2, 1, sharex=True, height_ratios=(3, 1))
    edges = np.linspace(0, 1, len(found.counts) + 1)
    width = edges[1]
    over.plot([0, 1], [0, 1], color="0.5", linewidth=1, linestyle="--", label="as often right as said")
    over.bar(
        edges[:-1], np.nan_to_num(found.right), width, align="edge", edgecolor="white", label="share right"
    )
    over.plot(found.probability, found.right, "o", color="black", markersize=3, label="mean of a bin")
    over.set_ylabel("share right")
    over.set_title(f"{found.counts.sum()} limbs, expected calibration error {found.calibration_error:.3f}")
    over.legend(loc="upper left")
    under.bar(edges[:-1], found.counts, width, align="edge", edgecolor="white")
    under.set_xlabel("probability of the likeliest class")
    under.set_ylabel("limbs")
    figure.savefig(path, dpi=110)


def as_plain(counts: Ints) -> dict[str, Any]:
    """Return counts and their rates for JSON, by the limbs' names; None where there are no limbs to rate."""
    heads = {}
    for limb, head, rates in zip(HEAD_LIMBS, counts, head_rates(counts), strict=True):
        heads[limb.value] = {**_plain_rates(rates), "confusion": np.asarray(head).tolist()}
    return {
        "weighted": _plain_rates(all_rates(counts)),
        "intact_recall": _or_none(intact_recall(counts)),
        "heads": heads,
    }


def _plain_rates(rates: Rates) -> dict[str, Any]:
    return {name: _or_none(value) for name, value in vars(rates).items()}


def _rates(counts: Ints) -> Rates:
    """Return the rates of counts (heads, 4, 4)."""
    support = np.asarray(counts, float).sum(-1)
    total = support.sum()
    if total == 0:
        nan = float("nan")
        return Rates(nan, nan, nan, nan, 0)
    precision, recall, f1 = (float((values * support).sum() / total) for values in class_rates(counts))
    right = float(np.diagonal(counts, axis1=-2, axis2=-1).sum() / total)
    return Rates(right, precision, recall, f1, int(total))


def _share(part: Floats, whole: Floats) -> Floats:
    return np.divide(part, whole, out=np.zeros_like(np.asarray(part, float)), where=np.asarray(whole) > 0)


def _or_none(value: float) -> float | None:
    return None if np.isnan(value) else value
