"""Panels and the body's inset moved and sized by keys: a mode in which the arrows belong to one edge at a time."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

from PySide6.QtCore import QEvent, QObject, QPoint, QRect
from PySide6.QtWidgets import QApplication, QSplitter, QWidget
from shiboken6 import isValid

from limbstudio.ui.action_row import Owner
from limbstudio.ui.features import Feature
from limbstudio.ui.inset_frame import Corner, InsetFrame, corner_at
from limbstudio.ui.resize_grip import ResizeGrip
from limbstudio.ui.theme import Theme
from limbstudio.ui.words import tr

if TYPE_CHECKING:
    from limbstudio.ui.main_window import MainWindow

_STEP_PX, _FAR_PX = 8, 64
_EDGE_KEYS = "Left and Right move the edge, with Shift farther. Tab: the next one. Esc: done."
_INSET_KEYS = "Arrow keys: another corner. + and - change the size. Tab: the next one. Esc: done."


class Part(Protocol):
    """Something that is moved or sized. value, least, most: its size as a screen reader's slider says it."""

    is_edge: bool
    keys: str

    @property
    def title(self) -> str: ...

    @property
    def range(self) -> tuple[int, int, int]:
        """Return the size now, the smallest and the largest."""
        ...

    def area(self, room: QWidget) -> QRect:
        """Return where it lies in `room`, px."""
        ...

    def arrow(self, right: int, down: int, *, far: bool) -> None: ...

    def resize(self, steps: int) -> None: ...

    def go_to_end(self, end: int) -> None:
        """Become as small (-1) or as large (1) as can be."""
        ...


class Edge:
    """The edge between a panel and what lies beside it. at: number of the splitter's handle."""

    is_edge = True
    keys = _EDGE_KEYS

    def __init__(self, splitter: QSplitter, at: int, name: str, *, panel_is_left: bool) -> None:
        self._splitter = splitter
        self._at = at
        self.name = name
        self._side = 1 if panel_is_left else -1
        self._panel, self._beside = (at - 1, at) if panel_is_left else (at, at - 1)

    @property
    def title(self) -> str:
        return f"{tr(self.name)}: {self.range[0]} px"

    @property
    def range(self) -> tuple[int, int, int]:
        sizes = self._splitter.sizes()
        panel, beside = (_widget(self._splitter, n) for n in (self._panel, self._beside))
        room = sizes[self._panel] + sizes[self._beside]
        least = max(panel.minimumWidth(), panel.minimumSizeHint().width())
        rest = max(beside.minimumWidth(), beside.minimumSizeHint().width())
        most = min(panel.maximumWidth(), room - rest)
        return sizes[self._panel], least, max(least, most)

    @property
    def can_move(self) -> bool:
        _, least, most = self.range
        return most > least

    def area(self, room: QWidget) -> QRect:
        handle = self._splitter.handle(self._at)
        return QRect(handle.mapTo(room, QPoint(0, 0)), handle.size())

    def arrow(self, right: int, down: int, *, far: bool) -> None:
        self._become(self.range[0] + right * self._side * (_FAR_PX if far else _STEP_PX))

    def resize(self, steps: int) -> None:
        self._become(self.range[0] + steps * _STEP_PX)

    def go_to_end(self, end: int) -> None:
        self._become(self.range[2 if end > 0 else 1])

    def _become(self, wanted: int) -> None:
        now, least, most = self.range
        sizes = self._splitter.sizes()
        by = min(max(wanted, least), most) - now
        sizes[self._panel] += by
        sizes[self._beside] -= by
        self._splitter.setSizes(sizes)


class Inset:
    """The small body over the canvas: its corner and its size."""

    is_edge = False
    keys = _INSET_KEYS

    def __init__(self, frame: InsetFrame, changed: Callable[[], None]) -> None:
        self._frame = frame
        self._changed = changed

    @property
    def title(self) -> str:
        return f"Body inset: {self._frame.scale_pct} %, {self._frame.corner.value}"

    @property
    def range(self) -> tuple[int, int, int]:
        return self._frame.scale_pct, *InsetFrame.SCALES_PCT[:2]

    def area(self, room: QWidget) -> QRect:
        return QRect(self._frame.mapTo(room, QPoint(0, 0)), self._frame.size())

    def arrow(self, right: int, down: int, *, far: bool) -> None:
        corner = self._frame.corner
        self._frame.corner = corner_at(
            right=right > 0 if right else corner.at_right, bottom=down > 0 if down else corner.at_bottom
        )
        self._changed()

    def resize(self, steps: int) -> None:
        least, most, step = InsetFrame.SCALES_PCT
        self._frame.scale_pct = min(max(self._frame.scale_pct + steps * step, least), most)
        self._changed()

    def go_to_end(self, end: int) -> None:
        self._frame.scale_pct = InsetFrame.SCALES_PCT[1 if end > 0 else 0]
        self._changed()


class Resizing(Feature):
    """Own the mode in which keys move the panels' edges and the inset, and what is remembered of the inset."""

    owner = Owner.RESIZING

    def __init__(self, window: "MainWindow") -> None:
        super().__init__(window)
        room = window.centralWidget()
        assert room is not None
        self._room = room
        self._inset = window.annotate_page.floats.inset
        self._recall()
        self._inset.dropped.connect(self._remember)
        self.parts: list[Part] = []
        self._at = 0
        self._came_from: QWidget | None = None
        self.grip = ResizeGrip(window.theme, room)
        self.grip.arrow.connect(lambda right, down, far: self._do(lambda p: p.arrow(right, down, far=far)))
        self.grip.sized.connect(lambda steps: self._do(lambda p: p.resize(steps)))
        self.grip.ended_at.connect(lambda end: self._do(lambda p: p.go_to_end(end)))
        self.grip.stepped.connect(self._step)
        self.grip.left.connect(self.end)
        room.installEventFilter(self)

    def set_theme(self, theme: Theme) -> None:
        self.grip.set_theme(theme)

    def begin(self) -> None:
        """Give the arrow keys to the first edge of this page; once more: end."""
        if self.grip.isVisible():
            self.end()
            return
        self.parts = self._found()
        if not self.parts:
            self.session.said.emit("There is nothing here that could be resized.", "", False)
            return
        self._came_from = QApplication.focusWidget()
        self._at = 0
        self._show()
        self.grip.setFocus()

    def end(self) -> None:
        """Leave everything as it is now; the keyboard goes back to where it was."""
        had_focus = self.grip.hasFocus()
        self.grip.put_away()
        came_from, self._came_from, self.parts = self._came_from, None, []
        if had_focus and came_from is not None and isValid(came_from) and came_from.isVisible():
            came_from.setFocus()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() in (QEvent.Type.Resize, QEvent.Type.LayoutRequest) and self.grip.isVisible():
            self._show()
        return False

    def _found(self) -> list[Part]:
        """Return what can be moved on the page that is shown, from left to right; the inset last."""
        window, splitter = self.window, self.window.columns
        if splitter is None:
            return []
        names = {
            window.photos_panel: ("Photo list", True),
            window.person_panel: ("Person panel", False),
            window.limb_panel: ("Residual limb panel", False),
            self._inset: ("Body", False),
        }
        found: list[Part] = []
        for n in range(1, splitter.count()):
            before, after = _widget(splitter, n - 1), _widget(splitter, n)
            panel = before if names.get(before, ("", False))[1] else after
            if panel in names and before.isVisible() and after.isVisible():
                name, is_left = names[panel]
                edge = Edge(splitter, n, name, panel_is_left=is_left)
                if edge.can_move:
                    found.append(edge)
        if self._inset.isVisible() and not self._inset.is_large:
            found.append(Inset(self._inset, self._on_inset))
        return found

    def _step(self, by: int) -> None:
        self._at = (self._at + by) % max(len(self.parts), 1)
        self._show()

    def _do(self, act: Callable[[Part], None]) -> None:
        if self.parts:
            act(self.parts[self._at])
            self._show()

    def _show(self) -> None:
        if not self.parts:
            return
        part = self.parts[self._at]
        now, least, most = part.range
        self.grip.hint.show_words(part.title, part.keys)
        self.grip.setAccessibleName(part.title)
        self.grip.setAccessibleDescription(part.keys)
        self.grip.setRange(least, most)
        self.grip.setValue(now)
        self.grip.lie_over(part.area(self._room), is_edge=part.is_edge)

    # ------------------------------------------------------------------------------------------------- the inset

    def _on_inset(self) -> None:
        self.window.annotate_page.arrange()
        self._remember()

    def _remember(self) -> None:
        self.window.memory.setValue("inset_corner", self._inset.corner.value)
        self.window.memory.setValue("inset_scale", self._inset.scale_pct)

    def _recall(self) -> None:
        corner = str(self.window.memory.value("inset_corner", ""))
        scale = int(str(self.window.memory.value("inset_scale", 0) or 0))
        least, most, step = InsetFrame.SCALES_PCT
        if corner in set(Corner):
            self._inset.corner = Corner(corner)
        if scale in range(least, most + 1, step):
            self._inset.scale_pct = scale


def _widget(splitter: QSplitter, at: int) -> QWidget:
    found = splitter.widget(at)
    assert found is not None
    return found
