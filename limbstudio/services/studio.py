"""`Studio`: the one front of the services, for the window and the command line alike.

A project is opened, people and points are edited, work is started; who shows it only listens. Callbacks may
come from any thread: a window hands `deliver`, which carries them into its own.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

import numpy as np

from limbstudio.domain.body import FitMode
from limbstudio.domain.edits import Edit
from limbstudio.domain.errors import KnownError
from limbstudio.domain.fitted import KeptFit
from limbstudio.domain.geometry import Box
from limbstudio.domain.photo import Person, Photo
from limbstudio.domain.project import Project
from limbstudio.services.history import Entry, History
from limbstudio.services.jobs import Job
from limbstudio.services.store import SaveState


class What(StrEnum):
    """What a `StudioEvent` tells."""

    OPENED = "opened"
    CLOSED = "closed"
    EDITED = "edited"
    SAVE_STATE = "save_state"
    JOB = "job"
    MESSAGE = "message"


@dataclass(frozen=True)
class StudioEvent:
    """Something that happened. entry: for EDITED. save: for SAVE_STATE. job: for JOB (a new one; listen to
    it).

    message, hint: for MESSAGE, for people; serious: it should stay until it is read.
    """

    what: What
    entry: Entry | None = None
    save: SaveState | None = None
    job: Job | None = None
    message: str = ""
    hint: str = ""
    serious: bool = False


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


@dataclass(frozen=True, eq=False)
class Mesh:
    """A mesh of a fit, loaded. vertices (V, 3) metres; faces (F, 3); residual (V,) bool."""

    vertices: np.ndarray
    faces: np.ndarray
    residual: np.ndarray


class Studio:
    """Open one project and work in it.

    who: name written beside every edit. run_inline: jobs run at once in the caller's thread (command line,
    tests). deliver: how a callback gets into the owner's thread; called with a function of no arguments from
    any thread. By default callbacks run where they arise.
    """

    def __init__(
        self,
        *,
        who: str = "",
        run_inline: bool = False,
        deliver: Callable[[Callable[[], None]], None] | None = None,
    ) -> None:
        raise NotImplementedError

    # -------------------------------------------------------------------------------------------- the project

    def create(self, folder: Path) -> None:
        """Make a new project in `folder` (`.limb` is appended when missing) and open it; KnownError if it
        exists.
        """
        raise NotImplementedError

    def open(self, folder: Path, *, take_over: bool = False) -> None:
        """Open a project; KnownError when it cannot be. Read-only cases open and say so in
        `read_only_reason`.

        take_over: become the writer although another window has it open; that window turns read-only.
        """
        raise NotImplementedError

    def close(self, *, wait_s: float = 10.0) -> None:
        """Wait until everything is saved and close; KnownError (and still open) when edits cannot be saved.

        Closing without a project is fine. Jobs of the project are cancelled.
        """
        raise NotImplementedError

    def abandon(self) -> None:
        """Close without waiting: edits that could not be saved are lost. Ask the person first."""
        raise NotImplementedError

    def quit(self) -> None:
        """Close the project (as `close`) and stop all threads and processes."""
        raise NotImplementedError

    @property
    def is_open(self) -> bool:
        raise NotImplementedError

    @property
    def folder(self) -> Path | None:
        raise NotImplementedError

    @property
    def project(self) -> Project:
        """Return the present state: an immutable value. An empty project when none is open."""
        raise NotImplementedError

    @property
    def history(self) -> History:
        raise NotImplementedError

    @property
    def read_only_reason(self) -> str:
        """Return why nothing can be changed, for people; empty when the project can be edited."""
        raise NotImplementedError

    @property
    def save_state(self) -> SaveState:
        raise NotImplementedError

    def listen(self, listener: Callable[[StudioEvent], None]) -> Callable[[], None]:
        """Call `listener` on every event, in the thread that `deliver` leads to; return a function that stops
        it.
        """
        raise NotImplementedError

    # -------------------------------------------------------------------------------------------------- edits

    def do(self, edit: Edit) -> Entry | None:
        """Apply and record an edit; None when it changes nothing. KnownError if it was made on older
        records.
        """
        raise NotImplementedError

    def undo(self, photo: str | None) -> Entry | None:
        """Revert my latest human edit on this photo (or, with None, of the project itself); None if there is
        none.
        """
        raise NotImplementedError

    def redo(self, photo: str | None) -> Entry | None:
        raise NotImplementedError

    # -------------------------------------------------------------------------------------- photos and people

    @property
    def photos(self) -> tuple[Photo, ...]:
        """Return the photos in the order in which they were imported."""
        raise NotImplementedError

    def photo(self, sha256: str) -> Photo:
        raise NotImplementedError

    def people_in(self, photo: str) -> tuple[Person, ...]:
        raise NotImplementedError

    def person(self, person_id: str) -> Person:
        """Return the person; KnownError when there is none of that id."""
        raise NotImplementedError

    def photo_path(self, photo: Photo) -> Path:
        """Return where the photo's file lies now; KnownError with what to do when it is not found."""
        raise NotImplementedError

    def photo_pixels(self, photo: Photo) -> np.ndarray:
        """Read the photo, (H, W, 3) uint8 RGB upright; KnownError when it is gone, changed or unreadable.

        Slow (a decode): call it in a job or a thread of your own.
        """
        raise NotImplementedError

    def import_photos(self, paths: Sequence[Path]) -> Job:
        """Read photos and folders of photos in the background; the job's result is an `ImportReport`."""
        raise NotImplementedError

    def import_annotations(self, path: Path, photos_folder: Path | None = None) -> Job:
        """Read a COCO file and its photos (beside it by default); the job's result is an `ImportReport`.

        Photos already in the project gain only people they do not have; human work is never overwritten.
        """
        raise NotImplementedError

    def locate_photo(self, photo: Photo, path: Path) -> None:
        """Say where a photo's file lies now; KnownError when its content is another."""
        raise NotImplementedError

    def new_person(self, photo: str, box: Box | None = None) -> Person:
        """Make a person without points in this photo (an undoable edit) and return the record."""
        raise NotImplementedError

    # --------------------------------------------------------------------------------------------------- fits

    def fit(
        self, person_id: str, *, mode: FitMode = FitMode.JOINT, seed: int = 0, body_file: Path | None = None
    ) -> Job:
        """Fit and reconstruct one person (stages 5 to 7) in the background; the job's result is the
        `KeptFit`.

        The result is recorded as a machine edit. It becomes the chosen fit unless a human chose another or
        the person was edited meanwhile: then it is kept as a candidate. Unchanged inputs are not computed
        twice.
        """
        raise NotImplementedError

    def fit_of(self, person_id: str) -> KeptFit | None:
        """Return the chosen fit of a person, fresh or stale."""
        raise NotImplementedError

    def fits_of(self, person_id: str) -> tuple[KeptFit, ...]:
        """Return all fits of a person, oldest first."""
        raise NotImplementedError

    def is_stale(self, fit: KeptFit) -> bool:
        """Tell whether the person, photo or settings have changed since the fit was made."""
        raise NotImplementedError

    def choose_fit(self, fit: KeptFit) -> None:
        """Make a candidate the chosen fit: a human edit, which machine results respect."""
        raise NotImplementedError

    def body_mesh(self, fit: KeptFit) -> Mesh | None:
        """Return the mesh in the camera frame (x right, y down, z forward), metres."""
        raise NotImplementedError

    def tpose_mesh(self, fit: KeptFit) -> Mesh | None:
        """Return the mesh at rest (y up, z forward, pelvis at the origin), metres."""
        raise NotImplementedError

    # ------------------------------------------------------------------------------------------- jobs, export

    @property
    def jobs(self) -> tuple[Job, ...]:
        """Return the jobs of this session, oldest first."""
        raise NotImplementedError

    def run(
        self, function: Callable[..., Any], *arguments: object, title: str, photo: str | None = None
    ) -> Job:
        """Run `function(context, *arguments)` in the thread lane: for slow things that are no stage."""
        raise NotImplementedError

    def look_at(self, photo: str | None) -> None:
        """Say which photo is in view: its jobs go first."""
        raise NotImplementedError

    def export_annotations(self, path: Path, photos: Sequence[str] | None = None) -> Job:
        """Write COCO-25 with `limbstudio` blocks for all photos or the named ones, from the records of this
        moment.
        """
        raise NotImplementedError

    def export_reconstructions(self, folder: Path, people: Sequence[str] | None = None) -> Job:
        """Write each person's folder (fit.json, meshes, pictures), as `limbstudio reconstruct` does."""
        raise NotImplementedError

    def export_plugin(self, name: str, path: Path) -> Job:
        """Write annotations through an exporter plugin."""
        raise NotImplementedError


def facts_of(fit: KeptFit) -> Mapping[str, Any]:
    """Return the content of the fit's `fit.json`."""
    raise NotImplementedError
