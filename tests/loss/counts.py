"""How often things are tried: a little in every run of the tests, in full with LIMBSTUDIO_LOSS=full (`make loss`)."""

import os

IS_FULL = os.environ.get("LIMBSTUDIO_LOSS") == "full"


def times(few: int, full: int) -> int:
    return full if IS_FULL else few
