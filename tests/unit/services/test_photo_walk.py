"""Walking through photos: what is looked at comes first, neighbours are read ahead, memory has a bound."""

import threading
import time
from collections.abc import Callable, Iterator

import pytest

from limbstudio.domain.photo import Photo
from limbstudio.services import photo_walk
from limbstudio.services.photo_walk import Arrival, PhotoWalk

SIZE = (4000, 3000)


def photo(n: int, size: tuple[int, int] = SIZE) -> Photo:
    return Photo(f"{n:064x}", *size, f"{n}.jpg")


class Library:
    """Photos that are read by waiting. pictures are ('sharp' or 'draft', number)."""

    def __init__(self, *, has_drafts: bool = True) -> None:
        self.read: list[tuple[str, int]] = []
        self.arrived: list[Arrival[tuple[str, int]]] = []
        self.gate = threading.Event()
        self.gate.set()
        self.broken: set[int] = set()
        self._has_drafts = has_drafts
        self._changed = threading.Condition()

    def sharp(self, asked: Photo) -> tuple[str, int]:
        return self._take("sharp", asked)

    def draft(self, asked: Photo) -> tuple[str, int] | None:
        return self._take("draft", asked) if self._has_drafts else None

    def _take(self, kind: str, asked: Photo) -> tuple[str, int]:
        number = int(asked.sha256, 16)
        self.gate.wait(5)
        with self._changed:
            self.read.append((kind, number))
            self._changed.notify_all()
        if number in self.broken:
            raise OSError("no such file")
        return kind, number

    def told(self, arrival: Arrival[tuple[str, int]]) -> None:
        with self._changed:
            self.arrived.append(arrival)
            self._changed.notify_all()

    def wait_for(self, happened: Callable[[], bool]) -> None:
        with self._changed:
            assert self._changed.wait_for(happened, 5), (self.read, self.arrived)


@pytest.fixture
def library() -> Library:
    return Library()


@pytest.fixture
def make_walk() -> Iterator[Callable[..., PhotoWalk[tuple[str, int]]]]:
    walks = []

    def make(library: Library, **bounds: int) -> PhotoWalk[tuple[str, int]]:
        sizes = {"sharp": 50_000_000, "draft": 4_000_000}
        walk = PhotoWalk(
            sharp=library.sharp,
            draft=library.draft,
            size=lambda picture: sizes[picture[0]],
            told=library.told,
            **bounds,
        )
        walks.append(walk)
        return walk

    yield make
    for walk in walks:
        walk.close()


def test_a_photo_comes_quickly_and_then_sharp(library, make_walk):
    walk = make_walk(library, threads=1)

    at_once = walk.look_at(photo(1))

    library.wait_for(lambda: len(library.arrived) == 2)
    assert at_once == (None, False)
    assert [(a.picture, a.is_sharp) for a in library.arrived] == [(("draft", 1), False), (("sharp", 1), True)]
    assert walk.look_at(photo(1)) == (("sharp", 1), True)


def test_neighbours_are_there_before_one_gets_to_them(library, make_walk):
    walk = make_walk(library)

    walk.look_at(photo(1), [photo(2), photo(3), photo(0), photo(4)])

    library.wait_for(lambda: {("sharp", 2), ("sharp", 3), ("draft", 0), ("draft", 4)} <= set(library.read))
    library.wait_for(lambda: walk.look_at(photo(2))[1])
    assert {a.sha256 for a in library.arrived} == {photo(1).sha256}, "who does not look is not told"


def test_who_walks_fast_sees_drafts_and_the_last_photo_sharp(library, make_walk, monkeypatch):
    now = [100.0]
    monkeypatch.setattr(photo_walk, "monotonic", lambda: now[0])
    walk = make_walk(library)

    for n in range(10):
        now[0] += 0.1
        walk.look_at(photo(n), [photo(n + 1)])
        library.wait_for(lambda n=n: ("draft", n) in library.read)
    now[0] += 0.2

    library.wait_for(lambda: library.arrived[-1].picture == ("sharp", 9))
    # The first step follows no other, so its photo and the one beside it may have been read sharp.
    assert {n for kind, n in library.read if kind == "sharp"} <= {0, 1, 9, 10}


def test_what_was_left_is_not_waited_for(library, make_walk):
    walk = make_walk(library, threads=1)
    library.gate.clear()

    for n in range(6):
        walk.look_at(photo(n))
    library.gate.set()

    library.wait_for(lambda: bool(library.arrived))
    assert library.arrived[0].picture == ("draft", 5)
    assert not {1, 2, 3, 4} & {n for _, n in library.read}


def test_a_photo_without_a_draft_is_read_sharp_at_once(make_walk):
    library = Library(has_drafts=False)
    walk = make_walk(library)

    walk.look_at(photo(1), [photo(2)])

    library.wait_for(lambda: {("sharp", 1), ("sharp", 2)} <= set(library.read))
    library.wait_for(lambda: [a.picture for a in library.arrived] == [("sharp", 1)])


def test_why_a_photo_cannot_be_read_is_told_and_it_is_tried_again_when_asked(library, make_walk):
    walk = make_walk(library)
    library.broken.add(1)

    walk.look_at(photo(1))

    library.wait_for(lambda: bool(library.arrived))
    assert isinstance(library.arrived[0].error, OSError)
    library.broken.clear()
    walk.forget(photo(1).sha256)
    walk.look_at(photo(1))
    library.wait_for(lambda: library.arrived[-1].picture == ("sharp", 1))


def test_memory_has_a_bound_and_what_is_in_view_stays(library, make_walk):
    walk = make_walk(library, sharp_bytes=170_000_000)

    for n in range(8):
        walk.look_at(photo(n), [photo(n + 1), photo(n + 2), photo(n - 1)])
        library.wait_for(lambda n=n: ("sharp", n + 2) in library.read)

    assert walk.bytes <= 170_000_000 + 40_000_000
    assert walk.look_at(photo(7))[1]
    assert library.read.count(("sharp", 7)) == 1, "read ahead and kept until it was looked at"


def test_a_huge_photo_leaves_no_room_for_neighbours_and_nothing_is_read_in_circles(make_walk):
    library = Library(has_drafts=False)
    walk = make_walk(library)

    walk.look_at(photo(1, (12000, 9000)), [photo(2, (12000, 9000)), photo(3, (12000, 9000))])

    library.wait_for(lambda: bool(library.arrived))
    time.sleep(0.1)
    assert library.read == [("sharp", 1)]


def test_closing_lets_the_threads_go(library, make_walk):
    before = threading.active_count()
    walk = make_walk(library, threads=2)
    walk.look_at(photo(1))

    walk.close()

    deadline = time.monotonic() + 5
    while threading.active_count() > before and time.monotonic() < deadline:
        time.sleep(0.01)
    assert threading.active_count() <= before


def test_what_is_there_is_shown_before_anything_is_read_ahead(library, make_walk):
    walk = make_walk(library)
    walk.look_at(photo(1))
    library.wait_for(lambda: ("sharp", 1) in library.read)
    time.sleep(0.3)  # not walking any more
    before = list(library.read)

    picture, is_sharp = walk.look_at(photo(1), [photo(2)], wait=True)
    time.sleep(0.05)
    assert (picture, is_sharp) == (("sharp", 1), True)
    assert library.read == before
    walk.read_on()

    library.wait_for(lambda: ("draft", 2) in library.read)


def test_who_waits_for_nothing_is_read_at_once_and_nobody_waits_for_ever(library, make_walk):
    walk = make_walk(library)

    assert walk.look_at(photo(1), [photo(2)], wait=True) == (None, False)

    library.wait_for(lambda: any(number == 1 for _, number in library.read))
    library.wait_for(lambda: any(number == 2 for _, number in library.read))


def test_what_reading_leaves_is_cleared_when_much_was_read_and_nothing_is_to_be_read(library, monkeypatch):
    monkeypatch.setattr(photo_walk, "_REST_AFTER_S", 60.0)
    rests = []
    walk = PhotoWalk(
        sharp=library.sharp, draft=library.draft, size=lambda _: 1, told=library.told,
        rested=lambda: rests.append(len(library.read)),
    )  # fmt: skip
    try:
        for n in range(1, 8):
            walk.look_at(photo(n))
            library.wait_for(lambda n=n: any(number == n for _, number in library.read))
            assert len(rests) <= len(library.read) // 8
        library.wait_for(lambda: ("sharp", 7) in library.read)
        end = time.monotonic() + 5
        while not rests and time.monotonic() < end:
            time.sleep(0.01)
    finally:
        walk.close()

    assert len(rests) == 1
    assert rests[0] >= 8


def test_little_that_reading_leaves_is_cleared_once_a_while_after(library, monkeypatch):
    monkeypatch.setattr(photo_walk, "_REST_AFTER_S", 0.1)
    rests = []
    walk = PhotoWalk(
        sharp=library.sharp, draft=library.draft, size=lambda _: 1, told=library.told, rested=lambda: rests.append(1)
    )  # fmt: skip
    try:
        time.sleep(0.2)
        assert not rests  # nothing was read
        walk.look_at(photo(1))
        end = time.monotonic() + 5
        while not rests and time.monotonic() < end:
            time.sleep(0.01)
        assert ("sharp", 1) in library.read
        time.sleep(0.3)
    finally:
        walk.close()

    assert len(rests) == 1


def test_who_never_looks_long_enough_does_not_put_the_clearing_off_for_ever(library, monkeypatch):
    monkeypatch.setattr(photo_walk, "_READ_WITHOUT_REST", 3)
    rests = []
    walk = PhotoWalk(
        sharp=library.sharp, draft=library.draft, size=lambda _: 1, told=library.told, rested=lambda: rests.append(1)
    )  # fmt: skip
    try:
        walk.look_at(photo(1), [photo(n) for n in range(2, 8)])
        library.wait_for(lambda: len(library.read) >= 5)  # and goes on
    finally:
        walk.close()

    assert rests
