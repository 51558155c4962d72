"""Cloth from a user's folder of pictures, laid on the T-pose from the front; skin lies in a folder of its own."""

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from limbstudio.a3d.clothing import Cloth
from limbstudio.a3d.pictures import mirrored_texels, picture_files, square_picture
from limbstudio.a3d.skins import SKIN, Skins, read_skins
from limbstudio.rendering.raster import Floats

_SIDE_PX = 256
_MOST = 400
# So much of a shirt or of trousers a picture covers before it is repeated, mirrored.
_SIZE_M = (0.35, 0.7)
_WORN_SHARE = 0.75


@dataclass(frozen=True, eq=False)
class Textures:
    """names: of the files of cloth. pictures: (256, 256, 3) linear light each. skins: by group."""

    names: tuple[str, ...] = ()
    pictures: tuple[Floats, ...] = ()
    skins: Skins = field(default_factory=Skins)

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
    """Read the pictures of a folder: of skin in `skin/<group>`, of cloth everywhere else.

    KnownError where there is none, one cannot be read, or `skin` holds something else than groups with pictures.
    """
    if folder is None:
        return Textures()
    found = picture_files(folder, "textures")
    cloths = [file for file in found if file.relative_to(folder).parts[0] != SKIN][:_MOST]
    pictures = tuple(square_picture(file, _SIDE_PX) for file in cloths)
    return Textures(tuple(file.name for file in cloths), pictures, read_skins(folder / SKIN))


def _laid(picture: Floats, size_m: float, points: Floats) -> Floats:
    """Return the colours of the picture at T-pose points (N, 3); it repeats, mirrored, every `size_m` metres."""
    u, v = points[:, 0] / size_m, -points[:, 1] / size_m
    back = points[:, 2] < 0  # the back shows another place than the front
    return mirrored_texels(picture, np.where(back, 0.37 - u, u), v)
