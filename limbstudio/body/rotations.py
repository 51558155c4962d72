"""Rotation vectors and their derivatives, for numpy arrays and torch tensors alike."""

from functools import lru_cache
from typing import Any

import numpy as np

Array = Any  # a numpy array or a torch tensor
Rows = tuple[tuple[float, ...], ...]

# Added to squared angles so that no angle is zero; at 1e-12 radians sin(t) / t is 1 to the last bit.
_TINY = 1e-24


def rotation_and_left_jacobian(xp: Any, theta: Array) -> tuple[Array, Array]:
    """Return exp([theta]x) and the left Jacobian of SO(3), each (..., 3, 3), for rotation vectors theta (..., 3).

    The left Jacobian turns a change of theta into the rotation it makes about the parent's axes.
    """
    square, K, KK, a, b = _rodrigues(xp, theta)
    # (1 - a) / t^2 cancels for small t, but then KK is as small as what is lost.
    d = (1 - a) / square
    eye = identity(xp, theta)
    return eye + a * K + b * KK, eye + b * K + d * KK


def rotation(xp: Any, theta: Array) -> Array:
    """Return exp([theta]x), (..., 3, 3), for rotation vectors theta (..., 3)."""
    _, K, KK, a, b = _rodrigues(xp, theta)
    return identity(xp, theta) + a * K + b * KK


def _rodrigues(xp: Any, theta: Array) -> tuple[Array, Array, Array, Array, Array]:
    """Return t^2, [theta]x, its square, sin(t) / t and (1 - cos(t)) / t^2, the numbers shaped (..., 1, 1)."""
    square = (theta * theta).sum(-1)[..., None, None] + _TINY
    half = 0.5 * xp.sqrt(square)
    sine = xp.sin(half)
    b = 2 * sine * sine / square
    a = sine * xp.cos(half) / half
    K = cross_matrix(xp, theta)
    return square, K, K @ K, a, b


def cross_matrix(xp: Any, v: Array) -> Array:
    """Return [v]x, (..., 3, 3), with [v]x w = v x w."""
    return (v @ constant(xp, v, _GENERATORS)).reshape(*v.shape, 3)


def identity(xp: Any, like: Array) -> Array:
    """Return the 3 x 3 identity of the type, and on the device, of `like`."""
    return constant(xp, like, _IDENTITY)


def constant(xp: Any, like: Array, rows: Rows) -> Array:
    """Return a constant matrix of the type and on the device of `like`, made once; it must not be written to."""
    return _made(xp, rows, like.dtype, None if xp is np else like.device)


@lru_cache(maxsize=32)
def _made(xp: Any, rows: Rows, dtype: Any, device: Any) -> Array:
    if xp is np:
        return np.array(rows, dtype)
    with xp.inference_mode(False):  # it outlives this call, and the next one may want to learn
        return xp.as_tensor(rows, dtype=dtype, device=device)


_IDENTITY: Rows = ((1, 0, 0), (0, 1, 0), (0, 0, 1))
# Row i is the cross matrix of the i-th axis, row by row.
_GENERATORS: Rows = ((0, 0, 0, 0, 0, -1, 0, 1, 0), (0, 0, 1, 0, 0, 0, -1, 0, 0), (0, -1, 0, 1, 0, 0, 0, 0, 0))
