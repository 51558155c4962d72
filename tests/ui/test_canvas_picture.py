"""What the canvas draws, against a picture that was looked at.

To make it anew after a wanted change: LIMBSTUDIO_GOLDEN=write pytest tests/ui/test_canvas_picture.py, look at
tests/golden/canvas*.png, and say in the commit why it changed.
"""

import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from limbstudio.domain import edits
from limbstudio.domain.anatomy import LDPOSE_INDEX, KeypointState, Level, Limb
from limbstudio.domain.geometry import Box
from limbstudio.domain.photo import Person
from limbstudio.rendering.photo_tiles import Adjustment
from limbstudio.ui.app import make_application
from limbstudio.ui.canvas.pixels import pixels_of
from limbstudio.ui.photo_view import PhotoView
from limbstudio.ui.theme import DARK, apply_theme

from .conftest import STANDING_INDEX, plain_photo

GOLDEN = Path(__file__).parents[1] / "golden"
_STATES = {
    "right_hip": KeypointState.OCCLUDED,
    "left_hip": KeypointState.UNSURE,
    "left_ankle": KeypointState.PROSTHESIS,
    "right_wrist": KeypointState.OUT_OF_FRAME,
}


def _person() -> Person:
    person = Person("1", "photo")
    person = edits.set_limb_level(person, Limb.RIGHT_LEG, Level.TRANSTIBIAL).changes[0].after
    for index in (*range(16), LDPOSE_INDEX["below_right_knee_end"]):
        person = edits.place_point(person, index, *STANDING_INDEX[index]).changes[0].after
    for name, state in _STATES.items():
        person = edits.set_point_state(person, LDPOSE_INDEX[name], state).changes[0].after
    return person


@pytest.fixture
def view(qtbot) -> PhotoView:
    apply_theme(make_application(), DARK)
    view = PhotoView()
    qtbot.addWidget(view)
    view.resize(480, 640)
    view.show()
    qtbot.waitExposed(view)
    view.show_photo(plain_photo(0))
    view.show_people(_person())
    return view


def compare(view: PhotoView, name: str) -> None:
    """Compare what is drawn with a picture that was looked at."""
    golden_file = GOLDEN / f"{name}.png"
    drawn = pixels_of(view.viewport().grab().toImage())
    if os.environ.get("LIMBSTUDIO_GOLDEN") == "write":
        Image.fromarray(drawn).save(golden_file)

    golden = np.asarray(Image.open(golden_file).convert("RGB")).astype(int)
    assert drawn.shape == golden.shape
    difference = np.abs(drawn - golden).max(-1)
    # Font rendering differs a little between systems: a few edge pixels may, shapes and colours may not.
    assert (difference > 48).mean() < 0.01
    assert difference.mean() < 1.5


def test_the_canvas_looks_as_it_did(view):
    view.select(LDPOSE_INDEX["left_knee"])
    view.set_asking(True, (255, 690))

    compare(view, "canvas")


def test_a_turned_canvas_has_upright_names_and_points(view):
    view.set_names_visible(True)
    view.turn_to(60)

    compare(view, "canvas_turned")


def test_tones_selection_and_box_look_as_they_did(view):
    person = _person()
    view.show_people(edits.set_box(person, Box(150, 80, 300, 650)).changes[0].after)
    view.choose_all({11, 13, 15})
    view.adjust(Adjustment(brightness=-20, contrast=30, gamma=1.5, grey=True))

    compare(view, "canvas_tones")
