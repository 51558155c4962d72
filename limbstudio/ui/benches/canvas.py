"""How fast the canvas is: a 24-megapixel photo at 2000 x 1300, points dragged, the view moved, its tones changed."""

import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from PySide6.QtCore import QEvent, QPointF, Qt
from PySide6.QtGui import QMouseEvent, QPaintEvent
from PySide6.QtWidgets import QApplication

from limbstudio.domain.anatomy import LDPOSE_INDEX, KeypointState, Level, Limb
from limbstudio.domain.edits import Edit, place_point, set_limb_level, set_point_state
from limbstudio.domain.geometry import Box
from limbstudio.domain.photo import Person
from limbstudio.evaluation.benchmarks import Figures
from limbstudio.rendering.photo_tiles import Adjustment, PhotoPyramid
from limbstudio.ui.app import make_application
from limbstudio.ui.photo_view import PhotoView
from limbstudio.ui.theme import DARK, apply_theme

SIZE = (2000, 1300)
_PHOTO = (6000, 4000)
_LEFT = Qt.MouseButton.LeftButton
# A standing person, in thousandths of the photo's height from its middle.
_PLACES = {
    "nose": (0, -380), "left_eye": (12, -390), "right_eye": (-12, -390), "left_ear": (26, -385),
    "right_ear": (-26, -385), "left_shoulder": (80, -280), "right_shoulder": (-80, -280), "left_elbow": (130, -150),
    "right_elbow": (-130, -150), "left_wrist": (150, -20), "right_wrist": (-150, -20), "left_hip": (45, 0),
    "right_hip": (-45, 0), "left_knee": (50, 180), "right_knee": (-50, 180), "left_ankle": (55, 360),
    "below_right_knee_end": (-52, 270),
}  # fmt: skip


@dataclass(frozen=True)
class _Round:
    """What the steps of a round took, ms. cpu: of the thread that paints, which other programs do not lengthen."""

    paint_ms: list[float]
    cpu_ms: list[float]
    wait_ms: list[float]


class _TimedView(PhotoView):
    """A canvas that notes when it was painted."""

    def __init__(self) -> None:
        super().__init__()
        self.paints_ms: list[float] = []
        self.cpu_ms: list[float] = []
        self.ended = 0.0

    def paintEvent(self, event: QPaintEvent) -> None:
        start, cpu = time.perf_counter(), time.thread_time()
        super().paintEvent(event)
        self.ended = time.perf_counter()
        self.paints_ms.append((self.ended - start) * 1000)
        self.cpu_ms.append((time.thread_time() - cpu) * 1000)


def bench_canvas(
    *,
    steps: int = 60,
    rounds: int = 5,
    report: Callable[[float, str], None] = lambda fraction, sentence: None,
) -> Figures:
    """Measure steps of a drag and repaints of the whole view; needs a display.

    Each round does every kind of step `steps` times. Reported are median and p95 over all, and of the quietest round:
    other programs on the computer only ever make it slower.
    """
    apply_theme(make_application(), DARK)
    view = _TimedView()
    view.resize(*SIZE)
    view.show()
    rng = np.random.default_rng(7)
    pixels = rng.integers(0, 255, (_PHOTO[1] // 8, _PHOTO[0] // 8, 3), np.uint8).repeat(8, 0).repeat(8, 1)
    start = time.perf_counter()
    photo = PhotoPyramid(pixels).prepare()
    prepared_ms = (time.perf_counter() - start) * 1000
    start = time.perf_counter()
    view.show_photo(photo)
    view.show_people(_person())
    _settle()
    shown_ms = (time.perf_counter() - start) * 1000
    kinds: dict[str, Callable[[_TimedView, int], None]] = {
        "drag": _drag, "pan": _pan, "zoom": _zoom, "gamma": _gamma, "pan_with_gamma": _pan, "turned_zoom": _zoom,
    }  # fmt: skip
    taken: dict[str, list[_Round]] = {name: [] for name in kinds}
    for number in range(rounds):
        for name, step in kinds.items():
            report(number / rounds, f"Canvas: {name.replace('_', ' ')}")
            _prepare(view, name)
            taken[name].append(_measure(view, step, steps))
    values = {name: _figures(found) for name, found in taken.items()}
    view.close()
    view.deleteLater()
    size = f"{view.viewport().width()} x {view.viewport().height()}"
    made = {"smaller_copies_made_ms": prepared_ms, "first_picture_ms": shown_ms}
    return Figures(f"Canvas at {size}, photo {_PHOTO[0]} x {_PHOTO[1]}", made | values)


def _person() -> Person:
    def made(edit: Edit) -> Person:
        after = edit.changes[0].after
        assert isinstance(after, Person)
        return after

    person = made(set_limb_level(Person("1", "photo"), Limb.RIGHT_LEG, Level.TRANSTIBIAL))
    for name, (x, y) in _PLACES.items():
        at = (_PHOTO[0] / 2 + x * _PHOTO[1] / 1000, _PHOTO[1] / 2 + y * _PHOTO[1] / 1000)
        person = made(place_point(person, LDPOSE_INDEX[name], *at))
    person = made(set_point_state(person, LDPOSE_INDEX["left_ear"], KeypointState.OCCLUDED))
    return Person(person.id, person.photo, person.keypoints, person.limbs, Box(2300, 300, 1400, 3400))


def _prepare(view: _TimedView, kind: str) -> None:
    """Bring the view into the state in which a kind of step is measured."""
    view.adjust(Adjustment(gamma=1.3) if kind == "pan_with_gamma" else Adjustment())
    view.turn_to(15 if kind == "turned_zoom" else 0)
    view.fit()
    if kind in ("pan", "gamma", "pan_with_gamma"):
        view.zoom_by(2.2)
    if kind == "drag":
        _mouse(view, QEvent.Type.MouseButtonPress, view.points_on_screen()[LDPOSE_INDEX["left_wrist"]])
    _settle()


def _measure(view: _TimedView, step: Callable[[_TimedView, int], None], steps: int) -> _Round:
    """Take the time of every step."""
    found = _Round([], [], [])
    for number in range(steps):
        view.paints_ms.clear()
        view.cpu_ms.clear()
        start = time.perf_counter()
        step(view, number)
        _settle()
        if view.paints_ms:
            found.paint_ms.append(sum(view.paints_ms))
            found.cpu_ms.append(sum(view.cpu_ms))
            found.wait_ms.append((view.ended - start) * 1000)
    if step is _drag:
        _mouse(view, QEvent.Type.MouseButtonRelease, QPointF())
    _settle()
    return found


def _drag(view: _TimedView, number: int) -> None:
    angle = number / 8
    middle = view.on_screen(3600, 1900)
    _mouse(view, QEvent.Type.MouseMove, middle + QPointF(np.cos(angle), np.sin(angle)) * 120)


def _pan(view: _TimedView, number: int) -> None:
    view.pan_by(QPointF(17, 11) if number // 10 % 2 else QPointF(-17, -11))
    view.viewport().update()  # all of it, as after a zoom: scrolled pixels are not counted as painted


def _zoom(view: _TimedView, number: int) -> None:
    view.zoom_by(1.2 if number // 8 % 2 == 0 else 1 / 1.2)


def _gamma(view: _TimedView, number: int) -> None:
    view.adjust(Adjustment(brightness=number % 7, gamma=1 + (number % 20) / 20))


def _mouse(view: _TimedView, kind: QEvent.Type, at: QPointF) -> None:
    pressed = Qt.MouseButton.NoButton if kind is QEvent.Type.MouseButtonRelease else _LEFT
    button = Qt.MouseButton.NoButton if kind is QEvent.Type.MouseMove else _LEFT
    where = view.viewport().mapToGlobal(at)
    event = QMouseEvent(kind, at, where, button, pressed, Qt.KeyboardModifier.NoModifier)
    QApplication.sendEvent(view.viewport(), event)


def _settle() -> None:
    """Let everything be painted. A benchmark has no event loop of its own to wait in."""
    for _ in range(3):
        QApplication.processEvents()


def _figures(found: list[_Round]) -> dict[str, float]:
    def p95(values: list[float]) -> float:
        return float(np.percentile(values, 95))

    paints, waits = [r.paint_ms for r in found], [r.wait_ms for r in found]
    every_paint, every_wait = [ms for r in paints for ms in r], [ms for r in waits for ms in r]
    every_cpu = [ms for r in found for ms in r.cpu_ms]
    return {
        "paint_median_ms": float(np.median(every_paint)),
        "paint_p95_ms": p95(every_paint),
        "paint_p95_quietest_ms": min(map(p95, paints)),
        "paint_cpu_median_ms": float(np.median(every_cpu)),
        "paint_cpu_p95_ms": p95(every_cpu),
        "event_to_paint_end_median_ms": float(np.median(every_wait)),
        "event_to_paint_end_p95_ms": p95(every_wait),
        "event_to_paint_end_p95_quietest_ms": min(map(p95, waits)),
    }
