"""The screen cover: what hides every window of the program until a key is pressed. It is no lock."""

from PySide6.QtCore import QEvent, QObject, QRectF, Qt, QTimer, Signal
from PySide6.QtGui import QColor, QInputEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QApplication, QDialog, QMainWindow, QWidget

from limbstudio.ui import icons
from limbstudio.ui.theme import Theme, text_font
from limbstudio.ui.words import tr

_USED = (
    QEvent.Type.ShortcutOverride,  # of a key that a shortcut takes it is all that comes
    QEvent.Type.KeyPress,
    QEvent.Type.MouseButtonPress,
    QEvent.Type.MouseMove,
    QEvent.Type.Wheel,
    QEvent.Type.TabletPress,
    QEvent.Type.TouchBegin,
)
_MOST_DEAF_MS = 1000
_TAKES_OFF = (QEvent.Type.KeyPress, QEvent.Type.MouseButtonPress, QEvent.Type.TouchBegin)
_SWALLOWED = (
    *_USED,
    QEvent.Type.MouseButtonRelease,
    QEvent.Type.ContextMenu,
)


class CoverSheet(QWidget):
    """One window's cover: the program's sign and how to take it off."""

    def __init__(self, window: QWidget, theme: Theme) -> None:
        super().__init__(window)
        self._theme = theme
        self.setAccessibleName(tr("Screen cover. Press any key to go on."))
        self.setGeometry(window.rect())
        self.show()
        self.raise_()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        t = self._theme
        painter.fillRect(self.rect(), QColor(t.bg))
        middle = QRectF(self.rect()).center()
        sign = QRectF(middle.x() - 20, middle.y() - 64, 40, 40)
        icons.paint_icon(painter, sign, "ph.eye-slash", QColor(t.text2))
        for text, colour, size, down in (
            (tr("Screen cover"), t.text, 18, -8.0),
            (tr("Press any key or click to go on. This is not a lock."), t.text2, 13, 22.0),
        ):
            painter.setFont(text_font(size))
            painter.setPen(QColor(colour))
            box = QRectF(0, middle.y() + down, self.width(), 26)
            painter.drawText(box, Qt.AlignmentFlag.AlignCenter, text)


class ScreenCover(QObject):
    """Cover every window when nothing was done for a while, or at once.

    It listens to the whole program, and that costs a call for every event. So once something was done it hears nothing
    for a moment: the cover comes by so much later, never earlier.

    Signals:
        changed(bool): whether the screen is covered now.
    """

    changed = Signal(bool)

    def __init__(self, theme: Theme, parent: QObject) -> None:
        super().__init__(parent)
        self._theme = theme
        self._sheets: dict[QWidget, CoverSheet] = {}
        self._idle = QTimer(self)
        self._idle.setSingleShot(True)
        self._idle.timeout.connect(self.cover)
        self._ms = 0
        self._deaf = QTimer(self)
        self._deaf.setSingleShot(True)
        self._deaf.timeout.connect(self._listen)
        app = QApplication.instance()
        assert isinstance(app, QApplication)
        self._app = app
        self._listen()

    @property
    def is_on(self) -> bool:
        return bool(self._sheets)

    @property
    def sheets(self) -> tuple[CoverSheet, ...]:
        return tuple(self._sheets.values())

    def set_theme(self, theme: Theme) -> None:
        self._theme = theme

    def set_idle(self, milliseconds: int) -> None:
        """Cover after so long without a key or the mouse; 0: never by itself."""
        self._ms = milliseconds
        self._begin_waiting()

    def cover(self) -> None:
        """Cover every window of the program now."""
        popup = self._app.activePopupWidget()
        while popup is not None:
            popup.close()
            popup = self._app.activePopupWidget()
        for window in self._app.topLevelWidgets():
            if isinstance(window, (QMainWindow, QDialog)) and window.isVisible():
                self._lay(window)
        if self._sheets:
            self._idle.stop()
            self._listen()
            self.changed.emit(True)

    def uncover(self) -> None:
        """Take the cover off."""
        sheets, self._sheets = self._sheets, {}
        for sheet in sheets.values():
            sheet.hide()
            sheet.deleteLater()
        self._begin_waiting()
        self.changed.emit(False)

    def close_cover(self) -> None:
        """Let go of the application."""
        self._idle.stop()
        self._deaf.stop()
        self._app.removeEventFilter(self)

    def _lay(self, window: QWidget) -> None:
        if window not in self._sheets:
            self._sheets[window] = CoverSheet(window, self._theme)

    def _begin_waiting(self) -> None:
        if self._ms and not self._sheets:
            self._idle.start(self._ms)
        else:
            self._idle.stop()
        self._listen()

    def _listen(self) -> None:
        """Hear what is done, where that matters; before everybody else who listens."""
        self._deaf.stop()
        self._app.removeEventFilter(self)
        if self._ms or self._sheets:
            self._app.installEventFilter(self)

    def _note_use(self) -> None:
        deaf = min(_MOST_DEAF_MS, self._ms // 10)
        self._idle.start(self._ms + deaf)
        self._app.removeEventFilter(self)
        self._deaf.start(deaf)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if not self._sheets:
            if self._ms and isinstance(event, QInputEvent) and event.type() in _USED:
                self._note_use()
            return False
        kind = event.type()
        if kind is QEvent.Type.Resize and watched in self._sheets and isinstance(watched, QWidget):
            self._sheets[watched].setGeometry(watched.rect())
        elif kind is QEvent.Type.Show and isinstance(watched, (QMainWindow, QDialog)):
            self._lay(watched)
        elif kind in (QEvent.Type.Hide, QEvent.Type.Close) and watched in self._sheets:
            self._sheets.pop(watched).hide()  # type: ignore[call-overload]
            if not self._sheets:
                self.uncover()
        if kind is QEvent.Type.ShortcutOverride:
            event.accept()  # so that the key comes as a key, and runs nothing
            return True
        if kind is QEvent.Type.Shortcut or (kind in _SWALLOWED and isinstance(watched, QWidget)):
            if kind in _TAKES_OFF:
                self.uncover()
            return True
        return False
