"""Amounts at every vertex of a residual limb, to be shown as colours: distances and uncertainty."""

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import KDTree

from limbstudio.corrections.limb_surface import LimbSurface
from limbstudio.corrections.validity import outline_offsets
from limbstudio.domain.body import LimbFit
from limbstudio.domain.geometry import Camera
from limbstudio.measures.limb_sections import Z95, GirthDoubt

Float = NDArray[np.floating]
Int = NDArray[np.integer]
Bool = NDArray[np.bool_]

_NEAR_OUTLINE_M = 0.008


def edited_distance(surface: LimbSurface) -> Float:
    """Return how far each vertex lies from where the cut left it, before brushes, mirror and resets, (n,) metres."""
    return np.linalg.norm(surface.points - surface.unedited, axis=1)


def distance_from_mask(
    vertices: Float, faces: Int, surface: LimbSurface, *, mask: Bool, camera: Camera
) -> Float:
    """Return how far the limb's outline lies from the mask's, (n,) px, at the vertices that make it and close by.

    NaN elsewhere. vertices (V, 3), faces (F, 3): the whole body, camera frame. mask: (H, W) in the upright photo.
    """
    amounts = np.full(len(surface.points), np.nan)
    rows, offsets = outline_offsets(vertices, faces, surface, mask=mask, camera=camera)
    if len(rows):
        distance, nearest = (
            np.asarray(found) for found in KDTree(surface.points[rows]).query(surface.points)
        )
        near = distance <= _NEAR_OUTLINE_M
        amounts[near] = np.abs(offsets)[nearest[near]]
    return amounts


def doubt_along_the_ray(surface: LimbSurface, limb: LimbFit) -> Float:
    """Return half of each vertex's 95 % interval of depth, from the limb's proximal joint on, (n,) metres.

    From the fit's intervals of lambda and length; NaN where it has none. The body's size doubts how far a place lies
    from the joint along the ray, in proportion. Where the limb ends is held across the ray by the picture, so that a
    longer bone can only go on along it: from the joint to the end it then reaches as much farther along the ray as
    keeps its extent across. What is not in it: how far the joint itself is from the camera, and how well the body's
    shape meets this limb's.
    """
    doubt = GirthDoubt.of(limb)
    if not np.isfinite([doubt.scale, doubt.end_m]).all():
        return np.full(len(surface.points), np.nan)
    joint = np.asarray(limb.upstream_position, float)
    bone = np.asarray(limb.endpoint, float) - joint
    posed = surface.posed()
    ray = posed / np.maximum(np.linalg.norm(posed, axis=1), 1e-9)[:, None]
    from_joint = ((posed - joint) * ray).sum(axis=1)
    length, depth, longer = float(np.linalg.norm(bone)), np.abs(ray @ bone), Z95 * doubt.end_m
    farther = np.sqrt(depth**2 + 2 * length * longer + longer**2) - depth
    share = np.clip(surface.frame.axial_of(surface.points) / max(surface.end_axial, 1e-6), 0.0, None)
    return np.hypot(Z95 * doubt.scale * from_joint, share * farther)
