"""The card that lies over the window and explains one thing; the next and the previous one are a key away."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QKeyEvent, QPixmap
from PySide6.QtWidgets import (
    QFrame,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from limbstudio.ui import icons
from limbstudio.ui.panels.parts import key_cap, label, line
from limbstudio.ui.theme import Theme
from limbstudio.ui.words import tr

_WIDTH = 400


@dataclass(frozen=True)
class Page:
    """What a card shows. paragraphs: (heading, words), the heading may be empty. keys: (key, what it does)."""

    title: str
    paragraphs: tuple[tuple[str, str], ...]
    keys: tuple[tuple[str, str], ...]
    picture: Callable[[Theme], QPixmap]


class HelpCard(QFrame):
    """One page of several; it does not block the window.

    Signals:
        stepped(int): the next (1) or the previous (-1) page was asked for.
        closed().
    """

    stepped = Signal(int)
    closed = Signal()

    def __init__(self, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self.setProperty("role", "float")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.setFixedWidth(_WIDTH)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self._theme = theme
        self._page: Page | None = None
        self._focus_before: QWidget | None = None
        self._picture = QLabel()
        self._picture.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.title = label("", "title")
        self._close = QToolButton()
        self._close.setAccessibleName(tr("Close"))
        self._close.setToolTip(f"{tr('Close')}   Esc")
        self._close.clicked.connect(lambda _=False: self.close_card())
        head = QHBoxLayout()
        head.addWidget(self.title)
        head.addStretch(1)
        head.addWidget(self._close)
        self._body = QVBoxLayout()
        self._body.setSpacing(6)
        self._number = label("", "caption")
        self.previous = self._step_button(tr("Previous"), -1)
        self.next = self._step_button(tr("Next"), 1)
        foot = QHBoxLayout()
        foot.addWidget(self.previous)
        foot.addWidget(self.next)
        foot.addStretch(1)
        foot.addWidget(self._number)
        column = QVBoxLayout(self)
        column.setContentsMargins(16, 10, 12, 8)
        column.setSpacing(8)
        column.addLayout(head)
        column.addWidget(self._picture)
        column.addLayout(self._body)
        column.addWidget(line())
        column.addLayout(foot)
        self.set_theme(theme)
        self.hide()

    def _step_button(self, words: str, step: int) -> QPushButton:
        made = QPushButton(words)
        made.setProperty("role", "link")
        made.clicked.connect(lambda _=False: self.stepped.emit(step))
        return made

    def set_theme(self, theme: Theme) -> None:
        self._theme = theme
        self._close.setIcon(icons.icon("ph.x", theme.text2))
        if self._page is not None:
            self._picture.setPixmap(self._page.picture(theme))

    @property
    def page(self) -> Page | None:
        """Return what is shown; None while the card is closed."""
        return None if self.isHidden() else self._page

    def show_page(self, page: Page, number: int, total: int) -> None:
        """Show a page; the focus comes to the card and goes back when it closes. number: from 1."""
        parent = self.parentWidget()
        assert parent is not None
        if self.isHidden():
            self._focus_before = parent.window().focusWidget()
        self._page = page
        self.title.setText(page.title)
        self._picture.setPixmap(page.picture(self._theme))
        self._fill(page.paragraphs, page.keys)
        self._number.setText(tr("{number} of {total}", number=number, total=total))
        spoken = [page.title, *(f"{heading} {words}".strip() for heading, words in page.paragraphs)]
        spoken += [f"{key}: {words}" for key, words in page.keys]
        self.setAccessibleName(". ".join(part.rstrip(".") for part in spoken) + ".")
        self.show()
        self.settle()
        self.raise_()
        self.setFocus()

    def _fill(self, paragraphs: Sequence[tuple[str, str]], keys: Sequence[tuple[str, str]]) -> None:
        while (item := self._body.takeAt(0)) is not None:
            if (widget := item.widget()) is not None:
                widget.hide()
                widget.deleteLater()
        for heading, words in paragraphs:
            if heading:
                self._body.addWidget(label(heading.upper(), "section"))
            text = label(words, "small" if heading else "")
            text.setWordWrap(True)
            text.setFixedWidth(_WIDTH - 30)
            self._body.addWidget(text)
        if keys:
            self._body.addWidget(_key_rows(keys))

    def settle(self) -> None:
        """Lie in the middle of the window, within it."""
        parent = self.parentWidget()
        if parent is not None:
            self.adjustSize()
            self.setFixedHeight(self.sizeHint().height())
            self.move((parent.width() - self.width()) // 2, max((parent.height() - self.height()) // 2, 8))

    def close_card(self) -> None:
        """Close the card and give the focus back."""
        self.hide()
        if self._focus_before is not None:
            self._focus_before.setFocus()
        self.closed.emit()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        steps = {Qt.Key.Key_Right: 1, Qt.Key.Key_Down: 1, Qt.Key.Key_Left: -1, Qt.Key.Key_Up: -1}
        if event.key() == Qt.Key.Key_Escape:
            self.close_card()
        elif event.key() in steps:
            self.stepped.emit(steps[Qt.Key(event.key())])
        else:
            super().keyPressEvent(event)

    def sizeHint(self) -> QSize:
        return QSize(_WIDTH, super().sizeHint().height())


def _key_rows(keys: Sequence[tuple[str, str]]) -> QWidget:
    made = QWidget()
    grid = QGridLayout(made)
    grid.setContentsMargins(0, 4, 0, 0)
    grid.setHorizontalSpacing(12)
    grid.setVerticalSpacing(4)
    for row, (key, words) in enumerate(keys):
        grid.addWidget(key_cap(key), row, 0, Qt.AlignmentFlag.AlignRight)
        grid.addWidget(label(words, "small"), row, 1)
    grid.setColumnStretch(1, 1)
    return made
