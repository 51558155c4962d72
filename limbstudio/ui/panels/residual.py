"""The residual-limb panel: what the fit says of one limb, always with its uncertainty and where its scale is from."""

from dataclasses import replace

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QColor
from PySide6.QtWidgets import (
    QAbstractItemView,
    QComboBox,
    QGridLayout,
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QPushButton,
    QScrollArea,
    QSpinBox,
    QTableWidget,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
)

from limbstudio.domain import edits
from limbstudio.domain.anatomy import Limb
from limbstudio.domain.body import BodyFit, LimbFit, ScaleSource
from limbstudio.domain.fitted import KeptFit
from limbstudio.measures.girths import Girth, residual_girths
from limbstudio.ui.actions import Actions
from limbstudio.ui.limb.words import SCALE_WORDS, doubt_words, is_given, level_words, scale_sentence
from limbstudio.ui.limb.words import length_words as girth_text
from limbstudio.ui.limb.work import LimbWork
from limbstudio.ui.panels.parts import action_button, label, line, off_the_edge, section
from limbstudio.ui.panels.person import limb_name
from limbstudio.ui.privacy import names
from limbstudio.ui.session import Session
from limbstudio.ui.theme import Theme


def length_words(limb: LimbFit, scale: ScaleSource) -> str:
    """Say how long a residual limb is. Millimetres only with a given scale, otherwise 'about' and centimetres."""
    if scale is ScaleSource.PRIOR:
        return f"about {limb.length_m * 100:.0f} cm"
    return f"{limb.length_m * 1000:.0f} mm"


def interval_words(limb: LimbFit, scale: ScaleSource) -> str:
    low, high = limb.length_interval_m
    if scale is ScaleSource.PRIOR:
        return f"{low * 100:.0f} to {high * 100:.0f} cm, 95 %"
    return f"{low * 1000:.0f} to {high * 1000:.0f} mm, 95 %"


def girth_words(girth: Girth, scale: ScaleSource) -> tuple[str, str, str]:
    """Say a girth: where it was measured, how long it is, and the widths; 'about' and in cm without a given scale."""
    if scale is ScaleSource.PRIOR:
        widths = f"{girth.widest_m * 100:.0f} × {girth.narrowest_m * 100:.0f} cm"
        return f"{girth.from_end_m * 100:.1f} cm", f"≈ {girth.girth_m * 100:.0f} cm", widths
    widths = f"{girth.widest_m * 1000:.0f} × {girth.narrowest_m * 1000:.0f}"
    return f"{girth.from_end_m * 1000:.0f} mm", f"{girth.girth_m * 1000:.0f} mm", widths


# Centimetres typed for millimetres would make a doll of the body; the same bound as --stature-mm.
_SMALLEST_STATURE_MM = 500
_ROW_PX, _MOST_ROWS = 28, 9
_SAME_LEVEL_M = 0.002


class ResidualLimbPanel(QWidget):
    """Show one residual limb of the fit of the person in work.

    Signals:
        level_chosen(float): a row of the girths was chosen; metres from the limb's end.
    """

    level_chosen = Signal(float)

    def __init__(
        self, session: Session, actions: Actions, theme: Theme, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.setObjectName("limbPanel")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self._session = session
        self._theme = theme
        self._shown: Limb | None = None
        self._work: LimbWork | None = None
        self._levels: list[float] = []

        self._warning = label("Model-based estimate, not for socket manufacture", "warn")
        self._stale = label("", "warn")
        self._empty = label("", "small")
        self._empty.setWordWrap(True)
        column = QVBoxLayout(self)
        column.setContentsMargins(16, 12, 12, 12)
        column.setSpacing(8)
        column.addLayout(self._make_head())
        column.addWidget(self._warning)
        column.addWidget(line())
        column.addWidget(self._empty)
        column.addWidget(self._make_scrolled(), 1)
        column.addStretch(0)
        column.addLayout(self._make_buttons(actions))

        session.person_selected.connect(self.refresh)
        session.fit_changed.connect(self.refresh)
        self.refresh()

    # ---------------------------------------------------------------------------------------------------- building

    def _make_head(self) -> QHBoxLayout:
        """Make the limb's name and whose it is."""
        self._title = label("Residual limb", "title")
        self._person = label("", "badge")
        head = QHBoxLayout()
        head.addWidget(self._title)
        head.addStretch(1)
        head.addWidget(self._person)
        return head

    def _make_scrolled(self) -> QScrollArea:
        """Make what scrolls: the choice of the limb, girths, parts that are added, and the facts of the fit."""
        self._choice = QComboBox()
        self._choice.setAccessibleName("Residual limb")
        self._choice.activated.connect(self._on_chosen)
        self.table = self._girth_table()
        self._body = QWidget()
        inside = QVBoxLayout(self._body)
        inside.setContentsMargins(0, 0, 4, 0)
        inside.setSpacing(10)
        inside.addWidget(self._choice)
        inside.addWidget(self._stale)
        inside.addWidget(section("Girths"))
        inside.addLayout(self._make_girth_note())
        inside.addWidget(self.table)
        self._parts = QVBoxLayout()
        self._parts.setSpacing(10)
        inside.addLayout(self._parts)
        inside.addWidget(line())
        inside.addWidget(section("Fit"))
        inside.addLayout(self._make_facts())
        inside.addLayout(self._make_stature())
        inside.addStretch(1)
        self._scroll = QScrollArea()
        self._scroll.setWidget(self._body)
        self._scroll.setWidgetResizable(True)
        self._scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._scroll.viewport().setAutoFillBackground(False)
        self._body.setAutoFillBackground(False)
        return self._scroll

    def _make_girth_note(self) -> QHBoxLayout:
        """Make the words above the girths, with the way to the stature."""
        self._girth_note = label("", "small")
        self._girth_note.setWordWrap(True)
        self.stature_link = QPushButton("Enter it")
        self.stature_link.setProperty("role", "link")
        self.stature_link.setAccessibleName("Enter the stature")
        self.stature_link.clicked.connect(lambda _=False: self.ask_stature())
        note_row = QHBoxLayout()
        note_row.addWidget(self._girth_note, 1)
        note_row.addWidget(self.stature_link, 0, Qt.AlignmentFlag.AlignTop)
        return note_row

    def _make_facts(self) -> QGridLayout:
        """Make the rows of what the fit says of the limb."""
        self._rows: dict[str, QLabel] = {}
        facts = QGridLayout()
        facts.setHorizontalSpacing(12)
        facts.setVerticalSpacing(7)
        for row, (key, words) in enumerate(
            (
                ("level", "Level"),
                ("length", "Length of the residual segment"),
                ("length_interval", ""),
                ("scale", "Scale"),
                ("factor", "Share of the segment lost"),
                ("factor_interval", ""),
                ("end", "End, from the point placed"),
                ("accepted", "Cut"),
            )
        ):
            is_interval = key.endswith("interval")
            value = label("", "small" if is_interval else "value")
            value.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
            value.setWordWrap(True)
            if is_interval:
                facts.addWidget(value, row, 0, 1, 2)  # it belongs to the row above, and is long
            else:
                facts.addWidget(label(words, "small"), row, 0, Qt.AlignmentFlag.AlignTop)
                facts.addWidget(value, row, 1)
            self._rows[key] = value
        facts.setColumnStretch(1, 1)
        return facts

    def _make_stature(self) -> QHBoxLayout:
        """Make the field of the person's stature."""
        self.stature = QSpinBox()
        self.stature.setRange(0, 2800)  # 0 stands for: not given
        self.stature.setSingleStep(5)
        # No setButtonSymbols(NoButtons): with a style sheet Qt then makes the field one pixel wide. The style sheet
        # hides the buttons.
        self.stature.setFixedWidth(112)
        off_the_edge(self.stature)
        self.stature.setAlignment(Qt.AlignmentFlag.AlignRight)
        self.stature.setSuffix(" mm")
        self.stature.setSpecialValueText("not given")
        self.stature.setKeyboardTracking(False)
        self.stature.setAccessibleName("Stature in millimetres")
        self.stature.setToolTip("The person's stature: gives the fit its scale. Fit again afterwards.")
        self.stature.editingFinished.connect(self._set_stature)
        stature_row = QHBoxLayout()
        stature_row.addWidget(label("Stature", "small"))
        stature_row.addStretch(1)
        stature_row.addWidget(self.stature)
        return stature_row

    def _make_buttons(self, actions: Actions) -> QHBoxLayout:
        buttons = self._buttons = QHBoxLayout()
        self.fit_button = action_button(actions["fit_body"], "primary")
        buttons.addWidget(self.fit_button)
        return buttons

    def _girth_table(self) -> QTableWidget:
        table = QTableWidget(0, 5)
        table.verticalHeader().hide()
        table.verticalHeader().setDefaultSectionSize(_ROW_PX)
        table.horizontalHeader().setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        table.horizontalHeader().setStretchLastSection(True)
        table.horizontalHeader().setDefaultAlignment(
            Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
        )
        table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        table.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        table.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        table.setShowGrid(False)
        table.setAccessibleName("Girths")
        # Five columns in a narrow panel.
        table.setStyleSheet("QTableView::item { padding: 0 1px; } QHeaderView::section { padding: 5px 1px; }")
        table.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        table.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        table.itemSelectionChanged.connect(self._on_row)
        return table

    def set_work(self, work: LimbWork) -> None:
        """Show the limb in work as it was corrected, where it can be."""
        self._work = work
        work.changed.connect(self.refresh)

    def add_part(self, part: QWidget) -> None:
        """Put a part below the girths."""
        self._parts.addWidget(part)

    def add_button(self, button: QWidget) -> None:
        """Put a button before the panel's main one."""
        self._buttons.insertWidget(self._buttons.count() - 1, button)

    def show_level(self, level_m: float) -> None:
        """Mark the row of a level, if there is one."""
        near = [n for n, known in enumerate(self._levels) if abs(known - level_m) < _SAME_LEVEL_M]
        self.table.blockSignals(True)
        if near:
            self.table.selectRow(near[0])
        else:
            self.table.clearSelection()
        self.table.blockSignals(False)

    def _on_row(self) -> None:
        rows = self.table.selectionModel().selectedRows()
        if rows and rows[0].row() < len(self._levels):
            self.level_chosen.emit(self._levels[rows[0].row()])

    def set_theme(self, theme: Theme) -> None:
        self._theme = theme
        self.refresh()

    def refresh(self) -> None:
        person, kept = self._session.person, self._session.fit
        limbs = kept.fit.limbs if kept is not None else ()
        self._person.setVisible(person is not None)
        if person is not None:
            people = self._session.people
            self._person.setText(names.person_name([p.id for p in people].index(person.id) + 1))
            self.stature.setValue(round(person.stature_mm or 0))
        self._scroll.setVisible(bool(limbs))
        self._empty.setVisible(not limbs)
        if kept is None:
            self._title.setText("Residual limb")
            self._empty.setText("Fit the body to see its residual limbs, lengths and girths.")
            return
        if not limbs:
            self._title.setText("No residual limb")
            self._empty.setText(
                "This person's limbs are marked intact or unsure. Set a level in Annotate and fit again."
            )
            return
        wanted = self._work.limb if self._work is not None and self._work.limb is not None else self._shown
        shown = next((limb for limb in limbs if limb.limb is wanted), limbs[0])
        self._shown = shown.limb
        self._choice.setVisible(len(limbs) > 1)
        self._choice.clear()
        for limb in limbs:
            self._choice.addItem(limb_name(limb.limb), limb.limb)
        self._choice.setCurrentIndex(limbs.index(shown))
        stale = self._session.studio.is_stale(kept)
        self._stale.setText("From before your edit. Fit again to update." if stale else "")
        self._stale.setVisible(stale)
        self._show_limb(kept, shown, stale)

    def _show_limb(self, kept: KeptFit, limb: LimbFit, stale: bool) -> None:
        fit = kept.fit
        person = self._session.person
        level = person.limbs[limb.limb].level.label if person is not None else ""
        self._title.setText(f"{limb_name(limb.limb)}, {level.lower()}")
        low, high = limb.factor_interval
        values = {
            "level": level,
            "length": length_words(limb, fit.scale),
            "length_interval": interval_words(limb, fit.scale),
            "scale": SCALE_WORDS[fit.scale],
            "factor": f"{limb.factor * 100:.0f} %",
            "factor_interval": f"{low * 100:.0f} to {high * 100:.0f} %, 95 %",
            "end": _end_words(limb),
            "accepted": "Accepted" if limb.accepted else f"Not cut: {limb.reason}",
        }
        values |= self._edited_values(limb, fit.scale)
        for key, value in values.items():
            self._rows[key].setText(value)
            self._rows[key].setStyleSheet(f"color: {self._theme.text3};" if stale else "")
        self._show_girths(kept, fit, limb)

    def _edited_values(self, limb: LimbFit, scale: ScaleSource) -> dict[str, str]:
        """Return what a person's corrections put in the place of the fit's numbers."""
        work = self._work
        if work is None or work.surface is None or work.limb is not limb.limb or not work.is_edited:
            return {}
        end = work.surface.end_axial
        now = replace(limb, length_m=end * work.surface.frame.length_m)
        return {
            "length": length_words(now, scale),
            "length_interval": _edited(length_words(limb, scale)),
            "factor": f"{(1 - end) * 100:.0f} %",
            "factor_interval": _edited(f"{limb.factor * 100:.0f} %"),
        }

    def _show_girths(self, kept: KeptFit, fit: BodyFit, limb: LimbFit) -> None:
        work = self._work
        is_open = work is not None and work.surface is not None and work.limb is limb.limb
        if is_open:
            rows, levels = self._open_rows()
            headings = ["From end", "Girth", "95 %", "ML × AP", limb_name(limb.limb.opposite)]
        else:
            girths = self._girths(kept, limb)
            levels = [girth.from_end_m for girth in girths]
            cells = [girth_words(girth, fit.scale) for girth in girths]
            rows = [(where, girth, "", widths, "") for where, girth, widths in cells]
            headings = ["From end", "Girth", "", "Widths", ""]
        if not rows:
            self._girth_note.setText("No girths: this limb was not cut, or the residual limb is too short.")
        elif fit.scale is ScaleSource.PRIOR:
            self._girth_note.setText(
                "Millimetres need a scale. Enter the stature; until then these are estimates."
            )
        else:
            self._girth_note.setText(scale_sentence(fit.scale))
        self.stature_link.setVisible(bool(rows) and fit.scale is ScaleSource.PRIOR)
        self._levels = levels if is_open else []
        self.table.blockSignals(True)
        self.table.setVisible(bool(rows))
        self.table.setHorizontalHeaderLabels(headings)
        self.table.setColumnHidden(2, not is_open or not is_given(fit.scale))
        self.table.setColumnHidden(4, not is_open)
        self.table.setRowCount(len(rows))
        shown = min(len(rows), _MOST_ROWS)
        self.table.setFixedHeight(self.table.horizontalHeader().sizeHint().height() + shown * _ROW_PX + 2)
        for row, cells in enumerate(rows):
            for column, text in enumerate(cells):
                item = QTableWidgetItem(text)
                item.setTextAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
                if fit.scale is ScaleSource.PRIOR or column in (2, 4):
                    item.setForeground(QColor(self._theme.text2))
                self.table.setItem(row, column, item)
        self.table.blockSignals(False)
        if is_open and work is not None:
            self.show_level(work.level_m)

    def _open_rows(self) -> tuple[list[tuple[str, ...]], list[float]]:
        """Return the girths of the limb in work as it was corrected, in words, and their levels."""
        work = self._work
        assert work is not None
        scale = work.scale
        rows, levels = [], []
        for row in work.rows:
            item, half, other = row.section, row.half_width_m, row.other_m
            # Without the unit: the column stands beside one in mm, and has little room.
            around = "edited" if half is None else doubt_words(half, scale).removesuffix(" mm")
            factor, unit = (1000, "") if is_given(scale) else (100, " cm")
            widths = f"{item.ml_m * factor:.0f} × {item.ap_m * factor:.0f}{unit}"
            beside = "–" if other is None else _percent_words(item.girth_m / other - 1)
            where = level_words(item.from_end_m, scale).removeprefix("≈ ")
            rows.append(
                (where, girth_text(item.girth_m, scale), around, widths, beside.replace("-0.0", "0.0"))
            )
            levels.append(item.from_end_m)
        return rows, levels

    def _girths(self, kept: KeptFit, limb: LimbFit) -> tuple[Girth, ...]:
        mesh = self._session.attempt(lambda: self._session.studio.body_mesh(kept)) if limb.accepted else None
        if mesh is None:
            return ()
        return residual_girths(
            mesh.vertices, mesh.faces, mesh.residual, upstream=limb.upstream_position, end=limb.endpoint
        )

    def ask_stature(self) -> None:
        """Bring the field of the stature into view, ready to be typed in."""
        self._scroll.ensureWidgetVisible(self.stature)
        self.stature.setFocus()
        self.stature.selectAll()

    def _set_stature(self) -> None:
        person = self._session.person
        given = float(self.stature.value()) or None
        if given is not None and given < _SMALLEST_STATURE_MM:
            hint = f"Give it in millimetres, from {_SMALLEST_STATURE_MM} to {self.stature.maximum()}."
            self._session.said.emit(f"A stature of {given:.0f} mm is no adult's.", hint, True)
            self.stature.setValue(round(person.stature_mm or 0) if person is not None else 0)
            return
        if person is not None and person.stature_mm != given:
            after = replace(person, stature_mm=given)
            self._session.do(edits.change_person(person, after, "Stature", f"stature {person.id}"))

    def _on_chosen(self, index: int) -> None:
        self._shown = Limb(self._choice.itemData(index))
        if self._work is not None:
            self._work.choose(self._shown)
        self.refresh()


def _end_words(limb: LimbFit) -> str:
    if limb.annotated_px is None:
        return "no point was placed"
    dx, dy = limb.endpoint_px[0] - limb.annotated_px[0], limb.endpoint_px[1] - limb.annotated_px[1]
    return f"{(dx * dx + dy * dy) ** 0.5:.1f} px"


def _percent_words(share: float) -> str:
    """Return a difference with its sign; none where it is less than what is shown."""
    percent = round(100 * share, 1)
    return f"{percent:+.1f} %" if percent else "0.0 %"


def _edited(value: str) -> str:
    """Return what stands where the interval of a fitted value stood. value: as the fit had it."""
    return f"edited by hand; the fit's interval does not hold ({value})"
