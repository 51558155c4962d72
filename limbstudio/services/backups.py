"""Backups: copies of the project's file, made by themselves while one works, kept for weeks, and ready to go back to.

They lie in the project's folder “backups”, where the project's blobs serve them too, or in a folder of the user's
choice, with copies of the blobs.
"""

import json
import logging
import os
import re
import shutil
import sqlite3
import threading
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path

from limbstudio.domain.errors import KnownError
from limbstudio.services import copying, opening, project_file, settings
from limbstudio.services.blobs import Blobs, sync_folder
from limbstudio.services.store import Store

log = logging.getLogger(__name__)

FIRST_S, EVERY_S = 60.0, 1800.0
# Automatic backups that are kept: the newest, one a day, one a week.
_NEWEST, _DAYS, _WEEKS = 6, 14, 8
_NAME = re.compile(r"(\d{8}T\d{6}Z)_(automatic|checkpoint|before-[a-z0-9.]+)(?:_(\d+))?(?:_(.*))?\.sqlite")
_SETTINGS = "backups.json"


class BackupKind(StrEnum):
    """Why a backup was made. Only AUTOMATIC ones make room for newer ones."""

    AUTOMATIC = "automatic"
    CHECKPOINT = "checkpoint"
    BEFORE = "before"


@dataclass(frozen=True)
class Backup:
    """One copy. name: of a checkpoint, or before what it was made. sequence: the last edit in it, at least."""

    path: Path
    time: datetime
    kind: BackupKind
    sequence: int
    name: str
    size: int

    @property
    def words(self) -> str:
        when = f"{self.time.astimezone():%Y-%m-%d %H:%M}"
        if self.kind is BackupKind.CHECKPOINT:
            return f"checkpoint “{self.name}” of {when}"
        if self.kind is BackupKind.BEFORE:
            return f"backup of {when}, before {self.name}"
        return f"backup of {when}"


# ------------------------------------------------------------------------------------------------------ where


def chosen_folder() -> Path | None:
    """Return the user's folder for backups of all projects; None: in each project."""
    try:
        text = json.loads((settings.home_folder() / _SETTINGS).read_text(encoding="utf-8")).get("folder")
    except (OSError, ValueError, AttributeError):
        return None
    return Path(text) if isinstance(text, str) and text else None


def choose_folder(folder: Path | None) -> None:
    """Keep backups in `folder` from now on (None: in each project); KnownError when it cannot be written."""
    from limbstudio.formats.whole_files import write_whole

    if folder is not None and not (folder.is_dir() and os.access(folder, os.W_OK)):
        raise KnownError(f"{folder} is no folder that can be written.", "Choose another one.")
    home = settings.home_folder()
    home.mkdir(parents=True, exist_ok=True)
    value = {} if folder is None else {"folder": str(folder.absolute())}
    write_whole(home / _SETTINGS, json.dumps(value).encode())


def folder_for(project: Path, identity: str) -> Path:
    """Return where the backups of a project are made now."""
    chosen = chosen_folder()
    return project / "backups" if chosen is None else chosen / f"{project.stem} {identity[:8]}"


def backups_of(project: Path, identity: str) -> tuple[Backup, ...]:
    """Return the backups of a project, newest first, wherever they are."""
    folders = {project / "backups", folder_for(project, identity)}
    found = [b for folder in folders if folder.is_dir() for b in map(_read_name, folder.iterdir()) if b]
    return tuple(sorted(found, key=lambda b: (b.time, b.path.name), reverse=True))


def _read_name(path: Path) -> Backup | None:
    match = _NAME.fullmatch(path.name)
    if match is None:
        return None
    stamp, kind, sequence, name = match.groups()
    time = datetime.strptime(stamp, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    before = kind.partition("before-")[2]
    words = f"format {before}" if before[:1].isdigit() else before
    kind = BackupKind.BEFORE if before else BackupKind(kind)
    try:
        size = path.stat().st_size
    except OSError:
        return None
    return Backup(path, time, kind, int(sequence or 0), words or name or "", size)


# ----------------------------------------------------------------------------------------------------- making


def make(project: Path, *, identity: str, kind: str = BackupKind.AUTOMATIC, name: str = "") -> Backup:
    """Copy the project's file now. kind: a `BackupKind`, or "before-WHAT". OSError or sqlite3.Error when it cannot be.

    Blobs go along where the backups lie outside the project. The project may be written meanwhile.
    """
    folder = folder_for(project, identity)
    now = datetime.now(UTC)
    sequence = last_sequence(project)
    slug = re.sub(r"[^\w .()-]+", "-", name).strip(" .")[:60]
    stem = f"{now:%Y%m%dT%H%M%SZ}_{kind}_{sequence:06d}" + (f"_{slug}" if slug else "")
    path = folder / f"{stem}.sqlite"
    copying.copy_project_file(project, path)
    if folder.parent != project:
        copy_blobs(project / "blobs", folder / "blobs")
    made = _read_name(path)
    assert made is not None
    return made


def make_of(project: Path) -> Backup:
    """Copy a project's file now; KnownError when it cannot be."""
    opening.file_of(project)
    try:
        connection = project_file.connect_to_read(project / project_file.FILE_NAME)
        try:
            row = connection.execute("SELECT value FROM meta WHERE name = 'id'").fetchone()
        finally:
            connection.close()
        return make(project, identity=row[0] if row else "")
    except (OSError, sqlite3.Error) as error:
        message = project_file.in_words(error, project)[0]
        raise KnownError(f"No backup could be made. {message}", "Mend that and try again.") from error


def last_sequence(project: Path) -> int:
    """Return the number of the last edit that the project's file holds."""
    connection = project_file.connect_to_read(project / project_file.FILE_NAME)
    try:
        return connection.execute("SELECT coalesce(max(sequence), 0) FROM journal").fetchone()[0]
    finally:
        connection.close()


def copy_blobs(source: Path, target: Path, names: Iterable[str] | None = None) -> None:
    """Copy the blobs that `target` does not have; a name always means the same bytes."""
    target.mkdir(parents=True, exist_ok=True)
    wanted = names if names is not None else [p.name for p in source.iterdir() if not p.name.startswith(".")]
    for name in wanted:
        if (target / name).exists() or not (source / name).exists():
            continue
        temporary = target / f".{name}.{os.getpid()}.part"
        shutil.copyfile(source / name, temporary)
        copying.sync_file(temporary)
        temporary.replace(target / name)
    sync_folder(target)


def superfluous(backups: Sequence[Backup]) -> tuple[Backup, ...]:
    """Return the automatic backups that newer ones stand for."""
    automatic = sorted(
        (b for b in backups if b.kind is BackupKind.AUTOMATIC), key=lambda b: b.time, reverse=True
    )
    kept = set(automatic[:_NEWEST])
    for count, format_ in ((_DAYS, "%Y-%m-%d"), (_WEEKS, "%G-%V")):
        spans: dict[str, Backup] = {}
        for backup in automatic:  # the newest of each day and week
            spans.setdefault(backup.time.strftime(format_), backup)
        kept.update(list(spans.values())[:count])
    return tuple(b for b in automatic if b not in kept)


def restore(backup: Path, folder: Path) -> None:
    """Make a project in the new folder `folder` from a backup's file and the blobs that lie near it.

    KnownError when the backup cannot be read or the folder cannot be made.
    """
    opening.must_be_new(folder)
    try:
        source = project_file.connect_to_read(backup)
    except (OSError, sqlite3.Error) as error:
        raise KnownError(f"The backup {backup} cannot be read ({error}).", "Choose another one.") from error
    try:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "blobs").mkdir()
        for blobs in blob_folders_near(backup):
            copy_blobs(blobs, folder / "blobs")
        copying.copy_file(source, folder / project_file.FILE_NAME)
        project_file.rename_identity(folder / project_file.FILE_NAME)
        sync_folder(folder.absolute().parent)
    except (OSError, sqlite3.Error) as error:
        message, _ = project_file.in_words(error, folder)
        raise KnownError(f"The backup cannot be restored. {message}", "Choose another place.") from error
    finally:
        source.close()


def blob_folders_near(backup: Path) -> list[Path]:
    """Return the folders with blobs that a backup may speak of: beside it, and of the project it lies in."""
    near = [backup.parent / "blobs", backup.parent.parent / "blobs"]
    return [folder for folder in near if folder.is_dir()]


def bring_back_blobs(store: Store, names: Iterable[str]) -> None:
    """Give the project the blobs of these names that only its backups still have."""
    for name in names:
        if (store.folder / "blobs" / name).exists():
            continue
        for folder in {
            store.folder / "backups" / "blobs",
            folder_for(store.folder, store.identity) / "blobs",
        }:
            if (folder / name).exists():
                store.put_blob(Blobs(folder).read(name))
                break


# ------------------------------------------------------------------------------------------------ by themselves


class BackupKeeper:
    """Back an open project up every half hour in which something changed, in a thread, until `stop`.

    on_problem: gets a sentence and a hint when a backup cannot be made, once per cause.
    """

    def __init__(
        self,
        store: Store,
        *,
        on_problem: Callable[[str, str], None],
        first_s: float = FIRST_S,
        every_s: float = EVERY_S,
    ) -> None:
        self._store = store
        self._on_problem = on_problem
        self._first_s, self._every_s = first_s, every_s
        self._told = ""
        self._waking = threading.Condition()
        self._wanted: list[tuple[str, str]] = []
        self._stopping = False
        self._thread = threading.Thread(target=self._serve, name="store-backups", daemon=True)
        self._thread.start()

    def back_up(self, kind: str, name: str = "") -> None:
        """Make one soon; returns at once."""
        with self._waking:
            self._wanted.append((kind, name))
            self._waking.notify_all()

    def stop(self) -> None:
        """Make what was asked for and stop."""
        with self._waking:
            self._stopping = True
            self._waking.notify_all()
        self._thread.join(5.0)

    def _serve(self) -> None:
        wait_s = self._first_s
        while True:
            with self._waking:
                self._waking.wait_for(lambda: self._stopping or self._wanted, wait_s)
                wanted, self._wanted = self._wanted, []
                if self._stopping and not wanted:
                    return
            self._make_all(wanted)
            wait_s = self._every_s

    def _make_all(self, wanted: list[tuple[str, str]]) -> None:
        store = self._store
        try:
            known = backups_of(store.folder, store.identity)
            newest = max((b.sequence for b in known if b.kind is not BackupKind.BEFORE), default=0)
            if not wanted and last_sequence(store.folder) > newest:
                wanted = [(BackupKind.AUTOMATIC, "")]
            for kind, name in wanted:
                with store.copying_lock():
                    make(store.folder, identity=store.identity, kind=kind, name=name)
            for backup in superfluous(backups_of(store.folder, store.identity)):
                backup.path.unlink(missing_ok=True)
            self._told = ""
        except (OSError, sqlite3.Error, KnownError) as error:
            self._tell(error)

    def _tell(self, error: Exception) -> None:
        log.warning("No backup of %s: %s", self._store.folder, error)
        if isinstance(error, OSError | sqlite3.Error):
            message = project_file.in_words(error, folder_for(self._store.folder, self._store.identity))[0]
        else:
            message = str(error)
        if message != self._told:
            self._told = message
            self._on_problem(
                f"No backup could be made. {message}", "Your edits are saved in the project all the same."
            )
