"""A user's own weights: recognised, checked, copied to where the program looks, and what is still missing."""

import hashlib
import os
import shutil
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from limbstudio.ajahr.build import ReleasedOptions
from limbstudio.domain.errors import KnownError
from limbstudio.services import machine
from limbstudio.services.jobs import Context
from limbstudio.services.settings import bodies_folder, weights_folder

if TYPE_CHECKING:
    from limbstudio.ajahr.checkpoint import WeightsFile
    from limbstudio.ajahr.network import AjahrNet
    from limbstudio.ajahr.released import ReleasedPredictor

Report = Callable[[float, str], None]
_AJAHR_NAME, _VITPOSE_NAME, _TOKENIZER_NAME = "ajahr.ckpt", "vitpose_h.pth", "tokenizer_{}.pth"
_BODY_SUFFIXES = (".pkl", ".npz")
_PIECE = 16 << 20
_TOKENIZERS = 2
# What a prediction needs beside the weights themselves, in bytes.
_ROOM = 1 << 29


@dataclass(frozen=True)
class Added:
    """A file that was added. what: what it is, in words. path: where it lies now. was_there: it was added before."""

    name: str
    what: str
    path: Path
    was_there: bool = False


@dataclass(frozen=True)
class WeightsState:
    """What of AJAHR is at hand. there: what was found, a line each. missing: what is not, a line each.

    complete: nothing is missing that a prediction needs; a file that it does not need may be damaged.
    """

    there: tuple[str, ...]
    missing: tuple[str, ...]
    complete: bool = False

    @property
    def lines(self) -> list[str]:
        """Return both, a line each."""
        return [*self.there, *(f"missing: {line}" for line in self.missing)]

    @property
    def as_plain(self) -> Mapping[str, Any]:
        """Return it for JSON."""
        return {"there": list(self.there), "missing": list(self.missing)}


def add_weights(paths: Iterable[Path], *, replace: bool, report: Report) -> list[Added]:
    """Check files and copy them to the user's folder; all are checked before the first is copied.

    replace: take the place of another file of the same kind. Raise KnownError where a file is not recognised or not
    whole, or its place is taken; nothing is copied then.
    """
    plans = []
    for path in paths:
        report(0.0, f"Checking {path.name}")
        plans.append(_plan(path))
    for number, plan in enumerate(plans):
        if any(other.path == plan.path for other in plans[:number]):
            raise KnownError(
                f"Two of the files are each an {plan.what}, and only one can be used.",
                "Add the one you want.",
            )
        if plan.path.exists() and not plan.was_there and not replace:
            raise KnownError(
                f"There is already another {plan.what} in {plan.path}.",
                "Give --replace to use the new one instead.",
            )
    for number, (source, plan) in enumerate(zip(paths, plans, strict=True)):
        if not plan.was_there:
            report(number / len(plans), f"Copying {plan.name}")
            _copy(source, plan.path)
    return plans


@dataclass(frozen=True, eq=False)
class _Found:
    """What lies in the user's folders. main, tokenizers: those that belong together; there, missing: a line each.

    has_smpl: so does a body that they speak of.
    """

    main: "WeightsFile | None"
    tokenizers: tuple["WeightsFile", ...]
    there: tuple[str, ...]
    missing: tuple[str, ...]
    has_smpl: bool

    @property
    def has_network(self) -> bool:
        """Tell whether the network can be made."""
        return self.main is not None and len(self.tokenizers) == _TOKENIZERS


def weights_state() -> WeightsState:
    """Return what of AJAHR's weights is at hand; a file that is not whole is named among the missing."""
    found = _find()
    return WeightsState(found.there, found.missing, found.has_network and found.has_smpl)


def look_at_weights(context: Context) -> WeightsState:
    """Return `weights_state`, as a job: every tensor is read, which takes seconds and libraries that take more."""
    context.report(0.1, "Checking your AJAHR weights")
    return weights_state()


def released_predictor(options: ReleasedOptions, device: str = "auto") -> "ReleasedPredictor":
    """Return AJAHR on the user's copy of the released weights, read once; device "auto": a GPU where there is one.

    Raise KnownError naming what is missing.
    """
    import torch

    from limbstudio.ajahr.released import ReleasedPredictor

    if device == "auto":
        device = "cuda" if torch.cuda.is_available() else "cpu"
    found = _released(device, weights_folder(), released_hash())
    return ReleasedPredictor(found.network, options, device, found.sha256)


def forget_released() -> None:
    """Give back the memory of AJAHR's released weights; the next predictor reads them anew."""
    _released.cache_clear()


def released_size() -> int:
    """Return the bytes of the files that the released network is read from; 0 where there are none."""
    return sum(size for name, size, _changed in _files() if name.endswith(".ckpt"))


def released_hash() -> str:
    """Return a hash of all files in the folder of weights, by name, size and time."""
    return hashlib.sha256(repr(_files()).encode()).hexdigest()


def _files() -> list[tuple[str, int, int]]:
    """Return name, size and time of change of the files in the folder of weights; what leads nowhere has zeros."""
    found = []
    for path in sorted(weights_folder().glob("*")):
        try:
            status = path.stat()
            found.append((path.name, status.st_size, status.st_mtime_ns))
        except OSError:  # a link to a disk that is not there now
            found.append((path.name, 0, 0))
    return found


@dataclass(frozen=True, eq=False)
class _Released:
    """The network, and the hash of its checkpoint's content."""

    network: "AjahrNet"
    sha256: str


@lru_cache(maxsize=1)
def _released(device: str, _folder: Path, _hash_of_files: str) -> _Released:
    found = _find()
    if found.main is None or not found.has_network:
        raise KnownError(
            f"AJAHR's released weights are not all there: {'; '.join(found.missing)}.",
            "Add your own copy of them: limbstudio weights add FILE...",
        )
    if device == "cpu":
        _require_memory(found.main.path.stat().st_size + _ROOM)
    return _Released(_load(found.main, found.tokenizers).to(device), _digest(found.main.path))


def _require_memory(size: int) -> None:
    known = machine.memory()
    if known is not None and known.free < size:
        needed, free = machine.size_words(size), machine.size_words(known.free)
        raise KnownError(
            f"AJAHR's released weights need {needed} of memory, and {free} are free.",
            "Close other programs, or predict with LimbStudio's own small networks.",
        )


def own_smpl_body() -> Path:
    """Return the user's file of the SMPL body; KnownError where there is none."""
    from limbstudio.body.smpl_files import read_smpl_file

    for path in _body_files():
        try:
            if read_smpl_file(path).kind == "smpl":
                return path
        except KnownError:  # `limbstudio doctor` tells of files that cannot be read
            continue
    raise KnownError(
        "The released weights speak of SMPL's body, and there is none.",
        "Add SMPL_NEUTRAL.pkl with `limbstudio weights add`, or name it with --body.",
    )


def _body_files() -> list[Path]:
    return sorted(path for path in bodies_folder().glob("*") if path.suffix.lower() in _BODY_SUFFIXES)


def _find() -> _Found:
    from limbstudio.ajahr.checkpoint import WeightsKind, tokenizers_of

    has_smpl = True
    there, missing, files = [], [], []
    for path in sorted(weights_folder().glob("*")):
        if path.suffix in (".ckpt", ".pth"):
            try:
                files.append(_recognise(path))
                there.append(files[-1].sentence)
            except KnownError as error:
                missing.append(str(error))
    main = next((file for file in files if file.kind is WeightsKind.AJAHR), None)
    tokenizers = [file for file in files if file.kind is WeightsKind.TOKENIZER]
    if main is None:
        missing.append("AJAHR's checkpoint (published as ajahr_ckeckpoint.ckpt)")
    found = tokenizers_of(main, tokenizers) if main is not None else {}
    for name, whom in (("normal", "with all limbs"), ("loss", "with limb loss")):
        if name not in found:
            missing.append(f"the tokenizer for people {whom} that belongs to the checkpoint")
    try:
        own_smpl_body()
    except KnownError:
        has_smpl = False
        missing.append("the SMPL body model (SMPL_NEUTRAL.pkl, from its own page)")
    return _Found(main, tuple(found.values()), tuple(there), tuple(missing), has_smpl)


def _recognise(path: Path) -> "WeightsFile":
    from limbstudio.ajahr.checkpoint import recognise

    return recognise(path)


def _load(main: "WeightsFile", tokenizers: Iterable["WeightsFile"]) -> "AjahrNet":
    from limbstudio.ajahr.checkpoint import load_ajahr

    return load_ajahr(main, tokenizers)


def _plan(path: Path) -> Added:
    from limbstudio.ajahr.checkpoint import WeightsKind
    from limbstudio.body.smpl_files import KIND_NAMES, read_smpl_file

    if path.suffix.lower() in _BODY_SUFFIXES:
        kind = KIND_NAMES[read_smpl_file(path).kind]
        what, target = f"{kind} body model", bodies_folder() / path.name
    else:
        file = _recognise(path)
        what = str(file.kind)
        name = {
            WeightsKind.AJAHR: _AJAHR_NAME,
            WeightsKind.VITPOSE: _VITPOSE_NAME,
            WeightsKind.TOKENIZER: _TOKENIZER_NAME.format(_digest(path)[:8]),
        }[file.kind]
        target = weights_folder() / name
    was_there = target.exists() and (target.samefile(path) or _same(target, path))
    return Added(path.name, what, target, was_there)


def _same(one: Path, other: Path) -> bool:
    return one.stat().st_size == other.stat().st_size and _digest(one) == _digest(other)


def _digest(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _copy(source: Path, target: Path) -> None:
    """Copy a file whole or not at all."""
    part = target.with_name(target.name + ".part")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with source.open("rb") as read, part.open("wb") as write:
            shutil.copyfileobj(read, write, _PIECE)
            write.flush()
            os.fsync(write.fileno())
        part.replace(target)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise KnownError(
            f"{source.name} could not be copied to {target.parent} ({error.strerror}).",
            "Make space there, or set LIMBSTUDIO_HOME to a folder with more of it.",
        ) from error
