"""Where a residual limb is cut: the part of the body that may go, and the plane that ends the limb.

ResiHMR, equations 3, 6 and 7. Paper mode cuts the posed body, joint mode the body at rest.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from limbstudio.body.parts import distal_vertices, segment_vertices
from limbstudio.body.surface import cached_topology
from limbstudio.domain.anatomy import Limb, Segment
from limbstudio.domain.errors import KnownError
from limbstudio.resihmr.cap import DOME_HEIGHT, PAPER_DOME_HEIGHT, ROOT_DOME_HEIGHT

Float = NDArray[np.floating]
Int = NDArray[np.integer]
Bool = NDArray[np.bool_]

# Neighbour averaging of the labels, in passes; turns their jagged border into one that follows the limb's
# contour.
_LABEL_SMOOTHING = 3


@dataclass(frozen=True, eq=False)
class LimbRegions:
    """Where a limb may be cut; fixed for one body, one limb and one segment.

    cuttable (V,): 0..1, membership of the vertices the plane may remove (border at 0.5). distal (V,): 0..1,
    membership of the parts beyond the segment, which always go; distal_border: the vertices on both sides of
    its border. residual (V,) bool: the segment the limb ends in.
    """

    limb: Limb
    segment: Segment
    cuttable: Float
    distal: Float
    distal_border: Int
    residual: Bool


@dataclass(frozen=True, eq=False)
class LimbCut:
    """One plane that ends one limb, in the frame of the vertices it is applied to.

    origin (3,) metres; normal (3,) unit, pointing distally. dome_height: of the cap, in radii of the section.
    tip_at_origin: the cap's tip, not the plane, lies level with `origin`: the plane moves proximally by the
    dome. distal_goes_whole: the parts beyond the segment go to their label border, as in the paper's coarse
    pruning; if not, a plane near or beyond the joint may cut them too.
    """

    regions: LimbRegions
    origin: Float
    normal: Float
    dome_height: float = DOME_HEIGHT
    tip_at_origin: bool = True
    distal_goes_whole: bool = False


def limb_regions(
    *, part_labels: NDArray[np.uint8], faces: Int, limb: Limb, segment: Segment, whole_limb: bool
) -> LimbRegions:
    """Find where `limb` may be cut when it ends in `segment`.

    part_labels (V,) into `parts.PARTS`. whole_limb: the plane may also cut the segments before `segment`
    (joint mode, where the tip and not the plane ends the limb); otherwise it stops at the segment's own
    border (paper mode).
    """
    count = len(part_labels)
    segments = limb.segments
    first = segments[0] if whole_limb else segment
    beyond = segments[segments.index(segment) + 1]
    residual = np.zeros(count, bool)
    residual[segment_vertices(part_labels, limb, segment)] = True
    edges = cached_topology(faces, count).edges
    cuttable = _smoothed_membership(distal_vertices(part_labels, limb, first), edges, count)
    distal = _smoothed_membership(distal_vertices(part_labels, limb, beyond), edges, count)
    crossing = (distal > 0.5)[edges]
    border = np.unique(edges[crossing[:, 0] != crossing[:, 1]])
    return LimbRegions(limb, segment, cuttable, distal, border, residual)


def _smoothed_membership(members: Int, edges: Int, count: int) -> Float:
    field = np.zeros(count)
    field[members] = 1.0
    return smoothed(field, edges, _LABEL_SMOOTHING)


def smoothed(field: Float, edges: Int, passes: int) -> Float:
    """Return `field` (V,) averaged `passes` times with the mean of its neighbours."""
    count = len(field)
    degree = np.maximum(np.bincount(edges.reshape(-1), minlength=count), 1)
    a, b = edges.T
    for _ in range(passes):
        total = np.bincount(a, weights=field[b], minlength=count) + np.bincount(
            b, weights=field[a], minlength=count
        )
        field = 0.5 * field + 0.5 * total / degree
    return field


def cut_point(*, anchor: Float, upstream: Float, factor: float) -> Float:
    """Return where the limb ends (3,): ResiHMR equations 3 and 6. factor: lambda, 0 all of the segment."""
    start = np.asarray(anchor, float)
    return start + factor * (np.asarray(upstream, float) - start)


def cut_normal(*, anchor: Float, upstream: Float) -> Float:
    """Return the unit normal (3,) of the cut, pointing distally: ResiHMR equation 7."""
    direction = np.asarray(anchor, float) - np.asarray(upstream, float)
    length = float(np.linalg.norm(direction))
    if not length > 0:
        raise KnownError(
            "The segment to be cut has no length: its two joints coincide.", "Run the fit again."
        )
    return direction / length


def joint_mode_cut(regions: LimbRegions, *, anchor: Float, upstream: Float, factor: float) -> LimbCut:
    """Cut so that the limb, dome included, ends at the endpoint of equation 3.

    anchor, upstream (3,): joints in the rest frame, metres. regions: of the whole limb.
    """
    origin = cut_point(anchor=anchor, upstream=upstream, factor=factor)
    return LimbCut(regions, origin, cut_normal(anchor=anchor, upstream=upstream), DOME_HEIGHT, True)


def paper_mode_cut(regions: LimbRegions, *, anchor: Float, upstream: Float, factor: float) -> LimbCut:
    """Cut by the plane of equations 6 and 7 in the posed body; the cap stands on that plane.

    The paper's two rings at +-h about a fitted plane: here the fitted plane lies between the rings,
    `cap.ring_offset` from each, and the boundary on the plane of equation 6. anchor, upstream (3,): posed
    joints, metres.
    """
    origin = cut_point(anchor=anchor, upstream=upstream, factor=factor)
    return LimbCut(
        regions, origin, cut_normal(anchor=anchor, upstream=upstream), PAPER_DOME_HEIGHT, False, True
    )


def root_cut(regions: LimbRegions, *, root: Float, outward: Float) -> LimbCut:
    """Remove a limb at its root (shoulder or hip disarticulation and beyond) by a plane through the root
    joint.

    root (3,): shoulder or hip joint; outward (3,): the next joint of the limb, metres.
    """
    normal = cut_normal(anchor=outward, upstream=root)
    return LimbCut(regions, np.asarray(root, float), normal, ROOT_DOME_HEIGHT, False)
