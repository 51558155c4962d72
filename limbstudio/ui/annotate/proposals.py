"""Proposed points on the canvas: dotted until they are taken, one by one or all by one key."""

from typing import TYPE_CHECKING

from limbstudio.domain.anatomy import LDPOSE, KeypointState
from limbstudio.domain.proposals import proposed_points, take_proposals
from limbstudio.ui.action_row import Owner
from limbstudio.ui.canvas.items import PointItem
from limbstudio.ui.features import Feature
from limbstudio.ui.glyphs import glyph_of

if TYPE_CHECKING:
    from limbstudio.ui.main_window import MainWindow

_BELOW_POINTS = 9.5


class Proposals(Feature):
    """Shows where the fitted body has the points that nobody has placed, and takes them over."""

    owner = Owner.PROPOSALS

    def __init__(self, window: "MainWindow") -> None:
        super().__init__(window)
        self._page = window.annotate_page
        self._items: dict[int, PointItem] = {}
        self.places: dict[int, tuple[float, float]] = {}
        self._action = window.actions_table["proposals"]
        self._action.setChecked(str(window.memory.value("proposals", "true")) != "false")
        self._page.guiding.propose_by(lambda: self.places)
        for signal in (self.session.person_selected, self.session.photo_selected, self.session.fit_changed):
            signal.connect(self.refresh)
        self.session.people_changed.connect(lambda _entry: self.refresh())
        self._page.reading.shown.connect(self.refresh)

    def available(self) -> frozenset[str]:
        return frozenset({"proposals"}) if self.places and self.session.can_edit else frozenset()

    def set_proposals(self, shown: bool) -> None:
        """Show or hide what the body proposes."""
        self.window.memory.setValue("proposals", shown)
        self.refresh()

    def _now(self) -> dict[int, tuple[float, float]]:
        person, photo, fit = self.session.person, self.session.photo, self.session.fit
        if not self._action.isChecked() or person is None or photo is None or fit is None:
            return {}
        return proposed_points(person, fit.fit, (photo.width, photo.height))

    def refresh(self) -> None:
        """Work out anew what is proposed, and draw it."""
        places = self._now()
        changed = places != self.places
        self.places = places
        self._draw()
        if changed:
            self._page.guiding.show_guide()
            self.window.show_available()

    def _draw(self) -> None:
        places = self.places if self._page.reading.is_shown else {}
        scene = self._page.view.scene()
        for index in set(self._items) - set(places):
            scene.removeItem(self._items.pop(index))
        for index, (x, y) in places.items():
            item = self._items.get(index)
            if item is None:
                item = self._items[index] = PointItem(index)
                item.set_glyph(glyph_of(LDPOSE[index], KeypointState.VISIBLE, prediction=True))
                item.setZValue(_BELOW_POINTS)
                scene.addItem(item)
            item.setPos(x, y)

    def accept_all(self) -> None:
        """Take every proposed point: one edit, one undo."""
        # Not what is drawn: a level may have been set a moment ago.
        person, places = self.session.person, self._now()
        if person is not None and places and self.session.can_edit:
            self.session.do(take_proposals(person, places))
