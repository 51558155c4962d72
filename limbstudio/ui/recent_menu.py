"""File > Open recent: the projects that were open before, also while one is open."""

from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtGui import QAction
from PySide6.QtWidgets import QMenu

from limbstudio.ui.privacy import names
from limbstudio.ui.words import tr

if TYPE_CHECKING:
    from limbstudio.ui.main_window import MainWindow


class RecentMenu(QMenu):
    """It is filled when it opens; a project that is gone is listed, and cannot be chosen."""

    def __init__(self, window: "MainWindow", before: QAction) -> None:
        super().__init__(tr("Open recent"), window)
        self._window = window
        self.aboutToShow.connect(self._fill)
        window.actions_table.menu("File").insertMenu(before, self)

    def _fill(self) -> None:
        self.clear()
        here = self._window.studio.folder
        folders = [folder for folder in self._window.recent() if here is None or folder != here]
        for folder in folders:
            place = "" if names.are_hidden() else f"  ·  {folder.parent}"
            action = self.addAction(f"{names.project_name(folder)}{place}")
            action.setEnabled(folder.is_dir())
            action.triggered.connect(lambda _=False, f=folder: self._open(f))
        if not folders:
            self.addAction(tr("No other project was open before")).setEnabled(False)

    def _open(self, folder: Path) -> None:
        self._window.open_folder(folder)
