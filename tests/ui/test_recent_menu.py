"""File > Open recent lists other projects, also while one is open."""

from PySide6.QtWidgets import QMenu

from limbstudio.services.studio import Studio


def recent_menu(window) -> QMenu:
    menus = (action.menu() for action in window.actions_table.menu("File").actions())
    return next(menu for menu in menus if menu is not None and menu.title() == "Open recent")


def test_another_project_is_one_choice_away(window, project_folder, tmp_path, qtbot):
    other = tmp_path / "other.limb"
    studio = Studio(who="test", run_inline=True)
    studio.create(other)
    studio.quit()
    menu = recent_menu(window)
    menu.aboutToShow.emit()
    assert [action.isEnabled() for action in menu.actions()] == [False]

    window._remember(project_folder)  # the tests' window opened it without the menu
    window.open_folder(other)
    qtbot.waitUntil(lambda: window.studio.folder == other)
    menu.aboutToShow.emit()
    (action,) = menu.actions()
    assert action.text().startswith("test")
    action.trigger()

    qtbot.waitUntil(lambda: window.studio.folder == project_folder)


def test_a_project_that_is_gone_cannot_be_chosen(window, tmp_path):
    window._remember(tmp_path / "gone.limb")
    menu = recent_menu(window)
    menu.aboutToShow.emit()

    (action,) = menu.actions()
    assert action.text().startswith("gone")
    assert not action.isEnabled()
