"""AJAHR at the studio's size: what it is shown, the truth behind it, and a tiny run that learns and goes on."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from limbstudio.ajahr.build import (
    DecoderNumbers,
    KeypointEncoderNumbers,
    StudioNumbers,
    TokenHeadNumbers,
    TokenizerNumbers,
    build_studio,
    build_tokenizer,
)
from limbstudio.ajahr.keypoint_network import (
    KeypointAjahr,
    appearing_size,
    endings_shown,
    existing_joints,
    head_classes,
    seen,
)
from limbstudio.ajahr.predict import load_network
from limbstudio.body.model import BodyModel
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

from .test_tokenizing import write_motion

TINY = StudioNumbers(
    encoder=KeypointEncoderNumbers(width=32, blocks=1, tokens=3, token_width=32),
    decoder=DecoderNumbers(width=32, blocks=1, heads=2, head_width=8, hidden=32, context_width=32),
    head=TokenHeadNumbers(tokens=10, width=8, layers=1, token_hidden=8, channel_hidden=16),
    tokenizer=TokenizerNumbers(codes=16, code_width=8, width=16, widenings=1, first_length=20),
)


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
    there = seen(truth.inputs)[:, :N_COCO, None]

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
        def forward(self, inputs: torch.Tensor):  # noqa: ANN202
            found = super().forward(inputs)
            pose = found.estimate.pose.clone()
            pose[:, :21] = truth.pose
            said = replace(
                found.estimate, orientation=truth.orientation[:, None], pose=pose, shape=truth.shape
            )
            return replace(found, estimate=said, place=truth.place)

    losses = StudioLoss(skeleton, surface, tokenizers)(Knows(TINY), truth)

    assert {name for name, value in losses.items() if value > 1e-4} == {"words", "loss"}


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
def test_a_tiny_network_is_trained_saved_and_goes_on(tmp_path: Path, motion: Path, tokenizers: Tokenizers):
    pytest.importorskip("lightning", reason="needs the extra `train`")
    torch.save(tokenizers.normal.state_dict(), tmp_path / "normal.pt")
    torch.save(tokenizers.loss.state_dict(), tmp_path / "loss.pt")
    files = (tmp_path / "normal.pt", tmp_path / "loss.pt")

    learn_studio_ajahr(motion, files, tmp_path / "run", StudioPlan(30, TINY, bodies=4))
    learn_studio_ajahr(motion, files, tmp_path / "run", StudioPlan(60, TINY, bodies=4), resume=True,
                       machine=Machine("cpu", "bf16-mixed"))  # fmt: skip

    said = json.loads((tmp_path / "run" / "plan.json").read_text())
    assert said["steps"] == 60
    assert said["score"]["people"] == 4000
    codes = load_network(
        tmp_path / "run" / "ajahr.npz", TINY
    ).smpl_head.decpose.tokenizer_amp.quantizer.codebook
    torch.testing.assert_close(
        codes, tokenizers.loss.quantizer.codebook, rtol=1e-3, atol=1e-6
    )  # not trained on
