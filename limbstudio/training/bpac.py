"""Training of the limb classifier on shards of A3D, under Lightning; its calibration, and how it is judged."""

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from limbstudio.ajahr.build import (
    HEAD_LIMBS,
    INTACT_CLASS,
    N_CLASSES,
    STUDIO_BPAC,
    StudioBpacNumbers,
    build_studio_bpac,
)
from limbstudio.ajahr.losses import UNKNOWN_CLASS
from limbstudio.ajahr.plain_weights import fill, save_weights
from limbstudio.ajahr.studio_bpac import LimbCuts, LimbCutter, StudioBpac
from limbstudio.domain.anatomy import LDPOSE_INDEX, limb_ends, limb_joints
from limbstudio.domain.errors import KnownError
from limbstudio.evaluation.limb_states import (
    Reliability,
    all_rates,
    as_plain,
    confusion,
    draw_reliability,
    intact_recall,
    reliability,
)
from limbstudio.formats.whole_files import write_whole
from limbstudio.training.bpac_samples import LimbBatch, TrainingSamples, batch_of, find_samples
from limbstudio.training.curves import draw_curves, loggers
from limbstudio.training.lightning_modules import CPU_OR_GPU, Machine, lightning
from limbstudio.training.resuming import read_last
from limbstudio.training.schedule import share_of_rate

STEPS, BATCH, RATE, WEIGHT_DECAY = 20_000, 64, 1e-3, 1e-3
# How much it counts in training that the network finds the limb's true points, beside how the limb ends.
WHERE_WEIGHT = 0.3
# Classes weigh by their shares to the power of minus this: 0 leaves rare ones rare, 1 makes all alike.
BALANCE = 0.5
# A class that the shards do not hold must not weigh without end.
_LEAST_SHARE = 1e-3
_JUDGE_SEED, _JUDGE_BATCH, _LOOK_EVERY, _LOOK_AT = 13, 64, 500, 256
_TEMPERATURES = (0.05, 20.0)

Floats = NDArray[np.floating[Any]]
Ints = NDArray[np.integer[Any]]


@dataclass(frozen=True)
class BpacPlan:
    """How to train. batch: people of a step. workers: processes that read samples. seed: of everything random.

    start: weights to go on from, a file that training wrote; None for untrained ones. intact_share: of intact limbs,
    the share that is looked at in a step: there are many, and they soon teach little.
    """

    steps: int = STEPS
    numbers: StudioBpacNumbers = STUDIO_BPAC
    batch: int = BATCH
    rate: float = RATE
    seed: int = 0
    workers: int = 0
    balance: float = BALANCE
    start: Path | None = None
    intact_share: float = 0.5


@dataclass(frozen=True, eq=False)
class BpacScore:
    """On held-out samples that the temperature was not chosen on. counts: (4 heads, 4 true, 4 said).

    covered: counts of the samples that were made with things before the person. calibration: how many samples the
    temperature was chosen on.
    """

    counts: Ints
    covered: Ints
    reliability: Reliability
    temperature: float
    samples: int
    calibration: int

    @property
    def text(self) -> str:
        """Return it in words."""
        rates = all_rates(self.counts)
        return (
            f"{self.samples} held-out samples: accuracy {rates.accuracy:.3f}, weighted F1 {rates.f1:.3f}, "
            f"intact limbs found {intact_recall(self.counts):.3f} "
            f"({intact_recall(self.covered):.3f} behind things), "
            f"expected calibration error {self.reliability.calibration_error:.3f}."
        )

    def as_plain(self) -> dict[str, Any]:
        """Return it for plan.json."""
        found = self.reliability
        return {
            "samples": self.samples,
            "calibration_samples": self.calibration,
            "temperature": self.temperature,
            "expected_calibration_error": found.calibration_error,
            "reliability": {
                "counts": found.counts.tolist(),
                "probability": _plain(found.probability),
                "right": _plain(found.right),
            },
            **as_plain(self.counts),
            "behind_things": as_plain(self.covered),
        }


def _plain(values: Floats) -> list[float | None]:
    return [None if np.isnan(value) else round(float(value), 4) for value in values]


# --------------------------------------------------------------------------------------------------------- loss


def class_weights(shares: Floats, balance: float) -> Floats:
    """Return weights (4 heads, 4 classes) of shares: their power, with mean 1 over what the shards hold."""
    weights = np.maximum(shares, _LEAST_SHARE) ** -balance
    return weights / np.maximum((weights * shares).sum(1, keepdims=True), 1e-9)


def balanced_loss(logits: Tensor, classes: Tensor, weights: Tensor) -> Tensor:
    """Return the cross-entropy of logits (B, 4, 4) from classes (B, 4), each weighed by its class's weight (4, 4).

    Unknown classes do not count. The mean is over limbs, not over weights, so that every batch counts alike.
    """
    known = classes != UNKNOWN_CLASS
    sure = classes.clamp_min(0)
    losses = torch.nn.functional.cross_entropy(logits.flatten(0, 1), sure.flatten(), reduction="none")
    own = weights.expand(len(classes), -1, -1).gather(2, sure[..., None])[..., 0]
    return (losses.view_as(own) * own * known).sum() / known.sum().clamp_min(1)


def limbs_to_learn_from(classes: Tensor, share: float) -> Tensor:
    """Return which limbs (B, 4) bool to learn from: all whose end is known, of intact ones a random share."""
    drawn = torch.rand(classes.shape, device=classes.device) < share
    return (classes != UNKNOWN_CLASS) & ((classes != INTACT_CLASS) | drawn)


def take_back_weights(network: StudioBpac, weights: Floats) -> None:
    """Turn what was learnt under weights into probabilities as often true as in the shards.

    Under weights w the logits come to be those of w p; less log w they are those of p.
    """
    with torch.no_grad():
        for head, row in zip(network.heads, weights, strict=True):
            head.bias.sub_(torch.as_tensor(np.log(row), dtype=head.bias.dtype, device=head.bias.device))


class LimbPlaces(torch.nn.Module):
    """Find a limb's three joints and two residual ends on the maps of a cut: taught along, not shipped (ours).

    Each point lies in one cell of the map, or not there. Four classes alone teach a network from nothing slowly; where
    things are is told in every picture.
    """

    points: Tensor

    def __init__(self, width: int) -> None:
        super().__init__()
        points = [[LDPOSE_INDEX[n] for n in limb_joints(limb)] + list(limb_ends(limb)) for limb in HEAD_LIMBS]
        self.register_buffer("points", torch.tensor(points))
        self.cells = torch.nn.Conv2d(width, 2 * len(points[0]), 1)  # of arms and of legs
        self.nowhere = torch.nn.Conv2d(width, 2 * len(points[0]), 1)

    def loss(self, maps: Tensor, cuts: LimbCuts, rows: Tensor, cutter: LimbCutter, places: Tensor) -> Tensor:
        """Return the mean cross-entropy of maps (N, width, h, w) from true places (B, 25, 2), shares of the crop.

        rows: (N,) which of the B x 4 cuts were looked at.
        """
        size = maps.shape[-1]
        count = self.points.shape[1]
        near = cutter.near(places[:, self.points], cuts.middle, cuts.side).flatten(0, 1)[rows]  # (N, 5, 2)
        cell = ((near + 1) / 2 * size).floor()
        there = (torch.isfinite(near) & (cell >= 0) & (cell < size)).all(-1)
        cell = torch.nan_to_num(cell).clamp(0, size - 1).long()
        truth = torch.where(
            there, cell[..., 1] * size + cell[..., 0], torch.full_like(cell[..., 0], size * size)
        )
        arms = (1 - cutter.arms).long()[rows % len(HEAD_LIMBS)]  # 0: the first half of the outputs is of arms
        own = arms[:, None] * count + torch.arange(count, device=maps.device)
        nowhere = self.nowhere(maps.amax((2, 3), keepdim=True)).flatten(2)
        said = torch.cat([self.cells(maps).flatten(2), nowhere], -1)
        said = said.gather(1, own[..., None].expand(-1, -1, said.shape[-1]))
        return torch.nn.functional.cross_entropy(said.flatten(0, 1).float(), truth.flatten())


# ---------------------------------------------------------------------------------------------------- judgement


def best_temperature(logits: Floats, classes: Ints) -> float:
    """Return what logits (N, 4, 4) are best divided by: least cross-entropy from classes (N, 4), known ones."""
    from scipy.optimize import minimize_scalar
    from scipy.special import log_softmax

    known = classes >= 0
    if not known.any():
        return 1.0
    rows, truth = logits[known].astype(float), classes[known]

    def cost(log_temperature: float) -> float:
        told = log_softmax(rows / np.exp(log_temperature), 1)
        return -float(told[np.arange(len(truth)), truth].mean())

    found = minimize_scalar(cost, bounds=tuple(np.log(_TEMPERATURES)), method="bounded")
    return float(np.exp(found.x))  # type: ignore[attr-defined]


def calibrate_and_judge(network: StudioBpac, folder: Path) -> BpacScore:
    """Choose the temperature on every second sample of a folder's shards and judge the network on the others.

    Raise KnownError where there are fewer than two.
    """
    places = find_samples(folder)
    if len(places) < 2:
        raise KnownError(f"One sample in {folder} is too few to judge with.", "Make more for validation.")
    network.eval()
    device = next(network.parameters()).device
    parts = []
    with torch.inference_mode():
        for first in range(0, len(places), _JUDGE_BATCH):
            rng = np.random.default_rng((_JUDGE_SEED, first))
            some = places[first : first + _JUDGE_BATCH]
            batch = batch_of(some, network.numbers.picture_px, rng, vary=False)
            logits = network(batch.crops.to(device), batch.points.to(device)).float().cpu()
            parts.append((logits.numpy(), batch.classes.numpy(), batch.covered.numpy()))
    logits, classes, covered = (np.concatenate(values) for values in zip(*parts, strict=True))
    network.temperature.fill_(best_temperature(logits[::2], classes[::2]))
    logits, classes, covered = logits[1::2], classes[1::2], covered[1::2]
    temperature = float(network.temperature)
    told = torch.softmax(torch.as_tensor(logits) / temperature, 2).numpy()
    said = told.argmax(2)
    return BpacScore(
        confusion(classes, said),
        confusion(classes[covered], said[covered]),
        reliability(told, classes),
        temperature,
        len(classes),
        len(places) - len(classes),
    )


# ----------------------------------------------------------------------------------------------------- training


def bpac_module(network: StudioBpac, plan: BpacPlan, weights: Floats) -> Any:
    """Return a LightningModule that trains a network under weights of classes (4, 4)."""

    class BpacModule(lightning().LightningModule):
        def __init__(self) -> None:
            super().__init__()
            self.network = network
            width = plan.numbers.widths[min(1, len(plan.numbers.widths) - 1)]
            self.places, self.end_places = LimbPlaces(width), LimbPlaces(width)
            self.register_buffer("weights", torch.as_tensor(weights, dtype=torch.float32), persistent=False)

        def training_step(self, batch: LimbBatch, batch_idx: int) -> Tensor:
            told = batch.classes.masked_fill(
                ~limbs_to_learn_from(batch.classes, plan.intact_share), UNKNOWN_CLASS
            )
            seen = self.network.look(batch.crops, batch.points, told != UNKNOWN_CLASS)
            logits = seen.logits.float().new_zeros(told.numel(), N_CLASSES)
            logits = logits.index_put((seen.rows,), seen.logits.float()).unflatten(0, (-1, len(HEAD_LIMBS)))
            loss = balanced_loss(logits, told, self.weights)
            cutter, places = self.network.cutter, (batch.places + 0.5) / plan.numbers.picture_px
            where = self.places.loss(seen.limb_maps, seen.limbs, seen.rows, cutter, places)
            near = self.end_places.loss(seen.end_maps, seen.ends, seen.rows, cutter, places)
            self.log_dict(
                {"loss": loss, "accuracy": _right(logits, told), "where": where, "where_near": near},
                prog_bar=True, batch_size=len(batch.classes),
            )  # fmt: skip
            return loss + WHERE_WEIGHT * (where + near)

        def validation_step(self, batch: LimbBatch, batch_idx: int) -> None:
            logits = self.network(batch.crops, batch.points).float()
            said = {
                "validation_loss": balanced_loss(logits, batch.classes, self.weights),
                "validation_accuracy": _right(logits, batch.classes),
            }
            self.log_dict(said, batch_size=len(batch.classes))

        def configure_optimizers(self) -> Any:
            optimizer = torch.optim.AdamW(self.parameters(), plan.rate, weight_decay=WEIGHT_DECAY)
            fall = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: share_of_rate(step, plan.steps))
            return {"optimizer": optimizer, "lr_scheduler": {"scheduler": fall, "interval": "step"}}

    return BpacModule()


def _right(logits: Tensor, classes: Tensor) -> Tensor:
    known = classes != UNKNOWN_CLASS
    return ((logits.argmax(2) == classes) & known).sum() / known.sum().clamp_min(1)


class _Steps(torch.utils.data.IterableDataset):
    """The batches from a step on; of several workers each makes its own, and the order stays."""

    def __init__(self, samples: TrainingSamples, first: int, last: int) -> None:
        self.samples, self.first, self.last = samples, first, last

    def __iter__(self) -> Iterator[LimbBatch]:
        worker = torch.utils.data.get_worker_info()
        number, of = (0, 1) if worker is None else (worker.id, worker.num_workers)
        return map(self.samples.batch, range(self.first + number, self.last, of))


def _validation_batches(folder: Path, size_px: int, batch: int) -> list[LimbBatch]:
    places = find_samples(folder)
    places = places[:: max(1, len(places) // _LOOK_AT)][:_LOOK_AT]
    return [
        batch_of(places[i : i + batch], size_px, np.random.default_rng((_JUDGE_SEED, i)), vary=False)
        for i in range(0, len(places), batch)
    ]


def learn_bpac(
    shards: Path,
    validation: Path,
    out: Path,
    plan: BpacPlan,
    *,
    resume: bool = False,
    machine: Machine = CPU_OR_GPU,
) -> BpacScore:
    """Train the limb classifier on a folder's shards, calibrate and judge it on another's.

    Writes into `out`: bpac.npz (weights and temperature), plan.json, reliability.png, metrics.csv, curves.png, a log
    for TensorBoard, last.ckpt. Raise KnownError where Lightning is missing, shards are missing or damaged, or there is
    nothing to resume.
    """
    L = lightning()
    last = out / "last.ckpt"
    if resume and not last.exists():
        raise KnownError(f"There is no {last.name} in {out} to go on from.", "Train without --resume.")
    if plan.steps < 1 or plan.batch < 2:
        raise KnownError("At least one step of at least two people is needed.", "Ask for more.")
    samples = TrainingSamples(shards, plan.numbers.picture_px, plan.batch, plan.seed)
    if shards.resolve() == validation.resolve():
        raise KnownError(
            "Samples to judge with must not be those to train on.", "Make others for --validation."
        )
    looks = _validation_batches(validation, plan.numbers.picture_px, plan.batch)
    L.seed_everything(plan.seed, verbose=False)
    told = np.where(np.arange(N_CLASSES) == INTACT_CLASS, plan.intact_share, 1.0)
    shares = samples.class_shares() * told
    weights = class_weights(shares / shares.sum(1, keepdims=True), plan.balance)
    network = build_studio_bpac(plan.numbers)
    if plan.start is not None:
        fill(
            network,
            plan.start,
            what="a limb classifier of the studio's size",
            command="limbstudio train bpac",
        )
        take_back_weights(
            network, 1 / (weights * told)
        )  # what ships says true shares; training knows weighed ones
    module = bpac_module(network, plan, weights)
    done = read_last(last, module) if resume else 0
    trainer = L.Trainer(
        max_steps=plan.steps, accelerator=machine.device, devices=1, precision=machine.precision,
        default_root_dir=out, gradient_clip_val=1.0,
        enable_model_summary=False, logger=loggers(out),
        callbacks=[L.pytorch.callbacks.ModelCheckpoint(out, save_last=True, save_top_k=0, every_n_train_steps=200)],
        log_every_n_steps=min(20, max(plan.steps // 10, 1)), num_sanity_val_steps=0,
        val_check_interval=_LOOK_EVERY, check_val_every_n_epoch=None,
    )  # fmt: skip
    steps = torch.utils.data.DataLoader(
        _Steps(samples, done, plan.steps), batch_size=None, num_workers=plan.workers
    )
    trainer.fit(module, steps, torch.utils.data.DataLoader(looks, batch_size=None),  # type: ignore[arg-type]
                ckpt_path=str(last) if resume else None, weights_only=True)  # fmt: skip
    trainer.save_checkpoint(last)
    draw_curves(out)
    network.cpu()
    take_back_weights(network, weights * told)
    score = calibrate_and_judge(network, validation)
    save_weights(network, out / "bpac.npz")
    draw_reliability(score.reliability, out / "reliability.png")
    said = {
        **asdict(plan),
        "start": plan.start and plan.start.name,
        "samples": len(samples.places),
        "score": score.as_plain(),
    }
    write_whole(out / "plan.json", json.dumps(said, indent=1).encode())
    return score
