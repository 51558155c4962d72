"""Notes on single points, beside the person's record: writing one makes no fit stale."""

from dataclasses import dataclass

from limbstudio.domain.anatomy import LDPOSE
from limbstudio.domain.edits import Change, Edit, Key


@dataclass(frozen=True)
class PointNote:
    """What somebody wrote on one keypoint of a person. keypoint: LDPose index."""

    person: str
    photo: str
    keypoint: int
    text: str


def note_key(person: str, keypoint: int) -> Key:
    """Return the key of a point's note."""
    return ("point_note", f"{person}:{keypoint}")


def write_note(before: PointNote | None, after: PointNote) -> Edit:
    """Make the edit that writes, changes or (with an empty text) takes away a note."""
    key = note_key(after.person, after.keypoint)
    label = f"Note on {LDPOSE[after.keypoint].label.lower()}"
    return Edit(
        label, (Change(key, before, after if after.text.strip() else None),), f"note {key[1]}", after.photo
    )
