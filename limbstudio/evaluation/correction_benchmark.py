"""How fast corrections are: brush steps, the check at the end of a stroke, sections, opening and replaying.

The time that counts is the processor's, besides the clock's: other programs may run meanwhile.
"""

import numpy as np

from limbstudio.corrections.limb_surface import LimbSurface
from limbstudio.domain.corrections import Brush, BrushStroke, SurfacePoint


def random_stroke(surface: LimbSurface, rng: np.random.Generator, *, gentle: bool = True) -> BrushStroke:
    """Return a stroke of random brush, place, size and strength; a gentle one seldom folds the surface."""
    brush = list(Brush)[rng.integers(len(Brush))]
    free = np.flatnonzero(surface.fade > 0.5)
    first = surface.point_of(int(rng.choice(free)))
    second = SurfacePoint(first.axial + rng.normal(0, 0.05), first.angle + rng.normal(0, 0.4), first.cap)
    radius = float(rng.uniform(0.04, 0.12))
    limit = (0.25 if gentle else 1.5) * radius
    strength = (
        float(rng.uniform(0.2, 1) * limit) if brush.strength_is_a_length else float(rng.uniform(0.2, 1))
    )
    if brush is Brush.INFLATE and rng.random() < 0.5:
        strength = -strength
    path = (first, second) if rng.random() < 0.3 else (first,)
    return BrushStroke(brush, path, radius, strength)
