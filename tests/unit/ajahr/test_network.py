"""AJAHR at the paper's size has the released names and shapes and, given the same numbers, the released outputs."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from limbstudio.ajahr.build import (
    RELEASED_TOKENIZER,
    TokenizerNumbers,
    build_ajahr,
    build_tokenizer,
    released_ajahr,
)
from limbstudio.ajahr.network import (
    AjahrOutput,
    BodyEstimate,
    BodyHead,
    BpacContext,
    crop_translation,
    photo_translation,
)
from limbstudio.ajahr.rotations import rotations_of, six_numbers
from limbstudio.ajahr.tokenizer import PoseTokenizer, TokenizedPose, decoder_lengths
from limbstudio.services.machine import give_back_memory

from .agreed import drawn, fill
from .tiny import TINY


def manifest(shared_data: Path, name: str) -> dict[str, list[int]]:
    return json.loads((shared_data / "ajahr" / f"ajahr_manifest_{name}.json").read_text())


def shapes(network: torch.nn.Module) -> dict[str, list[int]]:
    return {key: list(value.shape) for key, value in network.state_dict().items()}


@pytest.fixture(scope="module")
def golden(shared_data: Path) -> dict[str, np.ndarray]:
    with np.load(shared_data / "ajahr" / "ajahr_golden.npz", allow_pickle=False) as data:
        return dict(data)


@pytest.fixture(scope="module")
def mean_parameters(shared_data: Path) -> dict[str, np.ndarray]:
    with np.load(shared_data / "ajahr/golden_body/smpl_mean_params.npz", allow_pickle=False) as data:
        return dict(data)


def agreed_head(tokens: int, mean: dict[str, np.ndarray]) -> BodyHead:
    head = BodyHead(released_ajahr(tokens, tokens)).eval()
    fill(head, "smpl_head.")
    begin_from(head, mean)
    return head


def begin_from(head: BodyHead, mean: dict[str, np.ndarray]) -> None:
    head.init_body_pose.copy_(torch.tensor(mean["pose"]).view(1, -1))
    head.init_betas.copy_(torch.tensor(mean["shape"]).view(1, -1))
    head.init_cam.copy_(torch.tensor(mean["cam"]).view(1, -1))


# -------------------------------------------------------------------------------------------------- tokenizer


@pytest.fixture(scope="module", params=[160, 320])
def tokenized(request: pytest.FixtureRequest, golden: dict) -> tuple[int, PoseTokenizer, TokenizedPose]:
    tokens = request.param
    tokenizer = build_tokenizer(RELEASED_TOKENIZER.for_tokens(tokens)).eval()
    fill(tokenizer, "tokenizer.")
    with torch.inference_mode():
        return tokens, tokenizer, tokenizer(rotations(golden, tokens))


def rotations(golden: dict, tokens: int) -> torch.Tensor:
    """Return matrices whose first two rows are the golden input."""
    return torch.cat(
        [torch.tensor(golden[f"tok{tokens}_in6d"]).unflatten(2, (2, 3)), torch.zeros(2, 21, 1, 3)], 2
    )


@pytest.mark.parametrize("tokens", [160, 320])
def test_a_tokenizer_has_the_released_names_and_shapes(tokens: int, shared_data: Path):
    tokenizer = build_tokenizer(RELEASED_TOKENIZER.for_tokens(tokens))

    assert shapes(tokenizer) == manifest(shared_data, f"tokenizer_full_{tokens}tok")


def test_a_tokenizer_gives_the_golden_features_pose_and_measures(tokenized, golden):
    tokens, tokenizer, found = tokenized
    with torch.inference_mode():
        features = tokenizer.features(rotations(golden, tokens))

    def miss(name: str, value: torch.Tensor) -> float:
        return float(np.abs(value.numpy() - golden[f"tok{tokens}_{name}"]).max())

    assert miss("z", features) < 1e-4
    assert (found.quantised.indices.numpy() == golden[f"tok{tokens}_idx"]).mean() > 0.99  # ties may flip
    assert miss("out6d", found.six) < 1e-4
    assert miss("outR", found.rotations) < 1e-4
    assert miss("commit", found.quantised.commitment) < 1e-4
    assert miss("ppl", found.quantised.perplexity) < 1e-2  # of some 250 codes


@pytest.mark.parametrize("tokens", [160, 320])
def test_a_codec_decodes_mixtures_of_words_as_the_released_one(tokens: int, golden, mean_parameters):
    head = agreed_head(tokens, mean_parameters)
    logits = drawn("input:toklogits", (2, tokens, 2048))

    with torch.inference_mode():
        six = head.decpose.tokenizer_amp.decode((3 * logits).softmax(-1))

    assert np.abs(six.numpy() - golden[f"tok{tokens}_decode6d"]).max() < 1e-4


def test_lengths_of_the_decoders_row_follow_from_the_number_of_tokens():
    assert decoder_lengths(80, 4) == (65, 50, 35, 21)
    assert decoder_lengths(160, 4) == (125, 90, 55, 21)
    assert decoder_lengths(320, 4) == (245, 170, 95, 21)
    assert decoder_lengths(640, 4) == (485, 330, 175, 21)


def test_a_number_of_tokens_that_no_tokenizer_makes_is_refused():
    assert [RELEASED_TOKENIZER.for_tokens(n).widenings for n in (80, 160, 320, 640)] == [3, 4, 5, 6]
    with pytest.raises(KeyError):
        RELEASED_TOKENIZER.for_tokens(100)


def test_a_vocabulary_learns_a_few_poses_by_heart_and_goes_on_from_where_it_was():
    torch.manual_seed(4)
    tokenizer = build_tokenizer(TokenizerNumbers(codes=64, code_width=16, width=32, widenings=2)).train()
    poses = rotations_of(torch.randn(8, 21, 6))
    optimizer = torch.optim.AdamW(tokenizer.parameters(), 3e-3)
    first = last = 0.0
    for step in range(150):
        found = tokenizer(poses)
        loss = (found.rotations - poses).square().mean()
        optimizer.zero_grad()
        (loss + 0.02 * found.quantised.commitment).backward()
        optimizer.step()
        first, last = (float(loss.detach()), first) if step == 0 else (first, float(loss.detach()))
    assert last < 0.3 * first
    assert 2 < float(found.quantised.perplexity) <= 64

    again = build_tokenizer(TokenizerNumbers(codes=64, code_width=16, width=32, widenings=2)).train()
    again.load_state_dict(tokenizer.state_dict())
    again.quantizer.load_training_state(tokenizer.quantizer.training_state())
    torch.manual_seed(5)
    one = tokenizer(poses).quantised.codes
    torch.manual_seed(5)
    assert torch.equal(one, again(poses).quantised.codes)
    assert torch.equal(tokenizer.quantizer.codebook, again.quantizer.codebook)


def test_encoding_gives_the_words_that_the_vocabulary_looks_up():
    torch.manual_seed(4)
    tokenizer = build_tokenizer(TokenizerNumbers(codes=64, code_width=16, width=32, widenings=2)).eval()
    tokenizer.quantizer.codebook.normal_()
    poses = rotations_of(torch.randn(3, 21, 6))

    words = tokenizer.encode(poses)

    assert words.shape == (3, 40)
    assert torch.equal(words, tokenizer(poses).quantised.indices)
    assert torch.allclose(tokenizer.quantizer.lookup(words), tokenizer(poses).quantised.codes, atol=1e-6)


def test_six_numbers_are_the_first_two_rows_and_come_back_as_a_rotation():
    matrices = rotations_of(torch.randn(50, 6))

    assert torch.allclose(matrices @ matrices.transpose(1, 2), torch.eye(3).expand(50, 3, 3), atol=1e-5)
    assert torch.allclose(torch.linalg.det(matrices), torch.ones(50), atol=1e-5)
    assert torch.allclose(rotations_of(six_numbers(matrices)), matrices, atol=1e-5)
    assert torch.equal(six_numbers(matrices)[:, :3], matrices[:, 0])


# ------------------------------------------------------------------------------------------------------- head


@pytest.mark.parametrize("tokens", [160, 320])
def test_the_head_has_the_released_names_and_shapes(tokens: int, shared_data: Path):
    with torch.device("meta"):
        head = BodyHead(released_ajahr(tokens, tokens))

    assert shapes(head) == manifest(shared_data, f"smpl_head_{tokens}tok")


@pytest.mark.parametrize("tokens", [160, 320])
def test_the_head_gives_the_golden_bodies_with_and_without_limb_loss(tokens: int, golden, mean_parameters):
    head = agreed_head(tokens, mean_parameters)
    features = torch.tensor(golden[f"head{tokens}_feats"]).flatten(2).transpose(1, 2)
    flags = torch.tensor(golden[f"head{tokens}_mask"])

    with torch.inference_mode():
        body = head(features, flags)

    def miss(name: str, value: torch.Tensor) -> float:
        return float(np.abs(value.numpy() - golden[f"head{tokens}_{name}"]).max())

    assert len({bool(row.any()) for row in flags}) == 2  # both tokenizers are asked
    assert miss("global_orient", body.orientation) < 1e-4
    assert miss("body_pose", body.pose) < 1e-4
    assert miss("betas", body.shape) < 1e-4
    assert miss("cam", body.camera) < 1e-4
    assert miss("softmax_tok0", body.logits.softmax(-1)[:, 0]) < 1e-4


# ----------------------------------------------------------------------------------------------- whole network


def test_the_whole_network_has_the_896_tensors_of_the_release(shared_data: Path):
    with torch.device("meta"):
        network = build_ajahr()
    released = manifest(shared_data, "full_160tok")

    assert len(released) == 896
    assert shapes(network) == {key: shape for key, shape in released.items() if not key.startswith("smpl.")}


@pytest.fixture(scope="module")
def whole(golden: dict, mean_parameters: dict) -> AjahrOutput:
    with torch.device("meta"):  # numbers that would be drawn and thrown away: 2.9 GB of them
        network = build_ajahr()
    network = network.to_empty(device="cpu").eval()
    grid = torch.arange(256.0)
    network.classifier.heatmap_generator.x_grid.copy_(grid[None])
    network.classifier.heatmap_generator.y_grid.copy_(grid[:, None])
    fill(network)
    begin_from(network.smpl_head, mean_parameters)
    with torch.inference_mode():
        found = network(torch.tensor(golden["full_img"]), torch.tensor(golden["full_kp"]))
    del network
    give_back_memory()
    return found


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_the_whole_network_gives_the_golden_numbers(whole: AjahrOutput, golden: dict):
    def miss(name: str, value: torch.Tensor) -> float:
        return float(np.abs(value.numpy() - golden[f"full_{name}"]).max())

    assert miss("backbone_mean", whole.features.mean((2, 3))) < 1e-4
    assert miss("cam", whole.body.camera) < 1e-4
    assert np.abs(whole.translation.numpy() / golden["full_camt"] - 1).max() < 1e-4
    assert miss("R", whole.body.pose) < 1e-4
    assert miss("go", whole.body.orientation) < 1e-4
    assert miss("betas", whole.body.shape) < 1e-4
    assert (whole.limbs.classes.numpy() != 3).tolist() == golden["full_amp"].astype(bool).tolist()


def test_the_second_pass_uses_bpacs_feature_and_keeps_people_apart():
    torch.manual_seed(2)
    network = build_ajahr(TINY).eval()
    crops, keypoints = torch.randn(3, 3, 256, 256), torch.rand(3, 17, 2) * 256

    with torch.inference_mode():
        off = network(crops, keypoints).body
        on = network(crops, keypoints, BpacContext.SECOND_PASS).body
        alone = network(crops[:1], keypoints[:1], BpacContext.SECOND_PASS).body

    assert not torch.allclose(off.camera, on.camera, atol=1e-4)
    assert torch.allclose(on.camera[:1], alone.camera, atol=1e-5)
    assert torch.allclose(on.pose[:1], alone.pose, atol=1e-4)


def test_absent_joints_are_zero_matrices_and_the_others_rotations():
    torch.manual_seed(3)
    network = build_ajahr(TINY).eval()
    with torch.no_grad():
        for head in (1, 2, 3, 4):
            layer = network.classifier.get_submodule(f"head{head}")
            layer.weight.zero_()  # type: ignore[operator]
            layer.bias.copy_(torch.tensor([0.0, 1.0, 0.0, 0.0] if head == 3 else [0.0, 0.0, 0.0, 1.0]))  # type: ignore[operator]

    with torch.inference_mode():
        pose: BodyEstimate = network(torch.randn(1, 3, 256, 256), torch.rand(1, 17, 2) * 256).body

    zero = (pose.pose[0] == 0).all(-1).all(-1)
    assert [joint + 1 for joint in range(23) if zero[joint]] == [
        4,
        7,
        10,
    ]  # the left knee and what hangs on it
    assert torch.allclose(torch.linalg.det(pose.pose[0][~zero]), torch.ones(20), atol=1e-5)


def test_cameras_of_crop_and_photo_show_the_body_in_the_same_place():
    camera = torch.tensor([[0.8, 0.1, -0.2]])
    center, side, size = (
        torch.tensor([[700.0, 500.0]]),
        torch.tensor([400.0]),
        torch.tensor([[1600.0, 1200.0]]),
    )
    point = torch.tensor([0.05, -0.1, 0.0])  # in the plane of the body, where both cameras agree exactly

    crop = crop_translation(camera)[0]
    photo, focal = photo_translation(camera, center, side, size)

    in_crop = (point + crop)[:2] / crop[2] * 5000 / 256  # of the crop's side, from its middle
    in_photo = (point + photo[0])[:2] / photo[0, 2] * focal + size[0] / 2
    assert torch.allclose(center[0] + in_crop * side, in_photo, atol=0.05)
