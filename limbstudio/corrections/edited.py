"""A fit as a person has corrected it: its mesh, and its numbers, told apart from what the fit found.

A number that a person has changed has no interval: the fit's belongs to the fit's own number.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from limbstudio.body.model import BodyModel
from limbstudio.corrections.limb_surface import LimbSurface
from limbstudio.corrections.replay import Corrected, Outcome, apply
from limbstudio.domain.anatomy import Limb
from limbstudio.domain.body import BodyFit, LimbFit
from limbstudio.domain.corrections import Corrections, CutPlane, EndAlongLimb, Operation
from limbstudio.domain.errors import KnownError
from limbstudio.domain.photo import Person
from limbstudio.resihmr.pipeline import BodyMesh

# An end that a brush moves by less than this share of the segment has not been moved.
_SAME_END = 2e-4
_UNKNOWN = (float("nan"), float("nan"))


@dataclass(frozen=True, eq=False)
class EditedLimb:
    """What a person changed on one limb. fitted: its numbers as the fit has them; now: as they are.

    outcomes: one per operation. moves_end: lambda, length and end are the person's, not the fit's.
    """

    operations: tuple[Operation, ...]
    outcomes: tuple[Outcome, ...]
    fitted: LimbFit
    now: LimbFit
    moves_end: bool

    @property
    def is_edited(self) -> bool:
        return any(outcome.ok for outcome in self.outcomes)


@dataclass(frozen=True, eq=False)
class EditedFit:
    """A fit with corrections. fit: the numbers of edited limbs exchanged. mesh: corrected. warnings: for people."""

    fit: BodyFit
    mesh: BodyMesh
    limbs: dict[Limb, EditedLimb]
    warnings: tuple[str, ...]


def edited_fit(
    person: Person, fit: BodyFit, body: BodyModel, corrections: Sequence[Corrections]
) -> EditedFit | None:
    """Correct a fit as a person's records say; None where they have nothing to correct.

    KnownError where the body is not the one that was fitted: another body's surface cannot take them.
    """
    if not any(item.operations for item in corrections):
        return None
    if body.name != fit.body_name:
        raise KnownError(
            f"This fit was made with the body “{fit.body_name}”, which is not here, so its corrections cannot be "
            "applied.",
            "Fit the person again.",
        )
    corrected = apply(person, fit, body, corrections)
    limbs = {
        limb.limb: _edited_limb(limb, fit, corrected) for limb in fit.limbs if limb.limb in corrected.counted
    }
    now = tuple(limbs[limb.limb].now if limb.limb in limbs else limb for limb in fit.limbs)
    return EditedFit(replace(fit, limbs=now), corrected.mesh, limbs, corrected.warnings)


def _edited_limb(limb: LimbFit, fit: BodyFit, corrected: Corrected) -> EditedLimb:
    operations = corrected.counted[limb.limb].operations
    outcomes = corrected.outcomes[limb.limb]
    surface = corrected.limbs.get(limb.limb)
    done = [item for item, outcome in zip(operations, outcomes, strict=True) if outcome.ok]
    factor = None if surface is None else _factor_by_hand(surface, limb, done)
    if factor is None:
        return EditedLimb(operations, outcomes, limb, limb, moves_end=False)
    anchor, upstream = np.asarray(limb.anchor_position), np.asarray(limb.upstream_position)
    end = anchor + factor * (upstream - anchor)
    x, y = fit.camera.project(end)
    now = replace(
        limb,
        factor=factor,
        endpoint=end,
        endpoint_px=(float(x), float(y)),
        length_m=(1 - factor) * float(np.linalg.norm(anchor - upstream)),
        factor_interval=_UNKNOWN,
        length_interval_m=_UNKNOWN,
        accepted=True,
        reason="",
    )
    return EditedLimb(operations, outcomes, limb, now, moves_end=True)


def _factor_by_hand(surface: LimbSurface, limb: LimbFit, done: Sequence[Operation]) -> float | None:
    """Return lambda where operations that were done have moved the limb's end, else None."""
    placing = next((item for item in reversed(done) if isinstance(item, EndAlongLimb | CutPlane)), None)
    cut_at = float(surface.frame.axial_of(surface.unedited).max())
    moved = surface.end_axial - cut_at  # by brushes
    if placing is None:
        return limb.factor - moved if abs(moved) > _SAME_END else None
    begun = placing.factor if isinstance(placing, EndAlongLimb) else 1 - cut_at
    return begun - (moved if abs(moved) > _SAME_END else 0.0)
