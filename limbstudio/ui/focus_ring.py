"""A ring around the widget that has the focus, wherever that is, so that the keyboard's place is always seen."""

from PySide6.QtCore import QEvent, QObject, QPoint, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QAbstractScrollArea, QApplication, QMenu, QMenuBar, QWidget

from limbstudio.ui.theme import Theme

_OFFSET = 2
_WIDTH = 2
_KEYS = (Qt.Key.Key_Tab, Qt.Key.Key_Backtab, Qt.Key.Key_F6)


class _Ring(QWidget):
    def __init__(self, colour: str, window: QWidget) -> None:
        super().__init__(window)
        self.colour = colour
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        inside = QRectF(self.rect()).adjusted(1, 1, -1, -1)
        painter.setPen(QPen(QColor(self.colour), _WIDTH))
        painter.drawRoundedRect(inside, 6, 6)


class FocusRing(QObject):
    """Draw the ring once the keyboard moved the focus, until the mouse is used; with high contrast always."""

    def __init__(self, theme: Theme, parent: QObject) -> None:
        super().__init__(parent)
        self._theme = theme
        self._by_keys = False
        self._around: QWidget | None = None
        self._ring: _Ring | None = None
        app = QApplication.instance()
        assert isinstance(app, QApplication)
        self._app = app
        app.focusChanged.connect(self._on_focus)
        app.installEventFilter(self)

    @property
    def around(self) -> QWidget | None:
        """Return the widget that the ring is drawn around; None while there is none to be seen."""
        return self._around if self._ring is not None and self._ring.isVisible() else None

    def ring_area(self) -> QRectF:
        """Return where the ring is drawn, in px of the window it is in."""
        return QRectF() if self._ring is None else QRectF(self._ring.geometry())

    def set_theme(self, theme: Theme) -> None:
        self._theme = theme
        self._follow(self._around)

    def close_ring(self) -> None:
        """Let go of the application."""
        self._app.focusChanged.disconnect(self._on_focus)
        self._app.removeEventFilter(self)
        self._drop()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        kind = event.type()
        if kind is QEvent.Type.KeyPress and event.key() in _KEYS:  # type: ignore[attr-defined]
            self._by_keys = True
            self._follow(self._app.focusWidget())
        elif kind is QEvent.Type.MouseButtonPress and self._by_keys:
            self._by_keys = False
            self._follow(self._app.focusWidget())
        elif watched is self._around and kind in (QEvent.Type.Move, QEvent.Type.Resize, QEvent.Type.Show):
            self._lay()
        elif watched is self._around and kind in (QEvent.Type.Hide, QEvent.Type.DeferredDelete):
            self._drop()
        return False

    def _on_focus(self, _before: QWidget | None, now: QWidget | None) -> None:
        self._follow(now)

    def _follow(self, widget: QWidget | None) -> None:
        self._drop()
        shows = self._by_keys or self._theme.has_high_contrast
        if widget is None or not shows or isinstance(widget, (QMenu, QMenuBar)) or widget.isWindow():
            return
        area = widget.parentWidget()
        if isinstance(area, QAbstractScrollArea) and area.viewport() is widget:
            widget = area
        self._around = widget
        self._ring = _Ring(self._theme.accent, widget.window())
        self._lay()

    def _lay(self) -> None:
        """Lie around the widget; where it fills its window, just within."""
        around, ring = self._around, self._ring
        if around is None or ring is None:
            return
        window = around.window()
        area = around.rect().translated(around.mapTo(window, QPoint(0, 0)))
        grown = area.adjusted(-_OFFSET - _WIDTH, -_OFFSET - _WIDTH, _OFFSET + _WIDTH, _OFFSET + _WIDTH)
        ring.setGeometry(grown.intersected(window.rect()))
        ring.setVisible(around.isVisible())
        ring.raise_()

    def _drop(self) -> None:
        if self._ring is not None:
            self._ring.hide()
            self._ring.deleteLater()
        self._around = self._ring = None
