from pathlib import Path

import pytest

from limbstudio import resources


def test_a_checkout_finds_its_resources_folder(project_root: Path):
    found = resources.resource_path("setup/setup.sh")

    assert found == project_root / "resources" / "setup" / "setup.sh"
    assert found.is_file()


def test_an_installed_package_finds_the_copy_inside_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "body").mkdir()
    monkeypatch.setattr(resources, "_INSTALLED", tmp_path)

    assert resources.resource_path("body/limb_body.npz") == tmp_path / "body" / "limb_body.npz"
