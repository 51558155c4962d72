"""Training of the limb classifier on shards of A3D; its calibration, and how it is judged."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from limbstudio.ajahr.build import INTACT_CLASS, N_CLASSES, build_studio_bpac
from limbstudio.ajahr.plain_weights import fill, save_weights
from limbstudio.ajahr.studio_bpac import StudioBpac
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
from limbstudio.training.bpac_loss import class_weights, take_back_weights
from limbstudio.training.bpac_modules import (
    BatchesOfSteps,
    BpacPlan,
    bpac_module,
    keep_notes,
    readers_module,
)
from limbstudio.training.bpac_samples import (
    LimbBatch,
    TrainingSamples,
    batch_of,
    find_samples,
    require_others,
)
from limbstudio.training.lightning_modules import CPU_OR_GPU, Machine, lightning
from limbstudio.training.person_feature_file import begin_with_published
from limbstudio.training.resuming import read_last
from limbstudio.training.running import last_state, train

_JUDGE_SEED, _JUDGE_BATCH, _LOOK_EVERY, _LOOK_AT = 13, 64, 500, 256
_TEMPERATURES = (0.05, 20.0)

Floats = NDArray[np.floating[Any]]
Ints = NDArray[np.integer[Any]]


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
    last = last_state(out, resume=resume)
    if plan.steps < 1 or plan.batch < 2:
        raise KnownError("At least one step of at least two people is needed.", "Ask for more.")
    samples = TrainingSamples(shards, plan.numbers.picture_px, plan.batch, plan.seed)
    require_others(shards, validation)
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
    if plan.features is not None:
        begin_with_published(network.features, plan.features)
    known = plan.features is not None or plan.start is not None
    network.features.requires_grad_(plan.train_features or not known)
    if plan.kept:
        module = readers_module(network, plan, weights, keep_notes(network, samples, plan))
    else:
        module = bpac_module(network, plan, weights)
    done = read_last(last, module) if resume else 0
    batches = range(done, plan.steps) if plan.kept else BatchesOfSteps(samples, done, plan.steps)
    workers = 0 if plan.kept else plan.workers
    steps = torch.utils.data.DataLoader(batches, batch_size=None, num_workers=workers)  # type: ignore[arg-type]
    held_out = torch.utils.data.DataLoader(looks, batch_size=None)  # type: ignore[arg-type]
    train(module, steps, out, plan.steps, machine, resume=resume, held_out=held_out, num_sanity_val_steps=0,
          val_check_interval=_LOOK_EVERY, check_val_every_n_epoch=None)  # fmt: skip
    network.cpu()
    take_back_weights(network, weights * told)
    score = calibrate_and_judge(network, validation)
    save_weights(network, out / "bpac.npz")
    draw_reliability(score.reliability, out / "reliability.png")
    said = {
        **asdict(plan),
        "start": plan.start and plan.start.name,
        "features": plan.features and plan.features.name,
        "samples": len(samples.places),
        "score": score.as_plain(),
    }
    write_whole(out / "plan.json", json.dumps(said, indent=1).encode())
    return score
