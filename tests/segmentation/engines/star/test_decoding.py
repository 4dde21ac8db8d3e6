"""Tests that STAR's decoder computes outlines only in windows around the objects, with the same masks as if it computed
them in the whole frame.
"""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from segmentation.checkpoints import load_network
from segmentation.engines.star.decoding import MULTIPLE, NOWHERE, decode_masks
from segmentation.engines.star.matching import CUES, MOVED, Cues
from segmentation.engines.star.network import FINE, Encoded, Star
from segmentation.weights import find_weights

HEIGHT, WIDTH = 24, 32  # cells of stride 8


def shipped() -> Star:
    network = load_network("star", find_weights("star"))
    assert isinstance(network, Star)
    return network.eval()


def frame_with(network: Star, objects: Tensor) -> tuple[Encoded, Cues]:
    """Return random features of a frame, and cues that say that n objects cover `objects` [n, HEIGHT, WIDTH]."""
    torch.manual_seed(0)
    size4, size2 = (2 * HEIGHT, 2 * WIDTH), (4 * HEIGHT, 4 * WIDTH)
    config = network.config
    parts = (
        (config.embedding, HEIGHT, WIDTH),
        (config.context, HEIGHT, WIDTH),
        (config.channels[0], *size4),
        (3, *size2),
    )
    encoded = Encoded(*(torch.rand(1, *shape) for shape in parts))
    coarse = torch.zeros(len(objects), CUES, HEIGHT, WIDTH)
    coarse[:, [0, 4, MOVED]] = objects[:, None]
    coarse[:, [1, 3, 5]] = 2 * objects[:, None] - 1
    fine = torch.zeros(len(objects), FINE, *size4)
    fine[:, 0] = torch.nn.functional.interpolate(objects[:, None], scale_factor=2)[:, 0]
    return encoded, Cues(coarse, fine)


@torch.inference_mode()
def test_masks_are_those_of_the_whole_frame_and_nothing_is_computed_far_from_an_object() -> None:
    network = shipped()
    objects = torch.zeros(3, HEIGHT, WIDTH)
    objects[0, 4:9, 5:11] = 1
    objects[1, 15:24, 20:32] = 1  # It touches the frame's border.
    encoded, cues = frame_with(network, objects)
    seen = (
        encoded.context.expand(3, -1, -1, -1),
        encoded.f4.expand(3, -1, -1, -1),
        encoded.colours.expand(3, -1, -1, -1),
    )
    whole, _ = network.decoder(seen, cues.coarse, cues.fine)
    found, expected = decode_masks(network.decoder, encoded, cues)
    torch.testing.assert_close(found > 0, whole > 0)
    assert bool((found > 0).any())
    assert expected.shape == (3,)
    outside = found == NOWHERE
    assert float(outside[0].float().mean()) > 0.3
    inside = ~outside[0, ::4, ::4]
    rows, columns = inside.any(1).sum(), inside.any(0).sum()
    assert int(rows) % MULTIPLE == int(columns) % MULTIPLE == 0
    torch.testing.assert_close(found[0, 16:36, 20:44], whole[0, 16:36, 20:44], atol=0.05, rtol=0.05)


@torch.inference_mode()
def test_an_object_that_is_nowhere_has_an_empty_mask(monkeypatch: pytest.MonkeyPatch) -> None:
    network = shipped()
    for parameter in network.decoder.out8.parameters():
        parameter.fill_(0)
    monkeypatch.setattr("segmentation.engines.star.decoding.COARSE", 0)
    found, expected = decode_masks(network.decoder, *frame_with(network, torch.zeros(1, HEIGHT, WIDTH)))
    assert bool((found == NOWHERE).all())
    assert bool(torch.isfinite(expected).all())
