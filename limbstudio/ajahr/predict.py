"""AJAHR at the studio's size at work: from annotated people to bodies, and to AJAHR's own picture of them.

The weights ship with the program (`resources/weights/ajahr.npz`, plain arrays, never unpickled). They were trained on
the bundled body; on a user's body model pose and orientation serve as they are, and the shape is the mean one.
"""

import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from limbstudio.ajahr.build import STUDIO, PictureNumbers, StudioNumbers, build_studio
from limbstudio.ajahr.keypoint_network import KeypointAjahr, SeenPeople, is_of_picture
from limbstudio.ajahr.limb_crop import Pixels, as_input, cut_out, points_of, square_around
from limbstudio.ajahr.plain_weights import fill, read_weights
from limbstudio.ajahr.zeroing import classes_of, zeroed_joints
from limbstudio.body.kinematics import rotation_vectors
from limbstudio.body.model import BodyModel
from limbstudio.body.smpl_files import JOINT_SLOTS
from limbstudio.body.surface import surface_facts
from limbstudio.domain.anatomy import N_BODY_JOINTS, N_COCO, N_KEYPOINTS, SMPLX_JOINTS, level_rule
from limbstudio.domain.body import BodyFit, FitMode, ScaleSource
from limbstudio.domain.errors import KnownError
from limbstudio.domain.geometry import Camera
from limbstudio.domain.photo import Person
from limbstudio.domain.provenance import Provenance, Source
from limbstudio.resihmr.guessed import GuessedBodies
from limbstudio.resihmr.initial_fit import require_enough_points
from limbstudio.resihmr.lifter import LEAST_CONFIDENCE, N_LIMBS, N_POINTS, endings_of, sight, toward
from limbstudio.resihmr.pipeline import BodyMesh, PersonResult
from limbstudio.resihmr.problem import residual_limbs
from limbstudio.resources import resource_path

Floats = NDArray[np.floating[Any]]

STAGE = "AJAHR"
_SHIPPED = "weights/ajahr.npz"
# The joints that SMPL's two hands are among ours.
_SMPL_HANDS = JOINT_SLOTS["smpl"][-2:]
_NOTE = (
    "This is AJAHR's own body: what a limb lacks is drawn together into the joint above it. It has no residual "
    "limb to measure; fit the body for that."
)


def shipped_weights() -> Path:
    """Return where the weights lie that ship with the program; the file need not exist."""
    return resource_path(_SHIPPED)


def load_network(path: Path, numbers: StudioNumbers = STUDIO) -> KeypointAjahr:
    """Read a network that `train ajahr` or `train picture` wrote, with what looks at pictures where the file has it.

    Raise KnownError where it is none or not finite.
    """
    found = read_weights(path)
    picture = (numbers.picture or PictureNumbers()) if any(map(is_of_picture, found)) else None
    network = build_studio(replace(numbers, picture=picture))
    fill(network, path, what="AJAHR of the studio's size", command="limbstudio train ajahr", found=found)
    return network.eval().requires_grad_(False)


def predictor(path: Path | None = None) -> "Predictor":
    """Return a predictor, read once; None: on the weights that ship with the program."""
    return _read(path or shipped_weights())


@lru_cache(maxsize=2)
def _read(path: Path) -> "Predictor":
    return Predictor(load_network(path))


class Predictor:
    """Guesses bodies from keypoints and limb states."""

    def __init__(self, network: KeypointAjahr) -> None:
        self.network = network

    def __call__(
        self,
        people: Sequence[Person],
        cameras: Sequence[Camera],
        body: BodyModel,
        pictures: Sequence[Pixels | None] | None = None,
    ) -> GuessedBodies:
        """Guess the bodies of N people; raise KnownError for one with too few usable points.

        pictures: (H, W, 3) uint8 RGB, upright, of those whose photo is there; networks that were trained without
        pictures do not look at them.
        """
        for person in people:
            require_enough_points(person)
        endings = np.stack([endings_of(residual_limbs(person)) for person in people])
        px, confidence = zip(*(points_told(person) for person in people), strict=True)
        focal = np.array([camera.focal_px for camera in cameras])
        center = np.array([camera.center_px for camera in cameras], float)
        sure = np.stack(confidence)
        shown = sight(np.stack(px), sure > 0, endings, focal, center, sure)
        with torch.inference_mode():
            inputs = torch.as_tensor(shown.inputs, dtype=torch.float32)
            found = self.network(inputs, self._seen(people, pictures, np.stack(px), sure))
        back = toward(shown.ray).swapaxes(1, 2)
        shape = np.zeros((len(people), body.n_shape))
        if body.kind == "limb":
            shape = found.estimate.shape.numpy().astype(float)
        return GuessedBodies(
            orientation=back @ found.estimate.orientation[:, 0].numpy().astype(float),
            pose=found.estimate.pose[:, : N_BODY_JOINTS - 1].numpy().astype(float),
            shape=shape,
            root=(back @ found.place.numpy().astype(float)[..., None])[..., 0],
        )

    def _seen(
        self, people: Sequence[Person], pictures: Sequence[Pixels | None] | None, px: Floats, sure: Floats
    ) -> SeenPeople | None:
        """Look at the pictures of people, points (N, 21, 2) and (N, 21); one outside of it is taken as without."""
        encoder = self.network.picture
        if encoder is None or pictures is None:
            return None
        size = encoder.numbers.picture_px
        rows, crops, places = [], [], []
        for row, (person, pixels) in enumerate(zip(people, pictures, strict=True)):
            if pixels is None:
                continue
            with suppress(KnownError):
                square = square_around(points_of(person), person.box)
                crops.append(as_input(cut_out(pixels, square, size)))
                places.append(np.concatenate([square.to_crop(px[row], size), sure[row, :, None]], 1))
                rows.append(row)
        if not rows:
            return None
        told = torch.as_tensor(np.stack(places), dtype=torch.float32)
        return SeenPeople(torch.tensor(rows), encoder.notes(torch.as_tensor(np.stack(crops)), told))


def points_told(person: Person) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the COCO points and residual ends (21, 2), pixels, and how sure they are (21,), 0 where not annotated."""
    px, sure = np.zeros((N_POINTS, 2)), np.zeros(N_POINTS)
    there = person.keypoints.observed[:N_COCO]
    confidence = np.clip([point.confidence for point in person.keypoints.points], LEAST_CONFIDENCE, 1.0)
    px[:N_COCO][there] = person.keypoints.positions_px[:N_COCO][there]
    sure[:N_COCO] = np.where(there, confidence[:N_COCO], 0.0)
    for residual in residual_limbs(person):
        if residual.observed:
            px[N_POINTS - N_LIMBS + residual.slot] = person.keypoints.positions_px[residual.end]
            sure[N_POINTS - N_LIMBS + residual.slot] = confidence[residual.end]
    return px, sure


def collapsed(
    person: Person, guess: GuessedBodies, body: BodyModel, hands: NDArray[np.floating] | None = None
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return AJAHR's body of one person in the camera frame: vertices (V, 3) and joints (55, 3), metres.

    The rotations of absent joints are zeros, which draws all below them into the joint where the limb ends.
    hands: (2, 3, 3), rotations of SMPL's left and right hand, None for straight ones.
    """
    rotations = np.tile(np.eye(3), (len(SMPLX_JOINTS), 1, 1))
    rotations[0], rotations[1:N_BODY_JOINTS] = guess.orientation[0], guess.pose[0]
    absent = zeroed_joints(classes_of(person.limbs))
    rotations[1:N_BODY_JOINTS][absent[: N_BODY_JOINTS - 1]] = 0.0
    if hands is not None:
        rotations[list(_SMPL_HANDS)] = np.where(absent[-2:, None, None], 0.0, hands)
    move = guess.root[0] - body.rest_joints(guess.shape[0])[0]
    posed = body.pose(rotations=rotations, shape=guess.shape[0], translation=move)
    return posed.vertices, posed.joints


def predicted_person(
    person: Person, camera: Camera, body: BodyModel, weights: Path | None = None, pixels: Pixels | None = None
) -> PersonResult:
    """Predict one person as AJAHR draws them: fit, collapsed mesh and T-pose, without residual limbs.

    weights: a file of `save_weights`, None for the one that ships. pixels: (H, W, 3) of the photo, None without. Raise
    KnownError where too few points are usable.
    """
    start = time.perf_counter()
    guess = predictor(weights)([person], [camera], body, [pixels])
    result = predicted_result(person, camera, guess, body)
    timings = {"prediction": time.perf_counter() - start}
    return replace(result, fit=replace(result.fit, timings_s=timings), timings_s=timings)


def predicted_result(
    person: Person,
    camera: Camera,
    guess: GuessedBodies,
    body: BodyModel,
    hands: NDArray[np.floating] | None = None,
) -> PersonResult:
    """Return a guess as AJAHR draws it: fit, collapsed mesh and T-pose, without residual limbs or times.

    hands: as of `collapsed`; the fit leaves them straight.
    """
    vertices, joints = collapsed(person, guess, body, hands)
    fit = replace(guessed_fit(person, camera, guess, body), joints=np.asarray(joints, float))
    tpose = body.rest_vertices(fit.shape) - body.rest_joints(fit.shape)[0]
    none = np.zeros(len(vertices), bool)
    mesh = BodyMesh(vertices, tpose, body.faces.astype(np.int32), none, body.part_labels, ())
    facts = surface_facts(mesh.vertices, mesh.faces, intersections=False)
    return PersonResult(person, fit, mesh, facts, warnings=fit.warnings)


def guessed_fit(person: Person, camera: Camera, guess: GuessedBodies, body: BodyModel) -> BodyFit:
    """Return a guess as a fit that can be kept beside others: no residual limbs, no intervals, and it says so."""
    turn = np.tile(np.eye(3), (len(SMPLX_JOINTS) - 1, 1, 1))
    pose = guess.pose[0].copy()
    pose[zeroed_joints(classes_of(person.limbs))[: N_BODY_JOINTS - 1]] = np.eye(3)
    turn[: N_BODY_JOINTS - 1] = pose
    move = guess.root[0] - body.rest_joints(guess.shape[0])[0]
    axis_angles = np.concatenate([rotation_vectors(guess.orientation), rotation_vectors(turn)])
    posed = body.pose(axis_angles=axis_angles, shape=guess.shape[0], translation=move)
    projected = np.full((N_KEYPOINTS, 2), np.nan)
    projected[:N_COCO] = camera.project(
        body.keypoint_regressors["coco17"].apply(posed.vertices.astype(float))
    )
    for residual in residual_limbs(person):
        projected[sorted(level_rule(residual.limb, residual.level).absent)] = np.nan
    return BodyFit(
        body_name=body.name,
        mode=FitMode.JOINT,
        camera=camera,
        orientation=axis_angles[0],
        pose=axis_angles[1:],
        shape=guess.shape[0],
        translation=move,
        joints=np.asarray(posed.joints, float),
        projected_px=projected,
        used=person.keypoints.observed.copy(),
        scale=ScaleSource.PRIOR,
        warnings=(_NOTE,) if residual_limbs(person) else (),
        provenance=Provenance(Source.PREDICTED, by=STAGE, stage=STAGE),
    )
