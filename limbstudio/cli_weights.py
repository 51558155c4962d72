"""The commands on a user's own weights: add them, list what is there and what is missing."""

import json
from pathlib import Path
from typing import Annotated

import typer

weights_app = typer.Typer(help="Your own weights of networks.", no_args_is_help=True)

JsonFlag = Annotated[bool, typer.Option("--json", help="Print one JSON object instead of words.")]


@weights_app.command()
def add(
    files: Annotated[
        list[Path], typer.Argument(help="Checkpoint, tokenizers, ViTPose, SMPL.", metavar="FILE...")
    ],
    replace: Annotated[
        bool, typer.Option("--replace", help="Take the place of other files of the kind.")
    ] = False,
    as_json: JsonFlag = False,
) -> None:
    """Check files of weights to the last tensor and copy them to where LimbStudio looks for them."""
    from limbstudio.services.weights import add_weights, weights_state

    def report(fraction: float, sentence: str) -> None:
        typer.echo(f"{sentence} ...", err=True)

    added = add_weights(files, replace=replace, report=report)
    state = weights_state()
    if as_json:
        rows = [
            {"name": a.name, "what": a.what, "path": str(a.path), "was_there": a.was_there} for a in added
        ]
        typer.echo(json.dumps({"added": rows, **state.as_plain}))
        return
    for row in added:
        typer.echo(f"{row.name}: {row.what}, {'was there already' if row.was_there else 'added'}: {row.path}")
    typer.echo("\n".join(f"Still missing: {line}" for line in state.missing) or "AJAHR has all it needs.")


@weights_app.command("list")
def list_(as_json: JsonFlag = False) -> None:
    """Say which weights are there and which are missing."""
    from limbstudio.services.weights import weights_state

    state = weights_state()
    typer.echo(json.dumps(state.as_plain) if as_json else "\n".join(state.lines))
