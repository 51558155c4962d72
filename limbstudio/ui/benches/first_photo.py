"""Open a project in a window of its own and say how long it took until the first photo was on the screen.

A benchmark runs it as a process: `python -m limbstudio.ui.benches.first_photo PROJECT`. It prints one JSON object.
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


def _main(project: Path) -> None:
    with tempfile.TemporaryDirectory() as scratch:
        began = time.perf_counter()
        window = open_window(None, Path(scratch))
        QApplication.processEvents()
        shown = time.perf_counter()
        window.open_folder(project)
        photo = wait_for_photo(window)
        while not window.studio.searching.is_ready:
            QApplication.processEvents()
            time.sleep(0.005)
        ready = time.perf_counter()
    found = {
        "window_s": shown - began,
        "first_photo_s": photo - shown,
        "searchable_s": ready - shown,
    }
    sys.stdout.write(json.dumps(found) + "\n")
    sys.stdout.flush()
    os._exit(0)  # closing is measured elsewhere


if __name__ == "__main__":
    _main(Path(sys.argv[1]))
