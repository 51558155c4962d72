"""A user's files of weights are recognised, checked to the last tensor, and never run."""

import pickle
import zipfile
from collections import OrderedDict
from dataclasses import replace
from pathlib import Path, PosixPath
from typing import Any

import pytest
import torch

from limbstudio.ajahr.build import build_ajahr, build_tokenizer
from limbstudio.ajahr.checkpoint import WeightsKind, load_ajahr, load_tokenizer, recognise, tokenizers_of
from limbstudio.ajahr.network import AjahrNet
from limbstudio.ajahr.untrusted import read_torch_file
from limbstudio.domain.errors import KnownError

from .tiny import TINY

MAIN_KEY = "smpl_head.decshape.weight"


@pytest.fixture(scope="module")
def network() -> AjahrNet:
    torch.manual_seed(1)
    words_loss = TINY.tokenizer.for_tokens(320)
    return build_ajahr(replace(TINY, tokenizer_loss=words_loss)).eval()


@pytest.fixture
def main_file(network: AjahrNet, tmp_path: Path) -> Path:
    state = {**network.state_dict(), "smpl.faces_tensor": torch.zeros(3), "discriminator.w": torch.zeros(2)}
    path = tmp_path / "ajahr_checkpoint.ckpt"
    torch.save({"state_dict": state, "hyper_parameters": {"folder": PosixPath("data")}, "epoch": 3}, path)
    return path


def tokenizer_file(
    path: Path, network: AjahrNet, which: str, widenings: int, said: int | None = None
) -> Path:
    """Write a tokenizer as the authors do: its decoder is the network's own, its encoder new."""
    tokenizer = build_tokenizer(replace(TINY.tokenizer, widenings=widenings))
    codec = network.smpl_head.decpose.get_submodule(f"tokenizer_{which}")
    tokenizer.load_state_dict({**tokenizer.state_dict(), **codec.state_dict()})
    hparams = OrderedDict(ARCH={"TOKEN_SIZE_MUL": said or widenings, "TOKEN_SIZE_DIV": 4})
    torch.save({"net": tokenizer.state_dict(), "hparams": hparams}, path)
    return path


@pytest.fixture
def tokenizer_files(network: AjahrNet, tmp_path: Path) -> list[Path]:
    return [
        tokenizer_file(tmp_path / "best_net_320.pth", network, "amp", 5),
        tokenizer_file(tmp_path / "best_net.pth", network, "normal", 4),
    ]


class Huge:
    """Something that a pickle makes by asking for more memory than there is."""

    def __init__(self, kind: type) -> None:
        self.kind = kind

    def __reduce__(self) -> tuple:
        return self.kind, (10**16,)


@pytest.mark.parametrize("kind", [bytearray, bytes])
def test_a_file_that_asks_for_more_memory_than_there_is_is_refused(kind: type, tmp_path: Path):
    torch.save({"state_dict": {}, "more": Huge(kind)}, tmp_path / "huge.ckpt")

    with pytest.raises(KnownError, match="huge.ckpt"):
        recognise(tmp_path / "huge.ckpt", TINY)


def test_files_are_recognised_by_what_is_in_them(main_file: Path, tokenizer_files: list[Path]):
    main = recognise(main_file, TINY)
    tokenizers = [recognise(path) for path in tokenizer_files]

    assert (main.kind, main.tokens, main.unused) == (WeightsKind.AJAHR, 20, ("discriminator.w",))
    assert [(file.kind, file.tokens) for file in tokenizers] == [
        (WeightsKind.TOKENIZER, 320),
        (WeightsKind.TOKENIZER, 160),
    ]
    found = tokenizers_of(main, tokenizers)
    assert {name: file.path.name for name, file in found.items()} == {
        "loss": "best_net_320.pth",
        "normal": "best_net.pth",
    }


def test_a_network_from_the_files_answers_as_the_one_that_was_saved(network, main_file, tokenizer_files):
    loaded = load_ajahr(recognise(main_file, TINY), map(recognise, tokenizer_files), TINY)
    crops, keypoints = torch.randn(2, 3, 256, 256), torch.rand(2, 17, 2) * 256

    with torch.inference_mode():
        one, other = network(crops, keypoints), loaded(crops, keypoints)

    assert loaded.numbers.tokenizer.tokens == 160
    assert loaded.numbers.tokenizer_loss is not None and loaded.numbers.tokenizer_loss.tokens == 320
    assert torch.equal(one.body.pose, other.body.pose)
    assert torch.equal(one.limbs.logits, other.limbs.logits)


def test_without_its_tokenizers_a_checkpoint_says_which_is_missing(main_file, tokenizer_files):
    main = recognise(main_file, TINY)

    with pytest.raises(KnownError, match="people with all limbs is missing"):
        load_ajahr(main, [recognise(tokenizer_files[0])], TINY)
    with pytest.raises(KnownError, match="all limbs and the one for people with limb loss is missing"):
        load_ajahr(main, [], TINY)


def test_a_tokenizer_from_its_file_encodes_and_decodes(tokenizer_files: list[Path]):
    tokenizer = load_tokenizer(recognise(tokenizer_files[0]))

    with torch.inference_mode():
        pose = tokenizer(torch.eye(3).expand(2, 21, 3, 3))

    assert pose.quantised.indices.shape == (2, 320)
    assert pose.rotations.shape == (2, 21, 3, 3)


def test_vitpose_is_recognised_by_its_keypoint_head(network: AjahrNet, tmp_path: Path):
    state = {f"backbone.{key}": value for key, value in network.backbone.state_dict().items()}
    torch.save({"state_dict": {**state, "keypoint_head.w": torch.ones(1)}}, tmp_path / "vitpose.pth")

    file = recognise(tmp_path / "vitpose.pth", TINY)

    assert (file.kind, file.unused) == (WeightsKind.VITPOSE, ("keypoint_head.w",))


# ----------------------------------------------------------------------------------------------------- refused


def changed(main_file: Path, change: Any) -> Path:
    held = torch.load(main_file, weights_only=False)
    change(held["state_dict"])
    torch.save(held, main_file)
    return main_file


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda s: s.pop(MAIN_KEY), f"lacks {MAIN_KEY}"),
        (lambda s: s.__setitem__("backbone.cls_token", torch.ones(1)), "cls_token, which the network does not"),
        (lambda s: s.__setitem__(MAIN_KEY, torch.ones(10, 31)), r"decshape.weight is \(10, 31\), not \(10, 32\)"),
        (lambda s: s[MAIN_KEY].fill_(torch.nan), f"not finite in {MAIN_KEY}"),
        (lambda s: [s.pop(k) for k in list(s) if k.startswith("classifier.")], r"and \d+ more; nothing"),
    ],
)  # fmt: skip
def test_weights_that_are_not_exactly_the_networks_are_refused_by_name(main_file, change, words):
    with pytest.raises(KnownError, match=words) as error:
        recognise(changed(main_file, change), TINY)
    assert main_file.name in error.value.message


def test_a_tokenizer_whose_words_contradict_its_layers_is_refused(network: AjahrNet, tmp_path: Path):
    path = tokenizer_file(tmp_path / "odd.pth", network, "normal", 4, said=5)

    with pytest.raises(KnownError, match="says that it has 320 tokens, but its layers make 160"):
        recognise(path)


def test_weights_of_another_model_are_refused(tmp_path: Path):
    torch.save({"state_dict": {"layer.weight": torch.ones(2)}}, tmp_path / "other.ckpt")

    with pytest.raises(KnownError, match="not those of AJAHR"):
        recognise(tmp_path / "other.ckpt")


class _Hostile:
    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> tuple:
        return Path.touch, (self.mark,)


class _Shell:
    def __reduce__(self) -> tuple:
        import os

        return os.system, ("true",)


def test_a_file_that_would_run_something_is_refused_and_nothing_runs(tmp_path: Path):
    torch.save({"state_dict": {"w": torch.ones(1)}, "x": _Shell()}, tmp_path / "shell.ckpt")
    torch.save({"state_dict": {"w": torch.ones(1)}, "x": _Hostile(tmp_path / "ran")}, tmp_path / "touch.ckpt")

    with pytest.raises(KnownError, match=r"asks for posix.system, which weights have no use for"):
        recognise(tmp_path / "shell.ckpt")
    with pytest.raises(KnownError):
        recognise(tmp_path / "touch.ckpt")
    assert not (tmp_path / "ran").exists()


def test_settings_of_a_library_become_tables_without_the_library(tmp_path: Path):
    path = tmp_path / "settings.ckpt"
    torch.save({"state_dict": {"w": torch.ones(1)}, "path": PosixPath("a/b")}, path)

    held = read_torch_file(path)

    assert held["path"].arguments == ("a", "b")
    assert torch.equal(held["state_dict"]["w"], torch.ones(1))


def test_damaged_renamed_and_missing_files_are_refused(main_file: Path, tmp_path: Path):
    (tmp_path / "cut.ckpt").write_bytes(main_file.read_bytes()[:3000])
    (tmp_path / "photo.ckpt").write_bytes(b"\xff\xd8\xff\xe0" + bytes(100))
    (tmp_path / "old.pth").write_bytes(pickle.dumps({"state_dict": {}}))
    with zipfile.ZipFile(tmp_path / "docs.ckpt", "w") as archive:
        archive.writestr("a.txt", "words")
    with zipfile.ZipFile(tmp_path / "program.pt", "w") as archive:
        archive.writestr("m/data.pkl", b"x")
        archive.writestr("m/constants.pkl", b"x")

    for name, words in {
        "cut.ckpt": "cut off or damaged", "photo.ckpt": "not a file of torch weights",
        "old.pth": "not a file of torch weights", "docs.ckpt": "not one of torch weights",
        "program.pt": "not one of torch weights", "absent.ckpt": "cannot be read",
    }.items():  # fmt: skip
        with pytest.raises(KnownError, match=words) as error:
            recognise(tmp_path / name)
        assert error.value.hint
