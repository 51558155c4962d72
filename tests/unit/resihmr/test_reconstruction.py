"""Cut limbs are closed, end where they should, and leave the rest of the body alone."""

from dataclasses import replace
from itertools import islice

import numpy as np
import pytest

from limbstudio.body.model import BodyModel
from limbstudio.body.parts import PART_INDEX
from limbstudio.body.surface import face_normals, signed_volume, surface_facts, surface_topology
from limbstudio.domain.anatomy import SMPLX_INDEX, Limb, Segment, limb_joints
from limbstudio.domain.errors import KnownError
from limbstudio.evaluation.stump_benchmark import check, flipped_faces, random_cases
from limbstudio.resihmr.cap import (
    DOME_HEIGHT,
    PAPER_DOME_HEIGHT,
    dome_cap,
    folded_faces,
    inset_cap,
    loop_area,
    loop_normal,
    placed,
    ring_offset,
)
from limbstudio.resihmr.limb_cut import (
    LimbCut,
    cut_normal,
    cut_point,
    joint_mode_cut,
    limb_regions,
    paper_mode_cut,
    root_cut,
)
from limbstudio.resihmr.reconstruction import reconstruct, stump_frame


def _cut(body: BodyModel, limb: Limb, segment: Segment, factor: float, *, paper: bool = False) -> LimbCut:
    names = limb_joints(limb)
    place = limb.segments.index(segment)
    joints = body.rest_joints().astype(float)
    regions = limb_regions(
        part_labels=body.part_labels, faces=body.faces, limb=limb, segment=segment, whole_limb=not paper
    )
    make = paper_mode_cut if paper else joint_mode_cut
    anchor, upstream = joints[SMPLX_INDEX[names[place + 1]]], joints[SMPLX_INDEX[names[place]]]
    return make(regions, anchor=anchor, upstream=upstream, factor=factor)


@pytest.fixture
def rest(body: BodyModel) -> np.ndarray:
    return body.rest_vertices().astype(float)


# ------------------------------------------------------------------------------------------ always closed


def test_random_cuts_are_all_closed_and_nothing_flips(body: BodyModel):
    seen = check(body, 300, seed=20)

    assert seen["cuts"] == 300
    assert seen["closed_cuts"] == 300
    assert seen["volume_right_cuts"] == 300
    assert seen["flipped_cap_faces"] == 0


def test_a_plane_through_a_bent_knee_whose_boundaries_all_cross_themselves_moves_aside(body: BodyModel):
    case = next(islice(random_cases(body, 500, 7000), 120, None))  # found among 10,000 random cuts
    shank = next(cut for cut in case.cuts if cut.regions.limb is Limb.LEFT_LEG)

    result = reconstruct(case.vertices, body.faces, [shank])

    assert flipped_faces(result, result.carry_points(case.vertices)) == 0


@pytest.mark.parametrize("factor", [0.0, 0.01, 0.5, 0.99, 1.0])
@pytest.mark.parametrize("paper", [False, True])
@pytest.mark.parametrize("segment", [Segment.THIGH, Segment.SHANK, Segment.UPPER_ARM, Segment.FOREARM])
def test_every_level_of_every_segment_is_closed(body, rest, segment, paper, factor):
    limb = Limb.LEFT_LEG if segment in Limb.LEFT_LEG.segments else Limb.RIGHT_ARM

    result = reconstruct(rest, body.faces, [_cut(body, limb, segment, factor, paper=paper)])

    facts = surface_facts(result.carry_points(rest), result.faces)
    assert facts.watertight
    assert (facts.boundary_edges, facts.nonmanifold_edges, facts.components) == (0, 0, 1)
    assert 0 < facts.volume_m3 < signed_volume(rest, body.faces)


def test_four_limbs_cut_at_their_roots_leave_a_closed_trunk(body: BodyModel, rest):
    joints = body.rest_joints().astype(float)
    cuts = []
    for limb in Limb:
        first, second, _ = limb_joints(limb)
        regions = limb_regions(
            part_labels=body.part_labels,
            faces=body.faces,
            limb=limb,
            segment=limb.segments[0],
            whole_limb=True,
        )
        cuts.append(root_cut(regions, root=joints[SMPLX_INDEX[first]], outward=joints[SMPLX_INDEX[second]]))

    result = reconstruct(rest, body.faces, cuts)

    vertices = result.carry_points(rest)
    facts = surface_facts(vertices, result.faces, intersections=True)
    assert facts.watertight
    assert facts.components == 1
    assert facts.self_intersections == 0
    far = PART_INDEX["left_forearm"], PART_INDEX["right_foot"], PART_INDEX["left_shank"]
    assert not np.isin(body.part_labels[result.edge_source[: result.kept_count, 0]], far).any()


def test_separate_pieces_such_as_eyeballs_stay(body: BodyModel, rest):
    tetrahedron = np.array([[0, 1, 2], [0, 3, 1], [1, 3, 2], [0, 2, 3]])[:, ::-1] + len(rest)
    corners = np.array([[0, 0, 0], [0.01, 0, 0], [0, 0.01, 0], [0, 0, 0.01]]) + rest[
        body.part_labels == 0
    ].mean(0)
    cut = _cut(body, Limb.LEFT_ARM, Segment.FOREARM, 0.5)
    faces = np.concatenate([body.faces, tetrahedron])
    regions = limb_regions(
        part_labels=np.concatenate([body.part_labels, np.zeros(4, np.uint8)]),
        faces=faces,
        limb=Limb.LEFT_ARM,
        segment=Segment.FOREARM,
        whole_limb=True,
    )

    result = reconstruct(np.concatenate([rest, corners]), faces, [replace(cut, regions=regions)])

    facts = surface_facts(result.carry_points(np.concatenate([rest, corners])), result.faces)
    assert facts.watertight
    assert facts.components == 2


# ---------------------------------------------------------------------------------- where it ends and how


def test_the_end_and_the_normal_are_those_of_equations_6_and_7():
    anchor, upstream = np.array([0.0, 0, 0]), np.array([0, 0.4, 0])

    assert cut_point(anchor=anchor, upstream=upstream, factor=0.25) == pytest.approx([0, 0.1, 0])
    assert cut_normal(anchor=anchor, upstream=upstream) == pytest.approx([0, -1, 0])
    with pytest.raises(KnownError, match="no length"):
        cut_normal(anchor=anchor, upstream=anchor)


@pytest.mark.parametrize("factor", [0.1, 0.4, 0.7])
def test_in_joint_mode_the_tip_lies_level_with_the_endpoint(body: BodyModel, rest, factor):
    cut = _cut(body, Limb.RIGHT_LEG, Segment.SHANK, factor)

    result = reconstruct(rest, body.faces, [cut])

    (stump,) = result.stumps(result.carry_points(rest))
    assert (stump.tip - cut.origin) @ cut.normal == pytest.approx(0, abs=1e-3)
    assert stump.axis @ cut.normal > 0.99


def test_in_paper_mode_the_boundary_lies_on_the_plane_and_the_rings_h_about_theirs(body: BodyModel, rest):
    cut = _cut(body, Limb.LEFT_LEG, Segment.THIGH, 0.4, paper=True)

    result = reconstruct(rest, body.faces, [cut])

    (cap,) = result.caps
    vertices = result.carry_points(rest)
    ring = vertices[cap.boundary]
    assert np.abs((ring - cut.origin) @ cut.normal).max() < 1e-3
    n = len(ring)
    levels = (vertices[cap.first : cap.first + 2 * n] - cut.origin) @ loop_normal(ring)
    h = (levels[n:].mean() - levels[:n].mean()) / 2
    radius = np.sqrt(loop_area(ring) / np.pi)
    assert h == pytest.approx(ring_offset(PAPER_DOME_HEIGHT * radius), rel=0.02)


def test_the_cap_is_a_convex_dome_of_two_rings_and_a_tip(body: BodyModel, rest):
    result = reconstruct(rest, body.faces, [_cut(body, Limb.LEFT_LEG, Segment.SHANK, 0.5)])

    (cap,) = result.caps
    vertices = result.carry_points(rest)
    n = len(cap.boundary)
    assert len(cap.faces) == 5 * n
    heights = (vertices - vertices[cap.boundary].mean(0)) @ loop_normal(vertices[cap.boundary])
    rings = [heights[cap.boundary], heights[cap.first : cap.first + n], heights[cap.first + n : cap.tip]]
    assert rings[0].max() < rings[1].min()
    assert rings[1].max() < rings[2].min()
    assert rings[2].max() < heights[cap.tip]
    # Convex: each further ring rises less steeply.
    groups = (np.arange(cap.first + n, cap.tip), np.arange(cap.first, cap.first + n), cap.boundary)
    radii = [0, *(np.linalg.norm(vertices[group] - vertices[cap.tip], axis=1).mean() for group in groups)]
    means = [heights[cap.tip], rings[2].mean(), rings[1].mean(), rings[0].mean()]
    slopes = -np.diff(means) / np.diff(radii)
    assert np.all(np.diff(slopes) > 0)


def test_a_plane_cuts_one_limb_only_although_it_crosses_both_legs(body: BodyModel, rest):
    result = reconstruct(rest, body.faces, [_cut(body, Limb.LEFT_LEG, Segment.SHANK, 0.5)])

    kept = result.edge_source[: result.kept_count, 0]
    left_foot, right_foot = PART_INDEX["left_foot"], PART_INDEX["right_foot"]
    assert not (body.part_labels[kept] == left_foot).any()
    assert (body.part_labels[kept] == right_foot).sum() == (body.part_labels == right_foot).sum()


def test_neighbours_of_the_cut_are_untouched(body: BodyModel, rest):
    cut = _cut(body, Limb.LEFT_ARM, Segment.UPPER_ARM, 0.4)

    result = reconstruct(rest, body.faces, [cut])

    vertices = result.carry_points(rest)
    kept = result.edge_source[: result.kept_count, 0]
    assert np.array_equal(vertices[: result.kept_count], rest[kept])
    whole = np.isin(body.faces, kept).all(axis=1)
    renumbered = np.full(len(rest), -1)
    renumbered[kept] = np.arange(len(kept))
    assert np.array_equal(result.faces[: whole.sum()], renumbered[body.faces[whole]])


def test_new_boundary_vertices_lie_on_old_edges_and_on_the_plane(body: BodyModel, rest):
    cut = _cut(body, Limb.RIGHT_ARM, Segment.FOREARM, 0.5)

    result = reconstruct(rest, body.faces, [cut])

    (cap,) = result.caps
    pairs = np.sort(result.edge_source[cap.boundary], axis=1)
    edges = {tuple(edge) for edge in surface_topology(body.faces, len(rest)).edges.tolist()}
    assert all(tuple(pair) in edges for pair in pairs.tolist())
    heights = (result.carry_points(rest)[cap.boundary] - cut.origin) @ cut.normal
    assert np.ptp(heights) < 1e-3
    assert cap.on_plane == 1


def test_the_residual_mask_is_what_is_left_of_the_segment_and_the_cap(body: BodyModel, rest):
    result = reconstruct(rest, body.faces, [_cut(body, Limb.LEFT_LEG, Segment.SHANK, 0.5)])

    kept = result.edge_source[: result.kept_count, 0]
    expected = body.part_labels[kept] == PART_INDEX["left_shank"]
    assert np.array_equal(result.residual[: result.kept_count], expected)
    assert result.residual[result.kept_count :].all()
    assert expected.any()


def test_a_distal_part_curled_back_over_the_plane_goes_too(body: BodyModel):
    pose = np.zeros((55, 3))
    pose[SMPLX_INDEX["left_knee"], 0] = 2.3  # the heel is now above the plane
    posed = body.pose(axis_angles=pose)
    regions = limb_regions(
        part_labels=body.part_labels,
        faces=body.faces,
        limb=Limb.LEFT_LEG,
        segment=Segment.THIGH,
        whole_limb=False,
    )
    joints = posed.joints.astype(float)
    cut = paper_mode_cut(
        regions,
        anchor=joints[SMPLX_INDEX["left_knee"]],
        upstream=joints[SMPLX_INDEX["left_hip"]],
        factor=0.2,
    )
    above = (posed.vertices - cut.origin) @ cut.normal < 0
    assert above[body.part_labels == PART_INDEX["left_foot"]].any()

    result = reconstruct(posed.vertices, body.faces, [cut])

    kept = result.edge_source[: result.kept_count, 0]
    assert not np.isin(body.part_labels[kept], [PART_INDEX["left_foot"], PART_INDEX["left_shank"]]).any()


# ----------------------------------------------------------------------------------------------- carrying


def test_attributes_are_carried_as_fixed_combinations(body: BodyModel, rest):
    result = reconstruct(rest, body.faces, [_cut(body, Limb.LEFT_LEG, Segment.THIGH, 0.5)])

    weights = result.carry(body.skin_weights)
    linear = np.array([[1.0, 2, 3], [0, 1, 0], [4, 0, 1]])

    assert weights.shape == (result.vertex_count, body.skin_weights.shape[1])
    assert weights.dtype == body.skin_weights.dtype
    assert weights.sum(1) == pytest.approx(np.ones(result.vertex_count), abs=1e-5)
    assert result.carry(rest @ linear) == pytest.approx(result.carry(rest) @ linear, abs=1e-12)


def test_positions_are_carried_alike_by_a_rigid_motion(body: BodyModel, rest):
    result = reconstruct(rest, body.faces, [_cut(body, Limb.LEFT_LEG, Segment.THIGH, 0.5)])
    turned, _ = np.linalg.qr(np.random.default_rng(0).standard_normal((3, 3)))
    turned *= np.sign(np.linalg.det(turned))

    moved = result.carry_points(rest @ turned.T + [1, 2, 3])

    assert moved == pytest.approx(result.carry_points(rest) @ turned.T + [1, 2, 3], abs=1e-9)


def test_body_and_tpose_share_a_topology_that_is_closed_in_both(body: BodyModel, rest):
    pose = np.zeros((55, 3))
    pose[SMPLX_INDEX["right_hip"]] = [-0.9, 0.1, 0.2]
    posed = body.pose(axis_angles=pose)
    result = reconstruct(rest, body.faces, [_cut(body, Limb.RIGHT_LEG, Segment.THIGH, 0.3)])

    vertices = result.carry_points(posed.vertices)

    (cap,) = result.caps
    normals = face_normals(vertices.astype(float), result.faces[cap.faces])
    assert (normals @ loop_normal(vertices[cap.boundary].astype(float)) > 0).all()
    assert signed_volume(vertices, result.faces) == pytest.approx(
        signed_volume(result.carry_points(rest), result.faces), rel=0.05
    )


def test_the_frame_measures_from_the_joint_to_the_tip(body: BodyModel, rest):
    cut = _cut(body, Limb.LEFT_LEG, Segment.SHANK, 0.4)
    joints = body.rest_joints().astype(float)
    knee, ankle = joints[SMPLX_INDEX["left_knee"]], joints[SMPLX_INDEX["left_ankle"]]
    result = reconstruct(rest, body.faces, [cut])
    (stump,) = result.stumps(result.carry_points(rest))

    frame = stump_frame(stump, proximal_joint=knee, axis=ankle - knee)

    assert frame.length_m == pytest.approx(0.6 * np.linalg.norm(ankle - knee), abs=1e-3)
    assert stump.limb is Limb.LEFT_LEG
    assert stump.segment is Segment.SHANK


# ---------------------------------------------------------------------------------------------- bad input


def test_two_cuts_of_one_limb_are_refused(body: BodyModel, rest):
    cuts = [_cut(body, Limb.LEFT_LEG, segment, 0.5) for segment in (Segment.THIGH, Segment.SHANK)]

    with pytest.raises(KnownError, match="two cuts"):
        reconstruct(rest, body.faces, cuts)


def test_no_cut_leaves_the_mesh_as_it_is(body: BodyModel, rest):
    result = reconstruct(rest, body.faces, [])

    assert np.array_equal(result.faces, body.faces)
    assert np.array_equal(result.carry_points(rest), rest)
    assert not result.residual.any()


# --------------------------------------------------------------------------------------------------- caps


def _circle(count: int = 40) -> np.ndarray:
    angle = np.linspace(0, 2 * np.pi, count, endpoint=False)
    return np.stack([np.cos(angle), np.sin(angle), np.zeros(count)], axis=1)


def test_the_dome_of_a_circle_is_half_an_ellipsoid():
    ring = _circle()

    cap = dome_cap(ring, height=DOME_HEIGHT)

    assert cap is not None
    made = placed(cap, ring)
    onto_sphere = made / [1, 1, DOME_HEIGHT]
    assert np.linalg.norm(onto_sphere, axis=1) == pytest.approx(np.ones(len(made)), abs=1e-2)
    assert made[cap.tip] == pytest.approx([0, 0, DOME_HEIGHT], abs=1e-12)


def test_a_crescent_that_its_centroid_does_not_see_still_gets_a_dome():
    ring = _circle(60) * [1, 0.5, 1]
    ring[:, 1] += 0.55 * (1 - ring[:, 0] ** 2) * np.where(ring[:, 1] < 0, 1.0, 0.25)

    cap = dome_cap(ring, height=0.2)

    assert cap is not None
    assert folded_faces(cap, ring) == 0


def test_a_boundary_without_any_centre_is_closed_by_insets_without_a_fold():
    angle = np.linspace(0, 1.6 * np.pi, 30)
    outer, inner = (r * np.stack([np.cos(angle), np.sin(angle), 0 * angle], axis=1) for r in (1.0, 0.6))
    ring = np.concatenate([outer, inner[::-1]])

    assert dome_cap(ring, height=0.1) is None
    cap = inset_cap(ring, height=0.1)

    assert folded_faces(cap, ring) == 0
    made = np.concatenate([ring, placed(cap, ring)])
    rim = surface_topology(cap.faces, len(made))
    assert (rim.edge_uses == 1).sum() == len(ring)
    assert ((rim.edge_uses == 2) & (rim.flipped_uses == 0)).sum() == len(rim.edges) - len(ring)
