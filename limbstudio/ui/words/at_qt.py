"""Where words meet Qt: every text that the window gives to a widget, an action or an item is translated there.

So panels, dialogs and plugins are written in one language and read in another, and none of them can forget it. The
methods are taken over only while another language than English is spoken. Qt's own words, the keys in the menus among
them, come from Qt's catalogue, but keys are called as the rest of the window calls them.
"""

from collections.abc import Callable
from typing import Any

from PySide6.QtCore import QCoreApplication, QLibraryInfo, QTranslator
from PySide6.QtGui import QAction
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractSpinBox,
    QCheckBox,
    QComboBox,
    QDoubleSpinBox,
    QFileDialog,
    QFormLayout,
    QInputDialog,
    QLabel,
    QLineEdit,
    QListWidgetItem,
    QMenu,
    QMenuBar,
    QMessageBox,
    QPushButton,
    QRadioButton,
    QSpinBox,
    QTableWidget,
    QTableWidgetItem,
    QTreeWidget,
    QTreeWidgetItem,
    QWidget,
)

from limbstudio.ui.words import language, said, tr

# Every text among the arguments is words, lists of texts included.
_BORDERS: tuple[tuple[type, str], ...] = (
    (QLabel, "__init__"),
    (QLabel, "setText"),
    (QAbstractButton, "setText"),
    (QPushButton, "__init__"),
    (QRadioButton, "__init__"),
    (QCheckBox, "__init__"),
    (QAction, "__init__"),
    (QAction, "setText"),
    (QAction, "setToolTip"),
    (QMenu, "addAction"),
    (QMenu, "addMenu"),
    (QMenu, "addSection"),
    (QMenuBar, "addMenu"),
    (QWidget, "setToolTip"),
    (QWidget, "setAccessibleName"),
    (QWidget, "setAccessibleDescription"),
    (QWidget, "setWindowTitle"),
    (QLineEdit, "setPlaceholderText"),
    (QAbstractSpinBox, "setSpecialValueText"),
    (QSpinBox, "setSuffix"),
    (QDoubleSpinBox, "setSuffix"),
    (QFormLayout, "addRow"),
    (QComboBox, "addItem"),
    (QComboBox, "addItems"),
    (QComboBox, "setItemText"),
    (QTableWidget, "setHorizontalHeaderLabels"),
    (QTableWidgetItem, "__init__"),
    (QTableWidgetItem, "setText"),
    (QTreeWidget, "setHeaderLabels"),
    (QTreeWidgetItem, "__init__"),
    (QTreeWidgetItem, "setText"),
    (QListWidgetItem, "__init__"),
    (QListWidgetItem, "setText"),
    (QMessageBox, "setText"),
    (QMessageBox, "setInformativeText"),
    (QMessageBox, "addButton"),
)
_FIRST_ONLY = {"addItem"}  # what follows the words is data that only the code reads
_QUESTIONS: tuple[tuple[type, str], ...] = (
    (QFileDialog, "getOpenFileName"),
    (QFileDialog, "getOpenFileNames"),
    (QFileDialog, "getSaveFileName"),
    (QFileDialog, "getExistingDirectory"),
    (QInputDialog, "getText"),
)
_SAME_KEYS = {"Num", "Esc", "Alt", "Tab"}  # keyboards have the same on them
_KEYS = "QShortcut"  # Qt's context of the names of keys
_before: dict[tuple[type, str], Any] = {}
_installed: list[QTranslator] = []


class _KeyNames(QTranslator):
    """Names keys in the words of the window's own catalogue."""

    def isEmpty(self) -> bool:
        return False

    def translate(
        self, context: str, sourceText: str, disambiguation: str | None = None, n: int = -1
    ) -> str | None:
        if context != _KEYS:
            return None
        if sourceText in _SAME_KEYS:
            return sourceText
        found = tr(sourceText)
        return None if found == sourceText else found


def _speak_of_qt() -> None:
    """Let Qt say its own words, buttons of dialogs and keys of menus, in the language of the window."""
    if QCoreApplication.instance() is None:
        return
    of_qt = QTranslator()
    if of_qt.load(f"qtbase_{language()}", QLibraryInfo.path(QLibraryInfo.LibraryPath.TranslationsPath)):
        _installed.append(of_qt)
    _installed.append(_KeyNames())
    for translator in _installed:
        QCoreApplication.installTranslator(translator)


def _words_of(value: Any) -> Any:  # noqa: ANN401 - an argument of any Qt method
    if isinstance(value, str):
        return said(value)
    if isinstance(value, (list, tuple)) and value and all(isinstance(item, str) for item in value):
        return [said(item) for item in value]
    return value


def _at_border(method: Callable[..., Any], *, first_only: bool) -> Callable[..., Any]:
    def translated(self: Any, *args: Any, **named: Any) -> Any:  # noqa: ANN401 - as the method that it stands for
        first = next((place for place, value in enumerate(args) if isinstance(value, str)), None)
        words = [
            value if first_only and place != first else _words_of(value) for place, value in enumerate(args)
        ]
        return method(self, *words, **named)

    return translated


def _at_question(question: Callable[..., Any]) -> Callable[..., Any]:
    """Translate the title, and what is offered; a folder or file to begin with (the third argument) stays."""

    def translated(*args: Any, **named: Any) -> Any:  # noqa: ANN401 - as the function that it stands for
        words = [value if place == 2 else _words_of(value) for place, value in enumerate(args)]
        return question(*words, **named)

    return translated


def translate() -> None:
    """Translate what is given to Qt from now on."""
    if _before:
        return
    _speak_of_qt()
    for owner, name in _BORDERS:
        _before[owner, name] = vars(owner)[name]
        setattr(owner, name, _at_border(getattr(owner, name), first_only=name in _FIRST_ONLY))
    for owner, name in _QUESTIONS:
        _before[owner, name] = vars(owner)[name]
        setattr(owner, name, staticmethod(_at_question(getattr(owner, name))))


def stop() -> None:
    """Give Qt what the window says as it says it."""
    for (owner, name), method in _before.items():
        setattr(owner, name, method)
    _before.clear()
    for translator in _installed:
        QCoreApplication.removeTranslator(translator)
    _installed.clear()
