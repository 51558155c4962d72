"""The other side's limb as a model: the wall takes its shape, mirrored, between the seam and the ring."""

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import KDTree

from limbstudio.corrections.limb_frame import LimbFrame
from limbstudio.corrections.limb_surface import LimbSurface, nearest_on_triangles

Float = NDArray[np.floating]
Int = NDArray[np.integer]
Bool = NDArray[np.bool_]

# Where the other limb ends sooner, its shape fades out over this axial stretch before its end.
_FADE_AXIAL = 0.05


def mirrored(surface: LimbSurface, other: LimbFrame, points: Float, faces: Int, *, strength: float) -> Float:
    """Return the points (n, 3) of a limb whose wall has taken the shape of the other side's limb.

    other: the frame of that limb; points (V, 3), faces (F, 3): its wall at rest, without a cap. The ring
    carries the cap along. A wall that the other limb does not reach stays.
    """
    mesh, frame = surface.mesh, surface.frame
    local = other.local(points)
    model = frame.position(local)  # mirror images have the same coordinates in their own frames
    reach = np.maximum(np.linalg.norm(local[:, 1:], axis=1), 1e-9)
    chart = np.column_stack([local[:, 0], mesh.girth * local[:, 1:] / reach[:, None]])
    wall = np.flatnonzero(mesh.cap <= 0)
    targets = frame.local(surface.points[wall])
    size = np.maximum(np.linalg.norm(targets[:, 1:], axis=1), 1e-9)
    targets = np.column_stack([targets[:, 0], mesh.girth * targets[:, 1:] / size[:, None]])
    corners, weights, gap = _lookup(chart, faces, targets)
    goal = np.einsum("nc,ncd->nd", weights, model[corners])
    known = np.clip(1 - gap / _FADE_AXIAL, 0, 1)
    move = np.zeros_like(surface.points)
    amount = strength * known * surface.fade[wall]
    radial = goal - surface.points[wall]
    radial -= (radial @ frame.axis)[:, None] * frame.axis
    move[wall] = amount[:, None] * radial
    return surface.points + _with_cap(surface, move)


def _with_cap(surface: LimbSurface, move: Float) -> Float:
    """Let the cap follow what its ring does, less and less towards the tip. move (n, 3): of the wall."""
    mesh = surface.mesh
    cap = np.flatnonzero(mesh.cap > 0)
    ring = np.unique(surface.faces[mesh.on_cap])
    ring = ring[mesh.cap[ring] <= 0]
    if not len(cap) or not len(ring):
        return move
    disk = mesh.disk_chart[cap]
    radius = np.linalg.norm(disk, axis=1)
    around = disk / np.maximum(radius, 1e-9)[:, None]
    gaps, near = KDTree(mesh.disk_chart[ring]).query(around, k=min(4, len(ring)))
    gaps, near = np.atleast_2d(gaps.T).T, np.atleast_2d(near.T).T
    weights = 1 / np.maximum(gaps, 1e-6)
    weights /= weights.sum(axis=1, keepdims=True)
    at_ring = np.einsum("nk,nkd->nd", weights, move[ring[near]])
    share = np.sin(np.clip(radius, 0, 1) * np.pi / 2)[:, None]
    mean = move[ring].mean(axis=0)
    moved = move.copy()
    moved[cap] = share * at_ring + (1 - share) * mean
    return moved


def _lookup(chart: Float, faces: Int, targets: Float) -> tuple[Int, Float, Float]:
    """Return, for targets (N, 3) in the chart: corners (N, 3), weights (N, 3), how far beyond the surface."""
    corners_of = chart[faces]
    tree = KDTree(corners_of.mean(axis=1))
    near = tree.query(targets, k=min(8, len(faces)))[1].reshape(len(targets), -1)
    flat = near.reshape(-1)
    repeated = np.repeat(targets, near.shape[1], axis=0)
    weights, gap = nearest_on_triangles(corners_of[flat], repeated)
    gap = gap.reshape(near.shape)
    best = np.argmin(gap, axis=1)
    rows = np.arange(len(targets))
    chosen = near[rows, best]
    weights = weights.reshape(*near.shape, 3)[rows, best]
    corners = faces[chosen]
    axial = np.einsum("nc,nc->n", weights, chart[corners, 0])
    return corners, weights, np.abs(axial - targets[:, 0])
