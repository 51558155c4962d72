"""Where the photos of a project lie now, and their pixels."""

import contextlib
import os
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from limbstudio.domain.errors import KnownError
from limbstudio.domain.photo import Photo
from limbstudio.services import thumbnails
from limbstudio.services.photo_files import PhotoChanged


class PhotoPlaces:
    """Find and read the photos of one project. Every method may be called from any thread.

    folder: of the project. folders_then: where it lay before, oldest first.
    """

    def __init__(self, folder: Path, folders_then: Sequence[Path]) -> None:
        self._folder = folder
        self._folders_then = folders_then
        self._located: dict[str, Path] = {}

    def path(self, photo: Photo) -> Path:
        """Return where the photo's file lies now; KnownError with what to do when it is not found."""
        places = self.places(photo)
        for path in places:
            if path.is_file():
                return path
        hint = "Connect its drive, put it back, or say where it is (Locate photo). The annotations are safe."
        raise KnownError(f"The photo {Path(photo.path).name} is not at {places[0]} any more.", hint)

    def places(self, photo: Photo) -> list[Path]:
        """Return where the photo's file may be, the likeliest first."""
        path = Path(photo.path)
        places = [self._located[photo.sha256]] if photo.sha256 in self._located else []
        if not path.is_absolute():
            return [*places, self._folder / path]
        places.append(path)
        for then in reversed(self._folders_then):  # the project and its photos may have moved together
            with contextlib.suppress(ValueError):  # another drive
                places.append(Path(os.path.normpath(self._folder / os.path.relpath(path, then))))
        return places

    def is_there(self, photo: Photo) -> bool:
        """Tell whether the photo's file is found."""
        return any(place.is_file() for place in self.places(photo))

    def locate(self, found: Mapping[str, Path]) -> None:
        """Remember where photos (by content hash) lie, also where the project cannot be written."""
        self._located.update(found)

    def stored(self, path: Path) -> str:
        """Return a path as a record keeps it: relative to the project when inside it, else absolute."""
        folder, path = self._folder.absolute(), path.absolute()
        return path.relative_to(folder).as_posix() if path.is_relative_to(folder) else str(path)

    # ----------------------------------------------------------------------------------------------------- pixels

    def pixels(self, photo: Photo) -> np.ndarray:
        """Read the photo, (H, W, 3) uint8 RGB upright; KnownError when it is gone, changed or unreadable."""
        from limbstudio.images import open_photo  # here: the window's first picture does not wait for it

        path = self.path(photo)
        loaded = open_photo(path)
        _must_be_same(path, loaded.sha256, photo)
        return loaded.pixels

    def draft(self, photo: Photo) -> np.ndarray | None:
        """Read a small copy of the photo, in a third of the time; None where there is no such way."""
        from limbstudio.images import open_draft

        path = self.path(photo)
        draft = open_draft(path)
        if draft is None:
            return None
        _must_be_same(path, draft.sha256, photo)
        return draft.pixels

    def thumbnail(self, photo: Photo) -> np.ndarray:
        """Return the photo's thumbnail, (H, W, 3) uint8 RGB; KnownError as of `pixels`."""
        self.path(photo)  # a photo that is away is said to be away, also when its thumbnail is kept

        def read() -> np.ndarray:
            draft = self.draft(photo)
            return self.pixels(photo) if draft is None else draft

        return thumbnails.thumbnail(photo.sha256, read)


def _must_be_same(path: Path, sha256: str, photo: Photo) -> None:
    if sha256 != photo.sha256:
        hint = "Put the original back, or accept the changed file (File menu)."
        raise PhotoChanged(
            f"{path.name} is not the file any more that was annotated: its content changed.", hint
        )
