"""How a window is let go, for whatever opens many in one process: benchmarks and tests."""

import gc

from PySide6.QtCore import QEvent
from PySide6.QtWidgets import QApplication, QWidget
from shiboken6 import isValid


def close_window(window: QWidget) -> None:
    """Close a window and let Qt delete it. What Python holds of it goes with `let_go`, when no name is left."""
    if isValid(window):
        window.close()
        window.deleteLater()


def let_go() -> None:
    """Free what closed windows still hold: Qt's deletions that wait for events, and Python's circles."""
    for _ in range(3):  # a deletion may leave another one waiting
        QApplication.processEvents()
        QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete.value)
    gc.collect()
