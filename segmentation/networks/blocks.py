"""Parts of decoders: residual blocks without batch norm, and the refinement step that merges a skip connection.

They are those of RGMP (Oh et al., CVPR 2018), which IPN and STM use too: 3x3 convolutions with biases. In a residual
block, a ReLU comes before each of the two convolutions.
"""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional as F


def conv3x3(inputs: int, outputs: int) -> nn.Conv2d:
    """Make a 3x3 convolution of stride 1 with padding, whose output has the size of its input."""
    return nn.Conv2d(inputs, outputs, 3, padding=1)


class ResBlock(nn.Module):
    """A residual block: computes x + conv(relu(conv(relu(x)))).

    If the number of channels changes, a 3x3 convolution of x takes the place of the first term.
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
    """A step of a decoder: adds upsampled coarser features to those of a skip connection from the encoder.

    `skip` depends on the frame alone, so that its result can be cached and used for all objects; `merge` depends on the
    object too. With `project` (STM), a 3x3 convolution changes the number of channels of the skip connection to `width`
    before its `ResBlock`; without it (IPN), the `ResBlock` does so.
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
        """Convert encoder features [N, inputs, h, w] for the decoder's skip connection, [N, width, h, w]."""
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
        """Merge encoder features [N, inputs, h, w] with coarser features [N, width, h/2, w/2]: [N, width, h, w]."""
        return self.merge(self.skip(features), coarse)
