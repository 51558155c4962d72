"""The tables of keys: no clash in any profile, everything reachable, nothing that one hand cannot press."""

import pytest

from limbstudio.ui.action_row import ActionRow, Where
from limbstudio.ui.actions import ACTIONS, MENUS, ROWS
from limbstudio.ui.palette import matches
from limbstudio.ui.shortcuts.keys import RESERVED, clashes, is_chord, normal, overlap, users_of
from limbstudio.ui.shortcuts.number_menu import GROUPS
from limbstudio.ui.shortcuts.profiles import PROFILE, PROFILES, keys_in_force, mirrored

ALL = pytest.mark.parametrize("profile", PROFILES, ids=lambda profile: profile.id)
ONE_HAND = pytest.mark.parametrize(
    "profile", [p for p in PROFILES if not p.chords], ids=lambda profile: profile.id
)
# What annotating a photo from beginning to end takes, over and over.
DAILY = (
    *(f"state_{s}" for s in ("visible", "occluded", "out_of_frame", "absent", "prosthesis")),
    "place_here", "skip", "step_back", "next_point", "previous_point", "next_photo", "previous_photo",
    "mark_ready", "fit_body", "accept_proposals", "new_person", "guided", "undo", "number_menu", "palette",
)  # fmt: skip


@ALL
def test_no_profile_has_a_clash_or_a_reserved_key(profile):
    keys = keys_in_force(profile, ACTIONS)

    assert clashes(keys, ACTIONS) == ()
    assert not [key for given in keys.values() for key in given if key in RESERVED]


@ALL
def test_a_profile_s_own_table_is_whole_and_free_of_clashes(profile):
    # A key that the table gives twice would be dropped without a word from the second action.
    keys = keys_in_force(profile, ACTIONS)
    for action, wanted in profile.keys.items():
        if action in ROWS:
            assert keys[action] == tuple(map(normal, wanted)), action
            assert all(map(normal, wanted)), action


@ALL
def test_every_action_stays_reachable(profile):
    keys = keys_in_force(profile, ACTIONS)
    for row in ACTIONS:
        if row.id != "palette":
            assert row in matches(row.text.removesuffix("..."), ACTIONS), row.id
        assert row.menu.partition("/")[0] in MENUS, row.id
    assert keys["palette"]
    assert keys["undo"]


@ONE_HAND
def test_one_hand_never_holds_two_keys(profile):
    keys = keys_in_force(profile, ACTIONS)

    assert [key for given in keys.values() for key in given if is_chord(key)] == []


@ONE_HAND
def test_what_is_done_all_day_lies_under_the_hand(profile):
    keys = keys_in_force(profile, ACTIONS)
    for action in DAILY:
        assert keys[action], f"{action} has no key"
        assert any(key in profile.reach for key in keys[action]), f"{action}: {keys[action]}"


@ONE_HAND
def test_a_hand_that_has_no_arrows_moves_by_other_keys(profile):
    keys = keys_in_force(profile, ACTIONS)
    for way in ("Left", "Right", "Up", "Down"):
        given = keys[f"move_{way.lower()}"]
        assert way in profile.reach or any(key in profile.reach for key in given)


def test_the_numbered_menu_has_at_most_nine_entries_and_only_known_actions():
    assert len(GROUPS) + 1 <= 9
    for title, ids in GROUPS:
        assert len(ids) <= 9, title
        assert [i for i in ids if i not in ROWS] == [], title


def test_the_left_handed_profile_follows_the_design_and_mirrors_the_rest():
    keys = keys_in_force(PROFILE["left_handed"], ACTIONS)

    states = ("visible", "occluded", "out_of_frame", "absent", "prosthesis", "unlabelled", "unsure")
    assert "".join(keys[f"state_{state}"][0] for state in states) == "0987654"
    assert keys["next_point"] == ("O",)
    assert keys["next_unfinished"] == ("Shift+L",)
    assert mirrored("Shift+E") == "Shift+I"
    assert keys["turn_right"] == ("Shift+I",)  # not in the table: the mirror image of Shift+E
    assert keys["undo"] == ("Ctrl+Z",)


def test_what_left_handed_people_do_all_day_lies_on_the_right_half():
    keys = keys_in_force(PROFILE["left_handed"], ACTIONS)
    right = "67890YUIOPHJKLNM[]\\;',./-="
    for action in DAILY:
        letters = [key for key in keys[action] if len(key) == 1]
        assert all(key in right for key in letters), (action, letters)


def test_own_keys_come_before_the_profile_and_the_profile_before_the_table():
    own = {"fit_body": ("R",)}
    keys = keys_in_force(PROFILE["right_handed"], ACTIONS, own)

    assert keys["fit_body"] == ("R",)
    assert keys["mark_ready"] == ()
    assert clashes(keys, ACTIONS) == ()


def test_new_actions_get_what_is_free_in_every_profile():
    new = ActionRow("new_one", "New one", "", "", "Person", ("W", "Ctrl+Alt+1"), where=Where.CANVAS)
    for profile in PROFILES:
        keys = keys_in_force(profile, (*ACTIONS, new))
        assert clashes(keys, (*ACTIONS, new)) == ()
    assert keys_in_force(PROFILE["right_handed"], (*ACTIONS, new))["new_one"] == ("Ctrl+Alt+1",)


def test_the_same_letter_may_mean_one_thing_on_the_photo_and_another_in_3d():
    assert overlap(Where.WINDOW, Where.MESH)
    assert not overlap(Where.CANVAS, Where.MESH)
    keys = {row.id: row.keys for row in ACTIONS}

    assert ROWS["fit_body"] not in users_of("F", ROWS["frame_limb"], keys, ACTIONS)
    assert ROWS["fit_body"] in users_of("F", ROWS["mark_ready"], keys, ACTIONS)


@pytest.mark.parametrize(
    ("key", "stored"),
    [("ctrl+k", "Ctrl+K"), ("num+7", "Num+7"), ("Num++", "Num++"), ("nonsense", ""), ("", "")],
)
def test_keys_are_stored_in_one_form(key, stored):
    assert normal(key) == stored


@pytest.mark.parametrize(
    ("key", "chord"),
    [("K", False), ("Num+7", False), ("Num++", False), ("+", False), ("Shift+K", True), ("Ctrl++", True)],
)
def test_the_number_pad_is_no_chord(key, chord):
    assert is_chord(key) is chord
