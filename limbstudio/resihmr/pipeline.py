"""ResiHMR from annotation to mesh: fit one person, cut and close the residual limbs, count what the surface
is.

Nothing here reads or writes a file. Joint mode cuts in the rest frame, paper mode in the posed body
(equations 6 and 7); either way a cut is a recipe on the body's own vertices, so the posed mesh and its T-pose
share one topology.
"""

import time
from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from limbstudio.body.model import BodyModel
from limbstudio.body.parts import part_of
from limbstudio.body.surface import SurfaceFacts, surface_facts
from limbstudio.domain.anatomy import SMPLX_INDEX, Limb, Segment, level_rule
from limbstudio.domain.body import BodyFit, FitMode, LimbFit
from limbstudio.domain.errors import KnownError
from limbstudio.domain.geometry import Camera
from limbstudio.domain.photo import Person
from limbstudio.domain.stump import Stump
from limbstudio.resihmr.guessed import GuessedBodies
from limbstudio.resihmr.initial_fit import fit_person
from limbstudio.resihmr.limb_cut import (
    LimbCut,
    LimbRegions,
    joint_mode_cut,
    limb_regions,
    paper_mode_cut,
    root_cut,
)
from limbstudio.resihmr.problem import DEFAULT_SETTINGS, FitSettings
from limbstudio.resihmr.reconstruction import Reconstruction, reconstruct

# A person must be this many pixels long; in less, one pixel of error turns a limb by a right angle.
_SMALLEST_PX = 8.0

Floats = NDArray[np.floating]
Ints = NDArray[np.integer]
Bools = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class BodyMesh:
    """A fit as a mesh, limbs cut and closed.

    vertices (V, 3): camera frame. tpose (V, 3): the same body at rest, y up, z forward, pelvis at the origin.
    Both metres, float32. faces (F, 3) int32, outward. residual (V,) bool: surviving part of each cut segment
    and its cap (the paper's m_r). parts (V,) uint8 into `body.parts.PARTS`; a cap belongs to the segment it
    ends. stumps: camera frame.
    """

    vertices: Floats
    tpose: Floats
    faces: Ints
    residual: Bools
    parts: NDArray[np.uint8]
    stumps: tuple[Stump, ...]


@dataclass(frozen=True, eq=False)
class PersonResult:
    """One person reconstructed. fit: what was found, its warnings included. timings_s: by stage, the fit's
    included.
    """

    person: Person
    fit: BodyFit
    mesh: BodyMesh
    facts: SurfaceFacts
    timings_s: dict[str, float] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()


def reconstruct_person(
    person: Person,
    camera: Camera,
    body: BodyModel,
    *,
    mode: FitMode = FitMode.JOINT,
    settings: FitSettings = DEFAULT_SETTINGS,
    mask: Bools | None = None,
    guess: GuessedBodies | None = None,
    seed: int = 0,
    intersections: bool = True,
) -> PersonResult:
    """Fit `body` to one person and make the mesh.

    mask: (H, W) bool of the photo, True on the person. guess: a body to begin with. intersections: also count
    triangles that pass through each other (most of the time that a mesh takes). Raises KnownError for a
    person with too few usable points.
    """
    _require_extent(person)
    start = time.perf_counter()
    contour = None if mode is FitMode.PAPER else mask  # the paper fits points only
    fit = fit_person(person, camera, body, mode=mode, settings=settings, mask=contour, guess=guess, seed=seed)
    fitted = time.perf_counter()
    mesh, warnings = build_mesh(person, fit, body)
    meshed = time.perf_counter()
    facts = surface_facts(mesh.vertices, mesh.faces, intersections=intersections)
    timings = {**fit.timings_s, "fit": fitted - start, "reconstruction": meshed - fitted}
    timings["surface"] = time.perf_counter() - meshed
    return PersonResult(person, fit, mesh, facts, timings, (*fit.warnings, *warnings))


def _require_extent(person: Person) -> None:
    """Raise KnownError where the points lie so close together that they show no body."""
    seen = person.keypoints.positions_px[person.keypoints.observed]
    if len(seen) and float(np.ptp(seen, axis=0).max()) < _SMALLEST_PX:
        raise KnownError(
            f"All {len(seen)} usable points of person {person.id} lie within {_SMALLEST_PX:g} pixels.",
            "Place the points where the joints are, or use a larger picture.",
        )


def posed_vertices(fit: BodyFit, body: BodyModel) -> Floats:
    """Return the intact body of a fit, (V, 3) float32, camera frame, metres."""
    axis_angles = np.concatenate([np.reshape(fit.orientation, (1, 3)), np.reshape(fit.pose, (-1, 3))])
    return body.pose(axis_angles=axis_angles, shape=fit.shape, translation=fit.translation).vertices


def build_mesh(person: Person, fit: BodyFit, body: BodyModel) -> tuple[BodyMesh, tuple[str, ...]]:
    """Cut every accepted residual limb of a fit; return the mesh and warnings for people.

    A limb whose plane does not part it from the body stays whole, and a warning says so.
    """
    in_pose = fit.mode is FitMode.PAPER
    joints = np.asarray(fit.joints) if in_pose else body.rest_joints(fit.shape)
    cuts = [
        limb_cut(person, limb, body, joints, mode=fit.mode)
        for limb in fit.limbs
        if limb.accepted and fit.mode is not FitMode.INTACT
    ]
    mesh, _, warnings = mesh_of_cuts(fit, body, cuts)
    return mesh, warnings


def mesh_of_cuts(
    fit: BodyFit, body: BodyModel, cuts: list[LimbCut]
) -> tuple[BodyMesh, Reconstruction | None, tuple[str, ...]]:
    """Make the mesh of a fit with these cuts (as of `limb_cut`); also its recipe (None: nothing was cut) and
    warnings.
    """
    posed, rest = posed_vertices(fit, body), body.rest_vertices(fit.shape)
    tpose = rest - body.rest_joints(fit.shape)[SMPLX_INDEX["pelvis"]]
    recipe, warnings = _recipe(posed if fit.mode is FitMode.PAPER else rest, body, cuts)
    if recipe is None:
        whole = BodyMesh(posed, tpose, body.faces, np.zeros(len(posed), bool), body.part_labels, ())
        return whole, None, warnings
    vertices = recipe.carry_points(posed)
    parts = carried_parts(recipe, body.part_labels)
    faces = recipe.faces.astype(np.int32)
    stumps = recipe.stumps(vertices)
    mesh = BodyMesh(vertices, recipe.carry_points(tpose), faces, recipe.residual, parts, stumps)
    return mesh, recipe, warnings


def _recipe(
    frame: Floats, body: BodyModel, cuts: list[LimbCut]
) -> tuple[Reconstruction | None, tuple[str, ...]]:
    """Cut all limbs at once; where that fails, all limbs that can be cut, with a warning for each of the
    others.
    """
    if not cuts:
        return None, ()
    try:
        return reconstruct(frame, body.faces, cuts), ()
    except KnownError:
        pass
    kept, warnings, recipe = [], [], None
    for cut in cuts:
        try:
            recipe = reconstruct(frame, body.faces, [*kept, cut])
        except KnownError as error:
            name = cut.regions.limb.value.replace("_", " ")
            warnings.append(f"The {name} was left whole. {error.message}")
        else:
            kept.append(cut)
    return recipe, tuple(warnings)


def carried_parts(recipe: Reconstruction, part_labels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return the parts of a cut body's vertices, (V',); a cap belongs to the segment that it ends."""
    parts = np.zeros(recipe.vertex_count, np.uint8)
    base = len(recipe.edge_source)
    parts[:base] = part_labels[recipe.edge_source[:, 0]]
    for cap in recipe.caps:
        corners = recipe.faces[cap.faces]
        parts[corners[corners >= base]] = part_of(cap.limb, cap.segment)
    return parts


def limb_cut(person: Person, limb: LimbFit, body: BodyModel, joints: Floats, *, mode: FitMode) -> LimbCut:
    """Return the plane that ends one residual limb. joints: (55, 3) in the frame to be cut, metres."""
    rule = level_rule(limb.limb, person.limbs[limb.limb].level)
    anchor, upstream = joints[SMPLX_INDEX[limb.anchor]], joints[SMPLX_INDEX[limb.upstream]]
    regions = _regions(body, limb.limb, limb.segment, mode is FitMode.JOINT or rule.removed_at_root)
    if rule.removed_at_root:
        return root_cut(regions, root=upstream, outward=anchor)
    make_cut = paper_mode_cut if mode is FitMode.PAPER else joint_mode_cut
    return make_cut(regions, anchor=anchor, upstream=upstream, factor=limb.factor)


@lru_cache(maxsize=32)
def _regions(body: BodyModel, limb: Limb, segment: Segment, whole_limb: bool) -> LimbRegions:
    return limb_regions(
        part_labels=body.part_labels, faces=body.faces, limb=limb, segment=segment, whole_limb=whole_limb
    )
