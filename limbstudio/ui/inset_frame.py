"""The frame of the small 3D view over the canvas: which corner it lies in, how large it is."""

from enum import StrEnum

from PySide6.QtCore import QPoint, QSize, Qt, Signal
from PySide6.QtGui import QMouseEvent
from PySide6.QtWidgets import QApplication, QHBoxLayout, QToolButton, QVBoxLayout, QWidget

from limbstudio.ui.floats import FloatFrame
from limbstudio.ui.panels.parts import label, set_role

_ANY_PX = 16777215  # Qt's word for any size


class Corner(StrEnum):
    """Where the inset lies over the canvas."""

    LOWER_LEFT = "lower left"
    LOWER_RIGHT = "lower right"
    UPPER_LEFT = "upper left"
    UPPER_RIGHT = "upper right"

    @property
    def at_right(self) -> bool:
        return self in (Corner.LOWER_RIGHT, Corner.UPPER_RIGHT)

    @property
    def at_bottom(self) -> bool:
        return self in (Corner.LOWER_LEFT, Corner.LOWER_RIGHT)


def corner_at(*, right: bool, bottom: bool) -> Corner:
    return next(corner for corner in Corner if corner.at_right is right and corner.at_bottom is bottom)


class InsetFrame(FloatFrame):
    """The frame of the small 3D view: a title and what the body is. It is dragged by its title.

    corner, scale_pct: where it lies and how large it is; `FloatLayout` brings it there.

    Signals:
        enlarge_asked(): a double click on the title: large, or small again.
        dropped(): it was dragged to another corner.
    """

    enlarge_asked = Signal()
    dropped = Signal()
    SIZE = QSize(168, 214)
    SMALL_SIZE = QSize(120, 150)
    LARGE_SIZE = QSize(260, 200)  # at least
    SCALES_PCT = (100, 250, 25)  # smallest, largest, step

    def __init__(self, view: QWidget, parent: QWidget) -> None:
        super().__init__(parent)
        self._note = label("", "caption")
        self.is_large = False
        self.corner = Corner.LOWER_LEFT
        self.scale_pct = self.SCALES_PCT[0]
        self._held: QPoint | None = None  # where in the frame the mouse has it
        self._is_dragged = False
        self._head = QHBoxLayout()
        self._head.setContentsMargins(10, 4, 4, 2)
        self._head.setSpacing(4)
        self._head.addWidget(label("Body", "value"))
        self._head.addStretch(1)
        self._head.addWidget(self._note)
        column = QVBoxLayout(self)
        column.setContentsMargins(1, 1, 1, 1)
        column.setSpacing(0)
        column.addLayout(self._head)
        column.addWidget(view, 1)
        self.setFixedSize(self.SIZE)

    def add_button(self, button: QToolButton) -> None:
        """Put a button at the title's end."""
        self._head.addWidget(button)

    def set_large(self, large: bool) -> None:
        """Take the room that a pane of its own gives, or the inset's size again."""
        self.is_large = large
        set_role(self, "pane" if large else "float")
        if large:
            self.setMinimumSize(self.LARGE_SIZE)
            self.setMaximumSize(_ANY_PX, _ANY_PX)
            self._note.setVisible(True)

    def take_size(self, width: int, height: int) -> None:
        """Take the size that was asked for; less of a canvas that has little room. width, height: its room in px."""
        small = width < 700 or height < 600
        wanted = (self.SMALL_SIZE if small else self.SIZE) * (self.scale_pct / 100)
        most = QSize(width // 2, height - 150).expandedTo(self.SMALL_SIZE)
        size = wanted.scaled(wanted.boundedTo(most), Qt.AspectRatioMode.KeepAspectRatio)
        self.setFixedSize(size)
        self._note.setVisible(size.width() >= self.SIZE.width())

    def say(self, text: str, role: str = "caption") -> None:
        self._note.setText(text)
        set_role(self._note, role)

    # ------------------------------------------------------------------------------------------------------- mouse

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        self.enlarge_asked.emit()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() is Qt.MouseButton.LeftButton and not self.is_large:
            self._held = event.position().toPoint()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if self._held is None:
            return
        by = event.position().toPoint() - self._held
        self._is_dragged = self._is_dragged or by.manhattanLength() >= QApplication.startDragDistance()
        if self._is_dragged:
            self.move(self.pos() + by)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """Fall into the nearest corner."""
        dragged, self._held, self._is_dragged = self._is_dragged, None, False
        room = self.parentWidget()
        if dragged and room is not None:
            middle = self.geometry().center()
            self.corner = corner_at(
                right=middle.x() > room.width() / 2, bottom=middle.y() > room.height() / 2
            )
            self.dropped.emit()
