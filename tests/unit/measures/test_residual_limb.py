"""Levels and volumes along shapes whose truth is known."""

import numpy as np
import pytest
import trimesh

from limbstudio.measures.residual_limb import measure_profile, volume_beyond


def _limb() -> tuple[np.ndarray, np.ndarray, int]:
    """Return a limb along -y: a capsule of radius 5 cm whose end is 30 cm below the origin, and its tip."""
    mesh = trimesh.creation.capsule(height=0.5, radius=0.05, count=(64, 64))
    vertices = np.array(mesh.vertices)[:, [0, 2, 1]]
    vertices[:, 1] += -0.3 - vertices[:, 1].min()
    faces = np.array(mesh.faces)[:, ::-1]
    return vertices, faces, int(np.argmin(vertices[:, 1]))


def test_levels_count_from_the_end_in_metres_and_in_percent():
    vertices, faces, tip = _limb()

    profile = measure_profile(
        vertices,
        faces,
        joint=np.zeros(3),
        axis=np.array([0, -2.0, 0]),
        tip=tip,
        anterior=np.array([0, 0, 1.0]),
        from_end_m=[0.1],
        from_end_percent=[50],
    )

    assert profile.length_m == pytest.approx(0.3)
    first, second = profile.levels
    assert first.from_end_percent == pytest.approx(100 / 3)
    assert second.from_end_m == pytest.approx(0.15)
    assert first.girth_m == pytest.approx(2 * np.pi * 0.05, rel=2e-3)
    assert first.width_ml_m == pytest.approx(0.1, rel=2e-3)
    # A half sphere and a cylinder of 5 cm.
    expected = np.pi * 0.05**2 * (2 / 3 * 0.05 + 0.05)
    assert first.volume_beyond_m3 == pytest.approx(expected, rel=5e-3)


def test_mediolateral_and_anteroposterior_are_told_apart():
    vertices, faces, tip = _limb()
    vertices = vertices * [1.0, 1, 1.4]

    profile = measure_profile(
        vertices,
        faces,
        joint=np.zeros(3),
        axis=np.array([0, -1.0, 0]),
        tip=tip,
        anterior=np.array([0, 0.3, 1.0]),
        from_end_m=[0.12],
    )

    assert profile.levels[0].width_ml_m == pytest.approx(0.10, rel=2e-3)
    assert profile.levels[0].width_ap_m == pytest.approx(0.14, rel=2e-3)


def test_a_level_outside_the_limb_stays_in_its_row_and_says_why():
    vertices, faces, tip = _limb()

    profile = measure_profile(
        vertices,
        faces,
        joint=np.zeros(3),
        axis=np.array([0, -1.0, 0]),
        tip=tip,
        anterior=np.array([0, 0, 1.0]),
        from_end_m=[-0.01, 0.1, 0.31],
    )

    assert [bool(level.problem) for level in profile.levels] == [True, False, True]
    assert np.isnan(profile.levels[0].girth_m)
    assert "beyond the end" in profile.levels[0].problem
    assert "above the joint" in profile.levels[2].problem


def test_volume_beyond_a_plane_leaves_the_other_limb_out():
    vertices, faces, tip = _limb()
    both = np.concatenate([vertices, vertices + [0.4, 0, 0]])
    plane = {"origin": np.array([0.2, -0.2, 0.1]), "normal": np.array([0, -1.0, 0]), "tip": tip}

    one = volume_beyond(vertices, faces, **plane)
    of_two = volume_beyond(both, np.concatenate([faces, faces + len(vertices)]), **plane)

    assert one == pytest.approx(np.pi * 0.05**2 * (2 / 3 * 0.05 + 0.05), rel=5e-3)
    assert of_two == pytest.approx(one, rel=1e-12)


def test_the_volumes_on_both_sides_of_a_tilted_plane_add_up():
    mesh = trimesh.creation.icosphere(subdivisions=3, radius=0.1)
    vertices, faces = np.array(mesh.vertices), np.array(mesh.faces)
    normal, origin = np.array([0.3, -0.5, 0.8]), np.array([0.01, 0.02, 0.0])
    ends = vertices @ normal

    up = volume_beyond(vertices, faces, origin=origin, normal=normal, tip=int(ends.argmax()))
    down = volume_beyond(vertices, faces, origin=origin, normal=-normal, tip=int(ends.argmin()))

    assert up + down == pytest.approx(mesh.volume, rel=1e-10)
    assert volume_beyond(vertices, faces, origin=origin, normal=normal, tip=int(ends.argmin())) == 0
