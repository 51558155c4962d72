"""How fast synthetic samples are made: processor time of one in this process, and the rate of all cores together.

The rate is the clock's and falls with whatever else the computer does; the processor's time hardly does.
"""

import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from limbstudio.a3d.crew import most_workers
from limbstudio.a3d.making import make_set
from limbstudio.a3d.plans import SampleOptions
from limbstudio.a3d.sampling import make_sample, open_sources
from limbstudio.evaluation.benchmarks import Figures

BAR_PER_S_ON_TWO_CORES = 8.0
_SEED = 7


def bench_a3d(
    *,
    samples: int = 60,
    size_px: int = 256,
    poses: Path | None = None,
    rate: bool = True,
    report: Callable[[float, str], None] = lambda fraction, sentence: None,
) -> Figures:
    """Make samples and count seconds. rate: also with all cores, from their start to the datasheet."""
    options = SampleOptions(seed=_SEED, size_px=size_px, poses=poses)
    began = time.process_time()
    sources = open_sources(options)
    opening_s = time.process_time() - began
    make_sample(sources, samples)  # tables that are made once belong to the opening
    taken = []
    for index in range(samples):
        report(0.5 * index / samples, f"Making samples ({index} of {samples})")
        taken.append(make_sample(sources, index).cpu_s)
    mean = float(np.mean(taken))
    values: dict[str, float | int | bool] = {
        "samples": samples,
        "size_px": size_px,
        "opening_cpu_s": opening_s,
        "cpu_mean_s": mean,
        "cpu_p50_s": float(np.median(taken)),
        "cpu_p95_s": float(np.percentile(taken, 95)),
        "two_cores_by_cpu_per_s": 2 / mean,
        "bar_per_s": BAR_PER_S_ON_TWO_CORES,
        "holds": 2 / mean >= BAR_PER_S_ON_TWO_CORES,
    }
    if rate:
        with tempfile.TemporaryDirectory() as folder:
            began = time.perf_counter()
            make_set(
                Path(folder) / "set",
                samples,
                options,
                workers=most_workers(),
                report=lambda fraction, sentence: report(0.5 + 0.5 * fraction, sentence),
            )
            values |= {"workers": most_workers(), "wall_per_s": samples / (time.perf_counter() - began)}
    return Figures("a3d", values)
