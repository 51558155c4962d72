"""What a window leaves behind when it is closed: nothing. What all windows share is made once."""

import json
import subprocess
import sys
from pathlib import Path

from PySide6.QtCore import QSize
from PySide6.QtGui import QFontDatabase, QIcon
from PySide6.QtWidgets import QApplication

from limbstudio.ui import icons
from limbstudio.ui.theme import DARK, LIGHT, apply_theme, load_fonts, style_sheet


def test_a_closed_window_is_let_go_with_all_that_it_held(project_folder: Path, tmp_path: Path):
    script = Path(__file__).with_name("closed_window.py")
    ran = subprocess.run(
        [sys.executable, str(script), str(project_folder), str(tmp_path / "left.ini")],
        capture_output=True, text=True, check=False, timeout=100,
    )  # fmt: skip

    assert ran.returncode == 0, ran.stderr
    left = json.loads(ran.stdout.splitlines()[-1])
    assert left["made"] > 500
    assert left["objects"] == []
    assert left["widgets"] == []


def test_fonts_are_loaded_and_the_style_is_set_once_for_all_windows(qtbot):
    app = QApplication.instance()
    assert isinstance(app, QApplication)
    load_fonts()
    apply_theme(app, DARK)
    style, families = app.style(), len(QFontDatabase.families())

    load_fonts()
    apply_theme(app, DARK)

    assert app.style() is style
    assert len(QFontDatabase.families()) == families
    apply_theme(app, LIGHT)
    assert app.styleSheet() == style_sheet(LIGHT)
    apply_theme(app, DARK)
    assert app.styleSheet() == style_sheet(DARK)


def test_an_icon_is_made_once_and_each_size_of_it_drawn_once(qtbot, monkeypatch):
    drawn = []
    paint = icons.paint_icon
    monkeypatch.setattr(icons, "paint_icon", lambda *args: (drawn.append(args[2]), paint(*args)))
    icons.icon.cache_clear()

    for _ in range(5):
        scissors = icons.icon("ph.scissors", "#112233")
        small, off = scissors.pixmap(QSize(16, 16)), scissors.pixmap(QSize(16, 16), QIcon.Mode.Disabled)
        large = scissors.pixmap(QSize(32, 32))

    assert len(drawn) == 3
    assert (small.width(), off.width(), large.width()) == (16, 16, 32)
    assert small.toImage() != off.toImage()
    assert icons.icon("ph.scissors", "#332211") is not scissors
