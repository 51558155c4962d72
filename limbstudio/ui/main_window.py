"""The window: its pages, panels and features, and what the actions of the whole window do."""

from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import QByteArray, QObject, QSettings, QSize, Qt, QUrl
from PySide6.QtGui import (
    QCloseEvent,
    QDragEnterEvent,
    QDragLeaveEvent,
    QDropEvent,
    QPixmapCache,
    QResizeEvent,
)
from PySide6.QtWidgets import (
    QMainWindow,
    QPushButton,
    QSplitter,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

import limbstudio
from limbstudio.domain.edits import person_contradictions
from limbstudio.domain.errors import KnownError
from limbstudio.services import machine
from limbstudio.services.samples import sample_project
from limbstudio.services.studio import Studio
from limbstudio.ui.actions import Actions, Owner, Where
from limbstudio.ui.annotate.photo_reading import load_readers
from limbstudio.ui.annotate_page import AnnotatePage
from limbstudio.ui.background.outcomes import Outcomes
from limbstudio.ui.background.waiting import is_waiting, without_freezing
from limbstudio.ui.bottom_dock import BottomDock
from limbstudio.ui.bridge import Bridge
from limbstudio.ui.dialogs import Dialogs
from limbstudio.ui.features import Feature, feature_classes
from limbstudio.ui.importing_feature import Importing
from limbstudio.ui.mesh_page import MeshPage
from limbstudio.ui.mesh_view import load_pyvista
from limbstudio.ui.messages import MessageBar, ReportDialog, report_of, show_quietly
from limbstudio.ui.palette import Palette
from limbstudio.ui.panels.person import PersonPanel
from limbstudio.ui.panels.photos import PhotosPanel
from limbstudio.ui.panels.residual import ResidualLimbPanel
from limbstudio.ui.panels.status import StatusBar
from limbstudio.ui.privacy import names
from limbstudio.ui.recent_menu import RecentMenu
from limbstudio.ui.session import Session
from limbstudio.ui.start_page import StartPage
from limbstudio.ui.theme import Theme
from limbstudio.ui.top_bar import TopBar, program_icon
from limbstudio.ui.words import tr

_LEFT, _RIGHT, _LIMB_RIGHT = 248, 316, 360
_NARROW = 1280
# In a window less wide than the first number the side panels of Annotate are so wide, px.
_WIDTHS = ((_NARROW, 84, 288), (1400, 212, 288), (1_000_000, _LEFT, _RIGHT))
_RECENT = 5


class MainWindow(QMainWindow):
    """One window on one project."""

    def __init__(
        self,
        studio: Studio,
        bridge: Bridge,
        theme: Theme,
        *,
        memory: QSettings,
        dialogs: Dialogs | None = None,
    ) -> None:
        super().__init__()
        self.studio = studio
        self._bridge = bridge
        self._theme = theme
        self._memory = memory
        self.dialogs = dialogs or Dialogs(self)
        self._closing = False
        self._says_wait = False
        self._side_widths = _WIDTHS[-1][1:]
        self.setWindowTitle("LimbStudio")
        self.setWindowIcon(program_icon())
        self.setMinimumSize(1024, 640)

        self.setAcceptDrops(True)
        self.session = Session(studio, bridge, self)
        self.actions_table = Actions(self, theme)
        self._outcomes = Outcomes(self)
        self._make_pages()
        self._lay_out()
        self._make_features()
        self._connect()
        self.resize(_fitting_size(self))
        self._restore()
        if studio.is_open:
            self.session.begin()
        else:
            self._on_closed()

    def _make_pages(self) -> None:
        """Make the bars, the pages and the panels beside them."""
        actions, theme = self.actions_table, self._theme
        self._top = TopBar(actions, theme, self.show_palette)
        self.message_bar = MessageBar(theme)
        self.start_page = StartPage(actions, theme, self.open_folder)
        self.annotate_page = AnnotatePage(self.session, actions, theme, self._on_asked)
        self.photos_panel = PhotosPanel(self.session, theme, actions["open_photos"])
        self.person_panel = PersonPanel(self.session, actions, theme)
        self.mesh_page = MeshPage(self.session, actions, theme)
        self.limb_panel = ResidualLimbPanel(self.session, actions, theme)
        for action in actions.of(Where.CANVAS):
            # Letters go on acting after a point or a level was chosen in the panel.
            # As few widgets as can be: each is told whenever an action can be run or no longer.
            for widget in (self.person_panel.tree, self.person_panel.limbs):
                widget.addAction(action)

        self._annotate = self._columns(
            (self.photos_panel, _LEFT), (self.annotate_page, 0), (self.person_panel, _RIGHT)
        )
        self._residual = self._columns((self.mesh_page, 0), (self.limb_panel, _LIMB_RIGHT))
        self._pages = QStackedWidget()
        for page in (self.start_page, self._annotate, self._residual):
            self._pages.addWidget(page)

    def _lay_out(self) -> None:
        """Put the parts of the window one below the other."""
        actions, theme = self.actions_table, self._theme
        central = QWidget()
        self.setCentralWidget(central)
        self.status = StatusBar(self.session, theme, actions["jobs"].trigger)
        self.mesh_page.options.hint_overflows.connect(self.status.show_hint)
        self.palette_card = Palette(actions, theme, central)
        column = QVBoxLayout(central)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self._top)
        column.addWidget(self.message_bar)
        column.addWidget(self._pages, 1)
        self.bottom_dock = BottomDock(theme)
        column.addWidget(self.bottom_dock)
        column.addWidget(self.status)

    def _make_features(self) -> None:
        """Make the features and connect the actions to whoever owns them."""
        actions = self.actions_table
        for action in actions.of(Where.WINDOW):
            self.addAction(action)
        self.importing = Importing(self)
        self.features: list[Feature] = [self.importing]
        for make in feature_classes():
            self.features.append(make(self))  # one by one: a feature may ask for what was made before it
        for owner, target in self.owners.items():
            actions.connect_owner(owner, target)
        RecentMenu(self, actions["close_project"])
        for name in ("left_panel", "right_panel"):
            actions[name].setChecked(True)

    def _connect(self) -> None:
        """Follow what happens on the canvas, in the session and in the background."""
        view = self.annotate_page.view
        view.pointer_at.connect(self.status.show_pointer)
        view.zoomed.connect(self.status.show_zoom)
        session = self.session
        session.said.connect(self._on_said)
        session.opened.connect(self._on_opened)
        session.closed.connect(self._on_closed)
        for signal in (
            session.photo_selected,
            session.person_selected,
            session.photos_changed,
            session.fit_changed,
        ):
            signal.connect(self.show_available)
        session.people_changed.connect(lambda _entry: self.show_available())
        session.point_selected.connect(lambda _index: self.show_available())
        session.job_started.connect(lambda _job: self.show_available())
        self.status.job_ended.connect(self._outcomes.tell)

    @property
    def owners(self) -> dict[Owner, QObject]:
        """Return whose methods the actions are."""
        pages: dict[Owner, QObject] = {
            Owner.WINDOW: self,
            Owner.ANNOTATE: self.annotate_page,
            Owner.GUIDE: self.annotate_page.guiding,
            Owner.POINTS: self.annotate_page.point_edits,
            Owner.LIMB: self.mesh_page,
        }
        return pages | {feature.owner: feature for feature in self.features}

    def _columns(self, *parts: tuple[QWidget, int]) -> QSplitter:
        """Put widgets side by side; a width of 0 takes the rest."""
        splitter = QSplitter(Qt.Orientation.Horizontal)
        splitter.setHandleWidth(1)
        splitter.setChildrenCollapsible(False)
        for n, (widget, width) in enumerate(parts):
            splitter.addWidget(widget)
            splitter.setStretchFactor(n, 0 if width else 1)
            if width:
                widget.setMinimumWidth(min(width, 200))
                widget.setMaximumWidth(width + 160)
        splitter.setSizes([width or 900 for _, width in parts])
        return splitter

    # --------------------------------------------------------------------------------------------- opening, closing

    def load_3d(self) -> None:
        """Load what photos are read with, then pyvista, in a thread, after the first paint; the 3D views show bodies
        from then on.
        """

        def load() -> None:
            load_readers()
            load_pyvista()

        def loaded(_: object) -> None:
            self.annotate_page.allow_meshes()
            self.mesh_page.allow_meshes()

        def failed(error: BaseException) -> None:
            if not isinstance(error, (ImportError, OSError)):
                raise error
            self.message_bar.say(f"3D views cannot be shown: {error}.", "Run “limbstudio doctor” to see why.")

        self._bridge.load(load, loaded, failed)

    def open_folder(self, folder: Path) -> None:
        """Open a project, closing the one that is open."""

        def switch() -> bool:
            self._close_open_project()
            without_freezing(lambda: self.studio.open(folder), lambda: self._say_wait("Opening the project"))
            return True

        if self.session.attempt(switch):
            self._remember(folder)

    def _close_open_project(self) -> None:
        """Save and close what is open; KnownError, and still open, when that cannot be done."""
        if self.studio.is_open:
            without_freezing(self.studio.finish_saving, lambda: self._say_wait("Saving the last edits"))
            self.studio.close()

    def _say_wait(self, what: str) -> None:
        self.message_bar.say(f"{tr(what)} ...", "The disk is slow.", serious=False)
        self._says_wait = True

    def _end_wait(self) -> None:
        """Take away what was said of waiting: it is over."""
        if self._says_wait:
            self._says_wait = False
            self.message_bar.hide()

    def new_project(self) -> None:
        folder = self.dialogs.new_project()
        if folder is not None:
            self.create_project(folder)

    def create_project(self, folder: Path) -> bool:
        """Make a project and open it; returns whether that was done."""

        def make() -> bool:
            self._close_open_project()
            without_freezing(lambda: self.studio.create(folder), lambda: self._say_wait("Making the project"))
            return True

        made = bool(self.session.attempt(make))
        if made and self.studio.folder is not None:
            self._remember(self.studio.folder)
        return made

    def withdraw_project(self, folder: Path) -> bool:
        """Close the open project, which is going to be deleted, and forget that it was ever open."""
        self._close_open_project()
        self._memory.setValue("recent", [str(f) for f in self.recent() if f != folder])
        return True

    def open_project(self) -> None:
        folder = self.dialogs.project()
        if folder is not None:
            self.open_folder(folder)

    def open_sample(self) -> None:
        folder = self.session.attempt(sample_project)
        if folder is not None:
            self.open_folder(folder)

    def close_project(self) -> None:
        self.session.attempt(self._close_open_project)

    def export_coco(self) -> None:
        path = self.dialogs.coco_file()
        if path is not None:
            self.session.start(lambda: self.studio.export_annotations(path))

    def export_meshes(self) -> None:
        folder = self.dialogs.folder()
        if folder is not None:
            self.session.start(lambda: self.studio.export_reconstructions(folder))

    def closeEvent(self, event: QCloseEvent) -> None:
        if is_waiting():
            event.ignore()
            return
        if not self._closing:
            try:
                self._close_open_project()
            except KnownError as error:
                if not self.dialogs.may_lose(error.message, error.hint):
                    event.ignore()
                    return
                without_freezing(self.studio.abandon)
            without_freezing(self.studio.quit, lambda: self._say_wait("Ending the background work"))
            self._closing = True
            self._memory.setValue("geometry", self.saveGeometry())
            for feature in self.features:
                feature.close()
            self.session.close()
            self._bridge.close()
            self.annotate_page.close_views()
            self.mesh_page.close_views()
            QPixmapCache.clear()  # what was drawn for this window is of no use to the next
            machine.give_back_memory()
        super().closeEvent(event)

    def _on_opened(self) -> None:
        self._end_wait()
        self.show_title()
        self._show_perspective(self._annotate)
        if self.studio.read_only_reason:
            self._on_said(self.studio.read_only_reason, "", True)
        self.show_available()

    def _on_said(self, message: str, hint: str, stays: bool) -> None:
        """Show a message; one that says another window has the project offers to take it over."""
        if message == self.studio.read_only_reason and self.studio.can_take_over:
            self.message_bar.say(message, hint, button="Take over", act=self.take_over)
        else:
            self.message_bar.say(message, hint, serious=stays)

    def take_over(self) -> None:
        """Become the writer of the project that another window has open; that window turns read-only."""
        folder, photo = self.studio.folder, self.session.photo
        if folder is None:
            return

        def take() -> bool:
            try:
                self._close_open_project()
            except KnownError as error:  # an edit came after the other window took over: nowhere to save it
                if not self.dialogs.may_lose(error.message, error.hint):
                    return False
                without_freezing(self.studio.abandon)
            without_freezing(lambda: self.studio.open(folder, take_over=True))
            return True

        if self.session.attempt(take) and not self.studio.read_only_reason:
            if photo is not None:
                self.session.select_photo(photo.sha256)
            self.message_bar.say("The project can be edited here now.", serious=False)

    def _on_closed(self) -> None:
        self._end_wait()
        self.show_title()
        self.show_recent()
        self._show_perspective(self.start_page)
        self.show_available()
        self.start_page.setFocus()

    def show_title(self) -> None:
        """Name the project in the window's title."""
        folder = self.studio.folder if self.studio.is_open else None
        self.setWindowTitle(
            f"{names.project_name(folder)} – LimbStudio" if folder is not None else "LimbStudio"
        )

    # --------------------------------------------------------------------------------------------------- the actions

    def undo(self) -> None:
        self.session.undo()

    def redo(self) -> None:
        self.session.redo()

    def show_palette(self) -> None:
        self.palette_card.open()

    def show_annotate(self, checked: bool = True) -> None:
        self._show_perspective(self._annotate if self.studio.is_open else self.start_page)
        self.annotate_page.view.setFocus()

    def show_residual_limb(self, checked: bool = True) -> None:
        self._show_perspective(self._residual if self.studio.is_open else self.start_page)
        self.mesh_page.view.setFocus()

    def _show_perspective(self, page: QWidget) -> None:
        self._pages.setCurrentWidget(page)
        self.actions_table["annotate"].setChecked(page is not self._residual)
        self.actions_table["residual_limb"].setChecked(page is self._residual)
        self.status.set_in_3d(page is self._residual)
        if page is self._annotate:
            self.annotate_page.view.setFocus()

    def set_left_panel(self, visible: bool) -> None:
        self.photos_panel.setVisible(visible)

    def set_right_panel(self, visible: bool) -> None:
        self.person_panel.setVisible(visible)
        self.limb_panel.setVisible(visible)

    def set_full_screen(self, full: bool) -> None:
        if full:
            self.showFullScreen()
        else:
            self.showNormal()

    def show_theme(self, theme: Theme) -> None:
        """Draw everything that the style sheet does not reach in the colours of `theme`."""
        self._theme = theme
        self.actions_table.set_theme(self._theme)
        for part in (
            self._top,
            self.message_bar,
            self.start_page,
            self.annotate_page,
            self.photos_panel,
            self.person_panel,
            self.mesh_page,
            self.limb_panel,
            self.status,
            self.bottom_dock,
            self.palette_card,
            *self.features,
        ):
            part.set_theme(self._theme)

    def show_keys(self) -> None:
        from limbstudio.ui.key_sheet import KeySheet  # here: seldom needed, and it builds every row

        KeySheet(self.actions_table, self).show()

    def show_about(self) -> None:
        self.message_bar.say(
            f"LimbStudio {limbstudio.__version__}.", "Everything runs on this computer.", serious=False
        )

    def show_report(self, error: BaseException) -> None:
        """Show our own mistake; the program goes on."""
        show_quietly(ReportDialog(report_of(error), self._theme, self))

    # ------------------------------------------------------------------------------------------------- what happens

    def _on_asked(self, index: int | None) -> None:
        # The first call comes while the pages are being built.
        if hasattr(self, "person_panel"):
            self.person_panel.set_asked(index)
            self.show_available()

    def show_available(self) -> None:
        """Enable what can be done now, and say in the menu what undo would undo."""
        studio, session = self.studio, self.session
        if session.is_unsettled:
            return  # once is enough: the fit's signal comes last
        there = set()
        if studio.is_open:
            there.add("project")
            if studio.photos:
                there.add("photos")
            photo, person = session.photo, session.person
            photo_key = photo.sha256 if photo is not None else None
            if photo is not None:
                there.add("photo")
            if person is not None:
                there.add("person")
                if person_contradictions(person):
                    there.add("contradictions")
                if session.fit is not None:
                    there.update(("fit", "fits"))
            if session.point is not None:
                there.add("point")
            if self.annotate_page.guide.next_point is not None:
                there.add("asked")
            for name, words in (
                ("undo", studio.history.undo_label(photo_key)),
                ("redo", studio.history.redo_label(photo_key)),
            ):
                verb = name.capitalize()
                self.actions_table[name].setText(f"{verb}: {words.lower()}" if words else verb)
        for feature in self.features:
            there |= feature.available()
        self.actions_table.enable(frozenset(there))

    # ------------------------------------------------------------------------------------------------------- drops

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if _local_paths(event.mimeData().urls()):
            event.acceptProposedAction()
            self.start_page.show_drop(True)

    def dragLeaveEvent(self, event: QDragLeaveEvent) -> None:
        self.start_page.show_drop(False)

    def dropEvent(self, event: QDropEvent) -> None:
        self.start_page.show_drop(False)
        event.acceptProposedAction()
        self.open_paths(_local_paths(event.mimeData().urls()))

    def open_paths(self, paths: Sequence[Path]) -> None:
        """Open what was dropped: a project, annotation files, photos and folders of photos."""
        self.importing.open_paths(paths)

    # ------------------------------------------------------------------------------------------------------ memory

    def _restore(self) -> None:
        geometry = self._memory.value("geometry")
        if isinstance(geometry, QByteArray):
            self.restoreGeometry(geometry)

    def recent(self) -> list[Path]:
        """Return the projects that were open before, the last one first."""
        value = self._memory.value("recent", [])
        names = [value] if isinstance(value, str) else value  # QSettings returns a list of one as a string
        return [Path(str(name)) for name in names] if isinstance(names, list) else []

    def show_recent(self) -> None:
        """List the projects that were open before."""
        self.start_page.show_recent(self.recent())

    def _remember(self, folder: Path) -> None:
        recent = [folder, *(f for f in self.recent() if f != folder)][:_RECENT]
        self._memory.setValue("recent", [str(f) for f in recent])

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        narrow = self.width() < _NARROW
        left, right = next((left, right) for below, left, right in _WIDTHS if self.width() < below)
        if (left, right) != self._side_widths:
            self._side_widths = left, right
            self.photos_panel.set_compact(narrow)
            self.photos_panel.setMinimumWidth(min(left, 200))
            self.photos_panel.setMaximumWidth(left if narrow else left + 160)
            self._annotate.setSizes([left, self.width() - left - right, right])
            self._top.set_narrow(narrow)

    @property
    def side_width(self) -> int:
        """Return how wide the list of photos is in a window of this size, px."""
        return self._side_widths[0]

    @property
    def columns(self) -> QSplitter | None:
        """Return the panels and the canvas of the page that is shown; None on the first page."""
        page = self._pages.currentWidget()
        return page if isinstance(page, QSplitter) else None

    @property
    def search_button(self) -> QPushButton:
        """Return the way into the palette."""
        return self._top.search

    @property
    def theme(self) -> Theme:
        return self._theme

    @property
    def memory(self) -> QSettings:
        """Return what the window remembers from start to start."""
        return self._memory


def _fitting_size(window: QWidget) -> QSize:
    """Return the size of a first start: 1440 x 900, or what the screen has room for, title bar included."""
    wanted = QSize(1440, 900)
    screen = window.screen()
    if screen is None:
        return wanted
    frame = QSize(8, 48)  # what window managers put around a window; it is not known before it is shown
    return wanted.boundedTo(screen.availableSize() - frame).expandedTo(window.minimumSize())


def _local_paths(urls: Sequence[QUrl]) -> list[Path]:
    return [Path(url.toLocalFile()) for url in urls if url.isLocalFile()]
