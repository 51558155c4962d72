"""Samples of A3D as the limb classifier is trained on them: read from shards one by one, and varied as photos vary."""

import io
import json
import tarfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeVar

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from limbstudio.a3d.seen import LEAST_EVIDENCE
from limbstudio.ajahr.build import HEAD_LIMBS, INTACT_CLASS, N_CLASSES
from limbstudio.ajahr.limb_crop import Pixels, Square, as_input, cut_out, points_in_crop, square_around
from limbstudio.ajahr.losses import UNKNOWN_CLASS
from limbstudio.domain.anatomy import (
    LDPOSE,
    LDPOSE_INDEX,
    LDPOSE_NAMES,
    KeypointState,
    Limb,
    limb_ends,
    limb_joints,
)
from limbstudio.domain.errors import KnownError
from limbstudio.domain.geometry import Box
from limbstudio.training.detected_points import detected_points

T = TypeVar("T")
Floats = NDArray[np.floating[Any]]

_SWAPS = [point.swap for point in LDPOSE]
# Which head is the other side's.
MIRRORED_HEADS = [HEAD_LIMBS.index(limb.opposite) for limb in HEAD_LIMBS]
# Crops vary so much: side as a share, place as shares of the side.
_SIDE_RANGE, _SHIFT = (0.88, 1.2), 0.06
_WITHOUT_BOX, _FLIPPED, _COVERED = 0.3, 0.5, 0.45
_MOST_PATCHES = 3
# Grain is a piece of this: to draw it anew for every picture takes as long as all else.
_GRAIN = np.random.default_rng(0).standard_normal(1_000_003, np.float32)


@dataclass(frozen=True)
class Place:
    """Where a sample lies: a shard, and its picture's and truth's bytes in it."""

    shard: Path
    picture: tuple[int, int]
    truth: tuple[int, int]


@dataclass(frozen=True, eq=False)
class ShownPerson:
    """A person in a picture, with the truth. pixels: (H, W, 3). points_px: (25, 2), NaN where there is no place.

    states: of the 25 points. classes: (4,), UNKNOWN_CLASS where the picture cannot tell. covered: whether the picture
    was made with things before the person.
    """

    pixels: Pixels
    points_px: Floats
    states: tuple[KeypointState, ...]
    box: Box
    classes: NDArray[np.int64]
    covered: bool

    @property
    def size(self) -> float:
        """Return the longer side of the box, pixels."""
        return max(self.box.width, self.box.height)


@dataclass(eq=False)  # not frozen: Lightning moves its tensors to a device
class LimbBatch:
    """crops: (B, 3, S, S). points: (B, 17, 3) in the crop, with confidence. classes: (B, 4). covered: (B,) bool.

    places: (B, 25, 2), the true points in the crop, NaN where there is none: for training alone, never told.
    """

    crops: Tensor
    points: Tensor
    classes: Tensor
    covered: Tensor
    places: Tensor


# ------------------------------------------------------------------------------------------------------- shards


def find_samples(folder: Path) -> tuple[Place, ...]:
    """Return where all samples of a folder's shards lie, in order; KnownError for none, or a damaged shard."""
    shards = sorted(folder.glob("*.tar")) if folder.is_dir() else []
    if not shards:
        raise KnownError(
            f"There are no shards (*.tar) in {folder}.", "Make some with `limbstudio a3d make --out DIR`."
        )
    found = [place for shard in shards for place in _samples_of(shard)]
    if not found:
        raise KnownError(
            f"The shards in {folder} hold no samples.", "Make them anew with `limbstudio a3d make`."
        )
    return tuple(found)


def require_others(shards: Path, validation: Path) -> None:
    """Raise KnownError where samples to judge with are those to train on."""
    if shards.resolve() == validation.resolve():
        raise KnownError(
            "Samples to judge with must not be those to train on.", "Make others for --validation."
        )


def _samples_of(shard: Path) -> list[Place]:
    try:
        with tarfile.open(shard, mode="r:") as tar:
            whole = shard.stat().st_size
            parts: dict[str, dict[str, tuple[int, int]]] = {}
            for member in tar:
                key, _, ending = member.name.partition(".")
                if member.offset_data + member.size > whole:
                    raise tarfile.ReadError(f"{member.name} is cut off")
                parts.setdefault(key, {})[ending] = member.offset_data, member.size
        return [Place(shard, part["jpg"], part["json"]) for part in parts.values()]
    except (OSError, tarfile.TarError, KeyError) as error:
        raise KnownError(
            f"The shard {shard} is damaged ({error}).", "Make it anew with `limbstudio a3d make --resume`."
        ) from error


def read_sample(place: Place) -> ShownPerson:
    """Read one sample; KnownError where it is damaged."""
    return read_with(place, shown_person)


def read_with(place: Place, read: Callable[[Mapping[str, Any], Pixels], T]) -> T:
    """Return what is read of a sample's truth and picture (H, W, 3); KnownError where these are damaged."""
    try:
        with place.shard.open("rb") as file:
            picture, truth = (_bytes(file, *part) for part in (place.picture, place.truth))
        return read(json.loads(truth), np.asarray(Image.open(io.BytesIO(picture)).convert("RGB")))
    except (OSError, ValueError, KeyError, TypeError, SyntaxError) as error:
        raise KnownError(
            f"A sample of {place.shard} cannot be read ({error}).",
            "Make the shard anew with `limbstudio a3d make --resume`.",
        ) from error


def _bytes(file: Any, offset: int, size: int) -> bytes:
    file.seek(offset)
    return file.read(size)


def shown_person(truth: Mapping[str, Any], pixels: Pixels) -> ShownPerson:
    """Return a sample's truth as the training needs it."""
    known = [truth["keypoints"][name] for name in LDPOSE_NAMES]
    nowhere = (np.nan, np.nan)
    return ShownPerson(
        pixels,
        np.array([point.get("px", nowhere) for point in known], float),
        tuple(KeypointState(point["state"]) for point in known),
        Box(*(float(value) for value in truth["box"])),
        np.array([_class_of(truth["limbs"][limb.value]) for limb in HEAD_LIMBS]),
        bool(truth["occluders"]),
    )


def _class_of(limb: Mapping[str, Any]) -> int:
    """Return a limb's class; unknown where the picture does not show that the lost part is not there."""
    found = int(limb["ajahr_class"])
    if not 0 <= found < N_CLASSES:
        raise ValueError(f"{found} is no class of a limb")
    hidden = found != INTACT_CLASS and float(limb.get("evidence_share", 1.0)) < LEAST_EVIDENCE
    return UNKNOWN_CLASS if hidden else found


# --------------------------------------------------------------------------------------------------- variations


def flipped(person: ShownPerson) -> ShownPerson:
    """Return the mirror image: left limbs and points become right ones."""
    width = person.pixels.shape[1]
    points = person.points_px[_SWAPS].copy()
    points[:, 0] = width - 1 - points[:, 0]
    return replace(
        person,
        pixels=np.ascontiguousarray(person.pixels[:, ::-1]),
        points_px=points,
        states=tuple(person.states[row] for row in _SWAPS),
        box=replace(person.box, x=width - person.box.x - person.box.width),
        classes=person.classes[MIRRORED_HEADS],
    )


def covered(person: ShownPerson, rng: np.random.Generator) -> ShownPerson:
    """Return the person behind some patches. None lies where a picture must show that a part is not there."""
    pixels, states = person.pixels.copy(), list(person.states)
    telling = _telling_places(person)
    for _ in range(rng.integers(1, _MOST_PATCHES + 1)):
        middle = np.array([person.box.x, person.box.y]) + rng.random(2) * (
            person.box.width,
            person.box.height,
        )
        half = rng.uniform(0.05, 0.16, 2) * person.size
        gaps = np.abs(telling - middle) - half
        if len(telling) and np.any(gaps.max(1) < 0.08 * person.size):
            continue
        _draw_patch(pixels, middle, half, rng)
        far = np.abs(person.points_px - middle)  # NaN is not less than anything
        inside = (far[:, 0] < half[0]) & (far[:, 1] < half[1])
        for row in np.flatnonzero(inside):
            if states[row] is KeypointState.VISIBLE:
                states[row] = KeypointState.OCCLUDED
    return replace(person, pixels=pixels, states=tuple(states))


def _draw_patch(pixels: Pixels, middle: Floats, half: Floats, rng: np.random.Generator) -> None:
    """Draw a box or an ellipse of one colour with some grain, or a piece of the picture itself."""
    height, width = pixels.shape[:2]
    low = np.clip(np.rint(middle - half), 0, (width - 1, height - 1)).astype(int)
    high = np.clip(np.rint(middle + half) + 1, low + 1, (width, height)).astype(int)
    size = high - low
    if rng.random() < 0.4:
        x, y = (
            int(rng.integers(0, limit - extent + 1))
            for limit, extent in zip((width, height), size, strict=True)
        )
        patch = pixels[y : y + size[1], x : x + size[0]].copy()
    else:
        grain = rng.normal(0, rng.uniform(2, 14), (size[1], size[0], 1))
        patch = np.clip(rng.uniform(15, 240, 3) + grain, 0, 255).astype(np.uint8)
    mask = np.ones((size[1], size[0]), np.uint8)
    if rng.random() < 0.5:
        mask[:] = 0
        center = (int(size[0] // 2), int(size[1] // 2))
        cv2.ellipse(mask, center, (max(center[0], 1), max(center[1], 1)), 0, 0, 360, 1, -1)
    part = pixels[low[1] : high[1], low[0] : high[0]]
    part[mask > 0] = patch[mask > 0]


def _telling_places(person: ShownPerson) -> Floats:
    """Return (N, 2): the ends of what is left of limbs that are not intact, and where these would go on."""
    places = []
    for limb, lost in zip(HEAD_LIMBS, person.classes, strict=True):
        if lost != INTACT_CLASS:
            places += _places_of(person, limb)
    return np.array(places).reshape(-1, 2)


def _places_of(person: ShownPerson, limb: Limb) -> list[Floats]:
    rows = [LDPOSE_INDEX[name] for name in limb_joints(limb)] + list(limb_ends(limb))
    known = [person.points_px[row] for row in rows if np.isfinite(person.points_px[row]).all()]
    if len(known) < 2:
        return known
    way = known[-1] - known[-2]
    length = max(float(np.linalg.norm(way)), 1e-6)
    onward = [known[-1] + way / length * share * person.size for share in (0.08, 0.16, 0.24)]
    return [*known[-1:], *onward]


def coloured(crop: Pixels, rng: np.random.Generator) -> Pixels:
    """Return a crop in another light: brightness, contrast, balance of colours, blur, grain, and greys now and then."""
    mix = np.full((3, 3), 1 / 3) if rng.random() < 0.08 else np.eye(3)
    contrast, brightness = rng.uniform(0.7, 1.3, 2)
    shift = (brightness - contrast) * float(crop.mean())
    balance = rng.uniform(0.88, 1.12, (3, 1))
    picture = cv2.transform(
        crop.astype(np.float32), balance * np.hstack([contrast * mix, np.full((3, 1), shift)])
    )
    if rng.random() < 0.25:
        picture = cv2.GaussianBlur(picture, (0, 0), float(rng.uniform(0.4, 1.4)))
    if rng.random() < 0.4:
        first = int(rng.integers(len(_GRAIN) - picture.size))
        grain = _GRAIN[first : first + picture.size].reshape(picture.shape)
        picture = cv2.scaleAdd(grain, float(rng.uniform(1, 9)), picture)
    return np.clip(picture, 0, 255).astype(np.uint8)


def jittered(square: Square, rng: np.random.Generator) -> Square:
    """Return a crop's square made larger or smaller, and moved."""
    side = square.side * rng.uniform(*_SIDE_RANGE)
    shift = rng.uniform(-_SHIFT, _SHIFT, 2) * side + (square.side - side) / 2
    return Square(square.left + shift[0], square.top + shift[1], side)


# ------------------------------------------------------------------------------------------------------ batches


def shown(
    person: ShownPerson, size_px: int, rng: np.random.Generator, *, vary: bool
) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.int64], NDArray[np.float32]]:
    """Return what the network is told of a person, and the truth: crop (3, S, S), points (17, 3); classes (4,), places
    (25, 2).

    vary: flip, cover, move and colour, as in training; the points are a detector's in any case.
    """
    if vary and rng.random() < _FLIPPED:
        person = flipped(person)
    if vary and rng.random() < _COVERED:
        person = covered(person, rng)
    height, width = person.pixels.shape[:2]
    points = detected_points(person.points_px, person.states, person.size, rng, (width, height))
    box = None if rng.random() < _WITHOUT_BOX and np.count_nonzero(points[:, 2] >= 0.3) > 5 else person.box
    square = square_around(points, box)
    if vary:
        square = jittered(square, rng)
    crop = cut_out(person.pixels, square, size_px)
    crop = coloured(crop, rng) if vary else crop
    places = square.to_crop(person.points_px, size_px).astype(np.float32)
    return as_input(crop), points_in_crop(points, square, size_px), person.classes, places


def batch_of(places: Sequence[Place], size_px: int, rng: np.random.Generator, *, vary: bool) -> LimbBatch:
    """Return samples as a batch."""
    people = [read_sample(place) for place in places]
    crops, points, classes, places = zip(
        *(shown(person, size_px, rng, vary=vary) for person in people), strict=True
    )
    return LimbBatch(
        torch.as_tensor(np.stack(crops)),
        torch.as_tensor(np.stack(points)),
        torch.as_tensor(np.stack(classes)),
        torch.tensor([person.covered for person in people]),
        torch.as_tensor(np.stack(places)),
    )


class TrainingSamples:
    """Endless batches: all samples in a new order in each round, varied; the same seed gives the same ones."""

    def __init__(self, folder: Path, size_px: int, batch: int, seed: int) -> None:
        self.places = find_samples(folder)
        self.size_px, self.size, self.seed = size_px, batch, seed

    def batch(self, step: int) -> LimbBatch:
        """Return the batch of a step."""
        numbers = range(step * self.size, (step + 1) * self.size)
        count = len(self.places)
        chosen = [self.places[_order(self.seed, n // count, count)[n % count]] for n in numbers]
        return batch_of(chosen, self.size_px, np.random.default_rng((self.seed, 1, step)), vary=True)

    def class_shares(self) -> Floats:
        """Return how often each class is true, (4 heads, 4 classes), mirror images included."""
        counts = np.zeros((len(HEAD_LIMBS), N_CLASSES))
        for place in self.places:
            with place.shard.open("rb") as file:
                limbs = json.loads(_bytes(file, *place.truth))["limbs"]
            classes = np.array([_class_of(limbs[limb.value]) for limb in HEAD_LIMBS])
            for some in (classes, classes[MIRRORED_HEADS]):
                heads = np.flatnonzero(some >= 0)
                counts[heads, some[heads]] += 1
        return counts / counts.sum(1, keepdims=True).clip(1)


@lru_cache(maxsize=4)
def _order(seed: int, rounds: int, count: int) -> NDArray[np.int64]:
    return np.random.default_rng((seed, 0, rounds)).permutation(count)
