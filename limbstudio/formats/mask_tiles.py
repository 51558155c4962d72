"""Masks kept as tiles: an edit writes one small file with the tiles that it changed, and names the files of the rest.

A file holds, after a short head, one zlib stream: for every tile of the grid one byte that says empty (0), full (1) or
in which file it is drawn (2: this one, 3: the next in the list that names the files, ...), for every tile two bytes
with its number in that file (little-endian), and then the tiles that are new, one bit per pixel, rows of whole bytes.
The list of files, newest first, is kept by who names the mask. A mask may have no drawn tile and is one file still.
"""

import struct
import zlib
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from limbstudio.domain.errors import KnownError

Mask = NDArray[np.bool_]
# Left, top, right, bottom in pixels; right and bottom lie outside.
Bounds = tuple[int, int, int, int]

SIDE = 256
"""Pixels of a tile's side: 8 KB of bits, of which an outline fills some hundred bytes when packed."""

MOST_FILES = 6
"""A mask of more files than this takes the smaller ones into the new one: each is opened to read the mask."""

_MAGIC = b"LimbMask"
_HEAD = struct.Struct("<8sIIHHH")  # magic, width, height, side, files that it was made beside, tiles in it
_BYTES = SIDE * SIDE // 8
_FULL = b"\x01"
_LEVEL = 6


@dataclass(frozen=True, eq=False)
class TiledMask:
    """A mask as its tiles. size_px: width, height. files: names, newest first.

    tiles: bits of every tile that is not empty by its place in the grid, row by row (a full one is one byte long).
    places: of each drawn tile, the number of its file and its number in it.
    """

    size_px: tuple[int, int]
    tiles: Mapping[int, bytes] = field(default_factory=dict)
    files: tuple[str, ...] = ()
    places: Mapping[int, tuple[int, int]] = field(default_factory=dict)

    def pixels(self) -> Mask:
        """Return the mask, (H, W) bool."""
        mask = np.zeros(self.size_px[::-1], bool)
        for place in self.tiles:
            self.show_tile(place, mask)
        return mask

    def show_tile(self, place: int, mask: Mask) -> Bounds:
        """Write one tile into a mask (H, W) of this size; return where it lies."""
        rows, columns = _slices(place, self.size_px)
        part = mask[rows, columns]
        bits = self.tiles.get(place, b"")
        part[:] = _unpacked(bits)[: part.shape[0], : part.shape[1]] if len(bits) == _BYTES else bool(bits)
        return columns.start, rows.start, columns.start + part.shape[1], rows.start + part.shape[0]

    def differing(self, other: "TiledMask") -> list[int]:
        """Return the places of the tiles in which another mask of this size differs."""
        return [
            place
            for place in sorted(self.tiles.keys() | other.tiles.keys())
            if self.tiles.get(place, b"") != other.tiles.get(place, b"")
        ]


def is_tiles(data: bytes) -> bool:
    """Tell whether a file is of this kind (and no picture)."""
    return data.startswith(_MAGIC)


def changed_tiles(before: TiledMask, mask: Mask, within: Bounds | None = None) -> dict[int, bytes]:
    """Return the tiles in which a mask (H, W) differs, as `TiledMask.tiles`; no bytes for one that became empty.

    within: where the mask may differ; elsewhere it is not looked at.
    """
    width, height = before.size_px
    left, top, right, bottom = within or (0, 0, width, height)
    columns = _columns(before.size_px)
    found = {}
    for row in range(max(top, 0) // SIDE, -(-min(bottom, height) // SIDE)):
        for column in range(max(left, 0) // SIDE, -(-min(right, width) // SIDE)):
            place = row * columns + column
            bits = _packed(mask[_slices(place, before.size_px)])
            if bits != before.tiles.get(place, b""):
                found[place] = bits
    return found


def written(before: TiledMask, changed: Mapping[int, bytes], write: Callable[[bytes], str]) -> TiledMask:
    """Write the changed tiles as one file by `write`, which returns its name, and return the mask that has them.

    Tiles of files that hold no more than the new one are written anew, so that a mask is never of many files, and a
    tile is written again only a few times however long one draws.
    """
    tiles = {place: bits for place, bits in (dict(before.tiles) | dict(changed)).items() if bits}
    alive = Counter(file for place, (file, _) in before.places.items() if place not in changed)
    taken = sum(len(bits) == _BYTES for bits in changed.values())
    kept = sorted(alive, key=lambda file: alive[file])
    while kept and (alive[kept[0]] <= 2 * taken or len(kept) >= MOST_FILES):
        taken += alive[kept.pop(0)]
    numbers = {file: number for number, file in enumerate(sorted(kept), 1)}
    places: dict[int, tuple[int, int]] = {}
    new: list[bytes] = []
    for place in sorted(place for place, bits in tiles.items() if len(bits) == _BYTES):
        file, number = before.places.get(place, (-1, 0))
        if place not in changed and file in numbers:
            places[place] = numbers[file], number
        else:
            places[place] = 0, len(new)
            new.append(tiles[place])
    name = write(_encoded(before.size_px, tiles, places, new, len(kept)))
    return TiledMask(before.size_px, tiles, (name, *(before.files[file] for file in sorted(kept))), places)


def read(files: Sequence[str], read_file: Callable[[str], bytes]) -> TiledMask:
    """Return the mask of these files, newest first; KnownError when one is damaged."""
    sheets = [_decoded(read_file(name)) for name in files]
    size_px, sources, numbers = sheets[0].size_px, sheets[0].sources, sheets[0].numbers
    if sheets[0].beside != len(files) - 1 or any(sheet.size_px != size_px for sheet in sheets):
        raise _damaged()
    drawn_in = [sheet.tiles for sheet in sheets]
    tiles: dict[int, bytes] = {}
    places: dict[int, tuple[int, int]] = {}
    for place in np.flatnonzero(sources).tolist():
        file, number = int(sources[place]) - 2, int(numbers[place])
        if file < 0:
            tiles[place] = _FULL
            continue
        if file >= len(drawn_in) or number >= len(drawn_in[file]):
            raise _damaged()
        tiles[place] = drawn_in[file][number]
        places[place] = file, number
    return TiledMask(size_px, tiles, tuple(files), places)


# ------------------------------------------------------------------------------------------------------- one file


class _Sheet(NamedTuple):
    """A file as it was read. sources, numbers: of every tile. tiles: those that are in this file."""

    size_px: tuple[int, int]
    beside: int
    sources: np.ndarray
    numbers: np.ndarray
    tiles: list[bytes]


def _encoded(
    size_px: tuple[int, int],
    tiles: Mapping[int, bytes],
    places: Mapping[int, tuple[int, int]],
    new: Sequence[bytes],
    beside: int,
) -> bytes:
    sources, numbers = np.zeros(_count(size_px), np.uint8), np.zeros(_count(size_px), "<u2")
    for place, bits in tiles.items():
        if len(bits) == _BYTES:
            sources[place], numbers[place] = places[place][0] + 2, places[place][1]
        else:
            sources[place] = 1
    head = _HEAD.pack(_MAGIC, *size_px, SIDE, beside, len(new))
    return head + zlib.compress(b"".join((sources.tobytes(), numbers.tobytes(), *new)), _LEVEL)


def _decoded(data: bytes) -> _Sheet:
    try:
        magic, width, height, side, beside, count = _HEAD.unpack_from(data)
        size_px = (width, height)
        if magic != _MAGIC or side != SIDE or not all(size_px):
            raise _damaged()
        places = _count(size_px)
        length = 3 * places + count * _BYTES
        stream = zlib.decompressobj()
        body = stream.decompress(data[_HEAD.size :], length + 1)
    except (struct.error, zlib.error) as error:
        raise _damaged() from error
    if len(body) != length or not stream.eof:
        raise _damaged()
    sources = np.frombuffer(body, np.uint8, places)
    numbers = np.frombuffer(body, "<u2", places, places)
    new = [body[at : at + _BYTES] for at in range(3 * places, length, _BYTES)]
    return _Sheet(size_px, beside, sources, numbers, new)


def _damaged() -> KnownError:
    return KnownError("The mask's file is damaged.", "Delete the layer and draw it again.")


# ------------------------------------------------------------------------------------------------------- one tile


def _columns(size_px: tuple[int, int]) -> int:
    return -(-size_px[0] // SIDE)


def _count(size_px: tuple[int, int]) -> int:
    return _columns(size_px) * -(-size_px[1] // SIDE)


def _slices(place: int, size_px: tuple[int, int]) -> tuple[slice, slice]:
    row, column = divmod(place, _columns(size_px))
    return slice(row * SIDE, (row + 1) * SIDE), slice(column * SIDE, (column + 1) * SIDE)


def _packed(part: np.ndarray) -> bytes:
    """Return the bits of a tile; one at the photo's edge is filled up with nothing."""
    if not part.any():
        return b""
    if part.all():
        return _FULL
    if part.shape != (SIDE, SIDE):
        whole = np.zeros((SIDE, SIDE), bool)
        whole[: part.shape[0], : part.shape[1]] = part
        part = whole
    return np.packbits(part, axis=1).tobytes()


def _unpacked(bits: bytes) -> np.ndarray:
    return np.unpackbits(np.frombuffer(bits, np.uint8)).reshape(SIDE, SIDE).view(bool)
