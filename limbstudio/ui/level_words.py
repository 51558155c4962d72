"""What the levels of ISO 8549-4 are called: the word of the standard, and where that is on the body."""

from limbstudio.domain.anatomy import Level
from limbstudio.ui.words import tr

_PLACES = {
    Level.WRIST_DISARTICULATION: "through the wrist",
    Level.ANKLE_DISARTICULATION: "through the ankle",
    Level.TRANSRADIAL: "below the elbow",
    Level.TRANSTIBIAL: "below the knee",
    Level.ELBOW_DISARTICULATION: "through the elbow",
    Level.KNEE_DISARTICULATION: "through the knee",
    Level.TRANSHUMERAL: "above the elbow",
    Level.TRANSFEMORAL: "above the knee",
    Level.SHOULDER_DISARTICULATION: "through the shoulder",
    Level.FOREQUARTER: "with the shoulder blade",
    Level.HIP_DISARTICULATION: "through the hip",
    Level.HEMIPELVECTOMY: "with half of the pelvis",
}


def level_words(level: Level) -> str:
    """Return what a level is called in a list to choose from: 'Transtibial (below the knee)'."""
    place = _PLACES.get(level)
    return tr(level.label) if place is None else f"{tr(level.label)} ({tr(place)})"
