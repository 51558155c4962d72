"""Every action of the window in one table; menus, tool bars, the command palette and tool tips are built from it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from PySide6.QtCore import QObject, Qt
from PySide6.QtGui import QAction, QKeySequence
from PySide6.QtWidgets import QMenu, QMenuBar

from limbstudio.ui import icons
from limbstudio.ui.action_row import ActionRow, Owner, Where
from limbstudio.ui.rows import (
    appearance,
    canvas,
    help,
    history,
    importing,
    jobs,
    keyboard,
    language,
    limb,
    living,
    masks,
    pages,
    people,
    photo_search,
    privacy,
)
from limbstudio.ui.rows.hands import ROWS as HANDS
from limbstudio.ui.theme import Theme
from limbstudio.ui.words import tr

__all__ = ["ACTIONS", "MENUS", "ROWS", "ActionRow", "Actions", "Owner", "Where", "readable_key"]

MENUS = ("File", "Edit", "View", "Person", "Limb", "Jobs", "Help")
# The order of the tables is the order within a menu's group.
ACTIONS: tuple[ActionRow, ...] = (
    *pages.ROWS,
    *limb.ROWS,
    *living.ROWS,
    *photo_search.ROWS,
    *canvas.ROWS,
    *importing.ROWS,
    *people.ROWS,
    *masks.ROWS,
    *history.ROWS,
    *HANDS,
    *keyboard.ROWS,
    *jobs.ROWS,
    *appearance.ROWS,
    *privacy.ROWS,
    *help.ROWS,
    *language.ROWS,
)
ROWS: Mapping[str, ActionRow] = {row.id: row for row in ACTIONS}


def readable_key(key: str) -> str:
    """Return a key as people write it: 'Ctrl K'."""
    written = key.replace("++", "+plus").replace("+", " ").replace("Del", "Delete").replace("Return", "Enter")
    return written.strip()


class Actions:
    """The table's rows as QActions.

    owners: whose methods the slots are. A slot may be missing only in tests that leave its owner out.
    """

    def __init__(self, parent: QObject, theme: Theme) -> None:
        self._parent = parent
        self._theme = theme
        self._actions: dict[str, QAction] = {}
        self._menus: dict[str, QMenu] = {}
        self._keys: dict[str, tuple[str, ...]] = {}
        self._key_listeners: list[Callable[[], None]] = []
        self._available: frozenset[str] | None = None
        self._give_keys: Callable[[Sequence[ActionRow]], Mapping[str, tuple[str, ...]]] | None = None
        self.rows: tuple[ActionRow, ...] = ()
        for row in ACTIONS:
            self._make(row)
        self.set_theme(theme)

    def _make(self, row: ActionRow) -> QAction:
        action = QAction(row.text, self._parent)
        action.setObjectName(row.id)
        action.setCheckable(row.checkable)
        if row.where is not Where.WINDOW:
            action.setShortcutContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
        if row.needs and self._available is not None:
            action.setEnabled(row.needs in self._available)
        self._actions[row.id] = action
        self.rows = (*self.rows, row)
        self._set_keys(row, row.keys)
        return action

    # ------------------------------------------------------------------------------------------------ keys in force

    def keys_of(self, action_id: str) -> tuple[str, ...]:
        """Return the keys that an action has now."""
        return self._keys[action_id]

    def key_words(self, action_id: str) -> str:
        """Return the first key of an action as people write it, 'Ctrl K'; empty when it has none."""
        keys = self._keys[action_id]
        return readable_key(keys[0]) if keys else ""

    def how(self, action_id: str) -> str:
        """Say how an action is run: 'press G', or, without a key, 'choose “Guided placement”'."""
        key = self.key_words(action_id)
        return f"press {key}" if key else f"choose “{self._actions[action_id].text().removesuffix('...')}”"

    def give_keys_by(self, give: Callable[[Sequence[ActionRow]], Mapping[str, tuple[str, ...]]]) -> None:
        """Let `give` say which keys the rows have, now and whenever rows are added."""
        self._give_keys = give
        self.renew_keys()

    def renew_keys(self) -> None:
        """Ask anew which keys the rows have."""
        if self._give_keys is not None:
            keys = self._give_keys(self.rows)
            for row in self.rows:
                self._set_keys(row, keys.get(row.id, ()))
            for listener in tuple(self._key_listeners):
                listener()

    def when_keys_change(self, listener: Callable[[], None]) -> Callable[[], None]:
        """Call `listener` now and whenever actions get other keys; return what ends that."""
        self._key_listeners.append(listener)
        listener()
        return lambda: self._key_listeners.remove(listener)

    def _set_keys(self, row: ActionRow, keys: tuple[str, ...]) -> None:
        if self._keys.get(row.id) != keys:
            self._keys[row.id] = keys
            self._actions[row.id].setShortcuts([QKeySequence(key) for key in keys])
            tip = row.text.removesuffix("...")
            self._actions[row.id].setToolTip(f"{tip}   {readable_key(keys[0])}" if keys else tip)

    def add(self, row: ActionRow, slot: Callable[[], object]) -> tuple[str, ...]:
        """Add an action that is known only now, as a plugin's; it gets its place in menu and palette.

        Keys that are in use already are not taken; they are returned.
        """
        used = {QKeySequence(key).toString() for keys in self._keys.values() for key in keys}
        taken = tuple(key for key in row.keys if QKeySequence(key).toString() in used)
        row = replace(row, keys=tuple(key for key in row.keys if key not in taken))
        action = self._make(row)
        self.renew_keys()
        action.triggered.connect(lambda _=False: slot())
        self._draw(row)
        top, _, sub = row.menu.partition("/")
        menu = self._menus.get(row.menu)
        if menu is None and top in self._menus:
            menu = self._menus[row.menu] = QMenu(tr(sub), self._menus[top])
            self._menus[top].insertMenu(self._end_of(top), menu)
        if menu is not None:
            menu.addAction(action)
        return taken

    def _end_of(self, top: str) -> QAction:
        """Return what new entries of a menu go before: the way out stays last, with the line above it."""
        entries = self._menus[top].actions()
        if self._actions["quit"] not in entries:
            return QAction()  # Qt puts what goes before an unknown entry at the end
        place = entries.index(self._actions["quit"])
        return entries[place - 1] if place and entries[place - 1].isSeparator() else entries[place]

    def __getitem__(self, action_id: str) -> QAction:
        return self._actions[action_id]

    def set_theme(self, theme: Theme) -> None:
        """Redraw the icons in the colours of `theme`."""
        self._theme = theme
        for row in self.rows:
            self._draw(row)

    def _draw(self, row: ActionRow) -> None:
        if row.icon:
            theme = self._theme
            drawn = icons.icon(row.icon, theme.text2, disabled=theme.disabled, checked=theme.accent)
            self._actions[row.id].setIcon(drawn)

    def connect_owner(self, owner: Owner, target: QObject) -> None:
        """Connect every action of `owner` to the method of `target` that its row names."""
        for row in ACTIONS:
            if row.owner is owner:
                slot = getattr(target, row.slot)
                if row.checkable:
                    self._actions[row.id].triggered.connect(slot)
                else:
                    # A lambda, because Qt would pass `checked` to a slot that takes nothing.
                    self._actions[row.id].triggered.connect(lambda _=False, slot=slot: slot())

    def of(self, where: Where) -> list[QAction]:
        return [self._actions[row.id] for row in self.rows if row.where is where]

    def menu(self, name: str) -> QMenu:
        """Return a menu by its name in the rows, 'File'."""
        return self._menus[name]

    def enable(self, available: frozenset[str]) -> None:
        """Enable the actions whose needs are among `available`."""
        before, self._available = self._available, available
        for row in self.rows:
            if row.needs and (before is None or (row.needs in before) is not (row.needs in available)):
                self._actions[row.id].setEnabled(row.needs in available)

    def fill(self, bar: QMenuBar) -> None:
        """Build the menus."""
        for name in MENUS:
            self._menus[name] = bar.addMenu(f"&{name}")
            self._fill_menu(self._menus[name], name)

    def _fill_menu(self, menu: QMenu, name: str) -> None:
        last_group = None
        for row in sorted(ACTIONS, key=lambda row: row.group):
            top, _, sub = row.menu.partition("/")
            if top != name:
                continue
            if last_group is not None and row.group != last_group:
                menu.addSeparator()
            last_group = row.group
            target = menu
            if sub:
                target = self._menus.get(row.menu) or self._menus.setdefault(row.menu, menu.addMenu(sub))
            target.addAction(self._actions[row.id])
