"""The commands on synthetic samples of people with limb loss: make them."""

import json
import os
import shutil
import sys
from pathlib import Path
from typing import Annotated, Literal

import typer

a3d_app = typer.Typer(
    help="Synthetic pictures of people with limb loss, with their truth.", no_args_is_help=True
)

PROJECT = "a3d.limb"
JsonFlag = Annotated[bool, typer.Option("--json", help="Print one JSON object instead of words.")]


@a3d_app.command()
def make(
    out: Annotated[Path, typer.Option(help="Folder for the shards.", metavar="DIR")],
    count: Annotated[int, typer.Option(help="How many samples.")],
    body: Annotated[Path | None, typer.Option(help="Body model of your own: SMPL, SMPL-H or SMPL-X.")] = None,
    backgrounds: Annotated[
        Path | None, typer.Option(help="Folder of photos, a COCO file beside them.", metavar="DIR")
    ] = None,
    detector: Annotated[
        str | None, typer.Option(help="Plugin that looks for people left in the backgrounds.", metavar="NAME")
    ] = None,
    textures: Annotated[
        Path | None,
        typer.Option(
            help="Folder of pictures of cloth; of skin in its folders skin/tone_1 (light) to skin/tone_7 (dark).",
            metavar="DIR",
        ),
    ] = None,
    poses: Annotated[
        Path | None, typer.Option(help="Motion file poses.npz; by default the bundled poses.")
    ] = None,
    split: Annotated[
        Literal["train", "validation"], typer.Option(help="Which clips of the motion file.")
    ] = "train",
    limbs: Annotated[
        Literal["mixed", "residual", "collapsed"],
        typer.Option(help="residual: cut and capped. collapsed: AJAHR's zeroed rotations."),
    ] = "mixed",
    size: Annotated[int, typer.Option(help="Side of the pictures in pixels.")] = 256,
    workers: Annotated[int | None, typer.Option(help="Processes; by default one for each core.")] = None,
    seed: Annotated[int, typer.Option(help="Seed of everything random.")] = 0,
    resume: Annotated[bool, typer.Option("--resume", help="Keep whole shards, make the rest.")] = False,
    shard_size: Annotated[int, typer.Option(help="Samples in a shard.")] = 500,
    project: Annotated[
        bool, typer.Option("--project", help="Also make a LimbStudio project of them.")
    ] = False,
    as_json: JsonFlag = False,
) -> None:
    """Make pictures, masks and truth as WebDataset shards, with a COCO file and a datasheet.

    The same seed gives the same bytes, whatever the number of workers.
    """
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # before numpy comes: the matrices are small
    from limbstudio.a3d.crew import most_workers
    from limbstudio.a3d.making import make_set
    from limbstudio.a3d.plans import SampleOptions
    from limbstudio.domain.errors import KnownError
    from limbstudio.services.detecting import people_finder

    if project and (out / PROJECT).exists():
        raise KnownError(
            f"There is a project {out / PROJECT} already.", "Move it away, or leave --project out."
        )
    if detector is not None and backgrounds is None:
        raise KnownError(
            "A detector looks at the photos of --backgrounds, and none are given.",
            "Give both or none of them.",
        )
    options = SampleOptions(
        seed=seed,
        size_px=size,
        limbs=limbs,
        body=body,
        poses=poses,
        validation=split == "validation",
        backgrounds=backgrounds,
        textures=textures,
    )
    made = make_set(
        out,
        count,
        options,
        workers=most_workers() if workers is None else workers,
        shard_size=shard_size,
        resume=resume,
        find_people=None if detector is None else people_finder(detector),
        report=_say_progress if sys.stderr.isatty() else _say_nothing,
    )
    if project:
        make_project(out, made.shards)
    if as_json:
        plain = made.as_plain() | ({"project": str(out / PROJECT)} if project else {})
        typer.echo(json.dumps(plain, ensure_ascii=False, indent=1))
        return
    typer.echo(made.text)
    if project:
        typer.echo(f"The project is {out / PROJECT}; its photos are in {out / 'photos'}.")


def make_project(out: Path, shards: int) -> Path:
    """Unpack the samples beside their shards and import them into a new project; return its folder."""
    from limbstudio.a3d.records import unpack
    from limbstudio.a3d.shards import truths
    from limbstudio.services.studio import Studio

    annotations = unpack(out / "photos", truths(out, shards))
    unfinished = out / f"unfinished-{PROJECT}"
    shutil.rmtree(unfinished, ignore_errors=True)
    studio = Studio(run_inline=True)
    try:
        studio.create(unfinished, "A3D")
        result = studio.import_annotations(annotations).result
    finally:
        studio.quit()
    for _, error in result.refused:
        raise error
    return unfinished.rename(out / PROJECT)


def _say_progress(fraction: float, sentence: str) -> None:
    typer.echo(f"\r{100 * fraction:3.0f} % {sentence}\x1b[K", err=True, nl=fraction >= 1)


def _say_nothing(fraction: float, sentence: str) -> None:
    """Without a terminal nobody looks at progress."""
