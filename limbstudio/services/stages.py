"""The ten stages from photo to export: what each needs and makes, where it runs, and what people read
meanwhile.

The pipeline panel, the command line, staleness and the weights of progress read these rows.
"""

from dataclasses import dataclass
from enum import StrEnum


class StageName(StrEnum):
    IMPORT = "import"
    DETECT = "detect"
    SEGMENT = "segment"
    KEYPOINTS = "keypoints"
    INITIAL_FIT = "initial_fit"
    RAFO = "rafo"
    RECONSTRUCTION = "reconstruction"
    MEASURE = "measure"
    REVIEW = "review"
    EXPORT = "export"


class Where(StrEnum):
    """The lane a stage runs in. NONE: a person does it."""

    THREAD = "thread"
    DEVICE = "device"
    NONE = "none"


@dataclass(frozen=True)
class Stage:
    """One row. needs, makes: kinds of record. weight: share of a person's whole job, as measured; 0 for
    people's work.

    title: in lists. doing: while it runs. by_hand: what a person may do instead.
    """

    number: int
    name: StageName
    needs: tuple[str, ...]
    makes: tuple[str, ...]
    where: Where
    weight: float
    title: str
    doing: str
    by_hand: str


_N, _W = StageName, Where
STAGES: tuple[Stage, ...] = (
    Stage(1, _N.IMPORT, (), ("photo",), _W.THREAD, 1.0, "Import", "Reading the photo", ""),
    Stage(
        2, _N.DETECT, ("photo",), ("person",), _W.DEVICE, 1.0,
        "Find people", "Looking for people", "draw a box",
    ),
    Stage(3, _N.SEGMENT, ("person",), ("mask",), _W.DEVICE, 2.0, "Outline", "Finding the outline", "paint"),
    Stage(
        4, _N.KEYPOINTS, ("person",), ("keypoints", "limb_state"), _W.DEVICE, 2.0,
        "Points", "Finding the points", "place points; set limb states",
    ),
    Stage(
        5, _N.INITIAL_FIT, ("keypoints", "limb_state"), ("fit",), _W.DEVICE, 3.0,
        "Fit", "Fitting the body", "choose another fit",
    ),
    Stage(
        6, _N.RAFO, ("fit", "keypoints", "limb_state"), ("fit",), _W.DEVICE, 2.0,
        "Residual limbs", "Finding where the limbs end", "pin a joint, run again",
    ),
    Stage(
        7, _N.RECONSTRUCTION, ("fit",), ("stump",), _W.THREAD, 2.0,
        "Shape", "Shaping the residual limbs", "move the plane, reshape the tip",
    ),
    Stage(
        8, _N.MEASURE, ("stump",), ("measure",), _W.THREAD, 1.0,
        "Measure", "Measuring", "enter a tape measure beside it",
    ),
    Stage(9, _N.REVIEW, ("person", "fit"), ("verdict", "finding"), _W.NONE, 0.0, "Review", "", "always"),
    Stage(10, _N.EXPORT, ("verdict",), (), _W.THREAD, 1.0, "Export", "Writing files", ""),
)  # fmt: skip


def stage(name: StageName) -> Stage:
    """Return the row of that name."""
    return next(row for row in STAGES if row.name is name)


def after(name: StageName) -> tuple[Stage, ...]:
    """Return the stages that become stale when this one makes something new, in order."""
    made = set(stage(name).makes)
    later = []
    for row in STAGES[stage(name).number :]:
        if made & set(row.needs):
            later.append(row)
            made |= set(row.makes)
    return tuple(later)


def progress_within(names: tuple[StageName, ...], current: StageName, fraction: float) -> float:
    """Return how far a job of several stages is (0..1) when `current` is at `fraction`."""
    weights = [stage(name).weight for name in names]
    done = sum(weights[: names.index(current)])
    return (done + min(1.0, max(0.0, fraction)) * stage(current).weight) / sum(weights)
