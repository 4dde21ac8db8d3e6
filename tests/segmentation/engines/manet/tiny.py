"""A small, untrained MA-Net for tests that do not depend on the quality of masks."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import torch

from segmentation.checkpoints import save_checkpoint
from segmentation.engines.manet.network import MANet, MANetConfig
from segmentation.networks.deeplab import DeepLabConfig
from segmentation.networks.resnet import ResNetConfig
from segmentation.networks.trunk_backbone import TrunkConfig

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
TINY_TRUNK = replace(TINY, deeplab=replace(TINY.deeplab, backbone=TrunkConfig()))


def tiny_network(seed: int = 7, config: MANetConfig = TINY) -> MANet:
    """Return a network of a small configuration with random weights and running statistics, in eval mode."""
    torch.manual_seed(seed)
    network = MANet(config)
    for module in network.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.running_mean.normal_(0, 0.1)  # type: ignore[union-attr]
            module.running_var.uniform_(0.8, 1.5)  # type: ignore[union-attr]
    return network.eval().requires_grad_(False)


def write_weights(folder: Path) -> str:
    save_checkpoint(folder / "manet.safetensors", "manet", tiny_network())
    return str(folder)
