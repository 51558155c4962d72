"""Masks of people as pixels: layers read and kept, polygons filled, and a first outline by GrabCut."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from limbstudio.domain.anatomy import LDPOSE_EDGES
from limbstudio.domain.edits import Edit
from limbstudio.domain.errors import KnownError
from limbstudio.domain.mask_layers import (
    ALL_LAYERS,
    LayerName,
    MaskKind,
    MaskLayer,
    layer_key,
    layer_of_person,
    set_layer,
)
from limbstudio.domain.photo import Person, Photo
from limbstudio.domain.project import Project
from limbstudio.formats.mask_tiles import Bounds, is_tiles
from limbstudio.services import kept_masks
from limbstudio.services.handing_over import masks_as_png
from limbstudio.services.jobs import Context

Mask = NDArray[np.bool_]

LARGEST_CUT_PX = 500_000
"""GrabCut works on a crop of at most half a megapixel: more takes many seconds and sees no more."""

_ROUNDS = 4
_MARGIN = 0.08  # of the box: background that GrabCut learns from
_BONE = 0.035  # radius of what is surely the person around the bones, shares of the box height


class MaskPlace(Protocol):
    """What this needs of the studio."""

    @property
    def project(self) -> Project: ...

    @property
    def folder(self) -> Path | None: ...

    def photo(self, sha256: str) -> Photo: ...

    def read_blob(self, name: str) -> bytes: ...

    def keep_mask(self, mask: Mask, *, over: str | None = None, within: Bounds | None = None) -> str: ...


@dataclass(frozen=True)
class Drawn:
    """What is known of a stroke. on: the layer's record that its pixels were, None for an empty one.

    within: left, top, right, bottom in pixels; outside nothing was changed.
    """

    on: MaskLayer | None
    within: Bounds


def layer_record(project: Project, person: Person, name: LayerName) -> MaskLayer | None:
    """Return a layer's record, or None where there is none."""
    if name.kind is MaskKind.PERSON:
        layer = layer_of_person(person)
        return None if layer.is_empty else layer
    found = project.records.get(layer_key(person.id, name))
    return found if isinstance(found, MaskLayer) else None


def layers_there(project: Project, person: Person) -> tuple[LayerName, ...]:
    """Return the layers of a person that hold something."""
    return tuple(name for name in ALL_LAYERS if layer_record(project, person, name) is not None)


def read_layer(studio: MaskPlace, person: Person, name: LayerName) -> Mask:
    """Return a layer, (H, W) bool at the photo's resolution; nothing where there is none.

    KnownError when its file is gone or has another size.
    """
    from limbstudio.formats.masks import polygon_mask

    photo = studio.photo(person.photo)
    layer = layer_record(studio.project, person, name)
    if layer is None:
        return np.zeros((photo.height, photo.width), bool)
    if not layer.mask_file:
        return polygon_mask(layer.polygons, layer.holes, (photo.width, photo.height))
    assert studio.folder is not None
    mask = kept_masks.read_mask_file(layer.mask_file, studio.folder, studio.read_blob)
    if mask.shape != (photo.height, photo.width):
        raise KnownError(
            f"The mask of {name.label.lower()} has {mask.shape[1]} x {mask.shape[0]} pixels, but the photo has "
            f"{photo.width} x {photo.height}.",
            "Delete the layer and draw it again.",
        )
    return mask


def kept_pixels(
    studio: MaskPlace, person: Person, name: LayerName, mask: Mask, label: str, *, drawn: Drawn | None = None
) -> Edit:
    """Keep pixels as a layer and make the edit that says so. An empty mask takes the layer away.

    What is written is what changed: of the layer as it stands, or of what was `drawn` on, whatever stands there now.
    """
    before = layer_record(studio.project, person, name)
    empty = MaskLayer(person.id, person.photo, name.kind, name.limb)
    if not mask.any():
        return set_layer(person, before, empty, label)
    base = before if drawn is None else drawn.on
    within = drawn.within if drawn is not None and (base is None or base.mask_file) else None
    mask_file = studio.keep_mask(mask, over=base.mask_file if base is not None else None, within=within)
    return set_layer(person, before, replace(empty, mask_file=mask_file), label)


def mask_as_png(studio: MaskPlace, person: Person) -> bytes:
    """Return the person's own kept mask as a picture; one that was kept as a picture is that one."""
    assert studio.folder is not None
    mask_file = person.mask_file or ""
    data = kept_masks.newest_file(mask_file, studio.folder, studio.read_blob)
    if not is_tiles(data):
        return data
    return masks_as_png(kept_masks.read_mask_file(mask_file, studio.folder, studio.read_blob))


def layers_as_png(studio: MaskPlace, person: Person) -> list[tuple[LayerName, bytes]]:
    """Return the layers beside the person's own mask, each as a PNG."""
    names = (name for name in layers_there(studio.project, person) if name.kind is not MaskKind.PERSON)
    return [(name, masks_as_png(read_layer(studio, person, name))) for name in names]


def with_polygon(
    studio: MaskPlace,
    person: Person,
    name: LayerName,
    corners: Sequence[tuple[float, float]],
    *,
    is_hole: bool = False,
) -> Edit:
    """Make the edit that adds a polygon to a layer, or cuts a hole; lines stay lines until the layer is brushed."""
    from limbstudio.formats.masks import polygon_mask

    if len(corners) < 3:
        raise KnownError("An outline needs three corners.", "Click at least three times, then press Enter.")
    flat = tuple(float(c) for corner in corners for c in corner)
    before = layer_record(studio.project, person, name)
    label = f"{'Cut a hole in' if is_hole else 'Outline'} {name.label.lower()}"
    layer = before or MaskLayer(person.id, person.photo, name.kind, name.limb)
    if layer.mask_file or (is_hole and not layer.polygons):
        photo = studio.photo(person.photo)
        inside = polygon_mask([flat], [], (photo.width, photo.height))
        mask = read_layer(studio, person, name)
        return kept_pixels(studio, person, name, mask & ~inside if is_hole else mask | inside, label)
    if is_hole:
        after = replace(layer, holes=(*layer.holes, flat))
    elif layer.holes:  # a new outline may lie over an old hole
        photo = studio.photo(person.photo)
        mask = read_layer(studio, person, name) | polygon_mask([flat], [], (photo.width, photo.height))
        return kept_pixels(studio, person, name, mask, label)
    else:
        after = replace(layer, polygons=(*layer.polygons, flat))
    return set_layer(person, before, after, label)


def grab_cut(context: Context, pixels: np.ndarray, person: Person, size: tuple[int, int]) -> Mask:
    """Return a first outline of a person by GrabCut (Rother et al. 2004), (H, W) bool.

    pixels: (H, W, 3) uint8 RGB. The box says where the person is, the bones what surely belongs to them; the points
    that are only expected say nothing. KnownError without a box or points.
    """
    import cv2

    left, top, right, bottom = _crop_of(person, size)
    crop = pixels[top:bottom, left:right]
    scale = min(1.0, float(np.sqrt(LARGEST_CUT_PX / (crop.shape[0] * crop.shape[1]))))
    context.report(0.1, "Looking at the colours")
    small = cv2.resize(crop, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA) if scale < 1 else crop
    labels = _seeds(person, (left, top), scale, small.shape[:2])
    background, foreground = np.zeros((1, 65)), np.zeros((1, 65))
    bgr = np.ascontiguousarray(small[..., ::-1])
    cv2.setRNGSeed(1)  # its mixtures begin at random; the same photo gives the same mask
    mode = cv2.GC_INIT_WITH_MASK
    for n in range(_ROUNDS):
        cv2.grabCut(bgr, labels, (0, 0, 1, 1), background, foreground, 1, mode)
        mode = cv2.GC_EVAL
        context.report(0.2 + 0.7 * (n + 1) / _ROUNDS, "Following the outline")
    inside = ((labels == cv2.GC_FGD) | (labels == cv2.GC_PR_FGD)).astype(np.uint8)
    inside = _largest_parts(inside, labels == cv2.GC_FGD)
    grown = cv2.resize(inside * 255, (right - left, bottom - top), interpolation=cv2.INTER_LINEAR) > 127
    mask = np.zeros((size[1], size[0]), bool)
    mask[top:bottom, left:right] = grown
    return mask


def _crop_of(person: Person, size: tuple[int, int]) -> tuple[int, int, int, int]:
    box = person.box
    seen = person.keypoints.positions_px[person.keypoints.observed]
    if box is None and len(seen) < 4:
        raise KnownError(
            "There is no box around the person.", "Draw one, or place some points, and try again."
        )
    if box is not None:
        low, high = np.array([box.x, box.y]), np.array([box.x + box.width, box.y + box.height])
    else:
        low, high = seen.min(0), seen.max(0)
        room = 0.15 * float((high - low).max())
        low, high = low - room, high + room
    margin = _MARGIN * (high - low)
    left, top = np.floor(np.clip(low - margin, 0, np.array(size) - 2)).astype(int)
    right, bottom = np.ceil(np.clip(high + margin, [left + 2, top + 2], size)).astype(int)
    return int(left), int(top), int(right), int(bottom)


def _seeds(person: Person, corner: tuple[int, int], scale: float, shape: tuple[int, ...]) -> np.ndarray:
    """Return GrabCut's labels: background at the rim, person along the bones, likely person within the box."""
    import cv2

    height, width = shape[:2]
    labels = np.full((height, width), cv2.GC_BGD, np.uint8)
    rim_x, rim_y = (max(1, int(side * _MARGIN / (1 + 2 * _MARGIN))) for side in (width, height))
    labels[rim_y : height - rim_y, rim_x : width - rim_x] = cv2.GC_PR_BGD
    places = (person.keypoints.positions_px - np.array(corner)) * scale
    observed = person.keypoints.observed
    tall = height / (1 + 2 * _MARGIN)
    bones = [(a, b) for a, b in LDPOSE_EDGES if observed[a] and observed[b]]
    for radius, label in ((2.6 * _BONE, cv2.GC_PR_FGD), (_BONE, cv2.GC_FGD)):
        thickness = max(1, round(2 * radius * tall))
        if len(trunk := [i for i in (5, 6, 12, 11) if observed[i]]) >= 3:
            cv2.fillPoly(labels, [np.round(places[trunk]).astype(np.int32)], int(label))
        for a, b in bones:
            start, end = (tuple(int(v) for v in np.round(places[i])) for i in (a, b))
            # Near the joints a thin limb may be thinner than the line: the sure part is drawn thinner.
            cv2.line(
                labels,
                start,
                end,
                int(label),
                thickness if label == cv2.GC_PR_FGD else max(1, thickness // 2),
            )
    if not bones:
        labels[height // 4 : 3 * height // 4, width // 3 : 2 * width // 3] = cv2.GC_PR_FGD
    return labels


def _largest_parts(inside: np.ndarray, sure: np.ndarray) -> np.ndarray:
    """Drop specks: parts that hold nothing sure and are small beside the largest."""
    import cv2

    count, parts, stats, _ = cv2.connectedComponentsWithStats(inside, connectivity=8)
    if count <= 1:
        return inside
    areas = stats[1:, cv2.CC_STAT_AREA]
    has_sure = np.bincount(parts[sure], minlength=count)[1:] > 0
    kept = has_sure | (areas == areas.max()) | (areas > 0.05 * areas.max())
    return np.isin(parts, np.flatnonzero(kept) + 1).astype(np.uint8)
