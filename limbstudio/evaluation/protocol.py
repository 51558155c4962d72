"""The evaluation protocol of ResiHMR, section 4.1: every person by every method, scored on points and
silhouettes.

Three methods: `paper` (Algorithm 1 to the letter), `joint` (ours), and `intact`, which knows nothing of limb
loss and whose residual ends are scored at the midpoint of the segment, as the paper scores its baselines. The
paper counts 25 OpenPose points and 8 ends; annotations here hold COCO's 17 and the same 8.
"""

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from limbstudio.body.model import BodyModel
from limbstudio.cameras import choose_camera
from limbstudio.domain.body import FitMode
from limbstudio.domain.errors import KnownError
from limbstudio.domain.photo import Person
from limbstudio.evaluation.metrics import PersonMetrics, measure_person
from limbstudio.resihmr.pipeline import reconstruct_person
from limbstudio.resihmr.problem import DEFAULT_SETTINGS, FitSettings

Report = Callable[[float, str], None]


@dataclass(frozen=True, eq=False)
class Case:
    """One annotated person to score. name: for tables. size_px: of the upright photo. mask: (H, W) bool or
    None.
    """

    name: str
    person: Person
    size_px: tuple[int, int]
    focal_exif_px: float | None = None
    mask: NDArray[np.bool_] | None = None


@dataclass(frozen=True)
class Score:
    """One person by one method. metrics None: it was refused, `refusal` says why.

    limbs, accepted: residual limbs of the fit, and how many of them were cut.
    """

    name: str
    mode: FitMode
    metrics: PersonMetrics | None
    limbs: int = 0
    accepted: int = 0
    watertight: bool = False
    seconds: float = 0.0
    refusal: str = ""


@dataclass(frozen=True)
class Summary:
    """One method over all people: means of people's means, each person counting once; None where nobody has a
    value.
    """

    mode: FitMode
    people: int
    refused: int
    all_px: float | None
    residual_px: float | None
    intact_px: float | None
    all_pct: float | None
    residual_pct: float | None
    residual_pct_median: float | None
    intact_pct: float | None
    iou: float | None
    observed_iou: float | None
    limbs: int
    accepted: int
    seconds: float | None


def score_people(
    cases: Iterable[Case],
    modes: Sequence[FitMode],
    body: BodyModel,
    *,
    expected: int,
    settings: FitSettings = DEFAULT_SETTINGS,
    use_masks: bool = False,
    seed: int = 0,
    report: Report = lambda fraction, sentence: None,
) -> list[Score]:
    """Reconstruct and score every person by every method, people in order, methods in order within a person.

    expected: about how many there are, for the progress. use_masks: give the masks to the fit as well, not
    only to the score. The settings are the same for all.
    """
    scores: list[Score] = []
    for case in cases:
        for mode in modes:
            report(min(1.0, len(scores) / (expected * len(modes))), f"{case.name}, {mode.value}")
            scores.append(_score(case, mode, body, settings, use_masks, seed))
    report(1.0, f"{len(scores) // len(modes)} people by {len(modes)} methods")
    return scores


def _score(
    case: Case, mode: FitMode, body: BodyModel, settings: FitSettings, use_masks: bool, seed: int
) -> Score:
    start = time.perf_counter()
    try:
        camera = choose_camera(
            case.size_px,
            given_px=case.person.focal_px,
            exif_px=case.focal_exif_px,
            paper=mode is FitMode.PAPER,
        )
        result = reconstruct_person(
            case.person,
            camera,
            body,
            mode=mode,
            settings=settings,
            mask=case.mask if use_masks else None,
            seed=seed,
            intersections=False,
        )
    except KnownError as error:
        return Score(case.name, mode, None, refusal=str(error))
    except MemoryError:
        return Score(case.name, mode, None, refusal="There was not enough memory. Close other programs.")
    seconds = time.perf_counter() - start
    limbs = result.fit.limbs
    return Score(
        case.name,
        mode,
        measure_person(result, case.mask),
        len(limbs),
        sum(limb.accepted for limb in limbs),
        result.facts.watertight,
        seconds,
    )


def summarise(scores: Sequence[Score]) -> list[Summary]:
    """Return one row per method, in the order in which the methods first occur."""
    modes = list(dict.fromkeys(score.mode for score in scores))
    return [_summary(mode, [score for score in scores if score.mode is mode]) for mode in modes]


def _summary(mode: FitMode, scores: Sequence[Score]) -> Summary:
    found = [score.metrics for score in scores if score.metrics is not None]

    def values(name: str) -> list[float]:
        return [value for metrics in found if (value := getattr(metrics, name)) is not None]

    def mean(name: str) -> float | None:
        known = values(name)
        return float(np.mean(known)) if known else None

    ends = values("residual_error_pct_box")
    return Summary(
        mode=mode,
        people=len(found),
        refused=len(scores) - len(found),
        all_px=mean("all_error_px"),
        residual_px=mean("residual_error_px"),
        intact_px=mean("intact_error_px"),
        all_pct=mean("all_error_pct_box"),
        residual_pct=mean("residual_error_pct_box"),
        residual_pct_median=float(np.median(ends)) if ends else None,
        intact_pct=mean("intact_error_pct_box"),
        iou=mean("mask_iou"),
        observed_iou=mean("observed_iou"),
        limbs=sum(score.limbs for score in scores),
        accepted=sum(score.accepted for score in scores),
        seconds=float(np.mean([s.seconds for s in scores if s.metrics is not None])) if found else None,
    )
