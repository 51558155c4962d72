"""Edits of whole people: two halves merged, points given to another person, a person copied to another photo."""

from collections.abc import Collection
from dataclasses import replace

from limbstudio.domain.anatomy import LDPOSE, Cause, Device, KeypointState, Level, Limb, LimbState
from limbstudio.domain.edits import Change, Edit, change_person
from limbstudio.domain.geometry import Box, Keypoints, Point
from limbstudio.domain.photo import Person, Photo


def merge_people(kept: Person, other: Person) -> Edit:
    """Make one person of two halves: what `kept` says counts, `other` fills what is not said, and goes.

    A limb that `kept` has as intact or unsure takes the other's record where that says more. The box is that around
    both. Raise ValueError for people of different photos, or for one and the same.
    """
    if kept.photo != other.photo or kept.id == other.id:
        raise ValueError("Two people of one photo are merged.")
    points = tuple(
        theirs if mine.state is KeypointState.UNLABELLED and mine.x is None else mine
        for mine, theirs in zip(kept.keypoints.points, other.keypoints.points, strict=True)
    )
    limbs = {limb: _fuller(state, other.limbs[limb]) for limb, state in kept.limbs.items()}
    after = replace(
        kept,
        keypoints=Keypoints(points),
        limbs=limbs,
        box=_around(kept.box, other.box),
        stature_mm=kept.stature_mm or other.stature_mm,
        focal_px=kept.focal_px or other.focal_px,
        mask_file=kept.mask_file or other.mask_file,
        polygons=(*kept.polygons, *other.polygons),
        holes=(*kept.holes, *other.holes),
        notes="\n".join(note for note in (kept.notes, other.notes) if note),
    )
    changes = (Change(("person", kept.id), kept, after), Change(("person", other.id), other, None))
    return Edit("Merge two people", changes, None, kept.photo)


def _fuller(mine: LimbState, theirs: LimbState) -> LimbState:
    vague = (Level.INTACT, Level.UNSURE)
    return theirs if mine.level in vague and theirs.level not in vague else mine


def _around(one: Box | None, other: Box | None) -> Box | None:
    if one is None or other is None:
        return one or other
    x, y = min(one.x, other.x), min(one.y, other.y)
    right = max(one.x + one.width, other.x + other.width)
    bottom = max(one.y + one.height, other.y + other.height)
    return Box(x, y, right - x, bottom - y)


def reassign_points(person: Person, to: Person, indices: Collection[int]) -> Edit:
    """Give keypoints to another person of the photo; what that one had there comes back in exchange."""
    if person.photo != to.photo or person.id == to.id:
        raise ValueError("Points are exchanged between two people of one photo.")
    mine, theirs = person.keypoints, to.keypoints
    for index in indices:
        mine, theirs = (
            mine.replaced(index, to.keypoints.points[index]),
            theirs.replaced(index, person.keypoints.points[index]),
        )
    names = ", ".join(LDPOSE[i].label.lower() for i in sorted(indices)[:3])
    more = " and more" if len(indices) > 3 else ""
    changes = (
        Change(("person", person.id), person, replace(person, keypoints=mine)),
        Change(("person", to.id), to, replace(to, keypoints=theirs)),
    )
    return Edit(f"Give {names}{more} to another person", changes, None, person.photo)


def copied_person(person: Person, source: Photo, target: Photo, identity: str) -> Person:
    """Return the person as somebody in another photo: same points in the same part of the picture, no mask.

    Positions scale with the photo's width and height. Copied work is human work: somebody chose to copy it.
    """
    across, down = target.width / source.width, target.height / source.height

    def moved(point: Point) -> Point:
        if point.x is None or point.y is None:
            return point
        return replace(point, x=(point.x + 0.5) * across - 0.5, y=(point.y + 0.5) * down - 0.5)

    box = person.box
    if box is not None:
        box = Box(
            (box.x + 0.5) * across - 0.5, (box.y + 0.5) * down - 0.5, box.width * across, box.height * down
        )
    return Person(
        identity,
        target.sha256,
        Keypoints(tuple(moved(p) for p in person.keypoints.points)),
        person.limbs,
        box,
        person.posture,
        person.stature_mm,
        notes=person.notes,
    )


def paste_person(person: Person) -> Edit:
    """Add a copied person."""
    return Edit("Copy a person here", (Change(("person", person.id), None, person),), None, person.photo)


def set_confidence(person: Person, index: int, confidence: float) -> Edit:
    """Set how sure the annotator is of one point, 0 to 1; typing is one undo."""
    if not 0 <= confidence <= 1:
        raise ValueError("A confidence lies between 0 and 1.")
    point = replace(person.keypoints.points[index], confidence=confidence)
    after = replace(person, keypoints=person.keypoints.replaced(index, point))
    words = f"{LDPOSE[index].label}: {100 * confidence:.0f} % sure"
    return change_person(person, after, words, f"confidence {person.id} {index}")


def set_person_note(person: Person, text: str) -> Edit:
    """Set the note on a person."""
    return change_person(person, replace(person, notes=text), "Note on the person", f"note {person.id}")


def set_cause(person: Person, limb: Limb, cause: Cause) -> Edit:
    """Say whether a limb difference is acquired or congenital."""
    return _change_limb(person, limb, replace(person.limbs[limb], cause=cause), cause.value)


def set_certainty(person: Person, limb: Limb, certain: bool) -> Edit:
    """Say whether the annotator is sure of the limb's record."""
    state = replace(person.limbs[limb], certain=certain)
    return _change_limb(person, limb, state, "sure" if certain else "not sure")


DEVICE_WORDS = {
    Device.NONE: "no prosthesis",
    Device.WORN: "prosthesis worn",
    Device.BESIDE: "prosthesis beside",
    Device.UNKNOWN: "prosthesis not known",
}


def set_device(person: Person, limb: Limb, device: Device) -> Edit:
    """Say whether a prosthesis is worn or lies beside the person."""
    return _change_limb(person, limb, replace(person.limbs[limb], device=device), DEVICE_WORDS[device])


def _change_limb(person: Person, limb: Limb, state: LimbState, words: str) -> Edit:
    after = replace(person, limbs={**person.limbs, limb: state})
    return change_person(person, after, f"{limb.value.replace('_', ' ').capitalize()}: {words}")
