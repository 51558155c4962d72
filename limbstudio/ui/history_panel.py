"""History: who did what and when, of this photo or of all, and the way back to any moment."""

from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QItemSelectionModel, Qt, QTimer
from PySide6.QtWidgets import (
    QAbstractItemView,
    QButtonGroup,
    QFileDialog,
    QHBoxLayout,
    QHeaderView,
    QLineEdit,
    QPushButton,
    QStackedWidget,
    QTableView,
    QVBoxLayout,
    QWidget,
)

from limbstudio.domain.errors import KnownError
from limbstudio.services import backups
from limbstudio.services.backups import Backup, BackupKind
from limbstudio.services.journal import Entry, JournalLine
from limbstudio.services.store import Checkpoint
from limbstudio.ui.action_row import Owner
from limbstudio.ui.features import Feature
from limbstudio.ui.history_table import HistoryModel, Row
from limbstudio.ui.panels.parts import action_button, label

if TYPE_CHECKING:
    from limbstudio.ui.main_window import MainWindow

PHOTO, ALL, MOMENTS = "This photo", "All photos", "Checkpoints and backups"
_EMPTY = {
    PHOTO: "Nothing was done on this photo yet.",
    ALL: "Nothing was done in this project yet.",
    MOMENTS: "There are no checkpoints yet. To name this moment, {how}.",
}
_NEWEST = 2000
_SETTLE_MS = 120


class HistoryPanel(QWidget):
    """The table with its choice of what to show, a field for a name, and the buttons that go back."""

    def __init__(self, feature: "History") -> None:
        super().__init__()
        actions = self._actions = feature.window.actions_table
        self.choices = QButtonGroup(self)
        self.choices.setExclusive(True)
        top = QHBoxLayout()
        top.setContentsMargins(16, 0, 12, 0)
        top.setSpacing(8)
        for name in (PHOTO, ALL, MOMENTS):
            button = QPushButton(name)
            button.setProperty("choice", name)
            button.setProperty("role", "chip")
            button.setCheckable(True)
            button.setChecked(name == PHOTO)
            button.setAccessibleName(f"Show {name.lower()}")
            self.choices.addButton(button)
            top.addWidget(button)
        top.addStretch(1)
        self.name = QLineEdit()
        self.name.setPlaceholderText("Name this moment, then Enter")
        self.name.setAccessibleName("Name of this moment")
        self.name.setMinimumWidth(260)
        top.addWidget(self.name)
        self.back = action_button(actions["photo_back_to"])
        self.take_back = action_button(actions["take_back"])
        self.back_to_moment = QPushButton("Back to this")
        self.back_to_moment.setToolTip(
            "The whole project as it was then: one new edit, which can be taken back"
        )
        for button in (self.back, self.take_back, self.back_to_moment):
            top.addWidget(button)
        self.model = HistoryModel(self)
        self.table = QTableView()
        self.table.setModel(self.model)
        self.table.setAccessibleName("History")
        self.table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.table.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.table.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.table.setShowGrid(False)
        self.table.setTabKeyNavigation(False)
        self.table.setWordWrap(False)
        self.table.verticalHeader().hide()
        self.table.verticalHeader().setDefaultSectionSize(24)
        header = self.table.horizontalHeader()
        header.setHighlightSections(False)
        header.setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        for column, width in enumerate((140, 190, 0, 220)):
            if width:
                self.table.setColumnWidth(column, width)
        header.setSectionResizeMode(2, QHeaderView.ResizeMode.Stretch)
        self.empty = label("", "small")
        self.empty.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.pages = QStackedWidget()
        self.pages.setContentsMargins(10, 0, 4, 4)  # its first column begins under the heading
        self.pages.addWidget(self.table)
        self.pages.addWidget(self.empty)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        column.addLayout(top)
        column.addWidget(self.pages, 1)
        self.show_rows((), None)

    @property
    def choice(self) -> str:
        button = self.choices.checkedButton()
        return PHOTO if button is None else str(button.property("choice"))

    def choose(self, name: str) -> None:
        next(b for b in self.choices.buttons() if b.property("choice") == name).setChecked(True)

    def show_rows(self, rows: tuple[Row, ...], feature: "History | None") -> None:
        """Show rows and select again what was selected."""
        kept = {_mark(row) for row in self.selected}
        if feature is not None:
            self.model.show(rows, feature.session.studio.project)
        self.pages.setCurrentWidget(self.table if rows else self.empty)
        self.empty.setText(_EMPTY[self.choice].replace("{how}", self._actions.how("checkpoint")))
        flags = QItemSelectionModel.SelectionFlag.Select | QItemSelectionModel.SelectionFlag.Rows
        for number, row in enumerate(rows):
            if _mark(row) in kept:
                self.table.selectionModel().select(self.model.index(number, 0), flags)
        is_moments = self.choice == MOMENTS
        self.back.setVisible(not is_moments)
        self.take_back.setVisible(not is_moments)
        self.back_to_moment.setVisible(is_moments)

    @property
    def selected(self) -> list[Row]:
        """Return the selected rows, newest first."""
        numbers = sorted(index.row() for index in self.table.selectionModel().selectedRows())
        return [self.model.rows[n] for n in numbers if n < len(self.model.rows)]


def _mark(row: Row) -> object:
    return row.sequence if isinstance(row, JournalLine) else row


class History(Feature):
    """Show the journal in the dock, name moments, and go back. Everything that goes back is one new edit."""

    owner = Owner.HISTORY

    def __init__(self, window: "MainWindow") -> None:
        super().__init__(window)
        self.panel = HistoryPanel(self)
        window.bottom_dock.add("History", self.panel, self._on_shown)
        self._settling = QTimer(self)
        self._settling.setSingleShot(True)
        self._settling.setInterval(_SETTLE_MS)
        self._settling.timeout.connect(self._read)
        self._asked = 0
        session = self.session
        session.people_changed.connect(lambda _entry: self._settling.start())
        for signal in (session.photo_selected, session.opened, session.closed):
            signal.connect(self._settling.start)
        self.panel.choices.buttonClicked.connect(lambda _button: self._read())
        self.panel.table.selectionModel().selectionChanged.connect(lambda *_: self.window.show_available())
        self.panel.name.returnPressed.connect(self._set_checkpoint)
        self.panel.back_to_moment.clicked.connect(lambda _=False: self.back_to_moment())

    def available(self) -> frozenset[str]:
        there = set[str]()
        if self.session.can_edit:
            there.add("editable")
            if any(isinstance(row, JournalLine) for row in self.panel.selected) and self._is_shown:
                there.add("history_line")
        self.panel.name.setEnabled(self.session.can_edit)
        self.panel.back_to_moment.setEnabled(self.session.can_edit and len(self.panel.selected) == 1)
        return frozenset(there)

    # ------------------------------------------------------------------------------------------------- showing

    @property
    def _is_shown(self) -> bool:
        return self.window.bottom_dock.shown is self.panel

    def show_history(self, shown: bool = True) -> None:
        """Open or close History."""
        if shown:
            self.window.bottom_dock.show_part(self.panel)
            self.panel.table.setFocus()
        else:
            self.window.bottom_dock.hide_part()

    def show_backups(self) -> None:
        """Show the checkpoints and backups of the project."""
        self.panel.choose(MOMENTS)
        self.show_history()
        self._read()

    def _on_shown(self, shown: bool) -> None:
        self.window.actions_table["history"].setChecked(shown)
        if shown:
            self._read()
        self.window.show_available()

    def _read(self) -> None:
        """Read the lines in a thread and show them."""
        if not self._is_shown:
            return
        if not self.session.studio.is_open:
            self._show(self._asked, ())
            return
        self._asked += 1
        number, keeping, choice = self._asked, self.session.studio.safekeeping, self.panel.choice
        photo = self.session.photo

        def work() -> tuple[Row, ...]:
            if choice == MOMENTS:
                copies = (b for b in keeping.backups() if b.kind is not BackupKind.CHECKPOINT)
                return (*keeping.checkpoints, *copies)
            if choice == PHOTO and photo is None:
                return ()
            return tuple(keeping.lines(photo.sha256 if choice == PHOTO and photo else None, newest=_NEWEST))

        self.session.bridge.read(work, lambda rows: self._show(number, rows), self._failed, background=True)

    def _show(self, number: int, rows: tuple[Row, ...]) -> None:
        if number == self._asked:  # an answer to an older question is no longer wanted
            self.panel.show_rows(rows, self)
            self.window.show_available()

    def _failed(self, error: BaseException) -> None:
        if not isinstance(error, KnownError):
            raise error
        if self.session.studio.is_open:
            self.window.message_bar.say(error.message, error.hint)

    # ---------------------------------------------------------------------------------------------- going back

    def photo_back_to(self) -> None:
        """Bring the photo in view back to what it was after the selected line."""
        line = next((row for row in self.panel.selected if isinstance(row, JournalLine)), None)
        photo = line.photo if line is not None and line.photo else None
        photo = photo or (self.session.photo.sha256 if self.session.photo is not None else None)
        if line is not None and photo is not None:
            keeping = self.session.studio.safekeeping
            self._tell(self.session.attempt(lambda: keeping.photo_back_to(photo, line.sequence)))

    def take_back(self) -> None:
        """Take the selected edits back as one."""
        numbers = [row.sequence for row in self.panel.selected if isinstance(row, JournalLine)]
        if numbers:
            self._tell(self.session.attempt(lambda: self.session.studio.safekeeping.take_back(numbers)))

    def back_to_moment(self) -> None:
        """Bring the whole project back to the selected checkpoint or backup."""
        (row,) = self.panel.selected[:1] or (None,)
        keeping = self.session.studio.safekeeping
        if isinstance(row, Checkpoint):
            self._tell(self.session.attempt(lambda: keeping.back_to_checkpoint(row)))
        elif isinstance(row, Backup):
            self._tell(self.session.attempt(lambda: keeping.back_to_backup(row)))

    def _tell(self, entry: Entry | None) -> None:
        if entry is None:
            return
        self.window.message_bar.say(
            f"{entry.label}.",
            serious=False,
            button="Undo",
            act=lambda: self._undo(entry),
        )

    def _undo(self, entry: Entry) -> None:
        self.session.attempt(lambda: self.session.studio.safekeeping.take_back([entry.sequence]))

    # ------------------------------------------------------------------------------------------------- moments

    def name_moment(self) -> None:
        """Ask for a name of this moment, in the dock."""
        self.show_history()
        self.panel.name.setFocus()
        self.panel.name.selectAll()

    def _set_checkpoint(self) -> None:
        name = self.panel.name.text()
        checkpoint = self.session.attempt(lambda: self.session.studio.safekeeping.set_checkpoint(name))
        if checkpoint is not None:
            self.panel.name.clear()
            self.window.message_bar.say(f"Checkpoint “{checkpoint.name}” was set.", serious=False)
            self.panel.choose(MOMENTS)
            self._settling.start()

    def back_up(self) -> None:
        """Back the project up now, in the background."""
        self.session.attempt(lambda: self.session.studio.safekeeping.back_up_now())
        self.window.message_bar.say("A backup is being made.", serious=False)

    def choose_backups_folder(self) -> None:
        """Ask for the folder of all backups from now on."""
        start = str(backups.chosen_folder() or Path.home())
        name = QFileDialog.getExistingDirectory(self.window, "Keep backups of all projects in", start)
        if name:
            self.session.attempt(lambda: backups.choose_folder(Path(name)))
