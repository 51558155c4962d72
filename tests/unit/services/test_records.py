"""Every record the store keeps comes back as it was."""

import dataclasses
import json
import math
from types import MappingProxyType

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from limbstudio.domain import (
    anatomy,
    body,
    corrections,
    fitted,
    geometry,
    limb_proposals,
    mask_layers,
    notes,
    photo,
    provenance,
    review,
    saved_search,
    stump,
)
from limbstudio.services import records

ARRAY_3 = np.array([0.1, -np.inf, np.nan])


def a_limb_fit() -> body.LimbFit:
    return body.LimbFit(
        anatomy.Limb.RIGHT_LEG, anatomy.Segment.SHANK, 0.4, "right_ankle", "right_knee", ARRAY_3, ARRAY_3 + 1,
        ARRAY_3 * 2, (1.5, 2.5), None, 0.2, (0.3, 0.5), (0.1, math.nan), True, "",
    )  # fmt: skip


def a_body_fit(**changes) -> body.BodyFit:
    fit = body.BodyFit(
        "limb_body", body.FitMode.JOINT, geometry.Camera(1000.5, (319.5, 239.5), (640, 480)),
        np.array([np.pi, 0, 0]), np.zeros((54, 3), np.float32), np.zeros(10), np.array([0, 0, 2.0]),
        np.ones((55, 3)), np.full((25, 2), np.nan), np.arange(25) < 17, (a_limb_fit(),),
        (0.1, -0.02), body.ScaleSource.STATURE, {"points": 1.0, "prior": math.inf}, {"fit": 0.08}, ("One warning.",),
    )  # fmt: skip
    return dataclasses.replace(fit, **changes)


def a_stump() -> stump.Stump:
    return stump.Stump(
        anatomy.Limb.LEFT_ARM, anatomy.Segment.FOREARM, np.arange(9), np.arange(4), ARRAY_3, ARRAY_3
    )


TRANSTIBIAL = anatomy.LimbState(anatomy.Level.TRANSTIBIAL, certain=False)
EXAMPLES = {
    "point_note": notes.PointNote("p1", "ab" * 32, 24, "under the blanket"),
    "photo": photo.Photo("ab" * 32, 640, 480, "photos/Élise 1.jpg", 812.5, True),
    "person": photo.Person(
        "p1", "ab" * 32,
        geometry.Keypoints((geometry.Point(anatomy.KeypointState.PROSTHESIS, 1.25, -3.0, 0.5),) * 25),
        {**anatomy.intact_limbs(), anatomy.Limb.LEFT_LEG: TRANSTIBIAL},
        geometry.Box(1, 2, 3.5, 4), anatomy.Posture.SITTING, 1720.0, None, "masks/1.png",
        ((0.0, 1.0, 2.0, 3.0, 4.0, 5.5),), (), "A “note”\nof two lines",
        provenance.Provenance(provenance.Source.IMPORTED, "coco", ("1", "2"), "import", "1"),
    ),
    "fit": fitted.KeptFit(
        "f1", "p1", "ab" * 32, "cd" * 32, a_body_fit(alternatives=(a_body_fit(warnings=()),)),
        fitted.MeshReference("1", "2", "3", "4"), None, (a_stump(),), "{}", "2026-01-01T00:00:00Z",
    ),
    "chosen_fit": fitted.ChosenFit("p1", "ab" * 32, "f1", True),
    "fit_options": fitted.FitOptions("p1", "ab" * 32, (fitted.Pin(5, (0.1, -0.2, 3.0)),), (0.5, -1.0), ""),
    "verdict": review.Verdict("p1", review.ReviewState.ACCEPTED, "cd" * 32, "me", "Good."),
    "finding": review.Finding("side", "Left and right may be swapped.", "p1", 3),
    "saved_search": saved_search.SavedSearch("s1", "To do", "is:unfinished"),
    "mask_layer": mask_layers.MaskLayer(
        "p1", "ab" * 32, mask_layers.MaskKind.PROSTHESIS, anatomy.Limb.LEFT_LEG, None,
        ((0.0, 1.0, 2.0, 3.0, 4.0, 5.5),), ((1.0, 1.0, 1.5, 2.0, 2.0, 2.5),),
    ),
    "limb_proposals": limb_proposals.ProposedLimbs(
        "p1", "ab" * 32, dict.fromkeys(anatomy.Limb, (0.1, 0.2, 0.0, 0.7)), "cd" * 32, "0123456789ab"
    ),
    "corrections": corrections.Corrections(
        "p", "0" * 64, anatomy.Limb.LEFT_LEG,
        (
            corrections.EndAlongLimb(0.31), corrections.CutPlane(0.7, 0.1, -0.2),
            corrections.TipShape(corrections.TipKind.BULBOUS, 0.7, 0.2),
            corrections.BrushStroke(
                corrections.Brush.PULL, (corrections.SurfacePoint(0.5, -1.5), corrections.SurfacePoint(0.7, 3.0, 0.4)),
                0.1, 0.02,
            ),
            corrections.MirrorOther(), corrections.ResetHere(corrections.SurfacePoint(0.6, 0.0), 0.2),
        ),
        anatomy.Segment.SHANK,
    ),
}  # fmt: skip


def assert_same(one: object, other: object) -> None:
    """Compare records field by field, arrays by type, shape and content, NaN equal to itself."""
    if isinstance(one, np.ndarray):
        assert isinstance(other, np.ndarray)
        assert one.dtype == other.dtype
        np.testing.assert_array_equal(one, other)
    elif dataclasses.is_dataclass(one):
        assert type(one) is type(other)
        for item in dataclasses.fields(one):
            assert_same(getattr(one, item.name), getattr(other, item.name))
    elif isinstance(one, dict | MappingProxyType):
        assert list(one) == list(other) or sorted(one) == sorted(other)
        for key in one:
            assert_same(one[key], other[key])
    elif isinstance(one, tuple):
        assert isinstance(other, tuple)
        assert len(one) == len(other)
        for a, b in zip(one, other, strict=True):
            assert_same(a, b)
    elif isinstance(one, float) and math.isnan(one):
        assert math.isnan(other)
    else:
        assert one == other


@pytest.mark.parametrize("kind", records.KINDS)
def test_each_kind_of_record_comes_back_as_it_was(kind):
    text = records.encode(kind, EXAMPLES[kind])

    again = records.decode(kind, text)

    assert_same(EXAMPLES[kind], again)
    assert records.encode(kind, again) == text


@pytest.mark.parametrize("kind", records.FIELDS, ids=lambda kind: kind.__name__)
def test_the_table_names_every_field_of_its_records(kind):
    assert list(records.FIELDS[kind]) == [item.name for item in dataclasses.fields(kind)]


def test_what_is_written_is_strict_json():
    text = records.encode("fit", EXAMPLES["fit"])

    def refuse(name):
        raise AssertionError(f"{name} is not JSON")

    assert json.loads(text, parse_constant=refuse)["fit"]["energy"]["prior"] == "inf"


def test_a_field_missing_in_an_older_file_takes_its_default():
    plain = json.loads(records.encode("person", EXAMPLES["person"]))
    del plain["posture"]

    assert records.decode("person", json.dumps(plain)).posture is anatomy.Posture.UNKNOWN


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"id": None}, "Expected str"),
        ({"posture": "flying"}, "flying"),
        ({"colour": "red"}, "colour"),
        ({"box": [1, 2]}, "Expected a Box"),
        ({"stature_mm": "tall"}, "number"),
        ({"keypoints": {"points": []}}, "25"),
    ],
)
def test_what_is_no_such_record_is_refused_in_words(change, words):
    plain = {**json.loads(records.encode("person", EXAMPLES["person"])), **change}

    with pytest.raises(records.UnreadableRecord, match=words):
        records.decode("person", json.dumps(plain))


@pytest.mark.parametrize("text", ["", "{", "null", "[]", "[" * 100_000])
def test_what_is_no_json_is_refused(text):
    with pytest.raises(records.UnreadableRecord):
        records.decode("photo", text)


@pytest.mark.parametrize(
    "plain",
    [
        {"dtype": "object", "shape": [1], "base64": ""},
        {"dtype": "float64", "shape": [2], "base64": "AAAA"},
        {"dtype": "float64", "shape": [1]},
        {"dtype": "float64", "shape": [1], "base64": "?"},
    ],
)
def test_a_broken_array_is_refused(plain):
    with pytest.raises(records.UnreadableRecord):
        records.ARRAY.from_plain(plain)


def test_a_wrong_type_is_our_mistake():
    with pytest.raises(TypeError):
        records.encode("photo", EXAMPLES["person"])


def test_equal_records_have_one_hash_whatever_the_order_of_their_limbs():
    person = EXAMPLES["person"]
    turned = dataclasses.replace(person, limbs=dict(reversed(person.limbs.items())))

    assert records.record_hash(person) == records.record_hash(turned)


@given(st.lists(st.floats(width=64), max_size=6))
def test_numbers_come_back_bit_for_bit(values):
    codec = records.many(records.NUMBER)

    again = codec.from_plain(json.loads(records.canonical(codec.to_plain(values))))

    assert [repr(v) for v in again] == [repr(v) for v in values]
