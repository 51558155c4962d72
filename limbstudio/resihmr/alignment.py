"""The last step of a fit: meet the clicks as closely as they deserve.

The prior pulls every estimate a little off the clicks. One step of iterated Tikhonov regularisation takes that back:
the data are met again with the prior centred on the estimate itself, so what the picture says well moves and what only
the prior knows (depth) stays. How far to go is the discrepancy principle: clicks noisier than expected are met less.
"""

import numpy as np

from limbstudio.resihmr.energy import Evaluation, Problem, Unknowns, evaluate

# Clicks whose residual noise is this share of the expected one are met fully; beyond it, by the squared ratio.
TRUSTED_NOISE = 0.7
# Noise is estimated from few rows: the ratio is kept within these bounds.
LEAST_NOISE, MOST_NOISE = 0.5, 4.0


def noise_ratio(evaluation: Evaluation) -> np.ndarray:
    """Estimate each person's click noise in units of the expected sigma, (N,).

    The sum of squared data rows over the rows' degrees of freedom: their number less the trace of the hat matrix.
    """
    assert evaluation.data is not None
    J = evaluation.data.jacobian
    rows = evaluation.data.rows.reshape(len(J), -1)
    count = np.sum(np.any(J != 0, axis=2), axis=1)
    hat = np.einsum(
        "nra,nra->n", J, np.linalg.solve(evaluation.matrix, J.transpose(0, 2, 1)).transpose(0, 2, 1)
    )
    freedom = np.clip(count - hat, 1.0, None)
    return np.clip(np.sqrt(np.sum(rows * rows, 1) / freedom), LEAST_NOISE, MOST_NOISE)


def align(problem: Problem, x: Unknowns, evaluation: Evaluation | None = None) -> Unknowns:
    """Return the estimates after one alignment step, weighed by each person's own noise."""
    evaluation = evaluate(problem, x, derivatives=True) if evaluation is None else evaluation
    assert evaluation.data is not None
    weight = np.clip(TRUSTED_NOISE / noise_ratio(evaluation), None, 1.0) ** 2
    J = evaluation.data.jacobian
    rows = evaluation.data.rows.reshape(len(J), -1, 1)
    Jt = J.transpose(0, 2, 1)
    # Data rows weigh `weight` in this step: H - (1 - w) J'J is the prior's own matrix plus the weighted data's.
    system = evaluation.matrix - (1 - weight)[:, None, None] * (Jt @ J)
    gradient = weight[:, None, None] * (Jt @ rows)
    return x.stepped(np, -np.linalg.solve(system, gradient)[..., 0])
