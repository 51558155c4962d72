"""Bodies that AJAHR predicts: kept beside the fits as candidates, never in place of what a human chose or edited."""

import dataclasses
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from limbstudio.domain.body import FitMode
from limbstudio.domain.edits import Change, Edit
from limbstudio.domain.errors import KnownError
from limbstudio.domain.fitted import KeptFit
from limbstudio.domain.photo import Person
from limbstudio.services import pipeline
from limbstudio.services.initialisers import AJAHR, require
from limbstudio.services.jobs import Cancelled, Context, Job, JobState

if TYPE_CHECKING:
    from limbstudio.services.studio import Studio

# People whom the worker's process predicts in one go: enough for its batches, few enough to cancel soon.
_AT_ONCE = 16
_LOOK_S = 0.1


@dataclass(frozen=True)
class PredictionReport:
    """What became of a batch. unplaced: nobody placed their points yet. refused: (photo's name, why)."""

    predicted: int = 0
    unplaced: int = 0
    refused: tuple[tuple[str, KnownError], ...] = ()


def predict(studio: "Studio", person_id: str) -> Job:
    """Predict one person's body in the worker's process; the job's result is the candidate.

    KnownError where the weights are not there.
    """
    require(AJAHR)
    work = _work(studio, studio.person(person_id))
    name = Path(work.photo.path).name

    def finish(answers: Sequence[pipeline.FitAnswer | KnownError]) -> KeptFit:
        answer = answers[0]
        if isinstance(answer, KnownError):
            raise answer
        return _keep(studio, work, answer)

    return studio.compute(
        run_predictions, (work,), title=f"Predict the body in {name}", photo=work.photo.sha256, finish=finish
    )


def predict_people(studio: "Studio", photos: Iterable[str], *, title: str) -> Job:
    """Predict everybody on these photos, as one job whose result is a `PredictionReport`."""
    require(AJAHR)
    named = tuple(photos)
    return studio.run(lambda context: _predict_all(studio, context, named), title=title)


def _predict_all(studio: "Studio", context: Context, photos: Sequence[str]) -> PredictionReport:
    records = studio.project.records
    people = [person for photo in photos for person in records.of_photo("person", photo)]
    placed = [person for person in people if any(point.x is not None for point in person.keypoints.points)]
    predicted, refused = 0, []
    for first in range(0, len(placed), _AT_ONCE):
        some = placed[first : first + _AT_ONCE]
        sentence = f"Predicting person {first + 1} of {len(placed)}"
        works = [_work(studio, person) for person in some]
        answers = _answers(studio, works, lambda: context.report(first / len(placed), sentence))  # noqa: B023
        for work, answer in zip(works, answers, strict=True):
            try:
                if isinstance(answer, KnownError):
                    raise answer
                _keep(studio, work, answer)
                predicted += 1
            except KnownError as error:
                refused.append((Path(work.photo.path).name, error))
    return PredictionReport(predicted, len(people) - len(placed), tuple(refused))


def _answers(
    studio: "Studio", works: Sequence[pipeline.FitWork], say: Callable[[], None]
) -> Sequence[pipeline.FitAnswer | KnownError]:
    say()
    job = studio.compute(run_predictions, tuple(works), title="Predict bodies", photo=works[0].photo.sha256)
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


def _work(studio: "Studio", person: Person) -> pipeline.FitWork:
    folder = studio.folder
    if folder is None:
        raise KnownError("No project is open.", "Open one first.")
    return pipeline.FitWork(
        person, studio.photo(person.photo), FitMode.JOINT, 0, None, folder.absolute(), None, ()
    )


def _keep(studio: "Studio", work: pipeline.FitWork, answer: pipeline.FitAnswer) -> KeptFit:
    """Record a prediction as a candidate; the same one twice is the same record."""
    if ("person", work.person.id) not in studio.project.records:
        raise KnownError("The person was deleted while the body was predicted.", "The body was not kept.")
    made = studio.keep_blobs(work, answer)
    known = studio.project.records.get(("fit", made.id))
    if known is None:
        studio.do(
            Edit("Predict body", (Change(("fit", made.id), None, made),), None, made.photo, human=False)
        )
    return known or made


# ------------------------------------------------------------------------------------ in the worker's process


def run_predictions(
    context: Context, works: Sequence[pipeline.FitWork]
) -> list[pipeline.FitAnswer | KnownError]:
    """Predict people; who cannot be predicted is answered with the reason."""
    from limbstudio.ajahr.predict import predicted_person  # torch takes two seconds to load
    from limbstudio.cameras import choose_camera

    context.report(0.05, "Loading AJAHR")
    answers: list[pipeline.FitAnswer | KnownError] = []
    for number, work in enumerate(works):
        context.report(0.1 + 0.9 * number / len(works), "Predicting bodies")
        photo = work.photo
        camera = choose_camera(
            (photo.width, photo.height),
            given_px=work.person.focal_px,
            exif_px=photo.focal_exif_px,
            paper=False,
        )
        try:
            found = predicted_person(work.person, camera, pipeline.body_of(work.body_file))
        except KnownError as error:
            answers.append(error)
            continue
        mesh, fit = (
            found.mesh,
            dataclasses.replace(found.fit, timings_s={}),
        )  # the same twice is the same record
        facts = {
            "mesh": dataclasses.asdict(found.facts),
            "timings_s": dict(found.timings_s),
            "warnings": list(found.warnings),
            "seed": work.seed,
            "body_file": None,
        }
        answers.append(
            pipeline.FitAnswer(
                fit, mesh.vertices, mesh.tpose, mesh.faces, mesh.residual, mesh.parts, (), facts
            )
        )
    return answers
