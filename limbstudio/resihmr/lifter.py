"""A learned guess of depth: how far the bones of a person lean toward the camera, told by the points alone.

A small network (numpy) sees a person's points as a camera turned toward the person would, how each limb ends, and how
large the person appears. It answers with a mixture of Gaussians over the depths of 13 bones: how much farther along
the view ray the far end of a bone lies than its near end. Bones that do not exist are integrated out. As a term of the
energy the answer says which of the explanations that meet the points equally well people really take.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from limbstudio.domain.anatomy import N_COCO, Limb
from limbstudio.domain.errors import KnownError
from limbstudio.resihmr.skeleton import N_SEGMENT_JOINTS, SEGMENT_JOINTS, Array

N_LIMBS = len(Limb)
N_POINTS = N_COCO + N_LIMBS
# How a limb ends, as the network is told: intact, then within or at the end of the lower segment, within or at the end
# of the upper one, gone from its root.
INTACT, IN_LOWER, END_OF_LOWER, IN_UPPER, END_OF_UPPER, GONE = range(6)
N_ENDINGS = 6
# Places and states of the points, endings, then: log size, view ray (2), extent (2).
N_INPUTS = 3 * N_POINTS + N_LIMBS * (N_ENDINGS - 1) + 5


def _bones() -> tuple[tuple[str, ...], np.ndarray]:
    """Return the bones' names and their weights (13, 17 + 12) on COCO and segment points: far end less near end.

    The limbs' bones come first, in limb order, the upper before the lower.
    """
    joint = {name: N_COCO + i for i, name in enumerate(SEGMENT_JOINTS)}
    rows: dict[str, np.ndarray] = {}

    def add(name: str, near: tuple[int, ...], far: tuple[int, ...]) -> None:
        row = np.zeros(N_COCO + N_SEGMENT_JOINTS)
        row[list(far)] += 1 / len(far)
        row[list(near)] -= 1 / len(near)
        rows[name] = row

    for upper, middle, lower in (("shoulder", "elbow", "wrist"), ("hip", "knee", "ankle")):
        for side in ("left", "right"):
            a, b, c = (joint[f"{side}_{name}"] for name in (upper, middle, lower))
            add(f"{side}_{upper}_{middle}", (a,), (b,))
            add(f"{side}_{middle}_{lower}", (b,), (c,))
    shoulders = (joint["left_shoulder"], joint["right_shoulder"])
    hips = (joint["left_hip"], joint["right_hip"])
    add("shoulders", shoulders[1:], shoulders[:1])
    add("hips", hips[1:], hips[:1])
    add("trunk", hips, shoulders)
    add("neck", shoulders, (3, 4))  # to the middle of the ears
    add("face", (3, 4), (0,))  # from there to the nose
    return tuple(rows), np.stack(list(rows.values()))


BONE_NAMES, BONES = _bones()
N_BONES = len(BONE_NAMES)


# ------------------------------------------------------------------------------------------ what is shown

# Sizes and depths of points are kept off zero.
LEAST_SIZE, LEAST_DEPTH = 1e-6, 0.05
# A point that is seen is told as at least so sure.
LEAST_CONFIDENCE = 0.1


@dataclass(frozen=True, eq=False)
class Sight:
    """What the network is shown of N people: inputs (N, N_INPUTS), and ray (N, 3): the view ray that depth is along."""

    inputs: np.ndarray
    ray: np.ndarray


def sight(
    px: np.ndarray,
    seen: np.ndarray,
    endings: np.ndarray,
    focal: np.ndarray,
    center: np.ndarray,
    confidence: np.ndarray | None = None,
) -> Sight:
    """Arrange N people's points for the network.

    px (N, 21, 2), seen (N, 21) bool: COCO points, then the residual end of each limb; everybody has one that is seen.
    endings (N, 4): see INTACT. focal (N,), center (N, 2): of the camera as told. confidence (N, 21): of points that are
    seen, above 0 to 1, for a network that was told of them in training (the lifter was not); None is 1 for each.
    """
    flat = (px - center[:, None]) / focal[:, None, None]
    low, high = _bounds(flat, seen)
    ray = np.concatenate([(low + high) / 2, np.ones((len(px), 1))], 1)
    ray /= np.linalg.norm(ray, axis=1, keepdims=True)
    turned = np.concatenate([np.where(seen[..., None], flat, 0.0), np.ones((*seen.shape, 1))], 2)
    turned = turned @ toward(ray).swapaxes(1, 2)
    place = turned[..., :2] / np.maximum(turned[..., 2:], LEAST_DEPTH)
    low, high = _bounds(place, seen)
    size = np.maximum((high - low).max(1), LEAST_SIZE)
    place = np.where(seen[..., None], (place - ((low + high) / 2)[:, None]) / size[:, None, None], 0.0)
    ends = (endings[..., None] == np.arange(1, N_ENDINGS)).reshape(len(px), -1)
    extent = (high - low) / size[:, None]
    told = seen if confidence is None else np.where(seen, confidence, 0.0)
    parts = [2 * place.reshape(len(px), -1), told, ends, np.log(size)[:, None] + 1.0, 2 * ray[:, :2], extent]
    return Sight(np.concatenate(parts, 1), ray)


def _bounds(places: np.ndarray, seen: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    seen = seen[..., None]
    return np.where(seen, places, np.inf).min(1), np.where(seen, places, -np.inf).max(1)


def toward(ray: np.ndarray) -> np.ndarray:
    """Return the rotations (N, 3, 3) that carry each ray to the z axis by the shortest way."""
    x, y, z = ray.T
    near = 1 / (1 + z)
    rows = [[1 - x * x * near, -x * y * near, -x], [-x * y * near, 1 - y * y * near, -y], [x, y, z]]
    return np.array(rows).transpose(2, 0, 1)


class Ending(Protocol):
    """What the lifter asks of a residual limb (`problem.Residual`)."""

    @property
    def slot(self) -> int: ...
    @property
    def anchor(self) -> str: ...
    @property
    def at_joint(self) -> bool: ...
    @property
    def at_root(self) -> bool: ...


def endings_of(residuals: Sequence[Ending]) -> np.ndarray:
    """Return how each limb of a person with these residual limbs ends, (4,)."""
    endings = np.full(N_LIMBS, INTACT)
    for residual in residuals:
        if residual.at_root:
            endings[residual.slot] = GONE
        elif residual.anchor.endswith(("wrist", "ankle")):
            endings[residual.slot] = END_OF_LOWER if residual.at_joint else IN_LOWER
        else:
            endings[residual.slot] = END_OF_UPPER if residual.at_joint else IN_UPPER
    return endings


def existing_bones(endings: np.ndarray) -> np.ndarray:
    """Return which bones of people with limbs that end so exist, at least in part, (N, 13) bool."""
    exists = np.ones((len(endings), N_BONES), bool)
    exists[:, 0 : 2 * N_LIMBS : 2] = endings != GONE
    exists[:, 1 : 2 * N_LIMBS : 2] = (endings == INTACT) | (endings == IN_LOWER) | (endings == END_OF_LOWER)
    return exists


# --------------------------------------------------------------------------------------------- the network

# The last layer's numbers of one Gaussian: log weight, means, log diagonal and the rest of L, with precision L L^T.
N_PER_GAUSSIAN = 1 + 2 * N_BONES + N_BONES * (N_BONES - 1) // 2
TRIANGLE = np.tril_indices(N_BONES, -1)
# Its numbers are of order one: means in units of so many metres, precisions in their inverse.
UNIT_M = 0.2
NORM_FLOOR = 1e-5


@dataclass(frozen=True, eq=False)
class Guess:
    """What the network answers for N people: K Gaussians each over the depths of the bones, metres.

    log_weights (N, K), means (N, K, 13), factors (N, K, 13, 13): lower triangles L with precision L L^T.
    """

    log_weights: np.ndarray
    means: np.ndarray
    factors: np.ndarray


@dataclass(frozen=True, eq=False)
class Lifter:
    """The network: a linear layer, `blocks` residual blocks, a linear layer. arrays: its numbers, by torch's names."""

    arrays: dict[str, np.ndarray]
    blocks: int
    gaussians: int

    def __call__(self, inputs: np.ndarray) -> Guess:
        """Guess the depths of N people from inputs (N, N_INPUTS)."""
        h = self._linear("first", inputs.astype(np.float32))
        for i in range(self.blocks):
            y = self._normalised(f"blocks.{i}.norm", h)
            y = np.maximum(self._linear(f"blocks.{i}.one", y), 0)
            h = h + self._linear(f"blocks.{i}.two", y)
        h = np.maximum(self._normalised("norm", h), 0)
        return _read(self._linear("last", h).astype(float), self.gaussians)

    def _linear(self, name: str, h: np.ndarray) -> np.ndarray:
        return h @ self.arrays[f"{name}.weight"].T + self.arrays[f"{name}.bias"]

    def _normalised(self, name: str, h: np.ndarray) -> np.ndarray:
        h = h - h.mean(1, keepdims=True)
        h = h / np.sqrt((h * h).mean(1, keepdims=True) + NORM_FLOOR)
        return h * self.arrays[f"{name}.weight"] + self.arrays[f"{name}.bias"]


def _read(numbers: np.ndarray, gaussians: int) -> Guess:
    rows = numbers.reshape(len(numbers), gaussians, N_PER_GAUSSIAN)
    weight, mean, diagonal, triangle = np.split(rows, [1, 1 + N_BONES, 1 + 2 * N_BONES], axis=2)
    log_weights = weight[..., 0] - weight.max(1)
    log_weights = log_weights - np.log(np.exp(log_weights).sum(1, keepdims=True))
    factors = np.zeros((*rows.shape[:2], N_BONES, N_BONES))
    factors[..., TRIANGLE[0], TRIANGLE[1]] = triangle
    factors[..., np.arange(N_BONES), np.arange(N_BONES)] = np.exp(diagonal)
    return Guess(log_weights, UNIT_M * mean, factors / UNIT_M)


@lru_cache(maxsize=2)
def load(path: Path) -> Lifter:
    """Load a trained lifter. Raise KnownError where the file is not one."""
    try:
        with np.load(path, allow_pickle=False) as data:
            arrays = {name: data[name].astype(np.float32) for name in data.files}
        gaussians, rest = divmod(len(arrays["last.bias"]), N_PER_GAUSSIAN)
        if rest or arrays["first.weight"].shape[1] != N_INPUTS:
            raise ValueError("a lifter of another size")
    except (OSError, KeyError, ValueError, IndexError) as error:
        raise KnownError(f"The lifter {path.name} could not be read.", "Install LimbStudio again.") from error
    return Lifter(arrays, sum(name.endswith(".one.weight") for name in arrays), gaussians)


# ------------------------------------------------------------------------------------- as a term of the energy


@dataclass(frozen=True, eq=False)
class LiftTerms:
    """E_lift (N,), half its gradient (N, 13) and its Gauss-Newton matrix (N, 13, 13), by the depths of the bones."""

    energy: Array
    gradient: Array
    matrix: Array


@dataclass(frozen=True, eq=False)
class Lift:
    """What the network guessed about N people, as a term: weight * -2 log of the mixture of K Gaussians.

    mix (N, 29, 13): the bones' weights on the skeleton's points. to_rows (N, 3, 13): the view ray, once for each bone.
    log_weights (N, K): log of weight times normalisation, the largest of them 0. means (N, K, 13), precisions
    (N, K, 13, 13): metres, zero for bones that do not exist.
    """

    mix: Array
    to_rows: Array
    log_weights: Array
    means: Array
    precisions: Array
    weight: float

    def taken(self, index: Array) -> "Lift":
        """Return the term of the items at `index` (repeats allowed)."""
        arrays = (self.mix, self.to_rows, self.log_weights, self.means, self.precisions)
        return Lift(*(a[index] for a in arrays), weight=self.weight)

    def terms(self, xp: Any, columns: Array) -> LiftTerms:
        """Evaluate at the skeleton's points, columns (N, 3, 29)."""
        depths = (self.to_rows * (columns @ self.mix)).sum(1)
        gap = (depths[:, None] - self.means)[..., None]
        pull = self.precisions @ gap
        log = self.log_weights - 0.5 * (gap * pull).sum((2, 3))
        top = log.max(1) if xp is np else xp.amax(log, 1)
        share = xp.exp(log - top[:, None])
        total = share.sum(1)
        share = (self.weight * share / total[:, None])[..., None, None]
        return LiftTerms(
            -2 * self.weight * (top + xp.log(total)),
            (share * pull).sum(1)[..., 0],
            (share * self.precisions).sum(1),
        )


def as_term(guess: Guess, ray: np.ndarray, endings: np.ndarray, weight: float) -> Lift:
    """Make a term of a guess: bones that do not exist are integrated out."""
    precisions = guess.factors @ guess.factors.swapaxes(2, 3)
    log_weights = guess.log_weights + np.log(np.diagonal(guess.factors, axis1=2, axis2=3)).sum(2)
    exists = existing_bones(endings)
    if not exists.all():
        kept, gone = exists[:, None, :, None], ~exists[:, None, :, None]
        # Schur's complement: of the bones that are gone, ones stand for all others.
        block = np.where(gone & gone.swapaxes(2, 3), precisions, np.where(kept, np.eye(N_BONES), 0.0))
        between = np.where(kept & gone.swapaxes(2, 3), precisions, 0.0)
        own = np.where(kept & kept.swapaxes(2, 3), precisions, 0.0)
        precisions = own - between @ np.linalg.solve(block, between.swapaxes(2, 3))
        log_weights = log_weights - 0.5 * np.linalg.slogdet(block)[1]
    n = len(ray)
    return Lift(
        mix=np.tile(BONES.T, (n, 1, 1)),
        to_rows=np.tile(ray[:, :, None], (1, 1, N_BONES)),
        log_weights=log_weights - log_weights.max(1, keepdims=True),
        means=guess.means,
        precisions=precisions,
        weight=weight,
    )
