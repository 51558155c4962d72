"""The questions that need a dialog: which file, which folder, and what to do with edits that cannot be saved."""

from pathlib import Path

from PySide6.QtWidgets import QFileDialog, QMessageBox, QWidget

PHOTO_FILTER = (
    "Photos (*.jpg *.jpeg *.png *.tif *.tiff *.webp *.heic *.heif *.avif *.bmp *.gif);;All files (*)"
)
COCO_FILTER = "COCO annotations (*.json)"
ANNOTATION_FILTER = "COCO, labelme or X-AnyLabeling (*.json)"
PROJECT_SUFFIX = ".limb"


class Dialogs:
    """Ask a person; tests put answers in its place."""

    def __init__(self, parent: QWidget) -> None:
        self._parent = parent

    def photos(self) -> list[Path]:
        """Ask for photos; empty when it was cancelled."""
        names, _ = QFileDialog.getOpenFileNames(self._parent, "Open photos", "", PHOTO_FILTER)
        return [Path(name) for name in names]

    def annotations(self) -> Path | None:
        name, _ = QFileDialog.getOpenFileName(self._parent, "Import annotations", "", ANNOTATION_FILTER)
        return Path(name) if name else None

    def moved_photo(self, name: str) -> Path | None:
        """Ask where a photo lies now; None when it was cancelled."""
        found, _ = QFileDialog.getOpenFileName(self._parent, f"Where is {name}?", "", PHOTO_FILTER)
        return Path(found) if found else None

    def project(self) -> Path | None:
        name = QFileDialog.getExistingDirectory(self._parent, "Open project (a folder name.limb)")
        return Path(name) if name else None

    def new_project(self) -> Path | None:
        name, _ = QFileDialog.getSaveFileName(
            self._parent, "New project", f"Untitled{PROJECT_SUFFIX}", f"Projects (*{PROJECT_SUFFIX})"
        )
        return Path(name) if name else None

    def coco_file(self) -> Path | None:
        name, _ = QFileDialog.getSaveFileName(self._parent, "Export COCO-25", "annotations.json", COCO_FILTER)
        return Path(name) if name else None

    def folder(self) -> Path | None:
        name = QFileDialog.getExistingDirectory(self._parent, "Export meshes and pictures to")
        return Path(name) if name else None

    def folder_of(self, title: str) -> Path | None:
        """Ask for a folder; None when it was cancelled."""
        name = QFileDialog.getExistingDirectory(self._parent, title)
        return Path(name) if name else None

    def file_to_write(self, title: str, suffix: str) -> Path | None:
        """Ask where to write a file; None when it was cancelled."""
        name, _ = QFileDialog.getSaveFileName(self._parent, title, f"export{suffix}", f"*{suffix}")
        return Path(name) if name else None

    def file_to_read(self, title: str, suffix: str) -> Path | None:
        """Ask which file to read; None when it was cancelled."""
        name, _ = QFileDialog.getOpenFileName(self._parent, title, "", f"*{suffix}")
        return Path(name) if name else None

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
