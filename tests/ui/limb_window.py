"""The real window on the sample project's first person, fitted with a stature, in the Residual limb perspective."""

import contextlib
import shutil
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
from PySide6.QtCore import QEvent, QPointF, QSettings, Qt
from PySide6.QtGui import QMouseEvent, QWheelEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QWidget

from limbstudio.domain.edits import change_person
from limbstudio.services.samples import sample_project
from limbstudio.services.studio import Studio
from limbstudio.ui.app import make_application
from limbstudio.ui.bridge import Bridge
from limbstudio.ui.limb.correcting import Correcting
from limbstudio.ui.main_window import MainWindow
from limbstudio.ui.mesh_view import View
from limbstudio.ui.theme import DARK, apply_theme

LEFT = Qt.MouseButton.LeftButton
PLAIN = Qt.KeyboardModifier.NoModifier
SHIFT = Qt.KeyboardModifier.ShiftModifier
CTRL = Qt.KeyboardModifier.ControlModifier
PATIENCE_S = 60


def wait(holds: Callable[[], object]) -> None:
    until = time.monotonic() + PATIENCE_S
    while not holds():
        assert time.monotonic() < until
        QTest.qWait(5)


def open_limb_window(folder: Path) -> MainWindow:
    """Show the window; its first person has a right transtibial limb and a stature of 1700 mm, and is fitted."""
    shutil.copytree(sample_project(), folder / "sample.limb")
    app = make_application()
    apply_theme(app, DARK)
    bridge = Bridge()
    studio = Studio(who="test", run_inline=True, deliver=bridge.deliver)
    studio.open(folder / "sample.limb")
    memory = QSettings(str(folder / "window.ini"), QSettings.Format.IniFormat)
    window = MainWindow(studio, bridge, DARK, memory=memory)
    window.show()
    window.activateWindow()
    wait(window.isActiveWindow)
    window.load_3d()
    person = window.session.person
    assert person is not None
    window.session.do(change_person(person, replace(person, stature_mm=1700.0), "Stature", "stature"))
    studio.fit(person.id)
    wait(lambda: window.session.fit)
    window.show_residual_limb()
    settle(window)
    return window


def settle(window: MainWindow) -> None:
    """Wait until the corrected limb is shown and nothing is being made."""
    wait(lambda: window.mesh_page.shows_limb and window.mesh_page.work.is_current)
    QTest.qWait(20)


def feature(window: MainWindow, kind: type) -> object:
    return next(f for f in window.features if isinstance(f, kind))


def mouse(
    widget: QWidget,
    kind: QEvent.Type,
    at: QPointF,
    modifiers: Qt.KeyboardModifier = PLAIN,
    button: Qt.MouseButton = LEFT,
) -> None:
    pressed = Qt.MouseButton.NoButton if kind is QEvent.Type.MouseButtonRelease else button
    event = QMouseEvent(kind, at, widget.mapToGlobal(at), button, pressed, modifiers)
    QApplication.sendEvent(widget, event)


def drag(
    widget: QWidget, start: QPointF, end: QPointF, modifiers: Qt.KeyboardModifier = PLAIN, steps: int = 6
) -> None:
    mouse(widget, QEvent.Type.MouseButtonPress, start, modifiers)
    for n in range(1, steps + 1):
        mouse(widget, QEvent.Type.MouseMove, start + (end - start) * (n / steps), modifiers)
        QApplication.processEvents()
    mouse(widget, QEvent.Type.MouseButtonRelease, end, modifiers)


def click(widget: QWidget, at: QPointF, modifiers: Qt.KeyboardModifier = PLAIN) -> None:
    mouse(widget, QEvent.Type.MouseButtonPress, at, modifiers)
    mouse(widget, QEvent.Type.MouseButtonRelease, at, modifiers)


def wheel(widget: QWidget, at: QPointF, turns: int, modifiers: Qt.KeyboardModifier) -> None:
    event = QWheelEvent(
        at, widget.mapToGlobal(at), QPointF(0, 0).toPoint(), QPointF(0, 120 * turns).toPoint(),
        Qt.MouseButton.NoButton, modifiers, Qt.ScrollPhase.NoScrollPhase, False,
    )  # fmt: skip
    QApplication.sendEvent(widget, event)


def on_limb(window: MainWindow, axial: float, sideways_px: float = 0.0) -> QPointF:
    """Return where the front of the limb is drawn, at a share of the way from its joint to its end."""
    stage, scene = window.mesh_page.view.stage, window.mesh_page.scene
    start, end = stage.on_view(np.asarray(scene.axis_line))
    x, y = start + axial * (end - start)
    return QPointF(float(x) + sideways_px, float(y))


@contextlib.contextmanager
def in_focus(window: MainWindow) -> Iterator[Correcting]:
    """Give the feature of corrections, the view in focus from the front; what is done meanwhile is taken back."""
    page, photo = window.mesh_page, window.session.photo.sha256
    settle(window)
    page.view.setFocus()
    page.look_from(View.FRONT)
    before = len(window.studio.journal(photo))
    found = feature(window, Correcting)
    yield found
    found.toolbox.leave()
    settle(window)
    while len(window.studio.journal(photo)) > before and window.studio.undo(photo) is not None:
        pass
    wait(lambda: not found.work.operations)
    settle(window)
