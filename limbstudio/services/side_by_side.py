"""Work through a batch side by side: this process and warm ones beside it each take the next piece when they
are free.

What a piece gives does not depend on where it was done, and results come in the order of the pieces.
"""

import importlib
import logging
import os
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import TypeVar

from limbstudio.domain.errors import KnownError
from limbstudio.services.jobs import Context, Job, JobState, JobView
from limbstudio.services.lanes import ProcessLane

Piece = TypeVar("Piece")
Result = TypeVar("Result")

# A body, a photo and the libraries take about 300 MB in each process.
_MOST_HELPERS = 3
# With fewer pieces a new process would still be importing when they are done.
_FEWEST_PIECES = 3
# When the work is broken off, a helper finishes its piece, so that it leaves no half of one behind.
_LONGEST_PIECE_S = 30.0


class Helpers:
    """Processes beside this one, each warm for the next piece. They end with the `with` block."""

    def __init__(self, module: str, *, most: int | None = None) -> None:
        """Prepare helpers; none is started yet.

        module: whose `warm_up()` a helper calls first; by name, so that it need not be imported here. most:
        by default one for each other core, up to three.
        """
        self._warm_up = partial(_warm_up, module)
        self._most = min(_cores() - 1, _MOST_HELPERS) if most is None else most
        self._lanes: list[ProcessLane] = []
        self._starts: list[Job] = []
        # A failure reaches the caller as an error; without a handler it would be printed as well.
        logging.getLogger("limbstudio").addHandler(logging.NullHandler())

    def start(self, pieces: int) -> None:
        """Start as many as `pieces` of work keep busy, unless some were, and return before they are ready."""
        if self._lanes or pieces < _FEWEST_PIECES:
            return
        for number in range(min(self._most, pieces - 1)):
            self._lanes.append(ProcessLane(f"helper-{number}", warm_up=self._warm_up))
            self._starts.append(self._lanes[-1].submit(_nothing, title="Starting"))

    def work_through(
        self,
        pieces: Sequence[Piece],
        work: Callable[[Piece], Result],
        *,
        instead: Callable[[Piece, KnownError], Result],
        about_to: Callable[[int, Piece], None] = lambda finished, piece: None,
    ) -> Iterator[Result]:
        """Give `work(piece)` for every piece, in order.

        work, pieces and results must be picklable. instead: the result of a piece whose process died.
        about_to: called before each piece that this process does, with the number of finished ones; what it
        raises ends the work.
        """
        self.start(len(pieces))
        waiting = deque(enumerate(pieces))
        handed_over: dict[int, Job] = {}
        done: dict[int, Result] = {}
        lock = threading.Lock()

        def hand_over(lane: ProcessLane) -> None:
            with lock:
                if not waiting:
                    return
                index, piece = waiting.popleft()
                job = handed_over[index] = lane.submit(_do, work, piece, title=f"Piece {index + 1}")
            job.listen(lambda view: hand_over(lane) if view.state.has_ended else None)

        def once_started(lane: ProcessLane, view: JobView) -> None:
            if view.state is JobState.SUCCEEDED:  # one that cannot start is given nothing
                hand_over(lane)

        try:
            for lane, start in zip(self._lanes, self._starts, strict=True):
                start.listen(lambda view, lane=lane: once_started(lane, view))
            for index in range(len(pieces)):
                while index not in done:
                    with lock:
                        job = handed_over.get(index)
                        mine = waiting.popleft() if waiting and not _has_ended(job) else None
                        finished = len(done) + sum(map(_has_ended, handed_over.values()))
                    if mine is not None:
                        about_to(finished, mine[1])
                        done[mine[0]] = work(mine[1])
                    elif job is not None:
                        job.wait()
                        done[index] = _result_of(job, lambda error, i=index: instead(pieces[i], error))
                        del handed_over[index]
                yield done[index]
        finally:
            with lock:
                waiting.clear()
            for job in handed_over.values():
                job.wait(_LONGEST_PIECE_S)

    def close(self) -> None:
        """End the processes."""
        for lane in self._lanes:
            lane.close()
        self._lanes.clear()
        self._starts.clear()

    def __enter__(self) -> "Helpers":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _has_ended(job: Job | None) -> bool:
    return job is not None and job.state.has_ended


def _result_of(job: Job, instead: Callable[[KnownError], Result]) -> Result:
    try:
        return job.result
    except KnownError as error:
        return instead(error)


def _cores() -> int:
    """Return how many cores this process may use."""
    allowed = getattr(os, "sched_getaffinity", None)
    return len(allowed(0)) if allowed else os.cpu_count() or 1


# ----------------------------------------------------------------------------------------- inside the process


def _warm_up(module: str) -> None:
    try:
        importlib.import_module(module).warm_up()
    except KnownError:
        return  # the first piece will say it


def _nothing(context: Context) -> None:
    """Be ready."""


def _do(context: Context, work: Callable[[Piece], Result], piece: Piece) -> Result:
    return work(piece)
