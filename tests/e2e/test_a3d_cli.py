"""Making synthetic samples from the command line, as a user does, also when it is ended in the middle."""

import os
import signal
import subprocess
import sys
import tarfile
import time

import cv2
import numpy as np
import pytest

from limbstudio.domain.mask_layers import MaskKind
from limbstudio.services.studio import Studio

SMALL = ("--size", 64, "--workers", 1, "--shard-size", 2)


def test_samples_become_shards_and_a_project(limbstudio, tmp_path):
    out = tmp_path / "set"

    ended = limbstudio("a3d", "make", "--out", out, "--count", 5, *SMALL, "--project", "--json")

    assert ended.code == 0, ended.err
    assert ended.json["made"] == 5
    assert sorted(path.name for path in out.iterdir()) == [
        "a3d-000000.tar", "a3d-000001.tar", "a3d-000002.tar", "a3d.json", "a3d.limb", "annotations.json",
        "contact_sheet.jpg", "contact_sheet_masks.jpg", "datasheet.md", "photos",
    ]  # fmt: skip
    studio = Studio(run_inline=True)
    try:
        studio.open(out / "a3d.limb")
        records = studio.project.records
        people = [record for (kind, _), record in records.items() if kind == "person"]
        layers = [record for (kind, _), record in records.items() if kind == "mask_layer"]
        assert sum(kind == "photo" for kind, _ in records) == 5
        assert len(people) == 5
        assert all(person.mask_file for person in people)
        assert MaskKind.RESIDUAL_LIMB in {layer.kind for layer in layers}
    finally:
        studio.quit()


def test_a_run_that_was_killed_is_resumed_to_the_same_bytes(limbstudio, tmp_path):
    killed, whole = tmp_path / "killed", tmp_path / "whole"
    command = [
        sys.executable,
        "-m",
        "limbstudio",
        "a3d",
        "make",
        "--out",
        str(killed),
        "--count",
        "9",
        "--seed",
        "3",
    ]
    command += [*map(str, SMALL)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + 60
        while not (killed / "a3d-000000.tar").exists() and time.monotonic() < deadline:
            time.sleep(0.005)
        os.kill(process.pid, signal.SIGKILL)
    finally:
        process.wait()
    left = sorted(path.name for path in killed.glob("a3d-*.tar"))

    resumed = limbstudio(
        "a3d", "make", "--out", killed, "--count", 9, "--seed", 3, *SMALL, "--resume", "--json"
    )

    assert left, "the first shard was there before the end"
    assert resumed.code == 0, resumed.err
    assert resumed.json["kept"] == 2 * len(left)
    assert limbstudio("a3d", "make", "--out", whole, "--count", 9, "--seed", 3, *SMALL).code == 0
    names = sorted(path.name for path in whole.iterdir())
    assert sorted(path.name for path in killed.iterdir()) == names
    assert [name for name in names if (killed / name).read_bytes() != (whole / name).read_bytes()] == []
    keys = []
    for shard in sorted(killed.glob("a3d-*.tar")):
        with tarfile.open(shard) as tar:
            keys += [name for name in tar.getnames() if name.endswith(".jpg")]
    assert keys == [f"{index:08d}.jpg" for index in range(9)]


def test_workers_end_with_the_process_that_started_them(tmp_path):
    command = [
        sys.executable,
        "-m",
        "limbstudio",
        "a3d",
        "make",
        "--out",
        str(tmp_path / "set"),
        "--count",
        "500",
    ]
    process = subprocess.Popen(
        [*command, "--size", "64", "--workers", "2"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        workers = _wait_for(lambda: len(found := _children(process.pid)) >= 2 and found)
    finally:
        process.kill()
        process.wait()

    assert _wait_for(lambda: not any(_is_alive(pid) for pid in workers))


def _wait_for(what):
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        if found := what():
            return found
        time.sleep(0.02)
    return None


def _children(pid: int) -> list[int]:
    try:
        with open(f"/proc/{pid}/task/{pid}/children") as file:
            return [child for child in map(int, file.read().split()) if "spawn_main" in _command(child)]
    except OSError:
        return []


def _command(pid: int) -> str:
    try:
        with open(f"/proc/{pid}/cmdline") as file:
            return file.read()
    except OSError:
        return ""


def _is_alive(pid: int) -> bool:
    return "spawn_main" in _command(pid)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--count", 0), "at least one"),
        (("--count", 2, "--body", "nowhere.npz"), "no body model"),
        (("--count", 2, "--poses", "nowhere.npz"), "motion file"),
        (("--count", 2, "--backgrounds", "nowhere"), "backgrounds"),
        (("--count", 2, "--backgrounds", "empty"), "no pictures"),
        (("--count", 2, "--textures", "empty"), "no pictures"),
        (("--count", 2, "--textures", "spoiled"), "cloth.jpg"),
        (("--count", 2, "--textures", "ungrouped"), "no group of skin"),
        (("--count", 2, "--resume", "--out", "file/set"), "cannot be made"),
    ],
)
def test_bad_input_is_said_and_leaves_no_shard(limbstudio, tmp_path, monkeypatch, arguments, said):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "empty").mkdir()
    (tmp_path / "spoiled").mkdir()
    (tmp_path / "spoiled" / "cloth.jpg").write_bytes(b"no picture")
    (tmp_path / "ungrouped" / "skin" / "tone_8").mkdir(parents=True)
    cv2.imwrite(str(tmp_path / "ungrouped" / "skin" / "tone_8" / "a.png"), np.zeros((9, 9, 3), np.uint8))
    (tmp_path / "file").write_text("")

    ended = limbstudio("a3d", "make", "--out", "set", *arguments, "--workers", 1)

    assert ended.code == 2
    assert said in ended.err
    assert list(tmp_path.rglob("*.tar")) == []


def test_photos_without_a_detector_are_said_to_be_unchecked(limbstudio, tmp_path):
    photos = tmp_path / "photos"
    photos.mkdir()
    cv2.imwrite(str(photos / "a.jpg"), np.random.default_rng(0).integers(60, 200, (90, 120, 3), np.uint8))

    ended = limbstudio(
        "a3d", "make", "--out", tmp_path / "set", "--count", 1, *SMALL, "--backgrounds", photos
    )

    assert ended.code == 0, ended.err
    assert "No detector was there" in (tmp_path / "set" / "datasheet.md").read_text(encoding="utf-8")
