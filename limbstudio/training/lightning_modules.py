"""Training under Lightning (extra `train`): the lifter as a LightningModule, synthetic people as a data module."""

from dataclasses import dataclass
from functools import lru_cache
from types import ModuleType
from typing import Any

from limbstudio.body.model import BodyModel
from limbstudio.domain.errors import KnownError
from limbstudio.training.people import PeopleArrays


@dataclass(frozen=True)
class Machine:
    """Where and how exactly to train, in Lightning's words. device: auto, cpu or cuda. precision: 32-true, bf16-mixed
    or 16-mixed; what is measured in metres stays in single precision."""

    device: str = "auto"
    precision: str = "32-true"


CPU_OR_GPU = Machine()


@lru_cache(maxsize=1)
def lightning() -> ModuleType:
    """Import Lightning when it is first needed: it takes seconds, and is in an extra."""
    try:
        import lightning as found  # pyright: ignore[reportMissingImports] - in an extra
    except ImportError as error:
        raise KnownError(
            "Training needs Lightning, which is not installed.",
            'Install it: pip install "limbstudio[train]".',
        ) from error
    return found


def lifter_module(lifter: Any, body: BodyModel, learning_rate: float | None = None) -> Any:
    """Return a LightningModule that trains `lifter` (a `lifting.KeypointLifter`) by `lifting.lifting_loss`.

    It logs `loss` and, on validation, `joint_error_mm`. Raise KnownError where Lightning is not installed.
    """
    module = lightning()
    import torch  # only here: `limbstudio train` must answer without it

    from limbstudio.training.lifting import (
        LEARNING_RATE,
        Batch,
        EstimatedBody,
        joint_error_mm,
        lifting_loss,
    )

    class LifterModule(module.LightningModule):
        def __init__(self) -> None:
            super().__init__()
            self.lifter = lifter
            self._body: EstimatedBody | None = None

        def _body_here(self) -> EstimatedBody:
            if self._body is None:  # the device is known only when training begins
                self._body = EstimatedBody(body, str(self.device))
            return self._body

        def training_step(self, batch: list[torch.Tensor], batch_idx: int) -> torch.Tensor:
            people = Batch(*batch)
            estimates = self.lifter(people.keypoints, people.exists)
            loss = lifting_loss(estimates, people, self._body_here())
            self.log("loss", loss)
            return loss

        def validation_step(self, batch: list[torch.Tensor], batch_idx: int) -> None:
            people = Batch(*batch)
            last = self.lifter(people.keypoints, people.exists)[-1]
            error = joint_error_mm(last, people, self._body_here()).mean()
            self.log("joint_error_mm", error, batch_size=len(people.keypoints))

        def configure_optimizers(self) -> torch.optim.Optimizer:
            return torch.optim.AdamW(self.parameters(), lr=learning_rate or LEARNING_RATE)

    return LifterModule()


def people_data_module(
    train: PeopleArrays, validation: PeopleArrays, *, batch: int = 64, seed: int = 0
) -> Any:
    """Return a LightningDataModule over two sets of synthetic people; `seed` fixes the order of training batches.

    Raise KnownError where Lightning is not installed.
    """
    module = lightning()
    import torch  # see lifter_module
    from torch.utils.data import DataLoader, TensorDataset

    from limbstudio.training.lifting import as_batch

    def loader(people: PeopleArrays, *, shuffle: bool) -> DataLoader[Any]:
        rows = as_batch(people)
        order = torch.Generator().manual_seed(seed)
        data = TensorDataset(rows.keypoints, rows.joints, rows.exists)
        return DataLoader(data, batch_size=batch, shuffle=shuffle, generator=order)

    class PeopleDataModule(module.LightningDataModule):
        def train_dataloader(self) -> DataLoader[Any]:
            return loader(train, shuffle=True)

        def val_dataloader(self) -> DataLoader[Any]:
            return loader(validation, shuffle=False)

    return PeopleDataModule()
