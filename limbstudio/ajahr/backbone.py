"""The picture encoder: a Vision Transformer as in ViTPose (Xu et al. 2022) and HMR2, names as in their checkpoints."""

import torch
from torch import Tensor, nn
from torch.nn import functional

from limbstudio.ajahr.build import BackboneNumbers

_EPSILON = 1e-6


class SelfAttention(nn.Module):
    """Attention among the patches of one picture."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.qkv = nn.Linear(width, 3 * width)
        self.proj = nn.Linear(width, width)

    def forward(self, x: Tensor) -> Tensor:
        batch, tokens, width = x.shape
        q, k, v = self.qkv(x).view(batch, tokens, 3, self.heads, -1).permute(2, 0, 3, 1, 4)
        mixed = functional.scaled_dot_product_attention(q, k, v)
        return self.proj(mixed.transpose(1, 2).reshape(batch, tokens, width))


class FeedForward(nn.Module):
    """Two layers per patch."""

    def __init__(self, width: int, hidden: int) -> None:
        super().__init__()
        self.fc1 = nn.Linear(width, hidden)
        self.fc2 = nn.Linear(hidden, width)

    def forward(self, x: Tensor) -> Tensor:
        return self.fc2(functional.gelu(self.fc1(x)))


class Block(nn.Module):
    """A block with normalisation first. In training it is left out now and then (stochastic depth)."""

    def __init__(self, numbers: BackboneNumbers, left_out: float) -> None:
        super().__init__()
        self.left_out = left_out
        self.norm1 = nn.LayerNorm(numbers.width, eps=_EPSILON)
        self.attn = SelfAttention(numbers.width, numbers.heads)
        self.norm2 = nn.LayerNorm(numbers.width, eps=_EPSILON)
        self.mlp = FeedForward(numbers.width, numbers.hidden)

    def forward(self, x: Tensor) -> Tensor:
        x = x + self._some(self.attn(self.norm1(x)))
        return x + self._some(self.mlp(self.norm2(x)))

    def _some(self, branch: Tensor) -> Tensor:
        if not self.training or not self.left_out:
            return branch
        kept = 1 - self.left_out
        return branch * torch.bernoulli(branch.new_full((len(branch), 1, 1), kept)) / kept


class PatchEmbedding(nn.Module):
    """Patches of the picture to tokens; two pixels of border, as in ViTPose."""

    def __init__(self, numbers: BackboneNumbers) -> None:
        super().__init__()
        self.proj = nn.Conv2d(3, numbers.width, numbers.patch_px, numbers.patch_px, numbers.border_px)

    def forward(self, crops: Tensor) -> Tensor:
        return self.proj(crops)


class VisionTransformer(nn.Module):
    """Crops (B, 3, 256, 192) to a map of features (B, width, 16, 12)."""

    def __init__(self, numbers: BackboneNumbers) -> None:
        super().__init__()
        self.patch_embed = PatchEmbedding(numbers)
        self.pos_embed = nn.Parameter(torch.zeros(1, 1 + numbers.rows * numbers.columns, numbers.width))
        last = max(numbers.blocks - 1, 1)
        self.blocks = nn.ModuleList(
            Block(numbers, numbers.left_out * number / last) for number in range(numbers.blocks)
        )
        self.last_norm = nn.LayerNorm(numbers.width, eps=_EPSILON)
        nn.init.trunc_normal_(self.pos_embed, std=0.02)

    def forward(self, crops: Tensor) -> Tensor:
        """Return features (B, width, rows, columns) of normalised RGB crops."""
        patches = self.patch_embed(crops)
        rows, columns = patches.shape[2:]
        # The first place belonged to a class token, which ViTPose does without: its vector goes to every patch.
        x = patches.flatten(2).transpose(1, 2) + self.pos_embed[:, 1:] + self.pos_embed[:, :1]
        for block in self.blocks:
            x = block(x)
        return self.last_norm(x).transpose(1, 2).unflatten(2, (rows, columns))


def person_columns(crops: Tensor, numbers: BackboneNumbers) -> Tensor:
    """Return the middle of square crops (B, C, S, S) at the encoder's width (B, C, S, 3/4 S)."""
    margin = (crops.shape[-1] - numbers.patch_px * numbers.columns) // 2
    return crops[..., margin : crops.shape[-1] - margin]
