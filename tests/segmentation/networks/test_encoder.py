"""Tests the encoder of an image with masks and scribbles, which adds up the first convolutions of all these inputs."""

from __future__ import annotations

import torch
from torch.nn import functional as F

from segmentation.networks.encoder import CueEncoder
from segmentation.networks.resnet import ResNetConfig
from segmentation.runtime.folding import fold_batch_norms

CONFIG = ResNetConfig(blocks=(1, 1), strides=(1, 2), width=4)


def test_cues_are_added_to_the_image_before_the_norm() -> None:
    torch.manual_seed(0)
    encoder = CueEncoder(CONFIG, cues=("m", "p"), biased=("m",)).eval()
    image, cues = torch.rand(1, 3, 32, 48), torch.rand(3, 2, 32, 48)
    part = encoder.get_submodule
    x = part("conv1")((image - encoder.mean) / encoder.std)
    x = x + part("conv1_m")(cues[:, :1]) + part("conv1_p")(cues[:, 1:])
    expected = part("res2")(part("maxpool")(F.relu(part("bn1")(x))))
    torch.testing.assert_close(encoder(image, cues)[0], expected)


def test_one_image_serves_all_objects() -> None:
    encoder = CueEncoder(CONFIG, cues=("m",)).eval()
    image, cues = torch.rand(1, 3, 32, 32), torch.rand(2, 1, 32, 32)
    torch.testing.assert_close(encoder(image, cues)[1], encoder(image.expand(2, -1, -1, -1), cues)[1])


def test_folded_norms_change_no_number() -> None:
    torch.manual_seed(0)
    encoder = CueEncoder(CONFIG, cues=("m",)).eval()
    for module in encoder.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            torch.nn.init.normal_(module.get_buffer("running_mean"))
            torch.nn.init.uniform_(module.get_buffer("running_var"), 0.5, 2)
    image, cues = torch.rand(1, 3, 32, 32), torch.rand(2, 1, 32, 32)
    torch.testing.assert_close(fold_batch_norms(encoder)(image, cues)[1], encoder(image, cues)[1], rtol=1e-3, atol=1e-4)
