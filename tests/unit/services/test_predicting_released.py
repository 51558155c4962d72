"""Predictions of a project by a user's own AJAHR weights, here so small that a test can make them."""

import os
import shutil
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
import torch

from limbstudio.ajahr import checkpoint
from limbstudio.ajahr.build import ReleasedOptions, build_ajahr
from limbstudio.domain.anatomy import Limb
from limbstudio.domain.errors import KnownError
from limbstudio.services import candidates, limb_proposals, machine, predicting, weights
from limbstudio.services.jobs import Context, Failure, JobState
from limbstudio.services.samples import sample_project
from limbstudio.services.settings import bodies_folder, weights_folder
from limbstudio.services.studio import Studio, facts_of

from ..ajahr.tiny import TINY, write_released_files

PLAIN = ReleasedOptions()


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    torch.manual_seed(4)
    return write_released_files(build_ajahr(TINY), tmp_path_factory.mktemp("released"))


@pytest.fixture
def added(files, smpl_npz, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Path]]:
    """Add the weights and an SMPL body to a home of their own; return the files of the weights there."""
    monkeypatch.setenv("LIMBSTUDIO_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(weights, "_recognise", partial(checkpoint.recognise, numbers=TINY))
    monkeypatch.setattr(weights, "_load", partial(checkpoint.load_ajahr, numbers=TINY))
    weights.add_weights([*files, smpl_npz("smpl")], replace=False, report=lambda share, sentence: None)
    yield sorted(weights_folder().iterdir())
    weights.forget_released()


@pytest.fixture
def studio(tmp_path: Path) -> Iterator[Studio]:
    folder = tmp_path / "sample.limb"
    shutil.copytree(sample_project(), folder)
    made = Studio(who="test", run_inline=True)
    made.open(folder)
    yield made
    made.quit()


def first(studio: Studio) -> str:
    return next(iter(studio.project.of_kind("person"))).id


def test_limbs_and_body_are_the_users_networks_and_say_so(studio, added, monkeypatch):
    person = studio.person(first(studio))
    monkeypatch.setattr(predicting, "require", lambda name: pytest.fail("what ships is not asked for"))

    found = predicting.predict(studio, person.id, PLAIN).result

    sha256 = weights._digest(weights_folder() / "ajahr.ckpt")
    made_by = found.body.fit.provenance
    assert made_by.by == f"AJAHR, released weights {sha256[:12]}"
    assert made_by.input_hashes == (sha256,)
    assert found.limbs.by == made_by.by
    assert facts_of(found.body)["body_file"] == str(bodies_folder() / "smpl.npz")
    assert found.body.fit.body_name != "limbstudio"
    assert limb_proposals.kept_proposals(studio.project, person.id) == found.limbs
    assert set(found.limbs.probabilities) == set(Limb)
    assert studio.person(person.id) == person
    (candidate,) = candidates.candidates_of(studio, person)
    assert candidate.origin == "AJAHR's prediction, your weights"
    assert studio.body_mesh(candidate.fit) is not None


def test_the_same_twice_is_one_candidate_and_another_option_another(studio, added):
    one, two = (predicting.predict(studio, first(studio), PLAIN).result.body.id for _ in range(2))
    other = predicting.predict(studio, first(studio), ReleasedOptions(second_pass=True)).result.body

    assert one == two != other.id
    assert other.fit.provenance.by.endswith(", second pass")


def test_weights_are_read_once_for_everybody_and_the_loading_is_told(studio, added, monkeypatch):
    monkeypatch.setattr(predicting, "_AT_ONCE", 3)
    read, load, said = [], weights._load, []
    monkeypatch.setattr(weights, "_load", lambda *files: (read.append(1), load(*files))[1])
    run = predicting.run_predictions

    def followed(context: Context, *arguments: object) -> object:
        report = context.report
        context.report = lambda share, sentence="": (said.append(sentence), report(share, sentence))[1]
        return run(context, *arguments)

    monkeypatch.setattr(predicting, "run_predictions", followed)

    photos = [photo.sha256 for photo in studio.photos]
    report = predicting.predict_people(studio, photos, title="Predict all", released=PLAIN).result

    assert (report.predicted, report.proposed, report.refused) == (7, 7, ())
    assert len(read) == 1
    assert said[0].startswith("Loading your AJAHR weights (")


@pytest.mark.usefixtures("_untrained_ajahr_ships")
def test_the_networks_that_ship_give_the_memory_back(studio, added):
    predicting.predict(studio, first(studio), PLAIN)
    assert weights._released.cache_info().currsize == 1

    assert predicting.predict(studio, first(studio)).result.body.fit.provenance.by == "AJAHR"

    assert weights._released.cache_info().currsize == 0


def test_weights_that_have_vanished_are_said_with_what_is_missing(studio, added):
    added[0].unlink()

    job = predicting.predict(studio, first(studio), PLAIN)

    assert job.state is JobState.FAILED
    assert "AJAHR's checkpoint" in job.failure.message
    assert "weights add" in job.failure.hint
    assert studio.fits_of(first(studio)) == ()
    assert not job.failure.is_ours


def test_a_link_to_a_disk_that_is_not_there_is_a_file_that_cannot_be_read(studio, added, tmp_path):
    added[0].unlink()
    added[0].symlink_to(tmp_path / "unplugged" / "ajahr.ckpt")

    job = predicting.predict(studio, first(studio), PLAIN)

    assert job.state is JobState.FAILED
    assert "cannot be read" in job.failure.message
    assert not weights.weights_state().complete


def test_weights_that_change_in_between_are_not_mixed(studio, added):
    asked = predicting.Released(PLAIN, weights.released_hash())
    work = predicting._work(studio, studio.person(first(studio)))
    ask = predicting._ReleasedAnswers(asked)
    assert not isinstance(ask(work).body, KnownError)

    os.utime(added[0], ns=(1, 1))

    answer = ask(work)
    assert isinstance(answer.body, KnownError)
    assert "have changed since" in answer.body.message
    assert answer.limbs == answer.body


def test_a_retry_asks_for_the_weights_of_then(studio, added):
    (kept,) = [path.read_bytes() for path in added[:1]]
    added[0].unlink()
    job = predicting.predict(studio, first(studio), PLAIN)
    added[0].write_bytes(kept)

    assert job.again().state is JobState.SUCCEEDED


def test_a_photo_that_is_gone_costs_both(studio, added, monkeypatch):
    def gone(photo: object) -> Path:
        raise KnownError("The photo is gone.", "Locate it.")

    monkeypatch.setattr(studio, "photo_path", gone)

    job = predicting.predict(studio, first(studio), PLAIN)

    assert job.state is JobState.FAILED
    assert job.failure.message == "The photo is gone."


def test_too_little_memory_is_said_before_anything_is_loaded(studio, added, monkeypatch):
    monkeypatch.setattr(machine, "memory", lambda: machine.Memory(1 << 30, 1 << 28))
    monkeypatch.setattr(weights, "_load", lambda *files: pytest.fail("there is no room for it"))

    job = predicting.predict(studio, first(studio), PLAIN)

    assert job.state is JobState.FAILED
    assert "of memory, and 268 MB are free" in job.failure.message


def test_memory_that_torch_cannot_have_is_not_called_our_mistake():
    error = RuntimeError(
        "[enforce fail] DefaultCPUAllocator: can't allocate memory: you tried to allocate 9 bytes"
    )

    failure = Failure.of(error, "Predict")

    assert not failure.is_ours
    assert "not enough memory" in failure.message


def test_the_state_of_the_weights_is_complete_only_with_all_of_them(added):
    assert weights.weights_state().complete
    (weights_folder() / "strange.pth").write_bytes(b"no weights")
    assert weights.weights_state().complete  # it is named, but nothing needs it

    next(bodies_folder().iterdir()).unlink()

    state = weights.weights_state()
    assert not state.complete
    assert any("SMPL" in line for line in state.missing)
