"""Imports: looked at first, conflicts decided, taken back as one; photos collected, moved and changed."""

import json
import shutil
from pathlib import Path

import pytest
from PIL import Image

from limbstudio.domain import edits
from limbstudio.domain.errors import KnownError
from limbstudio.services.importing import OnConflict
from limbstudio.services.studio import Studio


def write_photo(path: Path, shade: int, size=(64, 48)) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", size, (shade, shade, shade)).save(path)
    return path


def write_labelme(photo: Path, x: float = 20.0) -> Path:
    shapes = [{"label": "nose", "points": [[x, 10.0]], "shape_type": "point", "group_id": 1, "flags": {}}]
    path = photo.with_suffix(".json")
    whole = {"shapes": shapes, "imagePath": photo.name, "imageWidth": 64, "imageHeight": 48}
    path.write_text(json.dumps(whole))
    return path


@pytest.fixture
def studio(tmp_path):
    studio = Studio(who="me", run_inline=True)
    studio.create(tmp_path / "work.limb")
    yield studio
    studio.quit()


@pytest.fixture
def folder(tmp_path):
    for number in (1, 2):
        write_labelme(write_photo(tmp_path / "in" / f"{number}.png", 40 * number))
    return tmp_path / "in"


def test_a_look_says_what_is_new_and_changes_nothing(studio, folder):
    found = studio.preflight(folder).result

    assert (found.new_photos, found.new_people, found.conflicts, found.refused) == (2, 2, (), ())
    assert studio.photos == ()


def test_a_folder_of_labelme_files_is_imported_and_taken_back_as_one(studio, folder):
    report = studio.import_annotations(folder).result
    assert (len(report.photos), len(report.people)) == (2, 2)

    studio.safekeeping.take_back(report.entries)

    assert len(studio.photos) == 0
    assert studio.project.records.get(("person", report.people[0].id)) is None


@pytest.mark.parametrize(
    ("choice", "x", "people"),
    [(OnConflict.KEEP, 5.0, 1), (OnConflict.REPLACE, 20.0, 1), (OnConflict.BESIDE, 5.0, 2)],
)
def test_people_who_were_changed_since_are_conflicts(studio, folder, choice, x, people):
    mine = studio.import_annotations(folder / "1.json").result.people[0]
    studio.do(edits.place_point(mine, 0, 5.0, 5.0))

    found = studio.preflight(folder / "1.json").result
    studio.import_annotations(folder / "1.json", on_conflict=choice).result  # noqa: B018 - raises what went wrong

    assert found.conflicts == ((mine.photo, mine.id),)
    assert (found.new_people, found.same_people) == (0, 0)
    there = studio.people_in(mine.photo)
    assert len(there) == people
    assert studio.person(mine.id).keypoints.points[0].x == x


def test_an_import_that_is_repeated_brings_nothing(studio, folder):
    studio.import_annotations(folder).result  # noqa: B018

    found = studio.preflight(folder).result

    assert found.brings_nothing
    assert (found.known_photos, found.same_people) == (2, 2)


def test_one_broken_file_of_a_folder_is_named_and_the_others_come(studio, folder):
    (folder / "3.json").write_text("{broken")

    report = studio.import_annotations(folder).result

    assert len(report.people) == 2
    assert report.refused[0][0] == "3.json"


def test_collected_photos_lie_in_the_project_and_the_originals_are_left(studio, folder):
    studio.import_photos([folder]).result  # noqa: B018
    original = (folder / "1.png").read_bytes()

    report = studio.collect_photos().result

    assert (report.collected, report.refused) == (2, ())
    assert (folder / "1.png").read_bytes() == original
    shutil.rmtree(folder)
    assert studio.photo_pixels(studio.photos[0]).shape == (48, 64, 3)
    assert studio.collect_photos().result.there == 2


def test_photos_of_a_moved_folder_are_found_again_with_the_first(studio, tmp_path):
    for name in ("a/1.png", "a/deep/2.png", "b/3.png"):
        write_photo(tmp_path / "old" / name, 20 * int(name[-5]))
    studio.import_photos([tmp_path / "old"]).result  # noqa: B018
    shutil.move(tmp_path / "old", tmp_path / "new")
    first = studio.photos[0]

    found = studio.locate_photo(first, tmp_path / "new" / Path(first.path).relative_to(tmp_path / "old"))

    assert len(found) == 3
    assert all(studio.photo_pixels(photo).size for photo in studio.photos)


def test_changed_bytes_raise_a_question_and_can_be_accepted(studio, folder):
    person = studio.import_annotations(folder / "1.json").result.people[0]
    photo = studio.photo(person.photo)
    write_photo(folder / "1.png", 99)
    with pytest.raises(KnownError, match="content changed"):
        studio.photo_pixels(photo)

    after = studio.adopt_changed(photo).result

    assert studio.person(person.id).photo == after.sha256
    assert int(studio.photo_pixels(after)[0, 0, 0]) == 99
    studio.undo(after.sha256)
    assert studio.person(person.id).photo == photo.sha256


def test_a_changed_photo_of_another_size_is_not_accepted(studio, folder):
    person = studio.import_annotations(folder / "1.json").result.people[0]
    write_photo(folder / "1.png", 99, (65, 48))

    with pytest.raises(KnownError, match="65 x 48"):
        studio.adopt_changed(studio.photo(person.photo)).result  # noqa: B018
