"""What every test may ask for, and what every test is protected from."""

import os
from collections.abc import Callable
from functools import partialmethod
from pathlib import Path
from typing import Any

import pytest

_ROOT = Path(__file__).resolve().parents[1]

# Before anything imports Qt: Wayland breaks embedded VTK, and qtpy must not look for other bindings.
os.environ.setdefault("QT_API", "pyside6")
if os.environ.get("DISPLAY"):
    os.environ.setdefault("QT_QPA_PLATFORM", "xcb")


_PATIENCE_MS = 30_000  # what a busy machine may need; how long a quiet one takes is for the benchmarks


def pytest_configure() -> None:
    """Let every test of a window wait longer than pytest-qt's five seconds before it gives up."""
    from hypothesis import settings
    from pytestqt.qtbot import QtBot  # Qt is imported once the lines above have been said

    # The same examples in every run, so that a run says what the last change did; `make loss` looks for new ones.
    settings.register_profile("repeatable", derandomize=True)
    settings.register_profile("searching", derandomize=False)
    settings.load_profile("searching" if os.environ.get("LIMBSTUDIO_LOSS") == "full" else "repeatable")
    for name in ("waitUntil", "waitSignal", "waitSignals", "waitExposed", "waitActive"):
        setattr(QtBot, name, partialmethod(getattr(QtBot, name), timeout=_PATIENCE_MS))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip the tests of the window where there is no display; `make test` provides one."""
    if os.environ.get("DISPLAY"):
        return
    no_display = pytest.mark.skip(
        reason="needs a display: run it with `make test`, which starts a virtual one"
    )
    for item in items:
        if item.path.is_relative_to(_ROOT / "tests" / "ui"):
            item.add_marker(no_display)


@pytest.fixture(scope="session")
def project_root() -> Path:
    """Return the root of the checkout."""
    return _ROOT


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Return the folder of real data that lies beside some checkouts; skip where it does not."""
    folder = _ROOT.parent / "shared" / "data"
    if not folder.is_dir():
        pytest.skip("needs the folder ../shared/data beside the checkout")
    return folder


@pytest.fixture(scope="session")
def untrained_ajahr(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return AJAHR's weights that nobody trained, for tests of what becomes of an answer, not of how good it is."""
    from limbstudio.ajahr.build import build_studio

    return _untrained(build_studio, tmp_path_factory.mktemp("weights") / "ajahr.npz")


@pytest.fixture(scope="session")
def untrained_bpac(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the limb classifier's weights that nobody trained."""
    from limbstudio.ajahr.build import build_studio_bpac

    return _untrained(build_studio_bpac, tmp_path_factory.mktemp("weights") / "bpac.npz")


def _untrained(build: Callable[[], Any], path: Path) -> Path:
    import torch

    from limbstudio.ajahr.plain_weights import save_weights

    torch.manual_seed(0)
    save_weights(build(), path)
    return path


@pytest.fixture
def _untrained_ajahr_ships(
    untrained_ajahr: Path, untrained_bpac: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Let untrained weights be those that ship."""
    from limbstudio.ajahr import predict, predict_limbs
    from limbstudio.services import initialisers

    monkeypatch.setattr(predict, "shipped_weights", lambda: untrained_ajahr)
    monkeypatch.setattr(predict_limbs, "shipped_weights", lambda: untrained_bpac)
    monkeypatch.setattr(initialisers, "resource_path", lambda name: untrained_ajahr)


@pytest.fixture(autouse=True, scope="session")
def _own_home(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Keep the tests away from the bodies, plugins and settings of whoever runs them."""
    os.environ["LIMBSTUDIO_HOME"] = str(tmp_path_factory.mktemp("home"))
