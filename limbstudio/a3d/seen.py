"""What can be seen of a staged person: masks, states of the keypoints, visible shares, and whether that is enough."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from limbstudio.a3d.bodies import LIMBS, PART_LIMB
from limbstudio.a3d.composing import Kind, shares_of
from limbstudio.a3d.people import DEPTH_M, FACE_DEPTH_M
from limbstudio.a3d.plans import Aid, SamplePlan
from limbstudio.a3d.staging import Stage
from limbstudio.domain.anatomy import LDPOSE, N_COCO, N_KEYPOINTS, KeypointState, Limb, level_rule
from limbstudio.rendering.raster import Floats, Ints, coverage, in_front, rasterise

Bools = NDArray[np.bool_]

# A sample is kept when so much of the person is seen, of what is left of a lost limb, and of the place where the lost
# part would be: less tells nobody what the limb is like.
LEAST_PERSON, LEAST_LIMB, LEAST_EVIDENCE = 0.5, 0.3, 0.35
LEAST_INSIDE = 0.62
LEAST_HEIGHT_SHARE = 0.3
DEEPEST_M = 0.03
_TOUCHES_M, MOST_ASIDE_M = 0.06, 0.3
_SEAT_RANGE_M = (0.24, 0.75)
# A thing hides a point where it is so much nearer.
_THING_GAP_M = 0.015
# A lost part would be hidden by what is nearer than so much before it: the body's own rest at the cut is not.
_EVIDENCE_GAP_M = 0.05


@dataclass(frozen=True, eq=False)
class Seen:
    """What the picture shows.

    keypoints (25, 3): camera frame, NaN where a point has no place; keypoints_px (25, 2); states. person, residual and
    prostheses by limb, prosthesis, occluder (aids included), (H, W) bool: pixels that mostly show these. share: of
    the person that is seen; inside: that lies in the picture; limb_shares: seen of what there is of each limb, None
    where that is next to nothing; evidence: seen of the place of each lost part.
    """

    keypoints: Floats
    keypoints_px: Floats
    states: tuple[KeypointState, ...]
    person: Bools
    residual: Mapping[Limb, Bools]
    prostheses: Mapping[Limb, Bools]
    prosthesis: Bools
    occluder: Bools
    share: float
    inside: float
    limb_shares: Mapping[Limb, float | None]
    evidence: Mapping[Limb, float]


def look(plan: SamplePlan, stage: Stage) -> Seen:
    """Find out what the camera sees of the person."""
    figure, geometry, view = stage.figure, stage.geometry, stage.view
    count = len(figure.faces)
    limb = PART_LIMB[figure.part]
    world = stage.vertices
    camera = view.to_camera(world)
    px = view.camera.project(np.column_stack([camera[:, :2], np.maximum(camera[:, 2], 0.05)]))
    faces = in_front(camera, figure.faces, 0.05)
    size = view.camera.size_px[0]

    def area(chosen: Bools | None) -> tuple[int, int]:
        """Return how many pixels faces of the person would cover alone, in a picture three times as wide and in it."""
        some = figure.faces if chosen is None else figure.faces[chosen]
        some = some if len(faces) == len(figure.faces) else in_front(camera, some, 0.05)
        mask = coverage(px + size, some, size_px=(3 * size, 3 * size))
        return int(mask.sum()), int(mask[size : 2 * size, size : 2 * size].sum())

    def pixels(chosen: Bools) -> float:
        whole = np.zeros(len(geometry.faces), bool)
        whole[:count] = chosen
        return float(shares_of(geometry, whole).sum()) / 4

    alone, within = area(None)
    all_faces = np.ones(count, bool)
    limb_shares: dict[Limb, float | None] = {}
    for row, name in enumerate(LIMBS):
        chosen = limb == row
        whole = area(chosen)[0] if chosen.any() else 0
        limb_shares[name] = min(1.0, pixels(chosen) / whole) if whole >= 12 else None
    keypoints, states, points_px = _points(plan, stage)
    person = (geometry.label == Kind.PERSON) | (geometry.label == Kind.CLOTH)
    return Seen(
        keypoints=keypoints,
        keypoints_px=points_px,
        states=states,
        person=person,
        residual={name: _residual(stage, person, limb == LIMBS.index(name)) for name in plan.limbs},
        prostheses={name: _of_device(stage, name) for name in stage.worn},
        prosthesis=geometry.label == Kind.PROSTHESIS,
        occluder=_before(geometry.label),
        share=min(1.0, pixels(all_faces) / max(alone, 1)),
        inside=within / max(alone, 1),
        limb_shares=limb_shares,
        evidence={name: _evidence(stage, name) for name in plan.limbs},
    )


def _before(label: Ints) -> Bools:
    return (label == Kind.AID) | (label == Kind.OCCLUDER)


def _residual(stage: Stage, person: Bools, of_limb: Bools) -> Bools:
    """Return the pixels of the person that mostly show a residual limb."""
    figure, geometry = stage.figure, stage.geometry
    chosen = np.zeros(len(geometry.faces), bool)
    chosen[: len(figure.faces)] = figure.residual & of_limb
    every = np.zeros(len(geometry.faces), bool)
    every[: len(figure.faces)] = True
    return person & (2 * shares_of(geometry, chosen) > shares_of(geometry, every))


def _of_device(stage: Stage, limb: Limb) -> Bools:
    """Return the prosthesis's pixels that show this limb's; with several they go to the nearest of them."""
    geometry = stage.geometry
    chosen = np.isin(geometry.thing, stage.device_things[limb])
    others = np.isin(
        geometry.thing, [t for name, rows in stage.device_things.items() if name != limb for t in rows]
    )
    mine, theirs = shares_of(geometry, chosen), shares_of(geometry, others)
    # Where two cover as much, the first limb has the pixel.
    first = list(stage.device_things).index(limb) == 0
    return (geometry.label == Kind.PROSTHESIS) & ((mine > theirs) | (first & (mine == theirs) & (mine > 0)))


def _points(plan: SamplePlan, stage: Stage) -> tuple[Floats, tuple[KeypointState, ...], Floats]:
    """Return keypoints in the camera's frame, their states and pixels."""
    figure, view, geometry = stage.figure, stage.view, stage.geometry
    points = view.to_camera(figure.keypoints @ stage.yaw.T)
    beyond = view.to_camera(figure.beyond @ stage.yaw.T)
    replaced = {
        index
        for limb in stage.worn
        for index in level_rule(limb, plan.limbs[limb].level).absent
        if index < N_COCO
    }
    for index in replaced:
        points[index] = beyond[index]
    with np.errstate(invalid="ignore"):
        px = view.camera.project(points)
    size = view.camera.size_px[0]
    states = []
    for index in range(N_KEYPOINTS):
        if np.isnan(points[index, 0]):
            states.append(KeypointState.ABSENT)
            continue
        column, row = px[index]
        if not (-0.5 <= column < size - 0.5 and -0.5 <= row < size - 0.5):
            states.append(KeypointState.OUT_OF_FRAME if index not in replaced else KeypointState.PROSTHESIS)
            continue
        if index in replaced:
            states.append(KeypointState.PROSTHESIS)
            continue
        fine = np.clip(np.rint((px[index] + 0.5) * 2 - 0.5).astype(int), 0, 2 * size - 1)
        depth = float(geometry.depth[fine[1], fine[0]])
        name = LDPOSE[index].name
        label = geometry.label[fine[1] // 2, fine[0] // 2]
        deep = next((d for part, d in DEPTH_M.items() if part in name), FACE_DEPTH_M)
        deep = _THING_GAP_M if label > Kind.CLOTH else deep
        hidden = depth < points[index, 2] - deep
        states.append(KeypointState.OCCLUDED if hidden else KeypointState.VISIBLE)
    return points, tuple(states), px


def _evidence(stage: Stage, limb: Limb) -> float:
    """Return the share of the place of a lost part where nothing hides that it is not there.

    A prosthesis or an empty sleeve hides nothing: it shows the loss. What lies outside the picture is not seen.
    """
    figure, view, geometry = stage.figure, stage.view, stage.geometry
    camera = view.to_camera(figure.intact @ stage.yaw.T)
    faces = in_front(camera, figure.ghosts[limb], 0.05)
    if not len(faces):
        return 0.0
    size = view.camera.size_px[0]
    z = np.maximum(camera[:, 2], 0.05)
    px = view.camera.project(np.column_stack([camera[:, :2], z]))
    ghost = rasterise(px + size, 1 / z, faces, size_px=(3 * size, 3 * size))
    if not len(ghost.xs):
        return 0.0
    x, y = ghost.xs - size, ghost.ys - size
    inside = (x >= 0) & (x < size) & (y >= 0) & (y < size)
    x, y = x[inside], y[inside]
    depth = 1 / ghost.nearness_seen[inside]
    clear = geometry.depth[2 * y, 2 * x] > depth - _EVIDENCE_GAP_M
    clear |= np.isin(geometry.label[y, x], (Kind.PROSTHESIS, Kind.CLOTH))
    return float(clear.sum()) / len(ghost.xs)


def refusals(plan: SamplePlan, stage: Stage, seen: Seen) -> tuple[str, ...]:
    """Return why a sample is not plausible or shows too little; nothing where it is fine."""
    found = []
    if seen.inside < LEAST_INSIDE:
        found.append("outside the picture")
    if seen.share < LEAST_PERSON * (1 if not plan.occluders else 0.85):
        found.append("person hidden")
    rows = np.flatnonzero(seen.person.any(1))
    if not len(rows) or len(rows) < LEAST_HEIGHT_SHARE * len(seen.person):
        found.append("person too small")
    for limb, lost in plan.limbs.items():
        share = seen.limb_shares[limb]
        if share is not None and share < LEAST_LIMB and lost.prosthesis is None:
            found.append("residual limb hidden")
        if seen.evidence[limb] < LEAST_EVIDENCE:
            found.append("place of the lost part hidden")
    if float(stage.vertices[:, 1].min()) < -DEEPEST_M:
        found.append("below the ground")
    if _falls(plan, stage):
        found.append("nothing to stand on")
    seat = stage.figure.seat
    if seat is not None and not _SEAT_RANGE_M[0] <= seat.height <= _SEAT_RANGE_M[1]:
        found.append("seat out of reach")
    return tuple(dict.fromkeys(found))


def _falls(plan: SamplePlan, stage: Stage) -> bool:
    """Tell whether what touches the ground lies far beside the body, as in the middle of a leap."""
    figure = stage.figure
    on_prosthesis = any(not limb.is_arm for limb in stage.worn)
    if figure.seat is not None or on_prosthesis or plan.aid is Aid.CRUTCHES:
        return False
    touching = figure.vertices[figure.vertices[:, 1] < _TOUCHES_M]
    aside = figure.vertices.mean(0) - touching.mean(0)
    return float(np.hypot(aside[0], aside[2])) > MOST_ASIDE_M
