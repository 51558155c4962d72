"""AJAHR at the paper's size at work on a user's own copy of the released weights: photo and points to limbs and body.

The person is cut out, and limbs zeroed, as the released program does it. What it does oddly is an option.
"""

import math
import time
from dataclasses import dataclass, replace

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from limbstudio.ajahr.build import HEAD_LIMBS, ReleasedOptions
from limbstudio.ajahr.limb_crop import DEVIATION, MEAN, Floats, Pixels, Square, points_of, square_around
from limbstudio.ajahr.network import CROP_PX, AjahrNet, BpacContext, photo_translation
from limbstudio.ajahr.predict import STAGE, predicted_result
from limbstudio.ajahr.zeroing import level_of
from limbstudio.body.model import BodyModel
from limbstudio.domain.anatomy import N_BODY_JOINTS, LimbState
from limbstudio.domain.errors import KnownError
from limbstudio.domain.geometry import Camera, FocalSource
from limbstudio.domain.limb_proposals import RELEASED, LimbProposals
from limbstudio.domain.photo import Person
from limbstudio.domain.provenance import Provenance, Source
from limbstudio.resihmr.guessed import GuessedBodies
from limbstudio.resihmr.pipeline import PersonResult

# The box is widened to this ratio of width to height before the square around it is taken.
_RATIO = 192 / 256
# A point that the detector is less sure of is taken for not found: it is drawn at the crop's corner (0, 0).
_LEAST_CONFIDENCE = 0.55
# The released program blurs before it shrinks a crop by more than this, with half of the rest as deviation.
_BLURRED_FROM = 1.1
# A box that is so many times larger than the photo is no box of a person in it.
_MOST_SIDES = 8
# What SMPL calls its body: 21 joints and two hands.
_SMPL = "smpl"
# What results are said to be made by, before the hash of the weights.


@dataclass(frozen=True, eq=False)
class ReleasedAnswer:
    """limbs: BPAC-Net's proposals. guess: the body, absent rotations zeros; hands: (2, 3, 3) SMPL's, likewise.

    camera: the photo's, as AJAHR has it.
    """

    limbs: LimbProposals
    guess: GuessedBodies
    hands: Floats
    camera: Camera


def released_square(person: Person) -> Square:
    """Return the square of the photo that the network sees; KnownError where there is too little to find it by."""
    if person.box is None or not (person.box.width > 0 and person.box.height > 0):
        return square_around(points_of(person), None)
    box = person.box
    side = max(box.height, box.width / _RATIO)
    return Square(box.x + (box.width - side) / 2, box.y + (box.height - side) / 2, side)


def released_crop(pixels: Pixels, square: Square) -> NDArray[np.float32]:
    """Return the square of a photo (H, W, 3) as the network is told it, (3, 256, 256); outside the photo is black.

    Raise KnownError where the square has nothing of the photo.
    """
    height, width = pixels.shape[:2]
    inside = square.left < width and square.top < height
    if not (inside and square.left + square.side > 0 and square.top + square.side > 0):
        raise KnownError(
            "The person lies outside the picture.", "Check the box and the points, or the annotations' photo."
        )
    scale = CROP_PX / square.side
    if square.side > _MOST_SIDES * max(width, height):
        raise KnownError("The box is many times larger than the photo.", "Draw it around the person.")
    shrunk = square.side / CROP_PX / 2
    if shrunk > _BLURRED_FROM:
        pixels = np.asarray(cv2.GaussianBlur(pixels, (0, 0), (shrunk - 1) / 2), np.uint8)
    way = np.array([[scale, 0, -square.left * scale], [0, scale, -square.top * scale]])
    crop = cv2.warpAffine(pixels, way, (CROP_PX, CROP_PX), flags=cv2.INTER_LINEAR, borderValue=(0, 0, 0))
    told = (crop.astype(np.float32) - np.array(MEAN, np.float32)) / np.array(DEVIATION, np.float32)
    return np.ascontiguousarray(told.transpose(2, 0, 1))


def heatmap_points(person: Person, square: Square, *, release_exact: bool) -> NDArray[np.float32]:
    """Return COCO's points (17, 2) where BPAC-Net's heatmaps are drawn, in pixels of the crop.

    release_exact: in pixels of the photo, unmoved, as the released demo gives them; heatmaps then lie elsewhere.
    """
    points = points_of(person)
    told = points[:, :2].copy()
    if not release_exact:
        told = (told - (square.left, square.top)) * (CROP_PX / square.side)
    told[points[:, 2] < _LEAST_CONFIDENCE] = 0.0
    return told.astype(np.float32)


class ReleasedPredictor:
    """Proposes limbs and guesses bodies from photos, one person at a time.

    sha256: of the weights, for what it makes to name them; empty where nobody knows.
    """

    def __init__(
        self, network: AjahrNet, options: ReleasedOptions, device: str = "cpu", sha256: str = ""
    ) -> None:
        self.network = network.to(device).eval()
        self.options, self.device, self.sha256 = options, device, sha256

    @property
    def name(self) -> str:
        """Return what made the results, for their provenance: the weights, and what was asked of them."""
        options = {"second pass": self.options.second_pass, "release exact": self.options.release_exact}
        asked = [word for word, is_on in options.items() if is_on]
        return ", ".join([f"{RELEASED} {self.sha256[:12]}".rstrip(), *asked])

    def __call__(self, pixels: Pixels, person: Person, body: BodyModel) -> ReleasedAnswer:
        """Answer for one person of a photo (H, W, 3), RGB and upright.

        Raise KnownError for a person without points and box, outside the picture, or a body that is not SMPL.
        """
        if body.kind != _SMPL:
            raise KnownError(
                f"The released weights speak of SMPL's shape, and {body.name} is not SMPL.",
                "Add SMPL_NEUTRAL.pkl with `limbstudio weights add`, or name it with --body.",
            )
        square = released_square(person)
        crop = released_crop(pixels, square)
        points = heatmap_points(person, square, release_exact=self.options.release_exact)
        context = BpacContext.SECOND_PASS if self.options.second_pass else BpacContext.OFF
        with torch.inference_mode():
            found = self.network(
                torch.as_tensor(crop, device=self.device)[None],
                torch.as_tensor(points, device=self.device)[None],
                context,
            )
        told = torch.softmax(found.limbs.logits[0].float(), 1).cpu().numpy().astype(float).tolist()
        limbs = LimbProposals.of(dict(zip(HEAD_LIMBS, told, strict=True)))
        height, width = pixels.shape[:2]
        middle = [square.left + square.side / 2, square.top + square.side / 2]
        move, focal = photo_translation(
            found.body.camera.float().cpu(),
            torch.tensor([middle]),
            torch.tensor([square.side]),
            torch.tensor([[float(width), float(height)]]),
        )
        if not (math.isfinite(float(move.sum())) and float(move[0, 2]) > 0):
            raise KnownError(
                "The network places the person behind the camera.", "Check the box and the weights."
            )
        shape = np.zeros((1, body.n_shape))
        shape[0, : found.body.shape.shape[1]] = found.body.shape[0].float().cpu().numpy()[: body.n_shape]
        guess = GuessedBodies(
            found.body.orientation[:, 0].float().cpu().numpy().astype(float),
            found.body.pose[:, : N_BODY_JOINTS - 1].float().cpu().numpy().astype(float),
            shape,
            body.rest_joints(shape[0])[:1] + move.numpy().astype(float),
        )
        camera = Camera(float(focal[0]), (width / 2, height / 2), (width, height), FocalSource.PAPER)
        hands = found.body.pose[0, N_BODY_JOINTS - 1 :].float().cpu().numpy().astype(float)
        return ReleasedAnswer(limbs, guess, hands, camera)

    def person(self, pixels: Pixels, person: Person, body: BodyModel) -> PersonResult:
        """Return one person as AJAHR draws them: what BPAC-Net takes for absent is drawn into the joint above.

        What a human recorded of limbs is neither read nor changed; the warnings say what BPAC-Net says, and where it
        differs.
        """
        start = time.perf_counter()
        answer = self(pixels, person, body)
        note = [f"BPAC-Net says: {'; '.join(proposal.text for proposal in answer.limbs)}."]
        other = [p.text for p in answer.limbs if not p.agrees_with(person.limbs[p.limb])]
        note += [f"That differs from what is recorded: {'; '.join(other)}."] if other else []
        result = self.drawn(answer, person, body)
        timings = {"prediction": time.perf_counter() - start}
        fit = replace(result.fit, timings_s=timings, warnings=(*result.fit.warnings, *note))
        return replace(result, fit=fit, timings_s=timings, warnings=fit.warnings)

    def drawn(self, answer: ReleasedAnswer, person: Person, body: BodyModel) -> PersonResult:
        """Return an answer as `person` does, without times and without a word of what BPAC-Net says."""
        said = {limb: LimbState(level_of(limb, answer.limbs[limb].ajahr_class)) for limb in HEAD_LIMBS}
        told = replace(person, limbs=said)
        result = predicted_result(told, answer.camera, answer.guess, body, answer.hands)
        hashes = (self.sha256,) if self.sha256 else ()
        made_by = Provenance(Source.PREDICTED, by=self.name, input_hashes=hashes, stage=STAGE)
        return replace(result, person=person, fit=replace(result.fit, provenance=made_by))
