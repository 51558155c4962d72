"""Reading the photo in view: its pixels come from a thread, and the canvas says what it waits for or cannot show."""

from PySide6.QtCore import QObject, Qt, QTimer, Signal
from PySide6.QtWidgets import QWidget

from limbstudio.domain.errors import KnownError
from limbstudio.rendering.photo_tiles import PhotoPyramid
from limbstudio.ui.actions import Actions
from limbstudio.ui.panels.parts import action_button, label
from limbstudio.ui.photo_view import PhotoView
from limbstudio.ui.session import Session

_WORD_AFTER_MS = 400  # a wait shorter than a blink needs no word


class PhotoReading(QObject):
    """Bring the selected photo onto the canvas.

    Signals:
        cleared(): another photo was chosen, and the canvas is empty.
        shown(): the photo is on the canvas.
        said(): what is said in its place has changed.
    """

    cleared = Signal()
    shown = Signal()
    said = Signal()

    def __init__(self, session: Session, actions: Actions, view: PhotoView, page: QWidget) -> None:
        super().__init__(page)
        self._session = session
        self._view = view
        self._shown_photo: str | None = None
        self.words = label("", "small")
        self.words.setParent(page)
        self.words.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.words.setWordWrap(True)
        self.words.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.locate = action_button(actions["locate_photo"])
        self.locate.setParent(page)
        self.locate.hide()
        session.photo_selected.connect(self.begin)
        session.opened.connect(self.begin)

    @property
    def is_shown(self) -> bool:
        """Tell whether the selected photo is on the canvas."""
        photo = self._session.photo
        return photo is not None and photo.sha256 == self._shown_photo

    @property
    def has_ended(self) -> bool:
        """Tell whether some photo was read, or could not be."""
        return self._shown_photo is not None

    def begin(self) -> None:
        """Clear the canvas and read the selected photo."""
        photo = self._session.photo
        self._shown_photo = None
        self._view.show_photo(None)
        self._view.show_people(None)
        self.cleared.emit()
        self._say("")
        self.locate.hide()
        if photo is None:
            if self._session.studio.is_open and not self._session.studio.photos:
                self._say("Start with a photo: press Ctrl+O, or drop photos here.")
            return
        sha256, studio = photo.sha256, self._session.studio
        QTimer.singleShot(
            _WORD_AFTER_MS, lambda: self._say("Reading the photo") if self._waits(sha256) else None
        )
        self._session.bridge.read(
            lambda: PhotoPyramid(studio.photo_pixels(photo)).prepare(),
            lambda pixels: self._show_pixels(sha256, pixels),
            lambda error: self._show_unreadable(sha256, error),
        )

    def _waits(self, sha256: str) -> bool:
        photo = self._session.photo
        return photo is not None and photo.sha256 == sha256 and self._shown_photo != sha256

    def _show_pixels(self, sha256: str, pixels: PhotoPyramid) -> None:
        if not self._waits(sha256):
            return  # another photo was chosen meanwhile
        self._shown_photo = sha256
        self._say("")
        self._view.show_photo(pixels)
        self.shown.emit()

    def _show_unreadable(self, sha256: str, error: BaseException) -> None:
        if not isinstance(error, KnownError):
            raise error
        if self._waits(sha256):
            self._shown_photo = sha256
            self._say(f"{error.message}\n{error.hint}")
            self.locate.show()

    def _say(self, text: str) -> None:
        self.words.setText(text)
        self.words.setVisible(bool(text))
        self.said.emit()

    def arrange(self, width: int, height: int) -> None:
        """Put the words in the middle of a canvas of width x height px."""
        self.words.setGeometry(width // 2 - 240, height // 2 - 60, 480, 120)
        self.locate.adjustSize()
        self.locate.move((width - self.locate.width()) // 2, height // 2 + 68)
