"""Bring photos and annotations into a project: each file is read, or refused in words while the others go
on.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from limbstudio.domain.corrections import Corrections
from limbstudio.domain.edits import Change, Edit
from limbstudio.domain.errors import KnownError
from limbstudio.domain.mask_layers import LayerName, MaskLayer, layer_key
from limbstudio.domain.photo import Person, Photo
from limbstudio.domain.project import Project
from limbstudio.domain.provenance import Provenance, Source
from limbstudio.services.annotation_files import Piece, annotation_files, names_of, place_of, read_pieces
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

_MASK_END = "_mask.png"


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
    people. entries: the journal's sequence numbers, so that the import can be taken back as one. annotations: files (or
    folders of them) that lay among the photos of a folder and were left alone.
    """

    photos: tuple[Photo, ...] = ()
    people: tuple[Person, ...] = ()
    known: tuple[Photo, ...] = ()
    refused: tuple[tuple[str, KnownError], ...] = ()
    warnings: tuple[str, ...] = ()
    entries: tuple[int, ...] = ()
    annotations: tuple[Path, ...] = ()


class OnConflict(StrEnum):
    """What becomes of people that are there already and differ from what the file says."""

    KEEP = "keep"
    REPLACE = "replace"
    BESIDE = "beside"


@dataclass(frozen=True)
class Preflight:
    """What an import would bring, before anything is changed.

    new_photos, known_photos, new_people, same_people: counts. conflicts: photo and person id of people that are there
    and differ. refused, warnings: as in `ImportReport`. absent: how many of the photos were not found in `folder`.
    """

    path: Path
    folder: Path
    new_photos: int
    known_photos: int
    new_people: int
    same_people: int
    conflicts: tuple[tuple[str, str], ...]
    refused: tuple[tuple[str, KnownError], ...]
    warnings: tuple[str, ...]
    absent: int = 0

    @property
    def brings_nothing(self) -> bool:
        return not (self.new_photos or self.new_people or self.conflicts)


@dataclass
class _Gathering:
    """An import under way: what was read, and what of it is not recorded yet.

    is_look: nothing is recorded, nor kept as a blob. seen: keys of records that were taken in or found there.
    """

    studio: Importer
    on_conflict: OnConflict = OnConflict.KEEP
    is_look: bool = False
    photos: list[Photo] = field(default_factory=list)
    people: list[Person] = field(default_factory=list)
    known: list[Photo] = field(default_factory=list)
    refused: list[tuple[str, KnownError]] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    unrecorded: list[Change] = field(default_factory=list)
    conflicts: list[Person] = field(default_factory=list)
    same: int = 0
    absent: int = 0
    seen: set[tuple[str, str]] = field(default_factory=set)
    entries: list[int] = field(default_factory=list)

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
            if key not in self.seen:
                self.known.append(there)
                self.seen.add(key)
            return
        if key in self.seen:
            return
        self.seen.add(key)
        self.photos.append(photo)
        self.unrecorded.append(Change(key, None, photo))

    def add_person(self, person: Person, corrections: Sequence[Corrections] = ()) -> Person | None:
        """Take a person in and return it as it is recorded, None where it is not taken in.

        What becomes of one that is there already and differs, `on_conflict` says. corrections: of its residual
        limbs; they come with it, and to one that is there already and has none.
        """
        key = ("person", person.id)
        if key in self.seen:
            return None
        there = self.studio.project.records.get(key)
        if there is not None:
            if _says_the_same(there, person) and self._agree(there, corrections):
                self.same += 1
                self._add_corrections(there, corrections)
                return None
            self.conflicts.append(there)
            if self.on_conflict is OnConflict.KEEP:
                return None
            if self.on_conflict is OnConflict.BESIDE:
                key, there = self._free_key(person.id), None
                person = replace(person, id=key[1])
        self.seen.add(key)
        self.people.append(person)
        self.unrecorded.append(Change(key, there, person))
        self._add_corrections(person, corrections)
        return person

    def _agree(self, person: Person, corrections: Sequence[Corrections]) -> bool:
        """Tell whether none of a file's corrections contradicts what the project has of this person."""
        records = self.studio.project.records
        mine = [replace(item, person=person.id, photo=person.photo) for item in corrections]
        return all(records.get(item.key) in (None, item) for item in mine)

    def _add_corrections(self, person: Person, corrections: Sequence[Corrections]) -> None:
        for item in corrections:
            mine = replace(item, person=person.id, photo=person.photo)
            there = self.studio.project.records.get(mine.key)
            if there != mine:
                self.unrecorded.append(Change(mine.key, there, mine))

    def add_layer(self, person: Person, name: LayerName, mask_file: str) -> None:
        """Take in a mask beside the person's own."""
        key = layer_key(person.id, name)
        layer = MaskLayer(person.id, person.photo, name.kind, name.limb, mask_file)
        self.unrecorded.append(Change(key, self.studio.project.records.get(key), layer))

    def _free_key(self, identity: str) -> tuple[str, str]:
        keys = (("person", f"{identity}-{n}") for n in count(2))
        return next(k for k in keys if k not in self.seen and k not in self.studio.project.records)

    def record(self, label: str) -> None:
        if self.unrecorded and not self.is_look:
            entry = self.studio.do(Edit(label, tuple(self.unrecorded), None, None, human=False))
            if entry is not None:
                self.entries.append(entry.sequence)
        self.unrecorded.clear()

    def report(self) -> ImportReport:
        return ImportReport(
            tuple(self.photos),
            tuple(self.people),
            tuple(self.known),
            tuple(self.refused),
            tuple(self.warnings),
            tuple(self.entries),
        )


def _says_the_same(there: Person, person: Person) -> bool:
    """Tell whether two records of a person agree in all that was annotated."""
    return replace(there, provenance=person.provenance, mask_file=person.mask_file) == person


def import_photos(studio: Importer, context: Context, paths: Sequence[Path]) -> ImportReport:
    """Read photos, and the photos in folders. Cancelled, those recorded so far stay."""
    gathering = _Gathering(studio)
    inside = _Inside()
    files = list(_photo_files(paths, gathering.refused, inside))
    for done, path in enumerate(files):
        context.report(done / len(files), f"Reading {path.name} ({done + 1} of {len(files)})")
        gathering.read_photo(path)
        if len(gathering.unrecorded) >= _PHOTOS_PER_EDIT:
            gathering.record("Import photos")
    gathering.record("Import photos")
    if inside.masks:
        one = (
            "1 file was taken for a mask"
            if inside.masks == 1
            else f"{inside.masks} files were taken for masks"
        )
        gathering.warnings.append(f"{one} by the name (…{_MASK_END} beside its photo) and left out.")
    return replace(gathering.report(), annotations=tuple(inside.annotations))


@dataclass
class _Inside:
    """What else lay in folders that were opened. masks: how many. annotations: files, or a folder that has several."""

    masks: int = 0
    annotations: list[Path] = field(default_factory=list)


def _photo_files(
    paths: Iterable[Path], refused: list[tuple[str, KnownError]], inside: _Inside
) -> Iterator[Path]:
    for path in paths:
        if not path.is_dir():
            yield path
            continue
        try:
            files = sorted(p for p in path.rglob("*") if p.is_file())
        except OSError as error:
            message = f"The folder {path} cannot be read ({error.strerror})."
            refused.append((str(path), KnownError(message, "Check its permissions.")))
            continue
        annotations = [p for p in files if p.suffix.lower() == ".json"]
        inside.annotations += annotations if len(annotations) < 2 else [path]
        pictures = [p for p in files if p.suffix.lower() in _PHOTO_SUFFIXES]
        stems = {p.with_suffix("") for p in pictures}
        photos = [p for p in pictures if not _is_mask(p, stems)]
        inside.masks += len(pictures) - len(photos)
        if not photos:
            hint = "Choose another folder, or the photos themselves."
            refused.append((str(path), KnownError(f"There are no photos in {path}.", hint)))
        yield from photos


def _is_mask(path: Path, stems: set[Path]) -> bool:
    """Tell whether a file is named as the mask of a photo beside it: that is how they are exported."""
    return path.name.endswith(_MASK_END) and path.with_name(path.name.removesuffix(_MASK_END)) in stems


def import_annotations(
    studio: Importer, context: Context, path: Path, folder: Path, on_conflict: OnConflict = OnConflict.KEEP
) -> ImportReport:
    """Read an annotation file (COCO, labelme, X-AnyLabeling) or a folder of labelme files, and the photos it names.

    folder: where the photos are looked for.
    """
    gathering = _Gathering(studio, on_conflict)
    _gather(gathering, context, path, folder)
    return gathering.report()


def preflight(studio: Importer, context: Context, path: Path, folder: Path) -> Preflight:
    """Read what `import_annotations` would read, and change nothing."""
    gathering = _Gathering(studio, is_look=True)
    _gather(gathering, context, path, folder)
    return Preflight(
        path,
        folder,
        len(gathering.photos),
        len(gathering.known),
        len(gathering.people),
        gathering.same,
        tuple((p.photo, p.id) for p in gathering.conflicts),
        tuple(gathering.refused),
        tuple(gathering.warnings),
        gathering.absent,
    )


def _gather(gathering: _Gathering, context: Context, path: Path, folder: Path) -> None:
    context.report(0.0, f"Reading {path.name}")
    files = annotation_files(path)
    for done, file in enumerate(files):
        beside = file.parent if path.is_dir() else folder
        try:
            for piece in read_pieces(file, context):
                _gather_piece(gathering, context, piece, beside, (done / len(files), 1 / len(files)))
        except KnownError as error:
            if len(files) == 1:
                raise
            gathering.refused.append((file.name, error))
    gathering.record(f"Import {path.name}")


def _gather_piece(
    gathering: _Gathering, context: Context, piece: Piece, folder: Path, part: tuple[float, float]
) -> None:
    """Take in photos and people of one file. part: where in the whole job the file begins, and its share of it."""
    annotations = piece.annotations
    path = annotations.path
    gathering.warnings += annotations.warnings
    for problem in annotations.problems:
        what = f"{problem.file}, {problem.place}"
        gathering.refused.append((what, KnownError(problem.message, problem.hint)))
    source = Provenance(Source.IMPORTED, path.name, (file_hash(path),), "import")
    people: dict[str, list[AnnotatedPerson]] = {}
    for found in annotations.people:
        people.setdefault(found.file_name, []).append(found)
    start, share = part
    for number, name in enumerate(names_of(annotations), piece.first):
        context.report(
            start + share * number / piece.count, f"Reading {name} ({number + 1} of {piece.count})"
        )
        photo = _read_named(gathering, folder, name)
        if photo is not None:
            for found in people.get(name, ()):
                _add_placed(gathering, found, photo, annotations.folder, source)
        if len(gathering.unrecorded) >= _PHOTOS_PER_EDIT:
            gathering.record(f"Import {path.name}")


def _read_named(gathering: _Gathering, folder: Path, name: str) -> "LoadedPhoto | None":
    """Read a photo that a file names; one that is not there is noted as such."""
    place = place_of(folder, name)
    if not place.exists():
        gathering.absent += 1
        hint = "Say in which folder the photos are, or put it there."
        gathering.refused.append((name, KnownError(f"There is no photo of that name in {folder}.", hint)))
        return None
    return gathering.read_photo(place)


def _add_placed(
    gathering: _Gathering, found: "AnnotatedPerson", photo: "LoadedPhoto", folder: Path, source: Provenance
) -> None:
    from limbstudio.formats.masks import layer_mask, own_mask
    from limbstudio.formats.placing import placed_on

    what = f"{found.file_name}, annotation {found.annotation_id}"
    try:
        placed = placed_on(found, photo)
    except KnownError as error:
        gathering.refused.append((what, error))
        return
    person = placed.person
    layers: list[tuple[LayerName, np.ndarray]] = []
    try:
        if person.mask_file or placed.run_lengths is not None:
            # Kept in the project: the file it came from may go, and a record has no place for run lengths.
            mask = own_mask(placed, photo, folder=folder)
            name = None if mask is None or gathering.is_look else gathering.studio.keep_mask(mask)
            person = replace(person, mask_file=name)
        layers = [(name, layer_mask(placed, photo, file, folder=folder)) for name, file in placed.layers]
    except KnownError as error:  # the points are no worse for it
        person = replace(person, mask_file=None)
        gathering.warnings.append(f"{what}: it comes without its masks. {error.message} {error.hint}")
    start = f"{photo.sha256[:8]}-"
    identity = person.id if person.id.startswith(start) else f"{start}{person.id}"
    # A prediction stays one: it never counts as human work.
    predicted = person.provenance.source is Source.PREDICTED
    imported = replace(source, source=Source.PREDICTED) if predicted else source
    kept = person.provenance if person.provenance.by else imported
    added = gathering.add_person(replace(person, id=identity, provenance=kept), found.corrections)
    if added is not None and not gathering.is_look:
        for name, mask in layers:
            gathering.add_layer(added, name, gathering.studio.keep_mask(mask))
    gathering.warnings += [f"{what}: {w}" for w in placed.warnings]
