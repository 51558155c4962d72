"""Where people's heads are in a photo, from what is known of them, and so what of it has to be blurred."""

import math
from collections.abc import Sequence

from limbstudio.domain.anatomy import LDPOSE_INDEX, Posture
from limbstudio.domain.geometry import Box
from limbstudio.domain.photo import Person
from limbstudio.ui.canvas.veil import Patch, Veil

_FACE = tuple(LDPOSE_INDEX[n] for n in ("nose", "left_eye", "right_eye", "left_ear", "right_ear"))
# Half a head with room for hair, about 17 cm, over usual distances of an adult: between the points of a face, ...
_PER_DISTANCE = {
    ("left_ear", "right_ear"): 1.15,
    ("left_eye", "right_eye"): 2.7,
    ("nose", "left_ear"): 1.5,
    ("nose", "right_ear"): 1.5,
    ("nose", "left_eye"): 3.8,
    ("nose", "right_eye"): 3.8,
    ("left_eye", "left_ear"): 1.7,
    ("right_eye", "right_ear"): 1.7,
    ("left_shoulder", "right_shoulder"): 0.5,
    ("left_shoulder", "left_hip"): 0.36,
    ("right_shoulder", "right_hip"): 0.36,
}
_PER_BOX_HEIGHT = 0.11
_MARGIN = 1.15
_TOP_OF_BOX = 0.3
_UPRIGHT = 1.2  # a box so much taller than wide is of somebody whose head is above


def veil_of(people: Sequence[Person], size: tuple[int, int], *, nobody: bool = False) -> Veil | None:
    """Return what of a photo is blurred: the heads, or everything while one is not known.

    size: the photo's width and height. nobody: that there is no person was confirmed, and nothing is blurred.
    """
    if nobody and not people:
        return None
    heads = [head_of(person, size) for person in people]
    known = [head for head in heads if head is not None]
    if not known or len(known) < len(heads):
        return Veil((Patch(-0.5, -0.5, size[0], size[1], is_round=False),), whole=True)
    return Veil(tuple(known))


def head_of(person: Person, size: tuple[int, int]) -> Patch | None:
    """Return where a person's head is, with room around it: from the face's points, else the top of their box."""
    points = person.keypoints.points
    places = {n: (p.x, p.y) for n, p in enumerate(points) if p.x is not None and p.y is not None}
    face = [places[index] for index in _FACE if index in places]
    if not face:
        return None if person.box is None else _top_of(person.box, person.posture)
    x = sum(at[0] for at in face) / len(face)
    y = sum(at[1] for at in face) / len(face)
    reaches = [
        share * math.dist(places[LDPOSE_INDEX[a]], places[LDPOSE_INDEX[b]])
        for (a, b), share in _PER_DISTANCE.items()
        if LDPOSE_INDEX[a] in places and LDPOSE_INDEX[b] in places
    ]
    if person.box is not None:
        reaches.append(_PER_BOX_HEIGHT * person.box.height)
    reach = _MARGIN * (max(reaches) if reaches else 0.15 * max(size))
    return Patch(x - reach, y - reach, 2 * reach, 2 * reach)


def _top_of(box: Box, posture: Posture) -> Patch:
    """Return the part of a box where the head is; all of it where somebody lies or may."""
    lies = posture is Posture.LYING or box.height < _UPRIGHT * box.width
    return Patch(box.x, box.y, box.width, box.height * (1.0 if lies else _TOP_OF_BOX), is_round=False)
