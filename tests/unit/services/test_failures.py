from pathlib import Path

from limbstudio.services.failures import write_report


def failed() -> ZeroDivisionError:
    try:
        raise ZeroDivisionError("a mistake")
    except ZeroDivisionError as error:
        return error


def test_a_report_tells_the_mistake_and_the_options_but_no_file_names(tmp_path, monkeypatch):
    monkeypatch.setenv("LIMBSTUDIO_HOME", str(tmp_path))

    path = write_report(failed(), ["reconstruct", "Jane_Doe.jpg", "--out=x", "--json"])

    text = path.read_text(encoding="utf-8")
    assert path.is_relative_to(tmp_path)
    assert "ZeroDivisionError: a mistake" in text
    assert "--out --json" in text
    assert "Jane_Doe" not in text


def test_a_report_finds_another_place_when_the_home_cannot_be_written(tmp_path, monkeypatch):
    blocked = tmp_path / "file"
    blocked.touch()
    monkeypatch.setenv("LIMBSTUDIO_HOME", str(blocked / "home"))

    path = write_report(failed(), [])

    assert isinstance(path, Path)
    assert "a mistake" in path.read_text(encoding="utf-8")
    path.unlink()
