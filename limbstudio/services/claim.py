"""The claim to write: of all windows that have a project open, only one may change it.

The project's file names the writer's token, and every transaction checks it: who lost the claim cannot write,
whatever else fails. Whether the named writer still lives is told by a lock on a file of that token, which the
operating system lets go when the process ends, however it ends.
"""

import contextlib
import getpass
import os
import platform
import sqlite3
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

if os.name == "nt":
    import msvcrt
else:
    import fcntl


@dataclass(frozen=True)
class Holder:
    """Who holds the claim. since: ISO time in UTC."""

    token: str
    who: str
    host: str
    since: str

    @property
    def words(self) -> str:
        place = "" if self.host == platform.node() else f" on {self.host}"
        return f"{self.who or 'someone'}{place}, since {self.since[:16].replace('T', ' ')} UTC"


class ClaimLost(Exception):
    """Another window has taken the project over."""


class Claim:
    """Our right to write, from `acquire` to `release`."""

    def __init__(self, folder: Path, token: str, handle: int | None) -> None:
        self.folder = folder
        self.token = token
        self._handle = handle

    @classmethod
    def acquire(cls, connection: sqlite3.Connection, folder: Path, *, take_over: bool) -> "Claim | Holder":
        """Claim the project, or return who holds it. sqlite3.Error when the file cannot be written."""
        token = uuid.uuid4().hex
        connection.execute("BEGIN IMMEDIATE")  # two windows that open at once: one after the other
        try:
            holder = current_holder(connection)
            if holder and not take_over and _is_alive(folder, holder):
                connection.execute("ROLLBACK")
                return holder
            handle = _lock(_lock_path(folder, token))
            connection.execute("DELETE FROM writer")
            now = datetime.now(UTC).isoformat()
            row = (token, _user(), platform.node(), os.getpid(), now)
            connection.execute(
                "INSERT INTO writer (token, who, host, process, since) VALUES (?,?,?,?,?)", row
            )
            connection.execute("COMMIT")
        except (sqlite3.Error, OSError):
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise
        if holder and holder.host == platform.node() and not _is_alive(folder, holder):
            _lock_path(folder, holder.token).unlink(missing_ok=True)
        return cls(folder, token, handle)

    def check(self, connection: sqlite3.Connection) -> None:
        """Raise ClaimLost when another window has the claim; call it inside the transaction that writes."""
        row = connection.execute("SELECT token FROM writer").fetchone()
        if row is None or row[0] != self.token:
            raise ClaimLost

    def release(self, connection: sqlite3.Connection | None) -> None:
        """Give the claim back; without a connection only the lock goes, which is enough."""
        if connection is not None:
            with contextlib.suppress(sqlite3.Error):  # the lock's end says it too
                connection.execute("DELETE FROM writer WHERE token = ?", (self.token,))
        if self._handle is not None:
            os.close(self._handle)
            self._handle = None
        with contextlib.suppress(OSError):
            _lock_path(self.folder, self.token).unlink(missing_ok=True)


def current_holder(connection: sqlite3.Connection) -> Holder | None:
    row = connection.execute("SELECT token, who, host, since FROM writer").fetchone()
    return Holder(*row) if row else None


def _user() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):  # a container may have no name for its user
        return ""


def _lock_path(folder: Path, token: str) -> Path:
    return folder / f".writer-{token}"


def _lock(path: Path) -> int | None:
    """Make and lock the file until its handle is closed; None where the file system has no locks."""
    handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        _lock_handle(handle)
    except OSError:
        os.close(handle)
        return None
    return handle


def _lock_handle(handle: int) -> None:
    if os.name == "nt":
        msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)  # pyright: ignore
    else:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)


def _is_alive(folder: Path, holder: Holder) -> bool:
    """Tell whether the holder still runs. Of another machine we cannot know: taken for alive, it can be
    overruled.
    """
    if holder.host != platform.node():
        return True
    path = _lock_path(folder, holder.token)
    try:
        # In a folder that cannot be written nobody writes: a copy of a project that was open when it was
        # copied.
        handle = os.open(path, os.O_RDWR if os.access(path, os.W_OK) else os.O_RDONLY)
    except FileNotFoundError:
        return False
    except OSError:
        return True
    try:
        _lock_handle(handle)
    except OSError:
        return True
    finally:
        os.close(handle)
    return False
