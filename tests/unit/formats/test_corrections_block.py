"""Corrections as JSON: the same again to the last bit, and what is none refused in words."""

import json
import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from limbstudio.domain.anatomy import Limb, Segment
from limbstudio.domain.corrections import (
    MAX_TILT,
    Brush,
    BrushStroke,
    Corrections,
    CutPlane,
    EndAlongLimb,
    MirrorOther,
    ResetHere,
    SurfacePoint,
    TipKind,
    TipShape,
)
from limbstudio.domain.errors import KnownError
from limbstudio.formats.corrections_block import read_corrections, read_operation, written_corrections
from limbstudio.formats.limb_block import read_block


def within(low: float, high: float) -> st.SearchStrategy[float]:
    return st.floats(low, high)


PLACES = st.builds(SurfacePoint, within(-10, 10), within(-100, 100), within(0, 1))
STROKES = st.one_of(
    st.builds(BrushStroke, st.just(brush), st.lists(PLACES, min_size=1, max_size=4).map(tuple), within(1e-3, 1),
              within(-0.5 if brush.strength_is_a_length else 0, 0.5))
    for brush in Brush
)  # fmt: skip
OPERATIONS = st.one_of(
    st.builds(EndAlongLimb, within(-0.25, 0.98)),
    st.builds(CutPlane, within(0.02, 1.25), within(-MAX_TILT, MAX_TILT), within(-MAX_TILT, MAX_TILT)),
    st.builds(TipShape, st.sampled_from(TipKind), within(0, 1), within(0, 1)),
    STROKES,
    st.builds(MirrorOther, within(0, 1)),
    st.builds(ResetHere, PLACES, within(1e-3, 3)),
)


@given(
    st.lists(
        st.tuples(st.sampled_from(Limb), st.integers(-1, 2), st.lists(OPERATIONS, min_size=1, max_size=5)),
        max_size=3,
        unique_by=lambda entry: entry[:2],
    )
)
@settings(max_examples=60, deadline=None)
def test_what_was_written_is_read_back_to_the_last_bit(entries):
    corrections = tuple(
        Corrections("", "", limb, tuple(operations), None if n < 0 else limb.segments[n])
        for limb, n, operations in entries
    )

    text = json.dumps(written_corrections(corrections), allow_nan=False)

    assert read_corrections(json.loads(text)) == corrections


def test_a_limb_without_operations_is_not_written():
    assert written_corrections((Corrections("p", "f", Limb.LEFT_LEG, (), Segment.SHANK),)) == []


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (7, "“corrections” is no list"),
        ([7], "no object"),
        ([{"limb": "tail", "operations": []}], "'tail', which is not known"),
        ([{"limb": "left_leg"}], "“operations” of left_leg is no list"),
        ([{"limb": "left_leg", "segment": "forearm", "operations": []}], "left_leg has no forearm"),
        ([{"limb": "left_leg", "segment": "shin", "operations": []}], "'shin', which is not known"),
        (
            [{"limb": "left_leg", "operations": [{"operation": "end", "factor": 0.3}]}] * 2,
            "two entries of left_leg",
        ),
    ],
)
def test_what_are_no_corrections_is_refused_in_words(value, words):
    with pytest.raises(KnownError, match=words) as refused:
        read_corrections(value)
    assert refused.value.hint


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ({}, "which is not known"),
        ({"operation": ["end"]}, "which is not known"),
        ({"operation": "strok"}, "which is not known"),
        ({"operation": "end"}, "a number is missing"),
        ({"operation": "end", "factor": "0.3"}, "not a number"),
        ({"operation": "end", "factor": True}, "not a number"),
        ({"operation": "end", "factor": 10**400}, "too large"),
        ({"operation": "end", "factor": 2}, "must lie between"),
        ({"operation": "end", "factor": math.nan}, "must lie between"),
        ({"operation": "tip", "kind": "square"}, "'square', which is not known"),
        ({"operation": "stroke", "brush": "pull", "path": [], "radius": 0.1, "strength": 0}, "needs a path"),
        ({"operation": "stroke", "brush": "pull", "path": [[0, 1]], "radius": 0.1}, "2 numbers, not 3"),
        (
            {"operation": "stroke", "brush": "pull", "path": [[0, 1, 7]], "radius": 0.1},
            "cap must lie between",
        ),
        ({"operation": "reset", "radius": 0.1}, "is no list"),
    ],
)
def test_what_is_no_operation_is_refused_in_words(value, words):
    with pytest.raises(KnownError, match=words):
        read_operation(value, "Correction 3 of left_leg")


def test_a_misspelt_operation_gets_the_nearest_name():
    with pytest.raises(KnownError) as refused:
        read_operation({"operation": "strok"}, "Correction 1 of left_leg")

    assert refused.value.hint == "Did you mean “stroke”?"


def test_a_block_without_corrections_has_none():
    assert read_block({"schema_version": 1}, []).corrections == ()
