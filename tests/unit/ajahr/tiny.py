"""AJAHR so small that a test can make and save it."""

from pathlib import Path

import torch

from limbstudio.ajahr.build import (
    AjahrNumbers,
    BackboneNumbers,
    BpacNumbers,
    DecoderNumbers,
    FeatureBlock,
    KeypointEncoderNumbers,
    PersonFeatureNumbers,
    SecondLookNumbers,
    StudioNumbers,
    TokenHeadNumbers,
    TokenizerNumbers,
    build_tokenizer,
)
from limbstudio.ajahr.network import AjahrNet

TINY = AjahrNumbers(
    bpac=BpacNumbers(blocks=(1, 1, 1, 1), widths=(16, 16, 16, 32), attention_reduction=4, projected=32),
    backbone=BackboneNumbers(width=32, blocks=2, heads=2, hidden=64),
    decoder=DecoderNumbers(width=32, blocks=2, heads=2, head_width=8, hidden=32, context_width=32),
    head=TokenHeadNumbers(tokens=20, width=8, layers=1, token_hidden=8, channel_hidden=16),
    tokenizer=TokenizerNumbers(codes=16, code_width=8, width=16),
)

TINY_STUDIO = StudioNumbers(
    encoder=KeypointEncoderNumbers(width=32, blocks=1, tokens=3, token_width=32),
    decoder=DecoderNumbers(width=32, blocks=1, heads=2, head_width=8, hidden=32, context_width=32),
    head=TokenHeadNumbers(tokens=10, width=8, layers=1, token_hidden=8, channel_hidden=16),
    tokenizer=TokenizerNumbers(codes=16, code_width=8, width=16, widenings=1, first_length=20),
    second_look=SecondLookNumbers(width=32, blocks=1, times=2),
)

TINY_FEATURES = PersonFeatureNumbers(
    first=6,
    second=4,
    stages=(
        (FeatureBlock(8, 6, 3, 2), FeatureBlock(12, 6, 3, 1)),
        (FeatureBlock(12, 8, 5, 2),),
        (FeatureBlock(16, 8, 3, 2),),
        (FeatureBlock(16, 12, 5, 2),),
    ),
    fine=8,
)


def write_released_files(network: AjahrNet, folder: Path) -> list[Path]:
    """Write a network as the authors publish theirs: the checkpoint, and the two tokenizers that belong to it."""
    torch.save({"state_dict": network.state_dict()}, folder / "main.ckpt")
    for which in ("amp", "normal"):
        tokenizer = build_tokenizer(TINY.tokenizer)
        codec = network.smpl_head.decpose.get_submodule(f"tokenizer_{which}")
        tokenizer.load_state_dict({**tokenizer.state_dict(), **codec.state_dict()})
        torch.save({"net": tokenizer.state_dict()}, folder / f"{which}.pth")
    return [folder / name for name in ("main.ckpt", "amp.pth", "normal.pth")]
