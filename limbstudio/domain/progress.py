"""How far the annotation of a person, of a photo and of a project has come."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from enum import StrEnum
from typing import Any

from limbstudio.domain.edits import Change, Edit, Key
from limbstudio.domain.errors import KnownError
from limbstudio.domain.photo import Person, Photo
from limbstudio.domain.review import ReviewState, Verdict


class PhotoState(StrEnum):
    """A photo's state is that of its least advanced person; "no person" belongs to the photo."""

    NEW = "new"
    IN_WORK = "in_work"
    SENT_BACK = "sent_back"
    READY = "ready"
    ACCEPTED = "accepted"
    NO_PERSON = "no_person"

    @property
    def is_finished(self) -> bool:
        """Tell whether the annotator has nothing more to do."""
        return self in (PhotoState.READY, PhotoState.ACCEPTED, PhotoState.NO_PERSON)


# From the least advanced.
ORDER = (
    ReviewState.NEW,
    ReviewState.IN_WORK,
    ReviewState.SENT_BACK,
    ReviewState.READY,
    ReviewState.ACCEPTED,
)


def state_of_person(records: Mapping[Key, Any], person: Person) -> ReviewState:
    """Return how far a person's annotation has come: a verdict, else whether any point was placed."""
    verdict = records.get(("verdict", person.id))
    if isinstance(verdict, Verdict):
        return verdict.state
    touched = any(p.x is not None for p in person.keypoints.points)
    return ReviewState.IN_WORK if touched else ReviewState.NEW


def state_of_photo(*, no_person: bool, people: Iterable[ReviewState]) -> PhotoState:
    """Return a photo's state from those of its people."""
    least = min(people, key=ORDER.index, default=None)
    if least is None:
        return PhotoState.NO_PERSON if no_person else PhotoState.NEW
    return PhotoState(least.value)


def confirm_no_person(photo: Photo, confirmed: bool = True) -> Edit:
    """Say that nobody is in this photo, or take that back."""
    after = replace(photo, no_person=confirmed)
    label = "No person in this photo" if confirmed else "There may be a person in this photo"
    return Edit(label, (Change(("photo", photo.sha256), photo, after),), None, photo.sha256)


def refuse_no_person(people: int) -> KnownError:
    """Return why "no person" cannot be said of a photo with people."""
    words = "There is a person" if people == 1 else f"There are {people} people"
    return KnownError(f"{words} in this photo.", "Delete them first if they are a mistake.")
