"""What a switch sees: the card of choices with one lit, the line that aims, and the settings of both."""

from collections.abc import Callable, Sequence

from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QCheckBox, QDialog, QDoubleSpinBox, QFormLayout, QFrame, QVBoxLayout, QWidget

from limbstudio.ui import theme as tokens
from limbstudio.ui.panels.parts import label, off_the_edge
from limbstudio.ui.shortcuts.scanning import Aim, Axis
from limbstudio.ui.theme import Theme

_WIDTH = 232


class ScanCard(QFrame):
    """The choices of the moment, one below the other; the lit one is what *take* does. A click takes one too."""

    def __init__(self, theme: Theme, take: Callable[[int], None], parent: QWidget) -> None:
        super().__init__(parent)
        self.setProperty("role", "float")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.setAccessibleName("Choices")
        self._theme = theme
        self._take = take
        self._hint = label("", "caption")
        self._hint.setContentsMargins(8, 0, 8, 2)
        self._rows: list[QFrame] = []
        self._names: Sequence[str] = ()
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(6, 8, 6, 8)
        self._column.setSpacing(2)
        self._column.addWidget(self._hint)
        self.setFixedWidth(_WIDTH)

    def set_theme(self, theme: Theme) -> None:
        self._theme = theme
        names, self._names = self._names, ()
        self.show_choices(names, 0, self._hint.text())

    def show_choices(self, names: Sequence[str], at: int, hint: str) -> None:
        """Show the choices. at: the lit one; hint: which keys step and take."""
        self._hint.setText(hint)
        if tuple(names) != tuple(self._names):
            for row in self._rows:
                row.deleteLater()
            self._names = tuple(names)
            self._rows = [self._row(name, number) for number, name in enumerate(names)]
            for row in self._rows:
                self._column.addWidget(row)
        t = self._theme
        for number, row in enumerate(self._rows):
            lit = number == at
            ground, edge = (t.accent_bg, t.accent) if lit else ("transparent", "transparent")
            row.setStyleSheet(
                f"QFrame#choice {{ background: {ground}; border: 2px solid {edge}; border-radius: 6px; }}"
            )
        if names:
            self.setAccessibleDescription(f"{names[at]}, {at + 1} of {len(names)}")
        self.adjustSize()

    def _row(self, name: str, number: int) -> QFrame:
        row = QFrame()
        row.setObjectName("choice")
        row.setFixedHeight(32)
        inside = QVBoxLayout(row)
        inside.setContentsMargins(10, 0, 10, 0)
        inside.addWidget(label(name))
        row.mousePressEvent = lambda _event: self._take(number)
        return row


class AimLine(QWidget):
    """The line that goes over the photo; what was found across stays as a thinner line."""

    def __init__(self, over: QWidget) -> None:
        super().__init__(over)
        self._aim = Aim()
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.hide()

    def show_aim(self, aim: Aim) -> None:
        over = self.parentWidget()
        assert over is not None
        self._aim = aim
        self.setGeometry(over.rect())
        self.show()
        self.raise_()
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        width, height = self.width(), self.height()
        lines = []
        if self._aim.axis is Axis.ACROSS:
            lines.append(
                (QPointF(self._aim.position * width, 0), QPointF(self._aim.position * width, height), 3.0)
            )
        else:
            fixed = (self._aim.fixed or 0.0) * width
            lines.append((QPointF(fixed, 0), QPointF(fixed, height), 1.5))
            lines.append(
                (QPointF(0, self._aim.position * height), QPointF(width, self._aim.position * height), 3.0)
            )
        for start, end, thick in lines:
            for colour, more in ((QColor(tokens.PHOTO_HALO), 3.0), (QColor("#FFFFFF"), 0.0)):
                painter.setPen(QPen(colour, thick + more))
                painter.drawLine(start, end)


class SwitchSettings(QDialog):
    """How fast choices follow each other, how fast the line goes, how long the pointer rests."""

    def __init__(
        self,
        values: tuple[float, float, float],
        rests: bool,
        apply: Callable[[float, float, float, bool], None],
        parent: QWidget,
    ) -> None:
        super().__init__(parent)
        self.setWindowTitle("Switch, pedal and resting pointer")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self._apply = apply
        pace, crossing, rest = values
        self.pace = self._seconds(
            pace, 0.0, 5.0, "The next choice is lit after so many seconds; 0: only by the key"
        )
        self.pace.setSpecialValueText("Only by the key")
        self.crossing = self._seconds(crossing, 2.0, 20.0, "The line needs so long to cross the photo")
        self.rest = self._seconds(rest, 0.3, 5.0, "A point is placed after the pointer rested so long")
        self.rests = QCheckBox("Place by resting the pointer")
        self.rests.setChecked(rests)
        self.rests.toggled.connect(lambda _=False: self._changed())
        form = QFormLayout()
        form.setHorizontalSpacing(20)
        form.setVerticalSpacing(10)
        form.addRow("The next choice comes after", self.pace)
        form.addRow("The line crosses the photo in", self.crossing)
        form.addRow("The pointer rests for", self.rest)
        column = QVBoxLayout(self)
        column.setContentsMargins(24, 20, 24, 20)
        column.setSpacing(12)
        column.addWidget(label("Switch, pedal and resting pointer", "dialog"))
        words = label(
            "One key lights the next choice, another takes it; with a time, one key is enough. Choose the keys under "
            "Edit, Keys for, A switch or pedal.",
            "small",
        )
        words.setWordWrap(True)
        column.addWidget(words)
        column.addLayout(form)
        column.addWidget(self.rests)
        self.setFixedWidth(440)

    def _seconds(self, value: float, low: float, high: float, words: str) -> QDoubleSpinBox:
        box = QDoubleSpinBox()
        box.setRange(low, high)
        box.setDecimals(1)
        box.setSingleStep(0.1)
        box.setSuffix(" s")
        box.setValue(value)
        off_the_edge(box)
        box.setToolTip(words)
        box.setAccessibleName(words)
        box.valueChanged.connect(lambda _value: self._changed())
        return box

    def _changed(self) -> None:
        self._apply(self.pace.value(), self.crossing.value(), self.rest.value(), self.rests.isChecked())
