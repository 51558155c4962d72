"""AJAHR so small that a test can make and save it."""

from limbstudio.ajahr.build import (
    AjahrNumbers,
    BackboneNumbers,
    BpacNumbers,
    DecoderNumbers,
    TokenHeadNumbers,
    TokenizerNumbers,
)

TINY = AjahrNumbers(
    bpac=BpacNumbers(blocks=(1, 1, 1, 1), widths=(16, 16, 16, 32), attention_reduction=4, projected=32),
    backbone=BackboneNumbers(width=32, blocks=2, heads=2, hidden=64),
    decoder=DecoderNumbers(width=32, blocks=2, heads=2, head_width=8, hidden=32, context_width=32),
    head=TokenHeadNumbers(tokens=20, width=8, layers=1, token_hidden=8, channel_hidden=16),
    tokenizer=TokenizerNumbers(codes=16, code_width=8, width=16),
)
