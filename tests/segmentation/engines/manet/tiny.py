"""A small, untrained MA-Net for tests that do not depend on the quality of masks."""

from __future__ import annotations

from pathlib import Path

import torch

from segmentation.checkpoints import save_checkpoint
from segmentation.engines.manet.network import MANet, MANetConfig
from segmentation.networks.deeplab import DeepLabConfig
from segmentation.networks.resnet import ResNetConfig

TINY = MANetConfig(
    deeplab=DeepLabConfig(
        backbone=ResNetConfig(
            blocks=(1, 1, 1, 2), strides=(1, 2, 2, 1), dilations=((1,), (1,), (1,), (2, 4)), width=8, expansion=2
        ),
        rates=(1, 2, 3),
        width=16,
        low_width=8,
    ),
    embedding=12,
    head_width=16,
    head_kernel=3,
    window=3,
    frame_size=(64, 114),
)


def tiny_network(seed: int = 7) -> MANet:
    """Return a network of the configuration TINY with random weights and running statistics, in eval mode."""
    torch.manual_seed(seed)
    network = MANet(TINY)
    for module in network.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.running_mean.normal_(0, 0.1)  # type: ignore[union-attr]
            module.running_var.uniform_(0.8, 1.5)  # type: ignore[union-attr]
    return network.eval().requires_grad_(False)


def write_weights(folder: Path) -> str:
    save_checkpoint(folder / "manet.safetensors", "manet", tiny_network())
    return str(folder)
