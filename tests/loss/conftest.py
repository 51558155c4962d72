"""What the tests of loss share."""

import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image


@pytest.fixture(scope="session")
def recorder(tmp_path_factory) -> Path:
    """Return the library to preload: it records what a program does to files, and can make syncs slow."""
    compiler = shutil.which("cc") or shutil.which("gcc")
    if compiler is None or not sys.platform.startswith("linux"):
        pytest.skip("recording needs Linux and a C compiler")
    library = tmp_path_factory.mktemp("recorder") / "recorder.so"
    source = Path(__file__).with_name("recorder.c")
    command = [compiler, "-O1", "-shared", "-fPIC", "-o", str(library), str(source), "-ldl", "-lpthread"]
    built = subprocess.run(command, capture_output=True, text=True, check=False)
    if built.returncode:
        pytest.skip(f"the recorder cannot be compiled here: {built.stderr[:200]}")
    return library


@pytest.fixture(scope="session")
def photos(tmp_path_factory) -> Path:
    """Return a folder of four small pictures."""
    folder = tmp_path_factory.mktemp("pictures") / "photos"
    folder.mkdir()
    for number in range(4):
        Image.fromarray(np.full((48, 64, 3), 40 * number, np.uint8)).save(folder / f"{number}.png")
    return folder
