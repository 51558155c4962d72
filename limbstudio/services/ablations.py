"""The ablations of AJAHR's paper and supplement, one table each, at the studio's size and on data that all may have.

Two kinds: `tokens`, `codebook` and `mixing` train anew; `tokenizers`, `limbs`, `noise` and `inputs` ask what ships. The
paper's own figures stand beside ours where we know them; they come from gated data, another body and another size, and
cannot be reproduced here. Not done: full and partial tuning and cross-attention (supplement, table B), and BPAC-Net
on weaker networks (review), for nothing of our size is tuned from a backbone of pictures.
"""

import csv
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from limbstudio.domain.anatomy import (
    N_COCO,
    N_KEYPOINTS,
    KeypointState,
    Limb,
    LimbState,
    impossible_keypoints,
)
from limbstudio.domain.errors import KnownError
from limbstudio.domain.geometry import Keypoints, Point
from limbstudio.domain.limb_proposals import LimbProposals
from limbstudio.domain.photo import Person
from limbstudio.evaluation.in_space import SpaceErrors
from limbstudio.evaluation.paper_tables import GATED, MODULES, TOKENIZERS, PaperTable, table_lines
from limbstudio.formats.whole_files import write_whole
from limbstudio.services.exporting import prepare_output

if TYPE_CHECKING:
    from torch import Tensor

    from limbstudio.training.bpac_samples import LimbBatch, ShownPerson

    Told = tuple[Tensor, Tensor]  # crops and points

Report = Callable[[float, str], None]
Row = Mapping[str, object]

_BLOCK, _SEED = 64, 41
_TOKENS = (20, 40, 80, 160, 320, 640)
# (codes, numbers each)
_CODES = ((128, 64), (256, 64), (512, 32), (512, 64), (512, 128), (1024, 64), (2048, 64))
# The released classifier's noise at 100 %: its deviation in pixels of a crop of so many.
_RELEASED_NOISE_PX, _RELEASED_CROP_PX = 1.5, 256
_NOISES, _MIXES = (0.0, 0.25, 0.5, 0.75, 1.0), (0.25, 0.5, 0.75, 1.0)


@dataclass(frozen=True)
class AblationOptions:
    """What to do it with; which are needed depends on the ablation.

    poses: the motion file. shards: of A3D. tokenizers: of people with all limbs, and with limb loss. steps: of each
    training. count: samples of the shards at most.
    """

    poses: Path | None = None
    shards: Path | None = None
    tokenizers: tuple[Path, Path] | None = None
    steps: int = 2000
    count: int | None = None
    seed: int = 0


@dataclass(frozen=True)
class Ablation:
    """One table. needs: which options must be given. paper: what is known of the paper's. run: gives the rows.

    table: the paper's own, where it has one.
    """

    name: str
    title: str
    needs: tuple[str, ...]
    paper: str
    run: Callable[[AblationOptions, Path, Report], list[Row]]
    table: PaperTable | None = None


@dataclass(frozen=True, eq=False)
class AblationResult:
    folder: Path
    name: str
    rows: Sequence[Row]
    text: str

    def as_plain(self) -> dict[str, Any]:
        """Return it for scripts."""
        return {"folder": str(self.folder), "ablation": self.name, "rows": list(self.rows)}


_ASKED_FOR = {"tokenizers": "--tokenizer and --tokenizer-loss"}


def ablate(
    name: str, out: Path, options: AblationOptions, *, report: Report = lambda fraction, sentence: None
) -> AblationResult:
    """Do one ablation and write table.md and table.csv into `out`.

    Raise KnownError for an unknown name, or where something that it needs is not given.
    """
    found = next((row for row in ABLATIONS if row.name == name), None)
    if found is None:
        raise KnownError(
            f"There is no ablation {name}.", f"Name one of {', '.join(a.name for a in ABLATIONS)}."
        )
    for need in found.needs:
        if getattr(options, need) is None:
            asked = _ASKED_FOR.get(need, f"--{need}")
            raise KnownError(f"The ablation {name} needs {asked}.", "Give it; README says how it is made.")
    prepare_output(out)
    rows = found.run(options, out, report)
    text = _markdown(found, rows)
    write_whole(out / "table.md", text.encode())
    write_whole(out / "table.csv", _csv(rows).encode())
    return AblationResult(out, name, rows, text)


def _markdown(ablation: Ablation, rows: Sequence[Row]) -> str:
    names = list(rows[0])
    lines = [
        f"# {ablation.title}",
        "",
        "| " + " | ".join(names) + " |",
        "|-" + "|-:" * (len(names) - 1) + "|",
    ]
    lines += ["| " + " | ".join(_words(row[name]) for name in names) + " |" for row in rows]
    lines += ["", f"The paper: {ablation.paper}", ""]
    return "\n".join([*lines, *(table_lines(ablation.table) if ablation.table is not None else ())])


def _words(value: object) -> str:
    return f"{value:.3f}" if isinstance(value, float) else str(value)


def _csv(rows: Sequence[Row]) -> str:
    text = StringIO(newline="")
    writer = csv.DictWriter(text, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


# ----------------------------------------------------------------------------------------------- trained anew


def _tokenizer_rows(
    column: str, sizes: Sequence[tuple[int | str, Any]], options: AblationOptions, out: Path, report: Report
) -> list[Row]:
    from limbstudio.training.tokenizing import TokenizerPlan, learn_tokenizer

    rows = []
    assert options.poses is not None
    for number, (size, numbers) in enumerate(sizes):
        report(number / len(sizes), f"Training with {column} {size}")
        plan = TokenizerPlan(numbers, options.steps, seed=options.seed)
        score = learn_tokenizer(options.poses, out / f"{column}_{size}", plan)
        rows.append(
            {
                column: size,
                "joints mm": score.joints_mm,
                "mesh mm": score.vertices_mm,
                "codes in use": score.codebook_use,
                "steps": options.steps,
                "poses": score.poses,
            }
        )
    return rows


def _tokens(options: AblationOptions, out: Path, report: Report) -> list[Row]:
    from limbstudio.ajahr.build import STUDIO_TOKENIZER

    sizes = [(count, STUDIO_TOKENIZER.for_tokens(count)) for count in _TOKENS]
    return _tokenizer_rows("tokens", sizes, options, out, report)


def _codebook(options: AblationOptions, out: Path, report: Report) -> list[Row]:
    from limbstudio.ajahr.build import STUDIO_TOKENIZER

    sizes = [
        (f"{codes}x{width}", replace(STUDIO_TOKENIZER, codes=codes, code_width=width))
        for codes, width in _CODES
    ]
    return _tokenizer_rows("codes", sizes, options, out, report)


def _mixing(options: AblationOptions, out: Path, report: Report) -> list[Row]:
    from limbstudio.training.keypoint_ajahr import StudioPlan, learn_studio_ajahr

    assert options.poses is not None
    assert options.tokenizers is not None
    rows = []
    for number, share in enumerate(_MIXES):
        report(number / len(_MIXES), f"Training with {100 * share:.0f} % of people with limb loss")
        plan = StudioPlan(options.steps, seed=options.seed, loss_share=share)
        score = learn_studio_ajahr(options.poses, options.tokenizers, out / f"share_{share:g}", plan)
        rows.append(
            {
                "share with limb loss": share,
                "MPJPE mm": score.mpjpe_mm,
                "PA-MPJPE mm": score.pa_mpjpe_mm,
                "steps": options.steps,
                "people": score.people,
            }
        )
    return rows


# ------------------------------------------------------------------------------------------- of what ships


def _tokenizers(options: AblationOptions, out: Path, report: Report) -> list[Row]:
    """AJAHR with its switch, and with one tokenizer for all, told true limb states and exact points."""
    from limbstudio.ajahr.predict import Predictor, load_network, shipped_weights
    from limbstudio.body.model import load_body
    from limbstudio.services.evaluating_shards import ShardOptions, read_cases, score_bodies

    assert options.shards is not None
    body = load_body()
    cases = read_cases(options.shards, body, ShardOptions(count=options.count))
    rows = []
    for number, which in enumerate(("switched", "intact", "loss")):
        report(number / 3, f"Predicting with the tokenizer: {which}")
        network = load_network(shipped_weights())
        network.tokenizer = which
        mean = score_bodies(Predictor(network), cases, body)
        rows.append({"tokenizer": which, **_errors(mean), "people": len(cases)})
    return rows


def _limbs(options: AblationOptions, out: Path, report: Report) -> list[Row]:
    """AJAHR on points as a detector gives them, told the true limb states, those proposed, or that all are intact; each
    with the picture and without."""
    from limbstudio.ajahr.predict import predictor
    from limbstudio.ajahr.predict_limbs import classifier, propose
    from limbstudio.ajahr.zeroing import level_of
    from limbstudio.body.model import load_body
    from limbstudio.services.evaluating_shards import ShardOptions, read_cases, score_bodies
    from limbstudio.training.bpac_samples import find_samples, read_sample

    assert options.shards is not None
    body = load_body()
    cases = read_cases(options.shards, body, ShardOptions(count=options.count))
    shown = [read_sample(place) for place in find_samples(options.shards)[: options.count]]
    report(0.1, "Telling limb states")
    told = [
        replace(case, person=replace(case.person, keypoints=_detected(one, number)))
        for number, (case, one) in enumerate(zip(cases, shown, strict=True))
    ]
    pairs = [(one.pixels, case.person) for one, case in zip(shown, told, strict=True)]
    proposed: list[LimbProposals] = []
    for first in range(0, len(pairs), _BLOCK):
        proposed += propose(classifier(), pairs[first : first + _BLOCK])
    variants = {
        "true": [case.person.limbs for case in cases],
        "proposed by BPAC": [
            {p.limb: LimbState(level_of(p.limb, p.ajahr_class)) for p in one} for one in proposed
        ],
        "all intact": [dict.fromkeys(Limb, LimbState()) for _ in cases],
    }
    rows = []
    for number, (name, states) in enumerate(variants.items()):
        report(0.4 + 0.2 * number, f"Predicting bodies: limb states {name}")
        people = [
            replace(case, person=_with_limbs(case.person, limbs))
            for case, limbs in zip(told, states, strict=True)
        ]
        for pictures in (False, True)[: 1 + (predictor().network.picture is not None)]:
            mean = score_bodies(predictor(), people, body, pictures=pictures)
            seen = {"picture": "seen" if pictures else "not seen"}
            rows.append({"limb states": name, **seen, **_errors(mean), "people": len(people)})
    return rows


def _noise(options: AblationOptions, out: Path, report: Report) -> list[Row]:
    """Limb states where the classifier's points are moved: all a little, as released, or a share of them anywhere."""
    import torch

    ways = [("none", 0.0), *((way, share) for way in ("a little", "anywhere") for share in _NOISES[1:])]

    def told(batch: "LimbBatch", size: int, rng: np.random.Generator) -> Iterator["Told"]:
        shape = batch.points.shape[:2]
        anywhere = torch.as_tensor(rng.uniform(0, size, (*shape, 2)), dtype=torch.float32)
        draw = torch.as_tensor(rng.random(shape))
        aside = torch.as_tensor(rng.standard_normal((*shape, 2)), dtype=torch.float32)
        for way, share in ways:
            points = batch.points.clone()
            there = points[..., 2] > 0
            if way == "a little":
                deviation = _RELEASED_NOISE_PX * share**0.5 * size / _RELEASED_CROP_PX
                points[..., :2] += deviation * aside * there[..., None]
            else:
                moved = (draw < share) & there
                points[..., :2] = torch.where(moved[..., None], anywhere, points[..., :2])
            yield batch.crops, points

    return _classified([{"points moved": way, "noise": share} for way, share in ways], told, options, report)


def _inputs(options: AblationOptions, out: Path, report: Report) -> list[Row]:
    """Limb states where the classifier is told photo and points, points alone, or the photo alone.

    The weights are the same: an input is withheld, as a picture of the mean colour or as points that were not found.
    """
    import torch

    def told(batch: "LimbBatch", size: int, rng: np.random.Generator) -> Iterator["Told"]:
        yield batch.crops, batch.points
        yield torch.zeros_like(batch.crops), batch.points
        yield batch.crops, torch.zeros_like(batch.points)

    return _classified(
        [{"told": name} for name in ("photo and points", "points", "photo")], told, options, report
    )


def _classified(
    names: Sequence[Row],
    told: Callable[["LimbBatch", int, np.random.Generator], Iterable["Told"]],
    options: AblationOptions,
    report: Report,
) -> list[Row]:
    """Return how right the shipped classifier is in each variant; told: a batch's crops and points for each of them."""
    import torch

    from limbstudio.ajahr.predict_limbs import classifier
    from limbstudio.evaluation import limb_states
    from limbstudio.training.bpac_samples import batch_of, find_samples

    assert options.shards is not None
    places = find_samples(options.shards)[: options.count]
    network = classifier()
    size = network.numbers.picture_px
    found: list[list[tuple[np.ndarray, np.ndarray]]] = [[] for _ in names]
    with torch.inference_mode():
        for first in range(0, len(places), _BLOCK):
            report(first / len(places), "Telling limb states")
            rng = np.random.default_rng((_SEED, options.seed, first))
            batch = batch_of(places[first : first + _BLOCK], size, rng, vary=False)
            for parts, (crops, points) in zip(found, told(batch, size, rng), strict=True):
                parts.append((batch.classes.numpy(), network.probabilities(crops, points).numpy()))
    rows = []
    for name, parts in zip(names, found, strict=True):
        truth, said = (np.concatenate(values) for values in zip(*parts, strict=True))
        counts = limb_states.confusion(truth, said.argmax(2))
        rates = limb_states.all_rates(counts)
        rows.append(
            {
                **name,
                "accuracy": rates.accuracy,
                "weighted F1": rates.f1,
                "intact found": limb_states.intact_recall(counts),
                "calibration error": limb_states.reliability(said, truth).calibration_error,
                "people": len(truth),
            }
        )
    return rows


def _errors(mean: SpaceErrors) -> dict[str, float]:
    return {"MPJPE mm": mean.mpjpe, "PA-MPJPE mm": mean.pa_mpjpe, "MVE mm": mean.mve}


def _detected(shown: "ShownPerson", number: int) -> Keypoints:
    """Return COCO's points of a sample as a detector gives them; it knows no residual ends."""
    from limbstudio.training.detected_points import detected_points

    height, width = shown.pixels.shape[:2]
    rng = np.random.default_rng((_SEED, number))
    found = detected_points(shown.points_px, shown.states, shown.size, rng, (width, height))
    points = [
        Point(KeypointState.VISIBLE, float(x), float(y), float(c)) if c > 0 else Point() for x, y, c in found
    ]
    return Keypoints((*points, *[Point()] * (N_KEYPOINTS - N_COCO)))


def _with_limbs(person: Person, limbs: Mapping[Limb, LimbState]) -> Person:
    """Return a person with these limb states; points that cannot be there with them are absent."""
    keypoints = person.keypoints
    for index in impossible_keypoints(limbs):
        keypoints = keypoints.replaced(index, Point(KeypointState.ABSENT))
    return replace(person, limbs=limbs, keypoints=keypoints)


ABLATIONS: tuple[Ablation, ...] = (
    Ablation(
        "tokens", "Tokenizer by number of tokens", ("poses",),
        f"table C of the supplement, joints and mesh as MPJPE and MVE; {GATED}.", _tokens, TOKENIZERS,
    ),
    Ablation(
        "codebook", "Tokenizer by size of the codebook", ("poses",),
        f"table C of the supplement, joints and mesh as MPJPE and MVE; {GATED}.", _codebook, TOKENIZERS,
    ),
    Ablation(
        "mixing", "AJAHR by the share of people with limb loss in training", ("poses", "tokenizers"),
        f"figure D, shares of 25 to 100 %, all errors fall as the share grows; {GATED}.", _mixing,
    ),
    Ablation(
        "tokenizers", "AJAHR with two tokenizers and with one", ("shards",),
        f"two tokenizers are better than either alone on all data sets; {GATED}.", _tokenizers,
    ),
    Ablation(
        "limbs", "AJAHR with and without the limb classifier", ("shards",),
        "table B of the supplement, partial tuning with cross-attention: A3D's MPJPE 73.19 mm with true states, 87.91 "
        f"with those that BPAC-Net tells; {GATED}, the review heads these figures differently, and the released "
        "evaluator halves errors.", _limbs, MODULES,
    ),
    Ablation(
        "noise", "The limb classifier by the noise of its points", ("shards",),
        f"at 25 % noise 3DPW's PA-MPJPE goes from 44.94 to 45.08 mm; {GATED}.", _noise,
    ),
    Ablation(
        "inputs", "The limb classifier told photo and points, or one of them", ("shards",),
        "3DPW's PA-MPJPE is 44.98 mm with both, 46.91 with points alone, 59.54 with the photo alone; "
        f"{GATED}. Here one network is asked, and what is withheld was there when it learned.", _inputs,
    ),
)  # fmt: skip
