"""Marks that look the same wherever they stand, drawn once and then copied.

A copy takes a tenth of the time of the strokes. Marks stand on fractions of a pixel, so each is kept in a few positions
within the pixel: it moves as smoothly as a drawn one, to an eighth of a pixel.
"""

import math
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from functools import lru_cache

from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QPainter, QPixmap, QTransform

# Positions within a pixel, on either axis.
_STEPS = 4
_MOST_KEPT = 2048  # of some kilobytes each
# A mark with more pixels than this is drawn each time.
_LARGEST_PX = 128


def draw_stamp(
    painter: QPainter, at: QPointF, mark: Hashable, reach: float, draw: Callable[[QPainter], None]
) -> None:
    """Draw an upright mark, 1 unit = 1 px, at a place in the painter's coordinates.

    mark: names what is drawn, size and colours included. reach: how far it goes from its place, px. draw: draws it
    about the origin, when there is no copy yet.
    """
    device = painter.device()
    ratio = device.devicePixelRatioF()
    view = painter.worldTransform()
    place = view.map(at)
    if reach * ratio * 2 > _LARGEST_PX:
        painter.save()
        painter.setWorldTransform(QTransform.fromTranslate(place.x(), place.y()))
        draw(painter)
        painter.restore()
        return
    x, y = (round(value * ratio * _STEPS) for value in (place.x(), place.y()))
    side = math.ceil(reach * ratio) + 1
    stamp = _kept(_Drawn(mark, draw), side, ratio, x % _STEPS, y % _STEPS)
    painter.setWorldTransform(QTransform())
    painter.drawPixmap(QPointF((x // _STEPS - side) / ratio, (y // _STEPS - side) / ratio), stamp)
    painter.setWorldTransform(view)


@dataclass(frozen=True)
class _Drawn:
    """A mark and how to draw it, which its name stands for."""

    mark: Hashable
    draw: Callable[[QPainter], None] = field(compare=False)


@lru_cache(maxsize=_MOST_KEPT)
def _kept(drawn: _Drawn, side: int, ratio: float, x: int, y: int) -> QPixmap:
    """side: px of the device from the middle's pixel to the border. x, y: steps within that pixel."""
    pixmap = QPixmap(2 * side + 1, 2 * side + 1)
    pixmap.setDevicePixelRatio(ratio)
    pixmap.fill(Qt.GlobalColor.transparent)
    painter = QPainter(pixmap)
    painter.translate((side + x / _STEPS) / ratio, (side + y / _STEPS) / ratio)
    drawn.draw(painter)
    painter.end()
    return pixmap
