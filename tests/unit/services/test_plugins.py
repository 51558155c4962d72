import sys
from pathlib import Path

import pytest

from limbstudio.domain.errors import KnownError
from limbstudio.services import plugins

GOOD = """
class Good:
    api_version = 1
    name = "Good"
    suffix = ".good"
    origin = {origin!r}

    def export(self, annotations, path):
        path.write_text(str(len(annotations)))
"""


@pytest.fixture(autouse=True)
def _own_imports(monkeypatch: pytest.MonkeyPatch):
    """Forget the modules and import paths that a test's plugins add."""
    monkeypatch.setattr(sys, "path", list(sys.path))
    before = set(sys.modules)
    yield
    for name in set(sys.modules) - before:
        del sys.modules[name]


def write_plugin(folder: Path, module: str, source: str, target: str, entry: str | None = None) -> Path:
    """Write a plugin of one module into folder/module; return `folder`."""
    (folder / module).mkdir(parents=True)
    (folder / module / f"{module}.py").write_text(source)
    announced = f'[project.entry-points."limbstudio.plugins"]\n{entry or module} = "{module}:{target}"\n'
    (folder / module / "pyproject.toml").write_text(announced)
    return folder


def install_plugin(site: Path, module: str, source: str, target: str) -> None:
    """Lay a plugin out as pip would, with the metadata that announces it."""
    metadata = site / f"{module}-1.0.dist-info"
    metadata.mkdir(parents=True)
    (site / f"{module}.py").write_text(source)
    (metadata / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {module}\nVersion: 1.0\n")
    (metadata / "entry_points.txt").write_text(f"[limbstudio.plugins]\n{module} = {module}:{target}\n")


def only_reason(found: plugins.Plugins) -> str:
    assert not found.exporters
    (refused,) = found.refused
    return refused.reason


def test_the_checkouts_own_exporter_is_found_with_no_one_installing_it():
    found = plugins.discover()

    assert found.exporter("csv_keypoints").suffix == ".csv"
    assert found.refused == ()


def test_a_plugin_in_the_users_folder_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("LIMBSTUDIO_HOME", str(tmp_path))
    write_plugin(tmp_path / "plugins", "their_own", GOOD.format(origin="home"), "Good")

    assert plugins.discover().exporter("their_own").name == "Good"


def test_an_installed_plugin_is_found_and_wins_over_a_folder(tmp_path: Path):
    install_plugin(tmp_path / "site", "twice", GOOD.format(origin="installed"), "Good")
    write_plugin(tmp_path / "folder", "twice_too", GOOD.format(origin="folder"), "Good", entry="twice")
    sys.path.insert(0, str(tmp_path / "site"))

    found = plugins.discover([tmp_path / "folder"])

    assert vars(type(found.exporter("twice")))["origin"] == "installed"


@pytest.mark.parametrize(
    ("source", "target", "reason"),
    [
        ("raise RuntimeError('no licence')", "Good", "RuntimeError: no licence"),
        ("import a_library_nobody_has", "Good", "a_library_nobody_has"),
        ("def broken(:", "Good", "SyntaxError"),
        (GOOD, "Missing", "Missing"),
        ("class Good:\n    def __init__(self, needed): ...", "Good", "needed"),
        ("class Good:\n    name = 'no export'", "Good", "no exporter"),
        (GOOD.replace("api_version = 1", "api_version = 999"), "Good", "version 999 of limbstudio.api"),
    ],
)
def test_a_plugin_that_cannot_be_used_is_refused_with_its_reason(
    source: str, target: str, reason: str, tmp_path: Path
):
    folder = write_plugin(tmp_path, "faulty", source.replace("{origin!r}", "''"), target)

    assert reason in only_reason(plugins.discover([folder]))


def test_an_unreadable_description_is_refused_and_the_others_load(tmp_path: Path):
    write_plugin(tmp_path, "good", GOOD.format(origin="folder"), "Good")
    (tmp_path / "torn").mkdir()
    (tmp_path / "torn" / "pyproject.toml").write_text("[project\n")

    found = plugins.discover([tmp_path])

    assert list(found.exporters) == ["good"]
    assert found.refused[0].name == "torn"


def test_a_folder_that_is_not_there_holds_no_plugins(tmp_path: Path):
    assert plugins.discover([tmp_path / "nowhere"]).exporters == {}


def test_asking_for_an_unknown_exporter_names_those_that_exist():
    with pytest.raises(KnownError, match="csv_keypoints"):
        plugins.discover().exporter("csv_keypoint")
