"""What the canvas is drawn with: points, bones, names and the mark where a point is expected."""

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFontMetricsF, QPainter, QPainterPath, QPen
from PySide6.QtWidgets import QGraphicsItem, QStyleOptionGraphicsItem, QWidget

from limbstudio.domain.anatomy import LDPOSE, KeypointState, Side
from limbstudio.ui import theme as tokens
from limbstudio.ui.glyphs import Frame, Glyph, draw_bone, draw_glyph, glyph_of, glyph_reach, side_colour
from limbstudio.ui.stamps import draw_stamp
from limbstudio.ui.words import said


class PointItem(QGraphicsItem):
    """One keypoint's glyph; its size does not follow the zoom."""

    def __init__(self, index: int) -> None:
        super().__init__()
        self.index = index
        self.glyph: Glyph = glyph_of(LDPOSE[index], KeypointState.UNLABELLED)
        self.setFlag(QGraphicsItem.GraphicsItemFlag.ItemIgnoresTransformations)
        self.setZValue(10)

    def set_glyph(self, glyph: Glyph) -> None:
        if glyph != self.glyph:
            self.prepareGeometryChange()
            self.glyph = glyph
            self.setZValue(12 if glyph.selected else 10)
            self.update()

    def boundingRect(self) -> QRectF:
        reach = glyph_reach(self.glyph) + 4.0
        return QRectF(-reach, -reach, 2 * reach, 2 * reach)

    def paint(
        self, painter: QPainter, option: QStyleOptionGraphicsItem, widget: QWidget | None = None
    ) -> None:
        glyph = self.glyph
        draw_stamp(
            painter, QPointF(), glyph, glyph_reach(glyph) + 4.0, lambda p: draw_glyph(p, QPointF(), glyph)
        )


class BoneItem(QGraphicsItem):
    """A bone between two points; its width does not follow the zoom."""

    def __init__(self, start: int, end: int) -> None:
        super().__init__()
        self._ends = (QPointF(), QPointF())
        self._unit = 1.0
        a, b = LDPOSE[start], LDPOSE[end]
        same_side = a.side if a.side is b.side else (a.side or b.side) if None in (a.side, b.side) else None
        self._frame = {Side.LEFT: Frame.CIRCLE, Side.RIGHT: Frame.SQUARE, None: Frame.TRIANGLE}[same_side]
        residual = a.is_residual_end or b.is_residual_end
        self._colour = QColor(tokens.PHOTO_RESIDUAL) if residual else side_colour(self._frame)
        self.setZValue(5)

    def set_ends(self, start: QPointF, end: QPointF) -> None:
        if (start, end) != self._ends:
            self.prepareGeometryChange()
            self._ends = (start, end)

    def set_unit(self, unit: float) -> None:
        """unit: photo px per screen px."""
        self.prepareGeometryChange()
        self._unit = unit

    def boundingRect(self) -> QRectF:
        margin = 5.0 * self._unit
        return QRectF(*self._ends).normalized().adjusted(-margin, -margin, margin, margin)

    def paint(
        self, painter: QPainter, option: QStyleOptionGraphicsItem, widget: QWidget | None = None
    ) -> None:
        draw_bone(painter, *self._ends, self._frame, self._colour, self._unit)


class LabelItem(QGraphicsItem):
    """A point's name beside it: side colour, then the state where it is not `visible`."""

    def __init__(self) -> None:
        super().__init__()
        self._name, self._state, self._colour = "", "", QColor()
        self._to_the_left = False
        self.unshifted = QRectF()  # px around the point
        self._box = QRectF()
        self._font = tokens.text_font(11, tokens.QFont.Weight.DemiBold)
        self.setFlag(QGraphicsItem.GraphicsItemFlag.ItemIgnoresTransformations)
        self.setZValue(9)

    def set_text(self, name: str, state: str, colour: QColor, *, to_the_left: bool) -> None:
        name, state = said(name), said(state)
        shown = (name, state, colour, to_the_left)
        if shown != (self._name, self._state, self._colour, self._to_the_left):
            self.prepareGeometryChange()
            self._name, self._state, self._colour, self._to_the_left = shown
            text = f"{name}  {state}" if state else name
            width = QFontMetricsF(self._font).horizontalAdvance(text) + 14
            self.unshifted = self._box = QRectF(-width - 18 if to_the_left else 18, -10, width, 20)
            self.update()

    def shift(self, by: float) -> None:
        """Stand so many px lower than beside the point: another name is there."""
        box = self.unshifted.translated(0, by)
        if box != self._box:
            self.prepareGeometryChange()
            self._box = box
            self.update()

    def boundingRect(self) -> QRectF:
        return self._box

    def paint(
        self, painter: QPainter, option: QStyleOptionGraphicsItem, widget: QWidget | None = None
    ) -> None:
        box = self.boundingRect()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        back = QColor(tokens.PHOTO_HALO)
        back.setAlphaF(0.86)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(back)
        painter.drawRoundedRect(box, 4, 4)
        painter.setFont(self._font)
        painter.setPen(self._colour)
        inner = box.adjusted(7, 0, -7, 0)
        left = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
        painter.drawText(inner, left, self._name)
        if self._state:
            painter.setPen(QColor("#E8EBF0"))
            painter.drawText(inner, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, self._state)


class ExpectedItem(QGraphicsItem):
    """The dashed circle where the point asked for is expected, and the keyboard's crosshair."""

    def __init__(self) -> None:
        super().__init__()
        self.crosshair = False
        self.setFlag(QGraphicsItem.GraphicsItemFlag.ItemIgnoresTransformations)
        self.setZValue(8)

    def boundingRect(self) -> QRectF:
        return QRectF(-30, -30, 60, 60)

    def paint(
        self, painter: QPainter, option: QStyleOptionGraphicsItem, widget: QWidget | None = None
    ) -> None:
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        path = QPainterPath()
        if self.crosshair:
            for dx, dy in ((1, 0), (-1, 0), (0, 1), (0, -1)):
                path.moveTo(5 * dx, 5 * dy)
                path.lineTo(16 * dx, 16 * dy)
        else:
            path.addEllipse(QPointF(0, 0), 25, 25)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setPen(QPen(QColor(tokens.PHOTO_HALO), 4))
        painter.drawPath(path)
        style = Qt.PenStyle.SolidLine if self.crosshair else Qt.PenStyle.DashLine
        painter.setPen(QPen(QColor("#FFFFFF" if self.crosshair else tokens.DARK.accent), 1.6, style))
        painter.drawPath(path)
