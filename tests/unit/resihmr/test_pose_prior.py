"""What the learned pose prior believes, and that it says nothing of joints that do not exist."""

from pathlib import Path

import numpy as np
import pytest

from limbstudio.domain.anatomy import SMPLX_INDEX
from limbstudio.domain.errors import KnownError
from limbstudio.resihmr.pose_prior import PosePrior, load, mirror_poses, read_motion
from limbstudio.resources import resource_path


@pytest.fixture(scope="module")
def prior() -> PosePrior:
    return load(resource_path("priors/pose_prior.npz"))


def test_the_prior_does_not_prefer_a_side(prior: PosePrior) -> None:
    pose, up = mirror_poses(prior.mean[None, 3:].reshape(1, 21, 3), prior.mean[None, :3])

    assert pose.reshape(-1) == pytest.approx(prior.mean[3:], abs=1e-9)
    assert up[0] == pytest.approx(prior.mean[:3], abs=1e-9)


def test_people_are_upright_with_knees_that_bend_forward(prior: PosePrior) -> None:
    knee = 3 + 3 * (SMPLX_INDEX["left_knee"] - 1)

    assert prior.mean[1] > 0.9
    assert 10 < np.degrees(prior.mean[knee]) < 60


def test_a_marginal_is_the_inverse_of_the_kept_block(prior: PosePrior) -> None:
    free = np.ones(63, bool)
    free[9:12] = False  # the left knee: nothing hangs on it

    precision, ridge = prior.marginal(free)

    keep = np.concatenate([np.ones(3, bool), free])
    assert precision[np.ix_(keep, keep)] @ prior.covariance[np.ix_(keep, keep)] == pytest.approx(
        np.eye(63), abs=1e-6
    )
    assert not precision[~keep].any()
    assert ridge.sum() == 3


def test_the_marginal_of_one_limb_does_not_depend_on_the_pose_of_a_joint_taken_out(prior: PosePrior) -> None:
    free = np.ones(63, bool)
    free[9:12] = False
    precision, _ = prior.marginal(free)
    z = prior.mean.copy()
    z[12:15] += 2.0  # the same numbers in the 66

    gap = z - prior.mean

    assert gap @ precision @ gap == pytest.approx(0.0)


def test_mixture_weights_are_a_distribution_and_precisions_are_positive(prior: PosePrior) -> None:
    precisions, log_weights = prior.mixture_marginal(np.ones(63, bool))

    assert prior.weights.sum() == pytest.approx(1.0)
    assert log_weights.max() == pytest.approx(0.0)
    assert all(np.linalg.eigvalsh(p).min() > 0 for p in precisions)


def test_mirroring_twice_is_nothing() -> None:
    rng = np.random.default_rng(0)
    pose, up = rng.standard_normal((5, 21, 3)), rng.standard_normal((5, 3))

    again, up_again = mirror_poses(*mirror_poses(pose, up))

    assert again == pytest.approx(pose)
    assert up_again == pytest.approx(up)


def test_a_file_that_is_no_prior_is_refused(tmp_path: Path) -> None:
    np.savez(tmp_path / "x.npz", mean=np.zeros(3))

    with pytest.raises(KnownError, match=r"x\.npz"):
        load(tmp_path / "x.npz")


def test_held_out_poses_are_likelier_under_the_mixture(prior: PosePrior, shared_data: Path) -> None:
    pose, up = read_motion(shared_data / "poses" / "poses.npz", validation=True)
    z = np.concatenate([up, pose.reshape(-1, 63)], 1)[::20]
    collars = [3 + 3 * (SMPLX_INDEX[f"{s}_collar"] - 1) + a for s in ("left", "right") for a in range(3)]
    keep = np.setdiff1d(np.arange(66), collars)

    def log_density(mean: np.ndarray, covariance: np.ndarray) -> np.ndarray:
        gap = (z - mean)[:, keep]
        block = covariance[np.ix_(keep, keep)]
        return (
            -0.5 * np.einsum("ni,ij,nj->n", gap, np.linalg.inv(block), gap)
            - 0.5 * np.linalg.slogdet(block)[1]
        )

    single = log_density(prior.mean, prior.covariance).mean()
    parts = [
        np.log(w) + log_density(m, c)
        for w, m, c in zip(prior.weights, prior.means, prior.covariances, strict=True)
    ]
    mixture = np.logaddexp.reduce(parts, axis=0).mean()

    assert mixture > single + 5
