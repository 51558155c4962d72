"""What benchmarks of drags share: a window on the sample project, the mouse, and figures of what steps took."""

import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from PySide6.QtCore import QEvent, QPointF, QSettings, Qt
from PySide6.QtGui import QMouseEvent
from PySide6.QtWidgets import QApplication, QWidget

from limbstudio.services.samples import sample_project
from limbstudio.services.studio import Studio
from limbstudio.ui.app import make_application
from limbstudio.ui.benches.closing import close_window, let_go
from limbstudio.ui.bridge import Bridge
from limbstudio.ui.main_window import MainWindow
from limbstudio.ui.theme import DARK, apply_theme

SIZE = (1440, 900)
_LEFT = Qt.MouseButton.LeftButton


@contextmanager
def sample_window(folder: Path, *, run_inline: bool = False) -> Iterator[MainWindow]:
    """Open the window on a copy of the sample project in `folder`. run_inline: fits run in the window's thread."""
    apply_theme(make_application(), DARK)
    shutil.copytree(sample_project(), folder / "sample.limb")
    bridge = Bridge()
    studio = Studio(who="bench", run_inline=run_inline, deliver=bridge.deliver)
    studio.open(folder / "sample.limb")
    memory = QSettings(str(folder / "window.ini"), QSettings.Format.IniFormat)
    window = MainWindow(studio, bridge, DARK, memory=memory)
    window.resize(*SIZE)
    window.show()
    window.load_3d()
    try:
        yield window
    finally:
        close_window(window)
        del window
        let_go()


def send_mouse(widget: QWidget, kind: QEvent.Type, at: QPointF) -> None:
    """Send an event of the left button. at: px of the widget."""
    pressed = Qt.MouseButton.NoButton if kind is QEvent.Type.MouseButtonRelease else _LEFT
    button = Qt.MouseButton.NoButton if kind is QEvent.Type.MouseMove else _LEFT
    where = widget.mapToGlobal(at)
    QApplication.sendEvent(
        widget, QMouseEvent(kind, at, where, button, pressed, Qt.KeyboardModifier.NoModifier)
    )


def step_figures(what: str, rounds: Sequence[Sequence[float]], bar_ms: float) -> dict[str, float | bool]:
    """Return what steps took, ms, over all rounds and in the quietest: others only ever make it slower.

    what: from which event to which, 'event to picture'.
    """
    every = [ms for steps in rounds for ms in steps]
    p95 = float(np.percentile(every, 95))
    name = what.replace(" ", "_")
    return {
        f"{name}_p50_ms": float(np.median(every)),
        f"{name}_p95_ms": p95,
        f"{name}_p95_quietest_ms": min(float(np.percentile(steps, 95)) for steps in rounds),
        "bar_p95_ms": bar_ms,
        "within_bar": p95 <= bar_ms,
    }
