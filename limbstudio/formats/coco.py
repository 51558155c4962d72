"""COCO keypoints: 17 or 25 points per person, mapped by name, with the block `limbstudio` where there is one.

What is wrong with one person is a `Problem` and stops nobody else; what is wrong with the file, a KnownError.
"""

import difflib
import json
import math
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePath
from typing import Any

from limbstudio.domain.anatomy import (
    LDPOSE,
    LDPOSE_EDGES,
    LDPOSE_INDEX,
    LDPOSE_NAMES,
    N_COCO,
    N_KEYPOINTS,
    KeypointState,
)
from limbstudio.domain.errors import KnownError
from limbstudio.domain.geometry import Box, Keypoints
from limbstudio.domain.photo import Person, Photo
from limbstudio.domain.provenance import Provenance, Source
from limbstudio.formats.annotated import (
    AnnotatedImage,
    AnnotatedPerson,
    Annotations,
    Problem,
    RunLengths,
    Uncertainty,
)
from limbstudio.formats.json_files import JsonDocument, clean, read_json
from limbstudio.formats.keypoint_names import plain_name
from limbstudio.formats.limb_block import (
    Block,
    RawPoint,
    finite,
    pixels,
    read_block,
    read_polygons,
    shown,
    understood,
    written_block,
)
from limbstudio.formats.whole_files import write_whole

OUTSIDE_TOLERANCE_PX = 1.0
"""Tools that count pixel edges put points up to one pixel beyond the last pixel's centre."""

MASK_SHARE_OF_BOX = 0.53
"""Area of a person relative to its box where no outline is known: what mmpose assumes for OKS."""

_SAFE_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")
_MAX_SIDE = 1_000_000


# ---------------------------------------------------------------------------------------------- reading


@dataclass(frozen=True)
class _Category:
    """A category's keypoints. indices: LDPose index or None at each place. problem: why it is of no use."""

    name: str
    indices: tuple[int | None, ...]
    problem: KnownError | None = None


def read_annotations(path: Path | str, document: JsonDocument | None = None) -> Annotations:
    """Read a COCO keypoint file. document: its content where it was parsed already.

    KnownError if the file as a whole cannot be used; `problems` holds the entries that could not.
    Positions stay in the pixels of the photo the file describes: see `placing.placed_on`.
    """
    path = Path(path)
    document = document or read_json(path)
    top = _checked_top(document.value, path.name)
    warnings, problems = list(document.warnings), list[Problem]()
    images = _images(top["images"], path.name, problems)
    categories = _categories(top.get("categories", []), path.name, warnings)
    people = _people(top["annotations"], images, categories, path.name, warnings, problems)
    unique = {image.id: image for image in images.values()}
    return Annotations(path, tuple(unique.values()), tuple(people), tuple(problems), tuple(warnings))


_KINDS = {
    list: "a list",
    str: "a text",
    bool: "a truth value",
    type(None): "nothing",
    int: "a number",
    float: "a number",
}
_GIVE = "Give a COCO file, which has “images”, “annotations” and “categories”."


def _checked_top(value: object, name: str) -> Mapping[str, Any]:
    if isinstance(value, list) and value and isinstance(value[0], dict) and "keypoints" in value[0]:
        raise KnownError(
            f"{name} holds COCO results (a list of predictions), not annotations.",
            "Give the annotation file with “images”, “annotations” and “categories”.",
        )
    if not isinstance(value, dict):
        raise KnownError(
            f"{name} is no annotation file: it holds {_KINDS.get(type(value), 'one value')}, not an object.",
            _GIVE,
        )
    if "shapes" in value and "imagePath" in value:
        raise KnownError(
            f"{name} is a labelme or X-AnyLabeling file.", "Export it as COCO keypoints from there."
        )
    if isinstance(value.get("people"), list) and "images" not in value:
        raise KnownError(
            f"{name} is a file of OpenPose, which cannot be read.", "Convert it to COCO keypoints first."
        )
    for key in ("images", "annotations"):
        if not isinstance(value.get(key), list):
            raise KnownError(
                f"{name} is no COCO file: “{key}” is " + ("not a list." if key in value else "missing."),
                _GIVE,
            )
    return value


def _images(values: Sequence[Any], file: str, problems: list[Problem]) -> dict[int | str, AnnotatedImage]:
    images: dict[int | str, AnnotatedImage] = {}
    broken: set[int | str] = set()
    for number, value in enumerate(values, 1):
        place = f"image {number}"
        try:
            image = _image(value)
            place = f"image {image.id}"
            if image.id in images and images[image.id] != image:
                broken.add(image.id)
                raise KnownError(
                    f"Two images have the id {image.id}: {images[image.id].file_name}, {image.file_name}.",
                    "Give each image its own id; the people of both are left out.",
                )
            images[image.id] = image
        except KnownError as error:
            problems.append(Problem(file, place, error.message, error.hint))
    return {key: image for key, image in images.items() if key not in broken}


def _image(value: object) -> AnnotatedImage:
    if not isinstance(value, dict):
        raise KnownError(f"The image is {shown(value)}, not an object.", "Correct it in the file.")
    name = value.get("file_name")
    if not isinstance(name, str) or not name.strip() or "\0" in name:
        raise KnownError(f"“file_name” is {shown(name)}.", "Give the name of the photo.")
    sides = []
    for key in ("width", "height"):
        if value.get(key) is not None:
            side = finite(value[key], f"“{key}” of {clean(name)}")
            if not 1 <= side <= _MAX_SIDE or side != int(side):
                raise KnownError(f"“{key}” of {clean(name)} is {shown(value[key])}.", "Give whole pixels.")
            sides.append(int(side))
    more = value.get("limbstudio") if isinstance(value.get("limbstudio"), dict) else {}
    sha256, focal = more.get("sha256", ""), more.get("focal_exif_px")  # type: ignore[union-attr]
    return AnnotatedImage(
        _identity(value.get("id"), "image"),
        name.encode("utf-8", "replace").decode("utf-8"),
        (sides[0], sides[1]) if len(sides) == 2 else None,
        sha256 if isinstance(sha256, str) and re.fullmatch("[0-9a-f]{64}", sha256) else "",
        None if focal is None else finite(focal, "“focal_exif_px”"),
        more.get("no_person") is True,  # type: ignore[union-attr]
    )


def _identity(value: object, what: str) -> int | str:
    """Return an id: a number, or a short plain word, because it becomes part of file names."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) < 2**63:
        return value
    if isinstance(value, str) and _SAFE_ID.fullmatch(value):
        return value
    raise KnownError(
        f"The id of the {what} is {shown(value)}.", "Give a number, or up to 64 letters, digits, “-” and “_”."
    )


def _categories(values: object, file: str, warnings: list[str]) -> dict[int | str, _Category]:
    categories = {}
    for value in values if isinstance(values, list) else []:
        if not isinstance(value, dict) or not isinstance(value.get("keypoints"), list):
            continue
        name = clean(str(value.get("name", "")))
        try:
            key = _identity(value.get("id"), "category")
        except KnownError as error:
            warnings.append(f"{file}, category {name}: {error.message} It is left out.")
            continue
        categories[key] = _category(name, value["keypoints"], file, warnings)
    return categories


def _category(name: str, keypoints: Sequence[object], file: str, warnings: list[str]) -> _Category:
    """Map a category's keypoints by name; a misspelt name is a problem, a foreign one is left out."""
    plain = [plain_name(k) for k in keypoints]
    indices = tuple(LDPOSE_INDEX.get(k) for k in plain)
    known = [i for i in indices if i is not None]
    if len(known) != len(set(known)):
        twice = LDPOSE_NAMES[Counter(known).most_common(1)[0][0]]
        error = KnownError(f"The category “{name}” names {twice} twice.", "Name each keypoint once.")
        return _Category(name, indices, error)
    missing = [n for i, n in enumerate(LDPOSE_NAMES) if i not in known]
    foreign = []
    for original, short, index in zip(keypoints, plain, indices, strict=True):
        if index is None:
            near = difflib.get_close_matches(short, missing, 1, 0.85)
            if near:
                error = KnownError(
                    f"The category “{name}” names a keypoint {shown(original)}, which is not known.",
                    f"Did you mean “{near[0]}”? Correct the name in “categories”.",
                )
                return _Category(name, indices, error)
            foreign.append(clean(str(original), 40))
    if not known:
        error = KnownError(
            f"The category “{name}” has no keypoint of LDPose-25 or COCO.", "Use their names, as “left_knee”."
        )
        return _Category(name, indices, error)
    if foreign:
        warnings.append(
            f"{file}: the category “{name}” has keypoints that LDPose-25 lacks, left out: "
            f"{', '.join(foreign[:8])}{' …' if len(foreign) > 8 else ''}."
        )
    return _Category(name, indices)


def _people(
    values: Sequence[Any],
    images: Mapping[int | str, AnnotatedImage],
    categories: Mapping[int | str, _Category],
    file: str,
    warnings: list[str],
    problems: list[Problem],
) -> list[AnnotatedPerson]:
    people, skipped = list[AnnotatedPerson](), Counter[str]()
    taken = {
        value.get("id") for value in values if isinstance(value, dict) and isinstance(value.get("id"), int)
    }
    seen: set[int | str] = set()
    for number, value in enumerate(values, 1):
        place, identity = f"annotation number {number}", None
        try:
            if not isinstance(value, dict):
                raise KnownError(
                    f"The annotation is {shown(value)}, not an object.", "Correct it in the file."
                )
            if value.get("iscrowd") in (1, True):
                skipped["crowd"] += 1
                continue
            if not value.get("keypoints"):
                skipped["no keypoints"] += 1
                continue
            notes = []
            if value.get("id") is None:
                identity = next(i for i in range(number, number + len(values) + 1) if i not in taken)
                taken.add(identity)
                notes.append(f"The annotation has no id; it is called {identity}.")
            else:
                identity = _identity(value["id"], "annotation")
            place = f"annotation {identity}"
            if identity in seen:
                raise KnownError(
                    f"Two annotations share the id {identity}.", "Give each its own; the first is read."
                )
            seen.add(identity)
            people.append(_person(value, identity, images, categories, notes))
        except KnownError as error:
            problems.append(Problem(file, place, error.message, error.hint, identity))
    if skipped["crowd"]:
        warnings.append(f"{file}: {skipped['crowd']} crowd annotation(s) are left out.")
    if skipped["no keypoints"]:
        warnings.append(f"{file}: {skipped['no keypoints']} annotation(s) without keypoints are left out.")
    return people


def _person(
    value: Mapping[str, Any],
    identity: int | str,
    images: Mapping[int | str, AnnotatedImage],
    categories: Mapping[int | str, _Category],
    warnings: list[str],
) -> AnnotatedPerson:
    image = images.get(_identity(value.get("image_id"), "image of this annotation"))
    if image is None:
        raise KnownError(
            f"It belongs to image {shown(value.get('image_id'))}, which the file does not describe.",
            "Add or correct the image in “images”.",
        )
    raw = _raw_points(value, categories, warnings)
    block = read_block(value["limbstudio"], warnings) if value.get("limbstudio") is not None else None
    keypoints, limbs = understood(raw, block, warnings)
    polygons, run_lengths = _segmentation(value.get("segmentation"), warnings)
    block = block or Block(provenance=Provenance(Source.IMPORTED))
    person = Person(
        id=block.person_id or str(identity),
        photo=image.sha256,
        keypoints=keypoints,
        limbs=limbs,
        box=_box(value.get("bbox"), keypoints, polygons, warnings),
        posture=block.posture,
        stature_mm=block.stature_mm,
        focal_px=block.focal_px,
        mask_file=block.mask_file,
        polygons=polygons,
        holes=block.holes,
        notes=block.notes,
        provenance=block.provenance,
    )
    return AnnotatedPerson(
        person, identity, image.file_name, image.size_px, run_lengths, block.uncertainty, tuple(warnings),
        has_block=value.get("limbstudio") is not None, layers=block.layers, corrections=block.corrections,
    )  # fmt: skip


def _raw_points(
    value: Mapping[str, Any], categories: Mapping[int | str, _Category], warnings: list[str]
) -> dict[int, RawPoint]:
    flat = value["keypoints"]
    if isinstance(flat, list) and flat and all(isinstance(p, list) for p in flat):
        flat = [number for point in flat for number in point]
    if not isinstance(flat, list):
        raise KnownError(f"“keypoints” is {shown(flat)}, not a list.", "Correct it in the file.")
    category_id = value.get("category_id")
    category = categories.get(category_id) if isinstance(category_id, int | str) else None
    if category is None:
        if len(flat) not in (3 * N_COCO, 3 * N_KEYPOINTS):
            raise KnownError(
                f"Its category {shown(category_id)} has no keypoint names, and {len(flat)} numbers fit "
                "neither COCO-17 nor LDPose-25.",
                "Add the category with its “keypoints”.",
            )
        indices: tuple[int | None, ...] = tuple(range(len(flat) // 3))
        kind = "COCO-17" if len(flat) == 3 * N_COCO else "LDPose-25"
        warnings.append(
            f"The file does not name the keypoints of category {shown(category_id)}: taken as {kind}."
        )
    else:
        if category.problem is not None:
            raise category.problem
        indices = category.indices
    if len(flat) != 3 * len(indices):
        raise KnownError(
            f"“keypoints” has {len(flat)} numbers; its category names {len(indices)} points, which takes "
            f"{3 * len(indices)}.",
            "Correct the list, or the category.",
        )
    return {
        index: _raw_point(flat[3 * i : 3 * i + 3], LDPOSE_NAMES[index])
        for i, index in enumerate(indices)
        if index is not None
    }


def _raw_point(values: Sequence[object], name: str) -> RawPoint:
    v = finite(values[2], f"The visibility v of {name}")
    if v not in (0, 1, 2):
        raise KnownError(
            f"The visibility v of {name} is {shown(values[2])}.",
            "COCO's v is 0 (not labelled), 1 (hidden) or 2.",
        )
    empty = v == 0 and all(c is None or (isinstance(c, float) and math.isnan(c)) for c in values[:2])
    if empty:  # how pandas and JavaScript write a point that is not there
        return RawPoint(0, 0, 0)
    return RawPoint(pixels(values[0], f"x of {name}"), pixels(values[1], f"y of {name}"), int(v))


def inside(keypoints: Keypoints, size_px: tuple[int, int], warnings: list[str]) -> Keypoints:
    """Return the keypoints with those outside the picture marked out of frame, positions kept."""
    width, height = size_px
    low, slack = -0.5 - OUTSIDE_TOLERANCE_PX, OUTSIDE_TOLERANCE_PX - 0.5
    for i, point in enumerate(keypoints.points):
        if not point.constrains_fit or point.x is None or point.y is None:
            continue
        if not (low <= point.x <= width + slack and low <= point.y <= height + slack):
            warnings.append(
                f"{LDPOSE_NAMES[i]} at ({point.x:g}, {point.y:g}) lies outside {width} x {height} pixels: "
                "taken as out of frame."
            )
            keypoints = keypoints.replaced(i, replace(point, state=KeypointState.OUT_OF_FRAME))
    return keypoints


def _segmentation(
    value: object, warnings: list[str]
) -> tuple[tuple[tuple[float, ...], ...], RunLengths | None]:
    """Return polygons or run lengths; a broken outline never stops a fit: it is left out with a warning."""
    try:
        if isinstance(value, dict):
            size, counts = value.get("size"), value.get("counts")
            if not isinstance(size, list) or len(size) != 2:
                raise KnownError("The run-length mask has no size.")
            height, width = (int(finite(side, "A side of the run-length mask")) for side in size)
            if not (0 < width <= _MAX_SIDE and 0 < height <= _MAX_SIDE):
                raise KnownError(f"The run-length mask has the size {shown(size)}.")
            if isinstance(counts, list):
                runs = tuple(int(finite(run, "A run of the mask")) for run in counts)
                return (), RunLengths((width, height), runs)
            if isinstance(counts, str):
                return (), RunLengths((width, height), counts)
            raise KnownError("The run-length mask has no counts.")
        if value is None or value == []:
            return (), None
        return read_polygons(value, "“segmentation”", warnings), None
    except KnownError as error:
        warnings.append(f"{error.message} The outline is left out.")
        return (), None


def _box(
    value: object, keypoints: Keypoints, polygons: Sequence[Sequence[float]], warnings: list[str]
) -> Box | None:
    if isinstance(value, list) and len(value) == 4:
        try:
            x, y, width, height = (pixels(side, "A number of “bbox”") for side in value)
            if width > 0 and height > 0:
                return Box(x, y, width, height)
        except KnownError as error:
            warnings.append(error.message)
    box = box_around(keypoints, polygons)
    missing = value is None or value == []
    said = "There is no “bbox”" if missing else f"“bbox” is {shown(value)}"
    warnings.append(f"{said}: " + ("taken around the person's points." if box else "the person has no box."))
    return box


def box_around(keypoints: Keypoints, polygons: Sequence[Sequence[float]] = ()) -> Box | None:
    """Return the smallest box around the outline, or around the observed points; None if that has no area."""
    places = [(p[i], p[i + 1]) for p in polygons for i in range(0, len(p) - 1, 2)]
    if not places:
        places = [
            (p.x, p.y) for p in keypoints.points if p.constrains_fit and p.x is not None and p.y is not None
        ]
    if not places:
        return None
    xs, ys = [x for x, _ in places], [y for _, y in places]
    box = Box(min(xs), min(ys), max(xs) - min(xs), max(ys) - min(ys))
    return box if box.width > 0 and box.height > 0 else None


# ---------------------------------------------------------------------------------------------- writing


def write_annotations(
    path: Path | str, photos: Iterable[tuple[Photo, Sequence[Person | AnnotatedPerson]]]
) -> None:
    """Write photos and their people as COCO-25 with `limbstudio` blocks; whole or not at all.

    Reading the file gives the same people again, to the last bit of every float.
    KnownError if it cannot be written.
    """
    path = Path(path)
    text = json.dumps(
        coco_document(photos, folder=path.parent), ensure_ascii=False, indent=1, allow_nan=False
    )
    write_whole(path, text.encode("utf-8"))


def coco_document(
    photos: Iterable[tuple[Photo, Sequence[Person | AnnotatedPerson]]], *, folder: Path | None = None
) -> dict[str, Any]:
    """Return the JSON values of a COCO-25 file.

    folder: where it will lie; photos below it are named relative to it.
    """
    images, annotations = [], []
    photos = list(photos)
    names = _file_names([photo.path for photo, _ in photos], folder)
    ids = _annotation_ids([entry for _, people in photos for entry in people])
    for number, ((photo, people), name) in enumerate(zip(photos, names, strict=True), 1):
        images.append(_written_image(photo, number, name))
        for entry in people:
            annotations.append(_written_person(entry, ids[len(annotations)], number))
    return {
        "info": {
            "description": "LDPose-25 annotations written by LimbStudio",
            "version": "1",
            "flip_idx": [k.swap for k in LDPOSE],
            "oks_sigmas": [k.sigma for k in LDPOSE],
        },
        "images": images,
        "annotations": annotations,
        "categories": [
            {
                "id": 1,
                "name": "person",
                "supercategory": "person",
                "keypoints": list(LDPOSE_NAMES),
                "skeleton": [[a + 1, b + 1] for a, b in LDPOSE_EDGES],  # COCO counts from 1
            }
        ],
    }


def _file_names(paths: Sequence[str], folder: Path | None) -> list[str]:
    """Return the shortest names that tell the photos apart: relative to the folder, or plain, or whole."""
    plain = []
    for path in paths:
        pure = PurePath(path)
        below = folder is not None and pure.is_absolute() and pure.is_relative_to(folder.absolute())
        relative = pure.relative_to(folder.absolute()) if below and folder is not None else pure
        plain.append(relative.name if relative.is_absolute() else relative.as_posix())
    twice = {name for name, count in Counter(plain).items() if count > 1}
    return [PurePath(p).as_posix() if name in twice else name for p, name in zip(paths, plain, strict=True)]


def _annotation_ids(entries: Sequence[Person | AnnotatedPerson]) -> list[int | str]:
    """Keep ids that came from a file, or are numbers, while they are unique; count up for the others."""
    wanted: list[int | str | None] = []
    for entry in entries:
        own = entry.annotation_id if isinstance(entry, AnnotatedPerson) else entry.id
        if isinstance(own, str) and re.fullmatch("[1-9][0-9]{0,17}", own):
            own = int(own)
        is_given = isinstance(own, int) or (isinstance(entry, AnnotatedPerson) and own != "")
        wanted.append(own if is_given else None)
    seen: set[int | str] = set()
    for i, own in enumerate(wanted):
        if own in seen:
            wanted[i] = None
        elif own is not None:
            seen.add(own)
    free = (i for i in range(1, len(entries) * 2 + 2) if i not in seen)
    return [next(free) if own is None else own for own in wanted]


def _written_image(photo: Photo, number: int, name: str) -> dict[str, Any]:
    more: dict[str, Any] = {"sha256": photo.sha256} if photo.sha256 else {}
    if photo.focal_exif_px is not None:
        more["focal_exif_px"] = photo.focal_exif_px
    if photo.no_person:
        more["no_person"] = True
    image = {"id": number, "file_name": name, "width": photo.width, "height": photo.height}
    return image | ({"limbstudio": more} if more else {})


def _written_person(entry: Person | AnnotatedPerson, identity: int | str, image: int) -> dict[str, Any]:
    person = entry.person if isinstance(entry, AnnotatedPerson) else entry
    run_lengths = entry.run_lengths if isinstance(entry, AnnotatedPerson) else None
    uncertainty = entry.uncertainty if isinstance(entry, AnnotatedPerson) else Uncertainty()
    keypoints: list[float] = []
    for point in person.keypoints.points:
        placed = point.state.coco_v and point.x is not None and point.y is not None
        keypoints += [point.x, point.y, point.state.coco_v] if placed else [0, 0, 0]  # type: ignore[list-item]
    box = person.box or box_around(person.keypoints, person.polygons) or Box(0, 0, 0, 0)
    annotation: dict[str, Any] = {
        "id": identity,
        "image_id": image,
        "category_id": 1,
        "iscrowd": 0,
        "bbox": [box.x, box.y, box.width, box.height],
        "area": _area(person, box),
        "keypoints": keypoints,
        "num_keypoints": sum(v > 0 for v in keypoints[2::3]),
    }
    if run_lengths is not None:
        width, height = run_lengths.size_px
        counts = run_lengths.counts
        annotation["segmentation"] = {
            "size": [height, width],
            "counts": counts if isinstance(counts, str) else list(counts),
        }
    elif person.polygons:
        annotation["segmentation"] = [list(polygon) for polygon in person.polygons]
    layers = entry.layers if isinstance(entry, AnnotatedPerson) else ()
    corrections = entry.corrections if isinstance(entry, AnnotatedPerson) else ()
    return annotation | {"limbstudio": written_block(person, uncertainty, layers, corrections)}


def _area(person: Person, box: Box) -> float:
    """Return the area for OKS: of the outline less its holes, else mmpose's share of the box."""
    if not person.polygons:
        return MASK_SHARE_OF_BOX * box.width * box.height
    return sum(map(_polygon_area, person.polygons)) - sum(map(_polygon_area, person.holes))


def _polygon_area(flat: Sequence[float]) -> float:
    """Return the area of a flat x, y polygon by the shoelace formula."""
    xs, ys = flat[0::2], flat[1::2]
    return abs(sum(xs[i - 1] * ys[i] - xs[i] * ys[i - 1] for i in range(len(xs)))) / 2
