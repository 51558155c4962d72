"""A report about a mistake of ours: what a person sends when LimbStudio fails, without their photos or names
of files.
"""

import platform
import sys
import tempfile
import time
import traceback
from collections.abc import Sequence
from pathlib import Path

from limbstudio import __version__
from limbstudio.services.settings import home_folder


def write_report(error: BaseException, arguments: Sequence[str]) -> Path:
    """Write a report about `error` into LimbStudio's home (or a temporary folder) and return its path.

    arguments: of the command line; only options are kept, because file names can name patients.
    """
    text = "\n".join(
        [
            f"LimbStudio {__version__}, Python {platform.python_version()}, {platform.platform()}",
            "Options: " + " ".join(a.split("=")[0] for a in arguments if a.startswith("-")),
            "",
            "".join(traceback.format_exception(error)),
        ]
    )
    name = f"{time.strftime('%Y-%m-%d_%H-%M-%S')}_{id(error):x}.txt"
    for folder in (home_folder() / "reports", Path(tempfile.gettempdir())):
        try:
            folder.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(text, encoding="utf-8")
        except OSError:
            continue
        return folder / name
    sys.stderr.write(text)  # no place on any disk: better on the screen than lost
    return Path("the screen")
