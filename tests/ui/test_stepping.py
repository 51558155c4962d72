"""Keys that come faster than photos can be shown are taken as one step; single ones at once."""

import time

import pytest
from PySide6.QtWidgets import QApplication

from limbstudio.ui.annotate.stepping import Stepping


class Photos:
    """Stands in for the session: remembers the steps, and is busy with each for a while."""

    def __init__(self, busy_s: float = 0.0) -> None:
        self.steps: list[int] = []
        self._busy_s = busy_s

    def step_photo(self, by: int) -> None:
        self.steps.append(by)
        time.sleep(self._busy_s)


@pytest.fixture
def settle(qtbot):
    def wait() -> None:
        for _ in range(4):
            QApplication.processEvents()

    return wait


def test_a_single_step_is_taken_at_once(settle):
    photos = Photos()
    stepping = Stepping(photos, QApplication.instance())

    stepping.step(1)

    assert photos.steps == [1]
    settle()
    time.sleep(0.05)
    stepping.step(-1)
    assert photos.steps == [1, -1]


def test_keys_that_queued_up_behind_a_step_become_one(settle):
    photos = Photos(busy_s=0.05)
    stepping = Stepping(photos, QApplication.instance())
    stepping.step(1)
    settle()

    for by in (1, 1, 1, -1):
        stepping.step(by)
    assert photos.steps == [1]
    settle()

    assert photos.steps == [1, 2]


def test_steps_there_and_back_leave_the_photo_alone(settle):
    photos = Photos()
    stepping = Stepping(photos, QApplication.instance())
    stepping.step(1)
    settle()

    stepping.step(1)
    stepping.step(-1)
    settle()

    assert photos.steps == [1]
