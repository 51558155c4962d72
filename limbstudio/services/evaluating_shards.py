"""Evaluate networks and fits on shards of A3D, where the truth is known in space: bodies and limb states."""

import csv
import json
import tarfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from io import BytesIO, StringIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image

from limbstudio.a3d.records import annotated
from limbstudio.a3d.shards import read_shard
from limbstudio.ajahr.build import HEAD_LIMBS
from limbstudio.body.model import BodyModel, load_body
from limbstudio.cameras import choose_camera
from limbstudio.domain.errors import KnownError
from limbstudio.domain.geometry import Camera
from limbstudio.domain.limb_proposals import UNSURE_BELOW
from limbstudio.domain.photo import Person
from limbstudio.evaluation.in_space import (
    Absent,
    BodyTruth,
    Pose,
    SpaceErrors,
    mean_errors,
    space_errors,
    truth_of_sample,
)
from limbstudio.evaluation.paper_tables import report_lines
from limbstudio.formats.whole_files import write_whole
from limbstudio.services.exporting import prepare_output

if TYPE_CHECKING:
    from limbstudio.ajahr.limb_crop import Pixels
    from limbstudio.ajahr.predict import Predictor

Report = Callable[[float, str], None]

_WITH_PICTURE = "ajahr+picture"
METHODS = ("ajahr", "joint", "ajahr+joint", _WITH_PICTURE)
_BLOCK, _SEED = 64, 29
_CLASS_WORDS = ("below elbow or knee", "elbow or knee, above", "shoulder or hip", "intact")
_NOTES = {
    Absent.SKIPPED: "Joints and vertices that a person does not have count in no error.",
    Absent.ZEROED: "The rotations of absent joints are zero matrices in truth and answer, as AJAHR draws limb loss, "
    "and all joints and vertices count.",
}


@dataclass(frozen=True)
class ShardOptions:
    """What to evaluate. methods: of METHODS. noise: added to points, deviation per coordinate as a share of the box's
    height. count: samples at most, None for all. limbs: also tell how limb states are proposed.
    """

    methods: tuple[str, ...] = METHODS[:2]
    absent: Absent = Absent.SKIPPED
    noise: float = 0.0
    count: int | None = None
    limbs: bool = True
    body: Path | None = None
    weights: Path | None = None
    limb_weights: Path | None = None
    seed: int = 0


@dataclass(frozen=True, eq=False)
class ShardResult:
    """What was found. errors: by method. limbs: rates of limb states, None where not asked."""

    folder: Path
    text: str
    people: int
    errors: Mapping[str, SpaceErrors]
    limbs: Mapping[str, Any] | None
    options: ShardOptions

    def as_plain(self) -> dict[str, Any]:
        """Return it for scripts."""
        return {
            "folder": str(self.folder),
            "people": self.people,
            "absent": self.options.absent.value,
            "noise": self.options.noise,
            "errors_mm": {name: asdict(found) for name, found in self.errors.items()},
            "limb_states": self.limbs,
        }


@dataclass(frozen=True, eq=False)
class ShardCase:
    """One sample: the person as annotated, the camera as known, the truth; the picture as a file, JPEG."""

    person: Person
    camera: Camera
    truth: BodyTruth
    picture: bytes = b""


def evaluate_shards(
    shards: Path, out: Path, options: ShardOptions, *, report: Report = lambda fraction, sentence: None
) -> ShardResult:
    """Compare bodies and proposed limb states with the truth of every sample; write report.md, summary.csv, people.csv,
    limb_states.json and reliability.png.

    Raise KnownError where there are no shards, one is damaged, they were made with another body, or a method is not
    known.
    """
    unknown = [name for name in options.methods if name not in METHODS]
    if unknown or not (options.methods or options.limbs):
        raise KnownError(
            f"There is no method {unknown[0]}." if unknown else "Nothing was asked to be evaluated.",
            f"Name some of {', '.join(METHODS)}.",
        )
    if not 0 <= options.noise < 1:
        raise KnownError(f"{options.noise} is no share of the box's height.", "Give one from 0 to 1.")
    if _WITH_PICTURE in options.methods:
        _require_picture(options.weights)
    body = load_body(options.body)
    report(0.0, "Reading the shards")
    cases = read_cases(shards, body, options)
    prepare_output(out)
    errors: dict[str, list[SpaceErrors]] = {}
    for number, method in enumerate(options.methods):
        report(0.05 + 0.65 * number / len(options.methods), f"Fitting {len(cases)} people: {method}")
        errors[method] = _errors(method, cases, body, options)
    report(0.7, "Telling limb states")
    limbs = _limb_states(shards, out, options) if options.limbs else None
    means = {name: mean_errors(rows) for name, rows in errors.items()}
    text = _text(shards, means, limbs, len(cases), options)
    write_whole(out / "report.md", text.encode())
    write_whole(out / "summary.csv", _summary(means, len(cases), options).encode())
    write_whole(out / "people.csv", _people(cases, errors).encode())
    if limbs is not None:
        write_whole(out / "limb_states.json", (json.dumps(limbs, indent=1) + "\n").encode())
    return ShardResult(out, text, len(cases), means, limbs, options)


def read_cases(shards: Path, body: BodyModel, options: ShardOptions) -> list[ShardCase]:
    """Return the samples of a folder's shards; KnownError where there are none, or one is not what it should be."""
    paths = sorted(shards.glob("*.tar")) if shards.is_dir() else []
    if not paths:
        raise KnownError(
            f"There are no shards (*.tar) in {shards}.", "Make some with `limbstudio a3d make --out DIR`."
        )
    cases = []
    for path in paths:
        try:
            for _, files in read_shard(path):
                if options.count is not None and len(cases) >= options.count:
                    return cases
                cases.append(_case(json.loads(files["json"]), files, body, options, len(cases)))
        except (OSError, tarfile.TarError, ValueError, KeyError, TypeError) as error:
            raise KnownError(
                f"The shard {path} cannot be read: {error}.",
                "Make it anew with `limbstudio a3d make --resume`, or name the body it was made with.",
            ) from error
    return cases


def _case(
    sample: Mapping[str, Any], files: Mapping[str, bytes], body: BodyModel, options: ShardOptions, number: int
) -> ShardCase:
    photo, found = annotated(sample, files, mask_files=False)
    person = found.person
    if options.noise and person.box is not None:
        rng = np.random.default_rng((_SEED, options.seed, number))
        points = person.keypoints.points
        moved = rng.normal(size=(len(points), 2)) * options.noise * person.box.height
        person = replace(
            person,
            keypoints=replace(
                person.keypoints,
                points=tuple(
                    p if p.x is None or p.y is None else replace(p, x=p.x + float(dx), y=p.y + float(dy))
                    for p, (dx, dy) in zip(points, moved, strict=True)
                ),
            ),
        )
    camera = choose_camera((photo.width, photo.height), given_px=person.focal_px, exif_px=None, paper=False)
    return ShardCase(person, camera, truth_of_sample(sample, body), bytes(files["jpg"]))


def _errors(
    method: str, cases: Sequence[ShardCase], body: BodyModel, options: ShardOptions
) -> list[SpaceErrors]:
    from limbstudio.ajahr.predict import predictor  # torch takes two seconds to load
    from limbstudio.body.rotations import rotation
    from limbstudio.resihmr.batch import fit_many

    found = []
    for first in range(0, len(cases), _BLOCK):
        some = cases[first : first + _BLOCK]
        people, cameras = [case.person for case in some], [case.camera for case in some]
        pictures = [_pixels(case) for case in some] if method == _WITH_PICTURE else None
        guess = predictor(options.weights)(people, cameras, body, pictures) if "ajahr" in method else None
        if method in ("ajahr", _WITH_PICTURE):
            assert guess is not None
            bodies = [Pose(*row) for row in zip(guess.orientation, guess.pose, guess.shape, strict=True)]
        else:
            x = fit_many(people, cameras, body, guess=guess).x
            rotations = rotation(np, np.asarray(x.pose).reshape(len(some), -1, 3))
            bodies = [Pose(*row) for row in zip(x.root, rotations, x.shape, strict=True)]
        found += [
            space_errors(body, said, case.truth, options.absent)
            for said, case in zip(bodies, some, strict=True)
        ]
    return found


def _require_picture(weights: Path | None) -> None:
    """Raise KnownError where the network does not look at pictures: its figures would be those of points alone."""
    from limbstudio.ajahr.predict import predictor

    if predictor(weights).network.picture is None:
        raise KnownError(
            f"The weights {weights.name if weights else 'that ship'} were trained without pictures.",
            f"Leave {_WITH_PICTURE} out, or train them on with `limbstudio train picture`.",
        )


def _pixels(case: ShardCase) -> "Pixels":
    return np.asarray(Image.open(BytesIO(case.picture)).convert("RGB"))


def score_bodies(
    network: "Predictor",
    cases: Sequence[ShardCase],
    body: BodyModel,
    absent: Absent = Absent.SKIPPED,
    *,
    pictures: bool = False,
) -> SpaceErrors:
    """Return the mean errors of predicted bodies. pictures: let the network see the samples' pictures too."""
    found = []
    for first in range(0, len(cases), _BLOCK):
        some = cases[first : first + _BLOCK]
        shown = [_pixels(case) for case in some] if pictures else None
        guess = network([case.person for case in some], [case.camera for case in some], body, shown)
        bodies = zip(guess.orientation, guess.pose, guess.shape, strict=True)
        found += [
            space_errors(body, Pose(*row), case.truth, absent) for row, case in zip(bodies, some, strict=True)
        ]
    return mean_errors(found)


def _limb_states(shards: Path, out: Path, options: ShardOptions) -> dict[str, Any]:
    """Ask the classifier of every sample, told points as a detector gives them; write reliability.png."""
    import torch

    from limbstudio.ajahr.predict_limbs import classifier
    from limbstudio.evaluation import limb_states
    from limbstudio.training.bpac_samples import batch_of, find_samples

    network = classifier(options.limb_weights)
    places = find_samples(shards)[: options.count]
    told, classes, covered = [], [], []
    with torch.inference_mode():
        for first in range(0, len(places), _BLOCK):
            rng = np.random.default_rng((_SEED, options.seed, first))
            some = places[first : first + _BLOCK]
            batch = batch_of(some, network.numbers.picture_px, rng, vary=False)
            told.append(network.probabilities(batch.crops, batch.points).numpy())
            classes.append(batch.classes.numpy())
            covered.append(batch.covered.numpy())
    probabilities, truth, behind = np.concatenate(told), np.concatenate(classes), np.concatenate(covered)
    said = probabilities.argmax(2)
    reliability = limb_states.reliability(probabilities, truth)
    limb_states.draw_reliability(reliability, out / "reliability.png")
    counts = limb_states.confusion(truth, said)
    known = truth >= 0
    two = np.sort(probabilities, 2)[..., -2:]
    sure = known & (two[..., 1] - two[..., 0] >= UNSURE_BELOW)
    right = (said == truth) & sure
    return {
        "people": len(truth),
        "limbs": int((truth >= 0).sum()),
        "expected_calibration_error": reliability.calibration_error,
        "sure": {
            "threshold": UNSURE_BELOW,
            "share": round(float(sure.sum() / max(known.sum(), 1)), 4),
            "accuracy": round(float(right.sum() / max(sure.sum(), 1)), 4),
        },
        **limb_states.as_plain(counts),
        "behind_things": limb_states.as_plain(limb_states.confusion(truth[behind], said[behind])),
    }


# -------------------------------------------------------------------------------------------------------- writing


def _text(
    shards: Path,
    means: Mapping[str, SpaceErrors],
    limbs: Mapping[str, Any] | None,
    people: int,
    options: ShardOptions,
) -> str:
    lines = [f"# Evaluation on {people} synthetic people of {shards.name}", ""]
    if means:
        noise = f"moved by {100 * options.noise:g} % of the box's height" if options.noise else "exact"
        lines += ["| Method | MPJPE mm | PA-MPJPE mm | MVE mm |", "|-|-:|-:|-:|"]
        lines += [f"| {name} | {e.mpjpe:.1f} | {e.pa_mpjpe:.1f} | {e.mve:.1f} |" for name, e in means.items()]
        lines += [
            "",
            "Pelvis-aligned means over joints (SMPL's first 22) and vertices, then over people. "
            f"{_NOTES[options.absent]} Points are the truth, {noise}; limb states and focal lengths are known. "
            "The paper's evaluator halves errors (a fault of the release); these are not halved.",
            "",
        ]
    if limbs is not None:
        lines += _limb_lines(limbs)
    return "\n".join([*lines, *report_lines(means, limbs, people)])


def _limb_lines(limbs: Mapping[str, Any]) -> list[str]:
    weighted = limbs["weighted"]
    lines = [
        "## Limb states",
        "",
        f"{limbs['limbs']} limbs of {limbs['people']} people whose picture can tell; the classifier is told the "
        "photo and COCO's 17 points as a detector would give them.",
        "",
        "| Limb | accuracy | precision | recall | F1 | limbs |",
        "|-|-:|-:|-:|-:|-:|",
    ]
    rows = {limb.value.replace("_", " "): limbs["heads"][limb.value] for limb in HEAD_LIMBS}
    for name, row in {**rows, "all, weighted": weighted}.items():
        numbers = " | ".join(_share(row[key]) for key in ("accuracy", "precision", "recall", "f1"))
        lines.append(f"| {name} | {numbers} | {row['count']} |")
    recall, behind = limbs["intact_recall"], limbs["behind_things"]["intact_recall"]
    lines += [
        "",
        f"Intact limbs found: {_share(recall)}, behind things {_share(behind)}. Expected calibration error "
        f"{limbs['expected_calibration_error']:.3f} (reliability.png). Proposals that are not unsure: "
        f"{_share(limbs['sure']['share'])} of all, of which {_share(limbs['sure']['accuracy'])} are right.",
        "",
        "Confusion, all limbs together: rows are true, columns said.",
        "",
        "| | " + " | ".join(_CLASS_WORDS) + " |",
        "|-|" + "-:|" * len(_CLASS_WORDS),
    ]
    total = np.sum([limbs["heads"][limb.value]["confusion"] for limb in HEAD_LIMBS], 0)
    lines += [
        f"| {word} | " + " | ".join(str(n) for n in row) + " |"
        for word, row in zip(_CLASS_WORDS, total, strict=True)
    ]
    return [*lines, ""]


def _share(value: float | None) -> str:
    return "none" if value is None else f"{value:.3f}"


def _summary(means: Mapping[str, SpaceErrors], people: int, options: ShardOptions) -> str:
    rows = [
        [name, f"{e.mpjpe:.3f}", f"{e.pa_mpjpe:.3f}", f"{e.mve:.3f}", people, options.absent.value]
        for name, e in means.items()
    ]
    return _csv([["method", "mpjpe_mm", "pa_mpjpe_mm", "mve_mm", "people", "absent"], *rows])


def _people(cases: Sequence[ShardCase], errors: Mapping[str, Sequence[SpaceErrors]]) -> str:
    rows = [
        [case.truth.name, name, f"{e.mpjpe:.3f}", f"{e.pa_mpjpe:.3f}", f"{e.mve:.3f}"]
        for name, found in errors.items()
        for case, e in zip(cases, found, strict=True)
    ]
    return _csv([["sample", "method", "mpjpe_mm", "pa_mpjpe_mm", "mve_mm"], *rows])


def _csv(rows: Sequence[Sequence[object]]) -> str:
    text = StringIO(newline="")
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue()
