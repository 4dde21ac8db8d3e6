"""Tests the trunk, STAR's image backbone (EfficientNet-Lite): its shapes, its "same" padding, and its outputs.

The outputs must equal those of the package efficientnet-lite-pytorch."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch import Tensor

from segmentation.trunk.network import SCALES, ConvNorm, EfficientNetLite, empty
from segmentation.trunk.trunk import STRIDES, load_trunk
from segmentation.trunk.weights import load_network

# Mean, standard deviation and the last value of the five maps of `pattern()`, computed with the package
# efficientnet-lite-pytorch 0.1.0, which the weights were made for.
REFERENCE = (
    (-0.2927, 10.4273, -3.5924),
    (-0.7031, 12.0725, 4.1590),
    (-0.8378, 10.8333, 9.8394),
    (0.6748, 7.3134, -0.7185),
    (0.0966, 3.9539, 0.1158),
)


def pattern() -> Tensor:
    y, x = torch.meshgrid(torch.arange(64), torch.arange(96), indexing="ij")
    planes = torch.stack([(7 * x + 3 * y) % 256, (5 * x * y) % 256, (x * x + 11 * y) % 256])
    return planes.float()[None] / 255


def figures(maps: tuple[Tensor, ...]) -> list[tuple[float, float, float]]:
    return [(float(m.mean()), float(m.std()), float(m[0, -1, -1, -1])) for m in maps]


def test_features_are_those_of_the_package_that_the_weights_were_made_for() -> None:
    with torch.no_grad():
        found = figures(load_network("lite0")(pattern()))
    np.testing.assert_allclose(found, REFERENCE, atol=2e-4)


@pytest.mark.parametrize("openvino", [True, False])
def test_the_trunk_computes_the_same_with_openvino_and_with_pytorch(openvino: bool) -> None:
    np.testing.assert_allclose(figures(load_trunk("lite0", "cpu", openvino)(pattern())), REFERENCE, atol=5e-4)


@pytest.mark.parametrize("size", [(64, 96), (97, 161), (33, 31), (1, 1), (2, 75)])
def test_every_size_of_frame_gives_maps_of_that_size_divided_by_the_strides_rounded_up(size: tuple[int, int]) -> None:
    frames = torch.rand(2, 3, *size, generator=torch.Generator().manual_seed(3))
    for openvino in (True, False):
        maps = load_trunk("lite0", "cpu", openvino)(frames)
        for stride, channels, found in zip(STRIDES, load_trunk().channels, maps, strict=True):
            assert found.shape == (2, channels, math.ceil(size[0] / stride), math.ceil(size[1] / stride))


def test_openvino_and_pytorch_agree_at_odd_sizes() -> None:
    frames = torch.rand(1, 3, 97, 161, generator=torch.Generator().manual_seed(4))
    for ours, plain in zip(load_trunk()(frames), load_trunk("lite0", "cpu", False)(frames), strict=True):
        torch.testing.assert_close(ours, plain, atol=2e-3, rtol=1e-3)


def test_padding_of_a_strided_layer_puts_the_odd_pixel_at_the_end() -> None:
    layer = ConvNorm(1, 1, 3, 2).eval()
    with torch.no_grad():
        layer.conv.weight.zero_()
        layer.conv.weight[0, 0, 0, 0] = 1  # the output is the pixel in the corner above and to the left
        frame = torch.arange(16.0).view(1, 1, 4, 4)
        shown = layer(frame)[0, 0]
        odd = layer(torch.arange(25.0).view(1, 1, 5, 5))[0, 0]
    torch.testing.assert_close(shown, frame[0, 0, ::2, ::2], rtol=1e-2, atol=1e-2)
    assert odd.shape == (3, 3)
    assert float(odd[0, 0]) == 0  # this pixel is padding
    assert float(odd[1, 1]) == pytest.approx(6, rel=1e-2)


def test_the_variants_differ_in_width_and_depth() -> None:
    assert empty("lite0").channels == (16, 24, 40, 112, 320)
    assert empty("lite2").channels == (16, 24, 48, 120, 352)
    blocks = {name: len(empty(name).blocks) for name in SCALES}
    assert blocks["lite0"] < blocks["lite1"] == blocks["lite2"]


def test_images_of_another_shape_or_type_are_refused() -> None:
    trunk = load_trunk()
    for wrong in (torch.rand(3, 64, 64), torch.rand(1, 4, 64, 64), torch.zeros(1, 3, 64, 64, dtype=torch.uint8)):
        with pytest.raises(ValueError, match="images: expected float"):
            trunk(wrong)


def test_a_network_can_be_trained_further() -> None:
    network = EfficientNetLite("lite0").train()
    sum(part.mean() for part in network(torch.rand(2, 3, 64, 64))).backward()
    assert all(p.grad is not None for p in network.parameters())
