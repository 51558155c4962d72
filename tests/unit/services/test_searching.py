"""Searching while a project is opened and closed: its thread ends with the project, and says nothing."""

import logging
import threading
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from limbstudio.services.reading import ProjectClosed, Reader
from limbstudio.services.studio import Studio


@pytest.fixture
def studio(tmp_path: Path):
    """Return a studio with a project of one photo, which makes its index in a thread."""
    Image.fromarray(np.full((40, 60, 3), 90, np.uint8)).save(tmp_path / "photo.png")
    studio = Studio(who="test")
    studio.create(tmp_path / "p.limb")
    studio.import_photos([tmp_path / "photo.png"]).wait(20)
    yield studio
    studio.quit()


class Held:
    """Let the index's thread come to a place, and no further before it is told."""

    def __init__(self) -> None:
        self.came, self.may_go_on = threading.Event(), threading.Event()

    def stop_here(self) -> None:
        if threading.current_thread().name == "search-index":
            self.came.set()
            assert self.may_go_on.wait(20)


def thread_of_the_index() -> threading.Thread:
    (thread,) = [t for t in threading.enumerate() if t.name == "search-index"]
    return thread


@pytest.mark.parametrize("closing", [Studio.close, Studio.finish_saving, Studio.abandon])
def test_a_project_closed_while_its_index_reads_it_is_no_warning(studio, monkeypatch, caplog, closing):
    held, query = Held(), Reader.query

    def held_query(self, *arguments):
        held.stop_here()
        return query(self, *arguments)

    monkeypatch.setattr(Reader, "query", held_query)
    studio.start_searching(lambda: pytest.fail("the index of a closed project is ready"))
    assert held.came.wait(20)
    thread = thread_of_the_index()

    with caplog.at_level(logging.INFO):
        closing(studio)
        held.may_go_on.set()
        thread.join(20)

    assert not thread.is_alive()
    assert "indexed" not in caplog.text
    assert "closed database" not in caplog.text


def test_the_index_of_a_project_that_was_closed_is_not_made_to_its_end(studio, monkeypatch):
    held, asked = Held(), []
    pause = "limbstudio.services.searching.time.sleep"
    monkeypatch.setattr(pause, lambda seconds: held.stop_here())
    monkeypatch.setattr(Reader, "query", lambda self, *arguments: asked.append(arguments) or [])
    with monkeypatch.context() as many:
        many.setattr("limbstudio.services.search_index.SearchIndex.add_all", _endless)
        studio.start_searching(lambda: pytest.fail("the index of a closed project is ready"))
        assert held.came.wait(20)
        thread = thread_of_the_index()

        studio.close()
        held.may_go_on.set()
        thread.join(20)

    assert not thread.is_alive()
    assert not asked


def _endless(self, project, *, pause):
    while True:
        pause()


def test_who_asks_a_closed_project_is_told_so(studio):
    store, _ = studio._opened()
    studio.close()

    with pytest.raises(ProjectClosed, match="closed meanwhile"):
        store.query("SELECT 1")


def test_an_edit_on_its_way_when_a_project_is_closed_is_not_taken_into_a_closed_copy(studio):
    store, _ = studio._opened()
    taken = []
    store._reader._mirror = store._reader.on_disk  # as on a drive where a copy in memory is read
    store._reader.close()

    store._reader.take([taken.append])

    assert not taken
