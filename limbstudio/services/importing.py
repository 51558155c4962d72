"""Bring photos and annotations into a project: each file is read, or refused in words while the others go
on.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Protocol

from limbstudio.domain.edits import Change, Edit
from limbstudio.domain.errors import KnownError
from limbstudio.domain.photo import Person, Photo
from limbstudio.domain.project import Project
from limbstudio.domain.provenance import Provenance, Source
from limbstudio.services.jobs import Context
from limbstudio.services.pipeline import file_hash
from limbstudio.services.store import Entry

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

    def read_photo(self, path: Path) -> Photo | None:
        """Read one photo's file; None, noted as refused, when that cannot be done."""
        from limbstudio.images import open_photo  # here: brings the picture readers

        try:
            loaded = open_photo(path)
        except KnownError as error:
            self.refused.append((str(path), error))
            return None
        self.warnings += loaded.notes
        place = self.studio.stored_path(path)
        return self.add_photo(Photo(loaded.sha256, loaded.width, loaded.height, place, loaded.focal_exif_px))

    def add_photo(self, photo: Photo) -> Photo:
        """Take a photo in, unless its content is there already; return the one that counts."""
        key = ("photo", photo.sha256)
        there = self.studio.project.records.get(key)
        if there is not None and there not in (*self.known, *self.photos):
            self.known.append(there)
        there = there or next((p for p in self.photos if p.sha256 == photo.sha256), None)
        if there is not None:
            return there
        self.photos.append(photo)
        self.unrecorded.append(Change(key, None, photo))
        return photo

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
    of_file = file_hash(path)
    by_name: dict[str, list[Person]] = {}
    for found in annotations.people:
        gathering.warnings += found.warnings
        by_name.setdefault(found.file_name, []).append(
            _labelled(found.person, str(found.annotation_id), of_file, path)
        )
    names = list(dict.fromkeys([*(image.file_name for image in annotations.images), *by_name]))
    for count, name in enumerate(names):
        context.report(count / len(names), f"Reading {name} ({count + 1} of {len(names)})")
        photo = gathering.read_photo(folder / name)
        if photo is not None:
            for person in by_name.get(name, ()):
                identity = f"{photo.sha256[:8]}-{person.id}"
                gathering.add_person(replace(person, photo=photo.sha256, id=identity))
        if len(gathering.unrecorded) >= _PHOTOS_PER_EDIT:
            gathering.record(f"Import {path.name}")
    gathering.record(f"Import {path.name}")
    return gathering.report()


def _labelled(person: Person, annotation_id: str, of_file: str, path: Path) -> Person:
    mask = str((path.parent / person.mask_file).absolute()) if person.mask_file else None
    source = Provenance(Source.IMPORTED, f"{path.name}:{annotation_id}", (of_file,), "import")
    return replace(person, id=annotation_id, mask_file=mask, provenance=source)
