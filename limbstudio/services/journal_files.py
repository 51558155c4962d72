"""The journal as a file for others: one JSON object per edit, or one CSV row per changed record."""

import csv
import io
import json
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from limbstudio.domain.errors import KnownError
from limbstudio.formats.whole_files import write_whole
from limbstudio.services import opening, project_file

Report = Callable[[float, str], None]
_ENTRY = ("sequence", "time", "who", "label", "human", "photo", "kind", "target")
_COLUMNS = (*_ENTRY, "record_kind", "record_id", "record_photo", "before", "after")


def export_journal(folder: Path, out: Path, report: Report = lambda fraction, sentence: None) -> int:
    """Write the whole journal, oldest first, and return how many edits it holds.

    out: ends in .jsonl or .csv. KnownError for another ending, or when something cannot be read or written.
    """
    if out.suffix not in (".jsonl", ".csv"):
        raise KnownError(f"{out.name} ends neither in .jsonl nor in .csv.", "Choose one of the two.")
    report(0.0, "Reading the journal")
    try:
        connection = project_file.connect_to_read(opening.file_of(folder))
        try:
            entries = list(_entries(connection))
        finally:
            connection.close()
    except (sqlite3.Error, OSError, UnicodeDecodeError) as error:
        raise KnownError(
            f"The journal of {folder} cannot be read: {error}.",
            "Repair the project first: limbstudio project repair DIR --out NEW.limb.",
        ) from error
    report(0.7, "Writing")
    text = _as_jsonl(entries) if out.suffix == ".jsonl" else _as_csv(entries)
    write_whole(out, text.encode("utf-8"))
    return len(entries)


def _entries(connection: sqlite3.Connection) -> Iterator[dict[str, Any]]:
    changes = connection.execute(
        "SELECT sequence, kind, id, photo, before, after FROM change ORDER BY sequence, place"
    )
    waiting = changes.fetchone()
    for row in connection.execute(f"SELECT {', '.join(_ENTRY)} FROM journal ORDER BY sequence"):
        entry = dict(zip(_ENTRY, row, strict=True)) | {"human": bool(row[4]), "changes": []}
        while waiting is not None and waiting[0] <= row[0]:
            if waiting[0] == row[0]:
                entry["changes"].append(waiting[1:])
            waiting = changes.fetchone()
        yield entry


def _as_jsonl(entries: list[dict[str, Any]]) -> str:
    lines = []
    for entry in entries:
        changes = [
            {
                "record": [kind, identity],
                "photo": photo,
                "before": None if before is None else json.loads(before),
                "after": None if after is None else json.loads(after),
            }
            for kind, identity, photo, before, after in entry["changes"]
        ]
        lines.append(json.dumps({**entry, "changes": changes}, ensure_ascii=False))
    return "".join(f"{line}\n" for line in lines)


def _as_csv(entries: list[dict[str, Any]]) -> str:
    text = io.StringIO()
    rows = csv.writer(text)
    rows.writerow(_COLUMNS)
    for entry in entries:
        head = [entry[name] for name in _ENTRY]
        for change in entry["changes"] or [(None,) * 5]:
            rows.writerow([*head, *change])
    return text.getvalue()
