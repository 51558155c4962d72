"""What the Gauss-Newton matrix leaves out: how the points' own paths bend as the joints turn.

A point turned about two axes in a row, u of an ancestor and v of joint b, moves by u x (v x L) to second order, with L
its lever on b. Where residuals remain, their pull times that bend belongs to the Hessian. Without it steps along depth
are up to three times too long or ten times too short; with it the steps near an optimum are almost Newton's.
"""

from functools import lru_cache

import numpy as np

from limbstudio.resihmr.skeleton import Array, Skeleton


def turning_curvature(skeleton: Skeleton, *, lever: Array, pull: Array, axes: Array) -> Array:
    """Return the second-order part (N, 66, 66) of half the energy by the root's and the joints' turns.

    lever (N, 22, 3, D): of the compared points on each joint. pull (N, 3, D): gradient of half the energy by each of
    them. axes (N, 22, 3, 3): as `body_axes` returns them.
    """
    n = len(pull)
    moment = lever @ pull.swapaxes(1, 2)[:, None]  # (N, 22, 3, 3): sum of L p' over the points
    trace = moment[..., 0, 0] + moment[..., 1, 1] + moment[..., 2, 2]
    # p . (u x (v x L)) = u' (L p' - (L . p) I) v, for the axes u of a joint or its ancestors and v of the joint.
    turned = moment @ axes - trace[..., None, None] * axes
    outer, inner = (a.swapaxes(1, 2).reshape(n, 3, -1) for a in (axes, turned))
    both = outer.swapaxes(1, 2) @ inner
    # Each pair once, above and below the diagonal; a joint's own block, halved, becomes its symmetric part.
    both = both * _ancestry(skeleton)
    return both + both.swapaxes(1, 2)


@lru_cache(maxsize=4)
def _ancestry(skeleton: Skeleton) -> Array:
    """Return (66, 66): 1 where the row's joint lies above the column's, 1/2 where they are one joint."""
    half = skeleton.subtree + 0.0
    joints = np.arange(len(half))
    half[joints, joints] = 0.5
    number = np.repeat(joints, 3)
    return half[number][:, number]
