"""`limbstudio train`: quick to ask, and it says what went wrong."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from limbstudio.domain.errors import KnownError
from limbstudio.training.commands import train_app


def test_help_names_the_commands():
    answer = CliRunner().invoke(train_app, ["--help"])

    assert answer.exit_code == 0
    assert "prior" in answer.output
    assert "clicks" in answer.output
    assert "lifter" in answer.output
    assert "bpac" in answer.output


def test_the_commands_are_read_without_numpy_or_torch():
    script = (
        "import sys, limbstudio.training.commands; print({'numpy', 'torch', 'lightning'} & set(sys.modules))"
    )

    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, env=os.environ)

    assert run.stdout.strip() == "set()"


def test_a_file_that_is_not_there_is_the_worlds_fault(tmp_path: Path):
    missing, out = str(tmp_path / "missing.npz"), str(tmp_path / "out.npz")

    with pytest.raises(KnownError, match=r"missing\.npz"):
        CliRunner().invoke(train_app, ["prior", missing, "--out", out], catch_exceptions=False)
    with pytest.raises(KnownError, match=r"missing\.npz"):
        CliRunner().invoke(train_app, ["clicks", missing, "--out", out], catch_exceptions=False)
