"""Space-time memory networks, STM (Oh et al., ICCV 2019; interactive: DAVIS challenge 2019), with the official names.

An annotated frame is encoded with its masks and scribbles (cues) into keys and values, the memory. A frame to segment,
the query, is encoded into a key and a value too; similar keys tell which values of the memory are read for it.

Shapes: N objects, C key channels, D value channels; h x w is 1/16 of the size of the padded frame. Frames and cues have
values in 0..1 and are padded to a multiple of 16. What depends on the frame alone (`Query`) is computed separately from
what depends on the memory and the object.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from segmentation.networks.blocks import Refine, ResBlock, conv3x3
from segmentation.networks.encoder import CueEncoder
from segmentation.networks.memory import KeyValue, MemorySlot, read_memory
from segmentation.networks.resnet import ResNetConfig

STRIDE = 16  # Keys and values have a cell for each 16 x 16 pixels of the frame.


@dataclass(frozen=True)
class STMConfig:
    """Sizes of STM; the defaults are those of the paper (ResNet-50 without its last stage)."""

    body: ResNetConfig = field(default_factory=lambda: ResNetConfig(blocks=(3, 4, 6), strides=(1, 2, 2)))
    keys: int = 128  # channels of keys
    values: int = 512  # channels of values
    width: int = 256  # channels of the decoder
    frame_size: tuple[int, int] = (480, 910)  # largest short and long side; larger frames are scaled down (DAVIS: 480p)

    def __post_init__(self) -> None:
        if len(self.body.blocks) != 3:
            raise ValueError(f"body: needs three stages (1/4, 1/8, 1/16), got {len(self.body.blocks)}")


@dataclass(frozen=True, eq=False)
class Query:
    """The features of a frame to segment (a query) that depend on neither the memory nor the object."""

    key: Tensor  # [C, h, w]
    value: Tensor  # [D, h, w]
    skip3: Tensor  # [width, 2h, 2w], features for the decoder's skip connection at 1/8 of the size
    skip2: Tensor  # [width, 4h, 4w], features for the decoder's skip connection at 1/4 of the size

    def tensors(self) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        return self.key, self.value, self.skip3, self.skip2

    @property
    def nbytes(self) -> int:
        return sum(tensor.nbytes for tensor in self.tensors())


class Decoder(nn.Module):
    """Computes the logits of background and object at the frame's size.

    Its inputs are what was read from the memory, and the features of the frame's skip connections.
    """

    def __init__(self, config: STMConfig) -> None:
        super().__init__()
        quarter, eighth, _ = config.body.channels
        self.convFM = conv3x3(2 * config.values, config.width)
        self.ResMM = ResBlock(config.width)
        self.RF3 = Refine(eighth, config.width, project=True, align_corners=False)
        self.RF2 = Refine(quarter, config.width, project=True, align_corners=False)
        self.pred2 = conv3x3(config.width, 2)

    def forward(self, readout: Tensor, skip3: Tensor, skip2: Tensor) -> Tensor:
        """Return logits [N, 2, 16h, 16w] of background and object for N objects.

        `readout` [N, 2D, h, w] is what `SpaceTimeMemory.read` returns for each object; `skip3` and `skip2` are those of
        `Query`, with a first axis of 1, or of N if each object has a frame of its own (in training).
        """
        m4 = self.ResMM(self.convFM(readout))  # [N, width, h, w]
        m3 = self.RF3.merge(skip3, m4)  # [N, width, 2h, 2w]
        m2 = self.RF2.merge(skip2, m3)  # [N, width, 4h, 4w]
        p2 = self.pred2(F.relu(m2))  # [N, 2, 4h, 4w]
        return F.interpolate(p2, scale_factor=4, mode="bilinear", align_corners=False)


class SpaceTimeMemory(nn.Module):
    """The base class of both STM networks, interactive (`InteractiveSTM`) and semi-supervised (`STM`).

    They differ in which maps beside the frame (cues) are encoded into the memory, and in two names in the checkpoint.
    """

    cues: ClassVar[tuple[str, ...]]  # names of these maps in the checkpoint
    memory_name: ClassVar[str]  # name in the checkpoint of the layers for the keys and values of the memory
    query_name: ClassVar[str]  # name in the checkpoint of the layers for the keys and values of queries

    def __init__(self, config: STMConfig | None = None) -> None:
        super().__init__()
        self.config = config = config or STMConfig()
        deepest = config.body.channels[-1]
        self.Encoder_M = CueEncoder(config.body, self.cues)
        self.Encoder_Q = CueEncoder(config.body)
        self.add_module(self.memory_name, KeyValue(deepest, config.keys, config.values))
        self.add_module(self.query_name, KeyValue(deepest, config.keys, config.values))
        self.Decoder = Decoder(config)

    def memorize(self, frame: Tensor, cues: Tensor) -> list[MemorySlot]:
        """Encode a frame and its masks into a memory slot for each of N objects.

        `frame` is one frame for all objects, or a frame for each, [1 or N, 3, H, W]. `cues` are, for `STM`, an object's
        mask and the other objects' masks, [N, 2, H, W], and for `InteractiveSTM` its mask, its scribbles and all other
        scribbles, [N, 3, H, W].
        """
        r4 = self.Encoder_M(frame, self.order_cues(cues))[-1]
        keys, values = self.get_submodule(self.memory_name)(r4)  # [N, C, h, w], [N, D, h, w]
        return [MemorySlot.from_maps(key, value) for key, value in zip(keys, values, strict=True)]

    def encode_query(self, frame: Tensor) -> Query:
        """Encode a frame to segment, [1, 3, H, W]. The result is used for all objects and rounds."""
        return self.encode_queries(frame)[0]

    def encode_queries(self, frames: Tensor) -> list[Query]:
        """Encode B frames to segment, [B, 3, H, W]."""
        r2, r3, r4 = self.Encoder_Q(frames)
        key, value = self.get_submodule(self.query_name)(r4)
        parts = key, value, self.Decoder.RF3.skip(r3), self.Decoder.RF2.skip(r2)
        return [Query(*of_frame) for of_frame in zip(*parts, strict=True)]

    def read(self, slots: Sequence[MemorySlot], query: Query) -> Tensor:
        """Read the memory of an object for a frame.

        Return [2D, h, w]: the value read from the memory, followed by the frame's own value.
        """
        return torch.cat([read_memory(slots, query.key), query.value])

    def segment(self, memories: Sequence[Sequence[MemorySlot]], query: Query) -> Tensor:
        """Segment a frame with the memories of N objects. Return logits of background and object, [N, 2, H, W].

        H x W is the size of the padded frame.
        """
        readout = torch.stack([self.read(slots, query) for slots in memories])
        logits: Tensor = self.Decoder(readout, query.skip3[None], query.skip2[None])
        return logits

    @staticmethod
    def order_cues(cues: Tensor) -> Tensor:
        """Return the cues as the memory encoder takes them: here just as `memorize` takes them, masks first."""
        return cues


class STM(SpaceTimeMemory):
    """Semi-supervised STM, which propagates masks.

    The maps encoded into the memory of an object are its mask and the sum of the masks of all other objects.
    """

    cues = ("m", "o")
    memory_name = "KV_M_r4"
    query_name = "KV_Q_r4"


class InteractiveSTM(SpaceTimeMemory):
    """Interactive STM, which segments from scribbles.

    The maps encoded into the memory of an object are its mask, its scribbles, and all other scribbles, also those of
    the background. The checkpoint has a fourth map, `om` (other masks), for which the official program always passes
    zeros.
    """

    cues = ("m", "p", "om", "n")
    memory_name = "KeyValue_M"
    query_name = "KeyValue_Q"

    @staticmethod
    def order_cues(cues: Tensor) -> Tensor:
        """Turn mask, positive and negative scribbles, [N, 3, H, W], into the four maps that the memory encoder takes.

        The third of them, for the masks of other objects, is 0 everywhere. Returns [N, 4, H, W].
        """
        mask, positive, negative = cues.unbind(1)
        return torch.stack([mask, positive, torch.zeros_like(mask), negative], dim=1)


def other_masks(masks: Tensor) -> Tensor:
    """Return for each of N objects the sum of the masks of all other objects, at most 1: [N, H, W]."""
    return (masks.sum(dim=0, keepdim=True) - masks).clamp_(0, 1)
