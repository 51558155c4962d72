"""Cloth from a user's folder of pictures, laid on the T-pose from the front."""

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from limbstudio.a3d.clothing import Cloth
from limbstudio.domain.errors import KnownError
from limbstudio.images import open_photo
from limbstudio.rendering.raster import Floats

SUFFIXES = frozenset((".jpg", ".jpeg", ".png", ".webp", ".bmp", ".tif", ".tiff"))
_SIDE_PX = 256
_MOST = 400
# So much of a shirt or of trousers a picture covers before it is repeated, mirrored.
_SIZE_M = (0.35, 0.7)
_WORN_SHARE = 0.75


@dataclass(frozen=True, eq=False)
class Textures:
    """names: of the files. pictures: (256, 256, 3) linear light each."""

    names: tuple[str, ...] = ()
    pictures: tuple[Floats, ...] = ()

    def draw(self, rng: np.random.Generator) -> tuple[Cloth | None, Cloth | None]:
        """Draw the cloth of shirt and trousers, None where the procedural one is worn."""
        if not self.pictures:
            return None, None
        return self._one(rng), self._one(rng)

    def _one(self, rng: np.random.Generator) -> Cloth | None:
        picture = self.pictures[int(rng.integers(len(self.pictures)))]
        size, worn = float(rng.uniform(*_SIZE_M)), rng.random() < _WORN_SHARE
        return (lambda points: _laid(picture, size, points)) if worn else None


def read_textures(folder: Path | None) -> Textures:
    """Read the pictures of a folder; KnownError where there is none or one cannot be read."""
    if folder is None:
        return Textures()
    files = picture_files(folder, "textures")[:_MOST]
    pictures = []
    for file in files:
        pixels = open_photo(file).pixels
        side = min(pixels.shape[:2])
        top, left = ((n - side) // 2 for n in pixels.shape[:2])
        square = pixels[top : top + side, left : left + side]
        small = cv2.resize(square, (_SIDE_PX, _SIDE_PX), interpolation=cv2.INTER_AREA)
        pictures.append(((small / 255.0) ** 2.2).astype(np.float32))
    return Textures(tuple(file.name for file in files), tuple(pictures))


def picture_files(folder: Path, what: str) -> list[Path]:
    """Return the pictures of a folder in the order of their names; KnownError where there are none."""
    if not folder.is_dir():
        raise KnownError(f"The folder of {what} {folder} is not there.", "Check its name.")
    try:
        files = sorted(p for p in folder.rglob("*") if p.suffix.lower() in SUFFIXES and p.is_file())
    except OSError as error:
        raise KnownError(
            f"The folder of {what} {folder} cannot be read: {error.strerror}.", "Check its permissions."
        ) from error
    if not files:
        raise KnownError(
            f"There are no pictures in the folder of {what} {folder}.",
            f"Put {', '.join(sorted(s[1:] for s in SUFFIXES))} files there, or leave the option out.",
        )
    return files


def _laid(picture: Floats, size_m: float, points: Floats) -> Floats:
    """Return the colours of the picture at T-pose points (N, 3); it repeats, mirrored, every `size_m` metres."""
    side = len(picture)
    u, v = points[:, 0] / size_m, -points[:, 1] / size_m
    back = points[:, 2] < 0  # the back shows another place than the front
    u = np.where(back, 0.37 - u, u)
    columns, rows = ((np.abs((c + 1) % 2 - 1) * (side - 1)).astype(np.int64) for c in (u, v))
    return picture[rows, columns].astype(float)
