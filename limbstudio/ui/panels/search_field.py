"""The search above the photo list: what is typed is asked as one types; what cannot be understood is underlined."""

from collections.abc import Sequence

from PySide6.QtCore import QPointF, Qt, QTimer, Signal
from PySide6.QtGui import QColor, QKeyEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QHBoxLayout, QLineEdit, QMenu, QToolButton, QVBoxLayout, QWidget

from limbstudio.domain.saved_search import SavedSearch
from limbstudio.services.search_grammar import FIELDS, GrammarError, parse
from limbstudio.ui import icons
from limbstudio.ui.panels.parts import label
from limbstudio.ui.panels.search_completion import SearchCompletion
from limbstudio.ui.theme import Theme

_ASK_AFTER_MS = 120
_COMPLAIN_AFTER_MS = 600  # half a word is no mistake


class QueryEdit(QLineEdit):
    """A line of text of which a part can be underlined as wrong."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.theme = theme
        self._wrong: tuple[int, int] | None = None

    @property
    def underlined(self) -> str:
        """Return the part that is underlined."""
        if self._wrong is None:
            return ""
        at, length = self._wrong
        return self.text()[at : at + length]

    def underline(self, at: int, length: int) -> None:
        self._wrong = (at, length)
        self.update()

    def clear_underline(self) -> None:
        self._wrong = None
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        if self._wrong is None:
            return
        at, length = self._wrong
        metrics = self.fontMetrics()
        cursor = self.cursorRect()
        start = cursor.center().x() - metrics.horizontalAdvance(self.text()[: self.cursorPosition()])
        left = start + metrics.horizontalAdvance(self.text()[:at])
        right = start + metrics.horizontalAdvance(self.text()[: at + length])
        painter = QPainter(self)
        painter.setClipRect(self.rect().adjusted(6, 0, -6, 0))
        painter.setPen(QPen(QColor(self.theme.error), 2, Qt.PenStyle.DotLine))
        y = cursor.bottom() + 1.0
        painter.drawLine(QPointF(left, y), QPointF(max(right, left + 6), y))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape and self.text():
            self.clear()
            return
        super().keyPressEvent(event)


class SearchField(QWidget):
    """The field, the menu of saved searches beside it and the sentence under it.

    Signals:
        asked(str): photos are to be searched; the query can be understood, and is empty for all photos.
        save_asked(str): this query is to be kept.
        forget_asked(object): a `SavedSearch` is to be forgotten.
        left(): Enter or Down: on to the list.
    """

    asked = Signal(str)
    save_asked = Signal(str)
    forget_asked = Signal(object)
    left = Signal()

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._saved: tuple[SavedSearch, ...] = ()
        self.edit = QueryEdit(theme)
        self.edit.setPlaceholderText("Search photos")
        self.edit.setAccessibleName("Search photos")
        examples = "\n".join(f"{field.example}   {field.words}" for field in FIELDS)
        self.edit.setToolTip(f"Search photos   Ctrl F\n{examples}\nOR, a minus and quotes combine them.")
        self.edit.setClearButtonEnabled(True)
        self.completion = SearchCompletion(self.edit, theme)
        for button in self.edit.findChildren(QToolButton):
            button.setAccessibleName("Clear the field")
        self.menu_button = QToolButton()
        self.menu_button.setFixedSize(32, 32)
        self.menu_button.setAccessibleName("Saved searches")
        self.menu_button.setToolTip("Saved searches")
        self.menu_button.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self.menu = QMenu(self)
        self.menu.aboutToShow.connect(self._fill_menu)
        self.menu_button.setMenu(self.menu)
        self.sentence = label("", "error")
        self.sentence.setWordWrap(True)
        self.sentence.hide()
        row = QHBoxLayout()
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(4)
        row.addWidget(self.edit, 1)
        row.addWidget(self.menu_button)
        column = QVBoxLayout(self)
        column.setContentsMargins(12, 0, 12, 0)
        column.setSpacing(4)
        column.addLayout(row)
        column.addWidget(self.sentence)

        self._ask = self._timer(_ASK_AFTER_MS, self._ask_now)
        self._complain = self._timer(_COMPLAIN_AFTER_MS, self._complain_now)
        self.edit.textChanged.connect(self._on_text)
        self.edit.returnPressed.connect(self._on_return)
        self.set_theme(theme)

    def _timer(self, ms: int, function: object) -> QTimer:
        timer = QTimer(self)
        timer.setSingleShot(True)
        timer.setInterval(ms)
        timer.timeout.connect(function)  # type: ignore[arg-type]
        return timer

    def set_theme(self, theme: Theme) -> None:
        self.edit.theme = self.completion.theme = theme
        self.menu_button.setIcon(icons.icon("ph.bookmark-simple", theme.text2))

    @property
    def query(self) -> str:
        return self.edit.text().strip()

    def set_query(self, query: str) -> None:
        """Put a query into the field and ask it at once."""
        self.edit.setText(query)
        self.completion.close()
        self._on_return()

    def show_saved(self, saved: Sequence[SavedSearch]) -> None:
        """Offer these searches in the menu."""
        self._saved = tuple(sorted(saved, key=lambda search: search.name.casefold()))

    # --------------------------------------------------------------------------------------------------- asking

    def _on_text(self) -> None:
        self.edit.clear_underline()
        self.sentence.hide()
        self._ask.start()
        self._complain.start()

    def _ask_now(self) -> bool:
        try:
            parse(self.query)
        except GrammarError:
            return False
        self.asked.emit(self.query)
        return True

    def _complain_now(self) -> None:
        if self.completion.is_open:
            return  # what is missing is offered
        lead = len(self.edit.text()) - len(self.edit.text().lstrip())
        try:
            parse(self.query)
        except GrammarError as error:
            self.edit.underline(lead + error.at, error.length)
            self.sentence.setText(f"{error.message} {error.hint}")
            self.sentence.show()

    def _on_return(self) -> None:
        self._ask.stop()
        self._complain.stop()
        self.completion.close()
        if self._ask_now():
            self.left.emit()
        else:
            self._complain_now()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Down:
            self.left.emit()
            return
        super().keyPressEvent(event)

    # --------------------------------------------------------------------------------------------------- saved

    def _fill_menu(self) -> None:
        self.menu.clear()
        for search in self._saved:
            action = self.menu.addAction(search.name)
            action.setToolTip(search.query)
            action.triggered.connect(lambda _=False, query=search.query: self.set_query(query))
        if not self._saved:
            self.menu.addAction("No saved searches yet").setEnabled(False)
        self.menu.addSeparator()
        save = self.menu.addAction("Save this search...")
        save.setEnabled(bool(self.query))
        save.triggered.connect(lambda _=False: self.save_asked.emit(self.query))
        if self._saved:
            forget = self.menu.addMenu("Forget")
            for search in self._saved:
                action = forget.addAction(search.name)
                action.triggered.connect(lambda _=False, search=search: self.forget_asked.emit(search))
