"""The commands of AJAHR: predict bodies without a fit."""

import json
from pathlib import Path
from typing import Annotated

import typer

from limbstudio.domain.errors import KnownError
from limbstudio.domain.limb_proposals import UNSURE_BELOW

KNOWN = 2

ajahr_app = typer.Typer(help="AJAHR: bodies predicted from points and limb states.", no_args_is_help=True)


@ajahr_app.command()
def predict(
    photos: Annotated[list[Path], typer.Argument(help="Photos to predict on.", metavar="PHOTO...")],
    annotations: Annotated[Path, typer.Option(help="COCO file with LDPose-25 points.", metavar="COCO.json")],
    out: Annotated[Path, typer.Option(help="Folder for the results.", metavar="DIR")],
    body: Annotated[Path | None, typer.Option(help="Body model of your own.")] = None,
    weights: Annotated[
        Path | None, typer.Option(help="ajahr.npz of your own training; by default the one that ships.")
    ] = None,
    released: Annotated[
        bool, typer.Option("--released", help="The authors' weights that you have added, on your SMPL.")
    ] = False,
    second_pass: Annotated[
        bool,
        typer.Option("--second-pass", help="With --released: the decoder looks at BPAC-Net's feature too."),
    ] = False,
    release_exact: Annotated[
        bool,
        typer.Option(
            "--release-exact", help="With --released: heatmaps in pixels of the photo, as released."
        ),
    ] = False,
    focal_px: Annotated[float | None, typer.Option(help="Focal length in pixels.")] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Keep what is finished.")] = False,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace what is there.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object instead of words.")] = False,
) -> None:
    """Predict AJAHR's body of every annotated person: what a limb lacks is drawn into the joint above it."""
    from limbstudio.ajahr.build import ReleasedOptions
    from limbstudio.services.reconstructing import ReconstructOptions, existing_policy, reconstruct_photos

    if (second_pass or release_exact) and not released:
        raise KnownError(
            "--second-pass and --release-exact are about the released weights.", "Give --released as well."
        )
    if released and (weights is not None or focal_px is not None):
        raise KnownError(
            "The released weights come with their own file and camera.", "Leave --weights and --focal-px out."
        )
    if weights is not None and not weights.is_file():
        raise KnownError(
            f"There is no file {weights}.", "Give the ajahr.npz that `limbstudio train ajahr` wrote."
        )

    def report(fraction: float, sentence: str) -> None:
        if not as_json:
            typer.echo(f"{100 * fraction:3.0f} % {sentence}", err=True)

    options = ReconstructOptions(
        body=body,
        focal_px=focal_px,
        existing=existing_policy(resume=resume, overwrite=overwrite),
        predict_only=True,
        weights=weights,
        released=ReleasedOptions(release_exact, second_pass) if released else None,
    )
    result = reconstruct_photos(photos, annotations, out, options, report=report)
    typer.echo(json.dumps(result.as_plain()) if as_json else "\n".join(result.as_lines()))
    if result.refused:
        raise typer.Exit(KNOWN)


@ajahr_app.command()
def limbs(
    photos: Annotated[list[Path], typer.Argument(help="Photos to look at.", metavar="PHOTO...")],
    annotations: Annotated[
        Path, typer.Option(help="COCO file with the people's points or boxes.", metavar="COCO.json")
    ],
    weights: Annotated[
        Path | None, typer.Option(help="bpac.npz of your own training; by default the one that ships.")
    ] = None,
    threshold: Annotated[
        float, typer.Option(help="Unsure where the two likeliest answers are less apart than this share.")
    ] = UNSURE_BELOW,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object instead of words.")] = False,
) -> None:
    """Propose from photo and points how every annotated person's limbs end; what is annotated of limbs is not read."""
    from limbstudio.services.limb_proposals import agreement, propose_limbs

    people = propose_limbs(photos, annotations, weights=weights, threshold=threshold)
    same, compared = agreement(people)
    if as_json:
        plain = [person.as_plain() for person in people]
        typer.echo(json.dumps({"people": plain, "as_annotated": same, "compared": compared}))
    else:
        typer.echo("\n".join(line for person in people for line in person.lines))
        if compared:
            typer.echo(f"{same} of {compared} limbs are as annotated.")
    if any(person.error is not None for person in people):
        raise typer.Exit(KNOWN)
