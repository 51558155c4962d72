"""Which language the window speaks: chosen in the menu, spoken from the next start."""

from typing import TYPE_CHECKING

from PySide6.QtCore import QLocale, QSettings

from limbstudio.ui import words
from limbstudio.ui.action_row import Owner
from limbstudio.ui.features import Feature
from limbstudio.ui.words import at_qt

if TYPE_CHECKING:
    from limbstudio.ui.main_window import MainWindow

SYSTEM = "system"
_CHOICES = (SYSTEM, *words.LANGUAGES)
_FROM_THE_NEXT_START = {
    "en": ("English is spoken from the next start of LimbStudio.", "Close the window and open it again."),
    "de": ("Ab dem nächsten Start spricht LimbStudio Deutsch.", "Das Fenster schließen und wieder öffnen."),
}


def remembered_language(memory: QSettings) -> str:
    """Return the language of the choice of last time: 'en' or 'de'; the system's at first, English where unknown."""
    choice = str(memory.value("language", SYSTEM))
    return choice if choice in words.LANGUAGES else _of_system()


def _of_system() -> str:
    code = QLocale.system().name().split("_")[0]
    return code if code in words.LANGUAGES else "en"


def speak(language: str) -> None:
    """Speak a language in every window that is made from now on."""
    words.use(language)
    if words.language() == "en":
        at_qt.stop()
    else:
        at_qt.translate()


class LanguageChoice(Feature):
    """Own the choice of the language."""

    owner = Owner.LANGUAGE

    def __init__(self, window: "MainWindow") -> None:
        super().__init__(window)
        choice = str(window.memory.value("language", SYSTEM))
        self._show(choice if choice in _CHOICES else SYSTEM)

    def _show(self, choice: str) -> None:
        for name in _CHOICES:
            self.window.actions_table[f"language_{name}"].setChecked(name == choice)

    def _choose(self, choice: str) -> None:
        self.window.memory.setValue("language", choice)
        self._show(choice)
        wanted = remembered_language(self.window.memory)
        if wanted != words.language():
            message, hint = _FROM_THE_NEXT_START[wanted]
            self.window.message_bar.say(message, hint, serious=False)

    def other_language(self) -> None:
        """Choose the language that is not spoken now."""
        self._choose("de" if remembered_language(self.window.memory) == "en" else "en")

    def use_system(self, checked: bool = True) -> None:
        self._choose(SYSTEM)

    def use_english(self, checked: bool = True) -> None:
        self._choose("en")

    def use_german(self, checked: bool = True) -> None:
        self._choose("de")
