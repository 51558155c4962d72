"""Repairing: what can be read of a damaged project, its journal and its backups becomes a whole one elsewhere.

The damaged folder is only read.
"""

import contextlib
import logging
import shutil
import sqlite3
import uuid
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from limbstudio.domain.errors import KnownError
from limbstudio.services import backups, copying, opening, project_file, records
from limbstudio.services.blobs import blob_name, sync_folder
from limbstudio.services.project_file import FILE_NAME

log = logging.getLogger(__name__)

Report = Callable[[float, str], None]
Row = tuple[Any, ...]

_TABLES = {
    "meta": ("name", "value"),
    "record": ("kind", "id", "photo", "subject", "body", "hash", "sequence"),
    "journal": (
        "sequence", "time", "who", "label", "human", "photo", "subject", "kind", "target", "merge_key", "session",
    ),
    "change": ("sequence", "place", "kind", "id", "photo", "subject", "before", "after"),
    "result": ("hash", "stage", "body", "made"),
    "checkpoint": ("name", "sequence", "time", "who"),
}  # fmt: skip
# How far beyond a damaged page the next readable row is looked for.
_FARTHEST = 2**40
_FIRST = -(2**62)


@dataclass(frozen=True)
class Repaired:
    """What a repair saved. lines: sentences for people."""

    folder: Path
    records: int
    entries: int
    from_journal: int
    from_backup: int
    blobs: int
    blobs_lost: int
    lost: tuple[str, ...]

    def as_plain(self) -> dict[str, Any]:
        return {**vars(self), "folder": str(self.folder), "lost": list(self.lost)}

    def as_lines(self) -> list[str]:
        lines = [
            f"{self.records} records and {self.entries} edits of the journal were saved to {self.folder}."
        ]
        if self.from_journal:
            lines.append(f"{self.from_journal} of the records come from the journal.")
        if self.from_backup:
            lines.append(f"{self.from_backup} of the records come from a backup; they may be older.")
        lines.append(f"{self.blobs} masks and meshes were copied.")
        if self.blobs_lost:
            lines.append(f"{self.blobs_lost} masks and meshes are damaged and were left out.")
        lines += [f"Lost: {what}" for what in self.lost[:50]]
        lines.append("Nothing was lost." if not self.lost else "The damaged project was left as it is.")
        return lines


@dataclass
class _Salvage:
    """What was read so far."""

    meta: dict[str, str] = field(default_factory=dict)
    records: dict[tuple[str, str], Row] = field(default_factory=dict)
    journal: dict[int, Row] = field(default_factory=dict)
    changes: dict[tuple[int, int], Row] = field(default_factory=dict)
    results: list[Row] = field(default_factory=list)
    checkpoints: list[Row] = field(default_factory=list)
    unreadable: dict[tuple[str, str], str] = field(default_factory=dict)
    holes: list[str] = field(default_factory=list)
    from_journal: int = 0
    from_backup: int = 0


def repair(folder: Path, out: Path, report: Report = lambda fraction, sentence: None) -> Repaired:
    """Make a whole project in the new folder `out` of what can be read; KnownError when nothing can be.

    A record is taken as it stands; else as the journal last made it; else from the newest backup that has it.
    """
    if not folder.is_dir():
        raise KnownError(f"There is no project at {folder}.", "Name a folder that ends in .limb.")
    opening.must_be_new(out)
    salvage = _Salvage()
    report(0.0, "Reading what can be read")
    _read_file(folder / FILE_NAME, salvage)
    report(0.4, "Reading the journal")
    _take_from_journal(salvage)
    report(0.5, "Looking for backups")
    _take_from_backups(folder, salvage)
    if not salvage.records and not salvage.journal:
        raise KnownError(
            f"Nothing of {folder} can be read, and it has no backup that can.",
            "Keep the folder. If you have a copy of it elsewhere, repair that one.",
        )
    lost = [*salvage.holes, *salvage.unreadable.values()]
    report(0.6, "Writing the new project")
    try:
        opening.make(out, salvage.meta.get("name", folder.stem))
        _write(out, salvage)
        report(0.8, "Copying masks and meshes")
        copied, damaged = _copy_blobs(folder, out)
    except (OSError, sqlite3.Error) as error:
        message, _ = project_file.in_words(error, out)
        raise KnownError(f"The repair stopped. {message}", "Choose another place for --out.") from error
    return Repaired(
        out, len(salvage.records), len(salvage.journal), salvage.from_journal, salvage.from_backup, copied, damaged,
        tuple(lost),
    )  # fmt: skip


# ------------------------------------------------------------------------------------------------------ reading


def _read_file(path: Path, salvage: _Salvage) -> None:
    try:
        # A copy: reading a damaged file may want to merge its log, and the original is not touched.
        connection = _copy_of(path)
    except (sqlite3.Error, OSError, KnownError) as error:
        salvage.holes.append(f"the project's file cannot be opened ({error}).")
        return
    try:
        salvage.meta.update(
            (str(n), str(v)) for n, v in _rows(connection, "meta", salvage) if n in ("name", "folders")
        )
        for row in _rows(connection, "record", salvage):
            _take_record(row, salvage)
        salvage.journal.update((r[0], r) for r in _rows(connection, "journal", salvage) if _is_entry(r))
        salvage.changes.update(
            ((r[0], r[1]), r) for r in _rows(connection, "change", salvage) if _is_change(r)
        )
        salvage.results.extend(_rows(connection, "result", salvage))
        salvage.checkpoints.extend(_rows(connection, "checkpoint", salvage))
    finally:
        connection.close()


def _copy_of(path: Path) -> sqlite3.Connection:
    connection = project_file.connect_to_read(path)
    with contextlib.suppress(sqlite3.Error):
        connection.execute("PRAGMA cell_size_check=ON")
    return connection


def _rows(connection: sqlite3.Connection, table: str, salvage: _Salvage) -> Iterator[Row]:
    """Yield the rows of a table, past pages that cannot be read."""
    columns = ", ".join(_TABLES[table])
    scan = f"SELECT rowid, {columns} FROM {table} WHERE rowid > ? ORDER BY rowid"
    last, gaps = _FIRST, 0
    while True:
        try:
            for row, *rest in connection.execute(scan, (last,)):
                last = row
                yield tuple(rest)
            break
        except sqlite3.OperationalError as error:
            if "no such table" not in str(error):
                salvage.holes.append(f"the table {table} cannot be read ({error}).")
            return
        except (sqlite3.DatabaseError, UnicodeDecodeError):
            # A scan reads one row ahead, so the last one before the damage was not given out yet.
            found = _row_from(connection, scan, last)
            if found is None:
                gaps += 1
                beyond = _next_readable(connection, scan, last)
                if beyond is None:
                    break
                last = beyond
            else:
                last = found[0]
                yield tuple(found[1:])
    if gaps:
        salvage.holes.append(f"{gaps} damaged places in the table {table} were passed over.")


def _next_readable(connection: sqlite3.Connection, scan: str, last: int) -> int | None:
    """Return the smallest number beyond `last` after which a row can be read again; None: there is none."""
    start, step = max(last, -1), 1
    while step < _FARTHEST and _row_from(connection, scan, start + step) is None:
        step *= 2
    if step >= _FARTHEST:
        return None
    low, high = step // 2, step
    while high - low > 1:
        middle = (low + high) // 2
        if _row_from(connection, scan, start + middle) is None:
            low = middle
        else:
            high = middle
    return start + high


def _row_from(connection: sqlite3.Connection, scan: str, after: int) -> Row | None:
    """Return the first row after number `after`; None when it cannot be read or there is none."""
    try:
        return connection.execute(f"{scan} LIMIT 1", (after,)).fetchone()
    except (sqlite3.DatabaseError, UnicodeDecodeError):
        return None


def _take_record(row: Row, salvage: _Salvage) -> None:
    kind, identity, _, _, body, digest, _ = row
    key = (kind, identity)
    try:
        if records.digest(body) != digest:
            raise records.UnreadableRecord("its content is not what was saved.")
        records.decode(kind, body)
    except (records.UnreadableRecord, TypeError, AttributeError) as error:
        salvage.unreadable[key] = f"the {kind} {str(identity)[:12]}: {error}"
        return
    salvage.records[key] = row


def _is_entry(row: Row) -> bool:
    return isinstance(row[0], int) and row[7] in ("do", "undo", "redo") and isinstance(row[3], str)


def _is_change(row: Row) -> bool:
    """Tell whether a change can be read: both its records are whole."""
    _, _, kind, _, _, _, before, after = row
    try:
        for text in (before, after):
            if text is not None:
                records.decode(kind, text)
    except (records.UnreadableRecord, TypeError):
        return False
    return True


# ------------------------------------------------------------------------------------------------ filling holes


def _take_from_journal(salvage: _Salvage) -> None:
    """Where a record is newer in the journal, or stands only there, take it from there."""
    order = {key: n for n, key in enumerate(salvage.records)}
    latest: dict[tuple[str, str], Row] = {}
    for at in sorted(salvage.changes):
        row = salvage.changes[at]
        latest[row[2], row[3]] = row
    for key, (sequence, _, kind, identity, photo, subject, _, after) in latest.items():
        stands = salvage.records.get(key)
        if after is None:
            if stands is not None and stands[6] < sequence:
                del salvage.records[key]
            salvage.unreadable.pop(key, None)
        elif stands is None or (stands[6] < sequence and stands[4] != after):
            salvage.records[key] = (kind, identity, photo, subject, after, records.digest(after), sequence)
            salvage.unreadable.pop(key, None)
            salvage.from_journal += 1
    # Photos keep their order: those that stood, where they stood; the others in the order of their edits.
    first: dict[tuple[str, str], tuple[int, int]] = {}
    for at in sorted(salvage.changes):
        first.setdefault((salvage.changes[at][2], salvage.changes[at][3]), at)
    salvage.records = dict(
        sorted(
            salvage.records.items(),
            key=lambda item: (first.get(item[0], (item[1][6], 0)), order.get(item[0], len(order))),
        )
    )


def _take_from_backups(folder: Path, salvage: _Salvage) -> None:
    """Take what is still unreadable, or everything when the file is, from the newest backup that has it."""
    is_gone = not salvage.records and not salvage.journal
    if not is_gone and not salvage.unreadable and not salvage.holes:
        return
    for backup in backups.backups_of(folder, ""):
        saved = _Salvage()
        _read_file(backup.path, saved)
        if not saved.records:
            continue
        deleted = _deleted(salvage)
        for key, row in saved.records.items():
            if key not in salvage.records and key not in deleted:
                salvage.records[key] = row
                salvage.unreadable.pop(key, None)
                salvage.from_backup += 1
        for sequence, row in saved.journal.items():
            salvage.journal.setdefault(sequence, row)
        for at, row in saved.changes.items():
            salvage.changes.setdefault(at, row)
        salvage.meta = {**saved.meta, **salvage.meta}
        return


def _deleted(salvage: _Salvage) -> set[tuple[str, str]]:
    """Return the records that the journal, as far as it can be read, says were deleted last."""
    last: dict[tuple[str, str], bool] = {}
    for at in sorted(salvage.changes):
        row = salvage.changes[at]
        last[row[2], row[3]] = row[7] is None
    return {key for key, is_gone in last.items() if is_gone}


# ------------------------------------------------------------------------------------------------------ writing


def _write(out: Path, salvage: _Salvage) -> None:
    connection = sqlite3.connect(out / FILE_NAME, isolation_level=None)
    try:
        connection.execute("PRAGMA synchronous=EXTRA")
        connection.execute("BEGIN")
        _insert(connection, "record", salvage.records.values())
        entries = [salvage.journal[n] for n in sorted(salvage.journal)]
        _insert(connection, "journal", entries)
        _insert(
            connection,
            "change",
            (row for at, row in sorted(salvage.changes.items()) if at[0] in salvage.journal),
        )
        _insert(connection, "result", salvage.results, "OR IGNORE ")
        _insert(connection, "checkpoint", salvage.checkpoints, "OR IGNORE ")
        if "folders" in salvage.meta:
            connection.execute("UPDATE meta SET value = ? WHERE name = 'folders'", (salvage.meta["folders"],))
        _join_with_journal(connection, salvage)
        connection.execute("COMMIT")
    finally:
        connection.close()


def _insert(connection: sqlite3.Connection, table: str, rows: Sequence[Row] | Any, how: str = "") -> None:
    columns = _TABLES[table]
    marks = ",".join("?" * len(columns))
    connection.executemany(f"INSERT {how}INTO {table} ({', '.join(columns)}) VALUES ({marks})", rows)


def _join_with_journal(connection: sqlite3.Connection, salvage: _Salvage) -> None:
    """Add one entry that says what was repaired, with a change for each record that the journal does not lead to."""
    last: dict[tuple[str, str], str | None] = {}
    for at in sorted(salvage.changes):
        if at[0] in salvage.journal:
            row = salvage.changes[at]
            last[row[2], row[3]] = row[7]
    differ = [
        (kind, identity, row[2], last.get((kind, identity)), row[4])
        for (kind, identity), row in salvage.records.items()
        if last.get((kind, identity)) != row[4]
    ]
    differ += [
        (kind, identity, None, text, None)
        for (kind, identity), text in last.items()
        if text is not None and (kind, identity) not in salvage.records
    ]
    sequence = max(salvage.journal, default=0) + 1
    now = datetime.now(UTC).isoformat(timespec="milliseconds")
    connection.execute(
        "INSERT INTO journal (sequence, time, who, label, human, kind, session) VALUES (?,?,'','Repair',0,'do',?)",
        (sequence, now, uuid.uuid4().hex),
    )
    connection.executemany(
        "INSERT INTO change (sequence, place, kind, id, photo, before, after) VALUES (?,?,?,?,?,?,?)",
        [(sequence, place, *row) for place, row in enumerate(differ)],
    )


def _copy_blobs(folder: Path, out: Path) -> tuple[int, int]:
    """Copy the blobs that are whole, from the project and from beside its backups; return (copied, damaged)."""
    copied, damaged = 0, set[str]()
    target = out / "blobs"
    for source in (folder / "blobs", folder / "backups" / "blobs"):
        if not source.is_dir():
            continue
        for path in sorted(source.iterdir()):
            if path.name.startswith(".") or (target / path.name).exists():
                continue
            try:
                is_whole = blob_name(path.read_bytes()) == path.name
            except OSError:
                is_whole = False
            if not is_whole:
                damaged.add(path.name)
                continue
            shutil.copyfile(path, target / path.name)
            copying.sync_file(target / path.name)
            damaged.discard(path.name)
            copied += 1
    sync_folder(target)
    return copied, len(damaged)
