"""Waiting for something slow without a window that looks dead: it is drawn on, and takes no input until the end."""

import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import TypeVar

from PySide6.QtCore import QEventLoop, Qt, QTimer
from PySide6.QtWidgets import QApplication

_T = TypeVar("_T")
# What ends within this time is waited for at once: nobody sees it.
_AT_ONCE_S = 0.025
_LOOK_MS = 10
_SAY_AFTER_MS = 400

_waiting = 0


def is_waiting() -> bool:
    """Tell whether the window waits now: it must not be closed meanwhile."""
    return _waiting > 0


def without_freezing(work: Callable[[], _T], say: Callable[[], None] = lambda: None) -> _T:
    """Do `work` in a thread and return what it returned, or raise what it raised.

    For opening and closing a project, whose disk may take seconds. Keys and clicks that come meanwhile are kept and
    count afterwards. say: called when it takes longer, to tell the person what is waited for.
    """
    global _waiting
    future: Future[_T] = Future()
    ended = threading.Event()

    def run() -> None:
        try:
            future.set_result(work())
        except BaseException as error:  # noqa: BLE001 - it is raised again in the thread that waits
            future.set_exception(error)
        ended.set()

    threading.Thread(target=run, name="window-waits", daemon=True).start()
    if not ended.wait(_AT_ONCE_S):
        loop = QEventLoop()
        looking = QTimer()
        looking.timeout.connect(lambda: loop.quit() if ended.is_set() else None)
        looking.start(_LOOK_MS)
        saying = QTimer()
        saying.setSingleShot(True)
        saying.timeout.connect(say)
        saying.start(_SAY_AFTER_MS)
        _waiting += 1
        QApplication.setOverrideCursor(Qt.CursorShape.WaitCursor)
        try:
            loop.exec(QEventLoop.ProcessEventsFlag.ExcludeUserInputEvents)
        finally:
            QApplication.restoreOverrideCursor()
            _waiting -= 1
            looking.stop()
            saying.stop()
    return future.result()
