"""`limbstudio bench cycles`: windows and projects opened and closed again and again, and what is left of them.

The cycles run in a process of their own, which must end with 0: `python -m limbstudio.ui.benches.cycles PROJECT N`.
"""

import gc
import json
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
from PySide6.QtCore import QEvent, QPointF, Qt
from PySide6.QtGui import QMouseEvent
from PySide6.QtWidgets import QApplication

from limbstudio.domain.errors import KnownError
from limbstudio.evaluation.benchmarks import Figures
from limbstudio.services.large_projects import make_large_project
from limbstudio.ui.benches.closing import close_window, let_go
from limbstudio.ui.benches.first_photo import open_window, wait_for_photo
from limbstudio.ui.benches.project import Report, make_photos
from limbstudio.ui.benches.walk import load_3d, memory_mb
from limbstudio.ui.main_window import MainWindow

_SETTLED = 10  # what the first cycles take is kept for all that follow
_CALLS = 10_000
_REPAINT_EACH = 50
_SIZE = (900, 600)  # small: what a photo takes is measured by the walk
_TIMEOUT_S = 3600


def bench_cycles(
    *, cycles: int = 100, report: Report = lambda fraction, sentence: None, timeout_s: float = _TIMEOUT_S
) -> Figures:
    """Open a window on a project, look at a photo and close it, `cycles` times; needs a display."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        files = make_photos(folder / "photos", 3, size=_SIZE)
        make_large_project(folder / "some.limb", 200, files=files, size=_SIZE)
        report(0.1, "Opening and closing")
        command = [
            sys.executable,
            "-m",
            "limbstudio.ui.benches.cycles",
            str(folder / "some.limb"),
            str(cycles),
        ]
        done = subprocess.run(command, capture_output=True, text=True, timeout=timeout_s, check=False)
    if done.returncode < 0 or not done.stdout:
        raise KnownError(
            f"The process ended with {done.returncode}: {done.stderr[-2000:]}", "It needs a display."
        )
    found = json.loads(done.stdout.strip().splitlines()[-1])
    report(1.0, "Done")
    memory = found["memory_mb"]
    values = {
        "cycles": cycles,
        "exit_code": done.returncode,
        "memory_after_first_mb": memory[0],
        "memory_after_last_mb": memory[-1],
        "memory_slope_mb_a_cycle": slope(memory[_SETTLED:])
        if len(memory) > _SETTLED + 2
        else "too few cycles",
        "none_references_gained": found["none_references_gained"],
        "qt_calls": _CALLS,
    }
    return Figures("cycles", values)


def slope(values: list[float]) -> float:
    """Return by how much values grow from one to the next: the line through them."""
    return float(np.polyfit(np.arange(len(values)), values, 1)[0])


def none_references_gained(window: MainWindow, calls: int = _CALLS) -> int:
    """Return how many references to None are gained by so many calls to Qt and from it; less than 0 ends in a crash.

    Nothing is made meanwhile. For each thing that is made in Python the binding keeps one reference for each virtual
    function that Qt looks for in it in vain, six for a pixmap that is painted on, and never gives them back: making
    pictures, rows and events lets the count grow, which takes no memory.
    """
    view, model = window.annotate_page.view, window.photos_panel.model
    viewport, index = view.viewport(), model.index(0, 0)

    at, none = QPointF(60, 60), Qt.MouseButton.NoButton
    where = viewport.mapToGlobal(at)
    move = QMouseEvent(QEvent.Type.MouseMove, at, where, none, none, Qt.KeyboardModifier.NoModifier)

    def call() -> None:
        QApplication.sendEvent(viewport, move)
        index.data(Qt.ItemDataRole.DecorationRole)  # nothing: None comes back through Qt
        view.setObjectName("canvas")
        view.setCursor(Qt.CursorShape.CrossCursor)

    def many(rounds: int) -> None:
        for n in range(rounds):
            call()
            if n % _REPAINT_EACH == 0:
                window.repaint()  # all of it: icons, canvas and panels that Python paints
        gc.collect()

    many(2 * _REPAINT_EACH)
    before = sys.getrefcount(None)
    many(calls // 4)
    return sys.getrefcount(None) - before


def _main(project: Path, cycles: int) -> None:
    memory: list[float] = []
    gained = 0
    with tempfile.TemporaryDirectory() as scratch:
        for n in range(cycles):
            window = open_window(project, Path(scratch))
            wait_for_photo(window)
            if n == 0:
                load_3d(window)
                gained = none_references_gained(window)
            close_window(window)
            del window
            let_go()
            memory.append(memory_mb())
    sys.stdout.write(json.dumps({"memory_mb": memory, "none_references_gained": gained}) + "\n")


if __name__ == "__main__":
    _main(Path(sys.argv[1]), int(sys.argv[2]))
