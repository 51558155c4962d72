"""The limb classifier at work: from photos and points to a proposal of how each limb ends."""

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

import numpy as np
import torch

from limbstudio.ajahr.build import HEAD_LIMBS, STUDIO_BPAC, StudioBpacNumbers, build_studio_bpac
from limbstudio.ajahr.limb_crop import Pixels, as_input, cut_out, points_in_crop, points_of, square_around
from limbstudio.ajahr.plain_weights import fill
from limbstudio.ajahr.studio_bpac import StudioBpac
from limbstudio.domain.errors import KnownError
from limbstudio.domain.limb_proposals import UNSURE_BELOW, LimbProposals
from limbstudio.domain.photo import Person
from limbstudio.resources import resource_path

_COMMAND = "limbstudio train bpac"


def shipped_weights() -> Path:
    """Return where weights lie that ship with the program; the file need not exist."""
    return resource_path("weights/bpac.npz")


def load_classifier(path: Path, numbers: StudioBpacNumbers = STUDIO_BPAC) -> StudioBpac:
    """Read a classifier that `train bpac` wrote; raise KnownError where the file is none or not finite."""
    network = build_studio_bpac(numbers)
    fill(network, path, what="a limb classifier of the studio's size", command=_COMMAND)
    if not float(network.temperature) > 0:
        raise KnownError(f"{path.name} holds a temperature that is not above zero.", "Train it again.")
    return network.eval().requires_grad_(False)


def classifier(path: Path | None = None) -> StudioBpac:
    """Return a classifier, read once; None: the one that ships. KnownError where there is no such file."""
    if path is None and not shipped_weights().exists():
        raise KnownError(
            "No weights of the limb classifier ship with this version.",
            f"Train some with `{_COMMAND}` and name the file with --weights.",
        )
    if path is not None and not path.is_file():
        raise KnownError(f"There is no file {path}.", f"Name the bpac.npz that `{_COMMAND}` wrote.")
    path = path or shipped_weights()
    return _kept(path, path.stat().st_mtime_ns)


@lru_cache(maxsize=2)
def _kept(path: Path, _changed_ns: int) -> StudioBpac:
    return load_classifier(path)


def propose(
    network: StudioBpac, people: Sequence[tuple[Pixels, Person]], *, threshold: float = UNSURE_BELOW
) -> list[LimbProposals]:
    """Propose how the limbs of people end, in one go; each with the photo (H, W, 3) that shows them, RGB and upright.

    Raise KnownError for a person without points and box, or outside the picture.
    """
    if not people:
        return []
    size = network.numbers.picture_px
    crops, told = [], []
    for pixels, person in people:
        points = points_of(person)
        square = square_around(points, person.box)
        crops.append(as_input(cut_out(pixels, square, size)))
        told.append(points_in_crop(points, square, size))
    with torch.inference_mode():
        found = network.probabilities(
            torch.as_tensor(np.stack(crops)), torch.as_tensor(np.stack(told))
        ).numpy()
    rows = found.astype(float).tolist()
    return [LimbProposals.of(dict(zip(HEAD_LIMBS, row, strict=True)), threshold) for row in rows]


def predict_limbs(
    pixels: Pixels, person: Person, *, weights: Path | None = None, threshold: float = UNSURE_BELOW
) -> LimbProposals:
    """Propose how one person's limbs end. pixels: (H, W, 3) uint8 RGB, upright.

    weights: a file of `train bpac`, None for the one that ships. Raise KnownError as `propose` and `classifier` do.
    """
    return propose(classifier(weights), [(pixels, person)], threshold=threshold)[0]
