"""Learning of priors: the density is right, planted offsets are found, and nothing is written that is not whole."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import multivariate_normal

from limbstudio.body.model import BodyModel
from limbstudio.domain.errors import KnownError
from limbstudio.resihmr import clicks, pose_prior
from limbstudio.resihmr.problem import fit_model
from limbstudio.resihmr.synthetic import make_people
from limbstudio.resources import resource_path
from limbstudio.training.priors import (
    ClickCase,
    held_out_log_density,
    learn_click_offsets,
    learn_offsets,
    learn_pose_prior,
    photo_errors,
    with_offsets,
)


@pytest.fixture(scope="module")
def poses(shared_data: Path) -> Path:
    return shared_data / "poses" / "poses.npz"


def write_some_poses(path: Path, poses: Path, step: int) -> int:
    """Write every `step`-th pose of a poses file; return how many training poses these are."""
    with np.load(poses, allow_pickle=False) as data:
        rows = {name: data[name][::step] for name in ("body_pose", "root_orient", "source", "val")}
        np.savez(path, reduced=data["reduced"], **rows)
        return int((~rows["val"] & ~data["reduced"][rows["source"]]).sum())


def test_a_prior_learned_from_a_file_is_read_back_and_says_unseen_poses_well(tmp_path: Path, poses: Path):
    training = write_some_poses(tmp_path / "some.npz", poses, 6)

    report = learn_pose_prior(tmp_path / "some.npz", tmp_path / "prior.npz")

    prior = pose_prior.load(tmp_path / "prior.npz")
    assert report.training_poses == training
    assert prior.weights.sum() == pytest.approx(1)
    assert report.mixture_nats > report.gaussian_nats
    assert sorted(path.name for path in tmp_path.iterdir()) == ["prior.npz", "some.npz"]


def test_the_shipped_mixture_says_held_out_poses_better_than_one_gaussian(poses: Path):
    prior = pose_prior.load(resource_path("priors/pose_prior.npz"))

    gaussian, mixture = held_out_log_density(prior, *pose_prior.read_motion(poses, validation=True))

    assert gaussian == pytest.approx(35.3, abs=1)  # as the model card says
    assert mixture == pytest.approx(51.2, abs=1)


def test_the_log_density_is_that_of_scipy():
    prior = pose_prior.load(resource_path("priors/pose_prior.npz"))
    pose, up = np.random.default_rng(0).normal(size=(1, 21, 3)) * 0.2, np.array([[0.0, 1.0, 0.0]])
    mirrored, mirrored_up = pose_prior.mirror_poses(pose, up)
    both = np.concatenate(
        [np.concatenate([up, mirrored_up]), np.concatenate([pose, mirrored]).reshape(2, 63)], 1
    )
    collars = {3 * joint + axis for joint in (13, 14) for axis in range(3)}
    keep = [i for i in range(66) if i not in collars]

    density = multivariate_normal(prior.mean[keep], prior.covariance[np.ix_(keep, keep)])
    gaussian, _ = held_out_log_density(prior, pose, up)

    assert gaussian == pytest.approx(density.logpdf(both[:, keep]).mean())


@pytest.mark.parametrize("name", ["prior.txt", "nowhere/prior.npz"])
def test_a_place_that_cannot_be_written_is_refused_before_learning(name: str, tmp_path: Path):
    with pytest.raises(KnownError):
        learn_pose_prior(tmp_path / "not_even_read.npz", tmp_path / name)
    with pytest.raises(KnownError):
        learn_click_offsets(tmp_path / "not_even_read.json", tmp_path / name)


def test_offsets_planted_in_synthetic_clicks_are_found(body: BodyModel, poses: Path):
    planted = np.zeros((9, 3))
    planted[clicks.KINDS.index("shoulder")] = (0.0, -0.05, 0.0)
    planted[clicks.KINDS.index("knee")] = (0.0, 0.06, 0.0)
    bare = with_offsets(fit_model(body), np.zeros(27))
    clicked = with_offsets(bare, planted.reshape(-1))
    people = make_people(clicked, poses, 20, noise=0.002, seed=3)
    cases = [ClickCase(str(i), p.person, p.camera) for i, p in enumerate(people)]

    found = learn_offsets(bare, cases[:12], rounds=2)

    unseen = cases[12:]
    before = np.mean(list(photo_errors(bare, unseen).values()))
    after = np.mean(list(photo_errors(with_offsets(bare, found), unseen).values()))
    assert after < 0.8 * before
    assert found.reshape(9, 3)[clicks.KINDS.index("shoulder"), 1] < -0.02
    assert found.reshape(9, 3)[clicks.KINDS.index("knee"), 1] > 0.02


def _put_masks_beside(annotations: Path, samples: Path) -> None:
    for mask in samples.glob("*_mask.png"):
        shutil.copy(mask, annotations.parent)


def test_offsets_are_learned_from_a_coco_file_and_judged_photo_by_photo(tmp_path: Path):
    samples = resource_path("samples")
    whole = json.loads((samples / "annotations.json").read_text(encoding="utf-8"))
    images = whole["images"][:3]
    ids = {image["id"] for image in images}
    some = [annotation for annotation in whole["annotations"] if annotation["image_id"] in ids]
    annotations = tmp_path / "three.json"
    annotations.write_text(json.dumps(whole | {"images": images, "annotations": some}), encoding="utf-8")
    _put_masks_beside(annotations, samples)

    report = learn_click_offsets(annotations, tmp_path / "offsets.npz", samples, rounds=1)

    with np.load(tmp_path / "offsets.npz", allow_pickle=False) as data:
        assert np.array_equal(data["numbers"], report.numbers)
    assert {row.photo for row in report.errors} == {image["file_name"] for image in images}
    assert report.all_photos < report.without
    assert all(0 < row.left_out < 5 for row in report.errors)
    assert "left out" in report.text


def test_one_photo_cannot_be_judged_by_leaving_one_out(tmp_path: Path):
    samples = resource_path("samples")
    whole = json.loads((samples / "annotations.json").read_text(encoding="utf-8"))
    image = whole["images"][0]
    own = [annotation for annotation in whole["annotations"] if annotation["image_id"] == image["id"]]
    annotations = tmp_path / "one.json"
    annotations.write_text(json.dumps(whole | {"images": [image], "annotations": own}), encoding="utf-8")
    _put_masks_beside(annotations, samples)

    with pytest.raises(KnownError, match="leaving one out"):
        learn_click_offsets(annotations, tmp_path / "offsets.npz", samples)
