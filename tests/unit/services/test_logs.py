"""The log tells afterwards what happened, and never stands in the way."""

import logging
import threading

import pytest

from limbstudio.services.logs import logs_folder, set_up_logs


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("LIMBSTUDIO_HOME", str(tmp_path / "home"))
    root, hook = logging.getLogger("limbstudio"), threading.excepthook
    before, level = list(root.handlers), root.level
    yield
    for handler in [h for h in root.handlers if h not in before]:
        root.removeHandler(handler)
        handler.close()
    root.setLevel(level)
    threading.excepthook = hook


def test_messages_go_to_a_file_in_the_home_folder_once():
    set_up_logs()
    path = set_up_logs()

    logging.getLogger("limbstudio.services.store").info("The project was opened.")

    assert path == logs_folder() / "limbstudio.log"
    assert path.read_text().count("The project was opened.") == 1


def test_a_mistake_in_a_thread_is_noted():
    path = set_up_logs()

    def fail():
        raise ZeroDivisionError("nobody sees this terminal")

    thread = threading.Thread(target=fail, name="writer")
    thread.start()
    thread.join()

    assert "A mistake in thread writer" in path.read_text()
    assert "nobody sees this terminal" in path.read_text()


def test_a_log_that_cannot_be_written_does_not_stop_the_program(tmp_path):
    (tmp_path / "home").write_text("a file where the folder should be")

    assert set_up_logs() is None
