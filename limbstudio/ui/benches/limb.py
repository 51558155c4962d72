"""How fast the limb follows in 3D: steps of brush and girth ring, from the mouse's event to the painted view."""

import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from PySide6.QtCore import QEvent, QEventLoop, QObject, QPointF
from PySide6.QtWidgets import QApplication

from limbstudio.domain.corrections import Brush
from limbstudio.evaluation.benchmarks import Figures
from limbstudio.ui.benches.sample_window import SIZE, sample_window, send_mouse, step_figures
from limbstudio.ui.limb.correcting import Correcting
from limbstudio.ui.limb.measuring import Measuring
from limbstudio.ui.main_window import MainWindow
from limbstudio.ui.mesh_view import View

BAR_MS = 30.0  # what a step may take from event to the end of the view's paint, p95
_PATIENCE_S = 120.0
_KINDS = ("ring", "pull", "smooth")


@dataclass
class _Taken:
    """What the steps of one kind took, ms, by round. cpu: of the window's thread, which others hardly lengthen.
    release: from letting go to the checked, recorded stroke.
    """

    steps: list[list[float]] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)
    release: list[float] = field(default_factory=list)

    def figures(self) -> dict[str, float | bool]:
        made = step_figures("event to paint", self.steps, BAR_MS)
        made["window_cpu_p50_ms"] = float(np.median(self.cpu))
        made["window_cpu_p95_ms"] = float(np.percentile(self.cpu, 95))
        if self.release:
            made["release_to_recorded_p50_ms"] = float(np.median(self.release))
        return made


def bench_limb(
    *,
    steps: int = 60,
    rounds: int = 5,
    report: Callable[[float, str], None] = lambda fraction, sentence: None,
) -> Figures:
    """Measure drags of the ring and strokes on the first sample person's residual limb; needs a display.

    A step is one mouse move, up to the end of the view's paint. The linked views are shown and follow meanwhile, as
    they do for a person. The quietest round is reported too: other programs only ever make it slower.
    """
    with tempfile.TemporaryDirectory() as folder, sample_window(Path(folder), run_inline=True) as window:
        report(0.0, "Limb: fitting the first person")
        bench = _Bench(window)
        taken = {kind: _Taken() for kind in _KINDS}
        for number in range(rounds):
            for kind in _KINDS:
                report(number / rounds, f"Limb: {kind}")
                bench.measure(kind, taken[kind], steps)
        surface = window.mesh_page.work.surface
        assert surface is not None
        counts = {
            "limb_vertices": len(surface.points),
            "longest_edge_mm": 1000 * _longest_edge(surface.points, surface.faces),
        }
    values: dict[str, Mapping[str, float | bool]] = {kind: item.figures() for kind, item in taken.items()}
    return Figures(f"Limb in 3D, window {SIZE[0]} x {SIZE[1]}", counts | values)


def _longest_edge(points: np.ndarray, faces: np.ndarray) -> float:
    corners = points[faces]
    return float(np.linalg.norm(corners - corners[:, [1, 2, 0]], axis=2).max())


class _Painted(QObject):
    """Note when the view was painted."""

    def __init__(self) -> None:
        super().__init__()
        self.count = 0

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() is QEvent.Type.Paint:
            self.count += 1
        return False


class _Bench:
    """Drags on the residual limb of the first person, who is fitted first."""

    def __init__(self, window: MainWindow) -> None:
        self._page = page = window.mesh_page
        self._session = window.session
        _wait(lambda: window.annotate_page.view.has_photo and window.session.person is not None)
        person = window.session.person
        assert person is not None
        window.studio.fit(person.id)
        window.show_residual_limb()
        for what, holds in (
            ("loaded 3D", lambda: page.view.has_body),
            ("opened the limb", lambda: page.shows_limb and page.work.is_current),
            ("counted its facts", lambda: page.work.facts is not None),
        ):
            _wait(holds, what=what)
        self._stage = page.view.stage
        self._measuring = next(f for f in window.features if isinstance(f, Measuring))
        self._correcting = next(f for f in window.features if isinstance(f, Correcting))
        self._painted = _Painted()
        self._stage.installEventFilter(self._painted)

    def measure(self, kind: str, taken: _Taken, steps: int) -> None:
        """Make one drag of a kind, note its steps, and take it back."""
        page = self._page
        page.look_from(View.FRONT)
        page.toolbox.leave()
        page.work.move_ring(0.1)
        if kind != "ring":
            page.toolbox.choose(f"brush_{Brush(kind).value}")
        _settle()
        start = self._ring() if kind == "ring" else self._on_limb(0.5)
        send_mouse(self._stage, QEvent.Type.MouseButtonPress, start)
        _settle()
        found = []
        for number in range(steps):
            angle = 2 * np.pi * number / 40
            shift = (
                QPointF(0, 60 * np.sin(angle))
                if kind == "ring"
                else QPointF(40 * np.sin(angle), 30 * (1 - np.cos(angle)))
            )
            before, cpu = self._painted.count, time.thread_time()
            began = time.perf_counter()
            send_mouse(self._stage, QEvent.Type.MouseMove, start + shift)
            _wait(lambda before=before: self._painted.count > before, idle=False)
            found.append((time.perf_counter() - began) * 1000)
            taken.cpu.append((time.thread_time() - cpu) * 1000)
        taken.steps.append(found)
        began = time.perf_counter()
        send_mouse(self._stage, QEvent.Type.MouseButtonRelease, start)
        if kind != "ring":
            work = page.work
            _wait(lambda: bool(work.operations) and work.is_current)
            taken.release.append((time.perf_counter() - began) * 1000)
            self._session.undo()
            _wait(lambda: not work.operations and work.is_current)
        _settle()

    def _ring(self) -> QPointF:
        ring = self._measuring.overlay.ring
        assert ring is not None
        px, facing = ring.seen(self._measuring.seen())
        front = px[facing]
        return QPointF(*front[int(np.argmin(np.abs(front[:, 0] - front[:, 0].mean())))])

    def _on_limb(self, share: float) -> QPointF:
        start, end = self._stage.on_view(np.asarray(self._page.scene.axis_line))
        return QPointF(*(start + share * (end - start)))


def _wait(holds: Callable[[], bool], *, idle: bool = True, what: str = "come that far") -> None:
    """Let events be handled until something holds. idle: leave the time between them to other threads."""
    until = time.monotonic() + _PATIENCE_S
    while not holds():
        if time.monotonic() > until:
            raise TimeoutError(f"The window has not {what}.")
        QApplication.processEvents(QEventLoop.ProcessEventsFlag.AllEvents, 20)
        if idle:
            time.sleep(0.005)


def _settle() -> None:
    for _ in range(5):
        QApplication.processEvents()
