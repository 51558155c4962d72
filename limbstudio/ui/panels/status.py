"""The status bar: what is saved, which photo, where the pointer is; what runs in the background and how to stop it."""

from collections.abc import Callable

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import (
    QHBoxLayout,
    QLabel,
    QProgressBar,
    QToolButton,
    QWidget,
)

from limbstudio.services.jobs import Job, JobView
from limbstudio.services.store import SaveState, Saving
from limbstudio.ui import icons
from limbstudio.ui.background.job_rows import time_left
from limbstudio.ui.background.machine_line import MachineLine
from limbstudio.ui.panels.parts import ElidedLabel, line, set_role
from limbstudio.ui.session import Session
from limbstudio.ui.theme import Theme

_ROOMY = 1200
_SAVE_SIGNS = {
    Saving.SAVED: ("ph.check-circle", "ok"),
    Saving.WRITING: ("ph.circle-dashed", "text2"),
    Saving.WAITING: ("ph.warning-circle", "error"),
    Saving.READ_ONLY: ("ph.lock-simple", "warn"),
}


def save_words(state: SaveState) -> str:
    """Say how far saving is, in one sentence."""
    if state.saving is Saving.SAVED:
        return "All changes saved"
    if state.saving is Saving.WRITING:
        return "Saving ..."
    return f"{state.message} {state.hint}".strip()


class StatusBar(QWidget):
    """The line at the bottom of the window.

    show_jobs: opens or closes the queue.

    Signals:
        job_changed(object): a `JobView`, at every change of a job.
        job_ended(object): a `JobView` whose state has ended.
    """

    job_changed = Signal(object)
    job_ended = Signal(object)

    def __init__(
        self, session: Session, theme: Theme, show_jobs: Callable[[], None], parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.setObjectName("statusBar")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.setFixedHeight(28)
        self._session = session
        self._theme = theme
        self._running: dict[int, JobView] = {}
        self._announced: set[int] = set()
        self._stops: list[Callable[[], None]] = []

        self._save_icon = QLabel()
        self._save = ElidedLabel("No project open", least=260)
        self._photo = ElidedLabel(least=92)
        self._pointer = QLabel("")
        self._pointer.setMinimumWidth(92)
        self._zoom = QLabel("")
        self._hint = ElidedLabel(least=1)
        self._in_3d = False
        self._job = ElidedLabel()
        self._bar = QProgressBar()
        self._bar.setTextVisible(False)
        self._bar.setFixedWidth(92)
        self._bar.setRange(0, 1000)
        self._bar.setAccessibleName("Progress of the job")
        self._percent = QLabel("")
        self._cancel = QToolButton()
        self._cancel.setIcon(icons.icon("ph.x", theme.text2))
        self._cancel.setIconSize(QSize(14, 14))
        self._cancel.setFixedSize(22, 22)
        self._cancel.setAccessibleName("Cancel the job")
        self._cancel.setToolTip("Cancel the job")
        self._cancel.clicked.connect(self.cancel_shown)
        self._jobs_button = QToolButton()
        self._jobs_button.setText("Jobs")
        self._jobs_button.setAccessibleName("Show jobs")
        self._jobs_button.setToolTip("Show jobs")  # the keys in force are added
        self._jobs_button.setObjectName("jobsButton")
        self._jobs_button.clicked.connect(lambda _=False: show_jobs())
        self.machine = MachineLine(lambda: session.studio.device, theme)
        row = QHBoxLayout(self)
        row.setContentsMargins(14, 0, 14, 0)
        row.setSpacing(8)
        self._photo_parts = [line(vertical=True), self._photo, line(vertical=True)]
        for widget in (self._save_icon, self._save, *self._photo_parts):
            row.addWidget(widget)
        row.addWidget(self._pointer)
        row.addWidget(self._hint)
        row.addStretch(1)
        row.addWidget(self._job, 3)
        for widget in (self._bar, self._percent, self._cancel, self._jobs_button):
            row.addWidget(widget)
        self._photo_parts += [line(vertical=True), self._zoom]
        for widget in self._photo_parts[-2:]:
            row.addWidget(widget)
        row.addWidget(line(vertical=True))
        row.addWidget(self.machine)
        session.saving_changed.connect(self.show_saving)
        session.job_started.connect(self._on_job)
        session.photo_selected.connect(self._on_photo)
        session.photos_changed.connect(self._on_photo)
        session.opened.connect(self._on_project)
        session.closed.connect(self._on_project)
        self.set_theme(theme)
        self._on_project()
        self._show_jobs()

    @property
    def save_text(self) -> str:
        """Return all that is known of saving, also where the line has only the short of it."""
        return self._save.toolTip()

    def set_theme(self, theme: Theme) -> None:
        self._theme = theme
        self.machine.set_theme(theme)
        self._on_project()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._show_pointer()

    def _show_pointer(self) -> None:
        self._pointer.setVisible(self.width() >= _ROOMY and not self._in_3d)
        self._zoom.setVisible(self._session.photo is not None and not self._in_3d)
        self._photo_parts[-2].setVisible(self._zoom.isVisibleTo(self))
        self._hint.setVisible(self._in_3d and bool(self._hint.full_text))

    def set_in_3d(self, in_3d: bool) -> None:
        """Say what the 3D view's tool has to say, instead of where on the photo the pointer is."""
        self._in_3d = in_3d
        self._show_pointer()

    def show_hint(self, text: str) -> None:
        """Say how the tool of the 3D view works, where its own bar has no room for it."""
        self._hint.setText(text)
        self._show_pointer()

    def show_pointer(self, x: float, y: float) -> None:
        self._pointer.setText(f"x {x:.0f}   y {y:.0f}")

    def show_zoom(self, zoom: float) -> None:
        self._zoom.setText(f"Zoom {zoom * 100:.0f} %")

    def show_saving(self, state: SaveState) -> None:
        icon, token = _SAVE_SIGNS[state.saving]
        self._save_icon.setPixmap(icons.icon(icon, getattr(self._theme, token)).pixmap(QSize(15, 15)))
        is_read_only = (
            state.saving is Saving.READ_ONLY
        )  # a sentence that stays would push everything else aside
        self._save.setText("Read-only" if is_read_only else save_words(state))
        if is_read_only:
            self._save.setToolTip(save_words(state))
            self._save.setAccessibleName(save_words(state))
        set_role(self._save, "error" if state.saving is Saving.WAITING else "")

    def cancel_shown(self) -> None:
        """Cancel the job that the bar shows."""
        for view in self._running.values():
            for job in self._session.studio.jobs:
                if job.id == view.id:
                    job.cancel()
            break

    def _on_project(self) -> None:
        if self._session.studio.is_open:
            self.show_saving(self._session.studio.save_state)
        else:
            self._save.setText("No project open")
            sign = icons.icon("ph.circle-dashed", self._theme.text2)
            self._save_icon.setPixmap(sign.pixmap(QSize(15, 15)))
            set_role(self._save, "")
        self._on_photo()

    def _on_photo(self) -> None:
        photo = self._session.photo
        for part in self._photo_parts:
            part.setVisible(photo is not None)
        self._show_pointer()
        if photo is None:
            self._photo.setText("")
            self._pointer.setText("")
            self._zoom.setText("")
            return
        photos = self._session.studio.photos
        number = photos.place_of(photo.sha256) + 1
        self._photo.setText(f"Photo {number} of {len(photos)} · {photo.width} × {photo.height}")

    def _on_job(self, job: Job) -> None:
        self._stops.append(self._session.bridge.watch(job, self._on_job_view))

    def _on_job_view(self, view: JobView) -> None:
        if view.state.has_ended:
            self._running.pop(view.id, None)
        else:
            self._running[view.id] = view
        self.job_changed.emit(view)
        self._show_jobs()
        if view.state.has_ended and view.id not in self._announced:
            self._announced.add(view.id)
            self.job_ended.emit(view)

    def _show_jobs(self) -> None:
        view = next(iter(self._running.values()), None)
        for widget in (self._job, self._bar, self._percent, self._cancel):
            widget.setVisible(view is not None)
        more = len(self._running) - 1
        self._jobs_button.setText(f"Jobs +{more}" if more > 0 else "Jobs")
        if view is not None:
            self._job.setText(view.sentence or view.title)
            self._bar.setValue(round(view.progress * 1000))
            left = time_left(view)
            self._percent.setText(f"{view.progress * 100:.0f} %" + (f", {left}" if left else ""))
