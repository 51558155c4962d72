"""What AJAHR predicts, asked for one person or many: proposals and candidates, which change nothing by themselves."""

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt

from limbstudio.ajahr.build import ReleasedOptions
from limbstudio.domain.limb_proposals import UNSURE_BELOW
from limbstudio.services import predicting
from limbstudio.services.initialisers import AJAHR, initialiser
from limbstudio.services.jobs import Job, JobState, JobView
from limbstudio.services.predicting import Prediction, PredictionReport
from limbstudio.services.weights import WeightsState, look_at_weights
from limbstudio.ui.action_row import Owner
from limbstudio.ui.features import Feature
from limbstudio.ui.living.prediction_settings import PredictionSettings
from limbstudio.ui.messages import RefusedDialog
from limbstudio.ui.preflight_dialog import counted

if TYPE_CHECKING:
    from limbstudio.ui.main_window import MainWindow

# In the window's memory: where proposals are unsure, as a share.
_LIMIT = "limb_proposals/unsure_below"
# Whether the user's own AJAHR weights predict, and what is asked of them.
_USES_OWN, _SECOND_PASS, _RELEASE_EXACT = (
    f"prediction/{name}" for name in ("own_ajahr_weights", "second_pass", "release_exact")
)


class Predicting(Feature):
    """Ask for predictions, and say what became of them."""

    owner = Owner.PREDICTING

    def __init__(self, window: "MainWindow") -> None:
        super().__init__(window)
        self._asked: list[Job] = []
        window.status.job_ended.connect(self._on_ended)
        self.session.closed.connect(self._asked.clear)
        window.person_panel.set_unsure_below(self.limit)

    @property
    def limit(self) -> float:
        """Return how near the two likeliest answers may be to each other before a proposal is unsure, 0 to 1."""
        kept = self.window.memory.value(_LIMIT, UNSURE_BELOW, float)
        return min(max(float(kept), 0.0), 1.0) if isinstance(kept, int | float) else UNSURE_BELOW

    @property
    def uses_own(self) -> bool:
        """Tell whether the user's own AJAHR weights predict."""
        return bool(self.window.memory.value(_USES_OWN, False, bool))

    @property
    def released_options(self) -> ReleasedOptions:
        """Return what is asked of the user's own weights."""
        exact, second = (
            bool(self.window.memory.value(name, False, bool)) for name in (_RELEASE_EXACT, _SECOND_PASS)
        )
        return ReleasedOptions(exact, second)

    def ask_settings(self) -> None:
        """Ask with what is predicted and when a proposal is unsure, and remember it."""
        dialog = PredictionSettings(self.uses_own, self.released_options, self.limit, self.window)
        dialog.accepted.connect(lambda: self._remember(dialog))
        dialog.open()
        photo = self.session.photo
        job = self.session.studio.compute(
            look_at_weights, title="Look at your AJAHR weights", photo="" if photo is None else photo.sha256
        )
        dialog.finished.connect(
            self.session.bridge.watch(job, lambda view: dialog.show_job(view, _result_of(job)))
        )

    def _remember(self, dialog: PredictionSettings) -> None:
        memory, options = self.window.memory, dialog.options
        memory.setValue(_USES_OWN, dialog.own.isChecked())
        memory.setValue(_SECOND_PASS, options.second_pass)
        memory.setValue(_RELEASE_EXACT, options.release_exact)
        share = dialog.limit.value() / 100
        memory.setValue(_LIMIT, share)
        self.window.person_panel.set_unsure_below(share)
        self.window.show_available()

    @property
    def _released(self) -> ReleasedOptions | None:
        return self.released_options if self.uses_own else None

    def available(self) -> frozenset[str]:
        can = self.session.can_edit and (self.uses_own or initialiser(AJAHR).is_there)
        person = self.session.person
        placed = person is not None and any(point.x is not None for point in person.keypoints.points)
        there = {"predictable": can and placed, "predictable_photos": can and self.session.photo is not None}
        return frozenset(name for name, is_so in there.items() if is_so)

    def predict(self) -> None:
        """Predict the body of the person in work."""
        person = self.session.person
        if person is not None:
            studio, released = self.session.studio, self._released
            self._follow(self.session.start(lambda: predicting.predict(studio, person.id, released)))

    def predict_selected(self) -> None:
        """Predict everybody on the photos that are selected in the list."""
        photos = self.window.photos_panel.selected
        title = f"Predict the people of {counted(len(photos), 'photo', 'photos')}"
        self._many(photos, title)

    def predict_all(self) -> None:
        """Predict everybody of the project."""
        self._many([photo.sha256 for photo in self.session.studio.photos], "Predict the people of all photos")

    def _many(self, photos: list[str], title: str) -> None:
        studio, released = self.session.studio, self._released
        self._follow(
            self.session.start(
                lambda: predicting.predict_people(studio, photos, title=title, released=released)
            )
        )

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
        elif isinstance(job.result, Prediction):
            self._tell_one(job.result)

    def _tell_one(self, found: Prediction) -> None:
        self.window.show_available()
        made = found.body
        person = self.session.person
        if person is None or person.id != made.person:
            return
        first = self.session.studio.fit_of(made.person) is None
        if first:
            self.window.annotate_page.fit_body()  # what a prediction has not: residual limbs, intervals, measures
        say = self.window.message_bar.say
        if found.no_limbs is not None:
            why = f"{found.no_limbs.message} {found.no_limbs.hint}"
            say(f"The body is predicted, but its limbs could not be proposed: {why}", serious=True)
        elif first:
            say("AJAHR's body is kept beside the fit that is made now.", serious=False)
        else:
            say("AJAHR's body is kept beside the fit.", serious=False, button="Compare", act=self._compare)

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


def _result_of(job: Job) -> WeightsState | None:
    return job.result if job.state is JobState.SUCCEEDED else None


def prediction_words(report: PredictionReport) -> str:
    """Say in sentences what became of a batch."""
    sentences = [
        f"{counted(report.predicted, 'body was', 'bodies were')} predicted and kept beside the fits."
    ]
    if report.proposed:
        sentences.append(f"The limbs of {counted(report.proposed, 'person', 'people')} are proposed.")
    if report.unplaced:
        sentences.append(f"{counted(report.unplaced, 'has', 'have')} no points yet.")
    if report.refused:
        name, error = report.refused[0]
        sentences.append(f"{len(report.refused)} could not be predicted: {name}: {error.message}")
    return " ".join(sentences)
