"""The journal: who changed what and when, one entry per edit, only ever added to; as rows and as values."""

import sqlite3
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from limbstudio.domain.edits import Change, Edit, Key
from limbstudio.domain.errors import KnownError
from limbstudio.services import records

# Runs a query and returns all rows.
Query = Callable[[str, tuple[Any, ...]], list[tuple[Any, ...]]]


class EntryKind(StrEnum):
    """Why an entry is in the journal."""

    DO = "do"
    UNDO = "undo"
    REDO = "redo"


@dataclass(frozen=True)
class Entry:
    """One line of the journal. sequence: its number. time: ISO, UTC.

    target: for UNDO and REDO the entry they revert or repeat; for a DO that joined an earlier one, that one.
    """

    sequence: int
    time: str
    who: str
    label: str
    human: bool
    photo: str | None
    kind: EntryKind
    target: int | None
    edit: Edit


@dataclass(frozen=True)
class JournalLine:
    """An entry without its changes: cheap to read for a whole project."""

    sequence: int
    time: str
    who: str
    label: str
    human: bool
    photo: str | None
    kind: EntryKind
    target: int | None


Row = tuple[Any, ...]
_LINE = "sequence, time, who, label, human, photo, kind, target"


def line_of(entry: Entry) -> JournalLine:
    return JournalLine(
        entry.sequence, entry.time, entry.who, entry.label, entry.human, entry.photo, entry.kind, entry.target
    )


# ---------------------------------------------------------------------------------------------------- writing


def change_rows(changes: Sequence[Change]) -> list[Row]:
    """Return the rows of an edit's changes; TypeError when a record cannot be encoded (our mistake)."""
    return [_change_row(place, change) for place, change in enumerate(changes)]


def _change_row(place: int, change: Change) -> Row:
    kind, identity = change.key
    before = None if change.before is None else records.encode(kind, change.before)
    after = None if change.after is None else records.encode(kind, change.after)
    photo = records.photo_of(kind, change.before if change.after is None else change.after)
    return (place, kind, identity, photo, before, after)


def write_entry(connection: sqlite3.Connection, *, entry: Entry, rows: Sequence[Row], session: str) -> None:
    """Write an entry, its changes and the records they make, inside the caller's transaction."""
    connection.execute(
        "INSERT INTO journal (sequence, time, who, label, human, photo, kind, target, merge_key, session)"
        " VALUES (?,?,?,?,?,?,?,?,?,?)",
        (entry.sequence, entry.time, entry.who, entry.label, int(entry.human), entry.photo, entry.kind.value,
         entry.target, entry.edit.merge_key, session),
    )  # fmt: skip
    for place, kind, identity, photo, before, after in rows:
        connection.execute(
            "INSERT INTO change (sequence, place, kind, id, photo, before, after) VALUES (?,?,?,?,?,?,?)",
            (entry.sequence, place, kind, identity, photo, before, after),
        )
        if after is None:
            connection.execute("DELETE FROM record WHERE kind = ? AND id = ?", (kind, identity))
        else:
            # An update keeps the row's place, and with it the order in which photos were imported.
            connection.execute(
                "INSERT INTO record (kind, id, photo, body, hash, sequence) VALUES (?,?,?,?,?,?)"
                " ON CONFLICT (kind, id) DO UPDATE SET photo = excluded.photo, body = excluded.body,"
                " hash = excluded.hash, sequence = excluded.sequence",
                (kind, identity, photo, after, records.digest(after), entry.sequence),
            )


# ---------------------------------------------------------------------------------------------------- reading


def read_lines(query: Query, photo: str | None, *, everything: bool = False) -> list[JournalLine]:
    """Return the lines of one photo (None: of the project itself), or of everything, oldest first."""
    where, values = ("", ()) if everything else ("WHERE photo IS ?", (photo,))
    return _lines(query(f"SELECT {_LINE} FROM journal {where} ORDER BY sequence", values))


def read_lines_about(query: Query, photo: str | None, *, newest: int) -> list[JournalLine]:
    """Return the newest lines that changed a record of this photo (None: any), newest first.

    Edits of the whole project, such as an import, belong to each photo they touched.
    """
    if photo is None:
        return _lines(query(f"SELECT {_LINE} FROM journal ORDER BY sequence DESC LIMIT ?", (newest,)))
    where = "sequence IN (SELECT sequence FROM change WHERE photo = ?) OR photo = ?"
    text = f"SELECT {_LINE} FROM journal WHERE {where} ORDER BY sequence DESC LIMIT ?"
    return _lines(query(text, (photo, photo, newest)))


def read_entries(query: Query, after: int) -> list[Entry]:
    """Return whole entries that follow number `after`, oldest first."""
    lines = _lines(query(f"SELECT {_LINE} FROM journal WHERE sequence > ? ORDER BY sequence", (after,)))
    return [
        Entry(
            line.sequence, line.time, line.who, line.label, line.human, line.photo, line.kind, line.target,
            read_edit(query, line.sequence),
        )
        for line in lines
    ]  # fmt: skip


def read_edit(query: Query, sequence: int) -> Edit:
    """Return the edit of an entry; KnownError when it cannot be read."""
    heads = query("SELECT label, photo, human, merge_key FROM journal WHERE sequence = ?", (sequence,))
    if not heads:
        raise KnownError(f"The journal has no entry {sequence}.", "Nothing was changed.")
    rows = query("SELECT kind, id, before, after FROM change WHERE sequence = ? ORDER BY place", (sequence,))
    label, photo, human, merge_key = heads[0]
    return Edit(label, tuple(_change(*row) for row in rows), merge_key, photo, bool(human))


def read_states(query: Query, after: int, photo: str | None = None) -> dict[Key, Any]:
    """Return what the records that were changed after entry `after` were at it; None: they did not exist.

    photo: of one photo only.
    """
    where, values = ("", ()) if photo is None else ("AND photo = ?", (photo,))
    rows = query(
        f"SELECT kind, id, before, min(sequence * 1000000 + place) FROM change WHERE sequence > ? {where}"
        " GROUP BY kind, id ORDER BY 4",
        (after, *values),
    )
    return {(kind, identity): _record(kind, before) for kind, identity, before, _ in rows}


def _lines(rows: Iterable[Row]) -> list[JournalLine]:
    return [
        JournalLine(sequence, time, who, label, bool(human), photo, EntryKind(kind), target)
        for sequence, time, who, label, human, photo, kind, target in rows
    ]


def _change(kind: str, identity: str, before: str | None, after: str | None) -> Change:
    return Change((kind, identity), _record(kind, before), _record(kind, after))


def _record(kind: str, text: str | None) -> Any:
    return None if text is None else records.decode(kind, text)
