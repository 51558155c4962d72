"""How every network here trains: AdamW whose rate rises and falls, a state kept every 200 steps, curves at the end."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import torch
from torch import nn

from limbstudio.domain.errors import KnownError
from limbstudio.training.curves import draw_curves, loggers
from limbstudio.training.lightning_modules import Machine, lightning
from limbstudio.training.schedule import share_of_rate

_KEEP_EVERY = 200


def last_state(out: Path, *, resume: bool) -> Path:
    """Return where a training's last state lies; raise KnownError where it should be gone on from and is not there."""
    last = out / "last.ckpt"
    if resume and not last.exists():
        raise KnownError(f"There is no {last.name} in {out} to go on from.", "Train without --resume.")
    return last


def optimizers(
    module: nn.Module, rate: float, decay: float, steps: int, betas: tuple[float, float] = (0.9, 0.999)
) -> dict[str, Any]:
    """Return what a LightningModule's `configure_optimizers` does: for all that is to be trained."""
    trained = [p for p in module.parameters() if p.requires_grad]
    optimizer = torch.optim.AdamW(trained, rate, betas=betas, weight_decay=decay)
    fall = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: share_of_rate(step, steps))
    return {"optimizer": optimizer, "lr_scheduler": {"scheduler": fall, "interval": "step"}}


def train(
    module: Any,
    batches: Iterable[Any],
    out: Path,
    steps: int,
    machine: Machine,
    *,
    resume: bool = False,
    held_out: Iterable[Any] | None = None,
    **further: Any,
) -> None:
    """Train a LightningModule; write last.ckpt, metrics.csv, curves.png and a log for TensorBoard into `out`.

    held_out: batches to validate on. further: of Lightning's Trainer.
    """
    L = lightning()
    last = last_state(out, resume=resume)
    keep = L.pytorch.callbacks.ModelCheckpoint(
        out, save_last=True, save_top_k=0, every_n_train_steps=_KEEP_EVERY
    )
    trainer = L.Trainer(
        max_steps=steps, accelerator=machine.device, devices=1, precision=machine.precision,
        default_root_dir=out, gradient_clip_val=1.0, enable_model_summary=False, logger=loggers(out),
        callbacks=[keep], log_every_n_steps=min(20, max(steps // 10, 1)), **further,
    )  # fmt: skip
    trainer.fit(module, batches, held_out, ckpt_path=str(last) if resume else None, weights_only=True)
    trainer.save_checkpoint(last)
    draw_curves(out)
