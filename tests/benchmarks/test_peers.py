"""LimbStudio beside other annotation programs that are installed here; without one the comparison is skipped.

Which they are and how they are installed is told in `peer_windows.py`; exact figures come from running that file.
"""

import importlib.util
import os
import sys
from pathlib import Path
from types import ModuleType

import pytest


@pytest.fixture(scope="module")
def peer_windows() -> ModuleType:
    path = Path(__file__).with_name("peer_windows.py")
    spec = importlib.util.spec_from_file_location("peer_windows", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module


def test_patches_of_neighbouring_photos_are_told_apart(peer_windows):
    colours = [peer_windows.colour(n) for n in range(60)]
    for one, other in zip(colours, colours[1:], strict=False):
        assert max(abs(a - b) for a, b in zip(one, other, strict=True)) > 3 * peer_windows._LIKE


def test_figures_are_medians_of_all_rounds(peer_windows):
    rounds = [
        peer_windows.Round(open_s=2.0, next_s=[0.1, 0.3], settled_s=[0.1, 0.3], save_s=[0.01]),
        peer_windows.Round(open_s=4.0, next_s=[0.2], settled_s=[0.4], save_s=[0.03]),
    ]
    found = peer_windows.figures(rounds)
    assert found["open_median_ms"] == pytest.approx(3000)
    assert found["next_median_ms"] == pytest.approx(200)
    assert found["next_settled_median_ms"] == pytest.approx(300)
    assert found["save_median_ms"] == pytest.approx(20)


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_beside_the_programs_that_are_here(peer_windows, tmp_path):
    if not os.environ.get(peer_windows.PEERS):
        pytest.skip(f"{peer_windows.PEERS} names no interpreter that can import labelme or anylabeling.")
    try:
        peer_windows.Display()
    except RuntimeError as error:
        pytest.skip(str(error))
    found = peer_windows.compare(tmp_path, photos=14, rounds=1, steps=12, edits=4)
    if not found["limbstudio_to"]:
        pytest.skip(f"No interpreter that {peer_windows.PEERS} names can import labelme or anylabeling.")
    print(found)
    for name, ratios in found["limbstudio_to"].items():
        # Computers that run tests are busy: this says that nothing is out of all proportion, no more.
        assert ratios["next_settled_median"] < 5, name
        assert ratios["open_median"] < 5, name
        assert found["figures"]["LimbStudio"]["save_median_ms"] < 500
