"""Guided placement: which point is asked for next, as a state machine without a window.

Limb differences come first (the diagram, or a click on a residual limb's end); then the LDPose points that can exist,
in their order, the end in place of the joint that it replaces.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from limbstudio.domain.anatomy import (
    LDPOSE,
    N_COCO,
    KeypointState,
    Level,
    LimbStates,
    impossible_keypoints,
    level_rule,
)
from limbstudio.domain.geometry import Keypoints
from limbstudio.domain.photo import Person

# These take a position: choosing one waits for the click. The others are said and done.
STATES_THAT_WAIT = (KeypointState.OCCLUDED, KeypointState.PROSTHESIS, KeypointState.UNSURE)
STATES_THAT_ADVANCE = (KeypointState.OUT_OF_FRAME, KeypointState.ABSENT, KeypointState.UNLABELLED)


class Phase(StrEnum):
    """Where the guide is. FREE: points are edited in any order; CHECK: every point was asked for."""

    IDLE = "idle"
    LIMBS = "limbs"
    PLACE = "place"
    FREE = "free"
    CHECK = "check"


@dataclass(frozen=True)
class Guide:
    """The guide's state. order: LDPose indices to ask for; at: position in it.

    armed: the state that the next click gives. skipped: points that were left unlabelled on purpose.
    """

    phase: Phase = Phase.IDLE
    order: tuple[int, ...] = ()
    at: int = 0
    armed: KeypointState = KeypointState.VISIBLE
    skipped: frozenset[int] = frozenset()

    @property
    def next_point(self) -> int | None:
        """Return the LDPose index that is asked for now, or None."""
        return self.order[self.at] if self.phase is Phase.PLACE and self.at < len(self.order) else None


def placement_order(limbs: LimbStates) -> tuple[int, ...]:
    """Return the LDPose indices to ask for, in order: residual ends, then 0-16 less what cannot exist."""
    ends = [level_rule(limb, state.level).endpoint for limb, state in limbs.items()]
    impossible = impossible_keypoints(limbs)
    return (*(end for end in ends if end is not None), *(i for i in range(N_COCO) if i not in impossible))


def is_settled(keypoints: Keypoints, index: int) -> bool:
    """Tell whether a point needs no more asking: it has a position or a state that needs none."""
    point = keypoints.points[index]
    if point.state is KeypointState.UNLABELLED:
        return False
    return point.x is not None or point.state in (KeypointState.OUT_OF_FRAME, KeypointState.ABSENT)


def progress(person: Person) -> tuple[int, int]:
    """Return how many of the points that can exist are settled, and how many there are."""
    order = placement_order(person.limbs)
    return sum(is_settled(person.keypoints, index) for index in order), len(order)


def start(person: Person) -> Guide:
    """Begin: ask for limb differences, or resume placing when points are there already."""
    order = placement_order(person.limbs)
    if any(is_settled(person.keypoints, i) for i in order) or any(
        s.level is not Level.INTACT for s in person.limbs.values()
    ):
        return _place_first_open(Guide(order=order), person)
    return Guide(Phase.LIMBS, order)


def limbs_settled(guide: Guide, person: Person) -> Guide:
    """Limb differences were said (a level was set, or Enter: all intact): ask for the first open point."""
    return _place_first_open(replace(guide, order=placement_order(person.limbs)), person)


def limb_state_changed(guide: Guide, person: Person) -> Guide:
    """A limb state changed: the order is made anew; a guide that was asking goes on at the first open point."""
    guide = replace(guide, order=placement_order(person.limbs))
    if guide.phase in (Phase.LIMBS, Phase.PLACE, Phase.CHECK):
        return _place_first_open(guide, person)
    return guide


def arm(guide: Guide, state: KeypointState) -> Guide:
    """A state that takes a position was chosen: the next click gives it."""
    return replace(guide, armed=state)


def placed(guide: Guide, person: Person) -> Guide:
    """The point asked for was placed, or got a state that needs no position: ask for the next."""
    if guide.next_point is None:
        return guide
    return _advance(replace(guide, armed=KeypointState.VISIBLE), person)


def skip(guide: Guide, person: Person) -> Guide:
    """Leave the point asked for unlabelled and ask for the next."""
    asked = guide.next_point
    if asked is None:
        return guide
    return placed(replace(guide, skipped=guide.skipped | {asked}), person)


def synced(guide: Guide, person: Person, *, undone: bool = False) -> Guide:
    """Follow a change of the person that the guide did not make itself: an undo, a point moved, another window.

    undone: go back to the first open point, so that what was undone is asked for again.
    """
    guide = replace(guide, order=placement_order(person.limbs))
    if guide.phase not in (Phase.PLACE, Phase.CHECK):
        return guide
    asked = guide.next_point
    if undone or asked is None or is_settled(person.keypoints, asked):
        return _place_first_open(guide, person)
    return guide


def step_back(guide: Guide) -> tuple[Guide, int | None]:
    """Ask for the previous point again. Returns the guide and the point to be undone, None at the beginning."""
    if guide.phase is Phase.CHECK and guide.order:
        at = len(guide.order) - 1
    elif guide.phase is Phase.PLACE and guide.at > 0:
        at = guide.at - 1
    else:
        return guide, None
    index = guide.order[at]
    back = replace(
        guide, phase=Phase.PLACE, at=at, armed=KeypointState.VISIBLE, skipped=guide.skipped - {index}
    )
    return back, index


def leave(guide: Guide) -> Guide:
    """Edit freely; the guide can be resumed."""
    return replace(guide, phase=Phase.FREE)


def resume(guide: Guide, person: Person) -> Guide:
    """Go on with the first open point; points that were skipped are asked for again."""
    if guide.phase is Phase.IDLE:
        return start(person)
    return _place_first_open(replace(guide, order=placement_order(person.limbs), skipped=frozenset()), person)


def go_to(guide: Guide, index: int) -> Guide:
    """Ask for the point `index` now, if it is one that can exist."""
    if index not in guide.order:
        return guide
    return replace(guide, phase=Phase.PLACE, at=guide.order.index(index), armed=KeypointState.VISIBLE)


def neighbour(person: Person, selected: int | None, step: int) -> int | None:
    """Return the point before (step -1) or after (+1) `selected` in the order of asking, going round."""
    order = placement_order(person.limbs)
    if not order:
        return None
    if selected not in order:
        return order[0 if step > 0 else -1]
    return order[(order.index(selected) + step) % len(order)]


def predicted_position(person: Person, index: int) -> tuple[float, float] | None:
    """Guess where a point will be clicked, from its mirror twin and the points it hangs on; None without a clue.

    The guess only says where the hint must not lie and where the eye may look; it is never stored.
    """
    points = person.keypoints.points
    definition = LDPOSE[index]
    hidden = points[index]
    if hidden.x is not None and hidden.y is not None:
        return hidden.x, hidden.y
    twin = points[definition.swap]
    parent = _PARENT.get(index)
    if parent is None:
        return None
    own, other = points[parent], points[LDPOSE[parent].swap]
    if None in (own.x, own.y, other.x, other.y, twin.x, twin.y) or definition.swap == index:
        return None
    assert own.x is not None and own.y is not None and other.x is not None and other.y is not None
    assert twin.x is not None and twin.y is not None
    return own.x - (twin.x - other.x), own.y + (twin.y - other.y)


# The joint each point hangs on, for the guess above.
_PARENT = {3: 1, 4: 2, 7: 5, 8: 6, 9: 7, 10: 8, 13: 11, 14: 12, 15: 13, 16: 14, 17: 5, 18: 6, 19: 7, 20: 8}
_PARENT |= {21: 11, 22: 12, 23: 13, 24: 14}


def _place_first_open(guide: Guide, person: Person) -> Guide:
    for at, index in enumerate(guide.order):
        if index not in guide.skipped and not is_settled(person.keypoints, index):
            return replace(guide, phase=Phase.PLACE, at=at, armed=KeypointState.VISIBLE)
    return replace(guide, phase=Phase.CHECK, at=len(guide.order))


def _advance(guide: Guide, person: Person) -> Guide:
    """Ask for the next open point after the one asked for, then for earlier ones that were never asked for."""
    for at in range(guide.at + 1, len(guide.order)):
        index = guide.order[at]
        if index not in guide.skipped and not is_settled(person.keypoints, index):
            return replace(guide, at=at)
    return _place_first_open(guide, person)


_SENTENCES = {
    "nose": "The tip of the nose.",
    "eye": "The middle of the eyeball.",
    "ear": "The opening of the ear.",
    "shoulder": "The centre of the shoulder joint, a hand's breadth below the top edge.",
    "elbow": "The centre of the joint, midway between the two bony edges.",
    "wrist": "Midway between the two bony bumps of the wrist.",
    "hip": "The centre of the hip joint, in the fold of the groin.",
    "knee": "The centre of the joint, behind the kneecap.",
    "ankle": "Midway between the two ankle bones.",
    "end": "The very end of the residual limb, in the middle of its width.",
}


def definition_of(index: int) -> str:
    """Return where a keypoint lies, in one sentence."""
    return _SENTENCES[definition_kind(index)]


def definition_kind(index: int) -> str:
    """Return what a keypoint's definition is shared by: 'knee' for both knees, 'end' for residual ends."""
    return "end" if LDPOSE[index].is_residual_end else LDPOSE[index].name.rsplit("_", 1)[-1]


def unplaced(person: Person) -> Sequence[int]:
    """List the points that can exist and are not settled."""
    return [i for i in placement_order(person.limbs) if not is_settled(person.keypoints, i)]
