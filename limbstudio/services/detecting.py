"""Detectors of people that plugins bring, at work in as many processes as there are."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from limbstudio.a3d.quality import FoundPerson
from limbstudio.api import DetectedPerson, Detector
from limbstudio.domain.anatomy import N_COCO
from limbstudio.domain.errors import KnownError
from limbstudio.services.plugins import discover

# A keypoint that a detector believes in less is none.
_LEAST_CONFIDENCE = 0.3


@dataclass(frozen=True)
class PeopleFinder:
    """Finds people with a plugin's detector. It travels to other processes by name and is loaded there."""

    name: str

    def __call__(self, pixels: NDArray[np.uint8]) -> list[FoundPerson]:
        """Return the people in a picture (H, W, 3), RGB; KnownError where the plugin fails."""
        try:
            return [_as_found(person) for person in _detector(self.name).find(pixels.copy())]
        except KnownError:
            raise
        except Exception as error:  # the border "plugin work": somebody else's code may raise anything
            raise KnownError(
                f"The detector {self.name} failed: {type(error).__name__}: {error}.",
                "Tell its author, or leave --detector out.",
            ) from error


def people_finder(name: str) -> PeopleFinder:
    """Return a finder by a plugin's entry point name; raise KnownError where there is no such detector."""
    _detector.cache_clear()
    _detector(name)
    return PeopleFinder(name)


@lru_cache(maxsize=1)
def _detector(name: str) -> Detector:
    return discover().detector(name)


def _as_found(person: DetectedPerson) -> FoundPerson:
    points = np.asarray(person.keypoints, float)
    if points.shape != (N_COCO, 3):
        raise ValueError(f"keypoints of shape {points.shape}, not ({N_COCO}, 3)")
    box = person.box
    if not (np.isfinite(points).all() and np.isfinite([box.x, box.y, box.width, box.height]).all()):
        raise ValueError("a box or keypoints that are not finite")
    seen = int((points[:, 2] >= _LEAST_CONFIDENCE).sum())
    return FoundPerson((box.x, box.y, box.width, box.height), seen)
