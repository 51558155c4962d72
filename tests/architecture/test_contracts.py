"""The rules of the architecture that import-linter cannot say, and import-linter itself."""

import ast
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "limbstudio"
# Names that say nothing: a file that wants one has not found its subject yet.
EMPTY_NAMES = {
    "util", "utils", "core", "base", "common", "misc", "manager", "managers", "helper", "helpers",
}  # fmt: skip
TEXT_SUFFIXES = {".py", ".toml", ".md", ".txt", ".sh", ".json", ".yaml", ".yml", ".svg", ".qss", ""}
MACHINE_PATH = re.compile(r"(?<![\w.~:/-])/(work|root|home|tmp|opt|Users)/\w")
REGISTRY_HOST = re.compile(r"(pypi|pythonhosted|pytorch|npmjs|debian|ubuntu)\.(org|com|net)")


def modules(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*.py") if ".venv" not in path.parts)


def imported_names(source: str) -> Iterator[str]:
    """Yield the dotted name of everything a module imports, at its top and inside functions alike."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            # A relative import stays inside its package.
            yield "." * node.level + (node.module or "")


def importers_of(libraries: set[str], *, outside: tuple[str, ...]) -> list[str]:
    """List the modules that import one of `libraries` and are in none of the rooms `outside`."""
    return [
        f"{path.relative_to(ROOT)} imports {name}"
        for path in modules(PACKAGE)
        if path.relative_to(PACKAGE).parts[0] not in outside
        for name in imported_names(path.read_text(encoding="utf-8"))
        if name.split(".")[0] in libraries
    ]


def project_files() -> list[Path]:
    """List what belongs to the project: what git tracks, and what it would if it were added."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return [path for name in listed.splitlines() if (path := ROOT / name).is_file()]


def loaded_by(module: str, watched: set[str]) -> set[str]:
    """Return which of the `watched` libraries a fresh Python has loaded after importing `module`."""
    script = f"import sys, {module}; print(*sorted({watched!r} & set(sys.modules)))"
    environment = os.environ | {"QT_QPA_PLATFORM": "offscreen"}
    run = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stderr
    return set(run.stdout.split())


def test_the_import_contracts_hold():
    command = [Path(sys.executable).with_name("lint-imports"), "--no-cache"]

    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)

    assert run.returncode == 0, run.stdout + run.stderr


def test_only_the_window_imports_qt():
    qt = {"PySide6", "shiboken6", "pyvistaqt", "qtpy", "qtawesome"}

    assert importers_of(qt, outside=("ui",)) == []


def test_only_the_window_and_rendering_import_vtk():
    assert importers_of({"pyvista", "vtk", "vtkmodules"}, outside=("ui", "rendering")) == []


def test_the_domain_imports_the_standard_library_and_numpy_only():
    allowed = (set(sys.stdlib_module_names) - {"sqlite3"}) | {"numpy"}

    strangers = [
        f"{path.name} imports {name}"
        for path in modules(PACKAGE / "domain")
        for name in imported_names(path.read_text(encoding="utf-8"))
        if name.split(".")[0] not in allowed and not name.startswith(("limbstudio.domain", "."))
    ]

    assert strangers == []


def test_plugins_see_the_api_only():
    inner = [
        f"{path.relative_to(ROOT)} imports {name}"
        for path in modules(ROOT / "plugins")
        for name in imported_names(path.read_text(encoding="utf-8"))
        if name.split(".")[0] == "limbstudio" and name != "limbstudio.api"
    ]

    assert modules(ROOT / "plugins")
    assert inner == []


@pytest.mark.parametrize("module", ["limbstudio.cli", "limbstudio.ui.app"])
def test_the_program_starts_without_torch(module: str):
    assert loaded_by(module, {"torch", "smplx"}) == set()


def test_the_command_line_starts_without_qt_and_vtk():
    slow = {"PySide6", "pyvista", "vtkmodules", "matplotlib", "scipy", "trimesh"}

    assert loaded_by("limbstudio.cli", slow) == set()


def test_file_names_say_what_is_inside():
    nameless = [
        path.relative_to(ROOT)
        for folder in (PACKAGE, ROOT / "plugins", ROOT / "tests")
        for path in modules(folder)
        if EMPTY_NAMES & {path.stem, *path.relative_to(ROOT).parts}
    ]

    assert nameless == []


def test_no_file_knows_the_machine_it_was_written_on():
    found = [
        f"{path.relative_to(ROOT)}:{number}: {line.strip()[:80]}"
        for path in project_files()
        if path.suffix in TEXT_SUFFIXES and path.name != "LICENSE" and path.stat().st_size < 1_000_000
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if MACHINE_PATH.search(line) or REGISTRY_HOST.search(line)
    ]

    assert found == []
