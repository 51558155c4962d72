"""Who may begin a fit: a table, so that a network that predicts bodies is a row and not another branch."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from limbstudio.domain.errors import KnownError
from limbstudio.resources import resource_path

if TYPE_CHECKING:
    from limbstudio.body.model import BodyModel
    from limbstudio.domain.geometry import Camera
    from limbstudio.domain.photo import Person
    from limbstudio.resihmr.guessed import GuessedBodies

AJAHR = "ajahr"


@dataclass(frozen=True)
class Initialiser:
    """One way to begin. name: as `FitOptions.initialiser` says it; weights: the shipped file it needs, empty: none."""

    name: str
    title: str
    weights: str = ""
    why_not: str = ""

    @property
    def is_there(self) -> bool:
        """Tell whether what it needs is installed."""
        return not self.weights or resource_path(self.weights).is_file()


INITIALISERS: tuple[Initialiser, ...] = (
    Initialiser("", "LimbStudio: many starts from the points"),
    Initialiser(AJAHR, "AJAHR", "weights/ajahr.npz", "Its weights are not installed."),
    Initialiser("hkmr", "HKMR", "weights/hkmr.npz", "Its weights are not installed."),
)


def initialiser(name: str) -> Initialiser:
    """Return the row of that name; the first where there is none any more."""
    return next((row for row in INITIALISERS if row.name == name), INITIALISERS[0])


def require(name: str) -> Initialiser:
    """Return the row of that name; raise KnownError where it cannot begin a fit here."""
    row = next((row for row in INITIALISERS if row.name == name), None)
    if row is None or not row.is_there:
        raise KnownError(
            f"{name if row is None else row.title} cannot begin a fit here.",
            "Choose another way to begin." if row is None else row.why_not,
        )
    return row


def guess_of(name: str, person: "Person", camera: "Camera", body: "BodyModel") -> "GuessedBodies | None":
    """Return the body that a fit begins with, None where it finds its own starts. Loads torch: call it in a worker."""
    if name != AJAHR:
        return None
    require(name)
    from limbstudio.ajahr.predict import predictor  # torch takes two seconds to load

    return predictor()([person], [camera], body)
