"""Small, untrained STM networks for tests that do not depend on the quality of masks."""

from __future__ import annotations

from pathlib import Path

import torch

from segmentation.checkpoints import save_checkpoint
from segmentation.engines.stm.network import STM, InteractiveSTM, STMConfig
from segmentation.networks.resnet import ResNetConfig

TINY = STMConfig(body=ResNetConfig(blocks=(1, 1, 1), strides=(1, 2, 2), width=4), keys=4, values=8, width=8)


def write_weights(folder: Path) -> str:
    """Write checkpoints of both networks into `folder`, and return its path for `EngineSettings.weights`."""
    torch.manual_seed(7)
    save_checkpoint(folder / "stm.safetensors", "stm", InteractiveSTM(TINY))
    save_checkpoint(folder / "stm-semi.safetensors", "stm-semi", STM(TINY))
    return str(folder)
