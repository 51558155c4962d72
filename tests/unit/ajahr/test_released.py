"""AJAHR on a user's copy of the released weights: its crop, its oddities, and the command from end to end."""

import json
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch
from typer.testing import CliRunner

from limbstudio.ajahr import checkpoint
from limbstudio.ajahr.build import ReleasedOptions, build_ajahr
from limbstudio.ajahr.network import AjahrNet
from limbstudio.ajahr.released import ReleasedPredictor, heatmap_points, released_crop, released_square
from limbstudio.body.model import BodyModel, load_body
from limbstudio.body.smpl_files import read_smpl_file, smplx_layer
from limbstudio.cli_ajahr import ajahr_app
from limbstudio.domain.anatomy import Level, Limb, LimbState
from limbstudio.domain.errors import KnownError
from limbstudio.domain.geometry import Box
from limbstudio.domain.photo import Person
from limbstudio.formats.coco import read_annotations
from limbstudio.images import open_photo
from limbstudio.resources import resource_path
from limbstudio.services import weights as service

from .tiny import TINY, write_released_files

LEFT_LEG_HEAD = 3


@pytest.fixture(scope="module")
def network() -> AjahrNet:
    """A network that takes every left leg for lost at the knee, and all else for intact."""
    torch.manual_seed(4)
    network = build_ajahr(TINY)
    with torch.no_grad():
        for head in (1, 2, 3, 4):
            layer = network.classifier.get_submodule(f"head{head}")
            layer.weight.zero_()  # type: ignore[operator]
            layer.bias.copy_(torch.tensor([0.0, 5.0, 0.0, 0.0] if head == LEFT_LEG_HEAD else [0.0, 0.0, 0.0, 5.0]))  # type: ignore[operator]  # fmt: skip
    return network


@pytest.fixture(scope="module")
def smpl(smpl_npz) -> BodyModel:
    return load_body(smpl_npz("smpl"))


@pytest.fixture(scope="module")
def sample() -> tuple[np.ndarray, Person]:
    found = read_annotations(resource_path("samples/annotations.json")).people[0]
    return open_photo(resource_path(f"samples/{found.file_name}")).pixels, found.person


def boxed(box: Box) -> Person:
    return Person("1", "0" * 64, box=box)


def test_the_square_holds_the_box_at_three_to_four():
    tall, wide = released_square(boxed(Box(10, 20, 60, 200))), released_square(boxed(Box(10, 20, 300, 200)))

    assert (tall.left, tall.top, tall.side) == (-60, 20, 200)
    assert (wide.left, wide.top, wide.side) == (-40, -80, 400)


def test_the_crop_lies_where_points_are_moved_to_and_is_black_outside():
    pixels = np.full((400, 300, 3), 128, np.uint8)
    pixels[98:103, 78:83] = 255
    person = boxed(Box(50, 40, 150, 200))
    square = released_square(person)

    crop = released_crop(pixels, square)

    bright = crop.sum(0)
    y, x = np.argwhere(bright > 0.99 * bright.max()).mean(0)
    place = (np.array([80, 100]) - (square.left, square.top)) * 256 / square.side
    assert np.abs(place - (x, y)).max() < 1.5
    black = released_crop(pixels, released_square(boxed(Box(-200, -200, 300, 300))))[:, 0, 0]
    assert black == pytest.approx([-123.675 / 58.395, -116.28 / 57.12, -103.53 / 57.375])
    with pytest.raises(KnownError, match="outside the picture"):
        released_crop(pixels, released_square(boxed(Box(900, 900, 40, 80))))


def test_heatmaps_lie_in_the_crop_or_as_the_release_has_them(sample):
    person = sample[1]
    doubted = replace(person.keypoints.points[5], confidence=0.5)
    person = replace(person, keypoints=person.keypoints.replaced(5, doubted))
    square = released_square(person)

    inside = heatmap_points(person, square, release_exact=False)
    exact = heatmap_points(person, square, release_exact=True)

    nose = person.keypoints.points[0]
    assert exact[0] == pytest.approx((nose.x, nose.y))
    assert ((inside[0] >= 0) & (inside[0] < 256)).all()
    assert inside[5].tolist() == exact[5].tolist() == [0, 0]  # the detector was less sure than 0.55


def test_what_bpac_takes_for_lost_is_collapsed_and_what_is_recorded_stays(network, smpl, sample):
    pixels, person = sample
    recorded = replace(person, limbs={**person.limbs, Limb.LEFT_LEG: LimbState(Level.INTACT)})

    result = ReleasedPredictor(network, ReleasedOptions()).person(pixels, recorded, smpl)

    assert result.mesh.vertices.shape == smpl.template.shape
    knee, ankle, toe = (result.fit.joints[joint] for joint in (4, 7, 10))
    assert np.abs(ankle - knee).max() < 1e-3
    assert np.abs(toe - knee).max() < 1e-3
    assert np.abs(result.fit.joints[8] - result.fit.joints[5]).max() > 0.2
    assert result.person.limbs[Limb.LEFT_LEG].level is Level.INTACT
    said, differs = result.warnings[-2:]
    assert all(name in said for name in ("Left arm is intact", "Left leg ends at or above the knee"))
    assert (
        differs
        == "That differs from what is recorded: "
        + said.partition("Left leg")[1]
        + differs.partition("Left leg")[2]
    )
    assert "arm" not in differs
    height, width = pixels.shape[:2]
    assert result.fit.camera.focal_px == pytest.approx(5000 / 256 * max(width, height))


def test_the_mesh_is_what_smplx_makes_of_the_networks_rotations(network, smpl, smpl_npz, sample):
    """Hands and zero matrices included: nothing of what the network says is lost on the way."""
    predictor = ReleasedPredictor(network, ReleasedOptions())
    answer = predictor(sample[0], sample[1], smpl)
    result = predictor.person(sample[0], sample[1], smpl)

    layer = smplx_layer(read_smpl_file(smpl_npz("smpl")))
    rotations = np.concatenate([answer.guess.pose, answer.hands[None]], 1)
    with torch.no_grad():
        theirs = layer(
            betas=torch.tensor(answer.guess.shape[:, :10], dtype=torch.float32),
            global_orient=torch.tensor(answer.guess.orientation[:, None], dtype=torch.float32),
            body_pose=torch.tensor(rotations, dtype=torch.float32),
            pose2rot=False,
        )
    move = answer.guess.root[0] - theirs.joints[0, 0].numpy()

    zero = (rotations[0] == 0).all((1, 2))
    assert np.flatnonzero(zero).tolist() == [3, 6, 9]  # left knee, ankle, foot
    assert not np.allclose(answer.hands, np.eye(3), atol=1e-3)
    np.testing.assert_allclose(result.mesh.vertices, theirs.vertices[0].numpy() + move, atol=2e-4)


def test_a_box_many_times_the_photo_is_refused_at_once():
    with pytest.raises(KnownError, match="many times larger than the photo"):
        released_crop(np.zeros((40, 30, 3), np.uint8), released_square(boxed(Box(-5e6, -5e6, 1e7, 1e7))))


def test_a_person_without_anything_to_look_at_is_refused(network, smpl, sample):
    with pytest.raises(KnownError, match="neither a box nor two points"):
        ReleasedPredictor(network, ReleasedOptions())(sample[0], Person("1", "0" * 64), smpl)


def test_oddities_change_the_answer_and_are_off_unless_asked_for(network, smpl, sample):
    answers = [
        ReleasedPredictor(network, options)(sample[0], sample[1], smpl)
        for options in (ReleasedOptions(), ReleasedOptions(second_pass=True), ReleasedOptions())
    ]

    assert np.array_equal(answers[0].guess.root, answers[2].guess.root)
    assert not np.allclose(answers[0].guess.root, answers[1].guess.root, atol=1e-3)


def test_another_body_is_refused(network, body, sample):
    with pytest.raises(KnownError, match="is not SMPL"):
        ReleasedPredictor(network, ReleasedOptions())(sample[0], sample[1], body)


# ------------------------------------------------------------------------------------------------ command line


@pytest.fixture
def files(network: AjahrNet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    monkeypatch.setenv("LIMBSTUDIO_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(service, "_recognise", partial(checkpoint.recognise, numbers=TINY))
    monkeypatch.setattr(service, "_load", partial(checkpoint.load_ajahr, numbers=TINY))
    return write_released_files(network, tmp_path)


def _predict(out: Path, *more: str) -> str:
    photo, annotations = resource_path("samples/chair.jpg"), resource_path("samples/annotations.json")
    arguments = ["predict", str(photo), "--annotations", str(annotations), "--out", str(out), *more]
    return CliRunner().invoke(ajahr_app, arguments, catch_exceptions=False).output


def test_the_command_predicts_with_added_weights_and_says_first_what_is_missing(
    files, smpl_npz, tmp_path: Path
):
    with pytest.raises(KnownError, match="not all there.*checkpoint"):
        _predict(tmp_path / "out", "--released")
    service.add_weights(files, replace=False, report=lambda fraction, sentence: None)
    with pytest.raises(KnownError, match="SMPL's body, and there is none"):
        _predict(tmp_path / "out", "--released")
    service.add_weights([smpl_npz("smpl")], replace=False, report=lambda fraction, sentence: None)

    said = _predict(tmp_path / "out", "--released", "--release-exact")

    assert "1 made" in said
    assert "is drawn together into the joint above it" in said
    assert "BPAC-Net says: Left arm" in said
    (fit,) = (tmp_path / "out").glob("*/fit.json")
    assert json.loads(fit.read_text())


def test_options_that_contradict_each_other_are_refused(tmp_path: Path):
    with pytest.raises(KnownError, match="about the released weights"):
        _predict(tmp_path, "--second-pass")
    with pytest.raises(KnownError, match="their own file and camera"):
        _predict(tmp_path, "--released", "--focal-px", "900")
