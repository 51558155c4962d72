"""A project in memory: frozen records by key."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from limbstudio.domain.edits import Edit, Key
from limbstudio.domain.errors import KnownError
from limbstudio.domain.photo import Person, Photo


@dataclass(frozen=True)
class Project:
    """All records of a project. records: key -> frozen record; keys are (kind, id)."""

    name: str = "Untitled"
    records: Mapping[Key, Any] = field(default_factory=lambda: MappingProxyType({}))

    def of_kind(self, kind: str) -> Iterable[Any]:
        return (record for (k, _), record in self.records.items() if k == kind)

    @property
    def photos(self) -> tuple[Photo, ...]:
        return tuple(self.of_kind("photo"))

    def people_in(self, photo_sha256: str) -> tuple[Person, ...]:
        return tuple(p for p in self.of_kind("person") if p.photo == photo_sha256)

    def applied(self, edit: Edit) -> "Project":
        """Return the project after `edit`; raise KnownError if a record is no longer what the edit was made on."""
        records = self.records | {} if isinstance(self.records, MappingProxyType) else dict(self.records)
        for change in edit.changes:
            if records.get(change.key) != change.before:
                raise KnownError(
                    f"“{edit.label}” was made on an older version of {change.key[0]} {change.key[1]}.",
                    "Nothing was changed. Repeat the step on what is shown now.",
                )
            if change.after is None:
                records.pop(change.key, None)
            else:
                records[change.key] = change.after
        return Project(self.name, MappingProxyType(records))
