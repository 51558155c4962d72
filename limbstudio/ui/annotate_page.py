"""The Annotate perspective's centre: the canvas with what floats over it, and the guide that drives it."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from PySide6.QtCore import QPoint, Qt, QTimer
from PySide6.QtGui import QKeyEvent, QResizeEvent
from PySide6.QtWidgets import QMenu, QVBoxLayout, QWidget

from limbstudio.domain import edits
from limbstudio.domain.anatomy import LDPOSE, KeypointState, Posture
from limbstudio.domain.edits import person_contradictions
from limbstudio.domain.errors import KnownError
from limbstudio.domain.fitted import KeptFit
from limbstudio.domain.geometry import Box
from limbstudio.domain.photo import Person
from limbstudio.domain.review import ReviewState
from limbstudio.services.history import Entry, EntryKind
from limbstudio.services.studio import Mesh
from limbstudio.ui import guided
from limbstudio.ui.actions import Actions, Where
from limbstudio.ui.body_overlay import overlay_picture
from limbstudio.ui.floats import GuideBar, HintCard, InsetFrame, Loupe, StateBar, ToolBar
from limbstudio.ui.glyphs import glyph_icon, glyph_of
from limbstudio.ui.guided import Guide, Phase
from limbstudio.ui.mesh_view import MeshView, camera_axes
from limbstudio.ui.panels.parts import action_button, label
from limbstudio.ui.panels.person import state_menu
from limbstudio.ui.photo_view import PhotoView
from limbstudio.ui.session import Session
from limbstudio.ui.targets import Rectangle, place_card
from limbstudio.ui.theme import Theme

_MARGIN = 12


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
        self._theme = theme
        self._asked_changed = asked_changed
        self.guide = Guide()
        self._shown_photo: str | None = None
        self._overlay_of: str | None = None
        self._can_show_meshes = False

        self.view = PhotoView(self)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self.view)
        self._reading = label("", "small")
        self._reading.setParent(self)
        self._reading.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._reading.setWordWrap(True)
        self._reading.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)

        self.locate = action_button(actions["locate_photo"])
        self.locate.setParent(self)
        self.locate.hide()

        self.tool_bar = ToolBar(actions, self)
        self.guide_bar = GuideBar(self)
        self.state_bar = StateBar(actions, self)
        self.hint = HintCard(self)
        self.loupe = Loupe(self.view, self)
        self.mesh_view = MeshView(theme, "Fit body to see it here", "Fitted body, small", self)
        self.inset = InsetFrame(self.mesh_view, theme, self)

        for action in actions.of(Where.CANVAS):
            self.view.addAction(action)
        for name in ("overlay", "inset", "loupe"):
            actions[name].setChecked(True)

        view = self.view
        view.clicked_to_place.connect(self._place)
        view.point_moved.connect(self._move_point)
        view.points_moved.connect(self._move_points)
        view.box_drawn.connect(self._set_box)
        view.point_nudged.connect(self._nudge_point)
        view.point_selected.connect(lambda i: session.select_point(None if i < 0 else i))
        view.person_clicked.connect(session.select_person)
        view.skip_asked.connect(self.skip)
        view.pointer_at.connect(self._on_pointer)
        view.pointer_left.connect(self.loupe.hide)
        view.moved.connect(self._place_hint)
        view.menu_asked.connect(self._show_menu)
        session.photo_selected.connect(self._on_photo)
        session.opened.connect(self._on_photo)
        session.person_selected.connect(self._on_person)
        session.people_changed.connect(self._on_entry)
        session.point_selected.connect(self._on_point)
        session.fit_changed.connect(self._on_fit)
        self._show_guide()

    def set_theme(self, theme: Theme) -> None:
        self._theme = theme
        self.mesh_view.set_theme(theme)

    def allow_meshes(self) -> None:
        """3D has been loaded: show the body from now on."""
        self._can_show_meshes = True
        self._on_fit()

    # ------------------------------------------------------------------------------------------ following the session

    def _on_photo(self) -> None:
        photo = self._session.photo
        self._shown_photo = None
        self.view.show_photo(None)
        self.view.show_people(None)
        self.view.show_overlay(None)
        self._overlay_of = None
        self.loupe.hide()
        self._say_reading("")
        self.locate.hide()
        if photo is None:
            if self._session.studio.is_open and not self._session.studio.photos:
                self._say_reading("Start with a photo: press Ctrl+O, or drop photos here.")
            return
        sha256, studio = photo.sha256, self._session.studio
        # A wait shorter than a blink needs no word.
        QTimer.singleShot(
            400, lambda: self._say_reading("Reading the photo") if self._waits(sha256) else None
        )
        self._session.bridge.read(
            lambda: studio.photo_pixels(photo),
            lambda pixels: self._show_pixels(sha256, pixels),
            lambda error: self._show_unreadable(sha256, error),
        )

    def read_again(self) -> None:
        """Read the photo in view anew: its file was found."""
        self.view.setFocus()
        self._on_photo()

    def _waits(self, sha256: str) -> bool:
        photo = self._session.photo
        return photo is not None and photo.sha256 == sha256 and self._shown_photo != sha256

    def _show_pixels(self, sha256: str, pixels: np.ndarray) -> None:
        if not self._waits(sha256):
            return  # another photo was chosen meanwhile
        self._shown_photo = sha256
        self._say_reading("")
        self.view.show_photo(pixels)
        self._on_person()
        self._on_fit()

    def _show_unreadable(self, sha256: str, error: BaseException) -> None:
        if not isinstance(error, KnownError):
            raise error
        if self._waits(sha256):
            self._shown_photo = sha256
            self._say_reading(f"{error.message}\n{error.hint}")
            self.locate.show()

    def _say_reading(self, text: str) -> None:
        self._reading.setText(text)
        self._reading.setVisible(bool(text))
        self._arrange()

    def _on_person(self) -> None:
        person = self._session.person
        photo = self._session.photo
        if self._shown_photo is not None and photo is not None and photo.sha256 == self._shown_photo:
            others = [p for p in self._session.people if person is None or p.id != person.id]
            self.view.show_people(person, others)
        self.guide = Guide()
        if person is not None and self._session.review_of(person) is ReviewState.NEW:
            self.guide = guided.start(person)
        elif person is not None:
            # Somebody who was begun is edited freely until G: a click on old work must not place points.
            self.guide = guided.leave(guided.start(person))
        self._show_guide()

    def _on_entry(self, entry: Entry) -> None:
        person = self._session.person
        others = [p for p in self._session.people if person is None or p.id != person.id]
        if self._shown_photo is not None:
            self.view.show_people(person, others)
        if person is None:
            self.guide = Guide()
        elif _changed_limbs(entry, person.id):
            self.guide = guided.limb_state_changed(self.guide, person)
        else:
            self.guide = guided.synced(self.guide, person, undone=entry.kind is EntryKind.UNDO)
        self._show_guide()

    def _on_point(self, index: int) -> None:
        self.view.select(None if index < 0 else index)
        person = self._session.person
        asking = index >= 0 and self.guide.phase in (Phase.PLACE, Phase.CHECK)
        if asking and person is not None and not guided.is_settled(person.keypoints, index):
            self.guide = guided.go_to(self.guide, index)  # chosen in the list: ask for that one now
        self._show_guide()

    def _on_fit(self) -> None:
        fit = self._session.fit
        if fit is None:
            self.view.show_overlay(None)
            self._overlay_of = None
            self.mesh_view.clear()
            self.inset.say("")
            return
        stale = self._session.studio.is_stale(fit)
        self.inset.say("before your edit" if stale else "", "warn" if stale else "caption")
        mesh = self._session.attempt(lambda: self._session.studio.body_mesh(fit))
        if mesh is None:
            return
        if self._overlay_of != fit.id and self._shown_photo is not None:
            self._overlay_of = fit.id
            self._session.bridge.read(
                lambda: overlay_picture(mesh, fit.fit.camera),
                lambda made: self._show_overlay(fit, *made),
                lambda error: self._session.said.emit(str(error), "", False),
            )
        self._show_mesh(fit, mesh, stale)

    def _show_mesh(self, fit: KeptFit, mesh: Mesh, stale: bool) -> None:
        if self._can_show_meshes and self.inset.isVisible():
            axes = camera_axes(fit.fit.orientation)
            self.mesh_view.show_body(mesh.vertices, mesh.faces, mesh.residual, axes, stale=stale)

    def _show_overlay(self, fit: KeptFit, picture: np.ndarray, scale: float) -> None:
        if self._overlay_of == fit.id:
            self.view.show_overlay(picture, scale)
            self.view.set_overlay_visible(self._actions["overlay"].isChecked())

    # ---------------------------------------------------------------------------------------------------- the guide

    def _show_guide(self) -> None:
        """Bring everything that shows the guide into line with it."""
        person = self._session.person
        asked = self.guide.next_point
        has_photo = self._session.photo is not None
        asking = asked is not None and has_photo
        # Before points are asked for, a click still means something: a new person, or a residual limb's end.
        first_click = has_photo and (
            self.guide.phase is Phase.LIMBS or (person is None and self.guide.phase is not Phase.FREE)
        )
        expected = (
            guided.predicted_position(person, asked) if asking and person and asked is not None else None
        )
        if expected is not None and not self._inside(expected):
            expected = None
        self.view.set_asking(asking or first_click, expected, by_keys=self.guide.phase is not Phase.LIMBS)
        self._actions["guided"].setChecked(self.guide.phase not in (Phase.FREE, Phase.IDLE) or first_click)
        self._actions["select"].setChecked(self.guide.phase is Phase.FREE)
        self._asked_changed(asked)
        for widget in (self.tool_bar, self.state_bar):
            widget.setVisible(has_photo)
        self.inset.setVisible(has_photo and self._actions["inset"].isChecked())
        self.guide_bar.setVisible(person is not None)
        if person is not None:
            done, total = guided.progress(person)
            self.guide_bar.show_progress(self.guide.phase, done, total)
        self._show_hint(person, asked)
        self._show_state(person, asked)
        self._describe(person, asked)
        if not asking:
            self.loupe.hide()
        self._arrange()

    def _inside(self, at: tuple[float, float]) -> bool:
        photo = self._session.photo
        return photo is not None and 0 <= at[0] < photo.width and 0 <= at[1] < photo.height

    def _show_hint(self, person: Person | None, asked: int | None) -> None:
        phase = self.guide.phase
        self.hint.setVisible(self.view.has_photo and phase is not Phase.FREE)
        if person is None:
            self.hint.show_sentence("Add a person", "Draw a box around the person, or click. Left and right are the "
                                    "person's own.")  # fmt: skip
        elif asked is not None:
            order = self.guide.order
            self.hint.show_point(asked, order.index(asked) + 1, len(order), self.guide.armed)
        elif phase is Phase.LIMBS:
            self.hint.show_sentence(
                "Limb differences first",
                "Set a level in the diagram or click a residual limb's end. All intact: press Enter.",
            )
        elif phase is Phase.CHECK:
            left = [i for i in guided.unplaced(person)]
            words = "All points are placed. Press R to mark this person ready."
            if left:
                names = ", ".join(LDPOSE[i].label.lower() for i in left[:3]) + (
                    " ..." if len(left) > 3 else ""
                )
                words = f"Not placed: {names}. Press G to place them, R when that is right."
            self.hint.show_sentence("Check", words)
        else:
            self.hint.hide()

    def _show_state(self, person: Person | None, asked: int | None) -> None:
        room = self.width() - 2 * _MARGIN
        if asked is not None:
            self.state_bar.show_state(asked, self.guide.armed, room)
        elif person is not None and self._session.point is not None:
            index = self._session.point
            self.state_bar.show_state(index, person.keypoints.points[index].state, room)
        else:
            self.state_bar.show_state(None, None, room)

    def _describe(self, person: Person | None, asked: int | None) -> None:
        """Tell screen readers what the canvas waits for."""
        index = asked if asked is not None else self._session.point
        if person is None or index is None:
            self.view.setAccessibleDescription("")
            return
        state = person.keypoints.points[index].state.value.replace("_", " ")
        order = guided.placement_order(person.limbs)
        place = f", {order.index(index) + 1} of {len(order)}" if index in order else ""
        next_word = ", next" if asked is not None else ""
        self.view.setAccessibleDescription(f"{LDPOSE[index].label}, {state}{place}{next_word}")

    def start_guide(self, checked: bool = True) -> None:
        """Begin guided placement, or go on with it."""
        person = self._session.person
        if person is not None:
            # Nothing to say about the limbs of somebody who has points already.
            begun = self.guide.phase in (Phase.IDLE, Phase.FREE, Phase.CHECK)
            self.guide = guided.resume(self.guide, person) if begun else self.guide
        else:
            self.guide = Guide()
        self._session.select_point(None)
        self._show_guide()
        self.view.setFocus()

    def leave_guide(self, checked: bool = True) -> None:
        """Edit freely."""
        self._actions["draw_box"].setChecked(False)
        self.view.set_drawing_box(False)
        self.guide = guided.leave(self.guide)
        self._show_guide()
        self.view.setFocus()

    def skip(self) -> None:
        """Leave the point asked for unlabelled; during limb differences: all limbs are intact."""
        person = self._session.person
        if person is None:
            return
        if self.guide.phase is Phase.LIMBS:
            self.guide = guided.limbs_settled(self.guide, person)
        else:
            self.guide = guided.skip(self.guide, person)
        self._show_guide()

    def limbs_were_set(self) -> None:
        """A limb's level was set: ask for the points that this leaves."""
        person = self._session.person
        if person is not None:
            self.guide = guided.limb_state_changed(self.guide, person)
            self._show_guide()

    def step_back(self) -> None:
        """Ask for the previous point again and take it away."""
        person = self._session.person
        if person is None:
            return
        self.guide, index = guided.step_back(self.guide)
        if index is not None and person.keypoints.points[index].state is not KeypointState.UNLABELLED:
            self._session.do(edits.clear_point(person, index))
            # The edit was followed as any other; the guide asks for this very point.
            current = self._session.person
            if current is not None:
                self.guide = guided.go_to(self.guide, index)
        self._show_guide()

    def enter(self) -> None:
        """All limbs are intact."""
        if self.guide.phase is Phase.LIMBS:
            self.skip()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and self.guide.phase is Phase.LIMBS:
            self.enter()
        else:
            event.ignore()

    # ------------------------------------------------------------------------------------------------------- edits

    def _place(self, x: float, y: float) -> None:
        """A click, or Enter at the crosshair, gives the point asked for its place."""
        photo = self._session.photo
        if photo is None or not self._session.can_edit:
            return
        person = self._session.person
        if person is None:
            self.new_person()
            return
        x, y = min(max(x, 0.0), photo.width - 1.0), min(max(y, 0.0), photo.height - 1.0)
        if self.guide.phase is Phase.LIMBS:
            self._ask_which_end(x, y)
            return
        asked = self.guide.next_point
        if asked is None:
            return
        armed = self.guide.armed
        before = self.guide
        if self._session.do(edits.place_point(person, asked, x, y, armed)):
            placed = self._session.person
            if placed is not None:
                self.guide = guided.placed(before, placed)
        self._session.select_point(None)
        self._show_guide()

    def _ask_which_end(self, x: float, y: float) -> None:
        """Limb differences come first: ask whose end was clicked; choosing one proposes the level."""
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.addAction("All limbs are intact").triggered.connect(lambda _=False: self.skip())
        menu.addSeparator()
        for definition in LDPOSE:
            if definition.is_residual_end:
                action = menu.addAction(
                    glyph_icon(glyph_of(definition, KeypointState.VISIBLE)), definition.label
                )
                action.triggered.connect(lambda _=False, i=definition.index: self._place_end(i, x, y))
        at = self.view.on_screen(x, y).toPoint()
        menu.popup(self.view.viewport().mapToGlobal(at))

    def _place_end(self, index: int, x: float, y: float) -> None:
        person = self._session.person
        if person is not None and self._session.do(edits.place_point(person, index, x, y)):
            self.limbs_were_set()

    def _move_point(self, index: int, x: float, y: float) -> None:
        person, photo = self._session.person, self._session.photo
        if person is not None and photo is not None:
            x, y = min(max(x, 0.0), photo.width - 1.0), min(max(y, 0.0), photo.height - 1.0)
            kept = person.keypoints.points[index].state
            self._session.do(edits.place_point(person, index, x, y, kept))
            self._on_person_redrawn()

    def _move_points(self, places: dict[int, tuple[float, float]]) -> None:
        person, photo = self._session.person, self._session.photo
        if person is not None and photo is not None:
            inside = {
                index: (min(max(x, 0.0), photo.width - 1.0), min(max(y, 0.0), photo.height - 1.0))
                for index, (x, y) in places.items()
            }
            self._session.do(edits.move_points(person, inside))
            self._on_person_redrawn()

    def draw_box(self, checked: bool = True) -> None:
        """Let the next drag draw the person's box; a person is made for it where there is none."""
        self.view.set_drawing_box(checked)
        if checked:
            self._session.said.emit(
                "Draw the box: drag from one corner of the person to the other.", "", False
            )
            self.view.setFocus()

    def _set_box(self, box: Box) -> None:
        photo, person = self._session.photo, self._session.person
        self._actions["draw_box"].setChecked(False)
        self.view.set_drawing_box(False)
        if photo is None or not self._session.can_edit:
            return
        if person is not None:
            self._session.do(edits.set_box(person, box))
        else:
            made = self._session.attempt(lambda: self._session.studio.new_person(photo.sha256, box))
            if made is not None:
                self._session.select_person(made.id)

    def _on_person_redrawn(self) -> None:
        """Draw what is recorded, also when a drag was refused."""
        person = self._session.person
        self.view.show_people(
            person, [p for p in self._session.people if person is None or p.id != person.id]
        )

    def _nudge_point(self, index: int, dx: int, dy: int) -> None:
        person = self._session.person
        if person is None:
            return
        point = person.keypoints.points[index]
        if point.x is not None and point.y is not None:
            edit = edits.place_point(person, index, point.x + dx, point.y + dy, point.state)
            self._session.do(replace(edit, merge_key=f"nudge {person.id} {index}"))

    def _set_state(self, state: KeypointState) -> None:
        """Give the point asked for, or else the selected one, a state."""
        person = self._session.person
        if person is None or not self._session.can_edit:
            return
        asked = self.guide.next_point
        if asked is None:
            index = self._session.point
            if index is not None:
                point = person.keypoints.points[index]
                if point.x is None and state in (KeypointState.VISIBLE, KeypointState.OCCLUDED):
                    self._session.said.emit(
                        f"{LDPOSE[index].label} has no place yet.", "Press G and click where it is.", False
                    )
                    return
                self._session.do(edits.set_point_state(person, index, state))
        elif state is KeypointState.UNLABELLED:
            self.skip()
        elif state in guided.STATES_THAT_ADVANCE:
            before = self.guide
            if self._session.do(edits.set_point_state(person, asked, state)):
                after = self._session.person
                if after is not None:
                    self.guide = guided.placed(before, after)
            self._show_guide()
        else:
            self.guide = guided.arm(self.guide, state)
            self._show_guide()

    def state_visible(self) -> None:
        self._set_state(KeypointState.VISIBLE)

    def state_occluded(self) -> None:
        self._set_state(KeypointState.OCCLUDED)

    def state_out_of_frame(self) -> None:
        self._set_state(KeypointState.OUT_OF_FRAME)

    def state_absent(self) -> None:
        self._set_state(KeypointState.ABSENT)

    def state_prosthesis(self) -> None:
        self._set_state(KeypointState.PROSTHESIS)

    def state_unlabelled(self) -> None:
        self._set_state(KeypointState.UNLABELLED)

    def state_unsure(self) -> None:
        self._set_state(KeypointState.UNSURE)

    def clear_point(self) -> None:
        person, index = self._session.person, self._session.point
        if person is not None and index is not None:
            self._session.do(edits.clear_point(person, index))

    def next_point(self) -> None:
        self._step_point(1)

    def previous_point(self) -> None:
        self._step_point(-1)

    def _step_point(self, step: int) -> None:
        person = self._session.person
        if person is None:
            return
        if self.guide.next_point is not None:
            self.guide = guided.go_to(
                self.guide, guided.neighbour(person, self.guide.next_point, step) or self.guide.next_point
            )
            self._show_guide()
        else:
            self._session.select_point(guided.neighbour(person, self._session.point, step))

    def swap_limb(self) -> None:
        """Swap left and right of the selected point's limb."""
        person = self._session.person
        index = self._session.point if self._session.point is not None else self.guide.next_point
        limb = LDPOSE[index].limb if index is not None else None
        if person is None:
            return
        if limb is None:
            self._session.said.emit("No limb is selected.", "Select a point of an arm or a leg first.", False)
        else:
            self._session.do(edits.swap_sides(person, limb))

    def swap_body(self) -> None:
        person = self._session.person
        if person is not None:
            self._session.do(edits.swap_sides(person))

    def mend(self) -> None:
        person = self._session.person
        if person is not None:
            self._session.do(edits.mend(person, person_contradictions(person)))

    def new_person(self) -> Person | None:
        photo = self._session.photo
        if photo is None or not self._session.can_edit:
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
        self._session.step_photo(1)

    def previous_photo(self) -> None:
        self._session.step_photo(-1)

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
                "Place shoulders and hips first: press G.",
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
                "No point of this person is placed yet.", "Place the points: press G.", True
            )
            return
        unsure = [i for i, p in enumerate(person.keypoints.points) if p.state is KeypointState.UNSURE]
        if unsure:
            words = f"{LDPOSE[unsure[0]].label} is unsure."
            self._session.said.emit(words, "Decide what it is, then mark ready.", True)
            self._session.select_point(unsure[0])
            return
        self._session.set_ready(person, True)

    def show_definition(self) -> None:
        index = self.guide.next_point if self.guide.next_point is not None else self._session.point
        if index is None:
            self._session.said.emit(
                "Residual limb end: the very end of the residual limb, in the middle of its width.",
                "Select a point to see its definition.",
                False,
            )
        else:
            self._session.said.emit(f"{LDPOSE[index].label}: {guided.definition_of(index)}", "", False)

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
        self.inset.setVisible(visible and self._session.photo is not None)
        self._arrange()
        if visible:
            self._on_fit()

    def set_loupe(self, visible: bool) -> None:
        if not visible:
            self.loupe.hide()

    def set_names(self, visible: bool) -> None:
        self.view.set_names_visible(visible)

    def close_views(self) -> None:
        self.mesh_view.close_view()

    def _show_menu(self, index: int, at: QPoint) -> None:
        if index >= 0:
            state_menu(self._actions, self).popup(at)

    def _on_pointer(self, x: float, y: float) -> None:
        wanted = self.guide.next_point is not None and self._actions["loupe"].isChecked()
        if not (wanted and self._inside((x, y))):
            self.loupe.hide()
            return
        self.loupe.look_at(x, y)
        at = self.view.on_screen(x, y)
        right = at.x() + 40 + self.loupe.width() < self.width()
        left_edge = int(at.x() + 40) if right else int(at.x() - 40 - self.loupe.width())
        top = min(max(int(at.y() - self.loupe.height() / 2), 60), self.height() - self.loupe.height() - 60)
        self.loupe.move(left_edge, top)
        self.loupe.show()
        self.loupe.raise_()
        self._place_hint(pointer=(at.x(), at.y()))

    # ---------------------------------------------------------------------------------------------------- the layout

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._show_state(self._session.person, self.guide.next_point)
        self._arrange()

    def _arrange(self) -> None:
        width, height = self.width(), self.height()
        self.tool_bar.adjustSize()
        self.tool_bar.move(_MARGIN, _MARGIN)
        self.guide_bar.adjustSize()
        left = width - self.guide_bar.width() - _MARGIN
        beside = left > self.tool_bar.x() + self.tool_bar.width() + _MARGIN
        below = self.tool_bar.y() + self.tool_bar.height() + 8
        self.guide_bar.move(left, _MARGIN if beside else below)
        self.state_bar.adjustSize()
        self.state_bar.move((width - self.state_bar.width()) // 2, height - self.state_bar.height() - _MARGIN)
        bottom = self.state_bar.height() + 2 * _MARGIN
        self.inset.set_small(width < 700 or height < 600)
        self.inset.move(_MARGIN, height - self.inset.height() - bottom)
        self._reading.setGeometry(width // 2 - 240, height // 2 - 60, 480, 120)
        self.locate.adjustSize()
        self.locate.move((width - self.locate.width()) // 2, height // 2 + 68)
        for widget in (self.tool_bar, self.guide_bar, self.state_bar, self.inset, self.hint, self.loupe):
            widget.raise_()
        self._place_hint()

    def _place_hint(self, pointer: tuple[float, float] | None = None) -> None:
        if self.hint.isHidden():
            return
        asked, person = self.guide.next_point, self._session.person
        expected = (
            guided.predicted_position(person, asked) if person is not None and asked is not None else None
        )
        wanted = None
        if expected is not None and self.view.has_photo:
            on_screen = self.view.on_screen(*expected)
            wanted = (on_screen.x(), on_screen.y())
        points = [(p.x(), p.y()) for p in self.view.points_on_screen().values()]
        if pointer is not None:
            card = Rectangle(self.hint.x(), self.hint.y(), self.hint.width(), self.hint.height())
            if not card.holds(*pointer, margin=40):
                return  # it lies well where it is: cards that jump about are worse than cards in a corner
            points.extend([pointer] * 50)
        taken = [
            Rectangle(w.x(), w.y(), w.width(), w.height())
            for w in (self.tool_bar, self.guide_bar, self.state_bar, self.inset)
            if w.isVisible()
        ]
        area = Rectangle(_MARGIN, _MARGIN, self.width() - 2 * _MARGIN, self.height() - 2 * _MARGIN)
        place = place_card(
            (self.hint.width(), self.hint.height()), area, wanted=wanted, points=points, taken=taken
        )
        self.hint.move(round(place[0]), round(place[1]))


def _changed_limbs(entry: Entry, person_id: str) -> bool:
    """Tell whether an entry changed the limb states of a person."""
    for change in entry.edit.changes:
        if change.key == ("person", person_id):
            before, after = change.before, change.after
            return before is not None and after is not None and before.limbs != after.limbs
    return False
