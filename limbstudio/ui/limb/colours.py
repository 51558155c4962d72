"""How the limb in work is coloured: plain, or by an amount at every vertex, with a legend."""

from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from limbstudio.ui.living.legend import colours_of_amounts

_NO_DATA = np.array([150, 154, 160], np.uint8)
_TOP_SHARE = 99  # the scale of colours ends where this per cent of the vertices do


class Colouring(StrEnum):
    """How the limb is coloured."""

    PLAIN = "plain"
    RESIDUAL = "residual"
    EDITED = "edited"
    DOUBT = "doubt"


WORDS = {
    Colouring.PLAIN: "Plain",
    Colouring.RESIDUAL: "From mask",
    Colouring.EDITED: "Edited",
    Colouring.DOUBT: "Uncertainty",
}
TITLES = {
    Colouring.RESIDUAL: "Outline from the mask",
    Colouring.EDITED: "From the unedited surface",
    Colouring.DOUBT: "95 % along the line of sight",
}
# What the amounts hold, where a title cannot say it.
NOTES = {
    Colouring.DOUBT: "Half of the interval of depth, from the limb's first joint on, by the fit's intervals of length "
    "and end. Not in it: how far that joint is from the camera, and how well the body's shape meets this limb's.",
}
# Why there is nothing to show.
NOTHING = {
    Colouring.RESIDUAL: "This limb makes no outline in the photo.",
    Colouring.DOUBT: "The fit gives no interval for this limb.",
}


@dataclass(frozen=True, eq=False)
class Amounts:
    """One amount at every vertex of a limb, (n,); NaN where there is none."""

    values: np.ndarray
    title: str
    unit: str
    note: str = ""

    @property
    def highest(self) -> float:
        """Return where the scale of colours ends."""
        known = self.values[np.isfinite(self.values)]
        return max(float(np.percentile(known, _TOP_SHARE)) if len(known) else 0.0, 0.1)

    def colours(self) -> np.ndarray:
        """Return colours, (n, 3) uint8; grey where there is no amount."""
        known = np.isfinite(self.values)
        made = colours_of_amounts(np.where(known, self.values, 0.0), self.highest)
        made[~known] = _NO_DATA
        return made
