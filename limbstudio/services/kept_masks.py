"""Masks in a project's blobs: kept as tiles, so that a stroke writes what it changed; read also as whole pictures.

A record names a mask by `mask_file`: "blobs/NAME", or of several files "blobs/NAME+blobs/NAME", newest first. So every
file that a record needs stands in its text, which is what backups, checks and compacting go by.
"""

import threading
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path

import numpy as np

from limbstudio.domain.errors import KnownError
from limbstudio.formats import mask_tiles
from limbstudio.formats.mask_tiles import Bounds, Mask, TiledMask

FOLDER = "blobs/"
_MOST_REMEMBERED = 64  # states of a mask share the tiles in which they are equal
_PICTURE = TiledMask((0, 0))  # stands for what is no tiles


class _Recent:
    """The tiles of masks that were read or written last: the next stroke must not wait for the disk to read them.

    A name always means the same tiles, in whichever project.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._masks: OrderedDict[str, TiledMask] = OrderedDict()

    def get(self, mask_file: str) -> TiledMask | None:
        with self._lock:
            found = self._masks.get(mask_file)
            if found is not None:
                self._masks.move_to_end(mask_file)
            return found

    def put(self, mask_file: str, mask: TiledMask) -> None:
        with self._lock:
            self._masks[mask_file] = mask
            self._masks.move_to_end(mask_file)
            while len(self._masks) > _MOST_REMEMBERED:
                self._masks.popitem(last=False)

    def clear(self) -> None:
        with self._lock:
            self._masks.clear()


recent = _Recent()


def blobs_of(mask_file: str) -> tuple[str, ...]:
    """Return the names of the blobs that a kept mask lies in; none for a file outside the blobs."""
    if not mask_file.startswith(FOLDER):
        return ()
    return tuple(part.removeprefix(FOLDER) for part in mask_file.split("+"))


def read_kept(mask_file: str, read_blob: Callable[[str], bytes]) -> Mask:
    """Return a mask that lies in blobs, (H, W) bool; KnownError when a file is gone or damaged."""
    tiled = _tiled(mask_file, read_blob)
    return picture_mask(read_blob(blobs_of(mask_file)[0])) if tiled is _PICTURE else tiled.pixels()


def read_mask_file(mask_file: str, folder: Path, read_blob: Callable[[str], bytes]) -> Mask:
    """Return the mask that a record of the project in `folder` names, (H, W) bool; KnownError when it cannot be."""
    if blobs_of(mask_file):
        return read_kept(mask_file, read_blob)
    return picture_mask(newest_file(mask_file, folder, read_blob))


def newest_file(mask_file: str, folder: Path, read_blob: Callable[[str], bytes]) -> bytes:
    """Return the bytes of a mask's only or newest file; KnownError when it cannot be read."""
    if names := blobs_of(mask_file):
        return read_blob(names[0])
    try:
        return (folder / mask_file).read_bytes()
    except OSError as error:
        message = f"The mask {mask_file} cannot be read ({error.strerror})."
        raise KnownError(message, "Put it back, or delete the layer.") from error


def show_change(mask: Mask, before: str, after: str) -> list[Bounds] | None:
    """Turn the pixels of one kept mask into those of another, in place; return where they changed.

    None, and nothing is changed, where that needs the disk: read the mask then.
    """
    old, new = recent.get(before), recent.get(after)
    if old is None or new is None or _PICTURE in (old, new):
        return None
    if not old.size_px == new.size_px == mask.shape[::-1]:
        return None
    return [new.show_tile(place, mask) for place in old.differing(new)]


def keep(
    mask: Mask,
    read_blob: Callable[[str], bytes],
    put_blob: Callable[[bytes], str],
    *,
    over: str | None = None,
    within: Bounds | None = None,
) -> str:
    """Keep a mask (H, W) bool and return what a record's `mask_file` says then; what is in blobs already stays there.

    over: the mask that it was made from, which changed only `within` (None: anywhere); None: an empty one. The same
    name comes back when nothing changed.
    """
    size = (mask.shape[1], mask.shape[0])
    before = _tiles_before(over, size, read_blob)
    if before is None:  # a picture, or of another size: nothing of it can be kept
        over, before, within = None, TiledMask(size), None
    changed = mask_tiles.changed_tiles(before, mask, within)
    if over is not None and not changed:
        return over
    after = mask_tiles.written(before, changed, put_blob)
    mask_file = "+".join(f"{FOLDER}{name}" for name in after.files)
    recent.put(mask_file, after)
    return mask_file


def _tiles_before(
    over: str | None, size: tuple[int, int], read_blob: Callable[[str], bytes]
) -> TiledMask | None:
    """Return the tiles to build upon, None where there are none."""
    if over is None:
        return TiledMask(size)
    try:
        tiled = _tiled(over, read_blob) if blobs_of(over) else _PICTURE
    except KnownError:  # what is damaged is not built upon
        return None
    return tiled if tiled.size_px == size else None


def _tiled(mask_file: str, read_blob: Callable[[str], bytes]) -> TiledMask:
    tiled = recent.get(mask_file)
    if tiled is None:
        names = blobs_of(mask_file)
        newest = read_blob(names[0])
        tiled = _PICTURE
        if mask_tiles.is_tiles(newest):
            tiled = mask_tiles.read(names, lambda name: newest if name == names[0] else read_blob(name))
        recent.put(mask_file, tiled)
    return tiled


def picture_mask(data: bytes) -> Mask:
    """Return the mask that a picture shows, (H, W) bool: white, or 1 where nothing is whiter, is inside."""
    import cv2

    grey = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_GRAYSCALE)
    if grey is None:
        raise KnownError("The mask's picture is damaged.", "Delete the layer and draw it again.")
    return np.asarray(grey > (0 if grey.max() == 1 else 127))
