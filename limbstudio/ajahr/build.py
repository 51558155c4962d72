"""Every number of AJAHR's networks in one place, and where it comes from.

The released network and the paper's supplement differ in places (the supplement says ResNet-32; sixteen blocks of two
convolutions are ResNet-34's): names and shapes here are the released ones, so that a user's own weights load.
"""

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, NamedTuple

from limbstudio.domain.anatomy import Limb

if TYPE_CHECKING:  # torch takes two seconds to import, and tables are read without it
    from limbstudio.ajahr.bpac import BpacNet
    from limbstudio.ajahr.keypoint_network import KeypointAjahr
    from limbstudio.ajahr.network import AjahrNet
    from limbstudio.ajahr.studio_bpac import StudioBpac
    from limbstudio.ajahr.tokenizer import PoseTokenizer

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

# A tokenized pose: SMPL's joints 1 to 21, each rotation as six numbers; the whole pose adds root and two hands.
POSE_JOINTS = 21
ROTATION_NUMBERS = 6
N_HAND_JOINTS = 2
POSE_NUMBERS = (1 + POSE_JOINTS + N_HAND_JOINTS) * ROTATION_NUMBERS
N_SHAPE = 10


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


@dataclass(frozen=True)
class TokenizerNumbers:
    """The sizes of a pose tokenizer (supplement; TokenHMR's published ones where AJAHR's are silent).

    codes, code_width: the vocabulary. widenings: how often the encoder stretches the row, each time to the double of
    first_length at first; halvings: how often it halves it. tokens follow: 80, 160, 320, 640 for 3, 4, 5, 6 widenings.
    decoder_steps: how often the decoder changes the row's length on its way to 21 joints. depth, dilation_rate: the
    residual blocks. code_decay: of the moving means that codes follow.
    """

    codes: int = 2048
    code_width: int = 256
    width: int = 512
    widenings: int = 4
    halvings: int = 1
    first_length: int = 40
    decoder_steps: int = 4
    depth: int = 2
    dilation_rate: int = 3
    code_decay: float = 0.99

    @property
    def tokens(self) -> int:
        """Return how many words a pose takes."""
        return self.first_length * 2 ** (self.widenings - 1) // 2**self.halvings

    def for_tokens(self, tokens: int) -> "TokenizerNumbers":
        """Return the same tokenizer for another number of tokens; raise KeyError where no widening makes it."""
        for widenings in range(1, 9):
            other = replace(self, widenings=widenings)
            if other.tokens == tokens:
                return other
        raise KeyError(tokens)


@dataclass(frozen=True)
class BackboneNumbers:
    """The sizes of the picture encoder, ViT-H of ViTPose. left_out: share of training steps without the last block."""

    width: int = 1280
    blocks: int = 32
    heads: int = 16
    hidden: int = 5120
    patch_px: int = 16
    border_px: int = 2
    rows: int = 16
    columns: int = 12
    left_out: float = 0.55


@dataclass(frozen=True)
class DecoderNumbers:
    """The sizes of the transformer decoder (supplement: six blocks; the rest as in the released weights)."""

    width: int = 1024
    blocks: int = 6
    heads: int = 8
    head_width: int = 64
    hidden: int = 1024
    context_width: int = 1280
    dropout: float = 0.0


@dataclass(frozen=True)
class TokenHeadNumbers:
    """The sizes of the token head; `tokens` may differ from the tokenizer's, whose decoder takes any length."""

    tokens: int = 160
    width: int = 64
    layers: int = 4
    token_hidden: int = 64
    channel_hidden: int = 256


@dataclass(frozen=True)
class AjahrNumbers:
    """Every size of the whole network. tokenizer_loss: of the tokenizer for limb loss, where it differs."""

    bpac: BpacNumbers = field(default_factory=BpacNumbers)
    backbone: BackboneNumbers = field(default_factory=BackboneNumbers)
    decoder: DecoderNumbers = field(default_factory=DecoderNumbers)
    head: TokenHeadNumbers = field(default_factory=TokenHeadNumbers)
    tokenizer: TokenizerNumbers = field(default_factory=TokenizerNumbers)
    tokenizer_loss: TokenizerNumbers | None = None


RELEASED = BpacNumbers()
# With and without the running statistics of the normalisations and the heatmaps' grids.
BPAC_ELEMENTS, BPAC_PARAMETERS = 22_163_476, 22_145_904
RELEASED_TOKENIZER = TokenizerNumbers()
RELEASED_AJAHR = AjahrNumbers()
# The size that we train and ship: the same code, small enough for a CPU.
STUDIO_TOKENIZER = TokenizerNumbers(codes=512, code_width=64, width=96, widenings=2)


@dataclass(frozen=True)
class KeypointEncoderNumbers:
    """The sizes of the encoder of keypoints: its trunk's (that of the lifter), and the tokens it makes."""

    width: int = 512
    blocks: int = 4
    tokens: int = 6
    token_width: int = 192


@dataclass(frozen=True)
class SecondLookNumbers:
    """The sizes of the network that corrects the head's body by its points (ours). times: how often it looks."""

    width: int = 512
    blocks: int = 3
    times: int = 2


class FeatureBlock(NamedTuple):
    """An inverted residual block: the width within, the width it makes, the side of its filters, its stride."""

    hidden: int
    width: int
    kernel: int
    stride: int


@dataclass(frozen=True)
class PersonFeatureNumbers:
    """The sizes of the network that makes features of people (BlazePose's landmark network, "full").

    first, second: widths at half the crop's side. stages: the blocks of each further half. fine: width of the map that
    comes out.
    """

    first: int = 24
    second: int = 16
    stages: tuple[tuple[FeatureBlock, ...], ...] = (
        (FeatureBlock(64, 24, 3, 2), FeatureBlock(144, 24, 3, 1)),
        (FeatureBlock(144, 32, 5, 2), FeatureBlock(192, 32, 5, 1)),
        (
            FeatureBlock(192, 64, 3, 2), *2 * (FeatureBlock(384, 64, 3, 1),), FeatureBlock(384, 88, 5, 1),
            *2 * (FeatureBlock(528, 88, 5, 1),),
        ),
        (FeatureBlock(528, 144, 5, 2), *3 * (FeatureBlock(864, 144, 5, 1),)),
    )  # fmt: skip
    fine: int = 48


@dataclass(frozen=True)
class PictureNumbers:
    """The sizes of what looks at the picture beside the points. picture_px: of the crop around the person. features: of
    the network that makes features of people. cells: along a side of its coarse map.
    """

    picture_px: int = 224
    features: PersonFeatureNumbers = field(default_factory=PersonFeatureNumbers)

    @property
    def cells(self) -> int:
        return self.picture_px // 2 ** (1 + len(self.features.stages))


@dataclass(frozen=True)
class StudioNumbers:
    """The sizes of the network on keypoints (ours): the encoder's, and those of AJAHR's head. picture: of what looks at
    the picture too, None without."""

    encoder: KeypointEncoderNumbers = field(default_factory=KeypointEncoderNumbers)
    decoder: DecoderNumbers = field(
        default_factory=lambda: DecoderNumbers(
            width=384, blocks=2, heads=6, head_width=32, hidden=768, context_width=192
        )
    )
    head: TokenHeadNumbers = field(
        default_factory=lambda: TokenHeadNumbers(
            tokens=40, width=48, layers=3, token_hidden=64, channel_hidden=128
        )
    )
    tokenizer: TokenizerNumbers = STUDIO_TOKENIZER
    second_look: SecondLookNumbers = field(default_factory=SecondLookNumbers)
    picture: PictureNumbers | None = None

    @property
    def ajahr(self) -> AjahrNumbers:
        """Return the head's sizes as AJAHR's."""
        return AjahrNumbers(decoder=self.decoder, head=self.head, tokenizer=self.tokenizer)

    @staticmethod
    def head_rows() -> tuple[int, ...]:
        """Return which limb, as a row of `Limb`, each of AJAHR's heads is."""
        return tuple(tuple(Limb).index(limb) for limb in HEAD_LIMBS)


STUDIO = StudioNumbers()
STUDIO_WITH_PICTURE = replace(STUDIO, picture=PictureNumbers())


@dataclass(frozen=True)
class ReleasedOptions:
    """What the released program does oddly, and whether to do it too.

    release_exact: draw BPAC-Net's heatmaps at pixels of the photo, not of the crop. second_pass: let the decoder look
    at BPAC-Net's feature, which the released program computes and leaves (`network.BpacContext`).
    """

    release_exact: bool = False
    second_pass: bool = False


@dataclass(frozen=True)
class StudioBpacNumbers(BpacNumbers):
    """The sizes of the limb classifier that we train and ship (ours): BPAC-Net's blocks, fewer and narrower.

    picture_px: of the crop around the person. limb_px: of the cuts around whole limbs, which are made of the crop at
    limbs_from_px; end_px: of the cuts around wrists and ankles, made of it as it is. heatmaps: the limb's three joints,
    and one of all other keypoints. features: of the network that makes features of people; limb_cells, end_cells: how
    many of their places a cut has; feature_widths: of what then looks at them. pose_width: of what is told of the
    points alone. hidden: of the layer before the heads. It has no projection.
    """

    picture_px: int = 224
    limbs_from_px: int = 160
    limb_px: int = 64
    end_px: int = 48
    heatmaps: int = 4
    sigma_px: float = 2.0
    blocks: tuple[int, ...] = (2, 2, 2, 2)
    widths: tuple[int, ...] = (24, 48, 96, 160)
    attention_reduction: int = 8
    features: PersonFeatureNumbers = field(default_factory=PersonFeatureNumbers)
    limb_cells: int = 16
    end_cells: int = 12
    feature_widths: tuple[int, int, int] = (48, 96, 128)
    pose_width: int = 128
    hidden: int = 160
    projected: int = 0


STUDIO_BPAC = StudioBpacNumbers()


def released_ajahr(head_tokens: int, tokenizer_tokens: int) -> AjahrNumbers:
    """Return the paper's size for a checkpoint's numbers of tokens, which may differ from each other."""
    return replace(
        RELEASED_AJAHR,
        head=replace(RELEASED_AJAHR.head, tokens=head_tokens),
        tokenizer=RELEASED_TOKENIZER.for_tokens(tokenizer_tokens),
    )


def build_bpac(numbers: BpacNumbers = RELEASED) -> "BpacNet":
    """Return an untrained BPAC-Net."""
    from limbstudio.ajahr.bpac import BpacNet

    return BpacNet(numbers)


def build_tokenizer(numbers: TokenizerNumbers = RELEASED_TOKENIZER) -> "PoseTokenizer":
    """Return an untrained pose tokenizer."""
    from limbstudio.ajahr.tokenizer import PoseTokenizer

    return PoseTokenizer(numbers)


def build_ajahr(numbers: AjahrNumbers = RELEASED_AJAHR) -> "AjahrNet":
    """Return the whole untrained network; at the paper's size it takes 2.9 GB and seconds to fill with numbers."""
    from limbstudio.ajahr.network import AjahrNet

    return AjahrNet(numbers)


def build_studio(numbers: StudioNumbers = STUDIO) -> "KeypointAjahr":
    """Return an untrained network of the studio's size."""
    from limbstudio.ajahr.keypoint_network import KeypointAjahr

    return KeypointAjahr(numbers)


def build_studio_bpac(numbers: StudioBpacNumbers = STUDIO_BPAC) -> "StudioBpac":
    """Return an untrained limb classifier of the studio's size."""
    from limbstudio.ajahr.studio_bpac import StudioBpac

    return StudioBpac(numbers)
