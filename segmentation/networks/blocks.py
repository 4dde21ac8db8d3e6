"""Parts of decoders: residual blocks without normalisation, and the refinement step that merges a skip connection.

They are those of Oh et al. (RGMP, CVPR 2018), and IPN and STM use them too: 3x3 convolutions with biases, after a
ReLU.
"""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional as F


def conv3x3(inputs: int, outputs: int) -> nn.Conv2d:
    """A 3x3 convolution of stride 1 that keeps the size."""
    return nn.Conv2d(inputs, outputs, 3, padding=1)


class ResBlock(nn.Module):
    """Residual block: adds conv(relu(conv(relu(x)))) to x, or to a 3x3 convolution of x if the number of channels
    changes.
    """

    def __init__(self, inputs: int, outputs: int | None = None) -> None:
        super().__init__()
        outputs = inputs if outputs is None else outputs
        self.downsample: nn.Conv2d | None = None
        if inputs != outputs:
            self.downsample = conv3x3(inputs, outputs)
        self.conv1 = conv3x3(inputs, outputs)
        self.conv2 = conv3x3(outputs, outputs)

    def forward(self, x: Tensor) -> Tensor:
        """Apply the block to [N, inputs, h, w], which gives [N, outputs, h, w]."""
        residual = self.conv2(F.relu(self.conv1(F.relu(x))))
        shortcut = x if self.downsample is None else self.downsample(x)
        return shortcut + residual


class Refine(nn.Module):
    """Adds a coarser map, upsampled, to the features of a skip connection.

    `skip` depends on the frame alone, so its result can be cached and shared by all objects; `merge` depends on the
    object too. With `project` (STM) a 3x3 convolution changes the skip to the decoder's width before its ResBlock;
    without it (IPN) the ResBlock does both.
    """

    def __init__(self, inputs: int, width: int, *, project: bool, align_corners: bool) -> None:
        super().__init__()
        self.align_corners = align_corners
        self.convFS: nn.Conv2d | None = None
        if project:
            self.convFS = conv3x3(inputs, width)
        self.ResFS = ResBlock(width if project else inputs, width)
        self.ResMM = ResBlock(width)

    def skip(self, features: Tensor) -> Tensor:
        """Prepare encoder features [N, inputs, h, w] for `merge`: [N, width, h, w]."""
        if self.convFS is not None:
            features = self.convFS(features)
        out: Tensor = self.ResFS(features)
        return out

    def merge(self, skip: Tensor, coarse: Tensor) -> Tensor:
        """Merge `skip` [1 or N, width, h, w] with `coarse` [N, width, h/2, w/2] into [N, width, h, w]."""
        fine = F.interpolate(coarse, size=skip.shape[-2:], mode="bilinear", align_corners=self.align_corners)
        out: Tensor = self.ResMM(skip + fine)
        return out

    def forward(self, features: Tensor, coarse: Tensor) -> Tensor:
        """Merge encoder features [N, inputs, h, w] with the coarser map [N, width, h/2, w/2] into [N, width, h, w]."""
        return self.merge(self.skip(features), coarse)
