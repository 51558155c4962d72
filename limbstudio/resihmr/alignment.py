"""The last step of a fit: meet the clicks as closely as they deserve.

The prior pulls every estimate a little off the clicks. One step of iterated Tikhonov regularisation takes that back:
the data are met again with the prior centred on the estimate itself, so what the picture says well moves and what only
the prior knows (depth) stays. How far to go is the discrepancy principle: clicks noisier than expected are met less.
"""

import numpy as np

from limbstudio.resihmr.energy import Evaluation, evaluate
from limbstudio.resihmr.terms import Problem, Unknowns

# Clicks whose residual noise is this share of the expected one are met fully; beyond it, by the squared ratio.
TRUSTED_NOISE = 0.75
# Noise is estimated from few rows: the ratio is kept within these bounds.
LEAST_NOISE, MOST_NOISE = 0.5, 4.0


def noise_ratio(evaluation: Evaluation) -> np.ndarray:
    """Estimate each person's click noise in units of the expected sigma, (N,).

    The sum of squared data rows over the rows' degrees of freedom: their number less the trace of the hat matrix.
    """
    return _noise(evaluation, _response(evaluation)[1])


def _response(evaluation: Evaluation) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return how the unknowns answer to each data row, S = H^-1 J' (N, n, 42), J S, and the step left, H^-1 g."""
    assert evaluation.data is not None and evaluation.gradient is not None and evaluation.matrix is not None
    J = evaluation.data.jacobian
    right = np.concatenate([J.swapaxes(1, 2), evaluation.gradient[..., None]], 2)
    solved = np.linalg.solve(evaluation.matrix, right)
    S = solved[..., :-1]
    return S, J @ S, solved[..., -1:]


def _noise(evaluation: Evaluation, hat: np.ndarray) -> np.ndarray:
    assert evaluation.data is not None
    J = evaluation.data.jacobian
    rows = evaluation.data.rows.reshape(len(J), -1)
    count = np.sum(np.any(J != 0, axis=2), axis=1)
    freedom = np.clip(count - hat.trace(axis1=1, axis2=2), 1.0, None)
    return np.clip(np.sqrt(np.sum(rows * rows, 1) / freedom), LEAST_NOISE, MOST_NOISE)


def align(problem: Problem, x: Unknowns, evaluation: Evaluation | None = None) -> Unknowns:
    """Return the estimates after one alignment step, weighed by each person's own noise.

    What is left to descend is taken along: nothing at an optimum, the last step where the solver stopped short of it.
    """
    evaluation = evaluate(problem, x, derivatives=True) if evaluation is None else evaluation
    assert evaluation.data is not None
    S, hat, left = _response(evaluation)
    weight = (np.clip(TRUSTED_NOISE / _noise(evaluation, hat), None, 1.0) ** 2)[:, None, None]
    rows = evaluation.data.rows.reshape(len(S), -1, 1)
    # Data rows weigh w in this step: H - (1 - w) J'J is the prior's own matrix plus the weighted data's, and
    # (H - (1 - w) J'J)^-1 (w J' r + g) = H^-1 g + S (I - (1 - w) J S)^-1 (w r + (1 - w) J H^-1 g).
    inner = np.eye(rows.shape[1]) - (1 - weight) * hat
    met = np.linalg.solve(inner, weight * rows + (1 - weight) * (evaluation.data.jacobian @ left))
    return x.stepped(np, -(left + S @ met)[..., 0])
