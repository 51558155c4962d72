"""Finding photos: the search above the list, saved searches, and steps to the next photo of a kind."""

from typing import TYPE_CHECKING

from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QInputDialog, QSplitter

from limbstudio.domain.errors import KnownError
from limbstudio.domain.saved_search import SavedSearch, forget_search
from limbstudio.services.history import Entry
from limbstudio.services.searching import new_search
from limbstudio.ui.action_row import Owner
from limbstudio.ui.features import Feature

if TYPE_CHECKING:
    from limbstudio.ui.main_window import MainWindow

_AGAIN_MS = 300
_START_MS = 1500  # where no photo comes
_TABLE_WIDTH = 620
_LEAST_CANVAS = 560  # its bars need that much


class PhotoSearch(Feature):
    """Ask the studio's search and show what it finds."""

    owner = Owner.PHOTO_SEARCH

    def __init__(self, window: "MainWindow") -> None:
        super().__init__(window)
        self._panel = window.photos_panel
        self._query = ""
        self._asked = 0
        # After an edit a photo may be what is searched for, or no longer: the list follows when the hand rests.
        self._again = QTimer(self)
        self._again.setSingleShot(True)
        self._again.setInterval(_AGAIN_MS)
        self._again.timeout.connect(lambda: self.search(self._query))
        self._is_started = True
        self._late = QTimer(self)
        self._late.setSingleShot(True)
        self._late.setInterval(_START_MS)
        self._late.timeout.connect(self._start)
        window.annotate_page.reading.shown.connect(self._start)
        field = self._panel.search
        field.asked.connect(self.search)
        field.save_asked.connect(self._ask_name)
        field.forget_asked.connect(self._forget)
        field.left.connect(self._panel.setFocus)
        field.left.connect(lambda: self._panel.view.setFocus())
        self.session.opened.connect(self._on_opened)
        self.session.closed.connect(self._on_closed)
        self.session.people_changed.connect(self._on_entry)

    # ---------------------------------------------------------------------------------------- following the project

    def _on_opened(self) -> None:
        self._query = ""
        self._panel.search.edit.clear()
        self._show_saved()
        self._is_started = False
        self._late.start()

    def _start(self) -> None:
        """Count the photos and make them searchable, once the first of them is on the screen."""
        if self._is_started or not self.session.studio.is_open:
            return
        self._is_started = True
        self.session.studio.start_searching(self._panel.show_progress)
        self._panel.show_progress()

    def _on_closed(self) -> None:
        self._again.stop()
        self._late.stop()
        self._query = ""
        self.session.shown = None
        self._panel.search.edit.clear()

    def _on_entry(self, entry: Entry) -> None:
        if self._query:
            self._again.start()
        if any(change.key[0] == "saved_search" for change in entry.edit.changes):
            self._show_saved()

    def _show_saved(self) -> None:
        studio = self.session.studio
        self._panel.search.show_saved(list(studio.project.of_kind("saved_search")) if studio.is_open else ())

    def available(self) -> frozenset[str]:
        return frozenset({"search"}) if self._query else frozenset()

    # ------------------------------------------------------------------------------------------------ searching

    def search(self, query: str) -> None:
        """Show the photos that a query asks for; all of them when it is empty."""
        studio = self.session.studio
        if not studio.is_open:
            return
        had, self._query = bool(self._query), query
        if had is not bool(query):
            self.window.show_available()
        self._asked += 1
        asked, searching = self._asked, studio.searching
        if not query:
            if self.session.shown is not None:
                self.session.show_only(None)
        elif searching.is_ready:
            self._show(asked, searching.photos(query))
        else:
            self.session.bridge.read(
                lambda: searching.photos(query),
                lambda found: self._show(asked, found),
                lambda error: self.session.said.emit(str(error), "", False),
                background=True,
            )

    def _show(self, asked: int, found: tuple[str, ...]) -> None:
        if asked == self._asked and found != self.session.shown:
            self.session.show_only(found)

    def find_photos(self) -> None:
        self.window.show_annotate()
        self.window.actions_table["left_panel"].setChecked(True)
        self._panel.setVisible(True)
        self._panel.search.setVisible(True)
        self._panel.search.edit.setFocus()
        self._panel.search.edit.selectAll()

    def clear_search(self) -> None:
        self._panel.search.set_query("")

    def save_search(self) -> None:
        self._ask_name(self._query)

    def _ask_name(self, query: str) -> None:
        dialog = QInputDialog(self.window)
        dialog.setWindowTitle("Save this search")
        dialog.setLabelText(f"Name for “{query}”:")
        dialog.setTextValue(query)
        dialog.setOkButtonText("Save")
        dialog.textValueSelected.connect(lambda name: self.keep(name, query))
        dialog.open()

    def keep(self, name: str, query: str) -> None:
        """Keep a search under a name; an undoable edit."""

        def keep() -> bool:
            return self.session.do(new_search(name or query, query))

        self.session.attempt(keep)

    def _forget(self, search: SavedSearch) -> None:
        self.session.do(forget_search(search))

    def set_table(self, table: bool) -> None:
        """Show the list as a table, and make room for it."""
        self._panel.set_table(table)
        splitter = self._panel.parentWidget()
        if isinstance(splitter, QSplitter):
            self._panel.setMaximumWidth(_TABLE_WIDTH + 200 if table else 408)
            widths = splitter.sizes()
            room = splitter.width() - widths[-1] - _LEAST_CANVAS
            thumbnails = self.window.side_width
            left = max(min(_TABLE_WIDTH, room), thumbnails) if table else thumbnails
            splitter.setSizes([left, max(200, widths[1] + widths[0] - left), *widths[2:]])

    # ---------------------------------------------------------------------------------------------------- walking

    def next_unfinished(self) -> None:
        self._step("is:unfinished", 1, "No unfinished photo follows.")

    def previous_unfinished(self) -> None:
        self._step("is:unfinished", -1, "No unfinished photo comes before this one.")

    def next_human(self) -> None:
        self._step("is:human", 1, "No photo that a person annotated follows.")

    def next_predicted(self) -> None:
        self._step("is:predicted", 1, "No photo with a prediction follows.")

    def _step(self, query: str, step: int, none: str) -> None:
        """Go to the next photo that `query` asks for, among those that are shown."""
        studio, photo = self.session.studio, self.session.photo
        if not studio.is_open:
            return
        searching, here, within = studio.searching, photo.sha256 if photo else None, self._query

        def go(found: str | None) -> None:
            if found is not None:
                self.session.select_photo(found)
            else:
                self.session.said.emit(
                    none, "Clear the search to look at all photos." if within else "", False
                )

        if searching.is_ready:
            go(searching.step(query, here, step, within=within))
        else:
            self.session.bridge.read(
                lambda: searching.step(query, here, step, within=within),
                go,
                lambda error: self.session.said.emit(str(error), "", False),
                background=True,
            )

    def ask_photo(self) -> None:
        dialog = QInputDialog(self.window)
        dialog.setWindowTitle("Go to photo")
        dialog.setLabelText(f"Number (1 to {len(self.session.studio.photos)}) or part of the name:")
        dialog.setOkButtonText("Go")
        dialog.textValueSelected.connect(self.go_to)
        dialog.open()

    def go_to(self, text: str) -> None:
        """Go to a photo by its number in the project or by part of its name."""
        studio, text = self.session.studio, text.strip()
        if not text or not studio.is_open:
            return
        photos = studio.photos
        if text.isdecimal() and 1 <= int(text) <= len(photos):
            self.session.select_photo(photos.id_at(int(text) - 1))
            return
        quoted = text.replace('"', "")
        found = self.session.attempt(lambda: studio.searching.photos(f'name:"{quoted}"') if quoted else ())
        if found:
            self.session.select_photo(found[0])
        else:
            self.session.said.emit(
                f"There is no photo “{text}”.",
                f"Type a number from 1 to {len(photos)}, or part of a name.",
                False,
            )

    def toggle_no_person(self) -> None:
        """Say that nobody is in the photo, and go on to the next unfinished one; or take that back."""
        photo = self.session.photo
        if photo is None or not self.session.may_edit():
            return
        try:
            self.session.studio.set_no_person(photo.sha256, not photo.no_person)
        except KnownError as error:
            self.session.said.emit(error.message, error.hint, True)
            return
        words = (
            "No person in this photo: confirmed."
            if not photo.no_person
            else "There may be a person in this photo."
        )
        self.session.said.emit(words, "", False)
