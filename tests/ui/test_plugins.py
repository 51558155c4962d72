"""Plugins in the real window: their places in menu and palette, their keys, their panels, their mistakes."""

import pytest

from limbstudio.api import API_VERSION
from limbstudio.domain import edits
from limbstudio.domain.anatomy import LDPOSE_INDEX, KeypointState
from limbstudio.domain.geometry import Box
from limbstudio.services.plugins import Plugins, Refused
from limbstudio.ui.palette import matches
from limbstudio.ui.plugins_feature import PluginsFeature

from .conftest import STANDING_INDEX


def feature(window) -> PluginsFeature:
    return next(f for f in window.features if isinstance(f, PluginsFeature))


@pytest.fixture
def window(open_window, project_folder, qtbot):
    window = open_window(project_folder)
    qtbot.waitUntil(lambda: feature(window).plugins is not None, timeout=20000)
    window.annotate_page.new_person()
    for index in (5, 6, 7, 8, 9, 10):
        window.session.do(edits.place_point(window.session.person, index, *STANDING_INDEX[index]))
    return window


def test_a_command_is_in_menu_and_palette_and_its_change_is_one_machine_edit(window, qtbot):
    window.session.do(edits.set_box(window.session.person, Box(200, 100, 200, 250)))
    action = window.actions_table["plugin_outside_box"]
    assert any(row.id == "plugin_outside_box" for row in matches("outside box", window.actions_table.rows))
    qtbot.waitUntil(action.isEnabled)

    action.trigger()

    def states():
        points = window.session.person.keypoints.points
        return points[LDPOSE_INDEX["left_wrist"]].state, points[LDPOSE_INDEX["left_elbow"]].state

    qtbot.waitUntil(lambda: states() == (KeypointState.UNSURE, KeypointState.VISIBLE), timeout=20000)
    assert window.session.person.keypoints.points[LDPOSE_INDEX["left_wrist"]].x == STANDING_INDEX[9][0]
    line = window.studio.journal(window.session.photo.sha256)[-1]
    assert (line.label, line.human) == ("Mark points outside the box as unsure", False)


def test_an_inspector_is_a_panel_that_follows_the_points(window, qtbot):
    (panel,) = feature(window).panels
    qtbot.waitUntil(lambda: ("Upper arm", "100 % in the picture") in panel.rows, timeout=20000)

    window.session.do(edits.place_point(window.session.person, 7, 360.0, 250.0))

    qtbot.waitUntil(lambda: ("Upper arm", "48 % in the picture") in panel.rows, timeout=20000)


def test_a_key_in_use_is_not_given(window):
    class Greedy:
        api_version, name, keys = API_VERSION, "Greedy", ("Ctrl+Z", "Ctrl+Alt+9")

        def run(self, annotated, report):
            return []

    feature(window).take(
        Plugins({}, (Refused("bad", "The plugin bad failed to load."),), {"greedy": Greedy()})
    )

    keys = [key.toString() for key in window.actions_table["plugin_greedy"].shortcuts()]
    assert keys == ["Ctrl+Alt+9"]
    assert "Ctrl+Z: it is in use" in window.message_bar.text
    assert "bad failed to load" in window.message_bar.text


def test_a_command_that_breaks_is_said_and_changes_nothing(window, qtbot):
    class Broken:
        api_version, name, keys = API_VERSION, "Broken", ()

        def run(self, annotated, report):
            return ["nobody"]

    feature(window).take(Plugins({}, (), {"broken": Broken()}))
    before = window.session.person
    window.actions_table["plugin_broken"].setEnabled(True)

    window.actions_table["plugin_broken"].trigger()

    qtbot.waitUntil(lambda: "nobody of this photo" in window.message_bar.text, timeout=20000)
    assert window.session.person == before


def test_an_exporter_writes_through_the_menu(window, answers, tmp_path, qtbot):
    answers.file_to_write = lambda title, suffix: tmp_path / f"out{suffix}"
    qtbot.waitUntil(window.actions_table["plugin_csv_keypoints"].isEnabled)

    window.actions_table["plugin_csv_keypoints"].trigger()

    qtbot.waitUntil(lambda: (tmp_path / "out.csv").is_file(), timeout=20000)
    assert "left_wrist" in (tmp_path / "out.csv").read_text()
