"""Proposals of limb states: for annotated people in files, and those that a project keeps beside its people."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from limbstudio.domain.anatomy import N_COCO, Level, Limb
from limbstudio.domain.edits import Change
from limbstudio.domain.errors import KnownError
from limbstudio.domain.limb_proposals import UNSURE_BELOW, LimbProposals, ProposedLimbs
from limbstudio.domain.photo import Person
from limbstudio.domain.project import Project
from limbstudio.formats.annotated import AnnotatedPerson
from limbstudio.formats.coco import read_annotations
from limbstudio.formats.placing import placed_on
from limbstudio.images import open_photo
from limbstudio.services import records
from limbstudio.services.reconstructing import plan

if TYPE_CHECKING:
    from limbstudio.ajahr.limb_crop import Pixels


@dataclass(frozen=True)
class ProposedPerson:
    """One person, or a photo that was refused as a whole (annotation None): proposals, or why there are none.

    agrees: of limbs whose state is annotated, whether the proposal is the same; it was not told.
    """

    photo: str
    annotation: str | None
    proposals: LimbProposals | None = None
    error: KnownError | None = None
    agrees: Mapping[Limb, bool] = field(default_factory=dict)

    @property
    def lines(self) -> list[str]:
        """Return it for people."""
        who = self.photo if self.annotation is None else f"{self.photo}, person {self.annotation}"
        if self.proposals is None:
            why = "" if self.error is None else f"{self.error.message} {self.error.hint}"
            return [f"{who}: refused. {why}".rstrip()]
        return [who, *(f"  {proposal.text}" for proposal in self.proposals)]

    def as_plain(self) -> dict[str, Any]:
        """Return it for scripts."""
        plain: dict[str, Any] = {"photo": self.photo, "annotation": self.annotation}
        if self.error is not None:
            plain |= {"message": self.error.message, "hint": self.error.hint}
        if self.agrees:
            plain["agrees"] = {limb.value: same for limb, same in self.agrees.items()}
        return plain | {"limbs": None if self.proposals is None else self.proposals.as_plain()}


def propose_limbs(
    photos: Sequence[Path],
    annotations: Path,
    *,
    weights: Path | None = None,
    threshold: float = UNSURE_BELOW,
) -> list[ProposedPerson]:
    """Propose the limb states of every annotated person; who cannot be told of is answered with the reason.

    weights: a file of `train bpac`, None for the one that ships. Raise KnownError, before anything else, where there
    are no weights, the annotations cannot be read, or the threshold is no share.
    """
    from limbstudio.ajahr.predict_limbs import classifier  # torch takes two seconds to load

    if not 0 <= threshold <= 1:
        raise KnownError(f"{threshold} is no threshold of probabilities.", "Choose one from 0 to 1.")
    network = classifier(weights)
    tasks, refused = plan(photos, read_annotations(annotations), Path())
    rows = [ProposedPerson(o.photo, o.annotation, error=KnownError(o.message, o.hint)) for o in refused]
    return rows + [_proposed(network, task.photo, task.annotated, threshold) for task in tasks]


def _proposed(network: Any, path: Path, annotated: AnnotatedPerson, threshold: float) -> ProposedPerson:
    from limbstudio.ajahr.predict_limbs import propose

    annotation = str(annotated.annotation_id)
    try:
        photo = open_photo(path)
        person = placed_on(annotated, photo).person
        (found,) = propose(network, [(photo.pixels, person)], threshold=threshold)
    except KnownError as error:
        return ProposedPerson(path.name, annotation, error=error)
    told = {limb: state for limb, state in person.limbs.items() if state.level is not Level.UNSURE}
    agrees = (
        {limb: found[limb].agrees_with(state) for limb, state in told.items()} if annotated.has_block else {}
    )
    return ProposedPerson(path.name, annotation, found, agrees=agrees)


def agreement(people: Iterable[ProposedPerson]) -> tuple[int, int]:
    """Return how many proposals are as annotated, and of how many limbs a state is annotated."""
    compared = [same for person in people for same in person.agrees.values()]
    return sum(compared), len(compared)


# ---------------------------------------------------------------------------------------------- kept in a project


def what_is_read(person: Person) -> str:
    """Return a hash of all that the classifier reads of a person beside the photo: COCO's points, and the box."""
    points = [(point.x, point.y, point.confidence) for point in person.keypoints.points[:N_COCO]]
    box = None if person.box is None else records.to_plain(person.box)
    return records.digest(records.canonical([person.photo, points, box]))


def kept_proposals(project: Project, person_id: str) -> ProposedLimbs | None:
    """Return what was proposed of a person's limbs, None where nobody asked."""
    return project.records.get(("limb_proposals", person_id))


def keep_proposals(project: Project, found: ProposedLimbs) -> tuple[Change, ...]:
    """Return the change that keeps proposals in place of earlier ones; none where they are the same."""
    before = kept_proposals(project, found.person)
    return () if before == found else (Change(("limb_proposals", found.person), before, found),)


def propose_for(person: Person, pixels: "Pixels") -> ProposedLimbs:
    """Ask the classifier that ships of one person; KnownError as of `predict_limbs`. pixels: of the photo.

    Loads torch: call it in a worker.
    """
    from limbstudio.ajahr.predict_limbs import predict_limbs, shipped_weights
    from limbstudio.services.pipeline import file_hash

    found = predict_limbs(pixels, person)
    return as_kept(person, found, file_hash(shipped_weights())[:12])


def as_kept(person: Person, found: LimbProposals, by: str) -> ProposedLimbs:
    """Return proposals of a person's limbs as a project keeps them. by: names the weights that made them."""
    return ProposedLimbs(
        person.id,
        person.photo,
        {proposal.limb: tuple(round(p, 6) for p in proposal.probabilities) for proposal in found},
        what_is_read(person),
        by,
    )
