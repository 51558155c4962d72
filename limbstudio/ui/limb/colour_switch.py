"""The choice of how the limb is coloured: side by side where there is room, else one button with a menu."""

from PySide6.QtCore import QSize
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QLayout, QMenu, QToolButton, QWidget

from limbstudio.ui.actions import Actions
from limbstudio.ui.limb.colours import WORDS


class ColourSwitch(QWidget):
    """One button for each way to colour, or one for all of them."""

    def __init__(self, actions: Actions, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._all = QWidget(self)
        row = QHBoxLayout(self._all)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(2)
        menu = QMenu(self)
        self.one = QToolButton(self)
        self.one.setProperty("role", "segment")
        self.one.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self.one.setMenu(menu)
        self.one.setToolTip("How the limb is coloured")
        self.one.setAccessibleName("How the limb is coloured")
        for colouring, words in WORDS.items():
            action = actions[f"colours_{colouring.value}"]
            menu.addAction(action)
            button = QToolButton()
            button.setProperty("role", "segment")
            button.setCheckable(True)
            button.setText(words)
            button.setToolTip(f"Colours: {action.text().lower()}")
            button.setAccessibleName(f"Colours: {action.text().lower()}")
            button.clicked.connect(lambda _=False, a=action: a.trigger())
            action.toggled.connect(button.setChecked)
            action.toggled.connect(lambda checked, w=words: self._name(w) if checked else None)
            row.addWidget(button)
        whole = QHBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.setSizeConstraint(
            QLayout.SizeConstraint.SetNoConstraint
        )  # else its widgets say how narrow it may be
        whole.addWidget(self._all)
        whole.addWidget(self.one)
        self._name(next(iter(WORDS.values())))
        self.one.hide()

    def _name(self, words: str) -> None:
        self.one.setText(words)
        self.updateGeometry()

    @property
    def is_compact(self) -> bool:
        return self._all.isHidden()

    def sizeHint(self) -> QSize:
        return self._all.sizeHint()

    def minimumSizeHint(self) -> QSize:
        return self.one.sizeHint()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        compact = self.width() < self._all.sizeHint().width()
        if compact is not self.is_compact:
            self._all.setVisible(not compact)
            self.one.setVisible(compact)
