"""The commands on a project's folder: check it, repair it, back it up, take its journal out, make it smaller."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer

from limbstudio.domain.errors import KnownError

KNOWN = 2

project_app = typer.Typer(help="Check, repair, back up and compact project folders.", no_args_is_help=True)

Folder = Annotated[Path, typer.Argument(help="Project folder, NAME.limb.", metavar="DIR")]
NewFolder = Annotated[Path, typer.Option(help="New folder to make, NAME.limb.", metavar="NEW")]
JsonFlag = Annotated[bool, typer.Option("--json", help="Print one JSON object instead of words.")]


@project_app.command()
def check(folder: Folder, as_json: JsonFlag = False) -> None:
    """Read everything of a project and say what is wrong. Nothing is changed."""
    from limbstudio.services.checking import check as run

    checked = run(folder, _say_nothing)
    _show(checked.as_plain, checked.as_lines, as_json)
    if checked.problems:
        raise typer.Exit(KNOWN)


@project_app.command()
def repair(folder: Folder, out: NewFolder, as_json: JsonFlag = False) -> None:
    """Make a whole project, in a new folder, of what can be read of a damaged one."""
    from limbstudio.services.repairing import repair as run

    repaired = run(folder, out, _say_nothing)
    _show(repaired.as_plain, repaired.as_lines, as_json)


@project_app.command("export-journal")
def export_journal(
    folder: Folder,
    out: Annotated[Path, typer.Option(help="File to write: .jsonl or .csv.", metavar="FILE")],
    as_json: JsonFlag = False,
) -> None:
    """Write who changed what and when, from the first edit on."""
    from limbstudio.services.journal_files import export_journal as run

    count = run(folder, out, _say_nothing)
    _show(lambda: {"edits": count, "file": str(out)}, lambda: [f"{count} edits are in {out}."], as_json)


@project_app.command()
def compact(
    folder: Folder,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    as_json: JsonFlag = False,
) -> None:
    """Forget undone edits and move unused files aside, after a backup. It may be stopped at any moment."""
    from limbstudio.services.compacting import compact as run
    from limbstudio.services.compacting import plan

    if not yes:
        typer.echo(plan(folder).words, err=True)
        if not typer.confirm("Go on?", err=True):
            raise KnownError("Nothing was changed.", "Answer y, or say --yes, to go on.")
    compacted = run(folder, _say_nothing)
    _show(compacted.as_plain, compacted.as_lines, as_json)


@project_app.command()
def backup(folder: Folder, as_json: JsonFlag = False) -> None:
    """Copy the project's file to its backups now."""
    from limbstudio.services import backups

    made = backups.make_of(folder)
    _show(lambda: {"backup": str(made.path)}, lambda: [f"The backup is {made.path}."], as_json)


@project_app.command()
def restore(
    backup: Annotated[Path, typer.Argument(help="A file of the folder “backups”.", metavar="BACKUP")],
    out: NewFolder,
    as_json: JsonFlag = False,
) -> None:
    """Make a project, in a new folder, from a backup."""
    from limbstudio.services import backups

    backups.restore(backup, out)
    _show(lambda: {"project": str(out)}, lambda: [f"The project is in {out}."], as_json)


def _show(plain: Callable[[], Any], lines: Callable[[], list[str]], as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps(plain(), ensure_ascii=False, indent=1))
    else:
        typer.echo("\n".join(lines()))


def _say_nothing(fraction: float, sentence: str) -> None:
    """Progress of these commands is not shown: they take seconds."""
