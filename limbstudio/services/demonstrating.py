"""The demonstration: reconstruct the sample project without a window and compare with what is known to be
true.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from limbstudio.domain.errors import KnownError
from limbstudio.evaluation.metrics import aligned_joint_error_m, joint_error_m
from limbstudio.formats.fit_json import FILE_NAME, read_fit
from limbstudio.formats.whole_files import write_whole
from limbstudio.resources import resource_path
from limbstudio.services.exporting import Existing
from limbstudio.services.reconstructing import BatchResult, ReconstructOptions, reconstruct_photos
from limbstudio.services.side_by_side import Helpers

Report = Callable[[float, str], None]

ANNOTATIONS, TRUTH = "annotations.json", "truth.json"
N_COMPARED = 22  # body joints: fingers and face are not in the annotation


@dataclass(frozen=True)
class Comparison:
    """One synthetic person: what was found against what is true. None where the person has no residual limb.

    Joint errors in millimetres over existing joints, pelvis aligned and Procrustes aligned.
    truth_in_interval: whether every true lambda lies in its 95 % interval.
    """

    person: str
    intact_error_pct_box: float | None
    residual_error_pct_box: float | None
    mask_iou: float | None
    lambda_error: float | None
    length_error_mm: float | None
    truth_in_interval: bool | None
    joint_error_mm: float
    aligned_joint_error_mm: float
    seconds: float


@dataclass(frozen=True)
class Demonstration:
    """The result of a demonstration. text: table and where the pictures are, for people."""

    folder: Path
    batch: BatchResult
    comparisons: tuple[Comparison, ...]
    text: str

    @property
    def refused(self) -> bool:
        return bool(self.batch.refused)

    def as_plain(self) -> Mapping[str, Any]:
        """Return the result for scripts."""
        people = [asdict(comparison) for comparison in self.comparisons]
        return {
            "folder": str(self.folder),
            "people": people,
            "refused": [asdict(o) for o in self.batch.refused],
        }


def sample_folder() -> Path:
    """Return the folder of the sample project; raise KnownError where it is missing."""
    folder = resource_path("samples")
    if not (folder / ANNOTATIONS).is_file():
        raise KnownError(
            f"The sample project {folder} is missing.",
            "Install LimbStudio again, or make it: limbstudio samples make",
        )
    return folder


def demonstrate(
    out: Path, *, helpers: Helpers | None = None, report: Report = lambda fraction, sentence: None
) -> Demonstration:
    """Reconstruct the sample project into `out`, keeping what is finished there; compare with its truth."""
    samples = sample_folder()
    truth = json.loads((samples / TRUTH).read_text(encoding="utf-8"))
    photos = [samples / person["image"] for person in truth["people"]]
    options = ReconstructOptions(existing=Existing.RESUME)
    batch = reconstruct_photos(photos, samples / ANNOTATIONS, out, options, helpers=helpers, report=report)
    by_id = {str(person["annotation_id"]): person for person in truth["people"]}
    comparisons = [
        _compared(read_fit(Path(outcome.folder) / FILE_NAME), by_id[outcome.annotation], outcome.seconds)
        for outcome in batch.outcomes
        if outcome.folder is not None and outcome.annotation is not None
    ]
    text = _text(comparisons, batch, out)
    write_whole(out / "demo.md", text.encode())
    return Demonstration(out, batch, tuple(comparisons), text)


def _compared(facts: Mapping[str, Any], truth: Mapping[str, Any], seconds: float) -> Comparison:
    found = np.array(list(facts["joints"].values()))[:N_COMPARED]
    joints, exists = np.array(truth["joints"])[:N_COMPARED], np.ones(N_COMPARED, bool)
    names = list(facts["joints"])[:N_COMPARED]
    lambdas, lengths, inside = [], [], []
    for limb, known in truth["limbs"].items():
        fitted = facts["limbs"][limb]
        exists &= ~_beyond(names, known["anchor"])
        if fitted["lambda"] is None:
            continue
        low, high = fitted["lambda_interval_95"]
        lambdas.append(abs(fitted["lambda"] - known["lambda"]))
        lengths.append(abs(fitted["length_m"] - known["length_m"]) * 1000)
        inside.append(low <= known["lambda"] <= high)
    metrics = facts["metrics"]
    return Comparison(
        person=Path(facts["photo"]["file_name"]).stem,
        intact_error_pct_box=metrics["intact_error_pct_box"],
        residual_error_pct_box=metrics["residual_error_pct_box"],
        mask_iou=metrics["mask_iou"],
        lambda_error=max(lambdas, default=None),
        length_error_mm=max(lengths, default=None),
        truth_in_interval=all(inside) if inside else None,
        joint_error_mm=1000 * joint_error_m(found, joints, exists),
        aligned_joint_error_mm=1000 * aligned_joint_error_m(found, joints, exists),
        seconds=seconds,
    )


def _beyond(names: Sequence[str], anchor: str) -> np.ndarray:
    """Return which joints are the anchor or hang on it: the limb is gone from there on."""
    side = anchor.split("_")[0]
    chain = next(c for c in (("elbow", "wrist"), ("knee", "ankle", "foot")) if anchor.split("_")[1] in c)
    gone = {f"{side}_{joint}" for joint in chain[chain.index(anchor.split("_")[1]) :]}
    return np.array([name in gone for name in names])


_HEAD = (
    "| person | points % | residual ends % | IoU | lambda error | length error mm | in 95 % interval "
    "| joints mm | joints mm, aligned | s |"
)


def _text(comparisons: Sequence[Comparison], batch: BatchResult, out: Path) -> str:
    lines = ["Synthetic people, reconstructed from their points and masks, against what is true of them.", ""]
    lines += [_HEAD, "|-" + "|-:" * 9 + "|"]
    for c in comparisons:
        cells = [
            _number(c.intact_error_pct_box, 2), _number(c.residual_error_pct_box, 2), _number(c.mask_iou, 3),
            _number(c.lambda_error, 3), _number(c.length_error_mm, 0),
            "–" if c.truth_in_interval is None else "yes" if c.truth_in_interval else "no",
            _number(c.joint_error_mm, 0), _number(c.aligned_joint_error_mm, 0), _number(c.seconds, 1),
        ]  # fmt: skip
        lines.append(f"| {c.person} | " + " | ".join(cells) + " |")
    lines += [
        "",
        "Points and ends: distance in the picture in % of the box height. Joints: over those that exist.",
        "",
    ]
    for outcome in batch.refused:
        lines += outcome.lines
    pictures = sorted(str(Path(o.folder) / "views.png") for o in batch.outcomes if o.folder is not None)
    lines += ["The pictures:", *pictures] if pictures else [f"No pictures were made in {out}."]
    return "\n".join(lines) + "\n"


def _number(value: float | None, digits: int) -> str:
    return "–" if value is None else f"{value:.{digits}f}"
