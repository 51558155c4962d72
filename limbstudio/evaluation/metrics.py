"""The measures by which a reconstruction is judged: reprojection, overlap of silhouettes, joints in space.

ResiHMR, section 4.1, with our 17 + 8 points where the paper has 25 + 8.

A residual limb that was not cut (a method that knows nothing of limb loss, or a limb that was not accepted)
is scored at the midpoint of its segment, as the paper scores its baselines.

Overlap is measured twice. By the whole body, every part of the mesh counts. By observed parts, a part of the
mesh counts only when the annotation says where it is: a segment needs the points at both its ends (a residual
limb its upper joint and its annotated end), a hand its wrist, a foot its ankle, the head one point of the
face, the trunk one shoulder or hip. The annotated mask is the same in both. So a leg that a table hides,
which no mask shows, is not held against the body that has one.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from limbstudio.domain.anatomy import N_COCO, SMPLX_INDEX, level_rule
from limbstudio.domain.body import BodyFit, LimbFit
from limbstudio.domain.geometry import Camera
from limbstudio.domain.photo import Person
from limbstudio.rendering.silhouette import overlap, silhouette
from limbstudio.resihmr.contour import observed_parts
from limbstudio.resihmr.pipeline import BodyMesh, PersonResult
from limbstudio.resihmr.problem import box_height

Floats = NDArray[np.floating]
Bools = NDArray[np.bool_]


@dataclass(frozen=True)
class PersonMetrics:
    """How well one reconstruction explains one person's annotation; None where there is nothing to compare
    with.

    Errors are means over annotated points, in pixels and in % of the box height: intact (COCO-17), residual
    (ends of residual limbs), all (both). mask_iou: of the whole body; observed_iou: of observed parts.
    """

    intact_error_px: float | None
    intact_error_pct_box: float | None
    residual_error_px: float | None
    residual_error_pct_box: float | None
    all_error_px: float | None
    all_error_pct_box: float | None
    intact_points: int
    residual_points: int
    mask_iou: float | None
    observed_iou: float | None


def measure_person(result: PersonResult, mask: Bools | None = None) -> PersonMetrics:
    """Measure one reconstruction. mask: (H, W) bool of the photo, True on the person."""
    errors = keypoint_errors(result.person, result.fit)
    intact, residual = errors[:N_COCO], errors[N_COCO:]
    height = box_height(result.person)

    def mean(values: Floats) -> tuple[float | None, float | None]:
        known = values[np.isfinite(values)]
        return (None, None) if not len(known) else (float(known.mean()), float(100 * known.mean() / height))

    whole, observed = mask_overlaps(result, mask) if mask is not None else (None, None)
    return PersonMetrics(
        *mean(intact),
        *mean(residual),
        *mean(errors),
        int(np.isfinite(intact).sum()),
        int(np.isfinite(residual).sum()),
        whole,
        observed,
    )


# ----------------------------------------------------------------------------------------------------- pixels


def keypoint_errors(person: Person, fit: BodyFit) -> Floats:
    """Return the distance of each annotated LDPose point from the fit's, (25,) pixels; NaN where either is
    missing.
    """
    predicted = np.array(fit.projected_px, float)
    predicted[N_COCO:] = np.nan
    for index, position in scored_ends(person, fit).items():
        predicted[index] = fit.camera.project(position)
    errors = np.linalg.norm(predicted - person.keypoints.positions_px, axis=1)
    return np.where(person.keypoints.observed, errors, np.nan)


def scored_ends(person: Person, fit: BodyFit) -> Mapping[int, Floats]:
    """Return where each residual limb is taken to end: LDPose index -> (3,) camera frame, metres.

    An accepted limb ends at its endpoint; any other at the midpoint of the segment that its level ends in.
    """
    fitted = {limb.limb: limb for limb in fit.limbs}
    ends = {}
    for limb, state in person.limbs.items():
        rule = level_rule(limb, state.level)
        if rule.endpoint is None or rule.anchor is None or rule.upstream is None:
            continue
        found = fitted.get(limb)
        if found is not None and found.accepted:
            ends[rule.endpoint] = found.endpoint
        else:
            ends[rule.endpoint] = _midpoint(found, fit, rule.anchor, rule.upstream)
    return ends


def _midpoint(limb: LimbFit | None, fit: BodyFit, anchor: str, upstream: str) -> Floats:
    if limb is not None:
        return (np.asarray(limb.anchor_position) + np.asarray(limb.upstream_position)) / 2
    return (fit.joints[SMPLX_INDEX[anchor]] + fit.joints[SMPLX_INDEX[upstream]]) / 2


# ------------------------------------------------------------------------------------------------ silhouettes


def mask_overlaps(result: PersonResult, mask: Bools) -> tuple[float, float]:
    """Return the intersection over union of `mask` (H, W) with the whole body, and with its observed
    parts.
    """
    mesh, camera = result.mesh, result.fit.camera
    whole = silhouette(mesh.vertices, mesh.faces, camera)
    parts = observed_parts(result.person)
    return overlap(whole, mask), overlap(part_silhouette(mesh, camera, parts), mask)


def part_silhouette(mesh: BodyMesh, camera: Camera, parts: frozenset[int]) -> Bools:
    """Draw the mask (H, W) of those parts of a mesh alone."""
    belongs = np.isin(mesh.parts, sorted(parts))
    faces = mesh.faces[belongs[mesh.faces].any(axis=1)]
    return silhouette(mesh.vertices, faces, camera, closed=False)


# ------------------------------------------------------------------------------------------------------ space


def joint_error_m(joints: Floats, truth: Floats, exists: Bools) -> float:
    """Return the mean distance of existing joints after the pelvis (row 0) is laid on the true one, metres.

    joints, truth: (J, 3) metres, pelvis first. exists: (J,) bool.
    """
    moved = joints - joints[0] - (truth - truth[0])
    return float(np.linalg.norm(moved[exists], axis=1).mean())


def aligned_joint_error_m(joints: Floats, truth: Floats, exists: Bools) -> float:
    """Return the mean distance of existing joints after the best similarity (Procrustes), metres. Shapes as
    above.
    """
    a, b = np.asarray(joints, float)[exists], np.asarray(truth, float)[exists]
    a, b = a - a.mean(axis=0), b - b.mean(axis=0)
    u, s, vt = np.linalg.svd(a.T @ b)
    handed = np.array([1.0, 1.0, np.sign(np.linalg.det(u @ vt))])
    spread = float((a**2).sum())
    scale = float((s * handed).sum()) / spread if spread > 0 else 1.0
    return float(np.linalg.norm(scale * a @ (u * handed) @ vt - b, axis=1).mean())
