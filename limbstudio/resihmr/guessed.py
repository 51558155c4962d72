"""Fits that begin with the body that another method guessed (AJAHR, HKMR): one start in place of a bank of them."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from limbstudio.body.kinematics import rotation_vectors
from limbstudio.domain.anatomy import N_COCO
from limbstudio.resihmr.problem import FitModel, FitSettings
from limbstudio.resihmr.skeleton import place
from limbstudio.resihmr.solver import minimise
from limbstudio.resihmr.starts import Survivors, sharpened, translations
from limbstudio.resihmr.terms import Problem, Unknowns

Floats = NDArray[np.floating[Any]]


@dataclass(frozen=True, eq=False)
class GuessedBodies:
    """N bodies in their cameras' frames.

    orientation: (N, 3, 3). pose: (N, 21, 3, 3), rotations of SMPL's joints 1 to 21; those of absent joints may be
    anything. shape: (N, B). root: (N, 3) where the pelvis is, metres.
    """

    orientation: Floats
    pose: Floats
    shape: Floats
    root: Floats

    def __len__(self) -> int:
        return len(self.orientation)

    def taken(self, rows: slice | NDArray[np.integer[Any]]) -> "GuessedBodies":
        """Return some of them."""
        return GuessedBodies(self.orientation[rows], self.pose[rows], self.shape[rows], self.root[rows])


def guessed_unknowns(model: FitModel, problem: Problem, guess: GuessedBodies) -> Unknowns:
    """Return the start of each of N people: the guessed body, moved to where it meets the points best."""
    n = len(guess)
    flat = np.asarray(guess.pose, float).reshape(-1, 3, 3)
    pose = rotation_vectors(flat).reshape(n, -1)
    # A number that nothing hangs on stays at zero: the limb that is gone is drawn straight until it is cut.
    pose = np.where(problem.pose_ridge > 0, 0.0, pose)
    local = np.where(problem.pose_ridge.reshape(n, -1, 3)[..., :1, None] > 0, np.eye(3), guess.pose)
    root = np.asarray(guess.orientation, float)
    shape = np.asarray(guess.shape, float)
    placed = place(model.skeleton, root, local, shape, np.zeros((n, 3)), derivatives=False)
    move = translations(problem, np.arange(n), placed.points[:, :N_COCO])
    factor = np.where(problem.factor_on > 0, problem.factor_mean, 0.5)
    return Unknowns(root, pose, move, shape, np.zeros((n, 2)), factor)


def solve_guessed(problem: Problem, x: Unknowns, settings: FitSettings) -> Survivors:
    """Run the schedule's end from one start each: the first steps under the single Gaussian, then the mixture."""
    people = np.arange(len(x.shape))
    smooth = minimise(problem, x, steps=settings.guessed_steps, tolerance=settings.tolerance)
    sharp = sharpened(problem)
    solution = minimise(
        sharp, smooth.x, steps=settings.sharp_steps[-1], tolerance=settings.tolerance, bent=True
    )
    found = Survivors(people, solution.x, solution.energy)
    return Survivors(people, solution.x, solution.energy, found)
