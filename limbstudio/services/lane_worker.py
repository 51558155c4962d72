"""What runs in a lane's own process: it hears of jobs, runs one after the other, and says what became of them."""

import os
import queue
import signal
import threading
import time
import traceback
from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import Any

from limbstudio.services import machine
from limbstudio.services.jobs import Cancelled, Failure

# Batches give way to the window: with both cores in use they take what it leaves.
_NICENESS = 5


class _ChildContext:
    """The context of the job that runs in this process: it speaks through the pipe."""

    def __init__(self, connection: Connection, number: int) -> None:
        self._connection = connection
        self._number = number
        self._cancelled = threading.Event()
        self._sending = threading.Lock()
        self._last = 0.0
        self._sentence = ""

    def cancel(self) -> None:
        self._cancelled.set()

    def report(self, fraction: float, sentence: str = "") -> None:
        if self._cancelled.is_set():
            raise Cancelled
        now = time.monotonic()
        if now - self._last < 0.04 and sentence in ("", self._sentence):
            return  # a solver reports each step; a pipe full of progress would slow it down
        with self._sending:
            self._last, self._sentence = now, sentence or self._sentence
            self._connection.send(("progress", self._number, float(fraction), sentence))


def work(connection: Connection, warm_up: Callable[[], None] | None) -> None:
    """Serve jobs until the program that started this process is gone."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl+C in a terminal reaches both; the program decides
    if hasattr(os, "nice"):
        os.nice(_NICENESS)
    machine.let_this_process_go_first()
    orders: queue.SimpleQueue[tuple[Any, ...]] = queue.SimpleQueue()
    current: list[_ChildContext | None] = [None]
    listener = threading.Thread(target=_hear, args=(connection, orders, current), daemon=True)
    listener.start()
    if warm_up is not None:
        warm_up()
    connection.send(("ready", 0, machine.device_in_use()))
    while True:
        _, number, function, arguments, title = orders.get()
        context = current[0] = _ChildContext(connection, number)
        connection.send(("begun", number))
        answer = _answer(context, number, title, function, arguments)
        current[0] = None
        try:
            connection.send(answer)
        except Exception as error:  # noqa: BLE001 - the border "lane": a result that cannot be sent is a failed job
            failure = Failure.of(error, title)
            connection.send(("failed", number, failure.message, failure.hint, failure.report))


def _hear(
    connection: Connection, orders: "queue.SimpleQueue[tuple[Any, ...]]", current: list[_ChildContext | None]
) -> None:
    while True:
        try:
            order = connection.recv()
        except (EOFError, OSError):
            os._exit(0)  # the program is gone, however it went: no orphan may go on computing
        except Exception as error:  # noqa: BLE001 - the border "lane": a plugin's arguments may fail to arrive
            connection.send(("unreadable", 0, "".join(traceback.format_exception(error))))
            continue
        if order[0] == "run":
            orders.put(order)
        elif (context := current[0]) is not None and context._number == order[1]:
            context.cancel()


def _answer(
    context: _ChildContext,
    number: int,
    title: str,
    function: Callable[..., Any],
    arguments: tuple[Any, ...],
) -> tuple[Any, ...]:
    try:
        return ("done", number, function(context, *arguments))
    except Cancelled:
        return ("cancelled", number)
    except Exception as error:  # noqa: BLE001 - the border "lane": a job's mistake ends the job, not the process
        failure = Failure.of(error, title)
        return ("failed", number, failure.message, failure.hint, failure.report)
