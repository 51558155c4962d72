"""Checkpoints that a training goes on from: checked, never run; and outputs that are whole or not there."""

import pickle
from pathlib import Path

import pytest
import torch
from torch import nn

from limbstudio.domain.errors import KnownError
from limbstudio.training.resuming import read_last, write_torch


class Evil:
    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple:
        return Path.touch, (self.path,)


def checkpoint(path: Path, module: nn.Module, steps: int = 40) -> Path:
    torch.save({"global_step": steps, "state_dict": module.state_dict(), "loops": {}}, path)
    return path


def test_a_checkpoint_of_the_same_network_says_how_far_it_is(tmp_path: Path):
    assert read_last(checkpoint(tmp_path / "last.ckpt", nn.Linear(2, 3)), nn.Linear(2, 3)) == 40


def test_another_networks_checkpoint_and_one_that_is_not_finite_are_refused(tmp_path: Path):
    path = checkpoint(tmp_path / "last.ckpt", nn.Linear(2, 3))
    with pytest.raises(KnownError, match="of another network: 1 tensors differ, the first is weight"):
        read_last(path, nn.Linear(4, 3))
    with pytest.raises(KnownError, match="of another network: 4 tensors differ"):
        read_last(path, nn.Sequential(nn.Linear(2, 3)))
    spoilt = nn.Linear(2, 3)
    nn.init.constant_(spoilt.weight, torch.nan)
    with pytest.raises(KnownError, match="not finite"):
        read_last(checkpoint(path, spoilt), nn.Linear(2, 3))


def test_files_that_are_no_checkpoints_are_refused_and_nothing_in_them_is_run(tmp_path: Path):
    path, touched = tmp_path / "last.ckpt", tmp_path / "touched"
    whole = checkpoint(path, nn.Linear(2, 3)).read_bytes()
    torch.save({"global_step": 1, "state_dict": {}, "evil": Evil(touched)}, path)
    hostile = path.read_bytes()
    bare = pickle.dumps(Evil(touched))
    for content in (hostile, bare, whole[: len(whole) // 2], b"", b"words"):
        path.write_bytes(content)
        with pytest.raises(KnownError, match="no checkpoint to go on from"):
            read_last(path, nn.Linear(2, 3))
    torch.save([1, 2], path)
    with pytest.raises(KnownError, match="no checkpoint to go on from"):
        read_last(path, nn.Linear(2, 3))
    assert not touched.exists()


def test_a_full_disk_leaves_the_file_that_was_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    path = tmp_path / "tokenizer.pt"
    write_torch({"a": torch.ones(3)}, path)
    before = path.read_bytes()

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(KnownError, match="cannot be written"):
        write_torch({"a": torch.zeros(3)}, path)

    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]
