"""Evaluate methods on annotated photos and write the report: tables, CSV files and a plot."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from limbstudio.body.model import load_body
from limbstudio.domain.body import FitMode
from limbstudio.domain.errors import KnownError
from limbstudio.evaluation.protocol import Case, Score, Summary, score_people, summarise
from limbstudio.evaluation.report import markdown, people_csv, plot_png, summary_csv
from limbstudio.formats.annotated import AnnotatedPerson, Annotations
from limbstudio.formats.coco import read_annotations
from limbstudio.formats.masks import person_mask
from limbstudio.formats.placing import placed_on
from limbstudio.formats.whole_files import write_whole
from limbstudio.images import open_photo
from limbstudio.services.exporting import prepare_output

Report = Callable[[float, str], None]


@dataclass(frozen=True)
class EvaluationResult:
    """What an evaluation found and where it was written. unread: (what, why) of all that could not be
    scored.
    """

    folder: Path
    summaries: tuple[Summary, ...]
    scores: tuple[Score, ...]
    text: str
    unread: tuple[tuple[str, str], ...] = ()

    @property
    def refused(self) -> bool:
        """Tell whether some photo or person was left out."""
        return bool(self.unread) or any(score.metrics is None for score in self.scores)

    def as_plain(self) -> Mapping[str, Any]:
        """Return the result for scripts."""
        return {
            "folder": str(self.folder),
            "methods": [asdict(summary) for summary in self.summaries],
            "people": [asdict(score) for score in self.scores],
            "unread": [{"what": what, "why": why} for what, why in self.unread],
        }


def evaluate_photos(
    annotations_file: Path,
    photos: Path,
    out: Path,
    *,
    modes: Sequence[str] = ("paper", "joint", "intact"),
    body_file: Path | None = None,
    use_masks: bool = False,
    seed: int = 0,
    report: Report = lambda fraction, sentence: None,
) -> EvaluationResult:
    """Score every annotated person whose photo lies in the folder `photos`; write report.md, CSV files and
    plot.png.

    A photo or person that cannot be read is listed in the report and the others go on.
    """
    chosen = [_mode(name) for name in modes if name.strip()]
    if not chosen:
        raise KnownError("No method was named.", "Name some of paper, joint and intact.")
    annotations = read_annotations(annotations_file)
    if not photos.is_dir():
        raise KnownError(f"There is no folder {photos}.", "Give the folder of the photos.")
    body = load_body(body_file)
    prepare_output(out)
    unread = [
        (f"{problem.file}, {problem.place}", f"{problem.message} {problem.hint}")
        for problem in annotations.problems
    ]
    cases = read_cases(annotations, photos, refuse=lambda what, why: unread.append((what, why)))
    scores = score_people(
        cases, chosen, body, expected=len(annotations.people), use_masks=use_masks, seed=seed,
        report=lambda fraction, words: report(0.95 * fraction, words),
    )  # fmt: skip
    if not scores:
        why = f" {unread[0][1]}" if unread else ""
        raise KnownError(
            f"Nobody in {annotations_file.name} can be scored.{why}", "Check the folder of the photos."
        )
    summaries = summarise(scores)
    report(0.96, "Writing the report")
    text = markdown(summaries, scores, title=f"Evaluation on {annotations_file.name}")
    if unread:
        text += "\n## Not read\n\n" + "".join(f"- {what}: {why}\n" for what, why in unread)
    write_whole(out / "report.md", text.encode())
    write_whole(out / "summary.csv", summary_csv(summaries).encode())
    write_whole(out / "people.csv", people_csv(scores).encode())
    write_whole(out / "plot.png", plot_png(summaries, scores))
    return EvaluationResult(out, tuple(summaries), tuple(scores), text, tuple(unread))


def _mode(name: str) -> FitMode:
    try:
        return FitMode(name.strip())
    except ValueError:
        raise KnownError(
            f"There is no method {name.strip()}.", "Name some of paper, joint and intact."
        ) from None


def read_cases(
    annotations: Annotations, photos: Path, *, refuse: Callable[[str, str], None]
) -> Iterator[Case]:
    """Open the photos of an annotation file one after the other and give its people.

    One at a time, because the masks of many photos would not fit into memory together. refuse: told what
    could not be read, and why.
    """
    by_photo: dict[str, list[AnnotatedPerson]] = {image.file_name: [] for image in annotations.images}
    for annotated in annotations.people:
        by_photo[annotated.file_name].append(annotated)
    for file_name, people in by_photo.items():
        if not people:
            continue
        try:
            photo = open_photo(_found(photos, file_name))
        except KnownError as error:
            refuse(file_name, str(error))
            continue
        for annotated in people:
            try:
                placed = placed_on(annotated, photo)
                mask = person_mask(placed, photo, folder=annotations.folder)
            except KnownError as error:
                refuse(f"{file_name}, person {annotated.annotation_id}", str(error))
                continue
            name = f"{Path(file_name).stem}_{annotated.annotation_id}"
            yield Case(name, placed.person, (photo.width, photo.height), photo.focal_exif_px, mask)


def _found(photos: Path, file_name: str) -> Path:
    """Return where an image of the file lies: at its path below `photos`, or at its bare name there."""
    name = file_name.replace("\\", "/")
    below = photos / name
    inside = below.resolve().is_relative_to(photos.resolve())  # "../../" in a file must not lead elsewhere
    return below if inside and below.is_file() else photos / Path(name).name
