"""Zero padding of frames to a size that a network can halve, symmetric as in STM, and its inverse."""

from __future__ import annotations

from typing import NamedTuple

from torch import Tensor
from torch.nn import functional as F


class Padding(NamedTuple):
    """Cells added on each side, in the order of `torch.nn.functional.pad`."""

    left: int
    right: int
    top: int
    bottom: int


def padding_to(multiple: int, height: int, width: int) -> Padding:
    """The padding that brings both sides to a multiple; of an odd amount the smaller half goes left and on top."""
    extra_h, extra_w = -height % multiple, -width % multiple
    return Padding(extra_w // 2, extra_w - extra_w // 2, extra_h // 2, extra_h - extra_h // 2)


def pad(x: Tensor, padding: Padding) -> Tensor:
    """[..., H, W] -> [..., H + top + bottom, W + left + right], filled with zeros."""
    return F.pad(x, tuple(padding)) if any(padding) else x


def unpad(x: Tensor, padding: Padding) -> Tensor:
    """The inverse of `pad`: a view."""
    height, width = x.shape[-2:]
    return x[..., padding.top : height - padding.bottom, padding.left : width - padding.right]
