import logging
import os
import pickle
import sys
import types
import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import scipy.sparse

from limbstudio.body.model import load_body
from limbstudio.body.smpl_files import (
    JOINT_SLOTS,
    SmplFile,
    body_from_smpl,
    load_smpl,
    read_smpl_file,
    smplx_layer,
)
from limbstudio.body.surface import surface_facts
from limbstudio.domain.anatomy import SMPLX_INDEX, Limb
from limbstudio.domain.errors import KnownError

PROTOCOLS = range(pickle.HIGHEST_PROTOCOL + 1)


@pytest.fixture
def chumpy(monkeypatch):
    """A stand-in for chumpy while a file is written; the reader must do without it."""

    class Ch:
        def __init__(self, x):
            self.x = x

    Ch.__module__, Ch.__qualname__ = "chumpy.ch", "Ch"
    package, module = types.ModuleType("chumpy"), types.ModuleType("chumpy.ch")
    module.Ch = Ch
    package.ch = module
    monkeypatch.setitem(sys.modules, "chumpy", package)
    monkeypatch.setitem(sys.modules, "chumpy.ch", module)
    return Ch


def _write_pickle(path, values, protocol=2):
    path.write_bytes(pickle.dumps(values, protocol=protocol))
    return path


def _pose_of(kind, seed=3):
    """Return a pose in the file's joint order (J, 3) and the same in our 55 slots."""
    slots = list(JOINT_SLOTS[kind])
    pose = np.random.default_rng(seed).normal(0, 0.4, (len(slots), 3))
    full = np.zeros((55, 3))
    full[slots] = pose
    return pose, full


@pytest.mark.parametrize("kind", ["smpl", "smplh", "smplx"])
def test_our_body_equals_smplx_own_skinning(smpl_npz, kind):
    torch = pytest.importorskip("torch")
    lbs = pytest.importorskip("smplx.lbs")
    file = read_smpl_file(smpl_npz(kind))
    arrays = {
        k: torch.tensor(np.asarray(v, np.float64)) for k, v in file.arrays.items() if k != "kintree_table"
    }
    parents = torch.tensor(file.arrays["kintree_table"][0].astype(np.int64))
    parents[0] = -1
    pose, full = _pose_of(kind)
    betas, translation = np.random.default_rng(1).normal(size=10), np.array([0.3, -0.1, 2.0])

    posed = load_smpl(file.path).pose(axis_angles=full, shape=betas, translation=translation)

    vertices, joints = lbs.lbs(
        torch.tensor(betas)[None],
        torch.tensor(pose).reshape(1, -1),
        arrays["v_template"][None],
        arrays["shapedirs"][..., :10],
        arrays["posedirs"].reshape(-1, arrays["posedirs"].shape[-1]).T,
        arrays["J_regressor"],
        parents,
        arrays["weights"],
    )
    np.testing.assert_allclose(
        posed.joints[list(JOINT_SLOTS[kind])], joints[0].numpy() + translation, atol=1e-5
    )
    np.testing.assert_allclose(posed.vertices, vertices[0].numpy() + translation, atol=1e-5)


def test_our_smpl_equals_the_layer_that_smplx_makes_of_the_same_data(smpl_npz):
    torch = pytest.importorskip("torch")
    file = read_smpl_file(smpl_npz("smpl"))
    pose, full = _pose_of("smpl")
    betas = np.linspace(-2, 2, 10)

    layer = smplx_layer(file)
    theirs = layer(
        betas=torch.tensor(betas, dtype=torch.float32)[None],
        global_orient=torch.tensor(pose[:1], dtype=torch.float32),
        body_pose=torch.tensor(pose[1:].reshape(1, -1), dtype=torch.float32),
    )

    ours = load_smpl(file.path).pose(axis_angles=full, shape=betas)
    np.testing.assert_allclose(ours.vertices, theirs.vertices[0].detach(), atol=1e-5)
    np.testing.assert_allclose(
        ours.joints[list(JOINT_SLOTS["smpl"])], theirs.joints[0, :24].detach(), atol=1e-5
    )


def test_our_smplx_equals_the_layer_that_smplx_makes_of_the_same_data(smpl_npz):
    torch = pytest.importorskip("torch")
    file = read_smpl_file(smpl_npz("smplx"))
    hands = {"hands_componentsl": np.eye(45), "hands_componentsr": np.eye(45)}
    hands |= {"hands_meanl": np.ones(45), "hands_meanr": np.ones(45)}
    face = {"lmk_faces_idx": np.arange(51), "lmk_bary_coords": np.full((51, 3), 1 / 3)}
    face |= {
        "dynamic_lmk_faces_idx": np.zeros((79, 17), int),
        "dynamic_lmk_bary_coords": np.full((79, 17, 3), 1 / 3),
    }
    file = replace(file, arrays={**file.arrays, **hands, **face})
    pose, full = _pose_of("smplx")

    def tensor(rows):
        return torch.tensor(pose[rows].reshape(1, -1), dtype=torch.float32)

    theirs = smplx_layer(file)(
        betas=torch.ones(1, 10), expression=torch.zeros(1, 10), global_orient=tensor(slice(0, 1)),
        body_pose=tensor(slice(1, 22)), jaw_pose=tensor([22]), leye_pose=tensor([23]), reye_pose=tensor([24]),
        left_hand_pose=tensor(slice(25, 40)), right_hand_pose=tensor(slice(40, 55)),
    )  # fmt: skip

    ours = body_from_smpl(file).pose(axis_angles=full, shape=np.ones(10))
    np.testing.assert_allclose(ours.joints, theirs.joints[0, :55].detach(), atol=1e-5)
    np.testing.assert_allclose(ours.vertices, theirs.vertices[0].detach(), atol=1e-5)


def test_a_layer_without_its_hands_is_refused_in_words(tiny_npz):
    pytest.importorskip("torch")

    with pytest.raises(KnownError, match="lacks what smplx needs"):
        smplx_layer(read_smpl_file(tiny_npz("smplh")))


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_pickle_with_chumpy_and_sparse_matrices_reads_as_plain_arrays(
    tiny_arrays, tmp_path, chumpy, monkeypatch, protocol
):
    arrays = tiny_arrays("smpl")
    values = dict(arrays)
    values["J_regressor"] = scipy.sparse.csc_matrix(arrays["J_regressor"])
    values["weights"] = chumpy(arrays["weights"])
    values["shapedirs"] = chumpy(arrays["shapedirs"])
    values["bs_type"] = "lrotmin"
    path = _write_pickle(tmp_path / "smpl.pkl", values, protocol)
    monkeypatch.delitem(sys.modules, "chumpy.ch")
    monkeypatch.delitem(sys.modules, "chumpy")

    file = read_smpl_file(path)

    assert file.kind == "smpl"
    for name in ("J_regressor", "weights", "shapedirs", "posedirs", "f"):
        np.testing.assert_allclose(file.arrays[name], arrays[name], atol=1e-15)


def test_sparse_rows_read_like_sparse_columns(tiny_arrays, tmp_path):
    arrays = tiny_arrays("smpl")
    values = {**arrays, "J_regressor": scipy.sparse.csr_matrix(arrays["J_regressor"])}

    file = read_smpl_file(_write_pickle(tmp_path / "smpl.pkl", values))

    np.testing.assert_allclose(file.arrays["J_regressor"], arrays["J_regressor"])


def test_a_pickle_that_runs_a_command_is_refused_by_name_and_runs_nothing(tiny_arrays, tmp_path):
    witness = tmp_path / "witness"

    class Bomb:
        def __reduce__(self):
            return os.system, (f"touch {witness}",)

    path = _write_pickle(tmp_path / "smpl.pkl", {**tiny_arrays("smpl"), "extra": Bomb()})

    with pytest.raises(KnownError, match=r"(posix|nt)\.system"):
        load_body(path)
    assert not witness.exists()


@pytest.mark.parametrize("name", ["eval", "getattr", "exec", "__import__"])
def test_builtin_functions_are_refused(tmp_path, name):
    path = tmp_path / "smpl.pkl"
    path.write_bytes(b"c__builtin__\n" + name.encode() + b"\n(S'1'\ntR.")

    with pytest.raises(KnownError, match=name):
        load_body(path)


def test_objects_inside_an_npz_go_through_the_same_gate(tiny_npz):
    class Bomb:
        def __reduce__(self):
            return os.getcwd, ()

    with pytest.raises(KnownError, match="getcwd"):
        load_body(tiny_npz("smpl", extra=np.array([Bomb()], dtype=object)))


def test_tables_inside_an_npz_do_no_harm(tiny_npz):
    table = np.array({"LeftHand": 20, "RightHand": 21}, dtype=object)

    assert read_smpl_file(tiny_npz("smpl", part2num=table)).kind == "smpl"


@pytest.mark.parametrize("suffix", [".pkl", ".npz"])
@pytest.mark.parametrize(
    "content", [b"", b"\x80\x04garbage", b"PK\x03\x04 not really", b"(dp0\nS'v_template'\n"]
)
def test_garbage_is_refused_in_words(tmp_path, suffix, content):
    path = tmp_path / f"model{suffix}"
    path.write_bytes(content)

    with pytest.raises(KnownError, match="model"):
        load_body(path)


def test_a_truncated_file_is_refused_in_words(tiny_npz):
    path = tiny_npz("smpl")
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])

    with pytest.raises(KnownError, match="cannot be read"):
        load_body(path)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"weights": np.zeros((5, 24))}, "weights"),
        ({"kintree_table": np.zeros((2, 16), np.uint32)}, "16 joints"),
        ({"kintree_table": np.zeros((2, 24), np.uint32)}, "hang together"),
        ({"f": np.full((4, 3), 99999)}, "triangles"),
        ({"v_template": np.full((64, 3), np.nan)}, "not finite"),
    ],
)
def test_files_that_do_not_add_up_are_refused(tiny_npz, changes, words):
    with pytest.raises(KnownError, match=words):
        load_body(tiny_npz("smpl", **changes))


def test_a_file_of_another_kind_is_refused(tmp_path):
    path = tmp_path / "body.obj"
    path.write_text("v 0 0 0")

    with pytest.raises(KnownError, match=r"neither \.npz nor \.pkl"):
        load_body(path)


@pytest.mark.parametrize("kind", ["smpl", "smplh", "smplx"])
def test_every_kind_becomes_a_body_of_55_joints_with_parts_and_keypoints(smpl_npz, body, kind, caplog):
    model = load_body(smpl_npz(kind))

    assert model.joint_template.shape == (55, 3)
    assert model.kind == kind
    np.testing.assert_allclose(model.skin_weights.sum(1), 1, atol=1e-6)
    assert np.mean(model.part_labels == body.part_labels) > 0.99
    assert {key: len(r.names) for key, r in model.keypoint_regressors.items()} == {
        "coco17": 17,
        "body25": 25,
        "feet": 6,
    }
    ours = body.keypoint_regressors["coco17"].apply(body.template) + [0.01, -0.2, 0.02]
    theirs = model.keypoint_regressors["coco17"].apply(model.template)
    assert np.linalg.norm(ours - theirs, axis=1).max() < 0.06
    assert "guessed" in caplog.text


def test_joints_that_smpl_lacks_stand_at_the_joint_they_hang_on(smpl_npz):
    model = load_body(smpl_npz("smpl"))
    at = {name: model.joint_template[i] for i, name in enumerate(model.joint_names)}

    np.testing.assert_allclose(at["left_thumb3"], at["left_middle1"])
    np.testing.assert_allclose(at["jaw"], at["head"])
    assert model.skin_weights[:, SMPLX_INDEX["left_thumb3"]].max() == 0


def test_open_eyes_are_closed_and_said_in_the_log(smpl_npz, smpl_arrays, body, caplog):
    arrays = smpl_arrays("smplx")
    nose = int(np.argmax(body.template[:, 2] * (body.part_labels == 0)))
    hole = np.flatnonzero(~(body.faces == nose).any(axis=1))
    eyeball = np.array([[0, 1, 2], [0, 2, 3], [0, 3, 1], [1, 3, 2]]) + body.n_vertices
    grown = {
        name: np.concatenate([arrays[name], np.repeat(arrays[name][nose : nose + 1], 4, axis=0)])
        for name in ("v_template", "shapedirs", "posedirs", "weights")
    }
    grown["v_template"][-4:] += np.array([[0, 0, -0.02], [0.01, 0, -0.02], [0, 0.01, -0.02], [0, 0, -0.01]])
    grown["J_regressor"] = np.pad(arrays["J_regressor"], [(0, 0), (0, 4)])
    grown["kintree_table"] = arrays["kintree_table"]
    grown["f"] = np.concatenate([body.faces[hole], eyeball])

    with caplog.at_level(logging.INFO, logger="limbstudio.body.smpl_files"):
        model = body_from_smpl(SmplFile(Path("eyes.npz"), "smplx", grown))

    facts = surface_facts(model.template, model.faces)
    assert facts.watertight
    assert facts.components == 1
    assert model.n_vertices == body.n_vertices + 4
    assert "1 openings of the mesh (eyes) are closed" in caplog.text
    assert "eyeballs" in caplog.text


def test_a_zip_that_is_no_npz_is_refused(tmp_path):
    path = tmp_path / "model.npz"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("readme.txt", "hello")

    with pytest.raises(KnownError, match="cannot be read"):
        load_body(path)


def test_the_limbs_of_a_users_body_can_be_told_apart(smpl_npz):
    from limbstudio.body.parts import border_loops, distal_vertices

    model = load_body(smpl_npz("smpl"))

    for limb in Limb:
        distal = np.zeros(model.n_vertices, bool)
        distal[distal_vertices(model.part_labels, limb, limb.segments[0])] = True
        assert len(border_loops(model.faces, distal)) == 1
