"""What must be true of a project after its writer was killed or the power was cut."""

import re
import sqlite3
from pathlib import Path

from limbstudio.services.checking import check
from limbstudio.services.store import Store

from .projects import content, replayed
from .robot import fingerprint

_CONFIRMED = re.compile(r"confirmed (\d+) ([0-9a-f]{16})")


def confirmed_in(output: str) -> dict[int, str]:
    """Return the entries a robot said were confirmed. A last line that was cut off was not said."""
    said = output[: output.rfind("\n") + 1]
    return {int(m[1]): m[2] for line in said.splitlines() if (m := _CONFIRMED.fullmatch(line))}


def on_disk(folder: Path) -> dict[int, str]:
    """Return all entries of the journal, by number, as a robot names them."""
    return on_disk_file(folder / "project.sqlite")


def on_disk_file(file: Path) -> dict[int, str]:
    connection = sqlite3.connect(file)
    try:
        rows: dict[int, list[tuple]] = {s: [] for (s,) in connection.execute("SELECT sequence FROM journal")}
        query = "SELECT sequence, place, kind, id, photo, before, after FROM change ORDER BY sequence, place"
        for sequence, *rest in connection.execute(query):
            rows[sequence].append(tuple(rest))
        return {sequence: fingerprint(changes) for sequence, changes in rows.items()}
    finally:
        connection.close()


def judge(folder: Path, confirmed: dict[int, str]) -> dict[int, str]:
    """Fail when the project does not open, is not whole or has lost a confirmed edit; return what it holds."""
    store = Store.open(folder)
    assert store.read_only_reason == "", store.read_only_reason
    assert store.problems == ()
    store.close()
    there = on_disk(folder)
    lost = {s: mark for s, mark in confirmed.items() if there.get(s) != mark}
    assert not lost, f"{len(lost)} confirmed edits are lost: {sorted(lost)[:5]}"
    checked = check(folder)
    assert checked.problems == (), checked.problems
    assert content(folder) == replayed(folder)
    return there
