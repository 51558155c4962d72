"""A body drawn as a figure: for showing where a point lies and what a tool does. It is nobody's picture.

The figure stands and faces the viewer, so that the person's left is on the right. Its units are those of a box of
200 x 430.
"""

import math

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QPainter, QPainterPath, QPen, QPixmap, QPolygonF, QTransform

from limbstudio.domain.anatomy import LDPOSE, LDPOSE_INDEX, KeypointState
from limbstudio.ui import theme as tokens
from limbstudio.ui.glyphs import Glyph, draw_glyph, glyph_of
from limbstudio.ui.theme import Theme

WIDTH, HEIGHT = 200.0, 430.0
_MIDDLE = 100.0
_NOSE = (_MIDDLE, 45.0)
# The person's left; the right is its mirror image: distance from the middle, height.
_LEFT = {
    "eye": (8.0, 37.0),
    "ear": (21.5, 41.0),
    "shoulder": (37.0, 88.0),
    "elbow": (49.0, 152.0),
    "wrist": (57.0, 210.0),
    "hip": (19.0, 212.0),
    "knee": (21.0, 302.0),
    "ankle": (22.5, 388.0),
}
_CHAINS = {"arm": ("shoulder", "elbow", "wrist"), "leg": ("hip", "knee", "ankle")}
_RADII = {"arm": (12.0, 9.0, 6.5), "leg": (19.0, 13.0, 8.0)}
_TIPS = {"arm": ((61.0, 233.0), 5.5), "leg": ((27.0, 408.0), 6.5)}
_SHARE = 0.58  # of a segment that is there where a limb ends in it
_FACE = ("nose", "eye", "ear")


def _at(name: str, side: float) -> QPointF:
    across, down = _LEFT[name]
    return QPointF(_MIDDLE + side * across, down)


def _side(name: str) -> float:
    return -1.0 if "right" in name.split("_") else 1.0


def place_of(index: int) -> QPointF:
    """Return where a keypoint lies on the figure. index: of LDPose-25."""
    definition = LDPOSE[index]
    words = definition.name.split("_")
    if definition.name == "nose":
        return QPointF(*_NOSE)
    if not definition.is_residual_end:
        return _at(words[-1], _side(definition.name))
    joints = _CHAINS["arm" if words[2] == "elbow" else "leg"]
    first = joints.index(words[2]) - (words[0] == "above")
    start, end = (_at(joints[n], _side(definition.name)) for n in (first, first + 1))
    return start + (end - start) * _SHARE


def region_of(index: int) -> QRectF:
    """Return the part of the figure in which a keypoint is explained."""
    reach = 34.0 if any(word in LDPOSE[index].name.split("_") for word in _FACE) else 58.0
    at = place_of(index)
    return QRectF(at.x() - reach, at.y() - reach, 2 * reach, 2 * reach)


def _capsule(start: QPointF, end: QPointF, first: float, last: float) -> QPainterPath:
    """Return a limb's segment: round ends of radius `first` and `last`."""
    along = end - start
    length = math.hypot(along.x(), along.y())
    across = QPointF(-along.y(), along.x()) / length
    path = QPainterPath()
    path.setFillRule(Qt.FillRule.WindingFill)
    corners = [start + across * first, end + across * last, end - across * last, start - across * first]
    path.addPolygon(QPolygonF(corners))
    path.closeSubpath()
    whole = path
    for middle, radius in ((start, first), (end, last)):
        circle = QPainterPath()
        circle.addEllipse(middle, radius, radius)
        whole = whole.united(circle)
    return whole


def _limb(kind: str, side: float, end: int | None) -> tuple[QPainterPath, QPainterPath, QPainterPath]:
    """Return what of a limb is there, what of it is the residual part, and what is not there."""
    joints = [_at(name, side) for name in _CHAINS[kind]]
    (tip_x, tip_y), tip_radius = _TIPS[kind]
    joints.append(QPointF(_MIDDLE + side * tip_x, tip_y))
    radii = [*_RADII[kind], tip_radius]
    there, residual, gone = QPainterPath(), QPainterPath(), QPainterPath()
    ends_in = 3 if end is None else (0 if LDPOSE[end].name.startswith("above") else 1)
    for n in range(3):
        segment = _capsule(joints[n], joints[n + 1], radii[n], radii[n + 1])
        if n < ends_in:
            there = there.united(segment)
        elif n > ends_in:
            gone = gone.united(segment)
        else:
            cut = joints[n] + (joints[n + 1] - joints[n]) * (_SHARE - 0.04)
            width = radii[n] + (radii[n + 1] - radii[n]) * _SHARE
            residual = _capsule(joints[n], cut, radii[n], width)
            gone = gone.united(segment)
    return there, residual, gone.subtracted(residual).subtracted(there)


def _trunk() -> QPainterPath:
    half = QPainterPath(QPointF(_MIDDLE - 1, 66))  # the halves overlap, so that no seam shows
    half.lineTo(_MIDDLE + 9, 66)
    half.cubicTo(_MIDDLE + 10, 78, _MIDDLE + 26, 77, _MIDDLE + 38, 80)
    half.cubicTo(_MIDDLE + 48, 92, _MIDDLE + 27, 120, _MIDDLE + 28, 152)
    half.cubicTo(_MIDDLE + 28, 176, _MIDDLE + 38, 190, _MIDDLE + 37, 214)
    half.lineTo(_MIDDLE - 1, 224)
    half.closeSubpath()
    return _both_sides(half)


def _both_sides(half: QPainterPath) -> QPainterPath:
    mirror = QTransform(-1, 0, 0, 1, 2 * _MIDDLE, 0)
    return half.united(mirror.map(half))


def _bones(painter: QPainter, colour: QColor, end: int | None) -> None:
    """Draw the bones and joints within, so that 'the centre of the joint' can be seen."""
    painter.setPen(QPen(colour, 2.0))
    painter.setBrush(colour)
    for kind, joints in _CHAINS.items():
        for side in (1.0, -1.0):
            places = [_at(name, side) for name in joints]
            if end is not None and LDPOSE[end].limb is not None and _ends_here(kind, side, end):
                places = [*places[: 1 if LDPOSE[end].name.startswith("above") else 2], place_of(end)]
            for n, place in enumerate(places):
                if n:
                    painter.drawLine(places[n - 1], place)
                if n < len(places) - 1 or end is None or not _ends_here(kind, side, end):
                    painter.drawEllipse(place, 3.4, 3.4)
    painter.drawLine(_at("hip", 1.0), _at("hip", -1.0))
    painter.drawLine(_at("shoulder", 1.0), _at("shoulder", -1.0))


def _ends_here(kind: str, side: float, end: int) -> bool:
    limb = LDPOSE[end].limb
    return limb is not None and limb.is_arm is (kind == "arm") and _side(LDPOSE[end].name) == side


def draw_figure(painter: QPainter, theme: Theme, *, end: int | None = None, bones: bool = True) -> None:
    """Draw the figure in its own units. end: LDPose index of a residual limb's end that it has, or None."""
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(Qt.PenStyle.NoPen)
    skin = QColor(theme.skin)
    painter.fillPath(_trunk(), skin)
    for kind in _CHAINS:
        for side in (1.0, -1.0):
            here = end if end is not None and _ends_here(kind, side, end) else None
            there, residual, gone = _limb(kind, side, here)
            painter.fillPath(there, skin)
            painter.fillPath(residual, QColor(theme.residual))
            if here is not None:
                painter.strokePath(gone, QPen(QColor(theme.text3), 1.2, Qt.PenStyle.DotLine))
    if bones:
        shade = QColor(theme.panel)
        shade.setAlphaF(0.55)
        _bones(painter, shade, end)
    _draw_head(painter, theme, skin)
    painter.restore()


def _draw_head(painter: QPainter, theme: Theme, skin: QColor) -> None:
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(skin)
    for side in (1.0, -1.0):
        painter.drawEllipse(_at("ear", side), 4.0, 7.5)
    painter.drawEllipse(QPointF(_MIDDLE, 40), 20.5, 26)
    painter.drawRect(QRectF(_MIDDLE - 8, 58, 16, 14))
    line = QPen(QColor(theme.panel), 1.4)
    painter.setPen(line)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    for side in (1.0, -1.0):
        at = _at("eye", side)
        painter.drawEllipse(at, 4.6, 2.8)
        painter.setBrush(QColor(theme.panel))
        painter.drawEllipse(at, 1.3, 1.3)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        ear = _at("ear", side)
        painter.drawEllipse(QPointF(ear.x() + side * 0.5, ear.y()), 1.6, 3.6)
    nose = QPainterPath(QPointF(_MIDDLE - 1.5, 37))
    nose.cubicTo(_MIDDLE - 2, 42, _MIDDLE - 5, 46, _MIDDLE - 3.5, 47.5)
    nose.lineTo(_MIDDLE + 3.5, 47.5)
    painter.drawPath(nose)
    mouth = QPainterPath(QPointF(_MIDDLE - 6, 55))
    mouth.quadTo(_MIDDLE, 58, _MIDDLE + 6, 55)
    painter.drawPath(mouth)


def definition_picture(index: int, theme: Theme, size: QSize, ratio: float = 2.0) -> QPixmap:
    """Return a keypoint's drawn example: the whole figure at the left, its surroundings, larger, at the right."""
    pixmap = QPixmap(size * ratio)
    pixmap.setDevicePixelRatio(ratio)
    pixmap.fill(QColor(theme.bg))
    end = index if LDPOSE[index].is_residual_end else None
    painter = QPainter(pixmap)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    region, side = region_of(index), float(size.height())
    left = size.width() - side
    small = (side - 16) / HEIGHT
    painter.save()
    painter.translate((left - WIDTH * small) / 2, 8)
    painter.scale(small, small)
    draw_figure(painter, theme, end=end, bones=False)
    painter.setPen(QPen(QColor(theme.accent), 1.6 / small))
    painter.drawRect(region)
    painter.restore()
    painter.translate(left, 0)
    _draw_surroundings(painter, index, theme, side)
    glyph = glyph_of(LDPOSE[index], KeypointState.VISIBLE, selected=True)
    draw_glyph(painter, QPointF(side / 2, side / 2), glyph)
    painter.end()
    return pixmap


def _draw_surroundings(painter: QPainter, index: int, theme: Theme, side: float) -> None:
    """Draw what is around a keypoint on the figure in a square of `side` px."""
    region = region_of(index)
    painter.setClipRect(QRectF(0, 0, side, side))
    painter.fillRect(QRectF(0, 0, side, side), QColor(theme.raised))
    painter.save()
    painter.scale(side / region.width(), side / region.width())
    painter.translate(-region.topLeft())
    draw_figure(painter, theme, end=index if LDPOSE[index].is_residual_end else None)
    painter.restore()


def small_picture(glyph: Glyph, index: int, theme: Theme, side: int, ratio: float = 2.0) -> QPixmap:
    """Return a keypoint's surroundings on the figure with its mark, side x side px: for a card beside the photo."""
    pixmap = QPixmap(QSize(side, side) * ratio)
    pixmap.setDevicePixelRatio(ratio)
    pixmap.fill(Qt.GlobalColor.transparent)
    painter = QPainter(pixmap)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    _draw_surroundings(painter, index, theme, float(side))
    draw_glyph(painter, QPointF(side / 2, side / 2), glyph)
    painter.end()
    return pixmap


def draw_points(painter: QPainter, names: tuple[str, ...], scale: float, *, diameter: float = 9.0) -> None:
    """Draw glyphs on the figure. scale: px per unit of the painter."""
    for name in names:
        at = place_of(LDPOSE_INDEX[name])
        glyph = glyph_of(LDPOSE[LDPOSE_INDEX[name]], KeypointState.VISIBLE)
        painter.save()
        painter.translate(at)
        painter.scale(1 / scale, 1 / scale)
        draw_glyph(painter, QPointF(), Glyph(glyph.frame, glyph.state, glyph.residual, diameter))
        painter.restore()


def residual_pen(width: float) -> QPen:
    return QPen(QColor(tokens.PHOTO_RESIDUAL), width)


def silhouette(end: int | None) -> QPainterPath:
    """Return the outline of the whole figure, without what is not there. end: as of `draw_figure`."""
    whole = _trunk()
    for kind in _CHAINS:
        for side in (1.0, -1.0):
            here = end if end is not None and _ends_here(kind, side, end) else None
            there, residual, _ = _limb(kind, side, here)
            whole = whole.united(there).united(residual)
    head = QPainterPath()
    head.addEllipse(QPointF(_MIDDLE, 40), 20.5, 26)
    return whole.united(head)
