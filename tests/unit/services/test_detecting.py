"""A plugin's detector of people: found by name, asked in every process, and its failures are told."""

import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
from typer.testing import CliRunner

from limbstudio.a3d.making import make_set
from limbstudio.a3d.plans import SampleOptions
from limbstudio.cli import app
from limbstudio.domain.errors import KnownError
from limbstudio.services.detecting import people_finder

from .test_plugins import write_plugin

REDS = """
import numpy as np
from limbstudio.api import Box, DetectedPerson

class Reds:
    '''Takes what is bright red for a person.'''

    api_version = 1
    name = "Red people"

    def find(self, pixels):
        red = (pixels[..., 0] > 180) & (pixels[..., 1] < 90)
        if not red.any():
            return []
        y, x = np.nonzero(red)
        box = Box(float(x.min()), float(y.min()), float(np.ptp(x)) + 1, float(np.ptp(y)) + 1)
        points = np.zeros((KEYPOINTS, 3))
        points[:5] = box.x, box.y, 0.9
        return [DetectedPerson(box, points)]
"""


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("LIMBSTUDIO_HOME", str(tmp_path))
    monkeypatch.setattr(sys, "path", list(sys.path))
    write_plugin(tmp_path / "plugins", "reds", REDS.replace("KEYPOINTS", "17"), "Reds")
    write_plugin(tmp_path / "plugins", "short", REDS.replace("KEYPOINTS", "5"), "Reds")
    return tmp_path


@pytest.fixture
def backgrounds(tmp_path: Path) -> Path:
    folder = tmp_path / "backgrounds"
    folder.mkdir()
    y, x = np.mgrid[0:300, 0:300]
    picture = np.stack([90 + 0.1 * x, 100 + 0.2 * y, 0 * x + 130], -1).astype(np.uint8)
    picture[80:220, 130:170] = (220, 40, 40)
    cv2.imwrite(str(folder / "one.png"), picture[..., ::-1])
    return folder


def test_a_detector_is_found_by_name_and_counts_what_it_is_sure_of():
    picture = np.full((60, 80, 3), 120, np.uint8)
    picture[10:40, 20:30] = (220, 30, 30)

    (found,) = people_finder("reds")(picture)

    assert found.box == (20, 10, 10, 30)
    assert found.keypoints == 5


def test_a_detector_that_is_not_there_or_fails_is_told_of(home: Path):
    with pytest.raises(KnownError, match="There is no detector named nobody"):
        people_finder("nobody")
    nans = REDS.replace("KEYPOINTS", "17").replace("float(x.min())", "np.nan")
    write_plugin(home / "plugins", "nans", nans, "Reds")
    with pytest.raises(
        KnownError, match="The detector nans failed: ValueError: a box or keypoints that are not"
    ):
        people_finder("nans")(np.full((9, 9, 3), (220, 0, 0), np.uint8))
    with pytest.raises(
        KnownError, match=r"The detector short failed: ValueError: keypoints of shape \(5, 3\)"
    ):
        people_finder("short")(np.full((9, 9, 3), (220, 0, 0), np.uint8))


def test_detectors_are_listed():
    said = CliRunner().invoke(app, ["plugins", "list"], catch_exceptions=False).output

    assert "reds: Red people (detector of people)" in said


def test_samples_made_with_a_detector_are_the_same_for_any_number_of_workers(
    backgrounds: Path, tmp_path: Path
):
    options = SampleOptions(seed=2, size_px=64, backgrounds=backgrounds)
    for workers in (1, 2):
        make_set(tmp_path / f"out{workers}", 6, options, workers=workers, find_people=people_finder("reds"))

    one, two = ((tmp_path / f"out{workers}" / "a3d-000000.tar").read_bytes() for workers in (1, 2))
    assert one == two
    assert "A detector found no keypoints" in (tmp_path / "out1" / "datasheet.md").read_text()


def test_the_command_takes_a_detector_for_backgrounds_only(backgrounds: Path, tmp_path: Path):
    arguments = [
        "a3d",
        "make",
        "--out",
        str(tmp_path / "set"),
        "--count",
        "2",
        "--size",
        "64",
        "--detector",
        "reds",
    ]
    with pytest.raises(KnownError, match="looks at the photos of --backgrounds"):
        CliRunner().invoke(app, arguments, catch_exceptions=False)

    said = CliRunner().invoke(app, [*arguments, "--backgrounds", str(backgrounds)], catch_exceptions=False)

    assert "2 samples were made" in said.output
