import csv
from pathlib import Path

import pytest

from limbstudio.api import (
    LDPOSE_NAMES,
    AnnotatedPhoto,
    Exporter,
    Keypoints,
    KeypointState,
    KnownError,
    Person,
    Photo,
    Point,
)
from limbstudio.services.plugins import discover


@pytest.fixture
def exporter() -> Exporter:
    return discover().exporter("csv_keypoints")


@pytest.fixture
def annotated() -> AnnotatedPhoto:
    points = (
        Keypoints()
        .replaced(0, Point(KeypointState.VISIBLE, 12.5, 7.0))
        .replaced(15, Point(KeypointState.ABSENT, 40.0, 90.0))
    )
    photo = Photo("ab" * 32, 640, 480, "photos/münchen, 1.jpg")
    return AnnotatedPhoto(photo, (Person("1", photo.sha256, points), Person("2", photo.sha256)))


def test_every_person_has_a_row_per_keypoint_with_its_state(
    exporter: Exporter, annotated: AnnotatedPhoto, tmp_path: Path
):
    exporter.export([annotated], tmp_path / "out.csv")

    with (tmp_path / "out.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(r["person"], r["keypoint"]) for r in rows] == [(p, n) for p in "12" for n in LDPOSE_NAMES]
    assert {r["photo"] for r in rows} == {"photos/münchen, 1.jpg"}
    assert (rows[0]["state"], rows[0]["x_px"], rows[0]["y_px"]) == ("visible", "12.5", "7.0")


def test_a_hidden_position_of_an_absent_joint_is_not_written(
    exporter: Exporter, annotated: AnnotatedPhoto, tmp_path: Path
):
    exporter.export([annotated], tmp_path / "out.csv")

    with (tmp_path / "out.csv").open(encoding="utf-8", newline="") as file:
        ankle = list(csv.DictReader(file))[15]
    assert (ankle["state"], ankle["x_px"], ankle["y_px"]) == ("absent", "", "")


def test_a_folder_that_is_not_there_is_reported_in_words(
    exporter: Exporter, annotated: AnnotatedPhoto, tmp_path: Path
):
    with pytest.raises(KnownError, match="could not be written"):
        exporter.export([annotated], tmp_path / "nowhere" / "out.csv")
