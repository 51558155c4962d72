"""Checkpoints of a training that goes on: read without running anything in them, and checked before any step."""

import io
import pickle
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import nn

from limbstudio.domain.errors import KnownError
from limbstudio.formats.whole_files import write_whole

# What a file that is no checkpoint, or a damaged one, can raise.
_UNREADABLE = (
    OSError, RuntimeError, ValueError, TypeError, KeyError, EOFError, AttributeError, MemoryError, OverflowError,
    pickle.UnpicklingError,
)  # fmt: skip
_HINT = "Give the folder of a training of the same kind and size, or train without --resume."


def read_last(path: Path, module: nn.Module) -> int:
    """Return how many steps a checkpoint has behind it; raise KnownError where it is none of a module's training."""
    try:
        with warnings.catch_warnings():  # of how a stranger's file was pickled: it is refused, or it is not
            warnings.simplefilter("ignore")
            held = torch.load(path, map_location="cpu", weights_only=True)
        steps, state = int(held["global_step"]), held["state_dict"]
    except _UNREADABLE as error:
        first_line = str(error).partition("\n")[0]
        raise KnownError(f"{path} is no checkpoint to go on from ({first_line}).", _HINT) from error
    own = module.state_dict()
    wrong = [name for name in {**own, **state} if not _alike(own.get(name), state.get(name))]
    if wrong:
        raise KnownError(
            f"{path} is of another network: {len(wrong)} tensors differ, the first is {wrong[0]}.", _HINT
        )
    if not all(bool(value.isfinite().all()) for value in state.values()):
        raise KnownError(f"{path} holds numbers that are not finite.", "Go on from an earlier one.")
    return steps


def _alike(own: Any, found: Any) -> bool:
    return isinstance(own, torch.Tensor) and isinstance(found, torch.Tensor) and own.shape == found.shape


def write_torch(state: Mapping[str, Any], path: Path) -> None:
    """Write tensors as torch does, whole or not at all; KnownError where they cannot be."""
    written = io.BytesIO()
    torch.save(dict(state), written)
    write_whole(path, written.getvalue())
