import numpy as np
import pytest

from limbstudio.body.parts import (
    PARTS,
    _neighbour_lists,
    _reachable,
    border_loops,
    distal_parts,
    distal_vertices,
    label_parts,
    part_of,
    segment_vertices,
)
from limbstudio.domain.anatomy import SMPLX_INDEX, Limb, Segment

BORDERS = [(limb, segment) for limb in Limb for segment in limb.segments]


def _mirrored_part(name):
    swap = {"left": "right", "right": "left"}
    side, _, rest = name.partition("_")
    return f"{swap[side]}_{rest}" if side in swap else name


@pytest.mark.parametrize(("limb", "segment"), BORDERS)
def test_each_border_is_one_clean_loop_on_either_side(body, limb, segment):
    distal = np.zeros(body.n_vertices, bool)
    distal[distal_vertices(body.part_labels, limb, segment)] = True

    assert len(border_loops(body.faces, distal)) == 1
    assert len(border_loops(body.faces, ~distal)) == 1


@pytest.mark.parametrize("part", range(len(PARTS)))
def test_each_part_is_one_piece(body, part):
    inside = body.part_labels == part

    reached = _reachable(
        _neighbour_lists(body.faces, body.n_vertices), inside, int(np.flatnonzero(inside)[0])
    )

    np.testing.assert_array_equal(reached, inside)


@pytest.mark.parametrize(("limb", "segment"), BORDERS)
def test_borders_are_nearly_flat(body, limb, segment):
    distal = np.zeros(body.n_vertices, bool)
    distal[distal_vertices(body.part_labels, limb, segment)] = True
    rim = body.template[border_loops(body.faces, distal)[0]]

    thickness = np.linalg.svd(rim - rim.mean(0), full_matrices=False)[1][2] / np.sqrt(len(rim))

    assert thickness < 0.012  # metres, standard deviation off the plane: less than a triangle's edge


@pytest.mark.parametrize("limb", list(Limb))
def test_elbow_knee_wrist_and_ankle_borders_stand_across_the_bone_at_the_joint(body, limb):
    names = ("shoulder", "elbow", "wrist") if limb.is_arm else ("hip", "knee", "ankle")
    joints = [body.joint_template[SMPLX_INDEX[f"{limb.side.value}_{n}"]] for n in names]
    for segment, joint, bone in zip(limb.segments[1:], joints[1:], np.diff(joints, axis=0), strict=True):
        distal = np.zeros(body.n_vertices, bool)
        distal[distal_vertices(body.part_labels, limb, segment)] = True
        rim = body.template[border_loops(body.faces, distal)[0]]

        normal = np.linalg.svd(rim - rim.mean(0))[2][2]

        assert abs(normal @ bone) / np.linalg.norm(bone) > np.cos(np.radians(20))
        assert abs((rim.mean(0) - joint) @ bone) / np.linalg.norm(bone) < 0.02


def test_labels_are_mirror_images(body):
    names = np.array(PARTS)[body.part_labels]
    twins = np.array(PARTS)[body.part_labels[body.mirror_vertices]]

    assert [_mirrored_part(n) for n in names] == twins.tolist()


def test_labelling_the_body_again_gives_its_labels(body):
    labels = label_parts(
        template=body.template, faces=body.faces, joints=body.joint_template, skin_weights=body.skin_weights
    )

    np.testing.assert_array_equal(labels, body.part_labels)


def test_distal_parts_run_from_the_segment_to_the_tip():
    assert [PARTS[p] for p in distal_parts(Limb.LEFT_LEG, Segment.SHANK)] == ["left_shank", "left_foot"]
    assert [PARTS[p] for p in distal_parts(Limb.RIGHT_ARM, Segment.UPPER_ARM)] == [
        "right_upper_arm",
        "right_forearm",
        "right_hand",
    ]
    with pytest.raises(KeyError):
        part_of(Limb.LEFT_ARM, Segment.FOOT)


def test_segment_vertices_move_with_their_segment(body):
    vertices = segment_vertices(body.part_labels, Limb.LEFT_ARM, Segment.FOREARM)

    share = body.skin_weights[vertices][:, SMPLX_INDEX["left_elbow"]].mean()

    assert share > 0.7


def test_border_loops_of_two_caps_are_two_loops(body):
    both_hands = np.isin(body.part_labels, [PARTS.index("left_hand"), PARTS.index("right_hand")])

    assert len(border_loops(body.faces, both_hands)) == 2
    assert len(border_loops(body.faces, np.ones(body.n_vertices, bool))) == 0
