"""A photo's pixels as a picture that Qt draws."""

import numpy as np
from PySide6.QtGui import QImage


def image_of(pixels: np.ndarray) -> QImage:
    """Return (H, W, 3) RGB or (H, W, 4) RGBA uint8 pixels as a picture that owns its memory."""
    pixels = np.ascontiguousarray(pixels)
    height, width, channels = pixels.shape
    form = QImage.Format.Format_RGBA8888 if channels == 4 else QImage.Format.Format_RGB888
    return QImage(pixels.data, width, height, channels * width, form).copy()
