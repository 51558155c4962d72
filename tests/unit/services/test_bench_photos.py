"""People of annotated photos, as benchmarks read them."""

import json
import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner

from limbstudio.cli import app
from limbstudio.domain.errors import KnownError
from limbstudio.evaluation import starts_benchmark
from limbstudio.resources import resource_path
from limbstudio.services.bench_photos import read_photo_people

SAMPLES = resource_path("samples/annotations.json")


def changed(folder: Path, **changes: object) -> Path:
    """Write the samples' annotations with other top-level values; photos are not beside them."""
    path = folder / "annotations.json"
    path.write_text(json.dumps({**json.loads(SAMPLES.read_text()), **changes}))
    return path


def test_everybody_of_the_samples_comes_with_the_camera_of_the_photo():
    images = json.loads(SAMPLES.read_text())["images"]
    sizes = {image["file_name"]: (image["width"], image["height"]) for image in images}

    found = read_photo_people(SAMPLES)

    assert found.file == "annotations.json"
    assert len(found.people) == 7
    assert found.left_out == ()
    for one in found.people:
        assert one.camera.size_px == sizes[one.name.split(",")[0]]
        assert one.camera.focal_px > 0


def test_a_photo_that_is_not_there_leaves_its_people_out(tmp_path: Path):
    file = changed(tmp_path)
    shutil.copy(SAMPLES.parent / "chair.jpg", tmp_path)

    found = read_photo_people(file)

    assert [one.name.split(",")[0] for one in found.people] == ["chair.jpg"]
    assert len(found.left_out) == 6
    assert any(line.startswith("bench.jpg, person") for line in found.left_out)


def test_files_without_people_are_refused_with_the_reason(tmp_path: Path):
    with pytest.raises(KnownError, match="names no people"):
        read_photo_people(changed(tmp_path, annotations=[]))
    with pytest.raises(KnownError, match=r"Nobody of annotations.json can be fitted.*\.jpg"):
        read_photo_people(changed(tmp_path))
    few = [
        {**one, "keypoints": one["keypoints"][:6] + [0] * 69, "num_keypoints": 2}
        for one in json.loads(SAMPLES.read_text())["annotations"]
    ]
    for one in few:
        one.pop("limbstudio", None)
    for photo in SAMPLES.parent.glob("*.jpg"):
        shutil.copy(photo, tmp_path)
    with pytest.raises(KnownError, match="needs at least 4"):
        read_photo_people(changed(tmp_path, annotations=few))
    with pytest.raises(KnownError):
        read_photo_people(tmp_path / "nothing.json")


@pytest.mark.usefixtures("_untrained_ajahr_ships")
def test_the_command_says_that_photos_have_no_truth(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(starts_benchmark, "_ROUNDS", 1)
    figures = tmp_path / "figures.json"
    file = changed(tmp_path)
    for name in ("chair.jpg", "park_walk.jpg"):
        shutil.copy(SAMPLES.parent / name, tmp_path)
    command = ["bench", "ajahr", "--people", "0", "--starts", "0", "--photos", str(file)]

    found = CliRunner().invoke(app, [*command, "--json", str(figures)])

    assert found.exit_code == 0, found.output
    assert "Photos have no truth" in found.output
    assert "final energy, share" in found.output
    on_photos = json.loads(figures.read_text())["figures"]["as what a fit begins with, on photos"]
    assert on_photos["people"] == 2
    assert "park_intact.jpg" in on_photos["left out"]
    assert "no truth" in on_photos["note"]


def test_the_command_needs_something_to_measure():
    found = CliRunner().invoke(app, ["bench", "ajahr", "--people", "0", "--starts", "0"])

    assert isinstance(found.exception, KnownError)
    assert "Nothing was asked" in found.exception.message
