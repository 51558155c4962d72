"""Fits that a project holds: which one counts, whether it still fits its inputs, and its meshes."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from limbstudio.domain.edits import Change, Edit
from limbstudio.domain.fitted import ChosenFit, KeptFit, MeshReference
from limbstudio.domain.mask_layers import devices_of
from limbstudio.domain.project import Project
from limbstudio.services import pipeline
from limbstudio.services.blobs import array_from_bytes
from limbstudio.services.fit_options import asked_of


@dataclass(frozen=True, eq=False)
class Mesh:
    """A mesh of a fit, loaded. vertices (V, 3) metres; faces (F, 3); residual (V,) bool; parts (V,) uint8."""

    vertices: np.ndarray
    faces: np.ndarray
    residual: np.ndarray
    parts: np.ndarray


def fit_of(project: Project, person_id: str) -> KeptFit | None:
    """Return the chosen fit of a person, fresh or stale."""
    chosen = project.records.get(("chosen_fit", person_id))
    return project.records.get(("fit", chosen.fit)) if chosen else None


def fits_of(project: Project, person_id: str) -> tuple[KeptFit, ...]:
    """Return all fits of a person, oldest first."""
    person = project.records.get(("person", person_id))
    found = project.records.of_photo("fit", person.photo) if person is not None else ()
    return tuple(fit for fit in found if fit.person == person_id)


def is_stale(project: Project, folder: Path, fit: KeptFit) -> bool:
    """Tell whether the person or the photo has changed since the fit was made (or is gone).

    folder: of the project, absolute.
    """
    person, photo = project.records.get(("person", fit.person)), project.records.get(("photo", fit.photo))
    if person is None or photo is None:
        return True
    asked, devices = asked_of(project, fit.person), devices_of(project, person)
    return pipeline.inputs_hash(person, photo, folder, asked, devices) != fit.inputs_hash


def has_stale_fit(project: Project, folder: Path, person_id: str) -> bool:
    """Tell whether a person has a fit that counts and is stale."""
    fit = fit_of(project, person_id)
    return fit is not None and is_stale(project, folder, fit)


def choose(project: Project, fit: KeptFit) -> Edit:
    """Make the edit by which a human lets a candidate count; machine results respect it."""
    key = ("chosen_fit", fit.person)
    choice = ChosenFit(fit.person, fit.photo, fit.id, by_human=True)
    return Edit("Choose fit", (Change(key, project.records.get(key), choice),), None, fit.photo)


def mesh_of(reference: MeshReference | None, read_blob: Callable[[str], bytes]) -> Mesh | None:
    """Load a mesh; KnownError when a part of it is gone or damaged."""
    if reference is None:
        return None
    arrays = (reference.vertices, reference.faces, reference.residual, reference.parts)
    return Mesh(*(array_from_bytes(read_blob(name)) for name in arrays))


def facts_of(fit: KeptFit) -> Mapping[str, Any]:
    """Return what was counted on the fit's mesh: `mesh`, `timings_s` and `warnings`."""
    return json.loads(fit.facts) if fit.facts else {}
