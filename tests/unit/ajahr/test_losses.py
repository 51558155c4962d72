"""AJAHR's losses against values known by hand."""

import pytest
import torch

from limbstudio.ajahr.losses import (
    OverallWeights,
    TokenizerWeights,
    codebook_loss,
    commitment_loss,
    joints_loss,
    mix_loss,
    points_loss,
    pose_loss,
    shape_loss,
    vertices_loss,
    words_loss,
)


def test_the_weights_are_the_papers():
    assert vars(TokenizerWeights()) == {"mix": 100.0, "codebook": 1.0, "commitment": 1.0}
    assert vars(OverallWeights()) == {
        "pose": 1e-3,
        "shape": 5e-4,
        "points": 1e-2,
        "joints": 5e-2,
        "classes": 1e-2,
    }


def test_the_tokenizers_loss_adds_mean_squares_of_what_exists():
    ones = torch.ones(1, 21, 3)
    exists = torch.zeros(1, 21)
    exists[0, :7] = 1

    def loss(rotation: float, joint: float, vertex: float) -> float:
        truth = torch.zeros(1, 21, 3, 3)
        return float(
            mix_loss(
                truth + rotation, ones * joint, torch.full((1, 5, 3), vertex), truth, ones * 0,
                torch.zeros(1, 5, 3), rotations_exist=exists, joints_exist=exists, vertices_exist=torch.ones(1, 5),
            )
        )  # fmt: skip

    assert loss(2, 0, 0) == pytest.approx(4)
    assert loss(0, 3, 0) == pytest.approx(9)
    assert loss(0, 0, 0.5) == pytest.approx(0.25)
    assert loss(2, 3, 0.5) == pytest.approx(13.25)


def test_commitment_moves_features_and_the_codebooks_loss_codes():
    features, codes = torch.ones(2, 3, requires_grad=True), torch.zeros(2, 3, requires_grad=True)

    commitment_loss(features, codes).backward()
    assert features.grad is not None
    assert codes.grad is None

    features.grad = None
    assert codebook_loss(features, codes) == 1
    codebook_loss(features, codes).backward()
    assert features.grad is None
    assert codes.grad is not None


def test_pose_and_shape_add_squares_and_absent_joints_do_not_count():
    truth = torch.zeros(2, 3, 3, 3)
    truth[:, 2] = torch.nan

    assert pose_loss(torch.ones(2, 3, 3, 3), truth, torch.tensor([[1.0, 1, 0]] * 2)) == 18
    assert shape_loss(torch.full((4, 10), 2.0), torch.zeros(4, 10)) == 40


@pytest.mark.parametrize("loss", [points_loss, joints_loss])
def test_points_and_joints_add_absolute_differences_by_confidence(loss):
    value = torch.ones(1, 3, 2, requires_grad=True)
    truth = torch.zeros(1, 3, 2)
    truth[0, 2] = torch.nan

    found = loss(value, truth, torch.tensor([[1.0, 0.5, 0]]))
    found.backward()

    assert found == 3
    assert value.grad is not None
    assert value.grad[0].tolist() == [[1, 1], [0.5, 0.5], [0, 0]]


def test_vertices_cost_their_mean_distance_over_what_exists():
    vertices, truth = torch.zeros(2, 3, 3), torch.zeros(2, 3, 3)
    vertices[0, 0] = torch.tensor([0.3, 0.4, 0.0])
    truth[1] = torch.nan
    weight = torch.tensor([[1.0, 1.0, 0.0], [0.0, 0.0, 0.0]])

    assert vertices_loss(vertices, truth, weight) == pytest.approx(0.25 / 2, rel=1e-3)


def test_words_that_are_certain_and_right_cost_nothing():
    words = torch.tensor([[0, 3, 1]])
    logits = torch.nn.functional.one_hot(words, 4) * 100.0

    assert words_loss(logits, words) == pytest.approx(0)
    assert words_loss(torch.zeros(1, 3, 4), words) == pytest.approx(float(torch.tensor(4.0).log()))
