"""The card in which selected points, or a person, are moved, turned, scaled and mirrored by numbers."""

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import (
    QDoubleSpinBox,
    QFrame,
    QGridLayout,
    QHBoxLayout,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from limbstudio.domain.point_edits import Motion
from limbstudio.ui.actions import Actions
from limbstudio.ui.panels.parts import action_button, label, off_the_edge


class ReshapeCard(QFrame):
    """Four numbers and two mirrors.

    Signals:
        applied(Motion): Enter in a number, or the button.
        closed(): Esc.
    """

    applied = Signal(object)
    closed = Signal()

    def __init__(self, actions: Actions, parent: QWidget) -> None:
        super().__init__(parent)
        self.setProperty("role", "float")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.setAccessibleName("Move, turn and scale")
        self._title = label("", "title")
        self.turn = _number("Turn", -360, 360, 0, " °")
        self.scale = _number("Scale", 5, 1000, 100, " %")
        self.across = _number("Move right", -20000, 20000, 0, " px")
        self.down = _number("Move down", -20000, 20000, 0, " px")
        grid = QGridLayout()
        grid.setHorizontalSpacing(10)
        grid.setVerticalSpacing(8)
        for n, field in enumerate((self.turn, self.scale, self.across, self.down)):
            grid.addWidget(label(field.accessibleName(), "small"), n, 0)
            grid.addWidget(field, n, 1)
        self._apply = QPushButton("Apply")
        self._apply.clicked.connect(lambda _=False: self.apply())
        mirrors = QHBoxLayout()
        mirrors.setSpacing(8)
        mirrors.addWidget(action_button(actions["points_mirror"]))
        mirrors.addWidget(action_button(actions["points_mirror_down"]))
        column = QVBoxLayout(self)
        column.setContentsMargins(14, 12, 14, 12)
        column.setSpacing(10)
        column.addWidget(self._title)
        column.addLayout(grid)
        column.addWidget(self._apply)
        column.addLayout(mirrors)
        self.show_target(0)

    def show_target(self, points: int) -> None:
        """Say what would be moved: several points, or the person."""
        self._title.setText(f"{points} points" if points > 1 else "The whole person")
        self.adjustSize()

    def apply(self) -> None:
        """Do what the numbers say, and set them back: the next time they count from there."""
        for field in (self.turn, self.scale, self.across, self.down):
            field.interpretText()
        motion = Motion(
            turn=self.turn.value(),
            scale=self.scale.value() / 100,
            dx=self.across.value(),
            dy=self.down.value(),
        )
        if motion != Motion():
            self.applied.emit(motion)

    def clear(self) -> None:
        """Set the numbers back."""
        for field, value in ((self.turn, 0), (self.scale, 100), (self.across, 0), (self.down, 0)):
            field.setValue(value)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            self.closed.emit()
        elif event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.apply()
        else:
            super().keyPressEvent(event)


def _number(name: str, low: float, high: float, value: float, unit: str) -> QDoubleSpinBox:
    field = QDoubleSpinBox()
    field.setAccessibleName(name)
    field.setRange(low, high)
    field.setDecimals(1)
    field.setValue(value)
    field.setSuffix(unit)
    off_the_edge(field)
    field.setMinimumWidth(110)
    return field
