"""What a studio tells those who listen to it."""

from dataclasses import dataclass
from enum import StrEnum

from limbstudio.services.history import Entry
from limbstudio.services.jobs import Job
from limbstudio.services.store import SaveState


class What(StrEnum):
    """What a `StudioEvent` tells."""

    OPENED = "opened"
    CLOSED = "closed"
    EDITED = "edited"
    SAVE_STATE = "save_state"
    JOB = "job"
    MESSAGE = "message"


@dataclass(frozen=True)
class StudioEvent:
    """Something that happened. entry: for EDITED. save: for SAVE_STATE. job: for JOB (a new one; listen to
    it).

    message, hint: for MESSAGE, for people; serious: it should stay until it is read.
    """

    what: What
    entry: Entry | None = None
    save: SaveState | None = None
    job: Job | None = None
    message: str = ""
    hint: str = ""
    serious: bool = False
