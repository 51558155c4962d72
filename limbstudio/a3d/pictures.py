"""Pictures of a user's folder: which there are, and each as a small square in linear light."""

from pathlib import Path

import cv2
import numpy as np

from limbstudio.domain.errors import KnownError
from limbstudio.images import open_photo
from limbstudio.rendering.raster import Floats

SUFFIXES = frozenset((".jpg", ".jpeg", ".png", ".webp", ".bmp", ".tif", ".tiff"))


def picture_files(folder: Path, what: str) -> list[Path]:
    """Return the pictures of a folder in the order of their names; KnownError where there are none."""
    if not folder.is_dir():
        raise KnownError(f"The folder of {what} {folder} is not there.", "Check its name.")
    try:
        files = sorted(p for p in folder.rglob("*") if p.suffix.lower() in SUFFIXES and p.is_file())
    except OSError as error:
        raise unreadable(folder, what, error) from error
    if not files:
        raise KnownError(
            f"There are no pictures in the folder of {what} {folder}.",
            f"Put {', '.join(sorted(s[1:] for s in SUFFIXES))} files there, or leave the option out.",
        )
    return files


def unreadable(folder: Path, what: str, error: OSError) -> KnownError:
    """Return what is said of a folder that the system does not let us read."""
    return KnownError(
        f"The folder of {what} {folder} cannot be read: {error.strerror}.", "Check its permissions."
    )


def square_picture(file: Path, side_px: int) -> Floats:
    """Return the middle of a picture, (side, side, 3) linear light; KnownError where it is none."""
    pixels = open_photo(file).pixels
    side = min(pixels.shape[:2])
    top, left = ((n - side) // 2 for n in pixels.shape[:2])
    square = pixels[top : top + side, left : left + side]
    small = cv2.resize(square, (side_px, side_px), interpolation=cv2.INTER_AREA)
    return ((small / 255.0) ** 2.2).astype(np.float32)


def mirrored_texels(picture: Floats, across: Floats, down: Floats) -> Floats:
    """Return the colours (N, 3) of a picture that repeats, mirrored, with every whole number of `across` and `down`."""
    last = len(picture) - 1
    columns, rows = ((np.abs((c + 1) % 2 - 1) * last).astype(np.int64) for c in (across, down))
    return picture[rows, columns].astype(float)
