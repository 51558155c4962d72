"""The field that waits for a key and says which one was pressed."""

from PySide6.QtCore import QEvent, Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QLineEdit, QWidget

from limbstudio.ui.shortcuts.keys import normal
from limbstudio.ui.shortcuts.layouts import key_text


class KeyField(QLineEdit):
    """Takes every key but Tab, which goes on, and Esc, which goes back.

    Signals:
        pressed(str): a key in its stored form, 'Ctrl+Shift+K'.
        left(): Esc.
    """

    pressed = Signal(str)
    left = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setReadOnly(True)
        self.setPlaceholderText("Press the new key")
        self.setAccessibleName("New key: press it")
        self.setFixedWidth(168)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.NoContextMenu)

    def event(self, event: QEvent) -> bool:
        if event.type() is QEvent.Type.ShortcutOverride:
            event.accept()  # no shortcut acts while a key is asked for
            return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape and event.modifiers() == Qt.KeyboardModifier.NoModifier:
            self.left.emit()
            return
        key = normal(key_text(event))
        if key:
            self.pressed.emit(key)
        event.accept()
