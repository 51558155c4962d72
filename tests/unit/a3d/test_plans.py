"""Plans: balanced over kinds and groups, and functions of seed and index alone."""

from collections import Counter

import numpy as np
import pytest

from limbstudio.a3d.groups import BUILDS, TONES, build_direction, draw_shape
from limbstudio.a3d.plans import EASY_FROM, MULTIPLE_LABEL, ROUND, Aid, Geometry, SampleOptions, plan_sample
from limbstudio.ajahr.build import HEAD_LIMBS, INTACT_LABEL, N_AMPUTATIONS
from limbstudio.body.model import load_body
from limbstudio.domain.anatomy import SMPLX_INDEX, level_rule


@pytest.fixture(scope="module")
def direction():
    return build_direction(load_body())


@pytest.fixture(scope="module")
def plans(direction):
    return [plan_sample(SampleOptions(seed=1), direction, index) for index in range(14 * 32)]


def test_every_round_has_each_kind_once_two_people_with_several_limbs_and_two_intact(plans):
    for start in range(0, len(plans), len(ROUND)):
        labels = Counter(plan.label for plan in plans[start : start + len(ROUND)])

        assert labels == Counter(
            {**dict.fromkeys(range(N_AMPUTATIONS), 1), MULTIPLE_LABEL: 2, INTACT_LABEL: 2}
        )


def test_groups_are_balanced_and_do_not_go_with_a_kind(plans):
    groups = Counter((plan.build, plan.tone) for plan in plans)
    by_kind = {kind: {plan.tone for plan in plans if plan.label == kind} for kind in range(N_AMPUTATIONS)}

    assert len(groups) == len(BUILDS) * len(TONES)
    assert set(groups.values()) == {32}
    assert all(len(tones) >= 5 for tones in by_kind.values())


def test_mixed_draws_every_kind_both_ways_alike(plans):
    for kind in range(N_AMPUTATIONS):
        ways = Counter(lost.geometry for plan in plans if plan.label == kind for lost in plan.limbs.values())

        assert ways[Geometry.RESIDUAL] == ways[Geometry.COLLAPSED] == 14


@pytest.mark.parametrize("way", ["residual", "collapsed"])
def test_one_geometry_can_be_asked_for(direction, way):
    options = SampleOptions(limbs=way)

    drawn = [lost for i in range(48) for lost in plan_sample(options, direction, i).limbs.values()]

    assert {lost.geometry.value for lost in drawn} == {way}
    if way == "collapsed":
        assert all(lost.factor == 0 and lost.prosthesis is None for lost in drawn)


def test_the_level_of_a_kind_has_its_limb_and_class(plans):
    for plan in plans:
        if plan.label < N_AMPUTATIONS:
            ((limb, lost),) = plan.limbs.items()
            assert limb is HEAD_LIMBS[plan.label // 3]
            assert level_rule(limb, lost.level).ajahr_class == plan.label % 3


def test_nobody_stands_on_crutches_without_a_hand(plans):
    on_crutches = [plan for plan in plans if plan.aid is Aid.CRUTCHES]

    assert on_crutches
    assert all(sum(limb.is_arm for limb in plan.limbs) < 2 for plan in on_crutches)


def test_a_plan_depends_on_seed_index_and_attempt_only(direction):
    options = SampleOptions(seed=5)

    again = plan_sample(options, direction, 7)
    later = plan_sample(options, direction, 7, attempt=EASY_FROM)

    assert plan_sample(options, direction, 7) == again
    assert plan_sample(SampleOptions(seed=6), direction, 7) != again
    assert (later.label, later.build, later.tone) == (again.label, again.build, again.tone)
    assert later.shape != again.shape
    assert later.occluders == ()


def test_builds_differ_in_shoulders_over_hips(direction):
    body, rng = load_body(), np.random.default_rng(0)

    def ratio(build: int) -> float:
        joints = [body.rest_joints(np.array(draw_shape(build, direction, rng))) for _ in range(40)]
        return float(
            np.mean([j[SMPLX_INDEX["left_shoulder"], 0] / j[SMPLX_INDEX["left_hip"], 0] for j in joints])
        )

    assert ratio(BUILDS.index("broad_shoulders")) > 1.08 * ratio(BUILDS.index("broad_hips"))
