"""The store: a project on disk, written by one thread that says "saved" only when the disk has it.

A project is a folder `name.limb/` with `project.sqlite` (records, and an append-only journal of edits) and
`blobs/`. An edit is handed over and the caller goes on; the `Writer` commits in order and confirms. A project that
may only be looked at is followed instead: the edits of the window that has it are told as they are made.
"""

import sqlite3
import threading
import uuid
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

from limbstudio.domain.edits import Change, Edit, Key
from limbstudio.domain.errors import KnownError
from limbstudio.domain.project import Project
from limbstudio.services import journal, opening, read_only, records
from limbstudio.services.blobs import Blobs, blob_name
from limbstudio.services.claim import Holder
from limbstudio.services.following import Follower
from limbstudio.services.journal import Entry, EntryKind, JournalLine
from limbstudio.services.opening import SUFFIX, Opened
from limbstudio.services.read_only import Reason
from limbstudio.services.stored_records import StoredRecords
from limbstudio.services.writer import SaveState, Saving, Task, Writer

__all__ = ["SUFFIX", "Checkpoint", "Entry", "EntryKind", "JournalLine", "SaveState", "Saving", "Store"]


@dataclass(frozen=True)
class Checkpoint:
    """A moment that was given a name. sequence: the last entry before it. time: ISO, UTC."""

    name: str
    sequence: int
    time: str
    who: str


class Store:
    """An open project folder. Made by `create` or `open`; every public method may be called from any
    thread.
    """

    def __init__(self, opened: Opened) -> None:
        self.folder = opened.folder
        self.notes = opened.notes
        self.problems = opened.loaded.problems
        self.project = Project(opened.loaded.name, opened.loaded.records)
        here = opened.folder.absolute()
        self.folders_then = tuple(Path(f) for f in opened.loaded.folders_then if Path(f) != here)
        self.identity = opened.loaded.id
        self._opened_at = opened.loaded.last_sequence
        self._session = uuid.uuid4().hex
        self._blobs = Blobs(opened.folder / "blobs")
        self._results: dict[str, str] = {}
        self._reader = opened.reader
        self._reason = opened.reason
        self._listening = threading.Lock()
        self._listeners: list[Callable[[SaveState], None]] = []
        self._follower: Follower | None = None
        self._on_entries: Callable[[list[Entry]], None] | None = None
        self._is_closing = False
        self._writer: Writer | None = None
        self._check_over = threading.Event()
        self._check_records(opened.loaded.stored)
        if opened.connection is not None and opened.claim is not None:
            self._writer = Writer(
                opened.folder,
                identity=opened.loaded.id,
                last_sequence=opened.loaded.last_sequence,
                connection=opened.connection,
                claim=opened.claim,
                on_written=self._on_written,
                on_state=self._on_state,
            )

    @classmethod
    def create(cls, folder: Path, name: str = "") -> "Store":
        """Make a new project folder and open it; KnownError when that cannot be done."""
        opening.make(folder, name)
        return cls.open(folder)

    @classmethod
    def open(cls, folder: Path, *, take_over: bool = False, read_only: bool = False) -> "Store":
        """Open a project folder.

        Where it cannot be written, is newer than this version, is damaged or is open elsewhere, it opens
        read-only and `read_only_reason` says why. KnownError when there is no project, or nothing of it can
        be read.
        """
        return cls(opening.open_folder(folder, take_over=take_over, only_look=read_only))

    # ---------------------------------------------------------------------------------------------- the state

    @property
    def reason(self) -> Reason:
        """Return why nothing can be changed."""
        if self._writer is not None and self._writer.reason.message and not self._reason.message:
            return self._writer.reason
        return self._reason

    @property
    def read_only_reason(self) -> str:
        """Return why nothing can be changed, for people; empty when the project can be edited."""
        return self.reason.message

    @property
    def holder(self) -> Holder | None:
        """Return which other window has the project, when that is why it is read-only."""
        return self.reason.holder

    @property
    def is_held_elsewhere(self) -> bool:
        """Tell whether it is read-only because another window has the project, since before or just now."""
        return self.reason.holder is not None or self.reason.is_taken

    @property
    def state(self) -> SaveState:
        reason = self.reason
        if reason.message or self._writer is None:
            return SaveState(Saving.READ_ONLY, len(self.unsaved), reason.message, reason.hint)
        return self._writer.state

    @property
    def unsaved(self) -> tuple[Entry, ...]:
        """Return the edits that the disk has not confirmed, in order."""
        if self._writer is None:
            return ()
        with self._writer.changed:
            return tuple(self._writer.unsaved.values())

    @property
    def retry_s(self) -> float:
        """Return after how many seconds what could not be saved is tried again."""
        return self._writer.retry_s if self._writer else 0.0

    @retry_s.setter
    def retry_s(self, seconds: float) -> None:
        if self._writer is not None:
            self._writer.retry_s = seconds

    def listen(self, listener: Callable[[SaveState], None]) -> Callable[[], None]:
        """Call `listener` from the writer's (or follower's) thread whenever the state changes; return a function
        that stops it.
        """
        with self._listening:
            self._listeners.append(listener)

        def stop() -> None:
            with self._listening:
                if listener in self._listeners:
                    self._listeners.remove(listener)

        return stop

    def _on_state(self, state: SaveState) -> None:
        reason = self.reason
        if state.saving is Saving.READ_ONLY and reason.is_taken and not self.unsaved:
            self._follow_on()
        self._tell(state)

    def _tell(self, state: SaveState) -> None:
        with self._listening:
            listeners = tuple(self._listeners)
        for listener in listeners:
            listener(state)

    # ------------------------------------------------------------------------------------------- handing over

    def append(
        self, edit: Edit, *, who: str, kind: EntryKind = EntryKind.DO, target: int | None = None
    ) -> "tuple[Entry, Future[None]]":
        """Queue an edit and return its entry at once; the future is done when the disk has it.

        KnownError when the project is read-only. Nothing is queued when a record cannot be encoded (our
        mistake).
        """
        rows = journal.change_rows(edit.changes)

        def make(sequence: int) -> tuple[Entry, Task]:
            time = datetime.now(UTC).isoformat(timespec="milliseconds")
            entry = Entry(sequence, time, who, edit.label, edit.human, edit.photo, kind, target, edit)
            write = partial(journal.write_entry, entry=entry, rows=rows, session=self._session)
            return entry, Task(write, entry=entry)

        entry, task = self._written_by().add_entry(make)
        return entry, task.done

    def put_blob(self, data: bytes) -> str:
        """Queue bytes and return their name; they are on the disk before any edit that is appended later."""
        name = blob_name(data)
        self._written_by().add_blob(name, data)
        return name

    def keep_result(self, request_hash: str, stage: str, text: str) -> None:
        """Remember what a stage made of a request, so that it is not computed again. text: JSON."""
        row = (request_hash, stage, text, datetime.now(UTC).isoformat(timespec="seconds"))
        writer = self._written_by()
        with writer.changed:
            self._results[request_hash] = text
        writer.add(Task(partial(_write_result, row=row)))

    def set_checkpoint(self, name: str, *, who: str) -> "tuple[Checkpoint, Future[None]]":
        """Give this moment a name (in place of an older one of that name); done when the disk has it."""
        writer = self._written_by()
        time = datetime.now(UTC).isoformat(timespec="milliseconds")
        checkpoint = Checkpoint(name, writer.last_sequence, time, who)
        task = Task(partial(_write_checkpoint, checkpoint=checkpoint))
        writer.add(task)
        return checkpoint, task.done

    def _written_by(self) -> Writer:
        reason = self.reason
        if reason.message or self._writer is None:
            raise KnownError(reason.message, reason.hint)
        if self._is_closing:
            raise KnownError("The project is being closed.", "Open it again to go on.")
        return self._writer

    def _on_written(self, tasks: Sequence[Task]) -> None:
        self._reader.take(task.write for task in tasks)

    # ------------------------------------------------------------------------------------------------ reading

    def read_blob(self, name: str) -> bytes:
        """Return a blob's bytes; KnownError when it is gone or damaged."""
        waiting = None
        if self._writer is not None:
            with self._writer.changed:
                waiting = self._writer.unwritten_blobs.get(name)
        return self._blobs.read(name) if waiting is None else waiting

    def result(self, request_hash: str) -> str | None:
        """Return what `keep_result` remembers, or None."""
        if request_hash in self._results:
            return self._results[request_hash]
        rows = self.query("SELECT body FROM result WHERE hash = ?", (request_hash,))
        return rows[0][0] if rows else None

    def journal(self, photo: str | None = None, *, everything: bool = False) -> list[JournalLine]:
        """Return the lines of one photo (None: of the project itself), or of everything, oldest first."""
        unsaved = (
            self.unsaved
        )  # before the journal is read: what is saved in between is then in both, not in neither
        lines = journal.read_lines(self.query, photo, everything=everything)
        last = lines[-1].sequence if lines else 0
        waiting = (e for e in unsaved if e.sequence > last and (everything or e.photo == photo))
        return [*lines, *(journal.line_of(e) for e in waiting)]

    def journal_about(self, photo: str | None, *, newest: int = 1000) -> list[JournalLine]:
        """Return the newest lines that changed a record of this photo (None: of any), newest first."""
        unsaved = self.unsaved  # before the journal is read, as above
        lines = journal.read_lines_about(self.query, photo, newest=newest)
        last = lines[0].sequence if lines else 0
        waiting = [e for e in unsaved if e.sequence > last and _concerns(e, photo)]
        return [*(journal.line_of(e) for e in reversed(waiting)), *lines][:newest]

    def edit_of(self, sequence: int) -> Edit:
        """Return the edit of a journal entry; KnownError when it cannot be read."""
        waiting = next((e for e in self.unsaved if e.sequence == sequence), None)
        return journal.read_edit(self.query, sequence) if waiting is None else waiting.edit

    def states_at(self, sequence: int, photo: str | None = None) -> dict[Key, Any]:
        """Return what the records that were changed after entry `sequence` were then; None: they were not.

        photo: of one photo only. KnownError when the journal cannot be read.
        """
        unsaved = self.unsaved  # before the journal is read, as above
        found = journal.read_states(self.query, sequence, photo)
        for entry in unsaved:  # newer than all that was read, or read already
            if entry.sequence > sequence and _concerns(entry, photo):
                for change in entry.edit.changes:
                    if photo is None or _photo_of_change(change) == photo:
                        found.setdefault(change.key, change.before)
        return found

    @property
    def checkpoints(self) -> tuple[Checkpoint, ...]:
        """Return the moments that were given a name, newest first."""
        rows = self.query(
            "SELECT name, sequence, time, who FROM checkpoint ORDER BY sequence DESC, time DESC"
        )
        return tuple(Checkpoint(*row) for row in rows)

    def query(self, query: str, values: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
        """Return all rows of a query; KnownError when the file cannot be read. Never waits for a commit."""
        return self._reader.query(query, values)

    # ---------------------------------------------------------------------------------------------- following

    def follow(self, on_entries: Callable[[list[Entry]], None]) -> None:
        """Tell the edits that another window makes, from a thread, while this project may only be looked at.

        KnownError from `on_entries` ends it. Call it once; it also acts when another window takes over later.
        """
        self._on_entries = on_entries
        if self._writer is None and not self.reason.is_damage:
            self._follow_on()

    def _follow_on(self) -> None:
        if self._on_entries is None or self._follower is not None or self._is_closing:
            return
        last = self._writer.last_sequence if self._writer is not None else self._opened_at
        self._follower = Follower(
            self.folder,
            last_sequence=last,
            on_entries=self._on_followed,
            on_free=self._on_free,
            on_lost=self._on_lost,
        )

    def _on_followed(self, entries: list[Entry]) -> None:
        if self._reader.is_mirrored:
            self._reader.take(
                partial(
                    journal.write_entry,
                    entry=entry,
                    rows=journal.change_rows(entry.edit.changes),
                    session="",
                )
                for entry in entries
            )
        if self._on_entries is not None:
            self._on_entries(entries)

    def _on_free(self) -> None:
        if self.is_held_elsewhere:
            self._become(read_only.free(self.reason))

    def _on_lost(self, why: str) -> None:
        if self._is_closing:
            return
        self._become(
            Reason(
                f"The edits of the other window can be followed no longer. {why}",
                "Open the project again.",
                self.reason.holder,
                is_taken=self.is_held_elsewhere,
            )
        )

    def _become(self, reason: Reason) -> None:
        self._reason = reason
        self._tell(self.state)

    # ----------------------------------------------------------------------------------------------- checking

    def _check_records(self, stored: StoredRecords) -> None:
        """Read in the background the records that were not read when the project was opened."""
        stored.listen(self._on_unreadable)
        if stored.unchecked:
            threading.Thread(
                target=stored.check, args=(self._check_over,), name="store-check", daemon=True
            ).start()

    def _on_unreadable(self, sentence: str) -> None:
        self.problems = (*self.problems, sentence)
        if not self._reason.is_damage:
            self._become(read_only.damaged(self.folder, self.problems))

    # ------------------------------------------------------------------------------------------------ closing

    def retry_now(self) -> None:
        """Try again at once what waits, instead of in a few seconds."""
        if self._writer is not None:
            self._writer.retry_now()

    def flush(self, wait_s: float = 10.0) -> bool:
        """Wait until everything is on the disk; False when an attempt failed or the time is over."""
        return self._writer.flush(wait_s) if self._writer is not None else True

    def close(self, wait_s: float = 10.0) -> None:
        """Save everything and close; KnownError, and still open, when that cannot be done."""
        if not self.flush(wait_s):
            state = self.state
            count = f"{state.unsaved} edit{'s' if state.unsaved != 1 else ''}"
            message = state.message or "The disk is slow."
            raise KnownError(f"{count} of {self.project.name} could not be saved. {message}", state.hint)
        self._stop()

    def abandon(self) -> tuple[Entry, ...]:
        """Close at once and return the edits that were not saved."""
        lost = self.unsaved
        self._stop()
        return lost

    def _stop(self) -> None:
        if self._is_closing:
            return
        self._is_closing = True
        self._check_over.set()
        if self._follower is not None:
            self._follower.stop()
        self._reader.close()  # before the writer: who closes last empties the log, and only the writer can
        if self._writer is not None:
            self._writer.stop()

    def copying_lock(self) -> threading.Lock:
        """Return what to hold while the file is copied where a copy would keep a commit from the disk."""
        return (
            self._writer.at_work
            if self._writer is not None and self._reader.is_mirrored
            else threading.Lock()
        )


def _write_result(connection: sqlite3.Connection, *, row: tuple[str, str, str, str]) -> None:
    connection.execute("INSERT OR REPLACE INTO result (hash, stage, body, made) VALUES (?,?,?,?)", row)


def _write_checkpoint(connection: sqlite3.Connection, *, checkpoint: Checkpoint) -> None:
    connection.execute(
        "INSERT OR REPLACE INTO checkpoint (name, sequence, time, who) VALUES (?,?,?,?)",
        (checkpoint.name, checkpoint.sequence, checkpoint.time, checkpoint.who),
    )


def _concerns(entry: Entry, photo: str | None) -> bool:
    return (
        photo is None or entry.photo == photo or any(_photo_of_change(c) == photo for c in entry.edit.changes)
    )


def _photo_of_change(change: Change) -> str | None:
    return records.photo_of(change.key[0], change.before if change.after is None else change.after)
