"""labelme and X-AnyLabeling files, as those programs write them."""

import json
from pathlib import Path

import pytest

from limbstudio.domain.anatomy import LDPOSE_INDEX, KeypointState, Level, Limb
from limbstudio.domain.errors import KnownError
from limbstudio.domain.provenance import Source
from limbstudio.formats.labelme import read_labelme


def shape(label, *points, kind="point", **more):
    return {"label": label, "points": [list(p) for p in points], "shape_type": kind, "flags": {}, **more}


def write(folder: Path, *shapes, **top) -> Path:
    path = folder / "photo.json"
    whole = {"version": "4.0.0", "shapes": list(shapes), "imagePath": "photo.jpg", "imageWidth": 200,
             "imageHeight": 100, **top}  # fmt: skip
    path.write_text(json.dumps(whole))
    return path


def test_shapes_of_one_group_are_one_person(tmp_path):
    path = write(
        tmp_path,
        shape("person", (10, 10), (60, 90), kind="rectangle", group_id=1),
        shape("nose", (30, 20), group_id=1),
        shape("left_knee", (40, 60), group_id=1, difficult=True),
        shape("nose", (130, 20), group_id=2),
    )

    first, second = read_labelme(path).people

    points = first.person.keypoints.points
    assert points[LDPOSE_INDEX["nose"]].state is KeypointState.VISIBLE
    assert points[LDPOSE_INDEX["left_knee"]].state is KeypointState.OCCLUDED
    assert first.person.box is not None and first.person.box.width == 50
    assert second.person.keypoints.points[0].x == 130
    assert (first.file_name, first.size_px) == ("photo.jpg", (200, 100))


def test_points_without_a_group_go_to_the_smallest_box_around_them(tmp_path):
    path = write(
        tmp_path,
        shape("person", (0, 0), (190, 99), kind="rectangle"),
        shape("person", (100, 10), (150, 90), kind="rectangle"),
        shape("nose", (120, 20)),
        shape("right_eye", (20, 20)),
    )

    large, small = read_labelme(path).people

    assert small.person.keypoints.points[0].x == 120
    assert large.person.keypoints.points[LDPOSE_INDEX["right_eye"]].x == 20


def test_a_residual_end_says_the_level_and_flags_give_states(tmp_path):
    path = write(
        tmp_path,
        shape("above_left_knee_end", (30, 70)),
        shape("right_wrist", (5, 5), flags={"unsure": True}),
    )

    (found,) = read_labelme(path).people

    assert found.person.limbs[Limb.LEFT_LEG].level is Level.TRANSFEMORAL
    assert found.person.keypoints.points[LDPOSE_INDEX["right_wrist"]].state is KeypointState.UNSURE


def test_scores_make_a_prediction(tmp_path):
    path = write(tmp_path, shape("nose", (30, 20), score=0.75), shape("left_eye", (32, 18)))

    (found,) = read_labelme(path).people

    assert found.person.provenance.source is Source.PREDICTED
    assert found.person.keypoints.points[0].confidence == 0.75


def test_what_is_no_person_is_named_and_a_slip_is_understood(tmp_path):
    path = write(
        tmp_path, shape("chair", (1, 1), (2, 2), kind="rectangle"), shape("left_kne", (4, 4)),
        shape("nose", (3, 3)),
    )  # fmt: skip

    annotations = read_labelme(path)

    assert "did you mean left_knee?" in annotations.warnings[0]
    assert "1 “chair” (rectangle)" in annotations.warnings[0]


def test_a_point_that_is_there_twice_refuses_that_person_alone(tmp_path):
    path = write(
        tmp_path, shape("nose", (1, 1), group_id=1), shape("nose", (2, 2), group_id=1),
        shape("nose", (3, 3), group_id=2),
    )  # fmt: skip

    annotations = read_labelme(path)

    assert [p.person.keypoints.points[0].x for p in annotations.people] == [3]
    assert "nose is there twice in group 1" in annotations.problems[0].message


@pytest.mark.parametrize("points", [[[float("nan"), 1]], [["x", 1]], [[1]], [], None])
def test_broken_points_are_refused_in_words(tmp_path, points):
    path = write(tmp_path, {"label": "nose", "points": points, "shape_type": "point"})

    annotations = read_labelme(path)

    assert annotations.people == () and len(annotations.problems) == 1


def test_another_json_file_is_refused(tmp_path):
    path = tmp_path / "a.json"
    path.write_text('{"images": []}')

    with pytest.raises(KnownError, match="no labelme or X-AnyLabeling file"):
        read_labelme(path)


def test_real_files_are_read(shared_data):
    folder = shared_data / "real" / "importers"
    pose = read_labelme(folder / "x-anylabeling/examples/estimation/pose_estimation/sources/human-pose.json")
    outlines = read_labelme(folder / "labelme/instance_segmentation/data_annotated/2011_000006.json")

    assert int(pose.people[0].person.keypoints.observed.sum()) == 16
    assert [len(p.person.polygons) for p in outlines.people] == [1, 1, 1, 1]
