"""The history of a project: the one door through which it changes, and the way back."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from limbstudio.domain.edits import Edit
from limbstudio.domain.project import Project


class EntryKind(StrEnum):
    """Why an entry is in the journal."""

    DO = "do"
    UNDO = "undo"
    REDO = "redo"


@dataclass(frozen=True)
class Entry:
    """One line of the journal. sequence: its number. target: for UNDO and REDO, the entry they revert or repeat."""

    sequence: int
    time: str
    who: str
    label: str
    human: bool
    photo: str | None
    kind: EntryKind
    target: int | None
    edit: Edit


class History:
    """Apply edits to a project, tell who listens, hand them to the store, and undo them.

    Every edit gets an entry; undo and redo append entries of their own and nothing is ever erased.
    """

    project: Project

    def do(self, edit: Edit) -> Entry | None:
        """Apply `edit`; None when it changes nothing. KnownError, and nothing changed, when a `before` does not hold.

        An edit with the merge_key of my edit just before it on the same photo joins it: both are undone as one.
        """
        raise NotImplementedError

    def end_merge(self) -> None:
        """Let the next edit start a new undo step even if its merge_key is the last one's."""
        raise NotImplementedError

    def undo(self, photo: str | None) -> Entry | None:
        """Revert my latest human edit on this photo (None: of the project itself); None when there is none."""
        raise NotImplementedError

    def redo(self, photo: str | None) -> Entry | None:
        raise NotImplementedError

    def undo_label(self, photo: str | None) -> str:
        """Return the label of what `undo` would revert; empty when there is nothing."""
        raise NotImplementedError

    def redo_label(self, photo: str | None) -> str:
        raise NotImplementedError

    def listen(self, listener: Callable[[Entry], None]) -> Callable[[], None]:
        """Call `listener(entry)` after every change, in the thread that made it; return a function that stops it."""
        raise NotImplementedError
