"""The sheet of keys, made from the table of actions."""

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QDialog, QGridLayout, QHBoxLayout, QScrollArea, QVBoxLayout, QWidget

from limbstudio.ui.actions import ACTIONS, Where, readable_key
from limbstudio.ui.panels.parts import key_cap, label, section

_TITLES = {
    Where.WINDOW: "Everywhere",
    Where.CANVAS: "While the photo or the points have the focus",
    Where.MESH: "While the 3D view has the focus",
}
_CANVAS_EXTRA = (
    ("Place at the crosshair; all limbs intact", "Enter"),
    ("Skip this point; held: pan", "Space"),
    ("Move 1 px", "arrows"),
    ("Move 10 px", "Shift arrows"),
)
_MESH_EXTRA = (("Orbit 15 degrees", "arrows"),)


class KeySheet(QDialog):
    """Show every key; it does not block the window."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setWindowTitle("Keys")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.resize(860, 620)
        inside = QWidget()
        columns = QHBoxLayout(inside)
        columns.setSpacing(40)
        columns.setContentsMargins(24, 20, 24, 20)
        first, second = QVBoxLayout(), QVBoxLayout()
        first.addLayout(self._part(Where.WINDOW, ()))
        first.addSpacing(16)
        first.addLayout(self._part(Where.MESH, _MESH_EXTRA))
        first.addStretch(1)
        second.addLayout(self._part(Where.CANVAS, _CANVAS_EXTRA))
        second.addStretch(1)
        columns.addLayout(first)
        columns.addLayout(second)
        scroll = QScrollArea()
        scroll.setWidgetResizable(True)
        scroll.setWidget(inside)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(scroll)

    def _part(self, where: Where, extra: tuple[tuple[str, str], ...]) -> QVBoxLayout:
        column = QVBoxLayout()
        column.addWidget(section(_TITLES[where]))
        grid = QGridLayout()
        grid.setHorizontalSpacing(24)
        grid.setVerticalSpacing(5)
        rows = [(r.text.removesuffix("..."), r.keys) for r in ACTIONS if r.where is where and r.keys]
        rows += [(words, (key,)) for words, key in extra]
        for n, (words, keys) in enumerate(rows):
            grid.addWidget(label(words, "small"), n, 0)
            shown = "   ".join(readable_key(key).replace("plus", "+") for key in keys)
            grid.addWidget(key_cap(shown), n, 1, Qt.AlignmentFlag.AlignRight)
        grid.setColumnStretch(0, 1)
        column.addLayout(grid)
        return column
