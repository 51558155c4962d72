"""Files written whole or not at all: a crash or a full disk leaves the old file as it was."""

import contextlib
import errno
import os
import tempfile
from pathlib import Path

from limbstudio.domain.errors import KnownError

_REASONS = {
    errno.ENOSPC: ("the disk is full", "Free some space, or choose another disk."),
    errno.EDQUOT: ("your disk quota is used up", "Free some space, or choose another disk."),
    errno.EFBIG: ("a file may not be that large here", "Choose another disk, or ask who set the limit."),
    errno.EROFS: ("the disk is read-only", "Choose a folder that may be written."),
    errno.EACCES: ("the folder may not be written", "Choose another folder, or ask for permission."),
    errno.EPERM: ("the folder may not be written", "Choose another folder, or ask for permission."),
    errno.ENOENT: ("the folder does not exist", "Make the folder first, or choose another."),
    errno.ENOTDIR: ("a part of the path is not a folder", "Choose another folder."),
    errno.EISDIR: ("a folder of that name is in the way", "Choose another name."),
    errno.ENAMETOOLONG: ("the name is too long", "Choose a shorter name."),
}


def write_whole(path: Path | str, data: bytes) -> None:
    """Write `data` to `path` by a temporary file, fsync and replace; KnownError where it cannot be."""
    path = Path(path)
    temporary: str | None = None
    try:
        handle, temporary = tempfile.mkstemp(prefix=f".{path.name[:100]}.", suffix=".part", dir=path.parent)
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(temporary, 0o666 & ~_umask())  # mkstemp makes private files
        os.replace(temporary, path)
        temporary = None
        _sync_folder(path.parent)
    except OSError as error:
        reason, hint = _REASONS.get(error.errno or 0, (str(error), "Check the disk and the folder."))
        raise KnownError(f"{path} cannot be written: {reason}.", hint) from error
    finally:
        if temporary is not None:
            with contextlib.suppress(OSError):
                os.unlink(temporary)


def _umask() -> int:
    mask = os.umask(0o022)
    os.umask(mask)
    return mask


def _sync_folder(folder: Path) -> None:
    """Make the new name itself durable; some systems cannot open folders, and some disks cannot sync them."""
    with contextlib.suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
