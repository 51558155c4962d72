"""What panels and messages say: levels in words anyone knows, keys as they are set, and the way to a field."""

import pytest
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QMenu

from limbstudio.domain.anatomy import Level, Limb, levels_of
from limbstudio.ui.app import make_application
from limbstudio.ui.level_words import level_words
from limbstudio.ui.panels.parts import label, set_role
from limbstudio.ui.theme import DARK, apply_theme

from .test_window import placed_person


def give_key(window, action_id: str, key: str) -> None:
    """Let one action have one other key, as the editor of shortcuts does."""
    keys = {row.id: row.keys for row in window.actions_table.rows} | {action_id: (key,) if key else ()}
    window.actions_table.give_keys_by(lambda rows: keys)


@pytest.fixture
def own_keys(window):
    """Return the window with another key for the guide than the one it came with."""
    give_key(window, "guided", "Ctrl+Alt+7")
    window.person_panel.refresh()
    return window


def test_the_levels_are_said_in_words_anyone_knows(window):
    choice = window.person_panel.levels[Limb.RIGHT_LEG]
    words = [choice.itemText(n) for n in range(choice.count())]

    assert "Transtibial (below the knee)" in words
    assert "Transfemoral (above the knee)" in words
    assert [choice.itemData(n) for n in range(choice.count())] == list(levels_of(Limb.RIGHT_LEG))
    assert "Transradial (below the elbow)" in (
        window.person_panel.levels[Limb.LEFT_ARM].itemText(n) for n in range(choice.count())
    )
    assert level_words(Level.INTACT) == "Intact"


def test_the_menu_of_the_diagram_says_the_same(window, qtbot):
    window.annotate_page.new_person()

    window.person_panel.diagram.limb_chosen.emit(Limb.LEFT_LEG)

    menu = next(m for m in window.person_panel.findChildren(QMenu) if m.isVisible())
    assert "Knee disarticulation (through the knee)" in [action.text() for action in menu.actions()]
    menu.close()


def test_the_closed_list_shows_the_word_of_the_standard_alone(window, qtbot):
    choice = window.person_panel.levels[Limb.RIGHT_LEG]

    choice.setCurrentIndex(choice.findData(Level.TRANSTIBIAL))

    assert choice.shown_words == "Transtibial"


def test_messages_name_the_key_that_is_set(own_keys, qtbot):
    window = own_keys
    assert "press Ctrl Alt 7" in window.person_panel._facts.full_text

    window.annotate_page.new_person()
    give_key(window, "paste_photos", "Ctrl+Alt+8")
    window.actions_table["copy_person"].trigger()
    assert "press Ctrl Alt 8" in window.message_bar.text

    give_key(window, "paste_photos", "")
    window.actions_table["copy_person"].trigger()
    assert "choose “Paste photos”" in window.message_bar.text
    QGuiApplication.clipboard().clear()


def test_an_empty_project_names_the_key_that_opens_photos(open_window, tmp_path, qtbot):
    window = open_window(None)
    give_key(window, "open_photos", "Ctrl+Alt+9")

    window.create_project(tmp_path / "empty.limb")

    words = window.annotate_page.reading.words
    qtbot.waitUntil(lambda: "press Ctrl Alt 9" in words.text())


@pytest.mark.usefixtures("body_fit_stand_in")
def test_where_the_stature_lacks_a_link_leads_to_its_field(window, qtbot):
    placed_person(window, qtbot)
    window.studio.fit(window.session.person.id)
    qtbot.waitUntil(lambda: window.session.fit is not None)
    window.show_residual_limb()
    panel = window.limb_panel
    qtbot.waitUntil(panel.stature_link.isVisible)

    panel.stature_link.click()

    assert panel.stature.hasFocus() or panel.stature.lineEdit().hasFocus()
    assert not panel.stature.visibleRegion().isEmpty()


def test_a_label_that_becomes_a_badge_takes_the_badge_s_margins(qtbot):
    apply_theme(make_application(), DARK)
    count = label("Nothing to mend", "caption")
    qtbot.addWidget(count)
    count.show()
    plain = count.sizeHint().width() - count.fontMetrics().horizontalAdvance("Nothing to mend")

    count.setText("1")
    set_role(count, "badge-warn")

    margins = count.sizeHint().width() - count.fontMetrics().horizontalAdvance("1")
    assert margins >= plain + 14  # 7 px at each side
