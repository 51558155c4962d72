"""Predictions asked for in the window, by menu and key, and what is said of them."""

from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from limbstudio.domain.errors import KnownError
from limbstudio.services import initialisers
from limbstudio.services.predicting import PredictionReport
from limbstudio.ui.living.predicting import prediction_words

from .test_window import placed_person

_CTRL_ALT = Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.AltModifier


@pytest.mark.usefixtures("_untrained_ajahr_ships", "body_fit_stand_in")
def test_a_prediction_by_key_is_kept_and_a_first_fit_follows(window, qtbot):
    placed_person(window, qtbot)
    person = window.session.person
    assert window.session.studio.fit_of(person.id) is None

    QTest.keyClick(window.annotate_page.view, Qt.Key.Key_I, _CTRL_ALT)

    qtbot.waitUntil(lambda: window.session.studio.fit_of(person.id) is not None)
    fits = window.session.studio.fits_of(person.id)
    assert len(fits) == 2
    assert {fit.fit.provenance.stage for fit in fits} == {"AJAHR", ""}
    assert window.session.studio.fit_of(person.id).fit.provenance.stage == ""
    qtbot.waitUntil(lambda: window.actions_table["compare_cycle"].isEnabled() or window.mesh_page.isHidden())


@pytest.mark.usefixtures("_untrained_ajahr_ships", "body_fit_stand_in")
def test_all_photos_are_predicted_as_one_job_and_it_is_said(window, qtbot):
    placed_person(window, qtbot)

    window.actions_table["predict_all"].trigger()

    qtbot.waitUntil(lambda: "1 body was predicted" in window.message_bar.text)
    assert len(window.session.studio.fits_of(window.session.person.id)) == 1


def test_without_weights_or_points_nothing_is_offered(window, monkeypatch, untrained_ajahr, qtbot):
    monkeypatch.setattr(initialisers, "resource_path", lambda name: Path("/nowhere"))
    window.annotate_page.new_person()
    qtbot.waitUntil(lambda: window.session.person is not None)
    assert not window.actions_table["predict_body"].isEnabled()

    monkeypatch.setattr(initialisers, "resource_path", lambda name: untrained_ajahr)
    window.show_available()
    assert not window.actions_table["predict_body"].isEnabled()
    assert window.actions_table["predict_all"].isEnabled()


def test_a_batch_is_told_in_sentences():
    report = PredictionReport(2, 1, (("a.jpg", KnownError("Too few points.", "Place more.")),))

    assert prediction_words(report) == (
        "2 bodies were predicted and kept beside the fits. 1 has no points yet. "
        "1 could not be predicted: a.jpg: Too few points."
    )
