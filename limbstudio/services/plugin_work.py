"""What plugins do with a photo: a command's changes become one machine edit, an inspector's rows are handed on."""

from collections.abc import Sequence
from typing import Protocol

from limbstudio.api import AnnotatedPhoto, Command, Inspector
from limbstudio.domain.edits import Change, Edit
from limbstudio.domain.errors import KnownError
from limbstudio.domain.photo import Person, Photo
from limbstudio.services.jobs import Context
from limbstudio.services.store import Entry


class Workplace(Protocol):
    """What this needs of the studio."""

    def do(self, edit: Edit) -> Entry | None: ...

    def photo(self, sha256: str) -> Photo: ...

    def people_in(self, photo: str) -> tuple[Person, ...]: ...


def run_command(studio: Workplace, context: Context, command: Command, photo: str) -> tuple[Person, ...]:
    """Let a command work on a photo; what it changed is one machine edit, taken back from History.

    KnownError when it returns somebody who is not in the photo, or something that is no person.
    """
    before = {person.id: person for person in studio.people_in(photo)}
    annotated = AnnotatedPhoto(studio.photo(photo), tuple(before.values()))
    changed = tuple(command.run(annotated, context.report))
    for person in changed:
        if not isinstance(person, Person) or person.id not in before or person.photo != photo:
            raise KnownError(
                f"“{command.name}” returned something that is nobody of this photo.",
                "Nothing was changed. Ask the plugin's author for a newer version.",
            )
    new = tuple(person for person in changed if person != before[person.id])
    if new:
        changes = tuple(Change(("person", person.id), before[person.id], person) for person in new)
        studio.do(Edit(command.name, changes, None, photo, human=False))
    return new


def inspect(
    studio: Workplace, context: Context, inspector: Inspector, photo: str
) -> Sequence[tuple[str, str]]:
    """Return an inspector's rows on a photo, as text."""
    annotated = AnnotatedPhoto(studio.photo(photo), studio.people_in(photo))
    return tuple((str(what), str(value)) for what, value in inspector.facts(annotated, context.report))
