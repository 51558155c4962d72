"""The ablations: their tables, what they need, and that they ask what they say."""

import csv
from pathlib import Path

import pytest

from limbstudio.a3d.making import make_set
from limbstudio.a3d.sampling import SampleOptions
from limbstudio.domain.errors import KnownError
from limbstudio.evaluation.paper_tables import MODULES, TOKENIZERS, PaperTable
from limbstudio.services import ablations
from limbstudio.services.ablations import ABLATIONS, AblationOptions, ablate


@pytest.fixture(scope="module")
def shards(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("ablated") / "set"
    make_set(folder, 6, SampleOptions(seed=11, size_px=64))
    return folder


@pytest.mark.parametrize(
    ("name", "first"),
    [
        ("tokenizers", ["switched", "intact", "loss"]),
        ("limbs", ["true", "proposed by BPAC", "all intact"]),
        ("noise", ["none", *["a little"] * 4, *["anywhere"] * 4]),
        ("inputs", ["photo and points", "points", "photo"]),
    ],
)
@pytest.mark.usefixtures("_untrained_ajahr_ships")
def test_what_ships_is_asked_in_every_variant(shards: Path, tmp_path: Path, name: str, first: list[object]):
    found = ablate(name, tmp_path, AblationOptions(shards=shards))

    assert [next(iter(row.values())) for row in found.rows] == first
    assert all(row["people"] == 6 for row in found.rows)
    assert "not reproducible here" in found.text
    with (tmp_path / "table.csv").open(newline="") as file:
        assert len(list(csv.DictReader(file))) == len(first)
    assert (tmp_path / "table.md").read_text() == found.text


@pytest.mark.usefixtures("_untrained_ajahr_ships")
def test_one_tokenizer_says_other_bodies_than_two(shards: Path, tmp_path: Path):
    rows = ablate("tokenizers", tmp_path, AblationOptions(shards=shards)).rows

    assert len({round(float(str(row["MPJPE mm"])), 4) for row in rows}) > 1


@pytest.mark.usefixtures("_untrained_ajahr_ships")
def test_a_withheld_photo_or_point_changes_what_is_told(shards: Path, tmp_path: Path):
    rows = ablate("inputs", tmp_path, AblationOptions(shards=shards)).rows

    assert len({row["calibration error"] for row in rows}) == 3


@pytest.mark.parametrize(("name", "table"), [("tokens", TOKENIZERS), ("limbs", MODULES)])
def test_the_papers_own_table_stands_below_ours(name: str, table: PaperTable):
    ablation = next(row for row in ABLATIONS if row.name == name)

    text = ablations._markdown(ablation, [{"ours": 1.0}])

    assert text.index("| 1.000 |") < text.index("| " + " | ".join(table.head) + " |")
    assert all("| " + " | ".join(row) + " |" in text for row in table.rows)
    assert table.source in text


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # Lightning warns of what the machine could do better
def test_tokenizers_are_trained_in_every_size(
    small_motion: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    pytest.importorskip("lightning", reason="needs the extra `train`")
    monkeypatch.setattr(ablations, "_TOKENS", (20, 40))

    rows = ablate("tokens", tmp_path, AblationOptions(poses=small_motion, steps=2)).rows

    assert [row["tokens"] for row in rows] == [20, 40]
    assert all(float(str(row["joints mm"])) > 0 for row in rows)
    assert (tmp_path / "tokens_40" / "tokenizer.pt").exists()


def test_what_is_missing_is_said(tmp_path: Path):
    with pytest.raises(KnownError, match="no ablation magic"):
        ablate("magic", tmp_path / "out", AblationOptions())
    for row in ABLATIONS:
        with pytest.raises(KnownError, match="needs --"):
            ablate(row.name, tmp_path / "out", AblationOptions())
    with pytest.raises(KnownError, match="no shards"):
        ablate("noise", tmp_path / "other", AblationOptions(shards=tmp_path))
