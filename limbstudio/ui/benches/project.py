"""`limbstudio bench project`: a project of 50,000 photos beside one of 1,000."""

import hashlib
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from limbstudio.domain.errors import KnownError
from limbstudio.evaluation.benchmarks import Figures
from limbstudio.services import project_bench
from limbstudio.services.large_projects import make_large_project
from limbstudio.services.project_bench import p50

Report = Callable[[float, str], None]
SIZE = (4000, 3000)
_TIMEOUT_S = 300


def make_photos(folder: Path, number: int, size: tuple[int, int] = SIZE) -> list[tuple[Path, str]]:
    """Write so many JPEG files, made up; all show the same, and each has a content of its own."""
    import cv2

    rng = np.random.default_rng(3)
    coarse = rng.integers(30, 220, (size[1] // 50, size[0] // 50, 3), np.uint8)
    picture = cv2.resize(coarse, size, interpolation=cv2.INTER_CUBIC).astype(np.int16)
    picture += rng.normal(0, 5, picture.shape).astype(np.int16)  # as much detail as a camera's noise
    done, data = cv2.imencode(
        ".jpg", np.clip(picture, 0, 255).astype(np.uint8), [cv2.IMWRITE_JPEG_QUALITY, 88]
    )
    assert done
    folder.mkdir(parents=True, exist_ok=True)
    files = []
    for n in range(number):
        content = data.tobytes() + b"%08d" % n  # what follows the picture's end is not read
        path = folder / f"IMG_{n:05d}.jpg"
        path.write_bytes(content)
        files.append((path, hashlib.sha256(content).hexdigest()))
    return files


def bench_project(
    *,
    photos: int = 50_000,
    small: int = 1_000,
    commits: int = 300,
    rounds: int = 120,
    window: bool = True,
    report: Report = lambda fraction, sentence: None,
) -> Figures:
    """Measure opening, searching, editing and committing; ratios are of the large project to the small one."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        report(0.0, "Making a small and a large project")
        files = make_photos(folder / "photos", 4)
        few, many = folder / "small.limb", folder / "large.limb"
        make_large_project(few, small, files=files, size=SIZE)
        make_large_project(many, photos, files=files, size=SIZE)
        report(0.3, "Commits")
        values: dict[str, Any] = {
            "photos": photos,
            "file_mb": (many / "project.sqlite").stat().st_size / 1e6,
            "commits": project_bench.measure_commits(many, commits),
        }
        report(0.4, "Edits, undo and next in both")
        values["large_beside_small"] = project_bench.compare_sizes(few, many, rounds)
        report(0.6, "Searches")
        values["searches"] = project_bench.measure_searches(many)
        if window:
            report(0.7, "To the first photo")
            values["to_first_photo"] = _first_photos(few, many, folder)
    report(1.0, "Done")
    return Figures("project", values)


def _first_photos(few: Path, many: Path, folder: Path) -> dict[str, Any]:
    _first_photo(many)  # what is read from the disk is in its cache from now on
    warm = [_first_photo(many) for _ in range(3)]
    small = [_first_photo(few) for _ in range(3)]
    started = [_first_photo(many, start=True) for _ in range(3)]
    forgot = project_bench.drop_page_cache(folder)
    cold = _first_photo(many)
    return {
        "warm_s": p50([found["first_photo_s"] for found in warm]),
        "warm_cpu_s": p50([found["first_photo_cpu_s"] for found in warm]),
        "cold_s": cold["first_photo_s"],
        "cold_means": f"{forgot} was dropped",
        "small_warm_s": p50([found["first_photo_s"] for found in small]),
        "start_of_the_program_to_photo_warm_s": p50([found["start_to_photo_s"] for found in started]),
        "searchable_warm_s": p50([found["searchable_s"] for found in warm]),
    }


def _first_photo(project: Path, *, start: bool = False) -> dict[str, float]:
    command = [sys.executable, "-m", "limbstudio.ui.benches.first_photo", str(project)]
    if start:
        command.append(repr(time.monotonic()))
    done = subprocess.run(command, capture_output=True, text=True, timeout=_TIMEOUT_S, check=False)
    if done.returncode != 0:
        raise KnownError(f"The window failed: {done.stderr.strip()}", "It needs a display.")
    return json.loads(done.stdout.strip().splitlines()[-1])
