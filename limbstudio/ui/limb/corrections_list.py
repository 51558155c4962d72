"""The list of what was corrected on the limb in work, in order, with what could not be repeated marked."""

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QColor
from PySide6.QtWidgets import (
    QHBoxLayout,
    QLabel,
    QListWidget,
    QListWidgetItem,
    QVBoxLayout,
    QWidget,
)

from limbstudio.domain.correcting import describe
from limbstudio.domain.corrections import (
    BrushStroke,
    CutPlane,
    EndAlongLimb,
    MirrorOther,
    Operation,
    ResetHere,
    TipShape,
)
from limbstudio.ui import icons
from limbstudio.ui.actions import ROWS, Actions
from limbstudio.ui.limb.words import length_words
from limbstudio.ui.limb.work import LimbWork
from limbstudio.ui.panels.parts import action_button, label, section
from limbstudio.ui.theme import Theme

_ROW_PX, _MOST_ROWS = 26, 6


def icon_of(operation: Operation) -> str:
    """Return the icon of the tool that makes an operation."""
    match operation:
        case EndAlongLimb():
            tool = "limb_end"
        case CutPlane():
            tool = "cut_plane"
        case TipShape():
            tool = "tip_shape"
        case BrushStroke():
            tool = f"brush_{operation.brush.value}"
        case MirrorOther():
            tool = "mirror_other"
        case ResetHere():
            tool = "reset_here"
    return ROWS[tool].icon


class CorrectionsPart(QWidget):
    """The list, in the panel, and what can be done with a row."""

    def __init__(self, work: LimbWork, actions: Actions, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._work = work
        self._theme = theme
        self._count = label("", "small")
        self.list = QListWidget()
        self.list.setAccessibleName("Corrections")
        self.list.setIconSize(QSize(16, 16))
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.list.addAction(actions["drop_correction"])
        self._empty: QLabel = label("No corrections. Tools are at the left of the view.", "small")
        self._empty.setWordWrap(True)
        self._note = label("", "warn")
        self._note.setWordWrap(True)
        self.buttons = {
            action_id: action_button(actions[action_id])
            for action_id in ("drop_correction", "reapply", "move_label", "clear_corrections")
        }
        short = {"drop_correction": "Remove", "reapply": "Reapply", "clear_corrections": "Remove all"}
        for action_id, words in short.items():
            self.buttons[action_id].setText(words)
        first, second = QHBoxLayout(), QHBoxLayout()
        for row, ids in (
            (first, ("drop_correction", "reapply")),
            (second, ("move_label", "clear_corrections")),
        ):
            row.setSpacing(8)
            for action_id in ids:
                row.addWidget(self.buttons[action_id])
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(6)
        column.addWidget(section("Corrections", self._count))
        column.addWidget(self._empty)
        column.addWidget(self.list)
        column.addWidget(self._note)
        column.addLayout(first)
        column.addLayout(second)
        work.changed.connect(self.refresh)
        self.refresh()

    @property
    def note(self) -> str:
        return self._note.text()

    @property
    def row(self) -> int:
        """Return the chosen row; without a choice the last."""
        chosen = self.list.currentRow()
        return chosen if chosen >= 0 else self.list.count() - 1

    def set_theme(self, theme: Theme) -> None:
        self._theme = theme
        self.refresh()

    def refresh(self) -> None:
        t, operations, outcomes = self._theme, self._work.operations, self._work.outcomes
        self.list.clear()
        failed = 0
        for n, operation in enumerate(operations):
            outcome = outcomes[n] if n < len(outcomes) else None
            bad = outcome is not None and not outcome.ok
            failed += bad
            words = self._words(operation) + (" – not applied" if bad else "")
            item = QListWidgetItem(
                icons.icon("ph.warning" if bad else icon_of(operation), t.warn if bad else t.text2), words
            )
            item.setSizeHint(QSize(0, _ROW_PX))
            if bad and outcome is not None:
                item.setForeground(QColor(t.warn))
                item.setToolTip(outcome.reason)
            self.list.addItem(item)
        shown = min(len(operations), _MOST_ROWS)
        self.list.setFixedHeight(shown * _ROW_PX + 4)
        self.list.setVisible(bool(operations))
        self._empty.setVisible(not operations)
        self._count.setText(str(len(operations)) if operations else "")
        reasons = [outcome.reason for outcome in outcomes if not outcome.ok]
        many = f"{failed} corrections could not be repeated on this fit. " if failed > 1 else ""
        self._note.setText(f"{many}{reasons[0]}" if reasons else "")
        self._note.setVisible(bool(reasons))
        for button in self.buttons.values():
            button.setVisible(bool(operations))

    def _words(self, operation: Operation) -> str:
        """Say an operation with its numbers."""
        surface, scale = self._work.surface, self._work.scale
        length = surface.frame.length_m if surface is not None else None
        words = describe(operation)
        if length is None:
            return words
        match operation:
            case EndAlongLimb():
                return f"{words}: {length_words((1 - operation.factor) * length, scale)} from the joint"
            case CutPlane():
                return f"{words}: {length_words(operation.offset * length, scale)} from the joint"
            case BrushStroke() | ResetHere():
                return f"{words}, {length_words(operation.radius * length, scale)} brush"
            case _:
                return words
