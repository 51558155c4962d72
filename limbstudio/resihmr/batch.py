"""Initial fits of many people at once: blocks of people on all processor cores, or one batch on a torch device."""

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, fields

import numpy as np

from limbstudio.body.model import BodyModel
from limbstudio.domain.body import FitMode
from limbstudio.domain.geometry import Camera
from limbstudio.domain.photo import Person
from limbstudio.resihmr.guessed import GuessedBodies, guessed_unknowns, solve_guessed
from limbstudio.resihmr.problem import DEFAULT_SETTINGS, FitModel, FitSettings, build_problem, fit_model
from limbstudio.resihmr.skeleton import Array
from limbstudio.resihmr.starts import solve_starts, start_unknowns
from limbstudio.resihmr.terms import Problem, Unknowns, as_numpy, problem_to

# More people in a block than this, and their matrices leave the processor's cache.
BLOCK = 8


@dataclass(frozen=True, eq=False)
class ManyFits:
    """The best explanation of each of N people, as numpy arrays whatever the device.

    problem: of all people, under the single Gaussian; x (N, ...): where each is; energy (N,): under the mixture.
    """

    problem: Problem
    x: Unknowns
    energy: np.ndarray


def fit_many(
    people: Sequence[Person],
    cameras: Sequence[Camera],
    body: BodyModel,
    device: str = "cpu",
    *,
    mode: FitMode = FitMode.JOINT,
    settings: FitSettings = DEFAULT_SETTINGS,
    guess: GuessedBodies | None = None,
) -> ManyFits:
    """Fit `body` to many people at once, each with their camera: the initial fit's starts and schedule, all together.

    device: "cpu" works with numpy on every core; any other name ("cuda", "torch:cpu") is a torch device. Masks and
    hypotheses of posture are left to `fit_person`. guess: a body each to begin with.
    """
    model = fit_model(body)
    if device == "cpu":
        blocks = [slice(i, i + BLOCK) for i in range(0, len(people), BLOCK)]
        with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
            parts = list(
                pool.map(
                    lambda b: _fit_block(
                        model, people[b], cameras[b], mode, settings, None, guess and guess.taken(b)
                    ),
                    blocks,
                )
            )
    else:
        name = device.removeprefix("torch:")
        parts = [_fit_block(model, people, cameras, mode, settings, name, guess)]
    problem = build_problem(model, people, cameras, mode=mode, settings=settings)
    columns = zip(*(part[0].values for part in parts), strict=True)
    x = Unknowns(*(np.concatenate(column) for column in columns))
    return ManyFits(problem, x, np.concatenate([energy for _, energy in parts]))


def _fit_block(
    model: FitModel,
    people: Sequence[Person],
    cameras: Sequence[Camera],
    mode: FitMode,
    settings: FitSettings,
    device: str | None,
    guess: GuessedBodies | None,
) -> tuple[Unknowns, np.ndarray]:
    problem = build_problem(model, people, cameras, mode=mode, settings=settings)
    if guess is None:
        who, x = start_unknowns(model, problem, settings)
    else:
        who, x = np.arange(len(people)), guessed_unknowns(model, problem, guess)
    if device is not None:
        problem, x = problem_to(problem, device), unknowns_to(x, device)
    best = solve_starts(problem, who, x, settings) if guess is None else solve_guessed(problem, x, settings)
    return Unknowns(*(as_numpy(value) for value in best.x.values)), as_numpy(best.energy)


def unknowns_to(x: Unknowns, device: str) -> Unknowns:
    """Return estimates as torch tensors on `device`."""
    import torch  # only batches on a device need it; importing it costs two seconds

    def moved(value: Array) -> Array:
        return torch.as_tensor(value, device=device)

    return Unknowns(*(moved(getattr(x, f.name)) for f in fields(Unknowns)))
