"""How fast a project is: commits beside bare SQLite, and edits, undo, next and searches beside a small project."""

import os
import sqlite3
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import replace
from pathlib import Path

import numpy as np

from limbstudio.domain import edits
from limbstudio.domain.edits import Edit
from limbstudio.domain.photo import Person
from limbstudio.services import records
from limbstudio.services.studio import Studio

SEARCHES = (
    "state:ready", "limb:transtibial side:left", "is:predicted -has:mask", "annotator:me", "score<0.5",
    'note:"scar"', "name:IMG_499", "is:unfinished people>0 OR state:accepted", "scar", "is:empty",
)  # fmt: skip
_WARM_UP = 20


def p50(values: Sequence[float]) -> float:
    return float(np.median(values))


def p95(values: Sequence[float]) -> float:
    return float(np.percentile(values, 95))


def in_ms(action: Callable[[], object]) -> float:
    """Return how long `action` took, ms."""
    began = time.perf_counter()
    action()
    return (time.perf_counter() - began) * 1000


def measure_commits(folder: Path, number: int = 300) -> dict[str, float]:
    """Time edits until they are on the disk, in turn with bare inserts of the same bytes with the same settings.

    folder: a project with people; its disk is what is measured.
    """
    studio = Studio(who="bench")
    studio.open(folder)
    bare = sqlite3.connect(folder.parent / "bare.sqlite", isolation_level=None)
    ours, theirs = [], []
    try:
        bare.execute("PRAGMA journal_mode=WAL")
        bare.execute("PRAGMA synchronous=FULL")
        bare.execute("CREATE TABLE IF NOT EXISTS journal (n INTEGER PRIMARY KEY, body TEXT NOT NULL)")
        person = _people(studio, 1)[0]
        for n in range(number + _WARM_UP):
            edit = nudge(studio, person, n)
            after = records.encode("person", edit.changes[0].after)
            before = records.encode("person", edit.changes[0].before)

            def commit(edit: Edit = edit) -> None:
                studio.do(edit)
                saved = studio.history.last_saved
                assert saved is not None
                saved.result(60)

            ours.append(in_ms(commit))
            # An entry of the journal holds the record before and after, its row the record after.
            text = before + after + after
            theirs.append(
                in_ms(lambda text=text: bare.execute("INSERT INTO journal (body) VALUES (?)", (text,)))
            )
    finally:
        bare.close()
        studio.quit()
    ours, theirs = ours[_WARM_UP:], theirs[_WARM_UP:]
    return {
        "commit_median_ms": p50(ours),
        "commit_p95_ms": p95(ours),
        "bare_sqlite_median_ms": p50(theirs),
        "bare_sqlite_p95_ms": p95(theirs),
        "ratio_median": p50(ours) / p50(theirs),
        "ratio_p95": p95(ours) / p95(theirs),
    }


def nudge(studio: Studio, person_id: str, n: int) -> Edit:
    """Return the edit that moves one of a person's points a little; no two of them become one."""
    person = studio.person(person_id)
    x = person.keypoints.points[5].x or 0.0
    return replace(edits.place_point(person, 5, x % 3000 + 1.5, 200.0 + n % 7), merge_key=None)


def _people(studio: Studio, number: int) -> list[str]:
    """Return the ids of some people, from all over the project."""
    shelf = studio.project.records.shelf("person")
    step = max(1, len(shelf) // number)
    return [shelf.id_at(place) for place in range(0, len(shelf), step)][:number]


def compare_sizes(small: Path, large: Path, rounds: int = 120) -> dict[str, dict[str, float]]:
    """Time what a hand does in a small and in a large project, in turn; ratios are of the large to the small."""
    studios = [Studio(who="bench"), Studio(who="bench")]
    try:
        for studio, folder in zip(studios, (small, large), strict=True):
            studio.open(folder)
            studio.searching.photos("is:empty")  # makes the index
        people = [_people(studio, rounds) for studio in studios]
        taken: dict[str, tuple[list[float], list[float]]] = {}
        for n in range(rounds):
            for which, studio in enumerate(studios):
                names = people[which]
                for name, ms in _hand(studio, names[n % len(names)], n).items():
                    taken.setdefault(name, ([], []))[which].append(ms)
                _until_saved(studio.history.last_saved)
    finally:
        for studio in studios:
            studio.quit()
    return {name: _beside(small_ms, large_ms) for name, (small_ms, large_ms) in taken.items()}


def _hand(studio: Studio, person_id: str, n: int) -> dict[str, float]:
    person: Person = studio.person(person_id)
    edit = nudge(studio, person_id, n)
    photos = studio.photos
    place = photos.place_of(person.photo)
    return {
        "edit": in_ms(lambda: studio.do(edit)),
        "undo": in_ms(lambda: studio.undo(person.photo)),
        "redo": in_ms(lambda: studio.redo(person.photo)),
        "next": in_ms(lambda: photos.get(photos.id_at(min(place + 1, len(photos) - 1)))),
        "next_unfinished": in_ms(lambda: studio.searching.step("is:unfinished", person.photo, 1)),
        "next_predicted": in_ms(lambda: studio.searching.step("is:predicted", person.photo, 1)),
    }


def _until_saved(saved: "Future[None] | None") -> None:
    if saved is not None:
        saved.result(60)


def _beside(small: list[float], large: list[float]) -> dict[str, float]:
    return {
        "small_median_ms": p50(small),
        "large_median_ms": p50(large),
        "large_p95_ms": p95(large),
        "ratio_median": p50(large) / p50(small),
    }


def measure_searches(folder: Path, rounds: int = 5) -> dict[str, float | str]:
    """Time searches of all kinds; the index is there."""
    studio = Studio(who="bench")
    studio.open(folder)
    try:
        index_ms = in_ms(lambda: studio.searching.photos("is:empty"))
        taken = {query: [] for query in SEARCHES}
        for _ in range(rounds):
            for query, ms in taken.items():
                ms.append(in_ms(lambda query=query: studio.searching.photos(query)))
    finally:
        studio.quit()
    slowest = max(taken, key=lambda query: p50(taken[query]))
    every = [ms for found in taken.values() for ms in found]
    return {
        "index_made_ms": index_ms,
        "median_ms": p50(every),
        "p95_ms": p95(every),
        "slowest": slowest,
        "slowest_median_ms": p50(taken[slowest]),
    }


def drop_page_cache(*folders: Path) -> str:
    """Let the disk's cache forget; return what was forgotten, in words."""
    os.sync()
    try:
        Path("/proc/sys/vm/drop_caches").write_text("3")
    except OSError:
        for path in (path for folder in folders for path in folder.rglob("*") if path.is_file()):
            with path.open("rb") as file:
                if hasattr(os, "posix_fadvise"):
                    os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
        return "the project's files"
    return "the whole page cache"
