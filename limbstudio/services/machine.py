"""What this computer has and what we take of it: memory, processors, the device that models run on.

Where a system does not say, the answer is None: nothing is guessed.
"""

import ctypes
import os
import sys
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

# The process that models run in may take this part of the computer's memory; what goes beyond starves the window.
_SHARE_OF_WORKER = 0.75
# Who the system ends first when memory runs out, -1000 to 1000: the models' process, not the window.
_END_THIS_FIRST = 600
_CGROUP_LIMITS = ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes")


@dataclass(frozen=True)
class Memory:
    """Bytes of the whole computer (or of the container we are in)."""

    total: int
    free: int

    @property
    def is_short(self) -> bool:
        """Tell whether so little is left that the system may soon end programs."""
        return self.free < 0.08 * self.total


def memory() -> Memory | None:
    """Return the memory of this computer; None where the system does not say."""
    try:
        rows = dict(line.split(":", 1) for line in Path("/proc/meminfo").read_text().splitlines())
        total, free = (1024 * int(rows[name].split()[0]) for name in ("MemTotal", "MemAvailable"))
    except (OSError, KeyError, ValueError):
        return None
    for name in _CGROUP_LIMITS:
        with suppress(OSError, ValueError):  # no container, or "max": without a limit of its own
            total = min(total, int(Path(name).read_text()))
    return Memory(total, min(free, total))


def memory_of(process_id: int) -> int | None:
    """Return the bytes that a process holds in memory; None where that is not known or it is gone."""
    try:
        pages = int(Path(f"/proc/{process_id}/statm").read_text().split()[1])
    except (OSError, ValueError, IndexError):
        return None
    return pages * os.sysconf("SC_PAGE_SIZE")


def give_back_memory() -> None:
    """Hand the system what was freed here but is still held for later; takes some 10 ms after large photos."""
    if not sys.platform.startswith("linux"):
        return
    with suppress(OSError, AttributeError):  # a C library other than glibc holds nothing back
        ctypes.CDLL(None).malloc_trim(0)


def children() -> tuple[int, ...]:
    """Return the processes that this one started and that still run; empty where that is not known."""
    found: list[int] = []
    with suppress(OSError):
        for thread in Path("/proc/self/task").iterdir():
            with suppress(OSError, ValueError):  # a thread may end in this moment
                found.extend(int(number) for number in (thread / "children").read_text().split())
    return tuple(found)


def most_for_worker() -> int | None:
    """Return the bytes that the process of the models may take; None where the computer's memory is not known."""
    known = memory()
    return None if known is None else int(known.total * _SHARE_OF_WORKER)


def let_this_process_go_first() -> None:
    """Let the system end this process before others when memory runs out, where it can be told so."""
    with suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text(str(_END_THIS_FIRST))


def device_in_use() -> str:
    """Say in words what models in this process run on. A GPU counts once a library that uses it was loaded."""
    torch = sys.modules.get("torch")
    if torch is not None and torch.cuda.is_available():
        return str(torch.cuda.get_device_name(0))
    return "CPU"


def processors() -> int:
    """Return how many processors we may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def size_words(size: int) -> str:
    """Say a size as people do: '640 MB', '1.4 GB'."""
    return f"{size / 1e6:.0f} MB" if size < 1e9 else f"{size / 1e9:.1f} GB"
