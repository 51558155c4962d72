"""What the perspective makes in threads: a limb with its corrections, its girths, the facts of the validity strip."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from limbstudio.domain.anatomy import Limb
from limbstudio.domain.body import LimbFit
from limbstudio.domain.corrections import Corrections
from limbstudio.domain.errors import KnownError
from limbstudio.domain.fitted import KeptFit
from limbstudio.domain.photo import Person
from limbstudio.services.pipeline import body_of, person_mask
from limbstudio.services.studio import facts_of

if TYPE_CHECKING:
    from limbstudio.corrections.limb_surface import LimbSurface
    from limbstudio.corrections.replay import Corrected
    from limbstudio.corrections.validity import ValidityFacts
    from limbstudio.measures.limb_sections import GirthRow
    from limbstudio.ui.limb.work import LimbWork


@dataclass(frozen=True, eq=False)
class Opened:
    """A corrected body, and the girths of the limb in work every 25 mm; none where the limb was not cut."""

    corrected: "Corrected"
    rows: "tuple[GirthRow, ...]" = ()


def opened(corrected: "Corrected", limb: Limb, fitted: LimbFit | None) -> Opened:
    """Take the girths of a limb. fitted: what its intervals are taken from; None for one that a person has edited."""
    from limbstudio.measures.girths import EVERY_M
    from limbstudio.measures.limb_sections import GirthDoubt, girth_rows

    surface = corrected.limbs.get(limb)
    if surface is None:
        return Opened(corrected)
    doubt = None if fitted is None else GirthDoubt.of(fitted)
    return Opened(corrected, girth_rows(surface, corrected.tpose, corrected.faces, doubt, every_m=EVERY_M))


def replayed(person: Person, kept: KeptFit, corrections: tuple[Corrections, ...], limb: Limb) -> "Corrected":
    """Replay a person's corrections with one limb open; slow, for a thread."""
    from limbstudio.corrections import replay

    made = replay.apply(person, kept.fit, body_of_fit(kept), corrections, also_open=(limb,))
    if limb in made.limbs:
        made.limbs[limb].warm()
    return made


def body_of_fit(kept: KeptFit) -> Any:  # noqa: ANN401 - a BodyModel, which is imported only where one is used
    """Return the body that a fit was made with; KnownError where it is not here."""
    name = facts_of(kept).get("body_file")
    body = body_of(Path(name) if name else None)
    if body.name != kept.fit.body_name:
        raise KnownError(
            f"This fit was made with the body “{kept.fit.body_name}”, which is not here.",
            "It can be looked at, not corrected. Fit the person again to correct it.",
        )
    return body


def count_facts(
    work: "LimbWork", corrected: "Corrected", surface: "LimbSurface", *, intersections: int | None = None
) -> "Callable[[], ValidityFacts]":
    """Return what counts a limb's facts, for a thread. intersections: where they are known already."""
    from limbstudio.corrections.validity import validity_facts

    person, kept, photo, folder = work.person, work.kept, work.session.photo, work.session.studio.folder
    assert person is not None
    assert kept is not None
    vertices, faces, camera = corrected.vertices, corrected.faces, kept.fit.camera

    def count() -> "ValidityFacts":
        mask = person_mask(person, photo, folder) if photo is not None and folder is not None else None
        return validity_facts(vertices, faces, surface, mask=mask, camera=camera, intersections=intersections)

    return count
