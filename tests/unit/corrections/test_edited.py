"""A fit with corrections: which numbers become the person's, and what of them has no interval any more."""

import numpy as np
import pytest

from limbstudio.corrections.edited import edited_fit
from limbstudio.domain.anatomy import Level, Limb, Segment
from limbstudio.domain.corrections import (
    Brush,
    BrushStroke,
    Corrections,
    CutPlane,
    EndAlongLimb,
    SurfacePoint,
    TipKind,
    TipShape,
)
from limbstudio.domain.errors import KnownError

WALL = BrushStroke(Brush.PULL, (SurfacePoint(0.25, 0.0),), 0.08, 0.01)
TIP = BrushStroke(Brush.PULL, (SurfacePoint(0.5, 0.0, 1.0),), 0.08, 0.02)
BEYOND = BrushStroke(Brush.PULL, (SurfacePoint(0.95, 0.0),), 0.03, 0.01)


@pytest.fixture(scope="module")
def edited(body, known_fit):
    """Return a function that corrects a forearm with lambda 0.4 and gives the limb's edit, and the whole."""
    person, fit = known_fit({Limb.RIGHT_ARM: Level.TRANSRADIAL}, factor=0.4)

    def make(*operations):
        record = Corrections(person.id, person.photo, Limb.RIGHT_ARM, operations, Segment.FOREARM)
        whole = edited_fit(person, fit, body, (record,))
        return (None, None) if whole is None else (whole.limbs[Limb.RIGHT_ARM], whole)

    return make


def test_without_operations_there_is_nothing_edited(edited):
    assert edited() == (None, None)


@pytest.mark.parametrize(
    ("operations", "factor"),
    [
        ((EndAlongLimb(0.25),), 0.25),
        ((WALL, EndAlongLimb(0.25), TipShape(TipKind.BULBOUS, 0.7)), 0.25),
        ((TIP,), 0.38),
        ((EndAlongLimb(0.3), TIP), 0.28),
    ],
)
def test_an_end_that_a_person_moved_has_their_lambda_and_length_and_no_interval(edited, operations, factor):
    limb, whole = edited(*operations)

    assert limb.moves_end
    assert limb.now.factor == pytest.approx(factor, abs=0.003)
    segment = np.linalg.norm(limb.fitted.anchor_position - limb.fitted.upstream_position)
    assert limb.now.length_m == pytest.approx((1 - limb.now.factor) * segment)
    assert not np.isfinite([*limb.now.factor_interval, *limb.now.length_interval_m]).any()
    (now,) = whole.fit.limbs
    assert now is limb.now
    np.testing.assert_allclose(whole.fit.camera.project(now.endpoint), now.endpoint_px)
    (stump,) = whole.mesh.stumps
    assert np.linalg.norm(stump.tip - now.endpoint) < 0.015
    assert limb.fitted.factor == 0.4


def test_a_tilted_plane_gives_the_lambda_of_where_the_limb_then_ends(edited):
    limb, _ = edited(CutPlane(0.5, 0.2, 0.1))

    assert limb.moves_end
    assert 0.3 < limb.now.factor < 0.5  # the dome stands on the plane at half of the segment


@pytest.mark.parametrize("operations", [(WALL,), (TipShape(TipKind.CONICAL),), (BEYOND,)])
def test_what_leaves_the_end_where_it_was_leaves_the_fits_numbers_and_intervals(edited, operations):
    limb, whole = edited(*operations)

    assert not limb.moves_end
    assert limb.now is limb.fitted
    assert whole.fit.limbs[0].factor_interval == limb.fitted.factor_interval
    assert limb.is_edited == (operations != (BEYOND,))


def test_a_correction_that_failed_is_said_and_is_among_the_outcomes(edited):
    limb, whole = edited(WALL, BEYOND)

    assert [outcome.ok for outcome in limb.outcomes] == [True, False]
    assert any("Correction 2 of the right arm (pull) could not be repeated" in w for w in whole.warnings)


def test_another_body_than_the_fits_cannot_take_corrections(body, known_fit):
    from dataclasses import replace

    person, fit = known_fit({Limb.RIGHT_ARM: Level.TRANSRADIAL})
    record = Corrections(person.id, person.photo, Limb.RIGHT_ARM, (WALL,), Segment.FOREARM)

    with pytest.raises(KnownError, match=r"body “another”, which is not here"):
        edited_fit(person, replace(fit, body_name="another"), body, (record,))
