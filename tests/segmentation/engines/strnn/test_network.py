"""Tests ST-RNN's networks (two branches, and RGMP, which refines masks): layers and sizes, that folded batch norms
change no result, and that RGMP depends on the reference and the neighbouring mask.
"""

from __future__ import annotations

import pytest
import torch

from segmentation.engines.strnn.network import STRNN, Branch, for_inference, to_input
from segmentation.engines.strnn.refinement import Refinement
from tests.segmentation.engines.strnn.tiny import TINY


def test_the_papers_models_are_resnet_101_and_xception_65() -> None:
    with torch.device("meta"):
        network = STRNN()
    keys = network.state_dict().keys()
    assert "branches.0.body.layer3.22.conv3.weight" in keys  # ResNet-101 has 23 blocks in this stage
    assert "branches.1.body.backbone.middle.15.conv3.pointwise.weight" in keys  # Xception-65 has 16 middle blocks
    assert network.branches[0].rnn.U.shape == (4, 128, 2048)  # type: ignore[union-attr]
    assert network.branches[1].rnn.U.shape == (4, 128, 256)  # type: ignore[union-attr]


@pytest.mark.parametrize("index", [0, 1])
@pytest.mark.parametrize(("height", "width"), [(64, 96), (61, 83)])
def test_a_vertex_is_eight_pixels_wide(index: int, height: int, width: int) -> None:
    branch = Branch(TINY.branches[index]).eval()
    y, state = branch(torch.rand(1, 3, height, width))
    assert y.shape == (8, -(-height // 8), -(-width // 8))
    again, _ = branch(torch.rand(1, 3, height, width), state)
    assert again.shape == y.shape


def test_folding_changes_no_number() -> None:
    torch.manual_seed(0)
    network = STRNN(TINY)
    for module in network.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            assert module.running_var is not None
            module.running_var.uniform_(0.5, 2)
    network.eval()
    image = to_input(torch.rand(1, 3, 64, 80) * 255)
    expected, _ = network(image, [None, None])
    got, _ = for_inference(network)(image, [None, None])
    for a, b in zip(got, expected, strict=True):
        torch.testing.assert_close(a, b, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize(("height", "width"), [(64, 96), (51, 70)])
def test_the_refinement_gives_each_object_a_probability_map(height: int, width: int) -> None:
    assert TINY.refinement is not None
    network = Refinement(TINY.refinement).eval()
    image, masks = torch.rand(1, 3, height, width), torch.rand(2, height, width)
    references = network.reference(torch.rand(1, 3, height, width), masks)
    found = network(image, masks, references)
    assert found.shape == (2, height, width)
    assert found.min() >= 0
    assert found.max() <= 1


def test_the_refinement_depends_on_reference_and_neighbour() -> None:
    assert TINY.refinement is not None
    torch.manual_seed(1)
    network = Refinement(TINY.refinement).eval()
    image, mask, other = torch.rand(1, 3, 32, 32), torch.zeros(1, 32, 32), torch.ones(1, 32, 32)
    reference = network.reference(image, mask)
    plain = network(image, mask, reference)
    assert not torch.allclose(network(image, other, reference), plain)
    assert not torch.allclose(network(image, mask, network.reference(image, other)), plain)
