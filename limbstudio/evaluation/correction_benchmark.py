"""How fast and how faithful corrections are: brush steps, the check at a stroke's end, and replay on another fit.

The time that counts is the processor's, besides the clock's: other programs may run meanwhile.
"""

import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from limbstudio.body.model import BodyModel, load_body
from limbstudio.corrections.brushes import BrushSession
from limbstudio.corrections.limb_surface import LimbSurface, nearest_on_triangles
from limbstudio.corrections.refine import LONGEST_EDGE_M
from limbstudio.corrections.replay import apply
from limbstudio.corrections.self_intersection import crossing_of_pairs, local_intersections
from limbstudio.corrections.validity import find_fold
from limbstudio.domain.body import ScaleSource
from limbstudio.domain.corrections import Brush, CutPlane, EndAlongLimb, Operation, SurfacePoint, TipShape
from limbstudio.evaluation.benchmarks import Figures
from limbstudio.evaluation.correction_cases import random_case, random_operations, random_place

Float = NDArray[np.floating]
Int = NDArray[np.integer]

BAR_STEP_MS, BAR_CHECK_MS, BAR_RMS_MM = 30.0, 150.0, 0.5
MOST_MOVED = 0.05  # of lambda between two fits
_SAMPLED = 600  # vertices of a limb whose distance from its other self is taken
_END_REACH = 0.05  # axial: below the cap, what moves with the end reaches this far
_MOST_ALL_PAIRS = 5  # strokes that are tested the plain way too: it takes seconds each
_SEED = 40


@dataclass
class Timer:
    """Milliseconds by the clock and of this process, one of each per turn."""

    wall: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)

    @contextmanager
    def turn(self) -> Iterator[None]:
        wall, cpu = time.perf_counter(), time.process_time()
        yield
        self.cpu.append(1e3 * (time.process_time() - cpu))
        self.wall.append(1e3 * (time.perf_counter() - wall))

    def figures(self, bar_ms: float | None = None) -> dict[str, float | bool | int]:
        found: dict[str, float | bool | int] = {"turns": len(self.wall)}
        for name, values in (("wall", self.wall), ("cpu", self.cpu)):
            found |= {f"{name}_p50_ms": float(np.median(values))}
            found |= {f"{name}_p95_ms": float(np.percentile(values, 95)), f"{name}_most_ms": max(values)}
        if bar_ms is not None:
            found |= {"bar_p95_ms": bar_ms, "holds": float(np.percentile(self.wall, 95)) <= bar_ms}
        return found


def bench_corrections(
    *,
    limbs: int = 200,
    strokes: int = 20,
    report: Callable[[float, str], None] = lambda fraction, sentence: None,
) -> Figures:
    """Replay corrections on `limbs` random limbs with two lambdas each; time `strokes` strokes on each kind of limb."""
    body = load_body()
    values: dict[str, Any] = {"all_cases": "synthetic"}
    values |= speed(body, strokes, lambda f, words: report(0.3 * f, words))
    values["replay"] = replay_agreement(body, limbs, report=lambda f, words: report(0.3 + 0.7 * f, words))
    report(1.0, "Done")
    return Figures("corrections", values)


# ------------------------------------------------------------------------------------------------------ replay


def replay_agreement(
    body: BodyModel,
    count: int,
    *,
    seed: int = _SEED,
    report: Callable[[float, str], None] = lambda fraction, sentence: None,
) -> dict[str, Any]:
    """Replay random corrections on two fits whose lambda differs by up to 5 % of the segment, `count` times.

    Compared in the limb's frame at rest, in both directions: the whole limb where a person has set its end, else what
    lies above the stretch that moves with the end.
    """
    rms, worst, seen = [], (0.0, ""), Counter[str]()
    for number in range(count):
        if number % 5 == 0:
            report(number / count, f"Replaying on limb {number} of {count}")
        rng = np.random.default_rng((seed, number))
        case = random_case(body, rng)
        operations = random_operations(case.factor, rng)
        other = case.refitted(case.factor + float(rng.uniform(-MOST_MOVED, MOST_MOVED)))
        one, two = (apply(c.person, c.fit, body, c.corrections(operations)) for c in (case, other))
        done = [[outcome.ok for outcome in made.outcomes[case.limb]] for made in (one, two)]
        seen["operations"] += len(operations)
        seen["marked_on_one_or_both"] += sum(not (a and b) for a, b in zip(*done, strict=True))
        if done[0] != done[1]:  # one fit takes what the other cannot: marked, and no surface to compare
            seen["limbs_with_another_outcome"] += 1
            continue
        distance = 1e3 * agreement(one.limbs[case.limb], two.limbs[case.limb], operations, rng)
        if not np.isfinite(distance):
            seen["limbs_that_move_with_their_end"] += 1
            continue
        rms.append(distance)
        if distance > worst[0]:
            worst = (distance, f"number {number}: {case.limb.value}, {operations}")
    return {
        "limbs": count,
        "compared": len(rms),
        **seen,
        "rms_median_mm": float(np.median(rms)),
        "rms_p95_mm": float(np.percentile(rms, 95)),
        "rms_worst_mm": max(rms),
        "beyond_the_bar": sum(value > BAR_RMS_MM for value in rms),
        "bar_mm": BAR_RMS_MM,
        "worst": worst[1],
    }


def agreement(
    one: LimbSurface, two: LimbSurface, operations: tuple[Operation, ...], rng: np.random.Generator
) -> float:
    """Return the RMS distance (m) of two replays of the same limb, in its frame; see `replay_agreement`.

    NaN where all of the limb moves with its end.
    """
    limit = np.inf
    if not any(isinstance(item, EndAlongLimb | CutPlane) for item in operations):
        ring = min(float(s.frame.axial_of(s.points[s.mesh.cap <= 0]).max()) for s in (one, two))
        limit = ring - _end_reach(one, operations)
    return max(_rms(one, two, limit, rng), _rms(two, one, limit, rng))


def _end_reach(surface: LimbSurface, operations: tuple[Operation, ...]) -> float:
    """Return how far (axial) above the cap the limb's shape belongs to its end."""
    reach = _END_REACH
    on_cap = [item for item in operations if _is_on_cap(item)]
    if on_cap:  # a stroke over the ring moves with the end as far as it reaches
        reach += max(getattr(item, "radius", 0.0) for item in on_cap)
    if any(isinstance(item, TipShape) for item in operations):
        wall = surface.mesh.cap <= 0
        reach += 2.2 * float(np.linalg.norm(surface.frame.local(surface.points[wall])[:, 1:], axis=1).max())
    return reach


def _is_on_cap(operation: Operation) -> bool:
    path = getattr(operation, "path", None) or (getattr(operation, "at", None),)
    return any(isinstance(at, SurfacePoint) and at.cap > 0 for at in path)


def _rms(one: LimbSurface, two: LimbSurface, limit: float, rng: np.random.Generator) -> float:
    local = one.frame.local(one.points)
    rows = np.flatnonzero((local[:, 0] < limit) & ~one.mesh.joined)
    if not len(rows):
        return float("nan")
    rows = rng.choice(rows, min(len(rows), _SAMPLED), replace=False)
    moved = two.frame.position(local[rows])
    return float(np.sqrt((distance_from(two, moved) ** 2).mean()))


def distance_from(surface: LimbSurface, points: Float) -> Float:
    """Return the distances (n,) of points (n, 3) at rest from a limb's surface, by the triangles nearby."""
    starts, ids = surface.mesh.around
    near = np.atleast_2d(np.asarray(surface.tree.query(points, k=3)[1]))
    best = np.full(len(points), np.inf)
    for column in near.T:
        counts = starts[column + 1] - starts[column]
        row = np.repeat(np.arange(len(points)), counts)
        offset = np.arange(len(row)) - np.repeat(np.cumsum(counts) - counts, counts)
        faces = ids[np.repeat(starts[column], counts) + offset]
        gaps = nearest_on_triangles(surface.points[surface.faces[faces]], points[row])[1]
        np.minimum.at(best, row, gaps)
    return best


# ------------------------------------------------------------------------------------------------------- speed


def speed(body: BodyModel, strokes: int, report: Callable[[float, str], None]) -> dict[str, Any]:
    """Time opening, brush steps and the check on release on random limbs; the check also by testing all pairs."""
    opening, replaying, steps, checks, every_pair = Timer(), Timer(), Timer(), Timer(), Timer()
    longest, sizes, seen = [], [], Counter[str]()
    for number in range(max(1, strokes // 5)):
        rng = np.random.default_rng((_SEED, 1, number))
        case = random_case(body, rng)
        report(number / max(1, strokes // 5), f"Strokes on limb {number + 1}")
        with opening.turn():
            opened = apply(case.person, case.fit, body, (), also_open=(case.limb,))
        surface = opened.limbs[case.limb].warm()
        sizes.append(len(surface.faces))
        longest.append([_longest_edge(p, surface.faces) for p in (surface.mesh.base_rest, surface.unedited)])
        for brush in Brush:
            surface = _timed_stroke(surface, brush, rng, steps, checks, every_pair, seen)
        operations = random_operations(case.factor, rng)
        with replaying.turn():
            apply(case.person, case.fit, body, case.corrections(operations))
    return {
        "limb_faces": {"median": int(np.median(sizes)), "most": max(sizes)},
        "edges": {
            "longest_mm": 1e3 * max(flat for flat, _ in longest),
            "longest_after_rounding_the_cap_mm": 1e3 * max(round_ for _, round_ in longest),
            "bar_mm": 1e3 * LONGEST_EDGE_M,
        },
        "brush_step": steps.figures(BAR_STEP_MS),
        "check_on_release": {**checks.figures(BAR_CHECK_MS), **seen},
        "check_by_all_pairs": {
            **every_pair.figures(),
            "times_ours_by_cpu": float(np.median(every_pair.cpu) / max(np.median(checks.cpu), 1e-6)),
        },
        "opening": opening.figures(),
        "replaying": replaying.figures(),
    }


def _longest_edge(points: Float, faces: Int) -> float:
    corners = points[faces]
    return float(np.linalg.norm(corners - corners[:, [1, 2, 0]], axis=2).max())


def _timed_stroke(
    surface: LimbSurface,
    brush: Brush,
    rng: np.random.Generator,
    steps: Timer,
    checks: Timer,
    every_pair: Timer,
    seen: Counter[str],
) -> LimbSurface:
    """Draw one stroke as a hand does, a step per event; return the surface with it where it did not fold."""
    radius = float(rng.uniform(0.06, 0.15))
    strength = 0.15 * radius if brush.strength_is_a_length else 0.6
    session = BrushSession(surface, brush, radius=radius, strength=strength)
    start = random_place(surface.end_axial, rng)
    for share in np.linspace(0, 1, 25):
        at = SurfacePoint(start.axial - 0.15 * share, start.angle + 0.8 * share, start.cap)
        with steps.turn():
            session.step(at)
    points, moved = session.surface.points, session.moved
    if not len(moved):
        return surface
    with checks.turn():
        fold = find_fold(surface, points, moved, scale=ScaleSource.PRIOR)
    changed = surface.mesh.faces_at(moved)
    seen["strokes"] += 1
    seen["refused"] += fold is not None
    if len(every_pair.wall) < _MOST_ALL_PAIRS:
        with every_pair.turn():
            plain = all_pairs_intersections(points, surface.faces, changed)
        ours = local_intersections(points, surface.faces, changed)
        seen["answers_other_than_all_pairs"] += not np.array_equal(ours, plain)
    return surface if fold is not None else surface.with_points(points)


def all_pairs_intersections(points: Float, faces: Int, changed: Int) -> Int:
    """Find what `local_intersections` finds by holding every changed face against every face: the plain way."""
    corners = points[faces]
    low, high = corners.min(axis=1), corners.max(axis=1)
    low_x, high_x = low[:, 0].copy(), high[:, 0].copy()
    is_changed = np.zeros(len(faces), bool)
    is_changed[changed] = True
    found = []
    for face in changed:
        near = np.flatnonzero((low_x <= high_x[face]) & (high_x >= low_x[face]))
        near = near[(low[near] <= high[face]).all(axis=1) & (high[near] >= low[face]).all(axis=1)]
        near = near[~is_changed[near] | (near > face)]
        found.append(np.stack([np.minimum(near, face), np.maximum(near, face)], axis=1))
    pairs = np.concatenate(found) if found else np.zeros((0, 2), np.int64)
    return crossing_of_pairs(points, faces, pairs)
