"""The store: a project on disk, written by one thread that says "saved" only when the disk has it."""

from dataclasses import dataclass
from enum import StrEnum


class Saving(StrEnum):
    """SAVED: the disk has everything. WRITING: on its way. WAITING: it failed and is tried again."""

    SAVED = "saved"
    WRITING = "writing"
    WAITING = "waiting"
    READ_ONLY = "read_only"


@dataclass(frozen=True)
class SaveState:
    """How far saving is. unsaved: edits not yet confirmed. message, hint: for people, why it waits or is read-only."""

    saving: Saving
    unsaved: int = 0
    message: str = ""
    hint: str = ""
