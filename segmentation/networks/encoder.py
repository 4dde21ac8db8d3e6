"""An image encoder with further inputs of one channel each, called cues, such as masks and scribbles.

Each cue has a separate first convolution, whose output is added to that of the image before the batch norm (Perazzi et
al., CVPR 2017). In a checkpoint, the first convolution of a cue called `m` is `conv1_m`, and the stages of the ResNet
are `res2`, `res3`, ...
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from segmentation.networks.resnet import STEM_KERNEL, ResNetConfig, build_stages

IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)


class CueEncoder(nn.Module):
    """A ResNet whose input is an RGB image and any number of further maps (cues), such as masks and scribbles.

    Args:
        config: the sizes of the ResNet.
        cues: the names of the further maps, in the order in which `forward` takes them.
        biased: the names of the cues whose first convolution has a bias (the checkpoints of IPN have one for `m`).
    """

    mean: Tensor
    std: Tensor

    def __init__(self, config: ResNetConfig, cues: tuple[str, ...] = (), biased: tuple[str, ...] = ()) -> None:
        super().__init__()
        self.cues = cues
        self.stages = len(config.blocks)
        for cue in cues:
            self.add_module(f"conv1_{cue}", _stem(1, config.width, bias=cue in biased))
        self.conv1 = _stem(3, config.width, bias=False)
        self.bn1 = nn.BatchNorm2d(config.width)
        self.maxpool = nn.MaxPool2d(3, stride=2, padding=1)
        for index, stage in enumerate(build_stages(config), start=2):
            self.add_module(f"res{index}", stage)
        self.register_buffer("mean", torch.tensor(IMAGENET_MEAN).view(1, 3, 1, 1))
        self.register_buffer("std", torch.tensor(IMAGENET_STD).view(1, 3, 1, 1))

    def forward(self, image: Tensor, cues: Tensor | None = None) -> list[Tensor]:
        """Return the output of each stage, the finest (at 1/4 of the size) first.

        Args:
            image: N images, or an image for all N items, [N or 1, 3, H, W] in 0..1. The first convolution of a single
                image runs once.
            cues: the cues of N items, [N, len(self.cues), H, W].
        """
        x = self.conv1((image - self.mean) / self.std)  # [1 or N, width, H/2, W/2]
        if cues is not None:
            x = x + self._convolve_cues(cues)
        x = self.maxpool(F.relu(self.bn1(x)))
        features = []
        for index in range(2, 2 + self.stages):
            x = self.get_submodule(f"res{index}")(x)
            features.append(x)
        return features

    def _convolve_cues(self, cues: Tensor) -> Tensor:
        """Apply to each cue in `cues` [N, C, H, W] its own first convolution and return the sum, [N, width, H/2, W/2].

        They are computed together in a single convolution.
        """
        state: dict[str, Tensor] = dict(self.named_parameters())
        weight = torch.cat([state[f"conv1_{cue}.weight"] for cue in self.cues], dim=1)  # [width, C, 7, 7]
        biases = [state[name] for cue in self.cues if (name := f"conv1_{cue}.bias") in state]
        bias = torch.stack(biases).sum(dim=0) if biases else None
        return F.conv2d(cues, weight, bias, stride=2, padding=STEM_KERNEL // 2)


def _stem(channels: int, width: int, *, bias: bool) -> nn.Conv2d:
    return nn.Conv2d(channels, width, STEM_KERNEL, stride=2, padding=STEM_KERNEL // 2, bias=bias)
