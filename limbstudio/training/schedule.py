"""How the learning rate goes up and down."""

import math

_RISE = 20


def share_of_rate(step: int, steps: int) -> float:
    """Return the share of the highest rate at a step: up in the first twentieth, then down to nothing by a cosine."""
    rise = max(steps // _RISE, 1)
    return min((step + 1) / rise, 0.5 + 0.5 * math.cos(math.pi * min(step / steps, 1)))
