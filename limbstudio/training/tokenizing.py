"""Training of AJAHR's pose tokenizers (supplement, section H) under Lightning, and how they are judged.

Two are trained: one on poses of people with all limbs, one on these and, half of each batch, on poses whose rotations
are zeros from a random joint of a random limb on. What a person does not have counts in no loss.
"""

import json
import pickle
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from limbstudio.ajahr.build import INTACT_CLASS, N_HEADS, POSE_JOINTS, TokenizerNumbers, build_tokenizer
from limbstudio.ajahr.losses import TokenizerWeights, mix_loss
from limbstudio.ajahr.rotations import rotations_of, six_numbers
from limbstudio.ajahr.tokenizer import PoseTokenizer, TokenizedPose
from limbstudio.ajahr.zeroing import zeroed_joints
from limbstudio.body.kinematics import mirrored_axis_angles, rotation_matrices
from limbstudio.body.model import BodyModel, load_body
from limbstudio.domain.errors import KnownError
from limbstudio.formats.whole_files import write_whole
from limbstudio.resihmr.pose_prior import read_motion
from limbstudio.training.lightning_modules import CPU_OR_GPU, Machine, lightning
from limbstudio.training.posed_mesh import PosedMesh
from limbstudio.training.resuming import read_last, write_torch
from limbstudio.training.running import last_state, optimizers, train

Report = Callable[[float, str], None]

# The supplement's batch and rate; the schedule falls to nothing, ours, since training here is a hundred times shorter.
BATCH, RATE, WEIGHT_DECAY = 256, 2e-4, 1e-5
SHARE_WITH_LOSS = 0.5
_JUDGE_SEED = 7
_JUDGE_BATCH = 512


@dataclass(frozen=True)
class TokenizerPlan:
    """How to train. loss: the tokenizer for people with limb loss. seed: of everything random."""

    numbers: TokenizerNumbers
    steps: int
    loss: bool = False
    batch: int = BATCH
    rate: float = RATE
    seed: int = 0


@dataclass(frozen=True)
class TokenizerScore:
    """On held-out poses: mean distances, millimetres, of what exists; codebook_use: share of the codes that were taken
    at least once. poses: how many."""

    joints_mm: float
    vertices_mm: float
    codebook_use: float
    poses: int

    @property
    def text(self) -> str:
        """Return it in words."""
        return (
            f"{self.poses} held-out poses: joints {self.joints_mm:.1f} mm, vertices {self.vertices_mm:.1f} mm, "
            f"{100 * self.codebook_use:.0f} % of the codes in use."
        )


def read_rotations(poses: Path, *, validation: bool) -> Tensor:
    """Return rotations (N, 21, 3, 3) of one split, the training poses also mirrored."""
    angles, _ = read_motion(poses, validation=validation)
    if not validation:
        body = load_body()
        assert body.mirror_joints is not None  # the bundled body has a symmetry
        whole = np.concatenate([np.zeros((len(angles), 1, 3)), angles], 1)
        other = mirrored_axis_angles(whole, body.mirror_joints[: POSE_JOINTS + 1])[:, 1:]
        angles = np.concatenate([angles, other])
    return torch.as_tensor(rotation_matrices(angles), dtype=torch.float32)


def random_limb_loss(count: int, generator: torch.Generator) -> Tensor:
    """Return which of 21 rotations are absent, (N, 21) bool: one limb each, any of AJAHR's twelve kinds alike."""
    classes = np.full((count, N_HEADS), INTACT_CLASS)
    heads = torch.randint(N_HEADS, (count,), generator=generator).numpy()
    classes[np.arange(count), heads] = torch.randint(INTACT_CLASS, (count,), generator=generator).numpy()
    return torch.as_tensor(zeroed_joints(classes)[:, :POSE_JOINTS])


class TokenizerLoss:
    """L_total of the paper for a batch of rotations, of which some are absent."""

    def __init__(self, mesh: PosedMesh, weights: TokenizerWeights | None = None) -> None:
        self.mesh = mesh
        self.weights = weights or TokenizerWeights()

    def __call__(self, tokenizer: PoseTokenizer, rotations: Tensor, absent: Tensor) -> dict[str, Tensor]:
        """Return the losses by name; rotations (B, 21, 3, 3), absent (B, 21) bool."""
        found = tokenizer(rotations.masked_fill(absent[..., None, None], 0.0))
        with torch.autocast(rotations.device.type, enabled=False):
            return self._measured(found, rotations, absent)

    def _measured(self, found: TokenizedPose, rotations: Tensor, absent: Tensor) -> dict[str, Tensor]:
        said = rotations_of(six_numbers(found.rotations.float()))
        kept = (~absent).float()
        # What hangs on an absent joint is nowhere; it takes the truth's rotations so that the rest is where it is.
        said = torch.where(absent[..., None, None], rotations, said)
        joints, vertices = self.mesh(said)
        true_joints, true_vertices = self.mesh(rotations)
        exist = self.existing(absent)
        mix = mix_loss(
            said, joints, vertices, rotations, true_joints, true_vertices,
            rotations_exist=kept, joints_exist=exist[0], vertices_exist=exist[1],
        )  # fmt: skip
        commitment = found.quantised.commitment
        total = self.weights.mix * mix + self.weights.commitment * commitment
        return {"loss": total, "mix": mix, "commitment": commitment, "perplexity": found.quantised.perplexity}

    def existing(self, absent: Tensor) -> tuple[Tensor, Tensor]:
        """Return weights of joints (B, 21) and vertices (B, V); the absent joint, where the limb ends, is there."""
        joint = torch.cat([torch.zeros_like(absent[:, :1]), absent], 1)
        parents = list(self.mesh.parents[1:])
        hangs = joint[:, parents]
        return (~hangs).float(), (~joint[:, self.mesh.owner]).float()


def judge(tokenizer: PoseTokenizer, rotations: Tensor, mesh: PosedMesh, *, loss: bool) -> TokenizerScore:
    """Score a tokenizer on held-out rotations (N, 21, 3, 3); loss: with a limb loss each."""
    generator = torch.Generator().manual_seed(_JUDGE_SEED)
    absent = torch.zeros(len(rotations), POSE_JOINTS, dtype=torch.bool)
    if loss:
        absent = random_limb_loss(len(rotations), generator)
    measure = TokenizerLoss(mesh)
    used: set[int] = set()
    sums = torch.zeros(4, dtype=torch.float64)
    tokenizer.eval()
    with torch.inference_mode():
        for true, gone in zip(rotations.split(_JUDGE_BATCH), absent.split(_JUDGE_BATCH), strict=True):
            found = tokenizer(true.masked_fill(gone[..., None, None], 0.0))
            said = torch.where(gone[..., None, None], true, found.rotations)
            weights = measure.existing(gone)
            for place, (one, other, weight) in enumerate(zip(mesh(said), mesh(true), weights, strict=True)):
                sums[2 * place] += ((one - other).norm(dim=-1) * weight).sum()
                sums[2 * place + 1] += weight.sum()
            used.update(found.quantised.indices.unique().tolist())
    joints, vertices = (1000 * sums[::2] / sums[1::2]).tolist()
    return TokenizerScore(joints, vertices, len(used) / len(tokenizer.quantizer.codebook), len(rotations))


def read_tokenizer(path: Path, numbers: TokenizerNumbers) -> PoseTokenizer:
    """Read a tokenizer that `train tokenizer` wrote; raise KnownError where the file is none."""
    tokenizer = build_tokenizer(numbers)
    try:
        tokenizer.load_state_dict(torch.load(path, weights_only=True))
        if not all(bool(value.isfinite().all()) for value in tokenizer.state_dict().values()):
            raise ValueError("it holds numbers that are not finite")
    except (OSError, RuntimeError, pickle.UnpicklingError, ValueError, TypeError, EOFError) as error:
        raise KnownError(
            f"{path} is not a tokenizer of the studio's size ({str(error).partition(chr(10))[0]}).",
            "Train one with `limbstudio train tokenizer`.",
        ) from error
    return tokenizer


def tokenizer_module(tokenizer: PoseTokenizer, plan: TokenizerPlan, mesh: PosedMesh) -> Any:
    """Return a LightningModule that trains a tokenizer; its checkpoints hold the codebook's moving means too."""

    class TokenizerModule(lightning().LightningModule):
        def __init__(self) -> None:
            super().__init__()
            self.tokenizer = tokenizer
            self.generator = torch.Generator().manual_seed(plan.seed)

        def on_fit_start(self) -> None:
            self.measure = TokenizerLoss(mesh.to(self.device))

        def training_step(self, batch: list[Tensor], batch_idx: int) -> Tensor:
            rotations = batch[0]
            absent = torch.zeros(rotations.shape[:2], dtype=torch.bool, device=rotations.device)
            if plan.loss:
                some = int(len(rotations) * SHARE_WITH_LOSS)
                absent[:some] = random_limb_loss(some, self.generator).to(rotations.device)
            losses = self.measure(self.tokenizer, rotations, absent)
            self.log_dict(losses, prog_bar=True)
            return losses["loss"]

        def configure_optimizers(self) -> Any:
            return optimizers(self.tokenizer, plan.rate, WEIGHT_DECAY, plan.steps, betas=(0.9, 0.99))

        def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
            checkpoint["codebook_training"] = self.tokenizer.quantizer.training_state()

        def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
            self.tokenizer.quantizer.load_training_state(checkpoint["codebook_training"])

    return TokenizerModule()


def learn_tokenizer(
    poses: Path,
    out: Path,
    plan: TokenizerPlan,
    *,
    start: Path | None = None,
    resume: bool = False,
    body: BodyModel | None = None,
    machine: Machine = CPU_OR_GPU,
) -> TokenizerScore:
    """Train a tokenizer on a motion file and judge it on the held-out clips.

    start: another tokenizer's weights to begin with. Writes into the folder `out`: tokenizer.pt (weights), plan.json
    (plan and score), metrics.csv, curves.png, a log for TensorBoard, last.ckpt to resume from. Raise KnownError where
    Lightning is not installed, the motion file is none, or there is nothing to resume.
    """
    L = lightning()
    last = last_state(out, resume=resume)
    L.seed_everything(plan.seed, verbose=False)
    mesh = PosedMesh.of(body or load_body())
    tokenizer = build_tokenizer(plan.numbers) if start is None else read_tokenizer(start, plan.numbers)
    if start is not None:
        tokenizer.quantizer.keep_codes(plan.batch * plan.numbers.tokens / plan.numbers.codes)
    module = tokenizer_module(tokenizer, plan, mesh)
    if resume:
        read_last(last, module)
    rotations = read_rotations(poses, validation=False)
    order = torch.Generator().manual_seed(plan.seed)
    data = torch.utils.data.DataLoader(
        torch.utils.data.TensorDataset(rotations), plan.batch, shuffle=True, generator=order, drop_last=True
    )
    train(module, data, out, plan.steps, machine, resume=resume)
    score = judge(tokenizer.cpu(), read_rotations(poses, validation=True), mesh, loss=plan.loss)
    write_torch(tokenizer.state_dict(), out / "tokenizer.pt")
    write_whole(out / "plan.json", json.dumps({**asdict(plan), "score": asdict(score)}, indent=1).encode())
    return score
