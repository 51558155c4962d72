"""Algorithm 1 of ResiHMR on segments whose end is known."""

import numpy as np
import pytest

from limbstudio.domain.geometry import Camera
from limbstudio.resihmr.rafo import (
    ACCEPT_PX,
    ANCHOR_METRES,
    FACTOR_MAX,
    FACTOR_MIN,
    LENGTH_METRES,
    _rows,
    optimise,
    residual_end,
)

CAMERA = Camera(1000.0, (499.5, 499.5), (1000, 1000))
HIP = np.array([0.0, 0.0, 3.0])
KNEE = np.array([0.05, 0.4, 3.05])


@pytest.mark.parametrize("factor", [0.1, 0.3, 0.5, 0.8])
def test_the_end_of_an_exact_observation_is_met(factor: float) -> None:
    end_px = CAMERA.project(residual_end(KNEE, HIP, factor))

    result = optimise(KNEE, HIP, end_px, CAMERA)

    assert result.accepted
    assert result.error_px < 1.5
    assert result.factor == pytest.approx(factor, abs=0.03)
    assert np.linalg.norm(result.anchor - KNEE) < 0.02


def test_equation_3_holds_for_the_result() -> None:
    result = optimise(KNEE, HIP, np.array([520.0, 560.0]), CAMERA)

    assert result.endpoint == pytest.approx(result.anchor + result.factor * (HIP - result.anchor))
    assert result.error_px == pytest.approx(np.linalg.norm(CAMERA.project(result.endpoint) - [520.0, 560.0]))


def test_lambda_stays_within_its_bounds_when_the_end_lies_beyond_the_knee() -> None:
    result = optimise(KNEE, HIP, CAMERA.project(KNEE + (KNEE - HIP)), CAMERA)

    assert FACTOR_MIN <= result.factor <= FACTOR_MAX
    assert result.factor == pytest.approx(FACTOR_MIN)


def test_an_end_that_no_small_move_reaches_is_rejected() -> None:
    result = optimise(KNEE, HIP, np.array([900.0, 100.0]), CAMERA)

    assert result.error_px > ACCEPT_PX
    assert not result.accepted


def test_the_weights_follow_their_rule() -> None:
    end_px = CAMERA.project(residual_end(KNEE, HIP, 0.5)) + [30.0, 40.0]

    result = optimise(KNEE, HIP, end_px, CAMERA)

    assert result.alpha == pytest.approx((50.0 / ANCHOR_METRES) ** 2)
    assert result.mu == pytest.approx((50.0 / LENGTH_METRES) ** 2)


def test_the_jacobian_equals_central_differences() -> None:
    z = np.array([0.07, 0.38, 3.1, 0.4])
    args = (KNEE, HIP, 0.4, np.array([510.0, 600.0]), CAMERA, 300.0, 500.0)

    _, jacobian = _rows(z, *args)
    numeric = np.stack(
        [(_rows(z + h, *args)[0] - _rows(z - h, *args)[0]) / 2e-6 for h in 1e-6 * np.eye(4)], axis=1
    )

    assert jacobian == pytest.approx(numeric, rel=1e-5, abs=1e-4)
