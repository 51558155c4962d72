"""The mark of a keypoint, in three layers: frame = side, inside = state, outer ring = residual limb end."""

from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import (
    QColor,
    QGuiApplication,
    QIcon,
    QPainter,
    QPainterPath,
    QPalette,
    QPen,
    QPixmap,
    QPolygonF,
)

from limbstudio.domain.anatomy import KeypointDefinition, KeypointState, Side
from limbstudio.ui import theme as tokens
from limbstudio.ui.marks import marks

GLYPH_PX = 13.0
FACE_GLYPH_PX = 9.0
_FACE = ("nose", "eye", "ear")
PREDICTION_OPACITY = 0.6

STATE_ORDER: tuple[KeypointState, ...] = (
    KeypointState.VISIBLE,
    KeypointState.OCCLUDED,
    KeypointState.OUT_OF_FRAME,
    KeypointState.ABSENT,
    KeypointState.PROSTHESIS,
    KeypointState.UNLABELLED,
    KeypointState.UNSURE,
)
STATE_WORDS = {state: state.value.replace("_", " ").capitalize() for state in STATE_ORDER}


class Frame(StrEnum):
    """The outline of a glyph: the person's left, right, or the midline."""

    CIRCLE = "circle"
    SQUARE = "square"
    TRIANGLE = "triangle"


@dataclass(frozen=True)
class Glyph:
    """What a keypoint's mark shows. diameter: of the frame, px."""

    frame: Frame
    state: KeypointState
    residual: bool = False
    diameter: float = GLYPH_PX
    selected: bool = False
    prediction: bool = False
    stale: bool = False


@dataclass(frozen=True)
class GlyphColours:
    """What glyphs are drawn with, as #RRGGBB. ground: around and within them."""

    ground: str = tokens.PHOTO_HALO
    left: str = tokens.PHOTO_LEFT
    right: str = tokens.PHOTO_RIGHT
    midline: str = tokens.PHOTO_MIDLINE
    residual: str = tokens.PHOTO_RESIDUAL
    prosthesis: str = tokens.PHOTO_PROSTHESIS
    absent: str = tokens.PHOTO_ABSENT
    unlabelled: str = "#FFFFFF"
    unsure: str = tokens.PHOTO_UNSURE

    def of_side(self, frame: Frame) -> QColor:
        return QColor({Frame.CIRCLE: self.left, Frame.SQUARE: self.right}.get(frame, self.midline))


ON_PHOTO = GlyphColours()
_ON_LIGHT = GlyphColours(
    ground=tokens.LIGHT.panel,
    left=tokens.LIGHT.left,
    right=tokens.LIGHT.right,
    midline=tokens.LIGHT.text,
    residual=tokens.LIGHT.residual,
    prosthesis=tokens.LIGHT.ok,
    absent=tokens.LIGHT.text3,
    unlabelled=tokens.LIGHT.text2,
    unsure=tokens.LIGHT.warn,
)


def colours_in_panels() -> GlyphColours:
    """Return the colours of glyphs on lists and buttons: a dark halo would be all that is seen on light ones."""
    is_light = QGuiApplication.palette().color(QPalette.ColorRole.Base).lightness() > 128
    return _ON_LIGHT if is_light else ON_PHOTO


def frame_of(definition: KeypointDefinition) -> Frame:
    """Return the frame of a keypoint: circle left, square right, triangle midline."""
    return {Side.LEFT: Frame.CIRCLE, Side.RIGHT: Frame.SQUARE, None: Frame.TRIANGLE}[definition.side]


def glyph_of(
    definition: KeypointDefinition, state: KeypointState, *, selected: bool = False, prediction: bool = False
) -> Glyph:
    """Return the mark of one keypoint in one state."""
    face = any(word in definition.name for word in _FACE)
    diameter = FACE_GLYPH_PX if face else GLYPH_PX
    return Glyph(frame_of(definition), state, definition.is_residual_end, diameter, selected, prediction)


def side_colour(frame: Frame) -> QColor:
    """Return the colour of a side on photos: it says anatomy, never status."""
    return ON_PHOTO.of_side(frame)


def frame_path(frame: Frame, centre: QPointF, diameter: float) -> QPainterPath:
    """Return the outline of a frame around `centre`."""
    radius = diameter / 2
    path = QPainterPath()
    if frame is Frame.CIRCLE:
        path.addEllipse(centre, radius, radius)
    elif frame is Frame.SQUARE:
        path.addRoundedRect(QRectF(centre.x() - radius, centre.y() - radius, diameter, diameter), 1.5, 1.5)
    else:
        x, y, tall = centre.x(), centre.y(), radius * 1.2
        corners = [QPointF(x, y - tall), QPointF(x + tall, y + tall * 0.8), QPointF(x - tall, y + tall * 0.8)]
        path.addPolygon(QPolygonF(corners))
        path.closeSubpath()
    return path


def glyph_reach(glyph: Glyph) -> float:
    """Return the radius within which everything of the glyph is drawn, px."""
    return glyph.diameter / 2 + (9.0 if glyph.residual else 6.0)


def draw_glyph(painter: QPainter, centre: QPointF, glyph: Glyph, colours: GlyphColours = ON_PHOTO) -> None:
    """Draw a glyph around `centre`, 1 unit = 1 px."""
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    if glyph.prediction:
        painter.setOpacity(PREDICTION_OPACITY)
    colour = QColor(colours.absent) if glyph.stale else colours.of_side(glyph.frame)
    if glyph.residual:
        _draw_residual_ring(painter, centre, glyph, colours)
    _draw_inside(painter, centre, glyph, colour, colours)
    if glyph.selected:
        reach = glyph.diameter + (12.0 if glyph.residual else 7.0)
        _stroke(painter, frame_path(glyph.frame, centre, reach), QColor("#FFFFFF"), 1.5)
    painter.restore()


def _stroke(
    painter: QPainter,
    path: QPainterPath,
    colour: QColor,
    width: float,
    style: Qt.PenStyle = Qt.PenStyle.SolidLine,
) -> None:
    pen = QPen(colour, width, style)
    pen.setJoinStyle(Qt.PenJoinStyle.RoundJoin)
    painter.setPen(pen)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.drawPath(path)


def _draw_residual_ring(painter: QPainter, centre: QPointF, glyph: Glyph, colours: GlyphColours) -> None:
    ring = frame_path(glyph.frame, centre, glyph.diameter + 7.0)
    _stroke(painter, ring, QColor(colours.ground), 5.0)
    _stroke(painter, ring, QColor(colours.residual), 2.2)


def _draw_inside(
    painter: QPainter, centre: QPointF, glyph: Glyph, colour: QColor, colours: GlyphColours
) -> None:
    path = frame_path(glyph.frame, centre, glyph.diameter)
    halo = QColor(colours.ground)
    painter.fillPath(frame_path(glyph.frame, centre, glyph.diameter + 2 * tokens.HALO_PX), halo)
    edge_style = Qt.PenStyle.DotLine if glyph.prediction else Qt.PenStyle.SolidLine
    state = glyph.state
    if state is KeypointState.VISIBLE:
        painter.fillPath(path, colour)
        if glyph.prediction:
            _stroke(painter, path, QColor("#FFFFFF"), 1.2, edge_style)
    elif state is KeypointState.OCCLUDED:
        lower = QPainterPath()
        radius = glyph.diameter
        lower.addRect(QRectF(centre.x() - radius, centre.y(), 2 * radius, radius))
        painter.fillPath(path.intersected(lower), colour)
        _stroke(painter, path, colour, 1.6, edge_style)
    elif state is KeypointState.OUT_OF_FRAME:
        _stroke(painter, path, colour, 1.6, edge_style)
        _draw_arrow(painter, centre, glyph.diameter, colour, halo)
    elif state is KeypointState.ABSENT:
        grey = QColor(colours.absent)
        _stroke(painter, path, grey, 1.6, edge_style)
        slash = QPainterPath(centre + QPointF(-0.55, 0.55) * glyph.diameter)
        slash.lineTo(centre + QPointF(0.55, -0.55) * glyph.diameter)
        _stroke(painter, slash, grey, 1.8)
    elif state is KeypointState.PROSTHESIS:
        green = QColor(colours.prosthesis)
        _stroke(painter, path, green, 2.0, edge_style)
        painter.fillPath(frame_path(Frame.CIRCLE, centre, glyph.diameter * 0.38), green)
    elif state is KeypointState.UNLABELLED:
        _stroke(painter, path, QColor(colours.unlabelled), 1.6, Qt.PenStyle.DotLine)
    else:
        yellow = QColor(colours.unsure)
        _stroke(painter, path, yellow, 1.6, edge_style)
        painter.setPen(yellow)
        font = tokens.text_font(max(8, round(glyph.diameter * 0.8)))
        font.setBold(True)
        painter.setFont(font)
        box = QRectF(0, 0, 2 * glyph.diameter, 2 * glyph.diameter)
        box.moveCenter(centre)
        painter.drawText(box, Qt.AlignmentFlag.AlignCenter, "?")


def _draw_arrow(painter: QPainter, centre: QPointF, diameter: float, colour: QColor, halo: QColor) -> None:
    """Draw the arrow that leaves the frame to the right: the point lies beyond the picture's edge."""
    tip = centre + QPointF(diameter * 0.95, 0)
    arrow = QPainterPath(centre)
    arrow.lineTo(tip)
    arrow.moveTo(tip + QPointF(-3.2, -3.2))
    arrow.lineTo(tip)
    arrow.lineTo(tip + QPointF(-3.2, 3.2))
    _stroke(painter, arrow, halo, 4.0)
    _stroke(painter, arrow, colour, 1.6)


def glyph_pixmap(glyph: Glyph, size: int = 22, ratio: float = 2.0) -> QPixmap:
    """Return the glyph as a picture of size x size px, for lists and buttons."""
    pixmap = QPixmap(QSize(round(size * ratio), round(size * ratio)))
    pixmap.setDevicePixelRatio(ratio)
    pixmap.fill(Qt.GlobalColor.transparent)
    painter = QPainter(pixmap)
    draw_glyph(painter, QPointF(size / 2, size / 2), glyph, colours_in_panels())
    painter.end()
    return pixmap


def glyph_icon(glyph: Glyph, size: int = 22) -> QIcon:
    pixmap = glyph_pixmap(glyph, size)
    made = QIcon(pixmap)
    made.addPixmap(pixmap, QIcon.Mode.Selected)  # Qt would tint it otherwise, and the colour says the side
    return made


def draw_bone(
    painter: QPainter, start: QPointF, end: QPointF, frame: Frame, colour: QColor, scale: float
) -> None:
    """Draw a bone between two points. Left: one solid line; right: a double rail; midline: one white line.

    scale: units of the painter per screen px, so that the line keeps its width on screen.
    """
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    for pen in _bone_pens(frame, colour.rgba(), marks().bone_px, scale):
        painter.setPen(pen)
        painter.drawLine(start, end)


@lru_cache(maxsize=64)
def _bone_pens(frame: Frame, rgba: int, width: float, scale: float) -> tuple[QPen, ...]:
    """Return what a bone is drawn with, one line over the other."""
    halo, colour = QColor(tokens.PHOTO_HALO), QColor.fromRgba(rgba)
    if frame is Frame.SQUARE:
        lines = ((halo, width + 4.0), (colour, width + 1.6), (halo, 1.6))
    else:
        lines = ((halo, width + 4.0), (colour, width))
    pens = tuple(QPen(colour, width * scale) for colour, width in lines)
    for pen in pens:
        # Round ends would be seen nowhere, the points lie over them, and take Qt fifteen times as long to draw.
        pen.setCapStyle(Qt.PenCapStyle.FlatCap)
    return pens
