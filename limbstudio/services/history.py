"""The history of a project: the one door through which it changes, and the way back."""

import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field

from limbstudio.domain.edits import Change, Edit, Key
from limbstudio.domain.errors import KnownError
from limbstudio.domain.project import Project
from limbstudio.services.store import Entry, EntryKind, JournalLine, Store

__all__ = ["Entry", "EntryKind", "History"]

# Edits of this session that undo finds without asking the disk.
_REMEMBERED = 500


@dataclass
class _Step:
    """One undo: an entry of mine, and those that joined it. sequences: in order, the first names the step."""

    label: str
    sequences: list[int]


@dataclass
class _Steps:
    """What can be undone and redone on one photo, the nearest last."""

    done: list[_Step] = field(default_factory=list)
    undone: list[_Step] = field(default_factory=list)


class History:
    """Apply edits to a project, tell who listens, hand them to the store, and undo them.

    Every edit gets an entry; undo and redo append entries of their own and nothing is ever erased. Undo goes
    back to what I did in earlier sessions too: the journal remembers.
    """

    def __init__(self, project: Project, store: Store, *, who: str = "") -> None:
        self._project = project
        self._store = store
        self._who = who
        self._lock = threading.RLock()
        self._listeners: list[Callable[[Entry], None]] = []
        self._steps: dict[str | None, _Steps] = {}
        self._recent: OrderedDict[int, Edit] = OrderedDict()
        self._merging: dict[str | None, str | None] = {}
        self.last_saved: Future[None] | None = None

    @property
    def project(self) -> Project:
        """Return the present state: an immutable value."""
        return self._project

    def do(self, edit: Edit) -> Entry | None:
        """Apply `edit`; None when it changes nothing. KnownError, and nothing changed, when a `before` does
        not hold.

        An edit with the merge_key of my edit just before it on the same photo joins it: both are undone as
        one.
        """
        with self._lock:
            if all(change.before == change.after for change in edit.changes):
                return None
            steps = self._steps_of(edit.photo) if edit.human else None
            joined = steps.done[-1] if steps and self._joins(edit, steps) else None
            entry = self._append(edit, EntryKind.DO, joined.sequences[0] if joined else None)
            if joined:
                joined.sequences.append(entry.sequence)
            elif steps:
                steps.done.append(_Step(edit.label, [entry.sequence]))
            if steps:  # a machine's result leaves what can be redone alone
                steps.undone.clear()
                self._merging[edit.photo] = edit.merge_key
        self._tell(entry)
        return entry

    def end_merge(self) -> None:
        """Let the next edit start a new undo step even if its merge_key is the last one's."""
        with self._lock:
            self._merging.clear()

    def undo(self, photo: str | None) -> Entry | None:
        """Revert my latest human edit on this photo (None: of the project itself); None when there is none.

        KnownError, and nothing changed, when a later edit that is not mine stands on it.
        """
        with self._lock:
            steps = self._steps_of(photo)
            if not steps.done:
                return None
            entry = self._append(
                self._whole(steps.done[-1]).inverse, EntryKind.UNDO, steps.done[-1].sequences[0]
            )
            steps.undone.append(steps.done.pop())
            self._merging.pop(photo, None)
        self._tell(entry)
        return entry

    def redo(self, photo: str | None) -> Entry | None:
        """Repeat what was undone last on this photo; None when there is nothing."""
        with self._lock:
            steps = self._steps_of(photo)
            if not steps.undone:
                return None
            entry = self._append(self._whole(steps.undone[-1]), EntryKind.REDO, steps.undone[-1].sequences[0])
            steps.done.append(steps.undone.pop())
            self._merging.pop(photo, None)
        self._tell(entry)
        return entry

    def revert(self, sequence: int) -> Entry | None:
        """Take back any one entry (a machine's too) by a new human edit; None when there is nothing to take
        back.

        KnownError, and nothing changed, when later edits stand on it.
        """
        edit = self._edit_of(sequence)
        inverse = edit.inverse
        return self.do(Edit(f"Revert: {edit.label}", inverse.changes, None, edit.photo, True))

    def take_in(self, entries: Sequence[Entry]) -> None:
        """Take in edits that another window made and wrote; KnownError when they do not follow on what is here."""
        for entry in entries:
            with self._lock:
                self._project = self._project.applied(entry.edit)
                self._steps.pop(entry.photo, None)
                self._merging.pop(entry.photo, None)
            self._tell(entry)

    def undo_label(self, photo: str | None) -> str:
        """Return the label of what `undo` would revert; empty when there is nothing."""
        with self._lock:
            done = self._steps_of(photo).done
            return done[-1].label if done else ""

    def redo_label(self, photo: str | None) -> str:
        """Return the label of what `redo` would repeat; empty when there is nothing."""
        with self._lock:
            undone = self._steps_of(photo).undone
            return undone[-1].label if undone else ""

    def listen(self, listener: Callable[[Entry], None]) -> Callable[[], None]:
        """Call `listener(entry)` after every change, in the thread that made it; return a function that stops
        it.
        """
        with self._lock:
            self._listeners.append(listener)

        def stop() -> None:
            with self._lock:
                if listener in self._listeners:
                    self._listeners.remove(listener)

        return stop

    # ------------------------------------------------------------------------------------------- how it works

    def _append(self, edit: Edit, kind: EntryKind, target: int | None) -> Entry:
        if self._store.read_only_reason:
            raise KnownError(self._store.read_only_reason, self._store.state.hint)
        after = self._project.applied(edit)
        entry, self.last_saved = self._store.append(edit, who=self._who, kind=kind, target=target)
        # Only now: an edit that the store refused must not be seen. It is told after that, so that a
        # listener's mistake cannot keep it from the disk.
        self._project = after
        self._recent[entry.sequence] = edit
        while len(self._recent) > _REMEMBERED:
            self._recent.popitem(last=False)
        return entry

    def _tell(self, entry: Entry) -> None:
        with self._lock:
            listeners = tuple(self._listeners)
        for listener in listeners:
            listener(entry)

    def _joins(self, edit: Edit, steps: _Steps) -> bool:
        key = edit.merge_key
        return (
            key is not None and self._merging.get(edit.photo) == key and bool(steps.done) and not steps.undone
        )

    def _whole(self, step: _Step) -> Edit:
        """Return a step as one edit: each record's first before and last after."""
        edits = [self._edit_of(sequence) for sequence in step.sequences]
        changes: dict[Key, Change] = {}
        for edit in edits:
            for change in edit.changes:
                first = changes.get(change.key)
                changes[change.key] = (
                    change if first is None else Change(change.key, first.before, change.after)
                )
        return Edit(step.label, tuple(changes.values()), None, edits[0].photo, True)

    def _edit_of(self, sequence: int) -> Edit:
        found = self._recent.get(sequence)
        return self._store.edit_of(sequence) if found is None else found

    def _steps_of(self, photo: str | None) -> _Steps:
        if photo not in self._steps:
            lines = self._store.journal(photo)
            self._steps[photo] = _steps_from([e for e in lines if e.human and e.who == self._who])
        return self._steps[photo]


def _steps_from(lines: list[JournalLine]) -> _Steps:
    """Rebuild what can be undone and redone from my lines of one photo."""
    steps = _Steps()
    for line in lines:
        if line.kind is EntryKind.DO:
            if line.target is not None and steps.done and steps.done[-1].sequences[0] == line.target:
                steps.done[-1].sequences.append(line.sequence)
            else:
                steps.done.append(_Step(line.label, [line.sequence]))
            steps.undone.clear()
        elif line.kind is EntryKind.UNDO:
            _move(line.target, steps.done, steps.undone)
        else:
            _move(line.target, steps.undone, steps.done)
    return steps


def _move(target: int | None, source: list[_Step], destination: list[_Step]) -> None:
    if source and source[-1].sequences[0] == target:
        destination.append(source.pop())
