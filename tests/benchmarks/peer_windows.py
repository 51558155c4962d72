"""LimbStudio beside labelme and X-AnyLabeling: the same photos, the same keys, watched from outside, in one run.

    python tests/benchmarks/peer_windows.py --photos 60 --rounds 3

Each program runs as a process of its own on the X display ($DISPLAY) and is driven through its window alone: key
presses and clicks by XTEST, as from a keyboard; what it shows is read off the screen. The programs take turns, round by
round, so that whatever else the computer does falls on all of them. Measured are

open    from the start of the process on the folder (LimbStudio: on the project of these photos) to the first photo;
next    from the key D to the next photo, and until nothing of it changes any more;
save    from an arrow key on a selected mark to the first change of the file that it is kept in.

Photos are made: 12 megapixels, camera-like noise, a flat patch in the middle whose colour tells which one is seen.
The peers' interpreters are named by LIMBSTUDIO_PEER_PYTHON, several separated by ':'; each must be able to import
`labelme` (version 7 needs Python 3.12 or newer) or `anylabeling` (version 4), in a virtual environment for example:

    python3.13 -m venv labelme && labelme/bin/pip install labelme
    python3.13 -m venv anylabeling && anylabeling/bin/pip install 'x-anylabeling-cvhub[cpu]'
    export LIMBSTUDIO_PEER_PYTHON=$PWD/labelme/bin/python:$PWD/anylabeling/bin/python

A small display with a window manager is needed: `Xvfb :9 -screen 0 1440x900x24 & DISPLAY=:9 openbox &`, and xdotool.
"""

import argparse
import colorsys
import ctypes
import ctypes.util
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

PEERS = "LIMBSTUDIO_PEER_PYTHON"
SIZE = (4000, 3000)
PATCH = 1200  # px of the photo
WINDOW = (1440, 860)
_MOST_S = 60.0
_QUIET_S = 0.5  # nothing changes for so long: it stays as it is
_LIKE = 14  # of 255: how far a colour on the screen may be from the one in the file


@dataclass(frozen=True)
class Program:
    """One of the programs. args: how it is started. kept: the file that an edit of the nth photo changes."""

    name: str
    version: str
    args: tuple[str, ...]
    title: str
    kept: Callable[[int], Path]
    env: dict[str, str] = field(default_factory=dict)


def colour(number: int) -> tuple[int, int, int]:
    """Return the colour of a photo's patch, unlike those of its neighbours."""
    r, g, b = colorsys.hsv_to_rgb((0.13 + number * 0.38) % 1.0, 0.75, 0.55 + 0.4 * (number % 3) / 2)
    return round(255 * r), round(255 * g), round(255 * b)


def write_photos(folder: Path, number: int) -> list[Path]:
    """Write so many JPEG files of 12 megapixels, each with its own colour in the middle."""
    import cv2

    rng = np.random.default_rng(3)
    coarse = rng.integers(30, 220, (SIZE[1] // 50, SIZE[0] // 50, 3), np.uint8)
    picture = cv2.resize(coarse, SIZE, interpolation=cv2.INTER_CUBIC).astype(np.int16)
    picture += rng.normal(0, 5, picture.shape).astype(np.int16)
    picture = np.clip(picture, 0, 255).astype(np.uint8)
    folder.mkdir(parents=True, exist_ok=True)
    left, top = (SIZE[0] - PATCH) // 2, (SIZE[1] - PATCH) // 2
    files = []
    for n in range(number):
        picture[top : top + PATCH, left : left + PATCH] = colour(n)[::-1]
        files.append(folder / f"IMG_{n:05d}.jpg")
        cv2.imwrite(str(files[-1]), picture, [cv2.IMWRITE_JPEG_QUALITY, 88])
    return files


def write_marks(files: Sequence[Path]) -> None:
    """Write a small box in the middle of each photo, in the form that labelme and X-AnyLabeling read at first."""
    x, y = SIZE[0] / 2, SIZE[1] / 2
    for path in files:
        shape = {
            "label": "middle",
            "points": [[x - 150, y - 150], [x + 150, y + 150]],
            "group_id": None,
            "shape_type": "rectangle",
            "flags": {},
        }
        content = {
            "version": "5.5.0",
            "flags": {},
            "shapes": [shape],
            "imagePath": path.name,
            "imageData": None,
            "imageHeight": SIZE[1],
            "imageWidth": SIZE[0],
        }
        path.with_suffix(".json").write_text(json.dumps(content), encoding="utf-8")


def write_project(folder: Path, files: Sequence[Path]) -> float:
    """Make the project: one person with one point in the middle of each photo. Return how long the import took, s."""
    from limbstudio.domain import edits
    from limbstudio.services.studio import Studio

    studio = Studio(who="bench", run_inline=True)
    studio.create(folder)
    began = time.perf_counter()
    studio.import_photos(files)
    took = time.perf_counter() - began
    for photo in studio.photos:
        person = studio.new_person(photo.sha256)
        studio.do(edits.place_point(person, 0, SIZE[0] / 2, SIZE[1] / 2))
    studio.quit()
    return took


# ------------------------------------------------------------------------------------------------------- the display


class Display:
    """Keys, pointer and pixels of one X display. It holds no window of its own."""

    def __init__(self) -> None:
        x11, xtst = ctypes.util.find_library("X11"), ctypes.util.find_library("Xtst")
        if x11 is None or xtst is None or shutil.which("xdotool") is None:
            raise RuntimeError("libX11, libXtst and xdotool are needed to drive other programs.")
        self._x, self._test = ctypes.CDLL(x11), ctypes.CDLL(xtst)
        self._x.XOpenDisplay.restype = ctypes.c_void_p
        self._x.XStringToKeysym.restype = ctypes.c_ulong
        self._display = ctypes.c_void_p(self._x.XOpenDisplay(None))
        if not self._display.value:
            raise RuntimeError("There is no X display.")
        from PySide6.QtGui import QGuiApplication

        self._app = QGuiApplication.instance() or QGuiApplication(["peers"])
        screen = QGuiApplication.primaryScreen()
        assert screen is not None
        self._screen = screen

    def key(self, name: str) -> float:
        """Press and let go a key; return when it was pressed."""
        code = self._x.XKeysymToKeycode(self._display, ctypes.c_ulong(self._x.XStringToKeysym(name.encode())))
        self._test.XTestFakeKeyEvent(self._display, code, 1, 0)
        self._x.XFlush(self._display)
        pressed = time.perf_counter()
        self._test.XTestFakeKeyEvent(self._display, code, 0, 0)
        self._x.XFlush(self._display)
        return pressed

    def point(self, x: int, y: int) -> None:
        self._test.XTestFakeMotionEvent(self._display, -1, x, y, 0)
        self._x.XFlush(self._display)

    def click(self, x: int, y: int) -> None:
        """Click with the left button, as slowly as a hand."""
        self.point(x, y)
        time.sleep(0.15)
        for down in (1, 0):
            self._test.XTestFakeButtonEvent(self._display, 1, down, 0)
            self._x.XFlush(self._display)
            time.sleep(0.05)

    def pixels(self, x: int, y: int, width: int, height: int) -> np.ndarray:
        """Return what is on the screen, (height, width, 3) uint8."""
        from PySide6.QtGui import QImage

        image = self._screen.grabWindow(0, x, y, width, height).toImage()
        image = image.convertToFormat(QImage.Format.Format_RGB32)
        rows = np.frombuffer(image.constBits(), np.uint8).reshape(image.height(), -1, 4)
        return rows[:, : image.width(), 2::-1].copy()

    def find(self, wanted: tuple[int, int, int]) -> tuple[int, int, int, int] | None:
        """Return where a large patch of a colour is on the screen: x, y, width, height."""
        size = self._screen.size()
        like = _is_like(self.pixels(0, 0, size.width(), size.height()), wanted)
        rows, columns = np.flatnonzero(like.sum(axis=1) > 40), np.flatnonzero(like.sum(axis=0) > 40)
        if len(rows) < 40 or len(columns) < 40:
            return None
        return int(columns[0]), int(rows[0]), int(np.ptp(columns)) + 1, int(np.ptp(rows)) + 1


def _is_like(pixels: np.ndarray, wanted: tuple[int, int, int]) -> np.ndarray:
    return np.abs(pixels.astype(int) - np.array(wanted)).max(axis=-1) <= _LIKE


def _until(happened: Callable[[], Any], what: str) -> float:
    end = time.perf_counter() + _MOST_S
    while not happened():
        if time.perf_counter() > end:
            raise TimeoutError(what)
        time.sleep(0.001)
    return time.perf_counter()


# ------------------------------------------------------------------------------------------------------ one program


@dataclass
class Round:
    """What one program took in one round, s. settled: until nothing of the photo changes any more."""

    open_s: float = 0.0
    next_s: list[float] = field(default_factory=list)
    settled_s: list[float] = field(default_factory=list)
    save_s: list[float] = field(default_factory=list)


@contextmanager
def _running(program: Program) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(
        program.args,
        env={**os.environ, **program.env},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _fill_screen(program: Program) -> None:
    """Give the program's window the same place and size as every other's, and the keyboard."""
    search = ("xdotool", "search", "--onlyvisible", "--name", program.title)
    found = subprocess.run(search, capture_output=True, text=True, check=False).stdout.split()
    for window in found[-1:]:
        width, height = WINDOW
        for command in (
            ("windowactivate", window),
            ("windowmove", window, "0", "0"),
            ("windowsize", window, str(width), str(height)),
        ):
            subprocess.run(("xdotool", *command), capture_output=True, check=False)


def run_round(display: Display, program: Program, photos: int, steps: int, edits: int) -> Round:
    """Start a program, turn `steps` photos, make `edits` edits, and end it."""
    made = Round()
    display.point(5, WINDOW[1] + 20)
    began = time.perf_counter()
    with _running(program):
        made.open_s = _until(lambda: display.find(colour(0)), f"{program.name} showed no photo") - began
        time.sleep(3.0)  # what a program loads after its first photo
        _fill_screen(program)
        time.sleep(2.0)
        for n in range(1, steps + 1):
            shown, settled = _turn(display, program, (n - 1) % photos, n % photos)
            made.next_s.append(shown)
            made.settled_s.append(settled)
        place = display.find(colour(steps % photos))
        assert place is not None
        display.click(place[0] + place[2] // 2, place[1] + place[3] // 2)
        time.sleep(0.6)
        for n in range(edits):
            made.save_s.append(_edit(display, program, steps % photos, "Right" if n % 2 == 0 else "Left"))
    return made


def _turn(display: Display, program: Program, before: int, after: int) -> tuple[float, float]:
    """Turn to the next photo; return when it was seen first and when it was seen last to change, s."""
    place = display.find(colour(before))
    assert place is not None, f"{program.name}: photo {before} is not on the screen"
    # A part of the patch and of the noise at its left: the one tells which photo it is, the other how sharp.
    region = place[0] - 60, place[1] + place[3] // 4, 120, 60
    pressed = display.key("d")
    looks: list[tuple[float, bytes]] = []
    shown: float | None = None
    while shown is None or looks[-1][0] - _changed(looks) < _QUIET_S:
        pixels = display.pixels(*region)
        now = time.perf_counter()
        if shown is None and _is_like(pixels[20:40, 100:115], colour(after)).all():
            shown = now
        looks.append((now, pixels.tobytes()))
        if now - pressed > _MOST_S:
            raise TimeoutError(f"{program.name} did not turn to photo {after}")
    return shown - pressed, _changed(looks) - pressed


def _changed(looks: list[tuple[float, bytes]]) -> float:
    """Return when the screen changed for the last time."""
    last = looks[-1][1]
    n = len(looks) - 1
    while n and looks[n - 1][1] == last:
        n -= 1
    return looks[n][0]


def _edit(display: Display, program: Program, photo: int, key: str) -> float:
    """Move what is selected by a key; return how long it took until its file changed, s."""
    path = program.kept(photo)

    def state() -> tuple[int, int]:
        try:
            found = path.stat()
        except FileNotFoundError:
            return 0, 0
        return found.st_mtime_ns, found.st_size

    before = state()
    pressed = display.key(key)
    written = _until(lambda: state() != before, f"{program.name} saved nothing to {path.name}")
    time.sleep(0.6)
    return written - pressed


# ------------------------------------------------------------------------------------------------------------ the run


def peers(files: Sequence[Path]) -> list[Program]:
    """Return the programs beside which LimbStudio is measured: what LIMBSTUDIO_PEER_PYTHON can import."""
    found = []
    for python in filter(None, os.environ.get(PEERS, "").split(os.pathsep)):
        version = _version(python, "labelme")
        if version:
            folder, kept = _own_folder(files, "labelme")
            args = (python, "-m", "labelme", str(folder))
            found.append(Program("labelme", version, args, "labelme", kept))
            continue
        version = _version(python, "anylabeling.app_info")
        if version:
            folder, kept = _own_folder(files, "anylabeling")
            start = "import sys; from anylabeling.app import main; sys.argv[0] = 'xanylabeling'; main()"
            options = ("--no-auto-update-check", "--autosave", "--nodata", "--filename", str(folder))
            args = (python, "-c", start, *options)
            found.append(Program("X-AnyLabeling", version, args, "X-AnyLabeling", kept))
    return found


def _own_folder(files: Sequence[Path], name: str) -> tuple[Path, Callable[[int], Path]]:
    """Give a peer the same photos in a folder of its own: each writes what others may not read beside them."""
    folder = files[0].parent.with_name(f"photos of {name}")
    folder.mkdir()
    own = []
    for path in files:
        own.append(folder / path.name)
        os.link(path, own[-1])
    write_marks(own)
    return folder, lambda n: own[n].with_suffix(".json")


def _version(python: str, module: str) -> str:
    ask = f"import {module} as m; print(m.__version__)"
    try:
        answer = subprocess.run((python, "-c", ask), capture_output=True, text=True, timeout=120, check=False)
    except OSError:
        return ""
    return answer.stdout.strip().split("\n")[-1] if answer.returncode == 0 else ""


def ours(project: Path, home: Path) -> Program:
    """Return LimbStudio on a project, with settings of its own where the first tour was seen."""
    import limbstudio
    from limbstudio.services.project_file import FILE_NAME
    from limbstudio.services.settings import HOME_VARIABLE

    home.mkdir(parents=True, exist_ok=True)
    (home / "window.ini").write_text("[General]\ntour_seen=true\n", encoding="utf-8")
    return Program(
        "LimbStudio",
        limbstudio.__version__,
        (sys.executable, "-m", "limbstudio", "studio", str(project)),
        "LimbStudio",
        lambda n: project / f"{FILE_NAME}-wal",  # where SQLite writes first
        {HOME_VARIABLE: str(home)},
    )


def figures(rounds: Sequence[Round]) -> dict[str, float]:
    """Return medians and p95, ms."""
    ms = 1000.0
    every = {
        "next": [s for r in rounds for s in r.next_s],
        "next_settled": [s for r in rounds for s in r.settled_s],
        "save": [s for r in rounds for s in r.save_s],
    }
    made = {"open_median_ms": float(np.median([r.open_s for r in rounds])) * ms}
    for name, values in every.items():
        made[f"{name}_median_ms"] = float(np.median(values)) * ms
        made[f"{name}_p95_ms"] = float(np.percentile(values, 95)) * ms
    return made


def compare(folder: Path, *, photos: int, rounds: int, steps: int, edits: int) -> dict[str, Any]:
    """Run all programs in turns; return figures of each and ratios of LimbStudio to each peer."""
    files = write_photos(folder / "photos", photos)
    import_s = write_project(folder / "peers.limb", files)
    programs = [ours(folder / "peers.limb", folder / "home"), *peers(files)]
    display = Display()
    taken: dict[str, list[Round]] = {program.name: [] for program in programs}
    for _ in range(rounds):
        for program in programs:
            taken[program.name].append(run_round(display, program, photos, steps, edits))
    made = {name: figures(found) for name, found in taken.items()}
    own = made["LimbStudio"]
    return {
        "photos": photos,
        "rounds": rounds,
        "versions": {program.name: program.version for program in programs},
        "import_of_all_photos_once_s": import_s,
        "figures": made,
        "limbstudio_to": {
            name: {what.removesuffix("_ms"): own[what] / theirs[what] for what in theirs}
            for name, theirs in made.items()
            if name != "LimbStudio"
        },
        "load_average": os.getloadavg()[0],
    }


def main() -> None:
    """Run the comparison and print it as JSON."""
    parser = argparse.ArgumentParser(description="LimbStudio beside labelme and X-AnyLabeling.")
    for name, value in (("photos", 60), ("rounds", 3), ("steps", 12), ("edits", 6)):
        parser.add_argument(f"--{name}", type=int, default=value)
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        found = compare(Path(scratch), **vars(chosen))
    sys.stdout.write(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    main()
