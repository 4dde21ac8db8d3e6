"""Tests that networks of the published systems compute nearly the same with OpenVINO as with PyTorch.

They are the networks that ship, and a small RGMP with random weights.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, TypeVar

import pytest
import torch
from torch import Tensor, nn

from segmentation.checkpoints import load_network
from segmentation.engines.ipn.network import Inet, Pnet
from segmentation.engines.ipn.openvino import compile_inet, compile_pnet
from segmentation.engines.manet.network import MANet
from segmentation.engines.manet.openvino import compile_manet
from segmentation.engines.stm.network import STM, InteractiveSTM
from segmentation.engines.stm.openvino import compile_stm
from segmentation.engines.strnn.engine import STRNNEngine
from segmentation.engines.strnn.network import STRNN, STRNNConfig, for_inference
from segmentation.engines.strnn.openvino import compile_strnn
from segmentation.engines.strnn.refinement import RefinementConfig
from segmentation.networks.resnet import ResNetConfig
from segmentation.runtime.shared_networks import fastest_network
from segmentation.weights import find_weights
from tests.segmentation.engines.strnn.tiny import TINY

HOW = torch.device("cpu"), torch.float32
TOLERANCE = 0.04  # relative to the largest value: bfloat16 has 8 bits, and its errors add up over some layers
Network = TypeVar("Network", bound=nn.Module)


def assert_alike(found: Tensor, right: Tensor) -> None:
    assert found.shape == right.shape
    assert float((found - right).abs().max()) < TOLERANCE * float(right.abs().max())


def pair(kind: type[Network], name: str, prepare: Any, plain: Any) -> tuple[Network, Network]:
    """Return a shipped network twice: compiled by `prepare` for OpenVINO, and prepared by `plain` for PyTorch."""
    network = load_network(name, find_weights(name))
    assert isinstance(network, kind)
    return prepare(network, *HOW), plain(network, *HOW)


def unprepared(network: Network, *_how: Any) -> Network:
    return network.eval()


@pytest.fixture(autouse=True)
def same_numbers() -> None:
    torch.manual_seed(0)


@pytest.mark.parametrize(("system", "name", "cues"), [(InteractiveSTM, "stm", 3), (STM, "stm-semi", 2)])
@pytest.mark.parametrize("objects", [1, 5])
@torch.inference_mode()
def test_stm_compiled_gives_the_results_of_pytorch(system: Any, name: str, cues: int, objects: int) -> None:
    fast, plain = pair(system, name, compile_stm, unprepared)
    frame, drawn = torch.rand(1, 3, 96, 160), torch.rand(objects, cues, 96, 160).round()
    known = [network.memorize(frame, drawn) for network in (fast, plain)]
    for found, right in zip(*known, strict=True):
        assert_alike(found.key, right.key)
        assert_alike(found.value, right.value)
    queries = [network.encode_query(frame) for network in (fast, plain)]
    for found, right in zip(*(query.tensors() for query in queries), strict=True):
        assert_alike(found, right)
    memories = [[slot, known[1][0]] for slot in known[1]]
    assert_alike(*(torch.softmax(network.segment(memories, queries[1]), dim=1) for network in (fast, plain)))
    with pytest.raises(ValueError, match="the memory is empty"):
        fast.read([], queries[0])


@torch.inference_mode()
def test_manet_compiled_gives_the_results_of_pytorch() -> None:
    fast, plain = pair(MANet, "manet", compile_manet, unprepared)
    images = torch.randn(2, 3, 96, 128)
    embeddings = plain.embed(images)
    assert_alike(fast.embed(images), embeddings)
    previous = torch.randint(0, 4, embeddings.shape[2:])
    for ids in ([0, 1], [0, 1, 3]):
        maps = torch.rand(2, len(ids), *previous.shape)
        logits = [network.propagate(embeddings[0], (maps[0], maps[1]), previous, ids) for network in (fast, plain)]
        assert_alike(*logits)
        assert_alike(*(network.interact(embeddings[0], previous - 1, previous, ids) for network in (fast, plain)))


@pytest.mark.parametrize("objects", [1, 5])
@torch.inference_mode()
def test_ipn_compiled_gives_the_results_of_pytorch(objects: int) -> None:
    inet, plain_inet = pair(Inet, "ipn-inet", compile_inet, unprepared)
    pnet, plain_pnet = pair(Pnet, "ipn-pnet", compile_pnet, unprepared)
    frame, mask = torch.rand(1, 3, 120, 200), torch.zeros(objects, 120, 200)
    mask[:, 40:90, 60:130] = 1
    drawn = [network(frame, mask, mask, torch.zeros_like(mask)) for network in (inet, plain_inet)]
    assert_alike(drawn[0].probability, drawn[1].probability)
    assert_alike(drawn[0].reference, drawn[1].reference)
    moved = [network(frame, drawn[1].reference, mask, mask).probability for network in (pnet, plain_pnet)]
    assert_alike(*moved)


@torch.inference_mode()
def test_strnn_compiled_gives_the_results_of_pytorch() -> None:
    fast, plain = pair(STRNN, "strnn", compile_strnn, for_inference)
    image = torch.randn(1, 3, 88, 152)
    (found, states), (right, _) = (network(image, [None] * len(plain.branches)) for network in (fast, plain))
    assert_alike(found[0], right[0])
    assert_alike(fast(image, states)[0][0], plain(image, states)[0][0])


@pytest.mark.parametrize("objects", [1, 5])
@torch.inference_mode()
def test_rgmp_compiled_gives_the_results_of_pytorch(objects: int) -> None:
    config = RefinementConfig(ResNetConfig(blocks=(1, 1, 1), strides=(1, 2, 2), width=4), width=8)
    network = STRNN(STRNNConfig(branches=TINY.branches[:1], refinement=config)).eval()
    plain, fast = network.refinement, compile_strnn(network, *HOW).refinement
    assert plain is not None
    assert fast is not None
    picture, masks = torch.rand(1, 3, 90, 150), torch.rand(objects, 90, 150).round()
    references = [network.reference(picture, masks) for network in (fast, plain)]
    assert_alike(*references)
    assert_alike(*(network(picture, masks, references[1]) for network in (fast, plain)))


def test_weights_that_were_named_and_a_precision_that_was_named_stay_with_pytorch() -> None:
    ways: list[str] = []

    def plain(network: STRNN, *_how: Any) -> STRNN:
        ways.append("plain")
        return network

    def fast(network: STRNN, *_how: Any) -> STRNN:
        ways.append("fast")
        return network

    file = find_weights("strnn")
    given: list[tuple[Path | None, str]] = [(None, "auto"), (None, "float32"), (file, "auto")]
    kept = [
        fastest_network(STRNN, STRNNEngine.name, explicit, torch.device("cpu"), precision, plain, fast)
        for explicit, precision in given
    ]
    assert ways == ["fast", "plain"]  # the third call returns the network that the second has prepared
    assert kept[1] is kept[2]


@torch.inference_mode()
def test_without_openvino_they_are_pytorchs_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("segmentation.runtime.openvino.openvino", lambda: None)
    image = torch.randn(1, 3, 64, 80)
    fast, plain = pair(STRNN, "strnn", compile_strnn, for_inference)
    nothing: list[Tensor | None] = [None] * len(plain.branches)
    torch.testing.assert_close(fast(image, nothing)[0][0], plain(image, nothing)[0][0], rtol=0, atol=0)
