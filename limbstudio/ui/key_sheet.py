"""The sheet of keys: those that are in force, from the table of actions."""

from PySide6.QtCore import Qt
from PySide6.QtGui import QCloseEvent
from PySide6.QtWidgets import (
    QDialog,
    QGridLayout,
    QHBoxLayout,
    QPushButton,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from limbstudio.ui.actions import Actions, Where, readable_key
from limbstudio.ui.panels.parts import key_cap, label, line, section

_TITLES = {
    Where.WINDOW: "Everywhere",
    Where.CANVAS: "While the photo or the points have the focus",
    Where.MESH: "While the 3D view has the focus",
}
# What the views take themselves; an action that has the key comes before.
_CANVAS_EXTRA = (
    ("Place at the crosshair; all limbs intact", "Return"),
    ("Skip this point; with a tool: press; held: pan", "Space"),
    ("Move by a step, or else the view", "arrows"),
    ("Move by ten steps", "Shift arrows"),
)
_MESH_EXTRA = (
    ("Orbit 15 degrees; with a brush: move on the limb", "arrows"),
    ("Orbit 15 degrees", "Ctrl arrows"),
    ("Begin and end a stroke, set a place", "Space"),
    ("Apply, or one dab", "Return"),
)

_BAR_PX = 14  # the bar that scrolls has room beside the keys


class KeySheet(QDialog):
    """Show every key; it does not block the window, and follows when keys are changed."""

    def __init__(self, actions: Actions, parent: QWidget) -> None:
        super().__init__(parent)
        self._actions = actions
        self.setWindowTitle("Keys")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.resize(900, 660)
        self._scroll = QScrollArea()
        self._scroll.setWidgetResizable(True)
        change = QPushButton("Change shortcuts...")
        change.clicked.connect(lambda _=False: actions["edit_shortcuts"].trigger())
        self._profile = label("", "small")
        foot = QHBoxLayout()
        foot.setContentsMargins(24, 8, 24, 12)
        foot.addWidget(self._profile)
        foot.addStretch(1)
        foot.addWidget(change)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self._scroll)
        column.addWidget(line())
        column.addLayout(foot)
        self._stop_following = actions.when_keys_change(self._show)

    def closeEvent(self, event: QCloseEvent) -> None:
        self._stop_following()
        event.accept()  # QDialog's own would reject, which comes back here

    def reject(self) -> None:
        self.close()  # Esc hides a dialog without closing it

    def _show(self) -> None:
        used = next(
            (
                r.text
                for r in self._actions.rows
                if r.id.startswith("profile_") and self._actions[r.id].isChecked()
            ),
            "",
        )
        self._profile.setText(f"Keys for: {used[:1].lower()}{used[1:]}" if used else "")
        inside = QWidget()
        columns = QHBoxLayout(inside)
        columns.setSpacing(40)
        columns.setContentsMargins(24, 20, 24, 20)
        first, second = QVBoxLayout(), QVBoxLayout()
        for column in (first, second):
            column.setSpacing(0)  # without one of their own they would take the columns' distance
        first.addLayout(self._part(Where.WINDOW, ()))
        first.addSpacing(16)
        first.addLayout(self._part(Where.MESH, _MESH_EXTRA))
        first.addStretch(1)
        second.addLayout(self._part(Where.CANVAS, _CANVAS_EXTRA))
        second.addStretch(1)
        columns.addLayout(first)
        columns.addLayout(second)
        self._scroll.setWidget(inside)
        self.resize(max(self.width(), inside.sizeHint().width() + _BAR_PX), self.height())

    def _part(self, where: Where, extra: tuple[tuple[str, str], ...]) -> QVBoxLayout:
        column = QVBoxLayout()
        column.setSpacing(8)
        heading = section(_TITLES[where])
        heading.setFixedHeight(heading.sizeHint().height())
        column.addWidget(heading)
        grid = QGridLayout()
        grid.setHorizontalSpacing(24)
        grid.setVerticalSpacing(5)
        actions = self._actions
        rows = [
            (row.text.removesuffix("..."), actions.keys_of(row.id))
            for row in actions.rows
            if row.where is where and actions.keys_of(row.id)
        ]
        taken = {key for _, keys in rows for key in keys}
        rows += [(words, (key,)) for words, key in extra if key not in taken]
        for n, (words, keys) in enumerate(rows):
            grid.addWidget(label(words, "small"), n, 0)
            shown = "   ".join(readable_key(key).replace("plus", "+") for key in keys)
            grid.addWidget(key_cap(shown), n, 1, Qt.AlignmentFlag.AlignRight)
        grid.setColumnStretch(0, 1)
        column.addLayout(grid)
        return column
