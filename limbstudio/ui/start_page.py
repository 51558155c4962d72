"""What is seen before anything is open: how to start, a place to drop photos, and the projects of last time."""

from collections.abc import Callable, Sequence
from pathlib import Path

from PySide6.QtCore import QSize, Qt
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from limbstudio.ui import icons
from limbstudio.ui.actions import Actions
from limbstudio.ui.panels.parts import key_cap, label
from limbstudio.ui.privacy import names
from limbstudio.ui.theme import Theme

_WIDTH = 560


class StartPage(QWidget):
    """Offer the first step; nothing here is a dialog."""

    def __init__(
        self,
        actions: Actions,
        theme: Theme,
        open_recent: Callable[[Path], None],
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.setObjectName("startPage")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self._theme = theme
        self._open_recent = open_recent
        self._icons: list[tuple[QLabel, str]] = []

        inside = QWidget()
        inside.setFixedWidth(_WIDTH)
        column = QVBoxLayout(inside)
        column.setContentsMargins(0, 24, 0, 24)
        column.setSpacing(12)
        column.addStretch(1)
        column.addWidget(label("Start with a photo", "page"))
        column.addWidget(label("Photos stay where they are and are never changed.", "small"))
        column.addSpacing(6)
        self._first = self._choice(
            actions, "open_photos", "ph.image", "Open photos", "Files or a whole folder"
        )
        column.addWidget(self._first)
        column.addWidget(
            self._choice(
                actions,
                "open_sample",
                "ph.flask",
                "Open the sample project",
                "Synthetic people, nothing to install",
            )
        )
        column.addWidget(
            self._choice(
                actions,
                "open_project",
                "ph.folder-open",
                "Open a project",
                "A folder name.limb",
            )
        )
        self._drop = self._drop_zone()
        column.addWidget(self._drop)
        self._recent_heading = label("RECENT", "section")
        column.addSpacing(6)
        column.addWidget(self._recent_heading)
        self._recent = QVBoxLayout()
        self._recent.setSpacing(4)
        column.addLayout(self._recent)
        column.addStretch(2)
        lock = QHBoxLayout()
        lock.setSpacing(8)
        lock.addWidget(self._icon("ph.lock-simple", 15))
        lock.addWidget(label("Everything runs on this computer. Nothing is uploaded.", "small"))
        lock.addStretch(1)
        column.addLayout(lock)

        row = QHBoxLayout(self)
        row.setContentsMargins(24, 0, 24, 0)
        row.addStretch(1)
        row.addWidget(inside)
        row.addStretch(1)
        self.set_theme(theme)
        self.show_recent([])
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setFocusProxy(self._first)

    def _choice(self, actions: Actions, action_id: str, icon: str, title: str, words: str) -> QPushButton:
        button, action, cap = QPushButton(), actions[action_id], key_cap("")
        button.setProperty("role", "choice")
        button.setAccessibleName(f"{title}. {words}")
        button.clicked.connect(lambda _=False: action.trigger())
        row = QHBoxLayout(button)
        row.setContentsMargins(18, 0, 16, 0)
        row.setSpacing(16)
        row.addWidget(self._icon(icon, 22))
        text = QVBoxLayout()
        text.setSpacing(2)
        text.addStretch(1)
        text.addWidget(label(title, "title"))
        text.addWidget(label(words, "small"))
        text.addStretch(1)
        row.addLayout(text, 1)
        row.addWidget(cap)

        def show_key() -> None:
            cap.setText(actions.key_words(action_id))
            cap.setVisible(bool(cap.text()))

        actions.when_keys_change(show_key)
        for child in button.findChildren(QWidget):
            child.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        return button

    def _drop_zone(self) -> QFrame:
        zone = QFrame()
        zone.setProperty("role", "drop")
        inside = QVBoxLayout(zone)
        inside.setContentsMargins(12, 16, 12, 16)
        inside.setSpacing(4)
        inside.addWidget(self._icon("ph.image", 22), 0, Qt.AlignmentFlag.AlignCenter)
        inside.addWidget(
            label("Drop photos, a folder or an annotation file here", "value"),
            0,
            Qt.AlignmentFlag.AlignCenter,
        )
        inside.addWidget(label("JPEG, PNG, TIFF, HEIC, WebP, COCO", "small"), 0, Qt.AlignmentFlag.AlignCenter)
        return zone

    def _icon(self, name: str, size: int) -> QLabel:
        made = QLabel()
        made.setFixedSize(size, size)
        self._icons.append((made, name))
        return made

    def set_theme(self, theme: Theme) -> None:
        self._theme = theme
        for made, name in self._icons:
            made.setPixmap(icons.icon(name, theme.accent).pixmap(made.size()))

    def show_drop(self, over: bool) -> None:
        """Mark the place to drop while something is dragged over the window."""
        self._drop.setProperty("over", over)
        self._drop.style().unpolish(self._drop)
        self._drop.style().polish(self._drop)

    def show_recent(self, folders: Sequence[Path]) -> None:
        """List projects that were open before; those that are gone say so."""
        while (item := self._recent.takeAt(0)) is not None:
            if (widget := item.widget()) is not None:
                widget.deleteLater()
        self._recent_heading.setVisible(bool(folders))
        for folder in folders:
            gone = not folder.is_dir()
            name = f"  {names.project_name(folder)}"
            button = QPushButton(icons.icon("ph.folder-open", self._theme.text2), name)
            button.setIconSize(QSize(18, 18))
            button.setProperty("role", "recent")
            button.setEnabled(not gone)
            if gone:
                row = QHBoxLayout(button)
                row.setContentsMargins(0, 0, 14, 0)
                row.addStretch(1)
                row.addWidget(label("Folder not found", "caption"))
            button.setToolTip(
                f"{names.folder_place(folder)} was not found." if gone else names.folder_place(folder)
            )
            button.clicked.connect(lambda _=False, f=folder: self._open_recent(f))
            self._recent.addWidget(button)
