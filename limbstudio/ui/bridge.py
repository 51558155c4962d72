"""The only place where anything crosses into the GUI thread."""

import logging
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

from PySide6.QtCore import QObject, Qt, Signal, Slot

from limbstudio.services.jobs import Job, JobView

log = logging.getLogger(__name__)


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
        """Call `listener` in the GUI thread on every change of a job; return a function that stops it."""
        return job.listen(lambda view: self.deliver(lambda: listener(view)))

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
