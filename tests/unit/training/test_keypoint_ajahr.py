"""AJAHR at the studio's size: what it is shown, the truth behind it, and a tiny run that learns and goes on."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from limbstudio.ajahr.build import (
    PictureNumbers,
    build_studio,
    build_tokenizer,
)
from limbstudio.ajahr.keypoint_network import (
    KeypointAjahr,
    appearing_size,
    confidences,
    endings_shown,
    existing_joints,
    head_classes,
)
from limbstudio.ajahr.plain_weights import save_weights
from limbstudio.ajahr.predict import load_network
from limbstudio.ajahr.second_look import Said
from limbstudio.body.model import BodyModel
from limbstudio.body.rotations import _made, rotation
from limbstudio.domain.anatomy import N_COCO, SMPLX_INDEX
from limbstudio.domain.errors import KnownError
from limbstudio.resihmr.lifter import END_OF_LOWER, GONE, IN_LOWER, IN_UPPER, INTACT
from limbstudio.resihmr.pose_prior import read_motion
from limbstudio.resihmr.problem import fit_model
from limbstudio.resihmr.skeleton import Skeleton
from limbstudio.training.keypoint_ajahr import (
    BodySurface,
    PosedBody,
    StudioLoss,
    StudioPlan,
    Tokenizers,
    Truth,
    judge,
    learn_studio_ajahr,
    read_tokenizers,
    truth_of,
)
from limbstudio.training.lifter_people import CrowdMaker
from limbstudio.training.lightning_modules import Machine

from ..ajahr.tiny import TINY_FEATURES, TINY_STUDIO
from .test_tokenizing import write_motion

TINY = TINY_STUDIO


@pytest.fixture(scope="module")
def skeleton(body: BodyModel) -> Skeleton:
    return fit_model(body).skeleton


@pytest.fixture(scope="module")
def surface(body: BodyModel) -> BodySurface:
    return BodySurface(body, every=200)


@pytest.fixture(scope="module")
def motion(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_motion(tmp_path_factory.mktemp("motion") / "poses.npz")


@pytest.fixture(scope="module")
def truth(motion: Path, skeleton: Skeleton) -> Truth:
    maker = CrowdMaker(skeleton, *read_motion(motion, validation=False), vary=False)
    return truth_of(maker.crowd(30, np.random.default_rng(1)), skeleton)


@pytest.fixture(scope="module")
def tokenizers() -> Tokenizers:
    torch.manual_seed(3)
    return Tokenizers(build_tokenizer(TINY.tokenizer).eval(), build_tokenizer(TINY.tokenizer).eval())


def test_the_true_body_is_where_its_points_are_shown(truth: Truth, skeleton: Skeleton):
    placed = PosedBody(skeleton)(truth.orientation, truth.pose, truth.shape, truth.place)
    points = placed.points[:, :N_COCO]
    flat = points[..., :2] / points[..., 2:]
    shown = (
        truth.inputs[:, : 2 * 21].view(-1, 21, 2)[:, :N_COCO]
        * appearing_size(truth.inputs)[:, None, None]
        / 2
    )
    there = confidences(truth.inputs)[:, :N_COCO, None]

    gap = (flat - shown) * there  # shown from the middle of what is seen, with noise of clicks
    middle = gap.sum(1, keepdim=True) / there.sum(1, keepdim=True)

    off = ((gap - middle) * there).abs().sum((1, 2)) / (2 * there.sum((1, 2))) / appearing_size(truth.inputs)
    assert off.median() < 0.015
    assert off.max() < 0.05
    assert (placed.points[..., 2] > 0.5).all()


def test_endings_are_read_back_from_what_is_shown(truth: Truth):
    assert torch.equal(endings_shown(truth.inputs), truth.endings)


def test_joints_and_classes_follow_from_how_a_limb_ends():
    endings = torch.tensor(
        [[INTACT] * 4, [INTACT, INTACT, IN_LOWER, INTACT], [IN_UPPER, END_OF_LOWER, GONE, INTACT]]
    )

    gone = [
        {name for name, joint in SMPLX_INDEX.items() if joint < 22 and not row[joint]}
        for row in existing_joints(endings)
    ]

    assert gone[0] == set()
    assert gone[1] == {"left_ankle", "left_foot"}
    assert gone[2] == {"left_elbow", "left_wrist", "left_knee", "left_ankle", "left_foot"}
    assert head_classes(endings).tolist() == [[3, 3, 3, 3], [3, 3, 0, 3], [0, 1, 2, 3]]


def test_the_loss_of_the_truth_itself_is_that_of_its_words_only(truth, skeleton, surface, tokenizers):
    class Knows(KeypointAjahr):
        def looks(self, inputs: torch.Tensor):  # noqa: ANN202
            found = super().looks(inputs)[-1]
            pose = found.estimate.pose.clone()
            pose[:, :21] = truth.pose
            said = replace(
                found.estimate, orientation=truth.orientation[:, None], pose=pose, shape=truth.shape
            )
            return 3 * [replace(found, estimate=said, place=truth.place)]

    losses = StudioLoss(skeleton, surface, tokenizers)(Knows(TINY), truth)

    assert {name for name, value in losses.items() if value > 1e-4} == {"words", "loss"}


def test_a_second_look_that_has_learnt_nothing_changes_nothing(truth, skeleton):
    network = build_studio(TINY)
    network.second_look.bones.take(skeleton)

    first, *others = network.looks(truth.inputs)

    assert len(others) == 2
    for body in others:
        assert torch.allclose(body.estimate.pose, first.estimate.pose, atol=1e-5)
        assert torch.allclose(body.estimate.orientation, first.estimate.orientation, atol=1e-5)
        assert torch.allclose(body.place, first.place)


def test_a_second_look_turns_joints_and_leaves_absent_ones_zero(truth, skeleton):
    network = build_studio(TINY)
    network.second_look.bones.take(skeleton)
    torch.nn.init.normal_(network.second_look.last.weight, std=0.1)

    first, *_, last = network.looks(truth.inputs)

    zero = last.estimate.pose[:, :21].abs().amax((2, 3)) == 0
    assert torch.equal(zero, truth.absent)
    turned = last.estimate.pose[:, :21][~zero]
    assert torch.allclose(turned @ turned.transpose(1, 2), torch.eye(3).expand_as(turned), atol=1e-5)
    assert (last.estimate.pose - first.estimate.pose).abs().max() > 0.01


def test_a_second_look_sees_the_body_where_the_truth_is(truth, skeleton):
    bones = build_studio(TINY).second_look.bones
    bones.take(skeleton)
    rotations = torch.cat([truth.orientation[:, None], truth.pose], 1)

    placed = bones(Said(rotations, truth.shape, torch.zeros(len(rotations), 3)), truth.place)

    true = PosedBody(skeleton)(truth.orientation, truth.pose, truth.shape, truth.place)
    assert torch.allclose(placed.points, true.points, atol=1e-5)
    assert torch.allclose(placed.joints, true.joints, atol=1e-5)


def test_a_second_look_is_told_the_way_down(truth, skeleton):
    look = build_studio(TINY).second_look
    look.bones.take(skeleton)
    rotations = torch.cat([truth.orientation[:, None], truth.pose], 1)
    absent = torch.zeros(len(rotations), 22, dtype=torch.bool)
    size = appearing_size(truth.inputs)
    there = confidences(truth.inputs)[:, :N_COCO, None]
    told_at = truth.inputs[:, : 2 * N_COCO].view(-1, N_COCO, 2)

    def half_square(turns: torch.Tensor, shape: torch.Tensor) -> torch.Tensor:
        said = Said(rotations @ rotation(torch, turns), shape, torch.zeros(len(rotations), 3))
        points = look.bones(said, truth.place).points[:, :N_COCO]
        drawn = 2 * points[..., :2] / points[..., 2:] / size[:, None, None]
        return ((drawn - told_at) * there).square().sum() / 2

    none = torch.zeros(len(rotations), 22, 3)
    by_turns, by_shape = torch.autograd.functional.jacobian(half_square, (none, truth.shape))
    said = Said(rotations, truth.shape, torch.zeros(len(rotations), 3))
    told = look._told(truth.inputs, said, truth.place, size, absent)

    turns, shape = told[:, -76:-10].view(-1, 22, 3), told[:, -10:]
    moved = by_turns.norm(dim=-1) > 1e-4
    assert moved.float().mean() > 0.5
    assert torch.nn.functional.cosine_similarity(turns, by_turns, dim=-1)[moved].min() > 0.999
    moved = by_shape.abs() > 1e-4  # each number over a curvature of its own, which is positive
    assert moved.float().mean() > 0.5
    assert torch.equal(shape.sign()[moved], by_shape.sign()[moved])


def test_a_second_look_learns_after_it_was_used_to_predict(truth, skeleton):
    """What is kept between calls must not be of a mode in which nothing can be learnt."""
    network = build_studio(TINY)
    network.second_look.bones.take(skeleton)
    _made.cache_clear()

    with torch.inference_mode():
        network(truth.inputs)
    network(truth.inputs).estimate.pose.sum().backward()

    slope = network.second_look.last.weight.grad
    assert slope is not None
    assert torch.isfinite(slope).all()


def test_a_wrong_camera_costs_points_and_nothing_else(truth, skeleton, surface, tokenizers):
    network = build_studio(TINY)
    measure = StudioLoss(skeleton, surface, tokenizers)
    before = measure(network, truth)
    with torch.no_grad():
        network.smpl_head.init_cam[:, 1] += 0.3
    after = measure(network, truth)

    assert after["points"] != before["points"]
    assert torch.allclose(after["joints"], before["joints"], rtol=1e-4)


def test_the_surface_is_the_bodys_and_knows_what_an_absent_joint_takes_with_it(
    body: BodyModel, surface, truth
):
    rotations = np.tile(np.eye(3, dtype=np.float32), (3, 55, 1, 1))
    rotations[:, 0], rotations[:, 1:22] = truth.orientation[:3], truth.pose[:3]
    posed = body.pose(rotations=rotations, shape=truth.shape[:3].numpy())

    vertices = surface(truth.orientation[:3], truth.pose[:3], truth.shape[:3])
    absent = torch.zeros(2, 21, dtype=torch.bool)
    absent[1, [SMPLX_INDEX["left_wrist"] - 1]] = True
    exists = surface.exists(absent)

    assert np.abs(vertices.numpy() - (posed.vertices[:, ::200] - posed.joints[:, :1])).max() < 1e-4
    assert exists[0].all()
    hand = surface.owner == SMPLX_INDEX["left_wrist"]
    assert 0 < hand.sum() < 20
    assert torch.equal(~exists[1], hand)


def test_tokenizers_of_another_size_or_none_are_refused(tmp_path: Path):
    torch.save(build_tokenizer(replace(TINY.tokenizer, codes=8)).state_dict(), tmp_path / "other.pt")

    spoilt = build_tokenizer(TINY.tokenizer).state_dict()
    torch.save(
        {**spoilt, "quantizer.codebook": spoilt["quantizer.codebook"] * torch.nan}, tmp_path / "nan.pt"
    )
    (tmp_path / "empty.pt").write_bytes(b"")

    for name in ("other.pt", "absent.pt", "nan.pt", "empty.pt"):
        with pytest.raises(KnownError, match=f"{name} is not a tokenizer of the studio's size"):
            read_tokenizers(tmp_path / name, tmp_path / name, TINY)


def test_a_network_is_judged_over_joints_that_exist(motion: Path, skeleton: Skeleton):
    torch.manual_seed(0)
    score = judge(build_studio(TINY), motion, skeleton, bodies=5)

    assert 50 < score.pa_mpjpe_mm < score.mpjpe_mm < 2000
    assert score.people == 20
    assert "20 synthetic people" in score.text


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # Lightning warns of what the machine could do better
def test_a_tiny_network_is_trained_saved_and_goes_on(
    tmp_path: Path,
    motion: Path,
    tokenizers: Tokenizers,
    truth: Truth,
    skeleton: Skeleton,
    surface: BodySurface,
):
    pytest.importorskip("lightning", reason="needs the extra `train`")
    torch.save(tokenizers.normal.state_dict(), tmp_path / "normal.pt")
    torch.save(tokenizers.loss.state_dict(), tmp_path / "loss.pt")
    files = (tmp_path / "normal.pt", tmp_path / "loss.pt")

    torch.manual_seed(0)
    untrained = build_studio(TINY).eval()
    tokenizers.install(untrained)
    untrained.second_look.bones.take(skeleton)

    learn_studio_ajahr(motion, files, tmp_path / "run", StudioPlan(30, TINY, bodies=4))
    learn_studio_ajahr(motion, files, tmp_path / "run", StudioPlan(60, TINY, bodies=4), resume=True,
                       machine=Machine("cpu", "bf16-mixed"))  # fmt: skip

    said = json.loads((tmp_path / "run" / "plan.json").read_text())
    assert said["steps"] == 60
    assert said["score"]["people"] == 4000
    trained = load_network(tmp_path / "run" / "ajahr.npz", TINY)
    measure = StudioLoss(skeleton, surface, tokenizers)
    trained.encoder.requires_grad_(True)  # or its own words would not be measured
    assert measure(trained, truth)["loss"] < 0.8 * measure(untrained, truth)["loss"]
    codes = trained.smpl_head.decpose.tokenizer_amp.quantizer.codebook
    torch.testing.assert_close(
        codes, tokenizers.loss.quantizer.codebook, rtol=1e-3, atol=1e-6
    )  # not trained on


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # as above
def test_a_second_look_is_trained_on_a_head_without_one_and_the_head_stays(
    tmp_path: Path, motion: Path, tokenizers: Tokenizers
):
    pytest.importorskip("lightning", reason="needs the extra `train`")
    torch.save(tokenizers.normal.state_dict(), tmp_path / "tokenizer.pt")
    files = (tmp_path / "tokenizer.pt", tmp_path / "tokenizer.pt")
    head = build_studio(TINY)
    Tokenizers(tokenizers.normal, tokenizers.normal).install(head)
    arrays = {n: v.numpy() for n, v in head.state_dict().items() if not n.startswith("second_look.")}
    np.savez(tmp_path / "head.npz", **arrays)
    plan = StudioPlan(20, TINY, bodies=4, second_look_only=True, rate=5e-3)

    with pytest.raises(KnownError, match="what is looked at"):
        learn_studio_ajahr(motion, files, tmp_path / "run", plan)
    learn_studio_ajahr(motion, files, tmp_path / "run", replace(plan, start=tmp_path / "head.npz"))

    trained = load_network(tmp_path / "run" / "ajahr.npz", TINY)
    assert trained.second_look.last.weight.abs().max() > 0
    for name, value in head.state_dict().items():
        if not name.startswith("second_look."):
            assert torch.allclose(trained.state_dict()[name], value, rtol=2e-3, atol=1e-6), name


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # as above
def test_what_the_start_knows_of_pictures_is_kept(tmp_path: Path, motion: Path, tokenizers: Tokenizers):
    pytest.importorskip("lightning", reason="needs the extra `train`")
    torch.save(tokenizers.normal.state_dict(), tmp_path / "tokenizer.pt")
    numbers = replace(TINY, picture=PictureNumbers(64, TINY_FEATURES))
    knows = build_studio(numbers)
    assert knows.picture is not None
    torch.nn.init.normal_(knows.picture.last.weight)
    save_weights(knows, tmp_path / "knows.npz")
    plan = StudioPlan(2, numbers, bodies=2, start=tmp_path / "knows.npz")

    learn_studio_ajahr(motion, (tmp_path / "tokenizer.pt",) * 2, tmp_path / "run", plan)

    trained = load_network(tmp_path / "run" / "ajahr.npz", numbers)
    assert trained.picture is not None
    for name, value in knows.picture.state_dict().items():
        torch.testing.assert_close(trained.picture.state_dict()[name], value, rtol=1e-3, atol=1e-5)
    assert not torch.equal(trained.encoder.first.weight, knows.encoder.first.weight.half().float())
