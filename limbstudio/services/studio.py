"""`Studio`: the one front of the services, for the window and the command line alike.

A project is opened, people and points are edited, work is started; who shows it only listens. Callbacks may
come from any thread: a window hands `deliver`, which carries them into its own.
"""

import contextlib
import json
import os
import threading
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from limbstudio.domain.body import FitMode
from limbstudio.domain.correcting import all_corrections
from limbstudio.domain.edits import Change, Edit, add_person
from limbstudio.domain.errors import KnownError
from limbstudio.domain.fitted import ChosenFit, KeptFit, MeshReference
from limbstudio.domain.geometry import Box
from limbstudio.domain.mask_layers import devices_of
from limbstudio.domain.photo import Person, Photo
from limbstudio.domain.progress import confirm_no_person, refuse_no_person
from limbstudio.domain.project import Project
from limbstudio.domain.record_map import Shelf
from limbstudio.formats.mask_tiles import Bounds
from limbstudio.services import (
    batch_fits,
    fitting,
    handing_over,
    importing,
    kept_masks,
    machine,
    photo_files,
    pipeline,
    thumbnails,
)
from limbstudio.services.blobs import array_from_bytes
from limbstudio.services.fit_options import asked_of
from limbstudio.services.history import Entry, History
from limbstudio.services.importing import OnConflict
from limbstudio.services.jobs import Context, Job
from limbstudio.services.lanes import Finish, InlineLane, ProcessLane, ThreadLane
from limbstudio.services.masking import layers_as_png, mask_as_png
from limbstudio.services.safekeeping import Safekeeping
from limbstudio.services.searching import Searching
from limbstudio.services.store import SUFFIX, JournalLine, SaveState, Saving, Store

_KEPT_JOBS = 200  # that have ended; a day of fits must not fill the memory with their results


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


@dataclass(frozen=True, eq=False)
class Mesh:
    """A mesh of a fit, loaded. vertices (V, 3) metres; faces (F, 3); residual (V,) bool; parts (V,) uint8."""

    vertices: np.ndarray
    faces: np.ndarray
    residual: np.ndarray
    parts: np.ndarray


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
        self._run_inline = run_inline
        self._deliver = deliver or _call
        self._listeners: list[Callable[[StudioEvent], None]] = []
        self._lanes_lock = threading.Lock()
        self._threads: InlineLane | ThreadLane | None = None
        self._worker: InlineLane | ProcessLane | None = None
        self._batches: InlineLane | ThreadLane | None = None
        self.photo_in_view: str | None = None
        self._store: Store | None = None
        self._history: History | None = None
        self._safekeeping: Safekeeping | None = None
        self._searching: Searching | None = None
        self._stops: list[Callable[[], None]] = []
        self._jobs: list[Job] = []
        self._fits_under_way: dict[str, Job] = {}
        self._located: dict[str, Path] = {}

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
        searching = Searching(
            lambda: history.project, store.query, me=self._who, is_stale=self._has_stale_fit
        )
        self._located.clear()
        self._stops = [
            history.listen(searching.follow),  # first: who is told of an edit finds it counted
            history.listen(lambda entry: self._send(StudioEvent(What.EDITED, entry=entry))),
            store.listen(self._on_save_state),
        ]
        self._safekeeping = Safekeeping(store, history, who=self._who, say=self._say)
        # The store last: who asks from another thread finds a project that is open in all its parts, or none.
        self._history, self._searching, self._store = history, searching, store
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
        if self._store is not None:
            self._store.close(wait_s)

    def close(self, *, wait_s: float = 10.0) -> None:
        """Wait until everything is saved and close; KnownError (and still open) when edits cannot be saved.

        Closing without a project is fine. Jobs of the project are cancelled.
        """
        if self._store is not None:
            self._store.close(wait_s)
            self._end()

    def abandon(self) -> tuple[Entry, ...]:
        """Close without waiting and return the edits that are lost by it. Ask the person first."""
        if self._store is None:
            return ()
        lost = self._store.abandon()
        self._end()
        return lost

    def _end(self) -> None:
        for stop in self._stops:
            stop()
        if self._safekeeping is not None:
            self._safekeeping.close()
        if self._searching is not None:
            self._searching.stop()
        self._store = self._history = self._safekeeping = self._searching = None
        self._stops = []
        for job in self._jobs:
            job.cancel()
        self._jobs = []
        self._fits_under_way.clear()
        self._send(StudioEvent(What.CLOSED))

    def quit(self) -> None:
        """Close the project (as `close`) and stop all threads and processes."""
        self.close()
        with self._lanes_lock:
            for lane in (self._batches, self._worker, self._threads):
                if lane is not None:
                    lane.close()
            self._batches = self._worker = self._threads = None

    @property
    def is_open(self) -> bool:
        return self._store is not None

    @property
    def folder(self) -> Path | None:
        return self._store.folder if self._store else None

    @property
    def project(self) -> Project:
        """Return the present state: an immutable value. An empty project when none is open."""
        return self._history.project if self._history else Project()

    @property
    def history(self) -> History:
        return self._opened()[1]

    @property
    def safekeeping(self) -> Safekeeping:
        """Return the checkpoints and backups of the open project; KnownError when none is open."""
        if self._safekeeping is None:
            raise KnownError("No project is open.", "Open one, or make a new one.")
        return self._safekeeping

    @property
    def read_only_reason(self) -> str:
        """Return why nothing can be changed, for people; empty when the project can be edited."""
        return self._store.read_only_reason if self._store else ""

    @property
    def can_take_over(self) -> bool:
        """Tell whether it is read-only only because another window has it: `open(folder, take_over=True)`
        helps.
        """
        return self._store is not None and self._store.is_held_elsewhere

    @property
    def save_state(self) -> SaveState:
        return self._store.state if self._store else SaveState(Saving.SAVED)

    def save_now(self) -> None:
        """Try again at once what could not be saved, instead of in a few seconds."""
        if self._store:
            self._store.retry_now()

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

    def _opened(self) -> tuple[Store, History]:
        if self._store is None or self._history is None:
            raise KnownError("No project is open.", "Open one, or make a new one.")
        return self._store, self._history

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
        self._opened()
        assert self._searching is not None
        return self._searching

    def start_searching(self, when_ready: Callable[[], None]) -> None:
        """Make the index of the photos in the background; `when_ready` is called as events are."""
        self.searching.start(lambda: self._deliver(when_ready), at_once=self._run_inline)

    def _has_stale_fit(self, person_id: str) -> bool:
        fit = self.fit_of(person_id)
        return fit is not None and self.is_stale(fit)

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
        for path in self._places_of(photo):
            if path.is_file():
                return path
        name = Path(photo.path).name
        hint = "Connect its drive, put it back, or say where it is (Locate photo). The annotations are safe."
        raise KnownError(f"The photo {name} is not at {self._places_of(photo)[0]} any more.", hint)

    def _places_of(self, photo: Photo) -> list[Path]:
        store = self._opened()[0]
        path = Path(photo.path)
        places = [self._located[photo.sha256]] if photo.sha256 in self._located else []
        if not path.is_absolute():
            return [*places, store.folder / path]
        places.append(path)
        for then in reversed(store.folders_then):  # the project and its photos may have moved together
            with contextlib.suppress(ValueError):  # another drive
                places.append(Path(os.path.normpath(store.folder / os.path.relpath(path, then))))
        return places

    def photo_pixels(self, photo: Photo) -> np.ndarray:
        """Read the photo, (H, W, 3) uint8 RGB upright; KnownError when it is gone, changed or unreadable.

        Slow (a decode): call it in a job or a thread of your own.
        """
        from limbstudio.images import open_photo  # here: the window's first picture does not wait for it

        path = self.photo_path(photo)
        loaded = open_photo(path)
        _must_be_same(path, loaded.sha256, photo)
        return loaded.pixels

    def photo_draft(self, photo: Photo) -> np.ndarray | None:
        """Read a small copy of the photo as `photo_pixels` does, in a third of the time; None where there is no such
        way.
        """
        from limbstudio.images import open_draft

        path = self.photo_path(photo)
        draft = open_draft(path)
        if draft is None:
            return None
        _must_be_same(path, draft.sha256, photo)
        return draft.pixels

    def thumbnail(self, photo: Photo) -> np.ndarray:
        """Return the photo's thumbnail, (H, W, 3) uint8 RGB; KnownError as of `photo_pixels`. Slow the first time."""
        self.photo_path(photo)  # a photo that is away is said to be away, also when its thumbnail is kept

        def read() -> np.ndarray:
            draft = self.photo_draft(photo)
            return self.photo_pixels(photo) if draft is None else draft

        return thumbnails.thumbnail(photo.sha256, read)

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
        folder = self._opened()[0].folder.absolute()
        path = path.absolute()
        return path.relative_to(folder).as_posix() if path.is_relative_to(folder) else str(path)

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
        if pipeline.file_hash(path) != photo.sha256:
            raise KnownError(
                f"{path.name} is not that photo: its content is another.", "Choose the original file."
            )
        lost = [p for p in self.photos if not any(place.is_file() for place in self._places_of(p))]
        found = photo_files.moved_with(photo, path, lost) | {photo.sha256: path}
        self._located.update(found)
        before = [self.photo(sha256) for sha256 in found]
        after = [replace(p, path=self.stored_path(found[p.sha256])) for p in before]
        if not self.read_only_reason:
            changes = tuple(
                Change(("photo", was.sha256), was, now) for was, now in zip(before, after, strict=True)
            )
            self.do(Edit("Locate photo", changes, None, photo.sha256, human=False))
        return tuple(after)

    def collect_photos(self) -> Job:
        """Copy the photos that lie elsewhere into the project; the job's result is a `CollectReport`."""
        self._writable()
        return self.run(lambda context: photo_files.collect_photos(self, context), title="Collect photos")

    def adopt_changed(self, photo: Photo) -> Job:
        """Go on with what the photo's file holds now; its people are kept. The job's result is the new record."""
        self._writable()

        def load(path: Path) -> Photo:
            from limbstudio.images import open_photo  # here: brings the picture readers

            read = open_photo(path)
            return Photo(read.sha256, read.width, read.height, photo.path, read.focal_exif_px)

        return self.run(
            lambda context: photo_files.adopt_changed(self, photo, load), title="Accept the changed photo"
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
        job = self._note(self.start_fit(person_id, mode=mode, seed=seed, body_file=body_file))
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
        asked, devices = asked_of(self.project, person_id), devices_of(self.project, person)
        work = pipeline.FitWork(person, photo, mode, seed, body_file, store.folder.absolute(), asked, devices)
        request = pipeline.fit_request(work)
        under_way = self._fits_under_way.get(request.hash)
        if under_way is not None and not under_way.state.has_ended and not under_way.was_cancelled:
            return under_way
        title = f"Fit a person in {Path(photo.path).name}"
        known = self.project.records.get(("fit", store.result(request.hash) or ""))
        if known is not None:
            note = None if quietly else self._note
            job = InlineLane(note).submit(lambda context: known, title=title, photo=photo.sha256)
            fitting.choose(history, known, work.folder)
            return job
        lane = InlineLane() if quietly and self._run_inline else self._worker_lane()
        job = lane.submit(
            pipeline.run_fit,
            work,
            title=title,
            photo=photo.sha256,
            finish=lambda answer: fitting.keep(store, history, work, request, answer),
        )
        self._fits_under_way[request.hash] = job
        return job

    def fit_people(self, photos: Sequence[str] | None, *, title: str) -> Job:
        """Fit all people of these photos (None: of all unfinished ones) who are annotated and have no fresh fit.

        Fits that a human chose and accepted people are left alone. The job's result is a `BatchReport`.
        """
        self._writable()
        with self._lanes_lock:
            if self._batches is None:
                self._batches = InlineLane(self._note) if self._run_inline else ThreadLane(1)
        job = self._batches.submit(lambda context: batch_fits.fit_people(self, context, photos), title=title)
        return self._note(job, lambda: self.fit_people(photos, title=title))

    def keep_blobs(self, work: pipeline.FitWork, answer: pipeline.FitAnswer) -> KeptFit:
        """Write a computed fit's arrays and return its record, which no edit has made part of the project yet."""
        return fitting.kept(self._writable()[0], work, pipeline.fit_request(work), answer)

    def fit_of(self, person_id: str) -> KeptFit | None:
        """Return the chosen fit of a person, fresh or stale."""
        chosen = self.project.records.get(("chosen_fit", person_id))
        return self.project.records.get(("fit", chosen.fit)) if chosen else None

    def fits_of(self, person_id: str) -> tuple[KeptFit, ...]:
        """Return all fits of a person, oldest first."""
        person = self.project.records.get(("person", person_id))
        found = self.project.records.of_photo("fit", person.photo) if person is not None else ()
        return tuple(fit for fit in found if fit.person == person_id)

    def is_stale(self, fit: KeptFit) -> bool:
        """Tell whether the person or the photo has changed since the fit was made (or is gone)."""
        store, history = self._opened()
        found = history.project.records
        person, photo = found.get(("person", fit.person)), found.get(("photo", fit.photo))
        if person is None or photo is None:
            return True
        asked, devices = asked_of(history.project, fit.person), devices_of(history.project, person)
        folder = store.folder.absolute()
        return pipeline.inputs_hash(person, photo, folder, asked, devices) != fit.inputs_hash

    def choose_fit(self, fit: KeptFit) -> None:
        """Make a candidate the chosen fit: a human edit, which machine results respect."""
        key = ("chosen_fit", fit.person)
        choice = ChosenFit(fit.person, fit.photo, fit.id, by_human=True)
        change = Change(key, self.project.records.get(key), choice)
        self.do(Edit("Choose fit", (change,), None, fit.photo))

    def body_mesh(self, fit: KeptFit) -> Mesh | None:
        """Return the mesh in the camera frame (x right, y down, z forward), metres."""
        return self._mesh(fit.body)

    def tpose_mesh(self, fit: KeptFit) -> Mesh | None:
        """Return the mesh at rest (y up, z forward, pelvis at the origin), metres."""
        return self._mesh(fit.tpose)

    def _mesh(self, reference: MeshReference | None) -> Mesh | None:
        if reference is None:
            return None
        store = self._opened()[0]
        arrays = (reference.vertices, reference.faces, reference.residual, reference.parts)
        return Mesh(*(array_from_bytes(store.read_blob(name)) for name in arrays))

    # ------------------------------------------------------------------------------------------- jobs, export

    @property
    def jobs(self) -> tuple[Job, ...]:
        """Return the jobs of this project since it was opened, oldest first; of those that ended, the newest."""
        return tuple(self._jobs)

    def run(
        self, function: Callable[..., Any], *arguments: object, title: str, photo: str | None = None
    ) -> Job:
        """Run `function(context, *arguments)` in the thread lane: for slow things that are no stage."""
        job = self._thread_lane().submit(function, *arguments, title=title, photo=photo)
        return self._note(job, lambda: self.run(function, *arguments, title=title, photo=photo))

    def export_annotations(self, path: Path, photos: Sequence[str] | None = None) -> Job:
        """Write COCO-25 with `limbstudio` blocks for all photos or the named ones, from the records of this
        moment.

        Masks are written beside it; corrections of residual limbs are in the blocks. The job's result is the path.
        """
        project = self.project  # of this moment; what follows takes long in a large one

        def write(context: Context) -> Path:
            chosen = self._with_paths(project, photos)
            masks = {p.id: mask_as_png(self, p) for _, people in chosen for p in people if p.mask_file}
            layers = {p.id: layers_as_png(self, p) for _, people in chosen for p in people}
            corrected = {p.id: all_corrections(project.records, p.id) for _, people in chosen for p in people}
            return handing_over.write_coco(context, path, chosen, masks, layers, corrected)

        return self.run(write, title=f"Export {path.name}")

    def export_plugin(self, name: str, path: Path, photos: Sequence[str] | None = None) -> Job:
        """Write annotations through the exporter plugin of that entry point name; the job's result is the
        path.
        """
        project = self.project
        return self.run(
            lambda context: handing_over.write_by_plugin(
                context, name, path, self._with_paths(project, photos)
            ),
            title=f"Export {path.name}",
        )

    def export_reconstructions(self, folder: Path, people: Sequence[str] | None = None) -> Job:
        """Write the chosen fits, as they were corrected, a folder per person, as `limbstudio reconstruct` does.

        people: ids; all who have a fit when None. The job's result is an `ExportReport`: folders, and what
        was refused.
        """
        everybody = self.project.records.shelf("person").ids() if people is None else people
        fitted = [
            name for name in everybody if people is not None or ("chosen_fit", name) in self.project.records
        ]
        chosen = [
            p for p in map(self.project.records.get, (("person", name) for name in fitted)) if p is not None
        ]
        works, refused = [], []
        for person in chosen:
            fit = self.fit_of(person.id)
            photo = self.photo(person.photo)
            if fit is None or fit.body is None or fit.tpose is None:
                if people is not None:
                    error = KnownError("There is no fit of this person yet.", "Fit the person first.")
                    refused.append((f"{Path(photo.path).name}, person {person.id}", error))
                continue
            mesh, tpose = self.body_mesh(fit), self.tpose_mesh(fit)
            assert mesh is not None
            assert tpose is not None
            answer = pipeline.FitAnswer(
                fit.fit,
                mesh.vertices,
                tpose.vertices,
                mesh.faces,
                mesh.residual,
                mesh.parts,
                fit.stumps,
                dict(facts_of(fit)),
            )
            works.append(
                handing_over.Reconstructed(
                    person,
                    photo,
                    fit.inputs_hash,
                    answer,
                    self.is_stale(fit),
                    devices_of(self.project, person),
                    all_corrections(self.project.records, person.id),
                )
            )
        pixels = {work.photo.sha256: partial(self.photo_pixels, work.photo) for work in works}
        project = self._opened()[0].folder.absolute()
        return self.run(
            handing_over.write_reconstructions, folder, works, refused, pixels, project, title="Export meshes"
        )

    def _with_paths(
        self, project: Project, photos: Sequence[str] | None
    ) -> list[tuple[Photo, tuple[Person, ...]]]:
        """Return photos with the paths where they lie now, and their people."""
        found = []
        chosen = None if photos is None else set(photos)
        for photo in project.photos:
            if chosen is None or photo.sha256 in chosen:
                place = next((p for p in self._places_of(photo) if p.is_file()), Path(photo.path))
                found.append((replace(photo, path=str(place)), project.people_in(photo.sha256)))
        return found

    def look_at(self, photo: str | None) -> None:
        """Say which photo is in view: its jobs go first."""
        self.photo_in_view = photo
        for lane in (self._worker, self._threads):
            if isinstance(lane, ThreadLane | ProcessLane):
                lane.put_first(photo)

    def hold_batches(self, held: bool) -> None:
        """Let background work rest while a person drags something that must follow, or go on."""
        for lane in (self._worker, self._threads):
            if isinstance(lane, ThreadLane | ProcessLane):
                lane.hold(held)

    def compute(
        self, function: Callable[..., Any], *arguments: object, title: str, photo: str, finish: Finish = None
    ) -> Job:
        """Run `function(context, *arguments)` in the worker's process; all must be picklable.

        finish: makes the job's result of what came back, in this process.
        """
        job = self._worker_lane().submit(function, *arguments, title=title, photo=photo, finish=finish)
        return self._note(
            job, lambda: self.compute(function, *arguments, title=title, photo=photo, finish=finish)
        )

    def warm_up(self) -> None:
        """Start the worker's process now, so that the first fit does not wait for it. Returns at once."""
        self._worker_lane()

    @property
    def device(self) -> str:
        """Return what models run on, in words; empty until the worker's process has said it."""
        return self._worker.device if isinstance(self._worker, ProcessLane) else ""

    def forget_jobs(self, ended: Sequence[Job]) -> None:
        """Let go of jobs that have ended, and of their results."""
        self._jobs = [job for job in self._jobs if job not in ended or not job.state.has_ended]

    def _note(self, job: Job, again: Callable[[], Job] | None = None) -> Job:
        job.again = again or job.again
        if job not in self._jobs:
            self.forget_jobs([old for old in self._jobs if old.state.has_ended][:-_KEPT_JOBS])
            self._jobs.append(job)
            self._send(StudioEvent(What.JOB, job=job))
        return job

    def _thread_lane(self) -> InlineLane | ThreadLane:
        with self._lanes_lock:
            if self._threads is None:
                self._threads = InlineLane(self._note) if self._run_inline else ThreadLane()
            return self._threads

    def _worker_lane(self) -> InlineLane | ProcessLane:
        with self._lanes_lock:
            if self._worker is None:
                inline = self._run_inline
                self._worker = InlineLane(self._note) if inline else self._new_worker()
            return self._worker

    @staticmethod
    def _new_worker() -> ProcessLane:
        return ProcessLane(warm_up=pipeline.warm_up, most_memory=machine.most_for_worker())

    def _writable(self) -> tuple[Store, History]:
        store, history = self._opened()
        if store.read_only_reason:
            raise KnownError(store.read_only_reason, store.state.hint)
        return store, history


def facts_of(fit: KeptFit) -> Mapping[str, Any]:
    """Return what was counted on the fit's mesh: `mesh`, `timings_s` and `warnings`."""
    return json.loads(fit.facts) if fit.facts else {}


def _must_be_same(path: Path, sha256: str, photo: Photo) -> None:
    if sha256 != photo.sha256:
        hint = "Put the original back, or accept the changed file (File menu)."
        raise photo_files.PhotoChanged(
            f"{path.name} is not the file any more that was annotated: its content changed.", hint
        )


def _call(function: Callable[[], None]) -> None:
    function()
