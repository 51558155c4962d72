"""How the limb classifier trains, under Lightning: the whole of it, or only what reads its features."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from rich.progress import track
from torch import Tensor

from limbstudio.ajahr.build import HEAD_LIMBS, N_CLASSES, STUDIO_BPAC, StudioBpacNumbers
from limbstudio.ajahr.losses import UNKNOWN_CLASS
from limbstudio.ajahr.studio_bpac import Notes, StudioBpac
from limbstudio.training.bpac_loss import LimbPlaces, balanced_loss, limbs_to_learn_from
from limbstudio.training.bpac_samples import LimbBatch, TrainingSamples
from limbstudio.training.lightning_modules import lightning
from limbstudio.training.running import optimizers

STEPS, BATCH, RATE, WEIGHT_DECAY = 20_000, 64, 1e-3, 1e-3
# Kept notes come again and again, so that what reads them could learn them by heart.
READERS_DECAY = 0.02
# How much it counts in training that the network finds the limb's true points, beside how the limb ends.
WHERE_WEIGHT = 0.3
# Classes weigh by their shares to the power of minus this: 0 leaves rare ones rare, 1 makes all alike.
BALANCE = 0.5

Floats = NDArray[np.floating[Any]]


@dataclass(frozen=True)
class BpacPlan:
    """How to train. batch: people of a step. workers: processes that read samples. seed: of everything random.

    start: weights to go on from, a file that training wrote; None for untrained ones. intact_share: of intact limbs,
    the share that is looked at in a step: there are many, and they soon teach little. features: the published file that
    the features of people begin with, None for those of `start`, or untrained ones. train_features: whether they train
    on; photos taught them more than drawn people can, so what was learnt from these is better left alone.
    kept: train only what reads the networks' features, on those of so many varied copies of each sample, which are
    computed once (about 100 kB each in memory); a step takes an eighth of the time. 0: train all.
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
    features: Path | None = None
    train_features: bool = False
    kept: int = 0


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
            logits = logits.index_put((seen.notes.rows,), seen.logits.float()).unflatten(
                0, (-1, len(HEAD_LIMBS))
            )
            loss = balanced_loss(logits, told, self.weights)
            cutter, places = self.network.cutter, (batch.places + 0.5) / plan.numbers.picture_px
            where = self.places.loss(seen.limb_maps, seen.limbs, seen.notes.rows, cutter, places)
            near = self.end_places.loss(seen.end_maps, seen.ends, seen.notes.rows, cutter, places)
            self.log_dict(
                {"loss": loss, "accuracy": _right(logits, told), "where": where, "where_near": near},
                prog_bar=True, batch_size=len(batch.classes),
            )  # fmt: skip
            return loss + WHERE_WEIGHT * (where + near)

        def validation_step(self, batch: LimbBatch, batch_idx: int) -> None:
            self.log_dict(_validated(self.network, batch, self.weights), batch_size=len(batch.classes))

        def configure_optimizers(self) -> Any:
            return optimizers(self, plan.rate, WEIGHT_DECAY, plan.steps)

    return BpacModule()


def _validated(network: StudioBpac, batch: LimbBatch, weights: Tensor) -> dict[str, Tensor]:
    logits = network(batch.crops, batch.points).float()
    return {
        "validation_loss": balanced_loss(logits, batch.classes, weights),
        "validation_accuracy": _right(logits, batch.classes),
    }


@dataclass(frozen=True, eq=False)
class KeptNotes:
    """Notes of M limbs in half precision, and their classes, (M,)."""

    notes: Notes
    classes: Tensor


def keep_notes(network: StudioBpac, samples: TrainingSamples, plan: BpacPlan) -> KeptNotes:
    """Look at so many varied copies of each sample, once, and keep what is noted of limbs to learn from."""
    draws = torch.Generator().manual_seed(plan.seed)
    count = -(-plan.kept * len(samples.places) // plan.batch)
    rounds = BatchesOfSteps(samples, 0, count)
    loader = torch.utils.data.DataLoader(rounds, batch_size=None, num_workers=plan.workers)  # type: ignore[arg-type]
    network.eval()
    parts: list[tuple[Notes, Tensor]] = []
    with torch.inference_mode():
        for batch in track(loader, "Looking at samples", total=count):
            wanted = limbs_to_learn_from(batch.classes, plan.intact_share, draws)
            notes = network.look(batch.crops, batch.points, wanted).notes
            parts.append((_each(notes, torch.Tensor.half), batch.classes.flatten()[notes.rows]))
    together = {f.name: torch.cat([getattr(notes, f.name) for notes, _ in parts]) for f in fields(Notes)}
    return KeptNotes(Notes(**together), torch.cat([classes for _, classes in parts]))


def _each(notes: Notes, change: Callable[[Tensor], Tensor]) -> Notes:
    """Return notes with their numbers changed; rows stay."""
    return replace(
        notes, **{f.name: change(getattr(notes, f.name)) for f in fields(Notes) if f.name != "rows"}
    )


def readers_module(network: StudioBpac, plan: BpacPlan, weights: Floats, kept: KeptNotes) -> Any:
    """Return a LightningModule that trains what reads a network's features, on kept notes; the rest stays."""

    class ReadersModule(lightning().LightningModule):
        def __init__(self) -> None:
            super().__init__()
            self.network = network.requires_grad_(False)
            for reader in network.readers:
                reader.requires_grad_(True)
            self.register_buffer("weights", torch.as_tensor(weights, dtype=torch.float32), persistent=False)

        def training_step(self, batch: Tensor, batch_idx: int) -> Tensor:
            self.network.eval()
            for reader in self.network.readers:
                reader.train()
            draws = torch.Generator().manual_seed(plan.seed * 1_000_003 + int(batch))
            chosen = torch.randint(len(kept.classes), (len(HEAD_LIMBS) * plan.batch,), generator=draws)
            notes = Notes(*(getattr(kept.notes, f.name)[chosen].to(self.device) for f in fields(Notes)))
            classes = kept.classes[chosen].to(self.device)
            logits = self.network.read(_each(notes, torch.Tensor.float)).float()
            own = self.weights[notes.rows % len(HEAD_LIMBS), classes]
            loss = (torch.nn.functional.cross_entropy(logits, classes, reduction="none") * own).mean()
            said = {"loss": loss, "accuracy": (logits.argmax(1) == classes).float().mean()}
            self.log_dict(said, prog_bar=True, batch_size=plan.batch)
            return loss

        def validation_step(self, batch: LimbBatch, batch_idx: int) -> None:
            self.log_dict(_validated(self.network, batch, self.weights), batch_size=len(batch.classes))

        def configure_optimizers(self) -> Any:
            return optimizers(self, plan.rate, READERS_DECAY, plan.steps)

    return ReadersModule()


def _right(logits: Tensor, classes: Tensor) -> Tensor:
    known = classes != UNKNOWN_CLASS
    return ((logits.argmax(2) == classes) & known).sum() / known.sum().clamp_min(1)


class BatchesOfSteps(torch.utils.data.IterableDataset):
    """The batches from a step on; of several workers each makes its own, and the order stays."""

    def __init__(self, samples: TrainingSamples, first: int, last: int) -> None:
        self.samples, self.first, self.last = samples, first, last

    def __iter__(self) -> Iterator[LimbBatch]:
        worker = torch.utils.data.get_worker_info()
        number, of = (0, 1) if worker is None else (worker.id, worker.num_workers)
        return map(self.samples.batch, range(self.first + number, self.last, of))
