"""Stepping and aiming with one or two keys, without a window."""

import pytest

from limbstudio.ui.actions import ROWS
from limbstudio.ui.guided import Phase
from limbstudio.ui.shortcuts.feature import Run
from limbstudio.ui.shortcuts.scanning import (
    Aim,
    Axis,
    Scan,
    choices,
    fixed,
    following,
    moved,
    renewed,
    turned,
)


def now(phase, **there):
    facts = {"has_photo": True, "has_person": True, "has_3d": False, "expected": False, "proposals": False}
    return choices(phase, **{**facts, **there})


def test_every_choice_is_an_action_or_one_of_two_of_its_own():
    for phase in Phase:
        for there in ({}, {"has_photo": False}, {"has_person": False}, {"has_3d": True}, {"proposals": True}):
            found = now(phase, **there)
            assert [c for c in found if c not in ROWS and c not in ("aim", "limb_levels")] == []
            assert found[-1] == "number_menu"  # from there everything is reached
            assert len(set(found)) == len(found)


def test_the_likeliest_comes_first():
    assert now(Phase.LIMBS)[0] == "skip"
    assert now(Phase.PLACE)[0] == "aim"
    assert now(Phase.PLACE, expected=True)[0] == "place_here"
    assert now(Phase.PLACE, proposals=True)[0] == "accept_proposals"
    assert now(Phase.CHECK)[0] == "mark_ready"


def test_stepping_goes_round_and_counts_the_rounds():
    scan = Scan(("a", "b"))
    assert scan.chosen == "a"
    scan = following(following(following(scan)))
    assert (scan.chosen, scan.rounds) == ("b", 1)
    assert renewed(scan, ("a", "b")) is scan
    assert renewed(scan, ("c",)) == Scan(("c",))
    assert following(Scan()) == Scan()


def test_a_line_turns_at_the_edges_and_finds_a_place_in_two_steps():
    aim = moved(Aim(), 0.7)
    assert moved(aim, 0.7).way == -1
    assert moved(aim, 0.7).position == 1.0
    assert turned(aim).way == -1
    aim, place = fixed(aim)
    assert place is None
    assert aim.axis is Axis.DOWN
    assert fixed(moved(aim, 0.25))[1] == pytest.approx((0.7, 0.25))


def test_a_run_of_presses_takes_long_steps_and_a_pause_ends_it():
    times = [0.1 * n for n in range(8)] + [5.0, 5.1]
    clock = iter(times)
    run = Run(lambda: next(clock))

    far = [run.is_far("left") for _ in range(8)]
    assert far == [False] * 6 + [True] * 2
    assert not run.is_far("left")
    assert not run.is_far("right")
