"""A copy of a project's file as it is at one moment, complete before it has its name."""

import os
import sqlite3
from pathlib import Path

from limbstudio.services import project_file
from limbstudio.services.blobs import sync_folder


def copy_file(source: sqlite3.Connection, target: Path) -> None:
    """Copy what `source` reads into the new file `target`, synced; OSError or sqlite3.Error when it cannot be.

    The copy is packed, needs no write-ahead log and names no writer. The project may go on being written.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    temporary = target.with_name(f".{target.name}.{os.getpid()}.part")
    for leftover in (temporary, temporary.with_name(f"{temporary.name}-journal")):
        leftover.unlink(missing_ok=True)
    try:
        source.execute("VACUUM INTO ?", (str(temporary),))
        copy = sqlite3.connect(temporary, isolation_level=None)
        try:
            copy.execute("PRAGMA synchronous=OFF")  # synced below, once
            copy.execute("DELETE FROM writer")
        finally:
            copy.close()
        sync_file(temporary)
        temporary.replace(target)
    except (OSError, sqlite3.Error):
        temporary.unlink(missing_ok=True)
        raise
    sync_folder(target.parent)


def copy_project_file(folder: Path, target: Path) -> None:
    """Copy the file of the project in `folder`, by a connection of its own."""
    source = project_file.connect_to_read(folder / project_file.FILE_NAME)
    try:
        copy_file(source, target)
    finally:
        source.close()


def sync_file(path: Path) -> None:
    handle = os.open(path, os.O_RDWR)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
