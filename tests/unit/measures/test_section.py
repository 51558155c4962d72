"""Sections of shapes whose girth, area and widths are known."""

import json
from pathlib import Path

import numpy as np
import pytest
import trimesh
from scipy.spatial import ConvexHull

from limbstudio.domain.errors import KnownError
from limbstudio.measures import section
from limbstudio.measures.section import loop_around, plane_section


def _cylinder(sections: int = 256) -> tuple[np.ndarray, np.ndarray]:
    mesh = trimesh.creation.cylinder(radius=0.05, height=0.4, sections=sections)
    return np.array(mesh.vertices), np.array(mesh.faces)


def test_a_cylinder_has_the_girth_area_and_widths_of_its_circle():
    vertices, faces = _cylinder()

    (loop,) = plane_section(vertices, faces, origin=np.array([0, 0, 0.01]), normal=np.array([0, 0, 1.0]))

    assert loop.closed
    assert loop.girth_m == pytest.approx(2 * np.pi * 0.05, rel=1e-4)
    assert loop.tape_girth_m == pytest.approx(loop.girth_m, rel=1e-9)
    assert loop.area_m2 == pytest.approx(np.pi * 0.05**2, rel=2e-4)
    assert loop.width_m(np.array([1.0, 0, 7])) == pytest.approx(0.1, rel=1e-3)
    assert loop.centroid == pytest.approx([0, 0, 0.01], abs=1e-9)


def test_a_tilted_plane_cuts_an_ellipse():
    vertices, faces = _cylinder()
    normal = np.array([0, np.sin(0.6), np.cos(0.6)])

    (loop,) = plane_section(vertices, faces, origin=np.zeros(3), normal=normal)

    assert loop.area_m2 == pytest.approx(np.pi * 0.05**2 / np.cos(0.6), rel=1e-3)
    assert loop.width_m(np.array([0, 1.0, 0])) == pytest.approx(0.1 / np.cos(0.6), rel=1e-3)


def test_a_plane_through_vertices_cuts_one_closed_loop():
    mesh = trimesh.creation.icosphere(subdivisions=3, radius=1.0)

    loops = plane_section(
        np.array(mesh.vertices), np.array(mesh.faces), origin=np.zeros(3), normal=np.array([0, 0, 1.0])
    )

    assert len(loops) == 1
    assert loops[0].closed
    assert loops[0].girth_m == pytest.approx(2 * np.pi, rel=0.01)


def test_a_plane_that_misses_cuts_nothing():
    vertices, faces = _cylinder()

    assert plane_section(vertices, faces, origin=np.array([0, 0, 1.0]), normal=np.array([0, 0, 1.0])) == ()


def test_every_one_of_two_limbs_is_cut_and_the_axis_chooses():
    vertices, faces = _cylinder()
    both = np.concatenate([vertices, vertices + [0.3, 0, 0]])
    loops = plane_section(
        both,
        np.concatenate([faces, faces + len(vertices)]),
        origin=np.zeros(3),
        normal=np.array([0, 0, 1.0]),
    )

    right = loop_around(loops, np.array([0.31, 0.01, 0]))

    assert len(loops) == 2
    assert right is not None
    assert right.centroid == pytest.approx([0.3, 0, 0], abs=1e-6)
    assert loop_around((), np.zeros(3)) is None


def test_a_tape_bridges_a_hollow_that_the_contour_follows():
    outline = np.array([[0, 0], [4, 0], [4, 4], [2, 1], [0, 4.0]])
    wall = np.concatenate([np.c_[outline, np.zeros(5)], np.c_[outline, np.ones(5)]])
    faces = []
    for i in range(5):
        j = (i + 1) % 5
        faces += [[i, j, j + 5], [i, j + 5, i + 5]]

    (loop,) = plane_section(wall, np.array(faces), origin=np.array([0, 0, 0.3]), normal=np.array([0, 0, 1.0]))

    assert loop.girth_m == pytest.approx(12 + 2 * np.hypot(2, 3))
    assert loop.tape_girth_m == pytest.approx(16)
    assert loop.area_m2 == pytest.approx(10)


def test_an_open_wall_gives_an_open_loop():
    vertices = np.array([[0, 0, 0], [1, 0, 0], [2, 0, 0], [0, 0, 1], [1, 0, 1], [2, 0, 1.0]])
    faces = np.array([[0, 1, 4], [0, 4, 3], [1, 2, 5], [1, 5, 4]])

    (loop,) = plane_section(vertices, faces, origin=np.array([0, 0, 0.5]), normal=np.array([0, 0, 1.0]))

    assert not loop.closed
    assert loop.girth_m == pytest.approx(2)


def test_a_fin_on_an_edge_is_refused_in_words():
    vertices = np.array([[0, 0, 0], [0, 0, 1], [1, 0, 0], [0, 1, 0], [-1, 0, 0.0]])
    faces = np.array([[0, 2, 1], [0, 3, 1], [0, 4, 1]])

    with pytest.raises(KnownError, match="More than two faces"):
        plane_section(vertices, faces, origin=np.array([0, 0, 0.5]), normal=np.array([0, 0, 1.0]))


def test_girths_of_a_limb_scan_are_those_of_independent_programs(shared_data: Path):
    # The reference was cut with trimesh and VTK, which agree to a micrometre.
    reference = json.loads((shared_data / "reference" / "ampscan_reference.json").read_text())
    scan = trimesh.load(shared_data / "real" / "meshes" / "ampscan" / "stl_file.stl")
    slices = reference["independent_crosscheck_trimesh"]["stl_file.stl"]["slices"]

    for row in slices:
        loops = plane_section(
            np.array(scan.vertices),
            np.array(scan.faces),
            origin=np.array([0, 0, row["z"]]),
            normal=np.array([0, 0, 1.0]),
        )

        assert len(loops) == 1
        assert loops[0].girth_m == pytest.approx(row["perimeter_mm"], abs=1e-3)
        assert loops[0].area_m2 == pytest.approx(row["csa_mm2"], abs=1e-2)
        assert loops[0].width_m(np.array([1.0, 0, 0])) == pytest.approx(row["width_x_mm"], abs=1e-3)
        assert loops[0].width_m(np.array([0, 1.0, 0])) == pytest.approx(row["width_y_mm"], abs=1e-3)
    assert len(slices) == 9


@pytest.mark.parametrize("seed", range(30))
def test_the_hull_is_the_one_that_others_find(seed):
    rng = np.random.default_rng(seed)
    count = int(rng.integers(3, 600))
    angle = np.sort(rng.uniform(0, 2 * np.pi, count))
    radius = 1 + rng.choice([0, 0.001, 0.05, 0.4]) * rng.normal(size=count)
    points = np.column_stack([radius * np.cos(angle), radius * np.sin(angle)])
    if seed % 3 == 0:
        points = np.round(points, 2)  # many on one line, some on each other
    if seed % 5 == 0:
        points = np.concatenate([points, points[: count // 2], points[: count // 2] + 1e-15])

    hull = points[section._hull(points)]

    length = np.linalg.norm(np.roll(hull, -1, axis=0) - hull, axis=1).sum()
    assert length == pytest.approx(
        ConvexHull(points).area, rel=1e-9
    )  # the "area" of a plane hull is its perimeter
