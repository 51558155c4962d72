"""The file `project.sqlite`: its tables, how it is opened, mended and, when damaged, read as far as
possible.
"""

import errno
import json
import logging
import shutil
import sqlite3
import tempfile
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from limbstudio.domain.errors import KnownError
from limbstudio.domain.record_map import RecordMap
from limbstudio.services import places
from limbstudio.services.blobs import sync_folder
from limbstudio.services.stored_records import Row, StoredRecords

log = logging.getLogger(__name__)

FILE_NAME = "project.sqlite"
APPLICATION_ID = 0x4C494D42  # "LIMB"
# A newer minor version has more (tables, indices); a newer major version means other things by the same.
FORMAT = (1, 1)
MINORS = 1000  # user_version = major * MINORS + minor

# A file is made with these; one of an older format is brought to them by `migrating`.
_SCHEMA = (
    "CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL)",
    "CREATE TABLE record (kind TEXT NOT NULL, id TEXT NOT NULL, photo TEXT, subject TEXT, body TEXT NOT NULL,"
    " hash TEXT NOT NULL, sequence INTEGER NOT NULL, PRIMARY KEY (kind, id))",
    "CREATE TABLE journal (sequence INTEGER PRIMARY KEY, time TEXT NOT NULL, who TEXT NOT NULL,"
    " label TEXT NOT NULL, human INTEGER NOT NULL, photo TEXT, subject TEXT, kind TEXT NOT NULL, target INTEGER,"
    " merge_key TEXT, session TEXT NOT NULL)",
    "CREATE TABLE change (sequence INTEGER NOT NULL, place INTEGER NOT NULL, kind TEXT NOT NULL, id TEXT NOT NULL,"
    " photo TEXT, subject TEXT, before TEXT, after TEXT, PRIMARY KEY (sequence, place))",
    "CREATE TABLE result (hash TEXT PRIMARY KEY, stage TEXT NOT NULL, body TEXT NOT NULL, made TEXT NOT NULL)",
    "CREATE TABLE writer (token TEXT PRIMARY KEY, who TEXT NOT NULL, host TEXT NOT NULL, process INTEGER NOT NULL,"
    " since TEXT NOT NULL, sequence INTEGER NOT NULL DEFAULT 0)",
    "CREATE TABLE checkpoint (name TEXT PRIMARY KEY, sequence INTEGER NOT NULL, time TEXT NOT NULL,"
    " who TEXT NOT NULL)",
    "CREATE INDEX journal_of_photo ON journal (photo, sequence)",
    "CREATE INDEX change_of_photo ON change (photo, sequence)",
    "CREATE INDEX record_of_photo ON record (photo)",
)
# The journal is only ever added to; `compacting` alone lifts them, inside its transaction.
GUARDS = {
    f"{table}_{name}": f"CREATE TRIGGER {table}_{name} BEFORE {verb} ON {table}"
    " BEGIN SELECT RAISE(ABORT, 'append-only'); END"
    for table in ("journal", "change")
    for name, verb in (("keeps", "DELETE"), ("stands", "UPDATE"))
}

# Up to this size the whole file is checked when it is opened (some ms per MB).
_CHECKED_BYTES = 32 * 2**20


@dataclass(frozen=True)
class Loaded:
    """What a project file holds. problems: for people, one sentence per thing that could not be read.

    folders_then: where the project has been, so that photos that moved with it are found. stored: reads the records
    that were not read yet.
    """

    name: str
    id: str
    records: RecordMap
    last_sequence: int
    problems: tuple[str, ...]
    folders_then: tuple[str, ...]
    stored: StoredRecords = field(default_factory=StoredRecords)


def create(path: Path, name: str) -> None:
    """Make a new project file, complete before it has its name; OSError or sqlite3.Error when the disk
    refuses.
    """
    temporary = path.with_name(f".{path.name}.new")
    for leftover in (temporary, temporary.with_name(temporary.name + "-journal")):
        leftover.unlink(missing_ok=True)
    connection = sqlite3.connect(temporary, isolation_level=None)
    try:
        connection.execute("PRAGMA synchronous=EXTRA")
        connection.execute(f"PRAGMA application_id={APPLICATION_ID}")
        connection.execute("BEGIN")
        for statement in (*_SCHEMA, *GUARDS.values()):
            connection.execute(statement)
        connection.execute(f"PRAGMA user_version={FORMAT[0] * MINORS + FORMAT[1]}")
        now = datetime.now(UTC).isoformat()
        meta = {
            "name": name,
            "id": uuid.uuid4().hex,
            "created": now,
            "folders": json.dumps([str(path.parent.absolute())]),
        }
        connection.executemany("INSERT INTO meta VALUES (?, ?)", meta.items())
        connection.execute("COMMIT")
    finally:
        connection.close()
    temporary.rename(path)
    sync_folder(path.parent)


def rename_identity(path: Path) -> None:
    """Give a file that was made from a backup an identity of its own: from now on it is another project."""
    connection = sqlite3.connect(path, isolation_level=None)
    try:
        connection.execute("PRAGMA synchronous=EXTRA")
        connection.execute("INSERT OR REPLACE INTO meta VALUES ('id', ?)", (uuid.uuid4().hex,))
    finally:
        connection.close()


def connect(path: Path) -> sqlite3.Connection:
    """Open the file for writing, so that a commit that returned is on the disk. The file must exist.

    Commits are synced (FULL) in a write-ahead log; where that cannot be (network drives) or would be copied
    apart from its file (folders that are synced), in a rollback journal, whose removal is synced too (EXTRA).
    """
    connection = sqlite3.connect(
        f"{path.absolute().as_uri()}?mode=rw",
        uri=True,
        isolation_level=None,
        timeout=2.0,
        check_same_thread=False,
    )
    try:
        check_identity(connection, path)
        if places.is_network(path) or places.sync_program(path.parent) or not _uses_log(connection):
            log.info("No write-ahead log for %s: a rollback journal is used.", path)
            connection.execute("PRAGMA journal_mode=DELETE")
            connection.execute("PRAGMA synchronous=EXTRA")
        else:
            connection.execute("PRAGMA synchronous=FULL")
    except (sqlite3.Error, KnownError):
        connection.close()
        raise
    return connection


def _uses_log(connection: sqlite3.Connection) -> bool:
    try:
        return connection.execute("PRAGMA journal_mode=WAL").fetchone()[0] == "wal"
    except sqlite3.OperationalError as error:
        if is_read_only(error) or error.sqlite_errorcode & 0xFF == sqlite3.SQLITE_BUSY:
            raise
        return False


def connect_to_read(path: Path) -> sqlite3.Connection:
    """Open the file without ever changing it, also where nothing can be written beside it."""
    uri = path.absolute().as_uri()
    try:
        return _opened(f"{uri}?mode=ro", path)
    except sqlite3.OperationalError:
        log.info("%s is opened from a folder that cannot be written.", path)
    log_file = path.with_name(path.name + "-wal")
    if not log_file.is_file() or log_file.stat().st_size == 0:
        return _opened(f"{uri}?immutable=1", path)
    # Edits wait in a log that only a writable folder can merge: read a copy, or they would be missing.
    with tempfile.TemporaryDirectory(prefix="limbstudio-", ignore_cleanup_errors=True) as copies:
        copy = Path(copies) / path.name
        shutil.copyfile(path, copy)
        shutil.copyfile(log_file, copy.with_name(copy.name + "-wal"))
        merged = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
        on_disk = sqlite3.connect(copy)
        try:
            on_disk.backup(merged)
        finally:
            on_disk.close()
    return merged


def _opened(uri: str, path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(uri, uri=True, isolation_level=None, timeout=2.0, check_same_thread=False)
    try:
        check_identity(connection, path)
    except (sqlite3.Error, KnownError):
        connection.close()
        raise
    return connection


def check_identity(connection: sqlite3.Connection, path: Path) -> None:
    """Raise KnownError when the file is a database of another program."""
    if connection.execute("PRAGMA application_id").fetchone()[0] != APPLICATION_ID:
        connection.execute(
            "SELECT count(*) FROM sqlite_master"
        ).fetchone()  # a damaged file fails here, as damaged
        hint = "Choose a folder that ends in .limb and was made by LimbStudio."
        raise KnownError(f"{path} is not a LimbStudio project.", hint)


def format_of(connection: sqlite3.Connection) -> tuple[int, int]:
    """Return the file's format, (major, minor)."""
    return divmod(connection.execute("PRAGMA user_version").fetchone()[0], MINORS)


# ---------------------------------------------------------------------------------------------------- reading


def load(connection: sqlite3.Connection, path: Path) -> Loaded:
    """Read all records, and as many as possible from a damaged file."""
    problems: list[str] = []
    stored = StoredRecords()
    if path.stat().st_size <= _CHECKED_BYTES and (complaint := _check(connection)):
        problems.append(f"The project's file is damaged ({complaint}).")
    found = stored.load(_rows(connection, problems))
    problems += stored.problems
    meta = _meta(connection, problems)
    last = _last_sequence(connection, problems)
    name = meta.get("name", path.parent.stem)
    return Loaded(name, meta.get("id", ""), found, last, tuple(problems), _folders(meta), stored)


def _folders(meta: Mapping[str, str]) -> tuple[str, ...]:
    try:
        return tuple(str(folder) for folder in json.loads(meta.get("folders", "[]")))
    except (ValueError, TypeError):  # only helps to find photos: not worth calling a project damaged
        return ()


def note_folder(connection: sqlite3.Connection, folder: Path, then: tuple[str, ...]) -> None:
    """Remember that the project is at `folder` now."""
    if str(folder.absolute()) not in then:
        value = json.dumps([*then[-19:], str(folder.absolute())])
        connection.execute("INSERT OR REPLACE INTO meta VALUES ('folders', ?)", (value,))


def _check(connection: sqlite3.Connection) -> str:
    try:
        answer = str(connection.execute("PRAGMA quick_check(1)").fetchone()[0])
    except sqlite3.DatabaseError as error:
        return str(error)
    return "" if answer == "ok" else " ".join(answer.split())


def _rows(connection: sqlite3.Connection, problems: list[str]) -> Iterator[Row]:
    """Yield the rows in the order they were made; past a damaged page, those that can be reached from the
    other end.
    """
    last_read = 0
    columns = "kind, id, photo, body, hash, rowid"
    try:
        for row in connection.execute(f"SELECT {columns} FROM record ORDER BY rowid"):
            last_read = row[5]
            yield row[:5]
        return
    except (sqlite3.DatabaseError, UnicodeDecodeError) as error:
        problems.append(f"Some records cannot be read ({error}).")
    from_the_end = []
    try:
        query = f"SELECT {columns} FROM record WHERE rowid > ? ORDER BY rowid DESC"
        for row in connection.execute(query, (last_read,)):
            from_the_end.append(row[:5])
    except (sqlite3.DatabaseError, UnicodeDecodeError):
        log.warning("%d records were reached from the other end.", len(from_the_end))
    yield from reversed(from_the_end)


def _meta(connection: sqlite3.Connection, problems: list[str]) -> dict[str, str]:
    try:
        return dict(connection.execute("SELECT name, value FROM meta"))
    except sqlite3.DatabaseError as error:
        problems.append(f"The project's name cannot be read ({error}).")
        return {}


def _last_sequence(connection: sqlite3.Connection, problems: list[str]) -> int:
    try:
        return connection.execute("SELECT coalesce(max(sequence), 0) FROM journal").fetchone()[0]
    except sqlite3.DatabaseError as error:
        problems.append(f"The journal cannot be read ({error}).")
        return 0


# -------------------------------------------------------------------------------------------- errors in words


def is_read_only(error: Exception) -> bool:
    """Tell whether the disk refuses to be written, by permission or because it is mounted so."""
    if isinstance(error, sqlite3.Error):
        code = getattr(error, "sqlite_errorcode", 0) & 0xFF
        return code in (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PERM, sqlite3.SQLITE_CANTOPEN)
    return isinstance(error, OSError) and error.errno in (errno.EROFS, errno.EACCES, errno.EPERM)


def in_words(error: Exception, folder: Path) -> tuple[str, str]:
    """Return what a failed write means, and what to do: (message, hint)."""
    again = "LimbStudio tries again every few seconds; keep it open until it says “saved”."
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    number = getattr(error, "errno", None)
    if isinstance(error, FolderGone) or number in (errno.ENOENT, errno.ENOTDIR):
        hint = f"Connect the drive again or move the folder back. {again}"
        return f"The project's folder is gone: {folder}.", hint
    if code == sqlite3.SQLITE_FULL or number in (errno.ENOSPC, errno.EDQUOT):
        return f"The disk is full: {folder}.", f"Free some space on it. {again}"
    if is_read_only(error):
        return (
            f"The project's folder cannot be written: {folder}.",
            f"Check its permissions and the disk. {again}",
        )
    if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        return f"Another program holds the project's file: {folder}.", f"Close it, or let it finish. {again}"
    if code in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
        return (
            f"The project's file was damaged while it was open: {folder}.",
            "Export your work, then use a backup.",
        )
    return f"The disk reports an error for {folder}: {error}.", again


class FolderGone(OSError):
    """The file that was opened is no longer where it was: moved, deleted, or its drive was taken away."""
