"""Background work in the real window: the queue, batches, models that die, and a keyboard that nobody takes away."""

import os
import signal
import time

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QDialog

from limbstudio.domain import edits
from limbstudio.domain.errors import KnownError
from limbstudio.services import logs, machine, pipeline
from limbstudio.services.importing import Preflight
from limbstudio.services.jobs import JobState, JobView
from limbstudio.services.lanes import ProcessLane
from limbstudio.ui.background.feature import Jobs
from limbstudio.ui.background.job_rows import time_left, words_of
from limbstudio.ui.main_window import MainWindow
from limbstudio.ui.messages import ReportDialog

from .conftest import STANDING_INDEX

# --------------------------------------------------------- what a process runs: functions of this module


def be_killed(context, work):
    context.report(0.5, "Fitting the body")
    os.kill(os.getpid(), signal.SIGKILL)


def crash(context, work):
    os.kill(os.getpid(), signal.SIGSEGV)


def hang(context, work):
    context.report(0.5, "Fitting the body")
    time.sleep(600)


def hoard(context, work):
    held = []
    while True:
        held.append(bytearray(20_000_000))
        time.sleep(0.02)


# ------------------------------------------------------------------------------------------------ fixtures


@pytest.fixture
def jobs(window) -> Jobs:
    return next(feature for feature in window.features if isinstance(feature, Jobs))


def annotate(window: MainWindow, qtbot, photo: int = 0) -> None:
    """Place a whole person on a photo."""
    window.session.select_photo(window.studio.photos.id_at(photo))
    person = window.annotate_page.new_person()
    for index, (x, y) in STANDING_INDEX.items():
        if index < 17:
            person = window.studio.person(person.id)
            window.session.do(edits.place_point(person, index, x, y))
    qtbot.waitUntil(lambda: window.session.person is not None)


def use_process(window: MainWindow, **options) -> None:
    """Let fits run in a real process instead of at once."""
    window.studio._workshop.run_inline = False
    window.studio._workshop.worker = ProcessLane("test", **options)


# ------------------------------------------------------------------------------------------------ the queue


def test_the_queue_opens_by_key_and_says_when_it_is_quiet(window, jobs, qtbot):
    view = window.annotate_page.view
    view.setFocus()
    QTest.keyClick(window, Qt.Key.Key_J, Qt.KeyboardModifier.ControlModifier)

    assert window.bottom_dock.shown is jobs.panel
    assert jobs.panel.summary.text() == "Nothing runs now"
    QTest.keyClick(window, Qt.Key.Key_J, Qt.KeyboardModifier.ControlModifier)
    assert window.bottom_dock.shown is None
    assert view.hasFocus()


def test_a_job_that_failed_says_why_and_is_tried_again_from_its_row(window, jobs, qtbot):
    tries = []

    def work(context):
        tries.append(1)
        context.report(0.5, "Half way")
        if len(tries) == 1:
            raise KnownError("The drive is away.", "Connect it.")

    window.studio.run(work, title="Copy")
    qtbot.waitUntil(lambda: bool(jobs.panel.rows) and jobs.panel.rows[0].retry.isVisibleTo(jobs.panel))
    row = jobs.panel.rows[0]
    assert row.text == "The drive is away. Connect it."
    QTest.mouseClick(row.copy, Qt.MouseButton.LeftButton)
    assert QApplication.clipboard().text() == "Copy\n\nThe drive is away. Connect it."

    QTest.mouseClick(row.retry, Qt.MouseButton.LeftButton)

    qtbot.waitUntil(lambda: [r.job.state for r in jobs.panel.rows] == [JobState.SUCCEEDED])
    assert [job.state for job in window.studio.jobs] == [JobState.SUCCEEDED]
    jobs.window.actions_table["clear_jobs"].trigger()
    assert jobs.panel.rows == []
    assert window.studio.jobs == ()


def test_the_keyboard_goes_back_to_the_canvas_when_the_queue_is_closed(window, jobs, qtbot):
    view = window.annotate_page.view
    view.setFocus()
    window.studio.run(lambda context: context.report(0.5, "Working"), title="Work")
    qtbot.waitUntil(lambda: bool(jobs.panel.rows))

    QTest.keyClick(window, Qt.Key.Key_J, Qt.KeyboardModifier.ControlModifier)
    assert jobs.panel.list.hasFocus()
    QTest.keyClick(window, Qt.Key.Key_J, Qt.KeyboardModifier.ControlModifier)

    assert view.hasFocus()


def test_jobs_of_a_closed_project_are_gone_from_the_queue(window, jobs, project_folder, qtbot):
    def work(context):
        raise KnownError("The drive is away.", "Connect it.")

    window.studio.run(work, title="Copy")
    qtbot.waitUntil(lambda: window.actions_table["retry_jobs"].isEnabled())

    window.close_project()
    window.open_folder(project_folder)

    qtbot.waitUntil(lambda: not window.actions_table["retry_jobs"].isEnabled())
    assert jobs.panel.rows == []


def test_a_job_is_cancelled_from_its_row_while_it_runs(window, jobs, qtbot):
    window.studio._workshop.run_inline = False

    def work(context):
        while True:
            context.report(0.3, "Working")
            time.sleep(0.005)

    window.studio.run(work, title="Work")
    qtbot.waitUntil(lambda: bool(jobs.panel.rows) and "Working" in jobs.panel.rows[0].text)

    QTest.mouseClick(jobs.panel.rows[0].cancel, Qt.MouseButton.LeftButton)

    qtbot.waitUntil(lambda: jobs.panel.rows[0].text == "Cancelled")
    assert window.actions_table["cancel_jobs"].isEnabled() is False


@pytest.mark.parametrize(
    ("elapsed", "left", "words"),
    [
        (3.0, 40.0, ""),
        (6.0, 40.0, "40 s left"),
        (60.0, 600.0, "10 min left"),
        (60.0, 8400.0, "2 h 20 min left"),
    ],
)
def test_the_time_left_is_said_after_five_seconds(elapsed, left, words):
    view = JobView(1, "Fit", JobState.RUNNING, 0.3, "Fitting person 3 of 9", None, elapsed, left)

    assert time_left(view) == words
    assert words_of(view) == "Fitting person 3 of 9"


# ------------------------------------------------------------------------------------------------ batches


def test_the_selected_photos_are_fitted_by_key_and_taken_back(window, jobs, qtbot, body_fit_stand_in):
    annotate(window, qtbot, 0)
    annotate(window, qtbot, 1)
    window.photos_panel.list.setFocus()
    QTest.keyClick(window.photos_panel.list, Qt.Key.Key_Home)
    QTest.keyClick(window.photos_panel.list, Qt.Key.Key_End, Qt.KeyboardModifier.ShiftModifier)
    qtbot.waitUntil(lambda: len(window.photos_panel.selected) == 2)

    QTest.keyClick(
        window, Qt.Key.Key_F, Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.AltModifier
    )

    qtbot.waitUntil(lambda: "2 people were fitted." in window.message_bar.text, timeout=20_000)
    assert window.session.fit is not None
    QTest.mouseClick(window.message_bar.button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: window.session.fit is None)


def test_a_batch_over_all_unfinished_photos_leaves_a_human_choice_alone(
    window, jobs, qtbot, body_fit_stand_in
):
    annotate(window, qtbot, 0)
    annotate(window, qtbot, 1)
    window.annotate_page.fit_body()
    qtbot.waitUntil(lambda: window.session.fit is not None)
    chosen = window.session.fit
    window.studio.choose_fit(chosen)
    window.session.do(edits.place_point(window.session.person, 0, 320, 130))

    window.actions_table["fit_unfinished"].trigger()

    words = "1 person was fitted. 1 was left alone"
    qtbot.waitUntil(lambda: words in window.message_bar.text, timeout=20_000)
    assert window.session.fit == chosen


# ------------------------------------------------------------------------------------- models that come to an end


@pytest.mark.parametrize(
    ("function", "options", "words"),
    [
        (be_killed, {}, "was stopped by the system"),
        (crash, {}, "crashed"),
        (hang, {"patience_s": 0.4}, "no sign of life"),
        (hoard, {"most_memory": 300_000_000}, "needed more than 300 MB of memory"),
    ],
    ids=["killed", "crashed", "hung", "over its limit"],
)
def test_a_model_that_ends_ends_its_job_and_never_the_window(
    window, jobs, qtbot, monkeypatch, body_fit_stand_in, function, options, words
):
    annotate(window, qtbot)
    before = window.session.person
    well = pipeline.run_fit
    use_process(window, **options)
    monkeypatch.setattr(pipeline, "run_fit", function)

    window.annotate_page.fit_body()

    qtbot.waitUntil(lambda: words in window.message_bar.text, timeout=20_000)
    assert window.message_bar.button.text() == "Retry"
    assert window.session.person == before
    window.session.do(edits.place_point(before, 3, 40, 40))  # and work goes on
    assert window.session.person != before
    window.studio._workshop.worker.close()
    window.studio._workshop.run_inline, window.studio._workshop.worker = True, None
    monkeypatch.setattr(pipeline, "run_fit", well)
    QTest.mouseClick(window.message_bar.button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: window.session.fit is not None)


# ------------------------------------------------------------------------------------- nobody takes the keyboard


def end_well(window):
    window.studio.run(lambda context: context.report(0.5, "Working"), title="Work")


def fail(window):
    def work(context):
        raise KnownError("The drive is away.", "Connect it.")

    window.studio.run(work, title="Work")


def make_a_mistake(window):
    window.studio.run(lambda context: 1 / 0, title="Work")


def ask_late(window):
    differs = (("photo", "person"),)
    asked = Preflight(window.studio.folder / "labels.json", window.studio.folder, 0, 1, 0, 0, differs, (), ())
    window.importing.decide(asked, waited_s=3.0)


@pytest.mark.parametrize("happens", [end_well, fail, make_a_mistake, ask_late])
def test_typing_goes_on_while_jobs_end_fail_or_ask(window, qtbot, happens):
    field = window.photos_panel.search.edit
    field.setFocus()
    qtbot.waitUntil(field.hasFocus)
    typed = "state:ready"
    for number, letter in enumerate(typed):
        if number == 4:
            happens(window)
        QTest.keyClicks(QApplication.focusWidget(), letter)
        qtbot.wait(20)

    assert field.text() == typed
    assert window.isActiveWindow()
    for dialog in window.findChildren(QDialog):
        dialog.close()


@pytest.mark.parametrize("happens", [end_well, fail, make_a_mistake, ask_late])
def test_keys_on_the_canvas_go_on_while_jobs_end_fail_or_ask(window, qtbot, happens):
    annotate(window, qtbot)
    view = window.annotate_page.view
    view.setFocus()
    window.session.select_point(5)
    happens(window)
    qtbot.wait(120)

    assert window.isActiveWindow()
    QTest.keyClick(QApplication.focusWidget(), Qt.Key.Key_2)

    qtbot.waitUntil(lambda: window.session.person.keypoints.points[5].state.value == "occluded")
    for dialog in window.findChildren(QDialog):
        dialog.close()


def test_a_mistake_of_ours_is_shown_without_taking_the_keyboard(window, qtbot):
    make_a_mistake(window)

    qtbot.waitUntil(lambda: bool(window.findChildren(ReportDialog)))
    (dialog,) = window.findChildren(ReportDialog)
    qtbot.wait(100)
    assert dialog.isVisible()
    assert not dialog.isActiveWindow()
    dialog.accept()


def test_a_late_question_is_answered_when_the_person_wants_to(window, qtbot):
    ask_late(window)
    (dialog,) = [d for d in window.findChildren(QDialog) if d.isVisible()]

    assert "there is a question" in window.message_bar.text
    QTest.mouseClick(window.message_bar.button, Qt.MouseButton.LeftButton)

    qtbot.waitUntil(dialog.isActiveWindow)
    dialog.reject()
    assert not window.message_bar.isVisible()


# ------------------------------------------------------------------------------------------- device, memory, log


def test_the_status_bar_says_what_models_run_on_and_what_memory_is_taken(window, qtbot, monkeypatch):
    line = window.status.machine

    assert line.words.text().startswith("CPU")
    assert "B" in line.words.text()
    monkeypatch.setattr(machine, "memory", lambda: machine.Memory(16_000_000_000, 400_000_000))
    line.look()

    assert "400 MB of 16.0 GB are free" in line.toolTip()
    assert "close other programs" in line.toolTip()


def test_the_log_is_copied_from_the_menu(window, qtbot, monkeypatch, tmp_path):
    monkeypatch.setattr(logs, "logs_folder", lambda: tmp_path)
    (tmp_path / "worker.log").write_text("first\nthe last line\n")

    window.actions_table["copy_log"].trigger()

    assert "the last line" in QApplication.clipboard().text()
