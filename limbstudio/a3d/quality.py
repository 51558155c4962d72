"""Taking people out of a photo, and whether what is left will do as a background (AJAHR, supplement section A)."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from limbstudio.rendering.raster import Floats

Pixels = NDArray[np.uint8]
Mask = NDArray[np.bool_]

LEAST_SSIM = 0.5
"""Backgrounds less alike than that to the photo are left out: they are blurred or smeared."""

_INPAINT_RADIUS_PX = 5.0
# What is taken out reaches beyond the outline by this share of the picture: shadows and hair.
_MARGIN = 0.012
_WINDOW_SIGMA_PX = 1.5
_C1, _C2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2


@dataclass(frozen=True, eq=False)
class FoundPerson:
    """A person that a detector found. box: left, top, width, height in pixels. keypoints: of them, how many it saw."""

    box: tuple[float, float, float, float]
    keypoints: int


# The place of a detector: (H, W, 3) RGB -> the people in it. None ships; a plugin or a caller brings one.
FindPeople = Callable[[Pixels], Sequence[FoundPerson]]


@dataclass(frozen=True, eq=False)
class Cleaned:
    """A photo without its people.

    removed: how many were taken out. ssim: to the photo, 1 where nothing was. refusal: why it will not do, or "".
    """

    pixels: Pixels
    removed: int
    ssim: float
    refusal: str = ""


def cleaned(pixels: Pixels, people: Mask, count: int, find_people: FindPeople | None = None) -> Cleaned:
    """Take `count` people, where `people` (H, W) is true, out of a photo (H, W, 3) and judge what is left."""
    if find_people is not None:
        found = find_people(pixels)
        people = people.copy()
        for person in found:
            x, y, w, h = (round(v) for v in person.box)
            people[max(y, 0) : y + h, max(x, 0) : x + w] = True
        count = max(count, len(found))
    if not people.any():
        return Cleaned(pixels, 0, 1.0)
    margin = max(2, round(_MARGIN * max(pixels.shape[:2])))
    shape = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * margin + 1, 2 * margin + 1))
    wide = cv2.dilate(people.astype(np.uint8), shape)
    if wide.all():
        return Cleaned(pixels, count, 0.0, "people fill the photo")
    background = np.asarray(cv2.inpaint(pixels, wide, _INPAINT_RADIUS_PX, cv2.INPAINT_TELEA), np.uint8)
    likeness = ssim(pixels, background)
    refusal = ""
    if likeness < LEAST_SSIM:
        refusal = f"SSIM below {LEAST_SSIM:g}"
    elif find_people is not None and any(person.keypoints for person in find_people(background)):
        refusal = "a person is still found"
    return Cleaned(background, count, likeness, refusal)


def ssim(first: Pixels, second: Pixels) -> float:
    """Return the mean structural similarity of two pictures (H, W, 3) or (H, W), on their grey values.

    Wang et al. 2004, equation 13, with its Gaussian window of 11 x 11 and sigma 1.5.
    """
    x, y = (_grey(picture) for picture in (first, second))

    def mean(values: Floats) -> Floats:
        blurred = cv2.GaussianBlur(values, (11, 11), _WINDOW_SIGMA_PX, borderType=cv2.BORDER_REFLECT)
        return np.asarray(blurred, np.float64)

    mx, my = mean(x), mean(y)
    xx, yy, xy = mean(x * x) - mx * mx, mean(y * y) - my * my, mean(x * y) - mx * my
    above = (2 * mx * my + _C1) * (2 * xy + _C2)
    below = (mx * mx + my * my + _C1) * (xx + yy + _C2)
    return float((above / below).mean())


def _grey(picture: Pixels) -> Floats:
    values = picture.astype(np.float64)
    return values @ np.array([0.299, 0.587, 0.114]) if values.ndim == 3 else values
