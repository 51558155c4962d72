"""Sets: shards that are whole or not there, resumed and made beside each other to the same bytes."""

import errno
import json
import os
import tarfile

import pytest

from limbstudio.a3d import making
from limbstudio.a3d.making import make_set
from limbstudio.a3d.plans import SampleOptions
from limbstudio.a3d.shards import is_whole, shard_path
from limbstudio.domain.errors import KnownError
from limbstudio.formats.coco import read_annotations
from tests.unit.a3d.conftest import COUNT, SHARD_SIZE

SMALL = SampleOptions(seed=2, size_px=64)


@pytest.fixture(scope="module")
def small_set(tmp_path_factory):
    folder = tmp_path_factory.mktemp("small") / "set"
    make_set(folder, 5, SMALL, shard_size=2)
    return folder


def test_shards_are_plain_tar_files_with_headers_that_say_nothing(made_set):
    with tarfile.open(shard_path(made_set.folder, 1)) as tar:
        members = tar.getmembers()

    keys = list(dict.fromkeys(member.name.split(".")[0] for member in members))
    assert keys == [f"{index:08d}" for index in range(SHARD_SIZE, COUNT)]
    assert {(m.mtime, m.uid, m.gid, m.uname, m.gname, m.mode) for m in members} == {(0, 0, 0, "", "", 0o644)}
    endings = {member.name.split(".", 1)[1] for member in members if member.name.startswith(keys[0])}
    assert endings >= {"jpg", "json", "person.png", "residual.png", "prosthesis.png", "occluder.png"}


def test_two_workers_make_the_bytes_of_one(small_set, tmp_path, same_files):
    make_set(tmp_path / "set", 5, SMALL, shard_size=2, workers=2)

    same_files(tmp_path / "set", small_set)


def test_resume_keeps_whole_shards_and_makes_broken_and_missing_ones_anew(small_set, tmp_path, same_files):
    folder = tmp_path / "set"
    make_set(folder, 5, SMALL, shard_size=2)
    untouched = shard_path(folder, 0).stat().st_mtime_ns
    broken = shard_path(folder, 1)
    broken.write_bytes(broken.read_bytes()[: broken.stat().st_size // 2])
    shard_path(folder, 2).unlink()
    (folder / f".{shard_path(folder, 2).name}.x1.part").write_bytes(b"half")

    made = make_set(folder, 5, SMALL, shard_size=2, resume=True)

    same_files(folder, small_set)
    assert (made.made, made.kept) == (3, 2)
    assert shard_path(folder, 0).stat().st_mtime_ns == untouched


def test_a_set_grows_and_shrinks_by_resuming_with_another_count(small_set, tmp_path, same_files):
    folder = tmp_path / "set"
    make_set(folder, 3, SMALL, shard_size=2)

    grown = make_set(folder, 5, SMALL, shard_size=2, resume=True)
    same_files(folder, small_set)
    make_set(folder, 2, SMALL, shard_size=2, resume=True)

    assert (grown.made, grown.kept) == (3, 2)
    assert [path.name for path in sorted(folder.glob("*.tar"))] == ["a3d-000000.tar"]


def test_a_full_disk_in_the_middle_of_a_shard_leaves_no_half_shard(
    small_set, tmp_path, monkeypatch, same_files
):
    folder, fsync, calls = tmp_path / "set", os.fsync, []

    def full(handle: int) -> None:
        calls.append(handle)
        if len(calls) > 3:  # the record and its folder, the first shard; then the disk is full
            raise OSError(errno.ENOSPC, "No space left on device")
        fsync(handle)

    monkeypatch.setattr("limbstudio.formats.whole_files.os.fsync", full)
    with pytest.raises(KnownError, match="disk is full"):
        make_set(folder, 5, SMALL, shard_size=2)
    monkeypatch.undo()

    assert [path.name for path in folder.iterdir() if path.name.startswith(".")] == []
    for number, path in enumerate(sorted(folder.glob("*.tar"))):
        assert is_whole(path, range(2 * number, min(2 * number + 2, 5)))
    assert len(list(folder.glob("*.tar"))) < 3
    make_set(folder, 5, SMALL, shard_size=2, resume=True)
    same_files(folder, small_set)


@pytest.mark.parametrize(
    ("count", "changed", "more", "said"),
    [
        (0, {}, {}, "at least one"),
        (-3, {}, {}, "at least one"),
        (2, {"size_px": 10}, {}, "Choose a size"),
        (2, {"limbs": "none"}, {}, "Choose among"),
        (2, {"seed": -1}, {}, "no seed"),
        (2, {}, {"workers": 0}, "at least one"),
        (2, {}, {"shard_size": 0}, "Choose from"),
    ],
)
def test_options_that_make_no_sense_are_refused_before_anything_is_written(
    tmp_path, count, changed, more, said
):
    folder = tmp_path / "set"

    with pytest.raises(KnownError, match=said):
        make_set(folder, count, SampleOptions(**changed), **more)

    assert not folder.exists()


def test_a_folder_with_samples_is_not_written_over(small_set, tmp_path):
    with pytest.raises(KnownError, match="--resume"):
        make_set(small_set, 5, SMALL, shard_size=2)
    with pytest.raises(KnownError, match="other options: seed"):
        make_set(small_set, 10, SampleOptions(seed=3, size_px=64), shard_size=4, resume=True)
    (tmp_path / "a3d-000000.tar").write_bytes(b"")
    with pytest.raises(KnownError, match=making.RECORD):
        make_set(tmp_path, 10, SMALL, resume=True)


def test_a_run_that_failed_before_its_first_shard_can_be_begun_anew(tmp_path):
    (tmp_path / making.RECORD).write_text("{}")

    assert make_set(tmp_path, 1, SMALL).made == 1


def test_a_folder_that_cannot_be_made_is_said(tmp_path):
    (tmp_path / "file").write_text("")

    with pytest.raises(KnownError, match="cannot be made"):
        make_set(tmp_path / "file" / "set", 1, SMALL)


def test_the_coco_file_is_read_without_a_complaint_and_says_what_the_truth_says(made_set):
    annotations = read_annotations(made_set.folder / "annotations.json")

    assert (annotations.problems, annotations.warnings) == ((), ())
    assert [p.warnings for p in annotations.people if p.warnings] == []
    assert len(annotations.people) == COUNT
    for found, (truth, _) in zip(annotations.people, made_set.samples, strict=True):
        assert found.file_name == f"{truth['key']}.jpg"
        levels = {limb.value: state.level.value for limb, state in found.person.limbs.items()}
        assert levels == {name: facts["level"] for name, facts in truth["limbs"].items()}
        states = [point.state.value for point in found.person.keypoints.points]
        assert states == [point["state"] for point in truth["keypoints"].values()]


def test_the_datasheet_counts_what_is_there(made_set):
    text = (made_set.folder / "datasheet.md").read_text(encoding="utf-8")

    assert f"{COUNT} synthetic pictures" in text
    assert "| 12: no limb loss | 4 |" in text
    assert "|  0: right arm, hand | 2 |" in text
    assert "NSF EIA-0196217" in text
    plans = sum(truth["attempts"]["count"] for truth, _ in made_set.samples)
    assert f"{plans} plans for {COUNT} samples" in text
    assert (made_set.folder / "contact_sheet.jpg").stat().st_size > 10_000
    record = json.loads((made_set.folder / making.RECORD).read_text())
    assert (record["seed"], record["shard_size"]) == (4, SHARD_SIZE)
