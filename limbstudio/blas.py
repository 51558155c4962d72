"""Processes of ours that work beside others, and threads of the libraries that they load."""

import contextlib
import os
from collections.abc import Iterator

# Each BLAS asks one of them when it is loaded.
_COUNTS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


@contextlib.contextmanager
def one_blas_thread() -> Iterator[None]:
    """Let a process that is started now have one BLAS thread: its matrices are small, and more would be in the way."""
    before = {name: os.environ.get(name) for name in _COUNTS}
    os.environ.update(dict.fromkeys(_COUNTS, "1"))
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
