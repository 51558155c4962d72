"""Bringing a project of an older format to this one: with a copy of how it was, checked, and with a report."""

import logging
import sqlite3
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from limbstudio.domain.errors import KnownError
from limbstudio.services import copying, project_file

log = logging.getLogger(__name__)

Version = tuple[int, int]


@dataclass(frozen=True)
class Migration:
    """One step. what: what it does, for people. run: inside the caller's transaction."""

    before: Version
    after: Version
    what: str
    run: Callable[[sqlite3.Connection], None]


def _to_1_1(connection: sqlite3.Connection) -> None:
    connection.execute(
        "CREATE TABLE IF NOT EXISTS checkpoint (name TEXT PRIMARY KEY, sequence INTEGER NOT NULL,"
        " time TEXT NOT NULL, who TEXT NOT NULL)"
    )
    connection.execute("CREATE INDEX IF NOT EXISTS change_of_photo ON change (photo, sequence)")


# A step stays as it is for ever: it must make of an old file what it made on the day it was written.
MIGRATIONS: tuple[Migration, ...] = (
    Migration((1, 0), (1, 1), "Named checkpoints, and a faster history of one photo.", _to_1_1),
)


@dataclass(frozen=True)
class _Facts:
    """What a migration may not change. records: hash of each record's text by key."""

    records: frozenset[tuple[str, str, str]]
    entries: int


def bring_up_to_date(connection: sqlite3.Connection, folder: Path) -> str:
    """Bring the file to this version's format; return a sentence about it, empty when there was nothing to do.

    The file as it was is kept in the project's folder “backups”, with a report. KnownError, and nothing changed, when
    that copy or a step fails.
    """
    version = project_file.format_of(connection)
    if version == project_file.FORMAT:
        return ""
    steps = _steps(version)
    name = f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}_before-{project_file.FORMAT[0]}.{project_file.FORMAT[1]}"
    copy = folder / "backups" / f"{name}.sqlite"
    try:
        copying.copy_file(connection, copy)
        facts = _migrate(connection, steps)
        _report(copy.with_suffix(".txt"), version, steps, facts, copy)
    except (sqlite3.Error, OSError) as error:
        message, _ = project_file.in_words(error, folder)
        raise KnownError(message, "Mend that and open it again. Nothing was changed.") from error
    log.info("The project was brought from format %d.%d to %d.%d.", *version, *project_file.FORMAT)
    old, new = (f"{v[0]}.{v[1]}" for v in (version, project_file.FORMAT))
    return f"The project was brought from format {old} to {new}; as it was, it is in backups/{copy.name}."


def _steps(version: Version) -> list[Migration]:
    steps: list[Migration] = []
    while version != project_file.FORMAT:
        step = next((m for m in MIGRATIONS if m.before == version), None)
        if step is None:
            raise KnownError(
                f"Its format {version[0]}.{version[1]} is not known.", "It may be damaged; use a backup."
            )
        steps.append(step)
        version = step.after
    return steps


def _migrate(connection: sqlite3.Connection, steps: Sequence[Migration]) -> _Facts:
    connection.execute("BEGIN IMMEDIATE")
    try:
        before = _facts(connection)
        for step in steps:
            step.run(connection)
        major, minor = steps[-1].after
        connection.execute(f"PRAGMA user_version={major * project_file.MINORS + minor}")
        if _facts(connection) != before:
            raise AssertionError("a migration changed records")
        connection.execute("COMMIT")
    finally:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
    return before


def _facts(connection: sqlite3.Connection) -> _Facts:
    rows = connection.execute("SELECT kind, id, hash FROM record").fetchall()
    entries = connection.execute("SELECT count(*) FROM journal").fetchone()[0]
    return _Facts(frozenset(rows), entries)


def _report(path: Path, version: Version, steps: Sequence[Migration], facts: _Facts, copy: Path) -> None:
    lines = [
        f"Brought from format {version[0]}.{version[1]} to {steps[-1].after[0]}.{steps[-1].after[1]} at "
        f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC.",
        *(f"{m.before[0]}.{m.before[1]} to {m.after[0]}.{m.after[1]}: {m.what}" for m in steps),
        f"{len(facts.records)} records and {facts.entries} journal entries: the same before and after.",
        f"The file as it was: {copy.name}",
    ]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
