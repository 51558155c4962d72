"""`limbstudio bench walk`: from photo to photo of 12 megapixels, at leisure and with the key held, and what stays."""

import os
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PySide6.QtWidgets import QApplication

from limbstudio.evaluation.benchmarks import Figures
from limbstudio.services import machine
from limbstudio.services.large_projects import make_large_project
from limbstudio.services.project_bench import p50, p95
from limbstudio.ui.benches.closing import close_window
from limbstudio.ui.benches.first_photo import open_window, wait_for_photo
from limbstudio.ui.benches.project import SIZE, Report, make_photos
from limbstudio.ui.main_window import MainWindow

_KEY_S = 0.1  # a held key comes ten times a second
_LOOK_S = 0.6  # how long one looks at a photo at leisure
_REST_S = 3.0  # until what is read ahead has been read
_MOST_S = 30.0


@dataclass
class _Step:
    """One step. shown_s: until its photo was painted; None when another came before. was_sharp: at first."""

    shown_s: float | None
    was_sharp: bool


def bench_walk(
    *,
    photos: int = 1000,
    leisurely: int = 60,
    held: int = 100,
    report: Report = lambda fraction, sentence: None,
) -> Figures:
    """Walk through all photos; memory is read half way and at the end. Needs a display and 3 MB a photo."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        report(0.0, "Making photos")
        files = make_photos(folder / "photos", photos)
        project = folder / "walk.limb"
        make_large_project(project, photos, files=files, size=SIZE)
        window = open_window(project, folder)
        try:
            values = _walk(window, photos, leisurely, held, report)
        finally:
            close_window(window)
    report(1.0, "Done")
    return Figures("walk", values)


def _walk(window: MainWindow, photos: int, leisurely: int, held: int, report: Report) -> dict[str, Any]:
    wait_for_photo(window, sharp=True)
    load_3d(window)
    memory = {"before_mb": memory_mb()}
    report(0.1, "At leisure")
    slow = [_step(window, pause_s=_LOOK_S) for _ in range(min(leisurely, photos // 4))]
    report(0.3, "With the key held")
    fast, behind_s = _hold_key(window, min(held, photos // 4))
    half = photos // 2
    for name, last in (("after_half_mb", half), ("after_all_mb", photos - 1)):
        while _place(window) < last:
            if _place(window) % 50 == 0:
                report(0.4 + 0.6 * _place(window) / photos, f"Photo {_place(window)} of {photos}")
            _step(window, pause_s=0.2, sharp=_place(window) % 5 == 0)
        memory[f"{name}_at_work"] = memory_mb()
        wait_for_photo(window, sharp=True)
        _look(_REST_S)
        memory[name] = memory_mb()
    return {
        "at_leisure": {**_figures(slow), "photos": len(slow)},
        "key_held": {
            **_figures(fast),
            "photos": len(fast),
            "passed_unseen": sum(step.shown_s is None for step in fast),
            "behind_at_the_end_ms": behind_s * 1000,
        },
        "memory": {**memory, "growth_in_second_half_mb": memory["after_all_mb"] - memory["after_half_mb"]},
    }


def load_3d(window: MainWindow) -> None:
    """Load 3D as the program does, so that memory is that of a window in use."""
    loaded: list[bool] = []
    window.annotate_page.fit_showing.meshes_allowed.connect(lambda: loaded.append(True))
    window.load_3d()
    _until(lambda: bool(loaded))


def memory_mb() -> float:
    """Return what this process holds in memory, MB of 10^6 bytes; NaN where that is not known."""
    taken = machine.memory_of(os.getpid())
    return float("nan") if taken is None else taken / 1e6


def _place(window: MainWindow) -> int:
    photo = window.session.photo
    return window.studio.photos.place_of(photo.sha256) if photo is not None else 0


def _step(window: MainWindow, *, pause_s: float, sharp: bool = False) -> _Step:
    """Do what the key for the next photo does, wait until it is painted, and look at it."""
    began = time.perf_counter()
    window.actions_table["next_photo"].trigger()
    shown = wait_for_photo(window)
    step = _Step(shown - began, window.annotate_page.reading.is_sharp)
    if sharp:
        wait_for_photo(window, sharp=True)
    _look(pause_s)
    return step


def _look(for_s: float) -> None:
    end = time.perf_counter() + for_s
    _until(lambda: time.perf_counter() >= end)


def _hold_key(window: MainWindow, number: int) -> tuple[list[_Step], float]:
    """Do what the key does ten times a second; return the steps and how late the last photo came, s."""
    reading = window.annotate_page.reading
    steps: list[_Step] = []
    next_press = time.perf_counter()
    pressed_at: float | None = None
    while len(steps) < number or pressed_at is not None:
        QApplication.processEvents()
        now = time.perf_counter()
        if pressed_at is not None and reading.is_shown:
            window.annotate_page.view.viewport().repaint()
            steps.append(_Step(time.perf_counter() - pressed_at, reading.is_sharp))
            pressed_at = None
        pressed = False
        # Keys that came while the window was busy wait in the window system's queue, and come together.
        while len(steps) + (pressed_at is not None) < number and now >= next_press:
            if pressed_at is not None:
                steps.append(_Step(None, False))
            # The moment the key was due: a window that is busy when it comes is late.
            pressed_at, next_press = next_press, next_press + _KEY_S
            window.actions_table["next_photo"].trigger()
            pressed = True
        if not pressed:
            time.sleep(0.001)
    last = steps[-1].shown_s
    return steps, 0.0 if last is None else last


def _until(happened: Callable[[], bool]) -> None:
    end = time.perf_counter() + _MOST_S
    while not happened() and time.perf_counter() < end:
        QApplication.processEvents()
        time.sleep(0.001)


def _figures(steps: list[_Step]) -> dict[str, float]:
    shown = [step.shown_s * 1000 for step in steps if step.shown_s is not None]
    if not shown:
        return {}
    sharp = sum(step.was_sharp for step in steps) / len(steps)
    return {
        "event_to_photo_median_ms": p50(shown),
        "event_to_photo_p95_ms": p95(shown),
        "sharp_at_once_share": sharp,
    }
