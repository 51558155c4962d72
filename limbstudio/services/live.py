"""The live lane: the body that follows a dragged point, worked out in a process of its own.

Only the newest request counts (`ask` replaces one that still waits), each has a sequence number, and what comes back
for an older person or an older drag is dropped. Vertices, faces, joints and the picture over the photo lie in shared
memory. The process has one BLAS thread and no torch; when it dies it is started anew and the last request is asked
again.
"""

import contextlib
import logging
import multiprocessing
import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from multiprocessing.connection import Connection, wait
from multiprocessing.shared_memory import SharedMemory
from pathlib import Path
from typing import Any

import numpy as np

from limbstudio.blas import one_blas_thread
from limbstudio.domain.body import BodyFit
from limbstudio.domain.fitted import FitOptions
from limbstudio.domain.photo import Person, Photo
from limbstudio.services import live_memory
from limbstudio.services.live_process import serve

log = logging.getLogger(__name__)

# A process that ends this often in a row, with no answer in between, is not started again.
_MOST_DEATHS = 3
_LONGEST_END_S = 2.0


@dataclass(frozen=True, eq=False)
class LiveRequest:
    """What the body is to follow now.

    drag: names the drag (or the person at rest); another one begins anew at `start`, a kept fit, or without one from
    the points alone. is_last: the drag has ended: to the end, cut exactly, and the picture sharp. wants_picture: of the
    body over the photo.
    """

    drag: str
    person: Person
    photo: Photo
    start: BodyFit | None = None
    options: FitOptions | None = None
    body_file: Path | None = None
    is_last: bool = False
    wants_picture: bool = True
    sequence: int = 0


@dataclass(frozen=True, eq=False)
class LiveBody:
    """A body that follows. vertices (V, 3) float32, joints (55, 3), camera frame, metres; faces (F, 3) int32, the same
    array while the topology stays; residual (V,) bool; projected_px (25, 2). fit: only of the last one of a drag.
    """

    sequence: int
    drag: str
    is_last: bool
    vertices: np.ndarray
    faces: np.ndarray
    residual: np.ndarray
    joints: np.ndarray
    projected_px: np.ndarray
    orientation: np.ndarray
    fit: BodyFit | None = None


@dataclass(frozen=True, eq=False)
class LivePicture:
    """The body of that sequence over the photo; `rendering.moving.MovingPicture` says what the rest means."""

    sequence: int
    drag: str
    is_last: bool
    rgba: np.ndarray
    origin_px: tuple[float, float]
    scale: float
    outlines: tuple[np.ndarray, ...]


@dataclass(frozen=True)
class LiveTrouble:
    """Why no body follows now. message, hint: for people. report: when the fault is ours."""

    sequence: int
    drag: str
    message: str
    hint: str = ""
    report: str = ""


LiveAnswer = LiveBody | LivePicture | LiveTrouble


class LiveLane:
    """Follow requests in a process of its own.

    answered: called with each answer that still counts, in the lane's thread.
    """

    def __init__(self, answered: Callable[[LiveAnswer], None]) -> None:
        self._answered = answered
        self._lock = threading.Lock()
        self._waiting: LiveRequest | None = None
        self._asked: LiveRequest | None = None  # what the process works on
        self._sequence = 0
        self._dropped_before = 0
        self._process: Any = None
        self._connection: Connection | None = None
        self._begun_drag = ""  # the drag whose start the process knows
        self._deaths = 0
        self._is_open = True
        self._faces: np.ndarray | None = None
        self._memory = SharedMemory(create=True, size=live_memory.SIZE)
        self._memory_name = self._memory.name
        self._bell, self._ring = multiprocessing.Pipe(duplex=False)
        self._thread = threading.Thread(target=self._run, name="live-lane", daemon=True)
        self._thread.start()

    @property
    def process_id(self) -> int | None:
        """Return the process that works now; None before the first request."""
        process = self._process
        return process.pid if process is not None else None

    @property
    def memory_name(self) -> str:
        """Return the name of the shared memory, which exists until `close`."""
        return self._memory_name

    @property
    def is_busy(self) -> bool:
        return self._waiting is not None or self._asked is not None

    def ask(self, request: LiveRequest) -> int:
        """Follow this from now on; return its sequence number at once. An older request that waits is forgotten."""
        with self._lock:
            if not self._is_open:
                return 0
            self._sequence += 1
            self._waiting = replace(request, sequence=self._sequence)
            number = self._sequence
            # At once where the process rests: the lane's thread would have to wait for a pause of the asker's.
            sent = self._connection is not None and self._asked is None and self._send()
        if not sent:
            self._wake()
        return number

    def warm_up(self) -> None:
        """Start the process now, so that the first drag does not wait for it."""
        with self._lock:
            self._waits_for_process = True
        self._wake()

    _waits_for_process = False

    def forget(self) -> None:
        """Drop what waits and what is on its way."""
        with self._lock:
            self._waiting = None
            self._dropped_before = self._sequence

    def close(self) -> None:
        """End the process and give the memory back."""
        with self._lock:
            if not self._is_open:
                return
            self._is_open = False
            self._waiting = None
        self._wake()
        self._thread.join(2 * _LONGEST_END_S)
        self._ring.close()
        self._bell.close()
        self._memory.close()
        with contextlib.suppress(FileNotFoundError):
            self._memory.unlink()

    def _wake(self) -> None:
        with contextlib.suppress(OSError):  # closed this moment
            self._ring.send_bytes(b".")

    # ------------------------------------------------------------------------------------------ the lane's thread

    def _run(self) -> None:
        try:
            while self._is_open:
                self._send_waiting()
                self._listen()
        except Exception:
            log.exception("The live lane ended.")
        finally:
            self._stop()

    def _send_waiting(self) -> None:
        with self._lock:
            wanted = self._waiting is not None or self._waits_for_process
            if not wanted or self._asked is not None or self._deaths >= _MOST_DEATHS:
                return
            self._waits_for_process = False
        if self._process is None:
            self._start()
        with self._lock:
            sent = self._waiting is None or self._asked is not None or self._send()
        if not sent:
            self._on_death()

    def _send(self) -> bool:
        """Send what waits to the process, which rests; tell whether it could be sent. The lock is held."""
        request, self._waiting = self._waiting, None
        assert request is not None
        known = request.drag == self._begun_drag
        try:
            assert self._connection is not None
            self._connection.send((replace(request, start=None) if known else request, not known))
        except OSError:
            self._waiting = request
            return False
        self._asked, self._begun_drag = request, request.drag
        return True

    def _listen(self) -> None:
        sources: list[Any] = [self._bell]
        if self._connection is not None:
            sources += [self._connection, self._process.sentinel]
        ready = wait(sources)
        if self._bell in ready:
            while self._bell.poll():
                self._bell.recv_bytes()
        if self._connection is None:
            return
        if self._connection in ready:
            try:
                self._on_message(self._connection.recv())
            except (EOFError, OSError):
                self._on_death()
        elif self._process.sentinel in ready:
            self._on_death()

    def _on_message(self, message: tuple[Any, ...]) -> None:
        word, *rest = message
        asked = self._asked
        if word == "done":
            self._asked, self._deaths = None, 0
            return
        if asked is None or asked.sequence <= self._dropped_before:
            return
        answer = self._read(word, rest, asked)
        if answer is not None and self._is_open:
            self._answered(answer)

    def _read(self, word: str, rest: list[Any], asked: LiveRequest) -> LiveAnswer | None:
        where = (asked.sequence, asked.drag)
        if word == "trouble":
            self._begun_drag = ""
            return LiveTrouble(*where, *rest)
        if word == "body":
            counts, new_faces, fit = rest
            read = live_memory.read_body(self._memory, *counts)
            if new_faces or self._faces is None or len(self._faces) != counts[1]:
                self._faces = live_memory.read_faces(self._memory, counts[1])
            return LiveBody(
                *where,
                asked.is_last,
                read.vertices,
                self._faces,
                read.residual,
                read.joints,
                read.projected_px,
                read.orientation,
                fit,
            )
        size, origin, scale, outlines = rest
        rgba = live_memory.read_picture(self._memory, size)
        return LivePicture(*where, asked.is_last, rgba, origin, scale, outlines)

    def _start(self) -> None:
        spawn = multiprocessing.get_context("spawn")
        ours, theirs = spawn.Pipe()
        self._process = spawn.Process(
            target=serve, args=(theirs, self._memory_name), name="limbstudio-live", daemon=True
        )
        with one_blas_thread():
            self._process.start()
        theirs.close()  # or the pipe would stay open when the process dies
        with self._lock:
            self._connection, self._begun_drag = ours, ""
        self._faces = None

    def _on_death(self) -> None:
        """Start anew with the newest request; after several deaths in a row say so and rest."""
        log.warning("The live process ended; it is started again.")
        self._stop()
        self._deaths += 1
        with self._lock:
            lost, self._asked = self._asked, None
            if self._waiting is None and lost is not None and lost.sequence > self._dropped_before:
                self._waiting = lost
            newest = self._waiting
            if self._deaths >= _MOST_DEATHS:
                self._waiting = None
            else:
                self._waits_for_process = True
        if self._deaths >= _MOST_DEATHS and newest is not None:
            hint = "Fit the body after the drag (F). The log in Help says more."
            self._answered(LiveTrouble(newest.sequence, newest.drag, "The body cannot follow now.", hint))

    def _stop(self) -> None:
        process, self._process = self._process, None
        with self._lock:
            connection, self._connection = self._connection, None
        if process is None:
            return
        for end in (process.terminate, process.kill):
            if process.is_alive():
                end()
                process.join(_LONGEST_END_S)
        if connection is not None:
            connection.close()
