"""Keys and where they count: which are in force, and which clash. No window is needed for it."""

import functools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from PySide6.QtGui import QKeySequence

from limbstudio.ui.action_row import ActionRow, Where

Keys = tuple[str, ...]
KeyMap = Mapping[str, Keys]

_PORTABLE = QKeySequence.SequenceFormat.PortableText
# What the system, the window manager and screen readers need for themselves.
RESERVED: Mapping[str, str] = {
    **dict.fromkeys(("Tab", "Shift+Tab", "Ctrl+Tab", "Ctrl+Shift+Tab"), "moves the focus"),
    **dict.fromkeys(("F10", "Shift+F10", "Menu"), "opens menus"),
    **dict.fromkeys(("Alt+Tab", "Alt+Space", "Alt+F4", "Ctrl+W", "Ctrl+F4"), "belongs to the window manager"),
    **{f"Alt+{letter}": "opens a menu by its letter" for letter in "ABCDEFGHIJKLMNOPQRSTUVWXYZ"},
    **dict.fromkeys(("Ins", "CapsLock", "Num+Ins"), "belongs to screen readers"),
}
_MOVES = dict.fromkeys(("Left", "Right", "Up", "Down"), "moves the crosshair or the point by 1 px")
_FAR = dict.fromkeys((f"Shift+{key}" for key in _MOVES), "moves the crosshair or the point by 10 px")
# What the views take themselves. An action may have these keys all the same; the view then goes without.
BUILT_IN: Mapping[Where, Mapping[str, str]] = {
    Where.WINDOW: {},
    Where.CANVAS: {
        **_MOVES,
        **_FAR,
        **dict.fromkeys(("Return", "Enter", "Num+Enter"), "places at the crosshair"),
        "Space": "skips the point, presses with a tool; held, it pans",
    },
    Where.MESH: {
        **dict.fromkeys((*_MOVES, *(f"Ctrl+{key}" for key in _MOVES)), "orbits by 15 degrees"),
        **dict.fromkeys(("Return", "Enter", "Num+Enter"), "applies what is shown, or one dab of a brush"),
        "Space": "begins and ends a stroke, sets a place",
    },
}
WHERE_WORDS: Mapping[Where, str] = {
    Where.WINDOW: "Everywhere",
    Where.CANVAS: "Photo and points",
    Where.MESH: "3D view",
}
WHERE_PHRASES: Mapping[Where, str] = {
    Where.WINDOW: "everywhere",
    Where.CANVAS: "photo and points",
    Where.MESH: "3D view",
}


@dataclass(frozen=True)
class Clash:
    """A key that two actions claim where both count. first, second: action ids; the first of the table comes first."""

    key: str
    first: str
    second: str


@functools.lru_cache(maxsize=4096)
def normal(key: str) -> str:
    """Return a key as it is stored and compared: 'Ctrl+Shift+K'; empty for what is no key."""
    sequence = QKeySequence(key, _PORTABLE)
    # The text of an unknown key is empty or a lone modifier.
    return sequence.toString(_PORTABLE) if sequence.count() == 1 else ""


def normal_keys(keys: Iterable[str]) -> Keys:
    """Return keys in their stored form, each once, without those that are no keys."""
    return tuple(dict.fromkeys(found for found in map(normal, keys) if found))


def overlap(a: Where, b: Where) -> bool:
    """Tell whether keys of both places can count at the same time."""
    return a is b or Where.WINDOW in (a, b)


def is_chord(key: str) -> bool:
    """Tell whether a key needs another one to be held; the number pad's sign is no key to be held."""
    modifiers = normal(key).split("+")[:-1] if normal(key) != "+" else []
    return any(part in ("Ctrl", "Shift", "Alt", "Meta") for part in modifiers)


def clashes(keys: KeyMap, rows: Sequence[ActionRow]) -> tuple[Clash, ...]:
    """Return every key that two actions have in places that overlap."""
    holders: dict[str, list[ActionRow]] = {}
    for row in rows:
        for key in normal_keys(keys.get(row.id, ())):
            holders.setdefault(key, []).append(row)
    return tuple(
        Clash(key, first.id, second.id)
        for key, found in holders.items()
        for n, first in enumerate(found)
        for second in found[n + 1 :]
        if overlap(first.where, second.where)
    )


def users_of(key: str, row: ActionRow, keys: KeyMap, rows: Sequence[ActionRow]) -> tuple[ActionRow, ...]:
    """Return the other actions that have a key where it would count for `row`."""
    wanted = normal(key)
    return tuple(
        other
        for other in rows
        if other.id != row.id and overlap(other.where, row.where) and wanted in keys.get(other.id, ())
    )


def built_in_use(key: str, where: Where) -> str:
    """Return what a view does with a key itself, in words; empty when it does nothing."""
    places = [place for place in BUILT_IN if overlap(place, where)]
    return next((BUILT_IN[place][normal(key)] for place in places if normal(key) in BUILT_IN[place]), "")


class Taking:
    """Keys being given out: the first who asks has a key, in every place that overlaps."""

    def __init__(self) -> None:
        self._taken: dict[str, list[Where]] = {}

    def free(self, key: str, where: Where) -> bool:
        """Tell whether a key can still be given there."""
        return bool(key) and not any(overlap(where, other) for other in self._taken.get(key, ()))

    def give(self, wanted: Iterable[str], where: Where) -> Keys:
        """Return those of the wanted keys that were free; they are taken now."""
        given = [key for key in normal_keys(wanted) if self.free(key, where)]
        for key in given:
            self._taken.setdefault(key, []).append(where)
        return tuple(given)
