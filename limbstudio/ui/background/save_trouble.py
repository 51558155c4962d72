"""Saving that waits for a disk: said until it is over, with a button to try at once."""

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject

from limbstudio.services.store import SaveState, Saving

if TYPE_CHECKING:
    from limbstudio.ui.main_window import MainWindow


class SaveTrouble(QObject):
    """Say why edits cannot be saved, once for each reason, and that they are saved when that is over."""

    def __init__(self, window: "MainWindow") -> None:
        super().__init__(window)
        self._window = window
        self._said = ""
        window.session.saving_changed.connect(self._on_state)
        window.session.closed.connect(self._forget)

    @property
    def is_there(self) -> bool:
        return bool(self._said)

    def try_now(self) -> None:
        """Try to save at once instead of in a few seconds."""
        self._window.studio.save_now()

    def _forget(self) -> None:
        self._said = ""

    def _on_state(self, state: SaveState) -> None:
        if state.saving is Saving.WAITING and state.message != self._said:
            self._said = state.message
            self._window.message_bar.say(state.message, state.hint, button="Try now", act=self.try_now)
            self._window.show_available()
        elif state.saving is Saving.SAVED and self._said:
            self._forget()
            self._window.message_bar.say("All edits are saved again.", serious=False)
            self._window.show_available()
