"""Synthetic people in poses of the prior's own bank, so that the fit is tested without recorded motion."""

import numpy as np
import pytest

from limbstudio.body.model import BodyModel
from limbstudio.resihmr.problem import FitModel, fit_model
from limbstudio.resihmr.synthetic import LEVELS, SyntheticPerson, _person


@pytest.fixture(scope="session")
def fit_of_body(body: BodyModel) -> FitModel:
    return fit_model(body)


@pytest.fixture(scope="session")
def crowd(fit_of_body: FitModel) -> list[SyntheticPerson]:
    """Ten people, levels in turn, clicked with 0.6 % noise."""
    rng = np.random.default_rng(5)
    starts = fit_of_body.prior.starts
    poses, ups = starts[:, 3:].reshape(-1, 21, 3), starts[:, :3]
    return [_person(fit_of_body, poses, ups, LEVELS[i % len(LEVELS)], 0.006, rng, i) for i in range(10)]
