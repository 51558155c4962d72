"""What plugins may import: the contracts they fulfil and the records they are handed.

Everything else may change.

A plugin is a package that announces an object under the entry point group `limbstudio.plugins`:

    [project.entry-points."limbstudio.plugins"]
    csv_keypoints = "limbstudio_csv_keypoints:CsvKeypoints"
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, runtime_checkable

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
    "Device",
    "Exporter",
    "FitMode",
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
    "ScaleSource",
    "Segment",
    "Side",
    "Source",
    "Stump",
]
