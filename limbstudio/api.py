"""What plugins may import: the contracts they fulfil and the records they are handed.

Everything else may change.

A plugin is a package that announces an object under the entry point group `limbstudio.plugins`:

    [project.entry-points."limbstudio.plugins"]
    csv_keypoints = "limbstudio_csv_keypoints:CsvKeypoints"
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from limbstudio.domain.anatomy import (
    LDPOSE,
    LDPOSE_EDGES,
    LDPOSE_NAMES,
    Cause,
    Device,
    KeypointDefinition,
    KeypointState,
    Level,
    Limb,
    LimbState,
    Posture,
    Segment,
    Side,
)
from limbstudio.domain.body import BodyFit, FitMode, LimbFit, ScaleSource
from limbstudio.domain.errors import KnownError
from limbstudio.domain.geometry import Box, Camera, Keypoints, Point
from limbstudio.domain.photo import Person, Photo
from limbstudio.domain.provenance import Provenance, Source
from limbstudio.domain.stump import Stump

API_VERSION = 1
"""Rises when a plugin written for the version before would break."""

ENTRY_POINT_GROUP = "limbstudio.plugins"


@dataclass(frozen=True)
class AnnotatedPhoto:
    """A photo and the people annotated in it."""

    photo: Photo
    people: tuple[Person, ...]


@runtime_checkable
class Exporter(Protocol):
    """Write annotations in a format of its own.

    api_version: the API_VERSION it was written for. name: for people, in menus; unique.
    suffix: of the file, with its dot.
    """

    api_version: int
    name: str
    suffix: str

    def export(self, annotations: Sequence[AnnotatedPhoto], path: Path) -> None:
        """Write `annotations` to the file `path`; raise KnownError when that cannot be done."""
        ...


class Report(Protocol):
    """How a plugin says how far it is; calling it is also where it may be stopped."""

    def __call__(self, fraction: float, sentence: str = "") -> None:
        """Say how far the work is (0..1) and what it does now."""
        ...


@runtime_checkable
class Command(Protocol):
    """Do something with one photo's people, as a new entry of a menu and the palette.

    api_version, name: as of an `Exporter`. keys: wished for, for example ("Ctrl+Alt+M",); a key in use is not given.
    """

    api_version: int
    name: str
    keys: Sequence[str]

    def run(self, annotated: AnnotatedPhoto, report: Report) -> Sequence[Person]:
        """Return the people that changed, as new records with the ids of old ones; they become one machine edit.

        Called in a thread of its own, never in the window's. Raise KnownError when it cannot be done.
        """
        ...


@runtime_checkable
class Inspector(Protocol):
    """Say something of one photo's people, as a panel below the window's others. api_version, name: as above."""

    api_version: int
    name: str

    def facts(self, annotated: AnnotatedPhoto, report: Report) -> Sequence[tuple[str, str]]:
        """Return rows of (what, value), for people. Called in a thread whenever the photo or its people change."""
        ...


@dataclass(frozen=True, eq=False)
class DetectedPerson:
    """A person that a detector found.

    box: pixels. keypoints: (17, 3) of COCO: x, y in pixels, confidence from 0 to 1; zeros where nothing was found.
    """

    box: Box
    keypoints: NDArray[np.floating[Any]]


@runtime_checkable
class Detector(Protocol):
    """Find people in a picture. api_version, name: as above.

    `limbstudio a3d make --detector` asks one whether a background still shows anybody.
    """

    api_version: int
    name: str

    def find(self, pixels: NDArray[np.uint8]) -> Sequence[DetectedPerson]:
        """Return the people in a picture (H, W, 3), RGB.

        Called in several processes at once; the same picture must give the same answer. Raise KnownError when it cannot
        be done.
        """
        ...


__all__ = [
    "API_VERSION",
    "ENTRY_POINT_GROUP",
    "LDPOSE",
    "LDPOSE_EDGES",
    "LDPOSE_NAMES",
    "AnnotatedPhoto",
    "BodyFit",
    "Box",
    "Camera",
    "Cause",
    "Command",
    "DetectedPerson",
    "Detector",
    "Device",
    "Exporter",
    "FitMode",
    "Inspector",
    "KeypointDefinition",
    "KeypointState",
    "Keypoints",
    "KnownError",
    "Level",
    "Limb",
    "LimbFit",
    "LimbState",
    "Person",
    "Photo",
    "Point",
    "Posture",
    "Provenance",
    "Report",
    "ScaleSource",
    "Segment",
    "Side",
    "Source",
    "Stump",
]
