"""One sample: its picture, masks and truth, a pure function of the options and the index."""

import io
import json
import time
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import cv2
import numpy as np
from PIL import Image

from limbstudio import __version__
from limbstudio.a3d.backdrops import PLACES, Backdrop, draw_backdrop
from limbstudio.a3d.backgrounds import BackgroundPhoto, Backgrounds, photo_backdrop, read_backgrounds
from limbstudio.a3d.bodies import coarse_faces
from limbstudio.a3d.composing import cast_shadows, compose
from limbstudio.a3d.groups import BUILDS, TONES, build_direction
from limbstudio.a3d.plans import FORCED_AT, MULTIPLE_LABEL, SampleOptions, SamplePlan, plan_sample
from limbstudio.a3d.pose_source import PoseBank, read_poses
from limbstudio.a3d.quality import FindPeople
from limbstudio.a3d.seen import Seen, look, refusals
from limbstudio.a3d.staging import Stage, set_stage
from limbstudio.a3d.textures import Textures, read_textures
from limbstudio.ajahr.build import HEAD_LIMBS
from limbstudio.ajahr.zeroing import label_of
from limbstudio.body.kinematics import rotation_matrices, rotation_vectors
from limbstudio.body.model import BodyModel, load_body
from limbstudio.domain.anatomy import LDPOSE_NAMES, SMPLX_JOINTS, Level, Limb, level_rule
from limbstudio.domain.errors import KnownError
from limbstudio.rendering.raster import Floats

SCHEMA_VERSION = 1
# SMPL's joints 22 and 23 are the hands, which hang on the wrists.
_SMPL_HANDS = {20: 22, 21: 23}


@dataclass(frozen=True, eq=False)
class Sources:
    """All that is read once: body, poses, textures, backgrounds."""

    options: SampleOptions
    body: BodyModel
    direction: Floats
    bank: PoseBank
    textures: Textures
    backgrounds: Backgrounds | None


@dataclass(frozen=True, eq=False)
class Sample:
    """key: its name in the shard. files: (ending, bytes) in the order of the shard. cpu_s: what it took."""

    key: str
    files: tuple[tuple[str, bytes], ...]
    cpu_s: float = 0.0


def open_sources(options: SampleOptions, find_people: FindPeople | None = None) -> Sources:
    """Read body, poses, textures and backgrounds; KnownError for what is missing or cannot be read."""
    body = _bundled_body() if options.body is None else load_body(options.body)
    if "coco17" not in body.keypoint_regressors:
        raise KnownError(f"The body {body.name} has no COCO keypoints.", "Use another body model.")
    coarse_faces(body)  # now, not in the first sample
    bank = read_poses(options.poses, validation=options.validation)
    backgrounds = None if options.backgrounds is None else read_backgrounds(options.backgrounds, find_people)
    return Sources(options, body, build_direction(body), bank, read_textures(options.textures), backgrounds)


@lru_cache(maxsize=1)
def _bundled_body() -> BodyModel:
    return load_body()


def key_of(index: int) -> str:
    return f"{index:08d}"


def make_sample(sources: Sources, index: int) -> Sample:
    """Make one sample. The plan is drawn anew until it is plausible."""
    begun = time.process_time()
    refused: dict[str, int] = {}
    plan, place, stage, seen = _attempt(sources, index, 0)
    while True:
        reasons = refusals(plan, stage, seen)
        if not reasons or plan.attempt >= FORCED_AT:
            break
        for reason in reasons:
            refused[reason] = refused.get(reason, 0) + 1
        plan, place, stage, seen = _attempt(sources, index, plan.attempt + 1)
    photo = None
    if sources.backgrounds is None:
        assert place is not None
        backdrop = draw_backdrop(place, stage.view, plan.random(5))
    else:
        photo = sources.backgrounds.take(plan.background_pick, sources.options.size_px, plan.random(5))
        backdrop = photo_backdrop(photo, stage.view)
    pixels = compose(
        stage.geometry, cast_shadows(stage.geometry, plan.light), backdrop, plan.light, plan.random(6)
    )
    masks = _masks(seen)
    truth = _truth(sources, plan, stage, seen, backdrop, photo, masks)
    truth["attempts"] = {"refused": refused, "count": plan.attempt + 1, "forced": bool(reasons)}
    files = [
        ("jpg", _jpeg(pixels, plan.light.quality)),
        ("json", json.dumps(truth, ensure_ascii=False, allow_nan=False).encode()),
        *((ending, _png(mask)) for ending, mask in masks.items()),
    ]
    return Sample(key_of(index), tuple(files), time.process_time() - begun)


def _attempt(sources: Sources, index: int, attempt: int) -> tuple[SamplePlan, str | None, Stage, Seen]:
    options = sources.options
    plan = plan_sample(options, sources.direction, index, attempt)
    place = None
    if sources.backgrounds is None:
        names = tuple(PLACES)
        place = names[min(int(plan.background_pick * len(names)), len(names) - 1)]
    stage = set_stage(plan, sources.body, sources.bank, sources.textures, options.size_px, place)
    return plan, place, stage, look(plan, stage)


def _jpeg(pixels: np.ndarray, quality: int) -> bytes:
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "JPEG", quality=quality)
    return file.getvalue()


def _png(mask: np.ndarray) -> bytes:
    """Return a mask as a PNG of one bit per pixel."""
    done, data = cv2.imencode(".png", mask.astype(np.uint8) * 255, [cv2.IMWRITE_PNG_BILEVEL, 1])
    assert done
    return data.tobytes()


def _masks(seen: Seen) -> dict[str, np.ndarray]:
    """Return the masks by ending. Several residual limbs have one file each beside that of all."""
    nothing = np.zeros_like(seen.person)
    masks = {
        "person.png": seen.person,
        "residual.png": np.logical_or.reduce([nothing, *seen.residual.values()]),
        "prosthesis.png": seen.prosthesis,
        "occluder.png": seen.occluder,
    }
    if len(seen.residual) > 1:
        masks |= {f"residual_{limb.value}.png": mask for limb, mask in seen.residual.items()}
    worn = {limb: mask for limb, mask in seen.prostheses.items() if mask.any()}
    if len(seen.prostheses) > 1:
        masks |= {f"prosthesis_{limb.value}.png": mask for limb, mask in worn.items()}
    return masks


# ---------------------------------------------------------------------------------------------------- truth


def _truth(
    sources: Sources,
    plan: SamplePlan,
    stage: Stage,
    seen: Seen,
    backdrop: Backdrop,
    photo: BackgroundPhoto | None,
    masks: dict[str, np.ndarray],
) -> dict[str, Any]:
    figure, view = stage.figure, stage.view
    joints = view.to_camera(figure.joints @ stage.yaw.T)
    drawn = view.to_camera(figure.drawn_joints @ stage.yaw.T)
    root = view.camera_from_world @ stage.yaw @ rotation_matrices(figure.rotations[:1])[0]
    background: dict[str, Any] = {"kind": backdrop.name, "behind": sorted(stage.behind)}
    if photo is not None:
        background |= {
            "file": photo.file,
            "people_removed": photo.removed,
            "ssim": round(photo.ssim, 4),
            "passed_over": [list(row) for row in photo.passed_over],
        }
    worn = {"skin": stage.skin} if sources.textures.skins.counts else {}
    return {
        "schema_version": SCHEMA_VERSION,
        "generator": f"limbstudio {__version__} a3d",
        "key": key_of(plan.index),
        "index": plan.index,
        "seed": plan.seed[0],
        "synthetic": True,
        "body": sources.body.name,
        "ajahr_label": None if plan.label == MULTIPLE_LABEL else plan.label,
        "ajahr_classes": _classes(plan),
        "build": BUILDS[plan.build],
        "tone": TONES[plan.tone].name,
        **worn,
        "poses": sources.bank.name,
        "aid": plan.aid.value,
        "crutch_arms": [limb.value for limb in stage.crutches],
        "occluders": [occluder.kind for occluder in plan.occluders],
        "background": background,
        "stature_m": round(figure.stature_m, 4),
        "camera": {
            "focal_px": round(view.camera.focal_px, 4),
            "center_px": list(view.camera.center_px),
            "size_px": list(view.camera.size_px),
            "height_m": round(float((-view.camera_from_world.T @ view.offset)[1]), 4),
        },
        "up_camera": _numbers(view.camera_from_world[:, 1]),
        "parameters": {
            "orientation": _numbers(rotation_vectors(root[None])[0]),
            "pose": _numbers(figure.rotations[1:]),
            "shape": _numbers(figure.shape),
            "translation": _numbers(joints[0] - figure.pelvis_rest),
        },
        "zeroed_joints": _zeroed(figure.zeroed),
        "joints": _numbers(joints[:22]),
        "drawn_joints": _numbers(drawn[:22]),
        "joint_names": list(SMPLX_JOINTS[:22]),
        "keypoints": _keypoints(seen),
        "limbs": {limb.value: _limb(plan, stage, seen, joints, limb) for limb in Limb},
        "visible_share": round(seen.share, 4),
        "inside_share": round(seen.inside, 4),
        "box": _box(seen.person),
        "masks": sorted(masks),
    }


def _classes(plan: SamplePlan) -> list[int]:
    return [
        level_rule(limb, plan.limbs[limb].level).ajahr_class if limb in plan.limbs else 3
        for limb in HEAD_LIMBS
    ]


def _zeroed(zeroed: tuple[int, ...]) -> list[int]:
    """Return SMPL's joints (0 to 23) that have a zero matrix: a wrist takes SMPL's hand with it."""
    body = {joint for joint in zeroed if joint < 22}
    return sorted(body | {_SMPL_HANDS[joint] for joint in body if joint in _SMPL_HANDS})


def _keypoints(seen: Seen) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for index, name in enumerate(LDPOSE_NAMES):
        found[name] = {"state": seen.states[index].value}
        if not np.isnan(seen.keypoints[index, 0]):
            found[name] |= {
                "position": _numbers(seen.keypoints[index]),
                "px": _numbers(seen.keypoints_px[index], 3),
            }
    return found


def _limb(plan: SamplePlan, stage: Stage, seen: Seen, joints: Floats, limb: Limb) -> dict[str, Any]:
    share = seen.limb_shares[limb]
    facts: dict[str, Any] = {"visible_share": None if share is None else round(share, 4)}
    lost = plan.limbs.get(limb)
    if lost is None:
        return facts | {
            "level": Level.INTACT.value,
            "ajahr_class": 3,
            "geometry": "intact",
            "prosthesis": None,
            "empty_cloth": None,
        }
    rule = level_rule(limb, lost.level)
    facts |= {
        "level": lost.level.value,
        "ajahr_class": rule.ajahr_class,
        "ajahr_label": label_of(limb, rule.ajahr_class),
        "geometry": lost.geometry.value,
        "prosthesis": lost.prosthesis,
        "empty_cloth": stage.empty.get(limb),
        "evidence_share": round(seen.evidence[limb], 4),
    }
    if rule.endpoint is None or rule.anchor is None or rule.upstream is None:
        return facts
    anchor, upstream = (joints[SMPLX_JOINTS.index(name)] for name in (rule.anchor, rule.upstream))
    return facts | {
        "lambda": lost.factor,
        "anchor": rule.anchor,
        "upstream": rule.upstream,
        "endpoint": LDPOSE_NAMES[rule.endpoint],
        "length_m": round((1 - lost.factor) * float(np.linalg.norm(anchor - upstream)), 6),
    }


def _box(mask: np.ndarray) -> list[int]:
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    if not len(rows):
        return [0, 0, 0, 0]
    left, top = int(columns[0]), int(rows[0])
    return [left, top, int(columns[-1]) + 1 - left, int(rows[-1]) + 1 - top]


def _numbers(values: np.ndarray, digits: int = 5) -> list[Any]:
    # Adding zero turns -0.0 into 0.0.
    return (np.round(np.asarray(values, float), digits) + 0.0).tolist()
