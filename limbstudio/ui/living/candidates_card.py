"""The list of a person's fits in the dock: when, from what, how well each meets the annotation."""

from collections.abc import Sequence

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import (
    QHBoxLayout,
    QHeaderView,
    QPushButton,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

from limbstudio.services.candidates import Candidate
from limbstudio.ui.actions import Actions
from limbstudio.ui.panels.parts import label
from limbstudio.ui.words import tr

_NOTE = "Errors in per cent of the box height."
_ROW_PX = 26
_TABLE_PX = 680
_RIGHT = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
_FROM, _NUMBERS = 2, (3, 4, 5)  # columns
_COLUMNS = ("Fit", "Made", "From", "Points %", "Ends %", "IoU")


class CandidatesCard(QWidget):
    """A table of fits and what can be done with the one that is chosen in it. It lies under the page: whatever floated
    over the canvas would hide points.

    Signals:
        choose_asked(str), delete_asked(str): a fit's id.
        picked(str): the row that is current now: what comparisons compare with.
        closed(): Esc was pressed.
    """

    choose_asked = Signal(str)
    delete_asked = Signal(str)
    picked = Signal(str)
    closed = Signal()

    def __init__(self, actions: Actions) -> None:
        super().__init__()
        self.setAccessibleName("Earlier fits")
        self.table = QTreeWidget()
        self.table.setHeaderLabels(list(_COLUMNS))
        self.table.setRootIsDecorated(False)
        self.table.setAccessibleName("Fits of this person, newest first")
        for column, width in enumerate((92, 116, 136, 66, 62, 50)):
            self.table.setColumnWidth(column, width)
        for column in _NUMBERS:
            self.table.headerItem().setTextAlignment(column, _RIGHT)
        header = self.table.header()
        header.setStretchLastSection(False)
        header.setSectionResizeMode(_FROM, QHeaderView.ResizeMode.Stretch)
        header.setSectionResizeMode(0, QHeaderView.ResizeMode.ResizeToContents)
        self.table.currentItemChanged.connect(self._on_current)
        self.table.itemActivated.connect(lambda item, _column: self.choose_asked.emit(_id_of(item)))
        self.choose = QPushButton("Use this fit")
        self.delete = QPushButton("Delete fit")
        self._actions = actions
        self._note = label("", "caption")
        self.choose.clicked.connect(lambda _=False: self._ask(self.choose_asked))
        self.delete.clicked.connect(lambda _=False: self._ask(self.delete_asked))
        self._note.setWordWrap(True)
        self.table.setMaximumWidth(_TABLE_PX)
        buttons = QHBoxLayout()
        buttons.setSpacing(8)
        buttons.addWidget(self.choose)
        buttons.addWidget(self.delete)
        buttons.addStretch(1)
        beside = QVBoxLayout()
        beside.setSpacing(10)
        beside.addLayout(buttons)
        beside.addWidget(self._note)
        beside.addStretch(1)
        row = QHBoxLayout(self)
        row.setContentsMargins(16, 0, 16, 8)
        row.setSpacing(16)
        row.addWidget(self.table, 3)
        row.addLayout(beside, 2)
        self._candidates: dict[str, Candidate] = {}

    def say_busy(self) -> None:
        """Say that the list is being read."""
        self._note.setText("Measuring the fits ...")

    def show_candidates(self, candidates: Sequence[Candidate]) -> None:
        """Fill the table, newest first."""
        if not candidates:
            self._note.setText(f"No fit of this person yet: {self._actions.how('fit_body')}.")
            self._candidates = {}
            self.table.clear()
            self._on_current()
            return
        side, colours = (self._actions.key_words(name) for name in ("compare_cycle", "compare_difference"))
        note = tr(_NOTE)  # first: with the keys after it, it is no entry any more
        self._note.setText(f"{note} {side} and {colours} compare in 3D." if side and colours else note)
        current = self.current
        self._candidates = {c.fit.id: c for c in candidates}
        self.table.clear()
        for candidate in candidates:
            item = QTreeWidgetItem(_words(candidate))
            item.setData(0, Qt.ItemDataRole.UserRole, candidate.fit.id)
            item.setSizeHint(0, QSize(0, _ROW_PX))
            for column in _NUMBERS:
                item.setTextAlignment(column, _RIGHT)
            self.table.addTopLevelItem(item)
            if candidate.fit.id == current:
                self.table.setCurrentItem(item)
        first = self.table.topLevelItem(0)
        if self.table.currentItem() is None and first is not None:
            self.table.setCurrentItem(first)
        self._on_current()

    @property
    def current(self) -> str:
        """Return the id of the fit in the current row; empty without one."""
        item = self.table.currentItem()
        return _id_of(item) if item is not None else ""

    def _on_current(self, *_: object) -> None:
        candidate = self._candidates.get(self.current)
        self.choose.setEnabled(candidate is not None and not candidate.is_chosen)
        self.delete.setEnabled(candidate is not None and not candidate.is_chosen)
        if candidate is not None:
            self.picked.emit(candidate.fit.id)

    def _ask(self, signal: object) -> None:
        if self.current:
            signal.emit(self.current)  # pyright: ignore[reportAttributeAccessIssue]

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            self.closed.emit()
        elif event.key() == Qt.Key.Key_Delete:
            self._ask(self.delete_asked)
        else:
            super().keyPressEvent(event)


def _id_of(item: QTreeWidgetItem) -> str:
    return str(item.data(0, Qt.ItemDataRole.UserRole))


def _words(candidate: Candidate) -> list[str]:
    name = f"Fit {candidate.number}" + (", in use" if candidate.is_chosen else "")
    made = candidate.made_at.astimezone().strftime("%d %b, %H:%M") if candidate.made_at else "unknown"
    origin = candidate.origin + (" (before an edit)" if candidate.is_stale else "")

    def number(value: float | None, form: str) -> str:
        return "–" if value is None else form.format(value)

    return [
        name,
        made,
        origin,
        number(candidate.intact_error_pct, "{:.2f}"),
        number(candidate.residual_error_pct, "{:.2f}"),
        number(candidate.iou, "{:.2f}"),
    ]
