"""What can happen to a project under a window: each has its message, no edit is lost, and work goes on."""

import contextlib
import os
import shutil
import sqlite3
import subprocess
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from limbstudio.domain import edits
from limbstudio.services import places, project_file
from limbstudio.services.store import Saving, Store
from limbstudio.services.studio import Studio
from limbstudio.ui.main_window import MainWindow

from ..loss.small_disk import small_disk
from .test_annotating import click


def edit(window: MainWindow, x: float) -> None:
    """Place the nose of the person of the photo in view, who is made where there is none."""
    person = window.session.person or window.annotate_page.new_person()
    assert person is not None
    assert window.session.do(edits.place_point(window.studio.person(person.id), 0, x, 100))


def nose_on_disk(folder: Path) -> float | None:
    store = Store.open(folder, read_only=True)
    try:
        (person,) = store.project.records.shelf("person")
        return person.keypoints.points[0].x
    finally:
        store.close()


def fill(ballast: Path) -> None:
    """Take all the space that is left on a disk."""
    with contextlib.suppress(OSError), ballast.open("wb", buffering=0) as file:
        while file.write(bytes(4096)):
            pass


def hurry(window: MainWindow) -> None:
    """Let what could not be saved be tried again every 50 ms, instead of every 5 s."""
    window.studio._opened()[0].retry_s = 0.05


def is_saved(window: MainWindow) -> bool:
    state = window.studio.save_state  # what the disk says; then what the person sees
    return (
        state.unsaved == 0 and state.saving is Saving.SAVED and window.status.save_text == "All changes saved"
    )


# ------------------------------------------------------------------------------------------- while it is open


def test_a_full_disk_is_said_and_work_goes_on(open_window, project_folder, tmp_path, qtbot):
    with small_disk(tmp_path / "disk", "4m") as disk:
        shutil.copytree(project_folder, disk / "p.limb")
        window = open_window(disk / "p.limb")
        hurry(window)
        edit(window, 10)
        qtbot.waitUntil(lambda: is_saved(window))
        ballast = disk / "ballast"
        fill(ballast)

        for x in range(11, 40):
            edit(window, x)

        qtbot.waitUntil(lambda: window.status.save_text.startswith("The disk is full"))
        assert "Free some space" in window.message_bar.text
        assert window.actions_table["save_now"].isEnabled()
        assert window.session.person.keypoints.points[0].x == 39
        ballast.unlink()
        window.studio._opened()[0].retry_s = 600
        QTest.mouseClick(window.message_bar.button, Qt.MouseButton.LeftButton)
        qtbot.waitUntil(lambda: is_saved(window))
        assert window.message_bar.text == "All edits are saved again."
        window.close()
        assert nose_on_disk(disk / "p.limb") == 39


def test_a_folder_that_went_away_is_said_and_waited_for(window, project_folder, qtbot):
    hurry(window)
    edit(window, 10)
    qtbot.waitUntil(lambda: is_saved(window))
    elsewhere = project_folder.rename(project_folder.with_name("elsewhere"))

    edit(window, 20)

    qtbot.waitUntil(lambda: window.status.save_text.startswith("The project's folder is gone"))
    assert "move the folder back" in window.status.save_text
    elsewhere.rename(project_folder)
    qtbot.waitUntil(lambda: is_saved(window))
    window.close()
    assert nose_on_disk(project_folder) == 20


def test_a_disk_that_turned_read_only_is_said_and_waited_for(open_window, project_folder, tmp_path, qtbot):
    with small_disk(tmp_path / "disk", "8m") as disk:
        shutil.copytree(project_folder, disk / "p.limb")
        window = open_window(disk / "p.limb")
        hurry(window)
        edit(window, 10)
        qtbot.waitUntil(lambda: is_saved(window))
        store = window.studio._opened()[0]
        real, store._writer._blobs.write = store._writer._blobs.write, _refuse

        store.put_blob(b"a mask")
        edit(window, 20)

        qtbot.waitUntil(lambda: "cannot be written" in window.status.save_text)
        assert "Check its permissions" in window.status.save_text
        store._writer._blobs.write = real
        qtbot.waitUntil(lambda: is_saved(window))
        window.close()
        assert nose_on_disk(disk / "p.limb") == 20


def _refuse(name: str, data: bytes) -> None:
    raise OSError(30, "Read-only file system")


def test_edits_that_cannot_be_saved_keep_the_window_open(window, project_folder, answers, qtbot):
    hurry(window)
    edit(window, 10)
    qtbot.waitUntil(lambda: is_saved(window))
    elsewhere = project_folder.rename(project_folder.with_name("elsewhere"))
    edit(window, 20)
    qtbot.waitUntil(lambda: "is gone" in window.status.save_text)

    window.close()

    assert window.isVisible()
    assert window.session.person.keypoints.points[0].x == 20
    elsewhere.rename(project_folder)
    qtbot.waitUntil(lambda: is_saved(window))
    window.close()
    assert not window.isVisible()


def test_undo_goes_on_after_a_restart(window, open_window, project_folder, qtbot):
    edit(window, 10)
    edit(window, 20)
    window.close()

    again = open_window(project_folder)
    view = again.annotate_page.view
    view.setFocus()
    QTest.keyClick(view, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)

    qtbot.waitUntil(lambda: again.session.person.keypoints.points[0].x == 10)
    QTest.keyClick(view, Qt.Key.Key_Y, Qt.KeyboardModifier.ControlModifier)
    qtbot.waitUntil(lambda: again.session.person.keypoints.points[0].x == 20)


# ------------------------------------------------------------------------------------------- when it is opened


def test_a_read_only_folder_is_shown_and_cannot_be_edited(open_window, project_folder, tmp_path, qtbot):
    with small_disk(tmp_path / "disk", "8m") as disk:
        shutil.copytree(project_folder, disk / "p.limb")
        subprocess.run(["mount", "-o", "remount,ro", disk], check=True)

        window = open_window(disk / "p.limb")

        qtbot.waitUntil(lambda: "its folder" in window.message_bar.text)
        assert "copy the folder to a place of your own" in window.message_bar.text
        assert "cannot be written" in window.status.save_text
        click(window, 100, 100)
        assert window.session.people == ()
        window.close()


@pytest.mark.parametrize(
    ("place", "words"),
    [("network", "network drive (nfs4)"), ("sync", "Dropbox copies to other computers")],
)
def test_a_place_that_is_no_disk_of_ones_own_is_said(
    open_window, project_folder, tmp_path, monkeypatch, qtbot, place, words
):
    folder = tmp_path / ("Dropbox" if place == "sync" else "share") / "p.limb"
    shutil.copytree(project_folder, folder)
    if place == "network":
        monkeypatch.setattr(places, "file_system", lambda path: "nfs4")

    window = open_window(folder)

    qtbot.waitUntil(lambda: words in window.message_bar.text)
    edit(window, 10)
    qtbot.waitUntil(lambda: is_saved(window))
    assert [file.name for file in folder.glob("project.sqlite*")] == ["project.sqlite"]
    assert nose_on_disk(folder) == 10


def test_a_clock_that_was_set_back_is_said(open_window, project_folder, monkeypatch, qtbot):
    class Ahead(datetime):
        @classmethod
        def now(cls, tz=None):
            return datetime.now(tz) + timedelta(days=3)

    with monkeypatch.context() as later:
        later.setattr("limbstudio.services.store.datetime", Ahead)
        studio = Studio(run_inline=True)
        studio.open(project_folder)
        studio.new_person(studio.photos.id_at(0))
        studio.quit()

    window = open_window(project_folder)

    qtbot.waitUntil(lambda: "clock is 3 days behind" in window.message_bar.text)
    edit(window, 10)
    qtbot.waitUntil(lambda: is_saved(window))


def test_a_damaged_file_is_shown_as_far_as_it_can_be_read(open_window, project_folder, qtbot):
    file = project_folder / "project.sqlite"
    connection = sqlite3.connect(file)
    (first, *_) = connection.execute("SELECT id FROM record WHERE kind = 'photo'").fetchone()
    connection.execute("UPDATE record SET body = '{' WHERE id = ?", (first,))
    connection.commit()
    connection.close()

    window = open_window(project_folder)

    qtbot.waitUntil(lambda: "The project is damaged" in window.message_bar.text)
    assert "limbstudio project repair" in window.message_bar.text
    assert len(window.studio.photos) == 1
    assert not window.session.can_edit


def test_a_ruined_file_is_refused_in_words_and_left_alone(open_window, project_folder, qtbot):
    (project_folder / "project.sqlite").write_bytes(b"\0" * 20_000)
    window = open_window(None)

    window.open_folder(project_folder)

    qtbot.waitUntil(lambda: "nothing in it can be read" in window.message_bar.text)
    assert not window.studio.is_open
    assert os.stat(project_folder / "project.sqlite").st_size == 20_000


def test_a_project_of_a_newer_version_opens_read_only_and_says_so(open_window, project_folder, qtbot):
    connection = sqlite3.connect(project_folder / "project.sqlite")
    connection.execute(f"PRAGMA user_version={(project_file.FORMAT[0] + 1) * project_file.MINORS}")
    connection.close()

    window = open_window(project_folder)

    qtbot.waitUntil(lambda: "made by a newer LimbStudio" in window.message_bar.text)
    assert "Install the newest" in window.message_bar.text
    assert not window.session.can_edit
