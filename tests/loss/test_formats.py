"""Projects of older formats: brought up to date with a copy, a report and nothing changed."""

import json
import shutil
import sqlite3
from pathlib import Path

import pytest

from limbstudio.services import copying, migrating, project_file
from limbstudio.services.checking import check
from limbstudio.services.history import History
from limbstudio.services.store import Store

_FROZEN = Path(__file__).with_name("formats")
PHOTO = "ab" * 32


@pytest.fixture(params=sorted(p.stem for p in _FROZEN.glob("*.limb")))
def frozen(request, tmp_path) -> tuple[Path, dict]:
    """Return a copy of a project as that format left it, and what it holds."""
    folder = tmp_path / "old.limb"
    shutil.copytree(_FROZEN / f"{request.param}.limb", folder)
    return folder, json.loads((_FROZEN / f"{request.param}.json").read_text(encoding="utf-8"))


def what_it_holds(file: Path) -> dict:
    connection = sqlite3.connect(file)
    try:
        rows = connection.execute("SELECT kind, id, body FROM record ORDER BY kind, id")
        found = {f"{kind} {identity}": json.loads(body) for kind, identity, body in rows}
        lines = "SELECT sequence, who, label, human, photo, kind, target FROM journal ORDER BY sequence"
        return {"records": found, "journal": [list(row) for row in connection.execute(lines)]}
    finally:
        connection.close()


def test_every_older_format_is_migrated_with_a_copy_and_a_report(frozen):
    folder, truth = frozen

    store = Store.open(folder)

    assert store.read_only_reason == ""
    assert any(f"format {_version_of(truth, folder)} to 1.1" in note for note in store.notes)
    assert len(store.project.records) == len(truth["records"])
    store.close()
    assert what_it_holds(folder / "project.sqlite") == truth
    (copy,) = (folder / "backups").glob("*.sqlite")
    (report,) = (folder / "backups").glob("*.txt")
    assert what_it_holds(copy) == truth
    assert f"{len(truth['records'])} records" in report.read_text()
    assert check(folder).problems == ()
    assert not Store.open(folder, read_only=True).notes


def _version_of(truth: dict, folder: Path) -> str:
    (copy,) = (folder / "backups").glob("*.sqlite")
    connection = sqlite3.connect(copy)
    major, minor = divmod(connection.execute("PRAGMA user_version").fetchone()[0], 1000)
    connection.close()
    return f"{major}.{minor}"


def test_undo_and_checkpoints_work_in_what_was_migrated(frozen):
    folder, _ = frozen
    store = Store.open(folder)
    history = History(store.project, store, who="ada")

    store.set_checkpoint("here", who="ada")[1].result(5)

    assert history.undo(PHOTO) is not None
    assert [c.name for c in store.checkpoints] == ["here"]
    assert store.journal_about(PHOTO)[-1].label == "Import photos"
    store.close()


def test_a_migration_that_cannot_make_its_copy_leaves_the_project_as_it_is(frozen, monkeypatch):
    folder, truth = frozen

    def full(source, target):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(copying, "copy_file", full)
    store = Store.open(folder)

    assert "older format" in store.read_only_reason
    assert "disk is full" in store.read_only_reason
    assert len(store.project.records) == len(truth["records"])
    store.close()
    monkeypatch.undo()
    again = Store.open(folder)
    assert again.read_only_reason == ""
    again.close()


def test_a_step_that_fails_half_way_changes_nothing(frozen, monkeypatch):
    folder, truth = frozen

    def fails(connection):
        connection.execute("CREATE TABLE half (a)")
        raise sqlite3.OperationalError("something")

    first = migrating.MIGRATIONS[0]
    broken = migrating.Migration(first.before, first.after, first.what, fails)
    monkeypatch.setattr(migrating, "MIGRATIONS", (broken, *migrating.MIGRATIONS[1:]))

    store = Store.open(folder)
    reason = store.read_only_reason
    store.close()

    assert "older format" in reason
    connection = sqlite3.connect(folder / "project.sqlite")
    assert connection.execute("SELECT count(*) FROM sqlite_master WHERE name = 'half'").fetchone() == (0,)
    connection.close()
    assert what_it_holds(folder / "project.sqlite") == truth


def test_a_new_project_and_a_migrated_one_have_the_same_tables(frozen, tmp_path):
    folder, _ = frozen
    Store.open(folder).close()
    Store.create(tmp_path / "new.limb").close()

    assert _schema(folder) == _schema(tmp_path / "new.limb")


def _schema(folder: Path) -> dict[str, list[str]]:
    connection = sqlite3.connect(folder / "project.sqlite")
    try:
        names = [
            row[0]
            for row in connection.execute("SELECT name FROM sqlite_master WHERE name NOT LIKE 'sqlite_%'")
        ]
        return {
            name: [row[1] for row in connection.execute(f"PRAGMA table_info({name})")]
            for name in sorted(names)
        }
    finally:
        connection.close()


def test_there_is_a_way_from_every_format_to_this_one():
    versions = {migration.before for migration in migrating.MIGRATIONS}

    for version in versions:
        assert migrating._steps(version)[-1].after == project_file.FORMAT
