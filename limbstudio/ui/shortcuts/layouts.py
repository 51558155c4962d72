"""Keys of other keyboard layouts: Cyrillic, Greek, Hebrew, AZERTY.

Qt finds a shortcut by the letter that a key gives. Where a layout gives another letter (Cyrillic) or gives digits only
with Shift (AZERTY), the key at the same place of a Latin keyboard is meant. Layouts that only move Latin letters (the Y
and Z of QWERTZ) keep their letters: what is printed on the key counts.
"""

import sys
from collections.abc import Mapping

from PySide6.QtCore import QEvent, QKeyCombination, QObject, Qt
from PySide6.QtGui import QAction, QGuiApplication, QKeyEvent, QKeySequence
from PySide6.QtWidgets import (
    QAbstractSpinBox,
    QApplication,
    QComboBox,
    QLineEdit,
    QPlainTextEdit,
    QTextEdit,
    QWidget,
)

from limbstudio.ui.action_row import Where
from limbstudio.ui.actions import Actions

_TOP = "1234567890-="
_PLACES = (_TOP, "QWERTYUIOP[]", "ASDFGHJKL;'", "ZXCVBNM,./")
# The first key of each of those rows: key codes of X11 and Wayland (evdev + 8), scan codes of Windows (set 1).
_X11 = (10, 24, 38, 52)
_WINDOWS = (2, 16, 30, 44)
# macOS gives virtual keys that follow no order.
_MAC: dict[int, str] = dict(
    zip(
        (
            0,
            1,
            2,
            3,
            4,
            5,
            6,
            7,
            8,
            9,
            11,
            12,
            13,
            14,
            15,
            16,
            17,
            18,
            19,
            20,
            21,
            22,
            23,
            24,
            25,
            26,
            27,
            28,
            29,
            30,
        )
        + (31, 32, 33, 34, 35, 37, 38, 39, 40, 41, 43, 44, 45, 46, 47),
        "ASDFHGZXCVBQWERYT123465=97-80]OU[IPLJ'K;,/NM.",
        strict=True,
    )
)
_DIGITS = frozenset("1234567890")
# The signs that layouts have in the place of digits; others come with AltGr and are meant.
_DIGIT_SIGNS = frozenset("&\"'(-_!+;=*)")
_FUNCTION_KEYS = range(0x01000000, 0x01001120)  # Escape to the last before the dead keys
_HELD = (
    Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.AltModifier | Qt.KeyboardModifier.MetaModifier
)
_TEXT = (QLineEdit, QTextEdit, QPlainTextEdit, QAbstractSpinBox)


def _by_code(first: tuple[int, ...]) -> dict[int, str]:
    return {start + n: key for start, row in zip(first, _PLACES, strict=True) for n, key in enumerate(row)}


def _place_of(event: QKeyEvent) -> str:
    """Return what a Latin keyboard (US) has at the place of the key; empty where that is not known."""
    if QGuiApplication.platformName() == "cocoa":
        return _MAC.get(event.nativeVirtualKey(), "")
    codes = _by_code(_WINDOWS) if sys.platform == "win32" else _by_code(_X11)
    return codes.get(event.nativeScanCode(), "")


def latin_key(event: QKeyEvent) -> Qt.Key:
    """Return the key that is meant: its own where that is Latin, else the one at its place of a Latin keyboard.

    Latin letters, digits and signs are meant as they are, but for the signs in the place of digits.
    """
    key = event.key()
    on_keypad = bool(event.modifiers() & Qt.KeyboardModifier.KeypadModifier)
    if on_keypad or key == Qt.Key.Key_Space or key in _FUNCTION_KEYS:
        return Qt.Key(key)
    place = _place_of(event)
    if 0x20 < key < 0x7F and not (chr(key) in _DIGIT_SIGNS and place in _DIGITS):
        return Qt.Key(key)
    return Qt.Key(ord(place)) if place else Qt.Key(key)


def key_text(event: QKeyEvent) -> str:
    """Return the key of an event as it is stored, 'Ctrl+Shift+K'; empty for a modifier alone."""
    key = latin_key(event)
    if key in _MODIFIERS or key == Qt.Key.Key_unknown:
        return ""
    held = event.modifiers() & ~Qt.KeyboardModifier.GroupSwitchModifier
    return QKeySequence(QKeyCombination(held, key)).toString(QKeySequence.SequenceFormat.PortableText)


_MODIFIERS = frozenset(
    (
        Qt.Key.Key_Shift,
        Qt.Key.Key_Control,
        Qt.Key.Key_Alt,
        Qt.Key.Key_AltGr,
        Qt.Key.Key_Meta,
        Qt.Key.Key_CapsLock,
    )
    + (Qt.Key.Key_NumLock, Qt.Key.Key_ScrollLock, Qt.Key.Key_Super_L, Qt.Key.Key_Super_R, Qt.Key.Key_Hyper_L)
)


class LayoutFilter(QObject):
    """Runs the action that a key of another layout means, where Qt found none.

    It watches the window and the views that have actions: only events of those are seen, and of them only keys that
    no shortcut took.
    """

    def __init__(self, window: QWidget, actions: Actions) -> None:
        super().__init__(window)
        self._window = window
        self._actions = actions
        self._watched: set[int] = set()

    def watch(self) -> None:
        """Watch the window and everything that has actions now."""
        views = [
            o
            for where in (Where.CANVAS, Where.MESH)
            for a in self._actions.of(where)
            for o in a.associatedObjects()
        ]
        widgets = [self._window, *(view for view in dict.fromkeys(views) if isinstance(view, QWidget))]
        for widget in widgets:
            self._watch(widget)
        for view in widgets[1:]:
            # A list or a box within takes letters for itself.
            for part in view.findChildren(QWidget):
                if part.focusPolicy() is not Qt.FocusPolicy.NoFocus:
                    self._watch(part)

    def _watch(self, widget: QWidget) -> None:
        if id(widget) not in self._watched:
            self._watched.add(id(widget))
            widget.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if not isinstance(event, QKeyEvent) or event.type() is not QEvent.Type.KeyPress:
            return False
        if latin_key(event) == event.key() or _types(event):
            return False
        action = self._meant(key_text(event))
        if action is None or (event.isAutoRepeat() and not action.autoRepeat()):
            return False
        action.trigger()
        return True

    def _meant(self, key: str) -> QAction | None:
        """Return the action of a key for the widget that has the focus."""
        if not key:
            return None
        near: list[QObject] = []
        widget = QApplication.focusWidget()
        while widget is not None:
            near.extend(widget.actions())
            widget = widget.parentWidget() if widget is not self._window else None
        by_id: Mapping[str, Where] = {row.id: row.where for row in self._actions.rows}
        for action_id, where in by_id.items():
            action = self._actions[action_id]
            counts = where is Where.WINDOW or action in near
            if counts and action.isEnabled() and key in self._actions.keys_of(action_id):
                return action
        return None


def _types(event: QKeyEvent) -> bool:
    """Tell whether a key writes into a field."""
    focus = QApplication.focusWidget()
    writes = isinstance(focus, _TEXT) or (isinstance(focus, QComboBox) and focus.isEditable())
    return writes and not event.modifiers() & _HELD
