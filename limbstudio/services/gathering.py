"""What an export takes out of a project, as it is at one moment."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from limbstudio.domain.correcting import all_corrections
from limbstudio.domain.errors import KnownError
from limbstudio.domain.mask_layers import devices_of
from limbstudio.domain.photo import Person, Photo
from limbstudio.domain.project import Project
from limbstudio.services import handing_over, pipeline
from limbstudio.services.handing_over import Reconstructed
from limbstudio.services.jobs import Context
from limbstudio.services.kept_fits import facts_of
from limbstudio.services.masking import layers_as_png, mask_as_png
from limbstudio.services.photo_places import PhotoPlaces

if TYPE_CHECKING:
    from limbstudio.services.studio import Studio

Refused = tuple[str, KnownError]


def annotated(
    project: Project, places: PhotoPlaces, photos: Sequence[str] | None
) -> list[tuple[Photo, tuple[Person, ...]]]:
    """Return photos (None: all) with the paths where they lie now, and their people."""
    found = []
    chosen = None if photos is None else set(photos)
    for photo in project.photos:
        if chosen is None or photo.sha256 in chosen:
            place = next((p for p in places.places(photo) if p.is_file()), Path(photo.path))
            found.append((replace(photo, path=str(place)), project.people_in(photo.sha256)))
    return found


def write_annotations(
    context: Context,
    studio: "Studio",
    path: Path,
    project: Project,
    chosen: Sequence[tuple[Photo, tuple[Person, ...]]],
) -> Path:
    """Write one COCO file of these photos, with masks beside it and corrections of residual limbs in it."""
    people = [person for _, here in chosen for person in here]
    masks = {p.id: mask_as_png(studio, p) for p in people if p.mask_file}
    layers = {p.id: layers_as_png(studio, p) for p in people}
    corrected = {p.id: all_corrections(project.records, p.id) for p in people}
    return handing_over.write_coco(context, path, chosen, masks, layers, corrected)


def reconstructions(
    studio: "Studio", people: Sequence[str] | None
) -> tuple[list[Reconstructed], list[Refused]]:
    """Return the chosen fits of these people, and who of them has none; None: of all who have a fit."""
    records = studio.project.records
    if people is None:
        names = [name for name in records.shelf("person").ids() if ("chosen_fit", name) in records]
    else:
        names = list(people)
    found: list[Reconstructed] = []
    refused: list[Refused] = []
    for person in (p for p in (records.get(("person", name)) for name in names) if p is not None):
        photo = studio.photo(person.photo)
        work = _reconstruction(studio, person, photo)
        if work is not None:
            found.append(work)
        elif people is not None:
            error = KnownError("There is no fit of this person yet.", "Fit the person first.")
            refused.append((f"{Path(photo.path).name}, person {person.id}", error))
    return found, refused


def _reconstruction(studio: "Studio", person: Person, photo: Photo) -> Reconstructed | None:
    fit = studio.fit_of(person.id)
    if fit is None:
        return None
    mesh, tpose = studio.body_mesh(fit), studio.tpose_mesh(fit)
    if mesh is None or tpose is None:
        return None
    answer = pipeline.FitAnswer(
        fit.fit,
        mesh.vertices,
        tpose.vertices,
        mesh.faces,
        mesh.residual,
        mesh.parts,
        fit.stumps,
        dict(facts_of(fit)),
    )
    return Reconstructed(
        person,
        photo,
        fit.inputs_hash,
        answer,
        studio.is_stale(fit),
        devices_of(studio.project, person),
        all_corrections(studio.project.records, person.id),
    )
