"""AJAHR's pose tokenizer: a pose as a row of words from a learned vocabulary, and back (VQ-VAE; paper, section 3.2).

A pose is 21 rotations without root and hands (SMPL's joints 1 to 21). The encoder widens it to a row of tokens, each
takes its nearest code of the codebook, and the decoder returns the rotations. Names and shapes are those of released
tokenizers. Two of them are trained, one on people with limb loss.
"""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from limbstudio.ajahr.build import POSE_JOINTS, ROTATION_NUMBERS, TokenizerNumbers
from limbstudio.ajahr.rotations import rotations_of, six_numbers

_STARTING_SPREAD = 1e-5  # of codes that have met no pose yet
_SPARSE_CODE = 1.0  # a code that fewer tokens took, in the moving average, is replaced
_EPSILON = 1e-7


def decoder_lengths(tokens: int, steps: int) -> tuple[int, ...]:
    """Return the row's length after each widening of the decoder: from `tokens` down to the 21 joints.

    They are not in the weights, whose shapes are the same for every number of tokens.
    """
    return tuple(int(x) for x in np.linspace(POSE_JOINTS, tokens, steps, endpoint=False)[::-1])


class DilatedBlock(nn.Module):
    """A residual block before activation: ReLU, convolution with gaps, ReLU, convolution of one, added to its input."""

    def __init__(self, width: int, dilation: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv1d(width, width, 3, padding=dilation, dilation=dilation)
        self.conv2 = nn.Conv1d(width, width, 1)

    def forward(self, x: Tensor) -> Tensor:
        return x + self.conv2(torch.relu(self.conv1(torch.relu(x))))


class DilatedStack(nn.Module):
    """Blocks one after the other, the widest gaps first."""

    def __init__(self, numbers: TokenizerNumbers) -> None:
        super().__init__()
        gaps = [numbers.dilation_rate**power for power in reversed(range(numbers.depth))]
        self.model = nn.Sequential(*(DilatedBlock(numbers.width, gap) for gap in gaps))

    def forward(self, x: Tensor) -> Tensor:
        return self.model(x)


def _widening(length: int, width: int) -> list[nn.Module]:
    """Return the layers of one step: stretch the row to `length` by its nearest, convolve, ReLU."""
    return [nn.Upsample(size=length), nn.Conv1d(width, width, 3, padding=1), nn.ReLU()]


class PoseEncoder(nn.Module):
    """Poses (B, 6, 21) to features (B, codes' width, tokens)."""

    def __init__(self, numbers: TokenizerNumbers) -> None:
        super().__init__()
        width, length = numbers.width, numbers.first_length
        layers: list[nn.Module] = [nn.Conv1d(ROTATION_NUMBERS, width, 3, padding=1), nn.ReLU()]
        for step in range(numbers.widenings):
            layers += _widening(length * 2**step, width)
        for _ in range(numbers.halvings):
            layers.append(nn.Sequential(nn.Conv1d(width, width, 4, 2, 1), DilatedStack(numbers)))
        self.encoder = nn.Sequential(*layers, nn.Conv1d(width, numbers.code_width, 3, padding=1))

    def forward(self, x: Tensor) -> Tensor:
        return self.encoder(x)


class PoseDecoder(nn.Module):
    """Rows of codes (B, codes' width, any number of tokens) to rotations as six numbers (B, 21, 6)."""

    def __init__(self, numbers: TokenizerNumbers) -> None:
        super().__init__()
        width = numbers.width
        layers: list[nn.Module] = [nn.Conv1d(numbers.code_width, width, 3, padding=1), nn.ReLU()]
        for length in decoder_lengths(numbers.tokens, numbers.decoder_steps):
            layers += _widening(length, width)
        for _ in range(numbers.halvings):
            layers.append(nn.Sequential(DilatedStack(numbers), nn.Conv1d(width, width, 3, padding=1)))
        self.decoder = nn.Sequential(*layers, nn.Conv1d(width, ROTATION_NUMBERS, 3, padding=1))

    def forward(self, codes: Tensor) -> Tensor:
        return self.decoder(codes).transpose(1, 2)


@dataclass(frozen=True, eq=False)
class Quantised:
    """codes: (B, C, T), gradients pass through to the features. indices: (B, T). commitment: mean square distance of
    features from their codes, which moves features only. perplexity: how many codes are in use, 1 to all of them."""

    codes: Tensor
    indices: Tensor
    commitment: Tensor
    perplexity: Tensor


class Codebook(nn.Module):
    """The vocabulary: codes follow the mean of the features that choose them, and idle ones are replaced.

    The moving sums are saved by `training_state` and not among the weights, whose names are the released ones; without
    them training that goes on would begin its vocabulary anew.
    """

    codebook: Tensor
    _sums: Tensor
    _counts: Tensor

    def __init__(self, numbers: TokenizerNumbers) -> None:
        super().__init__()
        self.decay = numbers.code_decay
        shape = (numbers.codes, numbers.code_width)
        self.register_buffer("codebook", torch.randn(shape) * _STARTING_SPREAD)
        self.register_buffer("_sums", torch.zeros(shape), persistent=False)
        self.register_buffer("_counts", torch.zeros(numbers.codes), persistent=False)
        self.begun = False

    def training_state(self) -> dict[str, Tensor]:
        """Return what training goes on from, besides the weights; empty before the first step."""
        return {"sums": self._sums.clone(), "counts": self._counts.clone()} if self.begun else {}

    def load_training_state(self, state: dict[str, Tensor]) -> None:
        """Go on from what `training_state` returned."""
        if state:
            self._sums.copy_(state["sums"])
            self._counts.copy_(state["counts"])
        self.begun = bool(state)

    def keep_codes(self, count: float) -> None:
        """Let training begin with the codes that are there, each as if `count` features had chosen it."""
        self.load_training_state(
            {"sums": self.codebook * count, "counts": torch.full_like(self._counts, count)}
        )

    def nearest(self, features: Tensor) -> Tensor:
        """Return the index (N,) of the code nearest to each feature (N, C), by square distance."""
        codes = self.codebook
        return (codes.square().sum(1) - 2 * features @ codes.T).argmin(1)

    def mixture(self, probabilities: Tensor) -> Tensor:
        """Return (B, C, T): the codes' mean under probabilities (B, T, codes), which a network gives."""
        return (probabilities @ self.codebook).transpose(1, 2)

    def lookup(self, indices: Tensor) -> Tensor:
        """Return codes (B, C, T) of indices (B, T)."""
        return self.codebook[indices].transpose(1, 2)

    def forward(self, features: Tensor) -> Quantised:
        """Quantise features (B, C, T), in single precision; in training, move the codes too."""
        with torch.autocast(features.device.type, enabled=False):
            return self._quantised(features.float())

    def _quantised(self, features: Tensor) -> Quantised:
        batch, width, tokens = features.shape
        flat = features.transpose(1, 2).reshape(-1, width)
        if self.training and not self.begun:
            self._begin(flat.detach())
        indices = self.nearest(flat)
        taken = functional.one_hot(indices, len(self.codebook)).to(flat.dtype)
        codes = self.codebook[indices]
        if self.training:
            self._follow(flat.detach(), taken)
        share = taken.mean(0)
        perplexity = torch.exp(-(share * torch.log(share + _EPSILON)).sum())
        codes = codes.view(batch, tokens, width).transpose(1, 2)
        commitment = (features - codes.detach()).square().mean()
        through = features + (codes - features).detach()
        return Quantised(through, indices.view(batch, tokens), commitment, perplexity)

    def _begin(self, flat: Tensor) -> None:
        codes = self._spread(flat)
        self.codebook.copy_(codes)
        self._sums.copy_(codes)
        self._counts.fill_(1.0)
        self.begun = True

    def _spread(self, flat: Tensor) -> Tensor:
        """Return one feature of this batch for every code, (codes, C); repeated ones are shaken a little."""
        wanted = len(self.codebook)
        if len(flat) >= wanted:
            return flat[torch.randperm(len(flat), device=flat.device)[:wanted]]
        repeated = flat.repeat((wanted + len(flat) - 1) // len(flat), 1)[:wanted]
        return repeated + torch.randn_like(repeated) * 0.01 / flat.shape[1] ** 0.5

    @torch.no_grad()
    def _follow(self, flat: Tensor, taken: Tensor) -> None:
        self._sums.mul_(self.decay).add_(taken.T @ flat, alpha=1 - self.decay)
        self._counts.mul_(self.decay).add_(taken.sum(0), alpha=1 - self.decay)
        used = (self._counts >= _SPARSE_CODE)[:, None]
        means = self._sums / self._counts.clamp_min(_EPSILON)[:, None]
        self.codebook.copy_(torch.where(used, means, self._spread(flat)))


class PoseCodec(nn.Module):
    """What a network needs of a tokenizer: its codes and its decoder."""

    def __init__(self, numbers: TokenizerNumbers) -> None:
        super().__init__()
        self.decoder = PoseDecoder(numbers)
        self.quantizer = Codebook(numbers)

    def decode(self, probabilities: Tensor) -> Tensor:
        """Return rotations as six numbers (B, 21, 6) for probabilities of codes (B, T, codes)."""
        return self.decoder(self.quantizer.mixture(probabilities))


@dataclass(frozen=True, eq=False)
class TokenizedPose:
    """six: (B, 21, 6) as decoded. rotations: (B, 21, 3, 3). quantised: what the codebook said."""

    six: Tensor
    rotations: Tensor
    quantised: Quantised


class PoseTokenizer(PoseCodec):
    """The whole tokenizer, as it is trained."""

    def __init__(self, numbers: TokenizerNumbers) -> None:
        super().__init__(numbers)
        self.encoder = PoseEncoder(numbers)

    def features(self, rotations: Tensor) -> Tensor:
        """Return features (B, C, T) of rotations (B, 21, 3, 3) before they are quantised."""
        return self.encoder(six_numbers(rotations).transpose(1, 2))

    def encode(self, rotations: Tensor) -> Tensor:
        """Return the indices of codes (B, T) of rotations (B, 21, 3, 3)."""
        features = self.features(rotations).transpose(1, 2)
        return self.quantizer.nearest(features.flatten(0, 1)).view(features.shape[:2])

    def forward(self, rotations: Tensor) -> TokenizedPose:
        """Encode and decode rotations (B, 21, 3, 3)."""
        quantised = self.quantizer(self.features(rotations))
        six = self.decoder(quantised.codes).float()
        return TokenizedPose(six, rotations_of(six), quantised)
