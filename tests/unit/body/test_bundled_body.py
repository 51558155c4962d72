import time

import numpy as np
import pytest

from limbstudio.body.anny_bones import SMPL_REST_OFFSETS
from limbstudio.body.model import bundled_body_path, load_body
from limbstudio.body.shape_space import mirror_error_mm
from limbstudio.body.surface import intersecting_pairs, surface_facts
from limbstudio.domain.anatomy import SMPLX_INDEX, SMPLX_JOINTS, SMPLX_PARENTS


def test_it_is_one_closed_surface_with_outward_faces(body):
    facts = surface_facts(body.template, body.faces)

    edges = {
        tuple(sorted(e)) for f in body.faces.tolist() for e in ((f[0], f[1]), (f[1], f[2]), (f[2], f[0]))
    }
    assert facts.watertight
    assert facts.components == 1
    assert body.n_vertices - len(edges) + len(body.faces) == 2  # a sphere, no handles
    assert 0.05 < facts.volume_m3 < 0.09


def test_it_does_not_cut_itself_at_rest(body):
    assert len(intersecting_pairs(body.template, body.faces)) == 0


def test_a_finger_pushed_through_another_would_have_been_found(body):
    finger = body.skin_weights[:, SMPLX_INDEX["left_index3"]] > 0.5
    moved = body.template.copy()
    moved[finger] += (
        body.joint_template[SMPLX_INDEX["left_middle3"]] - body.joint_template[SMPLX_INDEX["left_index3"]]
    )

    assert len(intersecting_pairs(moved, body.faces)) > 0


def test_it_is_symmetric_in_points_faces_weights_and_joints(body):
    twins, joints = body.mirror_vertices, body.mirror_joints

    assert mirror_error_mm(body) <= 0.01
    mirrored_faces = {frozenset(f) for f in twins[body.faces].tolist()}
    assert mirrored_faces == {frozenset(f) for f in body.faces.tolist()}
    np.testing.assert_allclose(body.skin_weights[twins][:, joints], body.skin_weights, atol=1e-6)


def test_it_is_small_and_loads_quickly():
    times = []
    for _ in range(5):
        started = time.perf_counter()
        load_body()
        times.append(time.perf_counter() - started)

    assert bundled_body_path().stat().st_size <= 8e6
    assert min(times) <= 0.150


def test_joints_are_those_of_smplx_and_the_pelvis_is_the_origin(body):
    assert body.joint_names == SMPLX_JOINTS
    assert tuple(body.parents.tolist()) == SMPLX_PARENTS
    np.testing.assert_allclose(body.joint_template[0], 0, atol=1e-7)
    np.testing.assert_allclose(body.joint_shape_dirs[0], 0, atol=1e-7)


@pytest.mark.parametrize("joint", ["left_knee", "right_ankle", "left_elbow", "right_wrist"])
def test_limbs_rest_along_smpls_directions_for_every_shape(body, joint):
    index = SMPLX_INDEX[joint]
    shapes = np.random.default_rng(0).normal(size=(50, 10))
    joints = body.rest_joints(shapes)

    bones = joints[:, index] - joints[:, SMPLX_PARENTS[index]]

    direction = SMPL_REST_OFFSETS[index] / np.linalg.norm(SMPL_REST_OFFSETS[index])
    cosine = bones @ direction / np.linalg.norm(bones, axis=1)
    assert np.degrees(np.arccos(np.clip(cosine, -1, 1))).max() < 0.2


def test_soles_are_level_and_palms_face_down(body):
    lowest = body.template[:, 1] < body.template[:, 1].min() + 0.012
    soles = body.template[lowest & (body.template[:, 0] > 0)]
    wrist, index, pinky = (
        body.joint_template[SMPLX_INDEX[f"left_{n}"]] for n in ("wrist", "index1", "pinky1")
    )

    palm = np.cross(pinky - wrist, index - wrist)

    assert np.ptp(soles[:, 2]) > 0.2  # toes and heel both touch the ground
    assert palm[1] / np.linalg.norm(palm) < -0.95


def test_weights_sum_to_one_over_at_most_eight_joints_and_spare_jaw_and_eyes(body):
    np.testing.assert_allclose(body.skin_weights.sum(1), 1, atol=1e-6)
    assert (body.skin_weights > 0).sum(1).max() <= 8
    assert body.skin_weights[:, 22:25].max() == 0


def test_the_first_component_is_mostly_stature_and_shapes_stay_adult(body):
    statures = np.ptp(body.rest_vertices(np.random.default_rng(0).normal(size=(300, 10)))[..., 1], axis=1)

    assert 1.62 < np.mean(statures) < 1.78
    assert 0.06 < np.std(statures) < 0.14
    assert np.ptp(body.rest_vertices(np.array([2.0]))[:, 1]) > np.ptp(body.template[:, 1]) + 0.1


def test_keypoints_lie_near_their_joints(body):
    coco, body25 = (body.keypoint_regressors[k] for k in ("coco17", "body25"))
    at = dict(zip(coco.names, coco.apply(body.template), strict=True))

    for name in ("left_elbow", "right_wrist", "left_knee", "right_ankle", "left_shoulder"):
        assert np.linalg.norm(at[name] - body.joint_template[SMPLX_INDEX[name]]) < 0.05
    assert at["nose"][2] > at["left_ear"][2] + 0.05
    assert at["left_eye"][0] > 0 > at["right_eye"][0]
    neck = body25.apply(body.template)[body25.names.index("neck")]
    np.testing.assert_allclose(neck, (at["left_shoulder"] + at["right_shoulder"]) / 2, atol=1e-4)
    assert len(body25.names) == 25
    assert body.keypoint_regressors["feet"].names == body25.names[-6:]


def test_regressed_keypoints_are_symmetric(body):
    coco = body.keypoint_regressors["coco17"]
    points = coco.apply(body.template)

    swap = [0, 2, 1, 4, 3, 6, 5, 8, 7, 10, 9, 12, 11, 14, 13, 16, 15]
    np.testing.assert_allclose(points[swap] * [-1, 1, 1], points, atol=1e-4)
