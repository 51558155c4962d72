"""Stages as requests: a request is a value that holds all its inputs, so its hash says whether the work is
done already.

What runs in a process of its own (`run_fit`) is here too; it receives records and returns arrays, and opens
no project.
"""

import dataclasses
import hashlib
import time
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from limbstudio import __version__
from limbstudio.domain.body import BodyFit, FitMode
from limbstudio.domain.fitted import FitOptions
from limbstudio.domain.mask_layers import MaskLayer
from limbstudio.domain.photo import Person, Photo
from limbstudio.domain.stump import Stump
from limbstudio.services import kept_masks, records
from limbstudio.services.blobs import Blobs
from limbstudio.services.jobs import Context
from limbstudio.services.stages import StageName, progress_within, stage

# What a fit reads of a person. Notes or provenance may change without making a fit stale.
_READ_BY_FIT = (
    "keypoints", "limbs", "box", "posture", "stature_mm", "focal_px", "mask_file", "polygons", "holes",
)  # fmt: skip
_LONGEST_WRITE_S = 5.0
_FIT_STAGES = (StageName.INITIAL_FIT, StageName.RAFO, StageName.RECONSTRUCTION)


@dataclass(frozen=True)
class StageRequest:
    """Work to be done, as a value. inputs: (name, hash) pairs. parameters: canonical JSON. plugin: who does
    it.
    """

    stage: StageName
    inputs: tuple[tuple[str, str], ...]
    parameters: str = "{}"
    plugin: str = "limbstudio"
    seed: int = 0
    version: str = __version__

    @property
    def hash(self) -> str:
        """Return the key under which the result is remembered: the same inputs and numbers, the same key."""
        return records.digest(records.canonical(dataclasses.asdict(self)))


@dataclass(frozen=True)
class FitWork:
    """What `run_fit` needs. folder: where a relative mask file is looked for. body_file: None for the bundled
    body. options: what was asked of this person's fits. devices: mask layers of prostheses.
    """

    person: Person
    photo: Photo
    mode: FitMode
    seed: int
    body_file: Path | None
    folder: Path
    options: FitOptions | None = None
    devices: tuple[MaskLayer, ...] = ()


@dataclass(frozen=True, eq=False)
class FitAnswer:
    """What `run_fit` made: the fit and one topology in two poses. facts: plain values about the surface."""

    fit: BodyFit
    vertices: np.ndarray
    tpose: np.ndarray
    faces: np.ndarray
    residual: np.ndarray
    parts: np.ndarray
    stumps: tuple[Stump, ...]
    facts: dict[str, Any]


def inputs_hash(
    person: Person,
    photo: Photo,
    mask_folder: Path,
    options: FitOptions | None = None,
    devices: tuple[MaskLayer, ...] = (),
) -> str:
    """Return the hash of all that a fit of this person reads from the project."""
    plain = records.to_plain(person)
    read = {name: plain[name] for name in _READ_BY_FIT}
    for point, record in zip(read["keypoints"]["points"], person.keypoints.points, strict=True):
        if not record.constrains_fit:  # a hidden position changes nothing
            point["x"] = point["y"] = None
    size_and_focal = [photo.sha256, photo.width, photo.height, photo.focal_exif_px]
    mask = _mask_hash(mask_folder, person.mask_file) if person.mask_file else ""
    asked = [] if options is None or options.asks_nothing else [records.to_plain(options)]
    has_mask = bool(person.mask_file or person.polygons)
    cut_out = [records.to_plain(device) for device in devices if has_mask]
    return records.digest(records.canonical([read, size_and_focal, mask, *asked, *cut_out]))


def fit_request(work: FitWork) -> StageRequest:
    """Return the request of a fit: stages 5 to 7 as one."""
    inputs = (
        ("person", inputs_hash(work.person, work.photo, work.folder, work.options, work.devices)),
        ("body", file_hash(work.body_file or _bundled_body())),
    )
    parameters = records.canonical({"mode": work.mode.value})
    return StageRequest(StageName.RECONSTRUCTION, inputs, parameters, seed=work.seed)


def _mask_hash(folder: Path, mask_file: str) -> str:
    # What the project keeps is named by its content: it need not be read, nor be on the disk yet.
    return (
        mask_file.removeprefix(kept_masks.FOLDER)
        if kept_masks.blobs_of(mask_file)
        else file_hash(folder / mask_file)
    )


def file_hash(path: Path) -> str:
    """Return the SHA-256 of a file, empty when there is none; read again only when the file has changed."""
    try:
        status = path.stat()
        return _hash_of_file(path, status.st_mtime_ns, status.st_size)
    except OSError:
        return ""


@lru_cache(maxsize=256)
def _hash_of_file(path: Path, changed_ns: int, size: int) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _bundled_body() -> Path:
    from limbstudio.body.model import bundled_body_path  # here: opening a project needs no body

    return bundled_body_path()


# ------------------------------------------------------------------------------------ in the worker's process


def warm_up() -> None:
    """Import what a fit needs, and load the bundled body, so that the first fit does not wait for it."""
    from limbstudio.domain.errors import KnownError
    from limbstudio.services.logs import set_up_logs

    set_up_logs("worker")

    try:
        body_of(None)
    except KnownError:
        return  # the fit will say it


def run_fit(context: Context, work: FitWork) -> FitAnswer:
    """Fit one person, end its residual limbs and shape them (stages 5 to 7)."""
    # Heavy, and needed in the worker only.
    from limbstudio.cameras import choose_camera
    from limbstudio.resihmr.pipeline import reconstruct_person
    from limbstudio.services.fit_options import settings_of
    from limbstudio.services.initialisers import guess_of

    def report(name: StageName, fraction: float) -> None:
        context.report(progress_within(_FIT_STAGES, name, fraction), stage(name).doing)

    report(StageName.INITIAL_FIT, 0.05)
    body = body_of(work.body_file)
    person, photo = work.person, work.photo
    camera = choose_camera(
        (photo.width, photo.height),
        given_px=person.focal_px,
        exif_px=photo.focal_exif_px,
        paper=work.mode is FitMode.PAPER,
    )
    mask = person_mask(person, photo, work.folder, work.devices)
    begins = "" if work.options is None else work.options.initialiser
    guess = guess_of(begins, person, camera, body)
    report(StageName.INITIAL_FIT, 0.2)
    # Counting self-intersections takes longer than all else about a mesh: only an export asks for it.
    result = reconstruct_person(
        person,
        camera,
        body,
        mode=work.mode,
        settings=settings_of(work.options),
        mask=mask,
        guess=guess,
        seed=work.seed,
        intersections=False,
    )
    report(StageName.RECONSTRUCTION, 1.0)
    mesh = result.mesh
    facts = {
        "mesh": dataclasses.asdict(result.facts),
        "timings_s": dict(result.timings_s),
        "warnings": list(result.warnings),
        "seed": work.seed,
        "body_file": str(work.body_file) if work.body_file else None,
    }
    return FitAnswer(
        result.fit, mesh.vertices, mesh.tpose, mesh.faces, mesh.residual, mesh.parts, mesh.stumps, facts
    )


@lru_cache(maxsize=2)
def body_of(path: Path | None) -> Any:  # noqa: ANN401 - a BodyModel, which is imported only where one is used
    """Return a body model, loaded once; None is the bundled one."""
    from limbstudio.body.model import load_body

    return load_body(path)


def person_mask(
    person: Person, photo: Photo, folder: Path, devices: tuple[MaskLayer, ...] = ()
) -> np.ndarray | None:
    """Return the person's mask less the prostheses, (H, W) bool in the upright photo, or None without one.

    folder: of the project, where a `mask_file` lies. devices: mask layers of prostheses.
    """
    from limbstudio.formats.annotated import AnnotatedPerson
    from limbstudio.formats.masks import fitting_mask
    from limbstudio.formats.masks import person_mask as mask_of
    from limbstudio.images import LoadedPhoto

    size = (photo.width, photo.height)
    frame = LoadedPhoto(np.empty((0, 0, 3), np.uint8), photo.sha256, *size)  # only its size is asked for

    blobs = Blobs(folder / "blobs")

    def pixels(owner: Person) -> np.ndarray | None:
        if owner.mask_file and (names := kept_masks.blobs_of(owner.mask_file)):
            for name in names:
                _wait_for(blobs.folder / name)
            mask = kept_masks.read_kept(owner.mask_file, blobs.read)
            return fitting_mask(mask, size, what=f"The mask {names[0][:12]}…")
        return mask_of(AnnotatedPerson(owner, owner.id, photo.path, size), frame, folder=folder)

    mask = pixels(person)
    for device in devices if mask is not None else ():
        layer = replace(person, mask_file=device.mask_file, polygons=device.polygons, holes=device.holes)
        drawn = pixels(layer)
        mask = mask if drawn is None else mask & ~drawn
    return mask


def _wait_for(path: Path) -> None:
    """Wait for a file that a writer in another thread or process is just writing; not forever."""
    until = time.monotonic() + _LONGEST_WRITE_S
    while not path.exists() and time.monotonic() < until:
        time.sleep(0.01)
