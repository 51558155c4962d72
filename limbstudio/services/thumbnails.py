"""Thumbnails of photos, kept on disk by what is in the photo, so that a list is there at once the next time."""

import contextlib
import logging
import os
import threading
from collections.abc import Callable
from pathlib import Path

import numpy as np

from limbstudio.services import settings

log = logging.getLogger(__name__)

SIZE = (112, 96)  # twice what the list shows, for sharp screens


def cache_folder() -> Path:
    return settings.home_folder() / "cache" / "thumbnails"


def thumbnail(sha256: str, read: Callable[[], np.ndarray]) -> np.ndarray:
    """Return the thumbnail of a photo, (96, 112, 3) uint8 RGB; `read` gives its pixels when there is none yet."""
    path = cache_folder() / sha256[:2] / f"{sha256}.jpg"
    kept = _read(path)
    if kept is None:
        kept = shrunk(read())
        _keep(path, kept)
    return kept


def shrunk(pixels: np.ndarray) -> np.ndarray:
    """Return the middle of a photo, (H, W, 3), cut to the thumbnail's form and made small."""
    import cv2

    height, width = pixels.shape[:2]
    scale = max(SIZE[0] / width, SIZE[1] / height)
    size = (max(SIZE[0], round(width * scale)), max(SIZE[1], round(height * scale)))
    small = cv2.resize(pixels, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)
    left, top = (size[0] - SIZE[0]) // 2, (size[1] - SIZE[1]) // 3  # heads are rather above the middle
    return np.ascontiguousarray(small[top : top + SIZE[1], left : left + SIZE[0]])


def _read(path: Path) -> np.ndarray | None:
    from PIL import Image

    try:
        with Image.open(path) as picture:
            pixels = np.asarray(picture.convert("RGB"))
    except (OSError, ValueError, SyntaxError):  # none yet, or damaged: it is made anew
        return None
    return pixels if pixels.shape[:2] == SIZE[::-1] else None


def _keep(path: Path, pixels: np.ndarray) -> None:
    from PIL import Image

    temporary = path.with_name(f".{path.name}.{os.getpid()}.{threading.get_ident()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(pixels).save(temporary, "JPEG", quality=88)
        temporary.replace(path)
    except OSError as error:  # a full disk costs time the next time, nothing else
        log.info("The thumbnail %s was not kept: %s", path.name, error)
        with contextlib.suppress(OSError):
            temporary.unlink()
