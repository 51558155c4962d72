"""BPAC-Net has the released names and shapes and, given the same numbers, the released outputs."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from limbstudio.ajahr.bpac import BpacNet, BpacOutput, KeypointHeatmaps
from limbstudio.ajahr.build import (
    BPAC_ELEMENTS,
    BPAC_PARAMETERS,
    HEATMAP_KEYPOINTS,
    RELEASED,
    build_bpac,
)
from limbstudio.ajahr.losses import UNKNOWN_CLASS, classification_loss
from limbstudio.ajahr.zeroing import amputation_flags, zeroed_joints

from .agreed import fill


def agreed_network(prefix: str = "") -> BpacNet:
    network = build_bpac().eval()
    fill(network, prefix)
    return network


@pytest.fixture(scope="module")
def golden(shared_data: Path) -> dict[str, np.ndarray]:
    with np.load(shared_data / "ajahr" / "ajahr_golden.npz", allow_pickle=False) as data:
        return {key: data[key] for key in data if key.startswith(("bpac_", "full_"))}


@pytest.fixture(scope="module")
def output(golden: dict[str, np.ndarray]) -> BpacOutput:
    with torch.inference_mode():
        return agreed_network()(torch.tensor(golden["bpac_img"]), torch.tensor(golden["bpac_kp"]))


def test_it_has_as_many_numbers_as_the_released_classifier():
    network = build_bpac()

    assert sum(p.numel() for p in network.parameters()) == BPAC_PARAMETERS
    assert sum(v.numel() for v in network.state_dict().values()) == BPAC_ELEMENTS


def test_names_and_shapes_are_the_released_ones(shared_data: Path):
    released = json.loads((shared_data / "ajahr" / "ajahr_manifest_bpac.json").read_text())

    assert {k: list(v.shape) for k, v in build_bpac().state_dict().items()} == released


def test_heatmaps_equal_the_golden_ones(golden: dict[str, np.ndarray]):
    maps = KeypointHeatmaps(RELEASED)(torch.tensor(golden["bpac_kp"])).numpy()

    assert np.abs(maps.sum((2, 3)) - golden["bpac_heatmap_sum"]).max() < 1e-3
    assert np.abs(maps[0, 0] - golden["bpac_heatmap_kp0"]).max() < 1e-6


@pytest.mark.parametrize("head", [1, 2, 3, 4])
def test_every_head_equals_the_golden_one(head: int, output: BpacOutput, golden: dict[str, np.ndarray]):
    assert np.abs(output.logits[:, head - 1].numpy() - golden[f"bpac_head{head}"]).max() < 1e-4


def test_features_and_projection_equal_the_golden_ones(output: BpacOutput, golden: dict[str, np.ndarray]):
    assert np.abs(output.features.numpy() - golden["bpac_feat512"]).max() < 1e-4
    assert np.abs(output.projected.numpy() - golden["bpac_feat1280"]).max() < 1e-4


def test_the_zeroed_rotations_of_the_whole_model_follow_from_the_classes(golden: dict[str, np.ndarray]):
    keypoints = torch.tensor(golden["full_kp"])[:, HEATMAP_KEYPOINTS]
    with torch.inference_mode():
        found = agreed_network("classifier.")(torch.tensor(golden["full_img"]), keypoints)
    classes = found.classes.numpy()

    zeros = (golden["full_R"] == 0).all((2, 3))

    assert (amputation_flags(classes) == golden["full_amp"]).all()
    assert (zeroed_joints(classes) == zeros).all()


def test_a_heatmap_peaks_at_its_keypoint_and_falls_with_two_pixels():
    maps = KeypointHeatmaps(RELEASED)(torch.tensor([[[40.0, 90.0], [0.0, 0.0]]]))[0]

    assert maps[0, 90, 40] == 1
    assert maps[0, 90, 42] == pytest.approx(np.exp(-0.5))
    assert maps[1, 0, 0] == 1


def test_limbs_of_unknown_state_do_not_count_in_the_loss():
    logits = torch.randn(3, 4, 4, generator=torch.Generator().manual_seed(1))
    classes = torch.tensor([[0, 3, 3, 3], [3, 1, 3, 3], [3, 3, 3, 2]])
    some = classes.clone()
    some[2] = UNKNOWN_CLASS

    assert classification_loss(logits, some) == pytest.approx(
        float(classification_loss(logits[:2], classes[:2]))
    )
