import sys

import numpy as np
import pytest

from limbstudio.body.anny_bones import SMPL_REST_OFFSETS, joint_of, t_pose_rotations
from limbstudio.body.bake import _restore_point, bake
from limbstudio.body.shape_space import mirrored_joints, shape_space, symmetric_weights
from limbstudio.domain.anatomy import SMPLX_INDEX, SMPLX_JOINTS
from limbstudio.domain.errors import KnownError

# A left and a right side of bones in an A-pose with bent elbows, as Anny rests (metres, our frame).
_LEFT = {
    "upperleg01": (0.11, 0.0, 0.0), "lowerleg01": (0.15, -0.44, 0.03), "foot": (0.19, -0.9, 0.0),
    "toe2-1": (0.19, -0.95, 0.15), "upperarm01": (0.18, 0.48, 0.0), "lowerarm01": (0.37, 0.27, 0.02),
    "wrist": (0.5, 0.13, 0.19), "finger3-1": (0.55, 0.08, 0.28), "upperleg02": (0.12, -0.1, 0.0),
    "lowerleg02": (0.17, -0.6, 0.0), "upperarm02": (0.25, 0.4, 0.0), "lowerarm02": (0.44, 0.2, 0.1),
}  # fmt: skip


@pytest.fixture
def a_pose():
    labels = ["root"] + [f"{name}.{side}" for side in "LR" for name in _LEFT]
    mirror = np.array([-1.0, 1.0, 1.0])
    left = np.array(list(_LEFT.values()))
    return np.concatenate([np.zeros((1, 3)), left, left * mirror])[None], tuple(labels)


def test_limbs_come_to_lie_along_smpls_rest_directions(a_pose):
    heads, labels = a_pose
    bones = {"knee": ("upperleg01", "lowerleg01"), "ankle": ("lowerleg01", "foot"),
             "elbow": ("upperarm01", "lowerarm01"), "wrist": ("lowerarm01", "wrist")}  # fmt: skip

    R = t_pose_rotations(heads, labels)

    for side, word in (("L", "left"), ("R", "right")):
        for joint, (start, end) in bones.items():
            a, b = labels.index(f"{start}.{side}"), labels.index(f"{end}.{side}")
            bone = R[0, a] @ (heads[0, b] - heads[0, a])
            offset = SMPL_REST_OFFSETS[SMPLX_INDEX[f"{word}_{joint}"]]
            assert bone @ offset / np.linalg.norm(bone) / np.linalg.norm(offset) == pytest.approx(
                1, abs=1e-12
            )


def test_feet_turn_about_the_vertical_only(a_pose):
    heads, labels = a_pose

    foot = t_pose_rotations(heads, labels)[0, labels.index("foot.L")]

    np.testing.assert_allclose(foot @ [0, 1, 0], [0, 1, 0], atol=1e-12)


def test_the_elbow_straightens_about_its_own_hinge_without_twisting(a_pose):
    heads, labels = a_pose
    shoulder, elbow, wrist = (heads[0, labels.index(f"{n}.L")] for n in ("upperarm01", "lowerarm01", "wrist"))
    R = t_pose_rotations(heads, labels)[0]
    upper, fore = R[labels.index("upperarm01.L")], R[labels.index("lowerarm01.L")]

    straightening = fore @ upper.T

    axis = np.array([straightening[2, 1] - straightening[1, 2], straightening[0, 2] - straightening[2, 0],
                     straightening[1, 0] - straightening[0, 1]])  # fmt: skip
    assert abs(axis @ (upper @ (wrist - elbow))) < 1e-9
    assert np.linalg.norm(shoulder - elbow) > 0


def test_the_shape_space_finds_the_directions_people_were_made_with():
    random = np.random.default_rng(0)
    half = random.normal(size=(30, 3))
    template = np.concatenate([half, half * [-1, 1, 1]])
    twins = np.concatenate([np.arange(30, 60), np.arange(30)]).astype(np.int32)
    direction = np.concatenate([d := random.normal(size=(30, 3)) * 0.1, d * [-1, 1, 1]])
    scores = random.normal(size=100)
    people = template + scores[:, None, None] * direction + random.normal(0, 1e-4, (100, 60, 3))
    joints = np.zeros((100, 55, 3))
    joints[:, 4, 1] = 0.3 * scores

    space = shape_space(people, joints, twins)

    found = space.shape_dirs[..., 0]
    cosine = np.sum(found * direction) / np.linalg.norm(found) / np.linalg.norm(direction)
    assert abs(cosine) > 0.999
    assert np.linalg.norm(found) == pytest.approx(np.linalg.norm(direction) * scores.std(), rel=0.01)
    assert space.variance_kept > 0.999
    np.testing.assert_allclose(space.template[twins] * [-1, 1, 1], space.template, atol=1e-12)


def test_bones_go_to_the_joint_of_their_own_side():
    assert joint_of("upperleg02.L") == "left_hip"
    assert joint_of("finger1-2.R") == "right_thumb2"
    assert joint_of("toe5-3.L") == "left_foot"
    assert joint_of("eye.R") == "head"
    assert joint_of("spine02") == "spine2"


def test_mirrored_joints_swap_sides_and_nothing_else():
    twins = mirrored_joints()

    np.testing.assert_array_equal(twins[twins], np.arange(55))
    assert SMPLX_JOINTS[twins[SMPLX_INDEX["left_thumb3"]]] == "right_thumb3"
    assert SMPLX_JOINTS[twins[SMPLX_INDEX["left_eye_smplhf"]]] == "right_eye_smplhf"
    assert twins[SMPLX_INDEX["spine3"]] == SMPLX_INDEX["spine3"]


def test_weights_become_symmetric_with_eight_joints_at_most():
    weights = np.random.default_rng(1).dirichlet(np.ones(55), 6)
    twins = np.array([1, 0, 3, 2, 4, 5], np.int32)

    even = symmetric_weights(weights, twins)

    np.testing.assert_allclose(even.sum(1), 1)
    assert (even > 0).sum(1).max() <= 8
    np.testing.assert_allclose(even[twins][:, mirrored_joints()], even, atol=1e-12)


def test_a_restored_keypoint_is_where_it_was_and_uses_the_same_vertices():
    vertices = np.random.default_rng(2).normal(size=(40, 3))
    row = np.zeros(40)
    row[:10] = 0.1
    target = vertices[:10].mean(0) + 0.01

    _restore_point(row, vertices, target)

    np.testing.assert_allclose(row @ vertices, target, atol=1e-12)
    assert row.sum() == pytest.approx(1)
    assert set(np.flatnonzero(row)) <= set(range(10))


def test_without_anny_the_error_says_what_to_install(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "anny", None)

    with pytest.raises(KnownError, match="Anny") as caught:
        bake(tmp_path / "body.npz")
    assert "limbstudio[bake]" in caught.value.hint
