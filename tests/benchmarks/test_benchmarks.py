"""The benchmarks run, and what they measure is not far from what is promised; exact figures come from
`limbstudio bench`.

Times are compared with each other in one run, or with generous bounds: computers that run tests are busy.
"""

import json

import pytest

from limbstudio.body.model import load_body
from limbstudio.domain.errors import KnownError
from limbstudio.evaluation.a3d_benchmark import bench_a3d
from limbstudio.evaluation.benchmarks import Figures, accuracy, bench_fit, bench_start, solver_comparison
from limbstudio.evaluation.stump_benchmark import check, compare
from limbstudio.resihmr.problem import DEFAULT_SETTINGS, fit_model
from limbstudio.resihmr.synthetic import make_people


@pytest.fixture(scope="module")
def body():
    return load_body()


@pytest.fixture(scope="module")
def crowd(body, shared_data):
    return make_people(fit_model(body), shared_data / "poses" / "poses.npz", 24, noise=0.006, seed=5)


@pytest.mark.slow
def test_the_fit_finds_synthetic_people_and_knows_how_sure_it_is(body, crowd):
    found = accuracy(crowd, body, DEFAULT_SETTINGS, lambda fraction, sentence: None)

    assert found["joints_mean_mm"] < 70
    assert found["joints_aligned_mean_mm"] < 45
    assert found["lambda_error_median"] < 0.07
    assert found["lambda_coverage_pct"] > 80
    assert set(found["by_level"]) == {"transfemoral", "transtibial", "transhumeral", "transradial"}


@pytest.mark.slow
def test_the_solver_ends_as_low_as_l_bfgs_b_and_sooner(body, crowd):
    found = solver_comparison(crowd[:3], fit_model(body), DEFAULT_SETTINGS)

    assert found["ratio_median"] <= 1.001
    assert found["ratio_worst"] <= 1.01
    assert found["ours_median_ms"] < found["l_bfgs_b_median_ms"]


@pytest.mark.slow
def test_our_cut_takes_a_third_of_the_time_of_others(body):
    found = compare(body, 30)

    assert found["ours_closed"] == 30
    assert found["ours_median_ms"] <= min(found["trimesh_median_ms"], found["pyvista_median_ms"]) / 3


def test_cuts_that_fail_are_named(body):
    failures: list[str] = []

    found = check(body, 20, seed=3, report=failures.append)

    assert failures == []
    assert found["closed_cuts"] == found["cuts"] == 20


@pytest.mark.slow
def test_starting_is_quick():
    found = bench_start(window=False, repeats=1).values

    # Promised are 0.4, 4 and 8 seconds on an idle computer.
    assert found["help_s"] < 2
    assert found["one_photo_s"] < 16
    assert found["six_photos_s"] < 32


def test_a_synthetic_sample_takes_a_fraction_of_a_second():
    found = bench_a3d(samples=4, rate=False).values

    # Promised are eight in a second on two cores: 0.25 s of a core each.
    assert found["cpu_mean_s"] < 0.75
    assert found["cpu_p50_s"] <= found["cpu_p95_s"]


def test_figures_are_words_for_people_and_json_for_scripts():
    figures = Figures("fit", {"speed": {"cold_median_ms": 71.23456}, "people": 4})

    assert "cold median ms: 71.23" in figures.text
    assert json.loads(figures.json)["figures"]["speed"]["cold_median_ms"] == 71.23456


def test_without_recorded_poses_the_fit_benchmark_says_what_it_needs(tmp_path):
    with pytest.raises(KnownError, match="poses"):
        bench_fit(people=4, poses=tmp_path / "nowhere.npz")
