"""A small, untrained ST-RNN for tests. Its random features can distinguish colours, but nothing else."""

from __future__ import annotations

from pathlib import Path

import torch

from segmentation.checkpoints import save_checkpoint
from segmentation.engines.strnn.network import STRNN, BranchConfig, STRNNConfig
from segmentation.engines.strnn.refinement import RefinementConfig
from segmentation.networks.deeplab import DeepLabConfig
from segmentation.networks.resnet import ResNetConfig
from segmentation.networks.xception import XceptionConfig

RESNET = ResNetConfig(
    blocks=(1, 1, 1, 1),
    strides=(1, 2, 1, 1),
    dilations=((1,), (1,), (2,), (4,)),
    width=4,
    expansion=2,
    stride_on_first=True,
    ceil_pool=True,
)
XCEPTION = DeepLabConfig(XceptionConfig((4, 8), (8, 8, 16), 1, (16, 16, 16), (16, 16)), (1, 2), 16, 8)
TINY = STRNNConfig(
    branches=(BranchConfig(RESNET, 8, 8), BranchConfig(XCEPTION, 8, 8)),
    refinement=RefinementConfig(ResNetConfig(blocks=(1, 1, 1), strides=(1, 2, 2), width=4, expansion=2), 8, 3),
    frame_size=(64, 114),
    chain=4,
)


def write_weights(folder: Path, config: STRNNConfig = TINY) -> str:
    torch.manual_seed(7)
    save_checkpoint(folder / "strnn.safetensors", "strnn", STRNN(config))
    return str(folder)
