"""Tests that STAR's networks give nearly the same results with OpenVINO as with PyTorch, for several sizes and numbers
of objects.
"""

from __future__ import annotations

from weakref import WeakValueDictionary

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from segmentation.checkpoints import load_network
from segmentation.cutter.openvino import compile_refinement_net
from segmentation.cutter.refinement import NUM_CUES, SIDE, RefinementNet
from segmentation.engines.star.engine import StarEngine
from segmentation.engines.star.features import Raw
from segmentation.engines.star.matching import CUES
from segmentation.engines.star.network import FINE, Star, StarConfig
from segmentation.engines.star.openvino import compile_star
from segmentation.frames import ArrayFrames
from segmentation.runtime.folding import for_inference
from segmentation.weights import find_weights

HOW = torch.device("cpu"), torch.float32
TRUNK = StarConfig().channels
TOLERANCE = 0.03  # relative to the largest value; the cutter may run in bfloat16


def assert_alike(found: Tensor, right: Tensor, tolerance: float = TOLERANCE) -> None:
    assert found.shape == right.shape
    assert float((found - right).abs().max()) < tolerance * float(right.abs().max())


def shipped(name: str) -> nn.Module:
    return load_network(name, find_weights(name))


@pytest.fixture(autouse=True)
def same_numbers() -> None:
    torch.manual_seed(0)


@pytest.mark.parametrize("objects", [1, 5])
@torch.inference_mode()
def test_the_cutter(objects: int) -> None:
    network = shipped("star-cut")
    assert isinstance(network, RefinementNet)
    fast, plain = compile_refinement_net(network, *HOW), for_inference(network, *HOW)
    given = torch.rand(objects, 3, SIDE, SIDE), torch.rand(objects, NUM_CUES, SIDE, SIDE)
    assert_alike(fast(*given), plain(*given))


@pytest.mark.parametrize("cells", [(4, 8), (12, 16)])
@torch.inference_mode()
def test_what_is_computed_of_a_frame(cells: tuple[int, int]) -> None:
    network = shipped("star")
    assert isinstance(network, Star)
    fast, plain = compile_star(network, *HOW), for_inference(network, *HOW)
    height, width = cells
    coarse = [torch.rand(1, TRUNK[i + 1], height // 2**i, width // 2**i) for i in range(3)]
    f4, colours = torch.rand(1, TRUNK[0], 2 * height, 2 * width), torch.rand(1, 3, 4 * height, 4 * width)
    raw = Raw(f4, coarse[0], coarse[1], coarse[2], colours)
    for found, right in zip(fast.encode(raw), plain.encode(raw), strict=True):
        assert_alike(found, right, 1e-4)


@pytest.mark.parametrize("objects", [1, 5])
@torch.inference_mode()
def test_the_decoder(objects: int) -> None:
    network = shipped("star")
    assert isinstance(network, Star)
    fast, plain = compile_star(network, *HOW), for_inference(network, *HOW)
    height, width = 12, 20
    seen = (
        torch.rand(objects, network.config.context, height, width),
        torch.rand(objects, TRUNK[0], 2 * height, 2 * width),
        torch.rand(objects, 3, 4 * height, 4 * width),
    )
    cues = torch.rand(objects, CUES, height, width), torch.rand(objects, FINE, 2 * height, 2 * width)
    for found, right in zip(fast.decoder(seen, *cues), plain.decoder(seen, *cues), strict=True):
        assert_alike(found, right, 1e-3)
    assert "coarse" in vars(fast.decoder)  # It was compiled.


@torch.inference_mode()
def test_without_openvino_they_are_pytorchs_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("segmentation.runtime.openvino.openvino", lambda: None)
    network = shipped("star-cut")
    assert isinstance(network, RefinementNet)
    given = torch.rand(1, 3, SIDE, SIDE), torch.rand(1, NUM_CUES, SIDE, SIDE)
    fast, plain = compile_refinement_net(network, *HOW)(*given), for_inference(network, *HOW)(*given)
    np.testing.assert_array_equal(fast.numpy(), plain.numpy())


def test_with_the_option_off_pytorch_computes_every_network(monkeypatch: pytest.MonkeyPatch) -> None:
    def never() -> None:
        raise AssertionError("OpenVINO was used")

    monkeypatch.setattr("segmentation.runtime.openvino.openvino", never)
    # Copies that other sessions have compiled would be taken otherwise.
    monkeypatch.setattr("segmentation.runtime.shared_networks._kept", WeakValueDictionary())
    StarEngine(ArrayFrames(np.zeros((2, 48, 64, 3), np.uint8)), 1, openvino=False).close()
