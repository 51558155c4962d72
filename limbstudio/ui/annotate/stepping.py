"""From photo to photo by keys that come faster than photos can be shown."""

import time

from PySide6.QtCore import QObject, QTimer

from limbstudio.ui.session import Session

_SOON_S = 0.02  # a key this soon after a step ended was pressed while the window was still busy with it


class Stepping(QObject):
    """Take steps at once; those that queued up behind a step are taken as one, so that a held key never lags."""

    def __init__(self, session: Session, parent: QObject) -> None:
        super().__init__(parent)
        self._session = session
        self._ended = float("-inf")
        self._waiting = 0
        # Without delay, yet behind the keys that wait in the window system's queue.
        self._timer = QTimer(self, interval=0, singleShot=True)
        self._timer.timeout.connect(self._take)

    def step(self, by: int) -> None:
        """Go by +1 or -1 photos."""
        self._waiting += by
        if self._timer.isActive():
            return
        if time.perf_counter() - self._ended < _SOON_S:
            self._timer.start()
        else:
            self._take()

    def _take(self) -> None:
        by, self._waiting = self._waiting, 0
        if by:
            self._session.step_photo(by)
        # What a step leaves to be painted belongs to it.
        QTimer.singleShot(0, self._note_end)

    def _note_end(self) -> None:
        self._ended = time.perf_counter()
