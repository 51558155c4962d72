"""Whole people: merged, copied, points given to another; and what is said of one limb's record and of one point."""

import uuid
from collections.abc import Callable
from typing import TYPE_CHECKING

from PySide6.QtCore import QMargins, QMimeData, QPoint, Qt
from PySide6.QtGui import QCursor, QGuiApplication
from PySide6.QtWidgets import (
    QFormLayout,
    QFrame,
    QLabel,
    QLineEdit,
    QMenu,
    QPlainTextEdit,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from limbstudio.domain import people_edits
from limbstudio.domain.anatomy import LDPOSE, N_KEYPOINTS, Cause, Device, Limb
from limbstudio.domain.notes import PointNote, note_key, write_note
from limbstudio.domain.photo import Person
from limbstudio.ui.action_row import Owner
from limbstudio.ui.features import Feature
from limbstudio.ui.panels.limb_record import limbs_with_record
from limbstudio.ui.panels.parts import off_the_edge
from limbstudio.ui.privacy import names

if TYPE_CHECKING:
    from limbstudio.ui.main_window import MainWindow

_MIME = "application/x-limbstudio-person"


class People(Feature):
    """Merge, copy and correct people; edit the record of a limb and of a point."""

    owner = Owner.PEOPLE

    def __init__(self, window: "MainWindow") -> None:
        super().__init__(window)
        self.card: DetailsCard | None = None

    def available(self) -> frozenset[str]:
        there = set[str]()
        if len(self.session.people) > 1 and self.session.person is not None:
            there.add("people")
        if limbs_with_record(self.session.person):
            there.add("limb_difference")
        return frozenset(there)

    # ----------------------------------------------------------------------------------------------- whole people

    def merge_people(self) -> None:
        """Ask for the other half, and make one person of the two."""
        person = self.session.person
        if person is not None:
            self._ask_which(
                "Merge with", lambda other: self.session.do(people_edits.merge_people(person, other))
            )

    def reassign_points(self) -> None:
        """Give the selected points to another person; without a selection all points change owner."""
        person = self.session.person
        if person is None:
            return
        chosen = self._selected_points() or tuple(range(N_KEYPOINTS))
        words = "all points" if len(chosen) == N_KEYPOINTS else LDPOSE[chosen[0]].label.lower()
        if 1 < len(chosen) < N_KEYPOINTS:
            words = f"{len(chosen)} points"
        self._ask_which(
            f"Give {words} to",
            lambda other: self.session.do(people_edits.reassign_points(person, other, chosen)),
        )

    def _selected_points(self) -> tuple[int, ...]:
        selection = getattr(self.window.annotate_page.view, "selection", None)
        if selection:
            return tuple(sorted(selection))
        return () if self.session.point is None else (self.session.point,)

    def _ask_which(self, title: str, act: Callable[[Person], object]) -> None:
        """Offer the other people of the photo; with one other there is nothing to ask."""
        people = self.session.people
        others = [p for p in people if self.session.person is not None and p.id != self.session.person.id]
        if len(others) == 1:
            act(others[0])
            return
        menu = QMenu(self.window)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.addAction(title).setEnabled(False)
        menu.addSeparator()
        for other in others:
            number = [p.id for p in people].index(other.id) + 1
            placed = int(other.keypoints.observed.sum())
            action = menu.addAction(f"&{number}  {names.person_name(number)}, {placed} points")
            action.triggered.connect(lambda _=False, o=other: act(o))
        view = self.window.annotate_page.view
        inside = view.rect().contains(view.mapFromGlobal(QCursor.pos()))
        menu.popup(QCursor.pos() if inside else view.mapToGlobal(view.rect().center()))

    def copy_person(self) -> None:
        """Keep the person in the clipboard; pasting adds a copy to the photo in view."""
        person = self.session.person
        if person is not None:
            mime = QMimeData()
            mime.setData(_MIME, person.id.encode())
            mime.setText(f"Person {person.id}")
            QGuiApplication.clipboard().setMimeData(mime)
            self.window.message_bar.say(
                "The person was copied.",
                f"To paste in any photo, {self.window.actions_table.how('paste_photos')}.",
                serious=False,
            )

    def paste_person(self) -> bool:
        """Add the copied person to the photo in view; False where the clipboard has none of this project."""
        data = QGuiApplication.clipboard().mimeData().data(_MIME)
        person = self.session.studio.project.records.get(
            ("person", bytes(data.data()).decode("utf-8", "replace"))
        )
        photo = self.session.photo
        if not isinstance(person, Person) or photo is None:
            return False
        self._copy(person)
        return True

    def _copy(self, person: Person) -> None:
        target = self.session.photo
        if target is None:
            return

        def made() -> Person:
            source = self.session.studio.photo(person.photo)
            identity = f"{target.sha256[:8]}-{uuid.uuid4().hex[:8]}"
            return people_edits.copied_person(person, source, target, identity)

        copy = self.session.attempt(made)
        if copy is not None and self.session.do(people_edits.paste_person(copy)):
            self.session.select_person(copy.id)

    def copy_from_previous(self) -> None:
        """Copy everybody of the photo before this one."""
        photos, photo = list(self.session.studio.photos), self.session.photo
        at = next((i for i, p in enumerate(photos) if photo is not None and p.sha256 == photo.sha256), 0)
        people = self.session.studio.people_in(photos[at - 1].sha256) if at else ()
        if not people:
            self.window.message_bar.say("There are no people in the photo before.", serious=False)
        for person in people:
            self._copy(person)

    # ------------------------------------------------------------------------------------------- a limb's record

    def _limb(self) -> Limb | None:
        """Return the limb that is meant: of the selected point, else the only one that differs, else the first."""
        limbs = limbs_with_record(self.session.person)
        index = self.session.point
        chosen = LDPOSE[index].limb if index is not None else None
        return chosen if chosen in limbs else next(iter(limbs), None)

    def _set_cause(self, cause: Cause) -> None:
        person, limb = self.session.person, self._limb()
        if person is not None and limb is not None:
            self.session.do(people_edits.set_cause(person, limb, cause))

    def cause_acquired(self) -> None:
        self._set_cause(Cause.ACQUIRED)

    def cause_congenital(self) -> None:
        self._set_cause(Cause.CONGENITAL)

    def cause_unknown(self) -> None:
        self._set_cause(Cause.UNKNOWN)

    def _set_device(self, device: Device) -> None:
        person, limb = self.session.person, self._limb()
        if person is not None and limb is not None:
            self.session.do(people_edits.set_device(person, limb, device))

    def device_none(self) -> None:
        self._set_device(Device.NONE)

    def device_worn(self) -> None:
        self._set_device(Device.WORN)

    def device_beside(self) -> None:
        self._set_device(Device.BESIDE)

    def device_unknown(self) -> None:
        self._set_device(Device.UNKNOWN)

    def toggle_certain(self) -> None:
        person, limb = self.session.person, self._limb()
        if person is not None and limb is not None:
            self.session.do(people_edits.set_certainty(person, limb, not person.limbs[limb].certain))

    # ------------------------------------------------------------------------------------------- a point's details

    def show_point_details(self) -> None:
        """Open a small card with the confidence and the note of the selected point."""
        person, index = self.session.person, self.session.point
        if person is None or index is None:
            return
        note = self.session.studio.project.records.get(note_key(person.id, index))
        before = note if isinstance(note, PointNote) else None
        card = DetailsCard(LDPOSE[index].label, self.window)
        confidence = QSpinBox()
        confidence.setRange(0, 100)
        confidence.setSuffix(" %")
        off_the_edge(confidence)
        confidence.setValue(round(100 * person.keypoints.points[index].confidence))
        confidence.setAccessibleName(f"How sure you are of {LDPOSE[index].label.lower()}, percent")
        text = QLineEdit(before.text if before is not None else "")
        text.setPlaceholderText("A note on this point")
        text.setAccessibleName(f"Note on {LDPOSE[index].label.lower()}")
        card.add_row("Sure", confidence)
        card.add_row("Note", text)

        def keep() -> None:
            now = self.session.studio.project.records.get(("person", person.id))
            if isinstance(now, Person) and confidence.value() != round(
                100 * now.keypoints.points[index].confidence
            ):
                self.session.do(people_edits.set_confidence(now, index, confidence.value() / 100))
            if text.text() != (before.text if before is not None else ""):
                self.session.do(write_note(before, PointNote(person.id, person.photo, index, text.text())))

        self._open(card, keep, confidence)

    def show_person_note(self) -> None:
        """Open a small card with the note on the person in work."""
        person = self.session.person
        if person is None:
            return
        card = DetailsCard("Note on this person", self.window)
        text = QPlainTextEdit(person.notes)
        text.setTabChangesFocus(True)
        text.setAccessibleName("Note on this person")
        text.setFixedHeight(96)
        card.add_row("", text)

        def keep() -> None:
            now = self.session.studio.project.records.get(("person", person.id))
            if isinstance(now, Person) and text.toPlainText() != now.notes:
                self.session.do(people_edits.set_person_note(now, text.toPlainText()))

        self._open(card, keep, text)

    def _open(self, card: "DetailsCard", keep: Callable[[], None], first: QWidget) -> None:
        if self.card is not None:
            self.card.close()
        self.card = card

        def closed() -> None:
            keep()
            self.card = None
            self.window.annotate_page.view.setFocus()

        card.when_closed = closed
        view = self.window.annotate_page.view
        at = view.points_on_screen().get(-1 if self.session.point is None else self.session.point)
        card.adjustSize()
        room = view.rect().marginsRemoved(QMargins(12, 12, 12, 12))
        place = (at.toPoint() if at is not None else room.center()) + QPoint(24, -20)
        if place.x() + card.width() > room.right():
            place.setX(place.x() - 48 - card.width())  # at the point's other side
        place.setX(max(room.left(), min(place.x(), room.right() - card.width())))
        place.setY(max(room.top(), min(place.y(), room.bottom() - card.height())))
        card.move(view.mapToGlobal(place))
        card.show()
        first.setFocus()


class DetailsCard(QFrame):
    """A small card over the window; Enter, Escape or a click elsewhere closes and keeps what was typed."""

    def __init__(self, title: str, parent: QWidget) -> None:
        super().__init__(parent, Qt.WindowType.Popup)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setProperty("role", "card")
        self.setFixedWidth(280)
        self.when_closed: Callable[[], None] | None = None
        heading = QLabel(title)
        heading.setProperty("role", "title")
        self._form = QFormLayout()
        column = QVBoxLayout(self)
        column.setContentsMargins(12, 10, 12, 12)
        column.addWidget(heading)
        column.addLayout(self._form)

    def add_row(self, name: str, field: QWidget) -> None:
        """Add a field with its name."""
        if name:
            self._form.addRow(name, field)
        else:
            self._form.addRow(field)
        if isinstance(field, QLineEdit):
            field.returnPressed.connect(self.close)
        elif isinstance(field, QSpinBox):
            field.lineEdit().returnPressed.connect(self.close)

    def hideEvent(self, event: object) -> None:
        # A popup is hidden, not closed, when somebody clicks elsewhere.
        when_closed, self.when_closed = self.when_closed, None
        if when_closed is not None:
            when_closed()
