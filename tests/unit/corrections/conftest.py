"""Residual limbs opened for correction, on the bundled body in a known pose."""

from collections.abc import Callable

import pytest

from limbstudio.corrections.limb_surface import LimbSurface
from limbstudio.corrections.replay import Corrected, apply
from limbstudio.domain.anatomy import Level, Limb
from limbstudio.domain.body import BodyFit
from limbstudio.domain.corrections import Corrections, Operation
from limbstudio.domain.photo import Person

LEVELS = {
    Limb.LEFT_LEG: Level.TRANSFEMORAL,
    Limb.RIGHT_LEG: Level.TRANSTIBIAL,
    Limb.LEFT_ARM: Level.TRANSHUMERAL,
    Limb.RIGHT_ARM: Level.TRANSRADIAL,
}


@pytest.fixture(scope="session")
def four_limbs(known_fit) -> tuple[Person, BodyFit]:
    """A person with a residual limb of each kind."""
    return known_fit(LEVELS, factor=0.4)


@pytest.fixture(scope="session")
def opened(body, four_limbs) -> Corrected:
    """All four residual limbs refined, nothing corrected."""
    return apply(*four_limbs, body, (), also_open=tuple(Limb))


@pytest.fixture(scope="session")
def forearm(opened) -> LimbSurface:
    """The smallest of them, for quick tests."""
    return opened.limbs[Limb.RIGHT_ARM]


@pytest.fixture(scope="session")
def corrected(body, four_limbs) -> Callable[..., Corrected]:
    """Return a function that replays operations on one limb."""

    def replay(limb: Limb, *operations: Operation) -> Corrected:
        person, fit = four_limbs
        return apply(person, fit, body, (Corrections(person.id, person.photo, limb, operations),))

    return replay
