"""Rotation vectors and their derivatives, for numpy arrays and torch tensors alike."""

from functools import lru_cache
from typing import Any

import numpy as np

Array = Any  # a numpy array or a torch tensor

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
    square = xp.sum(theta * theta, -1)[..., None, None] + _TINY
    half = 0.5 * xp.sqrt(square)
    sine = xp.sin(half)
    b = 2 * sine * sine / square
    a = sine * xp.cos(half) / half
    K = cross_matrix(xp, theta)
    return square, K, K @ K, a, b


def cross_matrix(xp: Any, v: Array) -> Array:
    """Return [v]x, (..., 3, 3), with [v]x w = v x w."""
    return (v @ _generators(xp, *_kind(xp, v))).reshape(*v.shape, 3)


def identity(xp: Any, like: Array) -> Array:
    """Return the 3 x 3 identity of the type, and on the device, of `like`."""
    return _identity(xp, *_kind(xp, like))


def _kind(xp: Any, like: Array) -> tuple[Any, Any]:
    return like.dtype, None if xp is np else like.device


def _made(xp: Any, values: np.ndarray, dtype: Any, device: Any) -> Array:
    return values.astype(dtype) if xp is np else xp.as_tensor(values, dtype=dtype, device=device)


@lru_cache(maxsize=16)
def _identity(xp: Any, dtype: Any, device: Any) -> Array:
    return _made(xp, np.eye(3), dtype, device)


@lru_cache(maxsize=16)
def _generators(xp: Any, dtype: Any, device: Any) -> Array:
    """Return the (3, 9) matrix that makes [v]x of v."""
    generators = np.zeros((3, 3, 3))
    for i in range(3):
        j, k = (i + 1) % 3, (i + 2) % 3
        generators[i, k, j], generators[i, j, k] = 1, -1
    return _made(xp, generators.reshape(3, 9), dtype, device)
