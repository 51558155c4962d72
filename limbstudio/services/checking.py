"""Checking a project from end to end, without changing a byte of it."""

import contextlib
import json
import re
import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from limbstudio.domain.errors import KnownError
from limbstudio.services import opening, places, project_file, records
from limbstudio.services.blobs import blob_name
from limbstudio.services.claim import current_holder
from limbstudio.services.project_file import FILE_NAME

Report = Callable[[float, str], None]
_BLOB_NAME = re.compile(r"[0-9a-f]{64}")
_BLOB_FILE = re.compile(r"blobs/([0-9a-f]{64})")
_CLOCK_SLACK = timedelta(minutes=2)


@dataclass(frozen=True)
class Checked:
    """What a check found. problems: something is damaged or gone. notes: worth knowing, nothing is wrong."""

    folder: Path
    counts: dict[str, int]
    problems: tuple[str, ...]
    notes: tuple[str, ...]

    def as_plain(self) -> dict[str, Any]:
        return {
            "project": str(self.folder),
            "ok": not self.problems,
            "counts": self.counts,
            "problems": list(self.problems),
            "notes": list(self.notes),
        }

    def as_lines(self) -> list[str]:
        counted = ", ".join(f"{number} {what}" for what, number in self.counts.items())
        verdict = f"{len(self.problems)} problems." if self.problems else "The project is whole."
        return [*self.problems, *(f"Note: {n}" for n in self.notes), f"{verdict} {counted}."]


def check(folder: Path, report: Report = lambda fraction, sentence: None) -> Checked:
    """Read everything of a project and say what is wrong; KnownError when there is no project.

    Nothing is written. A project that is open in a window may be checked; its last second may not be seen.
    """
    path = opening.file_of(folder)
    problems: list[str] = []
    counts: dict[str, int] = {}
    notes: list[str] = []
    try:
        connection = project_file.connect_to_read(path)
    except (sqlite3.Error, OSError) as error:
        return Checked(folder, counts, (f"The project's file cannot be read: {error}.",), ())
    try:
        version = project_file.format_of(connection)
        if version > project_file.FORMAT:
            notes.append(f"It was made by a newer LimbStudio (format {version[0]}.{version[1]}).")
        elif version < project_file.FORMAT:
            notes.append(
                f"It is of the older format {version[0]}.{version[1]}; opening it brings it up to date."
            )
        for fraction, sentence, step in (
            (0.0, "Checking the file", _check_file),
            (0.3, "Reading records", _check_records),
            (0.5, "Comparing with the journal", _check_journal),
            (0.7, "Reading masks and meshes", _check_blobs),
        ):
            report(fraction, sentence)
            try:
                problems.extend(step(connection, folder, counts, notes))
            except (sqlite3.Error, UnicodeDecodeError) as error:
                problems.append(f"{sentence} ended early: {error}.")
    finally:
        connection.close()
    notes.extend(_surroundings(folder))
    return Checked(folder, counts, tuple(problems), tuple(notes))


def _check_file(
    connection: sqlite3.Connection, folder: Path, counts: dict[str, int], notes: list[str]
) -> Iterator[str]:
    for (line,) in connection.execute("PRAGMA integrity_check(20)"):
        if line != "ok":
            yield f"The project's file is damaged: {' '.join(str(line).split())}."
    holder = current_holder(connection)
    if holder is not None:
        notes.append(f"A window has it open: {holder.words}.")


def _check_records(
    connection: sqlite3.Connection, folder: Path, counts: dict[str, int], notes: list[str]
) -> Iterator[str]:
    absent = 0
    for kind, identity, body, digest in connection.execute("SELECT kind, id, body, hash FROM record"):
        plural = {"person": "people", "corrections": "corrected limbs"}.get(
            kind, f"{kind.replace('_', ' ')}s"
        )
        counts[plural] = counts.get(plural, 0) + 1
        try:
            if records.digest(body) != digest:
                raise records.UnreadableRecord("its content is not what was saved.")
            record = records.decode(kind, body)
        except records.UnreadableRecord as error:
            yield f"The {kind} {identity[:12]} cannot be read: {error.message}"
            continue
        if kind == "photo":
            place = Path(record.path)
            absent += not (place if place.is_absolute() else folder / place).is_file()
    if absent:
        notes.append(f"{absent} photos are not where they were; the window asks for them (Locate photo).")


def _check_journal(
    connection: sqlite3.Connection, folder: Path, counts: dict[str, int], notes: list[str]
) -> Iterator[str]:
    counts["edits"] = connection.execute("SELECT count(*) FROM journal").fetchone()[0]
    # bare columns beside max() come from the row that has it
    latest = connection.execute(
        "SELECT kind, id, after, max(sequence * 1000000 + place) FROM change GROUP BY kind, id"
    )
    stored = dict(
        ((kind, identity), digest)
        for kind, identity, digest in connection.execute("SELECT kind, id, hash FROM record")
    )
    for kind, identity, after, _ in latest:
        digest = stored.pop((kind, identity), None)
        if (None if after is None else records.digest(after)) != digest:
            yield f"The {kind} {identity[:12]} is not what the journal says of it."
    if stored:
        yield f"{len(stored)} records are not in the journal."
    lost = connection.execute(
        "SELECT count(*) FROM change WHERE sequence NOT IN (SELECT sequence FROM journal)"
    ).fetchone()[0]
    if lost:
        yield f"{lost} changes belong to no edit of the journal."
    jumps, last = 0, None
    for (text,) in connection.execute("SELECT time FROM journal ORDER BY sequence"):
        try:
            time = datetime.fromisoformat(text)
        except ValueError:
            yield f"The journal holds a time that is none: {text[:40]!r}."
            continue
        jumps += last is not None and last - time > _CLOCK_SLACK
        last = time
    if jumps:
        notes.append(
            f"The clock was set back {jumps} times while it was edited; the order of edits is right."
        )


def _check_blobs(
    connection: sqlite3.Connection, folder: Path, counts: dict[str, int], notes: list[str]
) -> Iterator[str]:
    wanted: set[str] = set()
    for kind, body in connection.execute("SELECT kind, body FROM record"):
        wanted |= _blobs_needed(kind, body)
    there = {p.name: p for p in (folder / "blobs").iterdir()} if (folder / "blobs").is_dir() else {}
    counts["masks and meshes"] = sum(not name.startswith(".") for name in there)
    for name, path in there.items():
        if name.startswith("."):
            notes.append(
                f"{name[:20]} in “blobs” is left over from a write that was cut off; it does no harm."
            )
        elif blob_name(path.read_bytes()) != name:
            yield f"The file blobs/{name[:12]}… is damaged."
    for name in sorted(wanted - there.keys()):
        yield f"The file blobs/{name[:12]}… is gone, and a record needs it."


def _blobs_needed(kind: str, body: str) -> set[str]:
    """Return the names of the blobs without which a record is not whole."""
    found = set(_BLOB_FILE.findall(body))
    if kind == "fit":
        with contextlib.suppress(ValueError, AttributeError):  # said already: it cannot be read
            plain = json.loads(body)
            for mesh in (plain.get("body"), plain.get("tpose")):
                found |= {name for name in (mesh or {}).values() if _BLOB_NAME.fullmatch(name)}
    return found


def _surroundings(folder: Path) -> Iterator[str]:
    if copies := places.conflicting_copies(folder / FILE_NAME):
        yield f"A second file lies beside the project's, made by a sync program: {copies[0].name}."
    if program := places.sync_program(folder):
        yield f"It lies in a folder that {program} copies to other computers."


def must_be_whole(checked: Checked) -> None:
    """Raise KnownError when a check found problems."""
    if checked.problems:
        raise KnownError(
            f"The project {checked.folder} is damaged: {checked.problems[0]}",
            "Make a whole one of it first: limbstudio project repair DIR --out NEW.limb.",
        )
