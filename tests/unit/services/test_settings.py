from pathlib import Path

import platformdirs
import pytest

from limbstudio.services import settings


def test_the_environment_names_the_home_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("LIMBSTUDIO_HOME", str(tmp_path / "mine"))

    assert settings.home_folder() == tmp_path / "mine"
    assert settings.bodies_folder().parent == settings.weights_folder().parent == tmp_path / "mine"


def test_a_tilde_and_a_relative_home_become_absolute(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)

    monkeypatch.setenv("LIMBSTUDIO_HOME", "~/limbs")
    from_tilde = settings.home_folder()
    monkeypatch.setenv("LIMBSTUDIO_HOME", "limbs")
    from_relative = settings.home_folder()

    assert from_tilde == from_relative == tmp_path / "limbs"


@pytest.mark.parametrize("value", [None, ""])
def test_without_a_name_the_home_folder_is_where_the_system_keeps_data(
    value: str | None, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.delenv("LIMBSTUDIO_HOME", raising=False)
    if value is not None:
        monkeypatch.setenv("LIMBSTUDIO_HOME", value)

    assert settings.home_folder() == Path(platformdirs.user_data_dir("limbstudio", appauthor=False))
