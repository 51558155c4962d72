"""Weights that a user adds are checked, copied whole, and what is missing is said."""

from functools import partial
from pathlib import Path

import pytest
import torch
from typer.testing import CliRunner

from limbstudio.ajahr import checkpoint
from limbstudio.ajahr.build import build_ajahr
from limbstudio.cli import app
from limbstudio.domain.errors import KnownError
from limbstudio.services import weights
from limbstudio.services.settings import weights_folder
from limbstudio.services.weights import add_weights, weights_state

from ..ajahr.tiny import TINY, write_released_files


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("LIMBSTUDIO_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(weights, "_recognise", partial(checkpoint.recognise, numbers=TINY))
    return tmp_path / "home"


@pytest.fixture
def files(tmp_path: Path) -> list[Path]:
    return write_released_files(build_ajahr(TINY), tmp_path)


def quiet(fraction: float, sentence: str) -> None: ...


def test_nothing_is_there_at_first_and_everything_that_is_missing_is_named():
    state = weights_state()

    assert state.there == ()
    assert [line.partition(" (")[0] for line in state.missing] == [
        "AJAHR's checkpoint",
        "the tokenizer for people with all limbs that belongs to the checkpoint",
        "the tokenizer for people with limb loss that belongs to the checkpoint",
        "the SMPL body model",
    ]


def test_files_are_added_once_and_found_again(files: list[Path]):
    first = add_weights(files, replace=False, report=quiet)
    again = add_weights(files, replace=False, report=quiet)

    assert [row.what for row in first] == ["AJAHR checkpoint", "AJAHR tokenizer", "AJAHR tokenizer"]
    assert [row.was_there for row in first + again] == [False] * 3 + [True] * 3
    assert len(list(weights_folder().iterdir())) == 3
    assert len(weights_state().there) == 3
    assert [line.partition(" (")[0] for line in weights_state().missing] == ["the SMPL body model"]


def test_one_bad_file_among_good_ones_and_nothing_is_copied(files: list[Path], tmp_path: Path):
    (tmp_path / "cut.ckpt").write_bytes(files[0].read_bytes()[:2000])

    with pytest.raises(KnownError, match="cut.ckpt is cut off"):
        add_weights([*files, tmp_path / "cut.ckpt"], replace=False, report=quiet)

    assert not weights_folder().exists()


def test_another_checkpoint_takes_the_place_only_when_told_to(files: list[Path], tmp_path: Path):
    add_weights(files[:1], replace=False, report=quiet)
    other = tmp_path / "other.ckpt"
    torch.save({"state_dict": build_ajahr(TINY).state_dict()}, other)

    with pytest.raises(KnownError, match="already another AJAHR checkpoint"):
        add_weights([other], replace=False, report=quiet)
    add_weights([other], replace=True, report=quiet)

    assert (weights_folder() / "ajahr.ckpt").read_bytes() == other.read_bytes()


def test_two_checkpoints_at_once_are_refused_and_a_body_of_another_kind_is_not_smpl(
    files, smpl_npz, tmp_path: Path
):
    (tmp_path / "other.ckpt").write_bytes(files[0].read_bytes())
    with pytest.raises(KnownError, match="Two of the files are each an AJAHR checkpoint"):
        add_weights([files[0], tmp_path / "other.ckpt"], replace=False, report=quiet)

    add_weights([*files, smpl_npz("smplh")], replace=False, report=quiet)
    assert [line.partition(" (")[0] for line in weights_state().missing] == ["the SMPL body model"]
    upper = tmp_path / "SMPL_NEUTRAL.NPZ"
    upper.write_bytes(smpl_npz("smpl").read_bytes())
    add_weights([upper], replace=False, report=quiet)
    assert weights_state().missing == ()


def test_a_disk_that_is_full_leaves_nothing_half_written(files, monkeypatch: pytest.MonkeyPatch):
    def full(read: object, write: object, length: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(weights.shutil, "copyfileobj", full)

    with pytest.raises(KnownError, match="No space left on device"):
        add_weights(files, replace=False, report=quiet)
    assert list(weights_folder().iterdir()) == []


def test_the_command_says_what_was_added_and_what_is_missing(files: list[Path]):
    said = CliRunner().invoke(app, ["weights", "add", *map(str, files[:2])]).stdout

    assert "main.ckpt: AJAHR checkpoint, added" in said
    assert "Still missing: the tokenizer for people with all limbs" in said
    assert "AJAHR checkpoint" in CliRunner().invoke(app, ["weights", "list"]).stdout
