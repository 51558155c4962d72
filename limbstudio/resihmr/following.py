"""The fit and the surface that follow a dragged point: a few solver steps, and a body in a millisecond or two.

A hand goes on as it went: each fit begins where the last two were heading, which saves half of the solver's steps.

While a point moves it is a body of a quarter of the vertices (`body.coarse`); the last surface of a drag is the whole
one. A cut is a recipe on the body's own vertices, so it is kept from one frame to the next: only the pose changes. It
is found anew where a lambda has moved the end farther than the limb can be stretched for the moment, and once more
when the drag has ended.
"""

from dataclasses import dataclass, replace

import numpy as np

from limbstudio.body.coarse import coarse_body
from limbstudio.body.kinematics import rotation_matrices, rotation_vectors
from limbstudio.body.model import BodyModel
from limbstudio.body.parts import segment_vertices
from limbstudio.domain.anatomy import Limb
from limbstudio.domain.body import BodyFit, FitMode, LimbFit
from limbstudio.domain.errors import KnownError
from limbstudio.domain.geometry import Camera
from limbstudio.domain.photo import Person
from limbstudio.resihmr.initial_fit import FOLLOW_WITHIN_PX, Followed, follow
from limbstudio.resihmr.lifter import Lift
from limbstudio.resihmr.pipeline import limb_cut, posed_vertices
from limbstudio.resihmr.problem import FitSettings, box_height
from limbstudio.resihmr.reconstruction import Reconstruction, reconstruct
from limbstudio.resihmr.terms import N_LIMBS, Unknowns

# How far a residual limb is stretched or shortened, metres and share of its length, before it is cut anew. It then ends
# where the present lambda says; only its girth there is that of the place where it was cut.
_MOST_STRETCH_M, _MOST_STRETCH = 0.02, 0.2
# While no point has moved by this share of the person's height, what the lifter guessed of depths still serves.
_LIFT_SERVES = 0.01
# A hand that speeds up is not expected to go on faster than this, in ways of the last frame.
_FARTHEST_AHEAD = 1.5


def followed_from(fit: BodyFit) -> Followed:
    """Return a kept fit as an estimate that `follow` can go on from."""
    factor = np.full((1, N_LIMBS), 0.5)
    for limb in fit.limbs:
        factor[0, list(Limb).index(limb.limb)] = limb.factor
    x = Unknowns(
        root=rotation_matrices(np.asarray(fit.orientation, float))[None],
        pose=np.asarray(fit.pose, float)[:21].reshape(1, 63).copy(),
        move=np.asarray(fit.translation, float)[None].copy(),
        shape=np.asarray(fit.shape, float)[None].copy(),
        tilt=np.array([fit.tilt], float),
        factor=factor,
    )
    return Followed(replace(fit, alternatives=()), x)


class FitFollower:
    """Fit one person again and again while points of it move, each time from where the last fits were heading."""

    def __init__(self, first: Followed) -> None:
        self._last = first
        self._last_px: np.ndarray | None = None  # the points that the last fit was made for
        self._before: tuple[Followed, np.ndarray] | None = None  # the fit before it, and its points
        self._lifted: tuple[Lift, object, np.ndarray] | None = None  # a guess, and for what it was made

    def fit(
        self, person: Person, camera: Camera, body: BodyModel, settings: FitSettings, within_px: float
    ) -> BodyFit:
        """Return the fit to the person's present points; `follow` says what within_px is."""
        points = np.nan_to_num(person.keypoints.positions_px)
        start = self._last
        if self._last_px is not None and self._before is not None:
            before, before_px = self._before
            share = _onward(points - self._last_px, self._last_px - before_px)
            if share > 0:
                start = replace(start, x=_ahead(start.x, before.x, share))
        lift = self._lift(person, points) if within_px > FOLLOW_WITHIN_PX else None
        found = follow(person, camera, body, start, settings=settings, within_px=within_px, lift=lift)
        if found.lift is not lift:
            self._lifted = None if found.lift is None else (found.lift, _told(person), points)
        self._before = None if self._last_px is None else (self._last, self._last_px)
        self._last, self._last_px = found, points
        return found.fit

    def _lift(self, person: Person, points: np.ndarray) -> Lift | None:
        """Return the lifter's last guess while the points are nearly where they were: it takes as long as a step."""
        if self._lifted is None:
            return None
        lift, told, was = self._lifted
        near = np.abs(points - was).max() < _LIFT_SERVES * box_height(person)
        return lift if near and told == _told(person) else None


def _told(person: Person) -> object:
    """Return what else than the places of points the lifter is told of a person."""
    return person.keypoints.observed.tobytes(), dict(person.limbs), person.focal_px


def _onward(by: np.ndarray, was: np.ndarray) -> float:
    """Return how much of the last way `was` (N, 2) is gone again in `by`, 0 where it turns back."""
    length = float((was * was).sum())
    return 0.0 if length == 0 else min(max(float((by * was).sum()) / length, 0.0), _FARTHEST_AHEAD)


def _ahead(last: Unknowns, before: Unknowns, share: float) -> Unknowns:
    """Go on from `last` by a share of the way from `before`."""
    turn = rotation_vectors(last.root @ before.root.swapaxes(1, 2))

    def onward(now: np.ndarray, then: np.ndarray) -> np.ndarray:
        return now + share * (now - then)

    return Unknowns(
        root=rotation_matrices(share * turn) @ last.root,
        pose=onward(last.pose, before.pose),
        move=onward(last.move, before.move),
        shape=onward(last.shape, before.shape),
        tilt=onward(last.tilt, before.tilt),
        factor=np.clip(onward(last.factor, before.factor), 0.0, 1.0),
    )


@dataclass(frozen=True, eq=False)
class MovingSurface:
    """One frame's surface. vertices (V, 3) float32, camera frame, metres. faces (F, 3) int32, the same array while the
    topology stays. residual (V,) bool.
    """

    vertices: np.ndarray
    faces: np.ndarray
    residual: np.ndarray


class SurfaceFollower:
    """Make the surface of one fit after another of one person."""

    def __init__(self, body: BodyModel) -> None:
        self.body = body
        self._whole = _Cutter(body)
        self._moving = _Cutter(coarse_body(body))

    def surface(self, person: Person, fit: BodyFit, *, exact: bool = False) -> MovingSurface:
        """Return the surface. exact: of the whole body, cut at the very lambda of this fit, whatever was kept."""
        return (self._whole if exact else self._moving).surface(person, fit, anew=exact)


class _Cutter:
    """Pose one body and cut it, by the last recipe while that serves."""

    def __init__(self, body: BodyModel) -> None:
        self._body = body
        self._cut: tuple[tuple[object, ...], tuple[float, ...]] | None = None  # names, lambdas
        self._of_limb: dict[Limb, np.ndarray] = {}  # vertices of each residual limb
        self._recipe: Reconstruction | None = None
        self._faces = np.ascontiguousarray(body.faces, np.int32)
        self._residual = np.zeros(body.n_vertices, bool)

    def surface(self, person: Person, fit: BodyFit, *, anew: bool) -> MovingSurface:
        limbs = [limb for limb in fit.limbs if limb.accepted and fit.mode is not FitMode.INTACT]
        stretches = self._stretches(person, limbs)
        if anew or stretches is None:
            self._find_cut(person, fit, limbs)
            stretches = [0.0] * len(limbs)
        posed = posed_vertices(fit, self._body)
        vertices = posed if self._recipe is None else self._recipe.carry_points(posed)
        vertices = np.asarray(vertices, np.float32)
        for limb, by in zip(limbs, stretches, strict=True):
            if by and limb.limb in self._of_limb:
                _stretch(vertices, self._of_limb[limb.limb], limb, by)
        return MovingSurface(vertices, self._faces, self._residual)

    def _stretches(self, person: Person, limbs: list[LimbFit]) -> list[float] | None:
        """Return by how much each limb is longer now than the kept recipe makes it, metres; None to cut anew."""
        if self._cut is None or self._cut[0] != _names(person, limbs):
            return None
        found = []
        for limb, factor in zip(limbs, self._cut[1], strict=True):
            bone = float(np.linalg.norm(limb.anchor_position - limb.upstream_position))
            cut_at = (1 - factor) * bone
            found.append(limb.length_m - cut_at)
            if abs(found[-1]) > min(_MOST_STRETCH_M, _MOST_STRETCH * cut_at):
                return None
        return found

    def _find_cut(self, person: Person, fit: BodyFit, limbs: list[LimbFit]) -> None:
        body = self._body
        self._cut = _names(person, limbs), tuple(limb.factor for limb in limbs)
        self._recipe, self._of_limb = None, {}
        in_pose = fit.mode is FitMode.PAPER
        joints = np.asarray(fit.joints) if in_pose else body.rest_joints(fit.shape)
        frame = posed_vertices(fit, body) if in_pose else body.rest_vertices(fit.shape)
        cuts = []
        for limb in limbs:
            cut = limb_cut(person, limb, body, joints, mode=fit.mode)
            try:
                self._recipe = reconstruct(frame, body.faces, [*cuts, cut])
            except KnownError:
                continue  # it stays whole; the full fit says so in words
            cuts.append(cut)
        if self._recipe is None:
            faces, self._residual = body.faces, np.zeros(body.n_vertices, bool)
        else:
            faces, self._residual = self._recipe.faces, self._recipe.residual
            self._of_limb = _limb_vertices(self._recipe, body)
        faces = np.ascontiguousarray(faces, np.int32)
        if faces.shape != self._faces.shape or not np.array_equal(faces, self._faces):
            self._faces = faces


def _names(person: Person, limbs: list[LimbFit]) -> tuple[object, ...]:
    return tuple((limb.limb, limb.segment, person.limbs[limb.limb].level) for limb in limbs)


def _limb_vertices(recipe: Reconstruction, body: BodyModel) -> dict[Limb, np.ndarray]:
    """Return the vertices of the cut mesh that each residual limb is made of, its cap included."""
    kept = body.part_labels[recipe.edge_source[: recipe.kept_count, 0]]
    return {
        cap.limb: np.concatenate(
            [
                segment_vertices(kept, cap.limb, cap.segment),
                cap.boundary,
                cap.first + np.arange(len(cap.shape.offset)),
            ]
        )
        for cap in recipe.caps
    }


def _stretch(vertices: np.ndarray, rows: np.ndarray, limb: LimbFit, by: float) -> None:
    """Lengthen a residual limb in place by `by` metres at its end, by less the nearer to its proximal joint."""
    bone = limb.anchor_position - limb.upstream_position
    axis = bone / np.linalg.norm(bone)
    points = vertices[rows]
    share = np.clip((points - limb.upstream_position) @ axis / (limb.length_m - by), 0.0, 1.0)
    vertices[rows] = points + by * share[:, None] * axis
