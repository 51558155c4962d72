"""AJAHR's benchmark: a network that knows the truth is without error, and a fit that begins with it is right."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from limbstudio.ajahr.predict import Predictor
from limbstudio.body.model import BodyModel
from limbstudio.evaluation import starts_benchmark
from limbstudio.evaluation.ajahr_benchmark import errors_of, unsure_points
from limbstudio.evaluation.starts_benchmark import PhotoPeople, PhotoPerson, compare_on_photos, compare_starts
from limbstudio.resihmr.guessed import GuessedBodies
from limbstudio.resihmr.problem import fit_model
from limbstudio.resihmr.synthetic import SyntheticPerson, make_people


class Knows(Predictor):
    """Answers with the truth, turned about the view by `wrong_deg`."""

    def __init__(self, crowd: Sequence[SyntheticPerson], wrong_deg: float = 0.0) -> None:
        self.crowd = {one.person.id: one for one in crowd}
        angle = np.radians(wrong_deg)
        self.turn = np.array(
            [[np.cos(angle), -np.sin(angle), 0], [np.sin(angle), np.cos(angle), 0], [0, 0, 1]]
        )

    def __call__(self, people, cameras, body) -> GuessedBodies:
        known = [self.crowd[person.id] for person in people]
        return GuessedBodies(
            np.stack([self.turn @ one.orientation for one in known]),
            np.stack([one.pose for one in known]),
            np.stack([one.shape for one in known]),
            np.stack([one.joints[0] for one in known]),
        )


@pytest.fixture(scope="module")
def crowd(body: BodyModel, small_motion: Path) -> list[SyntheticPerson]:
    return make_people(fit_model(body), small_motion, 8, noise=0.0, seed=3, validation=False)


def test_the_truth_has_no_error_and_a_turn_is_undone_by_alignment_only(crowd, body):
    right, turned = (errors_of(crowd, Knows(crowd, degrees), body) for degrees in (0.0, 20.0))

    assert right["people"] == 8
    assert max(right["MPJPE mm"], right["PA-MPJPE mm"], right["MVE mm"]) < 0.1
    assert turned["MPJPE mm"] > 50
    assert turned["MVE mm"] > 50
    assert turned["PA-MPJPE mm"] < 0.1


def test_unsure_points_are_off_by_a_share_of_the_box_over_their_confidence(crowd):
    away, sure = [], []
    for one, other in zip(crowd, unsure_points(crowd), strict=True):
        box = one.person.box
        assert box is not None
        there = one.person.keypoints.observed
        moved = other.person.keypoints.positions_px[there] - one.person.keypoints.positions_px[there]
        away.append(np.linalg.norm(moved, axis=1) / box.height)
        sure.append(np.array([point.confidence for point in other.person.keypoints.points])[there])
    told = np.concatenate(sure)
    scaled = np.concatenate(away) * told

    assert told.min() >= 0.2 and told.max() <= 1 and told.std() > 0.1
    assert np.sqrt((scaled**2).mean() / 2) == pytest.approx(0.01, rel=0.2)


def test_fits_that_begin_with_the_truth_are_compared_with_the_solvers_own(crowd, body):
    found = compare_starts(crowd, Knows(crowd), body)

    assert found["people"] == 8
    assert found["final energy, share"]["median"] == pytest.approx(1, abs=0.05)
    assert found["wrong front or back"]["begun"] == 0
    assert found["MPJPE mm"]["begun"] < 100
    assert 0 < found["solver's time, share of its own"]["in batches"] < 3


def test_on_photos_without_truth_the_two_fits_are_compared_with_each_other(crowd, body, monkeypatch):
    monkeypatch.setattr(starts_benchmark, "_ROUNDS", 1)
    photos = PhotoPeople(
        "two.json",
        tuple(PhotoPerson(f"{one.person.id}.jpg", one.person, one.camera) for one in crowd[:2]),
        ("3.jpg: not there",),
    )

    found = compare_on_photos(photos, Knows(crowd), body)

    assert found["people"] == 2
    assert found["left out"] == "3.jpg: not there"
    assert [row["photo"] for row in found["each"].values()] == ["0.jpg", "1.jpg"]
    energy = found["final energy, share"]
    shares = [row["final energy, share"] for row in found["each"].values()]
    assert energy["median"] == pytest.approx(sum(shares) / 2)
    assert energy["worse by a hundredth"] == sum(share > 1.01 for share in shares)
    degrees = [row["degrees between the chests' directions"] for row in found["each"].values()]
    assert found["the two fits face opposite ways"] == sum(angle > 90 for angle in degrees)
    assert found["milliseconds of a prediction"] > 0
    assert found["solver's time, share of its own"]["singly"] > 0
    assert "no truth" in found["note"]
