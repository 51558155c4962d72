"""Places that are not quite a disk of one's own, clocks that go wrong, and a second window that follows."""

import time
from datetime import UTC, datetime, timedelta

import pytest

from limbstudio.domain import edits
from limbstudio.domain.errors import KnownError
from limbstudio.domain.photo import Person
from limbstudio.services import following, opening, places
from limbstudio.services.history import History
from limbstudio.services.store import Saving, Store
from limbstudio.services.studio import Studio, What

from .projects import PHOTO, import_photos, made, place, texts


def wait_until(condition, seconds: float = 30.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "did not happen in time"
        time.sleep(0.01)


@pytest.fixture(autouse=True)
def _quick(monkeypatch):
    monkeypatch.setattr(following, "POLL_S", 0.02)


@pytest.mark.parametrize(
    ("path", "program"),
    [
        ("Dropbox/p.limb", "Dropbox"),
        ("Dropbox (Clinic)/a/p.limb", "Dropbox"),
        ("OneDrive - Clinic/p.limb", "OneDrive"),
        ("Nextcloud/p.limb", "Nextcloud"),
        ("Library/Mobile Documents/com~apple~CloudDocs/p.limb", "iCloud Drive"),
        ("Google Drive/My Drive/p.limb", "Google Drive"),
        ("work/inbox/p.limb", ""),
        ("boxes/dropbox-notes/p.limb", ""),
    ],
)
def test_folders_that_are_copied_elsewhere_are_known_by_their_names(tmp_path, path, program):
    assert places.sync_program(tmp_path / path) == program


def test_folders_that_are_copied_elsewhere_are_known_by_what_lies_in_them(tmp_path):
    (tmp_path / "share" / ".stfolder").mkdir(parents=True)
    (tmp_path / "cloud").mkdir()
    (tmp_path / "cloud" / ".sync_1a2b.db").touch()

    assert places.sync_program(tmp_path / "share" / "a" / "p.limb") == "Syncthing"
    assert places.sync_program(tmp_path / "cloud" / "p.limb") == "Nextcloud"


def test_in_a_synced_folder_a_warning_and_one_file_without_a_log(tmp_path):
    (tmp_path / "Dropbox").mkdir()
    store, history = made(tmp_path / "Dropbox" / "p.limb")

    assert any("Dropbox copies to other computers" in note for note in store.notes)
    assert store._writer.connection.execute("PRAGMA journal_mode").fetchone() == ("delete",)
    assert [p.name for p in store.folder.glob("project.sqlite*")] == ["project.sqlite"]
    place(history, "1", 3, 77.0)  # and the copy in memory that is read keeps in step
    assert store.flush()
    assert store.edit_of(store.journal(PHOTO)[-1].sequence).label.startswith("Place")
    store.close()


def test_a_copy_that_two_computers_left_is_pointed_at(tmp_path):
    store, _ = made(tmp_path / "p.limb")
    store.close()
    (tmp_path / "p.limb" / "project (Ada's conflicted copy 2026-05-01).sqlite").touch()

    again = Store.open(tmp_path / "p.limb")

    assert any("two computers changed the project" in note for note in again.notes)
    again.close()


@pytest.mark.parametrize(
    ("back", "words"),
    [(timedelta(seconds=30), ""), (timedelta(minutes=10), "10 minutes"), (timedelta(days=3), "3 days")],
)
def test_how_far_a_clock_was_set_back(back, words):
    now = datetime(2026, 5, 1, tzinfo=UTC)

    assert opening.clock_behind((now + back).isoformat(), now) == words


def test_a_clock_that_was_set_back_is_noted_and_edits_keep_their_order(tmp_path, monkeypatch):
    class Ahead(datetime):
        @classmethod
        def now(cls, tz=None):
            return datetime.now(tz) + timedelta(days=3)

    with monkeypatch.context() as later:
        later.setattr("limbstudio.services.store.datetime", Ahead)
        store, _ = made(tmp_path / "p.limb")
        store.close()

    again = Store.open(tmp_path / "p.limb")
    History(again.project, again, who="me").undo(PHOTO)
    again.flush()

    assert any("clock is 3 days behind" in note for note in again.notes)
    lines = again.journal(everything=True)
    assert [line.sequence for line in lines] == list(range(1, len(lines) + 1))
    assert lines[-1].time < lines[-2].time
    again.close()


# ------------------------------------------------------------------------------------------------ two windows


@pytest.mark.parametrize("where", ["local", "Dropbox"])
def test_a_second_window_follows_the_first(tmp_path, where):
    (tmp_path / where).mkdir()
    store, history = made(tmp_path / where / "p.limb")
    second = Studio(who="you", run_inline=True)
    seen = []
    second.listen(seen.append)
    second.open(store.folder)

    place(history, "1", 3, 77.0)
    history.do(edits.add_person(Person("late", PHOTO)))
    history.undo(PHOTO)

    wait_until(lambda: texts(second.project.records) == texts(history.project.records))
    assert "appear here as they are made" in second.save_state.hint
    wait_until(lambda: [e.entry.label for e in seen if e.what is What.EDITED][-1:] == ["Add person"])
    assert len(second.journal(PHOTO)) == len(store.journal(PHOTO))
    with pytest.raises(KnownError, match="another window"):
        second.new_person(PHOTO)
    store.close()
    wait_until(lambda: "was closed" in second.read_only_reason)
    assert second.can_take_over
    second.quit()


def test_who_was_taken_over_from_follows_the_new_window(tmp_path, monkeypatch):
    monkeypatch.setattr("limbstudio.services.writer.IDLE_CHECK_S", 0.02)
    first = Studio(who="me", run_inline=True)
    first.create(tmp_path / "p.limb")
    first.do(import_photos(PHOTO))
    first.history.last_saved.result(5)
    second = Studio(who="you", run_inline=True)
    second.open(tmp_path / "p.limb")
    second.close()
    second.open(tmp_path / "p.limb", take_over=True)
    wait_until(lambda: first.save_state.saving is Saving.READ_ONLY)

    second.new_person(PHOTO)

    wait_until(lambda: len(first.people_in(PHOTO)) == 1)
    assert "took it over" in first.read_only_reason
    first.quit()
    second.quit()


def test_a_project_that_another_one_replaced_is_followed_no_longer(tmp_path):
    store, history = made(tmp_path / "p.limb")
    second = Store.open(tmp_path / "p.limb")

    def refuse(entries):
        raise KnownError("It does not fit.")

    second.follow(refuse)
    place(history, "1", 3, 77.0)

    wait_until(lambda: "followed no longer" in second.read_only_reason)
    second.close()
    store.close()
