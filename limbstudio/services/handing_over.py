"""What leaves a project: annotation files, and a folder per reconstructed person; written from records, never
changing them.
"""

import struct
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType

import numpy as np

from limbstudio.domain.corrections import Corrections
from limbstudio.domain.errors import KnownError
from limbstudio.domain.mask_layers import LayerName, MaskLayer
from limbstudio.domain.photo import Person, Photo
from limbstudio.services.jobs import Context
from limbstudio.services.pipeline import FitAnswer, person_mask

Annotated = Sequence[tuple[Photo, tuple[Person, ...]]]


@dataclass(frozen=True)
class ExportReport:
    """What an export wrote. folders: one per person. refused: (what, KnownError) for the others. warnings:
    for people.
    """

    folders: tuple[Path, ...] = ()
    refused: tuple[tuple[str, KnownError], ...] = ()
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class Reconstructed:
    """A person with the fit that counts. is_stale: edited since the fit was made. devices: layers of prostheses.

    corrections: of the person's residual limbs; what is written has them.
    """

    person: Person
    photo: Photo
    inputs_hash: str
    answer: FitAnswer
    is_stale: bool
    devices: tuple[MaskLayer, ...] = ()
    corrections: tuple[Corrections, ...] = ()


def annotation_id(person: Person) -> str:
    """Return the id that a person had in the file it was imported from, or has of its own."""
    return person.id.removeprefix(f"{person.photo[:8]}-")


def masks_as_png(mask: np.ndarray) -> bytes:
    """Return a mask (H, W) bool as a PNG of one bit per pixel, white = body.

    Written here, because a stroke of the brush waits for it: the usual libraries take five times as long.
    """
    height, width = mask.shape
    rows = np.zeros((height, (width + 7) // 8 + 1), np.uint8)  # a row begins with its filter: none
    rows[:, 1:] = np.packbits(mask, axis=1)

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    body = zlib.compress(rows.tobytes(), 1)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", body) + chunk(b"IEND", b"")


def _grey(png: bytes) -> bytes:
    """Return a mask as a PNG of one byte per pixel, 255 = body: what others read as bits they take for 0 and 1."""
    import cv2

    pixels = cv2.imdecode(np.frombuffer(png, np.uint8), cv2.IMREAD_GRAYSCALE)
    if pixels is None:
        return png  # of another kind: as it came
    return cv2.imencode(".png", pixels)[1].tobytes()


def write_coco(
    context: Context,
    path: Path,
    annotated: Annotated,
    masks: Mapping[str, bytes],
    layers: Mapping[str, Sequence[tuple[LayerName, bytes]]] = MappingProxyType({}),
    corrections: Mapping[str, tuple[Corrections, ...]] = MappingProxyType({}),
) -> Path:
    """Write one COCO file; masks and layers (by person id, PNG) go into a folder beside it that carries its name.

    corrections: of residual limbs, by person id.
    """
    from limbstudio.formats.annotated import AnnotatedPerson
    from limbstudio.formats.coco import write_annotations
    from limbstudio.formats.whole_files import write_whole

    context.report(0.0, f"Writing {path.name}")
    folder = path.with_name(f"{path.stem}_masks")

    def write_mask(name: str, png: bytes) -> str:
        folder.mkdir(parents=True, exist_ok=True)
        write_whole(folder / name, _grey(png))
        return f"{folder.name}/{name}"

    written = []
    for photo, people in annotated:
        named = []
        for person in people:
            if person.id in masks:
                person = replace(person, mask_file=write_mask(f"{person.id}.png", masks[person.id]))
            beside = [
                (name, write_mask(f"{person.id}_{_file_part(name)}.png", png))
                for name, png in layers.get(person.id, ())
            ]
            number = annotation_id(person)
            identity = int(number) if number.isdecimal() else ""
            corrected = corrections.get(person.id, ())
            entry = AnnotatedPerson(person, identity, photo.path, layers=tuple(beside), corrections=corrected)
            named.append(entry if beside or corrected or identity else person)
        written.append((photo, named))
    write_annotations(path, written)
    return path


def _file_part(name: LayerName) -> str:
    return name.kind.value if name.limb is None else f"{name.kind.value}_{name.limb.value}"


def write_by_plugin(context: Context, name: str, path: Path, annotated: Annotated) -> Path:
    """Write through an exporter plugin."""
    from limbstudio.api import AnnotatedPhoto
    from limbstudio.services.plugins import discover

    context.report(0.0, f"Writing {path.name}")
    discover().exporter(name).export([AnnotatedPhoto(photo, people) for photo, people in annotated], path)
    return path


def write_reconstructions(
    context: Context,
    folder: Path,
    works: Sequence[Reconstructed],
    refused: Sequence[tuple[str, KnownError]],
    pixels: Mapping[str, Callable[[], np.ndarray]],
    project: Path,
) -> ExportReport:
    """Write fit.json, meshes and pictures of each person, replacing folders of the same name."""
    from limbstudio.services.exporting import folder_names, prepare_output

    prepare_output(folder)
    names = folder_names([(Path(work.photo.path).name, annotation_id(work.person)) for work in works])
    done, failed, warnings = [], list(refused), []
    for count, (work, name) in enumerate(zip(works, names, strict=True)):
        context.report(count / len(works), f"Writing {name} ({count + 1} of {len(works)})")
        if work.is_stale:
            warnings.append(
                f"{name}: the person was edited after this fit was made; fit again for the newest."
            )
        try:
            said = _write_one(folder / name, work, pixels[work.photo.sha256](), project)
        except KnownError as error:
            failed.append((name, error))
            continue
        done.append(folder / name)
        warnings += [f"{name}: {words}" for words in said]
    return ExportReport(tuple(done), tuple(failed), tuple(warnings))


def _write_one(folder: Path, work: Reconstructed, photo: np.ndarray, project: Path) -> tuple[str, ...]:
    """Write one person; return what is to be said about corrections."""
    # Here: a body and the picture maker, needed only when files are written.
    from limbstudio.body.model import load_body
    from limbstudio.body.surface import surface_facts
    from limbstudio.corrections.edited import edited_fit
    from limbstudio.evaluation.metrics import measure_person
    from limbstudio.formats.fit_json import FitOrigin
    from limbstudio.resihmr.pipeline import BodyMesh, PersonResult
    from limbstudio.services.exporting import write_person

    answer, facts = work.answer, work.answer.facts
    body_file = facts.get("body_file")
    body = load_body(Path(body_file) if body_file else None)
    fit = answer.fit
    mesh = BodyMesh(answer.vertices, answer.tpose, answer.faces, answer.residual, answer.parts, answer.stumps)
    warnings = tuple(facts.get("warnings", ()))
    edited = edited_fit(work.person, fit, body, work.corrections)
    if edited is not None:
        fit, mesh, warnings = edited.fit, edited.mesh, (*warnings, *edited.warnings)
    surface = surface_facts(mesh.vertices, mesh.faces, intersections=True)
    result = PersonResult(work.person, fit, mesh, surface, facts.get("timings_s", {}), warnings)
    metrics = measure_person(result, person_mask(work.person, work.photo, project, work.devices))
    origin = FitOrigin(
        photo=Path(work.photo.path).name,
        photo_sha256=work.photo.sha256,
        annotation=annotation_id(work.person),
        body=fit.body_name,
        seed=facts.get("seed", 0),
        inputs_hash=work.inputs_hash,
    )
    edits = {} if edited is None else edited.limbs
    write_person(folder, result, metrics, origin, body=body, photo=photo, edits=edits)
    return () if edited is None else edited.warnings
