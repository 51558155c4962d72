"""How the photo is seen: turned, kept from photo to photo, its tones, the minimap, one person alone."""

from dataclasses import replace
from typing import TYPE_CHECKING

from limbstudio.rendering.photo_tiles import Adjustment
from limbstudio.ui.action_row import Owner
from limbstudio.ui.canvas.minimap import Minimap
from limbstudio.ui.canvas.tones_card import TonesCard
from limbstudio.ui.features import Feature

if TYPE_CHECKING:
    from limbstudio.ui.main_window import MainWindow

_TONE_STEP = 5
_GAMMA_STEP = 1.1


class Looking(Feature):
    """Own the actions of the view that leave the annotations as they are."""

    owner = Owner.CANVAS

    def __init__(self, window: "MainWindow") -> None:
        super().__init__(window)
        page = window.annotate_page
        self._view = page.view
        self._actions = window.actions_table
        self._memory = window.memory
        self.minimap = Minimap(self._view, page)
        self.tones = TonesCard(self._actions, page)
        self.tones.hide()
        self.tones.changed.connect(self._adjust)
        self.tones.closed.connect(self._close_tones)
        page.floats.add(self.minimap, right=True, bottom=True)
        page.floats.add(self.tones)
        page.floats.hint.remember_in(self._memory)
        for action_id, default in (("keep_view", False), ("minimap", True)):
            self._actions[action_id].setChecked(self._memory.value(action_id, default, bool) is True)
        self._view.viewpoint.is_kept = self._actions["keep_view"].isChecked()
        self.minimap.wanted = self._actions["minimap"].isChecked()

    # ------------------------------------------------------------------------------------------------------ the view

    def turn_right(self) -> None:
        self._view.turn_to(self._view.turn + 15)

    def turn_left(self) -> None:
        self._view.turn_to(self._view.turn - 15)

    def turn_right_90(self) -> None:
        self._view.turn_to(self._view.turn + 90)

    def turn_left_90(self) -> None:
        self._view.turn_to(self._view.turn - 90)

    def turn_upright(self) -> None:
        self._view.turn_to(0)

    def set_keep_view(self, keeps: bool) -> None:
        """See the next photo as this one is seen, instead of whole and upright."""
        self._view.viewpoint.is_kept = keeps
        self._memory.setValue("keep_view", keeps)

    def set_minimap(self, wanted: bool) -> None:
        self.minimap.wanted = wanted
        self._memory.setValue("minimap", wanted)
        self.minimap.follow()
        self.window.annotate_page.floats.arrange()

    def set_solo(self, solo: bool) -> None:
        self._view.set_solo(solo)

    # ----------------------------------------------------------------------------------------------------- the tones

    def set_tones(self, shown: bool) -> None:
        """Show or hide the card with the sliders."""
        self.tones.setVisible(shown)
        self.window.annotate_page.floats.arrange()
        if shown:
            self.tones.setFocus()
            self.tones.focusNextChild()
        else:
            self._view.setFocus()

    def _close_tones(self) -> None:
        self._actions["tones"].setChecked(False)
        self.set_tones(False)

    def _adjust(self, adjustment: Adjustment) -> None:
        self._view.adjust(adjustment)
        self.tones.show_adjustment(adjustment)
        self._actions["grey"].setChecked(adjustment.grey)

    def brighter(self) -> None:
        self._adjust(self._view.adjustment.changed(brightness=_TONE_STEP))

    def darker(self) -> None:
        self._adjust(self._view.adjustment.changed(brightness=-_TONE_STEP))

    def more_contrast(self) -> None:
        self._adjust(self._view.adjustment.changed(contrast=_TONE_STEP))

    def less_contrast(self) -> None:
        self._adjust(self._view.adjustment.changed(contrast=-_TONE_STEP))

    def raise_gamma(self) -> None:
        self._adjust(self._view.adjustment.changed(gamma=_GAMMA_STEP))

    def lower_gamma(self) -> None:
        self._adjust(self._view.adjustment.changed(gamma=1 / _GAMMA_STEP))

    def set_grey(self, grey: bool) -> None:
        self._adjust(replace(self._view.adjustment, grey=grey))

    def plain_tones(self) -> None:
        """Show the photo as it is in its file."""
        self._adjust(Adjustment())
