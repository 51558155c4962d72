"""What floats over the canvas: tools, the guide's progress, its hint, the loupe and the bar of states."""

from PySide6.QtCore import QPointF, QRect, QSettings, QSize, Qt, QTimer
from PySide6.QtGui import QColor, QPainter, QPainterPath, QPaintEvent, QPen
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QProgressBar, QToolButton, QVBoxLayout, QWidget

from limbstudio.domain.anatomy import LDPOSE, KeypointState
from limbstudio.ui import guided
from limbstudio.ui.actions import Actions
from limbstudio.ui.glyphs import STATE_ORDER, STATE_WORDS, Glyph, glyph_icon, glyph_of, glyph_pixmap
from limbstudio.ui.help.figure import small_picture
from limbstudio.ui.panels.parts import key_cap, label, line, tool_button
from limbstudio.ui.photo_view import PhotoView
from limbstudio.ui.theme import PHOTO_HALO, Theme

HINT_USES = 20
_PICTURE_PX = 56


class FloatFrame(QFrame):
    """A bar or card that floats over the canvas."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setProperty("role", "float")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)


class ToolBar(FloatFrame):
    """The canvas' tools."""

    _IDS = (
        ("select", "guided"),
        ("swap_limb", "swap_body"),
        ("overlay", "inset", "loupe", "names", "tones"),
        ("fit_view", "undo", "redo"),
    )

    def __init__(self, actions: Actions, parent: QWidget) -> None:
        super().__init__(parent)
        row = QHBoxLayout(self)
        row.setContentsMargins(5, 3, 5, 3)
        row.setSpacing(2)
        for n, group in enumerate(self._IDS):
            if n:
                row.addWidget(line(vertical=True))
            for action_id in group:
                row.addWidget(tool_button(actions[action_id]))


class GuideBar(FloatFrame):
    """How far the guided placement is."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._word = label("Guided", "value")
        self._bar = QProgressBar()
        self._bar.setTextVisible(False)
        self._bar.setFixedWidth(72)
        self._bar.setRange(0, 100)  # per cent: another range for each person would be laid out anew
        self._bar.setAccessibleName("Points placed")
        self._count = label("", "value")
        row = QHBoxLayout(self)
        row.setContentsMargins(14, 6, 14, 6)
        row.setSpacing(10)
        row.addWidget(self._word)
        row.addWidget(self._bar)
        row.addWidget(self._count)

    def show_progress(self, phase: guided.Phase, done: int, total: int) -> None:
        words = {guided.Phase.LIMBS: "Limbs first", guided.Phase.CHECK: "Check", guided.Phase.FREE: "Free"}
        self._word.setText(words.get(phase, "Guided"))
        self._bar.setValue(round(100 * done / max(total, 1)))
        self._count.setText(f"{done} / {total}")
        self.adjustSize()


class KeyHint(QWidget):
    """A key cap and what it does."""

    def __init__(self, key: str, words: str) -> None:
        super().__init__()
        self.cap = key_cap(key)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(6)
        row.addWidget(self.cap)
        row.addWidget(label(words, "small"))

    def show_key(self, key: str) -> None:
        """Name another key; without one there is no hint."""
        self.cap.setText(key)
        self.setVisible(bool(key))
        layout = self.layout()
        assert layout is not None
        layout.invalidate()  # at once: the card takes its size before the event of it comes
        self.updateGeometry()


class HintCard(FloatFrame):
    """The point that is asked for: its name, definition and count, and two keys.

    A definition that was shown often is known: the card then takes one line. F1 still says it.
    """

    def __init__(self, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self._theme = theme
        self._memory: QSettings | None = None
        self._last: int | None = None
        self._picture = QLabel()
        self._picture.setFixedSize(_PICTURE_PX, _PICTURE_PX)
        self._picture.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._title = label("", "title")
        self._count = label("", "small")
        self._sentence = label("", "small")
        self._sentence.setWordWrap(True)
        self._sentence.setFixedWidth(196)
        head = QHBoxLayout()
        head.addWidget(self._title)
        head.addStretch(1)
        head.addWidget(self._count)
        self._keys = QHBoxLayout()
        self._keys.setSpacing(14)
        self._key_row = QWidget()
        self._key_row.setLayout(self._keys)
        self._keys.setContentsMargins(0, 0, 0, 0)
        self._skip, self._back, self._occluded = (
            KeyHint("Space", "skip"),
            KeyHint("Bksp", "step back"),
            "Press 2",
        )
        self._keys.addWidget(self._skip)
        self._keys.addWidget(self._back)
        self._keys.addStretch(1)
        words = QVBoxLayout()
        words.setSpacing(6)
        words.addLayout(head)
        words.addWidget(self._sentence)
        words.addWidget(self._key_row)
        row = QHBoxLayout(self)
        row.setContentsMargins(12, 10, 14, 12)
        row.setSpacing(12)
        row.addWidget(self._picture, 0, Qt.AlignmentFlag.AlignTop)
        row.addLayout(words)
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)

    def show_point(self, index: int, number: int, total: int, armed: KeypointState) -> None:
        uses = self._used(index)
        waits = armed is not KeypointState.VISIBLE
        short = uses > HINT_USES and not waits
        glyph = glyph_of(LDPOSE[index], armed)
        size = 20 if short else _PICTURE_PX
        self._picture.setFixedSize(size, size)
        if short:
            self._picture.setPixmap(
                glyph_pixmap(Glyph(glyph.frame, glyph.state, glyph.residual, size * 0.45), size)
            )
        else:
            self._picture.setPixmap(small_picture(glyph, index, self._theme, size))
        self._picture.show()
        self._title.setText(LDPOSE[index].label)
        self._count.setText(f"{number} of {total}")
        waiting = (
            f"{STATE_WORDS[armed]}: click where it is."
            if waits
            else f"{guided.definition_of(index)} Hidden? {self._occluded}."
        )
        self._sentence.setText(waiting)
        self._sentence.setVisible(not short)
        self._key_row.setVisible(not short)
        self.setAccessibleName(f"{LDPOSE[index].label}, {number} of {total}. {waiting}")
        self._settle()

    def follow_keys(self, actions: Actions) -> None:
        """Name the keys that are in force."""

        def show() -> None:
            # The space bar is the canvas' own key where no action has it.
            is_free = not any("Space" in actions.keys_of(row.id) for row in actions.rows)
            skip = actions.key_words("skip") or ("Space" if is_free else "")
            for hint, key in ((self._skip, skip), (self._back, actions.key_words("step_back"))):
                hint.show_key(key)
            self._keys.invalidate()
            self._key_row.updateGeometry()
            QTimer.singleShot(
                0, self, self._settle
            )  # caps know how wide they are after their style was applied
            how = actions.how("state_occluded")
            self._occluded = how[0].upper() + how[1:]

        actions.when_keys_change(show)

    def set_theme(self, theme: Theme) -> None:
        """Draw the next picture in the colours of `theme`."""
        self._theme = theme

    def remember_in(self, memory: QSettings) -> None:
        """Count from start to start how often each definition was shown."""
        self._memory = memory

    def _used(self, index: int) -> int:
        """Count that the point's definition is shown; return how often it has been."""
        key = f"hints/{guided.definition_kind(index)}"
        if self._memory is None:
            return 0
        uses = int(str(self._memory.value(key, 0)))
        if index != self._last:
            self._last, uses = index, uses + 1
            self._memory.setValue(key, uses)
        return uses

    def show_sentence(self, title: str, sentence: str) -> None:
        """Show a sentence of the guide that concerns no single point."""
        self._last = None
        self._picture.hide()
        self._sentence.show()
        self._title.setText(title)
        self._count.setText("")
        self._sentence.setText(sentence)
        self._key_row.hide()
        self.setAccessibleName(f"{title}. {sentence}")
        self._settle()

    def _settle(self) -> None:
        """Take the size that the words need: a wrapped label's height follows from its width."""
        self._sentence.setFixedHeight(self._sentence.heightForWidth(self._sentence.width()))
        self.adjustSize()


class StateBar(FloatFrame):
    """The seven states with their keys; the one that the point has, or the next click gives, is marked."""

    def __init__(self, actions: Actions, parent: QWidget) -> None:
        super().__init__(parent)
        row = QHBoxLayout(self)
        row.setContentsMargins(6, 2, 6, 2)
        row.setSpacing(0)
        self._buttons: dict[KeypointState, QToolButton] = {}
        self._words: dict[KeypointState, str] = {}
        self._point = 5
        self._actions = actions
        self._caps: dict[KeypointState, QLabel] = {}
        self._current: KeypointState | None = None
        for number, state in enumerate(STATE_ORDER, start=1):
            action = actions[f"state_{state.value}"]
            button = QToolButton()
            button.setProperty("role", "state")
            button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
            button.setIconSize(QSize(17, 17))
            button.setText(STATE_WORDS[state])
            button.setCheckable(True)
            button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
            button.clicked.connect(lambda _=False, a=action: a.trigger())
            self._buttons[state] = button
            if number > 1:
                row.addWidget(line(vertical=True))
            row.addWidget(button)
            cap = self._caps[state] = key_cap("")
            row.addWidget(cap)
            row.addSpacing(2)
        actions.when_keys_change(self._show_keys)
        self.show_state(5, KeypointState.VISIBLE)

    def _show_keys(self) -> None:
        for state, button in self._buttons.items():
            action_id = f"state_{state.value}"
            key = self._actions.key_words(action_id)
            button.setToolTip(self._actions[action_id].toolTip())
            button.setAccessibleName(f"{STATE_WORDS[state]}, key {key}" if key else STATE_WORDS[state])
            self._caps[state].setText(key)
            self._caps[state].setVisible(bool(key))
        self.adjustSize()

    def show_state(self, point: int | None, current: KeypointState | None, room: int = 4096) -> None:
        """Mark the current state. point: LDPose index whose frame the glyphs have. room: width in px that there is;
        where the bar would be wider it names only the current state.
        """
        self._point = self._point if point is None else point
        self._current = current
        for state, button in self._buttons.items():
            drawn = glyph_of(LDPOSE[self._point], state)
            button.setIcon(glyph_icon(Glyph(drawn.frame, state, False, 10.0), 17))
            button.setChecked(state is current)
            button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        if self.sizeHint().width() > room:
            for state, button in self._buttons.items():
                if state is not current:
                    button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonIconOnly)
        self.adjustSize()


class Loupe(QWidget):
    """A disc that shows what lies under the pointer, four times as large."""

    SIZE = 132

    def __init__(self, view: PhotoView, parent: QWidget) -> None:
        super().__init__(parent)
        self._view = view
        self._at = (0.0, 0.0)
        self.setFixedSize(self.SIZE + 4, self.SIZE + 16)
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.hide()

    def look_at(self, x: float, y: float) -> None:
        """x, y: pixels of the photo."""
        self._at = (x, y)
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        painter.translate(2, 2)
        middle = QPointF(self.SIZE / 2, self.SIZE / 2)
        disc = QPainterPath()
        disc.addEllipse(middle, self.SIZE / 2 - 1, self.SIZE / 2 - 1)
        painter.save()
        painter.setClipPath(disc)
        painter.fillPath(disc, QColor("#15181D"))
        self._view.draw_loupe(painter, self._at)
        painter.restore()
        painter.setPen(QPen(QColor(PHOTO_HALO), 4))
        painter.drawPath(disc)
        painter.setPen(QPen(QColor("#FFFFFF"), 1.6))
        painter.drawPath(disc)
        for colour, width in ((QColor(PHOTO_HALO), 3.0), (QColor("#FFFFFF"), 1.2)):
            painter.setPen(QPen(colour, width))
            for dx, dy in ((1, 0), (-1, 0), (0, 1), (0, -1)):
                way = QPointF(dx, dy)
                painter.drawLine(middle + way * 8, middle + way * 22)
        chip = QRect(self.SIZE // 2 - 16, self.SIZE - 9, 32, 18)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(PHOTO_HALO))
        painter.drawRoundedRect(chip, 9, 9)
        font = painter.font()
        font.setPixelSize(11)
        font.setBold(True)
        painter.setFont(font)
        painter.setPen(QColor("#FFFFFF"))
        painter.drawText(chip, Qt.AlignmentFlag.AlignCenter, "4x")
