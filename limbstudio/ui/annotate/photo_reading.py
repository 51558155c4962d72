"""Reading the photo in view: its pixels come from threads, and the canvas says what it waits for or cannot show.

A small copy is shown as soon as it is there, the photo itself when one stays; neighbours are read ahead.
"""

from PySide6.QtCore import QObject, Qt, QTimer, Signal
from PySide6.QtWidgets import QWidget

from limbstudio.domain.errors import KnownError
from limbstudio.domain.photo import Photo
from limbstudio.rendering.photo_tiles import PhotoPyramid
from limbstudio.services import machine
from limbstudio.services.photo_walk import Arrival, PhotoWalk
from limbstudio.ui.actions import Actions
from limbstudio.ui.panels.parts import action_button, label
from limbstudio.ui.photo_view import PhotoView
from limbstudio.ui.privacy import names
from limbstudio.ui.session import Session

_WORD_AFTER_MS = 400  # a wait shorter than a blink needs no word
_SMALL_PIXELS = 2_000_000  # a photo that is small itself needs no small copy
_AHEAD = (1, 2, -1, 3)  # photos from the one in view, in the direction of the last step


def load_readers() -> None:
    """Import what photos are read and scaled with; in any thread. The first photo then waits for its file only."""
    import cv2  # noqa: F401
    from PIL import JpegImagePlugin  # noqa: F401

    import limbstudio.images  # noqa: F401


class PhotoReading(QObject):
    """Bring the selected photo onto the canvas.

    Signals:
        cleared(): another photo was chosen, and the canvas is empty.
        shown(): the photo is on the canvas, perhaps as a small copy of it.
        said(): what is said in its place has changed.
    """

    cleared = Signal()
    shown = Signal()
    said = Signal()

    def __init__(self, session: Session, actions: Actions, view: PhotoView, page: QWidget) -> None:
        super().__init__(page)
        self._session = session
        self._actions = actions
        self._view = view
        self._shown_photo: str | None = None
        self._picture: PhotoPyramid | None = None
        self._is_sharp = False
        self._place = 0
        studio = session.studio

        def sharp(photo: Photo) -> PhotoPyramid:
            return PhotoPyramid(studio.photo_pixels(photo)).prepare()

        def draft(photo: Photo) -> PhotoPyramid | None:
            if photo.width * photo.height < _SMALL_PIXELS:
                return None
            pixels = studio.photo_draft(photo)
            return None if pixels is None else PhotoPyramid(pixels).prepare()

        self._walk: PhotoWalk[PhotoPyramid] = PhotoWalk(
            sharp=sharp,
            draft=draft,
            size=lambda picture: picture.bytes,
            told=lambda arrival: session.bridge.deliver(lambda: self._on_arrival(arrival)),
            rested=machine.give_back_memory,  # as much again as the pictures that are kept
        )
        self.words = label("", "small")
        self.words.setParent(page)
        self.words.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.words.setWordWrap(True)
        self.words.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.locate = action_button(actions["locate_photo"])
        self.locate.setParent(page)
        self.locate.hide()
        session.photo_selected.connect(self.begin)
        session.settled.connect(self._walk.read_on)
        session.opened.connect(self.begin_anew)

    @property
    def is_shown(self) -> bool:
        """Tell whether the selected photo is on the canvas."""
        photo = self._session.photo
        return photo is not None and photo.sha256 == self._shown_photo

    @property
    def has_ended(self) -> bool:
        """Tell whether some photo was read, or could not be."""
        return self._shown_photo is not None

    @property
    def is_sharp(self) -> bool:
        """Tell whether all of the selected photo's pixels are on the canvas, not only a small copy."""
        return self.is_shown and self._is_sharp

    def begin_anew(self) -> None:
        """Read everything again: another project was opened, or files were found."""
        self._walk.forget()
        self.begin()

    def begin(self) -> None:
        """Bring the selected photo onto the canvas: at once where it was read ahead, else when it is read."""
        photo = self._session.photo
        self._shown_photo = None
        self._view.show_photo(None)
        self._view.show_people(None)
        self._let_go()
        self.cleared.emit()
        self._say("")
        self.locate.hide()
        if photo is None:
            self._walk.look_at(None)
            if self._session.studio.is_open and not self._session.studio.photos:
                how = self._actions.how("open_photos")
                self._say(f"Start with a photo: {how}, or drop photos here.")
            return
        picture, is_sharp = self._walk.look_at(photo, self._nearby(photo), wait=self._session.is_settling)
        if picture is not None:
            self._show(photo, picture, is_sharp=is_sharp)
            return
        sha256 = photo.sha256
        QTimer.singleShot(
            _WORD_AFTER_MS, lambda: self._say("Reading the photo") if self._waits(sha256) else None
        )

    def _nearby(self, photo: Photo) -> list[Photo]:
        """Return the photos that will be asked for next, the most likely first."""
        session = self._session
        place = session.studio.photos.place_of(photo.sha256)
        direction = -1 if place < self._place else 1
        self._place = place
        names = dict.fromkeys(session.photo_beside(direction * step) for step in _AHEAD)
        found = [session.studio.project.records.get(("photo", name)) for name in names if name]
        return [p for p in found if p is not None and p.sha256 != photo.sha256]

    def _waits(self, sha256: str) -> bool:
        photo = self._session.photo
        return photo is not None and photo.sha256 == sha256 and self._shown_photo != sha256

    def _on_arrival(self, arrival: Arrival[PhotoPyramid]) -> None:
        photo = self._session.photo
        if photo is None or photo.sha256 != arrival.sha256:
            return  # another photo was chosen meanwhile
        if arrival.picture is not None:
            if not self.is_sharp:
                self._show(photo, arrival.picture, is_sharp=arrival.is_sharp)
        elif arrival.error is not None:
            self._show_unreadable(photo.sha256, arrival.error)

    def _show(self, photo: Photo, picture: PhotoPyramid, *, is_sharp: bool) -> None:
        better = self.is_shown
        self._shown_photo, self._is_sharp = photo.sha256, is_sharp
        self._let_go()
        self._picture = picture
        self._say("")
        size = None if is_sharp else (photo.width, photo.height)
        self._view.show_photo(picture, size=size, keep_view=better)
        if not better:
            self.shown.emit()

    def _let_go(self) -> None:
        """Spare the memory of what close looks at the last picture made."""
        if self._picture is not None:
            self._picture.spare()
        self._picture = None

    def _show_unreadable(self, sha256: str, error: BaseException) -> None:
        if not isinstance(error, KnownError):
            raise error
        if self._waits(sha256):
            self._shown_photo = sha256
            self._say(f"{error.message}\n{error.hint}")
            self.locate.show()

    def close(self) -> None:
        """Let the threads go; nothing is read any more."""
        self._walk.close()

    def _say(self, text: str) -> None:
        words = names.masked(text)
        if words == self.words.text() and self.words.isHidden() is not bool(text):
            return
        self.words.setText(words)
        self.words.setVisible(bool(text))
        self.said.emit()

    def arrange(self, width: int, height: int) -> None:
        """Put the words in the middle of a canvas of width x height px."""
        self.words.setGeometry(width // 2 - 240, height // 2 - 60, 480, 120)
        self.locate.adjustSize()
        self.locate.move((width - self.locate.width()) // 2, height // 2 + 68)
