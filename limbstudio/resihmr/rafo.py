"""Residual Anchor-Factor Optimization, to the letter: ResiHMR Algorithm 1 and equations 3-5.

For one residual limb the anchor joint J_a (3) and lambda (1) are optimised by L-BFGS with a strong-Wolfe line search,
each limb on its own, after the initial fit. What the paper leaves open is a named constant here.
"""

from dataclasses import dataclass

import numpy as np

from limbstudio.domain.geometry import Camera

# Algorithm 1: lambda starts at 0.5.
FIRST_FACTOR = 0.5
# Accepted when the end is reprojected within 15 px (section 3.3).
ACCEPT_PX = 15.0
# The paper clips lambda to [lambda_min, lambda_max] without naming them: a limb is never wholly there nor wholly gone.
FACTOR_MIN, FACTOR_MAX = 0.02, 0.98
# alpha and mu are "adaptively scaled based on the initial fitting error". The rule here: a move of the anchor (or a
# change of the segment's length) by ANCHOR_METRES (LENGTH_METRES) costs as much as the initial reprojection error.
ANCHOR_METRES = 0.05
LENGTH_METRES = 0.02
# Below this initial error in px the weights stop falling, so that a perfect start is not free to drift.
LEAST_ERROR_PX = 5.0
MOST_ITERATIONS = 100


@dataclass(frozen=True, eq=False)
class Rafo:
    """The result for one residual limb.

    anchor (3,): optimised J_a, camera frame, metres. factor: lambda. endpoint (3,): equation 3. error_px: distance of
    its projection from the annotated end. accepted: error_px below 15. alpha, mu: the weights used. loss: equation 4.
    matrix (4, 4): Gauss-Newton matrix of (J_a, lambda) at the solution, for the Laplace approximation.
    """

    anchor: np.ndarray
    factor: float
    endpoint: np.ndarray
    error_px: float
    accepted: bool
    alpha: float
    mu: float
    loss: float
    matrix: np.ndarray


def residual_end(anchor: np.ndarray, upstream: np.ndarray, factor: float) -> np.ndarray:
    """Return R = J_a + lambda (J_t - J_a) (equation 3)."""
    return anchor + factor * (upstream - anchor)


def optimise(anchor: np.ndarray, upstream: np.ndarray, end_px: np.ndarray, camera: Camera) -> Rafo:
    """Run Algorithm 1 for one limb. anchor, upstream (3,): camera frame, metres. end_px (2,): the annotated end."""
    from scipy.optimize import minimize  # paper mode only: importing it costs a third of a second

    start = np.append(anchor, FIRST_FACTOR)
    first = np.linalg.norm(camera.project(residual_end(anchor, upstream, FIRST_FACTOR)) - end_px)
    error = max(float(first), LEAST_ERROR_PX)
    alpha, mu = (error / ANCHOR_METRES) ** 2, (error / LENGTH_METRES) ** 2
    length = float(np.linalg.norm(upstream - anchor))

    def loss(z: np.ndarray) -> tuple[float, np.ndarray]:
        rows, jacobian = _rows(z, anchor, upstream, length, end_px, camera, alpha, mu)
        return float(rows @ rows), 2 * jacobian.T @ rows

    bounds = [(None, None)] * 3 + [(FACTOR_MIN, FACTOR_MAX)]
    # L-BFGS-B's More-Thuente search enforces the strong Wolfe conditions; the bound is Algorithm 1's clip.
    result = minimize(loss, start, jac=True, method="L-BFGS-B", bounds=bounds,
                      options={"maxiter": MOST_ITERATIONS, "ftol": 1e-14, "gtol": 1e-9})  # fmt: skip
    moved, factor = result.x[:3], float(result.x[3])
    end = residual_end(moved, upstream, factor)
    off = float(np.linalg.norm(camera.project(end) - end_px))
    _, jacobian = _rows(result.x, anchor, upstream, length, end_px, camera, alpha, mu)
    return Rafo(moved, factor, end, off, off < ACCEPT_PX, alpha, mu, float(result.fun), jacobian.T @ jacobian)


def _rows(z: np.ndarray, anchor: np.ndarray, upstream: np.ndarray, length: float, end_px: np.ndarray, camera: Camera,
          alpha: float, mu: float) -> tuple[np.ndarray, np.ndarray]:  # fmt: skip
    """Return the residual rows whose squares sum to equation 4, and their Jacobian (6, 4)."""
    moved, factor = z[:3], z[3]
    end = residual_end(moved, upstream, factor)
    bone = upstream - moved
    whole = float(np.linalg.norm(bone))
    a, m = np.sqrt(alpha), np.sqrt(mu)
    rows = np.concatenate([camera.project(end) - end_px, a * (moved - anchor), [m * (whole - length)]])
    f, depth = camera.focal_px, end[2]
    to_px = f / depth * np.array([[1, 0, -end[0] / depth], [0, 1, -end[1] / depth]])
    jacobian = np.zeros((6, 4))
    jacobian[:2, :3] = (1 - factor) * to_px
    jacobian[:2, 3] = to_px @ bone
    jacobian[2:5, :3] = a * np.eye(3)
    jacobian[5, :3] = -m * bone / whole
    return rows, jacobian
