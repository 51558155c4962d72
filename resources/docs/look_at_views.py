"""Bring the window into every view and panel state and take its picture, to be looked at beside the design.

    resources/setup/on-screen.sh .venv/bin/python resources/docs/look_at_views.py FOLDER --size 1366x768 --theme light

Pictures hold the window and whatever dialogs and menus it has open. The device ratio is Qt's own: set
QT_SCALE_FACTOR=1.5. The screen must have room for the window.
"""

import argparse
import dataclasses
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

from PySide6.QtCore import QPoint, QSettings, Qt
from PySide6.QtGui import QPainter, QPixmap
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QWidget

from limbstudio.domain import edits
from limbstudio.domain.anatomy import LDPOSE_INDEX, KeypointState, Level, Limb
from limbstudio.domain.errors import KnownError
from limbstudio.domain.geometry import Box
from limbstudio.services.importing import Preflight
from limbstudio.services.samples import sample_project
from limbstudio.services.studio import Studio
from limbstudio.ui.app import make_application
from limbstudio.ui.bridge import Bridge
from limbstudio.ui.help.feature import Help
from limbstudio.ui.language import speak
from limbstudio.ui.limb.measuring import Measuring
from limbstudio.ui.living.comparing import Comparing
from limbstudio.ui.main_window import MainWindow
from limbstudio.ui.messages import RefusedDialog, ReportDialog
from limbstudio.ui.preflight_dialog import PreflightDialog
from limbstudio.ui.privacy.feature import Privacy
from limbstudio.ui.resizing import Resizing
from limbstudio.ui.theme import DARK, apply_theme

_F = TypeVar("_F")
_SETTLE_MS = 350
_WRONG = KnownError(
    "The disk is full, the last edit is waiting.", "Free 40 MB or choose another folder for the project."
)


class Stage:
    """The window on the sample project, and the ways to its states."""

    def __init__(self, folder: Path, size: tuple[int, int]) -> None:
        self.folder = folder
        apply_theme(make_application(), DARK)
        bridge = Bridge()
        self.studio = Studio(who="R. Okafor", deliver=bridge.deliver)
        memory = QSettings(str(folder / "window.ini"), QSettings.Format.IniFormat)
        memory.setValue("tour_seen", True)
        memory.setValue("recent", [str(folder / "gone.limb")])
        self.window = MainWindow(self.studio, bridge, DARK, memory=memory)
        self.window.resize(*size)
        self.window.show()
        QTest.qWaitForWindowExposed(self.window)
        self.window.activateWindow()
        self.window.load_3d()
        self._let_go = threading.Event()
        self.follower: MainWindow | None = None
        self._kept: list[Bridge] = []  # threads of windows that were closed still answer to them

    # -------------------------------------------------------------------------------------------------------- means

    def follow(self) -> MainWindow:
        """Open the project in a second window, which can only read it."""
        bridge = Bridge()
        self._kept.append(bridge)
        studio = Studio(who="M. Adeyemi", deliver=bridge.deliver)
        memory = QSettings(str(self.folder / "second.ini"), QSettings.Format.IniFormat)
        memory.setValue("tour_seen", True)
        memory.setValue("theme", self.window.memory.value("theme"))
        made = self.follower = MainWindow(studio, bridge, self.window.theme, memory=memory)
        made.resize(self.window.size())
        made.show()
        QTest.qWaitForWindowExposed(made)
        made.load_3d()
        assert self.studio.folder is not None
        made.open_folder(self.studio.folder)
        self.wait(lambda: made.annotate_page.view.has_photo, "the photo of the second window")
        self.wait(lambda: made.annotate_page.mesh_view.has_body, "the body of the second window")
        return made

    def follow_limb(self) -> None:
        made = self.follow()
        made.actions_table["residual_limb"].trigger()
        page = made.mesh_page
        self.wait(lambda: page.shows_limb and page.work.facts is not None, "the limb of the second window")
        QTest.qWait(800)

    def follow_and_edit(self) -> None:
        made = self.follow()
        made.message_bar.hide()
        made.actions_table["new_person"].trigger()

    def follow_and_look_back(self) -> None:
        made = self.follow()
        made.message_bar.hide()
        made.actions_table["history"].trigger()

    def wait(self, is_so: Callable[[], object], what: str, seconds: float = 40.0) -> None:
        end = time.monotonic() + seconds
        while not is_so():
            if time.monotonic() > end:
                raise SystemExit(f"Waited in vain: {what}.")
            QTest.qWait(20)
        QTest.qWait(_SETTLE_MS)

    def do(self, *action_ids: str) -> None:
        for action_id in action_ids:
            self.window.actions_table[action_id].trigger()
        QTest.qWait(_SETTLE_MS)

    def on(self, action_id: str, wanted: bool = True) -> None:
        if self.window.actions_table[action_id].isChecked() is not wanted:
            self.do(action_id)

    def feature(self, kind: type[_F]) -> _F:
        return next(f for f in self.window.features if isinstance(f, kind))

    def photo(self, name: str) -> None:
        page = self.window.annotate_page
        found = next(p for p in self.studio.photos if Path(p.path).name == name)
        self.window.session.select_photo(found.sha256)
        self.wait(lambda: page.view.has_photo and page.reading.has_ended, name)

    def fit(self) -> None:
        before = self.window.session.fit
        self.do("fit_body")
        self.wait(
            lambda: self.window.session.fit is not None and self.window.session.fit is not before, "a fit"
        )

    def change(self, **values: object) -> None:
        """Change fields of the person in work."""
        person = self.window.session.person
        assert person is not None
        self.window.session.do(edits.change_person(person, dataclasses.replace(person, **values), "Change"))
        QTest.qWait(_SETTLE_MS)

    def edit(self, make: Callable[..., edits.Edit], *values: object) -> None:
        self.window.session.do(make(self.window.session.person, *values))
        QTest.qWait(50)

    def begin(self) -> None:
        """Open the sample project with a person who has been fitted twice, and a photo of nobody yet."""
        self.window.open_folder(sample_project(self.folder / "Sample project.limb"))
        self.wait(lambda: self.window.annotate_page.view.has_photo, "the first photo")
        self.photo("parallel_bars.jpg")
        self.fit()
        self.change(stature_mm=1700.0)
        self.fit()

    # ------------------------------------------------------------------------------------------- states: Annotate

    def several_people(self) -> None:
        self.photo("chair.jpg")
        self.window.annotate_page.new_person()
        self.edit(edits.set_box, Box(40.0, 60.0, 300.0, 760.0))
        for name, at in (("nose", (170, 120)), ("left_shoulder", (230, 220)), ("right_shoulder", (110, 220))):
            self.edit(edits.place_point, LDPOSE_INDEX[name], *map(float, at))
        self.do("select")

    def guided(self) -> None:
        self.photo("two_limbs.jpg")
        self.window.annotate_page.new_person()
        page = self.window.annotate_page
        self.edit(edits.set_limb_level, Limb.RIGHT_LEG, Level.TRANSTIBIAL)
        self.on("guided", False)
        self.on("guided")
        for x, y in ((380.0, 830.0), (400.0, 160.0)):
            at = page.view.on_screen(x, y).toPoint()
            QTest.mouseClick(page.view.viewport(), Qt.MouseButton.LeftButton, pos=at)
            QTest.qWait(80)
        QTest.mouseMove(page.view.viewport(), page.view.on_screen(420.0, 150.0).toPoint())
        QTest.qWait(_SETTLE_MS)

    def states_of_points(self) -> None:
        self.photo("park_walk.jpg")
        for name, state in (
            ("left_hip", KeypointState.UNSURE),
            ("left_ear", KeypointState.OCCLUDED),
            ("left_wrist", KeypointState.OUT_OF_FRAME),
            ("left_ankle", KeypointState.PROSTHESIS),
        ):
            self.edit(edits.set_point_state, LDPOSE_INDEX[name], state)
        self.do("select")
        self.on("names")
        self.window.session.select_point(LDPOSE_INDEX["left_hip"])

    def contradiction(self) -> None:
        self.photo("park_intact.jpg")
        self.edit(edits.set_limb_level, Limb.LEFT_LEG, Level.TRANSFEMORAL)
        self.edit(edits.place_point, LDPOSE_INDEX["left_ankle"], 330.0, 880.0)
        self.do("select")

    def candidates(self) -> None:
        self.photo("parallel_bars.jpg")
        self.do("candidates")
        self.wait(self.feature(Comparing).card.table.topLevelItemCount, "the list of fits")

    def resizing(self, steps: int) -> Callable[[], None]:
        """Show the mode that resizes, at the edge or frame that lies so many steps back."""

        def show() -> None:
            self.photo("parallel_bars.jpg")
            self.do("resize_panels")
            for _ in range(steps):
                QTest.keyClick(self.feature(Resizing).grip, Qt.Key.Key_Backtab)

        return show

    def error(self) -> None:
        self.window.message_bar.say(_WRONG.message, _WRONG.hint, button="Retry", act=lambda: None)

    def jobs(self) -> None:
        def work(context: object) -> None:
            context.report(0.4, "Fitting the body, person 1 of 3")  # type: ignore[attr-defined]
            self._let_go.wait(60)

        def fail(context: object) -> None:
            raise KnownError("The drive with the photos is away.", "Connect it and try again.")

        self._let_go.clear()
        self.studio.run(fail, title="Collect photos into the project")
        self.studio.run(work, title="Fit the people of 3 photos")
        self.on("jobs")
        QTest.qWait(1500)

    def preflight(self) -> None:
        refused = tuple(
            (f"IMG_{n:04d}.jpg", KnownError("Its photo was not found.", "Say where the photos lie."))
            for n in range(131, 137)
        )
        looked_at = Preflight(
            path=Path("annotations of the summer.json"),
            folder=Path(),
            new_photos=12,
            known_photos=3,
            new_people=14,
            same_people=2,
            conflicts=(("one", "1"), ("two", "2")),
            absent=6,
            refused=refused,
            warnings=("2 categories are not people and were left out.",),
        )
        PreflightDialog(looked_at, lambda _choice: None, self.window, elsewhere=lambda: None).show()

    def refused(self) -> None:
        errors = [(f"IMG_{n}.jpg", KnownError("It is no picture.", "Open it elsewhere.")) for n in range(9)]
        RefusedDialog(errors, ("One more thing to know.",), self.window).show()

    def report(self) -> None:
        ReportDialog("Traceback\n  line 1\nValueError: wrong", self.window.theme, self.window).show()

    def menu(self, name: str) -> Callable[[], None]:
        def show() -> None:
            menu = self.window.actions_table.menu(name)
            menu.popup(self.window.mapToGlobal(QPoint(80, 40)))

        return show

    def level_menu(self) -> None:
        self.window.person_panel.levels[Limb.RIGHT_LEG].showPopup()

    # -------------------------------------------------------------------------------------------- states: the limb

    def limb(self) -> None:
        self.photo("parallel_bars.jpg")
        page = self.window.mesh_page
        self.do("residual_limb")
        self.wait(lambda: page.shows_limb and page.work.is_current and page.work.facts is not None, "limb")
        QTest.qWait(800)

    def limb_tool(self, action_id: str) -> Callable[[], None]:
        def choose() -> None:
            self.limb()
            self.on(action_id)
            stage = self.window.mesh_page.view.stage
            QTest.mouseMove(stage, stage.rect().center() + QPoint(0, 40))
            QTest.qWait(500)

        return choose

    def tape_laid(self) -> None:
        self.limb_tool("tape")()
        stage = self.window.mesh_page.view.stage
        for shift in (QPoint(-18, -60), QPoint(10, 80)):
            QTest.mouseClick(stage, Qt.MouseButton.LeftButton, pos=stage.rect().center() + shift)
            QTest.qWait(200)

    def corrected(self) -> None:
        self.limb_tool("brush_pull")()
        stage = self.window.mesh_page.view.stage
        at = stage.rect().center()
        QTest.mousePress(stage, Qt.MouseButton.LeftButton, pos=at)
        for n in range(6):
            QTest.mouseMove(stage, at + QPoint(0, 5 * n))
            QTest.qWait(40)
        QTest.mouseRelease(stage, Qt.MouseButton.LeftButton, pos=at + QPoint(0, 25))
        QTest.qWait(2500)

    def limb_without_fit(self) -> None:
        self.photo("bench.jpg")
        self.do("residual_limb")

    def limb_with(self, *actions: str) -> Callable[[], None]:
        def show() -> None:
            self.limb()
            self.do(*actions)
            QTest.qWait(1500)

        return show

    def coloured(self, action_id: str) -> Callable[[], None]:
        def show() -> None:
            self.limb()
            self.do(action_id)
            self.wait(lambda: self.feature(Measuring).amounts is not None, action_id)

        return show

    # ------------------------------------------------------------------------------------------------------- all

    def plain(self) -> None:
        """Leave whatever the last state left open."""
        self.follower = None
        for widget in QApplication.topLevelWidgets():
            if widget is not self.window and widget.isVisible():
                widget.close()
        window = self.window
        self._let_go.set()
        self.feature(Privacy).cover_sheet.uncover()
        help_ = self.feature(Help)
        help_.card.hide()
        if help_.tour.at is not None:
            help_.tour.leave()
        self.feature(Resizing).end()
        window.palette_card.hide()
        window.message_bar.hide()
        window.bottom_dock.hide_part()
        if not self.studio.is_open:
            return
        window.mesh_page.toolbox.leave()
        self.feature(Comparing).end()
        for action_id in (
            "masks", "tones", "reshape", "names", "section_card", "solo_limb", "t_pose", "compare_difference",
            "hide_names", "blur_faces", "photo_table", "large_body", "minimap", "solo", "guided", "large_targets",
            "history", "jobs",
        ):  # fmt: skip
            self.on(action_id, False)
        self.on("colours_plain")
        centre = window.centralWidget()
        for card in centre.findChildren(QWidget) if centre is not None else ():
            if type(card).__name__ in ("OptionsCard", "PickCard", "NumberMenu"):
                card.hide()
        self.do("annotate", "select")
        QApplication.processEvents()

    def states(self) -> Iterator[tuple[str, Callable[[], None]]]:
        """Yield the names of the states with the ways into them, from the plain window on."""
        first = lambda: self.photo("parallel_bars.jpg")  # noqa: E731

        def first_with(*actions: str) -> Callable[[], None]:
            return lambda: (first(), self.do(*actions))[0]

        yield "annotate", first
        yield "several people", self.several_people
        yield "guided", self.guided
        yield "states", self.states_of_points
        yield "contradiction", self.contradiction
        yield "error", lambda: (first(), self.error())[0]
        yield "masks", first_with("mask_brush")
        yield "candidates", self.candidates
        yield "follower", lambda: (first(), self.follow())[0]
        yield "follower limb", lambda: (first(), self.follow_limb())[0]
        yield "follower edits", lambda: (first(), self.follow_and_edit())[0]
        yield "follower history", lambda: (first(), self.follow_and_look_back())[0]
        yield "resize panel", self.resizing(0)
        yield "resize inset", self.resizing(1)
        yield "fit options", first_with("fit_options")
        yield "large body", first_with("large_body")
        yield "tones", first_with("tones")
        yield "reshape", first_with("select_all", "reshape")
        yield "pick point", first_with("pick_point")
        yield "ring of states", first_with("select_all", "state_ring")
        yield (
            "point note",
            lambda: (first(), self.window.session.select_point(9), self.do("point_details"))[0],
        )
        yield "jobs", self.jobs
        yield "history", first_with("history")
        yield "moments", first_with("show_backups")
        yield "palette", first_with("palette")
        yield "shortcuts", first_with("edit_shortcuts")
        yield "switch settings", first_with("switch_settings")
        yield "keys", first_with("keys")
        yield "number menu", first_with("number_menu")
        yield "tool card", first_with("mask_brush", "tool_card")
        yield "definition", lambda: (first(), self.window.session.select_point(16), self.do("definition"))[0]
        yield "tour", first_with("tour")
        yield "preflight", self.preflight
        yield "refused", self.refused
        yield "report", self.report
        yield "cover", first_with("cover")
        yield "hidden", first_with("hide_names", "blur_faces", "history")
        yield "table", first_with("photo_table")
        yield "large targets", first_with("large_targets")
        yield "menu file", self.menu("File")
        yield "menu person", self.menu("Person")
        yield "level menu", lambda: (first(), self.level_menu())[0]
        yield "limb", self.limb
        yield "limb unfitted", self.limb_without_fit
        yield "girth ring", self.limb_tool("girth_ring")
        yield "tape", self.tape_laid
        yield "section", self.limb_with("section_card")
        for tool in ("limb_end", "cut_plane", "tip_shape", "brush_smooth", "mirror_other", "reset_here"):
            yield tool.replace("_", " "), self.limb_tool(tool)
        yield "corrected", self.corrected
        yield "colours residual", self.coloured("colours_residual")
        yield "colours edited", self.coloured("colours_edited")
        yield "colours doubt", self.limb_with("colours_doubt")
        yield "without linked views", self.limb_with("linked_views")
        yield "linked views", self.limb_with("linked_views")
        yield "compare", self.limb_with("compare_cycle")
        yield "difference", self.limb_with("compare_difference")
        yield "t-pose", self.limb_with("t_pose")

    def picture(self) -> QPixmap:
        """Return the window, or the second one where there is one, with the dialogs and menus that stand over it."""
        window = self.follower or self.window
        made = window.grab()
        origin = window.mapToGlobal(QPoint(0, 0))
        painter = QPainter(made)
        for widget in QApplication.topLevelWidgets():
            if widget.isVisible() and widget not in (window, self.window):
                painter.drawPixmap(widget.mapToGlobal(QPoint(0, 0)) - origin, widget.grab())
        painter.end()
        return made


def main() -> None:
    asked = argparse.ArgumentParser(description="Take pictures of every view and panel state.")
    asked.add_argument("folder", type=Path)
    asked.add_argument("--size", action="append", help="WIDTHxHEIGHT; may be given several times")
    asked.add_argument("--theme", action="append", choices=("dark", "light", "high_contrast"))
    asked.add_argument("--language", choices=("en", "de"), default="en")
    asked.add_argument("--only", help="names of states, with commas between")
    given = asked.parse_args()
    sizes = [tuple(int(part) for part in size.split("x")) for size in given.size or ["1440x900"]]
    given.folder.mkdir(parents=True, exist_ok=True)
    make_application()
    speak(given.language)
    wanted = set(given.only.split(",")) if given.only else None
    with tempfile.TemporaryDirectory() as work:
        stage = Stage(Path(work), sizes[0])  # type: ignore[arg-type]

        def take(name: str, place: str) -> None:
            QTest.qWait(_SETTLE_MS)
            stage.picture().save(str(given.folder / f"{place} {name}.png".replace(" ", "-")))

        start = []
        for size in sizes:
            for theme in given.theme or ["dark", "light"]:
                start.append((size, theme, f"{given.language} {size[0]} {theme}"))
        for size, theme, place in start:
            stage.window.resize(*size)
            stage.do(f"theme_{theme}")
            if wanted is None or "start" in wanted:
                take("start", place)
        stage.window.create_project(stage.folder / "Gait clinic.limb")
        for size, theme, place in start:
            stage.window.resize(*size)
            stage.do(f"theme_{theme}")
            if wanted is None or "empty" in wanted:
                take("empty", place)
        stage.window.close_project()
        stage.begin()
        for size, theme, place in start:
            stage.window.resize(*size)
            stage.do(f"theme_{theme}")
            for name, show in stage.states():
                if wanted is None or name in wanted:
                    stage.plain()
                    show()
                    take(name, place)
        stage.plain()
        stage.window.close()


if __name__ == "__main__":
    main()
