"""How fast and how right the program is, measured: the fit on synthetic people, the solver, and the start.

Figures are for this computer and this moment; they belong into a report only with both named.
"""

import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from limbstudio.body.model import BodyModel, load_body
from limbstudio.body.rotations import rotation_and_left_jacobian
from limbstudio.domain.anatomy import N_COCO
from limbstudio.domain.body import BodyFit, FitMode
from limbstudio.domain.errors import KnownError
from limbstudio.domain.geometry import Point
from limbstudio.evaluation.metrics import aligned_joint_error_m, joint_error_m, keypoint_errors
from limbstudio.resihmr.alignment import align
from limbstudio.resihmr.batch import fit_many
from limbstudio.resihmr.energy import evaluate
from limbstudio.resihmr.initial_fit import fit_person, fit_to_follow, follow
from limbstudio.resihmr.problem import (
    DEFAULT_SETTINGS,
    FitModel,
    FitSettings,
    box_height,
    build_problem,
    fit_model,
)
from limbstudio.resihmr.solver import minimise
from limbstudio.resihmr.starts import sharpened, smooth_rounds, start_unknowns
from limbstudio.resihmr.synthetic import SyntheticPerson, make_people
from limbstudio.resihmr.terms import Problem, Unknowns, n_unknowns
from limbstudio.resources import resource_path

Report = Callable[[float, str], None]

NOISES = (0.006, 0.015)  # standard deviation of a click, shares of the box height
SOLVER_CASES = 50
BATCH = 64
_SEED = 20
_N_BODY = 22
# Official SMPLify-X, one person on a GPU: its paper's figure, not rerun (another energy, with 88 unknowns).
SMPLIFY_X_S = 50.0
_TIMEOUT_S = 120


@dataclass(frozen=True)
class Figures:
    """What a benchmark measured. values: figures by name, nested; text: the same for people."""

    title: str
    values: Mapping[str, Any]

    @property
    def text(self) -> str:
        """Return the figures as indented lines."""
        machine = f"{platform.processor() or platform.machine()}, {os.cpu_count()} cores"
        return "\n".join([f"{self.title} ({machine})", *_lines(self.values, 1)])

    @property
    def json(self) -> str:
        """Return the figures for scripts."""
        machine = {
            "machine": platform.machine(),
            "cores": os.cpu_count(),
            "python": platform.python_version(),
        }
        return (
            json.dumps({"benchmark": self.title, "where": machine, "figures": self.values}, indent=1) + "\n"
        )


def _lines(values: Mapping[str, Any], depth: int) -> list[str]:
    lines = []
    for name, value in values.items():
        words = "  " * depth + name.replace("_", " ")
        if isinstance(value, Mapping):
            lines += [f"{words}:", *_lines(value, depth + 1)]
        else:
            lines.append(f"{words}: {value:.4g}" if isinstance(value, float) else f"{words}: {value}")
    return lines


# ---------------------------------------------------------------------------------------------------- the fit


def bench_fit(
    *,
    people: int = 400,
    poses: Path | None = None,
    settings: FitSettings = DEFAULT_SETTINGS,
    report: Report = lambda fraction, sentence: None,
) -> Figures:
    """Measure the joint mode: accuracy and coverage on synthetic people, speed, and the solver against
    L-BFGS-B.

    poses: motion file with validation poses; raises KnownError without one.
    """
    motion = motion_file(poses)
    body = load_body()
    model = fit_model(body)
    values: dict[str, Any] = {"people": people}
    for i, noise in enumerate(NOISES):
        crowd = make_people(model, motion, people, noise=noise, seed=_SEED)
        start = 0.35 * i
        values[f"noise_{100 * noise:g}_pct"] = accuracy(
            crowd, body, settings, lambda f, words, start=start: report(start + 0.35 * f, words)
        )
    few = make_people(model, motion, max(BATCH, SOLVER_CASES), noise=NOISES[0], seed=_SEED + 1)
    report(0.7, "Timing")
    values["speed"] = speed(few, body, model, settings)
    report(0.8, "Comparing with L-BFGS-B")
    values["solver"] = solver_comparison(few[:SOLVER_CASES], model, settings)
    report(1.0, "Done")
    return Figures("fit", values)


def motion_file(poses: Path | None) -> Path:
    found = poses or resource_path("..").resolve().parent / "shared" / "data" / "poses" / "poses.npz"
    if not found.is_file():
        raise KnownError(
            "The benchmark needs recorded poses that do not ship with LimbStudio.", "Give --poses poses.npz."
        )
    return found


def accuracy(
    crowd: Sequence[SyntheticPerson], body: BodyModel, settings: FitSettings, report: Report
) -> dict[str, Any]:
    """Fit every synthetic person and compare with the truth: joints in mm, lambda, coverage of 95 %
    intervals.
    """
    rows = []
    for i, known in enumerate(crowd):
        if i % 10 == 0:
            report(i / len(crowd), f"Synthetic person {i} of {len(crowd)}")
        start = time.perf_counter()
        fit = fit_person(
            known.person, known.camera, body, mode=FitMode.JOINT, settings=settings, mask=None, seed=0
        )
        rows.append(_row(known, fit, time.perf_counter() - start))
    table = {name: np.array([row[name] for row in rows], float) for name in rows[0]}
    by_level = {
        level.value: _by_level(table, np.array([known.level is level for known in crowd]))
        for level in dict.fromkeys(known.level for known in crowd)
    }
    everybody = np.ones(len(rows), bool)
    return {
        "joints_mean_mm": float(table["joints_mm"].mean()),
        "joints_p90_mm": float(np.percentile(table["joints_mm"], 90)),
        "joints_aligned_mean_mm": float(table["aligned_mm"].mean()),
        "points_mean_pct_box": float(np.nanmean(table["points_pct"])),
        **_by_level(table, everybody),
        "accepted_share": float(table["accepted"].mean()),
        "fit_median_ms": float(np.median(table["ms"])),
        "fit_p95_ms": float(np.percentile(table["ms"], 95)),
        "by_level": by_level,
    }


def _row(known: SyntheticPerson, fit: BodyFit, seconds: float) -> dict[str, float]:
    limb = next(limb for limb in fit.limbs if limb.limb is known.limb)
    low, high = limb.factor_interval
    shortest, longest = limb.length_interval_m
    joints = np.asarray(fit.joints)[:_N_BODY]
    errors = keypoint_errors(known.person, fit)
    height = box_height(known.person)
    return {
        "joints_mm": 1000 * joint_error_m(joints, known.joints[:_N_BODY], known.exists),
        "aligned_mm": 1000 * aligned_joint_error_m(joints, known.joints[:_N_BODY], known.exists),
        "lambda_error": abs(limb.factor - known.factor),
        "covered": low <= known.factor <= high,
        "length_covered": shortest <= known.length_m <= longest,
        "points_pct": 100 * float(np.nanmean(errors[:N_COCO])) / height,
        "accepted": limb.accepted,
        "ms": 1000 * seconds,
    }


def _by_level(table: Mapping[str, np.ndarray], chosen: np.ndarray) -> dict[str, float]:
    errors = table["lambda_error"][chosen]
    return {
        "lambda_error_median": float(np.median(errors)),
        "lambda_error_p90": float(np.percentile(errors, 90)),
        "lambda_coverage_pct": 100 * float(table["covered"][chosen].mean()),
        "length_coverage_pct": 100 * float(table["length_covered"][chosen].mean()),
    }


# ------------------------------------------------------------------------------------------------------ speed


def speed(
    crowd: Sequence[SyntheticPerson], body: BodyModel, model: FitModel, settings: FitSettings
) -> dict[str, Any]:
    """Time one cold fit, a fit after one point moved, skinning, and a batch."""
    cold = _times_ms(
        [
            lambda known=known: fit_person(
                known.person, known.camera, body, mode=FitMode.JOINT, settings=settings, mask=None, seed=0
            )
            for known in crowd
        ]
    )
    pose = np.zeros((55, 3), np.float32)
    skinning = _times_ms([lambda: body.pose(axis_angles=pose, shape=np.zeros(body.n_shape))] * 50)
    values: dict[str, Any] = {
        "cold_median_ms": float(np.median(cold)),
        "cold_p95_ms": float(np.percentile(cold, 95)),
        "official_smplify_x_ms_quoted": 1000 * SMPLIFY_X_S,
        "skinning_median_ms": float(np.median(skinning)),
        "after_a_move": refit(crowd[:SOLVER_CASES], body, model, settings),
    }
    some = crowd[:BATCH]
    start = time.perf_counter()
    fit_many([known.person for known in some], [known.camera for known in some], body, settings=settings)
    values["batch_fits_per_s"] = len(some) / (time.perf_counter() - start)
    return values


def refit(
    crowd: Sequence[SyntheticPerson], body: BodyModel, model: FitModel, settings: FitSettings
) -> dict[str, float]:
    """Time the fit that follows a dragged point: one point moved by 3 px, from the fit before.

    from_converged_px: largest distance of a projected point from where full convergence has it.
    """
    times, gaps = [], []
    rng = np.random.default_rng(_SEED)
    for known in crowd:
        before = fit_to_follow(known.person, known.camera, body, mode=FitMode.JOINT, settings=settings)
        seen = np.flatnonzero(known.person.keypoints.observed[:N_COCO])
        moved = _with_moved_point(known, int(rng.choice(seen)), 3.0)
        start = time.perf_counter()
        quick = follow(moved.person, moved.camera, body, before, settings=settings)
        times.append(1000 * (time.perf_counter() - start))
        problem = sharpened(
            build_problem(model, [moved.person], [moved.camera], mode=FitMode.JOINT, settings=settings)
        )
        full = minimise(problem, quick.x, steps=200, tolerance=1e-12)
        gaps.append(_gap_px(problem, align(problem, full.x), quick.fit))
    return {
        "median_ms": float(np.median(times)),
        "p95_ms": float(np.percentile(times, 95)),
        "from_converged_median_px": float(np.median(gaps)),
        "from_converged_worst_px": float(np.max(gaps)),
    }


def _gap_px(problem: Problem, converged: Unknowns, quick: BodyFit) -> float:
    points = evaluate(problem, converged, derivatives=False).placed.points[0, :N_COCO]
    gaps = np.linalg.norm(quick.camera.project(points) - quick.projected_px[:N_COCO], axis=1)
    return float(np.nanmax(gaps))


def _with_moved_point(known: SyntheticPerson, index: int, by_px: float) -> SyntheticPerson:
    point = known.person.keypoints.points[index]
    assert point.x is not None
    there = Point(point.state, point.x + by_px, point.y, point.confidence)
    return replace(
        known, person=replace(known.person, keypoints=known.person.keypoints.replaced(index, there))
    )


def _times_ms(work: Sequence[Callable[[], object]]) -> list[float]:
    times = []
    for do in work:
        start = time.perf_counter()
        do()
        times.append(1000 * (time.perf_counter() - start))
    return times


# ------------------------------------------------------------------------------------------------- the solver


def solver_comparison(
    crowd: Sequence[SyntheticPerson], model: FitModel, settings: FitSettings
) -> dict[str, float]:
    """Run Levenberg-Marquardt at the shipped tolerance and scipy's L-BFGS-B on the same energy from the same start.

    The start is where a fit hands its best estimate to the mixture: from cruder ones two solvers may end in two
    valleys. ratio: final energy of ours, after the fit's own two rounds, over theirs.
    """
    ratios, ours_ms, theirs_ms = [], [], []
    for known in crowd:
        smooth = build_problem(model, [known.person], [known.camera], mode=FitMode.JOINT, settings=settings)
        people, x = start_unknowns(model, smooth, settings)
        survivors = smooth_rounds(smooth, people, x, settings)
        x = survivors.x.taken(np.array([int(np.argmin(survivors.energy))]))
        problem = sharpened(smooth)
        start = time.perf_counter()
        first, last = settings.sharp_steps
        ours = minimise(problem, x, steps=first, tolerance=settings.tolerance)
        ours = minimise(problem, ours.x, steps=last, tolerance=settings.tolerance, bent=True)
        between = time.perf_counter()
        theirs = l_bfgs_b(problem, x)
        ours_ms.append(1000 * (between - start))
        theirs_ms.append(1000 * (time.perf_counter() - between))
        ratios.append(float(ours.energy[0]) / theirs)
    return {
        "cases": len(crowd),
        "ratio_median": float(np.median(ratios)),
        "ratio_worst": float(np.max(ratios)),
        "ours_median_ms": float(np.median(ours_ms)),
        "l_bfgs_b_median_ms": float(np.median(theirs_ms)),
    }


def l_bfgs_b(problem: Problem, x: Unknowns) -> float:
    """Return the energy that scipy's L-BFGS-B reaches from `x` (one item), in the chart of steps from `x`."""
    from scipy.optimize import minimize  # only this comparison needs scipy

    size = n_unknowns(x.shape.shape[1])

    def energy_and_gradient(step: np.ndarray) -> tuple[float, np.ndarray]:
        at = x.stepped(np, step[None])
        found = evaluate(problem, at, derivatives=True)
        assert found.gradient is not None
        gradient = 2 * np.array(found.gradient[0])  # the solver's gradient is that of half the energy
        # evaluate differentiates by a further turn; the chart's own turn enters through its left Jacobian.
        _, left = rotation_and_left_jacobian(np, step[None, :3])
        gradient[:3] = left[0].T @ gradient[:3]
        return float(found.energy[0]), gradient

    factors = x.factor.shape[1]
    free = [(None, None)] * (size - factors)
    bounds = free + [(-float(f), 1 - float(f)) for f in x.factor[0]]
    options = {"maxiter": 3000, "maxfun": 6000, "ftol": 1e-10, "gtol": 1e-7, "maxcor": 30}
    found = minimize(
        energy_and_gradient, np.zeros(size), jac=True, method="L-BFGS-B", bounds=bounds, options=options
    )
    return float(found.fun)


# ---------------------------------------------------------------------------------------------------- the cut


def bench_stump(
    *, cuts: int = 200, random_cuts: int = 10_000, report: Report = lambda fraction, sentence: None
) -> Figures:
    """Compare cut and cap with trimesh's and pyvista's on the same `cuts`; count what holds of
    `random_cuts`.
    """
    from limbstudio.evaluation.stump_benchmark import check, compare  # what it compares with loads slowly

    body = load_body()
    report(0.0, f"The same {cuts} cuts by three programs")
    compared = compare(body, cuts)
    failures: list[str] = []
    done = 0
    totals: dict[str, float] = {}
    while done < random_cuts:
        report(0.1 + 0.9 * done / random_cuts, f"Random cut {done} of {random_cuts}")
        some = min(500, random_cuts - done)
        seen = check(body, some, seed=done, intersections=5, report=failures.append)
        for name, value in seen.items():
            totals[name] = totals.get(name, 0) + value if not name.endswith("_ms") else value
        done += some
    report(1.0, "Done")
    fastest = min(compared["trimesh_median_ms"], compared["pyvista_median_ms"])
    values = {
        "same_cuts": {**compared, "share_of_the_faster": compared["ours_median_ms"] / fastest},
        "random_cuts": totals,
        "failures": "; ".join(failures) or "none",
    }
    return Figures("stump", values)


# -------------------------------------------------------------------------------------------------- the start


def bench_start(
    *, window: bool = True, repeats: int = 3, report: Report = lambda fraction, sentence: None
) -> Figures:
    """Time whole commands from a shell: `--help`, one photo, six photos, and the window on the sample
    project.

    repeats: of each; the median counts, so that the disk cache is warm.
    """
    samples = resource_path("samples")
    photos = sorted(samples.glob("*.jpg"))
    if len(photos) < 6:
        raise KnownError("The sample project is incomplete.", "Install LimbStudio again.")
    values: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as scratch:
        common = ["--annotations", str(samples / "annotations.json"), "--out", scratch, "--overwrite"]
        commands: dict[str, list[str]] = {
            "help_s": ["--help"],
            "one_photo_s": ["reconstruct", str(photos[0]), *common],
            "six_photos_s": ["reconstruct", *map(str, photos[:6]), *common],
        }
        for i, (name, arguments) in enumerate(commands.items()):
            report(i / (len(commands) + 1), f"limbstudio {arguments[0]}")
            values[name] = statistics.median(_command_s(arguments) for _ in range(repeats))
    if window:
        report(len(commands) / (len(commands) + 1), "The window")
        values["window_s"] = _window_s(repeats)
    report(1.0, "Done")
    return Figures("start", values)


def _command_s(arguments: Sequence[str]) -> float:
    return _process_s(["-m", "limbstudio", *arguments], f"limbstudio {arguments[0]}")


def _process_s(arguments: Sequence[str], name: str) -> float:
    """Return the wall time of a Python process; raise KnownError when it fails."""
    start = time.perf_counter()
    done = subprocess.run(
        [sys.executable, *arguments], capture_output=True, text=True, timeout=_TIMEOUT_S, check=False
    )
    seconds = time.perf_counter() - start
    if done.returncode != 0:
        raise KnownError(f"{name} failed: {done.stderr.strip()}", "Run it by itself to see more.")
    return seconds


# Up to the first paint on the sample project; 3D is loaded after it, as in the program.
_WINDOW = """
import os
from limbstudio.ui import app
from limbstudio.services.samples import sample_project
window = app.make_window(sample_project())
window.show()
app.make_application().processEvents()
os._exit(0)
"""


def _window_s(repeats: int) -> float | str:
    """Return the time from a shell until the window has painted itself, or why there is none."""
    if sys.platform.startswith("linux") and not os.environ.get("DISPLAY"):
        return "no display here"
    _process_s(["-c", _WINDOW], "The window")  # the first time, the sample project is copied
    return statistics.median(_process_s(["-c", _WINDOW], "The window") for _ in range(repeats))
