"""The body that follows: while a point is dragged, and after each edit until a fit is kept."""

from collections.abc import Mapping
from dataclasses import replace
from enum import StrEnum
from typing import TYPE_CHECKING

from PySide6.QtCore import QTimer, Signal

from limbstudio.domain.body import BodyFit
from limbstudio.domain.fitted import KeptFit
from limbstudio.domain.photo import Person
from limbstudio.domain.review import ReviewState, Verdict
from limbstudio.services.fit_options import asked_of
from limbstudio.services.history import Entry
from limbstudio.services.live import LiveAnswer, LiveBody, LiveLane, LivePicture, LiveRequest, LiveTrouble
from limbstudio.services.studio import facts_of
from limbstudio.ui.action_row import Owner
from limbstudio.ui.features import Feature
from limbstudio.ui.living.large_view import LargeView
from limbstudio.ui.living.live_layer import LiveLayer
from limbstudio.ui.living.self_fit_chip import SelfFitChip
from limbstudio.ui.mesh_view import camera_axes
from limbstudio.ui.theme import Theme

if TYPE_CHECKING:
    from limbstudio.ui.main_window import MainWindow

# With fewer points any body explains them; the fit needs four, a body that follows sensibly some more.
FEWEST_POINTS = 8
# A fit that starts by itself waits until the hand has rested.
_REST_MS = 400
# Batches rest during a drag and this long after, while the last picture is drawn.
_AFTER_DRAG_MS = 250
_LONGEST_HOLD_MS = 10_000


class SelfFit(StrEnum):
    """When a fit starts by itself."""

    NEVER = "never"
    AFTER_EDIT = "after_edit"
    ON_READY = "on_ready"


SELF_FIT_WORDS = {
    SelfFit.NEVER: "Fit: when asked",
    SelfFit.AFTER_EDIT: "Fit: after each edit",
    SelfFit.ON_READY: "Fit: when marked ready",
}


class LivingBody(Feature):
    """Let the body follow points over the photo and in the inset, and start fits by themselves where asked.

    Nothing is recorded before the point is released, and what follows is a picture only: a fit is kept by F, or by
    itself where the setting says so.

    Signals:
        shown(object): an answer of the live lane was shown.
    """

    owner = Owner.LIVING
    shown = Signal(object)

    def __init__(self, window: "MainWindow") -> None:
        super().__init__(window)
        self.page = window.annotate_page
        self.layer = LiveLayer()
        self.page.view.scene().addItem(self.layer)
        self.lane: LiveLane | None = None
        self._follows = window.memory.value("body_follows", "yes") != "no"
        self._self_fit = SelfFit(str(window.memory.value("self_fit", SelfFit.NEVER.value)))
        self._is_dragging = False
        self._shows = False  # a live body is in view, and says so
        self.asked = 0  # the last request's sequence
        self._drag = ""
        self._axes = None
        self.large_view = LargeView(self.page, window.actions_table["large_body"], window.memory)
        self.chip = SelfFitChip(window.theme, self._next_self_fit)
        layout = window.status.layout()
        if layout is not None:
            layout.insertWidget(layout.count() - 2, self.chip)  # pyright: ignore[reportAttributeAccessIssue]
        self._rest = self._timer(_REST_MS, self._fit_by_itself)
        self._release = self._timer(_AFTER_DRAG_MS, lambda: self.session.studio.hold_batches(False))
        self._longest = self._timer(_LONGEST_HOLD_MS, lambda: self.session.studio.hold_batches(False))
        self.page.view.dragging.connect(self._on_dragging)
        self.session.people_changed.connect(self._on_entry)
        self.session.person_selected.connect(self._on_person)
        self.session.photo_selected.connect(self._on_person)
        self.session.fit_changed.connect(self._on_fit)
        self.session.closed.connect(self._hide)
        self.page.fit_showing.meshes_allowed.connect(self._warm_up)
        self._show_setting()

    def _timer(self, ms: int, act) -> QTimer:  # noqa: ANN001 - any function of no arguments
        timer = QTimer(self)
        timer.setSingleShot(True)
        timer.setInterval(ms)
        timer.timeout.connect(act)
        return timer

    def set_theme(self, theme: Theme) -> None:
        self.chip.set_theme(theme)

    def close(self) -> None:
        if self.lane is not None:
            self.lane.close()
            self.lane = None

    # ------------------------------------------------------------------------------------------------- the settings

    def set_follows(self, follows: bool) -> None:
        """Let the body follow points, or not."""
        self._follows = follows
        self.window.memory.setValue("body_follows", "yes" if follows else "no")
        if not follows:
            self._hide()

    def set_large(self, large: bool) -> None:
        """Show the body in a pane beside the canvas, or small in its corner."""
        self.large_view.set_large(large)
        self.window.memory.setValue("large_body", "yes" if large else "no")

    def fit_never(self, checked: bool = True) -> None:
        self._set_self_fit(SelfFit.NEVER)

    def fit_after_edit(self, checked: bool = True) -> None:
        self._set_self_fit(SelfFit.AFTER_EDIT)

    def fit_on_ready(self, checked: bool = True) -> None:
        self._set_self_fit(SelfFit.ON_READY)

    @property
    def self_fit(self) -> SelfFit:
        return self._self_fit

    def _set_self_fit(self, when: SelfFit) -> None:
        self._self_fit = when
        self.window.memory.setValue("self_fit", when.value)
        self._show_setting()

    def _next_self_fit(self) -> None:
        order = list(SelfFit)
        self._set_self_fit(order[(order.index(self._self_fit) + 1) % len(order)])

    def _show_setting(self) -> None:
        actions = self.window.actions_table
        actions["body_follows"].setChecked(self._follows)
        for when in SelfFit:
            actions[f"self_fit_{when.value}"].setChecked(when is self._self_fit)
        self.chip.say(SELF_FIT_WORDS[self._self_fit], is_on=self._self_fit is not SelfFit.NEVER)

    # --------------------------------------------------------------------------------------------------- following

    def _on_dragging(self, places: Mapping[int, tuple[float, float]]) -> None:
        person = self.session.person
        if not places:
            self._end_drag()
            self._hide()
            return
        if person is None or not self._can_follow(person):
            return
        if not self._is_dragging:
            self._is_dragging = True
            self.session.studio.hold_batches(True)
            self._release.stop()
            self._longest.start()
        self._ask(_moved(person, places), is_last=False)

    def _end_drag(self) -> None:
        if self._is_dragging:
            self._is_dragging = False
            self._release.start()

    def _can_follow(self, person: Person) -> bool:
        return (
            self._follows
            and int(person.keypoints.observed.sum()) >= FEWEST_POINTS
            and not self._others_file(self.session.fit)
        )

    def _others_file(self, fit: KeptFit | None) -> bool:
        return fit is not None and bool(facts_of(fit).get("body_file"))

    def _ask(self, person: Person, *, is_last: bool) -> None:
        photo = self.session.photo
        if photo is None:
            return
        lane = self._open_lane()
        fit = self.session.fit
        options = asked_of(self.session.studio.project, person.id)
        self._drag = f"{person.id} {fit.id if fit is not None else ''} {hash(options)}"
        start: BodyFit | None = None if fit is None else replace(fit.fit, alternatives=())
        overlay = self.window.actions_table["overlay"].isChecked()
        self.asked = lane.ask(
            LiveRequest(self._drag, person, photo, start, options, is_last=is_last, wants_picture=overlay)
        )

    def _open_lane(self) -> LiveLane:
        if self.lane is None:
            bridge = self.session.bridge
            self.lane = LiveLane(lambda answer: bridge.deliver(lambda: self._on_answer(answer)))
        return self.lane

    def _warm_up(self) -> None:
        """Start the process before the first drag needs it; the body is as large as it was."""
        if self.window.memory.value("large_body") == "yes":
            self.set_large(True)
        if self._follows:
            self._open_lane().warm_up()

    def _on_answer(self, answer: LiveAnswer) -> None:
        person = self.session.person
        if person is None or answer.drag != self._drag:
            return  # of another person, or of before a fit that is kept now
        if isinstance(answer, LiveTrouble):
            if answer.sequence == self.asked:
                self._hide()
            if answer.report:
                self.session.said.emit(
                    answer.message, answer.hint or "Copy the log from Help and report it.", True
                )
            return
        if answer.is_last and answer.sequence < self.asked:
            return
        self._shows = True
        showing = self.page.fit_showing
        if isinstance(answer, LiveBody):
            showing.show_live(answer, camera_axes(answer.orientation))
        elif isinstance(answer, LivePicture) and self.window.actions_table["overlay"].isChecked():
            self.layer.show_picture(answer)
            self.page.view.set_overlay_visible(False)
        self.shown.emit(answer)

    def _hide(self) -> None:
        """Show what is kept instead of what follows."""
        if self.lane is not None:
            self.lane.forget()
        self._drag = ""
        self.layer.setVisible(False)
        if self._shows:
            self._shows = False
            self.page.view.set_overlay_visible(self.window.actions_table["overlay"].isChecked())
            self.page.fit_showing.end_live()

    @property
    def shows_live(self) -> bool:
        """Tell whether what is in view follows, and is not kept."""
        return self._shows

    # ------------------------------------------------------------------------------------------- following the session

    def _on_person(self) -> None:
        self._end_drag()
        self._rest.stop()
        self._hide()

    def _on_entry(self, entry: Entry) -> None:
        person = self.session.person
        if person is None:
            return
        changed = [change for change in entry.edit.changes if change.key == ("person", person.id)]
        ready = ("verdict", person.id)
        for change in entry.edit.changes:
            now_ready = isinstance(change.after, Verdict) and change.after.state is ReviewState.READY
            if change.key == ready and now_ready and self._self_fit is SelfFit.ON_READY:
                self._rest.start()
        if not changed and ("fit_options", person.id) not in [c.key for c in entry.edit.changes]:
            return
        self._end_drag()
        fit = self.session.fit
        if fit is not None and not self.session.studio.is_stale(fit):
            self._rest.stop()
            self._hide()  # an undo brought back what the fit was made from
            return
        if self._can_follow(person) and (fit is not None or self._shows):
            self._ask(person, is_last=True)
        if self._self_fit is SelfFit.AFTER_EDIT and entry.edit.human:
            self._rest.start()

    def _on_fit(self) -> None:
        fit = self.session.fit
        if self._shows and fit is not None and not self.session.studio.is_stale(fit):
            self._hide()

    def _fit_by_itself(self) -> None:
        person = self.session.person
        if person is None or not self.session.can_edit or self._is_dragging:
            return
        fit = self.session.fit
        enough = int(person.keypoints.observed.sum()) >= FEWEST_POINTS
        if enough and (fit is None or self.session.studio.is_stale(fit)):
            self.session.start(lambda: self.session.studio.fit(person.id))


def _moved(person: Person, places: Mapping[int, tuple[float, float]]) -> Person:
    """Return the person with points where they are dragged; nothing is recorded."""
    keypoints = person.keypoints
    for index, (x, y) in places.items():
        keypoints = keypoints.replaced(index, replace(keypoints.points[index], x=x, y=y))
    return replace(person, keypoints=keypoints)
