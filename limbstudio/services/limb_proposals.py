"""Proposals of limb states for annotated people in photos: computed, told, and written nowhere."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from limbstudio.ajahr.proposals import UNSURE_BELOW, LimbProposals
from limbstudio.domain.errors import KnownError
from limbstudio.formats.annotated import AnnotatedPerson
from limbstudio.formats.coco import read_annotations
from limbstudio.formats.placing import placed_on
from limbstudio.images import open_photo
from limbstudio.services.reconstructing import plan


@dataclass(frozen=True)
class ProposedPerson:
    """One person, or a photo that was refused as a whole (annotation None): proposals, or why there are none."""

    photo: str
    annotation: str | None
    proposals: LimbProposals | None = None
    error: KnownError | None = None

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
    return ProposedPerson(path.name, annotation, found)
