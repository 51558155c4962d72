"""Cut and cap thousands of random limbs; count what is not closed and time it against trimesh and pyvista.

The unit tests take its random cuts a few hundred at a time.
"""

import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cache

import numpy as np

from limbstudio.body.model import BodyModel
from limbstudio.body.surface import face_normals, intersecting_pairs, signed_volume, surface_topology
from limbstudio.domain.anatomy import SMPLX_INDEX, Limb, limb_joints
from limbstudio.rendering.clipping import VtkCut
from limbstudio.resihmr.cap import loop_normal
from limbstudio.resihmr.limb_cut import (
    LimbCut,
    LimbRegions,
    joint_mode_cut,
    limb_regions,
    paper_mode_cut,
    root_cut,
)
from limbstudio.resihmr.reconstruction import Reconstruction, reconstruct

MAX_TILT_DEG = 45.0
COMPARED_CUTS = 200


@dataclass(frozen=True, eq=False)
class Case:
    """One random body with one to four cuts. vertices: in the cuts' frame; other: in another pose."""

    vertices: np.ndarray
    other: np.ndarray
    cuts: tuple[LimbCut, ...]
    words: str


def regions_of(body: BodyModel) -> Callable[[Limb, int, bool], LimbRegions]:
    """Return a function of limb, segment number and whole_limb that gives the limb's regions, made once."""

    @cache
    def regions(limb: Limb, segment: int, whole_limb: bool) -> LimbRegions:
        return limb_regions(
            part_labels=body.part_labels,
            faces=body.faces,
            limb=limb,
            segment=limb.segments[segment],
            whole_limb=whole_limb,
        )

    return regions


def tilted(normal: np.ndarray, degrees: float, rng: np.random.Generator) -> np.ndarray:
    """Turn a unit vector by an angle towards a random side."""
    side = rng.standard_normal(3)
    side -= side @ normal * normal
    side /= np.linalg.norm(side)
    angle = np.radians(degrees)
    return np.cos(angle) * normal + np.sin(angle) * side


def random_pose(rng: np.random.Generator) -> np.ndarray:
    """Return rotation vectors (55, 3): limbs bent far, trunk a little, any orientation in space."""
    pose = 0.15 * rng.standard_normal((55, 3))
    for limb in Limb:
        proximal, middle, distal = limb_joints(limb)
        pose[SMPLX_INDEX[proximal]] = 0.5 * rng.standard_normal(3)
        pose[SMPLX_INDEX[middle]] = 0.6 * rng.standard_normal(3)
        pose[SMPLX_INDEX[distal]] = 0.3 * rng.standard_normal(3)
        # Hinges bend far in one direction: knees about +x, elbows about the vertical (T-pose, arms sideways).
        hinge, most = (1, -2.3 if limb.value.startswith("left") else 2.3) if limb.is_arm else (0, 2.3)
        pose[SMPLX_INDEX[middle], hinge] = most * rng.random()
    pose[0] = rng.standard_normal(3)
    return pose


def random_cases(body: BodyModel, count: int, seed: int = 0) -> Iterator[Case]:
    """Yield bodies until `count` limbs were cut: all limbs, both segments, the root, lambda 0 and 1."""
    rng = np.random.default_rng(seed)
    regions = regions_of(body)
    done = 0
    while done < count:
        limbs = [Limb(x) for x in rng.permutation(list(Limb))[: rng.choice([1, 1, 1, 2, 3, 4])]][
            : count - done
        ]
        shape = rng.standard_normal(body.n_shape).clip(-2, 2)
        pose, move = random_pose(rng), rng.uniform(-2, 2, 3)
        paper = bool(rng.random() < 0.5)
        segments = {limb: int(rng.integers(2)) for limb in limbs}
        if not paper:  # a joint that a residual limb does not have cannot bend
            for limb, segment in segments.items():
                pose[[SMPLX_INDEX[name] for name in limb_joints(limb)[segment + 1 :]]] = 0
        posed = body.pose(axis_angles=pose, shape=shape, translation=move)
        rest, rest_joints = body.rest_vertices(shape), body.rest_joints(shape)
        vertices, joints = (posed.vertices, posed.joints) if paper else (rest, rest_joints)
        cuts, words = [], []
        for limb in limbs:
            segment = segments[limb]
            names = limb_joints(limb)
            upstream, anchor = joints[SMPLX_INDEX[names[segment]]], joints[SMPLX_INDEX[names[segment + 1]]]
            factor = float(rng.choice([0.0, 1.0, rng.uniform(0.01, 0.99)], p=[0.05, 0.05, 0.9]))
            degrees = float(rng.choice([0.0, rng.uniform(0, MAX_TILT_DEG)], p=[0.2, 0.8]))
            kind = "root" if rng.random() < 0.08 else "paper" if paper else "joint"
            if kind == "root":
                root, outward = joints[SMPLX_INDEX[names[0]]], joints[SMPLX_INDEX[names[1]]]
                cut = root_cut(regions(limb, 0, True), root=root, outward=outward)
            elif kind == "paper":
                cut = paper_mode_cut(
                    regions(limb, segment, False), anchor=anchor, upstream=upstream, factor=factor
                )
            else:
                cut = joint_mode_cut(
                    regions(limb, segment, True), anchor=anchor, upstream=upstream, factor=factor
                )
            cuts.append(replace(cut, normal=tilted(cut.normal, degrees, rng)))
            words.append(f"{kind} {limb.value} segment {segment} lambda {factor:.3f} tilt {degrees:.0f}")
        done += len(cuts)
        yield Case(vertices, rest if paper else posed.vertices, tuple(cuts), "; ".join(words))


def flipped_faces(reconstruction: Reconstruction, vertices: np.ndarray) -> int:
    """Count cap triangles that face against the normal of their boundary."""
    flipped = 0
    for cap in reconstruction.caps:
        normals = face_normals(vertices, reconstruction.faces[cap.faces])
        flipped += int(np.sum(normals @ loop_normal(vertices[cap.boundary]) <= 0))
    return flipped


def check(
    body: BodyModel,
    count: int,
    seed: int = 0,
    *,
    intersections: int = 0,
    report: Callable[[str], None] = lambda words: None,
) -> dict[str, float]:
    """Cut `count` limbs and count what holds. intersections: bodies searched for self-intersections.

    report: told of every cut that does not hold.
    """
    seen: Counter[str] = Counter()
    milliseconds = []
    for number, case in enumerate(random_cases(body, count, seed)):
        started = time.perf_counter()
        result = reconstruct(case.vertices, body.faces, case.cuts)
        vertices = result.carry_points(case.vertices)
        milliseconds.append(1e3 * (time.perf_counter() - started) / len(case.cuts))

        before, after = signed_volume(case.vertices, body.faces), signed_volume(vertices, result.faces)
        closed = surface_topology(result.faces, len(vertices)).is_closed
        flipped = flipped_faces(result, vertices)
        other = result.carry_points(case.other)
        seen["bodies"] += 1
        seen["cuts"] += len(case.cuts)
        seen["closed_cuts"] += len(case.cuts) * closed
        seen["volume_right_cuts"] += len(case.cuts) * (0 < after < before)
        seen["flipped_cap_faces"] += flipped
        seen["flipped_cap_faces_other_pose"] += flipped_faces(result, other)
        seen["not_star_shaped"] += sum(not cap.shape.star_shaped for cap in result.caps)
        seen["on_plane"] += sum(cap.on_plane > 0.999 for cap in result.caps)
        crossings = 0
        if number < intersections:
            old = {tuple(pair) for pair in intersecting_pairs(case.vertices, body.faces)}
            crossings = len(intersecting_pairs(vertices, result.faces)) if not old else 0
            seen["intersections_checked"] += not old
            seen["bodies_with_new_intersections"] += crossings > 0
        if not closed or flipped or crossings or not 0 < after < before:
            counts = f"closed {closed}, flipped {flipped}, crossings {crossings}"
            report(f"{case.words}: {counts}, volume {after:.4f} of {before:.4f}")
    return {
        **seen,
        "median_ms": float(np.median(milliseconds)),
        "p95_ms": float(np.percentile(milliseconds, 95)),
    }


def compare(body: BodyModel, count: int = COMPARED_CUTS, seed: int = 1) -> dict[str, float]:
    """Time one cut and cap of ours, trimesh and pyvista on the same planes of one rest body, in turns."""
    import trimesh  # only this comparison needs it

    vtk_cut = VtkCut()
    rng = np.random.default_rng(seed)
    regions = regions_of(body)
    vertices, joints = body.rest_vertices().astype(float), body.rest_joints()
    times: dict[str, list[float]] = {"ours": [], "trimesh": [], "pyvista": []}
    closed: Counter[str] = Counter()
    for _ in range(count):
        limb, segment = Limb(rng.choice(list(Limb))), int(rng.integers(2))
        names = limb_joints(limb)
        cut = joint_mode_cut(
            regions(limb, segment, True),
            anchor=joints[SMPLX_INDEX[names[segment + 1]]],
            upstream=joints[SMPLX_INDEX[names[segment]]],
            factor=float(rng.uniform(0.15, 0.85)),
        )
        cut = replace(cut, normal=tilted(cut.normal, float(rng.uniform(0, 30)), rng))

        started = time.perf_counter()
        result = reconstruct(vertices, body.faces, [cut])
        ours = result.carry_points(vertices)
        times["ours"].append(time.perf_counter() - started)
        closed["ours"] += surface_topology(result.faces, len(ours)).is_closed

        started = time.perf_counter()
        mesh = trimesh.Trimesh(vertices, body.faces, process=False)
        sliced = mesh.slice_plane(cut.origin, -cut.normal, cap=True)
        times["trimesh"].append(time.perf_counter() - started)
        closed["trimesh"] += surface_topology(np.asarray(sliced.faces), len(sliced.vertices)).is_closed

        started = time.perf_counter()
        n_points, faces = vtk_cut.clip(vertices, body.faces, origin=cut.origin, normal=cut.normal)
        times["pyvista"].append(time.perf_counter() - started)
        closed["pyvista"] += surface_topology(faces, n_points).is_closed
    medians = {f"{name}_median_ms": 1e3 * float(np.median(values)) for name, values in times.items()}
    tails = {f"{name}_p95_ms": 1e3 * float(np.percentile(values, 95)) for name, values in times.items()}
    return {"cuts": count, **medians, **tails, **{f"{name}_closed": closed[name] for name in times}}
