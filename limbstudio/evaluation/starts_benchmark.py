"""Fits that begin with AJAHR's prediction, against the solver's own many starts.

On synthetic people, whose truth is known, and on people of annotated photos, who have none: there only times, final
energies and whether the two fits disagree can be told.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from limbstudio.body.model import BodyModel
from limbstudio.domain.anatomy import SMPLX_INDEX
from limbstudio.domain.geometry import Camera
from limbstudio.domain.photo import Person
from limbstudio.evaluation.metrics import joint_error_m
from limbstudio.resihmr.batch import ManyFits, fit_many
from limbstudio.resihmr.energy import place_at
from limbstudio.resihmr.guessed import GuessedBodies
from limbstudio.resihmr.problem import free_pose, residual_limbs
from limbstudio.resihmr.synthetic import SyntheticPerson

if TYPE_CHECKING:
    from limbstudio.ajahr.predict import Predictor

Report = Callable[[float, str], None]
Floats = NDArray[np.floating[Any]]
Bools = NDArray[np.bool_]

NO_TRUTH = (
    "Photos have no truth: a lower energy is a better fit to the annotated points, not a righter body, and where the "
    "two fits disagree nothing here tells which is right. Both are told the annotated posture; neither sees the mask."
)
_BLOCK = 256
_MOST_SINGLY = 40
_ROUNDS = 5  # a photo's times are medians of so many: there are few photos
_OPPOSITE_DEG = 90.0
_SITTING_DEG = 45.0  # a thigh that leans so far from the trunk's line belongs to somebody who sits
_SIDES = ("left", "right")


@dataclass(frozen=True)
class PhotoPerson:
    """An annotated person of a photo, with the photo's camera. name: for people who read the figures."""

    name: str
    person: Person
    camera: Camera


@dataclass(frozen=True)
class PhotoPeople:
    """The people of an annotation file whose photos could be read. left_out: who, and why not."""

    file: str
    people: tuple[PhotoPerson, ...]
    left_out: tuple[str, ...] = ()


def guesses_of(
    people: Sequence[SyntheticPerson | PhotoPerson], network: "Predictor", body: BodyModel
) -> GuessedBodies:
    """Predict many people in blocks."""
    parts = []
    for first in range(0, len(people), _BLOCK):
        some = people[first : first + _BLOCK]
        parts.append(network([one.person for one in some], [one.camera for one in some], body))
    names = ("orientation", "pose", "shape", "root")
    return GuessedBodies(*(np.concatenate([getattr(part, name) for part in parts]) for name in names))


# ------------------------------------------------------------------------------------------------ synthetic people


def compare_starts(crowd: Sequence[SyntheticPerson], network: "Predictor", body: BodyModel) -> dict[str, Any]:
    """Fit a crowd from the solver's own starts and from predictions: times, energies, and wrong choices."""
    people, cameras = [one.person for one in crowd], [one.camera for one in crowd]
    times = np.array([_singly(one, network, body) for one in crowd[:_MOST_SINGLY]])
    start = time.perf_counter()
    own = fit_many(people, cameras, body)
    between = time.perf_counter()
    guess = guesses_of(crowd, network, body)
    predicted = time.perf_counter()
    begun = fit_many(people, cameras, body, guess=guess)
    end = time.perf_counter()
    return {
        "people": len(crowd),
        "solver's time, share of its own": {
            "singly": _solver_share(times),
            "in batches": (end - predicted) / (between - start),
        },
        "total time, share of the solver's own": {
            "singly": _total_share(times),
            "in batches": (end - between) / (between - start),
        },
        "final energy, share": _energies(begun.energy / own.energy),
        "wrong front or back": {"own": _wrong_way(crowd, own), "begun": _wrong_way(crowd, begun)},
        "wrong standing or sitting": {"own": _wrong_seat(crowd, own), "begun": _wrong_seat(crowd, begun)},
        "MPJPE mm": {"own": _joint_error(crowd, own), "begun": _joint_error(crowd, begun)},
    }


def _joint_error(crowd: Sequence[SyntheticPerson], fits: ManyFits) -> float:
    found = [
        joint_error_m(said, one.joints, one.exists) for said, one in zip(_joints(fits), crowd, strict=True)
    ]
    return 1000 * float(np.mean(found))


def _wrong_way(crowd: Sequence[SyntheticPerson], fits: ManyFits) -> int:
    truth = np.stack([one.joints for one in crowd])
    return int((_degrees_between(_joints(fits), truth) > _OPPOSITE_DEG).sum())


def _wrong_seat(crowd: Sequence[SyntheticPerson], fits: ManyFits) -> int:
    thighs = np.stack([[one.exists[SMPLX_INDEX[f"{side}_knee"]] for side in _SIDES] for one in crowd])
    truth = np.stack([one.joints for one in crowd])
    return int((_sits(_joints(fits), thighs) != _sits(truth, thighs)).sum())


# ----------------------------------------------------------------------------------------------- people of photos


def compare_on_photos(
    photos: PhotoPeople,
    network: "Predictor",
    body: BodyModel,
    report: Report = lambda fraction, sentence: None,
) -> dict[str, Any]:
    """Fit everybody from the solver's own starts and from a prediction: times, energies, and where they disagree."""
    found = photos.people
    people, cameras = [one.person for one in found], [one.camera for one in found]
    _singly(found[0], network, body)  # the first time loads and caches
    times = []
    for number, one in enumerate(found):
        report(number / len(found), f"Fitting {one.name}")
        times.append(np.median([_singly(one, network, body) for _ in range(_ROUNDS)], 0))
    seconds = np.array(times)
    own = fit_many(people, cameras, body)
    begun = fit_many(people, cameras, body, guess=guesses_of(found, network, body))
    ratio = begun.energy / own.energy
    own_joints, begun_joints = _joints(own), _joints(begun)
    degrees = _degrees_between(own_joints, begun_joints)
    thighs = np.stack([_thighs_that_lead(person) for person in people])
    seats = np.stack([_sits(own_joints, thighs), _sits(begun_joints, thighs)])
    each = {
        f"person {row + 1}": {
            "photo": one.name,
            "solver's time, share of its own": float(seconds[row, 2] / seconds[row, 0]),
            "final energy, share": float(ratio[row]),
            "degrees between the chests' directions": round(float(degrees[row]), 2),
            "own fit": _seat_words(seats[0, row]),
            "begun fit": _seat_words(seats[1, row]),
            "annotated posture": one.person.posture.value,
        }
        for row, one in enumerate(found)
    }
    return {
        "file": photos.file,
        "people": len(found),
        **({"left out": "; ".join(photos.left_out)} if photos.left_out else {}),
        "solver's time, share of its own": {"singly": _solver_share(seconds)},
        "total time, share of the solver's own": {"singly": _total_share(seconds)},
        "milliseconds of a prediction": 1000 * float(np.median(seconds[:, 1])),
        "final energy, share": _energies(ratio),
        "the two fits face opposite ways": int((degrees > _OPPOSITE_DEG).sum()),
        "one fit sits and the other does not": int((seats[0] != seats[1]).sum()),
        "each": each,
        "note": NO_TRUTH,
    }


def _thighs_that_lead(person: Person) -> Bools:
    """Return (2,): whether the left and right thigh, whole or residual, has a direction that the points tell."""
    free = free_pose(residual_limbs(person)).reshape(-1, 3)[:, 0]
    return np.array([free[SMPLX_INDEX[f"{side}_hip"] - 1] for side in _SIDES], bool)


def _seat_words(sits: bool) -> str:
    return "sits" if sits else "does not sit"


# ------------------------------------------------------------------------------------------------------- of both


def _singly(
    one: SyntheticPerson | PhotoPerson, network: "Predictor", body: BodyModel
) -> tuple[float, float, float]:
    """Return seconds: the solver from its own starts, the prediction, the solver from that."""
    start = time.perf_counter()
    fit_many([one.person], [one.camera], body)
    own = time.perf_counter()
    guess = network([one.person], [one.camera], body)
    predicted = time.perf_counter()
    fit_many([one.person], [one.camera], body, guess=guess)
    return own - start, predicted - own, time.perf_counter() - predicted


def _solver_share(seconds: Floats) -> float:
    return float(np.median(seconds[:, 2] / seconds[:, 0]))


def _total_share(seconds: Floats) -> float:
    return float(np.median((seconds[:, 1] + seconds[:, 2]) / seconds[:, 0]))


def _energies(ratio: Floats) -> dict[str, float]:
    return {
        "median": float(np.median(ratio)),
        "p95": float(np.quantile(ratio, 0.95)),
        "worse by a hundredth": int((ratio > 1.01).sum()),
        "better by a hundredth": int((ratio < 0.99).sum()),
    }


def _joints(fits: ManyFits) -> Floats:
    return np.asarray(place_at(fits.problem, fits.x).joints)


def _forward(joints: Floats) -> Floats:
    across = joints[..., SMPLX_INDEX["left_shoulder"], :] - joints[..., SMPLX_INDEX["right_shoulder"], :]
    forward = np.cross(across, joints[..., SMPLX_INDEX["neck"], :] - joints[..., 0, :])
    return forward / np.linalg.norm(forward, axis=-1, keepdims=True)


def _degrees_between(joints: Floats, others: Floats) -> Floats:
    """Return the angles (N,) between the directions in which the chests of N people face."""
    cosine = (_forward(joints) * _forward(others)).sum(-1)
    return np.degrees(np.arccos(np.clip(cosine, -1, 1)))


def _sits(joints: Floats, thighs: Bools) -> Bools:
    """Tell who of N people sits: a thigh leans far from the trunk's line. thighs: (N, 2), which of them count."""
    trunk = joints[:, 0] - joints[:, SMPLX_INDEX["neck"]]
    found = np.zeros(len(joints), bool)
    for side, counts in zip(_SIDES, thighs.T, strict=True):
        thigh = joints[:, SMPLX_INDEX[f"{side}_knee"]] - joints[:, SMPLX_INDEX[f"{side}_hip"]]
        cosine = (thigh * trunk).sum(1) / np.linalg.norm(thigh, axis=1) / np.linalg.norm(trunk, axis=1)
        found |= counts & (cosine < np.cos(np.radians(_SITTING_DEG)))
    return found
