"""AJAHR's losses, one function per term."""

from torch import Tensor, nn

# A head whose truth is unknown (the annotator is unsure) takes no part in the loss.
UNKNOWN_CLASS = -100


def classification_loss(logits: Tensor, classes: Tensor) -> Tensor:
    """Return the mean cross-entropy over all heads of known truth; logits (B, 4, 4), classes (B, 4).

    The paper names L_cls (weight 0.01 in L_overall) without a formula and its code is not public; this is our reading.
    """
    return nn.functional.cross_entropy(logits.flatten(0, 1), classes.flatten(), ignore_index=UNKNOWN_CLASS)
