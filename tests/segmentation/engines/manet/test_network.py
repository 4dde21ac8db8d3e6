"""Tests the network of MA-Net: the keys of the official checkpoint, its folded copy, and what goes in and out."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from segmentation.engines.manet.network import MANet, MANetConfig, for_inference, to_input
from segmentation.session.round_labels import resize_labels
from tests.segmentation.engines.manet.tiny import TINY, tiny_network

GOLDEN = Path(__file__).parents[3] / "golden"


def test_it_has_the_entries_of_the_official_checkpoint_in_their_order() -> None:
    with torch.device("meta"):
        network = MANet()
    own = [[k, list(v.shape), str(v.dtype).removeprefix("torch.")] for k, v in network.state_dict().items()]
    (official,) = json.loads((GOLDEN / "manet" / "state_dict.json").read_text()).values()
    assert own == official


def test_the_second_name_of_a_layer_wins() -> None:
    network = MANet(TINY)
    state = network.state_dict()
    state["seperate_conv.bias"] = torch.full_like(state["seperate_conv.bias"], 1.0)
    state["semantic_embedding.0.bias"] = torch.full_like(state["seperate_conv.bias"], 2.0)
    network.load_state_dict(state)
    assert network.seperate_conv.bias is not None
    assert (network.seperate_conv.bias == 2).all()


def test_folding_and_sharing_change_no_number() -> None:
    network = tiny_network()
    folded = for_inference(network)
    assert not any(isinstance(module, torch.nn.BatchNorm2d) for module in folded.modules())
    images = to_input(torch.rand(2, 3, 37, 50) * 255)
    expected, got = network.embed(images), folded.embed(images)
    assert expected.std() > 0.01
    torch.testing.assert_close(got, expected, rtol=1e-4, atol=1e-5)
    embedding = expected[0]
    labels = torch.randint(0, 3, embedding.shape[1:])
    scribbles = torch.randint(-1, 3, embedding.shape[1:])
    maps = torch.rand(3, *embedding.shape[1:]), torch.rand(3, *embedding.shape[1:])
    ids = [0, 1, 2]
    for before in (None, labels):
        expected = network.interact(embedding, scribbles, before, ids)
        torch.testing.assert_close(folded.interact(embedding, scribbles, before, ids), expected, rtol=1e-4, atol=1e-5)
    expected = network.propagate(embedding, maps, labels, ids)
    torch.testing.assert_close(folded.propagate(embedding, maps, labels, ids), expected, rtol=1e-4, atol=1e-5)


def test_in_the_first_round_everything_was_background_before() -> None:
    network = tiny_network()
    embedding = torch.rand(TINY.embedding, 9, 11)
    scribbles = torch.full((9, 11), -1)
    nothing = torch.zeros_like(scribbles)
    torch.testing.assert_close(
        network.interact(embedding, scribbles, None, [0, 1]), network.interact(embedding, scribbles, nothing, [0, 1])
    )


@pytest.mark.parametrize(("height", "width"), [(64, 114), (61, 75), (33, 90)])
def test_an_embedding_has_a_quarter_of_the_size_rounded_up(height: int, width: int) -> None:
    embedding = tiny_network().embed(torch.rand(1, 3, height, width))
    assert embedding.shape == (1, TINY.embedding, -(-height // 4), -(-width // 4))


def test_frames_go_in_as_blue_green_red() -> None:
    frame = torch.tensor([10.0, 20.0, 30.0])[None, :, None, None]
    blue = (30 / 255 - 0.485) / 0.229
    assert to_input(frame)[0, 0, 0, 0].item() == pytest.approx(blue)


def test_labels_are_resized_to_the_nearest_by_rounding_down() -> None:
    labels = torch.arange(12).view(3, 4)
    assert resize_labels(labels, (2, 3)).tolist() == [[0, 1, 2], [4, 5, 6]]


def test_other_sizes_are_the_same_code() -> None:
    small = replace(TINY, embedding=7, head_kernel=5)
    assert isinstance(small, MANetConfig)
    assert MANet(small).dynamic_seghead.layer1.conv1.weight.shape == (10, 1, 5, 5)  # type: ignore[union-attr]
