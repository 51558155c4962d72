"""Fitting many people in the background: whoever is annotated and has no fresh fit, and nothing that a human chose.

One job for all, which hands the worker one person at a time: a fit that is asked for meanwhile comes next, and people
of the photo in view come first.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING

from limbstudio.domain.errors import KnownError
from limbstudio.domain.photo import Person
from limbstudio.domain.review import ReviewState, Verdict
from limbstudio.services.history import Entry
from limbstudio.services.jobs import Cancelled, Context, Job, JobState

if TYPE_CHECKING:
    from limbstudio.services.studio import Studio

UNFINISHED = "is:unfinished"
# A process that dies this often in a row dies of something that the next person will not mend.
_MOST_DEATHS = 3
_LOOK_S = 0.1


@dataclass(frozen=True)
class BatchReport:
    """What became of the people of a batch. fresh: their fit was up to date. by_hand: a human chose their fit, or they
    are accepted; they were left alone. unplaced: nobody placed their points yet.

    refused: (who, KnownError) for all that could not be fitted. entries: numbers in the journal, to take it back.
    """

    fitted: int = 0
    fresh: int = 0
    by_hand: int = 0
    unplaced: int = 0
    refused: tuple[tuple[str, KnownError], ...] = ()
    entries: tuple[int, ...] = ()


class _Left(Enum):
    """Why a person is not fitted."""

    FRESH = "fresh"
    BY_HAND = "by hand"
    UNPLACED = "unplaced"
    GONE = "gone"


@dataclass
class _Waiting:
    """The people who wait, by photo, in order."""

    photos: dict[str, list[str]] = field(default_factory=dict)
    count: int = 0

    @classmethod
    def of(cls, studio: "Studio", photos: Iterable[str]) -> "_Waiting":
        records = studio.project.records
        found = {photo: list(records.names_of_photo("person", photo)) for photo in photos}
        return cls(
            {photo: people for photo, people in found.items() if people}, sum(map(len, found.values()))
        )

    def take(self, first: str | None) -> str:
        """Take the next person: of the photo `first` where it has one, else in order."""
        photo = first if first in self.photos else next(iter(self.photos))
        people = self.photos[photo]
        person = people.pop(0)
        if not people:
            del self.photos[photo]
        return person


def fit_people(studio: "Studio", context: Context, photos: Iterable[str] | None) -> BatchReport:
    """Fit the people of these photos, of all unfinished ones with None. See the module.

    KnownError when the process of the models dies again and again; what was fitted until then stays.
    """
    waiting = _Waiting.of(studio, studio.searching.photos(UNFINISHED) if photos is None else photos)
    total, refused, entries = waiting.count, [], []
    counts = dict.fromkeys(_Left, 0)
    fitted = deaths = 0
    ours: set[str] = set()

    def note(entry: Entry) -> None:
        if not entry.human and any(
            c.key[0] == "fit" and _person_of(c.after) in ours for c in entry.edit.changes
        ):
            entries.append(entry.sequence)

    stop = studio.history.listen(note)
    try:
        for number in range(total):
            person_id = waiting.take(studio.photo_in_view)
            left = _left_alone(studio, person_id)
            if left is not None:
                counts[left] += 1
                continue
            ours.add(person_id)
            name = Path(studio.photo(studio.person(person_id).photo).path).name
            job = _followed(studio, context, studio.start_fit(person_id, quietly=True), number, total, name)
            if job.state is JobState.SUCCEEDED:
                fitted, deaths = fitted + 1, 0
            elif job.failure is not None:
                refused.append((name, KnownError(job.failure.message, job.failure.hint)))
                deaths = deaths + 1 if job.failure.process_ended else 0
                _must_go_on(deaths, fitted, refused[-1][1])
    finally:
        stop()
    return BatchReport(
        fitted,
        counts[_Left.FRESH],
        counts[_Left.BY_HAND],
        counts[_Left.UNPLACED],
        tuple(refused),
        tuple(entries),
    )


def _person_of(fit: object) -> str | None:
    return getattr(fit, "person", None)


def _left_alone(studio: "Studio", person_id: str) -> _Left | None:
    """Say why a person is not fitted now; None where nothing is against it."""
    records = studio.project.records
    person, chosen = records.get(("person", person_id)), records.get(("chosen_fit", person_id))
    if not isinstance(person, Person):
        return _Left.GONE
    verdict = records.get(("verdict", person_id))
    accepted = isinstance(verdict, Verdict) and verdict.state is ReviewState.ACCEPTED
    if accepted or (chosen is not None and chosen.by_human):
        return _Left.BY_HAND
    if all(point.x is None for point in person.keypoints.points):
        return _Left.UNPLACED
    fit = studio.fit_of(person_id)
    return _Left.FRESH if fit is not None and not studio.is_stale(fit) else None


def _followed(studio: "Studio", context: Context, job: Job, number: int, total: int, name: str) -> Job:
    """Report how far one fit is until it has ended; stop it when the batch is cancelled."""
    sentence = f"Fitting person {number + 1} of {total}, {name}"
    try:
        context.report(number / total, sentence)
        while not job.wait(_LOOK_S):
            context.report((number + job.progress) / total, sentence)
    except Cancelled:
        if job not in studio.jobs:  # somebody asked for this one by itself
            job.cancel()
        raise
    return job


def _must_go_on(deaths: int, fitted: int, last: KnownError) -> None:
    if deaths >= _MOST_DEATHS:
        raise KnownError(
            f"The process that fits ended {deaths} times in a row, so the batch was stopped. {last.message}",
            f"{fitted} people were fitted and are kept. Retry goes on with the others.",
        )
