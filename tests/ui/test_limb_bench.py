"""The limb's benchmark runs and measures every kind of step; exact figures come from `limbstudio bench limb`."""

from limbstudio.ui.benches.limb import bench_limb


def test_ring_and_brushes_are_measured(qtbot):
    figures = bench_limb(steps=4, rounds=1).values

    assert figures["limb_vertices"] > 1000
    assert figures["longest_edge_mm"] <= 4.0
    for kind in ("ring", "pull", "smooth"):
        assert 0 < figures[kind]["event_to_paint_p50_ms"] <= figures[kind]["event_to_paint_p95_ms"]
    assert figures["pull"]["release_to_recorded_p50_ms"] > 0
