"""The canvas's benchmark runs and measures every kind of step; exact figures come from `limbstudio bench canvas`."""

from limbstudio.ui.benches.canvas import bench_canvas


def test_every_kind_of_step_is_measured_and_a_drag_paints_less_than_a_zoom(qtbot):
    figures = bench_canvas(steps=4, rounds=1).values

    for kind in ("drag", "pan", "zoom", "gamma", "pan_with_gamma", "turned_zoom"):
        assert 0 < figures[kind]["paint_median_ms"] < 2000
        assert figures[kind]["event_to_paint_end_median_ms"] >= figures[kind]["paint_median_ms"] * 0.99
    assert figures["drag"]["paint_cpu_median_ms"] < figures["zoom"]["paint_cpu_median_ms"]
