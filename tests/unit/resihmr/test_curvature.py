"""Second derivatives of points by the turns of joints, against differences of the points themselves."""

import numpy as np

from limbstudio.body.rotations import rotation
from limbstudio.resihmr.curvature import turning_curvature
from limbstudio.resihmr.problem import FitModel
from limbstudio.resihmr.skeleton import Array, place


def test_the_bend_of_a_pull_is_its_second_derivative(fit_of_body: FitModel) -> None:
    skeleton, rng = fit_of_body.skeleton, np.random.default_rng(0)
    root = rotation(np, rng.standard_normal((2, 3)))
    none, pull = np.zeros((2, skeleton.n_shape)), rng.standard_normal((2, 3, skeleton.n_points))

    def energy(turn: Array) -> Array:
        turned = rotation(np, turn[:, :3]) @ root
        local = rotation(np, turn[:, 3:].reshape(2, 21, 3))
        columns = place(skeleton, turned, local, none, np.zeros((2, 3)), derivatives=False).columns
        return (pull * columns).sum((1, 2))

    placed = place(
        skeleton,
        root,
        np.broadcast_to(np.eye(3), (2, 21, 3, 3)),
        none,
        np.zeros((2, 3)),
        derivatives=True,
    )
    axes = placed.rotations[:, [0, *skeleton.parents[1:]]].copy()
    axes[:, 0] = np.eye(3)
    bend = turning_curvature(skeleton, lever=placed.lever, pull=pull, axes=axes)

    for _ in range(20):
        way = rng.standard_normal((2, 66))
        way /= np.linalg.norm(way, axis=1, keepdims=True)
        h = 1e-3
        second = (energy(h * way) - 2 * energy(0 * way) + energy(-h * way)) / h**2
        found = (way[:, None] @ bend @ way[..., None])[:, 0, 0]
        np.testing.assert_allclose(found, second, atol=1e-4 * np.abs(bend).max())
    np.testing.assert_array_equal(bend, bend.swapaxes(1, 2))
