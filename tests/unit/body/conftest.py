"""Model files of the true layout, made from the bundled body."""

from pathlib import Path

import numpy as np
import pytest

from limbstudio.body.smpl_files import JOINT_SLOTS
from limbstudio.domain.anatomy import SMPLX_PARENTS


def _tiny_arrays(kind: str) -> dict[str, np.ndarray]:
    """Return arrays of the true layout with 64 vertices, for tests that make no body of them."""
    random = np.random.default_rng(6)
    slots = list(JOINT_SLOTS[kind])
    parents = [-1] + [slots.index(SMPLX_PARENTS[slot]) for slot in slots[1:]]
    return {
        "v_template": random.normal(size=(64, 3)),
        "shapedirs": random.normal(size=(64, 3, 10)),
        "posedirs": random.normal(size=(64, 3, 9 * (len(slots) - 1))),
        "J_regressor": random.dirichlet(np.ones(64), len(slots)) * (random.random((len(slots), 64)) > 0.5),
        "weights": random.dirichlet(np.ones(len(slots)), 64),
        "kintree_table": np.array([parents, range(len(slots))], np.int64).astype(np.uint32),
        "f": random.integers(0, 64, (100, 3)).astype(np.uint32),
    }


@pytest.fixture
def tiny_arrays():
    return _tiny_arrays


@pytest.fixture
def tiny_npz(tmp_path: Path):
    """Return a function that writes tiny arrays, some of them changed, to an .npz and returns its path."""

    def write(kind: str, **changes: object) -> Path:
        path = tmp_path / f"tiny_{kind}.npz"
        np.savez(path, **{**_tiny_arrays(kind), **changes})
        return path

    return write
