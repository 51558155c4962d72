"""Projects for the tests of loss: made by edits, compared as plain values."""

import sqlite3
from dataclasses import replace
from pathlib import Path
from typing import Any

from limbstudio.domain import edits
from limbstudio.domain.edits import Change, Edit
from limbstudio.domain.photo import Person, Photo
from limbstudio.services import records
from limbstudio.services.history import History
from limbstudio.services.store import Store

PHOTO = "ab" * 32


def import_photos(*names: str) -> Edit:
    changes = (Change(("photo", name), None, Photo(name, 640, 480, f"{name[:4]}.jpg")) for name in names)
    return Edit("Import", tuple(changes), None, None, human=False)


def made(folder: Path, people: int = 3) -> tuple[Store, History]:
    """Return an open project of one photo, its people each with one point moved, one edit undone."""
    store = Store.create(folder)
    history = History(store.project, store, who="me")
    history.do(import_photos(PHOTO))
    for number in range(people):
        history.do(edits.add_person(Person(str(number), PHOTO)))
        place(history, str(number), 0, 10.0 + number)
    place(history, "0", 1, 50.0)
    history.undo(PHOTO)
    assert store.flush()
    return store, history


def place(history: History, name: str, index: int, x: float) -> None:
    person = history.project.records["person", name]
    history.do(edits.place_point(person, index, x, 20.0))


def with_note(history: History, name: str, note: str) -> None:
    person = history.project.records["person", name]
    history.do(edits.change_person(person, replace(person, notes=note), "Note"))


def content(folder: Path) -> dict[tuple[str, str], str]:
    """Return the records of a project as texts, read without opening it."""
    connection = sqlite3.connect(folder / "project.sqlite")
    try:
        return {(k, i): b for k, i, b in connection.execute("SELECT kind, id, body FROM record")}
    finally:
        connection.close()


def texts(project_records: Any) -> dict[tuple[str, str], str]:
    """Return records in memory as the texts they would be stored as."""
    return {key: records.encode(key[0], project_records[key]) for key in project_records}


def replayed(folder: Path) -> dict[tuple[str, str], str]:
    """Return the records that the journal leads to."""
    connection = sqlite3.connect(folder / "project.sqlite")
    try:
        state: dict[tuple[str, str], str] = {}
        for kind, identity, before, after in connection.execute(
            "SELECT kind, id, before, after FROM change ORDER BY sequence, place"
        ):
            assert state.get((kind, identity)) == before, f"the journal has a gap at {kind} {identity}"
            if after is None:
                del state[kind, identity]
            else:
                state[kind, identity] = after
        return state
    finally:
        connection.close()
