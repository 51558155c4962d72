"""Corrections of residual limbs as plain JSON values: in COCO's block `limbstudio`, and in fit.json.

One object per operation, its kind under `operation`; places as [axial, angle, cap]. The fields are those of
`domain.corrections`, with its units: segment lengths and radians.
"""

import difflib
from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Any, TypeVar

from limbstudio.domain.anatomy import Limb, Segment
from limbstudio.domain.corrections import (
    Brush,
    BrushStroke,
    Corrections,
    CutPlane,
    EndAlongLimb,
    MirrorOther,
    Operation,
    ResetHere,
    SurfacePoint,
    TipKind,
    TipShape,
)
from limbstudio.domain.errors import KnownError

Plain = Any
_Named = TypeVar("_Named", bound=StrEnum)

_KINDS: dict[str, type[Operation]] = {
    "end": EndAlongLimb, "plane": CutPlane, "tip": TipShape, "stroke": BrushStroke, "mirror": MirrorOther,
    "reset": ResetHere,
}  # fmt: skip
_NUMBERS = {
    EndAlongLimb: ("factor",), CutPlane: ("offset", "tilt_ap", "tilt_ml"), TipShape: ("roundness", "fold"),
    BrushStroke: ("radius", "strength"), MirrorOther: ("strength",), ResetHere: ("radius",),
}  # fmt: skip


# --------------------------------------------------------------------------------------------------- writing


def written_operation(operation: Operation) -> dict[str, Plain]:
    """Return one operation as an object of JSON values."""
    name = next(name for name, kind in _KINDS.items() if kind is type(operation))
    values: dict[str, Plain] = {"operation": name}
    if isinstance(operation, TipShape):
        values["kind"] = operation.kind.value
    elif isinstance(operation, BrushStroke):
        values |= {"brush": operation.brush.value, "path": [_written_place(at) for at in operation.path]}
    elif isinstance(operation, ResetHere):
        values["at"] = _written_place(operation.at)
    return values | {field: getattr(operation, field) for field in _NUMBERS[type(operation)]}


def _written_place(at: SurfacePoint) -> list[float]:
    return [at.axial, at.angle, at.cap]


def written_corrections(corrections: Sequence[Corrections]) -> list[dict[str, Plain]]:
    """Return a person's corrections, an object per limb that has any."""
    return [
        {
            "limb": item.limb.value,
            **({} if item.segment is None else {"segment": item.segment.value}),
            "operations": [written_operation(operation) for operation in item.operations],
        }
        for item in corrections
        if item.operations
    ]


# --------------------------------------------------------------------------------------------------- reading


def read_corrections(value: object) -> tuple[Corrections, ...]:
    """Parse what `written_corrections` wrote; whose they are is for the caller to fill in. KnownError otherwise."""
    found: dict[tuple[str, str], Corrections] = {}
    for entry in _list(value, "“corrections”"):
        item = _mapping(entry, "An entry of “corrections”")
        limb = _named(Limb, item.get("limb"), "The limb of a correction")
        segment = item.get("segment")
        if segment is not None:
            segment = _named(Segment, segment, f"The segment of the corrections of {limb.value}")
            if segment not in limb.segments:
                raise KnownError(
                    f"{limb.value} has no {segment.value}, but “corrections” has some of it.",
                    "Correct it in the file.",
                )
        operations = tuple(
            read_operation(operation, f"Correction {number} of {limb.value}")
            for number, operation in enumerate(
                _list(item.get("operations"), f"“operations” of {limb.value}"), 1
            )
        )
        made = Corrections("", "", limb, operations, segment)
        if made.key in found:
            raise KnownError(
                f"“corrections” has two entries of {limb.value}.", "Give each limb one, in the order made."
            )
        if operations:
            found[made.key] = made
    return tuple(found.values())


def read_operation(value: object, what: str) -> Operation:
    """Parse one operation; KnownError, beginning with `what`, where it is none."""
    values = _mapping(value, what)
    name = values.get("operation")
    kind = _KINDS.get(name) if isinstance(name, str) else None
    if kind is None:
        near = difflib.get_close_matches(str(name), _KINDS, 1)
        hint = (
            f"Did you mean “{near[0]}”?"
            if near
            else f"It may be one of: {', '.join(_KINDS)}. Or update LimbStudio."
        )
        raise KnownError(f"{what} is “{str(name)[:40]}”, which is not known.", hint)
    given: dict[str, Any] = {
        field: _number(values[field], f"“{field}” of {what[0].lower()}{what[1:]}")
        for field in _NUMBERS[kind]
        if field in values
    }
    if kind is TipShape:
        given["kind"] = _named(TipKind, values.get("kind"), f"The kind of end in {what}")
    elif kind is BrushStroke:
        given["brush"] = _named(Brush, values.get("brush"), f"The brush of {what}")
        given["path"] = tuple(_place(at, what) for at in _list(values.get("path"), f"The path of {what}"))
    elif kind is ResetHere:
        given["at"] = _place(values.get("at"), what)
    try:
        return kind(**given)
    except (TypeError, ValueError) as error:  # a number that is missing, or that cannot be
        reason = str(error) if isinstance(error, ValueError) else "a number is missing."
        raise KnownError(f"{what} cannot be done: {reason}", "Correct it in the file.") from error


def _place(value: object, what: str) -> SurfacePoint:
    numbers = _list(value, f"A place of {what}")
    if len(numbers) != 3:
        raise KnownError(f"A place of {what} has {len(numbers)} numbers, not 3.", "Give [axial, angle, cap].")
    axial, angle, cap = (_number(number, f"A place of {what}") for number in numbers)
    try:
        return SurfacePoint(axial, angle, cap)
    except ValueError as error:
        raise KnownError(f"A place of {what} cannot be: {error}", "Correct it in the file.") from error


def _number(value: object, what: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise KnownError(f"{what} is {str(value)[:40]!r}, not a number.", "Correct it in the file.")
    try:
        return float(value)
    except OverflowError as error:
        raise KnownError(f"{what} is too large.", "Correct it in the file.") from error


def _named(kind: type[_Named], value: object, what: str) -> _Named:
    for member in kind:
        if member.value == value:
            return member
    names = ", ".join(member.value for member in kind)
    raise KnownError(f"{what} is {str(value)[:40]!r}, which is not known.", f"It may be one of: {names}.")


def _mapping(value: object, what: str) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise KnownError(f"{what} is no object.", "Correct it in the file.")
    return value


def _list(value: object, what: str) -> Sequence[Any]:
    if not isinstance(value, list):
        raise KnownError(f"{what} is no list.", "Correct it in the file.")
    return value
