"""The tables of AJAHR's paper and supplement, with what is measured here beside them.

The figures are copied as text, to the last digit, from the supplement's tables B and C and from the tables of a review
of the paper (those under its experimental results); "–" stands where these texts give none. ITW-amputee is the name of
the authors' set of photos.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from limbstudio.evaluation.in_space import SpaceErrors

GATED = "not reproducible here: data are gated"
_NOT_MEASURED = "not measured in this run"

Cells = tuple[str, ...]


@dataclass(frozen=True)
class PaperTable:
    """One table of figures as published. source: where it stands. rows: as many cells as the head has."""

    title: str
    source: str
    head: Cells
    rows: tuple[Cells, ...]


WITH_LOSS = PaperTable(
    "Bodies of people with limb loss, mm",
    "review, first table of results; HMR2.0 from its comparison with other work",
    ("Data", "Figure, as the review heads it", "AJAHR", "TokenHMR", "HMR2.0"),
    (
        ("A3D", "MPJPE", "73.42", "76.01", "–"),
        ("A3D", "MVE", "73.19", "74.70", "–"),
        ("A3D", "PA-MPJPE", "49.42", "49.94", "–"),
        ("ITW-amputee", "MPJPE", "116.42", "136.52", "–"),
        ("ITW-amputee", "MVE", "129.25", "146.12", "154.43"),
        ("ITW-amputee", "PA-MPJPE", "77.18", "91.00", "–"),
    ),
)
ALL_LIMBS = PaperTable(
    "Bodies of people with all limbs, mm",
    "review, second table of results",
    ("Data", "Figure, as the review heads it", "AJAHR", "TokenHMR"),
    (
        ("3DPW", "MPJPE", "95.26", "90.23"),
        ("3DPW", "PA-MPJPE", "44.94", "47.17"),
        ("EMDB", "MPJPE", "112.83", "113.26"),
        ("EMDB", "PA-MPJPE", "58.62", "58.98"),
    ),
)
LIMB_STATES = PaperTable(
    "How limbs end, told by BPAC-Net",
    "review, third table of results",
    ("Data", "Accuracy", "Precision", "Recall", "F1"),
    (
        ("A3D, limb loss", "0.881", "0.756", "0.922", "0.820"),
        ("3DOH50K, occlusion", "0.956", "0.956", "1.000", "0.977"),
    ),
)
# Tuning, cross-attention with BPAC-Net's feature, limb states by the classifier; then the data sets' figures in mm.
MODULES = PaperTable(
    "AJAHR by tuning, cross-attention and who tells limb states, mm",
    "supplement, table B, headed as there: (a) true limb states, (b) those that BPAC-Net tells",
    (
        "", "Tuning", "Cross-attention", "EMDB MVE", "EMDB MPJPE", "EMDB PA-MPJPE", "3DPW MVE", "3DPW MPJPE",
        "3DPW PA-MPJPE", "A3D PVE", "A3D MPJPE", "A3D PA-MPJPE", "ITW-amputee PVE", "ITW-amputee MPJPE",
        "ITW-amputee PA-MPJPE",
    ),
    (
        ("(a)", "full", "no", "114.53", "94.37", "58.68", "97.16", "72.68", "46.00", "74.98", "74.45", "48.80",
         "121.62", "133.73", "77.94"),
        ("(a)", "partial", "no", "112.99", "92.05", "58.84", "95.73", "71.33", "47.72", "73.98", "74.30", "49.71",
         "122.34", "132.95", "81.23"),
        ("(a)", "full", "yes", "116.78", "95.84", "57.29", "98.66", "72.01", "44.95", "75.99", "73.29", "49.54",
         "126.46", "139.05", "83.88"),
        ("(a)", "partial", "yes", "112.83", "91.74", "58.62", "95.26", "71.77", "44.94", "73.42", "73.19", "49.42",
         "116.42", "129.25", "77.18"),
        ("(b)", "full", "no", "113.42", "97.33", "59.87", "97.98", "73.68", "47.76", "89.34", "89.96", "69.87",
         "143.49", "154.83", "85.17"),
        ("(b)", "partial", "no", "113.93", "94.12", "58.87", "98.51", "73.88", "48.90", "89.12", "88.12", "68.17",
         "145.01", "153.17", "90.12"),
        ("(b)", "full", "yes", "115.65", "97.98", "59.08", "99.34", "72.23", "45.16", "88.51", "88.32", "68.19",
         "148.28", "157.51", "93.11"),
        ("(b)", "partial", "yes", "114.52", "93.73", "58.01", "97.02", "71.97", "44.98", "87.11", "87.91", "68.01",
         "139.64", "143.74", "84.91"),
    ),
)  # fmt: skip
TOKENIZERS = PaperTable(
    "AJAHR's tokenizer by codebook and tokens, mm",
    "supplement, table C; the last row is printed with commas on MOYO",
    ("Codebook", "Tokens", "A3D MPJPE", "A3D MVE", "AMASS MPJPE", "AMASS MVE", "MOYO MPJPE", "MOYO MVE"),
    (
        ("128x2048", "320", "1.72", "8.05", "2.24", "8.62", "7.49", "16.50"),
        ("256x1024", "320", "1.92", "8.50", "2.50", "8.80", "7.15", "16.18"),
        ("256x2048", "20", "5.51", "12.60", "7.62", "15.00", "23.10", "38.87"),
        ("256x2048", "40", "3.49", "9.76", "4.51", "10.67", "14.50", "26.04"),
        ("256x2048", "80", "2.39", "8.56", "3.07", "8.97", "10.05", "19.44"),
        ("256x2048", "160", "2.07", "8.38", "2.74", "8.67", "6.68", "14.60"),
        ("256x2048", "640", "2.59", "9.03", "2.60", "9.03", "8.02", "16.60"),
        ("256x2048", "320", "1.56", "8.01", "1.90", "8.08", "5.52", "13.47"),
    ),
)
_NOT_COMPARABLE = """\
These figures cannot be compared with those measured here: other people and photos, another body, networks of another
size, of which that for bodies is told points and never sees the photo; and what is called A3D here is our own
synthetic set, not the authors'. Nor is it sure what they are. Review and supplement head the same figures
differently: A3D's 73.42 and 73.19 are MPJPE and MVE in the review, PVE and MPJPE in table B; so are ITW-amputee's
116.42 and 129.25; EMDB's 112.83 and 3DPW's 95.26 are MPJPE in the review, MVE in table B. And the evaluator that the
authors released halves errors: it prints half of each. Of Human3.6M neither text has errors. “–”: the texts have no
figure."""


def table_lines(table: PaperTable, here: Sequence[str] | None = None) -> list[str]:
    """Return a table in Markdown. here: one more column, what is measured here or why not."""
    head = (*table.head, "Here") if here is not None else table.head
    rows = table.rows if here is None else [(*row, said) for row, said in zip(table.rows, here, strict=True)]
    lines = ["| " + " | ".join(head) + " |", "|-" * len(head) + "|"]
    lines += ["| " + " | ".join(row) + " |" for row in rows]
    return [*lines, "", f"The paper's figures: {table.source}.", ""]


def report_lines(
    errors: Mapping[str, SpaceErrors], limbs: Mapping[str, Any] | None, people: int
) -> list[str]:
    """Return the section of a report on our own synthetic A3D that sets its figures beside the paper's tables.

    errors: by method. limbs: rates of limb states as `limb_states.as_plain` gives them, None where not measured.
    """
    lines = ["## The paper's tables", "", _NOT_COMPARABLE, ""]
    for table, here in (
        (WITH_LOSS, [_body_words(row, errors, people) for row in WITH_LOSS.rows]),
        (ALL_LIMBS, [GATED] * len(ALL_LIMBS.rows)),
        (LIMB_STATES, _limb_words(limbs)),
        (MODULES, None),
    ):
        lines += [f"### {table.title}", "", *table_lines(table, here)]
    return [*lines, _module_words(errors, people), ""]


def _body_words(row: Cells, errors: Mapping[str, SpaceErrors], people: int) -> str:
    if row[0] != "A3D":
        return GATED
    if not errors:
        return _NOT_MEASURED
    name = row[1].lower().replace("-", "_")
    said = ", ".join(f"{method} {getattr(found, name):.2f}" for method, found in errors.items())
    return f"{said} ({people} people of our own synthetic A3D)"


def _limb_words(limbs: Mapping[str, Any] | None) -> list[str]:
    """Return what is measured beside each row of `LIMB_STATES`; limbs behind things stand beside the occluded ones."""
    if limbs is None:
        return [_NOT_MEASURED, f"{GATED}; {_NOT_MEASURED}"]
    return [
        f"{_rates(limbs['weighted'])} of our own synthetic A3D",
        f"{GATED}; {_rates(limbs['behind_things']['weighted'])} of our own synthetic people behind things",
    ]


def _rates(rates: Mapping[str, Any]) -> str:
    if not rates["count"]:
        return "no limbs"
    numbers = " / ".join(f"{rates[name]:.3f}" for name in ("accuracy", "precision", "recall", "f1"))
    return f"{numbers}, {rates['count']} limbs"


def _module_words(errors: Mapping[str, SpaceErrors], people: int) -> str:
    found = errors.get("ajahr")
    said = _NOT_MEASURED
    if found is not None:
        numbers = f"{found.mve:.2f} / {found.mpjpe:.2f} / {found.pa_mpjpe:.2f}"
        said = f"PVE / MPJPE / PA-MPJPE {numbers} mm ({people} people of our own synthetic A3D)"
    return (
        f"Here, limb states true as in (a), without cross-attention: {said}; told by the classifier as in (b): "
        f"`limbstudio ablate limbs`. EMDB, 3DPW, ITW-amputee and the ways of tuning: {GATED}."
    )
