"""What a tool of the canvas is: it takes the mouse and keys over the photo while it is chosen."""

from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QKeyEvent, QMouseEvent, QWheelEvent


class CanvasTool:
    """A tool on the canvas. Positions are pixels of the photo, (0, 0) the centre of the top-left pixel.

    The canvas keeps panning (middle button, space) and zooming to itself; everything else goes to the tool first.
    What a tool draws are items that it adds to the canvas's scene. The keyboard's crosshair works a tool as the mouse
    does: arrows are `move`, a tap on the space bar is `press` and the next one `release`.

    holds: whether something is drawn between a press and its release; else each tap is a whole click.
    """

    cursor = Qt.CursorShape.CrossCursor
    holds = True

    def press(self, at: QPointF, event: QMouseEvent) -> bool:
        """Begin at a press; False leaves the press to the canvas."""
        return False

    def move(self, at: QPointF, event: QMouseEvent, *, pressed: bool) -> None:
        """Follow the pointer. pressed: between a press that was taken and its release."""

    def release(self, at: QPointF, event: QMouseEvent) -> None:
        """End what `press` began."""

    def double_click(self, at: QPointF, event: QMouseEvent) -> bool:
        """Take a double click; False leaves it to the canvas."""
        return False

    def wheel(self, event: QWheelEvent) -> bool:
        """Take a turn of the wheel; False lets it zoom."""
        return False

    def wants(self, event: QKeyEvent) -> bool:
        """Tell whether a key shall come to `key` although it is a shortcut too."""
        return False

    def key(self, event: QKeyEvent) -> bool:
        """Take a key; False leaves it to the canvas."""
        return False

    def leave(self) -> None:
        """Take back what is shown only while the tool is chosen; what was begun is dropped."""
