"""`limbstudio train ...`: for developers who learn anew what ships in resources/priors."""

from pathlib import Path
from typing import Annotated

import typer

train_app = typer.Typer(help="Learn anew what ships with LimbStudio.", no_args_is_help=True)


@train_app.command("prior")
def train_prior(
    poses: Annotated[Path, typer.Argument(help="Motion file poses.npz.")],
    out: Annotated[Path, typer.Option(help="Where to write the prior, .npz.")],
) -> None:
    """Learn the pose prior from motion capture and judge it on held-out poses (minutes)."""
    from limbstudio.training.priors import learn_pose_prior  # numpy is not needed for --help

    typer.echo(learn_pose_prior(poses, out).text)
    typer.echo(f"The prior is in {out}.")


@train_app.command("clicks")
def train_clicks(
    annotations: Annotated[Path, typer.Argument(help="COCO file with LDPose-25 points.")],
    out: Annotated[Path, typer.Option(help="Where to write the offsets, .npz.")],
    photos: Annotated[
        Path | None, typer.Option(help="Folder of the photos; by default the annotations' own.")
    ] = None,
) -> None:
    """Learn where annotators click and judge it leaving one photo out at a time."""
    from limbstudio.training.priors import learn_click_offsets  # numpy is not needed for --help

    typer.echo(learn_click_offsets(annotations, out, photos).text)
    typer.echo(f"The offsets are in {out}.")
