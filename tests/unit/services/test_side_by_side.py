"""A batch shared with other processes gives what it gives alone, in order, whatever happens to them."""

import multiprocessing
import os
import signal
import sys
import time
from pathlib import Path

import pytest

from limbstudio.domain.errors import KnownError
from limbstudio.services.side_by_side import Helpers

# ------------------------------------------------------- what a process runs: functions of this module


def warm_up():
    """Import nothing: numbers are doubled."""


def in_a_helper():
    return multiprocessing.parent_process() is not None


def double_and_tell_who(number):
    time.sleep(0.05)
    return 2 * number, os.getpid()


def die_on_three(piece):
    """A helper dies of the third piece; here every piece waits until it has, so that the third falls to the helper."""
    number, died = piece
    if not in_a_helper():
        until = time.monotonic() + 60
        while not died.exists():
            assert time.monotonic() < until
            time.sleep(0.005)
    elif number == 3:
        died.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return number


def refuse_mistake(number):
    time.sleep(0.05)
    if in_a_helper():
        raise ZeroDivisionError("a mistake")
    return number


def leave_a_file(path):
    time.sleep(0.3)
    path.touch()


@pytest.fixture(scope="module")
def helpers():
    with Helpers(__name__, most=1) as found:
        found.start(10)
        assert [start.wait(60) for start in found._starts] == [True]
        yield found


def never(piece, error):
    raise AssertionError(f"{piece}: {error}")


def test_results_come_in_order_and_the_helper_did_some(helpers):
    done = list(helpers.work_through(range(20), double_and_tell_who, instead=never))

    assert [number for number, _ in done] == [2 * i for i in range(20)]
    assert {who for _, who in done} == {os.getpid(), helpers._lanes[0].process_id}


def test_without_helpers_everything_is_done_here():
    done = list(Helpers(__name__, most=0).work_through(range(5), double_and_tell_who, instead=never))

    assert done == [(2 * i, os.getpid()) for i in range(5)]


def test_few_pieces_start_no_process():
    alone = Helpers(__name__, most=3)

    assert list(alone.work_through([1, 2], double_and_tell_who, instead=never))[0] == (2, os.getpid())
    assert alone._lanes == []


def test_progress_counts_what_is_finished_and_never_falls(helpers):
    told = []

    list(
        helpers.work_through(
            range(10), double_and_tell_who, instead=never, about_to=lambda done, piece: told.append(done)
        )
    )

    assert told == sorted(told)
    assert told[0] == 0
    assert told[-1] > len(told) - 2  # the helper's are counted too


@pytest.mark.skipif(sys.platform == "win32", reason="kills as only other systems do")
def test_a_piece_whose_process_died_gives_what_stands_in_and_the_others_go_on(helpers, tmp_path: Path):
    errors = {}
    pieces = [(number, tmp_path / "died") for number in range(1, 7)]

    def instead(piece, error):
        errors[piece[0]] = error
        return "died"

    done = list(helpers.work_through(pieces, die_on_three, instead=instead))

    assert done == [1, 2, "died", 4, 5, 6]
    assert isinstance(errors[3], KnownError)
    assert errors[3].hint


def test_a_mistake_in_a_helper_rises_here_with_its_traceback(helpers):
    with pytest.raises(RuntimeError, match="ZeroDivisionError"):
        list(helpers.work_through(range(20), refuse_mistake, instead=never))


def test_work_that_is_broken_off_leaves_no_half_piece(helpers, tmp_path: Path):
    paths = [tmp_path / str(i) for i in range(6)]

    def stop(done, path):
        if done:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        list(helpers.work_through(paths, leave_a_file, instead=never, about_to=stop))
    left = set(tmp_path.iterdir())
    time.sleep(0.5)

    assert set(tmp_path.iterdir()) == left
    assert 0 < len(left) < len(paths)
