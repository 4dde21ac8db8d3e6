"""Merges the batch norms of a frozen network into the convolutions before them: the same output in less time."""

from __future__ import annotations

import copy
import re
from typing import TypeVar

import torch
from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

Network = TypeVar("Network", bound=nn.Module)

# In a Sequential, a batch norm follows its convolution. Elsewhere these patterns pair their attribute names.
_NAMES = ((r"conv(\d*)$", r"bn\1"), (r"atrous_conv$", "bn"), (r"depthwise$", "bn_depth"), (r"pointwise$", "bn_point"))


def fold_batch_norms(network: Network) -> Network:
    """Return a copy of the network in eval mode, with batch norms that directly follow a convolution merged into it.

    The copy is for inference only: its state dict has other keys than the network's.
    """
    network = copy.deepcopy(network).eval()
    for module in list(network.modules()):
        _fold_children(module)
    for parameter in network.parameters():
        parameter.requires_grad_(False)
    return network


def for_inference(network: Network, device: torch.device, dtype: torch.dtype) -> Network:
    """Return a copy of the network from `fold_batch_norms` on `device`, in `dtype`, with channels last in memory."""
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
        # the batch norm follows a sum of convolutions, such as conv1 + conv1_m, and cannot be merged into one of them
        return None
    for pattern, norm in _NAMES:
        match = re.match(pattern, names[index])
        if match and match.expand(norm) in names:
            return match.expand(norm)
    return None
