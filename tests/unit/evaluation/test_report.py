import csv
import io

import pytest

from limbstudio.domain.body import FitMode
from limbstudio.evaluation.metrics import PersonMetrics
from limbstudio.evaluation.protocol import Score, summarise
from limbstudio.evaluation.report import markdown, people_csv, plot_png, summary_csv


def metrics(intact=1.0, residual=None, iou=None):
    return PersonMetrics(intact, intact / 10, residual, None if residual is None else residual / 10,
                         intact, intact / 10, 17, 0 if residual is None else 1, iou, iou)  # fmt: skip


SCORES = [
    Score("a", FitMode.JOINT, metrics(2.0, 4.0, 0.8), 1, 1, True, 0.5),
    Score("a", FitMode.INTACT, metrics(3.0, 40.0, 0.7), 0, 0, True, 0.5),
    Score("b | c", FitMode.JOINT, metrics(4.0), 0, 0, True, 1.5),
    Score("d", FitMode.JOINT, None, refusal="d.jpg is empty."),
]


def test_a_method_is_the_mean_over_people_that_have_a_value():
    joint, intact = summarise(SCORES)

    assert joint.intact_px == pytest.approx(3.0)
    assert joint.residual_px == pytest.approx(4.0)
    assert joint.iou == pytest.approx(0.8)
    assert (joint.people, joint.refused, joint.accepted) == (2, 1, 1)
    assert intact.residual_pct == pytest.approx(4.0)


def test_the_report_names_every_person_every_refusal_and_the_papers_other_points():
    text = markdown(summarise(SCORES), SCORES, title="Photos")

    assert "| joint | 2 |" in text
    assert "b \\| c" in text
    assert "d.jpg is empty." in text
    assert "25 OpenPose points" in text
    rows = [line for line in text.splitlines() if line.startswith("|")]
    assert len({row.replace("\\|", "").count("|") for row in rows[:4]}) == 1


def test_the_tables_can_be_read_back():
    people = list(csv.DictReader(io.StringIO(people_csv(SCORES))))
    summary = list(csv.DictReader(io.StringIO(summary_csv(summarise(SCORES)))))

    assert [row["person"] for row in people] == ["a", "a", "b | c", "d"]
    assert people[2]["mask_iou"] == ""
    assert people[3]["refusal"] == "d.jpg is empty."
    assert float(summary[0]["intact_px"]) == pytest.approx(3.0)


def test_the_plot_is_a_picture():
    assert plot_png(summarise(SCORES), SCORES).startswith(b"\x89PNG")
