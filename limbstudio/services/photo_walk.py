"""Walking through photos: the one in view comes first, quickly and then sharp; its neighbours are read ahead.

Pictures are kept up to a bound of memory. Who steps faster than photos can be read sees small copies and never waits
for a photo that was left again: what is asked for last is read first.
"""

import threading
from collections import OrderedDict
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from time import monotonic
from typing import Generic, TypeVar

from limbstudio.domain.photo import Photo

T = TypeVar("T")

# Steps that follow each other so closely are walking; a photo is read sharp when one stays this long.
_WALKING_S = 0.25
_STAYS_S = 0.14
_LONGEST_WAIT_S = 0.15
_DRAFTS_AHEAD, _SHARP_AHEAD = 4, 2
_READ_BEFORE_REST, _READ_WITHOUT_REST = 8, 48
_REST_AFTER_S = 1.0  # without a photo to read
_BYTES_PER_PIXEL = 4.5  # what a sharp picture takes, with the smaller copies that it is shown by


@dataclass(frozen=True)
class Arrival(Generic[T]):
    """What was read of the photo that was asked for. error: why it cannot be shown; the picture is None then."""

    sha256: str
    picture: T | None
    is_sharp: bool
    error: BaseException | None = None


class _Kept(Generic[T]):
    """Pictures by photo up to a number of bytes; those used longest ago go first."""

    def __init__(self, most_bytes: int, size: Callable[[T], int]) -> None:
        self.most = most_bytes
        self._size = size
        self._pictures: OrderedDict[str, tuple[T, int]] = OrderedDict()
        self.bytes = 0

    def __contains__(self, sha256: str) -> bool:
        return sha256 in self._pictures

    def get(self, sha256: str) -> T | None:
        if sha256 not in self._pictures:
            return None
        self._pictures.move_to_end(sha256)
        return self._pictures[sha256][0]

    def put(self, sha256: str, picture: T, needed: Collection[str]) -> None:
        """Keep a picture and let others go for it, but none that is needed."""
        self.drop(sha256)
        size = self._size(picture)
        self._pictures[sha256] = picture, size
        self.bytes += size
        for name in [name for name in self._pictures if name not in needed]:
            if self.bytes <= self.most:
                break
            self.drop(name)

    def size_of(self, sha256: str) -> int:
        return self._pictures[sha256][1] if sha256 in self._pictures else 0

    def drop(self, sha256: str) -> None:
        if sha256 in self._pictures:
            self.bytes -= self._pictures.pop(sha256)[1]

    def clear(self) -> None:
        self._pictures.clear()
        self.bytes = 0


class PhotoWalk(Generic[T]):
    """Read photos for whoever looks at one after the other.

    sharp: reads a photo whole. draft: reads a small copy quickly, None where there is no quick way. size: bytes of a
    picture. told: called in a thread with each `Arrival` of the photo that is looked at. rested: called in a thread now
    and then, best when there is nothing to read: what reading leaves behind can be cleared away.
    """

    def __init__(
        self,
        *,
        sharp: Callable[[Photo], T],
        draft: Callable[[Photo], T | None],
        size: Callable[[T], int],
        told: Callable[[Arrival[T]], None],
        rested: Callable[[], None] = lambda: None,
        sharp_bytes: int = 170_000_000,
        draft_bytes: int = 40_000_000,
        threads: int = 2,
    ) -> None:
        self._read = {True: sharp, False: draft}
        self._told = told
        self._rested = rested
        self._read_since_rest = 0
        self._read_at = -10.0
        self._kept: dict[bool, _Kept[T]] = {
            True: _Kept(sharp_bytes, size),
            False: _Kept(draft_bytes, size),
        }
        self._changed = threading.Condition()
        self._target: Photo | None = None
        self._nearby: tuple[Photo, ...] = ()
        self._since = self._before = -10.0
        self._waits_until = -10.0
        self._under_way: set[tuple[str, bool]] = set()
        # Drafts that there are none of, and photos that cannot be read.
        self._useless: set[tuple[str, bool]] = set()
        self._closing = False
        self._threads = [
            threading.Thread(target=self._serve, name=f"photo-walk-{n}", daemon=True) for n in range(threads)
        ]
        for thread in self._threads:
            thread.start()

    @property
    def bytes(self) -> int:
        """Return how much memory the kept pictures take."""
        with self._changed:
            return self._kept[True].bytes + self._kept[False].bytes

    def look_at(
        self, photo: Photo | None, nearby: Sequence[Photo] = (), *, wait: bool = False
    ) -> tuple[T | None, bool]:
        """Turn to a photo; return what is there of it at once, and whether that is sharp. The rest is told.

        nearby: whom to read ahead, the most likely first. wait: with that until `read_on` is called, or a moment has
        passed: who looks has the processor for what it shows. A photo of which nothing is there is read at once.
        """
        with self._changed:
            self._target, self._nearby = photo, tuple(nearby)
            self._before, self._since = self._since, monotonic()
            self._waits_until = self._since + _LONGEST_WAIT_S if wait else self._since
            self._changed.notify_all()
            if photo is None:
                return None, False
            self._useless.discard((photo.sha256, True))
            sharp = self._kept[True].get(photo.sha256)
            return (self._kept[False].get(photo.sha256), False) if sharp is None else (sharp, True)

    def read_on(self) -> None:
        """Read sharp and ahead from now on: what was there is shown."""
        with self._changed:
            self._waits_until = self._since
            self._changed.notify_all()

    def forget(self, sha256: str | None = None) -> None:
        """Read a photo (None: every one) anew when it is asked for: its file was found or changed."""
        with self._changed:
            for kept in self._kept.values():
                kept.clear() if sha256 is None else kept.drop(sha256)
            self._useless.clear()
            self._changed.notify_all()

    def close(self) -> None:
        """Let the threads go."""
        with self._changed:
            self._closing = True
            self._target, self._nearby = None, ()
            self._changed.notify_all()

    # ---------------------------------------------------------------------------------------------- the threads

    def _serve(self) -> None:
        while True:
            with self._changed:
                task = None if self._must_rest else self._next()
                while task is None and not self._closing and not self._may_rest():
                    self._changed.wait(self._until_due())
                    task = self._next()
                if self._closing:
                    return
                if task is None:
                    self._read_since_rest = 0
                else:
                    self._under_way.add((task[0].sha256, task[1]))
                    self._read_since_rest += 1
            if task is None:
                self._rested()
            else:
                self._work(*task)

    @property
    def _must_rest(self) -> bool:
        return self._read_since_rest >= _READ_WITHOUT_REST

    def _may_rest(self) -> bool:
        """Tell whether very much was read, or nothing is to be read now and much was read or some a while ago."""
        idle = not self._under_way and self._until_settled() is None
        enough = self._read_since_rest >= _READ_BEFORE_REST or self._until_rest() == 0
        return self._must_rest or (idle and enough)

    def _until_rest(self) -> float | None:
        """Return how long until little that was read is cleared away too, s; None where nothing was read."""
        return max(0.0, self._read_at + _REST_AFTER_S - monotonic()) if self._read_since_rest else None

    def _until_due(self) -> float | None:
        settled = self._until_settled()
        return settled if settled is not None or self._under_way else self._until_rest()

    def _work(self, photo: Photo, is_sharp: bool) -> None:
        error: BaseException | None = None
        picture: T | None = None
        try:
            picture = self._read[is_sharp](photo)
        except Exception as caught:  # noqa: BLE001  # a border: what cannot be read is told, the thread goes on
            error = caught
        with self._changed:
            self._read_at = monotonic()
            self._under_way.discard((photo.sha256, is_sharp))
            if picture is not None:
                self._kept[is_sharp].put(photo.sha256, picture, self._needed(is_sharp=is_sharp))
            else:
                self._useless.add((photo.sha256, is_sharp))
            wanted = self._target is not None and self._target.sha256 == photo.sha256
            late = not is_sharp and photo.sha256 in self._kept[True]
            self._changed.notify_all()
        if wanted and not late and (picture is not None or is_sharp):
            self._told(Arrival(photo.sha256, picture, is_sharp, error if is_sharp else None))

    @property
    def _is_walking(self) -> bool:
        return self._since - self._before < _WALKING_S and monotonic() - self._since < _STAYS_S

    def _until_settled(self) -> float | None:
        now = monotonic()
        if now < self._waits_until:
            return max(0.005, self._waits_until - now)
        return max(0.005, self._since + _STAYS_S - now) if self._is_walking else None

    def _next(self) -> tuple[Photo, bool] | None:
        """Return what to read now, and whether sharp; None when there is nothing to do."""
        target = self._target
        if target is None:
            return None
        if self._lacks_all(target):
            return target, self._has_no_draft(target)
        if monotonic() < self._waits_until:
            return None
        settled = not self._is_walking
        if (target.sha256, False) in self._under_way and settled:
            return None  # nothing slows down what is waited for; it takes a moment
        if settled and self._lacks(target, True):
            return target, True
        ahead = list(self._sharp_ahead(target))
        for photo in self._nearby[:_DRAFTS_AHEAD]:
            no_draft = self._has_no_draft(photo)
            if self._lacks_all(photo) and (not no_draft or photo in ahead):
                return photo, no_draft
        if settled:
            return next(((photo, True) for photo in ahead if self._lacks(photo, True)), None)
        return None

    def _sharp_ahead(self, target: Photo) -> Iterator[Photo]:
        """Yield the photos nearby that find room beside the one in view."""
        room = self._kept[True].most - max(self._kept[True].size_of(target.sha256), _estimate(target))
        for photo in self._nearby[:_SHARP_AHEAD]:
            room -= _estimate(photo)
            if room < 0:
                return
            yield photo

    def _needed(self, *, is_sharp: bool) -> set[str]:
        """Return the photos whose pictures must not go for others."""
        target = self._target
        if target is None:
            return set()
        nearby = self._sharp_ahead(target) if is_sharp else self._nearby[:_DRAFTS_AHEAD]
        return {photo.sha256 for photo in (target, *nearby)}

    def _lacks_all(self, photo: Photo) -> bool:
        """Tell whether nothing of a photo is there or on its way."""
        name = photo.sha256
        if any(name in kept for kept in self._kept.values()) or (name, False) in self._under_way:
            return False
        return self._lacks(photo, self._has_no_draft(photo))

    def _has_no_draft(self, photo: Photo) -> bool:
        return (photo.sha256, False) in self._useless

    def _lacks(self, photo: Photo, is_sharp: bool) -> bool:
        task = (photo.sha256, is_sharp)
        return (
            task not in self._under_way
            and task not in self._useless
            and photo.sha256 not in self._kept[is_sharp]
        )


def _estimate(photo: Photo) -> int:
    return int(photo.width * photo.height * _BYTES_PER_PIXEL)
