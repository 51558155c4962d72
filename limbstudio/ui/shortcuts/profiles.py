"""Profiles of keys: for either hand at the mouse, for one hand, for a switch or pedal.

A profile is a table of the actions that have other keys than the action table says. All other actions keep the keys of
the action table as far as they are free and the profile's hand can press them; what is left without a key is reached
by the numbered menu, the palette and the menus.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from limbstudio.ui.action_row import ActionRow
from limbstudio.ui.shortcuts.keys import KeyMap, Keys, Taking, is_chord, normal

_STATES = ("visible", "occluded", "out_of_frame", "absent", "prosthesis", "unlabelled", "unsure")
_VIEWS = ("front", "back", "left", "right", "top", "bottom")


@dataclass(frozen=True)
class Profile:
    """Keys for one way of working. keys: action id -> keys. reach: where the hand lies, empty for both hands.

    chords: whether keys may be held together. mirrored: actions that are not in the table get the key at the same
    place of the keyboard's other half. scans: one or two keys step through what can be done.
    """

    id: str
    name: str
    about: str
    keys: KeyMap
    reach: frozenset[str] = frozenset()
    chords: bool = True
    mirrored: bool = False
    scans: bool = False


def _states(keys: Iterable[str]) -> dict[str, Keys]:
    return {f"state_{state}": (key,) for state, key in zip(_STATES, keys, strict=False)}


def _views(keys: Iterable[str]) -> dict[str, Keys]:
    return {f"view_{view}": (key,) for view, key in zip(_VIEWS, keys, strict=False)}


_LEFT_HANDED: dict[str, Keys] = {
    **_states("0987654"),
    "posture_standing": ("[",),
    "posture_sitting": ("]",),
    "posture_lying": ("\\",),
    "next_point": ("O",),
    "previous_point": ("U",),
    "step_back": ("I", "Backspace"),
    "next_photo": ("L",),
    "previous_photo": ("J",),
    "next_unfinished": ("Shift+L",),
    "previous_unfinished": ("Shift+J",),
    "next_person": ("Shift+O",),
    "previous_person": ("Shift+U",),
    "select": ("K",),
    "guided": ("H",),
    "fit_body": ("Y",),
    "mark_ready": ("P",),
    "accept_proposals": ("'",),
    "swap_limb": ("M",),
    "swap_body": ("Shift+M",),
    "flip_fit": ("N",),
    "loupe": ("3",),
    "names": ("2",),
    "inset": ("1",),
    **_views("123456"),
    "t_pose": ("7",),
    "frame_limb": ("Home",),
    "compare_cycle": ("9",),
    "compare_difference": ("8",),
    "girth_ring": ("H",),
    "tape": ("Y",),
    "section_card": ("L",),
    "solo_limb": ("Shift+K",),
}
_NUMBER_PAD: dict[str, Keys] = {
    **_states(f"Num+{n}" for n in range(1, 8)),
    "next_point": ("Num+9",),
    "previous_point": ("Num+8",),
    "step_back": ("Num+.", "Backspace"),
    "skip": ("Num+0",),
    "place_here": ("Num+Enter", "Return"),
    "next_photo": ("Num++",),
    "previous_photo": ("Num+-",),
    "next_unfinished": ("Num+*",),
    "number_menu": ("Num+/",),
    "state_ring": (),
    "mark_ready": ("PgDown",),
    "accept_proposals": ("PgUp",),
    "undo": ("End",),
    "fit_view": ("Home",),
    "clear_point": ("Del",),
    "new_person": ("F9",),
    "residual_limb": ("F12",),
    "fit_body": ("F8",),
    "palette": ("F4",),
    "guided": ("F5",),
    "select": ("F7",),
    **_views(f"Num+{n}" for n in range(1, 7)),
    "t_pose": ("Num+7",),
    "frame_limb": ("Num+9",),
    "view_axis": ("Num+0",),
    "press_on_limb": ("Num+.",),
}
_ONE_HAND_LEFT: dict[str, Keys] = {
    "move_up": ("W",),
    "move_left": ("A",),
    "move_down": ("S",),
    "move_right": ("D",),
    "place_here": ("Space",),
    "skip": ("X",),
    "step_back": ("Z",),
    "next_point": ("E",),
    "previous_point": ("Q",),
    **_states("12345"),
    "number_menu": ("R",),
    "palette": ("`",),
    "undo": ("C",),
    "redo": ("V",),
    "fit_body": ("F",),
    "guided": ("G",),
    "mark_ready": ("B",),
    "next_photo": ("T",),
    "previous_photo": ("F4",),
    "accept_proposals": ("6",),
    "new_person": ("F5",),
    "annotate": ("F7",),
    "residual_limb": ("F8",),
    "orbit_up": ("W",),
    "orbit_left": ("A",),
    "orbit_down": ("S",),
    "orbit_right": ("D",),
    **_views("12345"),
    "t_pose": ("Q",),
    "frame_limb": ("F",),
    "press_on_limb": ("Space",),
    "apply_on_limb": ("F5",),
    "compare_cycle": ("E",),
    "compare_difference": ("X",),
}
_ONE_HAND_RIGHT: dict[str, Keys] = {
    "move_up": ("I", "Up"),
    "move_left": ("J", "Left"),
    "move_down": ("K", "Down"),
    "move_right": ("L", "Right"),
    "place_here": ("Space", "Return"),
    "skip": ("M",),
    "step_back": ("Backspace", "N"),
    "next_point": ("O",),
    "previous_point": ("U",),
    **_states(("0", "9", "8", "7", "-")),
    "state_unlabelled": ("Del",),
    "clear_point": ("=",),
    "number_menu": ("P",),
    "palette": ("/",),
    "undo": (",",),
    "redo": (".",),
    "fit_body": ("Y",),
    "guided": ("H",),
    "mark_ready": (";",),
    "next_photo": ("PgDown",),
    "previous_photo": ("PgUp",),
    "accept_proposals": ("'",),
    "new_person": ("F9",),
    "annotate": ("F11",),
    "residual_limb": ("F12",),
    "orbit_up": ("I", "Up"),
    "orbit_left": ("J", "Left"),
    "orbit_down": ("K", "Down"),
    "orbit_right": ("L", "Right"),
    **_views("098765"),
    "t_pose": ("U",),
    "frame_limb": ("Home",),
    "press_on_limb": ("Space",),
    "compare_cycle": ("O",),
    "compare_difference": ("M",),
}
_SWITCH: dict[str, Keys] = {"scan_next": ("Space",), "scan_take": ("Return", "Num+Enter")}

_BESIDE_NUMBERS = (
    "Home",
    "End",
    "PgUp",
    "PgDown",
    "Del",
    "Backspace",
    "Return",
    "Left",
    "Right",
    "Up",
    "Down",
)
_TOP = tuple(f"F{n}" for n in range(1, 13) if n not in (6, 10))
PROFILES: tuple[Profile, ...] = (
    Profile("right_handed", "Right-handed", "The right hand at the mouse, the left one on the keys.", {}),
    Profile(
        "left_handed",
        "Left-handed",
        "The left hand at the mouse, the right one on the keys of the keyboard's right half.",
        _LEFT_HANDED,
        mirrored=True,
    ),
    Profile(
        "one_hand_numbers",
        "One hand, number pad",
        "One hand on the number pad; no two keys together. NumLock is on.",
        _NUMBER_PAD,
        frozenset((*(f"Num+{key}" for key in "0123456789.+-*/"), "Num+Enter", *_BESIDE_NUMBERS, *_TOP)),
        chords=False,
    ),
    Profile(
        "one_hand_left",
        "One hand, left half",
        "The left hand alone on the keyboard's left half; no two keys together. W A S D move, Space places.",
        _ONE_HAND_LEFT,
        frozenset((*"`123456QWERTASDFGZXCVB", "Space", "Esc", *(f"F{n}" for n in (1, 2, 3, 4, 5, 7, 8)))),
        chords=False,
    ),
    Profile(
        "one_hand_right",
        "One hand, right half",
        "The right hand alone on the keyboard's right half; no two keys together. I J K L move, Space places.",
        _ONE_HAND_RIGHT,
        frozenset(
            (*"7890-=YUIOP[]\\HJKL;'NM,./65", "Space", *_BESIDE_NUMBERS, "F7", "F8", "F9", "F11", "F12")
        ),
        chords=False,
    ),
    Profile(
        "switch",
        "Switch or pedal",
        "Two keys, or one: next goes through what can be done now, take does it. Space and Enter at first.",
        _SWITCH,
        scans=True,
    ),
)
PROFILE: Mapping[str, Profile] = {profile.id: profile for profile in PROFILES}
_ROWS = ("1234567890", "QWERTYUIOP", "ASDFGHJKL;", "ZXCVBNM,./")
_MIRROR = {a: b for row in _ROWS for a, b in zip(row, reversed(row), strict=True)}
_LEFT_HALF = frozenset(key for row in _ROWS for key in row[:5])


def mirrored(key: str) -> str:
    """Return the key at the same place of the keyboard's other half, as the other hand finds it: 'Q' for 'P'."""
    modifiers, _, last = normal(key).rpartition("+")
    return normal(f"{modifiers}+{_MIRROR[last]}" if modifiers else _MIRROR[last]) if last in _MIRROR else ""


def keys_in_force(profile: Profile, rows: Sequence[ActionRow], own: KeyMap | None = None) -> dict[str, Keys]:
    """Return action id -> keys. own: what the person chose; it comes before the profile, and that before the table.

    Nobody is given a key that another action, which comes before, has where both count.
    """
    own = own or {}
    taking = Taking()
    keys: dict[str, Keys] = {}
    for row in rows:
        if row.id in own:
            keys[row.id] = taking.give(own[row.id], row.where)
    for row in rows:
        if row.id in profile.keys and row.id not in keys:
            keys[row.id] = taking.give(profile.keys[row.id], row.where)
    for row in rows:
        if row.id not in keys:
            keys[row.id] = _what_is_left(profile, row, taking)
    return keys


def _what_is_left(profile: Profile, row: ActionRow, taking: Taking) -> Keys:
    wanted = [key for key in row.keys if profile.chords or not is_chord(key)]
    if not profile.mirrored:
        return taking.give(wanted, row.where)
    given: list[str] = []
    for key in map(normal, wanted):
        last = key.rpartition("+")[2]
        plain = "Ctrl" not in key and "Alt" not in key
        choices = [key]
        if plain and mirrored(key):
            choices = [mirrored(key), key] if last in _LEFT_HALF else [key, mirrored(key)]
        free = next((choice for choice in choices if taking.free(choice, row.where)), "")
        given.extend(taking.give([free] if free else [], row.where))
    return tuple(given)
