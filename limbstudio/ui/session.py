"""What the window looks at: an open studio, and which photo, person and point are selected in it."""

from bisect import bisect_left
from collections.abc import Callable, Sequence
from typing import TypeVar

from PySide6.QtCore import QEvent, QObject, QTimer, Signal
from PySide6.QtGui import QInputEvent
from PySide6.QtWidgets import QApplication

from limbstudio.domain.edits import Change, Edit
from limbstudio.domain.errors import KnownError
from limbstudio.domain.fitted import KeptFit
from limbstudio.domain.photo import Person, Photo
from limbstudio.domain.progress import PhotoState, state_of_person, state_of_photo
from limbstudio.domain.review import ReviewState, Verdict
from limbstudio.services.history import Entry
from limbstudio.services.jobs import Job
from limbstudio.services.studio import Studio, StudioEvent, What
from limbstudio.ui.bridge import Bridge

_T = TypeVar("_T")
_ACTS = (
    QEvent.Type.ShortcutOverride,
    QEvent.Type.KeyPress,
    QEvent.Type.MouseButtonPress,
    QEvent.Type.TouchBegin,
)


class Session(QObject):
    """Tell the panels what changed; hold the selection that they share.

    Signals:
        opened(), closed(): of the project.
        photos_changed(): photos were added or removed.
        shown_changed(): which photos are shown has changed; `shown` has their sha256, None for all.
        photo_selected(): another photo, or none, is in view.
        person_selected(): another person, or none, is in work.
        people_changed(object): a record of this photo changed; the history's `Entry`.
        settled(): all of what is said of a photo that was selected has been said; it may have been painted.
        fit_changed(): the fit of the person in work, or whether it is stale, may have changed.
        point_selected(int): LDPose index, -1 for none.
        saving_changed(object): a `SaveState`.
        job_started(object): a `Job`.
        said(str, str, bool): message, hint, whether it should stay until it is read.
    """

    opened = Signal()
    closed = Signal()
    photos_changed = Signal()
    shown_changed = Signal()
    photo_selected = Signal()
    person_selected = Signal()
    people_changed = Signal(object)
    fit_changed = Signal()
    settled = Signal()
    point_selected = Signal(int)
    saving_changed = Signal(object)
    job_started = Signal(object)
    said = Signal(str, str, bool)

    def __init__(self, studio: Studio, bridge: Bridge, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.studio = studio
        self.bridge = bridge
        self._photo: str | None = None
        self._person: str | None = None
        self._point: int | None = None
        self.shown: Sequence[str] | None = None
        # While another photo is being selected: who is told of all of it shows itself once, at the last signal.
        self.is_turning = False
        # The photo and its people are in view, what stands beside them follows: see `step_photo`.
        self.is_settling = False
        self._soon = QTimer(self, interval=0, singleShot=True)  # after what waits to be painted
        self._soon.timeout.connect(self.settle)
        self._stop_listening = studio.listen(self._on_event)

    # ---------------------------------------------------------------------------------------------- the selection

    @property
    def photo(self) -> Photo | None:
        if self._photo is None:
            return None
        return self.studio.project.records.get(("photo", self._photo))

    @property
    def people(self) -> tuple[Person, ...]:
        return self.studio.people_in(self._photo) if self._photo is not None else ()

    @property
    def person(self) -> Person | None:
        return next((p for p in self.people if p.id == self._person), None)

    @property
    def fit(self) -> KeptFit | None:
        """Return the chosen fit of the person in work."""
        return self.studio.fit_of(self._person) if self.person is not None and self._person else None

    @property
    def point(self) -> int | None:
        return self._point

    @property
    def can_edit(self) -> bool:
        return self.studio.is_open and not self.studio.read_only_reason

    def may_edit(self) -> bool:
        """Tell whether the project can be edited; where it cannot, say why: somebody just tried."""
        reason = self.studio.read_only_reason
        if reason:
            self.said.emit(reason, self.studio.save_state.hint, True)
        return self.can_edit

    @property
    def is_unsettled(self) -> bool:
        """Tell whether `fit_changed` is still to come for the photo that was turned to: who shows all of it waits."""
        return self.is_turning or self.is_settling

    def select_photo(self, sha256: str | None, *, settle_later: bool = False) -> None:
        """Look at a photo. settle_later: paint it first; `fit_changed` comes right after, or before the next key."""
        if sha256 == self._photo:
            return
        self._photo = sha256
        self.studio.look_at(sha256)
        people = self.people
        self._person = people[0].id if people else None
        self._point = None
        self.is_turning = self.is_settling = True
        if settle_later:
            self._application().installEventFilter(self)
            self._soon.start()
        try:
            self.photo_selected.emit()
            self.person_selected.emit()
            self.point_selected.emit(-1)
        finally:
            self.is_turning = False
        if not settle_later:
            self.settle()

    def step_photo(self, step: int) -> None:
        """Go to the next (+1) or previous (-1) photo of those that are shown; stay at the ends.

        Panels take as long to fill as the photo to paint: they follow when it is on the screen.
        """
        target = self.photo_beside(step)
        if target is not None:
            self.select_photo(target, settle_later=True)

    def settle(self) -> None:
        """Let everything follow that waits for the photo to be painted."""
        if self.is_settling:
            self.is_settling = False
            self._soon.stop()
            self._application().removeEventFilter(self)
            self.fit_changed.emit()
            self.settled.emit()

    def _application(self) -> QApplication:
        app = QApplication.instance()
        assert isinstance(app, QApplication)
        return app

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if isinstance(event, QInputEvent) and event.type() in _ACTS:
            self.settle()  # a key must find the actions of the photo that is seen
        return False

    def photo_beside(self, step: int) -> str | None:
        """Return the photo so many steps after (before) the one in view, or the last one there is that way."""
        photos = self.studio.photos
        here = photos.place_of(self._photo) if self._photo is not None else -1
        if self.shown is None:
            return photos.id_at(min(max(here + step, 0), len(photos) - 1)) if len(photos) else None
        if not self.shown:
            return None
        # The photo in view may have left what is shown by what was done to it: its place in the project counts.
        place = bisect_left(self.shown, here, key=photos.place_of)
        is_shown = place < len(self.shown) and self.shown[place] == self._photo
        target = place + step if step < 0 or is_shown else place + step - 1
        return self.shown[min(max(target, 0), len(self.shown) - 1)]

    def show_only(self, photos: Sequence[str] | None) -> None:
        """Show these photos only, in the project's order; None: all of them."""
        self.shown = photos
        self.shown_changed.emit()

    def select_person(self, person_id: str | None) -> None:
        if person_id == self._person:
            return
        self._person, self._point = person_id, None
        self.person_selected.emit()
        self.point_selected.emit(-1)
        self.fit_changed.emit()

    def step_person(self, step: int) -> None:
        ids = [p.id for p in self.people]
        if ids:
            at = ids.index(self._person) if self._person in ids else 0
            self.select_person(ids[(at + step) % len(ids)])

    def select_point(self, index: int | None) -> None:
        if index != self._point:
            self._point = index
            self.point_selected.emit(-1 if index is None else index)

    # ------------------------------------------------------------------------------------------------- the changes

    def do(self, edit: Edit) -> bool:
        """Apply an edit; what cannot be done is said in the message bar. Returns whether it was done."""
        return bool(self.attempt(lambda: self.studio.do(edit)))

    def undo(self) -> None:
        self.attempt(lambda: self.studio.undo(self._photo) or self.studio.undo(None))

    def redo(self) -> None:
        self.attempt(lambda: self.studio.redo(self._photo) or self.studio.redo(None))

    def attempt(self, action: Callable[[], _T]) -> _T | None:
        """Do `action`; a KnownError becomes a message and None."""
        try:
            return action()
        except KnownError as error:
            self.said.emit(error.message, error.hint, True)
            return None

    def start(self, action: Callable[[], Job]) -> Job | None:
        """Start a job; a refusal becomes a message."""
        return self.attempt(action)

    def close(self) -> None:
        self._soon.stop()
        self._application().removeEventFilter(self)
        self._stop_listening()

    # --------------------------------------------------------------------------------------------------- the review

    def review_of(self, person: Person) -> ReviewState:
        """Return how far a person's annotation has come: a verdict, else whether any point was placed."""
        return state_of_person(self.studio.project.records, person)

    def review_of_photo(self, photo: str) -> PhotoState:
        """Return the state of a photo: that of its least advanced person."""
        records = self.studio.project.records
        found = records.get(("photo", photo))
        people = [state_of_person(records, person) for person in self.studio.people_in(photo)]
        return state_of_photo(no_person=found is not None and found.no_person, people=people)

    def set_ready(self, person: Person, ready: bool) -> bool:
        """Mark a person ready, or take the mark back."""
        key = ("verdict", person.id)
        before = self.studio.project.records.get(key)
        after = Verdict(person.id, ReviewState.READY) if ready else None
        label = "Mark ready" if ready else "Back to work"
        return self.do(Edit(label, (Change(key, before, after),), None, person.photo))

    def begin(self) -> None:
        """Look at the first photo of the project that is open now."""
        self._photo = self._person = self._point = self.shown = None
        self.opened.emit()
        photos = self.studio.photos
        self.select_photo(photos.id_at(0) if photos else None)

    def _on_event(self, event: StudioEvent) -> None:
        if event.what is What.OPENED:
            self.begin()
        elif event.what is What.CLOSED:
            self.select_photo(None)
            self.closed.emit()
        elif event.what is What.EDITED and event.entry is not None:
            self._on_entry(event.entry)
        elif event.what is What.SAVE_STATE:
            self.saving_changed.emit(event.save)
        elif event.what is What.JOB:
            self.job_started.emit(event.job)
        elif event.what is What.MESSAGE:
            self.said.emit(event.message, event.hint, event.serious)

    def _on_entry(self, entry: Entry) -> None:
        kinds = {change.key[0] for change in entry.edit.changes}
        if any(c.key[0] == "photo" and None in (c.before, c.after) for c in entry.edit.changes):
            self.photos_changed.emit()
            photos = self.studio.photos
            if self._photo is None or not photos.has(self._photo):
                self.select_photo(photos.id_at(0) if photos else None)
        if "person" in kinds:
            ids = [p.id for p in self.people]
            if self._person not in ids:
                self._person = ids[-1] if ids else None
                self._point = None
                self.person_selected.emit()
                self.point_selected.emit(-1)
        self.people_changed.emit(entry)
        self.fit_changed.emit()
