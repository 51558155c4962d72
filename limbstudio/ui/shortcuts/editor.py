"""The shortcuts editor: every action with its keys, changed at once, with clashes shown where they are made."""

import copy
from collections.abc import Callable
from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtGui import QBrush, QCloseEvent, QColor, QKeyEvent, QKeySequence, QShortcut
from PySide6.QtWidgets import (
    QAbstractItemView,
    QDialog,
    QFrame,
    QHBoxLayout,
    QHeaderView,
    QLineEdit,
    QPushButton,
    QTableWidget,
    QTableWidgetItem,
    QVBoxLayout,
)

from limbstudio.domain.errors import KnownError
from limbstudio.ui.action_row import ActionRow
from limbstudio.ui.actions import readable_key
from limbstudio.ui.panels.parts import Choice, label, set_role
from limbstudio.ui.shortcuts.key_field import KeyField
from limbstudio.ui.shortcuts.keys import (
    RESERVED,
    WHERE_PHRASES,
    WHERE_WORDS,
    built_in_use,
    is_chord,
    normal,
    users_of,
)
from limbstudio.ui.shortcuts.profiles import PROFILES
from limbstudio.ui.shortcuts.stored import SUFFIX, OwnKeys
from limbstudio.ui.theme import Theme

if TYPE_CHECKING:
    from limbstudio.ui.main_window import MainWindow
    from limbstudio.ui.shortcuts.feature import Shortcuts

_ACTION, _KEYS, _WHERE, _MENU = range(4)
_ID = Qt.ItemDataRole.UserRole


def shown_keys(keys: tuple[str, ...]) -> str:
    """Return keys as people read them: 'Ctrl K, Ctrl Shift P'."""
    return ",  ".join(readable_key(key).replace("plus", "+") for key in keys)


class ShortcutsDialog(QDialog):
    """Search an action, give it a key, take one away, go back. What is changed is in force at once.

    It does not block the window. Ctrl+Z takes the last change back.
    """

    def __init__(self, shortcuts: "Shortcuts", window: "MainWindow") -> None:
        super().__init__(window)
        self._shortcuts = shortcuts
        self._window = window
        self._actions = window.actions_table
        self._before: list[OwnKeys] = []
        self._wanted = ""
        self.setWindowTitle("Shortcuts")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.resize(860, 680)
        self.profile = Choice("Keys for", window.theme)
        for profile in PROFILES:
            self.profile.addItem(profile.name, profile.id)
        self.profile.setMinimumWidth(220)
        self.profile.activated.connect(lambda n: self._use_profile(str(self.profile.itemData(n))))
        self.search = QLineEdit()
        self.search.setPlaceholderText("Search actions or keys")
        self.search.setAccessibleName("Search actions or keys")
        self.search.setClearButtonEnabled(True)
        self.search.textChanged.connect(lambda _text: self._show_table())
        self.search.installEventFilter(self)
        self._count = label("", "caption")
        self._about = label("", "small")
        self._about.setWordWrap(True)
        self.table = self._make_table()
        column = QVBoxLayout(self)
        column.setContentsMargins(24, 20, 24, 16)
        column.setSpacing(10)
        top = QHBoxLayout()
        top.setSpacing(12)
        top.addWidget(self.profile)
        top.addWidget(self.search, 1)
        top.addWidget(self._count)
        column.addLayout(top)
        column.addWidget(self._about)
        column.addWidget(self.table, 1)
        column.addWidget(self._make_detail(window.theme))
        column.addLayout(self._make_foot())
        undo = QShortcut(QKeySequence.StandardKey.Undo, self)
        undo.activated.connect(self.take_back)
        self._stop_following = self._actions.when_keys_change(self._refresh)
        self.table.selectRow(0)
        self.search.setFocus()

    # ------------------------------------------------------------------------------------------------------ building

    def _make_table(self) -> QTableWidget:
        table = QTableWidget(0, 4)
        table.setHorizontalHeaderLabels(["Action", "Keys", "Where", "Menu"])
        table.setAccessibleName("Actions and their keys")
        table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        table.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        table.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        table.setTabKeyNavigation(False)
        table.setWordWrap(False)
        table.verticalHeader().hide()
        table.verticalHeader().setDefaultSectionSize(28)
        header = table.horizontalHeader()
        header.setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        header.setHighlightSections(False)
        header.setSectionResizeMode(_ACTION, QHeaderView.ResizeMode.Stretch)
        for number, width in ((_KEYS, 190), (_WHERE, 120), (_MENU, 150)):
            header.resizeSection(number, width)
        table.itemSelectionChanged.connect(self._on_chosen)
        table.itemDoubleClicked.connect(lambda _item: self.field.setFocus())
        table.installEventFilter(self)
        return table

    def _make_detail(self, theme: Theme) -> QFrame:
        card = QFrame()
        card.setProperty("role", "card")
        self._name = label("", "title")
        self._place = label("", "small")
        self._chips = QHBoxLayout()
        self._chips.setSpacing(6)
        self.field = KeyField()
        self.field.pressed.connect(self.ask_for)
        self.field.left.connect(self.table.setFocus)
        self.reset_one = QPushButton("Reset")
        self.reset_one.setToolTip("Go back to the keys of the profile")
        self.reset_one.clicked.connect(lambda _=False: self._change(self._reset_chosen))
        head = QHBoxLayout()
        head.addWidget(self._name)
        head.addWidget(self._place)
        head.addStretch(1)
        keys = QHBoxLayout()
        keys.setSpacing(8)
        keys.addLayout(self._chips)
        keys.addStretch(1)
        keys.addWidget(self.field)
        keys.addWidget(self.reset_one)
        self.message = label("", "small")
        self.message.setWordWrap(True)
        self.take = QPushButton("Take it")
        self.take.clicked.connect(lambda _=False: self._take_wanted())
        self.keep = QPushButton("Keep")
        self.keep.clicked.connect(lambda _=False: self._keep())
        answer = QHBoxLayout()
        answer.setSpacing(8)
        answer.addWidget(self.message, 1)
        answer.addWidget(self.take)
        answer.addWidget(self.keep)
        column = QVBoxLayout(card)
        column.setContentsMargins(14, 12, 14, 12)
        column.setSpacing(8)
        column.addLayout(head)
        column.addLayout(keys)
        column.addLayout(answer)
        self._theme = theme
        self._say("")
        return card

    def _make_foot(self) -> QHBoxLayout:
        row = QHBoxLayout()
        row.setSpacing(8)
        self.import_button = QPushButton("Import...")
        self.import_button.clicked.connect(lambda _=False: self._import())
        self.export_button = QPushButton("Export...")
        self.export_button.clicked.connect(lambda _=False: self._export())
        self.undo_button = QPushButton("Undo")
        self.undo_button.setToolTip("Take the last change back   Ctrl Z")
        self.undo_button.clicked.connect(lambda _=False: self.take_back())
        self.reset_all = QPushButton("Reset all")
        self.reset_all.setToolTip("Go back to the profile's keys for every action")
        self.reset_all.clicked.connect(lambda _=False: self._change(self._shortcuts.reset))
        done = QPushButton("Close")
        done.clicked.connect(lambda _=False: self.close())
        for button in (self.import_button, self.export_button, self.undo_button, self.reset_all):
            row.addWidget(button)
        row.addStretch(1)
        row.addWidget(done)
        for button in (self.take, self.keep, self.reset_one, done, *self._foot_buttons()):
            button.setAutoDefault(False)  # Enter in the search must press none of them
        return row

    def _foot_buttons(self) -> tuple[QPushButton, ...]:
        return self.import_button, self.export_button, self.undo_button, self.reset_all

    def set_theme(self, theme: Theme) -> None:
        self._theme = theme
        self.profile.theme = theme
        self._refresh()

    def closeEvent(self, event: QCloseEvent) -> None:
        self._stop_following()
        event.accept()  # QDialog's own would reject, which comes back here

    def reject(self) -> None:
        self.close()  # Esc hides a dialog without closing it

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() is not QEvent.Type.KeyPress or not isinstance(event, QKeyEvent):
            return False
        enter = event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter)
        if watched is self.table and enter:
            self.field.setFocus()
        elif watched is self.table and event.key() == Qt.Key.Key_Delete:
            self._change(lambda: self._set_keys(()))
        elif watched is self.search and (enter or event.key() == Qt.Key.Key_Down):
            self.table.setFocus()
        else:
            return False
        return True

    # ------------------------------------------------------------------------------------------------------- showing

    @property
    def chosen(self) -> ActionRow | None:
        """Return the action that is chosen in the table."""
        items = self.table.selectedItems()
        action_id = items[0].data(_ID) if items else None
        return next((row for row in self._actions.rows if row.id == action_id), None)

    def _refresh(self) -> None:
        profile = self._shortcuts.profile
        self.profile.setCurrentIndex(self.profile.findData(profile.id))
        self._about.setText(profile.about)
        self.reset_all.setEnabled(bool(self._shortcuts.own.now))
        self.undo_button.setEnabled(bool(self._before))
        self._show_table()

    def _show_table(self) -> None:
        chosen = self.chosen
        rows = [row for row in self._actions.rows if self._is_found(row)]
        self.table.blockSignals(True)
        self.table.setRowCount(len(rows))
        for number, row in enumerate(rows):
            changed = row.id in self._shortcuts.own.now
            keys = shown_keys(self._actions.keys_of(row.id))
            name = row.text.removesuffix("...")
            texts = (name, keys + ("   changed" if changed else ""), WHERE_WORDS[row.where], row.menu)
            for place, text in enumerate(texts):
                item = QTableWidgetItem(text)
                item.setData(_ID, row.id)
                if place != _ACTION:
                    item.setForeground(QBrush(QColor(self._theme.text2)))
                if place == _KEYS and changed:
                    item.setForeground(QBrush(QColor(self._theme.accent)))
                self.table.setItem(number, place, item)
        self.table.blockSignals(False)
        self._count.setText(f"{len(rows)} of {len(self._actions.rows)}")
        at = next((n for n, row in enumerate(rows) if chosen is not None and row.id == chosen.id), 0)
        if rows:
            self.table.selectRow(at)
        self._on_chosen()

    def _is_found(self, row: ActionRow) -> bool:
        text = self.search.text().lower()
        if "+" in text and normal(text):
            return normal(text) in self._actions.keys_of(row.id)
        keys = shown_keys(self._actions.keys_of(row.id)).lower()
        everything = f"{row.text} {row.menu} {row.synonyms} {keys} {keys.replace(' ', '+')}".lower()
        return all(word in everything for word in text.split())

    def _on_chosen(self) -> None:
        row = self.chosen
        self._wanted = ""
        while (item := self._chips.takeAt(0)) is not None:
            if (widget := item.widget()) is not None:
                widget.hide()
                widget.deleteLater()
        for widget in (self.field, self.reset_one):
            widget.setEnabled(row is not None)
        if row is None:
            self._name.setText("No action is found")
            self._place.setText("")
            self._say("Search for another word, or clear the field.")
            return
        self._name.setText(row.text.removesuffix("..."))
        self._place.setText(WHERE_WORDS[row.where])
        keys = self._actions.keys_of(row.id)
        for key in keys:
            self._chips.addWidget(self._chip(key))
        if not keys:
            self._chips.addWidget(label("No key", "small"))
        self.reset_one.setEnabled(row.id in self._shortcuts.own.now)
        self._say("")

    def _chip(self, key: str) -> QPushButton:
        words = readable_key(key).replace("plus", "+")
        chip = QPushButton(f"{words}   ×")
        chip.setAutoDefault(False)
        chip.setAccessibleName(f"Take {words} away")
        chip.setToolTip(f"Take {words} away")
        chip.clicked.connect(lambda _=False: self._change(lambda: self._without(key)))
        return chip

    def _say(self, words: str, *, asks: bool = False, warns: bool = False) -> None:
        self.message.setText(
            words or "Several keys can do the same. Enter goes from the table to the new key."
        )
        set_role(self.message, "warn" if warns else "small")
        self.take.setVisible(asks)
        self.keep.setVisible(asks)

    # ------------------------------------------------------------------------------------------------------ changing

    def ask_for(self, key: str) -> None:
        """A key was pressed for the chosen action: give it, or say where it is used already."""
        row = self.chosen
        if row is None:
            return
        words = readable_key(key).replace("plus", "+")
        self.field.setText(words)
        users = users_of(
            key, row, {r.id: self._actions.keys_of(r.id) for r in self._actions.rows}, self._actions.rows
        )
        built_in = built_in_use(key, row.where)
        self._wanted = key
        if key in RESERVED:
            self._wanted = ""
            self._say(f"{words} {RESERVED[key]}. Press another key.", warns=True)
        elif key in self._actions.keys_of(row.id):
            self._wanted = ""
            self._say(f"{words} is a key of this action already.")
        elif users:
            names = " and ".join(f"“{u.text.removesuffix('...')}” ({WHERE_PHRASES[u.where]})" for u in users)
            self._say(
                f"{words} is used by {names}. Take it from there, or keep it there?", asks=True, warns=True
            )
        elif built_in:
            self._say(f"{words} {built_in} in the view. Take it all the same?", asks=True, warns=True)
        elif is_chord(key) and not self._shortcuts.profile.chords:
            self._say(f"{words} needs two keys at once, which one hand may not reach. Use it all the same?",
                      asks=True, warns=True)  # fmt: skip
        else:
            self._take_wanted()

    def _take_wanted(self) -> None:
        key, row = self._wanted, self.chosen
        if key and row is not None:
            self._change(lambda: self._set_keys((*self._actions.keys_of(row.id), key)))
            words = readable_key(key).replace("plus", "+")
            self._say(f"{words} runs “{row.text.removesuffix('...')}” now.")
            self.field.clear()
            self.field.setFocus()

    def _keep(self) -> None:
        self._wanted = ""
        self.field.clear()
        self._say("Nothing was changed.")
        self.field.setFocus()

    def _without(self, key: str) -> None:
        row = self.chosen
        if row is not None:
            self._set_keys(tuple(k for k in self._actions.keys_of(row.id) if k != key))

    def _set_keys(self, keys: tuple[str, ...]) -> None:
        row = self.chosen
        if row is not None:
            self._shortcuts.set_keys(row.id, keys)

    def _reset_chosen(self) -> None:
        row = self.chosen
        if row is not None:
            self._shortcuts.reset(row.id)

    def _change(self, act: Callable[[], object]) -> None:
        """Do something that can be taken back."""
        self._before.append(copy.deepcopy(self._shortcuts.own))
        act()
        self._refresh()

    def take_back(self) -> None:
        """Undo the last change made here."""
        if self._before:
            self._shortcuts.own = self._before.pop()
            self._shortcuts.apply()
            self._refresh()
            self._say("The last change was taken back.")

    def _use_profile(self, profile: str) -> None:
        self._change(lambda: self._shortcuts.use_profile(profile))

    # --------------------------------------------------------------------------------------------------------- files

    def _export(self) -> None:
        path = self._window.dialogs.file_to_write("Export shortcuts", SUFFIX)
        if path is None:
            return
        try:
            self._shortcuts.export_keys(path)
        except KnownError as error:
            self._say(f"{error.message} {error.hint}", warns=True)
        else:
            self._say(f"Written: {path}.")

    def _import(self) -> None:
        path = self._window.dialogs.file_to_read("Import shortcuts", SUFFIX)
        if path is None:
            return
        left_out: list[str] = []
        try:
            self._change(lambda: left_out.extend(self._shortcuts.import_keys(path)))
        except KnownError as error:
            self._before.pop()
            self._say(f"{error.message} {error.hint}", warns=True)
            return
        words = f"The keys of {path.name} are in force."
        if left_out:
            words += f" Left out: {left_out[0]}" + (
                f" And {len(left_out) - 1} more." if len(left_out) > 1 else ""
            )
        self._say(words, warns=bool(left_out))
