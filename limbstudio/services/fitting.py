"""Fits of a project: how one is started, kept, and chosen where no human has a say against it."""

import json
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from limbstudio.domain.body import FitMode
from limbstudio.domain.edits import Change, Edit
from limbstudio.domain.errors import KnownError
from limbstudio.domain.fitted import ChosenFit, KeptFit, MeshReference
from limbstudio.domain.mask_layers import devices_of
from limbstudio.domain.photo import Person, Photo
from limbstudio.domain.project import Project
from limbstudio.services import pipeline, records
from limbstudio.services.blobs import array_to_bytes
from limbstudio.services.fit_options import asked_of
from limbstudio.services.history import History
from limbstudio.services.jobs import Job
from limbstudio.services.lanes import InlineLane
from limbstudio.services.pipeline import FitAnswer, FitWork, StageRequest, inputs_hash
from limbstudio.services.store import Store
from limbstudio.services.workshop import Workshop


class Fitting:
    """Start fits of the open project in the workshop; the same work is never begun twice."""

    def __init__(self, workshop: Workshop) -> None:
        self._workshop = workshop
        self._under_way: dict[str, Job] = {}

    def start(self, store: Store, history: History, work: FitWork, *, quietly: bool) -> Job:
        """Fit one person; the job's result is the `KeptFit`. quietly: as a part of other work, nobody is told of it."""
        request = pipeline.fit_request(work)
        under_way = self._under_way.get(request.hash)
        if under_way is not None and not under_way.state.has_ended and not under_way.was_cancelled:
            return under_way
        title = f"Fit a person in {Path(work.photo.path).name}"
        known = history.project.records.get(("fit", store.result(request.hash) or ""))
        if known is not None:
            note = None if quietly else self._workshop.note
            job = InlineLane(note).submit(lambda context: known, title=title, photo=work.photo.sha256)
            choose(history, known, work.folder)
            return job
        job = self._workshop.worker_lane(quietly=quietly).submit(
            pipeline.run_fit,
            work,
            title=title,
            photo=work.photo.sha256,
            finish=lambda answer: keep(store, history, work, request, answer),
        )
        self._under_way[request.hash] = job
        return job

    def forget(self) -> None:
        """Let go of what is under way: the project is closed."""
        self._under_way.clear()


def work_of(
    project: Project,
    folder: Path,
    person: Person,
    photo: Photo,
    *,
    mode: FitMode,
    seed: int,
    body_file: Path | None,
) -> FitWork:
    """Return the fit of a person as work: all that it needs, of this moment. folder: of the project."""
    asked, devices = asked_of(project, person.id), devices_of(project, person)
    return FitWork(person, photo, mode, seed, body_file, folder.absolute(), asked, devices)


def keep(store: Store, history: History, work: FitWork, request: StageRequest, answer: FitAnswer) -> KeptFit:
    """Record a computed fit as a machine edit and return it; KnownError when there is no person for it any
    more.
    """
    if ("person", work.person.id) not in history.project.records:
        raise KnownError("The person was deleted while the fit ran.", "The fit was not kept.")
    fit = kept(store, work, request, answer)
    _record(history, fit, work.folder)
    store.keep_result(request.hash, request.stage.value, fit.id)
    return fit


def choose(history: History, fit: KeptFit, folder: Path) -> None:
    """Let a machine's fit count, unless a human chose one or the person has changed since it was asked
    for.
    """
    if change := _choice(history.project, fit, folder):
        history.do(Edit("Use fit", (change,), None, fit.photo, human=False))


def _record(history: History, fit: KeptFit, folder: Path) -> None:
    new = Change(("fit", fit.id), None, fit)
    choice = _choice(history.project, fit, folder)
    try:
        history.do(Edit("Fit", (new, choice) if choice else (new,), None, fit.photo, human=False))
    except KnownError:
        if choice is None or history.project.records.get(choice.key) == choice.before:
            raise
        # Somebody chose another fit in this very moment: theirs counts, this one is a candidate.
        history.do(Edit("Fit", (new,), None, fit.photo, human=False))


def _choice(project: Project, fit: KeptFit, folder: Path) -> Change | None:
    """Return the change that makes a fit count, or None where it may only be a candidate."""
    person, photo = project.records.get(("person", fit.person)), project.records.get(("photo", fit.photo))
    key = ("chosen_fit", fit.person)
    chosen = project.records.get(key)
    if person is None or photo is None:
        return None
    if chosen is not None:
        is_late = (
            inputs_hash(person, photo, folder, asked_of(project, fit.person), devices_of(project, person))
            != fit.inputs_hash
        )
        if chosen.by_human or is_late or chosen.fit == fit.id:
            return None
    return Change(key, chosen, ChosenFit(fit.person, fit.photo, fit.id))


def kept(store: Store, work: FitWork, request: StageRequest, answer: FitAnswer) -> KeptFit:
    """Write the arrays of a computed fit and return its record."""
    faces = store.put_blob(array_to_bytes(np.asarray(answer.faces, np.int32)))
    residual = store.put_blob(array_to_bytes(np.asarray(answer.residual, bool)))

    parts = store.put_blob(array_to_bytes(np.asarray(answer.parts, np.uint8)))

    def mesh(vertices: np.ndarray) -> MeshReference:
        return MeshReference(
            store.put_blob(array_to_bytes(np.asarray(vertices, np.float32))), faces, residual, parts
        )

    body, tpose = mesh(answer.vertices), mesh(answer.tpose)
    facts = json.dumps(answer.facts, default=_plain_number, sort_keys=True)
    plain = [records.to_plain(item) for item in (answer.fit, body, tpose)]
    return KeptFit(
        id=records.digest(records.canonical([request.hash, work.person.id, *plain])),
        person=work.person.id,
        photo=work.photo.sha256,
        inputs_hash=dict(request.inputs)["person"],
        fit=answer.fit,
        body=body,
        tpose=tpose,
        stumps=answer.stumps,
        facts=facts,
        made_at=datetime.now(UTC).isoformat(timespec="seconds"),
    )


def _plain_number(value: object) -> object:
    if isinstance(value, np.generic):
        return value.item()
    raise TypeError(f"{type(value).__name__} is not stored as JSON.")
