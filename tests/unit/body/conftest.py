"""Model files of the true layout, made from the bundled body."""

from pathlib import Path

import numpy as np
import pytest

from limbstudio.body.model import BodyModel
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


@pytest.fixture(scope="session")
def smpl_arrays(body: BodyModel):
    """Return a function from a kind to the arrays of a made-up file of that kind, keys and shapes true."""

    def make(kind: str) -> dict[str, np.ndarray]:
        random = np.random.default_rng(5)
        slots = list(JOINT_SLOTS[kind])
        template = body.template.astype(np.float64) + np.array(
            [0.01, -0.2, 0.02]
        )  # not centred on the pelvis
        n_joints = len(slots)
        n_components = {"smpl": 10, "smplh": 16, "smplx": 20}[kind]
        weights = np.zeros((len(template), n_joints))
        for joint in range(55):
            owner = joint
            if kind == "smpl" and joint >= 25:  # SMPL's two hands carry all fingers
                owner = 28 if joint < 40 else 43
            while owner not in slots:
                owner = SMPLX_PARENTS[owner]
            weights[:, slots.index(owner)] += body.skin_weights[:, joint]
        joints = body.joint_template[slots] + np.array([0.01, -0.2, 0.02])
        regressor = np.zeros((n_joints, len(template)))
        for row, joint in zip(regressor, joints, strict=True):
            near = np.argsort(np.linalg.norm(template - joint, axis=1))[:200]
            constraints = np.vstack([template[near].T, np.ones(200)])
            row[near] = np.linalg.lstsq(constraints, np.append(joint, 1), rcond=None)[0]
        parents = [-1] + [slots.index(SMPLX_PARENTS[slot]) for slot in slots[1:]]
        table = np.array([parents, range(n_joints)], np.int64).astype(np.uint32)
        return {
            "v_template": template,
            "shapedirs": random.normal(0, 0.003, (len(template), 3, n_components)),
            "posedirs": random.normal(0, 0.0005, (len(template), 3, 1)).astype(np.float32)
            * random.normal(size=9 * (n_joints - 1)).astype(np.float32),
            "J_regressor": regressor,
            "weights": weights / weights.sum(1, keepdims=True),
            "kintree_table": table,
            "f": body.faces.astype(np.uint32),
        }

    return make


@pytest.fixture(scope="session")
def smpl_npz(smpl_arrays, tmp_path_factory: pytest.TempPathFactory):
    """Return a function from a kind to the path of such a file, which tests must leave as it is."""
    paths: dict[str, Path] = {}

    def write(kind: str) -> Path:
        if kind not in paths:
            paths[kind] = tmp_path_factory.mktemp("smpl") / f"{kind}.npz"
            np.savez(paths[kind], **smpl_arrays(kind))
        return paths[kind]

    return write
