"""What AJAHR predicts: bodies, kept beside the fits as candidates, and how limbs end, kept as proposals.

Neither is ever put in place of what a human chose, said or edited.
"""

import dataclasses
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from limbstudio.domain.body import FitMode
from limbstudio.domain.edits import Change, Edit
from limbstudio.domain.errors import KnownError
from limbstudio.domain.fitted import KeptFit
from limbstudio.domain.limb_proposals import ProposedLimbs
from limbstudio.domain.photo import Person
from limbstudio.services import limb_proposals, pipeline
from limbstudio.services.initialisers import AJAHR, require
from limbstudio.services.jobs import Cancelled, Context, Job, JobState

if TYPE_CHECKING:
    from limbstudio.services.studio import Studio

_T = TypeVar("_T")
# People whom the worker's process predicts in one go: enough for its batches, few enough to cancel soon.
_AT_ONCE = 16
_LOOK_S = 0.1


@dataclass(frozen=True)
class Prediction:
    """What became of one person: the candidate; the proposals, or why there are none."""

    body: KeptFit
    limbs: ProposedLimbs | None
    no_limbs: KnownError | None = None


@dataclass(frozen=True)
class PredictionReport:
    """What became of a batch. unplaced: nobody placed their points yet. refused: (photo's name, why).

    proposed: of how many people the limbs were proposed.
    """

    predicted: int = 0
    unplaced: int = 0
    refused: tuple[tuple[str, KnownError], ...] = ()
    proposed: int = 0


@dataclass(frozen=True)
class PredictionWork:
    """One person to be predicted. picture: the photo's file, or why it is not there."""

    fit: pipeline.FitWork
    picture: Path | KnownError


@dataclass(frozen=True, eq=False)
class Answer:
    """What the worker says of one person: each half, or why it is not there."""

    body: pipeline.FitAnswer | KnownError
    limbs: ProposedLimbs | KnownError


def predict(studio: "Studio", person_id: str) -> Job:
    """Predict one person's limbs and body in the worker's process; the job's result is a `Prediction`.

    KnownError where the weights are not there.
    """
    require(AJAHR)
    work = _work(studio, studio.person(person_id))
    name = Path(work.fit.photo.path).name

    def finish(answers: Sequence[Answer]) -> Prediction:
        return _keep(studio, work, answers[0])

    return studio.compute(
        run_predictions, (work,), title=f"Predict limbs and body in {name}", photo=work.fit.photo.sha256,
        finish=finish,
    )  # fmt: skip


def predict_people(studio: "Studio", photos: Iterable[str], *, title: str) -> Job:
    """Predict everybody on these photos, as one job whose result is a `PredictionReport`."""
    require(AJAHR)
    named = tuple(photos)
    return studio.run(lambda context: _predict_all(studio, context, named), title=title)


def _predict_all(studio: "Studio", context: Context, photos: Sequence[str]) -> PredictionReport:
    records = studio.project.records
    people = [person for photo in photos for person in records.of_photo("person", photo)]
    placed = [person for person in people if any(point.x is not None for point in person.keypoints.points)]
    predicted, proposed, refused = 0, 0, []
    for first in range(0, len(placed), _AT_ONCE):
        some = placed[first : first + _AT_ONCE]
        sentence = f"Predicting person {first + 1} of {len(placed)}"
        works = [_work(studio, person) for person in some]
        answers = _answers(studio, works, lambda: context.report(first / len(placed), sentence))  # noqa: B023
        for work, answer in zip(works, answers, strict=True):
            try:
                made = _keep(studio, work, answer)
                predicted += 1
                proposed += made.limbs is not None
            except KnownError as error:
                proposed += isinstance(answer.limbs, ProposedLimbs)
                refused.append((Path(work.fit.photo.path).name, error))
    return PredictionReport(predicted, len(people) - len(placed), tuple(refused), proposed)


def _answers(studio: "Studio", works: Sequence[PredictionWork], say: Callable[[], None]) -> Sequence[Answer]:
    say()
    job = studio.compute(
        run_predictions, tuple(works), title="Predict limbs and bodies", photo=works[0].fit.photo.sha256
    )
    try:
        while not job.wait(_LOOK_S):
            say()
    except Cancelled:
        job.cancel()
        raise
    if job.state is not JobState.SUCCEEDED:
        message = job.failure.message if job.failure is not None else "The prediction was cancelled."
        raise KnownError(message, job.failure.hint if job.failure is not None else "Start it again.")
    return job.result


def _work(studio: "Studio", person: Person) -> PredictionWork:
    folder = studio.folder
    if folder is None:
        raise KnownError("No project is open.", "Open one first.")
    photo = studio.photo(person.photo)
    fit = pipeline.FitWork(person, photo, FitMode.JOINT, 0, None, folder.absolute(), None, ())
    try:
        return PredictionWork(fit, studio.photo_path(photo))
    except KnownError as error:  # the body needs no picture
        return PredictionWork(fit, error)


def _keep(studio: "Studio", work: PredictionWork, answer: Answer) -> Prediction:
    """Record what was predicted; the same twice is the same records. Raise KnownError where there is no body."""
    person = work.fit.person
    if ("person", person.id) not in studio.project.records:
        raise KnownError("The person was deleted while the body was predicted.", "Nothing was kept.")
    changes: list[Change] = []
    limbs = None if isinstance(answer.limbs, KnownError) else answer.limbs
    if limbs is not None:
        changes += limb_proposals.keep_proposals(studio.project, limbs)
    body = answer.body
    made = None if isinstance(body, KnownError) else studio.keep_blobs(work.fit, body)
    if made is not None and ("fit", made.id) not in studio.project.records:
        changes.append(Change(("fit", made.id), None, made))
    if changes:
        studio.do(Edit("Predict limbs and body", tuple(changes), None, person.photo, human=False))
    if made is None:
        assert isinstance(body, KnownError)
        raise body
    kept = studio.project.records.get(("fit", made.id)) or made
    return Prediction(kept, limbs, answer.limbs if isinstance(answer.limbs, KnownError) else None)


# ------------------------------------------------------------------------------------ in the worker's process


def run_predictions(context: Context, works: Sequence[PredictionWork]) -> list[Answer]:
    """Predict people; what cannot be predicted of one is answered with the reason."""
    context.report(0.05, "Loading AJAHR")
    answers = []
    for number, work in enumerate(works):
        context.report(0.1 + 0.9 * number / len(works), "Predicting limbs and bodies")
        answers.append(Answer(_tried(_predicted_body, work), _tried(_proposed_limbs, work)))
    return answers


def _tried(ask: Callable[[PredictionWork], _T], work: PredictionWork) -> _T | KnownError:
    try:
        return ask(work)
    except KnownError as error:
        return error
    except MemoryError:
        return KnownError(
            "There was not enough memory for this person.", "Close other programs, or make the photo smaller."
        )


def _proposed_limbs(work: PredictionWork) -> ProposedLimbs:
    if isinstance(work.picture, KnownError):
        raise work.picture
    return limb_proposals.propose_for(work.fit.person, work.picture)


def _predicted_body(work: PredictionWork) -> pipeline.FitAnswer:
    from limbstudio.ajahr.predict import predicted_person  # torch takes two seconds to load
    from limbstudio.cameras import choose_camera

    person, photo = work.fit.person, work.fit.photo
    camera = choose_camera(
        (photo.width, photo.height), given_px=person.focal_px, exif_px=photo.focal_exif_px, paper=False
    )
    found = predicted_person(person, camera, pipeline.body_of(work.fit.body_file))
    mesh = found.mesh
    fit = dataclasses.replace(found.fit, timings_s={})  # the same twice is the same record
    facts = {
        "mesh": dataclasses.asdict(found.facts),
        "timings_s": dict(found.timings_s),
        "warnings": list(found.warnings),
        "seed": work.fit.seed,
        "body_file": None,
    }
    return pipeline.FitAnswer(
        fit, mesh.vertices, mesh.tpose, mesh.faces, mesh.residual, mesh.parts, (), facts
    )
