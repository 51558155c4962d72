"""HKMR's pose prior: a variational autoencoder of poses, of which training of the regressor uses the encoder only."""

import torch
from torch import Tensor, nn

from limbstudio.hkmr.build import PRIOR_HIDDEN, PRIOR_LATENT, PRIOR_NUMBERS
from limbstudio.hkmr.losses import kl_loss


class PoseVae(nn.Module):
    """Encode and decode poses of 23 joints without the global orientation, (B, 69) rotation vectors."""

    def __init__(self) -> None:
        super().__init__()
        self.encoder = nn.Sequential(*_hidden(PRIOR_NUMBERS), nn.Linear(PRIOR_HIDDEN, 2 * PRIOR_LATENT))
        self.decoder = nn.Sequential(*_hidden(PRIOR_LATENT), nn.Linear(PRIOR_HIDDEN, PRIOR_NUMBERS))

    def encode(self, pose: Tensor) -> tuple[Tensor, Tensor]:
        """Return mean and log variance (B, 32) of the latent."""
        mean, log_variance = self.encoder(pose).chunk(2, 1)
        return mean, log_variance

    def forward(
        self, pose: Tensor, generator: torch.Generator | None = None
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Return the decoded pose (B, 69) of a latent drawn from the encoder's Gaussian, its mean, its log variance."""
        mean, log_variance = self.encode(pose)
        noise = torch.randn(mean.shape, generator=generator, dtype=mean.dtype, device=mean.device)
        return self.decoder(mean + noise * (0.5 * log_variance).exp()), mean, log_variance


def vae_loss(decoded: Tensor, pose: Tensor, mean: Tensor, log_variance: Tensor, kl_weight: float) -> Tensor:
    """Return the standard objective: |decoded - pose|_2^2 + weight * KL (Kingma and Welling 2014)."""
    return ((decoded - pose) ** 2).sum(1).mean() + kl_weight * kl_loss(mean, log_variance)


def _hidden(width: int) -> list[nn.Module]:
    slope = 0.2  # VPoser's
    return [nn.Linear(width, PRIOR_HIDDEN), nn.LeakyReLU(slope),
            nn.Linear(PRIOR_HIDDEN, PRIOR_HIDDEN), nn.LeakyReLU(slope)]  # fmt: skip
