"""Weights as plain arrays in half precision, .npz: never unpickled, and every tensor checked before one is taken."""

import io
import zlib
from pathlib import Path
from zipfile import BadZipFile

import numpy as np
import torch
from torch import nn

from limbstudio.domain.errors import KnownError
from limbstudio.formats.whole_files import write_whole

# What reading a file that is none of ours can raise; MemoryError where a header asks for more than there is.
_UNREADABLE = (
    OSError, ValueError, KeyError, EOFError, BadZipFile, TypeError, AttributeError, MemoryError, OverflowError,
    NotImplementedError, zlib.error,
)  # fmt: skip


def save_weights(network: nn.Module, path: Path) -> None:
    """Write a network's numbers as plain arrays in half precision, .npz, whole or not at all (KnownError)."""
    arrays = {name: value.detach().cpu().numpy() for name, value in network.state_dict().items()}
    written = io.BytesIO()
    np.savez_compressed(
        written, allow_pickle=False,
        **{name: a.astype(np.float16) if a.dtype == np.float32 else a for name, a in arrays.items()},
    )  # fmt: skip
    write_whole(path, written.getvalue())


def read_weights(path: Path) -> dict[str, torch.Tensor]:
    """Return the arrays of a file by name, as they are; raise KnownError where it is none."""
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as data:
            return {name: torch.as_tensor(data[name]) for name in data.files}
    except _UNREADABLE as error:
        raise KnownError(
            f"The weights {path} could not be read ({error}).",
            "Install LimbStudio again, or train them anew.",
        ) from error


def fill(
    network: nn.Module,
    path: Path,
    *,
    what: str,
    command: str,
    may_lack: str | None = None,
    found: dict[str, torch.Tensor] | None = None,
) -> None:
    """Give a network the numbers of a file; raise KnownError where it is none, another's or not finite.

    what: what the file should be, for people. command: that makes one. may_lack: how the names of tensors begin that
    stay as they are where the file has none of them. found: what `read_weights` read of it, where it was read before.
    """
    own = network.state_dict()
    found = read_weights(path) if found is None else found
    if may_lack is not None and not any(name.startswith(may_lack) for name in found):
        found = found | {name: value for name, value in own.items() if name.startswith(may_lack)}
    wrong = sorted(
        name for name in own.keys() | found.keys()
        if name not in own or name not in found or not _alike(own[name], found[name])
    )  # fmt: skip
    if wrong:
        count = len(own.keys() | found.keys())
        raise KnownError(
            f"{path.name} is not {what}: {len(wrong)} of {count} tensors differ, the first is {wrong[0]}.",
            f"Train it with `{command}`.",
        )
    if not all(bool(torch.isfinite(value).all()) for value in found.values() if value.is_floating_point()):
        raise KnownError(f"{path.name} holds numbers that are not finite.", "Train it again.")
    network.load_state_dict({name: value.to(own[name].dtype) for name, value in found.items()})


def _alike(own: torch.Tensor, found: torch.Tensor) -> bool:
    return own.shape == found.shape and own.is_floating_point() == found.is_floating_point()
