import shutil

import numpy as np
import pytest

from limbstudio.body.kinematics import global_transforms, rotation_matrices
from limbstudio.body.model import KeypointRegressor, load_body, save_body, skin, weight_blocks
from limbstudio.domain.anatomy import SMPLX_PARENTS
from limbstudio.domain.errors import KnownError


def _random_pose(batch=(), spread=0.4):
    return np.random.default_rng(7).normal(0, spread, (*batch, 55, 3)).astype(np.float32)


def test_skinning_equals_the_plain_sum_over_joints(body):
    pose = _random_pose()
    shape = np.linspace(-1, 1, 10)

    posed = body.pose(axis_angles=pose, shape=shape)

    rest, joints = body.rest_vertices(shape), body.rest_joints(shape)
    G, P = global_transforms(rotations=rotation_matrices(pose), rest_joints=joints, parents=SMPLX_PARENTS)
    plain = np.zeros_like(rest, dtype=np.float64)
    for j in range(55):
        plain += body.skin_weights[:, j, None] * ((rest - joints[j]) @ G[j].T.astype(np.float64) + P[j])
    np.testing.assert_allclose(posed.vertices, plain, atol=2e-6)


def test_a_batch_gives_what_each_body_gives_alone(body):
    poses = _random_pose((2, 3))
    shapes = np.random.default_rng(1).normal(size=(2, 3, 10))
    translations = np.random.default_rng(2).normal(size=(2, 3, 3))

    batch = body.pose(axis_angles=poses, shape=shapes, translation=translations)

    alone = body.pose(axis_angles=poses[1, 2], shape=shapes[1, 2], translation=translations[1, 2])
    assert batch.vertices.shape == (2, 3, body.n_vertices, 3)
    np.testing.assert_allclose(batch.vertices[1, 2], alone.vertices, atol=2e-6)
    np.testing.assert_allclose(batch.joint_transforms[1, 2], alone.joint_transforms, atol=2e-6)


def test_one_shape_serves_a_batch_of_poses(body):
    batch = body.pose(axis_angles=_random_pose((4,)), shape=np.ones(10))

    assert batch.vertices.shape == (4, body.n_vertices, 3)


def test_turning_the_root_turns_the_whole_body_about_the_pelvis(body):
    pose = np.zeros((55, 3))
    pose[0] = [0, np.pi / 2, 0]

    posed = body.pose(axis_angles=pose, translation=np.array([1.0, 2.0, 3.0]))

    turned = body.template @ rotation_matrices(pose[0]).T + [1, 2, 3]
    np.testing.assert_allclose(posed.vertices, turned, atol=1e-5)


def test_a_shorter_shape_is_the_same_as_one_padded_with_zeros(body):
    np.testing.assert_array_equal(
        body.rest_vertices(np.array([1.5])), body.rest_vertices(np.array([1.5] + [0] * 9))
    )


def test_a_longer_shape_is_refused_in_words(body):
    with pytest.raises(KnownError, match="16 numbers"):
        body.rest_vertices(np.zeros(16))


def test_padding_of_the_last_block_reaches_no_vertex():
    random = np.random.default_rng(0)
    weights = random.random((500, 4)).astype(np.float32)
    rest = random.random((500, 3)).astype(np.float32)
    identity = np.tile(np.eye(3, dtype=np.float32), (4, 1, 1))
    joints = random.random((4, 3)).astype(np.float32)

    skinned = skin(
        rest=rest, blocks=weight_blocks(weights), rotations=identity, joints=joints, rest_joints=joints
    )

    np.testing.assert_allclose(skinned, rest * weights.sum(1, keepdims=True), rtol=1e-5)


def test_a_regressor_gives_what_its_matrix_gives(body):
    vertices = body.pose(axis_angles=_random_pose((2,))).vertices

    for regressor in body.keypoint_regressors.values():
        np.testing.assert_allclose(regressor.apply(vertices), regressor.dense() @ vertices, atol=1e-5)


def test_a_selected_regressor_keeps_the_order_asked_for(body):
    regressor = body.keypoint_regressors["coco17"]

    picked = regressor.select(("right_knee", "nose"))

    expected = regressor.apply(body.template)[[regressor.names.index("right_knee"), 0]]
    np.testing.assert_allclose(picked.apply(body.template), expected, atol=1e-6)


def test_a_regressor_without_vertices_for_a_keypoint_is_refused():
    with pytest.raises(ValueError, match="at least one vertex"):
        KeypointRegressor.from_dense(("a", "b"), np.array([[1.0, 0.0], [0.0, 0.0]]))


def test_a_saved_body_comes_back_the_same(body, tmp_path):
    save_body(body, tmp_path / "copy.npz")

    copy = load_body(tmp_path / "copy.npz")

    np.testing.assert_array_equal(copy.template, body.template)
    np.testing.assert_array_equal(copy.shape_dirs, body.shape_dirs)
    np.testing.assert_allclose(copy.skin_weights, body.skin_weights, atol=1e-6)
    assert copy.joint_names == body.joint_names
    assert copy.keypoint_regressors.keys() == body.keypoint_regressors.keys()


def test_a_damaged_body_file_is_named_in_the_error(body, tmp_path):
    path = tmp_path / "copy.npz"
    save_body(body, path)
    content = bytearray(path.read_bytes())
    content[len(content) // 2 : len(content) // 2 + 4000] = bytes(4000)
    path.write_bytes(content)

    with pytest.raises(KnownError, match=r"copy\.npz"):
        load_body(path)


def test_a_file_that_is_no_body_is_refused(tmp_path):
    path = tmp_path / "other.npz"
    np.savez(path, photos=np.zeros(3))

    with pytest.raises(KnownError, match="no v_template"):
        load_body(path)


def test_a_missing_file_is_refused(tmp_path):
    with pytest.raises(KnownError, match="There is no body model"):
        load_body(tmp_path / "nothing.npz")


def test_a_body_file_under_another_name_is_recognised(body, tmp_path, project_root):
    copy = tmp_path / "renamed.npz"
    shutil.copy(project_root / "resources" / "body" / "limb_body.npz", copy)

    assert load_body(copy).kind == "limb"
