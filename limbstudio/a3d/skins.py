"""Skin from a user's folder of pictures: one folder for each group of `groups.TONES`, laid round the T-pose.

Who belongs to a group that has pictures has the skin of one of them, drawn alike. Groups go by turns over the
samples, so that pictures are as balanced over the groups as people are.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from limbstudio.a3d.clothing import Landmarks, Linear, Skin
from limbstudio.a3d.groups import TONES
from limbstudio.a3d.pictures import SUFFIXES, mirrored_texels, picture_files, square_picture, unreadable
from limbstudio.domain.errors import KnownError
from limbstudio.rendering.raster import Floats

SKIN = "skin"
_WHAT = "skin textures"
_MOST = 400  # of a group
# About two millimetres a pixel, which is what a sample shows: finer ones would only flicker.
_SIDE_PX = 64
_SIZE_M = (0.1, 0.2)
_DARKEST = 1e-3  # linear light; logarithms of less would be all that counts
# How far the skin lies from the middle of arm, leg, and head or trunk; only the scale of the texture hangs on it.
_ARM_M, _LEG_M, _TRUNK_M = 0.045, 0.055, 0.1


@dataclass(frozen=True, eq=False)
class SkinPicture:
    """name: group and file. picture: (64, 64, 3) linear light, evenly lit."""

    name: str
    picture: Floats

    @property
    def colour(self) -> Linear:
        """Return the mean colour, linear light."""
        r, g, b = (float(value) for value in self.picture.mean((0, 1)))
        return r, g, b


@dataclass(frozen=True, eq=False)
class Skins:
    """Pictures of skin by group. Groups without any are left out: their people keep the procedural skin."""

    pictures: Mapping[str, tuple[SkinPicture, ...]] = field(default_factory=dict)

    @property
    def counts(self) -> dict[str, int]:
        """Return how many pictures each group has that has some."""
        return {group: len(pictures) for group, pictures in self.pictures.items()}

    def draw(self, group: str, rng: np.random.Generator) -> Skin | None:
        """Draw the skin of a person of a group, None where the procedural one is kept."""
        pictures = self.pictures.get(group, ())
        if not pictures:
            return None
        taken = pictures[int(rng.integers(len(pictures)))]
        size, shift = float(rng.uniform(*_SIZE_M)), rng.uniform(0, 2)

        def laid(points: Floats, marks: Landmarks) -> Floats:
            along, about = unrolled(points, marks)
            return mirrored_texels(taken.picture, along / size + shift, about / size)

        return Skin(taken.name, taken.colour, laid)


def read_skins(folder: Path) -> Skins:
    """Read the pictures of the groups' folders in `folder`; none where that is not there.

    KnownError for pictures without a group, folders that are no group's, groups without pictures, and pictures that
    cannot be read.
    """
    if not folder.is_dir():
        return Skins()
    names = [tone.name for tone in TONES]
    hint = f"The groups are {', '.join(names)}: put pictures into {folder.name}/{names[0]} and so on."
    try:
        inside = sorted(path for path in folder.iterdir() if not path.name.startswith("."))
    except OSError as error:
        raise unreadable(folder, _WHAT, error) from error
    groups = [path for path in inside if path.is_dir()]
    loose = [path for path in inside if path.suffix.lower() in SUFFIXES and path not in groups]
    if loose:
        raise KnownError(f"The picture {loose[0]} belongs to no group.", hint)
    for group in groups:
        if group.name not in names:
            raise KnownError(f"“{group.name}” in {folder} is no group of skin textures.", hint)
    if not groups:
        raise KnownError(f"There are no pictures in the folder of {_WHAT} {folder}.", hint)
    return Skins({group.name: _read_group(group) for group in groups})


def _read_group(folder: Path) -> tuple[SkinPicture, ...]:
    files = picture_files(folder, _WHAT)[:_MOST]
    return tuple(
        SkinPicture(f"{folder.name}/{file.name}", _evenly_lit(square_picture(file, _SIDE_PX)))
        for file in files
    )


def _evenly_lit(picture: Floats) -> Floats:
    """Return a picture of the same mean colour without light and shadow: a quadric of the logarithms is taken off."""
    x, y = (axis.ravel() for axis in np.mgrid[-1 : 1 : 1j * len(picture), -1 : 1 : 1j * len(picture)])
    quadric = np.column_stack([np.ones(len(x)), x, y, x * y, x * x, y * y])
    logs = np.log(np.maximum(picture, _DARKEST).reshape(-1, 3).astype(float))
    even = np.exp(logs - quadric @ np.linalg.lstsq(quadric, logs, rcond=None)[0])
    return (even * (picture.mean((0, 1)) / even.mean(0))).reshape(picture.shape).astype(np.float32)


def unrolled(points: Floats, marks: Landmarks) -> tuple[Floats, Floats]:
    """Return where T-pose points (N, 3) lie along and about their limb, head or trunk: (N,) metres each.

    About is nought at the outer or upper side and has either sign from there on; what is even in it has no seam.
    """
    x, y, z = np.asarray(points, float).T
    left = x > 0

    def middle(at: Floats, first: str, last: str, along: int, axis: int) -> Floats:
        """Return where the line through two joints of the own side is on an axis, at places along another one."""
        ends = [
            np.where(left, marks.joint(f"left_{name}")[k], marks.joint(f"right_{name}")[k])
            for name in (first, last)
            for k in (along, axis)
        ]
        return ends[1] + (ends[3] - ends[1]) * (at - ends[0]) / (ends[2] - ends[0])

    head, pelvis = (marks.head_low + marks.head_high) / 2, marks.joint("pelvis")
    trunk_z = np.interp(y, (pelvis[1], head[1]), (pelvis[2], head[2]))
    about = _TRUNK_M * np.arctan2(z - trunk_z, x)
    leg = y < marks.joint("left_hip")[1]
    leg_x, leg_z = (middle(y, "hip", "ankle", 1, axis) for axis in (0, 2))
    about = np.where(leg, _LEG_M * np.arctan2(z - leg_z, x - leg_x), about)
    arm = (np.abs(x) > abs(marks.joint("left_shoulder")[0])) & ~leg
    arm_y, arm_z = (middle(x, "shoulder", "wrist", 0, axis) for axis in (1, 2))
    about = np.where(arm, _ARM_M * np.arctan2(z - arm_z, y - arm_y), about)
    return np.where(arm, x, y), about
