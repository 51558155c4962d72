"""Where the bars and cards lie that float over the canvas."""

from PySide6.QtWidgets import QWidget

from limbstudio.ui.actions import Actions
from limbstudio.ui.floats import GuideBar, HintCard, Loupe, StateBar, ToolBar
from limbstudio.ui.inset_frame import InsetFrame, corner_at
from limbstudio.ui.mesh_view import MeshView
from limbstudio.ui.photo_view import PhotoView
from limbstudio.ui.targets import Rectangle, place_card
from limbstudio.ui.theme import Theme

MARGIN = 12


class FloatLayout:
    """The canvas' floats. wanted: where the point asked for is expected, in pixels of the photo."""

    def __init__(
        self, actions: Actions, view: PhotoView, mesh_view: MeshView, theme: Theme, page: QWidget
    ) -> None:
        self._page = page
        self._view = view
        self.wanted: tuple[float, float] | None = None
        self.tool_bar = ToolBar(actions, page)
        self.guide_bar = GuideBar(page)
        self.state_bar = StateBar(actions, page)
        self.hint = HintCard(theme, page)
        self.hint.follow_keys(actions)
        self.loupe = Loupe(view, page)
        self.inset = InsetFrame(mesh_view, page)
        self.inset.dropped.connect(self.arrange)
        self._added: list[tuple[QWidget, bool, bool]] = []

    def add(self, widget: QWidget, *, right: bool = False, bottom: bool = False) -> None:
        """Let a card lie in a corner of the canvas, below or above the bars; the hint keeps away from it."""
        self._added.append((widget, right, bottom))

    @property
    def state_room(self) -> int:
        """Return how wide the bar of states may be, px."""
        return self._page.width() - 2 * MARGIN

    def arrange(self) -> None:
        """Put everything in its place."""
        width, height = self._page.width(), self._page.height()
        self.tool_bar.adjustSize()
        self.tool_bar.move(MARGIN, MARGIN)
        self.guide_bar.adjustSize()
        left = width - self.guide_bar.width() - MARGIN
        beside = left > self.tool_bar.x() + self.tool_bar.width() + MARGIN
        below = self.tool_bar.y() + self.tool_bar.height() + 8
        self.guide_bar.move(left, MARGIN if beside else below)
        self.state_bar.adjustSize()
        self.state_bar.move((width - self.state_bar.width()) // 2, height - self.state_bar.height() - MARGIN)
        bottom = self.state_bar.height() + 2 * MARGIN
        top = max(below, self.guide_bar.y() + self.guide_bar.height() + 8)
        inset, corner = self.inset, self.inset.corner
        if not inset.is_large:
            inset.take_size(width, height)
            inset.move(
                width - inset.width() - MARGIN if corner.at_right else MARGIN,
                height - inset.height() - bottom if corner.at_bottom else top,
            )
        beyond = 0 if inset.is_large or inset.isHidden() else inset.height() + 8
        for widget, at_right, at_bottom in self._added:
            if not at_bottom:
                widget.adjustSize()
            taken = beyond if corner is corner_at(right=at_right, bottom=at_bottom) else 0
            x = width - widget.width() - MARGIN if at_right else MARGIN
            widget.move(x, height - widget.height() - bottom - taken if at_bottom else top + taken)
        self._view.viewpoint.keep_clear(below, bottom)
        here = () if self.inset.is_large else (self.inset,)
        for widget in (self.tool_bar, self.guide_bar, self.state_bar, *here, self.hint, self.loupe):
            widget.raise_()
        for widget, _, _ in self._added:
            widget.raise_()
        self.place_hint()

    def show_loupe(self, x: float, y: float) -> None:
        """Show the loupe beside a pixel of the photo."""
        loupe, page = self.loupe, self._page
        loupe.look_at(x, y)
        at = self._view.on_screen(x, y)
        right = at.x() + 40 + loupe.width() < page.width()
        left_edge = int(at.x() + 40) if right else int(at.x() - 40 - loupe.width())
        top = min(max(int(at.y() - loupe.height() / 2), 60), page.height() - loupe.height() - 60)
        loupe.move(left_edge, top)
        loupe.show()
        loupe.raise_()
        self.place_hint(pointer=(at.x(), at.y()))

    def place_hint(self, pointer: tuple[float, float] | None = None) -> None:
        """Put the hint where it hides nothing. pointer: of the mouse, px; it hides that least of all."""
        hint, page = self.hint, self._page
        if hint.isHidden():
            return
        wanted = None
        if self.wanted is not None and self._view.has_photo:
            on_screen = self._view.on_screen(*self.wanted)
            wanted = (on_screen.x(), on_screen.y())
        points = [(p.x(), p.y()) for p in self._view.points_on_screen().values()]
        if pointer is not None:
            card = Rectangle(hint.x(), hint.y(), hint.width(), hint.height())
            if not card.holds(*pointer, margin=40):
                return  # it lies well where it is: cards that jump about are worse than cards in a corner
            points.extend([pointer] * 50)
        taken = [
            Rectangle(w.x(), w.y(), w.width(), w.height())
            for w in (self.tool_bar, self.guide_bar, self.state_bar, self.inset, *(a[0] for a in self._added))
            if w.isVisible() and w.parentWidget() is page
        ]
        area = Rectangle(MARGIN, MARGIN, page.width() - 2 * MARGIN, page.height() - 2 * MARGIN)
        place = place_card((hint.width(), hint.height()), area, wanted=wanted, points=points, taken=taken)
        hint.move(round(place[0]), round(place[1]))
