"""What a search asks about a person, taken from the record or, without reading all of it, from its stored text."""

import json
import math
import re
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache

from limbstudio.domain.anatomy import Cause, Device, KeypointState, Level, Limb, Posture
from limbstudio.domain.photo import Person
from limbstudio.domain.provenance import Source

LIMBS = tuple(Limb)
LEVELS, CAUSES, DEVICES, POSTURES, SOURCES = (
    {member.value: n for n, member in enumerate(kind)} for kind in (Level, Cause, Device, Posture, Source)
)


class Flag(Enum):
    """What a person can have; the value is a bit, in the order of `_flags`."""

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
_PLACED = re.compile(r'"confidence":([^,]+),"state":"\w+","x":[^n]')
_AFTER_LIMBS = ',"mask_file":'


def facts_in(text: str) -> PersonFacts:
    """Return the facts of a stored person; ValueError, KeyError or TypeError when the text is none.

    The points are most of a text and are not parsed: what is asked about them is found in it. Texts are canonical
    JSON (`records.canonical`): keys in order, quotes within strings escaped, so that what is looked for stands nowhere
    else.
    """
    begin = text.find(_POINTS)
    end = text.find("]}", begin)
    after_limbs = text.find(_AFTER_LIMBS, end)
    if begin < 0 or end < 0 or not text.startswith(',"limbs":{', end + 2) or after_limbs < 0:
        raise ValueError("This is no person's text.")
    levels, causes, devices, worn = _limbs_in(text[end + 11 : after_limbs])
    plain = json.loads(f"{{{text[after_limbs + 1 :]}")
    placed = [float(confidence) for confidence in _PLACED.findall(text, begin, end)]
    provenance = plain["provenance"]
    note = plain["notes"]
    flags = _flags(
        mask=plain["mask_file"] or plain["polygons"],
        note=note,
        box='"box":{' in text[:begin],
        stature=plain["stature_mm"],
        prosthesis=worn or text.find('"state":"prosthesis"', begin, end) > 0,
        unsure=text.find('"state":"unsure"', begin, end) > 0,
        placed=placed,
    )
    return PersonFacts(
        levels,
        causes,
        devices,
        POSTURES[plain["posture"]],
        SOURCES[provenance["source"]],
        provenance["by"],
        _mean(placed),
        flags,
        note.casefold(),
    )


_Numbers = tuple[int, ...]


@lru_cache(4096)
def _limbs_in(text: str) -> tuple[_Numbers, _Numbers, _Numbers, bool]:
    """Return levels, causes, devices and whether one is worn; the same few texts come again and again."""
    plain = json.loads(text)
    limbs = [plain[limb.value] for limb in LIMBS]
    return (
        tuple(LEVELS[limb["level"]] for limb in limbs),
        tuple(CAUSES[limb["cause"]] for limb in limbs),
        tuple(DEVICES[limb["device"]] for limb in limbs),
        any(limb["device"] == "worn" for limb in limbs),
    )


def _flags(
    *,
    mask: object,
    note: object,
    box: object,
    stature: object,
    prosthesis: object,
    unsure: object,
    placed: object,
) -> int:
    flags = 0
    for bit, has in enumerate((mask, note, box, stature, prosthesis, unsure, placed)):
        if has:
            flags |= 1 << bit
    return flags


def _mean(values: list[float]) -> float:
    return sum(values) / len(values) if values else math.nan
