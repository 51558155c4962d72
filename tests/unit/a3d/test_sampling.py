"""Samples: the truth is that of the picture."""

import io

import numpy as np
import pytest
from PIL import Image

from limbstudio.a3d.plans import SampleOptions
from limbstudio.a3d.sampling import make_sample, open_sources
from limbstudio.ajahr.zeroing import zeroed_joints
from limbstudio.body.model import load_body
from limbstudio.domain.anatomy import LDPOSE_INDEX, LDPOSE_NAMES, Level, Limb, level_rule
from limbstudio.domain.errors import KnownError
from limbstudio.domain.geometry import Camera
from limbstudio.rendering.silhouette import overlap, silhouette


def _camera(truth: dict) -> Camera:
    camera = truth["camera"]
    return Camera(camera["focal_px"], tuple(camera["center_px"]), tuple(camera["size_px"]))


def test_parameters_make_the_joints_of_the_truth(made_set):
    body = load_body()
    for truth, _ in made_set.samples[:12]:
        given = truth["parameters"]

        posed = body.pose(
            axis_angles=np.vstack([given["orientation"], given["pose"]]),
            shape=np.array(given["shape"]),
            translation=np.array(given["translation"]),
        )

        np.testing.assert_allclose(posed.joints[:22], truth["joints"], atol=5e-4)


def test_pixels_are_projections_of_positions(made_set):
    for truth, _ in made_set.samples:
        camera = _camera(truth)
        for point in truth["keypoints"].values():
            if "px" in point:
                np.testing.assert_allclose(
                    camera.project(np.array(point["position"])), point["px"], atol=0.02
                )


def test_states_agree_with_limbs_and_picture(made_set):
    for row, (truth, _) in enumerate(made_set.samples):
        person, size = made_set.masks(row)["person"], truth["camera"]["size_px"][0]
        for limb in Limb:
            facts = truth["limbs"][limb.value]
            for index in level_rule(limb, Level(facts["level"])).absent:
                name = LDPOSE_NAMES[index]
                replaced = facts["prosthesis"] and not name.endswith("_end")
                assert truth["keypoints"][name]["state"] == ("prosthesis" if replaced else "absent"), name
        for name, point in truth["keypoints"].items():
            if point["state"] in ("visible", "occluded"):
                assert all(-0.5 <= v < size - 0.5 for v in point["px"])
            if point["state"] == "out_of_frame":
                assert not all(-0.5 <= v < size - 0.5 for v in point["px"])
            if point["state"] == "visible" and "ear" not in name:
                x, y = (round(v) for v in point["px"])
                around = person[max(y - 3, 0) : y + 4, max(x - 3, 0) : x + 4]
                assert around.any(), (truth["key"], name)


def test_visible_residual_ends_lie_at_the_end_of_the_residual_limb(made_set):
    looked_at = 0
    for row, (truth, _) in enumerate(made_set.samples):
        masks = made_set.masks(row)
        for limb in Limb:
            facts = truth["limbs"][limb.value]
            if facts.get("endpoint") is None:
                continue
            end = truth["keypoints"][facts["endpoint"]]
            joints = {
                name: np.array(p) for name, p in zip(truth["joint_names"], truth["joints"], strict=True)
            }
            anchor, upstream = joints[facts["anchor"]], joints[facts["upstream"]]
            np.testing.assert_allclose(
                end["position"], anchor + facts["lambda"] * (upstream - anchor), atol=3e-5
            )
            assert facts["length_m"] == pytest.approx(
                np.linalg.norm(np.array(end["position"]) - upstream), abs=1e-4
            )
            if end["state"] == "visible" and facts["geometry"] == "residual":
                looked_at += 1
                mask = masks.get(f"residual_{limb.value}", masks["residual"])
                x, y = (round(v) for v in end["px"])
                assert mask[max(y - 2, 0) : y + 3, max(x - 2, 0) : x + 3].any(), (truth["key"], limb)
    assert looked_at >= 5


def test_masks_do_not_overlap_and_residual_limbs_are_part_of_the_person(made_set):
    seen = {"residual": 0, "prosthesis": 0, "occluder": 0}
    for row in range(len(made_set.samples)):
        masks = made_set.masks(row)

        assert not (masks["person"] & masks["prosthesis"]).any()
        assert not (masks["person"] & masks["occluder"]).any()
        assert not (masks["prosthesis"] & masks["occluder"]).any()
        assert not (masks["residual"] & ~masks["person"]).any()
        own = [mask for name, mask in masks.items() if name.startswith("residual_")]
        if own:
            assert np.array_equal(np.logical_or.reduce(own), masks["residual"])
            assert sum(map(np.count_nonzero, own)) == np.count_nonzero(masks["residual"])
        for name in seen:
            seen[name] += bool(masks[name].any())
    assert min(seen.values()) >= 2


def test_masks_are_of_one_bit_and_of_the_picture_s_size(made_set):
    for truth, files in made_set.samples[:8]:
        for name in truth["masks"]:
            with Image.open(io.BytesIO(files[name])) as mask:
                assert (mask.mode, list(mask.size)) == ("1", truth["camera"]["size_px"])
        with Image.open(io.BytesIO(files["jpg"])) as picture:
            assert (picture.mode, list(picture.size)) == ("RGB", truth["camera"]["size_px"])


def test_the_person_mask_is_the_body_s_silhouette_less_what_hides_it(made_set):
    body, compared = load_body(), 0
    for row, (truth, _) in enumerate(made_set.samples):
        intact = all(facts["geometry"] == "intact" for facts in truth["limbs"].values())
        if not intact or truth["visible_share"] < 0.97:
            continue
        given = truth["parameters"]
        posed = body.pose(
            axis_angles=np.vstack([given["orientation"], given["pose"]]),
            shape=np.array(given["shape"]),
            translation=np.array(given["translation"]),
        )
        bare = silhouette(posed.vertices.astype(float), body.faces, _camera(truth))
        compared += 1
        assert overlap(made_set.masks(row)["person"], bare) > 0.82  # clothes and hair make the rest
    assert compared >= 1


def test_a_collapsed_limb_ends_at_its_joint_and_zeroes_ajahr_s_joints(made_set):
    collapsed = 0
    for truth, _ in made_set.samples:
        ways = {facts["geometry"] for facts in truth["limbs"].values()} - {"intact"}
        if ways == {"collapsed"}:
            collapsed += 1
            expected = np.flatnonzero(zeroed_joints(np.array(truth["ajahr_classes"]))) + 1
            assert truth["zeroed_joints"] == expected.tolist()
            joints = dict(zip(truth["joint_names"], truth["drawn_joints"], strict=True))
            for limb in Limb:
                facts = truth["limbs"][limb.value]
                if facts["geometry"] == "collapsed" and facts["ajahr_class"] < 2:
                    last = f"{limb.side.value}_{'wrist' if limb.is_arm else 'foot'}"
                    np.testing.assert_allclose(joints[last], joints[facts["anchor"]], atol=1e-5)
                    assert facts["lambda"] == 0
        else:
            assert truth["zeroed_joints"] == []
            np.testing.assert_allclose(truth["drawn_joints"], truth["joints"], atol=2e-5)
    assert collapsed >= 8


def test_what_was_lost_can_be_seen_to_be_lost(made_set):
    for truth, _ in made_set.samples:
        if truth["attempts"]["forced"]:
            continue
        assert truth["visible_share"] >= 0.42
        for facts in truth["limbs"].values():
            if facts["geometry"] != "intact":
                assert facts["evidence_share"] >= 0.35
                hidden = facts["visible_share"] is not None and facts["visible_share"] < 0.3
                assert not hidden or facts["prosthesis"]
    assert sum(truth["attempts"]["forced"] for truth, _ in made_set.samples) == 0


def test_a_sample_is_the_same_whatever_was_made_before_it(made_set, options):
    sources = open_sources(options)

    alone = make_sample(sources, 21)

    assert dict(alone.files) == made_set.samples[21][1]


def test_levels_say_what_ajahr_s_classes_say(made_set):
    for truth, _ in made_set.samples:
        label = truth["ajahr_label"]
        lost = [facts for facts in truth["limbs"].values() if facts["geometry"] != "intact"]
        if label is None:
            assert len(lost) >= 2
        elif label == 12:
            assert lost == []
        else:
            assert [facts["ajahr_label"] for facts in lost] == [label]
    assert {LDPOSE_INDEX[name] for truth, _ in made_set.samples for name in truth["keypoints"]} == set(
        range(25)
    )


def test_a_body_file_that_is_not_there_is_said(tmp_path):
    with pytest.raises(KnownError, match="no body model"):
        open_sources(SampleOptions(body=tmp_path / "SMPL_NEUTRAL.npz"))


def test_a_motion_file_that_is_not_there_is_said(tmp_path):
    with pytest.raises(KnownError, match="motion file"):
        open_sources(SampleOptions(poses=tmp_path / "poses.npz"))
