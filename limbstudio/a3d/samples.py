"""The sample project: a few synthetic people with limb loss, as photos, annotations, masks and truth.

Bodies, clothes and places are our own; poses are motion capture data of the Graphics Lab at Carnegie Mellon
University (mocap.cs.cmu.edu; the database was created with funding from NSF EIA-0196217). No real person is
shown.
"""

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from PIL import Image

from limbstudio.a3d.clothing import Outfit
from limbstudio.a3d.people import PersonPlan, SyntheticPhoto, make_person
from limbstudio.body.kinematics import mirrored_axis_angles, rotation_matrices, rotation_vectors
from limbstudio.body.model import BodyModel, load_body
from limbstudio.domain.anatomy import (
    LDPOSE_EDGES,
    LDPOSE_NAMES,
    SMPLX_JOINTS,
    KeypointState,
    Level,
    Limb,
    Posture,
    Side,
    level_rule,
)
from limbstudio.domain.errors import KnownError

Report = Callable[[float, str], None]
JPEG_QUALITY = 90
LARGEST_BYTES = 250_000
ACKNOWLEDGEMENT = (
    "Poses: mocap.cs.cmu.edu. The database was created with funding from NSF EIA-0196217. "
    "People, clothes and places are synthetic; no real person is shown."
)

PLANS: tuple[PersonPlan, ...] = (
    PersonPlan(
        name="parallel_bars",
        pose=34354,
        place="gym",
        shape=(0.6, -0.3, 0.2, 0.4, 0, 0, 0, 0, 0, 0),
        limbs={Limb.RIGHT_LEG: (Level.TRANSTIBIAL, 0.48)},
        yaw_deg=12.0,
        size_px=(760, 1000),
        focal_px=1150.0,
        outfit=Outfit(
            skin="#B97F5A",
            hair="#2A1E18",
            hair_length=0.3,
            shirt="#B5473C",
            sleeve=0.30,
            trousers="#30343C",
            hem={Side.LEFT: 0.40, Side.RIGHT: 0.40},
            shoes="#DADDE2",
        ),
    ),
    PersonPlan(
        name="chair",
        pose=35528,
        place="living_room",
        shape=(-0.8, 0.5, -0.4, 0.1, 0.3, 0, 0, 0, 0, 0),
        limbs={Limb.LEFT_LEG: (Level.TRANSFEMORAL, 0.36)},
        yaw_deg=-32.0,
        posture=Posture.SITTING,
        size_px=(800, 1000),
        focal_px=1250.0,
        camera_height_m=1.25,
        outfit=Outfit(
            skin="#E3B795",
            hair="#8A8178",
            hair_length=0.9,
            shirt="#5C7F67",
            pattern="checks",
            sleeve=0.92,
            shirt_second="#DCD6C4",
            trousers="#4A4F63",
            hem={Side.LEFT: 0.13, Side.RIGHT: 0.30},
            shoes="#4B3A2C",
        ),
    ),
    PersonPlan(
        name="window",
        pose=33061,
        place="window",
        shape=(0.2, 0.8, 0.5, -0.3, 0, 0.2, 0, 0, 0, 0),
        limbs={Limb.RIGHT_ARM: (Level.TRANSRADIAL, 0.42)},
        yaw_deg=-14.0,
        size_px=(780, 1000),
        focal_px=1100.0,
        camera_height_m=1.5,
        outfit=Outfit(
            skin="#7B4E34",
            hair="#161210",
            hair_length=0.2,
            shirt="#E3B23C",
            pattern="plain",
            sleeve=0.28,
            trousers="#36507A",
            hem={Side.LEFT: 0.96, Side.RIGHT: 0.96},
            shoes="#F0F0EE",
        ),
    ),
    PersonPlan(
        name="park_walk",
        pose=19218,
        place="park",
        shape=(-0.3, -0.9, 0.3, 0.2, -0.2, 0, 0, 0, 0, 0),
        flat_feet=False,
        limbs={Limb.LEFT_ARM: (Level.TRANSHUMERAL, 0.40)},
        yaw_deg=-46.0,
        size_px=(720, 1000),
        focal_px=1400.0,
        camera_height_m=1.45,
        outfit=Outfit(
            skin="#D9A37C",
            hair="#6B4226",
            hair_length=1.0,
            shirt="#E9E6DF",
            pattern="stripes",
            shirt_second="#34557A",
            sleeve=0.20,
            trousers="#6E6450",
            hem={Side.LEFT: 0.5, Side.RIGHT: 0.5},
            shoes="#C9513E",
        ),
    ),
    PersonPlan(
        name="bench",
        pose=35522,
        place="clinic",
        shape=(0.9, 0.6, -0.5, 0, 0, 0, 0, 0, 0, 0),
        limbs={Limb.RIGHT_LEG: (Level.KNEE_DISARTICULATION, 0.0)},
        yaw_deg=24.0,
        posture=Posture.SITTING,
        size_px=(800, 1000),
        focal_px=1200.0,
        camera_height_m=1.15,
        outfit=Outfit(
            skin="#C9926B",
            hair="#1E1A18",
            hair_length=0.3,
            shirt="#2F6F73",
            sleeve=0.33,
            trousers="#1F2A38",
            hem={Side.LEFT: 0.36, Side.RIGHT: 0.30},
            shoes="#8D949C",
        ),
    ),
    PersonPlan(
        name="two_limbs",
        pose=7733,
        place="clinic",
        shape=(0.1, -0.2, 0.9, 0.3, 0, 0, 0, 0, 0, 0),
        limbs={Limb.LEFT_LEG: (Level.TRANSTIBIAL, 0.35), Limb.RIGHT_LEG: (Level.TRANSTIBIAL, 0.62)},
        yaw_deg=-20.0,
        posture=Posture.SITTING,
        size_px=(800, 1000),
        focal_px=1150.0,
        camera_height_m=1.2,
        seat_height_m=0.56,
        outfit=Outfit(
            skin="#5E3B28",
            hair="#121010",
            hair_length=0.6,
            shirt="#8E5EA2",
            sleeve=0.25,
            trousers="#3B3F45",
            hem={Side.LEFT: 0.30, Side.RIGHT: 0.30},
            shoes=None,
        ),
    ),
    PersonPlan(
        name="park_intact",
        pose=18252,
        place="park",
        shape=(0.4, 0.1, -0.8, -0.2, 0, 0, 0, 0, 0, 0),
        yaw_deg=-140.0,
        flat_feet=False,
        size_px=(700, 1000),
        focal_px=1300.0,
        camera_height_m=1.55,
        outfit=Outfit(
            skin="#EBC4A4",
            hair="#B98A4E",
            hair_length=0.7,
            shirt="#4D7FA8",
            sleeve=0.95,
            trousers="#3A3D46",
            hem={Side.LEFT: 0.97, Side.RIGHT: 0.97},
            shoes="#2E2A28",
        ),
    ),
)


def make_samples(
    out: Path,
    poses: Path,
    *,
    seed: int = 7,
    plans: Sequence[PersonPlan] = PLANS,
    body: BodyModel | None = None,
    report: Report = lambda fraction, sentence: None,
) -> None:
    """Draw the sample project into `out`: JPEGs, mask PNGs, annotations.json (COCO-25), truth.json.

    poses: the motion file (`poses.npz` with `body_pose` and `root_orient`). The chosen poses go into
    truth.json, so that nothing but this call needs the motion file. Raises KnownError for a motion file
    without the planned poses.
    """
    body = body or load_body()
    out.mkdir(parents=True, exist_ok=True)
    images: list[dict[str, Any]] = []
    annotations: list[dict[str, Any]] = []
    truths: list[dict[str, Any]] = []
    for i, plan in enumerate(plans):
        report(i / len(plans), f"Drawing {plan.name.replace('_', ' ')}")
        photo = make_person(plan, body, read_pose(poses, plan, body), seed=seed + i)
        _write_jpeg(out / f"{plan.name}.jpg", photo.pixels)
        cv2.imwrite(str(out / f"{plan.name}_mask.png"), photo.mask.astype(np.uint8) * 255)
        width, height = plan.size_px
        images.append({"id": i + 1, "file_name": f"{plan.name}.jpg", "width": width, "height": height})
        annotations.append(_annotation(i + 1, plan, photo))
        truths.append(_truth(i + 1, plan, photo, body))
    info = {
        "description": "LimbStudio sample project: synthetic people with known truth",
        "contributor": ACKNOWLEDGEMENT,
    }
    coco = {"info": info, "images": images, "annotations": annotations, "categories": [_category()]}
    _write_json(out / "annotations.json", coco)
    _write_json(
        out / "truth.json",
        {
            "schema_version": 1,
            "body": body.name,
            "acknowledgement": ACKNOWLEDGEMENT,
            "joint_names": list(SMPLX_JOINTS),
            "people": truths,
        },
    )
    report(1.0, "The sample project is ready")


def read_pose(poses: Path, plan: PersonPlan, body: BodyModel) -> np.ndarray:
    """Read a planned pose as (55, 3) rotation vectors, facing +z, with relaxed fingers."""
    if not poses.is_file():
        raise KnownError(f"The motion file {poses} is not there.", "Name the file poses.npz with --poses.")
    with np.load(poses, allow_pickle=False) as motion:
        if plan.pose >= len(motion["body_pose"]):
            raise KnownError(
                f"The motion file {poses} has no pose {plan.pose}.", "Use the file it was chosen from."
            )
        pose, root = motion["body_pose"][plan.pose], motion["root_orient"][plan.pose]
    axis_angles = np.zeros((len(SMPLX_JOINTS), 3))
    axis_angles[1:22] = pose
    axis_angles[25:] = relaxed_fingers()
    R = rotation_matrices(np.asarray(root, float)[None])[0]
    forward = R[:, 2]
    yaw = np.arctan2(forward[0], forward[2])
    turn = rotation_matrices(np.array([[0.0, -yaw, 0.0]]))[0]
    axis_angles[0] = rotation_vectors((turn @ R)[None])[0]
    if plan.mirrored and body.mirror_joints is not None:
        axis_angles = mirrored_axis_angles(axis_angles, body.mirror_joints)
    return level_feet(axis_angles, body) if plan.flat_feet else axis_angles


def level_feet(axis_angles: np.ndarray, body: BodyModel) -> np.ndarray:
    """Turn both ankles so that the soles lie level, as on a floor; headings are kept."""
    result = np.array(axis_angles, float)
    transforms = body.pose(axis_angles=result).joint_transforms[:, :3, :3].astype(float)
    for side in ("left", "right"):
        knee, ankle, toes = (SMPLX_JOINTS.index(f"{side}_{name}") for name in ("knee", "ankle", "foot"))
        ahead = transforms[ankle][:, 2]
        heading = np.array([[0.0, np.arctan2(ahead[0], ahead[2]), 0.0]])
        result[ankle] = rotation_vectors((transforms[knee].T @ rotation_matrices(heading)[0])[None])[0]
        result[toes] = 0.0
    return result


def relaxed_fingers() -> np.ndarray:
    """Return lightly bent fingers (30, 3), both hands: about the T-pose's z axis, thumbs left as they are."""
    bend = np.zeros((30, 3))
    for side, sign in enumerate((-1.0, 1.0)):
        for finger in range(4):
            for joint, angle in enumerate((0.22, 0.34, 0.22)):
                bend[15 * side + 3 * finger + joint, 2] = sign * angle
    return bend


def _category() -> dict[str, Any]:
    skeleton = [[a + 1, b + 1] for a, b in LDPOSE_EDGES]
    return {
        "id": 1,
        "name": "person",
        "supercategory": "person",
        "keypoints": list(LDPOSE_NAMES),
        "skeleton": skeleton,
    }


def _annotation(number: int, plan: PersonPlan, photo: SyntheticPhoto) -> dict[str, Any]:
    rows, columns = np.flatnonzero(photo.mask.any(1)), np.flatnonzero(photo.mask.any(0))
    left, top = int(columns[0]), int(rows[0])
    box = [left, top, int(columns[-1]) + 1 - left, int(rows[-1]) + 1 - top]
    keypoints: list[float] = []
    for state, (x, y) in zip(photo.truth.states, photo.truth.keypoints_px, strict=True):
        keypoints += (
            [round(float(x), 2), round(float(y), 2), state.coco_v] if state.constrains_fit else [0, 0, 0]
        )
    levels = {limb.value: plan.limbs.get(limb, (Level.INTACT, 0.0))[0].value for limb in Limb}
    return {
        "id": number,
        "image_id": number,
        "category_id": 1,
        "iscrowd": 0,
        "bbox": box,
        "area": int(np.count_nonzero(photo.mask)),
        "segmentation": _polygons(photo.mask),
        "keypoints": keypoints,
        "num_keypoints": sum(s.constrains_fit for s in photo.truth.states),
        "limbstudio": {
            "schema_version": 1,
            "keypoint_state": [state.value for state in photo.truth.states],
            "limb_state": levels,
            "prosthesis": {limb.value: "none" for limb in Limb},
            "posture": plan.posture.value,
            "mask_file": f"{plan.name}_mask.png",
        },
    }


def _polygons(mask: np.ndarray) -> list[list[float]]:
    found, _ = cv2.findContours(mask.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    close = [cv2.approxPolyDP(c, 0.8, True).reshape(-1) for c in found if cv2.contourArea(c) >= 30]
    return [[float(v) for v in polygon] for polygon in close if len(polygon) >= 6]


def _truth(number: int, plan: PersonPlan, photo: SyntheticPhoto, body: BodyModel) -> dict[str, Any]:
    truth = photo.truth
    camera = truth.camera
    limbs = {}
    for limb, (level, factor) in plan.limbs.items():
        rule = level_rule(limb, level)
        assert rule.endpoint is not None and rule.anchor is not None and rule.upstream is not None
        joints = {name: truth.joints[SMPLX_JOINTS.index(name)] for name in (rule.anchor, rule.upstream)}
        length = (1 - factor) * float(np.linalg.norm(joints[rule.anchor] - joints[rule.upstream]))
        limbs[limb.value] = {
            "level": level.value,
            "lambda": factor,
            "anchor": rule.anchor,
            "upstream": rule.upstream,
            "endpoint": _numbers(truth.keypoints[rule.endpoint]),
            "endpoint_px": _numbers(truth.keypoints_px[rule.endpoint], 3),
            "length_m": round(length, 6),
        }
    rest = body.rest_vertices(truth.shape)
    exists = [state is not KeypointState.ABSENT for state in truth.states]
    return {
        "annotation_id": number,
        "image": f"{plan.name}.jpg",
        "place": plan.place,
        "posture": plan.posture.value,
        "camera": {
            "focal_px": camera.focal_px,
            "center_px": list(camera.center_px),
            "size_px": list(camera.size_px),
        },
        "up_camera": _numbers(truth.up),
        "parameters": {
            "orientation": _numbers(truth.orientation),
            "pose": _numbers(truth.pose),
            "shape": _numbers(truth.shape),
            "translation": _numbers(truth.translation),
        },
        "stature_m": round(float(np.ptp(rest[:, 1])), 4),
        "joints": _numbers(truth.joints),
        "keypoints": {
            name: {
                "state": truth.states[i].value,
                "position": _numbers(truth.keypoints[i]),
                "px": _numbers(truth.keypoints_px[i], 3),
            }
            for i, name in enumerate(LDPOSE_NAMES)
            if exists[i]
        },
        "limbs": limbs,
    }


def _numbers(values: np.ndarray, digits: int = 6) -> list[Any]:
    return np.round(np.asarray(values, float), digits).tolist()


def _write_jpeg(path: Path, pixels: np.ndarray) -> None:
    """Write a photo, at the best quality that keeps it small enough to ship."""
    for quality in range(JPEG_QUALITY, 40, -5):
        Image.fromarray(pixels).save(
            path, quality=quality, optimize=True, subsampling=0 if quality > 85 else 2
        )
        if path.stat().st_size <= LARGEST_BYTES:
            return


def _write_json(path: Path, content: dict[str, Any]) -> None:
    text = json.dumps(content, ensure_ascii=False, allow_nan=False)
    text = text.replace('}, {"id"', '},\n{"id"').replace('}, {"annotation_id"', '},\n{"annotation_id"')
    path.write_text(text + "\n", encoding="utf-8")
