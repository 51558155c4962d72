"""The folder a reconstruction leaves behind: fit.json, meshes and pictures of one person, whole or not at
all.
"""

import errno
import os
import re
import secrets
import shutil
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from limbstudio.body.kinematics import rotation_matrices
from limbstudio.body.model import BodyModel
from limbstudio.domain.anatomy import N_COCO, Limb
from limbstudio.domain.body import BodyFit
from limbstudio.domain.errors import KnownError
from limbstudio.evaluation.metrics import PersonMetrics, scored_ends
from limbstudio.formats.fit_json import FILE_NAME, FitOrigin, fit_facts, read_fit, to_text
from limbstudio.formats.meshes import write_glb, write_ply
from limbstudio.resihmr.pipeline import PersonResult

if TYPE_CHECKING:
    # Its engine takes half a second to load, and only the corrected need it.
    from limbstudio.corrections.edited import EditedLimb

_LONGEST_NAME = 120  # bytes; file systems take 255, and a temporary name is longer than the final one
_UNSAFE = re.compile(r"[^\w.\-]+")
# Names that Windows keeps for devices, with any suffix.
_DEVICES = frozenset({"con", "prn", "aux", "nul", *(f"{d}{i}" for d in ("com", "lpt") for i in range(1, 10))})
_CAMERA = "camera: x right, y down, z forward; focal length and centre in fit.json"
_TPOSE = "T-pose: y up, z forward, pelvis at the origin"
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_FORBIDDEN = (errno.EACCES, errno.EPERM, errno.EROFS)


class Existing(StrEnum):
    """What happens to a person's folder that is there already."""

    REFUSE = "refuse"
    RESUME = "resume"
    OVERWRITE = "overwrite"


# ------------------------------------------------------------------------------------------------------ names


def folder_names(people: Iterable[tuple[str, str]]) -> list[str]:
    """Return a folder name for each (photo file name, annotation id): `<stem>_<id>`, safe on any disk, all
    different.

    The same list always gives the same names.
    """
    names: list[str] = []
    taken: set[str] = set()
    for photo, annotation in people:
        stem = _safe(Path(photo.replace("\\", "/")).stem) or "photo"
        name = first = f"{_shortened(stem)}_{_shortened(_safe(annotation)) or '0'}"
        count = 1
        while name.casefold() in taken:  # some disks do not tell upper from lower case
            count += 1
            name = f"{first}_{count}"
        taken.add(name.casefold())
        names.append(name)
    return names


def _safe(text: str) -> str:
    name = _UNSAFE.sub("_", text).strip("._")
    return f"_{name}" if name.split(".")[0].casefold() in _DEVICES else name


def _shortened(name: str) -> str:
    return name.encode("utf-8")[:_LONGEST_NAME].decode("utf-8", "ignore")


# ---------------------------------------------------------------------------------------------------- folders


def prepare_output(out: Path) -> None:
    """Make the output folder and see that it can be written to; raise KnownError when not."""
    if out.exists() and not out.is_dir():
        raise KnownError(f"{out} is a file, not a folder.", "Give --out a folder.")
    with disk_errors(out):
        out.mkdir(parents=True, exist_ok=True)
        probe = out / f".writable-{secrets.token_hex(4)}"
        probe.touch()
        probe.unlink()


def is_finished(folder: Path, inputs_hash: str, existing: Existing) -> bool:
    """Tell whether a person's folder may be left as it is.

    RESUME: it is whole and was made from inputs with this hash. REFUSE: raise KnownError when it exists at
    all.
    """
    if not folder.exists():
        return False
    if existing is Existing.REFUSE:
        raise KnownError(
            f"{folder} exists already.",
            "Use --resume to keep what is finished, --overwrite to replace it, or another --out.",
        )
    if existing is Existing.OVERWRITE:
        return False
    try:
        return read_fit(folder / FILE_NAME).get("inputs_hash") == inputs_hash
    except KnownError:
        return False


@contextmanager
def whole_folder(folder: Path) -> Iterator[Path]:
    """Give a temporary folder that becomes `folder` when the block ends well, replacing what was there.

    Until then nobody sees `folder`, or sees the old one; when the block fails nothing is left. Raises
    KnownError where the disk is full or the place may not be written to.
    """
    temporary = folder.parent / f".{folder.name}.{secrets.token_hex(4)}.part"
    old = folder.parent / f".{folder.name}.{secrets.token_hex(4)}.old"
    with disk_errors(folder.parent):
        try:
            temporary.mkdir(parents=True)
            yield temporary
            if folder.exists():
                os.replace(folder, old)
            try:
                os.replace(temporary, folder)
            except OSError:
                if old.exists():
                    os.replace(old, folder)
                raise
        finally:
            shutil.rmtree(temporary, ignore_errors=True)
            shutil.rmtree(old, ignore_errors=True)


@contextmanager
def disk_errors(place: Path) -> Iterator[None]:
    """Turn an error of the disk inside the block into a KnownError about `place`."""
    try:
        yield
    except OSError as error:
        raise disk_error(error, place) from error


def disk_error(error: OSError, place: Path) -> KnownError:
    """Say in words what an error of the disk means."""
    if error.errno in _FULL:
        return KnownError(
            f"The disk is full: {place} could not be written.", "Free some space, then use --resume."
        )
    if error.errno in _FORBIDDEN:
        return KnownError(
            f"{place} may not be written to ({error.strerror}).",
            "Choose another --out folder, or ask its owner.",
        )
    if error.errno == errno.ENAMETOOLONG:
        return KnownError(f"The name {place} is too long for this disk.", "Choose a shorter --out folder.")
    return KnownError(
        f"{place} could not be written: {error.strerror or error}.", "Choose another --out folder."
    )


# ---------------------------------------------------------------------------------------------------- content


def write_person(
    folder: Path,
    result: PersonResult,
    metrics: PersonMetrics,
    origin: FitOrigin,
    *,
    body: BodyModel,
    photo: NDArray[np.uint8],
    pictures: bool = True,
    edits: "Mapping[Limb, EditedLimb]" = MappingProxyType({}),
) -> None:
    """Write all files of one person into `folder`, replacing it, whole or not at all.

    photo: (H, W, 3) uint8 RGB, upright. pictures: also overlay.png and views.png. edits: what a person changed on
    limbs; `result` has it already.
    """
    mesh = result.mesh
    with whole_folder(folder) as place:
        (place / FILE_NAME).write_text(
            to_text(fit_facts(result, metrics, origin, body, edits)), encoding="utf-8"
        )
        for name, vertices, frame in (
            ("body.ply", mesh.vertices, _CAMERA),
            ("tpose.ply", mesh.tpose, _TPOSE),
        ):
            comments = ("units metres", f"frame {frame}")
            write_ply(place / name, vertices, mesh.faces, residual=mesh.residual, comments=comments)
        write_glb(place / "body.glb", mesh.vertices * (1, -1, -1), mesh.faces, residual=mesh.residual)
        if pictures:
            for name, draw in (("overlay.png", overlay), ("views.png", views)):
                _write_png(place / name, draw(result, photo, origin))


def overlay(result: PersonResult, photo: NDArray[np.uint8], origin: FitOrigin) -> NDArray[np.uint8]:
    """Draw overlay.png: body, annotated and projected points on the photo."""
    from limbstudio.rendering.overlay import draw_overlay  # loads cv2, which `--help` can do without

    mesh, fit = result.mesh, result.fit
    return draw_overlay(
        photo,
        mesh.vertices,
        mesh.faces,
        fit.camera,
        residual=mesh.residual,
        keypoints=result.person.keypoints,
        projected_px=shown_points(result),
    )


def views(result: PersonResult, photo: NDArray[np.uint8], origin: FitOrigin) -> NDArray[np.uint8]:
    """Draw views.png: photo, overlay, front, back, side, T-pose and residual limb (ResiHMR, Figure 12)."""
    from limbstudio.rendering.views import SheetBody, draw_views

    mesh, fit = result.mesh, result.fit
    return draw_views(
        photo,
        fit.camera,
        body=SheetBody(mesh.vertices, mesh.faces, mesh.residual),
        tpose=SheetBody(mesh.tpose, mesh.faces, mesh.residual),
        forward_camera=pelvis_forward(fit),
        up_camera=fit.up_camera,
        limbs=fit.limbs,
        keypoints=result.person.keypoints,
        projected_px=shown_points(result),
        title=origin.photo,
        note=" ".join(result.warnings),
    )


def shown_points(result: PersonResult) -> NDArray[np.floating]:
    """Return the body's LDPose points as pictures show them, (25, 2) pixels; ends that were not cut at the
    midpoint.
    """
    points = np.array(result.fit.projected_px, float)
    points[N_COCO:] = np.nan
    for index, position in scored_ends(result.person, result.fit).items():
        points[index] = result.fit.camera.project(position)
    return points


def pelvis_forward(fit: BodyFit) -> NDArray[np.floating]:
    """Return the direction the pelvis faces, (3,) camera frame."""
    return rotation_matrices(np.asarray(fit.orientation, float))[..., :, 2]


def _write_png(path: Path, picture: NDArray[np.uint8]) -> None:
    import cv2

    # Trying every filter on every row takes as long again and saves nothing on pictures like these.
    fast = [cv2.IMWRITE_PNG_COMPRESSION, 2, cv2.IMWRITE_PNG_FILTER, cv2.IMWRITE_PNG_FILTER_UP]
    done, data = cv2.imencode(".png", picture[:, :, ::-1], fast)
    if not done:
        raise RuntimeError(f"{path.name} could not be encoded")
    path.write_bytes(data.tobytes())
