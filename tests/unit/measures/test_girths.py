import numpy as np
import pytest

from limbstudio.measures.girths import residual_girths


def _cylinder(radius_x: float, radius_y: float, length: float, rings: int = 41, around: int = 96):
    """A closed cylinder along -z from z = 0; the end is at z = -length."""
    angles = np.linspace(0, 2 * np.pi, around, endpoint=False)
    circle = np.column_stack([radius_x * np.cos(angles), radius_y * np.sin(angles)])
    vertices = [np.column_stack([circle, np.full(around, -length * i / (rings - 1))]) for i in range(rings)]
    points = np.vstack([*vertices, [[0, 0, -length]]])
    faces = []
    for i in range(rings - 1):
        for j in range(around):
            a, b = i * around + j, i * around + (j + 1) % around
            faces += [[a, b, a + around], [b, b + around, a + around]]
    last = (rings - 1) * around
    faces += [[last + j, last + (j + 1) % around, len(points) - 1] for j in range(around)]
    return points, np.array(faces)


def test_the_girth_of_a_cylinder_is_two_pi_r():
    vertices, faces = _cylinder(0.05, 0.05, 0.19)

    found = residual_girths(
        vertices, faces, np.ones(len(vertices), bool), upstream=np.zeros(3), end=np.array([0, 0, -0.19])
    )

    assert len(found) == 7
    assert [g.from_end_m for g in found] == pytest.approx([0.025 * i for i in range(1, 8)])
    assert all(g.girth_m == pytest.approx(2 * np.pi * 0.05, rel=2e-3) for g in found)


def test_widths_are_those_of_the_ellipse():
    vertices, faces = _cylinder(0.06, 0.04, 0.2)

    found = residual_girths(
        vertices, faces, np.ones(len(vertices), bool), upstream=np.zeros(3), end=np.array([0, 0, -0.2])
    )

    assert found[2].widest_m == pytest.approx(0.12, rel=5e-3)
    assert found[2].narrowest_m == pytest.approx(0.08, rel=5e-3)


def test_another_limb_beside_it_does_not_count():
    vertices, faces = _cylinder(0.05, 0.05, 0.2)
    both = np.vstack([vertices, vertices + [0.5, 0, 0]])
    both_faces = np.vstack([faces, faces + len(vertices)])

    found = residual_girths(
        both, both_faces, np.ones(len(both), bool), upstream=np.zeros(3), end=np.array([0, 0, -0.2])
    )

    assert found[0].girth_m == pytest.approx(2 * np.pi * 0.05, rel=2e-3)


def test_nothing_marked_residual_has_no_girths():
    vertices, faces = _cylinder(0.05, 0.05, 0.2)

    found = residual_girths(
        vertices, faces, np.zeros(len(vertices), bool), upstream=np.zeros(3), end=np.array([0, 0, -0.2])
    )

    assert found == ()
