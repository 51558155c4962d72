"""From where the photo is seen: zoom, turn and place, and how they are kept from photo to photo."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from PySide6.QtCore import QPointF, QRectF, QSize
from PySide6.QtGui import QTransform

if TYPE_CHECKING:
    from limbstudio.ui.photo_view import PhotoView

_ZOOM_LIMITS = (0.02, 40.0)
_FIT_MARGIN_PX = 14
_KEPT_IN_PX = 48.0
_LEAST_BETWEEN_BARS_PX = 240  # in a lower view the photo goes below the bars


@dataclass(frozen=True)
class _Seen:
    """What of a photo was seen. middle: of the view, in parts of the photo's width and height."""

    zoom: float
    turn: float
    middle: tuple[float, float]


class Viewpoint:
    """Zoom and turn of the canvas. turn: degrees, clockwise on the screen; fitted: the whole photo is shown."""

    def __init__(self, view: "PhotoView") -> None:
        self._view = view
        self._seen: _Seen | None = None
        self.zoom = 1.0
        self.turn = 0.0
        self.fitted = True
        self.is_kept = False
        self._bars = (_FIT_MARGIN_PX, _FIT_MARGIN_PX)

    def keep_clear(self, top: int, bottom: int) -> None:
        """Say how much of the view, px, bars cover at its edges: a photo that is seen whole lies between them."""
        is_high = self._view.viewport().height() > _LEAST_BETWEEN_BARS_PX + top + bottom
        bars = (top, bottom) if is_high else (_FIT_MARGIN_PX, _FIT_MARGIN_PX)
        if bars != self._bars:
            self._bars = bars
            if self.fitted:
                self._view.fit()

    def fit(self) -> None:
        """Show the whole photo as large as there is room."""
        width, height = self._view.photo_size
        if not width:
            return
        top, bottom = self._bars
        room = self._view.viewport().size() - QSize(2 * _FIT_MARGIN_PX, top + bottom)
        turned = QTransform().rotate(self.turn).mapRect(QRectF(0, 0, width, height))
        zoom = min(room.width() / turned.width(), room.height() / turned.height())
        self._apply(max(zoom, _ZOOM_LIMITS[0]), self.turn)
        self._view.centerOn(width / 2, height / 2)
        self.scroll(QPointF(0, (bottom - top) / 2))
        self.fitted = True

    def zoom_by(self, factor: float, anchor: QPointF) -> None:
        """Zoom, keeping what lies under `anchor` (viewport px) where it is."""
        before = self._view.on_photo(anchor)
        self._apply(min(max(self.zoom * factor, _ZOOM_LIMITS[0]), _ZOOM_LIMITS[1]), self.turn)
        self.scroll(self._view.on_screen(before.x(), before.y()) - anchor)
        self.fitted = False

    def keep_in_view(self, at: QPointF) -> None:
        """Scroll as little as brings a pixel of the photo well into the view."""
        on_screen = self._view.on_screen(at.x(), at.y())
        port = QRectF(self._view.viewport().rect())
        margin = min(_KEPT_IN_PX, port.width() / 4, port.height() / 4)
        room = port.adjusted(margin, margin, -margin, -margin)
        by = QPointF(
            on_screen.x() - min(max(on_screen.x(), room.left()), room.right()),
            on_screen.y() - min(max(on_screen.y(), room.top()), room.bottom()),
        )
        if not self.fitted and not by.isNull():
            self._view.pan_by(by)

    def turn_to(self, degrees: float) -> None:
        """Turn the photo about the middle of the view; a photo that was seen whole is seen whole again."""
        degrees %= 360.0
        if self.fitted:
            self.turn = degrees
            self.fit()
            return
        middle = QPointF(self._view.viewport().rect().center())
        before = self._view.on_photo(middle)
        self._apply(self.zoom, degrees)
        self.scroll(self._view.on_screen(before.x(), before.y()) - middle)

    def remember(self) -> None:
        """Keep what is seen, for the next photo."""
        width, height = self._view.photo_size
        if width:
            middle = self._view.on_photo(QPointF(self._view.viewport().rect().center()))
            part = (middle.x() / width, middle.y() / height)
            self._seen = None if self.fitted else _Seen(self.zoom, self.turn, part)

    def begin(self) -> None:
        """Look at another photo: whole and upright, or as the last one was seen."""
        if self.is_kept and self._seen is not None:
            width, height = self._view.photo_size
            self._apply(self._seen.zoom, self._seen.turn)
            self._view.centerOn(self._seen.middle[0] * width, self._seen.middle[1] * height)
            self.fitted = False
        else:
            self.turn = self.turn if self.is_kept else 0.0
            self.fit()

    def scroll(self, by: QPointF) -> None:
        """Move the view over the photo, px of the screen."""
        horizontal, vertical = self._view.horizontalScrollBar(), self._view.verticalScrollBar()
        horizontal.setValue(horizontal.value() + round(by.x()))
        vertical.setValue(vertical.value() + round(by.y()))

    def _apply(self, zoom: float, turn: float) -> None:
        self.zoom, self.turn = zoom, turn
        self._view.setTransform(QTransform().rotate(turn).scale(zoom, zoom))
        self._view.follow_zoom()
