"""Every number of AJAHR's networks in one place, and where it comes from.

The released network and the paper's supplement differ in places (the supplement says ResNet-32; sixteen blocks of two
convolutions are ResNet-34's): names and shapes here are the released ones, so that a user's own weights load.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from limbstudio.domain.anatomy import Limb

if TYPE_CHECKING:  # torch takes two seconds to import, and tables are read without it
    from limbstudio.ajahr.bpac import BpacNet

# The four heads in the order of the released classifier.
HEAD_LIMBS: tuple[Limb, ...] = (Limb.RIGHT_ARM, Limb.LEFT_ARM, Limb.LEFT_LEG, Limb.RIGHT_LEG)
N_HEADS = len(HEAD_LIMBS)
# Classes of a head: hand or foot, elbow or knee, shoulder or hip, intact.
N_CLASSES = 4
INTACT_CLASS = 3
# One number over all heads: head * 3 + class for a loss, 12 for an intact person (the naming of A3D's pictures).
N_AMPUTATIONS = 12
INTACT_LABEL = 12

# The 12 COCO keypoints whose heatmaps the classifier sees: shoulders to ankles, left before right.
HEATMAP_KEYPOINTS = slice(5, 17)


@dataclass(frozen=True)
class BpacNumbers:
    """The sizes of BPAC-Net (supplement section G; released network).

    picture_px: side of the square crop. heatmaps: one per keypoint, a Gaussian of sigma_px with peak 1. blocks, widths:
    ResNet-34. attention_reduction, attention_kernel: CBAM's own defaults (Woo et al. 2018). projected: width of the
    feature that is meant for the decoder's cross-attention.
    """

    picture_px: int = 256
    heatmaps: int = 12
    sigma_px: float = 2.0
    blocks: tuple[int, ...] = (3, 4, 6, 3)
    widths: tuple[int, ...] = (64, 128, 256, 512)
    attention_reduction: int = 16
    attention_kernel: int = 7
    projected: int = 1280


RELEASED = BpacNumbers()
# With and without the running statistics of the normalisations and the heatmaps' grids.
BPAC_ELEMENTS, BPAC_PARAMETERS = 22_163_476, 22_145_904


def build_bpac(numbers: BpacNumbers = RELEASED) -> "BpacNet":
    """Return an untrained BPAC-Net."""
    from limbstudio.ajahr.bpac import BpacNet

    return BpacNet(numbers)
