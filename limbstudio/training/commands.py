"""`limbstudio train ...`: for developers who learn anew what ships in resources/priors."""

from pathlib import Path
from typing import Annotated, Literal

import typer

Device = Annotated[Literal["auto", "cpu", "cuda"], typer.Option(help="Where to train.")]
Precision = Annotated[
    Literal["32-true", "bf16-mixed", "16-mixed"],
    typer.Option(help="How exactly to count, as Lightning says it."),
]
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


@train_app.command("lifter")
def train_lifter(
    poses: Annotated[Path, typer.Argument(help="Motion file poses.npz.")],
    out: Annotated[Path, typer.Option(help="Where to write the lifter, .npz.")],
    steps: Annotated[int, typer.Option(help="Steps of 1,024 synthetic people each.")] = 6000,
    seed: Annotated[int, typer.Option(help="Seed of everything random.")] = 0,
    start: Annotated[Path | None, typer.Option(help="A lifter to go on from.")] = None,
    rate: Annotated[float, typer.Option(help="First learning rate; it falls to nothing.")] = 1.5e-3,
) -> None:
    """Learn the guess of depths from keypoints and judge it on held-out poses (half an hour)."""
    from limbstudio.training.lifter import learn_lifter  # torch is not needed for --help

    def say(fraction: float, sentence: str) -> None:
        typer.echo(f"{100 * fraction:3.0f} % {sentence}", err=True)

    report = learn_lifter(poses, out, steps=steps, seed=seed, start=start, rate=rate, report=say)
    typer.echo(report.text)
    typer.echo(f"The lifter is in {out}.")


@train_app.command("tokenizer")
def train_tokenizer(
    poses: Annotated[Path, typer.Argument(help="Motion file poses.npz.")],
    out: Annotated[Path, typer.Option(help="Folder for weights, curves and what to resume from.")],
    steps: Annotated[int, typer.Option(help="Steps of training.")] = 20_000,
    batch: Annotated[int, typer.Option(help="Poses of each step.")] = 256,
    start: Annotated[
        Path | None, typer.Option(help="tokenizer.pt to begin with, as the one of people with all limbs.")
    ] = None,
    loss: Annotated[bool, typer.Option("--loss", help="For people with limb loss.")] = False,
    rate: Annotated[float, typer.Option(help="Highest learning rate; it falls to nothing.")] = 1e-3,
    seed: Annotated[int, typer.Option(help="Seed of everything random.")] = 0,
    resume: Annotated[bool, typer.Option("--resume", help="Go on from the folder's last state.")] = False,
    device: Device = "auto",
    precision: Precision = "32-true",
) -> None:
    """Learn a pose tokenizer of AJAHR, at the size that ships, and judge it on held-out clips (hours)."""
    from limbstudio.ajahr.build import STUDIO_TOKENIZER
    from limbstudio.training.lightning_modules import Machine
    from limbstudio.training.tokenizing import (
        TokenizerPlan,
        learn_tokenizer,
    )  # torch is not needed for --help

    plan = TokenizerPlan(STUDIO_TOKENIZER, steps, loss=loss, batch=batch, rate=rate, seed=seed)
    typer.echo(
        learn_tokenizer(poses, out, plan, start=start, resume=resume, machine=Machine(device, precision)).text
    )
    typer.echo(f"The tokenizer is in {out}.")


@train_app.command("ajahr")
def train_ajahr(
    poses: Annotated[Path, typer.Argument(help="Motion file poses.npz.")],
    tokenizer: Annotated[Path, typer.Option(help="tokenizer.pt of people with all limbs.")],
    tokenizer_loss: Annotated[Path, typer.Option(help="tokenizer.pt of people with limb loss.")],
    out: Annotated[Path, typer.Option(help="Folder for weights, curves and what to resume from.")],
    steps: Annotated[int, typer.Option(help="Steps of 256 synthetic people each.")] = 60_000,
    rate: Annotated[float, typer.Option(help="Highest learning rate; it falls to nothing.")] = 5e-4,
    start: Annotated[Path | None, typer.Option(help="ajahr.npz to go on from, by default none.")] = None,
    second_look_only: Annotated[
        bool, typer.Option("--second-look-only", help="Leave the head as --start has it.")
    ] = False,
    seed: Annotated[int, typer.Option(help="Seed of everything random.")] = 0,
    resume: Annotated[bool, typer.Option("--resume", help="Go on from the folder's last state.")] = False,
    device: Device = "auto",
    precision: Precision = "32-true",
) -> None:
    """Learn AJAHR on keypoints, at the size that ships, and judge it on people of held-out clips (hours)."""
    from limbstudio.training.keypoint_ajahr import (  # torch is not needed for --help
        StudioPlan,
        learn_studio_ajahr,
    )
    from limbstudio.training.lightning_modules import Machine

    plan = StudioPlan(steps, rate=rate, seed=seed, start=start, second_look_only=second_look_only)
    typer.echo(
        learn_studio_ajahr(
            poses, (tokenizer, tokenizer_loss), out, plan, resume=resume, machine=Machine(device, precision)
        ).text
    )
    typer.echo(f"The network is in {out}.")


@train_app.command("picture")
def train_picture(
    shards: Annotated[
        Path, typer.Argument(help="Folder of shards that `a3d make` wrote.", metavar="SHARD_DIR")
    ],
    validation: Annotated[Path, typer.Option(help="Folder of other shards, to judge with.")],
    start: Annotated[Path, typer.Option(help="ajahr.npz that the picture is added to; it is left as it is.")],
    out: Annotated[Path, typer.Option(help="Folder for weights, curves and what to resume from.")],
    steps: Annotated[int, typer.Option(help="Steps of training.")] = 3000,
    batch: Annotated[int, typer.Option(help="People of each step.")] = 128,
    copies: Annotated[int, typer.Option(help="Varied copies of each sample that are looked at.")] = 2,
    rate: Annotated[float, typer.Option(help="Highest learning rate; it falls to nothing.")] = 5e-4,
    features: Annotated[
        Path | None,
        typer.Option(
            help="pose_landmark_full.tflite of MediaPipe; by default features are those of the limb classifier."
        ),
    ] = None,
    seed: Annotated[int, typer.Option(help="Seed of everything random.")] = 0,
    resume: Annotated[bool, typer.Option("--resume", help="Go on from the folder's last state.")] = False,
    device: Device = "auto",
    precision: Precision = "32-true",
) -> None:
    """Learn what the picture adds to AJAHR on keypoints, and judge it with and without (half an hour)."""
    from limbstudio.training.lightning_modules import Machine  # torch is not needed for --help
    from limbstudio.training.picture_ajahr import PicturePlan, learn_picture

    plan = PicturePlan(
        start, steps, copies=copies, batch=batch, rate=rate, seed=seed, features=features
    )  # fmt: skip
    machine = Machine(device, precision)
    typer.echo(learn_picture(shards, validation, out, plan, resume=resume, machine=machine).text)
    typer.echo(f"The network is in {out}.")


@train_app.command("bpac")
def train_bpac(
    shards: Annotated[
        Path, typer.Argument(help="Folder of shards that `a3d make` wrote.", metavar="SHARD_DIR")
    ],
    validation: Annotated[Path, typer.Option(help="Folder of other shards, to calibrate and judge with.")],
    out: Annotated[Path, typer.Option(help="Folder for weights, curves and what to resume from.")],
    steps: Annotated[int, typer.Option(help="Steps of training.")] = 20_000,
    batch: Annotated[int, typer.Option(help="People of each step.")] = 64,
    rate: Annotated[float, typer.Option(help="Highest learning rate; it falls to nothing.")] = 1e-3,
    workers: Annotated[int, typer.Option(help="Processes that read samples.")] = 0,
    start: Annotated[Path | None, typer.Option(help="bpac.npz to go on from, by default none.")] = None,
    features: Annotated[
        Path | None,
        typer.Option(help="pose_landmark_full.tflite of MediaPipe that the features of people begin with."),
    ] = None,
    train_features: Annotated[
        bool, typer.Option("--train-features", help="Train the features of people on, too.")
    ] = False,
    keep: Annotated[
        int,
        typer.Option(
            help="Look at so many varied copies of each sample once, and train only what reads the features.",
            metavar="COPIES",
            min=0,
        ),
    ] = 0,
    seed: Annotated[int, typer.Option(help="Seed of everything random.")] = 0,
    resume: Annotated[bool, typer.Option("--resume", help="Go on from the folder's last state.")] = False,
    device: Device = "auto",
    precision: Precision = "32-true",
) -> None:
    """Learn to tell from photo and points how limbs end, at the size that ships, and judge it (hours)."""
    from limbstudio.training.bpac import learn_bpac  # torch is not needed for --help
    from limbstudio.training.bpac_modules import BpacPlan
    from limbstudio.training.lightning_modules import Machine

    plan = BpacPlan(
        steps, batch=batch, rate=rate, seed=seed, workers=workers, start=start,
        features=features, train_features=train_features, kept=keep,
    )  # fmt: skip
    typer.echo(
        learn_bpac(shards, validation, out, plan, resume=resume, machine=Machine(device, precision)).text
    )
    typer.echo(f"The classifier is in {out}.")
