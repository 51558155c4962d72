"""The window as a whole: opening, the palette, fits, messages, closing."""

import sys
import threading
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QMimeData, QPointF, Qt, QUrl
from PySide6.QtGui import QDropEvent, QKeySequence
from PySide6.QtTest import QTest
from PySide6.QtWidgets import (
    QAbstractButton,
    QApplication,
    QLabel,
    QLineEdit,
    QPushButton,
    QToolButton,
    QWidget,
)

from limbstudio.domain import edits
from limbstudio.domain.anatomy import Level, Limb
from limbstudio.domain.errors import KnownError
from limbstudio.services import pipeline
from limbstudio.services.handing_over import ExportReport
from limbstudio.services.studio import Studio
from limbstudio.ui.actions import ACTIONS, Where
from limbstudio.ui.icons import icon_exists
from limbstudio.ui.messages import RefusedDialog, ReportDialog, install_excepthook
from limbstudio.ui.palette import matches

from .conftest import STANDING_INDEX

CTRL = Qt.KeyboardModifier.ControlModifier


def placed_person(window, qtbot, level: Level = Level.TRANSTIBIAL):
    """Make a fully placed person without the mouse."""
    session = window.session
    person = window.annotate_page.new_person()
    session.do(edits.set_limb_level(person, Limb.RIGHT_LEG, level))
    from limbstudio.ui.guided import placement_order

    for index in placement_order(session.person.limbs):
        session.do(edits.place_point(session.person, index, *STANDING_INDEX[index]))
    qtbot.wait(30)
    return session.person


def test_without_a_project_the_window_says_how_to_start(open_window):
    window = open_window(None)

    assert window.start_page.isVisible()
    assert not window.actions_table["fit_body"].isEnabled()
    assert window.status.save_text == "No project open"


def test_opening_photos_without_a_project_makes_one(open_window, answers, qtbot):
    window = open_window(None)

    QTest.keyClick(window, Qt.Key.Key_O, CTRL)

    qtbot.waitUntil(lambda: len(window.studio.photos) == 2)
    qtbot.waitUntil(lambda: window.annotate_page.view.has_photo)
    assert window.studio.is_open
    assert not window.start_page.isVisible()


def test_dropped_photos_are_opened(open_window, photo_files, qtbot):
    window = open_window(None)
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(path)) for path in photo_files])
    event = QDropEvent(
        QPointF(400, 400),
        Qt.DropAction.CopyAction,
        data,
        Qt.MouseButton.LeftButton,
        Qt.KeyboardModifier.NoModifier,
    )

    window.dropEvent(event)

    qtbot.waitUntil(lambda: len(window.studio.photos) == 2)


def test_a_file_that_is_no_photo_is_refused_in_words(window, tmp_path, qtbot):
    bad = tmp_path / "notes.png"
    bad.write_bytes(b"this is not a picture")

    window.open_paths([bad])

    qtbot.waitUntil(lambda: "notes.png" in window.message_bar.text)
    assert window.message_bar.isVisible()


def test_an_empty_project_says_how_to_start(open_window, answers, tmp_path, qtbot):
    window = open_window(None)
    answers.new_answer = tmp_path / "empty.limb"

    window.new_project()
    qtbot.wait(30)

    assert "Start with a photo" in window.annotate_page.reading.words.text()
    assert window.annotate_page.reading.words.isVisible()


def test_photos_that_moved_are_located_together(
    open_window, project_folder, photo_files, answers, tmp_path, qtbot
):
    there = tmp_path / "elsewhere"
    there.mkdir()
    moved = [path.rename(there / path.name) for path in photo_files]
    window = open_window(None)
    window.open_folder(project_folder)
    qtbot.waitUntil(lambda: window.annotate_page.reading.locate.isVisible())
    assert not window.annotate_page.floats.hint.isVisible()  # it asks for clicks on a photo that is not there
    answers.moved_answer = moved[0]

    qtbot.mouseClick(window.annotate_page.reading.locate, Qt.MouseButton.LeftButton)

    qtbot.waitUntil(lambda: window.annotate_page.view.has_photo)
    assert not window.annotate_page.reading.locate.isVisible()
    assert "2 photos were found" in window.message_bar.text
    assert [window.studio.photo_path(p) for p in window.studio.photos] == moved


def test_a_project_that_is_not_there_is_said_and_the_window_goes_on(window, tmp_path):
    window.open_folder(tmp_path / "nothing.limb")

    assert window.message_bar.isVisible()
    assert "nothing" in window.message_bar.text


def test_saved_is_said_when_the_store_has_confirmed(window, qtbot):
    window.annotate_page.new_person()

    qtbot.waitUntil(lambda: window.studio.save_state.unsaved == 0)
    qtbot.waitUntil(lambda: window.status.save_text == "All changes saved")


def test_edits_are_there_when_the_project_is_opened_again(window, open_window, project_folder, qtbot):
    placed_person(window, qtbot)
    window.close()

    again = open_window(project_folder)

    assert again.session.person.limbs[Limb.RIGHT_LEG].level is Level.TRANSTIBIAL


def test_the_palette_finds_by_synonym_and_runs(window, qtbot):
    QTest.keyClick(window, Qt.Key.Key_K, CTRL)
    assert window.palette_card.isVisible()

    QTest.keyClicks(window.palette_card.field, "stump 3d")
    QTest.keyClick(window.palette_card.field, Qt.Key.Key_Return)

    assert not window.palette_card.isVisible()
    assert window.mesh_page.isVisible()


def test_palette_matches_need_every_word():
    assert [row.id for row in matches("residual limb")][0] == "residual_limb"
    assert matches("residual elephant") == []


def test_a_fit_needs_points(window, qtbot):
    window.annotate_page.new_person()

    window.annotate_page.fit_body()

    assert "needs points" in window.message_bar.text


def test_a_fit_shows_body_overlay_and_limb(window, qtbot, body_fit_stand_in):
    placed_person(window, qtbot)
    window.load_3d()

    QTest.keyClick(window.annotate_page.view, Qt.Key.Key_F)

    qtbot.waitUntil(lambda: window.session.fit is not None)
    qtbot.waitUntil(lambda: window.annotate_page.mesh_view.has_body, timeout=60000)
    qtbot.waitUntil(lambda: not window.annotate_page.view._overlay_item.pixmap().isNull())
    window.show_residual_limb()
    qtbot.waitUntil(lambda: window.mesh_page.view.has_body)
    panel = window.limb_panel
    assert panel._title.text() == "Right leg, transtibial"
    assert panel._rows["length"].text() == "about 25 cm"
    assert "no scale" in panel._rows["scale"].text()
    assert panel.table.rowCount() > 5
    assert "Closed" in window.mesh_page.strip._facts["watertight"]._value.text()
    picture = window.mesh_page.view.picture()
    pink = (picture[..., 0].astype(int) - picture[..., 1] > 40).mean()
    assert pink > 0.01


def test_the_overlay_is_the_fits_projection(window, qtbot, body_fit_stand_in):
    placed_person(window, qtbot)
    window.annotate_page.fit_body()
    view = window.annotate_page.view
    qtbot.waitUntil(lambda: not view._overlay_item.pixmap().isNull())

    image = view._overlay_item.pixmap().toImage()

    # The tube: radius 0.15 m, half height 0.6 m, 3 m away, focal length 900 px.
    alpha = np.array([[image.pixelColor(x, y).alpha() for x in range(0, 600, 5)] for y in range(0, 800, 5)])
    rows, columns = np.nonzero(alpha > 60)
    assert columns.min() * 5 == pytest.approx(299.5 - 45, abs=6)
    assert columns.max() * 5 == pytest.approx(299.5 + 45, abs=6)
    assert rows.min() * 5 == pytest.approx(399.5 - 900 * 0.6 / 2.85, abs=8)


def test_the_stature_can_be_read_in_its_field(open_window):
    window = open_window(None)
    field = window.limb_panel.stature
    field.resize(112, 32)

    empty = _ink(field)
    field.setValue(1750)

    assert empty > 60  # "not given"
    assert _ink(field) > 60


def _ink(widget: QWidget) -> int:
    """Count the pixels well inside a widget that are not its background."""
    picture = widget.grab().toImage()
    inside = [(x, y) for x in range(8, picture.width() - 8) for y in range(6, picture.height() - 6)]
    background = picture.pixelColor(8, 6)
    return sum(picture.pixelColor(x, y) != background for x, y in inside)


def test_a_stature_in_centimetres_is_refused_in_words(window, qtbot):
    placed_person(window, qtbot)

    window.limb_panel.stature.setValue(175)
    window.limb_panel.stature.editingFinished.emit()

    assert window.session.person.stature_mm is None
    assert "A stature of 175 mm" in window.message_bar.text
    assert window.limb_panel.stature.value() == 0


def test_a_stature_is_an_edit_that_asks_for_a_new_fit(window, qtbot, body_fit_stand_in):
    placed_person(window, qtbot)
    window.annotate_page.fit_body()
    qtbot.waitUntil(lambda: window.session.fit is not None)
    window.show_residual_limb()
    field = window.limb_panel.stature

    field.selectAll()
    QTest.keyClicks(field, "1720")
    QTest.keyClick(field, Qt.Key.Key_Return)
    qtbot.wait(30)

    assert window.session.person.stature_mm == 1720
    assert window.limb_panel._stale.isVisible()


def test_moving_a_point_makes_the_fit_stale(window, qtbot, body_fit_stand_in):
    person = placed_person(window, qtbot)
    window.annotate_page.fit_body()
    qtbot.waitUntil(lambda: window.session.fit is not None)

    window.session.do(edits.place_point(person, 0, 310, 130))
    qtbot.wait(30)

    assert "before your edit" in window.person_panel._facts.full_text


def test_a_fit_that_cannot_be_done_is_said_in_the_message_bar(window, qtbot, monkeypatch):
    placed_person(window, qtbot)

    def refuse(context, work):
        raise KnownError("The body file is gone.", "Choose another.")

    monkeypatch.setattr(pipeline, "run_fit", refuse)
    window.annotate_page.fit_body()

    qtbot.waitUntil(lambda: "The body file is gone. Choose another." in window.message_bar.text)


def test_our_own_mistake_in_a_job_opens_a_report_to_copy(window, qtbot, monkeypatch):
    placed_person(window, qtbot)

    def break_down(context, work):
        raise ZeroDivisionError("the sum of nothing")

    monkeypatch.setattr(pipeline, "run_fit", break_down)
    window.annotate_page.fit_body()

    qtbot.waitUntil(lambda: bool(window.findChildren(ReportDialog)))
    dialog = window.findChildren(ReportDialog)[0]
    dialog.copy_report()
    assert "the sum of nothing" in QApplication.clipboard().text()
    dialog.accept()


def test_what_no_one_caught_is_shown_once_and_the_program_goes_on(monkeypatch):
    monkeypatch.setattr(sys, "excepthook", sys.excepthook)
    known, ours = [], []
    install_excepthook(known.append, ours.append)

    def fail() -> None:
        raise RuntimeError("ours")

    for _ in range(2):
        try:
            fail()
        except RuntimeError as error:
            sys.excepthook(type(error), error.with_traceback(None), None)
    sys.excepthook(KnownError, KnownError("theirs"), None)

    assert len(ours) == 1
    assert [e.message for e in known] == ["theirs"]


def test_coco_is_exported(window, qtbot, answers, tmp_path):
    placed_person(window, qtbot)
    answers.coco_answer = tmp_path / "out.json"

    window.export_coco()

    qtbot.waitUntil(lambda: (tmp_path / "out.json").is_file())


def test_after_an_export_of_meshes_it_is_said_what_was_written_and_what_not(window, tmp_path, qtbot):
    refused = ("photo_0.png, person 2", KnownError("The disk is full.", "Free some space."))
    reports = [ExportReport((tmp_path / "a_1",)), ExportReport((tmp_path / "a_1",), (refused,))]
    said = []
    for report in reports:
        window.studio.run(lambda context, report=report: report, title="Export meshes")
        words = "Not written" if report.refused else "was written"
        qtbot.waitUntil(lambda words=words: words in window.message_bar.text)
        said.append(window.message_bar.text)

    assert said[0] == f"1 person was written to {tmp_path}."
    assert "Not written: photo_0.png, person 2: The disk is full. Free some space." in said[1]


def test_undo_names_what_it_undoes(window, qtbot):
    person = window.annotate_page.new_person()
    window.session.do(edits.place_point(person, 0, 100, 100))
    qtbot.wait(30)

    assert window.actions_table["undo"].text() == "Undo: place nose"


def test_the_theme_switches_while_it_runs(window):
    before = window.theme.name

    window.actions_table["theme"].trigger()
    assert window.theme.name != before
    window.actions_table["theme"].trigger()

    assert window.theme.name == before


def test_a_second_window_is_read_only_and_says_so(window, open_window, project_folder, qtbot):
    second = open_window(project_folder)

    assert second.message_bar.isVisible()
    assert not second.session.can_edit
    assert second.annotate_page.new_person() is None
    assert second.status._save.text() == "Read-only"
    assert "open in another window" in second.status.save_text


def test_an_edit_that_a_read_only_window_refuses_offers_to_take_over_again(
    window, open_window, project_folder, qtbot
):
    second = open_window(project_folder)
    for action in ("new_person", "no_person"):
        second.message_bar.hide()

        second.actions_table[action].trigger()

        assert second.message_bar.isVisible()
        assert "open in another window" in second.message_bar.text
        assert second.message_bar.button.isVisible()


def test_a_read_only_window_takes_the_project_over_and_gives_it_back(
    window, open_window, project_folder, answers, qtbot
):
    answers.lose_answer = True  # the edit with which the first window finds out
    second = open_window(project_folder)
    qtbot.waitUntil(lambda: second.message_bar.button.isVisible())

    qtbot.mouseClick(second.message_bar.button, Qt.MouseButton.LeftButton)

    assert second.session.can_edit
    assert second.annotate_page.new_person() is not None
    window.annotate_page.new_person()  # this write finds that the project was taken
    qtbot.waitUntil(lambda: not window.session.can_edit)
    qtbot.waitUntil(lambda: window.message_bar.button.isVisible())
    qtbot.mouseClick(window.message_bar.button, Qt.MouseButton.LeftButton)
    assert window.session.can_edit


def test_of_every_file_that_was_skipped_a_sentence_can_be_read(window, tmp_path, qtbot):
    texts = [tmp_path / f"no_photo_{n}.jpg" for n in range(3)]
    for path in texts:
        path.write_text("not a picture")

    window.open_paths(texts)
    qtbot.waitUntil(lambda: window.message_bar.button.isVisible())
    qtbot.mouseClick(window.message_bar.button, Qt.MouseButton.LeftButton)

    dialog = window.findChild(RefusedDialog)
    assert "3 were skipped" in window.message_bar.text
    assert all(f"{path}\n    {path.name} is not a photo" in dialog.text for path in texts)
    dialog.close()


def test_thumbnails_do_not_wait_for_the_3d_libraries(window, qtbot):
    loaded = threading.Event()
    window._bridge.load(lambda: loaded.wait(30), lambda _: None, lambda _: None)

    model = window.photos_panel.model
    qtbot.waitUntil(lambda: all(model.thumbnail(p) is not None for p in window.studio.photos))
    still_loading = not loaded.is_set()
    loaded.set()

    assert still_loading


def test_the_first_window_fits_the_screen(open_window):
    window = open_window(None)

    room = window.screen().availableGeometry()
    assert window.frameGeometry().height() <= max(room.height(), window.minimumHeight())
    assert window.frameGeometry().width() <= max(room.width(), window.minimumWidth())


def test_closing_with_a_body_in_view_does_not_crash_and_leaves_no_plotter(window, qtbot, body_fit_stand_in):
    placed_person(window, qtbot)
    window.load_3d()
    window.annotate_page.fit_body()
    qtbot.waitUntil(lambda: window.annotate_page.mesh_view.has_body, timeout=60000)

    window.close()

    assert not window.studio.is_open
    assert not window.annotate_page.mesh_view.has_body


def test_the_window_stays_where_it_is_when_3d_comes(window, qtbot, body_fit_stand_in):
    placed_person(window, qtbot)
    before = window.winId()

    window.load_3d()
    window.annotate_page.fit_body()
    qtbot.waitUntil(lambda: window.annotate_page.mesh_view.has_body, timeout=60000)

    assert window.winId() == before


# ------------------------------------------------------------------------------------------ the table of actions


def test_every_action_has_an_icon_that_exists_and_a_slot(window):
    owners = window.owners
    assert [row.id for row in ACTIONS if row.icon and not icon_exists(row.icon)] == []
    assert [row.id for row in ACTIONS if not callable(getattr(owners[row.owner], row.slot, None))] == []
    assert len({row.id for row in ACTIONS}) == len(ACTIONS)


def test_no_key_means_two_things_in_one_place_and_none_is_reserved():
    reserved = {"Tab", "Ctrl+Tab", "F10", "Shift+F10", "Ctrl+W", "Ctrl+F4", "Ins", "Menu"}
    for where in (Where.CANVAS, Where.MESH):
        keys = [
            QKeySequence(key).toString()
            for row in ACTIONS
            if row.where in (where, Where.WINDOW)
            for key in row.keys
        ]
        assert len(keys) == len(set(keys))
        assert not reserved & set(keys)


def test_everything_that_is_pressed_has_a_name(window):
    nameless = [
        widget
        for kind in (QPushButton, QToolButton)
        for widget in window.findChildren(kind)
        if not (widget.accessibleName() or widget.text() or widget.toolTip())
        and not widget.objectName().startswith("qt_")
    ]
    assert [(w.objectName(), w.parent()) for w in nameless] == []


def test_no_word_that_must_not_be_read_over_a_shoulder_is_shown(window):
    avoided = ("stump", "amputee", "patient", "missing", "normal", "defect")
    shown = [row.text for row in ACTIONS]
    for kind in (QLabel, QAbstractButton, QLineEdit):
        shown += [widget.text() for widget in window.findChildren(kind)]
    assert [text for text in shown if any(word in text.lower() for word in avoided)] == []


def test_none_keeps_its_references_over_many_calls(window):
    """PySide6 6.12 loses one reference to None in every void call on Python 3.11, and aborts."""
    before = sys.getrefcount(None)

    for _ in range(10_000):
        window.setObjectName("window")

    assert abs(sys.getrefcount(None) - before) < 1000


def test_the_window_needs_no_torch(tmp_path: Path, project_folder: Path):
    import subprocess

    code = (
        "import sys; from pathlib import Path; import limbstudio.ui.app as a; "
        f"w = a.make_window(Path({str(project_folder)!r})); w.show(); "
        "found = [m for m in ('torch', 'pyvista', 'vtk', 'scipy.optimize') if m in sys.modules]; "
        "w.close(); print(found)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout.strip().endswith("[]")


def test_a_studio_that_never_opened_closes(open_window):
    window = open_window(None)

    window.close()

    assert isinstance(window.studio, Studio)
    assert not window.studio.is_open
