"""Where background work runs: at once, in threads, or in a process of its own that may crash without harm."""

import contextlib
import logging
import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Callable
from typing import Any, Protocol

from limbstudio.services import machine
from limbstudio.services.jobs import Cancelled, Failure, Job, LocalContext
from limbstudio.services.lane_worker import work

log = logging.getLogger(__name__)

# A job that says nothing for this long is taken to hang; methods report at least every few seconds.
PATIENCE_S = 300.0
# How long a cancelled job may take to notice before its process is stopped.
GRACE_S = 5.0
_LONGEST_START_S = 120.0
# However long a drag lasts, batches rest no longer than this at a time.
LONGEST_REST_S = 10.0


Finish = Callable[[Any], Any] | None
_Item = tuple[Job, Callable[..., Any], tuple[Any, ...], Finish]


class Lane(Protocol):
    """A place that runs jobs."""

    def submit(
        self,
        function: Callable[..., Any],
        *arguments: object,
        title: str,
        photo: str | None = None,
        finish: Finish = None,
    ) -> Job:
        """Queue `function(context, *arguments)` and return its job at once.

        finish: turns what the function returned into the job's result, in this process, before the job has
        ended.
        """
        ...

    def close(self) -> None:
        """Cancel what runs and waits, and give everything back."""
        ...


class _RestingContext(LocalContext):
    """The context of a job that rests at a report while it may not go on."""

    def __init__(self, job: Job, go_on: threading.Event) -> None:
        super().__init__(job)
        self._go_on = go_on

    def report(self, fraction: float, sentence: str = "") -> None:
        self._go_on.wait(LONGEST_REST_S)
        super().report(fraction, sentence)


def run_here(
    job: Job,
    function: Callable[..., Any],
    arguments: tuple[Any, ...],
    finish: Finish,
    go_on: threading.Event | None = None,
) -> None:
    """Run a job in this thread, to whatever end. go_on: while it is not set the job rests at its next report."""
    if job.was_cancelled:
        job.cancelled()
        return
    job.started()
    try:
        context = LocalContext(job) if go_on is None else _RestingContext(job, go_on)
        result = function(context, *arguments)
        result = finish(result) if finish else result
    except Cancelled:
        job.cancelled()
    except Exception as error:  # noqa: BLE001 - the border "lane": a job's mistake must end the job, not the program
        if job.was_cancelled:  # what it worked on may be gone, as when a project is closed
            log.info("Job %s ended with %r after it was cancelled.", job.title, error)
            job.cancelled()
        else:
            job.failed(Failure.of(error, job.title))
    else:
        job.succeeded(result)


class InlineLane:
    """Run each job at once in the caller's thread: for the command line and for tests.

    on_new: called with each job before it runs, since `submit` returns only afterwards.
    """

    def __init__(self, on_new: Callable[[Job], object] | None = None) -> None:
        self._on_new = on_new

    def submit(
        self,
        function: Callable[..., Any],
        *arguments: object,
        title: str,
        photo: str | None = None,
        finish: Finish = None,
    ) -> Job:
        job = Job(title, photo)
        if self._on_new:
            self._on_new(job)
        run_here(job, function, arguments, finish)
        return job

    def close(self) -> None:
        pass


class _Queue:
    """Jobs that wait. Those of the photo in view go first, otherwise in order."""

    def __init__(self) -> None:
        self._waiting: list[_Item] = []
        self._changed = threading.Condition()
        self._closed = False
        self.photo_in_view: str | None = None

    def put(self, item: _Item) -> None:
        with self._changed:
            if self._closed:
                item[0].cancelled()
                return
            self._waiting.append(item)
            self._changed.notify()

    def take(self, timeout_s: float | None = None) -> _Item | None:
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
        self._go_on = threading.Event()
        self._go_on.set()
        self._threads = [
            threading.Thread(target=self._serve, name=f"lane-{i}", daemon=True) for i in range(threads)
        ]
        for thread in self._threads:
            thread.start()

    def submit(
        self,
        function: Callable[..., Any],
        *arguments: object,
        title: str,
        photo: str | None = None,
        finish: Finish = None,
    ) -> Job:
        job = Job(title, photo)

        def on_cancel(firm: bool) -> None:
            if self._queue.drop(job):
                job.cancelled()

        job.on_cancel(on_cancel)
        self._queue.put((job, function, arguments, finish))
        return job

    def put_first(self, photo: str | None) -> None:
        """Let jobs of this photo overtake the others."""
        self._queue.photo_in_view = photo

    def hold(self, held: bool) -> None:
        """Let jobs rest at their next report while a person drags, or go on."""
        if held:
            self._go_on.clear()
        else:
            self._go_on.set()

    def close(self) -> None:
        for job in self._queue.close():
            job.cancelled()
        for job in tuple(self._running):
            job.cancel()
        self._go_on.set()
        for thread in self._threads:
            thread.join(GRACE_S)

    def _serve(self) -> None:
        while item := self._queue.take():
            job, function, arguments, finish = item
            self._running.add(job)
            run_here(job, function, arguments, finish, self._go_on)
            self._running.discard(job)


class ProcessLane:
    """Run jobs one after the other in a process of its own, which is kept warm and started anew when it dies.

    A crash, running out of memory, a kill or a hang ends the job with a message; the program goes on.
    Functions and arguments must be picklable: functions of a module, records, paths, arrays. The process is
    spawned, never forked: a fork after Qt or torch hangs. warm_up: a function that the new process calls
    first, to import what is slow. most_memory: bytes; a process that holds more is stopped before the window starves.
    """

    def __init__(
        self,
        name: str = "cpu",
        *,
        warm_up: Callable[[], None] | None = None,
        patience_s: float = PATIENCE_S,
        grace_s: float = GRACE_S,
        most_memory: int | None = None,
    ) -> None:
        self.device = ""
        self._name = name
        self._warm_up = warm_up
        self._most_memory = most_memory
        self._patience_s = patience_s
        self._grace_s = grace_s
        self._queue = _Queue()
        self._worker: _Worker | None = None
        self._running: Job | None = None
        self._firmly: set[int] = set()
        self._asked_at: float | None = None  # when the running job was told to stop
        self._thread = threading.Thread(target=self._supervise, name=f"lane-{name}", daemon=True)
        self._thread.start()

    @property
    def process_id(self) -> int | None:
        """Return the process that works now, or None before the first job needs one."""
        return self._worker.process.pid if self._worker else None

    def submit(
        self,
        function: Callable[..., Any],
        *arguments: object,
        title: str,
        photo: str | None = None,
        finish: Finish = None,
    ) -> Job:
        job = Job(title, photo)

        def on_cancel(firm: bool) -> None:
            if firm:
                self._firmly.add(job.id)
            if self._queue.drop(job):
                job.cancelled()

        job.on_cancel(on_cancel)
        self._queue.put((job, function, arguments, finish))
        return job

    def put_first(self, photo: str | None) -> None:
        """Let jobs of this photo overtake the others."""
        self._queue.photo_in_view = photo

    def hold(self, held: bool) -> None:
        """Let what runs rest while a person drags, or go on. A job that is told to stop meanwhile goes on to end."""
        worker = self._worker
        if worker is not None:
            worker.hold(held)

    def close(self) -> None:
        for job in self._queue.close():
            job.cancelled()
        self.hold(False)
        running = self._running
        if running:
            running.cancel(firm=True)
        self._thread.join(self._grace_s + 5.0)

    # -------------------------------------------------------------------------------- the supervisor's thread

    def _supervise(self) -> None:
        try:
            while item := self._queue.take():
                self._running = item[0]
                self._run(*item)
                self._firmly.discard(item[0].id)
                self._running = None
        finally:
            self._stop_worker()

    def _run(
        self, job: Job, function: Callable[..., Any], arguments: tuple[Any, ...], finish: Finish
    ) -> None:
        if job.was_cancelled:
            job.cancelled()
            return
        job.started()
        self._asked_at = None
        try:
            self._follow(job, self._begun(job, function, arguments), finish)
        except _Died as death:
            self._stop_worker()
            if job.was_cancelled:
                job.cancelled()
            else:
                job.failed(_failure_of_death(job.title, death.exit_code))
        except _Stopped as stopped:
            self._stop_worker()
            job.failed(stopped.failure)
        except Cancelled:
            self._stop_worker()
            job.cancelled()
        except Exception as error:  # noqa: BLE001 - the border "lane": what cannot be sent or read is this job's end only
            self._stop_worker()
            job.failed(Failure.of(error, job.title))

    def _begun(self, job: Job, function: Callable[..., Any], arguments: tuple[Any, ...]) -> "_Worker":
        """Return the process that has begun with the job.

        One that died while it waited for work, as when the system was short of memory, is replaced without a
        word.
        """
        for is_last_try in (False, True):
            worker = self._ready_worker(job)
            try:
                worker.connection.send(("run", job.id, function, arguments, job.title))
                message = self._next_message(job, worker, self._patience_s)
            except (_Died, ConnectionError):
                self._stop_worker()
                if is_last_try:
                    raise
                continue
            if message[0] == "unreadable":
                raise RuntimeError(message[-1])
            return worker
        raise AssertionError("unreachable")

    def _ready_worker(self, job: Job) -> "_Worker":
        """Return a living process that waits for work; start one where there is none."""
        for _ in range(3):
            if self._worker is not None and self._worker.process.is_alive():
                return self._worker
            self._stop_worker()
            job.advanced(0.0, "Starting the worker")
            worker = self._worker = _Worker(self._name, self._warm_up)
            try:
                message = self._next_message(job, worker, _LONGEST_START_S)
            except _Died as death:
                log.warning("The worker %s did not start (exit code %s).", self._name, death.exit_code)
                continue
            if message[0] == "ready":
                self.device = str(message[2])
                return worker
            raise RuntimeError(message[-1])
        raise _Died(None)

    def _follow(self, job: Job, worker: "_Worker", finish: Finish) -> None:
        while True:
            word, number, *rest = self._next_message(job, worker, self._patience_s)
            if number != job.id:
                continue
            if word == "progress":
                job.advanced(*rest)
                continue
            if word == "done":
                _finish(job, finish, rest[0])
            elif word == "cancelled":
                job.cancelled()
            else:
                job.failed(Failure(*rest))
            return

    def _next_message(self, job: Job, worker: "_Worker", patience_s: float) -> tuple[Any, ...]:
        """Wait for the process to speak. Raise Cancelled or _Died when it must be, or was, stopped."""
        silent_since = time.monotonic()
        while True:
            # First, because a job that reports all the time must be stopped too.
            self._pass_on_cancelling(job, worker)
            self._must_fit_into_memory(job, worker)
            if worker.connection.poll(0.05):
                try:
                    return worker.connection.recv()
                except (EOFError, ConnectionError) as error:
                    worker.process.join(2.0)
                    raise _Died(worker.process.exitcode) from error
            if not worker.process.is_alive() and not worker.connection.poll(0):
                raise _Died(worker.process.exitcode)
            if time.monotonic() - silent_since > patience_s:
                raise _Stopped(_failure_of_hang(job.title, patience_s))

    def _must_fit_into_memory(self, job: Job, worker: "_Worker") -> None:
        most = self._most_memory
        if most is None or worker.process.pid is None:
            return
        held = machine.memory_of(worker.process.pid)
        if held is not None and held > most:
            raise _Stopped(_failure_of_size(job.title, most))

    def _pass_on_cancelling(self, job: Job, worker: "_Worker") -> None:
        """Tell the process to stop its job; raise Cancelled when it must be stopped with it."""
        if not job.was_cancelled:
            return
        now = time.monotonic()
        if self._asked_at is None:
            self._asked_at = now
            with contextlib.suppress(OSError):  # it may have died this moment; the next round sees it
                worker.connection.send(("cancel", job.id))
        if job.id in self._firmly or now - self._asked_at > self._grace_s:
            raise Cancelled

    def _stop_worker(self) -> None:
        worker, self._worker = self._worker, None
        if worker is not None:
            worker.stop()


def _finish(job: Job, finish: Finish, result: object) -> None:
    try:
        job.succeeded(finish(result) if finish else result)
    except Cancelled:
        job.cancelled()
    except Exception as error:  # noqa: BLE001 - the border "lane": the process is well, only this job has failed
        job.failed(Failure.of(error, job.title))


class _Died(Exception):
    """The process ended by itself. exit_code: negative is the signal's number; None if it never started."""

    def __init__(self, exit_code: int | None) -> None:
        super().__init__(exit_code)
        self.exit_code = exit_code


class _Stopped(Exception):
    """The process had to be stopped. failure: why, in words."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure.message)
        self.failure = failure


class _Worker:
    """One spawned process and the pipe to it."""

    def __init__(self, name: str, warm_up: Callable[[], None] | None) -> None:
        spawn = multiprocessing.get_context("spawn")
        self.connection, theirs = spawn.Pipe()
        self.process = spawn.Process(
            target=work, args=(theirs, warm_up), name=f"limbstudio-{name}", daemon=True
        )
        self.process.start()
        theirs.close()  # or the pipe would stay open when the process dies

    def hold(self, held: bool) -> None:
        """Let the process rest, or go on, where the system can do that."""
        pid = self.process.pid
        if pid is not None and hasattr(signal, "SIGSTOP") and self.process.is_alive():
            with contextlib.suppress(ProcessLookupError):  # it ended this moment
                os.kill(pid, signal.SIGSTOP if held else signal.SIGCONT)

    def stop(self) -> None:
        self.hold(False)  # one that rests hears no polite word
        for end in (self.process.terminate, self.process.kill):
            if self.process.is_alive():
                end()
                self.process.join(2.0)
        self.connection.close()
        if not self.process.is_alive():
            self.process.close()


def _failure_of_death(title: str, exit_code: int | None) -> Failure:
    if exit_code is None:
        message = f"“{title}” could not start: its process ended at once, three times."
        hint = "Close other programs and run it again. The log (Help, Open log) says more."
    elif exit_code == -9:
        message = f"“{title}” was stopped by the system."
        hint = "Most likely memory ran out. Close other programs, or use smaller photos, and run it again."
    else:
        message = f"“{title}” crashed (exit code {exit_code})."
        hint = "Your work is saved. Run it again; if it happens again, copy the log from Help and report it."
    return Failure(message, hint, process_ended=True)


def _failure_of_hang(title: str, patience_s: float) -> Failure:
    message = f"“{title}” gave no sign of life for {patience_s:.0f} s and was stopped."
    hint = "Run it again. If it happens again, copy the log from Help and report it."
    return Failure(message, hint, process_ended=True)


def _failure_of_size(title: str, most: int) -> Failure:
    message = f"“{title}” needed more than {machine.size_words(most)} of memory and was stopped."
    hint = (
        "Your work is saved. Use smaller photos or another model, or run it on a computer with more memory."
    )
    return Failure(message, hint, process_ended=True)
