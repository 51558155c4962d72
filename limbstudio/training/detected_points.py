"""Truth of a person's points turned into what a detector of keypoints would give, which knows nothing of limb loss.

A detector places all of COCO's 17 points. Of what is not there it finds something all the same: at the residual end,
where the limb would go on, on the other limb, on a thing nearby; or it finds nothing. So neither that a point is
missing nor how sure the detector is tells a lost joint from a hidden one. The shares are ours;
no detector was measured.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from limbstudio.domain.anatomy import (
    LDPOSE,
    LDPOSE_INDEX,
    N_COCO,
    KeypointState,
    Limb,
    limb_ends,
    limb_joints,
)

Floats = NDArray[np.floating[Any]]

# Deviation of a visible point: so much of its OKS sigma times the person's size.
_NOISE = 0.22
_HIDDEN_NOISE = 2.5
# Share of people whose points come without confidences: as from an annotator, or a tool that gives those above a limit.
_WITHOUT_CONFIDENCE = 0.35
_LIMITS = (0.15, 0.45)
_MIXED_UP = 0.03


@dataclass(frozen=True)
class _Belief:
    """How sure a detector is: missing: how often it finds nothing; else a beta distribution's a and b."""

    missing: float
    a: float
    b: float

    def draw(self, rng: np.random.Generator) -> float:
        """Return a confidence, 0 for a point that was not found."""
        return 0.0 if rng.random() < self.missing else float(np.clip(rng.beta(self.a, self.b), 0.05, 1.0))


_BELIEFS = {
    KeypointState.VISIBLE: _Belief(0.02, 9.0, 2.0),
    KeypointState.OCCLUDED: _Belief(0.22, 4.0, 3.0),
    KeypointState.PROSTHESIS: _Belief(0.12, 5.0, 2.5),
    KeypointState.OUT_OF_FRAME: _Belief(0.65, 2.5, 5.0),
}
_ABSENT = _Belief(0.28, 4.0, 3.2)
# What a detector takes for a joint that is not there, and how often.
_FANCIES = {"end": 0.34, "beyond": 0.28, "other": 0.2, "thing": 0.18}
# A hidden joint, too, is often placed at what can be seen of its limb, on the other limb, or on what hides it.
_HIDDEN_FANCIES = {"true": 0.55, "end": 0.17, "beyond": 0.1, "other": 0.1, "thing": 0.08}


def detected_points(
    points_px: Floats,
    states: tuple[KeypointState, ...],
    person_px: float,
    rng: np.random.Generator,
    size_px: tuple[int, int] | None = None,
) -> Floats:
    """Return (17, 3): pixels and confidence, zeros where nothing was found.

    points_px: (25, 2) truth in LDPose order, NaN where there is no place. person_px: the longer side of the person's
    box. size_px: of the picture, whose edge holds points that lie outside.
    """
    found = np.zeros((N_COCO, 3))
    truth = np.asarray(points_px, float)
    for row in range(N_COCO):
        belief = _BELIEFS.get(states[row])
        if belief is None or not np.isfinite(truth[row]).all():
            continue
        found[row, :2] = truth[row]
        found[row, 2] = belief.draw(rng)
    for limb in Limb:
        _imagine(found, truth, states, limb, person_px, rng)
    _mix_up(found, rng)
    hidden = np.array([state is not KeypointState.VISIBLE for state in states[:N_COCO]])
    sigma = _NOISE * person_px * np.array([point.sigma for point in LDPOSE[:N_COCO]])
    sigma = sigma * np.where(hidden, _HIDDEN_NOISE, 1.0)
    found[:, :2] += rng.normal(size=(N_COCO, 2)) * sigma[:, None]
    if size_px is not None:
        found[:, :2] = np.clip(found[:, :2], 0, np.array(size_px) - 1.0)
    if rng.random() < _WITHOUT_CONFIDENCE:
        found[:, 2] = found[:, 2] >= rng.uniform(*_LIMITS)
    found[found[:, 2] <= 0] = 0.0
    return found


def _imagine(
    found: Floats,
    truth: Floats,
    states: tuple[KeypointState, ...],
    limb: Limb,
    person_px: float,
    rng: np.random.Generator,
) -> None:
    """Place a limb's absent joints, and some of its hidden ones, where a detector would; one fancy a limb."""
    chain = [LDPOSE_INDEX[name] for name in limb_joints(limb)]
    absent = [states[row] is KeypointState.ABSENT for row in chain]
    hidden = [states[row] is KeypointState.OCCLUDED for row in chain]
    if not any(absent) and not any(hidden[1:]):
        return
    shares = _FANCIES if any(absent) else _HIDDEN_FANCIES
    fancy = str(rng.choice(list(shares), p=list(shares.values())))
    first = next(place for place in range(3) if absent[place] or (hidden[place] and place > 0))
    anchor, end, heading = _rest(truth, limb, chain, first, person_px, rng)
    spot = anchor + rng.normal(size=2) * 0.18 * person_px
    for step, place in enumerate(range(first, 3)):
        row = chain[place]
        if not (absent[place] or hidden[place]) or (not absent[place] and fancy == "true"):
            continue
        if absent[place]:
            found[row, 2] = _ABSENT.draw(rng)
        if fancy == "other":
            found[row, :2] = _twin(truth, row, anchor)
        elif fancy == "thing":
            found[row, :2] = spot + rng.normal(size=2) * 0.03 * person_px
        elif fancy == "beyond":
            length = rng.uniform(0.12, 0.26) * person_px
            found[row, :2] = anchor + heading * length * (step + 1)
        else:  # the end of what is seen, or a little on: nobody's joints lie on one another
            found[row, :2] = end + heading * rng.uniform(-0.03, 0.09) * person_px * (step + 1)


def _rest(
    truth: Floats, limb: Limb, chain: list[int], first: int, person_px: float, rng: np.random.Generator
) -> tuple[Floats, Floats, Floats]:
    """Return the last joint before the first that is not seen, the end of what is left beyond it, and a heading."""
    known = [row for row in chain[:first] if np.isfinite(truth[row]).all()]
    body = truth[:N_COCO][np.isfinite(truth[:N_COCO]).all(1)]
    middle = body.mean(0) if len(body) else np.zeros(2)
    anchor = truth[known[-1]] if known else middle
    ends = [row for row in limb_ends(limb) if np.isfinite(truth[row]).all()]
    end = truth[ends[-1]] if ends else None
    if end is None:
        before = truth[known[-2]] if len(known) > 1 else middle
        heading = _unit(anchor - before, rng)
        end = anchor + heading * rng.uniform(0.02, 0.16) * person_px
    else:
        heading = _unit(end - anchor, rng)
    turn = rng.normal() * 0.35
    c, s = np.cos(turn), np.sin(turn)
    return anchor, end, np.array([c * heading[0] - s * heading[1], s * heading[0] + c * heading[1]])


def _unit(way: Floats, rng: np.random.Generator) -> Floats:
    length = float(np.linalg.norm(way))
    if length < 1e-6:
        way = rng.normal(size=2)
        length = float(np.linalg.norm(way))
    return way / length


def _twin(truth: Floats, row: int, anchor: Floats) -> Floats:
    """Return where the same joint of the other side is; beside the limb's own rest where nobody knows."""
    twin = truth[LDPOSE[row].swap]
    return twin if np.isfinite(twin).all() else anchor


def _mix_up(found: Floats, rng: np.random.Generator) -> None:
    """Take left for right in both arms or both legs, as detectors do now and then."""
    for left, right in ((Limb.LEFT_ARM, Limb.RIGHT_ARM), (Limb.LEFT_LEG, Limb.RIGHT_LEG)):
        if rng.random() >= _MIXED_UP:
            continue
        rows = [[LDPOSE_INDEX[name] for name in limb_joints(limb)[1:]] for limb in (left, right)]
        found[rows[0] + rows[1]] = found[rows[1] + rows[0]]
