"""Large projects made up for measuring: thousands of photos, half of them with a person of 25 points."""

import random
import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from limbstudio.domain.anatomy import Cause, KeypointState, Level, Limb, LimbState, intact_limbs
from limbstudio.domain.geometry import Box, Keypoints, Point
from limbstudio.domain.photo import Person, Photo
from limbstudio.domain.provenance import Provenance, Source
from limbstudio.domain.review import ReviewState, Verdict
from limbstudio.services import records
from limbstudio.services.project_file import FILE_NAME
from limbstudio.services.store import Store

_PHOTOS_PER_ENTRY = 20  # as an import records them
_LEVELS = (Level.TRANSTIBIAL, Level.TRANSFEMORAL, Level.KNEE_DISARTICULATION, Level.INTACT)
_FROM = datetime(2026, 1, 1, tzinfo=UTC).isoformat()


@dataclass(frozen=True)
class MadeUp:
    """One photo and who is in it."""

    photo: Photo
    person: Person | None
    verdict: Verdict | None


def make_large_project(
    folder: Path,
    photos: int,
    *,
    files: Sequence[tuple[Path, str]] = (),
    size: tuple[int, int] = (4000, 3000),
    seed: int = 7,
) -> None:
    """Make a project of so many photos at `folder`; every second has one person with 25 points.

    files: (path, sha256) of real files; the first photos are these, the others lie nowhere. The journal has an entry
    for every 20 photos and two for every person, as work would have left them.
    """
    Store.create(folder, "Made up").close()
    connection = sqlite3.connect(folder / FILE_NAME, isolation_level=None)
    try:
        connection.execute("BEGIN")
        _fill(connection, list(_made_up(photos, files, size, seed)))
        connection.execute("COMMIT")
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    finally:
        connection.close()


def _made_up(
    number: int, files: Sequence[tuple[Path, str]], size: tuple[int, int], seed: int
) -> Iterator[MadeUp]:
    rng = random.Random(seed)
    for n in range(number):
        if n < len(files):
            path, sha256 = str(files[n][0]), files[n][1]
        else:
            path, sha256 = f"/photos/series {n // 500:03d}/IMG_{n:05d}.jpg", f"{rng.getrandbits(256):064x}"
        photo = Photo(sha256, *size, path)
        if n % 2:
            yield MadeUp(photo, None, None)
            continue
        person = _person(f"{sha256[:8]}-{n:x}", sha256, rng, n)
        state = (ReviewState.READY, ReviewState.ACCEPTED, None, None)[rng.randrange(4)]
        yield MadeUp(photo, person, None if state is None else Verdict(person.id, state))


def _person(name: str, photo: str, rng: random.Random, n: int) -> Person:
    states = (KeypointState.VISIBLE, KeypointState.OCCLUDED)
    points = tuple(
        Point(states[rng.random() < 0.2], round(rng.uniform(0, 4000), 2), round(rng.uniform(0, 3000), 2), 0.9)
        for _ in range(25)
    )
    limb = tuple(Limb)[2 + n // 2 % 2]
    limbs = {**intact_limbs(), limb: LimbState(rng.choice(_LEVELS), Cause.ACQUIRED)}
    source = Source.PREDICTED if rng.random() < 0.3 else Source.HUMAN
    person = Person(name, photo, Keypoints(points), limbs, Box(500, 200, 900, 2500))
    return replace(
        person, notes="Scar at the end" if n % 100 == 0 else "", provenance=Provenance(source, "Ann")
    )


def _fill(connection: sqlite3.Connection, made: list[MadeUp]) -> None:
    entries: list[tuple[object, ...]] = []
    changes: list[tuple[object, ...]] = []
    rows: list[tuple[object, ...]] = []

    def entry(label: str, photo: str | None, *, human: bool) -> int:
        number = len(entries) + 1
        entries.append((number, _FROM, "Ann", label, int(human), photo, "do", None, None, "made-up"))
        return number

    def add(number: int, place: int, kind: str, name: str, photo: str | None, value: object) -> None:
        text = records.encode(kind, value)
        rows.append((kind, name, photo, text, records.digest(text), number))
        changes.append((number, place, kind, name, photo, None, text))

    for first in range(0, len(made), _PHOTOS_PER_ENTRY):
        number = entry("Import photos", None, human=False)
        for place, item in enumerate(made[first : first + _PHOTOS_PER_ENTRY]):
            add(number, place, "photo", item.photo.sha256, item.photo.sha256, item.photo)
    for item in made:
        if item.person is not None:
            person = item.person
            number = entry("Add person", person.photo, human=True)
            add(number, 0, "person", person.id, person.photo, person)
            number = entry("Place points", person.photo, human=True)
            if item.verdict is not None:
                add(number, 0, "verdict", person.id, None, item.verdict)
    connection.executemany(
        "INSERT INTO journal (sequence, time, who, label, human, photo, kind, target, merge_key, session)"
        " VALUES (?,?,?,?,?,?,?,?,?,?)",
        entries,
    )
    connection.executemany(
        "INSERT INTO change (sequence, place, kind, id, photo, before, after) VALUES (?,?,?,?,?,?,?)", changes
    )
    connection.executemany(
        "INSERT INTO record (kind, id, photo, body, hash, sequence) VALUES (?,?,?,?,?,?)", rows
    )
