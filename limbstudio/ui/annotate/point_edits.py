"""Editing points on the canvas: moved, nudged, given a state, cleared, swapped, mended."""

from collections.abc import Callable, Mapping
from dataclasses import replace

from PySide6.QtCore import QObject

from limbstudio.domain import edits, point_edits
from limbstudio.domain.anatomy import LDPOSE, KeypointState
from limbstudio.domain.edits import person_contradictions
from limbstudio.domain.point_edits import Motion
from limbstudio.ui.annotate.guiding import Guiding
from limbstudio.ui.canvas.people import shown_points
from limbstudio.ui.photo_view import PhotoView
from limbstudio.ui.session import Session


class PointEdits(QObject):
    """What a drag, a key or a menu does to the points of the person in work.

    redraw: draws what is recorded, also when an edit was refused.
    """

    def __init__(
        self, session: Session, view: PhotoView, guiding: Guiding, redraw: Callable[[], None]
    ) -> None:
        super().__init__(view)
        self._session = session
        self._view = view
        self._guiding = guiding
        self._redraw = redraw
        view.point_moved.connect(self._move_point)
        view.points_moved.connect(self._move_points)
        view.point_nudged.connect(self._nudge_point)
        view.selection_nudged.connect(self._nudge_selection)
        view.person_moved.connect(self._move_person)

    def _move_point(self, index: int, x: float, y: float) -> None:
        person, photo = self._session.person, self._session.photo
        if person is not None and photo is not None:
            x, y = min(max(x, 0.0), photo.width - 1.0), min(max(y, 0.0), photo.height - 1.0)
            kept = person.keypoints.points[index].state
            self._session.do(edits.place_point(person, index, x, y, kept))
            self._redraw()

    def _move_points(self, places: Mapping[int, tuple[float, float]]) -> None:
        """Points that were dragged together keep their shape: at the photo's edge all of them stop."""
        person, photo = self._session.person, self._session.photo
        if person is not None and photo is not None:
            index, (x, y) = next(iter(places.items()))
            before = point_edits.positions_of(person, places)
            dx, dy = x - before[index][0], y - before[index][1]
            dx, dy = point_edits.within_photo(before.values(), dx, dy, (photo.width, photo.height))
            self._session.do(
                edits.move_points(person, {i: (bx + dx, by + dy) for i, (bx, by) in before.items()})
            )
            self._redraw()

    def _move_person(self, dx: float, dy: float) -> None:
        person, photo = self._session.person, self._session.photo
        if person is not None and photo is not None:
            shown = shown_points(person).values()
            dx, dy = point_edits.within_photo(shown, dx, dy, (photo.width, photo.height))
            self._session.do(point_edits.transform_person(person, Motion(dx=dx, dy=dy)))
            self._redraw()

    def _nudge_selection(self, dx: int, dy: int) -> None:
        person, photo, chosen = self._session.person, self._session.photo, sorted(self._view.selection)
        if person is not None and photo is not None:
            places = point_edits.positions_of(person, chosen).values()
            step = point_edits.within_photo(places, dx, dy, (photo.width, photo.height))
            key = f"nudge {person.id} {' '.join(map(str, chosen))}"
            self._session.do(point_edits.move_points_by(person, chosen, *step, merge_key=key))

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
        if person is None or not self._session.may_edit():
            return
        if self._guiding.guide.next_point is not None:
            self._guiding.give_state(state)
            return
        index = self._session.point
        if len(self._view.selection) > 1:
            self._session.do(point_edits.set_point_states(person, sorted(self._view.selection), state))
            return
        if index is None:
            return
        point = person.keypoints.points[index]
        if point.x is None and state in (KeypointState.VISIBLE, KeypointState.OCCLUDED):
            words = f"{LDPOSE[index].label} has no place yet."
            self._session.said.emit(words, "Start guided placement and click where it is.", False)
            return
        self._session.do(edits.set_point_state(person, index, state))

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
        """Take the selected points away."""
        person, index = self._session.person, self._session.point
        if person is not None and len(self._view.selection) > 1:
            self._session.do(point_edits.clear_points(person, sorted(self._view.selection)))
        elif person is not None and index is not None:
            self._session.do(edits.clear_point(person, index))

    def swap_limb(self) -> None:
        """Swap left and right of the selected point's limb."""
        person, asked = self._session.person, self._guiding.guide.next_point
        index = self._session.point if self._session.point is not None else asked
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
        """Mark contradictory points absent."""
        person = self._session.person
        if person is not None:
            self._session.do(edits.mend(person, person_contradictions(person)))
