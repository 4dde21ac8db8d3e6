"""STAR: one encoding a frame, an affinity that all objects share, a classifier fitted to the video, one decoder.

What it takes from where:
* frames are encoded once, for all objects and rounds (MA-Net);
* memory is read by similarity of keys that know nothing of the masks (STM's read; as the keys are the image's alone,
  the affinity of two frames is computed once and serves every object);
* linear classifiers are fitted in closed form to what was annotated (ridge regression, equation 3 of Lin et al. 2019),
  one on the pixel embedding that is learned, one on colour and texture, which need not be; their scores are two more
  cues of the decoder;
* scribbles enter the memory too, beside the masks of the frames that they were drawn on;
* what needs no learning is not learned: the mask that the decoder refines is what classical vision found in the frame
  (`segmentation.classical`); in made-up training clips GrabCut's, and elsewhere the neighbour's moved along the flow.

Symbols: B frames, N objects (or pairs of frame and object), C key channels, D value channels, M memory cells. Frames
come in 0..1, padded to a multiple of 16. Strides: f2 (1/2), f4, f8, f16; keys, values and read-outs live at 1/8.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from segmentation.networks.encoder import IMAGENET_MEAN, IMAGENET_STD
from segmentation.networks.residual import Residual, conv_bn, pointwise_bn, upsample

ROWS = 64  # of the affinity at a time: with six memory frames 3.5 MB
STRIDE = 16  # frames are padded to a multiple of it


@dataclass(frozen=True)
class StarConfig:
    """Sizes. The defaults are what ships: made for two CPU cores at 288 lines."""

    widths: tuple[int, int, int, int] = (16, 32, 64, 96)  # channels at 1/2, 1/4, 1/8, 1/16
    blocks: int = 2  # residual blocks a stage
    key: int = 32
    value: int = 48
    decoder: tuple[int, int, int] = (48, 32, 16)  # channels at 1/8, 1/4, 1/2
    skips: tuple[int, int, int] = (26, 10, 10)  # of the encoder's: every convolution reads a multiple of 16
    embedding: int = 24  # of the pixel classifier, at 1/4
    ridge: float = 1e-3  # lambda of the regression on the embedding; the weights of a memory frame sum to 1


class Frame(NamedTuple):
    """All of a frame that depends on neither mask nor object: kept for every round."""

    key: Tensor  # [B, C, h, w] at 1/8, of unit length
    p8: Tensor  # [B, widths[2], h, w]
    f4: Tensor  # [B, widths[1], 2h, 2w]
    f2: Tensor  # [B, widths[0], 4h, 4w]
    pixels: Tensor  # [B, embedding + 1, 2h, 2w], the last channel is 1
    pixel_features: Tensor  # [B, CHANNELS, 2h, 2w], `classical.scaled.compute_pixel_features`

    def take(self, index: Tensor) -> Frame:
        """Frames [index] of a batch."""
        return Frame(*(part[index] for part in self))


class Cues(NamedTuple):
    """What is known of an object on a frame, each [N, H, W] in 0..1."""

    mask: Tensor  # to be refined
    others: Tensor  # the union of the other objects' masks
    trust: Tensor  # 1 everywhere: what is refined was weighed before, but the weights have this channel
    positive: Tensor  # own scribbles
    negative: Tensor  # all other scribbles

    def stack(self) -> Tensor:
        return torch.stack(self, dim=1)  # [N, CUES, H, W]


CUES = len(Cues._fields)


class Encoder(nn.Module):
    """Frame -> `Frame`. The deepest stage sees the whole picture through a pooled branch."""

    def __init__(self, config: StarConfig) -> None:
        super().__init__()
        w2, w4, w8, w16 = config.widths
        self.stem = conv_bn(3, w2, 2)
        self.stage4 = self._stage(w2, w4, config.blocks)
        self.stage8 = self._stage(w4, w8, config.blocks)
        self.stage16 = self._stage(w8, w16, config.blocks)
        self.scene = nn.Conv2d(w16, w16, 1)
        self.lateral = nn.Conv2d(w16, w8, 1)
        self.top = conv_bn(w8, w8)
        self.key = nn.Conv2d(w8, config.key, 3, padding=1)
        self.pixel = nn.Sequential(pointwise_bn(w4 + w8, 2 * config.embedding), nn.ReLU())
        self.pixel_out = nn.Conv2d(2 * config.embedding, config.embedding, 3, padding=1)
        self.register_buffer("mean", torch.tensor(IMAGENET_MEAN).view(1, 3, 1, 1))
        self.register_buffer("std", torch.tensor(IMAGENET_STD).view(1, 3, 1, 1))

    @staticmethod
    def _stage(inputs: int, outputs: int, blocks: int) -> nn.Sequential:
        rest = [Residual(outputs, outputs) for _ in range(blocks - 1)]
        return nn.Sequential(Residual(inputs, outputs, 2), *rest)

    def forward(self, frames: Tensor, pixel_features: Tensor) -> Frame:
        """Frames [B, 3, H, W] in 0..1, and their looks of any size, which are resized and passed on."""
        f2 = F.relu(self.stem((frames - self.get_buffer("mean")) / self.get_buffer("std")))
        f4 = self.stage4(f2)
        f8 = self.stage8(f4)
        f16 = self.stage16(f8)
        f16 = f16 + self.scene(f16.mean((2, 3), keepdim=True))
        p8 = F.relu(self.top(f8 + upsample(self.lateral(f16), f8)))
        pixels = self.pixel_out(self.pixel(torch.cat([f4, upsample(p8, f4)], dim=1)))
        pixels = torch.cat([pixels, torch.ones_like(pixels[:, :1])], dim=1)
        pixel_features = F.interpolate(pixel_features, size=f4.shape[-2:], mode="bilinear", align_corners=False)
        return Frame(F.normalize(self.key(p8), dim=1), p8, f4, f2, pixels, pixel_features)


class Memorizer(nn.Module):
    """A frame and the cues of N objects -> values at 1/8."""

    def __init__(self, config: StarConfig) -> None:
        super().__init__()
        self.cues = nn.Sequential(
            conv_bn(CUES, 16, 2), nn.ReLU(), conv_bn(16, 24, 2), nn.ReLU(), conv_bn(24, 32, 2), nn.ReLU()
        )
        self.merge = Residual(config.widths[2] + 32, config.value)
        self.value = nn.Conv2d(config.value, config.value, 3, padding=1)

    def forward(self, p8: Tensor, cues: Cues, clip: Tensor) -> Tensor:
        """p8 [B, ., h, w], cues of N objects, whose frame it is [N] -> [N, D, h, w]."""
        out: Tensor = self.value(self.merge(torch.cat([p8[clip], self.cues(cues.stack())], dim=1)))
        return out


class Decoder(nn.Module):
    """Read-out, skips and cues -> one logit at 1/2."""

    def __init__(self, config: StarConfig) -> None:
        super().__init__()
        w2, w4, w8, _ = config.widths
        d8, d4, d2 = config.decoder
        s8, s4, s2 = config.skips
        known = CUES + 2  # and the scores of the two classifiers
        self.compress = nn.Conv2d(w8, s8, 1)
        self.at8 = Residual(config.value + s8 + known, d8)
        self.skip4 = nn.Conv2d(w4, s4, 1)
        self.at4 = Residual(d8 + s4 + known, d4)
        self.skip2 = nn.Conv2d(w2, s2, 1)
        self.at2 = nn.Sequential(conv_bn(d4 + s2 + known, d2), nn.ReLU(), conv_bn(d2, d2), nn.ReLU())
        self.out = nn.Conv2d(d2, 1, 3, padding=1)
        self.prior = nn.Parameter(torch.tensor(2.0))  # logit of a cue's mask that is sure

    def forward(self, readout: Tensor, frame: Frame, cues: Cues, scores: Tensor, clip: Tensor) -> Tensor:
        """readout [N, D, h, w], frames of B clips, scores [N, 2, 2h, 2w], whose frame it is [N] -> [N, 4h, 4w]."""
        known = cues.stack()
        p8, s4, s2 = self.compress(frame.p8)[clip], self.skip4(frame.f4)[clip], self.skip2(frame.f2)[clip]
        at2 = torch.cat([F.avg_pool2d(known, 2), upsample(scores, frame.f2)], dim=1)  # [N, CUES + 2, 4h, 4w]
        at4 = torch.cat([F.avg_pool2d(known, 4), scores], dim=1)
        at8 = torch.cat([F.avg_pool2d(known, 8), F.avg_pool2d(scores, 2)], dim=1)
        x = self.at8(torch.cat([readout, p8, at8], dim=1))
        x = self.at4(torch.cat([upsample(x, frame.f4), s4, at4], dim=1))
        x = self.at2(torch.cat([upsample(x, frame.f2), s2, at2], dim=1))
        # What is learned is what to change of the mask that is given: an untrained network leaves it as it is.
        out: Tensor = self.out(x)[:, 0] + self.prior * (2 * at2[:, 0] - 1)
        return out


class Star(nn.Module):
    """The four parts. What is remembered, and in which order frames are computed, is the engine's."""

    def __init__(self, config: StarConfig | None = None) -> None:
        super().__init__()
        self.config = config = config or StarConfig()
        self.encoder = Encoder(config)
        self.memorizer = Memorizer(config)
        self.decoder = Decoder(config)
        self.sharpness = nn.Parameter(torch.tensor(math.log(16.0)))  # of the affinity: exp of it times the cosine

    def read(self, query: Tensor, memory: Tensor, values: Tensor) -> Tensor:
        """Keys [C, Q] of a frame and [C, M] of its memory, values [N, D, M] -> [N, D, Q].

        Every cell of the frame gets a mean of the values, weighted by a softmax over how alike the keys are. One
        affinity serves all objects; it is made a few rows at a time, which stay in the processor's cache: three times
        as fast as the whole of it in memory.
        """
        alike, flat = (self.sharpness.exp() * query).T, values.flatten(0, 1).T
        rows = [torch.softmax(some @ memory, dim=1) @ flat for some in alike.split(ROWS)]
        return torch.cat(rows).T.unflatten(0, values.shape[:2])


def aggregate(logits: Tensor) -> Tensor:
    """Logits of N objects of one frame [N, H, W] -> log-odds of background and objects [N + 1, H, W].

    Soft aggregation (Oh et al.): the background is what no object claims; a softmax over the result are probabilities.
    """
    p = torch.sigmoid(logits).clamp(1e-4, 1 - 1e-4)
    background = (1 - p).prod(dim=0, keepdim=True).clamp(1e-4, 1 - 1e-4)
    return torch.logit(torch.cat([background, p]))
