"""HKMR's regressor: its size, the order in which joints depend on each other, and joints that do not exist."""

import json
from dataclasses import replace
from pathlib import Path

import torch

from limbstudio.hkmr.build import (
    CHAINS,
    FACING,
    N_JOINTS,
    PAPER,
    REGRESSOR_PARAMETERS,
    TRUNK_PARAMETERS,
    HkmrNumbers,
    build_encoder,
    build_regressor,
)
from limbstudio.hkmr.regressor import HkmrRegressor, project_weak_perspective

SMALL = HkmrNumbers(features=6, embedding=5, hidden=4)


def parameters(module: torch.nn.Module) -> int:
    return sum(p.numel() for p in module.parameters())


def lively(numbers: HkmrNumbers, seed: int = 0) -> HkmrRegressor:
    """Return a small regressor whose numbers are far from zero, so that every dependence shows."""
    regressor = build_regressor(numbers).double()
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in regressor.parameters():
            parameter.copy_(0.5 * torch.randn(parameter.shape, generator=generator, dtype=torch.float64))
    return regressor


def features(numbers: HkmrNumbers, count: int = 3) -> torch.Tensor:
    return torch.randn(
        count, numbers.features, generator=torch.Generator().manual_seed(9), dtype=torch.float64
    )


def shifted_joints(numbers: HkmrNumbers, layer: str) -> set[int]:
    """Return the joints whose rotation changes when the bias of one layer does."""
    regressor = lively(numbers)
    before = regressor(features(numbers))[-1].pose
    with torch.no_grad():
        regressor.get_parameter(f"{layer}.bias").add_(0.3)
    after = regressor(features(numbers))[-1].pose
    return set(torch.nonzero((after - before).abs().amax((0, 2)) > 1e-9).flatten().tolist())


def test_regressor_and_trunk_together_have_the_papers_size():
    regressor, trunk = parameters(build_regressor()), parameters(build_encoder())

    assert (regressor, trunk) == (REGRESSOR_PARAMETERS, TRUNK_PARAMETERS)
    assert round((regressor + trunk) / 1e6, 1) == 26.2


def test_names_and_shapes_are_those_of_the_manifest(shared_data: Path):
    manifest = json.loads((shared_data / "reference" / "hkmr_manifest.json").read_text())

    found = {name: list(value.shape) for name, value in build_regressor().state_dict().items()}

    assert found == manifest["state_dict"]
    assert {name: list(joints) for name, joints in CHAINS.items()} == manifest["chains_smpl_joint_indices"]


def test_every_joint_belongs_to_one_chain():
    assert sorted(joint for joints in CHAINS.values() for joint in joints) == list(range(N_JOINTS))


def test_the_trunk_turns_crops_into_features():
    trunk = build_encoder().eval()

    with torch.inference_mode():
        assert trunk(torch.zeros(2, 3, 64, 64)).shape == (2, PAPER.features)


def test_untrained_it_answers_near_the_mean_body_after_every_outer_step():
    torch.manual_seed(0)
    regressor = build_regressor()

    estimates = regressor(torch.rand(2, PAPER.features))

    assert len(estimates) == PAPER.outer_steps
    for estimate in estimates:
        assert torch.allclose(estimate.pose[:, 0], torch.tensor(FACING).expand(2, 3), atol=0.5)
        assert estimate.pose[:, 1:].abs().max() < 0.5
        assert (estimate.camera[:, 0] - PAPER.first_scale).abs().max() < 0.2


def test_one_walk_is_equation_1_written_out():
    numbers = replace(SMALL, outer_steps=1, inner_passes=1)
    regressor, phi = lively(numbers), features(SMALL, 1)

    pose = regressor(phi)[-1].pose[0]

    chain = regressor.chains["root"]
    start = regressor.mean_pose.double().view(24, 3)[list(CHAINS["root"])]
    beta = regressor.mean_shape.double()
    psi = torch.relu(chain.embed.weight @ torch.cat([phi[0], beta, start.flatten()]) + chain.embed.bias)
    first = chain.fwd[0].weight @ torch.cat([psi, torch.zeros(3)]) + chain.fwd[0].bias
    second = chain.fwd[1].weight @ torch.cat([psi, first]) + chain.fwd[1].bias
    third = chain.fwd[2].weight @ torch.cat([psi, second, first]) + chain.fwd[2].bias
    assert torch.allclose(pose[[0, 3, 6]], start[:3] + torch.stack([first, second, third]))


def test_on_the_forward_walk_a_joint_moves_the_joints_after_it():
    numbers = replace(SMALL, outer_steps=1, inner_passes=1)

    assert shifted_joints(numbers, "chains.l_leg.fwd.1") == {4, 7, 10}
    assert shifted_joints(numbers, "chains.l_arm.fwd.3") == {20, 22}


def test_the_backward_walk_starts_at_the_tip():
    numbers = replace(SMALL, outer_steps=1, inner_passes=2)

    assert shifted_joints(numbers, "chains.l_leg.bwd.0") == {1, 4, 7, 10}
    assert shifted_joints(numbers, "chains.l_leg.bwd.3") == {1}


def test_limbs_depend_on_the_trunk_and_not_the_other_way_round():
    numbers = replace(SMALL, outer_steps=1)

    assert shifted_joints(numbers, "chains.root.fwd.0") == set(range(N_JOINTS))
    assert shifted_joints(numbers, "chains.r_arm.fwd.0") == set(CHAINS["r_arm"])


def test_shape_is_told_of_the_pose_and_the_next_pose_of_the_shape():
    assert shifted_joints(replace(SMALL, outer_steps=1), "shape.2") == set()
    assert shifted_joints(replace(SMALL, outer_steps=2), "shape.2") == set(range(N_JOINTS))


def test_a_joint_that_does_not_exist_reaches_no_other():
    absent = [5, 8, 11]
    exists = torch.ones(3, N_JOINTS, dtype=torch.bool)
    exists[:, absent] = False
    regressor = lively(SMALL)
    before = regressor(features(SMALL), exists)[-1]
    with torch.no_grad():
        for name in ("fwd.1", "fwd.2", "fwd.3", "bwd.0", "bwd.1", "bwd.2"):
            regressor.get_parameter(f"chains.r_leg.{name}.bias").fill_(7.0)
        regressor.mean_pose.view(24, 3)[absent] = 5.0

    after = regressor(features(SMALL), exists)[-1]

    assert (before.pose[:, absent] == 0).all()
    for one, other in ((before.pose, after.pose), (before.shape, after.shape), (before.camera, after.camera)):
        assert torch.equal(one, other)
    assert (before.pose[:, 2] != regressor(features(SMALL))[-1].pose[:, 2]).any()


def test_weak_perspective_scales_and_then_shifts():
    points = torch.tensor([[[1.0, 2.0, 30.0]]])

    assert project_weak_perspective(points, torch.tensor([[2.0, 0.5, -1.0]])).tolist() == [[[2.5, 3.0]]]
