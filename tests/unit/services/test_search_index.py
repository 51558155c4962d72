"""Answers of a search, against what a person would find by looking."""

from dataclasses import replace

import numpy as np
import pytest

from limbstudio.domain import edits
from limbstudio.domain.anatomy import Cause, Device, KeypointState, Level, Limb, LimbState, Posture
from limbstudio.domain.edits import Change, Edit
from limbstudio.domain.fitted import ChosenFit
from limbstudio.domain.geometry import Box, Keypoints, Point
from limbstudio.domain.photo import Person, Photo
from limbstudio.domain.progress import PhotoState, confirm_no_person
from limbstudio.domain.project import Project
from limbstudio.domain.provenance import Provenance, Source
from limbstudio.domain.record_map import RecordMap
from limbstudio.domain.review import ReviewState, Verdict
from limbstudio.services import records
from limbstudio.services.search_facts import facts_in, facts_of
from limbstudio.services.search_grammar import parse
from limbstudio.services.search_index import SearchIndex


def points(*confidences: float) -> Keypoints:
    placed = [Point(KeypointState.VISIBLE, 1.0, 2.0, c) for c in confidences]
    return Keypoints((*placed, *(Point(),) * (25 - len(placed))))


def limbs(**levels: LimbState) -> dict[Limb, LimbState]:
    return {limb: levels.get(limb.value, LimbState()) for limb in Limb}


TT = LimbState(Level.TRANSTIBIAL, Cause.ACQUIRED, True, Device.WORN)
TF = LimbState(Level.TRANSFEMORAL, Cause.CONGENITAL)
PEOPLE = (
    Person("a1", "A", points(0.9, 0.5), limbs(left_leg=TT), posture=Posture.SITTING, notes="A scar, “left”"),
    Person("b1", "B", points(0.2), limbs(right_leg=TT, left_leg=TF), mask_file="blobs/1",
           provenance=Provenance(Source.PREDICTED, "rtmpose")),
    Person("b2", "B", points(), limbs(), Box(1, 2, 3, 4), stature_mm=1800.0),
    Person("c1", "C", points(1.0), limbs(left_arm=LimbState(Level.UNSURE)), polygons=((0.0, 1.0, 2.0, 3.0),),
           provenance=Provenance(Source.IMPORTED, "Ann")),
)  # fmt: skip
VERDICTS = (Verdict("a1", ReviewState.READY), Verdict("c1", ReviewState.SENT_BACK, note="Look at the wrist"))
PHOTOS = (Photo("A", 4, 3, "/far/away/IMG_0001.jpg"), Photo("B", 4, 3, "img_0002.JPG"), Photo("C", 4, 3, "walk.png"),
          Photo("D", 4, 3, "empty.png", no_person=True), Photo("E", 4, 3, "new.png"))  # fmt: skip
RECORDS = {
    **{("photo", p.sha256): p for p in PHOTOS},
    **{("person", p.id): p for p in PEOPLE},
    **{("verdict", v.person): v for v in VERDICTS},
    ("chosen_fit", "a1"): ChosenFit("a1", "A", "f1"),
}


def index_of(project: Project, **options) -> SearchIndex:
    index = SearchIndex("Me", **options)
    index.add_all(project)
    return index


def stored_project() -> Project:
    """Return the project as it is opened: texts that nobody read yet."""
    rows = [
        (kind, name, records.photo_of(kind, r), records.encode(kind, r))
        for (kind, name), r in RECORDS.items()
    ]
    return Project("p", RecordMap.stored(rows, lambda kind, name, text: records.decode(kind, text)))


CASES = [
    ("", "ABCDE"),
    ("state:ready", "A"),
    ("state:new", "BE"),  # a photo is as far as its least advanced person
    ("state:sent_back", "C"),
    ("state:no_person OR is:empty", "D"),
    ("is:unfinished", "BCE"),
    ("is:finished", "AD"),
    ("limb:transtibial", "AB"),
    ("limb:transtibial side:left", "A"),  # of one limb
    ("limb:tt side:right", "B"),
    ("limb:transtibial posture:sitting", "A"),
    ("limb:transfemoral stature", ""),
    ("limb:any", "ABC"),
    ("limb:arm", "C"),
    ("limb:leg", "AB"),
    ("limb:intact", "B"),
    ("limb:unsure", "C"),
    ("-limb:transtibial", "CDE"),
    ("-limb:any", "DE"),
    ("has:person -limb:any", ""),
    ("cause:congenital side:left", "B"),
    ("limb:transtibial cause:congenital", ""),
    ("device:worn", "AB"),
    ("has:prosthesis", "AB"),
    ("has:mask", "BC"),
    ("has:box has:stature", "B"),
    ("has:mask has:stature", ""),  # of one person
    ("has:note", "AC"),
    ('note:"scar, “left”"', "A"),
    ("note:wrist", "C"),
    ("score<0.5", "B"),
    ("score>=0.7 score<=0.7", "A"),
    ("people>1", "B"),
    ("people:0", "DE"),
    ("is:predicted", "B"),
    ("is:human", "AB"),
    ("is:imported", "C"),
    ("annotator:ann", "C"),
    ("annotator:me", "D"),
    ("name:IMG_", "AB"),
    ("name:img_*2", "B"),
    ("scar", "A"),
    ("walk", "C"),
    ("far", ""),  # only the file's name counts
    ("limb:leg OR name:new", "ABE"),
    ("is:unfinished -(limb:leg OR limb:arm)", "E"),
    ("has:fit", "A"),
]


@pytest.mark.parametrize("stored", [False, True])
@pytest.mark.parametrize(("query", "expected"), CASES)
def test_a_search_finds(query, expected, stored):
    index = index_of(stored_project() if stored else Project("p", RecordMap(RECORDS)))
    index.touch("D", "Me")

    assert "".join(index.search(parse(query))) == expected


@pytest.mark.parametrize("person", PEOPLE)
def test_facts_found_in_a_text_are_those_of_the_record(person):
    np.testing.assert_equal(facts_in(records.encode("person", person)), facts_of(person))


def test_is_stale_asks_once_until_the_photo_changes():
    asked = []
    project = Project("p", RecordMap(RECORDS))
    index = index_of(project, is_stale=lambda person: bool(asked.append(person)) or True)

    assert index.search(parse("is:stale")) == index.search(parse("is:stale")) == ("A",)

    assert asked == ["a1"]
    index.update(project, ["A"])
    index.search(parse("is:stale"))
    assert asked == ["a1", "a1"]


def test_the_next_photo_that_is_found_is_the_next_in_order():
    index = index_of(Project("p", RecordMap(RECORDS)))
    unfinished = parse("is:unfinished")

    assert index.step(unfinished, "A", 1) == "B"
    assert index.step(unfinished, "B", 1) == "C"
    assert index.step(unfinished, "E", 1) is None
    assert index.step(unfinished, "E", -1) == "C"
    assert index.step(unfinished, None, 1) == "B"


def test_counts_are_by_state():
    index = index_of(Project("p", RecordMap(RECORDS)))

    assert {s: n for s, n in index.counts().items() if n} == {
        PhotoState.READY: 1,
        PhotoState.NEW: 2,
        PhotoState.SENT_BACK: 1,
        PhotoState.NO_PERSON: 1,
    }
    assert index.state_of("B") is PhotoState.NEW
    assert index.state_of("nowhere") is None


def test_after_any_edits_the_index_is_as_one_made_anew():
    rng = np.random.default_rng(5)
    project = Project("p", RecordMap(RECORDS))
    index = index_of(project)

    for n in range(1500):
        edit = _any_edit(project, rng, n)
        project = project.applied(edit)
        touched = {
            getattr(r, "photo", None) or edit.photo for c in edit.changes for r in (c.before, c.after) if r
        }
        index.update(project, [photo for photo in touched if photo])

    anew = index_of(project)
    for query in [query for query, _ in CASES]:
        assert sorted(index.search(parse(query))) == sorted(anew.search(parse(query))), query
    assert index.counts() == anew.counts()


def _any_edit(project: Project, rng: np.random.Generator, n: int) -> Edit:
    photos = list(project.photos)
    photo = photos[rng.integers(len(photos))]
    people = project.people_in(photo.sha256)
    kind = rng.integers(6)
    if kind == 0:
        new = Photo(f"N{n}", 4, 3, f"new_{n}.png")
        return Edit("Add photo", (Change(("photo", new.sha256), None, new),), None, new.sha256)
    if kind == 1 and len(photos) > 3 and not people:
        return Edit("Remove photo", (Change(("photo", photo.sha256), photo, None),), None, photo.sha256)
    if kind == 2 and not people:
        return confirm_no_person(photo, not photo.no_person)
    if not people or kind == 3:
        return edits.add_person(replace(PEOPLE[n % 4], id=f"p{n}", photo=photo.sha256))
    person = people[rng.integers(len(people))]
    if kind == 4:
        return edits.delete_person(person)
    if kind == 5:
        key = ("verdict", person.id)
        after = Verdict(person.id, tuple(ReviewState)[rng.integers(5)], note="wrist" if n % 2 else "")
        return Edit("Judge", (Change(key, project.records.get(key), after),), None, photo.sha256)
    return edits.place_point(person, int(rng.integers(17)), 5.0, 6.0)


def test_a_text_of_an_older_version_is_read_as_a_whole():
    older = '{"id":"a1","notes":"scar","photo":"A"}'
    rows = [("photo", "A", "A", PHOTOS[0]), ("person", "a1", "A", older)]
    project = Project("p", RecordMap.stored(rows, lambda kind, name, text: records.decode(kind, text)))

    assert index_of(project).search(parse("note:scar limb:intact")) == ("A",)


@pytest.mark.parametrize(
    "query", ["is:unfinished", "is:predicted", "people>0 note:far", "-has:person", "annotator:Me"]
)
def test_a_step_finds_what_a_search_finds_however_far_it_is(query):
    photos = [Photo(f"{n:03d}", 4, 3, f"{n}.png", no_person=n % 3 == 0) for n in range(400)]
    machine = Provenance(Source.PREDICTED, "rtmpose")
    people = [Person(f"p{n}", f"{n:03d}", notes="far" if n == 397 else "") for n in (5, 150, 397)]
    people += [Person(f"m{n}", f"{n:03d}", provenance=machine) for n in (2, 399)]
    records_of = {("photo", p.sha256): p for p in photos} | {("person", p.id): p for p in people}
    index = index_of(Project("large", RecordMap(records_of)))
    for photo in ("001", "250"):
        index.touch(photo, "Me")
    found = index.search(parse(query))

    for start in ("000", "120", "398"):
        after = [photo for photo in found if photo > start]
        before = [photo for photo in found if photo < start]
        assert index.step(parse(query), start, 1) == (after[0] if after else None)
        assert index.step(parse(query), start, -1) == (before[-1] if before else None)
    assert index.step(parse(query), None, 1) == found[0]
