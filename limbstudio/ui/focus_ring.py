"""A ring around the widget that has the focus, wherever that is, so that the keyboard's place is always seen."""

from PySide6.QtCore import QEvent, QObject, QPoint, QRectF, Qt
from PySide6.QtGui import QColor, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QAbstractScrollArea, QApplication, QMenu, QMenuBar, QWidget
from shiboken6 import isValid

from limbstudio.ui.theme import Theme

SHOWS_FOCUS = "shows_focus"  # property of a widget whose own look says that it has the focus
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
    """Draw the ring once the keyboard moved the focus, until the mouse is used; with high contrast always.

    It watches as little as it can: the widget with the focus for keys, the widget within the ring for its place, and
    the whole program only while the mouse would take the ring away. Every event that is watched costs a call.
    """

    def __init__(self, theme: Theme, parent: QObject) -> None:
        super().__init__(parent)
        self._theme = theme
        self._by_keys = False
        self._around: QWidget | None = None
        self._ring: _Ring | None = None
        app = QApplication.instance()
        assert isinstance(app, QApplication)
        self._app = app
        self._keys_of: QWidget | None = None
        app.focusChanged.connect(self._on_focus)
        self._listen_to(app.focusWidget())

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
        self._set_by_keys(False)
        self._listen_to(None)
        self._drop()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if isinstance(event, QKeyEvent):
            # A key that a shortcut takes is seen before it, and never as pressed.
            if event.key() in _KEYS and event.type() in (QEvent.Type.KeyPress, QEvent.Type.ShortcutOverride):
                self._set_by_keys(True)
        elif isinstance(event, QMouseEvent):
            if self._by_keys and event.type() is QEvent.Type.MouseButtonPress:
                self._set_by_keys(False)
        elif watched is self._around:
            self._follow_place(event.type())
        return False

    def _set_by_keys(self, by_keys: bool) -> None:
        if by_keys is self._by_keys:
            return
        self._by_keys = by_keys
        if by_keys:
            self._app.installEventFilter(self)
        else:
            self._app.removeEventFilter(self)
        self._follow(self._app.focusWidget())

    def _follow_place(self, kind: QEvent.Type) -> None:
        if kind in (QEvent.Type.Move, QEvent.Type.Resize, QEvent.Type.Show):
            self._lay()
        elif kind in (QEvent.Type.Hide, QEvent.Type.DeferredDelete):
            self._drop()

    def _listen_to(self, widget: QWidget | None) -> None:
        """Hear the keys of the widget that has the focus."""
        before, self._keys_of = self._keys_of, widget
        if before is not None and before is not self._around and isValid(before):
            before.removeEventFilter(self)
        if widget is not None:
            widget.installEventFilter(self)

    def _on_focus(self, _before: QWidget | None, now: QWidget | None) -> None:
        self._follow(now)
        self._listen_to(now)

    def _follow(self, widget: QWidget | None) -> None:
        self._drop()
        shows = self._by_keys or self._theme.has_high_contrast
        if widget is None or not shows or isinstance(widget, (QMenu, QMenuBar)) or widget.isWindow():
            return
        if widget.property(SHOWS_FOCUS):
            return
        area = widget.parentWidget()
        if isinstance(area, QAbstractScrollArea) and area.viewport() is widget:
            widget = area
        self._around = widget
        widget.installEventFilter(self)
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
        around = self._around
        self._around = self._ring = None
        if around is not None and around is not self._keys_of and isValid(around):
            around.removeEventFilter(self)
