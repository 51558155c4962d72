"""What an annotation file says of people in photos: persons, what the file adds, what was wrong."""

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path, PurePosixPath
from types import MappingProxyType

from limbstudio.domain.corrections import Corrections
from limbstudio.domain.errors import KnownError
from limbstudio.domain.mask_layers import LayerName
from limbstudio.domain.photo import Person


@dataclass(frozen=True)
class Problem:
    """Something in a file that kept one of its entries from being read.

    file: name of the file. place: which entry, for people: “annotation 7”. annotation_id: where it is one.
    """

    file: str
    place: str
    message: str
    hint: str = ""
    annotation_id: int | str | None = None

    def __str__(self) -> str:
        return f"{self.file}, {self.place}: {self.message} {self.hint}".strip()


@dataclass(frozen=True)
class RunLengths:
    """A COCO run-length mask. size_px: width, height. counts: as in the file, compressed text or numbers."""

    size_px: tuple[int, int]
    counts: str | tuple[int, ...]


@dataclass(frozen=True)
class Uncertainty:
    """The annotator's own uncertainty: reported, never used to pass.

    residual_tolerance_px: by segment name.
    """

    residual_tolerance_px: Mapping[str, float] = field(default_factory=lambda: MappingProxyType({}))
    annotator_confidence: float | None = None
    mask_confidence: float | None = None

    def __reduce__(self) -> tuple[type, tuple[object, ...]]:
        # A read-only view cannot be pickled; another process gets a plain dict, which reads the same.
        return Uncertainty, (
            dict(self.residual_tolerance_px), self.annotator_confidence, self.mask_confidence
        )  # fmt: skip


@dataclass(frozen=True)
class AnnotatedImage:
    """A photo as the file names it. size_px: width, height, or None where the file does not say."""

    id: int | str
    file_name: str
    size_px: tuple[int, int] | None = None
    sha256: str = ""
    focal_exif_px: float | None = None
    no_person: bool = False


@dataclass(frozen=True)
class AnnotatedPerson:
    """One person of an annotation file.

    annotation_id: unique in the file, safe in file names; empty: the writer counts. file_name, size_px: of the photo,
    as the file says. run_lengths: mask given as RLE. has_block: whether limb states were stated, not inferred. turned:
    the EXIF orientation by which positions (and masks of the stored size) were turned to fit the upright photo. layers:
    masks beside the person's own, each with its file, named as `mask_file` is. corrections: of the person's residual
    limbs in 3D; whose they are (person, photo) is not filled in.
    """

    person: Person
    annotation_id: int | str
    file_name: str
    size_px: tuple[int, int] | None = None
    run_lengths: RunLengths | None = None
    uncertainty: Uncertainty = field(default_factory=Uncertainty)
    warnings: tuple[str, ...] = ()
    has_block: bool = False
    turned: int = 1
    layers: tuple[tuple[LayerName, str], ...] = ()
    corrections: tuple[Corrections, ...] = ()


@dataclass(frozen=True)
class Annotations:
    """The content of an annotation file: what was read, and the problems of what was not."""

    path: Path
    images: tuple[AnnotatedImage, ...] = ()
    people: tuple[AnnotatedPerson, ...] = ()
    problems: tuple[Problem, ...] = ()
    warnings: tuple[str, ...] = ()

    @property
    def folder(self) -> Path:
        """Return the folder that `mask_file` names are relative to."""
        return self.path.parent

    def image_of(self, photo: Path | str) -> AnnotatedImage | None:
        """Return the entry that describes a photo on the disk, or None.

        It is the one whose path has the longest end in common with the photo's.
        KnownError if two entries fit equally well.
        """
        wanted = _parts(str(photo))
        namesakes = self._images_by_last_part.get(wanted[-1], ()) if wanted else ()
        found = [(_common_end(wanted, _parts(image.file_name)), image) for image in namesakes]
        best = max((length for length, _ in found), default=0)
        if best == 0:
            return None
        fitting = [image for length, image in found if length == best]
        names = {image.file_name for image in fitting}
        if len(fitting) > 1 and len(names) > 1:
            raise KnownError(
                f"{self.path.name} describes several photos that could be {Path(photo).name}: "
                f"{', '.join(sorted(names)[:3])}.",
                "Name the photo with its folder, as in the file.",
            )
        return fitting[0]

    def people_in(self, photo: Path | str) -> tuple[AnnotatedPerson, ...]:
        """Return the people of the photo at this path; KnownError if it cannot be told which entry it is."""
        image = self.image_of(photo)
        return () if image is None else self._people_by_file.get(image.file_name, ())

    # cached_property stores beside the fields, which a frozen dataclass allows.
    @cached_property
    def _images_by_last_part(self) -> dict[str, list[AnnotatedImage]]:
        found: dict[str, list[AnnotatedImage]] = {}
        for image in self.images:
            for last in _parts(image.file_name)[-1:]:
                found.setdefault(last, []).append(image)
        return found

    @cached_property
    def _people_by_file(self) -> dict[str, tuple[AnnotatedPerson, ...]]:
        found: dict[str, list[AnnotatedPerson]] = {}
        for person in self.people:
            found.setdefault(person.file_name, []).append(person)
        return {name: tuple(people) for name, people in found.items()}


def _parts(path: str) -> tuple[str, ...]:
    """Return the parts of a path; macOS writes accents decomposed, Windows writes backslashes."""
    plain = unicodedata.normalize("NFC", path).replace("\\", "/")
    return tuple(part for part in PurePosixPath(plain).parts if part not in ("/", "."))


def _common_end(a: tuple[str, ...], b: tuple[str, ...]) -> int:
    """Return how many last parts agree."""
    length = 0
    while length < min(len(a), len(b)) and a[-1 - length] == b[-1 - length]:
        length += 1
    return length
