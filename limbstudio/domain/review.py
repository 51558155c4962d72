"""Verdicts and findings about a person's annotation."""

from dataclasses import dataclass
from enum import StrEnum


class ReviewState(StrEnum):
    """How far a person's annotation has come."""

    NEW = "new"
    IN_WORK = "in_work"
    READY = "ready"
    ACCEPTED = "accepted"
    SENT_BACK = "sent_back"


@dataclass(frozen=True)
class Verdict:
    """A reviewer's word on a person. of: hash of the record it was given on; another hash makes it stale."""

    person: str
    state: ReviewState
    of: str = ""
    by: str = ""
    note: str = ""


@dataclass(frozen=True)
class Finding:
    """Something a rule noticed. rule: its name; message: for people; keypoint: LDPose index or None."""

    rule: str
    message: str
    person: str
    keypoint: int | None = None
