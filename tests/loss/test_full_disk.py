"""A disk that is full at random moments: nothing confirmed is lost, and work goes on when there is space again."""

import contextlib
import random
import subprocess
import time
from pathlib import Path

import pytest

from limbstudio.domain.errors import KnownError
from limbstudio.services import journal
from limbstudio.services.store import Saving
from limbstudio.services.studio import Studio, StudioEvent, What

from .counts import times
from .judge import judge
from .robot import Robot, fingerprint
from .small_disk import small_disk


def fill(disk: Path, chance: random.Random) -> Path:
    """Take what is left on the disk, or nearly."""
    ballast = disk / "ballast"
    spare = chance.choice([0, 0, 4096, 20_000, 60_000])
    with contextlib.suppress(OSError), ballast.open("wb", buffering=0) as file:
        while True:
            file.write(bytes(4096))
    if spare:
        size = ballast.stat().st_size
        subprocess.run(["truncate", "-s", str(max(size - spare, 0)), ballast], check=True)
    return ballast


class Listening(Robot):
    """A robot in this process; what was confirmed stands in `confirmed`."""

    def __init__(self, folder: Path, seed: int) -> None:
        self.confirmed: dict[int, str] = {}
        super().__init__(folder, seed)
        self.studio._opened()[0].retry_s = 0.05

    def confirm_later(self, entry, saved) -> None:
        mark = fingerprint(journal.change_rows(entry.edit.changes))
        saved.add_done_callback(lambda _: self.confirmed.setdefault(entry.sequence, mark))


@pytest.mark.timeout(1800)
def test_nothing_is_lost_to_a_disk_that_is_full_at_random_moments(tmp_path):
    rounds, chance = times(3, 50), random.Random(17)
    waited = 0
    with small_disk(tmp_path / "disk", "6m") as disk:
        folder = disk / "p.limb"
        confirmed: dict[int, str] = {}
        for number in range(rounds):
            if number % 10 == 0:
                subprocess.run(["rm", "-rf", folder], check=True)
                confirmed = {}
            robot = Listening(folder, number)
            states: list[StudioEvent] = []
            robot.studio.listen(states.append)
            for _ in range(chance.randrange(1, 40)):
                with contextlib.suppress(KnownError):
                    robot.undo()
            ballast = fill(disk, chance)
            for _ in range(chance.randrange(5, 60)):
                with contextlib.suppress(KnownError):  # an edit that does not fit; never the disk
                    robot.undo()
                time.sleep(0.001)
            time.sleep(0.1)
            waited += _is_waiting(robot.studio)
            if _is_waiting(robot.studio):
                assert "disk is full" in robot.studio.save_state.message
            if number % 3 == 2:  # closed while it is full: what waits is named, what was confirmed is there
                confirmed |= robot.confirmed
                lost = robot.studio.abandon()
                assert not {entry.sequence for entry in lost} & robot.confirmed.keys()
                ballast.unlink()
            else:  # there is space again: everything is saved
                ballast.unlink()
                robot.studio.close()
                confirmed |= robot.confirmed
                said = [e.entry.sequence for e in states if e.what is What.EDITED and e.entry]
                assert set(said) <= confirmed.keys()
            judge(folder, confirmed)
    print(f"{rounds} times full, {waited} times saving waited, 0 confirmed edits lost")
    assert waited > 0


def _is_waiting(studio: Studio) -> bool:
    return studio.save_state.saving is Saving.WAITING
