"""The section at the ring: its outline drawn, girth, area, ML and AP, with scale and uncertainty."""

from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPen, QPolygonF
from PySide6.QtWidgets import QFrame, QGridLayout, QHBoxLayout, QLabel, QVBoxLayout, QWidget

from limbstudio.domain.anatomy import Side
from limbstudio.ui.limb.overlay import fewer
from limbstudio.ui.limb.words import area_words, doubt_words, length_words, level_words, scale_sentence
from limbstudio.ui.limb.work import LimbWork
from limbstudio.ui.panels.parts import label, section
from limbstudio.ui.theme import Theme, text_font
from limbstudio.ui.words import said, tr

if TYPE_CHECKING:
    from limbstudio.corrections.limb_surface import LimbSurface
    from limbstudio.measures.limb_sections import LimbSection

_EDGE_PX = 20


class SectionChart(QWidget):
    """The outline of one section, anterior up, seen from the limb's end; dashed: before any brush."""

    def __init__(self, theme: Theme, size: int = 150, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._outline = np.zeros((0, 2))
        self._before = np.zeros((0, 2))
        self._sides = ("", "")
        self.setFixedSize(size, size)
        self.setAccessibleName("Outline of the section")

    def sizeHint(self) -> QSize:
        return self.size()

    @property
    def outline(self) -> np.ndarray:
        """Return what is drawn, (n, 2) metres: right and up on the chart."""
        return self._outline

    def set_theme(self, theme: Theme) -> None:
        self._theme = theme
        self.update()

    def show_section(
        self, surface: "LimbSurface | None", now: "LimbSection | None", before: "LimbSection | None"
    ) -> None:
        self._outline = self._before = np.zeros((0, 2))
        if surface is not None:
            # Seen from the end, a right limb's lateral side is at the left.
            is_right = surface.limb.side is Side.RIGHT
            self._sides = ("L", "M") if is_right else ("M", "L")
            sign = np.array([-1.0 if is_right else 1.0, 1.0])
            from limbstudio.measures.limb_sections import in_section

            if now is not None and now.loop is not None:
                self._outline = in_section(surface.frame, fewer(now.loop.points)) * sign
            if before is not None and before.loop is not None:
                self._before = in_section(surface.frame, fewer(before.loop.points)) * sign
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        t = self._theme
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        area = QRectF(self.rect())
        both = np.concatenate([self._outline, self._before])
        if not len(both):
            painter.setPen(QColor(t.text3))
            painter.setFont(text_font(12))
            painter.drawText(area, Qt.AlignmentFlag.AlignCenter, said("No closed section"))
            return
        middle = (both.min(axis=0) + both.max(axis=0)) / 2
        half = float((both.max(axis=0) - both.min(axis=0)).max()) / 2
        scale = (min(area.width(), area.height()) / 2 - _EDGE_PX) / max(half, 1e-6)
        centre = np.array([area.center().x(), area.center().y()])

        def polygon(points: np.ndarray) -> QPolygonF:
            px = centre + (points - middle) * scale * [1, -1]
            return QPolygonF([QPointF(x, y) for x, y in px.tolist()])

        painter.setPen(QPen(QColor(t.line2), 1))
        painter.drawLine(QPointF(area.center().x(), 16), QPointF(area.center().x(), area.height() - 16))
        painter.drawLine(QPointF(16, area.center().y()), QPointF(area.width() - 16, area.center().y()))
        fill = QColor(t.residual)
        fill.setAlpha(50)
        painter.setBrush(fill)
        painter.setPen(QPen(QColor(t.residual), 2))
        painter.drawPolygon(polygon(self._outline))
        if len(self._before):
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.setPen(QPen(QColor(t.text2), 1.4, Qt.PenStyle.DashLine))
            painter.drawPolygon(polygon(self._before))
        painter.setPen(QColor(t.text2))
        painter.setFont(text_font(11))
        painter.drawText(area, Qt.AlignmentFlag.AlignHCenter | Qt.AlignmentFlag.AlignTop, "A")
        painter.drawText(area, Qt.AlignmentFlag.AlignHCenter | Qt.AlignmentFlag.AlignBottom, "P")
        painter.drawText(area, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft, self._sides[0])
        painter.drawText(area, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight, self._sides[1])


class SectionPart(QWidget):
    """The section at the ring, in the panel or large over the view."""

    def __init__(
        self, work: LimbWork, theme: Theme, *, large: bool = False, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._work = work
        self._large = large
        self._title = section("Section")
        heading = self._title.findChild(QLabel)
        assert isinstance(heading, QLabel)
        self._heading = heading
        self.chart = SectionChart(theme, 280 if large else 150)
        self._values: dict[str, QLabel] = {}
        grid = QGridLayout()
        grid.setHorizontalSpacing(10)
        grid.setVerticalSpacing(4)
        for row, (key, words) in enumerate(
            (("girth", "Girth"), ("doubt", ""), ("area", "Area"), ("ml", "ML"), ("ap", "AP"), ("before", ""))
        ):
            grid.addWidget(label(words, "small"), row, 0)
            value = label("", "small" if key in ("doubt", "before") else "value")
            value.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
            grid.addWidget(value, row, 1)
            self._values[key] = value
        grid.setColumnStretch(1, 1)
        if large:  # its card takes its size before it knows the numbers
            grid.setColumnMinimumWidth(0, 52)
            grid.setColumnMinimumWidth(1, 84)
        grid.setRowStretch(6, 1)
        card = QFrame()
        card.setProperty("role", "card")
        inside = QHBoxLayout(card)
        inside.setContentsMargins(8, 8, 12, 8)
        inside.addWidget(self.chart)
        inside.addLayout(grid)
        self._scale = label("", "small")
        self._scale.setWordWrap(True)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(6)
        column.addWidget(self._title)
        column.addWidget(card)
        column.addWidget(self._scale)

    def value(self, key: str) -> str:
        """Return what is said of 'girth', 'doubt', 'area', 'ml', 'ap' or 'before'."""
        return self._values[key].text()

    @property
    def heading(self) -> str:
        return self._heading.text()

    @property
    def scale_words(self) -> str:
        return self._scale.text()

    def set_theme(self, theme: Theme) -> None:
        self.chart.set_theme(theme)

    def refresh(self, *, quick: bool = False) -> None:
        """Show the section at the ring. quick: it moves; the interval, which takes two more sections, waits."""
        work = self._work
        surface, now = work.present, work.section
        self.setVisible(surface is not None)
        if surface is None or now is None:
            return
        scale = work.scale
        self._heading.setText(f"SECTION AT {level_words(now.from_end_m, scale)} FROM THE END")
        before = work.section_before()
        self.chart.show_section(surface, now, before)
        closed = now.is_closed
        self._values["girth"].setText(length_words(now.girth_m, scale) if closed else "–")
        self._values["area"].setText(area_words(now.area_m2, scale) if closed else "–")
        self._values["ml"].setText(length_words(now.ml_m, scale) if closed else "–")
        self._values["ap"].setText(length_words(now.ap_m, scale) if closed else "–")
        if not quick or work.moving is not None:  # an interval of the fit's does not stand beside a stroke
            self._values["doubt"].setText(self._doubt(surface, now) if closed else "")
        shown = before is not None and before.is_closed
        was = f"was {length_words(before.girth_m, scale)}" if before is not None and shown else ""
        self._values["before"].setText(was)
        words = scale_sentence(scale)
        if not closed:
            words = now.problem
        elif work.is_edited or work.moving is not None:
            words += " " + tr("Edited by hand: the fit's interval does not hold.")
        self._scale.setText(words)

    def _doubt(self, surface: "LimbSurface", now: "LimbSection") -> str:
        doubt = self._work.doubt
        if doubt is None:
            return "edited"
        return doubt_words(doubt.half_width(surface, now), self._work.scale)
