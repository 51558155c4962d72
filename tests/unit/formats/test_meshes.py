"""Meshes as files: what is written is read by us and by others; what is broken is refused."""

import struct

import numpy as np
import pytest
import trimesh

from limbstudio.domain.errors import KnownError
from limbstudio.formats.meshes import RESIDUAL_RGB, SKIN_RGB, read_mesh, write_glb, write_ply

_VERTICES = np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1]]) * 0.3 + 0.1
_FACES = np.array([[0, 2, 1], [0, 1, 3], [1, 2, 3], [0, 3, 2]])
_RESIDUAL = np.array([False, True, True, False])


def test_a_written_ply_is_read_again_with_its_residual_property_and_comments(tmp_path):
    path = tmp_path / "a.ply"

    write_ply(path, _VERTICES, _FACES, residual=_RESIDUAL, comments=["units metres", "frame camera"])
    mesh = read_mesh(path)

    np.testing.assert_array_equal(mesh.vertices, _VERTICES.astype(np.float32))
    np.testing.assert_array_equal(mesh.faces, _FACES)
    np.testing.assert_array_equal(mesh.residual, _RESIDUAL)
    assert "frame camera" in mesh.comments


def test_trimesh_reads_the_ply_and_finds_it_closed(tmp_path):
    write_ply(tmp_path / "a.ply", _VERTICES, _FACES, residual=_RESIDUAL)

    mesh = trimesh.load(tmp_path / "a.ply", process=False)

    assert mesh.is_watertight
    np.testing.assert_allclose(mesh.vertices, _VERTICES, atol=1e-7)
    flags = mesh.metadata["_ply_raw"]["vertex"]["data"]["residual"]
    np.testing.assert_array_equal(flags, _RESIDUAL)


def test_trimesh_reads_the_glb_and_finds_it_closed_and_coloured(tmp_path):
    write_glb(tmp_path / "a.glb", _VERTICES, _FACES, residual=_RESIDUAL)

    scene = trimesh.load(tmp_path / "a.glb", process=False)
    (mesh,) = scene.geometry.values()

    assert mesh.is_watertight
    assert mesh.volume == pytest.approx(0.3**3 / 6, rel=1e-5)
    colours = np.asarray(mesh.visual.vertex_attributes["color"])[:, :3].astype(int)
    assert len(np.unique(colours, axis=0)) == 2
    assert (colours[1] == colours[2]).all()
    # glTF colours are linear: darker numbers than the sRGB ones they show.
    assert (colours[0] < SKIN_RGB).all()
    assert (colours[1] < RESIDUAL_RGB).all()


def test_the_glb_is_well_formed(tmp_path):
    path = tmp_path / "a.glb"
    write_glb(path, _VERTICES, _FACES)
    data = path.read_bytes()

    magic, version, length = struct.unpack_from("<4sII", data)
    json_length, json_kind = struct.unpack_from("<I4s", data, 12)
    binary_length, binary_kind = struct.unpack_from("<I4s", data, 20 + json_length)

    assert (magic, version, length) == (b"glTF", 2, len(data))
    assert (json_kind, binary_kind) == (b"JSON", b"BIN\0")
    assert json_length % 4 == binary_length % 4 == 0
    assert 28 + json_length + binary_length == len(data)


def test_a_mesh_with_nan_is_never_written(tmp_path):
    with pytest.raises(ValueError, match="finite"):
        write_ply(tmp_path / "a.ply", _VERTICES * np.nan, _FACES)
    assert not (tmp_path / "a.ply").exists()


@pytest.mark.parametrize("kind", ["stl", "stl_ascii", "obj", "ply"])
def test_files_of_other_programs_are_read(tmp_path, kind):
    suffix = kind.split("_")[0]
    path = tmp_path / f"a.{suffix}"
    mesh = trimesh.Trimesh(_VERTICES, _FACES, process=False)
    options = {"encoding": "ascii"} if kind == "ply" else {}
    path.write_bytes(_as_bytes(mesh.export(file_type=kind, **options)))

    read = read_mesh(path)

    assert read.vertices.shape == (4, 3)
    assert trimesh.Trimesh(read.vertices, read.faces, process=False).volume == pytest.approx(
        mesh.volume, rel=1e-5
    )


def _as_bytes(content: str | bytes) -> bytes:
    return content.encode() if isinstance(content, str) else content


def test_quads_and_relative_indices_of_an_obj_are_read(tmp_path):
    path = tmp_path / "a.obj"
    path.write_text("v 0 0 0\nv 1 0 0\nv 1 1 0\nv 0 1 0\nf -4/1 -3/2 -2/3 -1/4\n", encoding="utf-8")

    np.testing.assert_array_equal(read_mesh(path).faces, [[0, 1, 2], [0, 2, 3]])


def test_a_big_endian_ply_with_quads_is_read(tmp_path):
    header = "ply\nformat binary_big_endian 1.0\nelement vertex 4\n"
    header += "property float x\nproperty float y\nproperty float z\n"
    header += "element face 1\nproperty list uchar int vertex_indices\nend_header\n"
    body = struct.pack(">12f", 0, 0, 0, 1, 0, 0, 1, 1, 0, 0, 1, 0) + struct.pack(">B4i", 4, 0, 1, 2, 3)
    (tmp_path / "a.ply").write_bytes(header.encode() + body)

    np.testing.assert_array_equal(read_mesh(tmp_path / "a.ply").faces, [[0, 1, 2], [0, 2, 3]])


_HEADER = "ply\nformat ascii 1.0\nelement vertex {}\nproperty float x\nproperty float y\nproperty float z\n"
_HEADER += "element face 1\nproperty list uchar int vertex_indices\nend_header\n"


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("a.ply", "", "empty"),
        ("a.ply", "hello", "does not begin"),
        ("a.ply", "ply\nformat ascii 1.0\n", "no end"),
        ("a.ply", _HEADER.format(3) + "0 0 0\n1 0 0\n", "damaged"),
        ("a.ply", _HEADER.format(3) + "0 0 0\n1 0 0\n0 1 0\n3 0 1 9\n", "do not exist"),
        ("a.ply", _HEADER.format(3) + "0 0 nan\n1 0 0\n0 1 0\n3 0 1 2\n", "no place"),
        ("a.ply", _HEADER.format(10**12), "claims"),
        ("a.obj", "v 0 0 0\nv 1 0 0\nv 0 1 0\n", "no faces"),
        ("a.obj", "v 0 0\n", "line 1"),
        ("a.obj", "v 0 0 0\nf 1 x 2\n", "line 2"),
        ("a.stl", "solid a\nendsolid a\n", "without vertices"),
        ("a.stl", "x" * 90, "damaged"),
        ("a.xyz", "0 0 0", "no known mesh format"),
    ],
)
def test_what_is_no_whole_surface_is_refused_by_name(tmp_path, name, content, words):
    (tmp_path / name).write_text(content, encoding="utf-8")

    with pytest.raises(KnownError, match=words) as refused:
        read_mesh(tmp_path / name)

    assert name in refused.value.message


def test_real_broken_meshes_are_refused_and_sound_ones_read(shared_data):
    outcome, unnamed = {}, []
    for path in sorted((shared_data / "real" / "awkward" / "mesh").iterdir()):
        try:
            outcome[path.name] = len(read_mesh(path).faces)
        except KnownError as error:
            unnamed += [path.name] if path.name not in error.message else []
            outcome[path.name] = 0

    assert unnamed == []
    read = {name for name, faces in outcome.items() if faces}
    assert read <= {"nancolor.obj", "multibody.stl", "points_emptyface.ply"}
    assert outcome["nancolor.obj"] == 12
