import json
from dataclasses import replace

import jsonschema
import numpy as np
import pytest

from limbstudio.body.surface import surface_facts
from limbstudio.corrections.edited import edited_fit
from limbstudio.domain.anatomy import LDPOSE_NAMES, Level, Limb, Segment
from limbstudio.domain.body import FitMode
from limbstudio.domain.corrections import (
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
from limbstudio.evaluation.metrics import measure_person
from limbstudio.formats.fit_json import FitOrigin, fit_facts, read_fit, to_text
from limbstudio.resihmr.pipeline import PersonResult, build_mesh
from limbstudio.resources import resource_path

ORIGIN = FitOrigin("photo.jpg", "a" * 64, "7", "limb_body.npz", 0, "b" * 64)


@pytest.fixture(scope="module")
def schema():
    loaded = json.loads(resource_path("schemas/fit.schema.json").read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator.check_schema(loaded)
    return jsonschema.Draft202012Validator(loaded)


def facts_of(known_fit, body, *args, **kwargs):
    person, fit = known_fit(*args, **kwargs)
    mesh, warnings = build_mesh(person, fit, body)
    fit = replace(fit, alternatives=(fit,))
    result = PersonResult(person, fit, mesh, surface_facts(mesh.vertices, mesh.faces), {"fit": 0.1}, warnings)
    mask = np.zeros(fit.camera.size_px[::-1], bool)
    return json.loads(to_text(fit_facts(result, measure_person(result, mask), ORIGIN, body))), result


@pytest.mark.parametrize(
    ("levels", "options"),
    [
        ({}, {}),
        ({Limb.LEFT_LEG: Level.TRANSFEMORAL, Limb.RIGHT_ARM: Level.TRANSRADIAL}, {}),
        ({Limb.LEFT_LEG: Level.TRANSFEMORAL}, {"accepted": False}),
        ({Limb.RIGHT_LEG: Level.TRANSTIBIAL}, {"mode": FitMode.PAPER}),
        ({Limb.LEFT_ARM: Level.SHOULDER_DISARTICULATION}, {}),
    ],
)
def test_every_fit_is_valid_against_the_shipped_schema(known_fit, body, schema, levels, options):
    facts, _ = facts_of(known_fit, body, levels, **options)

    assert [error.message for error in schema.iter_errors(facts)] == []


def edited_facts_of(known_fit, body, *operations):
    person, fit = known_fit({Limb.LEFT_LEG: Level.TRANSTIBIAL, Limb.RIGHT_ARM: Level.TRANSRADIAL})
    record = Corrections(person.id, person.photo, Limb.LEFT_LEG, operations, Segment.SHANK)
    edited = edited_fit(person, fit, body, (record,))
    assert edited is not None
    mesh = edited.mesh
    facts = surface_facts(mesh.vertices, mesh.faces)
    result = PersonResult(person, edited.fit, mesh, facts, {}, edited.warnings)
    return json.loads(to_text(fit_facts(result, measure_person(result), ORIGIN, body, edited.limbs))), fit


EVERY_OPERATION = (
    CutPlane(0.62, 0.1, -0.1),
    EndAlongLimb(0.3),
    TipShape(TipKind.CONICAL),
    BrushStroke(Brush.PULL, (SurfacePoint(0.3, 0.0), SurfacePoint(0.35, 0.2)), 0.08, 0.01),
    MirrorOther(0.5),
    ResetHere(SurfacePoint(0.3, 0.0), 0.1),
    BrushStroke(Brush.PUSH, (SurfacePoint(0.98, 0.0),), 0.02, 0.01),
)


def test_numbers_that_a_person_changed_say_so_and_have_no_interval(known_fit, body, schema):
    facts, fit = edited_facts_of(known_fit, body, *EVERY_OPERATION)

    assert [error.message for error in schema.iter_errors(facts)] == []
    limb, edited = facts["limbs"]["left_leg"], facts["limbs"]["left_leg"]["edited"]
    assert limb["lambda"] == pytest.approx(0.3, abs=1e-3)
    assert limb["lambda_interval_95"] is limb["length_interval_95_m"] is None
    assert edited["by"] == "human"
    assert edited["numbers"] == ["lambda", "length_m", "endpoint"]
    assert edited["fitted"]["lambda"] == pytest.approx(0.4)
    assert edited["fitted"]["lambda_interval_95"] == pytest.approx(fit.limbs[0].factor_interval)
    done = [item["done"] for item in edited["corrections"]]
    assert done == [True] * 6 + [False]
    assert "no surface any more" in edited["corrections"][-1]["reason"]
    # The label stayed where it was: its distance is that of the limb's corrected end.
    assert limb["endpoint"]["error_px"] > 1
    assert limb["endpoint"]["error_px"] == facts["keypoints"]["below_left_knee_end"]["error_px"]


def test_limbs_that_were_not_corrected_are_written_as_ever_and_readers_of_old_pass_over_the_rest(
    known_fit, body, schema
):
    facts, _ = edited_facts_of(known_fit, body, EVERY_OPERATION[3])

    assert "edited" not in facts["limbs"]["right_arm"]
    limb = facts["limbs"]["left_leg"]
    assert limb["edited"]["numbers"] == []
    assert limb["edited"]["surface"] is True
    assert limb["lambda_interval_95"] is not None
    del limb["edited"]  # what a reader that knows nothing of it has left
    assert schema.is_valid(facts)


def test_the_schema_refuses_fields_it_does_not_know_and_missing_ones(known_fit, body, schema):
    facts, _ = facts_of(known_fit, body)
    more = {**facts, "extra": 1}
    less = {key: value for key, value in facts.items() if key != "camera"}

    assert not schema.is_valid(more)
    assert not schema.is_valid(less)


def test_a_residual_limb_says_where_it_ends_and_how_sure_that_is(known_fit, body):
    facts, result = facts_of(known_fit, body, {Limb.RIGHT_LEG: Level.TRANSTIBIAL}, factor=0.3)

    limb = facts["limbs"]["right_leg"]
    assert limb["state"] == "transtibial"
    assert limb["lambda"] == pytest.approx(0.3)
    assert limb["lambda_interval_95"] == pytest.approx([0.2, 0.4])
    assert (limb["anchor"], limb["upstream"], limb["segment"]) == ("right_ankle", "right_knee", "shank")
    assert limb["endpoint"]["error_px"] == pytest.approx(0, abs=1e-3)
    np.testing.assert_allclose(limb["endpoint"]["position_m"], result.fit.limbs[0].endpoint, rtol=1e-6)
    assert limb["scale_source"] == "shape_prior"
    assert len(limb["stump"]["boundary_vertices"]) > 10
    assert max(limb["stump"]["cap_faces"]) < facts["mesh"]["faces"]
    assert facts["limbs"]["left_leg"]["lambda"] is None


def test_a_limb_that_was_not_cut_ends_at_the_midpoint_and_says_why(known_fit, body):
    facts, result = facts_of(known_fit, body, {Limb.RIGHT_LEG: Level.TRANSTIBIAL}, factor=0.3, accepted=False)

    limb, fitted = facts["limbs"]["right_leg"], result.fit.limbs[0]
    middle = (fitted.anchor_position + fitted.upstream_position) / 2
    np.testing.assert_allclose(limb["endpoint"]["position_m"], middle, rtol=1e-6)
    assert limb["accepted"] is False
    assert limb["reason"] == "The interval is too wide."
    assert limb["stump"] is None


def test_points_that_cannot_exist_are_null_and_the_others_project_with_the_camera(known_fit, body):
    facts, result = facts_of(known_fit, body, {Limb.LEFT_LEG: Level.TRANSFEMORAL})

    assert list(facts["keypoints"]) == list(LDPOSE_NAMES)
    knee, nose = facts["keypoints"]["left_knee"], facts["keypoints"]["nose"]
    assert knee["state"] == "absent"
    assert knee["annotated_px"] is None
    assert knee["projected_px"] is None
    assert nose["used"] is True
    assert nose["error_px"] == pytest.approx(0, abs=1e-4)
    pelvis = np.array(facts["joints"]["pelvis"])
    camera = facts["camera"]
    projected = camera["focal_px"] * pelvis[:2] / pelvis[2] + camera["center_px"]
    np.testing.assert_allclose(projected, result.fit.camera.project(result.fit.joints[0]), rtol=1e-6)


def test_not_a_number_never_reaches_the_file(known_fit, body):
    facts, result = facts_of(known_fit, body)

    broken = {**facts, "energy": {"data": float("nan")}}

    with pytest.raises(ValueError, match="JSON"):
        to_text(broken)
    assert "NaN" not in to_text(facts)
    assert result.fit.energy


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "cannot be read"),
        ("[]", "not a fit"),
        ('{"schema_version": 99}', "newer"),
        ("[" * 9999, "cannot be read"),
    ],
)
def test_a_file_that_is_no_fit_is_refused_with_a_sentence(tmp_path, text, words):
    path = tmp_path / "fit.json"
    path.write_text(text)

    with pytest.raises(KnownError, match=words):
        read_fit(path)
