import errno
import os
import sys
from pathlib import Path
from typing import cast

import numpy as np
import pytest
import trimesh

from limbstudio.body.surface import surface_facts
from limbstudio.domain.anatomy import Level, Limb
from limbstudio.domain.errors import KnownError
from limbstudio.evaluation.metrics import measure_person
from limbstudio.formats.fit_json import FitOrigin, read_fit
from limbstudio.formats.meshes import read_mesh
from limbstudio.images import open_photo
from limbstudio.resihmr.pipeline import PersonResult, build_mesh
from limbstudio.services.exporting import (
    Existing,
    disk_error,
    folder_names,
    is_finished,
    pelvis_forward,
    prepare_output,
    whole_folder,
    write_person,
)

ORIGIN = FitOrigin("photo.jpg", "a" * 64, "7", "limb_body.npz", 0, "b" * 64)
NAMES = {"fit.json", "body.ply", "tpose.ply", "body.glb", "overlay.png", "views.png"}


def written(folder, known_fit, body):
    person, fit = known_fit({Limb.LEFT_LEG: Level.TRANSFEMORAL})
    mesh, warnings = build_mesh(person, fit, body)
    result = PersonResult(person, fit, mesh, surface_facts(mesh.vertices, mesh.faces), {}, warnings)
    photo = np.full((*fit.camera.size_px[::-1], 3), 200, np.uint8)
    write_person(folder, result, measure_person(result), ORIGIN, body=body, photo=photo)
    return result


def test_a_person_is_six_files_that_can_be_read_back(tmp_path, known_fit, body):
    folder = tmp_path / "photo_7"

    result = written(folder, known_fit, body)

    assert {path.name for path in folder.iterdir()} == NAMES
    assert {path.name for path in tmp_path.iterdir()} == {"photo_7"}
    assert read_fit(folder / "fit.json")["inputs_hash"] == ORIGIN.inputs_hash
    mesh = read_mesh(folder / "body.ply")
    np.testing.assert_allclose(mesh.vertices, result.mesh.vertices, atol=1e-6)
    np.testing.assert_array_equal(mesh.faces, result.mesh.faces)
    assert mesh.residual is not None
    np.testing.assert_array_equal(mesh.residual, result.mesh.residual)
    assert b"property uchar residual" in (folder / "body.ply").read_bytes()[:600]
    for name in ("overlay.png", "views.png"):
        assert open_photo(folder / name).pixels.std() > 5


def test_the_ply_in_the_camera_frame_projects_onto_the_photo(tmp_path, known_fit, body):
    result = written(tmp_path / "photo_7", known_fit, body)
    camera = read_fit(tmp_path / "photo_7" / "fit.json")["camera"]
    vertices = read_mesh(tmp_path / "photo_7" / "body.ply").vertices

    px = camera["focal_px"] * vertices[:, :2] / vertices[:, 2:] + camera["center_px"]

    box = result.person.box
    assert box is not None
    assert px[:, 1].max() == pytest.approx(box.y + box.height, abs=0.1 * box.height)
    assert (px >= 0).all()
    assert (px < camera["size_px"]).all()


def test_the_glb_stands_upright_and_faces_the_viewer(tmp_path, known_fit, body):
    result = written(tmp_path / "photo_7", known_fit, body)
    scene = cast(trimesh.Scene, trimesh.load(tmp_path / "photo_7" / "body.glb"))

    vertices = cast(trimesh.Trimesh, scene.to_geometry()).vertices

    camera = result.mesh.vertices
    np.testing.assert_allclose(np.ptp(vertices, axis=0), np.ptp(camera, axis=0), rtol=1e-4)
    highest = camera[camera[:, 1].argmin()]  # y points down in the camera frame
    assert vertices[vertices[:, 1].argmax(), 0] == pytest.approx(highest[0], abs=1e-3)
    nearest = camera[camera[:, 2].argmin()]
    assert vertices[vertices[:, 2].argmax(), 1] == pytest.approx(-nearest[1], abs=1e-3)


def test_a_folder_appears_whole_or_not_at_all(tmp_path):
    folder = tmp_path / "photo_7"

    with pytest.raises(ZeroDivisionError):
        fail_half_way(folder)

    assert list(tmp_path.iterdir()) == []


def fail_half_way(folder):
    with whole_folder(folder) as place:
        (place / "fit.json").write_text("{}")
        assert not folder.exists()
        raise ZeroDivisionError


def test_a_failure_keeps_the_folder_that_was_there(tmp_path):
    folder = tmp_path / "photo_7"
    folder.mkdir()
    (folder / "old").touch()

    with pytest.raises(KnownError, match="full"), whole_folder(folder):
        raise OSError(errno.ENOSPC, "No space left on device")

    assert [path.name for path in tmp_path.iterdir()] == ["photo_7"]
    assert (folder / "old").exists()


def test_replacing_leaves_nothing_of_the_old_folder(tmp_path):
    folder = tmp_path / "photo_7"
    folder.mkdir()
    (folder / "old").touch()

    with whole_folder(folder) as place:
        (place / "new").touch()

    assert [path.name for path in folder.iterdir()] == ["new"]
    assert [path.name for path in tmp_path.iterdir()] == ["photo_7"]


def test_existing_folders_are_refused_kept_or_replaced_as_asked(tmp_path, known_fit, body):
    folder = tmp_path / "photo_7"
    written(folder, known_fit, body)

    assert is_finished(folder, ORIGIN.inputs_hash, Existing.RESUME)
    assert not is_finished(folder, "c" * 64, Existing.RESUME)
    assert not is_finished(folder, ORIGIN.inputs_hash, Existing.OVERWRITE)
    with pytest.raises(KnownError, match="exists already.*--resume"):
        is_finished(folder, ORIGIN.inputs_hash, Existing.REFUSE)


def test_an_unreadable_fit_is_made_again(tmp_path):
    folder = tmp_path / "photo_7"
    folder.mkdir()
    (folder / "fit.json").write_text('{"schema_ver')

    assert not is_finished(folder, "c" * 64, Existing.RESUME)


@pytest.mark.parametrize(
    ("photo", "annotation", "name"),
    [
        ("a b/IMG 01.jpg", "3", "IMG_01_3"),
        ("..\\..\\etc\\passwd", "1", "passwd_1"),
        ("Zoë & Anaïs.png", "x-2", "Zoë_Anaïs_x-2"),
        ("CON.jpg", "1", "_CON_1"),
        ("???.jpg", "4", "photo_4"),
        (".jpg", "4", "jpg_4"),
    ],
)
def test_folder_names_are_safe_on_any_disk(photo, annotation, name):
    assert folder_names([(photo, annotation)]) == [name]


def test_folder_names_differ_even_where_the_disk_ignores_case():
    people = [
        ("a.jpg", "1"),
        ("A.png", "1"),
        ("a.tif", "1"),
        ("x" * 400 + ".jpg", "1"),
        ("x" * 401 + ".jpg", "1"),
    ]

    names = folder_names(people)

    assert names[:3] == ["a_1", "A_1_2", "a_1_3"]
    assert len({name.casefold() for name in names}) == len(people)
    assert max(len(name.encode()) for name in names) < 250
    assert folder_names(people) == names


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (errno.ENOSPC, "disk is full"),
        (errno.EDQUOT, "disk is full"),
        (errno.EROFS, "may not be written"),
        (errno.EACCES, "may not be written"),
        (errno.ENAMETOOLONG, "too long"),
        (errno.EIO, "could not be written"),
    ],
)
def test_errors_of_the_disk_become_sentences_with_a_next_step(code, words):
    error = disk_error(OSError(code, os.strerror(code)), Path("out"))

    assert words in error.message
    assert error.hint


def test_an_output_folder_that_is_a_file_is_refused(tmp_path):
    (tmp_path / "out").touch()

    with pytest.raises(KnownError, match="is a file"):
        prepare_output(tmp_path / "out")


@pytest.mark.skipif(sys.platform != "linux", reason="needs /proc, which nobody can write to, root included")
def test_an_output_folder_that_cannot_be_written_to_is_refused():
    with pytest.raises(KnownError, match="/proc"):
        prepare_output(Path("/proc/limbstudio"))


def test_a_person_who_faces_the_camera_faces_the_camera(known_fit):
    _, fit = known_fit()

    np.testing.assert_allclose(pelvis_forward(fit), (0, 0, -1), atol=1e-9)
