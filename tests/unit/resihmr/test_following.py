"""The surface that follows: light while a point moves, the whole body cut exactly when it rests."""

from dataclasses import replace

import numpy as np
import pytest

from limbstudio.body.surface import surface_facts
from limbstudio.domain.anatomy import KeypointState, Level, Limb
from limbstudio.domain.body import BodyFit
from limbstudio.domain.photo import Person
from limbstudio.resihmr import solver
from limbstudio.resihmr.following import FitFollower, MovingSurface, SurfaceFollower
from limbstudio.resihmr.initial_fit import FOLLOW_WITHIN_PX, fit_to_follow, follow
from limbstudio.resihmr.lifter import Lifter
from limbstudio.resihmr.pipeline import build_mesh
from limbstudio.resihmr.problem import DEFAULT_SETTINGS

WRIST = 9
WITHIN_PX = 0.3
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


def shorter(fit: BodyFit, by: float) -> BodyFit:
    """The fit whose residual limb ends `by` metres higher."""
    (limb,) = fit.limbs
    bone = limb.anchor_position - limb.upstream_position
    whole = float(np.linalg.norm(bone))
    factor = limb.factor + by / whole
    end = limb.upstream_position + (1 - factor) * bone
    cut = replace(limb, factor=factor, length_m=(1 - factor) * whole, endpoint=end)
    return replace(fit, limbs=(cut,))


def end_of(surface: MovingSurface, fit: BodyFit) -> float:
    """How far the residual limb goes beyond where the fit says, along its bone, metres."""
    (limb,) = fit.limbs
    bone = limb.anchor_position - limb.upstream_position
    return float(((surface.vertices[surface.residual] - limb.endpoint) @ bone).max() / np.linalg.norm(bone))


@pytest.mark.parametrize("by", [-0.018, -0.004, 0.004, 0.018])
def test_the_topology_stays_while_the_end_moves_a_little_and_the_end_goes_along(known_fit, body, by):
    person, fit = known_fit({Limb.RIGHT_LEG: Level.TRANSTIBIAL})
    follower = SurfaceFollower(body)
    first = follower.surface(person, fit)
    changed = shorter(fit, by)

    stretched = follower.surface(person, changed)
    exact = follower.surface(person, changed, exact=True)

    assert stretched.faces is first.faces
    assert end_of(stretched, changed) == pytest.approx(end_of(first, fit), abs=0.002)
    assert end_of(stretched, changed) == pytest.approx(end_of(exact, changed), abs=0.005)
    others = ~stretched.residual
    np.testing.assert_array_equal(stretched.vertices[others], first.vertices[others])
    assert surface_facts(stretched.vertices, stretched.faces, intersections=False).watertight


def test_the_limb_is_cut_anew_where_the_end_moves_far(known_fit, body):
    person, fit = known_fit({Limb.RIGHT_LEG: Level.TRANSTIBIAL})
    follower = SurfaceFollower(body)
    first = follower.surface(person, fit)
    changed = shorter(fit, 0.04)

    far = follower.surface(person, changed)

    assert far.faces is not first.faces
    assert end_of(far, changed) == pytest.approx(end_of(first, fit), abs=0.006)


def on_a_circle(person: Person, step: float) -> Person:
    """The person with a wrist that goes round a circle, as a hand leads it."""
    point = person.keypoints.points[WRIST]
    x, y = point.x + 60 * np.cos(step / 8), point.y + 60 * np.sin(step / 8)
    return replace(person, keypoints=person.keypoints.replaced(WRIST, replace(point, x=x, y=y)))


@pytest.fixture(scope="module")
def sitter(crowd):
    """A synthetic person, the camera, and a fit to go on from."""
    return next(someone for someone in crowd if someone.person.keypoints.points[WRIST].constrains_fit)


def test_a_fit_that_goes_on_as_the_hand_went_needs_fewer_steps_and_ends_as_near(sitter, body, monkeypatch):
    person, camera = sitter.person, sitter.camera
    counted, evaluate = [0], solver.evaluate

    def counting(*args, **named):
        counted[0] += 1
        return evaluate(*args, **named)

    first = fit_to_follow(on_a_circle(person, 0), camera, body)
    monkeypatch.setattr(solver, "evaluate", counting)
    ahead, behind = FitFollower(first), first
    counts, off = [], []
    for step in range(1, 25):
        wanted = on_a_circle(person, step)
        counted[0] = 0
        fit = ahead.fit(wanted, camera, body, DEFAULT_SETTINGS, WITHIN_PX)
        went_on = counted[0]
        behind = follow(wanted, camera, body, behind, within_px=WITHIN_PX)
        counts.append((went_on, counted[0] - went_on))
        settled = follow(wanted, camera, body, behind, within_px=0.02).fit
        off.append(np.nanmax(np.abs(fit.projected_px - settled.projected_px)))

    with_lead, without = np.sum(counts, axis=0)
    assert with_lead < 0.85 * without
    assert np.median(off) < 1.0


def test_a_hand_that_stops_or_turns_back_is_not_overtaken(sitter, body):
    person, camera = sitter.person, sitter.camera
    fits = FitFollower(fit_to_follow(on_a_circle(person, 0), camera, body))
    for step in (1, 2, 3):
        fits.fit(on_a_circle(person, step), camera, body, DEFAULT_SETTINGS, WITHIN_PX)

    rested = [fits.fit(on_a_circle(person, 3), camera, body, DEFAULT_SETTINGS, 0.05) for _ in range(3)]
    back = fits.fit(on_a_circle(person, 2), camera, body, DEFAULT_SETTINGS, 0.05)

    np.testing.assert_allclose(rested[2].projected_px, rested[1].projected_px, atol=0.1)
    gone = [
        fit.projected_px[WRIST] - fits_on(person, camera, body, step)
        for fit, step in ((rested[2], 3), (back, 2))
    ]
    assert np.abs(gone).max() < 3.0


def fits_on(person, camera, body, step) -> np.ndarray:
    """Where the wrist ends when that step is fitted by itself."""
    moved = on_a_circle(person, step)
    return follow(moved, camera, body, fit_to_follow(moved, camera, body), within_px=0.05).fit.projected_px[
        WRIST
    ]


def test_the_lifter_is_asked_again_only_where_points_have_moved_and_always_at_rest(
    sitter, body, fit_of_body, monkeypatch
):
    person, camera = sitter.person, sitter.camera
    fits = FitFollower(fit_to_follow(on_a_circle(person, 0), camera, body))
    asked, answer = [0], Lifter.__call__

    def counting(*args):
        asked[0] += 1
        return answer(*args)

    monkeypatch.setattr(Lifter, "__call__", counting)

    def asks(someone: Person, within_px: float) -> int:
        before = asked[0]
        fits.fit(someone, camera, body, DEFAULT_SETTINGS, within_px)
        return asked[0] - before

    assert fit_of_body.lifter is not None
    assert asks(on_a_circle(person, 0), WITHIN_PX) == 1
    assert asks(on_a_circle(person, 0.1), WITHIN_PX) == 0
    assert asks(on_a_circle(person, 4), WITHIN_PX) == 1
    assert asks(on_a_circle(person, 4), FOLLOW_WITHIN_PX) == 1
    point = person.keypoints.points[WRIST]
    hidden = replace(point, state=KeypointState.UNLABELLED)
    assert asks(replace(person, keypoints=person.keypoints.replaced(WRIST, hidden)), WITHIN_PX) == 1
