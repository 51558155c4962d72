"""What is to be mended or decided about a person: one row each, with the button that does it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from PySide6.QtCore import QSize, Qt
from PySide6.QtWidgets import QGridLayout, QPushButton, QVBoxLayout, QWidget

from limbstudio.ui import icons
from limbstudio.ui.panels.parts import label


@dataclass(frozen=True)
class Finding:
    """icon, colour: of the sign before the text. button: its words; act: what it does."""

    icon: str
    colour: str
    text: str
    button: str
    act: Callable[[], object]


class _Row(QWidget):
    def __init__(self) -> None:
        super().__init__()
        self._sign = label()
        self._words = label("", "small")
        self._words.setWordWrap(True)
        self._push = QPushButton()
        self._push.setProperty("role", "link")
        self._push.clicked.connect(lambda _=False: self._act())
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(8)
        grid.addWidget(self._sign, 0, 0, Qt.AlignmentFlag.AlignTop)
        grid.addWidget(self._words, 0, 1)
        grid.addWidget(self._push, 0, 2, Qt.AlignmentFlag.AlignTop)
        grid.setColumnStretch(1, 1)
        self._drawn = ("", "")

    def show_finding(self, finding: Finding) -> None:
        self._act = finding.act
        if self._drawn != (finding.icon, finding.colour):
            self._drawn = (finding.icon, finding.colour)
            self._sign.setPixmap(icons.icon(finding.icon, finding.colour).pixmap(QSize(16, 16)))
        self._words.setText(finding.text)
        self._push.setText(finding.button)
        self._push.setAccessibleName(f"{finding.button}: {finding.text}")
        self.show()


class FindingsList(QWidget):
    """The rows, used again from person to person: widgets are slow to make at every photo."""

    def __init__(self) -> None:
        super().__init__()
        self._rows: list[_Row] = []
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(8)

    def show_all(self, findings: Sequence[Finding]) -> None:
        """Show these, and nothing else."""
        while len(self._rows) < len(findings):
            self._rows.append(_Row())
            self._column.addWidget(self._rows[-1])
        for row, finding in zip(self._rows, findings, strict=False):
            row.show_finding(finding)
        for row in self._rows[len(findings) :]:
            row.hide()
