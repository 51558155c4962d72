"""COCO annotations: read strictly and kindly, written without loss."""

import copy
import json
import math
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from limbstudio.domain.anatomy import (
    LDPOSE,
    LDPOSE_EDGES,
    LDPOSE_INDEX,
    LDPOSE_NAMES,
    Cause,
    Device,
    KeypointState,
    Level,
    Limb,
    LimbState,
    Posture,
    impossible_keypoints,
    levels_of,
)
from limbstudio.domain.errors import KnownError
from limbstudio.domain.geometry import Box, Keypoints, Point
from limbstudio.domain.photo import Person, Photo
from limbstudio.domain.provenance import Provenance, Source
from limbstudio.formats.annotated import AnnotatedPerson, Uncertainty
from limbstudio.formats.coco import read_annotations, write_annotations

_COCO17 = list(LDPOSE_NAMES[:17])


def _flat(points: dict[str, tuple], names=LDPOSE_NAMES) -> list[float]:
    return [c for name in names for c in points.get(name, (0, 0, 0))]


def _document(*, points=None, names=LDPOSE_NAMES, block=None, **annotation) -> dict:
    """Return a small valid file with one person; keyword arguments replace fields of its annotation."""
    points = {"nose": (50, 20, 2), "left_hip": (40, 60, 2)} if points is None else points
    entry = {
        "id": 7, "image_id": 1, "category_id": 1, "iscrowd": 0, "bbox": [10, 10, 60, 80],
        "keypoints": _flat(points, names), "num_keypoints": len(points),
    }  # fmt: skip
    if block is not None:
        entry["limbstudio"] = block
    entry |= annotation
    return {
        "images": [{"id": 1, "file_name": "a.jpg", "width": 100, "height": 100}],
        "annotations": [entry],
        "categories": [{"id": 1, "name": "person", "keypoints": list(names)}],
    }


def _block(limbs: dict[str, str] | None = None, states: dict[str, str] | None = None, **more) -> dict:
    stated = dict.fromkeys((limb.value for limb in Limb), "intact") | (limbs or {})
    names = [(states or {}).get(name, "unlabelled") for name in LDPOSE_NAMES]
    return {"schema_version": 1, "keypoint_state": names, "limb_state": stated} | more


def _read(folder: Path, document: object):
    path = folder / "annotations.json"
    path.write_text(json.dumps(document), encoding="utf-8")
    return read_annotations(path)


def _one(folder: Path, document: object) -> AnnotatedPerson:
    annotations = _read(folder, document)
    assert [str(p) for p in annotations.problems] == []
    return annotations.people[0]


def _problem(folder: Path, document: object) -> str:
    annotations = _read(folder, document)
    assert not annotations.people
    assert len(annotations.problems) == 1
    assert annotations.problems[0].file == "annotations.json"
    return str(annotations.problems[0])


def _at(person: Person, name: str) -> Point:
    return person.keypoints.points[LDPOSE_INDEX[name]]


# ------------------------------------------------------------------------------------------------ plain COCO


def test_plain_coco_17_leaves_the_ends_unlabelled_and_the_limbs_unsure(tmp_path):
    points = {"nose": (50, 20, 2), "left_knee": (40, 70, 1), "right_knee": (0, 0, 0)}

    person = _one(tmp_path, _document(points=points, names=_COCO17)).person

    assert _at(person, "nose") == Point(KeypointState.VISIBLE, 50, 20)
    assert _at(person, "left_knee").state is KeypointState.OCCLUDED
    assert _at(person, "right_knee") == Point(KeypointState.UNLABELLED)
    assert {p.state for p in person.keypoints.points[17:]} == {KeypointState.UNLABELLED}
    assert {state.level for state in person.limbs.values()} == {Level.UNSURE}


def test_an_end_without_a_block_implies_the_level_of_its_name_and_says_so(tmp_path):
    points = {"left_hip": (40, 60, 2), "above_left_knee_end": (42, 75, 2)}

    read = _one(tmp_path, _document(points=points))

    assert read.person.limbs[Limb.LEFT_LEG].level is Level.TRANSFEMORAL
    assert read.person.limbs[Limb.RIGHT_LEG].level is Level.UNSURE
    assert _at(read.person, "left_ankle").state is KeypointState.ABSENT
    assert any("above_left_knee_end implies" in warning for warning in read.warnings)
    assert not read.has_block


def test_two_ends_on_one_limb_without_a_level_are_refused(tmp_path):
    points = {"above_left_knee_end": (42, 75, 2), "below_left_knee_end": (42, 90, 2)}

    assert "two residual ends" in _problem(tmp_path, _document(points=points))


def test_another_order_of_keypoints_is_mapped_by_name(tmp_path):
    points = {"nose": (50, 20, 2), "above_right_elbow_end": (12, 34, 1)}
    names = list(reversed(LDPOSE_NAMES))

    person = _one(tmp_path, _document(points=points, names=names)).person

    assert _at(person, "nose") == Point(KeypointState.VISIBLE, 50, 20)
    assert _at(person, "above_right_elbow_end") == Point(KeypointState.OCCLUDED, 12, 34)


@pytest.mark.parametrize(
    ("spelling", "name"),
    [
        ("Left Shoulder", "left_shoulder"), ("left-knee", "left_knee"), ("l_eye", "left_eye"),
        ("hip_r", "right_hip"),
        ("above_left_knee_res", "above_left_knee_end"), ("below_right_elbow_res", "below_right_elbow_end"),
        ("left_residual_wrist", "below_left_elbow_end"), ("residual_right_knee", "above_right_knee_end"),
    ],
)  # fmt: skip
def test_other_spellings_are_understood(tmp_path, spelling, name):
    names = [spelling if n == name else n for n in LDPOSE_NAMES]
    document = _document(points={})
    document["categories"][0]["keypoints"] = names
    document["annotations"][0]["keypoints"] = _flat({name: (30, 40, 2)})

    assert (_at(_one(tmp_path, document).person, name).x, _at(_one(tmp_path, document).person, name).y) == (
        30,
        40,
    )


def test_a_misspelt_keypoint_is_refused_with_the_right_name(tmp_path):
    document = _document()
    document["categories"][0]["keypoints"][21] = "above_left_kne_end"

    assert "Did you mean “above_left_knee_end”?" in _problem(tmp_path, document)


def test_keypoints_of_other_datasets_are_left_out_with_a_warning(tmp_path):
    document = _document(points={}, names=[*_COCO17, "neck"])
    document["annotations"][0]["keypoints"] = [*_flat({"nose": (50, 20, 2)}, _COCO17), 50, 30, 2]

    annotations = _read(tmp_path, document)

    assert _at(annotations.people[0].person, "nose").x == 50
    assert any("neck" in warning for warning in annotations.warnings)


def test_a_file_without_categories_is_read_by_the_number_of_points(tmp_path):
    document = _document()
    del document["categories"]

    assert any("LDPose-25" in warning for warning in _one(tmp_path, document).warnings)


def test_points_of_half_pixels_are_not_rounded(tmp_path):
    assert (
        _at(_one(tmp_path, _document(points={"nose": (50.123456789, 0.1, 2)})).person, "nose").x
        == 50.123456789
    )


# ------------------------------------------------------------------------------------------------- the block


def test_the_block_gives_states_limbs_and_hidden_positions(tmp_path):
    position: list = [None] * 25
    position[LDPOSE_INDEX["left_ankle"]] = [41.5, 95]
    block = _block(
        {"left_leg": "transtibial", "right_arm": "intact"},
        {"nose": "visible", "left_ankle": "prosthesis", "below_left_knee_end": "occluded"},
        posture="standing", stature_mm=1750, focal_px=120, congenital=["left_leg"], position=position,
        prosthesis={"left_leg": "worn", "right_leg": "none"}, mask_file="a_mask.png",
    )  # fmt: skip
    points = {"nose": (50, 20, 2), "below_left_knee_end": (42, 80, 1)}

    read = _one(tmp_path, _document(points=points, block=block))

    leg = read.person.limbs[Limb.LEFT_LEG]
    assert leg == LimbState(Level.TRANSTIBIAL, Cause.CONGENITAL, True, Device.WORN)
    assert _at(read.person, "left_ankle") == Point(KeypointState.PROSTHESIS, 41.5, 95)
    assert read.person.posture is Posture.STANDING
    assert (read.person.stature_mm, read.person.focal_px, read.person.mask_file) == (1750, 120, "a_mask.png")
    assert read.warnings == ()


def test_free_text_about_the_prosthesis_is_kept_as_a_note(tmp_path):
    read = _one(tmp_path, _document(block=_block(prosthesis="none worn; two crutches")))

    assert read.person.notes == "none worn; two crutches"
    assert {state.device for state in read.person.limbs.values()} == {Device.NONE}


def test_a_joint_beyond_the_end_becomes_absent_with_a_warning(tmp_path):
    block = _block({"left_leg": "transfemoral"}, {"left_ankle": "visible", "above_left_knee_end": "visible"})
    points = {"left_ankle": (40, 95, 2), "above_left_knee_end": (40, 75, 2)}

    read = _one(tmp_path, _document(points=points, block=block))

    assert _at(read.person, "left_ankle") == Point(KeypointState.ABSENT, 40, 95)
    assert any("left_ankle cannot exist with transfemoral" in warning for warning in read.warnings)


def test_a_joint_under_a_worn_prosthesis_becomes_prosthesis(tmp_path):
    block = _block({"left_leg": "transtibial"}, {"left_ankle": "visible"}, prosthesis={"left_leg": "worn"})

    read = _one(tmp_path, _document(points={"left_ankle": (40, 95, 2)}, block=block))

    assert _at(read.person, "left_ankle").state is KeypointState.PROSTHESIS


def test_an_end_on_an_intact_limb_is_refused_and_named(tmp_path):
    block = _block({}, {"above_left_knee_end": "visible"})

    words = _problem(tmp_path, _document(points={"above_left_knee_end": (40, 75, 2)}, block=block))

    assert "annotation 7" in words
    assert "above_left_knee_end" in words
    assert "intact" in words


@pytest.mark.parametrize(
    ("block", "words"),
    [
        (_block({"left_leg": "transfemorl"}), "Did you mean “transfemoral”?"),
        (_block({"left_arm": "transtibial"}), "Did you mean “transradial”?"),
        (_block({"left_foot": "intact"}), "left_foot"),
        (_block(states={"nose": "visble"}), "Did you mean “visible”?"),
        (_block() | {"keypoint_state": ["visible"] * 17}, "list of 17"),
        (_block() | {"schema_version": 2}, "schema version 2"),
        (_block(stature_mm=1.75), "did you mean 1750?"),
        (_block(stature_mm=175), "did you mean 1750?"),
        (_block(focal_px=math.nan), "focal_px"),
        (_block(posture="siting"), "Did you mean “sitting”?"),
        (_block(position=[[1, 2]]), "position"),
        ("worn", "not an object"),
    ],
)
def test_a_block_whose_meaning_cannot_be_known_is_refused(tmp_path, block, words):
    assert words in _problem(tmp_path, _document(block=block))


def test_a_stated_visible_point_without_position_is_unlabelled_with_a_warning(tmp_path):
    read = _one(tmp_path, _document(points={}, block=_block(states={"left_knee": "visible"})))

    assert _at(read.person, "left_knee").state is KeypointState.UNLABELLED
    assert any("left_knee is visible but has v = 0" in warning for warning in read.warnings)


def test_a_limb_that_the_block_forgets_is_unsure(tmp_path):
    block = _block()
    del block["limb_state"]["right_arm"]

    read = _one(tmp_path, _document(block=block))

    assert read.person.limbs[Limb.RIGHT_ARM].level is Level.UNSURE
    assert any("right_arm" in warning for warning in read.warnings)


# ------------------------------------------------------------------------------------------------ bad people


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"keypoints": [1.0] * 74}, "74 numbers"),
        ({"keypoints": _flat({"nose": (math.nan, 3, 2)})}, "x of nose is nan"),
        ({"keypoints": _flat({"nose": (3, math.inf, 1)})}, "y of nose is inf"),
        ({"keypoints": _flat({"nose": (3, 1e300, 1)})}, "far outside any picture"),
        ({"keypoints": _flat({"left_knee": ("12", 3, 1)})}, "x of left_knee is '12'"),
        ({"keypoints": _flat({"left_knee": (12, 3, 5)})}, "visibility v of left_knee is 5"),
        ({"keypoints": _flat({"left_knee": (12, 3, True)})}, "True"),
        ({"keypoints": "1 2 3"}, "not a list"),
        ({"image_id": 99}, "image 99"),
        ({"image_id": None}, "None"),
        ({"id": "../../etc/passwd"}, "The id of the annotation"),
        ({"id": True}, "True"),
        ({"category_id": 5, "keypoints": [0] * 12}, "category 5"),
    ],
)
def test_what_is_wrong_with_a_person_is_said_with_the_point_and_place(tmp_path, change, words):
    assert words in _problem(tmp_path, _document(**change))


def test_one_bad_person_does_not_stop_the_others(tmp_path):
    document = _document()
    bad = copy.deepcopy(document["annotations"][0]) | {"id": 8, "keypoints": [1, 2, 3]}
    document["annotations"] = [bad, *document["annotations"], "rubbish", {"id": 9, "keypoints": None}]

    annotations = _read(tmp_path, document)

    assert [person.annotation_id for person in annotations.people] == [7]
    assert [problem.annotation_id for problem in annotations.problems] == [8, None]
    assert any("without keypoints" in warning for warning in annotations.warnings)


def test_the_second_of_two_annotations_with_one_id_is_refused(tmp_path):
    document = _document()
    document["annotations"].append(copy.deepcopy(document["annotations"][0]))

    annotations = _read(tmp_path, document)

    assert len(annotations.people) == 1
    assert "share the id 7" in str(annotations.problems[0])


def test_two_images_with_one_id_lose_their_people(tmp_path):
    document = _document()
    document["images"].append(document["images"][0] | {"file_name": "b.jpg"})

    annotations = _read(tmp_path, document)

    assert not annotations.people
    assert "a.jpg" in str(annotations.problems[0])
    assert "b.jpg" in str(annotations.problems[0])


def test_an_annotation_without_id_gets_a_free_one(tmp_path):
    document = _document()
    document["annotations"].insert(0, {k: v for k, v in document["annotations"][0].items() if k != "id"})

    assert [p.annotation_id for p in _read(tmp_path, document).people] == [1, 7]


@pytest.mark.parametrize("points", [{}, {"nose": (50, 20, 2)}])
def test_people_with_no_or_one_point_are_read(tmp_path, points):
    read = _one(tmp_path, _document(points=points, keypoints=_flat(points), bbox=None))

    assert int(read.person.keypoints.observed.sum()) == len(points)
    assert read.person.box is None


def test_a_missing_box_is_taken_around_the_points(tmp_path):
    points = {"nose": (50, 20, 2), "left_hip": (40, 60, 2), "right_hip": (30, 61, 1)}

    read = _one(tmp_path, _document(points=points, bbox=[0, 0, 0, 0]))

    assert read.person.box == Box(30, 20, 20, 41)
    assert any("bbox" in warning for warning in read.warnings)


def test_crowds_are_left_out(tmp_path):
    assert not _read(tmp_path, _document(iscrowd=1)).people


def test_missing_points_written_as_nan_are_unlabelled(tmp_path):
    read = _one(tmp_path, _document(keypoints=_flat({"nose": (math.nan, math.nan, 0)})))

    assert _at(read.person, "nose") == Point(KeypointState.UNLABELLED)


def test_a_broken_outline_does_not_stop_the_person(tmp_path):
    read = _one(tmp_path, _document(segmentation=[[1, 2, 3], [0, 0, 9, 0, 9, 9]]))

    assert read.person.polygons == ((0, 0, 9, 0, 9, 9),)
    assert any("no area" in warning for warning in read.warnings)


# ------------------------------------------------------------------------------------------------- bad files


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "empty"),
        (b"\xef\xbb\xbf", "empty|cut short"),
        (b"NaN", "a number"),
        (b"[1, 2]", "list"),
        (b'{"images": [], "annotations": {}}', "annotations"),
        (b'{"images": [', "cut short"),
        (b'{"images": [],}', "line 1"),
        (b"[" * 100_000, "deeply"),
        (b'{"images": "\xff\xfe"}', "not text"),
        (b'{"a": ' + b"1" * 5000 + b"}", "too long"),
        (b'[{"image_id": 1, "keypoints": []}]', "results"),
        (b'{"shapes": [], "imagePath": "a.jpg"}', "labelme"),
        (b"\x89PNG\r\n\x1a\n", "not"),
    ],
)
def test_a_file_that_is_no_annotation_file_is_refused_by_name(tmp_path, content, words):
    path = tmp_path / "a.json"
    path.write_bytes(content)

    with pytest.raises(KnownError, match=words) as refused:
        read_annotations(path)

    assert "a.json" in refused.value.message
    assert refused.value.hint


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-be", "utf-32"])
def test_every_unicode_encoding_is_read(tmp_path, encoding):
    document = _document()
    document["images"][0]["file_name"] = "Fuß.jpg"
    path = tmp_path / "a.json"
    path.write_bytes(json.dumps(document, ensure_ascii=False).encode(encoding))

    assert read_annotations(path).people[0].file_name == "Fuß.jpg"


def test_a_repeated_key_is_noted(tmp_path):
    path = tmp_path / "a.json"
    path.write_text(json.dumps(_document()).replace('"id": 7', '"id": 6, "id": 7'), encoding="utf-8")

    assert any("“id” twice" in warning for warning in read_annotations(path).warnings)


def test_a_missing_file_and_a_folder_are_refused(tmp_path):
    with pytest.raises(KnownError, match="There is no file"):
        read_annotations(tmp_path / "none.json")
    with pytest.raises(KnownError, match="is a folder"):
        read_annotations(tmp_path)


def test_no_broken_real_json_gets_past_with_another_error(shared_data):
    files = sorted((shared_data / "real" / "awkward" / "json").glob("*.json"))
    assert files
    for path in files:
        with pytest.raises(KnownError, match=path.name):
            read_annotations(path)


# -------------------------------------------------------------------------------------- which photo is meant


def _with_photos(folder: Path, *names: str):
    document = _document()
    document["images"] = [
        {"id": i, "file_name": name, "width": 9, "height": 9} for i, name in enumerate(names)
    ]
    entry = document["annotations"][0]
    document["annotations"] = [entry | {"id": i + 1, "image_id": i} for i in range(len(names))]
    return _read(folder, document)


def test_people_are_found_by_the_longest_common_path(tmp_path):
    annotations = _with_photos(tmp_path, "x/a.jpg", "y/a.jpg", "b.jpg")

    assert [p.annotation_id for p in annotations.people_in("photos/y/a.jpg")] == [2]
    assert [p.annotation_id for p in annotations.people_in(Path("elsewhere/b.jpg"))] == [3]
    assert annotations.people_in("c.jpg") == ()


def test_a_name_that_could_be_two_photos_is_refused(tmp_path):
    with pytest.raises(KnownError, match="several photos"):
        _with_photos(tmp_path, "x/a.jpg", "y/a.jpg").people_in("a.jpg")


def test_windows_paths_and_decomposed_accents_are_the_same_photo(tmp_path):
    annotations = _with_photos(tmp_path, "folder\\u\u0308ber.jpg")

    assert len(annotations.people_in("folder/\u00fcber.jpg")) == 1


# --------------------------------------------------------------------------------------------------- writing

_coordinates = st.floats(-50, 5000, allow_nan=False)
_polygons = st.lists(
    st.lists(_coordinates, min_size=6, max_size=8).map(lambda c: tuple(c[: len(c) // 2 * 2])), max_size=2
)


@st.composite
def _people(draw) -> Person:
    limbs = {
        limb: LimbState(
            draw(st.sampled_from(levels_of(limb))),
            draw(st.sampled_from(Cause)),
            draw(st.booleans()),
            draw(st.sampled_from(Device)),
        )
        for limb in Limb
    }
    impossible = impossible_keypoints(limbs)
    hidden = [s for s in KeypointState if not s.constrains_fit and s is not KeypointState.OUT_OF_FRAME]
    points = []
    for i in range(25):
        state = draw(st.sampled_from(hidden if i in impossible else list(KeypointState)))
        placed = state.constrains_fit or draw(st.booleans())
        xy = (draw(_coordinates), draw(_coordinates)) if placed else (None, None)
        points.append(Point(state, *xy, draw(st.sampled_from([1.0, 0.3]))))
    return Person(
        id=draw(st.text(min_size=1, max_size=5, alphabet="abc-é")),
        photo="ab" * 32,
        keypoints=Keypoints(tuple(points)),
        limbs=limbs,
        box=Box(1.5, 2.25, draw(st.floats(0.1, 1e4)), 1 / 3),
        posture=draw(st.sampled_from(Posture)),
        stature_mm=draw(st.none() | st.floats(500, 2500)),
        focal_px=draw(st.none() | st.floats(1, 1e5)),
        mask_file=draw(st.none() | st.just("m.png")),
        polygons=tuple(draw(_polygons)),
        holes=tuple(draw(_polygons)),
        notes=draw(st.text(max_size=8, alphabet="aé\n“")),
        provenance=draw(
            st.sampled_from([Provenance(), Provenance(Source.PREDICTED, "net", ("ab",), "keypoints", "2")])
        ),
    )


@settings(max_examples=25, deadline=None)
@given(people=st.lists(_people(), max_size=3))
def test_writing_and_reading_gives_the_same_people_to_the_last_bit(tmp_path_factory, people):
    path = tmp_path_factory.mktemp("coco") / "out.json"
    people = [replace(person, id=f"{i}{person.id}") for i, person in enumerate(people)]
    photo = Photo("ab" * 32, 8000, 6000, "a.jpg", focal_exif_px=1 / 3)

    write_annotations(path, [(photo, people)])
    annotations = read_annotations(path)

    assert [str(problem) for problem in annotations.problems] == []
    assert [read.person for read in annotations.people] == people
    assert annotations.images[0].focal_exif_px == photo.focal_exif_px


def test_a_file_that_was_read_is_written_with_all_it_said(tmp_path):
    block = _block({"left_leg": "transtibial"}, {"below_left_knee_end": "visible"},
                   residual_tolerance_px={"left_shank": 12.5}, annotator_confidence=0.8,
                   mask_confidence=0.7)  # fmt: skip
    points = {"below_left_knee_end": (40, 80, 2)}
    rle = {"size": [100, 100], "counts": [5000, 100, 4900]}
    first = _one(tmp_path, _document(points=points, block=block, segmentation=rle))

    write_annotations(tmp_path / "again.json", [(Photo("", 100, 100, "a.jpg"), [first])])
    again = read_annotations(tmp_path / "again.json").people[0]

    assert again == first
    assert again.uncertainty == Uncertainty({"left_shank": 12.5}, 0.8, 0.7)


def test_the_file_says_what_other_programs_need(tmp_path):
    path = tmp_path / "out.json"
    person = Person(
        "5", "", Keypoints().replaced(0, Point(KeypointState.VISIBLE, 3, 4)), box=Box(0, 0, 10, 20)
    )

    write_annotations(path, [(Photo("", 100, 80, "folder/a.jpg"), [person])])
    document = json.loads(path.read_text(encoding="utf-8"))

    category, entry = document["categories"][0], document["annotations"][0]
    assert category["keypoints"] == list(LDPOSE_NAMES)
    assert [[a - 1, b - 1] for a, b in category["skeleton"]] == [list(edge) for edge in LDPOSE_EDGES]
    assert document["info"]["flip_idx"] == [k.swap for k in LDPOSE]
    assert document["info"]["oks_sigmas"] == [k.sigma for k in LDPOSE]
    assert (entry["id"], entry["num_keypoints"], entry["area"]) == (5, 1, pytest.approx(0.53 * 200))
    assert document["images"][0]["file_name"] == "folder/a.jpg"


def test_pycocotools_loads_and_scores_what_is_written(tmp_path):
    cocoapi = pytest.importorskip("pycocotools.coco")
    evaluation = pytest.importorskip("pycocotools.cocoeval")
    import numpy as np

    path = tmp_path / "out.json"
    keypoints = Keypoints(tuple(Point(KeypointState.VISIBLE, 10.0 + i, 20.0 + 3 * i) for i in range(25)))
    person = Person("1", "", keypoints, {limb: LimbState(Level.UNSURE) for limb in Limb}, Box(5, 15, 40, 90))
    write_annotations(path, [(Photo("", 200, 200, "a.jpg"), [person])])

    truth = cocoapi.COCO(str(path))
    entry = truth.loadAnns(truth.getAnnIds())[0]
    result = {"image_id": 1, "category_id": 1, "keypoints": entry["keypoints"], "score": 1.0}
    scores = evaluation.COCOeval(truth, truth.loadRes([result]), "keypoints")
    scores.params.kpt_oks_sigmas = np.array(truth.dataset["info"]["oks_sigmas"])
    scores.evaluate()
    scores.accumulate()
    scores.summarize()

    assert scores.stats[0] == pytest.approx(1.0)


def test_photos_of_one_name_keep_their_folders(tmp_path):
    photos = [(Photo("", 1, 1, str(tmp_path / folder / "a.jpg")), []) for folder in ("x", "y")]
    write_annotations(tmp_path / "out.json", photos)

    names = [image.file_name for image in read_annotations(tmp_path / "out.json").images]

    assert names == ["x/a.jpg", "y/a.jpg"]


def test_a_failed_write_leaves_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / "out.json"
    path.write_text("old", encoding="utf-8")

    def full(_handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(KnownError, match="the disk is full"):
        write_annotations(path, [])

    assert path.read_text(encoding="utf-8") == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["out.json"]


def test_a_folder_that_is_not_there_is_said(tmp_path):
    with pytest.raises(KnownError, match="folder does not exist"):
        write_annotations(tmp_path / "none" / "out.json", [])


# ------------------------------------------------------------------------------------------------ real files


def test_the_real_photos_annotations_are_read_without_a_warning(shared_data):
    annotations = read_annotations(shared_data / "real" / "limbloss" / "annotations.json")

    assert len(annotations.people) == 6
    assert annotations.problems == ()
    assert [person.warnings for person in annotations.people] == [()] * 6
    first = annotations.people_in("69_right_thigh_folded_jeans.jpg")[0].person
    assert first.limbs[Limb.RIGHT_LEG].level is Level.TRANSFEMORAL
    assert first.posture is Posture.STANDING


def test_real_files_of_other_tools_are_read_or_refused(shared_data):
    read, unnamed = 0, list[str]()
    for path in sorted((shared_data / "real").rglob("*.json")):
        try:
            read += len(read_annotations(path).people)
        except KnownError as error:
            unnamed += [path.name] if path.name not in error.message else []
    assert unnamed == []
    assert read > 40
