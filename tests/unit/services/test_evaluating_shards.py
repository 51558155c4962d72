"""Evaluation on shards: its report, its files, and what is refused."""

import csv
import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from limbstudio.a3d.making import make_set
from limbstudio.a3d.sampling import SampleOptions
from limbstudio.ajahr.build import build_studio
from limbstudio.ajahr.plain_weights import save_weights
from limbstudio.cli import app
from limbstudio.domain.errors import KnownError
from limbstudio.evaluation.in_space import Absent
from limbstudio.evaluation.paper_tables import ALL_LIMBS, GATED, LIMB_STATES, MODULES, WITH_LOSS
from limbstudio.services.evaluating_shards import ShardOptions, evaluate_shards


@pytest.fixture(scope="module")
def shards(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("evaluated") / "set"
    make_set(folder, 10, SampleOptions(seed=8, size_px=64))
    return folder


@pytest.mark.usefixtures("_untrained_ajahr_ships")
def test_bodies_and_limb_states_are_compared_with_the_truth(shards: Path, tmp_path: Path):
    options = ShardOptions(("ajahr", "joint", "ajahr+joint"), count=8)

    found = evaluate_shards(shards, tmp_path / "out", options)

    assert found.people == 8
    # A network that nobody trained knows no pose; a fit from exact points does.
    assert found.errors["joint"].mpjpe < 120 < found.errors["ajahr"].mpjpe
    assert found.errors["joint"].pa_mpjpe < found.errors["joint"].mpjpe
    assert found.limbs is not None
    assert found.limbs["people"] == 8
    assert 0 <= found.limbs["sure"]["share"] <= 1
    assert "Proposals that are not unsure" in found.text
    assert 0 <= found.limbs["weighted"]["accuracy"] <= 1
    written = {path.name for path in (tmp_path / "out").iterdir()}
    assert written == {"report.md", "summary.csv", "people.csv", "limb_states.json", "reliability.png"}
    with (tmp_path / "out" / "people.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 24
    mean = sum(float(row["mpjpe_mm"]) for row in rows if row["method"] == "joint") / 8
    assert mean == pytest.approx(found.errors["joint"].mpjpe, abs=1e-2)
    text = (tmp_path / "out" / "report.md").read_text()
    assert "count in no error" in text
    assert "| right arm |" in text
    assert "not halved" in text
    for table in (WITH_LOSS, ALL_LIMBS, LIMB_STATES, MODULES):
        assert f"### {table.title}" in text
        assert all("| " + " | ".join(row) in text for row in table.rows)
    assert f"| MPJPE | 73.42 | 76.01 | – | ajahr {found.errors['ajahr'].mpjpe:.2f}, joint " in text
    assert f"| 0.820 | {found.limbs['weighted']['accuracy']:.3f} / " in text
    assert text.count(GATED) >= 8
    json.dumps(found.as_plain(), allow_nan=False)


@pytest.mark.usefixtures("_untrained_ajahr_ships")
def test_noise_makes_fits_worse_and_absent_parts_can_count(shards: Path, tmp_path: Path):
    def fitted(name: str, **changes: object) -> float:
        options = ShardOptions(("joint",), limbs=False, **changes)  # type: ignore[arg-type]
        return evaluate_shards(shards, tmp_path / name, options).errors["joint"].mve

    exact = fitted("exact")

    assert fitted("noisy", noise=0.04) > exact
    assert fitted("zeroed", absent=Absent.ZEROED) != pytest.approx(exact, rel=1e-4)


def test_what_cannot_be_evaluated_is_said(shards: Path, tmp_path: Path):
    with pytest.raises(KnownError, match="no method magic"):
        evaluate_shards(shards, tmp_path / "out", ShardOptions(("magic",)))
    blind = tmp_path / "blind.npz"
    save_weights(build_studio(), blind)
    with pytest.raises(KnownError, match=r"blind\.npz were trained without pictures"):
        evaluate_shards(shards, tmp_path / "out", ShardOptions(("ajahr+picture",), weights=blind))
    with pytest.raises(KnownError, match="no shards"):
        evaluate_shards(tmp_path, tmp_path / "out", ShardOptions())
    with pytest.raises(KnownError, match="no share"):
        evaluate_shards(shards, tmp_path / "out", ShardOptions(noise=7.0))
    cut = tmp_path / "cut"
    cut.mkdir()
    data = (shards / "a3d-000000.tar").read_bytes()
    (cut / "a3d-000000.tar").write_bytes(data[: len(data) // 2])
    with pytest.raises(KnownError, match="cannot be read"):
        evaluate_shards(cut, tmp_path / "out", ShardOptions())
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    "arguments",
    [
        ("--out", "o"),
        ("--out", "o", "--photos", "p"),
        ("--out", "o", "--shards", "s", "--photos", "p"),
    ],
)
def test_the_command_needs_photos_or_shards(arguments: tuple[str, ...]):
    found = CliRunner().invoke(app, ["evaluate", *arguments])

    assert isinstance(found.exception, KnownError)
    assert "Give --" in found.exception.hint


@pytest.mark.usefixtures("_untrained_ajahr_ships")
def test_the_command_prints_the_report(shards: Path, tmp_path: Path):
    command = [
        "evaluate",
        "--shards",
        str(shards),
        "--out",
        str(tmp_path / "out"),
        "--modes",
        "joint",
        "--count",
        "3",
    ]
    found = CliRunner().invoke(app, [*command, "--no-limbs"])

    assert found.exit_code == 0, found.output
    assert "| joint |" in found.output
    assert "Limb states" not in found.output
    assert "not measured in this run" in found.output
