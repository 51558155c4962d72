"""The mask term: a body meets its own mask, and what is not seen, or does not exist, neither pulls nor is pulled."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from limbstudio.body.model import BodyModel
from limbstudio.body.parts import PART_INDEX, distal_vertices
from limbstudio.body.rotations import rotation_and_left_jacobian
from limbstudio.domain.anatomy import LDPOSE_INDEX, SMPLX_INDEX, KeypointState, Level, Limb, Segment
from limbstudio.domain.body import BodyFit, FitMode
from limbstudio.domain.geometry import Point
from limbstudio.domain.photo import Person
from limbstudio.rendering.silhouette import overlap, silhouette
from limbstudio.resihmr.contour import (
    CONTOUR_SETTINGS,
    ContourRows,
    Outline,
    Pairs,
    _Missing,
    fit_contour,
    mask_contour,
    observed_parts,
    pair_up,
    visible_rim,
)
from limbstudio.resihmr.energy import evaluate
from limbstudio.resihmr.problem import DEFAULT_SETTINGS, FitModel, box_height, build_problem
from limbstudio.resihmr.solver import minimise
from limbstudio.resihmr.terms import Problem, Unknowns, n_unknowns

MakeFit = Callable[..., tuple[Person, BodyFit]]
HEAVY = np.array([0.5, -1.5, 1.0, 0, 0, 0, 0, 0, 0, 0])


def _problem(
    model: FitModel, made: tuple[Person, BodyFit], shape: np.ndarray | None = None
) -> tuple[Problem, Unknowns]:
    """Return the problem of a person whose points are exactly those of a body of `shape`, and that body."""
    person, fit = made
    problem = build_problem(model, [person], [fit.camera], mode=fit.mode)
    root, _ = rotation_and_left_jacobian(np, fit.orientation[None])
    factor = np.full((1, len(Limb)), 0.5)
    for limb in fit.limbs:
        factor[0, list(Limb).index(limb.limb)] = limb.factor
    build = np.zeros((1, 10)) if shape is None else shape[None].copy()
    x = Unknowns(root, fit.pose[:21].reshape(1, 63), fit.translation[None], build, np.zeros((1, 2)), factor)
    points = evaluate(problem, x, derivatives=False).placed.points[0]
    ends = points[17 + problem.anchor[0]]
    ends = ends + x.factor[0, :, None] * (points[17 + problem.upstream[0]] - ends)
    observed = fit.camera.project(np.concatenate([points[:17], ends]))
    return replace(problem, observed_px=observed[None]), x


def _vertices(body: BodyModel, fit: BodyFit, x: Unknowns) -> np.ndarray:
    turns = np.tile(np.eye(3), (55, 1, 1))
    turns[0] = x.root[0]
    turns[1:22] = rotation_and_left_jacobian(np, x.pose[0].reshape(-1, 3))[0]
    return body.pose(rotations=turns, shape=x.shape[0], translation=x.move[0]).vertices


def _mask(body: BodyModel, fit: BodyFit, x: Unknowns) -> np.ndarray:
    return silhouette(_vertices(body, fit, x), body.faces, fit.camera)


@pytest.fixture(scope="module")
def heavy(
    body: BodyModel, known_fit: MakeFit, fit_of_body: FitModel
) -> tuple[Person, BodyFit, Problem, Unknowns, Unknowns]:
    """An intact person of heavy build, the truth, and what the points alone make of it."""
    person, fit = known_fit()
    problem, truth = _problem(fit_of_body, (person, fit), HEAVY)
    start = replace(truth, shape=np.zeros_like(truth.shape))
    found = minimise(problem, start, steps=30).x
    return person, fit, problem, truth, found


# ------------------------------------------------------------------------------------------------------- mask


def test_contour_of_a_disc_is_its_circle() -> None:
    y, x = np.mgrid[:400, :500]
    mask = np.hypot(x - 240.25, y - 199.5) < 120.3

    outline = mask_contour(mask, 400)

    offset = outline.points_px - (240.25, 199.5)
    radius = np.linalg.norm(offset, axis=1)
    assert len(radius) > 60
    np.testing.assert_allclose(radius, 120.3, atol=1.5)
    assert np.all(np.einsum("ij,ij->i", offset / radius[:, None], outline.normals) > 0.98)


def test_picture_border_is_no_contour() -> None:
    mask = np.zeros((300, 200), bool)
    mask[100:, 60:140] = True

    points = mask_contour(mask, 250).points_px

    assert points[:, 1].max() > 270
    on_floor = (points[:, 1] > 290) & (points[:, 0] > 66) & (points[:, 0] < 133)
    assert not on_floor.any()


@pytest.mark.parametrize("value", [True, False])
def test_mask_of_one_colour_has_no_contour(value: bool) -> None:
    assert len(mask_contour(np.full((50, 40), value), 40).points_px) == 0


# -------------------------------------------------------------------------------------------------------- rim


def test_rim_lies_on_the_outline_of_the_silhouette(
    body: BodyModel, known_fit: MakeFit, fit_of_body: FitModel
) -> None:
    person, fit = known_fit()
    problem, x = _problem(fit_of_body, (person, fit))
    outline = mask_contour(_mask(body, fit, x), box_height(person))

    rim = visible_rim(body, x, problem, _Missing.of(person, problem), box_height(person))

    gap = np.linalg.norm(rim.points_px[:, None] - outline.points_px, axis=2)
    nearest = gap.argmin(1)
    alike = np.einsum("ij,ij->i", rim.normals, outline.normals[nearest])
    assert len(rim.vertices) > 100
    assert np.median(gap.min(1)) < 2.0
    assert np.percentile(gap.min(1), 95) < 6.0
    assert np.median(alike) > 0.9


def test_absent_limb_has_no_rim(body: BodyModel, known_fit: MakeFit, fit_of_body: FitModel) -> None:
    made = known_fit({Limb.RIGHT_LEG: Level.TRANSFEMORAL}, factor=0.5)
    problem, x = _problem(fit_of_body, made)

    rim = visible_rim(body, x, problem, _Missing.of(made[0], problem), box_height(made[0]))

    gone = distal_vertices(body.part_labels, Limb.RIGHT_LEG, Segment.SHANK)
    assert not np.isin(rim.vertices, gone).any()
    thigh = rim.vertices[body.part_labels[rim.vertices] == PART_INDEX["right_thigh"]]
    knee, hip = (body.joint_template[SMPLX_INDEX[f"right_{name}"]] for name in ("knee", "hip"))
    along = (body.template[thigh] - knee) @ (hip - knee) / ((hip - knee) @ (hip - knee))
    assert len(thigh) > 0
    assert along.min() > 0.45


def test_part_that_nobody_placed_is_not_judged(
    body: BodyModel, known_fit: MakeFit, fit_of_body: FitModel
) -> None:
    person, fit = known_fit()
    points = list(person.keypoints.points)
    for name in ("left_knee", "left_ankle"):
        points[LDPOSE_INDEX[name]] = Point(KeypointState.UNLABELLED)
    hidden = replace(person, keypoints=replace(person.keypoints, points=tuple(points)))
    problem, x = _problem(fit_of_body, (hidden, fit))
    height = box_height(person)
    outline = mask_contour(_mask(body, fit, x), height)

    rim = visible_rim(body, x, problem, _Missing.of(hidden, problem), height)
    pairs = pair_up(rim, outline, height, 0.05)

    leg = [PART_INDEX[f"left_{part}"] for part in ("thigh", "shank", "foot")]
    assert not observed_parts(hidden) & set(leg)
    assert np.isin(body.part_labels[rim.vertices], leg).any()
    assert not np.isin(body.part_labels[pairs.vertices], leg).any()
    assert np.isin(body.part_labels[pairs.vertices], PART_INDEX["right_shank"]).any()


def test_residual_end_counts_only_with_knowledge_of_limb_loss(known_fit: MakeFit) -> None:
    person, _ = known_fit({Limb.LEFT_ARM: Level.TRANSRADIAL})
    forearm = PART_INDEX["left_forearm"]

    assert forearm in observed_parts(person)
    assert forearm not in observed_parts(person, limb_loss=False)


# ------------------------------------------------------------------------------------------------------ pairs


def test_pairs_never_look_opposite_ways(body: BodyModel, known_fit: MakeFit, fit_of_body: FitModel) -> None:
    person, fit = known_fit()
    problem, x = _problem(fit_of_body, (person, fit))
    rim = visible_rim(body, x, problem, _Missing.of(person, problem), box_height(person))
    inside_out = Outline(rim.points_px.astype(float), -rim.normals)

    pairs = pair_up(rim, inside_out, box_height(person), 0.01)

    own = {int(v): n for v, n in zip(rim.vertices, rim.normals, strict=True)}
    assert all(own[int(v)] @ n > 0 for v, n in zip(pairs.vertices, pairs.normals, strict=True))


# ------------------------------------------------------------------------------------------------------- rows


def test_derivatives_are_those_of_the_energy(
    body: BodyModel, known_fit: MakeFit, fit_of_body: FitModel
) -> None:
    made = known_fit({Limb.RIGHT_LEG: Level.TRANSFEMORAL})
    problem, x = _problem(fit_of_body, made)
    rng = np.random.default_rng(2)
    x = replace(x, pose=x.pose + 0.2 * rng.standard_normal(x.pose.shape), shape=HEAVY[None])
    vertices = rng.choice(len(body.template), 60, replace=False)
    normals = rng.standard_normal((60, 2))
    normals /= np.linalg.norm(normals, axis=1, keepdims=True)
    targets = made[1].camera.project(_vertices(body, made[1], x)[vertices]) + 15 * rng.standard_normal(
        (60, 2)
    )
    pairs = Pairs(vertices, targets, normals, rng.uniform(0.5, 2, 60))
    rows = ContourRows.of(body, pairs, box_height(made[0]), 0.04, CONTOUR_SETTINGS)

    def terms(at: Unknowns, derivatives: bool):
        local, left = rotation_and_left_jacobian(np, at.pose.reshape(-1, 21, 3))
        return rows.rows(problem, at, local, derivatives=derivatives, left=left)

    got = terms(x, True)
    numeric = np.zeros(n_unknowns(10))
    for i in range(len(numeric)):
        step = np.zeros((1, len(numeric)))
        step[0, i] = 1e-6
        ends = [terms(x.stepped(np, sign * step), False).energy[0] for sign in (1, -1)]
        numeric[i] = (ends[0] - ends[1]) / 4e-6  # half the gradient, as the solver wants it
    assert got.gradient is not None
    np.testing.assert_allclose(got.gradient[0], numeric, atol=1e-5 * np.abs(numeric).max())


def test_rows_of_several_estimates_are_those_of_each(
    body: BodyModel, heavy: tuple[Person, BodyFit, Problem, Unknowns, Unknowns]
) -> None:
    person, fit, problem, truth, found = heavy
    height = box_height(person)
    rim = visible_rim(body, found, problem, _Missing.of(person, problem), height)
    pairs = pair_up(rim, mask_contour(_mask(body, fit, truth), height), height, 0.05)
    rows = ContourRows.of(body, pairs, height, 0.05, CONTOUR_SETTINGS)
    both = Unknowns(*(np.concatenate(v) for v in zip(truth.values, found.values, strict=True)))

    def terms(at: Unknowns, of: Problem):
        local, left = rotation_and_left_jacobian(np, at.pose.reshape(-1, 21, 3))
        return rows.rows(of, at, local, derivatives=True, left=left)

    together = terms(both, problem.taken(np.array([0, 0])))
    for i, one in enumerate((truth, found)):
        alone = terms(one, problem)
        np.testing.assert_allclose(together.energy[i], alone.energy[0])
        assert together.matrix is not None and alone.matrix is not None
        np.testing.assert_allclose(
            together.matrix[i], alone.matrix[0], atol=1e-9 * np.abs(alone.matrix).max()
        )


# -------------------------------------------------------------------------------------------------------- fit


def test_mask_tells_the_build_that_points_cannot(
    body: BodyModel, fit_of_body: FitModel, heavy: tuple[Person, BodyFit, Problem, Unknowns, Unknowns]
) -> None:
    person, fit, problem, truth, found = heavy
    mask = _mask(body, fit, truth)

    masked, x = fit_contour(fit_of_body, body, person, mask, problem, found, DEFAULT_SETTINGS)

    before, after = (overlap(_mask(body, fit, at), mask) for at in (found, x))
    assert after > before + 0.03
    assert after > 0.9
    assert masked.contour is not None
    assert evaluate(masked, x, derivatives=False).terms["contour"][0] >= 0
    girth = [np.ptp(_vertices(body, fit, at)[:, 2]) for at in (truth, found, x)]
    assert abs(girth[2] - girth[0]) < abs(girth[1] - girth[0]) + 0.01


def test_bag_in_the_mask_hardly_moves_the_body(
    body: BodyModel, fit_of_body: FitModel, heavy: tuple[Person, BodyFit, Problem, Unknowns, Unknowns]
) -> None:
    person, fit, problem, truth, found = heavy
    mask = _mask(body, fit, truth)
    bagged = mask.copy()
    middle = int(np.flatnonzero(mask.any(1)).mean())
    right = int(np.flatnonzero(mask[middle])[-1])
    bagged[middle - 40 : middle + 40, right : right + 70] = True

    _, clean = fit_contour(fit_of_body, body, person, mask, problem, found, DEFAULT_SETTINGS)
    _, with_bag = fit_contour(fit_of_body, body, person, bagged, problem, found, DEFAULT_SETTINGS)

    moved = np.linalg.norm(_vertices(body, fit, clean) - _vertices(body, fit, with_bag), axis=1)
    assert overlap(_mask(body, fit, with_bag), mask) > overlap(_mask(body, fit, found), mask)
    assert np.median(moved) < 0.02


@pytest.mark.parametrize("where", ["nowhere", "everywhere", "elsewhere"])
def test_mask_that_says_nothing_of_the_body_leaves_the_fit(
    body: BodyModel,
    fit_of_body: FitModel,
    heavy: tuple[Person, BodyFit, Problem, Unknowns, Unknowns],
    where: str,
) -> None:
    person, fit, problem, truth, found = heavy
    mask = np.full(fit.camera.size_px[::-1], where == "everywhere")
    if where == "elsewhere":
        mask[:12, :12] = True

    same, x = fit_contour(fit_of_body, body, person, mask, problem, found, DEFAULT_SETTINGS)

    assert same is problem
    assert x is found


def test_absent_shank_in_the_mask_does_not_pull(
    body: BodyModel, known_fit: MakeFit, fit_of_body: FitModel
) -> None:
    """The mask of the whole leg stays in the picture; nothing of the body may reach for the part that is gone."""
    person, fit = known_fit({Limb.RIGHT_LEG: Level.TRANSFEMORAL}, factor=0.4)
    problem, x = _problem(fit_of_body, (person, fit))
    mask = _mask(body, fit, x)

    masked, found = fit_contour(fit_of_body, body, person, mask, problem, x, DEFAULT_SETTINGS)

    assert masked.contour is not None
    assert abs(found.factor[0, list(Limb).index(Limb.RIGHT_LEG)] - 0.4) < 0.08
    without = minimise(problem, x, steps=30).x  # what the points alone make of it
    joints = [evaluate(problem, at, derivatives=False).placed.joints[0] for at in (without, found)]
    assert np.linalg.norm(joints[0] - joints[1], axis=1)[[0, 1, 2]].max() < 0.05


def test_fit_without_knowledge_of_limb_loss_judges_the_whole_body(
    known_fit: MakeFit, fit_of_body: FitModel
) -> None:
    person, fit = known_fit({Limb.RIGHT_LEG: Level.TRANSFEMORAL})
    problem = build_problem(fit_of_body, [person], [fit.camera], mode=FitMode.INTACT)

    missing = _Missing.of(person, problem)

    assert not missing.gone
    assert not missing.cut
    assert PART_INDEX["right_thigh"] not in missing.seen
