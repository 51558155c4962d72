"""A power cut at random moments: of what was written, only what was synced is sure to be there.

A kill shows nothing of this, because the system keeps what a killed program wrote. So a robot's run is recorded at the
border to the system (`recorder.c`), and the disk is made as it would be after a cut (`power.py`).
"""

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from limbstudio.services.store import Store

from .counts import times
from .judge import confirmed_in, judge, on_disk_file
from .power import Disk, read_record

_ROOT = Path(__file__).resolve().parents[2]
_CARELESS = """
import sqlite3
from limbstudio.services import project_file
careful = project_file.connect
def connect(path):
    connection = careful(path)
    connection.execute("PRAGMA synchronous=OFF")
    return connection
project_file.connect = connect
from tests.loss.robot import main
main()
"""


def recorded_run(
    recorder: Path, tmp_path: Path, photos: Path, what: str, seconds: float, script: str = ""
) -> tuple[Path, Path]:
    """Let a robot work for a while; return its project and the record of what it did."""
    folder, record = tmp_path / what / "p.limb", tmp_path / f"{what}.record"
    folder.parent.mkdir()
    environment = os.environ | {
        "LD_PRELOAD": str(recorder), "RECORD_FOLDER": str(folder), "RECORD_FILE": str(record),
    }  # fmt: skip
    start = ["-c", script] if script else ["-m", "tests.loss.robot"]
    process = subprocess.Popen(
        [sys.executable, *start, str(folder), str(photos), what, "3"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=_ROOT, env=environment,
    )  # fmt: skip
    assert process.stdout is not None
    process.stdout.readline()
    time.sleep(seconds)
    process.send_signal(signal.SIGKILL)
    _, complaints = process.communicate(timeout=60)
    assert process.returncode == -signal.SIGKILL, complaints.decode()
    return folder, record


def said_before(items, cut: int) -> str:
    return b"".join(item.data for item in items[:cut] if item.kind == "s").decode()


def cuts_of(folder: Path, record: Path, number: int, chance: random.Random, target: Path):
    """Yield (what was said until a cut, the folder as the disk holds it then)."""
    items = read_record(record)
    begin = next(n for n, item in enumerate(items) if item.kind == "s")  # from when the project is there
    moments = sorted(chance.randrange(begin, len(items)) for _ in range(number))
    disk, at = Disk(folder.parent / "nothing"), 0
    disk.root = str(folder)
    for n, moment in enumerate(moments):
        for item in items[at:moment]:
            disk.follow(item)
        at = moment
        place = target / f"{n}" / "p.limb"
        place.mkdir(parents=True)
        disk.after_cut(place, None if n % 2 else random.Random(chance.random()))
        yield said_before(items, moment), place


@pytest.mark.timeout(3600)
@pytest.mark.parametrize("what", ["edit", "undo", "import", "batch", "compact"])
def test_no_confirmed_edit_is_lost_to_a_power_cut(tmp_path, recorder, photos, what):
    number = times(4, 40)
    folder, record = recorded_run(recorder, tmp_path, photos, what, times(1, 5))
    chance, total = random.Random(5), 0

    for said, place in cuts_of(folder, record, number, chance, tmp_path / "cuts"):
        confirmed = confirmed_in(said)
        total += len(confirmed)
        if what == "compact":  # what it lets go is in the backup that it made first
            there = judge(place, {})
            gone = {s: mark for s, mark in confirmed.items() if there.get(s) != mark}
            for backup in (place / "backups").glob("*.sqlite"):
                held = on_disk_file(backup)
                gone = {s: mark for s, mark in gone.items() if held.get(s) != mark}
            assert not gone
        else:
            judge(place, confirmed)
        shutil.rmtree(place)
    print(f"{what}: {number} cuts, {total} times an edit was confirmed before one, 0 lost")
    assert total > number


def test_a_writer_that_does_not_sync_is_found_out(tmp_path, recorder, photos):
    """A test that cannot fail proves nothing."""
    folder, record = recorded_run(recorder, tmp_path, photos, "edit", 0.5, _CARELESS)
    lost = 0

    for said, place in cuts_of(folder, record, 8, random.Random(5), tmp_path / "cuts"):
        try:
            there = on_disk_file(place / "project.sqlite")
        except Exception:  # noqa: BLE001 - damaged in any way
            there = {}
        lost += any(there.get(s) != mark for s, mark in confirmed_in(said).items())

    assert lost > 0


def test_a_project_after_a_cut_goes_on(tmp_path, recorder, photos):
    folder, record = recorded_run(recorder, tmp_path, photos, "edit", 0.5)
    _, place = list(cuts_of(folder, record, 3, random.Random(1), tmp_path / "cuts"))[-1]

    store = Store.open(place)
    store.keep_result("hash", "stage", "{}")
    store.close()

    assert Store.open(place, read_only=True).result("hash") == "{}"
