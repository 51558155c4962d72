"""The surface that follows: light while a point moves, the whole body cut exactly when it rests."""

from dataclasses import replace

import numpy as np
import pytest

from limbstudio.body.surface import surface_facts
from limbstudio.domain.anatomy import Level, Limb
from limbstudio.domain.body import FitMode
from limbstudio.resihmr.following import SurfaceFollower
from limbstudio.resihmr.pipeline import build_mesh

LEVELS = [
    {Limb.RIGHT_LEG: Level.TRANSTIBIAL},
    {Limb.LEFT_LEG: Level.TRANSFEMORAL, Limb.RIGHT_ARM: Level.TRANSRADIAL},
    {Limb.LEFT_ARM: Level.TRANSHUMERAL},
    {Limb.LEFT_LEG: Level.HIP_DISARTICULATION},
    {},
]


@pytest.fixture(scope="module")
def follower(body) -> SurfaceFollower:
    return SurfaceFollower(body)


@pytest.mark.parametrize("levels", LEVELS)
def test_a_moving_surface_is_light_closed_and_ends_where_the_exact_one_does(
    known_fit, body, follower, levels
):
    person, fit = known_fit(levels)

    moving = follower.surface(person, fit)
    exact = follower.surface(person, fit, exact=True)

    facts = surface_facts(moving.vertices, moving.faces, intersections=False)
    assert facts.watertight
    assert facts.components == 1
    assert len(moving.vertices) < 0.35 * len(exact.vertices)
    assert moving.residual.any() == exact.residual.any()
    np.testing.assert_allclose(moving.vertices.min(0), exact.vertices.min(0), atol=0.012)
    np.testing.assert_allclose(moving.vertices.max(0), exact.vertices.max(0), atol=0.012)
    for limb in fit.limbs:
        if limb.length_m == 0:
            continue
        bone = limb.anchor_position - limb.upstream_position
        bone = bone / np.linalg.norm(bone)
        ends = [float(((s.vertices[s.residual] - limb.endpoint) @ bone).max()) for s in (moving, exact)]
        if len(fit.limbs) == 1:
            assert ends[0] == pytest.approx(ends[1], abs=0.01)


def test_at_rest_the_surface_is_that_of_the_full_reconstruction(known_fit, body, follower):
    person, fit = known_fit({Limb.RIGHT_LEG: Level.TRANSTIBIAL})

    exact = follower.surface(person, fit, exact=True)
    mesh, _ = build_mesh(person, fit, body)

    assert np.array_equal(exact.faces, mesh.faces)
    np.testing.assert_allclose(exact.vertices, mesh.vertices, atol=1e-6)
    assert surface_facts(exact.vertices, exact.faces, intersections=False).watertight


def test_the_topology_stays_while_the_end_moves_by_less_than_a_hair(known_fit, follower):
    person, fit = known_fit({Limb.RIGHT_LEG: Level.TRANSTIBIAL})
    first = follower.surface(person, fit)

    near, far = (
        follower.surface(person, replace(fit, limbs=(replace(limb, factor=factor, length_m=length),)))
        for limb in fit.limbs
        for factor, length in (
            (limb.factor, limb.length_m + 0.001),
            (limb.factor - 0.1, limb.length_m * (1 - limb.factor + 0.1) / (1 - limb.factor)),
        )
    )

    assert near.faces is first.faces
    assert far.faces is not first.faces
    assert fit.mode is FitMode.JOINT
