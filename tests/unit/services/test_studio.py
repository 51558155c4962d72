"""The studio as window and command line use it: import, edit, fit, export, close and open again."""

import json
import shutil
import threading
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from limbstudio.domain import edits
from limbstudio.domain.anatomy import LDPOSE_INDEX, LDPOSE_NAMES, SMPLX_JOINTS, KeypointState, Level, Limb
from limbstudio.domain.body import BodyFit, FitMode
from limbstudio.domain.errors import KnownError
from limbstudio.domain.geometry import Box, Camera
from limbstudio.domain.photo import Person, Photo
from limbstudio.services import pipeline
from limbstudio.services.jobs import JobState
from limbstudio.services.stages import STAGES, StageName, after, progress_within
from limbstudio.services.store import Store
from limbstudio.services.studio import Studio, StudioEvent, What, facts_of


def write_photo(path: Path, grey: int = 128) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (64, 48), (grey, grey, grey)).save(path)
    return path


def write_coco(path: Path, names: list[str]) -> Path:
    keypoints = [10, 20, 2] * len(LDPOSE_NAMES[:17])
    coco = {
        "images": [{"id": i, "file_name": n, "width": 64, "height": 48} for i, n in enumerate(names, 1)],
        "annotations": [
            {"id": 10 + i, "image_id": i, "category_id": 1, "keypoints": keypoints, "bbox": [5, 5, 20, 30]}
            for i, _ in enumerate(names, 1)
        ],
        "categories": [{"id": 1, "name": "person", "keypoints": list(LDPOSE_NAMES[:17])}],
    }
    path.write_text(json.dumps(coco))
    return path


def fake_answer(work: pipeline.FitWork) -> pipeline.FitAnswer:
    """Return an answer of the right shapes, without a body."""
    fit = BodyFit(
        "limb_body", work.mode, Camera(100.0, (31.5, 23.5), (64, 48)), np.zeros(3), np.zeros((54, 3)),
        np.zeros(10), np.array([0, 0, 2.0]), np.zeros((len(SMPLX_JOINTS), 3)), np.full((25, 2), np.nan),
        np.zeros(25, bool), energy={"points": 1.0},
    )  # fmt: skip
    vertices, faces = np.eye(4, 3, dtype=np.float32), np.array([[0, 1, 2], [0, 2, 3]], np.int32)
    parts = np.zeros(4, np.uint8)
    facts = {"mesh": {"vertices": np.int64(4)}, "timings_s": {"fit": 0.1}, "warnings": []}
    return pipeline.FitAnswer(fit, vertices, vertices + 1, faces, parts > 0, parts, (), facts)


@pytest.fixture
def calls(monkeypatch) -> list[pipeline.FitWork]:
    """Replace the fit by a fake one; the list says what was computed."""
    done: list[pipeline.FitWork] = []

    def run_fit(context, work):
        context.report(0.5, "Fitting the body")
        done.append(work)
        return fake_answer(work)

    monkeypatch.setattr(pipeline, "run_fit", run_fit)
    monkeypatch.setattr(pipeline, "_bundled_body", lambda: Path("body"))
    return done


@pytest.fixture
def studio(tmp_path):
    made = Studio(who="me", run_inline=True)
    made.create(tmp_path / "work")
    yield made
    made.abandon()
    made.quit()


@pytest.fixture
def person(studio, tmp_path) -> Person:
    report = studio.import_photos([write_photo(tmp_path / "a.png")]).result
    made = studio.new_person(report.photos[0].sha256)
    studio.do(edits.place_point(made, 0, 10.0, 10.0))
    return studio.person(made.id)


# -------------------------------------------------------------------------------------- projects


def test_a_project_is_made_closed_and_opened_again(studio, tmp_path, person):
    assert studio.folder == tmp_path / "work.limb"
    studio.close()
    assert not studio.is_open
    assert studio.photos == ()

    studio.open(tmp_path / "work.limb")

    assert studio.person(person.id) == person
    assert studio.project.name == "work"
    studio.undo(person.photo)
    assert studio.person(person.id).keypoints.points[0].x is None


def test_events_tell_what_happens_in_the_thread_that_was_named(tmp_path):
    heard: list[StudioEvent] = []
    waiting = []
    studio = Studio(who="me", run_inline=True, deliver=waiting.append)
    studio.listen(heard.append)
    studio.create(tmp_path / "work")
    photo = studio.import_photos([write_photo(tmp_path / "a.png")]).result.photos[0]
    studio.new_person(photo.sha256)
    studio.close()
    assert heard == []

    for tell in waiting:
        tell()

    kinds = [event.what for event in heard if event.what is not What.SAVE_STATE]
    assert kinds == [What.OPENED, What.JOB, What.EDITED, What.EDITED, What.CLOSED]
    assert [e.entry.label for e in heard if e.entry] == ["Import photos", "Add person"]
    studio.quit()


def test_without_a_project_everything_says_so(tmp_path):
    studio = Studio()

    assert (studio.photos, studio.folder, studio.read_only_reason) == ((), None, "")
    for action in (
        lambda: studio.fit("1"),
        lambda: studio.undo(None),
        lambda: studio.import_photos([tmp_path]),
    ):
        with pytest.raises(KnownError, match="No project is open"):
            action()
    studio.close()
    studio.quit()


def test_a_project_open_elsewhere_can_be_looked_at_and_taken_over(studio, tmp_path, person):
    studio.history.last_saved.result(5)
    heard = []
    second = Studio(who="you", run_inline=True)
    second.listen(heard.append)
    second.open(studio.folder)

    assert second.can_take_over
    assert any("another window" in e.message for e in heard)
    assert second.person(person.id) == person
    for action in (lambda: second.fit(person.id), lambda: second.new_person(person.photo)):
        with pytest.raises(KnownError, match="another window"):
            action()
    second.close()
    second.open(studio.folder, take_over=True)
    assert second.read_only_reason == ""
    second.close()
    second.quit()


def test_edits_that_cannot_be_saved_keep_the_project_open(studio, person):
    shutil.move(studio.folder, studio.folder.with_name("gone"))
    studio.do(edits.place_point(person, 1, 1.0, 1.0))

    with pytest.raises(KnownError, match="could not be saved"):
        studio.close(wait_s=1)

    assert studio.is_open
    deadline = time.monotonic() + 20  # the writer says so when it has tried; a busy machine takes a while
    while "gone" not in studio.save_state.message and time.monotonic() < deadline:
        time.sleep(0.05)
    assert "gone" in studio.save_state.message
    assert [e.label for e in studio.abandon()][-1] == "Place left eye"
    assert not studio.is_open


# ----------------------------------------------------------------------------------------- imports


def test_photos_are_imported_from_files_and_folders_and_bad_ones_are_named(studio, tmp_path):
    write_photo(tmp_path / "in" / "b.png", 1)
    write_photo(tmp_path / "in" / "deep" / "c.jpg", 2)
    write_photo(tmp_path / "in" / "b again.png", 1)
    (tmp_path / "in" / "notes.txt").write_text("no photo")
    (tmp_path / "in" / "broken.jpg").write_bytes(b"\xff\xd8\xff broken")
    (tmp_path / "none").mkdir()

    report = studio.import_photos([tmp_path / "in", tmp_path / "none", tmp_path / "nowhere.png"]).result

    assert len(report.photos) == 2
    assert [Path(what).name for what, _ in report.refused] == ["none", "broken.jpg", "nowhere.png"]
    assert all(error.hint for _, error in report.refused)
    again = studio.import_photos([tmp_path / "in"]).result
    assert (again.photos, len(again.known)) == ((), 2)


def test_annotations_bring_photos_and_people_once(studio, tmp_path):
    write_photo(tmp_path / "in" / "a.png", 1)
    write_photo(tmp_path / "in" / "b.png", 2)
    file = write_coco(tmp_path / "in" / "coco.json", ["a.png", "b.png", "missing.png"])

    report = studio.import_annotations(file).result

    assert (len(report.photos), len(report.people), len(report.refused)) == (2, 2, 1)
    assert "missing.png" in report.refused[0][0]
    first = studio.people_in(report.photos[0].sha256)[0]
    assert first.id == f"{first.photo[:8]}-11"
    assert first.keypoints.points[0].state is KeypointState.VISIBLE
    studio.do(edits.place_point(first, 0, 1.0, 2.0))

    again = studio.import_annotations(file).result

    assert again.people == ()
    assert studio.person(first.id).keypoints.points[0].x == 1.0


def test_a_mask_is_kept_in_the_project_and_goes_out_with_an_export(studio, tmp_path):
    write_photo(tmp_path / "in" / "a.png", 1)
    mask = np.zeros((48, 64), np.uint8)
    mask[10:40, 20:40] = 255
    Image.fromarray(mask).save(tmp_path / "in" / "a_mask.png")
    file = write_coco(tmp_path / "in" / "coco.json", ["a.png"])
    coco = json.loads(file.read_text())
    coco["annotations"][0]["limbstudio"] = {"schema_version": 1, "mask_file": "a_mask.png"}
    file.write_text(json.dumps(coco))
    person = studio.import_annotations(file).result.people[0]
    studio.close()
    shutil.rmtree(tmp_path / "in")
    studio.open(tmp_path / "work.limb")

    kept = pipeline.person_mask(person, studio.photo(person.photo), studio.folder)
    out = studio.export_annotations(tmp_path / "out" / "all.json").result

    np.testing.assert_array_equal(kept, mask > 0)
    written = json.loads(out.read_text())["annotations"][0]["limbstudio"]["mask_file"]
    np.testing.assert_array_equal(np.asarray(Image.open(out.parent / written)), mask)


def test_an_import_is_no_undo_step_but_can_be_reverted_from_the_journal(studio, tmp_path):
    studio.import_photos([write_photo(tmp_path / "a.png")])

    assert studio.undo(None) is None
    line = studio.journal(everything=True)[0]
    studio.history.revert(line.sequence)

    assert studio.photos == ()


# ------------------------------------------------------------------------------- where photos lie


def test_photos_are_found_when_they_moved_together_with_the_project(studio, tmp_path, person):
    studio.close()
    moved = tmp_path / "elsewhere"
    moved.mkdir()
    for name in ("work.limb", "a.png"):
        shutil.move(tmp_path / name, moved / name)

    studio.open(moved / "work.limb")

    assert studio.photo_path(studio.photos[0]) == moved / "a.png"
    assert studio.photo_pixels(studio.photos[0]).shape == (48, 64, 3)


def test_a_lost_photo_is_said_and_can_be_located(studio, tmp_path, person):
    photo = studio.photos[0]
    (tmp_path / "a.png").rename(tmp_path / "renamed.png")
    with pytest.raises(KnownError, match=r"a\.png is not at"):
        studio.photo_pixels(photo)
    with pytest.raises(KnownError, match="another"):
        studio.locate_photo(photo, write_photo(tmp_path / "other.png", 3))

    studio.locate_photo(photo, tmp_path / "renamed.png")

    assert studio.photo_path(studio.photos[0]) == tmp_path / "renamed.png"
    assert studio.photos[0].path.endswith("renamed.png")


def test_a_photo_whose_content_changed_is_not_shown_as_if_it_were_the_same(studio, tmp_path, person):
    write_photo(tmp_path / "a.png", 77)

    with pytest.raises(KnownError, match="content changed"):
        studio.photo_pixels(studio.photos[0])


# ---------------------------------------------------------------------------------------------- fits


def test_a_fit_is_recorded_with_its_meshes_and_survives_a_restart(studio, calls, person):
    kept = studio.fit(person.id).result
    folder = studio.folder
    studio.close()
    studio.open(folder)

    again = studio.fit_of(person.id)

    assert again == kept
    assert again.fit.energy == {"points": 1.0}
    np.testing.assert_array_equal(studio.body_mesh(again).vertices, np.eye(4, 3))
    np.testing.assert_array_equal(studio.tpose_mesh(again).vertices, np.eye(4, 3) + 1)
    assert studio.body_mesh(again).faces.tolist() == [[0, 1, 2], [0, 2, 3]]
    assert facts_of(again)["mesh"] == {"vertices": 4}
    assert not studio.is_stale(again)
    assert [line.human for line in studio.journal(person.photo)][-1] is False


def test_unchanged_inputs_are_not_computed_twice_even_after_a_restart(studio, calls, person):
    first, folder = studio.fit(person.id).result, studio.folder
    studio.close()
    studio.open(folder)

    job = studio.fit(person.id)

    assert job.state is JobState.SUCCEEDED
    assert job.result == first
    assert len(calls) == 1
    studio.fit(person.id, mode=FitMode.PAPER)
    studio.fit(person.id, seed=1)
    assert len(calls) == 3


def test_moving_a_joint_makes_the_fit_stale_and_undo_makes_it_fresh(studio, calls, person):
    kept = studio.fit(person.id).result

    studio.do(edits.place_point(person, 0, 11.0, 10.0))
    assert studio.is_stale(kept)
    studio.undo(person.photo)
    assert not studio.is_stale(kept)
    studio.do(edits.change_person(person, replace(person, notes="A note"), "Note"))
    assert not studio.is_stale(kept)


def test_undo_does_not_take_a_fit_away(studio, calls, person):
    kept = studio.fit(person.id).result

    studio.undo(person.photo)

    assert studio.fit_of(person.id) == kept
    assert studio.person(person.id).keypoints.points[0].x is None


def test_a_late_result_is_a_candidate_beside_the_fresh_one(studio, monkeypatch, calls, person):
    fresh = studio.fit(person.id).result

    def edited_meanwhile(context, work):
        studio.do(edits.place_point(studio.person(person.id), 2, 5.0, 5.0))
        return fake_answer(work)

    monkeypatch.setattr(pipeline, "run_fit", edited_meanwhile)
    late = studio.fit(person.id, seed=5).result

    assert studio.fit_of(person.id) == fresh
    assert set(studio.fits_of(person.id)) == {fresh, late}
    assert studio.person(person.id).keypoints.points[2].x == 5.0


def test_a_fit_that_a_human_chose_is_not_replaced_by_a_machine(studio, calls, person):
    first = studio.fit(person.id).result
    second = studio.fit(person.id, seed=1).result
    assert studio.fit_of(person.id) == second

    studio.choose_fit(first)
    third = studio.fit(person.id, seed=2).result

    assert studio.fit_of(person.id) == first
    assert third in studio.fits_of(person.id)
    studio.undo(person.photo)
    assert studio.fit_of(person.id) == second


def test_a_person_deleted_meanwhile_gets_no_fit(studio, monkeypatch, calls, person):
    def deleted_meanwhile(context, work):
        studio.do(edits.delete_person(studio.person(person.id)))
        return fake_answer(work)

    monkeypatch.setattr(pipeline, "run_fit", deleted_meanwhile)
    job = studio.fit(person.id)

    assert job.state is JobState.FAILED
    assert "deleted" in job.failure.message
    assert studio.fits_of(person.id) == ()


def test_a_fit_asked_for_twice_runs_once(tmp_path, monkeypatch, calls):
    studio = Studio(who="me")
    studio.create(tmp_path / "work")
    release = threading.Event()
    from limbstudio.services.lanes import ThreadLane

    studio._workshop.worker = ThreadLane(1)  # pyright: ignore
    monkeypatch.setattr(pipeline, "run_fit", lambda context, work: release.wait(10) and fake_answer(work))
    report = studio.import_photos([write_photo(tmp_path / "a.png")])
    assert report.wait(20)
    person = studio.new_person(report.result.photos[0].sha256)

    first, second = studio.fit(person.id), studio.fit(person.id)
    release.set()
    assert first.wait(20)

    assert first is second
    assert [job.title for job in studio.jobs] == ["Import photos", "Fit a person in a.png"]
    studio.close()
    studio.quit()


def test_the_hash_of_inputs_ignores_what_a_fit_does_not_read():
    photo = Photo("ab" * 32, 64, 48, "a.png")
    person = edits.place_point(Person("1", photo.sha256), 0, 1.0, 2.0).changes[0].after
    same = replace(person, notes="x", id="2")
    hidden = edits.set_point_state(person, 0, KeypointState.UNSURE).changes[0].after
    hidden_elsewhere = edits.place_point(hidden, 0, 9.0, 9.0, KeypointState.UNSURE).changes[0].after

    def hashed(p: Person, on: Photo = photo) -> str:
        return pipeline.inputs_hash(p, on, Path())

    assert hashed(person) == hashed(same)
    assert hashed(person, replace(photo, path="elsewhere.png")) == hashed(person)
    assert hashed(hidden) == hashed(hidden_elsewhere) != hashed(person)
    assert hashed(person, replace(photo, focal_exif_px=900.0)) != hashed(person)


# ------------------------------------------------------------------------------------------- exports


def test_annotations_go_out_as_they_are_and_come_back(studio, tmp_path, person):
    out = studio.export_annotations(tmp_path / "out.json").result
    other = Studio(who="you", run_inline=True)
    other.create(tmp_path / "other")

    people = other.import_annotations(out).result.people

    assert json.loads(out.read_text())["annotations"][0]["limbstudio"]["schema_version"] == 1
    assert [(p.id, p.keypoints, p.limbs) for p in people] == [(person.id, person.keypoints, person.limbs)]
    other.close()
    other.quit()


def test_an_unknown_plugin_fails_in_words(studio, tmp_path, person):
    job = studio.export_plugin("nonsense", tmp_path / "x")

    assert job.state is JobState.FAILED
    assert "nonsense" in job.failure.message


def test_who_has_no_fit_is_named_when_asked_for_and_passed_over_otherwise(studio, tmp_path, person):
    everybody = studio.export_reconstructions(tmp_path / "all").result
    named = studio.export_reconstructions(tmp_path / "one", [person.id]).result

    assert (everybody.folders, everybody.refused) == ((), ())
    assert "no fit" in named.refused[0][1].message


def test_a_real_fit_goes_through_the_worker_into_the_project_and_out_as_files(tmp_path):
    from limbstudio.resources import resource_path

    if not resource_path("body/limb_body.npz").is_file():
        pytest.skip("the bundled body is not there")
    studio = Studio(who="me")
    studio.create(tmp_path / "work")
    importing = studio.import_photos([write_photo(tmp_path / "a.png")])
    assert importing.wait(60)
    person = studio.new_person(importing.result.photos[0].sha256, Box(16, 2, 32, 44))
    # A person who stands and faces the camera, sides the person's own.
    standing = [(32, 6), (33, 5), (31, 5), (34, 6), (30, 6), (37, 12), (27, 12), (39, 19), (25, 19), (40, 25), (24, 25),
                (35, 25), (29, 25), (35, 34), (29, 34), (35, 43), (29, 43)]  # fmt: skip
    for index, (x, y) in enumerate(standing[:15]):
        studio.do(edits.place_point(studio.person(person.id), index, float(x), float(y)))
    studio.do(edits.set_limb_level(studio.person(person.id), Limb.RIGHT_LEG, Level.TRANSTIBIAL))
    studio.do(edits.place_point(studio.person(person.id), LDPOSE_INDEX["below_right_knee_end"], 29.0, 38.0))

    job = studio.fit(person.id)
    assert job.wait(100)
    kept = job.result
    export = studio.export_reconstructions(tmp_path / "out")
    assert export.wait(100)

    mesh = studio.body_mesh(kept)
    assert facts_of(kept)["mesh"]["watertight"]
    assert len(kept.stumps) == len([limb for limb in kept.fit.limbs if limb.accepted])
    assert mesh.residual.any() == bool(kept.stumps)
    assert studio.fit_of(person.id) == kept
    assert export.result.refused == ()
    assert {"fit.json", "body.ply", "tpose.ply", "body.glb"} <= {
        p.name for p in export.result.folders[0].iterdir()
    }
    studio.close()
    studio.quit()


# -------------------------------------------------------------------------------------------- stages


def test_the_table_of_stages_is_in_order_and_each_need_is_made_before():
    assert [row.number for row in STAGES] == list(range(1, 11))
    made = {"photo", "person"}
    for row in STAGES:
        assert set(row.needs) <= made | {"verdict"}
        made |= set(row.makes)


def test_new_points_make_fit_shape_and_review_stale_but_not_the_photo():
    names = [row.name for row in after(StageName.KEYPOINTS)]

    assert names[:3] == [StageName.INITIAL_FIT, StageName.RAFO, StageName.RECONSTRUCTION]
    assert StageName.SEGMENT not in names


def test_progress_of_a_job_of_several_stages_goes_from_zero_to_one():
    three = (StageName.INITIAL_FIT, StageName.RAFO, StageName.RECONSTRUCTION)

    values = [progress_within(three, name, fraction) for name in three for fraction in (0.0, 0.5, 1.0)]

    assert values == sorted(values)
    assert (values[0], values[-1]) == (0.0, 1.0)


def test_a_store_opened_without_a_studio_is_the_same(studio, person):
    folder = studio.folder
    studio.close()

    store = Store.open(folder)

    assert store.project.records["person", person.id] == person
    store.close()
