"""Training of AJAHR at the studio's size on crowds of synthetic people made on the fly, under Lightning."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from limbstudio.ajahr.build import POSE_JOINTS, STUDIO, PictureNumbers, StudioNumbers, build_studio
from limbstudio.ajahr.keypoint_network import (
    KeypointAjahr,
    KeypointBody,
    appearing_size,
    confidences,
    existing_joints,
    head_classes,
    is_of_picture,
)
from limbstudio.ajahr.losses import joints_loss, points_loss, pose_loss, shape_loss, vertices_loss, words_loss
from limbstudio.ajahr.plain_weights import fill, read_weights, save_weights
from limbstudio.ajahr.tokenizer import PoseTokenizer
from limbstudio.ajahr.zeroing import zeroed_joints
from limbstudio.body.folding import fold_vertices
from limbstudio.body.model import BodyModel, load_body
from limbstudio.body.rotations import rotation
from limbstudio.domain.anatomy import N_BODY_JOINTS, N_COCO
from limbstudio.domain.errors import KnownError
from limbstudio.evaluation.metrics import aligned_joint_error_m, joint_error_m
from limbstudio.formats.whole_files import write_whole
from limbstudio.resihmr.lifter import LEAST_DEPTH, toward
from limbstudio.resihmr.pose_prior import read_motion
from limbstudio.resihmr.problem import fit_model
from limbstudio.resihmr.skeleton import Placed, Skeleton, build_skeleton, place, to_torch
from limbstudio.training.lifter_people import Crowd, CrowdMaker
from limbstudio.training.lifting import single_precision
from limbstudio.training.lightning_modules import CPU_OR_GPU, Machine, lightning
from limbstudio.training.resuming import read_last
from limbstudio.training.running import last_state, optimizers, train
from limbstudio.training.tokenizing import read_tokenizer

BODIES, RATE, WEIGHT_DECAY = 64, 5e-4, 1e-4
# Share of people whose points are told with confidences.
WITH_CONFIDENCE = 0.3
_JUDGE_SEED, _JUDGE_BODIES = 11, 1000


@dataclass(frozen=True)
class StudioWeights:
    """Weights of the losses, ours: the paper's are for a network that has been trained before, on pictures."""

    pose: float = 0.05
    shape: float = 0.005
    points: float = 0.5
    joints: float = 1.0
    vertices: float = 15.0
    words: float = 0.02


@dataclass(frozen=True)
class StudioPlan:
    """How to train. bodies: per step, each seen from four sides. seed: of everything random.

    start: weights to go on from, a file that training wrote. loss_share: of people who lack a limb, None for ours.
    second_look_only: what the head says stays as `start` has it, and a start without a second look serves. What `start`
    knows of pictures is kept as it is: train it on afterwards (`picture_ajahr`).
    """

    steps: int
    numbers: StudioNumbers = STUDIO
    bodies: int = BODIES
    rate: float = RATE
    seed: int = 0
    start: Path | None = None
    loss_share: float | None = None
    second_look_only: bool = False


@dataclass(frozen=True)
class StudioScore:
    """On people made of held-out clips: mean joint errors over joints that exist, millimetres, pelvis-aligned and after
    alignment by similarity. people: how many."""

    mpjpe_mm: float
    pa_mpjpe_mm: float
    people: int

    @property
    def text(self) -> str:
        """Return it in words."""
        return (
            f"{self.people} synthetic people of held-out clips: MPJPE {self.mpjpe_mm:.1f} mm, "
            f"PA-MPJPE {self.pa_mpjpe_mm:.1f} mm."
        )


@dataclass(eq=False)  # not frozen: Lightning moves its tensors to a device
class Truth:
    """Of B people, in the camera turned toward them.

    inputs: (B, N_INPUTS). orientation: (B, 3, 3). pose: (B, 21, 3, 3). shape: (B, 10). place: (B, 3) of the root, for a
    camera of the focal length that is told. absent: (B, 21) rotations. exists: (B, 22) joints. endings: (B, 4).
    """

    inputs: Tensor
    orientation: Tensor
    pose: Tensor
    shape: Tensor
    place: Tensor
    absent: Tensor
    exists: Tensor
    endings: Tensor

    def to(self, device: torch.device | str) -> "Truth":
        """Return it on a device."""
        return Truth(*(value.to(device) for value in vars(self).values()))


def truth_of(crowd: Crowd, skeleton: Skeleton) -> Truth:
    """Return tensors of a crowd; skeleton: the body's, numpy."""
    ray = crowd.sight.ray * [1, 1, 0] * crowd.told[:, None] + crowd.sight.ray * [0, 0, 1]  # the true one
    to_ray = toward(ray / np.linalg.norm(ray, axis=1, keepdims=True))
    bodies = crowd.bodies
    rest = skeleton.root0 + crowd.shape @ skeleton.root_by_shape
    root = (crowd.turn @ rest[bodies][:, :, None])[..., 0] + crowd.place
    root = (to_ray @ root[:, :, None])[..., 0]
    root[:, 2] *= crowd.told  # a camera of the focal length that is told sees the person as large from there
    endings = torch.as_tensor(crowd.endings)

    def tensor(values: np.ndarray) -> Tensor:
        return torch.as_tensor(values, dtype=torch.float32)

    return Truth(
        inputs=tensor(crowd.sight.inputs),
        orientation=tensor(to_ray @ crowd.turn @ crowd.root[bodies]),
        pose=tensor(rotation(np, crowd.pose)[bodies]),
        shape=tensor(crowd.shape[bodies]),
        place=tensor(root),
        absent=torch.as_tensor(zeroed_joints(head_classes(endings).numpy())[:, :POSE_JOINTS]),
        exists=existing_joints(endings),
        endings=endings,
    )


class PosedBody:
    """The bundled body's joints and COCO points in torch, or joints and what else its skeleton carries."""

    def __init__(self, skeleton: Skeleton, device: torch.device | str = "cpu") -> None:
        self.skeleton = single_precision(to_torch(skeleton, str(device)))

    def __call__(self, orientation: Tensor, pose: Tensor, shape: Tensor, root: Tensor) -> Placed:
        """Place bodies: orientation (B, 3, 3), pose (B, 21, 3, 3), shape (B, 10), root (B, 3) metres."""
        rest = self.skeleton.root0 + shape @ self.skeleton.root_by_shape
        return place(self.skeleton, orientation, pose, shape, root - rest, derivatives=False)


class BodySurface:
    """Every n-th vertex of a body in torch, as points that its skeleton carries. owner: (V,), the body joint that moves
    a vertex most; fingers and the head's joints count to their nearest."""

    def __init__(self, body: BodyModel, *, every: int = 37, device: torch.device | str = "cpu") -> None:
        rows = np.arange(0, len(body.template), every)
        self.placed = PosedBody(build_skeleton(body, fold_vertices(body, rows)), device)
        owner = body.skin_weights[rows].argmax(1)
        while (beyond := owner >= N_BODY_JOINTS).any():
            owner = np.where(beyond, np.asarray(body.parents)[owner], owner)
        self.owner = torch.as_tensor(owner, device=device)

    def __call__(self, orientation: Tensor, pose: Tensor, shape: Tensor) -> Tensor:
        """Return vertices (B, V, 3), metres from the pelvis, of bodies as `PosedBody` places them."""
        return self.placed(orientation, pose, shape, torch.zeros_like(shape[:, :3])).points[
            :, : len(self.owner)
        ]

    def exists(self, absent: Tensor) -> Tensor:
        """Return which vertices exist (B, V) where rotations (B, 21) are absent."""
        return ~torch.cat([torch.zeros_like(absent[:, :1]), absent], 1)[:, self.owner]


class StudioLoss:
    """All losses of a batch, by name. skeleton, surface: of the body that the truth is of. tokenizers: whose words the
    head learns, None for none."""

    def __init__(
        self,
        skeleton: Skeleton,
        surface: BodySurface,
        tokenizers: "Tokenizers | None",
        weights: StudioWeights | None = None,
        device: torch.device | str = "cpu",
    ) -> None:
        self.body = PosedBody(skeleton, device)
        self.surface = surface
        self.tokenizers = None if tokenizers is None else tokenizers.to(device)
        self.weights = weights or StudioWeights()

    def __call__(self, network: KeypointAjahr, truth: Truth) -> dict[str, Tensor]:
        """Return "loss", which is of the head's body and of what each further look makes of it, and the terms of the
        last before their weights. A head that does not train on is not measured."""
        bodies = network.looks(truth.inputs)
        head_learns = any(p.requires_grad for p in network.encoder.parameters())
        losses = self.of(bodies if head_learns else bodies[1:], truth)
        if not head_learns or self.tokenizers is None:
            return losses
        with torch.autocast(truth.inputs.device.type, enabled=False):
            words = words_loss(bodies[0].estimate.logits.float(), self.tokenizers.words(truth))
        return {**losses, "loss": losses["loss"] + self.weights.words * words, "words": words}

    def of(self, bodies: Sequence[KeypointBody], truth: Truth) -> dict[str, Tensor]:
        """Return "loss", the sum over bodies that were said one after the other, and the terms of the last."""
        with torch.autocast(truth.inputs.device.type, enabled=False):
            true = self._placed(truth.orientation, truth.pose, truth.shape, truth.place)
            told = [self._measured(found, truth, true) for found in bodies]
            return {"loss": torch.stack([self._weighed(terms) for terms in told]).sum(), **told[-1]}

    def _placed(self, orientation: Tensor, pose: Tensor, shape: Tensor, root: Tensor) -> "_Shown":
        return _Shown(self.body(orientation, pose, shape, root), self.surface(orientation, pose, shape))

    def _weighed(self, terms: dict[str, Tensor]) -> Tensor:
        return torch.stack([getattr(self.weights, name) * value for name, value in terms.items()]).sum()

    def _measured(self, found: KeypointBody, truth: Truth, true: "_Shown") -> dict[str, Tensor]:
        said = found.estimate
        # What hangs on an absent joint is nowhere; its rotation is the truth's, so that the rest can be placed.
        pose = torch.where(truth.absent[..., None, None], truth.pose, said.pose[:, :POSE_JOINTS])
        shown = self._placed(said.orientation[:, 0], pose, said.shape.float(), found.place.float())
        kept = torch.cat([torch.ones_like(truth.absent[:, :1]), ~truth.absent], 1).float()
        units = 1 / appearing_size(truth.inputs)[:, None, None]
        return {
            "pose": pose_loss(
                torch.cat([said.orientation, pose], 1),
                torch.cat([truth.orientation[:, None], truth.pose], 1),
                kept,
            ),
            "shape": shape_loss(said.shape.float(), truth.shape),
            "points": points_loss(
                _flat(shown.body) * units, _flat(true.body) * units, confidences(truth.inputs)[:, :N_COCO]
            ),
            "joints": joints_loss(shown.joints, true.joints, truth.exists.float()),
            "vertices": vertices_loss(shown.surface, true.surface, self.surface.exists(truth.absent).float()),
        }


@dataclass(frozen=True, eq=False)
class _Shown:
    """Placed bodies, and vertices (B, V, 3), metres from the pelvis."""

    body: Placed
    surface: Tensor

    @property
    def joints(self) -> Tensor:
        """Return the joints, (B, 22, 3) metres from the pelvis."""
        return self.body.joints - self.body.joints[:, :1]


def _flat(body: Placed) -> Tensor:
    points = body.points[:, :N_COCO]
    return points[..., :2] / points[..., 2:].clamp_min(LEAST_DEPTH)


@dataclass(frozen=True, eq=False)
class Tokenizers:
    """The two tokenizers, trained: of intact people and of people with limb loss."""

    normal: PoseTokenizer
    loss: PoseTokenizer

    def to(self, device: torch.device | str) -> "Tokenizers":
        """Move them to a device."""
        return Tokenizers(self.normal.to(device), self.loss.to(device))

    def words(self, truth: Truth) -> Tensor:
        """Return the words (B, T) that the tokenizers write of the truth."""
        zeroed = truth.pose.masked_fill(truth.absent[..., None, None], 0.0)
        rows = [part.nonzero()[:, 0] for part in (~truth.absent.any(1), truth.absent.any(1))]
        with torch.no_grad():
            parts = [
                tokenizer.encode(zeroed[row])
                for tokenizer, row in zip((self.normal, self.loss), rows, strict=True)
                if len(row)
            ]
        return torch.cat(parts)[torch.cat(rows).argsort()]

    def install(self, network: KeypointAjahr) -> None:
        """Give a network their codes and decoders, which do not train on."""
        head = network.smpl_head.decpose
        for codec, tokenizer in ((head.tokenizer_normal, self.normal), (head.tokenizer_amp, self.loss)):
            state = {k: v for k, v in tokenizer.state_dict().items() if not k.startswith("encoder.")}
            codec.load_state_dict(state)
            codec.requires_grad_(False)


def read_tokenizers(normal: Path, loss: Path, numbers: StudioNumbers) -> Tokenizers:
    """Read two tokenizers that `train tokenizer` wrote; raise KnownError where a file is none."""
    found = (read_tokenizer(path, numbers.tokenizer).eval().requires_grad_(False) for path in (normal, loss))
    return Tokenizers(*found)


class Crowds:
    """Endless batches of new people; the same seed gives the same ones."""

    def __init__(self, poses: Path, skeleton: Skeleton, plan: StudioPlan) -> None:
        self.skeleton = skeleton
        motion = read_motion(poses, validation=False)
        self.maker = CrowdMaker(
            skeleton, *motion, loss_share=plan.loss_share, with_confidence=WITH_CONFIDENCE
        )
        self.plan = plan

    def batch(self, step: int) -> Truth:
        """Return the people of a step."""
        rng = np.random.default_rng((self.plan.seed, step))
        return truth_of(self.maker.crowd(self.plan.bodies, rng), self.skeleton)


def judge(
    network: KeypointAjahr, poses: Path, skeleton: Skeleton, bodies: int = _JUDGE_BODIES
) -> StudioScore:
    """Score a network on people made of held-out clips, as they are trained on but without loosened poses."""
    maker = CrowdMaker(skeleton, *read_motion(poses, validation=True), vary=False)
    truth = truth_of(maker.crowd(bodies, np.random.default_rng(_JUDGE_SEED)), skeleton)
    network.eval()
    with torch.inference_mode():
        own, aligned = 1000 * body_errors(network(truth.inputs), truth, skeleton).mean(1)
    return StudioScore(float(own), float(aligned), len(truth.inputs))


def body_errors(found: KeypointBody, truth: Truth, skeleton: Skeleton) -> np.ndarray:
    """Return mean errors over the joints that exist, metres: pelvis-aligned, and aligned by similarity, (2, B)."""
    body = PosedBody(skeleton)
    pose = torch.where(truth.absent[..., None, None], truth.pose, found.estimate.pose[:, :POSE_JOINTS])
    said = body(found.estimate.orientation[:, 0], pose, found.estimate.shape, found.place).joints.numpy()
    true = body(truth.orientation, truth.pose, truth.shape, truth.place).joints.numpy()
    people = list(zip(said, true, truth.exists.numpy(), strict=True))
    return np.array(
        [[error(*person) for person in people] for error in (joint_error_m, aligned_joint_error_m)]
    )


def studio_module(
    network: KeypointAjahr, plan: StudioPlan, body: BodyModel, skeleton: Skeleton, tokenizers: Tokenizers
) -> Any:
    """Return a LightningModule that trains a network."""

    class StudioModule(lightning().LightningModule):
        def __init__(self) -> None:
            super().__init__()
            self.network = network

        def on_fit_start(self) -> None:
            surface = BodySurface(body, device=self.device)
            self.measure = StudioLoss(skeleton, surface, tokenizers, device=self.device)

        def training_step(self, batch: Truth, batch_idx: int) -> Tensor:
            losses = self.measure(self.network, batch)
            self.log_dict(losses, prog_bar=True, batch_size=len(batch.inputs))
            return losses["loss"]

        def configure_optimizers(self) -> Any:
            return optimizers(self.network, plan.rate, WEIGHT_DECAY, plan.steps)

    return StudioModule()


class _Steps(torch.utils.data.IterableDataset):
    """The batches from a step on."""

    def __init__(self, crowds: Crowds, first: int, last: int) -> None:
        self.crowds, self.first, self.last = crowds, first, last

    def __iter__(self) -> Iterator[Truth]:
        return map(self.crowds.batch, range(self.first, self.last))


def learn_studio_ajahr(
    poses: Path,
    tokenizers: tuple[Path, Path],
    out: Path,
    plan: StudioPlan,
    *,
    resume: bool = False,
    machine: Machine = CPU_OR_GPU,
) -> StudioScore:
    """Train AJAHR at the studio's size and judge it on people of held-out clips.

    tokenizers: files of the normal one and the one for limb loss. Writes into `out`: ajahr.npz (weights), plan.json,
    metrics.csv, curves.png, a log for TensorBoard, last.ckpt. Raise KnownError where Lightning is missing, a file is
    bad or there is nothing to resume.
    """
    L = lightning()
    last = last_state(out, resume=resume)
    L.seed_everything(plan.seed, verbose=False)
    model = fit_model(load_body())
    skeleton = model.skeleton
    words = read_tokenizers(*tokenizers, plan.numbers)
    known = {} if plan.start is None else read_weights(plan.start)
    picture = (plan.numbers.picture or PictureNumbers()) if any(map(is_of_picture, known)) else None
    network = build_studio(replace(plan.numbers, picture=picture))
    words.install(network)
    network.second_look.bones.take(skeleton)
    if plan.second_look_only and plan.start is None:
        raise KnownError("A second look needs what is looked at.", "Name the ajahr.npz to go on from.")
    if plan.start is not None:
        may_lack = "second_look." if plan.second_look_only else None
        fill(network, plan.start, what="AJAHR of the studio's size", command="limbstudio train ajahr",
             may_lack=may_lack, found=known)  # fmt: skip
        words.install(network)
    elif model.lifter is not None and len(model.lifter.arrays["first.bias"]) == plan.numbers.encoder.width:
        network.encoder.begin_with(model.lifter.arrays)
    if network.picture is not None:  # it stays as it is, and should see once more what has become of the rest
        network.picture.requires_grad_(False)
    if plan.second_look_only:
        network.encoder.requires_grad_(False)
        network.smpl_head.requires_grad_(False)
    module = studio_module(network, plan, model.body, skeleton, words)
    done = read_last(last, module) if resume else 0
    batches = _Steps(Crowds(poses, skeleton, plan), done, plan.steps)
    data = torch.utils.data.DataLoader(batches, batch_size=None)
    train(module, data, out, plan.steps, machine, resume=resume)
    score = judge(network.cpu(), poses, skeleton)
    save_weights(network, out / "ajahr.npz")
    said = {**asdict(plan), "start": plan.start and plan.start.name, "score": asdict(score)}
    write_whole(out / "plan.json", json.dumps(said, indent=1).encode())
    return score
