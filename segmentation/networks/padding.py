"""Pads frames with zeros on all sides, as STM does, to a size that a network can halve several times, and removes the
padding again.
"""

from __future__ import annotations

from typing import NamedTuple

from torch import Tensor
from torch.nn import functional as F


class Padding(NamedTuple):
    """The number of pixels that are added on each side, in the order of `torch.nn.functional.pad`."""

    left: int
    right: int
    top: int
    bottom: int


def padding_to(multiple: int, height: int, width: int) -> Padding:
    """Return the padding after which height and width are multiples of `multiple`.

    Half of it is on either side. Of an odd number of pixels, the smaller half is added on the left and on top.
    """
    extra_h, extra_w = -height % multiple, -width % multiple
    return Padding(extra_w // 2, extra_w - extra_w // 2, extra_h // 2, extra_h - extra_h // 2)


def pad(x: Tensor, padding: Padding) -> Tensor:
    """Pad [..., H, W] with zeros to [..., H + top + bottom, W + left + right]."""
    return F.pad(x, tuple(padding)) if any(padding) else x


def unpad(x: Tensor, padding: Padding) -> Tensor:
    """Remove the padding from [..., H, W]. The result is a view of `x`."""
    height, width = x.shape[-2:]
    return x[..., padding.top : height - padding.bottom, padding.left : width - padding.right]
