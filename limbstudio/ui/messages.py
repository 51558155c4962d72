"""What goes wrong, in words: a bar for the world's faults, a dialog with a report to copy for our own."""

import logging
import platform
import sys
import time
import traceback
from collections.abc import Callable, Sequence
from functools import partial
from types import TracebackType

from PySide6.QtCore import QSize, Qt, QTimer
from PySide6.QtWidgets import (
    QApplication,
    QDialog,
    QFrame,
    QHBoxLayout,
    QLabel,
    QPlainTextEdit,
    QPushButton,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

import limbstudio
from limbstudio.domain.errors import KnownError
from limbstudio.ui import icons
from limbstudio.ui.privacy import names
from limbstudio.ui.theme import Theme

log = logging.getLogger(__name__)
_STAYS_MS = 4000
_READ_IN_S = 2.0
_MOST_LINES = 500  # more would take seconds to lay out, and nobody reads them


class MessageBar(QFrame):
    """One message at a time under the top bar, with at most one button; it never takes the focus."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._icon = QLabel()
        self._said = ""
        self._text = QLabel()
        self._text.setWordWrap(True)
        self._text.setTextFormat(Qt.TextFormat.PlainText)
        self._text.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._act: Callable[[], None] | None = None
        self.button = QPushButton()
        self.button.setAccessibleName("What the message offers")
        self.button.setProperty("role", "link")
        self.button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.button.clicked.connect(self._on_button)
        self._close = QToolButton()
        self._close.setAccessibleName("Close message")
        self._close.setToolTip("Close message")
        self._close.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self._close.clicked.connect(self._uncover)
        row = QHBoxLayout(self)
        row.setContentsMargins(16, 6, 8, 6)
        row.setSpacing(10)
        row.addWidget(self._icon)
        row.addWidget(self._text, 1)
        row.addWidget(self.button)
        row.addWidget(self._close)
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(self._uncover)
        self._stays: Callable[[], None] | None = None
        self._seen_since = 0.0
        self.hide()

    @property
    def text(self) -> str:
        return self._text.text()

    def set_theme(self, theme: Theme) -> None:
        self._theme = theme

    def say(
        self,
        message: str,
        hint: str = "",
        *,
        serious: bool = True,
        button: str = "",
        act: Callable[[], None] | None = None,
    ) -> None:
        """Show a message. serious: it stays until it is closed; otherwise for four seconds.

        button, act: the word on a button at its end, and what pressing it does. A serious message that is covered
        before anybody can have read it comes back after that.
        """
        if serious:
            self._stays = partial(self.say, message, hint, button=button, act=act)
            self._seen_since = time.monotonic()
        elif not self.isVisible() or time.monotonic() - self._seen_since > _READ_IN_S:
            self._stays = None
        self._act = act
        self.button.setText(button)
        self.button.setAccessibleName(button or "What the message offers")
        self.button.setVisible(bool(button))
        role, name, colour = (
            ("message-error", "ph.warning-circle", self._theme.error)
            if serious
            else ("message-ok", "ph.check-circle", self._theme.ok)
        )
        self.setProperty("role", role)
        self.style().unpolish(self)
        self.style().polish(self)
        self._icon.setPixmap(icons.icon(name, colour).pixmap(QSize(18, 18)))
        self._close.setIcon(icons.icon("ph.x", self._theme.text2))
        self._said = f"{message} {hint}".strip()
        self.mask()
        self.show()
        if serious:
            self._timer.stop()
        else:
            self._timer.start(_STAYS_MS)

    def _uncover(self) -> None:
        """Take the message away; a serious one that it covered is seen again."""
        is_passing, stays = self.property("role") == "message-ok", self._stays
        self.hide()
        self._stays = None
        if is_passing and stays is not None:
            stays()

    def mask(self) -> None:
        """Show the message with or without names, as is asked for now."""
        self._text.setText(names.masked(self._said))
        self.setAccessibleName(self._text.text())

    def _on_button(self) -> None:
        if self._act is not None:
            self._act()


def report_of(error: BaseException) -> str:
    """Return a report of our own mistake: versions and the traceback, nothing of the person's data."""
    lines = [
        f"LimbStudio {limbstudio.__version__}, Python {platform.python_version()}, {platform.platform()}",
        "",
        *(line.rstrip() for line in traceback.format_exception(error)),
    ]
    return "\n".join(lines)


def show_quietly(dialog: QDialog) -> None:
    """Show a dialog that nobody asked for at this moment: the keyboard stays where it is."""
    dialog.setAttribute(Qt.WidgetAttribute.WA_ShowWithoutActivating)
    dialog.show()


class ReportDialog(QDialog):
    """Say that LimbStudio made a mistake, and offer a report to copy. It does not block the window."""

    def __init__(self, report: str, theme: Theme, parent: QWidget | None = None, title: str = "") -> None:
        super().__init__(parent)
        self.setWindowTitle("LimbStudio")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setMinimumSize(640, 380)
        heading = QLabel(title or "Something in LimbStudio went wrong")
        heading.setProperty("role", "dialog")
        text = QLabel(
            "Your work is saved and you can go on. Copy the report and send it to the people who look after "
            "LimbStudio, with a word on what you were doing."
        )
        text.setWordWrap(True)
        text.setProperty("role", "small")
        self._report = QPlainTextEdit(report)
        self._report.setReadOnly(True)
        self._report.setAccessibleName("Report")
        copy = QPushButton(icons.icon("ph.copy", theme.accent), "Copy report")
        copy.setProperty("role", "link")
        copy.clicked.connect(self.copy_report)
        go_on = QPushButton("Go on")
        go_on.setProperty("role", "primary")
        go_on.setDefault(True)
        go_on.clicked.connect(self.accept)
        buttons = QHBoxLayout()
        buttons.addWidget(copy)
        buttons.addStretch(1)
        buttons.addWidget(go_on)
        column = QVBoxLayout(self)
        column.setContentsMargins(20, 20, 20, 16)
        column.setSpacing(12)
        column.addWidget(heading)
        column.addWidget(text)
        column.addWidget(self._report, 1)
        column.addLayout(buttons)

    @property
    def report(self) -> str:
        return self._report.toPlainText()

    def copy_report(self) -> None:
        QApplication.clipboard().setText(self.report)


class RefusedDialog(QDialog):
    """Say of every file that was not taken in why, and what to do. It does not block the window.

    refused: (what, KnownError) for each. warnings: what was taken in, but not quite as it stands in the file.
    """

    def __init__(
        self,
        refused: Sequence[tuple[str, KnownError]],
        warnings: Sequence[str],
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.setWindowTitle("What was not taken in")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setMinimumSize(720, 420)
        heading = QLabel(
            _counted(len(refused), "file was skipped", "files were skipped") if refused else "To know"
        )
        heading.setProperty("role", "dialog")
        lines = [f"{name}\n    {error.message} {error.hint}".rstrip() for name, error in refused]
        self._list = QPlainTextEdit(names.masked(shortened([*lines, *warnings])))
        self._list.setReadOnly(True)
        self._list.setAccessibleName("What was skipped, and why")
        close = QPushButton("Close")
        close.setProperty("role", "primary")
        close.setDefault(True)
        close.clicked.connect(self.accept)
        buttons = QHBoxLayout()
        buttons.addStretch(1)
        buttons.addWidget(close)
        column = QVBoxLayout(self)
        column.setContentsMargins(20, 20, 20, 16)
        column.setSpacing(12)
        column.addWidget(heading)
        column.addWidget(self._list, 1)
        column.addLayout(buttons)

    @property
    def text(self) -> str:
        return self._list.toPlainText()


def shortened(lines: Sequence[str]) -> str:
    """Return the lines as one text; of very many the first, and how many more there are."""
    more = len(lines) - _MOST_LINES
    return "\n".join(lines) if more <= 0 else "\n".join([*lines[:_MOST_LINES], f"… and {more} more."])


def _counted(number: int, one: str, many: str) -> str:
    return f"{number} {one if number == 1 else many}"


def install_excepthook(
    show_known: Callable[[KnownError], None], show_report: Callable[[BaseException], None]
) -> None:
    """Show what no one caught: this is the last border, and the program goes on."""
    shown: set[str] = set()

    def hook(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        if isinstance(error, KeyboardInterrupt):
            QApplication.quit()
            return
        if isinstance(error, KnownError):
            show_known(error)
            return
        log.error("Our own mistake", exc_info=(kind, error, trace))
        where = "".join(traceback.format_exception(kind, error, trace))
        if where not in shown:  # the same mistake in every repaint must not open a hundred dialogs
            shown.add(where)
            show_report(error)

    sys.excepthook = hook
