"""Masks of a person's body: a PNG beside the annotations, polygons less holes, or COCO's run lengths."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from limbstudio.domain.errors import KnownError
from limbstudio.domain.mask_layers import MaskKind
from limbstudio.formats.annotated import AnnotatedPerson, RunLengths
from limbstudio.images import LoadedPhoto, open_photo

Mask = NDArray[np.bool_]

WHITE_ABOVE = 127
"""Grey values above count as body: half of white, so that JPEG's noise does not matter."""

MAX_CROSSINGS = 20_000_000
"""Edges times rows of one polygon: ten thousand corners over a photo of two thousand rows."""


def person_mask(
    annotated: AnnotatedPerson, photo: LoadedPhoto, *, folder: Path, given: Path | None = None
) -> Mask | None:
    """Return the mask that counts less the prostheses, (H, W) bool in the upright photo, or None where there is none.

    Order: the `given` file, the annotation's `mask_file` (in `folder` or below), its `segmentation`. A given file is
    taken as it is. annotated: as `placing.placed_on` returns it. KnownError for a file that is absent, of another size,
    or no mask.
    """
    mask = own_mask(annotated, photo, folder=folder, given=given)
    if mask is None or given is not None:
        return mask
    for name, mask_file in annotated.layers:
        if name.kind is MaskKind.PROSTHESIS:
            mask = mask & ~layer_mask(annotated, photo, mask_file, folder=folder)
    return mask


def layer_mask(annotated: AnnotatedPerson, photo: LoadedPhoto, mask_file: str, *, folder: Path) -> Mask:
    """Return one of the annotation's mask layers, (H, W) bool in the upright photo; KnownError as `person_mask`."""
    return _mask_file(_below(folder, mask_file), (photo.width, photo.height), annotated.turned)


def own_mask(
    annotated: AnnotatedPerson, photo: LoadedPhoto, *, folder: Path, given: Path | None = None
) -> Mask | None:
    """Return the person's mask as `person_mask` does, prostheses and all."""
    size = (photo.width, photo.height)
    if given is not None:
        return _mask_file(given, size, annotated.turned)
    if annotated.person.mask_file:
        return _mask_file(_below(folder, annotated.person.mask_file), size, annotated.turned)
    if annotated.run_lengths is not None:
        _refuse_size(annotated.run_lengths.size_px, size, annotated.turned, "The run-length mask")
        return _fitted(decode_run_lengths(annotated.run_lengths), size, annotated.turned)
    if annotated.person.polygons:
        return polygon_mask(annotated.person.polygons, annotated.person.holes, size)
    return None


def polygon_mask(
    polygons: Sequence[Sequence[float]], holes: Sequence[Sequence[float]], size_px: tuple[int, int]
) -> Mask:
    """Return the union of polygons less the holes, (H, W) bool. Flat x, y lists; size_px: width, height.

    A pixel belongs to a polygon when its centre lies inside or on its edge (as tracing tools draw them), to a
    hole when its centre lies strictly inside.
    """
    mask = np.zeros((size_px[1], size_px[0]), dtype=bool)
    for polygon in polygons:
        mask |= _filled(polygon, size_px, edge=True)
    for hole in holes:
        mask &= ~_filled(hole, size_px, edge=False)
    return mask


def decode_run_lengths(runs: RunLengths) -> Mask:
    """Return a COCO run-length mask as (H, W) bool: runs of 0 and 1 in turn, down the columns."""
    width, height = runs.size_px
    # Python's own integers: a file may hold numbers of any length.
    counts = _uncompressed(runs.counts) if isinstance(runs.counts, str) else list(runs.counts)
    if min(counts, default=-1) < 0 or sum(counts) != width * height:
        raise KnownError(
            f"The run-length mask does not fill its {width} x {height} pixels.",
            "Export the mask again, or as polygons.",
        )
    values = np.arange(len(counts)) % 2 == 1
    return np.repeat(values, counts).reshape(width, height).T


def encode_run_lengths(mask: Mask) -> RunLengths:
    """Return a mask (H, W) as uncompressed COCO run lengths."""
    flat = np.asarray(mask, dtype=bool).T.ravel()
    changes = np.flatnonzero(flat[1:] != flat[:-1]) + 1
    edges = np.concatenate(([0], changes, [flat.size]))
    counts = [int(n) for n in np.diff(edges)]
    if flat.size and flat[0]:
        counts.insert(0, 0)
    return RunLengths((mask.shape[1], mask.shape[0]), tuple(counts))


# ------------------------------------------------------------------------------------------------ mask files


def _below(folder: Path, name: str) -> Path:
    """Return the path of a mask below the folder of the annotations; a file may not point anywhere else."""
    plain = name.replace("\\", "/")
    path = (folder / plain).resolve()
    outside = plain.startswith("/") or ":" in plain.split("/")[0] or "\0" in plain
    if outside or not path.is_relative_to(folder.resolve()):
        raise KnownError(
            f"The mask_file “{name}” lies outside the folder of the annotations.",
            "Put the mask beside the annotations and name it without a path.",
        )
    return path


def _mask_file(path: Path, size: tuple[int, int], turned: int) -> Mask:
    if not path.exists():
        raise KnownError(f"There is no mask {path}.", "Check its name, and the folder of the annotations.")
    grey = open_photo(path).pixels.max(axis=2)
    # Label pictures hold 0 and 1 instead of black and white; no other reading of them makes sense.
    mask = grey > (0 if grey.max() == 1 else WHITE_ABOVE)
    return fitting_mask(mask, size, turned, what=f"The mask {path.name}")


def fitting_mask(mask: Mask, size: tuple[int, int], turned: int = 1, *, what: str) -> Mask:
    """Return a mask in the upright photo of that size; KnownError when it has another size, or is no mask.

    turned: EXIF's orientation of the annotation it came with. what: how messages begin.
    """
    if mask.all() or not mask.any():
        raise KnownError(
            f"{what} is all {'white' if mask.any() else 'black'}.",
            "In a mask white is the body, black the rest.",
        )
    _refuse_size((mask.shape[1], mask.shape[0]), size, turned, what)
    return _fitted(mask, size, turned)


def _refuse_size(mask_px: tuple[int, int], photo_px: tuple[int, int], turned: int, what: str) -> None:
    """Refuse a mask of another size, before run lengths are unpacked: they can claim any."""
    if mask_px == photo_px or (turned != 1 and mask_px == photo_px[::-1]):
        return
    raise KnownError(
        f"{what} has {mask_px[0]} x {mask_px[1]} pixels, but the photo has {photo_px[0]} x {photo_px[1]}.",
        "Make the mask in the size of the photo, or leave masks off.",
    )


def _fitted(mask: Mask, size: tuple[int, int], turned: int) -> Mask:
    """Return the mask in the upright photo: as it is, or turned like the annotation it came with."""
    return mask if mask.shape == size[::-1] else _turned(mask, turned)


def _turned(mask: Mask, orientation: int) -> Mask:
    """Return the mask as EXIF's orientation 5 to 8 shows it."""
    columns = mask.T
    return {5: columns, 6: columns[:, ::-1], 7: columns[::-1, ::-1], 8: columns[::-1]}[orientation].copy()


# -------------------------------------------------------------------------------------------------- polygons


def _filled(flat: Sequence[float], size_px: tuple[int, int], *, edge: bool) -> Mask:
    """Return the pixels whose centres lie inside a polygon (even-odd), with or without those on its edge."""
    points = np.asarray(flat, dtype=float).reshape(-1, 2)
    # Only the window around the polygon is worked on: people are small in photos.
    low = np.clip(np.floor(points.min(axis=0)), 0, size_px).astype(int)
    high = np.clip(np.floor(points.max(axis=0)) + 1, 0, size_px).astype(int)
    width, height = (int(side) for side in high - low)
    whole = np.zeros((size_px[1], size_px[0]), dtype=bool)
    if width > 0 and height > 0:
        inside, on_edge = _scanned(points - low, width, height)
        whole[low[1] : high[1], low[0] : high[0]] = inside | on_edge if edge else inside & ~on_edge
    return whole


def _scanned(points: NDArray[np.float64], width: int, height: int) -> tuple[Mask, Mask]:
    """Return which pixels lie inside a polygon, and which exactly on its edge."""
    x0, y0 = points.T
    x1, y1 = np.roll(points, -1, axis=0).T
    # Rows that each edge crosses, half-open in y, so that a corner counts once.
    first = np.clip(np.ceil(np.minimum(y0, y1)), 0, height).astype(int)
    last = np.clip(np.ceil(np.maximum(y0, y1)), 0, height).astype(int)
    if int((last - first).sum()) > MAX_CROSSINGS:
        raise KnownError("An outline has far too many corners.", "Export it simpler, or as a mask_file.")
    edges = np.repeat(np.arange(len(points)), last - first)
    starts_at = np.cumsum(last - first) - (last - first)
    rows = np.arange(edges.size) - starts_at[edges] + first[edges]
    crossings = x0[edges] + (rows - y0[edges]) * ((x1 - x0)[edges] / (y1 - y0)[edges])
    flips = np.zeros((height, width + 1), dtype=np.int32)
    np.add.at(flips, (rows, np.clip(np.ceil(crossings), 0, width).astype(int)), 1)
    inside = np.cumsum(flips[:, :width], axis=1) % 2 == 1
    on_edge = np.zeros((height, width), dtype=bool)
    exact = (crossings == np.rint(crossings)) & (crossings >= 0) & (crossings < width)
    on_edge[rows[exact], crossings[exact].astype(int)] = True
    level = (y0 == y1) & (y0 == np.rint(y0)) & (y0 >= 0) & (y0 < height)
    for y, xa, xb in zip(y0[level].astype(int), x0[level], x1[level], strict=True):
        left, right = max(0, int(np.ceil(min(xa, xb)))), min(width - 1, int(np.floor(max(xa, xb))))
        on_edge[y, left : right + 1] = True
    corners = points[(points == np.rint(points)).all(axis=1)].astype(int)
    kept = corners[((corners >= 0) & (corners < (width, height))).all(axis=1)]
    on_edge[kept[:, 1], kept[:, 0]] = True
    return inside, on_edge


# ----------------------------------------------------------------------------------------------- run lengths


def _uncompressed(text: str) -> list[int]:
    """Return the runs of COCO's compressed text.

    Each character is 48 plus six bits, lowest first: five of a number and one that says whether it goes on.
    From the fourth number on, differences to the number before the last are kept.
    """
    counts: list[int] = []
    at = 0
    while at < len(text):
        number = shift = 0
        while True:
            if at >= len(text) or not 48 <= ord(text[at]) < 112 or shift > 60:
                raise KnownError("The run-length mask is damaged.", "Export the mask again, or as polygons.")
            bits = ord(text[at]) - 48
            at += 1
            number |= (bits & 31) << shift
            shift += 5
            if not bits & 32:
                break
        if bits & 16:  # negative: fill with ones above
            number -= 1 << shift
        counts.append(number + (counts[-2] if len(counts) > 2 else 0))
    return counts
