"""Whether a corrected surface is still one: faces turned over, places where it passes through itself, and the
facts a person watches while correcting.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from limbstudio.body.parts import part_of
from limbstudio.body.surface import surface_facts
from limbstudio.corrections.limb_frame import LimbFrame
from limbstudio.corrections.limb_surface import LimbSurface, face_normals, face_volumes
from limbstudio.corrections.self_intersection import local_intersections
from limbstudio.domain.anatomy import Limb
from limbstudio.domain.body import ScaleSource
from limbstudio.domain.geometry import Camera
from limbstudio.rendering.silhouette import silhouette
from limbstudio.resihmr.pipeline import BodyMesh

Float = NDArray[np.floating]
Int = NDArray[np.integer]
Bool = NDArray[np.bool_]

_FOLDED = -0.5  # cosine between the normals of two neighbours, below which they lie on each other

# Scales under which millimetres are said as such.
GIVEN_SCALES = (ScaleSource.STATURE, ScaleSource.REFERENCE)


def flipped_faces(before: Float, after: Float, faces: Int, among: Int | None = None) -> Int:
    """Return the faces (ids) that were turned over, or crushed to nothing, between two states of the points."""
    ids = np.arange(len(faces)) if among is None else np.asarray(among)
    was, now = (face_normals(points, faces[ids]) for points in (before, after))
    return ids[(was * now).sum(axis=1) <= 0]


@dataclass(frozen=True, eq=False)
class Fold:
    """Where a change folds the surface. faces: ids of the limb's faces; where: in words; position (3,) at
    rest.
    """

    faces: Int
    where: str
    position: Float


def find_fold(before: LimbSurface, after: Float, moved: Int, *, scale: ScaleSource) -> Fold | None:
    """Return where moving the vertices `moved` to `after` (n, 3) folds the limb or passes it through itself.

    None where it does not, or did so before already. Exact; asked at the end of a stroke.
    """
    if not len(moved):
        return None
    faces = before.faces
    changed = before.mesh.faces_at(moved)
    bad = flipped_faces(before.points, after, faces, changed)
    if not len(bad):
        # Two small turns one after the other lay a face on its neighbour, and neither of them turns it over.
        near = before.mesh.faces_at(np.unique(faces[changed]))
        bad = near[folded_faces(after, faces[near])]
        bad = bad if not len(bad) else np.setdiff1d(bad, near[folded_faces(before.points, faces[near])])
    if not len(bad):
        pairs = local_intersections(after, faces, changed)
        if not len(pairs):
            return None
        known = local_intersections(before.points, faces, changed)
        new = ~np.isin(pairs @ [len(faces), 1], known @ [len(faces), 1])
        bad = np.unique(pairs[new])
        if not len(bad):
            return None
    corners = before.points[faces[bad]].mean(axis=1)
    position = corners[np.argmax(before.frame.axial_of(corners))]
    return Fold(bad, place_in_words(before, position, scale), position)


def find_fold_of_shape(surface: LimbSurface, *, scale: ScaleSource) -> Fold | None:
    """Return where the shape given to a limb's end folds it, or passes it through itself, as the cut alone did not.

    A dome turns its faces far, which is no fold: what counts are edges whose two faces lie on each other.
    """
    points, base, faces = surface.unedited, surface.mesh.base_rest, surface.faces
    bad = np.setdiff1d(folded_faces(points, faces), folded_faces(base, faces))
    if not len(bad):
        pairs = local_intersections(points, faces)
        if len(pairs):
            known = local_intersections(base, faces)
            bad = np.unique(pairs[~np.isin(pairs @ [len(faces), 1], known @ [len(faces), 1])])
    if not len(bad):
        return None
    corners = points[faces[bad]].mean(axis=1)
    position = corners[np.argmax(surface.frame.axial_of(corners))]
    return Fold(bad, place_in_words(surface, position, scale), position)


def folded_faces(points: Float, faces: Int) -> Int:
    """Return the faces (ids) that lie on a neighbour: their normals differ by more than 120 degrees."""
    starts, ends = faces.reshape(-1), faces[:, [1, 2, 0]].reshape(-1)
    key = np.minimum(starts, ends) * (len(points) + 1) + np.maximum(starts, ends)
    order = np.argsort(key, kind="stable")
    owner, key = order // 3, key[order]
    same = key[1:] == key[:-1]
    one, two = owner[:-1][same], owner[1:][same]
    normals = face_normals(points, faces)
    size = np.linalg.norm(normals, axis=1)
    cosine = (normals[one] * normals[two]).sum(axis=1)
    on_it = cosine < _FOLDED * size[one] * size[two]
    return np.unique(np.concatenate([one[on_it], two[on_it]]))


def place_in_words(surface: LimbSurface, position: Float, scale: ScaleSource) -> str:
    """Return 'at 62 mm from the end'; 'about' where no scale was given."""
    share = surface.end_axial - float(surface.frame.axial_of(position))
    distance = max(0.0, share * surface.frame.length_m * 1000)
    about = "" if scale in GIVEN_SCALES else "about "
    return f"at {about}{distance:.0f} mm from the end"


@dataclass(frozen=True)
class ValidityFacts:
    """The validity strip of one limb. closed: of the whole mesh. self_intersections: pairs within the limb.

    volume_m3: of the limb's surface and the flat lid where it joins the body. length_m: proximal joint to
    end along the bone. from_mask_px: mean distance of the limb's outline from the mask's, None without a mask
    or where no outline of it is seen; from_mask_m: the same at the limb's depth.
    """

    closed: bool
    self_intersections: int
    volume_m3: float
    length_m: float
    from_mask_px: float | None = None
    from_mask_m: float | None = None

    @property
    def is_valid(self) -> bool:
        return self.closed and self.self_intersections == 0


def validity_facts(
    vertices: Float,
    faces: Int,
    limb: LimbSurface,
    *,
    mask: Bool | None = None,
    camera: Camera | None = None,
    intersections: int | None = None,
) -> ValidityFacts:
    """Count what `ValidityFacts` lists. vertices (V, 3) posed, faces (F, 3): the whole corrected mesh.

    intersections: of the limb where they are known already (they take most of the time).
    """
    closed = surface_facts(vertices, faces).watertight
    if intersections is None:
        intersections = len(local_intersections(limb.points, limb.faces))
    length = limb.end_axial * limb.frame.length_m
    distance = None
    if mask is not None and camera is not None:
        distance = outline_distance(vertices, faces, limb, mask=mask, camera=camera)
    px, metres = (None, None) if distance is None else distance
    return ValidityFacts(closed, intersections, limb_volume(limb), length, px, metres)


def limb_volume(limb: LimbSurface) -> float:
    """Return the volume (m3) within the limb's surface, closed by a fan where it joins the body."""
    return float(limb.face_volumes.sum())


def cut_facts(mesh: BodyMesh, limb: Limb, frame: LimbFrame) -> tuple[float, float]:
    """Return volume (m3) and length (m, joint to end) of a limb that is only cut and capped, not refined."""
    stump = next(item for item in mesh.stumps if item.limb is limb)
    own = np.asarray(mesh.residual, bool) & (mesh.parts == part_of(limb, stump.segment))
    own[stump.boundary] = True
    inside = own[mesh.faces].all(axis=1)
    inside[stump.cap_faces] = True
    points, faces = np.asarray(mesh.tpose, float), np.asarray(mesh.faces[inside], np.int64)
    edges = np.stack([faces.reshape(-1), faces[:, [1, 2, 0]].reshape(-1)], axis=1)
    keys = edges @ [len(points), 1]
    rim = edges[~np.isin(keys, edges @ [1, len(points)])]
    lid = points[rim[:, 0] if len(rim) else faces[:, 0]].mean(axis=0)
    volume = face_volumes(points[faces[:, 0]], face_normals(points, faces), lid).sum()
    return float(volume), float(frame.axial_of(points[faces]).max()) * frame.length_m


def outline_distance(
    vertices: Float, faces: Int, limb: LimbSurface, *, mask: Bool, camera: Camera
) -> tuple[float, float] | None:
    """Return how far the limb's outline lies from the mask's outline, mean of absolutes: pixels, metres.

    Only where the limb itself makes the body's outline. None where it makes none, or the mask is empty.
    """
    rows, off = outline_offsets(vertices, faces, limb, mask=mask, camera=camera)
    if not len(rows):
        return None
    off = np.abs(off)
    depth = limb.posed(ids=rows)[:, 2]
    return float(off.mean()), float((off * depth / camera.focal_px).mean())


def outline_offsets(
    vertices: Float, faces: Int, limb: LimbSurface, *, mask: Bool, camera: Camera
) -> tuple[Int, Float]:
    """Return the limb's vertices that make the body's outline, and how far outside the mask's outline they lie, px.

    Negative: inside the mask. None of them where the limb makes no outline, or the mask has none.
    """
    import cv2  # a distance transform, needed only where a mask is

    nothing = np.zeros(0, np.int64), np.zeros(0)
    drawn = silhouette(vertices, faces, camera)
    if not mask.any() or mask.all() or not drawn.any():
        return nothing
    from_outline = _outline_distances(np.asarray(mask, bool), cv2)
    from_drawn = _outline_distances(drawn, cv2)
    posed = limb.posed()
    seen = posed[:, 2] > 0
    px = np.full((len(posed), 2), np.nan)
    px[seen] = camera.project(posed[seen])
    column, row = np.round(np.nan_to_num(px, nan=-1)).astype(int).T
    height, width = mask.shape
    inside = seen & (column >= 0) & (row >= 0) & (column < width) & (row < height) & ~limb.mesh.joined
    rows = np.flatnonzero(inside)
    rows = rows[np.abs(from_drawn[row[rows], column[rows]]) <= 1.5]
    return rows, from_outline[row[rows], column[rows]]


def _outline_distances(mask: Bool, cv2: object) -> Float:
    """Return each pixel's distance from the mask's outline, (H, W): negative inside."""
    transform = cv2.distanceTransform  # type: ignore[attr-defined]
    inside = transform(mask.astype(np.uint8), cv2.DIST_L2, 5)  # type: ignore[attr-defined]
    outside = transform((~mask).astype(np.uint8), cv2.DIST_L2, 5)  # type: ignore[attr-defined]
    return np.where(mask, 0.5 - inside, outside - 0.5)
