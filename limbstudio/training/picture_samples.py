"""Samples of A3D as AJAHR's picture encoder is trained on them: pictures, varied, with the bodies that they show."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from limbstudio.a3d.records import keypoints_of, limbs_of
from limbstudio.ajahr.build import POSE_JOINTS
from limbstudio.ajahr.limb_crop import Pixels, as_input, cut_out, square_around
from limbstudio.ajahr.predict import points_told
from limbstudio.body.kinematics import mirrored_axis_angles
from limbstudio.body.model import BodyModel
from limbstudio.body.rotations import rotation
from limbstudio.domain.anatomy import LDPOSE, N_BODY_JOINTS, N_COCO
from limbstudio.domain.geometry import Box
from limbstudio.domain.photo import Person
from limbstudio.resihmr.lifter import N_BONES, N_LIMBS, endings_of, sight
from limbstudio.resihmr.problem import residual_limbs
from limbstudio.resihmr.skeleton import Skeleton
from limbstudio.training.bpac_samples import ShownPerson, coloured, covered, flipped, jittered, shown_person
from limbstudio.training.keypoint_ajahr import WITH_CONFIDENCE, Truth, truth_of
from limbstudio.training.lifter_people import DROPPED, Crowd, clicked, confidences

Floats = NDArray[np.floating[Any]]

_FLIPPED, _COVERED = 0.5, 0.3
_PLAIN = 0.3
_FOCAL_OFF = 0.15
# COCO's points of the other side, then the residual ends', which are in the order of limbs: left, right, left, right.
_OTHER = [*(point.swap for point in LDPOSE[:N_COCO]), *(N_COCO + row for row in (1, 0, 3, 2))]


@dataclass(frozen=True, eq=False)
class SeenBodies:
    """Bodies in pictures, of N people or, without the first axis, of one.

    px: (N, 21, 2) and told (N, 21): COCO's points and residual ends in the photo, and which an annotator would have
    placed. endings: (N, 4). focal (N,), center (N, 2): pixels. orientation: (N, 3), pose (N, 21, 3) axis-angle, shape
    (N, 10), move (N, 3) metres: as `skeleton.place` takes them.
    """

    px: Floats
    told: NDArray[np.bool_]
    endings: NDArray[np.integer[Any]]
    focal: Floats
    center: Floats
    orientation: Floats
    pose: Floats
    shape: Floats
    move: Floats

    @classmethod
    def of(cls, samples: Sequence["SeenBodies"]) -> "SeenBodies":
        """Stack samples."""
        return cls(*(np.stack([getattr(sample, f.name) for sample in samples]) for f in fields(cls)))

    @classmethod
    def together(cls, parts: Sequence["SeenBodies"]) -> "SeenBodies":
        """Join parts."""
        return cls(*(np.concatenate([getattr(part, f.name) for part in parts]) for f in fields(cls)))

    def __getitem__(self, rows: NDArray[np.integer[Any]]) -> "SeenBodies":
        return SeenBodies(*(getattr(self, f.name)[rows] for f in fields(self)))


@dataclass(frozen=True, eq=False)
class PictureSample(SeenBodies):
    """One body and its picture. shown: the picture, with the truth of points."""

    shown: ShownPerson


def picture_sample(truth: Mapping[str, Any], pixels: Pixels) -> PictureSample:
    """Return a sample as it lies in a shard; KeyError or ValueError where it is not one."""
    box = Box(*(float(value) for value in truth["box"]))
    person = Person(str(truth["key"]), "", keypoints_of(truth), limbs_of(truth), box)
    px, sure = points_told(person)
    numbers, camera = truth["parameters"], truth["camera"]
    return PictureSample(
        px, sure > 0, endings_of(residual_limbs(person)),
        np.array(camera["focal_px"], float), np.array(camera["center_px"], float),
        np.array(numbers["orientation"], float), np.array(numbers["pose"], float)[:POSE_JOINTS],
        np.array(numbers["shape"], float), np.array(numbers["translation"], float),
        shown_person(truth, pixels),
    )  # fmt: skip


def mirrored(sample: PictureSample, body: BodyModel) -> PictureSample:
    """Return the mirror image: the photo turned over, and the body with its sides exchanged."""
    assert body.mirror_joints is not None  # the bundled body has a symmetry
    width = sample.shown.pixels.shape[1]
    whole = np.concatenate([sample.orientation[None], sample.pose])
    whole = mirrored_axis_angles(whole, body.mirror_joints[:N_BODY_JOINTS])
    px = sample.px[_OTHER]
    across = np.where(sample.told[_OTHER], width - 1 - px[:, 0], 0.0)
    return replace(
        sample,
        shown=flipped(sample.shown),
        px=np.stack([across, px[:, 1]], 1),
        told=sample.told[_OTHER],
        endings=sample.endings.reshape(-1, 2)[:, ::-1].reshape(N_LIMBS),
        center=np.array([width - 1 - sample.center[0], sample.center[1]]),
        orientation=whole[0],
        pose=whole[1:],
        move=sample.move * [-1, 1, 1],
    )


def varied(sample: PictureSample, body: BodyModel, rng: np.random.Generator) -> PictureSample:
    """Return a sample turned over or partly covered, now and then."""
    if rng.random() < _FLIPPED:
        sample = mirrored(sample, body)
    if rng.random() < _COVERED:
        sample = replace(sample, shown=covered(sample.shown, rng))
    return sample


def looked_at(
    sample: PictureSample, size_px: int, rng: np.random.Generator | None
) -> tuple[NDArray[np.float32], Floats]:
    """Return a crop (3, S, S) as networks are told it, and where the points lie on it, (21, 3): pixels, known or not.

    rng: moves and colours the crop, None does not.
    """
    shown = sample.shown
    told = np.where(sample.told[:N_COCO, None], np.c_[sample.px[:N_COCO], np.ones(N_COCO)], 0.0)
    square = square_around(told, shown.box)
    square = square if rng is None else jittered(square, rng)
    crop = cut_out(shown.pixels, square, size_px)
    crop = crop if rng is None else coloured(crop, rng)
    return as_input(crop), np.c_[square.to_crop(sample.px, size_px), sample.told]


def told_truth(bodies: SeenBodies, skeleton: Skeleton, rng: np.random.Generator) -> Truth:
    """Return what AJAHR is told of bodies, with noise of clicks, points left out and focal lengths told wrong, and the
    truth. skeleton: of the body that A3D was made with."""
    n = len(bodies.px)
    seen = bodies.told.copy()
    plain = rng.random(n) < _PLAIN  # nothing left out
    dropped = (rng.random(seen.shape) < DROPPED) & ~plain[:, None]
    dropped[(seen & ~dropped).sum(1) < 4] = False
    seen &= ~dropped
    down = np.where(bodies.told, bodies.px[..., 1], np.nan)
    height = np.maximum(np.nanmax(down, 1) - np.nanmin(down, 1), 1.0)
    sure = confidences(n, WITH_CONFIDENCE, rng)
    px = clicked(bodies.px, height, sure, rng)
    told = 1 + rng.uniform(-_FOCAL_OFF, _FOCAL_OFF, n)
    shown = sight(px, seen, bodies.endings, bodies.focal * told, bodies.center, sure)
    crowd = Crowd(
        shown, np.zeros((n, N_BONES)), bodies.endings, np.tile(np.eye(3), (n, 1, 1)), bodies.move, told,
        np.arange(n), bodies.pose, rotation(np, bodies.orientation), bodies.shape,
    )  # fmt: skip
    return truth_of(crowd, skeleton)
