"""Several points at once: all selected, one picked by name, the ring of states, and motions of what is selected."""

from typing import TYPE_CHECKING

from PySide6.QtCore import QPoint, QPointF

from limbstudio.domain import point_edits
from limbstudio.domain.anatomy import LDPOSE, KeypointState
from limbstudio.domain.point_edits import Motion
from limbstudio.ui import guided
from limbstudio.ui.action_row import Owner
from limbstudio.ui.canvas.people import shown_points
from limbstudio.ui.canvas.pick_card import PickCard
from limbstudio.ui.canvas.reshape_card import ReshapeCard
from limbstudio.ui.canvas.state_ring import StateRing
from limbstudio.ui.features import Feature
from limbstudio.ui.panels.person import state_menu
from limbstudio.ui.targets import HitTarget, TargetKind
from limbstudio.ui.theme import Theme

if TYPE_CHECKING:
    from limbstudio.ui.main_window import MainWindow

_TURN_STEP = 5.0
_SCALE_STEP = 1.05


class Selecting(Feature):
    """Own the actions on what is selected; where less than two points are, motions take the whole person."""

    owner = Owner.SELECTION

    def __init__(self, window: "MainWindow") -> None:
        super().__init__(window)
        page = window.annotate_page
        self._page = page
        self._view = page.view
        self._actions = window.actions_table
        self.picker = PickCard(page)
        self.picker.hide()
        self.picker.looked_at.connect(self._look_at)
        self.picker.picked.connect(self._pick)
        self.picker.closed.connect(self._close_picker)
        self.reshape = ReshapeCard(self._actions, page)
        self.reshape.hide()
        self.reshape.applied.connect(self._reshape)
        self.reshape.closed.connect(self._close_reshape)
        self.ring = StateRing(window.theme, page)
        self.ring.chosen.connect(self._give_state)
        self.ring.more_asked.connect(self._show_more)
        self.ring.closed.connect(self._view.setFocus)
        page.floats.add(self.picker)
        page.floats.add(self.reshape, right=True)
        self._view.menu_asked.connect(self._open_ring)
        self._view.selection_changed.connect(lambda points: self.reshape.show_target(len(points)))

    def set_theme(self, theme: Theme) -> None:
        self.ring.set_theme(theme)

    # --------------------------------------------------------------------------------------------- select and pick

    def select_all(self) -> None:
        self._view.choose_all(shown_points(self.session.person))

    def pick_point(self) -> None:
        """Let a point be picked by the letters of its name."""
        person = self.session.person
        if person is not None:
            self.picker.open(guided.placement_order(person.limbs), person.keypoints.states)
            self._page.floats.arrange()

    def _look_at(self, index: int) -> None:
        if self.picker.isVisible():
            self._view.hover(HitTarget(TargetKind.POINT, index) if index >= 0 else HitTarget())

    def _pick(self, index: int) -> None:
        self._close_picker()
        self.session.select_point(index)

    def _close_picker(self) -> None:
        if self.picker.isVisible():
            self.picker.hide()
            self._view.hover(HitTarget())
            self._view.setFocus()

    # ------------------------------------------------------------------------------------------------ ring of states

    def show_ring(self) -> None:
        """Open the ring about the selected point, or the one asked for."""
        index = self.session.point if self.session.point is not None else self._page.guide.next_point
        if index is None:
            self.session.said.emit(
                "No point is selected.", f"Click one, or {self._actions.how('next_point')}.", False
            )
            return
        person = self.session.person
        places = self._view.points_on_screen()
        middle = places.get(index, QPointF(self._view.viewport().rect().center()))
        if person is not None:
            self._open_ring(index, self._view.viewport().mapToGlobal(middle).toPoint())

    def _open_ring(self, index: int, at: QPoint) -> None:
        """at: on the whole screen."""
        person = self.session.person
        if index >= 0 and person is not None:
            state = person.keypoints.points[index].state
            self.ring.open(index, state, self._page.mapFromGlobal(at).toPointF())

    def _give_state(self, state: KeypointState) -> None:
        self._actions[f"state_{state.value}"].trigger()

    def _show_more(self) -> None:
        menu = state_menu(self._actions, self._page)
        menu.addSeparator()
        for action_id in ("select_all", "reshape", "pick_point", "definition"):
            menu.addAction(self._actions[action_id])
        menu.popup(self.ring.mapToGlobal(self.ring.middle.toPoint()))

    # ------------------------------------------------------------------------------------------------------- motions

    def set_reshape(self, shown: bool) -> None:
        """Show or hide the card with the numbers."""
        self.reshape.show_target(len(self._view.selection))
        self.reshape.clear()
        self.reshape.setVisible(shown)
        self._page.floats.arrange()
        if shown:
            self.reshape.turn.setFocus()
            self.reshape.turn.selectAll()
        else:
            self._view.setFocus()

    def _close_reshape(self) -> None:
        self._actions["reshape"].setChecked(False)
        self.set_reshape(False)

    def _reshape(self, motion: Motion) -> None:
        if self._move(motion):
            self.reshape.clear()

    def turn_points_right(self) -> None:
        self._move(Motion(turn=_TURN_STEP), "turn")

    def turn_points_left(self) -> None:
        self._move(Motion(turn=-_TURN_STEP), "turn")

    def larger_points(self) -> None:
        self._move(Motion(scale=_SCALE_STEP), "scale")

    def smaller_points(self) -> None:
        self._move(Motion(scale=1 / _SCALE_STEP), "scale")

    def mirror_points(self) -> None:
        self._move(Motion(mirror_x=True))

    def mirror_points_down(self) -> None:
        self._move(Motion(mirror_y=True))

    def _move(self, motion: Motion, step: str = "") -> bool:
        """Move what is selected, or the person. step: presses of one key that follow each other are one undo."""
        person, photo = self.session.person, self.session.photo
        if person is None or photo is None or not self.session.may_edit():
            return False
        chosen = sorted(self._view.selection) if len(self._view.selection) > 1 else []
        every = chosen or range(len(LDPOSE))
        gone = point_edits.leaving_photo(person, every, motion, (photo.width, photo.height))
        if gone:
            names = LDPOSE[gone[0]].label if len(gone) == 1 else f"{len(gone)} points"
            self.session.said.emit(
                f"{names} would leave the photo.", "Move them inwards first, or less.", False
            )
            return False
        key = f"{step} {person.id} {' '.join(map(str, chosen))}" if step else None
        if chosen:
            return self.session.do(point_edits.transform_points(person, chosen, motion, key))
        return self.session.do(point_edits.transform_person(person, motion, key))
