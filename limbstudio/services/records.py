"""Records as JSON and back: one table that names every field of every record the store keeps.

JSON, because a project must stay readable without LimbStudio, and an explicit table, because reading a file
must never run what the file says. Arrays are base64 with their type and shape; numbers that JSON lacks are
written as text. A field missing in an older file takes its default; a field this version does not know is
refused.
"""

import base64
import hashlib
import json
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any

import numpy as np

from limbstudio.domain import (
    anatomy,
    body,
    corrections,
    fitted,
    geometry,
    limb_proposals,
    mask_layers,
    notes,
    photo,
    provenance,
    review,
    saved_search,
    stump,
)
from limbstudio.domain.errors import KnownError

Plain = Any  # what json.loads returns


class UnreadableRecord(KnownError):
    """A stored record that is not what this version can read."""


@dataclass(frozen=True)
class Codec:
    """How one kind of value becomes JSON and back."""

    to_plain: Callable[[Any], Plain]
    from_plain: Callable[[Plain], Any]


# --------------------------------------------------------------------------------------------- kinds of value


def _keep(kind: type, *also: type) -> Codec:
    def checked(value: Plain) -> Plain:
        # bool is an int to Python, never to a file.
        if not isinstance(value, (kind, *also)) or (isinstance(value, bool) and kind is not bool):
            raise UnreadableRecord(f"Expected {kind.__name__}, found {type(value).__name__}.")
        return value

    return Codec(checked, checked)


def _number_to_plain(value: float) -> Plain:
    number = float(value)
    return number if math.isfinite(number) else repr(number)


def _number_from_plain(value: Plain) -> float:
    if isinstance(value, bool) or not (isinstance(value, int | float) or value in ("nan", "inf", "-inf")):
        raise UnreadableRecord(f"Expected a number, found {value!r}.")
    return float(value)


TEXT = _keep(str)
FLAG = _keep(bool)
NUMBER = Codec(_number_to_plain, _number_from_plain)
WHOLE = Codec(int, _keep(int).from_plain)


def enum(kind: type[Enum]) -> Codec:
    members = {member.value: member for member in kind}

    def from_plain(value: Plain) -> Enum:
        try:
            return members[value]
        except (KeyError, TypeError) as error:  # TypeError: a list or an object
            raise UnreadableRecord(f"{value!r} is no {kind.__name__}.") from error

    def to_plain(value: Enum) -> Plain:
        if not isinstance(value, kind):
            raise TypeError(f"Expected {kind.__name__}, found {value!r}.")
        return value.value

    return Codec(to_plain, from_plain)


def maybe(inner: Codec) -> Codec:
    return Codec(
        lambda value: None if value is None else inner.to_plain(value),
        lambda value: None if value is None else inner.from_plain(value),
    )


def many(inner: Codec) -> Codec:
    """A tuple of any length."""

    def from_plain(value: Plain) -> tuple[Any, ...]:
        if not isinstance(value, list):
            raise UnreadableRecord(f"Expected a list, found {type(value).__name__}.")
        return tuple(inner.from_plain(item) for item in value)

    return Codec(lambda value: [inner.to_plain(item) for item in value], from_plain)


def mapping(key: Codec, inner: Codec, *, sort: bool = False) -> Codec:
    def to_plain(value: Mapping[Any, Any]) -> Plain:
        items = {key.to_plain(k): inner.to_plain(v) for k, v in value.items()}
        return dict(sorted(items.items())) if sort else items

    def from_plain(value: Plain) -> Mapping[Any, Any]:
        if not isinstance(value, dict):
            raise UnreadableRecord(f"Expected an object, found {type(value).__name__}.")
        # A dict, because a fit must be able to travel to another process; a Person locks its own.
        return {key.from_plain(k): inner.from_plain(v) for k, v in value.items()}

    return Codec(to_plain, from_plain)


_ARRAY_TYPES = ("float64", "float32", "int64", "int32", "uint8", "bool")


def _array_to_plain(value: np.ndarray) -> Plain:
    array = np.ascontiguousarray(value)
    name = array.dtype.name
    if name not in _ARRAY_TYPES:
        raise TypeError(f"Arrays of {name} are not stored.")
    data = array.astype(array.dtype.newbyteorder("<"), copy=False).tobytes()
    return {"dtype": name, "shape": list(np.shape(value)), "base64": base64.b64encode(data).decode("ascii")}


def _array_from_plain(value: Plain) -> np.ndarray:
    try:
        name, shape, text = value["dtype"], tuple(value["shape"]), value["base64"]
        if name not in _ARRAY_TYPES:
            raise UnreadableRecord(f"Arrays of {name!r} are not known.")
        data = np.frombuffer(base64.b64decode(text, validate=True), np.dtype(name).newbyteorder("<"))
        array = data.astype(name).reshape(shape)
    except (KeyError, TypeError, ValueError) as error:
        raise UnreadableRecord(f"An array cannot be read: {error}.") from error
    array.flags.writeable = False  # records never change
    return array


ARRAY = Codec(_array_to_plain, _array_from_plain)


def record(kind: type) -> Codec:
    """A nested record; the table is looked up when it is used, so that records may hold records of their own
    kind.
    """
    return Codec(lambda value: _fields_to_plain(kind, value), lambda value: _fields_from_plain(kind, value))


def one_of(kinds: Mapping[str, type]) -> Codec:
    """A record of one of several types, which its field `operation` names."""
    names = {kind: name for name, kind in kinds.items()}

    def to_plain(value: Any) -> Plain:  # noqa: ANN401
        if type(value) not in names:
            raise TypeError(f"Expected one of {', '.join(kinds)}, found {value!r}.")
        return {"operation": names[type(value)], **_fields_to_plain(type(value), value)}

    def from_plain(value: Plain) -> Any:  # noqa: ANN401
        name = value.get("operation") if isinstance(value, dict) else None
        if not isinstance(name, str) or name not in kinds:
            raise UnreadableRecord(f"{name!r} is none of {', '.join(kinds)}.")
        return _fields_from_plain(
            kinds[name], {key: item for key, item in value.items() if key != "operation"}
        )

    return Codec(to_plain, from_plain)


# -------------------------------------------------------------------------------------------------- the table

OPERATIONS: Mapping[str, type] = {
    "end": corrections.EndAlongLimb,
    "plane": corrections.CutPlane,
    "tip": corrections.TipShape,
    "stroke": corrections.BrushStroke,
    "mirror": corrections.MirrorOther,
    "reset": corrections.ResetHere,
}

FIELDS: Mapping[type, Mapping[str, Codec]] = {
    geometry.Box: {"x": NUMBER, "y": NUMBER, "width": NUMBER, "height": NUMBER},
    geometry.Point: {
        "state": enum(anatomy.KeypointState),
        "x": maybe(NUMBER),
        "y": maybe(NUMBER),
        "confidence": NUMBER,
    },
    geometry.Keypoints: {"points": many(record(geometry.Point))},
    geometry.Camera: {
        "focal_px": NUMBER,
        "center_px": many(NUMBER),
        "size_px": many(WHOLE),
        "focal_source": enum(geometry.FocalSource),
    },
    provenance.Provenance: {
        "source": enum(provenance.Source),
        "by": TEXT,
        "input_hashes": many(TEXT),
        "stage": TEXT,
        "version": TEXT,
    },
    anatomy.LimbState: {
        "level": enum(anatomy.Level),
        "cause": enum(anatomy.Cause),
        "certain": FLAG,
        "device": enum(anatomy.Device),
    },
    photo.Photo: {
        "sha256": TEXT,
        "width": WHOLE,
        "height": WHOLE,
        "path": TEXT,
        "focal_exif_px": maybe(NUMBER),
        "no_person": FLAG,
    },
    photo.Person: {
        "id": TEXT,
        "photo": TEXT,
        "keypoints": record(geometry.Keypoints),
        "limbs": mapping(enum(anatomy.Limb), record(anatomy.LimbState), sort=True),
        "box": maybe(record(geometry.Box)),
        "posture": enum(anatomy.Posture),
        "stature_mm": maybe(NUMBER),
        "focal_px": maybe(NUMBER),
        "mask_file": maybe(TEXT),
        "polygons": many(many(NUMBER)),
        "holes": many(many(NUMBER)),
        "notes": TEXT,
        "provenance": record(provenance.Provenance),
    },
    body.LimbFit: {
        "limb": enum(anatomy.Limb),
        "segment": enum(anatomy.Segment),
        "factor": NUMBER,
        "anchor": TEXT,
        "upstream": TEXT,
        "anchor_position": ARRAY,
        "upstream_position": ARRAY,
        "endpoint": ARRAY,
        "endpoint_px": many(NUMBER),
        "annotated_px": maybe(many(NUMBER)),
        "length_m": NUMBER,
        "factor_interval": many(NUMBER),
        "length_interval_m": many(NUMBER),
        "accepted": FLAG,
        "reason": TEXT,
    },
    body.BodyFit: {
        "body_name": TEXT,
        "mode": enum(body.FitMode),
        "camera": record(geometry.Camera),
        "orientation": ARRAY,
        "pose": ARRAY,
        "shape": ARRAY,
        "translation": ARRAY,
        "joints": ARRAY,
        "projected_px": ARRAY,
        "used": ARRAY,
        "limbs": many(record(body.LimbFit)),
        "tilt": many(NUMBER),
        "scale": enum(body.ScaleSource),
        "energy": mapping(TEXT, NUMBER),
        "timings_s": mapping(TEXT, NUMBER),
        "warnings": many(TEXT),
        "alternatives": many(record(body.BodyFit)),
        "provenance": record(provenance.Provenance),
    },
    stump.Stump: {
        "limb": enum(anatomy.Limb),
        "segment": enum(anatomy.Segment),
        "boundary": ARRAY,
        "cap_faces": ARRAY,
        "axis": ARRAY,
        "tip": ARRAY,
    },
    fitted.MeshReference: {"vertices": TEXT, "faces": TEXT, "residual": TEXT, "parts": TEXT},
    fitted.KeptFit: {
        "id": TEXT,
        "person": TEXT,
        "photo": TEXT,
        "inputs_hash": TEXT,
        "fit": record(body.BodyFit),
        "body": maybe(record(fitted.MeshReference)),
        "tpose": maybe(record(fitted.MeshReference)),
        "stumps": many(record(stump.Stump)),
        "facts": TEXT,
        "made_at": TEXT,
    },
    fitted.ChosenFit: {"person": TEXT, "photo": TEXT, "fit": TEXT, "by_human": FLAG},
    fitted.Pin: {"keypoint": WHOLE, "position_m": maybe(many(NUMBER))},
    fitted.FitOptions: {
        "person": TEXT,
        "photo": TEXT,
        "pins": many(record(fitted.Pin)),
        "shape": maybe(many(NUMBER)),
        "initialiser": TEXT,
    },
    corrections.SurfacePoint: {"axial": NUMBER, "angle": NUMBER, "cap": NUMBER},
    corrections.EndAlongLimb: {"factor": NUMBER},
    corrections.CutPlane: {"offset": NUMBER, "tilt_ap": NUMBER, "tilt_ml": NUMBER},
    corrections.TipShape: {"kind": enum(corrections.TipKind), "roundness": NUMBER, "fold": NUMBER},
    corrections.BrushStroke: {
        "brush": enum(corrections.Brush),
        "path": many(record(corrections.SurfacePoint)),
        "radius": NUMBER,
        "strength": NUMBER,
    },
    corrections.MirrorOther: {"strength": NUMBER},
    corrections.ResetHere: {"at": record(corrections.SurfacePoint), "radius": NUMBER},
    corrections.Corrections: {
        "person": TEXT,
        "photo": TEXT,
        "limb": enum(anatomy.Limb),
        "operations": many(one_of(OPERATIONS)),
        "segment": maybe(enum(anatomy.Segment)),
    },
    review.Verdict: {
        "person": TEXT,
        "state": enum(review.ReviewState),
        "of": TEXT,
        "by": TEXT,
        "note": TEXT,
    },
    saved_search.SavedSearch: {"id": TEXT, "name": TEXT, "query": TEXT},
    mask_layers.MaskLayer: {
        "person": TEXT,
        "photo": TEXT,
        "kind": enum(mask_layers.MaskKind),
        "limb": maybe(enum(anatomy.Limb)),
        "mask_file": maybe(TEXT),
        "polygons": many(many(NUMBER)),
        "holes": many(many(NUMBER)),
    },
    notes.PointNote: {"person": TEXT, "photo": TEXT, "keypoint": WHOLE, "text": TEXT},
    limb_proposals.ProposedLimbs: {
        "person": TEXT,
        "photo": TEXT,
        "probabilities": mapping(enum(anatomy.Limb), many(NUMBER), sort=True),
        "of": TEXT,
        "by": TEXT,
    },
    review.Finding: {"rule": TEXT, "message": TEXT, "person": TEXT, "keypoint": maybe(WHOLE)},
}

# The kinds of record a project holds: the first half of a key, and the type.
KINDS: Mapping[str, type] = {
    "photo": photo.Photo,
    "person": photo.Person,
    "fit": fitted.KeptFit,
    "chosen_fit": fitted.ChosenFit,
    "fit_options": fitted.FitOptions,
    "corrections": corrections.Corrections,
    "verdict": review.Verdict,
    "finding": review.Finding,
    "saved_search": saved_search.SavedSearch,
    "point_note": notes.PointNote,
    "mask_layer": mask_layers.MaskLayer,
    "limb_proposals": limb_proposals.ProposedLimbs,
}


def _fields_to_plain(kind: type, value: object) -> Plain:
    if type(value) is not kind:
        raise TypeError(f"Expected {kind.__name__}, found {type(value).__name__}.")
    return {name: codec.to_plain(getattr(value, name)) for name, codec in FIELDS[kind].items()}


def _fields_from_plain(kind: type, value: Plain) -> Any:  # noqa: ANN401
    if not isinstance(value, dict):
        raise UnreadableRecord(f"Expected a {kind.__name__}, found {type(value).__name__}.")
    table = FIELDS[kind]
    if unknown := value.keys() - table.keys():
        names = ", ".join(sorted(unknown))
        raise UnreadableRecord(f"A {kind.__name__} has fields this version does not know: {names}.")
    try:
        return kind(**{name: table[name].from_plain(item) for name, item in value.items()})
    except (TypeError, ValueError) as error:
        raise UnreadableRecord(f"A {kind.__name__} cannot be read: {error}") from error


# ------------------------------------------------------------------------------------------------------- text


def canonical(value: Plain) -> str:
    """Return the one JSON text of a plain value: keys sorted, no spaces, finite numbers only."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def to_plain(value: object) -> Plain:
    """Return any record of the table as a plain JSON value."""
    return _fields_to_plain(type(value), value)


def encode(kind: str, value: object) -> str:
    """Return the text of a record of that kind; TypeError when it is no such record (our mistake)."""
    return canonical(_fields_to_plain(KINDS[kind], value))


def decode(kind: str, text: str) -> Any:  # noqa: ANN401
    """Return the record; raise UnreadableRecord when the text is not one."""
    if kind not in KINDS:
        raise UnreadableRecord(f"Records of the kind {kind!r} are not known to this version.")
    try:
        plain = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise UnreadableRecord(f"A {kind} is not JSON: {error}.") from error
    return _fields_from_plain(KINDS[kind], plain)


def digest(text: str) -> str:
    """Return the SHA-256 of a record's text."""
    return hashlib.sha256(text.encode("utf-8")).hexdigest()


def record_hash(value: object) -> str:
    """Return the SHA-256 of any record of the table."""
    return digest(canonical(to_plain(value)))


def photo_of(kind: str, value: Any) -> str | None:  # noqa: ANN401
    """Return the photo a record belongs to, so that a photo's rows can be found and purged."""
    return value.sha256 if kind == "photo" else getattr(value, "photo", None)
