"""Every number of HKMR's architecture in one place, and whether it is the paper's or inferred.

The authors published no code, and the paper leaves the hidden sizes open. Those chosen here make regressor and
ResNet-50 trunk together 26.2 M numbers, as the paper's table of sizes says.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # torch takes two seconds to import, and the numbers are read without it
    from limbstudio.hkmr.encoder import ResNet50
    from limbstudio.hkmr.pose_prior import PoseVae
    from limbstudio.hkmr.regressor import HkmrRegressor

# SMPL's 24 joints: the first 22 are those of SMPL-X; 22 and 23 are its hands.
N_JOINTS = 24
N_SHAPE = 10
ROOT_CHAIN = "root"
# The paper's six chains (section 3.2, figure 3): the root chain of four joints is given in words, the others follow
# from the tree, since every joint belongs to one chain. Joint indices are SMPL's, proximal to distal.
CHAINS: Mapping[str, tuple[int, ...]] = MappingProxyType({
    ROOT_CHAIN: (0, 3, 6, 9),
    "head": (12, 15),
    "r_arm": (14, 17, 19, 21, 23),
    "l_arm": (13, 16, 18, 20, 22),
    "r_leg": (2, 5, 8, 11),
    "l_leg": (1, 4, 7, 10),
})  # fmt: skip


@dataclass(frozen=True)
class HkmrNumbers:
    """The sizes of the regressor.

    From the paper: outer_steps and inner_passes (table 3: 3 and 4 are best; a forward and a backward pass are one inner
    step each), the six chains, three numbers per joint, one fully-connected layer per joint. From the encoder it names
    (ResNet-50 as in HMR): features. Inferred from the total size: embedding, hidden. Our choice, since the paper is
    silent: a ReLU on the embedding (without it the whole chain would be one linear map), shape as an update of the last
    estimate, first_scale (the camera's scale before training), output_gain (small, so that an untrained regressor
    answers with the mean body).
    """

    features: int = 2048
    embedding: int = 128
    hidden: int = 256
    outer_steps: int = 3
    inner_passes: int = 4
    first_scale: float = 0.9
    output_gain: float = 0.01


PAPER = HkmrNumbers()
# What the inferred sizes amount to; the paper says 26.2 M for both together.
REGRESSOR_PARAMETERS = 2_712_007
TRUNK_PARAMETERS = 23_508_032
# A body that faces a camera with y down and z forward is turned half about x.
FACING = (math.pi, 0.0, 0.0)

# ResNet-50 (He et al. 2016, table 1): bottleneck blocks and widths of the four stages, and the widening of a block.
TRUNK_BLOCKS = (3, 4, 6, 3)
TRUNK_WIDTHS = (64, 128, 256, 512)
TRUNK_EXPANSION = 4

# The pose prior (section 3.2): 23 joints without the global orientation, 69 numbers (paper). Its layers are inferred
# from the work it follows (VPoser, Pavlakos et al. 2019: latent 32, two hidden layers of 512).
PRIOR_NUMBERS = 69
PRIOR_HIDDEN = 512
PRIOR_LATENT = 32


def build_regressor(numbers: HkmrNumbers = PAPER) -> "HkmrRegressor":
    """Return an untrained regressor that starts from the T-pose facing the camera."""
    from limbstudio.hkmr.regressor import HkmrRegressor

    return HkmrRegressor(numbers)


def build_encoder() -> "ResNet50":
    """Return an untrained ResNet-50 trunk: photo crops (B, 3, H, W) to features (B, 2048)."""
    from limbstudio.hkmr.encoder import ResNet50

    return ResNet50()


def build_pose_prior() -> "PoseVae":
    """Return an untrained pose prior."""
    from limbstudio.hkmr.pose_prior import PoseVae

    return PoseVae()
