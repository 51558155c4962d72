"""A comparison of methods as people read it: a table in Markdown, tables in CSV, and a plot."""

import csv
from collections.abc import Sequence
from io import BytesIO, StringIO

from limbstudio.evaluation.protocol import Score, Summary

_NOTES = """\
Errors are distances in the picture, averaged over each person's annotated points and then over people. Body:
the 17 COCO points and the ends of residual limbs together; the paper has 25 OpenPose points and the same 8
ends, and other photos, so its figures (ResiHMR, table 1) cannot be compared with these. % is of the box
height.

A residual limb that a method does not cut is scored at the midpoint of its segment; so are all limbs of
`intact`, which knows nothing of limb loss.

mIoU compares the silhouette of the reconstructed body with the annotated mask: of the whole body, and of
observed parts only (a part of the body counts when the annotation places both its ends).
"""

_COLUMNS = (
    ("Method", "mode"),
    ("People", "people"),
    ("Body px", "all_px"),
    ("Residual px", "residual_px"),
    ("Intact px", "intact_px"),
    ("Body %", "all_pct"),
    ("Residual %", "residual_pct"),
    ("Residual % (median)", "residual_pct_median"),
    ("Intact %", "intact_pct"),
    ("mIoU", "iou"),
    ("mIoU, observed parts", "observed_iou"),
)
_PER_PERSON = (
    "all_error_px", "residual_error_px", "intact_error_px",
    "all_error_pct_box", "residual_error_pct_box", "intact_error_pct_box",
    "intact_points", "residual_points", "mask_iou", "observed_iou",
)  # fmt: skip


def markdown(summaries: Sequence[Summary], scores: Sequence[Score], *, title: str) -> str:
    """Return the whole report: methods compared, every person, refusals, and what the figures mean."""
    lines = [
        f"# {title}",
        "",
        *_table([[head for head, _ in _COLUMNS] + ["Limbs cut", "s per person"]], summaries),
    ]
    lines += [
        "",
        "## People",
        "",
        "| person | method | body px | residual px | intact px | intact % | residual % | mIoU ",
    ]
    lines[-1] += "| mIoU, observed parts | limbs cut |"
    lines.append("|-|-" + "|-:" * 8 + "|")
    for score in scores:
        m = score.metrics
        if m is None:
            continue
        cells = [
            _number(m.all_error_px), _number(m.residual_error_px), _number(m.intact_error_px),
            _number(m.intact_error_pct_box), _number(m.residual_error_pct_box), _number(m.mask_iou, 3),
            _number(m.observed_iou, 3), f"{score.accepted} of {score.limbs}",
        ]  # fmt: skip
        lines.append(f"| {_cell(score.name)} | {score.mode.value} | " + " | ".join(cells) + " |")
    refused = [score for score in scores if score.metrics is None]
    if refused:
        lines += ["", "## Refused", ""]
        lines += [f"- {_cell(score.name)}, {score.mode.value}: {score.refusal}" for score in refused]
    return "\n".join([*lines, "", "## What the figures mean", "", _NOTES])


def _table(head: list[list[str]], summaries: Sequence[Summary]) -> list[str]:
    rows = ["| " + " | ".join(head[0]) + " |", "|-" + "|-:" * (len(head[0]) - 1) + "|"]
    for summary in summaries:
        cells = [summary.mode.value, str(summary.people)]
        for _, name in _COLUMNS[2:]:
            cells.append(_number(getattr(summary, name), 3 if "iou" in name else 2))
        cells += [f"{summary.accepted} of {summary.limbs}", _number(summary.seconds)]
        rows.append("| " + " | ".join(cells) + " |")
    return rows


def _number(value: float | None, digits: int = 2) -> str:
    return "–" if value is None else f"{value:.{digits}f}"


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


def summary_csv(summaries: Sequence[Summary]) -> str:
    """Return the methods compared, one row each; empty cells where there is nothing to compare with."""
    names = [name for _, name in _COLUMNS] + ["refused", "limbs", "accepted", "seconds"]
    rows = [[_plain(getattr(summary, name)) for name in names] for summary in summaries]
    return _csv([names, *rows])


def people_csv(scores: Sequence[Score]) -> str:
    """Return every person by every method, one row each, refusals included."""
    head = ["person", "method", *_PER_PERSON, "limbs", "accepted", "watertight", "seconds", "refusal"]
    rows = [
        [
            score.name, score.mode.value,
            *(_plain(getattr(score.metrics, name, None)) for name in _PER_PERSON),
            score.limbs, score.accepted, score.watertight, f"{score.seconds:.3f}", score.refusal,
        ]
        for score in scores
    ]  # fmt: skip
    return _csv([head, *rows])


def _plain(value: object) -> object:
    if value is None:
        return ""
    return f"{value:.4f}" if isinstance(value, float) else value


def _csv(rows: Sequence[Sequence[object]]) -> str:
    text = StringIO(newline="")
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue()


def plot_png(summaries: Sequence[Summary], scores: Sequence[Score]) -> bytes:
    """Draw errors and overlaps of the methods, every person a dot, the mean a bar; return a PNG."""
    import matplotlib  # slow to load, and only reports need it

    matplotlib.use("Agg")
    from matplotlib.figure import Figure

    panels = (
        ("Intact points, % of box height", "intact_error_pct_box", "intact_pct"),
        ("Residual ends, % of box height", "residual_error_pct_box", "residual_pct"),
        ("IoU with the mask, whole body", "mask_iou", "iou"),
        ("IoU with the mask, observed parts", "observed_iou", "observed_iou"),
    )
    figure = Figure(figsize=(12, 3.6), layout="constrained")
    for axes, (title, per_person, mean) in zip(figure.subplots(1, len(panels)), panels, strict=True):
        for x, summary in enumerate(summaries):
            axes.bar(x, getattr(summary, mean) or 0, width=0.6, color="#9db4d4", zorder=1)
            values = [
                value
                for score in scores
                if score.mode is summary.mode
                and (value := getattr(score.metrics, per_person, None)) is not None
            ]
            offsets = [x + 0.24 * ((i % 5) / 2 - 1) for i in range(len(values))]
            axes.scatter(offsets, values, s=14, color="#1d3557", zorder=2)
        axes.set_xticks(range(len(summaries)), [summary.mode.value for summary in summaries])
        axes.set_title(title, fontsize=10)
        axes.grid(axis="y", alpha=0.3)
        if per_person.endswith("iou"):
            axes.set_ylim(0, 1)
    data = BytesIO()
    figure.savefig(data, format="png", dpi=130, metadata={"Software": None})
    return data.getvalue()
