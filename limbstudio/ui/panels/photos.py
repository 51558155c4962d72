"""The photo list: thumbnails, state and limb of each photo; where nothing is open yet, a place to drop photos."""

from PySide6.QtCore import (
    QAbstractListModel,
    QItemSelectionModel,
    QModelIndex,
    QObject,
    QPersistentModelIndex,
    QRect,
    QRectF,
    QSize,
    QSortFilterProxyModel,
    Qt,
)
from PySide6.QtGui import QAction, QColor, QImage, QPainter, QPaintEvent, QPixmap
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QLineEdit,
    QListView,
    QStackedLayout,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from limbstudio.domain.anatomy import Level, Limb
from limbstudio.domain.photo import Person, Photo
from limbstudio.domain.review import ReviewState
from limbstudio.ui import icons
from limbstudio.ui import theme as tokens
from limbstudio.ui.panels.parts import action_button, label, line
from limbstudio.ui.photo_view import image_of
from limbstudio.ui.session import Session
from limbstudio.ui.theme import Theme

_THUMBNAIL = QSize(56, 48)
_ROW_HEIGHT = 62
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
_STATES = {
    ReviewState.NEW: ("ph.circle-dashed", "text2", "New"),
    ReviewState.IN_WORK: ("ph.pencil-simple", "text", "In work"),
    ReviewState.READY: ("ph.circle-half", "accent", "Ready"),
    ReviewState.ACCEPTED: ("ph.check-circle", "ok", "Accepted"),
    ReviewState.SENT_BACK: ("ph.arrow-u-up-left", "warn", "Sent back"),
}


def limb_code(person: Person) -> str:
    """Return a person's limb differences in short, 'R TT'; empty when all limbs are intact or unsure."""
    parts = []
    for limb in (Limb.RIGHT_ARM, Limb.LEFT_ARM, Limb.RIGHT_LEG, Limb.LEFT_LEG):
        code = _CODES.get(person.limbs[limb].level)
        if code:
            parts.append(f"{limb.side.value[0].upper()} {code}")
    return "  ".join(parts)


def file_name(photo: Photo) -> str:
    return photo.path.replace("\\", "/").rsplit("/", 1)[-1]


class PhotoModel(QAbstractListModel):
    """The photos of the project, one row each."""

    def __init__(self, session: Session, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self._photos: tuple[Photo, ...] = ()
        self._thumbnails: dict[str, QPixmap] = {}
        self._unreadable: dict[str, str] = {}
        self._asked: set[str] = set()
        session.opened.connect(self.reload)
        session.closed.connect(self.reload)
        session.photos_changed.connect(self.reload)
        session.people_changed.connect(self._on_people_changed)

    def reload(self) -> None:
        self.beginResetModel()
        self._photos = self._session.studio.photos if self._session.studio.is_open else ()
        self.endResetModel()

    def rowCount(self, parent: QModelIndex | QPersistentModelIndex | None = None) -> int:
        return 0 if parent is not None and parent.isValid() else len(self._photos)

    def photo(self, row: int) -> Photo:
        return self._photos[row]

    def row_of(self, sha256: str) -> int:
        return next((i for i, p in enumerate(self._photos) if p.sha256 == sha256), -1)

    def data(
        self, index: QModelIndex | QPersistentModelIndex, role: int = Qt.ItemDataRole.DisplayRole
    ) -> object:
        if not index.isValid():
            return None
        photo = self._photos[index.row()]
        if role == Qt.ItemDataRole.DisplayRole:
            return file_name(photo)
        if role == Qt.ItemDataRole.ToolTipRole:
            return self._unreadable.get(photo.sha256) or f"{photo.path}\n{photo.width} × {photo.height}"
        if role == Qt.ItemDataRole.AccessibleTextRole:
            return f"{file_name(photo)}, {self.state(photo)[2]} {self.code(photo)}"
        return None

    def state(self, photo: Photo) -> tuple[str, str, str]:
        """Return icon, colour token and word of a photo's state."""
        if photo.sha256 in self._unreadable:
            return "ph.warning-circle", "error", "Not found"
        if photo.no_person:
            return "ph.prohibit", "text2", "No person, confirmed"
        return _STATES[self._session.review_of_photo(photo.sha256)]

    def code(self, photo: Photo) -> str:
        return "  ".join(filter(None, map(limb_code, self._session.studio.people_in(photo.sha256))))

    def thumbnail(self, photo: Photo) -> QPixmap | None:
        """Return the photo's thumbnail, or None and have it read."""
        sha256 = photo.sha256
        if sha256 not in self._thumbnails and sha256 not in self._asked:
            self._asked.add(sha256)
            studio = self._session.studio
            self._session.bridge.read(
                lambda: _shrunk(image_of(studio.photo_pixels(photo))),
                lambda image: self._keep(sha256, image),
                lambda error: self._note(sha256, str(error)),
                background=True,
            )
        return self._thumbnails.get(sha256)

    def _keep(self, sha256: str, image: QImage) -> None:
        pixmap = QPixmap.fromImage(image)
        pixmap.setDevicePixelRatio(2.0)
        self._thumbnails[sha256] = pixmap
        self._changed(sha256)

    def _note(self, sha256: str, reason: str) -> None:
        self._unreadable[sha256] = reason
        self._changed(sha256)

    def forget_unreadable(self) -> None:
        """Try again to read what could not be read: files were found."""
        lost, self._unreadable = self._unreadable, {}
        self._asked -= lost.keys()
        for sha256 in lost:
            self._changed(sha256)

    def _changed(self, sha256: str) -> None:
        row = self.row_of(sha256)
        if row >= 0:
            self.dataChanged.emit(self.index(row), self.index(row))

    def _on_people_changed(self, entry: object) -> None:
        if self._photos:
            self.dataChanged.emit(self.index(0), self.index(len(self._photos) - 1))


def _shrunk(image: QImage) -> QImage:
    """Return the middle of a photo, cut to the thumbnail's form, at twice its size."""
    size = _THUMBNAIL * 2
    image = image.scaled(
        size, Qt.AspectRatioMode.KeepAspectRatioByExpanding, Qt.TransformationMode.SmoothTransformation
    )
    left, top = (image.width() - size.width()) // 2, (image.height() - size.height()) // 3
    return image.copy(QRect(left, top, size.width(), size.height()))


class _PhotoDelegate(QStyledItemDelegate):
    def __init__(self, model: PhotoModel, theme: Theme, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._model = model
        self.theme = theme
        self.compact = False

    def sizeHint(self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex) -> QSize:
        return QSize(200, _ROW_HEIGHT)

    def paint(
        self,
        painter: QPainter,
        option: QStyleOptionViewItem,
        index: QModelIndex | QPersistentModelIndex,
    ) -> None:
        from PySide6.QtWidgets import QStyle

        photo = self._model.photo(_source_row(index))
        t = self.theme
        margin = 4 if self.compact else 12
        box = QRectF(option.rect).adjusted(margin, 1, -margin, -1)  # type: ignore[attr-defined]
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        state = option.state  # type: ignore[attr-defined]
        selected = bool(state & QStyle.StateFlag.State_Selected)
        if selected or state & QStyle.StateFlag.State_MouseOver:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(QColor(t.accent_bg if selected else t.hover))
            painter.drawRoundedRect(box, 6, 6)
        picture = QRectF(box.left() + 6, box.center().y() - 24, _THUMBNAIL.width(), _THUMBNAIL.height())
        self._paint_thumbnail(painter, picture, photo, selected)
        if self.compact:
            painter.restore()
            return

        left = picture.right() + 10
        code = self._model.code(photo)
        right = box.right() - 8
        if code:
            self._paint_code(painter, code, right, box.top() + 31)
        painter.setFont(tokens.text_font(13, tokens.QFont.Weight.DemiBold))
        painter.setPen(QColor(t.text))
        name_box = QRectF(left, box.top() + 8, right - left, 20)
        name = painter.fontMetrics().elidedText(
            file_name(photo), Qt.TextElideMode.ElideMiddle, int(name_box.width())
        )
        vertical = Qt.AlignmentFlag.AlignVCenter
        painter.drawText(name_box, Qt.AlignmentFlag.AlignLeft | vertical, name)

        icon, token, word = self._model.state(photo)
        colour = QColor(getattr(t, token))
        icons.paint_icon(painter, QRectF(left, box.top() + 34, 14, 14), icon, colour)
        painter.setFont(tokens.text_font(12, tokens.QFont.Weight.Medium))
        painter.setPen(colour)
        painter.drawText(QRectF(left + 19, box.top() + 31, box.right() - left - 24, 20), vertical, word)
        painter.restore()

    def _paint_thumbnail(self, painter: QPainter, box: QRectF, photo: Photo, selected: bool) -> None:
        thumbnail = self._model.thumbnail(photo)
        if thumbnail is None:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(QColor(self.theme.raised))
            painter.drawRoundedRect(box, 4, 4)
        else:
            painter.drawPixmap(box.toRect(), thumbnail)
        if selected:
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.setPen(QColor(self.theme.accent))
            painter.drawRoundedRect(box, 4, 4)

    def _paint_code(self, painter: QPainter, code: str, right: float, top: float) -> float:
        """Draw the limb code as a badge that ends at `right`; return where it begins."""
        painter.setFont(tokens.text_font(11, tokens.QFont.Weight.DemiBold))
        width = min(painter.fontMetrics().horizontalAdvance(code) + 2, 84) + 16
        badge = QRectF(right - width, top, width, 20)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(self.theme.raised))
        painter.drawRoundedRect(badge, 10, 10)
        painter.setPen(QColor(self.theme.residual))
        shown = painter.fontMetrics().elidedText(code, Qt.TextElideMode.ElideRight, int(width - 16))
        painter.drawText(badge, Qt.AlignmentFlag.AlignCenter, shown)
        return badge.left()


def _source_row(index: QModelIndex | QPersistentModelIndex) -> int:
    model = index.model()
    if isinstance(model, QSortFilterProxyModel):
        return model.mapToSource(index).row()
    return index.row()


class _ProgressLine(QWidget):
    """How many photos are in which state: a bar of colours; the words stand under it."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.theme = theme
        self._counts: dict[ReviewState, int] = {}
        self.setFixedHeight(5)

    def show_counts(self, counts: dict[ReviewState, int]) -> None:
        self._counts = counts
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.fillRect(self.rect(), QColor(self.theme.hover))
        total = sum(self._counts.values())
        if not total:
            return
        x = 0.0
        for state in (ReviewState.ACCEPTED, ReviewState.READY, ReviewState.SENT_BACK, ReviewState.IN_WORK):
            width = self.width() * self._counts.get(state, 0) / total
            colour = (
                self.theme.line2 if state is ReviewState.IN_WORK else getattr(self.theme, _STATES[state][1])
            )
            painter.fillRect(QRectF(x, 0, width, self.height()), QColor(colour))
            x += width


class PhotosPanel(QWidget):
    """List the photos; selecting one brings it into view."""

    def __init__(
        self, session: Session, theme: Theme, open_photos: QAction, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.setObjectName("leftPanel")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self._session = session
        self.model = PhotoModel(session, self)
        self._filtered = QSortFilterProxyModel(self)
        self._filtered.setSourceModel(self.model)
        self._filtered.setFilterCaseSensitivity(Qt.CaseSensitivity.CaseInsensitive)

        self._count = label("0", "badge")
        head = QHBoxLayout()
        head.setContentsMargins(12, 0, 12, 0)
        head.setSpacing(8)
        self._title = label("Photos", "title")
        head.addWidget(self._title)
        head.addWidget(self._count)
        head.addStretch(1)
        self._search = QLineEdit()
        self._search.setPlaceholderText("Find a photo by name")
        self._search.setAccessibleName("Find a photo by name")
        self._search.setClearButtonEnabled(True)
        for button in self._search.findChildren(QToolButton):
            button.setAccessibleName("Clear the field")
        self._search.textChanged.connect(self._filtered.setFilterFixedString)
        search_row = QHBoxLayout()
        search_row.setContentsMargins(12, 0, 12, 0)
        search_row.addWidget(self._search)
        self._progress = _ProgressLine(theme)
        self._progress_words = label("", "caption")
        progress_rows = QVBoxLayout()
        progress_rows.setContentsMargins(12, 0, 12, 0)
        progress_rows.setSpacing(5)
        progress_rows.addWidget(self._progress)
        progress_rows.addWidget(self._progress_words)

        self.list = QListView()
        self.list.setModel(self._filtered)
        self._delegate = _PhotoDelegate(self.model, theme, self)
        self.list.setItemDelegate(self._delegate)
        self.list.setUniformItemSizes(True)
        self.list.setVerticalScrollMode(QListView.ScrollMode.ScrollPerPixel)
        self.list.setMouseTracking(True)
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.list.setAccessibleName("Photos")
        self.list.selectionModel().currentChanged.connect(self._on_current_changed)

        self._empty = self._empty_state(theme, open_photos)
        stack_host = QWidget()
        self._stack = QStackedLayout(stack_host)
        self._stack.addWidget(self._empty)
        self._stack.addWidget(self.list)

        column = QVBoxLayout(self)
        column.setContentsMargins(0, 12, 0, 0)
        column.setSpacing(9)
        column.addLayout(head)
        column.addLayout(search_row)
        column.addLayout(progress_rows)
        column.addWidget(line())
        column.addWidget(stack_host, 1)

        session.photo_selected.connect(self._on_photo_selected)
        session.people_changed.connect(lambda _entry: self._refresh())
        for signal in (session.opened, session.closed, session.photos_changed):
            signal.connect(self._refresh)
        self._refresh()

    def _empty_state(self, theme: Theme, open_photos: QAction) -> QWidget:
        host = QWidget()
        drop = self._drop_words = QFrame()
        drop.setProperty("role", "drop")
        words = label("Drop photos, a folder or an annotation file here", "small")
        words.setWordWrap(True)
        words.setAlignment(Qt.AlignmentFlag.AlignCenter)
        formats = label("JPEG, PNG, TIFF, HEIC, WebP, COCO", "caption")
        formats.setWordWrap(True)
        formats.setAlignment(Qt.AlignmentFlag.AlignCenter)
        inside = QVBoxLayout(drop)
        inside.setContentsMargins(14, 22, 14, 18)
        inside.setSpacing(10)
        inside.addWidget(words)
        inside.addWidget(formats)
        inside.addWidget(action_button(open_photos), 0, Qt.AlignmentFlag.AlignCenter)
        column = QVBoxLayout(host)
        column.setContentsMargins(12, 8, 12, 12)
        column.addWidget(drop)
        column.addStretch(1)
        return host

    def set_compact(self, compact: bool) -> None:
        """Show thumbnails only, where the window has little room."""
        self._delegate.compact = compact
        for part in (self._title, self._search, self._progress, self._progress_words):
            part.setVisible(not compact)
        self._drop_words.setVisible(not compact)
        self.list.viewport().update()

    def set_theme(self, theme: Theme) -> None:
        self._delegate.theme = self._progress.theme = theme
        self.list.viewport().update()

    def _refresh(self) -> None:
        photos = self._session.studio.photos if self._session.studio.is_open else ()
        counts: dict[ReviewState, int] = {}
        for photo in photos:
            state = self._session.review_of_photo(photo.sha256)
            counts[state] = counts.get(state, 0) + 1
        self._count.setText(str(len(photos)))
        self._progress.show_counts(counts)
        done = counts.get(ReviewState.READY, 0) + counts.get(ReviewState.ACCEPTED, 0)
        self._progress_words.setText(
            f"{done} ready, {len(photos) - done} to do" if photos else "No photos yet"
        )
        self._stack.setCurrentWidget(self.list if photos else self._empty)
        self._on_photo_selected()

    def _on_photo_selected(self) -> None:
        photo = self._session.photo
        row = self.model.row_of(photo.sha256) if photo is not None else -1
        selection = self.list.selectionModel()
        if row < 0:
            selection.clear()
            return
        index = self._filtered.mapFromSource(self.model.index(row))
        if index.isValid() and index != self.list.currentIndex():
            selection.setCurrentIndex(index, QItemSelectionModel.SelectionFlag.ClearAndSelect)
            self.list.scrollTo(index)

    def _on_current_changed(self, current: QModelIndex, previous: QModelIndex) -> None:
        if current.isValid():
            self._session.select_photo(self.model.photo(_source_row(current)).sha256)
