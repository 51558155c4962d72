"""Where annotators click is not where the model's points lie: an offset per kind of keypoint, learned from photos.

Each kind (nose, eye, ear, shoulder, elbow, wrist, hip, knee, ankle) has one offset in the rest frame of the joint that
carries it, mirrored between the sides. It is the same observation model for real and synthetic people.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from limbstudio.domain.anatomy import LDPOSE, N_COCO, SMPLX_INDEX

KINDS: tuple[str, ...] = ("nose", "eye", "ear", "shoulder", "elbow", "wrist", "hip", "knee", "ankle")
# The joint whose rest frame carries each kind: the proximal side, so that the offset turns with the segment above.
CARRIERS = {"nose": "head", "eye": "head", "ear": "head", "shoulder": "{side}_collar", "elbow": "{side}_shoulder",
            "wrist": "{side}_elbow", "hip": "pelvis", "knee": "{side}_hip", "ankle": "{side}_knee"}  # fmt: skip
# Standard deviation of an offset before any photo was seen, metres (a judgement: the breadth of a joint).
OFFSET_SIGMA_M = 0.015
N_NUMBERS = 3 * len(KINDS)


def _kind(name: str) -> str:
    return name.split("_")[-1]


def carriers() -> np.ndarray:
    """Return the carrying joint of each COCO keypoint, (17,) int."""
    return np.array([SMPLX_INDEX[CARRIERS[_kind(k.name)].format(side=k.side)] for k in LDPOSE[:N_COCO]])


def spread(numbers: np.ndarray) -> np.ndarray:
    """Return offsets (17, 3), metres, of all keypoints from the 27 numbers of the kinds (left side's frame)."""
    kinds = np.asarray(numbers, float).reshape(-1, 3)
    mirror = np.array([[1, 1, 1] if k.side != "right" else [-1, 1, 1] for k in LDPOSE[:N_COCO]])
    offsets = kinds[[KINDS.index(_kind(k.name)) for k in LDPOSE[:N_COCO]]] * mirror
    offsets[0, 0] = 0.0  # the nose lies in the midplane
    return offsets


def spread_matrix() -> np.ndarray:
    """Return the (17 * 3, 27) matrix of `spread`, which is linear."""
    return np.stack([spread(row).reshape(-1) for row in np.eye(N_NUMBERS)], 1)


def as_rows(numbers: np.ndarray) -> np.ndarray:
    """Return (17, 4): carrying joint and offset, as `build_skeleton` takes them."""
    return np.concatenate([carriers()[:, None], spread(numbers)], 1)


@dataclass(frozen=True, eq=False)
class ClickEvidence:
    """One fitted photo's evidence on the 27 numbers: matrix (27, 27) and right-hand side (27,)."""

    matrix: np.ndarray
    right: np.ndarray


def evidence(
    *, rows: np.ndarray, jacobian: np.ndarray, by_point: np.ndarray, system: np.ndarray, rotations: np.ndarray
) -> ClickEvidence:
    """Linearise one fit at its optimum and eliminate the body's unknowns (Schur complement).

    rows (34,): weighted data rows of the COCO points; jacobian (34, n): by the unknowns; by_point (17, 2, 3): weighted
    rows by each point; system (n, n): the whole Gauss-Newton matrix; rotations (22, 3, 3): global, body to camera.
    """
    blocks = by_point @ rotations[carriers()]  # (17, 2, 3) by each point's offset in its carrier's frame
    full = np.zeros((N_COCO, 2, N_COCO, 3))
    full[np.arange(N_COCO), :, np.arange(N_COCO)] = blocks
    by_number = full.reshape(2 * N_COCO, 3 * N_COCO) @ spread_matrix()
    coupling = jacobian.T @ by_number
    matrix = by_number.T @ by_number - coupling.T @ np.linalg.solve(system, coupling)
    return ClickEvidence(matrix, -by_number.T @ rows)


def solve(current: np.ndarray, photos: Sequence[ClickEvidence]) -> np.ndarray:
    """Return the next estimate of the 27 numbers from all photos' evidence at the current one."""
    ridge = np.eye(N_NUMBERS) / OFFSET_SIGMA_M**2
    matrix = sum((p.matrix for p in photos), ridge)
    right = sum((p.right for p in photos), -current / OFFSET_SIGMA_M**2)
    return current + np.linalg.solve(matrix, right)
