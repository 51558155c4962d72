"""Training of what AJAHR sees in the picture: samples and their mirror images, and a tiny run that learns."""

import csv
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from limbstudio.a3d.making import make_set
from limbstudio.a3d.plans import SampleOptions
from limbstudio.ajahr.build import PictureNumbers, build_studio
from limbstudio.ajahr.keypoint_network import appearing_size, confidences
from limbstudio.ajahr.plain_weights import read_weights, save_weights
from limbstudio.ajahr.predict import load_network
from limbstudio.body.model import BodyModel
from limbstudio.domain.anatomy import N_COCO
from limbstudio.domain.errors import KnownError
from limbstudio.resihmr.problem import fit_model
from limbstudio.resihmr.skeleton import Skeleton
from limbstudio.training import picture_ajahr
from limbstudio.training.bpac_samples import find_samples, read_with
from limbstudio.training.keypoint_ajahr import PosedBody
from limbstudio.training.lightning_modules import Machine
from limbstudio.training.picture_ajahr import PicturePlan, begin, keep, learn_picture
from limbstudio.training.picture_samples import (
    PictureSample,
    SeenBodies,
    looked_at,
    mirrored,
    picture_sample,
    told_truth,
)

from ..ajahr.tiny import TINY_FEATURES, TINY_STUDIO

TINY = replace(TINY_STUDIO, picture=PictureNumbers(64, TINY_FEATURES))


@pytest.fixture(scope="module")
def skeleton(body: BodyModel) -> Skeleton:
    return fit_model(body).skeleton


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    root = tmp_path_factory.mktemp("picture")
    for name, count, seed in (("set", 16, 5), ("others", 6, 6)):
        make_set(root / name, count, SampleOptions(seed=seed, size_px=64), shard_size=10)
    return root / "set", root / "others"


@pytest.fixture(scope="module")
def samples(folders: tuple[Path, Path]) -> list[PictureSample]:
    found = [read_with(place, picture_sample) for place in find_samples(folders[0])]
    return [sample for sample in found if sample.told.sum() >= 6]


@pytest.fixture(scope="module")
def start(tmp_path_factory: pytest.TempPathFactory) -> Path:
    torch.manual_seed(1)
    path = tmp_path_factory.mktemp("start") / "ajahr.npz"
    save_weights(build_studio(TINY_STUDIO), path)
    return path


@pytest.fixture
def classifier(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file that has features as the limb classifier's file has."""
    torch.manual_seed(2)
    network = build_studio(TINY)
    assert network.picture is not None
    path = tmp_path / "bpac.npz"
    save_weights(torch.nn.ModuleDict({"features": network.picture.features}), path)
    monkeypatch.setattr(picture_ajahr, "shipped_classifier", lambda: path)
    return path


@pytest.mark.parametrize("is_mirrored", [False, True])
def test_the_body_lies_where_its_points_do(samples, body, skeleton, is_mirrored):
    shown = [mirrored(sample, body) if is_mirrored else sample for sample in samples]
    truth = told_truth(SeenBodies.of(shown), skeleton, np.random.default_rng(0))

    placed = PosedBody(skeleton)(truth.orientation, truth.pose, truth.shape, truth.place).points[:, :N_COCO]
    told = truth.inputs[:, :42].view(-1, 21, 2)[:, :N_COCO] * appearing_size(truth.inputs)[:, None, None] / 2
    there = (confidences(truth.inputs)[:, :N_COCO, None] > 0.99).float()
    gap = (placed[..., :2] / placed[..., 2:] - told) * there
    middle = gap.sum(1, keepdim=True) / there.sum(1, keepdim=True).clamp_min(1)
    off = ((gap - middle) * there).abs().sum((1, 2)) / (2 * there.sum((1, 2)).clamp_min(1))

    assert (off / appearing_size(truth.inputs)).median() < 0.02


def test_a_mirror_image_of_a_mirror_image_is_the_sample(samples, body):
    for sample in samples[:4]:
        again = mirrored(mirrored(sample, body), body)

        np.testing.assert_allclose(again.px, sample.px, atol=1e-9)
        np.testing.assert_allclose(again.pose, sample.pose, atol=1e-9)
        np.testing.assert_array_equal(again.endings, sample.endings)
        np.testing.assert_array_equal(again.shown.pixels, sample.shown.pixels)
    assert any((mirrored(one, body).endings != one.endings).any() for one in samples)


def test_points_lie_on_the_crop_as_on_the_photo(samples):
    sample = samples[0]
    crop, places = looked_at(sample, 64, None)
    row = int(np.flatnonzero(sample.told)[0])
    x, y = np.round(places[row, :2]).astype(int)
    px, py = np.round(sample.px[row]).astype(int)
    colour = crop[:, np.clip(y, 0, 63), np.clip(x, 0, 63)] * [58.395, 57.12, 57.375] + [
        123.675,
        116.28,
        103.53,
    ]

    assert crop.shape == (3, 64, 64)
    assert np.abs(colour - sample.shown.pixels[py, px]).max() < 60  # at another scale
    np.testing.assert_array_equal(places[:, 2] > 0, sample.told)


@pytest.mark.filterwarnings("ignore")  # Lightning warns of what the machine could do better
def test_a_tiny_run_learns_and_leaves_the_rest_as_it_was(folders, start, classifier, tmp_path, body):
    plan = PicturePlan(start, steps=40, numbers=TINY, copies=1, batch=16, rate=3e-3)

    score = learn_picture(*folders, tmp_path / "out", plan, machine=Machine("cpu"), body=body)

    before, after = read_weights(start), read_weights(tmp_path / "out" / "ajahr.npz")
    kept = [name for name in before if not name.startswith("second_look.bones.")]
    assert all(torch.equal(before[name], after[name]) for name in kept)
    assert after["picture.last.weight"].abs().max() > 0
    features = read_weights(classifier)
    assert [name for name, v in features.items() if not torch.equal(v, after[f"picture.{name}"])] == []
    assert 0 < score.people <= 6
    assert np.isfinite([score.mpjpe_mm, score.pa_mpjpe_mm, score.mpjpe_without_mm]).all()
    said = json.loads((tmp_path / "out" / "plan.json").read_text())
    assert said["score"]["people"] == score.people
    rows = list(csv.DictReader((tmp_path / "out" / "metrics.csv").read_text().splitlines()))
    losses = [float(row["loss"]) for row in rows if row["loss"]]
    assert np.mean(losses[-3:]) < np.mean(losses[:3])
    assert load_network(tmp_path / "out" / "ajahr.npz", TINY).picture is not None

    further = replace(plan, steps=42)
    learn_picture(*folders, tmp_path / "out", further, resume=True, machine=Machine("cpu"), body=body)


def test_the_same_seed_keeps_the_same_notes(folders, start, classifier, skeleton, body):
    network = begin(PicturePlan(start, numbers=TINY), skeleton).eval()
    assert network.picture is not None
    places = find_samples(folders[0])
    one, same, other = (
        keep(network.picture, places, body, np.random.default_rng(seed)).notes for seed in (1, 1, 2)
    )

    assert torch.equal(one.cells, same.cells) and torch.equal(one.at_points, same.at_points)
    assert one.cells.shape == other.cells.shape and not torch.equal(one.at_points, other.at_points)


def test_what_cannot_be_trained_on_is_refused(folders, start, tmp_path):
    shards, others = folders
    plan = PicturePlan(start, numbers=TINY)

    with pytest.raises(KnownError, match="not be those to train on"):
        learn_picture(shards, shards, tmp_path, plan)
    with pytest.raises(KnownError, match="no shards"):
        learn_picture(tmp_path, others, tmp_path / "out", plan)
    with pytest.raises(KnownError, match=r"no last\.ckpt"):
        learn_picture(shards, others, tmp_path / "out", plan, resume=True)
    with pytest.raises(KnownError, match="At least one step"):
        learn_picture(shards, others, tmp_path / "out", replace(plan, steps=0))


def test_what_was_learnt_of_pictures_is_gone_on_with(start, classifier, skeleton, tmp_path):
    knows = begin(PicturePlan(start, numbers=TINY), skeleton)
    assert knows.picture is not None
    torch.nn.init.normal_(knows.picture.last.weight)
    save_weights(knows, tmp_path / "knows.npz")
    classifier.unlink()  # its features are not asked for

    again = begin(PicturePlan(tmp_path / "knows.npz", numbers=TINY), skeleton)

    for name, value in knows.state_dict().items():
        torch.testing.assert_close(again.state_dict()[name], value, rtol=1e-3, atol=1e-5)
