"""Synthetic people as arrays: repeatable, in units of the box, and honest about what does not exist."""

from pathlib import Path

import numpy as np
import pytest

from limbstudio.ajahr.build import HEAD_LIMBS
from limbstudio.body.model import BodyModel
from limbstudio.domain.anatomy import LDPOSE_INDEX, SMPLX_INDEX, Level, Limb
from limbstudio.domain.errors import KnownError
from limbstudio.training.people import PeopleArrays, synthetic_arrays


@pytest.fixture(scope="module")
def poses(shared_data: Path) -> Path:
    return shared_data / "poses" / "poses.npz"


@pytest.fixture(scope="module")
def people(body: BodyModel, poses: Path) -> PeopleArrays:
    return synthetic_arrays(body, poses, 12, seed=5, levels=[Level.TRANSTIBIAL])


def test_the_same_seed_makes_the_same_people(body: BodyModel, poses: Path, people: PeopleArrays):
    again = synthetic_arrays(body, poses, 12, seed=5, levels=[Level.TRANSTIBIAL])
    other = synthetic_arrays(body, poses, 12, seed=6, levels=[Level.TRANSTIBIAL])

    for name, values in vars(people).items():
        assert np.array_equal(values, getattr(again, name))
    assert not np.array_equal(people.keypoints, other.keypoints)


def test_a_lost_foot_is_neither_seen_nor_told_to_exist(people: PeopleArrays):
    for row in range(len(people)):
        head = int(np.flatnonzero(people.classes[row] != 3)[0])
        limb = HEAD_LIMBS[head]
        ankle = f"{limb.side.value}_ankle"

        assert limb in (Limb.LEFT_LEG, Limb.RIGHT_LEG)
        assert people.classes[row, head] == 0
        assert not people.exists[row, SMPLX_INDEX[ankle]]
        assert people.exists[row, SMPLX_INDEX[f"{limb.side.value}_knee"]]
        assert people.keypoints[row, LDPOSE_INDEX[ankle]].tolist() == [0, 0, 0]


def test_points_are_in_the_box_and_joints_hang_on_the_pelvis(people: PeopleArrays):
    seen = people.keypoints[..., 2] > 0

    assert np.abs(people.keypoints[seen][:, 1]).max() < 0.55
    assert (people.joints[:, 0] == 0).all()
    assert 0.2 < np.linalg.norm(people.joints[:, SMPLX_INDEX["head"]], axis=1).min() < 1.0
    assert not people.exists[:, 22:].any()


def test_noise_is_a_share_of_the_box(body: BodyModel, poses: Path):
    exact = synthetic_arrays(body, poses, 12, noise=0.0, seed=5)
    noisy = synthetic_arrays(body, poses, 12, noise=0.01, seed=5)
    seen = (exact.keypoints[..., 2] > 0) & (noisy.keypoints[..., 2] > 0)
    # Everybody but the first is another person, since the noise takes random numbers too.
    gap = (noisy.keypoints - exact.keypoints)[0, seen[0], :2]

    assert 0.005 < gap.std() < 0.02


def test_no_people_is_refused(body: BodyModel, poses: Path):
    with pytest.raises(KnownError, match="0 people"):
        synthetic_arrays(body, poses, 0)
