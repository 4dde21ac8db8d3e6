"""MA-Net (Miao, Wei and Yang, CVPR 2020): an embedding of pixels, and two small networks on it, called heads.

Symbols: e = embedding [C, h, w] at 1/4 of the image's size (C = 100), G = global map (distances to annotated pixels), L
= local map (distances to the adjacent frame), A = augmented map (the local map of the annotated frame with itself), o =
an id, which may be 0 (background). A head computes a logit per id, with the same weights for all ids, and the softmax
over the ids gives their probabilities. The state dict equals that of the official checkpoint, in which each layer of
the embedding has two names.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from segmentation.networks.deeplab import DeepLabConfig, DeepLabV3Plus
from segmentation.networks.trunk_backbone import TrunkConfig
from segmentation.runtime.folding import fold_batch_norms
from segmentation.trunk import load_trunk

# These constants were published for the order R, G, B, but are applied to B, G, R, as when the weights were trained.
IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)
IDS_AT_ONCE = 2  # Number of ids per run of a head; with more, the activations do not fit into the cache of a CPU.


@dataclass(frozen=True)
class MANetConfig:
    """Sizes of MA-Net; the defaults are those of the paper (section 4.1)."""

    deeplab: DeepLabConfig = field(default_factory=DeepLabConfig)
    embedding: int = 100  # channels of an embedding, as in FEELVOS
    head_width: int = 256  # channels of a head
    head_kernel: int = 7  # kernel size of the depthwise convolutions of a head
    window: int = 12  # k, radius of the window of the local map at half size (best of 6, 9, 12 and 15 in table 2)
    frame_size: tuple[int, int] = (480, 854)  # short and long side that a frame is resized to


class SplitConv(nn.Module):
    """A depthwise separable convolution: depthwise, batch norm, ReLU, then pointwise, batch norm, ReLU."""

    def __init__(self, inplanes: int, planes: int, kernel: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(inplanes, inplanes, kernel, padding=kernel // 2, groups=inplanes)
        self.bn1 = nn.BatchNorm2d(inplanes)
        self.conv2 = nn.Conv2d(inplanes, planes, 1)
        self.bn2 = nn.BatchNorm2d(planes)

    def forward(self, x: Tensor) -> Tensor:
        """Apply the convolution to [N, inplanes, h, w], which gives [N, planes, h, w]."""
        x = F.relu(self.bn1(self.conv1(x)), inplace=True)
        return F.relu(self.bn2(self.conv2(x)), inplace=True)


class SegmentationHead(nn.Module):
    """A head: four depthwise separable convolutions and a 1x1 convolution, which computes a logit per id.

    The interaction head and the propagation head differ only in their inputs beside the embedding (`cues`).
    """

    def __init__(self, inplanes: int, config: MANetConfig) -> None:
        super().__init__()
        width, kernel = config.head_width, config.head_kernel
        self.layer1 = SplitConv(inplanes, width, kernel)
        self.layer2 = SplitConv(width, width, kernel)
        self.layer3 = SplitConv(width, width, kernel)
        self.layer4 = SplitConv(width, width, kernel)
        self.conv = nn.Conv2d(width, 1, 1)

    def forward(self, embedding: Tensor, cues: Tensor) -> Tensor:
        """Return the logits [n, h, w] of n ids from the embedding [C, h, w] of a frame and k further maps of each id.

        `cues` [n, k, h, w] are these maps. In training, each id has a separate embedding, [n, C, h, w], so that a batch
        can contain ids of several videos.
        """
        x = torch.cat((embedding.expand(len(cues), -1, -1, -1), cues), dim=1)
        x = self.layer4(self.layer3(self.layer2(self.layer1(x))))
        out: Tensor = self.conv(x)
        return out[:, 0]


class SharedHead(nn.Module):
    """A `SegmentationHead` for inference: it runs the first layer on the embedding once for all ids.

    Its batch norms are folded into the convolutions.
    """

    def __init__(self, head: SegmentationHead, shared: int) -> None:
        """Take over the layers of `head`. `shared` is the number of channels of the embedding."""
        super().__init__()
        self.shared, self.cues = shared, head.layer1.conv1.in_channels - shared
        self.rest = nn.Sequential(head.layer2, head.layer3, head.layer4, head.conv)
        self.depthwise, self.pointwise = head.layer1.conv1, head.layer1.conv2

    def forward(self, embedding: Tensor, cues: Tensor) -> Tensor:
        """Return the logits [n, h, w] of n ids from the embedding [C, h, w] of a frame and k maps of each id."""
        return self.logits(embedding[None], cues)

    def logits(self, embedding: Tensor, cues: Tensor) -> Tensor:
        """Return what `forward` returns, from an embedding of the shape [1, C, h, w]."""
        x = self._part(embedding, 0, self.shared) + self._part(cues, self.shared, self.cues)
        out: Tensor = self.rest(F.relu(x, inplace=True))
        return out[:, 0]

    def _part(self, x: Tensor, start: int, count: int) -> Tensor:
        """Run the part of the first layer that belongs to its input channels `start` to `start + count`, on `x`.

        The bias of the pointwise convolution is added only if `start` is 0.
        """
        first, second, part = self.depthwise, self.pointwise, slice(start, start + count)
        assert first.bias is not None
        padding = first.kernel_size[0] // 2
        x = F.conv2d(x, first.weight[part], first.bias[part], padding=padding, groups=count)
        return F.conv2d(F.relu(x, inplace=True), second.weight[:, part], second.bias if start == 0 else None)


class MANet(nn.Module):
    """The embedding network and both heads. It keeps nothing of earlier frames; the engine holds the memories."""

    def __init__(self, config: MANetConfig = MANetConfig()) -> None:
        super().__init__()
        self.config = config
        width = config.deeplab.width
        self.feature_extracter = DeepLabV3Plus(config.deeplab)
        self.seperate_conv = nn.Conv2d(width, width, 3, padding=1, groups=width)
        self.bn1 = nn.BatchNorm2d(width)
        self.embedding_conv = nn.Conv2d(width, config.embedding, 1)
        self.bn2 = nn.BatchNorm2d(config.embedding)
        self.semantic_embedding = nn.Sequential(
            self.seperate_conv, self.bn1, nn.ReLU(), self.embedding_conv, self.bn2, nn.ReLU()
        )
        self.dynamic_seghead: nn.Module = SegmentationHead(config.embedding + 3, config)  # the propagation head
        self.inter_seghead: nn.Module = SegmentationHead(config.embedding + 2, config)  # the interaction head

    def embed(self, images: Tensor) -> Tensor:
        """Return the embeddings [N, C, ceil(H / 4), ceil(W / 4)] of images [N, 3, H, W] that `to_images` returned."""
        out: Tensor = self.semantic_embedding(self.feature_extracter(images))
        return out

    def embed_features(self, fine: Tensor, coarse: Tensor) -> Tensor:
        """Return what `embed` returns, from the features of the backbone at 1/4 and at 1/16 of the images' size."""
        out: Tensor = self.semantic_embedding(self.feature_extracter.from_features(fine, coarse))
        return out

    @property
    def on_trunk(self) -> bool:
        """Whether the backbone is the pretrained trunk."""
        return isinstance(self.config.deeplab.backbone, TrunkConfig)

    def to_images(self, frames: Tensor) -> Tensor:
        """Turn RGB frames [N, 3, H, W] in 0..255 into the input of `embed`.

        It is RGB in 0..1 if the backbone is the pretrained trunk, and otherwise what `to_input` returns.
        """
        return frames.float() / 255 if self.on_trunk else to_input(frames)

    def interact(self, embedding: Tensor, scribbles: Tensor, previous: Tensor | None, ids: Sequence[int]) -> Tensor:
        """Segment the frame that was drawn on: return the logits [n, h, w] of n `ids`.

        Args:
            embedding: the embedding of the frame, [C, h, w].
            scribbles: the ids under the scribbles, int [h, w], -1 elsewhere.
            previous: the mask of the frame from the previous round, int [h, w]; None in the first round, which means
                that all is background.
            ids: the ids to segment, 0 (background) among them.
        """
        if previous is None:
            previous = torch.zeros_like(scribbles)
        cues = torch.stack((one_hot(scribbles, ids), one_hot(previous, ids)), dim=1)  # [n, 2, h, w]
        return _in_parts(self.inter_seghead, embedding, cues)

    def propagate(self, embedding: Tensor, maps: tuple[Tensor, Tensor], previous: Tensor, ids: Sequence[int]) -> Tensor:
        """Segment a frame that was not drawn on: return the logits [n, h, w] of n `ids`.

        `maps` are the global and the local map of the frame, each [n, h, w]; `previous` is the mask of the adjacent
        frame from which it is propagated, int [h, w].
        """
        cues = torch.stack((*maps, one_hot(previous, ids)), dim=1)  # [n, 3, h, w]
        return _in_parts(self.dynamic_seghead, embedding, cues)

    def forward(self, images: Tensor) -> Tensor:
        return self.embed(images)


def _in_parts(head: nn.Module, embedding: Tensor, cues: Tensor) -> Tensor:
    """Run a head for a few ids at a time, because a layer needs 290 MB for eleven ids."""
    return torch.cat([head(embedding, part) for part in cues.to(embedding.dtype).split(IDS_AT_ONCE)])


def one_hot(labels: Tensor, ids: Sequence[int]) -> Tensor:
    """Turn a map of ids, int [h, w], into n maps, float32 [n, h, w]: map i is 1 where the id is `ids[i]`, else 0."""
    return (labels[None] == torch.tensor(ids, device=labels.device)[:, None, None]).float()


def to_input(frames: Tensor) -> Tensor:
    """Turn RGB images [N, 3, H, W] in 0..255 into the input of a ResNet with the published weights.

    That is BGR, normalised with the constants in the order R, G, B, as in the official code.
    """
    mean = torch.tensor(IMAGENET_MEAN, device=frames.device)[:, None, None]
    std = torch.tensor(IMAGENET_STD, device=frames.device)[:, None, None]
    return (frames.float().flip(1) / 255 - mean) / std


def for_inference(network: MANet, device: torch.device | str = "cpu", dtype: torch.dtype = torch.float32) -> MANet:
    """Return a copy of the network with folded batch norms, in channels-last memory order.

    Results are equal up to rounding.

    Raises:
        TrunkError: the backbone is the trunk, and its package is missing or damaged.
    """
    backbone = network.config.deeplab.backbone
    if isinstance(backbone, TrunkConfig):
        load_trunk(backbone.name, str(torch.device(device)))  # An error is raised now and not in the first round.
    folded = fold_batch_norms(network)
    assert isinstance(folded, MANet)
    # These second names of the layers are removed; `semantic_embedding` has the folded layers.
    for name in ("seperate_conv", "bn1", "embedding_conv", "bn2"):
        delattr(folded, name)
    for name in ("dynamic_seghead", "inter_seghead"):
        head = folded.get_submodule(name)
        assert isinstance(head, SegmentationHead)
        setattr(folded, name, SharedHead(head, network.config.embedding))
    return folded.to(device, dtype).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
