"""What is drawn over pictures of a limb: the girth ring, lines of girths, the tape. One drawing for every view."""

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QImage, QPainter, QPen, QPolygonF

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
_LABEL_PX = 60
_LABELS_APART_M = 0.012
_LINES_ROOM_PX = 10  # round the lines, for their width and the height of a number
_REACH_PX = (-200, 8000)  # beyond any view: what lies farther off is not drawn
_MOST_DRAWN = 10
_MOST_CORNERS = 120  # of a drawn curve; more are not seen, and each is drawn in every view


@dataclass(frozen=True, eq=False)
class Seen:
    """How one view looks. pixels: from points (n, 3) as shown to (n, 2); eye (3,); rest: whether the T-pose is shown.

    labels: whether numbers have room. key: equal where all of this is, so that what was drawn can be used again; None:
    never.
    """

    pixels: Callable[[np.ndarray], np.ndarray]
    eye: np.ndarray
    rest: bool
    labels: bool = False
    key: Hashable = None


class Curve:
    """A closed or open line on a limb, known at rest, carried to the pose when first asked for."""

    def __init__(self, surface: "LimbSurface", points: np.ndarray, *, closed: bool) -> None:
        self.closed = closed
        self._surface = surface
        self._rest = fewer(points) if closed else points
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


def fewer(points: np.ndarray) -> np.ndarray:
    """Return as many of a closed curve's points (n, 2 or 3) as can be told apart when it is drawn."""
    return points[:: -(-len(points) // _MOST_CORNERS)]


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
    count = len(px)
    before = np.roll(segment, 1)
    starts, ends = np.flatnonzero(segment & ~before), np.flatnonzero(before & ~segment)
    for start in starts.tolist():
        end = int(ends[np.searchsorted(ends, start) % len(ends)])  # the run may go on over the last point
        painter.drawPolyline(_polygon(px[np.arange(start, end + (count if end < start else 0) + 1) % count]))


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


@dataclass(frozen=True, eq=False)
class _Drawn:
    """The lines of girths as drawn for one view. at: where the picture goes; left: how far left the lines come, px."""

    picture: QImage
    at: QPointF
    left: float


class LimbOverlay:
    """Draw the ring, the lines of girths and the tape of the limb in work."""

    def __init__(self) -> None:
        self.scale = ScaleSource.PRIOR
        self.ring: Curve | None = None
        self.ring_section: LimbSection | None = None
        self._lines: tuple[tuple[float, Curve], ...] = ()
        self._drawn: dict[Hashable, _Drawn] = {}
        self.tape: tuple[Tape, Curve] | None = None
        self.first_place: Curve | None = None

    @property
    def lines(self) -> tuple[tuple[float, Curve], ...]:
        """Return the lines of girths, each with its distance from the limb's end, metres."""
        return self._lines

    @lines.setter
    def lines(self, lines: tuple[tuple[float, Curve], ...]) -> None:
        self._lines = lines
        self._drawn = {}

    def paint(self, painter: QPainter, how: Seen) -> None:
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        left = self._paint_lines(painter, how)
        self._paint_ring(painter, how, left)
        self._paint_tape(painter, how)

    def _paint_ring(self, painter: QPainter, how: Seen, left: float) -> None:
        """left: how far left the lines of girths come, px."""
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
        """Draw the lines of girths; return how far left they come, px.

        They stay while the ring or a brush moves: they are drawn once into a picture of their own.
        """
        if not self._lines:
            return 1e9
        ring = self.ring_section
        # The ring's own label takes the place of those near it.
        labelled = tuple(
            how.labels and ring is not None and abs(level - ring.from_end_m) >= _LABELS_APART_M
            for level, _ in self._lines
        )
        if how.key is None:
            return self._draw_lines(painter, self._seen_lines(how), labelled)
        ratio = painter.device().devicePixelRatio()
        key = (how.key, labelled, ratio, self.scale)
        if key not in self._drawn:
            while len(self._drawn) >= _MOST_DRAWN:
                del self._drawn[next(iter(self._drawn))]
            self._drawn[key] = self._drawn_lines(self._seen_lines(how), labelled, ratio)
        drawn = self._drawn[key] = self._drawn.pop(key)  # the newest is the last to go
        painter.drawImage(drawn.at, drawn.picture)
        return drawn.left

    def _seen_lines(self, how: Seen) -> list[tuple[np.ndarray, np.ndarray]]:
        return seen_curves([curve for _, curve in self._lines], how)

    def _drawn_lines(
        self, seen: list[tuple[np.ndarray, np.ndarray]], labelled: tuple[bool, ...], ratio: float
    ) -> "_Drawn":
        """Draw the lines into a picture no larger than they need."""
        px = np.concatenate([points for points, _ in seen])
        low, high = np.floor(px.min(axis=0)) - _LINES_ROOM_PX, np.ceil(px.max(axis=0)) + _LINES_ROOM_PX
        if any(labelled):
            low[0] -= _LABEL_GAP + _LABEL_PX
        low, high = np.clip(low, *_REACH_PX), np.clip(high, *_REACH_PX)
        width, height = (np.maximum(high - low, 1) * ratio).astype(int).tolist()
        picture = QImage(width, height, QImage.Format.Format_ARGB32_Premultiplied)
        picture.setDevicePixelRatio(ratio)
        picture.fill(0)
        inside = QPainter(picture)
        inside.setRenderHint(QPainter.RenderHint.Antialiasing)
        inside.translate(-low[0], -low[1])
        left = self._draw_lines(inside, seen, labelled)
        inside.end()
        return _Drawn(picture, QPointF(*low), left)

    def _draw_lines(
        self, painter: QPainter, seen: list[tuple[np.ndarray, np.ndarray]], labelled: tuple[bool, ...]
    ) -> float:
        left = 1e9
        painter.setFont(text_font(11))
        for px, facing in seen:
            draw_curve(painter, px, facing, _LINE, 1.2, hidden=False)
            left = min(left, float(px[:, 0].min()))
        factor, unit = (1000, "") if is_given(self.scale) else (100, " cm")
        digits = 0 if is_given(self.scale) else 1
        for (level, _), (px, _), has_label in zip(self._lines, seen, labelled, strict=True):
            if has_label:
                anchor = px[int(np.argmin(px[:, 0]))]
                place = QRectF(left - _LABEL_GAP - _LABEL_PX, anchor[1] - 8, _LABEL_PX, 16)
                _leader(painter, QPointF(left - _LABEL_GAP + 6, anchor[1]), QPointF(*anchor))
                _plate(painter, place, f"{level * factor:.{digits}f}{unit}")
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
            painter.setFont(text_font(12))
            width = painter.fontMetrics().horizontalAdvance(words) + 18
            beside = float(px[:, 0].max()) + width + 16
            chip(painter, QPointF(beside, float(px[len(px) // 2, 1])), words, strong=False)


def _dot(painter: QPainter, at: np.ndarray) -> None:
    painter.setPen(QPen(QColor(PHOTO_HALO), 2))
    painter.setBrush(_TAPE)
    painter.drawEllipse(QPointF(*at), 5, 5)


def _leader(painter: QPainter, start: QPointF, end: QPointF) -> None:
    painter.setPen(QPen(QColor(150, 161, 176), 1))
    painter.drawLine(start, end)


def _plate(painter: QPainter, place: QRectF, text: str) -> None:
    """Draw a number on a plate of its own, readable on light and dark. place: it ends at its right side."""
    width = painter.fontMetrics().horizontalAdvance(text) + 10
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(QColor(10, 12, 15, 200))
    painter.drawRoundedRect(QRectF(place.right() - width, place.y(), width, place.height()), 4, 4)
    painter.setPen(QColor("#FFFFFF"))
    inner = place.adjusted(0, 0, -5, 0)
    painter.drawText(inner, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, text)
