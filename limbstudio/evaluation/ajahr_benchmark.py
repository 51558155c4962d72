"""AJAHR at the studio's size, measured on synthetic people of held-out clips: its errors, its speed, and what it saves
the solver that begins with it, there and on annotated photos.

Joints and vertices that a person does not have count in no error.
"""

import os
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from limbstudio.ajahr.limb_crop import Pixels
from limbstudio.ajahr.predict import Predictor, predictor
from limbstudio.ajahr.predict_limbs import classifier, propose
from limbstudio.body.model import BodyModel, load_body
from limbstudio.domain.errors import KnownError
from limbstudio.domain.geometry import Point
from limbstudio.evaluation.benchmarks import Figures, motion_file
from limbstudio.evaluation.in_space import BodyTruth, Pose, absent_vertices, mean_errors, space_errors
from limbstudio.evaluation.starts_benchmark import PhotoPeople, compare_on_photos, compare_starts, guesses_of
from limbstudio.resihmr.problem import fit_model
from limbstudio.resihmr.synthetic import SyntheticPerson, make_people

Report = Callable[[float, str], None]
Floats = NDArray[np.floating[Any]]

NOISE, DROPPED = 0.01, 0.05  # of the box height; of the points
# Confidences of points that are not sure: a point is off by the inverse as much as a sure one.
_LEAST_SURE = 0.2
_SEED = 31
_BATCH = 64


def bench_ajahr(
    *,
    people: int = 4000,
    starts: int = 200,
    photos: PhotoPeople | None = None,
    poses: Path | None = None,
    weights: Path | None = None,
    report: Report = lambda fraction, sentence: None,
) -> Figures:
    """Measure predictions on `people` people, and fits that begin with them on `starts` people and those of photos.

    0 people or starts: that part is left out. Raise KnownError where nothing is left.
    """
    if not (people or starts or photos):
        raise KnownError("Nothing was asked to be measured.", "Give --people, --starts or --photos.")
    body = load_body()
    network = predictor(weights)
    values: dict[str, Any] = {}
    if people:
        values |= _predictions(people, motion_file(poses), network, body, report)
    if starts:
        report(0.6, "Fitting with and without a prediction")
        crowd = make_people(fit_model(body), motion_file(poses), starts, noise=NOISE, seed=_SEED + 1)
        values["as what a fit begins with"] = compare_starts(crowd, network, body)
    if photos:
        values["as what a fit begins with, on photos"] = compare_on_photos(
            photos, network, body, lambda fraction, sentence: report(0.9 + 0.1 * fraction, sentence)
        )
    return Figures("AJAHR, studio size", values)


def _predictions(
    people: int, motion: Path, network: Predictor, body: BodyModel, report: Report
) -> dict[str, Any]:
    """Return errors on noisy and on exact points, and the speed."""
    values: dict[str, Any] = {}
    crowd: list[SyntheticPerson] = []
    for number, (name, noise, dropped) in enumerate(
        ((f"points off by {100 * NOISE:g} %, {100 * DROPPED:g} % missing", NOISE, DROPPED), ("exact points", 0.0, 0.0))
    ):  # fmt: skip
        report(number / 4, f"Predicting people: {name}")
        crowd = make_people(fit_model(body), motion, people, noise=noise, seed=_SEED)
        values[name] = errors_of(_dropped(crowd, dropped), network, body)
    report(0.5, "Predicting people: unsure points")
    unsure = unsure_points(crowd)
    name = f"points off by {100 * NOISE:g} % over their confidence, {_LEAST_SURE:g} to 1"
    values[name] = errors_of(unsure, network, body)
    values[f"{name}, which is not told"] = errors_of([_as_sure(one) for one in unsure], network, body)
    report(0.55, "Timing predictions")
    values["milliseconds a person"] = _speed(crowd[:_BATCH], network, body)
    if network.network.picture is not None:
        values["milliseconds a person, with the picture"] = _speed(
            crowd[:_BATCH], network, body, with_picture=True
        )
    values["milliseconds a person's limbs, with the picture"] = _speed_of_limbs(crowd[:_BATCH])
    return values


def _dropped(crowd: Sequence[SyntheticPerson], share: float) -> list[SyntheticPerson]:
    rng = np.random.default_rng(_SEED)
    found = []
    for one in crowd:
        keypoints = one.person.keypoints
        for index in np.flatnonzero(keypoints.observed & (rng.random(len(keypoints.points)) < share)):
            keypoints = keypoints.replaced(int(index), Point())
        found.append(replace(one, person=replace(one.person, keypoints=keypoints)))
    return found


def unsure_points(crowd: Sequence[SyntheticPerson]) -> list[SyntheticPerson]:
    """Return people whose points are evenly drawn unsure, and off by the more the less sure they are."""
    rng = np.random.default_rng(_SEED)
    found = []
    for one in crowd:
        keypoints = one.person.keypoints
        height = one.person.box.height if one.person.box else float("nan")
        for index in np.flatnonzero(keypoints.observed):
            point = keypoints.points[index]
            sure = rng.uniform(_LEAST_SURE, 1.0)
            x, y = keypoints.positions_px[index] + NOISE * height / sure * rng.standard_normal(2)
            keypoints = keypoints.replaced(
                int(index), replace(point, x=float(x), y=float(y), confidence=sure)
            )
        found.append(replace(one, person=replace(one.person, keypoints=keypoints)))
    return found


def _as_sure(one: SyntheticPerson) -> SyntheticPerson:
    points = tuple(replace(point, confidence=1.0) for point in one.person.keypoints.points)
    return replace(one, person=replace(one.person, keypoints=replace(one.person.keypoints, points=points)))


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


def _speed(
    crowd: Sequence[SyntheticPerson], network: Predictor, body: BodyModel, *, with_picture: bool = False
) -> dict[str, float]:
    people, cameras = [one.person for one in crowd], [one.camera for one in crowd]
    pictures = [_noise(crowd) if with_picture else None] * len(crowd)
    return _times(len(crowd), lambda count: network(people[:count], cameras[:count], body, pictures[:count]))


def _noise(crowd: Sequence[SyntheticPerson]) -> Pixels:
    """Return a picture of nothing, as large as the crowd's: what is seen does not change the time."""
    width, height = crowd[0].camera.size_px
    return np.random.default_rng(_SEED).integers(0, 256, (height, width, 3), np.uint8)


def _speed_of_limbs(crowd: Sequence[SyntheticPerson]) -> dict[str, float]:
    network, pixels = classifier(), _noise(crowd)
    people = [(pixels, one.person) for one in crowd]
    return _times(len(crowd), lambda count: propose(network, people[:count]))


def _times(most: int, work: Callable[[int], object]) -> dict[str, float]:
    """Return milliseconds a person of work on one and on all of `most` people, medians, on every core."""

    def median_ms(count: int, rounds: int) -> float:
        work(count)
        taken = []
        for _ in range(rounds):
            start = time.perf_counter()
            work(count)
            taken.append(time.perf_counter() - start)
        return 1000 * float(np.median(taken)) / count

    usual = torch.get_num_threads()
    torch.set_num_threads(len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else usual)
    try:
        return {"one alone": median_ms(1, 30), f"{most} together": median_ms(most, 5)}
    finally:
        torch.set_num_threads(usual)
