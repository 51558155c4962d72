"""What the mouse does by the way and keys must do too: how far arrows go, what is selected, pressing, zoom in 3D."""

from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QApplication, QWidget

from limbstudio.domain.edits import distal_points
from limbstudio.ui import guided
from limbstudio.ui.action_row import Owner
from limbstudio.ui.canvas.keys import STEP_SIZES
from limbstudio.ui.canvas.people import shown_points
from limbstudio.ui.features import Feature

if TYPE_CHECKING:
    from limbstudio.ui.main_window import MainWindow

_ZOOM_STEP = 1.25
_NO_MODIFIER = Qt.KeyboardModifier.NoModifier


class ByKeys(Feature):
    """Own the actions that stand for the mouse."""

    owner = Owner.KEYBOARD

    def __init__(self, window: "MainWindow") -> None:
        super().__init__(window)
        self._view = window.annotate_page.view
        self._mesh = window.mesh_page
        kept = int(str(window.memory.value("key_step", STEP_SIZES[0])))
        self._view.keys.step = kept if kept in STEP_SIZES else STEP_SIZES[0]
        self._left_numbers = False
        self._mesh.toolbox.chosen.connect(self._on_tool)
        app = QApplication.instance()
        assert isinstance(app, QApplication)
        app.focusChanged.connect(self._on_focus)

    # -------------------------------------------------------------------------------------------------- the canvas

    def longer_steps(self) -> None:
        self._change_step(1)

    def shorter_steps(self) -> None:
        self._change_step(-1)

    def _change_step(self, by: int) -> None:
        keys = self._view.keys
        place = min(max(STEP_SIZES.index(keys.step) + by, 0), len(STEP_SIZES) - 1)
        keys.step = STEP_SIZES[place]
        self.window.memory.setValue("key_step", keys.step)
        self.session.said.emit(f"Arrow keys move {keys.step} px, with Shift {10 * keys.step} px.", "", False)

    def press_here(self) -> None:
        """Do what a tap on the space bar does."""
        for kind, take in (
            (QEvent.Type.KeyPress, self._view.keyPressEvent),
            (QEvent.Type.KeyRelease, self._view.keyReleaseEvent),
        ):
            take(QKeyEvent(kind, Qt.Key.Key_Space, _NO_MODIFIER))

    def select_chain(self) -> None:
        """Select the point with all that is distal to it, so that arrows move them together."""
        index = self._view.selected
        if index is not None:
            self._view.choose_all(distal_points(index))

    def select_next_too(self) -> None:
        """Add the next point that has a place to what is selected."""
        person, view = self.session.person, self._view
        if person is None:
            return
        shown = shown_points(person)
        index = view.selected
        for _ in shown:
            index = guided.neighbour(person, index, 1)
            if index in shown and index not in view.selection:
                view.choose_all(view.selection | {index})
                return

    # ---------------------------------------------------------------------------------------------------- the 3D view

    def nearer(self) -> None:
        self._zoom(_ZOOM_STEP)

    def farther(self) -> None:
        self._zoom(1 / _ZOOM_STEP)

    def _zoom(self, factor: float) -> None:
        if self._mesh.view.has_body:
            self._mesh.view.stage.zoom(factor)
            self._mesh.view.stage.turned.emit()

    def look_as_camera(self) -> None:
        self._mesh.look_as_camera()

    def turn_about_cursor(self) -> None:
        """Turn about the keyboard's place on the limb from now on."""
        found = self._mesh.limb_cursor.place()
        if found is not None:
            self._mesh.turn_about(found[1])

    def show_numbers(self) -> None:
        """Give the keys to the first of the chosen tool's numbers; Esc or F6 gives them back."""
        tool = self._mesh.toolbox.current
        field = None if tool is None or tool.options is None else _first_field(tool.options)
        if field is None:
            self.session.said.emit(
                "There are no numbers to type.", "Choose a tool that has some first.", False
            )
            return
        field.setFocus(Qt.FocusReason.ShortcutFocusReason)

    def press_on_limb(self) -> None:
        self._send(Qt.Key.Key_Space)

    def apply_on_limb(self) -> None:
        self._send(Qt.Key.Key_Return)

    def _send(self, key: Qt.Key) -> None:
        self._mesh.keyPressEvent(QKeyEvent(QEvent.Type.KeyPress, key, _NO_MODIFIER))

    def _on_tool(self, tool_id: str) -> None:
        """The numbers that had the keys are gone with their tool: the view has them again."""
        if self._left_numbers and self._mesh.isVisible():
            self._mesh.view.setFocus()
        self._left_numbers = False

    def _on_focus(self, before: QWidget | None, _now: QWidget | None) -> None:
        self._left_numbers = before is not None and self._mesh.options.isAncestorOf(before)

    def close(self) -> None:
        app = QApplication.instance()
        if isinstance(app, QApplication):
            app.focusChanged.disconnect(self._on_focus)


def _first_field(options: QWidget) -> QWidget | None:
    fields = (
        child for child in options.findChildren(QWidget) if child.focusPolicy() & Qt.FocusPolicy.TabFocus
    )
    return next((field for field in fields if field.isVisible() and field.isEnabled()), None)
