"""A robot that annotates in the real window by real events, and says each edit that was confirmed.

    python -m tests.loss.window_robot PROJECT PHOTOS WHAT SEED

WHAT: edit (clicks, drags and keys on the canvas), undo (with Ctrl+Z and Ctrl+Y in between), import, batch or export
(the same while such a job runs).
"""

import itertools
import os
import random
import sys
from pathlib import Path

from PySide6.QtCore import QPoint, QSettings, Qt, QTimer
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from limbstudio.domain import edits
from limbstudio.domain.edits import Edit
from limbstudio.domain.errors import KnownError
from limbstudio.services import journal
from limbstudio.services.history import Entry
from limbstudio.services.studio import Studio
from limbstudio.ui.app import make_application
from limbstudio.ui.bridge import Bridge
from limbstudio.ui.main_window import MainWindow
from limbstudio.ui.theme import DARK, apply_theme

from .robot import fingerprint

_STEP_MS = 5
_KEYS = (
    Qt.Key.Key_1,
    Qt.Key.Key_2,
    Qt.Key.Key_5,
    Qt.Key.Key_7,
    Qt.Key.Key_E,
    Qt.Key.Key_Q,
    Qt.Key.Key_X,
    Qt.Key.Key_G,
)


class WindowRobot:
    """Press keys and mouse in a window until somebody kills it."""

    def __init__(self, folder: Path, photos: Path, what: str, seed: int) -> None:
        self.chance = random.Random(seed)
        self.photos, self.what = photos, what
        app = make_application()
        apply_theme(app, DARK)
        bridge = Bridge()
        self.studio = Studio(who="robot", deliver=bridge.deliver)
        if folder.exists():
            self.studio.open(folder)
        else:
            self.studio.create(folder)
            self.studio.import_photos([photos]).wait(20)
        if self.studio.read_only_reason:
            raise SystemExit(self.studio.read_only_reason)
        self.studio.history.listen(self.confirm_later)
        memory = QSettings(str(folder.parent / f"window-{os.getpid()}.ini"), QSettings.Format.IniFormat)
        self.window = MainWindow(self.studio, bridge, DARK, memory=memory)
        self.window.show()
        QTest.qWaitForWindowExposed(self.window)
        self.window.activateWindow()
        self.steps = itertools.count()
        self.timer = QTimer()
        self.timer.timeout.connect(self.step)
        self.timer.start(_STEP_MS)

    def confirm_later(self, entry: Entry) -> None:
        saved = self.studio.history.last_saved
        if saved is not None:
            mark = fingerprint(journal.change_rows(entry.edit.changes))
            saved.add_done_callback(lambda _: os.write(1, f"confirmed {entry.sequence} {mark}\n".encode()))

    def step(self) -> None:
        number = next(self.steps)
        view = self.window.annotate_page.view
        target = view.viewport()
        chance = self.chance.random()
        if self.what in ("import", "batch", "export") and number % 20 == 3:
            self.start_job()
        if self.what == "undo" and chance < 0.4:
            key = Qt.Key.Key_Z if self.chance.random() < 0.6 else Qt.Key.Key_Y
            QTest.keyClick(self.window, key, Qt.KeyboardModifier.ControlModifier)
        elif number == 0 or chance < 0.05:
            QTest.keyClick(view, Qt.Key.Key_G)
            QTest.keyClick(view, Qt.Key.Key_Return)  # all limbs intact
        elif chance < 0.6:
            QTest.mouseClick(
                target, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, self.somewhere()
            )
        elif chance < 0.75:
            here = self.somewhere()
            QTest.mousePress(target, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, here)
            for n in range(3):
                QTest.mouseMove(target, here + QPoint(4 * n, 3 * n))
            QTest.mouseRelease(
                target, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, here + QPoint(8, 6)
            )
        elif chance < 0.85:
            QTest.keyClick(view, self.chance.choice([Qt.Key.Key_D, Qt.Key.Key_A]))
        else:
            QTest.keyClick(view, self.chance.choice(_KEYS))

    def somewhere(self) -> QPoint:
        size = self.window.annotate_page.view.viewport().size()
        middle = QPoint(size.width() // 2, size.height() // 2)
        spread = min(size.width(), size.height()) // 3
        return middle + QPoint(self.chance.randint(-spread, spread), self.chance.randint(-spread, spread))

    def start_job(self) -> None:
        try:
            if self.what == "import":
                self.studio.import_photos([self.photos])
            elif self.what == "export":
                out = self.photos.parent / f"export-{os.getpid()}.json"
                self.studio.export_annotations(out)
            else:
                self.studio.run(self.batch, title="Batch")
        except KnownError:  # a mask or photo that is just being changed
            return

    def batch(self, context: object) -> None:
        """Predict on everybody, from a thread, while the person goes on."""
        for photo in list(self.studio.photos):
            for person in self.studio.people_in(photo.sha256):
                edit = edits.place_point(person, 16, self.chance.random(), 1.0)
                try:
                    self.studio.do(Edit("Predict", edit.changes, None, photo.sha256, human=False))
                except KnownError:  # it was edited in between: human work stays
                    continue


def main() -> int:
    robot = WindowRobot(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3], int(sys.argv[4]))
    assert robot.window.isVisible()
    return QApplication.exec()


if __name__ == "__main__":
    sys.exit(main())
