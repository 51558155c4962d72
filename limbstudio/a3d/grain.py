"""Smooth noise at a glance: looked up in a volume that is made once, where `scene.noise` would reckon each point."""

from functools import lru_cache

import numpy as np

from limbstudio.rendering.raster import Floats

# Cells of random numbers along each edge of the volume, and samples of each cell; both powers of two.
_CELLS, _FINER = 16, 8
_SIDE = _CELLS * _FINER


def grain(points: Floats, frequency: float, seed: int = 0) -> Floats:
    """Return noise (N,) in -1..1 at points (N, 3), as `scene.noise`; it repeats after 16 / frequency metres."""
    shift = np.array([seed * 13.37, seed * 7.91, seed * 3.33], np.float32)
    q = np.asarray(points, np.float32) * np.float32(frequency * _FINER) + shift * _FINER
    cell = np.floor(q).astype(np.int32) & (_SIDE - 1)
    return _volume().take((cell[:, 0] * _SIDE + cell[:, 1]) * _SIDE + cell[:, 2])


@lru_cache(maxsize=1)
def _volume() -> Floats:
    values = np.random.default_rng(20).uniform(-1, 1, (_CELLS, _CELLS, _CELLS)).astype(np.float32)
    t = (np.arange(_FINER, dtype=np.float32) + 0.5) / _FINER
    t = t * t * (3 - 2 * t)
    for axis in range(3):
        ahead = np.roll(values, -1, axis)
        between = [(1 - share) * values + share * ahead for share in t]
        values = np.stack(between, axis + 1).reshape(
            [n * (_FINER if a == axis else 1) for a, n in enumerate(values.shape)]
        )
    return np.ascontiguousarray(values).ravel()
