"""Pads frames symmetrically with zeros, as STM does, to a size that a network can halve several times;
and unpads them.
"""

from __future__ import annotations

from typing import NamedTuple

from torch import Tensor
from torch.nn import functional as F


class Padding(NamedTuple):
    """The number of cells that are added on each side, in the order of `torch.nn.functional.pad`."""

    left: int
    right: int
    top: int
    bottom: int


def padding_to(multiple: int, height: int, width: int) -> Padding:
    """Return the padding after which both sides are multiples of `multiple`. Of an odd amount, the smaller half is
    added
    on the left and on top."""
    extra_h, extra_w = -height % multiple, -width % multiple
    return Padding(extra_w // 2, extra_w - extra_w // 2, extra_h // 2, extra_h - extra_h // 2)


def pad(x: Tensor, padding: Padding) -> Tensor:
    """Pad [..., H, W] with zeros to [..., H + top + bottom, W + left + right]."""
    return F.pad(x, tuple(padding)) if any(padding) else x


def unpad(x: Tensor, padding: Padding) -> Tensor:
    """Undo `pad`. The result is a view."""
    height, width = x.shape[-2:]
    return x[..., padding.top : height - padding.bottom, padding.left : width - padding.right]
