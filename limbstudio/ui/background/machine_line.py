"""What models run on and how much memory is taken, at the right end of the status bar."""

import os
from collections.abc import Callable

from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QHBoxLayout, QLabel, QWidget

from limbstudio.services import machine
from limbstudio.services.machine import size_words
from limbstudio.ui import icons
from limbstudio.ui.panels.parts import label, set_role
from limbstudio.ui.theme import Theme

_LOOK_MS = 2000


class MachineLine(QWidget):
    """Say the device and the memory that we take; warn when the computer has little left.

    device: asks what models run on; empty while that is not known.
    """

    def __init__(self, device: Callable[[], str], theme: Theme) -> None:
        super().__init__()
        self._device = device
        self._icon = QLabel()
        self.words = label("")
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(8)
        row.addWidget(self._icon)
        row.addWidget(self.words)
        self._timer = QTimer(self)
        self._timer.setInterval(_LOOK_MS)
        self._timer.timeout.connect(self.look)
        self._timer.start()
        self.set_theme(theme)
        self.look()

    def set_theme(self, theme: Theme) -> None:
        self._icon.setPixmap(icons.icon("ph.cpu", theme.text2).pixmap(16, 16))

    def look(self) -> None:
        """Read what is taken now; some hundred microseconds."""
        device = self._device() or "CPU"
        ours = machine.memory_of(os.getpid())
        known = machine.memory()
        if ours is None or known is None:
            self.words.setText(device)
            self.setToolTip(f"Models run on: {device}")
            return
        others = sum(machine.memory_of(child) or 0 for child in machine.children())
        self.words.setText(f"{device} · {size_words(ours + others)}")
        set_role(self.words, "error" if known.is_short else "")
        sentences = [
            f"Models run on: {device}, {machine.processors()} processors.",
            f"Memory: the window {size_words(ours)}, background work {size_words(others)}; "
            f"{size_words(known.free)} of {size_words(known.total)} are free.",
        ]
        if known.is_short:
            sentences.append("Little memory is left: close other programs.")
        self.setToolTip("\n".join(sentences))
        self.setAccessibleName(" ".join(sentences))
