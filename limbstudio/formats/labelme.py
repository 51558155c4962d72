"""labelme and X-AnyLabeling: one JSON file beside each photo, with loose shapes that `group_id` ties to people.

A point named like a keypoint is that keypoint; a rectangle or a polygon named like a person is a box or an outline.
"""

import difflib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from limbstudio.domain.anatomy import LDPOSE_INDEX, LDPOSE_NAMES, KeypointState
from limbstudio.domain.errors import KnownError
from limbstudio.domain.geometry import Box, Keypoints, Point
from limbstudio.domain.photo import Person
from limbstudio.domain.provenance import Provenance, Source
from limbstudio.formats.annotated import AnnotatedImage, AnnotatedPerson, Annotations, Problem
from limbstudio.formats.coco import box_around
from limbstudio.formats.json_files import JsonDocument, read_json
from limbstudio.formats.keypoint_names import plain_name
from limbstudio.formats.limb_block import RawPoint, finite, pixels, shown, understood

PERSON_LABELS = frozenset({"person", "people", "human", "body", "man", "woman", "boy", "girl", "child"})
_OUTLINES = ("polygon", "linestrip")
_CLOSE_ENOUGH = 0.75  # of difflib: a misspelt keypoint is named in the warning


@dataclass
class _Figure:
    """What is known of one person while shapes are read. scores: by LDPose index."""

    group: object
    points: dict[int, RawPoint] = field(default_factory=dict)
    states: dict[int, KeypointState] = field(default_factory=dict)
    scores: dict[int, float] = field(default_factory=dict)
    box: Box | None = None
    polygons: list[tuple[float, ...]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    problem: KnownError | None = None


def is_labelme(value: object) -> bool:
    """Tell whether a parsed JSON file is one photo's shapes."""
    return isinstance(value, dict) and isinstance(value.get("shapes"), list) and "imagePath" in value


def read_labelme(path: Path | str, document: JsonDocument | None = None) -> Annotations:
    """Read one photo's file of labelme (4 to 7) or X-AnyLabeling (2 to 4). document: its content, if parsed already.

    A point with `difficult` (or a flag "occluded") is occluded; flags named after other states give those. A score
    becomes the point's confidence, and the person a prediction. KnownError if the file is none of theirs.
    """
    path = Path(path)
    document = document or read_json(path)
    value = document.value
    if not is_labelme(value):
        raise KnownError(
            f"{path.name} is no labelme or X-AnyLabeling file: it has no “shapes” and “imagePath”.",
            "Choose the JSON file that lies beside the photo, or a COCO file.",
        )
    warnings = list(document.warnings)
    name = value["imagePath"]
    if not isinstance(name, str) or not name.strip() or "\0" in name:
        raise KnownError(f"“imagePath” of {path.name} is {shown(name)}.", "Give the name of the photo.")
    image = AnnotatedImage(1, name, _size_of(value))
    figures = _figures(value["shapes"], path.name, warnings)
    people, problems = list[AnnotatedPerson](), list[Problem]()
    for number, figure in enumerate(figures, 1):
        try:
            people.append(_person(figure, number, path.stem, image))
        except KnownError as error:
            problems.append(Problem(path.name, f"person {number}", error.message, error.hint, number))
    return Annotations(path, (image,), tuple(people), tuple(problems), tuple(warnings))


def _size_of(value: Mapping[str, Any]) -> tuple[int, int] | None:
    sides = value.get("imageWidth"), value.get("imageHeight")
    if any(side is None for side in sides):
        return None
    width, height = (int(finite(side, "A side of the photo")) for side in sides)
    return (width, height) if width > 0 and height > 0 else None


def _figures(shapes: Sequence[object], file: str, warnings: list[str]) -> list[_Figure]:
    """Tie the shapes to people: by group, else by the box around them, else all to one."""
    grouped: dict[object, _Figure] = {}
    alone: list[_Figure] = []
    loose: list[Mapping[str, Any]] = []
    foreign: Counter[str] = Counter()
    for number, shape in enumerate(shapes, 1):
        if not isinstance(shape, dict):
            warnings.append(f"{file}: shape {number} is {shown(shape)}, not an object; it is left out.")
            continue
        label, kind = str(shape.get("label", "")), shape.get("shape_type")
        index = LDPOSE_INDEX.get(plain_name(label))
        is_person = plain_name(label) in PERSON_LABELS and kind in ("rectangle", *_OUTLINES)
        if not is_person and not (kind == "point" and index is not None):
            foreign[_foreign_word(label, kind)] += 1
            continue
        group = shape.get("group_id")
        if group is not None:
            _take(grouped.setdefault(group, _Figure(group)), shape, index)
        elif is_person:
            figure = _Figure(None)
            _take(figure, shape, None)
            alone.append(figure)
        else:
            loose.append(shape)
    figures = [*grouped.values(), *alone]
    for shape in loose:
        _take(_owner_of(shape, figures, warnings, file), shape, LDPOSE_INDEX[plain_name(shape["label"])])
    if foreign:
        listed = ", ".join(f"{count} {word}" for word, count in foreign.most_common(5))
        warnings.append(f"{file}: shapes that are no person and no keypoint are left out: {listed}.")
    return figures


def _foreign_word(label: str, kind: object) -> str:
    near = difflib.get_close_matches(plain_name(label), LDPOSE_NAMES, 1, _CLOSE_ENOUGH)
    if kind == "point" and near:
        return f"“{label}” (did you mean {near[0]}?)"
    return f"“{label}” ({kind})"


def _owner_of(shape: Mapping[str, Any], figures: list[_Figure], warnings: list[str], file: str) -> _Figure:
    """Return whose a point without a group is: of the smallest box around it, or of the only person."""
    try:
        x, y = _places(shape)[0]
    except KnownError:
        x = y = float("nan")
    around = []
    for figure in figures:
        box = figure.box or box_around(Keypoints(), figure.polygons)
        if box and box.x <= x <= box.x + box.width and box.y <= y <= box.y + box.height:
            around.append((box.width * box.height, figure))
    if len(around) > 1:
        warnings.append(f"{file}: {shape['label']} has no group and lies in several people's boxes.")
    if around:
        return min(around, key=lambda item: item[0])[1]
    if not figures:
        figures.append(_Figure(None))
    return figures[0] if len(figures) == 1 else figures[-1]


def _take(figure: _Figure, shape: Mapping[str, Any], index: int | None) -> None:
    """Add one shape to a person; what is wrong with it is kept as the person's problem."""
    try:
        places = _places(shape)
        if index is not None:
            _take_point(figure, shape, index, places[0])
        elif shape.get("shape_type") == "rectangle":
            xs, ys = [x for x, _ in places], [y for _, y in places]
            figure.box = Box(min(xs), min(ys), max(xs) - min(xs), max(ys) - min(ys))
        elif len(places) >= 3:
            figure.polygons.append(tuple(c for place in places for c in place))
        else:
            figure.notes.append("An outline of fewer than three points is left out.")
    except KnownError as error:
        figure.problem = figure.problem or error


def _take_point(figure: _Figure, shape: Mapping[str, Any], index: int, at: tuple[float, float]) -> None:
    name = LDPOSE_NAMES[index]
    if index in figure.points:
        group = "without a group" if figure.group is None else f"in group {shown(figure.group)}"
        raise KnownError(
            f"{name} is there twice {group}.",
            "Give each person's shapes a “group_id” of their own, or delete one of the two.",
        )
    flags = shape.get("flags") or {}
    said = {plain_name(flag) for flag, on in flags.items() if on} if isinstance(flags, dict) else set[str]()
    hidden = bool(shape.get("difficult")) or bool(said & {"occluded", "hidden", "difficult"})
    figure.points[index] = RawPoint(*at, 1 if hidden else 2)
    for state in KeypointState:
        if state.value in said and state not in (KeypointState.VISIBLE, KeypointState.OCCLUDED):
            figure.states[index] = state
    score = shape.get("score")
    if isinstance(score, int | float) and 0 <= score <= 1:
        figure.scores[index] = float(score)


def _places(shape: Mapping[str, Any]) -> list[tuple[float, float]]:
    points = shape.get("points")
    label = shown(shape.get("label"))
    if not isinstance(points, list) or not points:
        raise KnownError(f"The shape {label} has no points.", "Draw it again.")
    places = []
    for point in points:
        if not isinstance(point, list) or len(point) != 2:
            raise KnownError(f"The shape {label} has the point {shown(point)}.", "Draw it again.")
        places.append((pixels(point[0], f"x of {label}"), pixels(point[1], f"y of {label}")))
    return places


def _person(figure: _Figure, number: int, stem: str, image: AnnotatedImage) -> AnnotatedPerson:
    if figure.problem is not None:
        raise figure.problem
    warnings = list(figure.notes)
    keypoints, limbs = understood(figure.points, None, warnings)
    for index, state in figure.states.items():
        at = figure.points[index]
        keypoints = keypoints.replaced(index, Point(state, at.x, at.y))
    for index, score in figure.scores.items():
        keypoints = keypoints.replaced(index, replace(keypoints.points[index], confidence=score))
    source = Source.PREDICTED if figure.scores else Source.IMPORTED
    person = Person(
        id=str(number),
        photo="",
        keypoints=keypoints,
        limbs=limbs,
        box=figure.box or box_around(keypoints, figure.polygons),
        polygons=tuple(figure.polygons),
        provenance=Provenance(source),
    )
    identity = f"{''.join(c if c.isalnum() else '_' for c in stem)[:40]}-{number}"
    return AnnotatedPerson(
        person, identity, image.file_name, image.size_px, warnings=tuple(warnings), has_block=False
    )
