"""The benchmarks of large projects, walking and open and close, in short; figures come from `limbstudio bench`."""

import pytest

from limbstudio.ui.benches.cycles import bench_cycles, none_references_gained, slope
from limbstudio.ui.benches.project import bench_project
from limbstudio.ui.benches.walk import bench_walk


def test_windows_that_were_opened_and_closed_end_with_0():
    found = bench_cycles(cycles=4, timeout_s=240).values

    assert found["exit_code"] == 0
    assert abs(found["none_references_gained"]) < 100


def test_ten_thousand_calls_moves_and_repaints_leave_none_alone(qtbot, window):
    assert abs(none_references_gained(window)) < 100


def test_growth_is_the_slope_of_a_line():
    assert slope([10.0, 10.5, 11.0, 11.5]) == pytest.approx(0.5)


def test_a_large_project_is_measured_beside_a_small_one():
    found = bench_project(photos=400, small=200, commits=20, rounds=10, window=False).values

    assert found["commits"]["commit_median_ms"] > 0
    assert set(found["large_beside_small"]) >= {"edit", "undo", "redo", "next", "next_unfinished"}
    assert found["searches"]["p95_ms"] < 1000


@pytest.mark.slow
def test_walking_through_photos_shows_each_and_does_not_fill_the_memory(qtbot):
    found = bench_walk(photos=40, leisurely=6, held=10).values

    assert found["at_leisure"]["photos"] == 6
    assert found["key_held"]["photos"] == 10
    assert found["memory"]["growth_in_second_half_mb"] < 100
