"""The paper's tables: whole, copied to the digit, and with ours beside them where there is one."""

import re
from pathlib import Path

import pytest

from limbstudio.evaluation.in_space import SpaceErrors
from limbstudio.evaluation.paper_tables import (
    ALL_LIMBS,
    GATED,
    LIMB_STATES,
    MODULES,
    TOKENIZERS,
    WITH_LOSS,
    report_lines,
    table_lines,
)

TABLES = (WITH_LOSS, ALL_LIMBS, LIMB_STATES, MODULES, TOKENIZERS)
RATES = {"accuracy": 0.8, "precision": 0.7, "recall": 0.6, "f1": 0.55, "count": 40}
LIMBS = {"weighted": RATES, "behind_things": {"weighted": {**RATES, "count": 0}}}


@pytest.fixture
def papers(shared_data: Path) -> Path:
    folder = shared_data.parent / "papers"
    if not folder.is_dir():
        pytest.skip("the texts of the papers are not on this machine")
    return folder


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.title)
def test_a_table_has_a_cell_for_every_head(table):
    assert all(len(row) == len(table.head) for row in table.rows)
    assert len(set(table.rows)) == len(table.rows)
    lines = table_lines(table)
    assert lines[0] == "| " + " | ".join(table.head) + " |"
    assert f"| {' | '.join(table.rows[-1])} |" in lines


def test_what_is_measured_stands_beside_the_papers_figures_and_gated_data_are_named():
    lines = report_lines({"ajahr": SpaceErrors(58.123, 41.0, 75.5)}, LIMBS, 12)

    assert "| A3D | MPJPE | 73.42 | 76.01 | – | ajahr 58.12 (12 people of our own synthetic A3D) |" in lines
    assert (
        "| A3D | PA-MPJPE | 49.42 | 49.94 | – | ajahr 41.00 (12 people of our own synthetic A3D) |" in lines
    )
    assert f"| ITW-amputee | MVE | 129.25 | 146.12 | 154.43 | {GATED} |" in lines
    assert f"| EMDB | PA-MPJPE | 58.62 | 58.98 | {GATED} |" in lines
    text = "\n".join(lines)
    assert "| 0.820 | 0.800 / 0.700 / 0.600 / 0.550, 40 limbs of our own synthetic A3D |" in text
    assert f"| 0.977 | {GATED}; no limbs of our own synthetic people behind things |" in text
    assert "PVE / MPJPE / PA-MPJPE 75.50 / 58.12 / 41.00 mm" in text
    words = " ".join(text.split())
    assert "Review and supplement head the same figures differently" in words
    assert "halves errors" in words


def test_what_was_not_measured_is_not_given():
    text = "\n".join(report_lines({}, None, 0))

    assert text.count("not measured in this run") == 6
    assert "synthetic A3D)" not in text


def test_the_reviews_figures_are_copied_to_the_digit(papers: Path):
    text = (papers / "ajahr-review.txt").read_text()

    for row in (*WITH_LOSS.rows, *ALL_LIMBS.rows):
        assert f"| {row[0]} | {row[1]}↓ | {row[2]} | {row[3]} |" in text
    for row in LIMB_STATES.rows:
        assert re.search(rf"{row[0].split(',')[0]} .*\| {' [|] '.join(row[1:])} \|", text)
    assert f"HMR2.0 MVE = {WITH_LOSS.rows[4][4]}" in text


def test_the_supplements_figures_are_copied_to_the_digit(papers: Path):
    lines = (papers / "ajahr-supplement.txt").read_text().splitlines()
    numbers = [tuple(re.findall(r"\d+\.\d{2}", line.replace(",", "."))) for line in lines]

    module_lines = [line for line, found in zip(lines, numbers, strict=True) if len(found) == 12]
    assert [found for found in numbers if len(found) == 12] == [row[3:] for row in MODULES.rows]
    for line, row in zip(module_lines, MODULES.rows, strict=True):
        full, partial, cross, classifier = (cell.strip() != "" for cell in line.split("\t")[1:5])
        assert (full, partial, cross) == (row[1] == "full", row[1] == "partial", row[2] == "yes")
        assert classifier == (row[0] == "(b)")
    rows = {row[2:]: row for row in TOKENIZERS.rows}
    assert {found for found in numbers if len(found) == 6} == set(rows)
    for line, found in zip(lines, numbers, strict=True):
        if len(found) == 6:
            assert rows[found][0] in line or rows[found][1] in line.split("\t")
