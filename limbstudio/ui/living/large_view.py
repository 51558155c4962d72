"""The body's 3D view beside the canvas, as large as the hand makes it, instead of small in its corner."""

from PySide6.QtCore import QSettings, QTimer
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QSplitter

from limbstudio.ui.annotate_page import AnnotatePage
from limbstudio.ui.panels.parts import tool_button

_SHARE = 0.42  # of the canvas' room, at first
_CANVAS_PX = 480  # the bars over the canvas need so much
_KEY = "large_body_width"


class LargeView:
    """Move the inset's frame between its corner of the canvas and a pane of its own at the canvas' right."""

    def __init__(self, page: AnnotatePage, action: QAction, memory: QSettings) -> None:
        self._page = page
        self._frame = page.floats.inset
        self._memory = memory
        self._action = action
        self._frame.add_button(tool_button(action, 14, 22))
        self._frame.enlarge_asked.connect(action.trigger)

    @property
    def is_large(self) -> bool:
        return self._frame.is_large

    def set_large(self, large: bool) -> None:
        """Give the body a pane beside the canvas, or its corner of the canvas again."""
        self._action.setChecked(large)
        splitter = self._splitter()
        if large == self.is_large or splitter is None:
            return
        shown = not self._frame.isHidden()
        if large:
            self._enlarge(splitter)
        else:
            self._memory.setValue(_KEY, self._frame.width())
            self._frame.hide()  # the canvas takes the room before, and not in the middle of, the move
            self._frame.setParent(self._page)
            self._frame.set_large(False)
        self._frame.setVisible(shown)
        self._page.arrange()
        QTimer.singleShot(0, self._page.mesh_view.frame)  # once the new size is there

    def _enlarge(self, splitter: QSplitter) -> None:
        at = splitter.indexOf(self._page)
        sizes = splitter.sizes()
        room = sizes[at]
        remembered = int(str(self._memory.value(_KEY, 0) or 0))
        wanted = min(remembered or round(room * _SHARE), room - _CANVAS_PX)
        wanted = max(wanted, self._frame.LARGE_SIZE.width())
        self._frame.set_large(True)
        splitter.insertWidget(at + 1, self._frame)
        splitter.setStretchFactor(at + 1, 0)
        splitter.setCollapsible(at + 1, False)
        splitter.setSizes([*sizes[:at], room - wanted, wanted, *sizes[at + 1 :]])

    def _splitter(self) -> QSplitter | None:
        parent = self._page.parentWidget()
        return parent if isinstance(parent, QSplitter) else None
