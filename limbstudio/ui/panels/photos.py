"""The photo list: thumbnails, or a table; where nothing is open yet, a place to drop photos."""

from collections.abc import Callable

from PySide6.QtCore import QItemSelectionModel, QModelIndex, Qt
from PySide6.QtGui import QAction, QPixmap
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QStackedLayout,
    QVBoxLayout,
    QWidget,
)

from limbstudio.domain.photo import Photo
from limbstudio.domain.progress import PhotoState
from limbstudio.ui.panels.parts import action_button, label, line
from limbstudio.ui.panels.photo_model import STATES, Column, PhotoModel, file_name, limb_code
from limbstudio.ui.panels.photo_rows import ROW_HEIGHT, PhotoDelegate, ProgressLine
from limbstudio.ui.panels.photo_views import PhotoRows, photo_table, thumbnail_list
from limbstudio.ui.panels.search_field import SearchField
from limbstudio.ui.session import Session
from limbstudio.ui.theme import Theme

__all__ = ["PhotosPanel", "file_name", "limb_code"]

_WIDTHS = {Column.NAME: 132, Column.STATE: 84, Column.PEOPLE: 52, Column.LIMBS: 96, Column.EDITED: 120}


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
        self._counted = False

        self._count = label("0", "badge")
        head = QHBoxLayout()
        head.setContentsMargins(12, 0, 12, 0)
        head.setSpacing(8)
        self._title = label("Photos", "title")
        head.addWidget(self._title)
        head.addWidget(self._count)
        head.addStretch(1)
        self.search = SearchField(theme)
        self._search = self.search.edit
        self._progress = ProgressLine(theme)
        self.progress_words = label("", "caption")
        progress_rows = QVBoxLayout()
        progress_rows.setContentsMargins(12, 0, 12, 0)
        progress_rows.setSpacing(5)
        progress_rows.addWidget(self._progress)
        progress_rows.addWidget(self.progress_words)

        self._delegate = PhotoDelegate(self.model, theme, self)
        self.list = thumbnail_list(self.model, self._delegate, ROW_HEIGHT)
        self.table = photo_table(self.model, _WIDTHS.items())
        self.table.setSelectionModel(self.list.selectionModel())
        self.list.selectionModel().currentChanged.connect(self._on_current_changed)

        self._empty = self._empty_state(open_photos)
        self._nothing = label("", "small")
        self._nothing.setWordWrap(True)
        self._nothing.setAlignment(Qt.AlignmentFlag.AlignTop | Qt.AlignmentFlag.AlignHCenter)
        self._nothing.setContentsMargins(16, 24, 16, 16)
        self._view: PhotoRows = self.list
        stack_host = QWidget()
        self._stack = QStackedLayout(stack_host)
        for widget in (self._empty, self.list, self.table, self._nothing):
            self._stack.addWidget(widget)

        column = QVBoxLayout(self)
        column.setContentsMargins(0, 12, 0, 0)
        column.setSpacing(9)
        column.addLayout(head)
        column.addWidget(self.search)
        column.addLayout(progress_rows)
        column.addWidget(line())
        column.addWidget(stack_host, 1)

        session.settled.connect(self._on_photo_selected)
        session.people_changed.connect(lambda _entry: self.show_progress())
        for signal in (session.opened, session.closed, session.photos_changed, session.shown_changed):
            signal.connect(self._refresh)
        self._refresh()

    def _empty_state(self, open_photos: QAction) -> QWidget:
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
        for part in (self._title, self.search, self._progress, self.progress_words):
            part.setVisible(not compact)
        self._drop_words.setVisible(not compact)
        self.list.viewport().update()

    def set_table(self, table: bool) -> None:
        """Show a table instead of thumbnails."""
        self._view = self.table if table else self.list
        self._refresh()

    @property
    def view(self) -> PhotoRows:
        """Return what lists the photos now: thumbnails or table."""
        return self._view

    @property
    def selected(self) -> list[str]:
        """Return the sha256 of the selected photos, in order; the one in view is always among them."""
        found = [self.model.sha256(row) for row in self.list.selected_rows]
        photo = self._session.photo
        return found or ([photo.sha256] if photo is not None else [])

    def set_theme(self, theme: Theme) -> None:
        self._delegate.theme = self._progress.theme = theme
        self.search.set_theme(theme)
        self.list.viewport().update()

    def set_thumbnail_veil(self, veil: Callable[[Photo, QPixmap], QPixmap]) -> None:
        """Let `veil` say what may be seen of a thumbnail."""
        self.model.veil = veil

    def redraw(self) -> None:
        """Draw every row anew."""
        for view in (self.list, self.table):
            view.viewport().update()

    def _refresh(self) -> None:
        studio = self._session.studio
        total = len(studio.photos) if studio.is_open else 0
        shown = self._session.shown
        self._count.setText(str(total) if shown is None else f"{len(shown)} of {total}")
        self.show_progress()
        if not total:
            self._stack.setCurrentWidget(self._empty)
        elif shown is not None and not shown:
            self._nothing.setText("No photo is so. Change the search, or clear it with Esc.")
            self._stack.setCurrentWidget(self._nothing)
        else:
            self._stack.setCurrentWidget(self._view)
        self._on_photo_selected()

    def show_progress(self) -> None:
        """Show how many photos are in which state."""
        studio = self._session.studio
        if not studio.is_open or not len(studio.photos):
            self._progress.show_counts({})
            self.progress_words.setText("No photos yet")
            return
        progress = studio.searching.progress()
        if progress is None:
            self.progress_words.setText("Counting")
            return
        self._progress.show_counts(progress.counts)
        self.progress_words.setText(f"{progress.finished} ready, {progress.total - progress.finished} to do")
        rows = [
            f"{STATES[state][2]}: {progress.counts[state]}"
            for state in PhotoState
            if progress.counts.get(state)
        ]
        for part in (self._progress, self.progress_words):
            part.setToolTip("\n".join(rows))

    def _on_photo_selected(self) -> None:
        photo = self._session.photo
        row = self.model.row_of(photo.sha256) if photo is not None else -1
        selection = self.list.selectionModel()
        if row < 0:
            selection.clear()
            return
        index = self.model.index(row, 0)
        if index.row() != self.list.currentIndex().row():
            flags = QItemSelectionModel.SelectionFlag
            selection.setCurrentIndex(index, flags.ClearAndSelect | flags.Rows)
        self._view.scrollTo(index)

    def _on_current_changed(self, current: QModelIndex, previous: QModelIndex) -> None:
        if current.isValid():
            self._session.select_photo(self.model.sha256(current.row()))
