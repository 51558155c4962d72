"""Where each of the 25 points lies exactly, what is often taken for it, and what to do where it is hidden."""

from dataclasses import dataclass

from limbstudio.domain.anatomy import LDPOSE
from limbstudio.ui.words import tr


@dataclass(frozen=True)
class Definition:
    """where: the place. beware: what is often taken for it. hidden: where it cannot be seen."""

    where: str
    beware: str
    hidden: str


_JOINT_HIDDEN = "Under clothes or behind something: put it where the joint must be, and mark it occluded."
_KINDS = {
    "nose": Definition(
        "The tip of the nose, where it stands out farthest.",
        "Not its root between the eyes, nor the nostrils.",
        "From behind it is occluded: put it where the tip would be seen through the head.",
    ),
    "eye": Definition(
        "The middle of the eyeball, also when the eye is closed.",
        "Not the inner or outer corner, nor the brow.",
        "Behind dark glasses it is occluded; from behind, put it where it would be seen through the head.",
    ),
    "ear": Definition(
        "The opening of the ear, just behind the small flap in front of it.",
        "Not the lobe, nor the upper rim.",
        "Under hair or a hat it is occluded: level with the eye's outer corner and the nose's tip.",
    ),
    "shoulder": Definition(
        "The centre of the shoulder joint: below the outer end of the collar bone, a thumb's breadth within the arm.",
        "Not the outline of the shoulder, nor a seam of the shirt.",
        _JOINT_HIDDEN,
    ),
    "elbow": Definition(
        "The centre of the elbow joint, midway between its two bony edges.",
        "Not the bony tip behind: on a bent arm that lies outside the joint.",
        _JOINT_HIDDEN,
    ),
    "wrist": Definition(
        "Midway between the two bony bumps where forearm and hand meet.",
        "Not the knuckles, nor the strap of a watch.",
        "In a pocket or glove it is occluded: put it where the hand bends.",
    ),
    "hip": Definition(
        "The centre of the hip joint: in the fold of the groin, a hand's breadth below the hip bone's rim.",
        "Not the waist, nor the outermost point of the hip: the two points are closer together than the outline.",
        _JOINT_HIDDEN,
    ),
    "knee": Definition(
        "The centre of the knee joint, behind the lower half of the kneecap.",
        "Not the front of the kneecap when the knee is seen from the side.",
        _JOINT_HIDDEN,
    ),
    "ankle": Definition(
        "Midway between the two ankle bones, in the middle of the leg.",
        "Not the heel, nor the top of the shoe.",
        "In a boot it is occluded: put it where the foot bends.",
    ),
}
_ENDS = {
    "above_elbow": Definition(
        "The very end of a residual limb that ends in the upper arm, in the middle of its width.",
        "Not the end of a sleeve, liner or prosthesis: the end of the limb itself.",
        "Inside a socket it is occluded: put it where the limb must end, and note how sure you are.",
    ),
    "below_elbow": Definition(
        "The very end of a residual limb that ends in the forearm or at the wrist, in the middle of its width.",
        "Not the end of a sleeve, liner or prosthesis: the end of the limb itself.",
        "Inside a socket it is occluded: put it where the limb must end, and note how sure you are.",
    ),
    "above_knee": Definition(
        "The very end of a residual limb that ends in the thigh or at the knee, in the middle of its width.",
        "Not the end of the socket or liner, and not the artificial knee.",
        "Inside a socket it is occluded: put it where the limb must end, and note how sure you are.",
    ),
    "below_knee": Definition(
        "The very end of a residual limb that ends in the lower leg or at the ankle, in the middle of its width.",
        "Not the end of the socket or liner, and not the artificial foot.",
        "Inside a socket it is occluded: put it where the limb must end, and note how sure you are.",
    ),
}
_SIDES = {
    "left": "Left is the person's own left: on the right of the picture when they face you.",
    "right": "Right is the person's own right: on the left of the picture when they face you.",
}


def definition_of(index: int) -> Definition:
    """Return the definition of a keypoint in the window's language. index: of LDPose-25."""
    name = LDPOSE[index].name
    words = name.split("_")
    found = _ENDS[f"{words[0]}_{words[2]}"] if LDPOSE[index].is_residual_end else _KINDS[words[-1]]
    return Definition(tr(found.where), tr(found.beware), tr(found.hidden))


def side_words(index: int) -> str:
    """Return whose left or right is meant; empty for the nose."""
    side = LDPOSE[index].side
    return "" if side is None else tr(_SIDES[side.value])


def every_sentence() -> tuple[str, ...]:
    """Return all English sentences of the definitions, for the catalogues of words."""
    kinds = (*_KINDS.values(), *_ENDS.values())
    parts = [part for kind in kinds for part in (kind.where, kind.beware, kind.hidden)]
    return tuple(dict.fromkeys((*parts, *_SIDES.values())))
