"""Where the files that ship with LimbStudio lie: the bundled body, weights, sample project, icons."""

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent
_INSTALLED = _PACKAGE / "_resources"  # in a wheel
_CHECKOUT = _PACKAGE.parent / "resources"


def resource_path(name: str) -> Path:
    """Return where a shipped file or folder lies, in a checkout and in an installed wheel alike.

    name: its path below `resources`, with forward slashes: `body/limb_body.npz`. It need not exist.
    """
    return (_INSTALLED if _INSTALLED.is_dir() else _CHECKOUT) / name
