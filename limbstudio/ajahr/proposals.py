"""What the limb classifier proposes of a person's limbs: a proposal, never in place of what a human said."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from limbstudio.ajahr.build import INTACT_CLASS
from limbstudio.domain.anatomy import Limb

# Where the two likeliest classes are less apart than this, nobody should rely on the likelier one.
UNSURE_BELOW = 0.2
_ENDS = {
    True: ("ends below the elbow", "ends at or above the elbow", "ends at the shoulder", "is intact"),
    False: ("ends below the knee", "ends at or above the knee", "ends at the hip", "is intact"),
}


@dataclass(frozen=True)
class LimbProposal:
    """One limb. probabilities: of AJAHR's classes 0 to 3, calibrated. threshold: see `unsure`."""

    limb: Limb
    probabilities: tuple[float, float, float, float]
    threshold: float = UNSURE_BELOW

    @property
    def ajahr_class(self) -> int:
        """Return the likeliest class; of two alike the less proximal loss."""
        return max(range(len(self.probabilities)), key=lambda c: (self.probabilities[c], -c))

    @property
    def probability(self) -> float:
        """Return the likeliest class's probability."""
        return self.probabilities[self.ajahr_class]

    @property
    def intact(self) -> bool:
        return self.ajahr_class == INTACT_CLASS

    @property
    def unsure(self) -> bool:
        """Tell whether the two likeliest classes are nearer to each other than the threshold."""
        best, second = sorted(self.probabilities, reverse=True)[:2]
        return best - second < self.threshold

    @property
    def text(self) -> str:
        """Return the proposal in words."""
        name = self.limb.value.replace("_", " ").capitalize()
        sure = ", unsure" if self.unsure else ""
        return f"{name} {_ENDS[self.limb.is_arm][self.ajahr_class]} ({100 * self.probability:.0f} %{sure})"

    def as_plain(self) -> dict[str, Any]:
        """Return it for scripts."""
        return {
            "ajahr_class": self.ajahr_class,
            "probability": round(self.probability, 4),
            "probabilities": [round(p, 4) for p in self.probabilities],
            "unsure": self.unsure,
        }


@dataclass(frozen=True)
class LimbProposals:
    """The proposals of one person's four limbs."""

    limbs: Mapping[Limb, LimbProposal]

    def __getitem__(self, limb: Limb) -> LimbProposal:
        return self.limbs[limb]

    def __iter__(self) -> Iterator[LimbProposal]:
        return (self.limbs[limb] for limb in Limb)

    def as_plain(self) -> dict[str, Any]:
        """Return them for scripts, by the limbs' names."""
        return {proposal.limb.value: proposal.as_plain() for proposal in self}
