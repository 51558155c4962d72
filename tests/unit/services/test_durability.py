"""What was confirmed survives: a kill at any moment, and, by the order of system calls, a power cut."""

import json
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import pytest

from limbstudio.services.store import Store

_ROOT = Path(__file__).resolve().parents[3]

# Writes edits as fast as it can and says each one that was confirmed.
_WRITER = """
import os, sys
from pathlib import Path
from limbstudio.domain import edits
from limbstudio.domain.photo import Person
from limbstudio.services.store import Store
folder, count = Path(sys.argv[1]), int(sys.argv[2])
store = Store.open(folder) if folder.exists() else Store.create(folder)
assert not store.read_only_reason, store.read_only_reason
first = len(store.project.records)
blob = None
for number in range(first, first + count):
    if blob is None or number % 3 == 0:
        blob = store.put_blob(b"mask %d" % number)
    edit = edits.add_person(Person(str(number), "photo", notes=blob))
    _, done = store.append(edit, who="me")
    def confirm(future, number=number):
        os.write(1, b"confirmed %d\\n" % number)
    done.add_done_callback(confirm)
    if number % 5 == 0:
        done.result(30)
store.close()
"""


def run_writer(folder: Path, count: int) -> subprocess.Popen:
    command = [sys.executable, "-c", _WRITER, str(folder), str(count)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, cwd=_ROOT)


def test_every_confirmed_edit_survives_a_kill_at_a_random_moment(tmp_path):
    folder = tmp_path / "p.limb"
    chance = random.Random(7)
    confirmed: set[int] = set()
    for _ in range(8):
        process = run_writer(folder, 100_000)
        assert process.stdout is not None
        lines = [process.stdout.readline() for _ in range(chance.randrange(1, 200))]
        time.sleep(chance.random() * 0.02)
        process.send_signal(signal.SIGKILL)
        lines += process.stdout.read().splitlines()
        process.stdout.close()
        process.wait()
        # The last line may be cut off in the middle: then it was not said.
        confirmed |= {int(m[1]) for line in lines if (m := re.fullmatch(rb"confirmed (\d+)\n?", line))}

        store = Store.open(folder)

        assert store.read_only_reason == ""
        there = {int(identity) for _, identity in store.project.records}
        assert confirmed <= there
        assert there == set(range(len(there))), "edits are there in order, without a gap"
        for person in store.project.records.values():
            assert store.read_blob(person.notes).startswith(b"mask ")
        assert len(store.journal(everything=True)) == len(there)
        store.close()
    assert len(confirmed) > 100


@dataclass
class Traced:
    """What a writer's system calls were. early: confirmations said while something written was not synced."""

    confirmed: int = 0
    early: int = 0
    log_writes: int = 0
    blob_folder_syncs: int = 0


def trace_writer(tmp_path: Path, script: str, count: int) -> Traced:
    """Run a writer under strace and read the order of its writes, syncs and confirmations."""
    if shutil.which("strace") is None:
        pytest.skip("strace is not installed")
    folder, trace = tmp_path / "p.limb", tmp_path / "trace"
    calls = "trace=pwrite64,write,fsync,fdatasync"
    command = [
        "strace",
        "-f",
        "-y",
        "-q",
        "-s",
        "60",
        "-e",
        calls,
        "-o",
        str(trace),
        sys.executable,
        "-c",
        script,
    ]
    result = subprocess.run(
        [*command, str(folder), str(count)], cwd=_ROOT, capture_output=True, timeout=100, check=False
    )
    if result.returncode and b"ptrace" in result.stderr:
        pytest.skip("strace may not trace here")
    assert result.returncode == 0, result.stderr
    found, unsynced = Traced(), set()
    for line in trace.read_text(errors="replace").splitlines():
        call = re.match(r"\d+ +(\w+)\(\d+<([^>]*)>(.*)", line)
        if call is None:
            continue
        name, path, rest = call.groups()
        if '"confirmed ' in rest:
            found.confirmed += 1
            found.early += bool(unsynced)
        elif "write" in name and path.startswith(str(folder)) and not path.endswith("-shm"):
            unsynced.add(path)
            found.log_writes += path.endswith("-wal")
        elif "sync" in name:
            unsynced.discard(path)
            found.blob_folder_syncs += path == str(folder / "blobs")
    return found


def test_every_confirmed_edit_was_synced_before_it_was_confirmed(tmp_path):
    """kill -9 cannot show this: the system keeps what was written. So the order of system calls is read."""
    traced = trace_writer(tmp_path, _WRITER, 60)

    assert traced.confirmed == 60
    assert traced.early == 0
    assert traced.log_writes >= 60
    assert traced.blob_folder_syncs == 20, "the name of each blob is synced too"


def test_the_reading_of_system_calls_finds_a_missing_sync(tmp_path):
    """A test that cannot fail proves nothing."""
    careless = _WRITER.replace(
        "blob = None", "store._writer.connection.execute('PRAGMA synchronous=OFF'); blob = None"
    )

    traced = trace_writer(tmp_path, careless, 30)

    assert traced.confirmed == 30
    assert traced.early > 0


def test_a_journal_can_be_read_without_limbstudio(tmp_path):
    import sqlite3

    process = run_writer(tmp_path / "p.limb", 3)
    process.communicate(timeout=60)
    connection = sqlite3.connect(tmp_path / "p.limb" / "project.sqlite")

    rows = connection.execute("SELECT after FROM change ORDER BY sequence").fetchall()
    connection.close()

    assert [json.loads(row[0])["id"] for row in rows] == ["0", "1", "2"]
    assert os.listdir(tmp_path / "p.limb" / "blobs")
