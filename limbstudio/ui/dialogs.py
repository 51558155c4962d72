"""The questions that need a dialog: which file, which folder, and what to do with edits that cannot be saved."""

from pathlib import Path

from PySide6.QtCore import QStandardPaths
from PySide6.QtWidgets import QFileDialog, QMessageBox, QWidget

PHOTO_FILTER = (
    "Photos (*.jpg *.jpeg *.png *.tif *.tiff *.webp *.heic *.heif *.avif *.bmp *.gif);;All files (*)"
)
COCO_FILTER = "COCO annotations (*.json)"
ANNOTATION_FILTER = "COCO, labelme or X-AnyLabeling (*.json)"
PROJECT_SUFFIX = ".limb"
_BRIEF = QFileDialog.Option.HideNameFilterDetails  # a list of twelve endings is cut off in the middle


class Dialogs:
    """Ask a person; tests put answers in its place."""

    def __init__(self, parent: QWidget) -> None:
        self._parent = parent
        # Each question begins where the last was answered; the first among a person's documents, and not in whatever
        # folder the program was started from.
        self._last = QStandardPaths.writableLocation(QStandardPaths.StandardLocation.DocumentsLocation)

    @property
    def _folder(self) -> str:
        """Return where a question begins; Qt would take a folder that is not there for a file's name."""
        last = Path(self._last)
        return str(next((folder for folder in (last, *last.parents) if folder.is_dir()), Path.home()))

    def _open_file(self, title: str, filters: str) -> Path | None:
        name, _ = QFileDialog.getOpenFileName(self._parent, title, self._folder, filters, options=_BRIEF)
        return self._answered(name)

    def _save_file(self, title: str, name: str, filters: str) -> Path | None:
        name, _ = QFileDialog.getSaveFileName(
            self._parent, title, str(Path(self._folder) / name), filters, options=_BRIEF
        )
        return self._answered(name)

    def _folder_of(self, title: str) -> Path | None:
        name = QFileDialog.getExistingDirectory(self._parent, title, self._folder)
        return self._answered(name, is_folder=True)

    def _answered(self, name: str, *, is_folder: bool = False) -> Path | None:
        if not name:
            return None
        path = Path(name)
        inside = is_folder and path.suffix != PROJECT_SUFFIX
        self._last = str(path if inside else path.parent)
        return path

    def photos(self) -> list[Path]:
        """Ask for photos; empty when it was cancelled."""
        names, _ = QFileDialog.getOpenFileNames(
            self._parent, "Open photos", self._folder, PHOTO_FILTER, options=_BRIEF
        )
        return [path for name in names if (path := self._answered(name)) is not None]

    def annotations(self) -> Path | None:
        return self._open_file("Import annotations", ANNOTATION_FILTER)

    def moved_photo(self, name: str) -> Path | None:
        """Ask where a photo lies now; None when it was cancelled."""
        return self._open_file(f"Where is {name}?", PHOTO_FILTER)

    def project(self) -> Path | None:
        return self._folder_of("Open project (a folder name.limb)")

    def new_project(self) -> Path | None:
        return self._save_file("New project", f"Untitled{PROJECT_SUFFIX}", f"Projects (*{PROJECT_SUFFIX})")

    def coco_file(self) -> Path | None:
        return self._save_file("Export COCO-25", "annotations.json", COCO_FILTER)

    def folder(self) -> Path | None:
        return self._folder_of("Export meshes and pictures to")

    def folder_of(self, title: str) -> Path | None:
        """Ask for a folder; None when it was cancelled."""
        return self._folder_of(title)

    def file_to_write(self, title: str, suffix: str) -> Path | None:
        """Ask where to write a file; None when it was cancelled."""
        return self._save_file(title, f"export{suffix}", f"*{suffix}")

    def file_to_read(self, title: str, suffix: str) -> Path | None:
        """Ask which file to read; None when it was cancelled."""
        return self._open_file(title, f"*{suffix}")

    def may_lose(self, message: str, hint: str) -> bool:
        """Say that the last edits cannot be saved; return whether to go on all the same, without them."""
        box = QMessageBox(self._parent)
        box.setIcon(QMessageBox.Icon.Warning)
        box.setText(message)
        box.setInformativeText(hint)
        stay = box.addButton("Keep the window open", QMessageBox.ButtonRole.RejectRole)
        close = box.addButton("Go on without the last edits", QMessageBox.ButtonRole.DestructiveRole)
        box.setDefaultButton(stay)
        box.exec()
        return box.clickedButton() is close
