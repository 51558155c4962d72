"""Bodies that AJAHR predicts, asked for one person or many: candidates, which change nothing by themselves."""

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt

from limbstudio.domain.fitted import KeptFit
from limbstudio.services import predicting
from limbstudio.services.initialisers import AJAHR, initialiser
from limbstudio.services.jobs import Job, JobState, JobView
from limbstudio.services.predicting import PredictionReport
from limbstudio.ui.action_row import Owner
from limbstudio.ui.features import Feature
from limbstudio.ui.messages import RefusedDialog
from limbstudio.ui.preflight_dialog import counted

if TYPE_CHECKING:
    from limbstudio.ui.main_window import MainWindow


class Predicting(Feature):
    """Ask for predictions, and say what became of them."""

    owner = Owner.PREDICTING

    def __init__(self, window: "MainWindow") -> None:
        super().__init__(window)
        self._asked: list[Job] = []
        window.status.job_ended.connect(self._on_ended)
        self.session.closed.connect(self._asked.clear)

    def available(self) -> frozenset[str]:
        can = self.session.can_edit and initialiser(AJAHR).is_there
        person = self.session.person
        placed = person is not None and any(point.x is not None for point in person.keypoints.points)
        there = {"predictable": can and placed, "predictable_photos": can and self.session.photo is not None}
        return frozenset(name for name, is_so in there.items() if is_so)

    def predict(self) -> None:
        """Predict the body of the person in work."""
        person = self.session.person
        if person is not None:
            self._follow(self.session.start(lambda: predicting.predict(self.session.studio, person.id)))

    def predict_selected(self) -> None:
        """Predict everybody on the photos that are selected in the list."""
        photos = self.window.photos_panel.selected
        title = f"Predict the people of {counted(len(photos), 'photo', 'photos')}"
        self._many(photos, title)

    def predict_all(self) -> None:
        """Predict everybody of the project."""
        self._many([photo.sha256 for photo in self.session.studio.photos], "Predict the people of all photos")

    def _many(self, photos: list[str], title: str) -> None:
        studio = self.session.studio
        self._follow(self.session.start(lambda: predicting.predict_people(studio, photos, title=title)))

    def _follow(self, job: Job | None) -> None:
        if job is not None:
            self._asked.append(job)
            if job.state.has_ended:
                self._tell(job)

    def _on_ended(self, view: JobView) -> None:
        job = next((job for job in self._asked if job.id == view.id), None)
        if job is not None:
            self._tell(job)

    def _tell(self, job: Job) -> None:
        if job not in self._asked:
            return
        self._asked.remove(job)
        if job.state is not JobState.SUCCEEDED:
            return
        if isinstance(job.result, PredictionReport):
            self._tell_many(job.result)
        elif isinstance(job.result, KeptFit):
            self._tell_one(job.result)

    def _tell_one(self, made: KeptFit) -> None:
        self.window.show_available()
        person = self.session.person
        if person is None or person.id != made.person:
            return
        if self.session.studio.fit_of(made.person) is None:
            self.window.annotate_page.fit_body()  # what a prediction has not: residual limbs, intervals, measures
            self.window.message_bar.say(
                "AJAHR's body is kept beside the fit that is made now.", serious=False
            )
            return
        self.window.message_bar.say(
            "AJAHR's body is kept beside the fit.", serious=False, button="Compare", act=self._compare
        )

    def _compare(self) -> None:
        page, compare = self.window.mesh_page, self.window.actions_table["compare_cycle"]
        self.window.show_residual_limb()
        if page.view.has_body:
            compare.trigger()
        else:  # the body is on its way into the 3D view
            page.scene_changed.connect(compare.trigger, Qt.ConnectionType.SingleShotConnection)

    def _tell_many(self, report: PredictionReport) -> None:
        self.window.show_available()
        button, act = "", None
        if report.refused:
            button = "See why"
            act = lambda: RefusedDialog(report.refused, (), self.window).show()  # noqa: E731
        self.window.message_bar.say(
            prediction_words(report), serious=bool(report.refused), button=button, act=act
        )


def prediction_words(report: PredictionReport) -> str:
    """Say in sentences what became of a batch."""
    sentences = [
        f"{counted(report.predicted, 'body was', 'bodies were')} predicted and kept beside the fits."
    ]
    if report.unplaced:
        sentences.append(f"{counted(report.unplaced, 'has', 'have')} no points yet.")
    if report.refused:
        name, error = report.refused[0]
        sentences.append(f"{len(report.refused)} could not be predicted: {name}: {error.message}")
    return " ".join(sentences)
