"""Icons: single-colour pictograms of the Phosphor and Material Design fonts that come with qtawesome.

The two fonts are read straight from qtawesome's folder: importing qtawesome itself loads nine more and costs a
quarter of a second of the start.
"""

import functools
import importlib.util
import json
from pathlib import Path

from PySide6.QtCore import QPointF, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFont, QFontDatabase, QIcon, QIconEngine, QPainter, QPixmap

_FILES = {
    "ph": ("phosphor-[0-9]*.ttf", "phosphor-charmap-*.json"),
    "mdi6": ("materialdesignicons6-webfont-[0-9]*.ttf", "materialdesignicons6-webfont-charmap-*.json"),
}


@functools.cache
def _font_folder() -> Path:
    found = importlib.util.find_spec("qtawesome")
    if found is None or not found.submodule_search_locations:
        raise ModuleNotFoundError("qtawesome", name="qtawesome")
    return Path(next(iter(found.submodule_search_locations))) / "fonts"


@functools.cache
def _icon_font(prefix: str) -> tuple[str, dict[str, str]]:
    """Return the font family and the characters of one icon set, loading it at first use."""
    font_pattern, map_pattern = _FILES[prefix]
    folder = _font_folder()
    font_id = QFontDatabase.addApplicationFont(str(next(folder.glob(font_pattern))))
    characters = json.loads(next(folder.glob(map_pattern)).read_text(encoding="utf-8"))
    return QFontDatabase.applicationFontFamilies(font_id)[0], characters


def icon_exists(name: str) -> bool:
    """Tell whether the fonts have an icon of this name ('ph.scissors')."""
    prefix, _, key = name.partition(".")
    return prefix in _FILES and key in _icon_font(prefix)[1]


def paint_icon(painter: QPainter, rect: QRectF, name: str, colour: QColor) -> None:
    """Draw the icon `name` ('ph.scissors') in `rect`."""
    prefix, _, key = name.partition(".")
    family, characters = _icon_font(prefix)
    font = QFont(family)
    font.setPixelSize(max(1, round(rect.height())))
    painter.save()
    painter.setFont(font)
    painter.setPen(colour)
    painter.drawText(rect, Qt.AlignmentFlag.AlignCenter, chr(int(characters[key], 16)))
    painter.restore()


class _FontIconEngine(QIconEngine):
    def __init__(self, name: str, colour: str, disabled: str, checked: str) -> None:
        super().__init__()
        self._name = name
        self._colours = {QIcon.Mode.Disabled: QColor(disabled)}
        self._colour, self._checked = QColor(colour), QColor(checked)
        self._pixmaps: dict[tuple[int, int, QIcon.Mode, QIcon.State], QPixmap] = {}

    def paint(self, painter: QPainter, rect: QRect, mode: QIcon.Mode, state: QIcon.State) -> None:
        normal = self._checked if state is QIcon.State.On else self._colour
        paint_icon(painter, QRectF(rect), self._name, self._colours.get(mode, normal))

    def pixmap(self, size: QSize, mode: QIcon.Mode, state: QIcon.State) -> QPixmap:
        # Each is drawn once: a button asks at every repaint, and the binding keeps six references to None for every
        # pixmap that is made in Python and painted on.
        key = (size.width(), size.height(), mode, state)
        if key not in self._pixmaps:
            pixmap = QPixmap(size)
            pixmap.fill(Qt.GlobalColor.transparent)
            painter = QPainter(pixmap)
            self.paint(painter, QRect(QPointF(0, 0).toPoint(), size), mode, state)
            painter.end()
            self._pixmaps[key] = pixmap
        return self._pixmaps[key]

    def clone(self) -> QIconEngine:
        raise NotImplementedError  # Qt asks only when an icon is changed after it was shared; ours never are


@functools.cache
def icon(name: str, colour: str, *, disabled: str = "#6A7687", checked: str | None = None) -> QIcon:
    """Return the icon `name` in `colour`; `checked` is its colour on a switched-on button. KeyError: no such icon.

    The same for all who ask: as many are kept as there are icons and colours, however many windows come and go.
    """
    if not icon_exists(name):  # now, and not in the middle of a paint, which Qt does not survive
        raise KeyError(name)
    return QIcon(_FontIconEngine(name, colour, disabled, checked or colour))
