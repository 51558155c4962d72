"""Replay corrections on a fit: cut as they say, then do one operation after another; what fails is marked.

End, plane and tip shape become the limb's cut (the last of each counts). Strokes, mirror and resets follow in
their order on the refined surface. An operation that cannot be done leaves the surface as it was before it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from limbstudio.body.model import BodyModel
from limbstudio.body.parts import distal_parts
from limbstudio.corrections.brushes import evaluate_stroke
from limbstudio.corrections.handles import plane_normal
from limbstudio.corrections.limb_frame import LimbFrame, limb_frame
from limbstudio.corrections.limb_surface import LimbSurface
from limbstudio.corrections.mirror import mirrored
from limbstudio.corrections.opening import OpenedMesh, open_limbs
from limbstudio.corrections.shaping import dome_height
from limbstudio.corrections.validity import find_fold, find_fold_of_shape
from limbstudio.domain.anatomy import SMPLX_INDEX, Limb, Segment, level_rule
from limbstudio.domain.body import BodyFit, FitMode, LimbFit
from limbstudio.domain.correcting import counting, describe
from limbstudio.domain.corrections import (
    BrushStroke,
    Corrections,
    CutPlane,
    EndAlongLimb,
    MirrorOther,
    Operation,
    ResetHere,
    TipShape,
)
from limbstudio.domain.errors import KnownError
from limbstudio.domain.photo import Person
from limbstudio.domain.stump import Stump
from limbstudio.resihmr.cap import loop_normal
from limbstudio.resihmr.pipeline import BodyMesh, limb_cut, mesh_of_cuts
from limbstudio.resihmr.reconstruction import LimbCut, StumpCap

Float = NDArray[np.floating]
Int = NDArray[np.integer]
Bool = NDArray[np.bool_]

_Kind = TypeVar("_Kind", EndAlongLimb, CutPlane, TipShape)
_CUTTING = (EndAlongLimb, CutPlane, TipShape)
_OUTDATED = "The limb's level was changed after this fit was made. Fit the person again."


@dataclass(frozen=True)
class Outcome:
    """What became of one operation. reason: why it failed, for people; empty when it was done."""

    ok: bool
    reason: str = ""


@dataclass(frozen=True)
class Failure:
    """A correction that could not be repeated on this fit. number: its place in the limb's list, from 1."""

    limb: Limb
    number: int
    operation: Operation
    reason: str

    @property
    def words(self) -> str:
        """Return what a person reads: which correction, of which limb, and why."""
        limb, what = self.limb.value.replace("_", " "), describe(self.operation).lower()
        return f"Correction {self.number} of the {limb} ({what}) could not be repeated: {self.reason}"


@dataclass(frozen=True, eq=False)
class Corrected:
    """A fit's mesh with corrections. vertices (V, 3): posed, camera frame; tpose (V, 3): at rest; float32.

    faces (F, 3) int32; residual (V,) bool; parts (V,) uint8; stumps: camera frame. limbs: the refined ones.
    outcomes: one per operation, in order. counted: the corrections that count, by limb; resting: those made when
    the limb ended in another segment.
    """

    mesh: BodyMesh
    limbs: Mapping[Limb, LimbSurface]
    outcomes: Mapping[Limb, tuple[Outcome, ...]]
    warnings: tuple[str, ...] = ()
    opened: OpenedMesh | None = field(default=None, repr=False)
    counted: Mapping[Limb, Corrections] = field(default_factory=dict)
    resting: tuple[Corrections, ...] = ()

    @property
    def failures(self) -> tuple[Failure, ...]:
        """Return the corrections that this fit could not take, limb by limb in their order."""
        return tuple(
            Failure(limb, number, operation, outcome.reason)
            for limb, item in self.counted.items()
            for number, (operation, outcome) in enumerate(
                zip(item.operations, self.outcomes.get(limb, ()), strict=False), 1
            )
            if not outcome.ok
        )

    @property
    def vertices(self) -> Float:
        return self.mesh.vertices

    @property
    def tpose(self) -> Float:
        return self.mesh.tpose

    @property
    def faces(self) -> Int:
        return self.mesh.faces

    @property
    def residual(self) -> Bool:
        return self.mesh.residual

    @property
    def parts(self) -> NDArray[np.uint8]:
        return self.mesh.parts

    @property
    def stumps(self) -> tuple[Stump, ...]:
        return self.mesh.stumps

    @property
    def is_edited(self) -> bool:
        """Tell whether any operation was done."""
        return any(outcome.ok for all_of_limb in self.outcomes.values() for outcome in all_of_limb)

    @property
    def edited_limbs(self) -> tuple[Limb, ...]:
        """Return the limbs whose surface a person has changed."""
        return tuple(limb for limb, done in self.outcomes.items() if any(o.ok for o in done))

    def factor(self, limb: Limb) -> float:
        """Return lambda of a refined limb, as its surface now ends."""
        return 1.0 - self.limbs[limb].end_axial

    def with_surface(self, surface: LimbSurface) -> "Corrected":
        """Return the mesh with one limb's surface exchanged (a stroke that was just made)."""
        assert self.opened is not None
        limbs = {**self.limbs, surface.limb: surface}
        others = [stump for stump in self.mesh.stumps if stump.limb not in limbs]
        return replace(self, mesh=_assembled(self.opened, limbs, others), limbs=limbs)


def apply(
    person: Person,
    fit: BodyFit,
    body: BodyModel,
    corrections: Sequence[Corrections],
    *,
    also_open: Sequence[Limb] = (),
) -> Corrected:
    """Replay the corrections of a person on a fit.

    also_open: limbs to be refined although nothing was corrected on them yet. Limbs without corrections are
    as the fit has them. Nothing raises for an operation that cannot be done: its outcome says why.
    """
    counted = counting(corrections, person)
    resting = tuple(item for item in corrections if item.operations and item not in counted.values())
    asked = [limb for limb in Limb if limb in counted or limb in also_open]
    outdated = _outdated(person, fit)
    misshapen: dict[Limb, str] = {}  # limbs whose tip shape would fold the surface, and where
    while True:
        operations = {limb: _without(item.operations, limb in misshapen) for limb, item in counted.items()}
        mesh, caps, refused = _cut(person, fit, body, operations)
        cut = {cap.limb for cap in caps}
        frames = {limb: frame_of(fit, body, limb) for limb in asked if limb in cut}
        if not frames:
            break
        shapes = {limb: shape for limb in frames if (shape := _last(operations.get(limb, ()), TipShape))}
        opened = open_limbs(mesh, caps, frames, {k: v for k, v in shapes.items() if k not in refused})
        folded = {limb: _fold_of_shape(opened.limbs[limb], fit) for limb in shapes if limb not in refused}
        if not any(folded.values()):
            break
        misshapen |= {limb: where for limb, where in folded.items() if where}
    outcomes = {}
    for limb in asked:
        if limb not in cut and limb in counted:
            why = refused.get(limb, "There is no residual limb to correct.")
            outcomes[limb] = tuple(Outcome(False, why) for _ in counted[limb].operations)
    if not frames:
        return _said(Corrected(mesh, {}, outcomes, counted=counted, resting=resting), person)
    limbs = {}
    first = {limb: counted[limb].operations if limb in counted else () for limb in frames}
    for limb in frames:
        # The other side is looked at without its own mirror, so that two mirrors do not chase each other.
        surface, done = opened.limbs[limb], []
        for operation in first[limb]:
            if limb in outdated:
                done.append(Outcome(False, refused[limb]))
                continue
            if isinstance(operation, TipShape) and limb in misshapen:
                done.append(Outcome(False, misshapen[limb]))
            elif isinstance(operation, _CUTTING):
                done.append(Outcome(limb not in refused, refused.get(limb, "")))
            else:
                surface, outcome = _done(operation, surface, limb, fit, body, opened, first)
                done.append(outcome)
        limbs[limb] = surface
        if limb in counted:
            outcomes[limb] = tuple(done)
    others = [stump for stump in mesh.stumps if stump.limb not in limbs]
    mesh = _assembled(opened, limbs, others)
    return _said(Corrected(mesh, limbs, outcomes, opened=opened, counted=counted, resting=resting), person)


def preview_cut(
    person: Person, fit: BodyFit, body: BodyModel, corrections: Sequence[Corrections]
) -> Corrected:
    """Return the mesh with ends, planes and domes only, not refined: quick, for handles that are dragged."""
    operations = {limb: item.operations for limb, item in counting(corrections, person).items()}
    mesh, caps, refused = _cut(person, fit, body, operations)
    cut = {cap.limb for cap in caps}
    outcomes = {
        limb: tuple(Outcome(limb in cut and limb not in refused, refused.get(limb, "")) for _ in done)
        for limb, done in operations.items()
    }
    return Corrected(mesh, {}, outcomes)


def frame_of(fit: BodyFit, body: BodyModel, limb: Limb) -> LimbFrame:
    """Return the frame of a fitted limb's segment at rest (pelvis at the origin)."""
    found = next(item for item in fit.limbs if item.limb is limb)
    joints = np.asarray(body.rest_joints(fit.shape), float)
    joints = joints - joints[SMPLX_INDEX["pelvis"]]
    upstream, anchor = joints[SMPLX_INDEX[found.upstream]], joints[SMPLX_INDEX[found.anchor]]
    return limb_frame(limb, upstream=upstream, anchor=anchor)


# ---------------------------------------------------------------------------------------------------- cutting


def _last(operations: Sequence[Operation], kind: type[_Kind]) -> _Kind | None:
    return next((item for item in reversed(operations) if isinstance(item, kind)), None)


def _cut(
    person: Person, fit: BodyFit, body: BodyModel, operations: Mapping[Limb, tuple[Operation, ...]]
) -> tuple[BodyMesh, tuple[StumpCap, ...], dict[Limb, str]]:
    """Cut every limb as the fit or a person says; also why a person's cut could not be made."""
    cutting = {
        limb: [item for item in done if isinstance(item, _CUTTING)] for limb, done in operations.items()
    }
    refused = {limb: _OUTDATED for limb in _outdated(person, fit)}
    while True:
        cuts = []
        for limb_fit in fit.limbs if fit.mode is not FitMode.INTACT else ():
            limb = limb_fit.limb
            mine = [] if limb in refused else cutting.get(limb, [])
            ends_it = any(isinstance(item, EndAlongLimb | CutPlane) for item in mine)
            if not (limb_fit.accepted or ends_it):
                continue
            try:
                cuts.append(_cut_of(person, limb_fit, fit, body, mine))
            except KnownError as error:
                refused[limb] = f"{error.message} {error.hint}".strip()
                break
        else:
            mesh, recipe, _ = mesh_of_cuts(fit, body, cuts)
            caps = () if recipe is None else recipe.caps
            failed = {cut.regions.limb for cut in cuts} - {cap.limb for cap in caps}
            failed &= {limb for limb, mine in cutting.items() if mine and limb not in refused}
            if not failed:
                return mesh, caps, refused
            refused.update(dict.fromkeys(failed, "The cut does not part the limb from the body there."))


def _without(operations: tuple[Operation, ...], shape: bool) -> tuple[Operation, ...]:
    return tuple(item for item in operations if not (shape and isinstance(item, TipShape)))


def _fold_of_shape(surface: LimbSurface, fit: BodyFit) -> str:
    """Say where the shape of a limb's end folds the surface that the cut left; empty where it does not."""
    fold = find_fold_of_shape(surface, scale=fit.scale)
    return "" if fold is None else f"It would fold the surface {fold.where}."


def _outdated(person: Person, fit: BodyFit) -> set[Limb]:
    """Return the limbs that end in another segment now than when they were fitted."""
    return {
        item.limb
        for item in fit.limbs
        if level_rule(item.limb, person.limbs[item.limb].level).segment is not item.segment
    }


def _cut_of(
    person: Person, limb: LimbFit, fit: BodyFit, body: BodyModel, operations: Sequence[Operation]
) -> LimbCut:
    """Return the cut of one limb with the person's end, plane and tip shape."""
    in_pose = fit.mode is FitMode.PAPER
    joints = np.asarray(fit.joints if in_pose else body.rest_joints(fit.shape), float)
    at_root = level_rule(limb.limb, person.limbs[limb.limb].level).removed_at_root
    moved = limb
    placing = [item for item in operations if isinstance(item, EndAlongLimb | CutPlane)]
    if placing and isinstance(placing[-1], EndAlongLimb):
        if at_root:
            raise KnownError(
                "A limb removed at its root has no end along the bone.", "Move the cut plane instead."
            )
        moved = replace(limb, factor=placing[-1].factor)
    cut = limb_cut(person, moved, body, joints, mode=fit.mode)
    plane = _last(operations, CutPlane)
    if plane is not None:
        rest = limb_frame(
            limb.limb,
            upstream=body.rest_joints(fit.shape)[SMPLX_INDEX[limb.upstream]],
            anchor=body.rest_joints(fit.shape)[SMPLX_INDEX[limb.anchor]],
        )
        normal, origin = plane_normal(rest, plane.tilt_ap, plane.tilt_ml), cut.origin
        if in_pose:  # the same plane about the posed bone; what the bone's own roll is, the joints do not say
            turn = _turn(rest.axis, joints[SMPLX_INDEX[limb.anchor]] - joints[SMPLX_INDEX[limb.upstream]])
            normal = turn @ normal
        tip_at_origin = cut.tip_at_origin
        if isinstance(placing[-1], CutPlane):
            start, end = joints[SMPLX_INDEX[limb.upstream]], joints[SMPLX_INDEX[limb.anchor]]
            origin, tip_at_origin = start + plane.offset * (end - start), False
        cut = replace(cut, origin=origin, normal=normal, tip_at_origin=tip_at_origin)
    shape = _last(operations, TipShape)
    return cut if shape is None else replace(cut, dome_height=dome_height(shape))


def _turn(start: Float, end: Float) -> Float:
    """Return the smallest rotation (3, 3) that turns one direction (3,) into another."""
    a, b = start / np.linalg.norm(start), end / np.linalg.norm(end)
    v, c = np.cross(a, b), float(a @ b)
    if c < -1 + 1e-9:
        half_turn = np.asarray(np.cross(a, np.eye(3)[np.argmin(np.abs(a))]), np.float64)
        half_turn /= np.linalg.norm(half_turn)
        return 2 * half_turn[:, None] * half_turn - np.eye(3)
    skew: Float = np.array([[0, -v[2], v[1]], [v[2], 0, -v[0]], [-v[1], v[0], 0]])
    return np.eye(3) + skew + skew @ skew / (1 + c)


# ------------------------------------------------------------------------------------------------- operations


def _done(
    operation: Operation,
    surface: LimbSurface,
    limb: Limb,
    fit: BodyFit,
    body: BodyModel,
    opened: OpenedMesh,
    operations: Mapping[Limb, tuple[Operation, ...]],
) -> tuple[LimbSurface, Outcome]:
    """Do one operation; return the surface after it, or as it was with the reason."""
    if isinstance(operation, BrushStroke):
        points, moved = evaluate_stroke(surface, operation)
        if not len(moved):
            return surface, Outcome(False, "There is no surface any more where this stroke was made.")
    elif isinstance(operation, ResetHere):
        points, moved = reset(surface, operation)
        if not len(moved):
            return surface, Outcome(False, "There is no surface any more at this place.")
    elif isinstance(operation, MirrorOther):
        model = _other_side(limb, fit, body, opened, operations)
        if model is None:
            return surface, Outcome(False, "The other side has no surface to mirror.")
        points = mirrored(surface, *model, strength=operation.strength)
        moved = np.flatnonzero((points != surface.points).any(axis=1))
    else:
        raise TypeError(f"{operation!r} is no operation on a surface.")
    fold = find_fold(surface, points, moved, scale=fit.scale)
    if fold is not None:
        return surface, Outcome(False, f"It would fold the surface {fold.where}.")
    return surface.with_points(points), Outcome(True)


def reset(surface: LimbSurface, operation: ResetHere) -> tuple[Float, Int]:
    """Return the points (n, 3) with one place as it was before any brush, and the vertices within reach."""
    centre = surface.locate(operation.at)
    reach = operation.radius * surface.frame.length_m
    distance = np.minimum(
        np.linalg.norm(surface.points - centre, axis=1), np.linalg.norm(surface.unedited - centre, axis=1)
    )
    x = np.clip(2 * (1 - distance / reach), 0, 1)  # wholly as it was up to half the radius
    weight = (x * x * (3 - 2 * x))[:, None]
    return surface.points + weight * (surface.unedited - surface.points), np.flatnonzero(weight[:, 0] > 0)


def _other_side(
    limb: Limb,
    fit: BodyFit,
    body: BodyModel,
    opened: OpenedMesh,
    operations: Mapping[Limb, tuple[Operation, ...]],
) -> tuple[LimbFrame, Float, Int] | None:
    """Return the wall of the opposite limb at rest: frame, points, faces."""
    own = next(item for item in fit.limbs if item.limb is limb)
    joints = np.asarray(body.rest_joints(fit.shape), float)
    joints = joints - joints[SMPLX_INDEX["pelvis"]]
    names = [name.replace(limb.side.value, limb.opposite.side.value) for name in (own.upstream, own.anchor)]
    upstream, anchor = (joints[SMPLX_INDEX[name]] for name in names)
    frame = limb_frame(limb.opposite, upstream=upstream, anchor=anchor)
    points = opened.rest
    if limb.opposite in opened.limbs:
        surface = opened.limbs[limb.opposite]
        for operation in operations.get(limb.opposite, ()):
            if isinstance(operation, BrushStroke | ResetHere):
                surface, _ = _done(operation, surface, limb.opposite, fit, body, opened, operations)
        points = points.copy()
        points[surface.vertex_ids] = surface.points
    mine = np.isin(opened.parts, distal_parts(limb.opposite, own.segment))
    mine &= frame.axial_of(points) < 1.05  # not the hand or the foot
    wall = mine[opened.faces].sum(axis=1) == 3
    if limb.opposite in opened.caps:
        wall[opened.caps[limb.opposite]] = False
    faces = opened.faces[wall]
    return (frame, points, faces) if len(faces) else None


# ---------------------------------------------------------------------------------------------------- results


def _assembled(opened: OpenedMesh, limbs: Mapping[Limb, LimbSurface], others: Sequence[Stump]) -> BodyMesh:
    """Put the limbs back into the body: both poses, one topology."""
    rest, posed = opened.rest.copy(), opened.posed.copy()
    for surface in limbs.values():
        ids = surface.vertex_ids
        rest[ids], posed[ids] = surface.points, surface.posed()
    vertices = posed.astype(np.float32)
    faces = opened.faces.astype(np.int32)
    stumps = list(others)
    for limb, surface in limbs.items():
        ring, tip = opened.rings[limb], opened.tips[limb]
        stumps.append(
            Stump(
                limb,
                surface.segment,
                ring,
                opened.caps[limb],
                loop_normal(posed[ring]),
                np.asarray(posed[tip], float),
            )
        )
    order = list(Limb)
    stumps.sort(key=lambda stump: order.index(stump.limb))
    return BodyMesh(vertices, rest.astype(np.float32), faces, opened.residual, opened.parts, tuple(stumps))


def _said(corrected: Corrected, person: Person) -> Corrected:
    """Add what the files and the window say about corrections."""
    said = []
    for limb, done in corrected.outcomes.items():
        if count := sum(outcome.ok for outcome in done):
            said.append(f"The {_name(limb)} was edited by hand ({_counted(count)}).")
        said += [failure.words for failure in corrected.failures if failure.limb is limb]
    for item in corrected.resting:
        ends = level_rule(item.limb, person.limbs[item.limb].level).segment
        now = "it is whole" if ends is None else f"it ends in the {_name(ends)}"
        was = "the same place" if item.segment is None else f"its {_name(item.segment)}"
        count = len(item.operations)
        rest = "rests" if count == 1 else "rest"
        said.append(f"{_counted(count)} of the {_name(item.limb)} {rest}: made on {was}, while {now}.")
    return replace(corrected, warnings=tuple(said))


def _counted(count: int) -> str:
    return "1 correction" if count == 1 else f"{count} corrections"


def _name(part: Limb | Segment) -> str:
    return part.value.replace("_", " ")
