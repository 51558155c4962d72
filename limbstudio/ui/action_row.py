"""One row of the table of actions: what it is called, where its keys count and whose method it is."""

from dataclasses import dataclass
from enum import StrEnum


class Where(StrEnum):
    """Where an action's keys count. CANVAS and MESH: only while that view (or its table) has the focus."""

    WINDOW = "window"
    CANVAS = "canvas"
    MESH = "mesh"


class Owner(StrEnum):
    """Whose method the slot is."""

    WINDOW = "window"
    ANNOTATE = "annotate"
    GUIDE = "guide"
    POINTS = "points"
    CANVAS = "canvas"
    SELECTION = "selection"
    LIMB = "limb"
    MEASURING = "measuring"
    CORRECTING = "correcting"
    LIVING = "living"
    COMPARING = "comparing"
    FIT_OPTIONS = "fit_options"
    PREDICTING = "predicting"
    PHOTO_SEARCH = "photo_search"
    IMPORTING = "importing"
    PEOPLE = "people"
    HISTORY = "history"
    JOBS = "jobs"
    MASKS = "masks"
    PLUGINS = "plugins"
    SHORTCUTS = "shortcuts"
    KEYBOARD = "keyboard"
    SWITCHES = "switches"
    PROPOSALS = "proposals"
    RESIZING = "resizing"
    APPEARANCE = "appearance"
    PRIVACY = "privacy"
    HELP = "help"
    SPEECH = "speech"
    LANGUAGE = "language"


@dataclass(frozen=True)
class ActionRow:
    """One action. slot: a method of its owner, called without arguments (with the new state when checkable).

    menu: 'File', or 'Limb/Level' for a submenu; empty for none. group: a line is drawn between groups of a menu.
    synonyms: more words under which the palette finds it. needs: what must be there for it to be enabled.
    """

    id: str
    text: str
    icon: str
    slot: str
    menu: str
    keys: tuple[str, ...] = ()
    owner: Owner = Owner.WINDOW
    where: Where = Where.WINDOW
    group: int = 0
    checkable: bool = False
    needs: str = ""
    synonyms: str = ""
