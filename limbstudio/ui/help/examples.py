"""Drawn examples of what the tools do, on the figure; each draws in a box of 280 x 150."""

import math
from collections.abc import Callable, Mapping

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QPainter, QPainterPath, QPen, QPixmap, QPolygonF

from limbstudio.domain.anatomy import LDPOSE, LDPOSE_EDGES, LDPOSE_INDEX, KeypointState
from limbstudio.ui import icons
from limbstudio.ui import theme as tokens
from limbstudio.ui.glyphs import STATE_ORDER, draw_bone, draw_glyph, frame_of, glyph_of, side_colour
from limbstudio.ui.help.figure import draw_figure, draw_points, place_of, residual_pen, silhouette
from limbstudio.ui.theme import Theme

SIZE = QSize(280, 150)
_MIDDLE = QPointF(140, 75)
_END = LDPOSE_INDEX["below_right_knee_end"]
_LEG = ("right_hip", "right_knee", "left_hip", "left_knee", "left_ankle", "below_right_knee_end")
_PAIRS = ("shoulder", "elbow", "wrist", "hip", "knee")
_BODY = (
    "nose",
    *(f"{side}_{joint}" for joint in _PAIRS for side in ("left", "right")),
    "left_ankle",
    "below_right_knee_end",
)

Example = Callable[[QPainter, Theme], None]


def _figure(
    painter: QPainter, theme: Theme, centre: QPointF, scale: float, *, end: int | None = _END
) -> None:
    """Set the painter to the figure's units, `centre` of it in the middle of the box, and draw the figure."""
    painter.translate(_MIDDLE)
    painter.scale(scale, scale)
    painter.translate(-centre)
    draw_figure(painter, theme, end=end, bones=False)


def _skeleton(painter: QPainter, names: tuple[str, ...], scale: float, *, swapped: bool = False) -> None:
    indices = {LDPOSE_INDEX[name] for name in names}
    for a, b in LDPOSE_EDGES:
        if a in indices and b in indices:
            twin = LDPOSE[LDPOSE[a].swap] if swapped else LDPOSE[a]
            frame = frame_of(twin)
            draw_bone(painter, place_of(a), place_of(b), frame, side_colour(frame), 1 / scale)
    draw_points(painter, names, scale)


def _pointer(painter: QPainter, at: QPointF, scale: float = 1.0) -> None:
    """Draw a mouse pointer whose tip is at `at`."""
    painter.save()
    painter.translate(at)
    painter.scale(1 / scale, 1 / scale)
    corners = [(0, 0), (0, 17), (4, 13.5), (7, 20), (10, 18.5), (7, 12.5), (12, 12.5)]
    painter.setPen(QPen(QColor("#000000"), 1.4))
    painter.setBrush(QColor("#FFFFFF"))
    painter.drawPolygon(QPolygonF([QPointF(x, y) for x, y in corners]))
    painter.restore()


def _arrow(painter: QPainter, start: QPointF, end: QPointF, colour: str, scale: float = 1.0) -> None:
    painter.save()
    painter.setPen(QPen(QColor(colour), 2.2 / scale))
    painter.drawLine(start, end)
    along = end - start
    length = max((along.x() ** 2 + along.y() ** 2) ** 0.5, 1e-6)
    along *= 7 / scale / length
    across = QPointF(-along.y(), along.x()) * 0.6
    painter.drawPolyline([end - along + across, end, end - along - across])
    painter.restore()


def _ring(painter: QPainter, at: QPointF, radius: float, width: float, colour: str) -> None:
    painter.setPen(QPen(QColor(colour), width, Qt.PenStyle.DashLine))
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.drawEllipse(at, radius, radius)


def select(painter: QPainter, theme: Theme) -> None:
    _figure(painter, theme, QPointF(100, 300), 1.1)
    _skeleton(painter, _LEG, 1.1)
    knee = place_of(LDPOSE_INDEX["left_knee"])
    _arrow(painter, knee + QPointF(8, 0), knee + QPointF(44, 14), theme.accent, 1.1)
    _pointer(painter, knee + QPointF(46, 14), 1.1)


def guided(painter: QPainter, theme: Theme) -> None:
    _figure(painter, theme, QPointF(100, 300), 1.1)
    _skeleton(painter, ("right_hip", "left_hip", "right_knee", "below_right_knee_end"), 1.1)
    knee = place_of(LDPOSE_INDEX["left_knee"])
    _ring(painter, knee, 13, 2, theme.accent)
    _pointer(painter, knee + QPointF(1, 1), 1.1)


def draw_box(painter: QPainter, theme: Theme) -> None:
    _figure(painter, theme, QPointF(100, 215), 0.31)
    painter.setPen(QPen(QColor(theme.text), 4, Qt.PenStyle.DashLine))
    painter.drawRect(QRectF(26, 4, 148, 424))
    _pointer(painter, QPointF(174, 428), 0.31)


def swap_limb(painter: QPainter, theme: Theme) -> None:
    _two_bodies(painter, theme, ("left_hip", "left_knee", "left_ankle"))


def swap_body(painter: QPainter, theme: Theme) -> None:
    _two_bodies(painter, theme, _BODY[1:12])


def _two_bodies(painter: QPainter, theme: Theme, names: tuple[str, ...]) -> None:
    """Show points with the wrong side's frames, then with the right ones."""
    for shift, swapped in ((-70, True), (70, False)):
        painter.save()
        painter.translate(shift, 0)
        _figure(painter, theme, QPointF(100, 215), 0.33, end=None)
        for name in names:
            index = LDPOSE_INDEX[name]
            definition = LDPOSE[LDPOSE[index].swap] if swapped else LDPOSE[index]
            painter.save()
            painter.translate(place_of(index))
            painter.scale(3, 3)
            draw_glyph(painter, QPointF(), glyph_of(definition, KeypointState.VISIBLE))
            painter.restore()
        painter.restore()
    _arrow(painter, QPointF(122, 75), QPointF(158, 75), theme.accent)


def loupe(painter: QPainter, theme: Theme) -> None:
    painter.save()
    _figure(painter, theme, QPointF(100, 300), 0.9)
    draw_points(painter, ("left_knee", "right_knee"), 0.9)
    painter.restore()
    disc = QPainterPath()
    disc.addEllipse(QPointF(214, 70), 52, 52)
    painter.save()
    painter.setClipPath(disc)
    painter.fillPath(disc, QColor(theme.panel))
    painter.translate(214 - 140, -5)
    _figure(painter, theme, place_of(LDPOSE_INDEX["left_knee"]), 3.2)
    painter.restore()
    painter.setPen(QPen(QColor("#FFFFFF"), 2))
    painter.drawPath(disc)
    for dx, dy in ((1, 0), (-1, 0), (0, 1), (0, -1)):
        way = QPointF(dx, dy)
        painter.drawLine(QPointF(214, 70) + way * 7, QPointF(214, 70) + way * 17)


def overlay(painter: QPainter, theme: Theme) -> None:
    _figure(painter, theme, QPointF(100, 300), 1.0)
    painter.translate(5, 3)
    painter.setPen(QPen(QColor(theme.accent), 1.6))
    fill = QColor(theme.accent)
    fill.setAlphaF(0.25)
    painter.setBrush(fill)
    painter.drawPath(silhouette(_END))


def inset(painter: QPainter, theme: Theme) -> None:
    painter.save()
    _figure(painter, theme, QPointF(100, 215), 0.33)
    painter.restore()
    frame = QRectF(18, 54, 66, 84)
    painter.setPen(QPen(QColor(theme.accent), 2))
    painter.setBrush(QColor(theme.panel))
    painter.drawRoundedRect(frame, 6, 6)
    painter.translate(frame.center() - _MIDDLE)
    _figure(painter, theme, QPointF(100, 215), 0.17)


def names(painter: QPainter, theme: Theme) -> None:
    _figure(painter, theme, QPointF(100, 300), 1.1)
    _skeleton(painter, _LEG, 1.1)
    painter.setFont(tokens.text_font(11))
    for name in ("right_hip", "left_knee", "left_ankle"):
        at = place_of(LDPOSE_INDEX[name])
        left = name.startswith("right")
        box = QRectF(at.x() - 76 if left else at.x() + 14, at.y() - 9, 62, 18)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(tokens.PHOTO_HALO))
        painter.drawRoundedRect(box, 4, 4)
        painter.setPen(side_colour(frame_of(LDPOSE[LDPOSE_INDEX[name]])))
        painter.drawText(box, Qt.AlignmentFlag.AlignCenter, name[0].upper() + " " + name.split("_")[1])


def tones(painter: QPainter, theme: Theme) -> None:
    for n, shade in enumerate(("#000000", "", "#FFFFFF")):
        painter.save()
        painter.setClipRect(QRectF(8 + 90 * n, 6, 84, 138))
        painter.translate(-90 + 90 * n, 0)
        _figure(painter, theme, QPointF(100, 215), 0.31)
        painter.restore()
        if shade:
            veil = QColor(shade)
            veil.setAlphaF(0.45)
            painter.fillRect(QRectF(8 + 90 * n, 6, 84, 138), veil)


def state_ring(painter: QPainter, theme: Theme) -> None:
    _ring(painter, _MIDDLE, 50, 1.5, theme.line2)
    for n, state in enumerate(STATE_ORDER):
        angle = 2 * math.pi * n / len(STATE_ORDER) - math.pi / 2
        at = _MIDDLE + QPointF(math.cos(angle), math.sin(angle)) * 50
        draw_glyph(painter, at, glyph_of(LDPOSE[LDPOSE_INDEX["left_knee"]], state))
    _pointer(painter, _MIDDLE)


def reshape(painter: QPainter, theme: Theme) -> None:
    for angle, faint in ((0.0, True), (14.0, False)):
        painter.save()
        painter.setOpacity(0.4 if faint else 1.0)
        painter.translate(_MIDDLE)
        painter.rotate(angle)
        painter.translate(-_MIDDLE)
        painter.translate(_MIDDLE)
        painter.scale(0.33, 0.33)
        painter.translate(-QPointF(100, 215))
        _skeleton(painter, _BODY, 0.33)
        painter.restore()


def _mask_area() -> QPainterPath:
    area = QPainterPath()
    area.addRect(QRectF(40, 245, 59, 130))
    return silhouette(_END).intersected(area)


def _mask(painter: QPainter, theme: Theme) -> None:
    _figure(painter, theme, QPointF(90, 300), 1.15)
    fill = QColor(tokens.PHOTO_RESIDUAL)
    fill.setAlphaF(0.4)
    painter.fillPath(_mask_area(), fill)


def mask_polygon(painter: QPainter, theme: Theme) -> None:
    _mask(painter, theme)
    corners = [QPointF(63, 250), QPointF(66, 300), QPointF(69, 348), QPointF(79, 360), QPointF(89, 346)]
    painter.setPen(residual_pen(2))
    painter.drawPolyline(QPolygonF(corners))
    painter.setBrush(QColor("#FFFFFF"))
    for corner in corners:
        painter.drawEllipse(corner, 3, 3)
    _pointer(painter, corners[-1], 1.15)


def mask_brush(painter: QPainter, theme: Theme) -> None:
    _mask(painter, theme)
    _ring(painter, QPointF(92, 275), 15, 1.6, theme.text)


def mask_eraser(painter: QPainter, theme: Theme) -> None:
    _mask(painter, theme)
    at = QPointF(96, 300)
    hole = QPainterPath()
    hole.addEllipse(at, 15, 15)
    painter.fillPath(hole.intersected(_mask_area()), QColor(theme.skin))
    _ring(painter, at, 15, 1.6, theme.text)


def mask_grab_cut(painter: QPainter, theme: Theme) -> None:
    _figure(painter, theme, QPointF(100, 215), 0.33)
    fill = QColor(tokens.PHOTO_UNSURE)
    fill.setAlphaF(0.35)
    painter.fillPath(silhouette(_END), fill)
    painter.setPen(QPen(QColor(theme.text), 4, Qt.PenStyle.DashLine))
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.drawRect(QRectF(26, 4, 148, 424))


def girth_ring(painter: QPainter, theme: Theme) -> None:
    _figure(painter, theme, QPointF(86, 320), 1.7)
    painter.setPen(QPen(QColor(theme.accent), 2))
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.drawEllipse(QPointF(78.5, 325), 14.5, 4.5)
    _arrow(painter, QPointF(104, 318), QPointF(104, 300), theme.accent, 1.7)
    _arrow(painter, QPointF(104, 332), QPointF(104, 350), theme.accent, 1.7)


def tape(painter: QPainter, theme: Theme) -> None:
    _figure(painter, theme, QPointF(86, 310), 1.5)
    knee, end = place_of(LDPOSE_INDEX["right_knee"]), place_of(_END)
    painter.setPen(QPen(QColor(theme.accent), 2, Qt.PenStyle.DashLine))
    painter.drawLine(knee, end)
    painter.setBrush(QColor("#FFFFFF"))
    for at in (knee, end):
        painter.drawEllipse(at, 3.2, 3.2)


def section_card(painter: QPainter, theme: Theme) -> None:
    painter.save()
    painter.translate(-66, 0)
    _figure(painter, theme, QPointF(86, 320), 1.5)
    painter.setPen(QPen(QColor(theme.accent), 2))
    painter.drawLine(QPointF(56, 326), QPointF(102, 326))
    painter.restore()
    outline = QPainterPath(QPointF(160, 80))
    outline.cubicTo(158, 40, 196, 26, 222, 38)
    outline.cubicTo(252, 52, 250, 104, 218, 116)
    outline.cubicTo(190, 124, 162, 112, 160, 80)
    painter.setPen(residual_pen(2.4))
    painter.setBrush(QColor(theme.panel))
    painter.drawPath(outline)
    painter.setPen(QPen(QColor(theme.text2), 1.2))
    painter.drawLine(QPointF(160, 78), QPointF(246, 78))
    painter.drawLine(QPointF(204, 33), QPointF(204, 119))


def solo_limb(painter: QPainter, theme: Theme) -> None:
    painter.save()
    painter.setOpacity(0.15)
    _figure(painter, theme, QPointF(86, 300), 1.1)
    painter.restore()
    painter.save()
    painter.translate(_MIDDLE)
    painter.scale(1.1, 1.1)
    painter.translate(-QPointF(86, 300))
    painter.setClipRect(QRectF(58, 292, 41, 90))
    draw_figure(painter, theme, end=_END, bones=False)
    painter.restore()


def linked_views(painter: QPainter, theme: Theme) -> None:
    for n, squeeze in enumerate((1.0, 0.55, 1.0)):
        frame = QRectF(10 + 88 * n, 14, 82, 122)
        painter.save()
        painter.setClipRect(frame)
        painter.fillRect(frame, QColor(theme.panel))
        painter.translate(frame.center())
        painter.scale(squeeze, 1.0)
        painter.translate(-_MIDDLE)
        _figure(painter, theme, QPointF(86, 318), 0.9)
        painter.restore()
        painter.setPen(QPen(QColor(theme.accent if n == 0 else theme.line2), 1.6))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawRoundedRect(frame, 5, 5)


def _limb_end_view(painter: QPainter, theme: Theme) -> QPointF:
    """Draw the residual limb, large; return its end in the painter's units."""
    _figure(painter, theme, QPointF(86, 330), 1.7)
    return place_of(_END)


def limb_end(painter: QPainter, theme: Theme) -> None:
    end = _limb_end_view(painter, theme)
    _arrow(painter, end, end + QPointF(0, 22), theme.accent, 1.7)
    _arrow(painter, end, end - QPointF(0, 22), theme.accent, 1.7)
    painter.setPen(QPen(QColor(theme.accent), 1.4))
    painter.setBrush(QColor("#FFFFFF"))
    painter.drawEllipse(end, 3.4, 3.4)


def cut_plane(painter: QPainter, theme: Theme) -> None:
    end = _limb_end_view(painter, theme) - QPointF(0, 6)
    painter.translate(end)
    painter.rotate(12)
    painter.setPen(QPen(QColor(theme.accent), 1.6))
    disc = QColor(theme.accent)
    disc.setAlphaF(0.25)
    painter.setBrush(disc)
    painter.drawEllipse(QPointF(), 24, 6)
    painter.setBrush(QColor("#FFFFFF"))
    for handle in (QPointF(-24, 0), QPointF(24, 0)):
        painter.drawEllipse(handle, 2.6, 2.6)
    _arrow(painter, QPointF(), QPointF(0, 20), theme.accent, 1.7)


def tip_shape(painter: QPainter, theme: Theme) -> None:
    for n, wide in enumerate((16.0, 26.0, 36.0)):  # conical, cylindrical, bulbous
        middle = 60.0 + 80 * n
        limb = QPainterPath(QPointF(middle - 26, 14))
        limb.lineTo(middle + 26, 14)
        limb.cubicTo(middle + 26, 60, middle + wide, 80, middle + wide, 104)
        limb.cubicTo(middle + wide, 142, middle - wide, 142, middle - wide, 104)
        limb.cubicTo(middle - wide, 80, middle - 26, 60, middle - 26, 14)
        painter.fillPath(limb, QColor(theme.residual))


def _wall(painter: QPainter, theme: Theme, height: float, *, rough: bool = False) -> None:
    """Draw a piece of the limb's wall from the side, before (dotted) and after: `height` px up at the brush."""
    before, after = QPainterPath(QPointF(10, 92)), QPainterPath(QPointF(10, 92))
    waves = 10.0 if rough else 0.0
    for n in range(1, 27):
        x = 10.0 * n + 10
        bump = math.exp(-(((x - 140) / 42) ** 2))
        before.lineTo(x, 92 - waves * math.sin(1.9 * n) * bump)
        after.lineTo(x, 92 - height * bump)
    body = QPainterPath(after)
    body.lineTo(270, 146)
    body.lineTo(10, 146)
    body.closeSubpath()
    painter.fillPath(body, QColor(theme.residual))
    painter.strokePath(before, QPen(QColor(theme.text), 1.6, Qt.PenStyle.DotLine))
    _ring(painter, QPointF(140, 92), 40, 1.6, theme.text)


def brush_pull(painter: QPainter, theme: Theme) -> None:
    _wall(painter, theme, 30)
    _arrow(painter, QPointF(140, 96), QPointF(140, 66), theme.accent)


def brush_push(painter: QPainter, theme: Theme) -> None:
    _wall(painter, theme, -24)
    _arrow(painter, QPointF(140, 70), QPointF(140, 108), theme.accent)


def brush_smooth(painter: QPainter, theme: Theme) -> None:
    _wall(painter, theme, 0, rough=True)


def brush_inflate(painter: QPainter, theme: Theme) -> None:
    _wall(painter, theme, 22)
    for angle in (-50, 0, 50):
        way = QPointF(math.sin(math.radians(angle)), -math.cos(math.radians(angle)))
        _arrow(painter, QPointF(140, 96) + way * 6, QPointF(140, 96) + way * 34, theme.accent)


def brush_flatten(painter: QPainter, theme: Theme) -> None:
    _wall(painter, theme, 0, rough=True)
    painter.setPen(QPen(QColor(theme.accent), 2.4))
    painter.drawLine(QPointF(96, 84), QPointF(184, 84))


def mirror_other(painter: QPainter, theme: Theme) -> None:
    painter.save()
    _figure(painter, theme, QPointF(100, 322), 1.3)
    painter.restore()
    painter.setPen(QPen(QColor(theme.accent), 1.6, Qt.PenStyle.DashLine))
    painter.drawLine(QPointF(140, 6), QPointF(140, 144))
    _arrow(painter, QPointF(162, 62), QPointF(118, 62), theme.accent)


def reset_here(painter: QPainter, theme: Theme) -> None:
    _wall(painter, theme, 0, rough=True)
    _arrow(painter, QPointF(140, 58), QPointF(140, 86), theme.accent)


EXAMPLES: Mapping[str, Example] = {
    example.__name__: example
    for example in (
        select, guided, draw_box, swap_limb, swap_body, loupe, overlay, inset, names, tones, state_ring, reshape,
        mask_polygon, mask_brush, mask_eraser, mask_grab_cut, girth_ring, tape, section_card, solo_limb, linked_views,
        limb_end, cut_plane, tip_shape, brush_pull, brush_push, brush_smooth, brush_inflate, brush_flatten,
        mirror_other, reset_here,
    )
}  # fmt: skip


def example_picture(name: str, icon: str, theme: Theme, ratio: float = 2.0) -> QPixmap:
    """Return the drawn example of a tool; its icon, large, where there is none."""
    pixmap = QPixmap(SIZE * ratio)
    pixmap.setDevicePixelRatio(ratio)
    pixmap.fill(QColor(theme.bg))
    painter = QPainter(pixmap)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    if name in EXAMPLES:
        EXAMPLES[name](painter, theme)
    elif icon:
        icons.paint_icon(painter, QRectF(108, 43, 64, 64), icon, QColor(theme.text2))
    painter.end()
    return pixmap
