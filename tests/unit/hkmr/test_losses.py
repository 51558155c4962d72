"""HKMR's losses against values known by hand, and its pose prior."""

import pytest
import torch
from torch.distributions import Normal, kl_divergence

from limbstudio.hkmr.build import PRIOR_NUMBERS, build_pose_prior
from limbstudio.hkmr.losses import joints_loss, kl_loss, points_loss, smpl_loss
from limbstudio.hkmr.pose_prior import vae_loss


def test_joint_and_point_losses_add_absolute_differences_over_joints():
    truth = torch.zeros(2, 3, 3)
    joints = truth + torch.tensor([1.0, -2.0, 0.5])

    assert joints_loss(joints, truth, torch.ones(2, 3)) == 3 * 3.5
    assert points_loss(joints[..., :2], truth[..., :2], torch.ones(2, 3)) == 3 * 3.0


def test_a_joint_without_truth_neither_counts_nor_pulls():
    joints = torch.ones(1, 2, 3, requires_grad=True)
    truth = torch.tensor([[[0.0, 0, 0], [float("nan")] * 3]])

    loss = joints_loss(joints, truth, torch.tensor([[1.0, 0.0]]))
    loss.backward()

    assert loss == 3
    assert joints.grad is not None
    assert joints.grad[0, 1].tolist() == [0, 0, 0]


def test_the_smpl_loss_is_a_sum_of_squares_over_existing_joints_and_shape():
    pose, shape = torch.full((1, 24, 3), 2.0), torch.full((1, 10), 0.5)
    exists = torch.ones(1, 24)
    exists[0, 4:] = 0

    loss = smpl_loss(pose, shape, torch.zeros_like(pose), torch.zeros_like(shape), exists)

    assert loss == 4 * 3 * 4.0 + 10 * 0.25


def test_the_kl_loss_is_that_of_two_gaussians():
    mean, log_variance = torch.randn(4, 7), torch.randn(4, 7)
    truth = kl_divergence(Normal(mean, (0.5 * log_variance).exp()), Normal(0.0, 1.0)).sum(1).mean()

    assert kl_loss(mean, log_variance) == pytest.approx(float(truth), rel=1e-5)
    assert kl_loss(torch.zeros(2, 7), torch.zeros(2, 7)) == 0


def test_the_pose_prior_learns_poses_that_lie_on_a_line():
    torch.manual_seed(2)
    direction = torch.randn(PRIOR_NUMBERS) / PRIOR_NUMBERS**0.5
    poses = torch.randn(32, 1) * direction
    prior, generator = build_pose_prior(), torch.Generator().manual_seed(0)
    optimiser = torch.optim.Adam(prior.parameters(), lr=3e-3)

    losses = []
    for _ in range(25):
        decoded, mean, log_variance = prior(poses, generator)
        loss = vae_loss(decoded, poses, mean, log_variance, kl_weight=1e-3)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(float(loss.detach()))

    assert losses[-1] < losses[0] / 2
    assert prior.encode(poses)[0].shape == (32, 32)
