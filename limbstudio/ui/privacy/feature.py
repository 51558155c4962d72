"""Names hidden, faces blurred and the screen covered: the choices, remembered, and what follows them."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from PySide6.QtGui import QPixmap

from limbstudio.domain.photo import Photo
from limbstudio.services.history import Entry
from limbstudio.ui.action_row import Owner
from limbstudio.ui.canvas.veil import Veil, veiled_thumbnail
from limbstudio.ui.features import Feature
from limbstudio.ui.panels.parts import label
from limbstudio.ui.privacy import names
from limbstudio.ui.privacy.cover import ScreenCover
from limbstudio.ui.privacy.heads import veil_of
from limbstudio.ui.theme import Theme
from limbstudio.ui.words import tr

if TYPE_CHECKING:
    from limbstudio.ui.main_window import MainWindow

COVER_MINUTES = (0, 1, 5, 15)
_DEFAULT_MINUTES = 5


class Privacy(Feature):
    """Own what is hidden from people who look over one's shoulder; nothing on disk changes by it."""

    owner = Owner.PRIVACY

    def __init__(self, window: "MainWindow") -> None:
        super().__init__(window)
        self._memory = window.memory
        self._numbers: dict[str, int] = {}
        self._numbers_of: tuple[object, int] | None = None
        self._page = window.annotate_page
        self.note = label("", "badge-warn")
        self.note.setParent(self._page)
        self.note.hide()
        self._page.floats.add(self.note, right=True)
        self.cover_sheet = ScreenCover(window.theme, self)
        self.cover_sheet.changed.connect(self._on_covered)
        minutes = self._memory.value("cover_minutes", _DEFAULT_MINUTES, int)
        self._cover_after(minutes if minutes in COVER_MINUTES else _DEFAULT_MINUTES)
        self.hides_names = self._memory.value("hide_names", False, bool) is True
        self.blurs_faces = self._memory.value("blur_faces", False, bool) is True
        window.actions_table["hide_names"].setChecked(self.hides_names)
        window.actions_table["blur_faces"].setChecked(self.blurs_faces)
        session = self.session
        for signal in (session.photo_selected, session.person_selected, session.opened, session.closed):
            signal.connect(self._veil)
        session.people_changed.connect(self._on_people_changed)
        window.photos_panel.set_thumbnail_veil(self.veiled)
        self._show_names()
        self._veil()

    def set_theme(self, theme: Theme) -> None:
        self.cover_sheet.set_theme(theme)

    def close(self) -> None:
        self.cover_sheet.close_cover()
        names.show()

    # ---------------------------------------------------------------------------------------------------- the actions

    def set_hide_names(self, hides: bool) -> None:
        """Show 'Photo 12' and 'Person A' in place of names."""
        self.hides_names = hides
        self._memory.setValue("hide_names", hides)
        self._show_names()

    def set_blur_faces(self, blurs: bool) -> None:
        """Blur heads, or the whole photo while one is not known."""
        self.blurs_faces = blurs
        self._memory.setValue("blur_faces", blurs)
        self._veil()
        self.window.photos_panel.redraw()

    def cover(self) -> None:
        """Cover the screen until a key is pressed."""
        self.cover_sheet.cover()

    def _on_covered(self, covered: bool) -> None:
        if covered:
            self.window.setWindowTitle("LimbStudio")
        else:
            self.window.show_title()

    def cover_after_0(self, checked: bool = True) -> None:
        self._cover_after(0)

    def cover_after_1(self, checked: bool = True) -> None:
        self._cover_after(1)

    def cover_after_5(self, checked: bool = True) -> None:
        self._cover_after(5)

    def cover_after_15(self, checked: bool = True) -> None:
        self._cover_after(15)

    def _cover_after(self, minutes: int) -> None:
        for choice in COVER_MINUTES:
            self.window.actions_table[f"cover_after_{choice}"].setChecked(choice == minutes)
        self._memory.setValue("cover_minutes", minutes)
        self.cover_sheet.set_idle(minutes * 60_000)

    # --------------------------------------------------------------------------------------------------------- names

    def _show_names(self) -> None:
        if self.hides_names:
            names.hide(self._photo_numbers)
        else:
            names.show()
        window = self.window
        window.show_title()
        window.show_recent()
        window.message_bar.mask()
        window.photos_panel.redraw()
        window.person_panel.refresh()
        window.limb_panel.refresh()
        window.bottom_dock.redraw()
        words = self._page.reading.words
        words.setText(names.masked(words.text()))

    def _photo_numbers(self) -> Mapping[str, int]:
        """Return the number of every photo, by its sha256 and by its file's name."""
        studio = self.session.studio
        photos = studio.photos if studio.is_open else ()
        key = (studio.folder if studio.is_open else None, len(photos))
        if key != self._numbers_of:
            self._numbers_of = key
            self._numbers = {}
            for number, photo in enumerate(photos, start=1):
                self._numbers[photo.sha256] = number
                self._numbers.setdefault(names.file_name(photo.path), number)
        return self._numbers

    # --------------------------------------------------------------------------------------------------------- faces

    def veil_for(self, photo: Photo) -> Veil | None:
        """Return what is blurred of a photo now."""
        if not self.blurs_faces:
            return None
        people = self.session.studio.people_in(photo.sha256)
        return veil_of(people, (photo.width, photo.height), nobody=photo.no_person)

    def veiled(self, photo: Photo, thumbnail: QPixmap) -> QPixmap:
        """Return a photo's thumbnail as it may be seen."""
        veil = self.veil_for(photo)
        return thumbnail if veil is None else veiled_thumbnail(thumbnail, (photo.width, photo.height), veil)

    def _on_people_changed(self, _entry: Entry) -> None:
        self._veil()

    def _veil(self) -> None:
        photo = self.session.photo
        veil = None if photo is None else self.veil_for(photo)
        self._page.view.set_veil(veil)
        self.note.setText(tr("Blurred until the head is known: draw the box or place the nose"))
        if self.note.isVisibleTo(self._page) is not (veil is not None and veil.whole):
            self.note.setVisible(veil is not None and veil.whole)
            self._page.floats.arrange()
