"""Opening a project's folder: to write, or, with the reason why, only to read."""

import logging
import sqlite3
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from limbstudio.domain.errors import KnownError
from limbstudio.services import migrating, places, project_file, read_only
from limbstudio.services.blobs import sync_folder
from limbstudio.services.claim import Claim, Holder
from limbstudio.services.project_file import FILE_NAME
from limbstudio.services.read_only import Reason
from limbstudio.services.reading import Reader

log = logging.getLogger(__name__)

SUFFIX = ".limb"
# Clocks of two computers differ by seconds; more than this is a clock that was set back.
_CLOCK_SLACK = timedelta(minutes=2)


@dataclass(frozen=True)
class Opened:
    """What opening a folder gave. connection, claim: None when it is read-only, and `reason` says why.

    notes: sentences for people: nothing is wrong, but they should know.
    """

    folder: Path
    loaded: project_file.Loaded
    reader: Reader
    reason: Reason = Reason()
    connection: sqlite3.Connection | None = None
    claim: Claim | None = None
    notes: tuple[str, ...] = ()


def make(folder: Path, name: str = "") -> None:
    """Make a new project folder; KnownError when that cannot be done."""
    must_be_new(folder)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "blobs").mkdir()
        project_file.create(folder / FILE_NAME, name or folder.stem)
        sync_folder(folder.absolute().parent)
    except (OSError, sqlite3.Error) as error:
        message, _ = project_file.in_words(error, folder)
        raise KnownError(f"The project cannot be made. {message}", "Choose another place.") from error


def must_be_new(folder: Path) -> None:
    """Raise KnownError when something is at `folder` already."""
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        hint = "Open it, or choose another name. Nothing was changed."
        raise KnownError(f"There is something at {folder} already.", hint)


def open_folder(folder: Path, *, take_over: bool = False, only_look: bool = False) -> Opened:
    """Open a project folder; see `Store.open`."""
    path = file_of(folder)
    try:
        if only_look:
            return _to_read(folder, read_only.LOOKING)
        return _to_write(folder, path, take_over=take_over)
    except sqlite3.DatabaseError as error:
        if is_damage(error):
            raise read_only.ruined(folder, str(error)) from error
        raise KnownError(project_file.in_words(error, folder)[0], "Nothing was changed.") from error
    except OSError as error:
        raise KnownError(project_file.in_words(error, folder)[0], "Nothing was changed.") from error


def _to_write(folder: Path, path: Path, *, take_over: bool) -> Opened:
    try:
        connection = project_file.connect(path)
    except sqlite3.DatabaseError as error:
        if is_damage(error):
            return _to_read(folder, read_only.damaged(folder, (f"SQLite says: {error}.",)))
        if project_file.is_read_only(error):
            return _to_read(folder, read_only.locked_folder(folder))
        raise
    try:
        opened = _claimed(connection, folder, path, take_over=take_over)
    except (sqlite3.Error, OSError) as error:
        connection.close()
        if project_file.is_read_only(error):
            return _to_read(folder, read_only.locked_folder(folder))
        raise
    if isinstance(opened, Opened):
        return opened
    connection.close()
    return _to_read(folder, opened)


def _claimed(connection: sqlite3.Connection, folder: Path, path: Path, *, take_over: bool) -> Opened | Reason:
    """Become the writer, or say why not."""
    version = project_file.format_of(connection)
    if version > project_file.FORMAT:
        return read_only.newer(*version)
    claim = Claim.acquire(connection, folder, take_over=take_over)
    if isinstance(claim, Holder):
        return read_only.held(claim)
    try:
        try:
            note = migrating.bring_up_to_date(connection, folder)
        except KnownError as error:
            claim.release(connection)
            return read_only.not_migrated(error.message, error.hint)
        loaded = project_file.load(
            connection, path
        )  # after the claim: the last writer's last edits are in it
        if loaded.problems:
            claim.release(connection)
            return read_only.damaged(folder, loaded.problems)
        project_file.note_folder(connection, folder, loaded.folders_then)
        notes = (note, *_notes(connection, folder))
        reader = Reader(project_file.connect_to_read(path), folder)
    except (sqlite3.Error, OSError):
        claim.release(connection)
        raise
    return Opened(folder, loaded, reader, Reason(), connection, claim, tuple(n for n in notes if n))


def _to_read(folder: Path, reason: Reason) -> Opened:
    path = folder / FILE_NAME
    connection = project_file.connect_to_read(path)
    loaded = project_file.load(connection, path)
    if loaded.problems and not loaded.records:
        connection.close()
        if reason.is_newer:
            raise KnownError(
                reason.message.replace("is read-only: it was", "cannot be shown here: it was"),
                f"{reason.hint} Nothing was changed.",
            )
        raise read_only.ruined(folder, loaded.problems[0])
    if loaded.problems and not reason.is_damage:
        reason = replace(reason, message=f"{reason.message} {loaded.problems[0]}")
    return Opened(folder, loaded, Reader(connection, folder), reason)


def _notes(connection: sqlite3.Connection, folder: Path) -> tuple[str, ...]:
    """Return what a person should know about this place and this computer's clock."""
    notes = []
    path = folder / FILE_NAME
    if places.is_network(path):
        notes.append(
            f"The project lies on a network drive ({places.file_system(path)}). It is kept there without a write-ahead "
            "log, which such drives break; saving takes longer. Open it on one computer at a time."
        )
    if program := places.sync_program(folder):
        notes.append(
            f"The project lies in a folder that {program} copies to other computers. Open it on one computer at a "
            "time, and only when the copying has ended; a folder outside is safer."
        )
    if copies := places.conflicting_copies(path):
        names = ", ".join(p.name for p in copies)
        notes.append(
            f"Beside the project's file lies a second one ({names}): two computers changed the project. Open a copy "
            "of the folder with that file in its place to see what it holds."
        )
    row = connection.execute("SELECT time FROM journal ORDER BY sequence DESC LIMIT 1").fetchone()
    if row is not None and (behind := clock_behind(row[0])):
        notes.append(
            f"This computer's clock is {behind} behind the last edit. Edits keep their order, which goes by their "
            "numbers, but their times will not fit: set the clock."
        )
    return tuple(notes)


def clock_behind(last: str, now: datetime | None = None) -> str:
    """Say by how much the clock is behind a time that was written; empty when it is not."""
    with suppress(ValueError):
        gap = datetime.fromisoformat(last) - (now or datetime.now(UTC))
        if gap > _CLOCK_SLACK:
            minutes = gap.total_seconds() / 60
            if minutes < 120:
                return f"{minutes:.0f} minutes"
            return f"{minutes / 60:.0f} hours" if minutes < 2880 else f"{minutes / 1440:.0f} days"
    return ""


def file_of(folder: Path) -> Path:
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
        raise read_only.ruined(folder, f"{FILE_NAME} is empty.")
    return path


def is_damage(error: sqlite3.Error) -> bool:
    return getattr(error, "sqlite_errorcode", 0) & 0xFF in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)
