"""Edits of corrections: each is one undo, and says in words what was done."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from limbstudio.domain.anatomy import Limb, level_rule
from limbstudio.domain.corrections import (
    BrushStroke,
    Corrections,
    CutPlane,
    EndAlongLimb,
    MirrorOther,
    Operation,
    ResetHere,
    TipShape,
    corrections_key,
)
from limbstudio.domain.edits import Change, Edit, Key, place_point
from limbstudio.domain.errors import KnownError
from limbstudio.domain.photo import Person


def corrections_of(records: Mapping[Key, Any], person: Person, limb: Limb) -> Corrections:
    """Return the corrections of one limb at its present level; none made yet is a record without operations."""
    segment = level_rule(limb, person.limbs[limb].level).segment
    for key in (corrections_key(person.id, limb, segment), corrections_key(person.id, limb)):
        if (found := records.get(key)) is not None:
            return found
    return Corrections(person.id, person.photo, limb, segment=segment)


def all_corrections(records: Mapping[Key, Any], person: str) -> tuple[Corrections, ...]:
    """Return the corrections of every limb of a person that has any, limbs in their own order.

    Those that rest, because the limb ends in another segment now, are among them.
    """
    keys = (corrections_key(person, limb, segment) for limb in Limb for segment in (None, *limb.segments))
    return tuple(found for key in keys if (found := records.get(key)) is not None and found.operations)


def counting(corrections: Sequence[Corrections], person: Person) -> dict[Limb, Corrections]:
    """Return which of a person's corrections count: those of the segment in which each limb ends now."""
    chosen: dict[Limb, Corrections] = {}
    for item in corrections:
        segment = level_rule(item.limb, person.limbs[item.limb].level).segment
        exact = item.segment is not None and item.segment is segment
        if item.operations and (exact or (item.segment is None and item.limb not in chosen)):
            chosen[item.limb] = item
    return chosen


def correct(before: Corrections, operation: Operation) -> Edit:
    """Add one operation; a second end, plane or tip shape directly after its like takes its place."""
    done = before.operations
    again = bool(done) and type(done[-1]) is type(operation)
    if again and isinstance(operation, EndAlongLimb | CutPlane | TipShape):
        done = done[:-1]
    return _changed(before, (*done, operation), f"{describe(operation)} of the {_words(before.limb)}")


def drop_operation(before: Corrections, index: int) -> Edit:
    """Take one operation out of the middle; the others stay in order."""
    dropped = before.operations[index]
    kept = before.operations[:index] + before.operations[index + 1 :]
    return _changed(before, kept, f"Take back: {describe(dropped).lower()} of the {_words(before.limb)}")


def replace_operation(before: Corrections, index: int, operation: Operation) -> Edit:
    """Put another operation in the place of one (numbers typed anew)."""
    kept = (*before.operations[:index], operation, *before.operations[index + 1 :])
    return _changed(before, kept, f"{describe(operation)} of the {_words(before.limb)}")


def clear_corrections(before: Corrections) -> Edit:
    """Take all corrections of one limb away."""
    return _changed(before, (), f"Remove the corrections of the {_words(before.limb)}")


def move_label_too(person: Person, limb: Limb, *, x: float, y: float) -> Edit:
    """Move the residual end in the photo to where the corrected limb ends, (x, y) pixels.

    KnownError where the limb's level has no end that could be labelled.
    """
    endpoint = level_rule(limb, person.limbs[limb].level).endpoint
    if endpoint is None:
        level = person.limbs[limb].level.label.lower()
        raise KnownError(
            f"The {_words(limb)} ({level}) has no end point in the photo.",
            "Correct it in 3D only, or choose another level.",
        )
    return replace(place_point(person, endpoint, x, y), label=f"Move label of the {_words(limb)}'s end too")


def describe(operation: Operation) -> str:
    """Return what an operation does, for the history: 'Pull'."""
    match operation:
        case EndAlongLimb():
            return "Move the end"
        case CutPlane():
            return "Move the cut plane"
        case TipShape():
            fold = " with a fold" if operation.fold > 0 else ""
            return f"{operation.kind.value.capitalize()} end{fold}"
        case BrushStroke():
            return operation.brush.value.capitalize()
        case MirrorOther():
            return "Mirror the other side"
        case ResetHere():
            return "Reset a place"


def _changed(before: Corrections, operations: tuple[Operation, ...], label: str) -> Edit:
    was = before if before.operations else None
    now = replace(before, operations=operations) if operations else None
    return Edit(label, (Change(before.key, was, now),), None, before.photo)


def _words(limb: Limb) -> str:
    return limb.value.replace("_", " ")
