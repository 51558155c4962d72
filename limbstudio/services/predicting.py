"""What AJAHR predicts: bodies, kept beside the fits as candidates, and how limbs end, kept as proposals.

Neither is ever put in place of what a human chose, said or edited.
"""

import dataclasses
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from limbstudio.ajahr.build import ReleasedOptions
from limbstudio.domain.body import FitMode
from limbstudio.domain.edits import Change, Edit
from limbstudio.domain.errors import KnownError
from limbstudio.domain.fitted import KeptFit
from limbstudio.domain.limb_proposals import ProposedLimbs
from limbstudio.domain.photo import Person
from limbstudio.images import open_photo
from limbstudio.services import limb_proposals, pipeline, weights
from limbstudio.services.initialisers import AJAHR, require
from limbstudio.services.jobs import Cancelled, Context, Job, JobState
from limbstudio.services.machine import size_words

if TYPE_CHECKING:
    from limbstudio.ajahr.limb_crop import Pixels
    from limbstudio.resihmr.pipeline import PersonResult
    from limbstudio.services.studio import Studio

_T = TypeVar("_T")
# People whom the worker's process predicts in one go: enough for its batches, few enough to cancel soon.
_AT_ONCE = 16
_LOOK_S = 0.1
# How far a worker's job is when the networks are loaded.
_LOADED = 0.1


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


@dataclass(frozen=True)
class Released:
    """Ask the user's own copy of AJAHR's released weights. files: `weights.released_hash` of when it was asked."""

    options: ReleasedOptions
    files: str


def predict(studio: "Studio", person_id: str, released: ReleasedOptions | None = None) -> Job:
    """Predict one person's limbs and body in the worker's process; the job's result is a `Prediction`.

    released: with the user's own AJAHR weights, None: with the networks that ship. KnownError where those are not
    there; whether the user's are, the job finds.
    """
    asked = _asked(released)
    work = _work(studio, studio.person(person_id))
    name = Path(work.fit.photo.path).name

    def finish(answers: Sequence[Answer]) -> Prediction:
        return _keep(studio, work, answers[0])

    job = studio.compute(
        run_predictions, (work,), asked, title=f"Predict limbs and body in {name}",
        photo=work.fit.photo.sha256, finish=finish,
    )  # fmt: skip
    job.again = partial(predict, studio, person_id, released)
    return job


def predict_people(
    studio: "Studio", photos: Iterable[str], *, title: str, released: ReleasedOptions | None = None
) -> Job:
    """Predict everybody on these photos, as one job whose result is a `PredictionReport`. released: as of `predict`."""
    named, asked = tuple(photos), _asked(released)
    job = studio.run(lambda context: _predict_all(studio, context, named, asked), title=title)
    job.again = partial(predict_people, studio, named, title=title, released=released)
    return job


def _asked(released: ReleasedOptions | None) -> Released | None:
    if released is None:
        require(AJAHR)
        return None
    return Released(released, weights.released_hash())


def _predict_all(
    studio: "Studio", context: Context, photos: Sequence[str], asked: Released | None
) -> PredictionReport:
    records = studio.project.records
    people = [person for photo in photos for person in records.of_photo("person", photo)]
    placed = [person for person in people if any(point.x is not None for point in person.keypoints.points)]
    predicted, proposed, refused = 0, 0, []
    for first in range(0, len(placed), _AT_ONCE):
        some = placed[first : first + _AT_ONCE]
        sentence = f"Predicting person {first + 1} of {len(placed)}"
        works = [_work(studio, person) for person in some]
        say = partial(_say, context, first / len(placed), sentence)
        answers = _answers(studio, works, asked, say)
        for work, answer in zip(works, answers, strict=True):
            try:
                made = _keep(studio, work, answer)
                predicted += 1
                proposed += made.limbs is not None
            except KnownError as error:
                proposed += isinstance(answer.limbs, ProposedLimbs)
                refused.append((Path(work.fit.photo.path).name, error))
    return PredictionReport(predicted, len(people) - len(placed), tuple(refused), proposed)


def _say(context: Context, share: float, sentence: str, job: Job | None) -> None:
    """Tell of people, but while the networks are loaded of that."""
    is_loading = job is not None and 0 < job.progress < _LOADED
    context.report(share, job.sentence if job is not None and is_loading else sentence)


def _answers(
    studio: "Studio",
    works: Sequence[PredictionWork],
    asked: Released | None,
    say: Callable[[Job | None], None],
) -> Sequence[Answer]:
    say(None)
    job = studio.compute(
        run_predictions,
        tuple(works),
        asked,
        title="Predict limbs and bodies",
        photo=works[0].fit.photo.sha256,
    )
    try:
        while not job.wait(_LOOK_S):
            say(job)
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
    except KnownError as error:
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
    made = None if isinstance(body, KnownError) else studio.keep_blobs(_with_its_body(work, body), body)
    if made is not None and ("fit", made.id) not in studio.project.records:
        changes.append(Change(("fit", made.id), None, made))
    if changes:
        studio.do(Edit("Predict limbs and body", tuple(changes), None, person.photo, human=False))
    if made is None:
        assert isinstance(body, KnownError)
        raise body
    kept = studio.project.records.get(("fit", made.id)) or made
    return Prediction(kept, limbs, answer.limbs if isinstance(answer.limbs, KnownError) else None)


def _with_its_body(work: PredictionWork, answer: pipeline.FitAnswer) -> pipeline.FitWork:
    """Return the work with the body model that the worker's process found for it."""
    name = answer.facts["body_file"]
    return dataclasses.replace(work.fit, body_file=None if name is None else Path(name))


# ------------------------------------------------------------------------------------ in the worker's process


def run_predictions(
    context: Context, works: Sequence[PredictionWork], released: Released | None = None
) -> list[Answer]:
    """Predict people; what cannot be predicted of one is answered with the reason.

    released: with the user's own AJAHR weights; KnownError where they are not all there, or memory is short. They stay
    loaded for the people who come next.
    """
    if released is None:
        context.report(_LOADED / 2, "Loading AJAHR")
        weights.forget_released()
        ask = _answer
    else:
        size = size_words(weights.released_size())
        context.report(_LOADED / 2, f"Loading your AJAHR weights ({size}), once for everybody")
        ask = _ReleasedAnswers(released)
    answers = []
    for number, work in enumerate(works):
        share = _LOADED + (1 - _LOADED) * number / len(works)
        context.report(share, "Predicting limbs and bodies")
        answers.append(ask(work))
    return answers


def _answer(work: PredictionWork) -> Answer:
    pixels = _tried(_pixels, work)
    body = _tried(partial(_predicted_body, pixels=None if isinstance(pixels, KnownError) else pixels), work)
    if isinstance(pixels, KnownError):  # the body needs no picture
        return Answer(body, pixels)
    return Answer(body, _tried(partial(_proposed_limbs, pixels=pixels), work))


class _ReleasedAnswers:
    """Answers by the user's own AJAHR weights, on the user's SMPL: limbs and body from one look at the photo."""

    def __init__(self, asked: Released) -> None:
        self._asked = asked
        self._predictor = weights.released_predictor(asked.options)
        self._body_file = weights.own_smpl_body()
        self._body = pipeline.body_of(self._body_file)

    def __call__(self, work: PredictionWork) -> Answer:
        found = _tried(self._both, work)
        return Answer(found, found) if isinstance(found, KnownError) else found

    def _both(self, work: PredictionWork) -> Answer:
        if weights.released_hash() != self._asked.files:
            raise KnownError(
                "Your AJAHR weights have changed since this prediction was asked for.",
                "Look at them with `limbstudio weights list`, then predict again.",
            )
        if isinstance(work.picture, KnownError):
            raise work.picture
        person = work.fit.person
        found = self._predictor(open_photo(work.picture).pixels, person, self._body)
        drawn = self._predictor.drawn(found, person, self._body)
        limbs = limb_proposals.as_kept(person, found.limbs, self._predictor.name)
        return Answer(_as_fit(drawn, work, self._body_file), limbs)


def _tried(ask: Callable[[PredictionWork], _T], work: PredictionWork) -> _T | KnownError:
    try:
        return ask(work)
    except KnownError as error:
        return error
    except MemoryError:
        return KnownError(
            "There was not enough memory for this person.", "Close other programs, or make the photo smaller."
        )


def _pixels(work: PredictionWork) -> "Pixels":
    if isinstance(work.picture, KnownError):
        raise work.picture
    return open_photo(work.picture).pixels


def _proposed_limbs(work: PredictionWork, pixels: "Pixels") -> ProposedLimbs:
    return limb_proposals.propose_for(work.fit.person, pixels)


def _predicted_body(work: PredictionWork, pixels: "Pixels | None") -> pipeline.FitAnswer:
    from limbstudio.ajahr.predict import predicted_person  # torch takes two seconds to load
    from limbstudio.cameras import choose_camera

    person, photo = work.fit.person, work.fit.photo
    camera = choose_camera(
        (photo.width, photo.height), given_px=person.focal_px, exif_px=photo.focal_exif_px, paper=False
    )
    drawn = predicted_person(person, camera, pipeline.body_of(None), pixels=pixels)
    return _as_fit(drawn, work, None)


def _as_fit(found: "PersonResult", work: PredictionWork, body_file: Path | None) -> pipeline.FitAnswer:
    mesh = found.mesh
    fit = dataclasses.replace(found.fit, timings_s={})  # the same twice is the same record
    facts = {
        "mesh": dataclasses.asdict(found.facts),
        "timings_s": dict(found.timings_s),
        "warnings": list(found.warnings),
        "seed": work.fit.seed,
        "body_file": None if body_file is None else str(body_file),
    }
    return pipeline.FitAnswer(
        fit, mesh.vertices, mesh.tpose, mesh.faces, mesh.residual, mesh.parts, (), facts
    )
