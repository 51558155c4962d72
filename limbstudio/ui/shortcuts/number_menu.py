"""The numbered menu: what is done often, in two digits from one key; the last entry searches everything."""

from collections.abc import Callable

from PySide6.QtCore import QEvent, QPoint, Qt, QTimer
from PySide6.QtGui import QAction, QKeyEvent
from PySide6.QtWidgets import QApplication, QMenu, QWidget

from limbstudio.ui.actions import Actions
from limbstudio.ui.shortcuts.layouts import latin_key
from limbstudio.ui.words import tr

_NO_MODIFIER = Qt.KeyboardModifier.NoModifier
_STATES = tuple(
    f"state_{state}"
    for state in ("visible", "occluded", "out_of_frame", "absent", "prosthesis", "unlabelled", "unsure")
)
# At most nine each: a digit chooses. Actions that a window does not have are left out.
GROUPS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("State of the point", (*_STATES, "clear_point", "point_details")),
    (
        "Placing",
        ("guided", "select", "place_here", "skip", "step_back", "next_point", "previous_point", "accept_proposals",
         "pick_point"),
    ),
    (
        "Person",
        ("mark_ready", "fit_body", "new_person", "next_person", "previous_person", "swap_limb", "swap_body",
         "no_person", "delete_person"),
    ),
    ("Photo", ("next_photo", "previous_photo", "next_unfinished", "previous_unfinished", "go_to_photo", "find_photos",
               "open_photos")),
    ("Seeing", ("fit_view", "zoom_in", "zoom_out", "loupe", "names", "overlay", "inset", "turn_right", "tones")),
    ("Undo and window", ("undo", "redo", "annotate", "residual_limb", "next_pane", "edit_shortcuts", "keys", "jobs",
                         "cancel_jobs")),
    ("Body in 3D", ("view_front", "view_back", "view_left", "view_right", "view_top", "view_bottom", "t_pose",
                    "frame_limb", "flip_fit")),
)  # fmt: skip


class NumberedMenu(QMenu):
    """A menu whose entries are numbered and chosen by digit, also by those of another keyboard layout."""

    def __init__(self, title: str, parent: QWidget) -> None:
        super().__init__(title, parent)
        self._count = 0
        self._runs: dict[QAction, Callable[[], object]] = {}

    def number(self, text: str) -> str:
        """Return the text of the next entry, with its number."""
        self._count += 1
        return f"{self._count}   {text.replace('&', '&&')}"

    def event(self, event: QEvent) -> bool:
        if event.type() is QEvent.Type.ShortcutOverride:
            event.accept()  # the canvas below still has the focus: its digits would act instead of ours
            return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        digit = latin_key(event) - Qt.Key.Key_1
        entries = self.actions()
        if not 0 <= digit < len(entries):
            super().keyPressEvent(event)
            return
        entry = entries[digit]
        if entry.menu() is not None:
            self.setActiveAction(entry)
            super().keyPressEvent(QKeyEvent(QEvent.Type.KeyPress, Qt.Key.Key_Return, _NO_MODIFIER))
        elif entry.isEnabled():
            self._close_all()
            # When the menu is gone and the focus is where it was: what runs may open something of its own.
            QTimer.singleShot(0, self._runs[entry])

    def add(self, action: QAction) -> None:
        """Add an entry that runs an action of the window."""
        entry = self.addAction(action.icon(), self.number(action.text().removesuffix("...")))
        entry.setEnabled(action.isEnabled())
        entry.setCheckable(action.isCheckable())
        entry.setChecked(action.isChecked())
        self._runs[entry] = action.trigger
        entry.triggered.connect(lambda _=False: QTimer.singleShot(0, action.trigger))

    def add_choice(self, text: str, act: Callable[[], object]) -> None:
        """Add an entry that does something else."""
        entry = self.addAction(self.number(text))
        self._runs[entry] = act
        entry.triggered.connect(lambda _=False: QTimer.singleShot(0, act))

    def _close_all(self) -> None:
        top: QMenu = self
        while isinstance(parent := top.parentWidget(), NumberedMenu):
            top = parent
        self.close()
        top.close()


def number_menu(actions: Actions, parent: QWidget) -> NumberedMenu:
    """Return the menu; it goes when it closes."""
    menu = NumberedMenu("Numbered menu", parent)
    menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    menu.setAccessibleName("Numbered menu: press a digit")
    there = {row.id for row in actions.rows}
    for title, ids in GROUPS:
        submenu = NumberedMenu(menu.number(tr(title)), menu)
        for action_id in ids:
            if action_id in there:
                submenu.add(actions[action_id])
        menu.addMenu(submenu)
    menu.add(actions["palette"])
    return menu


def open_number_menu(actions: Actions, over: QWidget) -> NumberedMenu:
    """Open the menu in the middle of a widget."""
    menu = number_menu(actions, over)
    size = menu.sizeHint()
    middle = over.mapToGlobal(over.rect().center())
    menu.popup(middle - QPoint(size.width(), size.height() // 2))
    # Setting the active entry would open its submenu.
    QApplication.sendEvent(menu, QKeyEvent(QEvent.Type.KeyPress, Qt.Key.Key_Down, _NO_MODIFIER))
    return menu
