"""Annotations laid on the photo they belong to: sizes compared, sideways ones turned, others refused."""

from dataclasses import replace

from limbstudio.domain.errors import KnownError
from limbstudio.domain.geometry import Box, Keypoints, Point
from limbstudio.domain.photo import Person
from limbstudio.formats.annotated import AnnotatedPerson
from limbstudio.formats.coco import inside
from limbstudio.images import LoadedPhoto


def placed_on(annotated: AnnotatedPerson, photo: LoadedPhoto) -> AnnotatedPerson:
    """Return the person in pixels of the upright photo, with the photo's hash.

    A file that describes the picture as stored, before EXIF turned it, is turned with it where its positions
    show that they are sideways, and kept where they show that they are upright; both with a warning.
    KnownError if the sizes disagree in any other way.
    """
    size = (photo.width, photo.height)
    person = replace(annotated.person, photo=photo.sha256)
    warnings = list(annotated.warnings)
    if annotated.person.photo and annotated.person.photo != photo.sha256:
        warnings.append("The photo has changed since it was annotated (other bytes).")
    turned = 1
    if annotated.size_px is not None and annotated.size_px != size:
        if annotated.size_px != size[::-1]:
            raise KnownError(
                f"The file says that {annotated.file_name} has {_words(annotated.size_px)} pixels, but the "
                f"photo has {_words(size)}.",
                "Use the photo that was annotated, in its own size, or correct “width” and “height”.",
            )
        turned = _turn_needed(annotated, photo)
        if turned == 1:
            warnings.append(
                f"The file gives the size lying on its side, {_words(annotated.size_px)}: positions kept."
            )
        else:
            person = turned_person(person, turned, annotated.size_px)
            warnings.append(
                "The annotation was made before EXIF's orientation was applied: turned with the photo."
            )
    return replace(
        annotated,
        person=replace(person, keypoints=inside(person.keypoints, size, warnings)),
        size_px=size,
        warnings=tuple(warnings),
        turned=turned,
    )


def turned_person(person: Person, orientation: int, stored_px: tuple[int, int]) -> Person:
    """Return the person as EXIF's orientation shows it. stored_px: width, height before the turn."""

    def turn(x: float, y: float) -> tuple[float, float]:
        return turned_position(x, y, orientation, stored_px)

    def turn_flat(flat: tuple[float, ...]) -> tuple[float, ...]:
        return tuple(c for i in range(0, len(flat), 2) for c in turn(flat[i], flat[i + 1]))

    def turn_point(point: Point) -> Point:
        if point.x is None or point.y is None:
            return point
        x, y = turn(point.x, point.y)
        return replace(point, x=x, y=y)

    box = person.box
    if box is not None:
        (x0, y0), (x1, y1) = turn(box.x, box.y), turn(box.x + box.width, box.y + box.height)
        box = Box(min(x0, x1), min(y0, y1), abs(x1 - x0), abs(y1 - y0))
    return replace(
        person,
        keypoints=Keypoints(tuple(turn_point(p) for p in person.keypoints.points)),
        box=box,
        polygons=tuple(turn_flat(p) for p in person.polygons),
        holes=tuple(turn_flat(p) for p in person.holes),
    )


def turned_position(x: float, y: float, orientation: int, stored_px: tuple[int, int]) -> tuple[float, float]:
    """Return where a stored pixel is shown. (0, 0) is the centre of the top-left pixel, before and after."""
    right, bottom = stored_px[0] - 1 - x, stored_px[1] - 1 - y
    return {
        1: (x, y),
        2: (right, y),
        3: (right, bottom),
        4: (x, bottom),
        5: (y, x),
        6: (bottom, x),
        7: (bottom, right),
        8: (y, right),
    }[orientation]


def _turn_needed(annotated: AnnotatedPerson, photo: LoadedPhoto) -> int:
    """Return the orientation by which positions must be turned, or 1 if they are upright already."""
    places = [
        (p.x, p.y) for p in annotated.person.keypoints.points if p.x is not None and p.y is not None
    ]  # hidden ones too: those outside the wrong frame were just marked out of frame
    places += [(f[i], f[i + 1]) for f in annotated.person.polygons for i in range(0, len(f), 2)]
    if annotated.person.box is not None:
        box = annotated.person.box
        places.append((box.x + box.width - 1, box.y + box.height - 1))
    right, bottom = max((x for x, _ in places), default=0), max((y for _, y in places), default=0)
    fits_upright = right <= photo.width and bottom <= photo.height
    fits_stored = right <= photo.height and bottom <= photo.width
    if fits_stored and not fits_upright and photo.orientation in (5, 6, 7, 8):
        return photo.orientation
    if fits_upright and not fits_stored:
        return 1
    raise KnownError(
        f"The file gives {annotated.file_name} lying on its side ({photo.height} x {photo.width} instead of "
        f"{photo.width} x {photo.height}), and its positions do not show which way is meant.",
        "Annotate the photo upright, or correct “width” and “height” in “images”.",
    )


def _words(size: tuple[int, int]) -> str:
    return f"{size[0]} x {size[1]}"
