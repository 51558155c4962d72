"""fit.json: everything a reconstruction found about one person, in plain numbers.

The fields are documented in `resources/docs/fit-json.md` and checked by `resources/schemas/fit.schema.json`.
Metres and pixels; frames as in the documentation. A number that does not exist is null, never NaN.
"""

import json
import math
import platform
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

import limbstudio
from limbstudio.body.model import BodyModel
from limbstudio.domain.anatomy import LDPOSE_NAMES, SMPLX_JOINTS, Limb, level_rule
from limbstudio.domain.body import BodyFit, LimbFit
from limbstudio.domain.errors import KnownError
from limbstudio.domain.geometry import Camera
from limbstudio.domain.photo import Person
from limbstudio.domain.stump import Stump
from limbstudio.evaluation.metrics import PersonMetrics, keypoint_errors, scored_ends
from limbstudio.formats.corrections_block import written_operation
from limbstudio.resihmr.pipeline import PersonResult
from limbstudio.resihmr.problem import box_height

if TYPE_CHECKING:
    # Its engine takes half a second to load, and only the corrected need it.
    from limbstudio.corrections.edited import EditedLimb

SCHEMA_VERSION = 1
FILE_NAME = "fit.json"

Plain = Any


@dataclass(frozen=True)
class FitOrigin:
    """What a fit was made from. photo: file name; annotation: id in the annotation file. inputs_hash: of all
    inputs.
    """

    photo: str
    photo_sha256: str
    annotation: str
    body: str
    seed: int
    inputs_hash: str


_NOT_EDITED: "Mapping[Limb, EditedLimb]" = MappingProxyType({})


def fit_facts(
    result: PersonResult,
    metrics: PersonMetrics,
    origin: FitOrigin,
    body: BodyModel,
    edits: "Mapping[Limb, EditedLimb]" = _NOT_EDITED,
) -> dict[str, Plain]:
    """Return the content of fit.json. edits: what a person changed on limbs; `result` has it already."""
    person, fit = result.person, result.fit
    facts = {
        "schema_version": SCHEMA_VERSION,
        "photo": {"file_name": origin.photo, "sha256": origin.photo_sha256},
        "annotation_id": origin.annotation,
        "body": {"file_name": origin.body, "name": body.name, "kind": body.kind},
        "mode": fit.mode,
        "seed": origin.seed,
        "inputs_hash": origin.inputs_hash,
        "camera": {**_camera(fit.camera), "up": fit.up_camera},
        "keypoints": _keypoints(person, fit),
        "limbs": {limb.value: _limb(limb, result) | _edited(edits.get(limb)) for limb in Limb},
        "parameters": _parameters(fit),
        "joints": dict(zip(SMPLX_JOINTS, np.asarray(fit.joints), strict=True)),
        "mesh": {
            "vertices": result.facts.vertices,
            "faces": result.facts.faces,
            "watertight": result.facts.watertight,
            "boundary_edges": result.facts.boundary_edges,
            "nonmanifold_edges": result.facts.nonmanifold_edges,
            "components": result.facts.components,
            "self_intersections": result.facts.self_intersections,
            "volume_ml": result.facts.volume_m3 * 1e6,
        },
        "metrics": {
            "intact_error_px": metrics.intact_error_px,
            "intact_error_pct_box": metrics.intact_error_pct_box,
            "residual_error_px": metrics.residual_error_px,
            "residual_error_pct_box": metrics.residual_error_pct_box,
            "mask_iou": metrics.mask_iou,
            "observed_parts_iou": metrics.observed_iou,
        },
        "timings_s": dict(result.timings_s),
        "energy": dict(fit.energy),
        "alternatives": [
            {"parameters": _parameters(other), "energy": dict(other.energy), "warnings": list(other.warnings)}
            for other in fit.alternatives
        ],
        "versions": {
            "limbstudio": limbstudio.__version__,
            "python": platform.python_version(),
            "numpy": np.__version__,
        },
        "warnings": list(result.warnings),
    }
    return _plain(facts)


def to_text(facts: Mapping[str, Plain]) -> str:
    """Return the text of fit.json."""
    return json.dumps(facts, ensure_ascii=False, indent=1, allow_nan=False) + "\n"


def read_fit(path: Path) -> dict[str, Plain]:
    """Read a fit.json; raise KnownError when it is none, or from a newer version."""
    try:
        facts = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise KnownError(
            f"{path} cannot be read: {error}.", "Run reconstruct again with --overwrite."
        ) from error
    if not isinstance(facts, dict) or not isinstance(facts.get("schema_version"), int):
        raise KnownError(f"{path} is not a fit of LimbStudio.", "Run reconstruct again with --overwrite.")
    if facts["schema_version"] > SCHEMA_VERSION:
        raise KnownError(f"{path} was written by a newer LimbStudio.", "Update LimbStudio.")
    return facts


# ------------------------------------------------------------------------------------------------------ parts


def _camera(camera: Camera) -> dict[str, Plain]:
    return {
        "focal_px": camera.focal_px,
        "center_px": camera.center_px,
        "size_px": camera.size_px,
        "focal_source": camera.focal_source,
    }


def _keypoints(person: Person, fit: BodyFit) -> dict[str, Plain]:
    errors = keypoint_errors(person, fit)
    projected = np.array(fit.projected_px, float)
    for index, position in scored_ends(person, fit).items():
        projected[index] = fit.camera.project(position)
    used = np.asarray(fit.used, bool)
    return {
        name: {
            "state": person.keypoints.points[i].state,
            "annotated_px": person.keypoints.positions_px[i],
            "projected_px": projected[i],
            "used": bool(used[i]),
            "error_px": errors[i],
        }
        for i, name in enumerate(LDPOSE_NAMES)
    }


def _limb(limb: Limb, result: PersonResult) -> dict[str, Plain]:
    """Return one limb's block; the same keys for every limb, null where there is no residual limb."""
    state = result.person.limbs[limb]
    rule = level_rule(limb, state.level)
    fitted = next((f for f in result.fit.limbs if f.limb is limb), None)
    stump = next((s for s in result.mesh.stumps if s.limb is limb), None)
    block: dict[str, Plain] = {
        "state": state.level,
        "segment": rule.segment,
        "lambda": None,
        "lambda_interval_95": None,
        "anchor": rule.anchor,
        "upstream": rule.upstream,
        "endpoint": None,
        "length_m": None,
        "length_interval_95_m": None,
        "scale_source": None,
        "accepted": False,
        "reason": "",
        "stump": None,
    }
    if fitted is None:
        return block
    return block | {
        "segment": fitted.segment,
        "lambda": fitted.factor,
        "lambda_interval_95": _interval(fitted.factor_interval),
        "anchor": fitted.anchor,
        "upstream": fitted.upstream,
        "endpoint": _endpoint(fitted, result),
        "length_m": fitted.length_m,
        "length_interval_95_m": _interval(fitted.length_interval_m),
        "scale_source": result.fit.scale,
        "accepted": fitted.accepted,
        "reason": fitted.reason,
        "stump": None if stump is None else _stump(stump),
    }


def _interval(interval: tuple[float, float]) -> tuple[float, float] | None:
    """Return an interval, None for a number that a person has set: it has none."""
    return interval if all(math.isfinite(end) for end in interval) else None


def _edited(limb: "EditedLimb | None") -> dict[str, Plain]:
    """Return what a person changed on a limb, and the fit's own numbers of it; nothing for any other limb."""
    if limb is None:
        return {}
    fitted = limb.fitted
    return {
        "edited": {
            "by": "human",
            "numbers": ["lambda", "length_m", "endpoint"] if limb.moves_end else [],
            "surface": limb.is_edited,
            "fitted": {
                "lambda": fitted.factor,
                "lambda_interval_95": _interval(fitted.factor_interval),
                "length_m": fitted.length_m,
                "length_interval_95_m": _interval(fitted.length_interval_m),
                "position_m": fitted.endpoint,
                "accepted": fitted.accepted,
                "reason": fitted.reason,
            },
            "corrections": [
                {**written_operation(operation), "done": outcome.ok, "reason": outcome.reason}
                for operation, outcome in zip(limb.operations, limb.outcomes, strict=True)
            ],
        }
    }


def _endpoint(limb: LimbFit, result: PersonResult) -> dict[str, Plain]:
    rule = level_rule(limb.limb, result.person.limbs[limb.limb].level)
    scored = {} if rule.endpoint is None else scored_ends(result.person, result.fit)
    position = np.asarray(limb.endpoint if rule.endpoint is None else scored[rule.endpoint], float)
    projected = result.fit.camera.project(position)
    annotated = None if limb.annotated_px is None else np.asarray(limb.annotated_px, float)
    error = None if annotated is None else float(np.linalg.norm(projected - annotated))
    return {
        "annotated_px": annotated,
        "projected_px": projected,
        "error_px": error,
        "error_pct_box": None if error is None else 100 * error / box_height(result.person),
        "position_m": position,
    }


def _stump(stump: Stump) -> dict[str, Plain]:
    return {
        "boundary_vertices": stump.boundary,
        "cap_faces": stump.cap_faces,
        "axis": stump.axis,
        "tip_m": stump.tip,
    }


def _parameters(fit: BodyFit) -> dict[str, Plain]:
    return {
        "orientation": fit.orientation,
        "pose": fit.pose,
        "shape": fit.shape,
        "translation": fit.translation,
    }


# Significant digits kept: below a micrometre and a millionth of a pixel nothing is known.
_DIGITS = 9


def _plain(value: Any) -> Plain:  # noqa: ANN401 - any record field
    """Return `value` as JSON's own types; numbers that JSON lacks become null, a point of such numbers
    too.
    """
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, np.ndarray):
        return _array(value)
    if isinstance(value, tuple | list):
        return [_plain(item) for item in value]
    if isinstance(value, bool | np.bool_):
        return bool(value)
    if isinstance(value, int | np.integer):
        return int(value)
    if isinstance(value, float | np.floating):
        return float(f"{float(value):.{_DIGITS}g}") if math.isfinite(value) else None
    return None if value is None else str(value)


def _array(value: NDArray[Any]) -> Plain:
    if value.ndim == 1 and value.dtype.kind == "f" and len(value) and not np.isfinite(value).all():
        return None
    return [_plain(item) for item in (value if value.ndim > 1 else value.tolist())]
