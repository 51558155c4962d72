"""A user reconstructs the sample project from the command line."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import jsonschema
import numpy as np
import pytest

from limbstudio.body.surface import surface_facts
from limbstudio.formats.meshes import read_mesh
from limbstudio.images import open_photo
from limbstudio.resources import resource_path
from limbstudio.services.reconstructing import ReconstructOptions, reconstruct_photos

FILES = {"fit.json", "body.ply", "tpose.ply", "body.glb", "overlay.png", "views.png"}
# What a reconstruction on the CPU does not need, and what takes long to import.
HEAVY = (
    "torch",
    "scipy",
    "matplotlib",
    "pyvista",
    "vtk",
    "vtkmodules",
    "PySide6",
    "trimesh",
    "smplx",
    "rich",
)


def run(*arguments, **options):
    command = [sys.executable, "-m", "limbstudio", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=110, check=False, **options)


@pytest.fixture(scope="module")
def reconstructed(samples, sample_photos, tmp_path_factory):
    """Reconstruct the sample project once, in a process of its own; return the folder and what was
    printed.
    """
    out = tmp_path_factory.mktemp("reconstructed")
    done = run(
        "reconstruct", *sample_photos, "--annotations", samples / "annotations.json", "--out", out, "--json"
    )
    assert done.returncode == 0, done.stderr
    return out, json.loads(done.stdout), done.stderr


def test_every_person_gets_a_folder_with_six_files(reconstructed, sample_photos):
    out, printed, err = reconstructed

    assert err == ""
    assert [person["state"] for person in printed["people"]] == ["made"] * len(sample_photos)
    assert {path.name for path in out.iterdir()} == {
        f"{path.stem}_{person['annotation']}"
        for path, person in zip(sample_photos, printed["people"], strict=True)
    }
    for folder in out.iterdir():
        assert {path.name for path in folder.iterdir()} == FILES


def test_the_files_do_not_depend_on_how_many_processes_made_them(
    reconstructed, samples, sample_photos, tmp_path
):
    out, _, _ = reconstructed  # in two processes, where there are two cores

    result = reconstruct_photos(
        sample_photos[:3], samples / "annotations.json", tmp_path, ReconstructOptions()
    )

    for outcome in result.outcomes:
        alone = Path(str(outcome.folder))
        shared = out / alone.name
        for name in FILES - {"fit.json"}:
            assert (alone / name).read_bytes() == (shared / name).read_bytes(), name
        fits = [json.loads((folder / "fit.json").read_text(encoding="utf-8")) for folder in (alone, shared)]
        for fit in fits:
            del fit["timings_s"]
        assert fits[0] == fits[1]


def test_every_fit_is_valid_and_explains_its_points(reconstructed):
    out, _, _ = reconstructed
    schema = json.loads(resource_path("schemas/fit.schema.json").read_text(encoding="utf-8"))

    for path in out.glob("*/fit.json"):
        facts = json.loads(path.read_text(encoding="utf-8"))
        jsonschema.validate(facts, schema)
        assert facts["metrics"]["intact_error_pct_box"] < 1.5
        assert facts["metrics"]["mask_iou"] > 0.6


def test_every_mesh_is_closed_and_marks_the_residual_limbs(reconstructed, samples):
    out, _, _ = reconstructed
    truth = json.loads((samples / "truth.json").read_text(encoding="utf-8"))

    for person in truth["people"]:
        folder = next(out.glob(f"*_{person['annotation_id']}"))
        facts = json.loads((folder / "fit.json").read_text(encoding="utf-8"))
        body, tpose = read_mesh(folder / "body.ply"), read_mesh(folder / "tpose.ply")
        np.testing.assert_array_equal(body.faces, tpose.faces)
        for mesh in (body, tpose):
            counted = surface_facts(mesh.vertices, mesh.faces)
            assert counted.watertight
            assert counted.volume_m3 > 0
        accepted = [name for name, limb in facts["limbs"].items() if limb["accepted"]]
        assert set(accepted) <= set(person["limbs"])
        assert body.residual is not None
        assert bool(accepted) == bool(body.residual.any())
        for name in accepted:
            limb, known = facts["limbs"][name], person["limbs"][name]
            assert np.linalg.norm(np.subtract(limb["endpoint"]["projected_px"], known["endpoint_px"])) < 25


def test_the_mesh_lies_on_the_person_in_the_photo(reconstructed, sample_document):
    out, _, _ = reconstructed

    for annotation in sample_document["annotations"]:
        folder = next(out.glob(f"*_{annotation['id']}"))
        camera = json.loads((folder / "fit.json").read_text(encoding="utf-8"))["camera"]
        vertices = read_mesh(folder / "body.ply").vertices
        px = camera["focal_px"] * vertices[:, :2] / vertices[:, 2:] + camera["center_px"]
        x, y, width, height = annotation["bbox"]
        assert abs(px[:, 0].min() - x) < 0.15 * height
        assert abs(px[:, 0].max() - (x + width)) < 0.15 * height


def test_the_pictures_show_something(reconstructed):
    out, _, _ = reconstructed

    for path in out.glob("*/views.png"):
        picture = open_photo(path)
        assert picture.width > 800
        assert picture.pixels.std() > 10


def test_resume_keeps_what_is_finished_and_makes_what_is_not(
    reconstructed, samples, sample_photos, limbstudio
):
    out, _, _ = reconstructed
    before = {path: path.stat().st_mtime_ns for path in out.glob("*/*")}
    broken = next(out.glob(f"{sample_photos[0].stem}_*"))
    (broken / "fit.json").write_text("{")
    command = ("reconstruct", *sample_photos, "--annotations", samples / "annotations.json", "--out", out)

    ended = limbstudio(*command, "--resume", "--json")

    assert ended.code == 0
    assert [person["state"] for person in ended.json["people"]] == ["made"] + ["kept"] * (
        len(sample_photos) - 1
    )
    after = {path: path.stat().st_mtime_ns for path in out.glob("*/*")}
    assert {path.parent for path in after if after[path] != before[path]} == {broken}


def test_resume_makes_anew_what_was_made_with_other_options(samples, sample_photos, limbstudio, tmp_path):
    command = (
        "reconstruct",
        sample_photos[0],
        "--annotations",
        samples / "annotations.json",
        "--out",
        tmp_path,
    )
    limbstudio(*command)

    same = limbstudio(*command, "--resume", "--json")
    other = limbstudio(*command, "--resume", "--json", "--stature-mm", 1700)

    assert [person["state"] for person in same.json["people"]] == ["kept"]
    assert [person["state"] for person in other.json["people"]] == ["made"]
    fit = json.loads(next(tmp_path.glob("*/fit.json")).read_text(encoding="utf-8"))
    limbs = [limb for limb in fit["limbs"].values() if limb["lambda"] is not None]
    assert all(limb["scale_source"] == "stature_given" for limb in limbs)


def test_an_existing_folder_is_refused_unless_told_otherwise(
    reconstructed, samples, sample_photos, limbstudio
):
    out, _, _ = reconstructed
    command = ("reconstruct", sample_photos[1], "--annotations", samples / "annotations.json", "--out", out)

    refused = limbstudio(*command)
    replaced = limbstudio(*command, "--overwrite", "--json")

    assert refused.code == 2
    assert "exists already" in refused.out
    assert "--resume" in refused.out
    assert replaced.code == 0
    assert [person["state"] for person in replaced.json["people"]] == ["made"]


@pytest.mark.parametrize("mode", ["paper", "intact"])
def test_the_other_modes_say_so_in_the_fit(samples, sample_photos, limbstudio, tmp_path, mode):
    command = (
        "reconstruct",
        sample_photos[0],
        "--annotations",
        samples / "annotations.json",
        "--out",
        tmp_path,
    )

    ended = limbstudio(*command, "--mode", mode, "--json")

    fit = json.loads(next(tmp_path.glob("*/fit.json")).read_text(encoding="utf-8"))
    assert ended.code == 0
    assert fit["mode"] == mode
    assert fit["mesh"]["watertight"] is True
    if mode == "paper":
        assert fit["camera"]["focal_px"] == 5000
    else:
        assert all(limb["stump"] is None for limb in fit["limbs"].values())


def test_without_evidence_nothing_is_cut_and_every_limb_is_unsure(
    samples, sample_photos, sample_document, limbstudio, tmp_path
):
    document = json.loads(json.dumps(sample_document))
    for annotation in document["annotations"]:
        del annotation["limbstudio"]
        annotation["keypoints"] = annotation["keypoints"][: 17 * 3]
        annotation["num_keypoints"] = sum(v > 0 for v in annotation["keypoints"][2::3])
    document["categories"][0]["keypoints"] = document["categories"][0]["keypoints"][:17]
    plain = tmp_path / "plain.json"
    plain.write_text(json.dumps(document), encoding="utf-8")

    ended = limbstudio(
        "reconstruct", *sample_photos[:2], "--annotations", plain, "--out", tmp_path / "out", "--json"
    )

    assert ended.code == 0
    for person in ended.json["people"]:
        fit = json.loads((Path(person["folder"]) / "fit.json").read_text(encoding="utf-8"))
        assert {limb["state"] for limb in fit["limbs"].values()} == {"unsure"}
        assert not any(limb["accepted"] for limb in fit["limbs"].values())


def test_a_reconstruction_imports_nothing_heavy(samples, sample_photos, tmp_path):
    arguments = ["reconstruct", str(sample_photos[0]), "--annotations", str(samples / "annotations.json")]
    code = (
        "import sys; from limbstudio.cli import main\n"
        f"sys.argv = ['limbstudio', *{[*arguments, '--out', str(tmp_path)]!r}]\n"
        "try: main()\n"
        "except SystemExit: pass\n"
        f"print('loaded:', *[name for name in {HEAVY!r} if name in sys.modules])"
    )

    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=110, check=True
    )

    assert done.stdout.strip().splitlines()[-1] == "loaded:"


def test_help_names_every_command_and_imports_no_numpy():
    code = "import sys; from limbstudio.cli import app\ntry: app(['--help'])\nexcept SystemExit: pass\n"
    code += "print('loaded:', *[name for name in ('numpy', 'cv2', 'rich') if name in sys.modules])"

    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True
    )

    for name in (
        "reconstruct",
        "evaluate",
        "demo",
        "studio",
        "doctor",
        "bench",
        "body",
        "samples",
        "plugins",
    ):
        assert re.search(rf"^\s+{name}\s", done.stdout, re.MULTILINE)
    assert done.stdout.strip().splitlines()[-1] == "loaded:"


def test_evaluate_compares_the_methods(samples, limbstudio, tmp_path):
    command = (
        "evaluate",
        "--annotations",
        samples / "annotations.json",
        "--photos",
        samples,
        "--out",
        tmp_path,
    )

    ended = limbstudio(*command, "--modes", "joint,intact", "--json")

    assert ended.code == 0
    joint, intact = ended.json["methods"]
    assert joint["residual_pct"] < intact["residual_pct"]
    assert {path.name for path in tmp_path.iterdir()} == {
        "report.md",
        "summary.csv",
        "people.csv",
        "plot.png",
    }
    assert "| joint |" in (tmp_path / "report.md").read_text(encoding="utf-8")


def test_demo_makes_pictures_and_says_where(limbstudio, tmp_path, reconstructed):
    import shutil

    shutil.copytree(
        reconstructed[0], tmp_path / "demo"
    )  # finished people are kept: this test is about the rest

    ended = limbstudio("demo", tmp_path / "demo")

    pictures = [line for line in ended.out.splitlines() if line.endswith("views.png")]
    assert ended.code == 0
    assert len(pictures) >= 6
    assert all(os.path.isfile(path) for path in pictures)
    assert "lambda error" in ended.out


def test_doctor_says_what_works(limbstudio):
    ended = limbstudio("doctor", "--json")

    verdicts = {check["subject"]: check["verdict"] for check in ended.json["checks"]}
    assert ended.code == 0
    assert verdicts["body"] == "works"
    assert verdicts["samples"] == "works"
    assert {"GPU", "OpenGL", "window", "disk", "weights"} <= set(verdicts)
    missing = [check for check in ended.json["checks"] if check["verdict"] == "missing"]
    assert all(check["hint"] for check in missing)


def test_plugins_are_listed(limbstudio):
    ended = limbstudio("plugins", "list", "--json")

    assert "csv_keypoints" in [exporter["name"] for exporter in ended.json["exporters"]]
    assert "outside_box" in [command["name"] for command in ended.json["commands"]]
    assert "left_and_right" in [inspector["name"] for inspector in ended.json["inspectors"]]
    assert ended.json["refused"] == []


def test_plugins_are_listed_by_what_they_do(limbstudio):
    lines = limbstudio("plugins", "list").out.splitlines()

    assert "csv_keypoints: Keypoints as CSV (exporter, .csv)" in lines
    assert "left_and_right: Left against right (inspector, a panel)" in lines
    assert any(line.startswith("outside_box: ") and "wishes for Ctrl+Alt+U" in line for line in lines)


def test_our_own_mistake_ends_with_70_and_a_report(limbstudio, monkeypatch, samples, sample_photos, tmp_path):
    from limbstudio.services import reconstructing

    def broken(*_arguments, **_options):
        raise ZeroDivisionError("a mistake")

    monkeypatch.setattr(reconstructing, "reconstruct_person", broken)
    command = (
        "reconstruct",
        sample_photos[0],
        "--annotations",
        samples / "annotations.json",
        "--out",
        tmp_path,
    )

    ended = limbstudio(*command)

    assert ended.code == 70
    assert "Traceback" not in ended.err
    report = ended.err.strip().splitlines()[-1].split(": ")[-1]
    text = Path(report).read_text(encoding="utf-8")
    assert "ZeroDivisionError" in text
    assert sample_photos[0].name not in text


def test_a_project_is_exported_through_a_plugin(limbstudio, tmp_path):
    from limbstudio.services.samples import sample_project

    project = sample_project(tmp_path / "home" / "Samples.limb")

    ended = limbstudio("plugins", "export", "csv_keypoints", project, tmp_path / "points.csv")

    assert ended.code == 0
    lines = (tmp_path / "points.csv").read_text(encoding="utf-8").splitlines()
    assert lines[0].startswith("photo,person,keypoint,state")
    assert len(lines) == 1 + 7 * 25
    unknown = limbstudio("plugins", "export", "nope", project, tmp_path / "points.csv")
    assert unknown.code == 2
    assert "nope" in unknown.err
