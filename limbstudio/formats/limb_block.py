"""The block `limbstudio` (schema 1) inside a COCO annotation: what COCO's v cannot say.

Beside the fields of schema 1 the writer adds, only where they say something: `acquired` and `uncertain`
(lists of limbs), `confidence` (25 numbers), `mask_layers` (objects of `kind`, `limb` and `mask_file`),
`corrections` (of residual limbs in 3D, see `corrections_block`), `notes`, `person_id` and `provenance`. Readers may
ignore them.
"""

import difflib
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import Any, TypeVar

from limbstudio.domain.anatomy import (
    LDPOSE,
    LDPOSE_NAMES,
    N_KEYPOINTS,
    Cause,
    Device,
    KeypointState,
    Level,
    Limb,
    LimbState,
    LimbStates,
    Posture,
    contradictions,
    level_implied_by_end,
    level_rule,
    levels_of,
)
from limbstudio.domain.corrections import Corrections
from limbstudio.domain.errors import KnownError
from limbstudio.domain.geometry import Keypoints, Point
from limbstudio.domain.mask_layers import ALL_LAYERS, LayerName, MaskKind
from limbstudio.domain.photo import Person
from limbstudio.domain.provenance import Provenance, Source
from limbstudio.formats.annotated import Uncertainty
from limbstudio.formats.corrections_block import read_corrections, written_corrections
from limbstudio.formats.json_files import clean

SCHEMA_VERSION = 1
STATURE_MM = (400.0, 2600.0)
"""From a toddler to the tallest people measured."""

FARTHEST_PX = 1e7
"""Coordinates beyond are mistakes, and their areas would overflow."""

_LEVEL_WORDS = {
    "above_knee": "transfemoral", "below_knee": "transtibial", "above_elbow": "transhumeral",
    "below_elbow": "transradial", "none": "intact", "normal": "intact", "unknown": "unsure",
}  # fmt: skip
_Named = TypeVar("_Named", bound=StrEnum)


@dataclass(frozen=True)
class RawPoint:
    """A keypoint as COCO has it: pixels, and v (0 not labelled, 1 hidden, 2 visible)."""

    x: float
    y: float
    v: int


@dataclass(frozen=True)
class Block:
    """A parsed block. limbs: None where the block does not state them. states: None where it does not."""

    states: tuple[KeypointState, ...] | None = None
    limbs: Mapping[Limb, LimbState] | None = None
    posture: Posture = Posture.UNKNOWN
    stature_mm: float | None = None
    focal_px: float | None = None
    positions: Mapping[int, tuple[float, float]] = field(default_factory=dict)
    confidence: tuple[float, ...] = (1.0,) * N_KEYPOINTS
    mask_file: str | None = None
    holes: tuple[tuple[float, ...], ...] = ()
    layers: tuple[tuple[LayerName, str], ...] = ()
    uncertainty: Uncertainty = field(default_factory=Uncertainty)
    corrections: tuple[Corrections, ...] = ()
    notes: str = ""
    person_id: str = ""
    provenance: Provenance = field(default_factory=Provenance)


# ----------------------------------------------------------------------------------------------- values


def finite(value: object, what: str) -> float:
    """Return a finite number; KnownError naming `what` otherwise."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise KnownError(f"{what} is {shown(value)}, not a number.", "Correct it in the file.")
    try:
        number = float(value)
    except OverflowError:
        number = math.inf
    if not math.isfinite(number):
        raise KnownError(f"{what} is {shown(value)}.", "Correct it, or mark the point as not labelled.")
    return number


def pixels(value: object, what: str) -> float:
    """Return a coordinate; KnownError if it is no number, or farther away than any picture reaches."""
    number = finite(value, what)
    if abs(number) > FARTHEST_PX:
        raise KnownError(f"{what} is {shown(value)}, far outside any picture.", "Correct it in the file.")
    return number


def shown(value: object) -> str:
    """Return a value as a message shows it."""
    return clean(repr(value) if isinstance(value, str) else str(value), 60)


def named(kind: type[_Named], value: object, what: str, allowed: Iterable[_Named] | None = None) -> _Named:
    """Return the member of a vocabulary with that name; KnownError with the nearest name otherwise."""
    members = list(kind if allowed is None else allowed)
    word = str(value).strip().lower().replace(" ", "_").replace("-", "_") if isinstance(value, str) else ""
    word = _LEVEL_WORDS.get(word, word) if kind is Level else word
    for member in members:
        if member.value == word:
            return member
    near = difflib.get_close_matches(word, [m.value for m in members], 1, 0.6)
    hint = (
        f"Did you mean “{near[0]}”?" if near else f"It may be one of: {', '.join(m.value for m in members)}."
    )
    raise KnownError(f"{what} is {shown(value)}, which is not known.", hint)


def _mapping(value: object, what: str) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise KnownError(f"{what} is {shown(value)}, not an object.", "Correct it in the file.")
    return value


def _list(value: object, what: str, length: int | None = None) -> Sequence[Any]:
    if not isinstance(value, list) or (length is not None and len(value) != length):
        wanted = f"a list of {length}" if length is not None else "a list"
        had = f"a list of {len(value)}" if isinstance(value, list) else shown(value)
        raise KnownError(f"{what} is {had}, not {wanted}.", "Correct it in the file.")
    return value


def _text(value: object, what: str) -> str:
    if not isinstance(value, str):
        raise KnownError(f"{what} is {shown(value)}, not text.", "Correct it in the file.")
    return value.encode("utf-8", "replace").decode("utf-8")  # lone surrogates could not be written again


# ---------------------------------------------------------------------------------------------- reading


def read_block(value: object, warnings: list[str]) -> Block:
    """Parse a block; KnownError where its meaning cannot be known, a line in `warnings` where it can."""
    block = _mapping(value, "The block “limbstudio”")
    version = block.get("schema_version", SCHEMA_VERSION)
    if isinstance(version, bool) or not isinstance(version, int) or version > SCHEMA_VERSION or version < 1:
        raise KnownError(
            f"The block “limbstudio” has schema version {shown(version)}; this program reads version 1.",
            "Update LimbStudio, or export the file in version 1.",
        )
    devices, notes = _devices(block.get("prosthesis"), warnings)
    return Block(
        states=_states(block.get("keypoint_state")),
        limbs=_limbs(block, devices, warnings),
        posture=named(Posture, block.get("posture") or "unknown", "“posture”"),
        stature_mm=_stature(block.get("stature_mm")),
        focal_px=None if block.get("focal_px") is None else finite(block["focal_px"], "“focal_px”"),
        positions=_positions(block.get("position")),
        confidence=_confidence(block.get("confidence")),
        mask_file=_text(block["mask_file"], "“mask_file”") if block.get("mask_file") else None,
        holes=read_polygons(block.get("mask_holes") or [], "“mask_holes”", warnings),
        layers=_layers(block.get("mask_layers") or []),
        corrections=read_corrections(block.get("corrections") or []),
        uncertainty=_uncertainty(block, warnings),
        notes=_text(block["notes"], "“notes”") if block.get("notes") else notes,
        person_id=_text(block["person_id"], "“person_id”") if block.get("person_id") else "",
        provenance=_provenance(block.get("provenance")),
    )


def read_polygons(value: object, what: str, warnings: list[str]) -> tuple[tuple[float, ...], ...]:
    """Return polygons as flat x, y tuples; those with less than three corners are left out with a warning."""
    polygons = []
    for number, polygon in enumerate(_list(value, what), 1):
        flat = [pixels(c, f"A coordinate of {what}") for c in _list(polygon, f"Polygon {number} of {what}")]
        if len(flat) < 6 or len(flat) % 2:
            warnings.append(f"Polygon {number} of {what} has {len(flat)} numbers, no area: left out.")
        else:
            polygons.append(tuple(flat))
    return tuple(polygons)


def _states(value: object) -> tuple[KeypointState, ...] | None:
    if value is None:
        return None
    if isinstance(value, dict):
        names = [value.get(name, "unlabelled") for name in LDPOSE_NAMES]
        unknown = next((name for name in value if name not in LDPOSE_NAMES), None)
        if unknown is not None:
            near = difflib.get_close_matches(str(unknown), LDPOSE_NAMES, 1, 0.6)
            raise KnownError(
                f"“keypoint_state” names {shown(unknown)}, which is no LDPose-25 keypoint.",
                f"Did you mean “{near[0]}”?" if near else "",
            )
    else:
        names = _list(value, "“keypoint_state”", N_KEYPOINTS)
    return tuple(
        named(KeypointState, name, f"The state of {LDPOSE_NAMES[i]}") for i, name in enumerate(names)
    )


def _limbs(
    block: Mapping[str, Any], devices: Mapping[Limb, Device], warnings: list[str]
) -> Mapping[Limb, LimbState] | None:
    value = block.get("limb_state")
    if value is None:
        return None
    stated = {
        named(Limb, name, "A limb of “limb_state”"): level
        for name, level in _mapping(value, "“limb_state”").items()
    }
    causes = dict.fromkeys(_limb_list(block, "congenital"), Cause.CONGENITAL)
    causes |= dict.fromkeys(_limb_list(block, "acquired"), Cause.ACQUIRED)
    uncertain = set(_limb_list(block, "uncertain"))
    limbs = {}
    for limb in Limb:
        if limb not in stated:
            warnings.append(f"“limb_state” says nothing of {limb.value}: unsure.")
        level = _level(limb, stated.get(limb, "unsure"))
        limbs[limb] = LimbState(
            level, causes.get(limb, Cause.UNKNOWN), limb not in uncertain, devices.get(limb, Device.UNKNOWN)
        )
    return limbs


def _level(limb: Limb, value: object) -> Level:
    level = named(Level, value, f"The state of {limb.value}")
    if level not in levels_of(limb):
        kind, other = ("an arm", "leg") if limb.is_arm else ("a leg", "arm")
        # The same place in the other kind of limb is what was most likely meant.
        twin = dict(zip(levels_of(Limb.LEFT_LEG), levels_of(Limb.LEFT_ARM), strict=True))
        twin |= {v: k for k, v in twin.items()}
        raise KnownError(
            f"{limb.value} is {kind} and cannot be {level.value}, a level of the {other}.",
            f"Did you mean “{twin[level].value}”?",
        )
    return level


def _limb_list(block: Mapping[str, Any], key: str) -> list[Limb]:
    return [named(Limb, name, f"A limb of “{key}”") for name in _list(block.get(key) or [], f"“{key}”")]


def _devices(value: object, warnings: list[str]) -> tuple[Mapping[Limb, Device], str]:
    """Return devices per limb and free text: older files hold a sentence."""
    if value is None or value == "":
        return {}, ""
    if isinstance(value, str):
        text = _text(value, "“prosthesis”")
        nothing = text.lower().lstrip().startswith(("none", "no prosthes"))
        return (dict.fromkeys(Limb, Device.NONE) if nothing else {}), text
    found = {}
    for name, device in _mapping(value, "“prosthesis”").items():
        limb = named(Limb, name, "A limb of “prosthesis”")
        found[limb] = named(Device, device, f"The prosthesis of {limb.value}")
    return found, ""


def _stature(value: object) -> float | None:
    if value is None:
        return None
    stature = finite(value, "“stature_mm”")
    if not STATURE_MM[0] <= stature <= STATURE_MM[1]:
        factor = next((f for f in (1000, 10, 304.8, 25.4) if 1200 <= stature * f <= 2300), None)
        hint = (
            f"Give millimetres: did you mean {stature * factor:.0f}?"
            if factor
            else "Give millimetres, as 1750."
        )
        raise KnownError(f"“stature_mm” is {stature:g}, which is no body height.", hint)
    return stature


def _positions(value: object) -> dict[int, tuple[float, float]]:
    if value is None:
        return {}
    found = {}
    for i, entry in enumerate(_list(value, "“position”", N_KEYPOINTS)):
        if entry is not None:
            x, y = _list(entry, f"The position of {LDPOSE_NAMES[i]}", 2)
            what = f"The position of {LDPOSE_NAMES[i]}"
            found[i] = (pixels(x, what), pixels(y, what))
    return found


def _confidence(value: object) -> tuple[float, ...]:
    if value is None:
        return (1.0,) * N_KEYPOINTS
    return tuple(finite(c, "“confidence”") for c in _list(value, "“confidence”", N_KEYPOINTS))


def _layers(values: object) -> tuple[tuple[LayerName, str], ...]:
    layers: dict[LayerName, str] = {}
    for value in _list(values, "“mask_layers”"):
        layer = _mapping(value, "A layer of “mask_layers”")
        limb = None if layer.get("limb") is None else named(Limb, layer["limb"], "The limb of a mask layer")
        name = LayerName(named(MaskKind, layer.get("kind"), "The kind of a mask layer"), limb)
        if name not in ALL_LAYERS or name.kind is MaskKind.PERSON:
            raise KnownError(
                f"There is no mask layer “{name.label}”.",
                "Name a limb for a residual limb or a prosthesis, none for an occluder.",
            )
        layers[name] = _text(layer.get("mask_file"), "“mask_file” of a mask layer")
    return tuple(layers.items())


def _uncertainty(block: Mapping[str, Any], warnings: list[str]) -> Uncertainty:
    """Return the annotator's uncertainty; it never stops a fit, so what is wrong in it is only noted."""
    numbers: dict[str, float | None] = {}
    for key in ("annotator_confidence", "mask_confidence"):
        try:
            numbers[key] = None if block.get(key) is None else finite(block[key], f"“{key}”")
        except KnownError as error:
            warnings.append(f"{error.message} It is left out.")
            numbers[key] = None
    tolerances = {}
    try:
        for name, value in _mapping(
            block.get("residual_tolerance_px") or {}, "“residual_tolerance_px”"
        ).items():
            tolerances[clean(name)] = finite(value, f"“residual_tolerance_px” of {clean(name)}")
    except KnownError as error:
        warnings.append(f"{error.message} It is left out.")
    return Uncertainty(
        MappingProxyType(tolerances), numbers["annotator_confidence"], numbers["mask_confidence"]
    )


def _provenance(value: object) -> Provenance:
    if value is None:
        return Provenance()
    stated = _mapping(value, "“provenance”")
    hashes = _list(stated.get("input_hashes") or [], "“input_hashes”")
    return Provenance(
        named(Source, stated.get("source", "human"), "The source in “provenance”"),
        _text(stated.get("by", ""), "“by”"),
        tuple(_text(h, "“input_hashes”") for h in hashes),
        _text(stated.get("stage", ""), "“stage”"),
        _text(stated.get("version", ""), "“version”"),
    )


# ------------------------------------------------------------------------------------------- states and limbs


def understood(
    raw: Mapping[int, RawPoint], block: Block | None, warnings: list[str]
) -> tuple[Keypoints, LimbStates]:
    """Return the keypoints and limb states that COCO's points and the block mean together.

    raw: by LDPose index; indices that are not there are unlabelled. A limb's level decides which points can
    exist: a joint beyond the end becomes absent (or prosthesis, under a worn device) with a warning.
    A residual end that contradicts the level is a KnownError: nobody can tell which of the two is wrong.
    """
    states = _states_of(raw, block, warnings)
    inferred = block is None or block.limbs is None
    limbs = _implied_limbs(states, warnings) if block is None or block.limbs is None else dict(block.limbs)
    for clash in contradictions(states, limbs):
        if LDPOSE[clash.keypoint].is_residual_end:
            raise KnownError(
                f"{LDPOSE_NAMES[clash.keypoint]} is marked {states[clash.keypoint].value}, "
                f"but {clash.limb.value} is {limbs[clash.limb].level.value}.",
                "Correct the limb state or the point.",
            )
        worn = limbs[clash.limb].device is Device.WORN
        states[clash.keypoint] = KeypointState.PROSTHESIS if worn else KeypointState.ABSENT
        warnings.append(
            f"{LDPOSE_NAMES[clash.keypoint]} cannot exist with {limbs[clash.limb].level.value} of "
            f"{clash.limb.value}: taken as {states[clash.keypoint].value}."
        )
    for limb, state in limbs.items():
        rule = level_rule(limb, state.level)
        if inferred:
            for index in rule.absent:
                if states[index] is KeypointState.UNLABELLED and state.level is not Level.UNSURE:
                    states[index] = KeypointState.ABSENT
        if rule.endpoint is not None and not states[rule.endpoint].constrains_fit:
            warnings.append(
                f"{limb.value} is {state.level.value}, but {LDPOSE_NAMES[rule.endpoint]} has no position."
            )
    points = []
    for i in range(N_KEYPOINTS):
        at = raw.get(i)
        xy = None if at is None or (at.v == 0 and (at.x, at.y) == (0, 0)) else (at.x, at.y)
        if block is not None and i in block.positions and not states[i].constrains_fit:
            xy = block.positions[i]
        if states[i] is KeypointState.UNLABELLED and block is None:
            xy = None  # COCO leaves whatever it had there
        confidence = 1.0 if block is None else block.confidence[i]
        points.append(Point(states[i], *(xy or (None, None)), confidence))
    return Keypoints(tuple(points)), limbs


def _states_of(raw: Mapping[int, RawPoint], block: Block | None, warnings: list[str]) -> list[KeypointState]:
    by_v = {0: KeypointState.UNLABELLED, 1: KeypointState.OCCLUDED, 2: KeypointState.VISIBLE}
    states = []
    for i, name in enumerate(LDPOSE_NAMES):
        at = raw.get(i, RawPoint(0, 0, 0))
        if block is None or block.states is None:
            state = by_v[at.v]
            if state.constrains_fit and (at.x, at.y) == (0, 0):
                warnings.append(f"{name} lies at (0, 0) with v = {at.v}: taken as unlabelled.")
                state = KeypointState.UNLABELLED
        else:
            state = block.states[i]
            if state.constrains_fit and at.v == 0:
                placed = (at.x, at.y) != (0, 0)
                warnings.append(
                    f"{name} is {state.value} but has v = 0: "
                    + ("its position is used." if placed else "taken as unlabelled.")
                )
                state = state if placed else KeypointState.UNLABELLED
            elif not state.constrains_fit and at.v > 0:
                warnings.append(f"{name} is {state.value} but has v = {at.v}: the state counts.")
        states.append(state)
    return states


def _implied_limbs(states: Sequence[KeypointState], warnings: list[str]) -> dict[Limb, LimbState]:
    """Infer levels from the residual ends that are there; every other limb is unsure."""
    limbs = {limb: LimbState(Level.UNSURE, certain=False) for limb in Limb}
    for definition in LDPOSE:
        if not definition.is_residual_end or not states[definition.index].constrains_fit:
            continue
        limb, level = level_implied_by_end(definition.index)
        if limbs[limb].level is not Level.UNSURE:
            raise KnownError(
                f"{limb.value} has two residual ends, above and below the joint.",
                "Keep the one that is there, or state the limb's level.",
            )
        limbs[limb] = LimbState(level, certain=False)
        warnings.append(
            f"No limb state is given; {definition.name} implies that {limb.value} is {level.value}."
        )
    return limbs


# ---------------------------------------------------------------------------------------------- writing


def written_block(
    person: Person,
    uncertainty: Uncertainty | None = None,
    layers: Sequence[tuple[LayerName, str]] = (),
    corrections: Sequence[Corrections] = (),
) -> dict[str, Any]:
    """Return the block of a person as JSON values; reading it gives the same person again."""
    limbs, points = person.limbs, person.keypoints.points
    block: dict[str, Any] = {
        "schema_version": SCHEMA_VERSION,
        "keypoint_state": [point.state.value for point in points],
        "limb_state": {limb.value: limbs[limb].level.value for limb in Limb if limb in limbs},
        "prosthesis": {
            limb.value: state.device.value
            for limb, state in limbs.items()
            if state.device is not Device.UNKNOWN
        },
        "posture": person.posture.value,
    }
    lists = {
        "congenital": [limb.value for limb, s in limbs.items() if s.cause is Cause.CONGENITAL],
        "acquired": [limb.value for limb, s in limbs.items() if s.cause is Cause.ACQUIRED],
        "uncertain": [limb.value for limb, s in limbs.items() if not s.certain],
    }
    block |= {key: names for key, names in lists.items() if names}
    hidden = [
        [p.x, p.y] if not p.state.coco_v and p.x is not None and p.y is not None else None for p in points
    ]
    if any(hidden):
        block["position"] = hidden
    if any(point.confidence != 1.0 for point in points):
        block["confidence"] = [point.confidence for point in points]
    optional = {
        "stature_mm": person.stature_mm,
        "focal_px": person.focal_px,
        "mask_file": person.mask_file,
        "mask_holes": [list(hole) for hole in person.holes] or None,
        "mask_layers": [_written_layer(*layer) for layer in layers] or None,
        "corrections": written_corrections(corrections) or None,
        "notes": person.notes or None,
        "person_id": person.id,
        "provenance": _written_provenance(person.provenance),
    }
    if uncertainty is not None:
        optional |= {
            "residual_tolerance_px": dict(uncertainty.residual_tolerance_px) or None,
            "annotator_confidence": uncertainty.annotator_confidence,
            "mask_confidence": uncertainty.mask_confidence,
        }
    return block | {key: value for key, value in optional.items() if value is not None}


def _written_layer(name: LayerName, mask_file: str) -> dict[str, str]:
    limb = {} if name.limb is None else {"limb": name.limb.value}
    return {"kind": name.kind.value, **limb, "mask_file": mask_file}


def _written_provenance(provenance: Provenance) -> dict[str, Any] | None:
    if provenance == Provenance():
        return None
    return {
        "source": provenance.source.value,
        "by": provenance.by,
        "input_hashes": list(provenance.input_hashes),
        "stage": provenance.stage,
        "version": provenance.version,
    }
