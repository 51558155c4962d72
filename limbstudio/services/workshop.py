"""Where a studio's jobs run, and which there are: a lane of threads, the worker's process, a thread for batches."""

import threading
from collections.abc import Callable, Sequence
from typing import Any

from limbstudio.services import machine, pipeline
from limbstudio.services.jobs import Job
from limbstudio.services.lanes import Finish, InlineLane, ProcessLane, ThreadLane

_KEPT_JOBS = 200  # that have ended; a day of fits must not fill the memory with their results


class Workshop:
    """Run the jobs of a studio. Lanes are made when the first job needs them.

    run_inline: jobs run at once in the caller's thread. on_new: told of every job that people may see.
    """

    def __init__(self, *, run_inline: bool, on_new: Callable[[Job], None]) -> None:
        self.run_inline = run_inline
        self.photo_in_view: str | None = None
        self.worker: InlineLane | ProcessLane | None = None
        self._threads: InlineLane | ThreadLane | None = None
        self._batches: InlineLane | ThreadLane | None = None
        self._lock = threading.Lock()
        self._on_new = on_new
        self._jobs: list[Job] = []

    # ---------------------------------------------------------------------------------------------------- running

    def run(
        self, function: Callable[..., Any], *arguments: object, title: str, photo: str | None = None
    ) -> Job:
        """Run `function(context, *arguments)` in the thread lane."""
        job = self._thread_lane().submit(function, *arguments, title=title, photo=photo)
        return self.note(job, lambda: self.run(function, *arguments, title=title, photo=photo))

    def compute(
        self, function: Callable[..., Any], *arguments: object, title: str, photo: str, finish: Finish
    ) -> Job:
        """Run `function(context, *arguments)` in the worker's process; see `Studio.compute`."""
        job = self.worker_lane().submit(function, *arguments, title=title, photo=photo, finish=finish)
        return self.note(
            job, lambda: self.compute(function, *arguments, title=title, photo=photo, finish=finish)
        )

    def run_batch(self, function: Callable[..., Any], *, title: str, again: Callable[[], Job]) -> Job:
        """Run `function(context)`, which only hands work to the worker and waits, beside everything else."""
        with self._lock:
            if self._batches is None:
                self._batches = InlineLane(self.note) if self.run_inline else ThreadLane(1)
        return self.note(self._batches.submit(function, title=title), again)

    def worker_lane(self, *, quietly: bool = False) -> InlineLane | ProcessLane:
        """Return the lane of the worker's process. quietly: nobody is told of a job that runs at once."""
        if quietly and self.run_inline:
            return InlineLane()
        with self._lock:
            if self.worker is None:
                self.worker = InlineLane(self.note) if self.run_inline else _new_worker()
            return self.worker

    def _thread_lane(self) -> InlineLane | ThreadLane:
        with self._lock:
            if self._threads is None:
                self._threads = InlineLane(self.note) if self.run_inline else ThreadLane()
            return self._threads

    @property
    def device(self) -> str:
        """Return what models run on, in words; empty until the worker's process has said it."""
        return self.worker.device if isinstance(self.worker, ProcessLane) else ""

    def look_at(self, photo: str | None) -> None:
        """Say which photo is in view: its jobs go first."""
        self.photo_in_view = photo
        for lane in (self.worker, self._threads):
            if isinstance(lane, ThreadLane | ProcessLane):
                lane.put_first(photo)

    def hold(self, held: bool) -> None:
        """Let background work rest while a person drags something that must follow, or go on."""
        for lane in (self.worker, self._threads):
            if isinstance(lane, ThreadLane | ProcessLane):
                lane.hold(held)

    def close(self) -> None:
        """Stop all threads and processes."""
        with self._lock:
            for lane in (self._batches, self.worker, self._threads):
                if lane is not None:
                    lane.close()
            self._batches = self.worker = self._threads = None

    # -------------------------------------------------------------------------------------------------- what there is

    @property
    def jobs(self) -> tuple[Job, ...]:
        """Return the jobs of the project, oldest first; of those that ended, the newest."""
        return tuple(self._jobs)

    def note(self, job: Job, again: Callable[[], Job] | None = None) -> Job:
        """Count a job among those that people see. again: starts it once more."""
        job.again = again or job.again
        if job not in self._jobs:
            self.forget([old for old in self._jobs if old.state.has_ended][:-_KEPT_JOBS])
            self._jobs.append(job)
            self._on_new(job)
        return job

    def forget(self, ended: Sequence[Job]) -> None:
        """Let go of jobs that have ended, and of their results."""
        self._jobs = [job for job in self._jobs if job not in ended or not job.state.has_ended]

    def cancel_all(self) -> None:
        """Cancel every job and let go of all: the project is closed."""
        for job in self._jobs:
            job.cancel()
        self._jobs = []


def _new_worker() -> ProcessLane:
    return ProcessLane(warm_up=pipeline.warm_up, most_memory=machine.most_for_worker())
