"""Samples as annotated people: what a COCO file, and with it a project, says of them."""

import hashlib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from limbstudio.domain.anatomy import (
    LDPOSE_NAMES,
    Cause,
    Device,
    KeypointState,
    Level,
    Limb,
    LimbState,
    Posture,
)
from limbstudio.domain.geometry import Box, Keypoints, Point
from limbstudio.domain.mask_layers import LayerName, MaskKind
from limbstudio.domain.photo import Person, Photo
from limbstudio.domain.provenance import Provenance, Source
from limbstudio.formats.annotated import AnnotatedPerson
from limbstudio.formats.coco import write_annotations
from limbstudio.formats.masks import encode_run_lengths
from limbstudio.formats.whole_files import write_whole

_SEATED = ("wheelchair", "chair")


def annotated(
    truth: Mapping[str, Any], files: Mapping[str, bytes], *, mask_files: bool
) -> tuple[Photo, AnnotatedPerson]:
    """Return a sample as photo and person.

    mask_files: name the masks' files (`<key>.person.png`); else the person's mask comes as run lengths.
    """
    key, camera = truth["key"], truth["camera"]
    width, height = camera["size_px"]
    photo = Photo(hashlib.sha256(files["jpg"]).hexdigest(), width, height, f"{key}.jpg")
    mask = mask_of(files["person.png"])
    person = Person(
        id=key,
        photo=photo.sha256,
        keypoints=keypoints_of(truth),
        limbs=limbs_of(truth),
        box=Box(*(float(v) for v in truth["box"])),
        posture=Posture.SITTING if truth["aid"] in _SEATED else Posture.UNKNOWN,
        stature_mm=round(1000 * truth["stature_m"], 1),
        focal_px=camera["focal_px"],
        mask_file=f"{key}.person.png" if mask_files and mask.any() else None,
        provenance=Provenance(Source.IMPORTED, truth["generator"], (), "a3d"),
    )
    return photo, AnnotatedPerson(
        person,
        truth["index"] + 1,
        photo.path,
        (width, height),
        None if mask_files else encode_run_lengths(mask),
        layers=_layers(truth, files) if mask_files else (),
    )


def keypoints_of(truth: Mapping[str, Any]) -> Keypoints:
    """Return a sample's points as an annotator would place them."""
    return Keypoints(tuple(_point(truth["keypoints"][name]) for name in LDPOSE_NAMES))


def limbs_of(truth: Mapping[str, Any]) -> dict[Limb, LimbState]:
    """Return the states of a sample's limbs."""
    return {limb: _state(truth["limbs"][limb.value]) for limb in Limb}


def mask_of(data: bytes) -> np.ndarray:
    """Return a mask's PNG as (H, W) bool."""
    return np.asarray(cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_GRAYSCALE)) > 0


def write_coco(path: Path, samples: Iterable[tuple[Mapping[str, Any], Mapping[str, bytes]]]) -> None:
    """Write the samples' COCO-25 file, masks as run lengths; photos are named as in the shards."""
    write_annotations(
        path, [(photo, [person]) for photo, person in (annotated(t, f, mask_files=False) for t, f in samples)]
    )


def unpack(folder: Path, samples: Iterable[tuple[Mapping[str, Any], Mapping[str, bytes]]]) -> Path:
    """Write the samples as files, photos and masks, with a COCO file that names them; return that file."""
    folder.mkdir(parents=True, exist_ok=True)
    rows = []
    for truth, files in samples:
        photo, person = annotated(truth, files, mask_files=True)
        named = {"jpg", *(mask.removeprefix(f"{truth['key']}.") for _, mask in person.layers)}
        if person.person.mask_file:
            named.add("person.png")
        for ending in sorted(named):
            write_whole(folder / f"{truth['key']}.{ending}", files[ending])
        rows.append((photo, [person]))
    write_annotations(folder / "annotations.json", rows)
    return folder / "annotations.json"


def _point(known: Mapping[str, Any]) -> Point:
    state = KeypointState(known["state"])
    if "px" not in known:
        return Point(state)
    x, y = known["px"]
    return Point(state, float(x), float(y))


def _state(known: Mapping[str, Any]) -> LimbState:
    device = Device.WORN if known["prosthesis"] else Device.NONE
    return LimbState(Level(known["level"]), Cause.UNKNOWN, True, device)


def _layers(truth: Mapping[str, Any], files: Mapping[str, bytes]) -> tuple[tuple[LayerName, str], ...]:
    """Return the masks beside the person's own that show something."""
    layers = []
    for kind, word in ((MaskKind.RESIDUAL_LIMB, "residual"), (MaskKind.PROSTHESIS, "prosthesis")):
        limbs = [
            Limb(name)
            for name, facts in truth["limbs"].items()
            if facts["level"] != Level.INTACT.value and (word == "residual" or facts["prosthesis"])
        ]
        for limb in limbs:
            own = f"{word}_{limb.value}.png"
            layers.append(
                (LayerName(kind, limb), own if own in files else f"{word}.png" if len(limbs) == 1 else "")
            )
    layers.append((LayerName(MaskKind.OCCLUDER), "occluder.png"))
    return tuple(
        (name, f"{truth['key']}.{ending}")
        for name, ending in layers
        if ending and mask_of(files[ending]).any()
    )
