"""Features of people: the published network's own answers, and what any such network must do."""

from pathlib import Path

import numpy as np
import torch

from limbstudio.ajahr.limb_crop import as_input
from limbstudio.ajahr.person_features import PersonFeatures
from limbstudio.ajahr.predict_limbs import load_classifier
from limbstudio.resources import resource_path

from .tiny import TINY_FEATURES


def _crops(count: int, side: int) -> torch.Tensor:
    """Waves of colour: any program makes the same ones."""
    y, x = np.mgrid[:side, :side] / side
    waves = [np.stack([np.sin((7 + n) * x + 3 * c * y + c) for c in range(3)], -1) for n in range(count)]
    pictures = np.rint(127.5 + 127.5 * np.stack(waves)).astype(np.uint8)
    return torch.as_tensor(np.stack([as_input(picture) for picture in pictures]))


def test_the_shipped_features_are_those_of_the_published_network():
    # Every eighth place of what LiteRT 2.3 makes of the same picture with pose_landmark_full.tflite.
    told = np.load(Path(__file__).parent / "person_features_golden.npz")
    network = load_classifier(resource_path("weights/bpac.npz")).features

    with torch.inference_mode():
        fine, coarse = network(_crops(1, 256))

    assert np.allclose(fine[0, :, ::8, ::8].numpy(), told["fine"], atol=2e-3)
    assert np.allclose(coarse[0].numpy(), told["coarse"], atol=1e-2)


def test_maps_are_a_quarter_and_a_32nd_of_the_crop_and_each_crop_is_looked_at_alone():
    network = PersonFeatures(TINY_FEATURES).eval()
    crops = _crops(6, 64)

    with torch.inference_mode():
        fine, coarse = network(crops)
        alone, _ = network(crops[5:])

    assert fine.shape == (6, 8, 16, 16)
    assert coarse.shape == (6, 12, 2, 2)
    assert torch.allclose(fine[5:], alone, atol=1e-5)
