"""Blobs: masks, meshes and other large bytes, each a file named by its SHA-256, written once and never
changed.
"""

import hashlib
import io
import os
import re
from pathlib import Path

import numpy as np

from limbstudio.domain.errors import KnownError

_NAME = re.compile(r"(?<![0-9a-f])[0-9a-f]{64}(?![0-9a-f])")


def sync_folder(folder: Path) -> None:
    """Make the names in a folder survive a power cut (a file's own fsync does not cover its name)."""
    if os.name == "nt":  # Windows cannot open folders; NTFS journals names itself
        return
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def blob_name(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def blob_names_in(text: str) -> frozenset[str]:
    """Return every name that may be a blob's in a record's text, and other hashes of that length."""
    return frozenset(_NAME.findall(text))


class Blobs:
    """The blob files of a project. Safe to use from several threads: a name always means the same bytes."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def write(self, name: str, data: bytes) -> None:
        """Write `data` so that neither a crash nor a power cut leaves half of it; OSError when the disk
        refuses.
        """
        path = self.folder / name
        if self._holds(path, name):
            return
        if not self.folder.is_dir():
            self.folder.mkdir()
            sync_folder(self.folder.parent)
        temporary = self.folder / f".{name}.{os.getpid()}.part"
        try:
            with temporary.open("wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(path)
        except OSError:
            temporary.unlink(missing_ok=True)
            raise
        sync_folder(self.folder)

    def read(self, name: str) -> bytes:
        """Return the bytes of that name; KnownError when the file is gone or is no longer what it was."""
        path = self.folder / name
        try:
            data = path.read_bytes()
        except OSError as error:
            hint = "Restore the project's folder “blobs” from a backup, or make the result again."
            raise KnownError(
                f"A part of the project cannot be read: {path.name[:12]}… ({error.strerror}).", hint
            ) from error
        if blob_name(data) != name:
            hint = "Restore it from a backup, or make the result again."
            raise KnownError(f"A part of the project is damaged: {path}.", hint)
        return data

    @staticmethod
    def _holds(path: Path, name: str) -> bool:
        try:
            return blob_name(path.read_bytes()) == name
        except OSError:
            return False


def array_to_bytes(array: np.ndarray) -> bytes:
    """Return an array in numpy's own file format (never pickle)."""
    buffer = io.BytesIO()
    np.save(buffer, np.ascontiguousarray(array), allow_pickle=False)
    return buffer.getvalue()


def array_from_bytes(data: bytes) -> np.ndarray:
    try:
        return np.load(io.BytesIO(data), allow_pickle=False)
    except (ValueError, EOFError, OSError) as error:
        raise KnownError(f"A stored array cannot be read: {error}.", "Make the result again.") from error
