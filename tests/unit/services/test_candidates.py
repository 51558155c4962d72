"""Earlier results are candidates: the list, the other explanation, options that make a fit stale, and differences."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from limbstudio.domain.body import ScaleSource
from limbstudio.domain.edits import Change, Edit
from limbstudio.domain.errors import KnownError
from limbstudio.services import candidates, fit_options
from limbstudio.services.samples import sample_project
from limbstudio.services.studio import Studio


@pytest.fixture(scope="module")
def studio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Studio]:
    """A studio on the sample project whose first person was fitted."""
    import shutil

    folder = tmp_path_factory.mktemp("candidates") / "sample.limb"
    shutil.copytree(sample_project(), folder)
    made = Studio(who="test", run_inline=True)
    made.open(folder)
    person = next(iter(made.project.of_kind("person")))
    made.fit(person.id)
    yield made
    made.quit()


@pytest.fixture
def person(studio: Studio):
    return next(iter(studio.project.of_kind("person")))


@pytest.fixture
def undone(studio: Studio, person) -> Iterator[None]:
    """Take back what the test did."""
    before = len(studio.journal(everything=True))
    yield
    for _ in range(len(studio.journal(everything=True)) - before):
        if studio.undo(person.photo) is None:
            break


def test_the_list_says_what_each_fit_came_from_and_how_well_it_meets_the_points(studio, person):
    (only,) = candidates.candidates_of(studio, person)

    assert only.is_chosen
    assert not only.is_stale
    assert only.origin == "points"
    assert 0 < only.intact_error_pct < 5
    assert 0 <= only.residual_error_pct < 5
    assert only.iou is None or 0.5 < only.iou <= 1


def test_the_fit_that_counts_is_not_deleted(studio, person):
    with pytest.raises(KnownError, match="counts"):
        candidates.delete(studio, studio.fit_of(person.id))


def test_the_other_explanation_is_chosen_and_undo_brings_the_first_back(studio, person, undone):
    first = studio.fit_of(person.id)
    turned = replace(
        first.fit, orientation=first.fit.orientation + 0.3, joints=first.fit.joints + 0.1, alternatives=()
    )
    ambiguous = replace(first, id="ambiguous", fit=replace(first.fit, alternatives=(turned,)))
    studio.do(Edit("Ambiguous", (Change(("fit", ambiguous.id), None, ambiguous),), None, person.photo))
    studio.choose_fit(ambiguous)

    candidates.choose_other_explanation(studio, person)

    other = studio.fit_of(person.id)
    assert np.allclose(other.fit.orientation, turned.orientation)
    assert len(studio.body_mesh(other).vertices) > 1000
    assert candidates.origin_of(other) == "the other explanation"
    assert candidates.choose_other_explanation(studio, person) is None  # and back: it is there already
    assert studio.fit_of(person.id).id == "ambiguous"
    studio.undo(person.photo)
    assert studio.fit_of(person.id).id == other.id
    studio.undo(person.photo)
    assert studio.fit_of(person.id).id == "ambiguous"


def test_one_explanation_only_is_said(studio, person):
    if studio.fit_of(person.id).fit.alternatives:
        pytest.skip("this fit has another explanation")
    with pytest.raises(KnownError, match="only one explanation"):
        candidates.choose_other_explanation(studio, person)


def test_a_held_shape_makes_the_fit_stale_until_it_is_freed(studio, person, undone):
    fit = studio.fit_of(person.id)

    studio.do(fit_options.lock_shape(studio.project, person, fit))
    assert studio.is_stale(fit)
    studio.do(fit_options.lock_shape(studio.project, person, fit))

    assert not studio.is_stale(fit)
    assert ("fit_options", person.id) not in studio.project.records


def test_a_pin_is_an_edit_that_can_be_undone(studio, person, undone):
    fit = studio.fit_of(person.id)

    studio.do(fit_options.pin(studio.project, person, 9, fit, in_space=True))

    (pin,) = fit_options.options_of(studio.project, person).pins
    assert pin.position_m == pytest.approx(tuple(fit.fit.joints[20]))
    studio.undo(person.photo)
    assert not fit_options.options_of(studio.project, person).pins


def test_what_is_not_installed_cannot_begin_a_fit(studio, person):
    with pytest.raises(KnownError, match="weights"):
        fit_options.choose_initialiser(studio.project, person, "hkmr")


def test_differences_are_millimetres_only_where_both_scales_are_known(studio, person):
    fit = studio.fit_of(person.id)
    mesh = studio.body_mesh(fit)
    moved = replace(mesh, vertices=mesh.vertices + np.float32([0.0, 0.01, 0.0]))
    known = replace(fit.fit, scale=ScaleSource.STATURE)
    guessed = replace(fit.fit, scale=ScaleSource.PRIOR)

    in_mm = candidates.difference(mesh, moved, known, known)
    in_shares = candidates.difference(mesh, moved, known, guessed)

    assert in_mm.unit == "mm"
    assert in_mm.shown == pytest.approx(np.full(len(mesh.vertices), 10.0), abs=0.01)
    assert in_shares.unit == "%"
    assert 0.3 < in_shares.shown.mean() < 1.5


def test_the_project_keeps_what_is_asked(studio, person, tmp_path: Path, undone):
    fit = studio.fit_of(person.id)
    studio.do(fit_options.lock_shape(studio.project, person, fit))

    options = fit_options.asked_of(studio.project, person.id)

    assert options is not None
    assert options.shape == pytest.approx(tuple(fit.fit.shape))
