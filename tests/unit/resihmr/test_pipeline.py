import numpy as np
import pytest

from limbstudio.body.parts import PART_INDEX
from limbstudio.body.surface import surface_facts
from limbstudio.domain.anatomy import SMPLX_INDEX, Level, Limb
from limbstudio.domain.body import FitMode
from limbstudio.resihmr.pipeline import build_mesh, posed_vertices

LEVELS = {Limb.LEFT_LEG: Level.TRANSFEMORAL, Limb.RIGHT_ARM: Level.TRANSRADIAL}


@pytest.mark.parametrize("mode", [FitMode.JOINT, FitMode.PAPER])
def test_accepted_limbs_are_cut_and_closed_in_the_body_and_in_its_t_pose(known_fit, body, mode):
    person, fit = known_fit(LEVELS, mode=mode)

    mesh, warnings = build_mesh(person, fit, body)

    assert warnings == ()
    for vertices in (mesh.vertices, mesh.tpose):
        facts = surface_facts(vertices, mesh.faces)
        assert facts.watertight
        assert facts.components == 1
        assert facts.volume_m3 > 0.03
    assert {stump.limb for stump in mesh.stumps} == set(LEVELS)
    assert len(mesh.vertices) == len(mesh.tpose) == len(mesh.residual) == len(mesh.parts)


def test_a_joint_mode_stump_ends_at_the_fitted_endpoint(known_fit, body):
    person, fit = known_fit({Limb.RIGHT_LEG: Level.TRANSTIBIAL}, factor=0.5)

    mesh, _ = build_mesh(person, fit, body)

    limb, stump = fit.limbs[0], mesh.stumps[0]
    bone = limb.anchor_position - limb.upstream_position
    beyond = (stump.tip - limb.endpoint) @ bone / np.linalg.norm(bone)
    assert abs(beyond) < 0.004
    assert np.linalg.norm(stump.tip - limb.endpoint) < 0.04


def test_residual_marks_the_surviving_part_of_the_cut_segment_and_its_cap(known_fit, body):
    person, fit = known_fit({Limb.LEFT_LEG: Level.TRANSFEMORAL})

    mesh, _ = build_mesh(person, fit, body)

    assert set(np.unique(mesh.parts[mesh.residual])) == {PART_INDEX["left_thigh"]}
    assert mesh.residual[mesh.faces[mesh.stumps[0].cap_faces]].all()
    gone = {PART_INDEX["left_shank"], PART_INDEX["left_foot"]}
    assert not gone & set(np.unique(mesh.parts).tolist())


@pytest.mark.parametrize("level", [Level.HIP_DISARTICULATION, Level.HEMIPELVECTOMY])
def test_a_limb_removed_at_its_root_leaves_none_of_it_below_the_joint(known_fit, body, level):
    person, fit = known_fit({Limb.LEFT_LEG: level})

    mesh, _ = build_mesh(person, fit, body)

    hip = body.rest_joints(fit.shape)[SMPLX_INDEX["left_hip"]] - body.rest_joints(fit.shape)[0]
    left = mesh.tpose[:, 0] > 0.09
    assert mesh.tpose[left & (mesh.tpose[:, 1] < 0), 1].min() > hip[1] - 0.12
    assert surface_facts(mesh.vertices, mesh.faces).watertight


@pytest.mark.parametrize(("mode", "accepted"), [(FitMode.JOINT, False), (FitMode.INTACT, True)])
def test_a_limb_that_was_not_accepted_or_not_known_of_stays_whole(known_fit, body, mode, accepted):
    person, fit = known_fit(LEVELS, accepted=accepted, mode=mode)

    mesh, _ = build_mesh(person, fit, body)

    np.testing.assert_array_equal(mesh.vertices, posed_vertices(fit, body))
    assert not mesh.residual.any()
    assert mesh.stumps == ()


def test_the_t_pose_stands_at_the_origin_whatever_the_fit(known_fit, body):
    person, fit = known_fit(LEVELS)

    mesh, _ = build_mesh(person, fit, body)

    trunk = mesh.tpose[mesh.parts == PART_INDEX["torso"]]
    assert abs(trunk[:, 0].mean()) < 0.02
    assert trunk[:, 1].min() < 0 < trunk[:, 1].max()
    np.testing.assert_allclose(mesh.tpose[:, 1].max(), 0.75, atol=0.2)
