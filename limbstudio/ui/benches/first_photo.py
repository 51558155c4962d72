"""Open a project in a window of its own and say how long it took until the first photo was on the screen.

A benchmark runs it as a process: `python -m limbstudio.ui.benches.first_photo PROJECT [BEGAN]`. It prints one JSON
object. Without BEGAN the window stands already and has loaded what it loads by itself, as when somebody chooses a
project in it. With BEGAN, the `time.monotonic()` at which the process was started, the program starts on the project.
"""

import json
import os
import sys
import tempfile
import time
from pathlib import Path

from PySide6.QtCore import QSettings
from PySide6.QtWidgets import QApplication

from limbstudio.ui import app
from limbstudio.ui.main_window import MainWindow

_MOST_S = 120.0
_HAND_S = 2.0  # until a menu was opened and a project chosen in it


def open_window(project: Path | None, scratch: Path) -> MainWindow:
    """Return a shown window whose settings lie in `scratch`."""
    memory = QSettings(str(scratch / "window.ini"), QSettings.Format.IniFormat)
    window = app.make_window(project, memory=memory)
    window.show()
    return window


def wait_for_photo(window: MainWindow, *, sharp: bool = False) -> float:
    """Let events happen until the selected photo is painted; return the time of that moment, s."""
    reading = window.annotate_page.reading
    end = time.perf_counter() + _MOST_S
    while not ((reading.is_sharp if sharp else reading.is_shown) and window.annotate_page.view.has_photo):
        QApplication.processEvents()
        time.sleep(0.0005)
        if time.perf_counter() > end:
            raise TimeoutError("The photo did not come.")
    window.annotate_page.view.viewport().repaint()
    return time.perf_counter()


def _load_libraries(window: MainWindow) -> None:
    """Wait until the window has loaded in the background what it loads after its first paint, and a hand's time."""
    loaded: list[bool] = []
    window.annotate_page.fit_showing.meshes_allowed.connect(lambda: loaded.append(True))
    window.load_3d()
    end = time.perf_counter() + _MOST_S
    while time.perf_counter() < end:
        QApplication.processEvents()
        time.sleep(0.005)
        if loaded and end > time.perf_counter() + _HAND_S:
            end = time.perf_counter() + _HAND_S


def _start_on(project: Path, began: float) -> None:
    with tempfile.TemporaryDirectory() as scratch:
        window = open_window(project, Path(scratch))
        wait_for_photo(window)
        _tell(window, {"start_to_photo_s": time.monotonic() - began})


def _main(project: Path) -> None:
    with tempfile.TemporaryDirectory() as scratch:
        began = time.perf_counter()
        window = open_window(None, Path(scratch))
        QApplication.processEvents()
        painted = time.perf_counter()
        _load_libraries(window)
        shown, cpu = time.perf_counter(), time.process_time()
        window.open_folder(project)
        photo = wait_for_photo(window)
        cpu = time.process_time() - cpu
        while not window.studio.searching.is_ready:
            QApplication.processEvents()
            time.sleep(0.005)
        ready = time.perf_counter()
        _tell(
            window,
            {
                "window_s": painted - began,
                "first_photo_s": photo - shown,
                "first_photo_cpu_s": cpu,
                "searchable_s": ready - shown,
            },
        )


def _tell(window: MainWindow, found: dict[str, float]) -> None:
    for feature in window.features:
        feature.close()  # processes that they started end too
    sys.stdout.write(json.dumps(found) + "\n")
    sys.stdout.flush()
    os._exit(0)  # closing is measured elsewhere


if __name__ == "__main__":
    if len(sys.argv) > 2:
        _start_on(Path(sys.argv[1]), float(sys.argv[2]))
    else:
        _main(Path(sys.argv[1]))
