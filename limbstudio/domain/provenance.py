"""Where a record came from: who or what made it, from which inputs."""

from dataclasses import dataclass
from enum import StrEnum


class Source(StrEnum):
    HUMAN = "human"
    PREDICTED = "predicted"
    IMPORTED = "imported"


@dataclass(frozen=True)
class Provenance:
    """Who made a record, and the hashes of what it was made from (empty for human work)."""

    source: Source = Source.HUMAN
    by: str = ""
    input_hashes: tuple[str, ...] = ()
    stage: str = ""
    version: str = ""
