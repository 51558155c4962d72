"""The fits of one person side by side: what each came from, how well it meets the annotation, and the other
explanation that a fit found as good.
"""

import dataclasses
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

import numpy as np

from limbstudio.domain.body import BodyFit, FitMode, ScaleSource
from limbstudio.domain.edits import Change, Edit
from limbstudio.domain.errors import KnownError
from limbstudio.domain.fitted import ChosenFit, KeptFit
from limbstudio.domain.mask_layers import devices_of
from limbstudio.domain.photo import Person
from limbstudio.domain.provenance import Source
from limbstudio.services import pipeline
from limbstudio.services.fit_options import asked_of
from limbstudio.services.jobs import Context, Job
from limbstudio.services.studio import Mesh, Studio, facts_of

_OTHER_STAGE = "other explanation"
_PREDICTED = "AJAHR"
_SAME_FIT_M = 1e-4  # joints this close are the same explanation


@dataclass(frozen=True)
class Candidate:
    """One fit of the list. number: in the order in which they were made, from 1. origin: what it came from, in words.

    Errors: means in per cent of the box height, and iou: None where there is nothing to compare with.
    """

    fit: KeptFit
    number: int
    made_at: datetime | None
    origin: str
    is_chosen: bool
    is_stale: bool
    intact_error_pct: float | None
    residual_error_pct: float | None
    iou: float | None


def candidates_of(studio: Studio, person: Person, *, with_overlap: bool = True) -> tuple[Candidate, ...]:
    """Return all fits of a person, newest first, measured on the present points. Slow: call it in a thread.

    with_overlap: also measure each on the person's mask, which takes most of the time.
    """
    chosen = studio.fit_of(person.id)
    photo = studio.photo(person.photo)
    mask = None
    if with_overlap and studio.folder is not None:
        try:
            mask = pipeline.person_mask(person, photo, studio.folder, devices_of(studio.project, person))
        except KnownError:
            mask = None  # a fit says it; the list only has no overlap to show
    found = []
    for number, fit in enumerate(studio.fits_of(person.id), start=1):
        intact, residual = _errors(person, fit.fit)
        found.append(
            Candidate(
                fit,
                number,
                datetime.fromisoformat(fit.made_at) if fit.made_at else None,
                origin_of(fit),
                chosen is not None and chosen.id == fit.id,
                studio.is_stale(fit),
                intact,
                residual,
                None if mask is None else _overlap(studio.body_mesh(fit), fit, mask),
            )
        )
    return tuple(reversed(found))


def origin_of(fit: KeptFit) -> str:
    """Say in words what a fit came from."""
    if fit.fit.provenance.stage == _OTHER_STAGE:
        return "the other explanation"
    if fit.fit.provenance.stage == _PREDICTED:
        is_ours = fit.fit.provenance.by == _PREDICTED
        return "AJAHR's prediction" if is_ours else "AJAHR's prediction, your weights"
    if fit.fit.provenance.source is Source.IMPORTED:
        return "imported"
    return {
        FitMode.JOINT: "points",
        FitMode.PAPER: "points, as in the paper",
        FitMode.INTACT: "points, all limbs intact",
    }[fit.fit.mode]


def _errors(person: Person, fit: BodyFit) -> tuple[float | None, float | None]:
    from limbstudio.domain.anatomy import N_COCO
    from limbstudio.evaluation.metrics import keypoint_errors
    from limbstudio.resihmr.problem import box_height

    errors = 100 * keypoint_errors(person, fit) / box_height(person)

    def mean(values: np.ndarray) -> float | None:
        known = values[np.isfinite(values)]
        return float(known.mean()) if len(known) else None

    return mean(errors[:N_COCO]), mean(errors[N_COCO:])


def _overlap(mesh: Mesh | None, fit: KeptFit, mask: np.ndarray) -> float | None:
    if mesh is None:
        return None
    from limbstudio.rendering.silhouette import overlap, silhouette

    return overlap(silhouette(mesh.vertices, mesh.faces, fit.fit.camera), mask)


def delete(studio: Studio, fit: KeptFit) -> None:
    """Delete a candidate: an edit that can be undone; KnownError for the fit that counts."""
    chosen = studio.fit_of(fit.person)
    if chosen is not None and chosen.id == fit.id:
        raise KnownError("This fit is the one that counts.", "Choose another first, then delete it.")
    studio.do(Edit("Delete fit", (Change(("fit", fit.id), fit, None),), None, fit.photo))


# ------------------------------------------------------------------------------------------- the other explanation


def choose_other_explanation(studio: Studio, person: Person) -> Job | None:
    """Let the next explanation of the chosen fit count instead (front for back); a human edit.

    It is made into a mesh in the background the first time, and the job returned; None when it was there already.
    KnownError where the points leave no choice.
    """
    fit = studio.fit_of(person.id)
    if fit is None:
        raise KnownError("There is no fit to turn round yet.", "Fit the body first.")
    if not fit.fit.alternatives:
        raise KnownError(
            "The points leave only one explanation, so there is none to compare with.",
            "If front and back are wrong, swap left and right of the body.",
        )
    first, *rest = fit.fit.alternatives
    back = replace(fit.fit, alternatives=(), warnings=fit.fit.warnings)
    other = replace(
        first,
        alternatives=(*rest, back),
        warnings=fit.fit.warnings,
        provenance=replace(first.provenance, stage=_OTHER_STAGE),
    )
    known = next((f for f in reversed(studio.fits_of(person.id)) if _is_same(f, fit, other)), None)
    if known is not None:
        studio.choose_fit(known)
        return None
    photo = studio.photo(person.photo)
    folder = studio.folder
    assert folder is not None
    asked, devices = asked_of(studio.project, person.id), devices_of(studio.project, person)
    work = pipeline.FitWork(
        person, photo, fit.fit.mode, 0, _body_file(fit), folder.absolute(), asked, devices
    )
    return studio.compute(
        shape_explanation,
        work,
        other,
        title=f"Show the other explanation in {Path(photo.path).name}",
        photo=photo.sha256,
        finish=lambda answer: _keep_and_choose(studio, work, fit, answer),
    )


def _is_same(known: KeptFit, of: KeptFit, other: BodyFit) -> bool:
    if known.inputs_hash != of.inputs_hash or known.id == of.id:
        return False
    return bool(np.abs(np.asarray(known.fit.joints) - np.asarray(other.joints)).max() < _SAME_FIT_M)


def _body_file(fit: KeptFit) -> Path | None:
    name = facts_of(fit).get("body_file")
    return Path(name) if name else None


def _keep_and_choose(
    studio: Studio, work: pipeline.FitWork, of: KeptFit, answer: pipeline.FitAnswer
) -> KeptFit:
    made = studio.keep_blobs(work, answer)
    made = replace(made, inputs_hash=of.inputs_hash)
    if studio.fit_of(made.person) != of:
        raise KnownError("Another fit was chosen meanwhile.", "Turn it round again to see its other side.")
    key = ("chosen_fit", made.person)
    changes = (
        Change(("fit", made.id), None, made),
        Change(
            key, studio.project.records.get(key), ChosenFit(made.person, made.photo, made.id, by_human=True)
        ),
    )
    studio.do(Edit("Choose the other explanation", changes, None, made.photo))
    return made


def shape_explanation(context: Context, work: pipeline.FitWork, fit: BodyFit) -> pipeline.FitAnswer:
    """Make the mesh of an explanation that a fit kept; runs in the worker's process."""
    from limbstudio.body.surface import surface_facts
    from limbstudio.resihmr.pipeline import build_mesh

    context.report(0.3, "Shaping the body")
    mesh, warnings = build_mesh(work.person, fit, pipeline.body_of(work.body_file))
    facts = {
        "mesh": dataclasses.asdict(surface_facts(mesh.vertices, mesh.faces)),
        "timings_s": {},
        "warnings": [*fit.warnings, *warnings],
        "seed": work.seed,
        "body_file": str(work.body_file) if work.body_file else None,
    }
    return pipeline.FitAnswer(
        fit, mesh.vertices, mesh.tpose, mesh.faces, mesh.residual, mesh.parts, mesh.stumps, facts
    )


# ------------------------------------------------------------------------------------------------- two fits compared


@dataclass(frozen=True, eq=False)
class Difference:
    """How far one body lies from another. amounts (V,): metres where the scale is known, else shares of the body's
    height; unit: "mm" or "%"; scaled for people by `shown`.
    """

    amounts: np.ndarray
    unit: str

    @property
    def shown(self) -> np.ndarray:
        """Return the amounts in their unit."""
        return self.amounts * (1000.0 if self.unit == "mm" else 100.0)


def difference(one: Mesh, other: Mesh, first: BodyFit, second: BodyFit) -> Difference:
    """Return how far each vertex of `one` lies from the surface points of `other` (nearest vertex).

    Both lie in their camera frames; the pelvises are laid on each other, since depth is not what is compared.
    """
    from scipy.spatial import KDTree  # here: half a second that only a comparison needs

    a = np.asarray(one.vertices, float) - np.asarray(first.joints)[0]
    b = np.asarray(other.vertices, float) - np.asarray(second.joints)[0]
    known = np.array_equal(one.faces, other.faces) and len(a) == len(b)
    amounts = np.linalg.norm(a - b, axis=1) if known else KDTree(b).query(a)[0]
    if first.scale is not ScaleSource.PRIOR and second.scale is not ScaleSource.PRIOR:
        return Difference(amounts, "mm")
    height = float(np.ptp(a @ first.up_camera))
    return Difference(amounts / max(height, 1e-9), "%")
