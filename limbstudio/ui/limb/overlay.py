"""What is drawn over pictures of a limb: the girth ring, lines of girths, the tape. One drawing for every view."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPen, QPolygonF

from limbstudio.domain.body import ScaleSource
from limbstudio.ui.limb.words import is_given, length_words, level_words
from limbstudio.ui.theme import DARK, PHOTO_HALO, QFont, text_font

if TYPE_CHECKING:
    from limbstudio.corrections.limb_surface import LimbSurface
    from limbstudio.measures.limb_sections import LimbSection, Tape

_LINE = QColor("#F4D3E6")
_RING = QColor("#FFFFFF")
_TAPE = QColor("#F0E442")
_LABEL_GAP = 34
_MOST_CORNERS = 120  # of a drawn curve; more are not seen, and each is drawn in every view


@dataclass(frozen=True, eq=False)
class Seen:
    """How one view looks. pixels: from points (n, 3) as shown to (n, 2); eye (3,); rest: whether the T-pose is shown.

    labels: whether numbers have room.
    """

    pixels: Callable[[np.ndarray], np.ndarray]
    eye: np.ndarray
    rest: bool
    labels: bool = False


class Curve:
    """A closed or open line on a limb, known at rest, carried to the pose when first asked for."""

    def __init__(self, surface: "LimbSurface", points: np.ndarray, *, closed: bool) -> None:
        self.closed = closed
        self._surface = surface
        step = -(-len(points) // _MOST_CORNERS) if closed else 1
        self._rest = points[::step]
        self._posed: np.ndarray | None = None

    def shown(self, *, rest: bool) -> np.ndarray:
        """Return the points (n, 3) in the frame of what is shown."""
        if rest:
            return self._rest
        if self._posed is None:
            from limbstudio.measures.limb_sections import carried

            self._posed = carried(self._surface, self._rest)
        return self._posed

    def seen(self, how: Seen) -> tuple[np.ndarray, np.ndarray]:
        """Return the points in px (n, 2), and which of them face the eye (n,), as a round wall would."""
        ((px, facing),) = seen_curves((self,), how)
        return px, facing


def seen_curves(curves: Sequence[Curve], how: Seen) -> list[tuple[np.ndarray, np.ndarray]]:
    """Return what `Curve.seen` does of several curves at once, which asks the camera only once."""
    shown = [curve.shown(rest=how.rest) for curve in curves]
    if not shown:
        return []
    px = np.split(how.pixels(np.concatenate(shown)), np.cumsum([len(points) for points in shown])[:-1])
    return [
        (at, ((points - points.mean(axis=0)) * (how.eye - points)).sum(axis=1) > 0)
        for at, points in zip(px, shown, strict=True)
    ]


def draw_curve(
    painter: QPainter, px: np.ndarray, facing: np.ndarray, colour: QColor, width: float, *, hidden: bool
) -> None:
    """Draw a closed curve: what faces the eye whole, with a dark rim; hidden: the rest thin and dashed too."""
    if hidden:
        pen = QPen(QColor(colour.red(), colour.green(), colour.blue(), 110), 1.0, Qt.PenStyle.DashLine)
        _stroke(painter, px, ~facing, pen)
    if width >= 2:
        _stroke(painter, px, facing, QPen(QColor(PHOTO_HALO), width + 2.4))
    _stroke(painter, px, facing, QPen(colour, width))


def _stroke(painter: QPainter, px: np.ndarray, chosen: np.ndarray, pen: QPen) -> None:
    """Draw the runs of a closed curve's segments of which either end is chosen."""
    if not len(px):
        return
    pen.setCapStyle(Qt.PenCapStyle.RoundCap)
    pen.setJoinStyle(Qt.PenJoinStyle.RoundJoin)
    painter.setPen(pen)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    segment = chosen & np.roll(chosen, -1)
    if segment.all():
        painter.drawPolygon(_polygon(px))
        return
    starts = np.flatnonzero(segment & ~np.roll(segment, 1))
    count = len(px)
    for start in starts.tolist():
        end = start
        while segment[end % count] and end - start < count:
            end += 1
        painter.drawPolyline(_polygon(px[np.arange(start, end + 1) % count]))


def _polygon(px: np.ndarray) -> QPolygonF:
    return QPolygonF([QPointF(x, y) for x, y in px.tolist()])


def chip(painter: QPainter, right_middle: QPointF, text: str, *, strong: bool) -> QRectF:
    """Draw a small label that ends at a place; return where it is."""
    painter.setFont(text_font(12, QFont.Weight.DemiBold if strong else QFont.Weight.Medium))
    width = painter.fontMetrics().horizontalAdvance(text) + 18
    rect = QRectF(right_middle.x() - width, right_middle.y() - 11, width, 22)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(QColor(DARK.accent_fill) if strong else QColor(10, 12, 15, 200))
    painter.drawRoundedRect(rect, 5, 5)
    painter.setPen(QColor("#FFFFFF"))
    painter.drawText(rect, Qt.AlignmentFlag.AlignCenter, text)
    return rect


class LimbOverlay:
    """Draw the ring, the lines of girths and the tape of the limb in work."""

    def __init__(self) -> None:
        self.scale = ScaleSource.PRIOR
        self.ring: Curve | None = None
        self.ring_section: LimbSection | None = None
        self.lines: tuple[tuple[float, Curve], ...] = ()
        self.tape: tuple[Tape, Curve] | None = None
        self.first_place: Curve | None = None

    def paint(self, painter: QPainter, how: Seen) -> None:
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        left = self._paint_lines(painter, how)
        self._paint_tape(painter, how)
        ring, section = self.ring, self.ring_section
        if ring is None or section is None:
            return
        px, facing = ring.seen(how)
        draw_curve(painter, px, facing, _RING, 2.4 if how.labels else 1.8, hidden=how.labels)
        if how.labels:
            anchor = px[int(np.argmin(px[:, 0]))]
            end = QPointF(min(left, anchor[0]) - _LABEL_GAP, anchor[1])
            _leader(painter, end, QPointF(*anchor))
            words = f"{level_words(section.from_end_m, self.scale)}    {length_words(section.girth_m, self.scale)}"
            chip(painter, end, words, strong=True)

    def _paint_lines(self, painter: QPainter, how: Seen) -> float:
        """Draw the lines of girths; return how far left they come, px."""
        left = 1e9
        painter.setFont(text_font(11))
        seen = seen_curves([curve for _, curve in self.lines], how)
        for px, facing in seen:
            draw_curve(painter, px, facing, _LINE, 1.2, hidden=False)
            left = min(left, float(px[:, 0].min()))
        if how.labels and self.ring_section is not None:
            factor, unit = (1000, "") if is_given(self.scale) else (100, " cm")
            for (level, _), (px, _) in zip(self.lines, seen, strict=True):
                anchor = px[int(np.argmin(px[:, 0]))]
                if abs(level - self.ring_section.from_end_m) < 0.012:
                    continue  # the ring's own label is there
                digits = 0 if is_given(self.scale) else 1
                place = QRectF(left - _LABEL_GAP - 60, anchor[1] - 8, 60, 16)
                _leader(painter, QPointF(left - _LABEL_GAP + 6, anchor[1]), QPointF(*anchor))
                _outlined(painter, place, f"{level * factor:.{digits}f}{unit}")
        return left

    def _paint_tape(self, painter: QPainter, how: Seen) -> None:
        if self.first_place is not None:
            _dot(painter, self.first_place.seen(how)[0][0])
        if self.tape is None:
            return
        tape, curve = self.tape
        px = curve.seen(how)[0]
        for pen in (QPen(QColor(PHOTO_HALO), 5.0), QPen(_TAPE, 2.4)):
            pen.setCapStyle(Qt.PenCapStyle.RoundCap)
            painter.setPen(pen)
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawPolyline(_polygon(px))
        painter.setPen(QPen(_TAPE, 1.0, Qt.PenStyle.DashLine))
        painter.drawLine(QPointF(*px[0]), QPointF(*px[-1]))
        for end in (px[0], px[-1]):
            _dot(painter, end)
        if how.labels:
            straight, along = (length_words(m, self.scale) for m in (tape.straight_m, tape.along_m))
            words = f"straight {straight}, along {along}"
            middle = px[len(px) // 2]
            painter.setFont(text_font(12))
            width = painter.fontMetrics().horizontalAdvance(words) + 18
            chip(painter, QPointF(middle[0] + width + 16, middle[1]), words, strong=False)


def _dot(painter: QPainter, at: np.ndarray) -> None:
    painter.setPen(QPen(QColor(PHOTO_HALO), 2))
    painter.setBrush(_TAPE)
    painter.drawEllipse(QPointF(*at), 5, 5)


def _leader(painter: QPainter, start: QPointF, end: QPointF) -> None:
    painter.setPen(QPen(QColor(150, 161, 176), 1))
    painter.drawLine(start, end)


def _outlined(painter: QPainter, place: QRectF, text: str) -> None:
    """Draw a number that is readable on light and dark."""
    flags = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
    painter.setPen(QColor(10, 12, 15, 210))
    for dx, dy in ((-1, 0), (1, 0), (0, -1), (0, 1)):
        painter.drawText(place.translated(dx, dy), flags, text)
    painter.setPen(QColor("#FFFFFF"))
    painter.drawText(place, flags, text)
