"""Folds the batch norms of a frozen network into the convolutions before them: same numbers, less work."""

from __future__ import annotations

import copy
import re
from typing import TypeVar

import torch
from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

Network = TypeVar("Network", bound=nn.Module)

# In the networks of this project a norm follows a convolution if it has its place in a Sequential, or its name.
_NAMES = ((r"conv(\d*)$", r"bn\1"), (r"atrous_conv$", "bn"), (r"depthwise$", "bn_depth"), (r"pointwise$", "bn_point"))


def fold_batch_norms(network: Network) -> Network:
    """A copy of `network` in eval mode without batch norms; for inference only (its state dict is another one)."""
    network = copy.deepcopy(network).eval()
    for module in list(network.modules()):
        _fold_children(module)
    for parameter in network.parameters():
        parameter.requires_grad_(False)
    return network


def for_inference(network: Network, device: torch.device, dtype: torch.dtype) -> Network:
    """A copy of `network` as it computes fastest: batch norms folded, channels last, on its device, in its format."""
    folded = fold_batch_norms(network).to(device, dtype)
    return folded.to(memory_format=torch.channels_last)  # type: ignore[call-overload]


def _fold_children(module: nn.Module) -> None:
    names = [name for name, _ in module.named_children()]
    for index, name in enumerate(names):
        conv = module.get_submodule(name)
        if not isinstance(conv, nn.Conv2d):
            continue
        norm_name = _norm_after(module, names, index)
        norm = module.get_submodule(norm_name) if norm_name else None
        if norm_name and isinstance(norm, nn.BatchNorm2d):
            setattr(module, name, fuse_conv_bn_eval(conv, norm))
            setattr(module, norm_name, nn.Identity())


def _norm_after(module: nn.Module, names: list[str], index: int) -> str | None:
    if isinstance(module, nn.Sequential):
        return names[index + 1] if index + 1 < len(names) else None
    if any(name.startswith(f"{names[index]}_") for name in names):
        return None  # the norm is of a sum of convolutions (conv1 and conv1_m, say): none of them can take it
    for pattern, norm in _NAMES:
        match = re.match(pattern, names[index])
        if match and match.expand(norm) in names:
            return match.expand(norm)
    return None
