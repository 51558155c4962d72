"""A person's box on the canvas, with the handles that change it and the one that moves the person."""

from collections.abc import Mapping

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPainterPath, QPen
from PySide6.QtWidgets import QGraphicsItem, QStyleOptionGraphicsItem, QWidget

from limbstudio.domain.geometry import Box
from limbstudio.ui import theme as tokens
from limbstudio.ui.marks import marks
from limbstudio.ui.stamps import draw_stamp

MOVE = "move"
_HANDLE_PX = 9.0
_MOVE_PX = 20.0
_MOVE_ABOVE_PX = 20.0
_CURSORS = {
    "nw": Qt.CursorShape.SizeFDiagCursor,
    "se": Qt.CursorShape.SizeFDiagCursor,
    "ne": Qt.CursorShape.SizeBDiagCursor,
    "sw": Qt.CursorShape.SizeBDiagCursor,
    "n": Qt.CursorShape.SizeVerCursor,
    "s": Qt.CursorShape.SizeVerCursor,
    "w": Qt.CursorShape.SizeHorCursor,
    "e": Qt.CursorShape.SizeHorCursor,
    MOVE: Qt.CursorShape.SizeAllCursor,
}


def handle_places(box: Box, unit: float) -> dict[str, tuple[float, float]]:
    """Return where a box's handles are, in pixels of the photo: n, ne, ... and `move`. unit: photo px per screen px."""
    left, top = box.x - 0.5, box.y - 0.5
    right, bottom = left + box.width, top + box.height
    middle_x, middle_y = (left + right) / 2, (top + bottom) / 2
    return {
        MOVE: (middle_x, top - _MOVE_ABOVE_PX * unit * marks().scale),
        "nw": (left, top),
        "n": (middle_x, top),
        "ne": (right, top),
        "e": (right, middle_y),
        "se": (right, bottom),
        "s": (middle_x, bottom),
        "sw": (left, bottom),
        "w": (left, middle_y),
    }


def resized(box: Box, handle: str, x: float, y: float, size: tuple[float, float]) -> Box:
    """Return `box` with one of its handles drawn to (x, y). size: of the photo; the box stays within it."""
    x, y = min(max(x, 0.0), size[0]), min(max(y, 0.0), size[1])
    left, right = box.x, box.x + box.width
    top, bottom = box.y, box.y + box.height
    left, right = (x, right) if "w" in handle else (left, x if "e" in handle else right)
    top, bottom = (y, bottom) if "n" in handle else (top, y if "s" in handle else bottom)
    left, right = sorted((left, right))
    top, bottom = sorted((top, bottom))
    return Box(left, top, right - left, bottom - top)


def handle_cursor(handle: str, turn: float) -> Qt.CursorShape:
    """Return the pointer's shape over a handle of a box that is seen turned by `turn` degrees."""
    if handle == MOVE:
        return _CURSORS[MOVE]
    ring = ("n", "ne", "e", "se", "s", "sw", "w", "nw")
    return _CURSORS[ring[(ring.index(handle) + round(turn / 45)) % 8]]


class BoxFrame(QGraphicsItem):
    """The box as dashed lines; its width on the screen does not follow the zoom."""

    def __init__(self) -> None:
        super().__init__()
        self._box: Box | None = None
        self._unit = 1.0
        self._has_handles = False
        self.setZValue(2)
        self.setVisible(False)

    @property
    def handles(self) -> Mapping[str, tuple[float, float]]:
        """Return the handles that can be grabbed, in pixels of the photo."""
        if self._box is None or not self._has_handles or not self.isVisible():
            return {}
        return handle_places(self._box, self._unit)

    def show_box(self, box: Box | None, unit: float, *, handles: bool) -> None:
        """Show a box, or none. unit: photo px per screen px."""
        if (box, unit, handles) != (self._box, self._unit, self._has_handles):
            self.prepareGeometryChange()
            self._box, self._unit, self._has_handles = box, unit, handles
            self.setVisible(box is not None)
            self.update()

    def boundingRect(self) -> QRectF:
        if self._box is None:
            return QRectF()
        reach = 14.0 * self._unit * marks().scale
        above = (_MOVE_ABOVE_PX + _MOVE_PX) * self._unit * marks().scale if self._has_handles else reach
        return self._rectangle().adjusted(-reach, -above, reach, reach)

    def shape(self) -> QPainterPath:
        return QPainterPath()  # the canvas finds what lies under the pointer itself

    def _rectangle(self) -> QRectF:
        assert self._box is not None
        return QRectF(self._box.x - 0.5, self._box.y - 0.5, self._box.width, self._box.height)

    def paint(
        self, painter: QPainter, option: QStyleOptionGraphicsItem, widget: QWidget | None = None
    ) -> None:
        if self._box is None:
            return
        # Exactly one pixel wide and not smoothed: any other line takes Qt ten to thirty times as long.
        pen = QPen(QColor(255, 255, 255, 150), 1.0, Qt.PenStyle.DashLine)
        pen.setCosmetic(True)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
        painter.setPen(pen)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawRect(self._rectangle())
        is_turned = painter.worldTransform().m12() != 0
        for name, (x, y) in self.handles.items():
            if is_turned:
                self._draw_turned(painter, name, QPointF(x, y))
            else:
                self._draw_upright(painter, name, QPointF(x, y))

    def _draw_upright(self, painter: QPainter, name: str, at: QPointF) -> None:
        scale, is_move = marks().scale, name == MOVE
        reach = (_MOVE_PX if is_move else _HANDLE_PX) / 2 * scale + 2.0

        def draw(stamp: QPainter) -> None:
            stamp.scale(scale, scale)
            _draw_handle(stamp, name)

        draw_stamp(painter, at, ("handle", is_move, scale), reach, draw)

    def _draw_turned(self, painter: QPainter, name: str, at: QPointF) -> None:
        painter.save()
        painter.translate(at)
        unit = self._unit * marks().scale
        painter.scale(unit, unit)
        _draw_handle(painter, name)
        painter.restore()


def _draw_handle(painter: QPainter, name: str) -> None:
    """Draw a handle about the origin, 1 unit = 1 px."""
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(QPen(QColor(tokens.PHOTO_HALO), 1.5))
    painter.setBrush(QColor("#FFFFFF"))
    if name != MOVE:
        half = _HANDLE_PX / 2
        painter.drawRoundedRect(QRectF(-half, -half, _HANDLE_PX, _HANDLE_PX), 2, 2)
        return
    painter.drawEllipse(QPointF(), _MOVE_PX / 2, _MOVE_PX / 2)
    for dx, dy in ((1, 0), (-1, 0), (0, 1), (0, -1)):
        tip = QPointF(7 * dx, 7 * dy)
        painter.drawLine(QPointF(), tip)
        painter.drawLine(tip, tip - QPointF(2.5 * (dx + dy), 2.5 * (dy + dx)))
        painter.drawLine(tip, tip - QPointF(2.5 * (dx - dy), 2.5 * (dy - dx)))
