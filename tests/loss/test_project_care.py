"""Check, repair, compact and backups: a project is looked after without losing anything."""

import contextlib
import csv
import json
import random
import shutil
import sqlite3
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner

from limbstudio import cli
from limbstudio.domain import edits
from limbstudio.domain.errors import KnownError
from limbstudio.domain.photo import Person
from limbstudio.services import backups, compacting, project_file
from limbstudio.services.backups import Backup, BackupKeeper, BackupKind
from limbstudio.services.blobs import blob_name
from limbstudio.services.checking import check
from limbstudio.services.history import History
from limbstudio.services.journal_files import export_journal
from limbstudio.services.repairing import repair
from limbstudio.services.store import Store

from .projects import PHOTO, content, import_photos, made, place, replayed, with_note


@pytest.fixture
def folder(tmp_path) -> Path:
    return tmp_path / "p.limb"


@pytest.fixture
def whole(folder) -> Path:
    """Return a closed project with blobs in use."""
    store, history = made(folder, people=40)
    for n in range(5):
        with_note(history, str(n), f"blobs/{store.put_blob(b'mask %d' % n)}")
    store.close()
    return folder


def spoil(file: Path, seed: int, pages: int = 1) -> None:
    """Overwrite pages of a database (never the first one)."""
    data = bytearray(file.read_bytes())
    chance = random.Random(seed)
    for page in chance.sample(range(1, len(data) // 4096), pages):
        data[page * 4096 : (page + 1) * 4096] = chance.randbytes(4096)
    file.write_bytes(data)


def fingerprint(folder: Path) -> dict[str, str]:
    """Return the hash of each file; what SQLite lays beside a file that is read is none of the project."""
    files = (p for p in folder.rglob("*") if p.is_file() and not p.name.endswith(("-shm", "-wal")))
    return {p.name: blob_name(p.read_bytes()) for p in files}


def in_sql(folder: Path, *statements: str) -> None:
    connection = sqlite3.connect(folder / "project.sqlite")
    for statement in statements:
        connection.execute(statement)
    connection.commit()
    connection.close()


# ------------------------------------------------------------------------------------------------------ check


def test_a_whole_project_is_said_to_be_whole_and_is_not_touched(whole):
    before = fingerprint(whole)

    checked = check(whole)

    assert checked.problems == ()
    assert checked.counts == {"photos": 1, "people": 40, "edits": 88, "masks and meshes": 5}
    assert fingerprint(whole) == before


@pytest.mark.parametrize(
    ("harm", "words"),
    [
        (
            "UPDATE record SET body = replace(body, 'keypoints', 'keyPoints') WHERE id = '3'",
            "The person 3 cannot be read",
        ),
        ("DELETE FROM record WHERE id = '3'", "person 3 is not what the journal says"),
        (
            "INSERT INTO record SELECT kind, 'x', photo, subject, body, hash, 9 FROM record LIMIT 1",
            "not in the jour",
        ),
    ],
)
def test_what_does_not_fit_together_is_named(whole, harm, words):
    in_sql(whole, harm)

    assert any(words in problem for problem in check(whole).problems)


def test_blobs_that_are_gone_or_damaged_are_named(whole):
    one, other, *_ = sorted((whole / "blobs").iterdir())
    one.unlink()
    other.write_bytes(b"something else")
    (whole / "blobs" / ".abc.part").write_bytes(b"half")

    checked = check(whole)

    assert any("is gone" in p and one.name[:12] in p for p in checked.problems)
    assert any("is damaged" in p and other.name[:12] in p for p in checked.problems)
    assert any("left over" in n for n in checked.notes)


def test_a_clock_that_was_set_back_is_a_note_and_no_problem(folder):
    store, _ = made(folder)
    store.close()
    in_sql(folder, *(f"DROP TRIGGER {name}" for name in project_file.GUARDS))
    in_sql(folder, "UPDATE journal SET time = '2020-01-01T00:00:00+00:00' WHERE sequence = 3")

    checked = check(folder)

    assert not checked.problems
    assert any("set back 1 times" in note for note in checked.notes)


def test_the_command_says_each_problem_in_a_sentence_and_ends_with_2(whole):
    run = CliRunner()
    assert run.invoke(cli.app, ["project", "check", str(whole)]).exit_code == 0
    in_sql(whole, "DELETE FROM record WHERE id = '3'")

    words = run.invoke(cli.app, ["project", "check", str(whole)])
    plain = run.invoke(cli.app, ["project", "check", str(whole), "--json"])

    assert words.exit_code == plain.exit_code == 2
    assert "The person 3 is not what the journal says of it." in words.output
    assert json.loads(plain.output)["problems"] == ["The person 3 is not what the journal says of it."]


# ------------------------------------------------------------------------------------------------------ repair


@pytest.mark.parametrize("seed", range(12))
def test_repairing_saves_what_can_be_read_into_a_new_folder(whole, tmp_path, seed):
    truth = content(whole)
    spoil(whole / "project.sqlite", seed, pages=1 + seed % 3)
    damaged = fingerprint(whole)

    repaired = repair(whole, tmp_path / "new.limb")

    assert fingerprint(whole) == damaged
    assert check(tmp_path / "new.limb").problems == ()
    saved = content(tmp_path / "new.limb")
    for key, text in saved.items():  # with one or two of its places spoiled nothing may be made up
        assert key in truth
        assert text == truth[key] or repaired.lost
    assert len(saved) >= len(truth) - 15 or repaired.lost
    store = Store.open(tmp_path / "new.limb")
    assert store.read_only_reason == ""
    store.close()


def test_a_record_that_is_spoiled_comes_back_from_the_journal(whole, tmp_path):
    truth = content(whole)
    in_sql(whole, "UPDATE record SET body = 'nothing' WHERE kind = 'person'")

    repaired = repair(whole, tmp_path / "new.limb")

    assert repaired.from_journal == 40
    assert repaired.lost == ()
    assert content(tmp_path / "new.limb") == truth
    assert replayed(tmp_path / "new.limb") == truth


def test_a_file_that_is_ruined_comes_back_from_the_newest_backup(whole, tmp_path):
    truth = content(whole)
    backups.make_of(whole)
    (whole / "project.sqlite").write_bytes(b"\x00" * 50_000)

    repaired = repair(whole, tmp_path / "new.limb")

    assert repaired.from_backup == len(truth)
    assert content(tmp_path / "new.limb") == truth
    assert len(list((tmp_path / "new.limb" / "blobs").iterdir())) == 5


def test_where_nothing_can_be_read_nothing_is_made(folder, tmp_path):
    store, _ = made(folder)
    store.close()
    (folder / "project.sqlite").write_bytes(b"\x00" * 50_000)

    with pytest.raises(KnownError, match="Nothing of"):
        repair(folder, tmp_path / "new.limb")

    assert not (tmp_path / "new.limb").exists()


def test_a_repair_never_writes_into_a_folder_that_is_there(whole):
    with pytest.raises(KnownError, match="something at"):
        repair(whole, whole)


# ----------------------------------------------------------------------------------------------- export-journal


def test_the_journal_as_lines_and_as_a_table(whole, tmp_path):
    assert export_journal(whole, tmp_path / "j.jsonl") == export_journal(whole, tmp_path / "j.csv") == 88

    lines = [json.loads(line) for line in (tmp_path / "j.jsonl").read_text().splitlines()]
    rows = list(csv.DictReader((tmp_path / "j.csv").read_text().splitlines()))
    assert [line["sequence"] for line in lines] == list(range(1, 89))
    assert lines[0]["label"] == "Import"
    assert lines[1]["changes"][0]["record"] == ["person", "0"]
    assert lines[1]["changes"][0]["after"]["photo"] == PHOTO
    assert [(r["sequence"], r["record_kind"]) for r in rows[:2]] == [("1", "photo"), ("2", "person")]


def test_a_journal_for_an_unknown_program_is_refused(whole, tmp_path):
    with pytest.raises(KnownError, match=r"neither in \.jsonl nor in \.csv"):
        export_journal(whole, tmp_path / "j.xlsx")


# ------------------------------------------------------------------------------------------------------ compact


def test_compacting_forgets_what_was_undone_and_keeps_what_is(whole):
    loose = blob_name(b"nobody speaks of it")
    (whole / "blobs" / loose).write_bytes(b"nobody speaks of it")
    truth = content(whole)

    done = compacting.compact(whole)

    assert len(done.plan.entries) == 2
    assert done.plan.blobs == (loose,)
    assert content(whole) == truth == replayed(whole)
    assert (whole / "backups" / "blobs" / loose).exists()
    assert check(whole).problems == ()
    store = Store.open(whole)
    history = History(store.project, store, who="me")
    assert history.redo(PHOTO) is None
    assert history.undo(PHOTO) is not None
    assert store.journal(everything=True)[-2].label.startswith("Compact")
    store.close()
    assert check(done.backup.parent.parent).problems == ()


@pytest.mark.parametrize("seed", range(6))
def test_compacting_any_history_leaves_its_records_and_a_journal_that_leads_to_them(tmp_path, seed):
    folder = tmp_path / "p.limb"
    store, history = made(folder)
    chance = random.Random(seed)
    for number in range(120):
        with contextlib.suppress(KnownError):  # a machine's edit may stand on what would be undone
            what = chance.random()
            people = [p.id for p in history.project.people_in(PHOTO)]
            if what < 0.5 and people:
                place(history, chance.choice(people), chance.randrange(4), number)
            elif what < 0.75:
                history.undo(PHOTO)
            elif what < 0.9:
                history.redo(PHOTO)
            elif what < 0.95:
                store.set_checkpoint(f"mark {number}", who="me")
            elif people:
                edit = edits.place_point(history.project.records["person", people[0]], 5, number, 1.0)
                history.do(edits.Edit("Predict", edit.changes, None, PHOTO, human=False))
    assert store.flush()
    marks = {c.name: store.states_at(c.sequence) for c in store.checkpoints}
    store.close()
    truth = content(folder)

    done = compacting.compact(folder)

    assert done.plan.entries
    assert content(folder) == truth == replayed(folder)
    again = Store.open(folder)
    for checkpoint in again.checkpoints:
        then = dict(again.project.records.items()) | again.states_at(checkpoint.sequence)
        before = dict(again.project.records.items()) | marks[checkpoint.name]
        assert then == before
    again.close()


def test_a_project_in_a_window_is_not_compacted(whole):
    store = Store.open(whole)

    with pytest.raises(KnownError, match="another window"):
        compacting.compact(whole)

    store.close()


def test_the_command_asks_before_it_compacts(whole):
    truth = fingerprint(whole)
    run = CliRunner()

    refused = run.invoke(cli.app, ["project", "compact", str(whole)], input="n\n")

    assert isinstance(refused.exception, KnownError)
    assert fingerprint(whole) == truth
    assert run.invoke(cli.app, ["project", "compact", str(whole), "--yes"]).exit_code == 0
    assert fingerprint(whole) != truth


# ------------------------------------------------------------------------------------------------------ backups


def test_a_backup_restored_in_a_new_folder_is_the_project_of_then(whole, tmp_path):
    truth = content(whole)
    made_backup = backups.make_of(whole)
    store = Store.open(whole)
    History(store.project, store, who="me").undo(PHOTO)
    store.close()

    backups.restore(made_backup.path, tmp_path / "then.limb")

    assert content(tmp_path / "then.limb") == truth
    assert check(tmp_path / "then.limb").problems == ()
    one, other = Store.open(whole), Store.open(tmp_path / "then.limb")
    assert one.identity != other.identity
    one.close()
    other.close()


def test_backups_in_a_folder_of_choice_bring_their_blobs(whole, tmp_path, monkeypatch):
    monkeypatch.setenv("LIMBSTUDIO_HOME", str(tmp_path / "home"))
    (tmp_path / "elsewhere").mkdir()
    backups.choose_folder(tmp_path / "elsewhere")

    backup = backups.make_of(whole)
    shutil.rmtree(whole)
    backups.restore(backup.path, tmp_path / "then.limb")

    assert backup.path.is_relative_to(tmp_path / "elsewhere")
    assert check(tmp_path / "then.limb").counts["masks and meshes"] == 5


def test_a_backup_is_made_by_itself_when_something_changed(folder):
    store, _ = made(folder)
    told: list[str] = []

    keeper = BackupKeeper(store, on_problem=lambda m, h: told.append(m), first_s=0.01, every_s=0.05)
    deadline = time.monotonic() + 5
    while not backups.backups_of(folder, store.identity) and time.monotonic() < deadline:
        time.sleep(0.02)
    time.sleep(0.3)  # nothing changed: no second one
    keeper.stop()

    (backup,) = backups.backups_of(folder, store.identity)
    assert backup.kind is BackupKind.AUTOMATIC
    assert backup.sequence == 9
    assert not told
    assert check(folder).problems == ()
    store.close()


def test_a_backup_that_cannot_be_made_is_said_once(folder):
    store, _ = made(folder)
    (folder / "backups").write_text("a file is in the way")
    told: list[str] = []

    keeper = BackupKeeper(store, on_problem=lambda m, h: told.append(m), first_s=0.01, every_s=0.02)
    time.sleep(0.4)
    keeper.stop()

    assert len(told) == 1
    assert told[0].startswith("No backup could be made.")
    store.close()


def test_newer_backups_make_room_and_checkpoints_stay():
    now = datetime(2026, 6, 30, 12, tzinfo=UTC)
    hourly = [
        Backup(Path(f"{h}"), now - timedelta(hours=h), BackupKind.AUTOMATIC, 1, "", 1)
        for h in range(24 * 100)
    ]
    mark = Backup(Path("mark"), now - timedelta(days=400), BackupKind.CHECKPOINT, 1, "mine", 1)

    gone = backups.superfluous([*hourly, mark])

    names = {b.path for b in gone}
    kept = [b for b in hourly if b.path not in names]
    assert mark.path not in names
    assert kept[:6] == hourly[:6]
    assert 20 <= len(kept) <= 28
    assert kept[-1].time < now - timedelta(weeks=6)


def test_importing_afterwards_goes_on(whole):
    compacting.compact(whole)
    store = Store.open(whole)
    history = History(store.project, store, who="me")

    history.do(import_photos("cd" * 32))
    history.do(edits.add_person(Person("new", "cd" * 32)))
    store.close()

    assert check(whole).problems == ()
