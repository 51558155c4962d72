"""Edits: the one way in which a project changes.

A `Change` says what a record was and what it becomes; an `Edit` is a labelled set of them. Edits are pure values:
`limbstudio.services.history` applies them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from limbstudio.domain.anatomy import (
    LDPOSE,
    LDPOSE_INDEX,
    Contradiction,
    KeypointState,
    Level,
    Limb,
    LimbState,
    contradictions,
    level_rule,
    limb_ends,
    limb_joints,
)
from limbstudio.domain.geometry import Box, Keypoints, Point
from limbstudio.domain.photo import Person

# A record's key: (kind, id), for example ("person", "3").
Key = tuple[str, str]


@dataclass(frozen=True)
class Change:
    """One record before and after. None: the record does not exist."""

    key: Key
    before: Any | None
    after: Any | None

    @property
    def inverse(self) -> "Change":
        return Change(self.key, self.after, self.before)


@dataclass(frozen=True)
class Edit:
    """A labelled set of changes that is done and undone as one.

    merge_key: edits with the same key that follow each other are one undo (typing a number). photo: the photo it
    concerns, so that undo can be limited to the photo in view. human: False for machine results and imports.
    """

    label: str
    changes: tuple[Change, ...]
    merge_key: str | None = None
    photo: str | None = None
    human: bool = True

    @property
    def inverse(self) -> "Edit":
        return Edit(
            self.label, tuple(c.inverse for c in reversed(self.changes)), None, self.photo, self.human
        )


def change_person(before: Person, after: Person, label: str, merge_key: str | None = None) -> Edit:
    """Make the edit that replaces one person's record."""
    return Edit(label, (Change(("person", before.id), before, after),), merge_key, before.photo)


def add_person(person: Person) -> Edit:
    return Edit("Add person", (Change(("person", person.id), None, person),), None, person.photo)


def delete_person(person: Person) -> Edit:
    return Edit("Delete person", (Change(("person", person.id), person, None),), None, person.photo)


def place_point(person: Person, index: int, x: float, y: float, state: KeypointState | None = None) -> Edit:
    """Place or move keypoint `index` to (x, y) pixels.

    state: the new state; by default a visible or occluded point keeps its own and any other becomes visible. A
    residual end that is placed on a limb still said to be intact or unsure proposes the level of its name.
    """
    old = person.keypoints.points[index]
    if state is None:
        state = old.state if old.state.constrains_fit else KeypointState.VISIBLE
    verb = "Move" if old.x is not None else "Place"
    after = replace(person, keypoints=person.keypoints.replaced(index, replace(old, state=state, x=x, y=y)))
    definition = LDPOSE[index]
    if definition.is_residual_end and definition.limb is not None:
        rule = level_rule(definition.limb, person.limbs[definition.limb].level)
        if rule.endpoint != index:
            after = _with_level(after, definition.limb, _level_for_end(definition.limb, index))
    return change_person(person, after, f"{verb} {definition.label.lower()}")


def _level_for_end(limb: Limb, index: int) -> Level:
    above = LDPOSE[index].name.startswith("above")
    if limb.is_arm:
        return Level.TRANSHUMERAL if above else Level.TRANSRADIAL
    return Level.TRANSFEMORAL if above else Level.TRANSTIBIAL


def set_point_state(person: Person, index: int, state: KeypointState) -> Edit:
    """Set the state of keypoint `index`; its position is kept, hidden where the state carries none."""
    old = person.keypoints.points[index]
    keypoints = person.keypoints.replaced(index, replace(old, state=state))
    words = state.value.replace("_", " ")
    return change_person(person, replace(person, keypoints=keypoints), f"{LDPOSE[index].label}: {words}")


def proposed_levels(person: Person) -> tuple[tuple[Limb, Level], ...]:
    """Return the levels that joints marked absent speak for, where the limb's level allows those joints.

    The most proximal joint of a limb that is absent counts. Nothing is proposed that is not more than what the
    limb's level says already.
    """
    found = []
    for limb in Limb:
        level = person.limbs[limb].level
        allowed = set(range(len(LDPOSE))) - level_rule(limb, level).absent
        for name, proposed in zip(limb_joints(limb), _levels_by_joint(limb), strict=True):
            index = LDPOSE_INDEX[name]
            if index in allowed and person.keypoints.points[index].state is KeypointState.ABSENT:
                if proposed is not level:
                    found.append((limb, proposed))
                break
    return tuple(found)


def _levels_by_joint(limb: Limb) -> tuple[Level, Level, Level]:
    """Return the level that an absent shoulder, elbow and wrist, or hip, knee and ankle, speak for."""
    if limb.is_arm:
        return Level.SHOULDER_DISARTICULATION, Level.TRANSHUMERAL, Level.TRANSRADIAL
    return Level.HIP_DISARTICULATION, Level.TRANSFEMORAL, Level.TRANSTIBIAL


def distal_points(index: int) -> tuple[int, ...]:
    """Return keypoint `index` and all keypoints of its limb that move with it, from proximal to distal."""
    limb = LDPOSE[index].limb
    if limb is None or LDPOSE[index].is_residual_end:
        return (index,)
    joints = [LDPOSE_INDEX[name] for name in limb_joints(limb)]
    place = joints.index(index)
    above_end, below_end = limb_ends(limb)
    ends = ((above_end, below_end), (below_end,), ())[place]
    return (*joints[place:], *ends)


def move_points(person: Person, places: Mapping[int, tuple[float, float]]) -> Edit:
    """Move several keypoints to (x, y) pixels at once; their states stay."""
    keypoints = person.keypoints
    for index, (x, y) in places.items():
        keypoints = keypoints.replaced(index, replace(keypoints.points[index], x=x, y=y))
    first = LDPOSE[next(iter(places))].label.lower()
    label = f"Move {first}" + (" and what follows it" if len(places) > 1 else "")
    return change_person(person, replace(person, keypoints=keypoints), label)


def set_box(person: Person, box: Box) -> Edit:
    return change_person(person, replace(person, box=box), "Draw the person's box")


def clear_point(person: Person, index: int) -> Edit:
    """Take keypoint `index` away: unlabelled, no position."""
    keypoints = person.keypoints.replaced(index, Point())
    return change_person(person, replace(person, keypoints=keypoints), f"Clear {LDPOSE[index].label.lower()}")


def set_limb_level(person: Person, limb: Limb, level: Level) -> Edit:
    """Set a limb's level: points it rules out become absent (positions hidden), points it allows come back."""
    label = f"{limb.value.replace('_', ' ').capitalize()}: {level.label.lower()}"
    return change_person(person, _with_level(person, limb, level), label)


def set_limb_state(person: Person, limb: Limb, state: LimbState) -> Edit:
    """Set cause, certainty and device (and level) of one limb."""
    after = _with_level(person, limb, state.level)
    after = replace(after, limbs={**after.limbs, limb: state})
    return change_person(
        person, after, f"{limb.value.replace('_', ' ').capitalize()}: {state.level.label.lower()}"
    )


def _with_level(person: Person, limb: Limb, level: Level) -> Person:
    was, now = level_rule(limb, person.limbs[limb].level).absent, level_rule(limb, level).absent
    points = list(person.keypoints.points)
    for index in now:
        keeps = points[index].state is KeypointState.PROSTHESIS
        points[index] = points[index] if keeps else replace(points[index], state=KeypointState.ABSENT)
    for index in was - now:
        point = points[index]
        if point.state is KeypointState.ABSENT:
            back = KeypointState.UNLABELLED if point.x is None else KeypointState.VISIBLE
            points[index] = replace(point, state=back)
    limbs = {**person.limbs, limb: replace(person.limbs[limb], level=level)}
    return replace(person, keypoints=Keypoints(tuple(points)), limbs=limbs)


def swap_sides(person: Person, limb: Limb | None = None) -> Edit:
    """Swap left and right of one limb pair, or of the whole body when `limb` is None. Limb states go along."""
    points = list(person.keypoints.points)
    limbs = dict(person.limbs)
    pair = set(Limb) if limb is None else {limb, limb.opposite}
    swapped = [k.index for k in LDPOSE if (k.limb in pair) or (limb is None and k.limb is None)]
    for index in swapped:
        points[index] = person.keypoints.points[LDPOSE[index].swap]
    for member in pair:
        limbs[member] = person.limbs[member.opposite]
    after = replace(person, keypoints=Keypoints(tuple(points)), limbs=limbs)
    name = "body" if limb is None else limb.value.split("_")[1] + "s"
    return change_person(person, after, f"Swap left and right of the {name}")


def mend(person: Person, found: Sequence[Contradiction]) -> Edit:
    """Mark every contradictory point absent; its position is kept, hidden."""
    keypoints = person.keypoints
    for item in found:
        old = keypoints.points[item.keypoint]
        keypoints = keypoints.replaced(item.keypoint, replace(old, state=KeypointState.ABSENT))
    return change_person(person, replace(person, keypoints=keypoints), "Mend contradictory points")


def person_contradictions(person: Person) -> tuple[Contradiction, ...]:
    return contradictions(person.keypoints.states, person.limbs)
