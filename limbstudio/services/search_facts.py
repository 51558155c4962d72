"""What a search asks about a person, taken from the record or, without reading all of it, from its stored text."""

import json
import math
import re
from dataclasses import dataclass
from enum import Enum
from typing import Any

from limbstudio.domain.anatomy import Cause, Device, KeypointState, Level, Limb, Posture
from limbstudio.domain.photo import Person
from limbstudio.domain.provenance import Source

LIMBS = tuple(Limb)
LEVELS, CAUSES, DEVICES, POSTURES, SOURCES = (
    {member.value: n for n, member in enumerate(kind)} for kind in (Level, Cause, Device, Posture, Source)
)


class Flag(Enum):
    """What a person can have; the value is a bit."""

    MASK = 1
    NOTE = 2
    BOX = 4
    STATURE = 8
    PROSTHESIS = 16
    UNSURE = 32
    PLACED = 64


@dataclass(frozen=True, slots=True)
class PersonFacts:
    """levels, causes, devices: numbers of their words, by limb in the order of `LIMBS`. flags: bits of `Flag`.

    score: mean confidence of the placed points, NaN when there are none.
    """

    levels: tuple[int, ...]
    causes: tuple[int, ...]
    devices: tuple[int, ...]
    posture: int
    source: int
    by: str
    score: float
    flags: int
    note: str


def facts_of(person: Person) -> PersonFacts:
    """Return the facts of a record."""
    points = person.keypoints.points
    placed = [p.confidence for p in points if p.x is not None]
    states = {p.state for p in points}
    limbs = [person.limbs[limb] for limb in LIMBS]
    flags = _flags(
        mask=person.mask_file or person.polygons,
        note=person.notes,
        box=person.box,
        stature=person.stature_mm,
        prosthesis=KeypointState.PROSTHESIS in states or any(limb.device is Device.WORN for limb in limbs),
        unsure=KeypointState.UNSURE in states,
        placed=placed,
    )
    return PersonFacts(
        tuple(LEVELS[limb.level.value] for limb in limbs),
        tuple(CAUSES[limb.cause.value] for limb in limbs),
        tuple(DEVICES[limb.device.value] for limb in limbs),
        POSTURES[person.posture.value],
        SOURCES[person.provenance.source.value],
        person.provenance.by,
        _mean(placed),
        flags,
        person.notes.casefold(),
    )


_POINTS = '"keypoints":{"points":['
_POINT = re.compile(r'\{"confidence":([^,]+),"state":"(\w+)","x":([^,]+),')


def facts_in(text: str) -> PersonFacts:
    """Return the facts of a stored person; ValueError, KeyError or TypeError when the text is none.

    The points are most of a text and are not parsed: what is asked about them is found in it. Texts are canonical
    JSON (`records.canonical`), and quotes within strings are escaped, so that what is looked for stands nowhere else.
    """
    begin = text.find(_POINTS)
    end = text.find("]}", begin)
    if begin < 0 or end < 0:
        plain, points = json.loads(text), []
    else:
        points = _POINT.findall(text, begin, end)
        plain = json.loads(f'{text[:begin]}"keypoints":0{text[end + 2 :]}')
    placed = [float(confidence) for confidence, _, x in points if x != "null"]
    states = {state for _, state, _ in points}
    limbs = _limbs(plain.get("limbs") or {})
    provenance = plain.get("provenance") or {}
    note = plain.get("notes", "")
    flags = _flags(
        mask=plain.get("mask_file") or plain.get("polygons"),
        note=note,
        box=plain.get("box"),
        stature=plain.get("stature_mm"),
        prosthesis="prosthesis" in states or any(limb.get("device") == "worn" for limb in limbs),
        unsure="unsure" in states,
        placed=placed,
    )
    return PersonFacts(
        tuple(LEVELS[limb.get("level", "intact")] for limb in limbs),
        tuple(CAUSES[limb.get("cause", "unknown")] for limb in limbs),
        tuple(DEVICES[limb.get("device", "unknown")] for limb in limbs),
        POSTURES[plain.get("posture", "unknown")],
        SOURCES[provenance.get("source", "human")],
        provenance.get("by", ""),
        _mean(placed),
        flags,
        note.casefold(),
    )


def _limbs(plain: dict[str, Any]) -> list[dict[str, Any]]:
    return [plain.get(limb.value) or {} for limb in LIMBS]


def _flags(**has: object) -> int:
    return sum(Flag[name.upper()].value for name, value in has.items() if value)


def _mean(values: list[float]) -> float:
    return sum(values) / len(values) if values else math.nan
