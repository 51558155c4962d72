"""How other programs spell the names of keypoints."""

import re

_SIDES = {"l": "left", "r": "right", "left": "left", "right": "right"}


def plain_name(name: object) -> str:
    """Return a keypoint's name as LDPose-25 writes it; other files' spellings are read, never written."""
    plain = re.sub(r"[\s\-.]+", "_", str(name).strip().lower())
    plain = re.sub(r"^([lr])_", lambda m: {"l": "left_", "r": "right_"}[m[1]], plain)
    plain = re.sub(r"^([a-z]+)_(left|right|l|r)$", lambda m: f"{_SIDES[m[2]]}_{m[1]}", plain)
    plain = re.sub(
        r"^(above|below)_(left|right)_(elbow|knee)_res(?:idual)?(?:_end)?$", r"\1_\2_\3_end", plain
    )
    plain = re.sub(r"^(left|right)_(above|below)_(elbow|knee)(?:_end|_res)$", r"\2_\1_\3_end", plain)
    residual = re.fullmatch(
        r"(?:(left|right)_residual|residual_(left|right))_(elbow|wrist|knee|ankle)", plain
    )
    if residual:
        # The data set's site calls the above-elbow end “residual elbow” and the below-elbow one “residual wrist”.
        side, joint = residual[1] or residual[2], residual[3]
        place = "above" if joint in ("elbow", "knee") else "below"
        plain = f"{place}_{side}_{'elbow' if joint in ('elbow', 'wrist') else 'knee'}_end"
    return plain
