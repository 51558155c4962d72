"""Make the README's pictures and its recording from the real window, on the sample project.

Run it on a screen (`make pictures` brings a virtual one): what is shown is what the window draws, driven by events.
"""

import math
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image
from PySide6.QtCore import QPoint, QPointF, QSettings, Qt
from PySide6.QtGui import QColor, QImage, QPainter, QPen
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QWidget

from limbstudio.domain.anatomy import LDPOSE_INDEX
from limbstudio.services.samples import sample_project
from limbstudio.services.studio import Studio
from limbstudio.ui.app import make_application
from limbstudio.ui.bridge import Bridge
from limbstudio.ui.main_window import MainWindow
from limbstudio.ui.theme import DARK, apply_theme

SIZE = (1440, 900)
FRAME = (1080, 675)
FRAME_MS = 100


class Film:
    """Frames of a window with the pointer drawn where the events are."""

    def __init__(self, window: QWidget) -> None:
        self._window = window
        self._frames: list[Image.Image] = []
        self.pointer: QPoint | None = None

    def take(self, count: int = 1) -> None:
        """Take a frame, and let it stand for `count` of them."""
        picture = self._window.grab().toImage().convertToFormat(QImage.Format.Format_RGB888)
        if self.pointer is not None:
            painter = QPainter(picture)
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            painter.setPen(QPen(QColor(0, 0, 0, 160), 2))
            painter.setBrush(QColor(255, 255, 255, 150))
            painter.drawEllipse(QPointF(self.pointer), 9, 9)
            painter.end()
        self._frames += [_pixels(picture).resize(FRAME, Image.Resampling.LANCZOS)] * count

    def write(self, path: Path) -> None:
        """Write the frames as an animated WebP that plays without end."""
        self._frames[0].save(
            path,
            save_all=True,
            append_images=self._frames[1:],
            duration=FRAME_MS,
            loop=0,
            quality=60,
            method=4,
        )


def _pixels(picture: QImage) -> Image.Image:
    rows = np.frombuffer(picture.constBits(), np.uint8).reshape(picture.height(), picture.bytesPerLine())
    return Image.fromarray(
        rows[:, : 3 * picture.width()].reshape(picture.height(), picture.width(), 3).copy()
    )


class Tour:
    """A window on the sample project, and what is done in it."""

    def __init__(self, folder: Path) -> None:
        apply_theme(make_application(), DARK)
        bridge = Bridge()
        self.studio = Studio(who="Sample", deliver=bridge.deliver)
        memory = QSettings(str(folder / "window.ini"), QSettings.Format.IniFormat)
        memory.setValue("tour_seen", "yes")
        self.window = MainWindow(self.studio, bridge, DARK, memory=memory)
        self.window.resize(*SIZE)
        self.window.show()
        QTest.qWaitForWindowExposed(self.window)
        self.page = self.window.annotate_page
        self.film = Film(self.window)

    def until(self, is_so: Callable[[], bool], what: str, seconds: float = 60.0) -> None:
        end = time.monotonic() + seconds
        while not is_so():
            if time.monotonic() > end:
                raise SystemExit(f"Waited in vain: {what}.")
            QTest.qWait(20)
        QTest.qWait(150)

    def open(self, photo: str) -> None:
        """Show a photo of the sample project by its file name."""
        found = next(p for p in self.studio.photos if Path(p.path).name == photo)
        self.window.session.select_photo(found.sha256)
        self.until(lambda: self.page.view.has_photo and self.page.reading.has_ended, photo)

    def fit(self) -> None:
        """Fit the person in view, and wait for the body."""
        self.window.actions_table["fit_body"].trigger()
        self.until(lambda: self.window.session.fit is not None, "the fit")
        QTest.qWait(2500)

    def drag(self, name: str, way: list[tuple[float, float]], *, shots: bool) -> None:
        """Drag a keypoint along positions relative to where it is, in px of the photo."""
        view, port = self.page.view, self.page.view.viewport()
        point = self.window.session.person.keypoints.points[LDPOSE_INDEX[name]]

        def at(dx: float, dy: float) -> QPoint:
            return view.on_screen(point.x + dx, point.y + dy).toPoint()

        QTest.mousePress(port, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, at(0, 0))
        for dx, dy in way:
            QTest.mouseMove(port, at(dx, dy))
            self.film.pointer = port.mapTo(self.window, at(dx, dy))
            QTest.qWait(FRAME_MS)
            if shots:
                self.film.take()
        QTest.mouseRelease(port, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, at(*way[-1]))

    def shot(self, path: Path) -> None:
        """Keep what the window shows."""
        QTest.qWait(300)
        picture = self.window.grab().toImage().convertToFormat(QImage.Format.Format_RGB888)
        _pixels(picture).save(path, quality=88, method=6)


def main(folder: Path) -> None:
    """Write the pictures into a folder."""
    with tempfile.TemporaryDirectory() as work:
        tour = Tour(Path(work))
        window, film = tour.window, tour.film
        window.open_folder(sample_project(Path(work) / "sample.limb"))
        tour.until(lambda: tour.page.view.has_photo, "the first photo")
        window.load_3d()
        QTest.qWait(6000)

        tour.open("parallel_bars.jpg")
        tour.fit()
        film.take(8)
        swing = [
            (22 * math.sin(a) - 60 * math.sin(a / 2), 16 * math.sin(a))
            for a in np.linspace(0, 2 * math.pi, 28)
        ]
        tour.drag("right_wrist", swing, shots=True)
        film.pointer = None
        QTest.qWait(600)
        film.take(6)
        end = "below_right_knee_end"
        tour.drag(
            end, [(0, -8 - 4 * n) for n in range(17)] + [(0, -72 + 4 * n) for n in range(19)], shots=True
        )
        film.pointer = None
        QTest.qWait(600)
        film.take(6)
        tour.fit()
        tour.shot(folder / "annotate.webp")

        window.actions_table["residual_limb"].trigger()
        window.actions_table["linked_views"].setChecked(True)
        QTest.qWait(4000)
        film.take(8)
        window.actions_table["girth_ring"].trigger()
        QTest.qWait(1500)
        for way in ("ring_up", "ring_down"):
            for _ in range(14):
                window.actions_table[way].trigger()
                QTest.qWait(FRAME_MS)
                film.take()
        QTest.qWait(1500)
        film.take(10)
        tour.shot(folder / "limb.webp")
        film.write(folder / "studio.webp")

        window.actions_table["annotate"].trigger()
        tour.open("two_limbs.jpg")
        window.actions_table["mask_brush"].trigger()
        QTest.qWait(1500)
        tour.shot(folder / "masks.webp")
        window.actions_table["select"].trigger()
        window.actions_table["masks"].trigger()

        window.actions_table["theme_light"].trigger()
        tour.open("chair.jpg")
        tour.fit()
        tour.shot(folder / "light.webp")
        window.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent)
