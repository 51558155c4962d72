"""The pose prior: which poses people take, learned from motion capture.

66 numbers: the up direction in the pelvis frame (3) and the rotation vectors of 21 joints (63). Trunk lean and limb
pose are learned together, because people who bend forward bend their hips. Collars never move in the data, so they
have a prior of their own that does not depend on the rest. Two densities are learned: one Gaussian, smooth enough to
find the right valley from any start, and a mixture of Gaussians that knows the valleys' floors.
"""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from limbstudio.body.rotations import rotation_and_left_jacobian
from limbstudio.domain.anatomy import SMPLX_INDEX
from limbstudio.domain.errors import KnownError

N_PRIOR = 66
# Collars are zero in the data by construction, not by anatomy: an own standard deviation, in radians (a judgement).
COLLAR_SIGMA = np.radians(6.0)
# Floor of the learned standard deviations: half-precision data and joints that the data hardly move.
FLOOR_SIGMA = np.radians(2.0)
UP_FLOOR_SIGMA = 0.05
# The bank of starting poses: its size, the weight of trunk lean in it, and how greedily it reaches for rare poses.
N_STARTS = 1000
UP_WEIGHT = 4.0
SPREAD_POOL = 200
# The mixture: number of Gaussians, steps of learning, and each covariance drawn to a share of the whole.
# Chosen among seven settings by fits of 600 synthetic people posed as in a held-out fifth of the training clips.
N_COMPONENTS = 16
EM_STEPS = 25
SHRINK_COUNT, SHRINK_SHARE = 1500.0, 0.3
MIRROR_JOINTS = ((1, 2), (4, 5), (7, 8), (10, 11), (13, 14), (16, 17), (18, 19), (20, 21))


@dataclass(frozen=True, eq=False)
class PosePrior:
    """What is learned of z = [up in the pelvis frame, pose].

    mean (66,), covariance (66, 66): of the single Gaussian. starts (S, 66): poses that span the data. weights (C,),
    means (C, 66), covariances (C, 66, 66): of the mixture.
    """

    mean: np.ndarray
    covariance: np.ndarray
    starts: np.ndarray
    weights: np.ndarray
    means: np.ndarray
    covariances: np.ndarray

    def with_collars(self, sigma: float) -> "PosePrior":
        """Return the prior with another standard deviation of the collars, radians."""
        covariance, covariances = self.covariance.copy(), self.covariances.copy()
        collars = 3 + _collar_numbers()
        covariance[collars, collars] = sigma**2
        covariances[:, collars, collars] = sigma**2
        return replace(self, covariance=covariance, covariances=covariances)

    def marginal(self, free: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the precision (66, 66) of the prior over the pose numbers that exist, and the ridge of the others.

        free (63,) bool: pose numbers that something hangs on. The prior of the rest is integrated out, not set to zero,
        so nothing pulls through a joint that does not exist. ridge (63,): 1 on the numbers taken out.
        """
        keep = np.concatenate([np.ones(3, bool), free])
        precision = np.zeros((N_PRIOR, N_PRIOR))
        precision[np.ix_(keep, keep)] = np.linalg.inv(self.covariance[np.ix_(keep, keep)])
        return precision, (~free).astype(float)

    def mixture_marginal(self, free: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the mixture's precisions (C, 66, 66) and log weights (C,) over the pose numbers that exist.

        The log weights carry each Gaussian's normalisation, less the largest of them, so energies start near zero.
        """
        keep = np.flatnonzero(np.concatenate([np.ones(3, bool), free]))
        parts = self.covariances[:, keep[:, None], keep]
        precisions = np.zeros_like(self.covariances)
        precisions[:, keep[:, None], keep] = np.linalg.inv(parts)
        log_weights = np.log(self.weights) - 0.5 * np.linalg.slogdet(parts)[1]
        return precisions, log_weights - log_weights.max()


def _collar_numbers() -> np.ndarray:
    """Return which of the 63 pose numbers are the collars'."""
    return np.array(
        [3 * (SMPLX_INDEX[f"{side}_collar"] - 1) + a for side in ("left", "right") for a in range(3)]
    )


def mirror_poses(pose: np.ndarray, up: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mirror poses (N, 21, 3) and up directions (N, 3) left to right: (x, y, z) -> (x, -y, -z) on rotation vectors."""
    swap = np.arange(22)
    for left, right in MIRROR_JOINTS:
        swap[[left, right]] = right, left
    return pose[:, swap[1:] - 1] * [1, -1, -1], up * [-1, 1, 1]


def up_in_pelvis(root: np.ndarray) -> np.ndarray:
    """Return world up (0, 1, 0) in the pelvis frame for root rotation vectors (N, 3) of a y-up world."""
    rotations, _ = rotation_and_left_jacobian(np, root)
    return rotations[:, 1, :].copy()


def read_motion(path: Path, *, validation: bool) -> tuple[np.ndarray, np.ndarray]:
    """Read pose (N, 21, 3) and up direction (N, 3) of one split of a poses file; skeletons without wrists are left out.

    Raise KnownError where the file is not a poses file.
    """
    try:
        with np.load(path, allow_pickle=False) as data:
            rows = (data["val"] == validation) & ~data["reduced"][data["source"]]
            return data["body_pose"][rows].astype(float), up_in_pelvis(
                data["root_orient"][rows].astype(float)
            )
    except (OSError, KeyError, ValueError) as error:
        raise KnownError(
            f"{path} could not be read as a poses file.", "Give a poses.npz with body_pose, root_orient, val."
        ) from error


def learn(poses: np.ndarray, up: np.ndarray) -> PosePrior:
    """Learn the prior from training poses (N, 21, 3) and up directions (N, 3), and their mirror images."""
    mirrored, mirrored_up = mirror_poses(poses, up)
    z = np.concatenate(
        [np.concatenate([up, mirrored_up]), np.concatenate([poses, mirrored]).reshape(-1, 63)], axis=1
    )
    mean, covariance = z.mean(0), np.cov(z.T)
    collars = 3 + _collar_numbers()
    covariance[collars, :] = covariance[:, collars] = 0
    covariance[collars, collars] = COLLAR_SIGMA**2
    floor = np.full(N_PRIOR, FLOOR_SIGMA**2)
    floor[:3] = UP_FLOOR_SIGMA**2
    covariance[np.diag_indices(N_PRIOR)] += floor
    return PosePrior(mean, covariance, _spread(z, N_STARTS), *_learn_mixture(z, collars, floor))


def _learn_mixture(
    z: np.ndarray, collars: np.ndarray, floor: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Learn weights, means and covariances of the mixture by expectation-maximisation.

    Every covariance is drawn toward a share of the whole data's, as if by SHRINK_COUNT poses, so that a component of
    few clips does not take them for all there is.
    """
    keep = np.setdiff1d(np.arange(N_PRIOR), collars)
    data = z[:, keep]
    whole = np.cov(data.T) * SHRINK_SHARE
    rng = np.random.default_rng(0)
    means = data[rng.choice(len(data), N_COMPONENTS, replace=False)]
    scale = data.std(0).clip(FLOOR_SIGMA)
    share = np.eye(N_COMPONENTS)[((data[:, None] / scale - means / scale) ** 2).sum(2).argmin(1)]
    for _ in range(EM_STEPS):
        counts = share.sum(0) + 1e-6
        means = share.T @ data / counts[:, None]
        covariances = []
        for c in range(N_COMPONENTS):
            gap = data - means[c]
            own = (gap * share[:, c : c + 1]).T @ gap / counts[c]
            drawn = SHRINK_COUNT / (SHRINK_COUNT + counts[c])
            covariances.append((1 - drawn) * own + drawn * whole + np.diag(floor[keep]))
        log = np.stack([_log_gaussian(data, m, c) for m, c in zip(means, covariances, strict=True)], 1)
        log += np.log(counts / counts.sum())
        share = np.exp(log - log.max(1, keepdims=True))
        share /= share.sum(1, keepdims=True)
    full_means, full = np.zeros((N_COMPONENTS, N_PRIOR)), np.zeros((N_COMPONENTS, N_PRIOR, N_PRIOR))
    full_means[:, keep] = means
    full[:, keep[:, None], keep] = covariances
    full[:, collars, collars] = COLLAR_SIGMA**2
    return counts / counts.sum(), full_means, full


def _log_gaussian(data: np.ndarray, mean: np.ndarray, covariance: np.ndarray) -> np.ndarray:
    """Return the log density (N,) of rows of data, less the constant of the dimension."""
    factor = np.linalg.inv(np.linalg.cholesky(covariance))
    gap = (data - mean) @ factor.T
    return -0.5 * (gap * gap).sum(1) + np.log(np.diag(factor)).sum()


def _spread(z: np.ndarray, count: int) -> np.ndarray:
    """Pick `count` rows (N, 66) that cover the data: farthest-point sampling, the first of them nearest the mean."""
    scaled = z / z.std(0).clip(1e-3)
    scaled[:, :3] *= np.sqrt(UP_WEIGHT)
    chosen = [int(np.argmin(((scaled - scaled.mean(0)) ** 2).sum(1)))]
    distance = np.full(len(z), np.inf)
    # Every step takes the pose farthest from all chosen ones among a random tenth, so outliers do not fill the bank.
    rng = np.random.default_rng(0)
    while len(chosen) < count:
        distance = np.minimum(distance, ((scaled - scaled[chosen[-1]]) ** 2).sum(1))
        pool = rng.choice(len(z), max(1, len(z) // SPREAD_POOL), replace=False)
        chosen.append(int(pool[np.argmax(distance[pool])]))
    return z[chosen]


def save(prior: PosePrior, path: Path) -> None:
    """Write the prior as an .npz without pickled objects; all in double precision, but starts in half."""
    np.savez(path, mean=prior.mean, covariance=prior.covariance, starts=prior.starts.astype(np.float16),
             weights=prior.weights, means=prior.means, covariances=prior.covariances)  # fmt: skip


def load(path: Path) -> PosePrior:
    """Load a learned prior. Raise KnownError where the file is missing or is not one."""
    try:
        with np.load(path, allow_pickle=False) as data:
            starts = data["starts"].astype(float)
            return PosePrior(
                data["mean"], data["covariance"], starts, data["weights"], data["means"], data["covariances"]
            )
    except (OSError, KeyError, ValueError) as error:
        raise KnownError(
            f"The pose prior {path.name} could not be read.", "Install LimbStudio again."
        ) from error
