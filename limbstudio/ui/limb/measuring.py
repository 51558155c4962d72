"""The measuring half of the Residual limb perspective: ring, section, tape, linked views, colours with a legend."""

from typing import TYPE_CHECKING, Any

import numpy as np
from PySide6.QtCore import QEvent, QObject, QTimer
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QVBoxLayout

from limbstudio.domain.body import ScaleSource
from limbstudio.domain.errors import KnownError
from limbstudio.services.pipeline import person_mask
from limbstudio.ui.action_row import Owner
from limbstudio.ui.features import Feature
from limbstudio.ui.floats import FloatFrame
from limbstudio.ui.limb.colour_switch import ColourSwitch
from limbstudio.ui.limb.colours import NOTES, NOTHING, TITLES, Amounts, Colouring
from limbstudio.ui.limb.linked import LinkedViews
from limbstudio.ui.limb.measuring_tools import RingTool, TapeTool
from limbstudio.ui.limb.overlay import Curve, LimbOverlay, Seen
from limbstudio.ui.limb.section_card import SectionPart
from limbstudio.ui.limb.words import length_words
from limbstudio.ui.living.legend import Legend
from limbstudio.ui.theme import Theme

if TYPE_CHECKING:
    from limbstudio.ui.main_window import MainWindow

_RING_STEP_M = 0.005
_MARGIN = 12
_BELOW_BAR = 56  # of the standard views


class Measuring(Feature):
    """Show the limb in work from several sides and measure it."""

    owner = Owner.MEASURING

    def __init__(self, window: "MainWindow") -> None:
        super().__init__(window)
        self.page = window.mesh_page
        self.work, self.scene, self.toolbox = self.page.work, self.page.scene, self.page.toolbox
        self.actions = window.actions_table
        self.overlay = LimbOverlay()
        self.ring = RingTool(self.work, self.scene, self.overlay, self.seen)
        self.cursor = self.page.limb_cursor
        self.tape = TapeTool(self.work, self.scene, self.overlay, self.cursor, self._on_tape)
        self.toolbox.add(self.ring, stands=True)
        self.toolbox.add(self.tape)
        self.views = LinkedViews(self.page, self.overlay, window.theme)
        self.page.add_below(self.views)
        self.section = SectionPart(self.work, window.theme)
        window.limb_panel.set_work(self.work)
        window.limb_panel.add_part(self.section)
        window.limb_panel.level_chosen.connect(self.work.move_ring)
        self.card = FloatFrame(self.page.area)
        self.large = SectionPart(self.work, window.theme, large=True)
        inside = QVBoxLayout(self.card)
        inside.setContentsMargins(16, 14, 16, 14)
        inside.addWidget(self.large)
        self.card.hide()
        self.legend = Legend(self.page.view)
        self.colouring = Colouring.PLAIN
        self.amounts: Amounts | None = None
        self._colour_turn = 0
        self._lined: object = None  # the limb whose lines of girths are shown
        self._said: object = None  # the section whose numbers are shown
        self._switch = ColourSwitch(self.actions)
        self.page.options.add_right(self._switch)
        self._settled = QTimer(self, interval=120, singleShot=True)
        self._settled.timeout.connect(lambda: self._show_section(quick=False))
        self.page.view.stage.overlay = self._paint
        self.page.view.installEventFilter(self)
        window.installEventFilter(self)
        self.work.changed.connect(self._on_changed)
        self.work.ring_moved.connect(self._on_ring)
        self.work.turns.add(self._follow)
        self.page.scene_changed.connect(self._on_scene)
        self.actions["linked_views"].setChecked(True)
        self._check_colours()

    def available(self) -> frozenset[str]:
        return frozenset({"residual_limb"} if self.page.shows_limb else ())

    def set_theme(self, theme: Theme) -> None:
        self.views.set_theme(theme)
        for part in (self.section, self.large):
            part.set_theme(theme)

    def close(self) -> None:
        self._settled.stop()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if isinstance(event, QResizeEvent):
            self.views.fit_height(self.window.height())
            self._place()
        return False

    # -------------------------------------------------------------------------------------------------- what happens

    def _on_changed(self) -> None:
        """Another limb, mesh or nothing."""
        surface = self.work.surface
        self.overlay.scale = self.work.scale
        self.tape.clear()
        if surface is not self._lined:
            self._lined = surface
            self.overlay.lines = tuple(
                (row.section.from_end_m, Curve(surface, row.section.loop.points, closed=True))
                for row in self.work.rows
                if surface is not None and row.section.loop is not None
            )
        self._on_ring()
        self.window.show_available()

    def _on_scene(self) -> None:
        self.window.show_available()
        if self.colouring is not Colouring.PLAIN:
            self._colour()
        self._place()

    def _on_ring(self) -> None:
        """The ring itself moves at every step; what is beside it when it has a turn."""
        self._show_ring()
        self.page.view.stage.update()
        self._settled.start()
        self.work.turns.moved()

    def _show_ring(self) -> None:
        surface, section = self.work.present, self.work.section
        if section is not None and section is self.overlay.ring_section:
            return
        self.overlay.ring = self.overlay.ring_section = None
        if surface is not None and section is not None and section.loop is not None:
            # Carried with the limb as it lay before a stroke: what looks for the nearest is then not made anew.
            self.overlay.ring = Curve(self.work.surface or surface, section.loop.points, closed=True)
            self.overlay.ring_section = section

    def _follow(self) -> bool:
        """Bring the ring up to a limb that moved, and the panel's numbers and the linked views up to the ring."""
        shown = self.overlay.ring_section
        self._show_ring()
        if self.overlay.ring_section is shown and shown is self._said:
            return False
        self._said = self.overlay.ring_section
        self._show_section(quick=True)
        self.page.view.stage.update()
        self.views.redraw_lines()
        return True

    def _show_section(self, *, quick: bool) -> None:
        self.section.refresh(quick=quick)
        if self.card.isVisible():
            self.large.refresh(quick=quick)
        if not quick:
            self.window.limb_panel.show_level(self.work.level_m)

    def seen(self) -> Seen:
        """Return how the main view looks."""
        stage = self.page.view.stage
        camera, rest = stage.plotter.camera, self.scene.rest
        eye = camera.GetPosition()
        key = ("main", eye, camera.GetFocalPoint(), camera.GetViewUp(), stage.width(), stage.height(), rest)
        return Seen(stage.on_view, np.array(eye), rest, labels=True, key=key)

    def _paint(self, painter: Any) -> None:  # noqa: ANN401 - a QPainter; the stage's signature
        if self.page.shows_limb and not self.scene.previews:
            self.overlay.paint(painter, self.seen())

    def _place(self) -> None:
        area = self.page.area
        self.legend.move(_MARGIN, self.page.view.height() - self.legend.height() - _MARGIN)
        if self.card.isVisible():
            self.card.adjustSize()
            lowest = max(area.height() - self.card.height() - _MARGIN, _MARGIN)
            self.card.move(area.width() - self.card.width() - _MARGIN, min(_BELOW_BAR, lowest))
            self.card.raise_()

    # ---------------------------------------------------------------------------------------------------- the actions

    def next_limb(self) -> None:
        self.work.next_limb()

    def set_ring(self, chosen: bool) -> None:
        self.toolbox.choose("girth_ring", chosen)

    def set_tape(self, chosen: bool) -> None:
        self.toolbox.choose("tape", chosen)

    def ring_up(self) -> None:
        self.work.move_ring(self.work.level_m + _RING_STEP_M)

    def ring_down(self) -> None:
        self.work.move_ring(self.work.level_m - _RING_STEP_M)

    def set_section_card(self, shown: bool) -> None:
        """Show the section large over the view."""
        self.actions["section_card"].setChecked(shown)
        self.card.setVisible(shown)
        if shown:
            self.large.refresh()
        self._place()

    def set_solo(self, alone: bool) -> None:
        self.actions["solo_limb"].setChecked(alone)
        self.scene.set_solo(alone)
        self.views.refresh()

    def set_linked_views(self, shown: bool) -> None:
        self.actions["linked_views"].setChecked(shown)
        self.views.setVisible(shown)
        self.views.refresh()

    def _on_tape(self) -> None:
        if self.overlay.tape is not None:
            made, scale = self.overlay.tape[0], self.work.scale
            given = "" if scale is not ScaleSource.PRIOR else " Estimated: no scale was given."
            self.page.options.say(
                f"Straight {length_words(made.straight_m, scale)}, along the surface "
                f"{length_words(made.along_m, scale)}.{given}"
            )
        else:
            self.page.options.say("Click the second place, or arrows and Space.")
        self.page.view.stage.update()
        self.views.redraw_lines()

    # ---------------------------------------------------------------------------------------------------- the colours

    def _check_colours(self) -> None:
        for colouring in Colouring:
            self.actions[f"colours_{colouring.value}"].setChecked(colouring is self.colouring)

    def colours_plain(self, _checked: bool = True) -> None:
        self.set_colouring(Colouring.PLAIN)

    def colours_residual(self, _checked: bool = True) -> None:
        self.set_colouring(Colouring.RESIDUAL)

    def colours_edited(self, _checked: bool = True) -> None:
        self.set_colouring(Colouring.EDITED)

    def colours_doubt(self, _checked: bool = True) -> None:
        self.set_colouring(Colouring.DOUBT)

    def colours_next(self) -> None:
        order = list(Colouring)
        self.set_colouring(order[(order.index(self.colouring) + 1) % len(order)])

    def set_colouring(self, colouring: Colouring) -> None:
        """Colour the limb by something else."""
        self.colouring = colouring
        self._check_colours()
        self.page.options.say_hint()  # what was said of other colours no longer holds
        self._colour()

    def _plain(self, why: str = "") -> None:
        self.amounts = None
        self.legend.hide()
        self.scene.colour(None)
        self.views.refresh()
        if why:
            self.page.options.say(why)

    def _colour(self) -> None:
        self._colour_turn += 1
        turn, colouring, surface = self._colour_turn, self.colouring, self.work.surface
        kept, corrected, limb = self.session.fit, self.work.corrected, self.work.limb_fit
        if surface is None or corrected is None or kept is None or limb is None or not self.page.shows_limb:
            self._plain()
            return
        if colouring is Colouring.PLAIN:
            self._plain()
            return
        if colouring is Colouring.DOUBT and self.work.is_edited:
            self._plain(
                "The limb was edited by hand: what the fit says of its uncertainty does not hold any more."
            )
            return
        person, photo, folder = self.session.person, self.session.photo, self.session.studio.folder

        def measure() -> np.ndarray:
            from limbstudio.measures import limb_maps

            if colouring is Colouring.EDITED:
                return limb_maps.edited_distance(surface)
            if colouring is Colouring.DOUBT:
                return limb_maps.doubt_along_the_ray(surface, limb)
            mask = None
            if person is not None and photo is not None and folder is not None:
                mask = person_mask(person, photo, folder)
            if mask is None:
                raise KnownError("There is no mask to measure from.", "Paint one in Annotate.")
            return limb_maps.distance_from_mask(
                corrected.vertices, corrected.faces, surface, mask=mask, camera=kept.fit.camera
            )

        def measured(values: np.ndarray) -> None:
            if turn != self._colour_turn or self.work.surface is not surface:
                return
            if not np.isfinite(values).any():
                self._plain(NOTHING.get(colouring, ""))
                return
            amounts = self.amounts = self._scaled(values, surface.frame.length_m)
            self.scene.colour(amounts.colours())
            self.legend.show_scale(amounts.title, amounts.highest, amounts.unit, amounts.note)
            self._place()
            self.views.refresh()

        def failed(error: BaseException) -> None:
            if not isinstance(error, KnownError):
                raise error
            if turn == self._colour_turn:
                self._plain(f"{error.message} {error.hint}")

        self.session.bridge.load(measure, measured, failed)

    def _scaled(self, values: np.ndarray, segment_m: float) -> Amounts:
        """Return amounts in the unit that may be said of them."""
        title, note = TITLES[self.colouring], NOTES.get(self.colouring, "")
        if self.colouring is Colouring.RESIDUAL:
            return Amounts(values, title, "px")
        if self.work.scale is ScaleSource.PRIOR:
            return Amounts(values / segment_m * 100, title, "% of segment", note)
        return Amounts(values * 1000, title, "mm", note)
