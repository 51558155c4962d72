"""Bring photos and annotations into a project: each file is read, or refused in words while the others go
on.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from limbstudio.domain.edits import Change, Edit
from limbstudio.domain.errors import KnownError
from limbstudio.domain.photo import Person, Photo
from limbstudio.domain.project import Project
from limbstudio.domain.provenance import Provenance, Source
from limbstudio.services.jobs import Context
from limbstudio.services.pipeline import file_hash
from limbstudio.services.store import Entry

if TYPE_CHECKING:
    import numpy as np

    from limbstudio.formats.annotated import AnnotatedPerson
    from limbstudio.images import LoadedPhoto

# So many photos are recorded at once: often enough to see them come, seldom enough not to slow it down.
_PHOTOS_PER_EDIT = 20
# What is looked at in a folder; a file that is named itself is tried whatever it is called.
_PHOTO_SUFFIXES = frozenset(
    f".{name}"
    for name in "jpg jpeg jpe png webp tif tiff bmp gif heic heif avif jp2".split()  # noqa: SIM905
)


class Importer(Protocol):
    """What an import needs of the studio."""

    @property
    def project(self) -> Project: ...

    def do(self, edit: Edit) -> Entry | None: ...

    def stored_path(self, path: Path) -> str: ...

    def keep_mask(self, mask: "np.ndarray") -> str: ...


@dataclass(frozen=True)
class ImportReport:
    """What an import brought. photos, people: new ones. known: photos that were there already.

    refused: (what, KnownError) for all that could not be read; the others were imported. warnings: for
    people.
    """

    photos: tuple[Photo, ...] = ()
    people: tuple[Person, ...] = ()
    known: tuple[Photo, ...] = ()
    refused: tuple[tuple[str, KnownError], ...] = ()
    warnings: tuple[str, ...] = ()


@dataclass
class _Gathering:
    """An import under way: what was read, and what of it is not recorded yet."""

    studio: Importer
    photos: list[Photo] = field(default_factory=list)
    people: list[Person] = field(default_factory=list)
    known: list[Photo] = field(default_factory=list)
    refused: list[tuple[str, KnownError]] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    unrecorded: list[Change] = field(default_factory=list)

    def read_photo(self, path: Path) -> "LoadedPhoto | None":
        """Read one photo's file and take it in; None, noted as refused, when that cannot be done."""
        from limbstudio.images import open_photo  # here: brings the picture readers

        try:
            loaded = open_photo(path)
        except KnownError as error:
            self.refused.append((str(path), error))
            return None
        self.warnings += loaded.notes
        place = self.studio.stored_path(path)
        self.add_photo(Photo(loaded.sha256, loaded.width, loaded.height, place, loaded.focal_exif_px))
        return loaded

    def add_photo(self, photo: Photo) -> None:
        """Take a photo in, unless its content is there already."""
        key = ("photo", photo.sha256)
        there = self.studio.project.records.get(key)
        if there is not None:
            if there not in (*self.known, *self.photos):
                self.known.append(there)
            return
        if any(p.sha256 == photo.sha256 for p in self.photos):
            return
        self.photos.append(photo)
        self.unrecorded.append(Change(key, None, photo))

    def add_person(self, person: Person) -> None:
        """Take a person in; one that is there already (imported before, perhaps edited since) is left
        alone.
        """
        key = ("person", person.id)
        if key in self.studio.project.records or any(p.id == person.id for p in self.people):
            return
        self.people.append(person)
        self.unrecorded.append(Change(key, None, person))

    def record(self, label: str) -> None:
        if self.unrecorded:
            self.studio.do(Edit(label, tuple(self.unrecorded), None, None, human=False))
            self.unrecorded.clear()

    def report(self) -> ImportReport:
        return ImportReport(
            tuple(self.photos),
            tuple(self.people),
            tuple(self.known),
            tuple(self.refused),
            tuple(self.warnings),
        )


def import_photos(studio: Importer, context: Context, paths: Sequence[Path]) -> ImportReport:
    """Read photos, and the photos in folders. Cancelled, those recorded so far stay."""
    gathering = _Gathering(studio)
    files = list(_photo_files(paths, gathering.refused))
    for count, path in enumerate(files):
        context.report(count / len(files), f"Reading {path.name} ({count + 1} of {len(files)})")
        gathering.read_photo(path)
        if len(gathering.unrecorded) >= _PHOTOS_PER_EDIT:
            gathering.record("Import photos")
    gathering.record("Import photos")
    return gathering.report()


def _photo_files(paths: Iterable[Path], refused: list[tuple[str, KnownError]]) -> Iterator[Path]:
    for path in paths:
        if not path.is_dir():
            yield path
            continue
        try:
            inside = sorted(p for p in path.rglob("*") if p.suffix.lower() in _PHOTO_SUFFIXES and p.is_file())
        except OSError as error:
            message = f"The folder {path} cannot be read ({error.strerror})."
            refused.append((str(path), KnownError(message, "Check its permissions.")))
            continue
        if not inside:
            hint = "Choose another folder, or the photos themselves."
            refused.append((str(path), KnownError(f"There are no photos in {path}.", hint)))
        yield from inside


def import_annotations(studio: Importer, context: Context, path: Path, folder: Path) -> ImportReport:
    """Read a COCO file and the photos it names, looked for in `folder`."""
    from limbstudio.formats.coco import read_annotations  # here: only who imports needs it

    context.report(0.0, f"Reading {path.name}")
    annotations = read_annotations(path)
    gathering = _Gathering(studio)
    gathering.warnings += annotations.warnings
    for problem in annotations.problems:
        what = f"{problem.file}, {problem.place}"
        gathering.refused.append((what, KnownError(problem.message, problem.hint)))
    source = Provenance(Source.IMPORTED, path.name, (file_hash(path),), "import")
    people: dict[str, list[AnnotatedPerson]] = {}
    for found in annotations.people:
        people.setdefault(found.file_name, []).append(found)
    names = list(dict.fromkeys(image.file_name for image in annotations.images))
    for count, name in enumerate(names):
        context.report(count / len(names), f"Reading {name} ({count + 1} of {len(names)})")
        photo = gathering.read_photo(_place_of(folder, name))
        if photo is not None:
            for found in people.get(name, ()):
                _add_placed(gathering, found, photo, annotations.folder, source)
        if len(gathering.unrecorded) >= _PHOTOS_PER_EDIT:
            gathering.record(f"Import {path.name}")
    gathering.record(f"Import {path.name}")
    return gathering.report()


def _place_of(folder: Path, name: str) -> Path:
    """Return where a photo of a file lies: as named, or with its folders left out."""
    plain = name.replace("\\", "/")
    return next((p for p in (folder / plain, folder / Path(plain).name) if p.is_file()), folder / plain)


def _add_placed(
    gathering: _Gathering, found: "AnnotatedPerson", photo: "LoadedPhoto", folder: Path, source: Provenance
) -> None:
    from limbstudio.formats.masks import person_mask
    from limbstudio.formats.placing import placed_on

    try:
        placed = placed_on(found, photo)
        person = placed.person
        if person.mask_file or placed.run_lengths is not None:
            # Kept in the project: the file it came from may go, and a record has no place for run lengths.
            mask = person_mask(placed, photo, folder=folder)
            name = None if mask is None else gathering.studio.keep_mask(mask)
            person = replace(person, mask_file=name)
    except KnownError as error:
        gathering.refused.append((f"{found.file_name}, annotation {found.annotation_id}", error))
        return
    start = f"{photo.sha256[:8]}-"
    identity = person.id if person.id.startswith(start) else f"{start}{person.id}"
    kept = person.provenance if person.provenance.by else source
    gathering.add_person(replace(person, id=identity, provenance=kept))
    gathering.warnings += [
        f"{found.file_name}, annotation {found.annotation_id}: {w}" for w in placed.warnings
    ]
