"""The network of Lin et al. (DAVIS Challenge 2019): two pretrained backbones, each followed by a spatio-temporal RNN.

A backbone with its RNN is called a branch. There is no official code; choices that the paper leaves open are named here
and in CARD.md. The classifiers of both backbones are removed (as in PML, CVPR 2018). The 1x1 convolution W after the
RNN is not a parameter of the network; it is fitted to each video (`adaptation`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from segmentation.engines.strnn.recurrence import SpatioTemporalRNN
from segmentation.engines.strnn.refinement import Refinement, RefinementConfig
from segmentation.networks.deeplab import DeepLabConfig, DeepLabV3Plus
from segmentation.networks.encoder import IMAGENET_MEAN, IMAGENET_STD
from segmentation.networks.resnet import ResNet, ResNetConfig
from segmentation.networks.trunk_backbone import TrunkConfig
from segmentation.networks.xception import XceptionConfig
from segmentation.runtime.folding import fold_batch_norms
from segmentation.trunk import load_trunk

GRID = 8  # Stride of the feature maps, in pixels: that of DeepLab-v2. Finer features are pooled to it.

DEEPLAB_V2_RESNET101 = ResNetConfig(  # output stride 8, the topology of the original Caffe model
    blocks=(3, 4, 23, 3),
    strides=(1, 2, 1, 1),
    dilations=((1,), (1,), (2,), (4,)),
    stride_on_first=True,
    ceil_pool=True,
)
DEEPLAB_V3PLUS_XCEPTION65 = DeepLabConfig(backbone=XceptionConfig())


@dataclass(frozen=True)
class BranchConfig:
    """Sizes of one of ST-RNN's two branches: its backbone and its RNN.

    A `ResNetConfig` as the backbone means DeepLab-v2 without its classifier.
    """

    body: ResNetConfig | DeepLabConfig  # the backbone
    hidden: int = 128  # channels of the hidden state; the paper does not give it
    outputs: int = 128  # channels of the output; not given: PML, whose loss the training uses, has 128

    @property
    def trunk(self) -> str | None:
        """The name of the pretrained trunk that is the backbone; None for another backbone."""
        backbone = self.body.backbone if isinstance(self.body, DeepLabConfig) else None
        return backbone.name if isinstance(backbone, TrunkConfig) else None

    @property
    def features(self) -> int:
        """The number of channels of the features that the backbone computes."""
        return self.body.channels[-1] if isinstance(self.body, ResNetConfig) else self.body.width


@dataclass(frozen=True)
class STRNNConfig:
    """The sizes of ST-RNN's networks. By default they are the paper's: two branches (backbone and RNN) and RGMP.

    RGMP (reference-guided mask propagation) is the network that refines masks in later rounds. If `refinement` is None,
    it is left out.
    """

    branches: tuple[BranchConfig, ...] = (BranchConfig(DEEPLAB_V2_RESNET101), BranchConfig(DEEPLAB_V3PLUS_XCEPTION65))
    refinement: RefinementConfig | None = field(default_factory=RefinementConfig)
    frame_size: tuple[int, int] = (480, 854)  # short and long side that a frame is resized to
    refine_from: int = 8  # the round from which on RGMP is used (8 is the last round in the paper); 0 = never
    chain: int = 16  # frames after which the RNN's state is reset, so that a frame needs few earlier frames; 0 = never

    def __post_init__(self) -> None:
        if len({branch.trunk is None for branch in self.branches}) > 1:
            raise ValueError("branches: either all or none of them can have the pretrained trunk as their backbone")

    @property
    def on_trunk(self) -> bool:
        """Whether the backbones are the pretrained trunk, whose images have values in 0..1."""
        return any(branch.trunk is not None for branch in self.branches)


class Branch(nn.Module):
    """A backbone with its RNN.

    The backbone computes the features of a frame, to which the RNN adds the context of the whole frame and of earlier
    frames.
    """

    def __init__(self, config: BranchConfig) -> None:
        super().__init__()
        self.body: nn.Module
        if isinstance(config.body, ResNetConfig):
            self.body = ResNet(config.body)
        else:
            self.body = DeepLabV3Plus(config.body)
        self.rnn = SpatioTemporalRNN(config.features, config.hidden, config.outputs)

    def extract(self, images: Tensor) -> Tensor:
        """Compute features [N, C, ceil(H / 8), ceil(W / 8)] of images [N, 3, H, W] (`STRNN.to_images`)."""
        features = self.body(images)
        if isinstance(features, list):
            features = features[-1]
        size = (-(-images.shape[-2] // GRID), -(-images.shape[-1] // GRID))
        if features.shape[-2:] != size:
            features = F.adaptive_avg_pool2d(features, size)
        out: Tensor = features
        return out

    def forward(self, images: Tensor, state: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Run the branch on a frame, an image [1, 3, H, W] (`STRNN.to_images`).

        `state` is the state that the call for the previous frame returned, or None. Return the output y [D, h, w] and
        the new state.
        """
        y, new_state = self.rnn(self.extract(images)[0].float(), state)  # The RNN always runs in float32.
        return y, new_state


class STRNN(nn.Module):
    """All branches, and RGMP (`refinement`), which propagates masks in late rounds.

    `forward` runs a frame through every branch, with the branches' states of the previous frame.
    """

    def __init__(self, config: STRNNConfig = STRNNConfig()) -> None:
        super().__init__()
        self.config = config
        self.branches = nn.ModuleList(Branch(branch) for branch in config.branches)
        self.refinement = None if config.refinement is None else Refinement(config.refinement)

    def to_images(self, frames: Tensor) -> Tensor:
        """Turn RGB frames [N, 3, H, W] in 0..255 into the input of the branches.

        It is RGB in 0..1 if the backbones are the pretrained trunk, and otherwise what `to_input` returns.
        """
        return frames.float() / 255 if self.config.on_trunk else to_input(frames)

    def forward(self, images: Tensor, states: Sequence[Tensor | None]) -> tuple[list[Tensor], list[Tensor]]:
        results = [branch(images, state) for branch, state in zip(self.branches, states, strict=True)]
        return [y for y, _ in results], [state for _, state in results]


def to_input(frames: Tensor) -> Tensor:
    """Normalise RGB images [N, 3, H, W] in 0..255 by ImageNet's mean and standard deviation, for both backbones."""
    mean = torch.tensor(IMAGENET_MEAN, device=frames.device)[:, None, None]
    std = torch.tensor(IMAGENET_STD, device=frames.device)[:, None, None]
    return (frames.float() / 255 - mean) / std


def for_inference(network: STRNN, device: torch.device | str = "cpu", dtype: torch.dtype = torch.float32) -> STRNN:
    """Return a copy of the network with folded batch norms, in channels-last memory order, its backbones in `dtype`.

    Raises:
        TrunkError: a backbone is the trunk, and its package is missing or damaged.
    """
    for config in network.config.branches:
        if config.trunk is not None:
            load_trunk(config.trunk, str(torch.device(device)))  # An error is raised now and not in the first round.
    folded = fold_batch_norms(network)
    assert isinstance(folded, STRNN)
    for branch in folded.branches:
        assert isinstance(branch, Branch)
        branch.body.to(dtype=dtype).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    return folded.to(device)
