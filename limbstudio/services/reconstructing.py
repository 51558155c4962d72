"""Reconstruct every annotated person of some photos, a folder each; what cannot be read is refused and the rest goes on."""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from limbstudio import __version__
from limbstudio.body.model import BodyModel, bundled_body_path, load_body
from limbstudio.cameras import choose_camera
from limbstudio.domain.anatomy import Posture
from limbstudio.domain.body import FitMode
from limbstudio.domain.errors import KnownError
from limbstudio.domain.photo import Person
from limbstudio.evaluation.metrics import PersonMetrics, measure_person
from limbstudio.formats.coco import AnnotatedPerson, Annotations, read_annotations
from limbstudio.formats.fit_json import SCHEMA_VERSION, FitOrigin
from limbstudio.images import LoadedPhoto, open_photo
from limbstudio.resihmr.initial_fit import DEFAULT_SETTINGS, FitSettings
from limbstudio.resihmr.pipeline import PersonResult, reconstruct_person
from limbstudio.services.exporting import Existing, folder_names, is_finished, prepare_output, write_person
from limbstudio.services.pipeline import file_hash
from limbstudio.services.records import canonical, digest, to_plain

Report = Callable[[float, str], None]

MASK_AUTO, MASK_OFF = "auto", "off"


@dataclass(frozen=True)
class ReconstructOptions:
    """What a person may ask of a reconstruction; None leaves it to the annotation.

    body: file of a body model, None for the bundled one. mask: "auto" (the annotation's own), "off", or a file.
    stature_mm, focal_px, posture: of every person; they win over the annotation.
    """

    mode: FitMode = FitMode.JOINT
    body: Path | None = None
    stature_mm: float | None = None
    focal_px: float | None = None
    posture: Posture | None = None
    mask: str = MASK_AUTO
    seed: int = 0
    existing: Existing = Existing.REFUSE
    settings: FitSettings = field(default=DEFAULT_SETTINGS)
    pictures: bool = True


@dataclass(frozen=True)
class Task:
    """One person to reconstruct. folder: where the files go."""

    photo: Path
    annotated: AnnotatedPerson
    folder: Path


@dataclass(frozen=True)
class Outcome:
    """What became of one person, or of a photo that was refused as a whole (annotation None).

    state: "made", "kept" (finished before), or "refused"; then message and hint say why. warnings: for people.
    """

    photo: str
    annotation: str | None
    state: str
    folder: str | None = None
    message: str = ""
    hint: str = ""
    warnings: tuple[str, ...] = ()
    metrics: PersonMetrics | None = None
    seconds: float = 0.0


@dataclass(frozen=True)
class BatchResult:
    """What became of a batch. warnings: about the annotation file."""

    outcomes: tuple[Outcome, ...]
    warnings: tuple[str, ...] = ()

    @property
    def refused(self) -> tuple[Outcome, ...]:
        return tuple(o for o in self.outcomes if o.state == "refused")

    def as_plain(self) -> Mapping[str, Any]:
        """Return the result for scripts."""
        return {"people": [asdict(outcome) for outcome in self.outcomes], "warnings": list(self.warnings)}
