"""Help by key: the definition of the point in question, the card of the tool in use, the tour."""

from typing import TYPE_CHECKING

from PySide6.QtCore import QSize
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QApplication, QToolButton

from limbstudio.domain.anatomy import LDPOSE
from limbstudio.ui.action_row import Owner
from limbstudio.ui.actions import ROWS, readable_key
from limbstudio.ui.features import Feature
from limbstudio.ui.help.card import HelpCard, Page
from limbstudio.ui.help.cards import CARDS
from limbstudio.ui.help.definitions import definition_of, side_words
from limbstudio.ui.help.examples import example_picture
from limbstudio.ui.help.figure import definition_picture
from limbstudio.ui.help.tour import Tour
from limbstudio.ui.theme import Theme
from limbstudio.ui.words import tr

if TYPE_CHECKING:
    from limbstudio.ui.main_window import MainWindow

_PICTURE = QSize(360, 190)
_SEEN = "tour_seen"
# Where several are on, the one that has the mouse is meant.
_MODES = (
    "limb_end",
    "cut_plane",
    "tip_shape",
    "brush_pull",
    "brush_push",
    "brush_smooth",
    "brush_inflate",
    "brush_flatten",
    "mirror_other",
    "reset_here",
    "mask_polygon",
    "mask_brush",
    "mask_eraser",
    "tape",
    "girth_ring",
    "draw_box",
    "guided",
    "select",
)


class Help(Feature):
    """Own the cards and the tour."""

    owner = Owner.HELP

    def __init__(self, window: "MainWindow") -> None:
        super().__init__(window)
        centre = window.centralWidget()
        assert centre is not None
        self.card = HelpCard(window.theme, centre)
        self.card.stepped.connect(self._step)
        self.tour = Tour(window, window.theme, centre)
        self.tour.ended.connect(lambda: window.memory.setValue(_SEEN, True))
        self.tools = tuple(action_id for action_id in CARDS if action_id in ROWS)
        self._point: int | None = None
        self._tool: str | None = None

    def set_theme(self, theme: Theme) -> None:
        self.card.set_theme(theme)
        self.tour.set_theme(theme)

    def begin_tour(self) -> None:
        """Walk through the window."""
        self.card.hide()
        self.tour.begin()

    def begin_first_tour(self) -> None:
        """Walk through the window if nobody ever did."""
        if self.window.memory.value(_SEEN, False, bool) is not True and self.window.isActiveWindow():
            self.begin_tour()

    def show_definition(self) -> None:
        """Say what counts as the selected point, or as the one that is asked for."""
        selected, asked = self.session.point, self.window.annotate_page.guide.next_point
        index = selected if selected is not None else asked
        self._tool, self._point = None, 0 if index is None else index
        self._show_point(self._point)

    def show_tool(self) -> None:
        """Explain the tool under the pointer or the focus, else the one in use."""
        self._point, self._tool = None, self._tool_meant()
        self._show_tool(self._tool)

    # -------------------------------------------------------------------------------------------------------- within

    def _tool_meant(self) -> str:
        pointed = QApplication.widgetAt(self.window.cursor().pos())
        for widget in (QApplication.focusWidget(), pointed):
            action = widget.defaultAction() if isinstance(widget, QToolButton) else None
            if action is not None and action.objectName() in self.tools:
                return action.objectName()
        modes = (mode for mode in _MODES if mode in self.tools)
        return next((mode for mode in modes if self._action(mode).isChecked()), "select")

    def _action(self, action_id: str) -> QAction:
        return self.window.actions_table[action_id]

    def _step(self, step: int) -> None:
        if self._point is not None:
            self._point = (self._point + step) % len(LDPOSE)
            self._show_point(self._point)
        elif self._tool is not None:
            self._tool = self.tools[(self.tools.index(self._tool) + step) % len(self.tools)]
            self._show_tool(self._tool)

    def _show_point(self, index: int) -> None:
        found = definition_of(index)
        paragraphs = (
            ("", found.where),
            (tr("Not to be taken for it"), found.beware),
            (tr("Where it is hidden"), found.hidden),
            (tr("Whose side"), side_words(index)),
        )
        page = Page(
            tr(LDPOSE[index].label),
            tuple(paragraph for paragraph in paragraphs if paragraph[1]),
            self._keys("state_occluded", "state_absent"),
            lambda theme: definition_picture(index, theme, _PICTURE),
        )
        self.card.show_page(page, index + 1, len(LDPOSE))

    def _show_tool(self, tool: str) -> None:
        card, row = CARDS[tool], ROWS[tool]
        hands = tuple((tr(key), tr(words)) for key, words in card.hands)
        page = Page(
            tr(row.text).removesuffix("..."),
            (("", tr(card.words)),),
            self._keys(tool, *card.more) + hands,
            lambda theme: example_picture(tool, row.icon, theme),
        )
        self.card.show_page(page, self.tools.index(tool) + 1, len(self.tools))

    def _keys(self, *action_ids: str) -> tuple[tuple[str, str], ...]:
        """Return the keys that actions have now, and what they are called."""
        found = []
        for action_id in action_ids:
            if action_id in ROWS and (keys := self._action(action_id).shortcuts()):
                words = tr(ROWS[action_id].text).removesuffix("...")
                found.append((readable_key(keys[0].toString()).replace("plus", "+"), words))
        return tuple(found)
