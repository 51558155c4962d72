"""Errors in space: what counts, what does not, and the truth of A3D samples posed again."""

import io
import json
import tarfile
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from limbstudio.a3d.making import make_set
from limbstudio.a3d.sampling import SampleOptions
from limbstudio.body.model import BodyModel, load_body
from limbstudio.body.rotations import rotation
from limbstudio.evaluation.in_space import (
    Absent,
    BodyTruth,
    _placed,
    mean_errors,
    space_errors,
    truth_of_sample,
)


@pytest.fixture(scope="module")
def body() -> BodyModel:
    return load_body()


@pytest.fixture(scope="module")
def samples(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    folder = tmp_path_factory.mktemp("space") / "set"
    make_set(folder, 4, SampleOptions(seed=3, size_px=64))
    with tarfile.open(folder / "a3d-000000.tar") as tar:
        files = [tar.extractfile(m) for m in tar if m.name.endswith(".json")]
        return [json.loads(io.BytesIO(file.read()).read()) for file in files if file is not None]


@pytest.fixture
def truth(samples: list[dict[str, Any]], body: BodyModel) -> BodyTruth:
    return next(t for t in (truth_of_sample(s, body) for s in samples) if not t.exists.all())


def test_a_sample_posed_again_has_the_joints_that_it_says(samples, body):
    for sample in samples:
        truth = truth_of_sample(sample, body)
        rotations = np.tile(np.eye(3), (55, 1, 1))
        rotations[0], rotations[1:22] = truth.true.orientation, truth.true.pose
        posed = body.pose(rotations=rotations, shape=truth.true.shape).joints[:22]
        said = np.array(sample["joints"])[:22]

        np.testing.assert_allclose(posed - posed[0], said - said[0], atol=2e-3)


@pytest.mark.parametrize("absent", list(Absent))
def test_the_truth_has_no_error(truth, body, absent: Absent):
    found = space_errors(body, truth.true, truth, absent)

    assert (found.mpjpe, found.pa_mpjpe, found.mve) == pytest.approx((0, 0, 0), abs=1e-4)


def test_a_turned_body_is_wrong_where_it_is_but_not_after_alignment(truth, body):
    turn = rotation(np, np.array([0.0, 0.5, 0.0]))
    said = replace(truth.true, orientation=turn @ truth.true.orientation)

    found = space_errors(body, said, truth)

    assert found.mpjpe > 50
    assert found.mve > 50
    assert found.pa_mpjpe == pytest.approx(0, abs=1e-3)


@pytest.mark.parametrize("absent", list(Absent))
def test_what_a_lost_joint_is_said_to_do_counts_nowhere(truth, body, absent: Absent):
    pose = truth.true.pose.copy()
    for joint in np.flatnonzero(~truth.exists[1:]):
        pose[joint] = rotation(np, np.array([1.0, 0.3, 0.0]))

    assert space_errors(body, replace(truth.true, pose=pose), truth, absent).mve == pytest.approx(0, abs=1e-4)


def test_zeroed_parts_count_and_skipped_ones_do_not(truth, body):
    """A larger body is wrong everywhere: with the parts that the person lacks the mean is over more of it."""
    said = replace(truth.true, shape=truth.true.shape + np.r_[1.0, np.zeros(len(truth.true.shape) - 1)])

    skipped, zeroed = (space_errors(body, said, truth, absent) for absent in Absent)

    assert skipped.mve != pytest.approx(zeroed.mve, rel=1e-3)
    assert mean_errors([skipped, zeroed]).mve == pytest.approx((skipped.mve + zeroed.mve) / 2)


def test_another_body_is_refused(samples, body):
    with pytest.raises(ValueError, match="made with another"):
        truth_of_sample({**samples[0], "body": "another"}, body)


def test_zeroed_limbs_are_drawn_into_the_joint_where_they_end(truth, body):
    """Where the wrong body keeps a lost limb's joints apart, it is AJAHR's zero matrices that bring both together."""
    turned = truth.true.pose.copy()
    lost = np.flatnonzero(~truth.exists[1:])
    turned[lost] = rotation(np, np.tile([0.0, 0.0, 1.2], (len(lost), 1)))

    found = space_errors(body, replace(truth.true, pose=turned), truth, Absent.ZEROED)
    vertices, joints = _placed(
        body, replace(truth.true, pose=np.where(~truth.exists[1:, None, None], 0.0, turned))
    )

    assert found.mpjpe == pytest.approx(0, abs=1e-4)
    rows = lost + 1
    assert np.linalg.norm(joints[rows] - joints[rows[0]], axis=1).max() < 1e-6
    assert np.isfinite(vertices).all()
