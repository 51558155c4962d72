"""The annotated people of photos, as benchmarks of fits need them: each with the camera of the photo."""

from collections.abc import Callable
from pathlib import Path

from limbstudio.cameras import choose_camera
from limbstudio.domain.errors import KnownError
from limbstudio.evaluation.starts_benchmark import PhotoPeople, PhotoPerson
from limbstudio.formats.annotated import AnnotatedPerson, Annotations
from limbstudio.formats.coco import read_annotations
from limbstudio.formats.placing import placed_on
from limbstudio.images import LoadedPhoto, open_photo
from limbstudio.resihmr.initial_fit import require_enough_points
from limbstudio.services.annotation_files import place_of


def read_photo_people(file: Path) -> PhotoPeople:
    """Read everybody of a COCO or LDPose file whose photo lies beside it and who has enough points for a body.

    Whoever cannot be read is left out, with the reason. Raise KnownError where the file cannot be read or nobody is
    left.
    """
    annotations = read_annotations(file)
    left_out = [str(problem) for problem in annotations.problems]
    if not annotations.people and not left_out:
        raise KnownError(
            f"{file.name} names no people.", "Give a COCO file in which people's points are annotated."
        )
    found = []
    opened = _opener(annotations)
    for annotated in annotations.people:
        name = f"{annotated.file_name}, person {annotated.annotation_id}"
        try:
            found.append(_person(name, annotated, opened(annotated.file_name)))
        except KnownError as error:
            left_out.append(f"{name}: {error}")
    if not found:
        raise KnownError(
            f"Nobody of {file.name} can be fitted. {left_out[0]}", "The photos belong beside the file."
        )
    return PhotoPeople(file.name, tuple(found), tuple(left_out))


def _opener(annotations: Annotations) -> Callable[[str], LoadedPhoto]:
    """Return what opens photos; the last one is kept, for the people of a photo often follow each other."""
    last: dict[str, LoadedPhoto] = {}

    def opened(name: str) -> LoadedPhoto:
        if name not in last:
            last.clear()
            last[name] = open_photo(place_of(annotations.folder, name))
        return last[name]

    return opened


def _person(name: str, annotated: AnnotatedPerson, photo: LoadedPhoto) -> PhotoPerson:
    person = placed_on(annotated, photo).person
    require_enough_points(person)
    camera = choose_camera((photo.width, photo.height), given_px=person.focal_px, exif_px=photo.focal_exif_px)
    return PhotoPerson(name, person, camera)
