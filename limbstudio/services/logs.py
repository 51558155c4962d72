"""The log: a file in LimbStudio's home that tells afterwards what happened."""

import logging
import threading
from logging.handlers import RotatingFileHandler
from pathlib import Path

from limbstudio.services.settings import home_folder

_FORMAT = "%(asctime)s %(levelname)-7s %(threadName)s %(name)s: %(message)s"
_BYTES, _FILES = 2_000_000, 5
_MARK = "limbstudio"


def logs_folder() -> Path:
    """Return where logs are written; it may not exist yet."""
    return home_folder() / "logs"


def newest(characters: int) -> str:
    """Return the end of each kind of process's log, at most so many characters in all; empty where there is none."""
    files = sorted(logs_folder().glob("*.log"))
    parts = []
    for file in files:
        try:
            text = file.read_text(encoding="utf-8", errors="replace")
        except OSError:  # it rotates in this moment
            continue
        parts.append(f"== {file.name}\n{text[-characters // len(files) :]}")
    return "\n".join(parts)


def set_up_logs(name: str = "limbstudio", *, level: int = logging.INFO) -> Path | None:
    """Write the log of this process to `<home>/logs/<name>.log`, kept at 10 MB; return its path.

    name: one per kind of process, because two cannot share a file that rotates. None, and no file, where the
    folder cannot be written: a log must never keep the program from starting. Doing it again replaces the
    first.
    """
    root = logging.getLogger("limbstudio")
    for handler in [h for h in root.handlers if h.get_name() == _MARK]:
        root.removeHandler(handler)
        handler.close()
    root.setLevel(level)
    threading.excepthook = _log_thread_error
    path = logs_folder() / f"{name}.log"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handler = RotatingFileHandler(path, maxBytes=_BYTES, backupCount=_FILES - 1, encoding="utf-8")
    except OSError as error:
        root.warning("No log is written to %s: %s", path, error)
        return None
    handler.set_name(_MARK)
    handler.setFormatter(logging.Formatter(_FORMAT))
    root.addHandler(handler)
    return path


def _log_thread_error(arguments: threading.ExceptHookArgs) -> None:
    """Note a mistake in a thread, which would otherwise only reach a terminal that nobody has open."""
    if arguments.exc_value is None:
        return
    information = (arguments.exc_type, arguments.exc_value, arguments.exc_traceback)
    name = arguments.thread.name if arguments.thread else "?"
    logging.getLogger("limbstudio").critical("A mistake in thread %s", name, exc_info=information)
