"""The fourteen parts of a body and the clean borders between them.

A limb is cut by planes: across the bone at elbow, wrist, knee and ankle; obliquely along the groin at the
hip; along the armpit at the shoulder. A part is what can be reached over the mesh from the limb's tip without
crossing its plane, so that every part, and everything distal to a border, is one piece with one border loop.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from limbstudio.body.kinematics import Float
from limbstudio.domain.anatomy import SMPLX_INDEX, Limb, Segment, Side

PARTS: tuple[str, ...] = (
    "head",
    "torso",
    *(
        f"{side}_{segment}"
        for segment in ("upper_arm", "forearm", "hand", "thigh", "shank", "foot")
        for side in ("left", "right")
    ),
)
PART_INDEX = {name: i for i, name in enumerate(PARTS)}
HEAD, TORSO = PART_INDEX["head"], PART_INDEX["torso"]

# The joint at which each segment begins.
SEGMENT_JOINTS = {
    Segment.UPPER_ARM: "shoulder",
    Segment.FOREARM: "elbow",
    Segment.HAND: "wrist",
    Segment.THIGH: "hip",
    Segment.SHANK: "knee",
    Segment.FOOT: "ankle",
}


def part_name(side: Side, segment: Segment) -> str:
    """Return the name of a limb's segment as it stands in PARTS: left_upper_arm."""
    return f"{side.value}_{segment.value}"


def part_of(limb: Limb, segment: Segment) -> int:
    """Return the index into PARTS of a limb's segment; raise KeyError for a segment the limb does not
    have."""
    if segment not in limb.segments:
        raise KeyError(f"{limb.value} has no {segment.value}")
    return PART_INDEX[part_name(limb.side, segment)]


def distal_parts(limb: Limb, segment: Segment) -> tuple[int, ...]:
    """Return the indices into PARTS of the segment and of all the limb's parts distal to it."""
    segments = limb.segments
    return tuple(part_of(limb, s) for s in segments[segments.index(segment) :])


def segment_vertices(part_labels: NDArray[np.uint8], limb: Limb, segment: Segment) -> NDArray[np.intp]:
    """Return the vertices of one segment, ascending. part_labels: (V,) into PARTS."""
    return np.flatnonzero(part_labels == part_of(limb, segment))


def distal_vertices(part_labels: NDArray[np.uint8], limb: Limb, segment: Segment) -> NDArray[np.intp]:
    """Return the vertices of the segment and of all parts distal to it, ascending. part_labels: (V,) into
    PARTS."""
    return np.flatnonzero(np.isin(part_labels, distal_parts(limb, segment)))


# ------------------------------------------------------------------------------------------------- labelling


def label_parts(
    *, template: Float, faces: NDArray[np.integer], joints: Float, skin_weights: Float
) -> NDArray[np.uint8]:
    """Label every vertex of a T-posed body with its part.

    template: (V, 3) metres, y up, z forward, x to the person's left. faces: (F, 3). joints: (55, 3).
    skin_weights: (V, 55), which say where a limb's tip is. Returns (V,) indices into PARTS.
    """
    neighbours = _neighbour_lists(faces, len(template))
    labels = np.full(len(template), TORSO, np.uint8)

    above_neck = (template - _neck_point(joints)) @ _neck_normal(joints) > 0
    head_seed = _most_weighted(skin_weights, "head")
    labels[_reachable(neighbours, above_neck, head_seed)] = HEAD

    for limb in Limb:
        side, sign = limb.side.value, 1.0 if limb.side is Side.LEFT else -1.0
        tip = _tip_vertex(skin_weights, limb)
        for segment in limb.segments:
            point, normal = _border_plane(joints, side, sign, segment)
            beyond = (template - point) @ normal > 0
            # The two legs meet in the middle plane: neither may run over into the other.
            beyond &= sign * template[:, 0] > 0
            reached = _reachable(neighbours, beyond, tip)
            labels[reached] = part_of(limb, segment)
    return smooth_borders(labels, faces)


def _tip_vertex(skin_weights: Float, limb: Limb) -> int:
    """Return a vertex at the limb's end. SMPL has no fingers: its hand hangs on middle1, or on the wrist."""
    names = ("middle3", "middle1", "wrist") if limb.is_arm else ("foot", "ankle")
    joints = [f"{limb.side.value}_{name}" for name in names]
    return _most_weighted(
        skin_weights, next(j for j in joints if skin_weights[:, SMPLX_INDEX[j]].max() > 0.5)
    )


def _most_weighted(skin_weights: Float, joint: str) -> int:
    return int(np.argmax(skin_weights[:, SMPLX_INDEX[joint]]))


def _unit(vector: Float) -> Float:
    return vector / np.linalg.norm(vector)


def _neck_point(joints: Float) -> Float:
    return (joints[SMPLX_INDEX["neck"]] + joints[SMPLX_INDEX["head"]]) / 2


def _neck_normal(joints: Float) -> Float:
    return _unit(joints[SMPLX_INDEX["head"]] - joints[SMPLX_INDEX["neck"]])


def _border_plane(joints: Float, side: str, sign: float, segment: Segment) -> tuple[Float, Float]:
    """Return a point of the segment's proximal border plane and its normal towards the limb's tip."""

    def at(name: str) -> Float:
        return np.asarray(joints[SMPLX_INDEX[f"{side}_{name}"]], float)

    if segment is Segment.UPPER_ARM:
        # Through the shoulder, leaning inwards at the top as the armhole of a shirt does.
        return at("shoulder"), _unit(np.array([sign * 1.0, 0.15, 0.0]))
    if segment is Segment.THIGH:
        # The groin: low at the crotch, high at the outside of the hip.
        hip = at("hip")
        return hip + np.array([0.0, -0.035, 0.0]), _unit(np.array([sign * 0.62, -1.0, 0.0]))
    if segment is Segment.FOREARM:
        return at("elbow"), _unit(_unit(at("wrist") - at("elbow")) + _unit(at("elbow") - at("shoulder")))
    if segment is Segment.SHANK:
        return at("knee"), _unit(_unit(at("ankle") - at("knee")) + _unit(at("knee") - at("hip")))
    if segment is Segment.HAND:
        return at("wrist"), _unit(at("wrist") - at("elbow"))
    return at("ankle"), _unit(at("ankle") - at("knee"))


def _neighbour_lists(
    faces: NDArray[np.integer], n_vertices: int
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return the mesh's vertex graph in compressed rows: neighbours of v are `others[starts[v] : starts[v +
    1]]`."""
    ends = np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]]).astype(np.intp)
    ends = np.concatenate([ends, ends[:, ::-1]])
    ends = ends[np.argsort(ends[:, 0], kind="stable")]
    return np.searchsorted(ends[:, 0], np.arange(n_vertices + 1)), ends[:, 1]


def _reachable(
    neighbours: tuple[NDArray[np.intp], NDArray[np.intp]], allowed: NDArray[np.bool_], seed: int
) -> NDArray[np.bool_]:
    """Return which allowed vertices can be reached from the seed over allowed vertices; the seed always
    is."""
    starts, others = neighbours
    reached = np.zeros(len(allowed), bool)
    reached[seed] = True
    front = np.array([seed])
    while len(front):
        around = np.concatenate([others[starts[v] : starts[v + 1]] for v in front])
        front = np.unique(around[allowed[around] & ~reached[around]])
        reached[front] = True
    return reached


def smooth_borders(labels: NDArray[np.uint8], faces: NDArray[np.integer]) -> NDArray[np.uint8]:
    """Give a vertex the label of its neighbours when all but one or two of them disagree with it.

    Removes single teeth of a border, which would leave triangles hanging by a corner.
    """
    starts, others = _neighbour_lists(faces, len(labels))
    degrees = np.diff(starts)
    owners = np.repeat(np.arange(len(labels)), degrees)
    smooth = labels.copy()
    for _ in range(3):
        same = np.bincount(owners[smooth[others] == smooth[owners]], minlength=len(labels))
        # Each neighbour is listed twice: once for either triangle of the edge. Vertices without triangles
        # have none.
        teeth = np.flatnonzero((same <= 2) & (degrees > 0))
        if not len(teeth):
            break
        for v in teeth:
            smooth[v] = np.bincount(smooth[others[starts[v] : starts[v + 1]]]).argmax()
    return smooth


def border_loops(faces: NDArray[np.integer], inside: NDArray[np.bool_]) -> Sequence[NDArray[np.intp]]:
    """Return the closed boundary loops of the triangles whose corners are all inside, as vertex indices.

    inside: (V,). Raises ValueError when a boundary touches itself in a vertex, so that no loop is defined.
    """
    inner = faces[inside[faces].all(axis=1)]
    directed = np.concatenate([inner[:, [0, 1]], inner[:, [1, 2]], inner[:, [2, 0]]])
    key = directed[:, 0].astype(np.int64) * len(inside) + directed[:, 1]
    twin = directed[:, 1].astype(np.int64) * len(inside) + directed[:, 0]
    rim = directed[~np.isin(key, twin)]
    if len(np.unique(rim[:, 0])) != len(rim):
        raise ValueError("the border touches itself")
    following = dict(rim.tolist())
    loops = []
    while following:
        start, v = following.popitem()
        loop = [start]
        while v != start:
            loop.append(v)
            v = following.pop(v)
        loops.append(np.array(loop, np.intp))
    return loops
