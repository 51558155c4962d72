"""Samples of the limb classifier: read from shards, mirrored, covered, and what is refused."""

import io
import json
import tarfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from limbstudio.a3d.making import make_set
from limbstudio.a3d.plans import SampleOptions
from limbstudio.a3d.shards import truths
from limbstudio.ajahr.build import HEAD_LIMBS, INTACT_CLASS
from limbstudio.ajahr.losses import UNKNOWN_CLASS
from limbstudio.ajahr.zeroing import classes_of
from limbstudio.domain.anatomy import LDPOSE_INDEX, KeypointState, Level, Limb, LimbState, level_rule
from limbstudio.domain.errors import KnownError
from limbstudio.training.bpac_samples import (
    MIRRORED_HEADS,
    ShownPerson,
    TrainingSamples,
    covered,
    find_samples,
    flipped,
    read_sample,
    shown,
    shown_person,
)

COUNT = 16


@pytest.fixture(scope="module")
def shards(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("bpac") / "set"
    make_set(folder, COUNT, SampleOptions(seed=5, size_px=64), shard_size=10)
    return folder


@pytest.fixture(scope="module")
def people(shards: Path) -> list[ShownPerson]:
    return [read_sample(place) for place in find_samples(shards)]


def test_every_sample_of_every_shard_is_found_with_its_classes(shards: Path, people: list[ShownPerson]):
    for person, (truth, _) in zip(people, truths(shards, 2), strict=True):
        limbs = {limb: LimbState(Level(truth["limbs"][limb.value]["level"])) for limb in Limb}
        classes = classes_of(limbs)
        known = person.classes != UNKNOWN_CLASS
        assert classes.tolist() == truth["ajahr_classes"]
        assert (person.classes[known] == classes[known]).all()
        assert person.pixels.shape == (64, 64, 3)
    assert sum(int((person.classes != INTACT_CLASS).sum()) for person in people) >= 12


def test_a_lost_limb_whose_place_is_hidden_has_no_known_class(shards: Path):
    truth, _ = next(item for item in truths(shards, 2) if item[0]["ajahr_classes"] != [3, 3, 3, 3])
    hidden = json.loads(json.dumps(truth))
    for facts in hidden["limbs"].values():
        if facts["ajahr_class"] != INTACT_CLASS:
            facts["evidence_share"] = 0.1
    pixels = np.zeros((64, 64, 3), np.uint8)

    assert (
        shown_person(hidden, pixels).classes[np.array(truth["ajahr_classes"]) != 3] == UNKNOWN_CLASS
    ).all()


def test_a_mirror_image_swaps_the_sides_of_everything(people: list[ShownPerson]):
    assert [HEAD_LIMBS[row] for row in MIRRORED_HEADS] == [limb.opposite for limb in HEAD_LIMBS]
    for person in people:
        other = flipped(person)
        for head, limb in enumerate(HEAD_LIMBS):
            assert other.classes[HEAD_LIMBS.index(limb.opposite)] == person.classes[head]
        for one, two in (("left_wrist", "right_wrist"), ("above_left_knee_end", "above_right_knee_end")):
            a, b = LDPOSE_INDEX[one], LDPOSE_INDEX[two]
            assert other.states[b] is person.states[a]
            assert other.points_px[b].tolist() == pytest.approx(
                [63 - person.points_px[a, 0], person.points_px[a, 1]], nan_ok=True
            )
        again = flipped(other)
        assert np.array_equal(again.pixels, person.pixels)
        np.testing.assert_allclose(again.points_px, person.points_px)
        assert again.box == person.box
        assert (again.classes == person.classes).all()


def test_patches_hide_points_and_never_the_end_of_a_limb(people: list[ShownPerson]):
    rng = np.random.default_rng(0)
    hid = 0
    for person in people:
        ends = [
            rule.endpoint
            for limb, lost in zip(HEAD_LIMBS, person.classes, strict=True)
            for level in (Level.TRANSRADIAL, Level.TRANSHUMERAL)
            if limb.is_arm and lost in (0, 1)
            for rule in [level_rule(limb, level)]
        ]
        for _ in range(6):
            after = covered(person, rng)
            changed = [a is not b for a, b in zip(after.states, person.states, strict=True)]
            hid += sum(changed)
            assert all(after.states[row] is KeypointState.OCCLUDED for row in np.flatnonzero(changed))
            assert not any(changed[row] for row in ends if row is not None)
            assert after.classes is person.classes
    assert hid > 20


@pytest.mark.parametrize("vary", [True, False])
def test_what_is_told_has_the_networks_shape_and_is_the_same_for_a_seed(
    people: list[ShownPerson], vary: bool
):
    for person in people:
        one, two = (shown(person, 96, np.random.default_rng(7), vary=vary) for _ in range(2))
        assert [part.shape for part in one] == [(3, 96, 96), (17, 3), (4,), (25, 2)]
        assert all(np.array_equal(a, b, equal_nan=True) for a, b in zip(one, two, strict=True))
        assert np.isfinite(one[0]).all() and np.isfinite(one[1]).all()
        inside = ((one[1][:, :2] > -20) & (one[1][:, :2] < 116)).all(1)
        assert inside.mean() > 0.75


def test_the_network_is_not_told_of_residual_ends(people: list[ShownPerson]):
    visible = (KeypointState.VISIBLE,) * 17
    ends = people[0].points_px.copy()
    ends[17:] = 30.0
    one = replace(
        people[0], points_px=np.nan_to_num(ends, nan=20.0), states=visible + (KeypointState.ABSENT,) * 8
    )
    other = replace(one, points_px=one.points_px.copy(), states=visible + (KeypointState.VISIBLE,) * 8)
    other.points_px[17:] = np.nan

    for seed in range(5):
        told = [shown(person, 64, np.random.default_rng(seed), vary=False) for person in (one, other)]
        assert np.array_equal(told[0][0], told[1][0])
        assert np.array_equal(told[0][1], told[1][1])


def test_batches_of_a_step_are_the_same_and_a_round_takes_every_sample_once(shards: Path):
    one, two = (TrainingSamples(shards, 64, 8, seed=3) for _ in range(2))
    first, second = one.batch(0), one.batch(1)

    assert (two.batch(1).crops == second.crops).all()
    assert not (first.crops == second.crops).all()
    assert first.classes.shape == (8, 4)
    assert (TrainingSamples(shards, 64, 8, seed=4).batch(0).crops != first.crops).any()
    shares = one.class_shares()
    assert shares.sum(1) == pytest.approx(1)
    np.testing.assert_allclose(shares, shares[MIRRORED_HEADS])


def test_folders_without_whole_shards_are_refused(shards: Path, tmp_path: Path):
    with pytest.raises(KnownError, match="no shards"):
        find_samples(tmp_path)
    with pytest.raises(KnownError, match="no shards"):
        find_samples(tmp_path / "missing")
    whole = (shards / "a3d-000000.tar").read_bytes()
    cases = {"cut": whole[: len(whole) // 2], "other": b"no tar at all" * 99, "empty": b""}
    for name, data in cases.items():
        (tmp_path / name).mkdir()
        (tmp_path / name / "a3d-000000.tar").write_bytes(data)
        with pytest.raises(KnownError, match=r"damaged|no samples"):
            find_samples(tmp_path / name)


@pytest.mark.parametrize(
    ("picture", "truth"),
    [(b"no picture", b"{}"), (b"", b"[1]"), (b"", b"\xff"), (None, b'{"keypoints": {}}')],
)
def test_a_sample_that_is_none_is_refused(shards: Path, tmp_path: Path, picture: bytes | None, truth: bytes):
    if picture is None:
        with tarfile.open(shards / "a3d-000000.tar") as tar:
            file = tar.extractfile(tar.getmembers()[0])
            assert file is not None
            picture = file.read()
    with tarfile.open(tmp_path / "a3d-000000.tar", "w") as tar:
        for ending, data in (("jpg", picture), ("json", truth)):
            member = tarfile.TarInfo(f"00000000.{ending}")
            member.size = len(data)
            tar.addfile(member, io.BytesIO(data))

    with pytest.raises(KnownError, match="cannot be read"):
        read_sample(find_samples(tmp_path)[0])
