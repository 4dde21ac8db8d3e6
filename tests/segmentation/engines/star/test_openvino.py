"""STAR's networks as OpenVINO computes them: the numbers of PyTorch, for any number of objects and any size."""

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from segmentation.checkpoints import load_network
from segmentation.classical.scaled_frames import CHANNELS
from segmentation.cutter.openvino import compile_refinement_net
from segmentation.cutter.refinement import NUM_CUES, SIDE, RefinementNet
from segmentation.engines.star.network import Cues, Star
from segmentation.engines.star.openvino import compile_star
from segmentation.runtime.folding import for_inference
from segmentation.weights import find_weights

HOW = torch.device("cpu"), torch.float32
TOLERANCE = 0.03  # of the largest value: bfloat16 has 8 bits, and some layers pass them on


def assert_alike(found: Tensor, right: Tensor) -> None:
    assert found.shape == right.shape
    assert float((found - right).abs().max()) < TOLERANCE * float(right.abs().max())


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


@pytest.mark.parametrize(("height", "width"), [(240, 432), (96, 64)])
@torch.inference_mode()
def test_the_refiner(height: int, width: int) -> None:
    network = shipped("star")
    assert isinstance(network, Star)
    fast, plain = compile_star(network, *HOW), for_inference(network, *HOW)
    given = torch.rand(1, 3, height, width), torch.rand(1, CHANNELS, height // 2 + 1, width // 2)
    frame = plain.encoder(*given)
    for found, right in zip(fast.encoder(*given), frame, strict=True):
        assert_alike(found, right)
    query = frame.key.flatten(2)[0]
    memory = torch.cat([query, query.flip(1)], dim=1)
    for objects in (1, 3):
        values = torch.randn(objects, network.config.value, memory.shape[1])
        assert_alike(fast.read(query, memory, values), plain.read(query, memory, values))
        readout = torch.randn(objects, network.config.value, *frame.p8.shape[2:])
        cues, scores = Cues(*torch.rand(5, objects, height, width)), torch.rand(objects, 2, *frame.f4.shape[2:])
        clip = torch.zeros(objects, dtype=torch.long)
        logits = [network.decoder(readout, frame, cues, scores, clip) for network in (fast, plain)]
        assert_alike(*logits)


@torch.inference_mode()
def test_without_openvino_they_are_pytorchs_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("segmentation.runtime.openvino.openvino", lambda: None)
    network = shipped("star-cut")
    assert isinstance(network, RefinementNet)
    given = torch.rand(1, 3, SIDE, SIDE), torch.rand(1, NUM_CUES, SIDE, SIDE)
    fast, plain = compile_refinement_net(network, *HOW)(*given), for_inference(network, *HOW)(*given)
    np.testing.assert_array_equal(fast.numpy(), plain.numpy())
