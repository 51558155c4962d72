"""Training of what AJAHR on keypoints sees in the picture, on shards of A3D; the network that the points go through
stays as it is, so that without a picture nothing is changed."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from rich.progress import track
from torch import Tensor

from limbstudio.ajahr.build import STUDIO_WITH_PICTURE, StudioNumbers, build_studio
from limbstudio.ajahr.keypoint_network import KeypointAjahr, SeenPeople, is_of_picture
from limbstudio.ajahr.picture_encoder import PictureEncoder, PictureNotes
from limbstudio.ajahr.plain_weights import fill, read_weights, save_weights
from limbstudio.ajahr.predict_limbs import shipped_weights as shipped_classifier
from limbstudio.body.model import BodyModel, load_body
from limbstudio.domain.errors import KnownError
from limbstudio.formats.whole_files import write_whole
from limbstudio.resihmr.problem import fit_model
from limbstudio.resihmr.skeleton import Skeleton
from limbstudio.training.bpac_samples import Place, find_samples, read_with, require_others
from limbstudio.training.keypoint_ajahr import BodySurface, StudioLoss, body_errors
from limbstudio.training.lightning_modules import CPU_OR_GPU, Machine, lightning
from limbstudio.training.person_feature_file import begin_with_published
from limbstudio.training.picture_samples import (
    PictureSample,
    SeenBodies,
    looked_at,
    picture_sample,
    told_truth,
    varied,
)
from limbstudio.training.resuming import read_last
from limbstudio.training.running import last_state, optimizers, train

STEPS, BATCH, RATE, WEIGHT_DECAY = 3000, 128, 5e-4, 0.02
_FEATURES = "features."
_AT_ONCE = 32
_JUDGE_SEED = 17


@dataclass(frozen=True)
class PicturePlan:
    """How to train.

    start: AJAHR's weights that the picture is added to, or that knew pictures before. copies: how many varied copies of
    each sample are looked at, once; each takes 16 kB of memory. features: the published file that the features of
    people are of, None for those of `start`, or of the limb classifier that ships. seed: of everything random.
    """

    start: Path
    steps: int = STEPS
    numbers: StudioNumbers = STUDIO_WITH_PICTURE
    copies: int = 2
    batch: int = BATCH
    rate: float = RATE
    seed: int = 0
    features: Path | None = None


@dataclass(frozen=True)
class PictureScore:
    """Mean errors over joints that exist on held-out samples, millimetres, with the picture and without: pelvis-aligned
    and after alignment by similarity. people: how many."""

    mpjpe_mm: float
    pa_mpjpe_mm: float
    mpjpe_without_mm: float
    pa_mpjpe_without_mm: float
    people: int

    @property
    def text(self) -> str:
        """Return it in words."""
        return (
            f"{self.people} held-out samples: MPJPE {self.mpjpe_mm:.1f} mm, PA-MPJPE {self.pa_mpjpe_mm:.1f} mm; "
            f"without the picture {self.mpjpe_without_mm:.1f} and {self.pa_mpjpe_without_mm:.1f} mm."
        )


@dataclass(frozen=True, eq=False)
class Kept:
    """Bodies, and notes of their pictures in half precision."""

    bodies: SeenBodies
    notes: PictureNotes


def keep(
    encoder: PictureEncoder, places: tuple[Place, ...], body: BodyModel, rng: np.random.Generator | None
) -> Kept:
    """Look at each sample once. rng: varies them, None leaves them as they are."""
    size, device = encoder.numbers.picture_px, next(encoder.parameters()).device
    bodies: list[SeenBodies] = []
    notes: list[PictureNotes] = []
    starts = range(0, len(places), _AT_ONCE)
    with torch.inference_mode():
        for first in track(starts, "Looking at samples", total=len(starts)):
            samples = [read_with(place, picture_sample) for place in places[first : first + _AT_ONCE]]
            samples = [one for one in samples if _is_enough(one)]
            if not samples:
                continue
            if rng is not None:
                samples = [varied(one, body, rng) for one in samples]
            crops, marks = zip(*(looked_at(one, size, rng) for one in samples), strict=True)
            told = torch.as_tensor(np.stack(marks), dtype=torch.float32, device=device)
            found = encoder.notes(torch.as_tensor(np.stack(crops), device=device), told)
            bodies.append(SeenBodies.of(samples))
            notes.append(PictureNotes(*(part.cpu().half() for part in vars(found).values())))
    if not bodies:
        raise KnownError("No sample shows enough of a person.", "Make more with `limbstudio a3d make`.")
    parts = zip(*(vars(one).values() for one in notes), strict=True)
    return Kept(SeenBodies.together(bodies), PictureNotes(*(torch.cat(part) for part in parts)))


def _is_enough(sample: PictureSample) -> bool:
    return int(sample.told.sum()) >= 4


def picture_module(
    network: KeypointAjahr, plan: PicturePlan, kept: Kept, measure: StudioLoss, skeleton: Skeleton
) -> Any:
    """Return a LightningModule that trains what looks at pictures; a batch is the number of a step."""
    encoder = network.picture
    assert encoder is not None

    class PictureModule(lightning().LightningModule):
        def __init__(self) -> None:
            super().__init__()
            self.network = network

        def training_step(self, batch: int, batch_idx: int) -> Tensor:
            rng = np.random.default_rng((plan.seed, batch))
            rows = rng.integers(len(kept.bodies.px), size=plan.batch)
            truth = told_truth(kept.bodies[rows], skeleton, rng).to(self.device)
            notes = kept.notes[torch.as_tensor(rows)].to(self.device)
            seen = SeenPeople(torch.arange(plan.batch, device=self.device), notes)
            losses = measure.of(self.network.looks(truth.inputs, seen), truth)
            self.log_dict(losses, prog_bar=True, batch_size=plan.batch)
            return losses["loss"]

        def configure_optimizers(self) -> Any:
            return optimizers(self.network, plan.rate, WEIGHT_DECAY, plan.steps)

    return PictureModule()


def judge(network: KeypointAjahr, kept: Kept, skeleton: Skeleton, batch: int = BATCH) -> PictureScore:
    """Score a network on samples, told points with noise, with and without their pictures."""
    network.eval()
    rng = np.random.default_rng(_JUDGE_SEED)
    rows = np.arange(len(kept.bodies.px))
    errors: dict[bool, list[NDArray[np.floating[Any]]]] = {True: [], False: []}
    with torch.inference_mode():
        for some in np.array_split(rows, -(-len(rows) // batch)):
            truth = told_truth(kept.bodies[some], skeleton, rng)
            seen = SeenPeople(torch.arange(len(some)), kept.notes[torch.as_tensor(some)])
            for with_picture, found in errors.items():
                said = network(truth.inputs, seen if with_picture else None)
                found.append(body_errors(said, truth, skeleton))
    (own, aligned), (own_without, aligned_without) = (
        1000 * np.concatenate(errors[with_picture], 1).mean(1) for with_picture in (True, False)
    )
    return PictureScore(float(own), float(aligned), float(own_without), float(aligned_without), len(rows))


def begin(plan: PicturePlan, skeleton: Skeleton) -> KeypointAjahr:
    """Return the network that training begins with: that of `start`, which may know pictures already; else with an
    encoder of pictures that adds nothing yet, and features that were trained before. Raise KnownError where a file is
    bad or there are no features."""
    network = build_studio(plan.numbers)
    assert network.picture is not None
    found = read_weights(plan.start)
    fill(network, plan.start, what="AJAHR of the studio's size", command="limbstudio train ajahr",
         may_lack="picture.", found=found)  # fmt: skip
    network.second_look.bones.take(skeleton)
    if plan.features is not None:
        begin_with_published(network.picture.features, plan.features)
    elif not any(map(is_of_picture, found)):
        _begin_with_classifier(network.picture, shipped_classifier())
    network.requires_grad_(False)
    network.picture.requires_grad_(True)
    network.picture.features.requires_grad_(False)
    return network


def _begin_with_classifier(encoder: PictureEncoder, path: Path) -> None:
    arrays = read_weights(path)
    found = {name.removeprefix(_FEATURES): v for name, v in arrays.items() if name.startswith(_FEATURES)}
    fill(encoder.features, path, what="a limb classifier of the studio's size", command="limbstudio train bpac",
         found=found)  # fmt: skip


def learn_picture(
    shards: Path,
    validation: Path,
    out: Path,
    plan: PicturePlan,
    *,
    resume: bool = False,
    machine: Machine = CPU_OR_GPU,
    body: BodyModel | None = None,
) -> PictureScore:
    """Train what looks at pictures on a folder's shards and judge it on another's.

    Writes into `out`: ajahr.npz (weights), plan.json, metrics.csv, curves.png, a log for TensorBoard, last.ckpt. Raise
    KnownError where Lightning or shards are missing, a file is bad, or there is nothing to resume.
    """
    L = lightning()
    last = last_state(out, resume=resume)
    if plan.steps < 1 or plan.batch < 1 or plan.copies < 1:
        raise KnownError("At least one step of one person and one copy is needed.", "Ask for more.")
    require_others(shards, validation)
    places, others = find_samples(shards), find_samples(validation)
    L.seed_everything(plan.seed, verbose=False)
    model = fit_model(body or load_body())
    network = begin(plan, model.skeleton).eval()
    assert network.picture is not None
    draws = np.random.default_rng((plan.seed, 1))
    kept = keep(network.picture, places * plan.copies, model.body, draws)
    measure = StudioLoss(model.skeleton, BodySurface(model.body), None)
    module = picture_module(network, plan, kept, measure, model.skeleton)
    done = read_last(last, module) if resume else 0
    steps = torch.utils.data.DataLoader(range(done, plan.steps), batch_size=None)  # type: ignore[arg-type]
    train(module, steps, out, plan.steps, machine, resume=resume)
    network.cpu()
    score = judge(network, keep(network.picture, others, model.body, None), model.skeleton)
    save_weights(network, out / "ajahr.npz")
    said = {
        **asdict(plan),
        "start": plan.start.name,
        "features": plan.features and plan.features.name,
        "samples": len(places),
        "score": asdict(score),
    }
    write_whole(out / "plan.json", json.dumps(said, indent=1).encode())
    return score
