"""What is installed is said exactly once, and every dependency is said at all."""

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[2]


def pins() -> dict[str, str]:
    lines = [line for line in (ROOT / "constraints.txt").read_text().splitlines() if line and line[0] != "#"]
    assert all(re.fullmatch(r"[\w.-]+==[\w.]+", line) for line in lines), "every pin is exact: name==version"
    return {canonicalize_name(name): version for name, version in (line.split("==") for line in lines)}


def requirements() -> Iterator[Requirement]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    for group in (project["dependencies"], *project["optional-dependencies"].values()):
        yield from map(Requirement, group)


def test_every_dependency_has_an_exact_pin_within_its_range():
    exact = pins()

    wrong = [str(r) for r in requirements() if exact.get(canonicalize_name(r.name), "0") not in r.specifier]

    assert wrong == []


def test_the_qt_binding_stays_below_the_release_that_aborts():
    (qt,) = [r for r in requirements() if r.name == "PySide6-Essentials"]

    assert "6.11.3" in qt.specifier
    assert "6.12.0" not in qt.specifier
