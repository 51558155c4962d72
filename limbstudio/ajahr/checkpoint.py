"""The authors' weights, where a user has them: which file is which, whether it is whole, and a network from them.

Nothing is loaded in part: a file either has every tensor that the network has, in its shape and all finite, or it is
refused with the names of what is wrong.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from limbstudio.ajahr.backbone import VisionTransformer
from limbstudio.ajahr.build import (
    RELEASED_AJAHR,
    RELEASED_TOKENIZER,
    AjahrNumbers,
    TokenizerNumbers,
    build_ajahr,
    build_tokenizer,
)
from limbstudio.ajahr.network import AjahrNet
from limbstudio.ajahr.tokenizer import PoseTokenizer
from limbstudio.ajahr.untrusted import read_torch_file
from limbstudio.domain.errors import KnownError

_PARTS = ("backbone.", "smpl_head.", "classifier.")
_CODECS = {"normal": "smpl_head.decpose.tokenizer_normal.", "loss": "smpl_head.decpose.tokenizer_amp."}
_TRAINING_ONLY = "decoder.classifier."  # of the tokenizer's training, which decoding has no use for
_FEW = 3
_HINT = "Use the file as its makers published it; `limbstudio weights list` says which ones are needed."


class WeightsKind(StrEnum):
    """What a file of weights is."""

    AJAHR = "AJAHR checkpoint"
    TOKENIZER = "AJAHR tokenizer"
    VITPOSE = "ViTPose-H"


@dataclass(frozen=True, eq=False)
class WeightsFile:
    """A file that was recognised and is whole.

    tensors: by their names in the network. tokens: of a tokenizer, or the words that a checkpoint's head writes; 0 for
    ViTPose. unused: names of tensors that the network has no place for.
    """

    path: Path
    kind: WeightsKind
    tensors: Mapping[str, Tensor]
    tokens: int
    unused: tuple[str, ...]

    @property
    def sentence(self) -> str:
        """Return what the file is, in words."""
        said = f"{self.path.name}: {self.kind}, {len(self.tensors)} tensors, all there"
        if self.tokens:
            said += f", {self.tokens} tokens"
        return said + (f"; {len(self.unused)} more are not used" if self.unused else "") + "."


def recognise(path: Path, numbers: AjahrNumbers = RELEASED_AJAHR) -> WeightsFile:
    """Return what a file is, every tensor checked; raise KnownError where it is none of ours or not whole.

    numbers: the sizes that the checkpoint must have; its number of words and a tokenizer's sizes are its own.
    """
    held = read_torch_file(path)
    if _is_tensors(held.get("net")):
        return _tokenizer_file(path, held)
    state = held.get("state_dict", held)
    if _is_tensors(state):
        if any(key.startswith("smpl_head.") for key in state):
            return _ajahr_file(path, state, numbers)
        if any(key.startswith("keypoint_head.") for key in state):
            return _vitpose_file(path, state, numbers)
    raise KnownError(
        f"{path.name} holds weights, but not those of AJAHR, of its tokenizers or of ViTPose.", _HINT
    )


def load_tokenizer(file: WeightsFile) -> PoseTokenizer:
    """Return a tokenizer with a file's weights, ready to encode and decode."""
    tokenizer = build_tokenizer(_tokenizer_numbers(file.tensors, file.path))
    tokenizer.load_state_dict(dict(file.tensors))
    return tokenizer.eval()


def load_ajahr(
    main: WeightsFile, tokenizers: Iterable[WeightsFile], numbers: AjahrNumbers = RELEASED_AJAHR
) -> AjahrNet:
    """Return the network with a checkpoint's weights.

    tokenizers: the files whose decoders are in the checkpoint, in any order: only they tell how many tokens a decoder
    was made for. Raise KnownError where one of the two is not among them.
    """
    found = tokenizers_of(main, tokenizers)
    missing = [name for name in _CODECS if name not in found]
    if missing:
        kinds = {"normal": "people with all limbs", "loss": "people with limb loss"}
        raise KnownError(
            f"The tokenizer for {' and the one for '.join(kinds[name] for name in missing)} is missing: "
            f"{main.path.name} holds its decoder but not the number of its tokens.",
            "Add the tokenizer files (.pth) that were published with it: limbstudio weights add FILE...",
        )
    numbers = replace(
        _with_its_words(numbers, main.tensors),
        tokenizer=_tokenizer_numbers(found["normal"].tensors, found["normal"].path),
        tokenizer_loss=_tokenizer_numbers(found["loss"].tensors, found["loss"].path),
    )
    with torch.device("meta"):
        network = build_ajahr(numbers)
    network.load_state_dict(dict(main.tensors), assign=True)
    for module in network.modules():  # what training alone needs is in no file
        for name, buffer in module.named_buffers(recurse=False):
            if buffer.is_meta:
                setattr(module, name, torch.zeros_like(buffer, device="cpu"))
    return network.eval()


def tokenizers_of(main: WeightsFile, tokenizers: Iterable[WeightsFile]) -> dict[str, WeightsFile]:
    """Return which tokenizer file is "normal" and which is "loss" in a checkpoint, by their decoders' numbers."""
    found: dict[str, WeightsFile] = {}
    for file in tokenizers:
        for name, prefix in _CODECS.items():
            if all(
                torch.equal(file.tensors[key.removeprefix(prefix)], value)
                for key, value in main.tensors.items()
                if key.startswith(prefix)
            ):
                found[name] = file
    return found


# -------------------------------------------------------------------------------------------------- the kinds


def _ajahr_file(path: Path, state: Mapping[str, Tensor], numbers: AjahrNumbers) -> WeightsFile:
    tensors = {key: value for key, value in state.items() if key.startswith(_PARTS)}
    with torch.device("meta"):
        network = build_ajahr(_with_its_words(numbers, tensors))
    _check(path, tensors, network)
    unused = [key for key in state if not key.startswith((*_PARTS, "smpl."))]
    return WeightsFile(path, WeightsKind.AJAHR, tensors, network.numbers.head.tokens, tuple(unused))


def _tokenizer_file(path: Path, held: Mapping[str, Any]) -> WeightsFile:
    state = held["net"]
    tensors = {key: value for key, value in state.items() if not key.startswith(_TRAINING_ONLY)}
    numbers = _tokenizer_numbers(tensors, path)
    with torch.device("meta"):
        tokenizer = build_tokenizer(numbers)
    _check(path, tensors, tokenizer)
    said = _tokens_said(held.get("hparams"), numbers)
    if said is not None and said != numbers.tokens:
        raise KnownError(
            f"{path.name} says that it has {said} tokens, but its layers make {numbers.tokens}.", _HINT
        )
    unused = [key for key in state if key not in tensors]
    return WeightsFile(path, WeightsKind.TOKENIZER, tensors, numbers.tokens, tuple(unused))


def _vitpose_file(path: Path, state: Mapping[str, Tensor], numbers: AjahrNumbers) -> WeightsFile:
    prefix = "backbone."
    tensors = {key.removeprefix(prefix): value for key, value in state.items() if key.startswith(prefix)}
    with torch.device("meta"):
        network = VisionTransformer(numbers.backbone)
    _check(path, tensors, network)
    unused = [key for key in state if not key.startswith(prefix)]
    return WeightsFile(path, WeightsKind.VITPOSE, tensors, 0, tuple(unused))


# ------------------------------------------------------------------------------------- numbers from the shapes


def _with_its_words(numbers: AjahrNumbers, tensors: Mapping[str, Tensor]) -> AjahrNumbers:
    """Return the sizes with as many words as a checkpoint's head writes."""
    rows = tensors.get("smpl_head.decpose.mixer_trans.ff.0.weight")
    if rows is None:
        return numbers
    return replace(numbers, head=replace(numbers.head, tokens=len(rows) // numbers.head.width))


def _tokenizer_numbers(tensors: Mapping[str, Tensor], path: Path) -> TokenizerNumbers:
    """Return the sizes of a tokenizer from its layers: each widening has three of them, the block with gaps follows."""
    blocks = [
        int(found[1]) for key in tensors if (found := re.match(r"encoder\.encoder\.(\d+)\.0\.weight", key))
    ]
    codebook = tensors.get("quantizer.codebook")
    if not blocks or codebook is None or codebook.ndim != 2:
        raise KnownError(f"{path.name} is not a whole tokenizer: it has no encoder or no codebook.", _HINT)
    codes, code_width = codebook.shape
    return replace(
        RELEASED_TOKENIZER, codes=codes, code_width=code_width, widenings=(min(blocks) - 2) // 3,
        halvings=len(blocks), width=len(tensors["encoder.encoder.0.bias"])
        if "encoder.encoder.0.bias" in tensors else RELEASED_TOKENIZER.width,
    )  # fmt: skip


def _tokens_said(hparams: Any, numbers: TokenizerNumbers) -> int | None:
    """Return the number of tokens that a file's configuration gives; None where it gives none."""
    architecture = hparams.get("ARCH") if isinstance(hparams, dict) else None
    widenings = architecture.get("TOKEN_SIZE_MUL") if isinstance(architecture, dict) else None
    return replace(numbers, widenings=widenings).tokens if isinstance(widenings, int) else None


# ------------------------------------------------------------------------------------------------- the checks


def _is_tensors(state: Any) -> bool:
    return isinstance(state, dict) and bool(state) and all(isinstance(v, Tensor) for v in state.values())


def _check(path: Path, tensors: Mapping[str, Tensor], network: nn.Module) -> None:
    """Refuse weights that are not exactly a network's: names, shapes, finite numbers."""
    wanted = network.state_dict()
    missing = [key for key in wanted if key not in tensors]
    strange = [key for key in tensors if key not in wanted]
    if missing or strange:
        said = [f"lacks {_some(missing)}"] if missing else []
        said += [f"has {_some(strange)}, which the network does not know"] if strange else []
        raise KnownError(f"{path.name} {' and '.join(said)}; nothing of it was loaded.", _HINT)
    shapes = [
        f"{key} is {tuple(tensors[key].shape)}, not {tuple(value.shape)}"
        for key, value in wanted.items()
        if tensors[key].shape != value.shape
    ]
    if shapes:
        raise KnownError(f"{path.name} is of another size: {_some(shapes)}; nothing of it was loaded.", _HINT)
    broken = [key for key, value in tensors.items() if not torch.isfinite(value).all()]
    if broken:
        raise KnownError(
            f"{path.name} has numbers that are not finite in {_some(broken)}; nothing of it was loaded.",
            "Its training went wrong or the file is damaged. Take an earlier one.",
        )


def _some(names: Sequence[str]) -> str:
    """Return the first few of many names."""
    more = len(names) - _FEW
    return ", ".join(names[:_FEW]) + (f" and {more} more" if more > 0 else "")
