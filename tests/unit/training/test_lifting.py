"""Keypoints to bodies: the differentiable body is the real one, absent joints do not count, and training helps."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from limbstudio.body.model import BodyModel
from limbstudio.hkmr.build import HkmrNumbers
from limbstudio.hkmr.regressor import Estimate
from limbstudio.training.lifting import (
    Batch,
    EstimatedBody,
    KeypointLifter,
    as_batch,
    joint_error_mm,
    lifting_loss,
)
from limbstudio.training.people import synthetic_arrays

SMALL = HkmrNumbers(features=64, embedding=32, hidden=32, outer_steps=2)


@pytest.fixture(scope="module")
def estimated_body(body: BodyModel) -> EstimatedBody:
    return EstimatedBody(body)


@pytest.fixture(scope="module")
def batch(body: BodyModel, shared_data: Path) -> Batch:
    return as_batch(synthetic_arrays(body, shared_data / "poses" / "poses.npz", 24, seed=1))


def test_an_estimates_joints_are_those_of_the_posed_body(body: BodyModel, estimated_body: EstimatedBody):
    rng = np.random.default_rng(0)
    pose, shape = rng.normal(size=(24, 3)) * 0.4, rng.normal(size=10)
    posed = body.pose(
        axis_angles=np.concatenate([pose[:22], np.zeros((33, 3))]), shape=shape, translation=np.zeros(3)
    )

    estimate = Estimate(
        torch.tensor(pose[None]).float(), torch.tensor(shape[None]).float(), torch.zeros(1, 3)
    )
    joints, _ = estimated_body(estimate)

    assert np.abs(joints[0].numpy() - (posed.joints[:22] - posed.joints[0])).max() < 1e-5


def test_where_an_absent_joint_would_be_does_not_matter(batch: Batch, estimated_body: EstimatedBody):
    torch.manual_seed(0)
    estimates = KeypointLifter(SMALL)(batch.keypoints, batch.exists)
    moved = batch.joints + 100.0 * ~batch.exists[:, :22, None]

    assert lifting_loss(estimates, batch, estimated_body) == lifting_loss(
        estimates, replace(batch, joints=moved), estimated_body
    )
    assert (estimates[-1].pose[~batch.exists] == 0).all()


def test_a_few_steps_of_training_bring_joints_nearer_to_the_truth(
    batch: Batch, estimated_body: EstimatedBody
):
    torch.manual_seed(0)
    lifter = KeypointLifter(SMALL)
    optimiser = torch.optim.AdamW(lifter.parameters(), lr=3e-3)

    losses, errors = [], []
    for _ in range(12):
        estimates = lifter(batch.keypoints, batch.exists)
        loss = lifting_loss(estimates, batch, estimated_body)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(loss.item())
        errors.append(joint_error_mm(estimates[-1], batch, estimated_body).mean().item())

    assert losses[-1] < 0.75 * losses[0]
    assert errors[-1] < 0.9 * errors[0]
