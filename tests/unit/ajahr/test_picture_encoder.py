"""What the picture adds: nothing before training, where points lie, and only for people whose picture is there."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from limbstudio.ajahr.build import PictureNumbers, build_studio
from limbstudio.ajahr.keypoint_network import KeypointAjahr, SeenPeople
from limbstudio.ajahr.picture_encoder import PictureEncoder, PictureNotes
from limbstudio.ajahr.plain_weights import save_weights
from limbstudio.ajahr.predict import Predictor, load_network
from limbstudio.body.model import BodyModel
from limbstudio.cameras import choose_camera
from limbstudio.formats.coco import read_annotations
from limbstudio.resihmr.lifter import N_INPUTS, N_POINTS
from limbstudio.resources import resource_path

from .tiny import TINY_FEATURES, TINY_STUDIO

TINY = replace(TINY_STUDIO, picture=PictureNumbers(64, TINY_FEATURES))
N = 3


@pytest.fixture
def network() -> KeypointAjahr:
    torch.manual_seed(4)
    return build_studio(TINY).eval().requires_grad_(False)


def _encoder(network: KeypointAjahr) -> PictureEncoder:
    assert network.picture is not None
    return network.picture


def _notes(network: KeypointAjahr) -> PictureNotes:
    places = torch.cat([64 * torch.rand(N, N_POINTS, 2), torch.ones(N, N_POINTS, 1)], 2)
    return _encoder(network).notes(torch.randn(N, 3, 64, 64), places)


def _inputs() -> torch.Tensor:
    """Return what `sight` might show of people with all limbs."""
    inputs = torch.rand(N, N_INPUTS)
    inputs[:, 3 * N_POINTS : -5] = 0.0
    return inputs


def _trained(network: KeypointAjahr) -> KeypointAjahr:
    torch.nn.init.normal_(_encoder(network).last.weight)
    return network


def test_before_training_the_picture_adds_nothing(network):
    inputs = _inputs()
    seen = SeenPeople(torch.arange(N), _notes(network))

    with_it, without = network(inputs, seen), network(inputs)

    torch.testing.assert_close(with_it.estimate.pose, without.estimate.pose, rtol=0, atol=0)
    torch.testing.assert_close(with_it.place, without.place, rtol=0, atol=0)


def test_only_people_whose_picture_is_there_are_changed(network):
    inputs, notes = _inputs(), _notes(network)
    rows = torch.tensor([2, 0])

    found = _trained(network)(inputs, SeenPeople(rows, notes[rows])).estimate.pose
    without = network(inputs).estimate.pose

    torch.testing.assert_close(found[1], without[1])
    assert (found[0] - without[0]).abs().max() > 1e-3
    assert (found[2] - without[2]).abs().max() > 1e-3
    one = network(inputs[2:], SeenPeople(torch.tensor([0]), notes[torch.tensor([2])])).estimate.pose
    torch.testing.assert_close(found[2], one[0], rtol=1e-4, atol=1e-5)


def test_points_are_looked_for_where_they_lie(network, monkeypatch):
    """The fine map tells its own places, in pixels of the crop."""
    encoder, fine = _encoder(network), 16
    along = (torch.arange(fine) + 0.5) * (64 / fine) - 0.5

    def told_places(crops: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        maps = torch.stack([along.expand(fine, fine), along[:, None].expand(fine, fine)])
        cells = encoder.numbers.cells
        return maps.expand(len(crops), -1, -1, -1), torch.zeros(len(crops), 8, cells, cells)

    monkeypatch.setattr(encoder.features, "forward", told_places)
    places = torch.zeros(1, N_POINTS, 3)
    places[0, :4] = torch.tensor([[10.0, 50.0, 1.0], [31.5, 31.5, 0.4], [20.0, 20.0, 0.0], [70.0, 20.0, 1.0]])

    notes = encoder.notes(torch.zeros(1, 3, 64, 64), places)

    torch.testing.assert_close(notes.at_points[0, :2], places[0, :2, :2], rtol=1e-4, atol=1e-3)
    assert notes.there[0, :4].tolist() == [1, 1, 0, 0]  # the third is not known, the fourth outside
    assert (notes.at_points[0, 2:] == 0).all()


def test_a_file_says_whether_it_looks_at_pictures(network, tmp_path, body: BodyModel):
    item = read_annotations(resource_path("samples/annotations.json")).people[0]
    person, size = item.person, item.size_px or (0, 0)
    camera = choose_camera(size)
    pixels = np.random.default_rng(0).integers(0, 256, (size[1], size[0], 3), np.uint8)
    save_weights(_trained(network), tmp_path / "with.npz")
    network.picture = None
    save_weights(network, tmp_path / "without.npz")

    looks, blind = (Predictor(load_network(tmp_path / f"{name}.npz", TINY)) for name in ("with", "without"))
    seen = looks([person], [camera], body, [pixels])
    unseen = looks([person], [camera], body)

    assert blind.network.picture is None
    assert np.abs(seen.orientation - unseen.orientation).max() > 1e-3
    for other in (
        blind([person], [camera], body, [pixels]),
        looks([person], [camera], body, [None]),
        looks([person], [camera], body, [pixels[:4, :4]]),  # in which nobody is
    ):
        np.testing.assert_array_equal(other.orientation, unseen.orientation)
