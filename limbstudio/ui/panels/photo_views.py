"""The two ways of listing photos: thumbnails in one column, or a table of columns.

Both are tables: a list of Qt asks for every one of its rows when it is laid out, which takes seconds for fifty thousand
photos; a table asks for those that it shows.
"""

from collections.abc import Iterable

from PySide6.QtCore import QAbstractItemModel, QItemSelection, QItemSelectionModel, Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QAbstractItemView, QHeaderView, QStyledItemDelegate, QTableView

_TABLE_ROW = 28


class PhotoRows(QTableView):
    """Photos, a row each."""

    def __init__(self, model: QAbstractItemModel, name: str, row_height: int) -> None:
        super().__init__()
        self.setModel(model)
        self.setAccessibleName(name)
        self.setShowGrid(False)
        self.setWordWrap(False)
        self.setCornerButtonEnabled(False)
        self.setTabKeyNavigation(False)
        self.setMouseTracking(True)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        rows = self.verticalHeader()
        rows.hide()
        rows.setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        rows.setMinimumSectionSize(1)
        rows.setDefaultSectionSize(row_height)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Home and End lead to the first and last photo, not to the first and last column; with Shift all between."""
        keys = event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier
        with_shift = keys == Qt.KeyboardModifier.ShiftModifier
        number = self.model().rowCount()
        if event.key() not in (Qt.Key.Key_Home, Qt.Key.Key_End) or not number or (keys and not with_shift):
            super().keyPressEvent(event)
            return
        row = 0 if event.key() == Qt.Key.Key_Home else number - 1
        target, here = self.model().index(row, 0), self.currentIndex()
        if with_shift and here.isValid():
            flags = QItemSelectionModel.SelectionFlag
            between = sorted((here.row(), row))
            ends = (self.model().index(between[0], 0), self.model().index(between[1], 0))
            self.selectionModel().setCurrentIndex(target, flags.NoUpdate)
            self.selectionModel().select(QItemSelection(*ends), flags.ClearAndSelect | flags.Rows)
        else:
            self.setCurrentIndex(target)

    def keyboardSearch(self, search: str) -> None:
        """Do nothing: it would look through every row; letters are keys of the window."""

    @property
    def selected_rows(self) -> list[int]:
        """Return the selected rows, in order."""
        chosen = self.selectionModel().selection()
        parts = [chosen.at(number) for number in range(chosen.count())]
        return sorted({row for part in parts for row in range(part.top(), part.bottom() + 1)})


def thumbnail_list(model: QAbstractItemModel, delegate: QStyledItemDelegate, row_height: int) -> PhotoRows:
    """Return the list of thumbnails: the first column as the delegate draws it."""
    made = PhotoRows(model, "Photos", row_height)
    made.setItemDelegate(delegate)
    made.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
    columns = made.horizontalHeader()
    columns.hide()
    columns.setMinimumSectionSize(1)
    columns.setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
    for column in range(1, model.columnCount()):
        made.setColumnHidden(column, True)
    return made


def photo_table(model: QAbstractItemModel, widths: Iterable[tuple[int, int]]) -> PhotoRows:
    """Return the table. widths: columns and their px."""
    made = PhotoRows(model, "Photos, as a table", _TABLE_ROW)
    columns = made.horizontalHeader()
    columns.setSectionResizeMode(QHeaderView.ResizeMode.Interactive)
    columns.setStretchLastSection(True)
    columns.setHighlightSections(False)
    columns.setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
    for column, width in widths:
        made.setColumnWidth(column, width)
    return made
