"""Read files of torch weights from strangers without running anything that is in them.

Such a file is a pickle, and a pickle can have any function of any library called. Trained models carry objects of their
configuration beside the tensors, so reading tensors only would refuse most of them. Here tensors and plain containers
are real, objects of known configuration libraries become inert tables, and everything else is refused by name.
"""

import pickle
import zipfile
from collections import OrderedDict
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import torch
from torch import _utils as torch_rebuilders  # what torch itself writes into its files

from limbstudio.body.smpl_files import numpy_pickle_names
from limbstudio.domain.errors import KnownError

_WHOLE_FILE_HINT = "Download it again and compare its size with what its page says."
_STRANGE_HINT = "Take the file from its makers' own page. If it is from there, tell us the name above."
_SETTINGS_LIBRARIES = (
    "yacs", "omegaconf", "pytorch_lightning", "lightning", "lightning_fabric", "lightning_utilities", "pathlib",
    "argparse", "typing", "enum", "datetime", "easydict", "ml_collections", "addict", "mmcv", "mmengine",
)  # fmt: skip
_PLAIN = (set, frozenset, list, dict, tuple, int, float, complex, bool, str, bytes, slice)


class Settings(dict):
    """An object of a configuration library, which is not loaded: a table of what the file says about it."""

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__()
        self.arguments = arguments
        self.items_said: list[Any] = []

    def __setstate__(self, state: Any) -> None:
        if isinstance(state, dict):
            self.update(state)

    def append(self, item: Any) -> None:
        """Keep an item of a list-like object."""
        self.items_said.append(item)

    def extend(self, items: Any) -> None:
        """Keep items of a list-like object."""
        self.items_said.extend(items)


def _torch_names() -> dict[tuple[str, str], Any]:
    rebuilders = (
        "_rebuild_tensor",
        "_rebuild_tensor_v2",
        "_rebuild_parameter",
        "_rebuild_parameter_with_state",
    )
    names: dict[tuple[str, str], Any] = {
        ("torch._utils", name): getattr(torch_rebuilders, name) for name in rebuilders
    }
    names |= {("torch", str(kind).removeprefix("torch.")): kind for kind in vars(torch).values()
              if isinstance(kind, torch.dtype)}  # fmt: skip
    return names | {("torch", "Size"): torch.Size, ("torch", "device"): torch.device}


_ALLOWED: dict[tuple[str, str], Any] = {
    **_torch_names(),
    **numpy_pickle_names(),
    ("collections", "OrderedDict"): OrderedDict,  # torch hangs its own notes on it
    ("collections", "defaultdict"): Settings,
    **{(module, kind.__name__): kind for module in ("builtins", "__builtin__") for kind in _PLAIN},
}


class _Unpickler(pickle.Unpickler):
    def find_class(self, module_name: str, global_name: str) -> Any:  # the name is pickle's
        if (module_name, global_name) in _ALLOWED:
            return _ALLOWED[module_name, global_name]
        if module_name.partition(".")[0] in _SETTINGS_LIBRARIES:
            return Settings
        raise pickle.UnpicklingError(
            f"it asks for {module_name}.{global_name}, which weights have no use for"
        )


def _load(stream: Any, **options: Any) -> Any:
    return _Unpickler(stream, **options).load()


# What `torch.load` takes of the module `pickle`.
_PICKLE = SimpleNamespace(Unpickler=_Unpickler, load=_load, __name__="pickle")


def read_torch_file(path: Path) -> dict[Any, Any]:
    """Return the table that a torch file (.pt, .pth, .ckpt) holds; its tensors stay on the disk until they are used.

    Raise KnownError where it is missing, damaged, asks for anything that could run, or holds no table.
    """
    _check_archive(path)
    try:
        held = torch.load(path, map_location="cpu", pickle_module=_PICKLE, weights_only=False, mmap=True)
    except pickle.UnpicklingError as error:
        raise KnownError(f"{path.name} was not loaded: {error}.", _STRANGE_HINT) from error
    # What a damaged file makes the reader do wrong is not one kind of error.
    except (
        RuntimeError,
        ValueError,
        TypeError,
        KeyError,
        IndexError,
        AttributeError,
        EOFError,
        OSError,
        MemoryError,
        OverflowError,
        RecursionError,
    ) as error:
        first_line = str(error).partition("\n")[0]
        raise KnownError(f"{path.name} is damaged ({first_line}).", _WHOLE_FILE_HINT) from error
    if not isinstance(held, dict):
        raise KnownError(f"{path.name} holds no table of weights.", _STRANGE_HINT)
    return held


def _check_archive(path: Path) -> None:
    """Refuse what is not torch's own kind of archive; programs saved by torch (TorchScript) are such archives too."""
    try:
        with path.open("rb") as stream:
            beginning = stream.read(4)
        if beginning[:2] != b"PK":
            raise KnownError(
                f"{path.name} is not a file of torch weights.",
                "It should end in .ckpt, .pth or .pt and be written by torch 1.6 or later.",
            )
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
    except OSError as error:
        raise KnownError(
            f"{path} cannot be read ({error.strerror}).", "Check the path and its permissions."
        ) from error
    except zipfile.BadZipFile as error:
        raise KnownError(f"{path.name} is cut off or damaged.", _WHOLE_FILE_HINT) from error
    if any(name.endswith("/constants.pkl") for name in names) or not any(
        name.endswith("/data.pkl") for name in names
    ):
        raise KnownError(f"{path.name} is an archive, but not one of torch weights.", _STRANGE_HINT)
