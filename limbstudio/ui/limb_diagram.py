"""The limb diagram: a drawn figure, seen from the front, on which a limb is chosen and its level is seen."""

import math
from functools import cache

from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QFocusEvent,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPainterPath,
    QPaintEvent,
    QPen,
)
from PySide6.QtWidgets import QToolTip, QWidget

from limbstudio.domain.anatomy import Level, Limb, LimbStates, Segment, intact_limbs, level_rule
from limbstudio.domain.limb_proposals import LimbProposal, LimbProposals
from limbstudio.ui import theme as tokens
from limbstudio.ui.theme import Theme

_SIZE = QSize(128, 196)
# The figure in units of the drawing: the person's right is on the viewer's left. Joints of the right arm and leg;
# the left ones are their mirror images. (x, y, half width of the limb there)
_ARM = ((43.0, 45.0, 8.0), (35.0, 76.0, 6.0), (27.0, 104.0, 4.5), (24.0, 117.0, 4.5))
_LEG = ((55.0, 98.0, 10.5), (54.0, 139.0, 7.5), (53.0, 178.0, 5.0), (50.0, 189.0, 5.5))
_MIDDLE = 64.0
_RESIDUAL_SHARE = (
    0.62  # how much of a cut segment is drawn; the diagram says which segment, not how long it is
)
# Where a proposal's probability is written, beside the right limbs: x, y, width, height.
_NUMBER_ARM, _NUMBER_LEG = (4.0, 121.0, 40.0, 14.0), (2.0, 152.0, 40.0, 14.0)
_DASHES = (2.5, 2.0)  # of a proposal's outline: line and gap, in widths of the pen


def _joints(limb: Limb) -> list[tuple[float, float, float]]:
    right = _ARM if limb.is_arm else _LEG
    return [(x if limb.side.value == "right" else 2 * _MIDDLE - x, y, w) for x, y, w in right]


def _capsule(
    start: tuple[float, float, float], end: tuple[float, float, float], share: float = 1.0
) -> QPainterPath:
    """Return a tapered capsule from `start` towards `end`, `share` of the way."""
    sx, sy, sw = start
    ex, ey, ew = (a + share * (b - a) for a, b in zip(start, end, strict=True))
    angle = math.atan2(ey - sy, ex - sx)
    nx, ny = -math.sin(angle), math.cos(angle)
    path = QPainterPath(QPointF(sx + nx * sw, sy + ny * sw))
    path.lineTo(ex + nx * ew, ey + ny * ew)
    path.lineTo(ex - nx * ew, ey - ny * ew)
    path.lineTo(sx - nx * sw, sy - ny * sw)
    path.closeSubpath()
    for x, y, w in ((sx, sy, sw), (ex, ey, ew)):
        disc = QPainterPath()
        disc.addEllipse(QPointF(x, y), w, w)
        path = path.united(disc)
    return path


@cache
def _segment_path(limb: Limb, segment: Segment, share: float = 1.0) -> QPainterPath:
    joints = _joints(limb)
    i = limb.segments.index(segment)
    return _capsule(joints[i], joints[i + 1], share)


@cache
def limb_path(limb: Limb) -> QPainterPath:
    """Return the outline of a whole limb: what a click on it means."""
    path = QPainterPath()
    for segment in limb.segments:
        path = path.united(_segment_path(limb, segment))
    return path


def limb_at(x: float, y: float) -> Limb | None:
    """Return the limb at a place of the diagram (units of the drawing), with some room around it."""
    hits = [limb for limb in Limb if limb_path(limb).intersects(QRectF(x - 5, y - 5, 10, 10))]
    if not hits:
        return None
    return min(hits, key=lambda limb: min(math.hypot(x - jx, y - jy) for jx, jy, _ in _joints(limb)))


_ARROWS = {
    Qt.Key.Key_Left: {Limb.LEFT_ARM: Limb.RIGHT_ARM, Limb.LEFT_LEG: Limb.RIGHT_LEG},
    Qt.Key.Key_Right: {Limb.RIGHT_ARM: Limb.LEFT_ARM, Limb.RIGHT_LEG: Limb.LEFT_LEG},
    Qt.Key.Key_Up: {Limb.LEFT_LEG: Limb.LEFT_ARM, Limb.RIGHT_LEG: Limb.RIGHT_ARM},
    Qt.Key.Key_Down: {Limb.LEFT_ARM: Limb.LEFT_LEG, Limb.RIGHT_ARM: Limb.RIGHT_LEG},
}


class LimbDiagram(QWidget):
    """Show the four limbs; a click or Enter on one asks for its levels, arrows choose the limb.

    Signals:
        limb_chosen(limb): clicked, or Enter.
    """

    limb_chosen = Signal(object)

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._limbs: LimbStates = intact_limbs()
        self._contradicted: frozenset[Limb] = frozenset()
        self._proposals: LimbProposals | None = None
        self._outdated = False
        self._chosen = Limb.RIGHT_LEG
        self._hovered: Limb | None = None
        self.setFixedSize(_SIZE)
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self._describe()

    def show_limbs(self, limbs: LimbStates, contradicted: frozenset[Limb] = frozenset()) -> None:
        self._limbs, self._contradicted = limbs, contradicted
        self._describe()
        self.update()

    def show_proposals(self, proposals: LimbProposals | None, *, outdated: bool = False) -> None:
        """Show what a classifier proposes beside what is recorded; never in its place.

        outdated: it was said before the last edit of what it reads.
        """
        self._proposals, self._outdated = proposals, outdated
        self._describe()
        self.update()

    def set_theme(self, theme: Theme) -> None:
        self._theme = theme
        self.update()

    def _describe(self) -> None:
        words = [f"{limb.value.replace('_', ' ')} {s.level.label.lower()}" for limb, s in self._limbs.items()]
        self.setAccessibleName("Limb diagram: " + ", ".join(words))
        told = [] if self._proposals is None else [proposal.text for proposal in self._proposals]
        self.setAccessibleDescription(". ".join(["Proposed by AJAHR", *told]) if told else "")

    def limb_text(self, limb: Limb) -> str:
        """Return what is known of a limb, in a line each: what is recorded, and what is proposed."""
        name = limb.value.replace("_", " ").capitalize()
        lines = [f"{name}: {self._limbs[limb].level.label}"]
        if self._proposals is not None:
            proposal = self._proposals[limb]
            lines.append(f"AJAHR proposes: {proposal.words} ({100 * proposal.probability:.0f} %)")
            if proposal.unsure:
                lines.append("Unsure: another answer is almost as likely.")
            if not self._proposals.calibrated:
                lines.append("How likely is not calibrated: these are your own AJAHR weights.")
            if self._outdated:
                lines.append("This was said before your last edit.")
        return "\n".join(lines)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        limb = limb_at(event.position().x(), event.position().y())
        if event.button() is Qt.MouseButton.LeftButton and limb is not None:
            self._chosen = limb
            self.update()
            self.limb_chosen.emit(limb)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        limb = limb_at(event.position().x(), event.position().y())
        if limb is not self._hovered:
            self._hovered = limb
            self.update()
            if limb is not None:
                QToolTip.showText(event.globalPosition().toPoint(), self.limb_text(limb), self)

    def leaveEvent(self, event: QEvent) -> None:
        self._hovered = None
        self.update()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        moves = _ARROWS.get(Qt.Key(event.key()))
        if moves is not None:
            self._chosen = moves.get(self._chosen, self._chosen)
            self.update()
        elif event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Space):
            self.limb_chosen.emit(self._chosen)
        else:
            event.ignore()

    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        skin = QColor(self._theme.skin)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(skin)
        painter.drawPath(_trunk())
        for limb in Limb:
            self._paint_limb(painter, limb, skin)
        for proposal in self._proposals or ():
            self._paint_proposal(painter, proposal)
        self._paint_sides(painter)

    def _paint_limb(self, painter: QPainter, limb: Limb, skin: QColor) -> None:
        level = self._limbs[limb].level
        rule = level_rule(limb, level)
        segments = limb.segments
        cut = segments.index(rule.segment) if rule.segment is not None else 3
        if level in (Level.PARTIAL_HAND, Level.PARTIAL_FOOT):
            cut = 2
        for i, segment in enumerate(segments):
            if i < cut:
                painter.fillPath(_segment_path(limb, segment), skin)
            elif i > cut or rule.removed_at_root:
                self._outline(painter, _segment_path(limb, segment))
            else:
                if not rule.ends_at_joint:
                    self._outline(painter, _segment_path(limb, segment))
                share = 1.0 if rule.ends_at_joint else _RESIDUAL_SHARE
                painter.fillPath(_segment_path(limb, segment, share), QColor(self._theme.residual))
        for x, y, _ in _joints(limb)[: min(cut + 1, 3)]:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(QColor(self._theme.panel))
            painter.drawEllipse(QPointF(x, y), 2.2, 2.2)
        if level is Level.UNSURE:
            self._paint_question(painter, limb)
        if limb in self._contradicted:
            painter.setPen(QPen(QColor(self._theme.warn), 2))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawPath(limb_path(limb))
        if limb is self._hovered or (limb is self._chosen and self.hasFocus()):
            painter.setPen(QPen(QColor(self._theme.accent), 1.6))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawPath(limb_path(limb))

    def _paint_proposal(self, painter: QPainter, proposal: LimbProposal) -> None:
        """Write how likely the proposal is; what it would take away or give back is outlined in dashes."""
        limb = proposal.limb
        agrees = proposal.agrees_with(self._limbs[limb])
        colour = QColor(self._theme.text2 if agrees else self._theme.accent)
        if proposal.unsure:
            colour = QColor(self._theme.warn)
        if self._outdated:
            colour.setAlphaF(0.55)
        elif not agrees and not proposal.unsure:
            pen = QPen(colour, 1.4)
            pen.setDashPattern(list(_DASHES))
            painter.setPen(pen)
            painter.setBrush(Qt.BrushStyle.NoBrush)
            path = QPainterPath()
            for segment in limb.segments[_first_lost(proposal) :]:
                path = path.united(_segment_path(limb, segment))
            painter.drawPath(path)
        x, y, width, height = _NUMBER_ARM if limb.is_arm else _NUMBER_LEG
        x = x if limb.side.value == "right" else 2 * _MIDDLE - x - width
        painter.setPen(colour)
        painter.setFont(tokens.text_font(11, tokens.QFont.Weight.Medium))
        text = f"{100 * proposal.probability:.0f} %" + ("?" if proposal.unsure else "")
        painter.drawText(QRectF(x, y, width, height), Qt.AlignmentFlag.AlignCenter, text)

    def _outline(self, painter: QPainter, path: QPainterPath) -> None:
        painter.setPen(QPen(QColor(self._theme.text3), 1.2, Qt.PenStyle.DotLine))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawPath(path)

    def _paint_question(self, painter: QPainter, limb: Limb) -> None:
        x, y, _ = _joints(limb)[1]
        painter.setPen(QColor(tokens.PHOTO_UNSURE if self._theme.is_dark else self._theme.warn))
        painter.setFont(tokens.text_font(13, tokens.QFont.Weight.DemiBold))
        painter.drawText(QRectF(x - 10, y - 10, 20, 20), Qt.AlignmentFlag.AlignCenter, "?")

    def _paint_sides(self, painter: QPainter) -> None:
        painter.setFont(tokens.text_font(13, tokens.QFont.Weight.DemiBold))
        painter.setPen(QColor(self._theme.right))
        painter.drawText(QRectF(4, 2, 16, 18), Qt.AlignmentFlag.AlignCenter, "R")
        painter.setPen(QColor(self._theme.left))
        painter.drawText(QRectF(_SIZE.width() - 20, 2, 16, 18), Qt.AlignmentFlag.AlignCenter, "L")


def _first_lost(proposal: LimbProposal) -> int:
    """Return the first segment that the likeliest class lacks, at least in part; 0 for an intact limb: all of it."""
    return 0 if proposal.intact else max(0, 1 - proposal.ajahr_class)


@cache
def _trunk() -> QPainterPath:
    path = QPainterPath()
    path.addEllipse(QPointF(_MIDDLE, 16), 10.5, 13)
    body = QPainterPath(QPointF(_MIDDLE - 5, 28))
    body.lineTo(_MIDDLE + 5, 28)
    body.cubicTo(_MIDDLE + 8, 36, _MIDDLE + 22, 36, _MIDDLE + 25, 40)
    body.cubicTo(_MIDDLE + 30, 46, _MIDDLE + 15, 72, _MIDDLE + 17, 84)
    body.cubicTo(_MIDDLE + 18, 92, _MIDDLE + 20, 96, _MIDDLE + 19, 104)
    body.lineTo(_MIDDLE - 19, 104)
    body.cubicTo(_MIDDLE - 20, 96, _MIDDLE - 18, 92, _MIDDLE - 17, 84)
    body.cubicTo(_MIDDLE - 15, 72, _MIDDLE - 30, 46, _MIDDLE - 25, 40)
    body.cubicTo(_MIDDLE - 22, 36, _MIDDLE - 8, 36, _MIDDLE - 5, 28)
    return path.united(body)
