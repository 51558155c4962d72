"""A body of fewer vertices, for what only moves by: edges of the template are collapsed where the surface stays put.

What is left is a choice among the vertices, so shape, skin and parts are theirs, and the surface stays closed and in
one piece: it can be posed, cut and capped as the whole body can.
"""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from limbstudio.body.model import BodyModel

Floats = NDArray[np.floating]
Ints = NDArray[np.integer]
Bools = NDArray[np.bool_]

# The surface of the template is left by no more than this (root of the summed squares to the planes it had), metres.
OFF_M = 0.006
LONGEST_EDGE_M = 0.045
# A triangle that stays may turn by no more than this (cosine).
_TURN = 0.4
# Ranks are shuffled a little: where lengths change smoothly, few edges would be the best of their neighbourhood.
_SHUFFLE = 0.5
_MOST_ROUNDS = 60
_WORTH_A_ROUND = 0.004  # of the vertices that are left


def coarse_body(body: BodyModel, *, off_m: float = OFF_M, longest_m: float = LONGEST_EDGE_M) -> BodyModel:
    """Return the same body with fewer vertices, chosen among its own; no edge joins two parts that did not before.

    It has no keypoints of its own and no mirror. Takes some tenths of a second: done once per body.
    """
    faces, kept = collapsed(
        np.asarray(body.template, float), body.faces, body.part_labels, off_m=off_m, longest_m=longest_m
    )
    return replace(
        body,
        template=np.ascontiguousarray(body.template[kept]),
        faces=faces,
        shape_dirs=_rows(body.shape_dirs, kept),
        skin_weights=np.ascontiguousarray(body.skin_weights[kept]),
        part_labels=body.part_labels[kept],
        keypoint_regressors={},
        mirror_vertices=None,
        mirror_joints=None,
        pose_dirs=None if body.pose_dirs is None else _rows(body.pose_dirs, kept),
    )


def _rows(directions: Floats, kept: Ints) -> Floats:
    """Choose rows of (V, 3, B) and keep the memory order (B, V, 3) that blending is fast with."""
    return np.moveaxis(np.ascontiguousarray(np.moveaxis(directions, -1, 0)[:, kept]), 0, -1)


def collapsed(
    vertices: Floats, faces: Ints, labels: Ints, *, off_m: float, longest_m: float
) -> tuple[NDArray[np.int32], Ints]:
    """Return faces (F', 3) into the kept vertices, and those (V',): rows of `vertices`, in their order.

    vertices: (V, 3) metres. faces: (F, 3). labels: (V,): only vertices of one label become one.
    Collapse by quadric error (Garland and Heckbert 1997) onto one of an edge's own ends. The rim of a hole stays.
    """
    work = _Work(np.asarray(vertices, float), np.asarray(faces, np.int64), labels, off_m**2, longest_m)
    random = np.random.default_rng(0)
    for _ in range(_MOST_ROUNDS):
        if work.collapse(random) < _WORTH_A_ROUND * work.left:
            break
    kept = np.unique(work.faces)
    number = np.zeros(len(work.vertices), np.int32)
    number[kept] = np.arange(len(kept), dtype=np.int32)
    return number[work.faces], kept


@dataclass(eq=False)
class _Work:
    """A surface on its way. planes (V, 4, 4): summed squared distances to the planes that a vertex stands for."""

    vertices: Floats
    faces: Ints
    labels: Ints
    off_square: float
    longest_m: float

    def __post_init__(self) -> None:
        normals = _normals(self.vertices, self.faces)
        offset = -(normals * self.vertices[self.faces[:, 0]]).sum(1)
        plane = np.column_stack([normals, offset])
        square = (plane[:, :, None] * plane[:, None]).reshape(-1, 16)
        flat = self.faces.T.ravel()
        self.planes = np.stack(
            [np.bincount(flat, np.tile(square[:, k], 3), minlength=len(self.vertices)) for k in range(16)], 1
        ).reshape(-1, 4, 4)
        self.left = len(self.vertices)
        self.on_rim = _on_rim(self.faces, len(self.vertices))

    def collapse(self, random: np.random.Generator) -> int:
        """Collapse edges that do not touch one another's neighbours; return how many."""
        first, second = self.faces.ravel(), self.faces[:, [1, 2, 0]].ravel()
        gone, kept, cost = self._candidates(first, second)
        order = np.argsort(cost * random.uniform(1 - _SHUFFLE, 1 + _SHUFFLE, len(cost)), kind="stable")
        gone, kept = gone[order], kept[order]
        chosen = self._apart(gone, kept, first, second)
        gone, kept = gone[chosen], kept[chosen]
        sound = self._two_common(gone, kept, first, second)
        gone, kept = gone[sound], kept[sound]
        sound = self._keeps_turned(gone, kept)
        gone, kept = gone[sound], kept[sound]
        into = np.arange(len(self.vertices))
        into[gone] = kept
        self.planes[kept] += self.planes[gone]
        faces = into[self.faces]
        a, b, c = faces.T
        self.faces = faces[(a != b) & (b != c) & (c != a)]
        self.left -= len(gone)
        return len(gone)

    def _candidates(self, first: Ints, second: Ints) -> tuple[Ints, Ints, Floats]:
        """Return who may go into whom, and at what cost: directed edges, the cheaper of both directions."""
        v, planes = self.vertices, self.planes
        square = ((v[first] - v[second]) ** 2).sum(1)
        near = (square < self.longest_m**2) & (self.labels[first] == self.labels[second])
        near &= ~(self.on_rim[first] | self.on_rim[second])
        gone, kept, square = first[near], second[near], square[near]
        at = np.column_stack([v[kept], np.ones(len(kept))])
        off = ((planes[gone] @ at[..., None])[..., 0] * at).sum(1)
        fine = off < self.off_square
        # Short edges go first among those that cost nothing.
        return gone[fine], kept[fine], off[fine] + 1e-3 * square[fine]

    def _apart(self, gone: Ints, kept: Ints, first: Ints, second: Ints) -> Bools:
        """Tell which candidates, ranked best first, are the best of all that touch their ends' neighbours."""
        rank = np.arange(len(gone))
        best = np.full(len(self.vertices), len(gone))
        np.minimum.at(best, gone, rank)
        np.minimum.at(best, kept, rank)
        around = best.copy()
        np.minimum.at(around, first, best[second])
        return (around[gone] == rank) & (around[kept] == rank)

    def _two_common(self, gone: Ints, kept: Ints, first: Ints, second: Ints) -> Bools:
        """Tell which edges' ends have but the two neighbours of their two triangles in common."""
        order = np.argsort(first, kind="stable")
        degree = np.bincount(first, minlength=len(self.vertices))
        start = np.cumsum(degree) - degree
        column = np.arange(int(degree.max()))

        def neighbours(of: Ints, none: int) -> Ints:
            at = start[of][:, None] + column
            found = second[order[np.minimum(at, len(order) - 1)]]
            return np.where(column < degree[of][:, None], found, none)

        common = neighbours(gone, -1)[:, :, None] == neighbours(kept, -2)[:, None]
        return common.sum((1, 2)) == 2

    def _keeps_turned(self, gone: Ints, kept: Ints) -> Bools:
        """Tell which collapses turn no triangle far from where it faced."""
        pair = np.full(len(self.vertices), -1)
        pair[gone] = np.arange(len(gone))
        of = pair[self.faces].max(1)  # chosen edges stand apart: a triangle touches one at most
        rows = np.flatnonzero(of >= 0)
        into = np.arange(len(self.vertices))
        into[gone] = kept
        before = self.faces[rows]
        after = into[before]
        stays = (after[:, 0] != after[:, 1]) & (after[:, 1] != after[:, 2]) & (after[:, 2] != after[:, 0])
        rows, before, after = rows[stays], before[stays], after[stays]
        turn = (_normals(self.vertices, before) * _normals(self.vertices, after)).sum(1)
        sound = np.ones(len(gone), bool)
        sound[of[rows[turn < _TURN]]] = False
        return sound


def _normals(vertices: Floats, faces: Ints) -> Floats:
    a, b, c = (vertices[faces[:, i]] for i in range(3))
    normals = np.cross(b - a, c - a)
    return normals / np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-20)


def _on_rim(faces: Ints, count: int) -> Bools:
    """Tell which of `count` vertices lie on an edge that has not one face on either side."""
    first, second = faces.ravel(), faces[:, [1, 2, 0]].ravel()
    keys = np.minimum(first, second) * count + np.maximum(first, second)
    _, index, uses = np.unique(keys, return_inverse=True, return_counts=True)
    rim = np.zeros(count, bool)
    odd = uses[index] != 2
    rim[first[odd]] = rim[second[odd]] = True
    return rim
