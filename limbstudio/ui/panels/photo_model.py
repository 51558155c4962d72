"""The photos of a project as a table that the photo list shows: only what is on the screen is looked up."""

from collections import OrderedDict
from collections.abc import Callable, Sequence
from datetime import datetime
from enum import IntEnum

import numpy as np
from PySide6.QtCore import QAbstractTableModel, QModelIndex, QObject, QPersistentModelIndex, Qt, QTimer
from PySide6.QtGui import QPixmap

from limbstudio.domain.anatomy import Level, Limb
from limbstudio.domain.photo import Person, Photo
from limbstudio.domain.progress import PhotoState
from limbstudio.services.history import Entry
from limbstudio.ui.photo_view import image_of
from limbstudio.ui.privacy import names
from limbstudio.ui.session import Session
from limbstudio.ui.words import said

_CODES = {
    Level.PARTIAL_HAND: "PH",
    Level.PARTIAL_FOOT: "PF",
    Level.WRIST_DISARTICULATION: "WD",
    Level.ANKLE_DISARTICULATION: "AD",
    Level.TRANSRADIAL: "TR",
    Level.TRANSTIBIAL: "TT",
    Level.ELBOW_DISARTICULATION: "ED",
    Level.KNEE_DISARTICULATION: "KD",
    Level.TRANSHUMERAL: "TH",
    Level.TRANSFEMORAL: "TF",
    Level.SHOULDER_DISARTICULATION: "SD",
    Level.FOREQUARTER: "FQ",
    Level.HIP_DISARTICULATION: "HD",
    Level.HEMIPELVECTOMY: "HP",
}
# Icon, colour token and word of a state.
STATES = {
    PhotoState.NEW: ("ph.circle-dashed", "text2", "New"),
    PhotoState.IN_WORK: ("ph.pencil-simple", "text", "In work"),
    PhotoState.READY: ("ph.circle-half", "accent", "Ready"),
    PhotoState.ACCEPTED: ("ph.check-circle", "ok", "Accepted"),
    PhotoState.SENT_BACK: ("ph.arrow-u-up-left", "warn", "Sent back"),
    PhotoState.NO_PERSON: ("ph.prohibit", "text2", "No person, confirmed"),
}
_MOST_THUMBNAILS = 600
_MOST_WAITING = 60  # thumbnails that were scrolled past are not read
_DPR = 2.0


class Column(IntEnum):
    """What a column of the table shows."""

    NAME = 0
    STATE = 1
    PEOPLE = 2
    LIMBS = 3
    EDITED = 4


_COLUMNS = len(Column)
_TITLES = ("Photo", "State", "People", "Limb differences", "Last edit")


def limb_code(person: Person) -> str:
    """Return a person's limb differences in short, 'R TT'; empty when all limbs are intact or unsure."""
    parts = []
    for limb in (Limb.RIGHT_ARM, Limb.LEFT_ARM, Limb.RIGHT_LEG, Limb.LEFT_LEG):
        code = _CODES.get(person.limbs[limb].level)
        if code:
            parts.append(f"{limb.side.value[0].upper()} {code}")
    return "  ".join(parts)


def file_name(photo: Photo) -> str:
    """Return what a photo is called on the screen."""
    return names.photo_name(photo)


class PhotoModel(QAbstractTableModel):
    """The photos that are shown, one row each; a list shows the first column, a table all of them."""

    def __init__(self, session: Session, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self._count = 0
        self._thumbnails: OrderedDict[str, QPixmap] = OrderedDict()
        self._unreadable: dict[str, str] = {}
        self._waiting: OrderedDict[str, Photo] = OrderedDict()
        self._reads = False
        self.veil: Callable[[Photo, QPixmap], QPixmap] | None = None  # what may be seen of a thumbnail
        session.opened.connect(self._on_opened)
        session.closed.connect(self.reload)
        session.photos_changed.connect(self._on_photos_changed)
        session.shown_changed.connect(self.reload)
        session.people_changed.connect(self._on_people_changed)
        # Photos come twenty at a time while an import runs: the list follows a few times a second.
        self._soon = QTimer(self)
        self._soon.setSingleShot(True)
        self._soon.setInterval(150)
        self._soon.timeout.connect(self._follow)

    # ------------------------------------------------------------------------------------------------- the rows

    @property
    def _shown(self) -> Sequence[str] | None:
        return self._session.shown

    def _on_opened(self) -> None:
        self._thumbnails.clear()
        self._waiting.clear()
        self._unreadable.clear()
        self.reload()

    def reload(self) -> None:
        self.beginResetModel()
        self._count = self._number()
        self.endResetModel()

    def _number(self) -> int:
        if not self._session.studio.is_open:
            return 0
        return len(self._session.studio.photos) if self._shown is None else len(self._shown)

    def _on_photos_changed(self) -> None:
        if self._count < 1000:
            self._follow()
        elif not self._soon.isActive():
            self._soon.start()

    def _follow(self) -> None:
        """Come into line with a project that photos were added to or removed from."""
        if self._shown is not None:
            return  # the search is asked again and tells
        number = self._number()
        if number > self._count and self._count:
            self.beginInsertRows(QModelIndex(), self._count, number - 1)
            self._count = number
            self.endInsertRows()
        else:
            self.reload()

    def rowCount(self, parent: QModelIndex | QPersistentModelIndex | None = None) -> int:
        return 0 if parent is not None and parent.isValid() else self._count

    def columnCount(self, parent: QModelIndex | QPersistentModelIndex | None = None) -> int:
        return 0 if parent is not None and parent.isValid() else _COLUMNS

    def sha256(self, row: int) -> str:
        return self._session.studio.photos.id_at(row) if self._shown is None else self._shown[row]

    def photo(self, row: int) -> Photo | None:
        """Return the photo of a row; None for one that went away a moment ago."""
        try:
            return self._session.studio.photos.get(self.sha256(row))
        except IndexError:
            return None

    def row_of(self, sha256: str) -> int:
        """Return the row of a photo, -1 when it is not shown."""
        photos = self._session.studio.photos
        place = photos.place_of(sha256)
        if self._shown is None or place < 0:
            return place if place < self._count else -1
        low, high = 0, len(self._shown)
        while low < high:
            middle = (low + high) // 2
            if photos.place_of(self._shown[middle]) < place:
                low = middle + 1
            else:
                high = middle
        return low if low < len(self._shown) and self._shown[low] == sha256 else -1

    # ------------------------------------------------------------------------------------------------ the cells

    def headerData(
        self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole
    ) -> object:
        if role == Qt.ItemDataRole.DisplayRole and orientation is Qt.Orientation.Horizontal:
            return said(_TITLES[section])
        return None

    def data(
        self, index: QModelIndex | QPersistentModelIndex, role: int = Qt.ItemDataRole.DisplayRole
    ) -> object:
        roles = (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.ToolTipRole, Qt.ItemDataRole.AccessibleTextRole)
        photo = self.photo(index.row()) if index.isValid() and role in roles else None
        if photo is None:
            return None
        if role == Qt.ItemDataRole.ToolTipRole:
            unreadable = self._unreadable.get(photo.sha256, "")
            return names.masked(unreadable) or f"{names.photo_place(photo)}\n{photo.width} × {photo.height}"
        column = Column(index.column())
        if role == Qt.ItemDataRole.AccessibleTextRole and column is Column.NAME:
            return f"{file_name(photo)}, {self.state(photo)[2]} {self.code(photo)}"
        if column is Column.NAME:
            return file_name(photo)
        if column is Column.STATE:
            return self.state(photo)[2]
        if column is Column.PEOPLE:
            number = len(self._session.studio.project.records.names_of_photo("person", photo.sha256))
            return str(number) if number else ""
        return self.code(photo) if column is Column.LIMBS else self._edited(photo)

    def _edited(self, photo: Photo) -> str:
        last = self._session.studio.searching.last_edit(photo.sha256)
        if last is None:
            return ""
        when = datetime.fromisoformat(last.time).astimezone()
        return f"{when:%Y-%m-%d %H:%M}" + (f"  {names.annotator_name(last.who)}" if last.who else "")

    def state(self, photo: Photo) -> tuple[str, str, str]:
        """Return icon, colour token and word of a photo's state."""
        if photo.sha256 in self._unreadable:
            return "ph.warning-circle", "error", said("Not found")
        icon, colour, word = STATES[self._session.review_of_photo(photo.sha256)]
        return icon, colour, said(word)

    def code(self, photo: Photo) -> str:
        return "  ".join(filter(None, map(limb_code, self._session.studio.people_in(photo.sha256))))

    # ------------------------------------------------------------------------------------------- the thumbnails

    def thumbnail(self, photo: Photo) -> QPixmap | None:
        """Return the photo's thumbnail, or None and have it read."""
        sha256 = photo.sha256
        found = self._thumbnails.get(sha256)
        if found is not None:
            self._thumbnails.move_to_end(sha256)
        elif sha256 not in self._unreadable:
            self._waiting[sha256] = photo
            self._waiting.move_to_end(sha256)
            while len(self._waiting) > _MOST_WAITING:
                self._waiting.popitem(last=False)
            self._read_next()
        return found if found is None or self.veil is None else self.veil(photo, found)

    def _read_next(self) -> None:
        """Read the thumbnail that was asked for last: what was asked for before may have been scrolled past."""
        if self._reads or not self._waiting or not self._session.studio.is_open:
            return
        self._reads = True
        sha256, photo = self._waiting.popitem()
        studio = self._session.studio
        self._session.bridge.read(
            lambda: studio.thumbnail(photo),
            lambda pixels: self._keep(sha256, pixels),
            lambda error: self._note(sha256, str(error)),
            background=True,
        )

    def _keep(self, sha256: str, pixels: np.ndarray) -> None:
        pixmap = QPixmap.fromImage(image_of(pixels))
        pixmap.setDevicePixelRatio(_DPR)
        self._thumbnails[sha256] = pixmap
        while len(self._thumbnails) > _MOST_THUMBNAILS:
            self._thumbnails.popitem(last=False)
        self._has_read(sha256)

    def _note(self, sha256: str, reason: str) -> None:
        self._unreadable[sha256] = reason
        self._has_read(sha256)

    def _has_read(self, sha256: str) -> None:
        self._reads = False
        self._changed(sha256)
        self._read_next()

    def forget_unreadable(self) -> None:
        """Try again to read what could not be read: files were found."""
        lost, self._unreadable = self._unreadable, {}
        for sha256 in lost:
            self._changed(sha256)

    def _changed(self, sha256: str) -> None:
        row = self.row_of(sha256)
        if row >= 0:
            self.dataChanged.emit(self.index(row, 0), self.index(row, len(Column) - 1))

    def _on_people_changed(self, entry: Entry) -> None:
        if entry.photo is not None:
            self._changed(entry.photo)
        elif self._count:  # an import, or a batch: what is on the screen is drawn anew
            self.dataChanged.emit(self.index(0, 0), self.index(self._count - 1, len(Column) - 1))
