"""Predictions asked for in the window, by menu and key, and what is said of them."""

from functools import partial
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from limbstudio.ajahr.build import ReleasedOptions, build_ajahr
from limbstudio.domain import edits
from limbstudio.domain.anatomy import Level, Limb
from limbstudio.domain.edits import Edit
from limbstudio.domain.errors import KnownError
from limbstudio.domain.limb_proposals import ProposedLimbs
from limbstudio.services import initialisers, predicting, weights
from limbstudio.services.limb_proposals import keep_proposals, what_is_read
from limbstudio.services.predicting import PredictionReport
from limbstudio.ui.living.predicting import prediction_words
from limbstudio.ui.living.prediction_settings import PredictionSettings

from ..unit.ajahr.tiny import TINY, write_released_files
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


def propose(window, rows: dict[Limb, tuple[float, ...]], *, of: str | None = None, by: str = "test") -> None:
    """Keep proposals of the person in work; limbs that are not named are intact."""
    studio, person = window.session.studio, window.session.person
    intact = (0.01, 0.01, 0.01, 0.97)
    found = ProposedLimbs(
        person.id, person.photo, {limb: rows.get(limb, intact) for limb in Limb},
        of or what_is_read(person), by,
    )  # fmt: skip
    studio.do(Edit("Propose", keep_proposals(studio.project, found), None, person.photo, human=False))


def test_a_proposed_loss_is_shown_and_offered_but_not_set(window, qtbot):
    placed_person(window, qtbot)
    panel = window.person_panel

    propose(window, {Limb.LEFT_LEG: (0.05, 0.87, 0.02, 0.06)})

    qtbot.waitUntil(lambda: "87 %" in panel.diagram.limb_text(Limb.LEFT_LEG))
    assert "AJAHR proposes: ends at or above the knee (87 %)" in panel.diagram.limb_text(Limb.LEFT_LEG)
    assert "Left leg ends at or above the knee (87 %)" in panel.diagram.accessibleDescription()
    assert window.session.person.limbs[Limb.LEFT_LEG].level is Level.INTACT
    said = [f.text for f in panel._found(window.session.person)]
    assert "Left leg: AJAHR proposes that it ends at or above the knee (87 %)." in said


def test_what_a_human_said_is_not_argued_with(window, qtbot):
    placed_person(window, qtbot)
    window.session.do(edits.set_limb_level(window.session.person, Limb.LEFT_ARM, Level.TRANSHUMERAL))

    propose(window, {Limb.LEFT_ARM: (0.9, 0.02, 0.02, 0.06)})

    said = [f.text for f in window.person_panel._found(window.session.person)]
    assert not any("AJAHR" in text for text in said)
    qtbot.waitUntil(lambda: "90 %" in window.person_panel.diagram.limb_text(Limb.LEFT_ARM))


def test_close_answers_are_unsure_and_the_limit_is_remembered(window, qtbot):
    placed_person(window, qtbot)
    propose(window, {Limb.LEFT_LEG: (0.0, 0.75, 0.0, 0.25)})
    diagram = window.person_panel.diagram
    qtbot.waitUntil(lambda: "75 %" in diagram.limb_text(Limb.LEFT_LEG))
    assert "Unsure" not in diagram.limb_text(Limb.LEFT_LEG)

    window.actions_table["prediction_settings"].trigger()
    dialog = window.findChild(PredictionSettings)
    dialog.limit.setValue(60)
    dialog.accept()

    qtbot.waitUntil(lambda: "Unsure" in diagram.limb_text(Limb.LEFT_LEG))
    assert window.memory.value("limb_proposals/unsure_below", 0.2, float) == pytest.approx(0.6)
    assert not any("AJAHR" in f.text for f in window.person_panel._found(window.session.person))


def test_proposals_from_before_an_edit_say_so_and_offer_nothing(window, qtbot):
    placed_person(window, qtbot)

    propose(window, {Limb.RIGHT_ARM: (0.95, 0.02, 0.02, 0.01)}, of="something else")

    diagram = window.person_panel.diagram
    qtbot.waitUntil(lambda: "before your last edit" in diagram.limb_text(Limb.RIGHT_ARM))
    assert not any("AJAHR" in f.text for f in window.person_panel._found(window.session.person))


def test_proposals_by_released_weights_say_that_nobody_calibrated_them(window, qtbot):
    placed_person(window, qtbot)
    text = window.person_panel.diagram.limb_text

    propose(window, {}, by="AJAHR, released weights 1234")
    qtbot.waitUntil(lambda: "not calibrated" in text(Limb.RIGHT_ARM))
    propose(window, {}, by="0123456789ab")

    qtbot.waitUntil(lambda: "not calibrated" not in text(Limb.RIGHT_ARM))
    assert "is intact (97 %)" in text(Limb.RIGHT_ARM)


@pytest.mark.usefixtures("_untrained_ajahr_ships", "body_fit_stand_in")
def test_the_key_predicts_from_the_photo_list_too(window, qtbot):
    placed_person(window, qtbot)
    photos = window.photos_panel.list
    photos.setFocus()
    qtbot.waitUntil(photos.hasFocus)

    QTest.keyClick(photos, Qt.Key.Key_I, _CTRL_ALT)

    qtbot.waitUntil(lambda: window.session.studio.fit_of(window.session.person.id) is not None)


def test_proposals_are_drawn_on_the_diagram(window, qtbot):
    placed_person(window, qtbot)
    diagram = window.person_panel.diagram
    before = diagram.grab().toImage()

    propose(window, {Limb.RIGHT_LEG: (0.05, 0.87, 0.02, 0.06)})

    qtbot.waitUntil(lambda: diagram.grab().toImage() != before)


@pytest.fixture
def added_weights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """Let somebody have added AJAHR's weights, which are tiny here, and an SMPL body; return the added weights."""
    from limbstudio.ajahr import checkpoint

    monkeypatch.setenv("LIMBSTUDIO_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(weights, "_recognise", partial(checkpoint.recognise, numbers=TINY))
    monkeypatch.setattr(weights, "own_smpl_body", lambda: tmp_path / "SMPL_NEUTRAL.pkl")
    files = write_released_files(build_ajahr(TINY), tmp_path)
    return [row.path for row in weights.add_weights(files, replace=False, report=lambda *_: None)]


def settings(window, qtbot, *, waits_for: str) -> PredictionSettings:
    """Open the settings and wait until something is said of the weights."""
    window.actions_table["prediction_settings"].trigger()
    dialog = window.findChildren(PredictionSettings)[-1]
    qtbot.waitUntil(lambda: waits_for in dialog.state_text)
    return dialog


def test_own_weights_that_are_not_there_cannot_be_chosen_and_it_is_said_which(
    window, qtbot, tmp_path, monkeypatch
):
    monkeypatch.setenv("LIMBSTUDIO_HOME", str(tmp_path / "home"))

    dialog = settings(window, qtbot, waits_for="Missing")

    assert not dialog.own.isEnabled()
    assert not dialog.second_pass.isEnabled()
    assert dialog.small.isChecked()
    said = dialog.own.toolTip().splitlines()
    assert [line.partition(" (")[0] for line in said[:2] + said[3:4]] == [
        "Missing: AJAHR's checkpoint",
        "Missing: the tokenizer for people with all limbs that belongs to the checkpoint",
        "Missing: the SMPL body model",
    ]
    assert said[-1] == "Add what is missing in a terminal: limbstudio weights add FILE..."
    dialog.reject()


def test_own_weights_are_chosen_remembered_and_asked(window, qtbot, added_weights, monkeypatch):
    placed_person(window, qtbot)
    asked = []
    monkeypatch.setattr(
        predicting, "predict", lambda studio, person, released=None: asked.append((person, released))
    )

    dialog = settings(window, qtbot, waits_for="All there")
    assert not dialog.second_pass.isEnabled()
    dialog.own.click()
    dialog.second_pass.click()
    dialog.accept()

    assert window.memory.value("prediction/own_ajahr_weights", False, bool) is True
    qtbot.waitUntil(window.isActiveWindow)
    QTest.keyClick(window.annotate_page.view, Qt.Key.Key_I, _CTRL_ALT)
    assert asked == [(window.session.person.id, ReleasedOptions(second_pass=True))]

    added_weights[0].unlink()
    again = settings(window, qtbot, waits_for="Missing")
    assert again.own.isChecked()  # it is said, not changed
    assert again.second_pass.isChecked()
    again.small.click()
    again.accept()
    assert window.memory.value("prediction/own_ajahr_weights", True, bool) is False
