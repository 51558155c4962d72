"""Split the long edges of one region of a mesh; the rest keeps its vertices and, but for a seam, its faces.

A refinement is a recipe: every new vertex is the middle of two older ones, so any attribute and any pose can
be carried through it, and the surface does not change its shape. Edges are split on both sides at once, so a
closed surface stays closed.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Float = NDArray[np.floating]
Int = NDArray[np.integer]
Bool = NDArray[np.bool_]

LONGEST_EDGE_M = 0.004
_MOST_ROUNDS = 12


@dataclass(frozen=True, eq=False)
class Refinement:
    """faces (F', 3); source (F',): the old face each came from. parents: one (2, k) per round: the new
    vertices are the middles of these pairs, numbered after all older ones.
    """

    faces: Int
    source: Int
    parents: tuple[Int, ...]

    def carry(self, attribute: Float) -> Float:
        """Carry an attribute (V, ...) of the old vertices to the new ones, (V', ...); old rows stay as they
        are.
        """
        values = np.asarray(attribute)
        for one, two in self.parents:
            values = np.concatenate([values, ((values[one] + values[two]) / 2).astype(values.dtype)])
        return values

    def then(self, later: "Refinement") -> "Refinement":
        """Return this refinement and one of its result, as one."""
        return Refinement(later.faces, self.source[later.source], (*self.parents, *later.parents))


def refine(faces: Int, region: Bool, points: Float, *, longest_m: float = LONGEST_EDGE_M) -> Refinement:
    """Split edges until none of a face of `region` is longer than `longest_m`.

    faces (F, 3); region (F,) bool; points (V, 3) metres. Faces outside are split only where they share a split
    edge.
    """
    faces = np.asarray(faces, np.int64)
    touched = np.zeros(len(points), bool)
    touched[faces[region].reshape(-1)] = True
    near = touched[faces].sum(axis=1) >= 2  # what shares an edge with the region, or may
    far = np.flatnonzero(~near)
    source = np.flatnonzero(near)
    here, inside = faces[near], np.asarray(region, bool)[near]
    values = np.asarray(points, float)
    parents = []
    for _ in range(_MOST_ROUNDS):
        following = here[:, [1, 2, 0]]
        low, high = np.minimum(here, following), np.maximum(here, following)
        edge = values[low] - values[high]
        long = (np.einsum("ijk,ijk->ij", edge, edge) > longest_m**2) & inside[:, None]
        if not long.any():
            break
        keys = low * len(values) + high
        split = np.unique(keys[long])
        place = np.minimum(np.searchsorted(split, keys), len(split) - 1)
        marked = split[place] == keys
        middle = np.where(marked, len(values) + place, -1)
        pair = np.stack([split // len(values), split % len(values)])
        parents.append(pair)
        values = np.concatenate([values, (values[pair[0]] + values[pair[1]]) / 2])
        here, origin = _split(here, middle, values)
        source, inside = source[origin], inside[origin]
    return Refinement(np.concatenate([faces[far], here]), np.concatenate([far, source]), tuple(parents))


def _split(faces: Int, middle: Int, points: Float) -> tuple[Int, Int]:
    """Split faces (F, 3) at the middles (F, 3) of their edges ab, bc, ca (-1: not split); also where each
    came from.
    """
    count = (middle >= 0).sum(axis=1)
    pieces: list[Int] = [faces[count == 0]]
    origins: list[Int] = [np.flatnonzero(count == 0)]

    def add(rows: Int, *corners: tuple[Int, Int, Int]) -> None:
        for corner in corners:
            pieces.append(np.stack(corner, axis=1))
            origins.append(rows)

    rows = np.flatnonzero(count == 1)
    a, b, c, m, _, _ = _turned(faces[rows], middle[rows], np.argmax(middle[rows] >= 0, axis=1))
    add(rows, (a, m, c), (m, b, c))

    rows = np.flatnonzero(count == 2)  # turned so that ca is the edge that stays whole
    a, b, c, m, n, _ = _turned(faces[rows], middle[rows], (np.argmax(middle[rows] < 0, axis=1) + 1) % 3)
    add(rows, (m, b, n))
    through_a = ((points[a] - points[n]) ** 2).sum(axis=1) <= ((points[m] - points[c]) ** 2).sum(axis=1)
    first = np.where(through_a, n, c)
    second = np.where(through_a, a, m)
    add(rows, (a, m, first), (second, n, c))

    rows = np.flatnonzero(count == 3)
    a, b, c, m, n, o = _turned(faces[rows], middle[rows], np.zeros(len(rows), np.int64))
    add(rows, (a, m, o), (m, b, n), (o, n, c), (m, n, o))
    return np.concatenate(pieces), np.concatenate(origins)


def _turned(faces: Int, middle: Int, first: Int) -> tuple[Int, Int, Int, Int, Int, Int]:
    columns = (first[:, None] + np.arange(3)) % 3
    a, b, c = np.take_along_axis(faces, columns, axis=1).T
    ab, bc, ca = np.take_along_axis(middle, columns, axis=1).T
    return a, b, c, ab, bc, ca
