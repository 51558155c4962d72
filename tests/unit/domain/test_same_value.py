"""Records that say the same are the same, though they were read twice."""

import dataclasses

import numpy as np
import pytest

from limbstudio.domain.body import BodyFit, FitMode, LimbFit, ScaleSource
from limbstudio.domain.edits import Change, Edit
from limbstudio.domain.geometry import Camera
from limbstudio.domain.project import Project
from limbstudio.domain.same_value import same_value


def a_fit(**changes) -> BodyFit:
    limbs: tuple[LimbFit, ...] = ()
    fit = BodyFit(
        "body", FitMode.JOINT, Camera(900.0, (1.0, 2.0), (3, 4)), np.zeros(3), np.zeros((54, 3)), np.zeros(10),
        np.array([0.0, np.nan, 1.0]), np.zeros((55, 3)), np.full((25, 2), np.nan), np.zeros(25, bool), limbs,
        (0.0, 0.0), ScaleSource.PRIOR, {"points": float("nan")},
    )  # fmt: skip
    return dataclasses.replace(fit, **changes)


def test_two_readings_of_a_fit_are_the_same():
    assert same_value(a_fit(), a_fit())


@pytest.mark.parametrize(
    "changes",
    [
        {"shape": np.ones(10)},
        {"shape": np.zeros(10, np.float32)},
        {"energy": {"points": 1.0}},
        {"energy": {}},
        {"body_name": "other"},
        {"tilt": (0.0, 0.0, 0.0)},
    ],
)
def test_any_difference_is_seen(changes):
    assert not same_value(a_fit(), a_fit(**changes))


def test_an_edit_made_on_one_reading_of_a_fit_holds_for_another():
    project = Project().applied(Edit("Fit", (Change(("fit", "1"), None, a_fit()),)))

    after = project.applied(Edit("Take away", (Change(("fit", "1"), a_fit(), None),)))

    assert after.records.get(("fit", "1")) is None
