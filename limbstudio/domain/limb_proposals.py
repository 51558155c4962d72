"""What the limb classifier proposes of a person's limbs: a proposal, never in place of what a human said."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from limbstudio.domain.anatomy import Level, Limb, LimbState, level_rule, levels_of

# How names of results begin that a user's copy of AJAHR's released weights made, whose BPAC-Net is not calibrated.
RELEASED = "AJAHR, released weights"
# AJAHR's class of a limb that lacks nothing.
INTACT_CLASS = 3
# Where the two likeliest classes are less apart than this, nobody should rely on the likelier one: of held-out
# synthetic limbs that are further apart nine in ten are told right.
UNSURE_BELOW = 0.4
_ENDS = {
    True: ("ends below the elbow", "ends at or above the elbow", "ends at the shoulder", "is intact"),
    False: ("ends below the knee", "ends at or above the knee", "ends at the hip", "is intact"),
}


@dataclass(frozen=True)
class LimbProposal:
    """One limb. probabilities: of AJAHR's classes 0 to 3. threshold: see `unsure`."""

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
    def levels(self) -> tuple[Level, ...]:
        """Return the levels that the likeliest class stands for, in the order of menus."""
        return tuple(
            level
            for level in levels_of(self.limb)
            if level is not Level.UNSURE and level_rule(self.limb, level).ajahr_class == self.ajahr_class
        )

    def agrees_with(self, state: LimbState) -> bool:
        """Tell whether the likeliest class is that of what is recorded; nothing agrees with `unsure`."""
        return state.level in self.levels

    @property
    def words(self) -> str:
        """Return what the limb is taken for: 'ends below the knee'."""
        return _ENDS[self.limb.is_arm][self.ajahr_class]

    @property
    def text(self) -> str:
        """Return the proposal in words."""
        name = self.limb.value.replace("_", " ").capitalize()
        sure = ", unsure" if self.unsure else ""
        return f"{name} {self.words} ({100 * self.probability:.0f} %{sure})"

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
    """The proposals of one person's four limbs. calibrated: whether probabilities were fitted to how often they
    hold true.
    """

    limbs: Mapping[Limb, LimbProposal]
    calibrated: bool = True

    @classmethod
    def of(
        cls,
        probabilities: Mapping[Limb, tuple[float, ...]],
        threshold: float = UNSURE_BELOW,
        *,
        calibrated: bool = True,
    ) -> "LimbProposals":
        """Return proposals of probabilities of the classes 0 to 3."""
        limbs = {limb: LimbProposal(limb, tuple(row), threshold) for limb, row in probabilities.items()}  # type: ignore[arg-type]
        return cls(limbs, calibrated)

    def __getitem__(self, limb: Limb) -> LimbProposal:
        return self.limbs[limb]

    def __iter__(self) -> Iterator[LimbProposal]:
        return (self.limbs[limb] for limb in Limb)

    def as_plain(self) -> dict[str, Any]:
        """Return them for scripts, by the limbs' names."""
        return {proposal.limb.value: proposal.as_plain() for proposal in self}


@dataclass(frozen=True)
class ProposedLimbs:
    """What the classifier said of one person, as a project keeps it. probabilities: per limb, of classes 0 to 3.

    of: a hash of what was read (COCO's points and the box); another one now means that it was said before an edit.
    by: of the weights.
    """

    person: str
    photo: str
    probabilities: Mapping[Limb, tuple[float, ...]]
    of: str
    by: str

    @property
    def calibrated(self) -> bool:
        """Tell whether probabilities are as often right as they say, as far as that was measured."""
        return not self.by.startswith(RELEASED)
