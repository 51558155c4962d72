"""The writer: one thread that writes a project's edits in order and confirms each when the disk has it.

Who hands something over never waits. What cannot be written stays queued and is tried again; nothing is ever
dropped silently.
"""

import logging
import sqlite3
import threading
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass, field, replace
from enum import StrEnum
from itertools import islice
from pathlib import Path
from time import monotonic

from limbstudio.services import project_file, read_only
from limbstudio.services.blobs import Blobs
from limbstudio.services.claim import Claim, ClaimLost
from limbstudio.services.journal import Entry
from limbstudio.services.project_file import FILE_NAME, FolderGone
from limbstudio.services.read_only import Reason

log = logging.getLogger(__name__)

RETRY_S = 5.0
IDLE_CHECK_S = 3.0
_MOST_IN_ONE_COMMIT = 200
# Closing the file syncs it several times: who opens it again must not find it taken by ourselves.
_ENDING_S = 30.0


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


@dataclass
class Task:
    """Something the writer has to do; done confirms it. Tasks that are no edit are not counted as unsaved
    edits.
    """

    write: Callable[[sqlite3.Connection], None]
    done: "Future[None]" = field(default_factory=Future)
    entry: Entry | None = None
    blob: tuple[str, bytes] | None = None


class Replaced(Exception):
    """Another project stands where ours was."""


class Writer:
    """Write what is queued, until `stop`.

    identity: the project's id. last_sequence: of its journal. on_written: called in the writer's thread with
    the tasks of each commit, before they are confirmed. on_state: called there whenever the state changes.
    """

    def __init__(
        self,
        folder: Path,
        *,
        identity: str,
        last_sequence: int,
        connection: sqlite3.Connection,
        claim: Claim,
        on_written: Callable[[Sequence[Task]], None],
        on_state: Callable[[SaveState], None],
    ) -> None:
        self.retry_s = RETRY_S
        self.unsaved: dict[int, Entry] = {}
        self.unwritten_blobs: dict[str, bytes] = {}
        self.reason = Reason()
        # Held only around the queue and the state, never while the disk works: the window must not wait for
        # it.
        self.changed = threading.Condition()
        # Held while the disk works: who copies the file of a project without a write-ahead log takes it.
        self.at_work = threading.Lock()
        self._folder = folder
        self._id = identity
        self._sequence = last_sequence
        self._connection: sqlite3.Connection | None = connection
        self._claim = claim
        self._on_written = on_written
        self._on_state = on_state
        self._blobs = Blobs(folder / "blobs")
        self._file = file_number(folder / FILE_NAME)
        self._queue: deque[Task] = deque()
        self._closing = False
        self._hurry = False
        self._attempts = 0  # to write what is queued
        self._failed_attempt = 0  # the number of the last one that failed
        self._state = SaveState(Saving.SAVED)
        self._thread = threading.Thread(target=self._serve, name="store-writer", daemon=True)
        self._thread.start()

    # ------------------------------------------------------------------------------------------- handing over

    def add_entry(self, make: Callable[[int], tuple[Entry, Task]]) -> tuple[Entry, Task]:
        """Queue the entry that `make` makes of its number, and return it at once."""
        with self.changed:
            entry, task = make(self._sequence + 1)
            self._sequence += 1
            self.unsaved[entry.sequence] = entry
            self._add(task)
        return entry, task

    def add_blob(self, name: str, data: bytes) -> None:
        with self.changed:
            if name not in self.unwritten_blobs:
                self.unwritten_blobs[name] = data
                self._add(Task(_nothing, blob=(name, data)))

    def add(self, task: Task) -> None:
        with self.changed:
            self._add(task)

    def _add(self, task: Task) -> None:
        self._queue.append(task)
        self.changed.notify_all()

    @property
    def state(self) -> SaveState:
        with self.changed:
            return replace(self._state, unsaved=len(self.unsaved))

    @property
    def last_sequence(self) -> int:
        return self._sequence

    @property
    def connection(self) -> sqlite3.Connection | None:
        """Return the connection, for tests; only the writer's thread may use it."""
        return self._connection

    # ------------------------------------------------------------------------------------------------ stopping

    def retry_now(self) -> None:
        with self.changed:
            self._hurry = True
            self.changed.notify_all()

    def flush(self, wait_s: float) -> bool:
        """Wait until everything is on the disk; False when an attempt failed or the time is over.

        An attempt that had begun before does not count: what made it fail may be over by now.
        """
        with self.changed:
            begun = self._attempts
            self._hurry = True
            self.changed.notify_all()
            self.changed.wait_for(
                lambda: not self._queue or self._failed_attempt > begun or not self._is_serving(), wait_s
            )
            return not self._queue

    def stop(self, wait_s: float = _ENDING_S) -> None:
        """Stop at once; what is queued is not written. Waits until the file is closed, but not forever."""
        with self.changed:
            self._closing = True
            self.changed.notify_all()
        if self._thread is not threading.current_thread():
            self._thread.join(wait_s)

    def _is_serving(self) -> bool:
        return self._thread.is_alive() and not self.reason.message

    # ----------------------------------------------------------------------------------------------- the thread

    def _serve(self) -> None:
        """Write what is queued, in order, until closed. The one thread that writes."""
        try:
            while not self._closing:
                self._write_some()
        except ClaimLost:
            self._become_read_only(read_only.taken())
        except Replaced:
            self._become_read_only(read_only.replaced(self._folder))
        finally:
            if not self._closing and not self.reason.message:
                self._become_read_only(read_only.stopped())  # a mistake of ours ends it: never silently
            self._claim.release(self._connection)
            if self._connection is not None:
                self._connection.close()
                self._connection = None

    def _write_some(self) -> None:
        with self.changed:
            self.changed.wait_for(lambda: self._queue or self._closing, IDLE_CHECK_S)
            batch = list(islice(self._queue, _MOST_IN_ONE_COMMIT))
            self._attempts += 1
            self._hurry = False
        if self._closing:
            return
        if batch and self._state.saving is not Saving.WAITING:
            self._tell(Saving.WRITING)
        try:
            with self.at_work:
                if batch:
                    self._commit(batch)
                else:
                    self._look_around()
        except (sqlite3.Error, OSError) as error:
            self._wait_after(error)
            return
        self._on_written(batch)
        with self.changed:
            for task in batch:
                self._queue.popleft()
                if task.entry is not None:
                    del self.unsaved[task.entry.sequence]
                if task.blob is not None:
                    self.unwritten_blobs.pop(task.blob[0], None)
            more = bool(self._queue)
            self.changed.notify_all()
        for task in batch:
            task.done.set_result(None)
        if not more:
            self._tell(Saving.SAVED)

    def _commit(self, batch: list[Task]) -> None:
        """Write a batch in one transaction. When this returns, all of it is synced."""
        connection = self._connected()
        for task in batch:
            if task.blob is not None:
                self._blobs.write(*task.blob)
        connection.execute("BEGIN IMMEDIATE")
        try:
            self._claim.check(connection)
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
        self._claim.check(self._connected())

    def _wait_after(self, error: sqlite3.Error | OSError) -> None:
        log.warning("Saving %s failed: %s", self._folder, error)
        message, hint = project_file.in_words(error, self._folder)
        with self.changed:
            self._failed_attempt = self._attempts
            self.changed.notify_all()
        if self._connection is not None:  # a connection that failed is not trusted again
            with suppress(sqlite3.Error):
                self._connection.close()
            self._connection = None
        deadline = monotonic() + self.retry_s
        while not self._closing and (left := deadline - monotonic()) > 0:
            self._tell(Saving.WAITING, message, hint)
            with self.changed:
                count = len(self._queue)
                self.changed.wait_for(
                    lambda n=count: self._closing or self._hurry or len(self._queue) != n, left
                )
                if self._hurry:
                    return

    def _connected(self) -> sqlite3.Connection:
        """Return the connection to the file that was opened; FolderGone while it is not where it was."""
        if self._connection is not None:
            self._check_file()
            return self._connection
        path = self._folder / FILE_NAME
        number = file_number(path)
        if number is None:
            raise FolderGone(f"{path} is gone")
        connection = project_file.connect(path)
        if number != self._file:
            # Another file under our name, as after a drive came back: ours only if it holds all that was
            # confirmed.
            last = connection.execute("SELECT coalesce(max(sequence), 0) FROM journal").fetchone()[0]
            identity = connection.execute("SELECT value FROM meta WHERE name = 'id'").fetchone()
            confirmed = min(self.unsaved, default=self._sequence + 1) - 1
            if identity is None or identity[0] != self._id or last < confirmed:
                connection.close()
                raise Replaced
            self._file = number
        self._connection = connection
        return connection

    def _check_file(self) -> None:
        # Linux happily writes to a file that was deleted or moved; what is written there is lost.
        if file_number(self._folder / FILE_NAME) != self._file:
            raise FolderGone(f"{self._folder} is gone")

    def _become_read_only(self, reason: Reason) -> None:
        with self.changed:
            self.reason = reason
            self.changed.notify_all()
        self._tell(Saving.READ_ONLY, reason.message, reason.hint)

    def _tell(self, saving: Saving, message: str = "", hint: str = "") -> None:
        with self.changed:
            state = SaveState(saving, len(self.unsaved), message, hint)
            if state == self._state:
                return
            self._state = state
        self._on_state(state)


def _nothing(connection: sqlite3.Connection) -> None:
    """A blob needs no row of its own: the edit that names it comes after it."""


def _roll_back(connection: sqlite3.Connection) -> None:
    with suppress(sqlite3.Error):  # the error that led here is the one to tell
        if connection.in_transaction:
            connection.execute("ROLLBACK")


def file_number(path: Path) -> tuple[int, int] | None:
    """Return what tells one file from another of the same name; None when there is none."""
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_dev, status.st_ino
