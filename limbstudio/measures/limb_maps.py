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
    """Return the 95 % half-width of each vertex's depth relative to the limb's proximal joint, (n,) metres.

    From the fit's intervals. The body's size doubts the limb's extent along the ray in proportion. Where the limb ends
    is held across the ray by the picture, so that an error of the length is paid for along it: by 1 / cos of the angle
    between bone and ray, bounded where the bone lies across the ray and an error of the length only tilts it.
    """
    doubt = GirthDoubt.of(limb)
    along = np.asarray(limb.endpoint, float) - np.asarray(limb.upstream_position, float)
    length = max(float(np.linalg.norm(along)), 1e-6)
    ray = surface.posed()
    ray = ray / np.maximum(np.linalg.norm(ray, axis=1), 1e-9)[:, None]
    toward = np.abs(ray @ along) / length
    share = np.clip(surface.frame.axial_of(surface.points) / max(surface.end_axial, 1e-6), 0.0, None)
    reach = Z95 * doubt.end_m
    tilt = np.minimum(reach / np.maximum(toward, 1e-3), np.sqrt(2 * length * reach + reach**2))
    return share * np.hypot(Z95 * doubt.scale * toward * length, tilt)
