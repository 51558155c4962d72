"""The store: a project on disk, written by one thread that says "saved" only when the disk has it.

A project is a folder `name.limb/` with `project.sqlite` (records, and an append-only journal of edits) and
`blobs/`. An edit is handed over and the caller goes on; the writer thread commits in order and confirms. What
cannot be written stays queued and is tried again; nothing is ever dropped silently.
"""

import logging
import sqlite3
import threading
import uuid
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from enum import StrEnum
from functools import partial
from itertools import islice
from pathlib import Path
from time import monotonic
from types import MappingProxyType
from typing import Any

from limbstudio.domain.edits import Change, Edit
from limbstudio.domain.errors import KnownError
from limbstudio.domain.project import Project
from limbstudio.services import project_file, records
from limbstudio.services.blobs import Blobs, blob_name, sync_folder
from limbstudio.services.claim import Claim, ClaimLost, Holder
from limbstudio.services.project_file import FILE_NAME, FolderGone

log = logging.getLogger(__name__)

SUFFIX = ".limb"
RETRY_S = 5.0
IDLE_CHECK_S = 3.0
_MOST_IN_ONE_COMMIT = 200


class Saving(StrEnum):
    """SAVED: the disk has everything. WRITING: on its way. WAITING: it failed and is tried again."""

    SAVED = "saved"
    WRITING = "writing"
    WAITING = "waiting"
    READ_ONLY = "read_only"


@dataclass(frozen=True)
class SaveState:
    """How far saving is. unsaved: edits not yet confirmed. message, hint: for people, why it waits or is
    read-only.
    """

    saving: Saving
    unsaved: int = 0
    message: str = ""
    hint: str = ""


class EntryKind(StrEnum):
    """Why an entry is in the journal."""

    DO = "do"
    UNDO = "undo"
    REDO = "redo"


@dataclass(frozen=True)
class Entry:
    """One line of the journal. sequence: its number. time: ISO, UTC.

    target: for UNDO and REDO the entry they revert or repeat; for a DO that joined an earlier one, that one.
    """

    sequence: int
    time: str
    who: str
    label: str
    human: bool
    photo: str | None
    kind: EntryKind
    target: int | None
    edit: Edit


@dataclass(frozen=True)
class JournalLine:
    """An entry without its changes: cheap to read for a whole project."""

    sequence: int
    time: str
    who: str
    label: str
    human: bool
    photo: str | None
    kind: EntryKind
    target: int | None


@dataclass
class _Task:
    """Something the writer has to do; done confirms it. Tasks that are no edit are not counted as unsaved
    edits.
    """

    write: Callable[[sqlite3.Connection], None]
    done: "Future[None]" = field(default_factory=Future)
    entry: Entry | None = None
    blob: tuple[str, bytes] | None = None


@dataclass(frozen=True)
class _Reason:
    """Why a project is read-only; without a message it is not."""

    message: str = ""
    hint: str = ""
    holder: Holder | None = None
    is_damage: bool = False
    is_taken: bool = False


class Store:
    """An open project folder. Made by `create` or `open`; every public method may be called from any
    thread.
    """

    def __init__(
        self,
        folder: Path,
        *,
        loaded: project_file.Loaded,
        writer: sqlite3.Connection | None,
        claim: Claim | None,
        reader: sqlite3.Connection,
        reason: _Reason,
    ) -> None:
        self.folder = folder
        self.project = Project(loaded.name, MappingProxyType(loaded.records))
        self.folders_then = tuple(Path(f) for f in loaded.folders_then if Path(f) != folder.absolute())
        self.problems = loaded.problems
        self.retry_s = RETRY_S
        self._id = loaded.id
        self._sequence = loaded.last_sequence
        self._session = uuid.uuid4().hex
        self._blobs = Blobs(folder / "blobs")
        self._unwritten_blobs: dict[str, bytes] = {}
        self._unsaved: dict[int, Entry] = {}
        self._results: dict[str, str] = {}
        self._reader = reader
        self._reading = threading.Lock()
        self._writer = writer
        self._claim = claim
        self._file = _file_number(folder / FILE_NAME)
        self._queue: deque[_Task] = deque()
        # Held only around the queue and the state, never while the disk works: the window must not wait for
        # it.
        self._changed = threading.Condition()
        self._closing = False
        self._hurry = False
        self._failures = 0
        self._reason = reason
        saving = Saving.READ_ONLY if reason.message else Saving.SAVED
        self._state = SaveState(saving, 0, reason.message, reason.hint)
        self._listeners: list[Callable[[SaveState], None]] = []
        self._thread: threading.Thread | None = None
        if writer is not None:
            self._thread = threading.Thread(target=self._serve, name="store-writer", daemon=True)
            self._thread.start()

    # ---------------------------------------------------------------------------------------- create and open

    @classmethod
    def create(cls, folder: Path, name: str = "") -> "Store":
        """Make a new project folder and open it; KnownError when that cannot be done."""
        if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
            hint = "Open it, or choose another name. Nothing was changed."
            raise KnownError(f"There is something at {folder} already.", hint)
        try:
            folder.mkdir(parents=True, exist_ok=True)
            (folder / "blobs").mkdir()
            project_file.create(folder / FILE_NAME, name or folder.stem)
            sync_folder(folder.absolute().parent)
        except (OSError, sqlite3.Error) as error:
            message, _ = project_file.in_words(error, folder)
            raise KnownError(f"The project cannot be made. {message}", "Choose another place.") from error
        return cls.open(folder)

    @classmethod
    def open(cls, folder: Path, *, take_over: bool = False, read_only: bool = False) -> "Store":
        """Open a project folder.

        Where it cannot be written, is newer than this version, is damaged or is open elsewhere, it opens
        read-only and `read_only_reason` says why. KnownError when there is no project, or nothing of it can
        be read.
        """
        path = _file_of(folder)
        try:
            if read_only:
                return cls._open_to_read(folder, _Reason("The project was opened to look at only.", ""))
            return cls._open_to_write(folder, path, take_over=take_over)
        except sqlite3.DatabaseError as error:
            if _is_damage(error):
                raise _ruined(folder, str(error)) from error
            raise KnownError(project_file.in_words(error, folder)[0], "Nothing was changed.") from error
        except OSError as error:
            raise KnownError(project_file.in_words(error, folder)[0], "Nothing was changed.") from error

    @classmethod
    def _open_to_write(cls, folder: Path, path: Path, *, take_over: bool) -> "Store":
        try:
            connection = project_file.connect(path)
        except sqlite3.DatabaseError as error:
            if _is_damage(error):
                return cls._open_to_read(folder, _damage_reason((f"SQLite says: {error}.",)))
            if project_file.is_read_only(error):
                return cls._open_to_read(folder, _locked_folder_reason(folder))
            raise
        try:
            opened = cls._claimed(connection, folder, path, take_over=take_over)
        except (sqlite3.Error, OSError) as error:
            connection.close()
            if project_file.is_read_only(error):
                return cls._open_to_read(folder, _locked_folder_reason(folder))
            raise
        if isinstance(opened, Store):
            return opened
        connection.close()
        return cls._open_to_read(folder, opened)

    @classmethod
    def _claimed(
        cls, connection: sqlite3.Connection, folder: Path, path: Path, *, take_over: bool
    ) -> "Store | _Reason":
        """Become the writer, or say why not."""
        version = project_file.format_of(connection)
        if version > (project_file.FORMAT_MAJOR, project_file.FORMAT_MINOR):
            return _newer_reason(*version)
        claim = Claim.acquire(connection, folder, take_over=take_over)
        if isinstance(claim, Holder):
            return _held_reason(claim)
        try:
            project_file.mend(connection)
            loaded = project_file.load(
                connection, path
            )  # after the claim: the last writer's last edits are in it
            if loaded.problems:
                claim.release(connection)
                return _damage_reason(loaded.problems)
            project_file.note_folder(connection, folder, loaded.folders_then)
            reader = project_file.connect_to_read(path)
        except (sqlite3.Error, OSError):
            claim.release(connection)
            raise
        return cls(folder, loaded=loaded, writer=connection, claim=claim, reader=reader, reason=_Reason())

    @classmethod
    def _open_to_read(cls, folder: Path, reason: "_Reason") -> "Store":
        path = folder / FILE_NAME
        reader = project_file.connect_to_read(path)
        loaded = project_file.load(reader, path)
        if loaded.problems and not loaded.records:
            reader.close()
            raise _ruined(folder, loaded.problems[0])
        if loaded.problems and not reason.is_damage:
            reason = _Reason(f"{reason.message} {loaded.problems[0]}", reason.hint, reason.holder)
        return cls(folder, loaded=loaded, writer=None, claim=None, reader=reader, reason=reason)

    # ---------------------------------------------------------------------------------------------- the state

    @property
    def read_only_reason(self) -> str:
        """Return why nothing can be changed, for people; empty when the project can be edited."""
        return self._reason.message

    @property
    def holder(self) -> Holder | None:
        """Return which other window has the project, when that is why it is read-only."""
        return self._reason.holder

    @property
    def is_held_elsewhere(self) -> bool:
        """Tell whether it is read-only because another window has the project, since before or just now."""
        return self._reason.holder is not None or self._reason.is_taken

    @property
    def state(self) -> SaveState:
        with self._changed:
            return replace(self._state, unsaved=len(self._unsaved))

    @property
    def unsaved(self) -> tuple[Entry, ...]:
        """Return the edits that the disk has not confirmed, in order."""
        with self._changed:
            return tuple(self._unsaved.values())

    def listen(self, listener: Callable[[SaveState], None]) -> Callable[[], None]:
        """Call `listener` from the writer thread whenever the state changes; return a function that stops
        it.
        """
        with self._changed:
            self._listeners.append(listener)

        def stop() -> None:
            with self._changed:
                if listener in self._listeners:
                    self._listeners.remove(listener)

        return stop

    def _tell(self, saving: Saving, message: str = "", hint: str = "") -> None:
        with self._changed:
            state = SaveState(saving, len(self._unsaved), message, hint)
            if state == self._state:
                return
            self._state = state
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
        rows = [_change_row(place, change) for place, change in enumerate(edit.changes)]
        with self._changed:
            self._must_be_writable()
            self._sequence += 1
            time = datetime.now(UTC).isoformat(timespec="milliseconds")
            entry = Entry(self._sequence, time, who, edit.label, edit.human, edit.photo, kind, target, edit)
            task = _Task(partial(_write_entry, entry=entry, rows=rows, session=self._session), entry=entry)
            self._unsaved[entry.sequence] = entry
            self._queue.append(task)
            self._changed.notify_all()
        return entry, task.done

    def put_blob(self, data: bytes) -> str:
        """Queue bytes and return their name; they are on the disk before any edit that is appended later."""
        name = blob_name(data)
        with self._changed:
            self._must_be_writable()
            if name not in self._unwritten_blobs:
                self._unwritten_blobs[name] = data
                self._queue.append(_Task(_nothing, blob=(name, data)))
                self._changed.notify_all()
        return name

    def keep_result(self, request_hash: str, stage: str, text: str) -> None:
        """Remember what a stage made of a request, so that it is not computed again. text: JSON."""
        row = (request_hash, stage, text, datetime.now(UTC).isoformat(timespec="seconds"))
        with self._changed:
            self._must_be_writable()
            self._results[request_hash] = text
            self._queue.append(_Task(partial(_write_result, row=row)))
            self._changed.notify_all()

    def _must_be_writable(self) -> None:
        if self._reason.message:
            raise KnownError(self._reason.message, self._reason.hint)
        if self._closing:
            raise KnownError("The project is being closed.", "Open it again to go on.")

    # ------------------------------------------------------------------------------------------------ reading

    def read_blob(self, name: str) -> bytes:
        """Return a blob's bytes; KnownError when it is gone or damaged."""
        with self._changed:
            waiting = self._unwritten_blobs.get(name)
        return self._blobs.read(name) if waiting is None else waiting

    def result(self, request_hash: str) -> str | None:
        """Return what `keep_result` remembers, or None."""
        with self._changed:
            if request_hash in self._results:
                return self._results[request_hash]
        rows = self._query("SELECT body FROM result WHERE hash = ?", (request_hash,))
        return rows[0][0] if rows else None

    def journal(self, photo: str | None = None, *, everything: bool = False) -> list[JournalLine]:
        """Return the lines of one photo (None: of the project itself), or of everything, oldest first."""
        columns = "sequence, time, who, label, human, photo, kind, target"
        where, values = ("", ()) if everything else ("WHERE photo IS ?", (photo,))
        rows = self._query(f"SELECT {columns} FROM journal {where} ORDER BY sequence", values)
        lines = [
            JournalLine(sequence, time, who, label, bool(human), of_photo, EntryKind(kind), target)
            for sequence, time, who, label, human, of_photo, kind, target in rows
        ]
        last = lines[-1].sequence if lines else 0
        for e in self.unsaved:
            if e.sequence > last and (everything or e.photo == photo):
                lines.append(
                    JournalLine(e.sequence, e.time, e.who, e.label, e.human, e.photo, e.kind, e.target)
                )
        return lines

    def edit_of(self, sequence: int) -> Edit:
        """Return the edit of a journal entry; KnownError when it cannot be read."""
        with self._changed:
            if sequence in self._unsaved:
                return self._unsaved[sequence].edit
        heads = self._query(
            "SELECT label, photo, human, merge_key FROM journal WHERE sequence = ?", (sequence,)
        )
        if not heads:
            raise KnownError(f"The journal has no entry {sequence}.", "Nothing was changed.")
        query = "SELECT kind, id, before, after FROM change WHERE sequence = ? ORDER BY place"
        changes = []
        for kind, identity, before, after in self._query(query, (sequence,)):
            was = None if before is None else records.decode(kind, before)
            became = None if after is None else records.decode(kind, after)
            changes.append(Change((kind, identity), was, became))
        label, photo, human, merge_key = heads[0]
        return Edit(label, tuple(changes), merge_key, photo, bool(human))

    def _query(self, query: str, values: tuple[Any, ...]) -> list[tuple[Any, ...]]:
        try:
            with self._reading:
                return self._reader.execute(query, values).fetchall()
        except sqlite3.Error as error:
            message, hint = project_file.in_words(error, self.folder)
            raise KnownError(message, hint) from error

    # ------------------------------------------------------------------------------------------------ closing

    def retry_now(self) -> None:
        """Try again at once what waits, instead of in a few seconds."""
        with self._changed:
            self._hurry = True
            self._changed.notify_all()

    def flush(self, wait_s: float = 10.0) -> bool:
        """Wait until everything is on the disk; False when an attempt failed or the time is over."""
        with self._changed:
            failures = self._failures
            self._hurry = True
            self._changed.notify_all()
            self._changed.wait_for(
                lambda: not self._queue or self._failures > failures or not self._is_served(), wait_s
            )
            return not self._queue

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
        with self._reading:  # before the writer: who closes last empties the log, and only the writer can
            self._reader.close()
        with self._changed:
            self._closing = True
            self._changed.notify_all()
        if self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join(3.0)

    # --------------------------------------------------------------------------------------------- the writer

    def _is_served(self) -> bool:
        return self._thread is not None and self._thread.is_alive() and not self._reason.message

    def _serve(self) -> None:
        """Write what is queued, in order, until closed. The one thread that writes."""
        try:
            while not self._closing:
                self._write_some()
        except ClaimLost:
            self._become_read_only(_taken_reason())
        except _Replaced:
            self._become_read_only(_replaced_reason(self.folder))
        finally:
            if (
                not self._closing and not self._reason.message
            ):  # a mistake of ours ends this thread: never silently
                self._become_read_only(_stopped_reason())
            if self._claim is not None:
                self._claim.release(self._writer)
            if self._writer is not None:
                self._writer.close()

    def _write_some(self) -> None:
        with self._changed:
            self._changed.wait_for(lambda: self._queue or self._closing, IDLE_CHECK_S)
            batch = list(islice(self._queue, _MOST_IN_ONE_COMMIT))
        if self._closing:
            return
        if batch and self._state.saving is not Saving.WAITING:
            self._tell(Saving.WRITING)
        try:
            if batch:
                self._commit(batch)
            else:
                self._look_around()
        except (sqlite3.Error, OSError) as error:
            self._wait_after(error)
            return
        with self._changed:
            for task in batch:
                self._queue.popleft()
                if task.entry is not None:
                    del self._unsaved[task.entry.sequence]
                if task.blob is not None:
                    self._unwritten_blobs.pop(task.blob[0], None)
            more = bool(self._queue)
            self._changed.notify_all()
        for task in batch:
            task.done.set_result(None)
        if not more:
            self._tell(Saving.SAVED)

    def _commit(self, batch: list[_Task]) -> None:
        """Write a batch in one transaction. When this returns, all of it is synced."""
        connection = self._connected()
        for task in batch:
            if task.blob is not None:
                self._blobs.write(*task.blob)
        connection.execute("BEGIN IMMEDIATE")
        try:
            self._claims.check(connection)
            # After a commit that failed half-way the entries may be there: they are not written twice, but
            # the transaction below syncs them again before they are confirmed.
            there = connection.execute("SELECT coalesce(max(sequence), 0) FROM journal").fetchone()[0]
            for task in batch:
                if task.entry is None or task.entry.sequence > there:
                    task.write(connection)
            connection.execute("UPDATE writer SET sequence = sequence + 1")
            connection.execute("COMMIT")
        except (sqlite3.Error, OSError, ClaimLost):
            _roll_back(connection)
            raise
        self._check_file()

    def _look_around(self) -> None:
        """With nothing to write, notice that another window took over or that the folder went away or came
        back.
        """
        self._claims.check(self._connected())

    @property
    def _claims(self) -> Claim:
        if self._claim is None:
            raise ClaimLost
        return self._claim

    def _wait_after(self, error: sqlite3.Error | OSError) -> None:
        log.warning("Saving %s failed: %s", self.folder, error)
        message, hint = project_file.in_words(error, self.folder)
        with self._changed:
            self._failures += 1
            self._hurry = False
            self._changed.notify_all()
        if self._writer is not None:  # a connection that failed is not trusted again
            _close_quietly(self._writer)
            self._writer = None
        deadline = monotonic() + self.retry_s
        while not self._closing and (left := deadline - monotonic()) > 0:
            self._tell(Saving.WAITING, message, hint)
            with self._changed:
                count = len(self._queue)
                self._changed.wait_for(
                    lambda n=count: self._closing or self._hurry or len(self._queue) != n, left
                )
                if self._hurry:
                    return

    def _connected(self) -> sqlite3.Connection:
        """Return the connection to the file that was opened; FolderGone while it is not where it was."""
        self._hurry = False
        if self._writer is not None:
            self._check_file()
            return self._writer
        path = self.folder / FILE_NAME
        number = _file_number(path)
        if number is None:
            raise FolderGone(f"{path} is gone")
        connection = project_file.connect(path)
        if number != self._file:
            # Another file under our name, as after a drive came back: ours only if it holds all that was
            # confirmed.
            last = connection.execute("SELECT coalesce(max(sequence), 0) FROM journal").fetchone()[0]
            identity = connection.execute("SELECT value FROM meta WHERE name = 'id'").fetchone()
            confirmed = min(self._unsaved, default=self._sequence + 1) - 1
            if identity is None or identity[0] != self._id or last < confirmed:
                connection.close()
                raise _Replaced
            self._file = number
        self._writer = connection
        return connection

    def _check_file(self) -> None:
        # Linux happily writes to a file that was deleted or moved; what is written there is lost.
        if _file_number(self.folder / FILE_NAME) != self._file:
            raise FolderGone(f"{self.folder} is gone")

    def _become_read_only(self, reason: "_Reason") -> None:
        with self._changed:
            self._reason = reason
            self._changed.notify_all()
        self._tell(Saving.READ_ONLY, reason.message, reason.hint)


# ---------------------------------------------------------------------------------------------------- writing


def _change_row(place: int, change: Change) -> tuple[Any, ...]:
    kind, identity = change.key
    before = None if change.before is None else records.encode(kind, change.before)
    after = None if change.after is None else records.encode(kind, change.after)
    photo = records.photo_of(kind, change.before if change.after is None else change.after)
    return (place, kind, identity, photo, before, after)


def _write_entry(
    connection: sqlite3.Connection, *, entry: Entry, rows: list[tuple[Any, ...]], session: str
) -> None:
    connection.execute(
        "INSERT INTO journal (sequence, time, who, label, human, photo, kind, target, merge_key, session)"
        " VALUES (?,?,?,?,?,?,?,?,?,?)",
        (entry.sequence, entry.time, entry.who, entry.label, int(entry.human), entry.photo, entry.kind.value,
         entry.target, entry.edit.merge_key, session),
    )  # fmt: skip
    for place, kind, identity, photo, before, after in rows:
        connection.execute(
            "INSERT INTO change (sequence, place, kind, id, photo, before, after) VALUES (?,?,?,?,?,?,?)",
            (entry.sequence, place, kind, identity, photo, before, after),
        )
        if after is None:
            connection.execute("DELETE FROM record WHERE kind = ? AND id = ?", (kind, identity))
        else:
            # An update keeps the row's place, and with it the order in which photos were imported.
            connection.execute(
                "INSERT INTO record (kind, id, photo, body, hash, sequence) VALUES (?,?,?,?,?,?)"
                " ON CONFLICT (kind, id) DO UPDATE SET photo = excluded.photo, body = excluded.body,"
                " hash = excluded.hash, sequence = excluded.sequence",
                (kind, identity, photo, after, records.digest(after), entry.sequence),
            )


def _write_result(connection: sqlite3.Connection, *, row: tuple[str, str, str, str]) -> None:
    connection.execute("INSERT OR REPLACE INTO result (hash, stage, body, made) VALUES (?,?,?,?)", row)


def _nothing(connection: sqlite3.Connection) -> None:
    """A blob needs no row of its own: the edit that names it comes after it."""


def _roll_back(connection: sqlite3.Connection) -> None:
    with suppress(sqlite3.Error):  # the error that led here is the one to tell
        if connection.in_transaction:
            connection.execute("ROLLBACK")


def _close_quietly(connection: sqlite3.Connection) -> None:
    with suppress(sqlite3.Error):
        connection.close()


# ------------------------------------------------------------------------------------------ files and reasons


class _Replaced(Exception):
    """Another project stands where ours was."""


def _file_of(folder: Path) -> Path:
    """Return the project's file; KnownError when there is none, so that nothing empty is ever made in its
    place.
    """
    path = folder / FILE_NAME
    if not folder.exists():
        raise KnownError(
            f"There is no project at {folder}.", "It may have been moved or renamed, or its drive is off."
        )
    if not path.is_file():
        hint = f"Choose a folder that ends in {SUFFIX}, or restore this one from a backup."
        raise KnownError(f"{folder} holds no project: {FILE_NAME} is not in it.", hint)
    if path.stat().st_size == 0:
        raise _ruined(folder, f"{FILE_NAME} is empty.")
    return path


def _file_number(path: Path) -> tuple[int, int] | None:
    """Return what tells one file from another of the same name; None when there is none."""
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_dev, status.st_ino


def _is_damage(error: sqlite3.Error) -> bool:
    return getattr(error, "sqlite_errorcode", 0) & 0xFF in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)


def _ruined(folder: Path, what: str) -> KnownError:
    hint = (
        "Nothing was changed. Restore the folder from a backup; do not delete it, parts may still be rescued."
    )
    return KnownError(f"The project {folder} is damaged and nothing in it can be read: {what}", hint)


def _damage_reason(problems: Sequence[str]) -> _Reason:
    more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
    message = f"The project is damaged and is shown as far as it can be read, read-only. {problems[0]}{more}"
    return _Reason(message, "Export what you need, then restore the folder from a backup.", is_damage=True)


def _locked_folder_reason(folder: Path) -> _Reason:
    message = f"The project is read-only: its folder {folder} cannot be written."
    return _Reason(
        message, "To edit it, copy the folder to a place of your own, or have its permissions changed."
    )


def _newer_reason(major: int, minor: int) -> _Reason:
    message = f"The project is read-only: it was made by a newer LimbStudio (format {major}.{minor})."
    return _Reason(message, "Install the newest LimbStudio to edit it.")


def _held_reason(holder: Holder) -> _Reason:
    message = f"The project is read-only here: it is open in another window ({holder.words})."
    return _Reason(message, "Close that window, or take over.", holder)


def _taken_reason() -> _Reason:
    return _Reason(
        "The project is read-only here now: another window took it over.",
        "Close it here, or take over.",
        is_taken=True,
    )


def _replaced_reason(folder: Path) -> _Reason:
    message = f"The project is read-only now: another one was put in its place at {folder}."
    return _Reason(message, "Export what you see here if you need it, then open the project again.")


def _stopped_reason() -> _Reason:
    message = "The project is read-only now: saving stopped because of a mistake in LimbStudio."
    return _Reason(message, "Export what you see here, then open the project again.")
