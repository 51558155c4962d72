import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from limbstudio.body.kinematics import (
    descendants,
    global_transforms,
    mirrored_axis_angles,
    rotation_between,
    rotation_matrices,
    rotation_vectors,
    tree_levels,
)
from limbstudio.domain.anatomy import SMPLX_PARENTS


@pytest.mark.parametrize("angle", [0.0, 1e-12, 1e-8, 1e-4, 1e-3, 0.5, 2.0, np.pi - 1e-3, np.pi - 1e-8, np.pi])
def test_rotation_vectors_come_back_from_matrices_at_every_angle(angle):
    axes = np.random.default_rng(1).normal(size=(200, 3))
    vectors = angle * axes / np.linalg.norm(axes, axis=1, keepdims=True)

    matrices = rotation_matrices(vectors)
    back = rotation_vectors(matrices)

    np.testing.assert_allclose(matrices, Rotation.from_rotvec(vectors).as_matrix(), atol=1e-12)
    np.testing.assert_allclose(rotation_matrices(back), matrices, atol=1e-12)
    if angle < np.pi - 1e-4:  # at half a turn both signs are right
        np.testing.assert_allclose(back, vectors, atol=1e-11)


def test_angles_beyond_half_a_turn_come_back_as_the_shorter_way_round():
    vector = np.array([0.0, 0.0, 2 * np.pi - 0.4])

    np.testing.assert_allclose(rotation_vectors(rotation_matrices(vector)), [0, 0, -0.4], atol=1e-12)


def test_rotations_keep_single_precision():
    matrices = rotation_matrices(np.full((4, 3), 0.2, np.float32))

    assert matrices.dtype == np.float32
    assert rotation_vectors(matrices).dtype == np.float32


def test_rotation_between_turns_one_direction_onto_the_other_even_when_opposite():
    source = np.array([[1.0, 0, 0], [0, 2, 0], [0, 0, 1], [1, 1, 1]])
    target = np.array([[0, 3.0, 0], [0, -1, 0], [0, 0, 1], [1, 0, -1]])

    R = rotation_between(source=source, target=target)

    turned = (R @ source[..., None])[..., 0]
    np.testing.assert_allclose(
        turned / np.linalg.norm(turned, axis=1, keepdims=True),
        target / np.linalg.norm(target, axis=1, keepdims=True),
        atol=1e-12,
    )
    np.testing.assert_allclose(R @ R.transpose(0, 2, 1), np.broadcast_to(np.eye(3), (4, 3, 3)), atol=1e-12)


def test_global_transforms_equal_the_plain_chain_joint_by_joint():
    random = np.random.default_rng(2)
    rest = random.normal(size=(3, 55, 3))
    R = rotation_matrices(random.normal(size=(3, 55, 3)))

    G, P = global_transforms(rotations=R, rest_joints=rest, parents=SMPLX_PARENTS)

    for body in range(3):
        chain: list[np.ndarray] = []
        for joint, parent in enumerate(SMPLX_PARENTS):
            local = np.eye(4)
            local[:3, :3] = R[body, joint]
            local[:3, 3] = rest[body, joint] - (rest[body, parent] if parent >= 0 else 0)
            chain.append(chain[parent] @ local if parent >= 0 else local)
        np.testing.assert_allclose(G[body], np.stack(chain)[:, :3, :3], atol=1e-12)
        np.testing.assert_allclose(P[body], np.stack(chain)[:, :3, 3], atol=1e-12)


def test_global_transforms_do_not_change_what_they_are_given():
    rest, R = np.zeros((3, 3)), np.tile(rotation_matrices(np.array([0.1, 0, 0])), (3, 1, 1))
    before = R.copy()

    global_transforms(rotations=R, rest_joints=rest, parents=(-1, 0, 1))

    np.testing.assert_array_equal(R, before)


def test_a_tree_with_a_child_before_its_parent_is_refused():
    with pytest.raises(ValueError, match="before its parent"):
        tree_levels((-1, 2, 0))


def test_descendants_of_the_elbow_are_forearm_and_hand_only():
    below = descendants(SMPLX_PARENTS)

    assert set(np.flatnonzero(below[18])) == {18, 20, *range(25, 40)}
    assert below[0].all()


def test_a_mirrored_pose_gives_the_mirrored_joints(body):
    random = np.random.default_rng(3)
    pose = random.normal(0, 0.5, (55, 3))

    right = body.pose(axis_angles=pose).joints
    left = body.pose(axis_angles=mirrored_axis_angles(pose, body.mirror_joints)).joints

    np.testing.assert_allclose(left[body.mirror_joints] * [-1, 1, 1], right, atol=1e-5)
