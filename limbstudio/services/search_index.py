"""An index of a project's photos and people: columns of numbers that a search compares all at once.

A row is a person, or a photo without people. A limb's condition is answered for four limbs a row, so that
`limb:transtibial side:left` speaks of one limb, and `limb:transtibial posture:sitting` of one person.
"""

import fnmatch
import json
import re
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np

from limbstudio.domain.anatomy import Level
from limbstudio.domain.photo import Photo
from limbstudio.domain.progress import ORDER, PhotoState, state_of_photo
from limbstudio.domain.project import Project
from limbstudio.domain.record_map import Shelf
from limbstudio.domain.review import ReviewState, Verdict
from limbstudio.services.search_facts import (
    CAUSES,
    DEVICES,
    LEVELS,
    LIMBS,
    POSTURES,
    SOURCES,
    Flag,
    PersonFacts,
    facts_in,
    facts_of,
)
from limbstudio.services.search_grammar import RELATIONS, All, Not, Query, Term

_STATES = {state: n for n, state in enumerate(PhotoState)}
_FINISHED = [n for state, n in _STATES.items() if state.is_finished]
_INTACT = LEVELS[Level.INTACT.value]
_ARM = np.array([limb.is_arm for limb in LIMBS])
_LEFT = np.array([limb.side.value == "left" for limb in LIMBS])
_FIT, _NO_FIT = 1, 0
_PLACED = Flag.PLACED.value
_EMPTY = PersonFacts((_INTACT,) * 4, (0,) * 4, (0,) * 4, -1, -1, "", float("nan"), 0, "")

# The columns of a row: name, type, how many numbers.
_COLUMNS = (
    ("photo", np.int32, 1), ("person", np.bool_, 1), ("levels", np.int8, 4), ("causes", np.int8, 4),
    ("devices", np.int8, 4), ("posture", np.int8, 1), ("source", np.int8, 1), ("by", np.int32, 1),
    ("score", np.float32, 1), ("flags", np.int16, 1), ("fit", np.int8, 1), ("state", np.int8, 1),
)  # fmt: skip
_Row = tuple[object, ...]
_FIRST_BLOCK = 64  # photos that a step looks at first


class SearchIndex:
    """Columns over all photos of a project. Not safe for several threads: who shares it locks it.

    me: what `annotator:me` means. is_stale: tells whether the fit of a person (by id) is stale.
    """

    def __init__(self, me: str, is_stale: Callable[[str], bool] = lambda person: False) -> None:
        self._me = me
        self._is_stale = is_stale
        self._rows: dict[str, np.ndarray] = {
            name: np.zeros((0, width) if width > 1 else 0, kind) for name, kind, width in _COLUMNS
        }
        self._used = 0
        self._dead = 0
        self._notes: dict[int, str] = {}  # row -> note, for the few that have one
        self._ids: list[str] = []  # by row: the person's id
        self._rows_of: dict[int, tuple[int, ...]] = {}  # photo number -> its rows
        self._numbers: dict[str, int] = {}  # sha256 -> photo number, in order
        self._photos: list[str] = []
        self._names: list[str] = []
        self._photo_states = np.zeros(0, np.int8)
        self._bys: dict[str, int] = {"": 0}
        self._touched: dict[str, set[int]] = {}
        self._stale: dict[str, bool] = {}

    # ------------------------------------------------------------------------------------------------ filling

    def add_all(self, project: Project, *, pause: Callable[[], None] = lambda: None) -> None:
        """Take in every photo of a project. pause: called now and then."""
        rows: list[_Row] = []
        for count, sha256 in enumerate(project.photos.ids()):
            if not count % 100:
                pause()
            if sha256 not in self._numbers:
                rows += self._rows_for(project, sha256)
        self._append(rows)

    def update(self, project: Project, photos: Iterable[str]) -> None:
        """Bring some photos into line with the project; also those that came or went."""
        rows: list[_Row] = []
        for sha256 in dict.fromkeys(photos):
            number = self._numbers.get(sha256)
            if number is not None:
                gone = self._rows_of.pop(number, ())
                self._dead += len(gone)
                for row in gone:
                    self._rows["photo"][row] = -1
                    self._notes.pop(row, None)
                    self._stale.pop(self._ids[row], None)
            if project.records.shelf("photo").has(sha256):
                rows += self._rows_for(project, sha256)
            elif number is not None:
                del self._numbers[sha256]
        self._append(rows)
        if self._dead > 2000 and self._dead > self._used // 2:
            self._compact()

    def touch(self, photo: str, who: str) -> None:
        """Note that a person edited a photo."""
        number = self._numbers.get(photo)
        if number is not None:
            self._touched.setdefault(who, set()).add(number)

    def _rows_for(self, project: Project, sha256: str) -> list[_Row]:
        number = self._numbers.get(sha256)
        name, no_person = _photo_facts(project, sha256)
        if number is None:
            number = self._numbers[sha256] = len(self._photos)
            self._photos.append(sha256)
            self._names.append(name)
            if number >= len(self._photo_states):
                self._photo_states = np.resize(self._photo_states, max(64, 2 * number))
        self._names[number] = name
        records = project.records
        rows: list[_Row] = []
        states: list[ReviewState] = []
        people, verdicts = records.shelf("person"), records.shelf("verdict")
        for person in records.names_of_photo("person", sha256):
            facts = _person_facts(people, person)
            if facts is None:
                continue  # it cannot be read: who looks at it says so
            placed = facts.flags & _PLACED
            state, note = _verdict_facts(verdicts.stored(person))
            state = state or (ReviewState.IN_WORK if placed else ReviewState.NEW)
            note = f"{facts.note}\n{note}" if note else facts.note
            has_fit = ("chosen_fit", person) in records
            rows.append(self._row(number, person, facts, state, has_fit=has_fit, note=note.strip()))
            states.append(state)
        if not rows:
            rows.append(self._row(number, "", _EMPTY, None, has_fit=False, note=""))
        self._photo_states[number] = _STATES[state_of_photo(no_person=no_person, people=states)]
        return rows

    def _row(
        self,
        photo: int,
        person: str,
        facts: PersonFacts,
        state: ReviewState | None,
        *,
        has_fit: bool,
        note: str,
    ) -> _Row:
        by = self._bys.setdefault(facts.by, len(self._bys))
        return (
            photo, bool(person), facts.levels, facts.causes, facts.devices, facts.posture, facts.source, by,
            facts.score, facts.flags, _FIT if has_fit else _NO_FIT,
            -1 if state is None else ORDER.index(state), person, note,
        )  # fmt: skip

    def _append(self, rows: Sequence[_Row]) -> None:
        if not rows:
            return
        first, after = self._used, self._used + len(rows)
        if after > len(self._rows["photo"]):
            for name, column in self._rows.items():
                grown = np.zeros((max(64, after * 3 // 2), *column.shape[1:]), column.dtype)
                grown[: self._used] = column[: self._used]
                self._rows[name] = grown
        for n, (name, kind, _) in enumerate(_COLUMNS):
            self._rows[name][first:after] = np.array([row[n] for row in rows], kind)
        del self._ids[first:]
        for place, row in enumerate(rows, start=first):
            number, note = row[0], row[-1]
            assert isinstance(number, int)
            self._ids.append(str(row[-2]))
            self._rows_of[number] = (*self._rows_of.get(number, ()), place)
            if note:
                self._notes[place] = str(note)
        self._used = after

    def _compact(self) -> None:
        keep = np.flatnonzero(self._rows["photo"][: self._used] >= 0)
        place = {int(old): new for new, old in enumerate(keep)}
        self._rows = {name: column[keep] for name, column in self._rows.items()}
        self._ids = [self._ids[i] for i in keep]
        self._notes = {place[row]: note for row, note in self._notes.items()}
        self._rows_of = {n: tuple(place[r] for r in rows) for n, rows in self._rows_of.items()}
        self._used, self._dead = len(keep), 0

    # ---------------------------------------------------------------------------------------------- answering

    @property
    def count(self) -> int:
        return len(self._numbers)

    def search(self, query: Query | None) -> tuple[str, ...]:
        """Return the photos that a query asks for, in order."""
        return tuple(self._photos[n] for n in np.flatnonzero(self._found(query)))

    def _found(self, query: Query | None) -> np.ndarray:
        alive = self._alive_photos()
        return alive if query is None else alive & self._photos_where(self._answer(query))

    def step(self, query: Query | None, photo: str | None, step: int) -> str | None:
        """Return the next (+1) or previous (-1) photo that a query asks for, seen from `photo`."""
        here = self._numbers.get(photo or "", -1)
        size = _FIRST_BLOCK
        # Block by block from here: what is near is found as soon in a large project as in a small one.
        while True:
            first, last = (here + 1, here + 1 + size) if step > 0 else (here - size, here)
            first, last = max(first, 0), min(last, len(self._photos))
            if first >= last:
                return None
            part = self._part(first, last)
            found = np.flatnonzero(part._found(query))
            if len(found):
                return part._photos[found[0] if step > 0 else found[-1]]
            here = last - 1 if step > 0 else first
            size *= 4

    def _part(self, first: int, last: int) -> "SearchIndex":
        """Return an index of the photos from number `first` to before `last`."""
        numbers = range(first, last)
        rows = [row for number in numbers for row in self._rows_of.get(number, ())]
        part = SearchIndex(self._me, self._is_stale)
        part._rows = {name: column[rows] for name, column in self._rows.items()}
        part._rows["photo"] -= first
        part._used = len(rows)
        part._ids = [self._ids[row] for row in rows]
        part._notes = {place: self._notes[row] for place, row in enumerate(rows) if row in self._notes}
        part._photos, part._names = self._photos[first:last], self._names[first:last]
        part._photo_states = self._photo_states[first:last]
        part._bys, part._stale = self._bys, self._stale
        part._touched = {
            who: {n - first for n in numbers if n in all_} for who, all_ in self._touched.items()
        }
        return part

    def counts(self) -> dict[PhotoState, int]:
        """Return how many photos are in which state."""
        states = self._photo_states[: len(self._photos)][self._alive_photos()]
        numbers = np.bincount(states, minlength=len(_STATES))
        return {state: int(numbers[n]) for state, n in _STATES.items()}

    def state_of(self, photo: str) -> PhotoState | None:
        """Return a photo's state; None when it is not known."""
        number = self._numbers.get(photo)
        return None if number is None else tuple(PhotoState)[self._photo_states[number]]

    def _alive_photos(self) -> np.ndarray:
        alive = np.zeros(len(self._photos), bool)
        alive[self._column("photo")[self._column("photo") >= 0]] = True
        return alive

    def _column(self, name: str) -> np.ndarray:
        return self._rows[name][: self._used]

    def _photos_where(self, rows: np.ndarray) -> np.ndarray:
        """Return of which photos some row, (rows, 1 or 4) bool, holds: (photos,) bool."""
        photos = self._column("photo")
        found = np.zeros(len(self._photos), bool)
        found[photos[rows.any(axis=1) & (photos >= 0)]] = True
        return found

    def _rows_where(self, photos: np.ndarray) -> np.ndarray:
        """Return the rows of photos, (photos,) bool, as (rows, 1) bool."""
        return photos[self._column("photo")][:, None] if len(photos) else np.zeros((self._used, 1), bool)

    def _answer(self, query: Query) -> np.ndarray:
        """Return where a query holds, (rows, 4) bool, or (rows, 1) where limbs do not matter."""
        if isinstance(query, Term):
            return self._answer_term(query)
        if isinstance(query, Not):  # of the whole photo: none of its people is so
            return self._rows_where(~self._photos_where(self._answer(query.inner)))
        answers = [self._answer(inner) for inner in query.inner]
        whole = answers[0]
        for answer in answers[1:]:
            whole = whole & answer if isinstance(query, All) else whole | answer
        return whole

    def _answer_term(self, term: Term) -> np.ndarray:
        field, value = term.field, term.value
        limbs = self._answer_limb(field, value)
        if limbs is not None:
            return limbs & self._column("person")[:, None]
        if field == "posture":
            return (self._column("posture") == POSTURES[value])[:, None]
        if field == "score":
            with np.errstate(invalid="ignore"):
                score = self._column("score")
                return (RELATIONS[term.relation](score, term.number) & ~np.isnan(score))[:, None]  # type: ignore[operator]
        if field == "people":
            photos = self._column("photo")
            there = photos[(photos >= 0) & self._column("person")]
            counts = np.bincount(there, minlength=len(self._photos))
            return self._rows_where(np.asarray(RELATIONS[term.relation](counts, term.number)))  # type: ignore[arg-type]
        if field == "state":
            return self._rows_where(self._in_states([_STATES[PhotoState(value)]]))
        if field == "annotator":
            return self._answer_annotator(value)
        if field == "has":
            return self._answer_has(value)
        if field == "is":
            return self._answer_is(value)
        return self._answer_text(field, value)

    def _answer_limb(self, field: str, value: str) -> np.ndarray | None:
        levels = self._column("levels")
        different = levels != _INTACT
        if field == "side":
            return different & (_LEFT if value == "left" else ~_LEFT)
        if field == "cause":
            return different & (self._column("causes") == CAUSES[value])
        if field == "device":
            return different & (self._column("devices") == DEVICES[value])
        if field != "limb":
            return None
        if value == "any":
            return different
        if value in ("arm", "leg"):
            return different & (_ARM if value == "arm" else ~_ARM)
        if value == "intact":  # of the whole person
            return ~different.any(axis=1)[:, None]
        return levels == LEVELS[value]

    def _in_states(self, numbers: list[int]) -> np.ndarray:
        return np.isin(self._photo_states[: len(self._photos)], numbers)

    def _answer_annotator(self, value: str) -> np.ndarray:
        name = self._me.casefold() if value == "me" else value
        photos = np.zeros(len(self._photos), bool)
        for who, touched in self._touched.items():
            if who.casefold() == name:
                photos[list(touched)] = True
        numbers = [n for by, n in self._bys.items() if by and by.casefold() == name]
        return self._rows_where(photos) | np.isin(self._column("by"), numbers)[:, None]

    def _answer_has(self, value: str) -> np.ndarray:
        if value == "person":
            return self._column("person")[:, None]
        if value == "fit":
            return (self._column("fit") == _FIT)[:, None]
        if value == "note":
            return self._rows_with_note("")
        if value == "limb_difference":
            return (self._column("levels") != _INTACT) & self._column("person")[:, None]
        return ((self._column("flags") & Flag[value.upper()].value) > 0)[:, None]

    def _answer_is(self, value: str) -> np.ndarray:
        if value == "stale":
            return self._answer_stale()
        if value in SOURCES:
            return (self._column("source") == SOURCES[value])[:, None]
        if value == "empty":
            return self._rows_where(self._in_states([_STATES[PhotoState.NO_PERSON]]))
        finished = self._in_states(_FINISHED)
        return self._rows_where(finished if value == "finished" else ~finished)

    def _answer_stale(self) -> np.ndarray:
        found = np.zeros(self._used, bool)
        for row in np.flatnonzero((self._column("fit") == _FIT) & (self._column("photo") >= 0)):
            person = self._ids[row]
            if person not in self._stale:  # remembered until the photo changes
                self._stale[person] = self._is_stale(person)
            found[row] = self._stale[person]
        return found[:, None]

    def _answer_text(self, field: str, value: str) -> np.ndarray:
        if field == "note":
            return self._rows_with_note(value)
        if any(c in value for c in "*?"):
            match = fnmatch.filter(set(self._names), f"*{value}*")
            known = set(match)
            names = np.fromiter((name in known for name in self._names), bool, len(self._names))
        else:
            names = np.fromiter((value in name for name in self._names), bool, len(self._names))
        found = self._rows_where(names)
        return found if field == "name" else found | self._rows_with_note(value)

    def _rows_with_note(self, value: str) -> np.ndarray:
        found = np.zeros(self._used, bool)
        found[[row for row, note in self._notes.items() if value in note]] = True
        return found[:, None]


def _person_facts(people: Shelf, name: str) -> PersonFacts | None:
    stored: Any = people.stored(name)
    if isinstance(stored, str):
        try:
            return facts_in(stored)
        except (ValueError, KeyError, TypeError):  # of an older version: read all of it
            stored = people.get(name)
    return None if stored is None else facts_of(stored)


_PATH = re.compile(r'"no_person":(true|false),"path":"([^"\\]*)"')


def _photo_facts(project: Project, sha256: str) -> tuple[str, bool]:
    """Return a photo's file name, in small letters, and whether "no person" was confirmed."""
    stored = project.photos.stored(sha256)
    if isinstance(stored, Photo):
        path, no_person = stored.path, stored.no_person
    elif found := _PATH.search(stored or ""):
        path, no_person = found[2], found[1] == "true"
    else:  # a path with characters that JSON escapes
        try:
            plain = json.loads(stored or "")
            path, no_person = str(plain["path"]), bool(plain.get("no_person"))
        except (ValueError, KeyError, TypeError):
            return "", False
    return path.replace("\\", "/").rsplit("/", 1)[-1].casefold(), no_person


def _verdict_facts(stored: object) -> tuple[ReviewState | None, str]:
    """Return the state that a verdict, its text or None gives a person, and its note in small letters."""
    if isinstance(stored, Verdict):
        return stored.state, stored.note.casefold()
    if not isinstance(stored, str):
        return None, ""
    try:
        plain = json.loads(stored)
        return ReviewState(plain["state"]), str(plain["note"]).casefold()
    except (ValueError, KeyError, TypeError):
        return None, ""
