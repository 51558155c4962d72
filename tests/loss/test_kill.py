"""Kill -9 at random moments: no confirmed edit is lost, and the project opens."""

import itertools
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from limbstudio.services.backups import backups_of

from .counts import times
from .judge import confirmed_in, judge, on_disk_file

_ROOT = Path(__file__).resolve().parents[2]
WHATS = ("edit", "undo", "batch", "import", "export", "compact")


def run_and_kill(
    folder: Path, photos: Path, what: str, seed: int, alive_s: float, robot: str = "tests.loss.robot"
) -> str:
    """Let a robot work for so long, kill it, and return what it said."""
    command = [sys.executable, "-m", robot, str(folder), str(photos), what, str(seed)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=_ROOT)
    assert process.stdout is not None
    assert process.stderr is not None
    first = process.stdout.readline()
    time.sleep(alive_s)
    process.send_signal(signal.SIGKILL)
    said, complaints = process.communicate(timeout=60)
    assert process.returncode == -signal.SIGKILL, complaints.decode()
    return (first + said).decode(errors="replace")


@pytest.mark.timeout(7200)
def test_no_confirmed_edit_is_lost_to_a_kill_at_any_moment(tmp_path, photos, record_property):
    kills, chance = times(6, 200), random.Random(11)
    total = 0
    for number, what in zip(range(kills), itertools.cycle(WHATS), strict=False):
        if number % (5 * len(WHATS)) == 0:  # the same project is killed many times, then a new one
            folder = tmp_path / f"{number}.limb"
            confirmed: dict[int, str] = {}
        said = run_and_kill(folder, photos, what, number, chance.random() ** 2 * 0.8)
        now = confirmed_in(said)
        total += len(now)
        confirmed |= now
        if what == "compact":  # what it lets go is in the backup that it made first
            there = judge(folder, {})
            gone = {s: mark for s, mark in confirmed.items() if s not in there}
            assert are_in_backups(gone, folder)
            confirmed = {s: mark for s, mark in confirmed.items() if s in there}
        judge(folder, confirmed)
    record_property("kills", kills)
    record_property("confirmed edits", total)
    print(f"{kills} kills, {total} confirmed edits, 0 lost")
    assert total > 10 * kills


@pytest.mark.timeout(14_400)
def test_no_confirmed_edit_made_by_real_events_is_lost_to_a_kill(tmp_path, photos, record_property):
    if not os.environ.get("DISPLAY"):
        pytest.skip("needs a display: run it with `make test` or `make loss`")
    kills, chance = times(3, 200), random.Random(12)
    total = 0
    for number, what in zip(
        range(kills), itertools.cycle(("edit", "undo", "batch", "import", "export")), strict=False
    ):
        if number % 20 == 0:
            folder = tmp_path / f"{number}.limb"
            confirmed: dict[int, str] = {}
        said = run_and_kill(
            folder, photos, what, number, 0.2 + chance.random() * 1.5, "tests.loss.window_robot"
        )
        now = confirmed_in(said)
        total += len(now)
        confirmed |= now
        judge(folder, confirmed)
    record_property("kills", kills)
    print(f"{kills} kills of the window, {total} confirmed edits, 0 lost")
    assert total > 3 * kills


def are_in_backups(entries: dict[int, str], folder: Path) -> bool:
    for backup in backups_of(folder, ""):
        held = on_disk_file(backup.path)
        entries = {s: mark for s, mark in entries.items() if held.get(s) != mark}
    return not entries
