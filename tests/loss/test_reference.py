"""Random edits, undos, redos and reopenings against a model in plain Python: the same state, always."""

import random
from functools import partial

import pytest

from limbstudio.domain import edits
from limbstudio.domain.edits import Change, Edit
from limbstudio.domain.errors import KnownError
from limbstudio.domain.photo import Person
from limbstudio.services import records
from limbstudio.services.history import History
from limbstudio.services.store import Store

from .counts import times
from .projects import content, import_photos, replayed

PHOTOS = tuple(f"{n:02x}" * 32 for n in range(1, 5))
Step = list[tuple[tuple[str, str], str | None, str | None]]


class Model:
    """The project as a dictionary of texts, and what I can undo and redo on each photo as two lists."""

    def __init__(self) -> None:
        self.texts: dict[tuple[str, str], str] = {}
        self.done: dict[str | None, list[Step]] = {}
        self.undone: dict[str | None, list[Step]] = {}

    def do(self, edit: Edit) -> None:
        step = [(c.key, _text(c.key, c.before), _text(c.key, c.after)) for c in edit.changes]
        if all(before == after for _, before, after in step):
            return
        self._set((key, after) for key, _, after in step)
        if edit.human:
            self.done.setdefault(edit.photo, []).append(step)
            self.undone[edit.photo] = []

    def undo(self, photo: str | None) -> bool:
        """Return whether it was undone; False also when something stands on it."""
        done = self.done.setdefault(photo, [])
        if not done or any(self.texts.get(key) != after for key, _, after in done[-1]):
            return False
        step = done.pop()
        self._set((key, before) for key, before, _ in step)
        self.undone.setdefault(photo, []).append(step)
        return True

    def redo(self, photo: str | None) -> bool:
        undone = self.undone.setdefault(photo, [])
        if not undone or any(self.texts.get(key) != before for key, before, _ in undone[-1]):
            return False
        step = undone.pop()
        self._set((key, after) for key, _, after in step)
        self.done.setdefault(photo, []).append(step)
        return True

    def _set(self, texts) -> None:
        for key, text in texts:
            if text is None:
                self.texts.pop(key, None)
            else:
                self.texts[key] = text


def _text(key: tuple[str, str], record: object) -> str | None:
    return None if record is None else records.encode(key[0], record)


def an_edit(chance: random.Random, history: History, number: int) -> Edit:
    photo = chance.choice(PHOTOS)
    people = history.project.people_in(photo)
    what = chance.random()
    if not people or what < 0.08:
        return edits.add_person(Person(f"p{number}", photo))
    person = chance.choice(people)
    if what < 0.12:
        return edits.delete_person(person)
    if what < 0.2:
        return edits.swap_sides(person)
    moved = edits.place_point(person, chance.randrange(25), chance.randrange(640), chance.randrange(480))
    if what < 0.3:  # a machine's
        return Edit("Predict", moved.changes, None, photo, human=False)
    if what < 0.35:  # of the project itself
        return Edit("Everywhere", tuple(Change(c.key, c.before, c.after) for c in moved.changes), None, None)
    return moved


def attempt(action) -> bool:
    try:
        return action() is not None
    except KnownError:
        return False


@pytest.mark.timeout(3600)
def test_ten_thousand_random_steps_agree_with_a_plain_model(tmp_path):
    steps, chance = times(600, 10_000), random.Random(23)
    folder = tmp_path / "p.limb"
    store = Store.create(folder)
    history, model = History(store.project, store, who="me"), Model()
    first = import_photos(*PHOTOS)
    history.do(first)
    model.do(first)
    reopened = 0
    for number in range(steps):
        what = chance.random()
        photo = chance.choice([*PHOTOS, None])
        if what < 0.6:
            edit = an_edit(chance, history, number)
            model.do(edit)
            history.do(edit)
        elif what < 0.8:
            assert attempt(partial(history.undo, photo)) == model.undo(photo), f"undo at step {number}"
        elif what < 0.985:
            assert attempt(partial(history.redo, photo)) == model.redo(photo), f"redo at step {number}"
        else:
            store.close()
            assert content(folder) == model.texts, f"on the disk at step {number}"
            store = Store.open(folder)
            history = History(store.project, store, who="me")
            reopened += 1
        if number % 50 == 0:
            seen = {
                key: records.encode(key[0], history.project.records[key]) for key in history.project.records
            }
            assert seen == model.texts, f"in memory at step {number}"
    store.close()
    assert content(folder) == model.texts == replayed(folder)
    print(f"{steps} steps, {reopened} reopenings: equal")
