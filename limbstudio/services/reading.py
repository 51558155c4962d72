"""Reading a project's file from any thread, without ever waiting for a commit."""

import logging
import sqlite3
import threading
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from limbstudio.domain.errors import KnownError
from limbstudio.services import project_file

log = logging.getLogger(__name__)

# A project without a write-ahead log is read from a copy in memory, up to this size.
_MOST_MIRRORED_BYTES = 256 * 2**20


class ProjectClosed(KnownError):
    """Say that a project was closed while somebody was still reading it: who goes on alone ends then."""

    def __init__(self) -> None:
        super().__init__("The project was closed meanwhile.", "Open it again.")


class Reader:
    """A connection that only reads.

    With a write-ahead log a reader never waits. Without one (network drives, folders that are synced) a commit locks
    readers out for as long as the disk takes: then the file is read once into memory, and `take` keeps that copy in
    step.
    """

    def __init__(self, connection: sqlite3.Connection, folder: Path) -> None:
        self.on_disk = connection
        self._folder = folder
        self._lock = threading.Lock()
        self._is_closed = False
        self._mirror = _mirror_of(connection) if _must_mirror(connection, folder) else None

    @property
    def is_mirrored(self) -> bool:
        return self._mirror is not None

    def query(self, query: str, values: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
        """Return all rows; KnownError when the file cannot be read, `ProjectClosed` after `close`."""
        try:
            with self._lock:
                if self._is_closed:
                    raise ProjectClosed
                return (self._mirror or self.on_disk).execute(query, values).fetchall()
        except sqlite3.Error as error:
            if "no such table" in str(error):  # a project of an older format, opened to look at only
                return []
            message, hint = project_file.in_words(error, self._folder)
            raise KnownError(message, hint) from error

    def take(self, writes: Iterable[Callable[[sqlite3.Connection], None]]) -> None:
        """Keep the copy in memory in step with what was committed."""
        if self._mirror is None:
            return
        with self._lock:
            if self._is_closed:
                return
            for write in writes:
                write(self._mirror)

    def close(self) -> None:
        with self._lock:
            self._is_closed = True
            self.on_disk.close()
            if self._mirror is not None:
                self._mirror.close()


def _must_mirror(connection: sqlite3.Connection, folder: Path) -> bool:
    if connection.execute("PRAGMA database_list").fetchone()[2] == "":
        return False  # it is in memory already
    if connection.execute("PRAGMA journal_mode").fetchone()[0] == "wal":
        return False
    return (folder / project_file.FILE_NAME).stat().st_size <= _MOST_MIRRORED_BYTES


def _mirror_of(connection: sqlite3.Connection) -> sqlite3.Connection | None:
    mirror = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
    try:
        connection.backup(mirror)
    except sqlite3.Error as error:  # a damaged page: what can be read is read from the file
        log.info("The project is not mirrored: %s", error)
        mirror.close()
        return None
    return mirror
