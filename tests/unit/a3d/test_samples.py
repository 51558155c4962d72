"""The sample project: photos, annotations and truth agree with each other and with the bundled body."""

import json
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from limbstudio.a3d.people import cut_limbs, make_person
from limbstudio.a3d.samples import LARGEST_BYTES, PLANS, level_feet, make_samples, read_pose
from limbstudio.body.model import load_body
from limbstudio.domain.anatomy import (
    LDPOSE_INDEX,
    LDPOSE_NAMES,
    SMPLX_INDEX,
    KeypointState,
    Level,
    Limb,
    Posture,
    level_rule,
)
from limbstudio.domain.errors import KnownError
from limbstudio.domain.geometry import Camera
from limbstudio.formats.coco import read_annotations
from limbstudio.rendering.silhouette import overlap, silhouette
from limbstudio.resources import resource_path

SAMPLES = resource_path("samples")
TRUTH = json.loads((SAMPLES / "truth.json").read_text(encoding="utf-8"))["people"]
NAMES = [Path(person["image"]).stem for person in TRUTH]


@pytest.fixture(scope="module")
def body():
    return load_body()


@pytest.fixture(scope="module")
def annotated():
    return {p.annotation_id: p for p in read_annotations(SAMPLES / "annotations.json").people}


def _camera(truth: dict) -> Camera:
    camera = truth["camera"]
    return Camera(camera["focal_px"], tuple(camera["center_px"]), tuple(camera["size_px"]))


def _posed(body, truth: dict):
    given = truth["parameters"]
    axis_angles = np.vstack([given["orientation"], given["pose"]])
    return body.pose(
        axis_angles=axis_angles,
        shape=np.array(given["shape"]),
        translation=np.array(given["translation"]),
    )


def _limbs(truth: dict) -> dict[Limb, tuple[Level, float]]:
    return {Limb(name): (Level(limb["level"]), limb["lambda"]) for name, limb in truth["limbs"].items()}


def test_the_samples_cover_levels_sides_postures_and_a_person_without_limb_loss():
    limbs = [(limb, state["level"]) for person in TRUTH for limb, state in person["limbs"].items()]

    assert len(TRUTH) >= 6
    assert {level for _, level in limbs} >= {
        "transtibial",
        "transfemoral",
        "transradial",
        "transhumeral",
        "knee_disarticulation",
    }
    assert {limb.split("_")[0] for limb, _ in limbs} == {"left", "right"}
    assert {person["posture"] for person in TRUTH} >= {"standing", "sitting"}
    assert any(not person["limbs"] for person in TRUTH)
    assert any(len(person["limbs"]) == 2 for person in TRUTH)


def test_the_annotation_file_is_read_without_a_complaint():
    annotations = read_annotations(SAMPLES / "annotations.json")

    assert len(annotations.people) == len(TRUTH)
    assert annotations.warnings == ()
    assert annotations.problems == ()
    for person in annotations.people:
        assert person.warnings == ()
        assert person.has_block


@pytest.mark.parametrize("truth", TRUTH, ids=NAMES)
def test_photos_are_small_upright_and_of_the_stated_size(truth):
    path = SAMPLES / truth["image"]

    with Image.open(path) as photo:
        assert photo.size == tuple(truth["camera"]["size_px"])
        assert len(photo.getexif()) == 0
    assert path.stat().st_size <= LARGEST_BYTES


@pytest.mark.parametrize("truth", TRUTH, ids=NAMES)
def test_parameters_make_the_joints_and_keypoints_of_the_truth(truth, body):
    posed = _posed(body, truth)
    camera = _camera(truth)

    np.testing.assert_allclose(posed.joints, truth["joints"], atol=2e-4)
    coco = body.keypoint_regressors["coco17"].apply(posed.vertices.astype(float))
    for i, name in enumerate(LDPOSE_NAMES[:17]):
        if name in truth["keypoints"]:
            px = truth["keypoints"][name]["px"]
            np.testing.assert_allclose(camera.project(coco[i]), px, atol=0.5, err_msg=name)


@pytest.mark.parametrize("truth", TRUTH, ids=NAMES)
def test_annotated_points_are_the_projected_truth_within_half_a_pixel(truth, annotated):
    person = annotated[truth["annotation_id"]].person
    camera = _camera(truth)

    for name, point in zip(LDPOSE_NAMES, person.keypoints.points, strict=True):
        if name not in truth["keypoints"]:
            assert point.state is KeypointState.ABSENT
            continue
        known = truth["keypoints"][name]
        assert point.state.value == known["state"]
        px = camera.project(np.array(known["position"]))
        np.testing.assert_allclose(px, known["px"], atol=0.01)
        if point.constrains_fit:
            assert np.hypot(point.x - px[0], point.y - px[1]) < 0.5


@pytest.mark.parametrize("truth", TRUTH, ids=NAMES)
def test_residual_ends_follow_equation_3(truth, annotated):
    person = annotated[truth["annotation_id"]].person
    joints = np.array(truth["joints"])

    assert {limb: state.level for limb, state in person.limbs.items() if state.level is not Level.INTACT} == {
        limb: level for limb, (level, _) in _limbs(truth).items()
    }
    for limb, (level, factor) in _limbs(truth).items():
        rule = level_rule(limb, level)
        anchor, upstream = joints[SMPLX_INDEX[rule.anchor]], joints[SMPLX_INDEX[rule.upstream]]
        known = truth["limbs"][limb.value]
        np.testing.assert_allclose(known["endpoint"], anchor + factor * (upstream - anchor), atol=1e-5)
        assert known["length_m"] == pytest.approx(
            np.linalg.norm(np.array(known["endpoint"]) - upstream), abs=1e-5
        )
        assert LDPOSE_NAMES[rule.endpoint] in truth["keypoints"]


@pytest.mark.parametrize("truth", TRUTH, ids=NAMES)
def test_the_mask_is_the_person_and_the_box_is_the_masks(truth, annotated, body):
    person = annotated[truth["annotation_id"]].person
    mask = cv2.imread(str(SAMPLES / person.mask_file), cv2.IMREAD_UNCHANGED) > 0
    posed = _posed(body, truth)
    recipe = cut_limbs(body, np.array(truth["parameters"]["shape"]), _limbs(truth))
    vertices, faces = posed.vertices.astype(float), body.faces
    if recipe is not None:
        vertices, faces = recipe.carry_points(vertices), recipe.faces

    bare = silhouette(vertices, faces, _camera(truth))

    assert overlap(mask, bare) > 0.85  # clothes, hair and what stands before the person make the rest
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    box = person.box
    assert (box.x, box.y) == (columns[0], rows[0])
    assert (box.x + box.width, box.y + box.height) == (columns[-1] + 1, rows[-1] + 1)


def _motion(path: Path) -> Path:
    np.savez(path, body_pose=np.zeros((2, 21, 3), np.float16), root_orient=np.zeros((2, 3), np.float16))
    return path


SMALL = replace(PLANS[0], name="small", pose=1, size_px=(110, 150), focal_px=170.0, place="living_room")


def test_making_samples_writes_a_readable_project(tmp_path, body):
    poses = _motion(tmp_path / "poses.npz")

    make_samples(tmp_path / "out", poses, plans=[SMALL], body=body)

    people = read_annotations(tmp_path / "out" / "annotations.json").people
    truth = json.loads((tmp_path / "out" / "truth.json").read_text(encoding="utf-8"))
    assert [p.file_name for p in people] == ["small.jpg"]
    assert people[0].person.posture is Posture.STANDING
    end = people[0].person.keypoints.points[LDPOSE_INDEX["below_right_knee_end"]]
    known = truth["people"][0]["limbs"]["right_leg"]["endpoint_px"]
    assert (end.x, end.y) == pytest.approx(known, abs=0.02)
    assert (tmp_path / "out" / "small_mask.png").is_file()


def test_a_point_behind_the_body_is_marked_occluded(body, tmp_path):
    plan = replace(SMALL, yaw_deg=180.0)

    photo = make_person(plan, body, read_pose(_motion(tmp_path / "poses.npz"), plan, body), seed=1)

    states = photo.truth.states
    assert states[LDPOSE_INDEX["nose"]] is KeypointState.OCCLUDED
    assert states[LDPOSE_INDEX["left_wrist"]] is KeypointState.VISIBLE
    assert states[LDPOSE_INDEX["right_ankle"]] is KeypointState.ABSENT


def test_levelled_feet_lie_flat_and_keep_their_heading(body):
    axis_angles = np.zeros((55, 3))
    axis_angles[SMPLX_INDEX["left_hip"]] = (-0.4, 0.3, 0.1)
    axis_angles[SMPLX_INDEX["left_knee"]] = (0.9, 0.0, 0.0)

    posed = body.pose(axis_angles=level_feet(axis_angles, body))

    foot = posed.joint_transforms[SMPLX_INDEX["left_ankle"], :3, :3]
    before = body.pose(axis_angles=axis_angles).joint_transforms[SMPLX_INDEX["left_ankle"], :3, 2]
    np.testing.assert_allclose(foot[:, 1], [0, 1, 0], atol=1e-5)
    assert np.arctan2(foot[0, 2], foot[2, 2]) == pytest.approx(np.arctan2(before[0], before[2]), abs=1e-5)


def test_a_motion_file_that_does_not_fit_is_refused_with_a_sentence(tmp_path, body):
    with pytest.raises(KnownError, match="not there"):
        read_pose(tmp_path / "none.npz", SMALL, body)
    with pytest.raises(KnownError, match="no pose"):
        read_pose(_motion(tmp_path / "poses.npz"), replace(SMALL, pose=99), body)
