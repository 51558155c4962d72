"""The token head: from the decoder's vector to words of the pose vocabulary, and through a tokenizer to rotations.

An MLP-mixer (Tolstikhin et al. 2021) writes all words at once. A person with all limbs is decoded by the tokenizer of
such people, anybody else by the tokenizer for limb loss (paper, section 3.3).
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from limbstudio.ajahr.build import N_HEADS, TokenHeadNumbers, TokenizerNumbers
from limbstudio.ajahr.tokenizer import PoseCodec


class _Layers(nn.Module):
    """A few layers under the name `ff`, as in the released weights."""

    def __init__(self, *layers: nn.Module) -> None:
        super().__init__()
        self.ff = nn.Sequential(*layers)

    def forward(self, x: Tensor) -> Tensor:
        return self.ff(x)


def _two_layers(width: int, hidden: int) -> _Layers:
    return _Layers(nn.Linear(width, hidden), nn.GELU(), nn.Identity(), nn.Linear(hidden, width))


class MixerLayer(nn.Module):
    """Mix over the row of words, then over each word's numbers."""

    def __init__(self, numbers: TokenHeadNumbers) -> None:
        super().__init__()
        self.layernorm1 = nn.LayerNorm(numbers.width)
        self.MLP_token = _two_layers(numbers.tokens, numbers.token_hidden)
        self.layernorm2 = nn.LayerNorm(numbers.width)
        self.MLP_channel = _two_layers(numbers.width, numbers.channel_hidden)

    def forward(self, x: Tensor) -> Tensor:
        """Return (B, tokens, width)."""
        x = x + self.MLP_token(self.layernorm1(x).transpose(1, 2)).transpose(1, 2)
        return x + self.MLP_channel(self.layernorm2(x))


@dataclass(frozen=True, eq=False)
class TokenPose:
    """six: (B, 21, 6), rotations as six numbers. logits: (B, tokens, codes), the words before their softmax."""

    six: Tensor
    logits: Tensor


class TokenHead(nn.Module):
    """Words of a pose and the pose that they spell."""

    def __init__(
        self, given: int, numbers: TokenHeadNumbers, words: TokenizerNumbers, words_loss: TokenizerNumbers
    ) -> None:
        """Make a head for vectors of `given` numbers; words, words_loss: the two tokenizers, one vocabulary size."""
        super().__init__()
        self.tokens, self.width = numbers.tokens, numbers.width
        row = numbers.tokens * numbers.width
        self.mixer_trans = _Layers(nn.Linear(given, row), nn.LayerNorm(row), nn.ReLU())
        self.mixer_head = nn.ModuleList(MixerLayer(numbers) for _ in range(numbers.layers))
        self.mixer_norm_layer = _Layers(
            nn.Linear(numbers.width, numbers.width), nn.LayerNorm(numbers.width), nn.ReLU()
        )
        self.class_pred_layer = nn.Linear(numbers.width, words.codes)
        self.tokenizer_amp = PoseCodec(words_loss)
        self.tokenizer_normal = PoseCodec(words)
        # Of no use, but a released file has it.
        self.register_buffer("zero_tensor", torch.zeros(N_HEADS, dtype=torch.int64))

    def words(self, vector: Tensor) -> Tensor:
        """Return the logits of words (B, tokens, codes) for the decoder's vector (B, given)."""
        x = self.mixer_trans(vector).unflatten(1, (self.tokens, self.width))
        for layer in self.mixer_head:
            x = layer(x)
        return self.class_pred_layer(self.mixer_norm_layer(x))

    def forward(self, vector: Tensor, flags: Tensor) -> TokenPose:
        """Spell a pose.

        flags: (B, 4), not zero where a limb is not intact; a row of zeros takes the tokenizer of intact people.
        """
        logits = self.words(vector)
        probabilities = logits.softmax(-1)
        loss = (flags != 0).any(1)
        if not loss.any():  # most batches are of one kind, and a decoder for nobody costs as much
            return TokenPose(self.tokenizer_normal.decode(probabilities), logits)
        if loss.all():
            return TokenPose(self.tokenizer_amp.decode(probabilities), logits)
        rows = [loss.nonzero()[:, 0], (~loss).nonzero()[:, 0]]
        codecs = (self.tokenizer_amp, self.tokenizer_normal)
        parts = [codec.decode(probabilities[row]) for codec, row in zip(codecs, rows, strict=True)]
        return TokenPose(torch.cat(parts)[torch.cat(rows).argsort()], logits)
