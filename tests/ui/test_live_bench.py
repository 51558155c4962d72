"""The benchmark of the living body runs and measures every kind of drag; exact figures come from `limbstudio bench
live`.
"""

import pytest

from limbstudio.ui.benches.live import bench_live


@pytest.mark.slow
def test_every_kind_of_drag_is_measured(qtbot):
    figures = bench_live(steps=3, rounds=1).values

    for kind in ("inset", "large_view", "inset_with_batch", "large_view_with_batch"):
        found = figures[kind]
        assert 0 < found["event_to_picture_p50_ms"] <= found["event_to_picture_p95_ms"] < 5000
        assert found["within_bar"] == (found["event_to_picture_p95_ms"] <= found["bar_p95_ms"])
        assert 0 < found["settled_after_release_p50_ms"] < 10_000
    assert figures["inset"]["bar_p95_ms"] == 33
    assert figures["inset_with_batch"]["bar_p95_ms"] == 50
