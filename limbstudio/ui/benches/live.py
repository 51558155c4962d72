"""How fast the body follows: a wrist dragged in a real window, from the mouse's event to the picture that shows it."""

import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from PySide6.QtCore import QEvent, QEventLoop, QPointF, QTimer
from PySide6.QtWidgets import QApplication

from limbstudio.domain.anatomy import LDPOSE_INDEX
from limbstudio.evaluation.benchmarks import Figures
from limbstudio.services.live import LiveAnswer, LivePicture
from limbstudio.ui.benches.sample_window import SIZE, sample_window, send_mouse, step_figures
from limbstudio.ui.living.live_body import LivingBody
from limbstudio.ui.main_window import MainWindow

# What a step may take from event to picture, p95 (ms): alone, and while a batch of fits runs.
BAR_MS, BAR_WITH_BATCH_MS = 33.0, 50.0
_RADIUS_PX = 40.0  # of the circle on which the wrist goes round, screen px
_PATIENCE_S = 120.0
_ALARM_MS = 50


@dataclass
class _Taken:
    """What one kind of drag took, ms. steps: event to picture. settled: release to the last, sharp picture. window_cpu,
    live_cpu: of the window's thread and of the live process per step, which other programs hardly lengthen.
    """

    steps: list[list[float]] = field(default_factory=list)
    settled: list[float] = field(default_factory=list)
    window_cpu: list[float] = field(default_factory=list)
    live_cpu: list[float] = field(default_factory=list)

    def figures(self, bar_ms: float) -> dict[str, float | bool]:
        return step_figures("event to picture", self.steps, bar_ms) | {
            "window_cpu_per_step_ms": float(np.median(self.window_cpu)),
            "live_process_cpu_per_step_ms": float(np.median(self.live_cpu)),
            "settled_after_release_p50_ms": float(np.median(self.settled)),
        }


def bench_live(
    *,
    steps: int = 60,
    rounds: int = 5,
    report: Callable[[float, str], None] = lambda fraction, sentence: None,
) -> Figures:
    """Measure drags of a wrist of the first sample person, with the body over the photo and in 3D; needs a display.

    With the inset and with the large 3D view, each alone and while a batch of fits runs. A step is one mouse move; the
    next comes when its body is painted. The quietest round is reported too: other programs only ever make it slower.
    """
    with tempfile.TemporaryDirectory() as folder, sample_window(Path(folder)) as window:
        report(0.0, "Live: fitting the first person")
        bench = _Bench(window)
        kinds = {"inset": (False, False), "large_view": (True, False)}
        kinds |= {f"{name}_with_batch": (large, True) for name, (large, _) in kinds.items()}
        taken = {name: _Taken() for name in kinds}
        for number in range(rounds):
            for name, (large, batch) in kinds.items():
                report(number / rounds, f"Live: {name.replace('_', ' ')}")
                bench.drag(taken[name], steps, large=large, batch=batch)
        first = bench.first_ms
    values: dict[str, Mapping[str, float | bool]] = {
        name: taken[name].figures(BAR_WITH_BATCH_MS if batch else BAR_MS)
        for name, (_, batch) in kinds.items()
    }
    title = f"Living body, window {SIZE[0]} x {SIZE[1]}"
    return Figures(title, {"first_drag_first_picture_ms": first, **values})


class _Bench:
    """Drags in one window, on its first person, who is fitted first."""

    def __init__(self, window: MainWindow) -> None:
        self._window = window
        self._view = window.annotate_page.view
        self._studio = window.studio
        self._living = next(f for f in window.features if isinstance(f, LivingBody))
        self._pictured = 0
        self._is_last = False
        self._living.shown.connect(self._on_shown)
        self.first_ms: float | None = None
        _wait(lambda: self._view.has_photo and window.session.person is not None)
        person = window.session.person
        assert person is not None
        self._studio.fit(person.id).wait(_PATIENCE_S)
        _wait(lambda: window.annotate_page.mesh_view.has_body)
        window.actions_table["select"].trigger()
        self._batch = None

    def _on_shown(self, answer: LiveAnswer) -> None:
        if isinstance(answer, LivePicture):
            self._pictured, self._is_last = answer.sequence, answer.is_last

    def drag(self, taken: _Taken, steps: int, *, large: bool, batch: bool) -> None:
        """Drag the wrist round a circle, note what each step took, and take the drag back."""
        self._living.set_large(large)
        _settle()
        if batch:
            self._start_batch()
        middle = self._view.points_on_screen()[LDPOSE_INDEX["left_wrist"]]
        send_mouse(self._view.viewport(), QEvent.Type.MouseButtonPress, middle)
        found: list[float] = []
        window_cpu = live_cpu = 0.0
        for number in range(steps + 1):
            angle = number / 8
            at = middle + QPointF(np.cos(angle), np.sin(angle)) * _RADIUS_PX
            ms = self._step(at)
            if number:
                found.append(ms)
            else:  # it begins the drag: the press chose the point, the loupe opened
                self.first_ms = ms if self.first_ms is None else self.first_ms
                window_cpu, live_cpu = time.thread_time(), _cpu_s(self._living)
        taken.steps.append(found)
        taken.window_cpu.append((time.thread_time() - window_cpu) * 1000 / steps)
        taken.live_cpu.append((_cpu_s(self._living) - live_cpu) * 1000 / steps)
        start = time.perf_counter()
        send_mouse(self._view.viewport(), QEvent.Type.MouseButtonRelease, middle)
        _wait(lambda: self._is_last and self._pictured >= self._living.asked)
        _settle()
        taken.settled.append((time.perf_counter() - start) * 1000)
        photo = self._window.session.photo
        self._studio.undo(photo.sha256 if photo is not None else None)
        _wait(lambda: not self._living.shows_live)
        if batch:
            self._end_batch()

    def _step(self, at: QPointF) -> float:
        start = time.perf_counter()
        send_mouse(self._view.viewport(), QEvent.Type.MouseMove, at)
        asked = self._living.asked
        _wait(lambda: self._pictured >= asked)
        _settle()
        return (time.perf_counter() - start) * 1000

    def _start_batch(self) -> None:
        """Fit all photos anew: each has a stale fit or none, since its people were touched or never fitted."""
        self._batch = self._studio.fit_people(
            [photo.sha256 for photo in self._studio.photos][1:], title="Batch beside a drag"
        )
        _wait(lambda: self._batch is not None and self._batch.progress > 0)

    def _end_batch(self) -> None:
        """Cancel what is left, and take away what was made, so that the next round's batch has as much to do."""
        if self._batch is not None:
            self._batch.cancel()
            _wait(lambda: self._batch is not None and self._batch.state.has_ended)


def _cpu_s(living: LivingBody) -> float:
    """Return how long the live process has computed, seconds; not a number where the system does not say."""
    process = living.lane.process_id if living.lane is not None else None
    try:
        return int(Path(f"/proc/{process}/schedstat").read_text().split()[0]) / 1e9
    except (OSError, ValueError):
        return float("nan")


def _settle() -> None:
    """Let everything be painted."""
    for _ in range(3):
        QApplication.processEvents()


def _wait(holds: Callable[[], bool]) -> None:
    """Serve events until something holds; between them the thread sleeps, as it does in the program."""
    until = time.monotonic() + _PATIENCE_S
    alarm = QTimer()  # or a wait for what was missed would have no end
    alarm.start(_ALARM_MS)
    while not holds():
        if time.monotonic() > until:
            raise TimeoutError("The window did not come so far; run it with nothing else on the display.")
        QApplication.processEvents(QEventLoop.ProcessEventsFlag.WaitForMoreEvents)
    alarm.stop()
