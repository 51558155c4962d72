"""Files of all kinds dropped on the real window: read rightly or refused in words, and the window goes on meanwhile."""

import gc
import json
import pickle
import shutil
import sqlite3
import time
from pathlib import Path
from typing import TypeVar

import numpy as np
import pytest
from PySide6.QtCore import QMimeData, QPointF, Qt, QTimer, QUrl
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QDialog

from limbstudio.domain import edits
from limbstudio.domain.anatomy import LDPOSE_NAMES
from limbstudio.formats import json_files
from limbstudio.services import project_file
from limbstudio.ui.main_window import MainWindow
from limbstudio.ui.messages import RefusedDialog, ReportDialog
from limbstudio.ui.preflight_dialog import PreflightDialog

from .conftest import PHOTO_SIZE, STANDING_INDEX

_MOST_OF_A_TURN_S = 1.0  # who reads a file in the window's own thread takes longer; the usual turn is printed
_Dialog = TypeVar("_Dialog", bound=QDialog)
_OLD_PROJECTS = Path(__file__).parents[1] / "loss" / "formats"


class Pulse:
    """Measure how long one turn of the event loop keeps the window's thread at work, in its own processor time."""

    def __init__(self) -> None:
        self.longest = 0.0
        self._last = time.thread_time()
        self._timer = QTimer()
        self._timer.setInterval(0)
        self._timer.timeout.connect(self._beat)
        self._timer.start(2)

    def _beat(self) -> None:
        now = time.thread_time()
        self.longest = max(self.longest, now - self._last)
        self._last = now

    def stop(self) -> None:
        self._timer.stop()


@pytest.fixture
def window(open_window, photo_files, tmp_path, qtbot) -> MainWindow:
    """Return a window whose jobs run in threads, on a project with one photo and a person with two points."""
    gc.collect()
    gc.freeze()  # what the tests' own machinery holds is not gone through while turns are measured
    window = open_window(None)
    window.studio._workshop.run_inline = False
    window.create_project(tmp_path / "mine.limb")
    window.open_paths([photo_files[0]])
    qtbot.waitUntil(lambda: window.annotate_page.view.has_photo, timeout=20000)
    person = window.annotate_page.new_person()
    for index in (0, 5):
        window.session.do(edits.place_point(window.studio.person(person.id), index, *STANDING_INDEX[index]))
    qtbot.waitUntil(lambda: is_quiet(window), timeout=20000)
    return window


def is_quiet(window: MainWindow) -> bool:
    return all(job.state.has_ended for job in window.studio.jobs)


def drop(window: MainWindow, *paths: Path) -> None:
    """Drop files in the middle of the window, on whatever lies there."""
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(path)) for path in paths])
    middle = window.rect().center()
    target = window.childAt(middle) or window
    at = target.mapFrom(window, middle)
    buttons, keys = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    enter = QDragEnterEvent(at, Qt.DropAction.CopyAction, data, buttons, keys)
    QApplication.sendEvent(target, enter)
    assert enter.isAccepted()
    QApplication.sendEvent(target, QDropEvent(QPointF(at), Qt.DropAction.CopyAction, data, buttons, keys))


def shown(window: MainWindow, kind: type[_Dialog]) -> _Dialog | None:
    return next((d for d in window.findChildren(kind) if d.isVisible()), None)


def answered(window: MainWindow) -> bool:
    return is_quiet(window) and (window.message_bar.isVisible() or shown(window, QDialog) is not None)


def drop_and_wait(window: MainWindow, qtbot, *paths: Path) -> str:
    """Drop files, wait for what the window says, and return that."""
    window.message_bar.hide()
    drop(window, *paths)
    qtbot.waitUntil(lambda: answered(window), timeout=60000)
    return window.message_bar.text if window.message_bar.isVisible() else ""


def what_is_there(window: MainWindow) -> dict:
    photo = window.studio.photos[0]
    return {"photo": photo, "people": window.studio.people_in(photo.sha256)}


# ------------------------------------------------------------------------------------- pictures of all kinds


def awkward_table(root: Path) -> dict[str, tuple[tuple[int, int] | None, bool]]:
    """Return what another reader measured of each file: its size, and whether it could be read at all."""
    found = {}
    for line in (root / "TABLE.md").read_text(encoding="utf-8").splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if line.startswith("|") and "/" in cells[0] and len(cells) == 6:
            words = cells[3].split()
            size = tuple(int(n) for n in words[1].split("x")) if len(words) > 1 else None
            found[cells[0]] = (size, "fails" not in cells[5])
    return found


@pytest.fixture(scope="module")
def awkward(shared_data) -> Path:
    return shared_data / "real" / "awkward"


def awkward_files(root: Path) -> list[Path]:
    return sorted(p for p in root.rglob("*") if p.is_file())


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_every_awkward_file_dropped_is_read_rightly_or_refused_in_words(window, awkward, qtbot):
    table = awkward_table(awkward)
    before = what_is_there(window)
    turns: list[tuple[float, str]] = []
    read, refused = [], []
    for path in awkward_files(awkward):
        name = path.relative_to(awkward).as_posix()
        count = len(window.studio.photos)
        pulse = Pulse()
        words = drop_and_wait(window, qtbot, path)
        pulse.stop()
        turns.append((pulse.longest, name))
        assert shown(window, QDialog) is None, name
        came = window.studio.photos[count:] if len(window.studio.photos) > count else ()
        size, readable = table.get(name, (None, False))
        if came:
            read.append(name)
            assert len(came) == 1, name
            assert "1 photo was added" in words, name
            assert readable or name.split("/")[0] == "heif" or name.endswith(".heif"), name
            assert size is None or sorted(size) == sorted((came[0].width, came[0].height)), name
            assert window.studio.photo_pixels(came[0]).shape == (came[0].height, came[0].width, 3)
        else:
            refused.append(name)
            assert path.name in words, (name, words)
            assert words.endswith("."), (name, words)
            assert words.count(".") >= 2, f"{name}: what happened, and what to do: {words}"
    longest, slowest = max(turns)
    print(f"longest turn of the event loop: {longest * 1000:.0f} ms of processor time, at {slowest}")

    assert len(read) > 30
    assert len(refused) > 30
    assert what_is_there(window) == before
    assert longest <= _MOST_OF_A_TURN_S


def test_a_folder_of_awkward_files_by_dialog_brings_what_can_be_read_and_lists_the_rest(
    window, awkward, answers, qtbot
):
    answers.photos_answer = [p for p in awkward_files(awkward / "pngsuite")]
    before = what_is_there(window)

    window.actions_table["open_photos"].trigger()
    qtbot.waitUntil(lambda: "skipped" in window.message_bar.text, timeout=20000)
    window.message_bar.button.click()

    dialog = shown(window, RefusedDialog)
    assert dialog is not None
    added = {Path(p.path).name for p in window.studio.photos[1:]}
    assert added
    assert all((path.name in added) != (path.name in dialog.text) for path in answers.photos_answer)
    assert what_is_there(window) == before
    dialog.close()


def test_exif_orientations_are_turned_once_on_the_way_to_the_canvas(window, awkward, qtbot):
    files = sorted((awkward / "exif_orientation").glob("Landscape_*.jpg"))
    for path in files:
        drop_and_wait(window, qtbot, path)

    photos = window.studio.photos[1:]
    assert {(p.width, p.height) for p in photos} == {(1800, 1200)}
    small = [window.studio.thumbnail(photo).astype(float) for photo in photos]
    assert len(small) == len(files) >= 4
    # The eight files show one scene and differ by a printed number alone.
    assert all(np.abs(picture - small[0]).mean() < 12 for picture in small)
    window.session.select_photo(photos[-1].sha256)
    qtbot.waitUntil(lambda: window.annotate_page.view.has_photo, timeout=20000)


def test_a_folder_with_masks_and_annotations_is_told_apart(window, shared_data, qtbot):
    folder = shared_data / "real" / "limbloss"

    words = drop_and_wait(window, qtbot, folder)

    assert "6 photos were added" in words
    assert "6 files were taken for masks" in words
    assert "annotations.json" in words
    window.message_bar.button.click()
    qtbot.waitUntil(lambda: "6 people were added" in window.message_bar.text, timeout=60000)
    assert len(window.studio.photos) == 7


# ------------------------------------------------------------------------------------- annotation files


def test_every_awkward_json_is_refused_in_words_and_leaves_everything(window, awkward, qtbot):
    before = what_is_there(window)
    for path in awkward_files(awkward / "json"):
        words = drop_and_wait(window, qtbot, path)

        assert path.name in words, (path.name, words)
        assert words.endswith("."), words
    assert shown(window, ReportDialog) is None
    assert what_is_there(window) == before
    assert len(window.studio.photos) == 1


def coco(photos: list[Path], **changes: object) -> dict:
    """Return a COCO document of a person with 17 points on each photo."""
    flat = [n for i in range(17) for n in (*STANDING_INDEX[i], 2)]
    names = list(LDPOSE_NAMES[:17])
    width, height = PHOTO_SIZE
    document = {
        "images": [
            {"id": n, "file_name": p.name, "width": width, "height": height} for n, p in enumerate(photos, 1)
        ],
        "annotations": [
            {"id": n, "image_id": n, "category_id": 1, "keypoints": flat, "bbox": [200, 60, 200, 650]}
            for n in range(1, len(photos) + 1)
        ],
        "categories": [{"id": 1, "name": "person", "keypoints": names}],
    }
    return document | changes


def write(folder: Path, value: object, name: str = "coco.json") -> Path:
    path = folder / name
    path.write_text(value if isinstance(value, str) else json.dumps(value), encoding="utf-8")
    return path


def test_keypoints_in_another_order_are_read_by_their_names(window, photo_files, qtbot):
    document = coco(photo_files)
    for annotation in document["annotations"]:
        flat = annotation["keypoints"]
        annotation["keypoints"] = [n for i in reversed(range(17)) for n in flat[3 * i : 3 * i + 3]]
    document["categories"][0]["keypoints"].reverse()

    words = drop_and_wait(window, qtbot, write(photo_files[0].parent, document))

    assert "1 photo and 2 people were added" in words
    other = next(p for p in window.studio.photos if p.path == str(photo_files[1]))
    (person,) = window.studio.people_in(other.sha256)
    assert (person.keypoints.points[0].x, person.keypoints.points[0].y) == STANDING_INDEX[0]


def asked_before_anything(window, qtbot, path: Path) -> PreflightDialog:
    """Drop an annotation file that raises a question; nothing has come yet."""
    before = what_is_there(window)
    drop_and_wait(window, qtbot, path)
    dialog = shown(window, PreflightDialog)
    assert dialog is not None
    assert what_is_there(window) == before
    assert len(window.studio.photos) == 1
    return dialog


def test_a_keypoint_named_twice_is_shown_before_the_import(window, photo_files, qtbot):
    document = coco(photo_files)
    document["categories"][0]["keypoints"][3] = "nose"

    dialog = asked_before_anything(window, qtbot, write(photo_files[0].parent, document))

    assert "names nose twice" in dialog.details
    dialog.reject()
    assert len(window.studio.photos) == 1


def test_photos_of_another_size_are_shown_before_the_import(window, photo_files, qtbot):
    document = coco(photo_files)
    for image in document["images"]:
        image["width"], image["height"] = 1200, 1600

    dialog = asked_before_anything(window, qtbot, write(photo_files[0].parent, document))

    assert "1200 x 1600" in dialog.details
    assert "600 x 800" in dialog.details
    dialog.reject()


def test_photos_that_are_absent_are_looked_for_in_another_folder(
    window, photo_files, answers, tmp_path, qtbot, monkeypatch
):
    far = tmp_path / "far" / "away"
    far.mkdir(parents=True)
    dialog = asked_before_anything(window, qtbot, write(far, coco(photo_files)))
    assert not dialog.import_button.isEnabled()
    assert "There is no photo of that name" in dialog.details
    monkeypatch.setattr(answers, "folder_of", lambda title: tmp_path, raising=False)

    QTest.mouseClick(dialog.elsewhere_button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: "2 people were added" in window.message_bar.text, timeout=20000)

    assert len(window.studio.photos) == 2


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "is empty"),
        (b'{"images": [', "cut short"),
        (pickle.dumps({"images": []}), "a pickle of Python, which is never opened"),
        (b"\xff\xd8\xff\xe0 photo", "is a photo, whatever its name says"),
        (b"[1, 2]", "it holds a list"),
        (b'{"people": [{"pose_keypoints_2d": []}]}', "file of OpenPose"),
        (b'{"images": [], "annotations": 7}', "not a list"),
    ],
)
def test_what_is_no_annotation_file_is_named(window, photo_files, tmp_path, qtbot, content, words):
    path = tmp_path / "export.json"
    path.write_bytes(content)
    before = what_is_there(window)

    said = drop_and_wait(window, qtbot, path)

    assert words in said
    assert "export.json" in said
    assert what_is_there(window) == before


def test_a_large_file_is_read_beside_the_window_not_in_it(window, photo_files, qtbot, monkeypatch):
    document = coco(photo_files)
    gone = [{"id": n, "file_name": f"gone_{n}.jpg"} for n in range(10, 1500)]
    document["images"] += gone
    flat = document["annotations"][0]["keypoints"]
    document["annotations"] += [
        {"id": n, "image_id": n, "category_id": 1, "keypoints": flat, "segmentation": [[0.125] * 400]}
        for n in range(10, 1500)
    ]
    path = write(photo_files[0].parent, document)
    assert path.stat().st_size > 3_000_000

    def not_here(*_: object) -> None:
        raise AssertionError("A large file was parsed in the window's own process.")

    monkeypatch.setattr(json_files, "parse_json", not_here)
    pulse = Pulse()
    dialog = asked_before_anything(window, qtbot, path)
    pulse.stop()

    assert pulse.longest <= _MOST_OF_A_TURN_S
    assert "more." in dialog.details  # not all 1490 are listed
    QTest.mouseClick(dialog.import_button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: "1 photo and 2 people were added" in window.message_bar.text, timeout=60000)


# ------------------------------------------------------------------------------------- projects of other versions


def test_a_project_of_a_far_newer_version_is_refused_in_words_and_left_alone(
    open_window, project_folder, qtbot
):
    file = project_folder / "project.sqlite"
    connection = sqlite3.connect(file)
    connection.execute(f"PRAGMA user_version={9 * project_file.MINORS}")
    connection.execute("ALTER TABLE record RENAME TO observation")
    connection.commit()
    connection.close()
    content = file.read_bytes()
    window = open_window(None)

    window.open_folder(project_folder)

    qtbot.waitUntil(window.message_bar.isVisible)
    assert "newer LimbStudio (format 9.0)" in window.message_bar.text
    assert shown(window, ReportDialog) is None
    assert file.read_bytes() == content


@pytest.mark.parametrize("name", sorted(p.name for p in _OLD_PROJECTS.glob("*.limb")))
def test_a_project_of_an_older_version_is_brought_up_to_date_and_says_so(open_window, tmp_path, qtbot, name):
    folder = tmp_path / "old.limb"
    shutil.copytree(_OLD_PROJECTS / name, folder)
    window = open_window(None)

    window.open_folder(folder)
    qtbot.waitUntil(lambda: "was brought from format" in window.message_bar.text, timeout=20000)

    (copy,) = (folder / "backups").glob("*.sqlite")
    assert copy.name in window.message_bar.text
    assert copy.with_suffix(".txt").is_file()
    assert window.session.can_edit
    assert window.windowTitle().startswith("old")
