"""People whose fit is known, made without fitting: a pose of the bundled body, its points, and a BodyFit that
says so.
"""

from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import pytest

from limbstudio.body.model import BodyModel, load_body
from limbstudio.body.smpl_files import JOINT_SLOTS
from limbstudio.domain.anatomy import (
    N_COCO,
    SMPLX_INDEX,
    SMPLX_PARENTS,
    KeypointState,
    Level,
    Limb,
    LimbState,
    intact_limbs,
    level_rule,
)
from limbstudio.domain.body import BodyFit, FitMode, LimbFit
from limbstudio.domain.geometry import Box, Camera, Keypoints, Point
from limbstudio.domain.photo import Person

SIZE_PX = (300, 400)


@pytest.fixture(scope="session")
def body() -> BodyModel:
    return load_body()


@pytest.fixture(scope="session")
def small_motion(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a motion file of small bends."""
    rng = np.random.default_rng(3)
    path, n = tmp_path_factory.mktemp("motion") / "poses.npz", 40
    np.savez(
        path, body_pose=(0.2 * rng.standard_normal((n, 21, 3))).astype(np.float16),
        root_orient=np.zeros((n, 3), np.float16), source=np.zeros(n, np.uint16), val=np.arange(n) % 4 == 0,
        reduced=np.zeros(1, bool),
    )  # fmt: skip
    return path


@pytest.fixture(scope="session")
def known_fit(body: BodyModel) -> Callable[..., tuple[Person, BodyFit]]:
    """Return a function that makes a person, facing the camera, and the fit that explains every point
    exactly.

    levels: of limbs that are not intact. accepted: whether they are cut. factor: lambda of all of them.
    """

    def make(
        levels: Mapping[Limb, Level] | None = None,
        *,
        factor: float = 0.4,
        accepted: bool = True,
        mode: FitMode = FitMode.JOINT,
    ) -> tuple[Person, BodyFit]:
        levels = levels or {}
        camera = Camera(400.0, ((SIZE_PX[0] - 1) / 2, (SIZE_PX[1] - 1) / 2), SIZE_PX)
        pose = np.zeros((54, 3))
        pose[SMPLX_INDEX["left_shoulder"] - 1] = (0, 0, -1.1)
        pose[SMPLX_INDEX["right_shoulder"] - 1] = (0, 0, 1.1)
        orientation, translation = np.array([np.pi, 0, 0]), np.array([0.0, -0.2, 2.6])
        posed = body.pose(
            axis_angles=np.concatenate([orientation[None], pose]), shape=np.zeros(10), translation=translation
        )
        projected = np.full((25, 2), np.nan)
        projected[:N_COCO] = camera.project(body.keypoint_regressors["coco17"].apply(posed.vertices))
        limbs, absent = [], set()
        for limb, level in levels.items():
            rule = level_rule(limb, level)
            absent |= rule.absent
            assert rule.segment is not None
            a, u = (
                posed.joints[SMPLX_INDEX[str(name)]].astype(float) for name in (rule.anchor, rule.upstream)
            )
            end = a + factor * (u - a)
            px = camera.project(end)
            if rule.endpoint is not None:
                projected[rule.endpoint] = px
            length = (1 - factor) * float(np.linalg.norm(a - u))
            annotated = None if rule.endpoint is None else (float(px[0]), float(px[1]))
            limbs.append(
                LimbFit(
                    limb, rule.segment, factor, str(rule.anchor), str(rule.upstream), a, u, end,
                    (float(px[0]), float(px[1])), annotated, length, (factor - 0.1, factor + 0.1),
                    (length * 0.9, length * 1.1), accepted, "" if accepted else "The interval is too wide.",
                )
            )  # fmt: skip
        projected[list(absent)] = np.nan
        points = tuple(
            Point(KeypointState.ABSENT) if i in absent
            else Point() if np.isnan(x) else Point(KeypointState.VISIBLE, float(x), float(y))
            for i, (x, y) in enumerate(projected)
        )  # fmt: skip
        low, high = np.nanmin(projected, 0), np.nanmax(projected, 0)
        person = Person(
            "7", "0" * 64, Keypoints(points),
            {**intact_limbs(), **{limb: LimbState(level) for limb, level in levels.items()}},
            Box(*low, *(high - low)),
        )  # fmt: skip
        used = person.keypoints.observed
        fit = BodyFit(
            body.name, mode, camera, orientation, pose, np.zeros(10), translation, posed.joints.astype(float),
            projected, used, tuple(limbs), energy={"data": 1.0}, timings_s={"starts": 0.01},
        )  # fmt: skip
        return person, fit

    return make


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
