"""AJAHR at the studio's size, measured on synthetic people of held-out clips: its errors, its speed, and what it saves
the solver that begins with it.

Joints and vertices that a person does not have count in no error.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from limbstudio.ajahr.predict import Predictor, predictor
from limbstudio.ajahr.predict_limbs import classifier, propose
from limbstudio.body.model import BodyModel, load_body
from limbstudio.domain.anatomy import SMPLX_INDEX
from limbstudio.domain.geometry import Point
from limbstudio.evaluation.benchmarks import Figures, motion_file
from limbstudio.evaluation.in_space import BodyTruth, Pose, absent_vertices, mean_errors, space_errors
from limbstudio.evaluation.metrics import joint_error_m
from limbstudio.resihmr.batch import ManyFits, fit_many
from limbstudio.resihmr.energy import place_at
from limbstudio.resihmr.guessed import GuessedBodies
from limbstudio.resihmr.problem import fit_model
from limbstudio.resihmr.synthetic import SyntheticPerson, make_people

Report = Callable[[float, str], None]
Floats = NDArray[np.floating[Any]]

NOISE, DROPPED = 0.01, 0.05  # of the box height; of the points
_SEED, _BLOCK = 31, 256
_OPPOSITE_DEG = 90.0
_SITTING_DEG = 45.0  # a thigh that leans so far from the trunk's line belongs to somebody who sits
_BATCH = 64


def bench_ajahr(
    *, people: int = 4000, starts: int = 200, poses: Path | None = None, weights: Path | None = None,
    report: Report = lambda fraction, sentence: None,
) -> Figures:  # fmt: skip
    """Measure predictions on `people` people, and fits that begin with them on `starts` people."""
    body = load_body()
    network = predictor(weights)
    values: dict[str, Any] = {}
    for number, (name, noise, dropped) in enumerate(
        ((f"points off by {100 * NOISE:g} %, {100 * DROPPED:g} % missing", NOISE, DROPPED), ("exact points", 0.0, 0.0))
    ):  # fmt: skip
        report(number / 4, f"Predicting people: {name}")
        crowd = make_people(fit_model(body), motion_file(poses), people, noise=noise, seed=_SEED)
        values[name] = errors_of(_dropped(crowd, dropped), network, body)
    report(0.5, "Timing predictions")
    values["milliseconds a person"] = _speed(crowd[:_BATCH], network, body)
    values["milliseconds a person's limbs, with the picture"] = _speed_of_limbs(crowd[:_BATCH])
    report(0.6, "Fitting with and without a prediction")
    crowd = make_people(fit_model(body), motion_file(poses), starts, noise=NOISE, seed=_SEED + 1)
    values["as what a fit begins with"] = compare_starts(crowd, network, body)
    return Figures("AJAHR, studio size", values)


def _dropped(crowd: Sequence[SyntheticPerson], share: float) -> list[SyntheticPerson]:
    rng = np.random.default_rng(_SEED)
    found = []
    for one in crowd:
        keypoints = one.person.keypoints
        for index in np.flatnonzero(keypoints.observed & (rng.random(len(keypoints.points)) < share)):
            keypoints = keypoints.replaced(int(index), Point())
        found.append(replace(one, person=replace(one.person, keypoints=keypoints)))
    return found


def guesses_of(crowd: Sequence[SyntheticPerson], network: Predictor, body: BodyModel) -> GuessedBodies:
    """Predict a crowd in blocks."""
    parts = []
    for first in range(0, len(crowd), _BLOCK):
        some = crowd[first : first + _BLOCK]
        parts.append(network([one.person for one in some], [one.camera for one in some], body))
    names = ("orientation", "pose", "shape", "root")
    return GuessedBodies(*(np.concatenate([getattr(part, name) for part in parts]) for name in names))


def errors_of(crowd: Sequence[SyntheticPerson], network: Predictor, body: BodyModel) -> dict[str, float]:
    """Return MPJPE, PA-MPJPE and MVE (mm, pelvis-aligned, over what exists) and the number of people."""
    guess = guesses_of(crowd, network, body)
    rows = []
    for number, one in enumerate(crowd):
        truth = BodyTruth(
            one.person.id,
            Pose(one.orientation, one.pose, one.shape),
            one.exists,
            absent_vertices(body, {one.limb: one.level}),
        )
        said = Pose(guess.orientation[number], guess.pose[number], guess.shape[number])
        rows.append(space_errors(body, said, truth))
    mean = mean_errors(rows)
    return {"MPJPE mm": mean.mpjpe, "PA-MPJPE mm": mean.pa_mpjpe, "MVE mm": mean.mve, "people": len(crowd)}


def _speed(crowd: Sequence[SyntheticPerson], network: Predictor, body: BodyModel) -> dict[str, float]:
    people, cameras = [one.person for one in crowd], [one.camera for one in crowd]
    return _times(len(crowd), lambda count: network(people[:count], cameras[:count], body))


def _speed_of_limbs(crowd: Sequence[SyntheticPerson]) -> dict[str, float]:
    """Time the limb classifier on people before noise: what it sees does not change how long it looks."""
    network = classifier()
    width, height = crowd[0].camera.size_px
    pixels = np.random.default_rng(_SEED).integers(0, 256, (height, width, 3), np.uint8)
    people = [(pixels, one.person) for one in crowd]
    return _times(len(crowd), lambda count: propose(network, people[:count]))


def _times(most: int, work: Callable[[int], object]) -> dict[str, float]:
    """Return milliseconds a person of work on one and on all of `most` people, medians."""

    def median_ms(count: int, rounds: int) -> float:
        work(count)
        taken = []
        for _ in range(rounds):
            start = time.perf_counter()
            work(count)
            taken.append(time.perf_counter() - start)
        return 1000 * float(np.median(taken)) / count

    return {"one alone": median_ms(1, 30), f"{most} together": median_ms(most, 5)}


# ------------------------------------------------------------------------------------------------- as initialiser


def compare_starts(crowd: Sequence[SyntheticPerson], network: Predictor, body: BodyModel) -> dict[str, Any]:
    """Fit a crowd from the solver's own starts and from predictions: times, energies, and wrong choices."""
    people, cameras = [one.person for one in crowd], [one.camera for one in crowd]
    singly = crowd[: min(len(crowd), 40)]
    times = np.array([_singly(one, network, body) for one in singly])
    start = time.perf_counter()
    own = fit_many(people, cameras, body)
    between = time.perf_counter()
    guess = guesses_of(crowd, network, body)
    predicted = time.perf_counter()
    begun = fit_many(people, cameras, body, guess=guess)
    end = time.perf_counter()
    ratio = begun.energy / own.energy
    return {
        "people": len(crowd),
        "solver's time, share of its own": {
            "singly": float(np.median(times[:, 2] / times[:, 0])),
            "in batches": (end - predicted) / (between - start),
        },
        "total time, share of the solver's own": {
            "singly": float(np.median((times[:, 1] + times[:, 2]) / times[:, 0])),
            "in batches": (end - between) / (between - start),
        },
        "final energy, share": {
            "median": float(np.median(ratio)),
            "p95": float(np.quantile(ratio, 0.95)),
            "worse by a hundredth": int((ratio > 1.01).sum()),
            "better by a hundredth": int((ratio < 0.99).sum()),
        },
        "wrong front or back": {"own": _wrong_way(crowd, own), "begun": _wrong_way(crowd, begun)},
        "wrong standing or sitting": {"own": _wrong_seat(crowd, own), "begun": _wrong_seat(crowd, begun)},
        "MPJPE mm": {"own": _joint_error(crowd, own), "begun": _joint_error(crowd, begun)},
    }


def _singly(one: SyntheticPerson, network: Predictor, body: BodyModel) -> tuple[float, float, float]:
    """Return seconds: the solver from its own starts, the prediction, the solver from that."""
    start = time.perf_counter()
    fit_many([one.person], [one.camera], body)
    own = time.perf_counter()
    guess = network([one.person], [one.camera], body)
    predicted = time.perf_counter()
    fit_many([one.person], [one.camera], body, guess=guess)
    return own - start, predicted - own, time.perf_counter() - predicted


def _joints(fits: ManyFits) -> Floats:
    return np.asarray(place_at(fits.problem, fits.x).joints)


def _joint_error(crowd: Sequence[SyntheticPerson], fits: ManyFits) -> float:
    found = [
        joint_error_m(said, one.joints, one.exists) for said, one in zip(_joints(fits), crowd, strict=True)
    ]
    return 1000 * float(np.mean(found))


def _forward(joints: Floats) -> Floats:
    across = joints[..., SMPLX_INDEX["left_shoulder"], :] - joints[..., SMPLX_INDEX["right_shoulder"], :]
    forward = np.cross(across, joints[..., SMPLX_INDEX["neck"], :] - joints[..., 0, :])
    return forward / np.linalg.norm(forward, axis=-1, keepdims=True)


def _wrong_way(crowd: Sequence[SyntheticPerson], fits: ManyFits) -> int:
    truth = np.stack([one.joints for one in crowd])
    cosine = (_forward(_joints(fits)) * _forward(truth)).sum(-1)
    return int((cosine < np.cos(np.radians(_OPPOSITE_DEG))).sum())


def _sits(joints: Floats, exists: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Tell who sits: a thigh that exists leans far from the trunk's line."""
    trunk = joints[:, 0] - joints[:, SMPLX_INDEX["neck"]]
    found = np.zeros(len(joints), bool)
    for side in ("left", "right"):
        knee = SMPLX_INDEX[f"{side}_knee"]
        thigh = joints[:, knee] - joints[:, SMPLX_INDEX[f"{side}_hip"]]
        cosine = (thigh * trunk).sum(1) / np.linalg.norm(thigh, axis=1) / np.linalg.norm(trunk, axis=1)
        found |= exists[:, knee] & (cosine < np.cos(np.radians(_SITTING_DEG)))
    return found


def _wrong_seat(crowd: Sequence[SyntheticPerson], fits: ManyFits) -> int:
    exists = np.stack([one.exists for one in crowd])
    truth = np.stack([one.joints for one in crowd])
    return int((_sits(_joints(fits), exists) != _sits(truth, exists)).sum())
