"""Small, untrained IPN networks for tests that do not depend on the quality of masks."""

from __future__ import annotations

from pathlib import Path

import torch

from segmentation.checkpoints import save_checkpoint
from segmentation.engines.ipn.network import Inet, IPNConfig, Pnet
from segmentation.engines.ipn.region import RegionConfig
from segmentation.networks.resnet import ResNetConfig

TINY = IPNConfig(
    body=ResNetConfig(blocks=(1, 1, 1, 1), strides=(1, 2, 2, 2), width=4),
    width=8,
    fusion=8,
    region=RegionConfig(size=64, smallest=24),
)


def write_weights(folder: Path) -> str:
    """Write checkpoints of tiny interaction and propagation networks of IPN into `folder`.

    Return the path of the folder for `EngineSettings.weights`.
    """
    torch.manual_seed(7)
    save_checkpoint(folder / "ipn-inet.safetensors", "ipn-inet", Inet(TINY))
    save_checkpoint(folder / "ipn-pnet.safetensors", "ipn-pnet", Pnet(TINY))
    return str(folder)
