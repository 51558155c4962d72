"""The Annotate perspective's centre: the canvas with what floats over it; its parts are in `ui.annotate`."""

from collections.abc import Callable
from dataclasses import replace

from PySide6.QtCore import Qt
from PySide6.QtGui import QKeyEvent, QResizeEvent
from PySide6.QtWidgets import QVBoxLayout, QWidget

from limbstudio.domain import edits
from limbstudio.domain.anatomy import LDPOSE, KeypointState, Posture
from limbstudio.domain.edits import person_contradictions
from limbstudio.domain.geometry import Box
from limbstudio.domain.photo import Person
from limbstudio.domain.review import ReviewState
from limbstudio.services.history import Entry
from limbstudio.ui.actions import Actions, Where
from limbstudio.ui.annotate.fit_showing import FitShowing
from limbstudio.ui.annotate.float_layout import FloatLayout
from limbstudio.ui.annotate.guiding import Guiding
from limbstudio.ui.annotate.photo_reading import PhotoReading
from limbstudio.ui.annotate.point_edits import PointEdits
from limbstudio.ui.annotate.stepping import Stepping
from limbstudio.ui.guided import Guide, Phase
from limbstudio.ui.mesh_view import MeshView
from limbstudio.ui.photo_view import PhotoView
from limbstudio.ui.session import Session
from limbstudio.ui.theme import Theme


class AnnotatePage(QWidget):
    """Place and edit the points of the person in work.

    asked_changed: called with the LDPose index that the guide asks for, or None.
    """

    def __init__(
        self,
        session: Session,
        actions: Actions,
        theme: Theme,
        asked_changed: Callable[[int | None], None],
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.setObjectName("canvasArea")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self._session = session
        self._actions = actions
        self._stepping = Stepping(session, self)

        self.view = PhotoView(self)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self.view)
        self.mesh_view = MeshView(theme, "Fit body to see it here", "Fitted body, small", self)
        self.reading = PhotoReading(session, actions, self.view, self)
        self.floats = FloatLayout(actions, self.view, self.mesh_view, theme, self)
        self.guiding = Guiding(session, actions, self.view, self.floats, asked_changed, self.new_person)
        self.point_edits = PointEdits(session, self.view, self.guiding, self._show_people)
        self.fit_showing = FitShowing(
            session, actions, self.view, self.floats.inset, self.mesh_view, self.reading
        )

        for action in actions.of(Where.CANVAS):
            self.view.addAction(action)
        for name in ("overlay", "inset", "loupe"):
            actions[name].setChecked(True)

        self.view.box_drawn.connect(self._set_box)
        self.view.point_selected.connect(lambda i: session.select_point(None if i < 0 else i))
        self.view.person_clicked.connect(session.select_person)
        self.view.moved.connect(self.floats.place_hint)
        self.reading.cleared.connect(self.floats.loupe.hide)
        self.reading.shown.connect(self._on_photo_shown)
        self.reading.said.connect(self.arrange)
        session.person_selected.connect(self._on_person)
        session.people_changed.connect(self._on_entry)
        session.point_selected.connect(self._on_point)
        self.guiding.show_guide()

    @property
    def guide(self) -> Guide:
        """Return what the guide asks for."""
        return self.guiding.guide

    def set_theme(self, theme: Theme) -> None:
        self.mesh_view.set_theme(theme)
        self.floats.hint.set_theme(theme)
        self.guiding.show_guide()  # marks on buttons and in the hint

    def allow_meshes(self) -> None:
        """3D has been loaded: show the body from now on."""
        self.fit_showing.allow_meshes()

    # ------------------------------------------------------------------------------------------ following the session

    def read_again(self) -> None:
        """Read the photo in view anew: its file was found."""
        self.view.setFocus()
        self.reading.begin_anew()

    def _on_photo_shown(self) -> None:
        if self._session.is_turning:
            return  # it was read ahead: the signals of the person and the fit follow
        self._on_person()
        self.fit_showing.show_fit()

    def _on_person(self) -> None:
        if self.reading.is_shown:
            self._show_people()
        self.guiding.begin_person()

    def _on_entry(self, entry: Entry) -> None:
        if self.reading.has_ended:
            self._show_people()
        self.guiding.follow_entry(entry)

    def _on_point(self, index: int) -> None:
        self.view.select(None if index < 0 else index)
        if not self._session.is_turning:
            self.guiding.follow_point(index)

    def _show_people(self) -> None:
        """Draw what is recorded, also when a drag was refused."""
        person = self._session.person
        others = [p for p in self._session.people if person is None or p.id != person.id]
        self.view.show_people(person, others)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and self.guide.phase is Phase.LIMBS:
            self.guiding.skip()  # all limbs are intact
        else:
            event.ignore()

    # ------------------------------------------------------------------------------------------------------ people

    def draw_box(self, checked: bool = True) -> None:
        """Let the next drag draw the person's box; a person is made for it where there is none."""
        self.view.set_drawing_box(checked)
        if checked:
            self._session.said.emit(
                "Draw the box: drag from one corner of the person to the other.",
                "By keys: arrows, Space, arrows, Space.",
                False,
            )
            self.view.setFocus()

    def _set_box(self, box: Box) -> None:
        photo, person = self._session.photo, self._session.person
        self._actions["draw_box"].setChecked(False)
        self.view.set_drawing_box(False)
        if photo is None or not self._session.may_edit():
            return
        if person is not None:
            self._session.do(edits.set_box(person, box))
        else:
            made = self._session.attempt(lambda: self._session.studio.new_person(photo.sha256, box))
            if made is not None:
                self._session.select_person(made.id)

    def new_person(self) -> Person | None:
        photo = self._session.photo
        if photo is None or not self._session.may_edit():
            return None
        person = self._session.attempt(lambda: self._session.studio.new_person(photo.sha256))
        if person is not None:
            self._session.select_person(person.id)
            self.view.setFocus()
        return person

    def delete_person(self) -> None:
        person = self._session.person
        if person is not None:
            self._session.do(edits.delete_person(person))

    def next_person(self) -> None:
        self._session.step_person(1)

    def previous_person(self) -> None:
        self._session.step_person(-1)

    def next_photo(self) -> None:
        self._stepping.step(1)

    def previous_photo(self) -> None:
        self._stepping.step(-1)

    def _set_posture(self, posture: Posture) -> None:
        person = self._session.person
        if person is not None:
            after = replace(person, posture=posture)
            self._session.do(edits.change_person(person, after, f"Posture: {posture.value}"))

    def posture_unknown(self) -> None:
        self._set_posture(Posture.UNKNOWN)

    def posture_standing(self) -> None:
        self._set_posture(Posture.STANDING)

    def posture_sitting(self) -> None:
        self._set_posture(Posture.SITTING)

    def posture_lying(self) -> None:
        self._set_posture(Posture.LYING)

    def fit_body(self) -> None:
        """Fit the body to this person's points in the background."""
        person = self._session.person
        if person is None:
            return
        observed = int(person.keypoints.observed.sum())
        if observed < 2:
            self._session.said.emit(
                "A fit needs points, and this person has " + ("one." if observed else "none."),
                f"Place shoulders and hips first: {self._actions.how('guided')}.",
                True,
            )
            return
        self._session.start(lambda: self._session.studio.fit(person.id))

    def mark_ready(self) -> None:
        """Mark the person ready; not with contradictions, unsure points or no points at all."""
        person = self._session.person
        if person is None:
            return
        if self._session.review_of(person) is ReviewState.READY:
            self._session.set_ready(person, False)
            return
        wrong = person_contradictions(person)
        if wrong:
            self._session.said.emit(wrong[0].message, "Mend it under Findings, then mark ready.", True)
            return
        if all(p.state is KeypointState.UNLABELLED for p in person.keypoints.points):
            self._session.said.emit(
                "No point of this person is placed yet.",
                f"Place the points: {self._actions.how('guided')}.",
                True,
            )
            return
        unsure = [i for i, p in enumerate(person.keypoints.points) if p.state is KeypointState.UNSURE]
        if unsure:
            words = f"{LDPOSE[unsure[0]].label} is unsure."
            self._session.said.emit(words, "Decide what it is, then mark ready.", True)
            self._session.select_point(unsure[0])
            return
        self._session.set_ready(person, True)

    # -------------------------------------------------------------------------------------------------------- view

    def fit_view(self) -> None:
        self.view.fit()

    def zoom_in(self) -> None:
        self.view.zoom_by(1.25)

    def zoom_out(self) -> None:
        self.view.zoom_by(1 / 1.25)

    def set_overlay(self, visible: bool) -> None:
        self.view.set_overlay_visible(visible)

    def set_inset(self, visible: bool) -> None:
        self.floats.inset.setVisible(visible and self._session.photo is not None)
        self.arrange()
        if visible:
            self.fit_showing.show_fit()

    def set_loupe(self, visible: bool) -> None:
        if not visible:
            self.floats.loupe.hide()

    def set_names(self, visible: bool) -> None:
        self.view.set_names_visible(visible)

    def close_views(self) -> None:
        self.reading.close()
        self.mesh_view.close_view()

    # ---------------------------------------------------------------------------------------------------- the layout

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.guiding.show_state()
        self.arrange()

    def arrange(self) -> None:
        """Put what floats over the canvas in its place."""
        self.reading.arrange(self.width(), self.height())
        self.floats.arrange()
