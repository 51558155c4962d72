"""The tour of the window: a few callouts beside the real widgets; nothing is blocked while it is shown."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QObject, QPoint, QRect, QRectF, Qt, QTimer, Signal
from PySide6.QtGui import QColor, QKeyEvent, QKeySequence, QPainter, QPaintEvent, QPen, QShortcut
from PySide6.QtWidgets import QFrame, QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from limbstudio.ui.panels.parts import label
from limbstudio.ui.theme import Theme
from limbstudio.ui.words import tr

if TYPE_CHECKING:
    from limbstudio.ui.main_window import MainWindow

_GAP = 14


@dataclass(frozen=True)
class Step:
    """One callout. anchor: the widget that it is about."""

    title: str
    words: str
    anchor: Callable[["MainWindow"], QWidget]


STEPS: tuple[Step, ...] = (
    Step(
        "Your photos",
        "Drop photos here, or open them from the File menu. Each row says how far its photo is.",
        lambda window: window.photos_panel,
    ),
    Step(
        "Limb differences first",
        "Click a limb and say where it ends. Points that cannot exist are then never asked for.",
        lambda window: window.person_panel.diagram,
    ),
    Step(
        "One point after the other",
        "Guided placement asks for each point: click it in the photo. The other tool selects and drags points.",
        lambda window: window.annotate_page.floats.tool_bar,
    ),
    Step(
        "Seen, hidden, not there",
        "Each point has a state, set by one digit. A hidden joint is occluded, a joint that does not exist absent.",
        lambda window: window.annotate_page.floats.state_bar,
    ),
    Step(
        "Fit the body",
        "From the points a body in 3D is fitted, with the residual limb and its lengths. Then mark the person ready.",
        lambda window: window.person_panel.fit_button,
    ),
    Step(
        "Everything by a few letters",
        "Search any command here. The Help menu explains the selected point and the tool in use, and holds this tour.",
        lambda window: window.search_button,
    ),
)


def every_sentence() -> tuple[str, ...]:
    """Return all English words of the tour, for the catalogues."""
    return tuple(part for step in STEPS for part in (step.title, step.words))


class _Frame(QWidget):
    """A ring around what a callout is about."""

    def __init__(self, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self.theme = theme
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.hide()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(QColor(self.theme.accent), 3))
        painter.drawRoundedRect(QRectF(self.rect()).adjusted(2, 2, -2, -2), 8, 8)


class Tour(QFrame):
    """The callout that walks through the steps.

    Signals:
        ended(): the last step was passed, or the tour was left.
    """

    ended = Signal()

    def __init__(self, window: "MainWindow", theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self._window = window
        self._at = 0
        self.setProperty("role", "float")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setFixedWidth(320)
        self._frame = _Frame(theme, parent)
        # Esc ends it also when the focus has gone elsewhere, where Esc means something too.
        self._escape = QShortcut(QKeySequence(Qt.Key.Key_Escape), window)
        self._escape.setEnabled(False)
        self._escape.activated.connect(self.leave)
        self._escape.activatedAmbiguously.connect(self.leave)
        self._title = label("", "title")
        self._words = label("", "small")
        self._words.setWordWrap(True)
        self._words.setFixedWidth(288)
        self._count = label("", "caption")
        self.skip = self._button(tr("Leave the tour"), "link", self.leave)
        self.back = self._button(tr("Go back"), "", lambda: self.step(-1))
        self.go_on = self._button(tr("Next"), "primary", lambda: self.step(1))
        buttons = QHBoxLayout()
        buttons.addWidget(self.skip)
        buttons.addStretch(1)
        buttons.addWidget(self.back)
        buttons.addWidget(self.go_on)
        head = QHBoxLayout()
        head.addWidget(self._title)
        head.addStretch(1)
        head.addWidget(self._count)
        column = QVBoxLayout(self)
        column.setContentsMargins(16, 12, 16, 12)
        column.setSpacing(8)
        column.addLayout(head)
        column.addWidget(self._words)
        column.addLayout(buttons)
        self.hide()

    def _button(self, words: str, role: str, act: Callable[[], None]) -> QPushButton:
        made = QPushButton(words)
        if role:
            made.setProperty("role", role)
        made.clicked.connect(lambda _=False: act())
        return made

    @property
    def at(self) -> int | None:
        """Return which step is shown, from 0; None while the tour is not on."""
        return None if self.isHidden() else self._at

    @property
    def framed(self) -> QRect:
        """Return where the ring around the step's widget is, px of the window's centre."""
        return self._frame.geometry()

    def set_theme(self, theme: Theme) -> None:
        self._frame.theme = theme
        self._frame.update()

    def begin(self) -> None:
        """Show the first step."""
        parent = self.parentWidget()
        assert parent is not None
        parent.installEventFilter(self)
        self._at = 0
        self._escape.setEnabled(True)
        self._show()
        self.go_on.setFocus()

    def step(self, step: int) -> None:
        """Go on, or back; past the last step the tour ends."""
        self._at += step
        if self._at >= len(STEPS):
            self.leave()
        else:
            self._at = max(self._at, 0)
            self._show()

    def leave(self) -> None:
        """End the tour."""
        parent = self.parentWidget()
        if parent is not None:
            parent.removeEventFilter(self)
        self._escape.setEnabled(False)
        self._frame.hide()
        self.hide()
        self._window.annotate_page.view.setFocus()
        self.ended.emit()

    def _show(self) -> None:
        step = STEPS[self._at]
        self._title.setText(tr(step.title))
        self._words.setText(tr(step.words))
        self._words.setFixedHeight(self._words.heightForWidth(288))
        self._count.setText(tr("{number} of {total}", number=self._at + 1, total=len(STEPS)))
        self.back.setVisible(self._at > 0)
        self.go_on.setText(tr("Done") if self._at == len(STEPS) - 1 else tr("Next"))
        self.setAccessibleName(f"{tr(step.title)}. {tr(step.words)}")
        self.adjustSize()
        self._lay(step.anchor(self._window))
        self.show()
        self.raise_()

    def _lay(self, anchor: QWidget) -> None:
        """Lie beside the widget that the step is about, where there is room."""
        parent = self.parentWidget()
        assert parent is not None
        room = parent.rect().adjusted(8, 8, -8, -8)
        if not anchor.isVisible():
            self._frame.hide()
            self.move(room.center() - self.rect().center())
            return
        area = QRect(anchor.mapTo(parent, QPoint(0, 0)), anchor.size())
        self._frame.setGeometry(area.adjusted(-5, -5, 5, 5).intersected(parent.rect()))
        self._frame.show()
        self._frame.raise_()
        width, height = self.width(), self.height()
        middle_y = area.center().y() - height // 2
        places = (
            QPoint(area.right() + _GAP, middle_y),
            QPoint(area.left() - width - _GAP, middle_y),
            QPoint(area.center().x() - width // 2, area.bottom() + _GAP),
            QPoint(area.center().x() - width // 2, area.top() - height - _GAP),
        )
        for place in places:
            card = QRect(place, self.size())
            card.moveLeft(min(max(card.left(), room.left()), room.right() - width))
            card.moveTop(min(max(card.top(), room.top()), room.bottom() - height))
            if not card.intersects(area):
                self.move(card.topLeft())
                return
        self.move(room.right() - width, room.bottom() - height)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() in (QEvent.Type.Resize, QEvent.Type.LayoutRequest) and self.at is not None:
            QTimer.singleShot(0, self._lay_again)  # when the window has laid out what the ring stands around
        return False

    def _lay_again(self) -> None:
        if self.at is not None:
            self._lay(STEPS[self._at].anchor(self._window))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            self.leave()
        elif event.key() in (Qt.Key.Key_Right, Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.step(1)
        elif event.key() == Qt.Key.Key_Left:
            self.step(-1)
        else:
            super().keyPressEvent(event)
