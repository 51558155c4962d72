"""Fits of one person compared: the list of candidates, front or back, and two bodies in 3D."""

from enum import StrEnum
from typing import TYPE_CHECKING, Any

import numpy as np
from PySide6.QtCore import QTimer

from limbstudio.domain.fitted import KeptFit
from limbstudio.services import candidates
from limbstudio.services.candidates import Candidate, Difference
from limbstudio.services.studio import Mesh
from limbstudio.ui.action_row import Owner
from limbstudio.ui.features import Feature
from limbstudio.ui.living.candidates_card import CandidatesCard
from limbstudio.ui.living.legend import Legend, colours_of_amounts
from limbstudio.ui.mesh_view import colours_of
from limbstudio.ui.panels.parts import label

if TYPE_CHECKING:
    from limbstudio.ui.main_window import MainWindow

_BLINK_MS = 500  # each body half a second: one change of picture per 500 ms is 2 Hz
_NOTE_PX = 14  # below the words on what is shown
_TOP_SHARE = 98  # the scale of colours ends where this per cent of the points do


class Comparison(StrEnum):
    ONE = "one"
    SIDE_BY_SIDE = "side by side"
    BLINK = "blink"


class Comparing(Feature):
    """Choose among a person's fits, and compare the one in use with another in the 3D view."""

    owner = Owner.COMPARING

    def __init__(self, window: "MainWindow") -> None:
        super().__init__(window)
        self.page = window.mesh_page
        self.comparison = Comparison.ONE
        self.card = CandidatesCard(window.actions_table)
        window.bottom_dock.add("Earlier fits", self.card, self._on_card_shown)
        self.card.choose_asked.connect(self.choose)
        self.card.delete_asked.connect(self.delete)
        self.card.picked.connect(self._on_picked)
        self.card.closed.connect(self._close_card)
        self.legend = Legend(self.page.view)
        self.note = label("", "badge-warn")
        self.note.setParent(self.page.view)
        self.note.hide()
        self._other: str = ""
        self._actor: Any = None
        self._shows_other = False
        self._both: np.ndarray | None = None  # points of two bodies side by side
        self._colours: np.ndarray | None = None  # of the difference, per vertex
        self.page.scene_changed.connect(self._on_scene)
        self._blink = QTimer(self)
        self._blink.setInterval(_BLINK_MS)
        self._blink.timeout.connect(self._swap)
        self.session.fit_changed.connect(self._on_fit)
        self.session.person_selected.connect(self._on_person)
        self.session.closed.connect(self._hide_card)

    def available(self) -> frozenset[str]:
        person = self.session.person
        fits = self.session.studio.fits_of(person.id) if person is not None else ()
        return frozenset({"earlier_fits"} if len(fits) > 1 else ())

    def close(self) -> None:
        self._blink.stop()

    # ------------------------------------------------------------------------------------------------- candidates

    @property
    def _lists(self) -> bool:
        return self.window.bottom_dock.shown is self.card

    def show_candidates(self, shown: bool = True) -> None:
        """Show the list in the dock, or close it."""
        if shown:
            self.window.bottom_dock.show_part(self.card)
            self.card.table.setFocus()
        else:
            self._hide_card()

    def _on_card_shown(self, shown: bool) -> None:
        self.window.actions_table["candidates"].setChecked(shown)
        if shown:
            self.card.say_busy()
            self._fill()

    def _hide_card(self) -> None:
        if self._lists:
            self.window.bottom_dock.hide_part()

    def _close_card(self) -> None:
        """Close the list by its own key: the keyboard goes back to what the fits are of."""
        self._hide_card()
        page = self.page if self.page.isVisible() else self.window.annotate_page
        page.view.setFocus()

    def _fill(self) -> None:
        person = self.session.person
        if person is None:
            self.card.show_candidates(())
            return
        studio = self.session.studio

        def found(listed: tuple[Candidate, ...]) -> None:
            now = self.session.person
            if now is not None and now.id == person.id:
                self.card.show_candidates(listed)

        def failed(error: BaseException) -> None:
            self.session.said.emit(str(error), "", False)

        # The list comes at once; how much of the mask each covers follows.
        for with_overlap in (False, True):
            self.session.bridge.read(
                lambda more=with_overlap: candidates.candidates_of(studio, person, with_overlap=more),
                found,
                failed,
            )

    def choose(self, fit_id: str) -> None:
        """Let a candidate count."""
        fit = self._fit(fit_id)
        if fit is not None:
            self.session.attempt(lambda: self.session.studio.choose_fit(fit))

    def delete(self, fit_id: str) -> None:
        fit = self._fit(fit_id)
        if fit is not None:
            self.session.attempt(lambda: candidates.delete(self.session.studio, fit))

    def flip(self) -> None:
        """Let the other explanation count: front for back."""
        person = self.session.person
        if person is not None:
            self.session.attempt(
                lambda: candidates.choose_other_explanation(self.session.studio, person) or True
            )

    def _fit(self, fit_id: str) -> KeptFit | None:
        found = self.session.studio.project.records.get(("fit", fit_id))
        return found if isinstance(found, KeptFit) else None

    def _on_picked(self, fit_id: str) -> None:
        self._other = fit_id
        if self.comparison is not Comparison.ONE or self._shows_difference:
            self._show()

    def _on_person(self) -> None:
        self._other = ""
        self.end()
        if self._lists:
            self._fill()

    def _on_fit(self) -> None:
        """Go on comparing: every edit comes here, and the page has drawn the plain body again."""
        compares = self.comparison is not Comparison.ONE or self._shows_difference
        if compares and self.page.isVisible() and self.other is not None:
            self._show()
        else:
            self.end()
        if self._lists:
            self._fill()

    # ------------------------------------------------------------------------------------------------ two bodies

    @property
    def other(self) -> KeptFit | None:
        """Return what the fit in use is compared with: the row picked in the list, else the newest other one."""
        fit, person = self.session.fit, self.session.person
        if fit is None or person is None:
            return None
        rest = [f for f in self.session.studio.fits_of(person.id) if f.id != fit.id]
        return next((f for f in rest if f.id == self._other), rest[-1] if rest else None)

    @property
    def _shows_difference(self) -> bool:
        return self.window.actions_table["compare_difference"].isChecked()

    def cycle(self) -> None:
        """Go on to the next way to compare: one body, two side by side, blink."""
        order = list(Comparison)
        self.comparison = order[(order.index(self.comparison) + 1) % len(order)]
        self.window.actions_table["compare_difference"].setChecked(False)
        self._show()

    def toggle_difference(self, checked: bool) -> None:
        """Colour the fit in use by how far it lies from the other."""
        self.comparison = Comparison.ONE
        self.window.actions_table["compare_difference"].setChecked(checked)
        self._show()

    def end(self) -> None:
        """Show one body again."""
        was = self.comparison is not Comparison.ONE or self._shows_difference
        self.comparison = Comparison.ONE
        self.window.actions_table["compare_difference"].setChecked(False)
        if was:
            self._clear()

    def _clear(self) -> None:
        self._blink.stop()
        self._shows_other = False
        self.legend.hide()
        self.note.hide()
        stage = self.page.view.stage
        if self._actor is not None and stage.has_scene:
            stage.plotter.remove_actor(self._actor, render=False)
        self._actor = self._both = self._colours = None
        self.page.view.set_body_visible(True)
        # Whatever was corrected: fits are compared as they were fitted.
        self.page.set_plain(self.comparison is not Comparison.ONE or self._shows_difference)
        self.page.refresh()

    def _show(self) -> None:
        self._clear()
        fit, other = self.session.fit, self.other
        if self.comparison is Comparison.ONE and not self._shows_difference:
            return
        if fit is None or other is None or not self.page.view.has_body:
            hint = f"Fit again, or {self.window.actions_table.how('flip_fit')}."
            self.session.said.emit("There is no other fit to compare with.", hint, False)
            self.end()
            return
        studio = self.session.studio
        shows_difference, comparison = self._shows_difference, self.comparison

        def read() -> tuple[Mesh | None, Mesh | None, Difference | None]:
            one, two = studio.body_mesh(fit), studio.body_mesh(other)
            apart = None
            if shows_difference and one is not None and two is not None:
                apart = candidates.difference(one, two, fit.fit, other.fit)
            return one, two, apart

        def done(found: tuple[Mesh | None, Mesh | None, Difference | None]) -> None:
            same = comparison is self.comparison and shows_difference is self._shows_difference
            if same and self.session.fit == fit and found[0] is not None and found[1] is not None:
                self._show_loaded(fit, other, found[0], found[1], found[2])

        self.session.bridge.read(read, done, lambda error: self.session.said.emit(str(error), "", False))

    def _show_loaded(
        self, fit: KeptFit, other: KeptFit, one: Mesh, two: Mesh, apart: Difference | None
    ) -> None:
        view = self.page.view
        numbers = {f.id: n for n, f in enumerate(self.session.studio.fits_of(fit.person), start=1)}
        names = f"Fit {numbers.get(fit.id)}", f"Fit {numbers.get(other.id)}"
        if apart is not None:
            shown = apart.shown
            highest = max(float(np.percentile(shown, _TOP_SHARE)), 0.1)
            self._colours = colours_of_amounts(shown, highest)
            view.show_colours(self._colours)
            title = f"{names[0]} against {names[1]}"
            self.legend.show_scale(title, highest, "mm" if apart.unit == "mm" else "% of height")
            self._place()
            return
        moved = two.vertices - other.fit.joints[0] + fit.fit.joints[0]
        if self.comparison is Comparison.SIDE_BY_SIDE:
            moved = moved + _beside(one.vertices, moved, view.stage.plotter.camera)
        import pyvista as pv

        faces = np.column_stack([np.full(len(two.faces), 3), two.faces]).astype(np.int64)
        mesh = pv.PolyData(np.asarray(moved, np.float32), faces.ravel())
        mesh.point_data["colour"] = colours_of(two.residual)
        self._actor = view.stage.plotter.add_mesh(
            mesh, scalars="colour", rgb=True, smooth_shading=True, ambient=0.2, diffuse=0.85, render=False,
            reset_camera=False, show_scalar_bar=False,
        )  # fmt: skip
        if self.comparison is Comparison.SIDE_BY_SIDE:
            self.note.setText(f"{names[0]} (in use) and, beside it, {names[1]}")
            self._both = np.concatenate([one.vertices, moved])
            self._frame_both()
        else:
            self._names = names
            self._swap()
            self._blink.start()
        view.stage.redraw()
        self._place()

    def _on_scene(self) -> None:
        """The page has drawn its body anew, or from elsewhere: show the comparison on it again."""
        view = self.page.view
        self._frame_both()
        if self._colours is not None and view.mesh is not None and view.mesh.n_points == len(self._colours):
            view.show_colours(self._colours)
        if self._shows_other:
            view.set_body_visible(False)

    def _frame_both(self) -> None:
        """Bring two bodies into view, between the bar and the words below."""
        if self._both is not None:
            self.note.adjustSize()
            self.page.view.frame(self._both, bottom=self.note.height() + 2 * _NOTE_PX)

    _names = ("", "")

    def _swap(self) -> None:
        """Show the other of the two bodies."""
        if self._actor is None:
            return
        self._shows_other = not self._shows_other
        self._actor.visibility = self._shows_other
        self.page.view.set_body_visible(not self._shows_other)
        self.note.setText(self._names[1 if self._shows_other else 0])
        self.page.view.stage.redraw()
        self._place()

    def _place(self) -> None:
        view = self.page.view
        self.legend.move(12, view.height() - self.legend.height() - 12)
        self.note.setVisible(self._actor is not None)
        self.note.adjustSize()
        self.note.move((view.width() - self.note.width()) // 2, view.height() - self.note.height() - _NOTE_PX)
        self.note.raise_()


def _beside(one: np.ndarray, two: np.ndarray, camera: Any) -> np.ndarray:  # noqa: ANN401 - a pyvista camera
    """Return by how much `two` is to be moved to stand at the right of `one` as the camera sees them."""
    ahead = np.array(camera.focal_point) - np.array(camera.position)
    right = np.cross(ahead, np.array(camera.up))
    right /= max(float(np.linalg.norm(right)), 1e-9)
    return right * (float((one @ right).max()) - float((two @ right).min()) + 0.15)
