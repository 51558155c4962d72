"""The tools of the limb's 3D view: one is chosen at a time; handles that stand in the view come before it."""

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QPointF, Qt, Signal
from PySide6.QtGui import QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QResizeEvent, QWheelEvent
from PySide6.QtWidgets import QHBoxLayout, QLabel, QSizePolicy, QVBoxLayout, QWidget

from limbstudio.ui import icons
from limbstudio.ui.actions import ROWS, Actions
from limbstudio.ui.mesh_stage import MeshStage, MeshTool
from limbstudio.ui.panels.parts import label, line, tool_button
from limbstudio.ui.theme import Theme

if TYPE_CHECKING:
    from limbstudio.ui.actions import ActionRow

RAIL_PX, BAR_PX = 48, 44
# The rail from top to bottom, by ids of actions.
RAIL = (
    ("girth_ring", "tape", "section_card"),
    ("limb_end", "cut_plane", "tip_shape"),
    ("brush_pull", "brush_push", "brush_smooth", "brush_inflate", "brush_flatten"),
    ("mirror_other", "reset_here"),
)


class LimbTool(MeshTool):
    """A tool that an action of the same id chooses.

    hint: one sentence about the mouse and the keys. options: its numbers, for the bar above the view. covers: the whole
    limb is its own, and no standing handle comes before it.
    """

    id = ""
    hint = ""
    covers = False
    options: QWidget | None = None

    def key(self, event: QKeyEvent) -> bool:
        """Take a key before the view does; False leaves it."""
        return False

    def hits(self, at: QPointF) -> bool:
        """Tell whether a handle of the tool lies under the pointer."""
        return False

    def enter(self) -> None:
        """Be chosen."""

    def pause(self) -> None:
        """End what a key began: the view is hidden."""

    def hover(self, at: QPointF | None) -> None:
        """Follow the pointer while no button is down; None: it left."""


class Toolbox(QObject):
    """Hold the tools, give the mouse and the keys to the one that is chosen.

    Signals:
        chosen(str): id of the tool that is chosen now, '' for none.
    """

    chosen = Signal(str)

    def __init__(self, stage: MeshStage, actions: Actions, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._stage = stage
        self._actions = actions
        self._tools: dict[str, LimbTool] = {}
        self._standing: list[LimbTool] = []
        self._current: LimbTool | None = None
        stage.set_tool(_Mouse(self))

    @property
    def current(self) -> LimbTool | None:
        return self._current

    @property
    def current_id(self) -> str:
        return self._current.id if self._current is not None else ""

    @property
    def standing(self) -> tuple[LimbTool, ...]:
        """Return the tools whose handles may be taken whichever tool is chosen."""
        return tuple(self._standing)

    def add(self, tool: LimbTool, *, stands: bool = False) -> None:
        """Take in a tool. stands: its handle is in the view always."""
        self._tools[tool.id] = tool
        if stands:
            self._standing.append(tool)

    def add_overlay(self, mark: LimbTool) -> None:
        """Take in something that is only drawn, always."""
        self._standing.append(mark)

    def choose(self, tool_id: str, chosen: bool = True) -> None:
        """Choose a tool, or leave it."""
        before = self._current
        if chosen:
            self._current = self._tools[tool_id]
        elif before is not None and before.id == tool_id:
            self._current = None
        if before is not self._current:
            if before is not None:
                before.leave()
            if self._current is not None:
                self._current.enter()
        for other in self._tools:
            self._actions[other].setChecked(other == self.current_id)
        self.chosen.emit(self.current_id)
        self._stage.update()

    def leave(self) -> bool:
        """Leave the chosen tool; False without one."""
        if self._current is None:
            return False
        self.choose(self._current.id, False)
        return True

    def key(self, event: QKeyEvent) -> bool:
        """Give a key to the chosen tool; Esc leaves it."""
        if self._current is not None and self._current.key(event):
            return True
        return event.key() == Qt.Key.Key_Escape and self.leave()


class _Mouse(MeshTool):
    """What the stage knows: it passes on to handles first, then to the chosen tool."""

    def __init__(self, box: Toolbox) -> None:
        self._box = box
        self._held: LimbTool | None = None

    def _in_order(self, *, drawn: bool = False) -> list[LimbTool]:
        current = self._box.current
        if current is not None and current.covers and not drawn:
            return [current]
        standing = [tool for tool in self._box.standing if tool is not current]
        return standing if current is None else [current, *standing]

    def press(self, at: QPointF, event: QMouseEvent) -> bool:
        if event.button() is not Qt.MouseButton.LeftButton:
            return False
        if event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            return False  # pans
        tools = self._in_order()
        handled = [tool for tool in tools if tool.hits(at)]
        current = self._box.current
        for tool in (*handled, *([current] if current is not None else [])):
            if tool.press(at, event):
                self._held = tool
                return True
        return False

    def move(self, at: QPointF, event: QMouseEvent, *, pressed: bool) -> None:
        if pressed and self._held is not None:
            self._held.move(at, event, pressed=True)
        elif self._box.current is not None:
            self._box.current.hover(at)

    def release(self, at: QPointF, event: QMouseEvent) -> None:
        held, self._held = self._held, None
        if held is not None:
            held.release(at, event)

    def wheel(self, event: QWheelEvent) -> bool:
        return any(tool.wheel(event) for tool in self._in_order(drawn=True))

    def paint(self, painter: QPainter) -> None:
        for tool in reversed(self._in_order(drawn=True)):
            tool.paint(painter)


class Rail(QWidget):
    """The tools, one under the other."""

    def __init__(self, actions: Actions, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("leftPanel")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.setFixedWidth(RAIL_PX)
        column = QVBoxLayout(self)
        column.setContentsMargins(7, 8, 7, 8)
        column.setSpacing(4)
        for n, group in enumerate(RAIL):
            if n:
                column.addWidget(line())
            for action_id in group:
                column.addWidget(tool_button(actions[action_id]), 0, Qt.AlignmentFlag.AlignHCenter)
        column.addStretch(1)


class _Hint(QLabel):
    """A sentence that is drawn where it has room; else it is for the status bar.

    Signals:
        no_room(str): the sentence, when it has no room here; '' when it has.
    """

    no_room = Signal(str)

    @property
    def fits(self) -> bool:
        return self.fontMetrics().horizontalAdvance(self.text()) <= self.width()

    def setText(self, text: str) -> None:
        super().setText(text)
        self._tell()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._tell()

    def _tell(self) -> None:
        self.no_room.emit("" if self.fits else self.text())

    def paintEvent(self, event: QPaintEvent) -> None:
        if self.fits:
            painter = QPainter(self)
            painter.setFont(self.font())
            painter.setPen(self.palette().windowText().color())
            left = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
            painter.drawText(self.rect(), left, self.text())


class OptionsBar(QWidget):
    """The chosen tool's name and numbers at the left, how the limb is coloured at the right.

    Signals:
        hint_overflows(str): what the tool says and has no room here; '' when it has.
    """

    hint_overflows = Signal(str)

    _NOTHING = "Drag turns, Ctrl+drag moves, the wheel comes nearer. Tools are at the left."

    def __init__(self, toolbox: Toolbox, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("topBar")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.setFixedHeight(BAR_PX)
        self._toolbox = toolbox
        self._theme = theme
        self._shown: QWidget | None = None
        self._icon = QLabel()
        self._title = label("", "value")
        self._hint = _Hint(self._NOTHING)
        self._hint.setProperty("role", "small")
        self._hint.no_room.connect(self.hint_overflows)
        self._hint.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self._row = QHBoxLayout(self)
        self._row.setContentsMargins(12, 4, 12, 4)
        self._row.setSpacing(8)
        self._row.addWidget(self._icon)
        self._row.addWidget(self._title)
        self._row.addWidget(self._hint, 1)
        toolbox.chosen.connect(self._show)
        self._show("")

    def add_right(self, widget: QWidget) -> None:
        self._row.addWidget(widget)

    @property
    def hint(self) -> str:
        return self._hint.text()

    def say(self, text: str) -> None:
        """Say what the tool does now, instead of its hint."""
        self._hint.setText(text)
        self._hint.setToolTip(text)

    def say_hint(self) -> None:
        """Say again how the chosen tool works."""
        tool = self._toolbox.current
        self.say(tool.hint if tool is not None else self._NOTHING)

    def set_theme(self, theme: Theme) -> None:
        self._theme = theme
        self._show(self._toolbox.current_id)

    def _show(self, tool_id: str) -> None:
        tool = self._toolbox.current
        if self._shown is not None:
            self._shown.hide()
            self._row.removeWidget(self._shown)
            self._shown = None
        row: ActionRow | None = ROWS.get(tool_id)
        self._icon.setVisible(row is not None)
        self._title.setVisible(row is not None)
        self.say_hint()
        if row is None or tool is None:
            return
        self._icon.setPixmap(icons.icon(row.icon, self._theme.accent).pixmap(18, 18))
        self._title.setText(row.text)
        if tool.options is not None:
            self._shown = tool.options
            self._row.insertWidget(2, self._shown)
            self._shown.show()
