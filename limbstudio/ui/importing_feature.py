"""Photos and annotations come in: by dialog, drop, paste or folder, looked at before anything is changed."""

import shutil
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtGui import QGuiApplication

from limbstudio.services import settings
from limbstudio.services.importing import ImportReport, OnConflict, Preflight
from limbstudio.services.jobs import JobState, JobView
from limbstudio.ui.action_row import Owner
from limbstudio.ui.background.waiting import without_freezing
from limbstudio.ui.features import Feature
from limbstudio.ui.messages import RefusedDialog, show_quietly
from limbstudio.ui.panels.photos import file_name
from limbstudio.ui.people_feature import People
from limbstudio.ui.preflight_dialog import PreflightDialog, counted

if TYPE_CHECKING:
    from limbstudio.ui.main_window import MainWindow

# What comes within this time after a command is its answer, and may have the keyboard.
_AT_ONCE_S = 1.0


class Importing(Feature):
    """Bring photos and annotations into the project; make one where none is open."""

    owner = Owner.IMPORTING

    def __init__(self, window: "MainWindow") -> None:
        super().__init__(window)
        self._studio = window.studio
        # The project that was made for what comes in, until something is in it.
        self._made: Path | None = None
        window.status.job_ended.connect(self._on_job_ended)  # before the window tells of it

    # -------------------------------------------------------------------------------------------------- the actions

    def open_photos(self) -> None:
        self._import_photos(self.window.dialogs.photos())

    def open_photo_folder(self) -> None:
        folder = self.window.dialogs.folder_of("Open a folder of photos")
        if folder is not None:
            self._import_photos([folder])

    def import_annotations(self) -> None:
        path = self.window.dialogs.annotations()
        if path is not None:
            self.look_at(path)

    def import_annotation_folder(self) -> None:
        folder = self.window.dialogs.folder_of("Import a folder of labelme or X-AnyLabeling files")
        if folder is not None:
            self.look_at(folder)

    def paste_photos(self) -> None:
        """Take in what the clipboard has: files, or a picture, which is kept in the project."""
        people = next((f for f in self.window.features if isinstance(f, People)), None)
        if people is not None and people.paste_person():
            return
        mime = QGuiApplication.clipboard().mimeData()
        paths = [Path(url.toLocalFile()) for url in mime.urls() if url.isLocalFile()]
        if paths:
            self.open_paths(paths)
            return
        image = QGuiApplication.clipboard().image()
        if image.isNull():
            self.window.message_bar.say(
                "There is no photo in the clipboard.",
                "Copy a picture or photo files, then paste.",
                serious=False,
            )
            return
        if not self.ensure_project([Path("Pasted") / "photo"]):
            return
        folder = self._studio.folder
        assert folder is not None
        place = folder / "photos"
        number = 1
        while (path := place / f"pasted {number}.png").exists():
            number += 1
        place.mkdir(exist_ok=True)
        if not image.save(str(path), "PNG"):  # pyright: ignore[reportCallIssue, reportArgumentType]
            self.window.message_bar.say(f"The picture could not be written to {path}.", "Is the disk full?")
            return
        self._import_photos([path])

    def locate_photo(self) -> None:
        """Ask where the photo in view lies now; others that moved with it are found too."""
        photo = self.session.photo
        path = self.window.dialogs.moved_photo(file_name(photo)) if photo is not None else None
        if photo is None or path is None:
            return
        found = self.session.attempt(
            lambda: without_freezing(lambda: len(self._studio.locate_photo(photo, path)))
        )
        if found:
            self._read_again()
            words = "The photo was found." if found == 1 else f"{found} photos were found."
            self.window.message_bar.say(words, serious=False)

    def adopt_changed_photo(self) -> None:
        """Go on with the changed file of the photo in view: its people are kept."""
        photo = self.session.photo
        if photo is not None:
            self.session.start(lambda: self._studio.adopt_changed(photo))

    def collect_photos(self) -> None:
        self.session.start(self._studio.collect_photos)

    def open_paths(self, paths: Sequence[Path]) -> None:
        """Open what was dropped or pasted: a project, annotation files, photos and folders of photos."""
        projects = [p for p in paths if p.suffix == ".limb"]
        annotations = [p for p in paths if p.suffix.lower() == ".json"]
        photos = [p for p in paths if p not in projects and p not in annotations]
        if projects:
            self.window.open_folder(projects[0])
        for path in annotations:
            self.look_at(path)
        if photos:
            self._import_photos(photos)

    # ------------------------------------------------------------------------------------------------- what happens

    def look_at(self, path: Path, photos_folder: Path | None = None) -> None:
        """Look at what an annotation file would bring, in the background. photos_folder: if not beside the file."""
        if self.ensure_project([path]):
            self.session.start(lambda: self._studio.preflight(path, photos_folder))

    def look_elsewhere(self, path: Path) -> None:
        """Ask in which folder the photos of an annotation file lie, and look at it again."""
        folder = self.window.dialogs.folder_of(f"Where are the photos of {path.name}?")
        if folder is not None:
            self.look_at(path, folder)

    def decide(self, preflight: Preflight, *, waited_s: float = 0.0) -> None:
        """Import at once where nothing is in question; ask where something is.

        waited_s: for how long the file was looked at. Who waited long may be at work by now: then the question leaves
        the keyboard where it is.
        """

        def go_on(on_conflict: OnConflict) -> None:
            self.session.start(
                lambda: self._studio.import_annotations(
                    preflight.path, preflight.folder, on_conflict=on_conflict
                )
            )

        if not preflight.conflicts and not preflight.refused and not preflight.brings_nothing:
            go_on(OnConflict.KEEP)
        else:
            elsewhere = None if preflight.path.is_dir() else partial(self.look_elsewhere, preflight.path)
            dialog = PreflightDialog(preflight, go_on, self.window, elsewhere=elsewhere)
            dialog.rejected.connect(self._withdraw)
            if waited_s < _AT_ONCE_S:
                dialog.show()
                return
            show_quietly(dialog)
            self.window.message_bar.say(
                f"{preflight.path.name} was looked at; there is a question before it is imported.",
                button="Answer",
                act=dialog.activateWindow,
            )
            dialog.finished.connect(lambda _result: self.window.message_bar.hide())

    def tell(self, report: ImportReport) -> None:
        """Say what an import brought, and offer to take it back."""
        self._withdraw()
        if report.photos and self.session.photo is None:
            self.session.select_photo(report.photos[0].sha256)
        photos, people = len(report.photos), len(report.people)
        parts = [counted(photos, "photo", "photos")] if photos or not people else []
        parts += [counted(people, "person", "people")] if people else []
        words = [f"{' and '.join(parts)} {'was' if photos + people == 1 else 'were'} added."]
        if not photos and not people:
            words = ["Nothing was added."] if report.refused or not report.known else []
        if report.known:
            number = len(report.known)
            words.append(
                "1 photo was there already." if number == 1 else f"{number} photos were there already."
            )
        if len(report.refused) == 1:
            error = report.refused[0][1]
            words.append(f"{error.message} {error.hint}")
        elif report.refused:
            words.append(f"{len(report.refused)} were skipped.")
        words.extend(report.warnings[:1])
        button, act = "", None
        if report.annotations:
            found = report.annotations[0]
            words.append(
                f"Annotation files lie in {found.name} too."
                if found.is_dir()
                else f"{found.name} lies there too."
            )
            button, act = "Import annotations", partial(self.look_at, found)
        if len(report.refused) > 1 or len(report.warnings) > 1 and not act:
            button, act = (
                "See why",
                lambda: RefusedDialog(report.refused, report.warnings, self.window).show(),
            )
        elif report.entries and not act:
            button, act = "Take it back", lambda: self.take_back(report)
        self.window.message_bar.say(
            " ".join(words),
            serious=bool(report.refused or report.warnings or report.annotations),
            button=button,
            act=act,
        )

    def take_back(self, report: ImportReport) -> None:
        """Take the whole import back as one edit, which undo brings back."""
        if self.session.attempt(lambda: self._studio.safekeeping.take_back(report.entries)):
            self.window.message_bar.say("The import was taken back.", serious=False)

    # ------------------------------------------------------------------------------------------------------- within

    def _import_photos(self, paths: Sequence[Path]) -> None:
        if paths and self.ensure_project(paths):
            self.session.start(lambda: self._studio.import_photos(list(paths)))

    def _read_again(self) -> None:
        self.window.photos_panel.model.forget_unreadable()
        self.window.annotate_page.read_again()

    def ensure_project(self, paths: Sequence[Path]) -> bool:
        """Make a project for what is opened without one, named after its folder."""
        if self._studio.is_open:
            return True
        first = paths[0]
        stem = (first if first.is_dir() else first.parent).name or "Photos"
        home = settings.home_folder() / "projects"
        folder, number = home / f"{stem}.limb", 2
        while folder.exists():
            folder, number = home / f"{stem} {number}.limb", number + 1
        try:
            home.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            self.window.message_bar.say(
                f"A project could not be made in {home}: {error.strerror}.",
                f"Make one yourself: {self.window.actions_table.how('new_project')}.",
            )
            return False
        made = self.window.create_project(folder)
        self._made = folder if made else None
        return made

    def _on_job_ended(self, view: JobView) -> None:
        if view.state in (JobState.FAILED, JobState.CANCELLED):
            self._withdraw()

    def _withdraw(self) -> None:
        """Leave nothing behind of a project that was made for what could not be taken in."""
        folder, studio = self._made, self._studio
        if folder is None or not studio.is_open or studio.folder != folder or studio.photos:
            self._made = None
            return
        # What was pasted lies in the project, and nowhere else.
        if any(not job.state.has_ended for job in studio.jobs) or any(folder.glob("photos/*")):
            return
        self._made = None
        if self.session.attempt(lambda: self.window.withdraw_project(folder)):
            shutil.rmtree(folder, ignore_errors=True)
            self.window.show_recent()
