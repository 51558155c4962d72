"""A user's photos as backgrounds: read, cleared of the people that a COCO file beside them marks, judged, cropped."""

import json
from collections import OrderedDict
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from PIL import Image

from limbstudio.a3d.backdrops import Backdrop, Rays
from limbstudio.a3d.pictures import picture_files
from limbstudio.a3d.quality import Cleaned, FindPeople, Mask, cleaned
from limbstudio.domain.errors import KnownError
from limbstudio.formats.annotated import RunLengths
from limbstudio.formats.masks import decode_run_lengths, polygon_mask
from limbstudio.rendering.scene import Viewpoint

# Photos are worked on at this many times the sample's side.
_WORKING_SIDES = 1.75
_KEPT_PHOTOS = 48
_LEAST_CROP = 0.62
_GROUND_REACH_M = 6.0


@dataclass(frozen=True)
class Marked:
    """People that a COCO file marks in a photo. size_px: width, height as the file says. outlines: polygons, run
    lengths or boxes."""

    size_px: tuple[int, int]
    outlines: tuple[Any, ...]


@dataclass(frozen=True, eq=False)
class BackgroundPhoto:
    """The photo taken for a sample. pixels: (S, S, 3) RGB. passed_over: photos that would not do, and why."""

    pixels: np.ndarray
    file: str
    removed: int
    ssim: float
    passed_over: tuple[tuple[str, str], ...]


@dataclass
class Backgrounds:
    """The photos of a folder.

    files: those that can be read. unreadable: names of the others. people: by file name. has_list: whether a COCO file
    lay beside them. find_people: a detector, or None.
    """

    folder: Path
    files: tuple[Path, ...]
    unreadable: tuple[str, ...]
    people: dict[str, Marked]
    has_list: bool
    find_people: FindPeople | None = None
    _ready: "OrderedDict[tuple[int, int], Cleaned]" = field(default_factory=OrderedDict)

    def take(self, pick: float, size_px: int, rng: np.random.Generator) -> BackgroundPhoto:
        """Take the photo at `pick` (0..1), or the next one that will do, and crop it; KnownError where none will."""
        start = min(int(pick * len(self.files)), len(self.files) - 1)
        passed: list[tuple[str, str]] = []
        for step in range(len(self.files)):
            number = (start + step) % len(self.files)
            ready = self._cleaned(number, size_px)
            if not ready.refusal:
                pixels = _cropped(ready.pixels, size_px, rng)
                name = self.files[number].name
                return BackgroundPhoto(pixels, name, ready.removed, ready.ssim, tuple(passed))
            passed.append((self.files[number].name, ready.refusal))
        reasons = ", ".join(sorted({reason for _, reason in passed}))
        raise KnownError(
            f"None of the {len(self.files)} photos in {self.folder} will do as a background ({reasons}).",
            "Add photos without people, or in which people are small.",
        )

    def _cleaned(self, number: int, size_px: int) -> Cleaned:
        key = (number, size_px)
        if key in self._ready:
            self._ready.move_to_end(key)
            return self._ready[key]
        file = self.files[number]
        pixels = _read_small(file, round(_WORKING_SIDES * size_px))
        if pixels is None:
            result = Cleaned(np.zeros((1, 1, 3), np.uint8), 0, 0.0, "damaged file")
        else:
            marked = self.people.get(file.name)
            try:
                mask = _mask_of(marked, (pixels.shape[1], pixels.shape[0]))
            except (ValueError, TypeError, KeyError, IndexError) as error:
                raise KnownError(
                    f"The COCO file beside the backgrounds marks people in {file.name} in a way that cannot be read.",
                    "Correct their “segmentation” or “bbox”, or take the file out of the folder.",
                ) from error
            result = cleaned(pixels, mask, len(marked.outlines) if marked else 0, self.find_people)
        self._ready[key] = result
        if len(self._ready) > _KEPT_PHOTOS:
            self._ready.popitem(last=False)
        return result


def read_backgrounds(folder: Path, find_people: FindPeople | None = None) -> Backgrounds:
    """Look through a folder of photos; KnownError where none can be read, or its COCO file is none."""
    files = picture_files(folder, "backgrounds")
    good, bad = [], []
    for file in files:
        (good if _is_picture(file) else bad).append(file)
    if not good:
        raise KnownError(
            f"None of the {len(files)} photos in {folder} can be read as a picture.",
            "Export them anew as JPEG or PNG.",
        )
    people, has_list = _read_people(folder)
    return Backgrounds(folder, tuple(good), tuple(f.name for f in bad), people, has_list, find_people)


def photo_backdrop(photo: BackgroundPhoto, view: Viewpoint) -> Backdrop:
    """Return a photo as backdrop; the ground under the person, where its shadow falls, is where the camera puts it."""
    rays = Rays.of(view)
    t = rays.floor()
    ground = t < _GROUND_REACH_M
    points = rays.eye + t[ground][:, None] * rays.directions[ground]
    colours = ((photo.pixels / np.float32(255)) ** np.float32(2.2)).astype(np.float32)
    normals = np.tile(np.array([0.0, 1.0, 0.0], np.float32), (len(points), 1))
    return Backdrop("photo", colours, ground, points, normals, False, photo.file)


def _is_picture(file: Path) -> bool:
    try:
        with Image.open(file) as picture:
            return min(picture.size) >= 16
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        return False


def _read_small(file: Path, side: int) -> np.ndarray | None:
    """Read a photo upright, its shorter side about `side` pixels; None where it is damaged."""
    try:
        data = np.fromfile(file, np.uint8)
        with Image.open(file) as picture:
            shorter = min(picture.size)
        factor = next((n for n in (8, 4, 2) if shorter >= n * side), 1)
        flag = {8: cv2.IMREAD_REDUCED_COLOR_8, 4: cv2.IMREAD_REDUCED_COLOR_4, 2: cv2.IMREAD_REDUCED_COLOR_2}
        pixels = cv2.imdecode(data, flag.get(factor, cv2.IMREAD_COLOR)) if len(data) else None
    except (OSError, ValueError, SyntaxError, cv2.error):
        return None
    if pixels is None:
        return None
    scale = side / min(pixels.shape[:2])
    size = (max(side, round(pixels.shape[1] * scale)), max(side, round(pixels.shape[0] * scale)))
    kind = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    return np.ascontiguousarray(cv2.resize(pixels, size, interpolation=kind)[..., ::-1])


def _cropped(pixels: np.ndarray, size_px: int, rng: np.random.Generator) -> np.ndarray:
    height, width = pixels.shape[:2]
    side = int(min(height, width) * rng.uniform(_LEAST_CROP, 1.0))
    top, left = int(rng.integers(height - side + 1)), int(rng.integers(width - side + 1))
    crop = pixels[top : top + side, left : left + side]
    if rng.random() < 0.5:
        crop = crop[:, ::-1]
    kind = cv2.INTER_AREA if side > size_px else cv2.INTER_CUBIC
    return np.asarray(
        cv2.resize(np.ascontiguousarray(crop), (size_px, size_px), interpolation=kind), np.uint8
    )


# ------------------------------------------------------------------------------------------------ COCO file


def _read_people(folder: Path) -> tuple[dict[str, Marked], bool]:
    """Read the people of every COCO file in the folder, by file name."""
    people: dict[str, Marked] = {}
    lists = sorted(folder.glob("*.json"))
    for path in lists:
        try:
            document = json.loads(path.read_bytes())
            people |= _people_of(document)
        except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
            raise KnownError(
                f"{path} beside the backgrounds is no COCO annotation file.",
                "Correct it, or take it out of the folder.",
            ) from error
    return people, bool(lists)


def _people_of(document: dict[str, Any]) -> dict[str, Marked]:
    persons = {c["id"] for c in document.get("categories", []) if str(c.get("name")).lower() == "person"} or {
        1
    }
    outlines: dict[Any, list[Any]] = {}
    for annotation in document["annotations"]:
        if annotation.get("category_id", 1) in persons:
            outline = annotation.get("segmentation") or annotation["bbox"]
            outlines.setdefault(annotation["image_id"], []).append(outline)
    return {
        Path(str(image["file_name"])).name: Marked(
            (int(image["width"]), int(image["height"])), tuple(outlines[image["id"]])
        )
        for image in document["images"]
        if image["id"] in outlines
    }


def _mask_of(marked: Marked | None, size_px: tuple[int, int]) -> Mask:
    """Return where the marked people are, in a photo of another size."""
    mask = np.zeros(size_px[::-1], bool)
    if marked is None:
        return mask
    scale = np.array(size_px) / np.array(marked.size_px)
    for outline in marked.outlines:
        if isinstance(outline, dict):
            counts = outline["counts"]
            runs = RunLengths(marked.size_px, counts if isinstance(counts, str) else tuple(counts))
            small = cv2.resize(
                decode_run_lengths(runs).astype(np.uint8), size_px, interpolation=cv2.INTER_AREA
            )
            mask |= small > 0
        elif outline and isinstance(outline[0], list):
            polygons = [(np.reshape(p, (-1, 2)) * scale).ravel().tolist() for p in outline if len(p) >= 6]
            mask |= polygon_mask(polygons, (), size_px)
        else:
            x, y, w, h = (float(v) for v in outline)
            low, high = np.floor(np.array([x, y]) * scale), np.ceil(np.array([x + w, y + h]) * scale)
            (left, top), (right, bottom) = np.clip(low, 0, None).astype(int), high.astype(int)
            mask[top:bottom, left:right] = True
    return mask
