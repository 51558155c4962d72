"""Following: a window that may only look sees the edits of the one that has the project as they are made."""

import logging
import sqlite3
import threading
from collections.abc import Callable
from pathlib import Path

from limbstudio.domain.errors import KnownError
from limbstudio.services import claim, project_file
from limbstudio.services.journal import Entry, read_entries

log = logging.getLogger(__name__)

POLL_S = 0.5


class Follower:
    """Look at the file twice a second, in a thread and by a connection of its own, until `stop`.

    on_entries: gets the new entries, in order. on_free: called once when no window has the project any more.
    on_lost: called, with why, when it can be followed no longer.
    """

    def __init__(
        self,
        folder: Path,
        *,
        last_sequence: int,
        on_entries: Callable[[list[Entry]], None],
        on_free: Callable[[], None],
        on_lost: Callable[[str], None],
    ) -> None:
        self._folder = folder
        self._last = last_sequence
        self._on_entries, self._on_free, self._on_lost = on_entries, on_free, on_lost
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._serve, name="store-follower", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._stopping.set()
        if self._thread is not threading.current_thread():
            self._thread.join(3.0)

    def _serve(self) -> None:
        connection: sqlite3.Connection | None = None
        version, was_held = None, True
        try:
            while not self._stopping.is_set():
                try:
                    connection = connection or project_file.connect_to_read(
                        self._folder / project_file.FILE_NAME
                    )
                    now = connection.execute("PRAGMA data_version").fetchone()[0]
                    if now != version:
                        version = now
                        self._take(connection)
                        is_held = claim.current_holder(connection) is not None
                        if was_held and not is_held:
                            self._on_free()
                        was_held = is_held
                except (sqlite3.Error, OSError) as error:  # a drive that is away for a while: looked at again
                    log.info("%s cannot be followed just now: %s", self._folder, error)
                    connection, version = _closed(connection), None
                self._stopping.wait(POLL_S)
        except KnownError as error:
            self._on_lost(error.message)
        finally:
            _closed(connection)

    def _take(self, connection: sqlite3.Connection) -> None:
        entries = read_entries(lambda text, values: connection.execute(text, values).fetchall(), self._last)
        if entries:
            self._on_entries(entries)
            self._last = entries[-1].sequence


def _closed(connection: sqlite3.Connection | None) -> None:
    if connection is not None:
        connection.close()
