"""A project's records: every version stays as it was, whatever later ones become."""

import random
from dataclasses import dataclass, replace
from time import perf_counter

import pytest

from limbstudio.domain.edits import Change, Edit, add_person, delete_person
from limbstudio.domain.errors import KnownError
from limbstudio.domain.photo import Person, Photo
from limbstudio.domain.project import Project
from limbstudio.domain.record_map import RecordMap


@dataclass(frozen=True)
class Note:
    name: str
    photo: str | None
    words: str


def test_every_version_equals_a_plain_dictionary_that_was_changed_alike():
    rng = random.Random(3)
    records, plain = RecordMap(), {}
    versions = [(records, dict(plain))]

    for _ in range(3000):
        name = str(rng.randrange(400))
        key = ("note", name)
        before = plain.get(key)
        after = (
            None if before and rng.random() < 0.4 else Note(name, str(rng.randrange(20)), str(rng.random()))
        )
        records = records.changed([(key, before, after)])
        if after is None:
            plain.pop(key)
        else:
            plain[key] = after
        if rng.random() < 0.02:
            versions.append((records, dict(plain)))

    for version, expected in versions:
        assert version == expected
        assert len(version) == len(expected)
        shelf = version.shelf("note")
        assert list(shelf) == list(expected.values())
        assert [shelf.place_of(name) for _, name in expected] == list(range(len(expected)))
        assert [shelf.id_at(i) for i in range(len(shelf))] == [name for _, name in expected]
        for photo in map(str, range(20)):
            of_photo = version.of_photo("note", photo)
            assert sorted(of_photo, key=str) == sorted(
                (n for n in expected.values() if n.photo == photo), key=str
            )


def test_photos_keep_their_order_and_a_photo_that_comes_back_comes_last():
    photos = [Photo(f"{n:064d}", 4, 3, f"{n}.jpg") for n in range(1200)]
    project = Project("p", RecordMap({("photo", p.sha256): p for p in photos}))
    gone = Edit("Remove photo", (Change(("photo", photos[600].sha256), photos[600], None),))
    without = project.applied(gone)

    back = without.applied(gone.inverse)

    assert [p.path for p in without.photos] == [p.path for p in photos if p is not photos[600]]
    assert without.photos.place_of(photos[600].sha256) == -1
    assert without.photos.place_of(photos[601].sha256) == 600
    assert back.photos[-1] == photos[600]
    assert back.photos[598:601] == (photos[598], photos[599], photos[601])
    assert project.photos[600] is photos[600]
    with pytest.raises(IndexError):
        project.photos[1200]


def test_people_are_found_by_their_photo_and_follow_edits():
    one, other = Person("1", "A"), Person("2", "A")
    project = (
        Project().applied(add_person(one)).applied(add_person(other)).applied(add_person(Person("3", "B")))
    )
    moved = replace(one, photo="B")

    after = project.applied(Edit("Move person", (Change(("person", "1"), one, moved),)))

    assert project.people_in("A") == (one, other)
    assert after.people_in("A") == (other,)
    assert after.people_in("B") == (Person("3", "B"), moved)
    assert after.applied(delete_person(other)).people_in("A") == ()
    assert after.people_in("nowhere") == ()


def test_an_edit_on_an_older_version_of_a_record_is_refused():
    project = Project().applied(add_person(Person("1", "A", notes="newer")))

    with pytest.raises(KnownError, match="older version"):
        project.applied(delete_person(Person("1", "A")))


def test_stored_texts_are_read_when_they_are_asked_for():
    asked = []

    def read(kind: str, name: str, text: str) -> Note | None:
        asked.append(name)
        return None if text == "damaged" else Note(name, {"3": "B"}.get(name, "A"), text)

    rows = [("note", "1", "A", "one"), ("note", "2", "A", "damaged"), ("note", "3", "B", "three")]
    records = RecordMap.stored(rows, read)

    assert len(records) == 3
    assert ("note", "2") in records
    assert asked == []
    assert records["note", "3"] == Note("3", "B", "three")
    assert asked == ["3"]
    assert records.get(("note", "2")) is None
    assert records.of_photo("note", "A") == (Note("1", "A", "one"),)
    assert [n.name for n in records.shelf("note")] == ["1", "3"]
    assert records.shelf("note").stored("1") == "one"


def test_an_edit_costs_the_same_in_a_large_project():
    def seconds_per_edit(photos: int) -> float:
        found = {("photo", f"{n:064d}"): Photo(f"{n:064d}", 4, 3, f"{n}.jpg") for n in range(photos)}
        project = Project("p", RecordMap(found))
        best = 1e9
        for _ in range(15):
            began = perf_counter()
            for n in range(100):
                project = project.applied(add_person(Person(f"{began}{n}", f"{n:064d}")))
            best = min(best, perf_counter() - began)
        return best

    # 60 times the photos; copying them all would cost 60 times as much. The exact ratio is measured by the benchmark.
    assert seconds_per_edit(30_000) < 4 * seconds_per_edit(500)
