"""1x1 convolutions that may have a stride, without a bug of PyTorch's CPU backend in training."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class Pointwise(nn.Conv2d):
    """A 1x1 convolution without padding, with the parameter names and results of nn.Conv2d.

    In training, the pixels that the stride skips are removed before the convolution. This avoids a bug: on CPUs with
    AVX-512, oneDNN's backward pass of a strided 1x1 convolution in channels-last order writes outside its buffers. With
    PyTorch 2.13 it crashes at once with few channels, and overwrites other memory with more channels.
    """

    def __init__(self, inputs: int, outputs: int, stride: int = 1, bias: bool = False) -> None:
        super().__init__(inputs, outputs, 1, stride, bias=bias)

    def forward(self, input: Tensor) -> Tensor:
        if not torch.is_grad_enabled() or self.stride == (1, 1):
            return super().forward(input)
        y, x = self.stride
        return F.conv2d(input[..., ::y, ::x], self.weight, self.bias)
