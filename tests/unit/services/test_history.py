"""Edits, undo and redo: one door, nothing lost, across restarts."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from limbstudio.domain import edits
from limbstudio.domain.anatomy import Posture
from limbstudio.domain.edits import Change, Edit
from limbstudio.domain.errors import KnownError
from limbstudio.domain.photo import Person
from limbstudio.services.history import EntryKind, History
from limbstudio.services.store import Store


@pytest.fixture
def store(tmp_path):
    made = Store.create(tmp_path / "p.limb")
    yield made
    made.abandon()


@pytest.fixture
def history(store) -> History:
    made = History(store.project, store, who="me")
    for name, photo in (("1", "A"), ("2", "B")):
        person = Person(name, photo)
        made.do(Edit("Import", (Change(("person", name), None, person),), None, photo, human=False))
    return made


def person(history: History, name: str = "1") -> Person:
    return history.project.records["person", name]


def x_of(history: History, index: int = 0, name: str = "1") -> float | None:
    return person(history, name).keypoints.points[index].x


def place(history: History, x: float, index: int = 0, name: str = "1"):
    return history.do(edits.place_point(person(history, name), index, x, 1.0))


def set_stature(history: History, value: float, merge_key: str | None = "stature"):
    after = replace(person(history), stature_mm=value)
    return history.do(edits.change_person(person(history), after, "Stature", merge_key))


def reopened(history: History, store: Store) -> tuple[History, Store]:
    store.close()
    again = Store.open(store.folder)
    return History(again.project, again, who="me"), again


def test_undo_and_redo_go_back_and_forth(history):
    place(history, 1.0)
    place(history, 2.0)

    assert history.undo_label("A") == "Move nose"
    history.undo("A")
    assert (x_of(history), history.undo_label("A"), history.redo_label("A")) == (
        1.0,
        "Place nose",
        "Move nose",
    )
    history.undo("A")
    assert (x_of(history), history.undo("A")) == (None, None)
    history.redo("A")
    history.redo("A")
    assert (x_of(history), history.redo("A")) == (2.0, None)


def test_undo_concerns_the_photo_in_view_only(history):
    place(history, 1.0, name="1")
    place(history, 2.0, name="2")

    history.undo("A")

    assert x_of(history, name="1") is None
    assert x_of(history, name="2") == 2.0


def test_machine_edits_are_not_undone_by_the_key_and_leave_redo_alone(history):
    place(history, 1.0)
    history.undo("A")
    other = Person("3", "A")

    history.do(Edit("Fit", (Change(("person", "3"), None, other),), None, "A", human=False))

    assert history.undo_label("A") == ""
    assert history.redo_label("A") == "Place nose"
    history.redo("A")
    assert x_of(history) == 1.0


def test_a_new_edit_ends_what_can_be_redone_but_a_refused_or_empty_one_does_not(history):
    place(history, 1.0)
    history.undo("A")
    stale = edits.place_point(replace(person(history), notes="another"), 0, 9.0, 9.0)

    with pytest.raises(KnownError, match="older version"):
        history.do(stale)
    assert history.do(edits.change_person(person(history), person(history), "Nothing")) is None
    place(history, 3.0, name="2")
    assert history.redo_label("A") == "Place nose"

    place(history, 2.0, index=1)
    assert history.redo_label("A") == ""


def test_edits_of_one_gesture_are_one_undo(history, store):
    for value in (1.0, 17.0, 170.0, 1700.0):
        set_stature(history, value)

    entry = history.undo("A")

    assert person(history).stature_mm is None
    assert history.undo_label("A") == ""
    assert entry.kind is EntryKind.UNDO
    history.redo("A")
    assert person(history).stature_mm == 1700.0
    store.flush()
    assert len(store.journal("A")) == 1 + 4 + 2


def test_merging_ends_with_another_edit_an_undo_or_on_request(history):
    set_stature(history, 1.0)
    place(history, 1.0)
    set_stature(history, 2.0)
    history.end_merge()
    set_stature(history, 3.0)
    history.undo("A")
    assert person(history).stature_mm == 2.0
    set_stature(history, 4.0)
    history.undo("A")
    assert person(history).stature_mm == 2.0
    history.undo("A")
    assert person(history).stature_mm == 1.0


def test_undo_works_across_restarts(history, store):
    place(history, 1.0)
    set_stature(history, 17.0)
    set_stature(history, 1700.0)
    place(history, 2.0)
    history.undo("A")

    history, store = reopened(history, store)

    assert history.redo_label("A") == "Move nose"
    assert history.undo_label("A") == "Stature"
    history.undo("A")
    assert person(history).stature_mm is None
    history, store = reopened(history, store)
    history.redo("A")
    history.redo("A")
    assert (person(history).stature_mm, x_of(history)) == (1700.0, 2.0)
    for _ in range(3):
        history.undo("A")
    assert person(history) == Person("1", "A")
    store.abandon()


def test_only_my_own_edits_are_undone(history, store):
    place(history, 1.0)

    other = History(history.project, store, who="you")

    assert other.undo_label("A") == ""
    assert other.undo("A") is None


def test_a_later_edit_of_a_machine_is_not_trampled_by_undo(history):
    place(history, 1.0)
    changed = replace(person(history), posture=Posture.SITTING)
    change = Change(("person", "1"), person(history), changed)
    history.do(Edit("Predict", (change,), None, "A", human=False))

    with pytest.raises(KnownError):
        history.undo("A")

    assert person(history) == changed
    assert history.undo_label("A") == "Place nose"


def test_any_entry_can_be_reverted_as_a_new_edit(history):
    entry = history.do(
        Edit("Fit", (Change(("person", "3"), None, Person("3", "A")),), None, "A", human=False)
    )

    history.revert(entry.sequence)

    assert ("person", "3") not in history.project.records
    assert history.undo_label("A") == "Revert: Fit"
    history.undo("A")
    assert ("person", "3") in history.project.records


def test_listeners_hear_every_change_and_one_that_fails_keeps_nothing_from_the_disk(history, store):
    heard = []
    stop = history.listen(lambda entry: heard.append((entry.kind, entry.label)))
    place(history, 1.0)
    history.undo("A")
    stop()
    assert heard == [(EntryKind.DO, "Place nose"), (EntryKind.UNDO, "Place nose")]

    def fail(entry):
        raise ZeroDivisionError

    history.listen(fail)
    with pytest.raises(ZeroDivisionError):
        place(history, 2.0)
    assert x_of(history) == 2.0
    assert store.flush()
    assert store.journal("A")[-1].label == "Place nose"


def test_a_read_only_project_changes_neither_on_disk_nor_on_screen(history, store):
    store.flush()
    second = Store.open(store.folder)
    looking = History(second.project, second, who="me")

    with pytest.raises(KnownError, match="another window"):
        looking.do(edits.place_point(looking.project.records["person", "1"], 0, 1.0, 1.0))

    assert looking.project.records["person", "1"] == Person("1", "A")
    second.close()


@settings(max_examples=25, deadline=None)
@given(st.lists(st.sampled_from(["place", "merge", "undo", "redo", "other", "reopen"]), max_size=25))
def test_any_sequence_agrees_with_a_plain_stack(tmp_path_factory, steps):
    store = Store.create(tmp_path_factory.mktemp("history") / "p.limb")
    history = History(store.project, store, who="me")
    history.do(Edit("Import", (Change(("person", "1"), None, Person("1", "A")),), None, "A", human=False))
    history.do(Edit("Import", (Change(("person", "2"), None, Person("2", "B")),), None, "B", human=False))
    past, now, future, merging = [], Person("1", "A"), [], False
    for number, step in enumerate(steps):
        if step in ("place", "merge"):
            if step == "place":
                place(history, float(number))
            else:
                set_stature(history, float(number))
            if not (step == "merge" and merging):
                past.append(now)
            now, future, merging = person(history), [], step == "merge"
        elif step == "undo":
            assert (history.undo("A") is not None) == bool(past)
            if past:
                future.append(now)
                now, merging = past.pop(), False
        elif step == "redo":
            assert (history.redo("A") is not None) == bool(future)
            if future:
                past.append(now)
                now, merging = future.pop(), False
        elif step == "other":
            place(history, float(number), name="2")
        else:
            history, store = reopened(history, store)
            merging = False
        assert person(history) == now
    store.abandon()
