"""Corrections leave the program wherever a fit does, and come back with annotations."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import jsonschema
import numpy as np
import pytest
import trimesh

from limbstudio.corrections.replay import apply
from limbstudio.domain.anatomy import SMPLX_INDEX, Limb
from limbstudio.domain.correcting import all_corrections, correct, corrections_of
from limbstudio.domain.corrections import Brush, BrushStroke, EndAlongLimb, SurfacePoint
from limbstudio.formats.coco import read_annotations
from limbstudio.formats.fit_json import read_fit
from limbstudio.formats.meshes import read_mesh
from limbstudio.measures.girths import residual_girths
from limbstudio.measures.limb_sections import section_at
from limbstudio.resources import resource_path
from limbstudio.services import checking, compacting, repairing
from limbstudio.services.exporting import Existing
from limbstudio.services.importing import OnConflict
from limbstudio.services.journal_files import export_journal
from limbstudio.services.pipeline import body_of
from limbstudio.services.reconstructing import ReconstructOptions, reconstruct_photos
from limbstudio.services.samples import sample_project
from limbstudio.services.studio import Studio

INFLATE = BrushStroke(Brush.INFLATE, (SurfacePoint(0.3, 0.0), SurfacePoint(0.3, 3.1)), 0.15, 0.02)


def say_nothing(fraction: float, sentence: str) -> None:
    """Nobody looks at the progress."""


def corrected_limb(studio: Studio) -> tuple[str, Limb]:
    """Return whose limb is corrected: the first person's first that was cut."""
    person = next(iter(studio.project.of_kind("person")))
    fit = studio.fit_of(person.id)
    assert fit is not None
    return person.id, next(item.limb for item in fit.fit.limbs if item.accepted)


@pytest.fixture(scope="module")
def studio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Studio]:
    """A studio on the sample project whose first person was fitted and then corrected."""
    folder = tmp_path_factory.mktemp("corrected") / "sample.limb"
    shutil.copytree(sample_project(), folder)
    made = Studio(who="test", run_inline=True)
    made.open(folder)
    made.fit(next(iter(made.project.of_kind("person"))).id)
    person_id, limb = corrected_limb(made)
    person = made.person(person_id)
    for operation in (EndAlongLimb(0.42), INFLATE):
        made.do(correct(corrections_of(made.project.records, person, limb), operation))
    yield made
    made.quit()


@pytest.fixture(scope="module")
def exported(studio, tmp_path_factory) -> Path:
    person, _ = corrected_limb(studio)
    report = studio.export_reconstructions(tmp_path_factory.mktemp("out") / "meshes", [person]).result
    assert report.refused == ()
    assert any("was edited by hand (2 corrections)" in words for words in report.warnings)
    return report.folders[0]


@pytest.fixture(scope="module")
def annotations(studio, tmp_path_factory) -> Path:
    return studio.export_annotations(tmp_path_factory.mktemp("coco") / "all.json").result


def test_meshes_go_out_as_they_were_corrected(studio, exported):
    person, limb = corrected_limb(studio)
    fit = studio.fit_of(person)
    assert fit is not None
    expected = apply(
        studio.person(person), fit.fit, body_of(None), all_corrections(studio.project.records, person)
    )

    for name, vertices in (("body.ply", expected.vertices), ("tpose.ply", expected.tpose)):
        mesh = read_mesh(exported / name)
        np.testing.assert_allclose(mesh.vertices, vertices, atol=1e-6)
        np.testing.assert_array_equal(mesh.faces, expected.faces)
    glb = trimesh.load(exported / "body.glb", force="mesh")
    assert len(glb.faces) == len(expected.faces)
    assert len(expected.faces) > len(studio.body_mesh(fit).faces)
    assert limb in expected.edited_limbs


def test_fit_json_says_what_a_person_changed(studio, exported):
    _, limb = corrected_limb(studio)
    facts = read_fit(exported / "fit.json")

    schema = json.loads(resource_path("schemas/fit.schema.json").read_text(encoding="utf-8"))
    assert [error.message for error in jsonschema.Draft202012Validator(schema).iter_errors(facts)] == []
    block = facts["limbs"][limb.value]
    assert block["lambda"] == pytest.approx(0.42, abs=1e-3)
    assert block["lambda_interval_95"] is None
    assert [item["operation"] for item in block["edited"]["corrections"]] == ["end", "stroke"]
    assert facts["mesh"]["watertight"]
    assert facts["mesh"]["faces"] == len(read_mesh(exported / "body.ply").faces)
    assert any("edited by hand" in words for words in facts["warnings"])


def test_girths_of_the_exported_mesh_are_those_of_the_corrected_limb(studio, exported):
    person, limb = corrected_limb(studio)
    kept, body = studio.fit_of(person), body_of(None)
    assert kept is not None
    records = all_corrections(studio.project.records, person)
    surface = apply(studio.person(person), kept.fit, body, records).limbs[limb]
    mesh = read_mesh(exported / "tpose.ply")
    fitted = next(item for item in kept.fit.limbs if item.limb is limb)
    joints = body.rest_joints(kept.fit.shape) - body.rest_joints(kept.fit.shape)[SMPLX_INDEX["pelvis"]]
    frame = surface.frame

    def girths(vertices, faces, residual):
        upstream = joints[SMPLX_INDEX[fitted.upstream]]
        end = frame.origin + surface.end_axial * frame.length_m * frame.axis
        return residual_girths(np.asarray(vertices, float), faces, residual, upstream=upstream, end=end)

    found = girths(mesh.vertices, mesh.faces, mesh.residual)
    plain = studio.tpose_mesh(kept)
    before = girths(plain.vertices, plain.faces, plain.residual)

    assert len(found) >= 3
    for girth in found:
        section = section_at(surface, girth.from_end_m)
        assert girth.girth_m == pytest.approx(section.girth_m, rel=2e-3)
    wider = {round(g.from_end_m, 3): g.girth_m for g in found}
    assert any(
        wider[round(g.from_end_m, 3)] > 1.02 * g.girth_m for g in before if round(g.from_end_m, 3) in wider
    )


def test_annotations_bring_their_corrections_back(studio, annotations, tmp_path):
    person, _ = corrected_limb(studio)
    before = all_corrections(studio.project.records, person)
    other = Studio(who="you", run_inline=True)
    other.create(tmp_path / "other.limb")
    photos = studio.photo_path(studio.photo(studio.person(person).photo)).parent

    report = other.import_annotations(annotations, photos).result

    assert person in [p.id for p in report.people]
    assert all_corrections(other.project.records, person) == before
    again = other.export_annotations(tmp_path / "again.json").result
    written, rewritten = (
        {
            str(a["limbstudio"]["person_id"]): a["limbstudio"].get("corrections")
            for a in json.loads(path.read_text())["annotations"]
        }
        for path in (annotations, again)
    )
    assert written == rewritten
    assert sum(value is not None for value in written.values()) == 1
    other.quit()


def test_a_person_who_is_there_gains_corrections_and_keeps_its_own_unless_they_are_to_be_replaced(
    studio, annotations, tmp_path
):
    person_id, limb = corrected_limb(studio)
    before = all_corrections(studio.project.records, person_id)
    photos = studio.photo_path(studio.photo(studio.person(person_id).photo)).parent
    other = Studio(who="you", run_inline=True)
    other.create(tmp_path / "other.limb")
    other.import_annotations(annotations, photos)
    person = other.person(person_id)
    (mine,) = all_corrections(other.project.records, person_id)
    key = mine.key

    other.do(correct(corrections_of(other.project.records, person, limb), EndAlongLimb(0.1)))
    look = other.preflight(annotations, photos).result
    other.import_annotations(annotations, photos)
    kept = other.project.records[key]
    other.import_annotations(annotations, photos, on_conflict=OnConflict.REPLACE)
    replaced = all_corrections(other.project.records, person_id)
    other.quit()

    assert [identity for _, identity in look.conflicts] == [person_id]
    assert kept.operations[-1] == EndAlongLimb(0.1)
    assert replaced == before


def test_a_file_whose_corrections_cannot_be_read_refuses_that_person_only(annotations, tmp_path):
    document = json.loads(annotations.read_text())
    broken = next(a for a in document["annotations"] if "corrections" in a["limbstudio"])
    broken["limbstudio"]["corrections"][0]["operations"][0]["factor"] = 7
    (tmp_path / "broken.json").write_text(json.dumps(document))

    found = read_annotations(tmp_path / "broken.json")

    (problem,) = found.problems
    assert "Correction 1" in problem.message
    assert len(found.people) == len(document["annotations"]) - 1


def test_reconstructing_a_file_with_corrections_applies_them(studio, annotations, tmp_path):
    person, limb = corrected_limb(studio)
    photo = studio.photo_path(studio.photo(studio.person(person).photo))
    options = ReconstructOptions(pictures=False)

    result = reconstruct_photos([photo], annotations, tmp_path / "out", options)
    document = json.loads(annotations.read_text())
    for annotation in document["annotations"]:
        annotation["limbstudio"].pop("corrections", None)
    plain = annotations.with_name("plain.json")  # beside the masks
    plain.write_text(json.dumps(document))
    again = ReconstructOptions(pictures=False, existing=Existing.RESUME)
    kept = reconstruct_photos([photo], annotations, tmp_path / "out", again)
    changed = reconstruct_photos([photo], plain, tmp_path / "out", again)

    (outcome,) = result.outcomes
    assert (outcome.state, kept.outcomes[0].state, changed.outcomes[0].state) == ("made", "kept", "made")
    assert any("edited by hand" in words for words in outcome.warnings)
    assert not any("edited by hand" in words for words in changed.outcomes[0].warnings)
    assert "edited" not in read_fit(Path(outcome.folder) / "fit.json")["limbs"][limb.value]


def test_project_tools_know_corrections(studio, annotations, tmp_path):
    person, _ = corrected_limb(studio)
    before = all_corrections(studio.project.records, person)
    photos = studio.photo_path(studio.photo(studio.person(person).photo)).parent
    folder, mended = tmp_path / "work.limb", tmp_path / "mended.limb"
    other = Studio(who="you", run_inline=True)
    other.create(folder)
    other.import_annotations(annotations, photos)
    other.close()

    checked = checking.check(folder)
    repairing.repair(folder, mended)
    compacting.compact(folder)
    journal = tmp_path / "journal.jsonl"
    export_journal(folder, journal, say_nothing)

    assert checked.problems == ()
    assert checked.counts["corrected limbs"] == 1
    assert "corrections" in journal.read_text(encoding="utf-8")
    for path in (folder, mended):
        other.open(path)
        assert all_corrections(other.project.records, person) == before
        other.close()
    other.quit()
