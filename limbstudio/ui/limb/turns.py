"""What follows a limb that moves, in turns: so many lookers-on, one at a time, that no step of the hand waits long."""

from collections.abc import Callable

from PySide6.QtCore import QObject, QTimer

# Five take part: each is brought up to date more than three times a second.
_EVERY_MS = 55


class Turns(QObject):
    """Call each of the turns once after the limb has moved, with steps of the hand between them."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._all: list[Callable[[], bool]] = []
        self._due: list[Callable[[], bool]] = []
        self._timer = QTimer(self, interval=_EVERY_MS, singleShot=True)
        self._timer.timeout.connect(self._next)

    def add(self, turn: Callable[[], bool]) -> None:
        """Take in a turn. It returns whether it had anything to do; else the next one comes at once."""
        self._all.append(turn)

    def moved(self) -> None:
        """The limb has moved: everybody gets a turn, those who wait longest first."""
        self._due += [turn for turn in self._all if turn not in self._due]
        if self._due and not self._timer.isActive():
            self._timer.start()

    def stop(self) -> None:
        """The limb rests: what is still due is brought up to date otherwise."""
        self._due = []
        self._timer.stop()

    def _next(self) -> None:
        while self._due and not self._due.pop(0)():
            pass
        if self._due:
            self._timer.start()
