"""The queue of background work: each job with its progress in a sentence, the time left, and what one can do to it."""

from collections.abc import Callable

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QAction, QResizeEvent
from PySide6.QtWidgets import (
    QApplication,
    QHBoxLayout,
    QLabel,
    QProgressBar,
    QPushButton,
    QScrollArea,
    QSizePolicy,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from limbstudio.services.jobs import Job, JobState, JobView
from limbstudio.ui import icons
from limbstudio.ui.panels.parts import action_button, label, line, set_role
from limbstudio.ui.theme import Theme
from limbstudio.ui.words import said

_KEPT_ROWS = 60
_TITLE, _TITLE_NARROW, _ROOMY, _BAR = 300, 200, 1100, 140
_TIME_LEFT_AFTER_S = 5.0


def time_words(seconds: float) -> str:
    """Say a duration as people do: '12 s', '3 min', '2 h 10 min'."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 90 else f"{minutes // 60} h {minutes % 60} min"


def words_of(view: JobView) -> str:
    """Say in a sentence how a job stands."""
    if view.failure is not None:
        return f"{view.failure.message} {view.failure.hint}".strip()
    if view.state is JobState.RUNNING:
        return view.sentence or "Running"
    return {
        JobState.QUEUED: "Waiting",
        JobState.SUCCEEDED: f"Done in {time_words(view.elapsed_s)}",
        JobState.CANCELLED: "Cancelled",
    }.get(view.state, "")


def time_left(view: JobView) -> str:
    """Say how long a job still takes, once that can be known: '3 min left'."""
    if view.left_s is None or view.elapsed_s < _TIME_LEFT_AFTER_S:
        return ""
    return f"{time_words(view.left_s)} left"


class JobRow(QWidget):
    """One job: its name, a bar, a sentence, the time left; one that runs can be cancelled, one that failed retried."""

    def __init__(self, job: Job, theme: Theme, retry: Callable[["JobRow"], None]) -> None:
        super().__init__()
        self.job = job
        self._theme = theme
        self._state = job.state
        self._report = ""
        self._icon = QLabel()
        self._title = label("", "value")
        self._title.setFixedWidth(_TITLE)
        self._title.setToolTip(job.title)
        self._sentence = label("", "small")
        self._sentence.setWordWrap(True)
        self._sentence.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._bar = QProgressBar()
        self._bar.setTextVisible(False)
        self._bar.setRange(0, 1000)
        self._bar.setFixedWidth(_BAR)
        self._bar.setAccessibleName(f"Progress of {job.title}")
        self._left = label("", "small")
        self.cancel = self._button("Cancel", job.cancel)
        self.retry = self._button("Retry", lambda: retry(self))
        self.copy = self._button("Copy details", self.copy_details)
        row = QHBoxLayout(self)
        row.setContentsMargins(16, 4, 12, 4)
        row.setSpacing(10)
        for widget in (self._icon, self._title, self._bar):
            row.addWidget(widget)
        row.addWidget(self._sentence, 1)
        for widget in (self._left, self.cancel, self.retry, self.copy):
            row.addWidget(widget)
        self.show_view(job.view())

    def _button(self, word: str, act: Callable[[], None]) -> QPushButton:
        made = QPushButton(word)
        made.setProperty("role", "link")
        made.setAccessibleName(f"{word}: {self.job.title}")
        made.setFocusPolicy(Qt.FocusPolicy.TabFocus)  # a click leaves the keyboard where it is
        made.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        made.clicked.connect(lambda _=False: act())
        return made

    @property
    def text(self) -> str:
        """Return the sentence and the time left, as they are shown."""
        return f"{self._sentence.text()} {self._left.text()}".strip()

    def show_view(self, view: JobView) -> None:
        """Show how the job stands."""
        self._state = view.state
        ended, failed = view.state.has_ended, view.state is JobState.FAILED
        self._report = view.failure.report if view.failure is not None else ""
        self._draw_icon()
        self._bar.setValue(round(view.progress * 1000))
        self._bar.setVisible(not ended)
        self._sentence.setText(words_of(view))
        set_role(self._sentence, "error" if failed else "small")
        self._left.setText(time_left(view))
        self.cancel.setVisible(not ended)
        can_retry = view.state in (JobState.FAILED, JobState.CANCELLED) and self.job.again is not None
        self.retry.setVisible(can_retry)
        self.copy.setVisible(failed)
        self.setAccessibleName(f"{self.job.title}: {self.text}")
        self._fit_title()

    def copy_details(self) -> None:
        """Put what is known of a failure on the clipboard."""
        parts = [self.job.title, self._sentence.text(), self._report]
        QApplication.clipboard().setText("\n\n".join(part for part in parts if part))

    def set_theme(self, theme: Theme) -> None:
        self._theme = theme
        self._draw_icon()

    def _draw_icon(self) -> None:
        name, token = {
            JobState.QUEUED: ("ph.clock", "text2"),
            JobState.RUNNING: ("ph.cpu", "accent"),
            JobState.SUCCEEDED: ("ph.check-circle", "ok"),
            JobState.FAILED: ("ph.warning-circle", "error"),
            JobState.CANCELLED: ("ph.x-circle", "text3"),
        }[self._state]
        self._icon.setPixmap(icons.icon(name, getattr(self._theme, token)).pixmap(QSize(16, 16)))

    def _fit_title(self) -> None:
        metrics = self._title.fontMetrics()
        room = self._title.maximumWidth() - 4
        self._title.setText(metrics.elidedText(said(self.job.title), Qt.TextElideMode.ElideMiddle, room))

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._title.setFixedWidth(_TITLE if self.width() > _ROOMY else _TITLE_NARROW)
        self._fit_title()


class JobsPanel(QWidget):
    """The jobs of this session, newest first."""

    def __init__(self, theme: Theme, actions: tuple[QAction, ...], retry: Callable[[JobRow], None]) -> None:
        super().__init__()
        self._theme = theme
        self._retry = retry
        self._rows: dict[int, JobRow] = {}
        self.summary = label("", "small")
        head = QHBoxLayout()
        head.setContentsMargins(16, 0, 12, 0)
        head.setSpacing(8)
        head.addWidget(self.summary, 1)
        for action in actions:
            head.addWidget(action_button(action, "link"))
        host = QWidget()
        self._column = QVBoxLayout(host)
        self._column.setContentsMargins(0, 0, 0, 4)
        self._column.setSpacing(0)
        self._column.addStretch(1)
        scroll = QScrollArea()
        scroll.setWidget(host)
        scroll.setWidgetResizable(True)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        scroll.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        scroll.setAccessibleName("Jobs")
        empty = label("Quiet. Nothing runs in the background.", "small")
        empty.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.list = scroll
        self._pages = QStackedWidget()
        self._pages.addWidget(scroll)
        self._pages.addWidget(empty)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(2)
        column.addLayout(head)
        column.addWidget(line())
        column.addWidget(self._pages, 1)
        self._settle()

    @property
    def rows(self) -> list[JobRow]:
        """Return the rows as they are shown: newest first."""
        return [self._rows[number] for number in sorted(self._rows, reverse=True)]

    def add(self, job: Job) -> None:
        """Show a new job above the others."""
        self._rows[job.id] = row = JobRow(job, self._theme, self._retry)
        self._column.insertWidget(0, row)
        ended = [r for r in reversed(self.rows) if r.job.state.has_ended]
        for old in ended[: max(0, len(self._rows) - _KEPT_ROWS)]:
            self.remove(old.job)
        self._settle()

    def remove(self, job: Job) -> None:
        row = self._rows.pop(job.id, None)
        if row is not None:
            self._column.removeWidget(row)
            row.hide()
            row.deleteLater()
        self._settle()

    def clear(self) -> None:
        """Show no job any more: the project they belong to was closed."""
        for row in self.rows:
            self.remove(row.job)

    def show_view(self, view: JobView) -> None:
        """Show how a job stands now."""
        if view.id in self._rows:
            self._rows[view.id].show_view(view)
            self._settle()

    def set_theme(self, theme: Theme) -> None:
        self._theme = theme
        for row in self._rows.values():
            row.set_theme(theme)

    def _settle(self) -> None:
        states = [row.job.state for row in self._rows.values()]
        running, waiting = states.count(JobState.RUNNING), states.count(JobState.QUEUED)
        words = [f"{running} running" if running else "", f"{waiting} waiting" if waiting else ""]
        self.summary.setText(", ".join(word for word in words if word) or "Nothing runs now")
        self._pages.setCurrentIndex(0 if self._rows else 1)
