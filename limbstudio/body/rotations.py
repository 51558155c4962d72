"""Rotation vectors and their derivatives, for numpy arrays and torch tensors alike."""

from typing import Any

import numpy as np

Array = Any  # a numpy array or a torch tensor


def rotation_and_left_jacobian(xp: Any, theta: Array) -> tuple[Array, Array]:
    """Return exp([theta]x) and the left Jacobian of SO(3), each (..., 3, 3), for rotation vectors theta (..., 3).

    The left Jacobian turns a change of theta into the rotation it makes about the parent's axes.
    """
    square = xp.sum(theta * theta, -1)[..., None, None]
    angle = xp.sqrt(square + 1e-24)
    small = square < 1e-8
    safe = xp.where(small, xp.ones_like(square), square)
    sin, cos = xp.sin(angle), xp.cos(angle)
    a = xp.where(small, 1 - square / 6, sin / angle)
    b = xp.where(small, 0.5 - square / 24, (1 - cos) / safe)
    d = xp.where(small, 1 / 6 - square / 120, (angle - sin) / (safe * angle))
    K = cross_matrix(xp, theta)
    outer = theta[..., :, None] * theta[..., None, :]
    eye = xp.eye(3, dtype=theta.dtype) if xp is np else xp.eye(3, dtype=theta.dtype, device=theta.device)
    KK = outer - square * eye
    return eye + a * K + b * KK, eye + b * K + d * KK


def cross_matrix(xp: Any, v: Array) -> Array:
    """Return [v]x, (..., 3, 3), with [v]x w = v x w."""
    x, y, z = v[..., 0], v[..., 1], v[..., 2]
    o = xp.zeros_like(x)
    return xp.stack([o, -z, y, z, o, -x, -y, x, o], -1).reshape(*v.shape, 3)
