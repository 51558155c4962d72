"""Every action of the window in one table; menus, tool bars, the command palette and tool tips are built from it."""

from collections.abc import Mapping

from PySide6.QtCore import QObject, Qt
from PySide6.QtGui import QAction, QKeySequence
from PySide6.QtWidgets import QMenu, QMenuBar

from limbstudio.ui import icons
from limbstudio.ui.action_row import ActionRow, Owner, Where
from limbstudio.ui.rows import canvas, importing, pages, people
from limbstudio.ui.theme import Theme

__all__ = ["ACTIONS", "MENUS", "ROWS", "ActionRow", "Actions", "Owner", "Where", "readable_key"]

MENUS = ("File", "Edit", "View", "Person", "Limb", "Jobs", "Help")
# The order of the tables is the order within a menu's group.
ACTIONS: tuple[ActionRow, ...] = (
    *pages.ROWS,
    *canvas.ROWS,
    *importing.ROWS,
    *people.ROWS,
)
ROWS: Mapping[str, ActionRow] = {row.id: row for row in ACTIONS}


def readable_key(key: str) -> str:
    """Return a key as people write it: 'Ctrl K'."""
    return key.replace("++", "+plus").replace("+", " ").replace("Del", "Delete").strip()


class Actions:
    """The table's rows as QActions.

    owners: whose methods the slots are. A slot may be missing only in tests that leave its owner out.
    """

    def __init__(self, parent: QObject, theme: Theme) -> None:
        self._actions: dict[str, QAction] = {}
        for row in ACTIONS:
            action = QAction(row.text, parent)
            action.setObjectName(row.id)
            action.setCheckable(row.checkable)
            action.setShortcuts([QKeySequence(key) for key in row.keys])
            if row.where is not Where.WINDOW:
                action.setShortcutContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
            tip = row.text.removesuffix("...")
            action.setToolTip(f"{tip}   {readable_key(row.keys[0])}" if row.keys else tip)
            self._actions[row.id] = action
        self.set_theme(theme)

    def __getitem__(self, action_id: str) -> QAction:
        return self._actions[action_id]

    def set_theme(self, theme: Theme) -> None:
        """Redraw the icons in the colours of `theme`."""
        for row in ACTIONS:
            if row.icon:
                drawn = icons.icon(row.icon, theme.text2, disabled=theme.edge, checked=theme.accent)
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
        return [self._actions[row.id] for row in ACTIONS if row.where is where]

    def enable(self, available: frozenset[str]) -> None:
        """Enable the actions whose needs are among `available`."""
        for row in ACTIONS:
            self._actions[row.id].setEnabled(not row.needs or row.needs in available)

    def fill(self, bar: QMenuBar) -> None:
        """Build the menus."""
        for name in MENUS:
            self._fill_menu(bar.addMenu(f"&{name}"), name)

    def _fill_menu(self, menu: QMenu, name: str) -> None:
        last_group = None
        submenus: dict[str, QMenu] = {}
        for row in sorted(ACTIONS, key=lambda row: row.group):
            top, _, sub = row.menu.partition("/")
            if top != name:
                continue
            if last_group is not None and row.group != last_group:
                menu.addSeparator()
            last_group = row.group
            target = menu
            if sub:
                target = submenus.get(sub) or submenus.setdefault(sub, menu.addMenu(sub))
            target.addAction(self._actions[row.id])
