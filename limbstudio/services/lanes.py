"""Where background work runs: at once, in threads, or in a process of its own that may crash without harm."""

import logging
import threading
from collections.abc import Callable
from typing import Any, Protocol

from limbstudio.services.jobs import Cancelled, Failure, Job, LocalContext

log = logging.getLogger(__name__)

# A job that says nothing for this long is taken to hang; methods report at least every few seconds.
PATIENCE_S = 300.0
# How long a cancelled job may take to notice before its process is stopped.
GRACE_S = 5.0
_LONGEST_SILENCE_OF_A_START_S = 120.0


class Lane(Protocol):
    """A place that runs jobs."""

    def submit(
        self, function: Callable[..., Any], *arguments: object, title: str, photo: str | None = None
    ) -> Job:
        """Queue `function(context, *arguments)` and return its job at once."""
        ...

    def close(self) -> None:
        """Cancel what runs and waits, and give everything back."""
        ...


def _run(job: Job, function: Callable[..., Any], arguments: tuple[Any, ...]) -> None:
    if job.was_cancelled:
        job.cancelled()
        return
    job.started()
    try:
        result = function(LocalContext(job), *arguments)
    except Cancelled:
        job.cancelled()
    except Exception as error:  # noqa: BLE001 - the border "lane": a job's mistake must end the job, not the program
        job.failed(Failure.of(error, job.title))
    else:
        job.succeeded(result)


class InlineLane:
    """Run each job at once in the caller's thread: for the command line and for tests."""

    def submit(
        self, function: Callable[..., Any], *arguments: object, title: str, photo: str | None = None
    ) -> Job:
        job = Job(title, photo)
        _run(job, function, arguments)
        return job

    def close(self) -> None:
        pass


class _Queue:
    """Jobs that wait. Those of the photo in view go first, otherwise in order."""

    def __init__(self) -> None:
        self._waiting: list[tuple[Job, Callable[..., Any], tuple[Any, ...]]] = []
        self._changed = threading.Condition()
        self._closed = False
        self.photo_in_view: str | None = None

    def put(self, job: Job, function: Callable[..., Any], arguments: tuple[Any, ...]) -> None:
        with self._changed:
            if self._closed:
                job.cancelled()
                return
            self._waiting.append((job, function, arguments))
            self._changed.notify()

    def take(self, timeout_s: float | None = None) -> tuple[Job, Callable[..., Any], tuple[Any, ...]] | None:
        """Return the next job, or None when the queue was closed or nothing came in time."""
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or self._closed, timeout_s)
            if self._closed or not self._waiting:
                return None
            first = next(
                (i for i, item in enumerate(self._waiting) if item[0].photo == self.photo_in_view), 0
            )
            return self._waiting.pop(first if self.photo_in_view else 0)

    def drop(self, job: Job) -> bool:
        """Take a job out of the queue; tell whether it still waited."""
        with self._changed:
            for index, item in enumerate(self._waiting):
                if item[0] is job:
                    del self._waiting[index]
                    return True
        return False

    @property
    def is_closed(self) -> bool:
        return self._closed

    def close(self) -> list[Job]:
        with self._changed:
            self._closed = True
            left = [item[0] for item in self._waiting]
            self._waiting.clear()
            self._changed.notify_all()
        return left


class ThreadLane:
    """Run jobs in threads of this process: files and numpy. A job here can only be cancelled politely."""

    def __init__(self, threads: int = 2) -> None:
        self._queue = _Queue()
        self._running: set[Job] = set()
        self._threads = [
            threading.Thread(target=self._serve, name=f"lane-{i}", daemon=True) for i in range(threads)
        ]
        for thread in self._threads:
            thread.start()

    def submit(
        self, function: Callable[..., Any], *arguments: object, title: str, photo: str | None = None
    ) -> Job:
        job = Job(title, photo)
        job._on_cancel = lambda firm: job.cancelled() if self._queue.drop(job) else None
        self._queue.put(job, function, arguments)
        return job

    def put_first(self, photo: str | None) -> None:
        """Let jobs of this photo overtake the others."""
        self._queue.photo_in_view = photo

    def close(self) -> None:
        for job in self._queue.close():
            job.cancelled()
        for job in tuple(self._running):
            job.cancel()
        for thread in self._threads:
            thread.join(GRACE_S)

    def _serve(self) -> None:
        while item := self._queue.take():
            job, function, arguments = item
            self._running.add(job)
            _run(job, function, arguments)
            self._running.discard(job)
