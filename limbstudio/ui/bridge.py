"""The only place where anything crosses into the GUI thread."""

import logging
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

from PySide6.QtCore import QObject, Qt, QTimer, Signal, Slot

from limbstudio.services.jobs import Job, JobView

log = logging.getLogger(__name__)

_PROGRESS_EACH_S = 0.04


class Bridge(QObject):
    """Carry calls from any thread into the GUI thread, in order.

    Signals:
        _arrived(object): a function of no arguments to be called in the GUI thread.
    """

    _arrived = Signal(object)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._open = True
        self._reading = ThreadPoolExecutor(max_workers=1, thread_name_prefix="read-photo")
        self._thumbnails = ThreadPoolExecutor(max_workers=1, thread_name_prefix="thumbnail")
        self._loading = ThreadPoolExecutor(max_workers=1, thread_name_prefix="load-3d")
        self._arrived.connect(self._call, Qt.ConnectionType.QueuedConnection)

    def deliver(self, function: Callable[[], None]) -> None:
        """Call `function` in the GUI thread soon; from any thread. After `close` nothing is called any more."""
        if self._open:
            self._arrived.emit(function)

    def watch(self, job: Job, listener: Callable[[JobView], None]) -> Callable[[], None]:
        """Call `listener` in the GUI thread when a job changes; return a function that stops it.

        Progress is told at most 25 times a second, its end always: a job that reports thousands of photos must not
        keep the window from everything else.
        """
        return job.listen(_Progress(self, listener).take)

    def read(
        self,
        work: Callable[[], Any],
        done: Callable[[Any], None],
        failed: Callable[[BaseException], None],
        *,
        background: bool = False,
    ) -> None:
        """Do `work` in a thread, then call `done(result)` or `failed(error)` in the GUI thread.

        For reads that the view waits for (a photo's pixels); all other work is a job of the studio. background: in the
        line of the thumbnails, behind what the view waits for.
        """
        self._run(self._thumbnails if background else self._reading, work, done, failed)

    def load(
        self,
        work: Callable[[], Any],
        done: Callable[[Any], None],
        failed: Callable[[BaseException], None],
    ) -> None:
        """Do `work` as `read` does, in a line of its own: libraries that take seconds hold up no thumbnail."""
        self._run(self._loading, work, done, failed)

    def _run(
        self,
        pool: ThreadPoolExecutor,
        work: Callable[[], Any],
        done: Callable[[Any], None],
        failed: Callable[[BaseException], None],
    ) -> None:
        def finished(future: Future[Any]) -> None:
            if future.cancelled():
                return
            error = future.exception()
            if error is not None:
                self.deliver(lambda: failed(error))
            else:
                self.deliver(lambda: done(future.result()))

        pool.submit(work).add_done_callback(finished)

    def close(self) -> None:
        """Call nothing any more and let the threads go."""
        self._open = False
        self._reading.shutdown(wait=False, cancel_futures=True)
        self._thumbnails.shutdown(wait=False, cancel_futures=True)
        self._loading.shutdown(wait=False, cancel_futures=True)

    @Slot(object)
    def _call(self, function: Callable[[], None]) -> None:
        if self._open:
            function()


class _Progress:
    """Hand a job's views to a listener: of many that come at once the newest."""

    def __init__(self, bridge: Bridge, listener: Callable[[JobView], None]) -> None:
        self._bridge = bridge
        self._listener = listener
        self._lock = threading.Lock()
        self._newest: JobView | None = None
        self._told = 0.0

    def take(self, view: JobView) -> None:
        """Take a view in, in any thread."""
        if view.state.has_ended:
            with self._lock:
                self._newest = None
            self._bridge.deliver(lambda: self._listener(view))
            return
        with self._lock:
            is_waiting, self._newest = self._newest is not None, view
        if not is_waiting:
            self._bridge.deliver(self._plan)

    def _plan(self) -> None:
        left = self._told + _PROGRESS_EACH_S - time.monotonic()
        if left <= 0:
            self._tell()
        else:
            QTimer.singleShot(round(left * 1000) + 1, self._bridge, self._tell)

    def _tell(self) -> None:
        with self._lock:
            view, self._newest = self._newest, None
        if view is not None:
            self._told = time.monotonic()
            self._listener(view)
