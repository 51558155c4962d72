"""Synthetic people as arrays to train on: keypoints as an annotator would give them, and the truth behind them."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from limbstudio.ajahr.zeroing import classes_of
from limbstudio.body.model import BodyModel
from limbstudio.domain.anatomy import N_BODY_JOINTS, Level
from limbstudio.domain.errors import KnownError
from limbstudio.hkmr.build import N_JOINTS
from limbstudio.resihmr.problem import fit_model
from limbstudio.resihmr.synthetic import LEVELS, SyntheticPerson, make_people


@dataclass(frozen=True, eq=False)
class PeopleArrays:
    """N people.

    keypoints: (N, 25, 3) float32, LDPose order: x and y from the box centre in box heights, and 1 where observed; zeros
    where not. joints: (N, 22, 3) float32 metres from the pelvis, camera frame; those that do not exist are where they
    would be. exists: (N, 24) bool of SMPL's joints; hands (22, 23) never do, the body has no such joints. classes:
    (N, 4) int64, AJAHR's heads.
    """

    keypoints: NDArray[np.float32]
    joints: NDArray[np.float32]
    exists: NDArray[np.bool_]
    classes: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.keypoints)


def synthetic_arrays(body: BodyModel, poses: Path, count: int, *, noise: float = 0.01, seed: int = 0,
                     validation: bool = False, levels: Sequence[Level] = LEVELS) -> PeopleArrays:  # fmt: skip
    """Make `count` people with one residual limb each from the poses of one split; the same seed makes the same people.

    noise: of the clicks, in shares of the box height. Raise KnownError where `poses` is no poses file or too few people
    are wanted.
    """
    if count < 1:
        raise KnownError(f"{count} people cannot be made.", "Ask for at least one.")
    people = make_people(
        fit_model(body), poses, count, noise=noise, seed=seed, validation=validation, levels=levels
    )
    exists = np.zeros((count, N_JOINTS), bool)
    exists[:, :N_BODY_JOINTS] = [person.exists for person in people]
    joints = np.stack([person.joints for person in people])
    return PeopleArrays(
        keypoints=np.stack([_keypoints_in_box(person) for person in people]),
        joints=(joints - joints[:, :1]).astype(np.float32),
        exists=exists,
        classes=np.stack([classes_of(person.person.limbs) for person in people]),
    )


def _keypoints_in_box(person: SyntheticPerson) -> NDArray[np.float32]:
    """Return (25, 3): place in the box and whether observed."""
    box, keypoints = person.person.box, person.person.keypoints
    assert box is not None  # synthetic people have one
    middle = np.array([box.x + box.width / 2, box.y + box.height / 2])
    seen = keypoints.observed
    place = np.where(seen[:, None], (keypoints.positions_px - middle) / box.height, 0.0)
    return np.concatenate([place, seen[:, None]], 1).astype(np.float32)
