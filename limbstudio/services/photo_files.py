"""Where a project's photos lie: copied into the project, found again after a move, or changed under it."""

import os
import shutil
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Protocol

from limbstudio.domain.edits import Change, Edit
from limbstudio.domain.errors import KnownError
from limbstudio.domain.photo import Person, Photo
from limbstudio.domain.project import Project
from limbstudio.services.blobs import sync_folder
from limbstudio.services.jobs import Context
from limbstudio.services.pipeline import file_hash
from limbstudio.services.store import Entry

if TYPE_CHECKING:
    from limbstudio.services.photo_places import PhotoPlaces

PHOTOS_FOLDER = "photos"


class Collector(Protocol):
    """What this needs of the studio."""

    @property
    def project(self) -> Project: ...

    @property
    def folder(self) -> Path | None: ...

    def do(self, edit: Edit) -> Entry | None: ...

    def photo_path(self, photo: Photo) -> Path: ...

    def stored_path(self, path: Path) -> str: ...

    def people_in(self, photo: str) -> tuple[Person, ...]: ...

    def photo(self, sha256: str) -> Photo: ...

    @property
    def read_only_reason(self) -> str: ...


class PhotoChanged(KnownError):
    """A photo's file is there, but holds other bytes than those that were annotated."""


@dataclass(frozen=True)
class CollectReport:
    """What collecting did. collected: photos copied. there: inside the project already. refused: what, and why."""

    collected: int
    there: int
    refused: tuple[tuple[str, KnownError], ...]


def collect_photos(studio: Collector, context: Context) -> CollectReport:
    """Copy every photo that lies outside into the project's folder `photos`, checked by content.

    The originals stay as they are. One edit says where the copies lie; cancelled, nothing is said of those copied.
    """
    assert studio.folder is not None
    place = studio.folder / PHOTOS_FOLDER
    outside = [p for p in studio.project.photos if Path(p.path).is_absolute()]
    there = len(studio.project.photos) - len(outside)
    changes, refused = list[Change](), list[tuple[str, KnownError]]()
    for done, photo in enumerate(outside):
        name = PurePath(photo.path).name
        context.report(done / len(outside), f"Copying {name} ({done + 1} of {len(outside)})")
        try:
            copy = _copied(studio.photo_path(photo), photo, place)
        except KnownError as error:
            refused.append((name, error))
            continue
        changes.append(Change(("photo", photo.sha256), photo, replace(photo, path=studio.stored_path(copy))))
    if changes:
        studio.do(Edit("Collect photos into the project", tuple(changes)))
    return CollectReport(len(changes), there, tuple(refused))


def _copied(source: Path, photo: Photo, place: Path) -> Path:
    """Copy one file, whole or not at all, and return the copy."""
    copy = place / f"{source.stem}-{photo.sha256[:8]}{source.suffix}"
    if copy.is_file() and file_hash(copy) == photo.sha256:
        return copy
    unfinished = copy.with_name(f".{copy.name}.unfinished")
    try:
        place.mkdir(exist_ok=True)
        shutil.copyfile(source, unfinished)
        if file_hash(unfinished) != photo.sha256:
            unfinished.unlink()
            raise PhotoChanged(
                f"{source.name} is not the file any more that was annotated: its content changed.",
                "Put the original back, or accept the changed file (File menu).",
            )
        with unfinished.open("rb") as file:
            os.fsync(file.fileno())
        os.replace(unfinished, copy)
        sync_folder(place)
    except OSError as error:
        unfinished.unlink(missing_ok=True)
        raise KnownError(
            f"{source.name} could not be copied into the project: {error.strerror}.",
            "Free some space or choose another folder for the project, and collect again.",
        ) from error
    return copy


def locate(studio: Collector, places: "PhotoPlaces", photo: Photo, path: Path) -> tuple[Photo, ...]:
    """Note where a photo's file lies now, and those that moved with it; return all that were found.

    An edit says so where the project can be written. KnownError when the file's content is another.
    """
    if file_hash(path) != photo.sha256:
        raise KnownError(
            f"{path.name} is not that photo: its content is another.", "Choose the original file."
        )
    lost = [p for p in studio.project.photos if not places.is_there(p)]
    found = moved_with(photo, path, lost) | {photo.sha256: path}
    places.locate(found)
    before = [studio.photo(sha256) for sha256 in found]
    after = [replace(p, path=places.stored(found[p.sha256])) for p in before]
    if not studio.read_only_reason:
        changes = tuple(
            Change(("photo", was.sha256), was, now) for was, now in zip(before, after, strict=True)
        )
        studio.do(Edit("Locate photo", changes, None, photo.sha256, human=False))
    return tuple(after)


def moved_with(photo: Photo, found: Path, others: Iterable[Photo]) -> dict[str, Path]:
    """Return where other photos lie now, by content hash, when they moved together with `photo` to `found`.

    Their folders keep their names below the one that moved. Only files that are there are returned; their content is
    checked when they are read.
    """
    old, new = PurePath(photo.path).parent.parts, found.parent.parts
    same = 0
    while same < min(len(old), len(new)) and old[-1 - same] == new[-1 - same]:
        same += 1
    old_root = PurePath(*old[: len(old) - same]) if len(old) > same else PurePath()
    new_root = Path(*new[: len(new) - same]) if len(new) > same else Path(new[0])
    moved = {}
    for other in others:
        path = PurePath(other.path)
        if path.is_relative_to(old_root):
            candidate = new_root / path.relative_to(old_root)
            if candidate.is_file():
                moved[other.sha256] = candidate
    return moved


def adopt_changed(studio: Collector, photo: Photo) -> Photo:
    """Go on with what the photo's file holds now: its people come along, as one edit that can be undone.

    KnownError when the file has not changed, is in the project as another photo,
    or has another size, in which the points would lie elsewhere.
    """
    path = studio.photo_path(photo)
    changed = _record_of(path)
    if changed.sha256 == photo.sha256:
        raise KnownError(f"{path.name} has not changed.", "There is nothing to accept.")
    if ("photo", changed.sha256) in studio.project.records:
        raise KnownError(
            f"The changed {path.name} is in the project already as another photo.",
            "Delete one of the two, or put the original back.",
        )
    if (changed.width, changed.height) != (photo.width, photo.height):
        raise KnownError(
            f"{path.name} has {changed.width} x {changed.height} pixels now and had {photo.width} x {photo.height}: "
            "its points would lie elsewhere.",
            "Put the original back, or import the changed file as a new photo.",
        )
    after = replace(changed, path=photo.path, no_person=photo.no_person)
    changes = [Change(("photo", photo.sha256), photo, None), Change(("photo", after.sha256), None, after)]
    changes += [
        Change(("person", person.id), person, replace(person, photo=after.sha256))
        for person in studio.people_in(photo.sha256)
    ]
    studio.do(Edit("Accept the changed photo", tuple(changes), None, after.sha256))
    return after


def _record_of(path: Path) -> Photo:
    from limbstudio.images import open_photo  # here: brings the picture readers

    read = open_photo(path)
    return Photo(read.sha256, read.width, read.height, str(path), read.focal_exif_px)
