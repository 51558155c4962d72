"""Background work as the program sees it: a `Job` that runs, reports, and ends in one of three ways."""

import logging
import math
import threading
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from itertools import count
from typing import Any, Protocol

from limbstudio.domain.errors import KnownError

log = logging.getLogger(__name__)
_numbers = count(1)
# What torch says, in a plain RuntimeError, where the computer's own memory is full.
_TORCH_IS_SHORT = "DefaultCPUAllocator"


class Cancelled(BaseException):
    """Raised inside a job by `Context.report` when the job was cancelled.

    A BaseException, so that a method's own error handling does not swallow it.
    """


class JobState(StrEnum):
    QUEUED = "queued"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def has_ended(self) -> bool:
        return self in (JobState.SUCCEEDED, JobState.FAILED, JobState.CANCELLED)


@dataclass(frozen=True)
class Failure:
    """Why a job failed. message, hint: for people. report: a text to copy when the fault is ours, else
    empty. process_ended: the process that worked on it died or had to be stopped.
    """

    message: str
    hint: str = ""
    report: str = ""
    process_ended: bool = False

    @property
    def is_ours(self) -> bool:
        return bool(self.report)

    @classmethod
    def of(cls, error: BaseException, title: str) -> "Failure":
        """Say in words what `error`, raised by the job `title`, means."""
        if isinstance(error, KnownError):
            return cls(error.message, error.hint)
        # Of torch's own; it is not imported for its name.
        is_torch = type(error).__name__ == "OutOfMemoryError"
        if is_torch and type(error).__module__.startswith("torch"):
            hint = "Close other programs that use the GPU, or run it on the CPU."
            return cls(f"“{title}” stopped: the memory of the GPU is full.", hint)
        if isinstance(error, MemoryError) or is_torch or _TORCH_IS_SHORT in str(error):
            hint = "Close other programs, or work on smaller photos or on the CPU, and run it again."
            return cls(f"There was not enough memory for “{title}”.", hint)
        report = "".join(traceback.format_exception(error))
        return cls(f"“{title}” stopped because of a mistake in LimbStudio.", "Your work is saved.", report)


class Context(Protocol):
    """What a job's function is handed to speak to the outside."""

    def report(self, fraction: float, sentence: str = "") -> None:
        """Say how far the work is (0..1) and what it does now; raise `Cancelled` when it was cancelled."""
        ...


@dataclass(frozen=True)
class JobView:
    """What a job looked like at one moment; safe to pass between threads."""

    id: int
    title: str
    state: JobState
    progress: float
    sentence: str
    failure: Failure | None
    elapsed_s: float
    left_s: float | None


class Job:
    """One piece of background work: queued, running, then succeeded, failed or cancelled. Thread-safe.

    title: for people. photo: the photo it concerns, so that work on the photo in view goes first. again: starts the
    same work once more, as it would be done now; None where that makes no sense.
    """

    def __init__(self, title: str, photo: str | None = None) -> None:
        self.id = next(_numbers)
        self.title = title
        self.photo = photo
        self.again: Callable[[], Job] | None = None
        self._state = JobState.QUEUED
        self._progress = 0.0
        self._sentence = ""
        self._result: Any = None
        self._failure: Failure | None = None
        self._started: float | None = None
        self._ended_at: float | None = None
        self._lock = threading.RLock()
        self._ended = threading.Event()
        self._cancel_asked = threading.Event()
        self._listeners: list[Callable[[JobView], None]] = []
        self._on_cancel: Callable[[bool], None] | None = None

    @property
    def state(self) -> JobState:
        return self._state

    @property
    def progress(self) -> float:
        """Return how far the job is, 0..1; it never falls."""
        return self._progress

    @property
    def sentence(self) -> str:
        """Return what the job does now, in words."""
        return self._sentence

    @property
    def failure(self) -> Failure | None:
        return self._failure

    @property
    def result(self) -> Any:  # noqa: ANN401 - whatever the job's function returns
        """Return what the job made; raise KnownError when it failed by the world's fault, RuntimeError
        otherwise.
        """
        if self._state is JobState.SUCCEEDED:
            return self._result
        if self._failure and not self._failure.is_ours:
            raise KnownError(self._failure.message, self._failure.hint)
        raise RuntimeError(
            self._failure.report if self._failure else f"“{self.title}” has no result: {self._state}."
        )

    @property
    def was_cancelled(self) -> bool:
        """Tell whether somebody asked for the job to stop (it may not have stopped yet)."""
        return self._cancel_asked.is_set()

    def view(self) -> JobView:
        with self._lock:
            now = self._ended_at or time.monotonic()
            elapsed = now - self._started if self._started else 0.0
            known = 0.02 < self._progress < 1 and elapsed > 1 and self._state is JobState.RUNNING
            left = elapsed * (1 - self._progress) / self._progress if known else None
            return JobView(
                self.id, self.title, self._state, self._progress, self._sentence, self._failure, elapsed, left
            )

    def listen(self, listener: Callable[[JobView], None]) -> Callable[[], None]:
        """Call `listener` on every change, from the lane's thread, and once now; return a function that stops
        it.
        """
        with self._lock:
            self._listeners.append(listener)
        listener(self.view())

        def stop() -> None:
            with self._lock:
                if listener in self._listeners:
                    self._listeners.remove(listener)

        return stop

    def cancel(self, *, firm: bool = False) -> None:
        """Ask the job to stop: it does at its next report. firm: do not wait for that where the lane can."""
        with self._lock:
            if self._state.has_ended:
                return
            self._cancel_asked.set()
            hook = self._on_cancel
        if hook:
            hook(firm)

    def wait(self, timeout_s: float | None = None) -> bool:
        """Wait until the job has ended; tell whether it has."""
        return self._ended.wait(timeout_s)

    # ----------------------------------------------------------------------------------------- for lanes only

    def on_cancel(self, hook: Callable[[bool], None]) -> None:
        """Let the lane know when somebody cancels; called with `firm`."""
        self._on_cancel = hook

    def started(self) -> None:
        with self._lock:
            self._state, self._started = JobState.RUNNING, time.monotonic()
        self._tell()

    def advanced(self, fraction: float, sentence: str) -> None:
        """Note progress: clamped to 0..1 and never falling, whatever a method reports."""
        with self._lock:
            if self._state is not JobState.RUNNING:
                return
            if math.isfinite(fraction):
                self._progress = min(1.0, max(self._progress, fraction))
            self._sentence = sentence or self._sentence
        self._tell()

    def succeeded(self, result: object) -> None:
        self._end(JobState.SUCCEEDED, result=result)

    def failed(self, failure: Failure) -> None:
        self._end(JobState.FAILED, failure=failure)

    def cancelled(self) -> None:
        self._end(JobState.CANCELLED)

    def _end(self, state: JobState, *, result: object = None, failure: Failure | None = None) -> None:
        with self._lock:
            if self._state.has_ended:
                return
            self._state, self._result, self._failure = state, result, failure
            self._ended_at = time.monotonic()
            if state is JobState.SUCCEEDED:
                self._progress = 1.0
        if failure:
            log.warning("Job %s failed: %s %s", self.title, failure.message, failure.report)
        self._tell()
        self._ended.set()

    def _tell(self) -> None:
        with self._lock:
            listeners = tuple(self._listeners)
        view = self.view()
        for listener in listeners:
            listener(view)


class LocalContext:
    """The context of a job that runs in this process."""

    def __init__(self, job: Job) -> None:
        self._job = job

    def report(self, fraction: float, sentence: str = "") -> None:
        if self._job.was_cancelled:
            raise Cancelled
        self._job.advanced(fraction, sentence)
