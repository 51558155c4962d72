"""Jobs in the dock: the queue, batches over photos, and the log. Nothing here takes the keyboard from anybody."""

from typing import TYPE_CHECKING

from PySide6.QtCore import QUrl
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QApplication, QWidget
from shiboken6 import isValid

from limbstudio.services import logs
from limbstudio.services.batch_fits import BatchReport
from limbstudio.services.jobs import Job, JobState, JobView
from limbstudio.ui.action_row import Owner
from limbstudio.ui.background.job_rows import JobRow, JobsPanel
from limbstudio.ui.background.save_trouble import SaveTrouble
from limbstudio.ui.features import Feature
from limbstudio.ui.messages import RefusedDialog
from limbstudio.ui.preflight_dialog import counted
from limbstudio.ui.theme import Theme

if TYPE_CHECKING:
    from limbstudio.ui.main_window import MainWindow

_LOG_CHARACTERS = 60_000


class Jobs(Feature):
    """Show the queue, start batches, and say how they ended."""

    owner = Owner.JOBS

    def __init__(self, window: "MainWindow") -> None:
        super().__init__(window)
        actions = window.actions_table
        self.panel = JobsPanel(
            window.theme,
            tuple(actions[name] for name in ("retry_jobs", "clear_jobs", "cancel_jobs")),
            self.retry,
        )
        window.bottom_dock.add("Jobs", self.panel, self._on_shown)
        self._opener: QWidget | None = None
        self._save_trouble = SaveTrouble(window)
        session = self.session
        session.job_started.connect(self.panel.add)
        session.closed.connect(self.panel.clear)
        window.status.job_changed.connect(self._on_changed)
        window.status.job_ended.connect(self._on_ended)

    def set_theme(self, theme: Theme) -> None:
        self.panel.set_theme(theme)

    def available(self) -> frozenset[str]:
        jobs = [row.job for row in self.panel.rows]
        failed = [job for job in jobs if job.state is JobState.FAILED and job.again is not None]
        there = {
            "jobs": any(not job.state.has_ended for job in jobs),
            "ended_jobs": any(job.state.has_ended for job in jobs),
            "failed_jobs": bool(failed),
            "unsaved": self._save_trouble.is_there,
            "fittable": self.session.can_edit and self.session.photo is not None,
        }
        return frozenset(name for name, is_so in there.items() if is_so)

    # --------------------------------------------------------------------------------------------------- the queue

    def show_jobs(self, shown: bool = True) -> None:
        """Open or close the queue; the keyboard goes back to who had it."""
        if shown:
            self._opener = QApplication.focusWidget()
            self.window.bottom_dock.show_part(self.panel)
            self.panel.list.setFocus()
        else:
            self.window.bottom_dock.hide_part()

    def _on_shown(self, shown: bool) -> None:
        self.window.actions_table["jobs"].setChecked(shown)
        opener = self._opener
        if not shown and opener is not None and isValid(opener) and opener.isVisible():
            opener.setFocus()

    def cancel_jobs(self) -> None:
        for row in self.panel.rows:
            row.job.cancel()

    def retry(self, row: JobRow) -> None:
        """Start a job again that failed or was cancelled; the new one takes its place."""
        again = row.job.again
        if again is not None and self.session.start(again) is not None:
            self._forget([row.job])

    def retry_failed(self) -> None:
        for row in reversed(self.panel.rows):
            if row.job.state is JobState.FAILED:
                self.retry(row)

    def clear_ended(self) -> None:
        self._forget([row.job for row in self.panel.rows if row.job.state.has_ended])

    def _forget(self, jobs: list[Job]) -> None:
        for job in jobs:
            self.panel.remove(job)
        self.session.studio.forget_jobs(jobs)
        self.window.show_available()

    def _on_changed(self, view: JobView) -> None:
        self.panel.show_view(view)

    def save_now(self) -> None:
        """Try at once to save what the disk refused."""
        self._save_trouble.try_now()

    # -------------------------------------------------------------------------------------------------- the batches

    def fit_selected(self) -> None:
        """Fit everybody on the photos that are selected in the list."""
        photos = self.window.photos_panel.selected
        title = f"Fit the people of {counted(len(photos), 'photo', 'photos')}"
        self.session.start(lambda: self.session.studio.fit_people(photos, title=title))

    def fit_unfinished(self) -> None:
        """Fit everybody on all photos that are not finished yet."""
        title = "Fit the people of all unfinished photos"
        self.session.start(lambda: self.session.studio.fit_people(None, title=title))

    def _on_ended(self, view: JobView) -> None:
        if view.state is not JobState.SUCCEEDED:
            return
        row = next((row for row in self.panel.rows if row.job.id == view.id), None)
        if row is not None and isinstance(row.job.result, BatchReport):
            self._tell(row.job.result)

    def _tell(self, report: BatchReport) -> None:
        button, act = "", None
        if report.refused:
            button = "See why"
            act = lambda: RefusedDialog(report.refused, (), self.window).show()  # noqa: E731
        elif report.entries:
            button, act = "Take it back", lambda: self._take_back(report)
        self.window.message_bar.say(batch_words(report), serious=bool(report.refused), button=button, act=act)

    def _take_back(self, report: BatchReport) -> None:
        if self.session.attempt(lambda: self.session.studio.safekeeping.take_back(report.entries)):
            self.window.message_bar.say("The fits were taken back.", serious=False)

    # ------------------------------------------------------------------------------------------------------ the log

    def open_log(self) -> None:
        """Show the folder of the logs."""
        folder = logs.logs_folder()
        if not folder.is_dir() or not QDesktopServices.openUrl(QUrl.fromLocalFile(str(folder))):
            self.window.message_bar.say(f"The log is in {folder}.", "Open it yourself, or copy it from Help.")

    def copy_log(self) -> None:
        """Put the newest lines of the logs on the clipboard."""
        text = logs.newest(_LOG_CHARACTERS)
        if not text:
            self.window.message_bar.say("Nothing was logged yet.", serious=False)
            return
        QApplication.clipboard().setText(text)
        self.window.message_bar.say(
            "The log was copied.", "It can name files: read it before you send it.", serious=False
        )


def batch_words(report: BatchReport) -> str:
    """Say in sentences what became of a batch."""
    sentences = [f"{counted(report.fitted, 'person was', 'people were')} fitted."]
    if report.fresh:
        sentences.append(f"{report.fresh} had a fit that is up to date.")
    if report.by_hand:
        words = counted(report.by_hand, "was", "were")
        sentences.append(f"{words} left alone: a person chose the fit, or accepted it.")
    if report.unplaced:
        sentences.append(f"{counted(report.unplaced, 'has', 'have')} no points yet.")
    if report.refused:
        name, error = report.refused[0]
        sentences.append(f"{len(report.refused)} could not be fitted: {name}: {error.message}")
    return " ".join(sentences)
