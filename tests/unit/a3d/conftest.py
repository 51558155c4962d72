"""A small set of samples that the tests of this folder look at."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from limbstudio.a3d.making import Made, make_set
from limbstudio.a3d.plans import SampleOptions
from limbstudio.a3d.records import mask_of
from limbstudio.a3d.shards import truths

COUNT, SHARD_SIZE = 32, 20


@dataclass(frozen=True)
class MadeSet:
    """A set and its samples: truth and files."""

    made: Made
    samples: list[tuple[dict[str, Any], dict[str, bytes]]]

    @property
    def folder(self) -> Path:
        return self.made.folder

    def masks(self, row: int) -> dict[str, np.ndarray]:
        return {
            name[:-4]: mask_of(data) for name, data in self.samples[row][1].items() if name.endswith(".png")
        }


@pytest.fixture(scope="session")
def options() -> SampleOptions:
    return SampleOptions(seed=4, size_px=112)


@pytest.fixture(scope="session")
def made_set(options: SampleOptions, tmp_path_factory: pytest.TempPathFactory) -> MadeSet:
    """Return two rounds of sixteen samples, made in this process."""
    made = make_set(tmp_path_factory.mktemp("a3d") / "set", COUNT, options, shard_size=SHARD_SIZE)
    return MadeSet(made, list(truths(made.folder, made.shards)))


@pytest.fixture(scope="session")
def same_files():
    """Return a function that compares two folders, file by file."""

    def compare(one: Path, other: Path) -> None:
        names = sorted(path.name for path in one.iterdir() if path.is_file())
        assert names == sorted(path.name for path in other.iterdir() if path.is_file())
        assert [name for name in names if (one / name).read_bytes() != (other / name).read_bytes()] == []

    return compare
