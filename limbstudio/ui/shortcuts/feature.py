"""The keys in force: profiles, the person's own changes, other layouts; and ways through the window without a mouse."""

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QApplication, QToolButton, QWidget

from limbstudio.ui.action_row import ActionRow, Owner
from limbstudio.ui.features import Feature
from limbstudio.ui.photo_view import PhotoView
from limbstudio.ui.shortcuts import stored
from limbstudio.ui.shortcuts.keys import Keys, overlap
from limbstudio.ui.shortcuts.layouts import LayoutFilter
from limbstudio.ui.shortcuts.number_menu import NumberedMenu, open_number_menu
from limbstudio.ui.shortcuts.profiles import PROFILE, PROFILES, Profile, keys_in_force
from limbstudio.ui.theme import Theme

if TYPE_CHECKING:
    from limbstudio.ui.annotate_page import AnnotatePage
    from limbstudio.ui.main_window import MainWindow
    from limbstudio.ui.mesh_page import MeshPage
    from limbstudio.ui.shortcuts.editor import ShortcutsDialog

_RUN_S = 0.3  # presses of one direction closer than this are a run
_RUN_STEPS = 6  # after so many, a step is ten times as long


class Run:
    """Tells when presses of one key follow each other so fast that somebody wants to get far."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._last: tuple[str, float] = ("", -1e9)
        self._count = 0

    def is_far(self, way: str) -> bool:
        """Count a press; tell whether it is one of a run."""
        now = self._clock()
        name, before = self._last
        self._count = self._count + 1 if name == way and now - before < _RUN_S else 0
        self._last = (way, now)
        return self._count >= _RUN_STEPS


class Shortcuts(Feature):
    """Gives the actions their keys and owns the ways to change them."""

    owner = Owner.SHORTCUTS

    def __init__(self, window: "MainWindow") -> None:
        super().__init__(window)
        self._actions = window.actions_table
        self.own = stored.load(window.memory)
        self.dialog: ShortcutsDialog | None = None
        self.menu: NumberedMenu | None = None
        self._run = Run()
        self.layouts = LayoutFilter(window, self._actions)
        self.layouts.watch()
        self._actions.give_keys_by(self._keys)
        self._actions.when_keys_change(self._name_keys)
        self._show_profile()

    def set_theme(self, theme: Theme) -> None:
        if self.dialog is not None:
            self.dialog.set_theme(theme)

    # ---------------------------------------------------------------------------------------------- keys in force

    @property
    def profile(self) -> Profile:
        return PROFILE[self.own.profile]

    def _keys(self, rows: Sequence[ActionRow]) -> dict[str, Keys]:
        return keys_in_force(self.profile, rows, self.own.now)

    def _name_keys(self) -> None:
        """Name the keys in force in the tool tips of what is no button of an action; its words stay."""
        window = self.window
        for widget, action_id in (
            (window.photos_panel.search.edit, "find_photos"),
            (window.status.findChild(QToolButton, "jobsButton"), "jobs"),
        ):
            if widget is not None:
                first, *more = widget.toolTip().split("\n")
                words = f"{first.partition('   ')[0]}   {self._actions.key_words(action_id)}".rstrip()
                widget.setToolTip("\n".join((words, *more)))

    def apply(self) -> None:
        """Put what was chosen in force, now and for the next start."""
        stored.save(self.window.memory, self.own)
        self._show_profile()
        self._actions.renew_keys()
        self.layouts.watch()
        self.window.annotate_page.guiding.show_guide()  # its hint and the bar of states name keys

    def use_profile(self, profile: str) -> None:
        """Work with the keys of another profile."""
        self.own.profile = profile
        self.apply()
        words = PROFILE[profile]
        self.window.message_bar.say(f"Keys for: {words.name.lower()}.", words.about, serious=False)

    def _show_profile(self) -> None:
        for profile in PROFILES:
            self._actions[f"profile_{profile.id}"].setChecked(profile.id == self.own.profile)

    def use_right_handed(self, checked: bool = True) -> None:
        self.use_profile("right_handed")

    def use_left_handed(self, checked: bool = True) -> None:
        self.use_profile("left_handed")

    def use_one_hand_numbers(self, checked: bool = True) -> None:
        self.use_profile("one_hand_numbers")

    def use_one_hand_left(self, checked: bool = True) -> None:
        self.use_profile("one_hand_left")

    def use_one_hand_right(self, checked: bool = True) -> None:
        self.use_profile("one_hand_right")

    def use_switch(self, checked: bool = True) -> None:
        self.use_profile("switch")

    # ------------------------------------------------------------------------------------------------- the editor

    def edit_shortcuts(self) -> None:
        """Open the editor, or bring it to the front."""
        from limbstudio.ui.shortcuts.editor import (
            ShortcutsDialog,
        )  # here: seldom needed, with a row for every action

        if self.dialog is None:
            self.dialog = ShortcutsDialog(self, self.window)
            self.dialog.destroyed.connect(self._on_dialog_gone)
        self.dialog.show()
        self.dialog.raise_()
        self.dialog.activateWindow()

    def _on_dialog_gone(self) -> None:
        self.dialog = None

    def set_keys(self, action_id: str, keys: Sequence[str]) -> None:
        """Give an action these keys; others that the person gave one of them to go without it."""
        now = self.own.now
        row = next(row for row in self._actions.rows if row.id == action_id)
        for other in self._actions.rows:
            if other.id != action_id and other.id in now and overlap(other.where, row.where):
                now[other.id] = tuple(key for key in now[other.id] if key not in keys)
        now[action_id] = tuple(keys)
        self.apply()

    def reset(self, action_id: str | None = None) -> None:
        """Go back to the profile's keys of one action, or of all."""
        if action_id is None:
            self.own.now.clear()
        else:
            self.own.now.pop(action_id, None)
        self.apply()

    def export_keys(self, path: Path) -> None:
        """Write what was chosen; KnownError when it cannot be written."""
        stored.write_file(path, self.own)

    def import_keys(self, path: Path) -> tuple[str, ...]:
        """Take the keys of a file and return what was left out, in words. KnownError when it is no such file."""
        read = stored.read_file(path)
        known = {row.id for row in self._actions.rows}
        left_out = list(read.left_out)
        for profile, changed in read.own.keys.items():
            gone = [action for action in changed if action not in known]
            left_out += [
                f"There is no action “{action}” ({PROFILE[profile].name.lower()})." for action in gone
            ]
            for action in gone:
                del changed[action]
        self.own = read.own
        self.apply()
        return tuple(left_out)

    # -------------------------------------------------------------------------------------- ways without a mouse

    def show_number_menu(self) -> None:
        """Open the numbered menu over what is worked on."""
        is_3d = self._actions["residual_limb"].isChecked() and self.window.mesh_page.isVisible()
        over = self.window.mesh_page if is_3d else self.window.annotate_page
        self.menu = open_number_menu(self._actions, over if over.isVisible() else self.window)

    def next_pane(self) -> None:
        self._go_to_pane(1)

    def previous_pane(self) -> None:
        self._go_to_pane(-1)

    def _go_to_pane(self, step: int) -> None:
        """Give the focus to the next part of the window: photos, canvas or 3D, the panel at the right."""
        window = self.window
        panes = [
            pane
            for pane in (
                window.start_page,
                window.photos_panel,
                window.annotate_page,
                window.person_panel,
                window.mesh_page,
                window.limb_panel,
                window.bottom_dock,
            )
            if pane.isVisible()
        ]
        focus = QApplication.focusWidget()
        here = next((n for n, p in enumerate(panes) if focus is not None and p.isAncestorOf(focus)), None)
        start = (-1 if step > 0 else 0) if here is None else here
        for n in range(1, len(panes) + 1):
            target = _first_focus(panes[(start + step * n) % len(panes)])
            if target is not None:
                target.setFocus(Qt.FocusReason.ShortcutFocusReason)
                return

    def _press(self, page: "AnnotatePage | MeshPage", key: Qt.Key, *, far: bool = False) -> None:
        """Give a page's view a key of its own: not as an event, which would look for shortcuts again."""
        held = Qt.KeyboardModifier.ShiftModifier if far else Qt.KeyboardModifier.NoModifier
        press = QKeyEvent(QEvent.Type.KeyPress, key, held)
        if isinstance(page.view, PhotoView):
            page.view.keyPressEvent(press)
            page.view.keyReleaseEvent(QKeyEvent(QEvent.Type.KeyRelease, key, held))
            if press.isAccepted():
                return
        page.keyPressEvent(press)

    def _move(self, way: str, key: Qt.Key) -> None:
        self._press(self.window.annotate_page, key, far=self._run.is_far(way))

    def move_left(self) -> None:
        self._move("left", Qt.Key.Key_Left)

    def move_right(self) -> None:
        self._move("right", Qt.Key.Key_Right)

    def move_up(self) -> None:
        self._move("up", Qt.Key.Key_Up)

    def move_down(self) -> None:
        self._move("down", Qt.Key.Key_Down)

    def place_here(self) -> None:
        """Place at the crosshair, or begin and end a stroke there; during limb differences: all limbs are intact."""
        tool = self.window.annotate_page.view.tool
        holds = tool is not None and tool.holds
        self._press(self.window.annotate_page, Qt.Key.Key_Space if holds else Qt.Key.Key_Return)

    def orbit_left(self) -> None:
        self._press(self.window.mesh_page, Qt.Key.Key_Left)

    def orbit_right(self) -> None:
        self._press(self.window.mesh_page, Qt.Key.Key_Right)

    def orbit_up(self) -> None:
        self._press(self.window.mesh_page, Qt.Key.Key_Up)

    def orbit_down(self) -> None:
        self._press(self.window.mesh_page, Qt.Key.Key_Down)


def _first_focus(pane: QWidget) -> QWidget | None:
    """Return the child of a pane that the keyboard goes to: the one it knows, else its first."""
    known = {"AnnotatePage": "view", "MeshPage": "view"}.get(type(pane).__name__)
    if known:
        return getattr(pane, known)
    children = pane.findChildren(QWidget)
    return next((c for c in children if c.focusPolicy() & Qt.FocusPolicy.TabFocus and c.isVisible() and c.isEnabled()),
                None)  # fmt: skip
