"""A project on disk: what was confirmed is there, and what cannot be written is said and kept."""

import errno
import os
import shutil
import sqlite3
import subprocess
import threading
import time
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from limbstudio.domain import edits
from limbstudio.domain.edits import Change, Edit
from limbstudio.domain.errors import KnownError
from limbstudio.domain.photo import Person, Photo
from limbstudio.services import journal, places
from limbstudio.services import writer as writer_module
from limbstudio.services.store import EntryKind, Saving, Store

PHOTO = "ab" * 32


def add_photo(sha256: str = PHOTO) -> Edit:
    photo = Photo(sha256, 640, 480, f"{sha256[:4]}.jpg")
    return Edit("Import", (Change(("photo", sha256), None, photo),), None, None, human=False)


@pytest.fixture
def folder(tmp_path) -> Path:
    return tmp_path / "A project.limb"


@pytest.fixture
def store(folder):
    made = Store.create(folder)
    made.retry_s = 0.05
    yield made
    made.abandon()


def fill(store: Store, people: int = 3) -> None:
    store.append(add_photo(), who="me")
    for number in range(people):
        store.append(edits.add_person(Person(str(number), PHOTO)), who="me")
    assert store.flush()


def wait_until(condition, seconds: float = 30.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "did not happen in time"
        time.sleep(0.01)


def test_what_was_confirmed_is_there_when_the_project_is_opened_again(store, folder):
    person = Person("1", PHOTO)
    moved = edits.place_point(person, 3, 10.5, 20.25)
    for edit in (add_photo(), edits.add_person(person), moved):
        store.append(edit, who="me")[1].result(5)
    store.close()

    again = Store.open(folder)

    assert again.project.name == "A project"
    assert again.project.records == {
        ("photo", PHOTO): Photo(PHOTO, 640, 480, "abab.jpg"),
        ("person", "1"): moved.changes[0].after,
    }
    again.close()


def test_a_deleted_record_stays_deleted(store, folder):
    person = Person("1", PHOTO)
    store.append(edits.add_person(person), who="me")
    store.append(edits.delete_person(person), who="me")
    store.close()

    again = Store.open(folder)

    assert not again.project.records
    assert again.edit_of(1).changes[0].after == person
    again.close()


def test_photos_keep_the_order_of_their_import_when_one_is_edited(store, folder):
    names = ["cc" * 32, "aa" * 32, "bb" * 32]
    for name in names:
        store.append(add_photo(name), who="me")
    before = Photo(names[0], 640, 480, "cccc.jpg")
    change = Change(("photo", names[0]), before, replace(before, no_person=True))
    store.append(Edit("No person", (change,)), who="me")
    store.close()

    again = Store.open(folder)

    assert [photo.sha256 for photo in again.project.photos] == names
    again.close()


def test_the_journal_says_who_did_what_and_is_never_changed(store, folder):
    fill(store, 1)
    store.append(edits.add_person(Person("9", PHOTO)).inverse, who="you", kind=EntryKind.UNDO, target=2)
    store.flush()

    lines = store.journal(everything=True)

    assert [(e.sequence, e.who, e.label, e.human, e.kind, e.target) for e in lines] == [
        (1, "me", "Import", False, EntryKind.DO, None),
        (2, "me", "Add person", True, EntryKind.DO, None),
        (3, "you", "Add person", True, EntryKind.UNDO, 2),
    ]
    assert [e.sequence for e in store.journal(PHOTO)] == [2, 3]
    with (
        sqlite3.connect(folder / "project.sqlite") as other,
        pytest.raises(sqlite3.Error, match="append-only"),
    ):
        other.execute("DELETE FROM journal")
    other.close()


@pytest.mark.parametrize(
    "read",
    [
        lambda store: [line.sequence for line in store.journal(everything=True)],
        lambda store: [line.sequence for line in reversed(store.journal_about(PHOTO))],
        lambda store: [1, 2] if ("person", "late") in store.states_at(1) else [],
    ],
    ids=["all", "of a photo", "states"],
)
def test_an_edit_that_is_saved_while_the_journal_is_read_is_in_it(store, monkeypatch, read):
    store.append(add_photo(), who="me")
    store.flush()
    begun, write, query = threading.Event(), journal.write_entry, store.query
    monkeypatch.setattr(journal, "write_entry", lambda *a, **k: (begun.wait(10), write(*a, **k)))
    store.append(edits.add_person(Person("late", PHOTO)), who="me")

    def saved_right_after(*words):
        rows = query(*words)
        begun.set()
        store.flush()
        return rows

    monkeypatch.setattr(store, "query", saved_right_after)

    assert read(store) == [1, 2]


def test_handing_over_does_not_wait_for_a_disk_that_stalls(store, monkeypatch):
    def slow(connection, **rest):
        time.sleep(0.1)

    monkeypatch.setattr(journal, "write_entry", slow)
    store.append(add_photo(), who="me")

    start = time.perf_counter()
    entries = [store.append(edits.add_person(Person(str(n), PHOTO)), who="me") for n in range(20)]
    waited = time.perf_counter() - start

    assert waited < 1  # the disk needs two seconds for all of them
    assert not any(done.done() for _, done in entries)
    assert store.state.unsaved > 0
    assert [e.sequence for e in store.journal(PHOTO)] == list(range(2, 22))
    monkeypatch.undo()


def test_saved_is_said_only_when_nothing_waits(store):
    seen = []
    store.listen(seen.append)

    fill(store, 30)
    wait_until(lambda: store.state.saving is Saving.SAVED)

    assert seen[0].saving is Saving.WRITING
    assert seen[-1].saving is Saving.SAVED
    assert all((state.saving is Saving.SAVED) == (state.unsaved == 0) for state in seen)


def test_a_save_that_fails_is_said_kept_and_tried_again(store, folder, monkeypatch):
    seen = []
    store.listen(seen.append)
    true_write = journal.write_entry
    fails = threading.Event()
    fails.set()

    def full(connection, **rest):
        if fails.is_set():
            error = sqlite3.OperationalError("database or disk is full")
            error.sqlite_errorcode = sqlite3.SQLITE_FULL
            raise error
        true_write(connection, **rest)

    monkeypatch.setattr(journal, "write_entry", full)
    _, done = store.append(add_photo(), who="me")
    wait_until(lambda: store.state.saving is Saving.WAITING)
    assert store.state.unsaved == 1
    assert "disk is full" in store.state.message
    assert not done.done()
    with pytest.raises(KnownError, match="1 edit of A project could not be saved. The disk is full"):
        store.close(1)

    fails.clear()
    done.result(5)
    store.close()

    assert [state.saving for state in seen][-1] is Saving.SAVED
    again = Store.open(folder)
    assert ("photo", PHOTO) in again.project.records
    again.close()


def test_closing_does_not_give_up_for_an_attempt_that_began_while_the_disk_was_full(store, monkeypatch):
    begun, go_on = threading.Event(), threading.Event()
    commit, tries = store._writer._commit, []

    def full_at_first(batch):
        tries.append(1)
        if len(tries) == 1:
            begun.set()
            go_on.wait(10)
            raise OSError(errno.ENOSPC, "No space left on device")
        commit(batch)

    monkeypatch.setattr(store._writer, "_commit", full_at_first)
    store.retry_s = 600
    store.append(edits.add_person(Person("1", PHOTO)), who="me")
    assert begun.wait(5)
    threading.Timer(0.2, go_on.set).start()  # there is space now, and the attempt under way does not know it

    assert store.flush(10)
    assert store.unsaved == ()


def test_an_edit_that_cannot_be_encoded_is_not_half_queued(store):
    with pytest.raises(TypeError):
        store.append(Edit("Wrong", (Change(("photo", "1"), None, "no photo"),)), who="me")

    assert store.state.unsaved == 0
    assert store.append(add_photo(), who="me")[0].sequence == 1


# ------------------------------------------------------------------------------------------------------ blobs


def test_a_blob_comes_back_before_and_after_it_is_written(store, folder):
    name = store.put_blob(b"a mask")
    assert store.read_blob(name) == b"a mask"

    store.flush()

    assert store.read_blob(name) == b"a mask"
    assert (folder / "blobs" / name).read_bytes() == b"a mask"
    assert [p.name for p in (folder / "blobs").iterdir()] == [name]


def test_a_damaged_or_lost_blob_is_said(store, folder):
    name = store.put_blob(b"a mask")
    store.flush()
    (folder / "blobs" / name).write_bytes(b"a mosk")

    with pytest.raises(KnownError, match="damaged"):
        store.read_blob(name)
    (folder / "blobs" / name).unlink()
    with pytest.raises(KnownError, match="cannot be read"):
        store.read_blob(name)


def test_writing_a_blob_again_mends_a_damaged_one(store, folder):
    name = store.put_blob(b"a mask")
    store.flush()
    (folder / "blobs" / name).write_bytes(b"a mosk")

    store.put_blob(b"a mask")
    store.flush()

    assert store.read_blob(name) == b"a mask"


def test_results_are_remembered_across_sessions(store, folder):
    store.keep_result("hash", "rafo", "fit-1")
    assert store.result("hash") == "fit-1"
    store.close()

    again = Store.open(folder)

    assert again.result("hash") == "fit-1"
    assert again.result("other") is None
    again.close()


# ------------------------------------------------------------------------------------------------ two windows


def test_a_second_window_may_only_look(store, folder):
    fill(store)

    second = Store.open(folder)

    assert "another window" in second.read_only_reason
    assert second.holder is not None
    assert len(second.project.records) == 4
    with pytest.raises(KnownError, match="another window"):
        second.append(add_photo("cd" * 32), who="me")
    second.close()


def test_a_window_that_was_closed_or_killed_leaves_the_project_free(store, folder):
    fill(store)
    store.close()
    script = "import sys, os; from pathlib import Path; from limbstudio.services.store import Store;"
    script += "Store.open(Path(sys.argv[1])); os.kill(os.getpid(), 9)"
    subprocess.run([_python(), "-c", script, str(folder)], check=False, cwd=_root())

    again = Store.open(folder)

    assert again.read_only_reason == ""
    again.close()


def test_taking_over_makes_the_other_window_read_only_and_keeps_its_unsaved_edits(store, folder, monkeypatch):
    fill(store)
    monkeypatch.setattr(writer_module, "IDLE_CHECK_S", 0.05)

    second = Store.open(folder, take_over=True)
    _, done = _append_or_none(store)

    wait_until(lambda: store.state.saving is Saving.READ_ONLY)
    assert second.read_only_reason == ""
    assert "took it over" in store.read_only_reason
    assert done is None or not done.done()
    second.append(add_photo("cd" * 32), who="you")[1].result(5)
    assert all(e.label == "Import" for e in store.abandon())
    second.close()


def _append_or_none(store: Store):
    try:
        return store.append(add_photo("ef" * 32), who="me")
    except KnownError:  # it has noticed already
        return None, None


# -------------------------------------------------------------------------------- disks that do not cooperate


@contextmanager
def small_disk(path: Path, size: str):
    """Mount a disk of its own for the test."""
    if os.geteuid() != 0 or shutil.which("mount") is None:
        pytest.skip("mounting a small disk needs root")
    path.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", path], capture_output=True
    )
    if mounted.returncode:
        pytest.skip(f"a small disk cannot be mounted here: {mounted.stderr.decode().strip()}")
    try:
        yield path
    finally:
        subprocess.run(["umount", "-l", path], check=True)


def test_a_full_disk_is_waited_for_and_nothing_is_lost(tmp_path):
    with small_disk(tmp_path / "disk", "2m") as disk:
        store = Store.create(disk / "p.limb")
        store.retry_s = 0.05
        ballast = disk / "ballast"
        with suppress_os_error(), ballast.open("wb", buffering=0) as file:
            while True:
                file.write(bytes(4096))
        entries = []
        while store.state.saving is not Saving.WAITING:
            entries.append(store.append(edits.add_person(Person(str(len(entries)), PHOTO)), who="me"))
            time.sleep(0.002)
        waiting = store.state
        assert "disk is full" in waiting.message
        assert waiting.unsaved > 0

        ballast.unlink()
        for _, done in entries:
            done.result(10)
        store.close()

        again = Store.open(disk / "p.limb")
        assert len(again.project.records) == len(entries)
        again.close()


@contextmanager
def suppress_os_error():
    try:
        yield
    except OSError:
        return


@pytest.mark.parametrize("cleanly", [True, False], ids=["closed", "with a log"])
def test_a_folder_that_cannot_be_written_opens_read_only_with_everything(tmp_path, folder, cleanly):
    with small_disk(tmp_path / "disk", "8m") as disk:
        made = Store.create(folder)
        fill(made)
        if cleanly:
            made.close()
        shutil.copytree(folder, disk / "p.limb")
        made.abandon()
        subprocess.run(["mount", "-o", "remount,ro", disk], check=True)

        store = Store.open(disk / "p.limb")

        assert "cannot be written" in store.read_only_reason
        assert len(store.project.records) == 4
        assert len(store.journal(everything=True)) == 4
        store.close()


def test_a_folder_that_went_away_is_waited_for(store, folder):
    fill(store)
    elsewhere = folder.with_name("elsewhere")

    folder.rename(elsewhere)
    _, done = store.append(edits.add_person(Person("late", PHOTO)), who="me")
    wait_until(lambda: store.state.saving is Saving.WAITING)
    assert "gone" in store.state.message
    assert not done.done()
    elsewhere.rename(folder)
    done.result(5)
    store.close()

    again = Store.open(folder)
    assert ("person", "late") in again.project.records
    again.close()


def test_another_project_in_its_place_is_never_written_to(store, folder):
    fill(store)
    folder.rename(folder.with_name("elsewhere"))
    Store.create(folder).close()

    store.append(edits.add_person(Person("late", PHOTO)), who="me")

    wait_until(lambda: store.state.saving is Saving.READ_ONLY)
    assert "in its place" in store.read_only_reason
    assert [e.label for e in store.unsaved] == ["Add person"]
    other = Store.open(folder)
    assert not other.project.records
    other.close()


def test_on_a_network_drive_no_write_ahead_log_is_used(tmp_path, monkeypatch):
    monkeypatch.setattr(places, "file_system", lambda path: "nfs4")

    store = Store.create(tmp_path / "p.limb")
    fill(store)

    assert store._writer.connection.execute("PRAGMA journal_mode").fetchone() == ("delete",)
    assert store._writer.connection.execute("PRAGMA synchronous").fetchone() == (3,)
    store.close()


def test_on_a_local_disk_commits_are_synced_in_a_write_ahead_log(store):
    assert store._writer.connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    assert store._writer.connection.execute("PRAGMA synchronous").fetchone() == (2,)


def test_the_file_system_of_a_path_is_that_of_its_innermost_mount():
    lines = [
        "21 1 8:1 / / rw - ext4 /dev/sda1 rw",
        "40 21 0:30 / /mnt/our\\040share rw shared:3 - nfs4 server:/x rw",
        "nonsense",
    ]

    assert places.type_of_mount(Path("/mnt/our share/p.limb"), lines) == "nfs4"
    assert places.type_of_mount(Path("/mnt/other"), lines) == "ext4"


# ---------------------------------------------------------------------------- files that are not as they were


@pytest.mark.parametrize("name", ["nowhere.limb", "empty.limb", "file.limb"])
def test_what_is_no_project_is_refused_and_nothing_is_made(tmp_path, name):
    (tmp_path / "empty.limb").mkdir()
    (tmp_path / "file.limb").write_text("hello")
    before = sorted(tmp_path.rglob("*"))

    with pytest.raises(KnownError, match="no project"):
        Store.open(tmp_path / name)

    assert sorted(tmp_path.rglob("*")) == before


def test_a_database_of_another_program_is_refused(folder):
    folder.mkdir()
    connection = sqlite3.connect(folder / "project.sqlite")
    connection.execute("CREATE TABLE bookmarks (address)")
    connection.close()

    with pytest.raises(KnownError, match="not a LimbStudio project"):
        Store.open(folder)


def test_a_folder_in_use_is_not_overwritten(folder):
    folder.mkdir()
    (folder / "thesis.txt").write_text("important")

    with pytest.raises(KnownError, match="already"):
        Store.create(folder)

    assert (folder / "thesis.txt").read_text() == "important"


@pytest.mark.parametrize("content", [b"", b"\0" * 50_000, b"not a database" * 1000])
def test_a_ruined_file_is_said_and_left_alone(store, folder, content):
    fill(store)
    store.close()
    (folder / "project.sqlite").write_bytes(content)

    with pytest.raises(KnownError, match="damaged|not a LimbStudio project") as caught:
        Store.open(folder)

    assert caught.value.hint
    assert (folder / "project.sqlite").read_bytes() == content


def test_a_damaged_file_opens_read_only_with_what_can_be_read(store, folder):
    fill(store, 200)
    store.close()
    path = folder / "project.sqlite"
    data = bytearray(path.read_bytes())
    connection = sqlite3.connect(path)
    page = connection.execute("SELECT rootpage FROM sqlite_master WHERE name = 'record'").fetchone()[0]
    leaves = connection.execute("PRAGMA page_count").fetchone()[0]
    connection.close()
    assert leaves > 50
    page = _leaf_of(data, page)
    data[(page - 1) * 4096 : page * 4096] = os.urandom(4096)
    path.write_bytes(data)

    again = Store.open(folder)

    assert again.read_only_reason.startswith("The project is damaged")
    assert 0 < len(again.project.records) < 201
    assert again.state.hint
    with pytest.raises(KnownError):
        again.append(add_photo(), who="me")
    again.close()


def _leaf_of(data: bytes, page: int) -> int:
    """Return the middle leaf below an inner page of a table (SQLite file format, section 1.6)."""
    header = data[(page - 1) * 4096 :]
    assert header[0] == 5, "not an inner page of a table"
    cells = int.from_bytes(header[3:5], "big")
    cell = int.from_bytes(header[12 + 2 * (cells // 2) :][:2], "big")
    return int.from_bytes(header[cell : cell + 4], "big")


@pytest.mark.parametrize("body", ["{", '{"sha256":1}'])
def test_a_damaged_record_makes_the_project_read_only_and_is_named(store, folder, body):
    fill(store)
    store.close()
    with sqlite3.connect(folder / "project.sqlite") as connection:
        connection.execute("UPDATE record SET body = ? WHERE kind = 'photo'", (body,))
    connection.close()

    again = Store.open(folder)

    assert "damaged" in again.read_only_reason
    assert "photo abab" in again.read_only_reason
    assert len(again.project.records) == 3
    again.close()


def test_a_project_of_a_newer_version_opens_read_only(store, folder):
    fill(store)
    store.close()
    with sqlite3.connect(folder / "project.sqlite") as connection:
        connection.execute("PRAGMA user_version = 2003")
    connection.close()

    again = Store.open(folder)

    assert "newer LimbStudio (format 2.3)" in again.read_only_reason
    assert len(again.project.records) == 4
    again.close()


def _python() -> str:
    import sys

    return sys.executable


def _root() -> Path:
    return Path(__file__).resolve().parents[3]
