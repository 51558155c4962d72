import numpy as np
import pytest

from limbstudio.body.folding import fold_joints, fold_keypoints, fold_vertices, stack_folded
from limbstudio.body.kinematics import rotation_matrices
from limbstudio.body.smpl_files import load_smpl


def _posed(model, batch=(3,)):
    random = np.random.default_rng(4)
    R = rotation_matrices(random.normal(0, 0.5, (*batch, 55, 3)))
    shape = random.normal(size=(*batch, model.n_shape))
    posed = model.pose(rotations=R, shape=shape, translation=random.normal(size=(*batch, 3)))
    motion = {
        "global_rotations": posed.joint_transforms[..., :3, :3],
        "joints": posed.joints,
        "shape": shape,
        "local_rotations": R,
    }
    return posed, motion


@pytest.mark.parametrize("key", ["coco17", "body25", "feet"])
def test_folded_keypoints_equal_skinning_then_regressing(body, key):
    posed, motion = _posed(body)

    folded = fold_keypoints(body, body.keypoint_regressors[key]).apply(**motion)

    np.testing.assert_allclose(folded, body.keypoint_regressors[key].apply(posed.vertices), atol=3e-6)


def test_folded_vertices_equal_skinned_vertices(body):
    posed, motion = _posed(body)
    picks = np.array([0, 77, 12271, 5000])

    np.testing.assert_allclose(
        fold_vertices(body, picks).apply(**motion), posed.vertices[:, picks], atol=3e-6
    )


def test_folding_takes_pose_blend_shapes_along(smpl_npz):
    model = load_smpl(smpl_npz("smpl"))
    posed, motion = _posed(model, batch=(2,))

    folded = fold_keypoints(model, model.keypoint_regressors["coco17"])
    vertices = fold_vertices(model, np.array([3, 900]))

    expected = model.keypoint_regressors["coco17"].apply(posed.vertices)
    np.testing.assert_allclose(folded.apply(**motion), expected, atol=5e-6)
    np.testing.assert_allclose(vertices.apply(**motion), posed.vertices[:, [3, 900]], atol=5e-6)
    with pytest.raises(ValueError, match="local_rotations"):
        folded.apply(**{**motion, "local_rotations": None})


def test_folded_joints_are_the_joints_and_stack_with_keypoints(body):
    posed, motion = _posed(body)
    joints = fold_joints(body, ("left_knee", "head"))
    keypoints = fold_keypoints(body, body.keypoint_regressors["coco17"])

    both = stack_folded(joints, keypoints)

    assert both.names == ("left_knee", "head", *keypoints.names)
    np.testing.assert_allclose(both.apply(**motion)[:, :2], posed.joints[:, [4, 15]], atol=1e-6)
    np.testing.assert_allclose(
        both.select(np.array([2])).apply(**motion), keypoints.apply(**motion)[:, :1], atol=1e-12
    )


def test_shares_of_each_keypoint_sum_to_one(body):
    folded = fold_keypoints(body, body.keypoint_regressors["body25"])

    np.testing.assert_allclose(folded.c.sum(1), 1, atol=1e-6)
