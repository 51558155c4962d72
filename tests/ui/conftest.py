"""What the window's tests share: a project on disk, the real window on it, and a stand-in for the fit."""

import gc
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from PySide6.QtCore import QSettings

from limbstudio.domain.anatomy import LDPOSE_INDEX
from limbstudio.domain.body import BodyFit, FitMode, LimbFit, ScaleSource
from limbstudio.domain.geometry import Camera
from limbstudio.services import pipeline
from limbstudio.services.studio import Studio
from limbstudio.ui.app import make_application
from limbstudio.ui.benches.closing import close_window, let_go
from limbstudio.ui.bridge import Bridge
from limbstudio.ui.main_window import MainWindow
from limbstudio.ui.theme import DARK, apply_theme

PHOTO_SIZE = (600, 800)
# A person who faces the camera, in pixels of the test photo: LDPose index -> position.
STANDING = {
    "nose": (300, 120),
    "left_eye": (312, 110),
    "right_eye": (288, 110),
    "left_ear": (326, 116),
    "right_ear": (274, 116),
    "left_shoulder": (360, 200),
    "right_shoulder": (240, 200),
    "left_elbow": (390, 300),
    "right_elbow": (210, 300),
    "left_wrist": (400, 390),
    "right_wrist": (200, 390),
    "left_hip": (335, 400),
    "right_hip": (265, 400),
    "left_knee": (340, 540),
    "right_knee": (260, 540),
    "left_ankle": (345, 690),
    "right_ankle": (255, 690),
    "below_right_knee_end": (258, 620),
    "above_right_knee_end": (262, 480),
}
STANDING_INDEX = {LDPOSE_INDEX[name]: xy for name, xy in STANDING.items()}


def plain_photo(seed: int) -> np.ndarray:
    """Return a plain picture, (H, W, 3) uint8: a soft gradient and a lighter figure."""
    width, height = PHOTO_SIZE
    y, x = np.mgrid[0:height, 0:width]
    picture = np.dstack([90 + x * 60 // width, 100 + y * 50 // height, np.full_like(x, 120 + 20 * seed)])
    picture[60:700, 220:380] = (150, 160, 170)
    return picture.astype(np.uint8)


@pytest.fixture(autouse=True, scope="session")
def _what_is_loaded_stays() -> None:
    """Let the search for circles pass over what was there before the first window, so that it is quick."""
    gc.collect()
    gc.freeze()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(
    item: pytest.Item, nextitem: pytest.Item | None
) -> Generator[None, object, object]:
    """Let a test's windows go when nothing holds them any more: no later test hears or pays for them."""
    answer = yield
    is_last_of_file = nextitem is None or nextitem.path != item.path
    if is_last_of_file or "open_window" in getattr(item, "fixturenames", ()):
        let_go()
    return answer


@pytest.fixture
def photo_files(tmp_path: Path) -> list[Path]:
    files = []
    for n in range(2):
        path = tmp_path / f"photo_{n}.png"
        Image.fromarray(plain_photo(n)).save(path)
        files.append(path)
    return files


@pytest.fixture
def project_folder(tmp_path: Path, photo_files: list[Path]) -> Path:
    """Return a project of two photos without people."""
    folder = tmp_path / "test.limb"
    studio = Studio(who="test", run_inline=True)
    studio.create(folder)
    studio.import_photos(photo_files)
    studio.quit()
    return folder


@dataclass
class Answers:
    """Stands in for the dialogs: what a person would choose."""

    photos_answer: list[Path]
    annotations_answer: Path | None = None
    project_answer: Path | None = None
    new_answer: Path | None = None
    coco_answer: Path | None = None
    folder_answer: Path | None = None
    lose_answer: bool = False
    moved_answer: Path | None = None

    def photos(self) -> list[Path]:
        return self.photos_answer

    def annotations(self) -> Path | None:
        return self.annotations_answer

    def moved_photo(self, name: str) -> Path | None:
        return self.moved_answer

    def project(self) -> Path | None:
        return self.project_answer

    def new_project(self) -> Path | None:
        return self.new_answer

    def coco_file(self) -> Path | None:
        return self.coco_answer

    def folder(self) -> Path | None:
        return self.folder_answer

    def may_lose(self, message: str, hint: str) -> bool:
        return self.lose_answer


@pytest.fixture
def answers(photo_files: list[Path]) -> Answers:
    return Answers(photo_files)


@pytest.fixture
def open_window(qtbot, tmp_path: Path, answers: Answers) -> Iterator[Callable[[Path | None], MainWindow]]:
    """Return a function that shows the real window on a project (None: on nothing)."""
    windows: list[MainWindow] = []

    def show(folder: Path | None) -> MainWindow:
        app = make_application()
        apply_theme(app, DARK)
        bridge = Bridge()
        studio = Studio(who="test", run_inline=True, deliver=bridge.deliver)
        if folder is not None:
            studio.open(folder)
        memory = QSettings(str(tmp_path / "window.ini"), QSettings.Format.IniFormat)
        window = MainWindow(studio, bridge, DARK, memory=memory, dialogs=answers)
        windows.append(window)
        qtbot.addWidget(window)
        window.show()
        qtbot.waitExposed(window)
        window.activateWindow()
        qtbot.waitUntil(window.isActiveWindow)  # without it no shortcut counts
        if folder is not None and studio.photos:
            qtbot.waitUntil(lambda: window.annotate_page.view.has_photo)
        return window

    yield show
    for window in windows:
        close_window(window)


@pytest.fixture
def window(open_window, project_folder: Path) -> MainWindow:
    return open_window(project_folder)


@pytest.fixture
def body_fit_stand_in(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the fit be a cuboid in front of the camera whose lower end is the right residual limb."""

    def run_fit(context, work) -> pipeline.FitAnswer:
        context.report(0.5, "Fitting body")
        vertices, faces = _cuboid()
        residual = vertices[:, 1] > 0.3
        camera = Camera(900.0, (PHOTO_SIZE[0] / 2, PHOTO_SIZE[1] / 2), PHOTO_SIZE)
        limb = next((limb for limb, s in work.person.limbs.items() if s.level.value != "intact"), None)
        fitted = () if limb is None else (_limb_fit(limb),)
        fit = BodyFit(
            body_name="stand-in",
            mode=FitMode.JOINT,
            camera=camera,
            orientation=np.array([np.pi, 0.0, 0.0]),
            pose=np.zeros((54, 3)),
            shape=np.zeros(10),
            translation=np.array([0.0, 0.0, 3.0]),
            joints=np.zeros((55, 3)),
            projected_px=np.full((25, 2), np.nan),
            used=np.zeros(25, bool),
            limbs=fitted,
            scale=ScaleSource.PRIOR,
        )
        facts = {
            "mesh": {
                "watertight": True,
                "components": 1,
                "self_intersections": 0,
                "volume_m3": 0.07,
                "vertices": len(vertices),
                "faces": len(faces),
            }
        }
        rest = vertices * [1, -1, -1] + [0, 0, 3.0]
        parts = np.zeros(len(faces), np.int32)
        return pipeline.FitAnswer(fit, vertices, rest, faces, residual, parts, (), facts)

    monkeypatch.setattr(pipeline, "run_fit", run_fit)


def _cuboid() -> tuple[np.ndarray, np.ndarray]:
    """Return a closed tube, 1.2 m high, 3 m in front of the camera: (V, 3) metres, camera frame."""
    around, rings = 24, 25
    angles = np.linspace(0, 2 * np.pi, around, endpoint=False)
    circle = np.column_stack([0.15 * np.cos(angles), np.zeros(around), 0.15 * np.sin(angles)])
    heights = np.linspace(-0.6, 0.6, rings)
    points = np.vstack([circle + [0, h, 3.0] for h in heights] + [[[0, -0.6, 3.0]], [[0, 0.6, 3.0]]])
    faces = []
    for i in range(rings - 1):
        for j in range(around):
            a, b = i * around + j, i * around + (j + 1) % around
            faces += [[a, b, a + around], [b, b + around, a + around]]
    last = (rings - 1) * around
    faces += [[(j + 1) % around, j, len(points) - 2] for j in range(around)]
    faces += [[last + j, last + (j + 1) % around, len(points) - 1] for j in range(around)]
    return points, np.array(faces, np.int32)


def _limb_fit(limb) -> LimbFit:
    return LimbFit(
        limb=limb,
        segment=limb.segments[1],
        factor=0.46,
        anchor="right_ankle",
        upstream="right_knee",
        anchor_position=np.array([0.0, 0.9, 3.0]),
        upstream_position=np.array([0.0, 0.3, 3.0]),
        endpoint=np.array([0.0, 0.6, 3.0]),
        endpoint_px=(301.0, 580.0),
        annotated_px=(300.0, 580.0),
        length_m=0.252,
        factor_interval=(0.41, 0.51),
        length_interval_m=(0.231, 0.273),
        accepted=True,
    )
