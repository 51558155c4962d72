"""Training under Lightning, where it is installed; a sentence where it is not."""

import sys
from pathlib import Path

import pytest
import torch

from limbstudio.body.model import BodyModel
from limbstudio.domain.errors import KnownError
from limbstudio.hkmr.build import HkmrNumbers
from limbstudio.training import lightning_modules
from limbstudio.training.lifting import KeypointLifter
from limbstudio.training.people import synthetic_arrays


def test_without_lightning_the_error_says_how_to_get_it(body: BodyModel, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "lightning", None)
    lightning_modules.lightning.cache_clear()

    with pytest.raises(KnownError, match=r"limbstudio\[train\]"):
        lightning_modules.lifter_module(None, body)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # Lightning warns of what the machine could do better
def test_one_batch_of_training_and_validation_runs_under_lightning(
    body: BodyModel, shared_data: Path, tmp_path: Path
):
    lightning = pytest.importorskip("lightning", reason="needs the extra `train`")
    poses = shared_data / "poses" / "poses.npz"
    torch.manual_seed(0)
    lifter = KeypointLifter(HkmrNumbers(features=32, embedding=16, hidden=16, outer_steps=1))
    before = {name: value.clone() for name, value in lifter.state_dict().items()}
    module = lightning_modules.lifter_module(lifter, body)
    people = lightning_modules.people_data_module(
        synthetic_arrays(body, poses, 8, seed=1), synthetic_arrays(body, poses, 4, seed=2, validation=True), batch=4
    )  # fmt: skip

    trainer = lightning.Trainer(
        fast_dev_run=True, accelerator="cpu", logger=False, default_root_dir=tmp_path,
        enable_progress_bar=False, enable_model_summary=False,
    )  # fmt: skip
    trainer.fit(module, people)

    assert 0 < float(trainer.callback_metrics["joint_error_mm"]) < 1000
    assert any((before[name] != value).any() for name, value in lifter.state_dict().items())
