"""The command line as a user meets it, and annotation files to give it."""

import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from limbstudio.domain.anatomy import LDPOSE_NAMES
from limbstudio.resources import resource_path


@dataclass(frozen=True)
class Ended:
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


@pytest.fixture
def limbstudio(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., Ended]:
    """Return a function that runs the command line in this process, border included."""
    from limbstudio.cli import main

    def run(*arguments: object) -> Ended:
        monkeypatch.setattr(sys, "argv", ["limbstudio", *map(str, arguments)])
        code = 0
        try:
            main()
        except SystemExit as end:
            code = int(end.code or 0)
        said = capsys.readouterr()
        return Ended(code, said.out, said.err)

    return run


@pytest.fixture(scope="session")
def samples() -> Path:
    """Return the folder of the sample project."""
    return resource_path("samples")


@pytest.fixture(scope="session")
def sample_photos(samples: Path) -> list[Path]:
    return sorted(samples.glob("*.jpg"))


@pytest.fixture(scope="session")
def sample_document(samples: Path) -> dict[str, Any]:
    return json.loads((samples / "annotations.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="session")
def coco_file() -> Callable[..., Path]:
    """Return a function that writes a COCO-25 file."""

    def write(path: Path, images: list[dict[str, Any]], annotations: list[dict[str, Any]]) -> Path:
        categories = [{"id": 1, "name": "person", "keypoints": list(LDPOSE_NAMES), "skeleton": []}]
        document = {"images": images, "annotations": annotations, "categories": categories}
        path.write_text(json.dumps(document), encoding="utf-8")
        return path

    return write
