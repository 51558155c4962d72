"""Bodies that AJAHR predicts, as candidates of a project."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from limbstudio.ajahr import predict
from limbstudio.domain import edits
from limbstudio.domain.errors import KnownError
from limbstudio.domain.photo import Person
from limbstudio.services import candidates, fit_options, initialisers, predicting
from limbstudio.services.jobs import JobState
from limbstudio.services.samples import sample_project
from limbstudio.services.studio import Studio


@pytest.fixture
def studio(tmp_path: Path) -> Iterator[Studio]:
    folder = tmp_path / "sample.limb"
    shutil.copytree(sample_project(), folder)
    made = Studio(who="test", run_inline=True)
    made.open(folder)
    yield made
    made.quit()


def first(studio: Studio) -> Person:
    return next(iter(studio.project.of_kind("person")))


@pytest.mark.usefixtures("_untrained_ajahr_ships")
def test_a_prediction_is_kept_beside_the_fit_and_does_not_count(studio):
    person = first(studio)
    fit = studio.fit(person.id).result

    job = predicting.predict(studio, person.id)

    assert job.state is JobState.SUCCEEDED
    chosen = studio.fit_of(person.id)
    assert chosen is not None
    assert chosen.id == fit.id
    newest, oldest = candidates.candidates_of(studio, person)
    assert newest.origin == "AJAHR's prediction"
    assert newest.fit.id == job.result.id
    assert newest.fit.fit.limbs == ()
    assert not newest.is_chosen
    assert oldest.is_chosen
    mesh = studio.body_mesh(newest.fit)
    assert mesh is not None
    assert len(mesh.vertices) > 10_000


@pytest.mark.usefixtures("_untrained_ajahr_ships")
def test_the_same_prediction_twice_is_one_candidate(studio):
    person = first(studio)

    one, two = (predicting.predict(studio, person.id).result for _ in range(2))

    assert one.fit.orientation == pytest.approx(two.fit.orientation)
    assert one.id == two.id
    assert len(studio.fits_of(person.id)) == 1


@pytest.mark.usefixtures("_untrained_ajahr_ships")
def test_everybody_is_predicted_as_one_job_and_who_has_no_points_is_left_out(studio):
    studio.do(edits.add_person(Person("nobody", first(studio).photo)))

    job = predicting.predict_people(studio, [p.sha256 for p in studio.photos], title="Predict all")

    assert job.state is JobState.SUCCEEDED
    assert job.result.predicted == 7
    assert job.result.unplaced == 1
    assert job.result.refused == ()


@pytest.mark.usefixtures("_untrained_ajahr_ships")
def test_a_fit_begins_with_the_prediction_where_that_is_chosen(studio, monkeypatch):
    person = first(studio)
    asked = []
    guess = predict.Predictor.__call__
    monkeypatch.setattr(
        predict.Predictor, "__call__", lambda self, *args: (asked.append(args[0]), guess(self, *args))[1]
    )
    studio.do(fit_options.choose_initialiser(studio.project, person, "ajahr"))

    fit = studio.fit(person.id).result

    assert [people[0].id for people in asked] == [person.id]
    assert len(fit.fit.limbs) == 1


def test_without_weights_it_is_said_what_to_do(studio, monkeypatch):
    monkeypatch.setattr(initialisers, "resource_path", lambda name: Path("/nowhere"))

    with pytest.raises(KnownError, match="AJAHR cannot begin a fit here"):
        predicting.predict(studio, first(studio).id)
