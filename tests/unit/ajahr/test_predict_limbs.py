"""Proposals of limb states: files of weights, what is read of a person, and what is told of the answer."""

import hashlib
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from typer.testing import CliRunner

from limbstudio.a3d.making import make_set
from limbstudio.a3d.plans import SampleOptions
from limbstudio.ajahr import predict_limbs as module
from limbstudio.ajahr.build import HEAD_LIMBS, STUDIO_BPAC, StudioBpacNumbers, build_studio_bpac
from limbstudio.ajahr.plain_weights import save_weights
from limbstudio.ajahr.predict_limbs import classifier, load_classifier, predict_limbs, propose
from limbstudio.ajahr.studio_bpac import ConfidentHeatmaps
from limbstudio.cli_ajahr import ajahr_app
from limbstudio.domain.anatomy import KeypointState, Level, Limb, LimbState
from limbstudio.domain.errors import KnownError
from limbstudio.domain.geometry import Box, Keypoints, Point
from limbstudio.domain.limb_proposals import LimbProposal
from limbstudio.domain.photo import Person
from limbstudio.formats.coco import read_annotations
from limbstudio.images import open_photo
from limbstudio.resources import resource_path
from limbstudio.training.bpac_samples import batch_of, find_samples

from .tiny import TINY_FEATURES

TINY = StudioBpacNumbers(
    picture_px=32,
    limbs_from_px=32,
    limb_px=32,
    end_px=32,
    blocks=(1, 1),
    widths=(8, 16),
    attention_reduction=4,
    features=TINY_FEATURES,
    limb_cells=8,
    end_cells=8,
    feature_widths=(8, 8, 16),
)


@pytest.fixture(scope="module")
def weights(untrained_bpac: Path) -> Path:
    return untrained_bpac


@pytest.fixture(scope="module")
def sample() -> tuple[np.ndarray, Person]:
    found = read_annotations(resource_path("samples/annotations.json")).people[0]
    return open_photo(resource_path(f"samples/{found.file_name}")).pixels, found.person


def test_the_studios_size_is_small_enough_to_ship(weights: Path):
    assert sum(p.numel() for p in build_studio_bpac().parameters()) < 5_000_000
    assert weights.stat().st_size < 10_000_000


def test_a_heatmap_is_as_high_as_its_confidence():
    maps = ConfidentHeatmaps(STUDIO_BPAC)(torch.tensor([[[40.0, 90.0, 0.6], [0.0, 0.0, 0.0]]]))[0]

    assert maps[0, 90, 40] == pytest.approx(0.6)
    assert maps[0].max() == pytest.approx(0.6)
    assert maps[1].max() == 0


def test_a_person_gets_a_proposal_for_every_limb(weights: Path, sample: tuple[np.ndarray, Person]):
    found = predict_limbs(*sample, weights=weights)

    assert [proposal.limb for proposal in found] == list(Limb)
    for proposal in found:
        assert sum(proposal.probabilities) == pytest.approx(1, abs=1e-5)
        assert found[proposal.limb].probability == max(proposal.probabilities)


def test_limb_states_residual_ends_and_states_of_points_are_not_read(weights, sample):
    pixels, person = sample
    points = [
        replace(point, state=KeypointState.ABSENT) if i < 17 else Point(KeypointState.VISIBLE, 5.0, 5.0)
        for i, point in enumerate(person.keypoints.points)
    ]
    other = replace(
        person,
        keypoints=Keypoints(tuple(points)),
        limbs={limb: LimbState(Level.INTACT) for limb in Limb},
    )

    one, two = propose(load_classifier(weights), [(pixels, person), (pixels, other)])

    for limb in Limb:
        assert one[limb].probabilities == pytest.approx(two[limb].probabilities, abs=1e-6)


def test_many_people_are_answered_as_one_by_one(weights, sample):
    pixels, person = sample
    network = load_classifier(weights)
    other = replace(person, box=Box(100, 100, 300, 400))

    together = propose(network, [(pixels, person), (pixels, other)])

    assert propose(network, []) == []
    for answer, someone in zip(together, (person, other), strict=True):
        (alone,) = propose(network, [(pixels, someone)])
        for limb in Limb:
            assert answer[limb].probabilities == pytest.approx(alone[limb].probabilities, abs=1e-5)


def test_heads_speak_of_their_own_limbs(tmp_path: Path, sample):
    network = build_studio_bpac(TINY)
    with torch.no_grad():
        for number, head in enumerate(network.heads):
            head.weight.zero_()
            head.bias.copy_(10.0 * torch.eye(4)[number])
    save_weights(network, tmp_path / "bpac.npz")

    (found,) = propose(load_classifier(tmp_path / "bpac.npz", TINY), [sample])

    assert [found[limb].ajahr_class for limb in HEAD_LIMBS] == [0, 1, 2, 3]
    assert found[Limb.RIGHT_ARM].text == "Right arm ends below the elbow (100 %)"
    assert found[Limb.RIGHT_LEG].text == "Right leg is intact (100 %)"


def test_a_higher_temperature_makes_answers_less_certain(weights, sample):
    network = load_classifier(weights)
    (before,) = propose(network, [sample])
    network.temperature.fill_(5.0)
    (after,) = propose(network, [sample])

    for limb in Limb:
        assert after[limb].ajahr_class == before[limb].ajahr_class
        assert after[limb].probability < before[limb].probability


@pytest.mark.parametrize(
    ("probabilities", "threshold", "unsure"),
    [
        ((0.0, 0.45, 0.05, 0.5), 0.2, True),
        ((0.0, 0.45, 0.05, 0.5), 0.02, False),
        ((0.05, 0.05, 0.05, 0.85), 0.2, False),
        ((0.5, 0.0, 0.0, 0.5), 0.0, False),
    ],
)
def test_close_classes_are_unsure(probabilities, threshold: float, unsure: bool):
    proposal = LimbProposal(Limb.LEFT_LEG, probabilities, threshold)

    assert proposal.unsure is unsure
    assert ("unsure" in proposal.text) is unsure
    assert proposal.as_plain()["unsure"] is unsure


def _spoilt(weights: Path) -> dict[str, dict[str, np.ndarray]]:
    with np.load(weights) as data:
        arrays = dict(data)
    bias = arrays["head1.bias"]
    return {
        "less": {k: v for k, v in arrays.items() if k != "head3.bias"},
        "more": {**arrays, "projection.bias": bias},
        "shape": {**arrays, "head1.bias": bias[:3]},
        "kind": {**arrays, "head1.bias": bias.astype(int)},
        "nan": {**arrays, "head1.bias": np.full_like(bias, np.nan)},
        "cold": {**arrays, "temperature": np.zeros_like(arrays["temperature"])},
        "objects": {**arrays, "head1.bias": np.array([{}, {}, {}, {}], object)},
        "words": {**arrays, "head1.bias": np.array(["a", "b", "c", "d"])},
    }


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("less", "1 of .* differ, the first is head3.bias"), ("more", "the first is projection.bias"),
        ("shape", "the first is head1.bias"), ("kind", "the first is head1.bias"), ("nan", "not finite"),
        ("cold", "temperature"), ("objects", "could not be read"), ("words", "could not be read"),
    ],
)  # fmt: skip
def test_weights_that_are_not_ours_are_refused(weights: Path, tmp_path: Path, name: str, said: str):
    np.savez(tmp_path / "bpac.npz", **_spoilt(weights)[name])  # type: ignore[arg-type]

    with pytest.raises(KnownError, match=said):
        load_classifier(tmp_path / "bpac.npz")


def test_files_that_are_no_weights_are_refused(weights: Path, tmp_path: Path):
    data = weights.read_bytes()
    spoilt = bytearray(data)
    spoilt[len(data) // 2 : len(data) // 2 + 2000] = bytes(2000)
    for name, content in {
        "cut": data[: len(data) // 2], "empty": b"", "text": b"weights", "spoilt": bytes(spoilt),
        "pickle": b"\x80\x04cos\nsystem\n.",
    }.items():  # fmt: skip
        (tmp_path / name).write_bytes(content)
        with pytest.raises(KnownError, match="could not be read"):
            load_classifier(tmp_path / name)
    with pytest.raises(KnownError, match="There is no file"):
        classifier(tmp_path / "absent.npz")


def test_people_that_cannot_be_looked_at_are_refused(weights: Path, sample):
    pixels, person = sample
    network = load_classifier(weights)

    with pytest.raises(KnownError, match="neither a box nor two points"):
        propose(network, [(pixels, Person("1", "0" * 64))])
    with pytest.raises(KnownError, match="outside the picture"):
        propose(network, [(pixels, Person("1", "0" * 64, box=Box(9000, 9000, 50, 90)))])


# ------------------------------------------------------------------------------------------------ command line


def _limbs(*arguments: object) -> str:
    answer = CliRunner().invoke(ajahr_app, ["limbs", *map(str, arguments)], catch_exceptions=False)
    return answer.output


def test_the_command_tells_of_every_person(weights: Path):
    photos = [resource_path("samples/chair.jpg"), resource_path("samples/bench.jpg")]
    annotations = resource_path("samples/annotations.json")

    words = _limbs(*photos, "--annotations", annotations, "--weights", weights)
    plain = json.loads(_limbs(*photos, "--annotations", annotations, "--weights", weights, "--json"))

    assert words.count("Left arm ") == 2
    assert words.startswith("chair.jpg, person ")
    assert [person["photo"] for person in plain["people"]] == ["chair.jpg", "bench.jpg"]
    assert plain["compared"] == 8
    assert plain["as_annotated"] == sum(
        same for person in plain["people"] for same in person["agrees"].values()
    )
    assert f"{plain['as_annotated']} of 8 limbs are as annotated." in words
    assert all(len(person["limbs"]["left_leg"]["probabilities"]) == 4 for person in plain["people"])


def test_a_photo_that_is_not_described_is_said_and_the_rest_goes_on(weights: Path, tmp_path: Path):
    photos = [tmp_path / "missing.jpg", resource_path("samples/chair.jpg")]
    arguments = [*photos, "--annotations", resource_path("samples/annotations.json"), "--weights", weights]
    answer = CliRunner().invoke(ajahr_app, ["limbs", *map(str, arguments)])

    assert answer.exit_code == 2
    assert "missing.jpg: refused." in answer.output
    assert "Left arm " in answer.output


def test_without_weights_that_is_said_first(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.setattr(module, "shipped_weights", lambda: tmp_path / "bpac.npz")
    photo, annotations = resource_path("samples/chair.jpg"), resource_path("samples/annotations.json")

    with pytest.raises(KnownError, match="No weights of the limb classifier ship"):
        _limbs(photo, "--annotations", annotations)
    with pytest.raises(KnownError, match="no threshold"):
        _limbs(photo, "--annotations", annotations, "--threshold", "1.5")


def test_what_ships_is_what_its_card_describes_and_tells_a_drawn_loss():
    """The file is the one of the card; on drawn people it knows more than that most limbs are intact."""
    path = module.shipped_weights()
    card = (path.parent / "CARD.md").read_text()

    assert hashlib.sha256(path.read_bytes()).hexdigest() in card
    assert sum(file.stat().st_size for file in path.parent.iterdir()) < 60e6


def test_what_ships_is_better_than_calling_every_limb_intact(tmp_path: Path):
    make_set(tmp_path / "set", 60, SampleOptions(seed=4321, size_px=256))
    network = classifier()
    batch = batch_of(
        find_samples(tmp_path / "set"), network.numbers.picture_px, np.random.default_rng(0), vary=False
    )
    with torch.inference_mode():
        said = network.probabilities(batch.crops, batch.points).argmax(2)
    known = batch.classes >= 0

    right = float((said == batch.classes)[known].float().mean())
    intact = float((batch.classes == 3)[known].float().mean())

    assert right > intact + 0.03
