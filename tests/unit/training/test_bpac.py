"""Training of the limb classifier: weights, calibration, and a tiny run that learns, goes on and is told in full."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest
import torch

from limbstudio.a3d.making import make_set
from limbstudio.a3d.plans import SampleOptions
from limbstudio.ajahr.build import HEAD_LIMBS, INTACT_CLASS, StudioBpacNumbers, build_studio_bpac
from limbstudio.ajahr.losses import UNKNOWN_CLASS, classification_loss
from limbstudio.ajahr.plain_weights import save_weights
from limbstudio.ajahr.predict_limbs import load_classifier
from limbstudio.ajahr.studio_bpac import StudioBpac
from limbstudio.domain.anatomy import LDPOSE, LDPOSE_INDEX, Limb
from limbstudio.domain.errors import KnownError
from limbstudio.training.bpac import best_temperature, calibrate_and_judge, learn_bpac
from limbstudio.training.bpac_loss import (
    LimbPlaces,
    balanced_loss,
    class_weights,
    limbs_to_learn_from,
    take_back_weights,
)
from limbstudio.training.bpac_modules import BpacPlan, keep_notes
from limbstudio.training.bpac_samples import TrainingSamples, batch_of, find_samples
from limbstudio.training.lightning_modules import Machine

from ..ajahr.tiny import TINY_FEATURES

TINY = StudioBpacNumbers(
    picture_px=64,
    limbs_from_px=56,
    limb_px=48,
    end_px=32,
    blocks=(1, 1),
    widths=(16, 32),
    attention_reduction=4,
    features=TINY_FEATURES,
    limb_cells=8,
    end_cells=8,
    feature_widths=(8, 8, 16),
)


@pytest.fixture(scope="module")
def shards(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("bpac") / "set"
    make_set(folder, 24, SampleOptions(seed=5, size_px=64), shard_size=10)
    return folder


@pytest.fixture(scope="module")
def others(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("bpac") / "others"
    make_set(folder, 8, SampleOptions(seed=6, size_px=64), shard_size=10)
    return folder


def test_rare_classes_weigh_more_and_the_mean_weight_is_one():
    shares = np.array([[0.05, 0.15, 0.0, 0.8]] * 4)

    weights = class_weights(shares, 0.5)

    assert (weights[:, 0] / weights[:, 3]) == pytest.approx(4)
    assert (weights * shares).sum(1) == pytest.approx(1)
    assert np.isfinite(weights).all()
    assert class_weights(shares, 0.0) == pytest.approx(1)


def test_without_weights_the_loss_is_ajahrs_own_and_unknown_limbs_do_not_count():
    logits = torch.randn(5, 4, 4, generator=torch.Generator().manual_seed(0))
    classes = torch.randint(4, (5, 4), generator=torch.Generator().manual_seed(1))
    classes[2:, 1] = UNKNOWN_CLASS

    assert balanced_loss(logits, classes, torch.ones(4, 4)) == pytest.approx(
        float(classification_loss(logits, classes))
    )
    weights = torch.ones(4, 4)
    weights[1, classes[0, 1]] = 3.0
    assert balanced_loss(logits, classes, weights) > balanced_loss(logits, classes, torch.ones(4, 4))
    assert balanced_loss(logits, torch.full_like(classes, UNKNOWN_CLASS), weights) == 0


def test_what_was_learnt_under_weights_becomes_the_shards_own_shares():
    """A network that knows no more than shares learns w p under weights w; taken back it says p."""
    shares = np.array([[0.1, 0.2, 0.05, 0.65]] * 4)
    weights = class_weights(shares, 0.5)
    network = build_studio_bpac(TINY)
    with torch.no_grad():
        for head, row in zip(network.heads, weights * shares, strict=True):
            head.weight.zero_()
            head.bias.copy_(torch.as_tensor(np.log(row)))

    take_back_weights(network, weights)

    told = network.eval().probabilities(torch.zeros(1, 3, 64, 64), torch.zeros(1, 17, 3))[0]
    assert told.detach().numpy() == pytest.approx(shares, abs=1e-5)


def test_the_temperature_undoes_what_was_exaggerated():
    rng = np.random.default_rng(0)
    logits = rng.normal(size=(3000, 4, 4))
    shares = np.exp(logits) / np.exp(logits).sum(2, keepdims=True)
    classes = (rng.random((3000, 4, 1)) > shares.cumsum(2)).sum(2).clip(max=3)
    classes[:50] = UNKNOWN_CLASS

    assert best_temperature(3.0 * logits, classes) == pytest.approx(3.0, rel=0.06)
    assert best_temperature(0.25 * logits, classes) == pytest.approx(0.25, rel=0.06)
    assert best_temperature(logits, np.full_like(classes, UNKNOWN_CLASS)) == 1.0


def test_half_of_the_samples_choose_the_temperature_and_the_others_judge(others: Path):
    torch.manual_seed(0)
    network = build_studio_bpac(TINY)

    score = calibrate_and_judge(network, others)

    assert (score.samples, score.calibration) == (4, 4)
    assert score.counts.sum() <= 16
    assert score.temperature == pytest.approx(float(network.temperature))
    assert "4 held-out samples" in score.text
    json.dumps(score.as_plain(), allow_nan=False)


@pytest.mark.parametrize(("steps", "batch"), [(0, 8), (5, 1)])
def test_plans_that_make_no_sense_are_refused(
    shards: Path, others: Path, tmp_path: Path, steps: int, batch: int
):
    pytest.importorskip("lightning", reason="needs the extra `train`")
    with pytest.raises(KnownError, match="At least one step of at least two people"):
        learn_bpac(shards, others, tmp_path, BpacPlan(steps, TINY, batch=batch))


def test_samples_are_not_judged_that_were_trained_on(shards: Path, tmp_path: Path):
    pytest.importorskip("lightning", reason="needs the extra `train`")
    with pytest.raises(KnownError, match="must not be those to train on"):
        learn_bpac(shards, shards, tmp_path, BpacPlan(2, TINY, batch=4))
    with pytest.raises(KnownError, match="go on from"):
        learn_bpac(shards, shards, tmp_path, BpacPlan(2, TINY, batch=4), resume=True)


def test_a_network_learns_limbs_from_pictures_and_points(shards: Path):
    torch.manual_seed(0)
    network = build_studio_bpac(TINY)
    batch = batch_of(find_samples(shards), 64, np.random.default_rng(0), vary=False)
    optimizer = torch.optim.AdamW(network.parameters(), 3e-3)
    for _ in range(40):
        optimizer.zero_grad()
        loss = balanced_loss(network(batch.crops, batch.points), batch.classes, torch.ones(4, 4))
        loss.backward()
        optimizer.step()

    shares = np.bincount(batch.classes[batch.classes >= 0].numpy(), minlength=4) / float(
        (batch.classes >= 0).sum()
    )
    entropy = -float(
        (shares[shares > 0] * np.log(shares[shares > 0])).sum()
    )  # what is reached without looking
    assert float(loss.detach()) < 0.4 * entropy


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # Lightning warns of what the machine could do better
def test_a_tiny_network_is_trained_saved_and_goes_on(shards: Path, others: Path, tmp_path: Path):
    pytest.importorskip("lightning", reason="needs the extra `train`")
    machine = Machine("cpu", "32-true")

    learn_bpac(shards, others, tmp_path, BpacPlan(40, TINY, batch=8, rate=3e-3), machine=machine)
    score = learn_bpac(
        shards, others, tmp_path, BpacPlan(80, TINY, batch=8, rate=3e-3), resume=True, machine=machine
    )

    network = load_classifier(tmp_path / "bpac.npz", TINY)
    batches = [TrainingSamples(shards, 64, 8, seed=1).batch(step) for step in range(2)]

    @torch.no_grad()
    def loss(some: StudioBpac) -> float:
        found = [balanced_loss(some(b.crops, b.points), b.classes, torch.ones(4, 4)) for b in batches]
        return float(torch.stack(found).mean())

    torch.manual_seed(0)
    assert loss(network) < 0.75 * loss(build_studio_bpac(TINY).eval())
    with (tmp_path / "metrics.csv").open(newline="") as file:
        assert max(int(row["step"]) for row in csv.DictReader(file)) == 79
    said = json.loads((tmp_path / "plan.json").read_text())
    assert (said["steps"], said["samples"], said["score"]["samples"]) == (80, 24, 4)
    assert set(said["score"]["heads"]) == {"left_arm", "right_arm", "left_leg", "right_leg"}
    assert (tmp_path / "reliability.png").stat().st_size > 5000
    assert (tmp_path / "curves.png").exists()
    assert float(network.temperature) == pytest.approx(score.temperature, rel=1e-3)
    going_on = BpacPlan(2, TINY, batch=8, rate=1e-6, start=tmp_path / "bpac.npz")
    learn_bpac(shards, others, tmp_path / "further", going_on, machine=machine)
    further = load_classifier(tmp_path / "further" / "bpac.npz", TINY)
    assert loss(further) == pytest.approx(loss(network), rel=0.15)  # it began where the other had ended
    assert json.loads((tmp_path / "further" / "plan.json").read_text())["start"] == "bpac.npz"


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # as above
def test_what_reads_kept_features_learns_and_the_rest_stays(shards: Path, others: Path, tmp_path: Path):
    pytest.importorskip("lightning", reason="needs the extra `train`")
    machine = Machine("cpu", "32-true")
    torch.manual_seed(0)
    before = build_studio_bpac(TINY).eval()
    save_weights(before, tmp_path / "before.npz")
    plan = BpacPlan(40, TINY, batch=8, rate=5e-3, kept=2, start=tmp_path / "before.npz")

    learn_bpac(shards, others, tmp_path / "run", plan, machine=machine)

    after = load_classifier(tmp_path / "run" / "bpac.npz", TINY)
    batches = [TrainingSamples(shards, 64, 8, seed=1).batch(step) for step in range(2)]
    with torch.no_grad():
        losses = [
            float(sum(balanced_loss(some(b.crops, b.points), b.classes, torch.ones(4, 4)) for b in batches))
            for some in (before, after)
        ]
    assert losses[1] < 0.75 * losses[0]
    for part in ("resnet", "end_resnet", "features"):
        own, theirs = (getattr(some, part).state_dict() for some in (after, before))
        assert all(torch.allclose(own[name], theirs[name], rtol=1e-3, atol=1e-6) for name in own), part


def test_kept_notes_are_of_every_loss_and_the_same_for_the_same_seed(shards: Path):
    network, plan = build_studio_bpac(TINY), BpacPlan(1, TINY, batch=8, kept=2, seed=4)
    samples = TrainingSamples(shards, 64, 8, seed=4)

    kept, again = (keep_notes(network, samples, plan) for _ in range(2))

    lost = sum(
        int(((b.classes != UNKNOWN_CLASS) & (b.classes != INTACT_CLASS)).sum())
        for b in (samples.batch(step) for step in range(6))
    )
    assert int((kept.classes != INTACT_CLASS).sum()) == lost
    assert 0 < int((kept.classes == INTACT_CLASS).sum()) < 6 * 8 * 4 - lost
    assert torch.equal(kept.classes, again.classes)
    assert torch.equal(kept.notes.end_map, again.notes.end_map)


def test_where_true_points_are_lies_in_the_cell_of_the_mirrored_cut():
    """Right and left limbs of a person and of the mirror image are in the same cells, named alike."""
    torch.manual_seed(0)
    network, size = build_studio_bpac(TINY), TINY.picture_px
    heads = LimbPlaces(TINY.widths[1]).eval()
    points = torch.rand(3, 17, 3) * torch.tensor([size - 1.0, size - 1.0, 0.0]) + torch.tensor([0, 0, 1.0])
    crops, places = torch.randn(3, 3, size, size), torch.rand(3, 25, 2) * size
    swaps = [point.swap for point in LDPOSE]

    def mirrored(values: torch.Tensor, rows: list[int]) -> torch.Tensor:
        turned = values[:, rows].clone()
        turned[..., 0] = size - 1 - turned[..., 0]
        return turned

    with torch.no_grad():
        one = network.eval().look(crops, points)
        two = network.look(crops.flip(3), mirrored(points, swaps[:17]))
        for cuts, maps in (("limbs", "limb_maps"), ("ends", "end_maps")):
            own, other = (
                heads.loss(
                    getattr(look, maps),
                    getattr(look, cuts),
                    look.notes.rows,
                    network.cutter,
                    (where + 0.5) / size,
                )
                for look, where in ((one, places), (two, mirrored(places, swaps)))
            )
            assert other == pytest.approx(float(own), rel=1e-4)

    head = torch.tensor([1, 0, 3, 2])  # heads have their own last layers: what they are told is the same
    same = one.end_maps.unflatten(0, (3, 4))[:, head]
    assert torch.allclose(two.end_maps.unflatten(0, (3, 4)), same, atol=1e-3)


def test_limbs_that_are_looked_at_alone_are_answered_as_among_all():
    torch.manual_seed(0)
    network = build_studio_bpac(TINY).eval()
    crops = torch.randn(3, 3, 64, 64)
    points = torch.rand(3, 17, 3) * torch.tensor([63.0, 63.0, 1.0])
    only = torch.tensor([[True, False, True, False], [False] * 4, [False, True, False, False]])

    with torch.no_grad():
        every, some = network.look(crops, points), network.look(crops, points, only)

    assert some.notes.rows.tolist() == [0, 2, 9]
    assert torch.allclose(some.logits, every.logits[some.notes.rows], atol=1e-4)


def test_an_end_is_looked_at_where_its_point_is_or_would_be():
    """A wrist that was found; one that was not, beyond the elbow; none of both, in the middle of what was found."""
    cutter = build_studio_bpac(TINY).cutter
    points = torch.zeros(1, 17, 3)
    arm = {"left_shoulder": (0.5, 0.2), "left_elbow": (0.6, 0.4), "left_wrist": (0.8, 0.5)}
    for name, place in arm.items():
        points[0, LDPOSE_INDEX[name]] = torch.tensor([*place, 0.9])
    head = HEAD_LIMBS.index(Limb.LEFT_ARM)

    def middle() -> list[float]:
        return cutter.ends(points, cutter.limbs(points)).middle[0, head].tolist()

    assert middle() == pytest.approx([0.8, 0.5])
    points[0, LDPOSE_INDEX["left_wrist"], 2] = 0.1
    assert middle() == pytest.approx([0.69, 0.58])
    points[0, LDPOSE_INDEX["left_elbow"], 2] = 0.0
    assert middle() == pytest.approx([0.5, 0.2])


def test_of_intact_limbs_a_share_is_learnt_from_and_of_lost_ones_all():
    torch.manual_seed(0)
    classes = torch.tensor([[0, 1, 2, 3], [3, 3, 3, UNKNOWN_CLASS]]).repeat(500, 1)

    told = limbs_to_learn_from(classes, 0.25)

    assert told[(classes >= 0) & (classes < 3)].all()
    assert not told[classes == UNKNOWN_CLASS].any()
    assert 0.2 < told[classes == 3].float().mean() < 0.3
