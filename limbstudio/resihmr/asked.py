"""What a person asks of a fit beside the annotation, as terms of its energy: pinned points and a held shape.

A point pinned in the picture counts as if it were clicked far more surely and never as an outlier. One pinned in space,
and a held shape, add squares of their own.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from limbstudio.domain.anatomy import LDPOSE, N_COCO
from limbstudio.domain.fitted import Pin
from limbstudio.resihmr.energy import body_axes, row_jacobian
from limbstudio.resihmr.skeleton import SEGMENT_JOINTS, place
from limbstudio.resihmr.terms import Problem, Unknowns, n_unknowns

Floats = np.ndarray

# A pin in the picture: this many times as sure as a click; it bends so late that it is no outlier.
PIN_WEIGHT = 8.0
PIN_BEND = 1e3
# A pin in space, metres, and a held shape, standard deviations: what may remain.
SPACE_SIGMA_M = 0.004
SHAPE_SIGMA = 0.02


@dataclass(frozen=True, eq=False)
class AskedTerms:
    """Energy (N,), and half its gradient (N, n) and its Gauss-Newton matrix (N, n, n) when asked for."""

    energy: Floats
    gradient: Floats | None
    matrix: Floats | None


@dataclass(frozen=True, eq=False)
class Asked:
    """Pinned points and a held shape of one person, for any number of estimates; `other` is added (the mask's term).

    points (P,): rows of the skeleton's points; places (P, 3): where they stay, camera frame, metres.
    """

    points: np.ndarray
    places: Floats
    shape: Floats | None
    other: Any = None

    def taken(self, index: np.ndarray) -> "Asked":
        """Return the same: estimates at `index` are of the same person."""
        return self

    def rows(
        self, problem: Problem, x: Unknowns, local: Floats, *, derivatives: bool, left: Floats
    ) -> AskedTerms:
        """Evaluate at estimates `x`. local, left (N, 21, 3, 3): rotations and left Jacobians of the pose."""
        n, b = x.shape.shape
        energy = np.zeros(n)
        gradient = np.zeros((n, n_unknowns(b))) if derivatives else None
        matrix = np.zeros((n, n_unknowns(b), n_unknowns(b))) if derivatives else None
        if self.shape is not None:
            gap = (x.shape - self.shape[:b]) / SHAPE_SIGMA
            energy += (gap * gap).sum(1)
            if gradient is not None and matrix is not None:
                gradient[:, 69 : 69 + b] += gap / SHAPE_SIGMA
                own = np.arange(69, 69 + b)
                matrix[:, own, own] += 1 / SHAPE_SIGMA**2
        if len(self.points):
            placed = place(problem.skeleton, x.root, local, x.shape, x.move, derivatives=derivatives)
            gap = (placed.columns[..., self.points] - self.places.T) / SPACE_SIGMA_M
            energy += (gap * gap).sum((1, 2))
            if gradient is not None and matrix is not None:
                Jt = _of_points(problem, placed, left, self.points) / SPACE_SIGMA_M
                gradient[:, : 69 + b] += (Jt @ gap.swapaxes(1, 2).reshape(n, -1, 1))[..., 0]
                matrix[:, : 69 + b, : 69 + b] += Jt @ Jt.swapaxes(1, 2)
        if self.other is not None:
            more = self.other.rows(problem, x, local, derivatives=derivatives, left=left)
            energy = energy + more.energy
            if gradient is not None and matrix is not None:
                gradient, matrix = gradient + more.gradient, matrix + more.matrix
        return AskedTerms(energy, gradient, matrix)


def _of_points(problem: Problem, placed: Any, left: Floats, points: np.ndarray) -> Floats:
    """Return the derivatives of points by root, pose, move and shape as columns, (N, 69 + B, 3 P), point-major."""
    n, b = placed.shape.shape
    which = np.repeat(points, 3)
    directions = np.tile(np.eye(3), (1, len(points)))[None].repeat(n, 0)
    axes = body_axes(np, problem.skeleton, placed, left)
    lever, shaped = placed.lever[..., which], placed.shaped[..., which]
    return row_jacobian(np, lever, shaped.reshape(n, 3, b, -1), axes, directions)


def with_asked(problem: Problem, pins: Sequence[Pin], shape: Sequence[float] | None) -> Problem:
    """Return the problem of one person with what was asked in it."""
    if not pins and shape is None:
        return problem
    scale, rho = problem.scale.copy(), problem.rho.copy()
    points, places = [], []
    for pin in pins:
        if pin.position_m is not None:
            points.append(N_COCO + SEGMENT_JOINTS.index(LDPOSE[pin.keypoint].name))
            places.append(pin.position_m)
            continue
        row = _observed_row(pin.keypoint)
        scale[:, row] *= PIN_WEIGHT
        rho[:, row] = PIN_BEND
    asked = None
    if points or shape is not None:
        held = None if shape is None else np.asarray(shape, float)
        asked = Asked(np.array(points, int), np.array(places, float).reshape(-1, 3), held, problem.contour)
    return replace(problem, scale=scale, rho=rho, contour=asked)


def _observed_row(keypoint: int) -> int:
    """Return which of the problem's 21 observed points a keypoint is: a residual end counts as its limb's."""
    if keypoint < N_COCO:
        return keypoint
    limb = LDPOSE[keypoint].limb
    assert limb is not None
    return N_COCO + list(type(limb)).index(limb)


def joined(rows: Any, known: Any) -> Any:  # noqa: ANN401 - terms of the energy
    """Return the mask's term beside what was asked before it came."""
    return replace(known, other=rows) if isinstance(known, Asked) else rows


def can_pin_in_space(keypoint: int) -> bool:
    """Tell whether a keypoint is a joint that a fit can hold in space."""
    return LDPOSE[keypoint].name in SEGMENT_JOINTS
