"""Driving the guide: what is asked for, what a click on the photo means, and everything that shows it."""

from collections.abc import Callable, Mapping

from PySide6.QtCore import QObject, Qt
from PySide6.QtWidgets import QMenu

from limbstudio.domain import edits
from limbstudio.domain.anatomy import LDPOSE, KeypointState
from limbstudio.domain.photo import Person
from limbstudio.domain.review import ReviewState
from limbstudio.services.history import Entry, EntryKind
from limbstudio.ui import guided
from limbstudio.ui.actions import Actions
from limbstudio.ui.annotate.float_layout import FloatLayout
from limbstudio.ui.glyphs import glyph_icon, glyph_of
from limbstudio.ui.guided import Guide, Phase
from limbstudio.ui.photo_view import PhotoView
from limbstudio.ui.session import Session


class Guiding(QObject):
    """Hold the guide, let it follow what happens and bring what shows it into line.

    asked_changed: called with the LDPose index that the guide asks for, or None. new_person: makes a person.
    """

    def __init__(
        self,
        session: Session,
        actions: Actions,
        view: PhotoView,
        floats: FloatLayout,
        asked_changed: Callable[[int | None], None],
        new_person: Callable[[], Person | None],
    ) -> None:
        super().__init__(view)
        self._session = session
        self._actions = actions
        self._view = view
        self._floats = floats
        self._asked_changed = asked_changed
        self._new_person = new_person
        self.guide = Guide()
        self._asked: int | None = None
        self._proposed: Callable[[], Mapping[int, tuple[float, float]]] = dict
        view.clicked_to_place.connect(self._place)
        view.skip_asked.connect(self.skip)
        view.pointer_at.connect(self._on_pointer)
        view.pointer_left.connect(floats.loupe.hide)

    # ------------------------------------------------------------------------------------------ following the session

    def propose_by(self, proposed: Callable[[], Mapping[int, tuple[float, float]]]) -> None:
        """Expect points where `proposed` has them (LDPose index -> pixels); others are guessed from their twins."""
        self._proposed = proposed

    def begin_person(self) -> None:
        """Another person is in work."""
        person = self._session.person
        self.guide = Guide()
        if person is not None and self._session.review_of(person) is ReviewState.NEW:
            self.guide = guided.start(person)
        elif person is not None:
            # Somebody who was begun is edited freely until G: a click on old work must not place points.
            self.guide = guided.leave(guided.start(person))
        self.show_guide()

    def follow_entry(self, entry: Entry) -> None:
        """A record of this photo changed."""
        person = self._session.person
        if person is None:
            self.guide = Guide()
        elif _changed_limbs(entry, person.id):
            self.guide = guided.limb_state_changed(self.guide, person)
        else:
            self.guide = guided.synced(self.guide, person, undone=entry.kind is EntryKind.UNDO)
        self.show_guide()

    def follow_point(self, index: int) -> None:
        """A point was selected, or none (-1); one that is open is asked for now."""
        person = self._session.person
        asking = index >= 0 and self.guide.phase in (Phase.PLACE, Phase.CHECK)
        if asking and person is not None and not guided.is_settled(person.keypoints, index):
            self.guide = guided.go_to(self.guide, index)
        self.show_guide()

    # ------------------------------------------------------------------------------------------------------ the steps

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
        self.show_guide()
        self._view.setFocus()

    def leave_guide(self, checked: bool = True) -> None:
        """Edit freely."""
        self._actions["draw_box"].setChecked(False)
        self._view.set_drawing_box(False)
        self.guide = guided.leave(self.guide)
        self.show_guide()
        self._view.setFocus()

    def step_out(self) -> None:
        """Go one level back: give up a drag, leave a tool, drop a selection of several, the guide, the point."""
        view = self._view
        if view.give_up():
            return
        if view.tool is not None:
            view.set_tool(None)
        elif self._actions["draw_box"].isChecked():
            self._actions["draw_box"].setChecked(False)
            view.set_drawing_box(False)
        elif len(view.selection) > 1:
            view.choose(view.selected)
        elif self.guide.phase is not Phase.FREE:
            self.leave_guide()
        else:
            self._session.select_point(None)

    def skip(self) -> None:
        """Leave the point asked for unlabelled; during limb differences: all limbs are intact."""
        person = self._session.person
        if person is None:
            return
        if self.guide.phase is Phase.LIMBS:
            self.guide = guided.limbs_settled(self.guide, person)
        else:
            self.guide = guided.skip(self.guide, person)
        self.show_guide()

    def limbs_were_set(self) -> None:
        """A limb's level was set: ask for the points that this leaves."""
        person = self._session.person
        if person is not None:
            self.guide = guided.limb_state_changed(self.guide, person)
            self.show_guide()

    def step_back(self) -> None:
        """Ask for the previous point again and take it away."""
        person = self._session.person
        if person is None:
            return
        self.guide, index = guided.step_back(self.guide)
        if index is not None and person.keypoints.points[index].state is not KeypointState.UNLABELLED:
            self._session.do(edits.clear_point(person, index))
            # The edit was followed as any other; the guide asks for this very point.
            if self._session.person is not None:
                self.guide = guided.go_to(self.guide, index)
        self.show_guide()

    def step_point(self, step: int) -> None:
        """Ask for the next (+1) or previous (-1) point; in free editing select it."""
        person = self._session.person
        if person is None:
            return
        asked = self.guide.next_point
        if asked is not None:
            self.guide = guided.go_to(self.guide, guided.neighbour(person, asked, step) or asked)
            self.show_guide()
        else:
            self._session.select_point(guided.neighbour(person, self._session.point, step))

    def next_point(self) -> None:
        self.step_point(1)

    def previous_point(self) -> None:
        self.step_point(-1)

    def give_state(self, state: KeypointState) -> None:
        """Give the point asked for a state, or arm it for the click that follows."""
        person, asked = self._session.person, self.guide.next_point
        if person is None or asked is None:
            return
        if state is KeypointState.UNLABELLED:
            self.skip()
        elif state in guided.STATES_THAT_ADVANCE:
            before = self.guide
            if self._session.do(edits.set_point_state(person, asked, state)):
                after = self._session.person
                if after is not None:
                    self.guide = guided.placed(before, after)
            self.show_guide()
        else:
            self.guide = guided.arm(self.guide, state)
            self.show_guide()

    # ------------------------------------------------------------------------------------------------ clicks, pointer

    def _place(self, x: float, y: float) -> None:
        """A click, or Enter at the crosshair, gives the point asked for its place."""
        photo = self._session.photo
        if photo is None or not self._session.may_edit():
            return
        person = self._session.person
        if person is None:
            self._new_person()
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
        self.show_guide()

    def _ask_which_end(self, x: float, y: float) -> None:
        """Limb differences come first: ask whose end was clicked; choosing one proposes the level."""
        menu = QMenu(self._view)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.addAction("All limbs are intact").triggered.connect(lambda _=False: self.skip())
        menu.addSeparator()
        for definition in LDPOSE:
            if definition.is_residual_end:
                icon = glyph_icon(glyph_of(definition, KeypointState.VISIBLE))
                action = menu.addAction(icon, definition.label)
                action.triggered.connect(lambda _=False, i=definition.index: self._place_end(i, x, y))
        at = self._view.on_screen(x, y).toPoint()
        menu.popup(self._view.viewport().mapToGlobal(at))

    def _place_end(self, index: int, x: float, y: float) -> None:
        person = self._session.person
        if person is not None and self._session.do(edits.place_point(person, index, x, y)):
            self.limbs_were_set()

    def _on_pointer(self, x: float, y: float) -> None:
        wanted = self.guide.next_point is not None and self._actions["loupe"].isChecked()
        if wanted and self._inside((x, y)):
            self._floats.show_loupe(x, y)
        else:
            self._floats.loupe.hide()

    def _inside(self, at: tuple[float, float]) -> bool:
        photo = self._session.photo
        return photo is not None and 0 <= at[0] < photo.width and 0 <= at[1] < photo.height

    # ------------------------------------------------------------------------------------------------- what shows it

    def show_guide(self) -> None:
        """Bring everything that shows the guide into line with it."""
        person, floats = self._session.person, self._floats
        asked = self.guide.next_point
        has_photo = self._session.photo is not None
        asking = asked is not None and has_photo
        # Before points are asked for, a click still means something: a new person, or a residual limb's end.
        first_click = has_photo and (
            self.guide.phase is Phase.LIMBS or (person is None and self.guide.phase is not Phase.FREE)
        )
        wanted = None
        if person is not None and asked is not None:
            wanted = self._proposed().get(asked) or guided.predicted_position(person, asked)
        floats.wanted = wanted
        expected = wanted if wanted is not None and self._inside(wanted) else None
        self._view.set_asking(asking or first_click, expected, by_keys=self.guide.phase is not Phase.LIMBS)
        if asked != self._asked:
            self._asked = asked
            if expected is not None:
                self._view.hide_crosshair()  # arrows and Enter begin where this point is expected
        self._actions["guided"].setChecked(self.guide.phase not in (Phase.FREE, Phase.IDLE) or first_click)
        self._actions["select"].setChecked(self.guide.phase is Phase.FREE)
        self._asked_changed(asked)
        for widget in (floats.tool_bar, floats.state_bar):
            widget.setVisible(has_photo)
        floats.inset.setVisible(has_photo and self._actions["inset"].isChecked())
        floats.guide_bar.setVisible(person is not None)
        if person is not None:
            done, total = guided.progress(person)
            floats.guide_bar.show_progress(self.guide.phase, done, total)
        self._show_hint(person, asked)
        self.show_state()
        self._describe(person, asked)
        if not asking:
            floats.loupe.hide()
        floats.arrange()

    def _show_hint(self, person: Person | None, asked: int | None) -> None:
        phase, hint = self.guide.phase, self._floats.hint
        hint.setVisible(self._view.has_photo and phase is not Phase.FREE)
        if person is None:
            hint.show_sentence("Add a person", "Draw a box around the person, or click. Left and right are the "
                               "person's own.")  # fmt: skip
        elif asked is not None:
            order = self.guide.order
            hint.show_point(asked, order.index(asked) + 1, len(order), self.guide.armed)
        elif phase is Phase.LIMBS:
            hint.show_sentence(
                "Limb differences first",
                "Set a level in the diagram or click a residual limb's end. All intact: press Enter.",
            )
        elif phase is Phase.CHECK:
            left = list(guided.unplaced(person))
            ready, place = self._actions.how("mark_ready"), self._actions.how("guided")
            words = f"All points are placed. To mark this person ready: {ready}."
            if left:
                names = ", ".join(LDPOSE[i].label.lower() for i in left[:3])
                names += " ..." if len(left) > 3 else ""
                words = f"Not placed: {names}. To place them: {place}. When that is right: {ready}."
            hint.show_sentence("Check", words)
        else:
            hint.hide()

    def show_state(self) -> None:
        """Mark in the bar of states which one the point has, or the next click gives."""
        person, asked, room = self._session.person, self.guide.next_point, self._floats.state_room
        bar = self._floats.state_bar
        if asked is not None:
            bar.show_state(asked, self.guide.armed, room)
        elif person is not None and self._session.point is not None:
            index = self._session.point
            bar.show_state(index, person.keypoints.points[index].state, room)
        else:
            bar.show_state(None, None, room)

    def _describe(self, person: Person | None, asked: int | None) -> None:
        """Tell screen readers what the canvas waits for, and what every point is."""
        if person is None:
            self._view.speak_points({})
            self._view.setAccessibleDescription("")
            return
        order = guided.placement_order(person.limbs)
        spoken = {
            index: f"{LDPOSE[index].label}, {person.keypoints.points[index].state.value.replace('_', ' ')}, "
            f"{place} of {len(order)}" + (", next" if index == asked else "")
            for place, index in enumerate(order, start=1)
        }
        self._view.speak_points(spoken)
        index = asked if asked is not None else self._session.point
        words = "" if index is None else spoken.get(index, "")
        if index is not None and not words:
            words = f"{LDPOSE[index].label}, {person.keypoints.points[index].state.value.replace('_', ' ')}"
        self._view.setAccessibleDescription(words)


def _changed_limbs(entry: Entry, person_id: str) -> bool:
    """Tell whether an entry changed the limb states of a person."""
    for change in entry.edit.changes:
        if change.key == ("person", person_id):
            before, after = change.before, change.after
            return before is not None and after is not None and before.limbs != after.limbs
    return False
