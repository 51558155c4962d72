"""What the window says when a job has ended: what it made, or why it failed and what can be done."""

from pathlib import Path
from typing import TYPE_CHECKING

from limbstudio.services.handing_over import ExportReport
from limbstudio.services.importing import ImportReport, Preflight
from limbstudio.services.jobs import Failure, Job, JobState, JobView
from limbstudio.services.photo_files import CollectReport
from limbstudio.ui.messages import RefusedDialog, ReportDialog, show_quietly

if TYPE_CHECKING:
    from limbstudio.ui.main_window import MainWindow


class Outcomes:
    """Tell how jobs ended, in the window's message bar and dialogs."""

    def __init__(self, window: "MainWindow") -> None:
        self.window = window

    def tell(self, view: JobView) -> None:
        """Say what came of a job that has ended."""
        self.window.show_available()
        if view.failure is not None and view.failure.is_ours:
            show_quietly(
                ReportDialog(view.failure.report, self.window.theme, self.window, title=view.failure.message)
            )
        elif view.failure is not None:
            self._tell_failure(view, view.failure)
        elif view.state is JobState.SUCCEEDED:
            self._tell_result(view)

    def _tell_failure(self, view: JobView, failure: Failure) -> None:
        """Say why a job failed; offer to try again where the process that worked on it is to blame."""
        job = self._job_of(view)
        again = job.again if job is not None and failure.process_ended else None

        def retry() -> None:
            if again is not None and self._job_of(view) is not None:  # its project may have been closed
                self.window.session.start(again)

        self.window.message_bar.say(
            failure.message, failure.hint, button="Retry" if again is not None else "", act=retry
        )

    def _job_of(self, view: JobView) -> Job | None:
        return next((job for job in self.window.studio.jobs if job.id == view.id), None)

    def _tell_result(self, view: JobView) -> None:
        job = self._job_of(view)
        result = job.result if job is not None else None
        if isinstance(result, ImportReport):
            self.window.importing.tell(result)
        elif isinstance(result, Preflight):
            self.window.importing.decide(result, waited_s=view.elapsed_s)
        elif isinstance(result, CollectReport):
            self._tell_collected(result)
        elif isinstance(result, ExportReport):
            self._tell_export(result)
        elif isinstance(result, Path):
            self.window.message_bar.say(f"Written: {result}.", serious=False)

    def _tell_collected(self, report: CollectReport) -> None:
        words = f"{report.collected} photos were copied into the project; {report.there} were there already."
        if report.refused:
            name, error = report.refused[0]
            words += f" Not copied: {name}: {error.message} {error.hint}"
        self.window.message_bar.say(words, serious=bool(report.refused))

    def _tell_export(self, report: ExportReport) -> None:
        written = len(report.folders)
        people = "person was" if written == 1 else "people were"
        words = ["0 people were written."]
        if written:
            words = [f"{written} {people} written to {report.folders[0].parent}."]
        if report.refused:
            name, error = report.refused[0]
            words.append(f"Not written: {name}: {error.message} {error.hint}")
        words.extend(report.warnings[:1])
        details = len(report.refused) + len(report.warnings) > 1
        self.window.message_bar.say(
            " ".join(words),
            serious=bool(report.refused or report.warnings),
            button="See why" if details else "",
            act=(lambda: RefusedDialog(report.refused, report.warnings, self.window).show())
            if details
            else None,
        )
