"""A project in memory: frozen records by key."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from limbstudio.domain.edits import Edit, Key
from limbstudio.domain.errors import KnownError
from limbstudio.domain.photo import Person
from limbstudio.domain.record_map import RecordMap, Shelf
from limbstudio.domain.same_value import same_value


@dataclass(frozen=True)
class Project:
    """All records of a project. records: key -> frozen record; keys are (kind, id)."""

    name: str = "Untitled"
    records: RecordMap = field(default_factory=RecordMap)

    def __post_init__(self) -> None:
        if not isinstance(self.records, RecordMap):  # any mapping will do to begin with
            object.__setattr__(self, "records", RecordMap(self.records))

    def of_kind(self, kind: str) -> Iterable[Any]:
        return iter(self.records.shelf(kind))

    @property
    def photos(self) -> Shelf:
        """Return the photos in the order in which they came: a sequence that reads a photo when asked for it."""
        return self.records.shelf("photo")

    def people_in(self, photo_sha256: str) -> tuple[Person, ...]:
        return self.records.of_photo("person", photo_sha256)

    def applied(self, edit: Edit) -> "Project":
        """Return the project after `edit`; raise KnownError if a record is no longer what the edit was made on."""
        met: dict[Key, Any] = {}
        for change in edit.changes:
            there = met[change.key] if change.key in met else self.records.get(change.key)
            if not same_value(there, change.before):
                raise KnownError(
                    f"“{edit.label}” was made on an older version of {change.key[0]} {change.key[1]}.",
                    "Nothing was changed. Repeat the step on what is shown now.",
                )
            met[change.key] = change.after
        return Project(self.name, self.records.changed((c.key, c.before, c.after) for c in edit.changes))
