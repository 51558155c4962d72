"""The transformer decoder: one query that looks at the picture's features (supplement: six blocks)."""

import torch
from torch import Tensor, nn
from torch.nn import functional

from limbstudio.ajahr.build import DecoderNumbers


def _by_head(x: Tensor, heads: int) -> Tensor:
    return x.unflatten(2, (heads, -1)).transpose(1, 2)


class QueryAttention(nn.Module):
    """Attention of the query to itself."""

    def __init__(self, numbers: DecoderNumbers) -> None:
        super().__init__()
        self.heads = numbers.heads
        inner = numbers.heads * numbers.head_width
        self.to_qkv = nn.Linear(numbers.width, 3 * inner, bias=False)
        self.to_out = nn.Sequential(nn.Linear(inner, numbers.width))

    def forward(self, x: Tensor, context: Tensor) -> Tensor:
        q, k, v = (_by_head(part, self.heads) for part in self.to_qkv(x).chunk(3, -1))
        return self.to_out(functional.scaled_dot_product_attention(q, k, v).transpose(1, 2).flatten(2))


class ContextAttention(nn.Module):
    """Attention of the query to the context; the context is taken as it is, without a normalisation."""

    def __init__(self, numbers: DecoderNumbers) -> None:
        super().__init__()
        self.heads = numbers.heads
        inner = numbers.heads * numbers.head_width
        self.to_kv = nn.Linear(numbers.context_width, 2 * inner, bias=False)
        self.to_q = nn.Linear(numbers.width, inner, bias=False)
        self.to_out = nn.Sequential(nn.Linear(inner, numbers.width))

    def forward(self, x: Tensor, context: Tensor) -> Tensor:
        k, v = (_by_head(part, self.heads) for part in self.to_kv(context).chunk(2, -1))
        q = _by_head(self.to_q(x), self.heads)
        return self.to_out(functional.scaled_dot_product_attention(q, k, v).transpose(1, 2).flatten(2))


class QueryFeedForward(nn.Module):
    """Two layers; the places of dropout, which the released network does not use, keep their numbers."""

    def __init__(self, numbers: DecoderNumbers) -> None:
        super().__init__()
        width, hidden, share = numbers.width, numbers.hidden, numbers.dropout
        self.net = nn.Sequential(
            nn.Linear(width, hidden),
            nn.GELU(),
            nn.Dropout(share),
            nn.Linear(hidden, width),
            nn.Dropout(share),
        )

    def forward(self, x: Tensor, context: Tensor) -> Tensor:
        return self.net(x)


class Normalised(nn.Module):
    """A branch behind a normalisation of its query."""

    def __init__(self, width: int, branch: nn.Module) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.fn = branch

    def forward(self, x: Tensor, context: Tensor) -> Tensor:
        return x + self.fn(self.norm(x), context)


class DecoderLayers(nn.Module):
    """The blocks: to itself, to the context, two layers."""

    def __init__(self, numbers: DecoderNumbers) -> None:
        super().__init__()
        branches = (QueryAttention, ContextAttention, QueryFeedForward)
        self.layers = nn.ModuleList(
            nn.ModuleList(Normalised(numbers.width, branch(numbers)) for branch in branches)
            for _ in range(numbers.blocks)
        )

    def forward(self, x: Tensor, context: Tensor) -> Tensor:
        for layer in self.layers:
            for branch in layer:  # type: ignore[union-attr]
                x = branch(x, context)
        return x


class QueryDecoder(nn.Module):
    """One learned query to a vector (B, width)."""

    def __init__(self, numbers: DecoderNumbers) -> None:
        super().__init__()
        self.to_token_embedding = nn.Linear(1, numbers.width)
        self.pos_embedding = nn.Parameter(torch.zeros(1, 1, numbers.width))
        self.transformer = DecoderLayers(numbers)

    def forward(self, context: Tensor, second: Tensor | None = None) -> Tensor:
        """Return (B, width) for a context (B, N, context width).

        second: (B, M, context width), a context that the same layers look at in a second pass.
        """
        query = self.to_token_embedding(context.new_zeros(len(context), 1, 1)) + self.pos_embedding
        query = self.transformer(query, context)
        if second is not None:
            query = self.transformer(query, second)
        return query[:, 0]
