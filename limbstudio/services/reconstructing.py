"""Reconstruct every annotated person of some photos, a folder each; what cannot be read is refused and the
rest goes on.
"""

import difflib
import hashlib
import json
import math
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from limbstudio import __version__
from limbstudio.ajahr.build import ReleasedOptions
from limbstudio.body.model import BodyModel, bundled_body_path, load_body
from limbstudio.body.surface import surface_facts
from limbstudio.cameras import choose_camera
from limbstudio.domain.anatomy import KeypointState, Posture
from limbstudio.domain.body import FitMode
from limbstudio.domain.corrections import Corrections
from limbstudio.domain.errors import KnownError
from limbstudio.domain.photo import Person, Photo
from limbstudio.evaluation.metrics import PersonMetrics, measure_person
from limbstudio.formats.annotated import AnnotatedPerson, Annotations
from limbstudio.formats.coco import read_annotations
from limbstudio.formats.fit_json import SCHEMA_VERSION, FitOrigin
from limbstudio.formats.masks import person_mask
from limbstudio.formats.placing import placed_on
from limbstudio.images import LoadedPhoto, open_photo
from limbstudio.resihmr.pipeline import reconstruct_person
from limbstudio.resihmr.problem import DEFAULT_SETTINGS, FitSettings
from limbstudio.services.exporting import Existing, folder_names, is_finished, prepare_output, write_person
from limbstudio.services.initialisers import AJAHR, guess_of, require
from limbstudio.services.pipeline import file_hash, inputs_hash
from limbstudio.services.records import digest, to_plain
from limbstudio.services.side_by_side import Helpers
from limbstudio.services.weights import own_smpl_body, released_hash, released_predictor

Report = Callable[[float, str], None]

MASK_AUTO, MASK_OFF = "auto", "off"
# Shortest and tallest adult on record are 546 mm and 2720 mm.
_STATURE_MM = (500.0, 2800.0)


@dataclass(frozen=True)
class ReconstructOptions:
    """What a person may ask of a reconstruction; None leaves it to the annotation.

    body: file of a body model, None for the bundled one. mask: "auto" (the annotation's), "off", or a file.
    stature_mm, focal_px, posture: of every person; they win over the annotation.
    initialiser: who begins the fits, a name of `services.initialisers`. predict_only: AJAHR's own body, without a fit;
    weights: a file of its weights in place of the one that ships. released: predict at the paper's size instead, with
    the user's own copy of the released weights, on the user's SMPL.
    """

    mode: FitMode = FitMode.JOINT
    body: Path | None = None
    stature_mm: float | None = None
    focal_px: float | None = None
    posture: Posture | None = None
    mask: str = MASK_AUTO
    seed: int = 0
    existing: Existing = Existing.REFUSE
    settings: FitSettings = DEFAULT_SETTINGS
    pictures: bool = True
    device: str = "auto"
    initialiser: str = ""
    predict_only: bool = False
    weights: Path | None = None
    released: ReleasedOptions | None = None

    def __post_init__(self) -> None:
        ships = self.weights is None and self.released is None
        require(AJAHR if self.predict_only and ships else self.initialiser)
        low, high = _STATURE_MM
        if self.stature_mm is not None and not low <= self.stature_mm <= high:
            raise KnownError(
                f"A stature of {self.stature_mm:g} mm is no adult's.",
                f"Give it in millimetres, from {low:.0f} to {high:.0f}.",
            )
        if self.focal_px is not None and not (math.isfinite(self.focal_px) and self.focal_px > 0):
            raise KnownError(f"A focal length of {self.focal_px:g} px is impossible.", "Give it in pixels.")
        if self.mask not in (MASK_AUTO, MASK_OFF) and not Path(self.mask).is_file():
            raise KnownError(f"There is no mask {self.mask}.", "Give auto, off, or the path of a PNG.")


@dataclass(frozen=True)
class Task:
    """One person to reconstruct. folder: where the files go."""

    photo: Path
    annotated: AnnotatedPerson
    folder: Path


@dataclass(frozen=True)
class Outcome:
    """What became of one person, or of a photo that was refused as a whole (annotation None).

    state: "made", "kept" (finished before), or "refused", and then why: message, hint. warnings: for people.
    """

    photo: str
    annotation: str | None
    state: str
    folder: str | None = None
    message: str = ""
    hint: str = ""
    warnings: tuple[str, ...] = ()
    metrics: PersonMetrics | None = None
    seconds: float = 0.0

    @property
    def lines(self) -> list[str]:
        """Return the outcome for people: a line, and its warnings below."""
        who = self.photo if self.annotation is None else f"{self.photo}, person {self.annotation}"
        if self.state == "refused":
            return [f"{who}: refused. {self.message} {self.hint}".rstrip()]
        if self.state == "kept":
            return [f"{who}: finished before, kept in {self.folder}"]
        return [
            f"{who}: {self._figures()}{self.folder}",
            *(f"  Note: {warning}" for warning in self.warnings),
        ]

    def _figures(self) -> str:
        m = self.metrics
        if m is None or m.intact_error_pct_box is None:
            return ""
        words = [f"points within {m.intact_error_pct_box:.2f} % of the box height"]
        if m.residual_error_pct_box is not None:
            words.append(f"residual ends within {m.residual_error_pct_box:.2f} %")
        if m.mask_iou is not None:
            words.append(f"IoU {m.mask_iou:.2f}")
        return f"{', '.join(words)}, {self.seconds:.1f} s; "


@dataclass(frozen=True)
class BatchResult:
    """What became of a batch. warnings: about the annotation file."""

    outcomes: tuple[Outcome, ...]
    warnings: tuple[str, ...] = ()

    @property
    def refused(self) -> tuple[Outcome, ...]:
        return tuple(outcome for outcome in self.outcomes if outcome.state == "refused")

    def as_lines(self) -> Iterator[str]:
        """Give the result for people, a line at a time."""
        for warning in self.warnings:
            yield f"Note: {warning}"
        for outcome in self.outcomes:
            yield from outcome.lines
        counts = {
            state: sum(o.state == state for o in self.outcomes) for state in ("made", "kept", "refused")
        }
        yield ", ".join(f"{count} {state}" for state, count in counts.items() if count) or "Nothing to do"

    def as_plain(self) -> Mapping[str, Any]:
        """Return the result for scripts."""
        return {"people": [asdict(outcome) for outcome in self.outcomes], "warnings": list(self.warnings)}


def reconstruct_photos(
    photos: Sequence[Path],
    annotations_file: Path,
    out: Path,
    options: ReconstructOptions,
    *,
    helpers: Helpers | None = None,
    report: Report = lambda fraction, sentence: None,
    done: Callable[[Outcome], None] = lambda outcome: None,
) -> BatchResult:
    """Reconstruct every annotated person of `photos` into folders of `out`.

    helpers: processes that take people too (`warm_up`); the files do not depend on them. report: called with
    the fraction done and a sentence. done: called with every outcome as it comes. Raises KnownError where
    nothing can be done at all (annotations, body or output folder); what concerns one photo or person becomes
    a refused outcome and the others go on.
    """
    notes = () if options.released else _device_notes(options.device)
    if options.released is not None:
        released_predictor(options.released, options.device)  # what is missing is said first
        options = replace(options, body=options.body or own_smpl_body())
    annotations = read_annotations(annotations_file)
    _forget()
    _body(options.body)
    tasks, outcomes = plan(photos, annotations, out)
    if options.mask not in (MASK_AUTO, MASK_OFF) and len(tasks) > 1:
        raise KnownError(
            f"The mask {options.mask} is one person's, but several people are to be reconstructed.",
            "Reconstruct that photo by itself, or name the masks in the annotation file (mask_file).",
        )
    prepare_output(out)
    for outcome in outcomes:
        done(outcome)
    bundled = bundled_body_path() if options.body is None else options.body
    batch = _Batch(options, annotations.folder, bundled.name, file_hash(bundled))
    work = (helpers or Helpers(__name__, most=0)).work_through(
        tasks,
        partial(_reconstructed, batch),
        instead=lambda task, error: _refusal(task.photo, task.annotated, error),
        about_to=lambda finished, task: report(finished / len(tasks), _who(task)),
    )
    for outcome in work:
        outcomes.append(outcome)
        done(outcome)
    _forget()
    report(1.0, "Done")
    return BatchResult(tuple(outcomes), (*notes, *annotations.warnings))


def warm_up() -> None:
    """Load what a person needs, so that the first one does not wait for it."""
    import limbstudio.rendering.views  # noqa: F401 - cv2 and the typeface come with it

    _body(None)


@lru_cache(maxsize=1)
def _body(path: Path | None) -> BodyModel:
    return load_body(path)


@lru_cache(maxsize=1)
def _photo(path: Path) -> LoadedPhoto:
    """Open a photo; it is kept for the next person in it."""
    return open_photo(path)


def _forget() -> None:
    """Drop what is kept between people: its files may change from one batch to the next."""
    _body.cache_clear()
    _photo.cache_clear()


def _device_notes(device: str) -> tuple[str, ...]:
    """Return what is to be said about a device that was asked for; raise KnownError where there is none.

    "auto" is the CPU: a single person takes longer to reach a GPU than to be fitted.
    """
    if device != "cuda":
        return ()
    import torch  # two seconds, and only those who ask for it wait

    if not torch.cuda.is_available():
        raise KnownError(
            "There is no CUDA GPU that PyTorch can use.", "Leave --device out, or see: limbstudio doctor"
        )
    return ("People are fitted one by one here, which the CPU does faster than the GPU; the CPU was used.",)


@dataclass(frozen=True, eq=False)
class _Batch:
    """What all people of a batch share. folder: of the annotation file, where masks lie."""

    options: ReconstructOptions
    folder: Path
    body_name: str
    body_hash: str


def plan(photos: Sequence[Path], annotations: Annotations, out: Path) -> tuple[list[Task], list[Outcome]]:
    """Say who is to be reconstructed, photo by photo, and what is refused before it begins."""
    refused = [
        Outcome(
            problem.file,
            _text(problem.annotation_id),
            "refused",
            message=f"{problem.place}: {problem.message}",
            hint=problem.hint,
        )
        for problem in annotations.problems
    ]
    chosen: list[tuple[Path, AnnotatedPerson]] = []
    for photo in _distinct(photos):
        try:
            people = annotations.people_in(photo)
            image = annotations.image_of(photo)
        except KnownError as error:
            refused.append(_refusal(photo, None, error))
            continue
        if not people and not (image is not None and image.no_person):
            refused.append(_refusal(photo, None, _nobody(photo, annotations, known=image is not None)))
        chosen += [(photo, person) for person in people]
    names = folder_names([(person.file_name, str(person.annotation_id)) for _, person in chosen])
    tasks = [Task(photo, person, out / name) for (photo, person), name in zip(chosen, names, strict=True)]
    return tasks, refused


def _distinct(photos: Iterable[Path]) -> list[Path]:
    return list({photo.absolute(): photo for photo in photos}.values())


def _text(annotation: int | str | None) -> str | None:
    return None if annotation is None else str(annotation)


def _nobody(photo: Path, annotations: Annotations, *, known: bool) -> KnownError:
    if photo.is_dir():
        return KnownError(f"{photo} is a folder, not a photo.", f"Name the photos in it: {photo}/*.jpg")
    if known:
        return KnownError(
            f"No readable person is annotated in {photo.name}.", "Annotate a person, or leave it out."
        )
    names = [image.file_name for image in annotations.images]
    near = difflib.get_close_matches(photo.name, names, 1)
    hint = f"Did you mean {near[0]}?" if near else "Check the name, or annotate the photo first."
    if not photo.exists():
        return KnownError(f"There is no file {photo}.", hint if near else "Check the path.")
    return KnownError(f"{annotations.path.name} does not describe {photo.name}.", hint)


def _refusal(photo: Path, person: AnnotatedPerson | None, error: KnownError) -> Outcome:
    annotation = None if person is None else str(person.annotation_id)
    warnings = () if person is None else person.warnings
    return Outcome(photo.name, annotation, "refused", None, error.message, error.hint, warnings)


def _who(task: Task) -> str:
    return f"{task.photo.name}, person {task.annotated.annotation_id}"


def _reconstructed(batch: _Batch, task: Task) -> Outcome:
    """Fit, measure, draw and write one person; what is the world's fault becomes a refusal of this person
    alone.
    """
    try:
        return _made(batch, task)
    except KnownError as error:
        return _refusal(task.photo, task.annotated, error)
    except MemoryError:
        hint = "Close other programs, or make the photo smaller."
        short = KnownError(f"There was not enough memory for {task.photo.name}.", hint)
        return _refusal(task.photo, task.annotated, short)


def _made(batch: _Batch, task: Task) -> Outcome:
    began = time.perf_counter()
    options, body, photo = batch.options, _body(batch.options.body), _photo(task.photo)
    annotated = placed_on(task.annotated, photo)
    person = _as_asked(annotated.person, options)
    if options.released is None:  # to the released network a box is enough
        _require_in_picture(person)
    camera = choose_camera(
        (photo.width, photo.height),
        given_px=person.focal_px,
        exif_px=photo.focal_exif_px,
        paper=options.mode is FitMode.PAPER,
    )
    mask = _mask(batch, annotated, photo)
    is_corrected = options.mode is not FitMode.INTACT and not options.predict_only
    corrections = annotated.corrections if is_corrected else ()
    key = _inputs_hash(batch, person, photo, mask, corrections)
    annotation = str(annotated.annotation_id)
    if is_finished(task.folder, key, options.existing):
        return Outcome(task.photo.name, annotation, "kept", str(task.folder))
    if options.released is not None:
        result = released_predictor(options.released, options.device).person(photo.pixels, person, body)
    elif options.predict_only:
        from limbstudio.ajahr.predict import predicted_person  # torch takes two seconds to load

        result = predicted_person(person, camera, body, options.weights, photo.pixels)
    else:
        result = reconstruct_person(
            person,
            camera,
            body,
            mode=options.mode,
            settings=options.settings,
            mask=None if options.mask == MASK_OFF else mask,
            guess=guess_of(options.initialiser, person, camera, body),
            seed=options.seed,
            intersections=not corrections,  # counted on the mesh that is written
        )
    edited = None
    if corrections:
        from limbstudio.corrections.edited import edited_fit  # here: its engine takes half a second to load

        edited = edited_fit(person, result.fit, body, corrections)
    if edited is not None:
        facts = surface_facts(edited.mesh.vertices, edited.mesh.faces, intersections=True)
        said = (*result.warnings, *edited.warnings)
        result = replace(result, fit=edited.fit, mesh=edited.mesh, facts=facts, warnings=said)
    result = replace(result, warnings=(*annotated.warnings, *photo.notes, *result.warnings))
    origin = FitOrigin(task.photo.name, photo.sha256, annotation, batch.body_name, options.seed, key)
    metrics = measure_person(result, mask)
    edits = {} if edited is None else edited.limbs
    write_person(
        task.folder,
        result,
        metrics,
        origin,
        body=body,
        photo=photo.pixels,
        pictures=options.pictures,
        edits=edits,
    )
    seconds = time.perf_counter() - began
    return Outcome(
        task.photo.name,
        annotation,
        "made",
        str(task.folder),
        warnings=result.warnings,
        metrics=metrics,
        seconds=seconds,
    )


def _require_in_picture(person: Person) -> None:
    """Raise KnownError where all that is known of a person is that the points lie outside the picture."""
    points = person.keypoints
    if not points.observed.any() and any(p.state is KeypointState.OUT_OF_FRAME for p in points.points):
        raise KnownError(
            "The person lies outside the picture.", "Check the box and the points, or the annotations' photo."
        )


def _as_asked(person: Person, options: ReconstructOptions) -> Person:
    """Return the person with what the command line says instead of what the annotation says."""
    if options.stature_mm is not None:
        person = replace(person, stature_mm=options.stature_mm)
    if options.focal_px is not None:
        person = replace(person, focal_px=options.focal_px)
    return person if options.posture is None else replace(person, posture=options.posture)


def _mask(batch: _Batch, annotated: AnnotatedPerson, photo: LoadedPhoto) -> NDArray[np.bool_] | None:
    """Return the mask that counts: the given file, else the annotation's mask_file, else its segmentation."""
    asked = batch.options.mask
    given = None if asked in (MASK_AUTO, MASK_OFF) else Path(asked)
    try:
        return person_mask(annotated, photo, folder=batch.folder, given=given)
    except KnownError:
        if asked == MASK_OFF:  # it would only have been compared with
            return None
        raise


def _inputs_hash(
    batch: _Batch,
    person: Person,
    photo: LoadedPhoto,
    mask: NDArray[np.bool_] | None,
    corrections: tuple[Corrections, ...],
) -> str:
    """Return the hash of everything the files in a person's folder follow from."""
    options = batch.options
    record = Photo(photo.sha256, photo.width, photo.height, "", photo.focal_exif_px)
    bits = b"" if mask is None else np.packbits(mask).tobytes()
    made_from = [
        inputs_hash(replace(person, mask_file=None), record, Path()),
        hashlib.sha256(bits).hexdigest(),
        options.mask == MASK_OFF,
        options.mode.value,
        options.seed,
        options.pictures,
        asdict(options.settings),
        batch.body_hash,
        __version__,
        SCHEMA_VERSION,
        *((options.initialiser,) if options.initialiser else ()),
        *(("ajahr", _weights_hash(options.weights)) if options.predict_only else ()),
        *((asdict(options.released), released_hash()) if options.released else ()),
        *(to_plain(item) for item in corrections),
    ]
    return digest(json.dumps(made_from, sort_keys=True))


def _weights_hash(weights: Path | None) -> str:
    """Return the hash of weights that predict; None: those that ship."""
    from limbstudio.ajahr.predict import shipped_weights

    return file_hash(weights or shipped_weights())


def existing_policy(*, resume: bool, overwrite: bool) -> Existing:
    """Return what the two flags ask for; raise KnownError for both at once."""
    if resume and overwrite:
        raise KnownError("--resume and --overwrite contradict each other.", "Give one of them.")
    return Existing.RESUME if resume else Existing.OVERWRITE if overwrite else Existing.REFUSE
