"""The lifter's training: crowds are what they say, torch and numpy agree, and learning helps."""

from pathlib import Path

import numpy as np
import pytest
import torch

from limbstudio.domain.errors import KnownError
from limbstudio.resihmr import lifter
from limbstudio.resihmr.lifter import load
from limbstudio.resihmr.problem import FitModel, fit_model
from limbstudio.training.lifter import (
    LifterNet,
    as_tensors,
    judged,
    learn_lifter,
    log_likelihood,
    train,
    write_net,
)
from limbstudio.training.lifter_people import VIEWS, Crowd, CrowdMaker


@pytest.fixture(scope="module")
def model(body) -> FitModel:
    return fit_model(body)


@pytest.fixture(scope="module")
def maker(model: FitModel) -> CrowdMaker:
    starts = model.prior.starts
    return CrowdMaker(model.skeleton, starts[:, 3:].reshape(-1, 21, 3), starts[:, :3])


@pytest.fixture(scope="module")
def crowd(maker: CrowdMaker) -> Crowd:
    return maker.crowd(100, np.random.default_rng(0))


def test_a_crowd_is_finite_and_broad(crowd: Crowd):
    inputs = crowd.sight.inputs
    seen = inputs[:, 42:63]
    residual = inputs[:, 63:83].reshape(-1, 4, 5).sum((1, 2))

    assert inputs.shape == (100 * VIEWS, lifter.N_INPUTS)
    assert np.isfinite(inputs).all() and np.isfinite(crowd.depths).all()
    assert seen.any(1).all() and set(residual) == {0, 1, 2, 3}
    assert np.allclose(np.linalg.norm(crowd.sight.ray, axis=1), 1)


def test_depths_are_those_of_bodies(crowd: Crowd):
    thigh = crowd.depths[:, lifter.BONE_NAMES.index("left_hip_knee")]
    hips = crowd.depths[:, lifter.BONE_NAMES.index("hips")]

    assert 0.3 < np.abs(thigh).max() < 0.7
    assert 0.05 < hips.std() < 0.2 and abs(hips.mean()) < 0.05  # people face every way


def test_unsure_points_are_off_by_the_more(model: FitModel, crowd: Crowd):
    starts = model.prior.starts
    poses = starts[:, 3:].reshape(-1, 21, 3), starts[:, :3]
    told = CrowdMaker(model.skeleton, *poses, with_confidence=0.5).crowd(100, np.random.default_rng(0))
    some = ((told.sight.inputs[:, 42:63] > 0) & (told.sight.inputs[:, 42:63] < 1)).any(1)
    sure = told.sight.inputs[:, 42:63][some]

    assert set(np.unique(crowd.sight.inputs[:, 42:63])) == {0.0, 1.0}
    assert 0.35 < some.mean() < 0.65
    assert sure[sure > 0].min() >= lifter.LEAST_CONFIDENCE
    assert set(np.unique(told.sight.inputs[:, 42:63][~some])) == {0.0, 1.0}


def test_the_same_seed_makes_the_same_crowd(maker: CrowdMaker, crowd: Crowd):
    again = maker.crowd(100, np.random.default_rng(0))

    assert (again.sight.inputs == crowd.sight.inputs).all() and (again.depths == crowd.depths).all()


def test_what_is_written_answers_in_numpy_as_in_torch(tmp_path: Path, crowd: Crowd):
    torch.manual_seed(1)
    net = LifterNet(width=32, blocks=2, gaussians=3)
    write_net(net, tmp_path / "lifter.npz")
    net.load_state_dict({name: value.half().float() for name, value in net.state_dict().items()})
    inputs, depths = as_tensors(crowd)
    with torch.no_grad():
        expected = log_likelihood(net(inputs), depths).numpy()

    guess = load(tmp_path / "lifter.npz")(crowd.sight.inputs)

    sigmas = ((crowd.depths[:, None] - guess.means)[..., None, :] @ guess.factors)[..., 0, :]
    log = guess.log_weights + np.log(np.diagonal(guess.factors, axis1=2, axis2=3)).sum(2)
    log = log - 0.5 * (sigmas**2).sum(2) - lifter.N_BONES / 2 * np.log(2 * np.pi)
    assert np.allclose(np.logaddexp.reduce(log, axis=1), expected, atol=1e-3)


def test_the_density_is_one_gaussians_where_there_is_one(crowd: Crowd):
    answer = torch.zeros(len(crowd.depths), 1, lifter.N_PER_GAUSSIAN)  # mean 0, sigma 0.2 m, no correlation
    _, depths = as_tensors(crowd)
    normal = torch.distributions.Normal(0.0, lifter.UNIT_M).log_prob(depths).sum(1)

    assert torch.allclose(log_likelihood(answer, depths), normal, atol=1e-3)


def test_a_few_steps_learn(maker: CrowdMaker, crowd: Crowd):
    torch.manual_seed(0)
    net = LifterNet(width=64, blocks=1, gaussians=2)
    before, error_before = judged(net, crowd)

    net = train(net, maker, steps=12, rate=3e-2, rng=np.random.default_rng(1))

    after, error = judged(net, crowd)
    assert after > before + 1 and error < error_before


def test_no_steps_and_a_strange_file_to_go_on_from_are_refused(tmp_path: Path):
    (tmp_path / "start.npz").write_bytes(b"not a lifter")

    with pytest.raises(KnownError, match="0 steps"):
        learn_lifter(tmp_path / "poses.npz", tmp_path / "out.npz", steps=0)
    with pytest.raises(KnownError, match=r"start\.npz could not be read as a lifter"):
        learn_lifter(tmp_path / "poses.npz", tmp_path / "out.npz", steps=1, start=tmp_path / "start.npz")
    with pytest.raises(KnownError, match=r"poses\.npz"):
        learn_lifter(tmp_path / "poses.npz", tmp_path / "out.npz", steps=1)
