"""`Studio`: the one front of the services, for the window and the command line alike.

A project is opened, people and points are edited, work is started; who shows it only listens. Callbacks may
come from any thread: a window hands `deliver`, which carries them into its own.
"""

import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from limbstudio.domain.body import FitMode
from limbstudio.domain.edits import Edit, add_person
from limbstudio.domain.errors import KnownError
from limbstudio.domain.fitted import KeptFit
from limbstudio.domain.geometry import Box
from limbstudio.domain.photo import Person, Photo
from limbstudio.domain.progress import confirm_no_person, refuse_no_person
from limbstudio.domain.project import Project
from limbstudio.domain.record_map import Shelf
from limbstudio.formats.mask_tiles import Bounds
from limbstudio.services import (
    batch_fits,
    fitting,
    gathering,
    handing_over,
    importing,
    kept_fits,
    kept_masks,
    photo_files,
    pipeline,
)
from limbstudio.services.fitting import Fitting
from limbstudio.services.history import Entry, History
from limbstudio.services.importing import OnConflict
from limbstudio.services.jobs import Context, Job
from limbstudio.services.kept_fits import Mesh, facts_of
from limbstudio.services.lanes import Finish
from limbstudio.services.photo_places import PhotoPlaces
from limbstudio.services.safekeeping import Safekeeping
from limbstudio.services.searching import Searching
from limbstudio.services.store import SUFFIX, JournalLine, SaveState, Saving, Store
from limbstudio.services.studio_events import StudioEvent, What
from limbstudio.services.workshop import Workshop

__all__ = ["Mesh", "Studio", "StudioEvent", "What", "facts_of"]


@dataclass(frozen=True, eq=False)
class _Open:
    """The parts of the project that is open. stops: end what listens to them."""

    store: Store
    history: History
    safekeeping: Safekeeping
    searching: Searching
    places: PhotoPlaces
    stops: tuple[Callable[[], None], ...]


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
        self._who = who
        self._deliver = deliver or _call
        self._listeners: list[Callable[[StudioEvent], None]] = []
        self._workshop = Workshop(
            run_inline=run_inline, on_new=lambda job: self._send(StudioEvent(What.JOB, job=job))
        )
        self._fitting = Fitting(self._workshop)
        # One value: who asks from another thread finds a project that is open in all its parts, or none.
        self._open: _Open | None = None

    # -------------------------------------------------------------------------------------------- the project

    def create(self, folder: Path, name: str = "") -> None:
        """Make a new project in `folder` (`.limb` is appended when missing) and open it; KnownError if it
        exists.
        """
        folder = folder if folder.suffix == SUFFIX else folder.with_name(folder.name + SUFFIX)
        self.close()
        self._begin(Store.create(folder, name))

    def open(self, folder: Path, *, take_over: bool = False) -> None:
        """Open a project; KnownError when it cannot be. Read-only cases open and say so in
        `read_only_reason`.

        take_over: become the writer although another window has it open; that window turns read-only.
        """
        self.close()
        self._begin(Store.open(folder, take_over=take_over))

    def _begin(self, store: Store) -> None:
        history = History(store.project, store, who=self._who)
        folder = store.folder.absolute()
        searching = Searching(
            lambda: history.project,
            store.query,
            me=self._who,
            is_stale=lambda person: kept_fits.has_stale_fit(history.project, folder, person),
        )
        stops = (
            history.listen(searching.follow),  # first: who is told of an edit finds it counted
            history.listen(lambda entry: self._send(StudioEvent(What.EDITED, entry=entry))),
            store.listen(self._on_save_state),
        )
        safekeeping = Safekeeping(store, history, who=self._who, say=self._say)
        places = PhotoPlaces(store.folder, store.folders_then)
        self._open = _Open(store, history, safekeeping, searching, places, stops)
        self._send(StudioEvent(What.OPENED))
        if reason := store.read_only_reason:
            self._say(reason, store.state.hint)
        elif store.notes:
            self._say(" ".join(store.notes), "")
        store.follow(history.take_in)

    def _say(self, message: str, hint: str) -> None:
        self._send(StudioEvent(What.MESSAGE, message=message, hint=hint, serious=True))

    def _on_save_state(self, state: SaveState) -> None:
        self._send(StudioEvent(What.SAVE_STATE, save=state))
        if state.saving is Saving.READ_ONLY:
            self._say(state.message, state.hint)

    def finish_saving(self, *, wait_s: float = 10.0) -> None:
        """Wait until everything is saved and edit no more; KnownError, and still open, when that cannot be done.

        For a window that waits in a thread: `close` takes no time afterwards.
        """
        if parts := self._open:
            parts.store.close(wait_s)

    def close(self, *, wait_s: float = 10.0) -> None:
        """Wait until everything is saved and close; KnownError (and still open) when edits cannot be saved.

        Closing without a project is fine. Jobs of the project are cancelled.
        """
        if parts := self._open:
            parts.store.close(wait_s)
            self._end(parts)

    def abandon(self) -> tuple[Entry, ...]:
        """Close without waiting and return the edits that are lost by it. Ask the person first."""
        parts = self._open
        if parts is None:
            return ()
        lost = parts.store.abandon()
        self._end(parts)
        return lost

    def _end(self, was: _Open) -> None:
        for stop in was.stops:
            stop()
        was.safekeeping.close()
        was.searching.stop()
        self._open = None
        self._workshop.cancel_all()
        self._fitting.forget()
        self._send(StudioEvent(What.CLOSED))

    def quit(self) -> None:
        """Close the project (as `close`) and stop all threads and processes."""
        self.close()
        self._workshop.close()

    @property
    def is_open(self) -> bool:
        return self._open is not None

    @property
    def folder(self) -> Path | None:
        return parts.store.folder if (parts := self._open) else None

    @property
    def project(self) -> Project:
        """Return the present state: an immutable value. An empty project when none is open."""
        return parts.history.project if (parts := self._open) else Project()

    @property
    def history(self) -> History:
        return self._parts().history

    @property
    def safekeeping(self) -> Safekeeping:
        """Return the checkpoints and backups of the open project; KnownError when none is open."""
        return self._parts().safekeeping

    @property
    def read_only_reason(self) -> str:
        """Return why nothing can be changed, for people; empty when the project can be edited."""
        return parts.store.read_only_reason if (parts := self._open) else ""

    @property
    def can_take_over(self) -> bool:
        """Tell whether it is read-only only because another window has it: `open(folder, take_over=True)`
        helps.
        """
        return (parts := self._open) is not None and parts.store.is_held_elsewhere

    @property
    def save_state(self) -> SaveState:
        return parts.store.state if (parts := self._open) else SaveState(Saving.SAVED)

    def save_now(self) -> None:
        """Try again at once what could not be saved, instead of in a few seconds."""
        if parts := self._open:
            parts.store.retry_now()

    def listen(self, listener: Callable[[StudioEvent], None]) -> Callable[[], None]:
        """Call `listener` on every event, in the thread that `deliver` leads to; return a function that stops
        it.
        """
        self._listeners.append(listener)

        def stop() -> None:
            if listener in self._listeners:
                self._listeners.remove(listener)

        return stop

    def _send(self, event: StudioEvent) -> None:
        def tell() -> None:
            for listener in tuple(self._listeners):
                listener(event)

        self._deliver(tell)

    def _parts(self) -> _Open:
        parts = self._open
        if parts is None:
            raise KnownError("No project is open.", "Open one, or make a new one.")
        return parts

    def _opened(self) -> tuple[Store, History]:
        parts = self._parts()
        return parts.store, parts.history

    def _writable(self) -> tuple[Store, History]:
        store, history = self._opened()
        if store.read_only_reason:
            raise KnownError(store.read_only_reason, store.state.hint)
        return store, history

    # -------------------------------------------------------------------------------------------------- edits

    def do(self, edit: Edit) -> Entry | None:
        """Apply and record an edit; None when it changes nothing. KnownError if it was made on older
        records.
        """
        return self.history.do(edit)

    def undo(self, photo: str | None) -> Entry | None:
        """Revert my latest human edit on this photo (or, with None, of the project itself); None if there is
        none.
        """
        return self.history.undo(photo)

    def redo(self, photo: str | None) -> Entry | None:
        """Repeat what was undone last on this photo; None if there is nothing."""
        return self.history.redo(photo)

    def journal(self, photo: str | None = None, *, everything: bool = False) -> list[JournalLine]:
        """Return who did what when: of one photo (None: of the project itself), or all of it, oldest
        first.
        """
        return self._opened()[0].journal(photo, everything=everything)

    # -------------------------------------------------------------------------------------- photos and people

    @property
    def photos(self) -> Shelf:
        """Return the photos in the order in which they were imported: a sequence that reads each when asked."""
        return self.project.photos

    @property
    def searching(self) -> Searching:
        """Return what searches the photos and counts their states; KnownError when no project is open."""
        return self._parts().searching

    def start_searching(self, when_ready: Callable[[], None]) -> None:
        """Make the index of the photos in the background; `when_ready` is called as events are."""
        self.searching.start(lambda: self._deliver(when_ready), at_once=self._workshop.run_inline)

    def photo(self, sha256: str) -> Photo:
        """Return the photo; KnownError when the project has none of that content."""
        found = self.project.records.get(("photo", sha256))
        if found is None:
            raise KnownError(f"The project has no photo {sha256[:12]}.", "It may have been removed.")
        return found

    def people_in(self, photo: str) -> tuple[Person, ...]:
        """Return the people of a photo in the order in which they came."""
        return self.project.people_in(photo)

    def person(self, person_id: str) -> Person:
        """Return the person; KnownError when there is none of that id."""
        found = self.project.records.get(("person", person_id))
        if found is None:
            raise KnownError(
                f"The project has no person {person_id}.", "It may have been deleted; undo brings it back."
            )
        return found

    def photo_path(self, photo: Photo) -> Path:
        """Return where the photo's file lies now; KnownError with what to do when it is not found."""
        return self._parts().places.path(photo)

    def photo_pixels(self, photo: Photo) -> np.ndarray:
        """Read the photo, (H, W, 3) uint8 RGB upright; KnownError when it is gone, changed or unreadable.

        Slow (a decode): call it in a job or a thread of your own.
        """
        return self._parts().places.pixels(photo)

    def photo_draft(self, photo: Photo) -> np.ndarray | None:
        """Read a small copy of the photo as `photo_pixels` does, in a third of the time; None where there is no such
        way.
        """
        return self._parts().places.draft(photo)

    def thumbnail(self, photo: Photo) -> np.ndarray:
        """Return the photo's thumbnail, (H, W, 3) uint8 RGB; KnownError as of `photo_pixels`. Slow the first time."""
        return self._parts().places.thumbnail(photo)

    def import_photos(self, paths: Sequence[Path]) -> Job:
        """Read photos and folders of photos in the background; the job's result is an `ImportReport`."""
        self._writable()
        return self.run(lambda context: importing.import_photos(self, context, paths), title="Import photos")

    def import_annotations(
        self, path: Path, photos_folder: Path | None = None, *, on_conflict: OnConflict = OnConflict.KEEP
    ) -> Job:
        """Read an annotation file, or a folder of them, and its photos (beside it by default).

        COCO, labelme and X-AnyLabeling. The job's result is an `ImportReport`. Photos already in the project gain
        people they do not have; what becomes of people who are there and differ, `on_conflict` says.
        """
        self._writable()
        folder = photos_folder or (path if path.is_dir() else path.parent)
        return self.run(
            lambda context: importing.import_annotations(self, context, path, folder, on_conflict),
            title=f"Import {path.name}",
        )

    def preflight(self, path: Path, photos_folder: Path | None = None) -> Job:
        """Look at what `import_annotations` would bring; the job's result is a `Preflight`. Nothing is changed."""
        self._opened()
        folder = photos_folder or (path if path.is_dir() else path.parent)
        return self.run(
            lambda context: importing.preflight(self, context, path, folder), title=f"Look at {path.name}"
        )

    def stored_path(self, path: Path) -> str:
        """Return a path as a record keeps it: relative to the project when inside it, else absolute."""
        return self._parts().places.stored(path)

    def read_blob(self, name: str) -> bytes:
        """Return what is kept under a content hash; KnownError when it is gone or damaged."""
        return self._opened()[0].read_blob(name)

    def keep_mask(self, mask: np.ndarray, *, over: str | None = None, within: Bounds | None = None) -> str:
        """Keep a mask (H, W) bool in the project; return what a person's `mask_file` says then. See `kept_masks`."""
        store = self._writable()[0]
        return kept_masks.keep(mask, store.read_blob, store.put_blob, over=over, within=within)

    def locate_photo(self, photo: Photo, path: Path) -> tuple[Photo, ...]:
        """Say where a photo's file lies now; KnownError when its content is another.

        Others that are not found where they were, but moved along with it, are located too. Returns all that were.
        """
        return photo_files.locate(self, self._parts().places, photo, path)

    def collect_photos(self) -> Job:
        """Copy the photos that lie elsewhere into the project; the job's result is a `CollectReport`."""
        self._writable()
        return self.run(lambda context: photo_files.collect_photos(self, context), title="Collect photos")

    def adopt_changed(self, photo: Photo) -> Job:
        """Go on with what the photo's file holds now; its people are kept. The job's result is the new record."""
        self._writable()
        return self.run(
            lambda context: photo_files.adopt_changed(self, photo), title="Accept the changed photo"
        )

    def new_person(self, photo: str, box: Box | None = None) -> Person:
        """Make a person without points in this photo (an undoable edit) and return the record."""
        person = Person(f"{photo[:8]}-{uuid.uuid4().hex[:8]}", photo, box=box)
        edit = add_person(person)
        found = self.project.records.get(("photo", photo))
        if found is not None and found.no_person:  # it was said that nobody is there
            edit = replace(edit, changes=(*confirm_no_person(found, False).changes, *edit.changes))
        self.do(edit)
        return person

    def set_no_person(self, photo: str, confirmed: bool) -> None:
        """Say that nobody is in a photo, or take that back: an undoable edit. KnownError when there are people."""
        people = self.project.records.names_of_photo("person", photo)
        if people and confirmed:
            raise refuse_no_person(len(people))
        self.do(confirm_no_person(self.photo(photo), confirmed))

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
        job = self._workshop.note(self.start_fit(person_id, mode=mode, seed=seed, body_file=body_file))
        job.again = partial(self.fit, person_id, mode=mode, seed=seed, body_file=body_file)
        return job

    def start_fit(
        self,
        person_id: str,
        *,
        mode: FitMode = FitMode.JOINT,
        seed: int = 0,
        body_file: Path | None = None,
        quietly: bool = False,
    ) -> Job:
        """Fit as `fit` does, as a part of other work. quietly: nobody is told of the job."""
        store, history = self._writable()
        person = self.person(person_id)
        photo = self.photo(person.photo)
        work = fitting.work_of(
            history.project, store.folder, person, photo, mode=mode, seed=seed, body_file=body_file
        )
        return self._fitting.start(store, history, work, quietly=quietly)

    def fit_people(self, photos: Sequence[str] | None, *, title: str) -> Job:
        """Fit all people of these photos (None: of all unfinished ones) who are annotated and have no fresh fit.

        Fits that a human chose and accepted people are left alone. The job's result is a `BatchReport`.
        """
        self._writable()
        return self._workshop.run_batch(
            lambda context: batch_fits.fit_people(self, context, photos),
            title=title,
            again=lambda: self.fit_people(photos, title=title),
        )

    def keep_blobs(self, work: pipeline.FitWork, answer: pipeline.FitAnswer) -> KeptFit:
        """Write a computed fit's arrays and return its record, which no edit has made part of the project yet."""
        return fitting.kept(self._writable()[0], work, pipeline.fit_request(work), answer)

    def fit_of(self, person_id: str) -> KeptFit | None:
        """Return the chosen fit of a person, fresh or stale."""
        return kept_fits.fit_of(self.project, person_id)

    def fits_of(self, person_id: str) -> tuple[KeptFit, ...]:
        """Return all fits of a person, oldest first."""
        return kept_fits.fits_of(self.project, person_id)

    def is_stale(self, fit: KeptFit) -> bool:
        """Tell whether the person or the photo has changed since the fit was made (or is gone)."""
        store, history = self._opened()
        return kept_fits.is_stale(history.project, store.folder.absolute(), fit)

    def choose_fit(self, fit: KeptFit) -> None:
        """Make a candidate the chosen fit: a human edit, which machine results respect."""
        self.do(kept_fits.choose(self.project, fit))

    def body_mesh(self, fit: KeptFit) -> Mesh | None:
        """Return the mesh in the camera frame (x right, y down, z forward), metres."""
        return kept_fits.mesh_of(fit.body, self.read_blob)

    def tpose_mesh(self, fit: KeptFit) -> Mesh | None:
        """Return the mesh at rest (y up, z forward, pelvis at the origin), metres."""
        return kept_fits.mesh_of(fit.tpose, self.read_blob)

    # ------------------------------------------------------------------------------------------- jobs, export

    @property
    def jobs(self) -> tuple[Job, ...]:
        """Return the jobs of this project since it was opened, oldest first; of those that ended, the newest."""
        return self._workshop.jobs

    def run(
        self, function: Callable[..., Any], *arguments: object, title: str, photo: str | None = None
    ) -> Job:
        """Run `function(context, *arguments)` in the thread lane: for slow things that are no stage."""
        return self._workshop.run(function, *arguments, title=title, photo=photo)

    def export_annotations(self, path: Path, photos: Sequence[str] | None = None) -> Job:
        """Write COCO-25 with `limbstudio` blocks for all photos or the named ones, from the records of this
        moment.

        Masks are written beside it; corrections of residual limbs are in the blocks. The job's result is the path.
        """
        # Of this moment; what follows takes long in a large one.
        project, places = self.project, self._parts().places

        def write(context: Context) -> Path:
            chosen = gathering.annotated(project, places, photos)
            return gathering.write_annotations(context, self, path, project, chosen)

        return self.run(write, title=f"Export {path.name}")

    def export_plugin(self, name: str, path: Path, photos: Sequence[str] | None = None) -> Job:
        """Write annotations through the exporter plugin of that entry point name; the job's result is the
        path.
        """
        project, places = self.project, self._parts().places
        return self.run(
            lambda context: handing_over.write_by_plugin(
                context, name, path, gathering.annotated(project, places, photos)
            ),
            title=f"Export {path.name}",
        )

    def export_reconstructions(self, folder: Path, people: Sequence[str] | None = None) -> Job:
        """Write the chosen fits, as they were corrected, a folder per person, as `limbstudio reconstruct` does.

        people: ids; all who have a fit when None. The job's result is an `ExportReport`: folders, and what
        was refused.
        """
        works, refused = gathering.reconstructions(self, people)
        pixels = {work.photo.sha256: partial(self.photo_pixels, work.photo) for work in works}
        project = self._opened()[0].folder.absolute()
        return self.run(
            handing_over.write_reconstructions, folder, works, refused, pixels, project, title="Export meshes"
        )

    @property
    def photo_in_view(self) -> str | None:
        """Return the photo that was looked at last."""
        return self._workshop.photo_in_view

    def look_at(self, photo: str | None) -> None:
        """Say which photo is in view: its jobs go first."""
        self._workshop.look_at(photo)

    def hold_batches(self, held: bool) -> None:
        """Let background work rest while a person drags something that must follow, or go on."""
        self._workshop.hold(held)

    def compute(
        self, function: Callable[..., Any], *arguments: object, title: str, photo: str, finish: Finish = None
    ) -> Job:
        """Run `function(context, *arguments)` in the worker's process; all must be picklable.

        finish: makes the job's result of what came back, in this process.
        """
        return self._workshop.compute(function, *arguments, title=title, photo=photo, finish=finish)

    def warm_up(self) -> None:
        """Start the worker's process now, so that the first fit does not wait for it. Returns at once."""
        self._workshop.worker_lane()

    @property
    def device(self) -> str:
        """Return what models run on, in words; empty until the worker's process has said it."""
        return self._workshop.device

    def forget_jobs(self, ended: Sequence[Job]) -> None:
        """Let go of jobs that have ended, and of their results."""
        self._workshop.forget(ended)


def _call(function: Callable[[], None]) -> None:
    function()
