"""What a training leaves to look at: figures as CSV, for TensorBoard, and curves as a picture."""

import csv
from pathlib import Path
from typing import Any

from limbstudio.training.lightning_modules import lightning

_METRICS, _CURVES = "metrics.csv", "curves.png"
_SMOOTHED = 15  # rows of the CSV in a running mean


def loggers(out: Path) -> list[Any]:
    """Return Lightning's loggers: `metrics.csv` in the folder, and event files for TensorBoard below it."""
    found = lightning().pytorch.loggers
    return [
        found.CSVLogger(out, name="", version=""),
        found.TensorBoardLogger(out, name="tensorboard", version=""),
    ]


def draw_curves(out: Path) -> Path | None:
    """Draw every column of `metrics.csv` over the steps, with its running mean; None where nothing was logged yet."""
    columns = _columns(out / _METRICS)
    if not columns:
        return None
    from matplotlib.figure import Figure  # a second to import, and only at the end of a training

    rows = (len(columns) + 1) // 2
    figure = Figure(figsize=(10, 2.6 * rows), layout="constrained")
    for number, (name, points) in enumerate(columns.items()):
        axes = figure.add_subplot(rows, 2, number + 1)
        steps, values = [step for step, _ in points], [value for _, value in points]
        axes.plot(steps, values, linewidth=0.7, alpha=0.4)
        means = [_mean(values[max(0, i + 1 - _SMOOTHED) : i + 1]) for i in range(len(values))]
        axes.plot(steps, means, linewidth=1.4)
        if min(values) > 0:
            axes.set_yscale("log")
        axes.set_title(name)
        axes.set_xlabel("step")
    path = out / _CURVES
    figure.savefig(path, dpi=110)
    return path


def _mean(values: list[float]) -> float:
    return sum(values) / len(values)


def _columns(path: Path) -> dict[str, list[tuple[int, float]]]:
    """Return the logged figures by name, (step, value) in order; of a step that was logged twice the last counts."""
    if not path.is_file():
        return {}
    found: dict[str, dict[int, float]] = {}
    with path.open(newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            step = int(row["step"])
            for name, value in row.items():
                if name not in ("step", "epoch") and value:
                    found.setdefault(name, {})[step] = float(value)
    return {name: sorted(points.items()) for name, points in found.items()}
