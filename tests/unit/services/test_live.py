"""The live lane: the newest request counts, a process that is killed comes back, and the memory is given back."""

import os
import queue
import signal
import time
from collections.abc import Iterator
from dataclasses import replace
from multiprocessing.shared_memory import SharedMemory
from pathlib import Path

import numpy as np
import pytest

from limbstudio.domain.photo import Person, Photo
from limbstudio.services.live import LiveAnswer, LiveBody, LiveLane, LivePicture, LiveRequest, LiveTrouble
from limbstudio.services.samples import sample_project
from limbstudio.services.store import Store

_PATIENCE_S = 60.0


class Heard:
    """Collect what a lane answers."""

    def __init__(self) -> None:
        self._answers: queue.Queue[LiveAnswer] = queue.Queue()
        self.sequences: list[int] = []

    def __call__(self, answer: LiveAnswer) -> None:
        self.sequences.append(answer.sequence)
        self._answers.put(answer)

    def until(self, kind: type, sequence: int) -> LiveAnswer:
        while True:
            answer = self._answers.get(timeout=_PATIENCE_S)
            if isinstance(answer, kind) and answer.sequence >= sequence:
                return answer


@pytest.fixture(scope="module")
def someone() -> tuple[Person, Photo]:
    store = Store.open(sample_project())
    person = next(iter(store.project.of_kind("person")))
    photo = store.project.records[("photo", person.photo)]
    store.close(5.0)
    return person, photo


@pytest.fixture(scope="module")
def heard() -> Heard:
    return Heard()


@pytest.fixture(scope="module")
def lane(heard: Heard) -> Iterator[LiveLane]:
    made = LiveLane(heard)
    yield made
    made.close()


def moved(person: Person, dx: float) -> Person:
    index = 9  # left wrist
    point = person.keypoints.points[index]
    return replace(person, keypoints=person.keypoints.replaced(index, replace(point, x=point.x + dx)))


def test_the_body_follows_and_the_last_answer_of_a_drag_brings_the_fit(lane, heard, someone):
    person, photo = someone

    first = heard.until(LiveBody, lane.ask(LiveRequest("a", person, photo)))
    number = lane.ask(LiveRequest("a", moved(person, 40.0), photo, is_last=True))
    last = heard.until(LiveBody, number)
    picture = heard.until(LivePicture, number)

    assert first.fit is None
    assert last.fit is not None
    assert last.vertices.shape[1] == 3
    assert len(last.vertices) == len(last.residual) > int(last.faces.max())
    assert last.residual.any()  # the sample's first person has a residual limb
    assert last.projected_px[9, 0] - first.projected_px[9, 0] == pytest.approx(40.0, abs=12.0)
    assert picture.rgba[..., 3].any()
    assert all(np.isfinite(line).all() for line in picture.outlines)


def test_while_a_point_moves_the_body_is_light_and_where_it_will_rest(lane, heard, someone):
    person, photo = someone
    heard.until(LivePicture, lane.ask(LiveRequest("m", person, photo)))
    for n in range(1, 8):
        moving = heard.until(LiveBody, lane.ask(LiveRequest("m", moved(person, 6.0 * n), photo)))
    drawn = heard.until(LivePicture, moving.sequence)
    last = lane.ask(LiveRequest("m", moved(person, 42.0), photo, is_last=True))
    rested = heard.until(LiveBody, last)
    sharp = heard.until(LivePicture, last)

    assert len(moving.vertices) < 0.35 * len(rested.vertices)
    assert np.nanmax(np.abs(moving.projected_px - rested.projected_px)) < 1.5  # px of a photo of 1000
    np.testing.assert_allclose(moving.vertices.min(0), rested.vertices.min(0), atol=0.012)
    np.testing.assert_allclose(moving.vertices.max(0), rested.vertices.max(0), atol=0.012)
    edges = [(line.min(0), line.max(0)) for line in (max(p.outlines, key=len) for p in (drawn, sharp))]
    np.testing.assert_allclose(edges[0], edges[1], atol=6.0)


def test_of_many_requests_only_the_newest_is_followed(lane, heard, someone):
    person, photo = someone
    before = len(heard.sequences)

    numbers = [lane.ask(LiveRequest("a", moved(person, float(n)), photo)) for n in range(60)]
    heard.until(LivePicture, numbers[-1])

    answered = sorted(set(heard.sequences[before:]) & set(numbers))
    assert answered[-1] == numbers[-1]
    assert len(answered) < 30


def test_what_is_asked_while_the_process_rests_does_not_wait_for_the_lanes_thread(lane, heard, someone):
    person, photo = someone
    heard.until(LivePicture, lane.ask(LiveRequest("a", person, photo)))
    until = time.monotonic() + _PATIENCE_S
    while lane.is_busy and time.monotonic() < until:
        time.sleep(0.001)

    number = lane.ask(LiveRequest("a", moved(person, 3.0), photo))
    waits = lane._waiting

    assert waits is None
    heard.until(LivePicture, number)


def test_what_was_forgotten_is_not_answered(lane, heard, someone):
    person, photo = someone
    old = lane.ask(LiveRequest("a", moved(person, 5.0), photo))
    lane.forget()
    new = lane.ask(LiveRequest("b", moved(person, 6.0), photo))

    heard.until(LivePicture, new)

    assert old not in heard.sequences


def test_a_killed_process_is_replaced_and_the_drag_goes_on(lane, heard, someone):
    person, photo = someone
    heard.until(LiveBody, lane.ask(LiveRequest("a", person, photo)))
    killed = lane.process_id

    os.kill(killed, signal.SIGKILL)
    answer = heard.until(LiveBody, lane.ask(LiveRequest("a", moved(person, 10.0), photo)))

    assert lane.process_id != killed
    assert len(answer.vertices) > 1000


def test_too_few_points_are_said_in_words_and_the_lane_lives_on(lane, heard, someone):
    person, photo = someone
    nobody = Person("nobody", photo.sha256)

    trouble = heard.until(LiveTrouble, lane.ask(LiveRequest("c", nobody, photo)))
    number = lane.ask(LiveRequest("a", person, photo))

    assert "points" in trouble.message
    assert not trouble.report
    heard.until(LiveBody, number)


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="reads what Linux tells of processes")
def test_the_process_has_no_torch_and_one_thread_for_sums(lane, heard, someone):
    person, photo = someone
    heard.until(LiveBody, lane.ask(LiveRequest("a", person, photo)))
    process = Path("/proc") / str(lane.process_id)

    assert "libtorch" not in (process / "maps").read_text()
    assert b"OPENBLAS_NUM_THREADS=1" in (process / "environ").read_bytes()
    assert len(list((process / "task").iterdir())) <= 2


def test_closing_ends_the_process_and_gives_the_memory_back():
    lane = LiveLane(lambda answer: None)
    name = lane.memory_name
    SharedMemory(name).close()

    lane.close()

    with pytest.raises(FileNotFoundError):
        SharedMemory(name)
