"""The lines of History as a table: when, who, what, which photo; and the moments one can go back to."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QObject, QPersistentModelIndex, Qt

from limbstudio.domain.photo import Photo
from limbstudio.domain.project import Project
from limbstudio.services.backups import Backup, BackupKind
from limbstudio.services.journal import EntryKind, JournalLine
from limbstudio.services.store import Checkpoint
from limbstudio.ui.privacy import names
from limbstudio.ui.words import said

Index = QModelIndex | QPersistentModelIndex
_COLUMNS = ("When", "Who", "What", "Photo")
_VERBS = {EntryKind.DO: "", EntryKind.UNDO: "Undo: ", EntryKind.REDO: "Redo: "}
Row = JournalLine | Checkpoint | Backup


class HistoryModel(QAbstractTableModel):
    """Rows of one kind: journal lines, or checkpoints and backups."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.rows: Sequence[Row] = ()
        self._project = Project()

    def show(self, rows: Sequence[Row], project: Project) -> None:
        """Show these rows, newest first. project: knows the names of photos."""
        self.beginResetModel()
        self.rows, self._project = rows, project
        self.endResetModel()

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 - Qt's signature
        return 0 if parent.isValid() else len(self.rows)

    def columnCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008
        return 0 if parent.isValid() else len(_COLUMNS)

    def headerData(
        self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole
    ) -> Any:
        if role == Qt.ItemDataRole.DisplayRole and orientation == Qt.Orientation.Horizontal:
            return said(_COLUMNS[section])
        return None

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        row = self.rows[index.row()]
        if role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.AccessibleTextRole):
            return said(self._text(row, index.column()))
        if role == Qt.ItemDataRole.ToolTipRole and self._went_back(index.row()):
            return said("The clock was set back before this edit; the order is right all the same.")
        return None

    def _text(self, row: Row, column: int) -> str:
        if isinstance(row, JournalLine):
            by = names.annotator_name(row.who) or ("someone" if row.human else "LimbStudio")
            who = by if row.human else f"{by}, by machine"
            return (_when(row.time), who, _VERBS[row.kind] + row.label, self._photo(row.photo))[column]
        if isinstance(row, Checkpoint):
            who = names.annotator_name(row.who) or "someone"
            return (_when(row.time), who, f"Checkpoint “{row.name}”", "All photos")[column]
        size = f"{row.size / 2**20:.1f} MB"
        what = f"Backup before {row.name}" if row.kind is BackupKind.BEFORE else "Backup"
        return (_when(row.time.isoformat()), "LimbStudio", f"{what}, {size}", "All photos")[column]

    def _photo(self, sha256: str | None) -> str:
        photo = self._project.records.get(("photo", sha256)) if sha256 is not None else None
        if isinstance(photo, Photo):
            return names.photo_name(photo)
        return "All photos" if sha256 is None else "A removed photo"

    def _went_back(self, row: int) -> bool:
        line = self.rows[row]
        older = self.rows[row + 1] if row + 1 < len(self.rows) else None
        return isinstance(line, JournalLine) and isinstance(older, JournalLine) and line.time < older.time


def _when(time: str) -> str:
    """Return a time as people read it, in this computer's time zone."""
    try:
        local = datetime.fromisoformat(time).astimezone()
    except ValueError:
        return time
    if local.date() == datetime.now().astimezone().date():
        return f"Today {local:%H:%M:%S}"
    return f"{local:%Y-%m-%d %H:%M}"
