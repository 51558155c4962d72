"""What the computer has, and what we take of it."""

import mmap
import os
import subprocess
import sys

import pytest

from limbstudio.services import machine

linux = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux says it in files")


@linux
def test_the_memory_of_the_computer_holds_what_is_free_of_it():
    memory = machine.memory()

    assert memory is not None
    assert 0 < memory.free <= memory.total


@linux
def test_a_process_holds_more_after_it_took_some():
    before = machine.memory_of(os.getpid())
    taken = mmap.mmap(-1, 60_000_000)  # of the system: freed memory that the process still has would not show
    for start in range(0, len(taken), mmap.PAGESIZE):
        taken[start] = 1
    after = machine.memory_of(os.getpid())

    assert before is not None
    assert after is not None
    assert len(taken) * 0.8 < after - before < len(taken) * 1.5


@linux
def test_what_was_freed_and_held_goes_back_to_the_system():
    small = [bytearray(20_000) for _ in range(3000)]  # below the size that the system is asked for by itself
    last = bytearray(20_000)  # what lies behind keeps the rest from going back by itself
    full = machine.memory_of(os.getpid())
    del small
    machine.give_back_memory()
    left = machine.memory_of(os.getpid())

    assert full is not None
    assert left is not None
    assert len(last) == 20_000
    assert full - left > 40_000_000


@linux
def test_of_a_process_that_is_gone_nothing_is_said():
    process = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    there = process.pid in machine.children()
    process.communicate(b"\n")

    assert there
    assert process.pid not in machine.children()
    assert machine.memory_of(process.pid) is None


@pytest.mark.parametrize(("free", "is_short"), [(0.5, False), (0.05, True)])
def test_memory_is_short_before_it_runs_out(free, is_short):
    assert machine.Memory(10**10, int(free * 10**10)).is_short is is_short


@pytest.mark.parametrize(("size", "words"), [(640_000_000, "640 MB"), (1_440_000_000, "1.4 GB")])
def test_sizes_in_words(size, words):
    assert machine.size_words(size) == words


def test_the_worker_may_take_most_of_the_memory_but_not_all():
    most, known = machine.most_for_worker(), machine.memory()

    assert (most is None) == (known is None)
    if most is not None and known is not None:
        assert 0.5 * known.total < most < known.total
