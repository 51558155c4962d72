"""Training of pose tokenizers: the mesh it is judged on, limbs that are absent, and a tiny run that goes on."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from limbstudio.ajahr.build import TokenizerNumbers, build_tokenizer
from limbstudio.ajahr.rotations import rotations_of
from limbstudio.ajahr.tokenizer import PoseTokenizer
from limbstudio.body.model import BodyModel
from limbstudio.domain.anatomy import SMPLX_INDEX
from limbstudio.domain.errors import KnownError
from limbstudio.training.posed_mesh import PosedMesh
from limbstudio.training.tokenizing import (
    TokenizerLoss,
    TokenizerPlan,
    judge,
    learn_tokenizer,
    random_limb_loss,
    read_rotations,
    read_tokenizer,
)

TINY = TokenizerNumbers(codes=32, code_width=8, width=16, widenings=1, first_length=20)


@pytest.fixture(scope="module")
def mesh(body: BodyModel) -> PosedMesh:
    return PosedMesh.of(body, every=40)


def poses(count: int, seed: int = 0) -> torch.Tensor:
    return rotations_of(torch.eye(3)[:2].flatten() + 0.3 * torch.randn(count, 21, 6, generator=seeded(seed)))


def seeded(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def test_the_mesh_of_torch_is_the_bodys(body: BodyModel, mesh: PosedMesh):
    rotations = poses(2)
    whole = np.tile(np.eye(3, dtype=np.float32), (2, 55, 1, 1))
    whole[:, 1:22] = rotations.numpy()
    posed = body.pose(rotations=whole)

    joints, vertices = mesh(rotations)

    root = posed.joints[:, :1]
    assert np.abs(joints.numpy() - (posed.joints[:, 1:22] - root)).max() < 1e-5
    assert np.abs(vertices.numpy() - (posed.vertices[:, ::40] - root)).max() < 2e-5


def test_a_random_limb_loss_is_one_limb_from_a_joint_on():
    absent = random_limb_loss(300, seeded(1))

    kinds = {tuple((np.flatnonzero(row) + 1).tolist()) for row in absent.numpy()}
    left_knee = tuple(SMPLX_INDEX[f"left_{name}"] for name in ("knee", "ankle", "foot"))
    assert left_knee in kinds
    assert len(kinds) == 12


def test_what_is_absent_does_not_count(mesh: PosedMesh):
    torch.manual_seed(0)
    tokenizer = build_tokenizer(TINY).eval()
    absent = torch.zeros(4, 21, dtype=torch.bool)
    absent[:, [SMPLX_INDEX[name] - 1 for name in ("left_knee", "left_ankle", "left_foot")]] = True
    rotations = poses(4)
    other = rotations.clone()
    other[absent] = poses(4, seed=9)[absent]

    losses = [TokenizerLoss(mesh)(tokenizer, r, absent)["loss"] for r in (rotations, other)]
    joint, vertex = TokenizerLoss(mesh).existing(absent)

    assert torch.allclose(losses[0], losses[1], rtol=1e-4)
    assert joint[0, SMPLX_INDEX["left_knee"] - 1] == 1  # where the limb ends
    assert joint[0, SMPLX_INDEX["left_ankle"] - 1] == 0
    assert 0.7 < vertex.mean() < 1


def test_a_tokenizer_is_judged_in_millimetres_and_codes_in_use(mesh: PosedMesh):
    torch.manual_seed(0)
    score = judge(build_tokenizer(TINY), poses(20), mesh, loss=False)

    assert 20 < score.joints_mm < 1000
    assert 20 < score.vertices_mm < 1000
    assert 1 / 32 <= score.codebook_use <= 1
    assert score.poses == 20
    assert "20 held-out poses" in score.text


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # Lightning warns of what the machine could do better
def test_a_tiny_tokenizer_is_trained_saved_and_goes_on(tmp_path: Path, mesh: PosedMesh):
    pytest.importorskip("lightning", reason="needs the extra `train`")
    motion = write_motion(tmp_path / "poses.npz")
    torch.manual_seed(0)
    untrained = held_out_loss(build_tokenizer(TINY), motion, mesh)

    learn_tokenizer(motion, tmp_path / "run", TokenizerPlan(TINY, 20, loss=True, batch=16, rate=3e-3))
    begun = held_out_loss(read_tokenizer(tmp_path / "run" / "tokenizer.pt", TINY), motion, mesh)
    more = TokenizerPlan(TINY, 80, loss=True, batch=16, rate=3e-3)
    score = learn_tokenizer(motion, tmp_path / "run", more, resume=True)
    done = held_out_loss(read_tokenizer(tmp_path / "run" / "tokenizer.pt", TINY), motion, mesh)

    said = json.loads((tmp_path / "run" / "plan.json").read_text())
    assert said["steps"] == 80
    assert said["score"]["joints_mm"] == pytest.approx(score.joints_mm)
    assert begun < 0.7 * untrained
    assert done < 0.9 * begun
    rows = (tmp_path / "run" / "metrics.csv").read_text().splitlines()
    assert "perplexity" in rows[0]
    assert torch.load(tmp_path / "run" / "tokenizer.pt", weights_only=True)["quantizer.codebook"].shape == (
        32,
        8,
    )


def test_there_must_be_something_to_go_on_from(tmp_path: Path):
    pytest.importorskip("lightning", reason="needs the extra `train`")

    with pytest.raises(KnownError, match=r"no last.ckpt"):
        learn_tokenizer(tmp_path / "poses.npz", tmp_path, TokenizerPlan(TINY, 1), resume=True)


def held_out_loss(tokenizer: PoseTokenizer, motion: Path, mesh: PosedMesh) -> float:
    """Return the loss on all held-out poses of a motion file, half of them with the same limb loss each time."""
    rotations = read_rotations(motion, validation=True)
    absent = random_limb_loss(len(rotations), seeded(1))
    absent[::2] = False
    with torch.inference_mode():
        return float(TokenizerLoss(mesh)(tokenizer.eval(), rotations, absent)["loss"])


def write_motion(path: Path) -> Path:
    """Write a motion file of random bends."""
    rng = np.random.default_rng(3)
    n = 80
    np.savez(
        path, body_pose=(0.3 * rng.standard_normal((n, 21, 3))).astype(np.float16),
        root_orient=np.zeros((n, 3), np.float16), source=np.zeros(n, np.uint16), val=np.arange(n) % 4 == 0,
        reduced=np.zeros(1, bool),
    )  # fmt: skip
    return path
