"""Searching a project's photos: the index is made in a thread when the project is opened and follows every edit."""

import logging
import threading
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass

from limbstudio.domain.edits import Change, Edit
from limbstudio.domain.errors import KnownError
from limbstudio.domain.progress import PhotoState
from limbstudio.domain.project import Project
from limbstudio.domain.record_map import photo_of
from limbstudio.domain.saved_search import SavedSearch, forget_search, rename_search, save_search
from limbstudio.services.journal import Entry
from limbstudio.services.reading import ProjectClosed
from limbstudio.services.search_grammar import All, Query, parse
from limbstudio.services.search_index import SearchIndex

__all__ = ["LastEdit", "Progress", "Searching", "forget_search", "new_search", "rename_search"]

log = logging.getLogger(__name__)

_PAUSE_S = 0.0005  # between two handfuls of photos, so that the window gets its turn
_LINES_AT_ONCE = 5000

# Ask the project's file: SQL and its values -> rows.
Ask = Callable[[str, tuple[object, ...]], list[tuple[object, ...]]]


@dataclass(frozen=True)
class LastEdit:
    """Who changed something of a photo last. time: ISO, UTC."""

    time: str
    who: str


@dataclass(frozen=True)
class Progress:
    """How many photos of a project are in which state."""

    counts: dict[PhotoState, int]

    @property
    def total(self) -> int:
        return sum(self.counts.values())

    @property
    def finished(self) -> int:
        return sum(number for state, number in self.counts.items() if state.is_finished)


class _Stopped(Exception):
    """The project was closed while its photos were being indexed."""


class Searching:
    """Search the photos of an open project. Every method may be called from any thread.

    project: returns the present project. ask: asks the project's file for its journal. me: what `annotator:me`
    means. is_stale: tells whether the fit of a person is stale.
    """

    def __init__(
        self, project: Callable[[], Project], ask: Ask, *, me: str, is_stale: Callable[[str], bool]
    ) -> None:
        self._project = project
        self._ask = ask
        self._index = SearchIndex(me, is_stale)
        self._edits: dict[str, LastEdit] = {}
        self._lock = threading.RLock()
        self._building = threading.Lock()
        self._ready = threading.Event()
        self._over = threading.Event()
        self._waiting: list[Entry] = []

    # ------------------------------------------------------------------------------------------- being up to date

    @property
    def is_ready(self) -> bool:
        """Tell whether a search is answered at once."""
        return self._ready.is_set()

    def start(self, when_ready: Callable[[], None] = lambda: None, *, at_once: bool = False) -> None:
        """Make the index in a thread; `when_ready` is called in it. at_once: in the caller's thread."""

        def build() -> None:
            try:
                self._build(gently=not at_once)
            except (_Stopped, ProjectClosed):  # nobody will search it any more
                return
            except KnownError as error:  # the file went away: the next search tries again, and says so
                log.warning("The photos could not be indexed: %s", error.message)
            if self.is_ready and not self._over.is_set():
                when_ready()

        if at_once:
            build()
            return
        threading.Thread(target=build, name="search-index", daemon=True).start()

    def stop(self) -> None:
        """End the thread: the project is being closed."""
        self._over.set()

    def follow(self, entry: Entry) -> None:
        """Take in an edit that was just made."""
        with self._lock:
            if self._ready.is_set():
                self._take(entry)
            else:
                self._waiting.append(entry)

    def _take(self, entry: Entry) -> None:
        project = self._project()
        photos = [photo for change in entry.edit.changes for photo in _photos_of(project, change)]
        self._index.update(project, photos)
        if entry.photo is not None:
            self._note_edit(entry.photo, entry.who, entry.time, human=entry.human)

    def _note_edit(self, photo: str, who: str, when: str, *, human: bool) -> None:
        self._edits[photo] = LastEdit(when, who)
        if human:
            self._index.touch(photo, who)

    def _build(self, *, gently: bool = False) -> None:
        with self._building:
            if self._ready.is_set():
                return
            began = time.perf_counter()
            self._index.add_all(self._project(), pause=self._breathe if gently else lambda: None)
            if self._over.is_set():
                return
            last = self._read_journal(0)
            with self._lock:
                self._read_journal(last)
                for entry in self._waiting:
                    self._take(entry)
                self._waiting.clear()
                self._ready.set()
            log.info(
                "%d photos can be searched after %.2f s.", self._index.count, time.perf_counter() - began
            )

    def _breathe(self) -> None:
        if self._over.is_set():
            raise _Stopped
        time.sleep(_PAUSE_S)

    def _read_journal(self, last: int) -> int:
        """Read who edited which photo, from the entry after `last`; return the last one that was read."""
        query = "SELECT sequence, photo, who, time, human FROM journal WHERE sequence > ? ORDER BY sequence LIMIT ?"
        while not self._over.is_set():  # a handful at a time: others ask the file too
            rows = self._ask(query, (last, _LINES_AT_ONCE))
            for sequence, photo, who, when, human in rows:
                last = int(str(sequence))
                if photo is not None:
                    self._note_edit(str(photo), str(who), str(when), human=bool(human))
            if len(rows) < _LINES_AT_ONCE:
                break
        return last

    # -------------------------------------------------------------------------------------------------- answers

    def photos(self, text: str) -> tuple[str, ...]:
        """Return the sha256 of all photos that a search finds, in order; GrammarError when it is none.

        Waits for the index where it is not ready yet.
        """
        query = parse(text)
        self._build()
        with self._lock:
            return self._index.search(query)

    def step(self, text: str, photo: str | None, step: int, *, within: str = "") -> str | None:
        """Return the next (+1) or previous (-1) photo that a search finds, seen from `photo`; None at the end.

        within: another search that must find it too. Waits for the index where it is not ready yet.
        """
        queries = [query for query in (parse(text), parse(within)) if query is not None]
        both: Query | None = All(tuple(queries)) if queries else None
        self._build()
        with self._lock:
            return self._index.step(both, photo, step)

    def progress(self) -> Progress | None:
        """Return how far the project is; None while that is being counted."""
        if not self._ready.is_set():
            return None
        with self._lock:
            return Progress(self._index.counts())

    def state_of(self, photo: str) -> PhotoState | None:
        """Return a photo's state; None while that is being counted."""
        if not self._ready.is_set():
            return None
        with self._lock:
            return self._index.state_of(photo)

    def last_edit(self, photo: str) -> LastEdit | None:
        """Return who changed something of a photo last; None when nobody did, or that is not known yet."""
        return self._edits.get(photo)


def new_search(name: str, query: str) -> Edit:
    """Make the edit that keeps a search under a name; GrammarError when it is none."""
    parse(query)
    return save_search(SavedSearch(uuid.uuid4().hex[:12], name.strip(), query.strip()))


def _photos_of(project: Project, change: Change) -> list[str]:
    """Return the photos that a change concerns: the one a record names, else that of its person."""
    found = []
    for record in (change.before, change.after):
        photo = photo_of(change.key[0], record)
        if photo is None and isinstance(person := getattr(record, "person", None), str):
            photo = photo_of("person", project.records.get(("person", person)))
        if photo is not None:
            found.append(photo)
    return found
