"""Bodies that AJAHR predicts, as candidates of a project."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from limbstudio.ajahr import predict
from limbstudio.domain import edits
from limbstudio.domain.anatomy import Level, Limb
from limbstudio.domain.errors import KnownError
from limbstudio.domain.photo import Person
from limbstudio.services import candidates, fit_options, initialisers, limb_proposals, predicting
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
    assert newest.fit.id == job.result.body.id
    assert newest.fit.fit.limbs == ()
    assert not newest.is_chosen
    assert oldest.is_chosen
    mesh = studio.body_mesh(newest.fit)
    assert mesh is not None
    assert len(mesh.vertices) > 10_000


@pytest.mark.usefixtures("_untrained_ajahr_ships")
def test_the_same_prediction_twice_is_one_candidate(studio):
    person = first(studio)

    one, two = (predicting.predict(studio, person.id).result.body for _ in range(2))

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
    assert job.result.proposed == 7
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


@pytest.mark.usefixtures("_untrained_ajahr_ships")
def test_limbs_are_proposed_beside_what_a_human_said_and_survive_a_restart(studio):
    person = first(studio)
    folder = studio.folder

    found = predicting.predict(studio, person.id).result

    assert found.no_limbs is None
    assert studio.person(person.id) == person
    kept = limb_proposals.kept_proposals(studio.project, person.id)
    assert kept == found.limbs
    assert set(kept.probabilities) == set(Limb)
    assert all(sum(row) == pytest.approx(1, abs=1e-4) for row in kept.probabilities.values())
    studio.quit()
    again = Studio(who="test", run_inline=True)
    again.open(folder)
    assert limb_proposals.kept_proposals(again.project, person.id) == kept
    again.quit()


@pytest.mark.usefixtures("_untrained_ajahr_ships")
def test_proposals_say_what_they_read_so_that_an_edit_makes_them_old(studio):
    person = first(studio)
    predicting.predict(studio, person.id)
    kept = limb_proposals.kept_proposals(studio.project, person.id)

    studio.do(edits.set_limb_level(person, Limb.LEFT_ARM, Level.UNSURE))
    assert limb_proposals.what_is_read(studio.person(person.id)) == kept.of
    studio.do(edits.place_point(studio.person(person.id), 0, 5.0, 6.0))
    assert limb_proposals.what_is_read(studio.person(person.id)) != kept.of


@pytest.mark.usefixtures("_untrained_ajahr_ships")
def test_a_photo_that_is_gone_costs_the_proposals_but_not_the_body(studio, monkeypatch):
    person = first(studio)
    gone = KnownError("The photo is gone.", "Locate it.")
    monkeypatch.setattr(studio, "photo_path", lambda photo: _raise(gone))

    found = predicting.predict(studio, person.id).result

    assert found.body.person == person.id
    assert found.limbs is None
    assert found.no_limbs == gone
    assert limb_proposals.kept_proposals(studio.project, person.id) is None


def _raise(error: KnownError) -> None:
    raise error
