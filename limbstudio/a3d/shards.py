"""WebDataset shards: plain tar files whose bytes depend on the samples alone, written whole or not at all."""

import io
import json
import tarfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from limbstudio.a3d.sampling import Sample, key_of
from limbstudio.domain.errors import KnownError
from limbstudio.formats.whole_files import write_whole

REQUIRED = ("jpg", "json", "person.png", "residual.png", "prosthesis.png", "occluder.png")
_PREFIX = "a3d-"


def shard_path(folder: Path, number: int) -> Path:
    return folder / f"{_PREFIX}{number:06d}.tar"


def write_shard(path: Path, samples: Sequence[Sample]) -> None:
    """Write samples as one shard; KnownError, and no file of that name, where it cannot be."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        for sample in samples:
            for ending, data in sample.files:
                member = tarfile.TarInfo(f"{sample.key}.{ending}")  # its time, owner and group are zero
                member.size = len(data)
                member.mode = 0o644
                tar.addfile(member, io.BytesIO(data))
    write_whole(path, buffer.getvalue())


def read_shard(path: Path) -> Iterator[tuple[str, dict[str, bytes]]]:
    """Yield key and files of each sample of a shard, in order. tarfile.TarError or OSError where it is damaged."""
    with tarfile.open(path, mode="r:") as tar:
        key, files = "", {}
        for member in tar:
            name, _, ending = member.name.partition(".")
            if name != key and files:
                yield key, files
                files = {}
            key = name
            content = tar.extractfile(member)
            data = b"" if content is None else content.read()
            if len(data) != member.size:
                raise tarfile.ReadError(f"{member.name} is cut off")
            files[ending] = data
        if files:
            yield key, files


def is_whole(path: Path, indices: range) -> bool:
    """Tell whether a shard holds all of these samples and nothing else."""
    try:
        keys = []
        for key, files in read_shard(path):
            if not set(REQUIRED) <= set(files) or json.loads(files["json"])["key"] != key:
                return False
            keys.append(key)
    except (OSError, tarfile.TarError, ValueError, KeyError, TypeError):
        return False
    return keys == [key_of(index) for index in indices]


def remove_leftovers(folder: Path) -> None:
    """Remove what a run that was ended in the middle of writing left behind."""
    for path in folder.glob(".*.part"):
        if path.name.startswith(
            (f".{_PREFIX}", ".annotations.json", ".datasheet.md", ".contact_sheet", ".a3d.json")
        ):
            path.unlink(missing_ok=True)


def truths(folder: Path, shards: int) -> Iterator[tuple[dict[str, Any], dict[str, bytes]]]:
    """Yield truth and files of every sample of all shards; KnownError where one is damaged."""
    for number in range(shards):
        path = shard_path(folder, number)
        try:
            for _, files in read_shard(path):
                yield json.loads(files["json"]), files
        except (OSError, tarfile.TarError, ValueError, KeyError) as error:
            raise KnownError(
                f"The shard {path} is damaged.", "Run the command again with --resume."
            ) from error
