"""Processes that make samples beside each other; what they give comes back in any order and is the same in each."""

import contextlib
import os
import traceback
from collections import deque
from collections.abc import Iterator, Sequence
from multiprocessing import get_context
from multiprocessing.connection import Connection, wait
from typing import Any

from limbstudio.a3d.plans import SampleOptions
from limbstudio.a3d.quality import FindPeople
from limbstudio.a3d.sampling import Sample, Sources, make_sample, open_sources
from limbstudio.blas import one_blas_thread
from limbstudio.domain.errors import KnownError

_PIECE = 2  # samples handed over at once
_GOING_S = 5.0


def most_workers() -> int:
    """Return how many cores this process may use."""
    allowed = getattr(os, "sched_getaffinity", None)
    return len(allowed(0)) if allowed else os.cpu_count() or 1


def make_samples(
    sources: Sources, indices: Sequence[int], *, workers: int, find_people: FindPeople | None = None
) -> Iterator[tuple[int, Sample]]:
    """Yield (index, sample) for all indices: in order with one worker, nearly so with several.

    find_people: as `sources` was opened with; it must be picklable for several workers.
    """
    if workers <= 1 or len(indices) < workers:
        for index in indices:
            yield index, make_sample(sources, index)
        return
    pieces = deque(list(indices[at : at + _PIECE]) for at in range(0, len(indices), _PIECE))
    context = get_context("spawn")
    crew: dict[Connection, Any] = {}
    try:
        with one_blas_thread():
            for _ in range(min(workers, len(pieces))):
                ours, theirs = context.Pipe()
                process = context.Process(
                    target=_work, args=(theirs, sources.options, find_people), daemon=True
                )
                process.start()
                theirs.close()  # so that its end is seen when the process dies
                crew[ours] = process
        busy = set()
        for pipe in crew:
            pipe.send(pieces.popleft())
            busy.add(pipe)
        while busy:
            answered = wait(list(busy))
            for pipe in [p for p in crew if p in answered]:
                yield from _taken(pipe)
                if pieces:
                    pipe.send(pieces.popleft())
                else:
                    busy.discard(pipe)
    finally:
        for pipe in crew:
            pipe.close()  # a worker that waits for its next piece ends by itself
        for process in crew.values():
            process.join(_GOING_S)
            if process.is_alive():
                process.kill()
                process.join()


def _taken(pipe: Connection) -> list[tuple[int, Sample]]:
    try:
        said, value = pipe.recv()
    except (EOFError, OSError) as error:
        raise KnownError(
            "A process that makes samples has ended.",
            "There may be too little memory: use fewer --workers, and --resume.",
        ) from error
    if said == "known":
        raise KnownError(*value)
    if said == "ours":
        raise RuntimeError(f"A sample could not be made.\n{value}")
    return value


def _work(pipe: Connection, options: SampleOptions, find_people: FindPeople | None) -> None:
    """Make pieces until the other end is gone."""
    import cv2

    cv2.setNumThreads(1)
    try:
        sources = open_sources(options, find_people)
        while True:
            piece = pipe.recv()
            pipe.send(("made", [(index, make_sample(sources, index)) for index in piece]))
    except (EOFError, BrokenPipeError, ConnectionResetError, KeyboardInterrupt):
        return
    except KnownError as error:
        with contextlib.suppress(OSError):
            pipe.send(("known", (error.message, error.hint)))
    except Exception:  # noqa: BLE001 - the border of a process: the other side raises it again
        with contextlib.suppress(OSError):
            pipe.send(("ours", traceback.format_exc()))
