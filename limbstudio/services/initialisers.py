"""Who may begin a fit: a table, so that a network that predicts bodies is a row and not another branch."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Initialiser:
    """One way to begin. name: as `FitOptions.initialiser` says it; is_there: what it needs is installed."""

    name: str
    title: str
    is_there: bool
    why_not: str = ""


INITIALISERS: tuple[Initialiser, ...] = (
    Initialiser("", "LimbStudio: many starts from the points", True),
    Initialiser("ajahr", "AJAHR", False, "Its weights are not installed."),
    Initialiser("hkmr", "HKMR", False, "Its weights are not installed."),
)


def initialiser(name: str) -> Initialiser:
    """Return the row of that name; the first where there is none any more."""
    return next((row for row in INITIALISERS if row.name == name), INITIALISERS[0])
