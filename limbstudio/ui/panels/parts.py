"""Small pieces that every panel is made of: headings, lines, buttons with a key beside the word."""

from PySide6.QtCore import QEvent, QRectF, QSize, Qt
from PySide6.QtGui import QAction, QColor, QPainter, QPaintEvent, QPen, QResizeEvent, QWheelEvent
from PySide6.QtWidgets import (
    QAbstractSpinBox,
    QComboBox,
    QFrame,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QSizePolicy,
    QToolButton,
    QWidget,
)

from limbstudio.ui import icons
from limbstudio.ui.theme import QFont, Theme, text_font
from limbstudio.ui.words import said


def label(text: str = "", role: str = "") -> QLabel:
    """Return a label in one of the style sheet's roles; its text is never taken for markup."""
    made = QLabel(text)
    made.setTextFormat(Qt.TextFormat.PlainText)
    if role:
        made.setProperty("role", role)
    return made


class ElidedLabel(QLabel):
    """One line of text that gives way: what has no room ends in dots, and the tooltip has all of it.

    least: pixels that it keeps of a longer text; 0: it takes what others leave, and ends at their side.
    """

    def __init__(self, text: str = "", *, least: int = 0) -> None:
        super().__init__()
        self.setTextFormat(Qt.TextFormat.PlainText)
        side = Qt.AlignmentFlag.AlignLeft if least else Qt.AlignmentFlag.AlignRight
        self.setAlignment(side | Qt.AlignmentFlag.AlignVCenter)
        policy = QSizePolicy.Policy.Preferred if least else QSizePolicy.Policy.Ignored
        self.setSizePolicy(policy, QSizePolicy.Policy.Preferred)
        self._least = least
        self._all = ""
        self.setText(text)

    @property
    def full_text(self) -> str:
        """Return the text, dots or not."""
        return self._all

    def sizeHint(self) -> QSize:
        return QSize(self.fontMetrics().horizontalAdvance(self._all) + 4, super().sizeHint().height())

    def minimumSizeHint(self) -> QSize:
        return QSize(min(self._least, self.sizeHint().width()), super().minimumSizeHint().height())

    def setText(self, text: str) -> None:
        self._all = said(text)  # before it is cut: half a sentence has no translation
        self.setToolTip(self._all)
        self.setAccessibleName(self._all)
        self.updateGeometry()
        self._fit()

    def _fit(self) -> None:
        super().setText(self.fontMetrics().elidedText(self._all, Qt.TextElideMode.ElideRight, self.width()))

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()


def key_cap(key: str) -> QLabel:
    """Return a key as a small cap that keeps its size."""
    made = label(key, "key")
    made.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
    return made


def set_role(widget: QWidget, role: str) -> None:
    """Give a widget another role of the style sheet and have it drawn so."""
    if widget.property("role") != role:
        widget.setProperty("role", role)
        widget.style().unpolish(widget)
        widget.style().polish(widget)
        if isinstance(widget, QFrame):
            # The role may bring margins, which a frame takes up only with a style of its own; that sets its policy.
            policy = widget.sizePolicy()
            widget.setFrameStyle(widget.frameStyle())
            widget.setSizePolicy(policy)


def line(vertical: bool = False) -> QFrame:
    made = QFrame()
    made.setProperty("role", "vline" if vertical else "line")
    if vertical:
        made.setFixedWidth(1)
    else:
        made.setFixedHeight(1)
    return made


def section(text: str, right: QWidget | None = None) -> QWidget:
    """Return a section heading in small capitals, with something at its right end."""
    made = QWidget()
    row = QHBoxLayout(made)
    row.setContentsMargins(0, 0, 0, 0)
    row.addWidget(label(text.upper(), "section"))
    row.addStretch(1)
    if right is not None:
        row.addWidget(right)
    return made


def tool_button(action: QAction, size: int = 18, button: int = 32) -> QToolButton:
    """Return a square icon button for an action of the table."""
    made = QToolButton()
    made.setDefaultAction(action)
    made.setIconSize(QSize(size, size))
    made.setFixedSize(button, button)
    made.setAccessibleName(action.text().removesuffix("..."))
    made.setFocusPolicy(Qt.FocusPolicy.TabFocus)
    return made


def action_button(action: QAction, role: str = "") -> QPushButton:
    """Return a push button that follows an action: text, icon, whether it is enabled."""
    made = QPushButton(action.icon(), action.text().removesuffix("..."))
    if role:
        made.setProperty("role", role)
    made.setToolTip(action.toolTip())
    made.setEnabled(action.isEnabled())
    made.clicked.connect(lambda _=False: action.trigger())

    def follow() -> None:
        made.setEnabled(action.isEnabled())
        made.setToolTip(action.toolTip())

    action.changed.connect(follow)
    return made


def off_the_edge(field: QAbstractSpinBox) -> None:
    """Keep a number off its field's edge; style sheets do not reach the text within such a field."""
    field.lineEdit().setTextMargins(7, 0, 7, 0)


class Choice(QComboBox):
    """A list of choices that shows what it is about over what is chosen; `marked` makes it stand out."""

    _SHORT = Qt.ItemDataRole.UserRole + 1

    def __init__(self, caption: str, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._caption = caption
        self.theme = theme
        self._marked = False
        self.setProperty("role", "choice")
        self.setAccessibleName(caption)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.setMinimumContentsLength(8)
        self.setMaxVisibleItems(12)

    def add_choice(self, words: str, value: object, *, short: str) -> None:
        """Add a choice. words: in the list; short: what is shown of it when the list is closed."""
        self.addItem(words, value)
        self.setItemData(self.count() - 1, said(short), self._SHORT)

    @property
    def shown_words(self) -> str:
        """Return what the closed list shows of what is chosen."""
        return self.currentData(self._SHORT) or self.currentText()

    def set_marked(self, marked: bool) -> None:
        self._marked = marked
        self.update()

    def showPopup(self) -> None:
        self.view().setMinimumWidth(self.view().sizeHintForColumn(0) + 24)  # long names are not cut off
        super().showPopup()

    def wheelEvent(self, event: QWheelEvent) -> None:
        # A wheel that scrolls the panel must not change a level on its way.
        event.ignore()

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        t = self.theme
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        edge = t.accent if self._marked or self.hasFocus() else t.edge if self.underMouse() else t.line2
        painter.setPen(QPen(QColor(edge), 2 if self.hasFocus() else 1))
        painter.setBrush(QColor(t.accent_bg if self._marked else t.raised))
        painter.drawRoundedRect(QRectF(self.rect()).adjusted(1, 1, -1, -1), 6, 6)
        inner = QRectF(self.rect()).adjusted(10, 4, -24, -4)
        painter.setFont(text_font(11))
        painter.setPen(QColor(t.text2 if self.isEnabled() else t.disabled))
        painter.drawText(inner, Qt.AlignmentFlag.AlignTop | Qt.AlignmentFlag.AlignLeft, said(self._caption))
        painter.setFont(text_font(13, QFont.Weight.DemiBold))
        painter.setPen(QColor(t.text if self.isEnabled() else t.disabled))
        words = painter.fontMetrics().elidedText(
            self.shown_words, Qt.TextElideMode.ElideRight, int(inner.width())
        )
        painter.drawText(inner, Qt.AlignmentFlag.AlignBottom | Qt.AlignmentFlag.AlignLeft, words)
        arrow = QRectF(self.width() - 22, (self.height() - 12) / 2, 12, 12)
        icons.paint_icon(painter, arrow, "ph.caret-down", QColor(t.text2))
