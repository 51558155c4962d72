"""One residual limb, refined: its surface at rest, its coordinates without vertex numbers, and its posed twin.

Two charts cover it. On the wall a place is (axial, angle about the bone); on the cap it is (cap, angle about
the cap's middle), as on a disk whose rim is the ring where cap and wall meet.
"""

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix
from scipy.spatial import KDTree

from limbstudio.corrections.limb_frame import LimbFrame
from limbstudio.domain.anatomy import Limb, Segment
from limbstudio.domain.corrections import SurfacePoint

Float = NDArray[np.floating]
Int = NDArray[np.integer]
Bool = NDArray[np.bool_]

# Corrections fade to nothing within this distance from where the limb joins the body.
FADE_M = 0.015
# Vertices whose triangles are searched for a place; two nearest suffice for edges of one length.
_NEAREST = 3


@dataclass(frozen=True, eq=False)
class Mesh:
    """What stays fixed of a limb's surface while it is corrected: who touches whom, and where places are.

    faces (m, 3): local ids. vertex_ids (n,), face_ids (m,): in the whole corrected mesh. joined (n,) bool: on
    the seam with the body, never moved. cap (n,): 0 on the wall and its ring, 1 at the tip. wall_chart (n, 3):
    axial fraction, and cosine and sine of the angle, times `girth` (the mean radius in segment lengths).
    disk_chart (n, 2): (1 - cap) times cosine and sine. rotation (n, 3, 3): from rest to posed.
    """

    faces: Int
    vertex_ids: Int
    face_ids: Int
    joined: Bool
    cap: Float
    wall_chart: Float
    disk_chart: Float
    girth: float
    rotation: Float
    base_rest: Float
    base_posed: Float

    @cached_property
    def around(self) -> tuple[Int, Int]:
        """Return the faces at each vertex in compressed rows: `ids[starts[v] : starts[v + 1]]`."""
        corner = self.faces.reshape(-1)
        order = np.argsort(corner, kind="stable")
        return np.searchsorted(corner[order], np.arange(len(self.cap) + 1)), order // 3

    @cached_property
    def averaging(self) -> csr_matrix:
        """Return the matrix (n, n) that gives each vertex the mean of its neighbours."""
        starts, ends = self.faces.reshape(-1), self.faces[:, [1, 2, 0]].reshape(-1)
        count = len(self.cap)
        ones = np.ones(2 * len(starts))
        pairs = np.concatenate([starts, ends]), np.concatenate([ends, starts])
        matrix = csr_matrix((ones, pairs), shape=(count, count))
        matrix.data[:] = 1.0  # an edge inside was counted from either side
        degree = np.maximum(np.diff(matrix.indptr), 1)
        matrix.data /= np.repeat(degree, np.diff(matrix.indptr))
        return matrix

    @cached_property
    def is_open(self) -> bool:
        """Tell whether the surface has a rim, where it joins the body."""
        starts, ends = self.faces.reshape(-1), self.faces[:, [1, 2, 0]].reshape(-1)
        count = len(self.cap)
        # A closed surface goes along every edge once in either direction.
        return not np.array_equal(np.sort(starts * count + ends), np.sort(ends * count + starts))

    @cached_property
    def on_cap(self) -> Bool:
        """Return which faces (m,) belong to the cap."""
        return self.cap[self.faces].max(axis=1) > 0

    @cached_property
    def _wall_tree(self) -> tuple[KDTree, Int] | None:
        return self._tree(~self.on_cap, self.wall_chart)

    @cached_property
    def _disk_tree(self) -> tuple[KDTree, Int] | None:
        return self._tree(self.on_cap, self.disk_chart)

    def _tree(self, chosen: Bool, chart: Float) -> tuple[KDTree, Int] | None:
        ids = np.unique(self.faces[chosen])
        return (KDTree(chart[ids]), ids) if len(ids) else None

    def faces_at(self, vertices: Int) -> Int:
        """Return the faces that touch any of the vertices, ascending."""
        starts, ids = self.around
        first, count = starts[vertices], starts[vertices + 1] - starts[vertices]
        total = int(count.sum())
        offset = np.arange(total) - np.repeat(np.cumsum(count) - count, count)
        return distinct(ids[np.repeat(first, count) + offset], len(self.faces))

    def place(self, at: SurfacePoint) -> tuple[Int, Float, float]:
        """Return the corners (3,) and weights (3,) of a place, and how far beyond the wall it lies (axial)."""
        if at.cap > 0 and self._disk_tree is not None:
            chart, tree = self.disk_chart, self._disk_tree
            target = (1 - at.cap) * np.array([np.cos(at.angle), np.sin(at.angle)])
            wanted = True
        else:
            chart, tree = self.wall_chart, self._wall_tree or self._disk_tree
            target = np.array([at.axial, self.girth * np.cos(at.angle), self.girth * np.sin(at.angle)])
            wanted = False
            if self._wall_tree is None:
                chart, target, wanted = self.disk_chart, target[1:] / self.girth, True
        assert tree is not None
        nearest = tree[1][tree[0].query(target, k=min(_NEAREST, len(tree[1])))[1]]
        starts, ids = self.around
        faces = np.concatenate([ids[starts[v] : starts[v + 1]] for v in np.atleast_1d(nearest)])
        faces = faces[self.on_cap[faces] == wanted]
        corners = self.faces[faces]
        weights, distance = nearest_on_triangles(chart[corners], target)
        best = int(np.argmin(distance))
        beyond = 0.0
        if not wanted:
            excess = float(at.axial - weights[best] @ self.wall_chart[corners[best], 0])
            beyond = excess if excess > 1e-9 else 0.0
        return corners[best], weights[best], beyond


def nearest_on_triangles(triangles: Float, target: Float) -> tuple[Float, Float]:
    """Return the weights (k, 3) of the points of triangles (k, 3, d) nearest to target (d,), and distances."""
    a = triangles[:, 0]
    u, v, w = triangles[:, 1] - a, triangles[:, 2] - a, target - a
    uu, uv, vv = (u * u).sum(1), (u * v).sum(1), (v * v).sum(1)
    uw, vw = (u * w).sum(1), (v * w).sum(1)
    area = np.maximum(uu * vv - uv * uv, 1e-30)
    s, t = (vv * uw - uv * vw) / area, (uu * vw - uv * uw) / area
    options = [np.stack([1 - s - t, s, t], axis=1)]
    inside = (s >= 0) & (t >= 0) & (s + t <= 1)
    for i, j in ((0, 1), (1, 2), (2, 0)):
        start, along = triangles[:, i], triangles[:, j] - triangles[:, i]
        share = np.clip(((target - start) * along).sum(1) / np.maximum((along * along).sum(1), 1e-30), 0, 1)
        weights = np.zeros((len(triangles), 3))
        weights[:, i], weights[:, j] = 1 - share, share
        options.append(weights)
    stacked = np.stack(options)
    gaps = np.linalg.norm(np.einsum("okc,kcd->okd", stacked, triangles) - target, axis=2)
    gaps[0, ~inside] = np.inf
    chosen = np.argmin(gaps, axis=0)
    rows = np.arange(len(triangles))
    return stacked[chosen, rows], gaps[chosen, rows]


@dataclass(frozen=True, eq=False)
class LimbSurface:
    """One residual limb. points (n, 3): at rest, metres (pelvis at the origin, y up, z forward).

    unedited (n, 3): the same before any brush, mirror or reset. The faces never change.
    """

    limb: Limb
    segment: Segment
    frame: LimbFrame
    mesh: Mesh
    points: Float
    unedited: Float

    @property
    def faces(self) -> Int:
        return self.mesh.faces

    @property
    def vertex_ids(self) -> Int:
        return self.mesh.vertex_ids

    @property
    def face_ids(self) -> Int:
        return self.mesh.face_ids

    @cached_property
    def normals(self) -> Float:
        """Return the unit normals (n, 3) of the vertices, faces weighted by area."""
        return vertex_normals(self.points, self.faces, len(self.points))

    @cached_property
    def face_normals(self) -> Float:
        """Return the normals (m, 3) of the faces, twice as long as the faces are large."""
        return face_normals(self.points, self.faces)

    @cached_property
    def face_volumes(self) -> Float:
        """Return what each face adds to the volume within the limb and its lid, (m,) m3; see `lid`."""
        return face_volumes(self.points[self.faces[:, 0]], self.face_normals, self.lid)

    @cached_property
    def lid(self) -> Float:
        """Return the middle (3,) of the rim where the limb joins the body, to which a fan of triangles closes it.

        They hold it, so they add nothing to a volume that is measured about it. It never moves.
        """
        return self.points[self.mesh.joined if self.mesh.is_open else slice(None)].mean(axis=0)

    def warm(self) -> "LimbSurface":
        """Compute what a brush asks for, so that its first step is not slower than the others."""
        _ = (self.normals, self.tree, self.fade, self.face_volumes, self.mesh.around, self.mesh.on_cap)
        self.mesh.place(SurfacePoint(0.5, 0.0))
        self.mesh.place(SurfacePoint(0.5, 0.0, 0.5))
        return self

    @cached_property
    def tree(self) -> KDTree:
        """Return the vertices in order of place, to ask who is near."""
        return KDTree(self.points)

    @cached_property
    def fade(self) -> Float:
        """Return how free each vertex is to move, (n,): 0 on the seam with the body, 1 from 15 mm on."""
        joined = self.mesh.joined
        if not joined.any():
            return np.ones(len(self.points))
        distance = KDTree(self.unedited[joined]).query(self.unedited)[0]
        x = np.clip(distance / FADE_M, 0, 1)
        return np.where(joined, 0.0, x * x * (3 - 2 * x))

    @property
    def mean_edge(self) -> float:
        """Return the mean length of the edges, metres."""
        corners = self.points[self.faces]
        return float(np.linalg.norm(corners - corners[:, [1, 2, 0]], axis=2).mean())

    @cached_property
    def end_axial(self) -> float:
        """Return the axial fraction of the limb's most distal point; 1 - lambda."""
        return float(self.frame.axial_of(self.points).max())

    def with_points(self, points: Float) -> "LimbSurface":
        """Return the surface with other positions (n, 3) at rest."""
        moved = replace(self, points=points)
        if "fade" in self.__dict__:  # depends on what never changes
            moved.__dict__["fade"] = self.fade
        return moved

    def posed(self, points: Float | None = None, ids: Int | None = None) -> Float:
        """Return positions in the camera frame of points at rest: all, or those of the vertices `ids`."""
        mesh, rows = self.mesh, slice(None) if ids is None else ids
        points = self.points[rows] if points is None else points
        moved = points - mesh.base_rest[rows]
        return mesh.base_posed[rows] + np.einsum("nij,nj->ni", mesh.rotation[rows], moved)

    def at_rest(self, face: int, position_posed: Float) -> SurfacePoint:
        """Return the place of a point that was picked on the posed limb. face: local id; (3,) metres."""
        corners = self.faces[face]
        weights, _ = nearest_on_triangles(self.posed(ids=corners)[None], np.asarray(position_posed, float))
        return self._point(corners, weights[0])

    def place_on(self, face: int, position_rest: Float) -> SurfacePoint:
        """Return the place of a point on the limb at rest. face: local id; (3,) metres."""
        corners = self.faces[face]
        weights, _ = nearest_on_triangles(self.points[corners][None], np.asarray(position_rest, float))
        return self._point(corners, weights[0])

    def point_of(self, vertex: int) -> SurfacePoint:
        """Return the place of a vertex (local id)."""
        return self._point(np.array([vertex]), np.ones(1))

    def _point(self, corners: Int, weights: Float) -> SurfacePoint:
        mesh = self.mesh
        axial, x, y = weights @ mesh.wall_chart[corners]
        cap = float(weights @ mesh.cap[corners])
        if cap > 0:
            u, v = weights @ mesh.disk_chart[corners]
            return SurfacePoint(
                float(axial), float(np.arctan2(v, u)), min(1.0, max(1e-12, 1 - np.hypot(u, v)))
            )
        return SurfacePoint(float(axial), float(np.arctan2(y, x)))

    def locate(self, at: SurfacePoint) -> Float:
        """Return where a place is at rest, (3,) metres; beyond the end of the wall it lies in the air."""
        corners, weights, beyond = self.mesh.place(at)
        return weights @ self.points[corners] + beyond * self.frame.length_m * self.frame.axis


def vertex_normals(points: Float, faces: Int, count: int) -> Float:
    """Return unit normals (count, 3) of the vertices of `faces`; zero for vertices without a face."""
    normal = face_normals(points, faces)
    corner = faces.reshape(-1)
    total = np.stack(
        [np.bincount(corner, weights=np.repeat(normal[:, i], 3), minlength=count) for i in range(3)], axis=1
    )
    return total / np.maximum(np.linalg.norm(total, axis=1), 1e-30)[:, None]


def distinct(ids: Int, count: int) -> Int:
    """Return the ids, each once, ascending; all below `count`. Sorting them would take longer."""
    there = np.zeros(count, bool)
    there[ids] = True
    return np.flatnonzero(there)


def face_volumes(first_corners: Float, normals: Float, origin: Float) -> Float:
    """Return the signed volumes (m,) between faces and an origin (3,). normals (m, 3): as `face_normals` has them."""
    return ((first_corners - origin) * normals).sum(axis=1) / 6


def face_normals(points: Float, faces: Int) -> Float:
    """Return normals (m, 3) of faces, twice as long as the faces are large."""
    a = points[faces[:, 0]]
    (ux, uy, uz), (vx, vy, vz) = (points[faces[:, 1]] - a).T, (points[faces[:, 2]] - a).T
    return np.stack([uy * vz - uz * vy, uz * vx - ux * vz, ux * vy - uy * vx], axis=1)
