"""Parts of a photo that are shown as a few soft patches of colour; the photo itself is never changed."""

from dataclasses import dataclass

import numpy as np
from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QImage, QPainter, QPainterPath, QPixmap

from limbstudio.rendering.photo_tiles import Adjustment, PhotoPyramid

_HEAD_PATCHES = 5  # patches of colour along a head
_PHOTO_PATCHES = 14  # along the longer side of a photo that is blurred as a whole
_SAMPLES = 8  # of the photo per patch and direction: the mean of many, so that no single pixel shows through


@dataclass(frozen=True)
class Patch:
    """A part of a photo, in its pixels: a rectangle, or the ellipse in it."""

    x: float
    y: float
    width: float
    height: float
    is_round: bool = True

    def path(self) -> QPainterPath:
        path = QPainterPath()
        area = QRectF(self.x, self.y, self.width, self.height)
        if self.is_round:
            path.addEllipse(area)
        else:
            path.addRect(area)
        return path


@dataclass(frozen=True)
class Veil:
    """What is blurred. whole: the whole photo."""

    patches: tuple[Patch, ...]
    whole: bool = False


class VeilPainter:
    """Draw a veil over a photo; the mean colours are computed once."""

    def __init__(self) -> None:
        self._key: object = None
        self._pictures: list[QImage] = []

    def draw(
        self,
        painter: QPainter,
        veil: Veil,
        photo: PhotoPyramid,
        size: tuple[int, int],
        adjustment: Adjustment,
    ) -> None:
        """Draw over what was drawn of the photo; the painter's units are its pixels. size: of the photo, px."""
        key = (veil, photo, size, adjustment)
        if key != self._key:
            self._key = key
            shown = photo.size[0] / size[0]
            self._pictures = [_means(patch, veil.whole, photo, shown, adjustment) for patch in veil.patches]
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        for patch, picture in zip(veil.patches, self._pictures, strict=True):
            painter.save()
            painter.setClipPath(patch.path(), Qt.ClipOperation.IntersectClip)
            painter.drawImage(QRectF(patch.x, patch.y, patch.width, patch.height), picture)
            painter.restore()
        painter.restore()


def _means(patch: Patch, whole: bool, photo: PhotoPyramid, shown: float, adjustment: Adjustment) -> QImage:
    """Return the mean colours of a patch as a picture of a few pixels. shown: px of the copy per px of the photo."""
    import cv2

    along = _PHOTO_PATCHES if whole else _HEAD_PATCHES
    cell = max(patch.width, patch.height) / along
    columns, rows = max(round(patch.width / cell), 1), max(round(patch.height / cell), 1)
    fine = (columns * _SAMPLES, rows * _SAMPLES)
    step = (patch.width / fine[0], patch.height / fine[1])
    into_photo = np.array([[step[0], 0.0, patch.x + step[0] / 2], [0.0, step[1], patch.y + step[1] / 2]])
    into_copy = into_photo * shown
    into_copy[:, 2] += (shown - 1) / 2  # a pixel's centre lies half a pixel in
    tile = adjustment.of(photo.tile(into_copy, fine))
    small = np.ascontiguousarray(cv2.resize(tile, (columns, rows), interpolation=cv2.INTER_AREA))
    return QImage(small.data, columns, rows, 4 * columns, QImage.Format.Format_RGB32).copy()


def veiled_thumbnail(thumbnail: QPixmap, size: tuple[int, int], veil: Veil) -> QPixmap:
    """Return a thumbnail, cut from the middle of a photo of `size`, with the veil over it."""
    image = thumbnail.toImage().convertToFormat(QImage.Format.Format_RGB32)
    image.setDevicePixelRatio(1.0)
    width, height = image.width(), image.height()
    scale = max(width / size[0], height / size[1])
    left, top = (size[0] * scale - width) / 2, (size[1] * scale - height) / 3
    veiled = QImage(image)
    painter = QPainter(veiled)
    painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
    painter.translate(-left, -top)
    painter.scale(scale, scale)
    for patch in veil.patches:
        area = QRectF(
            patch.x * scale - left, patch.y * scale - top, patch.width * scale, patch.height * scale
        )
        seen = area.toAlignedRect().intersected(image.rect())
        if seen.isEmpty():
            continue
        along = _PHOTO_PATCHES // 2 if veil.whole else _HEAD_PATCHES - 2
        cell = max(seen.width(), seen.height()) / along
        few = (max(round(seen.width() / cell), 1), max(round(seen.height() / cell), 1))
        smooth = Qt.TransformationMode.SmoothTransformation
        means = image.copy(seen).scaled(*few, Qt.AspectRatioMode.IgnoreAspectRatio, smooth)
        painter.save()
        painter.setClipPath(patch.path())
        painter.resetTransform()
        painter.drawImage(QRectF(seen), means)
        painter.restore()
    painter.end()
    made = QPixmap.fromImage(veiled)
    made.setDevicePixelRatio(thumbnail.devicePixelRatio())
    return made
