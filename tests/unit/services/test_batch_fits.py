"""A batch fits whoever is annotated, touches nothing that a human did, and survives the death of its process."""

import os
import signal
import threading
import time
from pathlib import Path

import pytest

from limbstudio.domain import edits
from limbstudio.domain.edits import Change, Edit
from limbstudio.domain.errors import KnownError
from limbstudio.domain.review import ReviewState, Verdict
from limbstudio.services import pipeline
from limbstudio.services.jobs import JobState
from limbstudio.services.lanes import ProcessLane, ThreadLane
from limbstudio.services.studio import Studio

from .test_studio import fake_answer, write_photo

PHOTOS = 4


# --------------------------------------------------------- what a process runs: functions of this module


def die_on_the_second(context, work):
    """Die of the person on the second photo, as of a photo that is too large."""
    context.report(0.5, "Fitting the body")
    if work.photo.path.endswith("1.png"):
        os.kill(os.getpid(), signal.SIGKILL)
    return fake_answer(work)


def die(context, work):
    os.kill(os.getpid(), signal.SIGSEGV)


# ------------------------------------------------------------------------------------------------ fixtures


@pytest.fixture
def fitted(monkeypatch) -> list[str]:
    """Replace the fit by a fake one; the list names the photos whose people were fitted, in order."""
    done: list[str] = []

    def run_fit(context, work):
        context.report(0.5, "Fitting the body")
        done.append(Path(work.photo.path).stem)
        return fake_answer(work)

    monkeypatch.setattr(pipeline, "run_fit", run_fit)
    monkeypatch.setattr(pipeline, "_bundled_body", lambda: Path("body"))
    return done


@pytest.fixture
def make(tmp_path):
    """Return a function that makes a studio of four photos with a person in each."""
    made: list[Studio] = []

    def studio(*, run_inline: bool = True) -> Studio:
        new = Studio(who="me", run_inline=run_inline)
        made.append(new)
        new.create(tmp_path / "work")
        files = [write_photo(tmp_path / f"{n}.png", 40 * n) for n in range(PHOTOS)]
        assert new.import_photos(files).wait(20)
        for photo in new.photos:
            person = new.new_person(photo.sha256)
            new.do(edits.place_point(person, 0, 10.0, 10.0))
        return new

    yield studio
    for each in made:
        each.abandon()
        each.quit()


def photo_named(studio: Studio, name: str) -> str:
    return next(photo.sha256 for photo in studio.photos if photo.path.endswith(name))


def person_on(studio: Studio, name: str):
    return studio.people_in(photo_named(studio, name))[0]


def verdict(studio: Studio, name: str, state: ReviewState) -> None:
    person = person_on(studio, name)
    key = ("verdict", person.id)
    studio.do(Edit("Judge", (Change(key, None, Verdict(person.id, state)),), None, person.photo))


def everybody(studio: Studio) -> list[str]:
    return [photo.sha256 for photo in studio.photos]


def wait_until(holds, seconds: float = 20.0) -> None:
    until = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < until
        time.sleep(0.01)


# --------------------------------------------------------------------------------------------------- whom


def test_who_is_annotated_is_fitted_once_as_one_job(make, fitted):
    studio = make()

    report = studio.fit_people(everybody(studio), title="Fit all").result
    again = studio.fit_people(everybody(studio), title="Fit all").result

    assert (report.fitted, report.refused) == (PHOTOS, ())
    assert (again.fitted, again.fresh) == (0, PHOTOS)
    assert fitted == ["0", "1", "2", "3"]
    assert [job.title for job in studio.jobs] == ["Import photos", "Fit all", "Fit all"]


def test_what_a_human_chose_or_accepted_is_left_alone_even_when_it_is_stale(make, fitted):
    studio = make()
    chosen = person_on(studio, "0.png")
    studio.choose_fit(studio.fit(chosen.id).result)
    studio.do(edits.place_point(chosen, 1, 20.0, 20.0))
    verdict(studio, "1.png", ReviewState.ACCEPTED)
    fitted.clear()
    before = studio.project.records["chosen_fit", chosen.id]

    report = studio.fit_people(everybody(studio), title="Fit all").result

    assert (report.fitted, report.by_hand) == (2, 2)
    assert fitted == ["2", "3"]
    assert studio.project.records["chosen_fit", chosen.id] == before


def test_who_has_no_points_or_was_deleted_is_passed_over(make, fitted):
    studio = make()
    empty = studio.new_person(photo_named(studio, "0.png"))
    studio.do(edits.delete_person(person_on(studio, "3.png")))

    report = studio.fit_people(everybody(studio), title="Fit all").result

    assert (report.fitted, report.unplaced) == (3, 1)
    assert studio.fits_of(empty.id) == ()


def test_without_a_choice_all_unfinished_photos_are_fitted(make, fitted):
    studio = make()
    verdict(studio, "1.png", ReviewState.READY)

    report = studio.fit_people(None, title="Fit unfinished").result

    assert report.fitted == 3
    assert fitted == ["0", "2", "3"]


def test_a_person_who_is_edited_while_the_fit_runs_keeps_the_edit(make, fitted, monkeypatch):
    studio = make()

    def run_fit(context, work):
        studio.do(edits.place_point(studio.person(work.person.id), 2, 30.0, 30.0))
        return fake_answer(work)

    person = person_on(studio, "0.png")
    studio.fit(person.id)
    studio.do(edits.place_point(studio.person(person.id), 1, 20.0, 20.0))
    chosen = studio.fit_of(person.id)
    monkeypatch.setattr(pipeline, "run_fit", run_fit)

    studio.fit_people([person.photo], title="Fit one")

    assert studio.person(person.id).keypoints.points[2].x == 30.0
    assert studio.fit_of(person.id) == chosen
    assert len(studio.fits_of(person.id)) == 2


def test_a_batch_is_taken_back_as_one(make, fitted):
    studio = make()
    report = studio.fit_people(everybody(studio), title="Fit all").result

    studio.safekeeping.take_back(report.entries)

    assert len(report.entries) == PHOTOS
    assert len(studio.project.records.shelf("fit")) == 0
    assert all(studio.fit_of(person_on(studio, f"{n}.png").id) is None for n in range(PHOTOS))


def test_who_cannot_be_fitted_is_named_and_the_others_are(make, monkeypatch, fitted):
    studio = make()

    def run_fit(context, work):
        if work.photo.path.endswith("2.png"):
            raise KnownError("Too few points.", "Place more.")
        return fake_answer(work)

    monkeypatch.setattr(pipeline, "run_fit", run_fit)

    report = studio.fit_people(everybody(studio), title="Fit all").result

    assert report.fitted == 3
    assert [(name, error.message) for name, error in report.refused] == [("2.png", "Too few points.")]


# ------------------------------------------------------------------------------- in threads and processes


def test_the_photo_in_view_comes_first_and_progress_says_how_far(make, monkeypatch, fitted):
    studio = make(run_inline=False)
    studio._workshop.worker = ThreadLane(1)  # pyright: ignore[reportAttributeAccessIssue]
    begun, go_on, done = threading.Event(), threading.Event(), []

    def run_fit(context, work):
        begun.set()
        go_on.wait(10)
        done.append(Path(work.photo.path).stem)
        return fake_answer(work)

    monkeypatch.setattr(pipeline, "run_fit", run_fit)
    said = []
    job = studio.fit_people(everybody(studio), title="Fit all")
    job.listen(lambda view: said.append((view.progress, view.sentence)))
    begun.wait(10)
    studio.look_at(photo_named(studio, "3.png"))
    go_on.set()

    assert job.wait(20)
    assert done == ["0", "3", "1", "2"]
    assert [progress for progress, _ in said] == sorted(progress for progress, _ in said)
    assert "Fitting person 2 of 4, 3.png" in [sentence for _, sentence in said]


def test_a_batch_that_is_cancelled_keeps_what_was_fitted_and_retry_goes_on(make, monkeypatch, fitted):
    studio = make(run_inline=False)
    studio._workshop.worker = ThreadLane(1)  # pyright: ignore[reportAttributeAccessIssue]
    third = threading.Event()

    def run_fit(context, work):
        if len(studio.project.records.shelf("fit")) == 2 and not third.is_set():
            third.set()
            while True:
                context.report(0.5)
                time.sleep(0.005)
        return fake_answer(work)

    monkeypatch.setattr(pipeline, "run_fit", run_fit)
    job = studio.fit_people(everybody(studio), title="Fit all")
    assert third.wait(10)
    job.cancel()
    assert job.wait(10)
    assert job.again is not None
    again = job.again()
    assert again.wait(20)

    assert job.state is JobState.CANCELLED
    assert (again.result.fitted, again.result.fresh) == (2, 2)


def test_the_death_of_the_process_costs_one_person_and_not_the_batch(make, monkeypatch):
    studio = make(run_inline=False)
    monkeypatch.setattr("limbstudio.services.workshop._new_worker", lambda: ProcessLane("test"))
    monkeypatch.setattr(pipeline, "run_fit", die_on_the_second)
    monkeypatch.setattr(pipeline, "_bundled_body", lambda: Path("body"))

    job = studio.fit_people(everybody(studio), title="Fit all")

    assert job.wait(60)
    assert job.result.fitted == 3
    ((name, error),) = job.result.refused
    assert name == "1.png"
    assert "stopped by the system" in error.message


def test_a_process_that_dies_of_everybody_stops_the_batch_with_a_message(make, monkeypatch):
    studio = make(run_inline=False)
    monkeypatch.setattr("limbstudio.services.workshop._new_worker", lambda: ProcessLane("test"))
    monkeypatch.setattr(pipeline, "run_fit", die)
    monkeypatch.setattr(pipeline, "_bundled_body", lambda: Path("body"))

    job = studio.fit_people(everybody(studio), title="Fit all")

    assert job.wait(60)
    assert job.failure is not None
    assert "ended 3 times in a row" in job.failure.message
    assert "crashed" in job.failure.message
    assert job.again is not None


def test_closing_the_project_ends_a_batch_without_a_complaint(make, monkeypatch, fitted):
    studio = make(run_inline=False)
    studio._workshop.worker = ThreadLane(1)  # pyright: ignore[reportAttributeAccessIssue]
    begun = threading.Event()

    def run_fit(context, work):
        begun.set()
        while True:
            context.report(0.5)
            time.sleep(0.005)

    monkeypatch.setattr(pipeline, "run_fit", run_fit)
    job = studio.fit_people(everybody(studio), title="Fit all")
    assert begun.wait(10)

    studio.close()

    assert job.wait(10)
    assert job.state is JobState.CANCELLED
    wait_until(lambda: studio.jobs == ())
