"""AJAHR's shipped weights at work from the command line, on the sample project."""

import json

import pytest


@pytest.fixture
def annotations(samples):
    return samples / "annotations.json"


def test_every_sample_is_predicted(limbstudio, sample_photos, annotations, tmp_path):
    ended = limbstudio(
        "ajahr", "predict", *sample_photos, "--annotations", annotations, "--out", tmp_path, "--json"
    )

    assert ended.code == 0, ended.err
    outcomes = ended.json["people"]
    assert len(outcomes) == 7
    for outcome in outcomes:
        fit = json.loads((tmp_path / outcome["folder"].rsplit("/", 1)[-1] / "fit.json").read_text("utf-8"))
        assert fit["mesh"]["watertight"] is True
        assert (
            outcome["metrics"]["intact_error_pct_box"] < 12
        )  # a guess, not a fit: it knows no pixel of the photo


def test_a_fit_that_begins_with_a_prediction_meets_the_points_as_the_other_does(
    limbstudio, samples, annotations, tmp_path
):
    photo = samples / "parallel_bars.jpg"
    found = {}
    for init in ("starts", "ajahr"):
        ended = limbstudio(
            "reconstruct",
            photo,
            "--annotations",
            annotations,
            "--out",
            tmp_path / init,
            "--init",
            init,
            "--json",
        )
        assert ended.code == 0, ended.err
        (found[init],) = ended.json["people"]

    errors = {init: outcome["metrics"]["intact_error_pct_box"] for init, outcome in found.items()}
    assert errors["ajahr"] < errors["starts"] + 0.2
    assert found["ajahr"]["metrics"]["residual_error_pct_box"] < 1


def test_weights_that_are_not_there_are_said(limbstudio, samples, annotations, tmp_path):
    ended = limbstudio(
        "ajahr", "predict", samples / "chair.jpg", "--annotations", annotations, "--out", tmp_path / "out",
        "--weights", tmp_path / "none.npz",
    )  # fmt: skip

    assert ended.code == 2
    assert "none.npz" in ended.err
    assert not (tmp_path / "out").exists()
