"""Pixels as pictures that Qt draws, and back."""

import numpy as np
from PySide6.QtGui import QImage


def image_of(pixels: np.ndarray) -> QImage:
    """Return (H, W, 3) RGB or (H, W, 4) RGBA uint8 pixels as a picture that owns its memory."""
    pixels = np.ascontiguousarray(pixels)
    height, width, channels = pixels.shape
    form = QImage.Format.Format_RGBA8888 if channels == 4 else QImage.Format.Format_RGB888
    return QImage(pixels.data, width, height, channels * width, form).copy()


def pixels_of(image: QImage) -> np.ndarray:
    """Return a picture's pixels, (H, W, 3) uint8 RGB."""
    image = image.convertToFormat(QImage.Format.Format_RGB888)
    rows = np.frombuffer(image.constBits(), np.uint8).reshape(image.height(), image.bytesPerLine())
    return rows[:, : 3 * image.width()].reshape(image.height(), image.width(), 3).copy()
