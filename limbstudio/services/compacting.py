"""Compacting: undone edits and files that nothing speaks of any more are let go, after a backup.

It may be killed at any moment: the journal is shortened in one transaction, and only then are files moved aside.
"""

import shutil
import sqlite3
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from limbstudio.domain.errors import KnownError
from limbstudio.services import backups, checking, opening, project_file
from limbstudio.services.blobs import blob_names_in, sync_folder
from limbstudio.services.claim import Claim, Holder
from limbstudio.services.project_file import FILE_NAME, GUARDS

Report = Callable[[float, str], None]


@dataclass(frozen=True)
class Plan:
    """What compacting would let go. entries: numbers of journal entries. blobs: names; blob_bytes: their size."""

    entries: tuple[int, ...]
    blobs: tuple[str, ...]
    blob_bytes: int
    file_bytes: int

    @property
    def words(self) -> str:
        mb = self.blob_bytes / 2**20
        return (
            f"{len(self.entries)} undone edits are forgotten (they could not be redone any more), and "
            f"{len(self.blobs)} files that nothing uses ({mb:.1f} MB) are moved to “backups/blobs”."
        )


@dataclass(frozen=True)
class Compacted:
    """What was done."""

    plan: Plan
    backup: Path
    bytes_before: int
    bytes_after: int

    def as_plain(self) -> dict[str, Any]:
        return {
            "entries": len(self.plan.entries),
            "blobs": len(self.plan.blobs),
            "blob_bytes": self.plan.blob_bytes,
            "backup": str(self.backup),
            "bytes_before": self.bytes_before,
            "bytes_after": self.bytes_after,
        }

    def as_lines(self) -> list[str]:
        return [
            f"{len(self.plan.entries)} undone edits were forgotten, {len(self.plan.blobs)} files moved aside.",
            f"The project's file takes {self.bytes_after / 2**20:.1f} MB now; before, "
            f"{self.bytes_before / 2**20:.1f} MB.",
            f"As it was, it is in {self.backup}. When all is well, “backups/blobs” may be deleted.",
        ]


@dataclass(frozen=True)
class _Line:
    sequence: int
    who: str
    photo: str | None
    human: bool
    kind: str
    target: int | None


# ------------------------------------------------------------------------------------------------- what can go


def plan(folder: Path) -> Plan:
    """Say what compacting would let go, without changing anything."""
    connection = project_file.connect_to_read(opening.file_of(folder))
    try:
        return _plan(connection, folder)
    finally:
        connection.close()


def _plan(connection: sqlite3.Connection, folder: Path) -> Plan:
    entries = forgettable(connection)
    pinned = _pinned(connection, set(entries))
    there = folder / "blobs"
    loose = sorted(p.name for p in there.iterdir() if p.name not in pinned) if there.is_dir() else []
    size = sum((there / name).stat().st_size for name in loose)
    return Plan(tuple(entries), tuple(loose), size, (folder / FILE_NAME).stat().st_size)


def forgettable(connection: sqlite3.Connection) -> list[int]:
    """Return the entries that can go: groups that undo each other, on records that nothing else touched meanwhile.

    A group stays when a checkpoint was set inside it.
    """
    rows = connection.execute(
        "SELECT sequence, who, photo, human, kind, target FROM journal ORDER BY sequence"
    )
    groups = _cancelling(_Line(s, w, p, bool(h), k, t) for s, w, p, h, k, t in rows)
    marks = [row[0] for row in connection.execute("SELECT sequence FROM checkpoint")]
    groups = [g for g in groups if not any(min(g) <= mark < max(g) for mark in marks)]
    touched = _keys_of(connection)
    while True:
        dropped = {sequence for group in groups for sequence in group}
        kept = [g for g in groups if _is_closed(g, dropped, touched)]
        if len(kept) == len(groups):
            return sorted(dropped)
        groups = kept


def _cancelling(lines: Iterable[_Line]) -> list[list[int]]:
    """Return groups of entries whose changes come to nothing: steps undone for good, and undos that were redone."""
    done: dict[tuple[str, str | None], list[list[int]]] = {}
    undone: dict[tuple[str, str | None], list[list[int]]] = {}
    groups: list[list[int]] = []
    for line in lines:
        if not line.human:
            continue
        mine = (line.who, line.photo)
        back, forth = done.setdefault(mine, []), undone.setdefault(mine, [])
        if line.kind == "do":
            if line.target is not None and back and back[-1][0] == line.target:
                back[-1].append(line.sequence)
            else:
                back.append([line.sequence])
            groups.extend(forth)
            forth.clear()
        elif line.kind == "undo" and back and back[-1][0] == line.target:
            forth.append([*back.pop(), line.sequence])
        elif line.kind == "redo" and forth and forth[-1][0] == line.target:
            step = forth.pop()
            groups.append([step[-1], line.sequence])
            back.append(step[:-1])
    for steps in undone.values():
        groups.extend(steps)
    return groups


def _keys_of(connection: sqlite3.Connection) -> dict[int, set[tuple[str, str]]]:
    touched: dict[int, set[tuple[str, str]]] = {}
    for sequence, kind, identity in connection.execute("SELECT sequence, kind, id FROM change"):
        touched.setdefault(sequence, set()).add((kind, identity))
    return touched


def _is_closed(group: list[int], dropped: set[int], touched: dict[int, set[tuple[str, str]]]) -> bool:
    """Tell whether between the group's first and last entry only entries that go too touch its records."""
    keys = set().union(*(touched.get(sequence, set()) for sequence in group))
    return not any(
        sequence not in dropped and touched.get(sequence, set()) & keys
        for sequence in range(min(group) + 1, max(group))
    )


def _pinned(connection: sqlite3.Connection, without: set[int]) -> set[str]:
    """Return every name in records, results and the journal that may be a blob's: undo and History need them."""
    found: set[str] = set()
    for table in ("record", "result"):
        for (body,) in connection.execute(f"SELECT body FROM {table}"):
            found |= blob_names_in(body)
    for sequence, before, after in connection.execute("SELECT sequence, before, after FROM change"):
        if sequence not in without:
            found |= blob_names_in(before or "") | blob_names_in(after or "")
    return found


# ------------------------------------------------------------------------------------------------- letting it go


def compact(folder: Path, report: Report = lambda fraction, sentence: None) -> Compacted:
    """Compact a project that no window has open; KnownError when one has, or when it is damaged.

    A backup is made first. What is moved aside can be brought back from there.
    """
    report(0.0, "Checking the project")
    checking.must_be_whole(checking.check(folder))
    opened = opening.open_folder(folder)
    opened.reader.close()
    connection, claim = opened.connection, opened.claim
    if connection is None or claim is None:
        raise KnownError(opened.reason.message, opened.reason.hint)
    try:
        before = (folder / FILE_NAME).stat().st_size
        report(0.3, "Making a backup")
        backup = backups.make(folder, identity=opened.loaded.id, kind="before-compact")
        report(0.5, "Shortening the journal")
        planned = _plan(connection, folder)
        _forget(connection, claim, planned)
        report(0.7, "Moving files aside")
        _move_aside(folder, planned.blobs)
        report(0.8, "Packing the file")
        connection.execute("VACUUM")
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        return Compacted(planned, backup.path, before, (folder / FILE_NAME).stat().st_size)
    except (OSError, sqlite3.Error) as error:
        message, _ = project_file.in_words(error, folder)
        raise KnownError(
            f"Compacting stopped. {message}", "The project is whole; try again when that is mended."
        ) from error
    finally:
        claim.release(connection)
        connection.close()


def _forget(connection: sqlite3.Connection, claim: Claim | Holder, planned: Plan) -> None:
    assert isinstance(claim, Claim)
    connection.execute("BEGIN IMMEDIATE")
    try:
        claim.check(connection)
        for name in GUARDS:
            connection.execute(f"DROP TRIGGER IF EXISTS {name}")
        rows = [(sequence,) for sequence in planned.entries]
        connection.executemany("DELETE FROM change WHERE sequence = ?", rows)
        last = connection.execute("SELECT coalesce(max(sequence), 0) FROM journal").fetchone()[0]
        connection.executemany("DELETE FROM journal WHERE sequence = ?", rows)
        # A line of its own, so that numbers are never used twice and History says what happened.
        connection.execute(
            "INSERT INTO journal (sequence, time, who, label, human, kind, session) VALUES (?,?,?,?,0,'do','')",
            (
                last + 1,
                datetime.now(UTC).isoformat(timespec="milliseconds"),
                "",
                f"Compact: {len(rows)} undone edits forgotten",
            ),
        )
        for statement in GUARDS.values():
            connection.execute(statement)
        connection.execute("COMMIT")
    finally:
        if connection.in_transaction:
            connection.execute("ROLLBACK")


def _move_aside(folder: Path, names: Iterable[str]) -> None:
    aside = folder / "backups" / "blobs"
    for name in names:
        aside.mkdir(parents=True, exist_ok=True)
        if name.startswith("."):  # what a write that was cut off left
            (folder / "blobs" / name).unlink(missing_ok=True)
        else:
            shutil.move(folder / "blobs" / name, aside / name)
    if aside.is_dir():
        sync_folder(aside)
        sync_folder(folder / "blobs")
