"""What kind of place a folder is: a network drive, or one that a program copies elsewhere behind our back."""

import re
from collections.abc import Iterable
from pathlib import Path

# File systems on which the shared memory of a write-ahead log does not work or is not trustworthy.
_NETWORK = frozenset(
    [
        "nfs",
        "nfs4",
        "cifs",
        "smb",
        "smb2",
        "smb3",
        "smbfs",
        "afs",
        "afpfs",
        "ceph",
        "9p",
        "gfs2",
        "lustre",
        "davfs",
    ]
    + list(f"fuse.{name}" for name in ("sshfs", "rclone", "davfs2", "davfs", "glusterfs", "s3fs", "gcsfuse"))
)

# The folder's name, or a file or folder that the program leaves in it -> the program.
_SYNC_NAMES: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(pattern, re.IGNORECASE), name)
    for pattern, name in (
        (r"dropbox( \(.*\))?", "Dropbox"),
        (r"onedrive( - .*)?", "OneDrive"),
        (r"nextcloud\d*", "Nextcloud"),
        (r"owncloud\d*", "ownCloud"),
        (r"google ?drive|my drive|googledrive-.*", "Google Drive"),
        (r"icloud ?drive|icloud~.*|com~apple~clouddocs|mobile documents", "iCloud Drive"),
        (r"pcloud ?drive|pclouddrive", "pCloud"),
        (r"megasync( downloads)?", "MEGA"),
        (r"seafile|seadrive.*", "Seafile"),
        (r"box( sync)?", "Box"),
    )
)
_SYNC_MARKS = {
    ".dropbox": "Dropbox",
    ".dropbox.cache": "Dropbox",
    ".stfolder": "Syncthing",
    ".owncloudsync.log": "Nextcloud",
    ".nextcloudsync.log": "Nextcloud",
    ".seafile-data": "Seafile",
    ".tmp.drivedownload": "Google Drive",
    ".sync": "Resilio Sync",
}
_SYNC_MARK_PATTERNS = (("._sync_*.db", "Nextcloud"), (".sync_*.db", "Nextcloud"))
# What such programs call the copies that they make when two computers changed a file.
_CONFLICT = re.compile(r"conflicted copy|conflict[-_ ]|sync-conflict|case conflict|konflikt", re.IGNORECASE)


def is_network(path: Path) -> bool:
    """Tell whether `path` is on a network drive, as far as the system says."""
    return file_system(path) in _NETWORK


def sync_program(folder: Path) -> str:
    """Return which program copies this folder to other computers; empty when none is known to."""
    for place in (folder.absolute(), *folder.absolute().parents):
        for pattern, program in _SYNC_NAMES:
            if pattern.fullmatch(place.name):
                return program
        try:
            for mark, program in _SYNC_MARKS.items():
                if (place / mark).exists():
                    return program
            for pattern, program in _SYNC_MARK_PATTERNS:
                if next(place.glob(pattern), None) is not None:
                    return program
        except OSError:  # a folder above that may not be read says nothing
            continue
    return ""


def conflicting_copies(file: Path) -> tuple[Path, ...]:
    """Return the copies of a file that a sync program laid beside it because two computers changed it."""
    try:
        beside = sorted(p for p in file.parent.iterdir() if p.suffix == file.suffix and p != file)
    except OSError:
        return ()
    computer = re.compile(rf"{re.escape(file.stem)}[-_ ].+", re.IGNORECASE)  # OneDrive: project-LAPTOP.sqlite
    return tuple(p for p in beside if _CONFLICT.search(p.stem) or computer.fullmatch(p.stem))


def file_system(path: Path) -> str:
    """Return the type of the file system that holds `path` as Linux names it; empty where that is not
    known.
    """
    try:
        lines = Path("/proc/self/mountinfo").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return ""
    return type_of_mount(path.resolve(), lines)


def type_of_mount(path: Path, lines: Iterable[str]) -> str:
    """Return the type of the innermost mount that holds `path`. lines: of /proc/self/mountinfo."""
    best, kind = -1, ""
    for line in lines:
        left, _, right = line.partition(" - ")
        fields = left.split()
        if len(fields) < 5 or not right:
            continue
        mount = fields[4].replace(r"\040", " ").replace(r"\011", "\t").replace(r"\134", "\\")
        if path.is_relative_to(mount) and len(mount) >= best:
            best, kind = len(mount), right.split()[0]
    return kind
