"""What a person asks of the fits of one person: pins, a held shape, stature, focal length, posture, who begins."""

from dataclasses import replace
from typing import TYPE_CHECKING

from PySide6.QtCore import QPoint

from limbstudio.domain import edits
from limbstudio.domain.anatomy import Posture
from limbstudio.services import fit_options
from limbstudio.ui.action_row import Owner
from limbstudio.ui.features import Feature
from limbstudio.ui.living.options_card import OptionsCard
from limbstudio.ui.living.pin_marks import PinMarks
from limbstudio.ui.theme import Theme

if TYPE_CHECKING:
    from limbstudio.ui.main_window import MainWindow


class FitOptionsFeature(Feature):
    """Pin points, hold the shape and give numbers; each an edit that makes the fit stale."""

    owner = Owner.FIT_OPTIONS

    def __init__(self, window: "MainWindow") -> None:
        super().__init__(window)
        self.card = OptionsCard(window.actions_table, window.theme, window.annotate_page)
        self.marks = PinMarks(window.annotate_page.view.scene())
        window.annotate_page.view.dragging.connect(self.marks.follow_drag)
        self.card.stature_given.connect(self.give_stature)
        self.card.focal_given.connect(self.give_focal)
        self.card.posture_chosen.connect(self.give_posture)
        self.card.initialiser_chosen.connect(self.choose_initialiser)
        self.card.hold_asked.connect(self.lock_shape)
        self.card.unpin_asked.connect(self._unpin)
        self.session.people_changed.connect(lambda _entry: self._show())
        self.session.person_selected.connect(self._show)
        self.session.closed.connect(self.card.hide)

    def set_theme(self, theme: Theme) -> None:
        self.card.set_theme(theme)

    def show_options(self) -> None:
        """Show the card, or hide it."""
        if self.card.isVisible():
            self.card.hide()
            self.window.annotate_page.view.setFocus()
            return
        self._show()
        page = self.window.annotate_page
        self.card.adjustSize()
        self.card.move(QPoint(page.width() - self.card.width() - 12, 60))
        self.card.show()
        self.card.raise_()
        self.card.stature.setFocus()

    def _show(self) -> None:
        person = self.session.person
        held = (
            person is not None
            and fit_options.options_of(self.session.studio.project, person).shape is not None
        )
        self.window.actions_table["lock_shape"].setChecked(held)
        if person is None:
            self.marks.show_pins({})
            self.card.hide()
            return
        options = fit_options.options_of(self.session.studio.project, person)
        places = {}
        for pin in options.pins:
            point = person.keypoints.points[pin.keypoint]
            if point.x is not None and point.y is not None:
                places[pin.keypoint] = (point.x, point.y)
        self.marks.show_pins(places)
        self.card.show_options(person, options)

    # ------------------------------------------------------------------------------------------------------- edits

    def pin_in_picture(self) -> None:
        """Pin the selected point where it is annotated, or unpin it."""
        self._pin(in_space=False)

    def pin_in_space(self) -> None:
        """Pin the selected joint where the fit has it, or unpin it."""
        self._pin(in_space=True)

    def _pin(self, *, in_space: bool) -> None:
        person, index = self.session.person, self.session.point
        if person is None or index is None:
            return
        studio, fit = self.session.studio, self.session.fit
        made = self.session.attempt(
            lambda: fit_options.pin(studio.project, person, index, fit, in_space=in_space)
        )
        if made is not None and self.session.do(made):
            how = self.window.actions_table.how("fit_body")
            self.session.said.emit(f"{made.label}.", f"Fit again to see what it does: {how}.", False)

    def _unpin(self, keypoint: int) -> None:
        person = self.session.person
        if person is None:
            return
        project = self.session.studio.project
        pin = fit_options.options_of(project, person).pin_of(keypoint)
        if pin is not None:
            in_space = pin.position_m is not None
            self.session.do(fit_options.pin(project, person, keypoint, self.session.fit, in_space=in_space))

    def lock_shape(self, checked: bool = True) -> None:
        """Hold the body's shape as the fit has it, or free it."""
        person = self.session.person
        if person is None:
            return
        studio, fit = self.session.studio, self.session.fit
        made = self.session.attempt(lambda: fit_options.lock_shape(studio.project, person, fit))
        if made is not None:
            self.session.do(made)
        self._show()

    def choose_initialiser(self, name: str) -> None:
        person = self.session.person
        if person is not None:
            project = self.session.studio.project
            made = self.session.attempt(lambda: fit_options.choose_initialiser(project, person, name))
            if made is not None:
                self.session.do(made)
            self._show()

    def give_stature(self, stature_mm: object) -> None:
        """Give the stature in millimetres, None for none."""
        person = self.session.person
        if person is not None and (stature_mm is None or isinstance(stature_mm, float)):
            after = replace(person, stature_mm=stature_mm)
            self.session.do(edits.change_person(person, after, "Stature", f"stature {person.id}"))

    def give_focal(self, focal_px: object) -> None:
        """Give the focal length in pixels of the photo, None for none."""
        person = self.session.person
        if person is not None and (focal_px is None or isinstance(focal_px, float)):
            after = replace(person, focal_px=focal_px)
            self.session.do(edits.change_person(person, after, "Focal length", f"focal {person.id}"))

    def give_posture(self, posture: str) -> None:
        person = self.session.person
        if person is not None and person.posture.value != posture:
            after = replace(person, posture=Posture(posture))
            self.session.do(edits.change_person(person, after, f"Posture: {posture}"))
