"""AJAHR's commands on people whom nothing is left to see of, and on photos that nobody is in: a sentence, and the
others go on.
"""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from limbstudio.domain.anatomy import N_KEYPOINTS, Limb, level_rule
from limbstudio.domain.anatomy import Level as L

NO_ARM, NO_LEG = L.SHOULDER_DISARTICULATION, L.HIP_DISARTICULATION
NOWHERE = [0, 0, 0] * N_KEYPOINTS


def _without_limbs(annotation: dict[str, Any]) -> dict[str, Any]:
    """Return an annotation of the same person with every limb lost at its root."""
    levels = {limb: NO_ARM if limb.is_arm else NO_LEG for limb in Limb}
    gone = set().union(*(level_rule(limb, level).absent for limb, level in levels.items()))
    points = annotation["keypoints"]
    kept = [0 if row // 3 in gone else value for row, value in enumerate(points)]
    states = [
        "absent" if i in gone else "visible" if points[3 * i + 2] else "absent" if i >= 17 else "unlabeled"
        for i in range(N_KEYPOINTS)
    ]
    block = {
        "schema_version": 1,
        "keypoint_state": states,
        "limb_state": {limb.value: level.value for limb, level in levels.items()},
    }
    return {**annotation, "keypoints": kept, "limbstudio": block}


@pytest.fixture
def rows(sample_document) -> dict[int, dict[str, Any]]:
    """Return the samples' annotations by photo, without the masks' files, which lie in another folder."""
    found = {}
    for row in sample_document["annotations"]:
        block = {key: value for key, value in row["limbstudio"].items() if key != "mask_file"}
        found[row["image_id"]] = {**row, "limbstudio": block}
    return found


@pytest.fixture
def two_photos(samples, sample_document, rows, coco_file, tmp_path):
    """Return a function that changes the first photo's annotation, and gives a command's arguments for both."""

    def write(change: Callable[[dict[str, Any]], dict[str, Any] | None]) -> list[Any]:
        first, second = sample_document["images"][:2]
        changed = change(dict(rows[first["id"]]))
        annotations = [row for row in (changed, rows[second["id"]]) if row is not None]
        file = coco_file(tmp_path / "coco.json", [first, second], annotations)
        photos = [samples / image["file_name"] for image in (first, second)]
        return [*photos, "--annotations", file, "--json"]

    return write


def _nobody(annotation: dict[str, Any]) -> None:
    return None


def _outside(annotation: dict[str, Any]) -> dict[str, Any]:
    box = [5000.0, 5000.0, 200.0, 400.0]
    points = [value + 5000 if i % 3 < 2 else value for i, value in enumerate(annotation["keypoints"])]
    return {key: value for key, value in annotation.items() if key not in ("segmentation", "limbstudio")} | {
        "bbox": box,
        "keypoints": points,
    }


def _bare(annotation: dict[str, Any]) -> dict[str, Any]:
    dropped = ("bbox", "segmentation", "limbstudio", "area")
    return {k: v for k, v in annotation.items() if k not in dropped} | {
        "keypoints": NOWHERE,
        "num_keypoints": 0,
    }


def _box_alone(annotation: dict[str, Any]) -> dict[str, Any]:
    return {**_bare(annotation), "bbox": annotation["bbox"]}


REFUSED = {
    "nobody is annotated": (_nobody, "No readable person is annotated", "No readable person is annotated"),
    "no points and no box": (_bare, "0 usable points", "neither a box nor two points"),
    "outside the picture": (_outside, "outside the picture", "outside the picture"),
}


@pytest.mark.usefixtures("_untrained_ajahr_ships")
@pytest.mark.parametrize("name", REFUSED)
@pytest.mark.parametrize("command", ["predict", "limbs"])
def test_who_cannot_be_seen_is_refused_in_words_and_the_other_photo_goes_on(
    limbstudio, two_photos, tmp_path, command, name
):
    change, said_by_predict, said_by_limbs = REFUSED[name]
    more = ["--out", tmp_path / "out"] if command == "predict" else []

    ended = limbstudio("ajahr", command, *two_photos(change), *more)

    assert ended.code == 2, ended.err
    assert "Traceback" not in ended.err
    rows = ended.json["people"]
    assert len(rows) == 2
    (refused,) = (
        [row for row in rows if row["message"]]
        if command == "predict"
        else [row for row in rows if "message" in row]
    )
    (other,) = [row for row in rows if row is not refused]
    assert (said_by_predict if command == "predict" else said_by_limbs) in refused["message"]
    assert refused["message"].endswith(".")
    assert refused["hint"]
    if command == "predict":
        assert other["state"] == "made"
        assert len(list((tmp_path / "out").iterdir())) == 1  # nothing of the other
    else:
        assert refused["limbs"] is None
        assert set(other["limbs"]) == {limb.value for limb in Limb}


@pytest.mark.usefixtures("_untrained_ajahr_ships")
def test_a_person_without_any_limb_is_predicted_as_head_and_trunk(limbstudio, two_photos, tmp_path):
    ended = limbstudio("ajahr", "predict", *two_photos(_without_limbs), "--out", tmp_path / "out")

    assert ended.code == 0, ended.err + ended.out
    rows = ended.json["people"]
    assert [row["state"] for row in rows] == ["made", "made"]
    fit = json.loads((Path(rows[0]["folder"]) / "fit.json").read_text(encoding="utf-8"))
    for limb in Limb:  # all of a limb is drawn into the joint it hung on
        root, last = ("shoulder", "wrist") if limb.is_arm else ("hip", "ankle")
        ends = [np.array(fit["joints"][f"{limb.side.value}_{name}"]) for name in (root, last)]
        np.testing.assert_allclose(ends[0], ends[1], atol=1e-3)


@pytest.mark.usefixtures("_untrained_ajahr_ships")
def test_a_person_without_any_limb_gets_proposals_that_are_not_told_so(limbstudio, two_photos):
    ended = limbstudio("ajahr", "limbs", *two_photos(_without_limbs))

    assert ended.code == 0, ended.err + ended.out
    first = ended.json["people"][0]
    assert set(first["limbs"]) == {limb.value for limb in Limb}
    assert set(first["agrees"]) == {limb.value for limb in Limb}


@pytest.mark.usefixtures("_untrained_ajahr_ships")
def test_a_box_alone_is_enough_for_limbs_but_not_for_a_body(limbstudio, two_photos, tmp_path):
    arguments = two_photos(_box_alone)

    limbs = limbstudio("ajahr", "limbs", *arguments)
    body = limbstudio("ajahr", "predict", *arguments, "--out", tmp_path / "out")

    assert limbs.code == 0, limbs.err
    assert all(row["limbs"] for row in limbs.json["people"])
    assert body.code == 2
    assert "at least 4" in body.json["people"][0]["message"]
    assert body.json["people"][1]["state"] == "made"


@pytest.mark.usefixtures("_untrained_ajahr_ships")
@pytest.mark.parametrize("command", ["predict", "limbs"])
def test_a_photo_that_is_marked_as_empty_is_nothing_to_refuse(
    limbstudio, samples, sample_document, rows, coco_file, tmp_path, command
):
    first, second = sample_document["images"][:2]
    empty = {**first, "limbstudio": {"no_person": True}}
    file = coco_file(tmp_path / "coco.json", [empty, second], [rows[second["id"]]])
    more = ["--out", tmp_path / "out"] if command == "predict" else []

    photos = [samples / image["file_name"] for image in (first, second)]
    ended = limbstudio("ajahr", command, *photos, "--annotations", file, *more, "--json")

    assert ended.code == 0, ended.err
    assert [row["photo"] for row in ended.json["people"]] == [second["file_name"]]
